/* Words of three kinds, their hashes, lower case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "core/mem.h"
#include "core/rng.h"
#include "text/words.h"

/* All words joined by '|'. */
static const char *joined(const char *text, qn_words_kind kind)
{
    static char out[512];
    size_t n = 0;
    qn_str w;
    out[0] = 0;
    for (qn_words it = qn_words_of(qn_str_of(text), kind); qn_words_next(&it, &w);)
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s", n ? "|" : "", QN_FMT(w));
    return out;
}
#define SPACED(t, want) assert_string_equal(joined(t, QN_WORDS_SPACED), want)
#define PLAIN(t, want)  assert_string_equal(joined(t, QN_WORDS_PLAIN), want)
#define ROUGE(t, want)  assert_string_equal(joined(t, QN_WORDS_ROUGE), want)

static void spaced_words_are_what_lies_between_white_space(void **s)
{
    (void)s;
    SPACED("", "");
    SPACED(" \t\n", "");
    SPACED("  Don't  stop, now.\n", "Don't|stop,|now.");
    SPACED("caf\xC3\xA9\xC2\xA0noir\xE2\x80\x83z", "caf\xC3\xA9|noir|z");
    SPACED("\xE6\xB0\xB4\xE8\xBB\x8Aok", "\xE6\xB0\xB4|\xE8\xBB\x8A|ok");
    SPACED("\xE0\xB8\x81\xE0\xB8\xB5\xE0\xB8\x82", "\xE0\xB8\x81\xE0\xB8\xB5|\xE0\xB8\x82");    /* Thai: mark stays with its letter */
    SPACED("a\xFF b", "a\xFF|b");
}

static void plain_words_leave_punctuation_and_keep_inner_marks(void **s)
{
    (void)s;
    PLAIN("Don't pay 3.14 or 1,000, ok?", "Don't|pay|3.14|or|1,000|ok");
    PLAIN("rock 'n' roll.", "rock|n|roll");
    PLAIN("snake_case x-y", "snake_case|x|y");
    PLAIN("...", "");
    PLAIN("l\xE2\x80\x99" "eau", "l\xE2\x80\x99" "eau");
    PLAIN("v1.2. End", "v1.2|End");
    PLAIN("\xE6\xB0\xB4\xE3\x80\x82" "a", "\xE6\xB0\xB4|a");
    PLAIN("a\xFF" "b", "a|b");
}

static void rouge_words_are_ascii_letters_and_digits(void **s)
{
    (void)s;
    ROUGE("Don't pay $3.14!", "Don|t|pay|3|14");
    ROUGE("caf\xC3\xA9s", "caf|s");
    ROUGE("\xE6\xB0\xB4", "");
    ROUGE("5\xE2\x84\xAA!", "5\xE2\x84\xAA");                     /* Kelvin sign lower-cases to k */
    ROUGE("\xC4\xB0zmir", "\xC4\xB0|zmir");                       /* i and a dot above, which separates */
}

static void folded_hashes_ignore_case_in_every_script(void **s)
{
    (void)s;
    static const char *const same[][2] = {
        { "Hello", "hELLO" }, { "\xC3\x89TAT", "\xC3\xA9tat" }, { "\xD0\x9C\xD0\x98\xD0\xA0", "\xD0\xBC\xD0\xB8\xD1\x80" },
        { "5\xE2\x84\xAA", "5k" }, { "INTERNATIONALISATION", "internationalisation" }, { "@[`{Z", "@[`{z" },
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        qn_str a = qn_str_of(same[i][0]), b = qn_str_of(same[i][1]);
        assert_true(qn_word_hash(a, true) == qn_word_hash(b, true));
        assert_false(qn_word_hash(a, false) == qn_word_hash(b, false));
    }
    assert_false(qn_word_hash(QN_STR("a"), true) == qn_word_hash(QN_STR("b"), true));
    assert_false(qn_word_hash(QN_STR("[a"), true) == qn_word_hash(QN_STR("{a"), true));
}

/* A word's hash is the same alone, inside a text, and folded by hand. */
static void hashes_do_not_depend_on_the_surroundings(void **s)
{
    (void)s;
    qn_rng r = qn_rng_seed(7);
    qn_hashes h = { 0 };
    for (int round = 0; round < 2000; round++) {
        char text[400];
        size_t n = qn_rng_below(&r, sizeof text);
        for (size_t i = 0; i < n; i++)
            text[i] = (char)(qn_rng_below(&r, 8) == 0 ? ' ' : (round & 1) && qn_rng_below(&r, 20) == 0 ? 0xC3 : 33 + qn_rng_below(&r, 94));
        qn_str all = { qn_memdup(text, n), n }, w;
        for (qn_words_kind k = QN_WORDS_SPACED; k <= QN_WORDS_ROUGE; k++) {
            qn_words_hash(all, k, true, &h);
            qn_words it = qn_words_of(all, k);
            size_t i = 0;
            while (qn_words_next(&it, &w)) {
                qn_buf b = { 0 };
                qn_fold(w, &b);
                assert_true(i < h.n);
                assert_true(h.v[i] == qn_word_hash(w, true));
                assert_true(h.v[i] == qn_word_hash(qn_buf_view(&b), false));
                qn_buf_free(&b);
                i++;
            }
            assert_int_equal(i, h.n);
            assert_int_equal(i, qn_words_count(all, k));
        }
        qn_free((void *)all.p);
    }
    qn_hashes_free(&h);
}

static void classes_match_the_unicode_database(void **s)
{
    (void)s;
    assert_int_equal(qn_cp_class('_'), QN_CP_PUNCT);
    assert_int_equal(qn_cp_class('$'), QN_CP_SYMBOL);
    assert_int_equal(qn_cp_class(0), QN_CP_OTHER);
    assert_int_equal(qn_cp_class(28), QN_CP_SPACE);
    assert_int_equal(qn_cp_class(0xA0), QN_CP_SPACE);
    assert_int_equal(qn_cp_class(0xE9), QN_CP_LETTER);
    assert_int_equal(qn_cp_class(0x0660), QN_CP_DIGIT);
    assert_int_equal(qn_cp_class(0x0301), QN_CP_MARK);
    assert_int_equal(qn_cp_class(0x4E00), QN_CP_SOLO);
    assert_int_equal(qn_cp_class(0x9FFC), QN_CP_SOLO);
    assert_int_equal(qn_cp_class(0xAC00), QN_CP_LETTER);       /* Hangul writes spaces */
    assert_int_equal(qn_cp_class(0x1F600), QN_CP_SYMBOL);
    assert_int_equal(qn_cp_class(0x10FFFF), QN_CP_OTHER);
    assert_int_equal(qn_cp_class(0xFFFFFFFF), QN_CP_OTHER);
    assert_int_equal(qn_cp_lower(0x130), 'i');
    assert_int_equal(qn_cp_lower(0x410), 0x430);
    assert_int_equal(qn_cp_lower(0x1E9E), 0xDF);
    assert_int_equal(qn_cp_lower(0xDF), 0xDF);
    assert_int_equal(qn_cp_lower(0x10400), 0x10428);
}

static void share_counts_each_occurrence_once(void **s)
{
    (void)s;
    assert_float_equal(qn_words_share(QN_STR("Grind, grain"), QN_STR("Mills grind grain.")), 1, 0);
    assert_float_equal(qn_words_share(QN_STR("the the mill"), QN_STR("the mill")), 2.0 / 3, 1e-12);
    assert_float_equal(qn_words_share(QN_STR("..."), QN_STR("the mill")), 0, 0);
}

static void plain_form_joins_by_single_spaces(void **s)
{
    (void)s;
    qn_buf b = { 0 };
    qn_words_plain(QN_STR("  What's  the \xC3\x89TAT?\n"), QN_WORDS_PLAIN, true, &b);
    assert_string_equal(b.p, "what's the \xC3\xA9tat");
    qn_buf_free(&b);
}

/* Every way to hash a text's words at once gives what one word after the other gives: long texts and words, bytes of every kind at every place. */
static void fast_paths_equal_one_word_after_the_other(void **s)
{
    (void)s;
    static const char *const odd[] = { "\xC2\xA0", "\xE2\x80\x83", "\xE6\xB0\xB4", "\xE0\xB8\x81\xE0\xB8\xB4", "\xC3\x89t\xC3\xA9", "\xE2\x80\x93", "\xFF", "\xE2\x80", "\xC4\xB0", "\n", "\x1F", "\x7F", "\t \r" };
    static const char *const names[] = { "one by one", "SSE2", "AVX-512" };
    print_message("this machine has the paths up to %s\n", names[qn_words_best()]);
    qn_rng r = qn_rng_seed(8);
    qn_hashes one = { 0 }, fast = { 0 };
    for (int round = 0; round < 3000; round++) {
        qn_buf b = { 0 };
        size_t n = qn_rng_below(&r, round % 10 ? 700 : 14000);
        unsigned space = 2 + (unsigned)qn_rng_below(&r, round % 7 ? 12 : 5000), strange = round % 3 ? 1 + (unsigned)qn_rng_below(&r, 300) : 0;
        while (b.n < n) {
            if (strange && qn_rng_below(&r, strange) == 0) qn_buf_puts(&b, odd[qn_rng_below(&r, sizeof odd / sizeof *odd)]);
            else qn_buf_putc(&b, (char)(qn_rng_below(&r, space) == 0 ? ' ' : 33 + qn_rng_below(&r, 94)));
        }
        qn_str text = { qn_memdup(b.p ? b.p : "", b.n), b.n };      /* nothing readable behind it */
        for (int fold = 0; fold < 2; fold++) {
            qn_words_hash_by(QN_WORDS_ONE_BY_ONE, text, QN_WORDS_SPACED, fold, &one);
            for (int path = QN_WORDS_SSE2; path <= (int)qn_words_best(); path++) {
                qn_words_hash_by((qn_words_path)path, text, QN_WORDS_SPACED, fold, &fast);
                assert_int_equal(fast.n, one.n);
                if (one.n) assert_memory_equal(fast.v, one.v, one.n * sizeof *one.v);
            }
        }
        qn_free((void *)text.p);
        qn_buf_free(&b);
    }
    qn_hashes_free(&one);
    qn_hashes_free(&fast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spaced_words_are_what_lies_between_white_space),
        cmocka_unit_test(plain_words_leave_punctuation_and_keep_inner_marks),
        cmocka_unit_test(rouge_words_are_ascii_letters_and_digits),
        cmocka_unit_test(folded_hashes_ignore_case_in_every_script),
        cmocka_unit_test(hashes_do_not_depend_on_the_surroundings),
        cmocka_unit_test(fast_paths_equal_one_word_after_the_other),
        cmocka_unit_test(classes_match_the_unicode_database),
        cmocka_unit_test(share_counts_each_occurrence_once),
        cmocka_unit_test(plain_form_joins_by_single_spaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
