/* type: reading, writing, joining and comparing the types of fields. Types are small trees in an arena and never change. */
#include "data/type.h"

enum { MAX_DEPTH = 100 };

static const qn_type SIMPLE[] = {
    [QN_T_ANY] = { .kind = QN_T_ANY },       [QN_T_NULL] = { .kind = QN_T_NULL },     [QN_T_BOOL] = { .kind = QN_T_BOOL },
    [QN_T_INT] = { .kind = QN_T_INT },       [QN_T_REAL] = { .kind = QN_T_REAL },     [QN_T_NUMBER] = { .kind = QN_T_NUMBER },
    [QN_T_TEXT] = { .kind = QN_T_TEXT },     [QN_T_LIST] = { .kind = QN_T_LIST, .item = &SIMPLE[QN_T_ANY] },
    [QN_T_RECORD] = { .kind = QN_T_RECORD, .open = true },
};

static const struct { const char *word; qn_tkind kind; } WORDS[] = {
    { "any", QN_T_ANY },   { "null", QN_T_NULL },     { "bool", QN_T_BOOL }, { "int", QN_T_INT },
    { "real", QN_T_REAL }, { "number", QN_T_NUMBER }, { "text", QN_T_TEXT }, { "list", QN_T_LIST },
    { "object", QN_T_RECORD },
};
enum { N_WORDS = sizeof WORDS / sizeof *WORDS };

const qn_type *qn_type_simple(qn_tkind kind) { return &SIMPLE[kind]; }

static qn_type *type_new(qn_arena *a, qn_tkind kind)
{
    qn_type *t = QN_ARENA_NEW(a, qn_type);
    t->kind = kind;
    return t;
}

static const qn_type *maybe(const qn_type *t, qn_arena *a)
{
    if (t->maybe || t->kind == QN_T_ANY || t->kind == QN_T_NULL) return t;
    qn_type *m = QN_ARENA_NEW(a, qn_type);
    *m = *t;
    m->maybe = true;
    return m;
}

/* ---- reading ---- */
typedef struct { qn_str text; size_t at; qn_arena *a; qn_err *e; int depth; } reader;

static char peek(reader *r)
{
    while (r->at < r->text.n && (r->text.p[r->at] == ' ' || (r->text.p[r->at] >= '\t' && r->text.p[r->at] <= '\r'))) r->at++;
    return r->at < r->text.n ? r->text.p[r->at] : 0;
}

static bool take(reader *r, char c)
{
    if (peek(r) != c) return false;
    r->at++;
    return true;
}

static qn_code bad(reader *r, const char *wanted)
{
    char c = peek(r);
    if (c) return qn_fail_at(r->e, QN_ERECIPE, (qn_pos){ .line = 1, .col = (int)r->at + 1 }, "in the type `%.*s`: %s was expected at `%.*s`",
                             (int)(r->text.n > 120 ? 120 : r->text.n), r->text.p, wanted,
                             (int)(r->text.n - r->at > 20 ? 20 : r->text.n - r->at), r->text.p + r->at);
    return qn_fail_at(r->e, QN_ERECIPE, (qn_pos){ .line = 1, .col = (int)r->at + 1 }, "the type `%.*s` ends too early: %s was expected",
                      (int)(r->text.n > 120 ? 120 : r->text.n), r->text.p, wanted);
}

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || (c & 0x80); }

static qn_str word(reader *r)
{
    peek(r);
    size_t from = r->at;
    while (r->at < r->text.n && is_word(r->text.p[r->at])) r->at++;
    return qn_str_sub(r->text, from, r->at);
}

/* A name: a bare word, or any text in double quotes (\" and \\ are the only escapes). */
static qn_code read_name(reader *r, qn_str *out)
{
    if (peek(r) != '"') {
        *out = word(r);
        return out->n ? QN_OK : bad(r, "a name");
    }
    char *p = qn_arena_alloc(r->a, r->text.n - r->at);
    size_t n = 0;
    for (r->at++; r->at < r->text.n && r->text.p[r->at] != '"'; r->at++) {
        if (r->text.p[r->at] == '\\' && r->at + 1 < r->text.n) r->at++;
        p[n++] = r->text.p[r->at];
    }
    if (r->at >= r->text.n) return bad(r, "a closing \"");
    r->at++;
    *out = (qn_str){ p, n };
    return QN_OK;
}

static qn_code read_type(reader *r, const qn_type **out);

/* Fields up to `close` (0: the end of the text), which is taken. */
static qn_code read_fields(reader *r, char close, const qn_type **out)
{
    qn_type *t = type_new(r->a, QN_T_RECORD);
    qn_type_field *fields = NULL;
    size_t cap = 0;
    while (peek(r) != close) {
        if (r->at + 3 <= r->text.n && memcmp(r->text.p + r->at, "...", 3) == 0) {
            r->at += 3;
            t->open = true;
        } else {
            qn_str name;
            const qn_type *type;
            QN_TRY(read_name(r, &name));
            if (!take(r, ':')) return bad(r, "`:`");
            QN_TRY(read_type(r, &type));
            for (size_t i = 0; i < t->n_fields; i++)
                if (qn_str_eq(fields[i].name, name)) return qn_fail(r->e, QN_ERECIPE, "the field `%.*s` is named twice", QN_FMT(name));
            if (t->n_fields == cap) {
                qn_type_field *more = qn_arena_alloc(r->a, (cap = cap ? cap * 2 : 4) * sizeof *more);
                if (t->n_fields) memcpy(more, fields, t->n_fields * sizeof *more);
                fields = more;
            }
            fields[t->n_fields++] = (qn_type_field){ qn_arena_str(r->a, name), type };
        }
        if (!take(r, ',')) break;
    }
    if (close ? !take(r, close) : peek(r) != 0) return bad(r, close ? "`,` or `}`" : "`,` or the end");
    t->fields = fields;
    *out = t;
    return QN_OK;
}

static qn_code read_word(reader *r, const qn_type **out)
{
    qn_str w = word(r);
    if (!w.n) return bad(r, "a type");
    const char *names[N_WORDS];
    for (size_t i = 0; i < N_WORDS; i++) {
        names[i] = WORDS[i].word;
        if (qn_str_is(w, WORDS[i].word)) { *out = qn_type_simple(WORDS[i].kind); return QN_OK; }
    }
    qn_code rc = qn_fail_at(r->e, QN_ERECIPE, (qn_pos){ .line = 1, .col = (int)(r->at - w.n) + 1 }, "no type is called `%.*s`", QN_FMT(w));
    static const struct { const char *theirs, *ours; } OTHERS[] = { { "string", "text" }, { "str", "text" }, { "integer", "int" },
        { "float", "real" }, { "double", "real" }, { "boolean", "bool" }, { "array", "[any]" }, { "dict", "{...}" } };
    const char *near = qn_nearest(w, names, N_WORDS);
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        if (qn_str_is(w, OTHERS[i].theirs)) near = OTHERS[i].ours;
    if (near) qn_hint(r->e, "did you mean `%s`?", near);
    else qn_hint(r->e, "types are text, int, real, number, bool, null, any, [T], {name: T}, and T? for one that may be missing");
    return rc;
}

static qn_code read_type(reader *r, const qn_type **out)
{
    if (++r->depth > MAX_DEPTH) return qn_fail(r->e, QN_ELIMIT, "a type is nested deeper than %d levels", MAX_DEPTH);
    if (take(r, '[')) {
        qn_type *t = type_new(r->a, QN_T_LIST);
        QN_TRY(read_type(r, &t->item));
        if (!take(r, ']')) return bad(r, "`]`");
        *out = t;
    } else if (take(r, '{')) {
        QN_TRY(read_fields(r, '}', out));
    } else {
        QN_TRY(read_word(r, out));
    }
    if (take(r, '?')) *out = maybe(*out, r->a);
    r->depth--;
    return QN_OK;
}

qn_code qn_type_parse(qn_str text, qn_arena *a, const qn_type **out, qn_err *e)
{
    reader r = { .text = text, .a = a, .e = e };
    QN_TRY(read_type(&r, out));
    return peek(&r) || r.at < text.n ? bad(&r, "the end") : QN_OK;
}

qn_code qn_type_parse_fields(qn_str text, qn_arena *a, const qn_type **out, qn_err *e)
{
    reader r = { .text = text, .a = a, .e = e };
    QN_TRY(read_fields(&r, 0, out));
    return r.at < text.n ? bad(&r, "the end") : QN_OK;
}

/* ---- writing ---- */
static void write_name(qn_buf *b, qn_str name)
{
    bool bare = name.n > 0;
    for (size_t i = 0; i < name.n; i++) bare = bare && is_word(name.p[i]);
    if (bare) { qn_buf_str(b, name); return; }
    qn_buf_putc(b, '"');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"' || name.p[i] == '\\') qn_buf_putc(b, '\\');
        qn_buf_putc(b, name.p[i]);
    }
    qn_buf_putc(b, '"');
}

void qn_type_write(qn_buf *b, const qn_type *t)
{
    if (t->kind == QN_T_LIST) {
        qn_buf_putc(b, '[');
        qn_type_write(b, t->item);
        qn_buf_putc(b, ']');
    } else if (t->kind == QN_T_RECORD) {
        qn_buf_putc(b, '{');
        for (size_t i = 0; i < t->n_fields; i++) {
            if (i) qn_buf_puts(b, ", ");
            write_name(b, t->fields[i].name);
            qn_buf_puts(b, ": ");
            qn_type_write(b, t->fields[i].type);
        }
        if (t->open) qn_buf_puts(b, t->n_fields ? ", ..." : "...");
        qn_buf_putc(b, '}');
    } else {
        for (size_t i = 0; i < N_WORDS; i++)
            if (WORDS[i].kind == t->kind) { qn_buf_puts(b, WORDS[i].word); break; }
    }
    if (t->maybe && t->kind != QN_T_ANY && t->kind != QN_T_NULL) qn_buf_putc(b, '?');
}

/* ---- asking ---- */
const qn_type *qn_type_field_of(const qn_type *record, qn_str name)
{
    if (record->kind != QN_T_RECORD) return NULL;
    for (size_t i = 0; i < record->n_fields; i++)
        if (qn_str_eq(record->fields[i].name, name)) return record->fields[i].type;
    return NULL;
}

const char *qn_type_nearest_field(const qn_type *record, qn_str name, qn_arena *a)
{
    if (record->kind != QN_T_RECORD || !record->n_fields) return NULL;
    const char **names = QN_ARENA_NEW_N(a, const char *, record->n_fields);
    for (size_t i = 0; i < record->n_fields; i++) names[i] = qn_arena_str(a, record->fields[i].name).p;
    return qn_nearest(name, names, record->n_fields);
}

/* Of a long list only the first items are looked at: this is a hint for checks, not a proof. */
enum { LOOK_ITEMS = 64 };

static const qn_type *of_value(qn_value v, qn_arena *a, int depth)
{
    static const qn_tkind kinds[] = { [QN_V_NULL] = QN_T_NULL, [QN_V_BOOL] = QN_T_BOOL, [QN_V_INT] = QN_T_INT, [QN_V_UINT] = QN_T_INT,
                                      [QN_V_REAL] = QN_T_REAL, [QN_V_TEXT] = QN_T_TEXT };
    qn_value item;
    qn_str name;
    if (v.kind != QN_V_LIST && v.kind != QN_V_OBJECT) return qn_type_simple(kinds[v.kind]);
    if (depth > MAX_DEPTH) return qn_type_simple(QN_T_ANY);
    qn_v_iter it = qn_v_iter_of(v);
    qn_type *t = type_new(a, v.kind == QN_V_LIST ? QN_T_LIST : QN_T_RECORD);
    if (v.kind == QN_V_LIST) {
        size_t n = 0;
        t->item = NULL;
        while (n++ < LOOK_ITEMS && qn_v_next(&it, &name, &item)) {
            const qn_type *one = of_value(item, a, depth + 1);
            t->item = t->item ? qn_type_join(t->item, one, a) : one;
        }
        if (!t->item || v.n > LOOK_ITEMS) t->item = t->item && t->item->kind != QN_T_RECORD ? t->item : qn_type_simple(QN_T_ANY);
        return t;
    }
    qn_type_field *fields = QN_ARENA_NEW_N(a, qn_type_field, v.n);
    while (qn_v_next(&it, &name, &item)) {
        size_t at = 0;
        while (at < t->n_fields && v.n <= 1000 && !qn_str_eq(fields[at].name, name)) at++;
        if (v.n > 1000) at = t->n_fields;
        fields[at] = (qn_type_field){ qn_arena_str(a, name), of_value(item, a, depth + 1) };
        if (at == t->n_fields) t->n_fields++;
    }
    t->fields = fields;
    return t;
}

const qn_type *qn_type_of_value(qn_value v, qn_arena *a) { return of_value(v, a, 0); }

/* ---- combining ---- */
static const qn_type *join_records(const qn_type *x, const qn_type *y, qn_arena *a)
{
    qn_type *t = type_new(a, QN_T_RECORD);
    qn_type_field *fields = QN_ARENA_NEW_N(a, qn_type_field, x->n_fields + y->n_fields);
    t->open = x->open || y->open;
    for (size_t i = 0; i < x->n_fields; i++) {
        const qn_type *other = qn_type_field_of(y, x->fields[i].name);
        const qn_type *both = other ? qn_type_join(x->fields[i].type, other, a)
                            : y->open ? qn_type_simple(QN_T_ANY) : maybe(x->fields[i].type, a);
        fields[t->n_fields++] = (qn_type_field){ x->fields[i].name, both };
    }
    for (size_t i = 0; i < y->n_fields; i++)
        if (!qn_type_field_of(x, y->fields[i].name))
            fields[t->n_fields++] = (qn_type_field){ y->fields[i].name,
                                                     x->open ? qn_type_simple(QN_T_ANY) : maybe(y->fields[i].type, a) };
    t->fields = fields;
    return t;
}

static bool is_number(qn_tkind k) { return k == QN_T_INT || k == QN_T_REAL || k == QN_T_NUMBER; }

const qn_type *qn_type_join(const qn_type *x, const qn_type *y, qn_arena *a)
{
    const qn_type *t;
    if (x == y) return x;
    if (x->kind == QN_T_NULL) return maybe(y, a);
    if (y->kind == QN_T_NULL) return maybe(x, a);
    if (x->kind == QN_T_RECORD && y->kind == QN_T_RECORD) {
        t = join_records(x, y, a);
    } else if (x->kind == QN_T_LIST && y->kind == QN_T_LIST) {
        qn_type *l = type_new(a, QN_T_LIST);
        l->item = qn_type_join(x->item, y->item, a);
        t = l;
    } else if (x->kind == y->kind) {
        t = qn_type_simple(x->kind);
    } else {
        t = qn_type_simple(is_number(x->kind) && is_number(y->kind) ? QN_T_NUMBER : QN_T_ANY);
    }
    return x->maybe || y->maybe ? maybe(t, a) : t;
}

const qn_type *qn_type_with(const qn_type *record, qn_str name, const qn_type *type, qn_arena *a)
{
    qn_type *t = type_new(a, QN_T_RECORD);
    bool known = record->kind == QN_T_RECORD;
    size_t n = known ? record->n_fields : 0, at = 0;
    qn_type_field *fields = QN_ARENA_NEW_N(a, qn_type_field, n + 1);
    if (n) memcpy(fields, record->fields, n * sizeof *fields);
    while (at < n && !qn_str_eq(fields[at].name, name)) at++;
    fields[at] = (qn_type_field){ at < n ? fields[at].name : qn_arena_str(a, name), type };
    t->open = known ? record->open : true;
    t->fields = fields;
    t->n_fields = at < n ? n : n + 1;
    return t;
}

const qn_type *qn_type_without(const qn_type *record, qn_str name, qn_arena *a)
{
    if (record->kind != QN_T_RECORD || !qn_type_field_of(record, name)) return record;
    qn_type *t = type_new(a, QN_T_RECORD);
    qn_type_field *fields = QN_ARENA_NEW_N(a, qn_type_field, record->n_fields);
    for (size_t i = 0; i < record->n_fields; i++)
        if (!qn_str_eq(record->fields[i].name, name)) fields[t->n_fields++] = record->fields[i];
    t->fields = fields;
    t->open = record->open;
    return t;
}

bool qn_type_decides(const qn_type *t) { return t->maybe || t->kind == QN_T_ANY || t->kind == QN_T_BOOL || t->kind == QN_T_NULL; }

bool qn_type_fits(const qn_type *have, const qn_type *want)
{
    if (have->kind == QN_T_ANY || want->kind == QN_T_ANY) return true;
    if (have->kind == QN_T_NULL) return want->kind == QN_T_NULL || want->maybe;
    if (want->kind == QN_T_NUMBER) return is_number(have->kind);
    if (have->kind == QN_T_NUMBER) return is_number(want->kind);
    if (have->kind == QN_T_INT && want->kind == QN_T_REAL) return true;
    if (have->kind != want->kind) return false;
    if (have->kind == QN_T_LIST) return qn_type_fits(have->item, want->item);
    if (have->kind != QN_T_RECORD) return true;
    for (size_t i = 0; i < want->n_fields; i++) {
        const qn_type *mine = qn_type_field_of(have, want->fields[i].name), *theirs = want->fields[i].type;
        if (mine ? !qn_type_fits(mine, theirs) : !have->open && !theirs->maybe && theirs->kind != QN_T_NULL) return false;
    }
    return true;
}
