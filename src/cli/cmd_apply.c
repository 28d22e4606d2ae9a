/* apply: one operator from the shell, no recipe needed: rows in, rows out.
 *
 * It is planned as a recipe of three steps (read, the operator, write), so everything that holds for runs holds here: types, order, memory, verdicts. */
#include "cli/cmd.h"
#include "cli/progress.h"
#include "core/file.h"
#include "core/log.h"
#include "engine/engine.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    const char *out, *rejected, *ledger, *config;
    int64_t seed, limit, memory, workers, in_flight;
    double budget;
    bool fresh, quiet, json;
} opts;

#define O(name, letter, kind, value, about, field) { name, letter, kind, value, about, offsetof(opts, field) }
static const qn_opt OPTS[] = {
    O("out", 'o', QN_OPT_TEXT, "FILE", "where rows go (default: standard output)", out),
    O("rejected", 'r', QN_OPT_TEXT, "FILE", "where rejected and failed rows go, each with its reason", rejected),
    O("seed", 's', QN_OPT_INT, "N", "for all random choices (default 1)", seed),
    O("limit", 'n', QN_OPT_INT, "N", "read at most N rows", limit),
    O("memory", 0, QN_OPT_SIZE, "SIZE", "ceiling for rows and indexes in memory (default 1G)", memory),
    O("workers", 'j', QN_OPT_INT, "N", "threads (default: one a core)", workers),
    O("in-flight", 0, QN_OPT_INT, "N", "requests under way at once, at most (default 1024)", in_flight),
    O("budget", 'b', QN_OPT_REAL, "USD", "stop before spending more", budget),
    O("ledger", 0, QN_OPT_TEXT, "FILE", "where replies are remembered, for operators that ask (default: OUT.ledger.db)", ledger),
    O("fresh", 0, QN_OPT_FLAG, NULL, "ask everything anew", fresh),
    O("config", 0, QN_OPT_TEXT, "FILE", "model names, keys and prices", config),
    O("json", 0, QN_OPT_FLAG, NULL, "print the counts as JSON on standard error", json),
    O("quiet", 'q', QN_OPT_FLAG, NULL, "no progress, no summary", quiet),
    { 0 }
};

/* A value of the command line as YAML: lists and maps as they stand (not templates: {{ .text }}), plain words as they stand, anything else in quotes. */
static void put_yaml(qn_buf *b, qn_str v)
{
    bool plain = v.n > 0;
    for (size_t i = 0; i < v.n && plain; i++) plain = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-", v.p[i]) != NULL;
    if (v.n && (v.p[0] == '[' || v.p[0] == '{') && !qn_str_starts(v, QN_STR("{{"))) qn_buf_str(b, v);
    else if (plain && v.p[0] != '-' && v.p[0] != '$') qn_buf_str(b, v);
    else if (plain && v.n > 1 && v.p[0] == '-') qn_buf_str(b, v);
    else {
        qn_buf doubled = {0};                       /* a dollar sign in front stands for itself */
        if (v.n && v.p[0] == '$') qn_buf_putc(&doubled, '$');
        qn_buf_str(&doubled, v);
        qn_json_write_text(b, qn_buf_view(&doubled));
        qn_buf_free(&doubled);
    }
}

static bool is_filter(const qn_op *op) { return ((op->settle || op->decide || op->measure) && !op->map && op->stage != QN_SINK) || op->flags & QN_OP_MEASURES; }
static bool is_source(const qn_op *op) { return op->next && !op->absorb; }

static void say_log(qn_level level, const char *event, const char *text)
{
    (void)event;
    qn_say("%s%s", level == QN_WARN ? "" : "error: ", text);
}

static qn_code recipe_for(const qn_op *op, const qn_args *args, const char *in, const char *out, qn_buf *b, qn_err *e)
{
    bool fields = false;
    qn_buf_puts(b, "quern: 1\nsteps:\n");
    if (!is_source(op)) {
        qn_buf_puts(b, "  - read_rows: {path: ");
        qn_json_write_text(b, qn_str_of(in));
        qn_buf_puts(b, "}\n");
    }
    qn_buf_printf(b, "  - %s: {", op->name);
    bool first = true;
    for (size_t i = 0; i < args->settings.n; i++) {
        qn_setting s = args->settings.items[i];
        if (qn_str_is(s.name, "fields") && is_filter(op)) {
            fields = qn_str_is(s.value, "yes") || qn_str_is(s.value, "true");
            continue;
        }
        qn_buf_printf(b, "%s%.*s: ", first ? "" : ", ", QN_FMT(s.name));
        put_yaml(b, s.value);
        first = false;
    }
    qn_buf_puts(b, "}\n  - write: {to: ");
    qn_json_write_text(b, qn_str_of(out));
    qn_buf_printf(b, "%s}\n", is_filter(op) && !fields ? ", raw: yes" : "");
    (void)e;
    return QN_OK;
}

/* A path as seen from any folder, so that it cannot be taken for one in a run's folder. */
static char *whole_path(const char *path)
{
    char cwd[PATH_MAX];
    if (!path || strcmp(path, "-") == 0) return qn_strz(QN_STR("-"));
    if (path[0] == '/' || !getcwd(cwd, sizeof cwd)) return qn_strz(qn_str_of(path));
    return qn_path_join(cwd, path);
}

static void say_counts(const qn_plan *plan, const qn_run_result *r, const opts *o)
{
    if (o->json) {
        fprintf(stderr, "{\"in\":%llu,\"accepted\":%llu,\"rejected\":%llu,\"failed\":%llu,\"seconds\":%.6f,\"cpu_seconds\":%.6f,\"peak_memory_bytes\":%zu}\n",
                (unsigned long long)r->in, (unsigned long long)r->accepted, (unsigned long long)r->rejected, (unsigned long long)r->failed, r->seconds,
                r->cpu_seconds, r->peak_memory_bytes);
        return;
    }
    if (o->quiet) return;
    qn_say("%llu in = %llu accepted + %llu rejected + %llu failed; %.2f s, %.0f MB", (unsigned long long)r->in, (unsigned long long)r->accepted,
           (unsigned long long)r->rejected, (unsigned long long)r->failed, r->seconds, (double)r->peak_memory_bytes / 1e6);
    for (size_t i = 0; i < r->n_reasons && i < 8; i++)
        qn_say("  %7llu %s: %s", (unsigned long long)r->reasons[i].n, r->reasons[i].failed ? "failed" : "rejected", r->reasons[i].text);
    (void)plan;
}

int qn_run_exit(const qn_run_result *r, double max_failed);

static int run_plan(const qn_plan *plan, const opts *o, const char *ledger)
{
    qn_err e = {0};
    qn_run_result r;
    qn_progress_view view = { .terminal = qn_is_terminal(2), .quiet = o->quiet || o->json || !qn_is_terminal(2) };
    qn_run_opts ro = { .ledger_path = ledger, .fresh = o->fresh, .limit = o->limit, .budget_usd = o->budget, .memory_bytes = (size_t)o->memory,
                       .workers = (int)o->workers, .in_flight = (int)o->in_flight, .rejected_path = o->rejected, .stop = qn_stop_flag(),
                       .progress = qn_progress_show, .progress_arg = &view };
    qn_code rc = qn_run(plan, &ro, &r, &e);
    qn_progress_end(&view);
    int code = rc == QN_OK ? qn_run_exit(&r, 0.1) : qn_say_error(&e);
    if (rc == QN_OK && r.in && r.accepted == 0 && r.failed == 0) code = QN_EXIT_DONE;      /* a filter may well reject all */
    if (rc == QN_OK && r.in == 0 && !r.lacking && r.end == QN_END_DONE) code = QN_EXIT_DONE;
    if (rc == QN_OK) say_counts(plan, &r, o);
    qn_run_result_free(&r);
    return code;
}

static int run(const qn_args *args, void *vo)
{
    opts *o = vo;
    qn_err e = {0};
    qn_models *models = NULL;
    qn_plan *plan = NULL;
    qn_buf recipe = {0}, ledger = {0};
    if (args->n_words < 1 || args->n_words > 2) {
        qn_fail(&e, QN_EUSAGE, args->n_words ? "one input at a time" : "which operator?");
        qn_hint(&e, "quern apply OP name=value ... [IN] [-o OUT]; `quern ops` lists the operators");
        return qn_say_error(&e);
    }
    const qn_op *op = qn_op_find(qn_str_of(args->words[0]));
    if (!op || (op->flags & QN_OP_HIDDEN)) {
        const char *near = qn_op_nearest(qn_str_of(args->words[0]));
        qn_fail(&e, QN_EUSAGE, "no operator is called `%s`", args->words[0]);
        if (near) qn_hint(&e, "did you mean `%s`?", near);
        else qn_hint(&e, "`quern ops` lists all");
        return qn_say_error(&e);
    }
    char *out = whole_path(o->out);
    bool temp_ledger = false;
    if (o->ledger) qn_buf_puts(&ledger, o->ledger);
    else if (o->out && strcmp(o->out, "-") != 0) qn_buf_printf(&ledger, "%s.ledger.db", out);
    else { qn_buf_printf(&ledger, "/tmp/quern-apply-%d.db", (int)getpid()); temp_ledger = true; }
    qn_plan_opts po = { .seed = (uint64_t)o->seed };
    qn_code rc = recipe_for(op, args, args->n_words == 2 ? args->words[1] : "-", out, &recipe, &e);
    if (rc == QN_OK) rc = qn_models_open(&models, o->config, &e);
    po.registry = models;
    if (rc == QN_OK) rc = qn_plan_text(qn_buf_view(&recipe), "command line", "", &po, &plan, &e);
    if (rc != QN_OK) e.pos = (qn_pos){0};           /* lines of a recipe nobody wrote help nobody */
    qn_log_hook(o->quiet ? NULL : say_log);
    int code = rc == QN_OK ? run_plan(plan, o, ledger.p) : qn_say_error(&e);
    if (temp_ledger) unlink(ledger.p);
    qn_plan_free(plan);
    qn_models_close(models);
    qn_buf_free(&recipe);
    qn_buf_free(&ledger);
    qn_free(out);
    return code;
}

static void defaults(void *vo)
{
    opts *o = vo;
    *o = (opts){ .seed = 1, .limit = -1, .memory = (int64_t)1 << 30, .in_flight = 1024, .budget = -1 };
}

static const char ABOUT[] =
    "IN is a file of rows (JSONL, CSV, ...) or - for standard input. Parameters are the operator's: see `quern help op OP`. A filter leaves the rows it\n"
    "keeps byte for byte as they were; with fields=yes they get what was measured.";

const qn_cmd qn_cmd_apply = { .name = "apply", .brief = "one operator on rows, no recipe needed", .usage = "quern apply OP [name=value ...] [IN] [-o OUT] [options]",
                              .about = ABOUT, .opts = OPTS, .opts_bytes = sizeof(opts), .defaults = defaults, .run = run };
