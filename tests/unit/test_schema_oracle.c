/* test_schema_oracle: random schemas on random values give the verdict that Python's `jsonschema` gives (draft 2020-12). Skipped where it is not
 * installed. The values are small and drawn from few names and numbers, so that about half of them fit. */
#include "core/rng.h"
#include "recipe/schema.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static const char SCRIPT[] =
    "import sys, json\n"
    "from jsonschema import Draft202012Validator as V\n"
    "for line in open(sys.argv[1]):\n"
    "    c = json.loads(line)\n"
    "    V.check_schema(c['s'])\n"
    "    print(1 if V(c['s']).is_valid(c['v']) else 0)\n";

static char dir[] = "/tmp/qn-schema-XXXXXX";
static qn_arena arena;

static void value(qn_rng *r, qn_buf *b, int depth)
{
    static const char *const LEAVES[] = { "null", "true", "false", "0", "1", "2", "3.5", "-1", "7", "2.0", "\"\"", "\"a\"", "\"abc\"", "\"b7\"", "\"äöü\"" };
    static const char *const NAMES[] = { "a", "b", "c", "ab" };
    size_t n = qn_rng_below(r, 4), kind = qn_rng_below(r, 5);
    if (depth <= 0 || kind < 2) { qn_buf_puts(b, LEAVES[qn_rng_below(r, sizeof LEAVES / sizeof *LEAVES)]); return; }
    bool list = kind == 2;
    qn_buf_putc(b, list ? '[' : '{');
    for (size_t i = 0; i < n; i++) {
        if (i) qn_buf_putc(b, ',');
        if (!list) qn_buf_printf(b, "\"%s\":", NAMES[i]);
        value(r, b, depth - 1);
    }
    qn_buf_putc(b, list ? ']' : '}');
}

static void schema(qn_rng *r, qn_buf *b, int depth);

static void several(qn_rng *r, qn_buf *b, int depth)
{
    qn_buf_putc(b, '[');
    for (size_t i = 0, n = 1 + qn_rng_below(r, 3); i < n; i++) {
        if (i) qn_buf_putc(b, ',');
        schema(r, b, depth);
    }
    qn_buf_putc(b, ']');
}

static void keyword(qn_rng *r, qn_buf *b, size_t k, int depth)
{
    static const char *const TYPES[] = { "\"object\"", "\"array\"", "\"string\"", "\"integer\"", "\"number\"", "\"boolean\"", "\"null\"", "[\"string\",\"null\"]", "[\"object\",\"array\"]" };
    static const char *const PATTERNS[] = { "\"^a\"", "\"[0-9]+\"", "\"c$\"", "\"^(a|b)?$\"" };
    static const char *const COUNTS[] = { "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties" };
    static const char *const BOUNDS[] = { "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum" };
    size_t at;
    switch (k) {
    case 0: case 1: qn_buf_printf(b, "\"type\":%s", TYPES[qn_rng_below(r, sizeof TYPES / sizeof *TYPES)]); break;
    case 2:
        qn_buf_puts(b, "\"enum\":[");
        value(r, b, 1);
        qn_buf_puts(b, ",1,\"a\",null]");
        break;
    case 3: qn_buf_puts(b, "\"const\":"); value(r, b, 1); break;
    case 4: at = qn_rng_below(r, 6); qn_buf_printf(b, "\"%s\":%d", COUNTS[at], (int)qn_rng_below(r, 3)); break;
    case 5: at = qn_rng_below(r, 4); qn_buf_printf(b, "\"%s\":%d", BOUNDS[at], (int)qn_rng_below(r, 4)); break;
    case 6: qn_buf_printf(b, "\"multipleOf\":%s", qn_rng_below(r, 2) ? "2" : "0.5"); break;
    case 7: qn_buf_printf(b, "\"pattern\":%s", PATTERNS[qn_rng_below(r, 4)]); break;
    case 8:
        qn_buf_puts(b, "\"properties\":{\"a\":");
        schema(r, b, depth);
        qn_buf_puts(b, ",\"b\":");
        schema(r, b, depth);
        qn_buf_putc(b, '}');
        break;
    case 9: qn_buf_puts(b, qn_rng_below(r, 2) ? "\"required\":[\"a\"]" : "\"required\":[\"a\",\"b\"]"); break;
    case 10: qn_buf_puts(b, "\"additionalProperties\":"); schema(r, b, depth); break;
    case 11: qn_buf_puts(b, "\"patternProperties\":{\"^a\":"); schema(r, b, depth); qn_buf_putc(b, '}'); break;
    case 12: qn_buf_puts(b, "\"propertyNames\":"); schema(r, b, 0); break;
    case 13: qn_buf_puts(b, "\"items\":"); schema(r, b, depth); break;
    case 14: qn_buf_puts(b, "\"prefixItems\":"); several(r, b, depth); break;
    case 15: qn_buf_puts(b, "\"contains\":"); schema(r, b, depth); break;
    case 16: qn_buf_printf(b, "\"minContains\":%d,\"maxContains\":2,\"contains\":", (int)qn_rng_below(r, 2)); schema(r, b, depth); break;
    case 17: qn_buf_puts(b, "\"uniqueItems\":true"); break;
    case 18: qn_buf_puts(b, "\"anyOf\":"); several(r, b, depth); break;
    case 19: qn_buf_puts(b, "\"oneOf\":"); several(r, b, depth); break;
    case 20: qn_buf_puts(b, "\"allOf\":"); several(r, b, depth); break;
    case 21: qn_buf_puts(b, "\"not\":"); schema(r, b, depth); break;
    case 22:
        qn_buf_puts(b, "\"if\":");
        schema(r, b, depth);
        qn_buf_puts(b, ",\"then\":");
        schema(r, b, depth);
        qn_buf_puts(b, ",\"else\":");
        schema(r, b, depth);
        break;
    case 23: qn_buf_puts(b, "\"dependentRequired\":{\"a\":[\"b\"]}"); break;
    default: qn_buf_puts(b, "\"$ref\":\"#/$defs/d\""); break;
    }
}

static void schema(qn_rng *r, qn_buf *b, int depth)
{
    enum { N_KEYWORDS = 25, LEAF_KEYWORDS = 8 };
    if (qn_rng_below(r, 12) == 0) { qn_buf_puts(b, qn_rng_below(r, 4) ? "true" : "false"); return; }
    bool used[N_KEYWORDS] = { false };
    qn_buf_putc(b, '{');
    for (size_t i = 0, n = 1 + qn_rng_below(r, 3), put = 0; i < n; i++) {
        size_t k = qn_rng_below(r, depth > 0 ? N_KEYWORDS : LEAF_KEYWORDS);
        if (used[k] || (k == 0 && used[1]) || (k == 1 && used[0]) || (k == 15 && used[16]) || (k == 16 && used[15])) continue;
        used[k] = true;
        if (put++) qn_buf_putc(b, ',');
        keyword(r, b, k, depth - 1);
    }
    qn_buf_putc(b, '}');
}

static bool no_jsonschema(void)
{
    if (system("python3 -c 'import jsonschema' >/dev/null 2>&1") == 0) return false;
    print_message("skipped: Python's jsonschema is not installed\n");
    return true;
}

static void random_schemas_give_the_verdict_of_jsonschema(void **s)
{
    enum { N = 6000 };
    static qn_str cases[N];
    char path[64], cmd[300];
    qn_rng r = qn_rng_seed(7);
    size_t fitting = 0, wrong = 0;
    (void)s;
    if (no_jsonschema()) skip();
    snprintf(path, sizeof path, "%s/cases", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (size_t i = 0; i < N; i++) {
        qn_buf b = {0};
        /* The root is an object, so that it can hold the definition that a $ref leads to. */
        qn_buf_puts(&b, "{\"s\":{\"$defs\":{\"d\":");
        schema(&r, &b, 0);
        qn_buf_puts(&b, "},\"allOf\":[");
        schema(&r, &b, 2);
        qn_buf_puts(&b, "]},\"v\":");
        value(&r, &b, 2);
        qn_buf_putc(&b, '}');
        fprintf(f, "%s\n", b.p);
        cases[i] = qn_arena_str(&arena, qn_buf_view(&b));
        qn_buf_free(&b);
    }
    fclose(f);
    snprintf(path, sizeof path, "%s/check.py", dir);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(SCRIPT, f);
    fclose(f);
    snprintf(cmd, sizeof cmd, "timeout 200 python3 %s/check.py %s/cases >%s/verdicts 2>%s/err || { tail -3 %s/err >&2; false; }", dir, dir, dir, dir, dir);
    assert_int_equal(system(cmd), 0);
    snprintf(path, sizeof path, "%s/verdicts", dir);
    f = fopen(path, "r");
    assert_non_null(f);
    for (size_t i = 0; i < N; i++) {
        int theirs;
        qn_value c, sch, v;
        qn_schema *compiled;
        qn_err e;
        assert_int_equal(fscanf(f, "%d", &theirs), 1);
        assert_int_equal(qn_json_parse(cases[i], &arena, &c, &e), QN_OK);
        qn_v_get(c, QN_STR("s"), &sch);
        qn_v_get(c, QN_STR("v"), &v);
        if (qn_schema_of_json(sch, &arena, &compiled, &e) != QN_OK) fail_msg("%s: %s", cases[i].p, e.msg);
        bool fits = qn_schema_fits(compiled, v, NULL);
        fitting += fits;
        if (fits != (theirs == 1) && wrong++ < 10) {
            qn_buf why = {0};
            qn_schema_fits(compiled, v, &why);
            print_error("ours %d, jsonschema %d: %s   %s\n", fits, theirs, cases[i].p, why.p ? why.p : "");
            qn_buf_free(&why);
        }
    }
    fclose(f);
    assert_in_range(fitting, N / 5, N - N / 5);
    if (wrong) fail_msg("%zu of %d differ", wrong, N);
    print_message("%d verdicts compared with jsonschema, %zu fit\n", N, fitting);
}

static int begin(void **s) { (void)s; return mkdtemp(dir) ? 0 : -1; }
static int end(void **s)
{
    char cmd[64];
    (void)s;
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    qn_arena_free(&arena);
    return system(cmd);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_schemas_give_the_verdict_of_jsonschema) };
    return cmocka_run_group_tests(tests, begin, end);
}
