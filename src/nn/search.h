/* search: a set of passages, searched by the words of a query (BM25), by its embedding, or by both joined.
 *
 * Joined score = cosine + BM25 score / the query's highest BM25 score, each counted alike (a passage that shares no word with the query has 0
 * there). One thread at a time; the encoder splits its work over threads of its own.
 * Source of the joined form: a convex combination of normalised scores, Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid
 * Retrieval". */
#ifndef QN_NN_SEARCH_H
#define QN_NN_SEARCH_H
#include "nn/encoder.h"
#include "text/bm25.h"

typedef enum { QN_SEARCH_BM25, QN_SEARCH_ENCODER, QN_SEARCH_JOINED, QN_N_SEARCH } qn_search_by;
extern const char *const qn_search_names[QN_N_SEARCH];  /* "bm25", "encoder", "joined" */

typedef struct qn_search qn_search;
qn_search *qn_search_new(void);                         /* knows BM25 alone */
void   qn_search_free(qn_search *s);                    /* NULL is fine */
void   qn_search_use(qn_search *s, qn_encoder *encoder);/* borrowed until the search is freed; before the first qn_search_scores */
/* The passage's number; equal texts get one number. The text is copied. Not after the first qn_search_scores. */
size_t qn_search_add(qn_search *s, qn_str passage);
size_t qn_search_n(const qn_search *s);
qn_str qn_search_text(const qn_search *s, size_t i);    /* borrowed */
size_t qn_search_bytes(const qn_search *s);
/* Scores of all passages for n queries: out[by] is (n, passages) or NULL where it is not wanted.
 * The first call embeds the passages. Cost: one embedding a query, and n * passages * dim multiplications. */
qn_code qn_search_scores(qn_search *s, const qn_str *queries, size_t n, float *out[QN_N_SEARCH], qn_err *e);
/* How many of the passages score higher than passage `own`, or the same with a lower number, plus 1: its rank from 1. A score of 0 by BM25 is
 * no hit: rank 0. */
size_t qn_search_rank(const float *scores, size_t n, size_t own, qn_search_by by);
/* NDCG at k from the ranks (0: not found) of a query's n right passages, each counted alike; 0..1.
 * Source: Jarvelin and Kekalainen 2002, with binary gains. */
double qn_ndcg(const size_t *ranks, size_t n, size_t k);
#endif
