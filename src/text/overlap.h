/* overlap: is a text contaminated by one of a set of reference texts (the questions of a benchmark)?
 *
 * Three questions, from strict to loose; the first that says yes decides:
 *   EXACT   the text equals a reference, byte for byte, but for white space at both ends
 *   NORMAL  it equals one after folding: words (QN_WORDS_PLAIN) in lower case, joined by single spaces
 *   BLOCKS  it shares a run of n words with a reference, and the blocks that both have in common (longest first, as Python's
 *           difflib.SequenceMatcher finds them, longer than 5 characters, over folded characters) cover at least `over` of the
 *           reference
 * A reference of fewer than n words can only be met by the first two.
 * Source: n-gram overlap: Brown et al. 2020, appendix C (13 words); blocks: Cosmopedia (Ben Allal et al. 2024), 10 words, 0.5. */
#ifndef QN_TEXT_OVERLAP_H
#define QN_TEXT_OVERLAP_H
#include "text/words.h"

typedef enum { QN_OVERLAP_NONE, QN_OVERLAP_EXACT, QN_OVERLAP_NORMAL, QN_OVERLAP_BLOCKS } qn_overlap_kind;
typedef struct {
    qn_overlap_kind kind;
    size_t index;           /* of the reference; of several: the earliest, for BLOCKS the one with the highest ratio */
    double ratio;           /* share of the reference that is found again; 1 for EXACT and NORMAL */
} qn_overlap_hit;

typedef struct qn_overlap qn_overlap;
/*   n      words of an n-gram, 1..1000         over    smallest ratio of BLOCKS that is a hit, 0..1; above 1: never */
qn_overlap *qn_overlap_new(int n, double over);
void   qn_overlap_free(qn_overlap *o);
void   qn_overlap_add(qn_overlap *o, qn_str reference);     /* copied; index 0, 1, 2 ... All before the first find */
size_t qn_overlap_size(const qn_overlap *o);
qn_str qn_overlap_text(const qn_overlap *o, size_t index);  /* borrowed */
size_t qn_overlap_bytes(const qn_overlap *o);
/* Cost: one look into a bit table for each word; blocks only for references that share an n-gram.
 * After qn_overlap_seal any number of threads may ask at once. */
void   qn_overlap_seal(qn_overlap *o);
qn_overlap_hit qn_overlap_find(const qn_overlap *o, qn_str text);

/* Summed length of the blocks longer than `min_len` that two lists of code points have in common: SequenceMatcher(None, a, b,
 * autojunk=False).get_matching_blocks().      Cost: O(n_a * occurrences in b) for each block. */
size_t qn_matching_blocks(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b, size_t min_len);
#endif
