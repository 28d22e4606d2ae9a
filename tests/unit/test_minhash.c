/* Shingles, signatures, Jaccard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include "core/mem.h"
#include "text/minhash.h"
#include "text/shingles.h"

static void shingles_of(const char *text, int k, qn_shingles *s) { qn_shingles_words(qn_str_of(text), QN_WORDS_SPACED, k, s); }

static void equal_runs_have_equal_shingles_wherever_they_stand(void **state)
{
    (void)state;
    qn_shingles a = { 0 }, b = { 0 };
    shingles_of("one two three four five six", 3, &a);
    shingles_of("zero ONE  two\nthree four", 3, &b);
    assert_int_equal(a.n, 4);
    assert_int_equal(b.n, 3);
    assert_int_equal(a.v[0], b.v[1]);
    assert_int_equal(a.v[1], b.v[2]);
    assert_int_not_equal(a.v[2], b.v[2]);
    shingles_of("two one", 2, &a);
    shingles_of("one two", 2, &b);
    assert_int_not_equal(a.v[0], b.v[0]);
    qn_shingles_free(&a);
    qn_shingles_free(&b);
}

static void fast_shingles_equal_the_plain_reference(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(6);
    qn_shingles fast = { 0 }, plain = { 0 };
    for (int round = 0; round < 2000; round++) {
        char text[600];
        size_t n = qn_rng_below(&r, sizeof text);
        for (size_t i = 0; i < n; i++) text[i] = (char)(qn_rng_below(&r, 5) ? 'A' + qn_rng_below(&r, 50) : ' ');
        int k = 1 + (int)qn_rng_below(&r, 12);
        qn_shingles_words((qn_str){ text, n }, QN_WORDS_SPACED, k, &fast);
        qn_shingles_words_ref((qn_str){ text, n }, QN_WORDS_SPACED, k, &plain);
        assert_int_equal(fast.n, plain.n);
        if (fast.n) assert_memory_equal(fast.v, plain.v, fast.n * sizeof *fast.v);
    }
    qn_shingles_free(&fast);
    qn_shingles_free(&plain);
}

static void short_texts_are_one_shingle_and_empty_ones_none(void **state)
{
    (void)state;
    qn_shingles a = { 0 }, b = { 0 };
    shingles_of("two words", 5, &a);
    shingles_of("two words more", 5, &b);
    assert_int_equal(a.n, 1);
    assert_int_equal(b.n, 1);
    assert_int_not_equal(a.v[0], b.v[0]);
    shingles_of(" \n", 5, &a);
    assert_int_equal(a.n, 0);
    assert_float_equal(qn_jaccard(a.v, a.n, b.v, b.n), 0, 0);
    qn_shingles_free(&a);
    qn_shingles_free(&b);
}

static void character_shingles_squeeze_space_and_fold_case(void **state)
{
    (void)state;
    qn_shingles a = { 0 }, b = { 0 };
    qn_shingles_chars(QN_STR("  \xC3\x89t\xC3\xA9  of '76 "), 4, &a);
    qn_shingles_chars(QN_STR("\xC3\xA9t\xC3\xA9 OF\n'76"), 4, &b);
    assert_int_equal(a.n, 10 - 4 + 1);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.v, b.v, a.n * sizeof *a.v);
    qn_shingles_free(&a);
    qn_shingles_free(&b);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void sorting_gives_the_same_set_as_qsort(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(1);
    for (int round = 0; round < 400; round++) {
        size_t n = qn_rng_below(&r, round < 300 ? 300 : 5000), kept = 0;
        uint32_t *v = QN_NEW_N(uint32_t, n + 1), *w;
        uint64_t range = round % 3 == 0 ? 50 : round % 3 == 1 ? 100000 : 1ull << 32;
        for (size_t i = 0; i < n; i++) v[i] = (uint32_t)qn_rng_below(&r, range);
        w = qn_memdup(v, (n + 1) * sizeof *v);
        qsort(w, n, sizeof *w, by_value);
        for (size_t i = 0; i < n; i++) if (!kept || w[kept - 1] != w[i]) w[kept++] = w[i];
        assert_int_equal(qn_u32_sort_set(v, n), kept);
        assert_memory_equal(v, w, kept * sizeof *v);
        qn_free(v);
        qn_free(w);
    }
}

static void jaccard_counts_what_two_sets_share(void **state)
{
    (void)state;
    uint32_t a[] = { 1, 3, 5, 7 }, b[] = { 3, 4, 7 };
    assert_float_equal(qn_jaccard(a, 4, b, 3), 2.0 / 5, 0);
    assert_float_equal(qn_jaccard(a, 4, a, 4), 1, 0);
    assert_float_equal(qn_jaccard(a, 0, a, 0), 0, 0);
}

static void a_set_without_order_counts_as_sorted_ones_do(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(4);
    qn_hash_set set = { 0 };
    for (int round = 0; round < 500; round++) {
        uint32_t a[600], b[600];
        size_t n = qn_rng_below(&r, round % 5 ? 300 : 600), m = qn_rng_below(&r, 600);
        uint64_t range = round % 2 ? 400 : 1u << 30;            /* many repeats; hardly any */
        for (size_t i = 0; i < n; i++) a[i] = 1 + (uint32_t)qn_rng_below(&r, range) * (round % 3 ? 1 : 2654435761u);
        for (size_t i = 0; i < m; i++) b[i] = n && qn_rng_below(&r, 3) ? a[qn_rng_below(&r, n)] : 1 + (uint32_t)qn_rng_below(&r, range);
        qn_hash_set_fill(&set, a, n);
        double first = qn_hash_set_jaccard(&set, b, m), again = qn_hash_set_jaccard(&set, b, m);
        n = qn_u32_sort_set(a, n);
        m = qn_u32_sort_set(b, m);
        assert_float_equal(first, qn_jaccard(a, n, b, m), 0);
        assert_float_equal(again, first, 0);
    }
    qn_hash_set_free(&set);
}

static void fast_signatures_equal_the_plain_reference(void **state)
{
    (void)state;
    static const char *const names[] = { "plain", "AVX2", "AVX-512" };
    print_message("this machine has the paths up to %s\n", names[qn_minhash_best()]);
    qn_rng r = qn_rng_seed(5);
    static const int sizes[] = { 1, 7, 32, 33, 64, 96, 128, 256, 1024 };
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        qn_minhash m = qn_minhash_new(sizes[k], k);
        for (size_t n = 0; n < 70; n++) {
            uint32_t x[70], fast[1024], plain[1024];
            for (size_t i = 0; i < n; i++) x[i] = (uint32_t)qn_rng_next(&r);
            qn_minhash_sign_ref(&m, x, n, plain);
            for (int path = QN_MINHASH_PLAIN; path <= (int)qn_minhash_best(); path++) {
                memset(fast, 0, sizeof fast);
                qn_minhash_sign_by((qn_minhash_path)path, &m, x, n, fast);
                assert_memory_equal(fast, plain, (size_t)sizes[k] * sizeof *fast);
            }
        }
        qn_minhash_free(&m);
    }
}

/* Mean and spread of the estimate over many pairs of sets with a known similarity are those of 128 independent hashes. */
static void estimates_have_the_mean_and_spread_of_theory(void **state)
{
    (void)state;
    enum { N = 128, SIZE = 200, PAIRS = 600 };
    qn_rng r = qn_rng_seed(9);
    static const int shared[] = { 40, 120, 165, 180 };
    for (size_t k = 0; k < 4; k++) {
        double j = (double)shared[k] / (2 * SIZE - shared[k]), sum = 0, squares = 0;
        for (int p = 0; p < PAIRS; p++) {
            uint32_t a[SIZE], b[SIZE], sa[N], sb[N];
            qn_minhash m = qn_minhash_new(N, (uint64_t)p % 5);
            for (int i = 0; i < SIZE; i++) {
                a[i] = (uint32_t)qn_rng_next(&r);
                b[i] = i < shared[k] ? a[i] : (uint32_t)qn_rng_next(&r);
            }
            qn_minhash_sign(&m, a, SIZE, sa);
            qn_minhash_sign(&m, b, SIZE, sb);
            double d = qn_minhash_estimate(sa, sb, N) - j;
            sum += d;
            squares += d * d;
            qn_minhash_free(&m);
        }
        double sd = sqrt(j * (1 - j) / N), seen = sqrt(squares / PAIRS);
        assert_true(fabs(sum / PAIRS) < 4 * sd / sqrt(PAIRS));
        assert_true(seen > 0.85 * sd && seen < 1.15 * sd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_runs_have_equal_shingles_wherever_they_stand),
        cmocka_unit_test(fast_shingles_equal_the_plain_reference),
        cmocka_unit_test(short_texts_are_one_shingle_and_empty_ones_none),
        cmocka_unit_test(character_shingles_squeeze_space_and_fold_case),
        cmocka_unit_test(sorting_gives_the_same_set_as_qsort),
        cmocka_unit_test(jaccard_counts_what_two_sets_share),
        cmocka_unit_test(a_set_without_order_counts_as_sorted_ones_do),
        cmocka_unit_test(fast_signatures_equal_the_plain_reference),
        cmocka_unit_test(estimates_have_the_mean_and_spread_of_theory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
