/* vectors: n vectors of one length, dense or sparse, and what clustering needs of them. */
#ifndef QN_TEXT_VECTORS_H
#define QN_TEXT_VECTORS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t    n, dim;
    float    *dense;        /* (n, dim), or NULL: sparse */
    size_t   *start;        /* sparse: (n + 1) into col and val */
    uint32_t *col;          /* ascending within a vector */
    float    *val;
} qn_vectors;               /* owned arrays: qn_vectors_free */

void   qn_vectors_free(qn_vectors *v);
double qn_vectors_dot(const qn_vectors *v, size_t i, size_t j);
double qn_vectors_dot_dense(const qn_vectors *v, size_t i, const float *x);         /* x (dim) */
void   qn_vectors_add_to(const qn_vectors *v, size_t i, float scale, float *x);     /* x (dim) += scale * v_i */
void   qn_vectors_unit(qn_vectors *v);      /* every vector to length 1; a zero vector stays */
size_t qn_vectors_bytes(const qn_vectors *v);
/* Dense copy in `dim` dimensions by a random projection whose signs come from hashes: dot products are kept on average.
 * Source: Achlioptas 2003. */
qn_vectors qn_vectors_project(const qn_vectors *v, size_t dim, uint64_t seed);
/* Dense copy of sparse vectors in the `dim` directions in which they vary most (latent semantic analysis), each to length 1; a vector that has nothing in
 * those directions stays zero. Texts that share no word but words that go together come near each other.
 *   dim   >= 1, cut to the smaller of n and v->dim        Cost: ROUNDS * 2 * numbers in v * dim. Memory: (n + 2 * v->dim) * dim floats.
 * Source: Deerwester et al. 1990; by subspace iteration as in Halko, Martinsson and Tropp 2011. */
qn_vectors qn_vectors_latent(const qn_vectors *v, size_t dim, uint64_t seed);
#endif
