/* cluster: k-means, k-center greedy, facility location. */
#include "text/cluster.h"
#include "core/mem.h"
#include "core/rng.h"
#include <float.h>
#include <math.h>

static void squares(const qn_vectors *v, double *out)
{
    for (size_t i = 0; i < v->n; i++) out[i] = qn_vectors_dot(v, i, i);
}

static double distance2(const qn_vectors *v, const double *sq, size_t i, size_t j)
{
    double d = sq[i] + sq[j] - 2 * qn_vectors_dot(v, i, j);
    return d > 0 ? d : 0;
}

/* ---- k-means ---- */
/* First centres: the next one is drawn with a chance proportional to its squared distance from those drawn. */
static void seed_centres(const qn_vectors *v, const double *sq, qn_clusters *c, qn_rng *r)
{
    double *near = qn_alloc(v->n * sizeof *near);
    size_t pick = qn_rng_below(r, v->n);
    for (size_t i = 0; i < v->n; i++) near[i] = DBL_MAX;
    for (size_t j = 0; j < c->k; j++) {
        qn_vectors_add_to(v, pick, 1, c->centre + j * v->dim);
        double total = 0;
        for (size_t i = 0; i < v->n; i++) {
            double d = distance2(v, sq, i, pick);
            if (d < near[i]) near[i] = d;
            total += near[i];
        }
        double at = qn_rng_real(r) * total;
        pick = 0;
        for (size_t i = 0; i < v->n; i++) {
            if (near[i] <= 0) continue;
            pick = i;
            if ((at -= near[i]) < 0) break;
        }
    }
    qn_free(near);
}

/* Gives every vector its nearest centre; returns how many changed. far[i]: its squared distance. */
static size_t assign(const qn_vectors *v, const double *sq, qn_clusters *c, double *far)
{
    double *csq = qn_alloc(c->k * sizeof *csq);
    size_t moved = 0;
    for (size_t j = 0; j < c->k; j++) {
        csq[j] = 0;
        for (size_t d = 0; d < v->dim; d++) csq[j] += (double)c->centre[j * v->dim + d] * c->centre[j * v->dim + d];
    }
    c->inertia = 0;
    for (size_t i = 0; i < v->n; i++) {
        double best = DBL_MAX;
        uint32_t label = 0;
        for (size_t j = 0; j < c->k; j++) {
            double d = sq[i] + csq[j] - 2 * qn_vectors_dot_dense(v, i, c->centre + j * v->dim);
            if (d < best) best = d, label = (uint32_t)j;
        }
        moved += c->label[i] != label;
        c->label[i] = label;
        far[i] = best > 0 ? best : 0;
        c->inertia += far[i];
    }
    qn_free(csq);
    return moved;
}

static void count_sizes(const qn_vectors *v, qn_clusters *c)
{
    for (size_t j = 0; j < c->k; j++) c->size[j] = 0;
    for (size_t i = 0; i < v->n; i++) c->size[c->label[i]]++;
}

static void fill_empty(const qn_vectors *v, qn_clusters *c, double *far)
{
    for (size_t j = 0; j < c->k; j++) {
        if (c->size[j]) continue;
        size_t pick = 0;
        for (size_t i = 1; i < v->n; i++)
            if (far[i] > far[pick]) pick = i;
        if (c->size[c->label[pick]] < 2) continue;
        c->size[c->label[pick]]--;
        c->label[pick] = (uint32_t)j;
        c->size[j] = 1;
        far[pick] = 0;
    }
}

static void move_centres(const qn_vectors *v, qn_clusters *c)
{
    memset(c->centre, 0, c->k * v->dim * sizeof *c->centre);
    for (size_t i = 0; i < v->n; i++) qn_vectors_add_to(v, i, 1 / (float)c->size[c->label[i]], c->centre + c->label[i] * v->dim);
}

qn_clusters qn_kmeans(const qn_vectors *v, size_t k, int max_rounds, uint64_t seed)
{
    qn_clusters c = { .k = k < v->n ? k : v->n };
    qn_rng r = qn_rng_seed(seed);
    if (c.k == 0) return c;
    c.label = QN_NEW_N(uint32_t, v->n);
    c.centre = QN_NEW_N(float, c.k * v->dim + 1);
    c.size = QN_NEW_N(size_t, c.k);
    double *sq = qn_alloc(v->n * sizeof *sq), *far = qn_alloc(v->n * sizeof *far);
    squares(v, sq);
    seed_centres(v, sq, &c, &r);
    for (size_t i = 0; i < v->n; i++) c.label[i] = UINT32_MAX;
    while (assign(v, sq, &c, far) && c.rounds < max_rounds) {
        count_sizes(v, &c);
        fill_empty(v, &c, far);
        move_centres(v, &c);
        c.rounds++;
    }
    count_sizes(v, &c);
    qn_free(sq);
    qn_free(far);
    return c;
}

void qn_clusters_free(qn_clusters *c)
{
    qn_free(c->label);
    qn_free(c->centre);
    qn_free(c->size);
    *c = (qn_clusters){ 0 };
}

/* ---- k-center ---- */
size_t qn_k_center(const qn_vectors *v, size_t k, size_t first, size_t *out, double *radius)
{
    size_t n = k < v->n ? k : v->n, pick = first < v->n ? first : 0;
    double *sq = qn_alloc((v->n + 1) * sizeof *sq), *near = qn_alloc((v->n + 1) * sizeof *near), far = 0;
    squares(v, sq);
    for (size_t i = 0; i < v->n; i++) near[i] = DBL_MAX;
    for (size_t taken = 0; taken < n; taken++) {
        size_t next = 0;
        out[taken] = pick;
        far = -1;
        near[pick] = -1;            /* never again */
        for (size_t i = 0; i < v->n; i++) {
            if (near[i] < 0) continue;
            double d = distance2(v, sq, i, pick);
            if (d < near[i]) near[i] = d;
            if (near[i] > far) far = near[i], next = i;
        }
        pick = next;
    }
    if (radius) *radius = far > 0 ? sqrt(far) : 0;
    qn_free(sq);
    qn_free(near);
    return n;
}

/* ---- facility location ---- */
typedef struct { double gain; size_t index; } offer;

static bool better(offer x, offer y) { return x.gain != y.gain ? x.gain > y.gain : x.index < y.index; }

static void sift_down(offer *heap, size_t n, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n) return;
        if (child + 1 < n && better(heap[child + 1], heap[child])) child++;
        if (!better(heap[child], heap[i])) return;
        offer x = heap[i];
        heap[i] = heap[child];
        heap[child] = x;
        i = child;
    }
}

static double gain_of(const qn_vectors *v, const double *covered, size_t j)
{
    double gain = 0;
    for (size_t i = 0; i < v->n; i++) {
        double s = qn_vectors_dot(v, i, j);
        if (s > covered[i]) gain += s - covered[i];
    }
    return gain;
}

/* A gain only shrinks as more is taken, so an offer whose fresh gain still leads the heap is the best of all. */
size_t qn_facility(const qn_vectors *v, size_t k, size_t *out, double *gain)
{
    size_t n = k < v->n ? k : v->n, left = v->n;
    double *covered = QN_NEW_N(double, v->n + 1);
    offer *heap = qn_alloc((v->n + 1) * sizeof *heap);
    for (size_t j = 0; j < v->n; j++) heap[j] = (offer){ gain_of(v, covered, j), j };
    for (size_t i = left / 2; i-- > 0;) sift_down(heap, left, i);
    for (size_t taken = 0; taken < n; taken++) {
        for (;;) {
            offer fresh = { gain_of(v, covered, heap[0].index), heap[0].index };
            heap[0] = fresh;
            sift_down(heap, left, 0);
            if (heap[0].index == fresh.index) break;
        }
        out[taken] = heap[0].index;
        if (gain) gain[taken] = heap[0].gain;
        for (size_t i = 0; i < v->n; i++) {
            double s = qn_vectors_dot(v, i, out[taken]);
            if (s > covered[i]) covered[i] = s;
        }
        heap[0] = heap[--left];
        sift_down(heap, left, 0);
    }
    qn_free(covered);
    qn_free(heap);
    return n;
}
