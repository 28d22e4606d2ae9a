/* sandbox: bubblewrap around one program.
 *
 *   quern --fork--> child: own process group, limits, then exec bwrap --unshare-all ... -- PROGRAM
 *         <--pipes-- standard output and error, read with poll until both close or the time is over
 * Files are handed over as memory files that bwrap copies in (--ro-bind-data), so nothing lies on the host's disk. Between fork and exec only
 * calls that are safe there are made: all texts are built before. */
#include "core/sandbox.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/thread.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGS = 160, MAX_FILES = 16, NOBODY = 65534 };

typedef struct { const char *v[MAX_ARGS]; size_t n; qn_arena a; int fds[MAX_FILES]; size_t n_fds; } args;

static void add(args *x, const char *z)
{
    QN_ASSERT(x->n + 1 < MAX_ARGS);
    x->v[x->n++] = z;
    x->v[x->n] = NULL;
}
static void add2(args *x, const char *a, const char *b) { add(x, a); add(x, b); }
static void add3(args *x, const char *a, const char *b, const char *c) { add2(x, a, b); add(x, c); }

/* A memory file that starts at its beginning; -1 on failure. Not closed on exec: bwrap reads it. */
static int memory_file(qn_str bytes)
{
    int fd = memfd_create("quern-sandbox", 0);
    for (size_t i = 0; fd >= 0 && i < bytes.n;) {
        ssize_t k = write(fd, bytes.p + i, bytes.n - i);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) { close(fd); return -1; }
        i += (size_t)k;
    }
    if (fd >= 0) lseek(fd, 0, SEEK_SET);
    return fd;
}

static void add_world(args *x)
{
    static const char *const folders[] = { "/lib", "/lib64", "/lib32", "/bin", "/sbin" };
    add(x, "bwrap");
    add(x, "--unshare-all");
    add(x, "--die-with-parent");
    add(x, "--new-session");
    add(x, "--clearenv");
    add3(x, "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin");
    add3(x, "--setenv", "HOME", "/tmp");
    add3(x, "--setenv", "LANG", "C.UTF-8");
    add3(x, "--setenv", "PYTHONDONTWRITEBYTECODE", "1");
    add2(x, "--uid", "65534");
    add2(x, "--gid", "65534");
    add3(x, "--ro-bind", "/usr", "/usr");
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char target[256];
        ssize_t n = readlink(folders[i], target, sizeof target - 1);
        if (n > 0) add3(x, "--symlink", qn_arena_str(&x->a, (qn_str){ target, (size_t)n }).p, folders[i]);
        else if (access(folders[i], F_OK) == 0) add3(x, "--ro-bind", folders[i], folders[i]);
    }
    add2(x, "--proc", "/proc");
    add2(x, "--dev", "/dev");
    add(x, "--size");
    add(x, "67108864");
    add2(x, "--tmpfs", "/tmp");
    add2(x, "--dir", "/work");
    add2(x, "--chdir", "/work");
}

static qn_code add_files(args *x, const qn_sandbox_job *job, qn_err *e)
{
    for (size_t i = 0; i < job->n_files; i++) {
        if (strchr(job->files[i].name, '/') || job->files[i].name[0] == '.' || i == MAX_FILES) return qn_fail(e, QN_EUSAGE, "a sandbox cannot hold a file called %s", job->files[i].name);
        int fd = memory_file(job->files[i].bytes);
        if (fd < 0) return qn_fail(e, QN_EIO, "cannot make a file for the sandbox: %s", strerror(errno));
        x->fds[x->n_fds++] = fd;
        add(x, "--ro-bind-data");
        add(x, qn_arena_printf(&x->a, "%d", fd).p);
        add(x, qn_arena_printf(&x->a, "/work/%s", job->files[i].name).p);
    }
    return QN_OK;
}

static void limit(int what, rlim_t value)
{
    struct rlimit r = { value, value };
    setrlimit(what, &r);
}

/* In the child: async-signal-safe calls only. */
_Noreturn static void become(const args *x, const qn_sandbox_job *job, int in, int out, int err)
{
    setpgid(0, 0);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, (rlim_t)(job->time_ms / 1000 + 1));
    limit(RLIMIT_AS, (rlim_t)job->memory_bytes);
    limit(RLIMIT_FSIZE, (rlim_t)64 << 20);
    limit(RLIMIT_NOFILE, 256);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)) _exit(126);   /* root's limits are none */
    execvp("bwrap", (char *const *)(uintptr_t)x->v);
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

static void listen_until(int out, int err, int64_t end_us, const qn_sandbox_job *job, qn_sandbox_result *r)
{
    struct pollfd p[2] = { { out, POLLIN, 0 }, { err, POLLIN, 0 } };
    int open = 2;
    while (open) {
        int64_t left = end_us - qn_now_us();
        if (left <= 0) { r->timed_out = true; return; }
        int n = poll(p, 2, (int)(left / 1000 + 1));
        if (n < 0 && errno != EINTR) return;
        for (int i = 0; i < 2 && n > 0; i++) {
            if (p[i].fd < 0 || !p[i].revents) continue;
            if (!drain(p[i].fd, i ? &r->err : &r->out, job->max_output_bytes, &r->output_cut)) { p[i].fd = -1; open--; }
        }
    }
}

static void wait_until(pid_t pid, int64_t end_us, qn_sandbox_result *r)
{
    int status = 0;
    bool over = false;
    for (int64_t pause = 200; !over && !r->timed_out; pause = pause < 10000 ? pause * 2 : pause) {
        over = waitpid(pid, &status, WNOHANG) == pid;
        if (over) break;
        if (qn_now_us() >= end_us) { r->timed_out = true; break; }
        qn_sleep_us(pause);
    }
    if (!over) {
        kill(-pid, SIGKILL);            /* bwrap dies, and with it its namespace: --die-with-parent and the pid namespace's end */
        kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    }
    r->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    r->signal = WIFSIGNALED(status) ? WTERMSIG(status) : r->exit_code > 128 && r->exit_code < 192 ? r->exit_code - 128 : 0;
}

static qn_code start(const args *x, const qn_sandbox_job *job, qn_sandbox_result *r, qn_err *e)
{
    int in = memory_file(job->input), out[2] = { -1, -1 }, err[2] = { -1, -1 };
    int64_t t0 = qn_now_us(), end = t0 + job->time_ms * 1000;
    qn_code rc = QN_OK;
    pid_t pid = -1;
    if (in < 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 || (pid = fork()) < 0) rc = qn_fail(e, QN_EIO, "cannot start a sandbox: %s", strerror(errno));
    if (pid == 0) become(x, job, in, out[1], err[1]);
    if (out[1] >= 0) close(out[1]);
    if (err[1] >= 0) close(err[1]);
    if (pid > 0) {
        setpgid(pid, pid);
        listen_until(out[0], err[0], end, job, r);
        wait_until(pid, end, r);
        r->ms = (qn_now_us() - t0) / 1000;
    }
    if (in >= 0) close(in);
    if (out[0] >= 0) close(out[0]);
    if (err[0] >= 0) close(err[0]);
    return rc;
}

static qn_code run(const qn_sandbox_job *job, qn_sandbox_result *r, qn_err *e)
{
    args x = {0};
    char ulimits[96];
    *r = (qn_sandbox_result){0};
    add_world(&x);
    qn_code rc = add_files(&x, job, e);
    if (rc == QN_OK) {
        /* The number of processes is limited inside: outside, RLIMIT_NPROC would count all of the user's. */
        snprintf(ulimits, sizeof ulimits, "--nproc=%d", job->max_processes);
        add(&x, "--");
        if (access("/usr/bin/prlimit", X_OK) == 0) { add2(&x, "/usr/bin/prlimit", ulimits); add(&x, "--"); }
        for (size_t i = 0; job->argv[i] && x.n + 2 < MAX_ARGS; i++) add(&x, job->argv[i]);
        rc = start(&x, job, r, e);
    }
    for (size_t i = 0; i < x.n_fds; i++) close(x.fds[i]);
    qn_arena_free(&x.a);
    return rc;
}

static qn_code ready_rc;
static qn_err ready_err;

static void try_once(void)
{
    static const char *const argv[] = { "true", NULL };
    qn_sandbox_job job = QN_SANDBOX_JOB;
    qn_sandbox_result r;
    job.argv = argv;
    ready_rc = run(&job, &r, &ready_err);
    if (ready_rc != QN_OK) return;
    if (r.exit_code == 127 && r.err.n == 0) {
        ready_rc = qn_fail(&ready_err, QN_EMISSING, "a sandbox needs the program bwrap, which is not here");
        qn_hint(&ready_err, "install it: apt-get install bubblewrap");
    } else if (r.exit_code != 0) {
        qn_str why = qn_str_trim(qn_buf_view(&r.err));
        ready_rc = qn_fail(&ready_err, QN_EMISSING, "bwrap cannot make a sandbox here: %.*s", (int)(why.n < 200 ? why.n : 200), why.p);
        qn_hint(&ready_err, "it needs user namespaces: inside a container, allow them; nothing that is not trusted is run without");
    }
    qn_sandbox_result_free(&r);
}

qn_code qn_sandbox_ready(qn_err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, try_once);
    if (ready_rc != QN_OK && e) *e = ready_err;
    return ready_rc;
}

qn_code qn_sandbox_run(const qn_sandbox_job *job, qn_sandbox_result *out, qn_err *e)
{
    *out = (qn_sandbox_result){0};
    QN_TRY(qn_sandbox_ready(e));
    return run(job, out, e);
}

void qn_sandbox_result_free(qn_sandbox_result *r)
{
    qn_buf_free(&r->out);
    qn_buf_free(&r->err);
}
