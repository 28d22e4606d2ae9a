/* Instructions and demonstrations put into a recipe's text: only the asks change, and what was put in reads back as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "compile/tuned.h"
#include "recipe/expr.h"

static const char RECIPE[] =
    "quern: 1\nsteps:\n"
    "  - read_rows: {path: a.jsonl}   # stays: \xc3\xa9\n"
    "  - name: \"\xc3\xa9t\xc3\xa9\"\n"
    "    ask:\n      # stays too\n      model: $m\n      prompt: |\n        Word: {{ .w }}\n      reply: {kind: text}\n"
    "  - repeat:\n      times: 2\n      steps:\n        - ask: {model: $m, prompt: \"{{ .w }}\", as: x}\n"
    "  - ask: {model: $m, system: mine, prompt: p, as: y}\n"
    "  - ask: {model: $m, messages: [{user: u}], prompt: p, as: z}\n"
    "  - ask: {model: $m, kind: completion, prompt: p, as: c}\n"
    "  - write: {to: data.jsonl}\n";

static const qn_demo HARD = { .prompt = { "$5 for {{ this }} and \"that\"\n\xc3\xa9", 31 }, .reply = { "{\"kind\": \"a: b\"}", 16 } };

/* The text that a template in the recipe gives. */
static qn_str filled(const qn_ynode *node, qn_arena *a)
{
    qn_template *t;
    qn_err e = {0};
    qn_buf b = {0};
    qn_str text = node->text;
    if (text.n > 1 && text.p[0] == '$' && text.p[1] == '$') text = qn_str_sub(text, 1, text.n);     /* as parameters are read */
    assert_int_equal(qn_template_compile(text, (qn_pos){0}, a, &t, &e), QN_OK);
    qn_row *r = qn_row_new((qn_hash128){0});
    assert_int_equal(qn_template_fill(t, r, a, &b, &e), QN_OK);
    qn_row_drop(r);
    qn_str s = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

static void only_the_asks_that_can_be_tuned_are_found(void **state)
{
    (void)state;
    qn_arena a = {0};
    qn_ask_place *p;
    size_t n;
    qn_err e = {0};
    assert_int_equal(qn_tuned_find(qn_str_of(RECIPE), "r.yaml", &a, &p, &n, &e), QN_OK);
    assert_int_equal(n, 3);
    assert_false(p[0].flow);
    assert_true(p[1].flow && p[2].flow);
    assert_true(!p[0].has_system && !p[1].has_system && p[2].has_system);
    assert_true(qn_str_is(p[0].prompt, "Word: {{ .w }}\n") && qn_str_is(p[0].model, "$m") && p[0].reply.n && !p[1].reply.n);
    qn_arena_free(&a);
}

static void what_is_put_in_reads_back_and_the_rest_stays(void **state)
{
    (void)state;
    qn_arena a = {0};
    qn_ask_place *p;
    size_t n;
    qn_err e = {0};
    qn_buf out = {0};
    qn_ynode *root;
    const qn_demo *demos[] = { &HARD };
    assert_int_equal(strlen(HARD.prompt.p), HARD.prompt.n);
    assert_int_equal(qn_tuned_find(qn_str_of(RECIPE), "r.yaml", &a, &p, &n, &e), QN_OK);
    qn_tuning t = { QN_STR("Say {{ it }}: $x\nnow."), demos, 1 }, tunings[] = { t, t, t };
    qn_tuned_write(qn_str_of(RECIPE), p, tunings, n, &out);
    assert_int_equal(qn_yaml_parse(qn_buf_view(&out), "r.yaml", 0, &a, &root, &e), QN_OK);
    const qn_ynode *steps = qn_yaml_get(root, "steps");
    const qn_ynode *asks[] = { qn_yaml_get(steps->items[1], "ask"), qn_yaml_get(qn_yaml_get(qn_yaml_get(steps->items[2], "repeat"), "steps")->items[0], "ask"), qn_yaml_get(steps->items[3], "ask") };
    for (int i = 0; i < 3; i++) {
        const qn_ynode *messages = qn_yaml_get(asks[i], "messages"), *system = qn_yaml_get(asks[i], "system");
        assert_int_equal(messages->n, 2);
        assert_true(qn_str_eq(filled(qn_yaml_get(messages->items[0], "user"), &a), HARD.prompt));
        assert_true(qn_str_eq(filled(qn_yaml_get(messages->items[1], "assistant"), &a), HARD.reply));
        assert_true(qn_str_eq(filled(system, &a), i == 2 ? QN_STR("mine") : t.instruction));
        assert_non_null(qn_yaml_get(asks[i], "prompt"));
    }
    assert_non_null(strstr(out.p, "# stays: \xc3\xa9"));
    assert_non_null(strstr(out.p, "# stays too"));
    assert_non_null(strstr(out.p, "{model: $m, messages: [{user: u}], prompt: p, as: z}"));
    qn_buf_free(&out);
    qn_arena_free(&a);
}

static void nothing_to_put_in_changes_nothing(void **state)
{
    (void)state;
    qn_arena a = {0};
    qn_ask_place *p;
    size_t n;
    qn_err e = {0};
    qn_buf out = {0};
    qn_tuning none[3] = {0};
    assert_int_equal(qn_tuned_find(qn_str_of(RECIPE), "r.yaml", &a, &p, &n, &e), QN_OK);
    qn_tuned_write(qn_str_of(RECIPE), p, none, n, &out);
    assert_string_equal(out.p, RECIPE);
    qn_buf_free(&out);
    qn_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_asks_that_can_be_tuned_are_found),
        cmocka_unit_test(what_is_put_in_reads_back_and_the_rest_stays),
        cmocka_unit_test(nothing_to_put_in_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
