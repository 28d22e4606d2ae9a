/* lcs: longest common subsequence of two lists of word numbers, and ROUGE-L.
 *
 * One list (the pattern) becomes a bit mask for each of its distinct words; the other is then walked once, 64 places of the
 * pattern to a machine word. Words the pattern does not have cost one load.
 * Cost: about 1 ns for each word of the other list and each 64 words of the pattern.
 * Source: Hyyroe 2004, "Bit-parallel LCS-length computation revisited"; ROUGE-L: Lin 2004. */
#ifndef QN_TEXT_LCS_H
#define QN_TEXT_LCS_H
#include <stddef.h>
#include <stdint.h>

/* A pattern, ready to be compared with many lists. Zero-initialise: {0}; set again at will; release with qn_lcs_free. */
typedef struct {
    uint32_t *slot;         /* (n_slots) by word number: 0 not in the pattern, else 1 + its place in masks */
    size_t    n_slots;
    uint64_t *masks;        /* (n_distinct + 1, n_blocks) */
    size_t    cap_masks, n_distinct, n_blocks, n;
    uint32_t *words;        /* distinct words of the pattern */
    uint32_t *counts;       /* how often each occurs */
    uint64_t *state;        /* (n_blocks) */
    size_t    cap_words, cap_state;
} qn_lcs;

/*   words     (n) numbers below n_words, which may grow from call to call; copied */
void   qn_lcs_set(qn_lcs *p, const uint32_t *words, size_t n, uint32_t n_words);
void   qn_lcs_free(qn_lcs *p);
/* Length of the longest common subsequence; `words` below n_words of the last set. */
size_t qn_lcs_len(qn_lcs *p, const uint32_t *words, size_t n);
/* The table of textbooks, O(n_a * n_b): what the fast one is tested against. */
size_t qn_lcs_len_ref(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b);

/* ROUGE-L F-measure from a length, in the order of operations of the rouge-score package, so equal to the last bit:
 * p = lcs / n_a, r = lcs / n_b, 2 * p * r / (p + r); 0 when lcs is 0. */
double qn_rouge_l(size_t lcs, size_t n_a, size_t n_b);
#endif
