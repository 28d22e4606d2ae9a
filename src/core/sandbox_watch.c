/* sandbox_watch: what the processes of a box hold together: resident memory, tasks, bytes and files in their folder. From /proc and the folder itself;
 * a look costs about 5 us for each process of the machine. */
#include "core/mem.h"
#include "core/sandbox_parts.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MAX_TASKS = 16384, MAX_DEPTH = 48, MAX_ENTRIES = 20000 };

typedef struct { pid_t pid, parent, group; int threads; long pages; bool in; } task;

static bool read_task(const char *pid, task *t)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%.16s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, line, sizeof line - 1) : -1;
    if (fd >= 0) close(fd);
    if (n <= 0) return false;
    line[n] = 0;
    char *end = strrchr(line, ')'), state;
    return end && sscanf(end + 1, " %c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d %*d %*u %*u %ld", &state, &t->parent, &t->group, &t->threads, &t->pages) == 5;
}

static size_t read_tasks(task **out)
{
    size_t n = 0, cap = 0;
    task *all = NULL;
    DIR *d = opendir("/proc");
    for (struct dirent *x; d && n < MAX_TASKS && (x = readdir(d));) {
        if (x->d_name[0] < '1' || x->d_name[0] > '9') continue;
        QN_GROW(all, n, cap);
        all[n] = (task){ .pid = atoi(x->d_name) };
        if (read_task(x->d_name, &all[n])) n++;
    }
    if (d) closedir(d);
    *out = all;
    return n;
}

static int by_pid(const void *a, const void *b) { return ((const task *)a)->pid - ((const task *)b)->pid; }

static bool is_in(const task *all, size_t n, pid_t pid)
{
    task key = { .pid = pid };
    const task *t = bsearch(&key, all, n, sizeof *all, by_pid);
    return t && t->in;
}

typedef struct { int64_t bytes; size_t entries; } amount;

/* Bytes on the disk below a folder; ends early behind MAX_ENTRIES. Names behind links are not followed. */
static void weigh(int folder, int depth, amount *a, int64_t enough)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (fd >= 0 && !d) close(fd);
    for (struct dirent *x; d && a->entries <= MAX_ENTRIES && a->bytes <= enough && (x = readdir(d));) {
        struct stat st;
        if (strcmp(x->d_name, ".") == 0 || strcmp(x->d_name, "..") == 0) continue;
        if (fstatat(dirfd(d), x->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
        a->entries++;
        a->bytes += (int64_t)st.st_blocks * 512;
        if (!S_ISDIR(st.st_mode)) continue;
        if (depth >= MAX_DEPTH) { a->entries = MAX_ENTRIES + 1; break; }
        int below = openat(dirfd(d), x->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (below < 0) continue;
        weigh(below, depth + 1, a, enough);
        close(below);
    }
    if (d) closedir(d);
}

/* Files in the memory file systems of a box with a root of its own: their number is limited by nothing else. 0 where that cannot be seen. */
static size_t files_in_memory(pid_t pid)
{
    static const char *const folders[] = { "tmp", "work", "dev/shm" };
    struct stat here, there;
    struct statfs fs;
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
    if (stat("/", &here) != 0 || stat(path, &there) != 0 || (here.st_dev == there.st_dev && here.st_ino == there.st_ino)) return 0;
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "/proc/%d/root/%s", (int)pid, folders[i]);
        if (statfs(path, &fs) == 0 && fs.f_type == 0x01021994 && fs.f_files > fs.f_ffree) n += fs.f_files - fs.f_ffree;
    }
    return n;
}

const char *qn_box_look(pid_t pid, int folder, const qn_sandbox_job *job)
{
    task *all;
    size_t n = read_tasks(&all);
    if (n) qsort(all, n, sizeof *all, by_pid);
    int64_t pages = 0, threads = 0;
    for (bool more = true; more;) {                     /* the leader itself is quern's or bwrap's: not counted */
        more = false;
        for (size_t i = 0; i < n; i++) {
            if (all[i].in || all[i].pid == pid) continue;
            all[i].in = all[i].parent == pid || is_in(all, n, all[i].parent) || is_in(all, n, all[i].group);
            more |= all[i].in;
        }
    }
    size_t n_files = 0;
    for (size_t i = 0; i < n; i++) {
        if (!all[i].in) continue;
        pages += all[i].pages;
        threads += all[i].threads;
        if (folder < 0 && !n_files) n_files = files_in_memory(all[i].pid);
    }
    qn_free(all);
    if (n_files > MAX_ENTRIES) return "out of disk";
    if (pages * sysconf(_SC_PAGESIZE) > job->memory_bytes) return "out of memory";
    if (threads > job->max_processes + 4) return "too many processes";       /* bwrap's own and a shell's are let in */
    if (folder < 0) return NULL;
    amount a = {0};
    weigh(folder, 0, &a, job->disk_bytes);
    return a.bytes > job->disk_bytes || a.entries > MAX_ENTRIES ? "out of disk" : NULL;
}

size_t qn_tasks_of_user(uid_t uid)
{
    size_t n = 0;
    DIR *d = opendir("/proc");
    for (struct dirent *x; d && (x = readdir(d));) {
        struct stat st;
        task t = {0};
        if (x->d_name[0] < '1' || x->d_name[0] > '9' || fstatat(dirfd(d), x->d_name, &st, 0) != 0 || st.st_uid != uid) continue;
        if (read_task(x->d_name, &t)) n += (size_t)t.threads;
    }
    if (d) closedir(d);
    return n;
}
