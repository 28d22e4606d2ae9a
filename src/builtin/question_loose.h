/* question_loose: questions as people type them over a table that they see, for any sketch: words of the header or others of the same meaning, values
 * said without their column, the condition in front, lost words, no capitals. Less careful than question_nlg and of more kinds: rows to train on, not
 * rows to show. */
#ifndef QN_BUILTIN_QUESTION_LOOSE_H
#define QN_BUILTIN_QUESTION_LOOSE_H
#include "builtin/sql_grammar.h"
/* Appends one question. Cost: O(its length). */
void qn_question_loose(const qn_table_view *v, const qn_sketch *s, qn_rng *r, qn_buf *out);
#endif
