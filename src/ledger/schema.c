/* schema: the ledger's tables, and how an older file becomes today's. */
#include "ledger/schema.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/file.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#define BATCHES \
    "CREATE TABLE batch(id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, model TEXT, state INTEGER NOT NULL, file TEXT, remote TEXT," \
    " made_ms INTEGER NOT NULL, ended_ms INTEGER);" \
    "CREATE TABLE batch_item(intent INTEGER PRIMARY KEY, batch INTEGER NOT NULL);"

static const char SCHEMA[] =
    "CREATE TABLE run(id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER, pid INTEGER,"
    " recipe TEXT, info TEXT);"
    "CREATE TABLE intent(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, key_hi INTEGER NOT NULL, key_lo INTEGER NOT NULL, step TEXT,"
    " row BLOB, worst_usd REAL NOT NULL, packing INTEGER NOT NULL, request BLOB);"
    "CREATE TABLE reply(id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, gen INTEGER NOT NULL, key_hi INTEGER NOT NULL,"
    " key_lo INTEGER NOT NULL, prompt_tokens INTEGER, completion_tokens INTEGER, cost_usd REAL NOT NULL, attempts INTEGER,"
    " packing INTEGER NOT NULL, sum INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE TABLE reply_key(key_hi INTEGER, id INTEGER, PRIMARY KEY(key_hi, id)) WITHOUT ROWID;"
    "CREATE TABLE cancel(id INTEGER PRIMARY KEY);"
    "CREATE TABLE lost(id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL);"
    "CREATE TABLE mark(id INTEGER PRIMARY KEY CHECK(id = 1), settled INTEGER NOT NULL, gen INTEGER NOT NULL, epoch INTEGER NOT NULL,"
    " n_replies INTEGER NOT NULL, spent_usd REAL NOT NULL);"
    "INSERT INTO mark VALUES(1, 0, 0, 1, 0, 0.0);"
    BATCHES;

/* From version 0: intent(id, key blob, step, row blob, worst_usd), reply(intent, key blob, body, prompt_tokens, completion_tokens, cost_usd).
 * Its replies come in behind the mark: opening indexes and counts them. */
static const char FROM_0[] =
    "ALTER TABLE intent RENAME TO intent_0; ALTER TABLE reply RENAME TO reply_0; DROP INDEX IF EXISTS reply_0_key;";
static const char FROM_0_COPY[] =
    "INSERT INTO run VALUES(1, 1, 0, 0, 0, 'before version 1', NULL);"
    "INSERT INTO intent SELECT id, 1, be64(key, 0), be64(key, 8), step, row, worst_usd, 0, NULL FROM intent_0;"
    "INSERT INTO reply SELECT intent, 1, 1, be64(key, 0), be64(key, 8), prompt_tokens, completion_tokens, cost_usd, 1, 0, sum32(body), body"
    " FROM reply_0;"
    "DROP TABLE intent_0; DROP TABLE reply_0;";

qn_code qn_schema_fail(sqlite3 *db, int rc, const char *path, qn_err *e)
{
    const char *said = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    int sys = db ? sqlite3_system_errno(db) : 0;
    switch (rc & 0xff) {
    case SQLITE_FULL:
        qn_fail(e, QN_ELEDGER, "the disk is full: cannot write %s", path);
        qn_hint(e, "free some space and run again: what was recorded is kept and is not paid for again");
        break;
    case SQLITE_NOTADB:
        qn_fail(e, QN_ELEDGER, "%s is not a ledger of quern", path);
        qn_hint(e, "name another file with --ledger, or another folder with -o");
        break;
    case SQLITE_CORRUPT:
        qn_fail(e, QN_ELEDGER, "the ledger %s is damaged (%s)", path, said);
        qn_hint(e, "keep a copy; `sqlite3 %s .recover` may save most of it; another --ledger starts anew", path);
        break;
    case SQLITE_READONLY: case SQLITE_CANTOPEN: case SQLITE_PERM: case SQLITE_AUTH:
        qn_fail(e, QN_ELEDGER, "cannot write the ledger %s: %s", path, sys ? strerror(sys) : said);
        qn_hint(e, "the ledger and its folder must be writable; --ledger FILE puts it elsewhere");
        break;
    case SQLITE_IOERR:
        qn_fail(e, QN_ELEDGER, "cannot read or write the ledger %s: %s%s%s", path, said, sys ? ": " : "", sys ? strerror(sys) : "");
        if (sys == ENOSPC || sys == EDQUOT || sys == EFBIG) qn_hint(e, "free some space and run again: what was recorded is kept");
        break;
    case SQLITE_BUSY: case SQLITE_LOCKED:
        qn_fail(e, QN_ELEDGER, "the ledger %s is held by another program (%s)", path, said);
        break;
    default:
        qn_fail(e, QN_ELEDGER, "the ledger %s cannot be used: %s", path, said);
    }
    return QN_ELEDGER;
}

static qn_code run_sql(sqlite3 *db, const char *path, const char *sql, qn_err *e)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? QN_OK : qn_schema_fail(db, rc, path, e);
}

static qn_code ask_int(sqlite3 *db, const char *path, const char *sql, int64_t *out, qn_err *e)
{
    sqlite3_stmt *st;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(st);
        *out = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
        sqlite3_finalize(st);
    }
    return rc == SQLITE_ROW || rc == SQLITE_DONE || rc == SQLITE_OK ? QN_OK : qn_schema_fail(db, rc, path, e);
}

static void sql_be64(sqlite3_context *cx, int n, sqlite3_value **v)
{
    (void)n;
    const unsigned char *p = sqlite3_value_blob(v[0]);
    int at = sqlite3_value_int(v[1]);
    uint64_t x = 0;
    if (sqlite3_value_bytes(v[0]) < at + 8) { sqlite3_result_error(cx, "a key is too short", -1); return; }
    for (int i = 0; i < 8; i++) x = x << 8 | p[at + i];
    sqlite3_result_int64(cx, (int64_t)x);
}

static void sql_sum32(sqlite3_context *cx, int n, sqlite3_value **v)
{
    (void)n;
    const void *p = sqlite3_value_blob(v[0]);
    sqlite3_result_int64(cx, (int64_t)(qn_hash64(p, (size_t)sqlite3_value_bytes(v[0]), 0) & 0xffffffff));
}

static qn_code migrate_0(sqlite3 *db, const char *path, qn_err *e)
{
    sqlite3_create_function(db, "be64", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, sql_be64, NULL, NULL);
    sqlite3_create_function(db, "sum32", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, sql_sum32, NULL, NULL);
    QN_TRY(run_sql(db, path, FROM_0, e));
    QN_TRY(run_sql(db, path, SCHEMA, e));
    return run_sql(db, path, FROM_0_COPY, e);
}

/* In one transaction: a kill in the middle leaves the old file. */
static qn_code bring_to_date(sqlite3 *db, const char *path, qn_err *e)
{
    int64_t app, version, n_tables;
    QN_TRY(ask_int(db, path, "PRAGMA application_id", &app, e));
    QN_TRY(ask_int(db, path, "PRAGMA user_version", &version, e));
    QN_TRY(ask_int(db, path, "SELECT count(*) FROM sqlite_schema", &n_tables, e));
    if (app != QN_LEDGER_APP && n_tables > 0) {
        qn_fail(e, QN_ELEDGER, "%s is a SQLite file, but not a ledger of quern", path);
        qn_hint(e, "name another file with --ledger, or another folder with -o");
        return QN_ELEDGER;
    }
    if (version > QN_LEDGER_VERSION) {
        qn_fail(e, QN_ELEDGER, "%s was written by a newer quern (schema %d; this one knows %d)", path, (int)version, QN_LEDGER_VERSION);
        qn_hint(e, "use that quern, or another --ledger");
        return QN_ELEDGER;
    }
    if (n_tables > 0 && version == QN_LEDGER_VERSION) return QN_OK;
    QN_TRY(run_sql(db, path, "BEGIN IMMEDIATE", e));
    qn_code rc = n_tables == 0 ? run_sql(db, path, SCHEMA, e) : version == 0 ? migrate_0(db, path, e) : run_sql(db, path, BATCHES, e);
    char tail[120];
    snprintf(tail, sizeof tail, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", QN_LEDGER_APP, QN_LEDGER_VERSION);
    if (rc == QN_OK) rc = run_sql(db, path, tail, e);
    if (rc != QN_OK) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

static void sqlite_lighter(void) { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }   /* no global counter behind a lock in every malloc */

static qn_code open_db(sqlite3 **out, const char *path, int flags, qn_err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, sqlite_lighter);
    int rc = sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(*out, 1);
        sqlite3_busy_timeout(*out, 10000);
        return QN_OK;
    }
    qn_schema_fail(*out, rc, path, e);
    sqlite3_close(*out);
    *out = NULL;
    return QN_ELEDGER;
}

qn_code qn_schema_open(sqlite3 **out, const char *path, qn_err *e)
{
    QN_TRY(open_db(out, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e));
    int64_t is_ro = sqlite3_db_readonly(*out, "main");
    qn_code rc = is_ro > 0 ? qn_schema_fail(*out, SQLITE_READONLY, path, e) : QN_OK;
    /* The checks come before anything is written: a file that is not ours stays as it is. */
    int64_t n;
    if (rc == QN_OK) rc = ask_int(*out, path, "SELECT count(*) FROM sqlite_schema", &n, e);
    if (rc == QN_OK && n > 0) rc = bring_to_date(*out, path, e);
    if (rc == QN_OK) rc = run_sql(*out, path, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;"
                                              "PRAGMA wal_autocheckpoint = 4000; PRAGMA temp_store = MEMORY", e);
    if (rc == QN_OK && n == 0) rc = bring_to_date(*out, path, e);
    if (rc == QN_OK) return QN_OK;
    sqlite3_close(*out);
    *out = NULL;
    return rc;
}

qn_code qn_schema_open_read(sqlite3 **out, const char *path, qn_err *e)
{
    QN_TRY(open_db(out, path, SQLITE_OPEN_READWRITE, e));   /* READWRITE: a reader of a WAL file shares its index in memory */
    qn_code rc = run_sql(*out, path, "PRAGMA query_only = 1; PRAGMA cache_size = -1024", e);
    if (rc != QN_OK) { sqlite3_close(*out); *out = NULL; }
    return rc;
}

/* Opened for writing where that is possible, so that closing leaves no WAL behind; nothing is written (query_only). */
static qn_code check_view(sqlite3 *db, const char *path, qn_err *e)
{
    int64_t app = 0, version = 0;
    QN_TRY(run_sql(db, path, "PRAGMA query_only = 1", e));
    QN_TRY(ask_int(db, path, "PRAGMA application_id", &app, e));
    QN_TRY(ask_int(db, path, "PRAGMA user_version", &version, e));
    if (app != QN_LEDGER_APP) return qn_fail(e, QN_ELEDGER, "%s is not a ledger of quern", path);
    if (version < 1 || version > QN_LEDGER_VERSION)     /* what a view reads is the same in versions 1 and 2 */
        return qn_fail(e, QN_ELEDGER, "%s has schema %d; this quern reads %d", path, (int)version, QN_LEDGER_VERSION);
    return QN_OK;
}

/* A folder that cannot be written holds a file that nobody changes: no WAL is needed. */
static char *frozen_uri(const char *path)
{
    qn_buf b = {0};
    qn_buf_puts(&b, "file:");
    for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
        if (*p <= ' ' || *p >= 127 || strchr("%?#", *p)) qn_buf_printf(&b, "%%%02x", *p);
        else qn_buf_putc(&b, (char)*p);
    }
    qn_buf_puts(&b, "?immutable=1");
    return b.p;
}

qn_code qn_schema_open_view(sqlite3 **out, const char *path, qn_err *e)
{
    if (!qn_file_exists(path)) return qn_fail(e, QN_ELEDGER, "there is no ledger %s", path);
    qn_code rc = open_db(out, path, SQLITE_OPEN_READWRITE, e);
    if (rc == QN_OK) {
        rc = check_view(*out, path, e);
        int sq = sqlite3_errcode(*out) & 0xff;
        if (rc == QN_OK) return rc;
        sqlite3_close(*out);
        *out = NULL;
        if (sq != SQLITE_CANTOPEN && sq != SQLITE_READONLY) return rc;
    }
    char *uri = frozen_uri(path);
    rc = open_db(out, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, e);
    if (rc == QN_OK) rc = check_view(*out, path, e);
    if (rc != QN_OK) { sqlite3_close(*out); *out = NULL; }
    qn_free(uri);
    return rc;
}
