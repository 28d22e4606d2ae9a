/* item_response: which questions of an exam tell good takers from bad ones, and how good each part of a taker is.
 *
 * A row is a question with the answers that takers gave. All together are fitted by a model of item response (text/item_response.h); questions that
 * tell too little are dropped, the least telling first, and the rest is fitted again, until all that are left tell enough or `rounds` are used up.
 * A question that everybody answers alike tells nothing. Each row gets its figures, and the abilities of all parts as the last fit has them.
 * Rows wait in memory, then on disk; answers take 16 bytes each. */
#include "core/names.h"
#include "data/rowstore.h"
#include "ops/op.h"
#include "text/item_response.h"
#include <math.h>

typedef struct { qn_expr *answers; int64_t options, rounds; double least, at_once; qn_str as, abilities; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, answers, ".answers", "list", "what the takers answered: [{right: true, parts: [\"bm25\", \"model a\"]}]"),
    QN_INT(params, options, "4", "0..100", "choices of a question, so that guessing is allowed for; 0: answers are not guessed"),
    QN_REAL(params, least, "0.1", "0..", "smallest information (Fisher's, mean over the takers) that a question must give"),
    QN_REAL(params, at_once, "0.1", "0..1", "largest share of the questions that one round drops"),
    QN_INT(params, rounds, "5", "1..100", "fits at most"),
    QN_FIELD(params, as, "item", "field for {discrimination, difficulty, guess, information, share_right}"),
    QN_FIELD(params, abilities, "abilities", "field for {part: ability}, the same on every row"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "options: 0", .in = "{q: 1, answers: [{right: true, parts: ['a']}, {right: true, parts: ['b']}]}", .reject = "information 0.00 below 0.10" },
    QN_END
};

typedef struct {
    qn_rowstore *rows;
    qn_names part_names;
    qn_irt_answer *answers;     /* item: number of the row */
    size_t   n_answers, cap_answers;
    uint32_t *parts;
    size_t   n_used, cap_used;
    size_t   n, at;
    /* made by finish */
    qn_irt_item *items;
    double  *share_right, *abilities;
    bool    *dropped;
} state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_type *t;
    QN_TRY(qn_type_parse(QN_STR("{discrimination: real, difficulty: real, guess: real, information: real, share_right: real}"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->in, p->as, t, ck->arena);
    QN_TRY(qn_type_parse(QN_STR("object"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->out, p->abilities, t, ck->arena);
    return QN_OK;
}

static qn_code open_items(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    state *st = QN_NEW(state);
    (void)vp;
    (void)e;
    st->rows = qn_rowstore_new(cx->memory_bytes / 2, NULL);
    *out = st;
    return QN_OK;
}

static void close_items(void *vs)
{
    state *st = vs;
    qn_rowstore_free(st->rows);
    qn_names_free(&st->part_names);
    qn_free(st->answers);
    qn_free(st->parts);
    qn_free(st->items);
    qn_free(st->share_right);
    qn_free(st->abilities);
    qn_free(st->dropped);
    qn_free(st);
}

static qn_code take_answer(state *st, qn_value v, qn_err *e)
{
    qn_value right, parts, name;
    if (!qn_v_get(v, QN_STR("right"), &right) || right.kind != QN_V_BOOL || !qn_v_get(v, QN_STR("parts"), &parts) || parts.kind != QN_V_LIST || parts.n == 0)
        return qn_fail(e, QN_EDATA, "an answer is {right: true or false, parts: [names]}");
    qn_irt_answer q = { .item = (uint32_t)st->n, .first_part = (uint32_t)st->n_used, .n_parts = parts.n, .right = right.b };
    for (qn_v_iter it = qn_v_iter_of(parts); qn_v_next(&it, NULL, &name);) {
        QN_GROW(st->parts, st->n_used, st->cap_used);
        st->parts[st->n_used++] = qn_names_put(&st->part_names, qn_v_str(name));
    }
    QN_GROW(st->answers, st->n_answers, st->cap_answers);
    st->answers[st->n_answers++] = q;
    return QN_OK;
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_value list, v;
    size_t n_answers = st->n_answers, n_used = st->n_used;
    qn_code rc = qn_expr_one(p->answers, r, cx->scratch, &list, e);
    if (rc == QN_OK && (list.kind != QN_V_LIST || list.n == 0)) rc = qn_fail(e, QN_EDATA, "nobody answered the question: `answers` is empty or no list");
    for (qn_v_iter it = qn_v_iter_of(list); rc == QN_OK && qn_v_next(&it, NULL, &v);) rc = take_answer(st, v, e);
    if (rc == QN_OK && n_used * sizeof *st->parts + n_answers * sizeof *st->answers > cx->memory_bytes / 2)
        rc = qn_fail(e, QN_ELIMIT, "the answers take more than %zu MB: raise --memory", cx->memory_bytes / 2 >> 20);
    if (rc != QN_OK) {
        st->n_answers = n_answers;
        st->n_used = n_used;
        qn_row_drop(r);
        return rc;
    }
    st->n++;
    return qn_rowstore_put(st->rows, r, e);
}

/* Fits the questions that are left. The figures of those dropped stay as they were when they were dropped. */
static void fit_rest(const params *p, state *st)
{
    uint32_t *number = QN_NEW_N(uint32_t, st->n + 1);
    qn_irt_answer *rest = QN_NEW_N(qn_irt_answer, st->n_answers + 1);
    size_t n = 0, n_rest = 0;
    for (size_t i = 0; i < st->n; i++) if (!st->dropped[i]) number[i] = (uint32_t)n++;
    for (size_t k = 0; k < st->n_answers; k++) {
        if (st->dropped[st->answers[k].item]) continue;
        rest[n_rest] = st->answers[k];
        rest[n_rest].item = number[st->answers[k].item];
        n_rest++;
    }
    qn_irt_item *items = QN_NEW_N(qn_irt_item, n + 1);
    qn_irt_exam exam = { rest, n_rest, st->parts, n, st->part_names.n, (int)p->options };
    if (n) qn_irt_fit(&exam, items, st->abilities);
    for (size_t i = 0; i < st->n; i++) if (!st->dropped[i]) st->items[i] = items[number[i]];
    qn_free(items);
    qn_free(rest);
    qn_free(number);
}

static bool tells_nothing(const state *st, size_t i) { return st->share_right[i] == 0 || st->share_right[i] == 1; }

/* Drops the least telling questions under the limit, at most `most`. Returns how many. */
static size_t drop_least(const params *p, state *st, size_t most)
{
    size_t n = 0;
    for (; n < most; n++) {
        size_t worst = st->n;
        for (size_t i = 0; i < st->n; i++)
            if (!st->dropped[i] && st->items[i].information < p->least && (worst == st->n || st->items[i].information < st->items[worst].information)) worst = i;
        if (worst == st->n) break;
        st->dropped[worst] = true;
    }
    return n;
}

static qn_code finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    (void)cx;
    (void)e;
    st->items = QN_NEW_N(qn_irt_item, st->n + 1);
    st->share_right = QN_NEW_N(double, st->n + 1);
    st->abilities = QN_NEW_N(double, st->part_names.n + 1);
    st->dropped = QN_NEW_N(bool, st->n + 1);
    double *asked = QN_NEW_N(double, st->n + 1);
    for (size_t k = 0; k < st->n_answers; k++) {
        asked[st->answers[k].item]++;
        st->share_right[st->answers[k].item] += st->answers[k].right;
    }
    for (size_t i = 0; i < st->n; i++) {
        st->share_right[i] /= asked[i];
        st->dropped[i] = p->least > 0 && tells_nothing(st, i);      /* information 0 */
    }
    qn_free(asked);
    for (int64_t round = 0; round < p->rounds; round++) {
        fit_rest(p, st);
        size_t most = (size_t)ceil((double)st->n * p->at_once);
        if (round + 1 == p->rounds || drop_least(p, st, most) == 0) break;
    }
    drop_least(p, st, st->n);
    return QN_OK;
}

static qn_value figures(const state *st, size_t i, qn_arena *a)
{
    const qn_irt_item *it = &st->items[i];
    qn_object_b o = { .a = a };
    qn_object_put(&o, QN_STR("discrimination"), qn_v_real(it->discrimination));
    qn_object_put(&o, QN_STR("difficulty"), qn_v_real(it->difficulty));
    qn_object_put(&o, QN_STR("guess"), qn_v_real(it->guess));
    qn_object_put(&o, QN_STR("information"), qn_v_real(it->information));
    qn_object_put(&o, QN_STR("share_right"), qn_v_real(st->share_right[i]));
    return qn_object_end(&o);
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    *out = NULL;
    if (st->at == st->n) return QN_OK;
    size_t i = st->at++;
    QN_TRY(qn_rowstore_take(st->rows, i, out, e));
    qn_object_b o = { .a = cx->scratch };
    for (size_t k = 0; k < st->part_names.n; k++) qn_object_put(&o, st->part_names.all[k], qn_v_real(st->abilities[k]));
    qn_row_set(*out, p->as, figures(st, i, cx->scratch));
    qn_row_set(*out, p->abilities, qn_object_end(&o));
    qn_verdict v = qn_reject_below("information", st->items[i].information, p->least);
    qn_row_attach(*out, st->dropped[i] ? qn_memdup(&v, sizeof v) : NULL);
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const qn_verdict *v = qn_row_attached(r);
    (void)vp;
    return v ? *v : qn_keep();
}

const qn_op qn_op_item_response = {
    .name = "item_response", .version = 1, .stage = QN_EVAL, .brief = "fit an exam by item response: keep the questions that tell, and say how able each part is",
    .about = "Needs some ten takers for figures that mean something: three retrievers by three models is a beginning. A difficulty of 0 is that of a\n"
             "question which a taker of ability 0 knows in half of the cases; discrimination is the slope there.",
    .paper = "Guinet et al. 2024, Automated Evaluation of Retrieval-Augmented Language Models with Task-Specific Exam Generation; Birnbaum 1968",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open_items, .close = close_items, .absorb = absorb, .finish = finish, .next = next, .decide = decide,
};
