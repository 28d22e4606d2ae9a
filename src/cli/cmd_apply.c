/* apply: one operator from the shell, no recipe needed: rows in, rows out.
 *
 * It is planned as a recipe of three steps (read, the operator, write), so everything that holds for runs holds here: types, order, memory, verdicts. */
#include "cli/cmd.h"
#include "api/describe.h"
#include "cli/progress.h"
#include "core/file.h"
#include "core/log.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    qn_perform_opts run;
    const char *out;
    bool quiet, json;
} opts;

static const qn_opt OPTS[] = {
    QN_O(opts, "out", 'o', QN_OPT_TEXT, "FILE", "where rows go (default: standard output)", out),
    QN_O(opts, "rejected", 'r', QN_OPT_TEXT, "FILE", "where rejected and failed rows go, each with its reason", run.rejected),
    QN_PERFORM_OPTS(opts, "where replies are remembered, for operators that ask (default: OUT.ledger.db)"),
    QN_O(opts, "json", 0, QN_OPT_FLAG, NULL, "print the counts as JSON on standard error", json),
    QN_O(opts, "quiet", 'q', QN_OPT_FLAG, NULL, "no progress, no summary", quiet),
    { 0 }
};

static void say_log(qn_level level, const char *event, const char *text)
{
    (void)event;
    qn_say("%s%s", level == QN_WARN ? "" : "error: ", text);
}

/* A path as seen from any folder, so that it cannot be taken for one in a run's folder. */
static char *whole_path(const char *path)
{
    char cwd[PATH_MAX];
    if (!path || strcmp(path, "-") == 0) return qn_strz(QN_STR("-"));
    if (path[0] == '/' || !getcwd(cwd, sizeof cwd)) return qn_strz(qn_str_of(path));
    return qn_path_join(cwd, path);
}

static void say_counts(const qn_run_result *r, const opts *o)
{
    if (o->json) {
        fprintf(stderr, "{\"in\":%llu,\"accepted\":%llu,\"rejected\":%llu,\"failed\":%llu,\"seconds\":%.6f,\"cpu_seconds\":%.6f,\"peak_memory_bytes\":%zu}\n",
                (unsigned long long)r->in, (unsigned long long)r->accepted, (unsigned long long)r->rejected, (unsigned long long)r->failed, r->seconds,
                r->cpu_seconds, r->peak_memory_bytes);
        return;
    }
    if (o->quiet) return;
    if (r->stopped_why[0]) qn_say("%s", r->stopped_why);
    qn_say("%llu in = %llu accepted + %llu rejected + %llu failed; %.2f s, %.0f MB", (unsigned long long)r->in, (unsigned long long)r->accepted,
           (unsigned long long)r->rejected, (unsigned long long)r->failed, r->seconds, (double)r->peak_memory_bytes / 1e6);
    for (size_t i = 0; i < r->n_reasons && i < 8; i++)
        qn_say("  %7llu %s: %s", (unsigned long long)r->reasons[i].n, r->reasons[i].failed ? "failed" : "rejected", r->reasons[i].text);
}

static int run_plan(const qn_plan *plan, opts *o, const char *ledger)
{
    qn_err e = {0};
    qn_run_result r;
    qn_progress_view view = { .terminal = qn_is_terminal(2), .quiet = o->quiet || o->json || !qn_is_terminal(2) };
    o->run.stop = qn_stop_flag();
    o->run.progress = qn_progress_show;
    o->run.progress_arg = &view;
    qn_code rc = qn_perform_apply(plan, &o->run, ledger, &r, &e);
    qn_progress_end(&view);
    int code = rc == QN_OK ? qn_perform_apply_exit(&r) : qn_say_error(&e);
    if (rc == QN_OK) say_counts(&r, o);
    qn_run_result_free(&r);
    return code;
}

/* Do two paths name one file, whether it is there or not? */
static bool same_file(const char *a, const char *b)
{
    char dirs[2][PATH_MAX];
    const char *paths[2] = { a, b }, *names[2];
    for (int i = 0; i < 2; i++) {
        names[i] = strrchr(paths[i], '/') + 1;
        char *dir = qn_strz((qn_str){ paths[i], (size_t)(names[i] - paths[i]) });
        bool there = realpath(dir, dirs[i]) != NULL;
        qn_free(dir);
        if (!there) return false;
    }
    return strcmp(names[0], names[1]) == 0 && strcmp(dirs[0], dirs[1]) == 0;
}

/* Mistakes that the recipe would tell in lines that nobody wrote, or only at its end. */
static bool settings_clash(const qn_args *args, const opts *o, qn_err *e)
{
    for (size_t i = 0; i < args->settings.n; i++)
        for (size_t k = 0; k < i; k++)
            if (qn_str_eq(args->settings.items[i].name, args->settings.items[k].name)) {
                qn_fail(e, QN_EUSAGE, "`%.*s` is given twice", QN_FMT(args->settings.items[i].name));
                return true;
            }
    char *out = whole_path(o->out), *rejected = whole_path(o->run.rejected);
    bool same = o->out && o->run.rejected && strcmp(out, "-") != 0 && strcmp(rejected, "-") != 0 && same_file(out, rejected);
    if (same) qn_fail(e, QN_EUSAGE, "rows that stay and rejected rows cannot both go to %s", o->out);
    qn_free(out);
    qn_free(rejected);
    return same;
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
    if (settings_clash(args, o, &e)) return qn_say_error(&e);
    char *out = whole_path(o->out);
    bool raw;
    if (o->out && strcmp(o->out, "-") != 0) qn_buf_printf(&ledger, "%s.ledger.db", out);
    qn_plan_opts po = { .seed = (uint64_t)o->run.seed };
    qn_perform_op_recipe(op, args->settings.items, args->settings.n, args->n_words == 2 ? args->words[1] : "-", out, &raw, &recipe);
    qn_code rc = qn_models_open(&models, o->run.config, &e);
    if (rc == QN_OK && o->run.batch) qn_models_batch_all(models);
    po.registry = models;
    if (rc == QN_OK) rc = qn_plan_text(qn_buf_view(&recipe), "", "", &po, &plan, &e);
    if (rc != QN_OK) e.pos = (qn_pos){0};           /* lines of a recipe nobody wrote help nobody */
    qn_log_hook(o->quiet ? NULL : say_log);
    int code = rc == QN_OK ? run_plan(plan, o, ledger.p) : qn_say_error(&e);
    qn_plan_free(plan);
    qn_models_close(models);
    qn_buf_free(&recipe);
    qn_buf_free(&ledger);
    qn_free(out);
    return code;
}

/* `quern apply OP --help`: the operator, whose parameters are what is asked about. */
static bool explain(const char *word)
{
    const qn_op *op = qn_op_find(qn_str_of(word));
    qn_buf b = {0};
    if (!op) return false;
    qn_describe_op(&b, op, false);
    fputs(b.p, stdout);
    qn_buf_free(&b);
    return true;
}

static void defaults(void *vo) { qn_perform_defaults(&((opts *)vo)->run); }

static const char ABOUT[] =
    "IN is a file of rows (JSONL, CSV, ...) or - for standard input. Parameters are the operator's: see `quern help op OP`. A filter leaves the rows it\n"
    "keeps byte for byte as they were; with fields=yes they get what was measured.\n"
    "A rejected row says why: _reason, _measure, _value, _limit; _row is its number in the input, from 1 (the line, in JSON lines); of a duplicate _of_row\n"
    "is the number of the row that stays, _of that row's id (the _id it would have if rejected), _similarity how alike they are.";

const qn_cmd qn_cmd_apply = { .name = "apply", .brief = "one operator on rows, no recipe needed", .usage = "quern apply OP [name=value ...] [IN] [-o OUT] [options]",
                              .about = ABOUT, .opts = OPTS, .opts_bytes = sizeof(opts), .defaults = defaults, .run = run, .explain = explain };
