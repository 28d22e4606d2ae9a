/* question_nlg: the question that a person would ask to get what a sketch asks for, from a grammar with alternatives. The words come from
 * the column lexicon; what cannot be said well is not said (false). */
#ifndef QN_BUILTIN_QUESTION_NLG_H
#define QN_BUILTIN_QUESTION_NLG_H
#include "builtin/sql_grammar.h"

/* Appends one question. `noise` 0..1: share of questions that come as hurried people type them (lower case, no question mark, lost small words).
 * False: the form has no good wording for these columns; `out` is then unchanged. */
bool qn_question_write(const qn_table_view *v, const qn_sketch *s, qn_rng *r, double noise, qn_buf *out);

/* The steps from table to answer in words, each with its result: a list of {step, result}. Results are computed on the view's cells;
 * `answer` is shown at the last step. */
qn_value qn_steps_write(const qn_table_view *v, const qn_sketch *s, qn_value answer, qn_arena *a);

/* A statement about the drawn part: "The river Nile: length 6,650 kilometres, flows into Mediterranean Sea." */
void qn_seed_text(const qn_table_view *v, const qn_focus *f, qn_buf *out);

size_t qn_sketch_n_rows(const qn_table_view *v, const qn_sketch *s);    /* rows that meet its conditions */
#endif
