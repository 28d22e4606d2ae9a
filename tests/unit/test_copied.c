/* Copied runs against a plain search; the number an answer ends in. */
#include "core/rng.h"
#include "text/copied.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

static void the_longest_run_is_found_with_its_place(void **state)
{
    (void)state;
    qn_copied c;
    static const char text[] = "He wrote: The OLD mill, grinds corn! And more.";
    qn_copied_of(qn_str_of(text), QN_STR("In winter the old mill grinds corn for all, the old mill."), &c);
    assert_int_equal(c.longest, 5);
    assert_memory_equal(text + c.from, "The OLD mill, grinds corn", c.to - c.from);
    assert_float_equal(c.share, 0, 0);
    qn_copied_of(QN_STR("a b c d e f g h i x"), QN_STR("a b c d e f g h i"), &c);
    assert_float_equal(c.share, 0.9, 1e-12);
    qn_copied_of(QN_STR(""), QN_STR("a"), &c);
    assert_int_equal(c.longest, 0);
}

/* Words are single letters: the longest common substring of two random strings, by trying all. */
static void runs_equal_a_plain_search(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(3);
    for (int round = 0; round < 300; round++) {
        char a[64], b[64], x[130], y[130];
        size_t n = 1 + qn_rng_below(&r, 30), m = 1 + qn_rng_below(&r, 30), best = 0, kinds = 2 + qn_rng_below(&r, 3);
        for (size_t i = 0; i < n; i++) { a[i] = (char)('a' + qn_rng_below(&r, kinds)); x[2 * i] = a[i]; x[2 * i + 1] = ' '; }
        for (size_t i = 0; i < m; i++) { b[i] = (char)('a' + qn_rng_below(&r, kinds)); y[2 * i] = b[i]; y[2 * i + 1] = ' '; }
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < m; j++) {
                size_t k = 0;
                while (i + k < n && j + k < m && a[i + k] == b[j + k]) k++;
                if (k > best) best = k;
            }
        qn_copied c;
        qn_copied_of((qn_str){ x, 2 * n }, (qn_str){ y, 2 * m }, &c);
        assert_int_equal(c.longest, best);
    }
}

static void the_final_number_is_read_as_people_write_it(void **state)
{
    (void)state;
    static const struct { const char *text; bool found; double want; } known[] = {
        { "So 48 / 2 = 24 clips. #### 72", true, 72 }, { "Thus \\boxed{3/4}.", true, 0.75 }, { "The answer is -1,250.5 euros, from 3 sacks.", true, -1250.5 }, { "5-3 is 2.", true, 2 }, { "It costs $18.", true, 18 },
        { "In 1,644 days", true, 1644 }, { "route66", false, 0 }, { "no number", false, 0 }, { "x = 10, 20, 30", true, 30 }, { "It is 75%.", true, 75 }, { "", false, 0 }, { "#### none, but 7", true, 7 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double x = 0;
        bool found = qn_final_number(qn_str_of(known[i].text), &x);
        if (found != known[i].found || (found && x != known[i].want)) print_message("  row %zu: got %g\n", i, x);
        assert_int_equal(found, known[i].found);
        if (found) assert_float_equal(x, known[i].want, 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_run_is_found_with_its_place),
        cmocka_unit_test(runs_equal_a_plain_search),
        cmocka_unit_test(the_final_number_is_read_as_people_write_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
