/* rowstore: an array of rows, of which some are only a place in a spill. */
#include "data/rowstore.h"
#include "core/mem.h"
#include "core/spill.h"

typedef struct { qn_row *row; uint64_t at; } slot;       /* row NULL: in the spill, or taken */
typedef struct { qn_row_mark mark; qn_row_source source; qn_licences licences; uint32_t n_bytes, n_origins; } head;
typedef struct { qn_str step; qn_hash128 key; } origin;

struct qn_rowstore {
    slot     *slots;
    size_t    n, cap, held_bytes, memory_bytes;
    qn_spill *spill;
    const char *dir;
};

qn_rowstore *qn_rowstore_new(size_t memory_bytes, const char *dir)
{
    qn_rowstore *s = QN_NEW(qn_rowstore);
    s->memory_bytes = memory_bytes;
    s->dir = dir;
    return s;
}

void qn_rowstore_free(qn_rowstore *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->n; i++) qn_row_drop(s->slots[i].row);
    qn_spill_free(s->spill);
    qn_free(s->slots);
    qn_free(s);
}

size_t qn_rowstore_n(const qn_rowstore *s) { return s->n; }

/* Origins of all layers, oldest last, as they lie in memory: texts are borrowed for the run. */
static uint32_t put_origins(const qn_row *r, qn_buf *b)
{
    uint32_t n = 0;
    for (; r; r = qn_row_parent(r))
        for (const qn_origin *o = qn_row_origins(r); o; o = o->next, n++)
            qn_buf_put(b, &(origin){ o->step, o->key }, sizeof(origin));
    return n;
}

static qn_code write_out(qn_rowstore *s, const qn_row *r, uint64_t *at, qn_err *e)
{
    qn_buf b = { 0 };
    head h = { .mark = qn_row_mark_of(r), .source = qn_row_source_of(r), .licences = qn_row_licences(r) };
    qn_buf_put(&b, &h, sizeof h);
    qn_row_write(r, &b);
    h.n_bytes = (uint32_t)(b.n - sizeof h);
    h.n_origins = put_origins(r, &b);
    memcpy(b.p, &h, sizeof h);
    qn_code rc = qn_spill_put(s->spill, b.p, b.n, at, e);
    qn_buf_free(&b);
    return rc;
}

static qn_code read_back(qn_rowstore *s, uint64_t at, qn_row **out, qn_err *e)
{
    head h;
    QN_TRY(qn_spill_get(s->spill, at, &h, sizeof h, e));
    size_t n = h.n_bytes + h.n_origins * sizeof(origin);
    char *bytes = qn_alloc(n);
    qn_code rc = qn_spill_get(s->spill, at + sizeof h, bytes, n, e);
    if (rc == QN_OK) rc = qn_row_parse((qn_str){ bytes, h.n_bytes }, h.mark.id, out, e);
    for (uint32_t i = h.n_origins; rc == QN_OK && i-- > 0;) {
        origin o;
        memcpy(&o, bytes + h.n_bytes + i * sizeof o, sizeof o);
        qn_row_add_origin(*out, o.step, o.key);
    }
    if (rc == QN_OK) { qn_row_number_set(*out, h.mark.number); qn_row_set_source(*out, h.source); qn_row_add_licences(*out, h.licences); }
    qn_free(bytes);
    return rc;
}

qn_code qn_rowstore_put(qn_rowstore *s, qn_row *r, qn_err *e)
{
    size_t bytes = qn_row_stack_bytes(r) + sizeof(slot);
    QN_GROW(s->slots, s->n, s->cap);
    if (s->held_bytes + bytes <= s->memory_bytes) {
        s->held_bytes += bytes;
        s->slots[s->n++] = (slot){ r, 0 };
        return QN_OK;
    }
    if (!s->spill) s->spill = qn_spill_new(s->dir, 0);
    slot x = { 0 };
    qn_code rc = write_out(s, r, &x.at, e);
    qn_row_drop(r);
    if (rc == QN_OK) s->slots[s->n++] = x;
    return rc;
}

qn_code qn_rowstore_look(qn_rowstore *s, size_t i, qn_row **out, qn_err *e)
{
    QN_ASSERT(i < s->n);
    if (!s->slots[i].row) return read_back(s, s->slots[i].at, out, e);
    *out = qn_row_hold(s->slots[i].row);
    return QN_OK;
}

qn_code qn_rowstore_take(qn_rowstore *s, size_t i, qn_row **out, qn_err *e)
{
    QN_ASSERT(i < s->n);
    if (!s->slots[i].row) return read_back(s, s->slots[i].at, out, e);
    *out = s->slots[i].row;
    s->slots[i].row = NULL;
    return QN_OK;
}
