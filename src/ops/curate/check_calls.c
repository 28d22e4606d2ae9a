/* check_calls: keep a row only when every call of a function in it fits the function's description.
 *
 * The functions come from a file (OpenAPI 2 or 3 as YAML or JSON, or a list of function schemas) or from the row itself. A call must name a function
 * that is there and give arguments that fit its schema: none missing, none unknown, each of its type and among its values.
 * Source: the check of ToolAlpaca (Tang et al. 2023) and of function-calling benchmarks.
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"
#include "recipe/functions.h"

typedef struct { qn_expr *calls, *functions; const char *file; bool empty_is_absent; int64_t min; qn_functions *known; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, calls, ".calls", NULL, "the calls: a list, one call, or a text that holds them as JSON; {name, arguments}, {function: {...}} or {\"name\": {...}}"),
    QN_EXPR(params, functions, "", NULL, "the functions that this row may call: a list of schemas or an OpenAPI description (an object or its text)"),
    QN_PATH(params, file, "", "a file with the functions, for all rows: OpenAPI (YAML or JSON) or a list of schemas"),
    QN_BOOL(params, empty_is_absent, "no", "take an argument that is an empty text as left out"),
    QN_INT(params, min, "1", "0..", "least number of calls"),
    QN_END
};

#define FUNCTIONS "[{name: 'weather', parameters: {type: 'object', properties: {city: {type: 'string'}, days: {type: 'integer', maximum: 7}}, required: ['city']}}]"
static const qn_example EXAMPLES[] = {
    { .params = "functions: .functions", .in = "{functions: " FUNCTIONS ", calls: [{name: 'weather', arguments: {city: 'Oslo', days: 3}}]}",
      .out = "{functions: " FUNCTIONS ", calls: [{name: 'weather', arguments: {city: 'Oslo', days: 3}}]}" },
    { .params = "functions: .functions", .in = "{functions: " FUNCTIONS ", calls: [{name: 'weather', arguments: {days: 9}}]}",
      .reject = "call: `weather`: `city` is missing; `days` is 9, must be at most 7" },
    { .params = "functions: .functions", .in = "{functions: " FUNCTIONS ", calls: [{name: 'wether', arguments: {}}]}",
      .reject = "call: no function is called `wether`" },
    { .params = "functions: .functions", .in = "{functions: " FUNCTIONS ", calls: []}", .reject = "calls 0" },
    QN_END
};
#undef FUNCTIONS

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    if (!p->file && !p->functions) {
        qn_fail_at(e, QN_ERECIPE, ck->pos, "`check_calls` needs `file` or `functions`");
        qn_hint(e, "file: api.yaml, or functions: .functions where each row has its own");
        return QN_ERECIPE;
    }
    if (!p->file) return QN_OK;
    p->known = QN_ARENA_NEW(ck->arena, qn_functions);
    return qn_functions_load(p->file, ck->arena, p->known, e);
}

static qn_value without_empty(qn_arena *a, qn_value args)
{
    qn_object_b o = { .a = a };
    qn_value v;
    qn_str name;
    for (qn_v_iter it = qn_v_iter_of(args); qn_v_next(&it, &name, &v);)
        if (v.kind != QN_V_TEXT || v.n) qn_object_put(&o, name, v);
    return qn_object_end(&o);
}

/* One call against the functions; false with the reason. */
static bool fits(const params *p, qn_ctx *cx, const qn_functions *known, qn_value call, qn_buf *why)
{
    qn_str name;
    qn_value args;
    qn_buf words = {0};
    if (!qn_call_read(call, cx->scratch, &name, &args, why)) return false;
    const qn_function *fn = qn_functions_find(known, name);
    if (!fn) { qn_buf_printf(why, "no function is called `%.*s`", QN_FMT(name)); return false; }
    if (p->empty_is_absent) args = without_empty(cx->scratch, args);
    bool ok = qn_schema_fits(fn->schema, args, &words);
    if (!ok) qn_buf_printf(why, "`%.*s`: %s", QN_FMT(name), words.p ? words.p : "");
    qn_buf_free(&words);
    return ok;
}

static qn_code functions_of(const params *p, qn_ctx *cx, const qn_row *r, qn_functions *mine, const qn_functions **out, qn_err *e)
{
    qn_value v;
    *out = p->known;
    if (!p->functions) return QN_OK;
    QN_TRY(qn_expr_one(p->functions, r, cx->scratch, &v, e));
    *out = mine;
    return qn_functions_read(v, cx->scratch, mine, e);
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    const qn_functions *known;
    qn_functions mine;
    qn_value calls, call;
    qn_buf why = {0};
    qn_err bad;
    (void)state;
    QN_TRY(functions_of(p, cx, r, &mine, &known, e));
    QN_TRY(qn_expr_one(p->calls, r, cx->scratch, &calls, e));
    if (calls.kind == QN_V_TEXT && qn_reply_json(qn_v_str(calls), NULL, cx->scratch, &calls, NULL, &bad) != QN_OK) {
        qn_emit_reject(em, r, qn_reject_fact("call", "%s", bad.msg));
        return QN_OK;
    }
    qn_value single = calls;
    if (calls.kind == QN_V_OBJECT) calls = qn_v_list(&single, 1);
    int64_t n = calls.kind == QN_V_LIST ? calls.n : 0;
    bool ok = true;
    for (qn_v_iter it = qn_v_iter_of(calls); ok && n && qn_v_next(&it, NULL, &call);) ok = fits(p, cx, known, call, &why);
    if (n < p->min) qn_emit_reject(em, r, qn_reject_below("calls", (double)n, (double)p->min));
    else if (ok) qn_emit_row(em, r);
    else qn_emit_reject(em, r, qn_reject_fact("call", "%.*s", QN_FMT(qn_buf_view(&why))));
    qn_buf_free(&why);
    return QN_OK;
}

const qn_op qn_op_check_calls = {
    .name = "check_calls", .version = 1, .stage = QN_CURATE, .brief = "keep rows whose function calls fit the functions' descriptions (OpenAPI or schemas)",
    .paper = "ToolAlpaca (Tang et al. 2023)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
