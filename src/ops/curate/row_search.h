/* row_search: rows that wait with a query each until all are in, and then come back one by one with the scores of all passages for their query.
 *
 *   qn_row_search_open, qn_row_search_keep for each row, qn_row_search_begin once, qn_row_search_next until it gives NULL
 *
 * Passages are added to `search` by the operator, before qn_row_search_begin. Queries, passages and vectors stay in memory; rows wait in memory,
 * then on disk. Scores are made for a block of rows at a time. One thread. */
#ifndef QN_OPS_CURATE_ROW_SEARCH_H
#define QN_OPS_CURATE_ROW_SEARCH_H
#include "data/rowstore.h"
#include "nn/search.h"
#include "ops/op.h"

enum { QN_ROW_SEARCH_BLOCK = 256 };
typedef struct { qn_str query; size_t *own, n_own; } qn_row_query;     /* own: numbers of the row's own passages in the search, (n_own) */
typedef struct qn_row_search {
    qn_arena arena;                     /* holds what a qn_row_query points to */
    qn_search *search;
    qn_rowstore *rows;
    qn_encoder *encoder;
    qn_row_query *all;
    size_t n, cap, at;                  /* at: the next row */
    float *scores[QN_N_SEARCH];         /* (QN_ROW_SEARCH_BLOCK, passages) for the rows from the last multiple of the block on; NULL: not wanted */
    bool begun;
} qn_row_search;

/* Zeroed before. Rows take up to a quarter of memory_bytes, then go to disk. */
static inline void qn_row_search_open(qn_row_search *s, size_t memory_bytes)
{
    s->rows = qn_rowstore_new(memory_bytes / 4, NULL);
    s->search = qn_search_new();
}

static inline void qn_row_search_close(qn_row_search *s)
{
    qn_rowstore_free(s->rows);
    qn_search_free(s->search);
    qn_encoder_close(s->encoder);
    for (int by = 0; by < QN_N_SEARCH; by++) qn_free(s->scores[by]);
    qn_free(s->all);
    qn_arena_free(&s->arena);
}

/* The row moves; q is copied, what it points to is in s->arena. */
static inline qn_code qn_row_search_keep(qn_row_search *s, qn_row_query q, qn_row *r, qn_err *e)
{
    QN_GROW(s->all, s->n, s->cap);
    s->all[s->n++] = q;
    return qn_rowstore_put(s->rows, r, e);
}

/* All rows and passages are in: opens the encoder (when a wanted way needs one) and makes room for the scores. Under `plan` an encoder that an earlier
 * step trains is not there (its folder is ""): cosines are then 0. */
static inline qn_code qn_row_search_begin(qn_row_search *s, const bool want[QN_N_SEARCH], const qn_model *encoder, int n_threads, qn_err *e)
{
    bool planned = encoder && encoder->folder && !*encoder->folder;
    if (!planned && (want[QN_SEARCH_ENCODER] || want[QN_SEARCH_JOINED])) {
        QN_TRY(qn_encoder_open(&s->encoder, encoder->folder, e));
        qn_encoder_threads(s->encoder, n_threads);
        qn_encoder_bf16(s->encoder, true);          /* cosines differ in the third digit, the order of passages hardly */
        qn_search_use(s->search, s->encoder);
    }
    for (int by = 0; by < QN_N_SEARCH; by++)
        if (want[by]) s->scores[by] = QN_NEW_N(float, QN_ROW_SEARCH_BLOCK * qn_search_n(s->search));
    s->begun = true;
    return QN_OK;
}

/* The next row, owned by the caller, or NULL; *q, its query, and scores[by], (passages) or NULL where not wanted, hold until the next call.
 * Cost: at the first row of a block the scores of the whole block. */
static inline qn_code qn_row_search_next(qn_row_search *s, qn_row **out, const qn_row_query **q, const float *scores[QN_N_SEARCH], qn_err *e)
{
    size_t first = s->at % QN_ROW_SEARCH_BLOCK, n = s->n - s->at < QN_ROW_SEARCH_BLOCK ? s->n - s->at : QN_ROW_SEARCH_BLOCK;
    *out = NULL;
    if (s->at == s->n) return QN_OK;
    if (first == 0) {
        qn_str queries[QN_ROW_SEARCH_BLOCK];
        for (size_t i = 0; i < n; i++) queries[i] = s->all[s->at + i].query;
        float *made[QN_N_SEARCH] = { [QN_SEARCH_BM25] = s->scores[QN_SEARCH_BM25] };
        QN_TRY(qn_search_scores(s->search, queries, n, s->encoder ? s->scores : made, e));
    }
    for (int by = 0; by < QN_N_SEARCH; by++) scores[by] = s->scores[by] ? s->scores[by] + first * qn_search_n(s->search) : NULL;
    *q = &s->all[s->at];
    return qn_rowstore_take(s->rows, s->at++, out, e);
}
#endif
