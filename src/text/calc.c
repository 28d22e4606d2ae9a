/* calc: a parser by descent: sum = product (+|- product)*, product = factor ((*|/) factor)*, factor = -factor | number | name | ( sum ), each with % behind. */
#include "text/calc.h"
#include <math.h>
#include <stdlib.h>

enum { DEEPEST = 64 };
typedef struct { const char *at, *end; const qn_calc_name *names; size_t n; int depth; const char *why; } parser;

static void space(parser *p) { while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')) p->at++; }

static bool fail(parser *p, const char *why)
{
    if (!p->why) p->why = why;
    return false;
}

static bool skip(parser *p, const char *sign)
{
    size_t n = strlen(sign);
    space(p);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, sign, n) != 0) return false;
    p->at += n;
    return true;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/* Digits with commas between thousands, a point, an exponent. */
static bool number(parser *p, double *out)
{
    char digits[64];
    size_t n = 0;
    bool point = false;
    for (; p->at < p->end && n + 1 < sizeof digits; p->at++) {
        char c = *p->at;
        if (is_digit(c)) digits[n++] = c;
        else if (c == '.' && !point && p->at + 1 < p->end && is_digit(p->at[1])) { digits[n++] = c; point = true; }
        else if (c == ',' && !point && n && p->end - p->at > 3 && is_digit(p->at[1]) && is_digit(p->at[2]) && is_digit(p->at[3])
                 && (p->end - p->at == 4 || !is_digit(p->at[4]))) continue;
        else break;
    }
    digits[n] = 0;
    *out = strtod(digits, NULL);
    return n > 0 || fail(p, "a number is missing");
}

static bool name(parser *p, double *out)
{
    const char *from = p->at;
    while (p->at < p->end && (is_letter(*p->at) || is_digit(*p->at))) p->at++;
    qn_str word = { from, (size_t)(p->at - from) };
    for (size_t i = p->n; i-- > 0;)
        if (qn_str_eq(p->names[i].name, word)) { *out = p->names[i].value; return true; }
    return fail(p, "a name has no value yet");
}

static bool sum(parser *p, double *out);

static bool factor(parser *p, double *out)
{
    space(p);
    if (++p->depth > DEEPEST) return fail(p, "brackets are too deep");
    bool ok;
    if (skip(p, "-") || skip(p, "\xe2\x88\x92")) { ok = factor(p, out); *out = -*out; }
    else if (skip(p, "+") || skip(p, "$")) ok = factor(p, out);
    else if (skip(p, "(")) ok = sum(p, out) && (skip(p, ")") || fail(p, "a bracket is not closed"));
    else if (p->at < p->end && is_letter(*p->at)) ok = name(p, out);
    else ok = number(p, out);
    while (ok && skip(p, "%")) *out /= 100;
    p->depth--;
    return ok;
}

static bool times(parser *p) { return skip(p, "*") || skip(p, "\xc3\x97") || (p->at < p->end && *p->at == 'x' && !(p->at + 1 < p->end && (is_letter(p->at[1]) || is_digit(p->at[1]))) && skip(p, "x")); }
static bool over(parser *p) { return skip(p, "/") || skip(p, "\xc3\xb7") || skip(p, ":"); }

static bool product(parser *p, double *out)
{
    double b;
    if (!factor(p, out)) return false;
    for (;;) {
        space(p);
        if (times(p)) {
            if (!factor(p, &b)) return false;
            *out *= b;
        } else if (over(p)) {
            if (!factor(p, &b)) return false;
            if (b == 0) return fail(p, "it divides by zero");
            *out /= b;
        } else {
            return true;
        }
    }
}

static bool sum(parser *p, double *out)
{
    double b;
    if (!product(p, out)) return false;
    for (;;) {
        bool minus;
        if (skip(p, "+")) minus = false;
        else if (skip(p, "-") || skip(p, "\xe2\x88\x92")) minus = true;
        else return true;
        if (!product(p, &b)) return false;
        *out += minus ? -b : b;
    }
}

bool qn_calc(qn_str text, const qn_calc_name *names, size_t n, double *out, const char **why)
{
    parser p = { text.p, text.p + text.n, names, n, 0, NULL };
    bool ok = sum(&p, out);
    space(&p);
    if (ok && p.at != p.end) ok = fail(&p, "something follows that is no sum");
    if (ok && !isfinite(*out)) ok = fail(&p, "the result is too large");
    *why = p.why;
    return ok;
}
