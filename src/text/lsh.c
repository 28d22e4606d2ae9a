/* lsh: a log-structured index of band keys, in two ages.
 *
 *   young    tables in memory, one a band, of buckets that are one line of the processor's cache each: a look-up costs one line a band, and so does the
 *            insertion behind it, which finds the same lines near. qn_lsh_ahead fetches them while the set before is at work
 *   old      when the memory is full, immutable runs on disk, in order of key; runs of like size are merged
 *
 * A slot of a bucket holds the number of a set in memory and as many bits of its key as there is room for. Buckets fill from the front; behind a full one
 * the search goes on. */
#include "text/lsh.h"
#include "core/mem.h"
#include "core/spill.h"
#include <math.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef struct { uint32_t key, row; } entry;
#define PAGE       512                                  /* entries read at once: 4 KiB */
#define PART       8192                                 /* entries read or written at once in a merge */
#define BUCKET     16                                   /* slots: 64 bytes */
#define LEAST_CAP  2048                                 /* slots of a band: never fewer */
#define FIRST_CAP  16384                                /* at the beginning, where there is memory for more */
#define FILTER_BITS_PER_KEY 12
#define MISSES_AT_LIMIT 0.005

typedef struct {
    qn_spill *file;             /* n_bands lists of n entries, each in key order, equal keys in order of row */
    size_t    n, n_fences;      /* entries of a band; ceil(n / PAGE) */
    uint32_t *fences;           /* (n_bands, n_fences): first key of each page */
    uint64_t *filter;           /* (n_bands, n_blocks) of 512 bits; NULL: none */
    size_t    n_blocks;         /* of a band */
    int       n_probes;         /* bits of a block that stand for a key */
} run;

struct qn_lsh {
    qn_lsh_setup setup;
    int      n_bands, n_places;
    void     *block;            /* that `table` lies in, at a line's begin */
    uint32_t *table;            /* (n_bands, cap / BUCKET, BUCKET) numbers of sets from 1 on, with bits of their keys; 0: free. Huge pages when large */
    size_t   cap, cap_max;      /* slots of a band, of which at most three in four are taken; multiples of BUCKET */
    unsigned number_bits;       /* of a slot */
    uint32_t *keys, *rows;      /* (cap_new, n_bands), (cap_new): keys and rows of the sets in memory */
    size_t   n_new, cap_new;
    run     *runs;              /* oldest and largest first */
    size_t   n_runs, cap_runs;
    size_t   filter_bytes, filter_max;
    qn_spill *sets;             /* for each row: its mark, number of shingles, shingles */
    uint64_t *at;               /* (n_rows) place in `sets` */
    size_t   n_rows, cap_rows;
    uint32_t *found;            /* candidates of the look-up in hand */
    size_t   n_found, cap_found;
    uint32_t *other;            /* the candidate's shingles */
    size_t   cap_other;
    qn_hash_set mine;        /* the shingles asked about */
    uint64_t n_candidates, n_matches;
};

typedef struct { qn_row_mark mark; uint64_t n; } set_head;

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
static inline const uint32_t *keys_of(const qn_lsh *l, size_t i) { return l->keys + i * (size_t)l->n_bands; }

/* The key as a share of all keys, 32 bits behind the point: times the number of buckets, its whole part is the number of the bucket where it belongs. Slots
 * hold the part behind the point, so that a table of twice the size is made without asking for keys. */
static inline uint64_t place(const qn_lsh *l, uint32_t key) { return (uint64_t)key * (l->cap / BUCKET); }
static inline uint32_t *bucket_at(const qn_lsh *l, int band, uint64_t place) { return l->table + (size_t)band * l->cap + (size_t)(place >> 32) * BUCKET; }
static inline uint32_t number_mask(const qn_lsh *l) { return (1u << l->number_bits) - 1; }

static inline uint32_t *bucket_after(const qn_lsh *l, int band, uint32_t *bucket)
{
    bucket += BUCKET;
    return bucket == l->table + ((size_t)band + 1) * l->cap ? bucket - l->cap : bucket;
}

/* Bit i: slot i has the bits `like` where `mask` has ones. */
static inline unsigned slots_like(const uint32_t *bucket, uint32_t like, uint32_t mask)
{
#ifdef __SSE2__
    const __m128i *x = (const __m128i *)bucket, m = _mm_set1_epi32((int)mask), w = _mm_set1_epi32((int)like);
    __m128i x0 = _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(x), m), w), x1 = _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(x + 1), m), w);
    __m128i x2 = _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(x + 2), m), w), x3 = _mm_cmpeq_epi32(_mm_and_si128(_mm_load_si128(x + 3), m), w);
    return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(x0, x1), _mm_packs_epi32(x2, x3)));
#else
    unsigned found = 0;
    for (int i = 0; i < BUCKET; i++) found |= (unsigned)((bucket[i] & mask) == like) << i;
    return found;
#endif
}

static inline size_t n_taken(const uint32_t *bucket) { return bucket[BUCKET - 1] ? BUCKET : (size_t)__builtin_ctz(slots_like(bucket, 0, ~0u)); }

static inline void put_slot(const qn_lsh *l, int band, uint32_t *bucket, uint32_t slot)
{
    while (bucket[BUCKET - 1]) bucket = bucket_after(l, band, bucket);
    bucket[__builtin_ctz(slots_like(bucket, 0, ~0u))] = slot;
}

static inline void table_put(const qn_lsh *l, int band, uint32_t key, size_t number)
{
    uint64_t at = place(l, key);
    put_slot(l, band, bucket_at(l, band, at), ((uint32_t)at & ~number_mask(l)) | (uint32_t)number);
}

static void found_put(qn_lsh *l, uint32_t row)
{
    QN_GROW(l->found, l->n_found, l->cap_found);
    l->found[l->n_found++] = row;
}

/* Sets with this key in one table. */
static inline void table_ask(qn_lsh *l, int band, uint32_t key)
{
    uint64_t at = place(l, key);
    uint32_t numbers = number_mask(l), *bucket = bucket_at(l, band, at);
    for (;; bucket = bucket_after(l, band, bucket)) {
        for (unsigned like = slots_like(bucket, (uint32_t)at & ~numbers, ~numbers); like; like &= like - 1) {
            uint32_t number = bucket[__builtin_ctz(like)] & numbers;        /* 0: a free slot, where the key's bits are 0 */
            if (number && keys_of(l, number - 1)[band] == key) found_put(l, l->rows[number - 1]);
        }
        if (!bucket[BUCKET - 1]) return;
    }
}

static inline void fetch(const qn_lsh *l, const uint32_t *keys)
{
    for (int b = 0; b < l->n_bands; b++) __builtin_prefetch(bucket_at(l, b, place(l, keys[b])), 1);
}

static size_t table_bytes(const qn_lsh *l) { return ((size_t)l->n_bands * l->cap + BUCKET) * sizeof *l->table; }

/* An empty table of `cap` slots a band. */
static void table_new(qn_lsh *l, size_t cap)
{
    l->cap = cap;
    l->block = qn_zalloc_large(table_bytes(l));
    l->table = (uint32_t *)(((uintptr_t)l->block + 63) & ~(uintptr_t)63);
    l->number_bits = 64 - (unsigned)__builtin_clzll(cap);
}

/* A table of twice the size: what lies in bucket i goes to 2i or 2i + 1, as the first bit behind the point says; so both tables are walked from end to end.
 * Behind a full bucket may lie what belongs before it: there the key is asked for. */
static void table_double(qn_lsh *l)
{
    qn_lsh was = *l;
    table_new(l, was.cap * 2);
    for (int b = 0; b < l->n_bands; b++) {
        const uint32_t *from = was.table + (size_t)b * was.cap;
        bool strays = from[was.cap - 1] != 0;
        for (size_t i = 0; i < was.cap; i += BUCKET) {
            uint32_t *to = l->table + (size_t)b * l->cap + 2 * i;
            size_t n[2] = { n_taken(to), n_taken(to + BUCKET) };
            for (size_t k = i; k < i + BUCKET && from[k]; k++) {
                uint32_t number = from[k] & number_mask(&was), half = from[k] >> 31, slot = (from[k] & ~number_mask(&was)) << 1 | number;
                if (!strays && n[half] < BUCKET) { to[half * BUCKET + n[half]++] = slot; continue; }
                if (strays) table_put(l, b, keys_of(l, number - 1)[b], number);
                else put_slot(l, b, to + half * BUCKET, slot);
                n[1] = n_taken(to + BUCKET);
            }
            strays = from[i + BUCKET - 1] != 0;
        }
    }
    qn_free_large(was.block, table_bytes(&was));
}

/* ---- filters: up to 6 bits in one block of 512 ---- each band has its own blocks, in order of key: runs are written in that order */
static inline uint64_t filter_hash(int band, uint32_t key)
{
    uint64_t h = ((uint64_t)band << 32 | key) * 0x9E3779B97F4A7C15u;
    return (h ^ h >> 29) * 0xD6E8FEB86659FD93u;
}

static inline uint64_t *filter_block(const run *r, int band, uint32_t key)
{
    return r->filter + 8 * ((size_t)band * r->n_blocks + (size_t)(((uint64_t)key * r->n_blocks) >> 32));
}

/* Bit i of the key's six: nine bits of h each, remixed. */
static inline unsigned filter_bit(uint64_t h, int i) { return (unsigned)((h * 0xA24BAED4963EE407u) >> (9 * i + 1)) & 511; }

static void filter_put(run *r, int band, uint32_t key)
{
    uint64_t h = filter_hash(band, key), *block = filter_block(r, band, key);
    for (int i = 0; i < r->n_probes; i++) { unsigned bit = filter_bit(h, i); block[bit >> 6] |= 1ull << (bit & 63); }
}

static bool filter_may_have(const run *r, int band, uint32_t key)
{
    uint64_t h = filter_hash(band, key);
    const uint64_t *block = filter_block(r, band, key);
    for (int i = 0; i < r->n_probes; i++) {
        unsigned bit = filter_bit(h, i);
        if (!(block[bit >> 6] >> (bit & 63) & 1)) return false;
    }
    return true;
}

/* ---- runs ---- */
static void filter_free(qn_lsh *l, run *r)
{
    if (!r->filter) return;
    size_t bytes = (size_t)l->n_bands * r->n_blocks * 64;
    l->filter_bytes -= bytes;
    qn_free_large(r->filter, bytes);
    r->filter = NULL;
}

static void run_free(qn_lsh *l, run *r)
{
    qn_spill_free(r->file);
    qn_free(r->fences);
    filter_free(l, r);
}

static run run_new(qn_lsh *l, size_t n)
{
    run r = { .n = n, .n_fences = (n + PAGE - 1) / PAGE, .file = qn_spill_new(l->setup.dir, 0) };
    size_t room = l->filter_max > l->filter_bytes ? l->filter_max - l->filter_bytes : 0;
    r.fences = qn_alloc((size_t)l->n_bands * r.n_fences * sizeof *r.fences);
    size_t blocks = n * FILTER_BITS_PER_KEY / 512 + 1, most = room / 64 / (size_t)l->n_bands;
    r.n_blocks = blocks < most ? blocks : most;                                 /* a smaller filter is wrong more often */
    if (r.n_blocks * 512 < n * 2) return r;                                     /* below two bits a key it is not worth asking */
    double bits = (double)r.n_blocks * 512 / (double)n;
    size_t bytes = (size_t)l->n_bands * r.n_blocks * 64;
    r.n_probes = bits * 0.69 > 6 ? 6 : bits * 0.69 < 1 ? 1 : (int)(bits * 0.69 + 0.5);     /* ln 2 bits: fewest wrong answers (Bloom 1970) */
    r.filter = qn_zalloc_large(bytes);
    l->filter_bytes += bytes;
    return r;
}

/* The next k entries of band b, of which `done` were written before. */
static qn_code run_put(run *r, int b, size_t done, const entry *x, size_t k, qn_err *e)
{
    uint64_t at;
    for (size_t i = 0; i < k; i++) {
        if ((done + i) % PAGE == 0) r->fences[(size_t)b * r->n_fences + (done + i) / PAGE] = x[i].key;
        if (r->filter) filter_put(r, b, x[i].key);
    }
    return qn_spill_put(r->file, x, k * sizeof *x, &at, e);
}

/* By key, four passes of a byte; equal keys stay in order. */
static void sort_entries(entry *v, entry *copy, size_t n)
{
    for (int shift = 0; shift < 32; shift += 8) {
        size_t at[256] = { 0 }, sum = 0;
        for (size_t i = 0; i < n; i++) at[v[i].key >> shift & 255]++;
        for (int k = 0; k < 256; k++) { size_t c = at[k]; at[k] = sum; sum += c; }
        for (size_t i = 0; i < n; i++) copy[at[v[i].key >> shift & 255]++] = v[i];
        entry *was = v;
        v = copy;
        copy = was;
    }
}

/* A stream over one band of a run. */
typedef struct { run *r; int band; size_t done, i, n; entry *part; } stream;

static qn_code stream_fill(stream *s, qn_err *e)
{
    s->done += s->n;
    s->i = 0;
    s->n = s->r->n - s->done < PART ? s->r->n - s->done : PART;
    return s->n ? qn_spill_get(s->r->file, ((uint64_t)s->band * s->r->n + s->done) * sizeof(entry), s->part, s->n * sizeof(entry), e) : QN_OK;
}

static qn_code merge_band(run *out, run *a, run *b, int band, entry *parts, qn_err *e)
{
    stream x = { .r = a, .band = band, .part = parts }, y = { .r = b, .band = band, .part = parts + PART };
    entry *to = parts + 2 * PART;
    size_t done = 0, n = 0;
    QN_TRY(stream_fill(&x, e));
    QN_TRY(stream_fill(&y, e));
    while (x.n || y.n) {
        bool older = x.n && (!y.n || x.part[x.i].key <= y.part[y.i].key);       /* rows of the older run come first */
        stream *s = older ? &x : &y;
        to[n++] = s->part[s->i++];
        if (s->i == s->n) QN_TRY(stream_fill(s, e));
        if (n < PART && (x.n || y.n)) continue;
        QN_TRY(run_put(out, band, done, to, n, e));
        done += n;
        n = 0;
    }
    return QN_OK;
}

/* The two newest runs become one. */
static qn_code merge_last(qn_lsh *l, qn_err *e)
{
    run *a = &l->runs[l->n_runs - 2], *b = a + 1;
    entry *parts = qn_alloc(3 * PART * sizeof *parts);
    qn_code rc = QN_OK;
    filter_free(l, a);                          /* nobody asks meanwhile: the new filter takes their room */
    filter_free(l, b);
    run out = run_new(l, a->n + b->n);
    for (int band = 0; band < l->n_bands && rc == QN_OK; band++) rc = merge_band(&out, a, b, band, parts, e);
    qn_free(parts);
    if (rc != QN_OK) { run_free(l, &out); return rc; }
    run_free(l, a);
    run_free(l, b);
    *a = out;
    l->n_runs--;
    return QN_OK;
}

static qn_code write_run(qn_lsh *l, run *r, qn_err *e)
{
    entry *v = qn_alloc(2 * r->n * sizeof *v);
    qn_code rc = QN_OK;
    for (int b = 0; b < l->n_bands && rc == QN_OK; b++) {
        for (size_t i = 0; i < r->n; i++) v[i] = (entry){ keys_of(l, i)[b], l->rows[i] };
        sort_entries(v, v + r->n, r->n);
        rc = run_put(r, b, 0, v, r->n, e);
    }
    qn_free(v);
    return rc;
}

/* What is in memory becomes a run; runs less than twice as large as the next are merged with it. */
static qn_code flush(qn_lsh *l, qn_err *e)
{
    if (l->n_new == 0) return QN_OK;
    QN_TRY(qn_spill_shrink(l->sets, l->setup.memory_bytes / 8, e));
    run r = run_new(l, l->n_new);
    qn_code rc = write_run(l, &r, e);
    if (rc != QN_OK) { run_free(l, &r); return rc; }
    QN_GROW(l->runs, l->n_runs, l->cap_runs);
    l->runs[l->n_runs++] = r;
    l->n_new = 0;
    memset(l->table, 0, (size_t)l->n_bands * l->cap * sizeof *l->table);
    while (l->n_runs > 1 && l->runs[l->n_runs - 2].n < 2 * l->runs[l->n_runs - 1].n) QN_TRY(merge_last(l, e));
    return QN_OK;
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
        for (int b = 0; b < l->n_bands; b++) __builtin_prefetch(filter_block(r, b, keys[b]));
    for (int b = 0; b < l->n_bands; b++)
        if (!r->filter || filter_may_have(r, b, keys[b])) QN_TRY(ask_band(l, r, b, keys[b], e));
    return QN_OK;
}

/* ---- the index ---- */
/* Of the memory: filters a half, sets of shingles an eighth, keys and tables the rest. Until the first run there are no filters: sets have their half. */
qn_lsh *qn_lsh_new(qn_lsh_setup setup)
{
    qn_lsh *l = QN_NEW(qn_lsh);
    if (setup.memory_bytes < (4u << 20)) setup.memory_bytes = 4u << 20;
    l->setup = setup;
    qn_lsh_bands(setup.n_hashes, setup.over, &l->n_bands, &l->n_places);
    l->filter_max = setup.memory_bytes / 2;
    size_t left = setup.memory_bytes - setup.memory_bytes / 8 - l->filter_max;
    size_t a_set = (size_t)l->n_bands * 10 + sizeof(uint32_t) + 2 * sizeof(entry);      /* keys, 4/3 of a slot; row, sorting */
    size_t most = left / a_set * 4 / 3, first = most < 1u << 30 ? most : 1u << 30, doublings = 0;
    for (; first >= 2 * FIRST_CAP; first /= 2) doublings++;
    if (first < LEAST_CAP) first = LEAST_CAP;
    l->cap_max = first / BUCKET * BUCKET << doublings;
    table_new(l, l->cap_max >> doublings);
    l->sets = qn_spill_new(setup.dir, setup.memory_bytes / 8 + l->filter_max);
    return l;
}

void qn_lsh_free(qn_lsh *l)
{
    if (!l) return;
    for (size_t i = 0; i < l->n_runs; i++) run_free(l, &l->runs[i]);
    qn_free_large(l->block, table_bytes(l));
    qn_free(l->keys);
    qn_free(l->rows);
    qn_free(l->runs);
    qn_spill_free(l->sets);
    qn_free(l->at);
    qn_free(l->found);
    qn_free(l->other);
    qn_hash_set_free(&l->mine);
    qn_free(l);
}

/* Similarity of the set asked about with row `row`. */
static qn_code verify(qn_lsh *l, uint32_t row, qn_lsh_match *m, qn_err *e)
{
    set_head head;
    QN_TRY(qn_spill_get(l->sets, l->at[row], &head, sizeof head, e));
    QN_GROW(l->other, head.n, l->cap_other);
    QN_TRY(qn_spill_get(l->sets, l->at[row] + sizeof head, l->other, head.n * sizeof *l->other, e));
    double j = qn_hash_set_jaccard(&l->mine, l->other, head.n);
    if (j >= l->setup.over) *m = (qn_lsh_match){ true, row, head.mark, j };
    return QN_OK;
}

void qn_lsh_ahead(const qn_lsh *l, const uint32_t *keys) { fetch(l, keys); }

qn_code qn_lsh_find(qn_lsh *l, const uint32_t *keys, const qn_shingles *s, qn_lsh_match *match, qn_err *e)
{
    *match = (qn_lsh_match){ 0 };
    l->n_found = 0;
    if (s->n == 0) return QN_OK;
    fetch(l, keys);
    for (int b = 0; b < l->n_bands; b++) table_ask(l, b, keys[b]);
    for (size_t i = 0; i < l->n_runs; i++) QN_TRY(ask_run(l, &l->runs[i], keys, e));
    if (l->n_found == 0) return QN_OK;
    l->n_found = qn_u32_sort_set(l->found, l->n_found);
    qn_hash_set_fill(&l->mine, s->v, s->n);
    for (size_t i = 0; i < l->n_found && !match->found; i++) {
        l->n_candidates++;
        QN_TRY(verify(l, l->found[i], match, e));
    }
    l->n_matches += match->found;
    return QN_OK;
}

/* Room for one more set in memory. */
static qn_code make_room(qn_lsh *l, qn_err *e)
{
    if (l->n_new * 4 < l->cap * 3) return QN_OK;
    if (l->cap == l->cap_max) return flush(l, e);
    table_double(l);
    return QN_OK;
}

static void add_keys(qn_lsh *l, const uint32_t *keys, uint32_t row)
{
    size_t n_bands = (size_t)l->n_bands;
    if (l->n_new == l->cap_new) {
        size_t most = l->cap_max * 3 / 4 + 1;
        l->cap_new = l->cap_new * 2 < 1024 ? 1024 : l->cap_new * 2;
        if (l->cap_new > most) l->cap_new = most;
        l->keys = qn_realloc(l->keys, l->cap_new * n_bands * sizeof *l->keys);
        l->rows = qn_realloc(l->rows, l->cap_new * sizeof *l->rows);
    }
    memcpy(l->keys + l->n_new * n_bands, keys, n_bands * sizeof *keys);
    l->rows[l->n_new++] = row;
    for (int b = 0; b < l->n_bands; b++) table_put(l, b, keys[b], l->n_new);
}

qn_code qn_lsh_add(qn_lsh *l, const uint32_t *keys, const qn_shingles *s, qn_row_mark mark, qn_err *e)
{
    set_head head = { mark, s->n };
    uint64_t at;
    if (l->n_rows >= UINT32_MAX) return qn_fail(e, QN_ELIMIT, "more than %u rows in one index of near-duplicates", UINT32_MAX);
    QN_GROW(l->at, l->n_rows, l->cap_rows);
    QN_TRY(qn_spill_put(l->sets, &head, sizeof head, &l->at[l->n_rows], e));
    QN_TRY(qn_spill_put(l->sets, s->v, s->n * sizeof *s->v, &at, e));
    if (s->n) {
        QN_TRY(make_room(l, e));
        add_keys(l, keys, (uint32_t)l->n_rows);
    }
    l->n_rows++;
    return QN_OK;
}

qn_lsh_stats qn_lsh_count(const qn_lsh *l)
{
    qn_lsh_stats s = { .n_rows = l->n_rows, .n_candidates = l->n_candidates, .n_matches = l->n_matches, .n_runs = l->n_runs };
    s.memory_bytes = (size_t)l->n_bands * (l->cap + l->cap_new) * sizeof(uint32_t) + l->filter_bytes + l->cap_rows * sizeof *l->at;
    s.memory_bytes += qn_spill_bytes(l->sets) - qn_spill_on_disk(l->sets);
    s.disk_bytes = qn_spill_on_disk(l->sets);
    for (size_t i = 0; i < l->n_runs; i++) {
        s.memory_bytes += (size_t)l->n_bands * l->runs[i].n_fences * 4 + (64u << 10);
        s.disk_bytes += qn_spill_on_disk(l->runs[i].file);
    }
    return s;
}
