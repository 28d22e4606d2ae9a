/* schema: the short form to JSON Schema, and validation against the words of JSON Schema that it, and function definitions, use. */
#include "recipe/schema.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct qn_schema { qn_value json; const qn_type *type; };

/* ---- the short form ---- */
static qn_value text(const char *z) { return qn_v_text(qn_str_of(z)); }

static qn_code bad_form(qn_pos pos, qn_str word, qn_err *e)
{
    qn_fail_at(e, QN_ERECIPE, pos, "`%.*s` is no shape of a reply", QN_FMT(word));
    qn_hint(e, "text, int, real, number, bool, any, int 1..5, choice a|b|c, [text], {name: text}; `?` behind it: may be null");
    return QN_ERECIPE;
}

static void put_range(qn_object_b *o, qn_str range)
{
    const char *dots = memmem(range.p, range.n, "..", 2);
    if (!dots) return;
    qn_str lo = qn_str_sub(range, 0, (size_t)(dots - range.p)), hi = qn_str_sub(range, (size_t)(dots - range.p) + 2, range.n);
    double d;
    int64_t i;
    if (qn_str_to_i64(lo, &i)) qn_object_put(o, QN_STR("minimum"), qn_v_int(i));
    else if (qn_str_to_f64(lo, &d)) qn_object_put(o, QN_STR("minimum"), qn_v_real(d));
    if (qn_str_to_i64(hi, &i)) qn_object_put(o, QN_STR("maximum"), qn_v_int(i));
    else if (qn_str_to_f64(hi, &d)) qn_object_put(o, QN_STR("maximum"), qn_v_real(d));
}

static qn_value choices(qn_arena *a, qn_str words)
{
    qn_list_b l = { .a = a };
    while (words.n) {
        const char *bar = memchr(words.p, '|', words.n);
        size_t n = bar ? (size_t)(bar - words.p) : words.n;
        qn_list_put(&l, qn_v_text(qn_str_trim(qn_str_sub(words, 0, n))));
        words = qn_str_sub(words, bar ? n + 1 : words.n, words.n);
    }
    return qn_list_end(&l);
}

static qn_value nullable(qn_arena *a, qn_value schema)
{
    qn_object_b o = { .a = a };
    qn_list_b any = { .a = a };
    qn_object_b null_type = { .a = a };
    qn_object_put(&null_type, QN_STR("type"), text("null"));
    qn_list_put(&any, schema);
    qn_list_put(&any, qn_object_end(&null_type));
    qn_object_put(&o, QN_STR("anyOf"), qn_list_end(&any));
    return qn_object_end(&o);
}

static qn_code word_form(qn_str word, qn_pos pos, qn_arena *a, qn_value *out, qn_err *e)
{
    static const struct { const char *word, *type; } types[] = {
        { "text", "string" }, { "int", "integer" }, { "real", "number" }, { "number", "number" }, { "bool", "boolean" }, { "any", NULL },
    };
    qn_object_b o = { .a = a };
    qn_str w = qn_str_trim(word);
    bool maybe = w.n && w.p[w.n - 1] == '?';
    if (maybe) w = qn_str_trim(qn_str_sub(w, 0, w.n - 1));
    const char *space = w.n ? memchr(w.p, ' ', w.n) : NULL;
    qn_str head = space ? qn_str_sub(w, 0, (size_t)(space - w.p)) : w, rest = space ? qn_str_trim(qn_str_sub(w, head.n, w.n)) : (qn_str){ "", 0 };
    bool known = false;
    if (qn_str_is(head, "choice") && rest.n) {
        qn_object_put(&o, QN_STR("type"), text("string"));
        qn_object_put(&o, QN_STR("enum"), choices(a, rest));
        known = true;
    }
    for (size_t i = 0; i < sizeof types / sizeof *types && !known; i++) {
        if (!qn_str_is(head, types[i].word)) continue;
        known = rest.n == 0 || (memmem(rest.p, rest.n, "..", 2) && i >= 1 && i <= 3);
        if (types[i].type) qn_object_put(&o, QN_STR("type"), text(types[i].type));
        put_range(&o, rest);
    }
    if (!known) return bad_form(pos, word, e);
    *out = maybe ? nullable(a, qn_object_end(&o)) : qn_object_end(&o);
    return QN_OK;
}

static qn_code form(qn_value v, qn_pos pos, qn_arena *a, qn_value *out, qn_err *e)
{
    if (v.kind == QN_V_TEXT) return word_form(qn_v_str(v), pos, a, out, e);
    qn_object_b o = { .a = a };
    if (v.kind == QN_V_LIST) {
        qn_value item;
        if (v.n != 1) return bad_form(pos, QN_STR("[...]"), e);
        QN_TRY(form(qn_v_at(v, 0), pos, a, &item, e));
        qn_object_put(&o, QN_STR("type"), text("array"));
        qn_object_put(&o, QN_STR("items"), item);
        *out = qn_object_end(&o);
        return QN_OK;
    }
    if (v.kind != QN_V_OBJECT) return bad_form(pos, qn_str_of(qn_v_kind_name(v)), e);
    qn_object_b props = { .a = a };
    qn_list_b required = { .a = a };
    qn_v_iter it = qn_v_iter_of(v);
    qn_str name;
    qn_value item;
    while (qn_v_next(&it, &name, &item)) {
        qn_value s;
        QN_TRY(form(item, pos, a, &s, e));
        qn_object_put(&props, name, s);
        qn_list_put(&required, qn_v_text(name));
    }
    qn_object_put(&o, QN_STR("type"), text("object"));
    qn_object_put(&o, QN_STR("properties"), qn_object_end(&props));
    qn_object_put(&o, QN_STR("required"), qn_list_end(&required));
    qn_object_put(&o, QN_STR("additionalProperties"), qn_v_bool(false));
    *out = qn_object_end(&o);
    return QN_OK;
}

/* ---- type ---- */
static const qn_type *type_of(qn_value s, qn_arena *a)
{
    qn_value v, props;
    qn_type *t = QN_ARENA_NEW(a, qn_type);
    if (qn_v_get(s, QN_STR("anyOf"), &v) && v.n == 2) {
        *t = *type_of(qn_v_at(v, 0), a);
        t->maybe = true;
        return t;
    }
    qn_v_get(s, QN_STR("type"), &v);
    qn_str word = qn_v_str(v);
    if (qn_str_is(word, "string")) t->kind = QN_T_TEXT;
    else if (qn_str_is(word, "integer")) t->kind = QN_T_INT;
    else if (qn_str_is(word, "number")) t->kind = QN_T_NUMBER;
    else if (qn_str_is(word, "boolean")) t->kind = QN_T_BOOL;
    else if (qn_str_is(word, "array")) {
        t->kind = QN_T_LIST;
        t->item = qn_v_get(s, QN_STR("items"), &v) ? type_of(v, a) : qn_type_simple(QN_T_ANY);
    } else if (qn_str_is(word, "object") && qn_v_get(s, QN_STR("properties"), &props)) {
        qn_type_field *f = QN_ARENA_NEW_N(a, qn_type_field, props.n + 1);
        qn_v_iter it = qn_v_iter_of(props);
        t->kind = QN_T_RECORD;
        while (qn_v_next(&it, &f[t->n_fields].name, &v)) f[t->n_fields++].type = type_of(v, a);
        t->fields = f;
    }
    return t;
}

qn_code qn_schema_of_json(qn_value json_schema, qn_arena *a, qn_schema **out, qn_err *e)
{
    if (json_schema.kind != QN_V_OBJECT) return qn_fail(e, QN_ERECIPE, "a JSON Schema is an object");
    qn_schema *s = QN_ARENA_NEW(a, qn_schema);
    s->json = json_schema;
    s->type = type_of(json_schema, a);
    *out = s;
    return QN_OK;
}

static bool is_json_schema(qn_value v)
{
    qn_value type;
    qn_str w;
    if (v.kind != QN_V_OBJECT) return false;
    if (qn_v_get(v, QN_STR("$ref"), &type) || (qn_v_get(v, QN_STR("properties"), &type) && type.kind == QN_V_OBJECT)) return true;
    if (!qn_v_get(v, QN_STR("type"), &type)) return false;
    w = qn_v_str(type);
    return qn_str_is(w, "object") || qn_str_is(w, "array") || qn_str_is(w, "string");
}

qn_code qn_schema_short(qn_value v, qn_pos pos, qn_arena *a, qn_schema **out, qn_err *e)
{
    qn_value json;
    if (is_json_schema(v)) return qn_schema_of_json(v, a, out, e);
    if (v.kind != QN_V_OBJECT || v.n == 0) {
        qn_fail_at(e, QN_ERECIPE, pos, "`reply` is a map of fields: {question: text}");
        return QN_ERECIPE;
    }
    QN_TRY(form(v, pos, a, &json, e));
    return qn_schema_of_json(json, a, out, e);
}

qn_value qn_schema_json(const qn_schema *s) { return s->json; }
const qn_type *qn_schema_type(const qn_schema *s) { return s->type; }

/* ---- validation ---- */
typedef struct { qn_value root; qn_buf *why; char path[256]; int depth; } checker;

static bool fits(checker *c, qn_value s, qn_value v);

static void say(checker *c, const char *fmt, ...)
{
    va_list ap;
    if (c->why->n) return;
    qn_buf_printf(c->why, "`%s` ", c->path[0] ? c->path : "the reply");
    va_start(ap, fmt);
    qn_buf_vprintf(c->why, fmt, ap);
    va_end(ap);
}

static bool is_whole(qn_value v) { return v.kind == QN_V_INT || v.kind == QN_V_UINT || (v.kind == QN_V_REAL && v.d == floor(v.d) && fabs(v.d) < 1e15); }

static bool is_type(qn_value v, qn_str word)
{
    if (qn_str_is(word, "string")) return v.kind == QN_V_TEXT;
    if (qn_str_is(word, "integer")) return is_whole(v);
    if (qn_str_is(word, "number")) return qn_v_is_number(v);
    if (qn_str_is(word, "boolean")) return v.kind == QN_V_BOOL;
    if (qn_str_is(word, "array")) return v.kind == QN_V_LIST;
    if (qn_str_is(word, "object")) return v.kind == QN_V_OBJECT;
    if (qn_str_is(word, "null")) return v.kind == QN_V_NULL;
    return true;
}

static bool check_type(checker *c, qn_value s, qn_value v)
{
    qn_value t, one;
    if (!qn_v_get(s, QN_STR("type"), &t)) return true;
    if (t.kind == QN_V_TEXT) {
        if (is_type(v, qn_v_str(t))) return true;
        say(c, "is a %s, %.*s is needed", qn_v_kind_name(v), QN_FMT(qn_v_str(t)));
        return false;
    }
    qn_v_iter it = qn_v_iter_of(t);
    while (qn_v_next(&it, NULL, &one)) if (is_type(v, qn_v_str(one))) return true;
    say(c, "is a %s, which is not among the types allowed", qn_v_kind_name(v));
    return false;
}

static bool check_choice(checker *c, qn_value s, qn_value v)
{
    qn_value list, one;
    if (qn_v_get(s, QN_STR("const"), &one) && !qn_v_eq(one, v)) { say(c, "has another value than the one allowed"); return false; }
    if (!qn_v_get(s, QN_STR("enum"), &list)) return true;
    qn_v_iter it = qn_v_iter_of(list);
    while (qn_v_next(&it, NULL, &one)) if (qn_v_eq(one, v)) return true;
    qn_buf b = {0}, got = {0};
    qn_json_write(&b, list);
    qn_json_write(&got, v);
    say(c, "is %.80s, it must be one of %.200s", got.p, b.p);
    qn_buf_free(&b);
    qn_buf_free(&got);
    return false;
}

static bool check_bounds(checker *c, qn_value s, qn_value v)
{
    qn_value lim;
    if (qn_v_is_number(v)) {
        double d = qn_v_number(v);
        if (qn_v_get(s, QN_STR("minimum"), &lim) && d < qn_v_number(lim)) { say(c, "is %.10g, it must be at least %.10g", d, qn_v_number(lim)); return false; }
        if (qn_v_get(s, QN_STR("maximum"), &lim) && d > qn_v_number(lim)) { say(c, "is %.10g, it must be at most %.10g", d, qn_v_number(lim)); return false; }
        if (qn_v_get(s, QN_STR("exclusiveMinimum"), &lim) && d <= qn_v_number(lim)) { say(c, "is %.10g, it must be over %.10g", d, qn_v_number(lim)); return false; }
        if (qn_v_get(s, QN_STR("exclusiveMaximum"), &lim) && d >= qn_v_number(lim)) { say(c, "is %.10g, it must be under %.10g", d, qn_v_number(lim)); return false; }
    }
    size_t n = v.kind == QN_V_TEXT ? qn_utf8_count(qn_v_str(v)) : v.n;
    const char *lo = v.kind == QN_V_TEXT ? "minLength" : v.kind == QN_V_LIST ? "minItems" : NULL;
    const char *hi = v.kind == QN_V_TEXT ? "maxLength" : v.kind == QN_V_LIST ? "maxItems" : NULL;
    const char *what = v.kind == QN_V_TEXT ? "characters" : "items";
    if (lo && qn_v_get(s, qn_str_of(lo), &lim) && (double)n < qn_v_number(lim)) { say(c, "has %zu %s, at least %.0f are needed", n, what, qn_v_number(lim)); return false; }
    if (hi && qn_v_get(s, qn_str_of(hi), &lim) && (double)n > qn_v_number(lim)) { say(c, "has %zu %s, at most %.0f are allowed", n, what, qn_v_number(lim)); return false; }
    return true;
}

static bool inside(checker *c, const char *fmt, qn_str name, size_t i, qn_value s, qn_value v)
{
    size_t n = strlen(c->path);
    char was = c->path[n];
    if (name.p) snprintf(c->path + n, sizeof c->path - n, fmt, QN_FMT(name));
    else snprintf(c->path + n, sizeof c->path - n, "[%zu]", i);
    bool ok = fits(c, s, v);
    c->path[n] = was;
    return ok;
}

static bool check_object(checker *c, qn_value s, qn_value v)
{
    qn_value props, required, more, item, sub;
    qn_str name;
    if (v.kind != QN_V_OBJECT) return true;
    qn_v_get(s, QN_STR("properties"), &props);
    if (qn_v_get(s, QN_STR("required"), &required)) {
        qn_v_iter it = qn_v_iter_of(required);
        while (qn_v_next(&it, NULL, &item)) {
            if (qn_v_get(v, qn_v_str(item), &sub)) continue;
            qn_value decl, any;
            if (qn_v_get(props, qn_v_str(item), &decl) && qn_v_get(decl, QN_STR("anyOf"), &any)) continue;      /* nullable: may be missing */
            say(c, "lacks the field `%.*s`", QN_FMT(qn_v_str(item)));
            return false;
        }
    }
    bool closed = qn_v_get(s, QN_STR("additionalProperties"), &more) && more.kind == QN_V_BOOL && !more.b;
    qn_v_iter it = qn_v_iter_of(v);
    while (qn_v_next(&it, &name, &item)) {
        if (qn_v_get(props, name, &sub)) {
            if (!inside(c, c->path[0] ? ".%.*s" : "%.*s", name, 0, sub, item)) return false;
        } else if (closed) {
            say(c, "has a field `%.*s` that was not asked for", QN_FMT(name));
            return false;
        } else if (more.kind == QN_V_OBJECT && !inside(c, c->path[0] ? ".%.*s" : "%.*s", name, 0, more, item)) return false;
    }
    return true;
}

static bool check_items(checker *c, qn_value s, qn_value v)
{
    qn_value items, item;
    if (v.kind != QN_V_LIST || !qn_v_get(s, QN_STR("items"), &items) || items.kind != QN_V_OBJECT) return true;
    qn_v_iter it = qn_v_iter_of(v);
    for (size_t i = 0; qn_v_next(&it, NULL, &item); i++)
        if (!inside(c, NULL, (qn_str){ NULL, 0 }, i, items, item)) return false;
    return true;
}

/* How many of the schemas in the list fit; messages are those of the first. */
static size_t count_fits(checker *c, qn_value list, qn_value v)
{
    size_t n = 0;
    qn_value one;
    qn_v_iter it = qn_v_iter_of(list);
    qn_buf kept = {0}, *why = c->why;
    while (qn_v_next(&it, NULL, &one)) {
        qn_buf mine = {0};
        c->why = &mine;
        if (fits(c, one, v)) n++;
        else if (!kept.n && mine.n) qn_buf_str(&kept, qn_buf_view(&mine));
        qn_buf_free(&mine);
    }
    c->why = why;
    if (!n && kept.n && !why->n) qn_buf_str(why, qn_buf_view(&kept));
    qn_buf_free(&kept);
    return n;
}

static bool check_combined(checker *c, qn_value s, qn_value v)
{
    qn_value list;
    if (qn_v_get(s, QN_STR("anyOf"), &list) && count_fits(c, list, v) == 0) return false;
    if (qn_v_get(s, QN_STR("oneOf"), &list)) {
        size_t n = count_fits(c, list, v);
        if (n > 1) say(c, "fits %zu of the shapes, exactly one is needed", n);
        if (n != 1) return false;
    }
    if (qn_v_get(s, QN_STR("allOf"), &list)) {
        qn_v_iter it = qn_v_iter_of(list);
        qn_value one;
        while (qn_v_next(&it, NULL, &one)) if (!fits(c, one, v)) return false;
    }
    return true;
}

/* "#/$defs/name" within the same schema. */
static qn_value follow(const checker *c, qn_str ref)
{
    qn_value at = c->root;
    if (ref.n < 2 || ref.p[0] != '#') return qn_v_null();
    ref = qn_str_sub(ref, 2, ref.n);
    while (ref.n) {
        const char *slash = memchr(ref.p, '/', ref.n);
        size_t n = slash ? (size_t)(slash - ref.p) : ref.n;
        qn_v_get(at, qn_str_sub(ref, 0, n), &at);
        ref = qn_str_sub(ref, slash ? n + 1 : ref.n, ref.n);
    }
    return at;
}

static bool fits(checker *c, qn_value s, qn_value v)
{
    qn_value ref;
    if (s.kind == QN_V_BOOL) { if (!s.b) say(c, "is not allowed"); return s.b; }
    if (++c->depth > 200) { say(c, "is nested too deep"); c->depth--; return false; }
    bool ok = true;
    if (qn_v_get(s, QN_STR("$ref"), &ref)) ok = fits(c, follow(c, qn_v_str(ref)), v);
    ok = ok && check_type(c, s, v) && check_choice(c, s, v) && check_bounds(c, s, v) && check_object(c, s, v) && check_items(c, s, v)
         && check_combined(c, s, v);
    c->depth--;
    return ok;
}

bool qn_schema_fits(const qn_schema *s, qn_value v, qn_buf *why)
{
    qn_buf unwanted = {0};
    checker c = { .root = s->json, .why = why ? why : &unwanted };
    bool ok = fits(&c, s->json, v);
    if (!ok && !c.why->n) qn_buf_puts(c.why, "the reply has another shape than asked for");
    if (ok) qn_buf_clear(c.why);
    qn_buf_free(&unwanted);
    return ok;
}

/* ---- words ---- */
static void shape(qn_buf *b, qn_value s)
{
    qn_value t, v, lo, hi;
    qn_str name;
    if (qn_v_get(s, QN_STR("anyOf"), &v)) { shape(b, qn_v_at(v, 0)); qn_buf_puts(b, " or null"); return; }
    if (qn_v_get(s, QN_STR("enum"), &v)) {
        qn_v_iter it = qn_v_iter_of(v);
        for (size_t i = 0; qn_v_next(&it, NULL, &t); i++) { qn_buf_puts(b, i ? " | " : ""); qn_json_write(b, t); }
        return;
    }
    qn_v_get(s, QN_STR("type"), &t);
    qn_str word = qn_v_str(t);
    if (qn_str_is(word, "object")) {
        qn_v_get(s, QN_STR("properties"), &v);
        qn_v_iter it = qn_v_iter_of(v);
        qn_buf_putc(b, '{');
        for (size_t i = 0; qn_v_next(&it, &name, &t); i++) {
            qn_buf_puts(b, i ? ", " : "");
            qn_json_write_text(b, name);
            qn_buf_puts(b, ": ");
            shape(b, t);
        }
        qn_buf_putc(b, '}');
    } else if (qn_str_is(word, "array")) {
        qn_buf_putc(b, '[');
        if (qn_v_get(s, QN_STR("items"), &v)) shape(b, v);
        qn_buf_puts(b, ", ...]");
    } else {
        qn_buf_printf(b, "%.*s", QN_FMT(word.n ? word : QN_STR("any value")));
        bool has_lo = qn_v_get(s, QN_STR("minimum"), &lo), has_hi = qn_v_get(s, QN_STR("maximum"), &hi);
        if (has_lo && has_hi) qn_buf_printf(b, " from %.10g to %.10g", qn_v_number(lo), qn_v_number(hi));
        else if (has_lo) qn_buf_printf(b, " of at least %.10g", qn_v_number(lo));
        else if (has_hi) qn_buf_printf(b, " of at most %.10g", qn_v_number(hi));
    }
}

void qn_schema_words(const qn_schema *s, qn_buf *out)
{
    qn_buf_puts(out, "Reply with one JSON object and nothing else, in this shape: ");
    shape(out, s->json);
}

/* ---- the JSON in a reply ---- */
/* End of the JSON container that begins at `from`: index behind it, 0 when it is not closed. */
static size_t container_end(qn_str t, size_t from)
{
    int depth = 0;
    bool in_text = false;
    for (size_t i = from; i < t.n; i++) {
        char c = t.p[i];
        if (in_text) {
            if (c == '\\') i++;
            else if (c == '"') in_text = false;
        } else if (c == '"') in_text = true;
        else if (c == '{' || c == '[') depth++;
        else if (c == '}' || c == ']') { if (--depth == 0) return i + 1; }
    }
    return 0;
}

/* A copy without commas before a closing bracket, and with bare line breaks in texts escaped: the two commonest slips. */
static qn_str forgive(qn_str t, qn_arena *a)
{
    char *p = qn_arena_alloc(a, t.n * 2 + 1);
    size_t n = 0;
    bool in_text = false;
    for (size_t i = 0; i < t.n; i++) {
        char c = t.p[i];
        if (in_text) {
            if (c == '\\' && i + 1 < t.n) { p[n++] = c; p[n++] = t.p[++i]; continue; }
            if (c == '\n') { p[n++] = '\\'; p[n++] = 'n'; continue; }
            if (c == '"') in_text = false;
        } else if (c == '"') {
            in_text = true;
        } else if (c == ',') {
            size_t j = i + 1;
            while (j < t.n && strchr(" \t\r\n", t.p[j])) j++;
            if (j < t.n && (t.p[j] == '}' || t.p[j] == ']')) continue;
        }
        p[n++] = c;
    }
    return (qn_str){ p, n };
}

qn_code qn_reply_json(qn_str t, qn_arena *a, qn_value *out, qn_err *e)
{
    qn_err ignored = {0}, first = {0};
    bool cut = false, found = false;
    size_t best = 0;
    t = qn_str_trim(t);
    if (qn_json_parse(t, a, out, &ignored) == QN_OK && (out->kind == QN_V_OBJECT || out->kind == QN_V_LIST)) return QN_OK;
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] != '{' && t.p[i] != '[') continue;
        size_t end = container_end(t, i);
        if (!end) { cut = true; continue; }
        qn_str piece = qn_str_sub(t, i, end);
        qn_value v;
        qn_err why = {0};
        if (qn_json_parse(piece, a, &v, &why) != QN_OK && qn_json_parse(forgive(piece, a), a, &v, &ignored) != QN_OK) {
            if (!first.msg[0]) first = why;
            continue;
        }
        bool better = !found || (v.kind == QN_V_OBJECT && out->kind != QN_V_OBJECT) || (v.kind == out->kind && piece.n > best);
        if (better) { *out = v; best = piece.n; found = true; }
        i = end - 1;
    }
    if (found) return QN_OK;
    if (first.msg[0]) return qn_fail(e, QN_EDATA, "it is %s", first.msg);
    if (cut) return qn_fail(e, QN_EDATA, "the JSON is not closed: the reply breaks off");
    return qn_fail(e, QN_EDATA, "it holds no JSON object");
}
