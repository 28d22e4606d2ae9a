/* compare_read: any rows format, one expression, one text a row. */
#include "report/compare_read.h"
#include "io/format.h"
#include "recipe/expr.h"

enum { MAX_NAMES = 64, PEEK_ROWS = 20 };

typedef struct {
    const char *path, *field;
    qn_expr *x;
    qn_arena arena, scratch;        /* arena: the expression and names; scratch: one row */
    const char *names[MAX_NAMES];   /* fields of the first rows */
    size_t n_names;
    qn_err first_bad;               /* first row that could not be read or evaluated */
} reading;

static void note_names(reading *r, const qn_row *row)
{
    qn_str name;
    qn_value v;
    qn_v_iter it = qn_v_iter_of(qn_row_value(row, &r->scratch));
    while (qn_v_next(&it, &name, &v)) {
        bool known = false;
        for (size_t i = 0; i < r->n_names; i++) known |= qn_str_is(name, r->names[i]);
        if (!known && r->n_names < MAX_NAMES) r->names[r->n_names++] = qn_arena_str(&r->arena, name).p;
    }
}

static qn_str text_of(reading *r, const qn_row *row)
{
    qn_value v;
    qn_err bad = {0};
    if (qn_expr_one(r->x, row, &r->scratch, &v, &bad) != QN_OK) {
        if (!r->first_bad.code) r->first_bad = bad, r->first_bad.pos = (qn_pos){0};
        return (qn_str){0};
    }
    if (v.kind == QN_V_NULL) return (qn_str){0};
    if (v.kind == QN_V_TEXT) return qn_str_trim(qn_v_str(v));
    qn_buf b = {0};
    qn_json_write(&b, v);
    qn_str s = qn_arena_str(&r->scratch, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

static qn_code no_texts(const reading *r, const qn_compare_side *side, qn_err *e)
{
    qn_str name;
    if (!side->rows && side->unreadable) {
        qn_fail(e, QN_EDATA, "%s has no row that can be read: %s", r->path, r->first_bad.msg);
        return QN_EDATA;
    }
    if (!side->rows) return qn_fail(e, QN_EUSAGE, "%s holds no rows", r->path);
    if (r->first_bad.code) return qn_fail(e, QN_EUSAGE, "%s: no row gives a text for `%s`: %s", r->path, r->field, r->first_bad.msg);
    bool plain = qn_expr_is_field(r->x, &name), there = false;
    for (size_t i = 0; i < r->n_names; i++) there |= plain && qn_str_is(name, r->names[i]);
    if (!plain || there) return qn_fail(e, QN_EUSAGE, "%s: `%s` is empty in all %llu rows", r->path, r->field, (unsigned long long)side->rows);
    qn_fail(e, QN_EUSAGE, "%s: no row has a field `%.*s`", r->path, QN_FMT(name));
    const char *near = qn_nearest(name, r->names, r->n_names);
    qn_buf all = {0};
    for (size_t i = 0; i < r->n_names && all.n < 160; i++) qn_buf_printf(&all, "%s.%s", i ? ", " : "", r->names[i]);
    if (near) qn_hint(e, "did you mean `.%s`?", near);
    else qn_hint(e, "it has %s", all.n ? all.p : "no fields");
    qn_buf_free(&all);
    return QN_EUSAGE;
}

static qn_code each_row(reading *r, qn_reader *in, int64_t limit, qn_compare_side *side, qn_compare_each fn, void *arg, qn_err *e)
{
    for (bool stop = false; !stop;) {
        qn_row *row = NULL;
        qn_err bad = {0};
        if (limit >= 0 && side->rows >= (uint64_t)limit) { side->limited = true; return QN_OK; }
        qn_code rc = in->vt->next(in, &row, &bad);
        if (rc == QN_EDATA) {
            if (!r->first_bad.code) r->first_bad = bad;
            side->unreadable++;
            continue;
        }
        if (rc != QN_OK) { *e = bad; return rc; }
        if (!row) return QN_OK;
        if (side->rows++ < PEEK_ROWS) note_names(r, row);
        qn_str text = text_of(r, row);
        if (text.n) side->texts++;
        else side->empty++;
        if (text.n) rc = fn(arg, side->rows + side->unreadable, row, text, &stop, e);
        qn_row_drop(row);
        qn_arena_reset(&r->scratch);
        QN_TRY(rc);
    }
    return QN_OK;
}

qn_code qn_compare_read(const char *path, const char *field, int64_t limit, qn_compare_side *side, qn_compare_each fn, void *arg, qn_err *e)
{
    reading r = { .path = path, .field = field };
    qn_reader *in = NULL;
    const qn_format *f = NULL;
    qn_read_opts ro = {0};
    qn_code rc = qn_expr_compile(qn_str_of(field), (qn_pos){0}, &r.arena, &r.x, e);
    if (rc != QN_OK) {
        e->code = rc = QN_EUSAGE;
        e->pos = (qn_pos){0};
        qn_trail(e, "--field %s", field);
    }
    if (rc == QN_OK) rc = qn_format_of(path, &f, e);
    if (rc == QN_OK && !f->rows) {
        rc = qn_fail(e, QN_EUSAGE, "%s holds a document (%s), not rows", path, f->name);
        qn_hint(e, "`quern apply read_docs path=%s -o docs.jsonl` makes rows of documents", path);
    }
    if (rc == QN_OK) rc = f->rows(path, &ro, &in, e);
    if (rc == QN_OK) rc = each_row(&r, in, limit, side, fn, arg, e);
    if (in) in->vt->close(in);
    if (rc == QN_OK && !side->texts) rc = no_texts(&r, side, e);
    qn_arena_free(&r.arena);
    qn_arena_free(&r.scratch);
    return rc;
}

qn_str qn_compare_id(const qn_row *row, qn_arena *a)
{
    qn_value v;
    if (!qn_row_find(row, QN_STR("id"), &v) && !qn_row_find(row, QN_STR("_id"), &v)) return (qn_str){ "", 0 };
    if (v.kind == QN_V_TEXT) return qn_arena_str(a, qn_str_sub(qn_v_str(v), 0, qn_utf8_cut(qn_v_str(v), v.n < 80 ? v.n : 80)));
    if (v.kind == QN_V_INT) return qn_arena_printf(a, "%lld", (long long)v.i);
    return (qn_str){ "", 0 };
}
