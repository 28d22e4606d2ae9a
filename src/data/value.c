/* value: reading and comparing values. JSON text is in json.c. */
#include "data/value.h"
#include <stdlib.h>

qn_value qn_v_json(yyjson_val *v)
{
    switch (yyjson_get_type(v)) {
    case YYJSON_TYPE_BOOL: return qn_v_bool(yyjson_get_bool(v));
    case YYJSON_TYPE_STR:  return qn_v_text((qn_str){ yyjson_get_str(v), yyjson_get_len(v) });
    case YYJSON_TYPE_NUM:
        if (yyjson_is_real(v)) return qn_v_real(yyjson_get_real(v));
        if (yyjson_is_sint(v) || yyjson_get_uint(v) <= INT64_MAX) return qn_v_int(yyjson_get_sint(v));
        return (qn_value){ .kind = QN_V_UINT, .u = yyjson_get_uint(v) };
    case YYJSON_TYPE_ARR:  return (qn_value){ .kind = QN_V_LIST, .json = 1, .n = (uint32_t)yyjson_arr_size(v), .j = v };
    case YYJSON_TYPE_OBJ:  return (qn_value){ .kind = QN_V_OBJECT, .json = 1, .n = (uint32_t)yyjson_obj_size(v), .j = v };
    default: return qn_v_null();
    }
}

qn_value qn_v_copy(qn_arena *a, qn_value v)
{
    if (v.kind == QN_V_TEXT) return qn_v_text(qn_arena_str(a, qn_v_str(v)));
    if (v.kind == QN_V_LIST) {
        qn_value *items = qn_arena_alloc(a, v.n * sizeof *items), item;
        qn_v_iter it = qn_v_iter_of(v);
        for (size_t i = 0; qn_v_next(&it, NULL, &item); i++) items[i] = qn_v_copy(a, item);
        return qn_v_list(items, v.n);
    }
    if (v.kind == QN_V_OBJECT) {
        qn_field *fields = qn_arena_alloc(a, v.n * sizeof *fields);
        qn_value item;
        qn_str name;
        qn_v_iter it = qn_v_iter_of(v);
        for (size_t i = 0; qn_v_next(&it, &name, &item); i++)
            fields[i] = (qn_field){ qn_arena_str(a, name), qn_v_copy(a, item) };
        return qn_v_object(fields, v.n);
    }
    return v;
}

double qn_v_number(qn_value v)
{
    switch (v.kind) {
    case QN_V_INT:  return (double)v.i;
    case QN_V_UINT: return (double)v.u;
    case QN_V_REAL: return v.d;
    default: return 0;
    }
}

qn_value qn_v_at(qn_value list, size_t i)
{
    if (list.kind != QN_V_LIST || i >= list.n) return qn_v_null();
    return list.json ? qn_v_json(yyjson_arr_get(list.j, i)) : list.list[i];
}

bool qn_v_get(qn_value object, qn_str name, qn_value *out)
{
    *out = qn_v_null();
    if (object.kind != QN_V_OBJECT) return false;
    if (object.json) {
        yyjson_val *v = yyjson_obj_getn(object.j, name.p, name.n);
        if (v) *out = qn_v_json(v);
        return v != NULL;
    }
    for (size_t i = 0; i < object.n; i++)
        if (qn_str_eq(object.object[i].name, name)) { *out = object.object[i].value; return true; }
    return false;
}

const char *qn_v_kind_name(qn_value v)
{
    static const char *const names[] = { "null", "bool", "number", "number", "number", "text", "list", "object" };
    return names[v.kind];
}

qn_v_iter qn_v_iter_of(qn_value v)
{
    qn_v_iter it = { .of = v };
    if (v.json && v.n) it.at = unsafe_yyjson_get_first(v.j);
    return it;
}

bool qn_v_next(qn_v_iter *it, qn_str *name, qn_value *item)
{
    if ((it->of.kind != QN_V_LIST && it->of.kind != QN_V_OBJECT) || it->i >= it->of.n) return false;
    bool object = it->of.kind == QN_V_OBJECT;
    if (name) *name = (qn_str){ "", 0 };
    if (it->of.json) {
        yyjson_val *v = object ? it->at + 1 : it->at;
        if (object && name) *name = (qn_str){ yyjson_get_str(it->at), yyjson_get_len(it->at) };
        *item = qn_v_json(v);
        it->at = unsafe_yyjson_get_next(v);
    } else if (object) {
        if (name) *name = it->of.object[it->i].name;
        *item = it->of.object[it->i].value;
    } else {
        *item = it->of.list[it->i];
    }
    it->i++;
    return true;
}

/* ---- order ---- */
static int rank(qn_value v)
{
    switch (v.kind) {
    case QN_V_NULL: return 0;
    case QN_V_BOOL: return v.b ? 2 : 1;
    case QN_V_TEXT: return 4;
    case QN_V_LIST: return 5;
    case QN_V_OBJECT: return 6;
    default: return 3;
    }
}

static int cmp_numbers(qn_value a, qn_value b)
{
    if (a.kind == QN_V_REAL || b.kind == QN_V_REAL) {
        double x = qn_v_number(a), y = qn_v_number(b);
        return (x > y) - (x < y);
    }
    if (a.kind == QN_V_UINT || b.kind == QN_V_UINT) {
        if (a.kind != b.kind) return a.kind == QN_V_UINT ? 1 : -1;
        return (a.u > b.u) - (a.u < b.u);
    }
    return (a.i > b.i) - (a.i < b.i);
}

static int cmp_lists(qn_value a, qn_value b)
{
    qn_v_iter x = qn_v_iter_of(a), y = qn_v_iter_of(b);
    qn_value p, q;
    for (;;) {
        bool more_a = qn_v_next(&x, NULL, &p), more_b = qn_v_next(&y, NULL, &q);
        if (!more_a || !more_b) return (int)more_a - (int)more_b;
        int c = qn_v_cmp(p, q);
        if (c) return c;
    }
}

static int by_name(const void *a, const void *b) { return qn_str_cmp(((const qn_field *)a)->name, ((const qn_field *)b)->name); }

/* Fields of an object in the order of their names; owned. */
static qn_field *sorted_fields(qn_value v)
{
    qn_field *f = qn_alloc(v.n * sizeof *f);
    qn_v_iter it = qn_v_iter_of(v);
    for (size_t i = 0; i < v.n && qn_v_next(&it, &f[i].name, &f[i].value); i++) {}
    qsort(f, v.n, sizeof *f, by_name);
    return f;
}

/* jq: the sorted names as lists first, then the values name by name. */
static int cmp_objects(qn_value a, qn_value b)
{
    qn_field *x = sorted_fields(a), *y = sorted_fields(b);
    int c = 0;
    for (size_t i = 0; !c && i < a.n && i < b.n; i++) c = qn_str_cmp(x[i].name, y[i].name);
    if (!c) c = (a.n > b.n) - (a.n < b.n);
    for (size_t i = 0; !c && i < a.n; i++) c = qn_v_cmp(x[i].value, y[i].value);
    qn_free(x);
    qn_free(y);
    return c;
}

int qn_v_cmp(qn_value a, qn_value b)
{
    int x = rank(a), y = rank(b);
    if (x != y) return x < y ? -1 : 1;
    switch (x) {
    case 3: return cmp_numbers(a, b);
    case 4: return qn_str_cmp(qn_v_str(a), qn_v_str(b));
    case 5: return cmp_lists(a, b);
    case 6: return cmp_objects(a, b);
    default: return 0;
    }
}

/* ---- builders ---- */
void qn_object_put(qn_object_b *o, qn_str name, qn_value v)
{
    for (size_t i = 0; i < o->n; i++)
        if (qn_str_eq(o->fields[i].name, name)) { o->fields[i].value = v; return; }
    if (o->n == o->cap) {
        qn_field *bigger = qn_arena_alloc(o->a, (o->cap ? o->cap * 2 : 8) * sizeof *bigger);
        if (o->n) memcpy(bigger, o->fields, o->n * sizeof *bigger);
        o->cap = o->cap ? o->cap * 2 : 8;
        o->fields = bigger;
    }
    o->fields[o->n++] = (qn_field){ name, v };
}

qn_value qn_object_end(const qn_object_b *o) { return qn_v_object(o->fields, o->n); }

void qn_list_put(qn_list_b *l, qn_value v)
{
    if (l->n == l->cap) {
        qn_value *bigger = qn_arena_alloc(l->a, (l->cap ? l->cap * 2 : 8) * sizeof *bigger);
        if (l->n) memcpy(bigger, l->items, l->n * sizeof *bigger);
        l->cap = l->cap ? l->cap * 2 : 8;
        l->items = bigger;
    }
    l->items[l->n++] = v;
}

qn_value qn_list_end(const qn_list_b *l) { return qn_v_list(l->items, l->n); }
