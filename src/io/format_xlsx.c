/* format_xlsx: workbooks (Office Open XML). A sheet is a table: its first row with two or more cells names the columns, empty rows and columns around
 * it are left out. Numbers are given as Excel shows them at full width (15 digits), dates as ISO 8601, truth as true and false; formulas by the
 * value saved with them. */
#include "io/columns.h"
#include "io/input.h"
#include "io/office.h"
#include <stdio.h>
#include <stdlib.h>

enum { MOST_SHEETS = 1000, MOST_COLUMNS = 16384 };
#define MOST_CELLS ((size_t)20 * 1000 * 1000)

typedef struct { qn_str name, part; bool hidden; } sheet;
typedef struct {
    qn_arena a;
    qn_zip   z;
    sheet   *sheets;
    size_t   n_sheets;
    qn_str  *strings;
    size_t   n_strings;
    bool    *is_date;           /* by cell format */
    size_t   n_formats;
    bool     from_1904;
} book;

typedef struct { qn_str *cells; size_t n; } line;

static bool want(qn_str name)
{
    return (qn_str_ends(name, QN_STR(".xml")) || qn_str_ends(name, QN_STR(".rels"))) && (qn_str_starts(name, QN_STR("xl/")) || qn_str_starts(name, QN_STR("/xl/")));
}

/* ---- what cells refer to ---- */
static void si_text(const qn_xml *si, qn_buf *out)      /* without phonetic runs */
{
    QN_XML_EACH(c, si, NULL) {
        if (qn_xml_is(c, "t")) qn_xml_text(c, out);
        else if (qn_xml_is(c, "r")) qn_xml_text(qn_xml_first(c, "t"), out);
    }
}

static void read_strings(book *k)
{
    qn_xml_doc *doc;
    const qn_xml *root;
    size_t cap = 0;
    qn_str *all = NULL;
    qn_buf text = {0};
    if (qn_office_part(&k->z, "xl/sharedStrings.xml", &doc, &root, NULL) != QN_OK) return;
    QN_XML_EACH(si, root, "si") {
        qn_buf_clear(&text);
        si_text(si, &text);
        QN_GROW(all, k->n_strings, cap);
        all[k->n_strings++] = qn_arena_str(&k->a, qn_buf_view(&text));
    }
    k->strings = qn_arena_alloc(&k->a, k->n_strings * sizeof *all);
    if (k->n_strings) memcpy(k->strings, all, k->n_strings * sizeof *all);
    qn_free(all);
    qn_buf_free(&text);
    qn_xml_free(doc);
}

/* A number format shows a date when it has day, month, year or hour letters outside quotes, brackets and escapes. */
static bool format_is_date(qn_str code)
{
    for (size_t i = 0; i < code.n; i++) {
        char c = code.p[i];
        if (c == '"') { while (++i < code.n && code.p[i] != '"') {} }
        else if (c == '[') { while (++i < code.n && code.p[i] != ']') {} }
        else if (c == '\\' || c == '_' || c == '*') i++;
        else if (qn_char_in(c, "dmyhsDMYHS")) return true;
        else if (c == ';') return false;
    }
    return false;
}

static bool number_format_is_date(const qn_xml *root, int64_t id)
{
    if ((id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58)) return true;
    QN_XML_EACH(f, qn_xml_first(root, "numFmts"), "numFmt") {
        int64_t own;
        if (qn_str_to_i64(qn_xml_attr(f, "numFmtId"), &own) && own == id) return format_is_date(qn_xml_attr(f, "formatCode"));
    }
    return false;
}

static void read_formats(book *k)
{
    qn_xml_doc *doc;
    const qn_xml *root;
    size_t n = 0;
    if (qn_office_part(&k->z, "xl/styles.xml", &doc, &root, NULL) != QN_OK) return;
    const qn_xml *list = qn_xml_first(root, "cellXfs");
    QN_XML_EACH(xf, list, "xf") n++;
    if (n > 65536) n = 65536;
    k->is_date = QN_ARENA_NEW_N(&k->a, bool, n);
    QN_XML_EACH(xf, list, "xf") {
        int64_t id;
        if (k->n_formats == n) break;
        k->is_date[k->n_formats++] = qn_str_to_i64(qn_xml_attr(xf, "numFmtId"), &id) && number_format_is_date(root, id);
    }
    qn_xml_free(doc);
}

/* ---- opening ---- */
static qn_code book_open(book *k, qn_str bytes, qn_err *e)
{
    qn_xml_doc *doc;
    const qn_xml *root;
    QN_TRY(qn_zip_read(bytes, want, &k->a, &k->z, e));
    QN_TRY(qn_office_part(&k->z, "xl/workbook.xml", &doc, &root, e));
    qn_str from = qn_xml_attr(qn_xml_first(root, "workbookPr"), "date1904");
    k->from_1904 = qn_str_is(from, "1") || qn_str_is(from, "true");
    k->sheets = QN_ARENA_NEW_N(&k->a, sheet, MOST_SHEETS);
    QN_XML_EACH(s, qn_xml_first(root, "sheets"), "sheet") {
        if (k->n_sheets == MOST_SHEETS) break;
        sheet *sh = &k->sheets[k->n_sheets++];
        sh->name = qn_arena_str(&k->a, qn_xml_attr(s, "name"));
        sh->part = qn_office_relation(&k->z, QN_STR("xl/workbook.xml"), qn_xml_attr(s, "id"), &k->a);
        if (sh->part.n == 0) sh->part = qn_arena_printf(&k->a, "xl/worksheets/sheet%zu.xml", k->n_sheets);
        sh->hidden = qn_xml_attr(s, "state").n && !qn_str_is(qn_xml_attr(s, "state"), "visible");
    }
    qn_xml_free(doc);
    read_strings(k);
    read_formats(k);
    return k->n_sheets ? QN_OK : qn_fail(e, QN_EDATA, "the workbook has no sheets");
}

static qn_code book_read(book *k, const char *path, qn_err *e)
{
    qn_buf b = {0};
    *k = (book){0};
    qn_code rc = qn_input_slurp(path, (size_t)256 << 20, &b, e);
    if (rc == QN_OK) rc = book_open(k, qn_buf_view(&b), e);
    qn_buf_free(&b);
    if (rc == QN_OK) return QN_OK;
    qn_arena_free(&k->a);
    if (e && !e->pos.file) e->pos.file = path;
    return rc;
}

/* ---- cells ---- */
/* Serial days to ISO 8601. Day 60 of the 1900 system is 29 February 1900, which never was (kept since Lotus 1-2-3). */
static qn_str date_text(const book *k, double v, qn_arena *a)
{
    double days = (double)(int64_t)v, seconds = (v - days) * 86400 + 0.5;
    int64_t z = (int64_t)days - (k->from_1904 ? 24107 : days < 60 ? 25568 : 25569);
    if (v < 0 || v > 2958465.99999) return qn_arena_printf(a, "%.15g", v);
    z += 719468;                                            /* days from 1970-01-01 to civil date (Hinnant) */
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned doe = (unsigned)(z - era * 146097), yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153, d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
    int64_t y = (int64_t)yoe + era * 400 + (m <= 2);
    unsigned s = (unsigned)seconds;
    if (s >= 86400) s = 86399;
    if (v < 1) return qn_arena_printf(a, "%02u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
    if (s == 0) return qn_arena_printf(a, "%04d-%02u-%02u", (int)y, m, d);
    return qn_arena_printf(a, "%04d-%02u-%02uT%02u:%02u:%02u", (int)y, m, d, s / 3600, s / 60 % 60, s % 60);
}

static qn_str cell_text(const book *k, const qn_xml *c, qn_arena *a)
{
    qn_str type = qn_xml_attr(c, "t");
    qn_buf text = {0};
    int64_t i;
    double v;
    qn_str out = QN_STR("");
    if (qn_str_is(type, "inlineStr")) si_text(qn_xml_first(c, "is"), &text);
    else qn_xml_text(qn_xml_first(c, "v"), &text);
    qn_str s = qn_buf_view(&text);
    if (s.n == 0) out = (qn_str){ NULL, 0 };
    else if (qn_str_is(type, "s")) out = qn_str_to_i64(s, &i) && i >= 0 && (size_t)i < k->n_strings ? k->strings[i] : (qn_str){ NULL, 0 };
    else if (qn_str_is(type, "b")) out = qn_str_is(s, "1") ? QN_STR("true") : QN_STR("false");
    else if (type.n && !qn_str_is(type, "n")) out = qn_arena_str(a, s);
    else if (!qn_str_to_f64(s, &v)) out = qn_arena_str(a, s);
    else if (qn_str_to_i64(qn_xml_attr(c, "s"), &i) && i >= 0 && (size_t)i < k->n_formats && k->is_date[i]) out = date_text(k, v, a);
    else out = s.n > 15 ? qn_arena_printf(a, "%.15g", v) : qn_arena_str(a, s);
    qn_buf_free(&text);
    return out;
}

/* "BC12" -> 54; -1 when it is no reference. */
static int column_of(qn_str ref)
{
    int n = 0;
    size_t i = 0;
    for (; i < ref.n && ref.p[i] >= 'A' && ref.p[i] <= 'Z'; i++) {
        n = n * 26 + (ref.p[i] - 'A' + 1);
        if (n > MOST_COLUMNS) return -1;
    }
    return i ? n - 1 : -1;
}

static void line_read(const book *k, const qn_xml *row, qn_arena *a, line *l)
{
    int at = 0, width = 0;
    QN_XML_EACH(c, row, "c") {
        int col = column_of(qn_xml_attr(c, "r"));
        if (col < 0) col = at;
        at = col + 1;
        if (at > width) width = at;
        if (width > MOST_COLUMNS) return;
    }
    *l = (line){ QN_ARENA_NEW_N(a, qn_str, width), 0 };
    at = 0;
    QN_XML_EACH(c, row, "c") {
        int col = column_of(qn_xml_attr(c, "r"));
        if (col < 0) col = at;
        at = col + 1;
        l->cells[col] = cell_text(k, c, a);
        if (l->cells[col].p && (size_t)at > l->n) l->n = (size_t)at;
    }
}

/* All rows of a sheet that are not empty, columns empty in all of them taken off at the left. Owned: *lines. */
static qn_code sheet_read(const book *k, const sheet *s, qn_arena *a, line **lines, size_t *n, qn_err *e)
{
    qn_xml_doc *doc;
    const qn_xml *root;
    size_t cap = 0, first = MOST_COLUMNS, n_cells = 0;
    *lines = NULL;
    *n = 0;
    QN_TRY(qn_office_part(&k->z, s->part.p, &doc, &root, e));
    QN_XML_EACH(row, qn_xml_first(root, "sheetData"), "row") {
        line l = { NULL, 0 };
        line_read(k, row, a, &l);
        if (l.n == 0) continue;
        if ((n_cells += l.n) > MOST_CELLS) break;
        size_t i = 0;
        while (i < l.n && !l.cells[i].p) i++;
        if (i < first) first = i;
        QN_GROW(*lines, *n, cap);
        (*lines)[(*n)++] = l;
    }
    qn_xml_free(doc);
    for (size_t i = 0; i < *n; i++) { (*lines)[i].cells += first; (*lines)[i].n -= first; }
    return n_cells > MOST_CELLS ? qn_fail(e, QN_ELIMIT, "the sheet %.*s has more than %zu million cells", QN_FMT(s->name), MOST_CELLS / 1000000) : QN_OK;
}

/* The first row with two or more cells, or the first: a title above a table stands alone in its row. *title: what stands above. */
static size_t header_of(const line *lines, size_t n, qn_str *title)
{
    *title = QN_STR("");
    for (size_t i = 0; i < n && i < 10; i++) {
        size_t filled = 0;
        for (size_t c = 0; c < lines[i].n; c++) filled += lines[i].cells[c].p != NULL;
        if (filled < 2) continue;
        if (i > 0) *title = lines[0].cells[0].p ? lines[0].cells[0] : QN_STR("");
        return i;
    }
    return 0;
}

static size_t width_of(const line *lines, size_t from, size_t n)
{
    size_t w = 0;
    for (size_t i = from; i < n; i++) if (lines[i].n > w) w = lines[i].n;
    return w;
}

/* ---- tables ---- */
static qn_code sheet_table(const book *k, const sheet *s, const char *path, qn_cell_sink *sink, qn_err *e)
{
    qn_arena a = {0};
    line *lines;
    size_t n;
    qn_str title;
    qn_code rc = sheet_read(k, s, &a, &lines, &n, e);
    if (rc == QN_OK && n) {
        size_t h = header_of(lines, n, &title), width = width_of(lines, h, n);
        qn_str *cells = QN_ARENA_NEW_N(&a, qn_str, width);
        qn_str name = k->n_sheets == 1 ? qn_table_name_of(path) : qn_arena_printf(&a, "%.*s_%.*s", QN_FMT(qn_table_name_of(path)), QN_FMT(s->name));
        for (size_t i = 0; i < width; i++) cells[i] = i < lines[h].n && lines[h].cells[i].p ? lines[h].cells[i] : QN_STR("");
        rc = sink->begin(sink->arg, name, title.n ? title : s->name, cells, width, e);
        for (size_t r = h + 1; r < n && rc == QN_OK; r++) {
            for (size_t i = 0; i < width; i++) cells[i] = i < lines[r].n ? lines[r].cells[i] : (qn_str){ NULL, 0 };
            rc = sink->row(sink->arg, cells, width, e);
        }
        if (rc == QN_OK) rc = sink->end(sink->arg, e);
    }
    qn_free(lines);
    qn_arena_free(&a);
    return rc;
}

static qn_code tables(const char *path, const qn_read_opts *o, qn_cell_sink *sink, qn_err *e)
{
    book k;
    QN_TRY(book_read(&k, path, e));
    qn_code rc = QN_OK;
    for (size_t i = 0; i < k.n_sheets && rc == QN_OK; i++) {
        if (o && o->table ? !qn_str_is(k.sheets[i].name, o->table) : k.sheets[i].hidden) continue;
        rc = sheet_table(&k, &k.sheets[i], path, sink, e);
    }
    qn_arena_free(&k.a);
    return rc;
}

/* ---- rows ---- */
typedef struct { qn_reader base; book k; const char *path; line *lines; size_t n, at; qn_arena a; qn_columns columns; qn_str *cells; } rows_of;

static qn_code rows_next(qn_reader *reader, qn_row **out, qn_err *e)
{
    rows_of *r = (rows_of *)reader;
    *out = NULL;
    if (r->at >= r->n) return QN_OK;
    const line *l = &r->lines[r->at++];
    for (size_t i = 0; i < r->columns.n; i++) r->cells[i] = i < l->n ? l->cells[i] : (qn_str){ NULL, 0 };
    return qn_columns_row(&r->columns, r->cells, r->columns.n, out, e);
}

static void rows_close(qn_reader *reader)
{
    rows_of *r = (rows_of *)reader;
    qn_free(r->lines);
    qn_columns_free(&r->columns);
    qn_arena_free(&r->a);
    qn_arena_free(&r->k.a);
    qn_free(r);
}

static const qn_reader_vt VT = { rows_next, rows_close };

static qn_code choose(const book *k, const char *wanted, const sheet **out, qn_err *e)
{
    for (size_t i = 0; i < k->n_sheets; i++) {
        *out = &k->sheets[i];
        if (wanted ? qn_str_is(k->sheets[i].name, wanted) : !k->sheets[i].hidden) return QN_OK;
    }
    qn_buf names = {0};
    for (size_t i = 0; i < k->n_sheets; i++) qn_buf_printf(&names, "%s%.*s", i ? ", " : "", QN_FMT(k->sheets[i].name));
    qn_fail(e, QN_EDATA, "the workbook has no sheet `%s`", wanted ? wanted : "that is visible");
    qn_hint(e, "table: one of %s", names.p);
    qn_buf_free(&names);
    return QN_EDATA;
}

static qn_code rows(const char *path, const qn_read_opts *o, qn_reader **out, qn_err *e)
{
    rows_of *r = QN_NEW(rows_of);
    const sheet *s;
    qn_str title;
    r->base.vt = &VT;
    r->path = path;
    qn_code rc = book_read(&r->k, path, e);
    if (rc != QN_OK) { qn_free(r); return rc; }
    rc = choose(&r->k, o ? o->table : NULL, &s, e);
    if (rc == QN_OK) rc = sheet_read(&r->k, s, &r->a, &r->lines, &r->n, e);
    if (rc != QN_OK) { rows_close(&r->base); return rc; }
    size_t h = header_of(r->lines, r->n, &title), width = width_of(r->lines, h, r->n);
    r->cells = QN_ARENA_NEW_N(&r->a, qn_str, width);
    if (r->n) for (size_t i = 0; i < r->lines[h].n; i++) r->cells[i] = r->lines[h].cells[i];
    qn_columns_set(&r->columns, r->cells, width);
    r->at = h + 1;
    *out = &r->base;
    return QN_OK;
}

/* ---- as a document: each sheet under its name ---- */
static qn_code doc(qn_str bytes, const char *path, const qn_read_opts *o, qn_arena *arena, qn_doc *out, qn_err *e)
{
    book k = {0};
    qn_doc_b b;
    (void)path, (void)o;
    qn_doc_init(&b, arena);
    qn_code rc = book_open(&k, bytes, e);
    for (size_t i = 0; i < k.n_sheets && rc == QN_OK; i++) {
        qn_arena a = {0};
        line *lines;
        size_t n;
        if (k.sheets[i].hidden) continue;
        rc = sheet_read(&k, &k.sheets[i], &a, &lines, &n, e);
        if (rc == QN_OK && n) {
            qn_doc_row *table = qn_arena_alloc(&a, n * sizeof *table);
            for (size_t r = 0; r < n; r++) {
                table[r] = (qn_doc_row){ lines[r].cells, lines[r].n };
                for (size_t c = 0; c < lines[r].n; c++) if (!lines[r].cells[c].p) lines[r].cells[c] = QN_STR("");
            }
            qn_doc_block(&b, QN_BLOCK_HEADING, 1, k.sheets[i].name);
            qn_doc_table(&b, table, n);
        }
        qn_free(lines);
        qn_arena_free(&a);
    }
    if (rc == QN_OK) { qn_office_properties(&k.z, &b); qn_doc_finish(&b, out); }
    else qn_doc_drop(&b);
    qn_arena_free(&k.a);
    return rc;
}

static bool sniff(qn_str head) { return qn_str_starts(head, QN_STR("PK\x03\x04")) && qn_str_find(head, QN_STR("xl/")) > 0; }

const qn_format qn_format_xlsx = {
    .name = "xlsx", .exts = "xlsx xlsm", .brief = "workbooks: each sheet is a table", .rows = rows, .doc = doc, .tables = tables, .sniff = sniff,
};
