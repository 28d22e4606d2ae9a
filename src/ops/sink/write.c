/* write: accepted rows to a file in the run's folder, as they are or in a layout that trainers read.
 *
 * All fields are kept beside the layout's columns unless `only: yes`. Lines are made on the workers (measure) and written in order
 * (absorb); a row nobody touched is written from its source's bytes.
 * With `rows` or `tokens` it is the target of the run: sources stop when it is met. */
#include "core/file.h"
#include "data/layout.h"
#include "ops/op.h"

typedef struct {
    const char *to;
    qn_str  as;
    bool    only, raw;
    qn_value with;
    int64_t rows, tokens;
    const qn_layout *layout;
} params;

static const qn_param PARAMS[] = {
    QN_PATH(params, to, "data.jsonl", "file in the run's folder; - is standard output"),
    QN_CHOICE(params, as, "rows", QN_LAYOUT_NAMES, "layout: chat, alpaca, dpo, ...; rows leaves them as they are"),
    QN_BOOL(params, only, "no", "leave out all fields but the layout's"),
    QN_VALUE(params, with, "", "layout's column: field, where a field has another name than the layout looks for"),
    QN_INT(params, rows, "0", "0..", "target: so many accepted rows; 0 none"),
    QN_INT(params, tokens, "0", "0..", "target: so many tokens in the texts written (4 bytes count as one); 0 none"),
    QN_BOOL(params, raw, "no", "write a row's source bytes, without what steps added (for filters of `apply`)"),
    QN_END
};

typedef struct { qn_out *out; uint64_t rows, tokens; bool full; } state;

/* Rows are written as JSON lines whatever the file is called: a name that says otherwise would be believed. */
static qn_code check_name(const char *to, qn_pos pos, qn_err *e)
{
    static const char *const others[] = { "csv", "tsv", "parquet", "xlsx", "sqlite", "db", "gz", "zst", "bz2", "xz", "zip", NULL };
    qn_str ext = qn_path_ext(qn_str_of(to));
    for (size_t i = 0; others[i]; i++) {
        if (!qn_str_ieq(ext, qn_str_of(others[i]))) continue;
        qn_fail_at(e, QN_ERECIPE, pos, "%s: rows are written as JSON lines, not as %s", to, others[i]);
        qn_hint(e, "call it .jsonl; to pack it: `-o - | gzip >FILE`");
        return QN_ERECIPE;
    }
    return QN_OK;
}

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    QN_TRY(check_name(p->to, qn_check_param(ck, "to"), e));
    p->layout = qn_layout_find(p->as);
    return p->layout ? qn_layout_check(p->layout, p->with, ck->in, ck->arena, ck->pos, e) : QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    *out = st;
    bool whole = p->to[0] == '/' || strcmp(p->to, "-") == 0 || !cx->out_dir;
    char *path = whole ? qn_strz(qn_str_of(p->to)) : qn_path_join(cx->out_dir, p->to);
    qn_code rc = qn_out_open(&st->out, path, e);
    qn_free(path);
    return rc;
}

static void put_fields(const qn_row *r, qn_arena *a, qn_object_b *o)
{
    qn_value all = qn_row_value(r, a), v;
    qn_v_iter it = qn_v_iter_of(all);
    qn_str name;
    while (qn_v_next(&it, &name, &v))
        if (qn_row_plain(name)) qn_object_put(o, name, v);
}

static qn_code line_of(qn_ctx *cx, const params *p, const qn_row *r, qn_buf *b, qn_err *e)
{
    if (!p->layout) {
        qn_row_write_plain(r, b);
    } else {
        qn_object_b o = { .a = cx->scratch };
        if (!p->only) put_fields(r, cx->scratch, &o);
        QN_TRY(qn_layout_put(p->layout, p->with, r, &o, e));
        qn_json_write(b, qn_object_end(&o));
    }
    qn_buf_putc(b, '\n');
    return QN_OK;
}

/* The bytes of the row's source where that is what goes out: they need no copy. */
static bool source_bytes(const params *p, const qn_row *r, qn_str *bytes)
{
    if (!p->raw) return !p->layout && qn_row_untouched(r, bytes);
    while (qn_row_parent(r)) r = qn_row_parent(r);
    return qn_row_source_bytes(r, bytes);
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_buf b = {0};
    qn_str bytes;
    size_t n = 0;
    qn_row_attach(r, NULL);
    if (source_bytes(p, r, &bytes)) return QN_OK;
    qn_buf_put(&b, &n, sizeof n);           /* the note: length, then the line */
    if (p->raw) {
        qn_row_write_raw(r, &b);
        qn_buf_putc(&b, '\n');
    } else {
        qn_code rc = line_of(cx, p, r, &b, e);
        if (rc != QN_OK) { qn_buf_free(&b); return rc; }
    }
    n = b.n - sizeof n;
    memcpy(b.p, &n, sizeof n);
    qn_row_attach(r, b.p);
    return QN_OK;
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    const size_t *note = qn_row_attached(r);
    qn_str line;
    (void)cx;
    if (note) line = (qn_str){ (const char *)(note + 1), *note };
    else QN_ASSERT(source_bytes(p, r, &line));
    qn_code rc = qn_out_write(st->out, line.p, line.n, e);
    if (rc == QN_OK && !note) rc = qn_out_write(st->out, "\n", 1, e);
    st->rows++;
    st->tokens += (line.n + !note) / 4;
    qn_row_drop(r);
    if (rc != QN_OK) return rc;
    st->full = (p->rows && st->rows >= (uint64_t)p->rows) || (p->tokens && st->tokens >= (uint64_t)p->tokens);
    return st->full ? QN_ESTOP : QN_OK;
}

static qn_code finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    (void)cx;
    qn_out *out = st->out;
    st->out = NULL;
    QN_TRY(qn_out_keep(out, e));
    return (p->rows || p->tokens) && !st->full ? QN_ESTOP : QN_OK;      /* the sources ended before the target was met */
}

static void close(void *vs)
{
    state *st = vs;
    qn_out_drop(st->out);
    qn_free(st);
}

const qn_op qn_op_write = {
    .name = "write", .version = 1, .stage = QN_SINK, .brief = "accepted rows to a file, as they are or in a trainer's layout",
    .params = PARAMS, .params_size = sizeof(params),
    .check = check, .open = open, .close = close, .measure = measure, .absorb = absorb, .finish = finish,
};
