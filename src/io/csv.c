/* csv: the scanner and what it has to know about a file. */
#include "io/csv.h"
#include <ctype.h>

/* ---- one record ---- */
static bool ends_cell(const qn_csv_dialect *d, qn_str s, size_t i)
{
    return i >= s.n || s.p[i] == d->delimiter || s.p[i] == d->eol || (s.p[i] == '\r' && (i + 1 >= s.n || s.p[i + 1] == d->eol));
}

/* Is there, behind i and in the same line, a quote that stands before a delimiter or a line end? Such a quote ends the cell, the one at i does
 * not. The answer for a place holds for all places up to what was looked at, so it is kept. r->probe_cut: s ends before the line does. */
static bool closes_later(const qn_csv_dialect *d, qn_str s, size_t i, qn_csv_record *r)
{
    if (i >= r->probe_from && i < r->probe_to) return r->probe_found;
    size_t j = i + 1;
    r->probe_found = false;
    for (; j < s.n && s.p[j] != d->eol; j++) {
        if (s.p[j] == '"' && ends_cell(d, s, j + 1)) { r->probe_found = true; break; }
        if (s.p[j] == d->delimiter && j + 1 < s.n && s.p[j + 1] == '"') break;      /* that opens the next quoted cell */
    }
    r->probe_from = i;
    r->probe_to = j;
    r->probe_cut = j + 1 >= s.n;
    return r->probe_found;
}

/* Behind an opening quote at i - 1: finds the end of the quoted part; false when s ends first. */
static bool quoted_part(const qn_csv_dialect *d, qn_str s, bool eof, size_t *i, qn_csv_cell *c, qn_csv_record *r)
{
    bool loose = false;                                 /* quotes inside are not escaped in this cell */
    for (size_t at = *i;;) {
        if (d->quotes == QN_CSV_BACKSLASH) {
            while (at < s.n && s.p[at] != '"' && s.p[at] != '\\') r->n_lines += s.p[at++] == d->eol;
            if (at < s.n && s.p[at] == '\\') {
                c->dirty = true;
                r->n_lines += at + 1 < s.n && s.p[at + 1] == d->eol;
                at += 2;
                continue;
            }
        } else {
            while (at < s.n && s.p[at] != '"') r->n_lines += s.p[at++] == d->eol;
        }
        if (at >= s.n) return false;
        if (at + 1 < s.n && s.p[at + 1] == '"' && !(loose && ends_cell(d, s, at + 2))) { c->dirty = true; at += 2; continue; }
        if (at + 1 < s.n && s.p[at + 1] == '"') at++;  /* "say "hi"", */
        size_t behind = at + 1;
        while (d->skip_space && behind < s.n && s.p[behind] == ' ') behind++;
        if (ends_cell(d, s, behind)) {
            c->end = at;
            *i = behind;
            return true;
        }
        if (!closes_later(d, s, at, r)) {               /* `"Foo" Bar,`: no quoted cell at all */
            if (r->probe_cut && !eof) return false;
            c->quoted = c->dirty = false;
            c->start--;
            *i = at + 1;
            return true;
        }
        loose = true;
        at++;
    }
}

qn_csv_got qn_csv_scan(const qn_csv_dialect *d, qn_str s, bool eof, qn_csv_record *r)
{
    size_t i = 0;
    bool stop[256] = { ['\n'] = d->eol == '\n', ['\r'] = true };
    stop[(unsigned char)d->delimiter] = true;
    r->n = 0;
    r->n_lines = 0;
    r->probe_from = r->probe_to = 0;
    for (;;) {
        QN_GROW(r->cells, r->n, r->cap);
        qn_csv_cell *c = &r->cells[r->n++];
        size_t q = i;
        while (d->skip_space && q < s.n && s.p[q] == ' ') q++;
        *c = (qn_csv_cell){ .start = i };
        if (d->quotes != QN_CSV_NO_QUOTES && q < s.n && s.p[q] == '"') {
            i = q + 1;
            c->start = i;
            c->quoted = true;
            if (!quoted_part(d, s, eof, &i, c, r)) return eof ? QN_CSV_UNCLOSED : QN_CSV_MORE;
        }
        for (;;) {                                      /* to the delimiter: an unquoted cell, or what stands behind a quoted one */
            while (i < s.n && !stop[(unsigned char)s.p[i]]) i++;
            if (i < s.n && s.p[i] == '\r' && d->eol == '\n' && !(i + 1 < s.n && s.p[i + 1] == '\n')) {
                if (i + 1 >= s.n && !eof) return QN_CSV_MORE;
                if (i + 1 >= s.n) break;
                i++;
                continue;
            }
            break;
        }
        if (i >= s.n && !eof) return QN_CSV_MORE;
        if (!c->quoted) c->end = i;
        if (i < s.n && s.p[i] == d->delimiter) { i++; continue; }
        if (i < s.n && s.p[i] == '\r' && d->eol == '\n') i++;
        if (i < s.n) i++;
        r->used = i;
        r->n_lines++;
        return QN_CSV_RECORD;
    }
}

qn_str qn_csv_text(const qn_csv_dialect *d, qn_str s, const qn_csv_cell *c, qn_buf *buf)
{
    qn_str raw = qn_str_sub(s, c->start, c->end);
    if (!c->dirty) return raw;
    size_t from = buf->n, run = 0;
    for (size_t i = 0; i + 1 < raw.n; i++) {
        bool slash = raw.p[i] == '\\' && d->quotes == QN_CSV_BACKSLASH && (raw.p[i + 1] == '"' || raw.p[i + 1] == '\\');
        if (!slash && !(raw.p[i] == '"' && raw.p[i + 1] == '"')) continue;
        qn_buf_put(buf, raw.p + run, i - run);          /* of the two bytes the second stays */
        run = ++i;
    }
    qn_buf_put(buf, raw.p + run, raw.n - run);
    return qn_str_sub(qn_buf_view(buf), from, buf->n);
}

/* ---- finding the dialect ---- */
enum { SAMPLE_RECORDS = 400, MOST_CELLS = 512 };

/* How well a dialect explains the sample: the share of records with the commonest number of cells, less when the first differs. */
static double fit(const qn_csv_dialect *d, qn_str s, bool whole, size_t *n_cells)
{
    static const double ONE_COLUMN = 0.3;
    size_t count[MOST_CELLS + 1] = {0}, n = 0, first = 0, best = 0;
    qn_csv_record r = {0};
    while (s.n && n < SAMPLE_RECORDS) {
        qn_csv_got got = qn_csv_scan(d, s, whole, &r);
        if (got == QN_CSV_UNCLOSED) count[0]++, n++;
        if (got != QN_CSV_RECORD) break;
        bool blank = r.n == 1 && r.cells[0].start == r.cells[0].end && !r.cells[0].quoted;
        size_t k = r.n < MOST_CELLS ? r.n : MOST_CELLS;
        if (!blank) {
            if (n == 0) first = k;
            count[k]++, n++;
        }
        s = qn_str_sub(s, r.used, s.n);
    }
    qn_free(r.cells);
    for (size_t k = 1; k <= MOST_CELLS; k++)
        if (count[k] > count[best]) best = k;
    *n_cells = best;
    if (n == 0 || best == 0) return 0;
    double share = (double)count[best] / (double)n * (first == best ? 1 : 0.6);
    return best == 1 ? share * ONE_COLUMN : share;
}

/* `\"` inside a cell, with more of the cell behind it: that is how a backslash escapes. */
static bool has_backslash_quotes(qn_str s, char delimiter)
{
    for (size_t i = 0; i + 2 < s.n; i++)
        if (s.p[i] == '\\' && s.p[i + 1] == '"' && s.p[i + 2] != delimiter && !qn_char_in(s.p[i + 2], "\r\n\"")) return true;
    return false;
}

static bool has_space_quotes(qn_str s, char delimiter)
{
    for (size_t i = 0; i + 2 < s.n; i++)
        if (s.p[i] == delimiter && s.p[i + 1] == ' ' && s.p[i + 2] == '"') return true;
    return false;
}

static size_t sep_line(qn_str s, char *delimiter)
{
    if (s.n < 6 || !qn_str_ieq(qn_str_sub(s, 0, 4), QN_STR("sep=")) || !qn_char_in(s.p[5], "\r\n")) return 0;
    *delimiter = s.p[4];
    return s.p[5] == '\r' && s.n > 6 && s.p[6] == '\n' ? 7 : 6;
}

/* Tab-separated files are often written without any quoting. It is there when cells stand in quotes from end to end and none goes on behind
 * its second quote: "Foo" Bar. */
static bool quotes_cells(qn_str s, char delimiter)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        size_t end = i;
        while (end < s.n && s.p[end] != delimiter && s.p[end] != '\n' && s.p[end] != '\r') end++;
        const char *second = end - i >= 2 && s.p[i] == '"' ? memchr(s.p + i + 1, '"', end - i - 1) : NULL;
        size_t at = second ? (size_t)(second - s.p) : end;
        if (at + 1 == end && end < s.n) n++;
        else if (at + 1 < end && s.p[at + 1] != '"') return false;
        i = end + 1;
    }
    return n > 0;
}

/* The way of quoting that fits best under d's delimiter; d gets it. Ties: backslashes where they show, else doubled quotes. */
static double fit_quotes(qn_csv_dialect *d, qn_str s, bool whole, size_t *n_cells)
{
    bool slashes = qn_str_find(s, QN_STR("\\\"")) >= 0, quotes = memchr(s.p, '"', s.n) != NULL;
    qn_csv_quotes ways[3];
    size_t n = 0;
    d->skip_space = d->delimiter != '\t' && has_space_quotes(s, d->delimiter);
    if (d->delimiter == '\t' && !quotes_cells(s, '\t')) {
        ways[n++] = QN_CSV_NO_QUOTES;
    } else {
        if (slashes && has_backslash_quotes(s, d->delimiter)) ways[n++] = QN_CSV_BACKSLASH;
        ways[n++] = QN_CSV_DOUBLED;
        if (slashes && ways[0] != QN_CSV_BACKSLASH) ways[n++] = QN_CSV_BACKSLASH;
        else if (quotes && !slashes) ways[n++] = QN_CSV_NO_QUOTES;
    }
    double best = -1;
    qn_csv_dialect found = *d;
    for (size_t i = 0; i < n; i++) {
        size_t k;
        qn_csv_dialect tried = *d;
        tried.quotes = ways[i];
        double f = fit(&tried, s, whole, &k);
        if (f <= best + 0.005 || (ways[i] == QN_CSV_NO_QUOTES && k < 2 && best > 0)) continue;
        best = f;
        found = tried;
        *n_cells = k;
    }
    *d = found;
    return best;
}

qn_csv_dialect qn_csv_sniff(qn_str s, bool whole, char delimiter, char prefer)
{
    const char order[] = { prefer ? prefer : ',', ',', '\t', ';', '|' };
    qn_csv_dialect best = { .delimiter = delimiter ? delimiter : order[0], .eol = '\n' };
    size_t skip = sep_line(s, &delimiter);
    s = qn_str_sub(s, skip, s.n);
    if (!s.n) return best;
    double best_fit = -1;
    char eol = !memchr(s.p, '\n', s.n) && memchr(s.p, '\r', s.n) ? '\r' : '\n';
    for (size_t i = 0; i < sizeof order; i++) {
        qn_csv_dialect d = { .delimiter = delimiter ? delimiter : order[i], .eol = eol, .skip_bytes = skip };
        size_t k = 0;
        double f = fit_quotes(&d, s, whole, &k);
        if (f > best_fit + 0.001) { best = d; best_fit = f; }
        if (delimiter) break;
    }
    return best;
}

/* ---- header or not ---- */
typedef enum { EMPTY, NUMBER, YEAR, WORDS } look;

static look look_of(qn_str s)
{
    double x;
    s = qn_str_trim(s);
    if (s.n == 0) return EMPTY;
    if (!qn_str_to_f64(s, &x)) return WORDS;
    return s.n == 4 && x >= 1500 && x <= 2100 ? YEAR : NUMBER;
}

bool qn_csv_has_header(const qn_csv_dialect *d, qn_str s, bool whole)
{
    enum { MOST = 256 };
    look head[MOST];
    unsigned n_of[MOST][4] = {{0}};
    size_t n_head = 0, n_rows = 0;
    qn_csv_record r = {0};
    qn_buf buf = {0};
    s = qn_str_sub(s, d->skip_bytes < s.n ? d->skip_bytes : s.n, s.n);
    while (s.n && n_rows < 100 && qn_csv_scan(d, s, whole, &r) == QN_CSV_RECORD) {
        bool first = n_head == 0;
        for (size_t i = 0; i < r.n && i < MOST; i++) {
            qn_buf_clear(&buf);
            look l = look_of(qn_csv_text(d, s, &r.cells[i], &buf));
            if (first) head[n_head++] = l;
            else n_of[i][l]++;
        }
        n_rows += !first;
        s = qn_str_sub(s, r.used, s.n);
    }
    qn_free(r.cells);
    qn_buf_free(&buf);
    bool data = false, name = n_rows == 0;
    for (size_t i = 0; i < n_head; i++) {
        unsigned numbers = n_of[i][NUMBER] + n_of[i][YEAR], all = numbers + n_of[i][WORDS];
        bool numeric = all && numbers * 10 >= all * 9;
        if (!numeric || head[i] == EMPTY) continue;
        if (head[i] == WORDS || (head[i] == YEAR && n_of[i][YEAR] * 2 < numbers)) name = true;
        else data = true;
    }
    return name || !data;
}
