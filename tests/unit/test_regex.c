/* test_regex: what patterns match (more in test_expr_jq.c, against jq's Oniguruma), what is refused, and that nothing runs away. */
#include "text/regex.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

static qn_arena arena;
static qn_err err;
static int end(void **s) { (void)s; qn_arena_free(&arena); return 0; }

/* "from-to from-to ..." of the match and its groups, "-" for a group that took no part, "" for no match, "! message" */
static const char *match(const char *pattern, const char *flags, const char *text)
{
    static char out[512];
    qn_regex *re;
    qn_regex_span span[50];
    bool found;
    size_t n = 0;
    out[0] = 0;
    if (qn_regex_compile(qn_str_of(pattern), qn_str_of(flags), &arena, &re, &err) != QN_OK) { snprintf(out, sizeof out, "! %s", err.msg); return out; }
    assert_int_equal(qn_regex_find(re, qn_str_of(text), 0, span, NULL, &found, &err), QN_OK);
    for (size_t i = 0; found && i < qn_regex_groups(re); i++) {
        if (span[i].from > span[i].to) n += (size_t)snprintf(out + n, sizeof out - n, "%s-", i ? " " : "");
        else n += (size_t)snprintf(out + n, sizeof out - n, "%s%zu-%zu", i ? " " : "", span[i].from, span[i].to);
    }
    return out;
}

static void the_leftmost_match_in_a_backtracker_s_order_is_found(void **s)
{
    static const struct { const char *pattern, *flags, *text, *spans; } CASES[] = {
        { "b+", "", "abbbc", "1-4" }, { "b+?", "", "abbbc", "1-2" }, { "a|ab", "", "ab", "0-1" }, { "(a|ab)(c|bcd)", "", "abcd", "0-4 0-1 1-4" }, { "(a)|(b)", "", "b", "0-1 - 0-1" },
        { "^a", "", "ba", "" }, { "a$", "", "ba", "1-2" }, { "a$", "", "a\n", "0-1" }, { "a\\z", "", "a\n", "" }, { "(?m)^b", "", "a\nb", "2-3" }, { "a.b", "", "a\nb", "" },
        { "a.b", "p", "a\nb", "0-3" }, { "(?s)a.b", "", "a\nb", "0-3" }, { "É", "i", "xé", "1-3" }, { "[à-ü]+", "", "aéüb", "1-5" }, { "\\bfoo\\b", "", "a foo!", "2-5" },
        { "\\w+", "", "  Größe x", "2-9" }, { "[^\\s]+", "", " ab ", "1-3" }, { "x{2,3}", "", "xxxx", "0-3" }, { "(x{2}){2}", "", "xxxx", "0-4 2-4" }, { "a{,2}", "", "a{,2}", "0-5" },
        { "(?<y>\\d{4})-(\\d\\d)", "", "on 2024-05", "3-10 3-7 8-10" }, { "(?:ab)+(c)?", "", "ababx", "0-4 -" }, { "a b # c", "x", "ab", "0-2" }, { "\\Qa.b\\E", "", "axb a.b", "4-7" },
        { "\\x41\\u0042\\x{43}", "", "ABC", "0-3" }, { "", "", "a", "0-0" }, { "(a*)*", "", "aa", "0-2 0-2" }, { "[[:upper:]][[:^upper:]]", "", "aBc", "1-3" }, { "\\p{Lu}\\P{Lu}", "", "aÉc", "1-4" },
        { "(?i:a)b", "", "Ab", "0-2" }, { "(?i:a)b", "", "AB", "" }, { "[]a]+", "", "a]b", "0-2" }, { "[a\\-z]+", "", "-az", "0-3" }, { "needle", "", "hay needle", "4-10" } };
    (void)s;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const char *got = match(CASES[i].pattern, CASES[i].flags, CASES[i].text);
        if (strcmp(got, CASES[i].spans)) fail_msg("%s /%s on %s: %s, wanted %s", CASES[i].pattern, CASES[i].flags, CASES[i].text, got, CASES[i].spans);
    }
}

static void what_needs_backtracking_is_refused_with_a_reason(void **s)
{
    static const struct { const char *pattern, *why; } CASES[] = { { "(a)\\1", "back references" }, { "a(?=b)", "look-around" }, { "(?<!a)b", "look-around" }, { "(?>a)", "atomic" },
        { "a++", "possessive" }, { "(a", "`)` is missing" }, { "a)", "`)` without `(`" }, { "[a", "`]` is missing" }, { "*a", "nothing to repeat" }, { "a{3,2}", "below" }, { "a\\", "at the end" },
        { "\\p{Greek}", "no such property" }, { "[z-a]", "wrong way" }, { "(a{1000}){1000}", "too big" }, { "\\y", "unknown escape" }, { "a{2000}", "1000 repeats" } };
    (void)s;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const char *got = match(CASES[i].pattern, "", "a");
        if (got[0] != '!' || !strstr(got, CASES[i].why)) fail_msg("%s: %s, wanted %s", CASES[i].pattern, got, CASES[i].why);
    }
}

static void time_grows_with_the_text_alone(void **s)
{
    static const char *const BAD[] = { "(a*)*b", "(a|a)*b", "(a+)+$", "(a?){30}a{30}b", "(.*)(.*)(.*)(.*)x" };
    enum { N = 100000 };
    static char text[N];
    qn_regex *re;
    (void)s;
    memset(text, 'a', N);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        bool found = true;
        uint64_t work = (uint64_t)N * 400, before = work;
        assert_int_equal(qn_regex_compile(qn_str_of(BAD[i]), (qn_str){0}, &arena, &re, &err), QN_OK);
        assert_int_equal(qn_regex_find(re, (qn_str){ text, N }, 0, NULL, &work, &found, &err), QN_OK);
        assert_int_equal(found, i == 2);
        assert_true(before - work < (uint64_t)N * 200);
    }
    uint64_t little = 1000;
    bool found;
    assert_int_equal(qn_regex_compile(QN_STR("(a|b)*c"), (qn_str){0}, &arena, &re, &err), QN_OK);
    assert_int_equal(qn_regex_find(re, (qn_str){ text, N }, 0, NULL, &little, &found, &err), QN_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_leftmost_match_in_a_backtracker_s_order_is_found), cmocka_unit_test(what_needs_backtracking_is_refused_with_a_reason),
        cmocka_unit_test(time_grows_with_the_text_alone),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
