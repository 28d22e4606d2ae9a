/* ngram_lm: counts by the hash of an n-gram. Below the highest order a count is the number of different words seen before the n-gram
 * (Kneser-Ney), which grows whenever an n-gram one longer is seen for the first time: no second pass is needed. */
#include "text/ngram_lm.h"
#include "core/map.h"
#include "text/words.h"
#include <math.h>

enum { MAX_ORDER = 5 };
static const uint64_t BEGIN = 0x42454749, END = 0x454e44;
static const char MAGIC[8] = "QNNGLM1";

struct qn_ngram_lm {
    int    order;
    double discount[MAX_ORDER + 1];
    qn_map count[MAX_ORDER + 1];    /* [k]: k-gram -> count (the highest order) or different words before it */
    qn_map total[MAX_ORDER + 1];    /* [k]: context of k-1 words -> sum of count over the words behind it (high 32) and how many differ (low 32) */
};

static qn_hash128 key(const uint64_t *w, int n) { return qn_hash(w, (size_t)n * sizeof *w); }

qn_ngram_lm *qn_ngram_lm_new(int order)
{
    qn_ngram_lm *m = QN_NEW(qn_ngram_lm);
    m->order = order < 1 ? 1 : order > MAX_ORDER ? MAX_ORDER : order;
    return m;
}

void qn_ngram_lm_free(qn_ngram_lm *m)
{
    if (!m) return;
    for (int k = 1; k <= m->order; k++) { qn_map_free(&m->count[k]); qn_map_free(&m->total[k]); }
    qn_free(m);
}

/* One more k-gram that ends in w[k-1]; `gram` points at its first word. */
static void add_gram(qn_ngram_lm *m, const uint64_t *gram, int k)
{
    bool fresh;
    uint64_t *c = qn_map_put(&m->count[k], key(gram, k), &fresh);
    (*c)++;
    uint64_t *t = qn_map_put(&m->total[k], key(gram, k - 1), NULL);
    *t += (1ull << 32) + fresh;
    if (fresh && k > 1) add_gram(m, gram + 1, k - 1);
}

/* The words of a text between markers: order - 1 times BEGIN, the words, END. Returns how many with END. */
static size_t read_words(const qn_ngram_lm *m, qn_str text, qn_hashes *out)
{
    qn_words_hash(text, QN_WORDS_PLAIN, true, out);
    size_t n = out->n, pad = (size_t)m->order - 1;
    uint64_t *v = QN_NEW_N(uint64_t, n + pad + 1);
    for (size_t i = 0; i < pad; i++) v[i] = BEGIN;
    if (n) memcpy(v + pad, out->v, n * sizeof *v);
    v[pad + n] = END;
    qn_hashes_free(out);
    *out = (qn_hashes){ v, n + pad + 1, n + pad + 1 };
    return n + 1;
}

void qn_ngram_lm_add(qn_ngram_lm *m, qn_str text)
{
    qn_hashes w = {0};
    size_t n = read_words(m, text, &w);
    for (size_t i = 0; n > 1 && i < n; i++) add_gram(m, w.v + i, m->order);
    qn_hashes_free(&w);
}

void qn_ngram_lm_finish(qn_ngram_lm *m)
{
    for (int k = 1; k <= m->order; k++) {
        size_t n1 = 0, n2 = 0;
        for (size_t i = 0; i < m->count[k].cap; i++) {
            bool used = m->count[k].keys[i].hi || m->count[k].keys[i].lo;
            n1 += used && m->count[k].vals[i] == 1;
            n2 += used && m->count[k].vals[i] == 2;
        }
        m->discount[k] = n1 ? (double)n1 / (double)(n1 + 2 * n2) : 0.5;
        if (m->discount[k] > 0.95) m->discount[k] = 0.95;       /* tiny texts without a pair */
    }
}

size_t qn_ngram_lm_vocabulary(const qn_ngram_lm *m) { return m->count[1].n; }

size_t qn_ngram_lm_unseen(const qn_ngram_lm *m) { return m->count[1].n + 10000; }

size_t qn_ngram_lm_bytes(const qn_ngram_lm *m)
{
    size_t n = sizeof *m;
    for (int k = 1; k <= m->order; k++) n += qn_map_bytes(&m->count[k]) + qn_map_bytes(&m->total[k]);
    return n;
}

/* Probability of the last of `k` words behind the k-1 before it. */
static double probability(const qn_ngram_lm *m, const uint64_t *gram, int k)
{
    double lower = k == 1 ? 1.0 / (double)(m->count[1].n + qn_ngram_lm_unseen(m)) : probability(m, gram + 1, k - 1);
    const uint64_t *t = qn_map_get(&m->total[k], key(gram, k - 1));
    if (!t || !*t) return lower;
    const uint64_t *c = qn_map_get(&m->count[k], key(gram, k));
    double all = (double)(*t >> 32), kinds = (double)(*t & UINT32_MAX), d = m->discount[k];
    return ((c && (double)*c > d ? (double)*c - d : 0) + d * kinds * lower) / all;
}

qn_perplexity qn_ngram_lm_ask(const qn_ngram_lm *m, qn_str text)
{
    qn_hashes w = {0};
    size_t n = read_words(m, text, &w), unknown = 0;
    double sum = 0;
    for (size_t i = 0; n > 1 && i < n; i++) {
        sum += log(probability(m, w.v + i, m->order));
        unknown += !qn_map_get(&m->count[1], key(w.v + i + m->order - 1, 1));
    }
    qn_hashes_free(&w);
    if (n <= 1) return (qn_perplexity){ NAN, NAN, 0 };
    return (qn_perplexity){ exp(-sum / (double)n), (double)unknown / (double)(n - 1), n - 1 };
}

double qn_ngram_lm_word(const qn_ngram_lm *m, qn_str context, qn_str word)
{
    qn_hashes w = {0};
    uint64_t gram[MAX_ORDER];
    size_t n = read_words(m, context, &w) - 1;          /* END falls away */
    memcpy(gram, w.v + n, ((size_t)m->order - 1) * sizeof *gram);
    gram[m->order - 1] = word.n ? qn_word_hash(word, true) : END;
    qn_hashes_free(&w);
    return probability(m, gram, m->order);
}

/* ---- bytes: magic, order, discounts, then each map as its number of entries and (hi, lo, value) ---- */

static void save_map(const qn_map *map, qn_buf *out)
{
    uint64_t n = map->n;
    qn_buf_put(out, &n, sizeof n);
    for (size_t i = 0; i < map->cap; i++) {
        if (!map->keys[i].hi && !map->keys[i].lo) continue;
        qn_buf_put(out, &map->keys[i], sizeof map->keys[i]);
        qn_buf_put(out, &map->vals[i], sizeof map->vals[i]);
    }
}

void qn_ngram_lm_save(const qn_ngram_lm *m, qn_buf *out)
{
    int64_t order = m->order;
    qn_buf_put(out, MAGIC, sizeof MAGIC);
    qn_buf_put(out, &order, sizeof order);
    qn_buf_put(out, m->discount, sizeof m->discount);
    for (int k = 1; k <= m->order; k++) { save_map(&m->count[k], out); save_map(&m->total[k], out); }
}

static bool take(qn_str *s, void *out, size_t n)
{
    if (s->n < n) return false;
    memcpy(out, s->p, n);
    *s = qn_str_sub(*s, n, s->n);
    return true;
}

static bool load_map(qn_str *s, qn_map *map)
{
    uint64_t n, value;
    qn_hash128 k;
    if (!take(s, &n, sizeof n) || n > s->n / (sizeof k + sizeof value)) return false;
    for (uint64_t i = 0; i < n; i++) {
        if (!take(s, &k, sizeof k) || !take(s, &value, sizeof value)) return false;
        *qn_map_put(map, k, NULL) = value;
    }
    return true;
}

qn_code qn_ngram_lm_load(qn_str s, qn_ngram_lm **out, qn_err *e)
{
    char magic[8];
    int64_t order;
    if (!take(&s, magic, sizeof magic) || memcmp(magic, MAGIC, sizeof magic) != 0 || !take(&s, &order, sizeof order) || order < 1 || order > MAX_ORDER)
        return qn_fail(e, QN_EDATA, "these bytes are no n-gram model");
    qn_ngram_lm *m = qn_ngram_lm_new((int)order);
    bool ok = take(&s, m->discount, sizeof m->discount);
    for (int k = 1; ok && k <= m->order; k++) ok = load_map(&s, &m->count[k]) && load_map(&s, &m->total[k]) && m->discount[k] >= 0 && m->discount[k] <= 1;
    if (!ok || s.n) {
        qn_ngram_lm_free(m);
        return qn_fail(e, QN_EDATA, "the n-gram model is cut or damaged");
    }
    *out = m;
    return QN_OK;
}
