/* Faults of replies, bias counts and swaps, code that parses. */
#include "text/bias.h"
#include "text/code_parses.h"
#include "text/refusal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <math.h>

static unsigned faults(const char *reply) { return qn_refusal_faults(qn_str_of(reply), NULL); }
#define BIT(f) (1u << QN_REPLY_IS_##f)

static void faults_are_named(void **state)
{
    (void)state;
    static const struct { const char *reply; unsigned want; } known[] = {
        { "The mill grinds corn.", 0 }, { "42", 0 }, { "Paris", 0 }, { "- corn\n- flour\n- bran", 0 }, { "I'm sorry, but I can't help with that.", BIT(REFUSAL) },
        { "I\xE2\x80\x99m sorry, but I can\xE2\x80\x99t help with that.", BIT(REFUSAL) }, { "As an AI language model, I have no opinion.", BIT(REFUSAL) }, { "This violates our content policy.", BIT(REFUSAL) },
        { "I apologize for the confusion. The answer is 7.", BIT(APOLOGY) }, { "### Response: the mill", BIT(LEAK) }, { "Dear [Your Name], the mill is closed.", BIT(META) },
        { "Here is the rewritten prompt: grind corn.", BIT(META) }, { "The mill was built in 1644 and the", BIT(CUT) }, { "Use this:\n```python\nprint(1)\n", BIT(CUT) }, { "Use this:\n```python\nf((1\n```", 0 },
        { "He said \"come to the mill.", BIT(CUT) }, { "The mill (built in 1644 is old.", BIT(CUT) }, { "1) grind\n2) sift", 0 }, { "bad \xFF byte", BIT(BROKEN) }, { "----", BIT(BROKEN) }, { " \n", BIT(EMPTY) },
        { "The miller's daughter was sorry, but I can tell you she left.", 0 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (faults(known[i].reply) != known[i].want) print_message("  reply %zu\n", i);
        assert_int_equal(faults(known[i].reply), known[i].want);
    }
}

static void a_refusal_deep_in_a_text_is_none(void **state)
{
    (void)state;
    qn_buf b = {0};
    for (int i = 0; i < 20; i++) qn_buf_puts(&b, "The mill grinds corn all day. ");
    qn_buf_puts(&b, "The miller wrote: I cannot provide more.");
    assert_int_equal(faults(b.p), 0);
    qn_buf_free(&b);
}

static const char *swapped(const char *text, qn_swap kind, const char *from, const char *to)
{
    static qn_buf out;
    qn_buf_clear(&out);
    qn_bias_swap(qn_str_of(text), kind, from, to, &out);
    return qn_buf_view(&out).p;
}

static void swaps_keep_case_and_give_the_text_back(void **state)
{
    (void)state;
    assert_string_equal(swapped("She took her bag and he saw her.", QN_SWAP_GENDER, NULL, NULL), "He took his bag and she saw him.");
    assert_string_equal(swapped("The bag is his. MOTHER'S DAY", QN_SWAP_GENDER, NULL, NULL), "The bag is hers. FATHER'S DAY");
    assert_string_equal(swapped("A German baker from Germany met two Germans.", QN_SWAP_NATION, "germany", "new zealand"), "A New Zealander baker from New Zealand met two Kiwi.");
    assert_string_equal(swapped("A German baker from Germany.", QN_SWAP_NATION, "germany", "france"), "A French baker from France.");
    assert_string_equal(swapped("the young miller", QN_SWAP_AGE, NULL, NULL), "the old miller");
    assert_string_equal(swapped("no terms here", QN_SWAP_GENDER, NULL, NULL), "no terms here");
    static const char text[] = "The queen told her brother that he and his wife were late.";
    qn_buf once = {0};
    qn_bias_swap(qn_str_of(text), QN_SWAP_GENDER, NULL, NULL, &once);
    assert_string_equal(once.p, "The king told his sister that she and her husband were late.");
    assert_string_equal(swapped(once.p, QN_SWAP_GENDER, NULL, NULL), text);
    qn_buf_free(&once);
}

static void bias_is_counted_by_hand(void **state)
{
    (void)state;
    static qn_bias b, sum;
    qn_bias_count(QN_STR("The nurse said that she was tired. He is an engineer. Susan, a 19-year-old engineer, met two Italians. The old nurse from Italy slept."), &b);
    assert_int_equal(b.gender[QN_BIAS_FEMALE], 1);
    assert_int_equal(b.gender[QN_BIAS_MALE], 1);
    assert_int_equal(b.names[QN_BIAS_FEMALE], 1);
    assert_int_equal(b.age[QN_BIAS_YOUNG], 1);
    assert_int_equal(b.age[QN_BIAS_OLD], 1);
    uint64_t italy = 0, others = 0;
    for (size_t i = 0; qn_bias_country(i); i++) {
        if (strncmp(qn_bias_country(i), "italy|", 6) == 0) italy = b.country[i];
        else others += b.country[i];
    }
    assert_int_equal(italy, 2);
    assert_int_equal(others, 0);
    for (size_t i = 0; qn_bias_occupation(i); i++) {
        bool nurse = strcmp(qn_bias_occupation(i), "nurse") == 0, engineer = strcmp(qn_bias_occupation(i), "engineer") == 0;
        assert_int_equal(b.role[i][QN_BIAS_FEMALE], nurse || engineer);
        assert_int_equal(b.role[i][QN_BIAS_MALE], engineer);
    }
    qn_bias_add(&sum, &b);
    qn_bias_add(&sum, &b);
    assert_int_equal(sum.n_words, 2 * b.n_words);
    assert_float_equal(qn_bias_country_distance(&sum, &b), 0, 1e-12);
    assert_float_equal(qn_bias_share(b.gender), 0.5, 0);
}

static void brackets_and_quotes_are_balanced_by_language(void **state)
{
    (void)state;
    static const struct { const char *code; qn_code_lang lang; bool ok; int line; } known[] = {
        { "int f(void) { return ')'; } // )", QN_CODE_C, true, 0 }, { "int f(void) {\n return 1;\n", QN_CODE_C, false, 1 }, { "char *s = \"(\";", QN_CODE_C, true, 0 }, { "fn f<'a>(x: &'a str) {}", QN_CODE_C, true, 0 },
        { "def f():\n  '''doc (' \" '''\n  return [1]  # ]\n", QN_CODE_PYTHON, true, 0 }, { "print('abc)\n", QN_CODE_PYTHON, false, 1 }, { "x = [1, (2]", QN_CODE_PYTHON, false, 1 }, { "`a ${b} (`", QN_CODE_JAVASCRIPT, true, 0 },
        { "SELECT 'it''s (' -- )\n", QN_CODE_SQL, true, 0 }, { "case $x in a) echo;; esac", QN_CODE_SHELL, true, 0 }, { "f(", QN_CODE_TEXT, false, 1 }, { "/* open", QN_CODE_C, false, 1 }, { "", QN_CODE_C, true, 0 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int line = 0;
        const char *what = NULL;
        assert_int_equal(qn_code_balanced(qn_str_of(known[i].code), known[i].lang, &line, &what), known[i].ok);
        if (!known[i].ok) { assert_int_equal(line, known[i].line); assert_non_null(what); }
    }
}

static void parsers_judge_json_and_sql(void **state)
{
    (void)state;
    qn_err e;
    int line = 0;
    const char *what;
    assert_true(qn_code_json_ok(QN_STR("{\"a\": [1, 2]}"), &line, &what));
    assert_false(qn_code_json_ok(QN_STR("{\"a\":\n 1,}"), &line, &what));
    assert_int_equal(line, 2);
    assert_int_equal(qn_code_sql_ok(QN_STR("SELECT a, count(*) FROM t GROUP BY a; DELETE FROM u WHERE x = 1"), &e), QN_OK);
    assert_int_equal(qn_code_sql_ok(QN_STR("SELEC a FROM t"), &e), QN_EDATA);
    assert_int_equal(qn_code_sql_ok(QN_STR("SELECT a FROM t; SELECT FROM"), &e), QN_EDATA);
    assert_int_equal(qn_code_sql_ok(QN_STR("  "), &e), QN_EDATA);
    qn_str lang, code = qn_code_block(QN_STR("Sure:\n```python\nprint(1)\n```\nDone."), &lang);
    assert_memory_equal(code.p, "print(1)\n", code.n);
    assert_true(qn_str_is(lang, "python"));
    assert_int_equal(qn_code_lang_of(QN_STR("Py")), QN_CODE_PYTHON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(a_refusal_deep_in_a_text_is_none),
        cmocka_unit_test(swaps_keep_case_and_give_the_text_back),
        cmocka_unit_test(bias_is_counted_by_hand),
        cmocka_unit_test(brackets_and_quotes_are_balanced_by_language),
        cmocka_unit_test(parsers_judge_json_and_sql),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
