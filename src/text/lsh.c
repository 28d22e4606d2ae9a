/* lsh: a log-structured index of band keys. Newest entries lie in one open-addressing table per band; when they are full they
 * become an immutable sorted run on disk.
 *
 * The place of a key in a table is key * cap / 2^32, which keeps the slots nearly in key order: a run is written by one walk
 * over the table and an insertion sort that moves entries by a few slots. */
#include "text/lsh.h"
#include "core/mem.h"
#include "core/spill.h"
#include <math.h>

typedef struct { uint32_t key, row; } entry;            /* row EMPTY: a free slot */
#define EMPTY      UINT32_MAX
#define PAGE       512                                  /* entries read at once: 4 KiB */
#define SLACK      4096                                 /* slots behind the last place, so that probing never wraps */
#define FILTER_BITS_PER_KEY 12
#define MISSES_AT_LIMIT 0.005

typedef struct {
    qn_spill *file;             /* n_bands lists of n entries, each in key order */
    size_t    n, n_fences;      /* entries of a band; ceil(n / PAGE) */
    uint32_t *fences;           /* (n_bands, n_fences): first key of each page */
    uint64_t *filter;           /* n_blocks of 512 bits; NULL: none */
    size_t    n_blocks;
} run;

struct qn_lsh {
    qn_lsh_setup setup;
    int      n_bands, n_places;
    entry   *slots;             /* (n_bands, cap + SLACK): one allocation, in huge pages when it is large */
    size_t   cap, cap_max, n_in_tables;     /* places of a table; rows in each */
    run     *runs;
    size_t   n_runs, cap_runs;
    size_t   filter_bytes, filter_max;
    qn_spill *sets;             /* for each row: id, number of shingles, shingles */
    uint64_t *at;               /* (n_rows) place in `sets` */
    size_t   n_rows, cap_rows;
    uint32_t *found;            /* candidates of the look-up in hand */
    size_t   n_found, cap_found;
    uint32_t *other;            /* the candidate's shingles */
    size_t   cap_other;
    uint64_t n_candidates, n_matches;
};

typedef struct { qn_hash128 id; uint64_t n; } set_head;

/* ---- bands ---- */
double qn_lsh_chance(int n_bands, int n_rows, double j) { return 1 - pow(1 - pow(j, n_rows), n_bands); }

void qn_lsh_bands(int n_hashes, double over, int *n_bands, int *n_rows)
{
    int best = 1;
    for (int r = 2; r <= n_hashes; r++)
        if (1 - qn_lsh_chance(n_hashes / r, r, over) <= MISSES_AT_LIMIT) best = r;
    *n_rows = best;
    *n_bands = n_hashes / best;
}

void qn_lsh_keys(int n_bands, int n_rows, const uint32_t *sig, uint32_t *keys)
{
    for (int b = 0; b < n_bands; b++) {
        uint64_t h = (uint64_t)b * 0x9E3779B97F4A7C15u + 1;
        for (int i = 0; i < n_rows; i++) {
            h = (h ^ *sig++) * 0xD6E8FEB86659FD93u;
            h ^= h >> 32;
        }
        keys[b] = (uint32_t)((h * 0x9E3779B97F4A7C15u) >> 32);
    }
}

/* ---- tables ---- */
static inline size_t place(uint32_t key, size_t cap) { return (size_t)(((uint64_t)key * cap) >> 32); }

static inline entry *table_of(entry *slots, size_t cap, int band) { return slots + (size_t)band * (cap + SLACK); }

static entry *slots_new(int n_bands, size_t cap)
{
    size_t bytes = (size_t)n_bands * (cap + SLACK) * sizeof(entry);
    entry *slots = qn_alloc_large(bytes);
    memset(slots, 0xFF, bytes);
    return slots;
}

/* False when the slack is used up: too many equal keys at the very end. */
static bool table_put(entry *t, size_t cap, entry x)
{
    size_t i = place(x.key, cap);
    while (i < cap + SLACK && t[i].row != EMPTY) i++;
    if (i == cap + SLACK) return false;
    t[i] = x;
    return true;
}

static bool grow(qn_lsh *l, size_t cap)
{
    entry *fresh = slots_new(l->n_bands, cap);
    bool fits = true;
    for (int b = 0; b < l->n_bands && fits; b++) {
        const entry *from = table_of(l->slots, l->cap, b);
        entry *to = table_of(fresh, cap, b);
        for (size_t i = 0; i < l->cap + SLACK && fits; i++)
            if (from[i].row != EMPTY) fits = table_put(to, cap, from[i]);
    }
    qn_free(fits ? l->slots : fresh);
    if (fits) l->slots = fresh, l->cap = cap;
    return fits;
}

static void found_put(qn_lsh *l, uint32_t row)
{
    QN_GROW(l->found, l->n_found, l->cap_found);
    l->found[l->n_found++] = row;
}

static void ask_tables(qn_lsh *l, const uint32_t *keys)
{
    for (int b = 0; b < l->n_bands; b++) __builtin_prefetch(table_of(l->slots, l->cap, b) + place(keys[b], l->cap));
    for (int b = 0; b < l->n_bands; b++) {
        const entry *t = table_of(l->slots, l->cap, b), *end = t + l->cap + SLACK;
        for (const entry *x = t + place(keys[b], l->cap); x < end && x->row != EMPTY; x++)
            if (x->key == keys[b]) found_put(l, x->row);
    }
}

/* ---- filters: 6 bits in one block of 512 ---- */
static inline uint64_t filter_hash(int band, uint32_t key)
{
    uint64_t h = ((uint64_t)band << 32 | key) * 0x9E3779B97F4A7C15u;
    return (h ^ h >> 29) * 0xD6E8FEB86659FD93u;
}

static inline uint64_t *filter_block(const run *r, uint64_t h)
{
    return r->filter + 8 * (size_t)(((h >> 32) * r->n_blocks) >> 32);
}

/* Bit i of the key's six: nine bits of h each, remixed. */
static inline unsigned filter_bit(uint64_t h, int i) { return (unsigned)((h * 0xA24BAED4963EE407u) >> (9 * i + 1)) & 511; }

static void filter_put(run *r, uint64_t h)
{
    uint64_t *block = filter_block(r, h);
    for (int i = 0; i < 6; i++) { unsigned bit = filter_bit(h, i); block[bit >> 6] |= 1ull << (bit & 63); }
}

static bool filter_may_have(const run *r, uint64_t h)
{
    const uint64_t *block = filter_block(r, h);
    for (int i = 0; i < 6; i++) {
        unsigned bit = filter_bit(h, i);
        if (!(block[bit >> 6] >> (bit & 63) & 1)) return false;
    }
    return true;
}

/* ---- runs ---- */
static void sort_nearly_sorted(entry *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        entry x = v[i];
        size_t j = i;
        for (; j > 0 && (v[j - 1].key > x.key || (v[j - 1].key == x.key && v[j - 1].row > x.row)); j--) v[j] = v[j - 1];
        v[j] = x;
    }
}

static void run_free(run *r)
{
    qn_spill_free(r->file);
    qn_free(r->fences);
    qn_free(r->filter);
}

static void filter_new(qn_lsh *l, run *r)
{
    size_t n_keys = r->n * (size_t)l->n_bands, n_blocks = n_keys * FILTER_BITS_PER_KEY / 512 + 1;
    if (l->filter_bytes + n_blocks * 64 > l->filter_max) return;
    r->n_blocks = n_blocks;
    r->filter = qn_zalloc(n_blocks * 64);
    l->filter_bytes += n_blocks * 64;
}

/* Writes one band's table, in key order; packs it into the front of the table. */
static qn_code write_band(qn_lsh *l, run *r, int b, qn_err *e)
{
    entry *t = table_of(l->slots, l->cap, b);
    size_t n = 0;
    uint64_t at;
    for (size_t i = 0; i < l->cap + SLACK; i++)
        if (t[i].row != EMPTY) t[n++] = t[i];
    QN_ASSERT(n == r->n);
    sort_nearly_sorted(t, n);
    for (size_t i = 0; i < n; i++) {
        if (i % PAGE == 0) r->fences[(size_t)b * r->n_fences + i / PAGE] = t[i].key;
        if (r->filter) filter_put(r, filter_hash(b, t[i].key));
    }
    return qn_spill_put(r->file, t, n * sizeof *t, &at, e);
}

/* The tables become a run; the tables are empty afterwards. */
static qn_code flush(qn_lsh *l, qn_err *e)
{
    run r = { .n = l->n_in_tables, .n_fences = (l->n_in_tables + PAGE - 1) / PAGE };
    qn_code rc = QN_OK;
    if (r.n == 0) return QN_OK;
    r.file = qn_spill_new(l->setup.dir, 0);
    r.fences = qn_alloc((size_t)l->n_bands * r.n_fences * sizeof *r.fences);
    filter_new(l, &r);
    for (int b = 0; b < l->n_bands; b++) QN_TRY_OUT(write_band(l, &r, b, e));
    memset(l->slots, 0xFF, (size_t)l->n_bands * (l->cap + SLACK) * sizeof(entry));
    l->n_in_tables = 0;
    QN_GROW(l->runs, l->n_runs, l->cap_runs);
    l->runs[l->n_runs++] = r;
    return QN_OK;
out:
    run_free(&r);
    return rc;
}

/* Rows with this key in one band of a run: from the last page whose first key is below `key` on. */
static qn_code ask_band(qn_lsh *l, run *r, int b, uint32_t key, qn_err *e)
{
    const uint32_t *fences = r->fences + (size_t)b * r->n_fences;
    size_t lo = 0, hi = r->n_fences;
    entry page[PAGE];
    while (lo < hi) {               /* first fence >= key */
        size_t mid = (lo + hi) / 2;
        if (fences[mid] < key) lo = mid + 1;
        else hi = mid;
    }
    for (size_t p = lo ? lo - 1 : 0; p < r->n_fences && fences[p] <= key; p++) {
        size_t from = p * PAGE, n = r->n - from < PAGE ? r->n - from : PAGE;
        QN_TRY(qn_spill_get(r->file, ((uint64_t)b * r->n + from) * sizeof(entry), page, n * sizeof(entry), e));
        for (size_t i = 0; i < n && page[i].key <= key; i++)
            if (page[i].key == key) found_put(l, page[i].row);
    }
    return QN_OK;
}

static qn_code ask_run(qn_lsh *l, run *r, const uint32_t *keys, qn_err *e)
{
    if (r->filter)
        for (int b = 0; b < l->n_bands; b++) __builtin_prefetch(filter_block(r, filter_hash(b, keys[b])));
    for (int b = 0; b < l->n_bands; b++)
        if (!r->filter || filter_may_have(r, filter_hash(b, keys[b]))) QN_TRY(ask_band(l, r, b, keys[b], e));
    return QN_OK;
}

/* ---- the index ---- */
qn_lsh *qn_lsh_new(qn_lsh_setup setup)
{
    qn_lsh *l = QN_NEW(qn_lsh);
    if (setup.memory_bytes < (4u << 20)) setup.memory_bytes = 4u << 20;
    l->setup = setup;
    qn_lsh_bands(setup.n_hashes, setup.over, &l->n_bands, &l->n_places);
    l->cap = 1024;
    size_t slots = setup.memory_bytes / 20 * 11 / sizeof(entry) / (size_t)l->n_bands;
    l->cap_max = slots > SLACK + l->cap ? slots - SLACK : l->cap;
    l->filter_max = setup.memory_bytes / 20 * 6;
    l->slots = slots_new(l->n_bands, l->cap);
    l->sets = qn_spill_new(setup.dir, setup.memory_bytes / 10);
    return l;
}

void qn_lsh_free(qn_lsh *l)
{
    if (!l) return;
    for (size_t i = 0; i < l->n_runs; i++) run_free(&l->runs[i]);
    qn_free(l->slots);
    qn_free(l->runs);
    qn_spill_free(l->sets);
    qn_free(l->at);
    qn_free(l->found);
    qn_free(l->other);
    qn_free(l);
}

/* Similarity of `s` (sorted) with row `row`. */
static qn_code verify(qn_lsh *l, uint32_t row, const qn_shingles *s, qn_lsh_match *m, qn_err *e)
{
    set_head head;
    QN_TRY(qn_spill_get(l->sets, l->at[row], &head, sizeof head, e));
    QN_GROW(l->other, head.n, l->cap_other);
    QN_TRY(qn_spill_get(l->sets, l->at[row] + sizeof head, l->other, head.n * sizeof *l->other, e));
    size_t n = qn_u32_sort_set(l->other, head.n);
    double j = qn_jaccard(l->other, n, s->v, s->n);
    if (j >= l->setup.over) *m = (qn_lsh_match){ true, row, head.id, j };
    return QN_OK;
}

qn_code qn_lsh_find(qn_lsh *l, const uint32_t *keys, qn_shingles *s, qn_lsh_match *match, qn_err *e)
{
    *match = (qn_lsh_match){ 0 };
    l->n_found = 0;
    if (s->n == 0) return QN_OK;
    ask_tables(l, keys);
    for (size_t i = 0; i < l->n_runs; i++) QN_TRY(ask_run(l, &l->runs[i], keys, e));
    if (l->n_found == 0) return QN_OK;
    l->n_found = qn_u32_sort_set(l->found, l->n_found);
    qn_shingles_sort(s);
    for (size_t i = 0; i < l->n_found && !match->found; i++) {
        l->n_candidates++;
        QN_TRY(verify(l, l->found[i], s, match, e));
    }
    l->n_matches += match->found;
    return QN_OK;
}

/* Room for one more entry in every table. */
static qn_code make_room(qn_lsh *l, qn_err *e)
{
    if (l->n_in_tables * 4 < l->cap * 3) return QN_OK;
    size_t cap = l->cap * 2;
    if (cap > l->cap_max && l->cap < l->cap_max - l->cap_max / 8) cap = l->cap_max;
    return cap <= l->cap_max && grow(l, cap) ? QN_OK : flush(l, e);
}

static qn_code add_entries(qn_lsh *l, const uint32_t *keys, uint32_t row, qn_err *e)
{
    for (int b = 0; b < l->n_bands; b++) {
        if (table_put(table_of(l->slots, l->cap, b), l->cap, (entry){ keys[b], row })) continue;
        for (int c = 0; c < b; c++) {       /* take the row out again: it is the last of its probe chain */
            entry *x = table_of(l->slots, l->cap, c) + place(keys[c], l->cap);
            while (x->row != row) x++;
            x->row = EMPTY;
        }
        QN_TRY(flush(l, e));
        b = -1;
    }
    l->n_in_tables++;
    return QN_OK;
}

qn_code qn_lsh_add(qn_lsh *l, const uint32_t *keys, const qn_shingles *s, qn_hash128 id, qn_err *e)
{
    set_head head = { id, s->n };
    uint64_t at;
    if (l->n_rows >= EMPTY) return qn_fail(e, QN_ELIMIT, "more than %u rows in one index of near-duplicates", EMPTY);
    QN_GROW(l->at, l->n_rows, l->cap_rows);
    QN_TRY(qn_spill_put(l->sets, &head, sizeof head, &l->at[l->n_rows], e));
    QN_TRY(qn_spill_put(l->sets, s->v, s->n * sizeof *s->v, &at, e));
    if (s->n) {
        QN_TRY(make_room(l, e));
        QN_TRY(add_entries(l, keys, (uint32_t)l->n_rows, e));
    }
    l->n_rows++;
    return QN_OK;
}

qn_lsh_stats qn_lsh_count(const qn_lsh *l)
{
    qn_lsh_stats s = { .n_rows = l->n_rows, .n_candidates = l->n_candidates, .n_matches = l->n_matches, .n_runs = l->n_runs };
    s.memory_bytes = (size_t)l->n_bands * (l->cap + SLACK) * sizeof(entry) + l->filter_bytes + l->cap_rows * sizeof *l->at;
    s.memory_bytes += qn_spill_bytes(l->sets) - qn_spill_on_disk(l->sets);
    s.disk_bytes = qn_spill_on_disk(l->sets);
    for (size_t i = 0; i < l->n_runs; i++) {
        s.memory_bytes += (size_t)l->n_bands * l->runs[i].n_fences * 4 + (64u << 10);
        s.disk_bytes += qn_spill_on_disk(l->runs[i].file);
    }
    return s;
}
