/* words: one scanner per kind of word, each with a fast way through ASCII. Their hashes are made in words_hash.c. */
#include "text/words.h"
#include "core/hash.h"
#include "core/map.h"
#include "core/mem.h"

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
