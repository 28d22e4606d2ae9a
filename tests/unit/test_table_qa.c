/* The built-in writer of questions over tables: every query has one clear answer, and the question asks for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "builtin/question_nlg.h"
#include "builtin/table_load.h"
#include "core/file.h"
#include "io/sql_run.h"
#include "io/table.h"

static const char *DB = "/tmp/quern-test-table-qa.db";

static void load_examples(void)
{
    const char *paths[] = { "examples/tables" };
    qn_tables *t;
    qn_err e = { 0 };
    unlink(DB);
    if (qn_tables_load(paths, 1, DB, NULL, &t, &e) != QN_OK) fail_msg("%s", e.msg);
    assert_int_equal(t->n, 9);
    qn_tables_free(t);
}

static const char *const TABLES[] = { "composers", "countries", "elements", "moons", "mountains", "olympic_games", "planets", "programming_languages", "rivers" };

static qn_table_view *view_of(qn_sql *db, const char *name, qn_arena *a)
{
    qn_table_view *v;
    qn_err e = { 0 };
    if (qn_table_load(qn_sql_handle(db), qn_str_of(name), 1000000, a, &v, &e) != QN_OK) fail_msg("%s: %s", name, e.msg);
    return v;
}

static void every_query_has_one_clear_answer(void **st)
{
    (void)st;
    qn_sql *db;
    qn_err e = { 0 };
    load_examples();
    assert_int_equal(qn_sql_open(DB, &db, &e), QN_OK);
    size_t made = 0, forms[QN_N_FORMS] = { 0 };
    for (size_t t = 0; t < 9; t++) {
        qn_arena a = { 0 };
        qn_table_view *v = view_of(db, TABLES[t], &a);
        for (uint64_t seed = 0; seed < 300; seed++) {
            qn_rng r = qn_rng_seed(seed * 1000 + t);
            qn_focus f;
            qn_sketch s, back;
            qn_buf sql = { 0 }, sql2 = { 0 }, q = { 0 };
            qn_value answer;
            bool stable = false;
            qn_focus_draw(v, &r, &f);
            if (!qn_sketch_draw(v, &r, &f, QN_N_FORMS, &s)) continue;
            qn_sketch_sql(v, &s, &sql);
            if (qn_sql_run(db, qn_buf_view(&sql), NULL, &a, &answer, &e) != QN_OK) fail_msg("%s: %s", sql.p, e.msg);
            if (answer.n < 1 || qn_v_at(answer, 0).kind == QN_V_NULL) fail_msg("empty: %s", sql.p);
            if (qn_sql_check_order(db, qn_buf_view(&sql), NULL, answer, &a, &stable, &e) != QN_OK || !stable) fail_msg("row order: %s", sql.p);
            /* through JSON and back: the same query */
            assert_true(qn_sketch_read(v, qn_sketch_value(v, &s, &a), &back));
            qn_sketch_sql(v, &back, &sql2);
            assert_string_equal(sql.p, sql2.p);
            if (qn_question_write(v, &s, &r, 0, &q)) {
                made++;
                forms[s.form]++;
                assert_true(q.n > 10 && q.n < 400);
                assert_true(q.p[q.n - 1] == '?' || q.p[q.n - 1] == '.');
                assert_true(strchr(q.p, '{') == NULL && strstr(q.p, "  ") == NULL);
                assert_true(qn_steps_write(v, &s, answer, &a).n >= 1);
            }
            qn_buf_free(&sql);
            qn_buf_free(&sql2);
            qn_buf_free(&q);
        }
        qn_arena_free(&a);
    }
    assert_true(made > 2500);
    size_t seen = 0;
    for (int i = 0; i < QN_N_FORMS; i++) seen += forms[i] > 0;
    if (seen < 20) fail_msg("only %zu forms were drawn", seen);
    qn_sql_close(db);
}

static void equal_seeds_give_equal_questions(void **st)
{
    (void)st;
    qn_sql *db;
    qn_err e = { 0 };
    qn_arena a = { 0 };
    assert_int_equal(qn_sql_open(DB, &db, &e), QN_OK);
    qn_table_view *v = view_of(db, "rivers", &a), *w = view_of(db, "rivers", &a);
    for (uint64_t seed = 0; seed < 50; seed++) {
        qn_rng r1 = qn_rng_seed(seed), r2 = qn_rng_seed(seed);
        qn_sketch s1, s2;
        qn_buf q1 = { 0 }, q2 = { 0 };
        bool got = qn_sketch_draw(v, &r1, NULL, QN_N_FORMS, &s1);
        assert_int_equal(got, qn_sketch_draw(w, &r2, NULL, QN_N_FORMS, &s2));
        if (got && qn_question_write(v, &s1, &r1, 0.5, &q1)) {
            assert_true(qn_question_write(w, &s2, &r2, 0.5, &q2));
            assert_string_equal(q1.p, q2.p);
        }
        qn_buf_free(&q1);
        qn_buf_free(&q2);
    }
    qn_arena_free(&a);
    qn_sql_close(db);
}

/* One question of each kind, for all ways of saying it. */
static bool says(const qn_table_view *v, const qn_sketch *s, const char *const *ways)
{
    bool ok = true;
    for (uint64_t seed = 0; seed < 60; seed++) {
        qn_rng r = qn_rng_seed(seed);
        qn_buf q = { 0 };
        if (!qn_question_write(v, s, &r, 0, &q)) return false;
        bool found = strncmp(q.p, "Can you tell me ", 16) == 0 || strncmp(q.p, "I would like", 12) == 0 || strncmp(q.p, "Do you know ", 12) == 0 || strncmp(q.p, "Please tell", 11) == 0;
        for (size_t i = 0; ways[i]; i++) found |= strcmp(ways[i], q.p) == 0;
        if (!found) { print_error("unexpected: %s\n", q.p); ok = false; }
        qn_buf_free(&q);
    }
    return ok;
}
#define WAYS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void questions_are_what_people_say(void **st)
{
    (void)st;
    qn_sql *db;
    qn_err e = { 0 };
    qn_arena a = { 0 };
    assert_int_equal(qn_sql_open(DB, &db, &e), QN_OK);
    qn_table_view *v = view_of(db, "rivers", &a);
    int length = qn_table_col_find(v, QN_STR("Length (km)")), into = qn_table_col_find(v, QN_STR("Flows into")), cont = qn_table_col_find(v, QN_STR("Continent"));
    assert_int_equal(v->key, 0);
    assert_true(says(v, &(qn_sketch){ .form = QN_FORM_SELECT, .target = length, .by = -1, .a = QN_STR("Thames") },
        WAYS("How long is the Thames?", "What is the length of the Thames?", "What is the Thames' length?", "How long is the river Thames?", "What is the length of the river Thames?", "What is the river Thames' length?")));
    assert_true(says(v, &(qn_sketch){ .form = QN_FORM_ARGEXTREME, .target = 0, .by = length, .desc = true, .n_conds = 1, .conds = { { .col = cont, .op = '=', .text = QN_STR("Africa") } } },
        WAYS("Which river in Africa is the longest?", "Which is the longest river in Africa?", "What is the longest river in Africa?", "Of the rivers in Africa, which is the longest?")));
    assert_true(says(v, &(qn_sketch){ .form = QN_FORM_COUNT, .target = -1, .by = -1, .n_conds = 1, .conds = { { .col = into, .op = '=', .text = QN_STR("Black Sea") } } },
        WAYS("How many rivers flow into the Black Sea?")));
    assert_true(says(v, &(qn_sketch){ .form = QN_FORM_COUNT, .target = -1, .by = -1, .n_conds = 2, .conds = { { .col = length, .op = '>', .lo = 3000 }, { .col = cont, .op = '=', .text = QN_STR("Asia") } } },
        WAYS("How many rivers in Asia are longer than 3000 kilometres?", "Of the rivers in Asia, how many are longer than 3000 kilometres?")));
    v = view_of(db, "elements", &a);
    int year = qn_table_col_find(v, QN_STR("Year of discovery"));
    qn_str key = v->cols[v->key].name;
    assert_true(qn_str_is(key, "Element"));
    assert_true(says(v, &(qn_sketch){ .form = QN_FORM_COMPARE, .target = v->key, .by = year, .a = QN_STR("Helium"), .b = QN_STR("Neon") },
        WAYS("Which was discovered first, Helium or Neon?", "Which was discovered first, Neon or Helium?", "Which was discovered first, the element Helium or Neon?", "Which was discovered first, Helium or the element Neon?",
             "Which was discovered first, the element Neon or Helium?", "Which was discovered first, Neon or the element Helium?", "Which was discovered first, the element Helium or the element Neon?", "Which was discovered first, the element Neon or the element Helium?")));
    qn_arena_free(&a);
    qn_sql_close(db);
}

static void a_value_that_stands_in_other_cells_is_no_condition(void **st)
{
    (void)st;
    qn_sql *db;
    qn_err e = { 0 };
    qn_arena a = { 0 };
    assert_int_equal(qn_sql_open(DB, &db, &e), QN_OK);
    qn_table_view *v = view_of(db, "mountains", &a);
    int country = qn_table_col_find(v, QN_STR("Country"));
    for (uint64_t seed = 0; seed < 3000; seed++) {
        qn_rng r = qn_rng_seed(seed);
        qn_sketch s;
        if (!qn_sketch_draw(v, &r, NULL, QN_FORM_COUNT, &s)) continue;
        /* Nepal is also in "Nepal, China": a count of cells that are "Nepal" would miss most of its mountains */
        for (int i = 0; i < s.n_conds; i++) assert_false(s.conds[i].col == country && qn_str_is(s.conds[i].text, "Nepal"));
    }
    qn_arena_free(&a);
    qn_sql_close(db);
}

static qn_code run(qn_sql *db, const char *sql, qn_value *answer, qn_arena *a, qn_err *e)
{
    static const qn_sql_limits lim = { .max_steps = 2000000, .timeout_ms = 1000, .max_rows = 100, .max_bytes = 4000 };
    memset(e, 0, sizeof *e);
    return qn_sql_run(db, qn_str_of(sql), &lim, a, answer, e);
}

static void bad_queries_are_refused(void **st)
{
    (void)st;
    static const struct { const char *sql; qn_code code; } BAD[] = {
        { "SELECT random()", QN_EDATA }, { "SELECT hex(randomblob(4))", QN_EDATA }, { "SELECT date('now')", QN_EDATA }, { "SELECT datetime('n' || 'ow')", QN_EDATA },
        { "SELECT CURRENT_TIMESTAMP", QN_EDATA }, { "SELECT strftime('%s')", QN_EDATA }, { "SELECT 1; SELECT 2", QN_EDATA }, { "", QN_EDATA }, { "-- nothing", QN_EDATA },
        { "INSERT INTO rivers VALUES (1,2,3,4,5)", QN_EDATA }, { "DELETE FROM rivers", QN_EDATA }, { "DROP TABLE rivers", QN_EDATA }, { "UPDATE rivers SET River = 1", QN_EDATA },
        { "CREATE TABLE x (y)", QN_EDATA }, { "ATTACH '/tmp/x.db' AS x", QN_EDATA }, { "PRAGMA table_info(rivers)", QN_EDATA }, { "SELECT * FROM pragma_table_info('rivers')", QN_EDATA },
        { "SELECT name FROM sqlite_master", QN_EDATA }, { "SELECT load_extension('x')", QN_EDATA }, { "SELECT nothing FROM rivers", QN_EDATA }, { "SELECT \"nothing\" FROM rivers", QN_EDATA },
        { "SELECT * FROM nowhere", QN_EDATA }, { "VACUUM", QN_EDATA }, { "EXPLAIN SELECT 1", QN_OK }, { "SELECT 1 FROM", QN_EDATA },
        { "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT MAX(x) FROM n", QN_ELIMIT },
        { "SELECT COUNT(*) FROM rivers a, rivers b, rivers c, rivers d, rivers e", QN_ELIMIT }, { "SELECT a.River FROM rivers a, rivers b", QN_ELIMIT },
        { "SELECT hex(zeroblob(100000))", QN_ELIMIT }, { "SELECT zeroblob(1000000000)", QN_EDATA },
    };
    qn_sql *db;
    qn_err e = { 0 };
    qn_arena a = { 0 };
    qn_value answer;
    assert_int_equal(qn_sql_open(DB, &db, &e), QN_OK);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        qn_code rc = run(db, BAD[i].sql, &answer, &a, &e);
        if (rc != BAD[i].code) fail_msg("`%s` gave %s (%s)", BAD[i].sql, qn_code_name(rc), e.msg);
        if (rc != QN_OK) assert_true(e.msg[0]);
    }
    /* what is allowed */
    assert_int_equal(run(db, "SELECT COUNT(*) FROM rivers", &answer, &a, &e), QN_OK);
    assert_int_equal(qn_v_at(answer, 0).i, 120);
    assert_int_equal(run(db, "SELECT strftime('%Y', '2001-02-03'), upper('x');", &answer, &a, &e), QN_OK);
    assert_int_equal(qn_v_at(answer, 0).n, 2);      /* several columns: a list of rows */
    assert_int_equal(run(db, "SELECT River FROM rivers WHERE 1 = 0", &answer, &a, &e), QN_OK);
    assert_int_equal(answer.n, 0);
    qn_arena_free(&a);
    qn_sql_close(db);
}

static bool stable(qn_sql *db, const char *sql)
{
    qn_arena a = { 0 };
    qn_value answer;
    qn_err e = { 0 };
    bool ok = false;
    if (run(db, sql, &answer, &a, &e) != QN_OK) fail_msg("%s: %s", sql, e.msg);
    if (qn_sql_check_order(db, qn_str_of(sql), NULL, answer, &a, &ok, &e) != QN_OK) fail_msg("%s: %s", sql, e.msg);
    qn_arena_free(&a);
    return ok;
}

static void answers_that_hang_on_the_order_of_rows_are_told(void **st)
{
    (void)st;
    qn_sql *db;
    qn_err e = { 0 };
    assert_int_equal(qn_sql_open(DB, &db, &e), QN_OK);
    assert_false(stable(db, "SELECT River FROM rivers LIMIT 1"));
    assert_false(stable(db, "SELECT Country FROM olympic_games ORDER BY Season LIMIT 1"));      /* a tie */
    assert_false(stable(db, "SELECT River FROM rivers WHERE rowid = 3"));
    assert_true(stable(db, "SELECT River FROM rivers WHERE Continent = 'Africa'"));             /* as a set */
    assert_true(stable(db, "SELECT River FROM rivers WHERE \"Length (km)\" <> '' ORDER BY \"Length (km)\" DESC LIMIT 3"));
    assert_true(stable(db, "SELECT COUNT(*) FROM rivers"));
    assert_true(stable(db, "SELECT AVG(\"Height (m)\") FROM mountains WHERE \"Height (m)\" <> ''"));
    assert_true(stable(db, "WITH x AS (SELECT * FROM rivers) SELECT COUNT(*) FROM x"));
    qn_sql_close(db);
}

static void columns_are_understood(void **st)
{
    (void)st;
    static const char *const H[] = { "Team", "W", "L", "Attendance", "Notes", "Prize", "Pct", "X" };
    static const char *const C[] = { "Reds", "3", "1", "12,345", "", "$1,000", "75%", "a", "Blues", "2", "2", "1,024", "lost", "$500", "50%", "b", "Greens", "0", "4", "—", "", "$0", "0%", "c", "Golds", "1", "3", "999", "", "$20", "25%", "d" };
    qn_str head[8], cells[32];
    qn_arena a = { 0 };
    qn_table_view *v;
    qn_err e = { 0 };
    for (int i = 0; i < 8; i++) head[i] = qn_str_of(H[i]);
    for (int i = 0; i < 32; i++) cells[i] = qn_str_of(C[i]);
    assert_int_equal(qn_table_view_make(&a, QN_STR("t_1"), head, "tiittttt", 8, cells, 4, &v, &e), QN_OK);
    assert_int_equal(v->key, 0);
    assert_true(qn_str_is(v->noun, "team"));
    assert_true(qn_str_is(v->cols[1].phrase, "wins") && v->cols[1].sense == QN_SENSE_COUNT);
    assert_true(v->cols[3].numeric && v->cols[3].commas && v->cols[3].n_missing == 1 && v->cols[3].num[0] == 12345);
    assert_false(v->cols[4].usable);
    assert_true(v->cols[5].numeric && strcmp(v->cols[5].money, "$") == 0);
    assert_true(v->cols[6].sense == QN_SENSE_SHARE);
    assert_false(v->cols[7].usable);
    qn_buf sql = { 0 };
    qn_sketch_sql(v, &(qn_sketch){ .form = QN_FORM_ARGEXTREME, .target = 0, .by = 3, .desc = true }, &sql);
    assert_string_equal(sql.p, "SELECT \"Team\" FROM \"t_1\" WHERE \"Attendance\" <> '—' ORDER BY CAST(REPLACE(\"Attendance\", ',', '') AS INTEGER) DESC LIMIT 1");
    qn_buf_free(&sql);
    qn_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_query_has_one_clear_answer), cmocka_unit_test(equal_seeds_give_equal_questions),
        cmocka_unit_test(questions_are_what_people_say), cmocka_unit_test(a_value_that_stands_in_other_cells_is_no_condition),
        cmocka_unit_test(bad_queries_are_refused), cmocka_unit_test(answers_that_hang_on_the_order_of_rows_are_told),
        cmocka_unit_test(columns_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
