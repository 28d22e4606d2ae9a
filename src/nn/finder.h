/* finder: texts and the k that answer a query best: by words (BM25), with a sentence encoder also by meaning (cosine), or by both lists joined by rank.
 *
 * Joined, the score of a text = sum over the lists that hold it of 1 / (60 + its rank there), rank from 1. With one list its score is that list's.
 * Ties go to the lower index. Everything stays in memory: the texts, the index, and dim floats a text.
 * Source: reciprocal rank fusion, Cormack, Clarke & Buettcher 2009, "Reciprocal Rank Fusion outperforms Condorcet and individual rank
 * learning methods", section 2 (k = 60). */
#ifndef QN_NN_FINDER_H
#define QN_NN_FINDER_H
#include "core/err.h"
#include "core/mem.h"
#include "nn/encoder.h"

typedef struct qn_finder qn_finder;
typedef struct { size_t index; double score; } qn_finder_hit;
typedef enum { QN_BY_WORDS, QN_BY_MEANING, QN_BY_BOTH, QN_N_FINDER_BY } qn_finder_by;
extern const char *const qn_finder_by_names[QN_N_FINDER_BY];        /* "words", "meaning", "both" */

/* encoder: borrowed for the finder's life; NULL: words alone. */
qn_finder *qn_finder_new(qn_encoder *encoder);
void    qn_finder_free(qn_finder *f);                               /* NULL is fine */
/* Copies the text: index 0, 1, 2 ... With an encoder it is embedded at once. Errors: the encoder's. */
qn_code qn_finder_add(qn_finder *f, qn_str text, qn_err *e);
/* The same with a vector (dim) of length 1 that was worked out before; only where there is an encoder. */
void    qn_finder_add_with(qn_finder *f, qn_str text, const float *vector);
/* Vectors that are made elsewhere and come after all texts are in: makes room for dim numbers a text (zeros), then takes one text's vector of length 1.
 * Only without an encoder; queries are then found by qn_finder_near. Not while others search. */
void    qn_finder_expect(qn_finder *f, size_t dim);
void    qn_finder_put(qn_finder *f, size_t index, const float *vector);
size_t  qn_finder_n(const qn_finder *f);
qn_str  qn_finder_text(const qn_finder *f, size_t index);           /* borrowed */
size_t  qn_finder_bytes(const qn_finder *f);
/* The k best, best first; by words fewer when no more share a word with the query.
 *   by    without an encoder only QN_BY_WORDS      out   room for k      *n   how many
 * Cost: BM25's postings where words count, n dot products where the meaning does. Any number of threads may ask at once: they take turns. */
qn_code qn_finder_find(qn_finder *f, qn_finder_by by, qn_str query, size_t k, qn_finder_hit *out, size_t *n, qn_err *e);
/* The same with the query's vector (dim, of length 1) given: no encoder is asked, so nothing can fail. */
void    qn_finder_near(qn_finder *f, qn_finder_by by, qn_str query, const float *vector, size_t k, qn_finder_hit *out, size_t *n);
#endif
