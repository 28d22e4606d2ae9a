/* span: laying out a question and its passages, finding an answer's places, and answering. */
#include "nn/span.h"
#include "core/rng.h"
#include "nn/encoder_net.h"
#include <math.h>

/* ---- the head ---- */
bool qn_encoder_reads(const qn_encoder *m) { return m->span != NULL; }

void qn_encoder_add_span(qn_encoder *m, uint64_t seed, const qn_str *choices, size_t n)
{
    if (m->span) return;
    m->span = QN_NEW(qn_params);
    qn_params_add(m->span, 2, m->c.d, "qa_outputs.weight");
    qn_params_add(m->span, 2, 0, "qa_outputs.bias");
    qn_params_alloc(m->span);
    qn_params_init(m->span, seed, 0.02);
    m->choices = QN_NEW_N(qn_str, n + 1);
    for (; m->n_choices < n; m->n_choices++) {
        qn_str c = choices[m->n_choices];
        m->choices[m->n_choices] = (qn_str){ qn_strz(c), c.n };
    }
}

/* ---- words ---- */
static bool is_space(uint32_t c)
{
    return c <= ' ' || c == 0x7F || c == 0xA0 || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

/* A word of its own: marks, and characters that are written without spaces between words. */
static bool stands_alone(uint32_t c)
{
    if (c < 0x80) return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
    return c == 0xA1 || c == 0xA7 || c == 0xAB || c == 0xB6 || c == 0xB7 || c == 0xBB || c == 0xBF || (c >= 0x2010 && c <= 0x205E) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xF900 && c <= 0xFAFF) || c >= 0x20000;
}

/* The next word at or behind *i: its first byte in *from, *i behind its last. */
static bool next_word(qn_str s, size_t *i, size_t *from)
{
    size_t at = *i;
    while (at < s.n) {
        *from = at;
        uint32_t c = qn_utf8_next(s, &at);
        if (is_space(c)) continue;
        bool alone = stands_alone(c);
        for (*i = at; !alone && at < s.n; *i = at) {
            c = qn_utf8_next(s, &at);
            if (is_space(c) || stands_alone(c)) break;
        }
        return true;
    }
    *i = at;
    return false;
}

/* ---- laying out ---- */
typedef struct { qn_ids ids; qn_span_word *words; size_t n, cap; } part;

static void part_free(part *p) { qn_ids_free(&p->ids); qn_free(p->words); }

static qn_code put_word(qn_encoder *m, qn_str text, size_t from, size_t to, int32_t passage, part *p, qn_err *e)
{
    size_t at = p->ids.n, with = from > 0 && text.p[from - 1] == ' ' ? from - 1 : from;     /* byte-level tokens begin with the space */
    QN_TRY(qn_tokenizer_encode(m->tok, qn_str_sub(text, with, to), QN_TOKENS_PLAIN, &p->ids, e));
    if (p->ids.n == at) return QN_OK;
    QN_GROW(p->words, p->n, p->cap);
    p->words[p->n++] = (qn_span_word){ (int32_t)at, (int32_t)p->ids.n - 1, passage, (uint32_t)from, (uint32_t)to };
    return QN_OK;
}

static qn_code put_text(qn_encoder *m, qn_str text, int32_t passage, part *p, qn_err *e)
{
    size_t from;
    if (text.n > UINT32_MAX) return qn_fail(e, QN_ELIMIT, "a passage of more than 4 GB");
    for (size_t i = 0; next_word(text, &i, &from);) QN_TRY(put_word(m, text, from, i, passage, p, e));
    return QN_OK;
}

static void cut_to(part *p, size_t n_tokens)
{
    while (p->n && (size_t)p->words[p->n - 1].last >= n_tokens) p->n--;
    p->ids.n = p->n ? (size_t)p->words[p->n - 1].last + 1 : 0;
}

static void append(qn_reading *out, const part *p, int32_t sep)
{
    int32_t at = (int32_t)out->ids.n;
    for (size_t i = 0; i < p->ids.n; i++) qn_ids_put(&out->ids, p->ids.p[i]);
    for (size_t i = 0; i < p->n; i++) {
        QN_GROW(out->words, out->n_words, out->cap_words);
        out->words[out->n_words] = p->words[i];
        out->words[out->n_words].first += at;
        out->words[out->n_words++].last += at;
    }
    qn_ids_put(&out->ids, sep);
}

/* The longest passages lose their ends until all fit into `room` tokens. */
static bool fit_into(part *p, size_t n, size_t room)
{
    size_t all = 0, most = 0, level;
    for (size_t i = 0; i < n; i++) { all += p[i].ids.n; most = p[i].ids.n > most ? p[i].ids.n : most; }
    if (all <= room) return false;
    for (level = most; all > room && level > 0; level--) {
        all = 0;
        for (size_t i = 0; i < n; i++) all += p[i].ids.n < level ? p[i].ids.n : level;
        if (all <= room) break;
    }
    for (size_t i = 0; i < n; i++) cut_to(&p[i], level);
    return true;
}

static qn_code lay(qn_encoder *m, qn_str question, const qn_str *passages, size_t n, part *p, qn_reading *out, qn_err *e)
{
    part *q = &p[n], *c = &p[n + 1];
    int32_t cls = qn_tokenizer_id(m->tok, "[CLS]"), sep = qn_tokenizer_id(m->tok, "[SEP]");
    if (cls < 0 || sep < 0) return qn_fail(e, QN_EUSAGE, "the tokenizer has no [CLS] and [SEP]: the encoder is not of the BERT family");
    QN_TRY(put_text(m, question, 0, q, e));
    q->n = 0;                                   /* no answer stands in the question */
    for (size_t i = 0; i < m->n_choices; i++) QN_TRY(put_word(m, m->choices[i], 0, m->choices[i].n, -1 - (int32_t)i, c, e));
    for (size_t i = 0; i < n; i++) QN_TRY(put_text(m, passages[i], (int32_t)i, &p[i], e));
    size_t fixed = 2 + q->ids.n + (c->ids.n ? c->ids.n + 1 : 0) + n, longest = (size_t)m->max_tokens;
    if (fixed + 8 * n > longest)
        return qn_fail(e, QN_ELIMIT, "the question has %zu tokens, which leave no room for %zu passages: the model takes %zu in all", q->ids.n, n, longest);
    out->cut = fit_into(p, n, longest - fixed);
    qn_ids_put(&out->ids, cls);
    append(out, q, sep);
    out->n_question = (int32_t)out->ids.n;
    if (c->ids.n) append(out, c, sep);
    for (size_t i = 0; i < n; i++) append(out, &p[i], sep);
    return out->n_words ? QN_OK : qn_fail(e, QN_EDATA, "the passages have no words");
}

qn_code qn_reading_lay(qn_encoder *m, qn_str question, const qn_str *passages, size_t n, qn_reading *out, qn_err *e)
{
    if (!m->tok) return qn_fail(e, QN_EUSAGE, "this encoder has no tokenizer");
    part *p = QN_NEW_N(part, n + 2);            /* passages, question, choices */
    *out = (qn_reading){ 0 };
    qn_code rc = lay(m, question, passages, n, p, out, e);
    for (size_t i = 0; i < n + 2; i++) part_free(&p[i]);
    qn_free(p);
    if (rc != QN_OK) qn_reading_free(out);
    return rc;
}

void qn_reading_free(qn_reading *r)
{
    qn_ids_free(&r->ids);
    qn_free(r->words);
    *r = (qn_reading){ 0 };
}

/* ---- places of an answer ---- */
typedef struct { qn_str *w; size_t n, cap; } word_list;

static bool same_run(const qn_reading *r, const qn_str *passages, size_t at, const qn_str *w, size_t n)
{
    if (at + n > r->n_words) return false;
    for (size_t k = 0; k < n; k++) {
        const qn_span_word *x = &r->words[at + k];
        if (x->passage < 0 || x->passage != r->words[at].passage || !qn_str_ieq(qn_str_sub(passages[x->passage], x->from, x->to), w[k])) return false;
    }
    return true;
}

static size_t runs(const qn_reading *r, const qn_str *passages, const qn_str *w, size_t n, int64_t start, qn_span_place *out)
{
    size_t k = 0;
    for (size_t i = 0; n && i < r->n_words; i++) {
        if (!same_run(r, passages, i, w, n)) continue;
        const qn_span_word *a = &r->words[i], *b = &r->words[i + n - 1];
        if (start >= 0 && (a->passage != 0 || (int64_t)b->to <= start || (int64_t)a->from > start)) continue;
        out[k++] = (qn_span_place){ (uint32_t)i, (uint32_t)(i + n - 1) };
    }
    return k;
}

size_t qn_reading_find(const qn_encoder *m, const qn_reading *r, const qn_str *passages, qn_str answer, int64_t start, qn_span_place **out)
{
    word_list l = { 0 };
    size_t from, n = 0, a = 0;
    *out = QN_NEW_N(qn_span_place, r->n_words + 1);
    for (size_t i = 0; i < r->n_words; i++)
        if (r->words[i].passage < 0 && qn_str_ieq(m->choices[-1 - r->words[i].passage], qn_str_trim(answer))) (*out)[n++] = (qn_span_place){ (uint32_t)i, (uint32_t)i };
    if (n) return n;
    for (size_t i = 0; next_word(answer, &i, &from);) {
        QN_GROW(l.w, l.n, l.cap);
        l.w[l.n++] = qn_str_sub(answer, from, i);
    }
    n = runs(r, passages, l.w, l.n, start, *out);
    if (!n) {                                   /* without marks around it */
        while (l.n && l.w[l.n - 1].n == 1 && stands_alone((uint8_t)l.w[l.n - 1].p[0])) l.n--;
        while (a < l.n && l.w[a].n == 1 && stands_alone((uint8_t)l.w[a].p[0])) a++;
        n = runs(r, passages, l.w + a, l.n - a, start, *out);
    }
    qn_free(l.w);
    return n;
}

/* ---- answering ---- */
static void read_forward(qn_encoder *m, const qn_reading *r, float *s, float *t)     /* scores of each word as the first, as the last */
{
    size_t n = r->ids.n, d = (size_t)m->c.d;
    int32_t *pos = QN_NEW_N(int32_t, n), *types = QN_NEW_N(int32_t, n), starts[2] = { 0, (int32_t)n };
    for (size_t i = 0; i < n; i++) { pos[i] = (int32_t)i; types[i] = (int32_t)i >= r->n_question; }
    qn_encoder_pack(m);
    qn_encoder_forward(m, &(qn_tokens){ .n = (int)n, .n_seqs = 1, .ids = r->ids.p, .pos = pos, .starts = starts, .types = types }, false);
    const float *w = m->span->w, *h = m->acts.last;
    for (size_t k = 0; k < r->n_words; k++) {
        s[k] = qn_dot(d, w, h + (size_t)r->words[k].first * d) + w[2 * d];
        t[k] = qn_dot(d, w + d, h + (size_t)r->words[k].last * d) + w[2 * d + 1];
    }
    qn_free(pos);
    qn_free(types);
}

/* Words [i, end) may end an answer that begins with word i. */
static size_t reach(const qn_reading *r, size_t i, int longest)
{
    size_t j = i + 1;
    if (r->words[i].passage < 0) return j;
    while (j < r->n_words && r->words[j].passage == r->words[i].passage && r->words[j].last - r->words[i].first < longest) j++;
    return j;
}

qn_str qn_span_text(const qn_encoder *m, const qn_str *passages, const qn_span *s)
{
    return s->passage < 0 ? m->choices[-1 - s->passage] : qn_str_sub(passages[s->passage], s->from, s->to);
}

static qn_span span_of(const qn_reading *r, size_t i, size_t j, double p) { return (qn_span){ r->words[i].passage, r->words[i].from, r->words[j].to, p }; }

/* Puts a span where its likelihood places it among the k; of two with the same text the likelier stays. */
static void put_best(const qn_encoder *m, const qn_str *passages, qn_span x, qn_span *out, size_t *n, size_t k)
{
    if (*n == k && x.p <= out[k - 1].p) return;
    qn_str text = qn_span_text(m, passages, &x);
    size_t at = *n;
    for (size_t i = 0; i < *n; i++)
        if (qn_str_ieq(text, qn_span_text(m, passages, &out[i]))) {
            if (out[i].p >= x.p) return;
            at = i;                             /* it leaves, x comes in above */
            break;
        }
    if (at == *n) { if (*n < k) (*n)++; at = *n - 1; }
    while (at > 0 && out[at - 1].p < x.p) { out[at] = out[at - 1]; at--; }
    out[at] = x;
}

typedef struct { const qn_encoder *m; const qn_reading *r; const qn_str *passages; const float *s, *t; int longest; double top, sum; } scored;

static double weight(const scored *q, size_t i, size_t j, double temperature) { return exp(((double)q->s[i] + (double)q->t[j] - q->top) / temperature); }

static void draw(const scored *q, double temperature, uint64_t key, size_t k, qn_span *out, size_t *n)
{
    qn_rng rng = qn_rng_seed(key);
    double all = 0;
    for (size_t i = 0; i < q->r->n_words; i++)
        for (size_t j = i, end = reach(q->r, i, q->longest); j < end; j++) all += weight(q, i, j, temperature);
    for (size_t t = 0; t < 4 * k && *n < k; t++) {
        double left = qn_rng_real(&rng) * all;
        qn_span x = { 0 };
        for (size_t i = 0; i < q->r->n_words && left >= 0; i++)
            for (size_t j = i, end = reach(q->r, i, q->longest); j < end && left >= 0; j++) {
                left -= weight(q, i, j, temperature);
                x = span_of(q->r, i, j, weight(q, i, j, 1) / q->sum);
            }
        bool there = false;
        for (size_t i = 0; i < *n; i++) there |= qn_str_ieq(qn_span_text(q->m, q->passages, &x), qn_span_text(q->m, q->passages, &out[i]));
        if (!there) out[(*n)++] = x;
    }
}

qn_code qn_encoder_answer(qn_encoder *m, const qn_reading *r, const qn_str *passages, size_t k, int longest, double temperature, uint64_t key,
                          qn_span *out, size_t *n, qn_err *e)
{
    if (!m->span) return qn_fail(e, QN_EUSAGE, "this encoder has no head that reads answers: `train_span` makes one");
    float *s = QN_NEW_N(float, r->n_words), *t = QN_NEW_N(float, r->n_words);
    read_forward(m, r, s, t);
    scored q = { m, r, passages, s, t, longest > 0 ? longest : QN_SPAN_TOKENS, -INFINITY, 0 };
    *n = 0;
    for (size_t i = 0; i < r->n_words; i++)
        for (size_t j = i, end = reach(r, i, q.longest); j < end; j++) q.top = fmax(q.top, (double)s[i] + (double)t[j]);
    for (size_t i = 0; i < r->n_words; i++)
        for (size_t j = i, end = reach(r, i, q.longest); j < end; j++) q.sum += weight(&q, i, j, 1);
    if (temperature > 0) draw(&q, temperature, key, k, out, n);
    else
        for (size_t i = 0; i < r->n_words && k; i++)
            for (size_t j = i, end = reach(r, i, q.longest); j < end; j++) put_best(m, passages, span_of(r, i, j, weight(&q, i, j, 1) / q.sum), out, n, k);
    qn_free(s);
    qn_free(t);
    return QN_OK;
}
