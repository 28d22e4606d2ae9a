/* dedup_substring: drop rows that mostly repeat long spans of earlier kept rows, or cut those spans out.
 *
 * Runs in order, on one thread at a time. Anchors stay in memory (about 1.5 bytes a word at the default span), texts spill. */
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/substring.h"

typedef struct { qn_expr *text; int64_t span; double over; bool cut; qn_str field; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, NULL, "text", "the text to look into; a plain field when `cut` is on"),
    QN_INT(params, span, "50", "4..10000", "words that a repeated span has at least"),
    QN_REAL(params, over, "0.5", "0..1", "a row goes when at least this share of its words lies in repeated spans"),
    QN_BOOL(params, cut, "no", "cut the spans out of the rows that stay"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "text: .t, span: 4", .in = "{t: 'the old mill by the river'}\n{t: 'see the OLD mill by the river'}",
      .out = "{t: 'the old mill by the river'}", .reject = "repeated 0.86 above 0.50" },
    { .params = "text: .t, span: 4, over: 0.9, cut: yes", .in = "{t: 'the old mill by the river'}\n{t: 'We saw the old mill by the river, at last, in spring.'}",
      .out = "{t: 'the old mill by the river'}\n{t: 'We saw river, at last, in spring.'}" },
    QN_END
};

typedef struct { qn_substrings *index; qn_repeats found; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    if (p->cut && !qn_expr_is_field(p->text, &p->field))
        return qn_fail_at(e, QN_ERECIPE, ck->pos, "`cut` needs `text` to be a plain field, as in `.text`");
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    (void)e;
    st->index = qn_substrings_new((int)p->span, cx->memory_bytes / 2, NULL);
    *out = st;
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_substrings_free(st->index);
    qn_repeats_free(&st->found);
    qn_free(st);
}

/* The text without its spans; white space where a span was is left once. */
static qn_str without(qn_str text, const qn_repeats *spans, qn_arena *a)
{
    qn_buf b = { 0 };
    size_t at = 0;
    for (size_t i = 0; i < spans->n; i++) {
        qn_buf_str(&b, qn_str_sub(text, at, spans->v[i].from));
        at = spans->v[i].to;
        if (b.n == 0 || strchr(" \n\t", b.p[b.n - 1]))
            while (at < text.n && strchr(" \t", text.p[at])) at++;
    }
    qn_buf_str(&b, qn_str_sub(text, at, text.n));
    qn_str out = qn_arena_str(a, qn_str_trim(qn_buf_view(&b)));
    qn_buf_free(&b);
    return out;
}

static qn_code map(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_str text;
    QN_TRY(qn_pick_text(p->text, r, cx->scratch, &text, e));
    if (qn_substrings_bytes(st->index) > cx->memory_bytes)
        return qn_fail(e, QN_ELIMIT, "the index of repeated spans is larger than %zu MB: raise --memory or `span`", cx->memory_bytes >> 20);
    QN_TRY(qn_substrings_find(st->index, text, &st->found, e));
    double share = st->found.n_words ? (double)st->found.n_repeated / (double)st->found.n_words : 0;
    if (st->found.n && share >= p->over) {
        qn_emit_reject(em, r, qn_reject_above("repeated", share, p->over));
        return QN_OK;
    }
    if (p->cut && st->found.n) {
        text = without(text, &st->found, cx->scratch);
        qn_row_set(r, p->field, qn_v_text(text));
    }
    QN_TRY(qn_substrings_add(st->index, text, e));
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_dedup_substring = {
    .name = "dedup_substring", .version = 1, .stage = QN_CURATE, .flags = QN_OP_ORDERED,
    .brief = "drop rows that mostly repeat long spans of earlier rows, or cut the spans out",
    .paper = "Lee et al. 2022, Deduplicating Training Data Makes Language Models Better",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .map = map,
};
