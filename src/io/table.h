/* table: tables from any source into one SQLite file, the `tables.db` that generated SQL runs on.
 *
 * A table gets a name that SQL takes without quotes ([A-Za-z0-9_], no keyword, unique whatever the case) and column names that are usable and
 * unique (io/columns.h). Cells are loaded as they stand in the file: bound as texts to columns declared NUMERIC where the type is int or real
 * and TEXT otherwise; a missing value (JSON null, SQLite NULL, a row that ends early) is NULL, an empty cell the empty text.
 *
 * Types come from all cells of the column that are not empty:
 *   int    -?digits, no leading zero, fits 64 bits          real   int or -?digits.digits, at most 15 digits: NUMERIC keeps the value
 *   date   YYYY-MM-DD (TEXT)                                text   everything else, and a column with no value at all */
#ifndef QN_IO_TABLE_H
#define QN_IO_TABLE_H
#include "io/format.h"

typedef enum { QN_COL_TEXT, QN_COL_INT, QN_COL_REAL, QN_COL_DATE } qn_col_type;
const char *qn_col_type_name(qn_col_type t);        /* "text", "int", "real", "date" */

typedef struct qn_column {
    qn_str      name;       /* in the database */
    qn_str      header;     /* as it stands in the source */
    qn_col_type type;
    uint64_t    n_empty;    /* cells that are empty or missing */
    uint64_t    n_number;   /* cells that are int or real by the rules above: a text column may be numbers and a few "-" */
} qn_column;

typedef struct qn_table {
    qn_str     name, title, path;   /* title: words for people, may be empty; path: the file, as found */
    qn_str     source_name;         /* what the source calls it: an id, a sheet, a member; the file's name when nothing better */
    qn_column *columns;
    size_t     n_columns;
    uint64_t   n_rows, n_ragged;    /* ragged: rows with fewer or more cells than columns (cut or filled up) */
} qn_table;

typedef struct qn_table_problem { qn_str path; qn_err err; bool skipped; } qn_table_problem; /* skipped: a document, or of no known format, in a folder */

typedef struct qn_tables {
    qn_arena  arena;                /* everything below lives here */
    qn_table *items;                /* in the order of the sources */
    size_t    n, cap;
    qn_table_problem *problems;     /* a file that cannot be read does not stop the others */
    size_t    n_problems, cap_problems;
} qn_tables;

/* Loads every table of `paths` (files, folders, globs) into a new SQLite file at db_path, which appears whole or not at all.
 * opts may be NULL. Memory: the file that is being read needs up to 64 MB, then it goes through a temporary table.
 * Errors: nothing that could be loaded (the first problem), disk. Owned: qn_tables_free. */
qn_code qn_tables_load(const char *const *paths, size_t n_paths, const char *db_path, const qn_read_opts *opts, qn_tables **out, qn_err *e);
void    qn_tables_free(qn_tables *t);               /* NULL is fine */
const qn_table *qn_tables_find(const qn_tables *t, qn_str name);

/* The parts, for those who have cells of their own. */
qn_col_type qn_cell_type(qn_str cell);              /* of one cell that is not empty */
/* An SQL name from any text; not yet unique. */
qn_str      qn_sql_name(qn_arena *a, qn_str text);
/* "a ""b""" with the quotes around. */
void        qn_sql_quote(qn_buf *b, qn_str name);
#endif
