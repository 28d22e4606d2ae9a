/* row: one JSON object on its way through the program.
 *
 * A row is a stack of layers. The lowest is the base: the source's bytes, parsed once and never changed. Each layer above holds
 * the fields that steps added, changed or removed. A child made by a 1-to-n step is a new layer over its parent: children share
 * all that is below, and a row nobody touched is written from its bytes.
 *
 *      child 0 {question}   child 1 {question}       refcount 1 each
 *             \              /
 *            parent {table, seed}                    held by its children
 *                    |
 *            base  "bytes of the source"             parsed once
 *
 * A row has one owner at a time (a step, a queue); it may set fields only while nothing else holds its top layer. Reference counts are atomic, so children may live on different threads. */
#ifndef QN_DATA_ROW_H
#define QN_DATA_ROW_H
#include "core/hash.h"
#include "data/licence.h"
#include "data/value.h"

typedef struct qn_row qn_row;

/* ---- making and releasing ---- (each maker returns an owned row; release with qn_row_drop) */
qn_row *qn_row_new(qn_hash128 id);                     /* no fields */
/* From one JSON object; `bytes` is copied. Errors: QN_EDATA when it is not exactly one object. */
qn_code qn_row_parse(qn_str bytes, qn_hash128 id, qn_row **out, qn_err *e);
/* id = path: parent's id, step name, k. The parent is shared, not taken; the step's name is borrowed for the run. */
qn_row *qn_row_child(qn_row *parent, qn_str step, uint32_t k);
qn_row *qn_row_hold(qn_row *r);                        /* one more owner; returns r */
void    qn_row_drop(qn_row *r);                        /* NULL is fine */

/* ---- identity ---- */
qn_hash128 qn_row_id(const qn_row *r);
void       qn_row_id_set(qn_row *r, qn_hash128 id);       /* readers give rows without one; the engine sets it before any step sees the row */
void       qn_row_id_text(const qn_row *r, char out[33]);
qn_row    *qn_row_parent(const qn_row *r);             /* borrowed; NULL for a base */
uint32_t   qn_row_k(const qn_row *r);                  /* number among its siblings */
uint64_t   qn_row_number(const qn_row *r);             /* of its base in its source, from 1; 0: not numbered */
void       qn_row_number_set(qn_row *r, uint64_t n);   /* of a base */
/* What is remembered of a row that others may be said to repeat. */
typedef struct qn_row_mark { qn_hash128 id; uint64_t number; } qn_row_mark;
static inline qn_row_mark qn_row_mark_of(const qn_row *r) { return (qn_row_mark){ qn_row_id(r), qn_row_number(r) }; }
qn_str     qn_row_step(const qn_row *r);               /* that made it; empty for a base */
/* Order among rows of one source row: by the numbers on the path from the root, parents before children. */
int        qn_row_order(const qn_row *a, const qn_row *b);
bool       qn_row_is_ancestor(const qn_row *anc, const qn_row *r);  /* also true for r itself */

/* ---- fields ---- values got are borrowed until the row changes or is dropped */
bool    qn_row_find(const qn_row *r, qn_str name, qn_value *out);   /* false when absent */
void    qn_row_set(qn_row *r, qn_str name, qn_value v);             /* name and value are copied into the row */
void    qn_row_remove(qn_row *r, qn_str name);
qn_value qn_row_value(const qn_row *r, qn_arena *a);                /* the whole row as an object (values borrowed from the row) */
/* By C name, with an error that names the field and what it holds. */
qn_code qn_row_text(const qn_row *r, const char *name, qn_str *out, qn_err *e);
qn_code qn_row_real(const qn_row *r, const char *name, double *out, qn_err *e);
void    qn_row_set_text(qn_row *r, const char *name, qn_str v);
void    qn_row_set_real(qn_row *r, const char *name, double v);
void    qn_row_set_int(qn_row *r, const char *name, int64_t v);
void    qn_row_set_bool(qn_row *r, const char *name, bool v);

/* ---- out ---- */
void    qn_row_write(const qn_row *r, qn_buf *b);      /* one JSON object, no newline; the source's own bytes when untouched */
/* The same without the fields that are quern's own (`_source`, `_blocks`): what people get. */
void    qn_row_write_plain(const qn_row *r, qn_buf *b);
bool    qn_row_plain(qn_str field);                    /* is it a field that people get? */
/* The source's bytes of the row's base, whatever steps added: a filter's rows leave as they came. */
void    qn_row_write_raw(const qn_row *r, qn_buf *b);
bool    qn_row_untouched(const qn_row *r, qn_str *bytes);
bool    qn_row_source_bytes(const qn_row *r, qn_str *bytes);         /* of a base that was read from bytes, touched or not */
size_t  qn_row_bytes(const qn_row *r);                 /* memory that this row's top layer takes */
size_t  qn_row_stack_bytes(const qn_row *r);           /* with all layers below, shared or not: what dropping every owner gives back */

/* Where a base row was read: for the trace. Borrowed texts must live as long as the run. */
typedef struct qn_row_source { const char *path; uint64_t line; const char *licence; } qn_row_source;
void    qn_row_set_source(qn_row *r, qn_row_source s);
qn_row_source qn_row_source_of(const qn_row *r);                    /* of its base; path NULL when nobody said */

/* The licences of all that went into a row, whatever it went through: children have those of their parent, joins and gathers put together those of
 * what they take. Empty: nothing from outside. */
qn_licences qn_row_licences(const qn_row *r);
void        qn_row_add_licences(qn_row *r, qn_licences set);

/* What of the world went into a row: the ledger keys of the replies that a step used. Inherited by children through the layers. */
typedef struct qn_origin { qn_str step; qn_hash128 key; struct qn_origin *next; } qn_origin;
void    qn_row_add_origin(qn_row *r, qn_str step, qn_hash128 key);  /* step is borrowed for the run */
const qn_origin *qn_row_origins(const qn_row *r);                   /* of this layer alone, newest first */

/* A note for a later function of the same step (a signature between measure and settle): plain memory from qn_alloc, freed with the row's top
 * layer or by the next attach. Not copied to children, not written. */
void    qn_row_attach(qn_row *r, void *memory);
void   *qn_row_attached(const qn_row *r);

/* Fields named with a leading '_' below are quern's own and are left out by writers unless asked for:
 * `_id` path id, `_source` {path, licence, ...}, `_reason`, `_measure`, `_of`, `_similarity` on rejected rows. */
#endif
