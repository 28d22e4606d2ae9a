/* hashed_classifier: a learned filter from a few hundred judged rows: logistic regression over hashed words, pairs of words and letters.
 *
 * Features (hashing trick, Weinberger et al. 2009): words and pairs of words (lower case), and letter 4-grams of words, each with weight
 * 1 + log count, the whole of length 1. Trained by AdaGrad (Duchi et al. 2011) with L2, both classes weighted equal, in an order that the
 * seed fixes: the same rows give the same weights. The idea of judging a set by a classifier trained on few judged rows: phi-1
 * (Gunasekar et al. 2023). */
#ifndef QN_TEXT_HASHED_CLASSIFIER_H
#define QN_TEXT_HASHED_CLASSIFIER_H
#include "core/err.h"

typedef struct qn_hashed_classifier qn_hashed_classifier;

typedef struct qn_classifier_scores {
    size_t n, n_good;           /* rows judged, and how many of them are good */
    double precision, recall, f1, accuracy;     /* of "good" at probability 0.5 */
    double auc;                 /* chance that a good row scores above a bad one */
} qn_classifier_scores;

/* texts (n), good (n). At least one row of each class. Owned: qn_hashed_classifier_free. */
qn_code qn_hashed_classifier_train(const qn_str *texts, const bool *good, size_t n, uint64_t seed, qn_hashed_classifier **out, qn_err *e);
double  qn_hashed_classifier_ask(const qn_hashed_classifier *c, qn_str text);   /* probability of good; any thread */
void    qn_hashed_classifier_free(qn_hashed_classifier *c);

/* Scores on rows that were not trained on: `folds` models, each judged on the part it did not see. */
qn_code qn_hashed_classifier_validate(const qn_str *texts, const bool *good, size_t n, int folds, uint64_t seed, qn_classifier_scores *out, qn_err *e);
/* Scores from probabilities. */
void    qn_classifier_score(const double *p, const bool *good, size_t n, qn_classifier_scores *out);
#endif
