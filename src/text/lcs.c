/* lcs: bit-parallel longest common subsequence. */
#include "text/lcs.h"
#include "core/mem.h"

static void clear(qn_lcs *p)
{
    for (size_t i = 0; i < p->n_distinct; i++) p->slot[p->words[i]] = 0;
    p->n_distinct = 0;
}

static void grow_slots(qn_lcs *p, uint32_t n_words)
{
    size_t n = p->n_slots ? p->n_slots : 1024;
    if (n_words <= p->n_slots) return;
    while (n < n_words) n *= 2;
    p->slot = qn_realloc(p->slot, n * sizeof *p->slot);
    memset(p->slot + p->n_slots, 0, (n - p->n_slots) * sizeof *p->slot);
    p->n_slots = n;
}

static void grow_words(qn_lcs *p, size_t n)
{
    if (n <= p->cap_words) return;
    p->cap_words = n * 2;
    p->words = qn_realloc(p->words, p->cap_words * sizeof *p->words);
    p->counts = qn_realloc(p->counts, p->cap_words * sizeof *p->counts);
}

void qn_lcs_set(qn_lcs *p, const uint32_t *words, size_t n, uint32_t n_words)
{
    clear(p);
    grow_slots(p, n_words);
    grow_words(p, n);
    p->n = n;
    p->n_blocks = (n + 63) / 64;
    QN_GROW(p->state, p->n_blocks, p->cap_state);
    for (size_t i = 0; i < n; i++)
        if (p->slot[words[i]] == 0) {
            p->words[p->n_distinct] = words[i];
            p->counts[p->n_distinct] = 0;
            p->slot[words[i]] = (uint32_t)++p->n_distinct;
        }
    QN_GROW(p->masks, (p->n_distinct + 1) * p->n_blocks, p->cap_masks);
    memset(p->masks, 0, (p->n_distinct + 1) * p->n_blocks * sizeof *p->masks);
    for (size_t i = 0; i < n; i++) {
        uint32_t s = p->slot[words[i]];
        p->counts[s - 1]++;
        p->masks[s * p->n_blocks + i / 64] |= 1ull << (i % 64);
    }
}

void qn_lcs_free(qn_lcs *p)
{
    qn_free(p->slot);
    qn_free(p->masks);
    qn_free(p->words);
    qn_free(p->counts);
    qn_free(p->state);
    *p = (qn_lcs){ 0 };
}

/* A bit of `v` that is 0 marks the end of one more common word in the pattern so far. */
static size_t len_64(const qn_lcs *p, const uint32_t *words, size_t n)
{
    uint64_t v = ~0ull;
    for (size_t i = 0; i < n; i++) {
        uint64_t u = v & p->masks[p->slot[words[i]]];
        v = (v + u) | (v - u);
    }
    return (size_t)__builtin_popcountll(p->n == 64 ? ~v : ~v & ((1ull << p->n) - 1));
}

static size_t len_long(qn_lcs *p, const uint32_t *words, size_t n)
{
    size_t blocks = p->n_blocks, len = 0;
    memset(p->state, 0xFF, blocks * sizeof *p->state);
    for (size_t i = 0; i < n; i++) {
        uint32_t s = p->slot[words[i]];
        if (s == 0) continue;
        const uint64_t *mask = p->masks + s * blocks;
        unsigned carry = 0;
        for (size_t b = 0; b < blocks; b++) {
            uint64_t v = p->state[b], u = v & mask[b], sum = v + u, with = sum + carry;
            carry = (sum < v) | (with < sum);
            p->state[b] = with | (v - u);
        }
    }
    for (size_t b = 0; b < blocks; b++) {
        uint64_t zeros = ~p->state[b];
        if (b == blocks - 1 && p->n % 64) zeros &= (1ull << (p->n % 64)) - 1;
        len += (size_t)__builtin_popcountll(zeros);
    }
    return len;
}

size_t qn_lcs_len(qn_lcs *p, const uint32_t *words, size_t n)
{
    if (p->n == 0) return 0;
    return p->n_blocks == 1 ? len_64(p, words, n) : len_long(p, words, n);
}

size_t qn_lcs_len_ref(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b)
{
    size_t *row = QN_NEW_N(size_t, n_b + 1);
    for (size_t i = 0; i < n_a; i++) {
        size_t diagonal = 0;
        for (size_t j = 0; j < n_b; j++) {
            size_t up = row[j + 1];
            row[j + 1] = a[i] == b[j] ? diagonal + 1 : up > row[j] ? up : row[j];
            diagonal = up;
        }
    }
    size_t len = row[n_b];
    qn_free(row);
    return len;
}

double qn_rouge_l(size_t lcs, size_t n_a, size_t n_b)
{
    if (lcs == 0) return 0;
    double p = (double)lcs / (double)n_a, r = (double)lcs / (double)n_b;
    return 2 * p * r / (p + r);
}
