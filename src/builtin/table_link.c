/* table_link: cells first (the longest), then numbers, then column words, then parts of cells. */
#include "builtin/table_link.h"
#include "builtin/passage_query.h"
#include "builtin/synonyms_en.h"
#include "builtin/words_en.h"
#include "core/map.h"
#include "text/words.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum { MAX_CELL_WORDS = 12 };

/* ---- words ---- */
/* `raw`, when not NULL, gets each word as it stands in the text. */
static int words_in(qn_str text, qn_arena *a, qn_str *out, qn_str *raw, int most)
{
    qn_words it = qn_words_of(text, QN_WORDS_PLAIN);
    qn_str w;
    int n = 0;
    while (n < most && qn_words_next(&it, &w)) {
        qn_buf b = { 0 };
        qn_fold(w, &b);
        qn_str f = qn_buf_view(&b);
        size_t tail = qn_str_ends(f, QN_STR("'s")) ? 2 : qn_str_ends(f, QN_STR("\xe2\x80\x99s")) ? 4 : 0;
        f.n -= tail;
        if (f.n && raw) raw[n] = (qn_str){ w.p, w.n - (tail < w.n ? tail : 0) };
        if (f.n) out[n++] = qn_arena_str(a, f);
        qn_buf_free(&b);
    }
    return n;
}
static int words_of(qn_str text, qn_arena *a, qn_str *out, int most) { return words_in(text, a, out, NULL, most); }

static bool number_of(qn_str w, double *x)
{
    char digits[40];
    size_t n = 0;
    for (int i = 1; i <= 12; i++) { const char *s = qn_en_small_number(i); if (s && qn_str_is(w, s)) { *x = i; return true; } }
    if (w.n == 0 || w.n > 30 || !isdigit((unsigned char)w.p[0])) return false;
    for (size_t i = 0; i < w.n; i++) if (w.p[i] != ',') digits[n++] = w.p[i];
    return qn_str_to_f64((qn_str){ digits, n }, x);
}

/* Singular form, cheaply: "parties" -> "party", "classes" -> "class", "wins" -> "win". */
static qn_str stem(qn_arena *a, qn_str w)
{
    if (w.n > 4 && qn_str_ends(w, QN_STR("ies"))) return qn_arena_printf(a, "%.*sy", (int)w.n - 3, w.p);
    if (w.n > 4 && (qn_str_ends(w, QN_STR("sses")) || qn_str_ends(w, QN_STR("ches")) || qn_str_ends(w, QN_STR("shes")) || qn_str_ends(w, QN_STR("xes")))) return qn_str_sub(w, 0, w.n - 2);
    if (w.n > 3 && w.p[w.n - 1] == 's' && w.p[w.n - 2] != 's' && w.p[w.n - 2] != 'u') return qn_str_sub(w, 0, w.n - 1);
    return w;
}

static bool says_nothing(const qn_str *w, int n)
{
    for (int i = 0; i < n; i++) if (!qn_en_stop_word(w[i]) && (w[i].n > 1 || isdigit((unsigned char)w[i].p[0]))) return false;
    return true;
}

/* ---- spans ---- */
typedef struct { qn_link *l; qn_arena *a; bool taken[QN_LINK_WORDS]; } finder;

static bool is_free(const finder *f, int from, int to)
{
    for (int i = from; i < to; i++) if (f->taken[i]) return false;
    return true;
}

static qn_link_span *add(finder *f, int from, int to)
{
    if (f->l->n_spans == QN_LINK_SPANS) return NULL;
    for (int i = from; i < to; i++) f->taken[i] = true;
    qn_link_span *s = &f->l->spans[f->l->n_spans++];
    *s = (qn_link_span){ .from = from, .to = to };
    return s;
}

static void add_col(qn_link_span *s, int c)
{
    for (int i = 0; i < s->n_cols; i++) if (s->cols[i] == c) return;
    if (s->n_cols < 3) s->cols[s->n_cols++] = c;
}

/* ---- cells ---- */
typedef struct { int col, from, n; } hit;      /* words from..from + n of the question are a cell of the column */

static int by_length(const void *x, const void *y)
{
    const hit *a = x, *b = y;
    return a->n != b->n ? b->n - a->n : a->from != b->from ? a->from - b->from : a->col - b->col;
}

static int n_cols(const qn_table_view *v) { return (int)v->n_cols < QN_LINK_COLS ? (int)v->n_cols : QN_LINK_COLS; }

static bool equal_words(const qn_str *a, const qn_str *b, int n)
{
    for (int i = 0; i < n; i++) if (!qn_str_eq(a[i], b[i])) return false;
    return true;
}

static void find_cells(finder *f)
{
    const qn_link *l = f->l;
    const qn_table_view *v = l->v;
    hit hits[256];
    size_t n_hits = 0;
    for (int c = 0; c < n_cols(v); c++) {
        const qn_table_col *k = &v->cols[c];
        for (uint32_t i = 0; i < k->n_values; i++) {
            qn_str cell[MAX_CELL_WORDS + 1];
            qn_str text = qn_table_cell(v, k->first[i], c);
            if (text.n > 120) continue;
            int n = words_of(text, f->a, cell, MAX_CELL_WORDS + 1);
            if (n == 0 || n > MAX_CELL_WORDS || n > l->n_words || says_nothing(cell, n)) continue;
            for (int at = 0; at + n <= l->n_words; at++)
                if (equal_words(&l->words[at], cell, n) && n_hits < 256) hits[n_hits++] = (hit){ c, at, n };
        }
    }
    qsort(hits, n_hits, sizeof *hits, by_length);
    for (size_t i = 0; i < n_hits; i++) {
        int from = hits[i].from, to = from + hits[i].n;
        qn_link_span *same = NULL;
        for (int s = 0; s < l->n_spans; s++) if (l->spans[s].from == from && l->spans[s].to == to) same = &f->l->spans[s];
        if (!same && is_free(f, from, to)) same = add(f, from, to);
        if (!same) continue;
        same->value = true;
        add_col(same, hits[i].col);
        if (hits[i].n == 1) same->number = number_of(l->words[from], &same->num);
    }
}

/* Columns with the number: as their number, or as a word of their cells ("1971" of "June 3, 1971"). A number that is everywhere, or a small one, says nothing. */
static void number_columns(finder *f, qn_link_span *s)
{
    const qn_table_view *v = f->l->v;
    int all[QN_LINK_COLS], n = 0;
    if (s->num < 13) return;
    for (int c = 0; c < n_cols(v); c++) {
        const qn_table_col *k = &v->cols[c];
        bool has = false;
        for (uint32_t i = 0; i < k->n_values && !has; i++) {
            qn_str cell[MAX_CELL_WORDS], text = qn_table_cell(v, k->first[i], c);
            if (k->num) has = k->num[k->first[i]] == s->num;
            if (has || k->numeric || text.n > 120) continue;
            int m = words_of(text, f->a, cell, MAX_CELL_WORDS);
            for (int j = 0; j < m && !has; j++) has = qn_str_eq(cell[j], f->l->words[s->from]);
        }
        if (has) all[n++] = c;
    }
    for (int i = 0; n <= 3 && i < n; i++) add_col(s, all[i]);
}

static void find_numbers(finder *f)
{
    double x;
    for (int i = 0; i < f->l->n_words; i++) {
        if (f->taken[i] || !number_of(f->l->words[i], &x)) continue;
        if (qn_str_is(f->l->words[i], "one") && i > 0 && (qn_str_is(f->l->words[i - 1], "which") || qn_str_is(f->l->words[i - 1], "the"))) continue;
        qn_link_span *s = add(f, i, i + 1);
        if (s) { s->value = s->number = true; s->num = x; number_columns(f, s); }
    }
}

/* ---- columns ---- */
static bool same_meaning(finder *f, qn_str a, qn_str b)
{
    if (qn_str_eq(a, b)) return true;
    qn_str x = stem(f->a, a), y = stem(f->a, b);
    if (qn_str_eq(x, y)) return true;
    int g = qn_en_group(a), h = qn_en_group(x);
    return (g >= 0 && (g == qn_en_group(b) || g == qn_en_group(y))) || (h >= 0 && (h == qn_en_group(b) || h == qn_en_group(y)));
}

static void mark_phrase(finder *f, int col, qn_str phrase, bool whole)
{
    qn_str w[8];
    int n = words_of(phrase, f->a, w, 8);
    if (n == 0) return;
    for (int at = 0; at < f->l->n_words; at++) {
        int len = 0;
        while (len < n && at + len < f->l->n_words && same_meaning(f, f->l->words[at + len], w[len])) len++;
        if (len < n || (whole && n == 1 && says_nothing(w, 1))) continue;
        qn_link_span *s = NULL;
        for (int i = 0; i < f->l->n_spans; i++) if (!f->l->spans[i].value && f->l->spans[i].from == at && f->l->spans[i].to == at + n) s = &f->l->spans[i];
        if (!s && is_free(f, at, at + n)) s = add(f, at, at + n);
        if (s) add_col(s, col);
    }
}

static void mark_list(finder *f, int col, const char *list)     /* words between | */
{
    for (const char *p = list; p && *p;) {
        const char *end = strchr(p, '|');
        qn_str one = { p, end ? (size_t)(end - p) : strlen(p) };
        if (!memchr(one.p, '{', one.n)) mark_phrase(f, col, one, true);
        p = end ? end + 1 : NULL;
    }
}

static void find_columns(finder *f)
{
    const qn_table_view *v = f->l->v;
    for (int c = 0; c < n_cols(v); c++) mark_phrase(f, c, v->cols[c].name, true);
    for (int c = 0; c < n_cols(v); c++) mark_phrase(f, c, v->cols[c].phrase, true);
    for (int c = 0; c < n_cols(v); c++) {                       /* a word of a longer header */
        qn_str w[8];
        int n = words_of(v->cols[c].name, f->a, w, 8);
        for (int i = 0; i < n; i++) if (w[i].n >= 3 && !qn_en_stop_word(w[i])) mark_phrase(f, c, w[i], false);
    }
    for (int c = 0; c < n_cols(v); c++) {
        const qn_colword *k = v->cols[c].word;
        if (!k) continue;
        mark_list(f, c, k->noun);
        mark_list(f, c, k->max); mark_list(f, c, k->min); mark_list(f, c, k->more); mark_list(f, c, k->less);
    }
}

/* ---- parts of cells: "messi" of "Lionel Messi", "italy" of "Rome, Italy" and "Milan, Italy" ---- */
/* Words from..from + len without the small ones at the end; 0 when fewer than `least` of them say something. */
static int sayable_run(const qn_link *l, int from, int len, int least)
{
    int said = 0;
    while (len > 0 && qn_en_stop_word(l->words[from + len - 1])) len--;
    for (int i = 0; i < len; i++) said += !qn_en_stop_word(l->words[from + i]);
    return said >= least ? len : 0;
}

/* Marks runs of words of cells, the longest; `least`: so many words must say something. A word that nearly every cell has picks nothing. */
static void find_parts(finder *f, int least)
{
    const qn_link *l = f->l;
    const qn_table_view *v = l->v;
    int best[QN_LINK_WORDS][QN_LINK_COLS], found[QN_LINK_WORDS][QN_LINK_COLS];      /* longest run from a word; how many values have it */
    memset(best, 0, sizeof best);
    memset(found, 0, sizeof found);
    for (int c = 0; c < n_cols(v); c++) {
        const qn_table_col *k = &v->cols[c];
        for (uint32_t i = 0; i < k->n_values && !k->numeric; i++) {
            qn_str cell[MAX_CELL_WORDS];
            qn_str text = qn_table_cell(v, k->first[i], c);
            if (text.n > 120) continue;
            int n = words_of(text, f->a, cell, MAX_CELL_WORDS);
            for (int at = 0; at < l->n_words; at++) {
                if (f->taken[at] || qn_en_stop_word(l->words[at]) || (l->words[at].n < 3 && !isdigit((unsigned char)l->words[at].p[0]))) continue;
                int run = 0;
                for (int j = 0; j < n; j++) {
                    int len = 0;
                    while (j + len < n && at + len < l->n_words && !f->taken[at + len] && qn_str_eq(cell[j + len], l->words[at + len])) len++;
                    if (len > run) run = len;
                }
                run = sayable_run(l, at, run, least);
                if (run == 0 || run < best[at][c]) continue;
                if (run > best[at][c]) { best[at][c] = run; found[at][c] = 0; }
                found[at][c]++;
            }
        }
    }
    for (int at = 0; at < l->n_words; at++) {
        int len = 0;
        for (int c = 0; c < n_cols(v); c++) {
            bool picks = found[at][c] == 1 || (uint32_t)found[at][c] * 10 <= v->cols[c].n_values * 8;
            if (!picks) best[at][c] = 0;
            if (best[at][c] > len) len = best[at][c];
        }
        if (len == 0 || !is_free(f, at, at + len)) continue;
        qn_link_span *s = add(f, at, at + len);
        if (!s) return;
        s->value = s->part = true;
        if (len == 1) s->number = number_of(l->words[at], &s->num);
        for (int c = 0; c < n_cols(v); c++) if (found[at][c] == 1 && best[at][c] == len) add_col(s, c);       /* where it names one cell first */
        for (int c = 0; c < n_cols(v); c++) if (found[at][c] > 1 && best[at][c] == len) add_col(s, c);
    }
}

static int by_place(const void *x, const void *y) { return ((const qn_link_span *)x)->from - ((const qn_link_span *)y)->from; }

void qn_link_find(const qn_table_view *v, qn_str question, qn_arena *a, qn_link *out)
{
    *out = (qn_link){ .v = v };
    finder f = { .l = out, .a = a };
    out->n_words = words_of(question, a, out->words, QN_LINK_WORDS);
    find_cells(&f);
    find_parts(&f, 2);
    find_numbers(&f);
    find_columns(&f);
    find_parts(&f, 1);
    qsort(out->spans, (size_t)out->n_spans, sizeof *out->spans, by_place);
    for (int i = 0; i < out->n_spans; i++)
        if (out->spans[i].value && out->n_values < QN_LINK_VALUES) out->values[out->n_values++] = i;
}

/* ---- marks ---- */
static const char *kind_of(const qn_table_col *c)
{
    if (c->sense == QN_SENSE_YEAR || c->rough == 'y') return "YR";
    if (c->sense == QN_SENSE_DATE || c->rough == 'e') return "DA";
    if (c->numeric || c->rough) return "NU";
    return c->sense == QN_SENSE_PERSON ? "PE" : "TX";
}

static void put_word(qn_buf *b, qn_str w)
{
    if (b->n && b->p[b->n - 1] != ' ') qn_buf_putc(b, ' ');
    qn_buf_str(b, w);
}
static void put_col(qn_buf *b, int c) { char m[2] = { 'C', (char)('A' + c) }; put_word(b, (qn_str){ m, 2 }); }
static void put_value(qn_buf *b, int k) { char m[2] = { 'V', (char)('A' + k) }; put_word(b, (qn_str){ m, 2 }); }

void qn_link_write(const qn_link *l, double lose, qn_rng *r, qn_buf *out)
{
    qn_arena a = { 0 };
    qn_buf b = { 0 };
    for (int c = 0; c < n_cols(l->v); c++) {
        qn_str w[2];
        int n = words_of(l->v->cols[c].name, &a, w, 2);
        put_col(&b, c);
        for (int i = 0; i < n; i++) put_word(&b, w[i]);
        put_word(&b, qn_str_of(kind_of(&l->v->cols[c])));
    }
    put_word(&b, QN_STR("|"));
    for (int i = 0, s = 0; i < l->n_words; i++) {
        while (s < l->n_spans && l->spans[s].to <= i) s++;
        const qn_link_span *span = s < l->n_spans && l->spans[s].from <= i ? &l->spans[s] : NULL;
        if (span && i == span->from) {
            for (int k = 0; k < l->n_values && span->value; k++) if (l->values[k] == s) put_value(&b, k);
            if (!(lose > 0 && qn_rng_real(r) < lose)) for (int k = 0; k < span->n_cols; k++) put_col(&b, span->cols[k]);
        }
        put_word(&b, l->words[i]);
    }
    qn_buf_str(out, qn_buf_view(&b));
    qn_buf_free(&b);
    qn_arena_free(&a);
}

bool qn_link_cell(const qn_link *l, int k, int col, qn_str *cell)
{
    const qn_link_span *s = &l->spans[l->values[k]];
    const qn_table_col *c = &l->v->cols[col];
    qn_arena a = { 0 };
    int n = s->to - s->from, fits = 0;
    bool whole = false;
    for (uint32_t i = 0; i < c->n_values && !whole; i++) {
        qn_str w[MAX_CELL_WORDS + 1], text = qn_table_cell(l->v, c->first[i], col);
        int m = text.n > 120 ? 0 : words_of(text, &a, w, MAX_CELL_WORDS + 1);
        whole = m == n && equal_words(w, &l->words[s->from], n);
        bool part = false;
        for (int j = 0; j + n <= m; j++) part |= equal_words(w + j, &l->words[s->from], n);
        if (s->number && c->numeric && c->num) whole |= c->num[c->first[i]] == s->num;
        if (whole || (part && fits++ == 0)) *cell = text;
    }
    qn_arena_free(&a);
    return whole || fits == 1;
}

bool qn_link_cond(const qn_link *l, int k, int col, bool wide, qn_cond *out)
{
    const qn_link_span *s = &l->spans[l->values[k]];
    const qn_table_col *c = &l->v->cols[col];
    *out = (qn_cond){ .col = col, .op = '=' };
    bool one = qn_link_cell(l, k, col, &out->text);
    if (one && !wide) return true;
    qn_arena a = { 0 };
    int n = s->to - s->from, many = 0;
    bool found = false;
    for (uint32_t i = 0; i < c->n_values && one && !c->numeric && !s->number && many < 2; i++) {
        qn_str w[MAX_CELL_WORDS], text = qn_table_cell(l->v, c->first[i], col);
        int m = text.n > 120 ? 0 : words_in(text, &a, w, NULL, MAX_CELL_WORDS);
        bool has = false;
        for (int j = 0; j + n <= m && !has; j++) has = equal_words(w + j, &l->words[s->from], n);
        many += has;
    }
    if (one && many < 2) { qn_arena_free(&a); return true; }
    for (uint32_t i = 0; i < c->n_values && !found && !c->numeric; i++) {
        qn_str w[MAX_CELL_WORDS], raw[MAX_CELL_WORDS], text = qn_table_cell(l->v, c->first[i], col);
        int m = text.n > 120 ? 0 : words_in(text, &a, w, raw, MAX_CELL_WORDS);
        for (int j = 0; j + n <= m && !found; j++) {
            if (!equal_words(w + j, &l->words[s->from], n)) continue;
            out->text = (qn_str){ raw[j].p, (size_t)(raw[j + n - 1].p + raw[j + n - 1].n - raw[j].p) };
            found = !memchr(out->text.p, '%', out->text.n) && !memchr(out->text.p, '_', out->text.n);
        }
    }
    out->op = '~';
    qn_arena_free(&a);
    return found;
}
