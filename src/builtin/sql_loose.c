/* Loose draws: what people ask of any table, sampled with fewer scruples than sql_grammar.c has: columns nobody described, partly empty ones, rows by
 * their place. Still each has one answer: no tie decides, named rows are found once. */
#include "builtin/passage_query.h"
#include "builtin/sql_grammar.h"
#include <ctype.h>
#include <math.h>

enum { TRIES = 40, MAX_ANSWERS = 6 };
typedef struct { const qn_table_view *v; qn_rng *r; const qn_focus *f; qn_sketch *s; } draw;

bool qn_cell_sayable(qn_str s)
{
    size_t words = 1, letters = 0;
    if (s.n < 1 || s.n > 45) return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 32 || qn_char_in((char)c, "|{}[]<>\\")) return false;
        words += c == ' ';
        letters += c > 127 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }
    return letters > 0 && words <= 6;
}

static bool chance(draw *d, double p) { return qn_rng_real(d->r) < p; }
static const qn_table_col *col(const draw *d, int c) { return &d->v->cols[c]; }
static bool is_any(const draw *d, int c) { return col(d, c)->n_values >= 2 && col(d, c)->name.n > 0; }
static bool is_number(const draw *d, int c) { return is_any(d, c) && (col(d, c)->numeric || col(d, c)->rough) && col(d, c)->sense != QN_SENSE_ID; }
static bool is_added(const draw *d, int c) { return is_number(d, c) && !qn_col_is_time(col(d, c)) && col(d, c)->sense != QN_SENSE_RANK; }
static bool is_text(const draw *d, int c) { return is_any(d, c) && !col(d, c)->numeric; }
static bool repeats(const draw *d, int c) { return is_any(d, c) && col(d, c)->n_values * 3 < d->v->n_rows * 2; }
static bool names(const draw *d, int c) { return is_text(d, c) && col(d, c)->n_values * 10 >= d->v->n_rows * 9; }

static int pick(draw *d, bool (*test)(const draw *, int), int not1, int not2)
{
    int all[64], n = 0;
    for (int c = 0; c < (int)d->v->n_cols && n < 64; c++) {
        if (c == not1 || c == not2 || !test(d, c)) continue;
        all[n++] = c;
        for (int k = 0; d->f && k < d->f->n_cols && n < 64; k++) if (d->f->cols[k] == c) all[n++] = c;   /* the drawn part twice as often */
    }
    return n ? all[qn_rng_below(d->r, (uint64_t)n)] : -1;
}

static size_t pick_row(draw *d) { return d->f && chance(d, 0.6) ? d->f->row : qn_rng_below(d->r, d->v->n_rows); }

static bool equal_cond(draw *d, int c, size_t row, qn_cond *out)
{
    qn_str s = qn_table_cell(d->v, row, c);
    if (col(d, c)->value[row] == QN_NO_VALUE || !qn_cell_sayable(s)) return false;
    *out = (qn_cond){ .col = c, .op = '=', .text = s };
    return true;
}

/* "Craven Park" of "Craven Park, Hull", "June" of "June 3, 1971": one or two words of the cell that say something. */
static bool part_cond(draw *d, int c, size_t row, qn_cond *out)
{
    qn_str s = qn_table_cell(d->v, row, c), words[8];
    size_t n = 0, i = 0;
    if (col(d, c)->value[row] == QN_NO_VALUE || col(d, c)->numeric || s.n > 120) return false;
    while (i < s.n && n < 8) {
        while (i < s.n && !isalnum((unsigned char)s.p[i]) && (unsigned char)s.p[i] < 128) i++;
        size_t from = i;
        while (i < s.n && (isalnum((unsigned char)s.p[i]) || (unsigned char)s.p[i] > 127)) i++;
        if (i > from) words[n++] = qn_str_sub(s, from, i);
    }
    if (n < 2) return false;
    size_t k = qn_rng_below(d->r, n), last = k + 1 < n && chance(d, 0.4) ? k + 1 : k;
    qn_str part = { words[k].p, (size_t)(words[last].p + words[last].n - words[k].p) };
    qn_str low = { 0 };
    char buf[64];
    if (words[k].n < 3 || words[k].n >= sizeof buf || part.n >= 40 || words[last].n < 2) return false;
    for (size_t j = 0; j < words[k].n; j++) buf[j] = (char)tolower((unsigned char)words[k].p[j]);
    low = (qn_str){ buf, words[k].n };
    if (qn_en_stop_word(low) || memchr(part.p, '%', part.n) || memchr(part.p, '_', part.n)) return false;
    *out = (qn_cond){ .col = c, .op = '~', .text = part };
    return true;
}

static bool limit_cond(draw *d, int c, qn_cond *out)
{
    static const char OPS[] = "><>gl<gb";
    size_t row = pick_row(d), other = pick_row(d);
    const qn_table_col *k = col(d, c);
    if (k->value[row] == QN_NO_VALUE || k->value[other] == QN_NO_VALUE) return false;
    double x = k->num[row], y = k->num[other];
    if (isnan(x) || isnan(y)) return false;
    char op = OPS[qn_rng_below(d->r, sizeof OPS - 1)];
    if (op == 'b' && (x == y || !qn_col_is_time(k))) op = '>';
    *out = (qn_cond){ .col = c, .op = op, .lo = op == 'b' && y < x ? y : x, .hi = op == 'b' ? (y < x ? x : y) : 0 };
    return true;
}

static bool any_cond(draw *d, int not1, int not2, qn_cond *out)
{
    int c = chance(d, 0.3) ? pick(d, is_number, not1, not2) : -1;
    if (c >= 0) return limit_cond(d, c, out);
    if (chance(d, 0.25)) {
        c = pick(d, is_text, not1, not2);
        return c >= 0 && part_cond(d, c, pick_row(d), out);
    }
    c = pick(d, chance(d, 0.75) ? repeats : is_any, not1, not2);
    if (c < 0 || !equal_cond(d, c, pick_row(d), out)) return false;
    if (chance(d, 0.05)) out->op = '!';
    return true;
}

static size_t n_met(const draw *d)
{
    size_t n = 0;
    for (size_t r = 0; r < d->v->n_rows; r++) n += qn_sketch_met(d->v, d->s, r);
    return n;
}

/* Two values of one column, of which either will do. */
static bool either_cond(draw *d, size_t least, int not1, int not2)
{
    qn_sketch *s = d->s;
    int c = pick(d, chance(d, 0.75) ? repeats : is_any, not1, not2);
    if (c < 0 || !equal_cond(d, c, pick_row(d), &s->conds[0]) || !equal_cond(d, c, pick_row(d), &s->conds[1]) || qn_str_eq(s->conds[0].text, s->conds[1].text)) return false;
    s->n_conds = 2;
    s->either = true;
    size_t n = n_met(d);
    return n >= least && n < d->v->n_rows;
}

/* Up to `most` conditions that leave at least `least` rows, each dropping some. */
static bool conds(draw *d, double p1, double p2, size_t least, int not1, int not2)
{
    size_t before = d->v->n_rows;
    if (p1 > 0.5 && chance(d, 0.06)) return either_cond(d, least, not1, not2);
    for (int i = 0; i < 2; i++) {
        if (!chance(d, i ? p2 : p1)) return true;
        if (!any_cond(d, not1, not2, &d->s->conds[i]) || (i && d->s->conds[0].col == d->s->conds[1].col)) return i > 0 || p1 < 1;
        d->s->n_conds = i + 1;
        size_t n = n_met(d);
        if (n < least || n == before) { d->s->n_conds = i; return i > 0 || p1 < 1; }
        before = n;
    }
    return true;
}

/* A row named by a cell that no other row has. */
static bool name(draw *d, int c, qn_str *out, size_t *row)
{
    *row = pick_row(d);
    *out = qn_table_cell(d->v, *row, c);
    return qn_table_unique(d->v, *row, c) && qn_cell_sayable(*out);
}

static bool has_value(const draw *d, size_t row, int c) { return col(d, c)->value[row] != QN_NO_VALUE; }

static bool draw_select(draw *d)
{
    qn_sketch *s = d->s;
    int key = pick(d, chance(d, 0.8) ? names : is_any, -1, -1);
    size_t row;
    if (key < 0 || !name(d, key, &s->a, &row)) return false;
    s->named = key + 1;
    s->target = pick(d, is_any, key, -1);
    return s->target >= 0 && has_value(d, row, s->target);
}

static bool draw_which(draw *d)
{
    d->s->target = pick(d, chance(d, 0.6) ? names : is_any, -1, -1);
    if (d->s->target < 0 || !conds(d, 1, 0.3, 1, d->s->target, -1) || d->s->n_conds == 0) return false;
    return n_met(d) <= MAX_ANSWERS;
}

static bool draw_count(draw *d) { return conds(d, 1, 0.25, 1, -1, -1) && d->s->n_conds > 0; }

static bool draw_distinct(draw *d)
{
    d->s->target = pick(d, is_text, -1, -1);
    return d->s->target >= 0;
}

static bool draw_extreme(draw *d)
{
    d->s->by = d->s->target = pick(d, is_number, -1, -1);
    d->s->desc = chance(d, 0.6);
    return d->s->by >= 0 && conds(d, 0.3, 0.1, 2, d->s->by, -1);
}

static bool one_extreme(const draw *d)
{
    const double *x = col(d, d->s->by)->num;
    size_t n = 0;
    double best = 0;
    bool tie = false;
    for (size_t r = 0; r < d->v->n_rows; r++) {
        if (isnan(x[r]) || !qn_sketch_met(d->v, d->s, r)) continue;
        if (n++ == 0 || (d->s->desc ? x[r] > best : x[r] < best)) { best = x[r]; tie = false; }
        else tie |= x[r] == best;
    }
    return n >= 2 && !tie;
}

static bool draw_arg(draw *d)
{
    d->s->by = pick(d, is_number, -1, -1);
    d->s->target = d->s->by < 0 ? -1 : pick(d, chance(d, 0.75) ? names : is_any, d->s->by, -1);
    d->s->desc = chance(d, 0.65);
    return d->s->target >= 0 && conds(d, 0.3, 0.1, 2, d->s->by, d->s->target) && one_extreme(d);
}

static bool draw_common(draw *d)
{
    d->s->target = pick(d, repeats, -1, -1);
    d->s->desc = chance(d, 0.85);
    if (d->s->target < 0) return false;
    const qn_table_col *k = col(d, d->s->target);
    uint32_t best = k->count[0], n = 0;
    for (uint32_t i = 1; i < k->n_values; i++) if (d->s->desc ? k->count[i] > best : k->count[i] < best) best = k->count[i];
    for (uint32_t i = 0; i < k->n_values; i++) n += k->count[i] == best;
    return n == 1;
}

static bool draw_sum(draw *d)
{
    d->s->by = d->s->target = pick(d, is_added, -1, -1);
    return d->s->by >= 0 && conds(d, 0.6, 0.2, 2, d->s->by, -1);
}

static bool draw_two(draw *d)
{
    qn_sketch *s = d->s;
    size_t a, b;
    int key = pick(d, names, -1, -1);
    if (key < 0 || !name(d, key, &s->a, &a) || !name(d, key, &s->b, &b) || a == b) return false;
    s->named = key + 1;
    s->by = pick(d, s->form == QN_FORM_DIFFERENCE ? is_added : is_number, key, -1);
    if (s->by < 0) return false;
    double x = col(d, s->by)->num[a], y = col(d, s->by)->num[b];
    if (isnan(x) || isnan(y) || x == y) return false;
    s->target = s->form == QN_FORM_COMPARE ? key : s->by;
    s->desc = chance(d, 0.65);
    if (s->form == QN_FORM_DIFFERENCE && x < y) { qn_str t = s->a; s->a = s->b; s->b = t; }
    return true;
}

static bool draw_row(draw *d)
{
    qn_sketch *s = d->s;
    size_t row = 0;
    s->target = pick(d, chance(d, 0.8) ? names : is_any, -1, -1);
    if (s->target < 0) return false;
    if (s->form == QN_FORM_ROW_FIRST || s->form == QN_FORM_ROW_LAST) return conds(d, 0.35, 0, 2, s->target, -1);
    int key = chance(d, 0.75) ? s->target : pick(d, names, -1, -1);
    if (key < 0 || !name(d, key, &s->a, &row)) return false;
    s->named = key + 1;
    row = s->form == QN_FORM_ROW_NEXT ? row + 1 : row - 1;      /* wraps at the first row */
    return row < d->v->n_rows && has_value(d, row, s->target);
}

static bool draw_same(draw *d)
{
    qn_sketch *s = d->s;
    size_t row;
    int key = pick(d, names, -1, -1);
    if (key < 0 || !name(d, key, &s->a, &row)) return false;
    s->named = key + 1;
    s->target = key;
    s->by = pick(d, repeats, key, -1);
    if (s->by < 0 || !has_value(d, row, s->by)) return false;
    uint32_t n = col(d, s->by)->count[col(d, s->by)->value[row]];
    return n >= 2 && n - 1 <= MAX_ANSWERS;
}

static const struct { qn_form form; bool (*draw)(draw *); int weight; } FORMS[] = {
    { QN_FORM_SELECT, draw_select, 14 }, { QN_FORM_LIST, draw_which, 16 }, { QN_FORM_COUNT, draw_count, 20 }, { QN_FORM_COUNT_ALL, NULL, 2 },
    { QN_FORM_COUNT_DISTINCT, draw_distinct, 3 }, { QN_FORM_EXTREME, draw_extreme, 5 }, { QN_FORM_ARGEXTREME, draw_arg, 17 }, { QN_FORM_COMMON, draw_common, 6 },
    { QN_FORM_SUM, draw_sum, 5 }, { QN_FORM_AVERAGE, draw_sum, 3 }, { QN_FORM_DIFFERENCE, draw_two, 6 }, { QN_FORM_COMPARE, draw_two, 9 }, { QN_FORM_ROW_FIRST, draw_row, 6 },
    { QN_FORM_ROW_LAST, draw_row, 6 }, { QN_FORM_ROW_NEXT, draw_row, 6 }, { QN_FORM_ROW_PREVIOUS, draw_row, 4 }, { QN_FORM_SAME, draw_same, 3 },
};

bool qn_sketch_draw_loose(const qn_table_view *v, qn_rng *r, const qn_focus *focus, qn_sketch *out)
{
    int total = 0;
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) total += FORMS[i].weight;
    for (int t = 0; t < TRIES; t++) {
        int w = (int)qn_rng_below(r, (uint64_t)total);
        size_t f = 0;
        for (; w >= FORMS[f].weight; f++) w -= FORMS[f].weight;
        for (int again = 0; again < 3; again++) {
            *out = (qn_sketch){ .form = FORMS[f].form, .target = -1, .by = -1 };
            draw d = { v, r, t < TRIES / 2 ? focus : NULL, out };
            if (!FORMS[f].draw || FORMS[f].draw(&d)) return true;
        }
    }
    return false;
}
