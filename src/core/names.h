/* names: gives texts the numbers 0, 1, 2 ... in the order in which they first come, and keeps them. Not thread-safe.
 * Zero-initialise: {0}. */
#ifndef QN_CORE_NAMES_H
#define QN_CORE_NAMES_H
#include "core/map.h"
typedef struct { qn_arena arena; qn_map numbers; qn_str *all; size_t n, cap; } qn_names;   /* all: (n), each NUL-terminated, until qn_names_free */
uint32_t qn_names_put(qn_names *x, qn_str name);                        /* its number; a new name is copied */
bool     qn_names_find(const qn_names *x, qn_str name, uint32_t *number);   /* false: never put */
void     qn_names_free(qn_names *x);
#endif
