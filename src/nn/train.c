/* train: losses of a decoder. Each takes the rows of one step in passes of bounded size: forward, what the loss wants at each
 * token, backward. */
#include "nn/train.h"
#include "core/hash.h"
#include "nn/decoder_net.h"
#include <math.h>

typedef struct {
    qn_decoder *m;
    qn_train_kind kind;
    double beta, lm;            /* lm: weight of language modelling beside step rewards */
    int pass;
    const qn_train_row *rows;
    double *ref;                /* (n, 2) log-probabilities of a and b under the reference; DPO */
    bool base;                  /* the base is trained */
    int cap;
    int32_t *target;            /* (cap) buffers of a pass */
    float *coef, *logp;
} trainer;

static double row_weight(const qn_train_row *r) { return r->weight > 0 ? (double)r->weight : 1; }
static double row_p(const qn_train_row *r) { return r->p > 0 ? (double)r->p : 1; }
static double log_logistic(double x) { return x >= 0 ? -log1p(exp(-x)) : x - log1p(exp(x)); }
static double logistic(double x) { return 1 / (1 + exp(-x)); }

static void room(trainer *t, int n)
{
    if (t->cap >= n) return;
    t->cap = n;
    t->target = qn_realloc(t->target, (size_t)n * sizeof *t->target);
    t->coef = qn_realloc(t->coef, (size_t)n * sizeof *t->coef);
    t->logp = qn_realloc(t->logp, (size_t)n * sizeof *t->logp);
}

/* Token i of a packed batch predicts the next of its sequence, with its weight times `scale`; the last predicts nothing. */
static void aim(trainer *t, const qn_tokens *b, const qn_seq *s, const double *scale)
{
    room(t, b->n);
    for (int k = 0; k < b->n_seqs; k++)
        for (int i = b->starts[k], j = 1; i < b->starts[k + 1]; i++, j++) {
            bool last = i + 1 == b->starts[k + 1];
            t->target[i] = last ? 0 : b->ids[i + 1];
            t->coef[i] = last ? 0 : (float)((s[k].weight ? (double)s[k].weight[j] : 1) * scale[k]);
        }
}

static double weight_of(const qn_seq *s)
{
    double sum = 0;
    for (int i = 1; i < s->n; i++) sum += s->weight ? (double)s->weight[i] : 1;
    return sum;
}

/* ---- language modelling: mean over all weighted tokens of the step ---- */
static qn_code lm_loss(trainer *t, const uint32_t *rows, size_t n, qn_fit_state *st)
{
    qn_seq *s = QN_NEW_N(qn_seq, n);
    double *scale = QN_NEW_N(double, n), total = 0;
    st->loss = 0;
    for (size_t i = 0; i < n; i++) {
        s[i] = t->rows[rows[i]].a;
        scale[i] = row_weight(&t->rows[rows[i]]);
        total += weight_of(&s[i]) * scale[i];
    }
    for (size_t i = 0; i < n; i++) scale[i] = total > 0 ? scale[i] / total : 0;
    for (size_t from = 0, first; from < n;) {
        qn_packed b;
        first = from;
        qn_tokens_pack(&b, s, n, &from, t->pass);
        aim(t, &b.t, s + first, scale + first);
        qn_decoder_forward(t->m, &b.t);
        qn_decoder_head(t->m, b.t.n, t->target, t->coef, t->logp, true, t->base);
        qn_decoder_backward(t->m, &b.t, t->base);
        for (int i = 0; i < b.t.n; i++) st->loss -= (double)t->coef[i] * (double)t->logp[i];
        st->tokens += b.t.n;
        qn_packed_free(&b);
    }
    qn_free(s);
    qn_free(scale);
    return QN_OK;
}

/* ---- pairs: a pass holds whole pairs, a and b side by side ---- */
/* -p log s(h) - (1 - p) log s(-h), and its derivative by h */
static double pair_loss(double h, double p, double *dh)
{
    *dh = logistic(h) - p;
    return -p * log_logistic(h) - (1 - p) * log_logistic(-h);
}

static double sequence_logp(const trainer *t, const qn_tokens *b, int k, const qn_seq *s)
{
    double sum = 0;
    for (int i = b->starts[k], j = 1; i + 1 < b->starts[k + 1]; i++, j++)
        sum += (double)t->logp[i] * (s->weight ? (double)s->weight[j] : 1);
    return sum;
}

static void dpo_pass(trainer *t, const qn_tokens *b, const qn_seq *s, const uint32_t *pairs, double total, qn_fit_state *st)
{
    int k = b->n_seqs;
    double *scale = QN_NEW_N(double, k);
    for (int i = 0; i < k; i++) scale[i] = 1;
    aim(t, b, s, scale);
    qn_decoder_forward(t->m, b);
    qn_decoder_head(t->m, b->n, t->target, t->coef, t->logp, false, false);
    for (int i = 0; i + 1 < k; i += 2) {
        const qn_train_row *r = &t->rows[pairs[i / 2]];
        const double *ref = t->ref + 2 * (size_t)pairs[i / 2];
        double w = row_weight(r) / total, dh;
        double h = t->beta * (sequence_logp(t, b, i, &s[i]) - ref[0] - sequence_logp(t, b, i + 1, &s[i + 1]) + ref[1]);
        st->loss += w * pair_loss(h, row_p(r), &dh);
        st->right += w * (h > 0 ? 1 : h < 0 ? 0 : 0.5);
        scale[i] = -w * dh * t->beta;           /* the head's coefficient raises log p where the loss falls */
        scale[i + 1] = w * dh * t->beta;
    }
    aim(t, b, s, scale);
    qn_decoder_head(t->m, b->n, t->target, t->coef, t->logp, true, t->base);
    qn_decoder_backward(t->m, b, t->base);
    qn_free(scale);
}

/* Gradient of the head's score at a row of hidden: c * score. */
static void score_back(trainer *t, int row, double c)
{
    size_t d = (size_t)t->m->c.d;
    float *dh = t->m->acts->dhidden + (size_t)row * d, *h = t->m->acts->hidden + (size_t)row * d;
    for (size_t j = 0; j < d; j++) {
        dh[j] += (float)c * t->m->score->w[j];
        t->m->score->g[j] += (float)c * h[j];
    }
}

static double score_at(const trainer *t, int row) { return (double)qn_dot((size_t)t->m->c.d, t->m->acts->hidden + (size_t)row * (size_t)t->m->c.d, t->m->score->w); }

static void reward_pass(trainer *t, const qn_tokens *b, const uint32_t *pairs, double total, qn_fit_state *st)
{
    qn_decoder_forward(t->m, b);
    memset(t->m->acts->dhidden, 0, (size_t)b->n * (size_t)t->m->c.d * sizeof(float));
    for (int i = 0; i + 1 < b->n_seqs; i += 2) {
        const qn_train_row *r = &t->rows[pairs[i / 2]];
        int ra = b->starts[i + 1] - 1, rb = b->starts[i + 2] - 1;
        double w = row_weight(r) / total, dh, gap = score_at(t, ra) - score_at(t, rb);
        st->loss += w * pair_loss(gap - (double)r->margin, row_p(r), &dh);
        st->right += w * (gap > 0 ? 1 : gap < 0 ? 0 : 0.5);
        score_back(t, ra, w * dh);
        score_back(t, rb, -w * dh);
    }
    qn_decoder_backward(t->m, b, t->base);
}

static qn_code pairs_loss(trainer *t, const uint32_t *rows, size_t n, qn_fit_state *st)
{
    double total = 0;
    qn_seq *s = QN_NEW_N(qn_seq, 2 * n);
    for (size_t i = 0; i < n; i++) {
        total += row_weight(&t->rows[rows[i]]);
        s[2 * i] = t->rows[rows[i]].a;
        s[2 * i + 1] = t->rows[rows[i]].b;
    }
    st->loss = st->right = 0;
    for (size_t i = 0; i < n;) {
        int tokens = 0;
        size_t j = i, from = 0;
        while (j < n && (j == i || tokens + s[2 * j].n + s[2 * j + 1].n <= t->pass)) { tokens += s[2 * j].n + s[2 * j + 1].n; j++; }
        qn_packed b;
        qn_tokens_pack(&b, s + 2 * i, 2 * (j - i), &from, tokens);
        if (t->kind == QN_TRAIN_DPO) dpo_pass(t, &b.t, s + 2 * i, rows + i, total, st);
        else reward_pass(t, &b.t, rows + i, total, st);
        st->tokens += b.t.n;
        qn_packed_free(&b);
        i = j;
    }
    qn_free(s);
    return QN_OK;
}

/* ---- step rewards: mean over the labelled tokens of the step; beside it, weighed by t->lm, language modelling over its weighted tokens ---- */
static void steps_pass(trainer *t, const qn_tokens *b, const qn_seq *s, double labels, double words, qn_fit_state *st)
{
    qn_decoder_forward(t->m, b);
    if (t->lm > 0 && words > 0) {
        double *scale = QN_NEW_N(double, b->n_seqs + 1);
        for (int k = 0; k < b->n_seqs; k++) scale[k] = t->lm / words;
        aim(t, b, s, scale);
        qn_decoder_head(t->m, b->n, t->target, t->coef, t->logp, true, t->base);       /* begins dhidden */
        for (int i = 0; i < b->n; i++) st->loss -= (double)t->coef[i] * (double)t->logp[i];
        qn_free(scale);
    } else memset(t->m->acts->dhidden, 0, (size_t)b->n * (size_t)t->m->c.d * sizeof(float));
    for (int k = 0; k < b->n_seqs; k++)
        for (int i = b->starts[k]; i < b->starts[k + 1]; i++) {
            float y = s[k].label ? s[k].label[i - b->starts[k]] : -1;
            if (y < 0) continue;
            double x = score_at(t, i), dh;
            st->loss += pair_loss(x, (double)y, &dh) / labels;
            st->right += ((x > 0) == (y > 0.5f)) / labels;
            score_back(t, i, dh / labels);
        }
    qn_decoder_backward(t->m, b, t->base);
}

static qn_code steps_loss(trainer *t, const uint32_t *rows, size_t n, qn_fit_state *st)
{
    qn_seq *s = QN_NEW_N(qn_seq, n);
    double labels = 0, words = 0;
    st->loss = st->right = 0;
    for (size_t i = 0; i < n; i++) {
        s[i] = t->rows[rows[i]].a;
        for (int j = 0; s[i].label && j < s[i].n; j++) labels += s[i].label[j] >= 0;
        words += weight_of(&s[i]);
    }
    for (size_t from = 0, first; from < n && labels > 0;) {
        qn_packed b;
        first = from;
        qn_tokens_pack(&b, s, n, &from, t->pass);
        steps_pass(t, &b.t, s + first, labels, words, st);
        st->tokens += b.t.n;
        qn_packed_free(&b);
    }
    qn_free(s);
    return QN_OK;
}

static qn_code loss(void *arg, const uint32_t *rows, size_t n, qn_fit_state *st, qn_err *e)
{
    trainer *t = arg;
    (void)e;
    if (t->kind == QN_TRAIN_LM) return lm_loss(t, rows, n, st);
    return t->kind == QN_TRAIN_STEPS ? steps_loss(t, rows, n, st) : pairs_loss(t, rows, n, st);
}

static void hash_seq(qn_hasher *h, const qn_seq *s)
{
    qn_hasher_add(h, &s->n, sizeof s->n);
    if (s->n) qn_hasher_add(h, s->ids, (size_t)s->n * sizeof *s->ids);
    if (s->weight && s->n) qn_hasher_add(h, s->weight, (size_t)s->n * sizeof *s->weight);
    if (s->label && s->n) qn_hasher_add(h, s->label, (size_t)s->n * sizeof *s->label);
}

static qn_hash128 identity(const trainer *t, size_t n)
{
    qn_hasher *h = qn_hasher_new();
    qn_hasher_add(h, &t->kind, sizeof t->kind);
    qn_hasher_add(h, &t->beta, sizeof t->beta);
    if (t->kind == QN_TRAIN_STEPS) qn_hasher_add(h, &t->lm, sizeof t->lm);
    qn_hasher_add(h, t->m->p.w, t->m->p.count * sizeof(float));     /* the model it began with */
    if (t->m->lora) qn_hasher_add(h, t->m->lora->p.w, t->m->lora->p.count * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        const qn_train_row *r = &t->rows[i];
        float f[] = { r->weight, r->p, r->margin };
        hash_seq(h, &r->a);
        hash_seq(h, &r->b);
        qn_hasher_add(h, f, sizeof f);
    }
    return qn_hasher_end(h);
}

static qn_code check_rows(const trainer *t, const qn_train_row *rows, size_t n, qn_err *e)
{
    bool pairs = t->kind == QN_TRAIN_DPO || t->kind == QN_TRAIN_REWARD;
    for (size_t i = 0; i < n; i++) {
        qn_code rc = qn_decoder_check(t->m, &rows[i].a, 1, e);
        if (rc == QN_OK && pairs) rc = qn_decoder_check(t->m, &rows[i].b, 1, e);
        if (rc != QN_OK) { qn_trail(e, "row %zu", i); return rc; }
        if (rows[i].p > 1) return qn_fail(e, QN_EDATA, "row %zu: p is a probability, %g is not", i, (double)rows[i].p);
    }
    return QN_OK;
}

static qn_code reference(trainer *t, size_t n, qn_err *e)
{
    qn_seq *s = QN_NEW_N(qn_seq, 2 * n);
    t->ref = QN_NEW_N(double, 2 * n + 1);
    for (size_t i = 0; i < n; i++) { s[2 * i] = t->rows[i].a; s[2 * i + 1] = t->rows[i].b; }
    qn_code rc = qn_decoder_logp(t->m, s, 2 * n, t->ref, e);
    qn_free(s);
    return rc;
}

qn_code qn_decoder_train(qn_decoder *m, qn_train_kind kind, const qn_fit_options *o, double beta, const qn_train_row *rows, size_t n,
                         qn_fit_state *last, qn_err *e)
{
    trainer t = { .m = m, .kind = kind, .beta = beta > 0 ? beta : 0.1, .lm = kind == QN_TRAIN_STEPS ? beta : 0, .pass = o->pass_tokens > 0 ? o->pass_tokens : 4096, .rows = rows,
                  .base = !m->lora };
    qn_params *groups[3];
    int k = 0;
    QN_TRY(check_rows(&t, rows, n, e));
    qn_hash128 id = identity(&t, n);
    qn_code rc = kind == QN_TRAIN_DPO ? reference(&t, n, e) : QN_OK;
    if (kind == QN_TRAIN_REWARD || kind == QN_TRAIN_STEPS) {
        qn_decoder_add_head(m);
        groups[k++] = m->score;
    }
    groups[k++] = m->lora ? &m->lora->p : &m->p;
    if (rc == QN_OK) rc = qn_fit(o, n, groups, k, qn_decoder_pool(m), id, loss, &t, last, e);
    qn_free(t.ref);
    qn_free(t.target);
    qn_free(t.coef);
    qn_free(t.logp);
    return rc;
}
