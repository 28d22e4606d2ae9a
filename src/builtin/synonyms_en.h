/* synonyms_en: everyday words that can stand for each other in a question, in the same inflection. Written for quern from everyday English; a
 * person who looks for something seldom uses the words of the text that has it. */
#ifndef QN_BUILTIN_SYNONYMS_EN_H
#define QN_BUILTIN_SYNONYMS_EN_H
#include "core/rng.h"

/* Another word (or two) for this one, drawn at random, in lower case; empty when none is known. `word` in any case, at most 30 bytes.
 * Static memory. Cost: one look-up. Any thread. */
qn_str qn_en_synonym(qn_str word, qn_rng *r);
/* The number of the word's group, equal for words that can stand for each other; -1: none. */
int    qn_en_group(qn_str word);
size_t qn_en_synonym_words(void);       /* how many words have one */
#endif
