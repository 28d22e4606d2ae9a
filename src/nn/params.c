/* params: names, offsets and the numbers behind them. */
#include "nn/params.h"
#include "core/mem.h"
#include "core/rng.h"
#include <stdio.h>

size_t qn_params_add(qn_params *p, int64_t rows, int64_t cols, const char *fmt, ...)
{
    QN_GROW(p->t, p->n, p->cap);
    qn_tensor *t = &p->t[p->n++];
    *t = (qn_tensor){ .rows = rows, .cols = cols, .at = p->count, .decay = cols > 0 };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(t->name, sizeof t->name, fmt, ap);
    va_end(ap);
    p->count += (size_t)rows * (size_t)(cols ? cols : 1);
    return t->at;
}

void qn_params_alloc(qn_params *p) { p->w = qn_nn_zalloc(p->count); }

void qn_params_train(qn_params *p)
{
    if (p->g) return;
    p->g = qn_nn_zalloc(p->count);
    p->m = qn_nn_zalloc(p->count);
    p->v = qn_nn_zalloc(p->count);
}

void qn_params_free(qn_params *p)
{
    qn_nn_free(p->w);
    qn_nn_free(p->g);
    qn_nn_free(p->m);
    qn_nn_free(p->v);
    qn_free(p->t);
    *p = (qn_params){ 0 };
}

static size_t count_of(const qn_tensor *t) { return (size_t)t->rows * (size_t)(t->cols ? t->cols : 1); }

void qn_params_init(qn_params *p, uint64_t seed, double sd)
{
    for (size_t i = 0; i < p->n; i++) {
        const qn_tensor *t = &p->t[i];
        float *w = p->w + t->at;
        bool one = !t->cols && strstr(t->name, "orm") && strstr(t->name, "weight");
        qn_rng r = qn_rng_keyed(seed, QN_STR("init"), qn_hash(t->name, strlen(t->name)));
        for (size_t j = 0; j < count_of(t); j++) w[j] = t->cols ? (float)(qn_rng_normal(&r) * sd) : one ? 1.f : 0.f;
    }
}

qn_code qn_params_read(qn_params *p, const qn_safetensors *s, const char *prefix, qn_err *e)
{
    for (size_t i = 0; i < p->n; i++) {
        char name[160];
        snprintf(name, sizeof name, "%s%s", prefix, p->t[i].name);
        QN_TRY(qn_safetensors_read(s, name, count_of(&p->t[i]), p->w + p->t[i].at, e));
    }
    return QN_OK;
}

size_t qn_params_list(const qn_params *p, qn_arena *a, const char *prefix, qn_array_out *out)
{
    for (size_t i = 0; i < p->n; i++)
        out[i] = (qn_array_out){ qn_arena_printf(a, "%s%s", prefix, p->t[i].name).p, p->t[i].rows, p->t[i].cols, p->w + p->t[i].at };
    return p->n;
}

void qn_params_step(qn_params *p, qn_pool *pool, const qn_adamw *o)
{
    for (size_t i = 0, j; i < p->n; i = j) {
        size_t at = p->t[i].at, n = 0;          /* neighbours with the same decay in one go */
        for (j = i; j < p->n && p->t[j].decay == p->t[i].decay; j++) n += count_of(&p->t[j]);
        qn_adamw q = *o;
        if (!p->t[i].decay) q.decay = 0;
        qn_adamw_step(pool, &q, n, p->w + at, p->g + at, p->m + at, p->v + at);
    }
}
