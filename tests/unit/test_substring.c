/* Long repeated spans against the plain search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "core/mem.h"
#include "core/rng.h"
#include "text/substring.h"

typedef struct { int w[200]; size_t n; } words;

static qn_str write_out(const words *t, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) n += (size_t)sprintf(out + n, "%sWord%d", i ? (i % 7 ? " " : "\n ") : " ", t->w[i]);
    return (qn_str){ out, n };
}

/* Marks the words of `t` that lie in a run of `span` words that stands in an earlier text. */
static void mark(const words *all, size_t n_before, const words *t, size_t span, bool *in)
{
    memset(in, 0, 200);
    for (size_t i = 0; i + span <= t->n; i++)
        for (size_t r = 0; r < n_before; r++)
            for (size_t k = 0; k + span <= all[r].n; k++)
                if (memcmp(t->w + i, all[r].w + k, span * sizeof(int)) == 0)
                    for (size_t x = 0; x < span; x++) in[i + x] = true;
}

static void spans_are_those_of_the_plain_search(void **state)
{
    (void)state;
    static const int spans[] = { 4, 7, 20, 50 };
    qn_rng r = qn_rng_seed(21);
    size_t marked = 0, free_words = 0;
    for (int round = 0; round < 24; round++) {
        int span = spans[round % 4];
        words *all = QN_NEW_N(words, 60);
        qn_substrings *s = qn_substrings_new(span, 0, NULL);
        qn_repeats out = { 0 };
        qn_err e = { 0 };
        for (size_t t = 0; t < 60; t++) {
            char text[4000];
            bool in[200];
            while (all[t].n < 150) {        /* pieces of earlier texts between fresh words */
                size_t len = qn_rng_below(&r, (uint64_t)(2 * span)) + 1;
                const words *from = t && qn_rng_below(&r, 2) ? &all[qn_rng_below(&r, t)] : NULL;
                size_t at = from ? qn_rng_below(&r, from->n) : 0;
                for (size_t k = 0; k < len && all[t].n < 150 && (!from || at + k < from->n); k++)
                    all[t].w[all[t].n++] = from ? from->w[at + k] : (int)qn_rng_below(&r, 5000);
            }
            qn_str str = write_out(&all[t], text);
            mark(all, t, &all[t], (size_t)span, in);
            assert_int_equal(qn_substrings_find(s, str, &out, &e), QN_OK);
            assert_int_equal(out.n_words, 150);
            bool got[200] = { 0 };
            for (size_t i = 0; i < out.n; i++) {
                assert_true(out.v[i].row < t);
                assert_memory_equal(text + out.v[i].from, "Word", 4);
                assert_true(out.v[i].to == str.n || text[out.v[i].to] == ' ' || text[out.v[i].to] == '\n');
                qn_str piece = qn_str_sub(str, out.v[i].from, out.v[i].to);
                assert_int_equal(qn_words_count(piece, QN_WORDS_SPACED), out.v[i].word_to - out.v[i].word_from);
                for (size_t k = out.v[i].word_from; k < out.v[i].word_to; k++) got[k] = true;
            }
            for (size_t k = 0; k < 150; k++) {
                marked += in[k];
                free_words += !in[k];
                assert_int_equal(got[k], in[k]);
            }
            assert_int_equal(qn_substrings_add(s, str, &e), QN_OK);
        }
        assert_true(qn_substrings_bytes(s) > 60 * 8);
        qn_substrings_free(s);
        qn_repeats_free(&out);
        qn_free(all);
    }
    assert_true(marked > 10000 && free_words > 10000);
}

static void case_and_spacing_do_not_hide_a_repeat(void **state)
{
    (void)state;
    qn_substrings *s = qn_substrings_new(5, 0, NULL);
    qn_repeats out = { 0 };
    qn_err e = { 0 };
    assert_int_equal(qn_substrings_add(s, QN_STR("The old mill by the river grinds."), &e), QN_OK);
    assert_int_equal(qn_substrings_find(s, QN_STR("So: the  OLD mill\nby the river runs"), &out, &e), QN_OK);
    assert_int_equal(out.n, 1);
    assert_int_equal(out.n_repeated, 6);
    assert_int_equal(out.v[0].from, 4);
    assert_int_equal(out.v[0].to, 4 + sizeof "the  OLD mill\nby the river" - 1);
    assert_int_equal(qn_substrings_find(s, QN_STR("the old mill by a river"), &out, &e), QN_OK);
    assert_int_equal(out.n, 0);
    assert_int_equal(qn_substrings_find(s, QN_STR(""), &out, &e), QN_OK);
    assert_int_equal(out.n + out.n_words, 0);
    qn_repeats_free(&out);
    qn_substrings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_those_of_the_plain_search),
        cmocka_unit_test(case_and_spacing_do_not_hide_a_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
