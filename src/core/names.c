#include "core/names.h"

uint32_t qn_names_put(qn_names *x, qn_str name)
{
    bool fresh;
    uint64_t *number = qn_map_put_str(&x->numbers, name, &fresh);
    if (fresh) {
        *number = x->n;
        QN_GROW(x->all, x->n, x->cap);
        x->all[x->n++] = qn_arena_str(&x->arena, name);
    }
    return (uint32_t)*number;
}

bool qn_names_find(const qn_names *x, qn_str name, uint32_t *number)
{
    const uint64_t *at = qn_map_get_str(&x->numbers, name);
    if (at) *number = (uint32_t)*at;
    return at;
}

void qn_names_free(qn_names *x)
{
    qn_map_free(&x->numbers);
    qn_free(x->all);
    qn_arena_free(&x->arena);
    *x = (qn_names){0};
}
