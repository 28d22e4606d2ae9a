/* BM25 against the formula written out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/mem.h"
#include "core/rng.h"
#include "text/bm25.h"

static void scores_are_those_of_the_formula_best_first(void **state)
{
    (void)state;
    enum { N = 60, WORDS = 40 };
    qn_rng r = qn_rng_seed(1);
    qn_bm25 *b = qn_bm25_new();
    static int count[N][WORDS], length[N];
    double mean = 0;
    for (int t = 0; t < N; t++) {
        char text[800] = "";
        length[t] = (int)qn_rng_below(&r, 40);
        for (int k = 0; k < length[t]; k++) {
            int w = (int)(qn_rng_below(&r, WORDS) * qn_rng_below(&r, WORDS) / WORDS);
            char word[12];
            sprintf(word, "%cw%d, ", k % 2 ? 'W' : 'w', w);
            strcat(text, word);
            count[t][w]++;
        }
        mean += length[t] / (double)N;
        qn_bm25_add(b, qn_str_of(text));
    }
    assert_int_equal(qn_bm25_size(b), N);
    for (int round = 0; round < 200; round++) {
        char query[100] = "";
        bool in[WORDS] = { 0 };
        for (int k = 0; k < 3; k++) {
            int w = (int)qn_rng_below(&r, WORDS);
            sprintf(query + strlen(query), "ww%d ", w);
            in[w] = true;
        }
        double want[N] = { 0 };
        int matching = 0;
        for (int t = 0; t < N; t++) {
            for (int w = 0; w < WORDS; w++) {
                int with = 0;
                if (!in[w] || !count[t][w]) continue;
                for (int u = 0; u < N; u++) with += count[u][w] > 0;
                want[t] += log(1 + (N - with + 0.5) / (with + 0.5)) * count[t][w] * 2.2 / (count[t][w] + 1.2 * (0.25 + 0.75 * length[t] / mean));
            }
            matching += want[t] > 0;
        }
        qn_bm25_hit hits[10];
        size_t n = qn_bm25_top(b, qn_str_of(query), 10, hits);
        assert_int_equal(n, matching < 10 ? matching : 10);
        for (size_t i = 0; i < n; i++) {
            assert_float_equal(hits[i].score, want[hits[i].index], 1e-9);
            if (i) assert_true(hits[i].score < hits[i - 1].score || (hits[i].score == hits[i - 1].score && hits[i].index > hits[i - 1].index));
        }
        for (int t = 0; t < N; t++) {           /* nothing better was left out */
            bool listed = false;
            for (size_t i = 0; i < n; i++) listed |= hits[i].index == (size_t)t;
            if (!listed && n) assert_true(want[t] <= hits[n - 1].score + 1e-9);
        }
    }
    assert_int_equal(qn_bm25_top(b, QN_STR("nowhere"), 5, (qn_bm25_hit[5]){ { 0 } }), 0);
    qn_bm25_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(scores_are_those_of_the_formula_best_first) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
