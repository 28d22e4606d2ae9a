/* batch: the batcher's thread. See batch.h. */
#include "model/batch.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/map.h"
#include "core/queue.h"
#include "core/thread.h"
#include "model/batch_http.h"
#include "model/batch_lines.h"
#include "model/http.h"
#include "model/openai.h"
#include "model/pace.h"
#include <stdio.h>
#include <stdlib.h>

enum { MAX_TRIES = 3, FIRST_POLL_MS = 1000, LIST_PAGES = 50, TICK_US = 100000, WORDS = 700 };

/* A call inside; lives in the call's arena. */
typedef struct parcel { qn_call *call; qn_hash128 key; int tries; struct parcel *next; } parcel;

/* Requests of one endpoint, model and kind: what one file may hold. */
typedef struct lane {
    const qn_model *model;
    qn_ask_kind kind;
    unsigned quirks;
    parcel  *first, **last;     /* gathered */
    size_t   n, n_active;       /* gathered; batches under way */
    size_t   max_requests;
    bool     waits;             /* the endpoint has no room for more before one of ours ends */
    char     dead[400];         /* a failure that no waiting cures; "" none */
    struct lane *next;
} lane;

typedef struct item { qn_hash128 key; uint64_t intent; parcel *parcel; bool settled; } item;    /* parcel NULL: nobody asked for it yet */

typedef struct batch {
    uint64_t id;
    char     file[128], remote[128];
    lane    *lane;              /* NULL: of an earlier run, and nobody asked for it yet */
    item    *items;
    size_t   n_items;
    qn_map   by_key;            /* key -> 1 + index */
    bool     old;
    bool     company;           /* others of the lane were under way when it was made */
    qn_batch_view view;
    int64_t  poll_us, poll_wait_us, reached_us;
    bool     reached;           /* the endpoint has told of it in this run */
    struct batch *next;
} batch;

struct qn_batcher {
    qn_batch_book book;
    void (*done)(void *arg, qn_call *calls);
    void *arg;
    qn_thread *thread;

    pthread_mutex_t lock;       /* guards the next seven */
    pthread_cond_t  came;
    qn_call *inbox, **last_inbox;
    bool     quit;
    uint64_t flush_in, flush_out;   /* flush while so many have come in, and so many been given back */
    qn_batcher_stats stats;
    int      stop;              /* atomic */

    uint64_t n_received, n_given;   /* calls of this run: come in, given back */
    lane    *lanes;
    batch   *batches;
    qn_call *finished, **last_finished;
    qn_buf   line, body, scratch;
    qn_rng   rng;
    bool     broken;            /* the book cannot be written */
    qn_batcher_stats now;
};

/* ---- calls come back ---- */
static void finish(qn_batcher *b, qn_call *c)
{
    c->loop_private = NULL;
    c->next = NULL;
    if (c->user) b->n_given++;
    *b->last_finished = c;
    b->last_finished = &c->next;
}

static void fail(qn_batcher *b, parcel *p, const char *error, bool unreachable, bool kept)
{
    qn_call *c = p->call;
    int http = c->reply.http;
    c->reply = (qn_reply){ .status = QN_REPLY_FAILED, .http = http, .error = qn_arena_str(&c->arena, qn_str_of(error)), .unreachable = unreachable };
    c->reply.text = c->reply.thinking = c->reply.finish = QN_STR("");
    c->kept = kept;
    finish(b, c);
}

static void hand_out(qn_batcher *b)
{
    qn_call *calls = b->finished;
    if (!calls) return;
    b->finished = NULL;
    b->last_finished = &b->finished;
    pthread_mutex_lock(&b->lock);       /* whoever gets the last call may look at once */
    b->stats.sent = b->now.sent;
    b->stats.collected = b->now.collected;
    b->stats.given = b->n_given;
    pthread_mutex_unlock(&b->lock);
    b->done(b->arg, calls);
}

static bool stopping(const qn_batcher *b) { return qn_flag_get(&b->stop) > 0; }

/* ---- lanes ---- */
static lane *lane_of(qn_batcher *b, const qn_ask *ask)
{
    for (lane *ln = b->lanes; ln; ln = ln->next)
        if (ln->kind == ask->kind && (ln->model == ask->model || strcmp(ln->model->identity, ask->model->identity) == 0)) return ln;
    lane *ln = QN_NEW(lane);
    *ln = (lane){ .model = ask->model, .kind = ask->kind, .max_requests = (size_t)ask->model->batch_requests, .next = b->lanes };
    ln->last = &ln->first;
    return b->lanes = ln;
}

static void gather(lane *ln, parcel *p)
{
    p->next = NULL;
    *ln->last = p;
    ln->last = &p->next;
    ln->n++;
}

static parcel *take(lane *ln)
{
    parcel *p = ln->first;
    ln->first = p->next;
    if (!ln->first) ln->last = &ln->first;
    ln->n--;
    return p;
}

static void lane_fail(qn_batcher *b, lane *ln, const char *why, bool unreachable)
{
    while (ln->first) fail(b, take(ln), why, unreachable, false);
}

/* A request that may be asked again does so in a later batch; after three it is enough. */
static void again(qn_batcher *b, lane *ln, parcel *p, const char *why)
{
    if (++p->tries >= MAX_TRIES || stopping(b)) { fail(b, p, stopping(b) ? "stopped" : why, false, false); return; }
    gather(ln, p);
}

/* ---- batches ---- */
static void batch_free(batch *t)
{
    qn_map_free(&t->by_key);
    qn_free(t->items);
    qn_free(t);
}

static void batch_unlink(qn_batcher *b, batch *t)
{
    batch **at = &b->batches;
    while (*at != t) at = &(*at)->next;
    *at = t->next;
    if (!t->lane) return;
    t->lane->n_active--;
    t->lane->waits = false;
}

static void batch_index(batch *t)
{
    for (size_t i = 0; i < t->n_items; i++) *qn_map_put(&t->by_key, t->items[i].key, NULL) = i + 1;
}

static item *item_of(batch *t, qn_hash128 key)
{
    uint64_t *at = qn_map_get(&t->by_key, key);
    return at && *at ? &t->items[*at - 1] : NULL;
}

static void start_polling(qn_batcher *b, batch *t)
{
    t->poll_wait_us = FIRST_POLL_MS * 1000;
    if (t->lane->model->batch_poll_ms * 1000 < t->poll_wait_us) t->poll_wait_us = t->lane->model->batch_poll_ms * 1000;
    t->poll_us = t->old ? 0 : qn_now_us() + t->poll_wait_us;
    t->reached_us = qn_now_us();
    (void)b;
}

static void broken(qn_batcher *b)
{
    b->broken = true;
    qn_flag_raise(&b->stop, 1);
}

/* ---- is it there already? ---- */
typedef struct { const char *file, *mark; qn_batch_view found; bool hit; } search;

static bool look_at(void *arg, const qn_batch_view *v)
{
    search *s = arg;
    s->hit = (v->input_file[0] && strcmp(v->input_file, s->file) == 0) || (v->mark[0] && strcmp(v->mark, s->mark) == 0);
    if (s->hit) s->found = *v;
    return !s->hit;
}

typedef enum { FOUND, NOT_THERE, CANNOT_TELL, NEVER_TELLS, STOPPED } found;      /* NEVER_TELLS: the endpoint does not list its batches */

/* Our word in a batch's metadata: what is in it, in any order, and its number in the book. */
static void mark_of(const batch *t, char out[64])
{
    uint64_t h = 0;
    for (size_t i = 0; i < t->n_items; i++) h ^= t->items[i].key.hi;
    snprintf(out, 64, "%016llx-%llu-%zu", (unsigned long long)h, (unsigned long long)t->id, t->n_items);
}

static found find_started(qn_batcher *b, batch *t, char why[WORDS])
{
    char mark[64], last[128] = "";
    mark_of(t, mark);
    search s = { .file = t->file, .mark = mark };
    for (int page = 0; page < LIST_PAGES; page++) {
        char path[200];
        qn_batch_answer a = {0};
        bool more = false;
        snprintf(path, sizeof path, "/batches?limit=100%s%s", last[0] ? "&after=" : "", last);
        qn_batch_request r = { .method = "GET", .path = path };
        qn_batch_ask(t->lane->model, &r, t->lane->model->deadline_ms, &b->stop, &b->rng, &a);
        bool read = a.end == QN_WEB_OK && qn_batch_list_read(qn_buf_view(&a.body), look_at, &s, &more, last);
        qn_buf_free(&a.body);
        if (a.end == QN_WEB_STOPPED) return STOPPED;
        if (!read) {
            snprintf(why, WORDS, "%s", a.end == QN_WEB_OK ? "its list of batches cannot be read" : a.words);
            return a.end == QN_WEB_REFUSED && (a.status == 400 || a.status == 404 || a.status == 405 || a.status == 501) ? NEVER_TELLS : CANNOT_TELL;
        }
        if (s.hit) { t->view = s.found; memcpy(t->remote, s.found.id, sizeof t->remote); return FOUND; }
        if (!more) break;
    }
    return NOT_THERE;
}

/* ---- making one ---- */
static void return_items(qn_batcher *b, batch *t, const char *why, bool unreachable, bool kept)
{
    for (size_t i = 0; i < t->n_items; i++) {
        item *it = &t->items[i];
        if (it->settled) continue;
        it->settled = true;
        if (it->parcel) fail(b, it->parcel, why, unreachable, kept);
        else if (!kept) {           /* nobody asked for it in this run: its intent must be closed all the same */
            qn_call *c = qn_call_new();
            c->intent = it->intent;
            parcel p = { .call = c };
            fail(b, &p, why, false, false);
        }
    }
}

/* The batch never came to be, or is over: written down after the replies and cancels that were handed out before. */
static void end_batch(qn_batcher *b, batch *t, bool gone)
{
    hand_out(b);
    if (!b->book.ended(b->book.arg, t->id, gone)) broken(b);
    batch_unlink(b, t);
    batch_free(t);
}

static FILE *write_file(qn_batcher *b, const lane *ln, const batch *t)
{
    FILE *f = tmpfile();
    for (size_t i = 0; f && i < t->n_items; i++) {
        qn_buf_clear(&b->line);
        qn_batch_line_put(&t->items[i].parcel->call->ask, t->items[i].key, ln->quirks, &b->line);
        if (fwrite(b->line.p, 1, b->line.n, f) != b->line.n) { fclose(f); return NULL; }
    }
    if (f && fflush(f) != 0) { fclose(f); return NULL; }
    return f;
}

static void items_again(qn_batcher *b, batch *t, const char *why, bool count)
{
    lane *ln = t->lane;
    for (size_t i = 0; i < t->n_items; i++) {
        parcel *p = t->items[i].parcel;
        if (!p || t->items[i].settled) continue;
        t->items[i].settled = true;
        if (count) again(b, ln, p, why);
        else if (stopping(b)) fail(b, p, "stopped", false, false);
        else gather(ln, p);
    }
}

/* Too much for the endpoint: smaller from now on. False: it cannot be smaller. */
static bool shrink(lane *ln, const batch *t)
{
    if (t->n_items < 2) return false;
    ln->max_requests = (t->n_items + 1) / 2;
    return true;
}

/* What a refused upload or start means for the requests of the batch. */
static void not_started(qn_batcher *b, batch *t, const qn_batch_answer *a, const char *doing)
{
    char why[600];
    snprintf(why, sizeof why, "%s (%s)%s", a->words, doing, a->status == 404 || a->status == 405 || a->status == 501 ?
             ": does this endpoint have batches? leave out `batch` for it in quern.yaml" : "");
    if (a->end == QN_WEB_STOPPED) return_items(b, t, "stopped", false, false);
    else if (a->status == 413 && shrink(t->lane, t)) items_again(b, t, why, false);
    else {
        if (a->end == QN_WEB_REFUSED && (a->status == 401 || a->status == 403 || a->status == 404 || a->status == 405 || a->status == 429 || a->status == 501))
            snprintf(t->lane->dead, sizeof t->lane->dead, "%.399s", why);
        return_items(b, t, why, !a->reached, false);
    }
    end_batch(b, t, false);
}

static bool upload(qn_batcher *b, batch *t)
{
    FILE *f = write_file(b, t->lane, t);
    qn_batch_answer a = {0};
    char name[64];
    if (!f) {
        return_items(b, t, "a temporary file could not be written: is the disk full?", false, false);
        end_batch(b, t, false);
        return false;
    }
    snprintf(name, sizeof name, "quern-%llu.jsonl", (unsigned long long)t->id);
    qn_batch_request r = { .method = "POST", .path = "/files", .file = f, .file_name = name };
    qn_batch_ask(t->lane->model, &r, t->lane->model->deadline_ms, &b->stop, &b->rng, &a);
    fclose(f);
    bool ok = a.end == QN_WEB_OK && qn_file_view_read(qn_buf_view(&a.body), t->file);
    if (a.end == QN_WEB_OK && !ok) { a.end = QN_WEB_REFUSED; snprintf(a.words, sizeof a.words, "the answer names no file"); }
    if (!ok) not_started(b, t, &a, "uploading a batch's requests");
    qn_buf_free(&a.body);
    if (!ok) return false;
    if (b->book.uploaded(b->book.arg, t->id, t->file)) return true;
    broken(b);
    return_items(b, t, "stopped", false, false);
    batch_unlink(b, t);
    batch_free(t);
    return false;
}

static void has_started(qn_batcher *b, batch *t)
{
    if (!b->book.started(b->book.arg, t->id, t->remote)) broken(b);
    qn_log(QN_INFO, "batch", "%s at %.*s: %zu requests%s", t->remote, QN_FMT(qn_url_host(qn_str_of(t->lane->model->url))), t->n_items,
           t->old ? ", started by an earlier run" : "");
    t->reached = true;
    if (!t->old) b->now.sent += t->n_items;
    start_polling(b, t);
}

/* The endpoint cannot be asked about a batch for too long: its requests stay in it, and the next run waits again. */
static void leave_pending(qn_batcher *b, batch *t, const char *why, bool unreachable)
{
    return_items(b, t, why, unreachable, true);
    batch_unlink(b, t);
    batch_free(t);
}

/* Perhaps it was started, and nobody will ever say: its requests are lost, as a single one is that was on its way at a kill. */
static void cannot_know(qn_batcher *b, batch *t, const char *why)
{
    char words[WORDS + 60];
    snprintf(words, sizeof words, "%s: whether a batch was started cannot be told", why);
    return_items(b, t, words, false, true);
    end_batch(b, t, true);
}

/* Starts the uploaded file's batch, once. An answer that did not arrive may mean that it was started: it is looked for before it is asked for again. */
static void start(qn_batcher *b, batch *t)
{
    qn_buf json = {0};
    char mark[64], why[WORDS];
    mark_of(t, mark);
    qn_buf_printf(&json, "{\"input_file_id\":");
    qn_json_write_text(&json, qn_str_of(t->file));
    qn_buf_printf(&json, ",\"endpoint\":\"/v1%s\",\"completion_window\":\"%s\",\"metadata\":{\"quern\":\"%s\"}}", qn_openai_path(t->lane->kind),
                  t->lane->model->batch_window, mark);
    for (int n = 0;; n++) {
        qn_batch_answer a = {0};
        qn_batch_request r = { .method = "POST", .path = "/batches", .json = qn_buf_view(&json), .idempotency = mark, .once = true };
        qn_batch_ask(t->lane->model, &r, t->lane->model->deadline_ms, &b->stop, &b->rng, &a);
        bool ok = a.end == QN_WEB_OK && qn_batch_view_read(qn_buf_view(&a.body), &t->view);
        qn_buf_free(&a.body);
        if (ok) { memcpy(t->remote, t->view.id, sizeof t->remote); has_started(b, t); break; }
        if (a.end == QN_WEB_REFUSED) { not_started(b, t, &a, "starting a batch"); break; }
        found there = a.end == QN_WEB_STOPPED ? STOPPED : find_started(b, t, why);
        if (there == FOUND) { has_started(b, t); break; }
        if (there == NOT_THERE && n < 4) { qn_sleep_us(qn_retry_delay_us(n + 1, t->lane->model->retry_ms * 1000, qn_rng_real(&b->rng), -1)); continue; }
        if (there == NOT_THERE) { not_started(b, t, &a, "starting a batch"); break; }
        if (there == NEVER_TELLS) { cannot_know(b, t, why); break; }
        /* Perhaps it runs, perhaps not: the book keeps it as uploaded, and the next run looks again. */
        return_items(b, t, there == STOPPED ? "stopped" : why, there != STOPPED && !a.reached, true);
        batch_unlink(b, t);
        batch_free(t);
        break;
    }
    qn_buf_free(&json);
}

/* One file of what is gathered: as many requests and bytes as it may hold. */
static void make(qn_batcher *b, lane *ln)
{
    batch *t = QN_NEW(batch);
    size_t cap = 0, bytes = 0, limit = (size_t)ln->model->batch_bytes;
    uint64_t *intents;
    while (ln->first && t->n_items < ln->max_requests) {
        size_t own = ln->first->call->ask.body.n + 512;
        if (own > limit) { fail(b, take(ln), "the request is larger than a batch file may be (`batch: {size: ...}` in quern.yaml)", false, false); continue; }
        if (bytes + own > limit) break;
        bytes += own;
        QN_GROW(t->items, t->n_items, cap);
        parcel *p = take(ln);
        t->items[t->n_items++] = (item){ .key = p->key, .intent = p->call->intent, .parcel = p };
    }
    if (!t->n_items) { batch_free(t); return; }
    batch_index(t);
    t->lane = ln;
    t->next = b->batches;
    b->batches = t;
    t->company = ln->n_active++ > 0;
    intents = QN_NEW_N(uint64_t, t->n_items);
    for (size_t i = 0; i < t->n_items; i++) intents[i] = t->items[i].intent;
    bool ok = b->book.made(b->book.arg, ln->model->name, intents, t->n_items, &t->id);
    qn_free(intents);
    if (!ok) {
        broken(b);
        return_items(b, t, "stopped", false, false);
        batch_unlink(b, t);
        batch_free(t);
        return;
    }
    if (!upload(b, t)) return;
    if (stopping(b)) not_started(b, t, &(qn_batch_answer){ .end = QN_WEB_STOPPED }, "");
    else start(b, t);
}

/* ---- collecting ---- */
static void price(const qn_model *m, qn_reply *r) { r->cost_usd *= m->batch_share; }

static void settle(qn_batcher *b, batch *t, item *it, const qn_batch_result *res)
{
    lane *ln = t->lane;
    qn_call *c = it->parcel ? it->parcel->call : qn_call_new();
    const char *why = "";
    char words[500];
    parcel stray = { .call = c };
    if (!it->parcel) {
        c->intent = it->intent;
        c->ask = (qn_ask){ .kind = ln->kind, .model = ln->model };
    }
    it->settled = true;
    c->reply = (qn_reply){ .status = QN_REPLY_FAILED, .http = res->status, .attempts = it->parcel ? it->parcel->tries + 1 : 1 };
    if (res->status >= 200 && res->status < 300) {
        if (qn_openai_parse(&c->ask, res->body, &b->scratch, &c->arena, &c->reply, &why)) {
            price(ln->model, &c->reply);
            if (t->old) b->now.collected++;
            c->key = it->key;
            finish(b, c);
            return;
        }
        snprintf(words, sizeof words, "%s: %s", t->remote, why);
        if (it->parcel) { again(b, ln, it->parcel, words); return; }
    } else if (res->status >= 400 && res->status < 500 && qn_openai_is_filtered(res->body)) {
        char said[320];
        qn_openai_error_text(res->body, said, sizeof said);
        c->reply.status = QN_REPLY_REFUSED;
        c->reply.finish = QN_STR("content_filter");
        c->reply.text = qn_arena_str(&c->arena, qn_str_of(said));
        c->reply.thinking = QN_STR("");
        c->key = it->key;
        finish(b, c);
        return;
    } else {
        char said[320] = "";
        if (res->status) qn_openai_error_text(res->body, said, sizeof said);
        snprintf(words, sizeof words, "%s%s%s in %s", res->status ? "HTTP error: " : "", said[0] ? said : res->error, res->status && !said[0] ? "no words" : "", t->remote);
        if (res->status) snprintf(words, sizeof words, "HTTP %d in %s%s%s", res->status, t->remote, said[0] ? ": " : "", said);
        unsigned learned = qn_openai_learn(res->status, res->body, &c->ask, ln->quirks);
        bool lesson = it->parcel && learned != ln->quirks, passes = res->status == 0 ? strcmp(res->code, "batch_expired") == 0
                    : res->status == 408 || res->status == 409 || res->status == 429 || res->status >= 500;
        ln->quirks = learned;
        if (it->parcel && (lesson || passes)) { again(b, ln, it->parcel, words); return; }
    }
    fail(b, it->parcel ? it->parcel : &stray, words, false, false);
}

/* Reads one file of results. False: it could not be had; nothing is settled by what was not read. */
static bool collect_file(qn_batcher *b, batch *t, const char *file, size_t *n_lines, qn_batch_answer *a)
{
    char path[200];
    FILE *to = tmpfile();
    if (!to) { a->end = QN_WEB_REFUSED; snprintf(a->words, sizeof a->words, "a temporary file could not be made"); return false; }
    snprintf(path, sizeof path, "/files/%s/content", file);
    qn_batch_request r = { .method = "GET", .path = path, .to = to };
    qn_batch_ask(t->lane->model, &r, t->lane->model->deadline_ms, &b->stop, &b->rng, a);
    bool ok = a->end == QN_WEB_OK;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    rewind(to);
    while (ok && (n = getline(&line, &cap, to)) > 0) {
        qn_batch_result res;
        if (!qn_batch_line_read(qn_str_trim((qn_str){ line, (size_t)n }), &b->body, &res)) continue;
        ++*n_lines;
        item *it = item_of(t, res.key);
        if (it && !it->settled) settle(b, t, it, &res);
        if (b->finished && *n_lines % 256 == 0) hand_out(b);
    }
    free(line);
    fclose(to);
    return ok;
}

static size_t n_open(const batch *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_items; i++) n += !t->items[i].settled;
    return n;
}

static void words_of_end(const batch *t, char *out, size_t size)
{
    switch (t->view.status) {
    case QN_BATCH_FAILED: snprintf(out, size, "the batch %s failed: %s", t->remote, t->view.error[0] ? t->view.error : "the endpoint does not say why"); break;
    case QN_BATCH_EXPIRED: snprintf(out, size, "the batch %s expired before this request was reached", t->remote); break;
    case QN_BATCH_CANCELLED: snprintf(out, size, "the batch %s was cancelled at the endpoint", t->remote); break;
    default: snprintf(out, size, "the batch %s was completed without a result for this request", t->remote); break;
    }
}

/* The batch is over at the endpoint: fetches what came of it. False: the results cannot be had now. */
static bool collect(qn_batcher *b, batch *t, char why[WORDS])
{
    const char *files[] = { t->view.output_file, t->view.error_file };
    size_t n_lines = 0;
    for (int round = 0; round < 2; round++) {
        n_lines = 0;
        for (int i = 0; i < 2; i++) {
            qn_batch_answer a = {0};
            bool ok = !files[i][0] || collect_file(b, t, files[i], &n_lines, &a);
            qn_buf_free(&a.body);
            if (!ok) {
                snprintf(why, WORDS, "%s (fetching the results of %s)", a.words, t->remote);
                hand_out(b);
                if (!b->book.started(b->book.arg, t->id, t->remote)) broken(b);     /* waits until what came in is on the disk: see attach */
                return false;
            }
        }
        if (n_lines >= (size_t)t->view.completed || n_open(t) == 0) break;     /* else it was cut short: once more */
    }
    char words[500];
    words_of_end(t, words, sizeof words);
    bool room = t->view.status == QN_BATCH_FAILED && strcmp(t->view.code, "token_limit_exceeded") == 0;
    bool others = t->lane->n_active > 1;
    if (room && (others || t->company || shrink(t->lane, t))) {     /* alone it may find room */
        qn_log(QN_INFO, "batch", "%s: %s; %s", t->remote, t->view.error, others ? "waiting for another to end" : t->company ? "once more, now alone" : "smaller batches from now on");
        items_again(b, t, words, false);
        lane *ln = t->lane;
        end_batch(b, t, false);
        ln->waits = others;
        return true;
    }
    if (t->view.status == QN_BATCH_COMPLETED || t->view.status == QN_BATCH_EXPIRED) items_again(b, t, words, true);
    return_items(b, t, words, false, false);
    qn_log(QN_INFO, "batch", "%s: %s, %zu results", t->remote, t->view.status_word, n_lines);
    end_batch(b, t, false);
    return true;
}

/* Said before the first result of a batch goes out, and after the last. */
static void say_collecting(qn_batcher *b, bool yes)
{
    b->now.collecting = yes;
    pthread_mutex_lock(&b->lock);
    b->stats.collecting = yes;
    pthread_mutex_unlock(&b->lock);
}

static void poll_one(qn_batcher *b, batch *t)
{
    const qn_model *m = t->lane->model;
    char path[200], why[WORDS] = "";
    qn_batch_answer a = {0};
    if (!t->remote[0]) {            /* uploaded by an earlier run that was killed: was it started? */
        found there = find_started(b, t, why);
        if (there == NOT_THERE && t->poll_wait_us == 0) {       /* it may be on its way into the list: look again in a moment */
            t->poll_wait_us = m->retry_ms * 20 * 1000;
            t->poll_us = qn_now_us() + t->poll_wait_us;
            return;
        }
        if (there == FOUND) has_started(b, t);
        else if (there == NOT_THERE) { items_again(b, t, "", false); return_items(b, t, "was never sent", false, false); end_batch(b, t, false); return; }
        else if (there == NEVER_TELLS) { cannot_know(b, t, why); return; }
        else { leave_pending(b, t, there == STOPPED ? "stopped" : why, there != STOPPED); return; }
    }
    snprintf(path, sizeof path, "/batches/%s", t->remote);
    qn_batch_request r = { .method = "GET", .path = path };
    qn_batch_ask(m, &r, m->deadline_ms, &b->stop, &b->rng, &a);
    int64_t now = qn_now_us();
    bool read = a.end == QN_WEB_OK && qn_batch_view_read(qn_buf_view(&a.body), &t->view);
    qn_buf_free(&a.body);
    if (a.end == QN_WEB_STOPPED) return;
    t->poll_wait_us = t->poll_wait_us * 3 / 2 < m->batch_poll_ms * 1000 ? t->poll_wait_us * 3 / 2 : m->batch_poll_ms * 1000;
    if (t->poll_wait_us < 1000) t->poll_wait_us = 1000;
    t->poll_us = now + t->poll_wait_us;
    if (read) {
        t->reached_us = now;
        t->reached = true;
        if (t->view.status == QN_BATCH_RUNS) return;
        say_collecting(b, true);
        bool had = collect(b, t, why);
        hand_out(b);
        say_collecting(b, false);
        if (had) return;
        if (stopping(b)) return;
    } else if (a.end == QN_WEB_REFUSED && a.status == 404) {
        snprintf(why, sizeof why, "%s no longer knows the batch %s: what became of its requests cannot be told", a.words, t->remote);
        for (size_t i = 0; i < t->n_items; i++)
            if (t->items[i].parcel && !t->items[i].settled) { t->items[i].settled = true; fail(b, t->items[i].parcel, why, false, true); }
        end_batch(b, t, true);
        return;
    } else snprintf(why, sizeof why, "%s (asking about %s)", a.end == QN_WEB_OK ? "the answer is no batch" : a.words, t->remote);
    qn_log(QN_INFO, "batch", "%s", why);
    if (a.end == QN_WEB_REFUSED || now - t->reached_us > 10 * m->deadline_ms * 1000 || (!a.reached && !t->reached)) leave_pending(b, t, why, !a.reached);
}

/* ---- coming in ---- */
static void attach(qn_batcher *b, parcel *p)
{
    qn_call *c = p->call;
    batch *t = b->batches;
    while (t && t->id != c->batch) t = t->next;
    item *it = t ? item_of(t, p->key) : NULL;
    if (it && !it->settled && !it->parcel) {
        it->parcel = p;
        if (t->lane) return;
        t->lane = lane_of(b, &c->ask);
        t->lane->n_active++;
        if (t->remote[0]) start_polling(b, t);
        return;
    }
    if (b->book.recorded(b->book.arg, c)) { finish(b, c); return; }     /* it came in since */
    c->again = true;        /* its batch is over, without a reply to this one: its intent is closed, and it needs another */
    fail(b, p, "again", false, true);
}

static void take_in(qn_batcher *b, qn_call *calls)
{
    for (qn_call *c = calls, *next; c; c = next) {
        next = c->next;
        c->next = NULL;
        b->n_received++;
        parcel *p = QN_ARENA_NEW(&c->arena, parcel);
        *p = (parcel){ .call = c, .key = qn_ask_key(&c->ask) };
        c->reply = (qn_reply){ .status = QN_REPLY_FAILED };
        if (stopping(b)) { fail(b, p, "stopped", false, c->batch != 0); continue; }
        if (c->batch) { attach(b, p); continue; }
        lane *ln = lane_of(b, &c->ask);
        if (ln->dead[0]) fail(b, p, ln->dead, false, false);
        else gather(ln, p);
    }
}

static void send_gathered(qn_batcher *b, bool flush)
{
    for (lane *ln = b->lanes; ln; ln = ln->next) {
        if (ln->dead[0]) lane_fail(b, ln, ln->dead, false);
        while (ln->first && !ln->waits && !stopping(b) && !ln->dead[0] && (flush || ln->n >= ln->max_requests)) {
            make(b, ln);
            hand_out(b);
        }
    }
}

static void give_back_all(qn_batcher *b)
{
    for (lane *ln = b->lanes; ln; ln = ln->next) lane_fail(b, ln, "stopped", false);
    while (b->batches) {
        batch *t = b->batches;
        if (t->lane) { leave_pending(b, t, "stopped", false); continue; }
        batch_unlink(b, t);
        batch_free(t);
    }
}

static void publish(qn_batcher *b)
{
    int64_t done = 0, total = 0;
    const batch *one = NULL;
    b->now.n_batches = b->now.n_waiting = 0;
    b->now.words[0] = 0;
    for (const batch *t = b->batches; t; t = t->next) {
        if (!t->lane || !t->remote[0]) continue;
        one = t;
        b->now.n_batches++;
        b->now.n_waiting += n_open(t);
        done += t->view.completed + t->view.failed;
        total += (int64_t)t->n_items > t->view.total ? (int64_t)t->n_items : t->view.total;
    }
    if (b->now.n_batches == 1)
        snprintf(b->now.words, sizeof b->now.words, "%.60s at %.*s: %s, %lld of %lld done", one->remote, QN_FMT(qn_url_host(qn_str_of(one->lane->model->url))),
                 one->view.status_word, (long long)done, (long long)total);
    else if (one) snprintf(b->now.words, sizeof b->now.words, "%llu batches: %lld of %lld done", (unsigned long long)b->now.n_batches, (long long)done, (long long)total);
    b->now.given = b->n_given;
    pthread_mutex_lock(&b->lock);
    b->stats = b->now;
    pthread_mutex_unlock(&b->lock);
}

/* ---- the thread ---- */
static bool step(qn_batcher *b)
{
    pthread_mutex_lock(&b->lock);
    if (!b->inbox && !b->quit && !stopping(b)) {
        struct timespec at;
        clock_gettime(CLOCK_REALTIME, &at);
        int64_t ns = at.tv_nsec + (int64_t)TICK_US * 1000;
        at.tv_sec += ns / 1000000000;
        at.tv_nsec = ns % 1000000000;
        pthread_cond_timedwait(&b->came, &b->lock, &at);
    }
    qn_call *in = b->inbox;
    b->inbox = NULL;
    b->last_inbox = &b->inbox;
    bool quit = b->quit;
    uint64_t flush_in = b->flush_in, flush_out = b->flush_out;
    pthread_mutex_unlock(&b->lock);

    take_in(b, in);
    bool flush = b->n_received == flush_in && b->n_given == flush_out;
    if (!stopping(b)) send_gathered(b, flush);
    for (batch *t = b->batches, *next; t && !stopping(b); t = next) {
        next = t->next;
        if (t->lane && t->poll_us <= qn_now_us()) poll_one(b, t);
        hand_out(b);
    }
    if (stopping(b)) give_back_all(b);
    hand_out(b);
    publish(b);
    if (stopping(b) && !quit) {     /* nothing to do but to give back what still comes */
        pthread_mutex_lock(&b->lock);
        while (!b->inbox && !b->quit) pthread_cond_wait(&b->came, &b->lock);
        pthread_mutex_unlock(&b->lock);
    }
    return !quit;
}

static void run(void *arg)
{
    while (step(arg)) { }
}

/* ---- from outside ---- */
qn_code qn_batcher_open(qn_batcher **out, const qn_batch_book *book, void (*done)(void *arg, qn_call *calls), void *arg, qn_err *e)
{
    (void)e;
    qn_batcher *b = QN_NEW(qn_batcher);
    b->book = *book;
    b->done = done;
    b->arg = arg;
    b->last_inbox = &b->inbox;
    b->last_finished = &b->finished;
    b->rng = qn_rng_seed((uint64_t)qn_now_us());
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->came, NULL);
    *out = b;
    return QN_OK;
}

void qn_batcher_resume(qn_batcher *b, const qn_batch_old *old)
{
    batch *t = QN_NEW(batch);
    t->id = old->id;
    t->old = true;
    snprintf(t->file, sizeof t->file, "%s", old->file ? old->file : "");
    snprintf(t->remote, sizeof t->remote, "%s", old->remote ? old->remote : "");
    t->items = QN_NEW_N(item, old->n_items + 1);
    t->n_items = old->n_items;
    for (size_t i = 0; i < old->n_items; i++) t->items[i] = (item){ .key = old->items[i].key, .intent = old->items[i].intent };
    batch_index(t);
    t->next = b->batches;
    b->batches = t;
}

void qn_batcher_submit(qn_batcher *b, qn_call *calls)
{
    pthread_mutex_lock(&b->lock);
    if (!b->thread) b->thread = qn_thread_start("batches", run, b);
    *b->last_inbox = calls;
    while (*b->last_inbox) b->last_inbox = &(*b->last_inbox)->next;
    pthread_cond_signal(&b->came);
    pthread_mutex_unlock(&b->lock);
}

void qn_batcher_flush(qn_batcher *b, uint64_t n_submitted, uint64_t n_taken)
{
    pthread_mutex_lock(&b->lock);
    b->flush_in = n_submitted;
    b->flush_out = n_taken;
    pthread_mutex_unlock(&b->lock);
}

void qn_batcher_stop(qn_batcher *b, int how)
{
    pthread_mutex_lock(&b->lock);
    if (qn_flag_get(&b->stop) < how) qn_flag_raise(&b->stop, how);
    pthread_cond_signal(&b->came);
    pthread_mutex_unlock(&b->lock);
}

void qn_batcher_stats_get(qn_batcher *b, qn_batcher_stats *out)
{
    pthread_mutex_lock(&b->lock);
    *out = b->stats;
    pthread_mutex_unlock(&b->lock);
}

void qn_batcher_close(qn_batcher *b)
{
    if (!b) return;
    pthread_mutex_lock(&b->lock);
    b->quit = true;
    if (!b->stop) b->stop = 1;
    pthread_cond_signal(&b->came);
    pthread_mutex_unlock(&b->lock);
    if (b->thread) qn_thread_join(b->thread);
    give_back_all(b);           /* of earlier runs, when nobody asked */
    for (lane *ln = b->lanes, *next; ln; ln = next) { next = ln->next; qn_free(ln); }
    qn_buf_free(&b->line);
    qn_buf_free(&b->body);
    qn_buf_free(&b->scratch);
    pthread_cond_destroy(&b->came);
    pthread_mutex_destroy(&b->lock);
    qn_free(b);
}
