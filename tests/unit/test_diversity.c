/* distinct-n, self-BLEU, Vendi score, two-sample AUC, MAUVE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include "core/mem.h"
#include "core/rng.h"
#include "text/diversity.h"
#include "text/twosample.h"

static void distinct_n_counts_different_n_grams(void **state)
{
    (void)state;
    qn_str t[] = { QN_STR("The mill, the mill"), QN_STR("a mill"), QN_STR("") };
    assert_float_equal(qn_distinct_n(t, 3, 1), 3.0 / 6, 1e-12);
    assert_float_equal(qn_distinct_n(t, 3, 2), 3.0 / 4, 1e-12);     /* the mill twice, mill the, a mill */
    assert_float_equal(qn_distinct_n(t, 3, 9), 0, 0);
}

/* Straight from the definition, one text at a time. Words are single letters. */
static double plain_self_bleu(char texts[][32], int n)
{
    double sum = 0;
    for (int t = 0; t < n; t++) {
        double logs = 0;
        int len = (int)strlen(texts[t]), ref = 1 << 30;
        for (int order = 1; order <= 4; order++) {
            double matches = 0;
            for (int i = 0; i + order <= len; i++) {
                int before = 0, most = 0;
                for (int k = 0; k < i; k++) before += !strncmp(texts[t] + k, texts[t] + i, (size_t)order);
                for (int u = 0; u < n; u++) {
                    int c = 0;
                    if (u == t) continue;
                    for (int k = 0; k + order <= (int)strlen(texts[u]); k++) c += !strncmp(texts[u] + k, texts[t] + i, (size_t)order);
                    if (c > most) most = c;
                }
                matches += before < most;
            }
            logs += log((matches ? matches : 0.1) / (len >= order ? len - order + 1 : 1)) / 4;
        }
        for (int u = 0; u < n; u++) {
            int l = (int)strlen(texts[u]);
            if (u != t && (abs(l - len) < abs(ref - len) || (abs(l - len) == abs(ref - len) && l < ref))) ref = l;
        }
        sum += exp(logs) * (len >= ref ? 1 : exp(1 - (double)ref / len));
    }
    return sum / n;
}

static void self_bleu_equals_the_definition(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(1);
    for (int round = 0; round < 100; round++) {
        char letters[8][32], spaced[8][64];
        qn_str texts[8];
        int n = 2 + (int)qn_rng_below(&r, 7);
        for (int t = 0; t < n; t++) {
            int len = 1 + (int)qn_rng_below(&r, 20);
            for (int i = 0; i < len; i++) {
                letters[t][i] = (char)('a' + qn_rng_below(&r, round % 2 ? 3 : 9));
                spaced[t][2 * i] = letters[t][i];
                spaced[t][2 * i + 1] = ' ';
            }
            letters[t][len] = 0;
            texts[t] = (qn_str){ spaced[t], (size_t)(2 * len) };
        }
        assert_float_equal(qn_self_bleu(texts, (size_t)n), plain_self_bleu(letters, n), 1e-9);
    }
    qn_str same[] = { QN_STR("a b c d e f"), QN_STR("a b c d e f") };
    assert_float_equal(qn_self_bleu(same, 2), 1, 1e-12);
    assert_float_equal(qn_self_bleu(same, 1), 0, 0);
}

/* A = Q diag Q' with Q a product of random rotations has the eigenvalues put in. */
static void eigenvalues_are_found(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(2);
    for (size_t n = 1; n < 40; n += 3) {
        double *a = QN_NEW_N(double, n * n), *got = QN_NEW_N(double, n);
        for (size_t i = 0; i < n; i++) a[i * n + i] = (double)(i / 2) - 3;      /* each twice */
        for (int k = 0; k < 300 && n > 1; k++) {
            size_t p = qn_rng_below(&r, n), q = qn_rng_below(&r, n);
            double t = qn_rng_real(&r) * 6.28, c = cos(t), s = sin(t);
            if (p == q) continue;
            for (size_t j = 0; j < n; j++) { double x = a[p * n + j], y = a[q * n + j]; a[p * n + j] = c * x - s * y; a[q * n + j] = s * x + c * y; }
            for (size_t j = 0; j < n; j++) { double x = a[j * n + p], y = a[j * n + q]; a[j * n + p] = c * x - s * y; a[j * n + q] = s * x + c * y; }
        }
        qn_eigenvalues(a, n, got);
        for (size_t i = 0; i < n; i++) assert_float_equal(got[i], (double)(i / 2) - 3, 1e-9);
        qn_free(a);
        qn_free(got);
    }
}

static void vendi_counts_the_different_ones(void **state)
{
    (void)state;
    qn_vectors v = { .n = 12, .dim = 30, .dense = QN_NEW_N(float, 360) };
    for (size_t i = 0; i < 12; i++) v.dense[i * 30 + i % 4] = 1;
    assert_float_equal(qn_vendi(&v), 4, 1e-6);                  /* through the 12 x 12 matrix */
    qn_vectors tall = { .n = 90, .dim = 4, .dense = v.dense };
    memset(v.dense, 0, 360 * sizeof(float));
    for (size_t i = 0; i < 90; i++) v.dense[i * 4 + i % 3] = 1;
    assert_float_equal(qn_vendi(&tall), 3, 1e-6);               /* through the 4 x 4 dual */
    for (size_t i = 0; i < 12; i++) for (size_t d = 0; d < 30; d++) v.dense[i * 30 + d] = d == i;
    assert_float_equal(qn_vendi(&v), 12, 1e-6);
    qn_vectors_free(&v);
}

static void auc_counts_pairs_in_order(void **state)
{
    (void)state;
    double pos[] = { 3, 1, 2, 2 }, neg[] = { 0, 2, 1 }, variance;
    double want = 0;
    for (int i = 0; i < 4; i++) for (int j = 0; j < 3; j++) want += pos[i] > neg[j] ? 1 : pos[i] == neg[j] ? 0.5 : 0;
    assert_float_equal(qn_auc_of(pos, 4, neg, 3, &variance), want / 12, 1e-12);
    assert_true(variance > 0.01 && variance < 0.2);
}

static qn_str made_up(qn_rng *r, qn_arena *a, bool odd)
{
    static const char *const words[] = { "mill", "grain", "river", "stone", "wheel", "flour", "miller", "sack", "wind", "sail" };
    qn_buf b = { 0 };
    size_t n = 5 + qn_rng_below(r, 15);
    for (size_t i = 0; i < n; i++) qn_buf_printf(&b, "%s%d ", words[qn_rng_below(r, 10)], (int)qn_rng_below(r, 5));
    if (odd && qn_rng_below(r, 4)) qn_buf_puts(&b, "certainly");
    qn_str s = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

static void equal_sources_cannot_be_told_apart_and_odd_ones_can(void **state)
{
    (void)state;
    enum { N = 400 };
    qn_rng r = qn_rng_seed(3);
    qn_arena arena = { 0 };
    qn_str a[N], b[N], odd[N];
    int inside = 0;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < N; i++) a[i] = made_up(&r, &arena, false), b[i] = made_up(&r, &arena, false), odd[i] = made_up(&r, &arena, true);
        qn_auc same = qn_twosample_auc(a, N, b, N, 1), told = qn_twosample_auc(a, N, odd, N, 1);
        inside += same.low <= 0.5 && 0.5 <= same.high;
        assert_true(fabs(same.auc - 0.5) < 0.08);
        assert_true(told.low > 0.75 && told.auc < 0.95);        /* three in four can be told: 0.5 + 0.75 / 2 = 0.875 */
        qn_auc copy = qn_twosample_auc(a, N, a, N, 1);          /* every text in both: nothing to learn */
        assert_true(copy.low <= 0.5 && copy.high >= 0.5);
    }
    assert_true(inside >= 8);
    qn_auc few = qn_twosample_auc(a, 5, b, N, 1);
    assert_float_equal(few.auc, 0.5, 0);
    assert_float_equal(few.high - few.low, 1, 0);
    qn_arena_free(&arena);
}

static void mauve_is_one_for_equal_and_small_for_disjoint_sets(void **state)
{
    (void)state;
    double p[] = { 4, 2, 2 }, q[] = { 40, 20, 20 }, far[] = { 0, 0, 7 }, near[] = { 3, 3, 2 };
    double left[] = { 1, 0 }, right[] = { 0, 1 };
    assert_float_equal(qn_mauve(p, q, 3, 5), 1, 1e-12);
    double d_near = qn_mauve(p, near, 3, 5), d_far = qn_mauve(p, far, 3, 5);
    assert_true(d_near < 1 && d_near > d_far && d_far > 0);
    assert_true(qn_mauve(left, right, 2, 5) < 0.02);
    assert_float_equal(d_near, qn_mauve(near, p, 3, 5), 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distinct_n_counts_different_n_grams),
        cmocka_unit_test(self_bleu_equals_the_definition),
        cmocka_unit_test(eigenvalues_are_found),
        cmocka_unit_test(vendi_counts_the_different_ones),
        cmocka_unit_test(auc_counts_pairs_in_order),
        cmocka_unit_test(equal_sources_cannot_be_told_apart_and_odd_ones_can),
        cmocka_unit_test(mauve_is_one_for_equal_and_small_for_disjoint_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
