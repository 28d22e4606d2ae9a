/* bm25: an index of texts and the k that answer a query best.
 *
 * Score = sum over the query's distinct words of idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)), with
 * k1 = 1.2, b = 0.75, idf = ln(1 + (n - n_with + 0.5) / (n_with + 0.5)). Words: QN_WORDS_PLAIN in lower case, no stemming.
 * Source: Robertson and Zaragoza 2009; the idf that stays positive is Lucene's. */
#ifndef QN_TEXT_BM25_H
#define QN_TEXT_BM25_H
#include "text/words.h"

typedef struct qn_bm25 qn_bm25;
typedef struct { size_t index; double score; } qn_bm25_hit;

qn_bm25 *qn_bm25_new(void);
void     qn_bm25_free(qn_bm25 *b);
void     qn_bm25_add(qn_bm25 *b, qn_str text);      /* index 0, 1, 2 ... */
size_t   qn_bm25_size(const qn_bm25 *b);
size_t   qn_bm25_bytes(const qn_bm25 *b);
/* The k best texts that share a word with the query, best first, equal scores in order of index. Returns how many.
 *   out   room for k         Cost: O(postings of the query's words + n). Not thread-safe. */
size_t   qn_bm25_top(qn_bm25 *b, qn_str query, size_t k, qn_bm25_hit *out);
#endif
