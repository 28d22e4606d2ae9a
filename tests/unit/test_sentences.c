/* Where sentences end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "core/rng.h"
#include "text/sentences.h"

static const char *split(const char *text)
{
    static char out[1024];
    size_t n = 0;
    qn_str one;
    out[0] = 0;
    for (qn_sentences it = qn_sentences_of(qn_str_of(text)); qn_sentences_next(&it, &one);)
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s", n ? "|" : "", QN_FMT(one));
    return out;
}
#define SPLIT(text, want) assert_string_equal(split(text), want)

static void stops_end_sentences(void **s)
{
    (void)s;
    SPLIT("", "");
    SPLIT("  \n ", "");
    SPLIT("One. Two! Three? Four", "One.|Two!|Three?|Four");
    SPLIT("What?! No... Yes.", "What?!|No...|Yes.");
    SPLIT("A line\nthat goes on.\n\nA heading\n\nText.", "A line\nthat goes on.|A heading|Text.");
}

static void abbreviations_and_numbers_do_not(void **s)
{
    (void)s;
    SPLIT("Dr. Smith paid 3.14 dollars. He left.", "Dr. Smith paid 3.14 dollars.|He left.");
    SPLIT("J. S. Bach lived in Leipzig. See fig. 3 there.", "J. S. Bach lived in Leipzig.|See fig. 3 there.");
    SPLIT("I said no. He left.", "I said no.|He left.");
    SPLIT("Mills, e.g. Dutch ones, grind. Yes.", "Mills, e.g. Dutch ones, grind.|Yes.");
    SPLIT("He lives in the U.S. and works. She lives in the U.S. They met.",
          "He lives in the U.S. and works.|She lives in the U.S.|They met.");
    SPLIT("Bread, jam, etc. are sold. Bread, jam, etc. Then we left.", "Bread, jam, etc. are sold.|Bread, jam, etc.|Then we left.");
    SPLIT("Open example.com now. Or not.", "Open example.com now.|Or not.");
    SPLIT("1. Turn it on. 2. Wait.", "1. Turn it on.|2. Wait.");
    SPLIT("It costs 5. Then it was 6.", "It costs 5.|Then it was 6.");
}

static void quotes_and_brackets_stay_with_their_sentence(void **s)
{
    (void)s;
    SPLIT("\"Stop!\" He ran. (It was late.) Then \"go.\"", "\"Stop!\"|He ran.|(It was late.)|Then \"go.\"");
    SPLIT("\"Stop!\" she said. Fine.", "\"Stop!\" she said.|Fine.");
    SPLIT("Wait \xE2\x80\xA6 and see. Ok.", "Wait \xE2\x80\xA6 and see.|Ok.");
}

static void marks_of_other_scripts_count(void **s)
{
    (void)s;
    SPLIT("\xE6\xB0\xB4\xE3\x80\x82\xE8\xBB\x8A\xEF\xBC\x81\xE7\x81\xAB", "\xE6\xB0\xB4\xE3\x80\x82|\xE8\xBB\x8A\xEF\xBC\x81|\xE7\x81\xAB");
    SPLIT("\xE3\x80\x8C\xE6\xB0\xB4\xE3\x80\x82\xE3\x80\x8D\xE8\xBB\x8A\xE3\x80\x82", "\xE3\x80\x8C\xE6\xB0\xB4\xE3\x80\x82\xE3\x80\x8D|\xE8\xBB\x8A\xE3\x80\x82");
    SPLIT("\xE0\xA4\x95\xE0\xA5\xA4 \xE0\xA4\x96\xE0\xA5\xA4", "\xE0\xA4\x95\xE0\xA5\xA4|\xE0\xA4\x96\xE0\xA5\xA4");
    SPLIT("\xD0\x94\xD0\xB0. \xD0\x9D\xD0\xB5\xD1\x82.", "\xD0\x94\xD0\xB0.|\xD0\x9D\xD0\xB5\xD1\x82.");
}

/* On any bytes: no character that is not white space is lost or given twice, and it ends. */
static void every_character_is_in_exactly_one_sentence(void **s)
{
    (void)s;
    static const char *const bits[] = { ".", "!", " ", "\n", "a", "B", "Dr", "no", "5", "\"", ")", "\xE3\x80\x82", "\xFF", "\xE2\x80\xA6", "?", "U.S" };
    qn_rng r = qn_rng_seed(3);
    for (int round = 0; round < 5000; round++) {
        char text[256] = "";
        size_t n_bits = qn_rng_below(&r, 40), want = 0, got = 0, last = 0;
        for (size_t i = 0; i < n_bits; i++) strcat(text, bits[qn_rng_below(&r, sizeof bits / sizeof *bits)]);
        for (const char *c = text; *c; c++) want += *c != ' ' && *c != '\n';
        qn_str one;
        for (qn_sentences it = qn_sentences_of(qn_str_of(text)); qn_sentences_next(&it, &one);) {
            assert_true((size_t)(one.p - text) >= last);
            last = (size_t)(one.p - text) + one.n;
            for (size_t i = 0; i < one.n; i++) got += one.p[i] != ' ' && one.p[i] != '\n';
        }
        assert_int_equal(got, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_end_sentences),
        cmocka_unit_test(abbreviations_and_numbers_do_not),
        cmocka_unit_test(quotes_and_brackets_stay_with_their_sentence),
        cmocka_unit_test(marks_of_other_scripts_count),
        cmocka_unit_test(every_character_is_in_exactly_one_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
