/* cluster: groups and spread-out choices among vectors. All deterministic for a seed; ties go to the lower index. */
#ifndef QN_TEXT_CLUSTER_H
#define QN_TEXT_CLUSTER_H
#include "text/vectors.h"

typedef struct {
    size_t    k;
    uint32_t *label;        /* (n) */
    float    *centre;       /* (k, dim) */
    size_t   *size;         /* (k) */
    double    inertia;      /* sum of squared distances to the own centre */
    int       rounds;       /* until nothing moved, or the limit */
} qn_clusters;              /* owned: qn_clusters_free */

/* k-means: seeds by k-means++, Lloyd's rounds until no label changes; an empty cluster takes the farthest vector.
 *   k   1..n (cut to n)      Cost: O(n * k * numbers in a vector) a round. Memory: k * dim floats, twice.
 * Source: Arthur and Vassilvitskii 2007. */
qn_clusters qn_kmeans(const qn_vectors *v, size_t k, int max_rounds, uint64_t seed);
void        qn_clusters_free(qn_clusters *c);

/* k-center greedy: begins with `first`, then always takes the vector farthest (Euclid) from those taken.
 *   out     (min(k, n)) indices in order of taking     radius   may be NULL: distance of the farthest left
 * Cost: O(n * k). Within twice the best radius. Source: Gonzalez 1985; as coreset: Sener and Savarese 2018. */
size_t qn_k_center(const qn_vectors *v, size_t k, size_t first, size_t *out, double *radius);

/* Facility location: takes k vectors so that the summed similarity (dot product, at least 0) of every vector with its nearest
 * taken one is large; lazy greedy.
 *   out     (min(k, n)) in order of taking      gain   may be NULL: (min(k, n)) what each added
 * Cost: n * n / 2 dot products at least; memory 16 bytes a vector. Within 1 - 1/e of the best.
 * Source: Nemhauser, Wolsey and Fisher 1978; lazy: Minoux 1978. */
size_t qn_facility(const qn_vectors *v, size_t k, size_t *out, double *gain);
#endif
