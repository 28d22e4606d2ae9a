/* span: an encoder that reads: a question and passages go in, the answer is a run of words of one passage. A head scores each word as the
 * answer's first and as its last; the answer is the run, at most so long, with the largest sum.
 *
 *   [CLS] question [SEP] choices [SEP] passage [SEP] passage [SEP]      tokens behind the first [SEP] are of type 1
 *
 * Choices are answers that stand in no passage ("yes", "no"): the model's own, the same for every question. Words are cut at white space and
 * marks; an answer begins and ends at a word's edge, so it is always text of the passage as it stands.
 * Sources: Devlin et al. 2019 (BERT), section 4.2; an answer that stands in several places: Clark and Gardner 2018, section 3.2. */
#ifndef QN_NN_SPAN_H
#define QN_NN_SPAN_H
#include "nn/encoder.h"

/* A word: its first and last token, its bytes in its passage. passage < 0: choice -1 - passage, whole. */
typedef struct { int32_t first, last, passage; uint32_t from, to; } qn_span_word;
typedef struct {                /* zero-initialise; owned: qn_reading_free */
    qn_ids ids;
    int32_t n_question;         /* tokens of type 0 */
    qn_span_word *words;        /* of choices and passages, in order */
    size_t n_words, cap_words;
    bool cut;                   /* passages were longer than the model takes: the longest lost their ends */
} qn_reading;
typedef struct { uint32_t first, last; } qn_span_place;                 /* words */
typedef struct { int passage; size_t from, to; double p; } qn_span;     /* bytes; passage < 0: a choice; p among all runs allowed */
typedef struct { const qn_reading *in; const qn_span_place *gold; size_t n_gold; } qn_span_row;
enum { QN_SPAN_TOKENS = 30 };   /* longest answer, unless something else is asked */

bool qn_encoder_reads(const qn_encoder *m);                             /* has the head */
/* A head of random weights and the choices, copied; nothing when there. */
void qn_encoder_add_span(qn_encoder *m, uint64_t seed, const qn_str *choices, size_t n);

/* A question and its passages as the model sees them. QN_ELIMIT when the question leaves no room; QN_EDATA when the
 * passages have no words; QN_EUSAGE without a tokenizer of the BERT family. */
qn_code qn_reading_lay(qn_encoder *m, qn_str question, const qn_str *passages, size_t n, qn_reading *out, qn_err *e);
void    qn_reading_free(qn_reading *r);
/* Where the answer stands: a choice, or every run of words that are its words, whatever their case; marks around the answer may be left
 * out. start >= 0: only the place that holds this byte of the first passage. Returns how many; *out: the list, owned (qn_free) even when empty. */
size_t  qn_reading_find(const qn_encoder *m, const qn_reading *r, const qn_str *passages, qn_str answer, int64_t start, qn_span_place **out);

/* The k likeliest runs of at most `longest` tokens, likeliest first, no two of the same text; with a temperature above 0 they are drawn
 * instead, by `key` alone. out (k); *n how many. QN_EUSAGE when the model has no head. */
qn_code qn_encoder_answer(qn_encoder *m, const qn_reading *r, const qn_str *passages, size_t k, int longest, double temperature, uint64_t key,
                          qn_span *out, size_t *n, qn_err *e);
/* The text of a span; borrowed from passages or the model. */
qn_str  qn_span_text(const qn_encoder *m, const qn_str *passages, const qn_span *s);

/* The loss of a row: - log of the sum over the answer's places of p(first) p(last), p over all words. Rows are borrowed for the call;
 * s->right: rows of the step whose likeliest run is one of the places. Checkpoints and resuming as in fit.h. */
qn_code qn_encoder_train_span(qn_encoder *m, const qn_fit_options *o, const qn_span_row *rows, size_t n, qn_fit_state *last, qn_err *e);
/* Mean loss, and share of rows read right; the weights stay. Errors: QN_EUSAGE without a head. */
qn_code qn_encoder_measure_span(qn_encoder *m, int pass_tokens, const qn_span_row *rows, size_t n, double *loss, double *right, qn_err *e);
#endif
