/* functions: descriptions of what a model may call -> one schema of arguments for each function. All schemas of a document are prepared together,
 * so that what they share through $ref is prepared once. */
#include "recipe/functions.h"
#include "core/file.h"
#include "data/yaml.h"

enum { MAX_FUNCTIONS = 20000, MAX_DEPTH = 60, MAX_BYTES = 32 << 20 };

typedef struct { qn_arena *a; qn_err *e; qn_value doc; qn_functions *out; size_t cap; int depth; } reader;

static bool get(qn_value v, const char *name, qn_value *out) { return qn_v_get(v, qn_str_of(name), out); }
static qn_value text_of(const char *z) { return qn_v_text(qn_str_of(z)); }

static qn_function *add(reader *r)
{
    if (r->out->n == r->cap) {
        qn_function *more = QN_ARENA_NEW_N(r->a, qn_function, r->cap = r->cap ? r->cap * 2 : 16);
        if (r->out->n) memcpy(more, r->out->items, r->out->n * sizeof *more);
        r->out->items = more;
    }
    return &r->out->items[r->out->n++];
}

/* ---- type words of other languages ---- */
static const char *plain_type(qn_str t)
{
    static const struct { const char *theirs, *plain; } WORDS[] = {
        { "dict", "object" }, { "map", "object" }, { "hashmap", "object" }, { "record", "object" }, { "list", "array" }, { "tuple", "array" }, { "set", "array" },
        { "arraylist", "array" }, { "float", "number" }, { "double", "number" }, { "decimal", "number" }, { "int", "integer" }, { "long", "integer" }, { "short", "integer" },
        { "byte", "integer" }, { "bigint", "integer" }, { "str", "string" }, { "char", "string" }, { "text", "string" }, { "bool", "boolean" }, { "none", "null" },
        { "object", "object" }, { "array", "array" }, { "string", "string" }, { "number", "number" }, { "integer", "integer" }, { "boolean", "boolean" }, { "null", "null" } };
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (qn_str_ieq(t, qn_str_of(WORDS[i].theirs))) return WORDS[i].plain;
    return NULL;                                                    /* any, and what nobody knows: no constraint */
}

static bool is_schema_keyword_of_schemas(qn_str name)
{
    return qn_str_is(name, "items") || qn_str_is(name, "additionalProperties") || qn_str_is(name, "anyOf") || qn_str_is(name, "oneOf") || qn_str_is(name, "allOf");
}

/* A schema with plain type words; `optional: true` and `required: true` on a property are no keywords and go. */
static qn_value plain_schema(reader *r, qn_value v, bool names, int depth)
{
    qn_object_b o = { .a = r->a };
    qn_list_b l = { .a = r->a };
    qn_value item;
    qn_str name;
    if (depth > MAX_DEPTH) return v;
    if (v.kind == QN_V_LIST) {
        for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, NULL, &item);) qn_list_put(&l, plain_schema(r, item, false, depth + 1));
        return qn_list_end(&l);
    }
    if (v.kind != QN_V_OBJECT) return v;
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, &name, &item);) {
        if (names) {                                                /* of properties: any name, each a schema */
            qn_object_put(&o, name, plain_schema(r, item, false, depth + 1));
        } else if (qn_str_is(name, "type") && item.kind == QN_V_TEXT) {
            const char *t = plain_type(qn_v_str(item));
            if (t) qn_object_put(&o, name, text_of(t));
        } else if ((qn_str_is(name, "required") && item.kind != QN_V_LIST) || qn_str_is(name, "optional")) {
            continue;
        } else if (qn_str_is(name, "properties")) {
            qn_object_put(&o, name, plain_schema(r, item, true, depth + 1));
        } else {
            qn_object_put(&o, name, is_schema_keyword_of_schemas(name) ? plain_schema(r, item, false, depth + 1) : item);
        }
    }
    return qn_object_end(&o);
}

/* ---- lists of function schemas ---- */
static qn_code one_function(reader *r, qn_value v)
{
    qn_value inner, name, about, parameters, x;
    if (get(v, "function", &inner) && inner.kind == QN_V_OBJECT) v = inner;        /* OpenAI: {type: function, function: {...}} */
    if (!get(v, "name", &name) || name.kind != QN_V_TEXT || !name.n) return QN_OK;
    if (r->out->n >= MAX_FUNCTIONS) return qn_fail(r->e, QN_ELIMIT, "more than %d functions are described", MAX_FUNCTIONS);
    if (!get(v, "parameters", &parameters) && !get(v, "input_schema", &parameters)) get(v, "inputSchema", &parameters);
    get(v, "description", &about);
    parameters = plain_schema(r, parameters, false, 0);
    qn_object_b o = { .a = r->a };
    if (parameters.kind == QN_V_OBJECT) {
        qn_str key;
        for (qn_v_iter it = qn_v_iter_of(parameters); qn_v_next(&it, &key, &x);) qn_object_put(&o, key, x);
    }
    if (!get(parameters, "type", &x)) qn_object_put(&o, QN_STR("type"), text_of("object"));
    if (!get(parameters, "additionalProperties", &x)) qn_object_put(&o, QN_STR("additionalProperties"), qn_v_bool(false));
    *add(r) = (qn_function){ .name = qn_v_str(name), .about = qn_v_str(about), .parameters = qn_object_end(&o) };
    return QN_OK;
}

/* ---- OpenAPI ---- */
static qn_value follow(reader *r, qn_value v)                       /* $ref of a parameter, a body, a path */
{
    qn_value ref;
    for (int hops = 0; hops < 10 && get(v, "$ref", &ref) && ref.kind == QN_V_TEXT; hops++) {
        qn_str s = qn_v_str(ref);
        if (s.n < 2 || s.p[0] != '#' || s.p[1] != '/') return v;
        qn_value at = r->doc;
        for (s = qn_str_sub(s, 2, s.n); s.n;) {
            const char *slash = memchr(s.p, '/', s.n);
            size_t end = slash ? (size_t)(slash - s.p) : s.n;
            if (!qn_v_get(at, qn_str_sub(s, 0, end), &at)) return v;
            s = qn_str_sub(s, slash ? end + 1 : end, s.n);
        }
        v = at;
    }
    return v;
}

typedef struct { qn_object_b properties; qn_list_b required; bool open; } arguments;

static void argument(reader *r, arguments *args, qn_str name, qn_value schema, bool required)
{
    qn_object_put(&args->properties, name, schema);
    if (required) qn_list_put(&args->required, qn_v_text(name));
    (void)r;
}

/* OpenAPI 2 writes the schema's words beside name and in; 3 puts them under `schema` or `content`. */
static qn_value parameter_schema(reader *r, qn_value p)
{
    static const char *const OWN[] = { "name", "in", "required", "description", "schema", "content", "style", "explode", "allowEmptyValue", "collectionFormat", "example", "examples" };
    qn_value schema, content, item;
    qn_str name;
    if (get(p, "schema", &schema)) return schema;
    if (get(p, "content", &content))
        for (qn_v_iter it = qn_v_iter_of(content); qn_v_next(&it, NULL, &item);)
            if (get(item, "schema", &schema)) return schema;
    qn_object_b o = { .a = r->a };
    for (qn_v_iter it = qn_v_iter_of(p); p.kind == QN_V_OBJECT && qn_v_next(&it, &name, &item);) {
        bool own = false;
        for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) own = own || qn_str_is(name, OWN[i]);
        if (own) continue;
        if (qn_str_is(name, "type") && qn_str_is(qn_v_str(item), "file")) continue;
        qn_object_put(&o, name, item);
    }
    return qn_object_end(&o);
}

static bool is_true(qn_value v, const char *name)
{
    qn_value x;
    return get(v, name, &x) && ((x.kind == QN_V_BOOL && x.b) || qn_str_is(qn_v_str(x), "true"));
}

/* The fields of an object body become arguments beside the others; any other body is the argument `body`. */
static void body_arguments(reader *r, arguments *args, qn_value schema, bool required, int depth)
{
    qn_value whole = follow(r, schema), properties, all, list, item, must;
    qn_str name;
    if (get(whole, "allOf", &all) && all.kind == QN_V_LIST && depth < 10) {
        for (qn_v_iter it = qn_v_iter_of(all); qn_v_next(&it, NULL, &item);) body_arguments(r, args, item, required, depth + 1);
    }
    if (get(whole, "properties", &properties) && properties.kind == QN_V_OBJECT) {
        get(whole, "required", &list);
        for (qn_v_iter it = qn_v_iter_of(properties); qn_v_next(&it, &name, &item);) {
            bool needed = false;
            for (qn_v_iter jt = qn_v_iter_of(list); list.kind == QN_V_LIST && !needed && qn_v_next(&jt, NULL, &must);) needed = qn_str_eq(qn_v_str(must), name);
            argument(r, args, name, item, needed && required);
        }
        if (get(whole, "additionalProperties", &item) && !(item.kind == QN_V_BOOL && !item.b)) args->open = true;
    } else if (all.kind != QN_V_LIST && depth == 0) {
        argument(r, args, QN_STR("body"), schema, required);
    }
}

static void parameters(reader *r, arguments *args, qn_value list)
{
    qn_value p, name, in;
    for (qn_v_iter it = qn_v_iter_of(list); list.kind == QN_V_LIST && qn_v_next(&it, NULL, &p);) {
        p = follow(r, p);
        if (!get(p, "name", &name) || name.kind != QN_V_TEXT) continue;
        get(p, "in", &in);
        if (qn_str_is(qn_v_str(in), "body")) body_arguments(r, args, parameter_schema(r, p), is_true(p, "required"), 0);
        else argument(r, args, qn_v_str(name), parameter_schema(r, p), is_true(p, "required"));
    }
}

static void request_body(reader *r, arguments *args, qn_value op)
{
    qn_value body, content, media, schema;
    qn_str type;
    if (!get(op, "requestBody", &body)) return;
    body = follow(r, body);
    if (!get(body, "content", &content)) return;
    for (qn_v_iter it = qn_v_iter_of(content); qn_v_next(&it, &type, &media);)
        if (get(media, "schema", &schema)) { body_arguments(r, args, schema, is_true(body, "required"), 0); return; }
}

static qn_code operation(reader *r, qn_str path, qn_str method, qn_value shared, qn_value op)
{
    qn_value id, about, own;
    arguments args = { .properties.a = r->a, .required.a = r->a };
    qn_object_b o = { .a = r->a };
    if (op.kind != QN_V_OBJECT) return QN_OK;
    if (r->out->n >= MAX_FUNCTIONS) return qn_fail(r->e, QN_ELIMIT, "more than %d functions are described", MAX_FUNCTIONS);
    if (!get(op, "operationId", &id) || id.kind != QN_V_TEXT || !id.n) id = qn_v_text(qn_arena_printf(r->a, "%.*s %.*s", QN_FMT(method), QN_FMT(path)));
    if (!get(op, "description", &about)) get(op, "summary", &about);
    parameters(r, &args, shared);
    get(op, "parameters", &own);
    parameters(r, &args, own);
    request_body(r, &args, op);
    qn_object_put(&o, QN_STR("type"), text_of("object"));
    qn_object_put(&o, QN_STR("properties"), qn_object_end(&args.properties));
    qn_object_put(&o, QN_STR("required"), qn_list_end(&args.required));
    if (!args.open) qn_object_put(&o, QN_STR("additionalProperties"), qn_v_bool(false));
    *add(r) = (qn_function){ .name = qn_v_str(id), .about = qn_v_str(about), .method = method, .path = path, .parameters = qn_object_end(&o) };
    return QN_OK;
}

static qn_code openapi(reader *r, qn_value all_paths)
{
    static const char *const METHODS[] = { "get", "put", "post", "delete", "options", "head", "patch", "trace" };
    qn_value item, shared, op;
    qn_str path;
    for (qn_v_iter it = qn_v_iter_of(all_paths); qn_v_next(&it, &path, &item);) {
        item = follow(r, item);
        get(item, "parameters", &shared);
        for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++)
            if (get(item, METHODS[i], &op)) QN_TRY(operation(r, path, qn_str_of(METHODS[i]), shared, op));
    }
    return QN_OK;
}

/* ---- any description ---- */
static qn_code read_any(reader *r, qn_value v)
{
    qn_value x, item;
    qn_err ignored;
    if (++r->depth > 5) return QN_OK;
    if (v.kind == QN_V_TEXT && v.n && qn_json_parse(qn_v_str(v), r->a, &x, &ignored) == QN_OK) {
        r->doc = x;
        QN_TRY(read_any(r, x));
    } else if (v.kind == QN_V_LIST) {
        for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, NULL, &item);) QN_TRY(read_any(r, item));
    } else if (get(v, "paths", &x) && x.kind == QN_V_OBJECT) {
        QN_TRY(openapi(r, x));
    } else if ((get(v, "tools", &x) || get(v, "functions", &x)) && x.kind == QN_V_LIST) {
        QN_TRY(read_any(r, x));
    } else if (v.kind == QN_V_OBJECT) {
        QN_TRY(one_function(r, v));
    }
    r->depth--;
    return QN_OK;
}

qn_code qn_functions_read(qn_value doc, qn_arena *a, qn_functions *out, qn_err *e)
{
    reader r = { .a = a, .e = e, .doc = doc, .out = out };
    qn_list_b all = { .a = a };
    qn_object_b o = { .a = a };
    qn_schema *whole;
    *out = (qn_functions){0};
    QN_TRY(read_any(&r, doc));
    if (!out->n) return qn_fail(e, QN_EDATA, "nothing in it describes a function: OpenAPI `paths` or a list of {name, parameters} is needed");
    for (size_t i = 0; i < out->n; i++) qn_list_put(&all, out->items[i].parameters);
    qn_object_put(&o, QN_STR("allOf"), qn_list_end(&all));          /* one schema that reaches them all */
    QN_TRY(qn_schema_compile(qn_object_end(&o), r.doc, QN_SCHEMA_LENIENT | QN_SCHEMA_OPENAPI, a, &whole, e));
    for (size_t i = 0; i < out->n; i++) out->items[i].schema = qn_schema_part(whole, out->items[i].parameters, a);
    return QN_OK;
}

qn_code qn_functions_load(const char *path, qn_arena *a, qn_functions *out, qn_err *e)
{
    qn_buf b = {0};
    qn_value doc;
    qn_ynode *y;
    qn_code rc = qn_file_read(path, MAX_BYTES, &b, e);
    qn_str bytes = qn_arena_str(a, qn_buf_view(&b)), start = qn_str_trim(bytes);
    qn_buf_free(&b);
    QN_TRY(rc);
    if (start.n && (start.p[0] == '{' || start.p[0] == '[')) {
        QN_TRY(qn_json_parse(bytes, a, &doc, e));
    } else {
        QN_TRY(qn_yaml_parse(bytes, path, QN_YAML_ALIASES, a, &y, e));
        doc = qn_yaml_value(y, a);
    }
    rc = qn_functions_read(doc, a, out, e);
    if (rc != QN_OK && e && !e->pos.file) e->pos.file = qn_arena_str(a, qn_str_of(path)).p;
    return rc;
}

const qn_function *qn_functions_find(const qn_functions *f, qn_str name)
{
    for (size_t i = 0; i < f->n; i++)
        if (qn_str_eq(f->items[i].name, name)) return &f->items[i];
    return NULL;
}

/* ---- calls ---- */
static bool arguments_of(qn_value v, qn_arena *a, qn_value *out, qn_buf *why)
{
    qn_err e;
    if (v.kind == QN_V_TEXT) {                                      /* JSON within JSON, as OpenAI writes it */
        qn_str s = qn_str_trim(qn_v_str(v));
        if (!s.n) { *out = qn_v_object(NULL, 0); return true; }
        if (qn_json_parse(s, a, out, &e) != QN_OK) { qn_buf_printf(why, "its arguments are no JSON: %s", e.msg); return false; }
        v = *out;
    }
    if (v.kind == QN_V_NULL) v = qn_v_object(NULL, 0);
    *out = v;
    if (v.kind == QN_V_OBJECT) return true;
    qn_buf_printf(why, "its arguments are a %s, not an object", qn_v_kind_name(v));
    return false;
}

bool qn_call_read(qn_value call, qn_arena *a, qn_str *name, qn_value *out, qn_buf *why)
{
    static const char *const NAMES[] = { "name", "Action", "action", "function", "tool" }, *const ARGS[] = { "arguments", "Action_Input", "action_input", "args", "parameters", "input" };
    qn_value v, args = qn_v_null();
    if (call.kind != QN_V_OBJECT) { qn_buf_printf(why, "a call is an object, not %s", qn_v_kind_name(call)); return false; }
    if (get(call, "function", &v) && v.kind == QN_V_OBJECT) call = v;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (!get(call, NAMES[i], &v) || v.kind != QN_V_TEXT) continue;
        *name = qn_v_str(v);
        for (size_t k = 0; k < sizeof ARGS / sizeof *ARGS; k++)
            if (get(call, ARGS[k], &args)) break;
        return arguments_of(args, a, out, why);
    }
    if (call.n == 1) {                                              /* {"name": {arguments}} */
        qn_v_iter it = qn_v_iter_of(call);
        if (qn_v_next(&it, name, &v) && v.kind == QN_V_OBJECT) { *out = v; return true; }
    }
    qn_buf_puts(why, "it has no `name`");
    return false;
}
