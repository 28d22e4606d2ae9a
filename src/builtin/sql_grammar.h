/* sql_grammar: SQL over one table, sampled from a grammar of 21 forms so that each query has one clear answer: a largest value without a
 * tie, conditions that some rows meet and some do not, sums only of what may be summed, nothing that depends on the order of rows.
 *
 * A sketch is the query before it becomes SQL or words: both are written from it, so they cannot disagree.
 * Source of the method: table question answering without a model, Lupidi et al. 2024 (Source2Synth), SQL construction. */
#ifndef QN_BUILTIN_SQL_GRAMMAR_H
#define QN_BUILTIN_SQL_GRAMMAR_H
#include "builtin/table_view.h"
#include "core/rng.h"
#include "data/value.h"

typedef enum qn_form {
    QN_FORM_SELECT,         /* a cell of a named row */
    QN_FORM_SELECT_WHERE,   /* a cell of the one row that two conditions pick */
    QN_FORM_WHICH,          /* the names of the few rows that meet a condition */
    QN_FORM_COUNT, QN_FORM_COUNT_ALL, QN_FORM_COUNT_DISTINCT,
    QN_FORM_EXTREME,        /* the largest or smallest value */
    QN_FORM_ARGEXTREME,     /* the name of the row that has it */
    QN_FORM_ARGOTHER,       /* another cell of the row that has it */
    QN_FORM_COMMON,         /* the most or least frequent value */
    QN_FORM_SUM, QN_FORM_AVERAGE, QN_FORM_DIFFERENCE,
    QN_FORM_NEXT, QN_FORM_PREVIOUS,     /* by a column that orders the rows */
    QN_FORM_FIRST, QN_FORM_LAST,        /* by a year */
    QN_FORM_SAME,           /* names of the other rows that share a value with a named row */
    QN_FORM_COMPARE,        /* which of two named rows has more */
    QN_FORM_TOP,            /* the n largest */
    QN_FORM_LIST,           /* the different values among rows that meet a condition */
    QN_FORM_ROW_FIRST, QN_FORM_ROW_LAST, QN_FORM_ROW_NEXT, QN_FORM_ROW_PREVIOUS,    /* by the order in which the table lists its rows: drawn loosely alone */
    QN_N_FORMS
} qn_form;
const char *qn_form_name(qn_form f);
bool qn_form_find(qn_str name, qn_form *out);

typedef struct qn_cond {
    int    col;
    char   op;          /* '=' text equality, '!' any other text, '~' the cell contains it, '<' '>' numbers, 'l' at most, 'g' at least, 'b' between lo and hi, both included */
    qn_str text;        /* of '=' and '!': the cell as it stands; of '~': a part of one, without case; of digits alone: with no digit beside it */
    double lo, hi;      /* the limit is lo but for 'b' */
} qn_cond;

static inline bool qn_cond_is_text(const qn_cond *c) { return c->op == '=' || c->op == '!' || c->op == '~'; }

typedef struct qn_sketch {
    qn_form form;
    int     target;         /* column of the answer; -1 when it is a count of rows */
    int     by;             /* column that orders, is summed or is shared; -1 none */
    bool    desc;           /* largest, most, last first */
    int     n;              /* of TOP */
    int     named;          /* 1 + the column in which a and b stand; 0: the view's key */
    qn_str  a, b;           /* named rows: values of that column */
    qn_cond conds[2];
    int     n_conds;
    bool    either;         /* of two conditions one will do */
} qn_sketch;

/* A random part of the table that queries should be about. */
typedef struct qn_focus { size_t row; int cols[4]; int n_cols; } qn_focus;
void qn_focus_draw(const qn_table_view *v, qn_rng *r, qn_focus *out);

/* Draws a query. `form` QN_N_FORMS: any. False when the table has nothing to ask for in that form (or in any).
 * Cost: O(rows) per try, at most 24 tries. Texts are borrowed from the view. */
bool qn_sketch_draw(const qn_table_view *v, qn_rng *r, const qn_focus *focus, qn_form form, qn_sketch *out);

/* As people ask of tables that they have not tidied: any column, values of any kind, the order of rows. What is drawn has one answer, but need
 * not be one that a careful writer would ask for, and question_nlg may have no words for it: question_loose has. */
bool qn_sketch_draw_loose(const qn_table_view *v, qn_rng *r, const qn_focus *focus, qn_sketch *out);
/* The column of named rows; -1 none. */
static inline int qn_sketch_key(const qn_table_view *v, const qn_sketch *s) { return s->named > 0 ? s->named - 1 : v->key; }
/* Is the cell fit to stand in a question as it is typed: one to six words, one line? */
bool qn_cell_sayable(qn_str s);

void qn_sketch_sql(const qn_table_view *v, const qn_sketch *s, qn_buf *out);
/* {form, select, by, desc, n, a, b, where: [{column, op, value}]} in the arena, and back. False: columns do not fit. */
qn_value qn_sketch_value(const qn_table_view *v, const qn_sketch *s, qn_arena *a);
bool     qn_sketch_read(const qn_table_view *v, qn_value x, qn_sketch *out);

/* Does the row meet the condition? A cell without a value meets none. */
bool qn_cond_met(const qn_table_view *v, const qn_cond *c, size_t row);
bool qn_sketch_met(const qn_table_view *v, const qn_sketch *s, size_t row);     /* all its conditions, or either */
/* Does the column stand for points in time: a year, or a text with one? */
static inline bool qn_col_is_time(const qn_table_col *c) { return c->sense == QN_SENSE_YEAR || c->rough == 'y' || c->rough == 'e'; }

/* Is the text plain enough to be quoted in a question as a value of this column? */
bool qn_value_askable(const qn_table_col *c, qn_str s);
#endif
