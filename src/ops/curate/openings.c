/* openings: finds texts that begin as many others do, and from variants chooses the one that begins as few do.
 *
 * The opening is the first `words` words in lower case. Once all rows are in, each gets how many share its opening, and whether that is more than the
 * share `most`. With `choose`, a list of variants on the row, rows with a monotonous opening take, in order, the variant whose opening is the rarest
 * so far; a text that is rare already stays, and so does one without a better variant. The entropy of the openings before and after is told.
 *
 *   openings -> when: .opening.monotonous ask for variants -> same_meaning -> openings: {choose: .variants}
 *
 * Rows wait in memory, then on disk; the openings' counts stay in memory. */
#include "core/log.h"
#include "core/map.h"
#include "data/rowstore.h"
#include "ops/op.h"
#include "text/words.h"
#include <math.h>

typedef struct { qn_str text, as, was; qn_expr *choose; int64_t words; double most; } params;

static const qn_param PARAMS[] = {
    QN_FIELD(params, text, "text", "field that holds the text"),
    QN_INT(params, words, "3", "1..20", "words of an opening"),
    QN_REAL(params, most, "0.02", "0..1", "an opening that a larger share of the rows has, and more than one row, is monotonous"),
    QN_EXPR(params, choose, "", "[text]", "variants of the text to choose from"),
    QN_FIELD(params, as, "opening", "field for {words, n, share, monotonous}"),
    QN_FIELD(params, was, "before", "with `choose`: field for the text that was replaced"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "text: t, most: 0.4", .in = "{t: 'Can you tell me x?'}\n{t: 'Can you tell him y?'}\n{t: 'Why?'}",
      .out = "{t: 'Can you tell me x?', opening: {words: 'can you tell', n: 2, share: 0.6667, monotonous: true}}\n{t: 'Can you tell him y?', opening: {words: 'can you tell', n: 2, share: 0.6667, monotonous: true}}\n"
             "{t: 'Why?', opening: {words: 'why', n: 1, share: 0.3333, monotonous: false}}" },
    { .params = "text: t, words: 1, most: 0, choose: .v", .in = "{t: 'Tell x', v: ['Say x', 'Why x']}\n{t: 'Tell y', v: ['Say y', 'Why y']}",
      .out = "{t: 'Say x', v: ['Say x', 'Why x'], before: 'Tell x', opening: {words: 'say', n: 1, share: 0.5, monotonous: false}}\n"
             "{t: 'Tell y', v: ['Say y', 'Why y'], before: null, opening: {words: 'tell', n: 1, share: 0.5, monotonous: false}}" },
    QN_END
};

typedef struct { qn_str words; size_t n; } opening;
typedef struct {
    qn_arena arena;
    qn_map   names;
    opening *all;
    size_t   n_all, cap_all;
    uint32_t *of;               /* of each row: its opening's number */
    qn_str  *chosen;            /* of each row: the variant taken; p NULL: its own text */
    qn_rowstore *rows;
    size_t   n, cap, cap_chosen, at;
    qn_buf   scratch;
} state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_type *t, *maybe;
    QN_TRY(qn_type_parse(QN_STR("{words: text, n: int, share: real, monotonous: bool}"), ck->arena, &t, e));
    QN_TRY(qn_type_parse(QN_STR("text?"), ck->arena, &maybe, e));
    if (p->choose) ck->out = qn_type_with(ck->out, p->was, maybe, ck->arena);
    ck->out = qn_type_with(ck->out, p->as, t, ck->arena);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    state *st = QN_NEW(state);
    (void)vp; (void)e;
    st->rows = qn_rowstore_new(cx->memory_bytes / 2, NULL);
    *out = st;
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_rowstore_free(st->rows);
    qn_map_free(&st->names);
    qn_free(st->all);
    qn_free(st->of);
    qn_free(st->chosen);
    qn_buf_free(&st->scratch);
    qn_arena_free(&st->arena);
    qn_free(st);
}

/* The number of the text's opening; counted nowhere yet. */
static uint32_t opening_of(state *st, qn_str text, int64_t words)
{
    qn_words w = qn_words_of(text, QN_WORDS_PLAIN);
    qn_str word, last = { NULL, 0 }, first = { NULL, 0 };
    for (int64_t i = 0; i < words && qn_words_next(&w, &word); i++) {
        if (!first.p) first = word;
        last = word;
    }
    qn_buf_clear(&st->scratch);
    if (first.p) qn_words_plain((qn_str){ first.p, (size_t)(last.p + last.n - first.p) }, QN_WORDS_PLAIN, true, &st->scratch);
    bool fresh;
    uint64_t *at = qn_map_put_str(&st->names, qn_buf_view(&st->scratch), &fresh);
    if (fresh) {
        *at = st->n_all;
        QN_GROW(st->all, st->n_all, st->cap_all);
        st->all[st->n_all++] = (opening){ qn_arena_str(&st->arena, qn_buf_view(&st->scratch)), 0 };
    }
    return (uint32_t)*at;
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_value v;
    (void)cx;
    if (!qn_row_find(r, p->text, &v) || v.kind != QN_V_TEXT) {
        qn_row_drop(r);
        return qn_fail(e, QN_EDATA, "the field `%.*s` holds no text", QN_FMT(p->text));
    }
    QN_GROW(st->of, st->n, st->cap);
    st->of[st->n] = opening_of(st, qn_v_str(v), p->words);
    st->all[st->of[st->n++]].n++;
    return qn_rowstore_put(st->rows, r, e);
}

/* Bits; 0 when all begin alike, log2 of the rows when none do. */
static double entropy(const state *st)
{
    double h = 0;
    for (size_t i = 0; i < st->n_all; i++)
        if (st->all[i].n) h -= (double)st->all[i].n / (double)st->n * log2((double)st->all[i].n / (double)st->n);
    return h;
}

static bool is_monotonous(const params *p, const state *st, size_t n) { return n > 1 && (double)n > p->most * (double)st->n; }

/* Row i takes the variant whose opening is the rarest without it; a tie is the earlier one's, its own text first of all. */
static qn_code choose_for(qn_ctx *cx, const params *p, state *st, size_t i, qn_err *e)
{
    qn_row *r;
    qn_value list, v;
    QN_TRY(qn_rowstore_look(st->rows, i, &r, e));
    qn_code rc = qn_expr_one(p->choose, r, cx->scratch, &list, e);
    if (rc == QN_OK && list.kind == QN_V_LIST) {
        qn_v_iter it = qn_v_iter_of(list);
        uint32_t best = st->of[i];
        st->all[best].n--;
        while (qn_v_next(&it, NULL, &v)) {
            qn_str text = qn_str_trim(qn_v_str(v));
            if (text.n == 0) continue;
            uint32_t o = opening_of(st, text, p->words);
            if (st->all[o].n >= st->all[best].n) continue;
            best = o;
            st->chosen[i] = qn_arena_str(&st->arena, text);
        }
        st->all[best].n++;
        st->of[i] = best;
    }
    qn_row_drop(r);
    qn_arena_reset(cx->scratch);
    return rc;
}

static qn_code finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    double before = entropy(st);
    size_t changed = 0, monotonous = 0;
    st->chosen = QN_NEW_N(qn_str, st->n + 1);
    for (size_t i = 0; p->choose && i < st->n; i++) {
        if (!is_monotonous(p, st, st->all[st->of[i]].n)) continue;
        QN_TRY(choose_for(cx, p, st, i, e));
        changed += st->chosen[i].p != NULL;
    }
    for (size_t i = 0; i < st->n; i++) monotonous += is_monotonous(p, st, st->all[st->of[i]].n);
    if (p->choose) qn_log(QN_INFO, "openings", "%.*s: %zu of %zu texts replaced; entropy of the openings %.3f -> %.3f bits, %zu begin as too many do", QN_FMT(cx->step), changed, st->n, before, entropy(st), monotonous);
    else qn_log(QN_INFO, "openings", "%.*s: entropy of the openings %.3f bits, %zu of %zu texts begin as too many do", QN_FMT(cx->step), before, monotonous, st->n);
    return QN_OK;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_value was;
    *out = NULL;
    if (st->at == st->n) return QN_OK;
    size_t i = st->at++;
    QN_TRY(qn_rowstore_take(st->rows, i, out, e));
    if (p->choose) {
        bool had = st->chosen[i].p && qn_row_find(*out, p->text, &was);
        was = had ? qn_v_copy(cx->scratch, was) : qn_v_null();
        if (had) qn_row_set(*out, p->text, qn_v_text(st->chosen[i]));
        qn_row_set(*out, p->was, was);
    }
    const opening *o = &st->all[st->of[i]];
    qn_object_b b = { .a = cx->scratch };
    qn_object_put(&b, QN_STR("words"), qn_v_text(o->words));
    qn_object_put(&b, QN_STR("n"), qn_v_int((int64_t)o->n));
    qn_object_put(&b, QN_STR("share"), qn_v_real(round((double)o->n / (double)st->n * 1e4) / 1e4));
    qn_object_put(&b, QN_STR("monotonous"), qn_v_bool(is_monotonous(p, st, o->n)));
    qn_row_set(*out, p->as, qn_object_end(&b));
    return QN_OK;
}

const qn_op qn_op_openings = {
    .name = "openings", .version = 1, .stage = QN_CURATE, .brief = "find texts that begin as too many others do, and choose variants that do not",
    .about = "The first pass marks; `when: .opening.monotonous` an `ask` writes variants, `same_meaning` keeps those that mean the same, and a second pass with `choose`\n"
             "takes for each such row the variant whose opening is the rarest so far. The entropy of the openings is in run.log, before and after.",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .absorb = absorb, .finish = finish, .next = next,
};
