/* tries: asks a model up to k times about each row and keeps the row when enough of the answers are right.
 *
 * With k = 3 it is the filter of Source2Synth: what a model cannot answer once in three tries is dropped. With `early` the tries come one after
 * the other and stop as soon as it is decided; without it all k are asked at once, so that n_right / tries is the pass rate. `most` is sharper: where the
 * tries agree on another answer than the row's, the row is doubted, however often its own was given too.
 * Runs on: any worker; keeps nothing between rows. */
#include "builtin/table_answer.h"
#include "builtin/table_link.h"
#include "ops/curate/asking.h"
#include "text/copied.h"
#include "text/words.h"
#include <math.h>

typedef struct {
    qn_template *prompt, *system;
    qn_expr *expected;
    qn_str   by, right, as, question;
    const qn_model *model;
    int64_t  k, max_tokens;
    double   min, max, temperature, tolerance;
    bool     early, normalise, marks, mend, most, spare;
    /* made by check */
    qn_asking asking;
    qn_expr *is_right;
    int64_t  need;              /* right answers that decide */
} params;

static const qn_param PARAMS[] = {
    QN_TEMPLATE(params, prompt, NULL, "what to ask: '{{ .passage }} Question: {{ .question }}'"),
    QN_TEMPLATE(params, system, "", "the system message"),
    QN_MODEL(params, model, "model", "who is asked: a role of the recipe"),
    QN_EXPR(params, expected, "", NULL, "the right answer: a text, a number, or a list of texts of which any will do; left out: .answer"),
    QN_CHOICE(params, by, "exact", "exact|soft|number|execution|expression", "exact: the same words; soft: the expected words stand in the reply; number: the number it ends in; execution: the reply is SQL, and what it gives on the row's table is the expected answer, in any order; expression: `right`"),
    QN_BOOL(params, marks, "no", "with `by: execution`: the reply is no SQL but a line of marks (sql_skeleton)"),
    QN_BOOL(params, mend, "no", "with `marks`: slips of small models are put right first, as sql_skeleton does; `as` is then the line put right"),
    QN_FIELD(params, question, "question", "with `marks`: the field whose words the marks point at"),
    QN_TEXT(params, right, "", "with `by: expression`: true for a right answer; sees the row with the answer in `reply`"),
    QN_INT(params, k, "3", "1..1000", "tries at most"),
    QN_REAL(params, min, "0", "0..1", "smallest share of the k tries that must be right; 0: one right try is enough"),
    QN_REAL(params, max, "1", "0..1", "largest share: below 1 it drops what is too easy, and all k are asked"),
    QN_BOOL(params, most, "no", "and no other answer may be given more often than the right one: all k are asked, `n_other` counts the tries that agree on the one given most; replies that give no answer do not count"),
    QN_BOOL(params, early, "yes", "one try after the other, and none that cannot change the verdict"),
    QN_BOOL(params, normalise, "yes", "exact and soft: compare lower-case words without punctuation, a, an and the"),
    QN_REAL(params, tolerance, "1e-6", "0..", "number: largest difference, as a share of the expected number (or of 1 when that is smaller)"),
    QN_REAL(params, temperature, "0.7", "0..2", "0 makes every try the same"),
    QN_INT(params, max_tokens, "512", "1..", "longest reply"),
    QN_BOOL(params, spare, "no", "rows that are not answered right stay too: a later step decides by `n_right` and `tries`"),
    QN_FIELD(params, as, "", "field for the right reply that most tries gave (null when there is none); left out: it is not kept"),
    QN_END
};

static const char *const THIRD[] = { "Piet", "Klaas", "It was Jan.", "never asked", NULL };
static const char *const FIRST[] = { "The mill", "never asked", NULL };
static const char *const NEVER[] = { "1643", "1645", "1646", NULL };
static const char *const ALL[] = { "3 + 4 = 7", "#### 8", "It is 7.", NULL };
static const char *const TWICE[] = { "1643", "in 1644", "1643", NULL };
static const char *const HALF[] = { "no", "no", NULL };
static const qn_example EXAMPLES[] = {
    { .params = "prompt: 'Who built it? {{ .p }}', by: soft", .in = "{p: 'Jan built it.', answer: 'Jan'}", .replies = THIRD, .asked = "Who built it? Jan built it.",
      .out = "{p: 'Jan built it.', answer: 'Jan', n_right: 1, tries: 3}" },
    { .params = "prompt: '{{ .q }}', as: reply", .in = "{q: 'What grinds?', answer: ['a mill', 'mills']}", .replies = FIRST,
      .out = "{q: 'What grinds?', answer: ['a mill', 'mills'], n_right: 1, tries: 1, reply: 'The mill'}" },
    { .params = "prompt: '{{ .q }}', by: number", .in = "{q: 'When?', answer: 1644}", .replies = NEVER, .reject = "right 0.00 below 0.33" },
    { .params = "prompt: '{{ .q }}', by: number, early: no", .in = "{q: '3 + 4?', answer: 7}", .replies = ALL, .out = "{q: '3 + 4?', answer: 7, n_right: 2, tries: 3}" },
    { .params = "prompt: '{{ .q }}', by: number, max: 0.5", .in = "{q: '3 + 4?', answer: 7}", .replies = ALL, .reject = "right 0.67 above 0.50" },
    { .params = "prompt: '{{ .q }}', by: expression, right: '.reply | test(\"^[0-9]+$\")', k: 2", .in = "{q: 'When?', answer: ''}", .replies = NEVER,
      .out = "{q: 'When?', answer: '', n_right: 1, tries: 1}" },
    { .params = "prompt: '{{ .q }}', by: number, spare: yes", .in = "{q: 'When?', answer: 1644}", .replies = NEVER, .out = "{q: 'When?', answer: 1644, n_right: 0, tries: 3}" },
    { .params = "prompt: '{{ .q }}', by: number, most: yes", .in = "{q: 'When?', answer: 1644}", .replies = TWICE, .reject = "other answer 2.00 above 1.00" },
    { .params = "prompt: '{{ .q }}', by: number, most: yes, k: 2, as: said", .in = "{q: 'When?', answer: 1644}", .replies = TWICE, .out = "{q: 'When?', answer: 1644, n_right: 1, tries: 2, n_other: 1, said: 'in 1644'}" },
    { .params = "prompt: '{{ .q }}', k: 3, min: 0.6", .in = "{q: 'Is it?', answer: 'yes'}", .replies = HALF, .reject = "right 0.00 below 0.60" },
    { .params = "prompt: '{{ .q }}', marks: yes", .in = "{q: 'x', answer: 'y'}", .fail = "`by: execution`" },
    { .params = "prompt: '{{ .q }}', by: expression", .in = "{q: 'x'}", .fail = "needs `right`" },
    { .params = "prompt: '{{ .q }}', temperature: 0", .in = "{q: 'x', answer: 'y'}", .fail = "temperature above 0" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    const qn_type *gives, *maybe;
    bool many;
    if (qn_str_is(p->by, "expression")) {
        if (!p->right.n) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`by: expression` needs `right`: an expression that is true for a right `.reply`");
        QN_TRY(qn_expr_compile(p->right, ck->pos, ck->arena, &p->is_right, e));
        QN_TRY(qn_expr_check(p->is_right, qn_type_with(ck->in, QN_STR("reply"), qn_type_simple(QN_T_TEXT), ck->arena), ck->arena, &gives, &many, e));
    } else if (!p->expected) {
        QN_TRY(qn_expr_compile(QN_STR(".answer"), ck->pos, ck->arena, &p->expected, e));
        QN_TRY(qn_expr_check(p->expected, ck->in, ck->arena, &gives, &many, e));
    }
    if (p->mend && !p->marks) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`mend` puts lines of marks right: with `marks: yes`");
    if (p->marks && !qn_str_is(p->by, "execution")) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`marks` are read where replies are executed: with `by: execution`");
    if (p->k > 1 && p->temperature <= 0) return qn_fail_at(e, QN_ERECIPE, ck->pos, "more than one try needs a temperature above 0: equal requests get one reply");
    if (p->min > p->max) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`min` is above `max`: no row can stay");
    p->need = (int64_t)ceil(p->min * (double)p->k - 1e-9);
    if (p->need < 1) p->need = p->max > 0;
    if (p->max < 1 || p->most) p->early = false;
    p->asking.temperature = p->temperature;
    p->asking.max_tokens = p->max_tokens;
    qn_asking_prepare(ck->arena, &p->asking);
    QN_TRY(qn_type_parse(QN_STR("text?"), ck->arena, &maybe, e));
    if (p->most) ck->out = qn_type_with(ck->out, QN_STR("n_other"), qn_type_simple(QN_T_INT), ck->arena);
    if (p->as.n) ck->out = qn_type_with(ck->out, p->as, maybe, ck->arena);
    return QN_OK;
}

/* ---- is it right? ---- */
/* " words of the text " with a space at both ends, so that finding one form in another respects words. */
static qn_str form_of(const params *p, qn_str text, qn_arena *a)
{
    qn_buf b = {0}, plain = {0};
    qn_str s = qn_str_trim(text), w;
    qn_buf_putc(&b, ' ');
    if (p->normalise) {
        qn_words_plain(text, QN_WORDS_PLAIN, true, &plain);
        s = qn_buf_view(&plain);
        qn_words ws = qn_words_of(s, QN_WORDS_SPACED);
        while (qn_words_next(&ws, &w)) {
            if (qn_str_is(w, "a") || qn_str_is(w, "an") || qn_str_is(w, "the")) continue;
            qn_buf_str(&b, w);
            qn_buf_putc(&b, ' ');
        }
    } else {
        qn_buf_str(&b, s);
        qn_buf_putc(&b, ' ');
    }
    qn_str out = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    qn_buf_free(&plain);
    return out;
}

static bool same_number(const params *p, qn_value want, qn_str reply)
{
    double x, y = 0;
    if (!qn_final_number(reply, &x)) return false;
    if (qn_v_is_number(want)) y = qn_v_number(want);
    else if (!qn_final_number(qn_v_str(want), &y)) return false;
    return fabs(x - y) <= p->tolerance * fmax(1, fabs(y));
}

static bool fits_one(const params *p, qn_value want, qn_str reply, qn_arena *a)
{
    if (qn_str_is(p->by, "number")) return same_number(p, want, reply);
    qn_buf number = {0};
    if (want.kind != QN_V_TEXT) qn_json_write(&number, want);
    qn_str w = form_of(p, want.kind == QN_V_TEXT ? qn_v_str(want) : qn_buf_view(&number), a), got = form_of(p, reply, a);
    qn_buf_free(&number);
    if (w.n < 3) return false;                          /* nothing is expected */
    if (qn_str_is(p->by, "exact")) return qn_str_eq(w, got);
    return p->normalise ? qn_str_find(got, w) >= 0 : qn_str_find(got, qn_str_sub(w, 1, w.n - 1)) >= 0;
}

/* ---- one try ---- */
typedef struct { qn_str reply, form; bool right; } tried;       /* form: the same for equal answers alone; empty: no answer */

/* The reply as SQL: itself, or what the line of marks means; empty when it means nothing. Mended lines are put down as they are read. */
static qn_code sql_of(const params *p, qn_ctx *cx, qn_table_pool *pool, const qn_row *r, qn_arena *a, qn_str *reply, qn_str *sql, qn_err *e)
{
    const qn_table_view *v;
    qn_str question;
    qn_sketch s;
    qn_err bad = { 0 };
    qn_buf b = { 0 }, line = { 0 };
    *sql = *reply;
    if (!p->marks) return QN_OK;
    QN_TRY(qn_row_text(r, p->question.p, &question, e));
    QN_TRY(qn_table_pool_view(pool, r, cx->scratch, &v, e));
    qn_link *l = QN_ARENA_NEW(cx->scratch, qn_link);
    qn_link_find(v, question, cx->scratch, l);
    if ((p->mend ? qn_skeleton_mend : qn_skeleton_read)(l, *reply, &s, &bad) == QN_OK) {
        qn_sketch_sql(v, &s, &b);
        if (p->mend && qn_skeleton_write(l, &s, &line)) *reply = qn_arena_str(a, qn_buf_view(&line));
    }
    *sql = qn_arena_str(cx->scratch, qn_buf_view(&b));
    qn_buf_free(&b);
    qn_buf_free(&line);
    return QN_OK;
}

static qn_code by_expression(const params *p, qn_ctx *cx, const qn_row *r, tried *x, qn_err *e)
{
    qn_value v;
    qn_row *asked = qn_row_child((qn_row *)(uintptr_t)r, QN_STR("tries"), 0);
    qn_row_set_text(asked, "reply", x->reply);
    qn_code rc = qn_expr_one(p->is_right, asked, cx->scratch, &v, e);
    x->right = rc == QN_OK && qn_v_true(v);
    qn_row_drop(asked);
    return rc;
}

/* What counts as one and the same answer in `n_other`: the number that it ends in, or its words. */
static qn_str said(const params *p, qn_str reply, qn_arena *a)
{
    double x;
    if (qn_str_is(p->by, "number")) return qn_final_number(reply, &x) ? qn_arena_printf(a, "%.12g", x) : (qn_str){ "", 0 };
    qn_str form = form_of(p, reply, a);
    return form.n < 3 ? (qn_str){ "", 0 } : form;
}

static qn_code judge(const params *p, qn_ctx *cx, qn_table_pool *pool, const qn_row *r, qn_arena *a, tried *x, qn_err *e)
{
    qn_value v;
    if (p->most && !pool) x->form = said(p, x->reply, a);
    if (p->is_right) return by_expression(p, cx, r, x, e);
    QN_TRY(qn_expr_one(p->expected, r, cx->scratch, &v, e));
    if (v.kind == QN_V_NULL) return qn_fail(e, QN_EDATA, "no answer is expected: `expected` is null");
    if (pool) {
        qn_str sql;
        QN_TRY(sql_of(p, cx, pool, r, a, &x->reply, &sql, e));
        if (sql.n) QN_TRY(qn_answer_form(pool, r, sql, a, &x->form, e));
        x->right = x->form.n && qn_str_eq(x->form, qn_answer_form_of(qn_answer_cells(v, cx->scratch), cx->scratch));
        return QN_OK;
    }
    if (v.kind != QN_V_LIST) { x->right = fits_one(p, v, x->reply, cx->scratch); return QN_OK; }
    for (size_t i = 0; i < v.n && !x->right; i++) x->right = fits_one(p, qn_v_at(v, i), x->reply, cx->scratch);
    return QN_OK;
}

/* ---- the tries of a row ---- */
typedef struct { qn_talks talks; size_t n_judged; int64_t n_right; tried *all; } state;      /* all: (k) */

static qn_code first_turn(const params *p, qn_ctx *cx, const qn_row *r, qn_turn *t, qn_err *e)
{
    qn_str prompt, system;
    state *st = QN_ARENA_NEW(t->arena, state);
    QN_TRY(qn_asking_fill(p->prompt, cx, r, &prompt, e));
    QN_TRY(qn_asking_fill(p->system, cx, r, &system, e));
    qn_str head = qn_asking_head(&p->asking, t->arena, system, prompt);
    st->talks.n = (size_t)p->k;
    st->talks.all = QN_ARENA_NEW_N(t->arena, qn_talk, p->k);
    st->all = QN_ARENA_NEW_N(t->arena, tried, p->k);
    for (int64_t i = 0; i < p->k; i++) st->talks.all[i] = (qn_talk){ .model = p->model, .head = head };
    t->state = st;
    for (int64_t i = 0; i < (p->early ? 1 : p->k); i++) qn_talks_ask(&p->asking, cx, r, t, &st->talks, (size_t)i, (qn_str){ "", 0 });
    return QN_OK;
}

/* Refused and cut replies are tries that are not right. Equal replies are judged once. */
static qn_code look(const params *p, qn_ctx *cx, qn_table_pool *pool, const qn_row *r, qn_turn *t, state *st, qn_err *e)
{
    qn_talks_take(&p->asking, cx, r, t, &st->talks);
    for (; st->n_judged < st->talks.n_taken; st->n_judged++) {
        const qn_talk *k = &st->talks.all[st->talks.asked[st->n_judged]];
        qn_str reply = t->replies[st->n_judged].text;
        tried *x = &st->all[st->n_judged];
        size_t i = 0;
        if (!k->ok) continue;
        while (i < st->n_judged && !(st->talks.all[st->talks.asked[i]].ok && qn_str_eq(t->replies[i].text, reply))) i++;
        x->reply = reply;
        if (i < st->n_judged) *x = st->all[i];
        else QN_TRY(judge(p, cx, pool, r, t->arena, x, e));
        st->n_right += x->right;
    }
    return QN_OK;
}

/* The most tries that agree on one answer that is not right. */
static int64_t others(const state *st)
{
    int64_t most = 0;
    for (size_t i = 0; i < st->n_judged; i++) {
        int64_t n = 0;
        for (size_t j = 0; !st->all[i].right && st->all[i].form.n && j < st->n_judged; j++) n += !st->all[j].right && qn_str_eq(st->all[i].form, st->all[j].form);
        if (n > most) most = n;
    }
    return most;
}

/* Of the right replies the one that most tries gave, of equals the first. */
static qn_str best_reply(const state *st)
{
    qn_str best = { "", 0 };
    int64_t most = 0;
    for (size_t i = 0; i < st->n_judged; i++) {
        int64_t n = 0;
        for (size_t j = 0; st->all[i].right && j < st->n_judged; j++) n += st->all[j].right && qn_str_eq(st->all[i].reply, st->all[j].reply);
        if (n > most) { most = n; best = st->all[i].reply; }
    }
    return best;
}

static qn_code open_pool(qn_ctx *cx, const void *vp, void **pool, qn_err *e)
{
    (void)e;
    *pool = qn_str_is(((const params *)vp)->by, "execution") ? qn_table_pool_new(cx->out_dir, cx->memory_bytes / 4) : NULL;
    return QN_OK;
}

static void close_pool(void *pool) { if (pool) qn_table_pool_free(pool); }

static qn_code turn(qn_ctx *cx, const void *vp, void *pool, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    state *st = t->state;
    if (!st) return first_turn(p, cx, r, t, e);
    QN_TRY(look(p, cx, pool, r, t, st, e));
    int64_t tries = (int64_t)st->n_judged;
    bool decided = st->n_right >= p->need || st->n_right + (p->k - tries) < p->need || tries == p->k;
    if (!decided) {
        qn_talks_ask(&p->asking, cx, r, t, &st->talks, (size_t)tries, (qn_str){ "", 0 });
        return QN_OK;
    }
    double share = (double)st->n_right / (double)p->k, least = p->min > 0 ? p->min : 1.0 / (double)p->k;
    int64_t other = p->most ? others(st) : 0;
    qn_row_set_int(r, "n_right", st->n_right);
    qn_row_set_int(r, "tries", tries);
    if (p->most) qn_row_set_int(r, "n_other", other);
    if (p->as.n) qn_row_set(r, p->as, st->n_right ? qn_v_text(best_reply(st)) : qn_v_null());
    if (p->spare) qn_emit_row(em, r);
    else if (st->n_right < p->need) qn_emit_reject(em, r, qn_reject_below("right", share, least));
    else if (share > p->max + 1e-9) qn_emit_reject(em, r, qn_reject_above("right", share, p->max));
    else if (other > st->n_right) qn_emit_reject(em, r, qn_reject_above("other answer", (double)other, (double)st->n_right));
    else qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_tries = {
    .name = "tries", .version = 2, .stage = QN_CURATE, .flags = QN_OP_NEEDS_MODEL,
    .brief = "keep rows that a model answers right at least once in k tries",
    .about = "Writes `n_right` and `tries`, the tries that were asked. `min` above 0 asks for a share of the k; `max` below 1 drops what is always answered. Refused and cut replies count as wrong.\n"
             "In a recipe `without: OPERATOR` names what does this step when its role is `builtin`.",
    .paper = "Lupidi et al. 2024, Source2Synth (k = 3); Rajpurkar et al. 2016 (normalised exact match)", .writes = "n_right: int, tries: int",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .open = open_pool, .close = close_pool, .turn = turn,
};
