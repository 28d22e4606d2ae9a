/* template: text with {{ expression }} holes. A hole ends where its expression ends, so a }} inside a text or an object does not close it. */
#include "recipe/expr_node.h"

typedef struct { qn_str text; qn_expr *hole; } piece;               /* one of the two */
struct qn_template { piece *pieces; size_t n, cap; };

static piece *add(qn_template *t, qn_arena *a)
{
    if (t->n == t->cap) {
        piece *more = QN_ARENA_NEW_N(a, piece, t->cap = t->cap ? t->cap * 2 : 8);
        if (t->n) memcpy(more, t->pieces, t->n * sizeof *more);
        t->pieces = more;
    }
    return &t->pieces[t->n++];
}

qn_code qn_template_compile(qn_str text, qn_pos pos, qn_arena *a, qn_template **out, qn_err *e)
{
    qn_template *t = QN_ARENA_NEW(a, qn_template);
    text = qn_arena_str(a, text);
    if (pos.file) pos.file = qn_arena_str(a, qn_str_of(pos.file)).p;
    for (size_t at = 0; at < text.n;) {
        ptrdiff_t i = qn_str_find(qn_str_sub(text, at, text.n), QN_STR("{{"));
        size_t open = i < 0 ? text.n : at + (size_t)i;
        if (open > at) add(t, a)->text = qn_str_sub(text, at, open);
        if (open == text.n) break;
        qn_expr *x;
        QN_TRY(qn_x_parse(text, open + 2, "}}", pos, a, &x, &at, e));
        add(t, a)->hole = x;
    }
    *out = t;
    return QN_OK;
}

qn_code qn_template_check(const qn_template *t, const qn_type *in, qn_arena *a, qn_err *e)
{
    for (size_t i = 0; i < t->n; i++) {
        const qn_type *type;
        const qn_expr *x = t->pieces[i].hole;
        if (!x) continue;
        QN_TRY(qn_expr_check(x, in, a, &type, NULL, e));
        if (type->kind == QN_T_NULL) {
            qn_code rc = qn_fail_at(e, QN_ERECIPE, qn_x_pos(x, x->root->from), "the hole {{ %.*s }} is always null", QN_FMT(qn_x_written(x, x->root)));
            qn_hint(e, "name another field, or give a default: {{ %.*s // \"none\" }}", QN_FMT(qn_x_written(x, x->root)));
            return rc;
        }
    }
    return QN_OK;
}

typedef struct { qn_buf *out; const qn_expr *x; size_t n; } filling;

static qn_code put(void *arg, qn_value v, qn_err *e)
{
    filling *f = arg;
    const qn_expr *x = f->x;
    if (v.kind == QN_V_NULL) {
        qn_code rc = qn_fail_at(e, QN_EDATA, qn_x_pos(x, x->root->from), "the hole {{ %.*s }} is null or missing", QN_FMT(qn_x_written(x, x->root)));
        qn_hint(e, "give a default: {{ %.*s // \"none\" }}", QN_FMT(qn_x_written(x, x->root)));
        return rc;
    }
    if (f->n++) qn_buf_putc(f->out, '\n');
    if (v.kind == QN_V_TEXT) qn_buf_str(f->out, qn_v_str(v));
    else qn_json_write(f->out, v);
    return f->out->full ? qn_fail(e, QN_ELIMIT, "a filled-in template is larger than %zu bytes", f->out->limit) : QN_OK;
}

qn_code qn_template_fill(const qn_template *t, const qn_row *row, qn_arena *scratch, qn_buf *out, qn_err *e)
{
    for (size_t i = 0; i < t->n; i++) {
        filling f = { .out = out, .x = t->pieces[i].hole };
        if (f.x) QN_TRY(qn_expr_run(f.x, row, scratch, put, &f, e));
        else qn_buf_str(out, t->pieces[i].text);
    }
    return QN_OK;
}
