/* hash: 64 and 128 bit hashes (XXH3), not for secrets; SHA-256 where a file's identity is shown to people. */
#ifndef QN_CORE_HASH_H
#define QN_CORE_HASH_H
#include "core/str.h"
typedef struct { uint64_t hi, lo; } qn_hash128;
uint64_t   qn_hash64(const void *p, size_t n, uint64_t seed);
qn_hash128 qn_hash(const void *p, size_t n);
qn_hash128 qn_hash_mix(qn_hash128 a, qn_hash128 b);         /* order matters */
static inline bool qn_hash_eq(qn_hash128 a, qn_hash128 b) { return a.hi == b.hi && a.lo == b.lo; }
void       qn_hash_hex(qn_hash128 h, char out[33]);         /* 32 lower-case hex digits and a NUL */

typedef struct qn_hasher qn_hasher;                         /* streaming form of qn_hash */
qn_hasher *qn_hasher_new(void);
void       qn_hasher_add(qn_hasher *h, const void *p, size_t n);
qn_hash128 qn_hasher_end(qn_hasher *h);                     /* also frees h */
void       qn_sha256(const void *p, size_t n, uint8_t out[32]);
#endif
