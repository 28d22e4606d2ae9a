/* map: a hash table from 128-bit keys, or from texts, to one 64-bit value. Open addressing, grows at 3/4; not thread-safe.
 * Zero-initialise: {0}. */
#ifndef QN_CORE_MAP_H
#define QN_CORE_MAP_H
#include "core/hash.h"
#include "core/mem.h"
typedef struct { qn_hash128 *keys; uint64_t *vals; size_t n, cap; } qn_map; /* the key {0,0} is stored as {0,1} */
uint64_t *qn_map_get(const qn_map *m, qn_hash128 key);              /* NULL when absent; borrowed until the next put */
uint64_t *qn_map_put(qn_map *m, qn_hash128 key, bool *fresh);       /* place of the value, 0 when fresh (fresh may be NULL) */
void      qn_map_free(qn_map *m);
static inline size_t qn_map_bytes(const qn_map *m) { return m->cap * (sizeof(qn_hash128) + sizeof(uint64_t)); }
/* What the next put may take, a growth of the table included. */
static inline size_t qn_map_bytes_after_put(const qn_map *m) { return qn_map_bytes(m) * (m->n * 4 >= m->cap * 3 ? 2 : 1); }
/* By text: the 128-bit hash stands for the text (collisions are not checked). */
static inline uint64_t *qn_map_get_str(const qn_map *m, qn_str s) { return qn_map_get(m, qn_hash(s.p, s.n)); }
static inline uint64_t *qn_map_put_str(qn_map *m, qn_str s, bool *fresh) { return qn_map_put(m, qn_hash(s.p, s.n), fresh); }
#endif
