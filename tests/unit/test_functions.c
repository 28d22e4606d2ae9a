/* test_functions: descriptions of functions are read and calls are held against them; on real descriptions where ../shared/data is there. */
#include "core/file.h"
#include "recipe/functions.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
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

static const char *verdict(const qn_functions *f, qn_value call)
{
    static char out[1024];
    qn_str name;
    qn_value args;
    qn_buf why = {0};
    out[0] = 0;
    if (!qn_call_read(call, &arena, &name, &args, &why)) snprintf(out, sizeof out, "%s", why.p);
    else {
        const qn_function *fn = qn_functions_find(f, name);
        if (!fn) snprintf(out, sizeof out, "no function %.*s", QN_FMT(name));
        else if (!qn_schema_fits(fn->schema, args, &why)) snprintf(out, sizeof out, "%s", why.p);
    }
    qn_buf_free(&why);
    return out;
}

static void schemas_and_calls_are_read_in_every_form(void **s)
{
    static const char *const FORMS[] = {
        "[{\"name\":\"f\",\"parameters\":{\"type\":\"dict\",\"properties\":{\"x\":{\"type\":\"float\"},\"l\":{\"type\":\"tuple\",\"items\":{\"type\":\"integer\"}}},\"required\":[\"x\"]}}]",
        "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"number\"},\"l\":{\"type\":\"array\","
        "\"items\":{\"type\":\"integer\"}}},\"required\":[\"x\"]}}}]}",
        "{\"openapi\":\"3.0.0\",\"paths\":{\"/a/{x}\":{\"parameters\":[{\"name\":\"x\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"number\"}}],\"get\":{\"operationId\":\"f\","
        "\"parameters\":[{\"$ref\":\"#/components/parameters/l\"}]}}},\"components\":{\"parameters\":{\"l\":{\"name\":\"l\",\"in\":\"query\",\"schema\":{\"type\":\"array\",\"items\":"
        "{\"$ref\":\"#/components/schemas/i\"}}}},\"schemas\":{\"i\":{\"type\":\"integer\"}}}}",
        "{\"swagger\":\"2.0\",\"paths\":{\"/a\":{\"post\":{\"operationId\":\"f\",\"parameters\":[{\"name\":\"x\",\"in\":\"query\",\"required\":true,\"type\":\"number\"},{\"name\":\"b\",\"in\":"
        "\"body\",\"schema\":{\"type\":\"object\",\"properties\":{\"l\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}}}}]}}}}" };
    static const struct { const char *call, *verdict; } CALLS[] = {
        { "{\"name\":\"f\",\"arguments\":{\"x\":1.5,\"l\":[1,2]}}", "" }, { "{\"f\":{\"x\":1}}", "" }, { "{\"Action\":\"f\",\"Action_Input\":\"{\\\"x\\\":2}\"}", "" },
        { "{\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":2}\"}}", "" }, { "{\"name\":\"f\",\"arguments\":{}}", "`x` is missing" },
        { "{\"name\":\"f\",\"arguments\":{\"x\":\"1\"}}", "`x` is a text (\"1\"), must be a number" },
        { "{\"name\":\"f\",\"arguments\":{\"x\":1,\"l\":[\"a\"]}}", "`l[0]` is a text (\"a\"), must be an integer" },
        { "{\"name\":\"f\",\"arguments\":{\"x\":1,\"y\":2}}", "`y` is not allowed (the fields are: x, l)" }, { "{\"name\":\"g\"}", "no function g" }, { "[]", "a call is an object, not list" },
        { "{\"name\":\"f\",\"arguments\":\"{x\"}", "its arguments are no JSON" }, { "{\"name\":\"f\",\"arguments\":3}", "its arguments are a number, not an object" } };
    (void)s;
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        qn_functions f;
        if (qn_functions_read(json(FORMS[i]), &arena, &f, &err) != QN_OK) fail_msg("%s: %s", FORMS[i], err.msg);
        assert_int_equal(f.n, 1);
        for (size_t k = 0; k < sizeof CALLS / sizeof *CALLS; k++) {
            const char *got = verdict(&f, json(CALLS[k].call));
            if (strncmp(got, CALLS[k].verdict, strlen(CALLS[k].verdict)) != 0 || (!CALLS[k].verdict[0] && got[0]))
                fail_msg("form %zu, %s: %s, wanted %s", i, CALLS[k].call, got, CALLS[k].verdict);
        }
    }
}

static void a_circle_ends_and_a_broken_reference_is_said(void **s)
{
    qn_functions f;
    (void)s;
    const char *doc = "{\"openapi\":\"3.1.0\",\"paths\":{\"/n\":{\"post\":{\"operationId\":\"n\",\"requestBody\":{\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/N\"}}}}}},"
                      "\"/b\":{\"get\":{\"operationId\":\"b\",\"parameters\":[{\"name\":\"q\",\"in\":\"query\",\"schema\":{\"$ref\":\"other.yaml#/x\"}}]}}},"
                      "\"components\":{\"schemas\":{\"N\":{\"type\":\"object\",\"properties\":{\"kid\":{\"$ref\":\"#/components/schemas/N\"},\"v\":{\"type\":\"integer\"}}}}}}";
    assert_int_equal(qn_functions_read(json(doc), &arena, &f, &err), QN_OK);
    assert_int_equal(f.n, 2);
    assert_string_equal(verdict(&f, json("{\"n\":{\"kid\":{\"kid\":{\"v\":1}}}}")), "");
    assert_string_equal(verdict(&f, json("{\"n\":{\"kid\":{\"kid\":{\"v\":\"x\"}}}}")), "`kid.kid.v` is a text (\"x\"), must be an integer");
    assert_string_equal(verdict(&f, json("{\"name\":\"b\",\"arguments\":{}}")), "");
    assert_string_equal(verdict(&f, json("{\"b\":{\"q\":1}}")), "`q` cannot be checked: its description refers to `other.yaml#/x`, which is not there");
    assert_int_equal(qn_functions_read(json("{\"a\":1}"), &arena, &f, &err), QN_EDATA);
}

/* ---- real descriptions ---- */
#define DATA "../shared/data/"
static bool no_data(void)
{
    if (qn_is_dir(DATA "openapi")) return false;
    print_message("skipped: no " DATA "openapi\n");
    return true;
}

static void real_api_descriptions_are_read(void **s)
{
    static const struct { const char *file; size_t least; } FILES[] = { { "valid/petstorev2.json", 20 }, { "valid/petstorev3.json", 18 }, { "valid/petstorev2-complete.yaml", 19 },
        { "valid/asana.yaml", 150 }, { "valid/burgershop.openapi.yaml", 4 }, { "valid/nasa_apod.yaml", 1 }, { "valid/xkcd.yaml", 2 }, { "tricky/badref-burgershop.openapi.yaml", 4 },
        { "tricky/petstorev2-badref.json", 10 }, { "tricky/digitalocean_external_refs.yaml", 0 }, { "tricky/circular-tests.yaml", 0 }, { "tricky/swagger-circular-tests.yaml", 0 },
        { "tricky/swagger-invalid-recursive-model.yaml", 0 }, { "tricky/yaml-anchor.yaml", 0 }, { "valid/all-the-components.yaml", 0 } };
    (void)s;
    if (no_data()) skip();
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char path[256];
        qn_functions f = {0};
        snprintf(path, sizeof path, DATA "openapi/%s", FILES[i].file);
        qn_code rc = qn_functions_load(path, &arena, &f, &err);
        if (rc != QN_OK && (FILES[i].least || (rc != QN_EDATA && rc != QN_ERECIPE && rc != QN_ELIMIT))) fail_msg("%s: %s", path, err.msg);
        if (f.n < FILES[i].least) fail_msg("%s: %zu functions, at least %zu are there", path, f.n, FILES[i].least);
        print_message("%s: %zu functions%s%s\n", FILES[i].file, f.n, rc ? ", " : "", rc ? err.msg : "");
    }
}

/* The benchmark's answers: {"f": {"arg": [acceptable, ...]}}, where "" says that it may be left out. */
static qn_value first_acceptable(qn_value args)
{
    qn_object_b o = { .a = &arena };
    qn_value list, v;
    qn_str name;
    for (qn_v_iter it = qn_v_iter_of(args); qn_v_next(&it, &name, &list);) {
        bool put = false;
        for (qn_v_iter jt = qn_v_iter_of(list); !put && qn_v_next(&jt, NULL, &v);) {
            if (v.kind == QN_V_TEXT && !v.n) continue;
            if (v.kind == QN_V_OBJECT) v = first_acceptable(v);
            qn_object_put(&o, name, v);
            put = true;
        }
    }
    return qn_object_end(&o);
}

static qn_value call_of(qn_str name, qn_value args)
{
    qn_object_b o = { .a = &arena };
    qn_object_put(&o, QN_STR("name"), qn_v_text(name));
    qn_object_put(&o, QN_STR("arguments"), args);
    return qn_object_end(&o);
}

static qn_value read_lines(const char *path)
{
    qn_buf b = {0};
    qn_list_b l = { .a = &arena };
    qn_value v;
    if (qn_file_read(path, 64 << 20, &b, &err) != QN_OK) fail_msg("%s", err.msg);
    for (qn_str rest = qn_arena_str(&arena, qn_buf_view(&b)); rest.n;) {
        const char *nl = memchr(rest.p, '\n', rest.n);
        size_t end_at = nl ? (size_t)(nl - rest.p) : rest.n;
        if (end_at) {
            if (qn_json_parse(qn_str_sub(rest, 0, end_at), &arena, &v, &err) != QN_OK) fail_msg("%s: %s", path, err.msg);
            qn_list_put(&l, v);
        }
        rest = qn_str_sub(rest, nl ? end_at + 1 : end_at, rest.n);
    }
    qn_buf_free(&b);
    return qn_list_end(&l);
}

static void benchmark_answers_fit_and_spoiled_ones_do_not(void **s)
{
    static const char *const SETS[] = { "multiple", "simple_python" };
    size_t right = 0, right_of = 0, caught = 0, spoiled = 0;
    (void)s;
    if (no_data()) skip();
    for (size_t k = 0; k < 2; k++) {
        char path[256];
        snprintf(path, sizeof path, DATA "bfcl/BFCL_v4_%s.jsonl", SETS[k]);
        qn_value rows = read_lines(path);
        snprintf(path, sizeof path, DATA "bfcl/possible_answer/BFCL_v4_%s.jsonl", SETS[k]);
        if (!qn_file_exists(path)) { print_message("skipped: no %s\n", path); skip(); }
        qn_value answers = read_lines(path);
        assert_int_equal(rows.n, answers.n);
        for (size_t i = 0; i < rows.n; i++) {
            qn_value described, truth, args, one;
            qn_str name;
            qn_functions f;
            qn_v_get(rows.list[i], QN_STR("function"), &described);
            qn_v_get(answers.list[i], QN_STR("ground_truth"), &truth);
            if (qn_functions_read(described, &arena, &f, &err) != QN_OK) fail_msg("%s %zu: %s", SETS[k], i, err.msg);
            one = qn_v_at(truth, 0);
            qn_v_iter it = qn_v_iter_of(one);
            assert_true(qn_v_next(&it, &name, &args));
            args = first_acceptable(args);
            const char *why = verdict(&f, call_of(name, args));
            right_of++;
            right += !why[0];
            if (why[0]) print_message("  %s %zu %.*s: %.150s\n", SETS[k], i, QN_FMT(name), why);
            /* an unknown argument, an unknown function, a required argument left out */
            qn_object_b o = { .a = &arena };
            qn_object_put(&o, QN_STR("zz_unknown"), qn_v_int(1));
            spoiled += 2;
            caught += verdict(&f, call_of(name, qn_object_end(&o)))[0] != 0;
            caught += verdict(&f, call_of(QN_STR("zz_no_such"), args))[0] != 0;
            const qn_function *fn = qn_functions_find(&f, name);
            qn_value required, first;
            if (fn && qn_v_get(fn->parameters, QN_STR("required"), &required) && required.n) {
                qn_object_b rest = { .a = &arena };
                qn_str key;
                qn_value v;
                first = qn_v_at(required, 0);
                for (qn_v_iter jt = qn_v_iter_of(args); qn_v_next(&jt, &key, &v);)
                    if (!qn_str_eq(key, qn_v_str(first))) qn_object_put(&rest, key, v);
                spoiled++;
                caught += verdict(&f, call_of(name, qn_object_end(&rest)))[0] != 0;
            }
        }
    }
    print_message("answers that fit: %zu of %zu; spoiled calls caught: %zu of %zu\n", right, right_of, caught, spoiled);
    assert_int_equal(caught, spoiled);
    assert_true(right * 100 >= right_of * 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_and_calls_are_read_in_every_form), cmocka_unit_test(a_circle_ends_and_a_broken_reference_is_said),
        cmocka_unit_test(real_api_descriptions_are_read), cmocka_unit_test(benchmark_answers_fit_and_spoiled_ones_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
