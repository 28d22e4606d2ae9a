/* read_docs: documents as text: txt, Markdown, reST, HTML, PDF, DOCX, EPUB; a file, a folder, a glob. A file of rows (JSONL, JSON, Parquet, ...) whose
 * records have a text field is a corpus: each record is a document.
 *
 * Each file is one row: its text (Markdown-like), title and what is known about it. Files are read in a child process with limits: one that crashes,
 * hangs or has no text is one failed row that says so. The blocks of the text (headings, paragraphs, tables, code) travel in the row's own field
 * `_blocks`, for `chunk`. The text of a PDF or an office file is dear: it is kept in DIR/memo, which may be deleted at any time. A folder may hold
 * other files too: those that are no documents are skipped, named in run.log and counted in a warning. */
#include "io/sidecar.h"
#include "core/log.h"
#include "io/format.h"
#include "ledger/memo.h"
#include "ops/op.h"
#include "ops/source/document.h"

typedef struct { const char *path; qn_str licence, encoding, text, title; } params;

static const qn_param PARAMS[] = {
    QN_PATH(params, path, NULL, "a file, a folder or a glob"),
    QN_TEXT(params, licence, "", "licence of the documents, where they do not say: goes into the trace and the card"),
    QN_TEXT(params, encoding, "", "of text files; found out when left out"),
    QN_FIELD(params, text, "text", "of a corpus in rows: the field that holds the text"),
    QN_FIELD(params, title, "title", "of a corpus in rows: the field that holds the title"),
    QN_END
};

typedef struct { qn_files files; size_t at, n_skipped; const char *skipped; char *licence; bool several; qn_reader *corpus; uint64_t line; qn_memo *memo; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    (void)ck;
    return qn_files_check(p->path, e);
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    *out = st;
    st->licence = p->licence.n ? qn_strz(p->licence) : cx->licence ? qn_strz(qn_str_of(cx->licence)) : NULL;
    QN_TRY(qn_files_list(&st->files, p->path, e));
    st->several = st->files.n > 1;
    if (!cx->out_dir) return QN_OK;
    char *dir = qn_path_join(cx->out_dir, "memo");
    qn_code rc = qn_memo_open(&st->memo, dir, (uint64_t)4 << 30, e);
    qn_free(dir);
    return rc;
}

static qn_row *row_of(const char *file, const qn_doc *d, const state *st, qn_arena *a)
{
    qn_row *r = qn_row_new(qn_hash(d->text.p, d->text.n));
    qn_object_b o = { .a = a };
    const qn_format *f = NULL;
    qn_err ignored = {0};
    qn_str beside = d->licence.n ? (qn_str){ "", 0 } : qn_licence_sidecar(file, a);
    const char *licence = d->licence.n ? d->licence.p : beside.n ? beside.p : st->licence;
    qn_object_put(&o, QN_STR("path"), qn_v_text(qn_str_of(file)));
    if (qn_format_of(file, &f, &ignored) == QN_OK) qn_object_put(&o, QN_STR("format"), qn_v_text(qn_str_of(f->name)));
    if (licence) qn_object_put(&o, QN_STR("licence"), qn_v_text(qn_str_of(licence)));
    qn_document_put(r, d, &o, a);
    qn_row_set_source(r, (qn_row_source){ file, 0, st->licence });
    qn_row_add_licences(r, qn_licence_of(qn_str_of(licence ? licence : "")));
    return r;
}

/* A record of a corpus as a document: its text is one paragraph block a paragraph, as plain text is read. */
static qn_row *row_of_record(const params *p, const char *file, qn_row *record, state *st, qn_arena *a)
{
    qn_value text, title;
    qn_doc d = {0};
    if (!qn_row_find(record, p->text, &text) || text.kind != QN_V_TEXT) return NULL;
    d.text = qn_v_str(text);
    if (qn_row_find(record, p->title, &title) && title.kind == QN_V_TEXT) d.title = qn_v_str(title);
    size_t cap = 0;
    for (size_t from = 0; from < d.text.n;) {
        const char *gap = memmem(d.text.p + from, d.text.n - from, "\n\n", 2);
        size_t end = gap ? (size_t)(gap - d.text.p) : d.text.n;
        if (qn_str_trim(qn_str_sub(d.text, from, end)).n) {
            if (d.n_blocks == cap) {
                qn_block *bigger = qn_arena_alloc(a, (cap ? cap * 2 : 8) * sizeof *bigger);
                if (cap) memcpy(bigger, d.blocks, cap * sizeof *bigger);
                d.blocks = bigger;
                cap = cap ? cap * 2 : 8;
            }
            d.blocks[d.n_blocks++] = (qn_block){ .kind = QN_BLOCK_PARA, .start = from, .end = end };
        }
        from = gap ? end + 2 : d.text.n;
    }
    qn_row *r = row_of(file, &d, st, a);
    qn_row_set_source(r, (qn_row_source){ file, st->line, st->licence });
    return r;
}

/* A file of a folder that is left out. */
static void skip(state *st, const char *file)
{
    if (st->n_skipped++ == 0) st->skipped = file;
}

/* The next document of the corpus in hand; *out stays NULL at its end. */
static qn_code next_record(const params *p, state *st, qn_arena *a, qn_row **out, qn_err *e)
{
    const char *file = st->files.paths[st->at - 1];
    for (;;) {
        qn_row *record = NULL;
        st->line++;
        qn_code rc = st->corpus->vt->next(st->corpus, &record, e);
        if (rc != QN_OK) {
            if (!e->pos.file) e->pos.file = file;
            return rc;
        }
        if (!record) break;
        *out = row_of_record(p, file, record, st, a);
        qn_row_drop(record);
        if (*out) return QN_OK;
        if (st->line == 1 && st->several) {
            skip(st, file);
            qn_log(QN_INFO, "skipped", "%s: its records have no field `%.*s`", file, QN_FMT(p->text));
            break;
        }
        qn_err why = {0};
        qn_fail_at(&why, QN_EDATA, (qn_pos){ .file = file, .line = (int)st->line }, "the record has no text in the field `%.*s`", QN_FMT(p->text));
        qn_hint(&why, "name the field that holds the text: text=FIELD");
        *e = why;
        return QN_EDATA;
    }
    st->corpus->vt->close(st->corpus);
    st->corpus = NULL;
    return QN_OK;
}

static bool is_dear(const qn_format *f)
{
    return f && (strcmp(f->name, "pdf") == 0 || strcmp(f->name, "docx") == 0 || strcmp(f->name, "epub") == 0 || strcmp(f->name, "pptx") == 0);
}

/* Reads a file, or remembers what reading its very bytes gave before. */
static qn_code read_remembered(state *st, const char *file, const qn_format *f, const qn_read_opts *o, qn_arena *a, qn_doc *d, qn_err *e)
{
    qn_buf bytes = {0}, packed = {0};
    qn_err ignored = {0};
    if (!st->memo || !is_dear(f) || qn_file_read(file, (size_t)1 << 30, &bytes, &ignored) != QN_OK) {
        qn_buf_free(&bytes);
        return qn_doc_read(file, o, a, d, e);
    }
    qn_hash128 key = qn_memo_key("read_docs", 1, qn_str_of(f->name), qn_buf_view(&bytes), QN_MEMO_ANY_MACHINE);
    qn_buf_free(&bytes);
    qn_code rc = QN_OK;
    if (!qn_memo_get(st->memo, key, &packed) || qn_doc_unpack(qn_arena_str(a, qn_buf_view(&packed)), file, a, d, &ignored) != QN_OK) {
        rc = qn_doc_read(file, o, a, d, e);
        qn_buf_clear(&packed);
        if (rc == QN_OK) {
            qn_doc_pack(d, &packed);
            qn_memo_put(st->memo, key, qn_buf_view(&packed));
        }
    }
    qn_buf_free(&packed);
    return rc;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_read_opts o = { .header = -1, .encoding = p->encoding.n ? p->encoding.p : NULL };
    *out = NULL;
    for (;;) {
        if (st->corpus) {
            QN_TRY(next_record(p, st, cx->scratch, out, e));
            if (*out) return QN_OK;
        }
        if (st->at == st->files.n) {
            if (st->n_skipped) qn_log(QN_WARN, "skipped", "%zu of %zu files hold no documents and were left out, first %s; run.log says why of each", st->n_skipped, st->files.n, st->skipped);
            st->n_skipped = 0;
            return QN_OK;
        }
        const char *file = st->files.paths[st->at++];
        const qn_format *f = NULL;
        qn_doc d;
        qn_err why = {0};
        bool known = qn_format_of(file, &f, &why) == QN_OK;
        if (known && !f->doc && f->rows && strcmp(f->name, "csv") != 0 && strcmp(f->name, "sqlite") != 0) {
            st->line = 0;
            if (f->rows(file, &o, &st->corpus, e) == QN_OK) continue;
            if (!e->pos.file) e->pos.file = file;
            return QN_EDATA;
        }
        if (st->several && (!known || !f->doc)) {
            skip(st, file);
            qn_log(QN_INFO, "skipped", "%s is no document that can be read%s%s", file, why.msg[0] ? ": " : "", why.msg);
            continue;
        }
        qn_code rc = read_remembered(st, file, f, &o, cx->scratch, &d, e);
        if (rc == QN_EDATA || rc == QN_ELIMIT || rc == QN_EIO || rc == QN_ERECIPE || rc == QN_EMISSING) {
            if (!e->pos.file) e->pos.file = file;
            return QN_EDATA;            /* one failed row; the other files go on */
        }
        QN_TRY(rc);
        *out = row_of(file, &d, st, cx->scratch);
        return QN_OK;
    }
}

static void close(void *vs)
{
    state *st = vs;
    if (st->corpus) st->corpus->vt->close(st->corpus);
    qn_files_free(&st->files);
    qn_free(st->licence);
    qn_memo_close(st->memo);
    qn_free(st);
}

const qn_op qn_op_read_docs = {
    .name = "read_docs", .version = 1, .stage = QN_SOURCE,
    .brief = "documents as text: txt, Markdown, reST, HTML, PDF, DOCX, EPUB",
    .writes = "title: text, text: text, doc: {path: text, format: text?, licence: text?, warning: text?, ...}, _blocks: [[int]]",
    .params = PARAMS, .params_size = sizeof(params),
    .check = check, .open = open, .close = close, .next = next,
};
