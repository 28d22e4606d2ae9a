/* Measures of answers, samples and rankings against values worked out by hand or known from the papers' scorers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/mem.h"
#include "text/bootstrap.h"
#include "text/score.h"
#include <math.h>

#define S(z) qn_str_of(z)
static void near_to(double got, double want) { if (fabs(got - want) > 1e-9) fail_msg("%.12f, wanted %.12f", got, want); }

static void normal_forms(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "The  Cat!", "cat" }, { "an apple a day", "apple day" }, { "$1,000.50", "1000.5" }, { "1,000", "1000" }, { "3.0", "3" }, { "12%", "12" },
        { "(1998)", "1998" }, { "-0.0", "0" }, { "don't", "dont" }, { "U.S.A.", "usa" }, { "1,23", "123" }, { "12,345,67", "1234567" },
        { "Jan \xe2\x80\x93 Piet", "jan piet" }, { "\xe2\x80\x9cquoted\xe2\x80\x9d", "quoted" }, { "\xc3\x89TUDE", "\xc3\xa9tude" }, { "", "" }, { "the", "" },
        { "3-2", "32" }, { "2012-05-03", "20120503" }, { "\xe2\x88\x92" "5", "-5" }, { "1.2.3", "123" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        qn_buf b = { 0 };
        qn_score_normal(S(pairs[i][0]), &b);
        if (!qn_str_is(qn_buf_view(&b), pairs[i][1])) fail_msg("`%s` became `%.*s`, wanted `%s`", pairs[i][0], (int)b.n, b.n ? b.p : "", pairs[i][1]);
        qn_buf_free(&b);
    }
}

static void exact_and_soft(void **state)
{
    (void)state;
    assert_true(qn_score_exact(S("The Eiffel Tower."), S("eiffel tower")));
    assert_true(qn_score_exact(S("1,000"), S("1000.0")));
    assert_false(qn_score_exact(S("1000"), S("1001")));
    assert_true(qn_score_soft(S("Paris"), S("It is Paris, of course.")));
    assert_false(qn_score_soft(S("art"), S("a party")));            /* words, not letters */
    assert_false(qn_score_soft(S("New York City"), S("New York")));
    assert_false(qn_score_soft(S("the"), S("the")));
    qn_str a[] = { S("2"), S("Jan"), S("Piet") }, b[] = { S("piet"), S("2.0"), S("jan") }, c[] = { S("jan"), S("jan"), S("2") };
    assert_true(qn_score_set(a, 3, b, 3));
    assert_false(qn_score_set(a, 3, c, 3));
    assert_false(qn_score_set(a, 3, b, 2));
}

static void f1_and_rouge(void **state)
{
    (void)state;
    near_to(qn_score_f1(S("Denver Broncos"), S("the Denver Broncos team")), 0.8);      /* p 2/3, r 1 */
    near_to(qn_score_f1(S("a b b c"), S("b b b")), 2.0 * (2.0 / 3) * (2.0 / 3) / (4.0 / 3));   /* a is an article */
    near_to(qn_score_f1(S("x"), S("y")), 0);
    near_to(qn_score_f1(S("the"), S("")), 1);
    near_to(qn_score_f1(S("x"), S("")), 0);
    near_to(qn_score_rouge_l(S("police killed the gunman"), S("police kill the gunman")), 0.75);       /* Lin 2004: 3 of 4 words in order */
    near_to(qn_score_rouge_l(S("police killed the gunman"), S("the gunman kill police")), 0.5);
    near_to(qn_score_rouge_l(S(""), S("x")), 0);
}

static void samples_and_rankings(void **state)
{
    (void)state;
    near_to(qn_pass_at(10, 3, 1), 0.3);
    near_to(qn_pass_at(5, 2, 2), 1 - 3.0 / 10);                     /* C(3,2) / C(5,2) */
    near_to(qn_pass_at(5, 0, 5), 0);
    near_to(qn_pass_at(5, 1, 5), 1);
    assert_true(isnan(qn_pass_at(3, 1, 4)));
    double gain[] = { 3, 2, 3, 0, 1, 2 }, ideal[] = { 3, 3, 3, 2, 2, 2, 1 };
    near_to(qn_ndcg_at(gain, 6, ideal, 7, 6), 6.861126688593501 / 8.740262365546283);      /* a textbook's example */
    near_to(qn_ndcg_at(gain, 6, ideal, 0, 6), 0);
    double one[] = { 0, 0, 1, 1 }, best[] = { 1, 1, 1 };
    near_to(qn_ndcg_at(one, 4, best, 1, 10), 0.5 + 1 / log2(5));
    near_to(qn_mrr_at(one, 4, 10), 1.0 / 3);
    near_to(qn_mrr_at(one, 4, 2), 0);
    near_to(qn_recall_at(one, 4, 3, 10), 2.0 / 3);
    near_to(qn_recall_at(one, 4, 3, 3), 1.0 / 3);
}

/* Of 400 rows with 100 right: the normal interval is 0.25 +- 1.96 sqrt(0.25 * 0.75 / 400) = 0.0424. */
static void intervals_are_as_wide_as_they_should_be(void **state)
{
    (void)state;
    qn_unit x[400], y[400], z[400], tables[40];
    for (int i = 0; i < 400; i++) {
        x[i] = (qn_unit){ i % 4 == 0, 1 };
        y[i] = (qn_unit){ i % 4 == 0 && i % 8, 1 };                 /* wrong on half of those */
        z[i] = (qn_unit){ i % 4 == 1, 1 };                          /* as good, on other rows */
    }
    qn_interval m = qn_bootstrap_mean(x, 400, 4000, 0.95, 1), again = qn_bootstrap_mean(x, 400, 4000, 0.95, 1);
    near_to(m.value, 0.25);
    assert_true(fabs(m.low - (0.25 - 0.0424)) < 0.006 && fabs(m.high - (0.25 + 0.0424)) < 0.006);
    near_to(m.low, again.low);
    qn_interval d = qn_bootstrap_diff(x, y, 400, 4000, 0.95, 2);
    near_to(d.value, 0.125);
    assert_true(d.low > 0.08 && d.high < 0.17);                     /* paired: far narrower than two means apart */
    assert_true(qn_swap_test(x, y, 400, 2000, 3) < 0.001);
    d = qn_bootstrap_diff(x, z, 400, 4000, 0.95, 2);
    assert_true(d.low < 0 && d.high > 0);
    assert_true(qn_swap_test(x, z, 400, 2000, 3) > 0.5);
    for (int i = 0; i < 40; i++) tables[i] = (qn_unit){ i % 4 == 0 ? 10 : 0, 10 };     /* the same rows, right or wrong by tables */
    qn_interval t = qn_bootstrap_mean(tables, 40, 4000, 0.95, 1);
    near_to(t.value, 0.25);
    assert_true(t.high - t.low > 2.5 * (m.high - m.low));
    assert_true(isnan(qn_bootstrap_mean(x, 0, 100, 0.95, 1).value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_forms),
        cmocka_unit_test(exact_and_soft),
        cmocka_unit_test(f1_and_rouge),
        cmocka_unit_test(samples_and_rankings),
        cmocka_unit_test(intervals_are_as_wide_as_they_should_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
