/* embedding: the vector of a row's text, from a sentence encoder that quern runs itself (a folder with config.json, model.safetensors and
 * tokenizer.json) or from an embeddings endpoint; always of length 1.
 *
 * `turn` asks the endpoint once, or computes at once when there is none. One encoder serves all workers, one text at a time: it splits each over
 * threads of its own. */
#ifndef QN_OPS_CURATE_EMBEDDING_H
#define QN_OPS_CURATE_EMBEDDING_H
#include "core/thread.h"
#include "nn/encoder.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include <math.h>

typedef struct qn_embedder { qn_encoder *encoder; pthread_mutex_t lock; } qn_embedder;     /* zeroed: no encoder */

static inline qn_code qn_embedder_open(qn_embedder *m, const char *dir, int n_threads, qn_err *e)
{
    pthread_mutex_init(&m->lock, NULL);
    if (!dir) return QN_OK;
    QN_TRY(qn_encoder_open(&m->encoder, dir, e));
    qn_encoder_threads(m->encoder, n_threads);
    return QN_OK;
}

static inline void qn_embedder_close(qn_embedder *m)
{
    qn_encoder_close(m->encoder);
    pthread_mutex_destroy(&m->lock);
}

static inline void qn_embedding_unit(float *v, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += (double)v[i] * v[i];
    if (s > 0) for (size_t i = 0; i < n; i++) v[i] = (float)((double)v[i] / sqrt(s));
}

/* A list of numbers as a unit vector in `a`. */
static inline qn_code qn_embedding_of_list(qn_value list, qn_arena *a, float **v, size_t *n, qn_err *e)
{
    qn_v_iter it = qn_v_iter_of(list);
    qn_value x;
    size_t i = 0;
    if (list.kind != QN_V_LIST || list.n == 0) return qn_fail(e, QN_EDATA, "a list of numbers is needed as the vector, there is a %s", qn_v_kind_name(list));
    *v = QN_ARENA_NEW_N(a, float, list.n);
    *n = list.n;
    while (qn_v_next(&it, NULL, &x)) {
        if (!qn_v_is_number(x)) return qn_fail(e, QN_EDATA, "a vector holds a %s", qn_v_kind_name(x));
        (*v)[i++] = (float)qn_v_number(x);
    }
    qn_embedding_unit(*v, *n);
    return QN_OK;
}

static inline qn_code qn_embedding_compute(qn_embedder *m, qn_str text, qn_arena *a, float **v, size_t *n, qn_err *e)
{
    *n = (size_t)qn_encoder_dim(m->encoder);
    *v = QN_ARENA_NEW_N(a, float, *n);
    pthread_mutex_lock(&m->lock);
    qn_code rc = qn_encoder_embed(m->encoder, &text, 1, *v, e);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

/* The first call of a row (t->n_replies 0) asks, or gives the vector when quern computes it; the next gives it. *v stays NULL while it is asked for. */
static inline qn_code qn_embedding_turn(qn_embedder *m, const qn_model *model, const qn_expr *text, qn_ctx *cx, const qn_row *r, qn_turn *t, float **v, size_t *n, qn_err *e)
{
    qn_str s;
    *v = NULL;
    if (t->n_replies) {
        qn_value list = t->replies[0].embeddings;
        if (list.kind != QN_V_LIST || list.n != 1) return qn_fail(e, QN_EDATA, "the endpoint gave %u vectors for one text", list.kind == QN_V_LIST ? list.n : 0);
        return qn_embedding_of_list(qn_v_at(list, 0), t->arena, v, n, e);
    }
    QN_TRY(qn_pick_text(text, r, cx->scratch, &s, e));
    if (!model) return qn_embedding_compute(m, s, t->arena, v, n, e);
    qn_buf b = {0};
    qn_buf_puts(&b, "{\"input\":[");
    qn_json_write_text(&b, s);
    qn_buf_puts(&b, "]}");
    qn_ask ask = { .kind = QN_ASK_EMBED, .model = model, .body = qn_buf_view(&b) };
    qn_turn_ask(t, &ask);
    qn_buf_free(&b);
    return QN_OK;
}
#endif
