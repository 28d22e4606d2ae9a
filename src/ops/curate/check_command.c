/* check_command: run a command of the user's on each row, in the sandbox: exit code 0 keeps the row.
 *
 * The row comes as JSON on standard input, and as text of one field where `input` says so. What the command prints can become a field. As in check_code
 * nothing runs outside the sandbox: the command sees /usr, an empty $TMPDIR and, in its folder, what `files` names. A recipe's command, and the files that it
 * reads, are shown before `quern run` starts it, as those of `pipe` are. Runs on: any worker. */
#include "core/file.h"
#include "core/sandbox.h"
#include "ops/curate/curate.h"

typedef struct { qn_str run; qn_expr *input; qn_texts files; qn_str as; int64_t time_ms, memory; qn_sandbox_file *loaded; } params;

static const qn_param PARAMS[] = {
    QN_TEXT(params, run, NULL, "the command, run by sh"),
    QN_EXPR(params, input, "", "text", "what it gets on standard input; the whole row as JSON when not given"),
    QN_TEXTS(params, files, "[]", "files it may read, in its folder by their names: a script, a word list"),
    QN_FIELD(params, as, "", "field for what it prints"),
    QN_INT(params, time_ms, "5000", "10..600000", "wall-clock milliseconds"),
    QN_SIZE(params, memory, "512M", "memory of all its processes together"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "run: 'grep -q mill'", .in = "{text: 'the old mill'}", .out = "{text: 'the old mill'}" },
    { .params = "run: 'grep -q mill'", .in = "{text: 'the river'}", .reject = "command: exit code 1" },
    { .params = "run: 'tr a-z A-Z', input: .text, as: loud", .in = "{text: 'flour'}", .out = "{text: 'flour', loud: 'FLOUR'}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    if (p->as.n) ck->out = qn_type_with(ck->out, p->as, qn_type_simple(QN_T_TEXT), ck->arena);
    p->loaded = QN_ARENA_NEW_N(ck->arena, qn_sandbox_file, p->files.n + 1);
    for (size_t i = 0; i < p->files.n; i++) {
        qn_str path = qn_arena_str(ck->arena, p->files.items[i]);
        qn_buf b = {0};
        qn_code rc = qn_file_read(path.p, 64 << 20, &b, e);
        if (rc == QN_OK) p->loaded[i] = (qn_sandbox_file){ qn_arena_str(ck->arena, qn_path_base(path)).p, qn_arena_str(ck->arena, qn_buf_view(&b)) };
        qn_buf_free(&b);
        QN_TRY(rc);
    }
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_str input = {0};
    qn_buf row = {0};
    qn_sandbox_job job = QN_SANDBOX_JOB;
    qn_sandbox_result x = {0};
    const char *argv[] = { "sh", "-c", qn_arena_str(cx->scratch, p->run).p, NULL };
    (void)state;
    if (p->input) QN_TRY(qn_curate_text(cx, p->input, r, &input, e));
    if (!p->input) { qn_row_write(r, &row); qn_buf_putc(&row, '\n'); }
    job.argv = argv;
    job.input = p->input ? input : qn_buf_view(&row);
    job.files = p->loaded;
    job.n_files = p->files.n;
    job.time_ms = p->time_ms;
    job.memory_bytes = p->memory;
    qn_code rc = qn_sandbox_run(&job, &x, e);
    qn_buf_free(&row);
    if (rc != QN_OK) return rc;
    qn_str said = qn_str_trim(qn_buf_view(&x.out));
    bool ok = !x.stopped && x.exit_code == 0;
    if (ok && p->as.n) qn_row_set(r, p->as, qn_v_text(qn_utf8_valid(said) ? said : QN_STR("")));
    if (ok) qn_emit_row(em, r);
    else if (x.stopped) qn_emit_reject(em, r, qn_reject_fact("command", "%s", x.stopped));
    else if (x.signal) qn_emit_reject(em, r, qn_reject_fact("command", "ended by signal %d", x.signal));
    else qn_emit_reject(em, r, qn_reject_fact("command", "exit code %d", x.exit_code));
    qn_sandbox_result_free(&x);
    return QN_OK;
}

const qn_op qn_op_check_command = {
    .name = "check_command", .version = 1, .stage = QN_CURATE, .flags = QN_OP_RUNS_COMMANDS, .brief = "keep rows for which a command of yours, run in a sandbox, ends well",
    .about = "A recipe's command runs only after it was allowed: `quern run` shows it and asks, or takes --yes; `quern plan` never runs it. From the shell, "
             "`quern apply check_command run='...'` is the command's own permission. What was allowed, and how, stands in run.log and summary.json.",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
