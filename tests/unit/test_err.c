/* errors: what the trail of an error holds when it grows past its room. */
#include "core/err.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void a_trail_begins_with_the_word_put_on_last(void **state)
{
    (void)state;
    qn_err e = {0};
    qn_fail(&e, QN_EDATA, "x");
    qn_trail(&e, "step %d", 3);
    qn_trail(&e, "run");
    assert_string_equal(e.trail, "run > step 3");
    qn_trail(NULL, "nobody wants it");
}

static void a_trail_that_is_full_loses_its_end_and_no_half_letter(void **state)
{
    (void)state;
    for (size_t n = 0; n < 8; n++) {            /* every place that a letter of two bytes can be cut at */
        qn_err e = {0};
        char word[16] = "aaaaaaaa";
        word[n] = 0;
        qn_trail(&e, "%s", "äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü");
        for (int i = 0; i < 4; i++) qn_trail(&e, "%s", word[0] ? word : "b");
        assert_true(strlen(e.trail) < sizeof e.trail);
        assert_true(qn_utf8_valid(qn_str_of(e.trail)));
        assert_true(strncmp(e.trail, word[0] ? word : "b", strlen(word[0] ? word : "b")) == 0);
        assert_true(strlen(e.trail) >= sizeof e.trail - 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trail_begins_with_the_word_put_on_last),
        cmocka_unit_test(a_trail_that_is_full_loses_its_end_and_no_half_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
