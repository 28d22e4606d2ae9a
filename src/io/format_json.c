/* format_json: a JSON file with many records. It is read whole: at most 64 MB unless max_record_bytes says more; JSONL streams.
 *
 * Records are, in this order:
 *   [..]                              its items; a scalar x becomes {"value": x}
 *   {.., "rows": [{..}, ..], ..}      the items of the member `table` names, or of the first of data, rows, records, items, results, examples,
 *                                     instances, entries that is a list of objects
 *   {"a": {..}, "b": {..}}            two or more members, all objects: each of them, with its name in `key` unless it has such a field
 *   {..}                              the object itself: a folder of such files is a set of rows */
#include "io/columns.h"
#include "io/encoding.h"
#include "io/format.h"
#include "io/input.h"
#include "io/json_table.h"

static const char *const MEMBERS[] = { "data", "rows", "records", "items", "results", "examples", "instances", "entries", NULL };

/* UTF-8 stays as it is, bad bytes and all: the parser says where they are. */
static qn_code to_utf8(qn_str bytes, const char *given, qn_arena *a, qn_str *out, qn_err *e)
{
    qn_encoding enc;
    QN_TRY(qn_encoding_of(bytes, false, &enc, e));
    *out = qn_str_sub(bytes, enc.skip, bytes.n);
    return given || strcmp(enc.name, "UTF-8") != 0 ? qn_text_decode(bytes, given, a, out, NULL, e) : QN_OK;
}

static qn_code load(const char *path, const qn_read_opts *o, yyjson_read_flag flags, yyjson_doc **out, qn_err *e)
{
    size_t limit = o && o->max_record_bytes ? o->max_record_bytes : (size_t)64 << 20;
    qn_buf b = {0};
    qn_arena a = {0};
    qn_str text;
    qn_code rc = qn_input_slurp(path, limit, &b, e);
    if (rc == QN_ELIMIT) qn_hint(e, "a JSON file is read whole: turn it into JSONL (jq -c '.[]'), which streams, or raise max_record_bytes");
    if (rc == QN_OK) rc = to_utf8(qn_buf_view(&b), o ? o->encoding : NULL, &a, &text, e);
    if (rc == QN_OK) {
        yyjson_read_err bad;
        *out = yyjson_read_opts((char *)(uintptr_t)text.p, text.n, flags, NULL, &bad);
        if (!*out) {
            size_t line = 0, col = 0, chars = 0;
            yyjson_locate_pos(text.p, text.n, bad.pos, &line, &col, &chars);
            rc = qn_fail_at(e, QN_EDATA, (qn_pos){ .file = path, .line = (int)line, .col = (int)col }, "not valid JSON: %s", bad.msg);
        }
    }
    qn_buf_free(&b);
    qn_arena_free(&a);
    return rc;
}

static bool all_objects(yyjson_val *v)
{
    size_t i, n;
    yyjson_val *key, *item;
    if (yyjson_is_arr(v)) yyjson_arr_foreach(v, i, n, item) { if (!yyjson_is_obj(item)) return false; }
    else yyjson_obj_foreach(v, i, n, key, item) if (!yyjson_is_obj(item)) return false;
    return true;
}

/* The member that holds the records; NULL: the object is one. */
static qn_code records_of(yyjson_val *object, const char *table, yyjson_val **out, qn_err *e)
{
    *out = NULL;
    if (table && *table) {
        *out = yyjson_obj_get(object, table);
        return *out ? QN_OK : qn_fail(e, QN_EDATA, "the file has no member `%s`", table);
    }
    for (const char *const *m = MEMBERS; *m && !*out; m++) {
        yyjson_val *v = yyjson_obj_get(object, *m);
        if (yyjson_is_arr(v) && yyjson_arr_size(v) && all_objects(v)) *out = v;
    }
    if (!*out && yyjson_obj_size(object) > 1 && all_objects(object)) *out = object;
    return QN_OK;
}

/* ---- rows ---- */
typedef struct { qn_reader base; yyjson_doc *doc; yyjson_val *of; yyjson_arr_iter list; yyjson_obj_iter members; bool done; qn_buf buf; } rows_of;

static qn_code parse_value(yyjson_val *v, qn_row **out, qn_err *e)
{
    size_t n;
    yyjson_write_err bad;
    char *json = yyjson_val_write_opts(v, 0, NULL, &n, &bad);
    if (!json) return qn_fail(e, QN_EDATA, "cannot write the record as JSON: %s", bad.msg);
    qn_code rc = qn_row_parse((qn_str){ json, n }, (qn_hash128){0}, out, e);
    free(json);
    return rc;
}

static qn_code put_whole(rows_of *r, yyjson_val *v, const char *before, qn_str key, const char *after, qn_row **out, qn_err *e)
{
    size_t n;
    char *json = yyjson_val_write(v, 0, &n);
    if (!json) return qn_fail(e, QN_EDATA, "cannot write the record as JSON");
    qn_buf_clear(&r->buf);
    qn_buf_puts(&r->buf, before);
    if (key.p) {
        qn_json_write_text(&r->buf, key);
        if (n > 2) qn_buf_putc(&r->buf, ',');
        qn_buf_put(&r->buf, json + 1, n - 1);
    } else {
        qn_buf_put(&r->buf, json, n);
    }
    qn_buf_puts(&r->buf, after);
    free(json);
    return qn_row_parse(qn_buf_view(&r->buf), (qn_hash128){0}, out, e);
}

static qn_code rows_next(qn_reader *reader, qn_row **out, qn_err *e)
{
    rows_of *r = (rows_of *)reader;
    *out = NULL;
    if (r->done) return QN_OK;
    if (yyjson_is_arr(r->of)) {
        yyjson_val *v = yyjson_arr_iter_next(&r->list);
        if (!v) return QN_OK;
        if (yyjson_is_obj(v)) return parse_value(v, out, e);
        return put_whole(r, v, "{\"value\":", (qn_str){0}, "}", out, e);
    }
    if (r->of) {
        yyjson_val *key = yyjson_obj_iter_next(&r->members);
        if (!key) return QN_OK;
        yyjson_val *v = yyjson_obj_iter_get_val(key);
        if (yyjson_obj_get(v, "key")) return parse_value(v, out, e);
        return put_whole(r, v, "{\"key\":", (qn_str){ yyjson_get_str(key), yyjson_get_len(key) }, "", out, e);
    }
    r->done = true;
    return parse_value(yyjson_doc_get_root(r->doc), out, e);
}

static void rows_close(qn_reader *reader)
{
    rows_of *r = (rows_of *)reader;
    yyjson_doc_free(r->doc);
    qn_buf_free(&r->buf);
    qn_free(r);
}

static const qn_reader_vt VT = { rows_next, rows_close };

static qn_code rows(const char *path, const qn_read_opts *o, qn_reader **out, qn_err *e)
{
    yyjson_doc *doc;
    yyjson_val *of = NULL;
    qn_code rc = QN_OK;
    QN_TRY(load(path, o, YYJSON_READ_BIGNUM_AS_RAW, &doc, e));
    yyjson_val *root = yyjson_doc_get_root(doc);
    if (yyjson_is_arr(root)) of = root;
    else if (yyjson_is_obj(root)) rc = records_of(root, o ? o->table : NULL, &of, e);
    else rc = qn_fail(e, QN_EDATA, "the file holds a single value, not records");
    if (rc == QN_OK && of && !yyjson_is_ctn(of)) rc = qn_fail(e, QN_EDATA, "the member `%s` holds no records", o->table);
    if (rc != QN_OK) {
        if (e) e->pos.file = path;
        yyjson_doc_free(doc);
        return rc;
    }
    rows_of *r = QN_NEW(rows_of);
    *r = (rows_of){ .base.vt = &VT, .doc = doc, .of = of };
    if (yyjson_is_arr(of)) yyjson_arr_iter_init(of, &r->list);
    else if (of) yyjson_obj_iter_init(of, &r->members);
    *out = &r->base;
    return QN_OK;
}

/* ---- tables ---- */
static bool is_list_of_records(yyjson_val *v)
{
    yyjson_val *first = yyjson_is_arr(v) ? yyjson_arr_get_first(v) : NULL;
    return yyjson_is_obj(first) || yyjson_is_arr(first);
}

static qn_code tables_of(yyjson_val *root, const char *path, const qn_read_opts *o, qn_cell_sink *sink, qn_err *e)
{
    size_t i, n, n_tables = 0;
    yyjson_val *key, *v;
    const char *only = o ? o->table : NULL;
    if (!yyjson_is_obj(root) || qn_json_is_table(root)) return qn_json_table(root, qn_table_name_of(path), sink, e);
    yyjson_obj_foreach(root, i, n, key, v) {
        if (only ? strcmp(only, yyjson_get_str(key)) != 0 : !is_list_of_records(v) && !qn_json_is_table(v)) continue;
        QN_TRY(qn_json_table(v, (qn_str){ yyjson_get_str(key), yyjson_get_len(key) }, sink, e));
        n_tables++;
    }
    return n_tables ? QN_OK : qn_fail(e, QN_EDATA, "no table here: no member is a list of objects or of lists");
}

static qn_code tables(const char *path, const qn_read_opts *o, qn_cell_sink *sink, qn_err *e)
{
    yyjson_doc *doc;
    QN_TRY(load(path, o, QN_JSON_TABLE_READ, &doc, e));
    qn_code rc = tables_of(yyjson_doc_get_root(doc), path, o, sink, e);
    if (rc == QN_EDATA && e && !e->pos.file) e->pos.file = path;
    yyjson_doc_free(doc);
    return rc;
}

static bool sniff(qn_str head)
{
    qn_str s = qn_str_trim(head);
    if (s.n && s.p[0] == '[') {
        s = qn_str_trim(qn_str_sub(s, 1, s.n));
        return s.n && (s.p[0] == '{' || s.p[0] == '[' || s.p[0] == '"' || s.p[0] == ']');
    }
    if (!s.n || s.p[0] != '{') return false;
    const char *nl = memchr(s.p, '\n', s.n);
    qn_str line = nl ? qn_str_trim(qn_str_sub(s, 0, (size_t)(nl - s.p))) : s;
    if (nl && line.n > 1 && line.p[line.n - 1] == '}') return false;   /* more behind a whole object: JSONL */
    s = qn_str_trim(qn_str_sub(s, 1, s.n));
    return s.n && s.p[0] == '"';
}

const qn_format qn_format_json = {
    .name = "json", .exts = "json", .brief = "a list or an object of records, read whole (up to 64 MB)",
    .rows = rows, .tables = tables, .sniff = sniff,
};
