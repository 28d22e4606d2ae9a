/* encoder: sentence embeddings by a network of the BERT family (all-MiniLM-L6-v2 and its like): WordPiece, bidirectional attention,
 * mean over tokens, unit length. A model is a folder: config.json, model.safetensors, tokenizer.json.
 * Sources: Devlin et al. 2019 (BERT); Reimers & Gurevych 2019 (Sentence-BERT); Henderson et al. 2017 (the ranking loss).
 * One encoder is used by one thread at a time; it splits its work over a pool of its own. */
#ifndef QN_NN_ENCODER_H
#define QN_NN_ENCODER_H
#include "nn/decoder.h"
#include "nn/fit.h"
#include "nn/tokenizer.h"

typedef struct { int vocab, d, layers, heads, ff, max_pos, types; float eps; } qn_encoder_config;
typedef struct qn_encoder qn_encoder;

qn_code qn_encoder_open(qn_encoder **m, const char *dir, qn_err *e);    /* owned: qn_encoder_close */
/* Random weights; no tokenizer: texts as ids only. */
qn_code qn_encoder_new(qn_encoder **m, const qn_encoder_config *c, uint64_t seed, qn_err *e);
void    qn_encoder_close(qn_encoder *m);                                /* NULL is fine */
qn_code qn_encoder_save(const qn_encoder *m, const char *dir, qn_err *e); /* with the tokenizer and sentence-transformers' files */
const qn_encoder_config *qn_encoder_cfg(const qn_encoder *m);
int     qn_encoder_dim(const qn_encoder *m);
void    qn_encoder_threads(qn_encoder *m, int n);                       /* <= 0: one for each core, the default */
bool    qn_encoder_bf16(qn_encoder *m, bool on);                        /* as qn_decoder_bf16; embeddings keep cosines above 0.999 with those of f32 */
qn_tokenizer *qn_encoder_tokenizer(qn_encoder *m);                      /* borrowed; NULL when there is none */
/* Most tokens of a text, [CLS] and [SEP] counted; longer ones are cut. Read from sentence_bert_config.json, else max_pos. */
void    qn_encoder_max_tokens(qn_encoder *m, int n);
int     qn_encoder_longest(const qn_encoder *m);                        /* what it is */

/* out (n, dim): one row of length 1 for each text. An embedding does not depend on the texts beside it, nor on threads. In f32 products are
 * made on matrix tiles where the processor has them: as exact, with other last bits (QN_MUL_F32_TILES, nn/gemm.h); QUERN_GEMM=avx512 keeps
 * to multiply-adds.
 * Cost: texts are taken by length, without padding.  Errors: embed_ids: QN_ELIMIT for a text of no or too many tokens, QN_EDATA for an
 * id that the model does not know; embed: QN_EDATA for a text without tokens, QN_EUSAGE without a tokenizer. */
qn_code qn_encoder_embed(qn_encoder *m, const qn_str *texts, size_t n, float *out, qn_err *e);
qn_code qn_encoder_embed_ids(qn_encoder *m, const qn_seq *s, size_t n, float *out, qn_err *e);
/* Ids of a text as embed sees them, cut to max_tokens; added to `out`. */
qn_code qn_encoder_ids(qn_encoder *m, qn_str text, qn_ids *out, qn_err *e);

/* Multiple negatives ranking: each query's positive must score above all other positives and all hard negatives of its
 * batch: cross-entropy of scale * cosine. A candidate equal to the query's own positive or to the query is left out. */
typedef struct { qn_seq query, positive; const qn_seq *negatives; int n_negatives; } qn_ranking_row;
/* What is learnt. Without a teacher: that a query's own positive is the one. With one, the target over a batch's candidates is, by
 * teacher_share, the softmax of teacher_scale * its scores (distillation); the loss is then the Kullback-Leibler divergence from it.
 * teacher(teacher_arg, rows, n, out (n, candidates)): scores for the queries of the rows with these numbers; candidates are, for each of
 * the rows in turn, its positive and its negatives. */
typedef qn_code qn_ranking_scores(void *arg, const uint32_t *rows, size_t n, float *out, qn_err *e);
typedef struct { double scale, teacher_scale, teacher_share; qn_ranking_scores *teacher; void *teacher_arg; } qn_ranking_loss; /* scale 0: 20 */
/* The batch may be larger than what goes through the network at once (o->pass_tokens, 0: 8192): embeddings come first, then each
 * pass again for its gradient (Gao et al. 2021). Checkpoints and resuming as in fit.h; a teacher must score as it did before. */
qn_code qn_encoder_train_ranking(qn_encoder *m, const qn_fit_options *o, const qn_ranking_loss *k, const qn_ranking_row *rows, size_t n,
                                 qn_fit_state *last, qn_err *e);
#endif
