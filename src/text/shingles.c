/* shingles: polynomial hashes over word hashes or code points, rolling; short ones eight at a time in AVX-512 registers where the machine has them. */
#include "text/shingles.h"
#include "core/mem.h"
#include <stdlib.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define BASE 0x9E3779B97F4A7C15u

/* The high half of a mixed product: the low bits of a polynomial depend on few inputs. */
static inline uint32_t finish(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xD6E8FEB86659FD93u;
    return (uint32_t)(h >> 32);
}

static uint64_t power(uint64_t base, int n)
{
    uint64_t x = 1;
    while (n-- > 0) x *= base;
    return x;
}

/* Hashes of all windows of `width` of the n values in `w`, each from the one before. */
static void windows_rolling(const uint64_t *w, size_t n, size_t width, uint32_t *out)
{
    uint64_t h = 0, top = power(BASE, (int)width);
    for (size_t i = 0; i < width; i++) h = h * BASE + w[i];
    *out++ = finish(h);
    for (size_t i = width; i < n; i++) {
        h = h * BASE + w[i] - top * w[i - width];
        *out++ = finish(h);
    }
}

#ifdef __x86_64__
/* The same, eight windows at once and each from its own values. */
__attribute__((target("avx512f,avx512dq")))
static void windows_by_eight(const uint64_t *w, size_t n, size_t width, uint32_t *out)
{
    const __m512i base = _mm512_set1_epi64((long long)BASE), last = _mm512_set1_epi64((long long)0xD6E8FEB86659FD93u);
    size_t n_out = n - width + 1;
    for (size_t i = 0; i < n_out; i += 8) {
        __mmask8 some = n_out - i < 8 ? (__mmask8)((1u << (n_out - i)) - 1) : 0xFF;
        __m512i h = _mm512_maskz_loadu_epi64(some, w + i);
        for (size_t k = 1; k < width; k++) h = _mm512_add_epi64(_mm512_mullo_epi64(h, base), _mm512_maskz_loadu_epi64(some, w + i + k));
        h = _mm512_mullo_epi64(_mm512_xor_si512(h, _mm512_srli_epi64(h, 32)), last);
        _mm512_mask_cvtepi64_storeu_epi32(out + i, some, _mm512_srli_epi64(h, 32));
    }
}

static bool has_eight(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"); }
#else
static void windows_by_eight(const uint64_t *w, size_t n, size_t width, uint32_t *out) { windows_rolling(w, n, width, out); }
static bool has_eight(void) { return false; }
#endif

/* Of all windows of k; one window when there are fewer values. A wide one is cheaper from the one before. */
static void windows(const uint64_t *w, size_t n, int k, bool plain, qn_shingles *out)
{
    size_t width = (size_t)k < n ? (size_t)k : n;
    out->n = 0;
    if (n == 0) return;
    QN_GROW(out->v, n, out->cap);
    out->n = n - width + 1;
    if (plain || width > 8 || !has_eight()) windows_rolling(w, n, width, out->v);
    else windows_by_eight(w, n, width, out->v);
}

void qn_shingles_words_ref(qn_str text, qn_words_kind kind, int k, qn_shingles *out)
{
    qn_words_hash_by(QN_WORDS_ONE_BY_ONE, text, kind, true, &out->words);
    windows(out->words.v, out->words.n, k, true, out);
}

void qn_shingles_words(qn_str text, qn_words_kind kind, int k, qn_shingles *out)
{
    qn_words_hash(text, kind, true, &out->words);
    windows(out->words.v, out->words.n, k, false, out);
}

void qn_shingles_chars(qn_str text, int k, qn_shingles *out)
{
    bool gap = false;
    qn_hashes *w = &out->words;
    w->n = 0;
    for (size_t i = 0; i < text.n;) {
        uint32_t cp = qn_utf8_next(text, &i);
        if (qn_cp_class(cp) == QN_CP_SPACE) { gap = true; continue; }
        QN_GROW(w->v, w->n + 1, w->cap);
        if (gap && w->n) w->v[w->n++] = ' ' * BASE;
        gap = false;
        w->v[w->n++] = qn_cp_lower(cp) * BASE;
    }
    windows(w->v, w->n, k, false, out);
}

void qn_shingles_free(qn_shingles *s)
{
    qn_free(s->v);
    qn_hashes_free(&s->words);
    *s = (qn_shingles){ 0 };
}

static void insertion_sort(uint32_t *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint32_t x = v[i];
        size_t j = i;
        for (; j > 0 && v[j - 1] > x; j--) v[j] = v[j - 1];
        v[j] = x;
    }
}

/* American-flag style: one pass by the top byte into place through a copy, then each bucket by insertion or again. The
 * values are hashes, so buckets are even; the recursion stops at the last byte whatever they are. */
static void radix_sort(uint32_t *v, uint32_t *copy, size_t n, int shift)
{
    size_t start[257] = { 0 };
    if (n < 48) { insertion_sort(v, n); return; }
    for (size_t i = 0; i < n; i++) start[((v[i] >> shift) & 255) + 1]++;
    for (int b = 0; b < 256; b++) start[b + 1] += start[b];
    size_t at[256];
    memcpy(at, start, sizeof at);
    for (size_t i = 0; i < n; i++) copy[at[(v[i] >> shift) & 255]++] = v[i];
    memcpy(v, copy, n * sizeof *v);
    if (shift == 0) return;
    for (int b = 0; b < 256; b++)
        if (start[b + 1] - start[b] > 1) radix_sort(v + start[b], copy, start[b + 1] - start[b], shift - 8);
}

size_t qn_u32_sort_set(uint32_t *v, size_t n)
{
    uint32_t small[1024], *copy = n <= 1024 ? small : qn_alloc(n * sizeof *copy);
    size_t kept = 0;
    radix_sort(v, copy, n, 24);
    if (copy != small) qn_free(copy);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || v[kept - 1] != v[i]) v[kept++] = v[i];
    return kept;
}

/* ---- sets without an order ---- the values are hashes: their upper bits say where they belong */
static size_t find_slot(const uint32_t *slots, size_t cap, unsigned shift, uint32_t x)
{
    size_t i = x >> shift;
    while (slots[i] && slots[i] != x) i = (i + 1) & (cap - 1);
    return i;
}

/* At least twice n, so that a probe is short. */
static size_t cap_for(size_t n, unsigned *shift)
{
    size_t cap = 64;
    for (*shift = 26; cap < 2 * n && *shift > 0; --*shift) cap *= 2;
    return cap;
}

void qn_hash_set_fill(qn_hash_set *o, const uint32_t *v, size_t n)
{
    size_t cap = cap_for(n, &o->shift);
    if (cap > o->cap || cap * 8 < o->cap) {
        o->slots = qn_realloc(o->slots, cap * sizeof *o->slots);
        o->marks = qn_realloc(o->marks, cap * sizeof *o->marks);
    }
    o->cap = cap;
    o->n = 0;
    o->mark = 0;
    memset(o->slots, 0, cap * sizeof *o->slots);
    memset(o->marks, 0, cap * sizeof *o->marks);
    for (size_t k = 0; k < n; k++) {
        uint32_t x = v[k] ? v[k] : 1;
        size_t i = find_slot(o->slots, cap, o->shift, x);
        o->n += !o->slots[i];
        o->slots[i] = x;
    }
}

double qn_hash_set_jaccard(qn_hash_set *o, const uint32_t *v, size_t n)
{
    unsigned shift;
    size_t both = 0, others = 0, cap = cap_for(n, &shift);
    if (n == 0 || o->n == 0) return 0;
    if (cap > o->cap_rest) o->rest = qn_realloc(o->rest, (o->cap_rest = cap) * sizeof *o->rest);
    memset(o->rest, 0, cap * sizeof *o->rest);
    o->mark++;
    for (size_t k = 0; k < n; k++) {
        uint32_t x = v[k] ? v[k] : 1;
        size_t i = find_slot(o->slots, o->cap, o->shift, x);
        if (o->slots[i]) {
            both += o->marks[i] != o->mark;
            o->marks[i] = o->mark;
            continue;
        }
        i = find_slot(o->rest, cap, shift, x);
        others += !o->rest[i];
        o->rest[i] = x;
    }
    return (double)both / (double)(o->n + others);
}

void qn_hash_set_free(qn_hash_set *o)
{
    qn_free(o->slots);
    qn_free(o->marks);
    qn_free(o->rest);
    *o = (qn_hash_set){ 0 };
}

double qn_jaccard(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b)
{
    size_t i = 0, j = 0, both = 0;
    if (n_a == 0 || n_b == 0) return 0;
    while (i < n_a && j < n_b) {        /* no branch depends on the values */
        uint32_t x = a[i], y = b[j];
        both += x == y;
        i += x <= y;
        j += y <= x;
    }
    return (double)both / (double)(n_a + n_b - both);
}
