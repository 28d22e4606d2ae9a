/* trace: the story of one row: its source, its way, every prompt and reply. */
#include "cli/cmd.h"
#include "core/file.h"
#include "report/trace.h"
#include <stdio.h>

typedef struct { bool json; const char *dir, *ledger; int64_t line; } opts;

static int run(const qn_args *args, void *p)
{
    const opts *o = p;
    qn_buf out = {0};
    qn_err e = {0};
    char by_line[32];
    snprintf(by_line, sizeof by_line, "line:%lld", (long long)o->line);
    if ((args->n_words != 1) == (o->line == 0)) {
        qn_fail(&e, QN_EUSAGE, "trace needs the id of a row, or the beginning of one, or --line");
        qn_hint(&e, "`quern trace --line 7 -o DIR` is the row in line 7 of data.jsonl; the report shows ids beside its sample rows");
        return qn_say_error(&e);
    }
    char *ledger = o->ledger ? qn_strz(qn_str_of(o->ledger)) : qn_path_join(o->dir, "ledger.db");
    qn_code rc = (o->json ? qn_trace_json : qn_trace_tell)(o->dir, ledger, o->line ? by_line : args->words[0], &out, &e);
    if (rc == QN_OK) {
        fwrite(out.p, 1, out.n, stdout);
        if (o->json) putchar('\n');
    }
    qn_buf_free(&out);
    qn_free(ledger);
    return rc == QN_OK ? QN_EXIT_DONE : qn_say_error(&e);
}

static void defaults(void *p) { ((opts *)p)->dir = "."; }

static const qn_opt OPTS[] = {
    { "out", 'o', QN_OPT_TEXT, "DIR", "the run's folder (here when not given)", offsetof(opts, dir) },
    { "line", 'n', QN_OPT_INT, "N", "the row in line N of data.jsonl, instead of an id", offsetof(opts, line) },
    { "ledger", 0, QN_OPT_TEXT, "FILE", "the run's ledger, when it is not DIR/ledger.db", offsetof(opts, ledger) },
    { "json", 0, QN_OPT_FLAG, NULL, "as one JSON object", offsetof(opts, json) },
    { 0 },
};

const qn_cmd qn_cmd_trace = {
    .name = "trace", .brief = "tell where an accepted row comes from", .usage = "quern trace ID | --line N [-o DIR] [--json]",
    .about = "Reads DIR/trace.jsonl.zst and the ledger: the source with its licence, the steps on the way, and for every call what was asked\n"
             "and answered, with tokens and price. The beginning of an id is enough when only one row has it.",
    .opts = OPTS, .opts_bytes = sizeof(opts), .defaults = defaults, .run = run,
};
