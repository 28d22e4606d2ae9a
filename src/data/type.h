/* type: what a recipe check knows about a field before anything runs.
 *
 * Written as in descriptors and recipes:  text  int  real  number  bool  null  any  [text]  {name: text, n: int}  text?
 * and the short words list ([any]) and object ({...}). A name that is no plain word stands in double quotes: {"a b": text}.
 * `T?` may also be null or missing. `number` is int or real. A record is closed (exactly these fields, the rest is a mistake) or open
 * (`{name: text, ...}`: others may be there, of type any). */
#ifndef QN_DATA_TYPE_H
#define QN_DATA_TYPE_H
#include "data/value.h"

typedef enum { QN_T_ANY, QN_T_NULL, QN_T_BOOL, QN_T_INT, QN_T_REAL, QN_T_NUMBER, QN_T_TEXT, QN_T_LIST, QN_T_RECORD } qn_tkind;
typedef struct qn_type qn_type;
typedef struct qn_type_field { qn_str name; const qn_type *type; } qn_type_field;
struct qn_type {
    qn_tkind kind;
    bool     maybe;                     /* T? */
    bool     open;                      /* a record that may hold more */
    const qn_type *item;                /* of a list */
    const qn_type_field *fields;        /* of a record */
    size_t   n_fields;
};                                      /* immutable, lives in the arena it was made in */

qn_code qn_type_parse(qn_str text, qn_arena *a, const qn_type **out, qn_err *e);
/* "passage: text, answer: text?" -> a closed record. */
qn_code qn_type_parse_fields(qn_str text, qn_arena *a, const qn_type **out, qn_err *e);
void    qn_type_write(qn_buf *b, const qn_type *t);
const qn_type *qn_type_simple(qn_tkind kind);                                   /* static */
const qn_type *qn_type_field_of(const qn_type *record, qn_str name);            /* NULL when it is not known */
const qn_type *qn_type_of_value(qn_value v, qn_arena *a);
const qn_type *qn_type_join(const qn_type *x, const qn_type *y, qn_arena *a);   /* what holds either (fields in one only become T?) */
const qn_type *qn_type_with(const qn_type *record, qn_str name, const qn_type *t, qn_arena *a); /* record plus or replacing a field */
const qn_type *qn_type_without(const qn_type *record, qn_str name, qn_arena *a);
/* May `have` stand where `want` is asked? any fits everywhere; a record with more fields than asked fits; int fits real; a T? fits T (a row
 * where it is null then fails by itself, which a filter before it can prevent), but null alone does not. */
/* Can a value of it be false or null, as well as true? What a condition gives must: a text or a number is always true. */
bool    qn_type_decides(const qn_type *t);
bool    qn_type_fits(const qn_type *have, const qn_type *want);
/* The name among a record's fields nearest to `name`, or NULL: for "did you mean". */
const char *qn_type_nearest_field(const qn_type *record, qn_str name, qn_arena *a);
#endif
