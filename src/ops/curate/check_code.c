/* check_code: run a row's code with its tests in the sandbox, and keep it when they pass.
 *
 * Without network, without the host's files, within limits of time, memory, processes, disk and output (core/sandbox.h). Where no sandbox can be
 * made, rows fail with what is missing: code is never run without. Runs on: any worker; 30 ms a row and more. */
#include "core/sandbox.h"
#include "ops/curate/curate.h"
#include "text/code_parses.h"

typedef struct { qn_expr *code, *tests; qn_str language; int64_t time_ms, memory; qn_str output; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, code, ".code", "text", "the code, or a reply with code in a fenced block"),
    QN_EXPR(params, tests, "", NULL, "tests put behind the code: a text, or a list of lines"),
    QN_CHOICE(params, language, "python", "python|c|sh|javascript", "what runs it: python3, cc, sh, node, as /usr has them"),
    QN_INT(params, time_ms, "5000", "10..600000", "wall-clock milliseconds"),
    QN_SIZE(params, memory, "512M", "memory of all its processes together"),
    QN_FIELD(params, output, "", "field for what it prints"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "tests: .tests", .in = "{code: \"def grind(x):\\n  return x + 1\", tests: ['assert grind(1) == 2']}", .out = "{code: \"def grind(x):\\n  return x + 1\", tests: ['assert grind(1) == 2']}" },
    { .params = "tests: .tests", .in = "{code: \"def grind(x):\\n  return x\", tests: ['assert grind(1) == 2']}", .reject = "tests: AssertionError" },
    { .params = "language: sh, output: said", .in = "{code: 'echo flour'}", .out = "{code: 'echo flour', said: 'flour'}" },
    { .params = "language: c", .in = "{code: 'int main(void) { return 0; }'}", .out = "{code: 'int main(void) { return 0; }'}" },
    { .params = "language: sh, time_ms: 200", .in = "{code: 'sleep 20'}", .reject = "tests: out of time" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    (void)e;
    if (p->output.n) ck->out = qn_type_with(ck->out, p->output, qn_type_simple(QN_T_TEXT), ck->arena);
    return QN_OK;
}

static qn_code add_tests(void *arg, qn_value v, qn_err *e)
{
    qn_buf *b = arg;
    if (v.kind == QN_V_LIST) {
        for (size_t i = 0; i < v.n; i++) QN_TRY(add_tests(arg, qn_v_at(v, i), e));
        return QN_OK;
    }
    if (v.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "a test is %s, it must be a text", qn_v_kind_name(v));
    qn_buf_putc(b, '\n');
    qn_buf_str(b, qn_v_str(v));
    return QN_OK;
}

/* The last line of a traceback or of what a compiler says. */
static qn_str last_line(qn_str s)
{
    s = qn_str_trim(s);
    size_t from = s.n;
    while (from > 0 && s.p[from - 1] != '\n') from--;
    return qn_str_sub(s, from, s.n);
}

static void judge(const qn_sandbox_result *r, qn_buf *why)
{
    qn_str last = last_line(qn_buf_view(&r->err));
    if (r->stopped) qn_buf_puts(why, r->stopped);
    else if (r->exit_code == 0) return;
    else if (last.n) qn_buf_str(why, last);
    else if (r->signal) qn_buf_printf(why, "ended by signal %d", r->signal);
    else qn_buf_printf(why, "exit code %d", r->exit_code);
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    /* The compiler's output becomes executable by way of a copy: where the sandbox shares the user's uid, no program may change modes. */
    static const char c[] = "cd \"$TMPDIR\" && cc -std=gnu17 -w -o made \"$OLDPWD/main.c\" -lm && cp /bin/true run && cat made >run && exec ./run";
    static const char *const commands[4][5] = { { "python3", "-I", "-B", "main.py", NULL }, { "sh", "-c", c, NULL },
                                                { "sh", "main.sh", NULL }, { "node", "main.js", NULL } };
    static const char *const names[4] = { "main.py", "main.c", "main.sh", "main.js" };
    const params *p = vp;
    qn_str text = {0}, fence;
    qn_buf source = {0}, why = {0};
    qn_sandbox_job job = QN_SANDBOX_JOB;
    qn_sandbox_result result = {0};
    qn_code rc = QN_OK;
    int k = qn_str_is(p->language, "python") ? 0 : qn_str_is(p->language, "c") ? 1 : qn_str_is(p->language, "sh") ? 2 : 3;
    (void)state;
    QN_TRY(qn_curate_text(cx, p->code, r, &text, e));
    qn_buf_str(&source, qn_code_block(text, &fence));
    if (p->tests) QN_TRY_OUT(qn_expr_run(p->tests, r, cx->scratch, add_tests, &source, e));
    qn_sandbox_file file = { names[k], qn_buf_view(&source) };
    job.argv = commands[k];
    job.files = &file;
    job.n_files = 1;
    job.time_ms = p->time_ms;
    job.memory_bytes = p->memory;
    job.reserves = k == 3;
    QN_TRY_OUT(qn_sandbox_run(&job, &result, e));
    judge(&result, &why);
    if (p->output.n && !why.n) {
        qn_str said = qn_str_trim(qn_buf_view(&result.out));
        qn_row_set(r, p->output, qn_v_text(qn_utf8_valid(said) ? said : QN_STR("")));
    }
    if (why.n) qn_emit_reject(em, r, qn_reject_fact("tests", "%.*s", QN_FMT(qn_buf_view(&why))));
    else qn_emit_row(em, r);
out:
    qn_sandbox_result_free(&result);
    qn_buf_free(&source);
    qn_buf_free(&why);
    return rc;
}

const qn_op qn_op_check_code = {
    .name = "check_code", .version = 1, .stage = QN_CURATE, .brief = "run code with its tests in a sandbox and keep what passes",
    .about = "Programs are found below /usr of this machine. A row whose tests fail is rejected with the last line of the error.\n"
             "The sandbox is bubblewrap, or Landlock with a filter of system calls where bubblewrap can make no namespaces; run.log says which.",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
