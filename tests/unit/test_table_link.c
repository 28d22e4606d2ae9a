/* The linker and skeletons: cells, numbers, columns and parts of cells are found; what is drawn comes back through its line of marks; broken lines are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "builtin/question_loose.h"
#include "builtin/table_link.h"
#include "builtin/question_nlg.h"
#include "core/mem.h"
#include <sqlite3.h>

static qn_arena arena;
static qn_table_view *view, *games;

/* As tables of the web are: dates and places as texts, places in a race, numbers with remarks. */
static const char *const GAMES[] = {
    "June 3, 1971", "Craven Park, Hull", "Won 3-2", "1st", "12,000 (full)", "October 8, 1971", "Boothferry Park, Hull", "Lost 0-1", "4th", "9,500",
    "June 20, 1972", "Craven Park, Barrow", "Won 2-0", "2nd", "11,250*", "January 1, 1974", "Odsal, Bradford", "Drawn 1-1", "3rd", "-",
    "May 14, 1974", "Odsal, Bradford", "Won 5-1", "1st", "8,000 (est.)", "June 2, 1975", "The Boulevard, Hull", "Lost 2-20", "DNF", "7,000",
    "July 4, 1976", "Odsal", "Won 4-0", "2nd", "10,000",
};
enum { N_GAMES = 7, N_GAME_COLS = 5 };
static const char *const GAME_COLUMNS[] = { "Date", "Venue", "Result", "Place", "Crowd" };

static int make(void **state)
{
    qn_str g[N_GAMES * N_GAME_COLS], gc[N_GAME_COLS];
    for (int i = 0; i < N_GAMES * N_GAME_COLS; i++) g[i] = qn_str_of(GAMES[i]);
    for (int i = 0; i < N_GAME_COLS; i++) gc[i] = qn_str_of(GAME_COLUMNS[i]);
    qn_err ge = { 0 };
    if (qn_table_view_make(&arena, QN_STR("games"), gc, "ttttt", N_GAME_COLS, g, N_GAMES, &games, &ge) != QN_OK) return 1;

    static const char *const CELLS[] = {
        "Ada Lovelace", "England", "1815", "1,200", "Carl Gauss",   "Germany", "1777", "2,500", "Emmy Noether", "Germany", "1882", "900",
        "Leonhard Euler", "Switzerland", "1707", "3,100", "Sofia Kovalevskaya", "Russia", "1850", "700", "Paul Turan", "Hungary", "1910", "650",
    };
    static const char *const COLUMNS[] = { "Name", "Country", "Born", "Letters" };
    qn_str cells[24], columns[4];
    qn_err e = { 0 };
    (void)state;
    for (int i = 0; i < 24; i++) cells[i] = qn_str_of(CELLS[i]);
    for (int i = 0; i < 4; i++) columns[i] = qn_str_of(COLUMNS[i]);
    return qn_table_view_make(&arena, QN_STR("people"), columns, "ttit", 4, cells, 6, &view, &e);
}

static int drop(void **state)
{
    (void)state;
    qn_arena_free(&arena);
    return 0;
}

static void is_marked(const char *question, const char *want)
{
    qn_link l;
    qn_buf b = { 0 };
    qn_link_find(view, qn_str_of(question), &arena, &l);
    qn_link_write(&l, 0, NULL, &b);
    ptrdiff_t bar = qn_str_find(qn_buf_view(&b), QN_STR("| "));
    assert_true(bar > 0);
    assert_string_equal(b.p + bar + 2, want);
    qn_buf_free(&b);
}

static void words_of_the_table_are_marked(void **state)
{
    (void)state;
    is_marked("What country was Ada Lovelace from?", "what CB country was VA CA ada lovelace from");
    is_marked("who was born in 1777?", "who was CC born in VA CC 1777");
    is_marked("which nation has more than 1000 letters", "which CB nation has more than VA 1000 CD letters");
    is_marked("when was noether's birth", "when was VA CA noether birth");        /* a part of one cell alone */
    is_marked("how many are from germany", "how many are from VA CB germany");
}

static void skeletons_become_sql(void **state)
{
    static const struct { const char *question, *line, *sql; } CASES[] = {
        { "what country is Carl Gauss from", "which CB VA CA", "SELECT DISTINCT \"Country\" FROM \"people\" WHERE \"Name\" = 'Carl Gauss'" },
        { "how many had at least 900 letters", "count VA CD >=", "SELECT COUNT(*) FROM \"people\" WHERE CAST(REPLACE(\"Letters\", ',', '') AS INTEGER) >= 900" },
        { "who was born last", "most CA CC", "SELECT \"Name\" FROM \"people\" ORDER BY \"Born\" DESC LIMIT 1" },
        { "who comes after Emmy Noether", "behind CA VA CA", "SELECT \"Name\" FROM \"people\" WHERE rowid > (SELECT MIN(rowid) FROM \"people\" WHERE \"Name\" = 'Emmy Noether') ORDER BY rowid LIMIT 1" },
        { "how many more letters did noether than gauss write", "diff CD VA CA VB",     /* the larger one first, whatever the question says first */
          "SELECT (SELECT CAST(REPLACE(\"Letters\", ',', '') AS INTEGER) FROM \"people\" WHERE \"Name\" = 'Carl Gauss') - (SELECT CAST(REPLACE(\"Letters\", ',', '') AS INTEGER) FROM \"people\" WHERE \"Name\" = 'Emmy Noether')" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        qn_link l;
        qn_sketch s;
        qn_err e = { 0 };
        qn_buf b = { 0 };
        qn_link_find(view, qn_str_of(CASES[i].question), &arena, &l);
        if (qn_skeleton_read(&l, qn_str_of(CASES[i].line), &s, &e) != QN_OK) fail_msg("%s: %s", CASES[i].line, e.msg);
        qn_sketch_sql(view, &s, &b);
        assert_string_equal(b.p, CASES[i].sql);
        qn_buf_free(&b);
    }
}

static void broken_lines_are_told(void **state)
{
    static const struct { const char *line, *why; } CASES[] = {
        { "", "no kind of query" }, { "dance CA", "no kind of query" }, { "which", "no column" }, { "which CZ", "no column" }, { "which CA VB CB", "no value" },
        { "which CA VA CC", "no cell of column" }, { "max CB", "has no numbers" }, { "count VA CB <", "has no numbers" }, { "rows CA", "behind the query" },
        { "count VA CB VA CB VA CB", "more than two" }, { "count VA VA CB", "two values need" },
    };
    (void)state;
    qn_link l;
    qn_link_find(view, QN_STR("how many are from germany"), &arena, &l);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        qn_sketch s;
        qn_err e = { 0 };
        assert_int_equal(qn_skeleton_read(&l, qn_str_of(CASES[i].line), &s, &e), QN_EDATA);
        if (!strstr(e.msg, CASES[i].why)) fail_msg("`%s` says: %s", CASES[i].line, e.msg);
    }
}

static qn_str sql_of_line(const qn_table_view *v, const char *question, const char *line)
{
    qn_link l;
    qn_sketch s;
    qn_err e = { 0 };
    qn_buf b = { 0 };
    qn_link_find(v, qn_str_of(question), &arena, &l);
    if (qn_skeleton_read(&l, qn_str_of(line), &s, &e) != QN_OK) fail_msg("%s: %s", line, e.msg);
    qn_sketch_sql(v, &s, &b);
    qn_str sql = qn_arena_str(&arena, qn_buf_view(&b));
    qn_buf_free(&b);
    return sql;
}

static void texts_are_ordered_by_the_number_in_them(void **state)
{
    (void)state;
    assert_int_equal(games->cols[0].rough, 'e');
    assert_int_equal(games->cols[1].rough, 0);
    assert_int_equal(games->cols[2].rough, 0);
    assert_int_equal(games->cols[3].rough, 'n');
    assert_int_equal(games->cols[4].rough, 'n');
    assert_true(games->cols[0].num[2] == 1972 && games->cols[4].num[0] == 12000 && games->cols[3].num[5] != games->cols[3].num[5]);
    assert_string_equal(sql_of_line(games, "how many games were played after 1971", "count VA CA >").p,
                        "SELECT COUNT(*) FROM \"games\" WHERE CAST(SUBSTR(\"Date\", -4) AS INTEGER) > 1971 AND \"Date\" GLOB '*[0-9][0-9][0-9][0-9]'");
    assert_string_equal(sql_of_line(games, "what venue had the largest crowd", "most CB CE").p,
                        "SELECT \"Venue\" FROM \"games\" WHERE \"Crowd\" GLOB '[0-9]*' ORDER BY CAST(REPLACE(\"Crowd\", ',', '') AS INTEGER) DESC LIMIT 1");
}

static void words_that_several_cells_have_are_conditions(void **state)
{
    (void)state;
    assert_string_equal(sql_of_line(games, "how many games were at craven park", "count VA CB").p, "SELECT COUNT(*) FROM \"games\" WHERE \"Venue\" LIKE '%Craven Park%'");
    assert_string_equal(sql_of_line(games, "how many games in 1971", "count VA CA").p, "SELECT COUNT(*) FROM \"games\" WHERE (' ' || \"Date\" || ' ') GLOB '*[^0-9]1971[^0-9]*'");
    assert_string_equal(sql_of_line(games, "what was the crowd on june 20", "which CE VA CA").p, "SELECT DISTINCT \"Crowd\" FROM \"games\" WHERE \"Date\" = 'June 20, 1972'");
    assert_string_equal(sql_of_line(games, "how many games in hull or bradford", "count VA CB VB CB or").p,
                        "SELECT COUNT(*) FROM \"games\" WHERE ((\"Venue\" LIKE '%Hull%') OR (\"Venue\" = 'Odsal, Bradford'))");
    assert_string_equal(sql_of_line(games, "which dates besides june 3, 1971", "which CA VA CA !").p, "SELECT DISTINCT \"Date\" FROM \"games\" WHERE \"Date\" <> 'June 3, 1971'");
}

static void slips_of_a_line_are_mended(void **state)
{
    (void)state;
    static const struct { const char *line, *sql; } CASES[] = {
        { "count VA CA", "SELECT COUNT(*) FROM \"games\" WHERE \"Venue\" LIKE '%Craven Park%'" },            /* no date has craven park */
        { "count VA CB", "SELECT COUNT(*) FROM \"games\" WHERE \"Venue\" LIKE '%Craven Park%'" },            /* nothing to mend */
        { "most CB CC", "SELECT \"Venue\" FROM \"games\" GROUP BY \"Venue\" ORDER BY COUNT(*) DESC LIMIT 1" },  /* results are no numbers; venues repeat */
        { "least CA CC VA CB", "SELECT \"Date\" FROM \"games\" WHERE \"Venue\" LIKE '%Craven Park%' ORDER BY rowid LIMIT 1" },
        { "count VB CA VA CB", "SELECT COUNT(*) FROM \"games\" WHERE \"Venue\" LIKE '%Craven Park%'" },      /* 1999 stands nowhere */
    };
    qn_link l;
    qn_link_find(games, QN_STR("how many games at craven park in 1999"), &arena, &l);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        qn_sketch s;
        qn_err e = { 0 };
        qn_buf b = { 0 };
        if (qn_skeleton_mend(&l, qn_str_of(CASES[i].line), &s, &e) != QN_OK) fail_msg("%s: %s", CASES[i].line, e.msg);
        qn_sketch_sql(games, &s, &b);
        assert_string_equal(b.p, CASES[i].sql);
        qn_buf_free(&b);
    }
    qn_sketch s;
    qn_err e = { 0 };
    qn_link odsal;
    qn_link_find(games, QN_STR("how many games at odsal"), &arena, &odsal);
    assert_int_equal(qn_skeleton_read(&odsal, QN_STR("count VA CB"), &s, &e), QN_OK);
    assert_int_equal(qn_sketch_n_rows(games, &s), 1);           /* the cell that is just that */
    assert_int_equal(qn_skeleton_mend(&odsal, QN_STR("count VA CB"), &s, &e), QN_OK);
    assert_int_equal(qn_sketch_n_rows(games, &s), 3);           /* "Odsal, Bradford" too */
    assert_int_equal(qn_skeleton_read(&l, QN_STR("count VA CA"), &s, &e), QN_EDATA);
    assert_int_equal(qn_skeleton_mend(&l, QN_STR("count VC CA"), &s, &e), QN_EDATA);                       /* there is no third value */
    assert_int_equal(qn_skeleton_mend(&l, QN_STR("max CC"), &s, &e), QN_EDATA);                            /* what is the largest of texts? */
}

static sqlite3 *database(void)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE games (\"Date\" TEXT, \"Venue\" TEXT, \"Result\" TEXT, \"Place\" TEXT, \"Crowd\" TEXT)", NULL, NULL, NULL), SQLITE_OK);
    for (int r = 0; r < N_GAMES; r++) {
        sqlite3_stmt *st;
        assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO games VALUES (?, ?, ?, ?, ?)", -1, &st, NULL), SQLITE_OK);
        for (int c = 0; c < N_GAME_COLS; c++) sqlite3_bind_text(st, c + 1, GAMES[r * N_GAME_COLS + c], -1, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(st), SQLITE_DONE);
        sqlite3_finalize(st);
    }
    return db;
}

/* What the sampler counts on the cells is what the database counts by the query: as drawn, and as it comes back through its line. */
static void conditions_mean_the_same_to_the_database(void **state)
{
    (void)state;
    sqlite3 *db = database();
    qn_rng r = qn_rng_seed(11);
    int n = 0, ops[128] = { 0 }, either = 0;
    for (int i = 0; i < 6000; i++) {
        qn_sketch s, back;
        qn_link l;
        qn_err e = { 0 };
        qn_buf q = { 0 }, line = { 0 };
        if (qn_sketch_draw_loose(games, &r, NULL, &s) && s.form == QN_FORM_COUNT) {
            qn_question_loose(games, &s, &r, &q);
            qn_link_find(games, qn_buf_view(&q), &arena, &l);
            bool linked = qn_skeleton_write(&l, &s, &line) && qn_skeleton_read(&l, qn_buf_view(&line), &back, &e) == QN_OK;
            for (int k = 0; k < (linked ? 2 : 1); k++) {
                qn_buf sql = { 0 };
                sqlite3_stmt *st;
                qn_sketch_sql(games, k ? &back : &s, &sql);
                if (sqlite3_prepare_v2(db, sql.p, -1, &st, NULL) != SQLITE_OK) fail_msg("%s: %s", sql.p, sqlite3_errmsg(db));
                assert_int_equal(sqlite3_step(st), SQLITE_ROW);
                if ((size_t)sqlite3_column_int64(st, 0) != qn_sketch_n_rows(games, &s)) fail_msg("%s | %s | %s: %lld rows, %zu on the cells", q.p, line.p, sql.p, (long long)sqlite3_column_int64(st, 0), qn_sketch_n_rows(games, &s));
                sqlite3_finalize(st);
                qn_buf_free(&sql);
            }
            for (int k = 0; k < s.n_conds; k++) ops[(int)s.conds[k].op]++;
            either += s.either;
            n += linked;
        }
        qn_buf_free(&q);
        qn_buf_free(&line);
    }
    sqlite3_close(db);
    assert_true(n > 500 && either > 20);
    for (const char *op = "=!~<>lgb"; *op; op++) if (ops[(int)*op] < 5) fail_msg("%d conditions `%c`", ops[(int)*op], *op);
}

static void what_is_drawn_comes_back_through_its_line(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(3);
    int n = 0, linked = 0, forms[QN_N_FORMS] = { 0 }, n_forms = 0;
    for (int i = 0; i < 3000; i++) {
        qn_sketch s, back;
        qn_buf q = { 0 }, line = { 0 }, sql = { 0 }, again = { 0 };
        qn_err e = { 0 };
        qn_link l;
        if (qn_sketch_draw_loose(view, &r, NULL, &s)) {
            n++;
            qn_question_loose(view, &s, &r, &q);
            qn_link_find(view, qn_buf_view(&q), &arena, &l);
            if (qn_skeleton_write(&l, &s, &line)) {
                linked++;
                forms[s.form]++;
                if (qn_skeleton_read(&l, qn_buf_view(&line), &back, &e) != QN_OK) fail_msg("%s | %s: %s", q.p, line.p, e.msg);
                qn_buf two = { 0 };
                assert_true(qn_skeleton_write(&l, &back, &two));
                assert_string_equal(two.p, line.p);
                qn_buf_free(&two);
            }
        }
        qn_buf_free(&q); qn_buf_free(&line); qn_buf_free(&sql); qn_buf_free(&again);
    }
    for (int f = 0; f < QN_N_FORMS; f++) n_forms += forms[f] > 0;
    assert_true(n > 2900);
    assert_true(linked > n * 9 / 10);
    assert_true(n_forms >= 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_the_table_are_marked), cmocka_unit_test(skeletons_become_sql), cmocka_unit_test(broken_lines_are_told),
        cmocka_unit_test(texts_are_ordered_by_the_number_in_them), cmocka_unit_test(words_that_several_cells_have_are_conditions), cmocka_unit_test(conditions_mean_the_same_to_the_database), cmocka_unit_test(slips_of_a_line_are_mended),
        cmocka_unit_test(what_is_drawn_comes_back_through_its_line),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
