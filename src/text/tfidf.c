/* tfidf: counts by text while adding, weights at the end. */
#include "text/tfidf.h"
#include "core/map.h"
#include "core/mem.h"
#include <math.h>
#include <stdlib.h>

struct qn_tfidf {
    qn_map    ids;              /* word's hash -> number + 1 */
    qn_arena  arena;
    qn_str   *words;
    uint32_t *n_texts_with;     /* (n_words) */
    size_t    n_words, cap_words, cap_with;
    size_t   *start;            /* (n_texts + 1) into col and count */
    size_t    n_texts, cap_start;
    uint32_t *col, *count;
    size_t    n, cap_col, cap_count;
};

qn_tfidf *qn_tfidf_new(void)
{
    qn_tfidf *t = QN_NEW(qn_tfidf);
    QN_GROW(t->start, 0, t->cap_start);
    t->start[0] = 0;
    return t;
}

void qn_tfidf_free(qn_tfidf *t)
{
    if (!t) return;
    qn_map_free(&t->ids);
    qn_arena_free(&t->arena);
    qn_free(t->words);
    qn_free(t->n_texts_with);
    qn_free(t->start);
    qn_free(t->col);
    qn_free(t->count);
    qn_free(t);
}

size_t qn_tfidf_bytes(const qn_tfidf *t)
{
    return qn_map_bytes(&t->ids) + t->arena.used_bytes + t->cap_words * sizeof(qn_str) + t->cap_start * 8 + t->cap_col * 8;
}

qn_str qn_tfidf_word(const qn_tfidf *t, uint32_t column) { return t->words[column]; }

static uint32_t word_number(qn_tfidf *t, qn_str word)
{
    bool fresh;
    uint64_t *id = qn_map_put(&t->ids, (qn_hash128){ qn_word_hash(word, true), 1 }, &fresh);
    if (fresh) {
        qn_buf folded = { 0 };
        qn_fold(word, &folded);
        QN_GROW(t->words, t->n_words, t->cap_words);
        QN_GROW(t->n_texts_with, t->n_words, t->cap_with);
        t->words[t->n_words] = qn_arena_str(&t->arena, qn_buf_view(&folded));
        t->n_texts_with[t->n_words] = 0;
        *id = ++t->n_words;
        qn_buf_free(&folded);
    }
    return (uint32_t)*id - 1;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void qn_tfidf_add(qn_tfidf *t, qn_str text)
{
    qn_words w = qn_words_of(text, QN_WORDS_PLAIN);
    qn_str word;
    size_t from = t->n, kept = from;
    while (qn_words_next(&w, &word)) {
        if (word.n < 2) continue;
        QN_GROW(t->col, t->n, t->cap_col);
        t->col[t->n++] = word_number(t, word);
    }
    if (t->n > from) {
        QN_GROW(t->count, t->n, t->cap_count);
        qsort(t->col + from, t->n - from, sizeof *t->col, by_number);
    }
    for (size_t i = from; i < t->n; i++) {
        if (kept > from && t->col[kept - 1] == t->col[i]) { t->count[kept - 1]++; continue; }
        t->n_texts_with[t->col[i]]++;
        t->col[kept] = t->col[i];
        t->count[kept++] = 1;
    }
    t->n = kept;
    t->n_texts++;
    QN_GROW(t->start, t->n_texts, t->cap_start);
    t->start[t->n_texts] = t->n;
}

qn_vectors qn_tfidf_vectors(const qn_tfidf *t, size_t min_texts)
{
    qn_vectors v = { .n = t->n_texts, .dim = t->n_words };
    v.start = QN_NEW_N(size_t, t->n_texts + 1);
    v.col = QN_NEW_N(uint32_t, t->n + 1);
    v.val = QN_NEW_N(float, t->n + 1);
    size_t n = 0;
    for (size_t i = 0; i < t->n_texts; i++) {
        for (size_t k = t->start[i]; k < t->start[i + 1]; k++) {
            uint32_t with = t->n_texts_with[t->col[k]];
            if (with < min_texts) continue;
            v.col[n] = t->col[k];
            v.val[n++] = (float)(t->count[k] * (log((1.0 + (double)t->n_texts) / (1.0 + with)) + 1));
        }
        v.start[i + 1] = n;
    }
    qn_vectors_unit(&v);
    return v;
}
