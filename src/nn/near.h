/* near: a growing set of unit vectors and the one that is nearest to a query by cosine.
 *
 * Up to `exact` vectors every one is compared: the answer is exact. Past that a graph is searched (HNSW), which looks at some hundreds of them;
 * what it misses is measured in tests/unit/test_near.c. The graph depends on the vectors and their order alone: no random numbers.
 * One thread at a time; but without a limit of memory and as long as the search is exact, several may find at once. Source: Malkov & Yashunin 2016, "Efficient and robust approximate nearest neighbor search using HNSW graphs",
 * algorithms 1, 2, 4 and 5 (levels from a hash of the index). */
#ifndef QN_NN_NEAR_H
#define QN_NN_NEAR_H
#include "core/err.h"

typedef struct qn_near qn_near;
qn_near *qn_near_new(size_t dim, size_t exact);       /* owned: qn_near_free */
/* Vectors past `memory_bytes` lie in a temporary file in `dir` (NULL: $TMPDIR); the answers are the same. The graph, about 160 bytes a vector, stays in
 * memory. */
qn_near *qn_near_new_within(size_t dim, size_t exact, size_t memory_bytes, const char *dir);
void   qn_near_free(qn_near *s);                      /* NULL is fine */
size_t qn_near_n(const qn_near *s);
size_t qn_near_dim(const qn_near *s);
/* v (dim), copied, of length 1: index 0, 1, 2 ...   Cost: O(1); with the graph about 2,000 dot products. At most 2^32 - 1.
 * Errors: QN_EIO: no room on disk (never without a limit of memory). */
qn_code qn_near_add(qn_near *s, const float *v, qn_err *e);
/* The nearest of the set and its dot product with v; of equals the one with the lowest index among those looked at. False when the set is empty.
 *   Cost: n dot products; with the graph some hundreds. */
bool   qn_near_find(qn_near *s, const float *v, size_t *index, float *similarity);
size_t qn_near_bytes(const qn_near *s);               /* in memory */
size_t qn_near_on_disk(const qn_near *s);
#endif
