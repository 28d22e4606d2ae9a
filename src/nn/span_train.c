/* span_train: the loss of a span head and its gradient. A row's loss needs no other row, so a step goes through in passes of a few rows. */
#include "nn/encoder_net.h"
#include "nn/span.h"
#include <math.h>

typedef struct { qn_encoder *m; const qn_span_row *rows; int pass; } trainer;

static double log_sum(const float *x, size_t n)
{
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) top = fmax(top, (double)x[i]);
    for (size_t i = 0; i < n; i++) sum += exp((double)x[i] - top);
    return top + log(sum);
}

static bool likeliest_is_right(const qn_span_row *row, const float *s, const float *t)
{
    const qn_reading *r = row->in;
    double best = -INFINITY;
    size_t a = 0, b = 0;
    for (size_t i = 0; i < r->n_words; i++)
        for (size_t j = i; j < r->n_words && (j == i || (r->words[i].passage >= 0 && r->words[j].passage == r->words[i].passage && r->words[j].last - r->words[i].first < QN_SPAN_TOKENS)); j++)
            if ((double)s[i] + (double)t[j] > best) { best = (double)s[i] + (double)t[j]; a = i; b = j; }
    for (size_t k = 0; k < row->n_gold; k++) if (row->gold[k].first == a && row->gold[k].last == b) return true;
    return false;
}

/* Adds a row's part: h (n, d) the tokens' states; with dh also the gradient, `share` of the step's mean. */
static void one_row(const trainer *q, const qn_span_row *row, const float *h, float *dh, double share, double *loss, double *right)
{
    const qn_reading *r = row->in;
    size_t n = r->n_words, d = (size_t)q->m->c.d;
    const float *w = q->m->span->w;
    float *s = QN_NEW_N(float, 2 * n), *t = s + n, *gold = QN_NEW_N(float, row->n_gold);
    for (size_t k = 0; k < n; k++) {
        s[k] = qn_dot(d, w, h + (size_t)r->words[k].first * d) + w[2 * d];
        t[k] = qn_dot(d, w + d, h + (size_t)r->words[k].last * d) + w[2 * d + 1];
    }
    for (size_t k = 0; k < row->n_gold; k++) gold[k] = s[row->gold[k].first] + t[row->gold[k].last];
    double zs = log_sum(s, n), zt = log_sum(t, n), zg = log_sum(gold, row->n_gold);
    *loss += share * (zs + zt - zg);
    *right += share * likeliest_is_right(row, s, t);
    if (dh) {
        for (size_t k = 0; k < n; k++) { s[k] = (float)(share * exp((double)s[k] - zs)); t[k] = (float)(share * exp((double)t[k] - zt)); }
        for (size_t k = 0; k < row->n_gold; k++) {
            float p = (float)(share * exp((double)gold[k] - zg));
            s[row->gold[k].first] -= p;
            t[row->gold[k].last] -= p;
        }
        float *g = q->m->span->g;
        for (size_t k = 0; k < n; k++) {
            size_t a = (size_t)r->words[k].first * d, b = (size_t)r->words[k].last * d;
            for (size_t j = 0; j < d; j++) {
                dh[a + j] += s[k] * w[j];
                dh[b + j] += t[k] * w[d + j];
                g[j] += s[k] * h[a + j];
                g[d + j] += t[k] * h[b + j];
            }
            g[2 * d] += s[k];
            g[2 * d + 1] += t[k];
        }
    }
    qn_free(s);
    qn_free(gold);
}

/* Rows `which` (NULL: 0, 1, 2 ...) forward, and backward when `back`. */
static void run(const trainer *q, const uint32_t *which, size_t n, bool back, double *loss, double *right, int64_t *tokens)
{
    qn_encoder *m = q->m;
    size_t d = (size_t)m->c.d;
    qn_seq *s = QN_NEW_N(qn_seq, n + 1);
    *loss = *right = 0;
    for (size_t i = 0; i < n; i++) {
        const qn_ids *ids = &q->rows[which ? which[i] : i].in->ids;
        s[i] = (qn_seq){ .ids = ids->p, .n = (int)ids->n };
        *tokens += (int64_t)ids->n;
    }
    for (size_t from = 0, first; from < n;) {
        qn_packed p;
        first = from;
        qn_tokens_pack(&p, s, n, &from, q->pass);
        int32_t *types = QN_NEW_N(int32_t, p.t.n + 1);
        for (size_t i = first; i < from; i++) {
            int at = p.starts[i - first], to = p.starts[i - first + 1], own = q->rows[which ? which[i] : i].in->n_question;
            for (int j = at; j < to; j++) types[j] = j - at >= own;
        }
        p.t.types = types;
        qn_encoder_forward(m, &p.t, back);
        if (back) memset(m->acts.dlast, 0, (size_t)p.t.n * d * sizeof(float));
        for (size_t i = first; i < from; i++) {
            size_t at = (size_t)p.starts[i - first] * d;
            one_row(q, &q->rows[which ? which[i] : i], m->acts.last + at, back ? m->acts.dlast + at : NULL, 1.0 / (double)n, loss, right);
        }
        if (back) qn_encoder_backward(m, &p.t);
        qn_packed_free(&p);
        qn_free(types);
    }
    qn_free(s);
}

static qn_code loss(void *arg, const uint32_t *rows, size_t n, qn_fit_state *st, qn_err *e)
{
    (void)e;
    run(arg, rows, n, true, &st->loss, &st->right, &st->tokens);
    return QN_OK;
}

static qn_code check(const qn_encoder *m, const qn_span_row *r, size_t row, qn_hasher *h, qn_err *e)
{
    const qn_ids *ids = &r->in->ids;
    if (ids->n < 1 || ids->n > (size_t)m->c.max_pos) return qn_fail(e, QN_ELIMIT, "row %zu has %zu tokens, the model takes 1 to %d", row, ids->n, m->c.max_pos);
    for (size_t j = 0; j < ids->n; j++)
        if (ids->p[j] < 0 || ids->p[j] >= m->c.vocab) return qn_fail(e, QN_EDATA, "row %zu has the token id %d, the model knows 0 to %d", row, ids->p[j], m->c.vocab - 1);
    if (!r->n_gold) return qn_fail(e, QN_EDATA, "row %zu has no answer among its words", row);
    for (size_t k = 0; k < r->n_gold; k++)
        if (r->gold[k].first > r->gold[k].last || r->gold[k].last >= r->in->n_words) return qn_fail(e, QN_EDATA, "row %zu has an answer at the words %u to %u of %zu", row, r->gold[k].first, r->gold[k].last, r->in->n_words);
    qn_hasher_add(h, &ids->n, sizeof ids->n);
    qn_hasher_add(h, ids->p, ids->n * sizeof *ids->p);
    qn_hasher_add(h, &r->in->n_question, sizeof r->in->n_question);
    qn_hasher_add(h, r->gold, r->n_gold * sizeof *r->gold);
    return QN_OK;
}

qn_code qn_encoder_train_span(qn_encoder *m, const qn_fit_options *o, const qn_span_row *rows, size_t n, qn_fit_state *last, qn_err *e)
{
    if (!m->span) return qn_fail(e, QN_EUSAGE, "the encoder has no head to train: add one first");
    qn_encoder_unpack(m);                       /* the weights change */
    trainer t = { m, rows, o->pass_tokens > 0 ? o->pass_tokens : 4096 };
    qn_params *groups[] = { &m->p, m->span };
    qn_hasher *h = qn_hasher_new();
    qn_code rc = QN_OK;
    qn_hasher_add(h, m->p.w, m->p.count * sizeof(float));
    qn_hasher_add(h, m->span->w, m->span->count * sizeof(float));
    for (size_t i = 0; i < n && rc == QN_OK; i++) rc = check(m, &rows[i], i, h, e);
    qn_hash128 id = qn_hasher_end(h);
    return rc == QN_OK ? qn_fit(o, n, groups, 2, qn_encoder_pool(m), id, loss, &t, last, e) : rc;
}

qn_code qn_encoder_measure_span(qn_encoder *m, int pass_tokens, const qn_span_row *rows, size_t n, double *loss_out, double *right, qn_err *e)
{
    if (!m->span) return qn_fail(e, QN_EUSAGE, "the encoder has no head");
    trainer t = { m, rows, pass_tokens > 0 ? pass_tokens : 4096 };
    int64_t tokens = 0;
    run(&t, NULL, n, false, loss_out, right, &tokens);
    return QN_OK;
}
