/* robots: RFC 9309's rules, its own examples (section 5) among them. */
#include "text/robots.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static bool may(const char *text, const char *path) { return qn_robots_ask(qn_str_of(text), QN_STR("quern"), qn_str_of(path)).allowed; }

static void nothing_said_allows_all(void **state)
{
    (void)state;
    assert_true(may("", "/a"));
    assert_true(may("<html>not a robots file: at all</html>", "/a"));
    assert_true(may("User-agent: other\nDisallow: /\n", "/a"));
    assert_true(may("User-agent: *\nDisallow:\n", "/a"));
    assert_true(may("Disallow: /\n", "/a"));                            /* a rule before any group belongs to nobody */
}

static void the_own_group_counts_alone(void **state)
{
    (void)state;
    const char *t = "User-agent: *\nDisallow: /\n\nUser-Agent: QUERN/2.0 (x)\nDisallow: /private\n\nuser-agent: quern\ndisallow: /tmp # twice\n";
    assert_true(may(t, "/open"));
    assert_false(may(t, "/private/x"));
    assert_false(may(t, "/tmp"));                                       /* groups of one token are one */
    assert_true(may("User-agent: quernel\nDisallow: /\n", "/a"));
}

static void groups_may_share_their_rules(void **state)
{
    (void)state;
    const char *t = "User-agent: a\nUser-agent: quern\nUser-agent: b\nDisallow: /x\r\nSitemap: /s\nDisallow: /y\nUser-agent: c\nDisallow: /z\n";
    assert_false(may(t, "/x"));
    assert_false(may(t, "/y"));
    assert_true(may(t, "/z"));
}

static void the_longest_match_wins_and_allow_of_equals(void **state)
{
    (void)state;
    const char *t = "User-agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n";     /* section 5.2 */
    assert_true(may(t, "/example/page/x"));
    assert_false(may(t, "/example/page/disallowed.gif"));
    assert_true(may("User-agent: *\nDisallow: /p\nAllow: /p\n", "/p/q"));
    assert_false(may("User-agent: *\nAllow: /\nDisallow: /p\n", "/p/q"));
}

static void stars_and_ends(void **state)
{
    (void)state;
    const char *t = "User-agent: *\nDisallow: *.gif$\nAllow: /publications/\nDisallow: /*/draft*final\n";
    assert_false(may(t, "/a/b.gif"));
    assert_true(may(t, "/a/b.gif?x"));
    assert_false(may(t, "/a/draft/1/final.html"));
    assert_true(may(t, "/a/draft/1"));
    assert_true(may("User-agent: *\nDisallow: /*a*a*a*a*a*a*a*a*b\n", "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    assert_false(may("User-agent: *\nDisallow: /$\n", "/"));
    assert_true(may("User-agent: *\nDisallow: /$\n", "/a"));
}

static void escapes_are_compared_by_what_they_mean(void **state)
{
    (void)state;
    assert_false(may("User-agent: *\nDisallow: /foo/bar/%62%61%7A\n", "/foo/bar/baz"));                  /* section 2.2.2 */
    assert_false(may("User-agent: *\nDisallow: /caf\xC3\xA9\n", "/caf%C3%A9"));
    assert_true(may("User-agent: *\nDisallow: /a%2Fb\n", "/a/b"));
}

static void a_delay_is_read(void **state)
{
    (void)state;
    assert_true(qn_robots_ask(QN_STR("User-agent: *\nCrawl-delay: 2.5\n"), QN_STR("quern"), QN_STR("/")).delay_s == 2.5);
    assert_true(qn_robots_ask(QN_STR("User-agent: x\nCrawl-delay: 9\n"), QN_STR("quern"), QN_STR("/")).delay_s == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_allows_all), cmocka_unit_test(the_own_group_counts_alone), cmocka_unit_test(groups_may_share_their_rules),
        cmocka_unit_test(the_longest_match_wins_and_allow_of_equals), cmocka_unit_test(stars_and_ends),
        cmocka_unit_test(escapes_are_compared_by_what_they_mean), cmocka_unit_test(a_delay_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
