/* words: one scanner per kind of word, each with a fast way through ASCII; hashes by blocks of eight bytes. */
#include "text/words.h"
#include "core/hash.h"
#include "core/map.h"
#include "core/mem.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline uint32_t peek(qn_str s, size_t i, size_t *after)
{
    unsigned char c = (unsigned char)s.p[i];
    if (c < 128) { *after = i + 1; return c; }
    *after = i;
    return qn_utf8_next(s, after);
}

/* Behind the marks that follow a solo letter. */
static size_t skip_marks(qn_str s, size_t i)
{
    while (i < s.n && (unsigned char)s.p[i] >= 128) {
        size_t after;
        if (qn_cp_class(peek(s, i, &after)) != QN_CP_MARK) break;
        i = after;
    }
    return i;
}

static bool next_spaced(qn_words *w, qn_str *word)
{
    qn_str s = w->text;
    size_t i = w->at, after, from;
    while (i < s.n && qn_cp_class(peek(s, i, &after)) == QN_CP_SPACE) i = after;
    for (from = i; i < s.n; i = after) {
        unsigned char c = (unsigned char)s.p[i];
        if (c > 32 && c < 128) { after = i + 1; continue; }
        qn_cp_kind cls = qn_cp_class(peek(s, i, &after));
        if (cls == QN_CP_SPACE) break;
        if (cls == QN_CP_SOLO) {
            if (i == from) i = skip_marks(s, after);
            break;
        }
    }
    w->at = i;
    *word = (qn_str){ s.p + from, i - from };
    return i > from;
}

static inline bool in_word(uint32_t cp, qn_cp_kind cls)
{
    return cls == QN_CP_LETTER || cls == QN_CP_DIGIT || cls == QN_CP_MARK || cp == '_';
}

/* Does the character at i join what is before it (class `left`) with what is behind it? */
static bool joins(qn_str s, uint32_t cp, size_t after, qn_cp_kind left)
{
    bool quote = cp == '\'' || cp == 0x2019, point = cp == '.' || cp == ',';
    size_t next;
    if ((!quote && !point) || after >= s.n) return false;
    qn_cp_kind right = qn_cp_class(peek(s, after, &next));
    return quote ? (left == QN_CP_LETTER || left == QN_CP_MARK) && right == QN_CP_LETTER
                 : left == QN_CP_DIGIT && right == QN_CP_DIGIT;
}

static bool next_plain(qn_words *w, qn_str *word)
{
    qn_str s = w->text;
    size_t i = w->at, after, from = 0;
    qn_cp_kind left = QN_CP_OTHER;
    bool in = false;
    for (; i < s.n; i = after) {
        uint32_t cp = peek(s, i, &after);
        qn_cp_kind cls = qn_cp_class(cp);
        if (in_word(cp, cls)) {
            if (!in) from = i, in = true;
            left = cls;
        } else if (cls == QN_CP_SOLO) {
            if (in) break;
            from = i;
            i = skip_marks(s, after);
            in = true;
            break;
        } else if (in && !joins(s, cp, after, left)) {
            break;
        }
    }
    w->at = i;
    *word = (qn_str){ s.p + from, in ? i - from : 0 };
    return in;
}

/* U+0130 lower-cases to i and a combining dot, which ends the word; U+212A is k. */
static bool next_rouge(qn_words *w, qn_str *word)
{
    qn_str s = w->text;
    size_t i = w->at, after, from = 0;
    bool in = false;
    for (; i < s.n; i = after) {
        unsigned char c = (unsigned char)s.p[i];
        bool ascii = c < 128, part;
        uint32_t cp = c;
        if (ascii) { after = i + 1; part = (c | 32u) - 'a' < 26u || (unsigned)(c - '0') < 10u; }
        else { cp = peek(s, i, &after); part = cp == 0x212A || cp == 0x130; }
        if (part && !in) from = i, in = true;
        if (!part && in) break;
        if (cp == 0x130) { i = after; break; }
    }
    w->at = i;
    *word = (qn_str){ s.p + from, in ? i - from : 0 };
    return in;
}

bool qn_words_next(qn_words *w, qn_str *word)
{
    switch (w->kind) {
        case QN_WORDS_SPACED: return next_spaced(w, word);
        case QN_WORDS_PLAIN:  return next_plain(w, word);
        case QN_WORDS_ROUGE:  return next_rouge(w, word);
    }
    return false;
}

size_t qn_words_count(qn_str text, qn_words_kind kind)
{
    qn_words w = qn_words_of(text, kind);
    qn_str word;
    size_t n = 0;
    while (qn_words_next(&w, &word)) n++;
    return n;
}

/* ---- hashing ---- */
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
#else
static size_t hash_blocks(qn_str text, size_t i, bool fold, qn_hashes *out) { (void)text; (void)fold; (void)out; return i; }
#endif

void qn_words_hash(qn_str text, qn_words_kind kind, bool fold, qn_hashes *out)
{
    qn_words w = qn_words_of(text, kind);
    qn_str word;
    out->n = 0;
    for (;;) {
        if (kind == QN_WORDS_SPACED) w.at = hash_blocks(text, w.at, fold, out);
        size_t to = w.at + 64;
        do {
            if (!qn_words_next(&w, &word)) return;
            put(out, hash_word(word, fold, text.p + text.n));
        } while (kind != QN_WORDS_SPACED || w.at < to);
    }
}

void qn_hashes_free(qn_hashes *h)
{
    qn_free(h->v);
    *h = (qn_hashes){ 0 };
}

/* ---- small measures ---- */
double qn_words_share(qn_str text, qn_str source)
{
    qn_hashes a = { 0 }, b = { 0 };
    qn_map left = { 0 };
    size_t found = 0;
    qn_words_hash(text, QN_WORDS_PLAIN, true, &a);
    qn_words_hash(source, QN_WORDS_PLAIN, true, &b);
    for (size_t i = 0; i < b.n; i++) ++*qn_map_put(&left, (qn_hash128){ b.v[i], 1 }, NULL);
    for (size_t i = 0; i < a.n; i++) {
        uint64_t *n = qn_map_get(&left, (qn_hash128){ a.v[i], 1 });
        if (n && *n) --*n, found++;
    }
    double share = a.n ? (double)found / (double)a.n : 0;
    qn_map_free(&left);
    qn_hashes_free(&a);
    qn_hashes_free(&b);
    return share;
}

void qn_words_plain(qn_str text, qn_words_kind kind, bool fold, qn_buf *out)
{
    qn_words w = qn_words_of(text, kind);
    qn_str word;
    bool first = true;
    while (qn_words_next(&w, &word)) {
        if (!first) qn_buf_putc(out, ' ');
        first = false;
        if (fold) qn_fold(word, out);
        else qn_buf_str(out, word);
    }
}
