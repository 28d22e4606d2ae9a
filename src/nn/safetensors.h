/* safetensors: named arrays in a file: 8 bytes of length, a JSON header, the bytes (huggingface/safetensors, format of 2023).
 * Reading maps the file and checks every offset before it is used; F32, F16 and BF16 become f32, others are refused. */
#ifndef QN_NN_SAFETENSORS_H
#define QN_NN_SAFETENSORS_H
#include "core/err.h"

typedef struct qn_safetensors qn_safetensors;
typedef enum { QN_F32, QN_F16, QN_BF16, QN_OTHER } qn_dtype;
typedef struct { qn_str name; qn_dtype type; int n_dim; int64_t shape[4]; size_t count; const void *data; } qn_array; /* borrowed from the file */

/* `path`: a file, or a folder whose *.safetensors are all opened (model.safetensors, or the shards of one). */
qn_code qn_safetensors_open(qn_safetensors **s, const char *path, qn_err *e);
/* The same over bytes in memory (borrowed until closed); for tests. */
qn_code qn_safetensors_parse(qn_safetensors **s, const void *bytes, size_t n, qn_err *e);
void    qn_safetensors_close(qn_safetensors *s);                                    /* NULL is fine */
size_t  qn_safetensors_count(const qn_safetensors *s);
const qn_array *qn_safetensors_at(const qn_safetensors *s, size_t i);
const qn_array *qn_safetensors_find(const qn_safetensors *s, const char *name);     /* NULL when absent */
/* The array as f32; QN_EDATA when it is absent or has another number of elements. out (count). */
qn_code qn_safetensors_read(const qn_safetensors *s, const char *name, size_t count, float *out, qn_err *e);
/* A text of the header's __metadata__; empty when absent. Borrowed. */
qn_str  qn_safetensors_note(const qn_safetensors *s, const char *key);

/* What to write: f32 arrays in this order. shape: (rows, cols), or (rows) when cols is 0. */
typedef struct { const char *name; int64_t rows, cols; const float *data; } qn_array_out;
/* The file appears whole or not at all. notes: pairs of key and value, ends with NULL; {"format": "pt"} is always there. */
qn_code qn_safetensors_write(const char *path, const qn_array_out *a, size_t n, const char *const *notes, qn_err *e);
#endif
