/* cluster: puts rows into groups, by k-means or by density, and names each group by its own words.
 *
 * Adds `cluster` (0 is the largest; by density null for rows between the groups), and with `text` also `topic`: the words that weigh most in the
 * group against the rest, small words aside.
 * Vectors stay in memory, as in diverse; rows wait in memory, then on disk. */
#include "core/log.h"
#include "data/rowstore.h"
#include "ops/op.h"
#include "recipe/vecs.h"
#include "text/cluster.h"
#include "text/density.h"
#include "text/small_words.h"
#include <math.h>
#include <stdlib.h>

enum { DENSITY_ROWS = 50000 };

typedef struct { int64_t k, words, rounds, least, dense; qn_str by; qn_expr *text, *vector; } params;

static const qn_param PARAMS[] = {
    QN_CHOICE(params, by, "kmeans", "kmeans|density", "kmeans: every row into one of k groups; density: as many groups of any shape as stand out (HDBSCAN), the rest into none"),
    QN_INT(params, k, "0", "0..", "kmeans: how many groups; 0: the square root of half the rows"),
    QN_INT(params, least, "10", "2..", "density: fewest rows of a group"),
    QN_INT(params, dense, "5", "1..", "density: rows close by, itself counted, that make a place dense; more leaves more rows out"),
    QN_EXPR(params, text, "", "text", "group by this text (TF-IDF)"),
    QN_EXPR(params, vector, "", "[number]", "or by this list of numbers: an embedding"),
    QN_INT(params, words, "3", "1..20", "words of a topic's name"),
    QN_INT(params, rounds, "30", "1..1000", "rounds of k-means at most"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "k: 2, vector: .v", .in = "{v: [1, 0]}\n{v: [0, 1]}\n{v: [0.9, 0.1]}", .out = "{v: [1, 0], cluster: 0}\n{v: [0, 1], cluster: 1}\n{v: [0.9, 0.1], cluster: 0}" },
    { .params = "by: density, least: 2, dense: 1, vector: .v", .in = "{v: [1, 0]}\n{v: [1, 0.1]}\n{v: [0, 1]}\n{v: [0.1, 1]}\n{v: [-1, -1]}",
      .out = "{v: [1, 0], cluster: 0}\n{v: [1, 0.1], cluster: 0}\n{v: [0, 1], cluster: 1}\n{v: [0.1, 1], cluster: 1}\n{v: [-1, -1], cluster: null}" },
    QN_END
};

typedef struct { qn_rowstore *rows; qn_vecs *vecs; size_t at, n; qn_clusters found; uint32_t *rank; qn_arena arena; qn_str *topic; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    if (!p->text == !p->vector) return qn_fail_at(e, QN_ERECIPE, ck->pos, "give `text` or `vector`");
    const qn_type *t;
    QN_TRY(qn_type_parse(qn_str_is(p->by, "density") ? QN_STR("int?") : QN_STR("int"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->in, QN_STR("cluster"), t, ck->arena);
    if (p->text) ck->out = qn_type_with(ck->out, QN_STR("topic"), qn_type_simple(QN_T_TEXT), ck->arena);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    (void)e;
    st->rows = qn_rowstore_new(cx->memory_bytes / 4, NULL);
    st->vecs = qn_vecs_new(p->text, p->vector);
    *out = st;
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_rowstore_free(st->rows);
    qn_vecs_free(st->vecs);
    qn_clusters_free(&st->found);
    qn_free(st->rank);
    qn_arena_free(&st->arena);
    qn_free(st);
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    state *st = vs;
    (void)vp;
    return qn_vecs_keep(st->vecs, st->rows, r, cx->memory_bytes / 4 * 3, cx->scratch, e);
}

static int by_size(const void *a, const void *b, void *vs)
{
    const size_t *size = vs;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (size[x] != size[y]) return size[x] > size[y] ? -1 : 1;
    return (x > y) - (x < y);
}

/* The words whose weight in the group's centre exceeds their mean over all centres most. */
static qn_str name_of(state *st, const float *mean, size_t cluster, size_t dim, int n_words)
{
    const float *centre = st->found.centre + cluster * dim;
    qn_buf b = { 0 };
    size_t *used = QN_NEW_N(size_t, n_words + 1);
    for (int k = 0; k < n_words; k++) {
        size_t best = dim;
        float most = 0;
        for (size_t d = 0; d < dim; d++) {
            float over = centre[d] - mean[d];
            bool seen = false;
            for (int i = 0; i < k; i++) seen |= used[i] == d;
            if (!seen && over > most && !qn_is_light_word(qn_tfidf_word(qn_vecs_words(st->vecs), (uint32_t)d))) most = over, best = d;
        }
        if (best == dim) break;
        used[k] = best;
        if (k) qn_buf_puts(&b, ", ");
        qn_buf_str(&b, qn_tfidf_word(qn_vecs_words(st->vecs), (uint32_t)best));
    }
    qn_str name = qn_arena_str(&st->arena, qn_buf_view(&b));
    qn_free(used);
    qn_buf_free(&b);
    return name;
}

static void name_all(state *st, size_t dim, int n_words)
{
    float *mean = QN_NEW_N(float, dim + 1);
    for (size_t c = 0; c < st->found.k; c++)
        for (size_t d = 0; d < dim; d++) mean[d] += st->found.centre[c * dim + d] / (float)st->found.k;
    st->topic = QN_ARENA_NEW_N(&st->arena, qn_str, st->found.k + 1);
    for (size_t c = 0; c < st->found.k; c++) st->topic[c] = name_of(st, mean, c, dim, n_words);
    qn_free(mean);
}

/* The groups in the shape of k-means' result: labels by size already, rows in no group have the label k. */
static void by_density(const params *p, state *st, const qn_vectors *v)
{
    qn_density d = qn_density_groups(v, (size_t)p->least, (size_t)p->dense);
    qn_clusters *f = &st->found;
    *f = (qn_clusters){ .k = d.k, .label = QN_NEW_N(uint32_t, v->n + 1), .size = QN_NEW_N(size_t, d.k + 1), .centre = QN_NEW_N(float, (d.k + 1) * v->dim + 1) };
    size_t none = 0;
    for (size_t i = 0; i < v->n; i++) {
        f->label[i] = d.label[i] == QN_DENSITY_NONE ? (uint32_t)d.k : d.label[i];
        none += d.label[i] == QN_DENSITY_NONE;
        if (d.label[i] != QN_DENSITY_NONE) qn_vectors_add_to(v, i, 1 / (float)d.size[d.label[i]], f->centre + d.label[i] * v->dim);
    }
    for (size_t c = 0; c < d.k; c++) f->size[c] = d.size[c];
    qn_log(d.k ? QN_INFO : QN_WARN, "cluster", "%zu groups by density, %zu of %zu rows in none", d.k, none, v->n);
    qn_density_free(&d);
}

static qn_code finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    bool density = qn_str_is(p->by, "density");
    const qn_vectors *v = qn_vecs_end(st->vecs);
    size_t k = density ? v->n / (size_t)p->least : p->k ? (size_t)p->k : (size_t)ceil(sqrt((double)v->n / 2));
    if (density && v->n > DENSITY_ROWS) {
        qn_fail(e, QN_ELIMIT, "%zu rows are too many for groups by density, which compare each with each: at most %d", v->n, DENSITY_ROWS);
        qn_hint(e, "put `sample` in front, or take `by: kmeans`");
        return QN_ELIMIT;
    }
    if (!density && k * v->dim * sizeof(float) > cx->memory_bytes / 2)
        return qn_fail(e, QN_ELIMIT, "%zu groups in %zu dimensions do not fit in %zu MB: fewer groups, or more --memory", k, v->dim, cx->memory_bytes >> 21);
    st->n = v->n;
    if (density) by_density(p, st, v);
    else st->found = qn_kmeans(v, k, (int)p->rounds, cx->seed);
    st->rank = QN_NEW_N(uint32_t, st->found.k + 1);
    uint32_t *order = QN_NEW_N(uint32_t, st->found.k + 1);
    for (uint32_t c = 0; c < st->found.k; c++) order[c] = c;
    if (st->found.k) qsort_r(order, st->found.k, sizeof *order, by_size, st->found.size);
    for (uint32_t c = 0; c < st->found.k; c++) st->rank[order[c]] = c;
    qn_free(order);
    if (p->text) name_all(st, v->dim, (int)p->words);
    return QN_OK;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    state *st = vs;
    (void)cx;
    (void)vp;
    *out = NULL;
    if (st->at == st->n) return QN_OK;
    uint32_t c = st->found.label[st->at];
    QN_TRY(qn_rowstore_take(st->rows, st->at++, out, e));
    if (c == st->found.k) qn_row_set(*out, QN_STR("cluster"), qn_v_null());
    else qn_row_set_int(*out, "cluster", st->rank[c]);
    if (st->topic) qn_row_set_text(*out, "topic", c == st->found.k ? QN_STR("") : st->topic[c]);
    return QN_OK;
}

static size_t holds(const void *vp, uint64_t n, size_t avg_bytes)
{
    return (size_t)n * (((const params *)vp)->vector ? 384 * sizeof(float) : avg_bytes * 3);
}

const qn_op qn_op_cluster = {
    .name = "cluster", .version = 3, .stage = QN_CURATE, .brief = "group rows by k-means or by density, and name each group by its own words",
    .about = "Adds `cluster` (0 is the largest group) and, with `text`, `topic`. By density works best on embeddings (`vector`): by TF-IDF short texts lie equally far from each other.",
    .paper = "Lloyd 1982; k-means++: Arthur and Vassilvitskii 2007; density: Campello, Moulavi and Sander 2013 (HDBSCAN*)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .absorb = absorb, .finish = finish, .next = next, .holds = holds,
};
