/* value: one JSON value, 16 bytes, immutable and passed by value. Containers and texts are borrowed from whoever made them: an
 * arena, or a parsed document. Integers are exact to 64 bits. */
#ifndef QN_DATA_VALUE_H
#define QN_DATA_VALUE_H
#include "core/err.h"
#include "core/mem.h"
#include <yyjson.h>

typedef enum { QN_V_NULL, QN_V_BOOL, QN_V_INT, QN_V_UINT, QN_V_REAL, QN_V_TEXT, QN_V_LIST, QN_V_OBJECT } qn_kind;

typedef struct qn_value {
    uint8_t  kind;      /* qn_kind; QN_V_UINT only for integers above INT64_MAX */
    uint8_t  json;      /* 1: a container that lives in a parsed yyjson document */
    uint32_t n;         /* bytes of a text, elements of a container */
    union {
        bool b; int64_t i; uint64_t u; double d; const char *s;
        const struct qn_value *list; const struct qn_field *object; yyjson_val *j;
    };
} qn_value;

typedef struct qn_field { qn_str name; qn_value value; } qn_field;

/* ---- making ---- (texts and arrays are borrowed, not copied) */
static inline qn_value qn_v_null(void)         { return (qn_value){ .kind = QN_V_NULL }; }
static inline qn_value qn_v_bool(bool b)       { return (qn_value){ .kind = QN_V_BOOL, .b = b }; }
static inline qn_value qn_v_int(int64_t i)     { return (qn_value){ .kind = QN_V_INT, .i = i }; }
static inline qn_value qn_v_real(double d)     { return (qn_value){ .kind = QN_V_REAL, .d = d }; }
static inline qn_value qn_v_text(qn_str s)     { return (qn_value){ .kind = QN_V_TEXT, .n = (uint32_t)s.n, .s = s.n ? s.p : "" }; }
static inline qn_value qn_v_list(const qn_value *items, size_t n)   { return (qn_value){ .kind = QN_V_LIST, .n = (uint32_t)n, .list = items }; }
static inline qn_value qn_v_object(const qn_field *fields, size_t n) { return (qn_value){ .kind = QN_V_OBJECT, .n = (uint32_t)n, .object = fields }; }
qn_value qn_v_json(yyjson_val *v);             /* scalars are unpacked, containers stay where they are (borrowed) */
qn_value qn_v_copy(qn_arena *a, qn_value v);   /* deep copy into the arena */

/* ---- asking ---- */
static inline qn_str qn_v_str(qn_value v)      { return v.kind == QN_V_TEXT ? (qn_str){ v.s, v.n } : (qn_str){ "", 0 }; }
static inline bool qn_v_is_number(qn_value v)  { return v.kind == QN_V_INT || v.kind == QN_V_UINT || v.kind == QN_V_REAL; }
double   qn_v_number(qn_value v);              /* any number as double; 0 for the rest */
qn_value qn_v_at(qn_value list, size_t i);     /* null when out of range or no list */
bool     qn_v_get(qn_value object, qn_str name, qn_value *out); /* false when absent or no object (out is then null) */
const char *qn_v_kind_name(qn_value v);        /* "null", "bool", "number", "text", "list", "object" */
/* jq's order: null < false < true < numbers < texts < lists < objects. 1 and 1.0 are equal. */
int      qn_v_cmp(qn_value a, qn_value b);
static inline bool qn_v_eq(qn_value a, qn_value b) { return qn_v_cmp(a, b) == 0; }

/* Walks a list (name is empty) or an object in order: qn_v_iter it = qn_v_iter_of(v); while (qn_v_next(&it, &name, &item)) ... */
typedef struct { qn_value of; size_t i; yyjson_val *at; } qn_v_iter;
qn_v_iter qn_v_iter_of(qn_value v);
bool      qn_v_next(qn_v_iter *it, qn_str *name, qn_value *item);

/* ---- JSON text ---- */
/* Parses into the arena (the document's memory is the arena's). One value, nothing behind it. Depth limit 512 levels.
 * Errors: QN_EDATA with the byte position and what was wrong. Invalid UTF-8 and lone surrogates are errors. */
qn_code qn_json_parse(qn_str text, qn_arena *a, qn_value *out, qn_err *e);
/* Is it nested deeper than those 512 levels? For texts that another parser of JSON took: whoever walks the value would run out of stack. */
bool    qn_json_too_deep(qn_str text);
/* Appends compact JSON; text is written as UTF-8, only ", \ and control characters escaped. Reals: shortest that reads back,
 * always with a point or an exponent; a real that JSON cannot say (inf, nan) becomes null. */
void    qn_json_write(qn_buf *b, qn_value v);
void    qn_json_write_text(qn_buf *b, qn_str s);   /* "quoted" */
void    qn_json_write_pretty(qn_buf *b, qn_value v, int indent);
/* Keys sorted at every level, for hashing: the same value has one canonical text. */
void    qn_json_write_canonical(qn_buf *b, qn_value v);

/* ---- building objects and lists step by step in an arena ---- */
typedef struct { qn_arena *a; qn_field *fields; size_t n, cap; } qn_object_b;
typedef struct { qn_arena *a; qn_value *items; size_t n, cap; } qn_list_b;
void     qn_object_put(qn_object_b *o, qn_str name, qn_value v);   /* name borrowed; replaces an equal name */
qn_value qn_object_end(const qn_object_b *o);
void     qn_list_put(qn_list_b *l, qn_value v);
qn_value qn_list_end(const qn_list_b *l);
#endif
