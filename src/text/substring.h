/* substring: long spans of a text that stand word for word in an earlier text.
 *
 * Words are spaced words in lower case. Anchors (runs of span / 2 words, chosen by winnowing: the smallest hash of every
 * window of span - span / 2 + 1 runs) guarantee that two texts which share `span` words share an anchor; from a shared anchor the
 * match is extended word by word on both sides, so a reported span is a fact (up to colliding 32-bit hashes of words).
 * Repeats within one text are not looked for. An anchor that occurs in more than 64 earlier surroundings is compared with
 * the first 64 of them.
 * Memory: for spans of 50 words about 1.5 bytes a word for anchors; the words themselves (4 bytes each) spill to disk.
 * Source: exact substring deduplication, Lee et al. 2022 (50 tokens; suffix array there); winnowing: Schleimer et al. 2003. */
#ifndef QN_TEXT_SUBSTRING_H
#define QN_TEXT_SUBSTRING_H
#include "core/err.h"
#include "core/hash.h"
#include "text/words.h"

typedef struct {
    size_t from, to;            /* bytes of the text */
    size_t word_from, word_to;
    uint64_t row;               /* an earlier text that has it, or its first part, by order of adding */
} qn_repeat;
typedef struct { qn_repeat *v; size_t n, cap, n_words, n_repeated; } qn_repeats;  /* zero-initialise; qn_repeats_free */

typedef struct qn_substrings qn_substrings;
/*   span           words, >= 4         memory_bytes   for words kept in memory before they spill to `dir` (NULL: $TMPDIR) */
qn_substrings *qn_substrings_new(int span, size_t memory_bytes, const char *dir);
void    qn_substrings_free(qn_substrings *s);
/* Spans of `text` that stand in texts added before, in order; spans that touch or overlap are joined.      out   n_words of the text, n_repeated words inside spans */
qn_code qn_substrings_find(qn_substrings *s, qn_str text, qn_repeats *out, qn_err *e);
qn_code qn_substrings_add(qn_substrings *s, qn_str text, qn_err *e);    /* row 0, 1, 2 ... */
size_t  qn_substrings_bytes(const qn_substrings *s);
void    qn_repeats_free(qn_repeats *r);
#endif
