/* map: linear probing over power-of-two tables. */
#include "core/map.h"

static qn_hash128 norm(qn_hash128 k) { return k.hi | k.lo ? k : (qn_hash128){ 0, 1 }; }

static size_t place(const qn_hash128 *keys, size_t cap, qn_hash128 k)
{
    size_t i = (size_t)(k.lo ^ k.hi >> 32) & (cap - 1);
    while ((keys[i].hi | keys[i].lo) && !qn_hash_eq(keys[i], k)) i = (i + 1) & (cap - 1);
    return i;
}

uint64_t *qn_map_get(const qn_map *m, qn_hash128 key)
{
    if (!m->n) return NULL;
    key = norm(key);
    size_t i = place(m->keys, m->cap, key);
    return m->keys[i].hi | m->keys[i].lo ? &m->vals[i] : NULL;
}

static void grow(qn_map *m)
{
    qn_map old = *m;
    m->cap = old.cap ? old.cap * 2 : 64;
    m->keys = QN_NEW_N(qn_hash128, m->cap);
    m->vals = QN_NEW_N(uint64_t, m->cap);
    for (size_t i = 0; i < old.cap; i++) {
        if (!(old.keys[i].hi | old.keys[i].lo)) continue;
        size_t j = place(m->keys, m->cap, old.keys[i]);
        m->keys[j] = old.keys[i];
        m->vals[j] = old.vals[i];
    }
    qn_free(old.keys);
    qn_free(old.vals);
}

uint64_t *qn_map_put(qn_map *m, qn_hash128 key, bool *fresh)
{
    if (m->n * 4 >= m->cap * 3) grow(m);
    key = norm(key);
    size_t i = place(m->keys, m->cap, key);
    bool is_new = !(m->keys[i].hi | m->keys[i].lo);
    if (is_new) { m->keys[i] = key; m->vals[i] = 0; m->n++; }
    if (fresh) *fresh = is_new;
    return &m->vals[i];
}

void qn_map_free(qn_map *m) { qn_free(m->keys); qn_free(m->vals); *m = (qn_map){0}; }
