/* mine_negatives: gives each row the texts of other rows that answer its query best and are not its answer: hard negatives.
 *
 * Hits of BM25 in order of score; with `encoder` those of BM25 and cosine added. A hit that scores over `margin` times the row's own text, by words or
 * by cosine, answers the query about as well as that does: it is taken for a positive that nobody marked and left out. Texts equal to the row's
 * own, and repeats, are left out too.
 * Texts, queries and the index stay in memory; rows wait in memory, then on disk. */
#include "ops/curate/row_search.h"
#include "recipe/pick.h"

typedef struct { qn_expr *query, *text; int64_t k, depth; double margin; const qn_model *encoder; qn_str as; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, query, ".query", "text", "the query"),
    QN_EXPR(params, text, ".passage", "text", "the row's own text: the positive, and a negative for others"),
    QN_INT(params, k, "4", "1..100", "how many negatives at most"),
    QN_INT(params, depth, "50", "1..10000", "hits looked at"),
    QN_REAL(params, margin, "0.95", "0..1", "a hit over this share of the positive's score is left out; 1: only what scores higher"),
    QN_MODEL(params, encoder, "", "a sentence encoder (all-MiniLM-L6-v2): its folder, a role, or a step that trains one: its cosines count beside the words"),
    QN_FIELD(params, as, "negatives", "field for the list of texts"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "k: 1", .in = "{query: 'who grinds corn', passage: 'a miller grinds corn at the mill'}\n{query: 'who bakes bread', passage: 'a baker that loves corn bakes bread'}",
      .out = "{query: 'who grinds corn', passage: 'a miller grinds corn at the mill', negatives: ['a baker that loves corn bakes bread']}\n"
             "{query: 'who bakes bread', passage: 'a baker that loves corn bakes bread', negatives: []}" },
    QN_END
};

typedef struct {
    qn_row_search s;
    qn_licences licences;
    size_t bytes;
    uint32_t *order;                /* (texts) */
} state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_type *texts;
    if (p->encoder && !p->encoder->folder) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`encoder` is no folder with a model in it");
    QN_TRY(qn_type_parse(QN_STR("[text]"), ck->arena, &texts, e));
    ck->out = qn_type_with(ck->in, p->as, texts, ck->arena);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    state *st = QN_NEW(state);
    (void)vp, (void)e;
    qn_row_search_open(&st->s, cx->memory_bytes);
    *out = st;
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_row_search_close(&st->s);
    qn_free(st->order);
    qn_free(st);
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_str query, text;
    qn_code rc = qn_pick_text(p->query, r, cx->scratch, &query, e);
    if (rc == QN_OK) rc = qn_pick_text(p->text, r, cx->scratch, &text, e);
    if (rc == QN_OK && (st->bytes += query.n + text.n) + qn_search_bytes(st->s.search) > cx->memory_bytes / 4 * 3) {
        rc = qn_fail(e, QN_ELIMIT, "the texts of %zu rows take more than %zu MB", st->s.n, cx->memory_bytes / 4 * 3 >> 20);
        qn_hint(e, "raise --memory, or put `sample` in front");
    }
    if (rc != QN_OK) { qn_row_drop(r); return rc; }
    qn_row_query q = { .query = qn_arena_str(&st->s.arena, query), .own = QN_ARENA_NEW(&st->s.arena, size_t), .n_own = 1 };
    *q.own = qn_search_add(st->s.search, text);
    st->licences |= qn_row_licences(r);
    return qn_row_search_keep(&st->s, q, r, e);
}

/* The `depth` best of the scores, best first, of equals the one that came first; 0 is no hit. */
static size_t best_of(const float *score, size_t n, size_t depth, uint32_t *out)
{
    size_t got = 0;
    for (size_t i = 0; i < n; i++) {
        if (score[i] <= 0 || (got == depth && score[i] <= score[out[got - 1]])) continue;
        size_t at = got < depth ? got++ : got - 1;
        for (; at > 0 && score[out[at - 1]] < score[i]; at--) out[at] = out[at - 1];
        out[at] = (uint32_t)i;
    }
    return got;
}

/* The first k hits that are neither the row's text nor too good. */
static size_t choose(const params *p, state *st, size_t own, const float *const *scores, qn_str *out)
{
    size_t n = 0;
    const float *words = scores[QN_SEARCH_BM25], *meaning = scores[QN_SEARCH_ENCODER];
    size_t n_hits = best_of(p->encoder ? scores[QN_SEARCH_JOINED] : words, qn_search_n(st->s.search), (size_t)p->depth, st->order);
    for (size_t i = 0; i < n_hits && n < (size_t)p->k; i++) {
        size_t x = st->order[i];
        bool too_good = (double)words[x] > p->margin * (double)words[own] && (!meaning || words[own] > 0);     /* with cosines a text that shares no word is no riddle */
        if (meaning) too_good |= (double)meaning[x] > p->margin * (double)meaning[own];
        if (x != own && !too_good) out[n++] = qn_search_text(st->s.search, x);
    }
    return n;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_str texts[100];
    const qn_row_query *q;
    const float *scores[QN_N_SEARCH];
    *out = NULL;
    if (!st->s.begun && st->s.n) {
        const bool want[QN_N_SEARCH] = { [QN_SEARCH_BM25] = true, [QN_SEARCH_ENCODER] = p->encoder, [QN_SEARCH_JOINED] = p->encoder };
        QN_TRY(qn_row_search_begin(&st->s, want, p->encoder, cx->n_threads, e));
        st->order = QN_NEW_N(uint32_t, qn_search_n(st->s.search));
    }
    QN_TRY(qn_row_search_next(&st->s, out, &q, scores, e));
    if (!*out) return QN_OK;
    size_t n = choose(p, st, *q->own, scores, texts);
    qn_list_b list = { .a = cx->scratch };
    for (size_t i = 0; i < n; i++) qn_list_put(&list, qn_v_text(texts[i]));
    qn_row_set(*out, p->as, qn_list_end(&list));
    if (n) qn_row_add_licences(*out, st->licences);     /* texts of others: of whichever */
    return QN_OK;
}

static size_t holds(const void *vp, uint64_t n, size_t avg_bytes) { (void)vp; return (size_t)n * avg_bytes * 3; }

const qn_op qn_op_mine_negatives = {
    .name = "mine_negatives", .version = 2, .stage = QN_CURATE, .brief = "texts of other rows that nearly answer a row's query: hard negatives",
    .about = "A text that scores about as well as the row's own is left out: it may be an answer that nobody marked. Where a row's own text does not share\n"
             "a word with its query, words can tell nothing, and the list is empty; with `encoder` its cosines still can.",
    .paper = "BM25: Robertson and Zaragoza 2009; a margin under the positive: NV-Retriever (Moreira et al. 2024)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .absorb = absorb, .next = next, .holds = holds,
};
