/* Gopher and FineWeb measures: small texts counted by hand, the fast n-gram counts against the plain ones, real pages. */
#include "core/file.h"
#include "core/rng.h"
#include "text/fineweb.h"
#include "text/gopher.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

static qn_page P;

static void measure(const char *text, double out[QN_GOPHER_N])
{
    qn_page_scan(&P, qn_str_of(text), true);
    qn_gopher(&P, out);
}

static void words_lines_and_paragraphs_are_counted(void **state)
{
    (void)state;
    qn_page_scan(&P, QN_STR("- The mill, it grinds.\n\n  A miller's \"corn\" ...\nend\xE2\x80\xA6\n\n\n99 #1 --\n"), true);
    assert_int_equal(P.n_lines, 4);
    assert_int_equal(P.n_paragraphs, 3);
    assert_int_equal(P.n_newlines, 7);
    assert_int_equal(P.n_words, 10);        /* The mill it grinds A miller's corn end 99 1 */
    assert_int_equal(P.n_tokens, 13);       /* with "-", "..." and "--" */
    assert_int_equal(P.word_chars, 3 + 4 + 2 + 6 + 1 + 8 + 4 + 3 + 2 + 1);
    assert_int_equal(P.n_alpha_tokens, 8);
    assert_int_equal(P.n_hashes, 1);
    assert_int_equal(P.n_ellipses, 2);
    assert_int_equal(P.bullet_lines, 1);
    assert_int_equal(P.ellipsis_lines, 2);
    assert_int_equal(P.terminal_lines, 2);  /* "grinds." and "..." */
    assert_int_equal(P.stop_words, 1);
}

static void each_stop_word_sets_its_own_bit(void **state)
{
    (void)state;
    static const char *const words[] = { "the", "be", "to", "of", "and", "that", "have", "with" };
    for (unsigned i = 0; i < 8; i++) {
        char text[64];
        snprintf(text, sizeof text, "mill %s, corn", words[i]);
        qn_page_scan(&P, qn_str_of(text), false);
        assert_int_equal(P.stop_words, 1u << i);
    }
    qn_page_scan(&P, QN_STR("them bee tool off hand thats haven within t he"), false);
    assert_int_equal(P.stop_words, 0);
    qn_page_scan(&P, QN_STR("The TO"), false);
    assert_int_equal(P.stop_words, 1 | 4);
}

static void scripts_without_spaces_count_each_character(void **state)
{
    (void)state;
    qn_page_scan(&P, QN_STR("\xE6\xB0\xB4\xE8\xBD\xA6\xE3\x80\x82 caf\xC3\xA9\xC2\xA0noir"), false);   /* two Han characters and a full stop; no-break space */
    assert_int_equal(P.n_words, 4);
    assert_int_equal(P.word_chars, 1 + 1 + 4 + 4);
    assert_int_equal(P.n_chars, 13);
}

static void repeated_lines_and_paragraphs_are_shares(void **state)
{
    (void)state;
    double v[QN_GOPHER_N];
    measure("one two\nthree\n\none two\nthree\n\nfour\none two\n", v);
    assert_float_equal(v[QN_GOPHER_DUP_LINES], 3.0 / 6, 1e-12);            /* one two, three, one two come again */
    assert_float_equal(v[QN_GOPHER_DUP_PARAGRAPHS], 1.0 / 3, 1e-12);
    assert_float_equal(v[QN_GOPHER_DUP_LINE_CHARS], (7 + 5 + 7) / 43.0, 1e-12);
    assert_float_equal(v[QN_GOPHER_DUP_PARAGRAPH_CHARS], 13 / 43.0, 1e-12);
    qn_page_scan(&P, QN_STR("one two\nthree\n\none two\nthree\n\nfour\none two\n"), false);
    double f[QN_FINEWEB_N];
    qn_fineweb(&P, f);
    assert_float_equal(f[QN_FINEWEB_DUP_LINE_CHARS], 19.0 / 35, 1e-12);
    assert_float_equal(f[QN_FINEWEB_SHORT_LINES], 1.0, 1e-12);
    assert_float_equal(f[QN_FINEWEB_NEWLINES], 8.0 / 9, 1e-12);
}

static void top_and_repeated_ngrams_by_hand(void **state)
{
    (void)state;
    qn_page_scan(&P, QN_STR("a b c d e f a b c d e f a b"), true);
    assert_int_equal(P.top_chars[2], 3 * 3);        /* "a b" three times */
    assert_int_equal(P.top_chars[3], 5 * 2);
    assert_int_equal(P.dup_chars[5], 5);            /* a b c d e again, then the rest is too short */
    assert_int_equal(P.dup_chars[6], 6);
    assert_int_equal(P.dup_chars[8], 8);
    assert_int_equal(P.dup_chars[9], 0);            /* the second a..b has only 8 words */
}

static void fast_ngram_counts_equal_the_plain_ones(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(7);
    for (int round = 0; round < 400; round++) {
        qn_buf b = {0};
        size_t n = qn_rng_below(&r, 300), vocabulary = 1 + qn_rng_below(&r, round % 2 ? 4 : 40);
        for (size_t i = 0; i < n; i++) {
            qn_buf_printf(&b, "%sw%.*s%d", qn_rng_below(&r, 9) ? " " : "\n", (int)qn_rng_below(&r, 14), "aaaaaaaaaaaaaaa", (int)qn_rng_below(&r, vocabulary));
            if (qn_rng_below(&r, 20) == 0) qn_buf_puts(&b, " again and again and again the same long phrase of ten");
        }
        size_t top[QN_PAGE_TOP_MAX + 1], dup[QN_PAGE_DUP_MAX + 1];
        qn_page_scan(&P, qn_buf_view(&b), true);
        qn_page_repeats_ref(&P, top, dup);
        for (int k = QN_PAGE_TOP_MIN; k <= QN_PAGE_TOP_MAX; k++) assert_int_equal(P.top_chars[k], top[k]);
        for (int k = QN_PAGE_DUP_MIN; k <= QN_PAGE_DUP_MAX; k++) assert_int_equal(P.dup_chars[k], dup[k]);
        qn_buf_free(&b);
    }
}

static void a_text_measures_the_same_wherever_it_lies_in_memory(void **state)
{
    (void)state;
    static const char text[] = "The quick mill... of 17 stones grinds the corn of the village; and then, with care, grinds again the corn #1.";
    double want[QN_GOPHER_N], got[QN_GOPHER_N];
    measure(text, want);
    for (size_t pad = 0; pad < 130; pad++) {        /* leading blanks move every word over block edges */
        char *exact = qn_alloc(pad + sizeof text - 1);   /* no byte behind the end: a sanitizer sees reads past it */
        memset(exact, ' ', pad);
        memcpy(exact + pad, text, sizeof text - 1);
        qn_page_scan(&P, (qn_str){ exact, pad + sizeof text - 1 }, true);
        qn_gopher(&P, got);
        for (int k = 0; k < QN_GOPHER_N_QUALITY; k++) assert_float_equal(got[k], want[k], 1e-12);
        assert_int_equal(P.n_words, 21);
        qn_free(exact);
    }
}

static void an_empty_text_breaks_the_word_limit_and_nothing_else(void **state)
{
    (void)state;
    double v[QN_GOPHER_N];
    qn_breach b;
    measure(" \n \n", v);
    assert_true(qn_limits_broken(QN_GOPHER_MEASURES, v, QN_GOPHER_N, &b));
    assert_string_equal(b.measure, "words");
    assert_true(b.below);
    assert_float_equal(b.limit, 50, 0);
    assert_false(qn_limits_broken(QN_GOPHER_MEASURES + 1, v + 1, QN_GOPHER_STOP_WORDS - 1, &b));
}

static void real_manual_pages_pass_and_a_loop_does_not(void **state)
{
    (void)state;
    static const char path[] = "../shared/data/docs/md_curl/BUGS.md";
    qn_buf text = {0};
    double v[QN_GOPHER_N];
    qn_breach b;
    if (!qn_file_exists(path)) { print_message("skipped: %s is not here\n", path); skip(); }
    assert_int_equal(qn_file_read(path, 1 << 20, &text, NULL), QN_OK);
    measure(text.p, v);
    assert_false(qn_limits_broken(QN_GOPHER_MEASURES, v, QN_GOPHER_N, &b));
    for (int i = 0; i < 60; i++) qn_buf_puts(&text, "The mill of the village grinds the corn of the miller. ");
    measure(text.p, v);
    assert_true(qn_limits_broken(QN_GOPHER_MEASURES, v, QN_GOPHER_N, &b));
    assert_string_equal(b.measure, "dup_5gram");
    assert_true(b.value > 0.15);
    qn_buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_lines_and_paragraphs_are_counted),
        cmocka_unit_test(each_stop_word_sets_its_own_bit),
        cmocka_unit_test(scripts_without_spaces_count_each_character),
        cmocka_unit_test(repeated_lines_and_paragraphs_are_shares),
        cmocka_unit_test(top_and_repeated_ngrams_by_hand),
        cmocka_unit_test(fast_ngram_counts_equal_the_plain_ones),
        cmocka_unit_test(a_text_measures_the_same_wherever_it_lies_in_memory),
        cmocka_unit_test(an_empty_text_breaks_the_word_limit_and_nothing_else),
        cmocka_unit_test(real_manual_pages_pass_and_a_loop_does_not),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    qn_page_free(&P);
    return rc;
}
