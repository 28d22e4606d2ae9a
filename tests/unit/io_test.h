/* io_test: what the tests of io/ share: files of a moment, the shared data. */
#ifndef QN_IO_TEST_H
#define QN_IO_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "core/file.h"
#include "io/format.h"

static char t_path[256];

/* A file with these bytes; its name is good until the next call. */
static inline const char *t_file(const char *name, const void *bytes, size_t n)
{
    qn_err e = {0};
    snprintf(t_path, sizeof t_path, "/tmp/qn_test_%ld_%s", (long)getpid(), name);
    assert_int_equal(qn_file_write(t_path, (qn_str){ bytes, n }, &e), QN_OK);
    return t_path;
}
#define T_FILE(name, text) t_file(name, text, sizeof(text) - 1)

/* The folder of real inputs, or NULL (the test says that it skips). */
static inline const char *t_shared(void)
{
    static const char *const places[] = { "../shared/data", "../../shared/data", NULL };
    for (size_t i = 0; places[i]; i++)
        if (qn_is_dir(places[i])) return places[i];
    printf("skipped: ../shared/data is not here\n");
    return NULL;
}

/* All rows of a file as lines of JSON; a bad record is a line "! LINE MESSAGE". Owned. */
static inline char *t_rows(const char *path, const qn_read_opts *o)
{
    const qn_format *f;
    qn_reader *r;
    qn_err e = {0};
    qn_buf b = {0};
    qn_buf_puts(&b, "");
    if (qn_format_of(path, &f, &e) != QN_OK || f->rows(path, o, &r, &e) != QN_OK) {
        qn_buf_printf(&b, "! %s", e.msg);
        return b.p;
    }
    for (;;) {
        qn_row *row;
        qn_err bad = {0};
        qn_code rc = r->vt->next(r, &row, &bad);
        if (rc != QN_OK) {
            qn_buf_printf(&b, "! %d %s\n", bad.pos.line, bad.msg);
            if (rc != QN_EDATA) break;
            continue;
        }
        if (!row) break;
        qn_row_write(row, &b);
        qn_buf_putc(&b, '\n');
        qn_row_drop(row);
    }
    r->vt->close(r);
    return b.p;
}

static inline void t_rows_are(const char *path, const qn_read_opts *o, const char *expect)
{
    char *got = t_rows(path, o);
    assert_string_equal(got, expect);
    qn_free(got);
    unlink(path);
}
#endif
