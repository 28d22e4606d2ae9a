/* calculate: works out the sum that a field holds, or a chain of equations in a text, in order.
 *
 * A chain is every [sum = name] in the text: each result gets its name, and later sums may use it. The field then holds {last, values, equations}.
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/calc.h"
#include <math.h>

typedef struct { qn_expr *of; qn_str as; bool chain, or_none; int64_t digits; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, of, NULL, "text", "the sum: 3 * (4 + 5); with `chain` a text with [sum = name] in it"),
    QN_FIELD(params, as, "result", "field for the number; with `chain` for {last, values: {name: number}, equations}"),
    QN_BOOL(params, chain, "no", "solve every [sum = name] of the text, in order"),
    QN_INT(params, digits, "-1", "-1..12", "round results to so many places behind the point; -1: as they are"),
    QN_BOOL(params, or_none, "no", "null where it cannot be worked out, instead of a rejected row"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "of: .sum", .in = "{sum: '3 * (4 + 1,000)'}", .out = "{sum: '3 * (4 + 1,000)', result: 3012.0}" },
    { .params = "of: .sum, digits: 2", .in = "{sum: '400 / 1400'}", .out = "{sum: '400 / 1400', result: 0.29}" },
    { .params = "of: .t, chain: yes", .in = "{t: 'So [20 + 35 = y1] and [90 - y1 = y2].'}",
      .out = "{t: 'So [20 + 35 = y1] and [90 - y1 = y2].', result: {last: 35.0, values: {y1: 55.0, y2: 35.0}, equations: 2}}" },
    { .params = "of: .sum", .in = "{sum: '1 / 0'}", .reject = "sum: it divides by zero" },
    { .params = "of: .sum, or_none: yes", .in = "{sum: 'two'}", .out = "{sum: 'two', result: null}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_type *t;
    QN_TRY(qn_type_parse(p->or_none ? QN_STR("any?") : p->chain ? QN_STR("{last: real, values: object, equations: int}") : QN_STR("real"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->in, p->as, t, ck->arena);
    return QN_OK;
}

static double rounded(const params *p, double x)
{
    double scale = pow(10, (double)p->digits);
    return p->digits < 0 ? x : round(x * scale) / scale;
}

static bool is_name(qn_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || s.p[i] == '_' || (i && s.p[i] >= '0' && s.p[i] <= '9'))) return false;
    return s.n > 0;
}

/* Every [sum = name]; brackets that hold something else are no equations. */
static bool solve(const params *p, qn_str text, qn_arena *a, qn_value *out, const char **why)
{
    qn_calc_name *names = QN_ARENA_NEW_N(a, qn_calc_name, text.n / 4 + 1);
    size_t n = 0;
    for (size_t at = 0; at < text.n; at++) {
        if (text.p[at] != '[') continue;
        qn_str rest = qn_str_sub(text, at + 1, text.n);
        int64_t end = qn_str_find(rest, QN_STR("]"));
        if (end < 0) break;
        qn_str inside = qn_str_sub(rest, 0, (size_t)end);
        int64_t equals = qn_str_find(inside, QN_STR("="));
        if (equals < 0) continue;
        qn_str name = qn_str_trim(qn_str_sub(inside, (size_t)equals + 1, inside.n));
        double x;
        if (!is_name(name)) { *why = "a result has no name"; return false; }
        if (!qn_calc(qn_str_sub(inside, 0, (size_t)equals), names, n, &x, why)) return false;
        names[n++] = (qn_calc_name){ name, rounded(p, x) };
    }
    if (n == 0) { *why = "there is no [sum = name]"; return false; }
    qn_object_b o = { .a = a }, values = { .a = a };
    for (size_t i = 0; i < n; i++) qn_object_put(&values, names[i].name, qn_v_real(names[i].value));
    qn_object_put(&o, QN_STR("last"), qn_v_real(names[n - 1].value));
    qn_object_put(&o, QN_STR("values"), qn_object_end(&values));
    qn_object_put(&o, QN_STR("equations"), qn_v_int((int64_t)n));
    *out = qn_object_end(&o);
    return true;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_str text;
    qn_value v = qn_v_null();
    const char *why = NULL;
    double x;
    (void)state;
    QN_TRY(qn_pick_text(p->of, r, cx->scratch, &text, e));
    bool ok = p->chain ? solve(p, text, cx->scratch, &v, &why) : qn_calc(text, NULL, 0, &x, &why);
    if (ok && !p->chain) v = qn_v_real(rounded(p, x));
    if (!ok && !p->or_none) { qn_emit_reject(em, r, qn_reject_fact("sum", "%s", why)); return QN_OK; }
    qn_row_set(r, p->as, v);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_calculate = {
    .name = "calculate", .version = 1, .stage = QN_GENERATE, .brief = "work out a sum, or a chain of equations in a text",
    .about = "Sums are numbers with + - * / % and brackets. It is exact to what double precision holds; nothing else of a text is ever run.",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
