/* format_csv: CSV and TSV. Every cell is text, as it stands: `tonumber` makes numbers where a recipe wants them, so that 007 stays 007.
 *
 * A record with more or fewer cells than the header is one failed row with its line (empty cells behind the last column are let go); so is one
 * with NUL bytes or invalid UTF-8. An encoding other than UTF-8 is found out (uchardet) and said. */
#include "io/columns.h"
#include "io/csv.h"
#include "io/format.h"
#include "io/input.h"
#include "core/log.h"

typedef struct {
    qn_reader      base;
    qn_window      w;
    const char    *path;
    size_t         limit;
    int            line;        /* of the next record */
    int            at;          /* of the record in hand */
    qn_csv_dialect d;
    qn_csv_record  r;
    qn_buf         buf;         /* unescaped cells */
    qn_str        *cells;       /* texts of the record in hand */
    size_t         cap;
    qn_columns     columns;
    bool           end;
} csv;

static void csv_free(csv *c)
{
    qn_window_free(&c->w);
    qn_columns_free(&c->columns);
    qn_free(c->r.cells);
    qn_free(c->cells);
    qn_buf_free(&c->buf);
}

static qn_pos here(const csv *c) { return (qn_pos){ .file = c->path, .line = c->at }; }

static qn_code more(csv *c, qn_err *e)
{
    qn_code rc = qn_window_more(&c->w, e);
    if (rc == QN_OK) return rc;
    c->end = true;
    if (e && !e->pos.file) e->pos = (qn_pos){ .file = c->path, .line = c->line };
    return rc;
}

/* The record in hand goes on too long or for ever: its first line is given up, reading goes on behind it. */
static qn_code give_up_line(csv *c, const char *why, qn_err *e)
{
    const char *from = c->w.p + c->w.start, *nl = memchr(from, c->d.eol, c->w.end - c->w.start);
    c->w.start = nl ? (size_t)(nl - c->w.p) + 1 : c->w.end;
    c->at = c->line++;
    return qn_fail_at(e, QN_EDATA, here(c), "%s", why);
}

static void take_cells(csv *c, qn_str s)
{
    size_t need = 0;
    QN_GROW(c->cells, c->r.n, c->cap);
    for (size_t i = 0; i < c->r.n; i++)
        if (c->r.cells[i].dirty) need += c->r.cells[i].end - c->r.cells[i].start;
    qn_buf_clear(&c->buf);
    if (need) qn_buf_reserve(&c->buf, need);
    for (size_t i = 0; i < c->r.n; i++) c->cells[i] = qn_csv_text(&c->d, s, &c->r.cells[i], &c->buf);
}

/* The next record that is not a blank line; *n 0 at the end. The cells are borrowed until the next call. */
static qn_code next_record(csv *c, size_t *n, qn_err *e)
{
    qn_window *w = &c->w;
    for (*n = 0; !c->end;) {
        qn_str s = { w->p + w->start, w->end - w->start };
        if (s.n == 0 && w->eof) break;
        qn_csv_got got = s.n ? qn_csv_scan(&c->d, s, w->eof, &c->r) : QN_CSV_MORE;
        if (got == QN_CSV_UNCLOSED) return give_up_line(c, "a quote in this line is never closed", e);
        if (got == QN_CSV_MORE && s.n > c->limit) return give_up_line(c, "the record that begins here is too long (a quote that is not closed?)", e);
        if (got == QN_CSV_MORE) { QN_TRY(more(c, e)); continue; }
        c->at = c->line;
        c->line += c->r.n_lines;
        w->start += c->r.used;
        if (c->r.n == 1 && !c->r.cells[0].quoted && qn_str_trim(qn_str_sub(s, c->r.cells[0].start, c->r.cells[0].end)).n == 0) continue;
        take_cells(c, s);
        *n = c->r.n;
        return QN_OK;
    }
    return QN_OK;
}

/* ---- opening: dialect, header ---- */
enum { SAMPLE = 1 << 18 };

static void say_encoding(const csv *c)
{
    bool guessed;
    const char *name = qn_input_encoding(c->w.in, &guessed);
    if (guessed) qn_log(QN_WARN, "encoding", "%s: not UTF-8, read as %s (guessed; name it to be sure)", c->path, name);
}

static qn_code csv_open(csv *c, const char *path, const qn_read_opts *o, qn_err *e)
{
    c->path = path;
    c->line = 1;
    c->limit = o && o->max_record_bytes ? o->max_record_bytes : (size_t)64 << 20;
    QN_TRY(qn_input_open(path, QN_INPUT_GUESS, o ? o->encoding : NULL, &c->w.in, e));
    say_encoding(c);
    while (c->w.end < SAMPLE && !c->w.eof) QN_TRY(more(c, e));
    qn_str sample = { c->w.p, c->w.end < SAMPLE ? c->w.end : SAMPLE };
    qn_str ext = qn_path_ext(qn_str_of(path));
    char prefer = qn_str_ieq(ext, QN_STR("tsv")) || qn_str_ieq(ext, QN_STR("tab")) ? '\t' : 0;
    bool whole = c->w.eof && c->w.end <= SAMPLE;
    c->d = qn_csv_sniff(sample, whole, o ? o->delimiter : 0, prefer);
    bool header = o && o->header ? o->header > 0 : qn_csv_has_header(&c->d, sample, whole);
    if (c->d.skip_bytes) c->w.start += c->d.skip_bytes, c->line++;
    size_t was = c->w.start, n;
    int line = c->line;
    QN_TRY(next_record(c, &n, e));
    if (!header) {
        for (size_t i = 0; i < n; i++) c->cells[i] = (qn_str){ NULL, 0 };
        c->w.start = was;                               /* the sample is in the window: nothing has moved */
        c->line = line;
    }
    qn_columns_set(&c->columns, c->cells, n);
    return QN_OK;
}

/* ---- rows ---- */
static qn_code ragged(const csv *c, size_t n, qn_err *e)
{
    qn_fail_at(e, QN_EDATA, here(c), "%zu cells where the header has %zu", n, c->columns.n);
    if (c->d.quotes != QN_CSV_NO_QUOTES) qn_hint(e, "a delimiter or a quote inside a cell must be quoted");
    return QN_EDATA;
}

static qn_code rows_next(qn_reader *r, qn_row **out, qn_err *e)
{
    csv *c = (csv *)r;
    size_t n;
    *out = NULL;
    QN_TRY(next_record(c, &n, e));
    if (n == 0) return QN_OK;
    while (n > c->columns.n && c->cells[n - 1].n == 0) n--;
    if (n != c->columns.n) return ragged(c, n, e);
    if (qn_columns_row(&c->columns, c->cells, n, out, e) == QN_OK) return QN_OK;
    qn_fail_at(e, QN_EDATA, here(c), "the record is not valid UTF-8");
    qn_hint(e, "if the file is in another encoding, name it: encoding: latin1");
    return QN_EDATA;
}

static void rows_close(qn_reader *r)
{
    csv_free((csv *)r);
    qn_free(r);
}

static const qn_reader_vt VT = { rows_next, rows_close };

static qn_code rows(const char *path, const qn_read_opts *o, qn_reader **out, qn_err *e)
{
    csv *c = QN_NEW(csv);
    c->base.vt = &VT;
    qn_code rc = csv_open(c, path, o, e);
    if (rc != QN_OK) { rows_close(&c->base); return rc; }
    *out = &c->base;
    return QN_OK;
}

/* ---- tables ---- */
static qn_code tables(const char *path, const qn_read_opts *o, qn_cell_sink *sink, qn_err *e)
{
    csv c = {0};
    size_t n = 0;
    qn_code rc = csv_open(&c, path, o, e);
    if (rc == QN_OK && c.columns.n == 0) rc = qn_fail_at(e, QN_EDATA, (qn_pos){ .file = path }, "the file is empty");
    if (rc == QN_OK) rc = sink->begin(sink->arg, qn_table_name_of(path), QN_STR(""), c.columns.names, c.columns.n, e);
    while (rc == QN_OK && (rc = next_record(&c, &n, e)) == QN_OK && n) {
        while (n > c.columns.n && c.cells[n - 1].n == 0) n--;
        rc = sink->row(sink->arg, c.cells, n, e);
    }
    if (rc == QN_OK) rc = sink->end(sink->arg, e);
    csv_free(&c);
    return rc;
}

const qn_format qn_format_csv = {
    .name = "csv", .exts = "csv tsv tab", .brief = "separated values: CSV, TSV, semicolons, found out",
    .rows = rows, .tables = tables,
};
