/* embedding: the vector of a row's text, from a sentence encoder that quern runs itself (a folder with config.json, model.safetensors and
 * tokenizer.json) or from an embeddings endpoint; always of length 1.
 *
 * `turn` asks the endpoint once, or computes at once when there is none; `ahead` computes the vectors of many rows together, which the encoder does in
 * less time than one by one, and leaves each with its row. A worker takes one of a few copies of the encoder for that long; a vector depends neither on which
 * nor on the texts beside it. */
#ifndef QN_OPS_CURATE_EMBEDDING_H
#define QN_OPS_CURATE_EMBEDDING_H
#include "core/thread.h"
#include "nn/encoder.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include <math.h>

enum { QN_MAX_ENCODERS = 4 };
typedef struct qn_embedder {                    /* zeroed: no encoder */
    qn_encoder *encoders[QN_MAX_ENCODERS];
    pthread_mutex_t locks[QN_MAX_ENCODERS];
    int n, next;
} qn_embedder;

/* Holds one copy of the weights for each of up to four workers (all-MiniLM-L6-v2: 90 MB each). */
static inline qn_code qn_embedder_open(qn_embedder *m, const char *dir, int n_threads, qn_err *e)
{
    int want = !dir ? 0 : n_threads < 1 ? 1 : n_threads < QN_MAX_ENCODERS ? n_threads : QN_MAX_ENCODERS;
    for (; m->n < want; m->n++) {
        QN_TRY(qn_encoder_open(&m->encoders[m->n], dir, e));
        qn_encoder_threads(m->encoders[m->n], n_threads / want > 1 ? n_threads / want : 1);
        pthread_mutex_init(&m->locks[m->n], NULL);
    }
    return QN_OK;
}

static inline void qn_embedder_close(qn_embedder *m)
{
    for (int i = 0; i < m->n; i++) {
        qn_encoder_close(m->encoders[i]);
        pthread_mutex_destroy(&m->locks[i]);
    }
}

/* `open` and `close` of an operator that keeps nothing but an embedder. */
static inline qn_code qn_embedder_new(const char *dir, int n_threads, void **state, qn_err *e)
{
    qn_embedder *m = QN_NEW(qn_embedder);
    *state = m;
    return qn_embedder_open(m, dir, n_threads, e);
}

static inline void qn_embedder_free(void *state)
{
    qn_embedder_close(state);
    qn_free(state);
}

/* An encoder that no other worker uses now; waits for one when all are busy. Released with qn_embedder_release. */
static inline int qn_embedder_take(qn_embedder *m)
{
    for (int i = 0; i < m->n; i++)
        if (pthread_mutex_trylock(&m->locks[i]) == 0) return i;
    int i = (int)((unsigned)__atomic_fetch_add(&m->next, 1, __ATOMIC_RELAXED) % (unsigned)m->n);
    pthread_mutex_lock(&m->locks[i]);
    return i;
}
static inline void qn_embedder_release(qn_embedder *m, int i) { pthread_mutex_unlock(&m->locks[i]); }

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

/* The vectors of n texts by our own encoder; out: (n, dim). */
static inline qn_code qn_embedder_embed(qn_embedder *m, const qn_str *texts, size_t n, float *out, qn_err *e)
{
    int i = qn_embedder_take(m);
    qn_code rc = qn_encoder_embed(m->encoders[i], texts, n, out, e);
    qn_embedder_release(m, i);
    return rc;
}

static inline qn_code qn_embedding_compute(qn_embedder *m, qn_str text, qn_arena *a, float **v, size_t *n, qn_err *e)
{
    *n = (size_t)qn_encoder_dim(m->encoders[0]);
    *v = QN_ARENA_NEW_N(a, float, *n);
    return qn_embedder_embed(m, &text, 1, *v, e);
}

/* A vector that waits with its row (qn_row_attach). */
typedef struct qn_embedding_note { size_t n; float v[]; } qn_embedding_note;

static inline qn_embedding_note *qn_embedding_note_of(const float *v, size_t n)
{
    qn_embedding_note *k = qn_alloc(sizeof *k + n * sizeof *v);
    k->n = n;
    memcpy(k->v, v, n * sizeof *v);
    return k;
}

/* The vectors of the rows' texts, each left with its row; where one cannot be had none is left, and the row finds out by itself. */
static inline void qn_embedding_ahead(qn_embedder *m, const qn_expr *text, qn_ctx *cx, qn_row *const *rows, size_t n)
{
    qn_str texts[QN_OP_AHEAD];
    size_t of[QN_OP_AHEAD], k = 0;
    qn_err e = {0};
    if (m->n == 0 || !text) return;
    size_t dim = (size_t)qn_encoder_dim(m->encoders[0]);
    for (size_t i = 0; i < n; i++)
        if (qn_pick_text(text, rows[i], cx->scratch, &texts[k], &e) == QN_OK) of[k++] = i;
    float *v = QN_ARENA_NEW_N(cx->scratch, float, (k + 1) * dim);
    if (k < 2 || qn_embedder_embed(m, texts, k, v, &e) != QN_OK) return;
    for (size_t i = 0; i < k; i++) qn_row_attach(rows[of[i]], qn_embedding_note_of(v + i * dim, dim));
}

/* Asks the endpoint for the vectors of n texts in one request; shared: they are not this row's alone. */
static inline void qn_embedding_ask_for(qn_turn *t, const qn_model *model, const qn_str *texts, size_t n, bool shared)
{
    qn_buf b = {0};
    qn_buf_puts(&b, "{\"input\":[");
    for (size_t i = 0; i < n; i++) {
        if (i) qn_buf_putc(&b, ',');
        qn_json_write_text(&b, texts[i]);
    }
    qn_buf_puts(&b, "]}");
    qn_ask ask = { .kind = QN_ASK_EMBED, .model = model, .body = qn_buf_view(&b), .shared = shared };
    qn_turn_ask(t, &ask);
    qn_buf_free(&b);
}
static inline void qn_embedding_ask(qn_turn *t, const qn_model *model, const qn_str *texts, size_t n) { qn_embedding_ask_for(t, model, texts, n, false); }

/* What a row between its turns has asked for: its own texts, and pieces of a collection that all rows share. piece[i]: what the i-th reply holds. */
#define QN_EMBEDDING_OWN SIZE_MAX
typedef struct qn_embedding_asks { size_t *piece, n, n_taken, cap; } qn_embedding_asks;      /* zeroed: nothing asked for */

/* Asks for the vectors of `texts`, which are piece `piece` of the collection or the row's own. */
static inline void qn_embedding_ask_piece(qn_embedding_asks *k, qn_turn *t, const qn_model *model, size_t piece, const qn_str *texts, size_t n)
{
    if (k->n == k->cap) {
        size_t cap = k->cap ? k->cap * 2 : 8;
        size_t *bigger = QN_ARENA_NEW_N(t->arena, size_t, cap);
        if (k->n) memcpy(bigger, k->piece, k->n * sizeof *bigger);
        k->piece = bigger;
        k->cap = cap;
    }
    k->piece[k->n++] = piece;
    qn_embedding_ask_for(t, model, texts, n, piece != QN_EMBEDDING_OWN);
}

/* The reply to it as unit vectors, *out: (n, *dim) in `a`. A *dim other than 0 is a length they must have. */
static inline qn_code qn_embedding_of_reply(const qn_reply *reply, size_t n, qn_arena *a, float **out, size_t *dim, qn_err *e)
{
    qn_value all = reply->embeddings, list;
    if (all.kind != QN_V_LIST || all.n != n) return qn_fail(e, QN_EDATA, "the endpoint gave %u vectors for %zu text%s", all.kind == QN_V_LIST ? all.n : 0, n, n == 1 ? "" : "s");
    qn_v_iter it = qn_v_iter_of(all);
    for (size_t i = 0; qn_v_next(&it, NULL, &list); i++) {
        float *v = NULL;
        size_t d = 0;
        QN_TRY(qn_embedding_of_list(list, a, &v, &d, e));
        if (*dim == 0) *dim = d;
        if (d != *dim) return qn_fail(e, QN_EDATA, "the endpoint gave a vector of %zu numbers beside one of %zu", d, *dim);
        if (i == 0) *out = QN_ARENA_NEW_N(a, float, n * d);
        memcpy(*out + i * d, v, d * sizeof *v);
    }
    return QN_OK;
}

/* The first call of a row (t->n_replies 0) asks, or gives the vector when quern computes it; the next gives it. *v stays NULL while it is asked for. */
static inline qn_code qn_embedding_turn(qn_embedder *m, const qn_model *model, const qn_expr *text, qn_ctx *cx, const qn_row *r, qn_turn *t, float **v, size_t *n, qn_err *e)
{
    qn_str s;
    *v = NULL;
    *n = 0;
    if (t->n_replies) return qn_embedding_of_reply(&t->replies[0], 1, t->arena, v, n, e);
    const qn_embedding_note *made = qn_row_attached(r);
    if (made) {
        *n = made->n;
        *v = qn_arena_alloc(t->arena, *n * sizeof **v);
        memcpy(*v, made->v, *n * sizeof **v);
        return QN_OK;
    }
    QN_TRY(qn_pick_text(text, r, cx->scratch, &s, e));
    if (!model) return qn_embedding_compute(m, s, t->arena, v, n, e);
    qn_embedding_ask(t, model, &s, 1);
    return QN_OK;
}
#endif
