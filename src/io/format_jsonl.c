/* format_jsonl: one JSON object on each line; the engine's main source. A row keeps the bytes of its line.
 *
 * A line that is no JSON object, holds invalid UTF-8 or NUL bytes, or is longer than the limit is one failed row with its line number; reading
 * goes on behind it. Empty lines, a byte order mark and CR before LF are passed over. A last line without LF counts. */
#include "io/columns.h"
#include "io/format.h"
#include "io/input.h"
#include "io/json_table.h"

typedef struct { qn_reader base; qn_window w; const char *path; size_t limit; int line; } lines;

static qn_code lines_open(lines *l, const char *path, const qn_read_opts *o, qn_err *e)
{
    l->path = path;
    l->limit = o && o->max_record_bytes ? o->max_record_bytes : (size_t)64 << 20;
    return qn_input_open(path, QN_INPUT_MARKED, o ? o->encoding : NULL, &l->w.in, e);
}

static qn_pos here(const lines *l) { return (qn_pos){ .file = l->path, .line = l->line }; }

/* A stream that ends in a damaged place is said once, with its line; after it there is nothing. */
static qn_code more(lines *l, qn_err *e)
{
    qn_code rc = qn_window_more(&l->w, e);
    if (rc == QN_OK) return rc;
    l->w.eof = true;
    l->w.start = l->w.end;
    if (e && !e->pos.file) e->pos = (qn_pos){ .file = l->path, .line = l->line + 1 };
    return rc;
}

static qn_code skip_line(lines *l, qn_err *e)
{
    l->line++;
    for (;;) {
        const char *nl = memchr(l->w.p + l->w.start, '\n', l->w.end - l->w.start);
        if (nl) { l->w.start = (size_t)(nl - l->w.p) + 1; break; }
        l->w.start = l->w.end;
        if (l->w.eof) break;
        QN_TRY(more(l, e));
    }
    qn_fail_at(e, QN_EDATA, here(l), "the line is longer than %zu bytes", l->limit);
    qn_hint(e, "if it is meant to be: max_record_bytes");
    return QN_EDATA;
}

/* The next line that is not blank, borrowed until the next call; p NULL at the end. */
static qn_code next_line(lines *l, qn_str *out, qn_err *e)
{
    qn_window *w = &l->w;
    size_t scanned = 0;
    for (;;) {
        const char *from = w->p ? w->p + w->start : "", *nl = w->end > w->start + scanned ? memchr(from + scanned, '\n', w->end - w->start - scanned) : NULL;
        size_t n = nl ? (size_t)(nl - from) : w->end - w->start;
        if (n > l->limit) return skip_line(l, e);
        if (!nl && !w->eof) {
            scanned = n;
            QN_TRY(more(l, e));
            continue;
        }
        if (!nl && n == 0) { *out = (qn_str){ NULL, 0 }; return QN_OK; }
        w->start += n + (nl != NULL);
        l->line++;
        scanned = 0;
        *out = qn_str_trim((qn_str){ from, n });
        if (out->n) return QN_OK;
    }
}

static qn_code bad_line(const lines *l, qn_str line, qn_err *e)
{
    if (!e) return QN_EDATA;
    e->pos = here(l);
    if (memchr(line.p, 0, line.n)) qn_fail_at(e, QN_EDATA, here(l), "the line holds NUL bytes");
    else if (!qn_utf8_valid(line)) {
        qn_fail_at(e, QN_EDATA, here(l), "the line is not valid UTF-8");
        qn_hint(e, "if the file is in another encoding, name it: encoding: latin1");
    }
    return e->code = QN_EDATA;
}

/* ---- rows ---- */
static qn_code rows_next(qn_reader *r, qn_row **out, qn_err *e)
{
    lines *l = (lines *)r;
    qn_str line;
    *out = NULL;
    QN_TRY(next_line(l, &line, e));
    if (!line.p) return QN_OK;
    return qn_row_parse(line, (qn_hash128){0}, out, e) == QN_OK ? QN_OK : bad_line(l, line, e);
}

static void rows_close(qn_reader *r)
{
    qn_window_free(&((lines *)r)->w);
    qn_free(r);
}

static const qn_reader_vt VT = { rows_next, rows_close };

static qn_code rows(const char *path, const qn_read_opts *o, qn_reader **out, qn_err *e)
{
    lines *l = QN_NEW(lines);
    l->base.vt = &VT;
    qn_code rc = lines_open(l, path, o, e);
    if (rc != QN_OK) { qn_free(l); return rc; }
    *out = &l->base;
    return QN_OK;
}

/* ---- tables ---- every line is a table, or the lines together are one; the latter are read twice: first for their keys */
typedef struct { qn_cell_sink *sink; qn_key_list keys; qn_arena scratch; bool began; int pass; const char *path; } pass;

static qn_code pass_line(pass *p, const lines *l, yyjson_val *v, qn_err *e)
{
    if (qn_json_is_table(v)) {
        if (p->pass == 0) return QN_OK;
        qn_str name = qn_arena_printf(&p->scratch, "%.*s_%d", QN_FMT(qn_table_name_of(p->path)), l->line);
        return qn_json_table(v, name, p->sink, e);
    }
    if (!yyjson_is_obj(v)) return qn_fail_at(e, QN_EDATA, here(l), "a line of a table must be a JSON object");
    if (p->pass == 0) { qn_keys_add(&p->keys, v); return QN_OK; }
    if (!p->began) QN_TRY(p->sink->begin(p->sink->arg, qn_table_name_of(p->path), QN_STR(""), p->keys.names, p->keys.n, e));
    p->began = true;
    return qn_keys_row(&p->keys, v, &p->scratch, p->sink, e);
}

static qn_code pass_run(pass *p, const qn_read_opts *o, qn_err *e)
{
    lines l = {0};
    qn_str line;
    qn_code rc = lines_open(&l, p->path, o, e);
    while (rc == QN_OK && (rc = next_line(&l, &line, e)) == QN_OK && line.p) {
        yyjson_read_err bad;
        yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)line.p, line.n, QN_JSON_TABLE_READ, NULL, &bad);
        if (!doc) {
            qn_fail_at(e, QN_EDATA, here(&l), "not valid JSON at byte %zu: %s", bad.pos + 1, bad.msg);
            rc = bad_line(&l, line, e);
            break;
        }
        qn_arena_reset(&p->scratch);
        rc = pass_line(p, &l, yyjson_doc_get_root(doc), e);
        yyjson_doc_free(doc);
    }
    qn_window_free(&l.w);
    return rc;
}

static qn_code tables(const char *path, const qn_read_opts *o, qn_cell_sink *sink, qn_err *e)
{
    pass p = { .sink = sink, .path = path };
    if (strcmp(path, "-") == 0) return qn_fail(e, QN_EUSAGE, "a table from standard input must be CSV: JSONL is read twice");
    qn_code rc = pass_run(&p, o, e);
    p.pass = 1;
    if (rc == QN_OK) rc = pass_run(&p, o, e);
    if (rc == QN_OK && p.began) rc = sink->end(sink->arg, e);
    qn_keys_free(&p.keys);
    qn_arena_free(&p.scratch);
    return rc;
}

static bool sniff(qn_str head)
{
    qn_str s = qn_str_trim(head);
    const char *nl = s.n ? memchr(s.p, '\n', s.n) : NULL;
    if (!nl || s.p[0] != '{') return false;
    qn_str first = qn_str_trim(qn_str_sub(s, 0, (size_t)(nl - s.p)));
    return first.n && first.p[first.n - 1] == '}' && nl + 1 < s.p + s.n && nl[1] == '{';
}

const qn_format qn_format_jsonl = {
    .name = "jsonl", .exts = "jsonl ndjson jsonlines", .brief = "one JSON object on each line",
    .rows = rows, .tables = tables, .sniff = sniff,
};
