/* schema_short: the short form of `reply:` to JSON Schema and back, and the words that ask for a shape in a prompt. */
#include "recipe/schema.h"
#include <stdio.h>

enum { MAX_DEPTH = 40 };

typedef struct { qn_arena *a; qn_err *e; const char *at; char path[200]; } reader;      /* at: in the text that is being read */

static qn_code short_of(reader *r, qn_value v, int depth, qn_value *schema, bool *optional);

static qn_value text_of(const char *z) { return qn_v_text(qn_str_of(z)); }

static void put(qn_object_b *o, const char *name, qn_value v) { qn_object_put(o, qn_str_of(name), v); }

static bool is_type_word(qn_str s)
{
    static const char *const WORDS[] = { "object", "array", "string", "integer", "boolean" };
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (qn_str_is(s, WORDS[i])) return true;
    return false;
}

bool qn_schema_is_full(qn_value v)
{
    qn_value x;
    if (v.kind != QN_V_OBJECT) return false;
    if (qn_v_get(v, QN_STR("$schema"), &x) || qn_v_get(v, QN_STR("$ref"), &x)) return true;
    if (qn_v_get(v, QN_STR("properties"), &x) && x.kind == QN_V_OBJECT) return true;
    return qn_v_get(v, QN_STR("type"), &x) && is_type_word(qn_v_str(x));
}

static qn_code bad(reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static qn_code bad(reader *r, const char *fmt, ...)
{
    char msg[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    qn_fail(r->e, QN_ERECIPE, "reply%s%s: %s", r->path[0] ? " field " : "", r->path, msg);
    if (r->e) r->e->about = r->at;
    qn_hint(r->e, "a type is text, int 1..5, real 0..1, bool, choice a|b, any, [T], {name: T}; T? may be left out; `T -- words` explains it");
    return QN_ERECIPE;
}

/* ---- one line: int 1..5, choice a|b|c, text /re/, T?, T -- words ---- */
typedef struct { bool has_min, has_max; qn_value min, max; } bounds;

static bool number_of(qn_str s, qn_value *out)
{
    int64_t i;
    double d;
    if (qn_str_to_i64(s, &i)) { *out = qn_v_int(i); return true; }
    if (qn_str_to_f64(s, &d)) { *out = qn_v_real(d); return true; }
    return false;
}

/* "1..5", "1..", "..5", "3" (exactly) */
static bool read_bounds(qn_str s, bounds *b)
{
    *b = (bounds){0};
    ptrdiff_t dots = qn_str_find(s, QN_STR(".."));
    qn_str from = qn_str_trim(dots < 0 ? s : qn_str_sub(s, 0, (size_t)dots)), to = qn_str_trim(dots < 0 ? s : qn_str_sub(s, (size_t)dots + 2, s.n));
    b->has_min = from.n > 0;
    b->has_max = to.n > 0;
    if ((b->has_min && !number_of(from, &b->min)) || (b->has_max && !number_of(to, &b->max))) return false;
    return (b->has_min || b->has_max) && !(b->has_min && b->has_max && qn_v_cmp(b->min, b->max) > 0);
}

static bool are_counts(const bounds *b)
{
    return (!b->has_min || (b->min.kind == QN_V_INT && b->min.i >= 0)) && (!b->has_max || (b->max.kind == QN_V_INT && b->max.i >= 0));
}

static void put_bounds(qn_object_b *o, const bounds *b, const char *min, const char *max)
{
    if (b->has_min) put(o, min, b->min);
    if (b->has_max) put(o, max, b->max);
}

static qn_value choices(reader *r, qn_str s)
{
    qn_list_b l = { .a = r->a };
    while (s.n) {
        ptrdiff_t bar = qn_str_find(s, QN_STR("|"));
        size_t end = bar < 0 ? s.n : (size_t)bar;
        qn_str one = qn_str_trim(qn_str_sub(s, 0, end));
        if (one.n >= 2 && (one.p[0] == '"' || one.p[0] == '\'') && one.p[one.n - 1] == one.p[0]) one = qn_str_sub(one, 1, one.n - 1);
        qn_list_put(&l, qn_v_text(one));
        s = qn_str_sub(s, bar < 0 ? s.n : end + 1, s.n);
    }
    return qn_list_end(&l);
}

static qn_code choice(reader *r, qn_str rest, qn_object_b *o)
{
    qn_value all = choices(r, rest);
    for (size_t i = 0; i < all.n; i++) {
        if (!all.list[i].n) return bad(r, "an empty word in `choice %.*s`", QN_FMT(rest));
        for (size_t k = 0; k < i; k++)
            if (qn_v_eq(all.list[i], all.list[k])) return bad(r, "`%.*s` is twice in the choice", QN_FMT(qn_v_str(all.list[i])));
    }
    if (!all.n) return bad(r, "`choice` needs words: choice yes|no");
    put(o, "type", text_of("string"));
    put(o, "enum", all);
    return QN_OK;
}

static qn_code scalar(reader *r, qn_str word, qn_str rest, qn_object_b *o)
{
    static const struct { const char *ours, *theirs; } TYPES[] = { { "text", "string" }, { "int", "integer" }, { "real", "number" },
        { "number", "number" }, { "bool", "boolean" }, { "null", "null" }, { "any", NULL } };
    static const char *const WORDS[] = { "text", "int", "real", "number", "bool", "null", "any", "choice", "list", "object" };
    bounds b = {0};
    size_t i = 0, n = sizeof TYPES / sizeof *TYPES;
    while (i < n && !qn_str_is(word, TYPES[i].ours)) i++;
    if (i == n) {
        qn_code rc = bad(r, "no type is called `%.*s`", QN_FMT(word));
        const char *near = qn_nearest(word, WORDS, sizeof WORDS / sizeof *WORDS);
        if (qn_str_is(word, "string") || qn_str_is(word, "str")) near = "text";
        if (qn_str_is(word, "integer")) near = "int";
        if (qn_str_is(word, "float")) near = "real";
        if (qn_str_is(word, "boolean")) near = "bool";
        if (near) qn_hint(r->e, "did you mean `%s`?", near);
        return rc;
    }
    if (TYPES[i].theirs) put(o, "type", text_of(TYPES[i].theirs));
    if (!rest.n) return QN_OK;
    bool text = i == 0;
    if (text && rest.n >= 2 && rest.p[0] == '/' && rest.p[rest.n - 1] == '/') {
        put(o, "pattern", qn_v_text(qn_str_sub(rest, 1, rest.n - 1)));
        return QN_OK;
    }
    r->at = rest.p;
    if (i > 3 || !read_bounds(rest, &b)) return bad(r, "`%.*s` behind `%.*s` is no range like 1..5", QN_FMT(rest), QN_FMT(word));
    if (text && !are_counts(&b)) return bad(r, "the length of a text is a whole number");
    if (i == 1 && ((b.has_min && b.min.kind != QN_V_INT) || (b.has_max && b.max.kind != QN_V_INT))) return bad(r, "the range of an int is in whole numbers");
    put_bounds(o, &b, text ? "minLength" : "minimum", text ? "maxLength" : "maximum");
    return QN_OK;
}

/* `T?`: null is one more type (or one more choice). */
static qn_value with_null(reader *r, const qn_object_b *o)
{
    qn_object_b n = { .a = r->a };
    qn_list_b types = { .a = r->a }, words = { .a = r->a };
    for (size_t i = 0; i < o->n; i++) {
        qn_value v = o->fields[i].value, item;
        if (qn_str_is(o->fields[i].name, "type") && v.kind == QN_V_TEXT && !qn_str_is(qn_v_str(v), "null")) {
            qn_list_put(&types, v);
            qn_list_put(&types, text_of("null"));
            v = qn_list_end(&types);
        } else if (qn_str_is(o->fields[i].name, "enum")) {
            for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, NULL, &item);) qn_list_put(&words, item);
            qn_list_put(&words, qn_v_null());
            v = qn_list_end(&words);
        }
        qn_object_put(&n, o->fields[i].name, v);
    }
    return qn_object_end(&n);
}

static qn_code line(reader *r, qn_str s, qn_value *schema, bool *optional)
{
    qn_object_b o = { .a = r->a };
    qn_str about = {0};
    ptrdiff_t dashes = qn_str_find(s, QN_STR(" -- "));
    if (dashes >= 0) {
        about = qn_str_trim(qn_str_sub(s, (size_t)dashes + 4, s.n));
        s = qn_str_sub(s, 0, (size_t)dashes);
    }
    s = qn_str_trim(s);
    *optional = s.n && s.p[s.n - 1] == '?';
    if (*optional) s = qn_str_trim(qn_str_sub(s, 0, s.n - 1));
    size_t end = 0;
    while (end < s.n && ((s.p[end] >= 'a' && s.p[end] <= 'z') || (s.p[end] >= 'A' && s.p[end] <= 'Z'))) end++;
    qn_str word = qn_str_sub(s, 0, end), rest = qn_str_trim(qn_str_sub(s, end, s.n));
    if (!*optional && rest.n && rest.p[0] == '?') {                 /* `int? 1..5` reads as well */
        *optional = true;
        rest = qn_str_trim(qn_str_sub(rest, 1, rest.n));
    }
    if (!word.n) return bad(r, "a type was expected, not `%.*s`", QN_FMT(s));
    if (qn_str_is(word, "choice")) QN_TRY(choice(r, rest, &o));
    else if (qn_str_is(word, "list") && !rest.n) put(&o, "type", text_of("array"));
    else if (qn_str_is(word, "object") && !rest.n) put(&o, "type", text_of("object"));
    else QN_TRY(scalar(r, word, rest, &o));
    if (about.n) put(&o, "description", qn_v_text(about));
    *schema = *optional ? with_null(r, &o) : qn_object_end(&o);
    return QN_OK;
}

/* ---- containers ---- */
static qn_code list_of(reader *r, qn_value v, int depth, qn_value *schema)
{
    qn_object_b o = { .a = r->a };
    qn_value item, range;
    bounds b = {0};
    bool optional;
    if (v.n < 1 || v.n > 2) return bad(r, "a list is written [T] or [T, 1..3], not with %u parts", v.n);
    QN_TRY(short_of(r, qn_v_at(v, 0), depth + 1, &item, &optional));
    put(&o, "type", text_of("array"));
    put(&o, "items", item);
    if (v.n == 2) {
        range = qn_v_at(v, 1);
        if (range.kind == QN_V_INT && range.i >= 0) b = (bounds){ true, true, range, range };
        else if (range.kind != QN_V_TEXT || !read_bounds(qn_v_str(range), &b) || !are_counts(&b)) return bad(r, "behind the `,` in a list stands how many items: [text, 1..3]");
        put_bounds(&o, &b, "minItems", "maxItems");
    }
    *schema = qn_object_end(&o);
    return QN_OK;
}

static qn_code object_of(reader *r, qn_value v, int depth, qn_value *schema)
{
    qn_object_b o = { .a = r->a }, properties = { .a = r->a };
    qn_list_b required = { .a = r->a };
    qn_value item, sub;
    qn_str name;
    size_t path = strlen(r->path);
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, &name, &item);) {
        bool optional;
        /* {name?: T} says the same as {name: T?} */
        bool marked = name.n > 1 && name.p[name.n - 1] == '?';
        if (marked) name = qn_str_sub(name, 0, name.n - 1);
        if (path + name.n + 2 < sizeof r->path) snprintf(r->path + path, sizeof r->path - path, "%s%.*s", path ? "." : "", QN_FMT(name));
        QN_TRY(short_of(r, item, depth + 1, &sub, &optional));
        r->path[path] = 0;
        qn_object_put(&properties, name, sub);
        if (!optional && !marked) qn_list_put(&required, qn_v_text(name));
    }
    if (!properties.n) return bad(r, "an object without fields; write `object` for any object");
    put(&o, "type", text_of("object"));
    put(&o, "properties", qn_object_end(&properties));
    put(&o, "required", qn_list_end(&required));
    put(&o, "additionalProperties", qn_v_bool(false));
    *schema = qn_object_end(&o);
    return QN_OK;
}

static qn_code short_of(reader *r, qn_value v, int depth, qn_value *schema, bool *optional)
{
    *optional = false;
    if (v.kind == QN_V_TEXT) r->at = v.s;
    if (depth > MAX_DEPTH) return bad(r, "nested deeper than %d levels", MAX_DEPTH);
    if (qn_schema_is_full(v)) { *schema = v; return QN_OK; }
    if (v.kind == QN_V_TEXT) return line(r, qn_v_str(v), schema, optional);
    if (v.kind == QN_V_LIST) return list_of(r, v, depth, schema);
    if (v.kind == QN_V_OBJECT) return object_of(r, v, depth, schema);
    if (v.kind == QN_V_NULL) return line(r, QN_STR("null"), schema, optional);      /* YAML's null */
    return bad(r, "a type was expected, not a %s", qn_v_kind_name(v));
}

qn_code qn_schema_of_short(qn_value reply, qn_arena *a, qn_value *schema, qn_err *e)
{
    reader r = { .a = a, .e = e };
    bool optional;
    return short_of(&r, reply, 0, schema, &optional);
}

/* ---- back ---- */
typedef struct { qn_str type; bool nullable; } kind;

static kind kind_of(qn_value schema)
{
    qn_value t, item;
    kind k = {0};
    qn_v_get(schema, QN_STR("type"), &t);
    if (t.kind == QN_V_TEXT) k.type = qn_v_str(t);
    for (qn_v_iter it = qn_v_iter_of(t); t.kind == QN_V_LIST && qn_v_next(&it, NULL, &item);) {
        if (qn_str_is(qn_v_str(item), "null")) k.nullable = true;
        else if (k.type.n) return (kind){0};                        /* several types: no short form */
        else k.type = qn_v_str(item);
    }
    return k;
}

static void write_bounds(qn_buf *b, qn_value schema, const char *min, const char *max)
{
    qn_value lo, hi;
    bool has_lo = qn_v_get(schema, qn_str_of(min), &lo), has_hi = qn_v_get(schema, qn_str_of(max), &hi);
    if (!has_lo && !has_hi) return;
    qn_buf_putc(b, ' ');
    if (has_lo) qn_json_write(b, lo);
    qn_buf_puts(b, "..");
    if (has_hi) qn_json_write(b, hi);
}

static bool is_plain_choice(qn_value all)
{
    qn_value item;
    for (qn_v_iter it = qn_v_iter_of(all); qn_v_next(&it, NULL, &item);)
        if (item.kind != QN_V_NULL && (item.kind != QN_V_TEXT || !item.n || qn_str_find(qn_v_str(item), QN_STR("|")) >= 0)) return false;
    return all.kind == QN_V_LIST && all.n > 0;
}

static void write_choice(qn_buf *b, qn_value all)
{
    qn_value item;
    size_t n = 0;
    qn_buf_puts(b, "choice ");
    for (qn_v_iter it = qn_v_iter_of(all); qn_v_next(&it, NULL, &item);) {
        if (item.kind == QN_V_NULL) continue;
        if (n++) qn_buf_putc(b, '|');
        qn_buf_str(b, qn_v_str(item));
    }
}

static void write_short(qn_buf *b, qn_value schema, bool may_be_left_out, int depth);

static void write_object(qn_buf *b, qn_value schema, int depth)
{
    qn_value properties, required, item, name_v;
    qn_str name;
    size_t n = 0;
    qn_v_get(schema, QN_STR("required"), &required);
    if (!qn_v_get(schema, QN_STR("properties"), &properties) || !properties.n) { qn_buf_puts(b, "object"); return; }
    qn_buf_putc(b, '{');
    for (qn_v_iter it = qn_v_iter_of(properties); qn_v_next(&it, &name, &item);) {
        bool must = false;
        for (qn_v_iter jt = qn_v_iter_of(required); required.kind == QN_V_LIST && !must && qn_v_next(&jt, NULL, &name_v);)
            must = qn_str_eq(qn_v_str(name_v), name);
        qn_buf_printf(b, "%s%.*s: ", n++ ? ", " : "", QN_FMT(name));
        write_short(b, item, !must, depth + 1);
    }
    qn_buf_putc(b, '}');
}

static void write_short(qn_buf *b, qn_value schema, bool may_be_left_out, int depth)
{
    kind k = kind_of(schema);
    qn_value x;
    if (depth > MAX_DEPTH || schema.kind != QN_V_OBJECT) { qn_buf_puts(b, "any"); return; }
    if (qn_v_get(schema, QN_STR("enum"), &x) && is_plain_choice(x)) write_choice(b, x);
    else if (qn_str_is(k.type, "object")) write_object(b, schema, depth);
    else if (qn_str_is(k.type, "array")) {
        qn_buf_putc(b, '[');
        if (qn_v_get(schema, QN_STR("items"), &x)) write_short(b, x, false, depth + 1);
        else qn_buf_puts(b, "any");
        qn_value lo;
        if (qn_v_get(schema, QN_STR("minItems"), &lo) || qn_v_get(schema, QN_STR("maxItems"), &lo)) qn_buf_putc(b, ',');
        write_bounds(b, schema, "minItems", "maxItems");
        qn_buf_putc(b, ']');
    } else if (qn_str_is(k.type, "string")) {
        qn_buf_puts(b, "text");
        write_bounds(b, schema, "minLength", "maxLength");
        if (qn_v_get(schema, QN_STR("pattern"), &x)) qn_buf_printf(b, " /%.*s/", QN_FMT(qn_v_str(x)));
    } else if (qn_str_is(k.type, "integer") || qn_str_is(k.type, "number")) {
        qn_buf_puts(b, k.type.p[0] == 'i' ? "int" : "number");
        write_bounds(b, schema, "minimum", "maximum");
    } else {
        qn_buf_puts(b, qn_str_is(k.type, "boolean") ? "bool" : qn_str_is(k.type, "null") ? "null" : "any");
    }
    if (k.nullable || may_be_left_out) qn_buf_putc(b, '?');
}

void qn_schema_write_short(qn_buf *b, qn_value schema) { write_short(b, schema, false, 0); }

/* ---- all required ---- */
static qn_value strict(qn_value v, qn_arena *a, bool schema, int depth)
{
    qn_object_b o = { .a = a };
    qn_list_b l = { .a = a };
    qn_value item, properties;
    qn_str name;
    if (depth > MAX_DEPTH * 2) return v;
    if (v.kind == QN_V_LIST) {
        for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, NULL, &item);) qn_list_put(&l, strict(item, a, true, depth + 1));
        return qn_list_end(&l);
    }
    if (v.kind != QN_V_OBJECT) return v;
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, &name, &item);) {
        bool map = schema && (qn_str_is(name, "properties") || qn_str_is(name, "$defs") || qn_str_is(name, "definitions"));
        bool data = schema && (qn_str_is(name, "enum") || qn_str_is(name, "const") || qn_str_is(name, "default") || qn_str_is(name, "examples")
                               || qn_str_is(name, "required"));
        qn_object_put(&o, name, data ? item : strict(item, a, !map, depth + 1));
    }
    if (schema && qn_v_get(v, QN_STR("properties"), &properties) && properties.kind == QN_V_OBJECT) {
        for (qn_v_iter it = qn_v_iter_of(properties); qn_v_next(&it, &name, &item);) qn_list_put(&l, qn_v_text(name));
        qn_object_put(&o, QN_STR("required"), qn_list_end(&l));
        if (!qn_v_get(v, QN_STR("additionalProperties"), &item)) qn_object_put(&o, QN_STR("additionalProperties"), qn_v_bool(false));
    }
    return qn_object_end(&o);
}

qn_value qn_schema_strict(qn_value schema, qn_arena *a) { return strict(schema, a, true, 0); }

/* ---- words ---- a skeleton of the value with a note in place of each leaf; a full schema as it stands when it says more than that */
static bool is_simple(qn_value schema, int depth)
{
    static const char *const PLAIN[] = { "type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "enum", "minLength",
        "maxLength", "minimum", "maximum", "pattern", "description", "title", "$schema", "const", "default" };
    qn_str name;
    qn_value item, sub;
    if (schema.kind != QN_V_OBJECT || depth > MAX_DEPTH) return schema.kind == QN_V_BOOL;
    for (qn_v_iter it = qn_v_iter_of(schema); qn_v_next(&it, &name, &item);) {
        bool known = false;
        for (size_t i = 0; i < sizeof PLAIN / sizeof *PLAIN; i++) known = known || qn_str_is(name, PLAIN[i]);
        if (!known) return false;
        if (qn_str_is(name, "items") && !is_simple(item, depth + 1)) return false;
        if (qn_str_is(name, "type") && item.kind == QN_V_LIST && !kind_of(schema).type.n) return false;
        if (qn_str_is(name, "properties"))
            for (qn_v_iter jt = qn_v_iter_of(item); qn_v_next(&jt, NULL, &sub);)
                if (!is_simple(sub, depth + 1)) return false;
    }
    return true;
}

static void say_bounds(qn_buf *b, qn_value schema, const char *min, const char *max, const char *unit)
{
    qn_value lo, hi;
    bool has_lo = qn_v_get(schema, qn_str_of(min), &lo), has_hi = qn_v_get(schema, qn_str_of(max), &hi);
    if (has_lo && has_hi) { qn_buf_puts(b, ", "); qn_json_write(b, lo); qn_buf_puts(b, " to "); qn_json_write(b, hi); }
    else if (has_lo) { qn_buf_puts(b, ", at least "); qn_json_write(b, lo); }
    else if (has_hi) { qn_buf_puts(b, ", at most "); qn_json_write(b, hi); }
    if (has_lo || has_hi) qn_buf_puts(b, unit);
}

static void indent(qn_buf *b, int n) { for (int i = 0; i < n; i++) qn_buf_puts(b, "  "); }

static void say(qn_buf *b, qn_value schema, bool left_out, int depth);

static void say_object(qn_buf *b, qn_value schema, int depth)
{
    qn_value properties, required, item, must;
    qn_str name;
    size_t n = 0;
    qn_v_get(schema, QN_STR("properties"), &properties);
    qn_v_get(schema, QN_STR("required"), &required);
    if (!properties.n || properties.kind != QN_V_OBJECT) { qn_buf_puts(b, "<object>"); return; }
    qn_buf_puts(b, "{\n");
    for (qn_v_iter it = qn_v_iter_of(properties); qn_v_next(&it, &name, &item);) {
        bool needed = false;
        for (qn_v_iter jt = qn_v_iter_of(required); required.kind == QN_V_LIST && !needed && qn_v_next(&jt, NULL, &must);) needed = qn_str_eq(qn_v_str(must), name);
        if (n++) qn_buf_puts(b, ",\n");
        indent(b, depth + 1);
        qn_json_write_text(b, name);
        qn_buf_puts(b, ": ");
        say(b, item, !needed, depth + 1);
    }
    qn_buf_putc(b, '\n');
    indent(b, depth);
    qn_buf_putc(b, '}');
}

static void say_leaf(qn_buf *b, qn_value schema, kind k, bool null_too)
{
    qn_value x, item;
    size_t n = 0;
    if ((qn_v_get(schema, QN_STR("enum"), &x) && x.kind == QN_V_LIST) || qn_v_get(schema, QN_STR("const"), &item)) {
        if (x.kind != QN_V_LIST) x = qn_v_list(&item, 1);
        for (qn_v_iter it = qn_v_iter_of(x); qn_v_next(&it, NULL, &item); n++) {
            if (n) qn_buf_puts(b, " or ");
            qn_json_write(b, item);
        }
    } else if (qn_str_is(k.type, "string")) {
        qn_buf_puts(b, "\"<text");
        say_bounds(b, schema, "minLength", "maxLength", " characters");
        if (qn_v_get(schema, QN_STR("pattern"), &x)) qn_buf_printf(b, ", matching %.*s", QN_FMT(qn_v_str(x)));
        if (qn_v_get(schema, QN_STR("description"), &x)) qn_buf_printf(b, ": %.*s", QN_FMT(qn_v_str(x)));
        qn_buf_puts(b, ">\"");
    } else {
        qn_buf_printf(b, "<%s", qn_str_is(k.type, "integer") ? "integer" : qn_str_is(k.type, "number") ? "number"
                      : qn_str_is(k.type, "boolean") ? "true or false" : qn_str_is(k.type, "null") ? "null" : qn_str_is(k.type, "object") ? "object" : "any JSON");
        say_bounds(b, schema, "minimum", "maximum", "");
        if (qn_v_get(schema, QN_STR("description"), &x)) qn_buf_printf(b, ": %.*s", QN_FMT(qn_v_str(x)));
        qn_buf_putc(b, '>');
    }
    if (null_too) qn_buf_puts(b, " or null");
}

static void say(qn_buf *b, qn_value schema, bool left_out, int depth)
{
    kind k = kind_of(schema);
    qn_value items;
    if (depth > MAX_DEPTH) return;
    if (qn_str_is(k.type, "object")) {
        say_object(b, schema, depth);
    } else if (qn_str_is(k.type, "array")) {
        qn_buf_puts(b, "[");
        if (qn_v_get(schema, QN_STR("items"), &items)) say(b, items, false, depth);
        else qn_buf_puts(b, "<any JSON>");
        qn_buf_puts(b, ", ...");
        qn_value lo;
        if (qn_v_get(schema, QN_STR("minItems"), &lo) || qn_v_get(schema, QN_STR("maxItems"), &lo)) {
            qn_buf_puts(b, " <items");
            say_bounds(b, schema, "minItems", "maxItems", "");
            qn_buf_putc(b, '>');
        }
        qn_buf_puts(b, "]");
    } else {
        qn_value all;
        bool has_null = qn_v_get(schema, QN_STR("enum"), &all);
        say_leaf(b, schema, k, (k.nullable && !has_null) || (left_out && !k.nullable && !has_null));
        return;
    }
    if (k.nullable || left_out) qn_buf_puts(b, " or null");
}

void qn_schema_say(qn_buf *b, qn_value schema)
{
    kind k = kind_of(schema);
    const char *what = qn_str_is(k.type, "array") ? "one JSON list" : qn_str_is(k.type, "object") || !k.type.n ? "one JSON object" : "one JSON value";
    qn_buf_printf(b, "Reply with exactly %s and nothing before or after it", what);
    if (is_simple(schema, 0)) {
        qn_buf_puts(b, ", in this form (put values in the place of what is in < >):\n");
        say(b, schema, false, 0);
    } else {
        qn_buf_puts(b, ". It must fit this JSON Schema:\n");
        qn_json_write(b, schema);
    }
    qn_buf_putc(b, '\n');
}
