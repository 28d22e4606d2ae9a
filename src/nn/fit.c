/* fit: the training loop. The order of rows is a shuffle for each epoch, drawn from (seed, epoch), so the step's number says
 * where in the data it is; a checkpoint is weights, moments and that number, in one file that appears whole. */
#include "nn/fit.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include <math.h>
#include <stdio.h>

enum { MAX_GROUPS = 4 };

typedef struct {
    const qn_fit_options *o;
    size_t n_rows, per_epoch;           /* per_epoch: steps */
    qn_params *const *groups;
    int n_groups;
    qn_pool *pool;
    qn_hash128 identity;
    uint32_t *order;
    int64_t order_epoch;
    qn_losses losses;                   /* (step) */
    int64_t checked_us;                 /* when the last checkpoint was written */
    qn_fit_state s;
} fit;

double qn_fit_lr(const qn_fit_options *o, int64_t step, int64_t steps)
{
    if (o->warmup > 0 && step <= o->warmup) return o->lr * (double)step / (double)o->warmup;
    if (o->shape == QN_LR_CONSTANT || steps <= o->warmup) return o->lr;
    double t = (double)(step - o->warmup) / (double)(steps - o->warmup);
    t = t > 1 ? 1 : t;
    return o->lr_end + (o->lr - o->lr_end) * (o->shape == QN_LR_LINEAR ? 1 - t : 0.5 * (1 + cos(3.14159265358979323846 * t)));
}

/* The shuffled order, each group's rows moved behind the first of them. */
static void gather_groups(fit *f)
{
    uint32_t n_groups = 0, *order = qn_memdup(f->order, f->n_rows * sizeof *order);
    for (size_t i = 0; i < f->n_rows; i++) if (f->o->group[i] >= n_groups) n_groups = f->o->group[i] + 1;
    size_t *size = QN_NEW_N(size_t, 2 * (size_t)n_groups), *at = size + n_groups, end = 0;
    for (size_t i = 0; i < f->n_rows; i++) size[f->o->group[i]]++;
    for (size_t i = 0; i < f->n_rows; i++) {
        uint32_t g = f->o->group[order[i]];
        if (size[g]) { at[g] = end; end += size[g]; size[g] = 0; }      /* the first of its group */
        f->order[at[g]++] = order[i];
    }
    qn_free(size);
    qn_free(order);
}

static void shuffle(fit *f, int64_t epoch)
{
    if (f->order_epoch == epoch) return;
    for (size_t i = 0; i < f->n_rows; i++) f->order[i] = (uint32_t)i;
    qn_rng r = qn_rng_keyed(f->o->seed, QN_STR("epoch"), (qn_hash128){ (uint64_t)epoch, 1 });
    if (!f->o->in_order) qn_rng_shuffle(&r, f->order, f->n_rows, sizeof *f->order);
    if (f->o->group && !f->o->in_order) gather_groups(f);
    f->order_epoch = epoch;
}

/* What must be equal for a checkpoint to fit: everything that shapes the result. */
static void fingerprint(const fit *f, char hex[33])
{
    const qn_fit_options *o = f->o;
    double d[] = { o->lr, o->lr_end, o->shape, (double)o->warmup, (double)f->s.steps, o->batch, o->pass_tokens, o->clip, o->decay,
                   o->b1, o->b2, o->eps, (double)o->seed, o->in_order, (double)f->n_rows };
    qn_hash128 h = qn_hash_mix(f->identity, qn_hash(d, sizeof d));
    if (o->group) h = qn_hash_mix(h, qn_hash(o->group, f->n_rows * sizeof *o->group));
    for (int i = 0; i < f->n_groups; i++) {
        uint64_t n = f->groups[i]->count;
        h = qn_hash_mix(h, qn_hash(&n, sizeof n));
    }
    qn_hash_hex(h, hex);
}

static qn_code write_checkpoint(fit *f, qn_err *e)
{
    char hex[33], step[32], rows[32], tokens[32];
    static const char *const names[MAX_GROUPS][3] = { { "w0", "m0", "v0" }, { "w1", "m1", "v1" }, { "w2", "m2", "v2" }, { "w3", "m3", "v3" } };
    qn_array_out a[3 * MAX_GROUPS + 1];
    size_t n = 0;
    for (int i = 0; i < f->n_groups; i++) {
        const qn_params *p = f->groups[i];
        const float *parts[] = { p->w, p->m, p->v };
        for (int k = 0; k < 3; k++) a[n++] = (qn_array_out){ names[i][k], (int64_t)p->count, 0, parts[k] };
    }
    a[n++] = (qn_array_out){ "losses", (int64_t)f->losses.n, 0, f->losses.p };
    fingerprint(f, hex);
    f->checked_us = qn_now_us();
    snprintf(step, sizeof step, "%lld", (long long)f->s.step);
    snprintf(rows, sizeof rows, "%lld", (long long)f->s.rows);
    snprintf(tokens, sizeof tokens, "%lld", (long long)f->s.tokens);
    const char *notes[] = { "training", hex, "step", step, "rows", rows, "tokens", tokens, NULL };
    return qn_safetensors_write(f->o->checkpoint, a, n, notes, e);
}

static qn_code note_int(const qn_safetensors *s, const char *key, int64_t *out, qn_err *e)
{
    return qn_str_to_i64(qn_safetensors_note(s, key), out) && *out >= 0 ? QN_OK : qn_fail(e, QN_EDATA, "the checkpoint lacks `%s`", key);
}

static qn_code read_checkpoint(fit *f, qn_err *e)
{
    char hex[33], name[16];
    qn_safetensors *s = NULL;
    qn_code rc;
    if (!qn_file_exists(f->o->checkpoint)) return QN_OK;
    QN_TRY(qn_safetensors_open(&s, f->o->checkpoint, e));
    fingerprint(f, hex);
    if (!qn_str_is(qn_safetensors_note(s, "training"), hex)) {
        rc = qn_fail(e, QN_EUSAGE, "the checkpoint %s is of another training", f->o->checkpoint);
        qn_hint(e, "delete it to begin anew, or give another place");
        goto out;
    }
    QN_TRY_OUT(note_int(s, "step", &f->s.step, e));
    QN_TRY_OUT(note_int(s, "rows", &f->s.rows, e));
    QN_TRY_OUT(note_int(s, "tokens", &f->s.tokens, e));
    QN_GROW(f->losses.p, f->s.step, f->losses.cap);
    QN_TRY_OUT(qn_safetensors_read(s, "losses", (size_t)f->s.step, f->losses.p, e));
    f->losses.n = (size_t)f->s.step;
    for (int i = 0; i < f->n_groups; i++) {
        qn_params *p = f->groups[i];
        float *parts[] = { p->w, p->m, p->v };
        for (int k = 0; k < 3; k++) {
            snprintf(name, sizeof name, "%c%d", "wmv"[k], i);
            QN_TRY_OUT(qn_safetensors_read(s, name, p->count, parts[k], e));
        }
    }
out:
    qn_safetensors_close(s);
    return rc;
}

static void update(fit *f)
{
    const qn_fit_options *o = f->o;
    double sum = 0, b1 = o->b1 > 0 ? o->b1 : 0.9, b2 = o->b2 > 0 ? o->b2 : 0.999, t = (double)f->s.step;
    for (int i = 0; i < f->n_groups; i++) sum += qn_sum_squares(f->pool, f->groups[i]->count, f->groups[i]->g);
    f->s.grad_norm = sqrt(sum);
    double scale = o->clip > 0 && f->s.grad_norm > o->clip ? o->clip / (f->s.grad_norm + 1e-6) : 1;
    qn_adamw a = { .lr = (float)f->s.lr, .b1 = (float)b1, .b2 = (float)b2, .eps = (float)(o->eps > 0 ? o->eps : 1e-8),
                   .decay = (float)o->decay, .c1 = (float)(1 - pow(b1, t)), .c2 = (float)(1 - pow(b2, t)), .gscale = (float)scale };
    for (int i = 0; i < f->n_groups; i++) qn_params_step(f->groups[i], f->pool, &a);
}

static qn_code one_step(fit *f, qn_fit_loss *loss, void *arg, qn_err *e)
{
    int64_t at = f->s.step % (int64_t)f->per_epoch;
    shuffle(f, f->s.step / (int64_t)f->per_epoch);
    size_t from = (size_t)at * (size_t)f->o->batch, n = f->n_rows - from;
    if (n > (size_t)f->o->batch) n = (size_t)f->o->batch;
    for (int i = 0; i < f->n_groups; i++) memset(f->groups[i]->g, 0, f->groups[i]->count * sizeof(float));
    QN_TRY(loss(arg, f->order + from, n, &f->s, e));
    if (!isfinite(f->s.loss)) return qn_fail(e, QN_EDATA, "the loss is not finite at step %lld: a lower rate may help", (long long)f->s.step + 1);
    f->s.step++;
    QN_GROW(f->losses.p, f->losses.n, f->losses.cap);
    f->losses.p[f->losses.n++] = (float)f->s.loss;
    f->s.rows += (int64_t)n;
    f->s.lr = qn_fit_lr(f->o, f->s.step, f->s.steps);
    update(f);
    return QN_OK;
}

qn_code qn_fit(const qn_fit_options *o, size_t n_rows, qn_params *const *groups, int n_groups, qn_pool *pool, qn_hash128 identity,
               qn_fit_loss *loss, void *arg, qn_fit_state *last, qn_err *e)
{
    if (n_rows == 0) return qn_fail(e, QN_EDATA, "there are no rows to train on");
    if (o->batch < 1 || !(o->lr > 0)) return qn_fail(e, QN_ERECIPE, "training needs a batch of at least 1 row and a rate above 0");
    QN_ASSERT(n_groups <= MAX_GROUPS);
    fit f = { .o = o, .n_rows = n_rows, .per_epoch = (n_rows + (size_t)o->batch - 1) / (size_t)o->batch, .groups = groups,
              .n_groups = n_groups, .pool = pool, .identity = identity, .order = QN_NEW_N(uint32_t, n_rows), .order_epoch = -1, .checked_us = qn_now_us() };
    double epochs = o->epochs > 0 ? o->epochs : 1;
    f.s.steps = o->steps > 0 ? o->steps : (int64_t)ceil((double)f.per_epoch * epochs - 1e-9);
    for (int i = 0; i < n_groups; i++) qn_params_train(groups[i]);
    qn_code rc = o->checkpoint ? read_checkpoint(&f, e) : QN_OK;
    bool stopped = false;
    while (rc == QN_OK && !stopped && f.s.step < f.s.steps) {
        rc = one_step(&f, loss, arg, e);
        if (rc != QN_OK) break;
        stopped = o->progress && !o->progress(o->progress_arg, &f.s);
        bool due = (o->checkpoint_every && f.s.step % o->checkpoint_every == 0)
                   || (o->checkpoint_seconds > 0 && 1e-6 * (double)(qn_now_us() - f.checked_us) > o->checkpoint_seconds);
        if (o->checkpoint && (stopped || f.s.step == f.s.steps || due))
            rc = write_checkpoint(&f, e);
    }
    if (rc == QN_OK && stopped && f.s.step < f.s.steps) rc = qn_fail(e, QN_ESTOP, "training stopped at step %lld of %lld", (long long)f.s.step, (long long)f.s.steps);
    qn_free(f.order);
    if (o->losses) *o->losses = f.losses;
    else qn_free(f.losses.p);
    if (last) *last = f.s;
    return rc;
}
