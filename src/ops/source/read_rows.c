/* read_rows: rows from files that hold records: JSONL, JSON, CSV, TSV, XLSX, Parquet, SQLite; a file, a folder, a glob, or - for standard input.
 *
 * The types of the fields are found out from the first rows before anything runs, so that a wrong field name is an error at once. A record that
 * cannot be read is one failed row with its file and line; the rest goes on. */
#include "io/sidecar.h"
#include "io/format.h"
#include "ops/op.h"
#include <stdio.h>

enum { PEEK_ROWS = 1000 };

typedef struct { const char *path; qn_str format, table, encoding, licence; } params;

static const qn_param PARAMS[] = {
    QN_PATH(params, path, NULL, "a file, a folder, a glob, or - for standard input"),
    QN_TEXT(params, format, "", "jsonl, json, csv, ...; found out from name and first bytes when left out"),
    QN_TEXT(params, table, "", "which table of a SQLite file, which sheet of an XLSX file"),
    QN_TEXT(params, encoding, "", "of text files; found out when left out"),
    QN_TEXT(params, licence, "", "licence of these rows: goes into the trace and the card"),
    QN_END
};

typedef struct { qn_files files; size_t at; qn_reader *reader; uint64_t line; char *licence; qn_licences of_file; } state;

static qn_code open_file(const params *p, const char *file, qn_reader **out, qn_err *e)
{
    const qn_format *f = NULL;
    qn_read_opts o = { .table = p->table.n ? p->table.p : NULL, .encoding = p->encoding.n ? p->encoding.p : NULL };
    if (p->format.n) {
        f = qn_format_by_name(p->format);
        if (!f) return qn_fail(e, QN_ERECIPE, "no format is called `%.*s`", QN_FMT(p->format));
    } else if (strcmp(file, "-") == 0) {
        f = qn_format_by_name(QN_STR("jsonl"));
    } else {
        QN_TRY(qn_format_of(file, &f, e));
    }
    if (!f->rows) {
        qn_fail(e, QN_EDATA, "%s holds a document (%s), not rows", file, f->name);
        qn_hint(e, "read_docs reads documents, read_tables whole tables");
        return QN_EDATA;
    }
    return f->rows(file, &o, out, e);
}

/* The type of the first rows, so that expressions can be checked. Standard input cannot be looked at twice: any field may be there. */
static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    static const qn_type anything = { .kind = QN_T_RECORD, .open = true };
    const params *p = vp;
    qn_files files = {0};
    ck->out = &anything;
    if (strcmp(p->path, "-") == 0) return QN_OK;
    QN_TRY(qn_files_check(p->path, e));
    QN_TRY(qn_files_list(&files, p->path, e));
    const qn_type *t = NULL;
    qn_code rc = QN_OK;
    size_t seen = 0;
    for (size_t i = 0; i < files.n && i < 5 && rc == QN_OK; i++) {
        qn_reader *r;
        rc = open_file(p, files.paths[i], &r, e);
        if (rc != QN_OK) break;
        for (size_t k = 0; seen < PEEK_ROWS; k++) {
            qn_row *row = NULL;
            qn_err bad = {0};
            qn_code got = r->vt->next(r, &row, &bad);
            if (got == QN_EDATA && k < 10 * PEEK_ROWS) continue;
            if (got != QN_OK || !row) break;
            qn_arena a = {0};
            const qn_type *mine = qn_type_of_value(qn_row_value(row, &a), ck->arena);
            t = t ? qn_type_join(t, mine, ck->arena) : mine;
            qn_arena_free(&a);
            qn_row_drop(row);
            seen++;
        }
        r->vt->close(r);
    }
    qn_files_free(&files);
    if (rc == QN_OK && t) ck->out = t;
    return rc;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    *out = st;
    if (p->licence.n) st->licence = qn_strz(p->licence);
    else if (cx->licence) st->licence = qn_strz(qn_str_of(cx->licence));
    return qn_files_list(&st->files, p->path, e);
}

/* A row that names its licence itself has that one. */
static qn_licences own_licence(const qn_row *r, qn_licences of_file)
{
    qn_value v;
    bool has = qn_row_find(r, QN_STR("licence"), &v) || qn_row_find(r, QN_STR("license"), &v);
    return has && v.kind == QN_V_TEXT && qn_str_trim(qn_v_str(v)).n ? qn_licence_of(qn_v_str(v)) : of_file;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    for (;;) {
        if (!st->reader) {
            if (st->at == st->files.n) { *out = NULL; return QN_OK; }
            const char *file = st->files.paths[st->at++];
            st->line = 0;
            qn_str beside = qn_licence_sidecar(file, cx->scratch);
            st->of_file = qn_licence_of(beside.n ? beside : qn_str_of(st->licence ? st->licence : ""));
            qn_code rc = open_file(p, file, &st->reader, e);
            if (rc != QN_OK) {
                st->reader = NULL;
                return st->files.n > 1 && rc != QN_EMISSING ? QN_EDATA : rc == QN_EDATA ? QN_EIO : rc;  /* one bad file among many is a failed row */
            }
        }
        st->line++;
        qn_code rc = st->reader->vt->next(st->reader, out, e);
        if (rc == QN_EDATA && !e->pos.file) e->pos.file = st->files.paths[st->at - 1];
        if (rc != QN_OK) return rc;
        if (*out) {
            qn_row_set_source(*out, (qn_row_source){ st->files.paths[st->at - 1], st->line, st->licence });
            qn_row_add_licences(*out, own_licence(*out, st->of_file));
            return QN_OK;
        }
        st->reader->vt->close(st->reader);
        st->reader = NULL;
    }
}

static void close(void *vs)
{
    state *st = vs;
    if (st->reader) st->reader->vt->close(st->reader);
    qn_files_free(&st->files);
    qn_free(st->licence);
    qn_free(st);
}

const qn_op qn_op_read_rows = {
    .name = "read_rows", .version = 1, .stage = QN_SOURCE,
    .brief = "rows from JSONL, JSON, CSV, TSV, XLSX, Parquet or SQLite",
    .params = PARAMS, .params_size = sizeof(params),
    .check = check, .open = open, .close = close, .next = next,
};
