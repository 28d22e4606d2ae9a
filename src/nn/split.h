/* split: the patterns by which byte-level BPE cuts a text into pieces before merging, written out by hand.
 * Source: the regular expressions of GPT-2 (Radford et al. 2019), cl100k / Llama 3 and Qwen2, as their tokenizer.json has them. */
#ifndef QN_NN_SPLIT_H
#define QN_NN_SPLIT_H
#include "core/str.h"

typedef enum {
    QN_SPLIT_NONE,      /* the whole text is one piece */
    QN_SPLIT_GPT2,
    QN_SPLIT_LLAMA3,    /* digits in groups of at most three */
    QN_SPLIT_QWEN2      /* digits one by one */
} qn_split;

/* End of the piece that begins at byte i < s.n. classes: qn_char_table. */
size_t qn_split_next(qn_split kind, const uint8_t *classes, qn_str s, size_t i);
/* The pattern as tokenizer.json writes it; NULL for NONE. */
const char *qn_split_pattern(qn_split kind);
bool qn_split_find(qn_str pattern, qn_split *kind);     /* false: not one of ours */
#endif
