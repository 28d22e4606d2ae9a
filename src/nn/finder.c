/* finder: BM25's hits, the nearest vectors, or both: each list DEPTH times as long as what is asked for, joined by reciprocal rank. */
#include "nn/finder.h"
#include "core/thread.h"
#include "text/bm25.h"
#include <stdlib.h>

enum { RANK_OFFSET = 60, DEPTH = 5, LEAST_DEPTH = 50 };

const char *const qn_finder_by_names[QN_N_FINDER_BY] = { "words", "meaning", "both" };

struct qn_finder {
    qn_arena  arena;            /* the texts */
    qn_str   *texts;
    size_t    n, cap, bytes;
    qn_bm25  *words;
    qn_encoder *encoder;
    float    *vectors;          /* (n, dim); NULL when texts have none */
    size_t    dim, cap_vectors;
    double   *score;            /* (n), zero between queries */
    size_t    cap_score;
    pthread_mutex_t lock;
};

qn_finder *qn_finder_new(qn_encoder *encoder)
{
    qn_finder *f = QN_NEW(qn_finder);
    f->words = qn_bm25_new();
    f->encoder = encoder;
    f->dim = encoder ? (size_t)qn_encoder_dim(encoder) : 0;
    pthread_mutex_init(&f->lock, NULL);
    return f;
}

void qn_finder_free(qn_finder *f)
{
    if (!f) return;
    qn_bm25_free(f->words);
    qn_free(f->texts);
    qn_free(f->vectors);
    qn_free(f->score);
    qn_arena_free(&f->arena);
    pthread_mutex_destroy(&f->lock);
    qn_free(f);
}

static float *room_for_vector(qn_finder *f)
{
    size_t last = (f->n + 1) * f->dim - 1;
    QN_GROW(f->vectors, last, f->cap_vectors);
    return f->vectors + f->n * f->dim;
}

static void add_text(qn_finder *f, qn_str text)
{
    QN_GROW(f->texts, f->n, f->cap);
    f->texts[f->n++] = qn_arena_str(&f->arena, text);
    f->bytes += text.n;
    qn_bm25_add(f->words, text);
}

qn_code qn_finder_add(qn_finder *f, qn_str text, qn_err *e)
{
    if (f->encoder) QN_TRY(qn_encoder_embed(f->encoder, &text, 1, room_for_vector(f), e));
    add_text(f, text);
    return QN_OK;
}

void qn_finder_add_with(qn_finder *f, qn_str text, const float *vector)
{
    memcpy(room_for_vector(f), vector, f->dim * sizeof *vector);
    add_text(f, text);
}

void qn_finder_expect(qn_finder *f, size_t dim)
{
    QN_ASSERT(!f->encoder && !f->vectors && dim);
    f->dim = dim;
    f->cap_vectors = f->n * dim;
    f->vectors = QN_NEW_N(float, f->cap_vectors + 1);
}

void qn_finder_put(qn_finder *f, size_t index, const float *vector) { memcpy(f->vectors + index * f->dim, vector, f->dim * sizeof *vector); }

size_t qn_finder_n(const qn_finder *f) { return f->n; }
qn_str qn_finder_text(const qn_finder *f, size_t index) { return f->texts[index]; }

size_t qn_finder_bytes(const qn_finder *f)
{
    return f->bytes + f->cap * sizeof *f->texts + f->cap_vectors * sizeof *f->vectors + f->cap_score * sizeof *f->score + qn_bm25_bytes(f->words);
}

static int better_first(const void *a, const void *b)
{
    const qn_finder_hit *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* All texts by their cosine with q (dim), best first; out has room for n. */
static void nearest(const qn_finder *f, const float *q, qn_finder_hit *out)
{
    for (size_t i = 0; i < f->n; i++) {
        const float *v = f->vectors + i * f->dim;
        double dot = 0;
        for (size_t k = 0; k < f->dim; k++) dot += (double)v[k] * q[k];
        out[i] = (qn_finder_hit){ i, dot };
    }
    if (f->n) qsort(out, f->n, sizeof *out, better_first);
}

/* q: the query's vector; NULL by words. */
static void find_locked(qn_finder *f, qn_finder_by by, qn_str query, const float *q, size_t k, qn_finder_hit *out, size_t *n)
{
    size_t depth = k * DEPTH > LEAST_DEPTH ? k * DEPTH : LEAST_DEPTH, n_joined = 0;
    if (depth > f->n) depth = f->n;
    qn_bm25_hit *by_words = QN_NEW_N(qn_bm25_hit, depth + 1);
    qn_finder_hit *joined = QN_NEW_N(qn_finder_hit, f->n + depth + 1);
    size_t n_words = by == QN_BY_MEANING ? 0 : qn_bm25_top(f->words, query, depth, by_words);
    if (by == QN_BY_MEANING) {
        nearest(f, q, joined);
        n_joined = f->n;
    } else if (by == QN_BY_BOTH) {
        while (f->cap_score < f->n) QN_GROW(f->score, f->n - 1, f->cap_score);
        memset(f->score, 0, f->n * sizeof *f->score);
        nearest(f, q, joined);
        for (size_t i = 0; i < depth; i++) f->score[joined[i].index] += 1.0 / (double)(RANK_OFFSET + i + 1);
        for (size_t i = 0; i < n_words; i++) f->score[by_words[i].index] += 1.0 / (double)(RANK_OFFSET + i + 1);
        for (size_t i = 0; i < f->n; i++)
            if (f->score[i] > 0) joined[n_joined++] = (qn_finder_hit){ i, f->score[i] };
        if (n_joined) qsort(joined, n_joined, sizeof *joined, better_first);
    } else {
        for (; n_joined < n_words; n_joined++) joined[n_joined] = (qn_finder_hit){ by_words[n_joined].index, by_words[n_joined].score };
    }
    *n = n_joined < k ? n_joined : k;
    if (*n) memcpy(out, joined, *n * sizeof *out);
    qn_free(by_words);
    qn_free(joined);
}

qn_code qn_finder_find(qn_finder *f, qn_finder_by by, qn_str query, size_t k, qn_finder_hit *out, size_t *n, qn_err *e)
{
    QN_ASSERT(by == QN_BY_WORDS || f->encoder);
    *n = 0;
    if (f->n == 0 || k == 0) return QN_OK;
    float *q = by == QN_BY_WORDS ? NULL : QN_NEW_N(float, f->dim);
    pthread_mutex_lock(&f->lock);
    qn_code rc = q ? qn_encoder_embed(f->encoder, &query, 1, q, e) : QN_OK;
    if (rc == QN_OK) find_locked(f, by, query, q, k, out, n);
    pthread_mutex_unlock(&f->lock);
    qn_free(q);
    return rc;
}

void qn_finder_near(qn_finder *f, qn_finder_by by, qn_str query, const float *vector, size_t k, qn_finder_hit *out, size_t *n)
{
    QN_ASSERT(by == QN_BY_WORDS || f->vectors);
    *n = 0;
    if (f->n == 0 || k == 0) return;
    pthread_mutex_lock(&f->lock);
    find_locked(f, by, query, vector, k, out, n);
    pthread_mutex_unlock(&f->lock);
}
