/* sandbox_bwrap: a box by bubblewrap.
 *
 * Files are handed over as memory files that bwrap copies in (--ro-bind-data), so nothing lies on the host's disk; every place that can be
 * written to is a file system in memory of a fixed size. The filter of system calls goes the same way (--seccomp). */
#include "core/mem.h"
#include "core/sandbox_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_ARGS = 200, MAX_FILES = 64, NOBODY = 65534 };

typedef struct { const char *v[MAX_ARGS]; size_t n; qn_arena a; int fds[MAX_FILES + 1]; size_t n_fds; } args;

static void add(args *x, const char *z)
{
    QN_ASSERT(x->n + 1 < MAX_ARGS);
    x->v[x->n++] = z;
    x->v[x->n] = NULL;
}
static void add2(args *x, const char *a, const char *b) { add(x, a); add(x, b); }
static void add3(args *x, const char *a, const char *b, const char *c) { add2(x, a, b); add(x, c); }

/* A memory file that starts at its beginning; kept from other programs that are started meanwhile, see enter. */
static qn_code add_bytes(args *x, const char *option, qn_str bytes, qn_err *e)
{
    int fd = memfd_create("quern-sandbox", MFD_CLOEXEC);
    for (size_t i = 0; fd >= 0 && i < bytes.n;) {
        ssize_t k = write(fd, bytes.p + i, bytes.n - i);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) { close(fd); fd = -1; break; }
        i += (size_t)k;
    }
    if (fd < 0) return qn_fail(e, QN_EIO, "cannot make a file for the sandbox: %s", strerror(errno));
    lseek(fd, 0, SEEK_SET);
    x->fds[x->n_fds++] = fd;
    add2(x, option, qn_arena_printf(&x->a, "%d", fd).p);
    return QN_OK;
}

static void add_memory(args *x, int64_t bytes, const char *path)
{
    add2(x, "--size", qn_arena_printf(&x->a, "%lld", (long long)bytes).p);
    add2(x, "--tmpfs", path);
}

static void add_world(args *x, int64_t disk)
{
    static const char *const folders[] = { "/lib", "/lib64", "/lib32", "/bin", "/sbin" };
    add(x, "bwrap");
    add(x, "--unshare-all");
    add(x, "--die-with-parent");
    add(x, "--new-session");
    add(x, "--clearenv");
    add3(x, "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin");
    add3(x, "--setenv", "HOME", "/tmp");
    add3(x, "--setenv", "TMPDIR", "/tmp");
    add3(x, "--setenv", "LANG", "C.UTF-8");
    add3(x, "--setenv", "PYTHONDONTWRITEBYTECODE", "1");
    add2(x, "--uid", "65534");
    add2(x, "--gid", "65534");
    add3(x, "--ro-bind", "/usr", "/usr");
    add3(x, "--ro-bind-try", "/etc/alternatives", "/etc/alternatives");
    add3(x, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache");
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char target[256];
        ssize_t n = readlink(folders[i], target, sizeof target - 1);
        if (n > 0) add3(x, "--symlink", qn_arena_str(&x->a, (qn_str){ target, (size_t)n }).p, folders[i]);
        else if (access(folders[i], F_OK) == 0) add3(x, "--ro-bind", folders[i], folders[i]);
    }
    add2(x, "--proc", "/proc");
    add2(x, "--dev", "/dev");
    add_memory(x, 16 << 20, "/dev/shm");
    add2(x, "--remount-ro", "/dev");
    add_memory(x, disk, "/tmp");
    add_memory(x, disk, "/work");
    add2(x, "--chdir", "/work");
}

static qn_code add_files(args *x, const qn_sandbox_job *job, qn_err *e)
{
    if (job->n_files > MAX_FILES) return qn_fail(e, QN_EUSAGE, "a sandbox cannot hold more than %d files", MAX_FILES);
    for (size_t i = 0; i < job->n_files; i++) {
        QN_TRY(add_bytes(x, "--ro-bind-data", job->files[i].bytes, e));
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
static void enter(const qn_box *b, const qn_sandbox_job *job)
{
    const args *x = b->own;
    static const char *const nothing[] = { NULL };      /* the box's first process shows its environment in /proc/1: it must hold no keys */
    syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */);
    for (size_t i = 0; i < x->n_fds; i++) fcntl(x->fds[i], F_SETFD, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, (rlim_t)(job->time_ms / 1000 + 1));
    limit(job->reserves ? RLIMIT_DATA : RLIMIT_AS, (rlim_t)job->memory_bytes);
    limit(RLIMIT_FSIZE, (rlim_t)job->disk_bytes);
    limit(RLIMIT_NOFILE, 256);
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)) _exit(126);   /* root's limits are none */
    execvpe("bwrap", (char *const *)(uintptr_t)x->v, (char *const *)(uintptr_t)nothing);
    _exit(127);
}

static void leave(qn_box *b)
{
    args *x = b->own;
    for (size_t i = 0; i < x->n_fds; i++) close(x->fds[i]);
    qn_arena_free(&x->a);
    qn_free(x);
}

qn_code qn_box_bwrap(const qn_sandbox_job *job, qn_box *b, qn_err *e)
{
    args *x = QN_NEW(args);
    struct sock_filter code[QN_CALLS_MAX];
    unsigned short n = qn_calls_filter(0, code);
    *b = (qn_box){ .enter = enter, .leave = leave, .folder = -1, .own = x };
    add_world(x, job->disk_bytes);
    qn_code rc = add_files(x, job, e);
    add2(x, "--remount-ro", "/");
    if (rc == QN_OK) rc = add_bytes(x, "--seccomp", (qn_str){ (const char *)code, n * sizeof *code }, e);
    if (rc != QN_OK) { leave(b); return rc; }
    /* The number of processes is limited inside: outside, RLIMIT_NPROC would count all of the user's. */
    add(x, "--");
    if (access("/usr/bin/prlimit", X_OK) == 0) { add2(x, "/usr/bin/prlimit", qn_arena_printf(&x->a, "--nproc=%d", job->max_processes).p); add(x, "--"); }
    for (size_t i = 0; job->argv[i]; i++) {
        if (x->n + 2 >= MAX_ARGS) { leave(b); return qn_fail(e, QN_EUSAGE, "a sandboxed command has too many words"); }
        add(x, job->argv[i]);
    }
    return QN_OK;
}
