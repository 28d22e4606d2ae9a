/* The linker and skeletons: cells, numbers, columns and parts of cells are found; what is drawn comes back through its line of marks; broken lines are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "builtin/question_loose.h"
#include "builtin/table_link.h"
#include "core/mem.h"

static qn_arena arena;
static qn_table_view *view;

static int make(void **state)
{
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
        { "what country is Carl Gauss from", "which CB VA CA", "SELECT \"Country\" FROM \"people\" WHERE \"Name\" = 'Carl Gauss'" },
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
        cmocka_unit_test(what_is_drawn_comes_back_through_its_line),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
