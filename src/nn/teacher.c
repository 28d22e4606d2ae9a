/* teacher: rows' texts in a search, and its scores for the candidates of a batch. */
#include "nn/teacher.h"
#include "core/mem.h"
#include "nn/gemm.h"

typedef struct { qn_str query; size_t from, n; } row;       /* candidates: texts[from .. from + n) */

struct qn_teacher {
    qn_search_by by;
    qn_encoder *encoder;
    qn_search *search;
    row *rows;
    size_t n, cap;
    size_t *texts;              /* numbers in the search, row after row */
    size_t n_texts, cap_texts;
};

qn_code qn_teacher_new(qn_teacher **out, qn_search_by by, const char *encoder_dir, int max_tokens, int n_threads, qn_err *e)
{
    qn_teacher *t = QN_NEW(qn_teacher);
    *out = t;
    t->by = by;
    t->search = qn_search_new();
    if (by == QN_SEARCH_BM25) return QN_OK;
    QN_TRY(qn_encoder_open(&t->encoder, encoder_dir, e));
    qn_encoder_threads(t->encoder, n_threads);
    if (max_tokens > 0) qn_encoder_max_tokens(t->encoder, max_tokens);
    qn_encoder_bf16(t->encoder, true);          /* cosines differ in the third digit */
    qn_search_use(t->search, t->encoder);
    return QN_OK;
}

void qn_teacher_free(qn_teacher *t)
{
    if (!t) return;
    qn_search_free(t->search);
    qn_encoder_close(t->encoder);
    qn_free(t->rows);
    qn_free(t->texts);
    qn_free(t);
}

void qn_teacher_add(qn_teacher *t, qn_str query, const qn_str *texts, size_t n)
{
    QN_GROW(t->rows, t->n, t->cap);
    t->rows[t->n++] = (row){ query, t->n_texts, n };
    for (size_t i = 0; i < n; i++) {
        QN_GROW(t->texts, t->n_texts, t->cap_texts);
        t->texts[t->n_texts++] = qn_search_add(t->search, texts[i]);
    }
}

qn_code qn_teacher_scores(void *arg, const uint32_t *rows, size_t n, float *out, qn_err *e)
{
    qn_teacher *t = arg;
    size_t all = qn_search_n(t->search), at = 0;
    qn_str *queries = QN_NEW_N(qn_str, n + 1);
    float *scores[QN_N_SEARCH] = { NULL }, *whole = scores[t->by] = qn_nn_alloc(n * all + 1);
    for (size_t i = 0; i < n; i++) queries[i] = t->rows[rows[i]].query;
    qn_code rc = qn_search_scores(t->search, queries, n, scores, e);
    for (size_t i = 0; rc == QN_OK && i < n; i++)
        for (size_t j = 0; j < n; j++) {
            const row *r = &t->rows[rows[j]];
            for (size_t k = 0; k < r->n; k++) out[at++] = whole[i * all + t->texts[r->from + k]];
        }
    qn_nn_free(whole);
    qn_free(queries);
    return rc;
}
