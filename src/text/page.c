/* page: the pass. White space is found 64 bytes at a time; words are hashed as they end; n-grams are counted level by level,
 * since an n-gram can only repeat where both of its (n-1)-grams do: most texts have nothing left to count at n = 5.
 * Source of the measures: Rae et al. 2021 (Gopher), Table A1; the greedy count of repeated n-grams is datatrove's. */
#include "text/page.h"
#include "core/hash.h"
#include "core/mem.h"
#include "text/unicode.h"
#if defined __SSE2__
#include <emmintrin.h>
#endif

enum { SPACE, PUNCT, ALPHA, DIGIT, HIGH };

__extension__ static const uint8_t CLASS[256] = {
    [0 ... 32] = SPACE, [33 ... 47] = PUNCT, ['0' ... '9'] = DIGIT, [':' ... '@'] = PUNCT, ['A' ... 'Z'] = ALPHA,
    ['[' ... '`'] = PUNCT, ['a' ... 'z'] = ALPHA, ['{' ... 127] = PUNCT, [128 ... 255] = HIGH,
};

static bool is_mark(uint32_t c)
{
    qn_cp_kind k = qn_cp_class(c);
    return k == QN_CP_PUNCT || k == QN_CP_SYMBOL || k == QN_CP_OTHER;
}

static bool is_terminal(uint32_t c)
{
    switch (c) {
    case '.': case '!': case '?': case 0x061F: case 0x06D4: case 0x0964: case 0x0965: case 0x0589: case 0x1362: case 0x1367:
    case 0x17D4: case 0x17D5: case 0x203C: case 0x203D: case 0x2047: case 0x2048: case 0x2049: case 0x3002: case 0xFE52:
    case 0xFF01: case 0xFF0E: case 0xFF1F: case 0xFF61: return true;
    default: return false;
    }
}

static size_t count_chars(const char *p, size_t n)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) k += ((unsigned char)p[i] & 0xC0) != 0x80;
    return k;
}

/* ---- words ---- */

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}
static inline uint64_t load8(const char *p) { uint64_t x; memcpy(&x, p, 8); return x; }

/* The first n bytes of a little-endian load, n = 0..8. */
static const uint64_t FIRST[9] = { 0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, ~0ull };

/* The first 16 bytes of a word, zeros behind its end; `room` bytes may be read. Branch-free but for words near the text's end. */
static inline void load_word(const char *s, size_t n, size_t room, uint64_t *a, uint64_t *b)
{
    char pad[16] = {0};
    if (room < 16) {
        memcpy(pad, s, n < 16 ? n : 16);
        s = pad;
    }
    size_t lo = n < 8 ? n : 8, hi = n - lo < 8 ? n - lo : 8;
    *a = load8(s) & FIRST[lo];
    *b = load8(s + 8) & FIRST[hi];
}

/* Gopher's eight stop words, each at its place of a table of 16 by (low 32 bits * STOP_MULT) >> 28: no two share a place. */
#define W(a, b, c, d) ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24)
static const uint64_t STOP_WORDS[8] = { W('t', 'h', 'e', 0), W('b', 'e', 0, 0), W('t', 'o', 0, 0), W('o', 'f', 0, 0),
                                        W('a', 'n', 'd', 0), W('t', 'h', 'a', 't'), W('h', 'a', 'v', 'e'), W('w', 'i', 't', 'h') };
#undef W
enum { STOP_MULT = 0x1d071eb };
static const uint8_t STOP_PLACE[16] = { 0, 0, 5, 2, 0, 0, 7, 0, 0, 0, 0, 0, 4, 3, 1, 6 };     /* number of the word that lies there; 0 where none does */

static inline unsigned stop_bit(uint64_t a, size_t n)
{
    uint64_t lower = a | (0x2020202020202020ull & FIRST[n < 8 ? n : 8]);
    unsigned k = STOP_PLACE[(uint32_t)lower * (uint32_t)STOP_MULT >> 28];
    return (unsigned)(STOP_WORDS[k] == lower) << k;
}

static inline void put_word(qn_page *p, const char *s, size_t n_bytes, size_t room, size_t n_chars)
{
    uint64_t a, b;
    size_t i = p->n_words++;
    load_word(s, n_bytes, room, &a, &b);
    p->hash[i] = (n_bytes > 16 ? qn_hash64(s, n_bytes, 0) : fold(a ^ 0xa0761d6478bd642full, b ^ 0xe7037ed1a0b428dbull)) | 1;
    p->word_chars += n_chars;
    p->end[i + 1] = (uint32_t)p->word_chars;
    p->stop_words |= stop_bit(a, n_bytes);
}

/* A token with bytes beyond ASCII: may hold spaces of other scripts, and characters that are words of their own. */
static void take_wide_token(qn_page *p, const char *s, size_t n, size_t room)
{
    qn_str t = { s, n };
    size_t i = 0;
    while (i < n) {
        size_t from = n, to = 0, chars = 0, tail = 0;       /* word [from, to); tail: marks since its last letter */
        bool alpha = false, any = false, stop = false;
        while (i < n && !stop) {
            size_t at = i;
            uint32_t c = qn_utf8_next(t, &i);
            if (qn_cp_class(c) == QN_CP_SPACE) break;
            any = true;
            if (qn_cp_class(c) == QN_CP_SOLO) {
                if (to) put_word(p, s + from, to - from, room - from, chars);
                put_word(p, s + at, i - at, room - at, 1);
                from = n; to = 0; chars = tail = 0;
                alpha = true;
                continue;
            }
            if (is_mark(c)) { tail += to != 0; continue; }
            if (!to) from = at;
            to = i;
            chars += 1 + tail;
            tail = 0;
            alpha |= qn_cp_class(c) == QN_CP_LETTER;
        }
        if (to) put_word(p, s + from, to - from, room - from, chars);
        p->n_tokens += any;
        p->n_alpha_tokens += alpha;
    }
}

static inline void take_token(qn_page *p, const char *s, size_t n, const char *end, bool has_high)
{
    if (has_high) { take_wide_token(p, s, n, (size_t)(end - s)); return; }
    const char *e = s + n;
    p->n_tokens++;
    while (s < e && CLASS[(unsigned char)*s] == PUNCT) s++;
    if (s == e) return;
    while (CLASS[(unsigned char)e[-1]] == PUNCT) e--;
    bool alpha = CLASS[(unsigned char)*s] == ALPHA;
    for (const char *c = s + 1; !alpha && c < e; c++) alpha = CLASS[(unsigned char)*c] == ALPHA;
    p->n_alpha_tokens += alpha;
    put_word(p, s, (size_t)(e - s), (size_t)(end - s), (size_t)(e - s));
}

typedef struct { uint64_t space, high; unsigned n_hash; bool dots; } block;

/* Classes of 64 bytes; bytes past n count as spaces. */
static inline block look(const char *s, size_t n)
{
    block b = { 0, 0, 0, false };
    char pad[64];
    if (n < 64) {
        memset(pad, ' ', sizeof pad);
        memcpy(pad, s, n);
        s = pad;
    }
#if defined __SSE2__
    uint64_t hash = 0, dot = 0;
    for (int k = 0; k < 4; k++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(s + 16 * k));
        __m128i low = _mm_cmpeq_epi8(_mm_max_epu8(v, _mm_set1_epi8(32)), _mm_set1_epi8(32));     /* v <= 32, unsigned */
        b.space |= (uint64_t)(uint16_t)_mm_movemask_epi8(low) << (16 * k);
        b.high |= (uint64_t)(uint16_t)_mm_movemask_epi8(v) << (16 * k);
        hash |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('#'))) << (16 * k);
        dot |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('.'))) << (16 * k);
    }
    b.n_hash = hash ? (unsigned)__builtin_popcountll(hash) : 0;
    b.dots = (dot & dot >> 1) != 0 || (dot >> 63 && n > 64 && s[64] == '.');
#else
    for (int i = 0; i < 64; i++) {
        unsigned char c = (unsigned char)s[i];
        b.space |= (uint64_t)(c <= 32) << i;
        b.high |= (uint64_t)(c >= 128) << i;
        b.n_hash += c == '#';
        b.dots |= c == '.' && (i < 63 || n > 64) && s[i + 1] == '.';
    }
#endif
    return b;
}

static size_t count_of(qn_str text, const char *what, size_t n)
{
    size_t k = 0;
    const char *at = text.p, *end = text.p + text.n;
    while ((at = memmem(at, (size_t)(end - at), what, n))) { k++; at += n; }
    return k;
}

static void scan_words(qn_page *p, qn_str text)
{
    size_t start = 0;           /* of the token being read */
    bool inside = false, high = false, dots = false, any_high = false;
    for (size_t at = 0; at < text.n; at += 64) {
        block b = look(text.p + at, text.n - at);
        dots |= b.dots;
        any_high |= b.high != 0;
        p->n_hashes += b.n_hash;
        uint64_t edges = b.space ^ (b.space << 1 | (inside ? 0 : 1));   /* where white space begins or ends */
        size_t from = 0;
        while (edges) {
            unsigned i = (unsigned)__builtin_ctzll(edges);
            edges &= edges - 1;
            if (inside) {
                high = high || (b.high & (i ? ~0ull >> (64 - i) : 0) & ~0ull << from);
                take_token(p, text.p + start, at + i - start, text.p + text.n, high);
            } else {
                start = at + i;
                from = i;
                high = false;
            }
            inside = !inside;
        }
        if (inside) high = high || (b.high >> from) != 0;
    }
    if (inside) take_token(p, text.p + start, text.n - start, text.p + text.n, high);    /* text.n is a multiple of 64 */
    p->n_chars = any_high ? count_chars(text.p, text.n) : text.n;
    p->n_ellipses = (dots ? count_of(text, "...", 3) : 0) + (any_high ? count_of(text, "\xE2\x80\xA6", 3) : 0);
}

/* ---- lines and paragraphs ---- */

/* Puts a key into an open table of 2^k slots; true when it was there. Keys are not 0. */
static bool seen(uint64_t *table, size_t slots, uint64_t key)
{
    size_t i = (size_t)(key >> 20) & (slots - 1);
    for (; table[i]; i = (i + 1) & (slots - 1))
        if (table[i] == key) return true;
    table[i] = key;
    return false;
}

static uint32_t last_char(qn_str s)
{
    size_t i = s.n - 1;
    while (i > 0 && s.n - i < 4 && ((unsigned char)s.p[i] & 0xC0) == 0x80) i--;
    return qn_utf8_next(s, &i);
}

static bool starts_bullet(qn_str s)
{
    if (s.p[0] == '-' || s.p[0] == '*') return true;
    if ((unsigned char)s.p[0] < 128) return false;
    size_t i = 0;
    uint32_t c = qn_utf8_next(s, &i);
    return c == 0x2022 || c == 0x2023 || c == 0x25E6 || c == 0x2043 || c == 0x25CF || c == 0x25AA || c == 0x25A0 || c == 0xB7;
}

static void take_line(qn_page *p, qn_str line, size_t chars)
{
    uint32_t last = last_char(line);
    p->n_lines++;
    p->line_chars += chars;
    p->bullet_lines += starts_bullet(line);
    p->ellipsis_lines += last == 0x2026 || (last == '.' && qn_str_ends(line, QN_STR("...")));
    p->terminal_lines += is_terminal(last);
    p->short_lines += chars <= 30;
}

static void scan_lines(qn_page *p, qn_str text)
{
    bool ascii = p->n_chars == text.n;
    size_t slots = 16;
    for (const char *c = text.p, *end = text.p + text.n; c < end && (c = memchr(c, '\n', (size_t)(end - c))); c++) p->n_newlines++;
    while (slots < 4 * (p->n_newlines + 1)) slots *= 2;     /* lines and paragraphs share the table */
    if (slots > p->line_cap) {
        p->line_cap = slots;
        p->line_key = qn_realloc(p->line_key, slots * sizeof *p->line_key);
    }
    memset(p->line_key, 0, slots * sizeof *p->line_key);

    uint64_t para = 0;
    size_t para_chars = 0;
    const char *at = text.p, *end = text.p + text.n;
    while (at <= end) {
        const char *nl = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        qn_str line = qn_str_trim((qn_str){ at, (size_t)((nl ? nl : end) - at) });
        if (line.n) {
            size_t chars = ascii ? line.n : count_chars(line.p, line.n);
            uint64_t h = qn_hash64(line.p, line.n, 1) | 1;
            take_line(p, line, chars);
            if (seen(p->line_key, slots, h)) { p->dup_lines++; p->dup_line_chars += chars; }
            para_chars += chars + (para != 0);
            para = fold(para ^ 0x8ebc6af09c88c6e3ull, h) | 1;
        }
        if (para && (!line.n || !nl)) {
            p->n_paragraphs++;
            if (seen(p->line_key, slots, para)) { p->dup_paragraphs++; p->dup_paragraph_chars += para_chars; }
            para = 0;
            para_chars = 0;
        }
        if (!nl) break;
        at = nl + 1;
    }
}

/* ---- repeated n-grams ---- */

static inline uint64_t gram_key(const uint64_t *h, int n)
{
    uint64_t k = h[0];
    for (int j = 1; j < n; j++) k = fold(k ^ 0x589965cc75374cc3ull, h[j] ^ 0x1d8e4e27c47d124full);
    return k | 1;
}

static size_t gram_chars(const qn_page *p, size_t i, int n) { return p->end[i + (size_t)n] - p->end[i]; }

/* A slot of the table: the key's upper half above a count; 0 is free. With the slot's own number that is 36 bits or more of
 * the key: two n-grams of a text of 100,000 words are taken for one with a chance of about 1 in 100,000. */
static inline uint32_t count_gram(uint64_t *table, size_t mask, uint64_t key)
{
    uint64_t tag = key & 0xffffffff00000000ull;
    size_t s = (size_t)key & mask;
    uint64_t x = table[s];
    while (x && (x ^ tag) >> 32) { s = (s + 1) & mask; x = table[s]; }
    table[s] = (x ? x : tag) + 1;
    return (uint32_t)s;
}
static inline uint32_t times(const qn_page *p, size_t j) { return (uint32_t)p->table[p->slot[j]]; }

/* Counts the n-grams at the given positions (all of 0..m-1 when `at` is NULL) and writes the positions of those that occur at
 * least twice to `out`. Returns how many. */
static size_t repeated(qn_page *p, int n, const uint32_t *at, size_t m, uint32_t *out)
{
    size_t slots = 16, k = 0;
    while (slots < 3 * m) slots *= 2;
    memset(p->table, 0, slots * sizeof *p->table);
    if (at)
        for (size_t j = 0; j < m; j++) p->slot[j] = count_gram(p->table, slots - 1, gram_key(p->hash + at[j], n));
    else
        for (size_t j = 0; j < m; j++) p->slot[j] = count_gram(p->table, slots - 1, gram_key(p->hash + j, n));
    for (size_t j = 0; j < m; j++) {        /* without branches: what is not wanted is written over */
        uint32_t slot = p->slot[j];
        out[k] = at ? at[j] : (uint32_t)j;
        p->slot[k] = slot;
        k += (uint32_t)p->table[slot] > 1;
    }
    return k;
}

/* Characters of the most frequent n-gram (words joined by single spaces) times its count. Call right after `repeated`. */
static size_t top_share(const qn_page *p, int n, const uint32_t *at, size_t m)
{
    size_t best = 0, best_at = 0;
    if (p->n_words < (size_t)n) return 0;
    for (size_t j = 0; j < m; j++)
        if (times(p, j) > best) { best = times(p, j); best_at = at[j]; }
    return (gram_chars(p, best_at, n) + (size_t)n - 1) * (best ? best : 1);
}

/* Characters of n-grams that were seen before, from left to right; a found one is stepped over whole. */
static size_t dup_share(qn_page *p, int n, const uint32_t *at, size_t m)
{
    size_t chars = 0, next = 0;
    for (size_t j = 0; j < m; j++) {
        if (at[j] < next) continue;
        if (times(p, j) == UINT32_MAX) { chars += gram_chars(p, at[j], n); next = at[j] + (size_t)n; }
        p->table[p->slot[j]] |= UINT32_MAX;     /* from now on: seen */
    }
    return chars;
}

static void scan_repeats(qn_page *p)
{
    uint32_t *now = p->spot[0], *next = p->spot[1];
    size_t m = p->n_words >= 2 ? p->n_words - 1 : 0, k = repeated(p, 2, NULL, m, now);
    for (int n = 2; n <= QN_PAGE_DUP_MAX; n++) {
        if (n <= QN_PAGE_TOP_MAX) p->top_chars[n] = top_share(p, n, now, k);
        if (n >= QN_PAGE_DUP_MIN) p->dup_chars[n] = dup_share(p, n, now, k);
        m = 0;                  /* an (n+1)-gram can repeat only where the n-grams at i and i + 1 both do */
        for (size_t j = 0; j + 1 < k; j++)
            if (now[j + 1] == now[j] + 1) next[m++] = now[j];
        k = m ? repeated(p, n + 1, next, m, now) : 0;
    }
}

/* ---- the whole ---- */

static void reserve(qn_page *p, size_t n_bytes)
{
    size_t words = n_bytes / 2 + 2 + (n_bytes < 64 ? 32 : 0);   /* single letters; wide characters have three bytes */
    if (words <= p->words_cap) return;
    size_t slots = 16;
    while (slots < 3 * words) slots *= 2;
    p->words_cap = words;
    p->hash = qn_realloc(p->hash, words * sizeof *p->hash);
    p->end = qn_realloc(p->end, (words + 1) * sizeof *p->end);
    p->slot = qn_realloc(p->slot, words * sizeof *p->slot);
    for (int i = 0; i < 2; i++) p->spot[i] = qn_realloc(p->spot[i], words * sizeof **p->spot);
    p->table = qn_realloc(p->table, slots * sizeof *p->table);
}

void qn_page_scan(qn_page *p, qn_str text, bool repeats)
{
    if (text.n > INT32_MAX) text.n = qn_utf8_cut(text, INT32_MAX);
    memset(p, 0, offsetof(qn_page, hash));
    reserve(p, text.n);
    p->end[0] = 0;
    scan_words(p, text);
    scan_lines(p, text);
    p->repeats = repeats;
    if (repeats) scan_repeats(p);
}

void qn_page_free(qn_page *p)
{
    qn_free(p->hash);
    qn_free(p->end);
    qn_free(p->table);
    qn_free(p->slot);
    qn_free(p->spot[0]);
    qn_free(p->spot[1]);
    qn_free(p->line_key);
    *p = (qn_page){0};
}

static bool same(const qn_page *p, size_t i, size_t j, int n) { return memcmp(p->hash + i, p->hash + j, (size_t)n * sizeof *p->hash) == 0; }

void qn_page_repeats_ref(const qn_page *p, size_t top[QN_PAGE_TOP_MAX + 1], size_t dup[QN_PAGE_DUP_MAX + 1])
{
    for (int n = QN_PAGE_TOP_MIN; n <= QN_PAGE_TOP_MAX; n++) {
        size_t best = 0;
        top[n] = 0;
        for (size_t i = 0; i + (size_t)n <= p->n_words; i++) {
            size_t k = 0;
            for (size_t j = 0; j + (size_t)n <= p->n_words; j++) k += same(p, i, j, n);
            if (k > best) { best = k; top[n] = (gram_chars(p, i, n) + (size_t)n - 1) * k; }
        }
    }
    for (int n = QN_PAGE_DUP_MIN; n <= QN_PAGE_DUP_MAX; n++) {
        bool *visited = QN_NEW_N(bool, p->n_words + 1);
        dup[n] = 0;
        for (size_t i = 0; i + (size_t)n <= p->n_words; i++) {
            bool found = false;
            for (size_t j = 0; j < i && !found; j++) found = visited[j] && same(p, i, j, n);
            visited[i] = !found;
            if (found) { dup[n] += gram_chars(p, i, n); i += (size_t)n - 1; }
        }
        qn_free(visited);
    }
}
