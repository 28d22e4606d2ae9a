/* Questions from clauses: who, what and when are asked for as people do; a clause that cannot be understood is not asked about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "builtin/passage_query.h"

/* All questions that many draws give, a line each. */
static const char *asked(const char *title, const char *passage)
{
    static qn_buf all;
    qn_buf b = { 0 };
    qn_buf_clear(&all);
    for (uint64_t seed = 0; seed < 300; seed++) {
        qn_rng r = qn_rng_seed(seed);
        qn_buf_clear(&b);
        if (qn_passage_query(qn_str_of(title), qn_str_of(passage), QN_QUERY_QUESTION, 0, &r, &b)) { qn_buf_str(&all, qn_buf_view(&b)); qn_buf_putc(&all, '\n'); }
    }
    qn_buf_free(&b);
    qn_buf_putc(&all, 0);
    return all.p;
}
#define ASKS(title, passage, question) do { const char *a_ = asked(title, passage); if (!strstr(a_, question)) fail_msg("`%s` is not among:\n%s", question, a_); } while (0)
#define NEVER(title, passage, words) do { const char *a_ = asked(title, passage); if (strstr(a_, words)) fail_msg("`%s` is among:\n%s", words, a_); } while (0)

static void asks_for_subject_time_place_and_number(void **state)
{
    (void)state;
    const char *p = "Braque defended the young painters in a newspaper in 1912.";
    ASKS("", p, "who defended the young painters");
    ASKS("", p, "when did Braque defend the young painters");
    ASKS("", "The mill was built by Dutch settlers in 1848.", "what was built by Dutch settlers");
    ASKS("", "The mill was built by Dutch settlers in 1848.", "in what year was the mill built");
    ASKS("", "The poet moved to Lisbon after the war.", "where did the poet move");
    ASKS("", "The league has 20 member clubs today.", "how many member clubs");
}

static void a_pronoun_stands_for_the_title(void **state)
{
    (void)state;
    ASKS("Swansea Mill", "It was sold to a rival company in 1931.", "when was Swansea Mill sold to a rival company");
    NEVER("", "It was sold to a rival company in 1931.", " it ");
}

static void what_is_not_understood_is_not_asked_about(void **state)
{
    (void)state;
    assert_string_equal(asked("", "Windmills of the northern provinces, old and new, in rain and sun."), "");      /* no verb */
    assert_string_equal(asked("", ", which greatly strengthened the eastern provinces of the kingdom."), "");       /* no subject */
    NEVER("", "The mill was built by Dutch settlers in 1848.", " the?");
    NEVER("", "The mill was built by Dutch settlers in 1848.", "built by settlers");                               /* half of what is asked for */
    NEVER("", "The mill was built by Dutch settlers in 1848.", "year was the mill built by Dutch settlers in 1848");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_subject_time_place_and_number),
        cmocka_unit_test(a_pronoun_stands_for_the_title),
        cmocka_unit_test(what_is_not_understood_is_not_asked_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
