/* pick: values of a known kind, texts and rows of files. */
#include "recipe/pick.h"
#include "io/format.h"
#include <stdio.h>

qn_code qn_pick_text(const qn_expr *x, const qn_row *row, qn_arena *scratch, qn_str *out, qn_err *e)
{
    qn_value v;
    QN_TRY(qn_expr_one(x, row, scratch, &v, e));
    if (v.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "a text is needed, the row gives a %s", qn_v_kind_name(v));
    *out = qn_v_str(v);
    return QN_OK;
}

qn_code qn_pick_number(const qn_expr *x, const qn_row *row, qn_arena *scratch, double *out, qn_err *e)
{
    qn_value v;
    QN_TRY(qn_expr_one(x, row, scratch, &v, e));
    if (!qn_v_is_number(v)) return qn_fail(e, QN_EDATA, "a number is needed, the row gives a %s", qn_v_kind_name(v));
    *out = qn_v_number(v);
    return QN_OK;
}

qn_code qn_pick_key(const qn_expr *x, const qn_row *row, qn_arena *scratch, qn_str *out, qn_err *e)
{
    qn_value v;
    qn_buf b = { 0 };
    QN_TRY(qn_expr_one(x, row, scratch, &v, e));
    if (v.kind == QN_V_TEXT) { *out = qn_v_str(v); return QN_OK; }
    qn_json_write_canonical(&b, v);
    *out = qn_arena_str(scratch, qn_buf_view(&b));
    qn_buf_free(&b);
    return QN_OK;
}

qn_code qn_pick_compile(qn_str field, qn_expr *other, qn_pos pos, qn_arena *a, qn_expr **out, qn_err *e)
{
    *out = other;
    if (field.n == 0 && other) return QN_OK;
    if (field.n == 0) return qn_fail_at(e, QN_ERECIPE, pos, "which field of the file? give `field`");
    return qn_expr_compile(field.p[0] == '.' ? field : qn_arena_printf(a, ".%.*s", QN_FMT(field)), pos, a, out, e);
}

typedef struct { qn_pick_row each; void *arg; } walk;

static qn_code walk_file(void *arg, const char *file, qn_err *e)
{
    walk *w = arg;
    const qn_format *f;
    qn_reader *r;
    qn_row *row = NULL;
    qn_code rc;
    qn_str base = qn_path_base(qn_str_of(file));
    QN_TRY(qn_format_of(file, &f, e));
    if (!f->rows) return qn_fail(e, QN_EDATA, "%s holds no rows (%s)", file, f->name);
    QN_TRY(f->rows(file, &(qn_read_opts){ .header = -1 }, &r, e));
    for (uint64_t n = 1; (rc = r->vt->next(r, &row, e)) == QN_OK && row; n++) {
        char where[300];
        snprintf(where, sizeof where, "%.*s:%llu", (int)(base.n < 256 ? base.n : 256), base.p, (unsigned long long)n);
        rc = w->each(w->arg, row, where, e);
        if (rc != QN_OK) qn_trail(e, "%s", where);
        qn_row_drop(row);
        if (rc != QN_OK) break;
    }
    r->vt->close(r);
    return rc;
}

qn_code qn_pick_rows(const char *path, qn_pick_row each, void *arg, qn_err *e)
{
    walk w = { each, arg };
    return qn_files_each(path, walk_file, &w, e);
}

typedef struct { const qn_expr *x; qn_pick_each each; void *arg; const char *where; qn_arena scratch; } texts;

static qn_code one_text(void *arg, qn_value v, qn_err *e)
{
    texts *t = arg;
    if (v.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "a text is needed, the row gives a %s", qn_v_kind_name(v));
    return t->each(t->arg, qn_v_str(v), t->where, e);
}

static qn_code texts_of_row(void *arg, qn_row *row, const char *where, qn_err *e)
{
    texts *t = arg;
    t->where = where;
    qn_code rc = qn_expr_run(t->x, row, &t->scratch, one_text, t, e);
    qn_arena_reset(&t->scratch);
    return rc;
}

qn_code qn_pick_file(const char *path, const qn_expr *x, qn_pick_each each, void *arg, qn_err *e)
{
    texts t = { .x = x, .each = each, .arg = arg };
    qn_code rc = qn_pick_rows(path, texts_of_row, &t, e);
    qn_arena_free(&t.scratch);
    return rc;
}
