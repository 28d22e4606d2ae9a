/* params: the weights of a network in one run of f32, with names; beside it, when it is trained, its gradient and the two
 * moments of AdamW. Matrices that are multiplied together lie side by side (q, k, v; gate, up), so that one product does. */
#ifndef QN_NN_PARAMS_H
#define QN_NN_PARAMS_H
#include "core/mem.h"
#include "nn/kernels.h"
#include "nn/safetensors.h"

typedef struct { char name[112]; int64_t rows, cols; size_t at; bool decay; } qn_tensor; /* cols 0: a vector; decay: AdamW's weight decay applies */
typedef struct {
    qn_tensor *t;
    size_t n, cap, count;       /* tensors; numbers */
    float *w, *g, *m, *v;       /* (count) each; g, m, v NULL until qn_params_train */
} qn_params;

size_t qn_params_add(qn_params *p, int64_t rows, int64_t cols, const char *fmt, ...) __attribute__((format(printf, 4, 5))); /* its offset */
void   qn_params_alloc(qn_params *p);       /* after the last add: w, zeroed */
void   qn_params_train(qn_params *p);       /* g, m, v, zeroed; nothing when there */
void   qn_params_free(qn_params *p);
/* Matrices normal with sd, vectors 0 (`*norm*.weight`, `*LayerNorm.weight`: 1). Each tensor draws from (seed, its name), so that adding one changes no other. */
void   qn_params_init(qn_params *p, uint64_t seed, double sd);
/* Each tensor from the array called `prefix` and its name. Errors: QN_EDATA where one is absent or has another number of elements. */
qn_code qn_params_read(qn_params *p, const qn_safetensors *s, const char *prefix, qn_err *e);
/* Adds p's tensors (names: `prefix` before each, copied into the arena) to a list to write. */
size_t qn_params_list(const qn_params *p, qn_arena *a, const char *prefix, qn_array_out *out);
/* One AdamW step on all of p; decay on the tensors that have it. */
void   qn_params_step(qn_params *p, qn_pool *pool, const qn_adamw *o);
#endif
