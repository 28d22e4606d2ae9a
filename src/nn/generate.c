/* generate: writing with a decoder. Up to `batch` texts are written at once, each in a slot with its cache of keys and
 * values; when one ends, the next prompt takes its slot. A pass carries rows of many slots: all tokens of a new prompt, one
 * token of each text under way. Every row is computed alone (gemm.h), so a text does not depend on those beside it. For the same
 * reason what a prompt has in common with the beginning of another one that is in a slot is not computed again: its keys and values are copied, and where
 * they are still to come the prompt waits for them. Samples of one prompt and questions over one table cost little more than what is written. */
#include "core/mem.h"
#include "core/rng.h"
#include "nn/decoder_net.h"
#include <math.h>
#include <stdlib.h>

enum { PASS_ROWS = 512 };

typedef struct { qn_factor qkv, o, gu, down; } packed_layer;

typedef struct {                /* one text being written */
    bool used;
    size_t prompt;              /* which */
    int fed, n_ids, cap;        /* tokens in the cache; prompt and text so far; room */
    int32_t *ids;
    int n_prompt, room;         /* room: positions in the cache */
    float *cache;               /* (layers, room, 2, kv_heads * hd) */
    size_t cache_floats;
    double logp;
    int like;                   /* the slot whose prompt begins as this one does, or -1 */
    size_t like_prompt;         /* and its prompt then */
    int alike;                  /* so many tokens, the last of the prompt never among them */
    bool waits;
} slot;

typedef struct { int slot, pos; bool last; } row;

typedef struct {
    qn_decoder *m;
    const qn_generate_options *o;
    packed_layer *layer;
    qn_factor head;
    slot *slots;
    int n_slots, n_rows, n_last;
    row rows[PASS_ROWS];
    int last_row[PASS_ROWS];    /* rows whose logits are wanted */
    int32_t pos[PASS_ROWS];
    float *x, *xn, *r, *qkv, *att, *gu, *h, *logits, *mem;
    bool *allow;                /* (n_slots, vocab) */
    int32_t chosen[PASS_ROWS];
    double chosen_logp[PASS_ROWS];
    int layer_now;
} writer;

/* ---- weights, packed once, adapters merged in ---- */
static qn_factor pack_merged(qn_decoder *m, int layer, int k0, int k1)
{
    qn_module first = qn_decoder_module(m, layer, k0);
    int out = 0, in = first.in;
    bool adapted = false;
    for (int k = k0; k <= k1; k++) { out += qn_decoder_module(m, layer, k).out; adapted |= m->lora && m->lora->on[k]; }
    const float *w = m->p.w + first.at;
    float *sum = NULL;
    if (adapted) {
        sum = qn_nn_alloc((size_t)out * (size_t)in);
        memcpy(sum, w, (size_t)out * (size_t)in * sizeof(float));
        for (int k = k0; k <= k1; k++) {
            if (!m->lora->on[k]) continue;
            qn_module q = qn_decoder_module(m, layer, k);
            int r = m->lora->rank;
            const float *a = m->lora->p.w + m->lora->at[layer][k], *b = a + (size_t)r * (size_t)in;
            float *sb = qn_nn_alloc((size_t)q.out * (size_t)r);
            for (size_t i = 0; i < (size_t)q.out * (size_t)r; i++) sb[i] = b[i] * m->lora->alpha / (float)r;
            qn_gemm(m->pool, false, false, q.out, in, r, sb, r, a, in, true, sum + (size_t)q.first * (size_t)in, in);
            qn_nn_free(sb);
        }
    }
    qn_factor packed = qn_factor_make(m->bf16 ? QN_MUL_BF16 : QN_MUL_F32, m->pool, true, out, in, sum ? sum : w, in);
    qn_nn_free(sum);
    return packed;
}

static void writer_init(writer *w, qn_decoder *m, const qn_generate_options *o, size_t n)
{
    const qn_decoder_config *c = &m->c;
    size_t rows = PASS_ROWS, d = (size_t)c->d, q = (size_t)((c->heads + 2 * c->kv_heads) * c->hd), f = (size_t)c->ff;
    w->m = m;
    w->o = o;
    w->n_slots = o->batch > 0 ? o->batch : 64;
    if (w->n_slots > PASS_ROWS) w->n_slots = PASS_ROWS;
    if ((size_t)w->n_slots > n) w->n_slots = (int)n;
    qn_decoder_pool(m);
    w->layer = QN_NEW_N(packed_layer, c->layers);
    for (int l = 0; l < c->layers; l++)
        w->layer[l] = (packed_layer){ pack_merged(m, l, QN_LORA_Q, QN_LORA_V), pack_merged(m, l, QN_LORA_O, QN_LORA_O),
                                      pack_merged(m, l, QN_LORA_GATE, QN_LORA_UP), pack_merged(m, l, QN_LORA_DOWN, QN_LORA_DOWN) };
    w->head = qn_factor_make(m->bf16 ? QN_MUL_BF16 : QN_MUL_F32, m->pool, true, c->vocab, c->d, m->p.w + m->head, c->d);
    w->mem = qn_nn_alloc(rows * (2 * d + 1 + q + (size_t)(c->heads * c->hd) + 3 * f) + (size_t)w->n_slots * (size_t)c->vocab);
    w->x = w->mem;
    w->xn = w->x + rows * d;
    w->r = w->xn + rows * d;
    w->qkv = w->r + rows;
    w->att = w->qkv + rows * q;
    w->gu = w->att + rows * (size_t)(c->heads * c->hd);
    w->h = w->gu + rows * 2 * f;
    w->logits = w->h + rows * f;
    w->slots = QN_NEW_N(slot, w->n_slots);
    if (o->allow) w->allow = QN_NEW_N(bool, (size_t)w->n_slots * (size_t)c->vocab);
}

static void writer_free(writer *w)
{
    for (int l = 0; l < w->m->c.layers; l++) {
        qn_factor_free(&w->layer[l].qkv);
        qn_factor_free(&w->layer[l].o);
        qn_factor_free(&w->layer[l].gu);
        qn_factor_free(&w->layer[l].down);
    }
    for (int i = 0; i < w->n_slots; i++) { qn_nn_free(w->slots[i].cache); qn_free(w->slots[i].ids); }
    qn_free(w->layer);
    qn_factor_free(&w->head);
    qn_nn_free(w->mem);
    qn_free(w->slots);
    qn_free(w->allow);
    qn_free(w);
}

/* ---- one pass over w->rows ---- */
static size_t kv_width(const qn_decoder *m) { return (size_t)(m->c.kv_heads * m->c.hd); }
static float *cache_at(const writer *w, const slot *s, int pos)
{
    return s->cache + ((size_t)w->layer_now * (size_t)s->room + (size_t)pos) * 2 * kv_width(w->m);
}

/* A part: one row and one group of heads. The scores of a text's earlier tokens, their softmax, the mean of the values. */
static void attend(void *arg, size_t part)
{
    writer *w = arg;
    const qn_decoder_config *c = &w->m->c;
    int g = (int)(part % (size_t)c->kv_heads), i = (int)(part / (size_t)c->kv_heads), per = c->heads / c->kv_heads, hd = c->hd;
    const row *r = &w->rows[i];
    size_t kv = kv_width(w->m), stride = 2 * kv;
    const float *keys = cache_at(w, &w->slots[r->slot], 0) + (size_t)(g * hd), *values = keys + kv;
    float stack[1024], *p = r->pos < 1024 ? stack : qn_nn_alloc((size_t)r->pos + 1), scale = 1.f / sqrtf((float)hd);
    for (int h = g * per; h < (g + 1) * per; h++) {
        const float *q = w->qkv + (size_t)i * (size_t)((c->heads + 2 * c->kv_heads) * hd) + (size_t)(h * hd);
        float *o = w->att + ((size_t)i * (size_t)c->heads + (size_t)h) * (size_t)hd, top = -INFINITY, sum = 0;
        for (int j = 0; j <= r->pos; j++) {
            p[j] = qn_dot((size_t)hd, q, keys + (size_t)j * stride) * scale;
            if (p[j] > top) top = p[j];
        }
        for (int j = 0; j <= r->pos; j++) p[j] -= top;
        qn_expf_n((size_t)r->pos + 1, p);
        for (int j = 0; j <= r->pos; j++) sum += p[j];
        qn_weighted_rows(r->pos + 1, hd, p, 1.f / sum, values, stride, o);
    }
    if (p != stack) qn_nn_free(p);
}

static void forward(writer *w)
{
    qn_decoder *m = w->m;
    const qn_decoder_config *c = &m->c;
    qn_pool *p = m->pool;
    int n = w->n_rows, d = c->d, q = (c->heads + 2 * c->kv_heads) * c->hd, o = c->heads * c->hd;
    size_t kv = kv_width(m);
    for (int i = 0; i < n; i++) {
        const slot *s = &w->slots[w->rows[i].slot];
        w->pos[i] = w->rows[i].pos;
        memcpy(w->x + (size_t)i * (size_t)d, m->p.w + m->embed + (size_t)s->ids[w->rows[i].pos] * (size_t)d, (size_t)d * sizeof(float));
    }
    for (int l = 0; l < c->layers; l++) {
        w->layer_now = l;
        qn_rmsnorm(p, n, d, c->eps, w->x, m->p.w + m->at[l].norm1, w->xn, w->r);
        qn_factor_mul(&w->layer[l].qkv, p, n, w->xn, d, false, w->qkv, q);
        if (c->qkv_bias) qn_add_bias(p, n, q, m->p.w + m->at[l].qkv_bias, w->qkv);
        qn_rope(p, n, c->heads + c->kv_heads, c->hd, q, w->pos, m->rope, false, w->qkv);
        for (int i = 0; i < n; i++)
            memcpy(cache_at(w, &w->slots[w->rows[i].slot], w->rows[i].pos), w->qkv + (size_t)i * (size_t)q + o, 2 * kv * sizeof(float));
        qn_pool_run(p, (size_t)n * (size_t)c->kv_heads, attend, w);
        qn_factor_mul(&w->layer[l].o, p, n, w->att, o, true, w->x, d);
        qn_rmsnorm(p, n, d, c->eps, w->x, m->p.w + m->at[l].norm2, w->xn, w->r);
        qn_factor_mul(&w->layer[l].gu, p, n, w->xn, d, false, w->gu, 2 * c->ff);
        qn_swiglu(p, n, c->ff, w->gu, w->h);
        qn_factor_mul(&w->layer[l].down, p, n, w->h, c->ff, true, w->x, d);
    }
    w->n_last = 0;
    for (int i = 0; i < n; i++) {
        if (!w->rows[i].last) continue;
        memmove(w->x + (size_t)w->n_last * (size_t)d, w->x + (size_t)i * (size_t)d, (size_t)d * sizeof(float));
        w->last_row[w->n_last++] = i;
    }
    qn_rmsnorm(p, w->n_last, d, c->eps, w->x, m->p.w + m->norm, w->xn, w->r);
    qn_factor_mul(&w->head, p, w->n_last, w->xn, d, false, w->logits, c->vocab);
}

/* ---- choosing ---- */
typedef struct { float p; int32_t id; } candidate;
static int by_p(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    return x->p > y->p ? -1 : x->p < y->p ? 1 : (x->id > y->id) - (x->id < y->id);
}

/* Draws from p (unnormalised, sum `sum`), or from its most probable part. */
static int32_t draw(const float *p, int v, double sum, double top_p, double u)
{
    if (!(top_p > 0 && top_p < 1)) {
        double left = u * sum;
        int32_t id = -1;
        for (int32_t i = 0; i < v; i++) {
            if (p[i] <= 0) continue;
            id = i;
            if ((left -= (double)p[i]) < 0) break;
        }
        return id;
    }
    /* a token below (1 - top_p) / v of the mass cannot be needed to reach top_p */
    double least = (1 - top_p) / v * sum, mass = 0, kept = 0;
    int n = 0, k = 0;
    for (int i = 0; i < v; i++) n += (double)p[i] >= least && p[i] > 0;
    candidate *c = qn_alloc((size_t)(n + 1) * sizeof *c);
    for (int32_t i = 0; i < v; i++) if ((double)p[i] >= least && p[i] > 0) c[k++] = (candidate){ p[i], i };
    qsort(c, (size_t)n, sizeof *c, by_p);
    for (k = 0; k < n && mass < top_p * sum; k++) mass += (double)c[k].p;
    for (int i = 0; i < k; i++) kept += (double)c[i].p;
    double left = u * kept;
    int32_t id = c[0].id;
    for (int i = 0; i < k; i++) { id = c[i].id; if ((left -= (double)c[i].p) < 0) break; }
    qn_free(c);
    return id;
}

static void choose(void *arg, size_t part)
{
    writer *w = arg;
    int v = w->m->c.vocab;
    const slot *s = &w->slots[w->rows[w->last_row[part]].slot];
    const bool *allow = w->allow ? w->allow + part * (size_t)v : NULL;
    float *x = w->logits + part * (size_t)v, top = -INFINITY, top_allowed = -INFINITY, t = w->o->temperature;
    int32_t best = -1;
    for (int32_t i = 0; i < v; i++) {
        if (x[i] > top) top = x[i];
        if ((!allow || allow[i]) && x[i] > top_allowed) { top_allowed = x[i]; best = i; }
    }
    float *p = qn_nn_alloc((size_t)v);
    double sum = 0, all = 0;
    for (int i = 0; i < v; i++) p[i] = x[i] - top;
    qn_expf_n((size_t)v, p);
    for (int i = 0; i < v; i++) all += (double)p[i];
    if (t > 0) {
        for (int i = 0; i < v; i++) p[i] = allow && !allow[i] ? -1e30f : (x[i] - top_allowed) / t;
        qn_expf_n((size_t)v, p);
        for (int i = 0; i < v; i++) sum += (double)p[i];
        uint64_t key = w->o->keys ? w->o->keys[s->prompt] : s->prompt;
        qn_rng r = qn_rng_keyed(w->o->seed, QN_STR("draw"), (qn_hash128){ key, (uint64_t)(s->n_ids - s->n_prompt) + 1 });
        best = draw(p, v, sum, (double)w->o->top_p, qn_rng_real(&r));
    }
    w->chosen[part] = best;
    w->chosen_logp[part] = (double)x[best] - (double)top - log(all);
    qn_nn_free(p);
}

static void mask(writer *w)
{
    size_t v = (size_t)w->m->c.vocab;
    if (!w->allow) return;
    for (int i = 0; i < w->n_last; i++) {
        const slot *s = &w->slots[w->rows[w->last_row[i]].slot];
        bool any = false, *a = w->allow + (size_t)i * v;
        memset(a, true, v);
        w->o->allow(w->o->allow_arg, s->prompt, s->ids + s->n_prompt, s->n_ids - s->n_prompt, a);
        for (size_t j = 0; j < v && !any; j++) any = a[j];
        QN_ASSERT(any);
    }
}

static bool stops(const writer *w, int32_t id)
{
    for (int i = 0; i < w->o->n_stop; i++) if (w->o->stop[i] == id) return true;
    for (int i = 0; i < w->m->c.n_eos && !w->o->ignore_eos; i++) if (w->m->c.eos[i] == id) return true;
    return false;
}

static void finish(slot *s, qn_generated *out, bool stopped)
{
    int n = s->n_ids - s->n_prompt;
    out[s->prompt] = (qn_generated){ qn_memdup(s->ids + s->n_prompt, (size_t)(n ? n : 1) * sizeof(int32_t)), n, s->logp, stopped };
    s->used = false;
}

/* ---- beginnings in common ---- */
static int in_common(const slot *a, const slot *b)
{
    int n = a->n_prompt < b->n_prompt ? a->n_prompt : b->n_prompt, k = 0;
    while (k < n && a->ids[k] == b->ids[k]) k++;
    return k < a->n_prompt - 1 ? k : a->n_prompt - 1;
}

/* Copies what the slot that s is like has of their common beginning. Positions lie layer by layer. */
static void copy_common(writer *w, slot *s)
{
    const slot *t = &w->slots[s->like];
    int to = s->alike < t->fed ? s->alike : t->fed;
    size_t width = 2 * kv_width(w->m);
    if (to <= s->fed) return;
    for (int l = 0; l < w->m->c.layers; l++)
        memcpy(s->cache + ((size_t)l * (size_t)s->room + (size_t)s->fed) * width, t->cache + ((size_t)l * (size_t)t->room + (size_t)s->fed) * width, (size_t)(to - s->fed) * width * sizeof(float));
    s->fed = to;
}

/* The slot with the longest beginning in common, also one whose text is done: its cache stays until it is taken again. */
static void find_like(writer *w, slot *s)
{
    s->like = -1;
    s->alike = 0;
    for (int i = 0; i < w->n_slots; i++) {
        const slot *t = &w->slots[i];
        int k = t == s || !t->n_prompt ? 0 : in_common(s, t);
        if (k <= s->alike) continue;
        s->alike = k;
        s->like = i;
        s->like_prompt = t->prompt;
    }
    if (s->like >= 0) copy_common(w, s);
}

/* Must s wait for its beginning? Only for a prompt that began before it, so the first of all never waits. Called between passes: all that is fed is computed. */
static bool must_wait(writer *w, slot *s)
{
    if (!s->used || s->like < 0 || s->fed >= s->alike) return false;
    const slot *t = &w->slots[s->like];
    if (t->prompt == s->like_prompt) copy_common(w, s);
    if (t->prompt != s->like_prompt || !t->used) s->like = -1;
    return s->like >= 0 && s->fed < s->alike;
}

static void begin(writer *w, slot *s, const qn_seq *prompt, size_t number)
{
    const qn_decoder_config *c = &w->m->c;
    int room = prompt->n + w->o->max_tokens;
    room = room > c->max_pos ? c->max_pos : room;
    size_t need = (size_t)c->layers * (size_t)room * 2 * kv_width(w->m);
    if (s->cache_floats < need) { qn_nn_free(s->cache); s->cache = qn_nn_alloc(need); s->cache_floats = need; }
    if (s->cap < room + 1) { s->cap = room + 1; s->ids = qn_realloc(s->ids, (size_t)s->cap * sizeof(int32_t)); }
    memcpy(s->ids, prompt->ids, (size_t)prompt->n * sizeof(int32_t));
    s->used = true;
    s->prompt = number;
    s->fed = 0;
    s->n_ids = s->n_prompt = prompt->n;
    s->room = room;
    s->logp = 0;
    find_like(w, s);
}

/* Rows of the next pass: what each slot has not fed yet, as far as there is place. */
static void gather(writer *w)
{
    w->n_rows = 0;
    for (int i = 0; i < w->n_slots; i++) w->slots[i].waits = must_wait(w, &w->slots[i]);
    for (int i = 0; i < w->n_slots; i++) {
        slot *s = &w->slots[i];
        if (!s->used || s->waits) continue;
        while (s->fed < s->n_ids && w->n_rows < PASS_ROWS) {
            w->rows[w->n_rows++] = (row){ i, s->fed, s->fed + 1 == s->n_ids };
            s->fed++;
        }
    }
}

qn_code qn_decoder_generate(qn_decoder *m, const qn_seq *prompts, size_t n, const qn_generate_options *o, qn_generated *out, qn_err *e)
{
    QN_TRY(qn_decoder_check(m, prompts, n, e));
    if (n == 0) return QN_OK;
    int longest = 0;
    for (size_t i = 0; i < n; i++) if (prompts[i].n > longest) longest = prompts[i].n;
    longest += o->max_tokens;
    qn_decoder_rope(m, longest > m->c.max_pos ? m->c.max_pos : longest);
    writer *w = QN_NEW(writer);
    writer_init(w, m, o, n);
    size_t next = 0, done = 0;
    while (done < n) {
        for (int i = 0; i < w->n_slots; i++) {
            slot *s = &w->slots[i];
            while (!s->used && next < n) {
                begin(w, s, &prompts[next], next);
                next++;
                if (o->max_tokens <= 0) { finish(s, out, false); done++; }
            }
        }
        gather(w);
        if (!w->n_rows) continue;
        forward(w);
        mask(w);
        qn_pool_run(m->pool, (size_t)w->n_last, choose, w);
        for (int i = 0; i < w->n_last; i++) {
            slot *s = &w->slots[w->rows[w->last_row[i]].slot];
            s->logp += w->chosen_logp[i];
            bool stop = stops(w, w->chosen[i]);
            if (!stop) s->ids[s->n_ids++] = w->chosen[i];
            if (stop || s->n_ids - s->n_prompt >= o->max_tokens || s->n_ids >= m->c.max_pos) { finish(s, out, stop); done++; }
        }
    }
    writer_free(w);
    return QN_OK;
}
