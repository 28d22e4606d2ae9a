/* read_tables: whole tables from CSV, TSV, XLSX, Parquet, JSON, JSONL or SQLite: a file, a folder, a glob.
 *
 * All tables are loaded, cells as they stand, into `tables.db` in the run's folder, where generated SQL is executed; each gives one row that says what
 * the table is. A file that cannot be read is one failed row; documents in the same folder are left alone. */
#include "io/sidecar.h"
#include "core/log.h"
#include "io/table.h"
#include "ops/op.h"
#include <unistd.h>

typedef struct { const char *path; qn_str licence; } params;

static const qn_param PARAMS[] = {
    QN_PATH(params, path, NULL, "a file, a folder or a glob"),
    QN_TEXT(params, licence, "", "licence of the tables: goes into the trace and the card"),
    QN_END
};

typedef struct { qn_tables *tables; size_t at, bad; char *db, *licence; bool own_db; } state;

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
    st->own_db = cx->out_dir == NULL;
    if (st->own_db) {
        qn_buf b = {0};
        qn_buf_printf(&b, "/tmp/quern-tables-%d.db", (int)getpid());
        st->db = b.p;
    } else {
        st->db = qn_path_join(cx->out_dir, "tables.db");
    }
    return qn_tables_load(&p->path, 1, st->db, NULL, &st->tables, e);
}

static qn_hash128 id_of(const qn_table *t)
{
    qn_hasher *h = qn_hasher_new();
    qn_hasher_add(h, t->name.p, t->name.n);
    for (size_t i = 0; i < t->n_columns; i++) {
        qn_hasher_add(h, "\n", 1);
        qn_hasher_add(h, t->columns[i].name.p, t->columns[i].name.n);
    }
    return qn_hasher_end(h);
}

static qn_value describe(const qn_table *t, const state *st, qn_arena *a)
{
    qn_object_b o = { .a = a };
    qn_list_b cols = { .a = a };
    for (size_t i = 0; i < t->n_columns; i++) {
        qn_object_b c = { .a = a };
        qn_object_put(&c, QN_STR("name"), qn_v_text(t->columns[i].name));
        qn_object_put(&c, QN_STR("type"), qn_v_text(qn_str_of(qn_col_type_name(t->columns[i].type))));
        if (!qn_str_eq(t->columns[i].header, t->columns[i].name)) qn_object_put(&c, QN_STR("header"), qn_v_text(t->columns[i].header));
        qn_list_put(&cols, qn_object_end(&c));
    }
    qn_object_put(&o, QN_STR("name"), qn_v_text(t->name));
    qn_object_put(&o, QN_STR("path"), qn_v_text(t->path));
    if (t->title.n) qn_object_put(&o, QN_STR("title"), qn_v_text(t->title));
    qn_object_put(&o, QN_STR("columns"), qn_list_end(&cols));
    qn_object_put(&o, QN_STR("n_rows"), qn_v_int((int64_t)t->n_rows));
    if (st->own_db) qn_object_put(&o, QN_STR("db"), qn_v_text(qn_str_of(st->db)));
    return qn_object_end(&o);
}

static void warn_of_skipped(const qn_tables *ts)
{
    size_t n = 0;
    const qn_table_problem *first = NULL;
    for (size_t i = 0; i < ts->n_problems; i++)
        if (ts->problems[i].skipped && n++ == 0) first = &ts->problems[i];
    if (n) qn_log(QN_WARN, "skipped", "%zu file%s hold%s no tables and %s left out, first %.*s; run.log says why of each", n, n == 1 ? "" : "s", n == 1 ? "s" : "", n == 1 ? "was" : "were", QN_FMT(first->path));
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    state *st = vs;
    qn_tables *ts = st->tables;
    (void)vp;
    while (st->bad < ts->n_problems) {
        const qn_table_problem *bad = &ts->problems[st->bad++];
        if (bad->skipped) { qn_log(QN_INFO, "skipped", "%.*s: %s", QN_FMT(bad->path), bad->err.msg); continue; }
        *e = bad->err;
        e->pos.file = e->pos.file ? e->pos.file : bad->path.p;
        return QN_EDATA;
    }
    *out = NULL;
    if (st->at == 0) warn_of_skipped(ts);
    if (st->at == ts->n) return QN_OK;
    const qn_table *t = &ts->items[st->at++];
    qn_row *r = qn_row_new(id_of(t));
    qn_row_set(r, QN_STR("table"), describe(t, st, cx->scratch));
    qn_row_set_source(r, (qn_row_source){ t->path.p, 0, st->licence });
    qn_str beside = qn_licence_sidecar(t->path.p, cx->scratch);
    qn_row_add_licences(r, qn_licence_of(beside.n ? beside : qn_str_of(st->licence ? st->licence : "")));
    *out = r;
    return QN_OK;
}

static void close_tables(void *vs)
{
    state *st = vs;
    if (st->tables) qn_tables_free(st->tables);
    if (st->own_db && st->db) unlink(st->db);
    qn_free(st->db);
    qn_free(st->licence);
    qn_free(st);
}

const qn_op qn_op_read_tables = {
    .name = "read_tables", .version = 1, .stage = QN_SOURCE,
    .brief = "whole tables from CSV, TSV, XLSX, Parquet, JSON or SQLite, ready to be queried",
    .writes = "table: {name: text, path: text, title: text?, columns: [{name: text, type: text, header: text?}], n_rows: int, db: text?}",
    .params = PARAMS, .params_size = sizeof(params),
    .check = check, .open = open, .close = close_tables, .next = next,
};
