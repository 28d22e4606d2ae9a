/* mine_negatives: gives each row the texts of other rows that answer its query best and are not its answer: hard negatives.
 *
 * Hits of BM25 in order of score. A hit that scores over `margin` times the row's own text answers the query about as well as that does: it is taken
 * for a positive that nobody marked and left out. Texts equal to the row's own, and repeats, are left out too.
 * Texts, queries and the index stay in memory; rows wait in memory, then on disk. */
#include "data/rowstore.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/bm25.h"

typedef struct { qn_expr *query, *text; int64_t k, depth; double margin; qn_str as; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, query, ".query", "text", "the query"),
    QN_EXPR(params, text, ".passage", "text", "the row's own text: the positive, and a negative for others"),
    QN_INT(params, k, "4", "1..100", "how many negatives at most"),
    QN_INT(params, depth, "50", "1..10000", "hits looked at"),
    QN_REAL(params, margin, "0.95", "0..1", "a hit over this share of the positive's score is left out; 1: only what scores higher"),
    QN_FIELD(params, as, "negatives", "field for the list of texts"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "k: 1", .in = "{query: 'who grinds corn', passage: 'a miller grinds corn at the mill'}\n{query: 'who bakes bread', passage: 'a baker that loves corn bakes bread'}",
      .out = "{query: 'who grinds corn', passage: 'a miller grinds corn at the mill', negatives: ['a baker that loves corn bakes bread']}\n"
             "{query: 'who bakes bread', passage: 'a baker that loves corn bakes bread', negatives: []}" },
    QN_END
};

typedef struct { qn_str query, text; } pair;
typedef struct { qn_arena arena; qn_licences licences; qn_rowstore *rows; qn_bm25 *index; pair *all; size_t n, cap, at, bytes; qn_bm25_hit *hits; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_type *texts;
    QN_TRY(qn_type_parse(QN_STR("[text]"), ck->arena, &texts, e));
    ck->out = qn_type_with(ck->in, p->as, texts, ck->arena);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    state *st = QN_NEW(state);
    (void)e;
    st->rows = qn_rowstore_new(cx->memory_bytes / 4, NULL);
    st->index = qn_bm25_new();
    st->hits = QN_NEW_N(qn_bm25_hit, ((const params *)vp)->depth);
    *out = st;
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_rowstore_free(st->rows);
    qn_bm25_free(st->index);
    qn_free(st->all);
    qn_free(st->hits);
    qn_arena_free(&st->arena);
    qn_free(st);
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    pair got;
    qn_code rc = qn_pick_text(p->query, r, cx->scratch, &got.query, e);
    if (rc == QN_OK) rc = qn_pick_text(p->text, r, cx->scratch, &got.text, e);
    if (rc == QN_OK && (st->bytes += got.query.n + got.text.n) + qn_bm25_bytes(st->index) > cx->memory_bytes / 4 * 3) {
        rc = qn_fail(e, QN_ELIMIT, "the texts of %zu rows take more than %zu MB", st->n, cx->memory_bytes / 4 * 3 >> 20);
        qn_hint(e, "raise --memory, or put `sample` in front");
    }
    if (rc != QN_OK) { qn_row_drop(r); return rc; }
    QN_GROW(st->all, st->n, st->cap);
    st->all[st->n++] = (pair){ qn_arena_str(&st->arena, got.query), qn_arena_str(&st->arena, got.text) };
    qn_bm25_add(st->index, got.text);
    st->licences |= qn_row_licences(r);
    return qn_rowstore_put(st->rows, r, e);
}

static bool is_among(const qn_str *texts, size_t n, qn_str t)
{
    for (size_t i = 0; i < n; i++)
        if (qn_str_eq(texts[i], t)) return true;
    return false;
}

/* The first k hits that are neither the row's text nor too good. The row's own score is that of its text, 0 when it is not among the hits. */
static size_t choose(const params *p, state *st, size_t row, qn_str *out)
{
    size_t n = 0, n_hits = qn_bm25_top(st->index, st->all[row].query, (size_t)p->depth, st->hits);
    double own = 0;
    for (size_t i = 0; i < n_hits && own == 0; i++)
        if (qn_str_eq(st->all[st->hits[i].index].text, st->all[row].text)) own = st->hits[i].score;
    for (size_t i = 0; i < n_hits && n < (size_t)p->k; i++) {
        qn_str t = st->all[st->hits[i].index].text;
        if (qn_str_eq(t, st->all[row].text) || st->hits[i].score > p->margin * own || is_among(out, n, t)) continue;
        out[n++] = t;
    }
    return n;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_str texts[100];
    *out = NULL;
    if (st->at == st->n) return QN_OK;
    size_t n = choose(p, st, st->at, texts);
    QN_TRY(qn_rowstore_take(st->rows, st->at++, out, e));
    qn_list_b list = { .a = cx->scratch };
    for (size_t i = 0; i < n; i++) qn_list_put(&list, qn_v_text(texts[i]));
    qn_row_set(*out, p->as, qn_list_end(&list));
    if (n) qn_row_add_licences(*out, st->licences);     /* texts of others: of whichever */
    return QN_OK;
}

static size_t holds(const void *vp, uint64_t n, size_t avg_bytes) { (void)vp; return (size_t)n * avg_bytes * 3; }

const qn_op qn_op_mine_negatives = {
    .name = "mine_negatives", .version = 1, .stage = QN_CURATE, .brief = "texts of other rows that nearly answer a row's query: hard negatives",
    .about = "A text that scores about as well as the row's own is left out: it may be an answer that nobody marked. Where a row's own text does not share\n"
             "a word with its query, nothing can be told, and the list is empty.",
    .paper = "BM25: Robertson and Zaragoza 2009; a margin under the positive: NV-Retriever (Moreira et al. 2024), section 4",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .absorb = absorb, .next = next, .holds = holds,
};
