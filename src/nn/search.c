/* search: BM25 and embeddings over one set of passages. */
#include "nn/search.h"
#include "core/map.h"
#include "nn/gemm.h"
#include <math.h>

const char *const qn_search_names[QN_N_SEARCH] = { "bm25", "encoder", "joined" };

struct qn_search {
    qn_encoder *encoder;
    qn_bm25 *index;
    qn_arena arena;
    qn_map   number;            /* of a text */
    qn_str  *texts;
    size_t   n, cap;
    float   *vectors;           /* (n, dim), made at the first query */
    qn_bm25_hit *hits;
};

qn_search *qn_search_new(void)
{
    qn_search *s = QN_NEW(qn_search);
    s->index = qn_bm25_new();
    return s;
}

void qn_search_free(qn_search *s)
{
    if (!s) return;
    qn_bm25_free(s->index);
    qn_map_free(&s->number);
    qn_nn_free(s->vectors);
    qn_free(s->texts);
    qn_free(s->hits);
    qn_arena_free(&s->arena);
    qn_free(s);
}

void qn_search_use(qn_search *s, qn_encoder *encoder) { s->encoder = encoder; }

size_t qn_search_add(qn_search *s, qn_str passage)
{
    bool fresh;
    uint64_t *at = qn_map_put_str(&s->number, passage, &fresh);
    if (!fresh) return (size_t)*at;
    *at = s->n;
    QN_GROW(s->texts, s->n, s->cap);
    s->texts[s->n] = qn_arena_str(&s->arena, passage);
    qn_bm25_add(s->index, passage);
    return s->n++;
}

size_t qn_search_n(const qn_search *s) { return s->n; }
qn_str qn_search_text(const qn_search *s, size_t i) { return s->texts[i]; }

size_t qn_search_bytes(const qn_search *s)
{
    size_t dim = s->encoder ? (size_t)qn_encoder_dim(s->encoder) : 0;
    return s->arena.used_bytes + qn_bm25_bytes(s->index) + qn_map_bytes(&s->number) + s->n * (sizeof *s->texts + sizeof *s->hits + dim * sizeof(float));
}

static void by_words(qn_search *s, qn_str query, float *out)
{
    if (!s->hits) s->hits = QN_NEW_N(qn_bm25_hit, s->n ? s->n : 1);
    memset(out, 0, s->n * sizeof *out);
    for (size_t i = 0, n = qn_bm25_top(s->index, query, s->n, s->hits); i < n; i++) out[s->hits[i].index] = (float)s->hits[i].score;
}

static qn_code by_meaning(qn_search *s, const qn_str *queries, size_t n, float *out, qn_err *e)
{
    size_t d = (size_t)qn_encoder_dim(s->encoder);
    if (!s->vectors) {
        s->vectors = qn_nn_alloc((s->n ? s->n : 1) * d);
        QN_TRY(qn_encoder_embed(s->encoder, s->texts, s->n, s->vectors, e));
    }
    float *q = qn_nn_alloc((n ? n : 1) * d);
    qn_code rc = qn_encoder_embed(s->encoder, queries, n, q, e);
    if (rc == QN_OK && n && s->n) qn_gemm(NULL, false, true, (int)n, (int)s->n, (int)d, q, (int)d, s->vectors, (int)d, false, out, (int)s->n);
    qn_nn_free(q);
    return rc;
}

qn_code qn_search_scores(qn_search *s, const qn_str *queries, size_t n, float *out[QN_N_SEARCH], qn_err *e)
{
    float *words = out[QN_SEARCH_BM25], *meaning = out[QN_SEARCH_ENCODER], *joined = out[QN_SEARCH_JOINED], *own_words = NULL, *own_meaning = NULL;
    qn_code rc = QN_OK;
    if (joined && !words) words = own_words = qn_nn_alloc(n * s->n + 1);
    if (joined && !meaning) meaning = own_meaning = qn_nn_alloc(n * s->n + 1);
    for (size_t i = 0; i < n && words; i++) by_words(s, queries[i], words + i * s->n);
    if (meaning) rc = s->encoder ? by_meaning(s, queries, n, meaning, e) : qn_fail(e, QN_EUSAGE, "a search without an encoder knows words alone");
    for (size_t i = 0; i < n && joined && rc == QN_OK; i++) {
        float top = 0;
        for (size_t j = 0; j < s->n; j++) top = fmaxf(top, words[i * s->n + j]);
        for (size_t j = 0; j < s->n; j++) joined[i * s->n + j] = meaning[i * s->n + j] + (top > 0 ? words[i * s->n + j] / top : 0);
    }
    qn_nn_free(own_words);
    qn_nn_free(own_meaning);
    return rc;
}

size_t qn_search_rank(const float *scores, size_t n, size_t own, qn_search_by by)
{
    size_t rank = 1;
    if (by == QN_SEARCH_BM25 && scores[own] <= 0) return 0;
    for (size_t i = 0; i < n; i++) rank += scores[i] > scores[own] || (scores[i] == scores[own] && i < own);
    return rank;
}

double qn_ndcg(const size_t *ranks, size_t n, size_t k)
{
    double got = 0, best = 0;
    for (size_t i = 0; i < n; i++) {
        if (ranks[i] && ranks[i] <= k) got += 1 / log2((double)ranks[i] + 1);
        if (i < k) best += 1 / log2((double)i + 2);
    }
    return best > 0 ? got / best : 0;
}
