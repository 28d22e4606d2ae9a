/* cells: reading a taxonomy, finding a row's cell, parting a number by shares. */
#include "recipe/cells.h"
#include <math.h>

static qn_code read_field(qn_value v, qn_str name, qn_pos pos, qn_arena *a, qn_cell_field *f, qn_err *e)
{
    qn_v_iter it = qn_v_iter_of(v);
    qn_str key;
    qn_value item;
    double sum = 0;
    bool shares = v.kind == QN_V_OBJECT;
    *f = (qn_cell_field){ .name = name };
    if ((v.kind != QN_V_LIST && !shares) || v.n == 0) {
        qn_fail_at(e, QN_ERECIPE, pos, "the values of `%.*s` must be a list, or a map of shares", QN_FMT(name));
        qn_hint(e, "as in {%.*s: [a, b]} or {%.*s: {a: 0.7, b: 0.3}}", QN_FMT(name), QN_FMT(name));
        return QN_ERECIPE;
    }
    f->values = QN_ARENA_NEW_N(a, qn_str, v.n);
    f->shares = QN_ARENA_NEW_N(a, double, v.n);
    while (qn_v_next(&it, &key, &item)) {
        if (shares && (!qn_v_is_number(item) || qn_v_number(item) < 0))
            return qn_fail_at(e, QN_ERECIPE, pos, "the share of `%.*s` is no number from 0 to 1", QN_FMT(key));
        if (!shares && item.kind != QN_V_TEXT) return qn_fail_at(e, QN_ERECIPE, pos, "a value of `%.*s` is a %s, not a text", QN_FMT(name), qn_v_kind_name(item));
        qn_str value = shares ? key : qn_v_str(item);
        for (size_t i = 0; i < f->n; i++)
            if (qn_str_eq(f->values[i], value)) return qn_fail_at(e, QN_ERECIPE, pos, "`%.*s` has the value `%.*s` twice", QN_FMT(name), QN_FMT(value));
        f->values[f->n] = qn_arena_str(a, value);
        f->shares[f->n] = shares ? qn_v_number(item) : 1.0 / v.n;
        sum += f->shares[f->n++];
    }
    if (fabs(sum - 1) > 1e-6) return qn_fail_at(e, QN_ERECIPE, pos, "the shares of `%.*s` add up to %g, not to 1", QN_FMT(name), sum);
    return QN_OK;
}

qn_code qn_cells_read(qn_value spec, qn_pos pos, qn_arena *a, qn_cells *out, qn_err *e)
{
    qn_v_iter it = qn_v_iter_of(spec);
    qn_str name;
    qn_value v;
    *out = (qn_cells){ .n = 1 };
    if (spec.kind != QN_V_OBJECT || spec.n == 0 || spec.n > QN_CELL_FIELDS) {
        qn_fail_at(e, QN_ERECIPE, pos, "a map of one to four fields with their values is needed");
        qn_hint(e, "as in {domain: {physics: 0.6, history: 0.4}, use_case: [explain, compare]}");
        return QN_ERECIPE;
    }
    while (qn_v_next(&it, &name, &v)) {
        qn_cell_field *f = &out->fields[out->n_fields++];
        QN_TRY(read_field(v, qn_arena_str(a, name), pos, a, f, e));
        out->n *= f->n;
        if (out->n > QN_MOST_CELLS) return qn_fail_at(e, QN_ERECIPE, pos, "these fields make more than %d cells", QN_MOST_CELLS);
    }
    out->shares = QN_ARENA_NEW_N(a, double, out->n);
    for (size_t c = 0; c < out->n; c++) {
        size_t rest = c;
        out->shares[c] = 1;
        for (size_t i = out->n_fields; i-- > 0; rest /= out->fields[i].n) out->shares[c] *= out->fields[i].shares[rest % out->fields[i].n];
    }
    return QN_OK;
}

const qn_type *qn_cells_type(const qn_cells *c, qn_arena *a)
{
    qn_type *t = QN_ARENA_NEW(a, qn_type);
    *t = (qn_type){ .kind = QN_T_RECORD };
    const qn_type *out = t;
    for (size_t i = 0; i < c->n_fields; i++) out = qn_type_with(out, c->fields[i].name, qn_type_simple(QN_T_TEXT), a);
    return out;
}

bool qn_cells_of(const qn_cells *c, const qn_row *r, size_t *cell, qn_str *field, qn_str *value)
{
    size_t at = 0;
    for (size_t i = 0; i < c->n_fields; i++) {
        const qn_cell_field *f = &c->fields[i];
        qn_value v;
        size_t k = 0;
        *field = f->name;
        *value = (qn_str){ "", 0 };
        if (!qn_row_find(r, f->name, &v) || v.kind != QN_V_TEXT) return false;
        *value = qn_v_str(v);
        while (k < f->n && !qn_str_eq(f->values[k], *value)) k++;
        if (k == f->n) return false;
        at = at * f->n + k;
    }
    *cell = at;
    return true;
}

static void places(const qn_cells *c, size_t cell, size_t *at)
{
    for (size_t i = c->n_fields; i-- > 0; cell /= c->fields[i].n) at[i] = cell % c->fields[i].n;
}

qn_value qn_cells_value(const qn_cells *c, size_t cell, qn_arena *a)
{
    size_t at[QN_CELL_FIELDS];
    qn_object_b o = { .a = a };
    places(c, cell, at);
    for (size_t i = 0; i < c->n_fields; i++) qn_object_put(&o, c->fields[i].name, qn_v_text(c->fields[i].values[at[i]]));
    return qn_object_end(&o);
}

void qn_cells_name(const qn_cells *c, size_t cell, qn_buf *out)
{
    size_t at[QN_CELL_FIELDS];
    places(c, cell, at);
    for (size_t i = 0; i < c->n_fields; i++) qn_buf_printf(out, "%s%.*s", i ? " / " : "", QN_FMT(c->fields[i].values[at[i]]));
}

void qn_quotas(const double *share, size_t n, size_t total, size_t *quota)
{
    size_t given = 0;
    for (size_t i = 0; i < n; i++) given += quota[i] = (size_t)floor((double)total * share[i] + 1e-9);
    for (; given < total; given++) {
        size_t best = 0;
        double most = -1;
        for (size_t i = 0; i < n; i++) {
            double rest = (double)total * share[i] - (double)quota[i];
            if (rest > most + 1e-12) most = rest, best = i;
        }
        quota[best]++;
    }
}
