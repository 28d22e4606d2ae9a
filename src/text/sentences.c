/* sentences: a scanner that stops at every mark that could end a sentence and asks what is around it. */
#include "text/sentences.h"
#include "text/unicode.h"

/* Never at a sentence's end. Lower case, without the last point; sorted by hand into groups, searched in order. */
static const char *const TITLES[] = {
    "mr", "mrs", "ms", "dr", "prof", "st", "sr", "rev", "hon", "gen", "col", "capt", "lt", "sgt", "gov", "sen", "rep", "pres",
    "messrs", "mme", "mlle", "fr", "mt", "ft", "e.g", "i.e", "cf", "vs", "viz", "al", "approx", "ca", "fig", "figs", "eq",
    "eqs", "sec", "ch", "vol", "vols", "pp", "nos", "no", "op", "ed", "eds", "jan", "feb", "mar", "apr", "jun", "jul", "aug",
    "sept", "sep", "oct", "nov", "dec", "resp", "incl", "esp", "dept", "univ", "z.b", "d.h", "bzw", "nr", "p.ej", NULL
};
/* May end one: only the next word's first letter tells. */
static const char *const EITHER[] = { "etc", "inc", "ltd", "co", "corp", "jr", "bros", "u.s", "u.k", "u.s.a", "u.n", "e.u",
    "a.m", "p.m", "b.c", "a.d", "ph.d", "d.c", "ave", "blvd", "rd", "est", NULL };
/* "No. 5" but "I said no.": abbreviations only when a number follows. */
static const char *const BEFORE_NUMBER[] = { "no", "nos", "fig", "figs", "sec", "ch", "vol", "vols", "pp", "eq", "eqs", "op",
    "nr", "mar", "jan", "feb", "apr", "jun", "jul", "aug", "sept", "sep", "oct", "nov", "dec", NULL };

static bool listed(qn_str word, const char *const *list)
{
    for (; *list; list++)
        if (qn_str_ieq(word, qn_str_of(*list))) return true;
    return false;
}

static uint32_t at(qn_str s, size_t i, size_t *after)
{
    *after = i;
    return i < s.n ? qn_utf8_next(s, after) : 0;
}

static bool is_stop(uint32_t cp)
{
    switch (cp) {
        case '.': case '!': case '?': case 0x2026:
        case 0x203C: case 0x203D: case 0x2047: case 0x2048: case 0x2049:
        case 0x0589: case 0x061F: case 0x06D4: case 0x0964: case 0x0965: case 0x104A: case 0x104B: case 0x1362: case 0x1367:
        case 0x3002: case 0xFF01: case 0xFF1F: case 0xFF0E: case 0xFF61: return true;
        default: return false;
    }
}

/* These end a sentence without a space behind them. */
static bool is_wide_stop(uint32_t cp)
{
    return cp == 0x3002 || cp == 0xFF01 || cp == 0xFF1F || cp == 0xFF61 || cp == 0x0964 || cp == 0x0965;
}

static bool is_closer(uint32_t cp)
{
    switch (cp) {
        case '"': case '\'': case ')': case ']': case '}': case 0x2019: case 0x201D: case 0xBB: case 0x203A:
        case 0x300D: case 0x300F: case 0x3011: case 0xFF09: case 0x300B: return true;
        default: return false;
    }
}

static bool is_opener(uint32_t cp)
{
    switch (cp) {
        case '"': case '\'': case '(': case '[': case 0x2018: case 0x201C: case 0xAB: case 0x2039: case 0x300C: case 0x300E:
        case 0xBF: case 0xA1: case '*': case '-': case 0x2014: return true;
        default: return false;
    }
}

/* What comes behind a stop: first letter or digit, over white space and openers. */
static uint32_t follower(qn_str s, size_t i, bool *space)
{
    size_t after;
    *space = false;
    for (; i < s.n; i = after) {
        uint32_t cp = at(s, i, &after);
        if (qn_cp_class(cp) == QN_CP_SPACE) *space = true;
        else if (!is_opener(cp)) return cp;
    }
    return 0;
}

/* The word in front of the point at i: letters, digits, inner points. */
static qn_str word_before(qn_str s, size_t from, size_t i)
{
    size_t b = i;
    while (b > from) {
        unsigned char c = (unsigned char)s.p[b - 1];
        if (c < 128 && qn_ascii_class[c] != QN_CP_LETTER && qn_ascii_class[c] != QN_CP_DIGIT && c != '.') break;
        b--;
    }
    return qn_str_sub(s, b, i);
}

static bool all_digits(qn_str w)
{
    for (size_t i = 0; i < w.n; i++)
        if (w.p[i] < '0' || w.p[i] > '9') return false;
    return w.n > 0;
}

/* Is the point at i (sentence begun at `from`) part of a word and not an end? `next`: the follower. */
static bool point_inside(qn_str s, size_t from, size_t i, uint32_t next)
{
    qn_str w = word_before(s, from, i);
    if (w.n == 0) return false;
    bool capital = qn_cp_is_upper(next), digit = qn_cp_class(next) == QN_CP_DIGIT;
    if (all_digits(w) && w.n <= 3 && (size_t)(w.p - s.p) == from) return true;        /* "1. Turn it on" */
    if (listed(w, BEFORE_NUMBER)) return digit;
    if (listed(w, TITLES)) return true;
    if (listed(w, EITHER)) return !capital;
    size_t after = 0;
    bool initial = w.n <= 4 && qn_cp_is_upper(at(w, 0, &after)) && after == w.n;            /* "J." */
    if (initial) return !(w.n == 1 && w.p[0] == 'I') || !capital;
    return memchr(w.p, '.', w.n) && w.n <= 6 && !capital;                                   /* "a.b.c." */
}

/* End of the sentence whose stop is at i; 0 when it is none. */
static size_t end_at(qn_str s, size_t from, size_t i)
{
    size_t after, first_after;
    uint32_t cp = at(s, i, &first_after), mark = cp;
    size_t end = first_after;
    bool wide = is_wide_stop(cp), run = false, space;
    while (end < s.n && is_stop(cp = at(s, end, &after))) { end = after; run = true; wide |= is_wide_stop(cp); }
    size_t stops = end;
    while (end < s.n && is_closer(at(s, end, &after))) end = after;
    if (end >= s.n || wide) return end;
    if (qn_cp_class(at(s, end, &after)) != QN_CP_SPACE) return 0;
    uint32_t next = follower(s, end, &space);
    if (next == 0) return end;
    bool small = qn_cp_class(next) == QN_CP_LETTER && qn_cp_lower(next) == next && next < 0x250 && !qn_cp_is_upper(next);
    if (mark == '.' && !run && stops == end && point_inside(s, from, i, next)) return 0;
    if (small && (mark == '.' || mark == 0x2026 || stops != end)) return 0;    /* "... and", "Stop!" she said */
    return end;
}

static bool empty_line(qn_str s, size_t i)
{
    for (i++; i < s.n; i++) {
        if (s.p[i] == '\n') return true;
        if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r') return false;
    }
    return false;
}

bool qn_sentences_next(qn_sentences *it, qn_str *sentence)
{
    qn_str s = it->text;
    size_t i = it->at, after;
    while (i < s.n && qn_cp_class(at(s, i, &after)) == QN_CP_SPACE) i = after;
    size_t from = i, end = 0;
    for (; i < s.n; i = after) {
        unsigned char c = (unsigned char)s.p[i];
        after = i + 1;
        if (c < 128 && c != '.' && c != '!' && c != '?' && c != '\n') continue;
        if (c == '\n') {
            if (empty_line(s, i)) { end = i; break; }
            continue;
        }
        if (is_stop(at(s, i, &after)) && (end = end_at(s, from, i))) break;
    }
    if (!end) end = s.n;
    it->at = end;
    *sentence = qn_str_trim(qn_str_sub(s, from, end));
    return sentence->n > 0;
}

size_t qn_sentences_count(qn_str text)
{
    qn_sentences it = qn_sentences_of(text);
    qn_str one;
    size_t n = 0;
    while (qn_sentences_next(&it, &one)) n++;
    return n;
}
