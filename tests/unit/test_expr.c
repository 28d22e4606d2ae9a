/* test_expr: what expressions give, what they refuse, where errors point, and the limits. Comparison with jq is in test_expr_jq.c. */
#include "recipe/expr.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static qn_arena arena;
static qn_err err;

static int end(void **s) { (void)s; qn_arena_free(&arena); return 0; }

typedef struct { qn_buf b; size_t n; } gathered;
static qn_code gather(void *arg, qn_value v, qn_err *e)
{
    gathered *g = arg;
    (void)e;
    if (g->n++) qn_buf_putc(&g->b, ' ');
    qn_json_write(&g->b, v);
    return QN_OK;
}

/* All results as JSON joined by spaces, or "! message" */
static const char *eval(const char *expr, const char *in)
{
    static char out[1 << 16];
    gathered g = {0};
    qn_expr *x;
    qn_value v;
    qn_code rc = qn_expr_compile(qn_str_of(expr), (qn_pos){0}, &arena, &x, &err);
    if (rc == QN_OK) rc = qn_json_parse(qn_str_of(in), &arena, &v, &err);
    if (rc == QN_OK) rc = qn_expr_run_value(x, v, &arena, gather, &g, &err);
    if (rc != QN_OK) snprintf(out, sizeof out, "! %s", err.msg);
    else snprintf(out, sizeof out, "%s", g.b.p ? g.b.p : "");
    qn_buf_free(&g.b);
    qn_arena_reset(&arena);
    return out;
}
#define GIVES(expr, in, out) assert_string_equal(eval(expr, in), out)

static void assert_fails(const char *expr, const char *in, const char *part)
{
    const char *got = eval(expr, in);
    if (got[0] != '!' || !strstr(got, part)) fail_msg("%s on %s: wanted an error with \"%s\", got: %s", expr, in, part, got);
}

static void paths_and_literals(void **s)
{
    (void)s;
    GIVES(".", "{\"a\":1}", "{\"a\":1}");
    GIVES(".a.b", "{\"a\":{\"b\":[1]}}", "[1]");
    GIVES(".a[0], .a[-1], .a[9]", "{\"a\":[1,2]}", "1 2 null");
    GIVES(".[\"a b\"], .\"a b\", .a?", "{\"a b\":1}", "1 1 null");
    GIVES(".[1:3], .[:-1], .[-1:]", "[1,2,3,4]", "[2,3] [1,2,3] [4]");
    GIVES(".[1:3]", "\"äöüß\"", "\"öü\"");
    GIVES(".[]", "{\"a\":1,\"b\":2}", "1 2");
    GIVES(".größe", "{\"größe\":3}", "3");
    GIVES("null, true, -1, 2.5, \"x\\u00e9\\n\"", "0", "null true -1 2.5 \"xé\\n\"");
    GIVES("{a: 1, (\"b\" + \"c\"): 2, \"d\": .x, x}", "{\"x\":7}", "{\"a\":1,\"bc\":2,\"d\":7,\"x\":7}");
    GIVES("\"a\\(1 + 1)b\\(\"c\\(.)\")\"", "\"z\"", "\"a2bcz\"");
    GIVES("[.[] | . * 2]", "[1,2]", "[2,4]");
    GIVES("1 as $x | 2 as $y | [$x, $y, ($x + $y)]", "null", "[1,2,3]");
    GIVES("reduce .[] as $x (0; . + $x)", "[1,2,3]", "6");
    GIVES("# a comment\n .a # more", "{\"a\":1}", "1");
}

static void integers_are_exact_to_64_bits(void **s)
{
    (void)s;
    GIVES(".", "9223372036854775807", "9223372036854775807");
    GIVES(". + 1", "9223372036854775806", "9223372036854775807");
    GIVES(". + 1", "9223372036854775807", "9223372036854775808");
    GIVES(".", "18446744073709551615", "18446744073709551615");
    assert_fails(". + 1", "18446744073709551615", "64 bits");
    assert_fails(". - 1", "-9223372036854775808", "64 bits");
    assert_fails(". * .", "9223372036854775807", "64 bits");
    GIVES("9007199254740993 == 9007199254740992", "null", "false");
    GIVES("9007199254740993 + 2", "null", "9007199254740995");
    GIVES("-9223372036854775808", "null", "-9223372036854775808");
    GIVES(". / 3, 7 / 2, 6 / 2", "9223372036854775806", "3074457345618258602 3.5 3");
    assert_fails("99999999999999999999", "0", "64 bits");
    assert_fails("1 / 0", "0", "division by zero");
    assert_fails("1 % 0", "0", "division by zero");
    GIVES("pow(2; 62), (-5 | abs), (\"18446744073709551615\" | tonumber)", "0", "4611686018427387904 5 18446744073709551615");
}

static void errors_say_what_and_where(void **s)
{
    qn_expr *x;
    (void)s;
    assert_int_equal(qn_expr_compile(QN_STR(".a |\n  foo(1)"), (qn_pos){ "r.yaml", 7, 12, NULL, 0 }, &arena, &x, &err), QN_ERECIPE);
    assert_int_equal(err.pos.line, 8);
    assert_int_equal(err.pos.col, 3);
    assert_string_equal(err.pos.file, "r.yaml");
    assert_non_null(strstr(err.msg, "foo"));
    assert_int_equal(qn_expr_compile(QN_STR(".a | lenght"), (qn_pos){ "r.yaml", 7, 12, NULL, 0 }, &arena, &x, &err), QN_ERECIPE);
    assert_int_equal(err.pos.col, 17);
    assert_non_null(strstr(err.hint, "`length`"));
    assert_fails(".a = 1", "{}", "end of the expression");
    assert_fails("", "0", "empty");
    assert_fails("(1", "0", "`)`");
    assert_fails("1 < 2 < 3", "0", "`and`");
    assert_fails("'a'", "0", "double quotes");
    assert_fails("\"a\\q\"", "0", "escape");
    assert_fails("split(1; 2; 3)", "0", "takes 1 or 2 arguments, not 3");
    assert_fails("env", "0", "env");
    assert_fails("..", "0", "..");
    assert_fails("$x", "0", "$x");
    assert_fails(".a.b", "{\"a\":\"t\"}", "`.a.b`: text (\"t\") has no fields");
    assert_fails(".a + 1", "{\"a\":\"t\"}", "text (\"t\") and number (1) cannot be added");
    assert_fails("error(\"no \" + .)", "\"luck\"", "no luck");
    GIVES("(.a.b.c)?, try error(\"x\") catch ., (error(\"y\") // 3)", "{\"a\":1}", "\"x\" 3");
}

static void limits_end_what_runs_away(void **s)
{
    qn_buf b = {0};
    (void)s;
    assert_fails("[range(1000000000)] | length", "0", "steps");
    assert_fails("[range(1000) | [range(1000)]] | length", "0", "steps");
    assert_fails("\"abc\" * 1000000000", "0", "64 MB");
    assert_fails("\"abcdefgh\" * 1000 | . * 1000 | . * 1000", "0", "64 MB");
    assert_fails("reduce range(100) as $i (\"x\"; . + .)", "0", "64 MB");
    assert_fails("reduce range(100000) as $i (0; [.])", "0", "nested");
    assert_fails("test(\"(a{1,900}){1,900}\")", "\"a\"", "too big");
    for (int i = 0; i < 5000; i++) qn_buf_putc(&b, '[');
    assert_fails(b.p, "0", "nested deeper");
    qn_buf_clear(&b);
    for (int i = 0; i < 5000; i++) qn_buf_puts(&b, "1+");
    qn_buf_puts(&b, "1");
    assert_fails(b.p, "0", "levels");
    qn_buf_clear(&b);
    for (int i = 0; i < 5000; i++) qn_buf_puts(&b, "-");
    assert_fails(b.p, "0", "nested deeper");
    qn_buf_clear(&b);
    for (int i = 0; i < 2000; i++) qn_buf_puts(&b, "1,");
    qn_buf_puts(&b, "1");
    assert_true(strlen(eval(b.p, "0")) == 4001);
    qn_buf_free(&b);
}

static void a_caught_error_leaves_the_caller_s_error_alone(void **s)
{
    qn_expr *x;
    gathered g = {0};
    qn_err e = { .code = QN_OK, .msg = "as it was" };
    (void)s;
    assert_int_equal(qn_expr_compile(QN_STR(".[] | (1 / .)?"), (qn_pos){0}, &arena, &x, &err), QN_OK);
    qn_value v[2] = { qn_v_int(0), qn_v_int(2) };
    assert_int_equal(qn_expr_run_value(x, qn_v_list(v, 2), &arena, gather, &g, &e), QN_OK);
    assert_string_equal(g.b.p, "0.5");
    assert_string_equal(e.msg, "as it was");
    qn_buf_free(&g.b);
}

static void a_row_is_read_in_place(void **s)
{
    qn_row *r, *child;
    qn_expr *x;
    qn_value v;
    qn_str name;
    (void)s;
    assert_int_equal(qn_row_parse(QN_STR("{\"a\":{\"b\":[1,2]},\"t\":\"x\"}"), (qn_hash128){ 1, 2 }, &r, &err), QN_OK);
    child = qn_row_child(r, QN_STR("s"), 0);
    qn_row_set_text(child, "t", QN_STR("new"));
    assert_int_equal(qn_expr_compile(QN_STR("[.t, .a.b[1], (keys | length), has(\"t\")]"), (qn_pos){0}, &arena, &x, &err), QN_OK);
    assert_int_equal(qn_expr_one(x, child, &arena, &v, &err), QN_OK);
    qn_buf b = {0};
    qn_json_write(&b, v);
    assert_string_equal(b.p, "[\"new\",2,2,true]");
    qn_buf_free(&b);
    assert_false(qn_expr_is_field(x, &name));
    assert_int_equal(qn_expr_compile(QN_STR(" .t "), (qn_pos){0}, &arena, &x, &err), QN_OK);
    assert_true(qn_expr_is_field(x, &name));
    assert_true(qn_str_is(name, "t"));
    qn_row_drop(child);
    qn_row_drop(r);
}

/* ---- types ---- */
static const char *type_of(const char *expr, const char *in)
{
    static char out[2048];
    qn_expr *x;
    const qn_type *t, *given;
    bool many;
    qn_buf b = {0};
    qn_code rc = qn_type_parse(qn_str_of(in), &arena, &given, &err);
    if (rc == QN_OK) rc = qn_expr_compile(qn_str_of(expr), (qn_pos){0}, &arena, &x, &err);
    if (rc == QN_OK) rc = qn_expr_check(x, given, &arena, &t, &many, &err);
    if (rc == QN_OK) {
        qn_type_write(&b, t);
        snprintf(out, sizeof out, "%s%s", b.p, many ? " ..." : "");
    } else {
        snprintf(out, sizeof out, "! %s | %s", err.msg, err.hint);
    }
    qn_buf_free(&b);
    qn_arena_reset(&arena);
    return out;
}
#define TYPE(expr, in, out) assert_string_equal(type_of(expr, in), out)

static void assert_type_error(const char *expr, const char *in, const char *part)
{
    const char *got = type_of(expr, in);
    if (got[0] != '!' || !strstr(got, part)) fail_msg("%s on %s: wanted an error with \"%s\", got: %s", expr, in, part, got);
}

static void types_flow_through_expressions(void **s)
{
    const char *row = "{q: text, n: int, r: real, l: [text], o: {x: int?, y: [int]}, m: text?, any: any}";
    (void)s;
    TYPE(".q | length > 10", row, "bool");
    TYPE(".n + 1, .r", row, "number ...");
    TYPE(".n / 2", row, "number");
    TYPE(".n * .n", row, "int");
    TYPE(".l[]", row, "text ...");
    TYPE(".l[0]", row, "text?");
    TYPE(".l | map(length)", row, "[int]");
    TYPE(".o.x // 0", row, "int");
    TYPE(".m", row, "text?");
    TYPE(".m // \"none\"", row, "text");
    TYPE("{a: .n, b: .l, (.q): 1}", row, "{a: int, b: [text], ...}");
    TYPE(". + {n: .q, z: 1.5}", row, "{q: text, n: text, r: real, l: [text], o: {x: int?, y: [int]}, m: text?, any: any, z: real}");
    TYPE("del(.l, .o, .any, .m, .r)", row, "{q: text, n: int}");
    TYPE(".o.y | add", row, "int?");
    TYPE(".q | split(\" \") | map(select(length > 3)) | join(\"-\")", row, "text");
    TYPE("if .n > 1 then .q else null end", row, "text?");
    TYPE(".any.foo.bar[0]", row, "any");
    TYPE(".l | sort_by(length) | first", row, "text?");
    TYPE(".o | to_entries | map(.key)", row, "[text]");
    TYPE(".n as $k | .l[$k]", row, "text?");
    TYPE("reduce .o.y[] as $x (0; . + $x)", row, "int");
    TYPE("\"a\\(.n)\"", row, "text");
    TYPE(".q | test(\"x\")", row, "bool");
    TYPE("first(.l[])", row, "text ...");
    TYPE("[.l[] | {w: ., n: length}]", row, "[{w: text, n: int}]");
}

static void what_cannot_work_is_an_error_before_it_runs(void **s)
{
    const char *row = "{question: text, n: int, l: [{name: text}], \"a-b\": int}";
    (void)s;
    assert_type_error(".qestion", row, "did you mean `.question`");
    assert_type_error(".zzz", row, "there are: question, n, l, a-b");
    assert_type_error(".a", row, ".[\"a-b\"]");
    assert_type_error(".l.name", row, "map(.name)");
    assert_type_error(".l[].nam", row, "did you mean `.name`");
    assert_type_error(".question + 1", row, "text and int cannot be added");
    assert_type_error(".question > 10", row, "`length` counts");
    assert_type_error(".n | split(\",\")", row, "needs text, not int");
    assert_type_error(".question | split(1)", row, "`split` needs text here");
    assert_type_error(".l | test(\"x\")", row, "needs text");
    assert_type_error("map(.x)", "[{y: int}]", "did you mean `.y`");
    assert_type_error(".n[]", row, "has no items");
    assert_type_error(".question[1]", row, "cannot be indexed");
    assert_type_error("\"\\(.nope)\"", row, "no field `nope`");
    assert_type_error("(.nope)?", row, "no field `nope`");
}

static void types_are_read_as_they_are_written(void **s)
{
    static const char *const SAME[] = { "text", "int?", "[text]", "[[int?]]?", "{a: text, b: {c: int, ...}}", "{...}", "{}", "{\"a b\": any}", "any", "null" };
    const qn_type *t, *u;
    (void)s;
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
        qn_buf b = {0};
        assert_int_equal(qn_type_parse(qn_str_of(SAME[i]), &arena, &t, &err), QN_OK);
        qn_type_write(&b, t);
        assert_string_equal(b.p, SAME[i]);
        qn_buf_free(&b);
    }
    assert_int_equal(qn_type_parse_fields(QN_STR("passage: text, answer: text?"), &arena, &t, &err), QN_OK);
    assert_int_equal(t->n_fields, 2);
    assert_true(t->fields[1].type->maybe);
    assert_int_equal(qn_type_parse(QN_STR("strng"), &arena, &t, &err), QN_ERECIPE);
    assert_int_equal(qn_type_parse(QN_STR("string"), &arena, &t, &err), QN_ERECIPE);
    assert_non_null(strstr(err.hint, "`text`"));
    assert_int_equal(qn_type_parse(QN_STR("{a: int, a: text}"), &arena, &t, &err), QN_ERECIPE);
    assert_int_equal(qn_type_parse(QN_STR("[int"), &arena, &t, &err), QN_ERECIPE);
    assert_int_equal(qn_type_parse(QN_STR("int int"), &arena, &t, &err), QN_ERECIPE);
    static const struct { const char *have, *want; bool fits; } FITS[] = {
        { "int", "real", true }, { "real", "int", false }, { "number", "int", true }, { "text?", "text", true }, { "null", "text", false },
        { "null", "text?", true }, { "any", "[int]", true }, { "[any]", "[int]", true }, { "[text]", "[int]", false },
        { "{a: int, b: text}", "{a: int}", true }, { "{a: int}", "{a: int, b: text}", false }, { "{a: int}", "{a: int, b: text?}", true },
        { "{a: int, ...}", "{b: text}", true }, { "text", "{a: int}", false } };
    for (size_t i = 0; i < sizeof FITS / sizeof *FITS; i++) {
        assert_int_equal(qn_type_parse(qn_str_of(FITS[i].have), &arena, &t, &err), QN_OK);
        assert_int_equal(qn_type_parse(qn_str_of(FITS[i].want), &arena, &u, &err), QN_OK);
        if (qn_type_fits(t, u) != FITS[i].fits) fail_msg("%s in the place of %s", FITS[i].have, FITS[i].want);
    }
}

static void types_are_joined_to_what_holds_both(void **s)
{
    static const struct { const char *x, *y, *both; } JOINS[] = {
        { "int", "real", "number" }, { "int", "null", "int?" }, { "text", "int", "any" }, { "[int]", "[null]", "[int?]" },
        { "{a: int}", "{b: text}", "{a: int?, b: text?}" }, { "{a: int, ...}", "{a: real, b: text}", "{a: number, b: any, ...}" },
        { "text?", "text", "text?" } };
    (void)s;
    for (size_t i = 0; i < sizeof JOINS / sizeof *JOINS; i++) {
        const qn_type *x, *y;
        qn_buf b = {0};
        assert_int_equal(qn_type_parse(qn_str_of(JOINS[i].x), &arena, &x, &err), QN_OK);
        assert_int_equal(qn_type_parse(qn_str_of(JOINS[i].y), &arena, &y, &err), QN_OK);
        qn_type_write(&b, qn_type_join(x, y, &arena));
        assert_string_equal(b.p, JOINS[i].both);
        qn_buf_free(&b);
    }
}

/* ---- templates ---- */
static const char *fill(const char *text, const char *row)
{
    static char out[4096];
    qn_template *t;
    qn_row *r = NULL;
    qn_buf b = {0};
    qn_code rc = qn_template_compile(qn_str_of(text), (qn_pos){ "r.yaml", 3, 5, NULL, 0 }, &arena, &t, &err);
    if (rc == QN_OK) rc = qn_row_parse(qn_str_of(row), (qn_hash128){ 1, 1 }, &r, &err);
    if (rc == QN_OK) rc = qn_template_fill(t, r, &arena, &b, &err);
    if (rc == QN_OK) snprintf(out, sizeof out, "%s", b.p ? b.p : "");
    else snprintf(out, sizeof out, "! %d:%d %s", err.pos.line, err.pos.col, err.msg);
    qn_buf_free(&b);
    if (r) qn_row_drop(r);
    return out;
}

static void templates_are_filled_in(void **s)
{
    (void)s;
    assert_string_equal(fill("Hello {{ .name }}!", "{\"name\":\"Ada\"}"), "Hello Ada!");
    assert_string_equal(fill("{{.n}} {{.l}} {{.l[]}}\n", "{\"n\":1.5,\"l\":[1,\"a\"]}"), "1.5 [1,\"a\"] 1\na\n");
    assert_string_equal(fill("a{{\"{{\"}}b}}", "{}"), "a{{b}}");
    assert_string_equal(fill("{{ {a: {b: 1}}}} {{ \"}}\" }}", "{}"), "{\"a\":{\"b\":1}} }}");
    assert_string_equal(fill("{{ .l | map(.name) | join(\", \") }}", "{\"l\":[{\"name\":\"x\"},{\"name\":\"y\"}]}"), "x, y");
    assert_string_equal(fill("{{ empty }}|", "{}"), "|");
    assert_string_equal(fill("", "{}"), "");
    assert_string_equal(fill("x\n  {{ .a }}", "{}"), "! 4:6 the hole {{ .a }} is null or missing");
    assert_string_equal(fill("x {{ .a", "{}"), "! 3:7 the hole {{ is not closed");
    assert_string_equal(fill("x {{ }} y", "{}"), "! 3:9 a hole {{ }} is empty");
    assert_string_equal(fill("{{ .a } }", "{}"), "! 3:5 the hole {{ is not closed");
}

static void a_template_s_holes_are_checked(void **s)
{
    qn_template *t;
    const qn_type *row;
    (void)s;
    assert_int_equal(qn_type_parse(QN_STR("{question: text, n: null}"), &arena, &row, &err), QN_OK);
    assert_int_equal(qn_template_compile(QN_STR("a\nb {{ .qestion }}"), (qn_pos){ "r.yaml", 3, 5, NULL, 0 }, &arena, &t, &err), QN_OK);
    assert_int_equal(qn_template_check(t, row, &arena, &err), QN_ERECIPE);
    assert_int_equal(err.pos.line, 4);
    assert_int_equal(err.pos.col, 6);
    assert_non_null(strstr(err.hint, "did you mean `.question`"));
    assert_int_equal(qn_template_compile(QN_STR("{{ .n }}"), (qn_pos){0}, &arena, &t, &err), QN_OK);
    assert_int_equal(qn_template_check(t, row, &arena, &err), QN_ERECIPE);
    assert_int_equal(qn_template_compile(QN_STR("{{ .n // .question }}"), (qn_pos){0}, &arena, &t, &err), QN_OK);
    assert_int_equal(qn_template_check(t, row, &arena, &err), QN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_and_literals), cmocka_unit_test(integers_are_exact_to_64_bits), cmocka_unit_test(errors_say_what_and_where),
        cmocka_unit_test(limits_end_what_runs_away), cmocka_unit_test(a_caught_error_leaves_the_caller_s_error_alone),
        cmocka_unit_test(a_row_is_read_in_place), cmocka_unit_test(types_flow_through_expressions),
        cmocka_unit_test(what_cannot_work_is_an_error_before_it_runs), cmocka_unit_test(types_are_read_as_they_are_written),
        cmocka_unit_test(types_are_joined_to_what_holds_both), cmocka_unit_test(templates_are_filled_in),
        cmocka_unit_test(a_template_s_holes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
