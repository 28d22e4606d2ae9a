/* test_table: tables as they stand, in SQLite: names, types, affinity, all of the real ones. */
#include "io_test.h"
#include "io/table.h"
#include <sqlite3.h>

static const char DB[] = "/tmp/qn_test_tables.db";

static qn_tables *load(const char *path)
{
    qn_tables *t = NULL;
    qn_err e = {0};
    if (qn_tables_load(&path, 1, DB, NULL, &t, &e) != QN_OK) fail_msg("%s", e.msg);
    return t;
}

/* The result as text: rows by newline, cells by |, with typeof for each. */
static char *ask(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    qn_buf b = {0};
    qn_buf_puts(&b, "");
    assert_int_equal(sqlite3_open_v2(DB, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK) fail_msg("%s", sqlite3_errmsg(db));
    while (sqlite3_step(st) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(st); i++)
            qn_buf_printf(&b, "%s%s", i ? "|" : "", sqlite3_column_type(st, i) == SQLITE_NULL ? "NULL" : (const char *)sqlite3_column_text(st, i));
        qn_buf_putc(&b, '\n');
    }
    sqlite3_finalize(st);
    sqlite3_close(db);
    return b.p;
}

static void says(const char *sql, const char *expect)
{
    char *got = ask(sql);
    assert_string_equal(got, expect);
    qn_free(got);
}

static void types_come_from_the_cells_and_set_the_affinity(void **s)
{
    (void)s;
    qn_tables *t = load(T_FILE("types.csv", "i,r,d,z,mix,big,none\n1,1.5,2020-01-31,007,1,99999999999999999999,\n-20,2,2021-12-01,2,x,1,\n,,,3,,2,\n"));
    static const char *const want[] = { "int", "real", "date", "text", "text", "text", "text" };
    assert_int_equal(t->n, 1);
    for (size_t i = 0; i < 7; i++) assert_string_equal(qn_col_type_name(t->items[0].columns[i].type), want[i]);
    assert_int_equal(t->items[0].columns[4].n_number, 1);
    assert_int_equal(t->items[0].columns[0].n_empty, 1);
    qn_str name = t->items[0].name;
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT typeof(i), typeof(r), typeof(d), z, typeof(mix), big FROM %.*s", QN_FMT(name));
    says(sql, "integer|real|text|007|text|99999999999999999999\ninteger|integer|text|2|text|1\ntext|text|text|3|text|2\n");
    qn_tables_free(t);
    unlink(t_path);
}

static void blobs_of_a_database_become_hex(void **s)
{
    (void)s;
    const char *path = T_FILE("blobs.sqlite", "");
    sqlite3 *db;
    unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "CREATE TABLE b(n, x); INSERT INTO b VALUES(1,x'ff8000'),(2,x'')", NULL, NULL, NULL);
    sqlite3_close(db);
    qn_tables *t = load(path);
    says("SELECT n, x FROM b ORDER BY n", "1|ff8000\n2|\n");
    qn_tables_free(t);
    unlink(path);
}

static void names_are_usable_and_unique(void **s)
{
    (void)s;
    qn_arena a = {0};
    static const struct { const char *from, *to; } names[] = {
        { "csv/200-csv/0.csv", "csv_200_csv_0" }, { "order", "t_order" }, { "2020 data", "t_2020_data" }, { "sqlite_x", "t_sqlite_x" },
        { "日本", "t_table" }, { "", "t_table" }, { "a--b__c", "a_b_c" },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) assert_string_equal(qn_sql_name(&a, qn_str_of(names[i].from)).p, names[i].to);
    qn_arena_free(&a);
    qn_tables *t = load(T_FILE("names.json", "{\"T\":[[\"a\",\"\",\"A\",\" x\\n\\\"y\\\" \"],[1,2,null]],\"t\":[{\"k\":1.50},{\"z\":{\"q\":true},\"k\":false}]}"));
    assert_int_equal(t->n, 2);
    assert_string_equal(t->items[0].name.p, "T");
    assert_string_equal(t->items[1].name.p, "t_2");
    assert_int_equal(t->items[0].n_ragged, 1);
    says("SELECT a, column_2, \"A 2\", \"x y\" FROM T", "1|2|NULL|NULL\n");
    says("SELECT * FROM t_2", "1.50|NULL\nfalse|{\"q\":true}\n");
    qn_tables_free(t);
    unlink(t_path);
}

static void a_big_table_goes_through_the_disk_and_is_the_same(void **s)
{
    (void)s;
    qn_buf b = {0};
    qn_buf_puts(&b, "id,text\n");
    for (int i = 0; i < 300000; i++) qn_buf_printf(&b, "%d,row number %d of a table that is too long to wait in memory for its types\n", i, i);
    qn_tables *t = load(t_file("long.csv", b.p, b.n));
    assert_int_equal(t->items[0].n_rows, 300000);
    assert_int_equal(t->items[0].columns[0].type, QN_COL_INT);
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT count(*), sum(id), sum(rowid - id), max(typeof(id)) FROM %s", t->items[0].name.p);
    says(sql, "300000|44999850000|300000|integer\n");
    qn_tables_free(t);
    qn_buf_free(&b);
    unlink(t_path);
}

static void one_bad_file_does_not_stop_the_others(void **s)
{
    (void)s;
    char dir[64], path[128];
    qn_err e = {0};
    snprintf(dir, sizeof dir, "/tmp/qn_test_dir_%ld", (long)getpid());
    assert_int_equal(qn_mkdirs(dir, &e), QN_OK);
    static const struct { const char *name, *text; } files[] = { { "a.csv", "x,y\n1,2\n" }, { "b.json", "{\"broken\":" }, { "c.pages", "hello" } };
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i].name);
        assert_int_equal(qn_file_write(path, qn_str_of(files[i].text), &e), QN_OK);
    }
    qn_tables *t = load(dir);
    assert_int_equal(t->n, 1);
    assert_int_equal(t->n_problems, 2);
    assert_false(t->problems[0].skipped);
    assert_non_null(strstr(t->problems[0].err.msg, "not valid JSON"));
    assert_true(t->problems[1].skipped);
    qn_tables_free(t);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i].name);
        unlink(path);
    }
    rmdir(dir);
}

static void nothing_to_load_leaves_no_file(void **s)
{
    (void)s;
    qn_tables *t;
    qn_err e = {0};
    const char *path = T_FILE("empty.csv", "");
    unlink(DB);
    assert_int_equal(qn_tables_load(&path, 1, DB, NULL, &t, &e), QN_EDATA);
    assert_string_equal(e.msg, "the file is empty");
    assert_false(qn_file_exists(DB));
    unlink(path);
}

/* ---- real tables ---- */
static void all_tables_of_wikitablequestions_load(void **s)
{
    (void)s;
    const char *shared = t_shared();
    if (!shared) return;
    char *path = qn_path_join(shared, "wikitablequestions/train_tables.jsonl.gz");
    qn_tables *t = load(path);
    uint64_t n_cells = 0;
    for (size_t i = 0; i < t->n; i++) n_cells += t->items[i].n_rows * t->items[i].n_columns;
    assert_int_equal(t->n, 1679);
    assert_int_equal(n_cells, 293754);
    assert_int_equal(t->n_problems, 0);
    assert_string_equal(t->items[0].title.p, "Renaissance (band)");
    says("SELECT \"Chart-Positions UK\" FROM csv_200_csv_0 WHERE \"Year\" = 1978", "35\n");
    qn_tables_free(t);
    qn_free(path);
}

/* The 150 original CSV files hold the cells of the JSON of the same tables. */
typedef struct { char **cells; size_t n, cap; } flat;
static qn_code f_begin(void *a, qn_str n, qn_str t, const qn_str *c, size_t k, qn_err *e) { (void)a; (void)n; (void)t; (void)c; (void)k; (void)e; return QN_OK; }
static qn_code f_row(void *a, const qn_str *c, size_t n, qn_err *e)
{
    flat *f = a;
    (void)e;
    for (size_t i = 0; i < n; i++) {
        QN_GROW(f->cells, f->n, f->cap);
        f->cells[f->n++] = qn_strz(c[i]);
    }
    return QN_OK;
}
static qn_code f_end(void *a, qn_err *e) { (void)a; (void)e; return QN_OK; }

static size_t count_rows(const char *path)
{
    char *rows = t_rows(path, NULL);
    size_t n = 0;
    for (char *c = rows; *c; c++) n += *c == '\n';
    qn_free(rows);
    return n;
}

static void csv_files_hold_the_same_cells_as_the_json_of_their_tables(void **s)
{
    (void)s;
    const char *shared = t_shared();
    if (!shared) return;
    char *json = qn_path_join(shared, "wikitablequestions/train_tables.jsonl.gz");
    size_t n_tables = 0, n_differ = 0, n_without = 0;
    qn_read_opts first_line_names = { .header = 1 };
    qn_reader *r;
    qn_err e = {0};
    assert_int_equal(qn_format_by_name(QN_STR("jsonl"))->rows(json, NULL, &r, &e), QN_OK);
    for (qn_row *row; r->vt->next(r, &row, &e) == QN_OK && row; qn_row_drop(row)) {
        qn_str id;
        int a, b;
        char name[64];
        flat f = {0};
        qn_cell_sink sink = { &f, f_begin, f_row, f_end };
        qn_value rows, line;
        assert_int_equal(qn_row_text(row, "id", &id, &e), QN_OK);
        assert_int_equal(sscanf(id.p, "csv/%d-csv/%d.csv", &a, &b), 2);
        snprintf(name, sizeof name, "wikitablequestions/csv/%d_%d.csv", a, b);
        char *path = qn_path_join(shared, name);
        if (qn_file_exists(path)) {
            size_t at = 0;
            n_tables++;
            assert_int_equal(qn_format_by_name(QN_STR("csv"))->tables(path, &first_line_names, &sink, &e), QN_OK);
            qn_row_find(row, QN_STR("rows"), &rows);
            for (size_t i = 0; i < rows.n; i++) {
                line = qn_v_at(rows, i);
                for (size_t k = 0; k < line.n; k++, at++)
                    if (at >= f.n || !qn_str_is(qn_v_str(qn_v_at(line, k)), f.cells[at])) {
                        if (n_differ++ < 3) print_error("%s cell %zu: `%.*s` and `%s`\n", name, at, QN_FMT(qn_v_str(qn_v_at(line, k))), at < f.n ? f.cells[at] : "");
                    }
            }
            n_differ += at != f.n;
            n_without += count_rows(path) != rows.n;
        }
        for (size_t i = 0; i < f.n; i++) qn_free(f.cells[i]);
        qn_free(f.cells);
        qn_free(path);
    }
    r->vt->close(r);
    assert_int_equal(n_tables, 150);
    assert_int_equal(n_differ, 0);
    assert_int_equal(n_without, 1);     /* 202_87.csv: its first line is a row like the others */
    qn_free(json);
}

static int done(void **s) { (void)s; unlink(DB); return 0; }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_come_from_the_cells_and_set_the_affinity), cmocka_unit_test(names_are_usable_and_unique), cmocka_unit_test(blobs_of_a_database_become_hex),
        cmocka_unit_test(a_big_table_goes_through_the_disk_and_is_the_same), cmocka_unit_test(one_bad_file_does_not_stop_the_others),
        cmocka_unit_test(nothing_to_load_leaves_no_file), cmocka_unit_test(all_tables_of_wikitablequestions_load),
        cmocka_unit_test(csv_files_hold_the_same_cells_as_the_json_of_their_tables),
    };
    return cmocka_run_group_tests(tests, NULL, done);
}
