/* pipe: sends rows to a program of the user's and takes what it answers: own steps without C.
 *
 * The program is started once and lives as long as the run. It reads one JSON object a line from its standard input and answers each with one line on
 * its standard output: an object (the row's new fields), a list of objects (one row for each), or null or {"_reject": "why"} (the row is rejected). What it
 * writes to standard error goes to run.log. A program that ends, hangs past `timeout` or answers nonsense costs the row in hand, and is started again.
 *
 * Rows pass in order, one at a time. The command is run by /bin/sh; `quern run` asks before it runs a recipe's commands (--yes answers). */
#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"
#include "ops/op.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ANSWER = 64 << 20, MAX_STARTS = 20 };

typedef struct { qn_str run; qn_texts reads; qn_value writes; int64_t timeout; } params;

static const qn_param PARAMS[] = {
    QN_TEXT(params, run, NULL, "the command: python3 mine.py"),
    QN_TEXTS(params, reads, "", "fields that the program gets; all when left out"),
    QN_VALUE(params, writes, "", "fields that it makes, with their types: {score: real}; needed to use them in later steps"),
    QN_INT(params, timeout, "60", "1..86400", "seconds for one row"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "run: 'sed -u s/grain/flour/', writes: {a: text}", .in = "{a: 'grain'}", .out = "{a: 'flour'}" },
    { .params = "run: 'while read -r x; do echo null; done'", .in = "{a: 1}", .reject = "pipe" },
    { .params = "run: 'exit 3'", .in = "{a: 1}", .fail = "ended" },
    QN_END
};

typedef struct { pid_t pid; int in, out, err; qn_buf line; int n_starts; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    qn_v_iter it = qn_v_iter_of(p->writes);
    qn_str name;
    qn_value word;
    for (size_t i = 0; i < p->reads.n; i++) {
        qn_str f = p->reads.items[i];
        if (f.n && f.p[0] == '.') f = qn_str_sub(f, 1, f.n);
        if (!ck->in->open && !qn_type_field_of(ck->in, f)) {
            const char *near = qn_type_nearest_field(ck->in, f, ck->arena);
            qn_fail_at(e, QN_ERECIPE, ck->pos, "the rows have no field `%.*s`", QN_FMT(f));
            if (near) qn_hint(e, "did you mean `%s`?", near);
            return QN_ERECIPE;
        }
    }
    while (qn_v_next(&it, &name, &word)) {
        const qn_type *t;
        QN_TRY(qn_type_parse(qn_v_str(word), ck->arena, &t, e));
        ck->out = qn_type_with(ck->out, name, t, ck->arena);
    }
    return QN_OK;
}

static void stop(state *st)
{
    if (st->pid <= 0) return;
    close(st->in);
    close(st->out);
    close(st->err);
    kill(-st->pid, SIGKILL);
    while (waitpid(st->pid, NULL, 0) < 0 && errno == EINTR) {}
    st->pid = 0;
    qn_buf_clear(&st->line);
}

static qn_code start(const params *p, state *st, qn_err *e)
{
    int in[2], out[2], err[2];
    if (st->n_starts++ >= MAX_STARTS) return qn_fail(e, QN_EDATA, "`%.*s` ended %d times: it is not started again", QN_FMT(p->run), MAX_STARTS);
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) return qn_fail(e, QN_EIO, "no pipe can be made: %s", strerror(errno));
    char *cmd = qn_strz(p->run);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(err[1], 2);
        signal(SIGPIPE, SIG_DFL);
        execl("/bin/sh", "sh", "-c", cmd, (char *)NULL);
        _exit(127);
    }
    qn_free(cmd);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    if (pid < 0) return qn_fail(e, QN_EIO, "`%.*s` cannot be started: %s", QN_FMT(p->run), strerror(errno));
    setpgid(pid, pid);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    st->pid = pid;
    st->in = in[1];
    st->out = out[0];
    st->err = err[0];
    return QN_OK;
}

static void take_stderr(const params *p, state *st)
{
    char text[2000];
    ssize_t k = read(st->err, text, sizeof text - 1);
    if (k > 0) qn_log(QN_INFO, "pipe", "%.*s: %.*s", QN_FMT(p->run), (int)k, text);
}

/* Something lies in the program's output before a row was sent: a line too many, after which every answer would go to the wrong row. */
static bool unasked(const state *st)
{
    struct pollfd fd = { st->out, POLLIN, 0 };
    return st->line.n > 0 || (poll(&fd, 1, 0) > 0 && fd.revents & POLLIN);
}

/* Sends one line and waits for one. The answer is in st->line, without its newline, up to *n. */
static qn_code exchange(const params *p, state *st, qn_str send, size_t *n, qn_err *e)
{
    size_t sent = 0;
    if (unasked(st)) return qn_fail(e, QN_EDATA, "`%.*s` wrote a line that no row asked for: its answers may belong to other rows", QN_FMT(p->run));
    int64_t until = qn_now_us() + p->timeout * 1000000;
    for (;;) {
        char *nl = st->line.n ? memchr(st->line.p, '\n', st->line.n) : NULL;
        if (nl) { *n = (size_t)(nl - st->line.p); return QN_OK; }
        struct pollfd fds[3] = { { st->out, POLLIN, 0 }, { st->err, POLLIN, 0 }, { st->in, POLLOUT, 0 } };
        int64_t left = until - qn_now_us();
        if (left <= 0) return qn_fail(e, QN_EDATA, "`%.*s` took longer than %lld s", QN_FMT(p->run), (long long)p->timeout);
        if (poll(fds, sent < send.n ? 3 : 2, (int)(left / 1000) + 1) < 0 && errno != EINTR) return qn_fail(e, QN_EIO, "poll: %s", strerror(errno));
        if (fds[1].revents & POLLIN) take_stderr(p, st);
        if (sent < send.n && fds[2].revents & (POLLOUT | POLLERR)) {
            ssize_t k = write(st->in, send.p + sent, send.n - sent);
            if (k > 0) sent += (size_t)k;
            else if (k < 0 && errno == EPIPE && !(fds[0].revents & POLLIN)) return qn_fail(e, QN_EDATA, "`%.*s` ended", QN_FMT(p->run));
        }
        if (fds[0].revents & (POLLIN | POLLHUP)) {
            char chunk[65536];
            ssize_t k = read(st->out, chunk, sizeof chunk);
            if (k == 0) return qn_fail(e, QN_EDATA, "`%.*s` ended without an answer", QN_FMT(p->run));
            if (k > 0 && !qn_buf_put(&st->line, chunk, (size_t)k)) return qn_fail(e, QN_ELIMIT, "an answer is larger than %d MB", MAX_ANSWER >> 20);
        }
    }
}

static void row_line(const params *p, const qn_row *r, qn_arena *a, qn_buf *b)
{
    qn_object_b o = { .a = a };
    if (!p->reads.n) {
        qn_json_write(b, qn_row_value(r, a));
    } else {
        for (size_t i = 0; i < p->reads.n; i++) {
            qn_str f = p->reads.items[i];
            qn_value v;
            if (f.n && f.p[0] == '.') f = qn_str_sub(f, 1, f.n);
            if (qn_row_find(r, f, &v)) qn_object_put(&o, f, v);
        }
        qn_json_write(b, qn_object_end(&o));
    }
    qn_buf_putc(b, '\n');
}

static void set_all(qn_row *r, qn_value object)
{
    qn_v_iter it = qn_v_iter_of(object);
    qn_str name;
    qn_value v;
    while (qn_v_next(&it, &name, &v)) qn_row_set(r, name, v);
}

static qn_code take_answer(const params *p, qn_value answer, qn_row *r, qn_emit *em, qn_err *e)
{
    qn_value why, item;
    if (answer.kind == QN_V_NULL) { qn_emit_reject(em, r, qn_reject_fact("pipe", "by the program")); return QN_OK; }
    if (answer.kind == QN_V_OBJECT && qn_v_get(answer, QN_STR("_reject"), &why)) {
        qn_emit_reject(em, r, qn_reject_fact("pipe", "%.*s", QN_FMT(qn_v_str(why))));
        return QN_OK;
    }
    if (answer.kind == QN_V_OBJECT) { set_all(r, answer); qn_emit_row(em, r); return QN_OK; }
    if (answer.kind != QN_V_LIST) return qn_fail(e, QN_EDATA, "`%.*s` answered a %s; an object, a list of objects or null is needed", QN_FMT(p->run), qn_v_kind_name(answer));
    qn_v_iter it = qn_v_iter_of(answer);
    while (qn_v_next(&it, NULL, &item)) {
        if (item.kind != QN_V_OBJECT) return qn_fail(e, QN_EDATA, "`%.*s` answered a list that holds a %s", QN_FMT(p->run), qn_v_kind_name(item));
        qn_row *c = qn_emit_child(em, r);
        set_all(c, item);
        qn_emit_row(em, c);
    }
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_buf line = {0};
    size_t n = 0;
    qn_value answer;
    if (!st->pid) QN_TRY(start(p, st, e));
    row_line(p, r, cx->scratch, &line);
    qn_code rc = exchange(p, st, qn_buf_view(&line), &n, e);
    qn_buf_free(&line);
    if (rc != QN_OK) { stop(st); return rc == QN_EIO ? QN_EDATA : rc; }
    qn_err bad = {0};
    qn_str text = qn_arena_str(cx->scratch, (qn_str){ st->line.p, n });
    memmove(st->line.p, st->line.p + n + 1, st->line.n - n - 1);
    st->line.n -= n + 1;
    if (qn_json_parse(text, cx->scratch, &answer, &bad) != QN_OK)
        return qn_fail(e, QN_EDATA, "`%.*s` answered no JSON: %.80s", QN_FMT(p->run), text.n ? text.p : "an empty line");
    return take_answer(p, answer, r, em, e);
}

static qn_code open_pipe(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    state *st = QN_NEW(state);
    (void)cx;
    (void)vp;
    (void)e;
    st->line.limit = MAX_ANSWER;
    *out = st;
    return QN_OK;
}

static void close_pipe(void *vs)
{
    state *st = vs;
    stop(st);
    qn_buf_free(&st->line);
    qn_free(st);
}

const qn_op qn_op_pipe = {
    .name = "pipe", .version = 1, .stage = QN_GENERATE, .flags = QN_OP_ORDERED | QN_OP_RUNS_COMMANDS,
    .brief = "send rows to a program of your own, as JSON lines",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open_pipe, .close = close_pipe, .map = map,
};
