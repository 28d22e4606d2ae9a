/* sandbox_jail: a box without namespaces.
 *
 *   quern --fork--> keeper: kills the group when the program ends, when quern says so (SIGTERM), and when quern dies
 *                     --fork--> program: leads a group, user of its own (when root), limits, Landlock, filter of system calls, exec
 * No process can leave the group (setsid and setpgid are refused), so one kill reaches all of them. The folder lies below $TMPDIR and belongs to
 * the program's user; what is in it is removed without following links, however deep. */
#include "core/mem.h"
#include "core/sandbox_parts.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Landlock, as the kernel's documentation has it; headers may be older than the kernel ---- */
enum { LL_CREATE = 444, LL_ADD_RULE, LL_RESTRICT, LL_PATH_BENEATH = 1 };
#define LL_EXECUTE    (1ull << 0)
#define LL_WRITE_FILE (1ull << 1)
#define LL_READ_FILE  (1ull << 2)
#define LL_READ_DIR   (1ull << 3)
#define LL_FS_1       ((1ull << 13) - 1)        /* all rights of ABI 1 */
#define LL_REFER      (1ull << 13)              /* 2 */
#define LL_TRUNCATE   (1ull << 14)              /* 3 */
#define LL_IOCTL_DEV  (1ull << 15)              /* 5 */
#define LL_NET        (3ull)                    /* 4: bind and connect by TCP */
#define LL_SCOPE      (3ull)                    /* 6: abstract sockets and signals stay inside */
typedef struct { uint64_t fs, net, scoped; } ruleset;
typedef struct { uint64_t allowed; int32_t parent; } __attribute__((packed)) beneath;

static int landlock_version(void) { return (int)syscall(LL_CREATE, NULL, 0, 1u); }

static void allow(int rules, const char *path, uint64_t rights)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return;
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) rights &= LL_EXECUTE | LL_WRITE_FILE | LL_READ_FILE | LL_TRUNCATE | LL_IOCTL_DEV;
    beneath b = { rights, fd };
    syscall(LL_ADD_RULE, rules, LL_PATH_BENEATH, &b, 0u);
    close(fd);
}

static int make_rules(int version, const char *folder)
{
    static const char *const readable[] = { "/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/dev/urandom", "/dev/random" };
    static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full" };
    uint64_t fs = LL_FS_1 | (version >= 2 ? LL_REFER : 0) | (version >= 3 ? LL_TRUNCATE : 0) | (version >= 5 ? LL_IOCTL_DEV : 0);
    ruleset r = { fs, version >= 4 ? LL_NET : 0, version >= 6 ? LL_SCOPE : 0 };
    size_t size = version >= 6 ? sizeof r : version >= 4 ? 16 : 8;
    int rules = (int)syscall(LL_CREATE, &r, size, 0u);
    if (rules < 0) return -1;
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) allow(rules, readable[i], LL_EXECUTE | LL_READ_FILE | LL_READ_DIR);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) allow(rules, devices[i], LL_READ_FILE | LL_WRITE_FILE | (fs & LL_TRUNCATE));
    allow(rules, folder, fs & ~(1ull << 6) & ~(1ull << 11));        /* no device nodes */
    return rules;
}

/* ---- the folder ---- */
typedef struct {
    char     path[256], program[300];
    char     home[280], tmp[280];
    const char *env[8];
    int      rules, folder;
    uid_t    uid;
    bool     own_user;
    rlim_t   processes;
    struct sock_filter code[QN_CALLS_MAX];
    struct sock_fprog filter;
} jail;

/* Removes what is no folder, or an empty one; else the folder gets rights, so that it can be opened. All its processes are gone: nothing changes
 * between the look and the touch. */
static bool remove_at(int folder, const char *name)
{
    struct stat st;
    if (unlinkat(folder, name, 0) == 0 || unlinkat(folder, name, AT_REMOVEDIR) == 0) return true;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) fchmodat(folder, name, 0700, 0);
    return false;
}

/* Empties a folder of any depth with two descriptors: folders below it move up into it, where their turn comes. */
static void empty(int folder)
{
    unsigned long moved = 0;
    fchmod(folder, 0700);
    for (bool more = true; more;) {
        more = false;
        int top = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = top >= 0 ? fdopendir(top) : NULL;
        for (struct dirent *x; d && (x = readdir(d));) {
            if (strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0) continue;
            if (remove_at(folder, x->d_name)) continue;
            int below = openat(folder, x->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
            DIR *b = below >= 0 ? fdopendir(below) : NULL;
            for (struct dirent *y; b && (y = readdir(b));) {
                char name[64];
                if (strcmp(y->d_name, ".") == 0 || strcmp(y->d_name, "..") == 0) continue;
                if (remove_at(dirfd(b), y->d_name)) continue;
                snprintf(name, sizeof name, ".quern-gone-%lu", moved++);
                if (renameat(dirfd(b), y->d_name, folder, name) == 0) more = true;
            }
            if (b) closedir(b);
            if (b && unlinkat(folder, x->d_name, AT_REMOVEDIR) == 0) more = true;
        }
        if (d) closedir(d);
    }
}

static void leave(qn_box *b)
{
    jail *j = b->own;
    if (j->folder >= 0) { empty(j->folder); close(j->folder); rmdir(j->path); }
    if (j->rules >= 0) close(j->rules);
    qn_free(j);
}

static bool write_file(int folder, const qn_sandbox_file *f)
{
    int fd = openat(folder, f->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    for (size_t i = 0; fd >= 0 && i < f->bytes.n;) {
        ssize_t k = write(fd, f->bytes.p + i, f->bytes.n - i);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) { close(fd); return false; }
        i += (size_t)k;
    }
    if (fd >= 0) close(fd);
    return fd >= 0;
}

/* ---- in the child: async-signal-safe calls only ---- */
static void limit(int what, rlim_t value)
{
    struct rlimit r = { value, value };
    setrlimit(what, &r);
}

static volatile pid_t program;             /* the keeper's: it is a process of its own */
static void kill_all(int signal_number)
{
    (void)signal_number;
    if (program > 0) kill(-program, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {}
    _exit(128 + SIGKILL);
}

_Noreturn static void become(const jail *j, const qn_sandbox_job *job)
{
    setpgid(0, 0);
    umask(022);
    if (fchdir(j->folder) != 0) _exit(126);
    if (j->own_user && (setgroups(0, NULL) != 0 || setresgid(j->uid, j->uid, j->uid) != 0 || setresuid(j->uid, j->uid, j->uid) != 0)) _exit(126);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, (rlim_t)(job->time_ms / 1000 + 1));
    limit(job->reserves ? RLIMIT_DATA : RLIMIT_AS, (rlim_t)job->memory_bytes);
    limit(RLIMIT_FSIZE, (rlim_t)job->disk_bytes);
    limit(RLIMIT_NOFILE, 256);
    limit(RLIMIT_MSGQUEUE, 0);
    limit(RLIMIT_NPROC, j->processes);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(LL_RESTRICT, j->rules, 0u) != 0) _exit(126);
    syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &j->filter) != 0) _exit(126);
    execve(j->program, (char *const *)(uintptr_t)job->argv, (char *const *)(uintptr_t)j->env);
    _exit(127);
}

static void enter(const qn_box *b, const qn_sandbox_job *job)
{
    struct sigaction kill_them = { .sa_handler = kill_all };
    sigset_t term, before;
    int status;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &before);         /* until the program is known */
    sigaction(SIGTERM, &kill_them, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_CHILD_SUBREAPER, 1);               /* so that it can wait for all of them */
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGTERM, SIG_DFL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        become(b->own, job);
    }
    if (pid > 0) setpgid(pid, pid);
    program = pid;
    syscall(SYS_close_range, 0u, ~0u, 0u);          /* the pipes are the program's alone: their end is seen */
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) _exit(126);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    kill(-pid, SIGKILL);                            /* what it left behind */
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {}
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* ---- making it ---- */
static bool find_program(const char *name, char *out, size_t size)
{
    static const char *const folders[] = { "/usr/local/bin", "/usr/bin", "/bin" };
    for (size_t i = 0; i < 3; i++) {
        snprintf(out, size, "%s/%s", folders[i], name);
        if (access(out, X_OK) == 0) return true;
    }
    return false;
}

/* A user id that nobody else has, where root may take one; else nobody; else the user's own. */
static void choose_user(jail *j)
{
    static unsigned next;
    j->uid = geteuid();
    if (j->uid != 0) return;
    j->own_user = true;
    j->uid = 1800000000u + (unsigned)getpid() % 100000u * 1000u + __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 1000u;
    if (fchown(j->folder, j->uid, j->uid) == 0) return;
    j->uid = 65534;
    if (fchown(j->folder, j->uid, j->uid) != 0) { j->own_user = false; j->uid = 0; }
}

/* Whether another user can come to a folder below `path`: every folder above lets others through. */
static bool lets_through(const char *path)
{
    struct stat st;
    char up[200];
    snprintf(up, sizeof up, "%s", path);
    for (char *slash; up[0]; *slash = 0) {
        if (stat(up, &st) != 0 || !S_ISDIR(st.st_mode) || !(st.st_mode & S_IXOTH)) return false;
        if (!(slash = strrchr(up, '/'))) return false;
    }
    return true;
}

/* $TMPDIR, or /tmp where that is none or the program's user could not come to it. */
static const char *base_of(void)
{
    const char *tmp = getenv("TMPDIR");
    return tmp && tmp[0] == '/' && strlen(tmp) < 190 && (geteuid() != 0 || lets_through(tmp)) ? tmp : "/tmp";
}

void qn_box_sweep(void)
{
    int base = open(base_of(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = base >= 0 ? fdopendir(base) : NULL;
    for (struct dirent *x; d && (x = readdir(d));) {
        int pid = 0;
        char dash = 0;
        if (sscanf(x->d_name, "quern-sandbox-%d%c", &pid, &dash) != 2 || dash != '-' || pid < 1 || kill(pid, 0) == 0 || errno != ESRCH) continue;
        int folder = openat(base, x->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (folder < 0) continue;
        empty(folder);
        close(folder);
        unlinkat(base, x->d_name, AT_REMOVEDIR);
    }
    if (d) closedir(d);
    else if (base >= 0) close(base);
}

static qn_code make(jail *j, const qn_sandbox_job *job, qn_err *e)
{
    int version = landlock_version();
    if (version < 1) {
        qn_fail(e, QN_EMISSING, "this kernel has no Landlock");
        qn_hint(e, "Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK, and `landlock` among the security modules");
        return QN_EMISSING;
    }
    snprintf(j->path, sizeof j->path, "%s/quern-sandbox-%d-XXXXXX", base_of(), (int)getpid());
    if (!mkdtemp(j->path) || (j->folder = open(j->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) return qn_fail(e, QN_EIO, "cannot make a folder for the sandbox, %s: %s", j->path, strerror(errno));
    for (size_t i = 0; i < job->n_files; i++)
        if (!write_file(j->folder, &job->files[i])) return qn_fail(e, QN_EIO, "cannot make a file for the sandbox: %s", strerror(errno));
    if (!find_program(job->argv[0], j->program, sizeof j->program)) return qn_fail(e, QN_EMISSING, "the program %s is not in /usr/bin", job->argv[0]);
    choose_user(j);
    if (j->uid == 0) return qn_fail(e, QN_EMISSING, "root cannot become another user here, and Landlock alone does not hold root");
    bool shared = !j->own_user || j->uid == 65534;
    j->processes = (rlim_t)job->max_processes + (shared ? qn_tasks_of_user(j->uid) : 0);
    if ((j->rules = make_rules(version, j->path)) < 0) return qn_fail(e, QN_EMISSING, "Landlock is switched off: %s", strerror(errno));
    fcntl(j->rules, F_SETFD, FD_CLOEXEC);
    j->filter = (struct sock_fprog){ qn_calls_filter(QN_CALLS_HOST | (shared ? QN_CALLS_OWNER : 0) | (shared && version < 6 ? QN_CALLS_SIGNALS : 0), j->code), j->code };
    snprintf(j->home, sizeof j->home, "HOME=%s", j->path);
    snprintf(j->tmp, sizeof j->tmp, "TMPDIR=%s", j->path);
    memcpy(j->env, (const char *[]){ "PATH=/usr/local/bin:/usr/bin:/bin", j->home, j->tmp, "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1",
        "OPENSSL_CONF=/dev/null" /* node reads it; one that may not be read is an error */, NULL }, 7 * sizeof *j->env);
    return QN_OK;
}

qn_code qn_box_jail(const qn_sandbox_job *job, qn_box *b, qn_err *e)
{
    jail *j = QN_NEW(jail);
    j->rules = j->folder = -1;
    *b = (qn_box){ .enter = enter, .leave = leave, .folder = -1, .own = j };
    qn_code rc = make(j, job, e);
    b->folder = j->folder;
    if (rc != QN_OK) leave(b);
    return rc;
}
