/* row: layers over a parsed base. */
#include "data/row.h"
#include <stdatomic.h>

typedef struct layer_field { qn_str name; qn_value value; bool removed; } layer_field;

struct qn_row {
    atomic_int   refs;
    uint32_t     k;             /* number among siblings */
    qn_str       step;          /* that made this child; borrowed for the run */
    uint16_t     depth;         /* layers below */
    bool         bare;          /* base without bytes: made by qn_row_new */
    qn_hash128   id;
    uint64_t     number;        /* base: in its source */
    qn_row      *parent;        /* held */
    yyjson_doc  *doc;           /* base: the parsed bytes */
    qn_str       bytes;         /* base: the source's bytes, inside `doc`'s allocation or behind the struct */
    qn_value     root;          /* base: the object */
    layer_field *fields;        /* in the arena */
    uint32_t     n_fields, cap_fields;
    qn_arena     arena;
    void        *note;
    qn_origin   *origins;
    qn_row_source source;
    qn_licences  licences;      /* with those of the layers below */
};

static qn_row *row_new(qn_hash128 id)
{
    qn_row *r = QN_NEW(qn_row);
    atomic_init(&r->refs, 1);
    r->id = id;
    return r;
}

qn_row *qn_row_new(qn_hash128 id)
{
    qn_row *r = row_new(id);
    r->bare = true;
    return r;
}

static void *json_alloc(void *ctx, size_t n) { (void)ctx; return qn_alloc(n); }
static void *json_realloc(void *ctx, void *p, size_t was, size_t n) { (void)ctx; (void)was; return qn_realloc(p, n); }
static void json_free(void *ctx, void *p) { (void)ctx; qn_free(p); }
static const yyjson_alc JSON_MEMORY = { json_alloc, json_realloc, json_free, NULL };

/* The parser makes room for the most values that so many bytes can hold, 2.7 times their number, and at least 1 KB. Rows wait by the thousand: the
 * document (its head and its values, which lie together and point at each other by distance) moves into a block of its size. */
static yyjson_doc *fitted(yyjson_doc *doc)
{
    size_t head = (size_t)((char *)doc->root - (char *)doc), size = head + doc->val_read * sizeof(yyjson_val);
    yyjson_doc *own = qn_memdup(doc, size);
    own->root = (yyjson_val *)(void *)((char *)own + head);
    qn_free(doc);
    return own;
}

qn_code qn_row_parse(qn_str bytes, qn_hash128 id, qn_row **out, qn_err *e)
{
    yyjson_read_err bad;
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)(bytes.n ? bytes.p : ""), bytes.n, 0, &JSON_MEMORY, &bad);
    if (!doc) return qn_fail(e, QN_EDATA, "not valid JSON at byte %zu: %s", bad.pos + 1, bad.msg);
    if (yyjson_doc_get_val_count(doc) > 512 && qn_json_too_deep(bytes)) {
        yyjson_doc_free(doc);
        return qn_fail(e, QN_EDATA, "JSON is nested deeper than 512 levels");
    }
    doc = fitted(doc);
    qn_value root = qn_v_json(yyjson_doc_get_root(doc));
    if (root.kind != QN_V_OBJECT) {
        yyjson_doc_free(doc);
        return qn_fail(e, QN_EDATA, "a row must be a JSON object, this is a %s", qn_v_kind_name(root));
    }
    qn_row *r = row_new(id);
    r->doc = doc;
    r->root = root;
    r->bytes = (qn_str){ qn_memdup(bytes.p, bytes.n), bytes.n };
    *out = r;
    return QN_OK;
}

qn_row *qn_row_child(qn_row *parent, qn_str step, uint32_t k)
{
    struct { qn_hash128 parent, step; uint64_t k; } path = { parent->id, qn_hash(step.p, step.n), k };
    qn_row *r = row_new(qn_hash(&path, sizeof path));
    r->k = k;
    r->step = step;
    r->depth = (uint16_t)(parent->depth + 1);
    r->parent = qn_row_hold(parent);
    r->licences = parent->licences;
    return r;
}

uint64_t qn_row_number(const qn_row *r)
{
    while (r->parent) r = r->parent;
    return r->number;
}
void qn_row_number_set(qn_row *r, uint64_t n) { r->number = n; }

qn_row *qn_row_hold(qn_row *r)
{
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void qn_row_drop(qn_row *r)
{
    while (r && atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) == 1) {
        qn_row *parent = r->parent;
        qn_free(r->note);
        qn_free((void *)(uintptr_t)r->bytes.p);
        yyjson_doc_free(r->doc);
        qn_arena_free(&r->arena);
        qn_free(r);
        r = parent;
    }
}

qn_hash128 qn_row_id(const qn_row *r) { return r->id; }
void qn_row_id_set(qn_row *r, qn_hash128 id) { r->id = id; }
void qn_row_id_text(const qn_row *r, char out[33]) { qn_hash_hex(r->id, out); }
qn_row *qn_row_parent(const qn_row *r) { return r->parent; }
uint32_t qn_row_k(const qn_row *r) { return r->k; }
qn_str qn_row_step(const qn_row *r) { return r->step; }

bool qn_row_is_ancestor(const qn_row *anc, const qn_row *r)
{
    while (r && r != anc) r = r->parent;
    return r != NULL;
}

int qn_row_order(const qn_row *a, const qn_row *b)
{
    int deeper = (a->depth > b->depth) - (a->depth < b->depth);
    while (a->depth > b->depth) a = a->parent;
    while (b->depth > a->depth) b = b->parent;
    if (a == b) return deeper;
    while (a->parent != b->parent) a = a->parent, b = b->parent;
    return (a->k > b->k) - (a->k < b->k);
}

/* ---- fields ---- */
static layer_field *own_field(const qn_row *r, qn_str name)
{
    for (uint32_t i = 0; i < r->n_fields; i++)
        if (qn_str_eq(r->fields[i].name, name)) return &r->fields[i];
    return NULL;
}

bool qn_row_find(const qn_row *r, qn_str name, qn_value *out)
{
    for (; r; r = r->parent) {
        const layer_field *f = own_field(r, name);
        if (f) { *out = f->removed ? qn_v_null() : f->value; return !f->removed; }
        if (r->doc) return qn_v_get(r->root, name, out);
    }
    *out = qn_v_null();
    return false;
}

static layer_field *put_field(qn_row *r, qn_str name)
{
    layer_field *f = own_field(r, name);
    if (f) return f;
    if (r->n_fields == r->cap_fields) {
        uint32_t cap = r->cap_fields ? r->cap_fields * 2 : 4;
        layer_field *bigger = qn_arena_alloc(&r->arena, cap * sizeof *bigger);
        if (r->n_fields) memcpy(bigger, r->fields, r->n_fields * sizeof *bigger);
        r->fields = bigger;
        r->cap_fields = cap;
    }
    f = &r->fields[r->n_fields++];
    *f = (layer_field){ .name = qn_arena_str(&r->arena, name) };
    return f;
}

void qn_row_set(qn_row *r, qn_str name, qn_value v)
{
    qn_value copy = qn_v_copy(&r->arena, v);
    layer_field *f = put_field(r, name);
    f->value = copy;
    f->removed = false;
}

void qn_row_remove(qn_row *r, qn_str name)
{
    qn_value was;
    if (!qn_row_find(r, name, &was)) return;
    layer_field *f = put_field(r, name);
    f->removed = true;
}

/* All fields, lowest layer first, so that the source's order is kept and new fields come behind. */
static void collect(const qn_row *r, qn_object_b *all)
{
    if (r->parent) collect(r->parent, all);
    if (r->doc) {
        qn_v_iter it = qn_v_iter_of(r->root);
        qn_str name;
        qn_value v;
        while (qn_v_next(&it, &name, &v)) qn_object_put(all, name, v);
    }
    for (uint32_t i = 0; i < r->n_fields; i++) {
        const layer_field *f = &r->fields[i];
        if (!f->removed) { qn_object_put(all, f->name, f->value); continue; }
        for (size_t j = 0; j < all->n; j++) {
            if (!qn_str_eq(all->fields[j].name, f->name)) continue;
            memmove(all->fields + j, all->fields + j + 1, (all->n - j - 1) * sizeof *all->fields);
            all->n--;
            break;
        }
    }
}

qn_value qn_row_value(const qn_row *r, qn_arena *a)
{
    qn_object_b all = { .a = a };
    collect(r, &all);
    return qn_object_end(&all);
}

static qn_code wrong(const qn_row *r, const char *name, const char *want, bool found, qn_value v, qn_err *e)
{
    (void)r;
    if (!found) return qn_fail(e, QN_EDATA, "the row has no field `%s`", name);
    return qn_fail(e, QN_EDATA, "field `%s` holds a %s, %s is needed", name, qn_v_kind_name(v), want);
}

qn_code qn_row_text(const qn_row *r, const char *name, qn_str *out, qn_err *e)
{
    qn_value v;
    bool found = qn_row_find(r, qn_str_of(name), &v);
    if (!found || v.kind != QN_V_TEXT) return wrong(r, name, "text", found, v, e);
    *out = qn_v_str(v);
    return QN_OK;
}

qn_code qn_row_real(const qn_row *r, const char *name, double *out, qn_err *e)
{
    qn_value v;
    bool found = qn_row_find(r, qn_str_of(name), &v);
    if (!found || !qn_v_is_number(v)) return wrong(r, name, "a number", found, v, e);
    *out = qn_v_number(v);
    return QN_OK;
}

void qn_row_set_text(qn_row *r, const char *name, qn_str v) { qn_row_set(r, qn_str_of(name), qn_v_text(v)); }
void qn_row_set_real(qn_row *r, const char *name, double v) { qn_row_set(r, qn_str_of(name), qn_v_real(v)); }
void qn_row_set_int(qn_row *r, const char *name, int64_t v) { qn_row_set(r, qn_str_of(name), qn_v_int(v)); }
void qn_row_set_bool(qn_row *r, const char *name, bool v) { qn_row_set(r, qn_str_of(name), qn_v_bool(v)); }

/* ---- out ---- */
bool qn_row_untouched(const qn_row *r, qn_str *bytes)
{
    for (; r; r = r->parent) {
        if (r->n_fields) return false;
        if (r->doc) { *bytes = r->bytes; return true; }
    }
    return false;
}

void qn_row_write(const qn_row *r, qn_buf *b)
{
    qn_str bytes;
    if (qn_row_untouched(r, &bytes)) { qn_buf_str(b, bytes); return; }
    qn_arena a = {0};
    qn_json_write(b, qn_row_value(r, &a));
    qn_arena_free(&a);
}

bool qn_row_plain(qn_str field) { return !qn_str_is(field, "_source") && !qn_str_is(field, "_blocks"); }

void qn_row_write_plain(const qn_row *r, qn_buf *b)
{
    qn_str bytes, name;
    qn_value v;
    bool own = qn_row_find(r, QN_STR("_source"), &v) || qn_row_find(r, QN_STR("_blocks"), &v);
    if (qn_row_untouched(r, &bytes) || !own) { qn_row_write(r, b); return; }
    qn_arena a = {0};
    qn_object_b o = { .a = &a };
    qn_v_iter it = qn_v_iter_of(qn_row_value(r, &a));
    while (qn_v_next(&it, &name, &v))
        if (qn_row_plain(name)) qn_object_put(&o, name, v);
    qn_json_write(b, qn_object_end(&o));
    qn_arena_free(&a);
}

void qn_row_write_raw(const qn_row *r, qn_buf *b)
{
    qn_str bytes;
    while (r->parent) r = r->parent;
    if (qn_row_source_bytes(r, &bytes)) qn_buf_str(b, bytes);
    else qn_row_write(r, b);
}

size_t qn_row_bytes(const qn_row *r)
{
    enum { MALLOC = 16 };       /* what an allocation costs beside itself */
    size_t n = sizeof *r + MALLOC + qn_arena_held_bytes(&r->arena);
    if (r->doc) n += r->bytes.n * 2 + yyjson_doc_get_val_count(r->doc) * sizeof(uint64_t) * 2 + 64 + 3 * MALLOC;
    return n;
}

size_t qn_row_stack_bytes(const qn_row *r)
{
    size_t n = 0;
    for (; r; r = r->parent) n += qn_row_bytes(r);
    return n;
}

void qn_row_attach(qn_row *r, void *memory)
{
    qn_free(r->note);
    r->note = memory;
}

void *qn_row_attached(const qn_row *r) { return r->note; }

void qn_row_add_origin(qn_row *r, qn_str step, qn_hash128 key)
{
    qn_origin *o = QN_ARENA_NEW(&r->arena, qn_origin);
    *o = (qn_origin){ step, key, r->origins };
    r->origins = o;
}

const qn_origin *qn_row_origins(const qn_row *r) { return r->origins; }

qn_licences qn_row_licences(const qn_row *r) { return r->licences; }
void        qn_row_add_licences(qn_row *r, qn_licences set) { r->licences |= set; }

void qn_row_set_source(qn_row *r, qn_row_source s) { r->source = s; }

qn_row_source qn_row_source_of(const qn_row *r)
{
    while (r->parent) r = r->parent;
    return r->source;
}

bool qn_row_source_bytes(const qn_row *r, qn_str *bytes)
{
    *bytes = r->bytes;
    return r->doc != NULL;
}
