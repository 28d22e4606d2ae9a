/* lockfile: flock, with the owner written inside. */
#include "ledger/lockfile.h"
#include "core/clock.h"
#include "core/file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct { long pid; unsigned long long born; char host[64], since[32], command[160]; } owner;

/* Clock ticks since boot at which a process started: tells it from a later one with the same number. 0 when there is none. */
static unsigned long long process_born(long pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f) return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    const char *p = strrchr(text, ')');     /* the name may hold anything */
    unsigned long long born = 0;
    if (!p || sscanf(p + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &born) != 1) return 0;
    return born;
}

static void own_host(char *out, size_t n)
{
    if (gethostname(out, n) != 0) snprintf(out, n, "?");
    out[n - 1] = 0;
    for (char *c = out; *c; c++)
        if (*c <= ' ') *c = '_';
}

static void own_command(char *out, size_t n)
{
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t k = fd >= 0 ? read(fd, out, n - 1) : 0;
    if (fd >= 0) close(fd);
    if (k < 0) k = 0;
    out[k] = 0;
    for (ssize_t i = 0; i < k; i++)
        if ((unsigned char)out[i] < 32) out[i] = i + 1 < k ? ' ' : 0;
}

static void write_owner(int fd)
{
    owner o = { .pid = (long)getpid() };
    char text[512], when[25];
    own_host(o.host, sizeof o.host);
    own_command(o.command, sizeof o.command);
    qn_wall_text(qn_wall_ms(), when);
    int n = snprintf(text, sizeof text, "%ld %s %s %llu\n%s\n", o.pid, o.host, when, process_born(o.pid), o.command);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n) { /* the lock holds without words */ }
}

static bool read_owner(int fd, owner *o)
{
    char text[512];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    *o = (owner){ 0 };
    if (n <= 0) return false;
    text[n] = 0;
    return sscanf(text, "%ld %63s %31s %llu\n%159[^\n]", &o->pid, o->host, o->since, &o->born, o->command) >= 4;
}

static bool owner_is_dead(const owner *o)
{
    char host[64];
    own_host(host, sizeof host);
    if (strcmp(host, o->host) != 0 || o->pid <= 0) return false;    /* another machine's process: cannot be told */
    if (kill((pid_t)o->pid, 0) != 0 && errno == ESRCH) return true;
    unsigned long long born = process_born(o->pid);
    return born != 0 && o->born != 0 && born != o->born;
}

/* The path still names the file we have locked: its last owner may have removed it between our open and our flock. */
static bool still_there(int fd, const char *path)
{
    struct stat a, b;
    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static qn_code fail_held(const owner *o, bool known, const char *what, qn_err *e)
{
    if (!known) return qn_fail(e, QN_ELEDGER, "%s is held by another process", what);
    char host[64];
    own_host(host, sizeof host);
    bool here = strcmp(host, o->host) == 0;
    qn_fail(e, QN_ELEDGER, "%s is held by process %ld%s%s since %s, started as: %s", what, o->pid, here ? "" : " on ", here ? "" : o->host,
            o->since, o->command);
    qn_hint(e, "wait for it to end, or write to another folder (-o) or ledger (--ledger)");
    return QN_ELEDGER;
}

qn_code qn_lockfile_take(qn_lockfile *lf, const char *path, const char *what, qn_err *e)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0) {
            qn_fail(e, QN_ELEDGER, "cannot write %s: %s", path, strerror(errno));
            if (errno == EACCES || errno == EROFS) qn_hint(e, "the ledger's folder must be writable; --ledger FILE puts it elsewhere");
            return QN_ELEDGER;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            if (!still_there(fd, path)) { close(fd); continue; }
            write_owner(fd);
            *lf = (qn_lockfile){ .fd = fd, .path = qn_strz(qn_str_of(path)) };
            return QN_OK;
        }
        int why = errno;
        owner o;
        bool known = read_owner(fd, &o);
        bool mine = still_there(fd, path);
        close(fd);
        if (why != EWOULDBLOCK && why != EINTR) return qn_fail(e, QN_ELEDGER, "cannot lock %s: %s", path, strerror(why));
        if (!mine) continue;
        if (!known && attempt < 20) { qn_sleep_us(5000); continue; }     /* taken, but not yet signed */
        if (!known || !owner_is_dead(&o)) return fail_held(&o, known, what, e);
        unlink(path);
    }
    return qn_fail(e, QN_ELEDGER, "%s cannot be locked: others take it again and again", what);
}

void qn_lockfile_release(qn_lockfile *lf)
{
    if (!lf->path) return;
    unlink(lf->path);
    close(lf->fd);
    qn_free(lf->path);
    lf->path = NULL;
}
