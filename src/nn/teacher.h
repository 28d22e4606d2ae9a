/* teacher: a search over the texts of all rows that are trained on, whose scores an encoder learns to give: by words (BM25), by an encoder
 * that stays as it is, or by both joined (nn/search.h).
 * Source: Lin, Yang and Lin 2021, "In-Batch Negatives for Knowledge Distillation". */
#ifndef QN_NN_TEACHER_H
#define QN_NN_TEACHER_H
#include "nn/search.h"

typedef struct qn_teacher qn_teacher;
/* encoder_dir: a model's folder; not looked at when `by` is QN_SEARCH_BM25. max_tokens: of a text, as it reads it; 0: as the model says.
 * Owned, after an error too: qn_teacher_free. Errors: those of qn_encoder_open. */
qn_code qn_teacher_new(qn_teacher **t, qn_search_by by, const char *encoder_dir, int max_tokens, int n_threads, qn_err *e);
void    qn_teacher_free(qn_teacher *t);     /* NULL is fine */
/* One row, numbered 0, 1, 2 ...: its query, borrowed, and its candidates (n), copied; equal texts are kept once. */
void    qn_teacher_add(qn_teacher *t, qn_str query, const qn_str *texts, size_t n);
/* out (n, candidates): the scores of `n` rows' queries for the candidates of all of these rows, one after the other. A qn_ranking_scores.
 * The first call embeds all texts. Cost: as qn_search_scores. */
qn_code qn_teacher_scores(void *t, const uint32_t *rows, size_t n, float *out, qn_err *e);
#endif
