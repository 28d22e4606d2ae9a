/* ledger: a queue in front of one writing thread, and a handful of reading connections.
 *
 * Entries are appended to a byte log under a lock (no allocation for each); the writer swaps that log for an empty one, writes all of it in
 * one transaction and acknowledges. While it does, the next group gathers: the slower the disk, the larger the groups.
 *
 *   intent() record() cancel()  ->  filling log  =swap=>  draining log -> BEGIN .. COMMIT -> tail, filter, facts -> ack
 *
 * Keys of new replies wait in memory (the tail) and enter reply_key sorted, with the next mark: measured with an index kept up by SQLite,
 * half of the CPU time went into touching a random page for every reply (58k effects per CPU-second without packing, 130k without an index).
 *
 * A failure of the disk rolls the group back and breaks the ledger for good: every later ack is false. */
#include "ledger/ledger.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/map.h"
#include "core/thread.h"
#include "ledger/body.h"
#include "ledger/lockfile.h"
#include "ledger/schema.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PACK_OVER = 2048, MARK_EVERY_US = 2000000, TAIL_MAX = 1 << 16, LINGER_US = 150, BUSY_GROUP = 16 };
enum { FILTER_BITS = 1 << 24, FILTER_LOAD_MAX = 200000, FILTER_MAX = 2000000 };

typedef enum { INTENT, RECORD, CANCEL, BATCH_NEW, BATCH_UPLOADED, BATCH_STARTED, BATCH_ENDED } entry_kind;
typedef struct waiter { bool done, ok; } waiter;      /* the tag of a batch's entry: somebody waits for the commit */
typedef struct entry {          /* `n` bytes of text or body follow, padded to 8 */
    entry_kind kind;
    int32_t  attempts;
    uint64_t id;
    qn_hash128 key, row;
    double   usd;
    int64_t  prompt_tokens, completion_tokens;
    void    *tag;
    size_t   n_step;    /* of an intent: the first of the bytes name the step, the rest is the request */
    size_t   n;
} entry;

/* Which intents are closed: all up to `base`, and those whose bit is set behind it. */
typedef struct { uint64_t base; uint64_t *words; size_t head, n, cap; } window;

typedef struct { int64_t key_hi, id; } tail_key;

typedef struct reader { sqlite3 *db; sqlite3_stmt *find, *get; ZSTD_DCtx *z; struct reader *next; } reader;

struct qn_ledger {
    char *path;
    qn_lockfile lock_file;

    pthread_mutex_t lock;       /* guards from here to `facts` */
    pthread_cond_t  arrived, committed;
    qn_buf    filling;
    uint64_t  next_batch;
    size_t    n_filling;
    uint64_t  next_id;
    bool      writer_waits, closing, broken;
    char      why[384];
    qn_ledger_facts facts;

    pthread_mutex_t read_lock;  /* guards from here to n_filter */
    reader   *readers;
    qn_map    tail_ids;         /* key -> id of the replies committed since the last mark, which reply_key lacks */
    uint64_t *filter;           /* of key halves recorded, any epoch; NULL: there are too many */
    size_t    n_filter;

    /* the writer's alone */
    qn_thread *writer;
    sqlite3   *db;
    sqlite3_stmt *begin, *commit, *rollback, *put_intent, *put_reply, *put_cancel, *put_key, *put_mark;
    qn_buf     draining, packed;
    void     **tags;
    size_t     n_tags, cap_tags;
    ZSTD_CCtx *z;
    window     closed;
    tail_key  *tail;            /* keys since the last mark */
    size_t     n_tail, cap_tail;
    int64_t    run_id, gen, marked_us;
    uint64_t   n_replies_total;
    sqlite3_stmt *put_batch, *put_item, *set_batch, *lose_batch;
    qn_ledger_batch *batches;   /* as found at open; owned with their texts */
    size_t     n_batches;
    qn_arena   batch_arena;
    qn_ledger_facts now;        /* what facts becomes when the group is committed */
    long       kill_at;         /* test hook; 0 none */
    long       n_commits;
    qn_ledger_ack ack;
    void      *ack_arg;
};

/* ---- which intents are closed ---- */
static void window_close(window *w, uint64_t id)
{
    if (id <= w->base) return;
    size_t at = (size_t)(id - w->base - 1), word = at / 64;
    while (word >= w->n) {
        QN_GROW(w->words, w->head + w->n, w->cap);
        w->words[w->head + w->n++] = 0;
    }
    w->words[w->head + word] |= 1ull << (at % 64);
    while (w->n > 0 && w->words[w->head] == UINT64_MAX) {
        w->head++;
        w->n--;
        w->base += 64;
    }
    if (w->head > 1024 && w->head > w->n) {
        memmove(w->words, w->words + w->head, w->n * sizeof *w->words);
        w->head = 0;
    }
}

static uint64_t window_settled(const window *w)
{
    return w->base + (w->n ? (uint64_t)__builtin_ctzll(~w->words[w->head]) : 0);
}

/* ---- the filter: a key that was never recorded costs no query ---- two bits a key; at 2 M keys 5 in 100 pass for nothing */
static void filter_put(qn_ledger *l, uint64_t key_hi)
{
    if (!l->filter) return;
    if (++l->n_filter > FILTER_MAX) {
        qn_free(l->filter);
        l->filter = NULL;
        return;
    }
    uint32_t a = (uint32_t)key_hi % FILTER_BITS, b = (uint32_t)(key_hi >> 32) % FILTER_BITS;
    l->filter[a / 64] |= 1ull << (a % 64);
    l->filter[b / 64] |= 1ull << (b % 64);
}

static bool filter_may_have(const qn_ledger *l, uint64_t key_hi)
{
    if (!l->filter) return true;
    uint32_t a = (uint32_t)key_hi % FILTER_BITS, b = (uint32_t)(key_hi >> 32) % FILTER_BITS;
    return (l->filter[a / 64] >> (a % 64) & 1) && (l->filter[b / 64] >> (b % 64) & 1);
}

/* ---- the writer ---- */
static void break_ledger(qn_ledger *l, const char *why)
{
    pthread_mutex_lock(&l->lock);
    if (!l->broken) {
        l->broken = true;
        snprintf(l->why, sizeof l->why, "%s", why);
    }
    pthread_mutex_unlock(&l->lock);
}

static int step_once(sqlite3_stmt *st)
{
    sqlite3_step(st);
    return sqlite3_reset(st);       /* SQLITE_OK, or what the step failed with */
}

/* A body is packed when that saves a fifth of it. */
static bool pack(qn_ledger *l, const char *p, size_t n) { return n >= PACK_OVER && qn_body_pack(l->z, p, n, &l->packed); }

static int write_intent(qn_ledger *l, const entry *en, const char *text)
{
    sqlite3_stmt *st = l->put_intent;
    unsigned char row[16];
    size_t n = en->n - en->n_step;
    bool packed = pack(l, text + en->n_step, n);
    memcpy(row, &en->row, 16);
    sqlite3_bind_int64(st, 1, (sqlite3_int64)en->id);
    sqlite3_bind_int64(st, 2, l->run_id);
    sqlite3_bind_int64(st, 3, (sqlite3_int64)en->key.hi);
    sqlite3_bind_int64(st, 4, (sqlite3_int64)en->key.lo);
    sqlite3_bind_text(st, 5, text, (int)en->n_step, SQLITE_STATIC);
    sqlite3_bind_blob(st, 6, row, 16, SQLITE_STATIC);
    sqlite3_bind_double(st, 7, en->usd);
    sqlite3_bind_int(st, 8, packed);
    if (packed) sqlite3_bind_blob64(st, 9, l->packed.p, l->packed.n, SQLITE_STATIC);
    else if (n) sqlite3_bind_blob64(st, 9, text + en->n_step, n, SQLITE_STATIC);
    else sqlite3_bind_null(st, 9);
    return step_once(st);
}

static int write_reply(qn_ledger *l, const entry *en, const char *body)
{
    sqlite3_stmt *st = l->put_reply;
    bool packed = pack(l, body, en->n);
    const char *p = packed ? l->packed.p : body;
    size_t n = packed ? l->packed.n : en->n;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)en->id);
    sqlite3_bind_int64(st, 2, l->now.epoch);
    sqlite3_bind_int64(st, 3, l->gen);
    sqlite3_bind_int64(st, 4, (sqlite3_int64)en->key.hi);
    sqlite3_bind_int64(st, 5, (sqlite3_int64)en->key.lo);
    sqlite3_bind_int64(st, 6, en->prompt_tokens);
    sqlite3_bind_int64(st, 7, en->completion_tokens);
    sqlite3_bind_double(st, 8, en->usd);
    sqlite3_bind_int(st, 9, en->attempts);
    sqlite3_bind_int(st, 10, packed);
    sqlite3_bind_int64(st, 11, qn_body_sum(p, n));
    sqlite3_bind_blob64(st, 12, p, n, SQLITE_STATIC);
    l->now.n_replies++;
    l->n_replies_total++;
    l->now.spent_usd += en->usd;
    window_close(&l->closed, en->id);
    QN_GROW(l->tail, l->n_tail, l->cap_tail);
    l->tail[l->n_tail++] = (tail_key){ (int64_t)en->key.hi, (int64_t)en->id };
    return step_once(st);
}

static int write_cancel(qn_ledger *l, const entry *en)
{
    sqlite3_bind_int64(l->put_cancel, 1, (sqlite3_int64)en->id);
    window_close(&l->closed, en->id);
    return step_once(l->put_cancel);
}

/* ---- batches ---- states: 1 new, 2 uploaded, 3 started, 4 ended */
static int write_batch_new(qn_ledger *l, const entry *en, const char *text)
{
    sqlite3_bind_int64(l->put_batch, 1, (sqlite3_int64)en->id);
    sqlite3_bind_int64(l->put_batch, 2, l->now.epoch);
    sqlite3_bind_text(l->put_batch, 3, text, (int)en->n_step, SQLITE_STATIC);
    sqlite3_bind_int64(l->put_batch, 4, qn_wall_ms());
    int rc = step_once(l->put_batch);
    for (size_t at = en->n_step; at < en->n && rc == SQLITE_OK; at += 8) {
        uint64_t intent;
        memcpy(&intent, text + at, 8);
        sqlite3_bind_int64(l->put_item, 1, (sqlite3_int64)intent);
        sqlite3_bind_int64(l->put_item, 2, (sqlite3_int64)en->id);
        rc = step_once(l->put_item);
    }
    return rc;
}

static int write_batch_state(qn_ledger *l, const entry *en, const char *text)
{
    bool ended = en->kind == BATCH_ENDED;
    sqlite3_bind_int64(l->set_batch, 1, (sqlite3_int64)en->id);
    sqlite3_bind_int(l->set_batch, 2, en->kind - BATCH_NEW + 1);
    if (en->kind == BATCH_UPLOADED) sqlite3_bind_text(l->set_batch, 3, text, (int)en->n, SQLITE_STATIC); else sqlite3_bind_null(l->set_batch, 3);
    if (en->kind == BATCH_STARTED) sqlite3_bind_text(l->set_batch, 4, text, (int)en->n, SQLITE_STATIC); else sqlite3_bind_null(l->set_batch, 4);
    if (ended) sqlite3_bind_int64(l->set_batch, 5, qn_wall_ms()); else sqlite3_bind_null(l->set_batch, 5);
    int rc = step_once(l->set_batch);
    if (rc != SQLITE_OK || !ended || en->n == 0) return rc;
    sqlite3_bind_int64(l->lose_batch, 1, (sqlite3_int64)en->id);
    return step_once(l->lose_batch);
}

static int tail_order(const void *a, const void *b)
{
    const tail_key *x = a, *y = b;
    if (x->key_hi != y->key_hi) return x->key_hi < y->key_hi ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int write_tail(qn_ledger *l)
{
    int rc = SQLITE_OK;
    if (l->n_tail) qsort(l->tail, l->n_tail, sizeof *l->tail, tail_order);
    for (size_t i = 0; i < l->n_tail && rc == SQLITE_OK; i++) {
        sqlite3_bind_int64(l->put_key, 1, l->tail[i].key_hi);
        sqlite3_bind_int64(l->put_key, 2, l->tail[i].id);
        rc = step_once(l->put_key);
    }
    return rc;
}

/* Sets n_tail to 0: group_done forgets tail_ids once this is committed. */
static int write_mark(qn_ledger *l)
{
    int rc = write_tail(l);
    if (rc != SQLITE_OK) return rc;
    l->n_tail = 0;
    sqlite3_bind_int64(l->put_mark, 1, (sqlite3_int64)window_settled(&l->closed));
    sqlite3_bind_int64(l->put_mark, 2, l->gen++);
    sqlite3_bind_int64(l->put_mark, 3, l->now.epoch);
    sqlite3_bind_int64(l->put_mark, 4, (sqlite3_int64)l->now.n_replies);
    sqlite3_bind_double(l->put_mark, 5, l->now.spent_usd);
    l->marked_us = qn_now_us();
    return step_once(l->put_mark);
}

static int commit(qn_ledger *l)
{
    if (l->kill_at && l->n_commits + 1 == -l->kill_at) kill(getpid(), SIGKILL);
    int rc = step_once(l->commit);
    if (rc == SQLITE_OK && l->kill_at && ++l->n_commits == l->kill_at) kill(getpid(), SIGKILL);
    return rc;
}

static const entry *entry_at(const qn_buf *b, size_t at) { return (const entry *)(const void *)(b->p + at); }
static size_t entry_bytes(const entry *en) { return sizeof *en + ((en->n + 7) & ~(size_t)7); }

/* Bytes [from, to) of the draining log in one transaction. */
static int write_group(qn_ledger *l, size_t from, size_t to)
{
    int rc = step_once(l->begin);
    for (size_t at = from; at < to && rc == SQLITE_OK; at += entry_bytes(entry_at(&l->draining, at))) {
        const entry *en = entry_at(&l->draining, at);
        const char *bytes = (const char *)(en + 1);
        switch (en->kind) {
        case INTENT: rc = write_intent(l, en, bytes); break;
        case RECORD: rc = write_reply(l, en, bytes); break;
        case CANCEL: rc = write_cancel(l, en); break;
        case BATCH_NEW: rc = write_batch_new(l, en, bytes); break;
        default: rc = write_batch_state(l, en, bytes); break;
        }
    }
    if (rc == SQLITE_OK && (l->n_tail >= TAIL_MAX || qn_now_us() - l->marked_us > MARK_EVERY_US)) rc = write_mark(l);
    if (rc == SQLITE_OK) rc = commit(l);
    if (rc == SQLITE_OK) return rc;
    qn_err e = {0};
    qn_schema_fail(l->db, rc, l->path, &e);
    break_ledger(l, e.msg);
    qn_log(QN_ERROR, "ledger", "%s", e.msg);
    step_once(l->rollback);
    return rc;
}

static void tail_put(qn_ledger *l, qn_hash128 key, uint64_t id)
{
    bool first;
    uint64_t *at = qn_map_put(&l->tail_ids, key, &first);
    if (first || id < *at) *at = id;
}

static void wake(qn_ledger *l, waiter *w, bool ok)
{
    pthread_mutex_lock(&l->lock);
    w->ok = ok;
    w->done = true;
    pthread_cond_broadcast(&l->committed);
    pthread_mutex_unlock(&l->lock);
}

static void group_done(qn_ledger *l, size_t from, size_t to, bool ok)
{
    l->n_tags = 0;
    if (ok) pthread_mutex_lock(&l->read_lock);
    bool marked = l->n_tail == 0;
    if (ok && marked) qn_map_free(&l->tail_ids);
    for (size_t at = from; at < to; at += entry_bytes(entry_at(&l->draining, at))) {
        const entry *en = entry_at(&l->draining, at);
        if (ok && en->kind == RECORD) filter_put(l, en->key.hi);
        if (ok && en->kind == RECORD && !marked) tail_put(l, en->key, en->id);
        if (en->kind > CANCEL) { wake(l, en->tag, ok); continue; }
        if (en->kind == CANCEL) continue;
        QN_GROW(l->tags, l->n_tags, l->cap_tags);
        l->tags[l->n_tags++] = en->tag;
    }
    if (ok) pthread_mutex_unlock(&l->read_lock);
    pthread_mutex_lock(&l->lock);
    if (ok) l->facts = l->now;
    ok = ok && !l->broken;      /* a reader may have found damage */
    pthread_mutex_unlock(&l->lock);
    if (l->ack && l->n_tags) l->ack(l->ack_arg, l->tags, l->n_tags, ok, ok ? NULL : l->why);
}

static void drain(qn_ledger *l, bool broken)
{
    size_t end = l->draining.n;
    for (size_t from = 0, to; from < end; from = to) {
        to = l->kill_at ? from + entry_bytes(entry_at(&l->draining, from)) : end;
        broken = broken || write_group(l, from, to) != SQLITE_OK;
        group_done(l, from, to, !broken);
    }
    qn_buf_clear(&l->draining);
    if (l->draining.cap > (8u << 20)) qn_buf_free(&l->draining);     /* after a burst */
}

static void writer_main(void *p)
{
    qn_ledger *l = p;
    size_t last = 0;
    for (;;) {
        pthread_mutex_lock(&l->lock);
        while (!l->n_filling && !l->closing) {
            l->writer_waits = true;
            pthread_cond_wait(&l->arrived, &l->lock);
            l->writer_waits = false;
        }
        if (last >= BUSY_GROUP && l->n_filling < last && !l->closing) {  /* many in flight: a moment more makes a fuller group */
            pthread_mutex_unlock(&l->lock);
            qn_sleep_us(LINGER_US);
            pthread_mutex_lock(&l->lock);
        }
        if (!l->n_filling) { pthread_mutex_unlock(&l->lock); return; }
        qn_buf full = l->filling;
        l->filling = l->draining;
        l->draining = full;
        last = l->n_filling;
        l->n_filling = 0;
        bool broken = l->broken;
        pthread_mutex_unlock(&l->lock);
        drain(l, broken);
    }
}

/* ---- handing in ---- */
static void append(qn_ledger *l, const entry *en, const char *head, size_t n_head, const char *rest)    /* under the lock */
{
    static const char zeros[8];
    QN_ASSERT(!l->closing);
    qn_buf_reserve(&l->filling, entry_bytes(en));
    qn_buf_put(&l->filling, en, sizeof *en);
    qn_buf_put(&l->filling, head, n_head);
    qn_buf_put(&l->filling, rest, en->n - n_head);
    qn_buf_put(&l->filling, zeros, entry_bytes(en) - sizeof *en - en->n);
    l->n_filling++;
    if (l->writer_waits) pthread_cond_signal(&l->arrived);
}

uint64_t qn_ledger_intent(qn_ledger *l, const qn_intent *it, void *tag)
{
    size_t n_step = it->step ? strlen(it->step) : 0;
    entry en = { .kind = INTENT, .key = it->key, .row = it->row, .usd = it->worst_usd, .tag = tag, .n_step = n_step,
                 .n = n_step + it->request.n };
    pthread_mutex_lock(&l->lock);
    en.id = l->next_id++;
    if (it->number) *it->number = en.id;
    append(l, &en, it->step, n_step, it->request.p);
    pthread_mutex_unlock(&l->lock);
    return en.id;
}

void qn_ledger_record(qn_ledger *l, const qn_record *r, void *tag)
{
    entry en = { .kind = RECORD, .id = r->intent, .key = r->key, .usd = r->cost_usd, .prompt_tokens = r->prompt_tokens,
                 .completion_tokens = r->completion_tokens, .attempts = r->attempts, .tag = tag, .n = r->body.n };
    pthread_mutex_lock(&l->lock);
    if (!en.id) en.id = l->next_id++;
    append(l, &en, r->body.p, en.n, NULL);
    pthread_mutex_unlock(&l->lock);
}

void qn_ledger_cancel(qn_ledger *l, uint64_t intent)
{
    entry en = { .kind = CANCEL, .id = intent };
    pthread_mutex_lock(&l->lock);
    append(l, &en, NULL, 0, NULL);
    pthread_mutex_unlock(&l->lock);
}

/* Hands in an entry and waits until it is committed. */
static bool and_wait(qn_ledger *l, entry *en, const char *head, size_t n_head, const char *rest)
{
    waiter w = {0};
    en->tag = &w;
    pthread_mutex_lock(&l->lock);
    if (!en->id) en->id = l->next_batch++;
    append(l, en, head, n_head, rest);
    while (!w.done) pthread_cond_wait(&l->committed, &l->lock);
    pthread_mutex_unlock(&l->lock);
    return w.ok;
}

bool qn_ledger_batch_new(qn_ledger *l, const char *model, const uint64_t *intents, size_t n, uint64_t *id)
{
    entry en = { .kind = BATCH_NEW, .n_step = strlen(model), .n = strlen(model) + n * 8 };
    bool ok = and_wait(l, &en, model, en.n_step, (const char *)intents);
    *id = en.id;
    return ok;
}

static bool batch_state(qn_ledger *l, entry_kind kind, uint64_t id, const char *text)
{
    entry en = { .kind = kind, .id = id, .n = strlen(text) };
    return and_wait(l, &en, text, en.n, NULL);
}

bool qn_ledger_batch_uploaded(qn_ledger *l, uint64_t id, const char *file) { return batch_state(l, BATCH_UPLOADED, id, file); }
bool qn_ledger_batch_started(qn_ledger *l, uint64_t id, const char *remote) { return batch_state(l, BATCH_STARTED, id, remote); }
bool qn_ledger_batch_ended(qn_ledger *l, uint64_t id, bool gone) { return batch_state(l, BATCH_ENDED, id, gone ? "gone" : ""); }

const qn_ledger_batch *qn_ledger_batches(const qn_ledger *l, size_t *n)
{
    *n = l->n_batches;
    return l->batches;
}

void qn_ledger_on_ack(qn_ledger *l, qn_ledger_ack fn, void *arg)
{
    l->ack = fn;
    l->ack_arg = arg;
}

void qn_ledger_facts_get(qn_ledger *l, qn_ledger_facts *out)
{
    pthread_mutex_lock(&l->lock);
    *out = l->facts;
    pthread_mutex_unlock(&l->lock);
}

/* ---- finding ---- first among the keys that wait in memory, then in the file: the writer puts them there before it forgets them here */
#define COLUMNS "body, packing, sum, prompt_tokens, completion_tokens, cost_usd"
static const char GET[] = "SELECT " COLUMNS " FROM reply WHERE id = ?1";
static const char FIND[] = "SELECT " COLUMNS " FROM reply_key k JOIN reply r ON r.id = k.id"
                           " WHERE k.key_hi = ?1 AND r.key_lo = ?2 AND r.epoch = ?3 ORDER BY k.id LIMIT 1";

static void reader_free(reader *r)
{
    sqlite3_finalize(r->find);
    sqlite3_finalize(r->get);
    sqlite3_close(r->db);
    ZSTD_freeDCtx(r->z);
    qn_free(r);
}

static reader *reader_new(qn_ledger *l, qn_err *e)
{
    reader *r = QN_NEW(reader);
    if (qn_schema_open_read(&r->db, l->path, e) != QN_OK) { qn_free(r); return NULL; }
    int rc = sqlite3_prepare_v3(r->db, FIND, -1, SQLITE_PREPARE_PERSISTENT, &r->find, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_prepare_v3(r->db, GET, -1, SQLITE_PREPARE_PERSISTENT, &r->get, NULL);
    if (rc != SQLITE_OK) {
        qn_schema_fail(r->db, rc, l->path, e);
        reader_free(r);
        return NULL;
    }
    r->z = ZSTD_createDCtx();
    return r;
}

/* *id: number of the reply when it waits in memory, else 0. *absent: there is none, and no reader is needed. */
static reader *reader_take(qn_ledger *l, qn_hash128 key, uint64_t *id, bool *absent, qn_err *e)
{
    pthread_mutex_lock(&l->read_lock);
    const uint64_t *at = qn_map_get(&l->tail_ids, key);
    *id = at ? *at : 0;
    *absent = !at && !filter_may_have(l, key.hi);
    reader *r = *absent ? NULL : l->readers;
    if (r) l->readers = r->next;
    pthread_mutex_unlock(&l->read_lock);
    return r || *absent ? r : reader_new(l, e);
}

static void reader_give(qn_ledger *l, reader *r)
{
    pthread_mutex_lock(&l->read_lock);
    r->next = l->readers;
    l->readers = r;
    pthread_mutex_unlock(&l->read_lock);
}

static qn_code unpack(reader *r, sqlite3_stmt *st, const char *path, qn_buf *body, qn_err *e)
{
    const void *p = sqlite3_column_blob(st, 0);
    size_t n = (size_t)sqlite3_column_bytes(st, 0);
    if (qn_body_sum(p, n) == (uint32_t)sqlite3_column_int64(st, 2) && qn_body_unpack(r->z, p, n, sqlite3_column_int(st, 1), body)) return QN_OK;
    return qn_fail(e, QN_ELEDGER, "the ledger %s is damaged: a recorded reply does not match its checksum", path);
}

typedef struct { int64_t prompt_tokens, completion_tokens; double usd; bool found; } answer;

static qn_code find_with(qn_ledger *l, reader *r, qn_hash128 key, uint64_t id, qn_buf *body, answer *f, qn_err *e)
{
    sqlite3_stmt *st = id ? r->get : r->find;
    if (id) {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
    } else {
        sqlite3_bind_int64(st, 1, (sqlite3_int64)key.hi);
        sqlite3_bind_int64(st, 2, (sqlite3_int64)key.lo);
        sqlite3_bind_int64(st, 3, l->now.epoch);        /* set at open, constant after */
    }
    int sq = sqlite3_step(st);
    qn_code rc = sq == SQLITE_ROW || sq == SQLITE_DONE ? QN_OK : qn_schema_fail(r->db, sq, l->path, e);
    f->found = sq == SQLITE_ROW;
    if (f->found) {
        f->prompt_tokens = sqlite3_column_int64(st, 3);
        f->completion_tokens = sqlite3_column_int64(st, 4);
        f->usd = sqlite3_column_double(st, 5);
        rc = unpack(r, st, l->path, body, e);
    }
    sqlite3_reset(st);
    return rc;
}

bool qn_ledger_find(qn_ledger *l, qn_hash128 key, qn_buf *body, int64_t *pt, int64_t *ct, double *usd)
{
    qn_err e = {0};
    answer f = {0};
    bool absent;
    uint64_t id;
    reader *r = reader_take(l, key, &id, &absent, &e);
    if (absent) return false;
    qn_code rc = r ? find_with(l, r, key, id, body, &f, &e) : QN_ELEDGER;
    if (r) reader_give(l, r);
    if (rc != QN_OK) {
        qn_log(QN_ERROR, "ledger", "%s", e.msg);
        break_ledger(l, e.msg);
        return false;
    }
    if (pt && f.found) *pt = f.prompt_tokens;
    if (ct && f.found) *ct = f.completion_tokens;
    if (usd && f.found) *usd = f.usd;
    return f.found;
}

size_t qn_ledger_lost_list(qn_ledger *l, qn_ledger_lost *out, size_t max)
{
    static const char sql[] =
        "SELECT i.id, i.key_hi, i.key_lo, i.step, i.row, i.worst_usd FROM lost JOIN intent i USING(id) WHERE lost.epoch = ?1 AND NOT EXISTS"
        " (SELECT 1 FROM reply_key k JOIN reply r ON r.id = k.id WHERE k.key_hi = i.key_hi AND r.key_lo = i.key_lo AND r.epoch = ?1)"
        " ORDER BY i.id";
    qn_err e = {0};
    sqlite3 *db;
    sqlite3_stmt *st;
    size_t n = 0;
    if (qn_schema_open_read(&db, l->path, &e) != QN_OK) return 0;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(st, 1, l->now.epoch);
        for (; sqlite3_step(st) == SQLITE_ROW; n++) {
            if (n >= max) continue;
            const char *step = (const char *)sqlite3_column_text(st, 3);
            out[n] = (qn_ledger_lost){ .intent = (uint64_t)sqlite3_column_int64(st, 0), .worst_usd = sqlite3_column_double(st, 5),
                .key = { (uint64_t)sqlite3_column_int64(st, 1), (uint64_t)sqlite3_column_int64(st, 2) } };
            snprintf(out[n].step, sizeof out[n].step, "%s", step ? step : "");
            if (sqlite3_column_bytes(st, 4) == 16) memcpy(&out[n].row, sqlite3_column_blob(st, 4), 16);
        }
        sqlite3_finalize(st);
    }
    sqlite3_close(db);
    return n;
}

/* ---- opening ---- */
typedef struct { const char *sql; int64_t args[4]; int n_args; int64_t i[6]; double d[6]; } ask;

/* One row of up to 6 columns into i[] and d[]; zeros when there is no row. */
static int ask_row(sqlite3 *db, ask *q)
{
    sqlite3_stmt *st;
    int rc = sqlite3_prepare_v2(db, q->sql, -1, &st, NULL);
    if (rc != SQLITE_OK) return rc;
    for (int k = 0; k < q->n_args; k++) sqlite3_bind_int64(st, k + 1, q->args[k]);
    rc = sqlite3_step(st);
    for (int k = 0; rc == SQLITE_ROW && k < sqlite3_column_count(st) && k < 6; k++) {
        q->i[k] = sqlite3_column_int64(st, k);
        q->d[k] = sqlite3_column_double(st, k);
    }
    int end = sqlite3_finalize(st);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : end;
}

/* What happened behind the mark: replies to count, and intents without an end, which become `lost`. */
static int catch_up(qn_ledger *l)
{
    ask mark = { .sql = "SELECT settled, gen, epoch, n_replies, spent_usd FROM mark" };
    ask ids = { .sql = "SELECT max(ifnull((SELECT max(id) FROM intent), 0), ifnull((SELECT max(id) FROM reply), 0))" };
    int rc = ask_row(l->db, &mark);
    if (rc == SQLITE_OK) rc = ask_row(l->db, &ids);
    if (rc != SQLITE_OK) return rc;
    int64_t settled = mark.i[0], gen = mark.i[1], epoch = mark.i[2];
    ask later = { .sql = "SELECT sum(epoch = ?3), sum(cost_usd), max(gen) FROM reply WHERE id > ?1 AND gen > ?2",
                  .args = { settled, gen, epoch }, .n_args = 3 };
    ask never = { .sql = "INSERT OR IGNORE INTO cancel SELECT intent FROM batch_item JOIN batch ON batch.id = batch WHERE state = 1" };
    ask never_left = { .sql = "UPDATE batch SET state = 4 WHERE state = 1" };
    ask lose = { .sql = "INSERT OR IGNORE INTO lost SELECT i.id, run.epoch FROM intent i JOIN run ON run.id = i.run WHERE i.id > ?1 AND NOT EXISTS"
                        " (SELECT 1 FROM reply WHERE reply.id = i.id) AND NOT EXISTS (SELECT 1 FROM cancel WHERE cancel.id = i.id) AND NOT EXISTS"
                        " (SELECT 1 FROM batch_item JOIN batch ON batch.id = batch WHERE intent = i.id AND state < 4)",
                 .args = { settled }, .n_args = 1 };
    ask index = { .sql = "INSERT INTO reply_key SELECT key_hi, id FROM reply WHERE id > ?1 AND gen > ?2 ORDER BY key_hi, id",
                  .args = { settled, gen }, .n_args = 2 };
    rc = ask_row(l->db, &later);
    if (rc == SQLITE_OK) rc = ask_row(l->db, &index);
    if (rc == SQLITE_OK) rc = ask_row(l->db, &never);
    if (rc == SQLITE_OK) rc = ask_row(l->db, &never_left);
    if (rc == SQLITE_OK) rc = ask_row(l->db, &lose);
    l->now.epoch = (int)epoch;
    l->now.n_replies = (uint64_t)(mark.i[3] + later.i[0]);
    l->now.spent_usd = mark.d[4] + later.d[1];
    l->gen = (gen > later.i[2] ? gen : later.i[2]) + 1;
    l->next_id = (uint64_t)ids.i[0] + 1;
    l->closed.base = (uint64_t)ids.i[0];
    return rc;
}

/* Items of batches that have not ended: their intents stay open. Every other intent up to the last is closed. */
#define OPEN_ITEMS " FROM batch_item JOIN batch ON batch.id = batch JOIN intent ON intent.id = batch_item.intent WHERE state IN (2, 3)" \
                   " AND NOT EXISTS (SELECT 1 FROM reply WHERE reply.id = batch_item.intent) AND NOT EXISTS (SELECT 1 FROM cancel WHERE cancel.id = batch_item.intent)"

static int keep_open(qn_ledger *l)
{
    sqlite3_stmt *st;
    uint64_t last = l->closed.base, next = 0;
    int rc = sqlite3_prepare_v2(l->db, "SELECT batch_item.intent, worst_usd" OPEN_ITEMS " ORDER BY 1", -1, &st, NULL);
    if (rc != SQLITE_OK) return rc;
    while (sqlite3_step(st) == SQLITE_ROW) {
        uint64_t id = (uint64_t)sqlite3_column_int64(st, 0);
        if (!next) l->closed.base = (next = id) - 1;
        for (; next < id; next++) window_close(&l->closed, next);
        next++;
        l->now.in_batches_usd += sqlite3_column_double(st, 1);
    }
    for (; next && next <= last; next++) window_close(&l->closed, next);
    return sqlite3_finalize(st);
}

static int load_items(qn_ledger *l, qn_ledger_batch *b)
{
    sqlite3_stmt *st;
    qn_ledger_item *items = NULL;
    size_t cap = 0;
    int rc = sqlite3_prepare_v2(l->db, "SELECT batch_item.intent, worst_usd, key_hi, key_lo" OPEN_ITEMS " AND batch = ?1 ORDER BY 1", -1, &st, NULL);
    if (rc != SQLITE_OK) return rc;
    sqlite3_bind_int64(st, 1, (sqlite3_int64)b->id);
    while (sqlite3_step(st) == SQLITE_ROW) {
        QN_GROW(items, b->n_items, cap);
        items[b->n_items++] = (qn_ledger_item){ .intent = (uint64_t)sqlite3_column_int64(st, 0), .worst_usd = sqlite3_column_double(st, 1),
            .key = { (uint64_t)sqlite3_column_int64(st, 2), (uint64_t)sqlite3_column_int64(st, 3) } };
    }
    b->items = items;
    l->now.in_batches += b->n_items;
    return sqlite3_finalize(st);
}

static const char *column_z(qn_arena *a, sqlite3_stmt *st, int k)
{
    const char *text = (const char *)sqlite3_column_text(st, k);
    return qn_arena_str(a, qn_str_of(text ? text : "")).p;
}

static int load_batches(qn_ledger *l)
{
    sqlite3_stmt *st;
    size_t cap = 0;
    ask last = { .sql = "SELECT ifnull(max(id), 0) FROM batch" };
    int rc = ask_row(l->db, &last);
    if (rc != SQLITE_OK) return rc;
    l->next_batch = (uint64_t)last.i[0] + 1;
    rc = sqlite3_prepare_v2(l->db, "SELECT id, state, file, remote FROM batch WHERE state IN (2, 3) AND epoch = ?1 ORDER BY id", -1, &st, NULL);
    if (rc != SQLITE_OK) return rc;
    sqlite3_bind_int64(st, 1, l->now.epoch);
    while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
        QN_GROW(l->batches, l->n_batches, cap);
        qn_ledger_batch *b = &l->batches[l->n_batches++];
        *b = (qn_ledger_batch){ .id = (uint64_t)sqlite3_column_int64(st, 0), .started = sqlite3_column_int(st, 1) == 3,
                                .file = column_z(&l->batch_arena, st, 2), .remote = column_z(&l->batch_arena, st, 3) };
        rc = load_items(l, b);
    }
    int end = sqlite3_finalize(st);
    return rc == SQLITE_OK ? end : rc;
}

static int enter_run(qn_ledger *l, const qn_ledger_open_opts *o)
{
    ask last = { .sql = "SELECT ifnull(max(epoch), 0), ifnull(max(id), 0) FROM run" };
    int rc = ask_row(l->db, &last);
    if (rc != SQLITE_OK) return rc;
    bool first = last.i[1] == 0;
    if (!first && o->fresh) { l->now.epoch = (int)last.i[0] + 1; l->now.n_replies = 0; }
    l->now.resumed = !first && !o->fresh;
    l->run_id = last.i[1] + 1;
    ask lost = { .sql = "SELECT count(*) FROM lost JOIN intent i USING(id) WHERE lost.epoch = ?1 AND NOT EXISTS (SELECT 1 FROM"
                        " reply_key k JOIN reply r ON r.id = k.id WHERE k.key_hi = i.key_hi AND r.key_lo = i.key_lo AND r.epoch = ?1)",
                  .args = { l->now.epoch }, .n_args = 1 };
    ask worst = { .sql = "SELECT ifnull(sum(worst_usd), 0.0) FROM lost JOIN intent USING(id)" };
    ask total = { .sql = "SELECT ifnull(max(rowid), 0) FROM reply" };
    if ((rc = ask_row(l->db, &lost)) != SQLITE_OK || (rc = ask_row(l->db, &worst)) != SQLITE_OK || (rc = ask_row(l->db, &total)) != SQLITE_OK)
        return rc;
    l->now.interrupted_in_flight = (uint64_t)lost.i[0];
    l->now.interrupted_worst_usd = worst.d[0];
    l->n_replies_total = (uint64_t)total.i[0];      /* an upper bound is enough: it decides whether to load the filter */
    sqlite3_stmt *st;
    rc = sqlite3_prepare_v2(l->db, "INSERT INTO run VALUES(?1, ?2, ?3, NULL, ?4, ?5, ?6)", -1, &st, NULL);
    if (rc != SQLITE_OK) return rc;
    sqlite3_bind_int64(st, 1, l->run_id);
    sqlite3_bind_int64(st, 2, l->now.epoch);
    sqlite3_bind_int64(st, 3, qn_wall_ms());
    sqlite3_bind_int64(st, 4, getpid());
    sqlite3_bind_text(st, 5, o->recipe, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 6, o->run_json, -1, SQLITE_STATIC);
    sqlite3_step(st);
    return sqlite3_finalize(st);
}

static int prepare_all(qn_ledger *l)
{
    const struct { sqlite3_stmt **st; const char *sql; } all[] = {
        { &l->begin, "BEGIN IMMEDIATE" }, { &l->commit, "COMMIT" }, { &l->rollback, "ROLLBACK" },
        { &l->put_intent, "INSERT INTO intent VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)" },
        { &l->put_reply, "INSERT INTO reply VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)" },
        { &l->put_cancel, "INSERT OR IGNORE INTO cancel VALUES(?1)" },
        { &l->put_key, "INSERT INTO reply_key VALUES(?1, ?2)" },
        { &l->put_batch, "INSERT INTO batch VALUES(?1, ?2, ?3, 1, NULL, NULL, ?4, NULL)" },
        { &l->put_item, "INSERT OR REPLACE INTO batch_item VALUES(?1, ?2)" },
        { &l->set_batch, "UPDATE batch SET state = ?2, file = ifnull(?3, file), remote = ifnull(?4, remote), ended_ms = ?5 WHERE id = ?1" },
        { &l->lose_batch, "INSERT OR IGNORE INTO lost SELECT intent, epoch FROM batch_item JOIN batch ON batch.id = batch WHERE batch = ?1 AND NOT EXISTS"
                          " (SELECT 1 FROM reply WHERE reply.id = intent) AND NOT EXISTS (SELECT 1 FROM cancel WHERE cancel.id = intent)" },
        { &l->put_mark, "UPDATE mark SET settled = ?1, gen = ?2, epoch = ?3, n_replies = ?4, spent_usd = ?5" },
    };
    int rc = SQLITE_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && rc == SQLITE_OK; i++)
        rc = sqlite3_prepare_v3(l->db, all[i].sql, -1, SQLITE_PREPARE_PERSISTENT, all[i].st, NULL);
    return rc;
}

static int load_filter(qn_ledger *l)
{
    if (l->n_replies_total > FILTER_LOAD_MAX) return SQLITE_OK;
    l->filter = QN_NEW_N(uint64_t, FILTER_BITS / 64);
    sqlite3_stmt *st;
    int rc = sqlite3_prepare_v2(l->db, "SELECT key_hi FROM reply_key", -1, &st, NULL);
    if (rc != SQLITE_OK) return rc;
    while (sqlite3_step(st) == SQLITE_ROW) filter_put(l, (uint64_t)sqlite3_column_int64(st, 0));
    return sqlite3_finalize(st);
}

static int begin_run(qn_ledger *l, const qn_ledger_open_opts *o)
{
    int rc = prepare_all(l);
    if (rc == SQLITE_OK) rc = step_once(l->begin);
    if (rc == SQLITE_OK) rc = catch_up(l);
    if (rc == SQLITE_OK) rc = enter_run(l, o);
    if (rc == SQLITE_OK) rc = keep_open(l);
    if (rc == SQLITE_OK) rc = load_batches(l);
    if (rc == SQLITE_OK) rc = write_mark(l);
    if (rc == SQLITE_OK) rc = commit(l);
    if (rc == SQLITE_OK) rc = load_filter(l);
    return rc;
}

/* Ends what is open, in an order that lets SQLite fold the WAL back into the file. */
static void ledger_free(qn_ledger *l)
{
    for (reader *r = l->readers, *next; r; r = next) { next = r->next; reader_free(r); }
    sqlite3_stmt *all[] = { l->begin, l->commit, l->rollback, l->put_intent, l->put_reply, l->put_cancel, l->put_key,
                            l->put_mark, l->put_batch, l->put_item, l->set_batch, l->lose_batch };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) sqlite3_finalize(all[i]);
    sqlite3_close(l->db);
    qn_lockfile_release(&l->lock_file);
    ZSTD_freeCCtx(l->z);
    qn_buf_free(&l->filling);
    qn_buf_free(&l->draining);
    qn_buf_free(&l->packed);
    qn_map_free(&l->tail_ids);
    qn_free(l->tail);
    qn_free(l->tags);
    qn_free(l->closed.words);
    qn_free(l->filter);
    for (size_t i = 0; i < l->n_batches; i++) qn_free((void *)(uintptr_t)l->batches[i].items);
    qn_free(l->batches);
    qn_arena_free(&l->batch_arena);
    pthread_mutex_destroy(&l->lock);
    pthread_mutex_destroy(&l->read_lock);
    pthread_cond_destroy(&l->arrived);
    pthread_cond_destroy(&l->committed);
    qn_free(l->path);
    qn_free(l);
}

static qn_code take_lock(qn_ledger *l, qn_err *e)
{
    qn_buf path = {0}, what = {0};
    qn_buf_printf(&path, "%s.lock", l->path);
    qn_buf_printf(&what, "the ledger %s", l->path);
    qn_code rc = qn_lockfile_take(&l->lock_file, path.p, what.p, e);
    qn_buf_free(&path);
    qn_buf_free(&what);
    return rc;
}

qn_code qn_ledger_open(qn_ledger **out, const char *path, const qn_ledger_open_opts *opts, qn_err *e)
{
    static const qn_ledger_open_opts none;
    if (qn_is_dir(path)) return qn_fail(e, QN_ELEDGER, "the ledger %s is a folder, a file is needed", path);
    qn_ledger *l = QN_NEW(qn_ledger);
    const char *kill_at = getenv("QUERN_TEST_KILL_AT_COMMIT");
    l->kill_at = kill_at ? strtol(kill_at, NULL, 10) : 0;
    l->path = qn_strz(qn_str_of(path));
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->read_lock, NULL);
    pthread_cond_init(&l->arrived, NULL);
    pthread_cond_init(&l->committed, NULL);
    l->z = ZSTD_createCCtx();
    qn_code rc = take_lock(l, e);
    if (rc == QN_OK) rc = qn_schema_open(&l->db, path, e);
    if (rc == QN_OK) {
        int sq = begin_run(l, opts ? opts : &none);
        if (sq != SQLITE_OK) rc = qn_schema_fail(l->db, sq, path, e);
    }
    if (rc != QN_OK) { ledger_free(l); return rc; }
    l->facts = l->now;
    l->writer = qn_thread_start("ledger", writer_main, l);
    *out = l;
    return QN_OK;
}

static int end_run(qn_ledger *l)
{
    ask ended = { .sql = "UPDATE run SET ended_ms = ?2 WHERE id = ?1", .args = { l->run_id, qn_wall_ms() }, .n_args = 2 };
    int rc = step_once(l->begin);
    if (rc == SQLITE_OK) rc = ask_row(l->db, &ended);
    if (rc == SQLITE_OK) rc = write_mark(l);
    if (rc == SQLITE_OK) rc = commit(l);
    if (rc != SQLITE_OK) step_once(l->rollback);
    return rc;
}

qn_code qn_ledger_close(qn_ledger *l, qn_err *e)
{
    pthread_mutex_lock(&l->lock);
    l->closing = true;
    pthread_cond_signal(&l->arrived);
    pthread_mutex_unlock(&l->lock);
    qn_thread_join(l->writer);
    qn_code rc = l->broken ? qn_fail(e, QN_ELEDGER, "%s", l->why) : QN_OK;
    if (rc == QN_OK) {
        int sq = end_run(l);
        if (sq != SQLITE_OK) rc = qn_schema_fail(l->db, sq, l->path, e);
    }
    ledger_free(l);
    return rc;
}
