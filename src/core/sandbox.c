/* sandbox: chooses the way, starts a job in its box, listens to it, ends it.
 *
 *   quern --fork--> child: own process group, pipes, then the box's `enter`
 *         <--pipes-- standard output and error, read with poll until both close or a limit is passed; every 50 ms a look at what it holds
 * Between fork and exec only calls that are safe there are made: all texts are built before. */
#include "core/sandbox_parts.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_US = 50000 };

/* A memory file that starts at its beginning; -1 on failure. */
static int memory_file(qn_str bytes)
{
    int fd = memfd_create("quern-sandbox", MFD_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < bytes.n;) {
        ssize_t k = write(fd, bytes.p + i, bytes.n - i);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) { close(fd); return -1; }
        i += (size_t)k;
    }
    if (fd >= 0) lseek(fd, 0, SEEK_SET);
    return fd;
}

/* In the child: async-signal-safe calls only. */
_Noreturn static void become(const qn_box *b, const qn_sandbox_job *job, int in, int out, int err)
{
    sigset_t none;
    setpgid(0, 0);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    b->enter(b, job);
    _exit(127);
}

/* Takes what a pipe has; false when it is closed. */
static bool drain(int fd, qn_buf *b, size_t max, bool *cut)
{
    char chunk[16384];
    ssize_t n = read(fd, chunk, sizeof chunk);
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    if (n == 0) return false;
    size_t room = max > b->n ? max - b->n : 0, k = (size_t)n < room ? (size_t)n : room;
    *cut |= k < (size_t)n;
    qn_buf_put(b, chunk, k);
    return true;
}

typedef struct { const qn_box *box; const qn_sandbox_job *job; qn_sandbox_result *r; pid_t pid; int64_t end_us, look_us; const char *seen; } keep;

/* Whether the job must end now; looks at what it holds when it is time to. What is seen once may be a process that is only now becoming the program:
 * it must be seen twice. */
static bool must_end(keep *k)
{
    int64_t now = qn_now_us();
    if (now >= k->end_us) { k->r->timed_out = true; k->r->stopped = "out of time"; return true; }
    if (now < k->look_us) return false;
    const char *what = qn_box_look(k->pid, k->box->folder, k->job);
    if (what && what == k->seen) { k->r->stopped = what; return true; }
    k->seen = what;
    k->look_us = now + (what ? LOOK_US / 10 : LOOK_US);
    return false;
}

static void listen_to(keep *k, int out, int err)
{
    struct pollfd p[2] = { { out, POLLIN, 0 }, { err, POLLIN, 0 } };
    int open = 2;
    while (open && !must_end(k)) {
        int64_t now = qn_now_us(), until = k->end_us < k->look_us ? k->end_us : k->look_us;
        int n = poll(p, 2, until > now ? (int)((until - now) / 1000 + 1) : 0);
        if (n < 0 && errno != EINTR) return;
        for (int i = 0; i < 2 && n > 0; i++) {
            if (p[i].fd < 0 || !p[i].revents) continue;
            if (!drain(p[i].fd, i ? &k->r->err : &k->r->out, k->job->max_output_bytes, &k->r->output_cut)) { p[i].fd = -1; open--; }
        }
    }
}

static void wait_for(keep *k)
{
    int status = 0;
    bool over = false;
    for (int64_t pause = 200; !over && !k->r->stopped; pause = pause < 10000 ? pause * 2 : pause) {
        over = waitpid(k->pid, &status, WNOHANG) == k->pid;
        if (!over && !must_end(k)) qn_sleep_us(pause);
    }
    if (!over) {
        kill(k->pid, SIGTERM);              /* a keeper kills its group; bwrap dies */
        for (int i = 0; i < 100 && !over; i++) {
            over = waitpid(k->pid, &status, WNOHANG) == k->pid;
            if (!over) qn_sleep_us(2000);
        }
    }
    if (!over) {
        kill(-k->pid, SIGKILL);             /* its namespace ends with it: --die-with-parent */
        kill(k->pid, SIGKILL);
        while (waitpid(k->pid, &status, 0) < 0 && errno == EINTR) {}
    }
    k->r->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    k->r->signal = WIFSIGNALED(status) ? WTERMSIG(status) : k->r->exit_code > 128 && k->r->exit_code < 192 ? k->r->exit_code - 128 : 0;
}

static qn_code start(const qn_box *b, const qn_sandbox_job *job, qn_sandbox_result *r, qn_err *e)
{
    int in = memory_file(job->input), out[2] = { -1, -1 }, err[2] = { -1, -1 };
    int64_t t0 = qn_now_us();
    qn_code rc = QN_OK;
    pid_t pid = -1;
    if (in < 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 || (pid = fork()) < 0) rc = qn_fail(e, QN_EIO, "cannot start a sandbox: %s", strerror(errno));
    if (pid == 0) become(b, job, in, out[1], err[1]);
    if (out[1] >= 0) close(out[1]);
    if (err[1] >= 0) close(err[1]);
    if (pid > 0) {
        keep k = { b, job, r, pid, t0 + job->time_ms * 1000, t0 + LOOK_US, NULL };
        setpgid(pid, pid);
        listen_to(&k, out[0], err[0]);
        wait_for(&k);
        r->ms = (qn_now_us() - t0) / 1000;
    }
    if (in >= 0) close(in);
    if (out[0] >= 0) close(out[0]);
    if (err[0] >= 0) close(err[0]);
    return rc;
}

typedef qn_code maker(const qn_sandbox_job *job, qn_box *b, qn_err *e);

static qn_code run(maker *make, const qn_sandbox_job *job, qn_sandbox_result *r, qn_err *e)
{
    qn_box b;
    *r = (qn_sandbox_result){0};
    for (size_t i = 0; i < job->n_files; i++)
        if (strchr(job->files[i].name, '/') || job->files[i].name[0] == '.' || !job->files[i].name[0]) return qn_fail(e, QN_EUSAGE, "a sandbox cannot hold a file called %s", job->files[i].name);
    QN_TRY(make(job, &b, e));
    qn_code rc = start(&b, job, r, e);
    b.leave(&b);
    return rc;
}

/* ---- which way ---- */
static struct { qn_code rc; qn_err err; maker *make; const char *kind; } ready = { .kind = "none" };

static qn_code try_one(maker *make, const char *what, qn_err *e)
{
    static const char *const argv[] = { "true", NULL };
    qn_sandbox_job job = QN_SANDBOX_JOB;
    qn_sandbox_result r;
    job.argv = argv;
    QN_TRY(run(make, &job, &r, e));
    qn_str why = qn_str_trim(qn_buf_view(&r.err));
    qn_code rc = QN_OK;
    if (r.exit_code == 127 && !why.n) {
        rc = qn_fail(e, QN_EMISSING, "%s", make == qn_box_bwrap ? "the program bwrap is not here" : "the program true cannot be run");
        qn_hint(e, "install it: apt-get install bubblewrap");
    } else if (r.exit_code != 0) {
        rc = qn_fail(e, QN_EMISSING, "%s cannot make a sandbox here: %.*s", what, (int)(why.n < 140 ? why.n : 140), why.n ? why.p : "");
        qn_hint(e, "it needs user namespaces: inside a container, allow them; nothing that is not trusted is run without");
    }
    qn_sandbox_result_free(&r);
    return rc;
}

static void choose(void)
{
    const char *wish = getenv("QUERN_SANDBOX");
    qn_err first = {0}, second = {0};
    bool only_jail = wish && strcmp(wish, "landlock") == 0, only_bwrap = wish && strcmp(wish, "bubblewrap") == 0;
    if (wish && *wish && !only_jail && !only_bwrap) {
        ready.rc = qn_fail(&ready.err, QN_EUSAGE, "QUERN_SANDBOX is %.40s: it is bubblewrap, landlock or nothing", wish);
        return;
    }
    if (!only_jail && (ready.rc = try_one(qn_box_bwrap, "bwrap", &first)) == QN_OK) {
        ready.make = qn_box_bwrap;
        ready.kind = "bubblewrap";
        qn_log(QN_INFO, "sandbox", "programs that are not trusted run under bubblewrap");
        return;
    }
    if (!only_bwrap && (ready.rc = try_one(qn_box_jail, "Landlock", &second)) == QN_OK) {
        ready.make = qn_box_jail;
        qn_box_sweep();
        ready.kind = "landlock";
        qn_log(QN_INFO, "sandbox", "programs that are not trusted run under Landlock, seccomp and limits%s%s", first.msg[0] ? ": " : "", first.msg);
        return;
    }
    ready.err = only_jail ? second : first;
    if (!only_jail && !only_bwrap) qn_fail(&ready.err, QN_EMISSING, "a sandbox needs bubblewrap or Landlock: %.110s; %.100s", first.msg, second.msg);
    ready.rc = QN_EMISSING;
}

qn_code qn_sandbox_ready(qn_err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    if (ready.rc != QN_OK && e) *e = ready.err;
    return ready.rc;
}

const char *qn_sandbox_kind(void)
{
    qn_sandbox_ready(NULL);
    return ready.kind;
}

qn_code qn_sandbox_run(const qn_sandbox_job *job, qn_sandbox_result *out, qn_err *e)
{
    *out = (qn_sandbox_result){0};
    QN_TRY(qn_sandbox_ready(e));
    return run(ready.make, job, out, e);
}

void qn_sandbox_result_free(qn_sandbox_result *r)
{
    qn_buf_free(&r->out);
    qn_buf_free(&r->err);
}
