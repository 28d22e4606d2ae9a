/* compile: slices, runs, demonstrations, proposals, the search. */
#include "compile/compile.h"
#include "core/file.h"
#include "core/rng.h"
#include "ledger/ledger.h"
#include "recipe/pick.h"
#include "report/trace.h"
#include <math.h>
#include <stdio.h>

enum { MAX_STEPS = 16, MAX_OPTIONS = 32 };

typedef struct { qn_demo *all; size_t n, cap; } pool;
typedef struct { uint8_t instruction[MAX_STEPS], set[MAX_STEPS]; qn_score score; } candidate;

typedef struct {
    const qn_compile_opts *o;
    qn_arena arena;
    qn_str   text;              /* the recipe's own */
    char    *file, *dir;        /* named in errors; for paths beside the recipe */
    char    *ledger;
    qn_expr *metric;
    qn_ask_place *places;
    qn_str  *names;             /* of the steps, as the plan calls them */
    size_t   n_places;
    pool     demos[MAX_STEPS];
    qn_str   instructions[MAX_STEPS][MAX_OPTIONS];  /* 0: none */
    size_t   n_instructions[MAX_STEPS];
    const qn_demo **sets[MAX_STEPS][MAX_OPTIONS];   /* 0: none */
    size_t   n_in_set[MAX_STEPS][MAX_OPTIONS], n_sets[MAX_STEPS];
    candidate *trials;
    size_t   n_trials;
    double   cost;
} job;

static void tell(const job *j, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void tell(const job *j, const char *fmt, ...)
{
    qn_buf b = {0};
    va_list ap;
    if (!j->o->tell) return;
    va_start(ap, fmt);
    qn_buf_vprintf(&b, fmt, ap);
    va_end(ap);
    j->o->tell(b.p);
    qn_buf_free(&b);
}

/* ---- one run ---- */
typedef struct { job *j; double *values; size_t n, cap; qn_code rc; qn_err err; } metrics;

/* The metric of an accepted row: true is 1, false and null 0. */
static void score_row(void *arg, const qn_ended *row)
{
    metrics *m = arg;
    qn_arena a = {0};
    qn_value v = qn_v_null();
    if (!row->accepted || m->rc != QN_OK) return;
    m->rc = qn_expr_one(m->j->metric, row->row, &a, &v, &m->err);
    QN_GROW(m->values, m->n, m->cap);
    m->values[m->n++] = qn_v_is_number(v) ? qn_v_number(v) : v.kind == QN_V_BOOL && v.b;
    qn_arena_free(&a);
}

static qn_code stopped(const qn_run_result *r, qn_err *e)
{
    qn_code code = r->end == QN_END_BUDGET ? QN_EBUDGET : r->end == QN_END_SIGNAL ? QN_ESTOP : r->end == QN_END_UNREACHABLE ? QN_EMODEL : QN_OK;
    if (code == QN_OK) return QN_OK;
    qn_fail(e, code, "%s", r->stopped_why[0] ? r->stopped_why : "a run was stopped");
    qn_hint(e, "run it again to go on: what was answered is in the ledger");
    return code;
}

typedef struct { const qn_setting *settings; size_t n_settings; const qn_setting *models; size_t n_models; } surroundings;

/* Runs a recipe's text into DIR/name; `m` may be NULL. */
static qn_code run_text(job *j, qn_str text, const char *name, surroundings s, metrics *m, uint64_t *n_in, qn_err *e)
{
    qn_plan *plan = NULL;
    qn_run_result r = {0};
    qn_leave l = {0};
    qn_perform_opts po = j->o->run;
    qn_plan_opts opts = { .settings = s.settings, .n_settings = s.n_settings, .models = s.models, .n_models = s.n_models, .registry = j->o->registry, .seed = (uint64_t)j->o->run.seed };
    char *dir = qn_path_join(j->o->dir, name);
    po.ledger = j->ledger;
    po.limit = -1;
    if (m) { po.ended = score_row; po.ended_arg = m; }
    qn_code rc = qn_plan_text(text, j->file, j->dir, &opts, &plan, e);
    if (rc == QN_OK) rc = qn_perform_run(plan, &po, dir, NULL, &r, &l, e);
    if (rc == QN_OK) rc = stopped(&r, e);
    if (rc == QN_OK && m && m->rc != QN_OK) {
        *e = m->err;
        rc = m->rc;
        qn_hint(e, "the metric sees the rows as they are written: does the recipe drop a field that it needs?");
    }
    if (rc == QN_OK) j->cost = r.cost_all_usd;
    if (n_in) *n_in = r.in;
    qn_leave_free(&l);
    qn_run_result_free(&r);
    qn_plan_free(plan);
    qn_free(dir);
    return rc;
}

/* A row that did not come through counts as 0: a candidate is not better for losing rows. */
static qn_score score_of(const metrics *m, uint64_t n_in)
{
    uint64_t n = n_in > m->n ? n_in : m->n;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < m->n; i++) { sum += m->values[i]; squares += m->values[i] * m->values[i]; }
    double mean = n ? sum / (double)n : 0, variance = n > 1 ? fmax(0, squares / (double)n - mean * mean) * (double)n / (double)(n - 1) : 0;
    return (qn_score){ mean, n ? 1.96 * sqrt(variance / (double)n) : 0, n };
}

/* The recipe with the parameter that names its rows set to a slice. */
static surroundings on_slice(job *j, const char *slice, bool teacher)
{
    const qn_compile_opts *o = j->o;
    qn_setting *s = QN_ARENA_NEW_N(&j->arena, qn_setting, o->n_settings + 1), *m = QN_ARENA_NEW_N(&j->arena, qn_setting, o->n_models + o->n_teachers + 1);
    size_t n = 0, n_models = 0;
    char *path = qn_path_join(o->dir, slice);
    for (size_t i = 0; i < o->n_settings; i++)
        if (!qn_str_is(o->settings[i].name, o->rows)) s[n++] = o->settings[i];
    s[n++] = (qn_setting){ qn_str_of(o->rows), qn_arena_str(&j->arena, qn_str_of(path)) };
    qn_free(path);
    for (size_t i = 0; i < o->n_models; i++) {
        bool taught = false;
        for (size_t k = 0; teacher && k < o->n_teachers; k++) taught |= qn_str_eq(o->models[i].name, o->teachers[k].name);
        if (!taught) m[n_models++] = o->models[i];
    }
    for (size_t k = 0; teacher && k < o->n_teachers; k++) m[n_models++] = o->teachers[k];
    return (surroundings){ s, n, m, n_models };
}

/* ---- beginning ---- */
static qn_code read_recipe(job *j, qn_err *e)
{
    const char *name = j->o->recipe;
    qn_buf b = {0};
    if (!strchr(name, '/') && !qn_str_ends(qn_str_of(name), QN_STR(".yaml"))) {
        j->file = qn_strz(qn_str_of(name));
        j->dir = qn_strz(QN_STR(""));
        if (qn_recipe_text(name, &j->text)) return QN_OK;
        qn_fail(e, QN_EUSAGE, "no recipe is called `%s`", name);
        qn_hint(e, "`quern recipes` lists all; a file of your own needs a path: ./%s.yaml", name);
        return QN_EUSAGE;
    }
    qn_code rc = qn_file_read(name, 4 << 20, &b, e);
    if (rc == QN_OK) j->text = qn_arena_str(&j->arena, qn_buf_view(&b));
    qn_buf_free(&b);
    const char *slash = strrchr(name, '/');
    j->file = qn_strz(qn_str_of(name));
    j->dir = qn_strz((qn_str){ name, slash ? (size_t)(slash - name) : 0 });
    return rc;
}

/* The names that a plan gives to the asks, which the trace uses. */
static qn_code name_places(job *j, qn_err *e)
{
    const qn_compile_opts *o = j->o;
    qn_plan *plan;
    qn_plan_opts opts = { .settings = o->settings, .n_settings = o->n_settings, .models = o->models, .n_models = o->n_models, .registry = o->registry, .seed = (uint64_t)o->run.seed };
    QN_TRY(qn_tuned_find(j->text, j->file, &j->arena, &j->places, &j->n_places, e));
    QN_TRY(qn_plan_text(j->text, j->file, j->dir, &opts, &plan, e));
    j->names = QN_ARENA_NEW_N(&j->arena, qn_str, j->n_places + 1);
    size_t n = 0;
    for (size_t k = 0; k < j->n_places; k++) {
        const qn_step *found = NULL;
        for (int i = 0; i < plan->n_steps && !found; i++) {
            const qn_step *s = &plan->steps[i];
            bool here = s->pos.file && strcmp(s->pos.file, j->file) == 0 && s->pos.line >= j->places[k].item.line && s->pos.line <= j->places[k].pos.line;
            if (here && s->op && strcmp(s->op->name, "ask") == 0) found = s;    /* `without` may have put another operator in its place */
        }
        if (!found) continue;
        j->names[n] = qn_arena_str(&j->arena, found->name);
        j->places[n++] = j->places[k];
    }
    j->n_places = n;
    qn_plan_free(plan);
    if (n == 0) {
        qn_fail(e, QN_EDATA, "%s has no `ask` with a `prompt` that a model answers: there is nothing to compile", o->recipe);
        qn_hint(e, "steps with `messages` of their own and completions are left alone");
        return QN_EDATA;
    }
    return n <= MAX_STEPS ? QN_OK : qn_fail(e, QN_ELIMIT, "%zu asks are more than the %d that can be compiled together", n, MAX_STEPS);
}

/* Three slices by the hash of the row, as files beside the runs. */
static qn_code slice_rows(job *j, qn_err *e)
{
    const qn_compile_opts *o = j->o;
    const qn_setting *rows = NULL;
    qn_buf b = {0};
    for (size_t i = 0; i < o->n_settings; i++) if (qn_str_is(o->settings[i].name, o->rows)) rows = &o->settings[i];
    if (!rows) {
        qn_fail(e, QN_EUSAGE, "%s=FILE is missing: the labelled rows that the recipe is compiled on", o->rows);
        qn_hint(e, "--rows names the parameter when it is not `rows`");
        return QN_EUSAGE;
    }
    qn_buf_puts(&b, "quern: 1\nsteps:\n  - read_rows: {path: ");
    qn_json_write_text(&b, rows->value);
    qn_buf_puts(&b, "}\n");
    if (o->most_rows > 0) qn_buf_printf(&b, "  - sample: {rows: %lld}\n", (long long)o->most_rows);
    qn_buf_puts(&b, "  - name: all\n    split: {shares: {train: 0.4, search: 0.3, held_out: 0.3}, as: _slice}\n");
    static const char *const slices[] = { "train", "search", "held_out" };
    for (size_t i = 0; i < 3; i++)
        qn_buf_printf(&b, "  - from: all\n    keep: {where: '._slice == \"%s\"', why: another_slice}\n  - fields: {drop: [_slice]}\n  - write: {to: %s.jsonl}\n", slices[i], slices[i]);
    qn_code rc = run_text(j, qn_buf_view(&b), "rows", (surroundings){0}, NULL, NULL, e);
    qn_buf_free(&b);
    return rc;
}

/* ---- demonstrations ---- */
typedef struct { job *j; const metrics *m; qn_ledger_view *view; } harvest;

/* The prompt without the words for its shape, which the step adds itself. */
static qn_str bare_prompt(qn_str s)
{
    ptrdiff_t at = qn_str_find(s, QN_STR("\n\nReply with exactly one JSON"));
    return at > 0 ? qn_str_trim(qn_str_sub(s, 0, (size_t)at)) : qn_str_trim(s);
}

static void take_call(job *j, qn_value call)
{
    qn_value step, prompt, text, message;
    qn_str asked = {0};
    size_t n_asked = 0;
    if (!qn_v_get(call, QN_STR("step"), &step) || !qn_v_get(call, QN_STR("prompt"), &prompt) || !qn_v_get(call, QN_STR("text"), &text) || text.n == 0) return;
    for (qn_v_iter it = qn_v_iter_of(prompt); qn_v_next(&it, NULL, &message);)
        if (!qn_str_is(qn_v_str(qn_v_at(message, 0)), "system")) { asked = qn_v_str(qn_v_at(message, 1)); n_asked++; }
    if (n_asked != 1) return;           /* a reply that had to be repaired shows nothing */
    for (size_t k = 0; k < j->n_places; k++) {
        pool *p = &j->demos[k];
        if (!qn_str_eq(j->names[k], qn_v_str(step))) continue;
        qn_demo d = { qn_arena_str(&j->arena, bare_prompt(asked)), qn_arena_str(&j->arena, qn_str_trim(qn_v_str(text))) };
        bool known = false;
        for (size_t i = 0; i < p->n; i++) known |= qn_str_eq(p->all[i].prompt, d.prompt);
        if (known) return;
        QN_GROW(p->all, p->n, p->cap);
        p->all[p->n++] = d;
    }
}

static bool take_row(void *arg, uint64_t number, qn_str line)
{
    harvest *h = arg;
    qn_arena a = {0};
    qn_buf b = {0};
    qn_value row, calls, call;
    qn_err e = {0};
    if (number >= h->m->n) return false;
    if (h->m->values[number] >= h->j->o->accept && qn_trace_put(line, h->view, 0, &b) && qn_json_parse(qn_buf_view(&b), &a, &row, &e) == QN_OK
        && qn_v_get(row, QN_STR("calls"), &calls))
        for (qn_v_iter it = qn_v_iter_of(calls); qn_v_next(&it, NULL, &call);) take_call(h->j, call);
    qn_buf_free(&b);
    qn_arena_free(&a);
    return true;
}

static qn_code bootstrap(job *j, uint64_t *n_accepted, qn_err *e)
{
    metrics m = { .j = j };
    harvest h = { j, &m, NULL };
    char *trace = qn_path_join(j->o->dir, "bootstrap/trace.jsonl.zst");
    qn_code rc = run_text(j, j->text, "bootstrap", on_slice(j, "rows/train.jsonl", true), &m, NULL, e);
    if (rc == QN_OK) rc = qn_ledger_view_open(&h.view, j->ledger, e);
    if (rc == QN_OK) rc = qn_trace_each(trace, take_row, &h, e);
    qn_ledger_view_close(h.view);
    for (size_t i = 0; i < m.n; i++) *n_accepted += m.values[i] >= j->o->accept;
    qn_free(m.values);
    qn_free(trace);
    return rc;
}

/* Set 0 is none; set 1 the first demonstrations; the others are drawn. */
static void make_sets(job *j)
{
    qn_rng rng = qn_rng_keyed((uint64_t)j->o->run.seed, QN_STR("compile sets"), (qn_hash128){0});
    for (size_t k = 0; k < j->n_places; k++) {
        const pool *p = &j->demos[k];
        size_t want = (size_t)j->o->demos < p->n ? (size_t)j->o->demos : p->n;
        j->n_sets[k] = 1;
        for (int64_t s = 1; want && s <= j->o->sets && s < MAX_OPTIONS; s++) {
            const qn_demo **set = QN_ARENA_NEW_N(&j->arena, const qn_demo *, want + 1);
            size_t *at = QN_ARENA_NEW_N(&j->arena, size_t, p->n + 1);
            size_t n = s == 1 ? want : qn_rng_pick(&rng, p->n, want, at);
            for (size_t i = 0; i < n; i++) set[i] = &p->all[s == 1 ? i : at[i]];
            j->sets[k][j->n_sets[k]] = set;
            j->n_in_set[k][j->n_sets[k]++] = n;
            if (want == p->n) break;        /* another draw would be the same ones */
        }
    }
}

/* ---- proposals ---- */
static const char *const TIPS[] = {
    "Say in one sentence what matters most.", "Name the mistakes that are easy to make here, and how to avoid them.", "Describe the reader's role and what a careful expert would do first.",
    "Say how to check the answer before it is given.", "Ask for reasoning in small steps before the answer where the form of the reply allows it.", "Be as short as possible and exact about the form of the answer.",
};

static void put_pair(qn_buf *b, const char *key, qn_str text)
{
    qn_buf_printf(b, ",\"%s\":", key);
    qn_json_write_text(b, text);
}

static qn_code write_proposal_rows(job *j, const char *path, qn_err *e)
{
    qn_buf rows = {0};
    for (size_t k = 0; k < j->n_places; k++) {
        if (j->places[k].has_system) continue;
        qn_buf examples = {0};
        for (size_t i = 0; i < j->demos[k].n && i < 3; i++) qn_buf_printf(&examples, "Asked: %.*s\nAnswered: %.*s\n\n", QN_FMT(j->demos[k].all[i].prompt), QN_FMT(j->demos[k].all[i].reply));
        for (int64_t t = 0; t < j->o->instructions; t++) {
            qn_buf_printf(&rows, "{\"step\":%zu", k);
            put_pair(&rows, "tip", qn_str_of(TIPS[(size_t)t % (sizeof TIPS / sizeof *TIPS)]));
            put_pair(&rows, "prompt", j->places[k].prompt);
            put_pair(&rows, "reply", j->places[k].reply);
            put_pair(&rows, "program", j->text);
            put_pair(&rows, "metric", qn_str_of(j->o->metric));
            put_pair(&rows, "examples", qn_buf_view(&examples));
            qn_buf_puts(&rows, "}\n");
        }
        qn_buf_free(&examples);
    }
    qn_code rc = qn_file_write(path, qn_buf_view(&rows), e);
    qn_buf_free(&rows);
    return rc;
}

static const char PROPOSE[] =
    "quern: 1\nparams:\n  rows: {type: path}\n  proposer: {type: model}\nsteps:\n  - read_rows: {path: $rows}\n"
    "  - ask:\n      model: $proposer\n      temperature: 1\n      prompt: |\n"
    "        A program of several steps asks a language model in one of them. The whole program:\n        {{ .program }}\n\n"
    "        The step in question asks with this template, whose holes are filled in from each row:\n        {{ .prompt }}\n"
    "        {{ if .reply == \"\" then \"\" else \"The reply has this shape: \" + .reply end }}\n"
    "        What comes out is good when this expression over the row is true or high: {{ .metric }}\n"
    "        {{ if .examples == \"\" then \"\" else \"Cases in which it went well:\\n\" + .examples end }}\n"
    "        Write an instruction (a system message of one to six sentences) under which a model does this step better, for all rows and not for these cases alone.\n"
    "        {{ .tip }}\n"
    "      reply: {instruction: text}\n"
    "  - fields: {keep: [step, instruction]}\n  - write: {to: data.jsonl}\n";

static qn_code take_instruction(void *arg, qn_row *row, const char *where, qn_err *e)
{
    job *j = arg;
    qn_value step;
    qn_str text;
    (void)where;
    QN_TRY(qn_row_text(row, "instruction", &text, e));
    if (!qn_row_find(row, QN_STR("step"), &step) || !qn_v_is_number(step)) return QN_OK;
    size_t k = (size_t)qn_v_number(step);
    text = qn_str_trim(text);
    if (k >= j->n_places || text.n == 0 || j->n_instructions[k] == MAX_OPTIONS) return QN_OK;
    for (size_t i = 1; i < j->n_instructions[k]; i++) if (qn_str_eq(j->instructions[k][i], text)) return QN_OK;
    j->instructions[k][j->n_instructions[k]++] = qn_arena_str(&j->arena, text);
    return QN_OK;
}

static qn_code propose(job *j, qn_err *e)
{
    const qn_compile_opts *o = j->o;
    for (size_t k = 0; k < j->n_places; k++) j->n_instructions[k] = 1;
    bool any = false;
    for (size_t k = 0; k < j->n_places; k++) any |= !j->places[k].has_system;
    if (!o->instructions || !any) return QN_OK;
    char *path = qn_path_join(o->dir, "proposals.jsonl"), *made = qn_path_join(o->dir, "proposals/data.jsonl");
    qn_setting rows = { QN_STR("rows"), qn_str_of(path) }, model = { QN_STR("proposer"), o->n_teachers ? o->teachers[0].value : o->models[0].value };
    qn_code rc = write_proposal_rows(j, path, e);
    if (rc == QN_OK) rc = run_text(j, qn_str_of(PROPOSE), "proposals", (surroundings){ &rows, 1, &model, 1 }, NULL, NULL, e);
    if (rc == QN_OK && qn_file_exists(made)) rc = qn_pick_rows(made, take_instruction, j, e);
    qn_free(path);
    qn_free(made);
    return rc;
}

/* ---- the search ---- */
static void write_candidate(job *j, const candidate *c, qn_buf *out)
{
    qn_tuning t[MAX_STEPS];
    for (size_t k = 0; k < j->n_places; k++)
        t[k] = (qn_tuning){ j->instructions[k][c->instruction[k]], j->sets[k][c->set[k]], j->n_in_set[k][c->set[k]] };
    qn_tuned_write(j->text, j->places, t, j->n_places, out);
}

static qn_code evaluate(job *j, const candidate *c, const char *slice, const char *name, qn_score *out, qn_err *e)
{
    metrics m = { .j = j };
    qn_buf text = {0};
    uint64_t n_in = 0;
    write_candidate(j, c, &text);
    qn_code rc = run_text(j, qn_buf_view(&text), name, on_slice(j, slice, false), &m, &n_in, e);
    *out = score_of(&m, n_in);
    qn_free(m.values);
    qn_buf_free(&text);
    return rc;
}

static bool same_choice(const job *j, const candidate *a, const candidate *b)
{
    return memcmp(a->instruction, b->instruction, j->n_places) == 0 && memcmp(a->set, b->set, j->n_places) == 0;
}

/* The option of one slot whose trials scored best on average; those never tried come first. */
static uint8_t best_option(const job *j, size_t k, bool instruction, size_t n)
{
    double best = -1;
    uint8_t at = 0;
    for (size_t v = 0; v < n; v++) {
        double sum = 0;
        size_t tried = 0;
        for (size_t t = 0; t < j->n_trials; t++)
            if ((instruction ? j->trials[t].instruction[k] : j->trials[t].set[k]) == v) { sum += j->trials[t].score.mean; tried++; }
        double mean = tried ? sum / (double)tried : 1e9;
        if (mean > best) { best = mean; at = (uint8_t)v; }
    }
    return at;
}

/* The next combination: demonstrations alone first; the first half of the trials at random; then mostly what has done best so far. */
static bool choose_next(job *j, qn_rng *rng, candidate *out)
{
    for (int attempt = 0; attempt < 50; attempt++) {
        *out = (candidate){0};
        bool exploit = j->n_trials > (size_t)(j->o->trials + 1) / 2;
        for (size_t k = 0; k < j->n_places; k++) {
            bool take_best = exploit && qn_rng_real(rng) < 0.6;
            out->instruction[k] = take_best ? best_option(j, k, true, j->n_instructions[k]) : (uint8_t)qn_rng_below(rng, j->n_instructions[k]);
            out->set[k] = take_best ? best_option(j, k, false, j->n_sets[k]) : (uint8_t)qn_rng_below(rng, j->n_sets[k]);
            if (j->n_trials == 1 && attempt == 0) { out->instruction[k] = 0; out->set[k] = j->n_sets[k] > 1; }
        }
        bool known = false;
        for (size_t t = 0; t < j->n_trials; t++) known |= same_choice(j, &j->trials[t], out);
        if (!known) return true;
    }
    return false;
}

static qn_code search(job *j, size_t *best, qn_err *e)
{
    qn_rng rng = qn_rng_keyed((uint64_t)j->o->run.seed, QN_STR("compile search"), (qn_hash128){0});
    j->trials = QN_ARENA_NEW_N(&j->arena, candidate, (size_t)j->o->trials + 1);
    *best = 0;
    for (int64_t t = 0; t <= j->o->trials; t++) {       /* trial 0: the recipe as it is */
        char name[32];
        candidate c = {0};
        if (t > 0 && !choose_next(j, &rng, &c)) break;
        snprintf(name, sizeof name, "trial_%02lld", (long long)t);
        QN_TRY(evaluate(j, &c, "rows/search.jsonl", name, &c.score, e));
        if (c.score.n == 0) return qn_fail(e, QN_EDATA, "no row of the search slice came to anything: too few labelled rows, or the recipe loses them all");
        j->trials[j->n_trials++] = c;
        if (c.score.mean > j->trials[*best].score.mean) *best = j->n_trials - 1;
        tell(j, "%s %lld: %.3f of %llu rows%s", t ? "trial" : "as it is, trial", (long long)t, c.score.mean, (unsigned long long)c.score.n, *best == j->n_trials - 1 && t ? ", the best so far" : "");
    }
    return QN_OK;
}

/* ---- what is left ---- */
static void put_score(qn_buf *b, const char *key, qn_score s)
{
    qn_buf_printf(b, "\"%s\": {\"mean\": %.6f, \"half_interval\": %.6f, \"rows\": %llu}", key, s.mean, s.half, (unsigned long long)s.n);
}

static void put_json(job *j, const qn_compiled *c, size_t best, qn_buf *b)
{
    qn_buf_puts(b, "{\n  \"recipe\": ");
    qn_json_write_text(b, qn_str_of(j->o->recipe));
    qn_buf_puts(b, ",\n  \"metric\": ");
    qn_json_write_text(b, qn_str_of(j->o->metric));
    qn_buf_printf(b, ",\n  \"bootstrapped\": %llu,\n  \"best_trial\": %zu,\n  \"gained\": %s,\n  \"cost_usd\": %.6f,\n  \"held_out\": {", (unsigned long long)c->n_bootstrapped, best,
                  c->gained ? "true" : "false", c->cost_usd);
    put_score(b, "as_it_is", c->baseline_held);
    qn_buf_puts(b, ", ");
    put_score(b, "compiled", c->best_held);
    qn_buf_puts(b, "},\n  \"steps\": [");
    for (size_t k = 0; k < j->n_places; k++) {
        qn_buf_printf(b, "%s\n    {\"name\": ", k ? "," : "");
        qn_json_write_text(b, j->names[k]);
        qn_buf_printf(b, ", \"demonstrations\": %zu, \"instructions\": [", j->demos[k].n);
        for (size_t i = 1; i < j->n_instructions[k]; i++) { if (i > 1) qn_buf_puts(b, ", "); qn_json_write_text(b, j->instructions[k][i]); }
        qn_buf_puts(b, "]}");
    }
    qn_buf_puts(b, "\n  ],\n  \"trials\": [");
    for (size_t t = 0; t < j->n_trials; t++) {
        qn_buf_printf(b, "%s\n    {\"score\": %.6f, \"choices\": [", t ? "," : "", j->trials[t].score.mean);
        for (size_t k = 0; k < j->n_places; k++)
            qn_buf_printf(b, "%s{\"instruction\": %d, \"demonstrations\": %zu}", k ? ", " : "", j->trials[t].instruction[k], j->n_in_set[k][j->trials[t].set[k]]);
        qn_buf_puts(b, "]}");
    }
    qn_buf_puts(b, "\n  ]\n}\n");
}

/* The new recipe, with a line on top that says where it is from. */
static qn_code save(job *j, const qn_compiled *c, size_t best, qn_err *e)
{
    qn_buf b = {0};
    qn_buf_printf(&b, "# Compiled from %s by `quern compile`: %s is %.3f on %llu held-out rows, %.3f as it was.\n", j->o->recipe, j->o->metric, c->best_held.mean,
                  (unsigned long long)c->best_held.n, c->baseline_held.mean);
    for (size_t i = 0; i + 1 < b.n; i++) if (b.p[i] == '\n') b.p[i] = ' ';     /* a metric of several lines */
    write_candidate(j, &j->trials[best], &b);
    qn_code rc = qn_file_write(j->o->out, qn_buf_view(&b), e);
    qn_buf_free(&b);
    return rc;
}

/* Every accepted run's calls as chat rows, to tune a small model on instead. */
static qn_code save_demos(job *j, qn_err *e)
{
    qn_buf b = {0};
    for (size_t k = 0; k < j->n_places; k++)
        for (size_t i = 0; i < j->demos[k].n; i++) {
            qn_buf_puts(&b, "{\"step\":");
            qn_json_write_text(&b, j->names[k]);
            qn_buf_puts(&b, ",\"messages\":[{\"role\":\"user\",\"content\":");
            qn_json_write_text(&b, j->demos[k].all[i].prompt);
            qn_buf_puts(&b, "},{\"role\":\"assistant\",\"content\":");
            qn_json_write_text(&b, j->demos[k].all[i].reply);
            qn_buf_puts(&b, "}]}\n");
        }
    char *path = qn_path_join(j->o->dir, "demonstrations.jsonl");
    qn_code rc = qn_file_write(path, qn_buf_view(&b), e);
    qn_free(path);
    qn_buf_free(&b);
    return rc;
}

static qn_code decide(job *j, size_t best, qn_compiled *out, qn_err *e)
{
    const candidate as_it_is = {0};
    out->baseline_search = j->trials[0].score;
    out->best_search = j->trials[best].score;
    QN_TRY(evaluate(j, &as_it_is, "rows/held_out.jsonl", "held_out_as_it_is", &out->baseline_held, e));
    QN_TRY(evaluate(j, &j->trials[best], "rows/held_out.jsonl", "held_out_compiled", &out->best_held, e));
    out->gained = best > 0 && out->best_held.mean > out->baseline_held.mean;
    out->cost_usd = j->cost;
    out->n_trials = j->n_trials;
    if (out->gained) QN_TRY(save(j, out, best, e));
    put_json(j, out, best, &out->json);
    char *path = qn_path_join(j->o->dir, "compile.json");
    qn_code rc = qn_file_write(path, qn_buf_view(&out->json), e);
    qn_free(path);
    return rc;
}

static qn_code prepare(job *j, qn_err *e)
{
    qn_pos pos = { .file = "--metric", .line = 1, .col = 1 };
    QN_TRY(read_recipe(j, e));
    QN_TRY(qn_expr_compile(qn_str_of(j->o->metric), pos, &j->arena, &j->metric, e));
    QN_TRY(name_places(j, e));
    QN_TRY(qn_mkdirs(j->o->dir, e));
    return slice_rows(j, e);
}

qn_code qn_compile(const qn_compile_opts *o, qn_compiled *out, qn_err *e)
{
    job j = { .o = o };
    size_t best = 0;
    *out = (qn_compiled){0};
    if (!o->n_models) return qn_fail(e, QN_EUSAGE, "which model is the recipe compiled for? --model ROLE=WHERE");
    j.ledger = o->run.ledger ? qn_strz(qn_str_of(o->run.ledger)) : qn_path_join(o->dir, "ledger.db");
    qn_code rc = prepare(&j, e);
    if (rc == QN_OK) rc = bootstrap(&j, &out->n_bootstrapped, e);
    if (rc == QN_OK) tell(&j, "%llu rows of the train slice came out right; their calls are demonstrations", (unsigned long long)out->n_bootstrapped);
    if (rc == QN_OK) rc = save_demos(&j, e);
    if (rc == QN_OK) make_sets(&j);
    if (rc == QN_OK) rc = propose(&j, e);
    if (rc == QN_OK) rc = search(&j, &best, e);
    if (rc == QN_OK) rc = decide(&j, best, out, e);
    if (rc != QN_OK) qn_err_keep(e);
    for (size_t k = 0; k < MAX_STEPS; k++) qn_free(j.demos[k].all);
    qn_free(j.ledger);
    qn_free(j.file);
    qn_free(j.dir);
    qn_arena_free(&j.arena);
    return rc;
}

void qn_compiled_free(qn_compiled *c) { qn_buf_free(&c->json); }
