/* score: the measures. Normal forms are made once for each comparison; words of a form are compared as bytes. */
#include "text/score.h"
#include "core/mem.h"
#include "text/lcs.h"
#include "text/words.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the normal form ---- */
static bool is_article(qn_str w) { return qn_str_is(w, "a") || qn_str_is(w, "an") || qn_str_is(w, "the"); }

/* "$1,234.50", "12%", "-3.0" as a number; false when the word is none. */
static bool number_of(qn_str w, double *out)
{
    char digits[64];
    size_t n = 0, commas = 0, since = 0;
    bool point = false;
    while (w.n && strchr("$\"'([", w.p[0])) w = qn_str_sub(w, 1, w.n);
    if (w.n > 2 && (!memcmp(w.p, "\xc2\xa3", 2) || !memcmp(w.p, "\xc2\xa5", 2))) w = qn_str_sub(w, 2, w.n);          /* pound, yen */
    if (w.n > 3 && !memcmp(w.p, "\xe2\x82\xac", 3)) w = qn_str_sub(w, 3, w.n);                                      /* euro */
    while (w.n && strchr("%\"')].,;:!?", w.p[w.n - 1])) w.n--;
    if (w.n > 3 && !memcmp(w.p, "\xe2\x88\x92", 3)) { digits[n++] = '-'; w = qn_str_sub(w, 3, w.n); }                /* minus sign */
    for (size_t i = 0; i < w.n && n + 1 < sizeof digits; i++) {
        char c = w.p[i];
        if (c == ',') {
            if (point || n == 0 || (commas && since != 3)) return false;
            commas++;
            since = 0;
            continue;
        }
        if (c == '.') { if (point || (commas && since != 3)) return false; point = true; }
        else if (c == '-' || c == '+') { if (i) return false; }
        else if (!isdigit((unsigned char)c)) return false;
        else if (!point) since++;
        digits[n++] = c;
    }
    if (n == 0 || n + 1 >= sizeof digits || (commas && !point && since != 3)) return false;
    digits[n] = 0;
    char *end;
    *out = strtod(digits, &end);
    return *end == 0 && isdigit((unsigned char)digits[n - 1]);
}

/* A character of the kind that is left out: bytes it takes, 0 none. Dashes become a word's end. */
static size_t left_out(qn_str s, size_t i, bool *gap)
{
    unsigned char c = (unsigned char)s.p[i];
    *gap = false;
    if (c < 128) return ispunct(c) ? 1 : 0;
    if (i + 3 <= s.n && c == 0xe2 && (unsigned char)s.p[i + 1] == 0x80) {
        unsigned char d = (unsigned char)s.p[i + 2];
        if (d >= 0x98 && d <= 0x9f) return 3;                   /* quotes */
        if (d >= 0x90 && d <= 0x95) { *gap = true; return 3; }  /* dashes */
        if (d == 0xa6) { *gap = true; return 3; }               /* ellipsis */
    }
    return 0;
}

static void put_word(qn_buf *out, size_t from, qn_str w)
{
    if (w.n == 0 || is_article(w)) return;
    if (out->n > from) qn_buf_putc(out, ' ');
    qn_buf_str(out, w);
}

static void put_plain(qn_buf *out, size_t from, qn_str w)
{
    qn_buf part = { 0 };
    bool gap;
    for (size_t i = 0; i < w.n;) {
        size_t skip = left_out(w, i, &gap);
        if (gap) { put_word(out, from, qn_buf_view(&part)); qn_buf_clear(&part); }
        if (!skip) qn_buf_putc(&part, w.p[i]);
        i += skip ? skip : 1;
    }
    put_word(out, from, qn_buf_view(&part));
    qn_buf_free(&part);
}

void qn_score_normal(qn_str text, qn_buf *out)
{
    size_t from = out->n;
    qn_buf low = { 0 };
    qn_str w;
    double x;
    char number[40];
    qn_words_plain(text, QN_WORDS_SPACED, true, &low);
    for (size_t i = 0; i < low.n;) {
        size_t j = i;
        while (j < low.n && low.p[j] != ' ') j++;
        w = (qn_str){ low.p + i, j - i };
        if (number_of(w, &x)) {
            snprintf(number, sizeof number, "%.12g", x == 0 ? 0 : x);
            put_word(out, from, qn_str_of(number));
        } else put_plain(out, from, w);
        i = j + 1;
    }
    qn_buf_free(&low);
}

typedef struct { qn_buf gold, reply; } forms;
static forms forms_of(qn_str gold, qn_str reply)
{
    forms f = { { 0 }, { 0 } };
    qn_score_normal(gold, &f.gold);
    qn_score_normal(reply, &f.reply);
    return f;
}
static void forms_free(forms *f) { qn_buf_free(&f->gold); qn_buf_free(&f->reply); }

bool qn_score_exact(qn_str gold, qn_str reply)
{
    forms f = forms_of(gold, reply);
    bool yes = qn_str_eq(qn_buf_view(&f.gold), qn_buf_view(&f.reply));
    forms_free(&f);
    return yes;
}

bool qn_score_soft(qn_str gold, qn_str reply)
{
    qn_buf a = { 0 }, b = { 0 };
    qn_buf_putc(&a, ' ');
    qn_buf_putc(&b, ' ');
    qn_score_normal(gold, &a);
    qn_score_normal(reply, &b);
    qn_buf_putc(&a, ' ');
    qn_buf_putc(&b, ' ');
    bool yes = a.n > 2 && qn_str_find(qn_buf_view(&b), qn_buf_view(&a)) >= 0;
    qn_buf_free(&a);
    qn_buf_free(&b);
    return yes;
}

/* ---- bags of words ---- */
static int by_bytes(const void *a, const void *b) { return qn_str_cmp(*(const qn_str *)a, *(const qn_str *)b); }

static size_t sorted_words(qn_str s, qn_str **out)
{
    size_t n = 0, cap = 0;
    *out = NULL;
    for (size_t i = 0; i < s.n;) {
        size_t j = i;
        while (j < s.n && s.p[j] != ' ') j++;
        QN_GROW(*out, n, cap);
        (*out)[n++] = (qn_str){ s.p + i, j - i };
        i = j + 1;
    }
    if (n) qsort(*out, n, sizeof **out, by_bytes);
    return n;
}

static size_t shared(const qn_str *a, size_t n, const qn_str *b, size_t m)
{
    size_t i = 0, j = 0, k = 0;
    while (i < n && j < m) {
        int c = qn_str_cmp(a[i], b[j]);
        if (c == 0) k++;
        i += c <= 0;
        j += c >= 0;
    }
    return k;
}

double qn_score_f1(qn_str gold, qn_str reply)
{
    forms f = forms_of(gold, reply);
    qn_str *a, *b;
    size_t n = sorted_words(qn_buf_view(&f.gold), &a), m = sorted_words(qn_buf_view(&f.reply), &b), k = shared(a, n, b, m);
    double p = m ? (double)k / (double)m : 0, r = n ? (double)k / (double)n : 0;
    qn_free(a);
    qn_free(b);
    forms_free(&f);
    if (n == 0 || m == 0) return n == m;
    return k ? 2 * p * r / (p + r) : 0;
}

double qn_score_rouge_l(qn_str gold, qn_str reply)
{
    qn_hashes a = { 0 }, b = { 0 };
    qn_words_hash(gold, QN_WORDS_ROUGE, true, &a);
    qn_words_hash(reply, QN_WORDS_ROUGE, true, &b);
    uint32_t *x = QN_NEW_N(uint32_t, a.n + 1), *y = QN_NEW_N(uint32_t, b.n + 1);
    size_t n = 0;                                   /* words get numbers in order of appearance */
    for (size_t i = 0; i < a.n + b.n; i++) {
        uint64_t h = i < a.n ? a.v[i] : b.v[i - a.n];
        size_t j = 0;
        while (j < i && (j < a.n ? a.v[j] : b.v[j - a.n]) != h) j++;
        uint32_t id = j == i ? (uint32_t)n++ : j < a.n ? x[j] : y[j - a.n];
        if (i < a.n) x[i] = id;
        else y[i - a.n] = id;
    }
    qn_lcs l = { 0 };
    double score = 0;
    if (a.n && b.n) {
        bool swap = a.n > b.n;                          /* the shorter one is the pattern, whose masks take memory */
        qn_lcs_set(&l, swap ? y : x, swap ? b.n : a.n, (uint32_t)n);
        score = qn_rouge_l(qn_lcs_len(&l, swap ? x : y, swap ? a.n : b.n), b.n, a.n);
    }
    qn_lcs_free(&l);
    qn_free(x);
    qn_free(y);
    qn_hashes_free(&a);
    qn_hashes_free(&b);
    return score;
}

static qn_str *sorted_forms(const qn_str *t, size_t n, qn_arena *a)
{
    qn_str *out = QN_ARENA_NEW_N(a, qn_str, n + 1);
    qn_buf b = { 0 };
    for (size_t i = 0; i < n; i++) {
        qn_buf_clear(&b);
        qn_score_normal(t[i], &b);
        out[i] = qn_arena_str(a, qn_buf_view(&b));
    }
    qn_buf_free(&b);
    if (n) qsort(out, n, sizeof *out, by_bytes);
    return out;
}

bool qn_score_set(const qn_str *gold, size_t n_gold, const qn_str *reply, size_t n_reply)
{
    if (n_gold != n_reply) return false;
    qn_arena a = { 0 };
    qn_str *x = sorted_forms(gold, n_gold, &a), *y = sorted_forms(reply, n_reply, &a);
    bool yes = true;
    for (size_t i = 0; i < n_gold && yes; i++) yes = qn_str_eq(x[i], y[i]);
    qn_arena_free(&a);
    return yes;
}

void qn_score_set_form(const qn_str *cells, size_t n, qn_buf *out)
{
    qn_arena a = { 0 };
    const qn_str *x = sorted_forms(cells, n, &a);
    for (size_t i = 0; i < n; i++) { qn_buf_str(out, x[i]); qn_buf_putc(out, 0x1f); }
    qn_arena_free(&a);
}

/* ---- samples and rankings ---- */
double qn_pass_at(int64_t n, int64_t c, int64_t k)
{
    if (k < 1 || k > n || c < 0 || c > n) return NAN;
    if (n - c < k) return 1;
    double none = 1;
    for (int64_t i = n - c + 1; i <= n; i++) none *= 1 - (double)k / (double)i;
    return 1 - none;
}

static double dcg(const double *g, size_t n, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < n && i < k; i++) sum += g[i] / log2((double)i + 2);
    return sum;
}

double qn_ndcg_at(const double *gain, size_t n, const double *ideal, size_t n_relevant, size_t k)
{
    double best = dcg(ideal, n_relevant, k);
    return best > 0 ? dcg(gain, n, k) / best : 0;
}

double qn_mrr_at(const double *gain, size_t n, size_t k)
{
    for (size_t i = 0; i < n && i < k; i++) if (gain[i] > 0) return 1 / ((double)i + 1);
    return 0;
}

double qn_recall_at(const double *gain, size_t n, size_t n_relevant, size_t k)
{
    size_t found = 0;
    for (size_t i = 0; i < n && i < k; i++) found += gain[i] > 0;
    return n_relevant ? (double)found / (double)n_relevant : 0;
}
