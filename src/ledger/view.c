/* view: looking into a ledger without owning it: requests and replies by key. */
#include "core/mem.h"
#include "ledger/body.h"
#include "ledger/ledger.h"
#include "ledger/schema.h"
#include <stdio.h>

struct qn_ledger_view { sqlite3 *db; sqlite3_stmt *reply, *intent; ZSTD_DCtx *z; char *path; };

qn_code qn_ledger_view_open(qn_ledger_view **out, const char *path, qn_err *e)
{
    static const char reply[] = "SELECT r.id, r.epoch, r.attempts, r.prompt_tokens, r.completion_tokens, r.cost_usd, r.body, r.packing, r.sum"
                                " FROM reply_key k JOIN reply r ON r.id = k.id WHERE k.key_hi = ?1 AND r.key_lo = ?2 ORDER BY k.id DESC LIMIT 1";
    static const char intent[] = "SELECT id, step, row, packing, request FROM intent WHERE id = ?1";
    sqlite3 *db;
    QN_TRY(qn_schema_open_view(&db, path, e));
    qn_ledger_view *v = QN_NEW(qn_ledger_view);
    v->db = db;
    v->path = qn_strz(qn_str_of(path));
    v->z = ZSTD_createDCtx();
    int rc = sqlite3_prepare_v2(db, reply, -1, &v->reply, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_prepare_v2(db, intent, -1, &v->intent, NULL);
    if (rc == SQLITE_OK) { *out = v; return QN_OK; }
    qn_schema_fail(db, rc, path, e);
    qn_ledger_view_close(v);
    return QN_ELEDGER;
}

void qn_ledger_view_close(qn_ledger_view *v)
{
    if (!v) return;
    sqlite3_finalize(v->reply);
    sqlite3_finalize(v->intent);
    sqlite3_close(v->db);
    ZSTD_freeDCtx(v->z);
    qn_free(v->path);
    qn_free(v);
}

static qn_code view_intent(qn_ledger_view *v, qn_ledger_call *out, qn_buf *request, qn_err *e)
{
    sqlite3_bind_int64(v->intent, 1, (sqlite3_int64)out->intent);
    int sq = sqlite3_step(v->intent);
    qn_code rc = sq == SQLITE_ROW || sq == SQLITE_DONE ? QN_OK : qn_schema_fail(v->db, sq, v->path, e);
    if (sq == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(v->intent, 1);
        snprintf(out->step, sizeof out->step, "%s", step ? step : "");
        if (sqlite3_column_bytes(v->intent, 2) == 16) memcpy(&out->row, sqlite3_column_blob(v->intent, 2), 16);
        const void *p = sqlite3_column_blob(v->intent, 4);
        size_t n = (size_t)sqlite3_column_bytes(v->intent, 4);
        if (request && n && !qn_body_unpack(v->z, p, n, sqlite3_column_int(v->intent, 3), request))
            rc = qn_fail(e, QN_ELEDGER, "the ledger %s is damaged: a recorded request cannot be unpacked", v->path);
    }
    sqlite3_reset(v->intent);
    return rc;
}

qn_code qn_ledger_view_call(qn_ledger_view *v, qn_hash128 key, qn_ledger_call *out, qn_buf *request, qn_buf *reply, bool *found, qn_err *e)
{
    sqlite3_stmt *st = v->reply;
    *out = (qn_ledger_call){ 0 };
    *found = false;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)key.hi);
    sqlite3_bind_int64(st, 2, (sqlite3_int64)key.lo);
    int sq = sqlite3_step(st);
    qn_code rc = sq == SQLITE_ROW || sq == SQLITE_DONE ? QN_OK : qn_schema_fail(v->db, sq, v->path, e);
    if (sq == SQLITE_ROW) {
        const void *p = sqlite3_column_blob(st, 6);
        size_t n = (size_t)sqlite3_column_bytes(st, 6);
        *found = true;
        *out = (qn_ledger_call){ .intent = (uint64_t)sqlite3_column_int64(st, 0), .epoch = sqlite3_column_int(st, 1),
            .attempts = sqlite3_column_int(st, 2), .prompt_tokens = sqlite3_column_int64(st, 3),
            .completion_tokens = sqlite3_column_int64(st, 4), .cost_usd = sqlite3_column_double(st, 5) };
        if (qn_body_sum(p, n) != (uint32_t)sqlite3_column_int64(st, 8) || (reply && !qn_body_unpack(v->z, p, n, sqlite3_column_int(st, 7), reply)))
            rc = qn_fail(e, QN_ELEDGER, "the ledger %s is damaged: a recorded reply does not match its checksum", v->path);
    }
    sqlite3_reset(st);
    return rc == QN_OK && *found ? view_intent(v, out, request, e) : rc;
}
