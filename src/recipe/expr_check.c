/* expr_check: which type a node's results have for inputs of a type, before anything runs. It refuses what cannot work: a field that is not
 * there, a function of a text on a number. What may work passes: `any` fits everywhere, and a T? passes where T does (a row where it is null then
 * fails by itself; `// default` prevents it). */
#include "recipe/expr_node.h"
#include <stdio.h>

typedef struct { const qn_expr *x; qn_arena *a; qn_err *e; const qn_type **vars; int depth; } checker;

static qn_code check(checker *c, const qn_xnode *n, const qn_type *in, const qn_type **out);

static const qn_type *simple(qn_tkind k) { return qn_type_simple(k); }
static bool is_number(const qn_type *t) { return t->kind == QN_T_INT || t->kind == QN_T_REAL || t->kind == QN_T_NUMBER; }

static const qn_type *maybe(checker *c, const qn_type *t) { return qn_type_join(t, simple(QN_T_NULL), c->a); }

static const qn_type *sure(checker *c, const qn_type *t)            /* T? -> T */
{
    if (!t->maybe) return t;
    qn_type *s = QN_ARENA_NEW(c->a, qn_type);
    *s = *t;
    s->maybe = false;
    return s;
}

static const qn_type *list_of(checker *c, const qn_type *item)
{
    qn_type *t = QN_ARENA_NEW(c->a, qn_type);
    t->kind = QN_T_LIST;
    t->item = item ? item : simple(QN_T_ANY);
    return t;
}

static const char *shown(checker *c, const qn_type *t)
{
    qn_buf b = {0};
    qn_type_write(&b, t);
    qn_str s = qn_buf_view(&b);
    size_t cut = qn_utf8_cut(s, 80);
    const char *z = qn_arena_printf(c->a, "%.*s%s", (int)cut, s.p, cut < s.n ? "..." : "").p;
    qn_buf_free(&b);
    return z;
}

static qn_code wrong(checker *c, const qn_xnode *n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static qn_code wrong(checker *c, const qn_xnode *n, const char *fmt, ...)
{
    qn_buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    qn_buf_vprintf(&b, fmt, ap);
    va_end(ap);
    qn_code rc = qn_fail_at(c->e, QN_ERECIPE, qn_x_pos(c->x, n->from), "`%.*s`: %s", QN_FMT(qn_x_written(c->x, n)), b.p ? b.p : "");
    qn_buf_free(&b);
    return rc;
}

/* What either gives; NULL stands for "no result". */
static const qn_type *either(checker *c, const qn_type *x, const qn_type *y)
{
    if (!x || !y) return x ? x : y;
    return qn_type_join(x, y, c->a);
}

/* ---- paths ---- */
static qn_code no_such_field(checker *c, const qn_xnode *n, const qn_type *of, qn_str name)
{
    qn_buf there = {0};
    const char *near = qn_type_nearest_field(of, name, c->a);
    qn_code rc = qn_fail_at(c->e, QN_ERECIPE, qn_x_pos(c->x, n->from), "`%.*s`: there is no field `%.*s`", QN_FMT(qn_x_written(c->x, n)), QN_FMT(name));
    for (size_t i = 0; i < of->n_fields; i++) {
        qn_str f = of->fields[i].name;
        if (there.n + f.n > 150) { qn_buf_puts(&there, ", ..."); break; }
        qn_buf_printf(&there, "%s%.*s", i ? ", " : "", QN_FMT(f));
        if (f.n > name.n && qn_str_starts(f, name) && f.p[name.n] == '-') near = qn_arena_printf(c->a, "[\"%.*s\"]", QN_FMT(f)).p;
    }
    if (!of->n_fields) qn_hint(c->e, "the object has no fields");
    else if (near) qn_hint(c->e, "did you mean `.%s`? there are: %s", near, there.p);
    else qn_hint(c->e, "there are: %s", there.p);
    qn_buf_free(&there);
    return rc;
}

static qn_code field_type(checker *c, const qn_xnode *n, const qn_type *of, qn_str name, const qn_type **out)
{
    const qn_type *t;
    *out = simple(QN_T_ANY);
    if (of->kind == QN_T_ANY) return QN_OK;
    if (of->kind == QN_T_NULL) { *out = of; return QN_OK; }
    if (of->kind != QN_T_RECORD) {
        qn_code rc = wrong(c, n, "%s has no fields", shown(c, of));
        if (of->kind == QN_T_LIST) qn_hint(c->e, "of every item: .[].%.*s, or as a list: map(.%.*s)", QN_FMT(name), QN_FMT(name));
        return rc;
    }
    t = qn_type_field_of(of, name);
    if (!t && !of->open) return no_such_field(c, n, of, name);
    if (t) *out = of->maybe ? maybe(c, t) : t;
    return QN_OK;
}

static const qn_type *item_type(checker *c, const qn_type *of)      /* of .[] */
{
    const qn_type *t = NULL;
    if (of->kind == QN_T_LIST) return of->item;
    if (of->kind != QN_T_RECORD || of->open) return simple(QN_T_ANY);
    for (size_t i = 0; i < of->n_fields; i++) t = either(c, t, of->fields[i].type);
    return t ? t : simple(QN_T_ANY);
}

static qn_code index_type(checker *c, const qn_xnode *n, const qn_type *of, const qn_type *at, const qn_type **out)
{
    *out = simple(QN_T_ANY);
    if (of->kind == QN_T_ANY || of->kind == QN_T_NULL || at->kind == QN_T_ANY) return QN_OK;
    if (of->kind == QN_T_LIST && (is_number(at) || at->kind == QN_T_LIST)) {
        *out = is_number(at) ? maybe(c, of->item) : list_of(c, simple(QN_T_INT));
        return QN_OK;
    }
    if (of->kind == QN_T_RECORD && at->kind == QN_T_TEXT) { *out = simple(QN_T_ANY); return QN_OK; }
    return wrong(c, n, "%s cannot be indexed with %s", shown(c, of), shown(c, at));
}

/* ---- operators ---- */
static qn_code arithmetic(checker *c, const qn_xnode *n, const qn_type *x, const qn_type *y, const qn_type **out)
{
    static const char *const verb[] = { [QN_X_ADD] = "added", [QN_X_SUB] = "subtracted", [QN_X_MUL] = "multiplied", [QN_X_DIV] = "divided",
                                        [QN_X_MOD] = "divided" };
    *out = simple(QN_T_ANY);
    if (n->op == QN_X_ADD && (x->kind == QN_T_NULL || y->kind == QN_T_NULL)) { *out = x->kind == QN_T_NULL ? y : x; return QN_OK; }
    if (x->kind == QN_T_ANY || y->kind == QN_T_ANY) return QN_OK;
    bool both_maybe = x->maybe && y->maybe;
    if (is_number(x) && is_number(y)) {
        if (n->op == QN_X_MOD || (n->op != QN_X_DIV && x->kind == QN_T_INT && y->kind == QN_T_INT)) *out = simple(QN_T_INT);
        else *out = simple(x->kind == QN_T_REAL || y->kind == QN_T_REAL ? QN_T_REAL : QN_T_NUMBER);
    } else if (n->op == QN_X_MUL && ((x->kind == QN_T_TEXT && is_number(y)) || (y->kind == QN_T_TEXT && is_number(x)))) {
        *out = maybe(c, simple(QN_T_TEXT));
    } else if (x->kind == QN_T_TEXT && y->kind == QN_T_TEXT && (n->op == QN_X_ADD || n->op == QN_X_DIV)) {
        *out = n->op == QN_X_ADD ? simple(QN_T_TEXT) : list_of(c, simple(QN_T_TEXT));
    } else if (x->kind == QN_T_LIST && y->kind == QN_T_LIST && (n->op == QN_X_ADD || n->op == QN_X_SUB)) {
        *out = n->op == QN_X_ADD ? list_of(c, qn_type_join(x->item, y->item, c->a)) : sure(c, x);
    } else if (x->kind == QN_T_RECORD && y->kind == QN_T_RECORD && n->op == QN_X_ADD && !y->open) {
        const qn_type *t = sure(c, x);
        for (size_t i = 0; i < y->n_fields; i++) {
            const qn_type *mine = qn_type_field_of(x, y->fields[i].name), *theirs = y->fields[i].type;
            t = qn_type_with(t, y->fields[i].name, y->maybe ? qn_type_join(mine ? mine : simple(QN_T_NULL), theirs, c->a) : theirs, c->a);
        }
        *out = t;
    } else if (x->kind == QN_T_RECORD && y->kind == QN_T_RECORD && (n->op == QN_X_ADD || n->op == QN_X_MUL)) {
        *out = simple(QN_T_RECORD);
    } else {
        bool one_text = (x->kind == QN_T_TEXT) != (y->kind == QN_T_TEXT);
        qn_code rc = wrong(c, n, "%s and %s cannot be %s", shown(c, x), shown(c, y), verb[n->op]);
        if (one_text) qn_hint(c->e, "`tostring` makes a text of a number, `tonumber` a number of a text; \"\\(.a) and \\(.b)\" puts values into a text");
        return rc;
    }
    if (both_maybe && n->op == QN_X_ADD) *out = maybe(c, *out);
    return QN_OK;
}

static bool comparable(const qn_type *x, const qn_type *y)
{
    if (x->kind == QN_T_ANY || y->kind == QN_T_ANY || x->kind == QN_T_NULL || y->kind == QN_T_NULL) return true;
    return x->kind == y->kind || (is_number(x) && is_number(y)) || (x->maybe && y->maybe);
}

static qn_code comparison(checker *c, const qn_xnode *n, const qn_type *x, const qn_type *y, const qn_type **out)
{
    *out = simple(QN_T_BOOL);
    if (comparable(x, y)) return QN_OK;
    qn_code rc = wrong(c, n, "%s is never compared to %s: the answer would always be the same", shown(c, x), shown(c, y));
    if ((x->kind == QN_T_TEXT && is_number(y)) || (y->kind == QN_T_TEXT && is_number(x)))
        qn_hint(c->e, "`length` counts the characters of a text, `tonumber` reads the number that it writes");
    return rc;
}

/* ---- functions ---- */
static bool type_among(const qn_type *t, const char *types)         /* may a value of type t be one of "text|list|null"? */
{
    if (t->kind == QN_T_ANY) return true;
    for (const char *w = types; *w;) {
        size_t len = strcspn(w, "|");
        qn_str name = { w, len };
        if (qn_str_is(name, "any")) return true;
        if (qn_str_is(name, "null") && (t->kind == QN_T_NULL || t->maybe)) return true;
        if (qn_str_is(name, "number") && is_number(t)) return true;
        if (qn_str_is(name, "text") && t->kind == QN_T_TEXT) return true;
        if (qn_str_is(name, "list") && t->kind == QN_T_LIST) return true;
        if (qn_str_is(name, "object") && t->kind == QN_T_RECORD) return true;
        w += len + (w[len] == '|');
    }
    return false;
}

static qn_code check_argument(checker *c, const qn_xnode *n, size_t i, const char *types, const qn_type *in, const qn_type **out)
{
    char word[64];
    size_t len = strcspn(types, ";)");
    while (len && *types == ' ') types++, len--;
    snprintf(word, sizeof word, "%.*s", (int)len, types);
    QN_TRY(check(c, n->kid[i], in, out));
    if (!*out || strcmp(word, "f") == 0) return QN_OK;
    if (strcmp(word, "flags") == 0) strcpy(word, "text|null");
    if (type_among(*out, word)) return QN_OK;
    return wrong(c, n->kid[i], "`%s` needs %s here, not %s", n->fn->name, word, shown(c, *out));
}

static const qn_type *entry_type(checker *c, const qn_type *in, const qn_type *value)
{
    static const qn_type EMPTY = { .kind = QN_T_RECORD };
    return qn_type_with(qn_type_with(&EMPTY, QN_STR("key"), simple(in->kind == QN_T_RECORD ? QN_T_TEXT : in->kind == QN_T_LIST ? QN_T_INT : QN_T_ANY), c->a), QN_STR("value"), value, c->a);
}

/* What an argument's expression sees. */
static const qn_type *seen_by(checker *c, const qn_xfn *fn, const qn_type *in, size_t i, const qn_type *before)
{
    static const qn_type GROUPS = { .kind = QN_T_RECORD, .open = true };
    switch (fn->about_items) {
    case 1: return item_type(c, in);
    case 2: return entry_type(c, in, item_type(c, in));
    case 3: return i ? before ? before : simple(QN_T_ANY) : in;     /* any(generator; condition) */
    case 4: return i == 1 ? &GROUPS : in;
    default: return in;
    }
}

static const qn_type *deep_items(const qn_type *t)
{
    while (t->kind == QN_T_LIST) t = t->item;
    return t;
}

static const qn_type *added_up(checker *c, const qn_type *items)
{
    if (items->kind == QN_T_RECORD) return maybe(c, simple(QN_T_RECORD));
    return items->kind == QN_T_ANY || items->kind == QN_T_BOOL ? simple(QN_T_ANY) : maybe(c, items);
}

/* del(.a, .b): plain fields of a known record leave its type. */
static const qn_type *without_paths(checker *c, const qn_type *in, const qn_xnode *f)
{
    if (f->kind == QN_X_COMMA) {
        for (size_t i = 0; i < f->n_kids; i++) in = without_paths(c, in, f->kid[i]);
        return in;
    }
    if (f->kind == QN_X_FIELD && f->kid[0]->kind == QN_X_SELF) return qn_type_without(in, f->name, c->a);
    return in->kind == QN_T_LIST ? in : simple(in->kind == QN_T_RECORD ? QN_T_RECORD : QN_T_ANY);
}

static qn_code values_of_f(checker *c, const qn_type *in, const qn_type *f, const qn_type **out)
{
    if (in->kind == QN_T_LIST) { *out = list_of(c, f); return QN_OK; }
    if (in->kind != QN_T_RECORD || in->open) { *out = simple(in->kind == QN_T_RECORD ? QN_T_RECORD : QN_T_ANY); return QN_OK; }
    *out = in;
    for (size_t i = 0; i < in->n_fields; i++) *out = qn_type_with(*out, in->fields[i].name, f ? maybe(c, f) : simple(QN_T_NULL), c->a);
    return QN_OK;
}

static qn_code result_type(checker *c, const qn_xnode *n, const qn_type *in, const qn_type *f, const qn_type **out)
{
    const qn_xfn *fn = n->fn;
    const qn_type *items = in->kind == QN_T_LIST || in->kind == QN_T_RECORD ? item_type(c, in) : simple(QN_T_ANY);
    switch ((qn_xresult)fn->result) {
    case QN_XR_TYPE: return qn_type_parse(qn_str_of(fn->gives), c->a, out, c->e);
    case QN_XR_SAME: *out = in; break;
    case QN_XR_ITEM: *out = maybe(c, items); break;
    case QN_XR_LIST_ITEMS: *out = list_of(c, items); break;
    case QN_XR_GROUPS: *out = list_of(c, list_of(c, items)); break;
    case QN_XR_F: *out = f; break;
    case QN_XR_LIST_F: *out = list_of(c, f); break;
    case QN_XR_VALUES_F: return values_of_f(c, in, f, out);
    case QN_XR_NOTHING: *out = NULL; break;
    case QN_XR_ADD: *out = added_up(c, items); break;
    case QN_XR_ENTRIES: *out = list_of(c, entry_type(c, in, items)); break;
    case QN_XR_VALUES: *out = in->kind == QN_T_NULL ? NULL : sure(c, in); break;
    case QN_XR_FLATTEN: *out = list_of(c, deep_items(items)); break;
    case QN_XR_DEL: *out = without_paths(c, in, n->kid[0]); break;
    case QN_XR_NUMBER: *out = is_number(in) ? in : simple(in->kind == QN_T_ANY ? QN_T_NUMBER : QN_T_INT); break;
    }
    return QN_OK;
}

static qn_code call(checker *c, const qn_xnode *n, const qn_type *in, const qn_type **out)
{
    const qn_type *arg = NULL;
    const char *types = n->fn->args + (*n->fn->args != 0);                 /* behind the ( */
    if (!type_among(in, n->fn->takes)) {
        qn_code rc = wrong(c, n, "`%s` needs %s, not %s", n->fn->name, n->fn->takes, shown(c, in));
        if (in->kind == QN_T_LIST && strstr(n->fn->takes, "text")) qn_hint(c->e, "for each item: map(%s...)", n->fn->name);
        if (in->kind == QN_T_RECORD) qn_hint(c->e, "name the field first: .field | %.*s", QN_FMT(qn_x_written(c->x, n)));
        return rc;
    }
    for (size_t i = 0; i < n->n_kids; i++) {
        QN_TRY(check_argument(c, n, i, types, seen_by(c, n->fn, in, i, arg), &arg));
        types += strcspn(types, ";");
        types += *types == ';';
    }
    return result_type(c, n, in, arg, out);
}

/* ---- nodes ---- */
static qn_code object_type(checker *c, const qn_xnode *n, const qn_type *in, const qn_type **out)
{
    const qn_type *t = QN_ARENA_NEW(c->a, qn_type), *key, *value;
    ((qn_type *)t)->kind = QN_T_RECORD;
    bool open = false;
    for (size_t i = 0; i < n->n_kids; i += 2) {
        QN_TRY(check(c, n->kid[i], in, &key));
        QN_TRY(check(c, n->kid[i + 1], in, &value));
        if (key && key->kind != QN_T_TEXT && key->kind != QN_T_ANY) return wrong(c, n->kid[i], "the key of an object is a text, not %s", shown(c, key));
        if (n->kid[i]->kind == QN_X_LITERAL) t = qn_type_with(t, qn_v_str(n->kid[i]->literal), value ? value : simple(QN_T_ANY), c->a);
        else open = true;
    }
    if (open) { qn_type *o = QN_ARENA_NEW(c->a, qn_type); *o = *t; o->open = true; t = o; }
    *out = t;
    return QN_OK;
}

static const qn_type *alternative_type(checker *c, const qn_type *x, const qn_type *y)
{
    if (!x || x->kind == QN_T_NULL) return y;
    return either(c, x->kind == QN_T_ANY ? x : sure(c, x), y);
}

static qn_code fold_type(checker *c, const qn_xnode *n, const qn_type *in, const qn_type **out)
{
    const qn_type *source, *start, *update, *again;
    QN_TRY(check(c, n->kid[0], in, &source));
    QN_TRY(check(c, n->kid[1], in, &start));
    c->vars[n->slot] = source ? source : simple(QN_T_ANY);
    if (!start) start = simple(QN_T_NULL);
    QN_TRY(check(c, n->kid[2], start, &update));                    /* the state is what holds the start and every update */
    start = either(c, start, update);
    QN_TRY(check(c, n->kid[2], start, &again));
    if (again && !qn_type_fits(again, start)) start = simple(QN_T_ANY);
    *out = n->kind == QN_X_FOREACH && again ? again : start;
    return n->n_kids > 3 ? check(c, n->kid[3], *out, out) : QN_OK;
}

static qn_code each_type(checker *c, const qn_xnode *n, const qn_type *of, const qn_type **out)
{
    *out = item_type(c, of);
    if (of->kind == QN_T_ANY || of->kind == QN_T_LIST || of->kind == QN_T_RECORD) return QN_OK;
    return wrong(c, n, "%s has no items", shown(c, of));
}

static qn_code check_node(checker *c, const qn_xnode *n, const qn_type *in, const qn_type **out)
{
    const qn_type *x = NULL, *y = NULL;
    switch ((qn_xkind)n->kind) {
    case QN_X_LITERAL:  *out = qn_type_of_value(n->literal, c->a); return QN_OK;
    case QN_X_SELF:     *out = in; return QN_OK;
    case QN_X_VARIABLE: *out = c->vars[n->slot]; return QN_OK;
    case QN_X_FIELD:
        QN_TRY(check(c, n->kid[0], in, &x));
        return x ? field_type(c, n, x, n->name, out) : QN_OK;
    case QN_X_INDEX:
        QN_TRY(check(c, n->kid[0], in, &x));
        QN_TRY(check(c, n->kid[1], in, &y));
        return x && y ? index_type(c, n, x, y, out) : QN_OK;
    case QN_X_SLICE:
        QN_TRY(check(c, n->kid[0], in, &x));
        for (size_t i = 1; i < 3; i++) {
            if (!n->kid[i]) continue;
            QN_TRY(check(c, n->kid[i], in, &y));
            if (y && !type_among(y, "number|null")) return wrong(c, n->kid[i], "the ends of a slice are numbers, not %s", shown(c, y));
        }
        if (x && !type_among(x, "text|list|null")) return wrong(c, n, "%s cannot be sliced", shown(c, x));
        *out = x;
        return QN_OK;
    case QN_X_EACH:
        QN_TRY(check(c, n->kid[0], in, &x));
        return x ? each_type(c, n, x, out) : QN_OK;
    case QN_X_NEG:
        QN_TRY(check(c, n->kid[0], in, &x));
        if (x && !type_among(x, "number")) return wrong(c, n, "%s cannot be negated", shown(c, x));
        *out = x && is_number(x) ? sure(c, x) : simple(QN_T_NUMBER);
        return QN_OK;
    case QN_X_BINARY:
        QN_TRY(check(c, n->kid[0], in, &x));
        QN_TRY(check(c, n->kid[1], in, &y));
        if (!x || !y) return QN_OK;
        return n->op >= QN_X_EQ ? comparison(c, n, x, y, out) : arithmetic(c, n, x, y, out);
    case QN_X_AND: case QN_X_OR:
        QN_TRY(check(c, n->kid[0], in, &x));
        QN_TRY(check(c, n->kid[1], in, &y));
        *out = simple(QN_T_BOOL);
        return QN_OK;
    case QN_X_ALTERNATIVE:
        QN_TRY(check(c, n->kid[0], in, &x));
        QN_TRY(check(c, n->kid[1], in, &y));
        *out = alternative_type(c, x, y);
        return QN_OK;
    case QN_X_IF:
        QN_TRY(check(c, n->kid[0], in, &x));
        QN_TRY(check(c, n->kid[1], in, &x));
        QN_TRY(check(c, n->kid[2], in, &y));
        *out = either(c, x, y);
        return QN_OK;
    case QN_X_PIPE:
        QN_TRY(check(c, n->kid[0], in, &x));
        return x ? check(c, n->kid[1], x, out) : QN_OK;
    case QN_X_AS:
        QN_TRY(check(c, n->kid[0], in, &x));
        c->vars[n->slot] = x ? x : simple(QN_T_ANY);
        return check(c, n->kid[1], in, out);
    case QN_X_COMMA:
        for (size_t i = 0; i < n->n_kids; i++) {
            QN_TRY(check(c, n->kid[i], in, &x));
            *out = either(c, *out, x);
        }
        return QN_OK;
    case QN_X_TRY: {                                                /* what is certain to fail inside gives nothing, except an unknown field */
        QN_TRY(check(c, n->kid[0], in, &x));
        if (n->n_kids > 1) QN_TRY(check(c, n->kid[1], simple(QN_T_TEXT), &y));
        *out = either(c, x, y);
        return QN_OK;
    }
    case QN_X_LIST:
        QN_TRY(check(c, n->kid[0], in, &x));
        *out = list_of(c, x);
        return QN_OK;
    case QN_X_OBJECT: return object_type(c, n, in, out);
    case QN_X_TEXT:
        for (size_t i = 0; i < n->n_kids; i++) QN_TRY(check(c, n->kid[i], in, &x));
        *out = simple(QN_T_TEXT);
        return QN_OK;
    case QN_X_CALL: return call(c, n, in, out);
    case QN_X_REDUCE: case QN_X_FOREACH: return fold_type(c, n, in, out);
    }
    return QN_OK;
}

/* *out NULL: no result ever (empty, error). */
static qn_code check(checker *c, const qn_xnode *n, const qn_type *in, const qn_type **out)
{
    const qn_type *t = NULL;
    QN_TRY(check_node(c, n, in, &t));
    *out = t;
    return QN_OK;
}

qn_code qn_expr_check(const qn_expr *x, const qn_type *in, qn_arena *a, const qn_type **out, bool *many, qn_err *e)
{
    checker c = { .x = x, .a = a, .e = e, .vars = QN_ARENA_NEW_N(a, const qn_type *, x->n_slots) };
    const qn_type *t;
    qn_code rc = check(&c, x->root, in ? in : simple(QN_T_ANY), &t);
    if (rc != QN_OK) { qn_x_hint(e); return rc; }
    if (out) *out = t ? t : simple(QN_T_ANY);
    if (many) *many = !x->root->one;
    return QN_OK;
}
