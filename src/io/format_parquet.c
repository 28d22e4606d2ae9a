/* format_parquet: Parquet files by DuckDB, opened when needed (tools/setup.sh parquet). DuckDB writes each row as JSON text, so numbers, lists and
 * structs keep their kinds; dates and times are texts in ISO 8601, as DuckDB casts them. It streams: memory does not grow with the file.
 * DuckDB loads no extensions and keeps to 1 GB and two threads. */
#include "core/dl.h"
#include "io/columns.h"
#include "io/duckdb.h"
#include "io/format.h"

static qn_duckdb dk;
static const qn_sym SYMS[] = {
    { "duckdb_library_version", (void **)&dk.library_version }, { "duckdb_create_config", (void **)&dk.create_config }, { "duckdb_set_config", (void **)&dk.set_config },
    { "duckdb_destroy_config", (void **)&dk.destroy_config }, { "duckdb_open_ext", (void **)&dk.open_ext }, { "duckdb_close", (void **)&dk.close },
    { "duckdb_connect", (void **)&dk.connect }, { "duckdb_disconnect", (void **)&dk.disconnect }, { "duckdb_prepare", (void **)&dk.prepare },
    { "duckdb_prepare_error", (void **)&dk.prepare_error }, { "duckdb_destroy_prepare", (void **)&dk.destroy_prepare }, { "duckdb_bind_varchar", (void **)&dk.bind_varchar },
    { "duckdb_execute_prepared_streaming", (void **)&dk.execute_streaming }, { "duckdb_result_error", (void **)&dk.result_error },
    { "duckdb_destroy_result", (void **)&dk.destroy_result }, { "duckdb_column_count", (void **)&dk.column_count }, { "duckdb_column_name", (void **)&dk.column_name },
    { "duckdb_fetch_chunk", (void **)&dk.fetch_chunk }, { "duckdb_destroy_data_chunk", (void **)&dk.destroy_data_chunk },
    { "duckdb_data_chunk_get_size", (void **)&dk.chunk_size }, { "duckdb_data_chunk_get_vector", (void **)&dk.chunk_vector },
    { "duckdb_vector_get_data", (void **)&dk.vector_data }, { "duckdb_vector_get_validity", (void **)&dk.vector_validity }, { "duckdb_free", (void **)&dk.free },
    { NULL, NULL }
};
static const char *const SONAMES[] = { "libduckdb.so", NULL };
static qn_lib lib = { SONAMES, SYMS, "reading Parquet", "tools/setup.sh parquet (DuckDB from the npm package @duckdb/node-bindings-linux-x64)", false };

typedef struct {
    qn_reader base;
    const char *path;
    duckdb_database db;
    duckdb_connection con;
    duckdb_prepared_statement st;
    duckdb_result result;
    duckdb_data_chunk chunk;
    idx_t at, n;
    bool  has_result, end;
    int   line;
} query;

static void query_close(query *q)
{
    if (q->chunk) dk.destroy_data_chunk(&q->chunk);
    if (q->has_result) dk.destroy_result(&q->result);
    if (q->st) dk.destroy_prepare(&q->st);
    if (q->con) dk.disconnect(&q->con);
    if (q->db) dk.close(&q->db);
}

static qn_code fail(const query *q, const char *why, qn_err *e)
{
    qn_str first = qn_str_of(why ? why : "unknown error");
    const char *nl = memchr(first.p, '\n', first.n);
    if (nl) first.n = (size_t)(nl - first.p);
    return qn_fail_at(e, QN_EDATA, (qn_pos){ .file = q->path }, "cannot read %s as Parquet: %.*s", q->path, QN_FMT(first));
}

static qn_code db_open(query *q, qn_err *e)
{
    static const char *const settings[][2] = {
        { "threads", "2" }, { "memory_limit", "1GB" }, { "autoinstall_known_extensions", "false" }, { "autoload_known_extensions", "false" },
    };
    duckdb_config c;
    char *error = NULL;
    if (strncmp(dk.library_version(), "v1.", 3) != 0)
        return qn_fail(e, QN_EMISSING, "reading Parquet needs DuckDB 1.x, the library that is here is %s", dk.library_version());
    if (dk.create_config(&c)) return fail(q, "no memory", e);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) dk.set_config(c, settings[i][0], settings[i][1]);
    duckdb_state bad = dk.open_ext(NULL, &q->db, c, &error);
    dk.destroy_config(&c);
    if (bad) {
        qn_code rc = fail(q, error, e);
        if (error) dk.free(error);
        return rc;
    }
    return dk.connect(q->db, &q->con) ? fail(q, "no connection", e) : QN_OK;
}

static qn_code query_open(query *q, const char *path, const char *sql, qn_err *e)
{
    q->path = path;
    QN_TRY(qn_lib_need(&lib, e));
    if (strcmp(path, "-") == 0) return qn_fail(e, QN_EUSAGE, "Parquet cannot be read from standard input");
    QN_TRY(db_open(q, e));
    if (dk.prepare(q->con, sql, &q->st)) return fail(q, dk.prepare_error(q->st), e);
    dk.bind_varchar(q->st, 1, path);
    q->has_result = true;
    return dk.execute_streaming(q->st, &q->result) ? fail(q, dk.result_error(&q->result), e) : QN_OK;
}

/* Moves to the next row: q->at of q->chunk. q->end at the end. */
static qn_code query_step(query *q, qn_err *e)
{
    q->at++;
    while (!q->end && q->at >= q->n) {
        if (q->chunk) dk.destroy_data_chunk(&q->chunk);
        q->chunk = dk.fetch_chunk(q->result);
        q->at = 0;
        q->n = q->chunk ? dk.chunk_size(q->chunk) : 0;
        q->end = !q->chunk || q->n == 0;
    }
    if (!q->end) { q->line++; return QN_OK; }
    const char *why = dk.result_error(&q->result);
    return why && *why ? fail(q, why, e) : QN_OK;
}

/* The text in column i of the row in hand; p NULL for null. Borrowed until the next step. */
static qn_str text_at(const query *q, idx_t i)
{
    duckdb_vector v = dk.chunk_vector(q->chunk, i);
    const uint64_t *valid = dk.vector_validity(v);
    if (valid && !(valid[q->at / 64] >> (q->at % 64) & 1)) return (qn_str){ NULL, 0 };
    const duckdb_string_t *s = (const duckdb_string_t *)dk.vector_data(v) + q->at;
    return s->inlined.n <= 12 ? (qn_str){ s->inlined.bytes, s->inlined.n } : (qn_str){ s->pointer.p, s->pointer.n };
}

/* ---- rows ---- */
static qn_code rows_next(qn_reader *reader, qn_row **out, qn_err *e)
{
    query *q = (query *)reader;
    *out = NULL;
    if (q->end) return QN_OK;
    QN_TRY(query_step(q, e));
    if (q->end) return QN_OK;
    if (qn_row_parse(text_at(q, 0), (qn_hash128){0}, out, e) == QN_OK) return QN_OK;
    if (e) e->pos = (qn_pos){ .file = q->path, .line = q->line };
    return QN_EDATA;
}

static void rows_close(qn_reader *reader)
{
    query_close((query *)reader);
    qn_free(reader);
}

static const qn_reader_vt VT = { rows_next, rows_close };

static qn_code rows(const char *path, const qn_read_opts *o, qn_reader **out, qn_err *e)
{
    query *q = QN_NEW(query);
    (void)o;
    q->base.vt = &VT;
    qn_code rc = query_open(q, path, "SELECT CAST(to_json(\"querns row\") AS VARCHAR) FROM read_parquet(?) AS \"querns row\"", e);
    if (rc != QN_OK) { rows_close(&q->base); return rc; }
    *out = &q->base;
    return QN_OK;
}

/* ---- tables ---- */
static qn_code tables(const char *path, const qn_read_opts *o, qn_cell_sink *sink, qn_err *e)
{
    query q = {0};
    qn_str *cells = NULL;
    (void)o;
    qn_code rc = query_open(&q, path, "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM read_parquet(?)", e);
    idx_t n = rc == QN_OK ? dk.column_count(&q.result) : 0;
    if (rc == QN_OK) {
        cells = QN_NEW_N(qn_str, n);
        for (idx_t i = 0; i < n; i++) cells[i] = qn_str_of(dk.column_name(&q.result, i));
        rc = sink->begin(sink->arg, qn_table_name_of(path), QN_STR(""), cells, n, e);
    }
    while (rc == QN_OK && (rc = query_step(&q, e)) == QN_OK && !q.end) {
        for (idx_t i = 0; i < n; i++) cells[i] = text_at(&q, i);
        rc = sink->row(sink->arg, cells, n, e);
    }
    if (rc == QN_OK) rc = sink->end(sink->arg, e);
    qn_free(cells);
    query_close(&q);
    return rc;
}

static bool sniff(qn_str head) { return head.n >= 4 && memcmp(head.p, "PAR1", 4) == 0; }

const qn_format qn_format_parquet = {
    .name = "parquet", .exts = "parquet pq", .brief = "Parquet, by DuckDB (tools/setup.sh parquet)", .rows = rows, .tables = tables, .sniff = sniff,
};
