/* score: is a reply right? Measures of question answering, of samples, of rankings. Pure functions, 0..1 each.
 *
 * Two texts are compared in a normal form: lower-case, without a, an, the, ASCII punctuation and typographic quotes and dashes; what
 * reads as a number (thousands separators, a currency sign, %, trailing zeros) is that number: "$1,000.50" is "1000.5". */
#ifndef QN_TEXT_SCORE_H
#define QN_TEXT_SCORE_H
#include "core/str.h"

void   qn_score_normal(qn_str text, qn_buf *out);           /* words with single spaces between; appended */
/* EM: equal normal forms. */
bool   qn_score_exact(qn_str gold, qn_str reply);
/* soft EM: the gold's words stand in the reply's, one after the other. False for a gold without words. */
bool   qn_score_soft(qn_str gold, qn_str reply);
/* F1 of the words of both normal forms, each counted as often as it occurs (Rajpurkar et al. 2016). 1 when neither has words, 0 when one has none. */
double qn_score_f1(qn_str gold, qn_str reply);
/* ROUGE-L F-measure over runs of [a-z0-9], as the rouge-score package without stemmer (Lin 2004). */
double qn_score_rouge_l(qn_str gold, qn_str reply);
/* Equal as multisets of normal forms: list order does not matter. */
bool   qn_score_set(const qn_str *gold, size_t n_gold, const qn_str *reply, size_t n_reply);
/* Appends a text that is the same for equal multisets alone: the normal forms in order, a 0x1f behind each. */
void   qn_score_set_form(const qn_str *cells, size_t n, qn_buf *out);

/* Probability that at least one of k drawn from n samples is right, c of which are: 1 - C(n - c, k) / C(n, k) (Chen et al. 2021). NAN when k > n. */
double qn_pass_at(int64_t n, int64_t c, int64_t k);

/* Rankings: gain[i] is the grade of the hit at place i (0: not relevant). n_relevant, ideal: all relevant items' grades, best first.
 * NDCG with linear gain and log2 discount (Jarvelin and Kekalainen 2002), as trec_eval. */
double qn_ndcg_at(const double *gain, size_t n, const double *ideal, size_t n_relevant, size_t k);
double qn_mrr_at(const double *gain, size_t n, size_t k);   /* 1 / place of the first relevant hit, 0 when it is not among k */
double qn_recall_at(const double *gain, size_t n, size_t n_relevant, size_t k);
#endif
