/* rows_fuzz: any bytes as a file of rows and tables: reading ends, bad records carry a line and a word, good ones are rows. */
#ifndef QN_ROWS_FUZZ_H
#define QN_ROWS_FUZZ_H
#include "core/err.h"
#include "io/format.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static inline qn_code rf_begin(void *arg, qn_str name, qn_str title, const qn_str *c, size_t n, qn_err *e)
{
    (void)name, (void)title, (void)c, (void)e;
    *(size_t *)arg = n;
    return QN_OK;
}
static inline qn_code rf_row(void *arg, const qn_str *c, size_t n, qn_err *e)
{
    (void)arg, (void)e;
    volatile size_t sum = 0;
    for (size_t i = 0; i < n; i++) for (size_t k = 0; c[i].p && k < c[i].n; k++) sum += (unsigned char)c[i].p[k];
    return QN_OK;
}
static inline qn_code rf_end(void *arg, qn_err *e) { (void)arg, (void)e; return QN_OK; }

/* max_rows: more cannot be in a file of that many bytes. */
static inline void rows_fuzz_file(const char *format, const char *path, size_t max_rows)
{
    const qn_format *f = qn_format_by_name(qn_str_of(format));
    qn_reader *r;
    qn_err e = {0};
    qn_read_opts o = { .max_record_bytes = 4096 };
    if (f->rows && f->rows(path, &o, &r, &e) == QN_OK) {
        for (size_t turns = 0;; turns++) {
            qn_row *row = NULL;
            qn_err bad = {0};
            qn_code rc = r->vt->next(r, &row, &bad);
            QN_ASSERT(turns <= max_rows);
            if (rc != QN_OK) {
                QN_ASSERT(bad.msg[0]);
                if (rc != QN_EDATA) break;
                continue;
            }
            if (!row) break;
            qn_buf b = {0};
            qn_row_write(row, &b);
            QN_ASSERT(b.n >= 2 && b.p[0] == '{');
            qn_buf_free(&b);
            qn_row_drop(row);
        }
        r->vt->close(r);
    }
    size_t n_columns;
    qn_cell_sink sink = { &n_columns, rf_begin, rf_row, rf_end };
    if (f->tables) f->tables(path, &o, &sink, &e);
}

static inline void rows_fuzz(const char *format, const uint8_t *data, size_t n)
{
    char path[64];
    int fd = memfd_create("fuzz", 0);
    QN_ASSERT(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    rows_fuzz_file(format, path, 2 * n + 2);
    close(fd);
}

/* For libraries that want a name in the file system. */
static inline void rows_fuzz_named(const char *format, const uint8_t *data, size_t n, size_t max_rows)
{
    char path[] = "/tmp/quern-fuzz-XXXXXX";
    int fd = mkstemp(path);
    QN_ASSERT(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    rows_fuzz_file(format, path, max_rows);
    close(fd);
    unlink(path);
}
#endif
