/* trace: the lineage of every accepted row, as zstd-compressed JSON lines. */
#include "engine/internal.h"
#include <zstd.h>

struct qn_trace { qn_out *out; ZSTD_CCtx *z; qn_buf plain; void *chunk; size_t chunk_bytes; };

qn_code qn_trace_open(struct qn_trace **t, const char *out_dir, qn_err *e)
{
    char *path = qn_path_join(out_dir, "trace.jsonl.zst");
    struct qn_trace *x = QN_NEW(struct qn_trace);
    qn_code rc = qn_out_open(&x->out, path, e);
    qn_free(path);
    if (rc != QN_OK) { qn_free(x); return rc; }
    x->z = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(x->z, ZSTD_c_compressionLevel, -1);      /* ids do not compress; the rest does at any level */
    x->chunk_bytes = ZSTD_CStreamOutSize();
    x->chunk = qn_alloc(x->chunk_bytes);
    *t = x;
    return QN_OK;
}

static qn_code squeeze(struct qn_trace *t, ZSTD_EndDirective how, qn_err *e)
{
    ZSTD_inBuffer in = { t->plain.p, t->plain.n, 0 };
    for (;;) {
        ZSTD_outBuffer out = { t->chunk, t->chunk_bytes, 0 };
        size_t left = ZSTD_compressStream2(t->z, &out, &in, how);
        if (ZSTD_isError(left)) return qn_fail(e, QN_EIO, "cannot compress the trace: %s", ZSTD_getErrorName(left));
        if (out.pos) QN_TRY(qn_out_write(t->out, t->chunk, out.pos, e));
        if (how == ZSTD_e_end ? left == 0 : in.pos == in.size) break;
    }
    qn_buf_clear(&t->plain);
    return QN_OK;
}

qn_code qn_trace_add(struct qn_trace *t, qn_str line, qn_err *e)
{
    qn_buf_str(&t->plain, line);
    return t->plain.n > (1 << 17) ? squeeze(t, ZSTD_e_continue, e) : QN_OK;
}

qn_code qn_trace_close(struct qn_trace *t, bool keep, qn_err *e)
{
    qn_code rc = QN_OK;
    if (!t) return QN_OK;
    if (keep) rc = squeeze(t, ZSTD_e_end, e);
    if (keep && rc == QN_OK) rc = qn_out_keep(t->out, e);
    else qn_out_drop(t->out);
    ZSTD_freeCCtx(t->z);
    qn_buf_free(&t->plain);
    qn_free(t->chunk);
    qn_free(t);
    return rc;
}

static void put_path(qn_buf *b, const qn_row *row, bool first)
{
    char id[33];
    if (qn_row_parent(row)) put_path(b, qn_row_parent(row), false);
    qn_row_id_text(row, id);
    qn_buf_printf(b, "{\"id\":\"%s\"", id);
    if (qn_row_step(row).n) {
        qn_buf_puts(b, ",\"step\":");
        qn_json_write_text(b, qn_row_step(row));
        qn_buf_printf(b, ",\"k\":%u", qn_row_k(row));
    }
    qn_buf_puts(b, first ? "}" : "},");
}

static void put_calls(qn_buf *b, const qn_row *row, bool *any)
{
    char key[33];
    if (qn_row_parent(row)) put_calls(b, qn_row_parent(row), any);
    for (const qn_origin *o = qn_row_origins(row); o; o = o->next) {
        qn_hash_hex(o->key, key);
        qn_buf_printf(b, "%s{\"step\":", *any ? "," : "");
        qn_json_write_text(b, o->step);
        qn_buf_printf(b, ",\"key\":\"%s\"}", key);
        *any = true;
    }
}

static void put_source(qn_buf *b, qn_row_source s)
{
    if (!s.path) { qn_buf_puts(b, "null"); return; }
    qn_buf_puts(b, "{\"path\":");
    qn_json_write_text(b, qn_str_of(s.path));
    if (s.line) qn_buf_printf(b, ",\"line\":%llu", (unsigned long long)s.line);
    if (s.licence) {
        qn_buf_puts(b, ",\"licence\":");
        qn_json_write_text(b, qn_str_of(s.licence));
    }
    qn_buf_putc(b, '}');
}

qn_str qn_trace_line(const qn_row *row)
{
    qn_buf b = {0};
    char id[33];
    qn_value source;
    bool any = false;
    qn_row_id_text(row, id);
    qn_buf_printf(&b, "{\"id\":\"%s\",\"path\":[", id);
    put_path(&b, row, true);
    qn_buf_puts(&b, "],\"source\":");
    if (qn_row_find(row, QN_STR("_source"), &source)) qn_json_write(&b, source);
    else put_source(&b, qn_row_source_of(row));
    qn_buf_puts(&b, ",\"calls\":[");
    put_calls(&b, row, &any);
    qn_buf_puts(&b, "]}\n");
    return (qn_str){ b.p, b.n };
}
