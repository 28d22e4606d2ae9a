/* novelty: how close is a text to the nearest of a growing pool, by ROUGE-L? Exact, but most of the pool is never compared.
 *
 * For a new text, postings of its words give each pool text's number of shared words (with multiplicity), which no common
 * subsequence can exceed; only texts whose bound reaches the best value found so far are compared word by word.
 * Memory: 4 bytes a word and 8 a distinct word of every text, and the vocabulary.
 * Cost: 5 to 10 ns for each pool text of twenty words.
 * Source: Self-Instruct (Wang et al. 2022): keep a row only if ROUGE-L with everything in the pool is below 0.7. */
#ifndef QN_TEXT_NOVELTY_H
#define QN_TEXT_NOVELTY_H
#include "text/words.h"

typedef struct qn_novelty qn_novelty;
typedef struct { bool found; size_t index; double f; } qn_nearest_text;     /* found: some text shares a word; index: the earliest best */

/*   kind   QN_WORDS_ROUGE gives the values of the rouge-score package (use_stemmer=False); QN_WORDS_PLAIN works for every script */
qn_novelty *qn_novelty_new(qn_words_kind kind);
void   qn_novelty_free(qn_novelty *p);
void   qn_novelty_add(qn_novelty *p, qn_str text);          /* index: 0, 1, 2 ... in order of adding */
size_t qn_novelty_size(const qn_novelty *p);
size_t qn_novelty_bytes(const qn_novelty *p);               /* memory held */
/* The pool text with the highest F-measure against `text`.
 *   floor   values below it need not be exact: when the true maximum is below, found is false or f is some value below floor. 0: exact always */
qn_nearest_text qn_novelty_nearest(qn_novelty *p, qn_str text, double floor);
/* Every F-measure, without pruning.    out   (qn_novelty_size) values */
void   qn_novelty_each(qn_novelty *p, qn_str text, double *out);
#endif
