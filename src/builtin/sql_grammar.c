/* Sampling queries from a table: every form checks on the cells that its answer is one clear answer before it is drawn. */
#include "builtin/sql_grammar.h"
#include <math.h>
#include <stdlib.h>
#include <strings.h>

static const char *const NAMES[QN_N_FORMS] = { "select", "select_where", "which", "count", "count_all", "count_distinct", "extreme", "argextreme", "argother",
    "common", "sum", "average", "difference", "next", "previous", "first", "last", "same", "compare", "top", "list",
    "row_first", "row_last", "row_next", "row_previous" };
const char *qn_form_name(qn_form f) { return NAMES[f]; }
bool qn_form_find(qn_str name, qn_form *out)
{
    for (int f = 0; f < QN_N_FORMS; f++) if (qn_str_is(name, NAMES[f])) { *out = (qn_form)f; return true; }
    return false;
}

enum { MAX_LIST = 5, MAX_TRIES = 24, MAX_COLS = 64 };

typedef struct { const qn_table_view *v; qn_rng *r; const qn_focus *f; } draw;

static bool chance(draw *d, double p) { return qn_rng_real(d->r) < p; }
static const qn_table_col *col(const draw *d, int c) { return &d->v->cols[c]; }

bool qn_value_askable(const qn_table_col *c, qn_str s)
{
    if (s.n < 1 || s.n > 40 || s.p[0] == ' ' || s.p[s.n - 1] == ' ') return false;
    size_t letters = 0;
    static const char *const AWAY[] = { "vs ", "vs. ", "at ", "@ ", "v " };     /* "at Ohio" is no opponent's name */
    for (size_t i = 0; i < sizeof AWAY / sizeof *AWAY; i++) if (qn_str_starts(s, qn_str_of(AWAY[i]))) return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        if (ch < 32 || strchr("*[]{}|\\#^~;<>=_\"/()†", ch)) return false;
        if (ch == ',' && c->sense != QN_SENSE_PLACE && c->sense != QN_SENSE_DATE && c->sense != QN_SENSE_PERSON) return false;
        letters += ch > 127 || (ch >= 'A' && ch <= 'z') || (ch >= '0' && ch <= '9');
    }
    if (!letters) return false;
    for (size_t i = 0; i + 3 <= s.n; i++) if (memcmp(s.p + i, "\xe2\x80\xa0", 3) == 0 || memcmp(s.p + i, "\xef\xbb\xbf", 3) == 0 || memcmp(s.p + i, "\xe2\x80\xa2", 3) == 0) return false;
    return true;
}

/* ---- choosing columns ---- */
typedef bool (*col_test)(const draw *d, int c);

static int pick_col(draw *d, col_test test, int not1, int not2)
{
    int all[MAX_COLS], near_[MAX_COLS], n = 0, m = 0;
    for (int c = 0; c < (int)d->v->n_cols && n < MAX_COLS; c++) {
        if (c == not1 || c == not2 || !test(d, c)) continue;
        all[n++] = c;
        for (int k = 0; d->f && k < d->f->n_cols; k++) if (d->f->cols[k] == c) near_[m++] = c;
    }
    if (m && chance(d, 0.8)) return near_[qn_rng_below(d->r, (uint64_t)m)];
    return n ? all[qn_rng_below(d->r, (uint64_t)n)] : -1;
}

static bool is_shown(const draw *d, int c)      /* its cells may be the answer */
{
    const qn_table_col *k = col(d, c);
    return k->usable && c != d->v->key && k->sense != QN_SENSE_ID && k->n_missing * 2 < d->v->n_rows && (k->numeric || k->clean);
}
static bool is_category(const draw *d, int c)   /* few values, many rows each */
{
    const qn_table_col *k = col(d, c);
    if (!k->usable || c == d->v->key || !k->clean) return false;
    if (k->sense == QN_SENSE_RANK) return k->word && k->word->mod && k->n_values * 2 < d->v->n_rows;
    return k->sense == QN_SENSE_PLACE || k->sense == QN_SENSE_KIND || k->sense == QN_SENSE_PERSON || k->sense == QN_SENSE_THING || k->sense == QN_SENSE_YEAR ||
           k->sense == QN_SENSE_DATE;
}
static bool is_ranked(const draw *d, int c) { return col(d, c)->usable && c != d->v->key && col(d, c)->numeric && col(d, c)->sense == QN_SENSE_RANK; }
static bool is_cond_col(const draw *d, int c) { return is_category(d, c) || is_ranked(d, c); }
static bool is_quantity(const draw *d, int c)
{
    const qn_table_col *k = col(d, c);
    return k->usable && c != d->v->key && k->numeric && k->n_values > 3 && (k->sense == QN_SENSE_QUANTITY || k->sense == QN_SENSE_COUNT || k->sense == QN_SENSE_SHARE);
}
static bool is_additive(const draw *d, int c)
{
    const qn_table_col *k = col(d, c);
    if (!is_quantity(d, c) || k->sense == QN_SENSE_SHARE) return false;
    if (k->sense == QN_SENSE_COUNT) return true;
    static const char *const SUM[] = { "area", "land area", "total area", "length", "population", "attendance", "capacity", "enrollment", "winnings", "earnings", "gross", "viewers", "budget", "sales", "distance" };
    for (size_t i = 0; i < sizeof SUM / sizeof *SUM; i++) if (qn_str_starts(k->phrase, qn_str_of(SUM[i]))) return true;
    return false;
}
static bool is_year(const draw *d, int c) { return col(d, c)->usable && col(d, c)->numeric && col(d, c)->sense == QN_SENSE_YEAR; }
static bool is_other_year(const draw *d, int c) { return is_year(d, c) && c != d->v->key; }
static bool is_measure(const draw *d, int c) { return is_quantity(d, c) || is_other_year(d, c); }
static bool is_order(const draw *d, int c)      /* a column that puts all rows in one order */
{
    const qn_table_col *k = col(d, c);
    return c != d->v->key && k->numeric && k->usable && k->n_missing == 0 && k->n_values == d->v->n_rows && (k->sense == QN_SENSE_RANK || k->sense == QN_SENSE_YEAR) && !k->commas;
}

/* ---- conditions ---- */
static bool only_digits(qn_str s)
{
    for (size_t i = 0; i < s.n; i++) if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0;
}
static bool digit_at(qn_str s, size_t i) { return i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; }

/* As LIKE '%text%' and, for digits alone, GLOB '*[^0-9]text[^0-9]*' say it. */
static bool contains(qn_str cell, qn_str text)
{
    bool digits = only_digits(text);
    for (size_t at = 0; at + text.n <= cell.n; at++)
        if (strncasecmp(cell.p + at, text.p, text.n) == 0 && !(digits && ((at && digit_at(cell, at - 1)) || digit_at(cell, at + text.n)))) return true;
    return false;
}

bool qn_cond_met(const qn_table_view *v, const qn_cond *c, size_t row)
{
    const qn_table_col *k = &v->cols[c->col];
    if (k->value[row] == QN_NO_VALUE) return false;
    if (c->op == '=' || c->op == '!') return qn_str_eq(qn_table_cell(v, row, c->col), c->text) == (c->op == '=');
    if (c->op == '~') return contains(qn_table_cell(v, row, c->col), c->text);
    double x = k->num ? k->num[row] : NAN;
    switch (c->op) {
    case '<': return x < c->lo;
    case '>': return x > c->lo;
    case 'l': return x <= c->lo;
    case 'g': return x >= c->lo;
    default: return x >= c->lo && x <= c->hi;
    }
}
bool qn_sketch_met(const qn_table_view *v, const qn_sketch *s, size_t row)
{
    bool all = true, any = false;
    for (int i = 0; i < s->n_conds; i++) { bool met = qn_cond_met(v, &s->conds[i], row); all &= met; any |= met; }
    return s->either ? any : all;
}
static bool meets_all(const qn_table_view *v, const qn_sketch *s, size_t row) { return qn_sketch_met(v, s, row); }
static size_t n_met(const qn_table_view *v, const qn_sketch *s)
{
    size_t n = 0;
    for (size_t r = 0; r < v->n_rows; r++) n += meets_all(v, s, r);
    return n;
}

static bool word_byte(char ch) { unsigned char c = (unsigned char)ch; return c > 127 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

/* Does another value of the column hold this one as a part ("Ken Thompson" in "Rob Pike and Ken Thompson")? Then rows that a reader would
 * count are not equal to it, and the query would miss them. */
static bool part_of_other(const qn_table_view *v, int c, qn_str s)
{
    const qn_table_col *k = &v->cols[c];
    if (k->numeric) return false;
    for (uint32_t i = 0; i < k->n_values; i++) {
        qn_str o = qn_table_cell(v, k->first[i], c);
        for (size_t at = 0; o.n > s.n && at + s.n <= o.n; at++)
            if (strncasecmp(o.p + at, s.p, s.n) == 0 && (at == 0 || !word_byte(o.p[at - 1])) && (at + s.n == o.n || !word_byte(o.p[at + s.n]))) return true;
        if (o.n == s.n && !qn_str_eq(o, s) && qn_str_ieq(o, s)) return true;
    }
    return false;
}

static bool many_in_one(const qn_table_view *v, int c)     /* cells that list several values */
{
    const qn_table_col *k = &v->cols[c];
    for (uint32_t i = 0; i < k->n_values; i++) {
        qn_str o = qn_table_cell(v, k->first[i], c);
        if (memchr(o.p, ';', o.n) || memchr(o.p, '/', o.n) || memchr(o.p, '\n', o.n) || qn_str_find(o, QN_STR(" and ")) >= 0 || qn_str_find(o, QN_STR(" & ")) >= 0 || (qn_str_find(o, QN_STR(", ")) >= 0 && k->sense != QN_SENSE_DATE)) return true;
    }
    return false;
}

static bool draw_equal(draw *d, int c, qn_cond *out)
{
    const qn_table_col *k = col(d, c);
    size_t row = d->f && chance(d, 0.7) ? d->f->row : qn_rng_below(d->r, d->v->n_rows);
    if (k->value[row] == QN_NO_VALUE) return false;
    qn_str s = qn_table_cell(d->v, row, c);
    if (!qn_value_askable(k, s) || part_of_other(d->v, c, s)) return false;
    *out = (qn_cond){ .col = c, .op = '=', .text = s };
    return true;
}

/* A limit that a person would say: two leading digits. */
static double round_limit(double x)
{
    if (x == 0) return 0;
    double p = pow(10, floor(log10(fabs(x))) - 1);
    return fabs(x) < 20 ? round(x) : round(x / p) * p;
}

static bool draw_limit(draw *d, int c, qn_cond *out)
{
    const qn_table_col *k = col(d, c);
    size_t row = qn_rng_below(d->r, d->v->n_rows);
    if (k->value[row] == QN_NO_VALUE) return false;
    double x = k->num[row];
    if (k->sense == QN_SENSE_YEAR) {
        if (chance(d, 0.4)) {
            static const int SPAN[] = { 5, 10, 20, 50, 100 };
            double lo = floor(x / 10) * 10, hi = lo + SPAN[qn_rng_below(d->r, 5)], max = lo;
            for (uint32_t i = 0; i < k->n_values; i++) max = fmax(max, k->num[k->first[i]]);
            *out = (qn_cond){ .col = c, .op = 'b', .lo = lo, .hi = hi };
            return hi <= ceil(max / 10) * 10;
        }
        *out = (qn_cond){ .col = c, .op = chance(d, 0.5) ? '>' : '<', .lo = chance(d, 0.5) ? floor(x / 10) * 10 : x };
        return true;
    }
    double lim = k->whole && fabs(x) < 100 ? x : round_limit(x);
    if (!k->whole && fabs(x) < 20) lim = chance(d, 0.5) ? round(x) : round(x * 10) / 10;
    if (k->sense == QN_SENSE_SHARE && !k->whole && fabs(x) < 1) lim = round(x * 10) / 10;
    if (lim == 0 && k->sense != QN_SENSE_COUNT) return false;
    if (k->sense == QN_SENSE_COUNT && lim < 1) lim = 1;
    *out = (qn_cond){ .col = c, .op = chance(d, 0.55) ? '>' : '<', .lo = lim };
    if (k->sense == QN_SENSE_COUNT && lim <= 1) out->op = '>';         /* nobody says "fewer than 1 goals" */
    return lim > 0 || out->op == '>';
}

static bool draw_cond(draw *d, int not1, int not2, qn_cond *out)
{
    bool limit = chance(d, 0.45);
    int c = pick_col(d, limit ? is_measure : is_cond_col, not1, not2);
    if (c < 0) c = pick_col(d, limit ? is_cond_col : is_measure, not1, not2), limit = !limit;
    if (c < 0) return false;
    return limit ? draw_limit(d, c, out) : draw_equal(d, c, out);
}

/* With probability p a condition that keeps at least `least` rows and drops some. False: it was wanted and none was found. */
static bool maybe_cond(draw *d, qn_sketch *s, double p, size_t least, int not1, int not2)
{
    if (!chance(d, p)) return true;
    int c = pick_col(d, is_category, not1, not2);
    if (c < 0) return true;
    if (!draw_equal(d, c, &s->conds[0])) return false;
    s->n_conds = 1;
    size_t n = n_met(d->v, s);
    if (n < least || n == d->v->n_rows) { s->n_conds = 0; return false; }
    return true;
}

/* ---- extremes ---- */
/* The row with the largest (smallest) value among those that meet the conditions; false on a tie or when fewer than 3 have a value. */
static bool extreme_row(const qn_table_view *v, const qn_sketch *s, int c, bool desc, size_t *row)
{
    const double *x = v->cols[c].num;
    size_t n = 0, best = 0, gaps = 0;
    bool tie = false;
    for (size_t r = 0; r < v->n_rows; r++) {
        if (!meets_all(v, s, r)) continue;
        if (isnan(x[r])) { gaps++; continue; }
        if (n++ == 0 || (desc ? x[r] > x[best] : x[r] < x[best])) { best = r; tie = false; }
        else if (x[r] == x[best]) tie = true;
    }
    *row = best;
    return n >= 3 && !tie && gaps * 20 <= n;    /* with many gaps the table does not know which is largest */
}

static bool named(const draw *d) { return d->v->key >= 0; }
static bool by_name(const draw *d) { return d->v->key >= 0 && d->v->key_kind == QN_KEY_NAME; }

static bool draw_name(draw *d, qn_str *out, size_t *row, int has)
{
    if (!named(d)) return false;
    for (int i = 0; i < 6; i++) {
        size_t r = d->f && i == 0 && chance(d, 0.8) ? d->f->row : qn_rng_below(d->r, d->v->n_rows);
        qn_str s = qn_table_cell(d->v, r, d->v->key);
        if (!qn_table_unique(d->v, r, d->v->key) || qn_table_is_total(s) || !qn_value_askable(col(d, d->v->key), s)) continue;
        if (has >= 0 && col(d, has)->value[r] == QN_NO_VALUE) continue;
        *out = s;
        *row = r;
        return true;
    }
    return false;
}

/* Is a cell fit to be an answer: short, one line, without the marks of footnotes? */
static bool short_cell(qn_str s)
{
    if (s.n > 80 || s.n == 0) return false;
    for (size_t i = 0; i < s.n; i++) if (strchr("\n*[]^#|", s.p[i])) return false;
    return qn_str_find(s, QN_STR("†")) < 0 && qn_str_find(s, QN_STR("‡")) < 0;
}

/* ---- the forms ---- */
static bool draw_select(draw *d, qn_sketch *s)
{
    size_t row;
    int c = pick_col(d, is_shown, -1, -1);
    if (c < 0 || !draw_name(d, &s->a, &row, c)) return false;
    s->target = c;
    return short_cell(qn_table_cell(d->v, row, c));
}

static bool draw_select_where(draw *d, qn_sketch *s)
{
    int c1 = pick_col(d, is_category, -1, -1), c2 = c1 < 0 ? -1 : pick_col(d, is_category, c1, -1);
    if (c2 < 0) return false;
    s->target = pick_col(d, is_shown, c1, c2);
    if (s->target < 0) return false;
    size_t row = d->f && chance(d, 0.8) ? d->f->row : qn_rng_below(d->r, d->v->n_rows);
    int cs[2] = { c1, c2 };
    for (int i = 0; i < 2; i++) {
        qn_str t = qn_table_cell(d->v, row, cs[i]);
        if (col(d, cs[i])->value[row] == QN_NO_VALUE || !qn_value_askable(col(d, cs[i]), t) || part_of_other(d->v, cs[i], t)) return false;
        s->conds[i] = (qn_cond){ .col = cs[i], .op = '=', .text = t };
    }
    s->n_conds = 1;
    if (n_met(d->v, s) < 2) return false;       /* each condition must be needed */
    qn_cond first = s->conds[0];
    s->conds[0] = s->conds[1];
    if (n_met(d->v, s) < 2) return false;
    s->conds[1] = s->conds[0];
    s->conds[0] = first;
    s->n_conds = 2;
    return n_met(d->v, s) == 1 && col(d, s->target)->value[row] != QN_NO_VALUE && short_cell(qn_table_cell(d->v, row, s->target));
}

static bool draw_which(draw *d, qn_sketch *s)
{
    if (!named(d) || !draw_cond(d, d->v->key, -1, &s->conds[0])) return false;
    s->n_conds = 1;
    if (chance(d, 0.45) && draw_cond(d, d->v->key, s->conds[0].col, &s->conds[1])) {
        size_t one = n_met(d->v, s);
        s->n_conds = 2;
        if (n_met(d->v, s) == one) s->n_conds = 1;
    }
    s->target = d->v->key;
    size_t n = n_met(d->v, s);
    if (n < 1 || n > MAX_LIST || n * 2 > d->v->n_rows) return false;
    for (size_t r = 0; r < d->v->n_rows; r++) if (meets_all(d->v, s, r) && (!qn_table_unique(d->v, r, s->target) || !short_cell(qn_table_cell(d->v, r, s->target)))) return false;
    return true;
}

static bool draw_count(draw *d, qn_sketch *s)
{
    if (!draw_cond(d, d->v->key, -1, &s->conds[0])) return false;
    s->n_conds = 1;
    size_t one = n_met(d->v, s);
    if (chance(d, 0.35) && draw_cond(d, d->v->key, s->conds[0].col, &s->conds[1])) {
        s->n_conds = 2;
        size_t both = n_met(d->v, s);
        if (both == one || both < 2) s->n_conds = 1;
    }
    size_t n = n_met(d->v, s);
    return n >= (chance(d, 0.04) ? 1 : 2) && n < d->v->n_rows;
}

static bool draw_count_all(draw *d, qn_sketch *s) { (void)s; return d->v->n_rows >= 5 && by_name(d) && !d->v->totals; }

static bool draw_count_distinct(draw *d, qn_sketch *s)
{
    s->target = pick_col(d, is_category, -1, -1);
    if (s->target < 0) return false;
    const qn_table_col *k = col(d, s->target);
    return k->sense != QN_SENSE_DATE && !many_in_one(d->v, s->target) && k->n_values >= 3 && k->n_values * 3 <= (d->v->n_rows - k->n_missing) * 2;
}

static bool draw_extreme(draw *d, qn_sketch *s)
{
    s->by = s->target = pick_col(d, is_measure, -1, -1);
    s->desc = chance(d, 0.6);
    size_t row;
    if (s->by < 0 || !maybe_cond(d, s, 0.6, 3, s->by, d->v->key)) return false;
    size_t n = 0, gaps = 0;                         /* ties do not matter to the value */
    for (row = 0; row < d->v->n_rows; row++) if (meets_all(d->v, s, row)) { if (isnan(col(d, s->by)->num[row])) gaps++; else n++; }
    return n >= 3 && gaps * 20 <= n;
}

static bool draw_argextreme(draw *d, qn_sketch *s)
{
    size_t row;
    s->by = pick_col(d, is_quantity, -1, -1);
    s->target = d->v->key;
    s->desc = chance(d, 0.6);
    return s->by >= 0 && named(d) && maybe_cond(d, s, 0.55, 3, s->by, d->v->key) && extreme_row(d->v, s, s->by, s->desc, &row) &&
           short_cell(qn_table_cell(d->v, row, s->target));
}

static bool draw_argother(draw *d, qn_sketch *s)
{
    size_t row;
    s->by = pick_col(d, is_quantity, -1, -1);
    s->target = s->by < 0 ? -1 : pick_col(d, is_shown, s->by, -1);
    s->desc = chance(d, 0.7);
    return s->target >= 0 && by_name(d) && maybe_cond(d, s, 0.4, 3, s->by, s->target) && extreme_row(d->v, s, s->by, s->desc, &row) &&
           col(d, s->target)->value[row] != QN_NO_VALUE && short_cell(qn_table_cell(d->v, row, s->target));
}

static bool draw_common(draw *d, qn_sketch *s)
{
    s->target = pick_col(d, is_category, -1, -1);
    if (s->target < 0) return false;
    const qn_table_col *k = col(d, s->target);
    s->desc = chance(d, 0.8);
    if (k->n_values < 3 || k->n_values > 60 || k->sense == QN_SENSE_RANK) return false;
    uint32_t best = k->count[0], n = 0;
    for (uint32_t i = 1; i < k->n_values; i++) if (s->desc ? k->count[i] > best : k->count[i] < best) best = k->count[i];
    for (uint32_t i = 0; i < k->n_values; i++) n += k->count[i] == best;
    return n == 1 && (best >= 2 || !s->desc) && !many_in_one(d->v, s->target);
}

static bool draw_sum(draw *d, qn_sketch *s)
{
    s->by = s->target = pick_col(d, is_additive, -1, -1);
    if (s->by < 0 || !maybe_cond(d, s, 0.85, 2, s->by, d->v->key) || (s->n_conds == 0 && d->v->n_rows > 60)) return false;
    if (s->n_conds && n_met(d->v, s) > 40) return false;
    size_t n = 0;
    for (size_t r = 0; r < d->v->n_rows; r++) n += !isnan(col(d, s->by)->num[r]) && meets_all(d->v, s, r);
    return n >= 2 && n == (s->n_conds ? n_met(d->v, s) : d->v->n_rows);     /* a sum over rows with a gap is not the sum that was asked for */
}

static bool draw_average(draw *d, qn_sketch *s)
{
    s->by = s->target = pick_col(d, is_quantity, -1, -1);
    if (s->by < 0 || col(d, s->by)->sense == QN_SENSE_SHARE || !maybe_cond(d, s, 0.75, 3, s->by, d->v->key)) return false;
    size_t n = 0;
    for (size_t r = 0; r < d->v->n_rows; r++) n += !isnan(col(d, s->by)->num[r]) && meets_all(d->v, s, r);
    return n >= 3 && n == (s->n_conds ? n_met(d->v, s) : d->v->n_rows);
}

static bool draw_two(draw *d, qn_sketch *s, int c, size_t row[2])
{
    return draw_name(d, &s->a, &row[0], c) && draw_name(d, &s->b, &row[1], c) && row[0] != row[1];
}

static bool draw_difference(draw *d, qn_sketch *s)
{
    size_t row[2];
    s->by = s->target = pick_col(d, is_quantity, -1, -1);
    if (s->by < 0 || col(d, s->by)->sense == QN_SENSE_SHARE || !draw_two(d, s, s->by, row)) return false;
    const double *x = col(d, s->by)->num;
    if (x[row[0]] == x[row[1]]) return false;
    if (x[row[0]] < x[row[1]]) { qn_str t = s->a; s->a = s->b; s->b = t; }
    return true;
}

static bool draw_compare(draw *d, qn_sketch *s)
{
    size_t row[2];
    s->by = pick_col(d, is_measure, -1, -1);
    s->target = d->v->key;
    s->desc = chance(d, 0.6);
    if (s->by < 0 || !draw_two(d, s, s->by, row)) return false;
    if (col(d, s->by)->sense == QN_SENSE_YEAR && !(col(d, s->by)->word && col(d, s->by)->word->first)) return false;
    return col(d, s->by)->num[row[0]] != col(d, s->by)->num[row[1]];
}

static bool draw_neighbour(draw *d, qn_sketch *s)
{
    size_t row;
    s->by = pick_col(d, is_order, -1, -1);
    s->target = d->v->key;
    if (s->by < 0 || !by_name(d) || !draw_name(d, &s->a, &row, s->by)) return false;
    const double *x = col(d, s->by)->num;
    bool any = false;
    for (size_t r = 0; r < d->v->n_rows; r++) any |= s->form == QN_FORM_NEXT ? x[r] > x[row] : x[r] < x[row];
    return any;
}

static bool draw_first(draw *d, qn_sketch *s)
{
    size_t row;
    s->by = pick_col(d, is_other_year, -1, -1);
    s->target = d->v->key;
    s->desc = s->form == QN_FORM_LAST;
    return s->by >= 0 && by_name(d) && maybe_cond(d, s, 0.6, 2, s->by, s->target) && extreme_row(d->v, s, s->by, s->desc, &row);
}

static bool draw_same(draw *d, qn_sketch *s)
{
    size_t row;
    s->by = pick_col(d, is_category, -1, -1);
    s->target = d->v->key;
    if (s->by < 0 || !by_name(d) || !draw_name(d, &s->a, &row, s->by)) return false;
    const qn_table_col *k = col(d, s->by);
    if (!k->word || !k->word->same) return false;
    uint32_t n = k->count[k->value[row]];
    if (part_of_other(d->v, s->by, qn_table_cell(d->v, row, s->by))) return false;
    return n >= 2 && n - 1 <= MAX_LIST && short_cell(qn_table_cell(d->v, row, s->by));
}

static int cmp_desc(const void *a, const void *b) { double x = *(const double *)a, y = *(const double *)b; return x < y ? 1 : x > y ? -1 : 0; }

static bool draw_top(draw *d, qn_sketch *s)
{
    s->by = pick_col(d, is_quantity, -1, -1);
    s->target = d->v->key;
    s->desc = chance(d, 0.75);
    s->n = (int)qn_rng_range(d->r, 2, 5);
    if (s->by < 0 || !by_name(d) || !maybe_cond(d, s, 0.4, (size_t)s->n + 2, s->by, s->target)) return false;
    double *x = malloc(d->v->n_rows * sizeof *x);
    size_t n = 0, gaps = 0;
    for (size_t r = 0; r < d->v->n_rows; r++)
        if (!meets_all(d->v, s, r)) continue;
        else if (isnan(col(d, s->by)->num[r])) gaps++;
        else x[n++] = s->desc ? col(d, s->by)->num[r] : -col(d, s->by)->num[r];
    bool ok = n >= (size_t)s->n + 2 && gaps * 20 <= n;
    if (ok) {
        qsort(x, n, sizeof *x, cmp_desc);
        for (int i = 0; i < s->n; i++) ok &= x[i] != x[i + 1];
    }
    free(x);
    return ok;
}

static bool draw_list(draw *d, qn_sketch *s)
{
    s->target = pick_col(d, is_category, -1, -1);
    if (s->target < 0 || col(d, s->target)->sense == QN_SENSE_RANK || !draw_cond(d, s->target, d->v->key, &s->conds[0])) return false;
    if (s->conds[0].op != '=') return false;
    s->n_conds = 1;
    uint32_t seen[MAX_LIST + 1];
    size_t n = 0, rows = 0;
    for (size_t r = 0; r < d->v->n_rows; r++) {
        if (!meets_all(d->v, s, r) ) continue;
        uint32_t x = col(d, s->target)->value[r];
        if (x == QN_NO_VALUE || !short_cell(qn_table_cell(d->v, r, s->target))) return false;
        rows++;
        size_t k = 0;
        while (k < n && seen[k] != x) k++;
        if (k == n) { if (n == MAX_LIST) return false; seen[n++] = x; }
    }
    return n >= 2 && rows > n;
}

/* Weights: common ways of asking are drawn more often. */
static const struct { bool (*draw)(draw *, qn_sketch *); int weight; bool totals_ok; } FORMS[QN_N_FORMS] = {
    [QN_FORM_SELECT] = { draw_select, 14, true }, [QN_FORM_SELECT_WHERE] = { draw_select_where, 8, true }, [QN_FORM_WHICH] = { draw_which, 14, false },
    [QN_FORM_COUNT] = { draw_count, 14, false }, [QN_FORM_COUNT_ALL] = { draw_count_all, 1, false }, [QN_FORM_COUNT_DISTINCT] = { draw_count_distinct, 3, false },
    [QN_FORM_EXTREME] = { draw_extreme, 5, false }, [QN_FORM_ARGEXTREME] = { draw_argextreme, 10, false }, [QN_FORM_ARGOTHER] = { draw_argother, 5, false },
    [QN_FORM_COMMON] = { draw_common, 5, false }, [QN_FORM_SUM] = { draw_sum, 4, false }, [QN_FORM_AVERAGE] = { draw_average, 3, false },
    [QN_FORM_DIFFERENCE] = { draw_difference, 5, false }, [QN_FORM_NEXT] = { draw_neighbour, 3, false }, [QN_FORM_PREVIOUS] = { draw_neighbour, 2, false },
    [QN_FORM_FIRST] = { draw_first, 4, false }, [QN_FORM_LAST] = { draw_first, 3, false }, [QN_FORM_SAME] = { draw_same, 5, false },
    [QN_FORM_COMPARE] = { draw_compare, 7, false }, [QN_FORM_TOP] = { draw_top, 4, false }, [QN_FORM_LIST] = { draw_list, 3, false },
};

bool qn_sketch_draw(const qn_table_view *v, qn_rng *r, const qn_focus *focus, qn_form form, qn_sketch *out)
{
    draw d = { v, r, focus };
    int total = 0;
    for (int i = 0; i < QN_N_FORMS; i++) total += FORMS[i].weight;
    for (int t = 0; t < MAX_TRIES; t++) {
        qn_form f = form;
        if (form == QN_N_FORMS) {
            int w = (int)qn_rng_below(r, (uint64_t)total);
            for (f = 0; w >= FORMS[f].weight; f++) w -= FORMS[f].weight;
        }
        if (!FORMS[f].draw) return false;           /* a form that is drawn loosely alone */
        if (v->totals && !FORMS[f].totals_ok) continue;
        if (f == QN_FORM_COUNT_ALL && t > 1) continue;  /* always possible: must not fill the gaps of the others */
        if (f == QN_FORM_COUNT && t < MAX_TRIES / 2 && form == QN_N_FORMS && qn_rng_below(r, qn_str_is(v->noun, "entry") ? 3 : 2)) continue;   /* nearly always possible */
        if (t == MAX_TRIES / 2) d.f = NULL;         /* the drawn part has nothing: any part of the table will do */
        *out = (qn_sketch){ .form = f, .target = -1, .by = -1 };
        if (FORMS[f].draw(&d, out)) return true;
        for (int again = 0; again < 3 && form == QN_N_FORMS; again++) {     /* a form gets some more chances, so that the easy ones do not crowd out the rest */
            *out = (qn_sketch){ .form = f, .target = -1, .by = -1 };
            if (FORMS[f].draw(&d, out)) return true;
        }
    }
    return false;
}

void qn_focus_draw(const qn_table_view *v, qn_rng *r, qn_focus *out)
{
    *out = (qn_focus){ .row = qn_rng_below(r, v->n_rows) };
    int all[MAX_COLS], n = 0;
    for (int c = 0; c < (int)v->n_cols && n < MAX_COLS; c++)
        if (v->cols[c].usable && c != v->key && v->cols[c].value[out->row] != QN_NO_VALUE && qn_table_cell(v, out->row, c).n <= 80) all[n++] = c;
    size_t got[3];
    size_t k = qn_rng_pick(r, (size_t)n, 3, got);
    for (size_t i = 0; i < k; i++) out->cols[out->n_cols++] = all[got[i]];
    for (int i = 1; i < out->n_cols; i++)       /* in the table's order, as a person would tell them */
        for (int j = i; j > 0 && out->cols[j] < out->cols[j - 1]; j--) { int t = out->cols[j]; out->cols[j] = out->cols[j - 1]; out->cols[j - 1] = t; }
}

/* ---- SQL ---- */
static void put_name(qn_buf *b, qn_str s)
{
    qn_buf_putc(b, '"');
    for (size_t i = 0; i < s.n; i++) { if (s.p[i] == '"') qn_buf_putc(b, '"'); qn_buf_putc(b, s.p[i]); }
    qn_buf_putc(b, '"');
}
static void put_text(qn_buf *b, qn_str s)
{
    qn_buf_putc(b, '\'');
    for (size_t i = 0; i < s.n; i++) { if (s.p[i] == '\'') qn_buf_putc(b, '\''); qn_buf_putc(b, s.p[i]); }
    qn_buf_putc(b, '\'');
}
static void put_double(qn_buf *b, double x) { if (x == floor(x) && fabs(x) < 1e15) qn_buf_printf(b, "%.0f", x); else qn_buf_printf(b, "%.10g", x); }

/* The column as a number; texts with separators are cleaned here, in the SQL itself. */
static void put_number(qn_buf *b, const qn_table_col *c)
{
    if (c->type != 't') { put_name(b, c->name); return; }
    if (c->rough == 'e') { qn_buf_puts(b, "CAST(SUBSTR("); put_name(b, c->name); qn_buf_puts(b, ", -4) AS INTEGER)"); return; }
    bool money = c->money[0] != 0;
    qn_buf_puts(b, "CAST(");
    if (c->commas) qn_buf_puts(b, "REPLACE(");
    if (money) qn_buf_puts(b, "REPLACE(");
    put_name(b, c->name);
    if (money) qn_buf_printf(b, ", '%s', '')", c->money);
    if (c->commas) qn_buf_puts(b, ", ',', '')");
    qn_buf_puts(b, c->whole ? " AS INTEGER)" : " AS REAL)");
}

static void put_value(qn_buf *b, const qn_table_col *c, qn_str s)
{
    if (c->type != 't' && c->numeric) qn_buf_str(b, qn_str_trim(s));
    else put_text(b, s);
}

typedef struct { qn_buf *b; bool any; } clause;
static void put_and(clause *w) { qn_buf_puts(w->b, w->any ? " AND " : " WHERE "); w->any = true; }

/* Cells without a value must not count as zero, nor sort above all numbers. */
static void put_guard(clause *w, const qn_table_col *c)
{
    if (!c->n_missing) return;
    put_and(w);
    put_name(w->b, c->name);
    if (c->n_missing_forms == 1) { qn_buf_puts(w->b, " <> "); put_text(w->b, c->missing[0]); return; }
    qn_buf_puts(w->b, " NOT IN (");
    for (size_t i = 0; i < c->n_missing_forms; i++) { if (i) qn_buf_puts(w->b, ", "); put_text(w->b, c->missing[i]); }
    qn_buf_putc(w->b, ')');
}

/* The same where numbers are taken from texts: those that have none stay out. */
static void put_number_guard(clause *w, const qn_table_col *c)
{
    if (!c->rough) { put_guard(w, c); return; }
    put_and(w);
    put_name(w->b, c->name);
    qn_buf_puts(w->b, c->rough == 'e' ? " GLOB '*[0-9][0-9][0-9][0-9]'" : " GLOB '[0-9]*'");
}

static void put_part(qn_buf *b, qn_str s)
{
    bool digits = only_digits(s);
    qn_buf_puts(b, digits ? " GLOB '*[^0-9]" : " LIKE '%");
    for (size_t i = 0; i < s.n; i++) { if (s.p[i] == '\'') qn_buf_putc(b, '\''); qn_buf_putc(b, s.p[i]); }
    qn_buf_puts(b, digits ? "[^0-9]*'" : "%'");
}

static void put_part_test(qn_buf *b, const qn_table_col *k, qn_str s)
{
    bool digits = only_digits(s);
    if (digits) qn_buf_puts(b, "(' ' || ");
    put_name(b, k->name);
    if (digits) qn_buf_puts(b, " || ' ')");
    put_part(b, s);
}

static void put_cond(clause *w, const qn_table_view *v, const qn_cond *c)
{
    const qn_table_col *k = &v->cols[c->col];
    put_and(w);
    if (c->op == '~') { put_part_test(w->b, k, c->text); return; }
    if (c->op == '=' || c->op == '!') {
        put_name(w->b, k->name);
        qn_buf_puts(w->b, c->op == '=' ? " = " : " <> ");
        put_value(w->b, k, c->text);
        if (c->op == '!') put_guard(w, k);
        return;
    }
    put_number(w->b, k);
    if (c->op == 'b') { qn_buf_puts(w->b, " BETWEEN "); put_double(w->b, c->lo); qn_buf_puts(w->b, " AND "); put_double(w->b, c->hi); }
    else { qn_buf_puts(w->b, c->op == '<' ? " < " : c->op == '>' ? " > " : c->op == 'l' ? " <= " : " >= "); put_double(w->b, c->lo); }
    put_number_guard(w, k);
}

static void put_conds(clause *w, const qn_table_view *v, const qn_sketch *s)
{
    if (!s->either) { for (int i = 0; i < s->n_conds; i++) put_cond(w, v, &s->conds[i]); return; }
    put_and(w);
    for (int i = 0; i < s->n_conds; i++) {
        qn_buf one = { 0 };
        clause part = { &one, false };
        put_cond(&part, v, &s->conds[i]);
        qn_buf_puts(w->b, i ? " OR (" : "((");
        qn_buf_str(w->b, qn_str_sub(qn_buf_view(&one), strlen(" WHERE "), one.n));
        qn_buf_putc(w->b, ')');
        qn_buf_free(&one);
    }
    qn_buf_putc(w->b, ')');
}

static void put_row(qn_buf *b, const qn_table_view *v, const qn_sketch *s, qn_str name)
{
    int key = qn_sketch_key(v, s);
    put_name(b, v->cols[key].name);
    qn_buf_puts(b, " = ");
    put_value(b, &v->cols[key], name);
}

static int decimals(const qn_table_col *c) /* of its cells, at most 6 */
{
    int d = 0;
    if (c->whole || !c->num) return 0;
    for (uint32_t k = 0; k < c->n_values; k++) {
        double x = fabs(c->num[c->first[k]]);
        for (int i = d; i < 6 && fabs(x * pow(10, i) - round(x * pow(10, i))) > 1e-6; i++) d = i + 1;
    }
    return d;
}

static void sql_extreme(qn_buf *b, const qn_table_view *v, const qn_sketch *s, qn_str table)
{
    const qn_table_col *by = &v->cols[s->by];
    const char *fn = s->form == QN_FORM_SUM ? "SUM" : s->form == QN_FORM_AVERAGE ? "AVG" : s->desc ? "MAX" : "MIN";
    int d = s->form == QN_FORM_AVERAGE ? decimals(by) + 2 : s->form == QN_FORM_SUM ? decimals(by) : 0;
    clause w = { b, false };
    qn_buf_puts(b, d ? "SELECT ROUND(" : "SELECT ");
    qn_buf_printf(b, "%s(", fn);
    put_number(b, by);
    qn_buf_putc(b, ')');
    if (d) qn_buf_printf(b, ", %d)", d);
    qn_buf_puts(b, " FROM ");
    put_name(b, table);
    put_conds(&w, v, s);
    put_number_guard(&w, by);
}

static void sql_order(qn_buf *b, const qn_table_view *v, const qn_sketch *s, qn_str table, int n)
{
    const qn_table_col *by = &v->cols[s->by];
    clause w = { b, false };
    qn_buf_puts(b, "SELECT ");
    put_name(b, v->cols[s->target].name);
    qn_buf_puts(b, " FROM ");
    put_name(b, table);
    if (s->form == QN_FORM_COMPARE) {
        const qn_table_col *key = &v->cols[qn_sketch_key(v, s)];
        put_and(&w);
        put_name(b, key->name);
        qn_buf_puts(b, " IN (");
        put_value(b, key, s->a);
        qn_buf_puts(b, ", ");
        put_value(b, key, s->b);
        qn_buf_putc(b, ')');
    } else {
        put_conds(&w, v, s);
        put_number_guard(&w, by);
    }
    qn_buf_puts(b, " ORDER BY ");
    put_number(b, by);
    qn_buf_printf(b, "%s LIMIT %d", s->desc ? " DESC" : "", n);
}

static void sql_difference(qn_buf *b, const qn_table_view *v, const qn_sketch *s, qn_str table)
{
    int d = decimals(&v->cols[s->by]);
    qn_buf_puts(b, d ? "SELECT ROUND(" : "SELECT ");
    for (int i = 0; i < 2; i++) {
        qn_buf_puts(b, i ? " - (SELECT " : "(SELECT ");
        put_number(b, &v->cols[s->by]);
        qn_buf_puts(b, " FROM ");
        put_name(b, table);
        qn_buf_puts(b, " WHERE ");
        put_row(b, v, s, i ? s->b : s->a);
        qn_buf_putc(b, ')');
    }
    if (d) qn_buf_printf(b, ", %d)", d);
}

static void sql_neighbour(qn_buf *b, const qn_table_view *v, const qn_sketch *s, qn_str table)
{
    const qn_table_col *by = &v->cols[s->by];
    bool next = s->form == QN_FORM_NEXT;
    qn_buf_puts(b, "SELECT ");
    put_name(b, v->cols[s->target].name);
    qn_buf_puts(b, " FROM ");
    put_name(b, table);
    qn_buf_puts(b, " WHERE ");
    put_number(b, by);
    qn_buf_puts(b, next ? " > (SELECT " : " < (SELECT ");
    put_number(b, by);
    qn_buf_puts(b, " FROM ");
    put_name(b, table);
    qn_buf_puts(b, " WHERE ");
    put_row(b, v, s, s->a);
    qn_buf_puts(b, ") ORDER BY ");
    put_number(b, by);
    qn_buf_puts(b, next ? " LIMIT 1" : " DESC LIMIT 1");
}

/* The first or last row, or the one that stands behind or before the first row that is named. */
static void sql_row(qn_buf *b, const qn_table_view *v, const qn_sketch *s, qn_str table)
{
    bool last = s->form == QN_FORM_ROW_LAST || s->form == QN_FORM_ROW_PREVIOUS;
    clause w = { b, false };
    qn_buf_puts(b, "SELECT ");
    put_name(b, v->cols[s->target].name);
    qn_buf_puts(b, " FROM ");
    put_name(b, table);
    put_conds(&w, v, s);
    if (s->a.n) {
        put_and(&w);
        qn_buf_puts(b, last ? "rowid < (SELECT MIN(rowid) FROM " : "rowid > (SELECT MIN(rowid) FROM ");
        put_name(b, table);
        qn_buf_puts(b, " WHERE ");
        put_row(b, v, s, s->a);
        qn_buf_putc(b, ')');
    }
    qn_buf_printf(b, " ORDER BY rowid%s LIMIT 1", last ? " DESC" : "");
}

static void sql_plain(qn_buf *b, const qn_table_view *v, const qn_sketch *s, qn_str table)
{
    clause w = { b, false };
    qn_buf_puts(b, "SELECT ");
    switch (s->form) {
    case QN_FORM_COUNT: case QN_FORM_COUNT_ALL: qn_buf_puts(b, "COUNT(*)"); break;
    case QN_FORM_COUNT_DISTINCT: qn_buf_puts(b, "COUNT(DISTINCT "); put_name(b, v->cols[s->target].name); qn_buf_putc(b, ')'); break;
    case QN_FORM_LIST: qn_buf_puts(b, "DISTINCT "); put_name(b, v->cols[s->target].name); break;
    default: put_name(b, v->cols[s->target].name);
    }
    qn_buf_puts(b, " FROM ");
    put_name(b, table);
    put_conds(&w, v, s);
    if (s->form == QN_FORM_SELECT) { put_and(&w); put_row(b, v, s, s->a); }
    if (s->form == QN_FORM_COUNT_DISTINCT || s->form == QN_FORM_COMMON) put_guard(&w, &v->cols[s->target]);
    if (s->form == QN_FORM_COMMON) {
        qn_buf_puts(b, " GROUP BY ");
        put_name(b, v->cols[s->target].name);
        qn_buf_printf(b, " ORDER BY COUNT(*)%s LIMIT 1", s->desc ? " DESC" : "");
    }
    if (s->form == QN_FORM_SAME) {
        put_and(&w);
        put_name(b, v->cols[s->by].name);
        qn_buf_puts(b, " = (SELECT ");
        put_name(b, v->cols[s->by].name);
        qn_buf_puts(b, " FROM ");
        put_name(b, table);
        qn_buf_puts(b, " WHERE ");
        put_row(b, v, s, s->a);
        qn_buf_puts(b, ") AND ");
        put_name(b, v->cols[qn_sketch_key(v, s)].name);
        qn_buf_puts(b, " <> ");
        put_value(b, &v->cols[qn_sketch_key(v, s)], s->a);
    }
}

void qn_sketch_sql(const qn_table_view *v, const qn_sketch *s, qn_buf *b)
{
    switch (s->form) {
    case QN_FORM_EXTREME: case QN_FORM_SUM: case QN_FORM_AVERAGE: sql_extreme(b, v, s, v->name); break;
    case QN_FORM_ARGEXTREME: case QN_FORM_ARGOTHER: case QN_FORM_FIRST: case QN_FORM_LAST: case QN_FORM_COMPARE: sql_order(b, v, s, v->name, 1); break;
    case QN_FORM_TOP: sql_order(b, v, s, v->name, s->n); break;
    case QN_FORM_DIFFERENCE: sql_difference(b, v, s, v->name); break;
    case QN_FORM_NEXT: case QN_FORM_PREVIOUS: sql_neighbour(b, v, s, v->name); break;
    case QN_FORM_ROW_FIRST: case QN_FORM_ROW_LAST: case QN_FORM_ROW_NEXT: case QN_FORM_ROW_PREVIOUS: sql_row(b, v, s, v->name); break;
    default: sql_plain(b, v, s, v->name);
    }
}

/* ---- as a JSON value ---- */
static void put_col(qn_object_b *o, const char *name, const qn_table_view *v, int c) { if (c >= 0) qn_object_put(o, qn_str_of(name), qn_v_text(v->cols[c].name)); }

qn_value qn_sketch_value(const qn_table_view *v, const qn_sketch *s, qn_arena *a)
{
    qn_object_b o = { .a = a };
    qn_object_put(&o, QN_STR("form"), qn_v_text(qn_str_of(qn_form_name(s->form))));
    put_col(&o, "select", v, s->target);
    put_col(&o, "by", v, s->by);
    if (s->desc) qn_object_put(&o, QN_STR("desc"), qn_v_bool(true));
    if (s->n) qn_object_put(&o, QN_STR("n"), qn_v_int(s->n));
    if (s->named > 0) put_col(&o, "named", v, s->named - 1);
    if (s->a.n) qn_object_put(&o, QN_STR("a"), qn_v_text(s->a));
    if (s->b.n) qn_object_put(&o, QN_STR("b"), qn_v_text(s->b));
    qn_list_b where = { .a = a };
    for (int i = 0; i < s->n_conds; i++) {
        const qn_cond *c = &s->conds[i];
        qn_object_b w = { .a = a };
        put_col(&w, "column", v, c->col);
        qn_object_put(&w, QN_STR("op"), qn_v_text(c->op == '=' ? QN_STR("=") : c->op == '!' ? QN_STR("not") : c->op == '~' ? QN_STR("contains") : c->op == '<' ? QN_STR("<") : c->op == '>' ? QN_STR(">") : c->op == 'l' ? QN_STR("<=") : c->op == 'g' ? QN_STR(">=") : QN_STR("between")));
        qn_object_put(&w, QN_STR("value"), qn_cond_is_text(c) ? qn_v_text(c->text) : qn_v_real(c->lo));
        if (c->op == 'b') qn_object_put(&w, QN_STR("to"), qn_v_real(c->hi));
        qn_list_put(&where, qn_object_end(&w));
    }
    qn_object_put(&o, QN_STR("where"), qn_list_end(&where));
    if (s->either) qn_object_put(&o, QN_STR("either"), qn_v_bool(true));
    return qn_object_end(&o);
}

static int get_col(const qn_table_view *v, qn_value o, const char *name)
{
    qn_value x;
    return qn_v_get(o, qn_str_of(name), &x) ? qn_table_col_find(v, qn_v_str(x)) : -1;
}

bool qn_sketch_read(const qn_table_view *v, qn_value o, qn_sketch *s)
{
    qn_value x, w;
    *s = (qn_sketch){ .target = get_col(v, o, "select"), .by = get_col(v, o, "by") };
    if (!qn_v_get(o, QN_STR("form"), &x) || !qn_form_find(qn_v_str(x), &s->form)) return false;
    if (qn_v_get(o, QN_STR("select"), &x) && s->target < 0) return false;
    if (qn_v_get(o, QN_STR("by"), &x) && s->by < 0) return false;
    if (qn_v_get(o, QN_STR("desc"), &x)) s->desc = x.kind == QN_V_BOOL && x.b;
    if (qn_v_get(o, QN_STR("n"), &x)) s->n = (int)qn_v_number(x);
    if (qn_v_get(o, QN_STR("named"), &x) && (s->named = get_col(v, o, "named") + 1) == 0) return false;
    if (qn_v_get(o, QN_STR("a"), &x)) s->a = qn_v_str(x);
    if (qn_v_get(o, QN_STR("b"), &x)) s->b = qn_v_str(x);
    if (qn_v_get(o, QN_STR("either"), &x)) s->either = x.kind == QN_V_BOOL && x.b;
    if (qn_v_get(o, QN_STR("where"), &w))
        for (size_t i = 0; i < w.n && i < 2; i++) {
            qn_value c = qn_v_at(w, i), op;
            qn_cond *k = &s->conds[s->n_conds++];
            k->col = get_col(v, c, "column");
            if (k->col < 0 || !qn_v_get(c, QN_STR("op"), &op) || !qn_v_get(c, QN_STR("value"), &x) || op.kind != QN_V_TEXT || op.n == 0) return false;
            k->op = qn_str_is(qn_v_str(op), "<=") ? 'l' : qn_str_is(qn_v_str(op), ">=") ? 'g' : qn_str_is(qn_v_str(op), "not") ? '!' : qn_str_is(qn_v_str(op), "contains") ? '~' : op.s[0];
            if (qn_cond_is_text(k)) k->text = qn_v_str(x);
            else {
                k->lo = qn_v_number(x);
                if (qn_v_get(c, QN_STR("to"), &x)) k->hi = qn_v_number(x);
            }
        }
    return true;
}
