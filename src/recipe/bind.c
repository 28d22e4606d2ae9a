/* bind: one parameter after the other, by its kind. */
#include "recipe/bind.h"
#include <stdlib.h>

bool qn_size_of_text(qn_str s, int64_t *out)
{
    static const char units[] = "KMGT";
    int64_t scale = 1;
    s = qn_str_trim(s);
    if (s.n > 1 && (s.p[s.n - 1] == 'B' || s.p[s.n - 1] == 'b')) s.n--;
    if (s.n > 1) {
        const char *u = strchr(units, s.p[s.n - 1] & ~32);
        if (u && *u) {
            for (const char *k = units; k <= u; k++) scale *= 1024;
            s.n--;
        }
    }
    double d;
    if (!qn_str_to_f64(s, &d) || d < 0 || d * (double)scale > 9e18) return false;
    *out = (int64_t)(d * (double)scale);
    return true;
}

/* "0..1", "1..", "..5": both ends belong to it. */
static bool in_range(const char *range, double v)
{
    const char *dots = range ? strstr(range, "..") : NULL;
    if (!dots) return true;
    if (dots > range && v < atof(range)) return false;
    return !dots[2] || v <= atof(dots + 2);
}

static bool is_word_of(const char *words, qn_str w)
{
    for (const char *p = words; *p;) {
        size_t n = strcspn(p, "|");
        if (n == w.n && memcmp(p, w.p, n) == 0) return true;
        p += n + (p[n] == '|');
    }
    return false;
}

static const char *nearest_choice(const char *range, qn_str word, qn_arena *a)
{
    const char *words[64];
    size_t n = 0;
    for (const char *p = range; *p && n < 64; p += strcspn(p, "|") + (p[strcspn(p, "|")] == '|')) words[n++] = qn_arena_str(a, (qn_str){ p, strcspn(p, "|") }).p;
    return qn_nearest(word, words, n);
}

static qn_code bad_value(const char *what, const qn_param *p, const qn_ynode *v, const char *want, qn_err *e)
{
    if (v->kind != QN_Y_SCALAR)
        return qn_fail_at(e, QN_ERECIPE, v->pos, "`%s` of `%s` is a %s, %s is needed", p->name, what, v->kind == QN_Y_LIST ? "list" : "map", want);
    return qn_fail_at(e, QN_ERECIPE, v->pos, "`%s` of `%s` is `%.*s`, %s is needed", p->name, what, (int)(v->text.n < 60 ? v->text.n : 60),
                      v->text.p, want);
}

static qn_code bind_number(const char *what, const qn_param *p, const qn_ynode *v, void *at, qn_err *e)
{
    double d = 0;
    int64_t i = 0;
    bool ok;
    if (p->type == QN_P_SIZE) {
        if (!qn_size_of_text(v->text, &i)) return bad_value(what, p, v, "a size such as 256M or 2G", e);
        *(int64_t *)at = i;
        return QN_OK;
    }
    if (p->type == QN_P_INT) {
        int64_t scaled;
        ok = qn_str_to_i64(v->text, &i);
        if (!ok && v->text.n > 1 && strchr("kKmM", v->text.p[v->text.n - 1])) {        /* 5M tokens, 10k rows: decimal here */
            double n;
            ok = qn_str_to_f64(qn_str_sub(v->text, 0, v->text.n - 1), &n);
            scaled = (v->text.p[v->text.n - 1] | 32) == 'k' ? 1000 : 1000000;
            i = (int64_t)(n * (double)scaled);
        }
        d = (double)i;
    } else {
        ok = qn_str_to_f64(v->text, &d);
    }
    if (!ok || v->kind != QN_Y_SCALAR) return bad_value(what, p, v, p->type == QN_P_INT ? "a whole number" : "a number", e);
    if (!in_range(p->range, d)) {
        qn_fail_at(e, QN_ERECIPE, v->pos, "`%s` of `%s` is %.*s, it must be in %s", p->name, what, QN_FMT(v->text), p->range);
        return QN_ERECIPE;
    }
    if (p->type == QN_P_INT) *(int64_t *)at = i;
    else *(double *)at = d;
    return QN_OK;
}

static qn_code bind_bool(const char *what, const qn_param *p, const qn_ynode *v, bool *at, qn_err *e)
{
    if (qn_str_is(v->text, "true") || qn_str_is(v->text, "yes") || qn_str_is(v->text, "on")) *at = true;
    else if (qn_str_is(v->text, "false") || qn_str_is(v->text, "no") || qn_str_is(v->text, "off")) *at = false;
    else return bad_value(what, p, v, "yes or no", e);
    return QN_OK;
}

static qn_code bind_texts(const qn_bind *b, const char *what, const qn_param *p, const qn_ynode *v, qn_texts *at, qn_err *e)
{
    size_t n = v->kind == QN_Y_LIST ? v->n : 1;
    if (v->kind == QN_Y_MAP) return bad_value(what, p, v, "a text or a list of texts", e);
    qn_str *items = qn_arena_alloc(b->arena, n * sizeof *items + 1);
    for (size_t i = 0; i < n; i++) {
        const qn_ynode *item = v->kind == QN_Y_LIST ? v->items[i] : v;
        if (item->kind != QN_Y_SCALAR) return bad_value(what, p, item, "a text", e);
        items[i] = item->text;
    }
    *at = (qn_texts){ items, n };
    return QN_OK;
}

qn_code qn_bind_condition(const char *what, const qn_type *gives, qn_str text, qn_pos pos, qn_err *e)
{
    if (qn_type_decides(gives)) return QN_OK;
    qn_buf have = {0};
    qn_type_write(&have, gives);
    qn_fail_at(e, QN_ERECIPE, pos, "%s must give bool, `%.*s` gives %s, which is always true", what, QN_FMT(text), have.p);
    qn_hint(e, "compare it: %.*s == ..., > ..., or use a test such as `test(\"...\")`", QN_FMT(text));
    qn_buf_free(&have);
    return QN_ERECIPE;
}

static qn_code bind_expr(const qn_bind *b, const char *what, const qn_param *p, const qn_ynode *v, qn_expr **at, qn_err *e)
{
    const qn_type *gives, *want;
    bool many;
    if (v->kind != QN_Y_SCALAR) return bad_value(what, p, v, "an expression", e);
    QN_TRY(qn_expr_compile(v->text, v->inner, b->arena, at, e));
    if (!b->in) return QN_OK;
    QN_TRY(qn_expr_check(*at, b->in, b->arena, &gives, &many, e));
    if (!p->range) return QN_OK;
    QN_TRY(qn_type_parse(qn_str_of(p->range), b->arena, &want, e));
    if (want->kind == QN_T_BOOL && !want->maybe) {
        qn_buf name = {0};
        qn_buf_printf(&name, "`%s` of `%s`", p->name, what);
        qn_code rc = qn_bind_condition(name.p, gives, v->text, v->inner, e);
        qn_buf_free(&name);
        return rc;
    }
    if (!qn_type_fits(gives, want)) {
        qn_buf have = {0};
        qn_type_write(&have, gives);
        qn_fail_at(e, QN_ERECIPE, v->pos, "`%s` of `%s` must give %s, `%.*s` gives %s", p->name, what, p->range, QN_FMT(v->text), have.p);
        qn_buf_free(&have);
        return QN_ERECIPE;
    }
    return QN_OK;
}

static qn_code bind_value(const qn_bind *b, const char *what, const qn_param *p, const qn_ynode *v, char *base, qn_err *e)
{
    void *at = base + p->offset;
    switch (p->type) {
    case QN_P_INT: case QN_P_REAL: case QN_P_SIZE: return bind_number(what, p, v, at, e);
    case QN_P_BOOL:  return bind_bool(what, p, v, at, e);
    case QN_P_TEXTS: return bind_texts(b, what, p, v, at, e);
    case QN_P_VALUE: *(qn_value *)at = qn_yaml_value(v, b->arena); return QN_OK;
    case QN_P_EXPR:  return bind_expr(b, what, p, v, at, e);
    default: break;
    }
    if (v->kind != QN_Y_SCALAR) return bad_value(what, p, v, "a text", e);
    switch (p->type) {
    case QN_P_CHOICE:
        if (!is_word_of(p->range, v->text)) {
            qn_fail_at(e, QN_ERECIPE, v->pos, "`%s` of `%s` is `%.*s`, it must be one of %s", p->name, what, QN_FMT(v->text), p->range);
            return QN_ERECIPE;
        }
        *(qn_str *)at = v->text;
        return QN_OK;
    case QN_P_FIELD:
        *(qn_str *)at = v->text.n && v->text.p[0] == '.' ? qn_str_sub(v->text, 1, v->text.n) : v->text;
        return QN_OK;
    case QN_P_PATH:
        if (!v->text.n && !p->deflt) return bad_value(what, p, v, "a path", e);
        *(const char **)at = v->text.n ? v->text.p : NULL; return QN_OK;
    case QN_P_MODEL: return b->model(b->arg, v->text, v->pos, at, e);
    case QN_P_TEMPLATE:
        QN_TRY(qn_template_compile(v->text, v->inner, b->arena, at, e));
        return b->in ? qn_template_check(*(qn_template **)at, b->in, b->arena, e) : QN_OK;
    default: *(qn_str *)at = v->text; return QN_OK;
    }
}

static qn_code bind_one(const qn_bind *b, const char *what, const qn_param *p, const qn_ynode *v, char *base, qn_err *e)
{
    qn_code rc = bind_value(b, what, p, v, base, e);
    if (rc != QN_ERECIPE || !e || e->hint[0]) return rc;
    const char *near = p->type == QN_P_CHOICE && v->kind == QN_Y_SCALAR ? nearest_choice(p->range, v->text, b->arena) : NULL;
    if (near) qn_hint(e, "did you mean `%s`?", near);
    else qn_hint(e, "%s: %s%s%s%s", p->name, p->about, p->range && p->type != QN_P_EXPR ? " (" : "", p->range && p->type != QN_P_EXPR ? p->range : "",
                 p->range && p->type != QN_P_EXPR ? ")" : "");
    return rc;
}

static bool may_be_empty(qn_ptype t)
{
    return t != QN_P_INT && t != QN_P_REAL && t != QN_P_BOOL && t != QN_P_SIZE && t != QN_P_CHOICE;
}

static qn_code bind_default(const qn_bind *b, const char *what, const qn_param *p, qn_pos pos, char *base, qn_err *e)
{
    if (!p->deflt) {
        qn_fail_at(e, QN_ERECIPE, pos, "`%s` needs `%s`", what, p->name);
        qn_hint(e, "%s: %s", p->name, p->about);
        return QN_ERECIPE;
    }
    if (!p->deflt[0] && may_be_empty(p->type)) return QN_OK;       /* zeroed: NULL, empty text, null value */
    qn_ynode *v;
    if (p->type == QN_P_TEXTS || p->type == QN_P_VALUE) {
        QN_TRY(qn_yaml_parse(qn_str_of(p->deflt), "default", 0, b->arena, &v, e));
    } else {
        v = QN_ARENA_NEW(b->arena, qn_ynode);
        v->text = qn_str_of(p->deflt);
    }
    v->pos = pos;
    return bind_one(b, what, p, v, base, e);
}

static qn_code check_names(const char *what, const qn_param *table, const qn_ynode *given, qn_err *e)
{
    const char *names[64];
    size_t n = 0;
    for (const qn_param *p = table; p && p->name && n < 64; p++) names[n++] = p->name;
    for (size_t i = 0; i < given->n; i++) {
        bool known = false;
        for (size_t k = 0; k < n && !known; k++) known = qn_str_is(given->keys[i]->text, names[k]);
        if (known) continue;
        const char *near = qn_nearest(given->keys[i]->text, names, n);
        qn_fail_at(e, QN_ERECIPE, given->keys[i]->pos, "`%s` has no parameter `%.*s`", what, QN_FMT(given->keys[i]->text));
        if (near) qn_hint(e, "did you mean `%s`? `quern help op %s` lists them", near, what);
        else qn_hint(e, "`quern help op %s` lists its parameters", what);
        return QN_ERECIPE;
    }
    return QN_OK;
}

qn_code qn_bind_params(const qn_bind *b, const char *what, const qn_param *table, size_t struct_bytes, const qn_ynode *given, qn_pos pos,
                       void **out, qn_err *e)
{
    char *base = qn_arena_zalloc(b->arena, struct_bytes + 1);
    *out = base;
    bool lone = given && given->kind != QN_Y_MAP && !(given->kind == QN_Y_SCALAR && given->text.n == 0 && !given->quoted);
    if (lone && (!table || !table->name)) return qn_fail_at(e, QN_ERECIPE, given->pos, "`%s` takes no parameters", what);
    if (given && given->kind == QN_Y_MAP) QN_TRY(check_names(what, table, given, e));
    for (const qn_param *p = table; p && p->name; p++) {
        const qn_ynode *v = lone ? (p == table ? given : NULL) : qn_yaml_get(given, p->name);
        if (v) QN_TRY(bind_one(b, what, p, v, base, e));
        else QN_TRY(bind_default(b, what, p, pos, base, e));
    }
    return QN_OK;
}
