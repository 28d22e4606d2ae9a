/* run: runs a recipe. */
#include "cli/cmd.h"
#include "cli/progress.h"
#include "core/file.h"
#include "core/log.h"
#include <stdio.h>

typedef struct {
    qn_perform_opts run;
    const char *out;
    qn_pairs models;
    bool json, quiet;
} opts;

static const qn_opt OPTS[] = {
    QN_O(opts, "out", 'o', QN_OPT_TEXT, "DIR", "folder for what the run leaves (default: out/RECIPE)", out),
    QN_O(opts, "model", 'm', QN_OPT_PAIRS, "ROLE=WHERE", "a model: a name in quern.yaml, http://HOST:PORT/v1#NAME, a .gguf file, a folder, builtin", models),
    QN_PERFORM_OPTS(opts, "where replies are remembered (default DIR/ledger.db)"),
    QN_PERFORM_RECIPE_OPTS(opts),
    QN_O(opts, "json", 0, QN_OPT_FLAG, NULL, "print the summary as JSON on standard output", json),
    QN_O(opts, "quiet", 'q', QN_OPT_FLAG, NULL, "no progress", quiet),
    { 0 }
};

static void say_log(qn_level level, const char *event, const char *text)
{
    (void)event;
    fprintf(stderr, "%squern: %s%s\n", qn_is_terminal(2) ? "\r\033[K" : "", level == QN_WARN ? "" : "error: ", text);      /* over the line of progress */
}

/* A run that gave nothing: where to look, and whether a model would write what rules cannot. */
static void say_nothing_came(const qn_plan *plan, const char *dir)
{
    const char *role = NULL;
    for (int i = 0; i < plan->n_roles && !role; i++)
        if (plan->roles[i].model && plan->roles[i].model->builtin) role = plan->roles[i].name;
    qn_say("  no row came through: %s/rejected.jsonl and failed.jsonl say why of each", dir);
    if (role) qn_say("  `%s` is builtin, which writes only what rules can read; --model %s=URL asks a model (docs/models.md)", role, role);
}

static void say_summary(const qn_plan *plan, const qn_run_result *r, const char *dir)
{
    qn_say("%s: %llu rows in = %llu accepted + %llu rejected + %llu failed%s", plan->name, (unsigned long long)r->in, (unsigned long long)r->accepted,
           (unsigned long long)r->rejected, (unsigned long long)r->failed, r->pending ? ", more pending" : "");
    if (r->pending) qn_say("  pending: %llu rows wait for the next run", (unsigned long long)r->pending);
    for (size_t i = 0; i < r->n_reasons && i < 12; i++)
        qn_say("  %7llu %s at %.*s: %s", (unsigned long long)r->reasons[i].n, r->reasons[i].failed ? "failed" : "rejected",
               QN_FMT(plan->steps[r->reasons[i].step].name), r->reasons[i].text);
    if (r->in && !r->accepted && !r->pending && !r->stopped_why[0]) say_nothing_came(plan, dir);
    if (r->collected) qn_say("  %llu replies were collected from batches of an earlier run", (unsigned long long)r->collected);
    if (r->sent || r->replayed)
        qn_say("  calls: %llu sent, %llu replayed, %llu failed; tokens: %lld + %lld; cost $%.4f", (unsigned long long)r->sent,
               (unsigned long long)r->replayed, (unsigned long long)r->calls_failed, (long long)r->prompt_tokens, (long long)r->completion_tokens, r->cost_usd);
    if (r->interrupted_in_flight)
        qn_say("  %llu requests of earlier runs were under way when they stopped and may have been paid for", (unsigned long long)r->interrupted_in_flight);
    qn_say("  %.2f s, %.1f MB at most", r->seconds, (double)r->peak_memory_bytes / 1e6);
    qn_say("  %s/data.jsonl, %s/report.html", dir, dir);
    if (r->stopped_why[0]) qn_say("  stopped: %s", r->stopped_why);
}

static int run_plan(const qn_plan *plan, opts *o, const char *dir, const char *command)
{
    qn_err e = {0};
    qn_run_result r;
    qn_leave l;
    qn_progress_view view = { .terminal = qn_is_terminal(2), .quiet = o->quiet || o->json };
    o->run.stop = qn_stop_flag();
    o->run.progress = qn_progress_show;
    o->run.progress_arg = &view;
    qn_code rc = qn_perform_run(plan, &o->run, dir, command, &r, &l, &e);
    qn_progress_end(&view);
    int code = rc == QN_OK ? qn_perform_exit(&r, o->run.max_failed) : qn_say_error(&e);
    if (l.facts.dir && o->json) {
        qn_buf b = {0};
        qn_summary_text(&l.facts, &b);
        fputs(b.p, stdout);
        qn_buf_free(&b);
    } else if (l.facts.dir) {
        say_summary(plan, &r, dir);
    }
    qn_leave_free(&l);
    qn_run_result_free(&r);
    return code;
}

static void put_word(qn_buf *b, qn_str w)
{
    bool plain = w.n > 0;
    for (size_t i = 0; i < w.n && plain; i++) plain = !strchr(" \t\n'\"\\$`*?[]{}()<>|&;#!~", w.p[i]);
    qn_buf_putc(b, ' ');
    if (!plain) qn_buf_putc(b, '\'');
    for (size_t i = 0; i < w.n; i++) { if (w.p[i] == '\'') qn_buf_puts(b, "'\\'"); qn_buf_putc(b, w.p[i]); }
    if (!plain) qn_buf_putc(b, '\'');
}

static void put_pairs(qn_buf *b, const char *option, const qn_setting *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        qn_buf pair = {0};
        qn_buf_printf(&pair, "%.*s=%.*s", QN_FMT(s[i].name), QN_FMT(s[i].value));
        if (option) qn_buf_printf(b, " %s", option);
        put_word(b, qn_buf_view(&pair));
        qn_buf_free(&pair);
    }
}

/* How to run it again, for the report. */
static char *command_line(const qn_args *args, const opts *o)
{
    qn_buf b = {0};
    qn_buf_puts(&b, "quern run");
    put_word(&b, qn_str_of(args->words[0]));
    put_pairs(&b, NULL, args->settings.items, args->settings.n);
    put_pairs(&b, "--model", o->models.items, o->models.n);
    if (o->run.batch) qn_buf_puts(&b, " --batch");
    if (o->run.seed != 1) qn_buf_printf(&b, " --seed %lld", (long long)o->run.seed);
    if (o->run.limit >= 0) qn_buf_printf(&b, " --limit %lld", (long long)o->run.limit);
    if (o->out) { qn_buf_puts(&b, " -o"); put_word(&b, qn_str_of(o->out)); }
    return b.p;
}

static void defaults(void *vo)
{
    qn_perform_defaults(&((opts *)vo)->run);
}

static void tell_terms(const char *words) { qn_say("quern: %s", words); }

static int run(const qn_args *args, void *vo)
{
    opts *o = vo;
    qn_err e = {0};
    qn_models *models = NULL;
    qn_plan *plan = NULL;
    char *dir = NULL;
    int code;
    if (args->n_words != 1) {
        qn_fail(&e, QN_EUSAGE, args->n_words ? "one recipe at a time: `%s` and `%s` are two words without `=`" : "which recipe?",
                args->n_words ? args->words[0] : "", args->n_words > 1 ? args->words[1] : "");
        qn_hint(&e, "quern run RECIPE name=value ... -o DIR; `quern recipes` lists what there is");
        return qn_say_error(&e);
    }
    qn_plan_opts po = { .settings = args->settings.items, .n_settings = args->settings.n, .models = o->models.items, .n_models = o->models.n,
                        .seed = (uint64_t)o->run.seed };
    qn_code rc = qn_models_open(&models, o->run.config, &e);
    if (rc == QN_OK && o->run.batch) qn_models_batch_all(models);
    po.registry = models;
    if (rc == QN_OK) rc = qn_plan_make(args->words[0], &po, &plan, &e);
    if (rc == QN_OK) rc = qn_ask_commands(plan, &o->run, &e);
    if (rc == QN_OK) rc = qn_perform_terms(plan, &o->run, o->quiet || o->json ? NULL : tell_terms, &e);
    if (rc == QN_OK) dir = o->out ? qn_strz(qn_str_of(o->out)) : qn_path_join("out", plan->name);
    qn_log_hook(o->quiet ? NULL : say_log);
    char *command = command_line(args, o);
    code = rc == QN_OK ? run_plan(plan, o, dir, command) : qn_say_error(&e);
    qn_free(command);
    qn_plan_free(plan);
    qn_models_close(models);
    qn_free(dir);
    return code;
}

static const char ABOUT[] =
    "RECIPE is the name of a shipped recipe (see `quern recipes`) or the path of a file. Running the same command again goes on where the last run\n"
    "stopped: replies that were recorded are not asked for again.\n\n"
    "exit status: 0 done; 1 nothing was accepted, too many rows failed, or a target was not met; 2 a mistake in the command or the recipe;\n"
    "3 the budget is reached; 4 the model cannot be reached; 130 interrupted, run again to go on.";

const qn_cmd qn_cmd_run = { .name = "run", .brief = "run a recipe", .usage = "quern run RECIPE [name=value ...] [-o DIR] [options]", .about = ABOUT,
                            .opts = OPTS, .opts_bytes = sizeof(opts), .defaults = defaults, .run = run };
