/* bpe: merging the bytes of a word. Short words by looking for the best pair again and again; long ones with a heap, so that
 * a megabyte without a space takes n log n. Words met before are answered from a table. */
#pragma GCC optimize("O3")
#include "nn/tokenizer_net.h"

enum { SHORT = 48 };
typedef struct qn_symbol { int32_t id, prev, next; } symbol;

void qn_merges_init(qn_merges *m, size_t n)
{
    size_t cells = 16;
    while (cells < 2 * n + 2) cells *= 2;
    m->cells = qn_alloc(cells * sizeof *m->cells);
    for (size_t i = 0; i < cells; i++) m->cells[i] = (qn_merge){ UINT64_MAX, 0, 0 };
    m->mask = cells - 1;
    m->n = 0;
}

bool qn_merges_put(qn_merges *m, int32_t left, int32_t right, int32_t rank, int32_t into)
{
    if (qn_merges_get(m, left, right)) return false;
    QN_ASSERT(2 * m->n < m->mask);
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right, h = key * 0x9E3779B97F4A7C15u;
    size_t i = (h ^ h >> 32) & m->mask;
    while (m->cells[i].key != UINT64_MAX) i = (i + 1) & m->mask;
    m->cells[i] = (qn_merge){ key, rank, into };
    m->n++;
    return true;
}

/* ids (n) merged in place; returns how many are left. */
static size_t merge_short(const qn_merges *m, int32_t *ids, size_t n)
{
    const qn_merge *pair[SHORT];
    for (size_t i = 0; i + 1 < n; i++) pair[i] = qn_merges_get(m, ids[i], ids[i + 1]);
    for (;;) {
        size_t best = n;
        int32_t rank = INT32_MAX;
        for (size_t i = 0; i + 1 < n; i++) if (pair[i] && pair[i]->rank < rank) { rank = pair[i]->rank; best = i; }
        if (best == n) return n;
        ids[best] = pair[best]->into;
        memmove(ids + best + 1, ids + best + 2, (n - best - 2) * sizeof *ids);
        if (best + 2 < n) memmove(pair + best + 1, pair + best + 2, (n - best - 3) * sizeof *pair);
        n--;
        if (best > 0) pair[best - 1] = qn_merges_get(m, ids[best - 1], ids[best]);
        if (best + 1 < n) pair[best] = qn_merges_get(m, ids[best], ids[best + 1]);
    }
}

/* A heap of (rank, place): smallest rank first, then leftmost. A stale entry no longer fits its place's pair. */
static void heap_push(uint64_t *h, size_t *n, uint64_t x)
{
    size_t i = (*n)++;
    for (; i > 0 && h[(i - 1) / 2] > x; i = (i - 1) / 2) h[i] = h[(i - 1) / 2];
    h[i] = x;
}

static uint64_t heap_pop(uint64_t *h, size_t *n)
{
    uint64_t top = h[0], x = h[--*n];
    size_t i = 0, c;
    for (; (c = 2 * i + 1) < *n; i = c) {
        if (c + 1 < *n && h[c + 1] < h[c]) c++;
        if (h[c] >= x) break;
        h[i] = h[c];
    }
    h[i] = x;
    return top;
}

static void merge_long(qn_tokenizer *t, qn_str w, qn_ids *out)
{
    const qn_tables *q = t->t;
    size_t n_heap = 0;
    QN_GROW(t->sym, w.n, t->cap_sym);
    QN_GROW(t->heap, 3 * w.n, t->cap_heap);     /* n - 1 pairs at first, at most two more for each merge */
    symbol *s = t->sym;
    for (size_t i = 0; i < w.n; i++) s[i] = (symbol){ q->byte_id[(uint8_t)w.p[i]], (int32_t)i - 1, i + 1 < w.n ? (int32_t)i + 1 : -1 };
    for (size_t i = 0; i + 1 < w.n; i++) {
        const qn_merge *m = qn_merges_get(&q->merges, s[i].id, s[i + 1].id);
        if (m) heap_push(t->heap, &n_heap, (uint64_t)(uint32_t)m->rank << 32 | i);
    }
    while (n_heap) {
        uint64_t x = heap_pop(t->heap, &n_heap);
        int32_t i = (int32_t)(uint32_t)x, j = s[i].next;
        if (s[i].id < 0 || j < 0) continue;
        const qn_merge *m = qn_merges_get(&q->merges, s[i].id, s[j].id);
        if (!m || (uint32_t)m->rank != (uint32_t)(x >> 32)) continue;
        s[i].id = m->into;
        s[i].next = s[j].next;
        s[j].id = -1;
        if (s[i].next >= 0) {
            s[s[i].next].prev = i;
            m = qn_merges_get(&q->merges, s[i].id, s[s[i].next].id);
            if (m) heap_push(t->heap, &n_heap, (uint64_t)(uint32_t)m->rank << 32 | (uint32_t)i);
        }
        if (s[i].prev >= 0) {
            m = qn_merges_get(&q->merges, s[s[i].prev].id, s[i].id);
            if (m) heap_push(t->heap, &n_heap, (uint64_t)(uint32_t)m->rank << 32 | (uint32_t)s[i].prev);
        }
    }
    for (int32_t i = 0; i >= 0; i = s[i].next) qn_ids_put(out, s[i].id);
}

static inline void put_all(qn_ids *out, const int32_t *ids, size_t n)
{
    if (out->n + n > out->cap) QN_GROW(out->p, out->n + n, out->cap);
    memcpy(out->p + out->n, ids, n * sizeof *ids);
    out->n += n;
}

/* Words of up to 28 bytes: a cell of 64 bytes that holds the last word with this hash. */
static inline qn_word *word_cell(qn_tokenizer *t, const char *p, size_t n, uint64_t key[4])
{
    key[0] = key[1] = key[2] = key[3] = 0;
    memcpy(key, p, n);
    uint64_t h = (key[0] ^ n) * 0x9E3779B97F4A7C15u;
    if (n > 8) h = (h ^ h >> 29 ^ key[1]) * 0xBF58476D1CE4E5B9u;
    if (n > 16) h = (h ^ h >> 31 ^ key[2] ^ key[3] * 3) * 0x94D049BB133111EBu;
    return &t->words[(h ^ h >> 32) >> 7 & (QN_WORDS - 1)];
}

void qn_bpe_word(qn_tokenizer *t, qn_str w, qn_ids *out)
{
    const qn_tables *q = t->t;
    uint64_t key[4];
    qn_word *cell = NULL;
    if (w.n <= QN_WORD_BYTES) {
        cell = word_cell(t, w.p, w.n, key);
        if (cell->n_bytes == w.n && memcmp(cell->bytes, key, QN_WORD_BYTES) == 0) { put_all(out, cell->ids, cell->n_ids); return; }
    }
    int32_t ids[SHORT];
    size_t n = w.n;
    uint64_t *whole = q->ignore_merges ? qn_map_get_str(&q->vocab, w) : NULL;
    if (whole) {
        ids[0] = (int32_t)*whole;
        n = 1;
    } else if (n <= SHORT) {
        for (size_t i = 0; i < n; i++) ids[i] = q->byte_id[(uint8_t)w.p[i]];
        n = merge_short(&q->merges, ids, n);
    } else {
        merge_long(t, w, out);
        return;
    }
    put_all(out, ids, n);
    if (!cell || n > QN_WORD_IDS) return;
    cell->n_bytes = (uint8_t)w.n;
    cell->n_ids = (uint8_t)n;
    memcpy(cell->bytes, key, QN_WORD_BYTES);
    memcpy(cell->ids, ids, n * sizeof *ids);
}

void qn_bpe_text(qn_tokenizer *t, qn_str s, qn_ids *out)
{
    for (size_t i = 0, j; i < s.n; i = j) {
        j = qn_split_next(t->t->split, t->classes, s, i);
        qn_bpe_word(t, qn_str_sub(s, i, j), out);
    }
}
