/* doc_read: one document in this process: the file's bytes, its format's reader, a last look at what came out. */
#include "io/format.h"
#include "io/input.h"

#define MOST_BYTES ((size_t)256 << 20)

qn_code qn_doc_read_here(const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e)
{
    const qn_format *f;
    qn_buf bytes = {0};
    *out = (qn_doc){0};
    QN_TRY(qn_format_of(path, &f, e));
    if (!f->doc) {
        qn_fail_at(e, QN_EDATA, (qn_pos){ .file = path }, "%s holds rows or tables (%s), not a document", path, f->name);
        qn_hint(e, "read_rows and read_tables read it");
        return QN_EDATA;
    }
    qn_code rc = qn_input_slurp(path, MOST_BYTES, &bytes, e);
    if (rc == QN_OK && bytes.n == 0) rc = qn_fail(e, QN_EDATA, "the file is empty");
    if (rc == QN_OK) rc = f->doc(qn_buf_view(&bytes), path, o, a, out, e);
    if (rc == QN_OK && out->n_blocks == 0) rc = qn_fail(e, QN_EDATA, "no text was found in the file%s%.*s", out->warning.n ? ": " : "", QN_FMT(out->warning));
    if (rc != QN_OK && e && !e->pos.file) e->pos.file = path;
    qn_buf_free(&bytes);
    return rc;
}
