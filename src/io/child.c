/* child: both sides of the pipe, and the pool of children that wait for work. */
#include "io/child.h"
#include "core/clock.h"
#include "core/thread.h"
#include "io/child_jail.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_MS = 60000, OOM_EXIT = 88, POOL = 64, SERVES = 500 };
#define MOST_BYTES ((size_t)1 << 30)

/* ---- the form of a message: a length, then fields; each text is its length and its bytes ---- */
static void put_u64(qn_buf *b, uint64_t v) { qn_buf_put(b, &v, 8); }
static void put_str(qn_buf *b, qn_str s) { put_u64(b, s.n); qn_buf_str(b, s); }

typedef struct { qn_str rest; bool bad; } parts;
static uint64_t get_u64(parts *m)
{
    uint64_t v = 0;
    if (m->rest.n < 8) { m->bad = true; return 0; }
    memcpy(&v, m->rest.p, 8);
    m->rest = qn_str_sub(m->rest, 8, m->rest.n);
    return v;
}
static qn_str get_str(parts *m)
{
    uint64_t n = get_u64(m);
    if (n > m->rest.n) { m->bad = true; n = 0; }
    qn_str s = qn_str_sub(m->rest, 0, (size_t)n);
    m->rest = qn_str_sub(m->rest, (size_t)n, m->rest.n);
    return s;
}

static bool write_all(int fd, const void *p, size_t n)
{
    while (n) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        p = (const char *)p + k;
        n -= (size_t)k;
    }
    return true;
}

static bool send_message(int fd, const qn_buf *b)
{
    uint64_t n = b->n;
    return write_all(fd, &n, 8) && write_all(fd, b->p, b->n);
}

/* ---- the child ---- */
static bool read_all(int fd, void *p, size_t n)
{
    while (n) {
        ssize_t k = read(fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        p = (char *)p + k;
        n -= (size_t)k;
    }
    return true;
}

static void put_doc(qn_buf *b, const qn_doc *d)
{
    qn_str texts[] = { d->title, d->text, d->licence, d->warning };
    for (size_t i = 0; i < 4; i++) put_str(b, texts[i]);
    put_u64(b, d->n_meta);
    for (size_t i = 0; i < d->n_meta; i++) {
        qn_buf json = {0};
        qn_json_write(&json, d->meta[i].value);
        put_str(b, d->meta[i].name);
        put_str(b, qn_buf_view(&json));
        qn_buf_free(&json);
    }
    put_u64(b, d->n_blocks);
    qn_buf_put(b, d->blocks, d->n_blocks * sizeof *d->blocks);
}

static void oom(size_t n) { (void)n; _exit(OOM_EXIT); }

static bool serve_one(qn_doc_fn read_doc)
{
    uint64_t n;
    qn_buf in = {0}, out = {0};
    qn_arena a = {0};
    qn_doc d = {0};
    qn_err e = {0};
    bool ok = false;
    if (!read_all(STDIN_FILENO, &n, 8) || n > MOST_BYTES) return false;
    qn_buf_reserve(&in, (size_t)n);
    if (!read_all(STDIN_FILENO, in.p, (size_t)n)) goto out;
    parts m = { { in.p, (size_t)n }, false };
    qn_str path = get_str(&m), encoding = get_str(&m);
    char *path_z = qn_strz(path), *encoding_z = qn_strz(encoding);
    qn_read_opts o = { .encoding = encoding.n ? encoding_z : NULL };
    qn_jail_cpu(TIMEOUT_MS / 1000);
    qn_code rc = read_doc(path_z, &o, &a, &d, &e);
    put_u64(&out, rc);
    if (rc == QN_OK) {
        put_doc(&out, &d);
    } else {
        put_u64(&out, (uint64_t)(e.pos.line > 0 ? e.pos.line : 0));
        put_str(&out, qn_str_of(e.msg));
        put_str(&out, qn_str_of(e.hint));
    }
    ok = send_message(STDOUT_FILENO, &out);
    qn_free(path_z);
    qn_free(encoding_z);
out:
    qn_buf_free(&in);
    qn_buf_free(&out);
    qn_arena_free(&a);
    return ok;
}

int qn_doc_child_serve(qn_doc_fn read_doc)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);            /* Ctrl-C at the terminal: the parent decides */
    qn_oom_handler(oom);
    qn_jail_enter();
    while (serve_one(read_doc)) {}
    return 0;
}

int qn_doc_child_main(void) { return qn_doc_child_serve(qn_doc_read_here); }

/* ---- the parent ---- */
typedef struct { pid_t pid; int to, from, n_served; } child;

static const char *program;
static int timeout_ms = TIMEOUT_MS;
static qn_chan *idle;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void pool_make(void) { idle = qn_chan_new(POOL); }

void qn_doc_child_setup(const char *path, int ms)
{
    program = path;
    timeout_ms = ms > 0 ? ms : TIMEOUT_MS;
}

static qn_code child_start(child **out, qn_err *e)
{
    extern char **environ;
    int to[2], from[2];
    char *argv[] = { (char[]){ "quern" }, (char[]){ "--reader-child" }, NULL };
    const char *exe = program ? program : "/proc/self/exe";
    pid_t pid;
    if (pipe2(to, O_CLOEXEC) != 0) return qn_fail(e, QN_EIO, "cannot start the document reader: %s", strerror(errno));
    if (pipe2(from, O_CLOEXEC) != 0) { close(to[0]); close(to[1]); return qn_fail(e, QN_EIO, "cannot start the document reader: %s", strerror(errno)); }
    posix_spawn_file_actions_t fa;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&fa, from[1], STDOUT_FILENO);
    int rc = posix_spawn(&pid, exe, &fa, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&fa);
    close(to[0]);
    close(from[1]);
    if (rc != 0) {
        close(to[1]);
        close(from[0]);
        qn_fail(e, QN_EIO, "cannot start the document reader %s: %s", exe, strerror(rc));
        qn_hint(e, "documents are read by the quern program in a process of its own: put it on the PATH or name it (QUERN_PROGRAM)");
        return QN_EIO;
    }
    *out = QN_NEW(child);
    **out = (child){ pid, to[1], from[0], 0 };
    return QN_OK;
}

/* Ends the child, tells how it ended: the status of waitpid. */
static int child_end(child *c, bool by_force)
{
    int status = 0;
    close(c->to);
    if (by_force) kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR) {}
    close(c->from);
    qn_free(c);
    return status;
}

/* Reads n bytes before the deadline: 1 done, 0 the child went away, -1 too late. */
static int read_until(int fd, void *p, size_t n, int64_t deadline_us)
{
    while (n) {
        int64_t left = (deadline_us - qn_now_us()) / 1000;
        struct pollfd pf = { fd, POLLIN, 0 };
        int k = left <= 0 ? 0 : poll(&pf, 1, (int)left);
        if (k < 0 && errno == EINTR) continue;
        if (k == 0) return -1;
        ssize_t got = read(fd, p, n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return 0;
        p = (char *)p + got;
        n -= (size_t)got;
    }
    return 1;
}

static qn_code died(const char *path, int status, qn_err *e)
{
    qn_pos at = { .file = path };
    if (WIFEXITED(status) && WEXITSTATUS(status) == OOM_EXIT)
        return qn_fail_at(e, QN_EDATA, at, "reading %s needs more than 2 GB of memory", path);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return qn_fail_at(e, QN_EDATA, at, "reading %s took longer than %d s", path, timeout_ms / 1000);
    if (WIFSIGNALED(status)) return qn_fail_at(e, QN_EDATA, at, "the reader crashed on %s (signal %d)", path, WTERMSIG(status));
    return qn_fail_at(e, QN_EDATA, at, "the reader ended on %s (status %d)", path, WEXITSTATUS(status));
}

/* What came is copied into the arena, checked piece by piece. */
static qn_code take_doc(parts *m, const char *path, qn_arena *a, qn_doc *out, qn_err *e)
{
    qn_str *texts[] = { &out->title, &out->text, &out->licence, &out->warning };
    for (size_t i = 0; i < 4; i++) {
        qn_str s = get_str(m);
        m->bad = m->bad || !qn_utf8_valid(s);
        *texts[i] = qn_arena_str(a, s);
    }
    uint64_t n = get_u64(m);
    m->bad = m->bad || n > m->rest.n;
    out->meta = m->bad ? NULL : QN_ARENA_NEW_N(a, qn_field, n);
    for (uint64_t i = 0; i < n && !m->bad; i++) {
        qn_field *f = &out->meta[out->n_meta++];
        f->name = qn_arena_str(a, get_str(m));
        qn_str json = get_str(m);
        m->bad = m->bad || !qn_utf8_valid(f->name) || qn_json_parse(json, a, &f->value, NULL) != QN_OK;
    }
    n = get_u64(m);
    m->bad = m->bad || n != m->rest.n / sizeof(qn_block);
    if (!m->bad) {
        size_t at = 0;
        out->n_blocks = (size_t)n;
        out->blocks = qn_arena_alloc(a, out->n_blocks * sizeof *out->blocks);
        memcpy(out->blocks, m->rest.p, out->n_blocks * sizeof *out->blocks);
        for (size_t i = 0; i < out->n_blocks; i++) {
            const qn_block *k = &out->blocks[i];
            if (k->start < at || k->end < k->start || k->end > out->text.n || k->kind > QN_BLOCK_QUOTE) m->bad = true;
            at = k->end;
        }
    }
    return m->bad ? qn_fail_at(e, QN_EDATA, (qn_pos){ .file = path }, "the reader gave a broken answer for %s", path) : QN_OK;
}

void qn_doc_pack(const qn_doc *d, qn_buf *out) { put_doc(out, d); }

qn_code qn_doc_unpack(qn_str packed, const char *path, qn_arena *a, qn_doc *out, qn_err *e)
{
    parts m = { packed, false };
    *out = (qn_doc){0};
    return take_doc(&m, path, a, out, e);
}

static qn_code take_answer(qn_str bytes, const char *path, qn_arena *a, qn_doc *out, qn_err *e)
{
    parts m = { bytes, false };
    qn_code rc = (qn_code)get_u64(&m);
    *out = (qn_doc){0};
    if (rc == QN_OK && !m.bad) return take_doc(&m, path, a, out, e);
    int line = (int)get_u64(&m);
    qn_str msg = get_str(&m), hint = get_str(&m);
    if (rc > QN_ESTOP) rc = QN_EDATA;
    qn_fail_at(e, rc, (qn_pos){ .file = path, .line = line }, "%.*s", QN_FMT(msg));
    if (hint.n) qn_hint(e, "%.*s", QN_FMT(hint));
    return rc;
}

static qn_code ask(child *c, const char *path, const qn_read_opts *o, qn_buf *answer, int *status, qn_err *e)
{
    qn_buf b = {0};
    uint64_t n;
    put_str(&b, qn_str_of(path));
    put_str(&b, qn_str_of(o && o->encoding ? o->encoding : ""));
    bool sent = send_message(c->to, &b);
    qn_buf_free(&b);
    int64_t deadline = qn_now_us() + (int64_t)timeout_ms * 1000;
    int got = sent ? read_until(c->from, &n, 8, deadline) : 0;
    if (got == 1 && n > MOST_BYTES) got = 0;
    if (got == 1) {
        qn_buf_reserve(answer, (size_t)n);
        got = read_until(c->from, answer->p, (size_t)n, deadline);
        answer->n = (size_t)n;
    }
    if (got == 1) return QN_OK;
    *status = child_end(c, got < 0);
    if (got < 0) return qn_fail_at(e, QN_EDATA, (qn_pos){ .file = path }, "reading %s took longer than %d s", path, timeout_ms / 1000);
    return died(path, *status, e);
}

qn_code qn_doc_read(const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e)
{
    const qn_format *f;
    void *waiting;
    child *c = NULL;
    QN_TRY(qn_format_of(path, &f, e));
    if (strcmp(f->name, "txt") == 0 || !f->doc) return qn_doc_read_here(path, o, a, out, e);
    pthread_once(&once, pool_make);
    if (qn_chan_recv_many(idle, &waiting, 1, 0)) c = waiting;
    else QN_TRY(child_start(&c, e));
    qn_buf answer = {0};
    int status;
    qn_code rc = ask(c, path, o, &answer, &status, e);
    if (rc == QN_OK) {
        rc = take_answer(qn_buf_view(&answer), path, a, out, e);
        if (++c->n_served >= SERVES || !qn_chan_try_send(idle, c)) child_end(c, false);    /* what libraries leak stays small */
    }
    qn_buf_free(&answer);
    return rc;
}

