/* schema_check: values against JSON Schema (draft 2020-12, and what OpenAPI 3.0 differs in). The schema is walked as it stands; what can be
 * prepared once (patterns, the targets of $ref) is. A problem is a sentence that starts with the place in the value. */
#include "recipe/schema.h"
#include "core/map.h"
#include "text/regex.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_DEPTH = 100, MAX_STEPS = 200000, MAX_COMPILED = 1000000 };

struct qn_schema {
    qn_value schema, root, sent;
    const qn_type *type;
    unsigned flags;
    qn_map   patterns;          /* text -> index + 1 in regexes; 0: passed over */
    qn_map   refs;              /* text -> index in targets */
    qn_regex **regexes;
    qn_value  *targets;
    size_t n_regexes, cap_regexes, n_targets, cap_targets;
};

static bool get(qn_value schema, const char *name, qn_value *out) { return qn_v_get(schema, qn_str_of(name), out); }

/* ---- $ref ---- */
static qn_str unescape(qn_str s, qn_arena *a)                      /* ~1 ~0 and %XX of a JSON pointer in a URI fragment */
{
    char *p = qn_arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '~' && i + 1 < s.n && (s.p[i + 1] == '0' || s.p[i + 1] == '1')) p[n++] = s.p[++i] == '0' ? '~' : '/';
        else if (s.p[i] == '%' && i + 2 < s.n) {
            char hex[3] = { s.p[i + 1], s.p[i + 2], 0 }, *end;
            long c = strtol(hex, &end, 16);
            if (*end) { p[n++] = '%'; continue; }
            p[n++] = (char)c;
            i += 2;
        } else p[n++] = s.p[i];
    }
    return (qn_str){ p, n };
}

static bool find_anchor(qn_value v, qn_str name, int depth, qn_value *out)
{
    qn_value item, anchor;
    if (depth > MAX_DEPTH || (v.kind != QN_V_OBJECT && v.kind != QN_V_LIST)) return false;
    if (v.kind == QN_V_OBJECT && get(v, "$anchor", &anchor) && anchor.kind == QN_V_TEXT && qn_str_eq(qn_v_str(anchor), name)) { *out = v; return true; }
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, NULL, &item);)
        if (find_anchor(item, name, depth + 1, out)) return true;
    return false;
}

static bool follow(qn_value root, qn_str ref, qn_arena *a, qn_value *out)
{
    if (!ref.n || ref.p[0] != '#') return false;
    qn_str rest = qn_str_sub(ref, 1, ref.n);
    *out = root;
    if (!rest.n) return true;
    if (rest.p[0] != '/') return find_anchor(root, rest, 0, out);
    while (rest.n) {
        const char *slash = rest.n > 1 ? memchr(rest.p + 1, '/', rest.n - 1) : NULL;
        size_t end = slash ? (size_t)(slash - rest.p) : rest.n;
        qn_str step = unescape(qn_str_sub(rest, 1, end), a);
        int64_t i;
        if (out->kind == QN_V_OBJECT) { if (!qn_v_get(*out, step, out)) return false; }
        else if (out->kind == QN_V_LIST && qn_str_to_i64(step, &i) && i >= 0 && i < out->n) *out = qn_v_at(*out, (size_t)i);
        else return false;
        rest = qn_str_sub(rest, end, rest.n);
    }
    return true;
}

/* ---- preparing ---- */
typedef struct { qn_schema *s; qn_arena *a; qn_err *e; size_t seen; char path[160]; } compiler;

static qn_code compile(compiler *c, qn_value schema, int depth);

static qn_code bad(compiler *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static qn_code bad(compiler *c, const char *fmt, ...)
{
    char msg[280];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    return qn_fail(c->e, QN_ERECIPE, "schema at %s: %s", c->path[0] ? c->path : "its root", msg);
}

static qn_code compile_at(compiler *c, qn_str step, qn_value schema, int depth)
{
    size_t n = strlen(c->path);
    if (c->s->flags & QN_SCHEMA_LENIENT && schema.kind != QN_V_OBJECT && schema.kind != QN_V_BOOL) return QN_OK;
    if (n + step.n + 2 < sizeof c->path) snprintf(c->path + n, sizeof c->path - n, "/%.*s", QN_FMT(step));
    QN_TRY(compile(c, schema, depth + 1));
    c->path[n] = 0;
    return QN_OK;
}

static qn_code prepare_pattern(compiler *c, qn_str pattern)
{
    bool fresh;
    qn_schema *s = c->s;
    uint64_t *at = qn_map_put_str(&s->patterns, pattern, &fresh);
    qn_regex *re;
    qn_err inner;
    if (!fresh) return QN_OK;
    if (qn_regex_compile(pattern, (qn_str){0}, c->a, &re, &inner) != QN_OK) {
        *at = 0;
        return c->s->flags & QN_SCHEMA_LENIENT ? QN_OK : bad(c, "%s", inner.msg);
    }
    QN_GROW(s->regexes, s->n_regexes, s->cap_regexes);
    s->regexes[s->n_regexes++] = re;
    *at = s->n_regexes;
    return QN_OK;
}

static qn_code prepare_ref(compiler *c, qn_value ref, int depth)
{
    bool fresh;
    qn_schema *s = c->s;
    qn_value target;
    if (ref.kind != QN_V_TEXT) return bad(c, "$ref is a text");
    bool outside = !ref.n || ref.s[0] != '#', lenient = s->flags & QN_SCHEMA_LENIENT;
    if (outside && !lenient) return bad(c, "$ref `%.*s` leads out of the document, which is not followed", QN_FMT(qn_v_str(ref)));
    uint64_t *at = qn_map_put_str(&s->refs, qn_v_str(ref), &fresh);
    if (!fresh) return QN_OK;
    bool there = !outside && follow(s->root, qn_v_str(ref), c->a, &target) && (target.kind == QN_V_OBJECT || target.kind == QN_V_BOOL);
    if (!there && !lenient) return bad(c, "$ref `%.*s` leads nowhere", QN_FMT(qn_v_str(ref)));
    QN_GROW(s->targets, s->n_targets, s->cap_targets);
    *at = s->n_targets;
    s->targets[s->n_targets++] = there ? target : ref;              /* a text stands for a target that is not there: see check() */
    return there ? compile_at(c, qn_v_str(ref), target, depth) : QN_OK;
}

static bool is_count(qn_value v) { return (v.kind == QN_V_INT && v.i >= 0) || (v.kind == QN_V_REAL && v.d >= 0 && v.d == floor(v.d)); }

static qn_code compile_type(compiler *c, qn_value t)
{
    static const char *const WORDS[] = { "object", "array", "string", "integer", "number", "boolean", "null" };
    qn_value item;
    if (t.kind == QN_V_LIST) {
        for (qn_v_iter it = qn_v_iter_of(t); qn_v_next(&it, NULL, &item);) {
            if (item.kind == QN_V_LIST) return bad(c, "`type` is a word or a list of words");
            QN_TRY(compile_type(c, item));
        }
        return QN_OK;
    }
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (t.kind == QN_V_TEXT && qn_str_is(qn_v_str(t), WORDS[i])) return QN_OK;
    if (c->s->flags & QN_SCHEMA_LENIENT) return QN_OK;
    const char *near = qn_nearest(qn_v_str(t), WORDS, sizeof WORDS / sizeof *WORDS);
    qn_code rc = bad(c, "no type is called `%.*s`", QN_FMT(qn_v_str(t)));
    if (near) qn_hint(c->e, "did you mean `%s`?", near);
    return rc;
}

static bool among(qn_str name, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (qn_str_is(name, words[i])) return true;
    return false;
}

static qn_code compile_strictly(compiler *c, qn_str name, qn_value v, int depth)
{
    static const char *const ONE[] = { "items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else", "additionalItems" };
    static const char *const MANY[] = { "anyOf", "oneOf", "allOf", "prefixItems" };
    static const char *const MAPS[] = { "properties", "patternProperties" };
    static const char *const COUNTS[] = { "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains" };
    static const char *const NUMBERS[] = { "minimum", "maximum", "multipleOf" };
    static const char *const REFUSED[] = { "unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef", "dependentSchemas" };
    qn_value item;
    qn_str key;
#define AMONG(list) among(name, list, sizeof(list) / sizeof *(list))
    if (AMONG(ONE) && (v.kind == QN_V_OBJECT || v.kind == QN_V_BOOL)) return compile_at(c, name, v, depth);
    if (AMONG(MANY) || (qn_str_is(name, "items") && v.kind == QN_V_LIST)) {
        if (v.kind != QN_V_LIST) return bad(c, "`%.*s` is a list of schemas", QN_FMT(name));
        for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, NULL, &item);) QN_TRY(compile_at(c, name, item, depth));
    } else if (AMONG(MAPS)) {
        if (v.kind != QN_V_OBJECT) return bad(c, "`%.*s` is an object of schemas", QN_FMT(name));
        for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, &key, &item);) {
            if (name.p[1] == 'a') QN_TRY(prepare_pattern(c, key));
            QN_TRY(compile_at(c, key, item, depth));
        }
    } else if (AMONG(COUNTS)) {
        if (!is_count(v)) return bad(c, "`%.*s` is a whole number from 0", QN_FMT(name));
    } else if (AMONG(NUMBERS)) {
        if (!qn_v_is_number(v) || (name.p[1] == 'u' && qn_v_number(v) <= 0)) return bad(c, "`%.*s` is a number%s", QN_FMT(name), name.p[1] == 'u' ? " above 0" : "");
    } else if (AMONG(REFUSED)) {
        if (!(c->s->flags & QN_SCHEMA_LENIENT)) return bad(c, "`%.*s` is not supported", QN_FMT(name));
    } else if (qn_str_is(name, "type")) {
        return compile_type(c, v);
    } else if (qn_str_is(name, "pattern")) {
        if (v.kind != QN_V_TEXT) return bad(c, "`pattern` is a text");
        return prepare_pattern(c, qn_v_str(v));
    } else if (qn_str_is(name, "$ref")) {
        return prepare_ref(c, v, depth);
    } else if (qn_str_is(name, "enum") || (qn_str_is(name, "required") && !(c->s->flags & QN_SCHEMA_OPENAPI))) {
        if (v.kind != QN_V_LIST) return bad(c, "`%.*s` is a list", QN_FMT(name));
    } else if (AMONG(ONE)) {
        return bad(c, "`%.*s` is a schema", QN_FMT(name));
    }
#undef AMONG
    return QN_OK;
}

/* In lenient use a broken keyword says nothing; only limits end the work. */
static qn_code compile_keyword(compiler *c, qn_str name, qn_value v, int depth)
{
    size_t n = strlen(c->path);
    qn_code rc = compile_strictly(c, name, v, depth);
    if (rc != QN_ERECIPE || !(c->s->flags & QN_SCHEMA_LENIENT)) return rc;
    c->path[n] = 0;
    return QN_OK;
}

static qn_code compile(compiler *c, qn_value schema, int depth)
{
    qn_str name;
    qn_value v;
    if (schema.kind == QN_V_BOOL) return QN_OK;
    if (schema.kind != QN_V_OBJECT) return bad(c, "a schema is an object, true or false, not a %s", qn_v_kind_name(schema));
    if (depth > MAX_DEPTH) return qn_fail(c->e, QN_ELIMIT, "a schema is nested deeper than %d levels", MAX_DEPTH);
    if (++c->seen > MAX_COMPILED) return qn_fail(c->e, QN_ELIMIT, "a schema has more than %d parts", MAX_COMPILED);
    for (qn_v_iter it = qn_v_iter_of(schema); qn_v_next(&it, &name, &v);) QN_TRY(compile_keyword(c, name, v, depth));
    return QN_OK;
}

/* The tables are built on the heap and then moved into the arena, so that the schema needs no release. */
static void *into_arena(qn_arena *a, void *p, size_t bytes)
{
    void *q = qn_arena_alloc(a, bytes ? bytes : 1);
    if (bytes) memcpy(q, p, bytes);
    qn_free(p);
    return q;
}

qn_code qn_schema_compile(qn_value schema, qn_value root, unsigned flags, qn_arena *a, qn_schema **out, qn_err *e)
{
    qn_schema *s = QN_ARENA_NEW(a, qn_schema);
    *s = (qn_schema){ .schema = schema, .root = root, .sent = schema, .type = qn_type_simple(QN_T_ANY), .flags = flags };
    compiler c = { .s = s, .a = a, .e = e };
    qn_code rc = compile(&c, schema, 0);
    s->regexes = into_arena(a, s->regexes, s->n_regexes * sizeof *s->regexes);
    s->targets = into_arena(a, s->targets, s->n_targets * sizeof *s->targets);
    s->patterns.keys = into_arena(a, s->patterns.keys, s->patterns.cap * sizeof *s->patterns.keys);
    s->patterns.vals = into_arena(a, s->patterns.vals, s->patterns.cap * sizeof *s->patterns.vals);
    s->refs.keys = into_arena(a, s->refs.keys, s->refs.cap * sizeof *s->refs.keys);
    s->refs.vals = into_arena(a, s->refs.vals, s->refs.cap * sizeof *s->refs.vals);
    if (rc == QN_OK) *out = s;
    return rc;
}

/* ---- checking ---- */
typedef struct place { const struct place *up; qn_str name; size_t index; bool is_name; } place;
typedef struct {
    const qn_schema *s;
    qn_buf  *words;
    size_t   n, max;
    int      depth;
    int     *steps;             /* shared by all branches */
    int     *failed;            /* a limit was met */
} checker;

static void check(checker *c, qn_value schema, qn_value v, const place *at);

static void write_place(qn_buf *b, const place *at)
{
    if (!at) return;
    write_place(b, at->up);
    if (!at->is_name) qn_buf_printf(b, "[%zu]", at->index);
    else qn_buf_printf(b, "%s%.*s", at->up ? "." : "", QN_FMT(at->name));
}

static void show(qn_buf *b, qn_value v)
{
    qn_buf t = {0};
    qn_json_write(&t, v);
    size_t cut = qn_utf8_cut(qn_buf_view(&t), 80);
    qn_buf_put(b, t.p, cut);
    if (cut < t.n) qn_buf_puts(b, "...");
    qn_buf_free(&t);
}

static bool begin(checker *c, const place *at)
{
    if (c->n++ >= c->max || !c->words) return false;
    if (c->words->n && c->words->p[c->words->n - 1] != '\n' && c->words->p[c->words->n - 1] != '(') qn_buf_putc(c->words, '\n');
    if (!at) { qn_buf_puts(c->words, "the reply"); return true; }
    qn_buf_putc(c->words, '`');
    write_place(c->words, at);
    qn_buf_putc(c->words, '`');
    return true;
}

static void problem(checker *c, const place *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void problem(checker *c, const place *at, const char *fmt, ...)
{
    va_list ap;
    if (!begin(c, at)) return;
    va_start(ap, fmt);
    qn_buf_vprintf(c->words, fmt, ap);
    va_end(ap);
}

/* "`score` is 7, must be at most 5" */
static void off(checker *c, const place *at, qn_value v, const char *must, qn_value limit)
{
    if (!begin(c, at)) return;
    qn_buf_puts(c->words, " is ");
    show(c->words, v);
    qn_buf_printf(c->words, ", must be %s ", must);
    show(c->words, limit);
}

static size_t count_problems(checker *c, qn_value schema, qn_value v, const place *at, qn_buf *words, size_t max)
{
    checker inner = *c;
    inner.words = words;
    inner.n = 0;
    inner.max = max;
    check(&inner, schema, v, at);
    return inner.n;
}

static bool fits(checker *c, qn_value schema, qn_value v, const place *at) { return count_problems(c, schema, v, at, NULL, 0) == 0; }

static bool is_integer(qn_value v) { return v.kind == QN_V_INT || v.kind == QN_V_UINT || (v.kind == QN_V_REAL && v.d == floor(v.d) && isfinite(v.d)); }

static bool is_of_type(qn_value v, qn_str t)
{
    switch (v.kind) {
    case QN_V_NULL:   return qn_str_is(t, "null");
    case QN_V_BOOL:   return qn_str_is(t, "boolean");
    case QN_V_TEXT:   return qn_str_is(t, "string");
    case QN_V_LIST:   return qn_str_is(t, "array");
    case QN_V_OBJECT: return qn_str_is(t, "object");
    default:          return qn_str_is(t, "number") || (qn_str_is(t, "integer") && is_integer(v));
    }
}

static const char *type_in_words(qn_str t)
{
    static const struct { const char *type, *words; } WORDS[] = { { "string", "a text" }, { "integer", "an integer" }, { "number", "a number" },
        { "boolean", "true or false" }, { "array", "a list" }, { "object", "an object" }, { "null", "null" } };
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (qn_str_is(t, WORDS[i].type)) return WORDS[i].words;
    return "something else";
}

static bool check_type(checker *c, qn_value type, qn_value schema, qn_value v, const place *at)
{
    qn_value item, nullable;
    bool ok = type.kind == QN_V_TEXT && is_of_type(v, qn_v_str(type));
    for (qn_v_iter it = qn_v_iter_of(type); type.kind == QN_V_LIST && !ok && qn_v_next(&it, NULL, &item);) ok = is_of_type(v, qn_v_str(item));
    if (!ok && v.kind == QN_V_NULL && c->s->flags & QN_SCHEMA_OPENAPI && get(schema, "nullable", &nullable)) ok = nullable.kind == QN_V_BOOL && nullable.b;
    if (ok || !begin(c, at)) return ok;
    static const char *const IS[] = { "null", "a bool", "a number", "a number", "a number", "a text", "a list", "an object" };
    qn_buf_printf(c->words, " is %s", IS[v.kind]);
    if (v.kind != QN_V_NULL) { qn_buf_puts(c->words, " ("); show(c->words, v); qn_buf_putc(c->words, ')'); }
    qn_buf_puts(c->words, ", must be ");
    if (type.kind == QN_V_TEXT) qn_buf_puts(c->words, type_in_words(qn_v_str(type)));
    size_t i = 0;
    for (qn_v_iter it = qn_v_iter_of(type); type.kind == QN_V_LIST && qn_v_next(&it, NULL, &item); i++)
        qn_buf_printf(c->words, "%s%s", i ? " or " : "", type_in_words(qn_v_str(item)));
    return false;
}

/* ---- numbers and texts ---- */
static bool is_multiple(qn_value v, qn_value of)
{
    if (v.kind == QN_V_INT && of.kind == QN_V_INT && of.i) return v.i % of.i == 0;
    double q = qn_v_number(v) / qn_v_number(of);
    return isfinite(q) && (q == floor(q) || fabs(q - round(q)) < 1e-9 * fmax(1, fabs(q)));
}

static void check_number(checker *c, qn_value schema, qn_value v, const place *at)
{
    qn_value lo, hi, x;
    bool has_lo = get(schema, "minimum", &lo), has_hi = get(schema, "maximum", &hi);
    bool open_lo = get(schema, "exclusiveMinimum", &x) && x.kind == QN_V_BOOL && x.b, open_hi = get(schema, "exclusiveMaximum", &x) && x.kind == QN_V_BOOL && x.b;
    if (has_lo && (open_lo ? qn_v_cmp(v, lo) <= 0 : qn_v_cmp(v, lo) < 0)) off(c, at, v, open_lo ? "more than" : "at least", lo);
    if (has_hi && (open_hi ? qn_v_cmp(v, hi) >= 0 : qn_v_cmp(v, hi) > 0)) off(c, at, v, open_hi ? "less than" : "at most", hi);
    if (get(schema, "exclusiveMinimum", &x) && qn_v_is_number(x) && qn_v_cmp(v, x) <= 0) off(c, at, v, "more than", x);
    if (get(schema, "exclusiveMaximum", &x) && qn_v_is_number(x) && qn_v_cmp(v, x) >= 0) off(c, at, v, "less than", x);
    if (get(schema, "multipleOf", &x) && !is_multiple(v, x)) off(c, at, v, "a multiple of", x);
}

static bool matches(checker *c, qn_str pattern, qn_str text)
{
    uint64_t *at = qn_map_get_str(&c->s->patterns, pattern), work = 50000000;
    bool found = true;
    qn_err e;
    if (!at || !*at) return true;                                   /* passed over when it was prepared */
    if (qn_regex_find(c->s->regexes[*at - 1], text, 0, NULL, &work, &found, &e) != QN_OK) *c->failed = 1;
    return found;
}

static void check_text(checker *c, qn_value schema, qn_value v, const place *at)
{
    qn_value x;
    double n = (double)qn_utf8_count(qn_v_str(v));
    if (get(schema, "minLength", &x) && n < qn_v_number(x)) problem(c, at, " has %.0f characters, must have at least %.0f", n, qn_v_number(x));
    if (get(schema, "maxLength", &x) && n > qn_v_number(x)) problem(c, at, " has %.0f characters, must have at most %.0f", n, qn_v_number(x));
    if (get(schema, "pattern", &x) && !matches(c, qn_v_str(x), qn_v_str(v)) && begin(c, at)) {
        qn_buf_puts(c->words, " is ");
        show(c->words, v);
        qn_buf_printf(c->words, ", must match the pattern %.*s", QN_FMT(qn_v_str(x)));
    }
}

/* ---- lists ---- */
static void check_contains(checker *c, qn_value schema, qn_value sub, qn_value v, const place *at)
{
    qn_value item, x;
    size_t n = 0, i = 0;
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, NULL, &item); i++) n += fits(c, sub, item, &(place){ at, {0}, i, false });
    double least = get(schema, "minContains", &x) ? qn_v_number(x) : 1;
    if ((double)n < least) problem(c, at, " has %zu items of the form that must be in it at least %.0f times", n, least);
    if (get(schema, "maxContains", &x) && (double)n > qn_v_number(x)) problem(c, at, " has %zu items of a form that may be in it %.0f times", n, qn_v_number(x));
}

static void check_unique(checker *c, qn_value v, const place *at)
{
    for (size_t i = 0; i < v.n; i++)
        for (size_t k = 0; k < i; k++) {
            if (--*c->steps < 0) { *c->failed = 1; return; }
            if (qn_v_eq(qn_v_at(v, i), qn_v_at(v, k))) { problem(c, at, " has the same item twice (numbers %zu and %zu)", k, i); return; }
        }
}

static void check_list(checker *c, qn_value schema, qn_value v, const place *at)
{
    qn_value x, prefix, items, item;
    size_t i = 0;
    if (get(schema, "minItems", &x) && v.n < qn_v_number(x)) problem(c, at, " has %u items, must have at least %.0f", v.n, qn_v_number(x));
    if (get(schema, "maxItems", &x) && v.n > qn_v_number(x)) problem(c, at, " has %u items, must have at most %.0f", v.n, qn_v_number(x));
    bool has_items = get(schema, "items", &items), has_prefix = get(schema, "prefixItems", &prefix);
    if (has_items && items.kind == QN_V_LIST) {                     /* drafts before 2020: a list of schemas is a prefix */
        prefix = items;
        has_prefix = true;
        has_items = get(schema, "additionalItems", &items);
    }
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, NULL, &item); i++) {
        place here = { at, {0}, i, false };
        if (has_prefix && i < prefix.n) check(c, qn_v_at(prefix, i), item, &here);
        else if (has_items) check(c, items, item, &here);
    }
    if (get(schema, "contains", &x)) check_contains(c, schema, x, v, at);
    if (get(schema, "uniqueItems", &x) && x.kind == QN_V_BOOL && x.b) check_unique(c, v, at);
}

/* ---- objects ---- */
static void not_allowed(checker *c, qn_value schema, const place *here)
{
    qn_value properties, item;
    qn_str name;
    size_t n = 0;
    if (!begin(c, here)) return;
    qn_buf_puts(c->words, " is not allowed");
    if (!get(schema, "properties", &properties) || !properties.n) return;
    qn_buf_puts(c->words, " (the fields are: ");
    for (qn_v_iter it = qn_v_iter_of(properties); n < 20 && qn_v_next(&it, &name, &item); n++) qn_buf_printf(c->words, "%s%.*s", n ? ", " : "", QN_FMT(name));
    if (n < properties.n) qn_buf_puts(c->words, ", ...");
    qn_buf_putc(c->words, ')');
}

static void check_field(checker *c, qn_value schema, qn_str name, qn_value item, const place *here)
{
    qn_value properties, patterns, sub, extra;
    qn_str pattern;
    bool known = false;
    if (get(schema, "properties", &properties) && qn_v_get(properties, name, &sub)) {
        known = true;
        check(c, sub, item, here);
    }
    if (get(schema, "patternProperties", &patterns))
        for (qn_v_iter it = qn_v_iter_of(patterns); qn_v_next(&it, &pattern, &sub);)
            if (matches(c, pattern, name)) { known = true; check(c, sub, item, here); }
    if (known || !get(schema, "additionalProperties", &extra)) return;
    if (extra.kind == QN_V_BOOL && !extra.b) not_allowed(c, schema, here);
    else check(c, extra, item, here);
}

static void check_required(checker *c, qn_value required, qn_value v, const place *at, const char *why)
{
    qn_value name, x;
    for (qn_v_iter it = qn_v_iter_of(required); required.kind == QN_V_LIST && qn_v_next(&it, NULL, &name);)
        if (!qn_v_get(v, qn_v_str(name), &x)) problem(c, &(place){ at, qn_v_str(name), 0, true }, " is missing%s", why);
}

static void check_object(checker *c, qn_value schema, qn_value v, const place *at)
{
    qn_value x, item, list;
    qn_str name;
    if (get(schema, "required", &x)) check_required(c, x, v, at, "");
    if (get(schema, "minProperties", &x) && v.n < qn_v_number(x)) problem(c, at, " has %u fields, must have at least %.0f", v.n, qn_v_number(x));
    if (get(schema, "maxProperties", &x) && v.n > qn_v_number(x)) problem(c, at, " has %u fields, must have at most %.0f", v.n, qn_v_number(x));
    bool names = get(schema, "propertyNames", &x);
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, &name, &item);) {
        place here = { at, name, 0, true };
        if (names && !fits(c, x, qn_v_text(name), &here)) problem(c, &here, " is no allowed name");
        check_field(c, schema, name, item, &here);
    }
    if (get(schema, "dependentRequired", &x) && x.kind == QN_V_OBJECT)
        for (qn_v_iter it = qn_v_iter_of(x); qn_v_next(&it, &name, &list);)
            if (qn_v_get(v, name, &item)) check_required(c, list, v, at, " beside another field that needs it");
}

/* ---- combinations ---- */
static void check_any_of(checker *c, qn_value forms, qn_value v, const place *at, bool exactly_one)
{
    qn_value form;
    qn_buf all = {0};
    size_t fitting = 0, i = 0;
    for (qn_v_iter it = qn_v_iter_of(forms); qn_v_next(&it, NULL, &form); i++) {
        qn_buf one = {0};
        if (count_problems(c, form, v, at, c->words ? &one : NULL, 1) == 0) fitting++;
        else if (one.n && i < 6) qn_buf_printf(&all, "%s(%zu) %.*s", all.n ? "; " : "", i + 1, (int)qn_utf8_cut(qn_buf_view(&one), 200), one.p);
        qn_buf_free(&one);
        if (fitting && !exactly_one) break;
    }
    if (!fitting && forms.n) problem(c, at, " fits none of the %u allowed forms: %s", forms.n, all.p ? all.p : "");
    if (exactly_one && fitting > 1) problem(c, at, " fits %zu of the %u forms, must fit exactly one", fitting, forms.n);
    qn_buf_free(&all);
}

static void check_combined(checker *c, qn_value schema, qn_value v, const place *at)
{
    qn_value x, form, then;
    if (get(schema, "allOf", &x)) for (qn_v_iter it = qn_v_iter_of(x); qn_v_next(&it, NULL, &form);) check(c, form, v, at);
    if (get(schema, "anyOf", &x)) check_any_of(c, x, v, at, false);
    if (get(schema, "oneOf", &x)) check_any_of(c, x, v, at, true);
    if (get(schema, "not", &x) && fits(c, x, v, at) && begin(c, at)) {
        qn_buf_puts(c->words, " is ");
        show(c->words, v);
        qn_buf_puts(c->words, ", which is of a form that is not allowed");
    }
    if (get(schema, "if", &x)) {
        bool yes = fits(c, x, v, at);
        if (get(schema, yes ? "then" : "else", &then)) check(c, then, v, at);
    }
}

static void check_values(checker *c, qn_value schema, qn_value v, const place *at)
{
    qn_value all, item;
    if (get(schema, "const", &item) && !qn_v_eq(item, v)) off(c, at, v, "", item);
    if (!get(schema, "enum", &all) || all.kind != QN_V_LIST) return;
    for (qn_v_iter it = qn_v_iter_of(all); qn_v_next(&it, NULL, &item);)
        if (qn_v_eq(item, v)) return;
    if (!begin(c, at)) return;
    qn_buf_puts(c->words, " is ");
    show(c->words, v);
    qn_buf_puts(c->words, ", must be one of ");
    size_t i = 0;
    for (qn_v_iter it = qn_v_iter_of(all); i < 30 && qn_v_next(&it, NULL, &item); i++) {
        if (i) qn_buf_puts(c->words, ", ");
        show(c->words, item);
    }
    if (i < all.n) qn_buf_puts(c->words, ", ...");
}

static void check(checker *c, qn_value schema, qn_value v, const place *at)
{
    qn_value x;
    if (schema.kind == QN_V_BOOL) {
        if (!schema.b) problem(c, at, " is not allowed");
        return;
    }
    if (schema.kind == QN_V_TEXT) {
        problem(c, at, " cannot be checked: its description refers to `%.*s`, which is not there", QN_FMT(qn_v_str(schema)));
        return;
    }
    if (schema.kind != QN_V_OBJECT || *c->failed) return;
    if (c->depth >= MAX_DEPTH || --*c->steps < 0) { *c->failed = 1; return; }
    c->depth++;
    if (get(schema, "$ref", &x)) {
        uint64_t *target = qn_map_get_str(&c->s->refs, qn_v_str(x));
        if (target) check(c, c->s->targets[*target], v, at);
    }
    if (!get(schema, "type", &x) || check_type(c, x, schema, v, at)) {  /* a wrong type makes the rest of the words useless */
        bool null_by_leave = v.kind == QN_V_NULL && c->s->flags & QN_SCHEMA_OPENAPI && get(schema, "nullable", &x) && x.kind == QN_V_BOOL && x.b;
        if (!null_by_leave) check_values(c, schema, v, at);
        if (qn_v_is_number(v)) check_number(c, schema, v, at);
        if (v.kind == QN_V_TEXT) check_text(c, schema, v, at);
        if (v.kind == QN_V_LIST) check_list(c, schema, v, at);
        if (v.kind == QN_V_OBJECT) check_object(c, schema, v, at);
        check_combined(c, schema, v, at);
    }
    c->depth--;
}

size_t qn_schema_problems(const qn_schema *s, qn_value v, size_t max, qn_buf *words)
{
    int steps = MAX_STEPS, failed = 0;
    checker c = { .s = s, .words = words, .max = max, .steps = &steps, .failed = &failed };
    check(&c, s->schema, v, NULL);
    if (failed && !c.n++ && words) qn_buf_puts(words, "the reply is too deep or too large to be checked");
    return c.n;
}

/* ---- types ---- */
static const qn_type *type_of(qn_value schema, qn_value root, qn_arena *a, int depth);

static const qn_type *may_be_null(const qn_type *t, qn_arena *a) { return qn_type_join(t, qn_type_simple(QN_T_NULL), a); }

static const qn_type *record_of(qn_value schema, qn_value root, qn_arena *a, int depth)
{
    qn_value properties, required, item, name_v, extra;
    qn_str name;
    qn_type *t = QN_ARENA_NEW(a, qn_type);
    *t = (qn_type){ .kind = QN_T_RECORD, .open = !(get(schema, "additionalProperties", &extra) && extra.kind == QN_V_BOOL && !extra.b) };
    get(schema, "required", &required);
    if (!get(schema, "properties", &properties) || properties.kind != QN_V_OBJECT) return t;
    qn_type_field *f = QN_ARENA_NEW_N(a, qn_type_field, properties.n);
    for (qn_v_iter it = qn_v_iter_of(properties); qn_v_next(&it, &name, &item); t->n_fields++) {
        bool must = false;
        for (qn_v_iter jt = qn_v_iter_of(required); required.kind == QN_V_LIST && !must && qn_v_next(&jt, NULL, &name_v);) must = qn_str_eq(qn_v_str(name_v), name);
        const qn_type *type = type_of(item, root, a, depth + 1);
        f[t->n_fields] = (qn_type_field){ name, must ? type : may_be_null(type, a) };
    }
    t->fields = f;
    return t;
}

static const qn_type *type_named(qn_str t, qn_value schema, qn_value root, qn_arena *a, int depth)
{
    qn_value items;
    if (qn_str_is(t, "string")) return qn_type_simple(QN_T_TEXT);
    if (qn_str_is(t, "integer")) return qn_type_simple(QN_T_INT);
    if (qn_str_is(t, "number")) return qn_type_simple(QN_T_NUMBER);
    if (qn_str_is(t, "boolean")) return qn_type_simple(QN_T_BOOL);
    if (qn_str_is(t, "null")) return qn_type_simple(QN_T_NULL);
    if (qn_str_is(t, "object")) return record_of(schema, root, a, depth);
    if (!qn_str_is(t, "array")) return qn_type_simple(QN_T_ANY);
    qn_type *l = QN_ARENA_NEW(a, qn_type);
    l->kind = QN_T_LIST;
    l->item = get(schema, "items", &items) ? type_of(items, root, a, depth + 1) : qn_type_simple(QN_T_ANY);
    return l;
}

static const qn_type *joined(qn_value forms, qn_value root, qn_arena *a, int depth)
{
    const qn_type *t = NULL;
    qn_value form;
    for (qn_v_iter it = qn_v_iter_of(forms); qn_v_next(&it, NULL, &form);) {
        const qn_type *one = type_of(form, root, a, depth + 1);
        t = t ? qn_type_join(t, one, a) : one;
    }
    return t ? t : qn_type_simple(QN_T_ANY);
}

static const qn_type *type_of(qn_value schema, qn_value root, qn_arena *a, int depth)
{
    qn_value x, item;
    const qn_type *t = NULL;
    if (depth > 12 || schema.kind != QN_V_OBJECT) return qn_type_simple(QN_T_ANY);
    if (get(schema, "$ref", &x)) return x.kind == QN_V_TEXT && follow(root, qn_v_str(x), a, &item) ? type_of(item, root, a, depth + 1) : qn_type_simple(QN_T_ANY);
    if (get(schema, "type", &x)) {
        if (x.kind == QN_V_TEXT) return type_named(qn_v_str(x), schema, root, a, depth);
        for (qn_v_iter it = qn_v_iter_of(x); x.kind == QN_V_LIST && qn_v_next(&it, NULL, &item);) {
            const qn_type *one = type_named(qn_v_str(item), schema, root, a, depth);
            t = t ? qn_type_join(t, one, a) : one;
        }
        return t ? t : qn_type_simple(QN_T_ANY);
    }
    if (get(schema, "enum", &x) && x.kind == QN_V_LIST) {
        for (qn_v_iter it = qn_v_iter_of(x); qn_v_next(&it, NULL, &item);) {
            const qn_type *one = qn_type_of_value(item, a);
            t = t ? qn_type_join(t, one, a) : one;
        }
        return t ? t : qn_type_simple(QN_T_ANY);
    }
    if (get(schema, "const", &x)) return qn_type_of_value(x, a);
    if (get(schema, "anyOf", &x) || get(schema, "oneOf", &x)) return joined(x, root, a, depth);
    return qn_type_simple(QN_T_ANY);
}

const qn_type *qn_schema_type_of(qn_value schema, qn_value root, qn_arena *a) { return type_of(schema, root, a, 0); }

qn_schema *qn_schema_part(const qn_schema *whole, qn_value part, qn_arena *a)
{
    qn_schema *s = QN_ARENA_NEW(a, qn_schema);
    *s = *whole;
    s->schema = s->sent = part;
    return s;
}

/* ---- replies ---- */
qn_code qn_schema_of_json(qn_value schema, qn_arena *a, qn_schema **out, qn_err *e)
{
    QN_TRY(qn_schema_compile(schema, schema, 0, a, out, e));
    (*out)->type = type_of(schema, schema, a, 0);
    return QN_OK;
}

qn_code qn_schema_short(qn_value form, qn_pos pos, qn_arena *a, qn_schema **out, qn_err *e)
{
    qn_value schema;
    qn_code rc;
    if (form.kind != QN_V_OBJECT || form.n == 0) {
        qn_fail_at(e, QN_ERECIPE, pos, "`reply` is a map of fields");
        qn_hint(e, "reply: {question: text, score: int 1..5}");
        return QN_ERECIPE;
    }
    rc = qn_schema_of_short(form, a, &schema, e);
    if (rc == QN_OK) rc = qn_schema_of_json(schema, a, out, e);
    if (rc != QN_OK) {
        if (e) e->pos = pos;
        return rc;
    }
    if (!qn_schema_is_full(form)) (*out)->sent = qn_schema_strict(schema, a);
    return QN_OK;
}

qn_value qn_schema_json(const qn_schema *s) { return s->sent; }
const qn_type *qn_schema_type(const qn_schema *s) { return s->type; }
void qn_schema_words(const qn_schema *s, qn_buf *out) { qn_schema_say(out, s->schema); }

bool qn_schema_fits(const qn_schema *s, qn_value v, qn_buf *why)
{
    qn_buf lines = {0};
    size_t n = qn_schema_problems(s, v, 5, why ? &lines : NULL);
    for (size_t i = 0; i < lines.n; i++) {
        if (lines.p[i] == '\n') qn_buf_puts(why, "; ");
        else qn_buf_putc(why, lines.p[i]);
    }
    qn_buf_free(&lines);
    return n == 0;
}
