/* compile: a recipe made better against a metric, saved as a new recipe. */
#include "cli/cmd.h"
#include "compile/compile.h"
#include "core/file.h"
#include "core/log.h"
#include <stdio.h>

typedef struct {
    qn_compile_opts c;
    qn_pairs models, teachers;
    const char *dir;
    bool json, quiet;
} opts;
#define O(name, letter, kind, value, about, field) { name, letter, kind, value, about, offsetof(opts, field) }

static const qn_opt OPTS[] = {
    O("metric", 0, QN_OPT_TEXT, "EXPRESSION", "what is good, over a row that came out: '.answer == .gold' (true is 1), or a number", c.metric),
    O("out", 'o', QN_OPT_TEXT, "FILE", "the new recipe (default: RECIPE.compiled.yaml)", c.out),
    O("model", 'm', QN_OPT_PAIRS, "ROLE=WHERE", "the model that the recipe will run with: the student", models),
    O("teacher", 't', QN_OPT_PAIRS, "ROLE=WHERE", "the model that shows how, and proposes instructions (default: the student)", teachers),
    O("rows", 0, QN_OPT_TEXT, "NAME", "the recipe's parameter that names the labelled rows (default rows)", c.rows),
    O("dir", 'd', QN_OPT_TEXT, "DIR", "folder for the runs and the ledger (default: out/compile-RECIPE)", dir),
    O("demos", 0, QN_OPT_INT, "N", "demonstrations in a prompt (default 4)", c.demos),
    O("sets", 0, QN_OPT_INT, "N", "sets of demonstrations to choose from (default 4)", c.sets),
    O("instructions", 0, QN_OPT_INT, "N", "instructions proposed for each step (default 4; 0: none)", c.instructions),
    O("trials", 0, QN_OPT_INT, "N", "combinations that are tried (default 10)", c.trials),
    O("most", 0, QN_OPT_INT, "N", "labelled rows used at most (default 300)", c.most_rows),
    O("accept", 0, QN_OPT_REAL, "METRIC", "smallest metric of a run whose calls become demonstrations (default 1)", c.accept),
    O("budget", 'b', QN_OPT_REAL, "USD", "stop before spending more; run again to go on", c.run.budget),
    O("seed", 's', QN_OPT_INT, "N", "for all random choices (default 1)", c.run.seed),
    O("workers", 'j', QN_OPT_INT, "N", "threads (default: one a core)", c.run.workers),
    O("config", 0, QN_OPT_TEXT, "FILE", "model names, keys and prices (default quern.yaml here, then in ~/.config/quern)", c.run.config),
    O("yes", 'y', QN_OPT_FLAG, NULL, "run the commands that the recipe names (pipe, check_command): without it such a recipe is refused", c.run.yes),
    O("json", 0, QN_OPT_FLAG, NULL, "print all figures as JSON on standard output", json),
    O("quiet", 'q', QN_OPT_FLAG, NULL, "no progress", quiet),
    { 0 }
};

static void defaults(void *vo)
{
    opts *o = vo;
    qn_perform_defaults(&o->c.run);
    o->c.rows = "rows";
    o->c.demos = o->c.sets = o->c.instructions = 4;
    o->c.trials = 10;
    o->c.most_rows = 300;
    o->c.accept = 1;
}

static void tell(const char *words) { qn_say("  %s", words); }

static qn_code check(const qn_args *args, const opts *o, qn_err *e)
{
    if (args->n_words != 1) {
        qn_fail(e, QN_EUSAGE, "which recipe?");
        qn_hint(e, "quern compile RECIPE rows=FILE --metric '.answer == .gold' --model ROLE=WHERE; `quern recipes` lists what there is");
        return QN_EUSAGE;
    }
    if (!o->c.metric) {
        qn_fail(e, QN_EUSAGE, "what is good? give --metric, an expression over a row that comes out");
        qn_hint(e, "--metric '.answer == .gold'");
        return QN_EUSAGE;
    }
    if (o->c.demos < 0 || o->c.sets < 0 || o->c.sets > 30 || o->c.instructions < 0 || o->c.instructions > 30 || o->c.trials < 1 || o->c.trials > 1000)
        return qn_fail(e, QN_EUSAGE, "--demos, --sets and --instructions go from 0 to 30, --trials from 1 to 1000");
    return QN_OK;
}

static char *base_name(const char *recipe)
{
    const char *slash = strrchr(recipe, '/');
    qn_str s = qn_str_of(slash ? slash + 1 : recipe);
    if (qn_str_ends(s, QN_STR(".yaml"))) s.n -= 5;
    return qn_strz(s);
}

static void say(const opts *o, const qn_compiled *c)
{
    qn_say("held out: %.3f \xc2\xb1 %.3f as it is, %.3f \xc2\xb1 %.3f compiled (%llu rows, 95%%); %zu candidates, $%.4f in all", c->baseline_held.mean, c->baseline_held.half, c->best_held.mean,
           c->best_held.half, (unsigned long long)c->best_held.n, c->n_trials, c->cost_usd);
    if (c->gained) qn_say("  %s runs as any recipe: quern run %s%s ...", o->c.out, strchr(o->c.out, '/') ? "" : "./", o->c.out);
    else qn_say("  nothing was gained on rows that nothing was chosen by: no recipe is written");
}

static int run(const qn_args *args, void *vo)
{
    opts *o = vo;
    qn_err e = {0};
    qn_compiled c = {0};
    char *name = args->n_words ? base_name(args->words[0]) : NULL, *dir = NULL;
    qn_buf out = {0};
    qn_models *models = NULL;
    qn_code rc = check(args, o, &e);
    if (rc == QN_OK) rc = qn_models_open(&models, o->c.run.config, &e);
    if (rc == QN_OK) {
        qn_buf folder = {0};
        qn_buf_printf(&folder, "out/compile-%s", name);
        dir = o->dir ? qn_strz(qn_str_of(o->dir)) : qn_strz(qn_buf_view(&folder));
        qn_buf_free(&folder);
        qn_buf_printf(&out, "%s.compiled.yaml", name);
        o->c.recipe = args->words[0];
        o->c.settings = args->settings.items;
        o->c.n_settings = args->settings.n;
        o->c.models = o->models.items;
        o->c.n_models = o->models.n;
        o->c.teachers = o->teachers.items;
        o->c.n_teachers = o->teachers.n;
        o->c.registry = models;
        o->c.dir = dir;
        if (!o->c.out) o->c.out = out.p;
        o->c.run.stop = qn_stop_flag();
        o->c.tell = o->quiet || o->json ? NULL : tell;
        qn_log_hook(NULL);
        rc = qn_compile(&o->c, &c, &e);
    }
    int code = rc != QN_OK ? qn_say_error(&e) : c.gained ? QN_EXIT_DONE : QN_EXIT_LACKING;
    if (rc == QN_OK && o->json) fputs(c.json.p, stdout);
    if (rc == QN_OK && !o->json) say(o, &c);
    qn_compiled_free(&c);
    qn_models_close(models);
    qn_buf_free(&out);
    qn_free(name);
    qn_free(dir);
    return code;
}

static const char ABOUT[] =
    "Splits the labelled rows in three by their hash. On the first slice the teacher runs the recipe, and the calls of rows that the metric accepts become\n"
    "demonstrations. The teacher then proposes instructions for each `ask`, and combinations of both are tried on the second slice. The best one and the\n"
    "recipe as it is are measured on the third, by which nothing was chosen; a recipe is written only when it gained there.\n"
    "DIR/demonstrations.jsonl holds the accepted calls as chat rows, to tune a small model on instead.\n\n"
    "Run again, the same command goes on where it was stopped; recorded replies are not paid for again.\n\n"
    "exit status: 0 a better recipe was written; 1 nothing was gained; 2 a mistake; 3 the budget is reached; 4 a model cannot be reached; 130 interrupted.";

const qn_cmd qn_cmd_compile = { .name = "compile", .brief = "make a recipe better against a metric", .usage = "quern compile RECIPE rows=FILE [name=value ...] --metric EXPRESSION --model ROLE=WHERE [options]",
                                .about = ABOUT, .opts = OPTS, .opts_bytes = sizeof(opts), .defaults = defaults, .run = run };
