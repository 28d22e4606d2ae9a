/* bm25: postings by word; scores are gathered in one array and the best picked by a heap. */
#include "text/bm25.h"
#include "core/map.h"
#include "core/mem.h"
#include <math.h>
#include <stdlib.h>

#define K1 1.2
#define B  0.75

typedef struct { uint32_t text, count; } posting;
typedef struct { posting *v; size_t n, cap; } postings;

struct qn_bm25 {
    qn_map    ids;
    postings *by_word;
    size_t    n_words, cap_words, posting_bytes;
    uint32_t *length;           /* (n) words of each text */
    size_t    n, cap;
    uint64_t  total;
    double   *score;            /* (n), zero between queries */
    size_t    cap_score;
    qn_hashes hashes;
};

qn_bm25 *qn_bm25_new(void) { return QN_NEW(qn_bm25); }

void qn_bm25_free(qn_bm25 *b)
{
    if (!b) return;
    for (size_t i = 0; i < b->n_words; i++) qn_free(b->by_word[i].v);
    qn_free(b->by_word);
    qn_map_free(&b->ids);
    qn_free(b->length);
    qn_free(b->score);
    qn_hashes_free(&b->hashes);
    qn_free(b);
}

size_t qn_bm25_size(const qn_bm25 *b) { return b->n; }

size_t qn_bm25_bytes(const qn_bm25 *b)
{
    return qn_map_bytes(&b->ids) + b->cap_words * sizeof(postings) + b->posting_bytes + b->cap * 4 + b->cap_score * 8;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void sorted_words(qn_bm25 *b, qn_str text)
{
    qn_words_hash(text, QN_WORDS_PLAIN, true, &b->hashes);
    if (b->hashes.n) qsort(b->hashes.v, b->hashes.n, sizeof *b->hashes.v, by_value);
}

/* Length of the run of equal hashes at i. */
static size_t run_at(const qn_hashes *h, size_t i)
{
    size_t k = i;
    while (k < h->n && h->v[k] == h->v[i]) k++;
    return k - i;
}

void qn_bm25_add(qn_bm25 *b, qn_str text)
{
    sorted_words(b, text);
    for (size_t i = 0, run; i < b->hashes.n; i += run) {
        bool fresh;
        uint64_t *id = qn_map_put(&b->ids, (qn_hash128){ b->hashes.v[i], 1 }, &fresh);
        run = run_at(&b->hashes, i);
        if (fresh) {
            QN_GROW(b->by_word, b->n_words, b->cap_words);
            b->by_word[b->n_words] = (postings){ 0 };
            *id = b->n_words++;
        }
        postings *list = &b->by_word[*id];
        size_t before = list->cap;
        QN_GROW(list->v, list->n, list->cap);
        b->posting_bytes += (list->cap - before) * sizeof(posting);
        list->v[list->n++] = (posting){ (uint32_t)b->n, (uint32_t)run };
    }
    QN_GROW(b->length, b->n, b->cap);
    b->length[b->n++] = (uint32_t)b->hashes.n;
    b->total += b->hashes.n;
}

/* Is x worse than y? */
static bool worse(qn_bm25_hit x, qn_bm25_hit y) { return x.score != y.score ? x.score < y.score : x.index > y.index; }

/* heap[0] is the worst of n. */
static void sift_down(qn_bm25_hit *heap, size_t n, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n) return;
        if (child + 1 < n && worse(heap[child + 1], heap[child])) child++;
        if (!worse(heap[child], heap[i])) return;
        qn_bm25_hit x = heap[i];
        heap[i] = heap[child];
        heap[child] = x;
        i = child;
    }
}

static int best_first(const void *a, const void *b)
{
    const qn_bm25_hit *x = a, *y = b;
    return worse(*x, *y) ? 1 : worse(*y, *x) ? -1 : 0;
}

static void score_word(qn_bm25 *b, const postings *list)
{
    double mean = (double)b->total / (double)b->n, with = (double)list->n;
    double idf = log(1 + ((double)b->n - with + 0.5) / (with + 0.5));
    for (size_t k = 0; k < list->n; k++) {
        double tf = list->v[k].count, length = b->length[list->v[k].text];
        b->score[list->v[k].text] += idf * tf * (K1 + 1) / (tf + K1 * (1 - B + B * length / mean));
    }
}

size_t qn_bm25_top(qn_bm25 *b, qn_str query, size_t k, qn_bm25_hit *out)
{
    size_t n = 0;
    if (b->n == 0 || k == 0) return 0;
    sorted_words(b, query);
    QN_GROW(b->score, b->n, b->cap_score);
    memset(b->score, 0, b->n * sizeof *b->score);
    for (size_t i = 0; i < b->hashes.n; i += run_at(&b->hashes, i)) {
        uint64_t *id = qn_map_get(&b->ids, (qn_hash128){ b->hashes.v[i], 1 });
        if (id) score_word(b, &b->by_word[*id]);
    }
    for (size_t t = 0; t < b->n; t++) {
        qn_bm25_hit hit = { t, b->score[t] };
        if (hit.score <= 0) continue;
        if (n < k) {
            out[n++] = hit;
            if (n == k) for (size_t i = n / 2; i-- > 0;) sift_down(out, n, i);
        } else if (worse(out[0], hit)) {
            out[0] = hit;
            sift_down(out, n, 0);
        }
    }
    qsort(out, n, sizeof *out, best_first);
    return n;
}
