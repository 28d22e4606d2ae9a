/* Arithmetic in texts: what is a sum is worked out, what is none is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "text/calc.h"

static void sums_are_worked_out_or_refused(void **state)
{
    (void)state;
    const char *why;
    double x;
    static const struct { const char *text; double value; } good[] = {
        { "1 + 2 * 3", 7 }, { "(1 + 2) * 3", 9 }, { "-4 - -2", -2 }, { "1,200.50 / 2", 600.25 }, { "15% * 200", 30 }, { "2 x 3", 6 }, { "$12 / 60", 0.2 }, { "y1 * 2", 10 },
        { "8 / 2 / 2", 2 }, { "((((1))))", 1 },
    };
    static const char *const bad[] = { "", "1 +", "1 / 0", "(1", "y2", "1 2", "__import__", "1e999", "2 ** 3", "1,2,3 + 1" };
    qn_calc_name y = { QN_STR("y1"), 5 };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(qn_calc(qn_str_of(good[i].text), &y, 1, &x, &why));
        assert_float_equal(x, good[i].value, 1e-12);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(qn_calc(qn_str_of(bad[i]), &y, 1, &x, &why));
    char deep[400];
    memset(deep, '(', 399);
    deep[399] = 0;
    assert_false(qn_calc(qn_str_of(deep), NULL, 0, &x, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sums_are_worked_out_or_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
