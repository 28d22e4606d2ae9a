/* test_schema: the short form of replies, checking values against schemas, and JSON out of messy replies. Comparison with Python's jsonschema is
 * in test_schema_oracle.c. */
#include "recipe/schema.h"
#include "data/yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static qn_arena arena;
static qn_err err;
static int end(void **s) { (void)s; qn_arena_free(&arena); return 0; }

static qn_value json(const char *z)
{
    qn_value v;
    if (qn_json_parse(qn_str_of(z), &arena, &v, &err) != QN_OK) fail_msg("%s: %s", z, err.msg);
    return v;
}

static qn_value short_form(const char *z)
{
    qn_ynode *y;
    qn_value v, schema;
    if (qn_yaml_parse(qn_str_of(z), "t", 0, &arena, &y, &err) != QN_OK) fail_msg("%s: %s", z, err.msg);
    v = qn_yaml_value(y, &arena);
    if (qn_schema_of_short(v, &arena, &schema, &err) != QN_OK) return qn_v_null();
    return schema;
}

static const char *text_of(qn_value v)
{
    static char out[8192];
    qn_buf b = {0};
    qn_json_write(&b, v);
    snprintf(out, sizeof out, "%s", b.p);
    qn_buf_free(&b);
    return out;
}

static void the_short_form_becomes_a_schema(void **s)
{
    (void)s;
    assert_string_equal(text_of(short_form("question: text\nscore: int 1..5")),
        "{\"type\":\"object\",\"properties\":{\"question\":{\"type\":\"string\"},\"score\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5}},"
        "\"required\":[\"question\",\"score\"],\"additionalProperties\":false}");
    assert_string_equal(text_of(short_form("{kind: choice a|b|c, tags: [text, 1..3]}")),
        "{\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"string\",\"enum\":[\"a\",\"b\",\"c\"]},\"tags\":{\"type\":\"array\",\"items\":"
        "{\"type\":\"string\"},\"minItems\":1,\"maxItems\":3}},\"required\":[\"kind\",\"tags\"],\"additionalProperties\":false}");
    assert_string_equal(text_of(short_form("people: [{name: text, age: int?}]")),
        "{\"type\":\"object\",\"properties\":{\"people\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},"
        "\"age\":{\"type\":[\"integer\",\"null\"]}},\"required\":[\"name\"],\"additionalProperties\":false}}},\"required\":[\"people\"],"
        "\"additionalProperties\":false}");
    assert_string_equal(text_of(short_form("x: real 0..1 -- how sure you are")),
        "{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1,\"description\":\"how sure you are\"}},"
        "\"required\":[\"x\"],\"additionalProperties\":false}");
    assert_string_equal(text_of(short_form("code: text /^[A-Z]{2}$/")),
        "{\"type\":\"object\",\"properties\":{\"code\":{\"type\":\"string\",\"pattern\":\"^[A-Z]{2}$\"}},\"required\":[\"code\"],\"additionalProperties\":false}");
    const char *full = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}";
    qn_value schema;
    assert_int_equal(qn_schema_of_short(json(full), &arena, &schema, &err), QN_OK);
    assert_string_equal(text_of(schema), full);
}

static void mistakes_in_the_short_form_name_the_field(void **s)
{
    static const struct { const char *form, *message, *hint; } CASES[] = {
        { "a: {b: strng}", "field a.b: no type is called `strng`", "" }, { "a: string", "no type is called `string`", "`text`" },
        { "a: int 5..1", "no range", "" }, { "a: int 1.5..2", "whole numbers", "" }, { "a: choice", "needs words", "" },
        { "a: choice x|x", "twice", "" }, { "a: [text, int, int]", "3 parts", "" }, { "a: {}", "without fields", "" }, { "a: bool 1..2", "no range", "" } };
    (void)s;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        err.msg[0] = err.hint[0] = 0;
        assert_int_equal(short_form(CASES[i].form).kind, QN_V_NULL);
        if (!strstr(err.msg, CASES[i].message) || !strstr(err.hint, CASES[i].hint)) fail_msg("%s: %s (%s)", CASES[i].form, err.msg, err.hint);
    }
}

static void the_short_form_survives_the_way_there_and_back(void **s)
{
    static const char *const FORMS[] = { "{question: text, score: int 1..5}", "{kind: choice a|b, tags: [text,1..3]}", "{people: [{name: text, age: int?}]}",
        "{a: text 1..20, b: number 0.., c: bool?, d: any, e: object, f: [any]}", "{w: choice x|y?}" };
    (void)s;
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        qn_buf b = {0};
        qn_schema_write_short(&b, short_form(FORMS[i]));
        char *once = qn_strz(qn_buf_view(&b));
        qn_buf_clear(&b);
        qn_schema_write_short(&b, short_form(once));
        assert_string_equal(once, b.p);
        assert_string_equal(text_of(short_form(once)), text_of(short_form(FORMS[i])));
        qn_free(once);
        qn_buf_free(&b);
    }
}

static const char *problems(const char *schema, const char *value)
{
    static char out[4096];
    qn_schema *c;
    qn_buf b = {0};
    qn_value v = json(schema);
    if (qn_schema_compile(v, v, 0, &arena, &c, &err) != QN_OK) { snprintf(out, sizeof out, "! %s", err.msg); return out; }
    qn_schema_problems(c, json(value), 10, &b);
    snprintf(out, sizeof out, "%s", b.p ? b.p : "");
    qn_buf_free(&b);
    return out;
}

static void problems_are_words_that_a_model_can_act_on(void **s)
{
    (void)s;
    const char *o = "{\"type\":\"object\",\"properties\":{\"score\":{\"type\":\"integer\",\"maximum\":5,\"minimum\":1},\"kind\":{\"enum\":[\"a\",\"b\"]},"
                    "\"people\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"name\"],\"properties\":{\"age\":{\"type\":\"integer\"}}}}},"
                    "\"required\":[\"score\"],\"additionalProperties\":false}";
    assert_string_equal(problems(o, "{\"score\":3}"), "");
    assert_string_equal(problems(o, "{\"score\":7}"), "`score` is 7, must be at most 5");
    assert_string_equal(problems(o, "{\"score\":\"7\"}"), "`score` is a text (\"7\"), must be an integer");
    assert_string_equal(problems(o, "{\"kind\":\"d\"}"), "`score` is missing\n`kind` is \"d\", must be one of \"a\", \"b\"");
    assert_string_equal(problems(o, "{\"score\":1,\"scor\":2}"), "`scor` is not allowed (the fields are: score, kind, people)");
    assert_string_equal(problems(o, "{\"score\":1,\"people\":[{\"name\":1},{\"age\":\"x\"}]}"), "`people[1].name` is missing\n`people[1].age` is a text (\"x\"), must be an integer");
    assert_string_equal(problems(o, "[1]"), "the reply is a list ([1]), must be an object");
    assert_string_equal(problems("{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\",\"minimum\":3}]}", "2"),
                        "the reply fits none of the 2 allowed forms: (1) the reply is a number (2), must be a text; (2) the reply is 2, must be at least 3");
}

static void schemas_that_cannot_be_followed_are_refused(void **s)
{
    (void)s;
    assert_non_null(strstr(problems("{\"$ref\":\"#/$defs/x\"}", "1"), "leads nowhere"));
    assert_non_null(strstr(problems("{\"$ref\":\"http://127.0.0.1/x\"}", "1"), "out of the document"));
    assert_non_null(strstr(problems("{\"type\":\"strin\"}", "1"), "no type is called `strin`"));
    assert_non_null(strstr(problems("{\"pattern\":\"(?=a)\"}", "1"), "look-around"));
    assert_non_null(strstr(problems("{\"minLength\":-1}", "1"), "whole number"));
    assert_non_null(strstr(problems("{\"properties\":{\"a\":{\"unevaluatedProperties\":false}}}", "1"), "/a"));
    assert_string_equal(problems("{\"$ref\":\"#\"}", "1"), "the reply is too deep or too large to be checked");
    const char *tree = "{\"$defs\":{\"t\":{\"type\":\"object\",\"properties\":{\"kids\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/t\"}}},"
                       "\"additionalProperties\":false}},\"$ref\":\"#/$defs/t\"}";
    assert_string_equal(problems(tree, "{\"kids\":[{\"kids\":[{}]}]}"), "");
    assert_string_equal(problems(tree, "{\"kids\":[{\"kids\":[{\"x\":1}]}]}"), "`kids[0].kids[0].x` is not allowed (the fields are: kids)");
}

static void a_schema_has_a_type(void **s)
{
    qn_buf b = {0};
    (void)s;
    qn_value v = short_form("{question: text, score: int 1..5, kind: choice a|b, people: [{name: text, age: int?}]}");
    qn_type_write(&b, qn_schema_type_of(v, v, &arena));
    assert_string_equal(b.p, "{question: text, score: int, kind: text, people: [{name: text, age: int?}]}");
    qn_buf_free(&b);
}

static void words_ask_for_the_shape(void **s)
{
    qn_buf b = {0};
    (void)s;
    qn_schema_say(&b, short_form("{question: text 10..200, score: int 1..5, kind: choice a|b, people: [{name: text, age: int?}]}"));
    assert_string_equal(b.p, "Reply with exactly one JSON object and nothing before or after it, in this form (put values in the place of what is in < >):\n"
        "{\n  \"question\": \"<text, 10 to 200 characters>\",\n  \"score\": <integer, 1 to 5>,\n  \"kind\": \"a\" or \"b\",\n"
        "  \"people\": [{\n    \"name\": \"<text>\",\n    \"age\": <integer> or null\n  }, ...]\n}\n");
    qn_buf_clear(&b);
    qn_schema_say(&b, json("{\"anyOf\":[{\"type\":\"string\"}]}"));
    assert_non_null(strstr(b.p, "{\"anyOf\":[{\"type\":\"string\"}]}"));
    qn_buf_free(&b);
}

static void strict_schemas_require_every_field(void **s)
{
    (void)s;
    assert_string_equal(text_of(qn_schema_strict(short_form("{a: int?, b: [{c: text?}]}"), &arena)),
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":[\"integer\",\"null\"]},\"b\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":"
        "{\"c\":{\"type\":[\"string\",\"null\"]}},\"required\":[\"c\"],\"additionalProperties\":false}}},\"required\":[\"a\",\"b\"],\"additionalProperties\":false}");
}

/* "verdict: json", with the schema {q: text, n: int?} */
static const char *found(const char *reply, bool with_schema)
{
    static char out[9000];
    qn_schema *c = NULL;
    qn_value v, schema = short_form("{q: text, n: int?}");
    qn_json_verdict verdict;
    assert_int_equal(qn_schema_compile(schema, schema, 0, &arena, &c, &err), QN_OK);
    qn_code rc = qn_reply_json(qn_str_of(reply), with_schema ? c : NULL, &arena, &v, &verdict, &err);
    snprintf(out, sizeof out, "%s: %s", qn_json_verdict_name(verdict), rc == QN_OK ? text_of(v) : err.msg);
    return out;
}
#define FOUND(reply, out) assert_string_equal(found(reply, true), out)

static void json_is_found_in_messy_replies(void **s)
{
    (void)s;
    FOUND("{\"q\": \"a\"}", "clean: {\"q\":\"a\"}");
    FOUND("  \n{\"q\": \"a\"}\n", "clean: {\"q\":\"a\"}");
    FOUND("Sure! Here it is:\n```json\n{\"q\": \"a\", \"n\": 1}\n```\nHope it helps.", "found: {\"q\":\"a\",\"n\":1}");
    FOUND("The answer is {\"q\": \"a {b} c\"} as asked [1].", "found: {\"q\":\"a {b} c\"}");
    FOUND("<think>maybe {\"q\": \"no\"}</think>{\"q\": \"yes\"}", "clean: {\"q\":\"yes\"}");
    FOUND("{'q': 'it\\'s', 'n': None,}", "mended: {\"q\":\"it's\",\"n\":null}");
    FOUND("{q: \"a\", n: 1, // how many\n}", "mended: {\"q\":\"a\",\"n\":1}");
    FOUND("{\"q\": \"line one\nline two\"}", "mended: {\"q\":\"line one\\nline two\"}");
    FOUND("{\"q\": \"\\(x^2\\) and \\d\"}", "mended: {\"q\":\"\\\\(x^2\\\\) and \\\\d\"}");
    FOUND("{\"q\": \"he said \"hi\" to me\"}", "mended: {\"q\":\"he said \\\"hi\\\" to me\"}");
    FOUND("[{\"q\": \"a\"}]", "mended: {\"q\":\"a\"}");
    FOUND("{\"q\": \"first\"}\n{\"q\": \"second\"}", "found: {\"q\":\"second\"}");
    FOUND("{\"q\": \"same\"}{\"q\": \"same\"}", "found: {\"q\":\"same\"}");
    FOUND("In the form {\"question\": text}: {\"q\": \"a\"} (see {x}).", "found: {\"q\":\"a\"}");
    FOUND("\xE2\x80\x9Cq\xE2\x80\x9D", "none: there is no JSON in the reply");
    FOUND("{\xE2\x80\x9Cq\xE2\x80\x9D: \xE2\x80\x9C" "a\xE2\x80\x9D}", "mended: {\"q\":\"a\"}");
    FOUND("{\"q\": \"the beginning of", "cut: the reply ends in the middle of its JSON (cut off after 23 bytes)");
    FOUND("```json\n{\"q\": \"a\", \"n\": ", "cut: the reply ends in the middle of its JSON (cut off after 23 bytes)");
    FOUND("[{\"q\": \"a\"}, {\"q\": \"b", "cut: the reply ends in the middle of its JSON (cut off after 21 bytes)");
    assert_string_equal(found("[{\"q\": \"a\"}, {\"q\": \"b", false), "cut: the reply ends in the middle of its JSON (cut off after 21 bytes)");
    FOUND("I cannot help with that.", "none: there is no JSON in the reply");
    FOUND("", "none: the reply is empty");
    FOUND("{this is not json at all}", "broken: what stands in the reply begins like JSON and is not valid JSON");
    FOUND("{\"q\": 5}", "clean: {\"q\":5}");
    assert_string_equal(found("answer: [1, 2, 3]", false), "found: [1,2,3]");
    assert_string_equal(found("18446744073709551615", false), "clean: 18446744073709551615");
}

static void hostile_replies_end(void **s)
{
    qn_buf b = {0};
    qn_value v;
    qn_json_verdict verdict;
    (void)s;
    for (int i = 0; i < 200000; i++) qn_buf_putc(&b, i % 2 ? '[' : '{');
    assert_int_equal(qn_reply_json(qn_buf_view(&b), NULL, &arena, &v, &verdict, &err), QN_EDATA);
    qn_buf_clear(&b);
    for (int i = 0; i < 100000; i++) qn_buf_puts(&b, "{\"a\":");
    assert_int_equal(qn_reply_json(qn_buf_view(&b), NULL, &arena, &v, &verdict, &err), QN_EDATA);
    qn_buf_clear(&b);
    for (int i = 0; i < 100000; i++) qn_buf_puts(&b, "{\"");
    assert_int_equal(qn_reply_json(qn_buf_view(&b), NULL, &arena, &v, &verdict, &err), QN_EDATA);
    qn_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_short_form_becomes_a_schema), cmocka_unit_test(mistakes_in_the_short_form_name_the_field),
        cmocka_unit_test(the_short_form_survives_the_way_there_and_back), cmocka_unit_test(problems_are_words_that_a_model_can_act_on),
        cmocka_unit_test(schemas_that_cannot_be_followed_are_refused), cmocka_unit_test(a_schema_has_a_type), cmocka_unit_test(words_ask_for_the_shape),
        cmocka_unit_test(strict_schemas_require_every_field), cmocka_unit_test(json_is_found_in_messy_replies), cmocka_unit_test(hostile_replies_end),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
