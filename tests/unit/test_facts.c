/* Questions from plain sentences, and from two documents: what is read, and what must not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "builtin/multihop.h"
#include "builtin/tech_facts.h"

/* "question -> answer" of everything found, a line each. */
static char *found(const char *title, const char *passage)
{
    static char out[4096];
    qn_arena a = { 0 };
    qn_facts f;
    size_t n = 0;
    qn_str p = qn_str_of(passage);
    qn_facts_find(qn_str_of(title), p, &a, &f);
    out[0] = 0;
    for (size_t i = 0; i < f.n; i++) {
        const qn_fact *x = &f.items[i];
        assert_true(x->start + x->answer.n <= p.n && memcmp(p.p + x->start, x->answer.p, x->answer.n) == 0);   /* the answer is where it is said to be */
        n += (size_t)snprintf(out + n, sizeof out - n, "%.*s -> %.*s\n", QN_FMT(x->question), QN_FMT(x->answer));
    }
    qn_arena_free(&a);
    return out;
}
#define FINDS(title, passage, line) do { char *f_ = found(title, passage); if (!strstr(f_, line "\n")) fail_msg("`%s` is not among:\n%s", line, f_); } while (0)
#define NOTHING(title, passage) assert_string_equal(found(title, passage), "")

/* The same for technical prose alone. */
static char *manual(const char *passage)
{
    static char out[4096];
    qn_arena a = { 0 };
    qn_facts f = { 0 };
    size_t n = 0;
    qn_tech_facts_find(qn_str_of(passage), &a, &f);
    out[0] = 0;
    for (size_t i = 0; i < f.n; i++) {
        assert_memory_equal(passage + f.items[i].start, f.items[i].answer.p, f.items[i].answer.n);
        n += (size_t)snprintf(out + n, sizeof out - n, "%.*s -> %.*s\n", QN_FMT(f.items[i].question), QN_FMT(f.items[i].answer));
    }
    qn_arena_free(&a);
    return out;
}
#define SAYS(passage, lines) assert_string_equal(manual(passage), lines)

static void manuals_are_read(void **s)
{
    (void)s;
    SAYS("Certificates are signed by a certification authority (CA).", "What does CA stand for? -> certification authority\n");
    SAYS("Each flaw gets a CWE (Common Weakness Enumeration) number.", "What does CWE stand for? -> Common Weakness Enumeration\n");
    SAYS("The default smtp port is 25.", "What is the default smtp port? -> 25\n");
    SAYS("`ftps://` connections default to port 990 unless told.", "What do `ftps://` connections default to? -> port 990 unless told\n");
    SAYS("Support for `--json` was added in curl 7.82.0.", "In which version of curl was support for `--json` added? -> 7.82.0\n");
    SAYS("- `CURLWS_NOAUTOPONG` disables automatic replies (see below).", "What does `CURLWS_NOAUTOPONG` disable? -> automatic replies\n");
    SAYS("The function `type` returns a string that names the type.", "What does the function `type` return? -> a string that names the type\n");
    SAYS("uv_handle_t is the base type for all handles.", "What is uv_handle_t? -> the base type for all handles\n");
    SAYS("Timer handles are used to schedule callbacks, which run later.", "What are timer handles used for? -> to schedule callbacks\n");
    SAYS("The first line in an HTTP response is called the status line.", "What is the first line in an HTTP response called? -> the status line\n");
    SAYS("Licensed Material means the work under this licence.", "");
    SAYS("Licensed Material means the work to which the licensor applied a licence.", "What does Licensed Material mean? -> the work to which the licensor applied a licence\n");
}

static void what_a_manual_leaves_open_is_left_alone(void **s)
{
    (void)s;
    SAYS("", "");
    SAYS("The default size is 16.", "");                               /* of what? */
    SAYS("`data` is a pointer to the buffer in hand.", "");            /* whose? */
    SAYS("It returns the number of bytes.", "");
    SAYS("This option sets the timeout.", "");
    SAYS("The file is used to store cookies.", "");                    /* which? */
    SAYS("Teams (POSIX) are allowed.", "");                            /* not its letters */
    SAYS("`uv_run` returns 0. `uv_run` returns 1.", "");               /* two answers */
    SAYS("# `uv_run` returns 0.", "");
    SAYS("```\n`uv_run` returns the state of things.\n```", "");
}

static void plain_sentences_are_read(void **s)
{
    (void)s;
    FINDS("Harbour Lights", "Harbour Lights is a short film. The film was written and directed by Anna Lindqvist.", "Who wrote and directed Harbour Lights? -> Anna Lindqvist");
    FINDS("Mill Choir", "Mill Choir is a choir. The choir was founded and led by Anna Lindqvist.", "By whom was Mill Choir founded and led? -> Anna Lindqvist");
    FINDS("Marie Curie", "Marie Curie was a physicist. She was born in Warsaw on 7 November 1867.", "When was Marie Curie born? -> 7 November 1867");
    FINDS("Marie Curie", "Marie Curie was a physicist. She was born in Warsaw on 7 November 1867.", "Where was Marie Curie born? -> Warsaw");
    FINDS("Thames", "The Thames is a river in England. It is 346 kilometres long.", "How long is the Thames? -> 346 kilometres");
    FINDS("Warsaw", "Warsaw is the capital of Poland. It lies on the river Vistula.", "On which river does Warsaw lie? -> Vistula");
    FINDS("Ganymede", "Ganymede is a moon. It was discovered by Galileo Galilei in 1610.", "Who discovered Ganymede in 1610? -> Galileo Galilei");
    FINDS("Pierre Curie", "Pierre Curie was a French physicist. He died on 19 April 1906 because he was run over by a cart.", "Why did Pierre Curie die on 19 April 1906? -> he was run over by a cart");
    FINDS("", "In 1946, the University of Warsaw was reopened. The University of Warsaw was established in 1816.", "When was the University of Warsaw established? -> 1816");
    FINDS("Piano", "The piano is an instrument. A modern concert piano has 88 keys.", "How many keys does a modern concert piano have? -> 88");
    FINDS("Max Bruch", "Max Bruch (6 January 1838 – 2 October 1920) was a German composer.", "When was Max Bruch born? -> 6 January 1838");
    FINDS("A Texas Steer", "A Texas Steer is a 1927 American film directed by Richard Wallace and starring Will Rogers.", "Who directed A Texas Steer? -> Richard Wallace");
    FINDS("A Texas Steer", "A Texas Steer is a 1927 American film directed by Richard Wallace and starring Will Rogers.", "In what year did A Texas Steer come out? -> 1927");
    FINDS("Max Bruch", "Max Bruch (6 January 1838 – 2 October 1920) was a German composer.", "What nationality was Max Bruch? -> German");
}

static void what_is_not_certain_is_left_alone(void **s)
{
    (void)s;
    NOTHING("", "");
    NOTHING("", "He was born in 1810.");                                             /* who? */
    NOTHING("Marie Curie", "Marie Curie was not born in 1850.");
    NOTHING("Warsaw", "When was Warsaw founded?");
    NOTHING("Warsaw", "# Warsaw was founded in 1300.");                              /* a heading */
    NOTHING("Bonn", "Bonn and Cologne were founded in 1200 or 1300.");
    assert_null(strstr(found("Bonn", "Bonn was the capital from 1949 to 1990. It was founded between 10 and 20."), "When"));
    assert_null(strstr(found("Warsaw", "Warsaw is a city. Later he was born in 1900."), "born"));
    /* two answers to one question: neither is taken */
    assert_null(strstr(found("Harvard", "Harvard was founded in 1636. Harvard was founded in 1640."), "When"));
    /* nations that are not where somebody is from */
    assert_null(strstr(found("Ann Vale", "Ann Vale was a Canadian-born American actress."), "nationality"));
    assert_null(strstr(found("Ann Vale", "Ann Vale was an English Australian actress."), "nationality"));
    assert_null(strstr(found("Ann Vale", "Ann Vale was an American football coach."), "nationality"));
    assert_null(strstr(found("Ann Vale", "Ann Vale was an actress of the French stage."), "nationality"));
    /* the pronoun is not the title when another sentence stands between */
    assert_null(strstr(found("Ada Lovelace", "Ada Lovelace was a mathematician. Charles Babbage worked with many people. He was born in 1791."), "Ada Lovelace born"));
}

static bool bridge(const char *ta, const char *pa, const char *tb, const char *pb, const char *seed, qn_arena *a, qn_multihop *q)
{
    static qn_facts x, y;
    qn_rng r = qn_rng_seed(1);
    qn_facts_find(qn_str_of(ta), qn_str_of(pa), a, &x);
    qn_facts_find(qn_str_of(tb), qn_str_of(pb), a, &y);
    return qn_bridge_write(&x, qn_str_of(pa), &y, qn_str_of(seed), &r, a, q);
}

static void a_bridge_hides_the_entity_and_needs_both(void **s)
{
    (void)s;
    static const char CURIE[] = "Marie Curie was a physicist. She was born in Warsaw on 7 November 1867.";
    static const char WARSAW[] = "Warsaw is the capital of Poland. It lies on the river Vistula.";
    qn_arena a = { 0 };
    qn_multihop q;
    assert_true(bridge("Marie Curie", CURIE, "Warsaw", WARSAW, "Warsaw", &a, &q));
    assert_true(qn_str_is(q.question, "On which river does the city where Marie Curie was born lie?"));
    assert_true(qn_str_is(q.answer, "Vistula"));
    assert_true(qn_str_is(q.steps[0].question, "Where was Marie Curie born?") && qn_str_is(q.steps[0].answer, "Warsaw"));
    assert_true(qn_str_is(q.steps[1].question, "On which river does Warsaw lie?") && qn_str_is(q.steps[1].answer, "Vistula"));
    /* an answer that the first document gives away makes no bridge */
    assert_false(bridge("Marie Curie", "Marie Curie was a physicist. She was born in Warsaw. The Vistula flows there.", "Warsaw", WARSAW, "Warsaw", &a, &q));
    assert_false(bridge("Marie Curie", CURIE, "Berlin", "Berlin is the capital of Germany. It lies on the river Spree.", "Berlin", &a, &q));
    qn_arena_free(&a);
}

static void comparisons_are_right_and_never_of_equals(void **s)
{
    (void)s;
    qn_arena a = { 0 };
    qn_facts x, y, z;
    qn_multihop q, none;
    qn_facts_find(QN_STR("Rhine"), QN_STR("The Rhine is a river in Europe. It is 1,230 kilometres long."), &a, &x);
    qn_facts_find(QN_STR("Thames"), QN_STR("The Thames is a river in England. It is 346 kilometres long."), &a, &y);
    qn_facts_find(QN_STR("Main"), QN_STR("The Main is a river in Germany. It is 346 kilometres long."), &a, &z);
    for (uint64_t seed = 0; seed < 40; seed++) {
        qn_rng r = qn_rng_seed(seed);
        assert_true(qn_comparison_write(&x, &y, &r, &a, &q));
        assert_true(!qn_comparison_write(&y, &z, &r, &a, &none) || qn_str_is(none.answer, "yes"));       /* of equals: both are rivers, and no more */
        if (qn_str_is(q.answer, "yes")) { assert_true(qn_str_find(q.question, QN_STR("rivers")) >= 0); continue; }
        bool longer = qn_str_find(q.question, QN_STR("longer")) >= 0;
        assert_true(qn_str_is(q.answer, longer ? "Rhine" : "Thames"));
    }
    qn_arena_free(&a);
}

static void questions_of_nations_are_answered_by_both_documents(void **s)
{
    (void)s;
    qn_arena a = { 0 };
    qn_facts x, y, z;
    qn_multihop q;
    int n[2] = { 0 }, n_none = 0;
    qn_facts_find(QN_STR("Red Sky"), QN_STR("Red Sky is a 1954 French film directed by Jean Dupont."), &a, &x);
    qn_facts_find(QN_STR("Low Tide"), QN_STR("Low Tide is a 1961 French film directed by Luc Petit."), &a, &y);
    qn_facts_find(QN_STR("Iron Hill"), QN_STR("Iron Hill is a 1938 Polish film directed by Jan Nowak."), &a, &z);
    for (uint64_t seed = 0; seed < 200; seed++) {
        qn_rng r = qn_rng_seed(seed);
        bool same = seed % 2;
        if (!qn_comparison_write(&x, same ? &y : &z, &r, &a, &q)) { n_none++; continue; }
        if (qn_str_find(q.question, QN_STR("released")) >= 0 || qn_str_find(q.question, QN_STR("came out")) >= 0) {
            bool later = qn_str_find(q.question, QN_STR("later")) >= 0;
            assert_true(qn_str_is(q.answer, same ? later ? "Low Tide" : "Red Sky" : later ? "Red Sky" : "Iron Hill"));
            continue;
        }
        if (qn_str_starts(q.question, QN_STR("Which film is "))) {       /* one of them is French, the other Polish */
            bool french = qn_str_find(q.question, QN_STR("French")) >= 0;
            assert_true(!same && qn_str_is(q.answer, french ? "Red Sky" : "Iron Hill"));
            continue;
        }
        if (qn_str_is(q.steps[0].answer, "film")) { assert_true(qn_str_is(q.answer, "yes")); continue; }
        n[same]++;
        assert_true(qn_str_is(q.answer, same ? "yes" : "no"));
        assert_true(qn_str_is(q.steps[0].answer, "French") && qn_str_is(q.steps[1].answer, same ? "French" : "Polish"));
        assert_true(qn_str_find(q.question, QN_STR("Red Sky")) >= 0 && qn_str_find(q.question, same ? QN_STR("Low Tide") : QN_STR("Iron Hill")) >= 0);
    }
    assert_true(n[0] > 3 && n[1] > 20 && n_none < 10);
    qn_arena_free(&a);
}

static void any_bytes_are_read_without_harm(void **s)
{
    (void)s;
    static const char SEED[] = "Marie Curie (7 November 1867 – 4 July 1934) was a physicist. She was born in Warsaw, Poland, because \"x\" | [y] (z). In 1898, it has 88 keys.";
    qn_rng r = qn_rng_seed(3);
    for (int t = 0; t < 3000; t++) {
        char b[sizeof SEED];
        memcpy(b, SEED, sizeof SEED);
        for (int k = 0; k < 1 + t % 9; k++) b[qn_rng_below(&r, sizeof SEED - 1)] = (char)qn_rng_next(&r);
        qn_arena a = { 0 };
        qn_facts f;
        size_t n = 1 + qn_rng_below(&r, sizeof SEED - 1);
        qn_facts_find(QN_STR("Marie Curie"), (qn_str){ b, n }, &a, &f);
        for (size_t i = 0; i < f.n; i++) assert_true(f.items[i].start + f.items[i].answer.n <= n);
        qn_arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_sentences_are_read), cmocka_unit_test(manuals_are_read), cmocka_unit_test(what_a_manual_leaves_open_is_left_alone), cmocka_unit_test(what_is_not_certain_is_left_alone),
        cmocka_unit_test(a_bridge_hides_the_entity_and_needs_both), cmocka_unit_test(comparisons_are_right_and_never_of_equals),
        cmocka_unit_test(questions_of_nations_are_answered_by_both_documents),
        cmocka_unit_test(any_bytes_are_read_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
