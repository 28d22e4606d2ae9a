/* split: one small matcher for each pattern; alternatives are tried in the pattern's order. */
#pragma GCC optimize("O3")
#include "nn/split.h"
#include "nn/char_class.h"

typedef struct { const uint8_t *t, *p; size_t n; } text;

/* Class and length of the character at i. */
static inline int at(const text *x, size_t i, size_t *len)
{
    uint8_t b = x->p[i];
    if (b < 0x80) { *len = 1; return x->t[b]; }
    size_t j = i;
    uint32_t cp = qn_utf8_next((qn_str){ (const char *)x->p, x->n }, &j);
    *len = j - i;
    return qn_char_class(x->t, cp);
}

static inline bool other(int k) { return k != QN_U_LETTER && k != QN_U_NUMBER && k != QN_U_SPACE; }

static inline size_t run(const text *x, size_t i, int k)
{
    size_t len;
    for (;;) {
        while (i < x->n && x->p[i] < 0x80 && x->t[x->p[i]] == k) i++;
        if (i >= x->n || x->p[i] < 0x80 || at(x, i, &len) != k) return i;
        i += len;
    }
}

static inline size_t run_other(const text *x, size_t i)
{
    size_t len;
    while (i < x->n && other(at(x, i, &len))) i += len;
    return i;
}

/* 's 't 're 've 'm 'll 'd after the apostrophe at i; 0 when none. */
static inline size_t contraction(const text *x, size_t i, bool any_case)
{
    if (x->p[i] != '\'' || i + 1 >= x->n) return 0;
    int fold = any_case ? 0x20 : 0, a = x->p[i + 1] | fold, b = i + 2 < x->n ? x->p[i + 2] | fold : 0;
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return i + 2;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return i + 3;
    if (any_case && x->p[i + 1] == 0xC5 && i + 2 < x->n && x->p[i + 2] == 0xBF) return i + 3;   /* long s folds to s */
    return 0;
}

/* White space from i on: \s+(?!\S)|\s+, where `end` is the end of the run. */
static size_t spaces(const text *x, size_t i, size_t end)
{
    if (end == x->n) return end;
    size_t last = end - 1;
    while (last > i && (x->p[last] & 0xC0) == 0x80) last--;
    return last > i ? last : end;
}

static size_t next_gpt2(const text *x, size_t i)
{
    size_t len, next, end = contraction(x, i, false);
    if (end) return end;
    int k = at(x, i, &len);
    if (x->p[i] == ' ' && i + 1 < x->n) {
        int k2 = at(x, i + 1, &next);
        if (k2 == QN_U_LETTER || k2 == QN_U_NUMBER) return run(x, i + 1, k2);
        if (other(k2)) return run_other(x, i + 1);
    }
    if (k == QN_U_LETTER || k == QN_U_NUMBER) return run(x, i, k);
    if (other(k)) return run_other(x, i);
    return spaces(x, i, run(x, i, QN_U_SPACE));
}

static size_t next_cl100k(const text *x, size_t i, int digits)
{
    size_t len, next, end = contraction(x, i, true);
    if (end) return end;
    int k = at(x, i, &len), k2 = -1;
    if (k == QN_U_LETTER) return run(x, i, k);
    if (i + len < x->n) k2 = at(x, i + len, &next);
    if (k2 == QN_U_LETTER && k != QN_U_NUMBER && x->p[i] != '\r' && x->p[i] != '\n') return run(x, i + len, k2);
    if (k == QN_U_NUMBER) {
        for (int d = 0; d < digits && i < x->n && at(x, i, &len) == QN_U_NUMBER; d++) i += len;
        return i;
    }
    bool space = x->p[i] == ' ' && k2 >= 0 && other(k2);
    if (other(k) || space) {
        i = run_other(x, i + (size_t)space);
        while (i < x->n && (x->p[i] == '\r' || x->p[i] == '\n')) i++;
        return i;
    }
    end = run(x, i, QN_U_SPACE);
    for (size_t j = end; j > i; j--) if (x->p[j - 1] == '\r' || x->p[j - 1] == '\n') return j;
    return spaces(x, i, end);
}

size_t qn_split_next(qn_split kind, const uint8_t *classes, qn_str s, size_t i)
{
    text x = { classes, (const uint8_t *)s.p, s.n };
    switch (kind) {
    case QN_SPLIT_GPT2: return next_gpt2(&x, i);
    case QN_SPLIT_LLAMA3: return next_cl100k(&x, i, 3);
    case QN_SPLIT_QWEN2: return next_cl100k(&x, i, 1);
    default: return s.n;
    }
}

static const char *const PATTERNS[] = {
    NULL,
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
};

const char *qn_split_pattern(qn_split kind) { return PATTERNS[kind]; }

bool qn_split_find(qn_str pattern, qn_split *kind)
{
    for (int k = QN_SPLIT_GPT2; k <= QN_SPLIT_QWEN2; k++)
        if (qn_str_is(pattern, PATTERNS[k])) { *kind = (qn_split)k; return true; }
    return false;
}
