/* What a table is about, found by rules: numbers and missing values, meaning of headers, the column that names the rows. */
#include "builtin/table_view.h"
#include "builtin/words_en.h"
#include "core/map.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

/* ---- cells ---- */
static bool is_missing(qn_str s)
{
    static const char *const NO[] = { "", "-", "–", "—", "--", "N/A", "n/a", "NA", "?", "TBA", "TBD", "unknown", "Unknown", "none", "None", "n.a.", "..." };
    if (!s.p) return true;
    s = qn_str_trim(s);
    for (size_t i = 0; i < sizeof NO / sizeof *NO; i++) if (qn_str_is(s, NO[i])) return true;
    return false;
}

typedef struct { double x; bool commas, whole; char money[4]; char suffix[12]; } cell_num;

/* "[+-]$1,234.5 kW": a number with optional separators, money sign and a short suffix of letters. */
static bool parse_number(qn_str s, cell_num *out)
{
    *out = (cell_num){ .whole = true };
    s = qn_str_trim(s);
    char digits[40];
    size_t n = 0, i = 0;
    if (i < s.n && (s.p[i] == '+' || s.p[i] == '-')) digits[n++] = s.p[i++];
    static const char *const MONEY[] = { "$", "€", "£" };
    for (int m = 0; m < 3; m++)
        if (qn_str_starts(qn_str_sub(s, i, s.n), qn_str_of(MONEY[m]))) { memcpy(out->money, MONEY[m], strlen(MONEY[m])); i += strlen(MONEY[m]); break; }
    size_t from = i, group = 0;
    bool point = false, any = false;
    for (; i < s.n && n < 30; i++) {
        char c = s.p[i];
        if (isdigit((unsigned char)c)) { digits[n++] = c; any = true; if (out->commas && !point) group++; }
        else if (c == ',' && !point && any && (group == 3 || !out->commas) && i - from <= 3 + (out->commas ? 100 : 0)) { out->commas = true; group = 0; }
        else if (c == '.' && !point && any && i + 1 < s.n && isdigit((unsigned char)s.p[i + 1])) { point = true; out->whole = false; digits[n++] = c; }
        else break;
    }
    if (!any || (out->commas && group != 3)) return false;
    qn_str rest = qn_str_trim(qn_str_sub(s, i, s.n));
    if (rest.n >= sizeof out->suffix) return false;
    for (size_t k = 0; k < rest.n; k++) {
        unsigned char c = (unsigned char)rest.p[k];
        if (!isalpha(c) && c != '%' && c != '/' && c != '.' && c < 128) return false;
    }
    memcpy(out->suffix, rest.p, rest.n);
    digits[n] = 0;
    out->x = strtod(digits, NULL);
    return isfinite(out->x);
}

static void read_numbers(qn_arena *a, qn_table_view *v, int ci)
{
    qn_table_col *c = &v->cols[ci];
    double *num = qn_arena_alloc(a, v->n_rows * sizeof *num);
    cell_num first = { 0 }, x;
    size_t n = 0;
    c->whole = true;
    for (size_t r = 0; r < v->n_rows; r++) {
        qn_str cell = qn_table_cell(v, r, ci);
        num[r] = NAN;
        if (is_missing(cell)) continue;
        if (!parse_number(cell, &x)) return;
        if (c->type != 't' && (x.money[0] || x.suffix[0] || x.commas)) return;
        if (n++ == 0) first = x;
        if (strcmp(first.money, x.money) || strcmp(first.suffix, x.suffix)) return;
        /* texts with leading zeros are codes, and a space in front would survive the cast */
        if (c->type == 't' && (x.suffix[0] == '.' || (cell.n > 1 && cell.p[0] == '0' && isdigit((unsigned char)cell.p[1])))) return;
        c->commas |= x.commas;
        c->whole &= x.whole;
        num[r] = x.x;
    }
    if (n < 2) return;
    if (first.suffix[0]) {      /* "1st", "12th" are no quantities; "5 kW" is */
        const char *u = qn_en_unit(qn_str_of(first.suffix));
        if (!u) return;
        if (!c->unit) c->unit = u;
    }
    memcpy(c->money, first.money, sizeof c->money);
    c->numeric = true;
    c->num = num;
}

/* ---- texts that begin with a number or end in a year ---- */
static bool is_year_number(double x) { return x == floor(x) && x >= 1000 && x <= 2100; }

/* 'n': "12 (3)", "5th", "1,200*"; 'y': "1994-95", "1994"; 0: "1:23", "6-3", "20 June", no number in front. As SQL's CAST reads it, without separators. */
static char number_in_front(qn_str s, double *x)
{
    char digits[24];
    size_t n = 0, i = 0;
    bool point = false;
    for (; i < s.n && n < sizeof digits - 1; i++) {
        char c = s.p[i];
        bool more = i + 1 < s.n && isdigit((unsigned char)s.p[i + 1]);
        if (c == ',' && n && more && !point) continue;
        if (c == '.' && n && more && !point) point = true;
        else if (!isdigit((unsigned char)c)) break;
        digits[n++] = c;
    }
    if (n == 0 || n == sizeof digits - 1) return 0;
    digits[n] = 0;
    *x = strtod(digits, NULL);
    bool dash = i < s.n && (s.p[i] == '-' || s.p[i] == '/' || (i + 2 < s.n && !memcmp(s.p + i, "\xe2\x80", 2))), year = n == 4 && !point && is_year_number(*x);
    if (i < s.n && (s.p[i] == ':' || (dash && !year))) return 0;
    return year && (i == s.n || dash) ? 'y' : 'n';
}

static bool year_at_end(qn_str s, double *x)
{
    if (s.n < 6 || isdigit((unsigned char)s.p[s.n - 5])) return false;
    *x = 0;
    for (size_t i = s.n - 4; i < s.n; i++) {
        if (!isdigit((unsigned char)s.p[i])) return false;
        *x = *x * 10 + (s.p[i] - '0');
    }
    return is_year_number(*x);
}

static bool has_month(qn_str s);

/* A number is taken from four cells in five at least, and no other cell looks as if it had one to SQL. */
static void read_rough(qn_arena *a, qn_table_view *v, int ci)
{
    qn_table_col *c = &v->cols[ci];
    size_t n = 0, n_front = 0, n_years = 0, n_end = 0, false_front = 0, false_end = 0;
    double *front = qn_arena_alloc(a, v->n_rows * sizeof *front), *end = qn_arena_alloc(a, v->n_rows * sizeof *end);
    bool whole = true, commas = false;
    for (size_t r = 0; r < v->n_rows; r++) {
        qn_str s = qn_table_cell(v, r, ci);
        double x;
        front[r] = end[r] = NAN;
        if (c->value[r] == QN_NO_VALUE) continue;
        n++;
        char kind = has_month(s) ? 0 : number_in_front(s, &x);
        if (kind) { front[r] = x; n_front++; n_years += kind == 'y'; whole &= x == floor(x); commas |= memchr(s.p, ',', s.n) != NULL; }
        else false_front += s.n && isdigit((unsigned char)s.p[0]);
        if (year_at_end(s, &x)) { end[r] = x; n_end++; }
        else if (s.n >= 4) { size_t d = 0; for (size_t i = s.n - 4; i < s.n; i++) d += isdigit((unsigned char)s.p[i]) != 0; false_end += d == 4; }
    }
    if (n < 3 || c->n_values < 2 || c->n_missing_forms > 3) return;
    if (n_front * 5 >= n * 4 && !false_front) { c->rough = n_years == n_front ? 'y' : 'n'; c->num = front; c->whole = whole; c->commas = commas; }
    else if (n_end * 5 >= n * 4 && !false_end) { c->rough = 'e'; c->num = end; c->whole = true; }
}

static void read_values(qn_arena *a, qn_table_view *v, int ci)
{
    qn_table_col *c = &v->cols[ci];
    qn_map seen = { 0 };
    c->value = qn_arena_alloc(a, v->n_rows * sizeof *c->value);
    c->count = qn_arena_zalloc(a, v->n_rows * sizeof *c->count);
    c->first = qn_arena_zalloc(a, v->n_rows * sizeof *c->first);
    for (size_t r = 0; r < v->n_rows; r++) {
        qn_str cell = qn_table_cell(v, r, ci);
        c->value[r] = QN_NO_VALUE;
        if (is_missing(cell)) {
            c->n_missing++;
            size_t k = 0;
            while (k < c->n_missing_forms && !qn_str_eq(c->missing[k], cell)) k++;
            if (k == c->n_missing_forms && k < 4) c->missing[c->n_missing_forms++] = cell;
            else if (k == c->n_missing_forms) c->n_missing_forms = 5;       /* too many forms: unusable */
            if (c->n_missing_forms > 4) { c->n_missing_forms = 4; c->usable = false; }
            continue;
        }
        bool fresh;
        uint64_t *at = qn_map_put_str(&seen, cell, &fresh);
        if (fresh) { *at = c->n_values; c->first[c->n_values++] = (uint32_t)r; }
        c->value[r] = (uint32_t)*at;
        c->count[*at]++;
    }
    qn_map_free(&seen);
}

/* ---- headers ---- */
/* "Length (km)" -> "length" and "kilometres"; a bracket that is no unit stays. Empty phrase: the header cannot be said. */
static void read_header(qn_arena *a, qn_table_col *c)
{
    qn_str h = qn_en_lower_header(a, c->name);
    while (h.n && strchr("#*†‡:.", h.p[h.n - 1]) && h.n > 1) h.n--;
    h = qn_str_trim(h);
    /* the unit is looked for in the header as it stands: "MHz", "K" */
    qn_str raw = c->name;
    ptrdiff_t open = -1;
    for (size_t i = 0; i < raw.n; i++) if (raw.p[i] == '(') open = (ptrdiff_t)i;
    if (open > 0 && raw.p[raw.n - 1] == ')') {
        qn_str in = qn_str_sub(raw, (size_t)open + 1, raw.n - 1);
        qn_str word = in;
        for (size_t i = 0; i < in.n; i++) if (in.p[i] == ',' || in.p[i] == ';') { word = qn_str_sub(in, 0, i); break; }
        word = qn_str_trim(word);
        const char *u = qn_en_unit(word);
        static const char *const SIGN[] = { "$", "US$", "USD", "£", "€" };
        bool money = false;
        for (int i = 0; i < 5; i++) if (qn_str_is(word, SIGN[i])) { memcpy(c->money, i < 3 ? "$" : SIGN[i], i < 3 ? 1 : strlen(SIGN[i])); money = true; }
        if (u || money || qn_str_is(word, "s")) {
            if (u && !qn_str_is(word, "s")) c->unit = u;
            h = qn_en_lower_header(a, qn_str_trim(qn_str_sub(raw, 0, (size_t)open)));
        }
    }
    if (qn_str_is(h, "%")) { c->unit = "percent"; h = QN_STR("percentage"); }
    c->word = qn_colword_find(h);
    static const char *const TAIL[] = { " name", " title", "(s)" };
    qn_str base = h;
    for (int i = 0; i < 3; i++) if (qn_str_ends(base, qn_str_of(TAIL[i])) && base.n > strlen(TAIL[i])) base = qn_str_trim(qn_str_sub(base, 0, base.n - strlen(TAIL[i])));
    if (!c->word && base.n != h.n) c->word = qn_colword_find(base);
    /* "population in 2023": the word in front decides the meaning, the whole phrase is said */
    if (!c->word) {
        ptrdiff_t in = qn_str_find(h, QN_STR(" in "));
        if (in > 0) {
            const qn_colword *w = qn_colword_find(qn_str_sub(h, 0, (size_t)in));
            if (w && w->sense == QN_SENSE_QUANTITY) c->word = w;
        }
    }
    if (!c->word) {     /* "trophy winner", "assistant coach": people by the last word */
        size_t from = base.n;
        while (from > 0 && base.p[from - 1] != ' ') from--;
        const qn_colword *w = from ? qn_colword_find(qn_str_sub(base, from, base.n)) : NULL;
        if (w && w->sense == QN_SENSE_PERSON && !w->ask) c->word = w;
    }
    c->phrase = c->word && c->word->phrase ? qn_str_of(c->word->phrase) : base;
    if (!c->word && qn_str_starts(c->phrase, QN_STR("number of ")) && c->phrase.n > 12) c->phrase = qn_str_sub(c->phrase, 10, c->phrase.n);
}

/* May the phrase stand in a sentence? Letters, a few words, no brackets or signs. */
static bool sayable(qn_str p)
{
    size_t letters = 0, words = 1;
    if (p.n < 3 || p.n > 40) return false;
    for (size_t i = 0; i < p.n; i++) {
        unsigned char c = (unsigned char)p.p[i];
        if (isalpha(c) || c > 127) letters++;
        else if (c == ' ') words++;
        else if (c != '-' && c != '\'' && !(isdigit(c) && i > 2)) return false;
    }
    static const char *const MONTH[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec" };
    for (int i = 0; i < 12; i++) if (qn_str_is(p, MONTH[i])) return false;
    return letters >= 3 && words <= 5;
}

static bool has_month(qn_str s)
{
    static const char *const SHORT[] = { "Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    for (size_t i = 0; i < sizeof SHORT / sizeof *SHORT; i++) {
        ptrdiff_t at = qn_str_find(s, qn_str_of(SHORT[i]));
        if (at >= 0 && (size_t)at + 4 < s.n && (s.p[at + 3] == ' ' || s.p[at + 3] == '.' || s.p[at + 3] == '-')) return true;
    }
    static const char *const M[] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December" };
    for (int i = 0; i < 12; i++) if (qn_str_find(s, qn_str_of(M[i])) >= 0) return true;
    return false;
}

static bool is_iso_date(qn_str s)
{
    if (s.n != 10) return false;
    for (int i = 0; i < 10; i++) if (i == 4 || i == 7 ? s.p[i] != '-' : !isdigit((unsigned char)s.p[i])) return false;
    return true;
}

/* Is a cell plain enough to stand in a question? */
static bool plain_cell(qn_str s)
{
    if (s.n < 1 || s.n > 48 || s.p[0] == ' ' || s.p[s.n - 1] == ' ') return false;
    size_t letters = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 32 || strchr("*[]{}|\\#^~;<>=_\"•", c)) return false;
        if (isalnum(c) || c > 127) letters++;
    }
    return letters > 0;
}

static void judge(qn_arena *a, qn_table_view *v, int ci)
{
    qn_table_col *c = &v->cols[ci];
    size_t n = v->n_rows - c->n_missing, months = 0, iso = 0, years = 0, plain = 0, bytes = 0;
    for (uint32_t k = 0; k < c->n_values; k++) {
        qn_str s = qn_table_cell(v, c->first[k], ci);
        months += c->count[k] * has_month(s);
        iso += c->count[k] * is_iso_date(s);
        plain += plain_cell(s);
        bytes += s.n;
    }
    c->clean = c->n_values > 0 && plain * 10 >= c->n_values * 8;
    if (c->numeric && c->whole && !c->commas && !c->money[0] && !c->unit)
        for (size_t r = 0; r < v->n_rows; r++) years += c->num[r] >= 1000 && c->num[r] <= 2100;
    bool all_years = years > 0 && years == n;
    c->sense = c->word ? c->word->sense : QN_SENSE_NONE;

    if (c->sense == QN_SENSE_NONE) {
        if (all_years) c->sense = QN_SENSE_YEAR;
        else if (n && (months + iso) * 10 >= n * 9) c->sense = QN_SENSE_DATE;
        else {
            qn_noun noun = qn_en_noun(a, c->phrase);
            bool chart = qn_str_find(c->phrase, QN_STR("chart")) >= 0 || qn_str_find(c->phrase, QN_STR("rank")) >= 0 || qn_str_find(c->phrase, QN_STR("position")) >= 0;
            if (c->numeric) {
                c->sense = noun == QN_NOUN_COUNTED ? QN_SENSE_COUNT : noun == QN_NOUN_SHARE ? QN_SENSE_SHARE : QN_SENSE_QUANTITY;
                if (chart || (noun != QN_NOUN_COUNTED && noun != QN_NOUN_SHARE && noun != QN_NOUN_MEASURE)) c->usable = false;
            } else {
                c->sense = c->n_values * 3 <= n ? QN_SENSE_KIND : QN_SENSE_THING;
                if (noun != QN_NOUN_THING) c->usable = false;
            }
        }
    }
    if (c->sense == QN_SENSE_YEAR && !all_years && (months + iso) * 10 >= n * 8) c->sense = QN_SENSE_DATE;
    if (c->sense == QN_SENSE_DATE && all_years) c->sense = QN_SENSE_YEAR;
    /* a header that promises numbers over cells that are none, or names over numbers, cannot be trusted */
    bool wants_number = c->sense == QN_SENSE_QUANTITY || c->sense == QN_SENSE_COUNT || c->sense == QN_SENSE_SHARE;
    if (wants_number && !c->numeric) {
        if (n && (months + iso) * 10 >= n * 8) { c->sense = QN_SENSE_DATE; c->word = NULL; }
        else { c->sense = QN_SENSE_THING; c->word = NULL; c->usable = false; }
    }
    if (c->sense == QN_SENSE_RANK && !c->numeric) {     /* "goalkeeper" is a position, "3rd" and "Ret" are places in a race */
        bool digit = false;
        for (uint32_t k = 0; k < c->n_values && !digit; k++) {
            qn_str s = qn_table_cell(v, c->first[k], ci);
            for (size_t i = 0; i < s.n; i++) digit |= isdigit((unsigned char)s.p[i]) != 0;
        }
        c->sense = QN_SENSE_KIND;
        c->word = NULL;
        if (digit || !qn_str_is(c->phrase, "position")) c->usable = false;
    }
    if (c->sense == QN_SENSE_NAME) c->usable = false;   /* names its row; as a property of another it could mean anything */
    if (c->sense == QN_SENSE_ID && !c->numeric) c->usable = false;
    if ((c->sense == QN_SENSE_PERSON || c->sense == QN_SENSE_PLACE || c->sense == QN_SENSE_KIND || c->sense == QN_SENSE_THING) && c->numeric) c->usable = false;
    if (c->sense == QN_SENSE_SKIP) c->usable = false;
    if (c->sense == QN_SENSE_YEAR && !all_years) c->sense = QN_SENSE_DATE;      /* labels like "1994-95": equality only */
    if (c->sense == QN_SENSE_DATE && c->word && c->word->sense != QN_SENSE_DATE && c->word->sense != QN_SENSE_YEAR) c->word = NULL;
    if (!sayable(c->phrase)) c->usable = false;
    if ((c->sense == QN_SENSE_YEAR || c->sense == QN_SENSE_DATE) && !c->word && qn_str_find(c->phrase, QN_STR("year")) < 0 && qn_str_find(c->phrase, QN_STR("date")) < 0) c->usable = false;
    if (n < 2 || c->n_values < 2) c->usable = false;
    if (c->n_values && bytes / c->n_values > 60) c->usable = false;
}

/* ---- the rows ---- */
/* "Name of ship" -> "ship", "Film title" is cut by the header's reader */
static qn_str row_noun(qn_arena *a, const qn_table_col *k)
{
    qn_str p = k->word && k->word->noun ? qn_str_of(k->word->noun) : k->phrase;
    if (qn_str_starts(p, QN_STR("name of "))) p = qn_str_sub(p, 8, p.n);
    if (qn_str_starts(p, QN_STR("the "))) p = qn_str_sub(p, 4, p.n);
    static const char *const PREP[] = { " in ", " of ", " at ", " from ", " on " };
    for (size_t i = 0; i < sizeof PREP / sizeof *PREP; i++) {
        ptrdiff_t at = qn_str_find(p, qn_str_of(PREP[i]));
        if (at > 0) p = qn_str_sub(p, 0, (size_t)at);
    }
    return qn_en_singular(a, p);
}

static bool key_word_bad(const qn_table_col *c)
{
    static const char *const BAD[] = { "opponent", "opposition", "result", "score", "venue", "site", "role", "record", "location", "winner", "runner-up", "visitor",
                                       "away team", "host", "stadium", "home", "winning", "second", "third", "rank", "position", "place", "status", "fate", "type", "category", "head coach", "coach", "date", "writer", "director", "producer", "nickname", "capital", "outcome", "game site", "symbol", "ISO code", "outflow", "discoverer", "designer" };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) if (qn_str_starts(c->phrase, qn_str_of(BAD[i]))) return true;
    return false;
}

static bool mostly_letters(const qn_table_view *v, int ci)
{
    size_t ok = 0;
    for (uint32_t k = 0; k < v->cols[ci].n_values; k++) {
        qn_str s = qn_table_cell(v, v->cols[ci].first[k], ci);
        size_t letters = 0, digits = 0;
        for (size_t i = 0; i < s.n; i++) { letters += isalpha((unsigned char)s.p[i]) || (unsigned char)s.p[i] > 127; digits += isdigit((unsigned char)s.p[i]) != 0; }
        ok += letters > digits;
    }
    return ok * 10 >= v->cols[ci].n_values * 7;
}

static void find_key(qn_table_view *v)
{
    double best = 0;
    v->key = -1;
    for (size_t i = 0; i < v->n_cols; i++) {
        const qn_table_col *c = &v->cols[i];
        if (c->n_missing || v->n_rows < 3 || c->n_values * 100 < v->n_rows * 95) continue;
        double s = 0;
        qn_key_kind kind = QN_KEY_NONE;
        bool named = c->sense == QN_SENSE_NAME || c->sense == QN_SENSE_PERSON || c->sense == QN_SENSE_PLACE || c->sense == QN_SENSE_THING || c->sense == QN_SENSE_KIND;
        if (named && !c->numeric && c->clean && mostly_letters(v, (int)i) && !key_word_bad(c) && (c->sense == QN_SENSE_NAME || c->usable)) {
            kind = QN_KEY_NAME;
            s = 10 + (c->sense == QN_SENSE_NAME ? 2 : 0) - (double)i * 1.2;
        } else if (c->sense == QN_SENSE_YEAR) { kind = QN_KEY_YEAR; s = 5 - (double)i * 0.3; }
        else if (c->sense == QN_SENSE_DATE && c->clean) { kind = QN_KEY_DATE; s = 4.5 - (double)i * 0.3; }
        else if (c->sense == QN_SENSE_ID && c->numeric && c->phrase.n >= 3) {
            static const char *const ORD[] = { "week", "round", "game", "episode", "stage", "match", "day", "leg", "heat" };
            for (size_t k = 0; k < sizeof ORD / sizeof *ORD; k++) if (qn_str_is(c->phrase, ORD[k])) { kind = QN_KEY_NUMBERED; s = 4 - (double)i * 0.3; }
        }
        if (kind != QN_KEY_NONE && s > best) { best = s; v->key = (int)i; v->key_kind = kind; }
    }
}

static bool is_word(qn_str w)
{
    for (size_t i = 0; i < w.n; i++) if (!isalpha((unsigned char)w.p[i]) && w.p[i] != ' ' && w.p[i] != '-') return false;
    return w.n >= 3 && w.n <= 30;
}

/* "programming_languages" -> "programming language"; empty when the table's name is no plural of words. */
static qn_str noun_of_name(qn_arena *a, qn_str name)
{
    char *t = qn_arena_alloc(a, name.n + 1);
    for (size_t i = 0; i < name.n; i++) t[i] = name.p[i] == '_' || name.p[i] == '-' ? ' ' : name.p[i];
    qn_str s = { t, name.n };
    if (!is_word(s)) return (qn_str){ 0 };
    s = qn_en_lower_header(a, s);
    if (qn_str_is(s, "olympic games")) return QN_STR("Olympic Games");
    if (!qn_en_is_plural(s)) return (qn_str){ 0 };
    return qn_en_singular(a, s);
}

static bool has_col(const qn_table_view *v, const char *phrase)
{
    for (size_t i = 0; i < v->n_cols; i++) if (qn_str_is(v->cols[i].phrase, phrase)) return true;
    return false;
}

static void name_rows(qn_arena *a, qn_table_view *v)
{
    qn_str by_table = noun_of_name(a, v->name);
    qn_str noun = by_table.n ? by_table : QN_STR("entry");
    v->events = has_col(v, "opponent") || has_col(v, "result") || has_col(v, "score") || has_col(v, "winner") || has_col(v, "attendance");
    if (v->key_kind == QN_KEY_NAME) {
        const qn_table_col *k = &v->cols[v->key];
        qn_str n = row_noun(a, k);
        if (qn_str_is(n, "title") || (is_word(n) && qn_en_noun(a, n) == QN_NOUN_THING)) noun = n;
    } else if (!by_table.n && has_col(v, "opponent") && !has_col(v, "matches") && !has_col(v, "games") && !has_col(v, "wins")) noun = QN_STR("game");
    if (qn_str_is(noun, "entry") && !has_col(v, "matches") && !has_col(v, "games") && !has_col(v, "wins") && (has_col(v, "opponent") || has_col(v, "opponents") || has_col(v, "opposition")))
        noun = has_col(v, "attendance") || has_col(v, "venue") || has_col(v, "stadium") ? QN_STR("game") : QN_STR("match");
    v->noun = noun;
    v->nouns = qn_str_is(noun, "Olympic Games") ? noun : qn_en_plural(a, noun);
    v->the_names = qn_str_is(noun, "river") || qn_str_is(noun, "sea") || qn_str_is(noun, "ocean");
}

bool qn_table_is_total(qn_str cell)
{
    static const char *const T[] = { "total", "totals", "all", "sum", "average", "overall", "career", "grand total", "total:", "mean", "turnout", "others", "other", "remainder", "rest", "unknown", "various" };
    cell = qn_str_trim(cell);
    for (size_t k = 0; k < sizeof T / sizeof *T; k++) if (qn_str_ieq(cell, qn_str_of(T[k]))) return true;
    return cell.n > 5 && qn_str_ieq(qn_str_sub(cell, 0, 5), QN_STR("total"));
}

static void find_totals(qn_table_view *v)
{
    for (size_t r = 0; r < v->n_rows; r++)
        for (size_t c = 0; c < v->n_cols && c < 4; c++)
            if (qn_table_cell(v, r, (int)c).p && qn_table_is_total(qn_table_cell(v, r, (int)c))) v->totals = true;
}

qn_code qn_table_view_make(qn_arena *a, qn_str name, const qn_str *columns, const char *types, size_t n_cols, const qn_str *cells, size_t n_rows,
                           qn_table_view **out, qn_err *e)
{
    if (n_cols == 0 || n_rows == 0) return qn_fail(e, QN_EDATA, "table `%.*s` has no rows", QN_FMT(name));
    qn_table_view *v = QN_ARENA_NEW(a, qn_table_view);
    v->name = qn_arena_str(a, name);
    v->n_rows = n_rows;
    v->n_cols = n_cols;
    qn_str *copy = qn_arena_alloc(a, n_rows * n_cols * sizeof *copy);
    for (size_t i = 0; i < n_rows * n_cols; i++) copy[i] = cells[i].p ? qn_arena_str(a, cells[i]) : (qn_str){ 0 };
    v->cells = copy;
    v->cols = QN_ARENA_NEW_N(a, qn_table_col, n_cols);
    bool medals = false;
    for (size_t i = 0; i < n_cols; i++) {
        qn_table_col *c = &v->cols[i];
        c->name = qn_arena_str(a, columns[i]);
        c->type = types[i];
        c->usable = true;
        read_header(a, c);
        read_values(a, v, (int)i);
        read_numbers(a, v, (int)i);
        judge(a, v, (int)i);
        if (!c->numeric && c->type == 't') read_rough(a, v, (int)i);
        for (size_t k = 0; k < i; k++) if (qn_str_ieq(v->cols[k].phrase, c->phrase)) c->usable = v->cols[k].usable = false;    /* two columns of one name cannot be told apart */
        medals |= qn_str_is(c->phrase, "gold medals") && c->numeric;
        c->plural = qn_en_plural(a, c->phrase);
    }
    for (size_t i = 0; i < n_cols; i++)
        if (medals && qn_str_is(v->cols[i].phrase, "total") && v->cols[i].numeric) {
            v->cols[i].phrase = v->cols[i].plural = QN_STR("medals in total");
            v->cols[i].sense = QN_SENSE_COUNT;
            v->cols[i].word = NULL;
        }
    find_key(v);
    name_rows(a, v);
    find_totals(v);
    *out = v;
    return QN_OK;
}

void qn_table_view_title(qn_arena *a, qn_table_view *v, qn_str title)
{
    static const char *const PREP[] = { " of ", " in ", " at ", " from ", " by ", " for ", " on ", " and ", ":", " with ", ", ", " (" };
    if (!qn_str_is(v->noun, "entry") || !qn_str_starts(title, QN_STR("List of "))) return;
    qn_str t = qn_str_sub(title, 8, title.n);
    for (size_t i = 0; i < sizeof PREP / sizeof *PREP; i++) {
        ptrdiff_t at = qn_str_find(t, qn_str_of(PREP[i]));
        if (at > 0) t = qn_str_sub(t, 0, (size_t)at);
    }
    size_t from = t.n;
    while (from > 0 && t.p[from - 1] != ' ') from--;
    qn_str head = qn_str_sub(t, from, t.n), one = qn_en_singular(a, head);
    if (!is_word(head) || !islower((unsigned char)(from ? head.p[0] : 'a')) || !qn_en_is_plural(head) || qn_en_noun(a, one) != QN_NOUN_THING) return;
    v->noun = qn_en_lower_header(a, one);
    v->nouns = qn_en_plural(a, v->noun);
}

int qn_table_col_find(const qn_table_view *v, qn_str name)
{
    for (size_t i = 0; i < v->n_cols; i++) if (qn_str_ieq(v->cols[i].name, name)) return (int)i;
    return -1;
}
