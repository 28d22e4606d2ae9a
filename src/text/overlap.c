/* overlap: hashes of whole texts, a sorted list of n-gram hashes behind a bit table, and difflib's matching blocks. */
#include "text/overlap.h"
#include "core/err.h"
#include "core/map.h"
#include "core/mem.h"
#include <stdlib.h>

typedef struct { uint64_t hash; uint32_t ref; } gram;
#define MIN_BLOCK 5

struct qn_overlap {
    int       n;
    double    over;
    qn_arena  texts;
    qn_str   *refs;             /* as added */
    size_t    n_refs, cap_refs;
    qn_map    exact, normal;    /* hash of the text -> index + 1 */
    gram     *grams;            /* by hash, then reference, each once, after seal */
    size_t    n_grams, cap_grams;
    uint64_t *bits;             /* 2^log_bits: some gram has this prefix */
    int       log_bits;
    bool      sealed;
};

qn_overlap *qn_overlap_new(int n, double over)
{
    qn_overlap *o = QN_NEW(qn_overlap);
    o->n = n;
    o->over = over;
    return o;
}

void qn_overlap_free(qn_overlap *o)
{
    if (!o) return;
    qn_arena_free(&o->texts);
    qn_free(o->refs);
    qn_map_free(&o->exact);
    qn_map_free(&o->normal);
    qn_free(o->grams);
    qn_free(o->bits);
    qn_free(o);
}

size_t qn_overlap_size(const qn_overlap *o) { return o->n_refs; }
qn_str qn_overlap_text(const qn_overlap *o, size_t index) { return o->refs[index]; }

size_t qn_overlap_bytes(const qn_overlap *o)
{
    return o->texts.used_bytes + o->cap_refs * sizeof *o->refs + qn_map_bytes(&o->exact) + qn_map_bytes(&o->normal)
         + o->cap_grams * sizeof *o->grams + (o->bits ? (1ull << o->log_bits) / 8 : 0);
}

/* Hashes of all runs of n words; none when there are fewer. In place of the word hashes. */
static void n_grams(qn_hashes *h, int n)
{
    size_t width = (size_t)n, kept = 0;
    for (size_t i = 0; i + width <= h->n; i++) {
        uint64_t x = 0;
        for (size_t k = 0; k < width; k++) x = (x ^ h->v[i + k]) * 0x9E3779B97F4A7C15u, x ^= x >> 29;
        h->v[kept++] = x;
    }
    h->n = kept;
}

static void fold(qn_str text, qn_buf *out) { qn_words_plain(text, QN_WORDS_PLAIN, true, out); }

static void put_first(qn_map *m, qn_str text, size_t index)
{
    bool fresh;
    uint64_t *v = qn_map_put_str(m, text, &fresh);
    if (fresh) *v = index + 1;
}

void qn_overlap_add(qn_overlap *o, qn_str reference)
{
    qn_buf folded = { 0 };
    qn_hashes h = { 0 };
    QN_ASSERT(!o->sealed);
    QN_GROW(o->refs, o->n_refs, o->cap_refs);
    o->refs[o->n_refs] = qn_arena_str(&o->texts, reference);
    put_first(&o->exact, qn_str_trim(reference), o->n_refs);
    fold(reference, &folded);
    if (folded.n) put_first(&o->normal, qn_buf_view(&folded), o->n_refs);
    qn_words_hash(reference, QN_WORDS_PLAIN, true, &h);
    n_grams(&h, o->n);
    for (size_t i = 0; i < h.n; i++) {
        QN_GROW(o->grams, o->n_grams, o->cap_grams);
        o->grams[o->n_grams++] = (gram){ h.v[i], (uint32_t)o->n_refs };
    }
    o->n_refs++;
    qn_hashes_free(&h);
    qn_buf_free(&folded);
}

static int by_hash(const void *a, const void *b)
{
    const gram *x = a, *y = b;
    return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash) : (x->ref > y->ref) - (x->ref < y->ref);
}

void qn_overlap_seal(qn_overlap *o)
{
    size_t kept = 0;
    if (o->sealed) return;
    if (o->n_grams) qsort(o->grams, o->n_grams, sizeof *o->grams, by_hash);
    for (size_t i = 0; i < o->n_grams; i++)
        if (kept == 0 || by_hash(&o->grams[kept - 1], &o->grams[i]) != 0) o->grams[kept++] = o->grams[i];
    o->n_grams = kept;
    for (o->log_bits = 10; (1ull << o->log_bits) < 16 * kept; o->log_bits++) {}
    o->bits = qn_zalloc((1ull << o->log_bits) / 8);
    for (size_t i = 0; i < kept; i++) {
        uint64_t bit = o->grams[i].hash >> (64 - o->log_bits);
        o->bits[bit >> 6] |= 1ull << (bit & 63);
    }
    o->sealed = true;
}

static bool maybe_gram(const qn_overlap *o, uint64_t hash)
{
    uint64_t bit = hash >> (64 - o->log_bits);
    return o->bits[bit >> 6] >> (bit & 63) & 1;
}

static size_t first_gram(const qn_overlap *o, uint64_t hash)
{
    size_t lo = 0, hi = o->n_grams;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (o->grams[mid].hash < hash) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* References that share an n-gram with the text, ascending, each once; owned. */
static uint32_t *shared_refs(const qn_overlap *o, qn_str text, size_t *n)
{
    qn_hashes h = { 0 };
    uint32_t *refs = NULL;
    size_t found = 0, cap = 0;
    *n = 0;
    qn_words_hash(text, QN_WORDS_PLAIN, true, &h);
    n_grams(&h, o->n);
    for (size_t i = 0; i < h.n; i++) {
        if (!maybe_gram(o, h.v[i])) continue;
        for (size_t g = first_gram(o, h.v[i]); g < o->n_grams && o->grams[g].hash == h.v[i]; g++) {
            QN_GROW(refs, found, cap);
            refs[found++] = o->grams[g].ref;
        }
    }
    if (found) qsort(refs, found, sizeof *refs, by_number);
    for (size_t i = 0; i < found; i++)
        if (*n == 0 || refs[*n - 1] != refs[i]) refs[(*n)++] = refs[i];
    qn_hashes_free(&h);
    return refs;
}

typedef struct { uint32_t *v; size_t n, cap; } points;

static void points_of(qn_str text, points *out)
{
    qn_buf folded = { 0 };
    out->n = 0;
    fold(text, &folded);
    qn_str s = qn_buf_view(&folded);
    for (size_t i = 0; i < s.n;) {
        QN_GROW(out->v, out->n, out->cap);
        out->v[out->n++] = qn_utf8_next(s, &i);
    }
    qn_buf_free(&folded);
}

static qn_overlap_hit best_blocks(const qn_overlap *o, qn_str text, const uint32_t *refs, size_t n_refs)
{
    qn_overlap_hit best = { 0 };
    points mine = { 0 }, ref = { 0 };
    points_of(text, &mine);
    for (size_t i = 0; i < n_refs; i++) {
        points_of(o->refs[refs[i]], &ref);
        size_t same = qn_matching_blocks(mine.v, mine.n, ref.v, ref.n, MIN_BLOCK);
        double ratio = ref.n ? (double)same / (double)ref.n : 0;
        if (ratio >= o->over && ratio > best.ratio) best = (qn_overlap_hit){ QN_OVERLAP_BLOCKS, refs[i], ratio };
    }
    qn_free(mine.v);
    qn_free(ref.v);
    return best;
}

qn_overlap_hit qn_overlap_find(const qn_overlap *o, qn_str text)
{
    qn_buf folded = { 0 };
    qn_overlap_hit hit = { 0 };
    QN_ASSERT(o->sealed);
    uint64_t *same = qn_map_get_str(&o->exact, qn_str_trim(text));
    if (same) return (qn_overlap_hit){ QN_OVERLAP_EXACT, *same - 1, 1 };
    fold(text, &folded);
    if (folded.n && (same = qn_map_get_str(&o->normal, qn_buf_view(&folded)))) hit = (qn_overlap_hit){ QN_OVERLAP_NORMAL, *same - 1, 1 };
    qn_buf_free(&folded);
    if (hit.kind || o->over > 1) return hit;
    size_t n;
    uint32_t *refs = shared_refs(o, text, &n);
    if (n) hit = best_blocks(o, text, refs, n);
    qn_free(refs);
    return hit;
}

/* ---- difflib's matching blocks ---- */
typedef struct { size_t a0, a1, b0, b1; } range;

static inline uint32_t slot_of(const uint32_t *keys, uint32_t mask, uint32_t cp)
{
    uint32_t i = (cp * 2654435761u) & mask;
    while (keys[i] != cp && keys[i] != UINT32_MAX) i = (i + 1) & mask;
    return i;
}

/* Places of each code point in b as chains in rising order: first[slot], then next[place]; UINT32_MAX ends. */
typedef struct { uint32_t *keys, *first, *next, mask; } chains;

static chains chains_of(const uint32_t *b, size_t n)
{
    chains c = { .mask = 63 };
    while (c.mask < 2 * n) c.mask = c.mask * 2 + 1;
    c.keys = qn_alloc((c.mask + 1ull) * sizeof *c.keys);
    c.first = qn_alloc((c.mask + 1ull) * sizeof *c.first);
    c.next = qn_alloc((n + 1) * sizeof *c.next);
    memset(c.keys, 0xFF, (c.mask + 1ull) * sizeof *c.keys);
    memset(c.first, 0xFF, (c.mask + 1ull) * sizeof *c.first);
    for (size_t j = n; j-- > 0;) {
        uint32_t s = slot_of(c.keys, c.mask, b[j]);
        c.keys[s] = b[j];
        c.next[j] = c.first[s];
        c.first[s] = (uint32_t)j;
    }
    return c;
}

/* Longest block in a range; of equal ones the first in a, then in b. len[j + 1]: length of the run that ends at (i, j). */
static size_t longest(const uint32_t *a, const chains *c, range r, uint32_t *len, uint32_t *old, size_t *at_a, size_t *at_b)
{
    size_t best = 0;
    *at_a = r.a0;
    *at_b = r.b0;
    memset(old + r.b0, 0, (r.b1 - r.b0 + 1) * sizeof *old);
    memset(len + r.b0, 0, (r.b1 - r.b0 + 1) * sizeof *len);
    for (size_t i = r.a0; i < r.a1; i++) {
        uint32_t s = slot_of(c->keys, c->mask, a[i]);
        for (uint32_t j = c->first[s]; j != UINT32_MAX && j < r.b1; j = c->next[j]) {
            if (j < r.b0) continue;
            uint32_t k = len[j + 1] = (j > r.b0 ? old[j] : 0) + 1;
            if (k > best) best = k, *at_a = i + 1 - k, *at_b = j + 1 - k;
        }
        uint32_t *swap = old;
        old = len;
        len = swap;
        if (i > r.a0) {     /* clear what the row before last left in `len` */
            uint32_t before = slot_of(c->keys, c->mask, a[i - 1]);
            for (uint32_t j = c->first[before]; j != UINT32_MAX && j < r.b1; j = c->next[j]) len[j + 1] = 0;
        }
    }
    return best;
}

size_t qn_matching_blocks(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b, size_t min_len)
{
    range *todo = NULL;
    size_t n = 0, cap = 0, total = 0;
    if (n_a == 0 || n_b == 0) return 0;
    chains c = chains_of(b, n_b);
    uint32_t *len = QN_NEW_N(uint32_t, n_b + 1), *old = QN_NEW_N(uint32_t, n_b + 1);
    QN_GROW(todo, n, cap);
    todo[n++] = (range){ 0, n_a, 0, n_b };
    while (n) {
        range r = todo[--n];
        size_t i, j, k = longest(a, &c, r, len, old, &i, &j);
        if (k > min_len) total += k;
        if (k <= min_len) continue;         /* what lies beside is no longer */
        QN_GROW(todo, n + 1, cap);
        if (r.a0 < i && r.b0 < j) todo[n++] = (range){ r.a0, i, r.b0, j };
        if (i + k < r.a1 && j + k < r.b1) todo[n++] = (range){ i + k, r.a1, j + k, r.b1 };
    }
    qn_free(todo);
    qn_free(len);
    qn_free(old);
    qn_free(c.keys);
    qn_free(c.first);
    qn_free(c.next);
    return total;
}
