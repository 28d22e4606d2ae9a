/* shingles: a text as the set of its short runs of words or characters, each run as one 32-bit hash.
 *
 * Word shingles: every run of k neighbouring words in lower case; a text with fewer words (but one at least) has one shingle,
 * the whole; a text without words has none and resembles nothing. Character shingles: every run of k code points in
 * lower case after white space was squeezed to single spaces and trimmed.
 * Two different runs share a hash with chance 2^-32: a text of a million shingles has about 100 such pairs, which moves its
 * Jaccard similarity by 0.0001.
 * Source: Broder 1997, "On the resemblance and containment of documents". */
#ifndef QN_TEXT_SHINGLES_H
#define QN_TEXT_SHINGLES_H
#include "text/words.h"

/* A list of shingle hashes and what is needed to make it. Zero-initialise: {0}; reuse it from text to text; release with
 * qn_shingles_free. */
typedef struct {
    uint32_t *v;            /* (n) in text order, repeats kept; a sorted set after qn_shingles_sort */
    size_t    n, cap;
    qn_hashes words;
} qn_shingles;

/*   k   words per shingle, >= 1         Cost: 0.5 ns a byte of English with AVX-512, else 1.5; no allocation once the lists have grown. */
void qn_shingles_words(qn_str text, qn_words_kind kind, int k, qn_shingles *out);
void qn_shingles_words_ref(qn_str text, qn_words_kind kind, int k, qn_shingles *out);   /* the plain reference */
/*   k   code points per shingle, >= 1 */
void qn_shingles_chars(qn_str text, int k, qn_shingles *out);
void qn_shingles_free(qn_shingles *s);

/* Sorts and removes repeats in place; returns the new length. O(n log n), O(n) from 256 values on. */
size_t qn_u32_sort_set(uint32_t *v, size_t n);
static inline void qn_shingles_sort(qn_shingles *s) { s->n = qn_u32_sort_set(s->v, s->n); }

/* One set of hashes that many are compared with, without sorting any of them. Zero-initialise: {0}; fill it again and again; release with
 * qn_hash_set_free. The hash 0 counts as 1. */
typedef struct { uint32_t *slots, *rest, *marks; size_t cap, cap_rest, n; unsigned shift; uint32_t mark; } qn_hash_set;
void   qn_hash_set_fill(qn_hash_set *o, const uint32_t *v, size_t n);           /* repeats count once. Cost: O(n) */
double qn_hash_set_jaccard(qn_hash_set *o, const uint32_t *v, size_t n);        /* as qn_jaccard of the two. Cost: O(n) */
void   qn_hash_set_free(qn_hash_set *o);

/* |A and B| / |A or B| of two sorted sets; 0 when either is empty. Cost: O(n_a + n_b). */
double qn_jaccard(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b);
#endif
