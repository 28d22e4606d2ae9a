/* table_view: one table as the built-in writers see it: its cells, and for each column what it means, how it is said, which cells
 * hold no value, and the numbers in it. Made once per table, read-only afterwards, so that any thread may use it.
 *
 * A column that cannot be said or counted on (one letter, free text, mixed contents) is marked unusable: a missing question is
 * better than a wrong one. Cost: O(cells). */
#ifndef QN_BUILTIN_TABLE_VIEW_H
#define QN_BUILTIN_TABLE_VIEW_H
#include "builtin/column_lexicon.h"
#include "core/err.h"
#include "core/mem.h"

#define QN_NO_VALUE UINT32_MAX

typedef struct qn_table_col {
    qn_str      name;           /* header as it stands: the name in SQL */
    char        type;           /* 'i' int, 'r' real, 't' text: affinity of the column in SQL */
    qn_sense    sense;
    const qn_colword *word;     /* NULL: none */
    qn_str      phrase, plural; /* "melting point", "melting points" */
    const char *unit;           /* "kilometres"; NULL */
    char        money[4];       /* "$", "€", "£" in front of all its numbers; "" */
    bool        usable;         /* may be asked for */
    bool        clean;          /* its cells are short and plain enough to stand in a question */
    bool        numeric, whole; /* every value is a number; a whole number */
    bool        commas;         /* numbers are texts with separators: SQL must strip them */
    double     *num;            /* (n_rows) NAN where there is no value; NULL when neither numeric nor rough */
    char        rough;          /* not numeric, but most of its texts begin with a number ('n': "12 (3)", 'y': a year, "1994-95") or end in a year ('e': "20 June 2004"),
                                 * and `num` has that; 0: no. For loose queries and lines of marks alone */
    uint32_t   *value;          /* (n_rows) which distinct value; QN_NO_VALUE none */
    uint32_t    n_values;
    uint32_t   *count;          /* (n_values) rows that hold it */
    uint32_t   *first;          /* (n_values) its first row */
    size_t      n_missing;
    qn_str      missing[4];     /* what stands in cells without a value, "" among them */
    size_t      n_missing_forms;
} qn_table_col;

typedef enum { QN_KEY_NONE, QN_KEY_NAME, QN_KEY_DATE, QN_KEY_YEAR, QN_KEY_NUMBERED } qn_key_kind;

typedef struct qn_table_view {
    qn_str  name;
    size_t  n_rows, n_cols;
    const qn_str *cells;        /* (n_rows, n_cols), p NULL for no value */
    qn_table_col *cols;
    int         key;            /* column that names the rows; -1 none */
    qn_key_kind key_kind;
    qn_str      noun, nouns;    /* "river", "rivers"; "entry" when nothing better is known */
    bool        totals;         /* has a row of totals: nothing may be summed or compared */
    bool        the_names;      /* names of its rows take "the": rivers, seas */
    bool        events;         /* its rows are games, races, elections: told in the past */
} qn_table_view;

/* Everything is copied into the arena. Errors: QN_EDATA for a table without columns or rows. */
qn_code qn_table_view_make(qn_arena *a, qn_str name, const qn_str *columns, const char *types /* 'i' 'r' 't' each */, size_t n_cols,
                           const qn_str *cells, size_t n_rows, qn_table_view **out, qn_err *e);
static inline qn_str qn_table_cell(const qn_table_view *v, size_t row, int col) { return v->cells[row * v->n_cols + (size_t)col]; }
/* Words for people about the table ("List of state highways in Utah"): gives the rows a noun when neither a column nor the table's name did. */
void qn_table_view_title(qn_arena *a, qn_table_view *v, qn_str title);
bool qn_table_is_total(qn_str name);                                /* "Total", "Others", "Average": a row that sums up others */
int  qn_table_col_find(const qn_table_view *v, qn_str name);        /* -1 none */
/* Is the value of this row in this column held by no other row? */
static inline bool qn_table_unique(const qn_table_view *v, size_t row, int col)
{
    const qn_table_col *c = &v->cols[col];
    return c->value[row] != QN_NO_VALUE && c->count[c->value[row]] == 1;
}
#endif
