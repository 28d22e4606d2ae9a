/* density: groups of vectors that lie close together, of any shape and number; what lies between them belongs to none.
 *
 * HDBSCAN*: a minimum spanning tree of the mutual reachability distances, cut at every height into a tree of clusters of at least
 * `min_size` vectors, of which those that last longest are taken. Deterministic; no random numbers.
 * Cost: O(n * n * numbers in a vector), memory O(n + dim): some seconds for 10,000 rows.
 * Source: Campello, Moulavi and Sander 2013, "Density-based clustering based on hierarchical density estimates"; the condensed tree and
 * its stabilities as in McInnes, Healy and Astels 2017. */
#ifndef QN_TEXT_DENSITY_H
#define QN_TEXT_DENSITY_H
#include "text/vectors.h"

#define QN_DENSITY_NONE UINT32_MAX

typedef struct qn_density {
    size_t    k;            /* groups, the largest first; 0 when nothing stands out */
    uint32_t *label;        /* (n) group or QN_DENSITY_NONE */
    size_t   *size;         /* (k) */
} qn_density;               /* owned: qn_density_free */

/*   min_size    fewest vectors of a group, at least 2
 *   min_points  neighbours (itself counted) that make a place dense, at least 1: more leaves more vectors out */
qn_density qn_density_groups(const qn_vectors *v, size_t min_size, size_t min_points);
void       qn_density_free(qn_density *d);
#endif
