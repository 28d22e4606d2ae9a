/* Languages: known sentences, broken input, and the figures on real paragraphs and questions in twelve languages. */
#include "core/clock.h"
#include "core/file.h"
#include "text/langid.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <yyjson.h>

static void short_questions_are_named(void **state)
{
    (void)state;
    static const char *const known[][2] = {
        { "en", "Where does the miller keep his flour?" }, { "de", "Wo hat der M\xC3\xBCller sein Mehl?" }, { "fr", "O\xC3\xB9 est la farine du meunier ?" },
        { "es", "\xC2\xBF" "D\xC3\xB3nde est\xC3\xA1 la harina?" }, { "it", "Dove sono i sacchi del mugnaio?" }, { "nl", "Waar is het meel van de molenaar?" },
        { "pt", "Onde est\xC3\xA1 a farinha do moleiro? N\xC3\xA3o sei." }, { "ru", "\xD0\x93\xD0\xB4\xD0\xB5 \xD0\xBC\xD1\x83\xD0\xBA\xD0\xB0?" },
        { "el", "\xCE\xA0\xCE\xBF\xCF\x8D;" }, { "zh", "\xE9\x9D\xA2\xE7\xB2\x89\xE5\x9C\xA8\xE5\x93\xAA\xE9\x87\x8C" }, { "ja", "\xE3\x81\x93\xE3\x82\x8C\xE3\x81\xAF\xE4\xBD\x95" },
        { "ko", "\xEB\xAC\xBC\xEB\xA0\x88\xEB\xB0\xA9\xEC\x95\x84" }, { "he", "\xD7\xA7\xD7\x9E\xD7\x97" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        qn_str text = qn_str_of(known[i][1]);
        assert_string_equal(qn_langid(text).code, known[i][0]);
        assert_string_equal(qn_langid_words(text).code, known[i][0]);
    }
}

static void what_has_no_words_has_no_language(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "12 + 7 = 19", "----", "\xFF\xFE\xFD", "\xF0\x9F\x8C\xBE\xF0\x9F\x8C\xBE" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) assert_string_equal(qn_langid(qn_str_of(texts[i])).code, "und");
}

static void figures_hold_on_real_rows(void **state)
{
    (void)state;
    static const char path[] = "../shared/data/langid/langid.jsonl";
    qn_buf file = {0};
    qn_lang cld;
    if (!qn_file_exists(path)) { print_message("skipped: %s is not here\n", path); skip(); }
    if (qn_langid_cld2(QN_STR("x"), &cld, NULL, NULL) != QN_OK) { print_message("skipped: cld2 is not installed\n"); skip(); }
    assert_int_equal(qn_file_read(path, 1 << 24, &file, NULL), QN_OK);
    enum { QUESTION, PARAGRAPH };
    size_t n[2] = {0}, right[2] = {0}, by_words[2] = {0}, by_cld2[2] = {0}, bytes = 0;
    int64_t us = 0;
    for (char *at = file.p, *nl; (nl = strchr(at, '\n')); at = nl + 1) {
        yyjson_doc *d = yyjson_read(at, (size_t)(nl - at), 0);
        yyjson_val *root = yyjson_doc_get_root(d), *t = yyjson_obj_get(root, "text");
        const char *lang = yyjson_get_str(yyjson_obj_get(root, "lang"));
        int kind = yyjson_equals_str(yyjson_obj_get(root, "kind"), "paragraph");
        qn_str text = { yyjson_get_str(t), yyjson_get_len(t) };
        int64_t t0 = qn_now_us();
        qn_lang got = qn_langid(text);
        us += qn_now_us() - t0;
        bytes += text.n;
        qn_langid_cld2(text, &cld, NULL, NULL);
        n[kind]++;
        right[kind] += strcmp(got.code, lang) == 0;
        if (strcmp(got.code, lang)) print_message("  %s taken for %s (cld2: %s): %.*s\n", lang, got.code, cld.code, QN_FMT(qn_str_sub(text, 0, qn_utf8_cut(text, text.n < 90 ? text.n : 90))));
        by_words[kind] += strcmp(qn_langid_words(text).code, lang) == 0;
        by_cld2[kind] += strcmp(cld.code, lang) == 0;
        yyjson_doc_free(d);
    }
    static const char *const names[] = { "questions", "paragraphs" };
    for (int k = 0; k < 2; k++)
        print_message("%-10s %4zu: both %.4f  words alone %.4f  cld2 alone %.4f\n", names[k], n[k], (double)right[k] / (double)n[k],
                      (double)by_words[k] / (double)n[k], (double)by_cld2[k] / (double)n[k]);
    print_message("%.1f MB/s\n", (double)bytes / (double)us);
    assert_int_equal(n[QUESTION], 1440);
    assert_int_equal(n[PARAGRAPH], 480);
    assert_true((double)right[QUESTION] >= 0.98 * (double)n[QUESTION]);
    assert_true((double)right[PARAGRAPH] >= 0.995 * (double)n[PARAGRAPH]);
    qn_buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_questions_are_named),
        cmocka_unit_test(what_has_no_words_has_no_language),
        cmocka_unit_test(figures_hold_on_real_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
