/* C4 rules, readability and repetition on texts whose numbers are known. */
#include "text/c4.h"
#include "text/readability.h"
#include "text/repetition.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void c4_keeps_whole_sentences_and_cuts_the_rest(void **state)
{
    (void)state;
    double v[QN_C4_N];
    qn_buf clean = {0};
    qn_c4(QN_STR("Home | About | Contact\nThe mill grinds corn.[3] It is old [edit] and slow.\nToo short.\n"
                 "Please enable JavaScript to read this page.\nWe use cookies on this mill.\nShe said \"come to the mill.\"\nAnd so on it goes...\n"),
          QN_C4_RULES, v, &clean);
    assert_string_equal(clean.p, "The mill grinds corn. It is old  and slow.\nShe said \"come to the mill.\"");
    assert_float_equal(v[QN_C4_SENTENCES], 3, 0);
    assert_float_equal(v[QN_C4_KEPT_LINES], 2.0 / 7, 1e-12);
    qn_buf_free(&clean);
}

static void c4_counts_lorem_ipsum_brackets_and_long_words(void **state)
{
    (void)state;
    double v[QN_C4_N];
    qn_breach b;
    qn_c4(QN_STR("Lorem Ipsum dolor sit amet.\nint main() { return 0; }\n"), QN_C4_RULES, v, NULL);
    assert_float_equal(v[QN_C4_LOREM_IPSUM], 1, 0);
    assert_float_equal(v[QN_C4_CURLY_BRACKETS], 2, 0);
    assert_true(qn_limits_broken(QN_C4_MEASURES, v, QN_C4_N, &b));
    assert_string_equal(b.measure, "sentences");
    char line[1400];
    memset(line, 'x', sizeof line);
    memcpy(line, "one two ", 8);
    line[sizeof line - 1] = '.';
    qn_c4((qn_str){ line, sizeof line }, QN_C4_RULES, v, NULL);
    assert_float_equal(v[QN_C4_SENTENCES], 0, 0);
}

static void c4_counts_sentences_not_full_stops(void **state)
{
    (void)state;
    double v[QN_C4_N];
    qn_c4(QN_STR("In 1999 J. Smith paid 3.5 million for it. Why? Nobody knows!\n"), QN_C4_RULES, v, NULL);
    assert_float_equal(v[QN_C4_SENTENCES], 3, 0);
}

static void syllables_of_common_words(void **state)
{
    (void)state;
    static const struct { const char *word; size_t n; } known[] = {
        { "mill", 1 }, { "make", 1 }, { "table", 2 }, { "water", 2 }, { "nation", 2 }, { "radio", 3 }, { "beautiful", 3 }, { "walked", 1 },
        { "wanted", 2 }, { "the", 1 }, { "readability", 5 }, { "a", 1 }, { "information", 4 }, { "rhythm", 1 }, { "17", 1 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) assert_int_equal(qn_syllables(qn_str_of(known[i].word)), known[i].n);
}

static void formulas_match_a_text_counted_by_hand(void **state)
{
    (void)state;
    qn_readability r;
    qn_readability_of(QN_STR("The cat sat on the mat. It was a beautiful morning."), &r);
    assert_int_equal(r.n_sentences, 2);
    assert_int_equal(r.n_words, 11);
    assert_int_equal(r.n_syllables, 14);    /* 6 + (1 1 1 3 2) */
    assert_int_equal(r.n_letters, 39);
    assert_int_equal(r.n_hard_words, 1);
    assert_int_equal(r.n_long_words, 2);
    assert_float_equal(r.flesch, 206.835 - 1.015 * 5.5 - 84.6 * 14 / 11, 1e-9);
    assert_float_equal(r.grade, 0.39 * 5.5 + 11.8 * 14 / 11 - 15.59, 1e-9);
    assert_float_equal(r.lix, 5.5 + 200.0 / 11, 1e-9);
    qn_readability_of(QN_STR("..."), &r);
    assert_int_equal(r.n_words, 0);
    assert_true(isnan(r.flesch));
}

static void harder_prose_scores_harder(void **state)
{
    (void)state;
    qn_readability easy, hard;
    qn_readability_of(QN_STR("We went to the mill. The wheel was big. It made a loud noise and the dog ran off."), &easy);
    qn_readability_of(QN_STR("Notwithstanding considerable methodological heterogeneity, the aforementioned investigations consistently demonstrate "
                             "statistically significant associations between institutional accountability and administrative performance."), &hard);
    assert_true(easy.flesch > hard.flesch + 50 && hard.grade > easy.grade + 10 && hard.lix > easy.lix + 30);
}

static void loops_are_found_with_their_phrase(void **state)
{
    (void)state;
    qn_page p = {0};
    qn_repetition r;
    qn_repetition_of(QN_STR("The answer is as follows: I do not know. I do not know. I do not know. I do not know. I do"), &p, &r);
    assert_int_equal(r.loop_words, 4);
    assert_int_equal(r.loop_times, 4);
    assert_true(r.ends_in_loop);
    assert_float_equal(r.loop_share, 18.0 / 23, 1e-12);
    qn_repetition_of(QN_STR("no no no, said the miller, and went on to grind the corn"), &p, &r);
    assert_int_equal(r.loop_times, 3);
    assert_false(r.ends_in_loop);
    qn_repetition_of(QN_STR("to be or not to be, that is the question"), &p, &r);
    assert_int_equal(r.loop_times, 1);
    assert_float_equal(r.loop_share, 0, 0);
    qn_repetition_of(QN_STR("a b a b a b ======"), &p, &r);
    assert_float_equal(r.distinct_2, 2.0 / 5, 1e-12);
    assert_int_equal(r.longest_run, 6);
    qn_page_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c4_keeps_whole_sentences_and_cuts_the_rest),
        cmocka_unit_test(c4_counts_lorem_ipsum_brackets_and_long_words),
        cmocka_unit_test(c4_counts_sentences_not_full_stops),
        cmocka_unit_test(syllables_of_common_words),
        cmocka_unit_test(formulas_match_a_text_counted_by_hand),
        cmocka_unit_test(harder_prose_scores_harder),
        cmocka_unit_test(loops_are_found_with_their_phrase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
