/* test_rows: JSONL, JSON, CSV and SQLite as rows: what is kept, what is reported, that reading goes on. */
#include "io_test.h"
#include "io/csv.h"
#include "io/input.h"
#include <sqlite3.h>

/* ---- JSONL ---- */
static void a_jsonl_row_keeps_the_bytes_of_its_line(void **s)
{
    (void)s;
    t_rows_are(T_FILE("a.jsonl", "{\"b\" : 1.0,  \"a\":[ ]}\n{\"x\":12345678901234567890123}\n"), NULL, "{\"b\" : 1.0,  \"a\":[ ]}\n{\"x\":12345678901234567890123}\n");
}

static void bad_lines_are_named_and_reading_goes_on(void **s)
{
    (void)s;
    t_rows_are(T_FILE("b.jsonl", "\xEF\xBB\xBF{\"a\":1}\r\n\r\n   \n{\"a\":\n[1]\n{\"a\":\"\xff\"}\n{\"a\":\"\0\"}\n{\"a\":2}"), NULL,
               "{\"a\":1}\n! 4 not valid JSON at byte 6: unexpected end of data\n! 5 a row must be a JSON object, this is a list\n"
               "! 6 the line is not valid UTF-8\n! 7 the line holds NUL bytes\n{\"a\":2}\n");
}

static void a_line_over_the_limit_is_one_bad_line(void **s)
{
    (void)s;
    qn_read_opts o = { .max_record_bytes = 20 };
    qn_buf b = {0};
    qn_buf_puts(&b, "{\"a\":1}\n{\"a\":\"");
    for (int i = 0; i < 2000000; i++) qn_buf_putc(&b, 'x');
    qn_buf_puts(&b, "\"}\n{\"a\":2}\n");
    const char *path = t_file("c.jsonl", b.p, b.n);
    qn_buf_free(&b);
    t_rows_are(path, &o, "{\"a\":1}\n! 2 the line is longer than 20 bytes\n{\"a\":2}\n");
}

static void a_line_nested_without_end_is_one_bad_line(void **s)
{
    (void)s;
    qn_buf b = {0};
    qn_buf_puts(&b, "{\"a\":");
    for (int i = 0; i < 100000; i++) qn_buf_putc(&b, '[');
    for (int i = 0; i < 100000; i++) qn_buf_putc(&b, ']');
    qn_buf_puts(&b, "}\n{\"a\":[[1]]}\n");
    const char *path = t_file("deep.jsonl", b.p, b.n);
    qn_buf_free(&b);
    t_rows_are(path, NULL, "! 1 JSON is nested deeper than 512 levels\n{\"a\":[[1]]}\n");
}

static void lines_across_windows_are_whole(void **s)
{
    (void)s;
    qn_buf b = {0};
    size_t n = 0;
    for (int i = 0; i < 3000; i++) {
        qn_buf_printf(&b, "{\"i\":%d,\"t\":\"", i);
        for (int k = 0; k < i % 700; k++) qn_buf_puts(&b, "wörd ");
        qn_buf_puts(&b, "\"}\n");
    }
    qn_buf_put(&b, "", 0);
    char *got = t_rows(t_file("d.jsonl", b.p, b.n), NULL);
    for (char *c = got; *c; c++) n += *c == '\n';
    assert_int_equal(n, 3000);
    assert_string_equal(got, b.p);
    qn_free(got);
    qn_buf_free(&b);
    unlink(t_path);
}

static void utf16_with_a_mark_is_converted(void **s)
{
    (void)s;
    t_rows_are(T_FILE("e.jsonl", "\xFF\xFE{\0\"\0a\0\"\0:\0\"\0\xE9\0\"\0}\0\n\0"), NULL, "{\"a\":\"é\"}\n");
}

/* ---- packed ---- */
static void a_cut_gz_gives_its_rows_and_then_says_so(void **s)
{
    (void)s;
    char cmd[600], *got;
    const char *path = T_FILE("f.jsonl", "");
    snprintf(cmd, sizeof cmd, "for i in $(seq 1 20000); do echo \"{\\\"i\\\":$i}\"; done | gzip -nc | head -c 20000 > %s.gz", path);
    assert_int_equal(system(cmd), 0);
    strcat(t_path, ".gz");
    got = t_rows(t_path, NULL);
    assert_true(strncmp(got, "{\"i\":1}\n{\"i\":2}\n", 16) == 0);
    assert_non_null(strstr(got, "cannot unpack"));
    qn_free(got);
    unlink(t_path);
}

static void zst_and_bz2_read_as_if_not_packed(void **s)
{
    (void)s;
    char cmd[900];
    const char *const with[] = { "zstd -qc", "bzip2 -c", "gzip -c", "xz -c" }, *const ext[] = { "zst", "bz2", "gz", "xz" };
    for (int i = 0; i < 4; i++) {
        char word[32];
        sscanf(with[i], "%31s", word);
        snprintf(cmd, sizeof cmd, "command -v %s >/dev/null", word);
        if (system(cmd) != 0) { printf("skipped: no %s here\n", word); continue; }
        const char *path = T_FILE("g.jsonl", "{\"a\":1}\n{\"a\":2}\n");
        snprintf(cmd, sizeof cmd, "%s < %s > %s.%s && rm %s", with[i], path, path, ext[i], path);
        assert_int_equal(system(cmd), 0);
        snprintf(cmd, sizeof cmd, "%s.%s", path, ext[i]);
        t_rows_are(cmd, NULL, "{\"a\":1}\n{\"a\":2}\n");
    }
}

/* ---- JSON ---- */
static void json_records_are_found_where_people_put_them(void **s)
{
    (void)s;
    t_rows_are(T_FILE("a.json", "[{\"a\":1},{\"a\":2}]"), NULL, "{\"a\":1}\n{\"a\":2}\n");
    t_rows_are(T_FILE("a.json", "[\"x\", 2]"), NULL, "{\"value\":\"x\"}\n{\"value\":2}\n");
    t_rows_are(T_FILE("a.json", "{\"version\":1,\"data\":[{\"a\":1}]}"), NULL, "{\"a\":1}\n");
    t_rows_are(T_FILE("a.json", "{\"x\":{\"a\":1},\"y\":{}}"), NULL, "{\"key\":\"x\",\"a\":1}\n{\"key\":\"y\"}\n");
    t_rows_are(T_FILE("a.json", "{\"id\":7,\"messages\":[{\"role\":\"user\"}]}"), NULL, "{\"id\":7,\"messages\":[{\"role\":\"user\"}]}\n");
    qn_read_opts o = { .table = "messages" };
    t_rows_are(T_FILE("a.json", "{\"id\":7,\"messages\":[{\"role\":\"user\"}]}"), &o, "{\"role\":\"user\"}\n");
}

static void broken_json_says_line_and_column(void **s)
{
    (void)s;
    qn_reader *r;
    qn_err e = {0};
    const char *path = T_FILE("b.json", "[{\"a\":1},\n {\"a\":}]");
    assert_int_equal(qn_format_by_name(QN_STR("json"))->rows(path, NULL, &r, &e), QN_EDATA);
    assert_int_equal(e.pos.line, 2);
    assert_int_equal(e.pos.col, 7);
    unlink(path);
}

static void a_json_file_over_the_limit_says_what_to_do(void **s)
{
    (void)s;
    qn_reader *r;
    qn_err e = {0};
    qn_read_opts o = { .max_record_bytes = 10 };
    const char *path = T_FILE("c.json", "[{\"a\":1},{\"a\":2}]");
    assert_int_equal(qn_format_by_name(QN_STR("json"))->rows(path, &o, &r, &e), QN_ELIMIT);
    assert_non_null(strstr(e.hint, "JSONL"));
    unlink(path);
}

/* ---- CSV ---- */
static void rfc_4180_holds(void **s)
{
    (void)s;
    t_rows_are(T_FILE("a.csv", "a,b\r\n1,\"x, \"\"y\"\"\r\nz\"\r\n,\r\n007,\"\"\r\n"), NULL,
               "{\"a\":\"1\",\"b\":\"x, \\\"y\\\"\\r\\nz\"}\n{\"a\":\"\",\"b\":\"\"}\n{\"a\":\"007\",\"b\":\"\"}\n");
}

static void the_delimiter_is_found(void **s)
{
    (void)s;
    t_rows_are(T_FILE("b.csv", "name;price\nx;1,5\ny;2,7\n"), NULL, "{\"name\":\"x\",\"price\":\"1,5\"}\n{\"name\":\"y\",\"price\":\"2,7\"}\n");
    t_rows_are(T_FILE("b.csv", "a\tb\nx, y\tz\n"), NULL, "{\"a\":\"x, y\",\"b\":\"z\"}\n");
    t_rows_are(T_FILE("b.csv", "a|b\n1|2\n"), NULL, "{\"a\":\"1\",\"b\":\"2\"}\n");
    t_rows_are(T_FILE("b.csv", "sep=;\na;b\n1;2,3\n"), NULL, "{\"a\":\"1\",\"b\":\"2,3\"}\n");
    t_rows_are(T_FILE("b.csv", "text\nno delimiter here\nnor here\n"), NULL, "{\"text\":\"no delimiter here\"}\n{\"text\":\"nor here\"}\n");
}

static void ragged_records_are_reported_and_the_rest_stays_in_place(void **s)
{
    (void)s;
    t_rows_are(T_FILE("c.csv", "a,b,c\n1,2,3\n4,5\n\n6,7,8,,\n9,10,11,12\n13,14,15\n"), NULL,
               "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}\n! 3 2 cells where the header has 3\n{\"a\":\"6\",\"b\":\"7\",\"c\":\"8\"}\n"
               "! 6 4 cells where the header has 3\n{\"a\":\"13\",\"b\":\"14\",\"c\":\"15\"}\n");
}

static void quotes_in_the_middle_do_not_swallow_the_file(void **s)
{
    (void)s;
    t_rows_are(T_FILE("d.csv", "a,b\n\"say \"hello\" to\",1\nx \"y\" z,2\n\"Foo\" Bar,3\n"), NULL,
               "{\"a\":\"say \\\"hello\\\" to\",\"b\":\"1\"}\n{\"a\":\"x \\\"y\\\" z\",\"b\":\"2\"}\n{\"a\":\"\\\"Foo\\\" Bar\",\"b\":\"3\"}\n");
    t_rows_are(T_FILE("d.csv", "a,b\n\"1,1\",2\n\"1,2\",2\n\"never closed,2\n3,4\n5,6\n"), NULL,
               "{\"a\":\"1,1\",\"b\":\"2\"}\n{\"a\":\"1,2\",\"b\":\"2\"}\n! 4 a quote in this line is never closed\n{\"a\":\"3\",\"b\":\"4\"}\n{\"a\":\"5\",\"b\":\"6\"}\n");
}

static void backslash_quotes_are_understood(void **s)
{
    (void)s;
    t_rows_are(T_FILE("e.csv", "\"a\",\"b\"\n\"5'8\\\"\",\"x\"\n\"\\\"q\\\" and\",\"C:\\\\dir\"\n"), NULL,
               "{\"a\":\"5'8\\\"\",\"b\":\"x\"}\n{\"a\":\"\\\"q\\\" and\",\"b\":\"C:\\\\dir\"}\n");
}

static void headers_are_found_or_made(void **s)
{
    (void)s;
    t_rows_are(T_FILE("f.csv", "1,x\n2,y\n3,z\n"), NULL, "{\"column_1\":\"1\",\"column_2\":\"x\"}\n{\"column_1\":\"2\",\"column_2\":\"y\"}\n{\"column_1\":\"3\",\"column_2\":\"z\"}\n");
    t_rows_are(T_FILE("f.csv", "city,2001,2006\nA,12000,13000\nB,900,1000\n"), NULL, "{\"city\":\"A\",\"2001\":\"12000\",\"2006\":\"13000\"}\n{\"city\":\"B\",\"2001\":\"900\",\"2006\":\"1000\"}\n");
    t_rows_are(T_FILE("f.csv", "a,,A,a\n1,2,3,4\n"), NULL, "{\"a\":\"1\",\"column_2\":\"2\",\"A 2\":\"3\",\"a 3\":\"4\"}\n");
    qn_read_opts o = { .header = -1 };
    t_rows_are(T_FILE("f.csv", "a,b\n"), &o, "{\"column_1\":\"a\",\"column_2\":\"b\"}\n");
}

static void other_encodings_are_guessed_or_named(void **s)
{
    (void)s;
    qn_read_opts o = { .encoding = "latin1" };
    t_rows_are(T_FILE("g.csv", "name,n\nJos\xE9,1\n"), &o, "{\"name\":\"José\",\"n\":\"1\"}\n");
    t_rows_are(T_FILE("g.csv", "\xFF\xFEn\0a\0\n\0\xE9\0x\0\n\0"), NULL, "{\"na\":\"éx\"}\n");
    o.encoding = "klingon";
    char *got = t_rows(T_FILE("g.csv", "a\n1\n"), &o);
    assert_string_equal(got, "! no encoding is called `klingon`");
    qn_free(got);
    unlink(t_path);
}

static void cr_alone_ends_lines_when_there_is_no_lf(void **s)
{
    (void)s;
    t_rows_are(T_FILE("h.csv", "a,b\r1,2\r3,4"), NULL, "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}\n");
}

/* A scanner that is fed byte by byte must give what it gives for the whole. */
static void the_scanner_does_not_depend_on_where_the_window_ends(void **s)
{
    (void)s;
    static const char text[] = "a,\"b \"x\" c\",d\r\n\"1\"\"\", \"2\n3\" ,\"Foo\" Bar,\"z\n\"\n\"say \"hi\"\",1\n";
    qn_csv_dialect d = { .delimiter = ',', .eol = '\n', .skip_space = true };
    qn_csv_record whole = {0}, part = {0};
    size_t n_records = 0;
    for (size_t at = 0; at < sizeof text - 1;) {
        qn_str rest = { text + at, sizeof text - 1 - at };
        assert_int_equal(qn_csv_scan(&d, rest, true, &whole), QN_CSV_RECORD);
        for (size_t n = 1; n <= rest.n; n++) {
            if (qn_csv_scan(&d, (qn_str){ rest.p, n }, false, &part) != QN_CSV_RECORD) continue;
            assert_int_equal(part.used, whole.used);
            assert_int_equal(part.n, whole.n);
            for (size_t i = 0; i < part.n; i++) assert_memory_equal(&part.cells[i], &whole.cells[i], sizeof part.cells[i]);
        }
        at += whole.used;
        n_records++;
    }
    assert_int_equal(n_records, 3);
    qn_free(whole.cells);
    qn_free(part.cells);
}

/* ---- SQLite ---- */
static void an_endless_view_ends_with_a_word(void **s)
{
    (void)s;
    const char *path = T_FILE("v.sqlite", "");
    sqlite3 *db;
    remove(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "CREATE TABLE t(a); CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) m FROM n", NULL, NULL, NULL);
    sqlite3_close(db);
    qn_read_opts o = { .table = "v" };
    char *got = t_rows(path, &o);
    assert_non_null(strstr(got, "a view in"));
    assert_non_null(strstr(got, "million steps"));
    qn_free(got);
    remove(path);
}

static void sqlite_values_keep_their_kind(void **s)
{
    (void)s;
    const char *path = T_FILE("a.sqlite", "");
    sqlite3 *db;
    unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_exec(db, "CREATE TABLE t(a, b); INSERT INTO t VALUES(1,'x'),(1.5,NULL),(9007199254740993,x'00ff10')", NULL, NULL, NULL);
    sqlite3_close(db);
    t_rows_are(path, NULL, "{\"a\":1,\"b\":\"x\"}\n{\"a\":1.5,\"b\":null}\n{\"a\":9007199254740993,\"b\":\"AP8Q\"}\n");
}

static void a_file_that_is_no_database_is_a_clear_error(void **s)
{
    (void)s;
    char *got = t_rows(T_FILE("b.sqlite", "this is not a database, and long enough to be looked at"), NULL);
    assert_non_null(strstr(got, "file is not a database"));
    qn_free(got);
    unlink(t_path);
}

/* ---- Parquet ---- */
static void parquet_values_keep_their_kind(void **s)
{
    (void)s;
    char *got = t_rows("tests/data/rows.parquet", NULL);
    if (strstr(got, "libduckdb")) printf("skipped: %s\n", got);
    else assert_string_equal(got, "{\"id\":1,\"t\":\"Mills\",\"x\":2.5,\"d\":\"2024-02-29\",\"l\":[1,2],\"b\":null}\n"
                                  "{\"id\":2,\"t\":\"grind\",\"x\":null,\"d\":null,\"l\":[],\"b\":true}\n");
    qn_free(got);
}

/* ---- formats ---- */
static void an_unknown_file_says_what_it_is(void **s)
{
    (void)s;
    const qn_format *f;
    qn_err e = {0};
    assert_int_equal(qn_format_of(T_FILE("x.bin", "\x89PNG\r\n\x1a\n"), &f, &e), QN_EDATA);
    assert_non_null(strstr(e.msg, "a picture (PNG)"));
    unlink(t_path);
    assert_int_equal(qn_format_of(T_FILE("noext", "{\"a\":1}\n{\"a\":2}\n"), &f, &e), QN_OK);
    assert_string_equal(f->name, "jsonl");
    unlink(t_path);
    assert_int_equal(qn_format_of("/nowhere/at/all", &f, &e), QN_ERECIPE);
}

static void real_files_give_all_their_rows(void **s)
{
    (void)s;
    const char *shared = t_shared();
    if (!shared) return;
    static const struct { const char *path; size_t n; } FILES[] = {
        { "wikitablequestions/training.tsv", 14152 }, { "wikitablequestions/train_tables.jsonl.gz", 1679 }, { "docs/misc/test_mskanji.csv", 3 },
        { "code_seeds/code_seeds.jsonl", 460 },
    };
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char *path = qn_path_join(shared, FILES[i].path), *got = t_rows(path, NULL);
        size_t n = 0, bad = 0;
        for (char *c = got; *c; c = strchr(c, '\n') + 1) n++, bad += *c == '!';
        assert_int_equal(n, FILES[i].n);
        assert_int_equal(bad, 0);
        if (i == 2) assert_true(strncmp(got, "{\"名前\":\"佐藤太郎\",\"年齢\":\"30\",\"住所\":\"東京\"}", 30) == 0);
        qn_free(got);
        qn_free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jsonl_row_keeps_the_bytes_of_its_line), cmocka_unit_test(bad_lines_are_named_and_reading_goes_on),
        cmocka_unit_test(a_line_over_the_limit_is_one_bad_line), cmocka_unit_test(lines_across_windows_are_whole),
        cmocka_unit_test(a_line_nested_without_end_is_one_bad_line),
        cmocka_unit_test(utf16_with_a_mark_is_converted), cmocka_unit_test(a_cut_gz_gives_its_rows_and_then_says_so),
        cmocka_unit_test(zst_and_bz2_read_as_if_not_packed), cmocka_unit_test(json_records_are_found_where_people_put_them),
        cmocka_unit_test(broken_json_says_line_and_column), cmocka_unit_test(a_json_file_over_the_limit_says_what_to_do),
        cmocka_unit_test(rfc_4180_holds), cmocka_unit_test(the_delimiter_is_found),
        cmocka_unit_test(ragged_records_are_reported_and_the_rest_stays_in_place), cmocka_unit_test(quotes_in_the_middle_do_not_swallow_the_file),
        cmocka_unit_test(backslash_quotes_are_understood), cmocka_unit_test(headers_are_found_or_made),
        cmocka_unit_test(other_encodings_are_guessed_or_named), cmocka_unit_test(cr_alone_ends_lines_when_there_is_no_lf),
        cmocka_unit_test(the_scanner_does_not_depend_on_where_the_window_ends), cmocka_unit_test(sqlite_values_keep_their_kind), cmocka_unit_test(an_endless_view_ends_with_a_word),
        cmocka_unit_test(a_file_that_is_no_database_is_a_clear_error), cmocka_unit_test(an_unknown_file_says_what_it_is), cmocka_unit_test(parquet_values_keep_their_kind),
        cmocka_unit_test(real_files_give_all_their_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
