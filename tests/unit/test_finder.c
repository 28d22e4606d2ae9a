/* finder: by words as BM25 orders them; with an encoder the two lists are joined by rank, and what shares no word is found too. */
#include "nn/finder.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char *const TEXTS[] = { "A miller grinds corn at the mill.", "A baker bakes bread of flour.", "Corn grows in the field.", "The river turns the wheel of the mill." };
enum { N = 4 };

static qn_finder *filled(qn_encoder *m)
{
    qn_finder *f = qn_finder_new(m);
    qn_err e = {0};
    for (size_t i = 0; i < N; i++) assert_int_equal(qn_finder_add(f, qn_str_of(TEXTS[i]), &e), QN_OK);
    return f;
}

static void words_find_what_shares_them(void **state)
{
    (void)state;
    qn_finder *f = filled(NULL);
    qn_finder_hit hits[N];
    qn_err e = {0};
    size_t n;
    assert_int_equal(qn_finder_find(f, QN_BY_WORDS, QN_STR("who grinds corn"), N, hits, &n, &e), QN_OK);
    assert_int_equal(n, 2);
    assert_int_equal(hits[0].index, 0);
    assert_int_equal(hits[1].index, 2);
    assert_true(hits[0].score > hits[1].score);
    assert_int_equal(qn_finder_find(f, QN_BY_WORDS, QN_STR("who grinds corn"), 1, hits, &n, &e), QN_OK);
    assert_int_equal(n, 1);
    assert_int_equal(qn_finder_find(f, QN_BY_WORDS, QN_STR("zebra"), N, hits, &n, &e), QN_OK);
    assert_int_equal(n, 0);
    assert_true(qn_str_is(qn_finder_text(f, 2), TEXTS[2]));
    assert_true(qn_finder_bytes(f) > 0 && qn_finder_n(f) == N);
    qn_finder_free(f);
}

static void nothing_is_found_in_nothing(void **state)
{
    (void)state;
    qn_finder *f = qn_finder_new(NULL);
    qn_finder_hit hit;
    qn_err e = {0};
    size_t n = 7;
    assert_int_equal(qn_finder_find(f, QN_BY_WORDS, QN_STR("x"), 1, &hit, &n, &e), QN_OK);
    assert_int_equal(n, 0);
    qn_finder_free(f);
    qn_finder_free(NULL);
}

/* Small random weights: which text is near is chance, but the joined score must be the sum over the two lists. */
static void both_lists_are_joined_by_rank(void **state)
{
    (void)state;
    qn_encoder *m;
    qn_err e = {0};
    char dir[] = "/tmp/quern-finder-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char command[600];
    qn_encoder_config c = { .vocab = 420, .d = 16, .layers = 1, .heads = 2, .ff = 32, .max_pos = 64, .types = 2, .eps = 1e-12f };
    assert_int_equal(qn_encoder_new(&m, &c, 7, &e), QN_OK);
    assert_int_equal(qn_encoder_save(m, dir, &e), QN_OK);
    qn_encoder_close(m);
    snprintf(command, sizeof command, "cp tests/data/nn/tokenizer_wordpiece.json %s/tokenizer.json", dir);
    assert_int_equal(system(command), 0);
    qn_code rc = qn_encoder_open(&m, dir, &e);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
    if (rc != QN_OK) fail_msg("%s", e.msg);
    qn_finder *f = filled(m);
    qn_finder_hit hits[N];
    size_t n;
    assert_int_equal(qn_finder_find(f, QN_BY_BOTH, QN_STR("who grinds corn"), N, hits, &n, &e), QN_OK);
    assert_int_equal(n, N);                     /* by meaning everything has a rank */
    double by_words[N] = { 1.0 / 61, 0, 1.0 / 62, 0 };
    bool seen[N + 1] = {0};
    for (size_t i = 0; i < n; i++) {
        double rest = hits[i].score - by_words[hits[i].index];      /* 1 / (60 + rank by meaning): each rank once */
        size_t rank = (size_t)(1 / rest + 0.5) - 60;
        assert_true(rank >= 1 && rank <= N && !seen[rank]);
        seen[rank] = true;
        assert_true(i == 0 || hits[i - 1].score >= hits[i].score);
    }
    qn_finder_hit near[N];
    float mine[16], texts[N][16];
    qn_str query = QN_STR("who grinds corn");
    assert_int_equal(qn_encoder_embed(m, &query, 1, mine, &e), QN_OK);
    for (size_t i = 0; i < N; i++) assert_int_equal(qn_encoder_embed(m, &(qn_str){ TEXTS[i], strlen(TEXTS[i]) }, 1, texts[i], &e), QN_OK);
    assert_int_equal(qn_finder_find(f, QN_BY_MEANING, query, N, near, &n, &e), QN_OK);
    assert_int_equal(n, N);
    for (size_t i = 0; i < n; i++) {            /* by meaning alone: the cosine, highest first */
        double cosine = 0;
        for (int k = 0; k < 16; k++) cosine += (double)mine[k] * texts[near[i].index][k];
        assert_float_equal(near[i].score, cosine, 1e-5);
        assert_true(i == 0 || near[i - 1].score >= near[i].score);
    }
    assert_int_equal(qn_finder_find(f, QN_BY_WORDS, query, N, near, &n, &e), QN_OK);
    assert_int_equal(n, 2);                     /* by words alone: as if there were no encoder */
    assert_int_equal(near[0].index, 0);
    qn_finder *given = filled(NULL);            /* vectors from elsewhere: the same texts in the same order */
    qn_finder_hit same[N];
    size_t n_same;
    qn_finder_expect(given, 16);
    for (size_t i = N; i-- > 0;) qn_finder_put(given, i, texts[i]);
    for (int by = 0; by < QN_N_FINDER_BY; by++) {
        assert_int_equal(qn_finder_find(f, (qn_finder_by)by, query, N, near, &n, &e), QN_OK);
        qn_finder_near(given, (qn_finder_by)by, query, mine, N, same, &n_same);
        assert_int_equal(n, n_same);
        for (size_t i = 0; i < n; i++) assert_int_equal(near[i].index, same[i].index);
    }
    qn_finder_free(given);
    float v[16] = { 1 };
    qn_finder_add_with(f, QN_STR("zebra"), v);
    assert_int_equal(qn_finder_find(f, QN_BY_BOTH, QN_STR("zebra"), 1, hits, &n, &e), QN_OK);
    assert_int_equal(hits[0].index, N);         /* first by words, whatever the vectors say */
    qn_finder_free(f);
    qn_encoder_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(words_find_what_shares_them), cmocka_unit_test(nothing_is_found_in_nothing), cmocka_unit_test(both_lists_are_joined_by_rank) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
