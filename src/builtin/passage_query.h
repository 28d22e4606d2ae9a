/* passage_query: what people would type to find a passage, made by rules from its sentences: key words, a phrase, a question whose answer stands
 * in the passage. Not meant to be read: to train and to test a search. Words are exchanged for others of the same meaning, small words get lost,
 * and the passage's topic may stand in front, because people do not know the passage's words.
 * Source of the idea that rough queries train retrievers: inverse cloze task, Lee, Chang and Toutanova 2019, section 3.1 (a sentence stands for a
 * query); cloze to question by a wh-word: Lewis, Denoyer and Riedel 2019, section 2.3 (noisy cloze translation). */
#ifndef QN_BUILTIN_PASSAGE_QUERY_H
#define QN_BUILTIN_PASSAGE_QUERY_H
#include "core/str.h"
#include "core/rng.h"

typedef enum { QN_QUERY_QUESTION, QN_QUERY_WORDS, QN_QUERY_PHRASE, QN_N_QUERY_KINDS } qn_query_kind;
extern const char *const qn_query_kind_names[QN_N_QUERY_KINDS];

/* Appends one query. `title` may be empty; `other` 0..1: the chance that a word with synonyms is exchanged. False: no sentence is fit (too few
 * words of meaning); `out` is then unchanged. Cost: O(bytes of the passage). */
bool qn_passage_query(qn_str title, qn_str passage, qn_query_kind kind, double other, qn_rng *r, qn_buf *out);
bool qn_en_stop_word(qn_str word);      /* "the", "of", "would": carries no meaning of its own */
#endif
