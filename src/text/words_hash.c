/* words_hash: hashes of words by blocks of eight bytes, and two ways to make those of a whole text at once: blocks of 64 bytes in SSE2 registers, a word
 * after the other; and chunks of 4 KB in AVX-512 registers, eight words at a time. All give what qn_word_hash gives for each word. */
#include "core/err.h"
#include "core/mem.h"
#include "text/words.h"
#ifdef __SSE2__
#include <immintrin.h>
#endif

#define MUL_A 0x9E3779B97F4A7C15u
#define MUL_B 0xD6E8FEB86659FD93u

static inline uint64_t mix(uint64_t h, uint64_t block)
{
    h = (h ^ block) * MUL_B;
    return h ^ (h >> 32);
}

/* ASCII capitals of eight bytes to small letters; bytes above 127 stay. */
static inline uint64_t lower8(uint64_t x)
{
    uint64_t low = x & 0x7F7F7F7F7F7F7F7Fu;
    uint64_t from_a = low + 0x3F3F3F3F3F3F3F3Fu;        /* high bit: >= 'A' */
    uint64_t over_z = low + 0x2525252525252525u;        /* high bit: >  'Z' */
    uint64_t upper = (from_a ^ over_z) & ~x & 0x8080808080808080u;
    return x | (upper >> 2);
}

/* Bytes of p..p+n with n < 8, zero-padded; `slack` when eight bytes may be read at p. */
static inline uint64_t tail8(const char *p, size_t n, bool slack)
{
    uint64_t x = 0;
    if (n == 0) return 0;
    if (slack) {
        memcpy(&x, p, 8);
        return x & (~0ull >> (64 - 8 * n));
    }
    memcpy(&x, p, n);
    return x;
}

static inline uint64_t hash_bytes(const char *p, size_t n, bool fold, const char *end)
{
    uint64_t h = MUL_A ^ n;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t x;
        memcpy(&x, p, 8);
        h = mix(h, fold ? lower8(x) : x);
    }
    uint64_t x = tail8(p, n, end - p >= 8);
    h = mix(h, fold ? lower8(x) : x);
    return mix(h, n ^ MUL_A);
}

static bool is_ascii(const char *p, size_t n)
{
    uint64_t any = 0, x;
    for (; n >= 8; p += 8, n -= 8) { memcpy(&x, p, 8); any |= x; }
    return ((any | tail8(p, n, false)) & 0x8080808080808080u) == 0;
}

static uint64_t hash_wide(qn_str word)
{
    char small[256];
    qn_buf b = { 0 };
    size_t i = 0, n = 0;
    if (word.n > sizeof small / 3) {        /* lower case never takes more than 3 bytes for 2 */
        qn_fold(word, &b);
        uint64_t h = hash_bytes(b.p, b.n, false, b.p + b.n);
        qn_buf_free(&b);
        return h;
    }
    while (i < word.n) n += (size_t)qn_utf8_put(qn_cp_lower(qn_utf8_next(word, &i)), small + n);
    return hash_bytes(small, n, false, small + n);
}

static inline uint64_t hash_word(qn_str word, bool fold, const char *end)
{
    if (fold && !is_ascii(word.p, word.n)) return hash_wide(word);
    return hash_bytes(word.p, word.n, fold, end);
}

uint64_t qn_word_hash(qn_str word, bool fold) { return hash_word(word, fold, word.p + word.n); }

static inline void put(qn_hashes *out, uint64_t h)
{
    QN_GROW(out->v, out->n, out->cap);
    out->v[out->n++] = h;
}

#ifdef __SSE2__
/* ---- blocks of 64 bytes ---- */
/* Bit i: byte i of the 64 at p is ASCII white space (9-13, 28-32). Copies them to `low`, capitals as small letters when `fold`. *wide: some byte is
 * not ASCII. */
static inline uint64_t spaces64(const char *p, bool fold, char *low, bool *wide)
{
    uint64_t mask = 0;
    int high = 0;
    for (int k = 0; k < 4; k++) {
        __m128i x = _mm_loadu_si128((const __m128i *)(p + 16 * k));
        __m128i tab = _mm_sub_epi8(x, _mm_set1_epi8(9)), blank = _mm_sub_epi8(x, _mm_set1_epi8(28)), cap = _mm_sub_epi8(x, _mm_set1_epi8('A'));
        __m128i is = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(tab, _mm_set1_epi8(4)), tab),
                                  _mm_cmpeq_epi8(_mm_min_epu8(blank, _mm_set1_epi8(4)), blank));
        __m128i upper = _mm_cmpeq_epi8(_mm_min_epu8(cap, _mm_set1_epi8(25)), cap);
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(is) << (16 * k);
        high |= _mm_movemask_epi8(x);
        if (fold) x = _mm_or_si128(x, _mm_and_si128(upper, _mm_set1_epi8(32)));
        _mm_storeu_si128((__m128i *)(low + 16 * k), x);
    }
    *wide = high != 0;
    return mask;
}

/* hash_bytes of a folded word, 16 bytes readable behind it; without a branch for words below 16 bytes. */
static inline uint64_t hash_low(const char *p, size_t n)
{
    uint64_t h = MUL_A ^ n, x;
    if (__builtin_expect(n >= 16, 0)) return hash_bytes(p, n, false, p + n + 16);
    memcpy(&x, p, 8);
    size_t past = n & 8;
    uint64_t longer = mix(h, x), part;
    h = past ? longer : h;
    memcpy(&part, p + past, 8);
    h = mix(h, part & ((1ull << (8 * (n - past))) - 1));
    return mix(h, (n - past) ^ MUL_A);
}

/* Spaced words by blocks of 64 ASCII bytes: starts and ends are bits. Stops where a block is not ASCII, is the text's last,
 * or is one long word; returns the place, which lies between words. */
static size_t hash_blocks(qn_str text, size_t i, bool fold, qn_hashes *out)
{
    char low[64 + 16] = { 0 };
    while (i + 64 <= text.n) {
        bool wide;
        uint64_t space = spaces64(text.p + i, fold, low, &wide);
        uint64_t starts = ~space & (space << 1 | 1), ends = space & ~space << 1;
        if (wide) return i;
        QN_GROW(out->v, out->n + 32, out->cap);
        uint64_t *to = out->v + out->n;
        for (; ends; starts &= starts - 1, ends &= ends - 1) {
            int from = __builtin_ctzll(starts);
            *to++ = hash_low(low + from, (size_t)(__builtin_ctzll(ends) - from));
        }
        out->n = (size_t)(to - out->v);
        size_t at = starts ? (size_t)__builtin_ctzll(starts) : 64;         /* a word may go on in the next block */
        if (at == 0) return i;
        i += at;
    }
    return i;
}

/* ---- chunks in AVX-512 ---- */
enum { CHUNK = 4096 };

/* Whole words of a chunk: the bytes low[from[k]] to low[to[k]]. */
typedef struct {
    char     low[CHUNK + 64 + 32];          /* in small letters when folded; room to read behind the last word */
    uint16_t from[CHUNK / 2 + 64], to[CHUNK / 2 + 64], wide[CHUNK / 2 + 64];
    size_t   n, n_wide;                     /* wide: numbers of the words with bytes above ASCII, in order */
    size_t   done;                          /* bytes of the text up to where the first word that is not whole begins */
} chunk;

#define IN_512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2")))

/* Up to 32 places of a block of 64, given as bits. */
IN_512 static inline void put_places(uint16_t *to, uint64_t bits, size_t base)
{
    const __m512i all = _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32,
                                        31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i few = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(_mm512_maskz_compress_epi8(bits, all)));
    _mm512_storeu_si512(to, _mm512_add_epi16(few, _mm512_set1_epi16((short)base)));
}

/* The words that begin in the text's bytes from i on, which lies between words. */
IN_512 static void chunk_split(chunk *c, qn_str text, size_t i, bool fold)
{
    size_t n = text.n - i < CHUNK ? text.n - i : CHUNK, n_from = 0;
    uint64_t after_space = 1;
    c->n = c->n_wide = 0;
    for (size_t b = 0; b < n; b += 64) {
        __mmask64 there = n - b < 64 ? (1ull << (n - b)) - 1 : ~0ull;
        __m512i x = _mm512_mask_loadu_epi8(_mm512_set1_epi8(' '), there, text.p + i + b);
        uint64_t space = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8(9)), _mm512_set1_epi8(5))
                       | _mm512_cmplt_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8(28)), _mm512_set1_epi8(5));
        uint64_t starts = ~space & (space << 1 | after_space), ends = space & ~(space << 1 | after_space), high = _mm512_movepi8_mask(x);
        __mmask64 upper = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(x, _mm512_set1_epi8('A')), _mm512_set1_epi8(26));
        _mm512_storeu_si512(c->low + b, fold ? _mm512_mask_add_epi8(x, upper, x, _mm512_set1_epi8(32)) : x);
        for (; high; high &= high - 1) {
            size_t word = n_from + (size_t)__builtin_popcountll(starts & (high ^ (high - 1))) - 1;
            if (!c->n_wide || c->wide[c->n_wide - 1] != word) c->wide[c->n_wide++] = (uint16_t)word;
        }
        put_places(c->from + n_from, starts, b);
        put_places(c->to + c->n, ends, b);
        n_from += (size_t)__builtin_popcountll(starts);
        c->n += (size_t)__builtin_popcountll(ends);
        after_space = space >> 63;
    }
    if (n_from > c->n && i + n == text.n) c->to[c->n++] = (uint16_t)n;
    c->done = n_from > c->n ? c->from[c->n] : n;
    if (n_from > c->n && c->n_wide && c->wide[c->n_wide - 1] == c->n) c->n_wide--;
}

IN_512 static inline __m512i mix8(__m512i h, __m512i block)
{
    h = _mm512_mullo_epi64(_mm512_xor_si512(h, block), _mm512_set1_epi64((long long)MUL_B));
    return _mm512_xor_si512(h, _mm512_srli_epi64(h, 32));
}

/* hash_low of the `some` words from k on, at most eight. What comes out for the rest of the eight means nothing. */
IN_512 static inline void hash8(const chunk *c, size_t k, size_t some, uint64_t *out)
{
    __m512i from = _mm512_and_si512(_mm512_cvtepu16_epi64(_mm_loadu_si128((const __m128i *)(c->from + k))), _mm512_set1_epi64(CHUNK - 1));
    __m512i n = _mm512_sub_epi64(_mm512_cvtepu16_epi64(_mm_loadu_si128((const __m128i *)(c->to + k))), from);
    __m512i past = _mm512_and_si512(n, _mm512_set1_epi64(8)), rest = _mm512_sub_epi64(n, past), seed = _mm512_set1_epi64((long long)MUL_A);
    __m512i h = _mm512_xor_si512(n, seed), x = _mm512_i64gather_epi64(from, c->low, 1), y = _mm512_i64gather_epi64(_mm512_add_epi64(from, past), c->low, 1);
    __m512i kept = _mm512_sub_epi64(_mm512_sllv_epi64(_mm512_set1_epi64(1), _mm512_slli_epi64(rest, 3)), _mm512_set1_epi64(1));
    h = _mm512_mask_mov_epi64(h, _mm512_test_epi64_mask(past, past), mix8(h, x));
    h = mix8(mix8(h, _mm512_and_si512(y, kept)), _mm512_xor_si512(rest, seed));
    _mm512_storeu_si512(out, h);
    unsigned more = _mm512_cmpge_epu64_mask(n, _mm512_set1_epi64(16));
    for (more &= (1u << some) - 1; more; more &= more - 1) {
        size_t w = k + (size_t)__builtin_ctz(more);
        out[w - k] = hash_bytes(c->low + c->from[w], (size_t)(c->to[w] - c->from[w]), false, c->low + sizeof c->low);
    }
}

/* Words k to end of the chunk, none of them wide. */
IN_512 static void hash_narrow(const chunk *c, size_t k, size_t end, qn_hashes *out)
{
    size_t n = end - k;
    QN_GROW(out->v, out->n + n + 8, out->cap);
    for (size_t i = 0; i < n; i += 8) hash8(c, k + i, n - i < 8 ? n - i : 8, out->v + out->n + i);
    out->n += n;
}

/* White space that is not ASCII, and scripts without any, are seen here. */
static void hash_sparse(qn_str text, bool fold, qn_hashes *out)
{
    qn_words w = qn_words_of(text, QN_WORDS_SPACED);
    qn_str word;
    while (qn_words_next(&w, &word)) put(out, hash_word(word, fold, text.p + text.n));
}

static void hash_chunks(qn_str text, bool fold, qn_hashes *out)
{
    chunk c;
    qn_str word;
    for (size_t i = 0; i < text.n;) {
        size_t k = 0;
        chunk_split(&c, text, i, fold);
        for (size_t j = 0; j < c.n_wide; k = c.wide[j++] + 1u) {
            hash_narrow(&c, k, c.wide[j], out);
            hash_sparse(qn_str_sub(text, i + c.from[c.wide[j]], i + c.to[c.wide[j]]), fold, out);
        }
        hash_narrow(&c, k, c.n, out);
        i += c.done;
        if (c.done) continue;
        qn_words w = { text, i, QN_WORDS_SPACED };                  /* 4 KB without white space */
        while (w.at < i + CHUNK && qn_words_next(&w, &word)) put(out, hash_word(word, fold, text.p + text.n));
        i = w.at;
    }
}

static qn_words_path path_here(void)
{
    return __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
         ? QN_WORDS_AVX512 : QN_WORDS_SSE2;
}
#else
static size_t hash_blocks(qn_str text, size_t i, bool fold, qn_hashes *out) { (void)text; (void)fold; (void)out; return i; }
static void hash_chunks(qn_str text, bool fold, qn_hashes *out) { (void)text; (void)fold; (void)out; }
static qn_words_path path_here(void) { return QN_WORDS_ONE_BY_ONE; }
#endif

qn_words_path qn_words_best(void) { return path_here(); }

void qn_words_hash_by(qn_words_path path, qn_str text, qn_words_kind kind, bool fold, qn_hashes *out)
{
    qn_words w = qn_words_of(text, kind);
    qn_str word;
    bool blocks = kind == QN_WORDS_SPACED && path >= QN_WORDS_SSE2;
    QN_ASSERT(path <= path_here());
    out->n = 0;
    if (kind == QN_WORDS_SPACED && path == QN_WORDS_AVX512) { hash_chunks(text, fold, out); return; }
    for (;;) {
        if (blocks) w.at = hash_blocks(text, w.at, fold, out);
        size_t to = w.at + 64;
        do {
            if (!qn_words_next(&w, &word)) return;
            put(out, hash_word(word, fold, text.p + text.n));
        } while (!blocks || w.at < to);
    }
}

void qn_words_hash(qn_str text, qn_words_kind kind, bool fold, qn_hashes *out) { qn_words_hash_by(path_here(), text, kind, fold, out); }

void qn_hashes_free(qn_hashes *h)
{
    qn_free(h->v);
    *h = (qn_hashes){ 0 };
}
