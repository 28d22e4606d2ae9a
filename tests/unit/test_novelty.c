/* Longest common subsequence, ROUGE-L, the nearest of a pool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "core/mem.h"
#include "core/rng.h"
#include "text/lcs.h"
#include "text/novelty.h"

static void bits_and_table_agree_on_every_length(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(1);
    qn_lcs p = { 0 };
    for (int round = 0; round < 3000; round++) {
        uint32_t a[300], b[300];
        size_t n_a = qn_rng_below(&r, round % 4 ? 70 : 300), n_b = qn_rng_below(&r, round % 4 ? 70 : 300);
        uint32_t vocabulary = 1 + (uint32_t)qn_rng_below(&r, round % 3 ? 20 : 3000);
        for (size_t i = 0; i < n_a; i++) a[i] = (uint32_t)qn_rng_below(&r, vocabulary);
        for (size_t i = 0; i < n_b; i++) b[i] = (uint32_t)qn_rng_below(&r, vocabulary);
        qn_lcs_set(&p, a, n_a, vocabulary);
        assert_int_equal(qn_lcs_len(&p, b, n_b), qn_lcs_len_ref(a, n_a, b, n_b));
    }
    uint32_t same[64];
    for (uint32_t i = 0; i < 64; i++) same[i] = i / 2;
    qn_lcs_set(&p, same, 64, 32);
    assert_int_equal(qn_lcs_len(&p, same, 64), 64);
    qn_lcs_free(&p);
}

/* Values made with rouge-score 0.1.2: RougeScorer(['rougeL']).score(a, b)['rougeL'].fmeasure. */
static void values_are_those_of_the_rouge_score_package(void **state)
{
    (void)state;
    static const struct { const char *a, *b; double f; } cases[] = {
#include "rouge_values.inc"
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        qn_novelty *p = qn_novelty_new(QN_WORDS_ROUGE);
        double f = -1;
        qn_novelty_add(p, qn_str_of(cases[i].b));
        qn_novelty_each(p, qn_str_of(cases[i].a), &f);
        if (f != cases[i].f) print_message("case %zu: %.17g, package %.17g\n", i, f, cases[i].f);
        assert_true(f == cases[i].f);
        qn_novelty_free(p);
    }
}

static void random_text(qn_rng *r, char *out)
{
    static const char *const words[] = { "write", "a", "the", "poem", "about", "grain", "mills", "that", "grind", "list", "of", "ten", "rivers", "in", "for", "me" };
    size_t n = qn_rng_below(r, 30), at = 0;
    out[0] = 0;
    for (size_t i = 0; i < n; i++) {
        if (qn_rng_below(r, 3)) at += (size_t)sprintf(out + at, "%s ", words[qn_rng_below(r, 16)]);
        else at += (size_t)sprintf(out + at, "w%d ", (int)qn_rng_below(r, 200));
    }
}

static void pruning_never_changes_the_nearest(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(4);
    qn_novelty *p = qn_novelty_new(QN_WORDS_ROUGE);
    double *all = QN_NEW_N(double, 800);
    for (size_t i = 0; i < 800; i++) {
        char text[600];
        random_text(&r, text);
        qn_nearest_text exact = qn_novelty_nearest(p, qn_str_of(text), 0), floored = qn_novelty_nearest(p, qn_str_of(text), 0.6);
        qn_novelty_each(p, qn_str_of(text), all);
        double best = 0;
        size_t index = 0;
        for (size_t t = 0; t < i; t++)
            if (all[t] > best) best = all[t], index = t;
        assert_int_equal(exact.found, best > 0);
        if (best > 0) {
            assert_true(exact.f == best);
            assert_int_equal(exact.index, index);
        }
        if (best >= 0.6) {
            assert_true(floored.f == best);
            assert_int_equal(floored.index, index);
        } else {
            assert_true(!floored.found || floored.f < 0.6);
        }
        qn_novelty_add(p, qn_str_of(text));
    }
    assert_int_equal(qn_novelty_size(p), 800);
    assert_true(qn_novelty_bytes(p) > 800 * 20);
    qn_free(all);
    qn_novelty_free(p);
}

static void texts_without_words_are_near_to_nothing(void **state)
{
    (void)state;
    qn_novelty *p = qn_novelty_new(QN_WORDS_ROUGE);
    assert_false(qn_novelty_nearest(p, QN_STR("a"), 0).found);
    qn_novelty_add(p, QN_STR(""));
    qn_novelty_add(p, QN_STR("?!"));
    assert_false(qn_novelty_nearest(p, QN_STR(""), 0).found);
    assert_false(qn_novelty_nearest(p, QN_STR("a word"), 0).found);
    qn_novelty_add(p, QN_STR("A WORD."));
    qn_nearest_text n = qn_novelty_nearest(p, QN_STR("a word"), 0);
    assert_true(n.found);
    assert_int_equal(n.index, 2);
    assert_float_equal(n.f, 1, 0);
    qn_novelty_free(p);
}

static void plain_words_compare_other_scripts(void **state)
{
    (void)state;
    qn_novelty *p = qn_novelty_new(QN_WORDS_PLAIN);
    qn_novelty_add(p, QN_STR("\xD0\xBC\xD0\xB5\xD0\xBB\xD0\xB8 \xD0\xB7\xD0\xB5\xD1\x80\xD0\xBD\xD0\xBE"));
    assert_float_equal(qn_novelty_nearest(p, QN_STR("\xD0\x9C\xD0\xB5\xD0\xBB\xD0\xB8!"), 0).f, 2.0 / 3, 1e-12);
    qn_novelty_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_and_table_agree_on_every_length),
        cmocka_unit_test(values_are_those_of_the_rouge_score_package),
        cmocka_unit_test(pruning_never_changes_the_nearest),
        cmocka_unit_test(texts_without_words_are_near_to_nothing),
        cmocka_unit_test(plain_words_compare_other_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
