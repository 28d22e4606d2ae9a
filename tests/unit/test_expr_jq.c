/* test_expr_jq: every expression on every input gives what the `jq` program gives; hundreds written by hand, more made at random.
 *
 * Left out, because ours differs from jq 1.6 on purpose (most as jq 1.7 or 1.8 does):
 *   integers above 2^53 are exact, overflow is an error; a result that is no finite number is an error, not null or 1.79e308
 *   limit(0; f) gives nothing; last(f), nth(n; f) give nothing when there is nothing; (error // x) gives x; try catches only its own body
 *   index, rindex, indices of texts count characters, not bytes; an empty text occurs nowhere; sub with an empty match goes on
 *   from_entries takes k, v, numbers and null as names; @html writes ' as &#39;; @uri leaves -_.~ alone; \h is a hexadecimal digit; {,n} is plain text in patterns
 *   `if` without `else`, operators in the values of { }, skip, trim, ltrim, rtrim, abs, add(f), getpath of lists: not in jq 1.6
 *   reverse is for lists and texts; a real number without a fraction is written 5.0, not 5
 *   .[1.7] is .[1]; map_values drops what has no result also in lists
 *   contains of true in false is false, not an error */
#include "core/rng.h"
#include "recipe/expr.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static const char *const INPUTS[] = {
    "null", "true", "false", "0", "1", "-3", "2.5", "1234567", "\"\"", "\"abc\"", "\"a,b, c\"", "\"Ünïcödé ☃ 𝄞\"", "\"12\"", "\" x \"", "[]", "[1,2,3]", "[3,1,2,1]",
    "[\"b\",\"a\",\"c\",\"a\"]", "[null,true,1,\"x\",[1],{\"a\":1}]", "[[1,2],[3,[4,[5]]],[]]", "{}", "{\"a\":1,\"b\":\"x\"}",
    "{\"b\":2,\"a\":{\"c\":[1,{\"d\":null}]}}", "[{\"a\":1,\"b\":2},{\"a\":3,\"b\":1},{\"a\":1,\"b\":0}]", "{\"question\":\"How far?\",\"n\":7,\"l\":[1.5,-2]}",
    "[{\"key\":\"x\",\"value\":1},{\"key\":\"y\",\"value\":null}]", "\"line one\\nline two\\n\"", "[\"a\",1,null,true]",
};
enum { N_INPUTS = sizeof INPUTS / sizeof *INPUTS };

static const char *const EXPRESSIONS[] = {
    ".", ".a", ".a.b", ".a.c[0]", ".a?", ".a.b?", ".[0]", ".[-1]", ".[5]", ".[\"a\"]", ".\"a\"", ".[]", ".[]?", ".[].a", ".[]?.a?", ".a[]?", ".[1:]", ".[:2]",
    ".[-2:]", ".[1:2]", ".[:-1]", ".[null:2]", ".[0.5:1.5]", ".a.c[1].d", ".[0][0]", ".[0,1]", ".[0,1][0,1]", "null", "true", "1", "-1", "1.5", "1e2", "\"x\"", "\"\\u00e9\\n\\\"\"", "[]", "{}", "[1,2]",
    "{a:1}", "{\"a\":1,b:2}", "{(\"x\",\"y\"):(1,2)}", "{a:(1,2),b:(3,4)}", "{a}", "{a,b}?", "{\"a b\":.}", "{a:.} | .a", "{(1|tostring):2}", "{(.):1}", "[.]", "[.,.]", "[.[]?]", "[[.]]",
    "1,2", ".,.", "1,(2,3)", "empty", "[empty]", "1 + 2", ". + .", ". + 1", ". + null", "null + .", ". + \"x\"", ". + [1]", ". + {\"z\":0}", ". - 1", ". - [1,\"a\"]", ". - .", ". * 2", ". * .", "\"ab\" * 3",
    ". * {\"a\":{\"z\":1}}", "{\"a\":{\"b\":1,\"c\":2}} * {\"a\":{\"b\":3}}", ". / 2", ". / \",\"", "\"a,b\" / \",\"", "7 / 2", "6 / 3", "1 / 3", ". % 2", "5 % -3", "-5 % 3", "5.9 % 2", "0 as $z | 1 / $z", "0 as $z | 1 % $z", "[(1,2) + (10,20)]", "[(1,2) * (3,4) - 1]", "1 - 2 - 3", "2 * 3 + 4 * 5", "-(1,2)", "-1 + 2",
    "1 - -1", "-.a?", ". == 1", ". != 1", ". == .", ". < 2", ". <= 2", ". > \"a\"", ". >= null", "1 == 1.0", "[1,2] < [1,3]", "{\"a\":1} < {\"a\":2}", "{\"a\":1} < {\"b\":0}", "\"a\" < \"b\"", "null < false", "[] < {}", "[.[]? < 2]", "[(1,2) == (2,1)]",
    "true and false", "true or error", "false and error", ". and true", ". or false", "[(true,false) and (true,false)]", "[(true,false) or (true,false)]", "not", ".[]? | not", "1 and null", ". // 1", ".a? // \"d\"", "[.[]?] // 2", "(null,false) // 1", "[(null,2,false,3) // 4]", "empty // 1",
    ".a? // .b? // 3", "null // null", "if . then 1 else 2 end", "if (true,false) then 1,2 else 3 end", "if .a? then .a else \"no\" end", "if . == 1 then \"one\" elif . == 2 then \"two\" else \"many\" end", "[.[]? | if . == 1 then \"one\" else . end]", "1 | 2", "[1,2] | .[]", ". | . | .",
    "try error(\"x\") catch .", "try (1,error(\"x\"),3) catch .", "[.[]? | try (. + 1) catch \"e\"]", "error(\"x\")?", "[.[]?|(1/.)?]", "1 as $x | $x + 1", "[.[]? as $x | [$x]]", ". as $v | [$v, $v]", "1 as $x | 2 as $y | [$x,$y]", "1 as $x | (2 as $x | $x), $x", "[range(3) as $i | $i * $i]",
    "reduce .[]? as $x (0; . + 1)", "reduce range(5) as $i ([]; . + [$i])", "reduce .[]? as $x (null; . + ($x|length?))", "[foreach range(4) as $i (0; . + $i)]", "[foreach range(4) as $i (0; . + $i; [$i, .])]", "\"a\\(1)b\"", "\"\\(.)\"", "\"\\(1,2)-\\(3,4)\"", "\"x\\(\"y\\(1 + 1)\")\"",
    "\"\\(.a?)\"", "length", "[.[]?|length?]", "utf8bytelength", "not | not", "type", "[.[]?|type]", "tostring", "[.[]?|tostring]", "tonumber", "\"1.5\" | tonumber", "\"x\" | tonumber", "tojson", "[.[]?|tojson]", "fromjson", "tojson | fromjson", "\"[1,{\\\"a\\\":2}]\" | fromjson", "\"{\" | fromjson",
    "keys", "keys_unsorted", "has(\"a\")", "has(0)", "[.[]?|has(\"a\")?]", "\"a\" | in({\"a\":1})", "1 | in([0,1])", "map(1)", "map(.)", "map(. + 1)", "map(.a?)", "map(., .)", "map(empty)", "map(select(. > 1))", "map_values(. + 1)", "map_values(.,.)", "select(. == 1)", "[.[]?|select(. != null)]",
    "[.[]?|values]", "[.[]?|nulls]", "[.[]?|numbers]", "[.[]?|strings]", "[.[]?|booleans]", "[.[]?|arrays]", "[.[]?|objects]", "[.[]?|iterables]", "[.[]?|scalars]", "add", "[.[]?] | add", "[\"a\",\"b\"] | add", "[[1],[2]] | add", "[{\"a\":1},{\"b\":2}] | add", "[1,null,2] | add", "any", "all",
    "any(. == 1)", "all(. != 9)", "any(.[]?; . == 1)", "all(.[]?; . == 1)", "[] | any, all", "min", "max", "min_by(.a?)", "max_by(.a?)", "min_by(length?)", "[[1,\"a\"],[1,\"b\"]] | min_by(.[0]), max_by(.[0])", "sort", "sort_by(.a?)", "sort_by(.b?, .a?)", "sort_by(-.)?", "sort_by(length?)", "group_by(.a?)",
    "group_by(. == 1)", "unique", "unique_by(.a?)", "unique_by(length?)", "arrays | reverse", "[.[]?] | reverse", "first", "last", "first(.[]?)", "first(range(10))", "last(range(5))", "nth(1)", "nth(2; range(10))", "[range(5)]", "[range(2;5)]", "[range(0;10;3)]", "[range(5;0;-2)]", "[range(0,1;3,4)]", "[limit(3; range(10))]", "[limit(1; .[]?)]",
    "[.[]?] | first, last", "isempty(.[]?)", "isempty(empty)", "isempty(1)", "flatten", "flatten(1)", "flatten(0)", "[[1,[2]],3] | flatten, flatten(1)", "transpose?", "[[1,2],[3]] | transpose", "to_entries", "objects | to_entries | from_entries", "objects | with_entries({key: .key, value: 1})", "objects | with_entries(select(.value != null))",
    "from_entries", "join(\",\")", "[\"a\",1,null,true] | join(\"-\")", "[] | join(\",\")", "map(tostring) | join(\" \")", "floor", "[.[]?|floor?]", "ceil", "round", "if type == \"number\" and . >= 0 and . < 9 then sqrt, exp, exp2 else 0 end", "fabs", "if type == \"number\" and . > 0 then log, log2, log10 else 0 end", "pow(2; 10)", "pow(.; 2)", "[pow(2,3; 1,2)]", "-1.5 | floor, ceil, round, fabs", "2.5 | round", "split(\",\")", "\"a, b\" | split(\", \")",
    "\"abc\" | split(\"\")", "split(\"x\")", "ltrimstr(\"a\")", "rtrimstr(\"c\")", "ltrimstr(1)", "startswith(\"a\")", "endswith(\"c\")", "\"a,b,a\" | index(\"a\"), rindex(\"a\"), indices(\"a\")", "[1,2,1] | index(1), rindex(1), indices(1)", "[1,2,1,2] | indices([1,2])", "null | indices(1)", "[0,1,2] | .[[1]]", "ascii_downcase", "ascii_upcase",
    "explode", "explode | implode", "[65,66] | implode", "contains(\"b\")", "contains([1])", "contains({\"a\":1})", "[\"abc\",\"d\"] | contains([\"b\"])", "{\"a\":[1,2]} | contains({\"a\":[1]})", "inside(\"xabcx\")", "[1] | inside([1,2])", "test(\"b\")", "test(\"B\"; \"i\")", "test(\"^a.c$\")", "[match(\"[a-c]\"; \"g\").string]", "[match(\"(?<x>b)(c)?\") | .captures]",
    "match(\"b\")", "[match(\"\\\\w+\"; \"g\") | [.offset, .length, .string]]", "capture(\"(?<first>[a-z])(?<rest>.*)\")", "[scan(\"[a-z]\")]", "[scan(\"([a-z])([,b])?\")]", "sub(\"a\"; \"X\")", "gsub(\"[aeiou]\"; \"_\")", "gsub(\"(?<c>[a-z])\"; \"<\\(.c)>\")", "gsub(\"\\\\s+\"; \" \")", "[splits(\", *\")]", "split(\", *\"; null)", "\"aXbxc\" | split(\"x\"; \"i\")",
    "del(.a)", "del(.[0])", "del(.[0,2])", "del(.a, .b)", "del(.[1:])", "del(.a.c[0])", "del(.[] | select(. == 1))", "del(.[]?.a?)", "del(.[-1])", "del(.x.y)", "del(.)", "del(.[]?)", "@json", "@text", "@csv", "@tsv", "@html", "@base64", "@base64 | @base64d", "@sh", "[1,\"a\\\"b\",null,true] | @csv, @tsv", "\"<&\\\">\" | @html", "@html \"<b>\\(.)</b>\"",
    "@json \"v=\\(.)\"", "@base64 \"\\(\"ab\")\"", "\"a b/ü\" | @uri", "getpath([\"a\",\"c\",0])?", "getpath([\"a\"])?", "[.[]?] | length", "[.[]?.a?] | add", ".[0]? | .a?", "[.[]? | select(type == \"number\")] | add", "to_entries? | map(.key)", "[(keys?)[]] | join(\",\")?", "[.[]? | tostring | length]",
    ".question? | length > 10", "(.n? // 0) > 5 and (.question? // \"\" | startswith(\"How\"))", "{q: .question?, twice: ((.n? // 0) * 2)}", "[.l?[]?] | map(. * 2) | add", "[.[]?] | map(tojson) | sort | join(\"|\")", "# comment\n1", "[1,2,3] | .[1:] | .[0]", "{\"a\":[1,2]} | .a[1:]", "1 | [., . + 1] | {a: .[0], b: .[1]}",
    "[1,[2,3]] | tostring", "\"test\" | test(\"[[:alpha:]]+\")", "\"a1b22\" | [match(\"[0-9]+\"; \"g\").string]", "\"foo bar\" | [match(\"(?<w>\\\\w+)\"; \"g\") | .captures[0].name]", "\"xyz\" | test(\"x.?z\")", "\"ab\\ncd\" | test(\"b$\"), test(\"^c\"), test(\"b.c\")", "\"aaa\" | [match(\"a*?\").length], [match(\"a+\").length]", "\"abcabc\" | [match(\"(abc)|(x)\"; \"g\") | .captures | map(.string)]",
    "\"ÀÉ\" | test(\"é\"; \"i\")", "\"a.b\" | test(\"a\\\\.b\"), test(\"a[.]b\")", "\"2024-01-02\" | capture(\"(?<y>\\\\d{4})-(?<m>\\\\d{2})-(?<d>\\\\d+)\")", "\"tel 555-12\" | [match(\"\\\\b\\\\d+\\\\b\"; \"g\").string]", "\"aXa\" | gsub(\"x\"; \"y\"; \"i\")", "\"x\" | test(\"[^a-w]\"), test(\"[\\\\d\\\\s]\")", "\"α β\" | [match(\"\\\\w\"; \"g\") | .offset, .string]",
};
enum { N_EXPRESSIONS = sizeof EXPRESSIONS / sizeof *EXPRESSIONS };

static qn_arena arena, scratch;
static char dir[] = "/tmp/qn-jq-XXXXXX";

/* Real numbers without a fraction are written 5.0 by us and 5 by jq: within texts the two are the same. */
static qn_str without_point_zero(qn_str s)
{
    char *p = qn_arena_alloc(&scratch, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (i + 1 < s.n && s.p[i] == '.' && s.p[i + 1] == '0' && !(i + 2 < s.n && s.p[i + 2] >= '0' && s.p[i + 2] <= '9')) { i++; continue; }
        p[n++] = s.p[i];
    }
    return (qn_str){ p, n };
}

static bool same(qn_value x, qn_value y)
{
    qn_value p, q;
    qn_str name;
    if (qn_v_is_number(x) && qn_v_is_number(y)) {
        double a = qn_v_number(x), b = qn_v_number(y);
        return a == b || fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b));
    }
    if (x.kind == QN_V_TEXT && y.kind == QN_V_TEXT) return qn_str_eq(without_point_zero(qn_v_str(x)), without_point_zero(qn_v_str(y)));
    if (x.kind != y.kind || (x.kind != QN_V_BOOL && x.n != y.n)) return false;
    if (x.kind == QN_V_LIST) {
        for (size_t i = 0; i < x.n; i++) if (!same(qn_v_at(x, i), qn_v_at(y, i))) return false;
        return true;
    }
    if (x.kind != QN_V_OBJECT) return qn_v_eq(x, y);
    for (qn_v_iter it = qn_v_iter_of(x); qn_v_next(&it, &name, &p);)
        if (!qn_v_get(y, name, &q) || !same(p, q)) return false;
    return true;
}

static qn_code put(void *arg, qn_value v, qn_err *e)
{
    (void)e;
    qn_list_put(arg, v);
    return QN_OK;
}

/* All results as a list; "!" for an error. A text that does not compile gives "!" too, as jq's own text would not run at all. */
static qn_value ours(const char *expr, qn_value in, qn_err *e)
{
    qn_list_b l = { .a = &scratch };
    qn_expr *x;
    qn_code rc = qn_expr_compile(qn_str_of(expr), (qn_pos){0}, &scratch, &x, e);
    if (rc != QN_OK) fail_msg("%s does not compile: %s", expr, e->msg);
    rc = qn_expr_run_value(x, in, &scratch, put, &l, e);
    return rc == QN_OK ? qn_list_end(&l) : qn_v_text(QN_STR("!"));
}

static qn_str slurp(const char *path)
{
    qn_buf b = {0};
    char part[65536];
    FILE *f = fopen(path, "rb");
    size_t n;
    while (f && (n = fread(part, 1, sizeof part, f)) > 0) qn_buf_put(&b, part, n);
    if (f) fclose(f);
    qn_str s = qn_arena_str(&arena, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

/* One run of jq for many expressions: for each input a line, a list of what each expression gave. */
static qn_str theirs(const char *const *expr, size_t n)
{
    char path[64], cmd[256];
    snprintf(path, sizeof path, "%s/p", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("[\n", f);
    for (size_t i = 0; i < n; i++) fprintf(f, "%s(try [%s\n] catch \"!\")\n", i ? "," : "", expr[i]);
    fputs("]\n", f);
    fclose(f);
    snprintf(path, sizeof path, "%s/in", dir);
    f = fopen(path, "w");
    assert_non_null(f);
    for (size_t i = 0; i < N_INPUTS; i++) fprintf(f, "%s\n", INPUTS[i]);
    fclose(f);
    snprintf(cmd, sizeof cmd, "timeout 60 jq -c -f %s/p %s/in >%s/out 2>%s/err", dir, dir, dir, dir);
    int rc = system(cmd);
    if (rc != 0) {
        snprintf(path, sizeof path, "%s/err", dir);
        fail_msg("jq failed: %.500s", slurp(path).p);
    }
    snprintf(path, sizeof path, "%s/out", dir);
    return slurp(path);
}

static size_t compare(const char *const *expr, size_t n)
{
    qn_str out = theirs(expr, n);
    qn_err e;
    size_t compared = 0, wrong = 0;
    for (size_t i = 0; i < N_INPUTS; i++) {
        const char *nl = memchr(out.p, '\n', out.n);
        assert_non_null(nl);
        qn_value all, in;
        assert_int_equal(qn_json_parse(qn_str_sub(out, 0, (size_t)(nl - out.p)), &arena, &all, &e), QN_OK);
        assert_int_equal(qn_json_parse(qn_str_of(INPUTS[i]), &arena, &in, &e), QN_OK);
        out = qn_str_sub(out, (size_t)(nl - out.p) + 1, out.n);
        for (size_t k = 0; k < n; k++, compared++) {
            qn_value mine = ours(expr[k], in, &e), jq = qn_v_at(all, k);
            if (!same(mine, jq) && wrong++ < 20) {
                qn_buf x = {0}, y = {0};
                qn_json_write(&x, mine);
                qn_json_write(&y, jq);
                print_error("%s  on  %s\n    ours %s%s%s\n    jq   %s\n", expr[k], INPUTS[i], x.p, mine.kind == QN_V_TEXT ? " " : "", mine.kind == QN_V_TEXT ? e.msg : "", y.p);
                qn_buf_free(&x);
                qn_buf_free(&y);
            }
            qn_arena_reset(&scratch);
        }
    }
    if (wrong) fail_msg("%zu of %zu differ", wrong, compared);
    return compared;
}

static bool no_jq(void)
{
    if (system("command -v jq >/dev/null 2>&1") == 0) return false;
    print_message("skipped: no jq program to compare with\n");
    return true;
}

static void written_expressions_give_what_jq_gives(void **s)
{
    (void)s;
    if (no_jq()) skip();
    print_message("%zu results compared with jq\n", compare(EXPRESSIONS, N_EXPRESSIONS));
}

/* ---- at random ---- */
static void grow(qn_rng *r, qn_buf *b, int depth);

static void pick(qn_rng *r, qn_buf *b, const char *const *from, size_t n) { qn_buf_puts(b, from[qn_rng_below(r, n)]); }
#define PICK(r, b, list) pick(r, b, list, sizeof(list) / sizeof *(list))

static void leaf(qn_rng *r, qn_buf *b)
{
    /* jq 1.6: a `?` also catches what fails behind it, so its results are gathered first */
    static const char *const LEAVES[] = { ".", ".", "([.a?]|.[0])", "([.b?]|.[0])", "([.[0]?]|.[0])", "([.[1]?]|.[0])", "([.[]?]|.[])", "1", "2", "-1", "0.5", "\"a\"",
        "\"b,c\"", "null", "true", "false", "[]", "{}", "[1,2]", "{\"a\":1}", "([length?]|.[0])", "type", "tostring", "[keys?]", "[add?]", "[sort?]", "not", "[min?]",
        "([.[]?]|reverse)", "[explode?]", "[to_entries?]", "[unique?]", "tojson", "[floor?]", "empty", "[.[]?]", "[ascii_upcase?]", "[flatten?]", "[first?]", "[any?]",
        "[all?]" };
    PICK(r, b, LEAVES);
}

static void grow(qn_rng *r, qn_buf *b, int depth)
{
    static const char *const OPS[] = { " + ", " - ", " * ", " / ", " == ", " < ", " >= ", " != ", " and ", " or ", ", ", " | ", " | " };
    static const char *const WRAP[][2] = { { "[", "]" }, { "([(", ")?]|.[0])" }, { "{a: (", ")}" }, { "[map(", ")?]" }, { "[.[]? | select(", ")]" }, { "[sort_by(", ")?]" },
        { "[group_by(", ")?]" }, { "[limit(2; ", ")]" }, { "first(", ")" }, { "\"<\\(", ")>\"" }, { "any(([.[]?]|.[]); first((", "), false))" }, { "all(([.[]?]|.[]); first((", "), false))" },
        { "[unique_by(", ")?]" }, { "[objects | map_values(", ")?]" }, { "isempty(", ")" }, { "[([.[]?]|.[]) as $x | $x | ", "]" }, { "[max_by(", ")?]" },
        { "reduce (", ") as $y (0; . + 1)" }, { "(([(", ")?]|.[]) // \"d\")" }, { "([try (", ") catch \"caught\"]|.[])" }, { "[objects | with_entries({key: .key, value: (.value | [", "])})?]" },
        { "[foreach (", ") as $z (0; . + 1)]" }, { "(", " | tostring)" }, { "[", "] | length" } };
    if (depth <= 0) { leaf(r, b); return; }
    switch (qn_rng_below(r, 4)) {
    case 0: leaf(r, b); return;
    case 1:
        qn_buf_putc(b, '(');
        grow(r, b, depth - 1);
        PICK(r, b, OPS);
        grow(r, b, depth - 1);
        qn_buf_putc(b, ')');
        return;
    case 2: {
        size_t w = qn_rng_below(r, sizeof WRAP / sizeof *WRAP);
        qn_buf_puts(b, "(");
        qn_buf_puts(b, WRAP[w][0]);
        grow(r, b, depth - 1);
        qn_buf_puts(b, WRAP[w][1]);
        qn_buf_puts(b, ")");
        return;
    }
    default:
        qn_buf_puts(b, "(if (");
        grow(r, b, depth - 2);
        qn_buf_puts(b, ") then (");
        grow(r, b, depth - 1);
        qn_buf_puts(b, ") else (");
        grow(r, b, depth - 2);
        qn_buf_puts(b, ") end)");
    }
}

static void random_expressions_give_what_jq_gives(void **s)
{
    enum { N = 300 };
    const char *expr[N];
    size_t compared = 0;
    qn_rng r = qn_rng_seed(20240601);
    (void)s;
    if (no_jq()) skip();
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < N; i++) {
            qn_buf b = {0};
            grow(&r, &b, 4);
            expr[i] = qn_arena_str(&arena, qn_buf_view(&b)).p;
            qn_buf_free(&b);
        }
        compared += compare(expr, N);
    }
    print_message("%zu results compared with jq\n", compared);
}

static int begin(void **s) { (void)s; return mkdtemp(dir) ? 0 : -1; }
static int end(void **s)
{
    char cmd[64];
    (void)s;
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    qn_arena_free(&arena);
    qn_arena_free(&scratch);
    return system(cmd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_expressions_give_what_jq_gives),
        cmocka_unit_test(random_expressions_give_what_jq_gives),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
