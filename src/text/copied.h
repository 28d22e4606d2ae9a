/* copied: how much of a text is taken word for word from its source. */
#ifndef QN_TEXT_COPIED_H
#define QN_TEXT_COPIED_H
#include "text/words.h"

typedef struct qn_copied {
    size_t n_words;         /* of the text */
    size_t longest;         /* words of the longest run that the source has too (QN_WORDS_PLAIN, in lower case) */
    size_t from, to;        /* bytes of that run in the text */
    double share;           /* share of the text's words inside runs of at least 8 */
} qn_copied;

/* Cost: O(words of the text * occurrences of each in the source). */
void qn_copied_of(qn_str text, qn_str source, qn_copied *out);

/* The number that a worked answer ends in: behind "####" (GSM8K), in \boxed{...} (MATH), behind "answer is", else the last one. Signs,
 * thousands separators, a point, % and simple fractions (3/4) are read. False when there is none. */
bool qn_final_number(qn_str text, double *out);
#endif
