/* density: spanning tree, dendrogram, condensed tree, choice. */
#include "text/density.h"
#include "core/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEAREST 1e-9        /* distances below count as this: equal vectors have a finite density */

/* ---- distances from one vector to all ---- */
typedef struct { const qn_vectors *v; double *square; float *x; } space;

static void distances(space *s, size_t from, double *out)
{
    qn_vectors_add_to(s->v, from, 1, s->x);
    for (size_t i = 0; i < s->v->n; i++) {
        double d = s->square[from] + s->square[i] - 2 * qn_vectors_dot_dense(s->v, i, s->x);
        out[i] = i == from || d <= 0 ? 0 : sqrt(d);
    }
    if (!s->v->dense) for (size_t i = s->v->start[from]; i < s->v->start[from + 1]; i++) s->x[s->v->col[i]] = 0;
    else memset(s->x, 0, s->v->dim * sizeof *s->x);
}

/* The k-th smallest, by keeping the k smallest in order. */
static double kth(const double *d, size_t n, size_t k, double *best)
{
    size_t have = 0;
    for (size_t i = 0; i < n; i++) {
        if (have == k && d[i] >= best[k - 1]) continue;
        size_t at = have < k ? have++ : k - 1;
        for (; at > 0 && best[at - 1] > d[i]; at--) best[at] = best[at - 1];
        best[at] = d[i];
    }
    return best[have - 1];
}

typedef struct { double d; uint32_t a, b; } edge;

static int by_length(const void *x, const void *y)
{
    const edge *a = x, *b = y;
    if (a->d != b->d) return a->d < b->d ? -1 : 1;
    if (a->a != b->a) return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

/* Prim's tree over max(core a, core b, distance). */
static void spanning_tree(space *s, const double *core, edge *tree)
{
    size_t n = s->v->n, at = 0;
    double *near = QN_NEW_N(double, n), *d = QN_NEW_N(double, n);
    uint32_t *from = QN_NEW_N(uint32_t, n);
    bool *in = QN_NEW_N(bool, n);
    for (size_t i = 0; i < n; i++) near[i] = INFINITY;
    for (size_t step = 0; step + 1 < n; step++) {
        size_t next = n;
        in[at] = true;
        distances(s, at, d);
        for (size_t i = 0; i < n; i++) {
            if (in[i]) continue;
            double reach = fmax(d[i], fmax(core[at], core[i]));
            if (reach < near[i]) { near[i] = reach; from[i] = (uint32_t)at; }
            if (next == n || near[i] < near[next]) next = i;
        }
        tree[step] = (edge){ near[next], from[next], (uint32_t)next };
        at = next;
    }
    qn_free(near);
    qn_free(d);
    qn_free(from);
    qn_free(in);
}

/* ---- the dendrogram ---- node i < n is vector i; node n + k joins two at the k-th shortest edge */
typedef struct { uint32_t left, right, size; double d; } join;

static uint32_t root_of(uint32_t *up, uint32_t i)
{
    while (up[i] != i) i = up[i] = up[up[i]];
    return i;
}

static join *dendrogram(edge *tree, size_t n)
{
    join *all = QN_NEW_N(join, n);
    uint32_t *up = QN_NEW_N(uint32_t, 2 * n);
    qsort(tree, n - 1, sizeof *tree, by_length);
    for (uint32_t i = 0; i < 2 * n; i++) up[i] = i;
    for (size_t k = 0; k + 1 < n; k++) {
        uint32_t a = root_of(up, tree[k].a), b = root_of(up, tree[k].b), made = (uint32_t)(n + k);
        all[k] = (join){ a, b, 0, tree[k].d };
        all[k].size = (a < n ? 1 : all[a - n].size) + (b < n ? 1 : all[b - n].size);
        up[a] = up[b] = made;
    }
    qn_free(up);
    return all;
}

/* ---- the condensed tree ---- */
typedef struct { uint32_t parent, size; double birth, stability; bool taken; uint32_t label; } cluster;
typedef struct {
    const join *joins;
    size_t   n, min_size;
    cluster *c;
    size_t   n_c, cap;
    uint32_t *left_at;          /* (n) cluster that vector i fell out of */
    uint32_t *stack;
} condense;

static uint32_t size_of(const condense *t, uint32_t node) { return node < t->n ? 1 : t->joins[node - t->n].size; }
static double lambda(double d) { return 1 / (d > NEAREST ? d : NEAREST); }

/* All vectors below `node` leave cluster `c` at `l`. */
static void fall_out(condense *t, uint32_t node, uint32_t c, double l)
{
    size_t top = 0;
    t->stack[top++] = node;
    while (top) {
        uint32_t x = t->stack[--top];
        if (x < t->n) {
            t->left_at[x] = c;
            t->c[c].stability += l - t->c[c].birth;
            continue;
        }
        t->stack[top++] = t->joins[x - t->n].left;
        t->stack[top++] = t->joins[x - t->n].right;
    }
}

static uint32_t new_cluster(condense *t, uint32_t parent, uint32_t size, double birth)
{
    QN_GROW(t->c, t->n_c, t->cap);
    t->c[t->n_c] = (cluster){ .parent = parent, .size = size, .birth = birth };
    return (uint32_t)t->n_c++;
}

static void condense_all(condense *t)
{
    typedef struct { uint32_t node, c; } todo;
    todo *list = QN_NEW_N(todo, t->n + 1);
    size_t n_todo = 0;
    uint32_t root = (uint32_t)(2 * t->n - 2);
    list[n_todo++] = (todo){ root, new_cluster(t, 0, (uint32_t)t->n, 0) };
    while (n_todo) {
        todo x = list[--n_todo];
        while (x.node >= t->n) {
            const join *j = &t->joins[x.node - t->n];
            double l = lambda(j->d);
            bool left = size_of(t, j->left) >= t->min_size, right = size_of(t, j->right) >= t->min_size;
            if (left && right) {
                t->c[x.c].stability += (l - t->c[x.c].birth) * j->size;
                uint32_t a = new_cluster(t, x.c, size_of(t, j->left), l), b = new_cluster(t, x.c, size_of(t, j->right), l);
                list[n_todo++] = (todo){ j->left, a };
                list[n_todo++] = (todo){ j->right, b };
                break;
            }
            if (!left) fall_out(t, j->left, x.c, l);
            if (!right) fall_out(t, j->right, x.c, l);
            if (!left && !right) break;
            x.node = left ? j->left : j->right;
        }
        if (x.node < t->n) fall_out(t, x.node, x.c, lambda(0));
    }
    qn_free(list);
}

/* A cluster is taken when it lasts longer than the clusters that it splits into; the whole is never one. */
static void choose(condense *t)
{
    double *below = QN_NEW_N(double, t->n_c + 1);
    for (size_t i = t->n_c; i-- > 1;) {
        cluster *c = &t->c[i];
        c->taken = c->stability >= below[i];
        below[c->parent] += c->taken ? c->stability : below[i];
    }
    for (size_t i = 1; i < t->n_c; i++) {           /* below a taken one nothing is */
        cluster *c = &t->c[i];
        const cluster *up = &t->c[c->parent];
        if (up->label) c->taken = false;
        c->label = up->label ? up->label : c->taken ? (uint32_t)i : 0;
    }
    qn_free(below);
}

/* ---- */
typedef struct { uint32_t cluster; size_t size; } rank;
static int largest_first(const void *x, const void *y)
{
    const rank *a = x, *b = y;
    if (a->size != b->size) return a->size > b->size ? -1 : 1;
    return (a->cluster > b->cluster) - (a->cluster < b->cluster);
}

static void label(const condense *t, qn_density *out)
{
    rank *ranks = QN_NEW_N(rank, t->n_c + 1);
    uint32_t *place = QN_NEW_N(uint32_t, t->n_c + 1);
    size_t n = 0;
    for (uint32_t i = 0; i < t->n_c; i++) ranks[i].cluster = i;
    for (size_t i = 0; i < t->n; i++) ranks[t->c[t->left_at[i]].label].size += t->c[t->left_at[i]].label != 0;
    qsort(ranks, t->n_c, sizeof *ranks, largest_first);
    while (n < t->n_c && ranks[n].size) { place[ranks[n].cluster] = (uint32_t)n; n++; }
    out->k = n;
    out->size = QN_NEW_N(size_t, n + 1);
    for (size_t i = 0; i < n; i++) out->size[i] = ranks[i].size;
    for (size_t i = 0; i < t->n; i++) {
        uint32_t c = t->c[t->left_at[i]].label;
        out->label[i] = c ? place[c] : QN_DENSITY_NONE;
    }
    qn_free(ranks);
    qn_free(place);
}

qn_density qn_density_groups(const qn_vectors *v, size_t min_size, size_t min_points)
{
    size_t n = v->n;
    qn_density out = { .label = QN_NEW_N(uint32_t, n + 1) };
    for (size_t i = 0; i < n; i++) out.label[i] = QN_DENSITY_NONE;
    if (min_size < 2) min_size = 2;
    if (min_points < 1) min_points = 1;
    if (n < 2 * min_size) { out.size = QN_NEW_N(size_t, 1); return out; }
    space s = { v, QN_NEW_N(double, n), QN_NEW_N(float, v->dim + 1) };
    double *core = QN_NEW_N(double, n), *d = QN_NEW_N(double, n), *best = QN_NEW_N(double, min_points + 1);
    edge *tree = QN_NEW_N(edge, n);
    for (size_t i = 0; i < n; i++) s.square[i] = qn_vectors_dot(v, i, i);
    for (size_t i = 0; i < n; i++) {
        distances(&s, i, d);
        core[i] = kth(d, n, min_points, best);
    }
    spanning_tree(&s, core, tree);
    join *joins = dendrogram(tree, n);
    condense t = { .joins = joins, .n = n, .min_size = min_size, .left_at = QN_NEW_N(uint32_t, n), .stack = QN_NEW_N(uint32_t, 2 * n) };
    condense_all(&t);
    choose(&t);
    label(&t, &out);
    qn_free(t.c);
    qn_free(t.left_at);
    qn_free(t.stack);
    qn_free(joins);
    qn_free(tree);
    qn_free(best);
    qn_free(d);
    qn_free(core);
    qn_free(s.x);
    qn_free(s.square);
    return out;
}

void qn_density_free(qn_density *d)
{
    qn_free(d->label);
    qn_free(d->size);
    *d = (qn_density){0};
}
