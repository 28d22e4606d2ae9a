/* twosample: can two sets of texts be told apart, and how far are they from each other?
 *
 * Both measures compare distributions, not rows: a synthetic set that repeats the real one scores well, so look at
 * duplicates too. */
#ifndef QN_TEXT_TWOSAMPLE_H
#define QN_TEXT_TWOSAMPLE_H
#include "text/vectors.h"
#include "text/words.h"

typedef struct { double auc, low, high; size_t n_a, n_b; } qn_auc;      /* 95% interval, cut to 0..1 */

/* Area under the ROC curve of a classifier that tells B from A: 0.5 cannot be told apart, 1 always.
 * Logistic regression (L2, 12 epochs of AdaGrad) over hashed word 1- and 2-grams and the text's length, judged by 5-fold
 * cross-validation; equal texts share a fold, so a text in both sets cannot be learned by heart. The interval is DeLong's within
 * each fold, combined.
 *   auc is 0.5 and the interval 0..1 when a set has fewer than 10 texts.
 * Source: classifier two-sample tests: Lopez-Paz and Oquab 2017; DeLong et al. 1988. */
qn_auc qn_twosample_auc(const qn_str *a, size_t n_a, const qn_str *b, size_t n_b, uint64_t seed);

/* AUC of scores and its variance by DeLong's formula: pairs (positive, negative) in right order, ties half. */
double qn_auc_of(const double *pos, size_t n_pos, const double *neg, size_t n_neg, double *variance);

/* MAUVE of two histograms over the same cells: area under the divergence frontier, 0..1; 1: equal.
 *   p, q    (k) counts      scale  5 in the paper
 * Source: Pillutla et al. 2021. */
double qn_mauve(const double *p, const double *q, size_t k, double scale);
/* The same from vectors: the first n_a are A's, the rest B's; cells are k-means clusters (k = n / 20, 2..100) over both.
 * "MAUVE-like": the vectors are the caller's (TF-IDF, MiniLM), not GPT-2's. */
double qn_mauve_vectors(const qn_vectors *v, size_t n_a, uint64_t seed);
#endif
