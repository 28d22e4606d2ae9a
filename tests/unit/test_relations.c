/* What set phrases say of a document's main entity, and how it makes bridges; what is of somebody else must not be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "builtin/multihop.h"
#include "builtin/relations.h"

static void read_all(const char *title, const char *passage, qn_arena *a, qn_facts *f)
{
    qn_facts_find(qn_str_of(title), qn_str_of(passage), a, f);
    qn_relations_find(qn_str_of(passage), a, f);
}

static char *found(const char *title, const char *passage)
{
    static char out[8192];
    qn_arena a = { 0 };
    qn_facts f;
    size_t n = 0;
    read_all(title, passage, &a, &f);
    out[0] = 0;
    for (size_t i = 0; i < f.n; i++) {
        const qn_fact *x = &f.items[i];
        assert_memory_equal(passage + x->start, x->answer.p, x->answer.n);
        n += (size_t)snprintf(out + n, sizeof out - n, "%.*s -> %.*s\n", QN_FMT(x->question), QN_FMT(x->answer));
    }
    qn_arena_free(&a);
    return out;
}
#define FINDS(title, passage, line) do { char *f_ = found(title, passage); if (!strstr(f_, line "\n")) fail_msg("`%s` is not among:\n%s", line, f_); } while (0)
#define LACKS(title, passage, part) do { char *f_ = found(title, passage); if (strstr(f_, part)) fail_msg("`%s` is among:\n%s", part, f_); } while (0)

static void set_phrases_are_read(void **s)
{
    (void)s;
    FINDS("Red Sky", "Red Sky is a novel by the British author Ann Vale.", "Who wrote Red Sky? -> Ann Vale");
    FINDS("Low Tide", "\"Low Tide\" is a song by American rock band The Owls.", "Who performed Low Tide? -> The Owls");
    FINDS("Jan Vos", "Jan Vos is a Dutch footballer who plays for Ajax.", "For which team does Jan Vos play? -> Ajax");
    FINDS("Ann Vale", "Ann Vale (born 1950) is a British actress, writer and producer known for her work in radio drama.", "What is the occupation of Ann Vale? -> actress, writer and producer");
    FINDS("Jan Vos", "Jan Vos was a pioneering Swedish film director working in Hollywood.", "What is the occupation of Jan Vos? -> film director");
    FINDS("Ann Vale", "Ann Vale is a British actress known for her work in radio drama.", "What is Ann Vale known for? -> work in radio drama");
    FINDS("Anna of Saxony", "Anna of Saxony was a German princess. She was the daughter of Maurice of Saxony.", "Who was a parent of Anna of Saxony? -> Maurice of Saxony");
    FINDS("Linford", "Linford is a village in Essex. The population was 1,519 at the census.", "What is the population of Linford? -> 1,519");
    FINDS("Linford", "Linford is a village in Essex.", "Where is Linford located? -> Essex");
    FINDS("Acme Tools", "Acme Tools is a company. It was founded by Jan Vos in 1901.", "Who founded Acme Tools? -> Jan Vos");
    FINDS("The Owls", "The Owls are a rock band formed in 1990.", "When was The Owls founded? -> 1990");
    FINDS("Two Men", "Two Men is an episode of the series \"Night Train\".", "Of what is Two Men an episode? -> Night Train");
}

static void what_is_said_of_others_is_not_read(void **s)
{
    (void)s;
    LACKS("Red Sky", "Red Sky is a novel by Ann Vale, who was born in Essex.", "Red Sky born");     /* the author was */
    LACKS("Linford", "Linford is a village of John Low, which was founded in 1901.", "Linford founded");
    LACKS("Ann Vale", "Ann Vale is a singer. Jan Vos was born in Essex.", "Ann Vale born");
    LACKS("Jan Vos", "Jan Vos is a footballer. He played for Ajax. He played for Feyenoord.", "For which team did");       /* two answers: neither */
    LACKS("Linford", "Linford is a village. Its population was about 90 in 1801.", "1801");
    LACKS("Ann Vale", "Ann Vale is an actress known for her work on \"Night Train\".", "known for");        /* the clause is cut */
    LACKS("Ann Vale", "Ann Vale is a singer. Her father was born in Essex.", "born");      /* he was */
    LACKS("Red Moon", "Red Moon is a planet. Its rings were discovered by Jan Vos.", "Who discovered Red Moon");
    LACKS("X", "X is a novel by Ann Vale.", "wrote");       /* a name too short to be looked for */
}

static bool bridge(const char *ta, const char *pa, const char *tb, const char *pb, uint64_t seed, qn_arena *a, qn_multihop *q)
{
    qn_facts x, y;
    qn_rng r = qn_rng_seed(seed);
    read_all(ta, pa, a, &x);
    read_all(tb, pb, a, &y);
    return qn_bridge_write(&x, qn_str_of(pa), &y, qn_str_of(tb), &r, a, q);
}

static void bridges_of_relations_hide_the_entity_and_lead_to_the_answer(void **s)
{
    (void)s;
    qn_arena a = { 0 };
    qn_multihop q;
    int n_kind = 0, n_years = 0;
    static const char SONG[] = "Low Tide is a song by the British singer Ann Vale.", VALE[] = "Ann Vale (born 3 May 1950) is a British singer and writer. She studied at Leeds University.";
    for (uint64_t seed = 0; seed < 200; seed++) {
        assert_true(bridge("Low Tide", SONG, "Ann Vale", VALE, seed, &a, &q));
        assert_true(qn_str_find(q.question, QN_STR("Ann Vale")) < 0 && qn_str_find(q.question, QN_STR("performer of")) >= 0 && qn_str_find(q.question, QN_STR("Low Tide")) >= 0);
        assert_true(qn_str_is(q.steps[0].answer, "Ann Vale") && qn_str_eq(q.steps[1].answer, q.answer) && qn_str_find(qn_str_of(VALE), q.answer) >= 0);
        n_kind += qn_str_find(q.question, QN_STR("the song Low Tide")) >= 0;
        if (qn_str_starts(q.question, QN_STR("In what year"))) { n_years++; assert_true(qn_str_is(q.answer, "1950") && qn_str_starts(q.steps[1].question, QN_STR("In what year"))); }
    }
    assert_true(n_kind > 20 && n_kind < 150 && n_years > 3);
    /* a namesake: the document of that name is of no person */
    assert_true(bridge("Low Tide", "Low Tide is a novel by Ann Vale.", "Ann Vale", VALE, 1, &a, &q));
    assert_false(bridge("Low Tide", "Low Tide is a novel by Ann Vale.", "Ann Vale", "Ann Vale is a village in Essex. The population was 1,519.", 1, &a, &q));
    qn_arena_free(&a);
}

static void kinds_are_compared_with_yes_and_no(void **s)
{
    (void)s;
    qn_arena a = { 0 };
    qn_facts film, other, song, person;
    qn_multihop q;
    int n[2] = { 0 };
    read_all("Red Sky", "Red Sky is a film.", &a, &film);
    read_all("Low Tide", "Low Tide is a film.", &a, &other);
    read_all("Iron Hill", "Iron Hill is a song.", &a, &song);
    read_all("Ann Vale", "Ann Vale is a singer.", &a, &person);
    assert_true(qn_kinds_akin(&film, &song) && !qn_kinds_akin(&film, &person) && !qn_kinds_akin(&person, &song));
    for (uint64_t seed = 0; seed < 100; seed++) {
        qn_rng r = qn_rng_seed(seed);
        bool same = seed % 2;
        assert_false(qn_comparison_write(&film, &person, &r, &a, &q));
        if (!qn_comparison_write(&film, same ? &other : &song, &r, &a, &q)) continue;
        assert_true(qn_str_is(q.answer, same ? "yes" : "no") && qn_str_find(q.question, QN_STR("Red Sky")) >= 0);
        n[same]++;
    }
    assert_true(n[0] > 5 && n[1] > 5);
    qn_arena_free(&a);
}

static void british_and_english_are_not_held_against_each_other(void **s)
{
    (void)s;
    qn_arena a = { 0 };
    qn_facts x, y;
    qn_multihop q;
    int n = 0;
    read_all("Ann Vale", "Ann Vale was a British singer.", &a, &x);
    read_all("Jan Low", "Jan Low was an English writer.", &a, &y);
    for (uint64_t seed = 0; seed < 200; seed++) {
        qn_rng r = qn_rng_seed(seed);
        if (!qn_comparison_write(&x, &y, &r, &a, &q)) continue;
        n++;
        assert_true(qn_str_find(q.question, QN_STR("British")) < 0 && qn_str_find(q.question, QN_STR("English")) < 0 && qn_str_find(q.question, QN_STR("national")) < 0);
    }
    assert_true(n > 10);        /* who is a writer? */
    qn_arena_free(&a);
}

static void any_bytes_are_read_without_harm(void **s)
{
    (void)s;
    static const char SEED[] = "Marie Curie (7 November 1867 – 4 July 1934) was a physicist known for her work. She was the daughter of \"X Y\", a member of the Z in Q, 1898; population 1,519.";
    qn_rng r = qn_rng_seed(3);
    for (int t = 0; t < 3000; t++) {
        char b[sizeof SEED];
        memcpy(b, SEED, sizeof SEED);
        for (int k = 0; k < 1 + t % 9; k++) b[qn_rng_below(&r, sizeof SEED - 1)] = (char)qn_rng_next(&r);
        qn_arena a = { 0 };
        qn_facts f;
        qn_str all = { b, 1 + qn_rng_below(&r, sizeof SEED - 1) };
        qn_facts_find(QN_STR("Marie Curie"), all, &a, &f);
        qn_relations_find(all, &a, &f);
        for (size_t i = 0; i < f.n; i++) assert_true(f.items[i].start + f.items[i].answer.n <= all.n);
        qn_arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_phrases_are_read), cmocka_unit_test(what_is_said_of_others_is_not_read), cmocka_unit_test(bridges_of_relations_hide_the_entity_and_lead_to_the_answer),
        cmocka_unit_test(kinds_are_compared_with_yes_and_no), cmocka_unit_test(british_and_english_are_not_held_against_each_other), cmocka_unit_test(any_bytes_are_read_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
