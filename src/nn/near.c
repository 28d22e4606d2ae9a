/* near: exact search in a small set, an HNSW graph over a large one.
 *
 * Each vector has a level, geometric with mean 1/15; level 0 holds all. A search goes down greedily from the entry on the highest level, then
 * keeps the WIDTH best on level 0 and looks at the links of each once.
 *
 *   links on level 0: at 1 + 2 * LINKS numbers a vector (count, then indices), in one array
 *   above: at 1 + LINKS numbers a level, an array of its own for the 1 in 16 vectors that have one */
#include "nn/near.h"
#include "core/mem.h"
#include "core/paged.h"
#include "nn/kernels.h"

enum { LINKS = 16, GROUND = 2 * LINKS, WIDTH_BUILD = 100, WIDTH_FIND = 96, MAX_LEVEL = 12, POOL = 128 };

typedef struct { float sim; uint32_t at; bool opened; } near;

struct qn_near {
    size_t    dim, n, exact, cap_ground, cap_level, cap_upper, cap_seen, n_upper;
    float    *v;                /* (n, dim), in `pages` */
    qn_paged *pages;
    bool      on_disk;
    size_t    n_linked;         /* vectors in the graph: 0, or n */
    uint32_t *ground;           /* (n, 1 + GROUND) */
    uint8_t  *level;            /* (n) */
    uint32_t **upper;           /* (n) NULL, or (level, 1 + LINKS) */
    uint32_t *seen, stamp;      /* (n) seen in this search when equal to stamp */
    uint32_t  entry;
    int       top;
    near      pool[POOL];       /* the best so far, best first */
    size_t    n_pool;
};

qn_near *qn_near_new(size_t dim, size_t exact) { return qn_near_new_within(dim, exact, SIZE_MAX, NULL); }

qn_near *qn_near_new_within(size_t dim, size_t exact, size_t memory_bytes, const char *dir)
{
    qn_near *s = QN_NEW(qn_near);
    s->pages = qn_paged_new(dir, memory_bytes);
    s->dim = dim;
    s->exact = exact;
    return s;
}

void qn_near_free(qn_near *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->n_linked; i++) qn_free(s->upper[i]);
    qn_paged_free(s->pages);
    qn_free(s->ground);
    qn_free(s->level);
    qn_free(s->upper);
    qn_free(s->seen);
    qn_free(s);
}

size_t qn_near_n(const qn_near *s) { return s->n; }
size_t qn_near_dim(const qn_near *s) { return s->dim; }

size_t qn_near_bytes(const qn_near *s)
{
    return (s->on_disk ? 0 : s->n * s->dim * sizeof(float)) + (s->cap_ground + s->cap_seen + s->n_upper * (1 + LINKS)) * sizeof(uint32_t) + s->cap_level + s->cap_upper * sizeof(uint32_t *);
}

size_t qn_near_on_disk(const qn_near *s) { return qn_paged_on_disk(s->pages); }

static float similarity(const qn_near *s, const float *q, uint32_t at)
{
    if (s->on_disk) qn_paged_touched(s->pages);
    return qn_dot(s->dim, q, s->v + (size_t)at * s->dim);
}
static const float *vector(const qn_near *s, uint32_t at) { return s->v + (size_t)at * s->dim; }

static uint32_t *links_of(const qn_near *s, uint32_t at, int level)
{
    return level == 0 ? s->ground + (size_t)at * (1 + GROUND) : s->upper[at] + (size_t)(level - 1) * (1 + LINKS);
}

/* Zero for 15 of 16, then one more for 1 in 16 each: four bits of a hash of the index a step. */
static int level_of(uint64_t i)
{
    uint64_t x = i + 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    int level = 0;
    while (level < MAX_LEVEL && (x & 15) == 0) { level++; x >>= 4; }
    return level;
}

/* ---- searching one level ---- */
static bool before(near a, near b) { return a.sim > b.sim || (a.sim == b.sim && a.at < b.at); }

static void keep(qn_near *s, near c, size_t width)
{
    if (s->n_pool == width && !before(c, s->pool[width - 1])) return;
    size_t i = s->n_pool < width ? s->n_pool++ : width - 1;
    for (; i > 0 && before(c, s->pool[i - 1]); i--) s->pool[i] = s->pool[i - 1];
    s->pool[i] = c;
}

/* From the vectors in the pool: the `width` nearest to q that links of this level lead to. */
static void search_level(qn_near *s, const float *q, size_t width, int level)
{
    if (++s->stamp == 0) { memset(s->seen, 0, s->cap_seen * sizeof *s->seen); s->stamp = 1; }
    for (size_t i = 0; i < s->n_pool; i++) { s->pool[i].opened = false; s->seen[s->pool[i].at] = s->stamp; }
    for (size_t i = 0; i < s->n_pool;) {
        if (s->pool[i].opened) { i++; continue; }
        s->pool[i].opened = true;
        const uint32_t *l = links_of(s, s->pool[i].at, level);
        for (uint32_t k = 1; k <= l[0]; k++) {
            if (s->seen[l[k]] == s->stamp) continue;
            s->seen[l[k]] = s->stamp;
            keep(s, (near){ similarity(s, q, l[k]), l[k], false }, width);
        }
        i = 0;          /* something nearer may have come in front */
    }
}

static void enter(qn_near *s, const float *q, int down_to)
{
    s->pool[0] = (near){ similarity(s, q, s->entry), s->entry, false };
    s->n_pool = 1;
    for (int level = s->top; level > down_to; level--) search_level(s, q, 1, level);
}

/* ---- linking ---- */
/* Of candidates, best first, those that are nearer to the vector than to any already chosen; then the best of the rest (algorithm 4). */
static size_t choose(const qn_near *s, const near *from, size_t n, size_t most, uint32_t *out)
{
    size_t n_out = 0, n_left = 0;
    uint32_t left[POOL];
    for (size_t i = 0; i < n && n_out < most; i++) {
        bool apart = true;
        for (size_t k = 0; k < n_out && apart; k++) apart = similarity(s, vector(s, from[i].at), out[k]) < from[i].sim;
        if (apart) out[n_out++] = from[i].at;
        else left[n_left++] = from[i].at;
    }
    for (size_t i = 0; i < n_left && n_out < most; i++) out[n_out++] = left[i];
    return n_out;
}

static void link_back(qn_near *s, uint32_t at, uint32_t to, int level)
{
    uint32_t *l = links_of(s, at, level);
    size_t most = level ? LINKS : GROUND;
    if (l[0] < most) { l[++l[0]] = to; return; }
    near all[1 + GROUND];
    size_t n = 0;
    for (uint32_t k = 0; k <= l[0]; k++) {
        near c = { 0, k ? l[k] : to, false };
        c.sim = similarity(s, vector(s, at), c.at);
        size_t i = n++;
        for (; i > 0 && before(c, all[i - 1]); i--) all[i] = all[i - 1];
        all[i] = c;
    }
    l[0] = (uint32_t)choose(s, all, n, most, l + 1);
}

/* Vector `at` is the next to come into the graph. */
static void link_in(qn_near *s, uint32_t at)
{
    int level = level_of(at);
    QN_GROW(s->ground, ((size_t)at + 1) * (1 + GROUND), s->cap_ground);
    QN_GROW(s->level, at, s->cap_level);
    QN_GROW(s->upper, at, s->cap_upper);
    size_t had = s->cap_seen;
    QN_GROW(s->seen, at, s->cap_seen);
    memset(s->seen + had, 0, (s->cap_seen - had) * sizeof *s->seen);
    s->level[at] = (uint8_t)level;
    s->upper[at] = level ? QN_NEW_N(uint32_t, level * (1 + LINKS)) : NULL;
    s->n_upper += (size_t)level;
    links_of(s, at, 0)[0] = 0;
    if (s->n_linked++ == 0) { s->entry = at; s->top = level; return; }
    const float *q = vector(s, at);
    enter(s, q, level);
    for (int l = level < s->top ? level : s->top; l >= 0; l--) {
        uint32_t *mine = links_of(s, at, l);
        search_level(s, q, WIDTH_BUILD, l);
        mine[0] = (uint32_t)choose(s, s->pool, s->n_pool, LINKS, mine + 1);
        for (uint32_t k = 1; k <= mine[0]; k++) link_back(s, mine[k], at, l);
    }
    if (level > s->top) { s->top = level; s->entry = at; }
}

qn_code qn_near_add(qn_near *s, const float *v, qn_err *e)
{
    void *base;
    QN_ASSERT(s->n < UINT32_MAX - 1);
    QN_TRY(qn_paged_grow(s->pages, (s->n + 1) * s->dim * sizeof *v, &base, e));
    s->v = base;
    s->on_disk = qn_paged_on_disk(s->pages) > 0;
    memcpy(s->v + s->n * s->dim, v, s->dim * sizeof *v);
    s->n++;
    while (s->n > s->exact && s->n_linked < s->n) link_in(s, (uint32_t)s->n_linked);
    return QN_OK;
}

bool qn_near_find(qn_near *s, const float *v, size_t *index, float *sim)
{
    if (s->n == 0) return false;
    near best = { similarity(s, v, 0), 0, false };
    if (s->n_linked) {
        enter(s, v, 0);
        search_level(s, v, WIDTH_FIND, 0);
        best = s->pool[0];
    } else {
        for (size_t i = 1; i < s->n; i++) {
            near c = { similarity(s, v, (uint32_t)i), (uint32_t)i, false };
            if (before(c, best)) best = c;
        }
    }
    *index = best.at;
    *sim = best.sim;
    return true;
}
