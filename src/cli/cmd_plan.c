/* plan: what a run would do, ask and cost, before anything is sent. */
#include "cli/cmd.h"
#include "core/log.h"
#include "engine/dry.h"
#include "engine/engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct { qn_pairs models; int64_t seed, sample, show, limit; const char *config; bool json; } opts;

#define O(name, letter, kind, value, about, field) { name, letter, kind, value, about, offsetof(opts, field) }
static const qn_opt OPTS[] = {
    O("model", 'm', QN_OPT_PAIRS, "ROLE=WHERE", "a model, as for run", models),
    O("seed", 's', QN_OPT_INT, "N", "for all random choices (default 1)", seed),
    O("sample", 0, QN_OPT_INT, "N", "rows of each source to try the plan on (default 20)", sample),
    O("limit", 'n', QN_OPT_INT, "N", "plan for at most N rows of each source", limit),
    O("show-prompt", 0, QN_OPT_INT, "N", "print the first N requests of each step", show),
    O("config", 0, QN_OPT_TEXT, "FILE", "model names, keys and prices", config),
    O("json", 0, QN_OPT_FLAG, NULL, "as JSON", json),
    { 0 }
};

static void defaults(void *vo)
{
    opts *o = vo;
    *o = (opts){ .seed = 1, .sample = 20, .limit = -1 };
}

static bool is_source(const qn_step *s) { return s->kind == QN_STEP_OP && s->op->stage == QN_SOURCE && s->op->next && !s->op->absorb; }

/* Steps behind a gather (grow, balance, ...) do not scale with the sources. */
static bool *behind_gather(const qn_plan *plan)
{
    bool *b = QN_NEW_N(bool, plan->n_steps + 1);
    for (int i = 0; i < plan->n_steps; i++) {
        const qn_step *s = &plan->steps[i];
        bool gather = s->kind == QN_STEP_OP && s->op->next && s->op->absorb;
        for (int k = 0; k < s->n_next; k++) b[s->next[k]] |= b[i] || gather;
    }
    return b;
}

typedef struct { double calls, prompt_tokens, completion_tokens, usd; bool priced; } estimate;

static estimate estimate_of(const qn_dry_step *d, double scale)
{
    estimate x = { .calls = (double)(d->calls - d->once_calls) * scale + (double)d->once_calls,
                   .prompt_tokens = ((double)(d->prompt_bytes - d->once_bytes) * scale + (double)d->once_bytes) / 4, .completion_tokens = (double)d->max_tokens * scale };
    x.priced = !d->model || d->model->priced;      /* a page costs nothing */
    if (x.priced && d->model) x.usd = x.calls * d->model->usd_per_request + (x.prompt_tokens / 1e6 * d->model->usd_per_m_prompt + x.completion_tokens / 1e6 * d->model->usd_per_m_completion)
                        * qn_model_price_share(d->model);
    return x;
}

/* A step that no row of the sample reached is taken to ask as often as the step that asked before it. */
static void fill_gaps(const qn_plan *plan, const qn_run_result *r, qn_dry *d)
{
    const qn_dry_step *last = NULL;
    for (int i = 0; i < plan->n_steps; i++) {
        bool asks = plan->steps[i].op && (plan->steps[i].op->flags & QN_OP_NEEDS_MODEL);
        if (asks && d->steps[i].calls) last = &d->steps[i];
        else if (asks && last && r->steps[i].in == 0) d->steps[i] = *last;
    }
}

static void show_prompts(const qn_plan *plan, const qn_dry *d)
{
    for (size_t i = 0; i < d->n_shown; i++) {
        qn_arena a = {0};
        qn_value body;
        qn_err e = {0};
        qn_buf b = {0};
        printf("\n--- request of step %.*s\n", QN_FMT(plan->steps[d->shown[i].step].name));
        if (qn_json_parse(qn_str_of(d->shown[i].body), &a, &body, &e) == QN_OK) {
            qn_value messages, m, role, content;
            if (qn_v_get(body, QN_STR("messages"), &messages)) {
                qn_v_iter it = qn_v_iter_of(messages);
                while (qn_v_next(&it, NULL, &m)) {
                    qn_v_get(m, QN_STR("role"), &role);
                    qn_v_get(m, QN_STR("content"), &content);
                    printf("[%.*s]\n%.*s\n", QN_FMT(qn_v_str(role)), QN_FMT(qn_v_str(content)));
                }
            } else {
                qn_json_write_pretty(&b, body, 2);
                printf("%s\n", b.p);
            }
        }
        qn_buf_free(&b);
        qn_arena_free(&a);
    }
}

static void print_json(const qn_plan *plan, const qn_dry *d, const double *scales, uint64_t rows, bool all)
{
    qn_buf b = {0};
    double calls = 0, usd = 0;
    bool priced = true;
    qn_buf_printf(&b, "{\"recipe\":\"%s\",\"source_rows\":%llu,\"source_rows_complete\":%s,\"steps\":[", plan->name, (unsigned long long)rows, all ? "true" : "false");
    for (int i = 0; i < plan->n_steps; i++) {
        const qn_step *s = &plan->steps[i];
        estimate x = estimate_of(&d->steps[i], scales[i]);
        if (d->steps[i].calls) { calls += x.calls; usd += x.usd; priced &= x.priced; }
        qn_buf_printf(&b, "%s{\"step\":", i ? "," : "");
        qn_json_write_text(&b, s->name);
        qn_buf_printf(&b, ",\"op\":\"%s\",\"asks\":%s,\"calls\":%.0f,\"prompt_tokens\":%.0f,\"completion_tokens_at_most\":%.0f,\"model\":", s->op ? s->op->name : "repeat",
                      s->op && s->op->turn ? "true" : "false", x.calls, x.prompt_tokens, x.completion_tokens);
        if (d->steps[i].model) qn_json_write_text(&b, qn_str_of(d->steps[i].model->name));
        else qn_buf_puts(&b, "null");
        qn_buf_puts(&b, "}");
    }
    qn_buf_printf(&b, "],\"calls\":%.0f,\"cost_usd_at_most\":", calls);
    if (priced) qn_buf_printf(&b, "%.6f}", usd);
    else qn_buf_puts(&b, "null}");
    printf("%s\n", b.p);
    qn_buf_free(&b);
}

static void say_commands(const qn_plan *plan)
{
    qn_buf words = {0};
    if (qn_perform_commands(plan, &words)) printf("\n%s\nNothing of that ran here; `quern run` asks before it does (--yes answers).\n", words.p);
    qn_buf_free(&words);
}

static void print_table(const qn_plan *plan, const qn_dry *d, const double *scales, uint64_t rows, bool all, const qn_run_result *r)
{
    double calls = 0, usd = 0, in = 0, out = 0;
    bool priced = true, any = false;
    printf("%s: %.*s\n%s%llu source rows\n\n", plan->name, QN_FMT(plan->about), all ? "" : "at least ", (unsigned long long)rows);
    printf("  %-26s %-20s %10s %12s %14s\n", "step", "operator", "requests", "tokens in", "out, at most");
    for (int i = 0; i < plan->n_steps; i++) {
        const qn_step *s = &plan->steps[i];
        estimate x = estimate_of(&d->steps[i], scales[i]);
        const char *op = s->op ? s->op->name : s->kind == QN_STEP_JOIN ? "join" : s->kind == QN_STEP_LOOP ? "repeat" : "(round again)";
        printf("  %-26.*s %-20s", QN_FMT(s->name), op);
        if (d->steps[i].calls) {
            printf(" %10.0f %12.0f %14.0f  %s%s", x.calls, x.prompt_tokens, x.completion_tokens, d->steps[i].model ? d->steps[i].model->name : "",
                   r->steps[i].in ? "" : " (guessed from the step before)");
            calls += x.calls; in += x.prompt_tokens; out += x.completion_tokens; usd += x.usd;
            priced &= x.priced;
            any = true;
        }
        printf("\n");
    }
    say_commands(plan);
    if (!any) { printf("\nNo model is asked: a run costs nothing.\n"); return; }
    printf("\n  together: about %.0f requests, %.0f tokens in, at most %.0f out\n", calls, in, out);
    if (priced) printf("  cost: at most $%.4f if no row is rejected on the way and every reply is as long as allowed\n", usd);
    else printf("  cost: unknown, a model has no price: put it into quern.yaml (price: {prompt, completion}, US dollars per million tokens)\n");
    if (r->failed) printf("  %llu rows of the sample could not be followed to the end, because replies are made up here\n", (unsigned long long)r->failed);
}

static int run(const qn_args *args, void *vo)
{
    opts *o = vo;
    qn_err e = {0};
    qn_models *models = NULL;
    qn_plan *plan = NULL;
    if (args->n_words != 1) {
        qn_fail(&e, QN_EUSAGE, "which recipe?");
        qn_hint(&e, "quern plan RECIPE name=value ...; `quern recipes` lists what there is");
        return qn_say_error(&e);
    }
    qn_plan_opts po = { .settings = args->settings.items, .n_settings = args->settings.n, .models = o->models.items, .n_models = o->models.n, .seed = (uint64_t)o->seed };
    qn_code rc = qn_models_open(&models, o->config, &e);
    po.registry = models;
    if (rc == QN_OK) rc = qn_plan_make(args->words[0], &po, &plan, &e);
    if (rc != QN_OK) { qn_models_close(models); return qn_say_error(&e); }
    char dir[] = "/tmp/quern-plan-XXXXXX";
    if (!mkdtemp(dir)) { qn_fail(&e, QN_EIO, "no temporary folder can be made"); return qn_say_error(&e); }
    size_t show = (size_t)(o->show > 0 ? o->show : 0);
    qn_dry dry = { .want_shown = show, .limit = o->limit };
    dry.steps = QN_NEW_N(qn_dry_step, plan->n_steps + 1);
    dry.shown = QN_NEW_N(struct qn_dry_prompt, show * (size_t)plan->n_steps + 1);
    int64_t sample = o->limit >= 0 && o->limit < o->sample ? o->limit : o->sample;
    qn_run_opts ro = { .out_dir = dir, .limit = sample, .budget_usd = -1, .memory_bytes = (size_t)1 << 30, .workers = 1, .in_flight = 64, .dry = &dry };
    qn_run_result r;
    rc = qn_run(plan, &ro, &r, &e);
    int code = rc == QN_OK ? 0 : qn_say_error(&e);
    if (rc == QN_OK) {
        uint64_t rows = 0, sampled = 0;
        fill_gaps(plan, &r, &dry);
        bool all = true, *gathered = behind_gather(plan);
        for (int i = 0; i < plan->n_steps; i++) {
            if (!is_source(&plan->steps[i])) continue;
            sampled += r.steps[i].in;
            rows += dry.steps[i].source_rows ? dry.steps[i].source_rows : r.steps[i].in;
            all &= !dry.steps[i].cut;
        }
        double *scales = QN_NEW_N(double, plan->n_steps + 1);
        for (int i = 0; i < plan->n_steps; i++) scales[i] = gathered[i] || !sampled ? 1 : (double)rows / (double)sampled;
        if (o->json) print_json(plan, &dry, scales, rows, all);
        else print_table(plan, &dry, scales, rows, all, &r);
        if (show && !o->json) show_prompts(plan, &dry);
        qn_free(scales);
        qn_free(gathered);
    }
    for (size_t i = 0; i < dry.n_shown; i++) qn_free(dry.shown[i].body);
    qn_free(dry.shown);
    qn_free(dry.steps);
    qn_run_result_free(&r);
    qn_buf rm = {0};
    qn_buf_printf(&rm, "rm -rf %s", dir);
    if (system(rm.p) != 0) qn_say("quern: %s could not be removed", dir);
    qn_buf_free(&rm);
    qn_plan_free(plan);
    qn_models_close(models);
    return code;
}

static const char ABOUT[] =
    "The recipe is checked, tried on a few rows of each source with made-up replies (nobody is asked, no command of the recipe's runs, filters let everything pass), and the counts are\n"
    "scaled to all rows. Tokens are estimated as a quarter of the bytes.";

const qn_cmd qn_cmd_plan = { .name = "plan", .brief = "what a run would do, ask and cost, before anything is sent",
                             .usage = "quern plan RECIPE [name=value ...] [--model ROLE=WHERE] [--show-prompt N]", .about = ABOUT,
                             .opts = OPTS, .opts_bytes = sizeof(opts), .defaults = defaults, .run = run };
