/* spill: a head in memory, then a file with one write buffer in front of it. */
#include "core/spill.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER_BYTES (256u << 10)

/* Bytes 0 .. head_n are in `head`; head_n .. head_n + file_n in the file, each at its own place; the rest in `tail`. */
struct qn_spill {
    const char *dir;
    char   *head, *tail;
    size_t  head_n, head_cap, head_max, tail_n;
    uint64_t file_n;
    int     fd;
};

qn_spill *qn_spill_new(const char *dir, size_t memory_bytes)
{
    qn_spill *s = QN_NEW(qn_spill);
    const char *tmp = getenv("TMPDIR");
    s->dir = qn_memdup(dir ? dir : tmp && *tmp ? tmp : "/tmp", strlen(dir ? dir : tmp && *tmp ? tmp : "/tmp") + 1);
    s->head_max = memory_bytes > (64u << 10) ? memory_bytes : (64u << 10);
    s->fd = -1;
    return s;
}

void qn_spill_free(qn_spill *s)
{
    if (!s) return;
    if (s->fd >= 0) close(s->fd);
    qn_free(s->head);
    qn_free(s->tail);
    qn_free((char *)s->dir);
    qn_free(s);
}

static qn_code open_file(qn_spill *s, qn_err *e)
{
    qn_buf path = { 0 };
    qn_buf_printf(&path, "%s/quern-XXXXXX", s->dir);
    s->fd = mkstemp(path.p);
    qn_code rc = s->fd >= 0 ? QN_OK : qn_fail(e, QN_EIO, "cannot make a temporary file in %s: %s", s->dir, strerror(errno));
    if (s->fd >= 0) unlink(path.p);
    else qn_hint(e, "set TMPDIR to a folder with room");
    qn_buf_free(&path);
    if (!s->tail) s->tail = qn_alloc(BUFFER_BYTES);
    return rc;
}

static qn_code write_all(qn_spill *s, const char *p, size_t n, qn_err *e)
{
    while (n) {
        ssize_t k = pwrite(s->fd, p, n, (off_t)(s->head_n + s->file_n));
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return qn_fail(e, QN_EIO, "cannot write a temporary file in %s: %s", s->dir, strerror(errno));
        p += k;
        n -= (size_t)k;
        s->file_n += (uint64_t)k;
    }
    return QN_OK;
}

static void put_head(qn_spill *s, const char *p, size_t n)
{
    if (s->head_n + n > s->head_cap) {
        s->head_cap = s->head_cap ? s->head_cap * 2 : (64u << 10);
        while (s->head_cap < s->head_n + n) s->head_cap *= 2;
        if (s->head_cap > s->head_max) s->head_cap = s->head_max;
        s->head = qn_realloc(s->head, s->head_cap);
    }
    memcpy(s->head + s->head_n, p, n);
    s->head_n += n;
}

qn_code qn_spill_put(qn_spill *s, const void *p, size_t n, uint64_t *at, qn_err *e)
{
    const char *from = p;
    *at = qn_spill_bytes(s);
    if (n == 0) return QN_OK;
    if (s->fd < 0) {
        size_t room = s->head_max - s->head_n, k = n < room ? n : room;
        put_head(s, from, k);
        from += k;
        n -= k;
        if (n == 0) return QN_OK;
        QN_TRY(open_file(s, e));
    }
    if (s->tail_n + n > BUFFER_BYTES) {
        QN_TRY(write_all(s, s->tail, s->tail_n, e));
        s->tail_n = 0;
        if (n > BUFFER_BYTES) return write_all(s, from, n, e);
    }
    memcpy(s->tail + s->tail_n, from, n);
    s->tail_n += n;
    return QN_OK;
}

static qn_code read_file(qn_spill *s, uint64_t at, char *out, size_t n, qn_err *e)
{
    while (n) {
        ssize_t k = pread(s->fd, out, n, (off_t)at);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return qn_fail(e, QN_EIO, "cannot read back a temporary file in %s: %s", s->dir, k ? strerror(errno) : "cut short");
        out += k;
        n -= (size_t)k;
        at += (uint64_t)k;
    }
    return QN_OK;
}

qn_code qn_spill_get(qn_spill *s, uint64_t at, void *out, size_t n, qn_err *e)
{
    char *to = out;
    QN_ASSERT(at + n <= qn_spill_bytes(s));
    if (at < s->head_n) {
        size_t k = s->head_n - at < n ? (size_t)(s->head_n - at) : n;
        memcpy(to, s->head + at, k);
        to += k;
        at += k;
        n -= k;
    }
    uint64_t file_end = s->head_n + s->file_n;
    if (n && at < file_end) {
        size_t k = file_end - at < n ? (size_t)(file_end - at) : n;
        QN_TRY(read_file(s, at, to, k, e));
        to += k;
        at += k;
        n -= k;
    }
    if (n) memcpy(to, s->tail + (at - file_end), n);
    return QN_OK;
}

qn_code qn_spill_shrink(qn_spill *s, size_t memory_bytes, qn_err *e)
{
    size_t keep = memory_bytes > (64u << 10) ? memory_bytes : (64u << 10), was = s->head_n;
    s->head_max = keep;
    if (was <= keep) return QN_OK;
    uint64_t in_file = s->file_n;
    if (s->fd < 0) QN_TRY(open_file(s, e));
    s->head_n = keep;
    s->file_n = 0;
    qn_code rc = write_all(s, s->head + keep, was - keep, e);
    s->file_n = in_file;
    if (rc != QN_OK) { s->head_n = was; return rc; }
    s->file_n += was - keep;
    s->head_cap = keep;
    s->head = qn_realloc(s->head, keep);
    return QN_OK;
}

uint64_t qn_spill_bytes(const qn_spill *s) { return s->head_n + s->file_n + s->tail_n; }
uint64_t qn_spill_on_disk(const qn_spill *s) { return s->file_n; }
