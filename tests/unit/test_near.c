/* The set of vectors: the exact search is exact, the graph finds nearly all of what it finds, the same each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/mem.h"
#include "core/rng.h"
#include "nn/near.h"
#include <math.h>
#include <stdio.h>

enum { N = 12000, DIM = 48, CENTRES = 60 };

static void unit(float *v)
{
    double s = 0;
    for (int i = 0; i < DIM; i++) s += (double)v[i] * v[i];
    for (int i = 0; i < DIM; i++) v[i] = (float)((double)v[i] / sqrt(s));
}

/* Clusters, as real embeddings have them; a third are copies of an earlier vector, moved a little. */
static float *make_vectors(void)
{
    qn_rng r = qn_rng_seed(7);
    float *v = QN_NEW_N(float, N * DIM), *centre = QN_NEW_N(float, CENTRES * DIM);
    for (int i = 0; i < CENTRES * DIM; i++) centre[i] = (float)qn_rng_normal(&r);
    for (int i = 0; i < N; i++) {
        bool copy = i > 10 && qn_rng_below(&r, 3) == 0;
        const float *from = copy ? v + qn_rng_below(&r, (uint64_t)i) * DIM : centre + qn_rng_below(&r, CENTRES) * DIM;
        for (int d = 0; d < DIM; d++) v[i * DIM + d] = from[d] + (float)(qn_rng_normal(&r) * (copy ? 0.05 : 0.7));
        unit(v + i * DIM);
    }
    qn_free(centre);
    return v;
}

static void the_graph_finds_what_the_exact_search_finds(void **state)
{
    (void)state;
    float *v = make_vectors();
    qn_near *exact = qn_near_new(DIM, N), *graph = qn_near_new(DIM, 500), *again = qn_near_new_within(DIM, 500, 128 << 10, NULL);
    enum { IN_FILE = 3000 };
    qn_err e = { 0 };
    size_t same = 0, over = 0, over_found = 0, asked = 0;
    for (size_t i = 0; i < N; i++) {
        size_t a = 0, b = 0, c = 0;
        float sa = 0, sb = 0, sc = 0;
        bool there = qn_near_find(exact, v + i * DIM, &a, &sa);
        assert_int_equal(there, i > 0);
        qn_near_find(graph, v + i * DIM, &b, &sb);
        assert_true(sb <= sa + 1e-6f);
        if (i < IN_FILE) {                                                     /* vectors in a file: the same answers */
            qn_near_find(again, v + i * DIM, &c, &sc);
            assert_int_equal(b, c);
            assert_true(sb == sc);
            assert_int_equal(qn_near_add(again, v + i * DIM, &e), QN_OK);
        }
        if (i <= 500) assert_int_equal(a, b);
        else {
            asked++;
            same += a == b;
            if (sa >= 0.9f) { over++; over_found += sb >= 0.9f; }
        }
        assert_int_equal(qn_near_add(exact, v + i * DIM, &e), QN_OK);
        assert_int_equal(qn_near_n(exact), i + 1);
        assert_int_equal(qn_near_add(graph, v + i * DIM, &e), QN_OK);
    }
    printf("nearest found for %zu of %zu; of %zu with a neighbour over 0.9, %zu found one\n", same, asked, over, over_found);
    assert_true(over > 2000);
    assert_true((double)same >= 0.99 * (double)asked);
    assert_true((double)over_found >= 0.995 * (double)over);
    assert_int_equal(qn_near_n(graph), N);
    assert_true(qn_near_bytes(graph) > qn_near_bytes(exact));
    assert_int_equal(qn_near_on_disk(graph), 0);
    assert_true(qn_near_on_disk(again) >= IN_FILE * DIM * sizeof *v);
    assert_true(qn_near_bytes(again) < qn_near_bytes(graph));
    qn_near_free(exact);
    qn_near_free(graph);
    qn_near_free(again);
    qn_free(v);
}

static void of_equals_the_earliest_is_given(void **state)
{
    (void)state;
    float a[DIM] = { 1 }, b[DIM] = { 0, 1 };
    for (size_t limit = 0; limit <= 100; limit += 100) {
        qn_near *s = qn_near_new(DIM, limit);
        size_t at = 9;
        float similarity = 0;
        qn_err e = { 0 };
        qn_near_add(s, b, &e);
        qn_near_add(s, a, &e);
        qn_near_add(s, a, &e);
        assert_true(qn_near_find(s, a, &at, &similarity));
        assert_int_equal(at, 1);
        assert_true(similarity == 1);
        qn_near_free(s);
    }
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    float v[DIM] = { 1 };
    qn_near *s = qn_near_new_within(DIM, 10, 0, "/no/such/folder");
    qn_err e = { 0 };
    qn_code rc = QN_OK;
    for (int i = 0; i < 2000 && rc == QN_OK; i++) rc = qn_near_add(s, v, &e);
    assert_int_equal(rc, QN_EIO);
    assert_non_null(strstr(e.msg, "/no/such/folder"));
    qn_near_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_graph_finds_what_the_exact_search_finds), cmocka_unit_test(of_equals_the_earliest_is_given),
                                        cmocka_unit_test(a_folder_that_is_not_there_is_an_error) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
