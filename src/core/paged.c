/* paged: realloc, then mmap of an unlinked file. */
#include "core/paged.h"
#include "core/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, AROUND = 16 * PAGE };       /* a page that is touched may bring its neighbours along */

struct qn_paged { char *dir; void *base; size_t cap, memory_bytes, n_touched, look_every, shared_before; int fd; };

/* Pages of files in this process's memory, now. */
static size_t shared_bytes(void)
{
    char text[128] = { 0 };
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    unsigned long long total, resident, shared;
    if (fd >= 0) close(fd);
    return n > 0 && sscanf(text, "%llu %llu %llu", &total, &resident, &shared) == 3 ? (size_t)shared * PAGE : 0;
}

qn_paged *qn_paged_new(const char *dir, size_t memory_bytes)
{
    const char *tmp = getenv("TMPDIR");
    qn_paged *p = QN_NEW(qn_paged);
    p->dir = qn_strz(qn_str_of(dir ? dir : tmp && *tmp ? tmp : "/tmp"));
    p->memory_bytes = memory_bytes < 16 * PAGE ? 16 * PAGE : memory_bytes;
    p->fd = -1;
    return p;
}

void qn_paged_free(qn_paged *p)
{
    if (!p) return;
    if (p->fd >= 0) {
        if (p->base) munmap(p->base, p->cap);
        close(p->fd);
    } else {
        qn_free(p->base);
    }
    qn_free(p->dir);
    qn_free(p);
}

static qn_code no_room(const qn_paged *p, int why, qn_err *e)
{
    qn_fail(e, QN_EIO, "cannot write a temporary file in %s: %s", p->dir, strerror(why));
    qn_hint(e, "set TMPDIR to a folder with room");
    return QN_EIO;
}

static qn_code to_file(qn_paged *p, size_t cap, qn_err *e)
{
    qn_buf path = { 0 };
    qn_buf_printf(&path, "%s/quern-XXXXXX", p->dir);
    int fd = mkstemp(path.p), why = errno;
    if (fd >= 0) unlink(path.p);
    qn_buf_free(&path);
    if (fd < 0) return no_room(p, why, e);
    why = posix_fallocate(fd, 0, (off_t)cap);           /* room now, or an error: no later write can fail */
    void *base = why ? MAP_FAILED : mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        if (!why) why = errno;
        close(fd);
        return no_room(p, why, e);
    }
    p->shared_before = shared_bytes();
    if (p->cap) memcpy(base, p->base, p->cap);
    qn_free(p->base);
    p->fd = fd;
    p->base = base;
    p->cap = cap;
    p->look_every = p->memory_bytes / AROUND / 4 < 64 ? 64 : p->memory_bytes / AROUND / 4;
    return QN_OK;
}

qn_code qn_paged_grow(qn_paged *p, size_t bytes, void **base, qn_err *e)
{
    if (bytes > p->cap) {
        size_t cap = p->cap ? p->cap : 16 * PAGE;
        while (cap < bytes) cap += cap < (256u << 20) ? cap : (256u << 20);
        if (p->fd < 0 && cap > p->memory_bytes && bytes <= p->memory_bytes) cap = p->memory_bytes;
        if (cap <= p->memory_bytes) {
            p->base = qn_realloc(p->base, cap);
            p->cap = cap;
        } else if (p->fd < 0) {
            QN_TRY(to_file(p, (cap + PAGE - 1) / PAGE * PAGE, e));
        } else {
            int why = posix_fallocate(p->fd, 0, (off_t)cap);
            void *moved = why ? MAP_FAILED : mremap(p->base, p->cap, cap, MREMAP_MAYMOVE);
            if (moved == MAP_FAILED) return no_room(p, why ? why : errno, e);
            p->base = moved;
            p->cap = cap;
        }
    }
    *base = p->base;
    return QN_OK;
}

size_t qn_paged_on_disk(const qn_paged *p) { return p->fd >= 0 ? p->cap : 0; }

void qn_paged_touched(qn_paged *p)
{
    if (p->fd < 0 || ++p->n_touched < p->look_every) return;
    p->n_touched = 0;
    if (shared_bytes() < p->shared_before + p->memory_bytes) return;
    madvise(p->base, p->cap, MADV_DONTNEED);            /* of a shared mapping: the pages stay in the file */
}
