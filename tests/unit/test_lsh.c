/* The index of near-duplicates: bands, verified matches, the same answers whatever the memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "core/mem.h"
#include "core/spill.h"
#include "text/lsh.h"

static void bands_fit_the_threshold(void **state)
{
    (void)state;
    static const double overs[] = { 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1 };
    for (size_t i = 0; i < sizeof overs / sizeof *overs; i++) {
        int bands, rows;
        qn_lsh_bands(128, overs[i], &bands, &rows);
        assert_true(bands * rows <= 128);
        assert_true(qn_lsh_chance(bands, rows, overs[i]) >= 0.995);
        if (rows < 128) assert_true(qn_lsh_chance(128 / (rows + 1), rows + 1, overs[i]) < 0.995 || overs[i] == 1);
    }
    int bands, rows;
    qn_lsh_bands(128, 0.7, &bands, &rows);
    assert_int_equal(bands, 32);
    assert_int_equal(rows, 4);
}

/* A stream of sets: fresh ones, and edited copies of earlier ones (any share of shingles replaced). */
typedef struct { uint32_t *v; size_t n; } set;

static set *make_sets(qn_rng *r, size_t n_sets)
{
    set *sets = QN_NEW_N(set, n_sets);
    for (size_t i = 0; i < n_sets; i++) {
        bool copy = i > 10 && qn_rng_below(r, 2);
        const set *from = copy ? &sets[qn_rng_below(r, i)] : NULL;
        size_t n = copy ? from->n : 20 + qn_rng_below(r, 100);
        double edits = qn_rng_real(r) * 0.4;
        sets[i] = (set){ QN_NEW_N(uint32_t, n), n };
        for (size_t k = 0; k < n; k++)
            sets[i].v[k] = copy && qn_rng_real(r) >= edits ? from->v[k] : (uint32_t)qn_rng_next(r);
    }
    return sets;
}

typedef struct { bool dup; uint64_t of; double j; } answer;

static void keys_of(double over, const uint32_t *sig, uint32_t *keys)
{
    int bands, rows;
    qn_lsh_bands(128, over, &bands, &rows);
    qn_lsh_keys(bands, rows, sig, keys);
}

/* Keeps the earliest, as a dedup step does; answers in terms of set numbers. */
static qn_lsh_stats run_index(const set *sets, size_t n_sets, double over, size_t memory_bytes, answer *out)
{
    qn_lsh *l = qn_lsh_new((qn_lsh_setup){ 128, over, memory_bytes, NULL });
    qn_minhash m = qn_minhash_new(128, 1);
    qn_shingles s = { 0 };
    uint32_t sig[128], keys[128];
    qn_err e = { 0 };
    for (size_t i = 0; i < n_sets; i++) {
        qn_lsh_match match;
        QN_GROW(s.v, sets[i].n, s.cap);
        memcpy(s.v, sets[i].v, sets[i].n * sizeof *s.v);
        s.n = sets[i].n;
        qn_minhash_sign(&m, s.v, s.n, sig);
        keys_of(over, sig, keys);
        assert_int_equal(qn_lsh_find(l, keys, &s, &match, &e), QN_OK);
        out[i] = (answer){ match.found, match.of.number, match.similarity };
        if (!match.found) assert_int_equal(qn_lsh_add(l, keys, &s, (qn_row_mark){ { 7, i }, i }, &e), QN_OK);
    }
    qn_lsh_stats stats = qn_lsh_count(l);
    qn_lsh_free(l);
    qn_minhash_free(&m);
    qn_shingles_free(&s);
    return stats;
}

static double exact(const set *a, const set *b) { return qn_jaccard(a->v, a->n, b->v, b->n); }   /* sorted sets */

static void matches_are_true_and_few_are_missed(void **state)
{
    (void)state;
    enum { N = 3000 };
    qn_rng r = qn_rng_seed(11);
    set *sets = make_sets(&r, N);
    answer *got = QN_NEW_N(answer, N);
    run_index(sets, N, 0.7, 64u << 20, got);
    for (size_t i = 0; i < N; i++) sets[i].n = qn_u32_sort_set(sets[i].v, sets[i].n);
    size_t pairs = 0, missed = 0, removed = 0;
    for (size_t i = 0; i < N; i++) {
        if (got[i].dup) {           /* a fact, with its similarity, of an earlier kept row */
            removed++;
            assert_true(got[i].of < i);
            assert_false(got[got[i].of].dup);
            double j = exact(&sets[i], &sets[got[i].of]);
            assert_true(j >= 0.7);
            assert_float_equal(j, got[i].j, 0);
            continue;
        }
        for (size_t k = 0; k < i; k++)
            if (!got[k].dup && exact(&sets[i], &sets[k]) >= 0.7) missed++;
    }
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < i; k++) pairs += exact(&sets[i], &sets[k]) >= 0.8 && (got[i].dup || got[k].dup);
    print_message("%zu removed, %zu pairs over 0.8 found, %zu pairs over 0.7 missed\n", removed, pairs, missed);
    assert_true(removed > 500 && pairs > 400);
    assert_true(missed * 200 <= removed);
    for (size_t i = 0; i < N; i++) qn_free(sets[i].v);
    qn_free(sets);
    qn_free(got);
}

static void answers_do_not_depend_on_the_memory(void **state)
{
    (void)state;
    enum { N = 24000 };
    qn_rng r = qn_rng_seed(12);
    set *sets = make_sets(&r, N);
    answer *whole = QN_NEW_N(answer, N), *spilled = QN_NEW_N(answer, N);
    qn_lsh_stats in_memory = run_index(sets, N, 0.7, 256u << 20, whole);
    qn_lsh_stats on_disk = run_index(sets, N, 0.7, 4u << 20, spilled);
    print_message("in memory: %zu runs; spilled: %zu runs, %.1f MB in memory, %.1f MB on disk\n", in_memory.n_runs,
                  on_disk.n_runs, (double)on_disk.memory_bytes / 1e6, (double)on_disk.disk_bytes / 1e6);
    assert_int_equal(in_memory.n_runs, 0);
    assert_true(on_disk.n_runs >= 1);
    assert_true(on_disk.memory_bytes < (5u << 20));
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(whole[i].dup, spilled[i].dup);
        assert_true(whole[i].of == spilled[i].of);
        assert_float_equal(whole[i].j, spilled[i].j, 0);
    }
    for (size_t i = 0; i < N; i++) qn_free(sets[i].v);
    qn_free(sets);
    qn_free(whole);
    qn_free(spilled);
}

/* More than four fillings of the memory: runs are merged, filters shrink, and no answer changes. */
static void merged_runs_give_the_same_answers(void **state)
{
    (void)state;
    enum { N = 120000 };
    qn_rng r = qn_rng_seed(13);
    set *sets = QN_NEW_N(set, N);
    for (size_t i = 0; i < N; i++) {        /* small sets, so that many fit into the test's time; one in three is an edited copy */
        const set *from = i > 10 && qn_rng_below(&r, 3) == 0 ? &sets[qn_rng_below(&r, i)] : NULL;
        sets[i] = (set){ QN_NEW_N(uint32_t, 12), 12 };
        for (size_t k = 0; k < 12; k++) sets[i].v[k] = from && k ? from->v[k] : (uint32_t)qn_rng_next(&r);
    }
    answer *whole = QN_NEW_N(answer, N), *spilled = QN_NEW_N(answer, N);
    qn_lsh_stats in_memory = run_index(sets, N, 0.7, 512u << 20, whole), on_disk = run_index(sets, N, 0.7, 4u << 20, spilled);
    print_message("%zu runs after %zu sets\n", on_disk.n_runs, (size_t)on_disk.n_rows);
    assert_int_equal(in_memory.n_runs, 0);
    assert_true(on_disk.n_runs >= 1 && on_disk.n_runs <= 5);
    assert_true(on_disk.n_matches > N / 10);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(whole[i].dup, spilled[i].dup);
        assert_true(whole[i].of == spilled[i].of);
        qn_free(sets[i].v);
    }
    qn_free(sets);
    qn_free(whole);
    qn_free(spilled);
}

/* One signature for all: the worst set for an index that keeps them all, with tables whose last slots overflow. */
static void equal_keys_for_every_row_are_found_in_order(void **state)
{
    (void)state;
    qn_lsh *l = qn_lsh_new((qn_lsh_setup){ 128, 0.7, 4u << 20, NULL });
    uint32_t keys[128];
    qn_err e = { 0 };
    qn_lsh_match m;
    memset(keys, 0xFF, sizeof keys);
    for (uint32_t i = 0; i < 9000; i++) {
        uint32_t v[2] = { i * 2, i * 2 + 1 };
        qn_shingles s = { .v = v, .n = 2 };
        assert_int_equal(qn_lsh_add(l, keys, &s, (qn_row_mark){ { 0, i }, i }, &e), QN_OK);
    }
    uint32_t v[2] = { 17000, 17001 };
    qn_shingles s = { .v = v, .n = 2 };
    assert_int_equal(qn_lsh_find(l, keys, &s, &m, &e), QN_OK);
    assert_true(m.found);
    assert_int_equal(m.row, 8500);
    assert_int_equal(m.of.number, 8500);
    qn_lsh_free(l);
}

static void empty_sets_match_nothing(void **state)
{
    (void)state;
    qn_lsh *l = qn_lsh_new((qn_lsh_setup){ 128, 0.5, 1 << 20, NULL });
    uint32_t sig[128], keys[128];
    qn_shingles none = { 0 };
    qn_minhash h = qn_minhash_new(128, 1);
    qn_lsh_match m;
    qn_err e = { 0 };
    qn_minhash_sign(&h, NULL, 0, sig);
    keys_of(0.5, sig, keys);
    assert_int_equal(qn_lsh_add(l, keys, &none, (qn_row_mark){ { 0, 1 }, 1 }, &e), QN_OK);
    assert_int_equal(qn_lsh_find(l, keys, &none, &m, &e), QN_OK);
    assert_false(m.found);
    qn_minhash_free(&h);
    qn_lsh_free(l);
}

static void spilled_bytes_come_back_across_every_border(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(2);
    qn_spill *s = qn_spill_new(NULL, 64u << 10);
    size_t total = 2000000, n = 0;
    unsigned char *all = qn_alloc(total), *got = qn_alloc(total);
    qn_err e = { 0 };
    for (size_t i = 0; i < total; i++) all[i] = (unsigned char)qn_rng_next(&r);
    while (n < total) {
        size_t k = qn_rng_below(&r, 100) ? qn_rng_below(&r, 5000) : qn_rng_below(&r, 400000);
        uint64_t at;
        if (k > total - n) k = total - n;
        assert_int_equal(qn_spill_put(s, all + n, k, &at, &e), QN_OK);
        assert_int_equal(at, n);
        n += k;
        for (int t = 0; t < 3 && n; t++) {
            size_t from = qn_rng_below(&r, n), len = qn_rng_below(&r, n - from + 1);
            assert_int_equal(qn_spill_get(s, from, got, len, &e), QN_OK);
            assert_memory_equal(got, all + from, len);
        }
    }
    assert_true(qn_spill_on_disk(s) > total / 2);
    qn_spill_free(s);
    s = qn_spill_new("/no/such/folder", 0);
    uint64_t at;
    assert_int_equal(qn_spill_put(s, all, 100000, &at, &e), QN_EIO);
    assert_non_null(strstr(e.msg, "/no/such/folder"));
    qn_spill_free(s);
    qn_free(all);
    qn_free(got);
}

/* Before anything is in the file, after, and when there is nothing to do. */
static void a_spill_that_shrinks_keeps_its_bytes(void **state)
{
    (void)state;
    enum { TOTAL = 1500000 };
    qn_rng r = qn_rng_seed(3);
    unsigned char *all = qn_alloc(TOTAL), *got = qn_alloc(TOTAL);
    for (size_t i = 0; i < TOTAL; i++) all[i] = (unsigned char)qn_rng_next(&r);
    static const size_t heads[] = { 64u << 10, 300000, 2000000 }, keeps[] = { 0, 100001, 3000000 };
    for (size_t h = 0; h < 3; h++)
        for (size_t k = 0; k < 3; k++) {
            qn_spill *s = qn_spill_new(NULL, heads[h]);
            qn_err e = { 0 };
            bool shrunk = false;
            for (size_t n = 0; n < TOTAL;) {
                size_t part = qn_rng_below(&r, 20000) + 1;
                uint64_t at;
                if (part > TOTAL - n) part = TOTAL - n;
                assert_int_equal(qn_spill_put(s, all + n, part, &at, &e), QN_OK);
                assert_int_equal(at, n);
                n += part;
                if (!shrunk && n > TOTAL / 2) { assert_int_equal(qn_spill_shrink(s, keeps[k], &e), QN_OK); shrunk = true; }
                assert_int_equal(qn_spill_bytes(s), n);
                size_t from = qn_rng_below(&r, n);
                assert_int_equal(qn_spill_get(s, from, got, n - from, &e), QN_OK);
                assert_memory_equal(got, all + from, n - from);
            }
            size_t most = keeps[k] < heads[h] ? keeps[k] : heads[h];
            if (most < 65536) most = 65536;
            if (most < TOTAL) assert_true(TOTAL - qn_spill_on_disk(s) <= most + (256u << 10));       /* 256 KB wait to be written */
            qn_spill_free(s);
        }
    qn_free(all);
    qn_free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bands_fit_the_threshold),
        cmocka_unit_test(matches_are_true_and_few_are_missed),
        cmocka_unit_test(answers_do_not_depend_on_the_memory),
        cmocka_unit_test(merged_runs_give_the_same_answers),
        cmocka_unit_test(equal_keys_for_every_row_are_found_in_order),
        cmocka_unit_test(empty_sets_match_nothing),
        cmocka_unit_test(a_spill_that_shrinks_keeps_its_bytes),
        cmocka_unit_test(spilled_bytes_come_back_across_every_border),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
