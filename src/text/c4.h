/* c4: the line and page rules of the Colossal Clean Crawled Corpus.
 * Source: Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer" (JMLR 21),
 * section 2.2, with the numbers of the code that made the set (tensorflow_datasets c4_utils): a line stays when it ends in
 * terminal punctuation, has at least 3 words and none of more than 1,000 characters, and names neither JavaScript nor a
 * cookie or privacy policy; a page goes when fewer than 5 sentences are left or it holds "lorem ipsum" or a curly bracket.
 * Word lists of bad words are the business of toxicity, English of langid. */
#ifndef QN_TEXT_C4_H
#define QN_TEXT_C4_H
#include "core/str.h"
#include "text/limits.h"

enum { QN_C4_SENTENCES, QN_C4_KEPT_LINES, QN_C4_LOREM_IPSUM, QN_C4_CURLY_BRACKETS, QN_C4_N };
extern const qn_measure QN_C4_MEASURES[QN_C4_N];

typedef struct qn_c4_rules {
    int  min_words;             /* of a line */
    int  max_word_chars;
    bool citations;             /* [1], [edit], [citation needed] are cut from lines */
} qn_c4_rules;
#define QN_C4_RULES ((qn_c4_rules){ .min_words = 3, .max_word_chars = 1000, .citations = true })

/* Measures a page and, where `clean` is given, appends the lines that stay, joined by new lines.
 *   out    kept sentences, share of non-blank lines kept (NaN when none), occurrences of "lorem ipsum" and of "{", "}"
 * Cost: O(n). */
void qn_c4(qn_str text, qn_c4_rules rules, double out[QN_C4_N], qn_buf *clean);
#endif
