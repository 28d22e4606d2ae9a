/* encoder_train: ranking of a batch's candidates, as a teacher would or the own positive first. The loss needs all embeddings of a batch at once; its gradient by them is then
 * carried back pass by pass, so that the memory does not grow with the batch. */
#include "core/map.h"
#include "nn/encoder_net.h"
#include <math.h>

typedef struct { qn_encoder *m; const qn_ranking_row *rows; qn_ranking_loss k; int pass; } trainer;
typedef struct { size_t n_q, n_c, n, n_texts; qn_seq *s; size_t *own, *first; qn_hash128 *hash; float *taught; } batch;
/* queries, then candidates, equal ones once; own[i]: the positive; first[j]: of the candidate's text among the rows' n_texts; taught (n_q, n_c): the teacher's scores, or NULL */

static qn_hash128 hash_of(const qn_seq *s) { return qn_hash(s->ids, (size_t)s->n * sizeof *s->ids); }

/* The number of the candidate, that of an equal one where there is one: queries of one passage share its embedding. */
static size_t candidate(batch *b, qn_map *seen, const qn_seq *s)
{
    bool fresh;
    qn_hash128 h = hash_of(s);
    uint64_t *at = qn_map_put(seen, h, &fresh);
    if (fresh) {
        *at = b->n_c;
        b->first[b->n_c] = b->n_texts;
        b->s[b->n_q + b->n_c] = *s;
        b->hash[b->n_q + b->n_c++] = h;
    }
    b->n_texts++;
    return (size_t)*at;
}

static batch gather(const trainer *t, const uint32_t *rows, size_t n)
{
    batch b = { .n_q = n };
    size_t most = 0;
    for (size_t i = 0; i < n; i++) most += 1 + (size_t)t->rows[rows[i]].n_negatives;
    b.s = QN_NEW_N(qn_seq, n + most);
    b.own = QN_NEW_N(size_t, n + most);
    b.first = b.own + n;
    b.hash = QN_NEW_N(qn_hash128, n + most);
    qn_map seen = { 0 };
    for (size_t i = 0; i < n; i++) {
        const qn_ranking_row *r = &t->rows[rows[i]];
        b.s[i] = r->query;
        b.hash[i] = hash_of(&r->query);
        b.own[i] = candidate(&b, &seen, &r->positive);
        for (int j = 0; j < r->n_negatives; j++) candidate(&b, &seen, &r->negatives[j]);
    }
    qn_map_free(&seen);
    b.n = b.n_q + b.n_c;
    return b;
}

/* The teacher's scores for the candidates, each once. */
static qn_code ask_teacher(const trainer *t, batch *b, const uint32_t *rows, qn_err *e)
{
    float *all = QN_NEW_N(float, b->n_q * b->n_texts);
    qn_code rc = t->k.teacher(t->k.teacher_arg, rows, b->n_q, all, e);
    b->taught = QN_NEW_N(float, b->n_q * b->n_c);
    for (size_t i = 0; rc == QN_OK && i < b->n_q; i++)
        for (size_t j = 0; j < b->n_c; j++) b->taught[i * b->n_c + j] = all[i * b->n_texts + b->first[j]];
    qn_free(all);
    return rc;
}

/* May candidate j be told from the query's own positive? Not when it is the same text, or the query itself. */
static bool told_apart(const batch *b, size_t i, size_t j)
{
    const qn_hash128 *h = &b->hash[b->n_q + j];
    return j == b->own[i] || !(qn_hash_eq(*h, b->hash[b->n_q + b->own[i]]) || qn_hash_eq(*h, b->hash[i]));
}

/* x (n): scores to probabilities, -inf to 0. Returns the log of the denominator of scale * x. */
static double softmax(double scale, const float *x, size_t n, double *p)
{
    double top = -INFINITY, sum = 0;
    for (size_t j = 0; j < n; j++) top = (double)x[j] > top ? (double)x[j] : top;
    for (size_t j = 0; j < n; j++) sum += p[j] = exp(scale * ((double)x[j] - top));
    for (size_t j = 0; j < n; j++) p[j] /= sum;
    return scale * top + log(sum);
}

/* Loss and its gradient by the embeddings, e and de (n, d): sum of y (log y - log p), y the target, p the softmax of scaled cosines. */
static void rank(const trainer *t, const batch *b, const float *emb, float *de, qn_fit_state *st)
{
    int d = t->m->c.d, nq = (int)b->n_q, nc = (int)b->n_c;
    const float *q = emb, *c = emb + (size_t)nq * (size_t)d;
    float *s = qn_nn_alloc((size_t)nq * (size_t)nc);
    double *p = QN_NEW_N(double, 2 * b->n_c), *y = p + b->n_c, scale = t->k.scale, share = b->taught ? t->k.teacher_share : 0;
    qn_gemm(t->m->pool, false, true, nq, nc, d, q, d, c, d, false, s, nc);
    st->loss = st->right = 0;
    for (size_t i = 0; i < b->n_q; i++) {
        float *x = s + i * b->n_c, *u = b->taught ? b->taught + i * b->n_c : NULL;
        size_t own = b->own[i];
        bool first = true;
        for (size_t j = 0; j < b->n_c; j++) {
            if (!told_apart(b, i, j)) x[j] = -INFINITY;
            else if (j != own && x[j] >= x[own]) first = false;
            if (u && x[j] == -INFINITY) u[j] = -INFINITY;
        }
        double log_sum = softmax(scale, x, b->n_c, p);
        if (u) softmax(t->k.teacher_scale, u, b->n_c, y);
        for (size_t j = 0; j < b->n_c; j++) {
            y[j] = share * y[j] + (1 - share) * (j == own);
            if (y[j] > 0) st->loss += y[j] * (log(y[j]) - (scale * (double)x[j] - log_sum)) / nq;
            x[j] = (float)((p[j] - y[j]) * scale / nq);
        }
        st->right += (double)first / nq;
    }
    qn_gemm(t->m->pool, false, false, nq, d, nc, s, nc, c, d, false, de, d);
    qn_gemm(t->m->pool, true, false, nc, d, nq, s, nc, q, d, false, de + (size_t)nq * (size_t)d, d);
    qn_nn_free(s);
    qn_free(p);
}

static qn_code loss(void *arg, const uint32_t *rows, size_t n, qn_fit_state *st, qn_err *e)
{
    trainer *t = arg;
    qn_encoder *m = t->m;
    size_t d = (size_t)m->c.d, tokens = 0;
    batch b = gather(t, rows, n);
    qn_code rc = QN_OK;
    if (t->k.teacher) rc = ask_teacher(t, &b, rows, e);
    float *emb = qn_nn_alloc(2 * b.n * d), *de = emb + b.n * d, *norm = qn_nn_alloc(b.n);
    for (size_t i = 0; i < b.n; i++) tokens += (size_t)b.s[i].n;
    bool once = tokens <= (size_t)t->pass;
    for (size_t from = 0, first; rc == QN_OK && from < b.n;) {
        qn_packed p;
        first = from;
        qn_tokens_pack(&p, b.s, b.n, &from, t->pass);
        qn_encoder_forward(m, &p.t, true);
        qn_encoder_pool_rows(m, &p.t, emb + first * d, norm + first);
        qn_packed_free(&p);
    }
    if (rc == QN_OK) rank(t, &b, emb, de, st);
    for (size_t from = 0, first; rc == QN_OK && from < b.n;) {
        qn_packed p;
        first = from;
        qn_tokens_pack(&p, b.s, b.n, &from, t->pass);
        if (!once) qn_encoder_forward(m, &p.t, true);
        qn_encoder_pool_back(m, &p.t, emb + first * d, norm + first, de + first * d);
        qn_encoder_backward(m, &p.t);
        qn_packed_free(&p);
    }
    st->tokens += (int64_t)tokens;
    qn_nn_free(emb);
    qn_nn_free(norm);
    qn_free(b.s);
    qn_free(b.own);
    qn_free(b.hash);
    qn_free(b.taught);
    return rc;
}

static qn_code check(const qn_encoder *m, const qn_seq *s, size_t row, qn_hasher *h, qn_err *e)
{
    if (s->n < 1 || s->n > m->c.max_pos) return qn_fail(e, QN_ELIMIT, "row %zu has a text of %d tokens, the model takes 1 to %d", row, s->n, m->c.max_pos);
    for (int j = 0; j < s->n; j++)
        if (s->ids[j] < 0 || s->ids[j] >= m->c.vocab) return qn_fail(e, QN_EDATA, "row %zu has the token id %d, the model knows 0 to %d", row, s->ids[j], m->c.vocab - 1);
    qn_hasher_add(h, &s->n, sizeof s->n);
    qn_hasher_add(h, s->ids, (size_t)s->n * sizeof *s->ids);
    return QN_OK;
}

qn_code qn_encoder_train_ranking(qn_encoder *m, const qn_fit_options *o, const qn_ranking_loss *k, const qn_ranking_row *rows, size_t n,
                                 qn_fit_state *last, qn_err *e)
{
    qn_encoder_unpack(m);                       /* the weights change */
    trainer t = { .m = m, .rows = rows, .k = *k, .pass = o->pass_tokens > 0 ? o->pass_tokens : 8192 };
    if (!(t.k.scale > 0)) t.k.scale = 20;
    double loss_of[] = { t.k.scale, t.k.teacher != NULL, t.k.teacher_scale, t.k.teacher_share };
    qn_params *groups[] = { &m->p };
    qn_hasher *h = qn_hasher_new();
    qn_code rc = QN_OK;
    qn_hasher_add(h, loss_of, sizeof loss_of);
    qn_hasher_add(h, m->p.w, m->p.count * sizeof(float));
    for (size_t i = 0; i < n && rc == QN_OK; i++) {
        rc = check(m, &rows[i].query, i, h, e);
        if (rc == QN_OK) rc = check(m, &rows[i].positive, i, h, e);
        for (int j = 0; j < rows[i].n_negatives && rc == QN_OK; j++) rc = check(m, &rows[i].negatives[j], i, h, e);
    }
    qn_hash128 id = qn_hasher_end(h);
    return rc == QN_OK ? qn_fit(o, n, groups, 1, qn_encoder_pool(m), id, loss, &t, last, e) : rc;
}
