/* Vectors, TF-IDF, k-means, k-center, facility location. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include "core/mem.h"
#include "core/rng.h"
#include "text/cluster.h"
#include "text/density.h"
#include "text/tfidf.h"

/* Random vectors with many zeros, once dense and once sparse. */
static void both_forms(qn_rng *r, size_t n, size_t dim, qn_vectors *dense, qn_vectors *sparse)
{
    *dense = (qn_vectors){ .n = n, .dim = dim, .dense = QN_NEW_N(float, n * dim) };
    *sparse = (qn_vectors){ .n = n, .dim = dim, .start = QN_NEW_N(size_t, n + 1), .col = QN_NEW_N(uint32_t, n * dim), .val = QN_NEW_N(float, n * dim) };
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t d = 0; d < dim; d++) {
            if (qn_rng_below(r, 3)) continue;
            float x = (float)qn_rng_normal(r);
            dense->dense[i * dim + d] = x;
            sparse->col[k] = (uint32_t)d;
            sparse->val[k++] = x;
        }
        sparse->start[i + 1] = k;
    }
}

static void dense_and_sparse_vectors_agree(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(1);
    qn_vectors d, s;
    both_forms(&r, 30, 37, &d, &s);
    float x[37];
    for (size_t k = 0; k < 37; k++) x[k] = (float)qn_rng_normal(&r);
    for (size_t i = 0; i < 30; i++) {
        assert_float_equal(qn_vectors_dot_dense(&d, i, x), qn_vectors_dot_dense(&s, i, x), 1e-4);
        for (size_t j = 0; j < 30; j++) assert_float_equal(qn_vectors_dot(&d, i, j), qn_vectors_dot(&s, i, j), 1e-4);
    }
    qn_vectors_unit(&d);
    qn_vectors_unit(&s);
    qn_vectors p = qn_vectors_project(&d, 256, 3), q = qn_vectors_project(&s, 256, 3);
    for (size_t i = 0; i < 30; i++) {
        assert_float_equal(qn_vectors_dot(&d, i, i), 1, 1e-5);
        for (size_t j = 0; j < 30; j++) {
            assert_float_equal(qn_vectors_dot(&p, i, j), qn_vectors_dot(&q, i, j), 1e-4);
            assert_true(fabs(qn_vectors_dot(&p, i, j) - qn_vectors_dot(&d, i, j)) < 0.35);
        }
    }
    qn_vectors_free(&d);
    qn_vectors_free(&s);
    qn_vectors_free(&p);
    qn_vectors_free(&q);
}

static void tfidf_weights_are_those_of_the_formula(void **state)
{
    (void)state;
    qn_tfidf *t = qn_tfidf_new();
    qn_tfidf_add(t, QN_STR("Mills grind; mills turn a stone"));
    qn_tfidf_add(t, QN_STR("rivers turn mills"));
    qn_tfidf_add(t, QN_STR(""));
    qn_vectors v = qn_tfidf_vectors(t, 1);
    assert_int_equal(v.n, 3);
    assert_int_equal(v.start[1], 4);
    assert_int_equal(v.start[3], 7);
    double both = log(4.0 / 3) + 1, once = log(4.0 / 2) + 1, length = sqrt(4 * both * both + both * both + 2 * once * once);
    for (size_t k = 0; k < 4; k++) {
        qn_str word = qn_tfidf_word(t, v.col[k]);
        double want = qn_str_is(word, "mills") ? 2 * both : qn_str_is(word, "turn") ? both : once;
        assert_float_equal(v.val[k], want / length, 1e-6);
    }
    qn_vectors_free(&v);
    v = qn_tfidf_vectors(t, 2);
    assert_int_equal(v.start[3], 4);
    qn_vectors_free(&v);
    qn_tfidf_free(t);
}

static void tfidf_takes_any_number_of_texts(void **state)
{
    (void)state;
    qn_tfidf *t = qn_tfidf_new();
    for (int i = 0; i < 1000; i++) qn_tfidf_add(t, i % 2 ? QN_STR("mills grind grain") : QN_STR("rivers turn mills"));
    qn_vectors v = qn_tfidf_vectors(t, 2);
    assert_int_equal(v.n, 1000);
    for (size_t i = 0; i + 2 < 1000; i++) {
        assert_int_equal(v.start[i + 1] - v.start[i], 3);
        assert_float_equal(qn_vectors_dot(&v, i, i + 2), 1, 1e-5);
        assert_true(qn_vectors_dot(&v, i, i + 1) < 0.5);
    }
    qn_vectors_free(&v);
    qn_tfidf_free(t);
}

static void kmeans_finds_planted_groups(void **state)
{
    (void)state;
    enum { N = 300, DIM = 8, K = 5 };
    qn_rng r = qn_rng_seed(2);
    for (uint64_t seed = 0; seed < 5; seed++) {
        qn_vectors v = { .n = N, .dim = DIM, .dense = QN_NEW_N(float, N * DIM) };
        for (size_t i = 0; i < N; i++)
            for (size_t d = 0; d < DIM; d++) v.dense[i * DIM + d] = (float)((d == i % K ? 20 : 0) + qn_rng_normal(&r));
        qn_clusters c = qn_kmeans(&v, K, 100, seed);
        size_t agree = 0;
        for (size_t i = 0; i < N; i++) agree += c.label[i] == c.label[i % K];
        double inertia = 0;
        for (size_t i = 0; i < N; i++)
            for (size_t d = 0; d < DIM; d++) inertia += pow(v.dense[i * DIM + d] - c.centre[c.label[i] * DIM + d], 2);
        assert_float_equal(c.inertia / inertia, 1, 1e-3);
        if (agree == N) for (size_t k = 0; k < K; k++) assert_int_equal(c.size[k], N / K);
        qn_clusters again = qn_kmeans(&v, K, 100, seed);
        assert_memory_equal(c.label, again.label, N * sizeof *c.label);
        assert_true(agree == N);
        qn_clusters_free(&c);
        qn_clusters_free(&again);
        qn_vectors_free(&v);
    }
}

static void kmeans_survives_equal_vectors_and_too_many_clusters(void **state)
{
    (void)state;
    qn_vectors v = { .n = 6, .dim = 2, .dense = QN_NEW_N(float, 12) };
    for (size_t i = 0; i < 6; i++) v.dense[2 * i] = i < 4 ? 1 : 2;
    qn_clusters c = qn_kmeans(&v, 99, 50, 1);
    assert_int_equal(c.k, 6);
    assert_float_equal(c.inertia, 0, 1e-9);
    qn_clusters_free(&c);
    v.n = 0;
    c = qn_kmeans(&v, 3, 50, 1);
    assert_int_equal(c.k, 0);
    qn_clusters_free(&c);
    v.n = 6;
    qn_vectors_free(&v);
}

static double distance(const qn_vectors *v, size_t i, size_t j)
{
    double d = qn_vectors_dot(v, i, i) + qn_vectors_dot(v, j, j) - 2 * qn_vectors_dot(v, i, j);
    return d > 0 ? sqrt(d) : 0;
}

static void k_center_is_within_twice_the_best_radius(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(3);
    for (int round = 0; round < 20; round++) {
        qn_vectors d, s;
        both_forms(&r, 14, 5, &d, &s);
        double best = 1e9, radius, seen = 0;
        for (size_t a = 0; a < 14; a++)
            for (size_t b = a; b < 14; b++)
                for (size_t c = b; c < 14; c++) {
                    double worst = 0;
                    for (size_t i = 0; i < 14; i++) {
                        double near = fmin(distance(&d, i, a), fmin(distance(&d, i, b), distance(&d, i, c)));
                        if (near > worst) worst = near;
                    }
                    if (worst < best) best = worst;
                }
        size_t dense[3], sparse[3];
        assert_int_equal(qn_k_center(&d, 3, 0, dense, &radius), 3);
        for (size_t i = 0; i < 14; i++)
            seen = fmax(seen, fmin(distance(&d, i, dense[0]), fmin(distance(&d, i, dense[1]), distance(&d, i, dense[2]))));
        assert_float_equal(seen, radius, 1e-3);
        assert_true(radius <= 2 * best + 1e-3);
        assert_int_equal(dense[0], 0);
        qn_k_center(&s, 3, 0, sparse, NULL);
        assert_memory_equal(dense, sparse, sizeof dense);
        qn_vectors_free(&d);
        qn_vectors_free(&s);
    }
}

static void k_center_takes_all_when_asked_for_more(void **state)
{
    (void)state;
    qn_vectors v = { .n = 4, .dim = 1, .dense = QN_NEW_N(float, 4) };
    size_t out[9], seen[4] = { 0 };
    assert_int_equal(qn_k_center(&v, 9, 2, out, NULL), 4);
    for (size_t i = 0; i < 4; i++) seen[out[i]]++;
    for (size_t i = 0; i < 4; i++) assert_int_equal(seen[i], 1);
    qn_vectors_free(&v);
}

/* Lazy greedy takes what plain greedy (every gain anew, every time) takes. */
static void facility_location_equals_plain_greedy(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(4);
    for (int round = 0; round < 10; round++) {
        qn_vectors d, s;
        both_forms(&r, 40, 6, &d, &s);
        double covered[40] = { 0 }, gain[12];
        size_t got[12];
        bool taken[40] = { 0 };
        assert_int_equal(qn_facility(&d, 12, got, gain), 12);
        for (size_t k = 0; k < 12; k++) {
            double best = -1;
            size_t pick = 0;
            for (size_t j = 0; j < 40; j++) {
                double g = 0;
                for (size_t i = 0; i < 40; i++) g += fmax(0, qn_vectors_dot(&d, i, j) - covered[i]);
                if (!taken[j] && g > best + 1e-12) best = g, pick = j;
            }
            assert_int_equal(got[k], pick);
            assert_float_equal(gain[k], best, 1e-9);
            taken[pick] = true;
            for (size_t i = 0; i < 40; i++) covered[i] = fmax(covered[i], qn_vectors_dot(&d, i, pick));
        }
        qn_vectors_free(&d);
        qn_vectors_free(&s);
    }
}

/* Share of the vectors of a true group that carry its most frequent label. */
static double purity(const uint32_t *label, size_t from, size_t to, uint32_t *which)
{
    size_t best = 0;
    for (size_t i = from; i < to; i++) {
        size_t n = 0;
        for (size_t j = from; j < to; j++) n += label[j] == label[i];
        if (n > best && label[i] != QN_DENSITY_NONE) best = n, *which = label[i];
    }
    return (double)best / (double)(to - from);
}

static void groups_by_density_have_any_shape_and_leave_noise_out(void **state)
{
    (void)state;
    enum { N = 900 };
    qn_rng r = qn_rng_seed(5);
    qn_vectors v = { .n = N, .dim = 2, .dense = QN_NEW_N(float, N * 2) };
    for (size_t i = 0; i < N; i++) {
        double a = qn_rng_real(&r) * 3.14159265, x, y, spread = 0.06;
        if (i < 300) x = cos(a), y = sin(a);                                /* two half moons, one inside the other's arms */
        else if (i < 600) x = 1 - cos(a), y = 0.4 - sin(a);
        else if (i < 750) x = 4, y = 4, spread = 0.5;                       /* a loose heap */
        else x = qn_rng_real(&r) * 20 - 8, y = qn_rng_real(&r) * 20 - 8, spread = 0;    /* noise */
        v.dense[2 * i] = (float)(x + spread * qn_rng_normal(&r));
        v.dense[2 * i + 1] = (float)(y + spread * qn_rng_normal(&r));
    }
    qn_density d = qn_density_groups(&v, 25, 8);
    uint32_t which[3] = { 0, 0, 0 };
    assert_int_equal(d.k, 3);
    assert_true(purity(d.label, 0, 300, &which[0]) > 0.95);
    assert_true(purity(d.label, 300, 600, &which[1]) > 0.95);
    assert_true(purity(d.label, 600, 750, &which[2]) > 0.8);
    assert_true(which[0] != which[1] && which[1] != which[2] && which[0] != which[2]);
    size_t noise = 0, sum = 0;
    for (size_t i = 750; i < N; i++) noise += d.label[i] == QN_DENSITY_NONE;
    assert_true(noise > 120);
    for (size_t c = 0; c < d.k; c++) { sum += d.size[c]; assert_true(c == 0 || d.size[c] <= d.size[c - 1]); }
    for (size_t i = 0; i < N; i++) sum += d.label[i] == QN_DENSITY_NONE;
    assert_int_equal(sum, N);
    qn_clusters k = qn_kmeans(&v, 3, 50, 1);                                /* which k-means cannot do */
    assert_true(purity(k.label, 0, 300, &which[0]) < 0.9 || purity(k.label, 300, 600, &which[1]) < 0.9 || which[0] == which[1]);
    qn_clusters_free(&k);
    qn_density_free(&d);
    qn_vectors_free(&v);
}

static void equal_vectors_are_one_group_and_few_are_none(void **state)
{
    (void)state;
    float x[40] = { 0 };
    for (int i = 0; i < 20; i++) x[2 * i] = i < 10 ? 1 : 5;
    qn_vectors v = { .n = 20, .dim = 2, .dense = x };
    qn_density d = qn_density_groups(&v, 5, 3);
    assert_int_equal(d.k, 2);
    for (int i = 0; i < 20; i++) assert_int_equal(d.label[i], d.label[i < 10 ? 0 : 10]);
    qn_density_free(&d);
    v.n = 3;
    d = qn_density_groups(&v, 5, 3);
    assert_int_equal(d.k, 0);
    assert_int_equal(d.label[2], QN_DENSITY_NONE);
    qn_density_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_by_density_have_any_shape_and_leave_noise_out),
        cmocka_unit_test(equal_vectors_are_one_group_and_few_are_none),
        cmocka_unit_test(dense_and_sparse_vectors_agree),
        cmocka_unit_test(tfidf_weights_are_those_of_the_formula),
        cmocka_unit_test(tfidf_takes_any_number_of_texts),
        cmocka_unit_test(kmeans_finds_planted_groups),
        cmocka_unit_test(kmeans_survives_equal_vectors_and_too_many_clusters),
        cmocka_unit_test(k_center_is_within_twice_the_best_radius),
        cmocka_unit_test(k_center_takes_all_when_asked_for_more),
        cmocka_unit_test(facility_location_equals_plain_greedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
