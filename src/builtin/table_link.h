/* table_link: which words of a question are cells, numbers or column names of a table, found by rules alone: the same for questions that were made
 * and for those of people, so that what is learned on the first serves for the second.
 *
 *   marked    "CA year YR CB title TX CC uk NU | what CC uk position did VA CB illusion have"
 *             the header with each column's mark and kind, then the question in lower case: VA stands before the first value, and before a value
 *             or a column's word stand the marks of the columns that it may be of. A skeleton names a value and its column in the same order, so
 *             that a small model can copy them. (Marks behind the words are learned more slowly: after 20,000 rows a loss of 0.64 against 0.48.)
 * Sources: schema linking as marks in the text, Guo et al. 2019 (IRNet), section 2.2; cells in the input, Lin et al. 2020 (BRIDGE), section 2.2. */
#ifndef QN_BUILTIN_TABLE_LINK_H
#define QN_BUILTIN_TABLE_LINK_H
#include "builtin/sql_grammar.h"

enum { QN_LINK_COLS = 16, QN_LINK_VALUES = 8, QN_LINK_SPANS = 24, QN_LINK_WORDS = 64 };

typedef struct qn_link_span {
    int    from, to;            /* words from..to (not included) */
    bool   value, number, part; /* part: only some words of the cell */
    double num;                 /* of a number */
    int    cols[3], n_cols;
} qn_link_span;

typedef struct qn_link {
    const qn_table_view *v;
    qn_str words[QN_LINK_WORDS];        /* in lower case, in the arena */
    int    n_words;
    qn_link_span spans[QN_LINK_SPANS];  /* in order, without overlap */
    int    n_spans;
    int    values[QN_LINK_VALUES];      /* spans that are values: VA, VB ... */
    int    n_values;
} qn_link;

/* Cost: O(cells of the table + words). Texts live in the arena. Columns past the 16th and words past the 64th are not looked at. */
void qn_link_find(const qn_table_view *v, qn_str question, qn_arena *a, qn_link *out);
/* Appends the marked text. lose 0..1: the chance that a span's marks are left out, as happens when people use other words (r may be NULL when 0). */
void qn_link_write(const qn_link *l, double lose, qn_rng *r, qn_buf *out);
/* The cell of column `col` that value span k says; false when none does. */
bool qn_link_cell(const qn_link *l, int k, int col, qn_str *cell);
/* The condition on column `col` that value span k says: equal to the one cell, or, where several cells have its words, that it contains them. `wide`: contains
 * them also where they are one cell's whole text and stand inside other cells too. */
bool qn_link_cond(const qn_link *l, int k, int col, bool wide, qn_cond *out);

/* ---- skeletons: a query whose columns and values are marks ----
 *   which T C.. | count C.. | rows | distinct T | max B C.. | min B C.. | sum B C.. | mean B C.. | most T B C.. | least T B C.. | common T | rare T
 *   diff B V K V | more B V K V | less B V K V | next T B V K | prior T B V K | first T C.. | last T C.. | behind T V K | before T V K | same T B V K
 *   top T B V | bottom T B V          T target, B column by which, K column of named rows; C = V K and an operator (none: equal or containing; ! not; < > <= >=)
 *   or V V K in; `or` behind two C: one of them will do */
/* False when a value of the sketch is not linked: the question does not say it. */
bool qn_skeleton_write(const qn_link *l, const qn_sketch *s, qn_buf *out);
/* The sketch that a skeleton means. Errors: QN_EDATA says what is wrong. */
qn_code qn_skeleton_read(const qn_link *l, qn_str text, qn_sketch *out, qn_err *e);
/* The same with slips mended as small models make them: a value whose column does not have it is of the first column that does; a condition
 * whose value no column has is left out; words that are one cell's text and stand inside others too mean all of these cells; `most` and `least` by a column without numbers mean the commonest or rarest of values that repeat, else the last or
 * first row. */
qn_code qn_skeleton_mend(const qn_link *l, qn_str text, qn_sketch *out, qn_err *e);
#endif
