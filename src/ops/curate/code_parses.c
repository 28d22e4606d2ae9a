/* code_parses: keep a row only when its code can be read by its language.
 *
 * Brackets, quotes and comments must balance in every language; JSON is parsed by yyjson, SQL by SQLite, Python by Python's own parser in the
 * sandbox (where there is none: balance alone, and the log says so). Nothing is run. Runs on: any worker; Python costs about 30 ms a row. */
#include "core/log.h"
#include "core/sandbox.h"
#include "ops/curate/curate.h"
#include "text/code_parses.h"

typedef struct { qn_expr *code; qn_str language; bool fenced; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, code, ".code", "text", "the code, or a reply with code in a fenced block"),
    QN_TEXT(params, language, "", "python, c, javascript, sql, json, sh, ...; when not given, what the fence says"),
    QN_BOOL(params, fenced, "no", "the code must stand in a fenced block"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "language: c", .in = "{code: 'int f(void) { return 1;'}", .reject = "code: line 1: a bracket that does not close" },
    { .params = "", .in = "{code: \"Sure:\\n```json\\n{\\\"a\\\": 1}\\n```\"}", .out = "{code: \"Sure:\\n```json\\n{\\\"a\\\": 1}\\n```\"}" },
    { .params = "language: sql", .in = "{code: 'SELEC 1'}", .reject = "code: near \"SELEC\"" },
    { .params = "language: python", .in = "{code: 'def f(:'}", .reject = "code: " },
    { .params = "fenced: yes", .in = "{code: 'no code'}", .reject = "code: no fenced block" },
    QN_END
};

/* Python's own word on it: line and message; empty when it parses. */
static qn_code ask_python(qn_str code, qn_buf *why, qn_err *e)
{
    static const char *const argv[] = { "python3", "-I", "-S", "-c",
        "import ast,sys\n"
        "try: ast.parse(sys.stdin.buffer.read())\n"
        "except SyntaxError as x: print('line %s: %s' % (x.lineno, x.msg)); sys.exit(3)\n"
        "except (ValueError, RecursionError, MemoryError) as x: print(type(x).__name__); sys.exit(3)\n", NULL };
    qn_sandbox_job job = QN_SANDBOX_JOB;
    qn_sandbox_result r;
    job.argv = argv;
    job.input = code;
    QN_TRY(qn_sandbox_run(&job, &r, e));
    qn_code rc = QN_OK;
    if (r.exit_code == 3) qn_buf_str(why, qn_str_trim(qn_buf_view(&r.out)));
    else if (r.stopped) qn_buf_printf(why, "the parser was stopped: %s", r.stopped);
    else if (r.exit_code != 0) rc = qn_fail(e, QN_EMISSING, "python3 does not run in the sandbox: %.*s", (int)(r.err.n < 120 ? r.err.n : 120), qn_buf_view(&r.err).p);
    qn_sandbox_result_free(&r);
    return rc;
}

static void judge(qn_str code, qn_code_lang lang, qn_buf *why)
{
    int line = 0;
    const char *what = "";
    qn_err e = {0};
    if (lang == QN_CODE_JSON && !qn_code_json_ok(code, &line, &what)) qn_buf_printf(why, "line %d: %s", line, what);
    else if (lang == QN_CODE_SQL && qn_code_sql_ok(code, &e) != QN_OK) qn_buf_puts(why, e.msg);
    else if (lang != QN_CODE_JSON && !qn_code_balanced(code, lang, &line, &what)) qn_buf_printf(why, "line %d: %s", line, what);
    else if (lang == QN_CODE_PYTHON && ask_python(code, why, &e) != QN_OK) {
        static bool said;       /* once is enough; two threads may say it twice */
        if (!said) qn_log(QN_WARN, "code_parses", "Python is only checked for balance: %s", e.msg);
        said = true;
    }
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_str text = {0}, fence;
    qn_buf why = {0};
    (void)state;
    QN_TRY(qn_curate_text(cx, p->code, r, &text, e));
    qn_str code = qn_code_block(text, &fence);
    if (p->fenced && code.p == text.p && code.n == text.n) qn_buf_puts(&why, "no fenced block");
    else if (qn_str_trim(code).n == 0) qn_buf_puts(&why, "no code");
    else judge(code, qn_code_lang_of(p->language.n ? p->language : fence), &why);
    if (why.n) qn_emit_reject(em, r, qn_reject_fact("code", "%.*s", QN_FMT(qn_buf_view(&why))));
    else qn_emit_row(em, r);
    qn_buf_free(&why);
    return QN_OK;
}

const qn_op qn_op_code_parses = {
    .name = "code_parses", .version = 1, .stage = QN_CURATE, .brief = "keep rows whose code can be read by its language; nothing is run",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .map = map,
};
