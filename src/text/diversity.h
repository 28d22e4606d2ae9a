/* diversity: how varied is a set of texts? Words are QN_WORDS_PLAIN in lower case throughout. */
#ifndef QN_TEXT_DIVERSITY_H
#define QN_TEXT_DIVERSITY_H
#include "text/vectors.h"
#include "text/words.h"

/* distinct-n: different n-grams / all n-grams of the set, 0..1; 0 when there are none. Falls with the number of texts: compare
 * sets of equal size only. Source: Li et al. 2016. */
double qn_distinct_n(const qn_str *texts, size_t n_texts, int n);

/* self-BLEU: mean over the texts of BLEU-4 with all others as references, 0..1; high: the texts resemble one another.
 * Clipped n-gram precisions (an order with none counts 0.1 matches), brevity against the nearest length. 0 for fewer than two
 * texts; texts without words are left out. Cost: linear in words.
 * Source: Zhu et al. 2018 (Texygen); smoothing: Chen and Cherry 2014, method 1. */
double qn_self_bleu(const qn_str *texts, size_t n_texts);

/* Vendi score: exp of the entropy of the eigenvalues of K / n, K the cosine similarities of the vectors: the number of different
 * texts in effect, 1..n.
 *   v   unit vectors; cost O(m^3) with m = min(n, dim when dense): sample to some hundreds first.
 * Source: Friedman and Dieng 2023. */
double qn_vendi(const qn_vectors *v);

/* Eigenvalues of a symmetric matrix, ascending.   a (n, n) is destroyed; out (n).   Householder and QL (EISPACK tred1, tql1). */
void   qn_eigenvalues(double *a, size_t n, double *out);
#endif
