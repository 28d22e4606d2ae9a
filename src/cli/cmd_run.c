/* run: runs a recipe. */
#include "cli/cmd.h"
#include "cli/leave.h"
#include "cli/progress.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "engine/engine.h"
#include "ledger/lockfile.h"
#include "model/permit.h"
#include <stdio.h>

typedef struct {
    const char *out, *ledger, *config, *student;
    qn_pairs models;
    int64_t seed, limit, memory, workers, in_flight;
    double budget, max_failed;
    bool fresh, json, quiet, yes;
} opts;

#define O(name, letter, kind, value, about, field) { name, letter, kind, value, about, offsetof(opts, field) }
static const qn_opt OPTS[] = {
    O("out", 'o', QN_OPT_TEXT, "DIR", "folder for what the run leaves (default: out/RECIPE)", out),
    O("model", 'm', QN_OPT_PAIRS, "ROLE=WHERE", "a model: a name in quern.yaml, http://HOST:PORT/v1#NAME, a .gguf file, a folder, builtin", models),
    O("seed", 's', QN_OPT_INT, "N", "for all random choices (default 1)", seed),
    O("limit", 'n', QN_OPT_INT, "N", "read at most N rows from each source", limit),
    O("budget", 'b', QN_OPT_REAL, "USD", "stop before spending more, counting all that this ledger has spent", budget),
    O("memory", 0, QN_OPT_SIZE, "SIZE", "ceiling for rows and indexes in memory (default 1G)", memory),
    O("workers", 'j', QN_OPT_INT, "N", "threads (default: one a core)", workers),
    O("in-flight", 0, QN_OPT_INT, "N", "requests under way at once, at most (default 1024; paced below that)", in_flight),
    O("ledger", 0, QN_OPT_TEXT, "FILE", "where replies are remembered (default DIR/ledger.db)", ledger),
    O("fresh", 0, QN_OPT_FLAG, NULL, "ask everything anew: replies recorded so far are not used", fresh),
    O("max-failed", 0, QN_OPT_REAL, "SHARE", "exit 1 when more than this share of rows failed (default 0.1)", max_failed),
    O("for", 0, QN_OPT_TEXT, "MODEL", "the model that the rows will train, or `evaluation`: forbidden by a teacher's terms stops the run", student),
    O("config", 0, QN_OPT_TEXT, "FILE", "model names, keys and prices (default quern.yaml here, then in ~/.config/quern)", config),
    O("yes", 'y', QN_OPT_FLAG, NULL, "run the commands that the recipe names (pipe, check_command) without asking", yes),
    O("json", 0, QN_OPT_FLAG, NULL, "print the summary as JSON on standard output", json),
    O("quiet", 'q', QN_OPT_FLAG, NULL, "no progress", quiet),
    { 0 }
};

static void say_log(qn_level level, const char *event, const char *text)
{
    (void)event;
    fprintf(stderr, "\r\033[Kquern: %s%s\n", level == QN_WARN ? "" : "error: ", text);
}

int qn_run_exit(const qn_run_result *r, double max_failed)
{
    switch (r->end) {
    case QN_END_BUDGET: return QN_EXIT_BUDGET;
    case QN_END_UNREACHABLE: return QN_EXIT_MODEL;
    case QN_END_SIGNAL: return QN_EXIT_INTERRUPTED;
    case QN_END_ERROR: return QN_EXIT_LACKING;
    default: break;
    }
    if (r->lacking || r->accepted == 0) return QN_EXIT_LACKING;
    return r->in && (double)r->failed > max_failed * (double)r->in ? QN_EXIT_LACKING : QN_EXIT_DONE;
}


static void say_summary(const qn_plan *plan, const qn_run_result *r, const char *dir)
{
    qn_say("%s: %llu rows in = %llu accepted + %llu rejected + %llu failed%s", plan->name, (unsigned long long)r->in, (unsigned long long)r->accepted,
           (unsigned long long)r->rejected, (unsigned long long)r->failed, r->pending ? ", more pending" : "");
    if (r->pending) qn_say("  pending: %llu rows wait for the next run", (unsigned long long)r->pending);
    for (size_t i = 0; i < r->n_reasons && i < 12; i++)
        qn_say("  %7llu %s at %.*s: %s", (unsigned long long)r->reasons[i].n, r->reasons[i].failed ? "failed" : "rejected",
               QN_FMT(plan->steps[r->reasons[i].step].name), r->reasons[i].text);
    if (r->sent || r->replayed)
        qn_say("  calls: %llu sent, %llu replayed, %llu failed; tokens: %lld + %lld; cost $%.4f", (unsigned long long)r->sent,
               (unsigned long long)r->replayed, (unsigned long long)r->calls_failed, (long long)r->prompt_tokens, (long long)r->completion_tokens, r->cost_usd);
    if (r->interrupted_in_flight)
        qn_say("  %llu requests of earlier runs were under way when they stopped and may have been paid for", (unsigned long long)r->interrupted_in_flight);
    qn_say("  %.2f s, %.1f MB at most", r->seconds, (double)r->peak_memory_bytes / 1e6);
    qn_say("  %s/data.jsonl, %s/report.html", dir, dir);
    if (r->stopped_why[0]) qn_say("  stopped: %s", r->stopped_why);
}

static int run_plan(const qn_plan *plan, const opts *o, const char *dir, const char *command)
{
    qn_err e = {0};
    qn_run_result r;
    qn_progress_view view = { .terminal = qn_is_terminal(2), .quiet = o->quiet || o->json };
    char *ledger = o->ledger ? qn_strz(qn_str_of(o->ledger)) : qn_path_join(dir, "ledger.db");
    char *log = qn_path_join(dir, "run.log"), *lock = qn_path_join(dir, "run.lock");
    qn_lockfile held = {0};
    qn_run_opts ro = { .out_dir = dir, .ledger_path = ledger, .fresh = o->fresh, .limit = o->limit, .budget_usd = o->budget,
                       .memory_bytes = (size_t)o->memory, .workers = (int)o->workers, .in_flight = (int)o->in_flight, .stop = qn_stop_flag(),
                       .progress = qn_progress_show, .progress_arg = &view };
    qn_code rc = qn_log_open(log, &e);
    if (rc == QN_OK) rc = qn_lockfile_take(&held, lock, dir, &e);      /* two runs would write each other's files */
    if (rc == QN_OK) rc = qn_run(plan, &ro, &r, &e);
    else memset(&r, 0, sizeof r);
    qn_progress_end(&view);
    int code = rc == QN_OK ? qn_run_exit(&r, o->max_failed) : qn_say_error(&e);
    if (rc == QN_OK) {
        qn_leave l;
        qn_leave_make(&l, plan, &r, dir, ledger, command);
        if (qn_leave_write(&l, &e) != QN_OK) code = qn_say_error(&e);
        if (o->json) {
            qn_buf b = {0};
            qn_summary_text(&l.facts, &b);
            fputs(b.p, stdout);
            qn_buf_free(&b);
        } else {
            say_summary(plan, &r, dir);
        }
        qn_leave_free(&l);
    }
    qn_log_close();
    qn_lockfile_release(&held);
    qn_run_result_free(&r);
    qn_free(ledger);
    qn_free(log);
    qn_free(lock);
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
    if (o->seed != 1) qn_buf_printf(&b, " --seed %lld", (long long)o->seed);
    if (o->limit >= 0) qn_buf_printf(&b, " --limit %lld", (long long)o->limit);
    if (o->out) { qn_buf_puts(&b, " -o"); put_word(&b, qn_str_of(o->out)); }
    return b.p;
}

static void defaults(void *vo)
{
    opts *o = vo;
    *o = (opts){ .seed = 1, .limit = -1, .memory = (int64_t)1 << 30, .in_flight = 1024, .budget = -1, .max_failed = 0.1 };
}

/* A recipe from somebody else must not run commands unseen. */
static qn_code allow_commands(const qn_plan *plan, const opts *o, qn_err *e)
{
    bool any = false;
    for (int i = 0; i < plan->n_steps; i++) {
        const qn_step *s = &plan->steps[i];
        qn_value v;
        if (!s->op || !(s->op->flags & QN_OP_RUNS_COMMANDS)) continue;
        any = true;
        if (!qn_v_get(s->shown, QN_STR("run"), &v)) v = s->shown;
        if (!o->yes) qn_say("the step %.*s runs: %.*s", QN_FMT(s->name), QN_FMT(qn_v_str(v)));
    }
    if (!any || o->yes) return QN_OK;
    if (qn_is_terminal(0)) {
        fprintf(stderr, "run it? [y/N] ");
        int c = getchar();
        if (c == 'y' || c == 'Y') return QN_OK;
    }
    qn_fail(e, QN_EUSAGE, "the recipe runs commands");
    qn_hint(e, "look at them, then give --yes");
    return QN_EUSAGE;
}

/* What a teacher's terms forbid stops the run before anything is asked; what is unknown, or binds to a condition, is said. */
static qn_code check_terms(const qn_plan *plan, const opts *o, qn_err *e)
{
    for (int i = 0; i < plan->n_roles; i++) {
        const qn_model *m = plan->roles[i].model;
        if (!m || m->builtin) continue;
        qn_permit p = qn_permit_of(m, o->student);
        if (p.may == QN_TRAIN_FORBIDDEN && o->student) {
            qn_fail(e, QN_EUSAGE, "rows that %s writes may not train %s: %s", m->name, o->student, p.words);
            qn_hint(e, "take another teacher, or say `terms:` in quern.yaml when you have an agreement of your own");
            return QN_EUSAGE;
        }
        bool local = m->url && strncmp(m->url, "http://127.", 11) == 0;
        if (p.words[0] && !o->quiet && !o->json && !(p.may == QN_TRAIN_UNKNOWN && local)) qn_say("quern: %s", p.words);
    }
    return QN_OK;
}

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
                        .seed = (uint64_t)o->seed };
    qn_code rc = qn_models_open(&models, o->config, &e);
    po.registry = models;
    if (rc == QN_OK) rc = qn_plan_make(args->words[0], &po, &plan, &e);
    if (rc == QN_OK) rc = allow_commands(plan, o, &e);
    if (rc == QN_OK) rc = check_terms(plan, o, &e);
    if (rc == QN_OK) {
        dir = o->out ? qn_strz(qn_str_of(o->out)) : qn_path_join("out", plan->name);
        rc = qn_mkdirs(dir, &e);
    }
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
