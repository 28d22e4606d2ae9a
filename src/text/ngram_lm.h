/* ngram_lm: a small language model over words, trained on the user's own good text; perplexity as a measure of strangeness.
 *
 * Interpolated Kneser-Ney smoothing with one discount per order, D = n1 / (n1 + 2 n2) (Kneser & Ney 1995; Chen & Goodman 1999, section
 * 2.7). Words are QN_WORDS_PLAIN in lower case; a text begins with BEGIN markers and ends with END. The lowest order is even over the
 * vocabulary and as many unseen words and 10,000 more, so that a word never seen is dear: taken as one class, unknown words would make
 * nonsense look plain to a small model. Filtering by such a model: Wenzek et al. 2020 (CCNet). */
#ifndef QN_TEXT_NGRAM_LM_H
#define QN_TEXT_NGRAM_LM_H
#include "core/err.h"

typedef struct qn_ngram_lm qn_ngram_lm;

qn_ngram_lm *qn_ngram_lm_new(int order);                /* 1..5; owned: qn_ngram_lm_free */
void   qn_ngram_lm_free(qn_ngram_lm *m);
void   qn_ngram_lm_add(qn_ngram_lm *m, qn_str text);    /* about 2 MB/s at order 3 */
void   qn_ngram_lm_finish(qn_ngram_lm *m);              /* after the last add, before the first question */
size_t qn_ngram_lm_bytes(const qn_ngram_lm *m);         /* about 60 bytes for each different n-gram */
size_t qn_ngram_lm_vocabulary(const qn_ngram_lm *m);    /* different words seen, END among them */
size_t qn_ngram_lm_unseen(const qn_ngram_lm *m);        /* words supposed to exist beside them */

typedef struct qn_perplexity { double perplexity; double unknown; size_t n_words; } qn_perplexity;  /* unknown: share of words never seen */
/* Perplexity per word with END counted; NaN for a text without words. Any thread once finished. */
qn_perplexity qn_ngram_lm_ask(const qn_ngram_lm *m, qn_str text);
/* Probability of one word behind the last order-1 words of `context`. "" as word asks for END. */
double qn_ngram_lm_word(const qn_ngram_lm *m, qn_str context, qn_str word);

/* A finished model as bytes, and back. Errors of load: QN_EDATA for bytes that are no such model. */
void    qn_ngram_lm_save(const qn_ngram_lm *m, qn_buf *out);
qn_code qn_ngram_lm_load(qn_str bytes, qn_ngram_lm **out, qn_err *e);
#endif
