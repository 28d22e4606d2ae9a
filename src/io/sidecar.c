/* sidecar: see sidecar.h. */
#include "io/sidecar.h"
#include "core/file.h"

/* The identifier in PATH.license; empty when there is no such file, or no such line in it. */
static qn_str identifier_beside(qn_str path, qn_arena *a)
{
    static const qn_str TAG = { "SPDX-License-Identifier:", 24 };
    qn_str sidecar = qn_arena_printf(a, "%.*s.license", QN_FMT(path)), found = { "", 0 };
    qn_buf b = {0};
    qn_err ignored = {0};
    if (!qn_file_exists(sidecar.p) || qn_file_read(sidecar.p, 65536, &b, &ignored) != QN_OK) { qn_buf_free(&b); return found; }
    qn_str text = qn_buf_view(&b);
    ptrdiff_t at = qn_str_find(text, TAG);
    if (at >= 0) {
        qn_str rest = qn_str_sub(text, (size_t)at + TAG.n, text.n);
        const char *end = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;
        if (end) rest.n = (size_t)(end - rest.p);
        found = qn_arena_str(a, qn_str_trim(rest));
    }
    qn_buf_free(&b);
    return found;
}

qn_str qn_licence_sidecar(const char *file, qn_arena *a)
{
    qn_str path = qn_str_of(file), found;
    for (;;) {
        found = identifier_beside(path, a);
        const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
        if (found.n || !slash || slash == path.p) return found;
        path.n = (size_t)(slash - path.p);
    }
}
