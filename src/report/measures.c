/* measures: openings and topics of a sample. */
#include "report/measures.h"
#include "core/map.h"
#include "text/small_words.h"
#include "text/words.h"
#include <math.h>

#define MIXED 0.03

double qn_opening_bits(const qn_str *text, size_t n)
{
    qn_map seen = {0};
    double bits = 0;
    for (size_t i = 0; i < n; i++) {
        qn_words it = qn_words_of(text[i], QN_WORDS_PLAIN);
        qn_str word;
        uint64_t h = 7;
        for (int k = 0; k < 3 && qn_words_next(&it, &word); k++) h = (h ^ qn_word_hash(word, true)) * 0xD6E8FEB86659FD93u, h ^= h >> 32;
        ++*qn_map_put(&seen, (qn_hash128){ h, 1 }, NULL);
    }
    for (size_t i = 0; i < seen.cap; i++) {
        double p = seen.keys[i].hi || seen.keys[i].lo ? (double)seen.vals[i] / (double)n : 0;
        if (p > 0) bits -= p * log2(p);
    }
    qn_map_free(&seen);
    return bits;
}

qn_str qn_topic_name(const qn_tfidf *words, const qn_vectors *v, const qn_clusters *t, size_t topic, const float *mean, float *own, qn_arena *a)
{
    size_t used[3], dim = v->dim;
    qn_buf b = {0};
    memset(own, 0, dim * sizeof *own);
    for (size_t i = 0; i < v->n; i++)
        if (t->label[i] == topic) qn_vectors_add_to(v, i, 1 / (float)t->size[topic], own);
    double norm = 0;            /* squared length of the mean of unit vectors: the mean similarity of two of them */
    for (size_t d = 0; d < dim; d++) norm += (double)own[d] * own[d];
    if (norm < MIXED) qn_buf_puts(&b, "mixed: ");
    for (size_t k = 0; k < 3; k++) {
        size_t best = dim;
        float most = 0;
        for (size_t d = 0; d < dim; d++) {
            bool is_used = false;
            for (size_t i = 0; i < k; i++) is_used |= used[i] == d;
            if (!is_used && own[d] - mean[d] > most) most = own[d] - mean[d], best = d;
        }
        if (best == dim) break;
        used[k] = best;
        if (k) qn_buf_puts(&b, ", ");
        qn_buf_str(&b, qn_tfidf_word(words, (uint32_t)best));
    }
    bool any = b.n && b.p[b.n - 1] != ' ';
    qn_str name = any ? qn_arena_str(a, qn_buf_view(&b)) : QN_STR("(no words of their own)");
    qn_buf_free(&b);
    return name;
}

qn_vectors qn_without_common(const qn_tfidf *words, const qn_vectors *v)
{
    size_t *texts = QN_NEW_N(size_t, v->dim + 1), all = v->start[v->n], n = 0;
    qn_vectors out = { .n = v->n, .dim = v->dim, .start = QN_NEW_N(size_t, v->n + 1), .col = QN_NEW_N(uint32_t, all + 1), .val = QN_NEW_N(float, all + 1) };
    for (size_t i = 0; i < all; i++) texts[v->col[i]]++;
    for (size_t d = 0; d < v->dim; d++)
        if (qn_is_light_word(qn_tfidf_word(words, (uint32_t)d))) texts[d] = v->n;
    for (size_t r = 0; r < v->n; r++) {
        for (size_t i = v->start[r]; i < v->start[r + 1]; i++)
            if (texts[v->col[i]] * 5 <= v->n) out.col[n] = v->col[i], out.val[n++] = v->val[i];
        out.start[r + 1] = n;
    }
    qn_vectors_unit(&out);
    qn_free(texts);
    return out;
}
