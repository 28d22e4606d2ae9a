/* effects: requests on their way through ledger and gateway.
 *
 *   worker builds a call -> ledger knows it? -> replay
 *   engine: window and budget allow it -> ledger writes the intent -> (ack, ledger's thread) gateway sends it
 *   gateway's thread: reply -> ledger writes it -> (ack, ledger's thread) engine's inbox -> the row goes on
 *
 * So an intent is committed before a request leaves, and a reply before any row made from it moves (L1). Two calls with one key are one request. */
#include "engine/dry.h"
#include "engine/internal.h"
#include <stdio.h>

static qn_wait *wait_of(const qn_call *c) { return c->user; }

static void send_to_inbox(qn_engine *en, qn_msg_kind kind, qn_call *calls, const char *why)
{
    qn_msg *m = QN_NEW(qn_msg);
    m->kind = kind;
    m->calls = calls;
    if (why) snprintf(m->why, sizeof m->why, "%s", why);
    qn_queue_push(en->inbox, &m->node);
}

/* Ledger's thread, after a commit: intents may leave now, replies may be used now. */
static void on_ack(void *arg, void *const *tags, size_t n, bool ok, const char *why)
{
    qn_engine *en = arg;
    qn_call *go = NULL, **go_tail = &go, *batched = NULL, **batched_tail = &batched, *answered = NULL, **answered_tail = &answered;
    if (!ok) send_to_inbox(en, QN_MSG_LEDGER_BROKEN, NULL, why);
    for (size_t i = 0; i < n; i++) {
        qn_call *c = tags[i];
        if (!c) continue;
        bool use = wait_of(c)->recording || !ok;
        if (!ok) {
            c->reply = (qn_reply){ .status = QN_REPLY_FAILED, .error = QN_STR("the ledger cannot be written") };
        }
        qn_call ***tail = use ? &answered_tail : wait_of(c)->batched ? &batched_tail : &go_tail;
        c->next = NULL;
        **tail = c;
        *tail = &c->next;
    }
    if (go) qn_loop_submit(en->loop, go);
    if (batched) qn_batcher_submit(en->batcher, batched);
    if (answered) send_to_inbox(en, QN_MSG_CALLS, answered, NULL);
}

/* Gateway's or batcher's thread: what came back is recorded first; what failed, or is in the ledger already, goes straight to the engine. */
static void on_done(void *arg, qn_call *calls)
{
    qn_engine *en = arg;
    qn_call *failed = NULL, *strays = NULL;
    qn_buf body = {0};
    for (qn_call *c = calls, *next; c; c = next) {
        qn_wait *w = wait_of(c);
        next = c->next;
        c->next = NULL;
        if (c->reply.status == QN_REPLY_FAILED && c->intent && !c->kept) qn_ledger_cancel(en->ledger, c->intent);
        if (w && (c->reply.status == QN_REPLY_FAILED || c->reply.replayed)) {
            c->next = failed;
            failed = c;
            continue;
        }
        if (!w) { c->next = strays; strays = c; }
        if (c->reply.status == QN_REPLY_FAILED) continue;
        qn_buf_clear(&body);
        qn_reply_encode(&c->reply, &body);
        if (w) w->recording = true;
        qn_record rec = { .key = w ? w->key : c->key, .intent = c->intent, .body = qn_buf_view(&body), .prompt_tokens = c->reply.prompt_tokens,
                          .completion_tokens = c->reply.completion_tokens, .cost_usd = c->reply.cost_usd, .attempts = c->reply.attempts };
        qn_ledger_record(en->ledger, &rec, w ? c : NULL);
    }
    qn_buf_free(&body);
    if (strays) send_to_inbox(en, QN_MSG_STRAYS, strays, NULL);
    if (failed) send_to_inbox(en, QN_MSG_CALLS, failed, NULL);
}

/* A step asks when it has a turn, unless it could ask a model and was given none (an encoder that quern runs itself). */
static bool asks(const qn_step *s)
{
    if (s->kind != QN_STEP_OP || !s->op->turn) return false;
    bool could = false;
    for (const qn_param *q = s->op->params; q && q->name; q++) {
        if (q->type != QN_P_MODEL) continue;
        could = true;
        if (*(const qn_model *const *)((const char *)s->params + q->offset)) return true;
    }
    return !could;
}

static bool has_effects(const qn_plan *p)
{
    for (int i = 0; i < p->n_steps; i++)
        if (asks(&p->steps[i])) return true;
    return false;
}

/* A budget needs a price for every model that will be asked. */
static qn_code check_prices(const qn_engine *en, qn_err *e)
{
    const qn_plan *p = en->plan;
    if (en->o->budget_usd < 0) return QN_OK;
    for (int i = 0; i < p->n_roles; i++) {
        const qn_model *m = p->roles[i].model;
        if (!m || m->builtin || m->priced) continue;
        qn_fail(e, QN_EUSAGE, "--budget cannot hold: the model `%s` (%s) has no price", m->name, p->roles[i].name);
        qn_hint(e, "put its price into quern.yaml: usd_per_m_prompt and usd_per_m_completion, in US dollars per million tokens");
        return QN_EUSAGE;
    }
    return QN_OK;
}

/* Servers of local models are started before the first row, on this thread: they end with it. */
static qn_code models_ready(const qn_engine *en, qn_err *e)
{
    for (int i = 0; i < en->plan->n_roles; i++)
        if (en->plan->roles[i].model) QN_TRY(qn_model_ready(en->plan->roles[i].model, e));
    return QN_OK;
}

static char *run_json(const qn_engine *en)
{
    qn_buf b = {0};
    char hash[33];
    qn_hash_hex(en->plan->hash, hash);
    qn_buf_printf(&b, "{\"recipe\":\"%s\",\"hash\":\"%s\",\"seed\":%llu,\"params\":", en->plan->name, hash, (unsigned long long)en->plan->seed);
    qn_json_write(&b, en->plan->params);
    qn_buf_puts(&b, "}");
    return b.p;
}

/* ---- batches ---- */
static bool book_made(void *arg, const char *model, const uint64_t *intents, size_t n, uint64_t *id)
{
    return qn_ledger_batch_new(((qn_engine *)arg)->ledger, model, intents, n, id);
}
static bool book_uploaded(void *arg, uint64_t id, const char *file) { return qn_ledger_batch_uploaded(((qn_engine *)arg)->ledger, id, file); }
static bool book_started(void *arg, uint64_t id, const char *remote) { return qn_ledger_batch_started(((qn_engine *)arg)->ledger, id, remote); }
static bool book_ended(void *arg, uint64_t id, bool gone) { return qn_ledger_batch_ended(((qn_engine *)arg)->ledger, id, gone); }
static bool book_recorded(void *arg, qn_call *c) { return qn_effects_replay(arg, c); }

/* What earlier runs left in batches: its requests are not sent again, they are waited for. */
static void resume_batches(qn_engine *en)
{
    size_t n;
    const qn_ledger_batch *all = qn_ledger_batches(en->ledger, &n);
    for (size_t i = 0; i < n; i++) en->n_pending += all[i].n_items;
    en->pending = QN_NEW_N(struct qn_pending, en->n_pending + 1);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        qn_batch_item *items = QN_NEW_N(qn_batch_item, all[i].n_items + 1);
        for (size_t j = 0; j < all[i].n_items; j++) {
            const qn_ledger_item *it = &all[i].items[j];
            items[j] = (qn_batch_item){ it->key, it->intent };
            en->pending[k] = (struct qn_pending){ it->intent, all[i].id, it->worst_usd };
            *qn_map_put(&en->pending_keys, it->key, NULL) = ++k;
        }
        qn_batch_old old = { .id = all[i].id, .file = all[i].file, .remote = all[i].started ? all[i].remote : NULL, .items = items, .n_items = all[i].n_items };
        qn_batcher_resume(en->batcher, &old);
        qn_free(items);
    }
}

static qn_code open_batches(qn_engine *en, qn_err *e)
{
    size_t n;
    qn_ledger_batches(en->ledger, &n);
    for (int i = 0; i < en->plan->n_roles; i++) en->any_batch = en->any_batch || (en->plan->roles[i].model && en->plan->roles[i].model->batch);
    if (!en->any_batch && !n) return QN_OK;
    qn_batch_book book = { en, book_made, book_uploaded, book_started, book_ended, book_recorded };
    QN_TRY(qn_batcher_open(&en->batcher, &book, on_done, en, e));
    resume_batches(en);
    return QN_OK;
}

qn_code qn_effects_open(qn_engine *en, qn_err *e)
{
    en->has_effects = has_effects(en->plan);
    if (!en->has_effects || en->o->scripted || en->o->dry) return QN_OK;
    QN_TRY(check_prices(en, e));
    QN_TRY(models_ready(en, e));
    QN_ASSERT(en->o->ledger_path);
    char *json = run_json(en);
    qn_ledger_open_opts lo = { .fresh = en->o->fresh, .recipe = en->plan->name, .run_json = json };
    qn_code rc = qn_ledger_open(&en->ledger, en->o->ledger_path, &lo, e);
    qn_free(json);
    QN_TRY(rc);
    qn_ledger_facts f;
    qn_ledger_facts_get(en->ledger, &f);
    en->spent_before_usd = f.spent_usd + f.interrupted_worst_usd + f.in_batches_usd;
    en->r->cost_all_usd = f.spent_usd;
    en->r->interrupted_in_flight = f.interrupted_in_flight;
    en->r->interrupted_worst_usd = f.interrupted_worst_usd;
    qn_ledger_on_ack(en->ledger, on_ack, en);
    QN_TRY(open_batches(en, e));
    return qn_loop_open(&en->loop, on_done, en, e);
}

void qn_effects_close(qn_engine *en)
{
    qn_err e = {0};
    if (en->loop) {
        qn_loop_stats s;
        qn_loop_stats_get(en->loop, &s);
        en->sent = s.sent;
        en->retried = s.retried;
        qn_loop_close(en->loop);
    }
    if (en->batcher) {
        qn_batcher_stats s;
        qn_batcher_stats_get(en->batcher, &s);
        en->sent += s.sent;
        en->collected = s.collected;
        qn_batcher_close(en->batcher);
        en->batcher = NULL;
    }
    if (en->ledger && qn_ledger_close(en->ledger, &e) != QN_OK && en->rc == QN_OK) { en->rc = e.code; en->err = e; }
    en->loop = NULL;
    en->ledger = NULL;
    qn_map_free(&en->in_flight_keys);
    qn_map_free(&en->pending_keys);
    qn_free(en->pending);
    en->pending = NULL;
}

/* Nothing is sent for it, and the ledger does not have it. */
static bool not_recorded(qn_call *c)
{
    const char *why = c->ask.kind == QN_ASK_PERSON ? QN_UNDECIDED : QN_NOT_RECORDED;
    c->reply = (qn_reply){ .status = QN_REPLY_FAILED, .error = qn_str_of(why), .replayed = true };
    return true;
}

/* The next scripted reply; when the script is at its end, a failed one. One worker. */
static bool scripted(qn_engine *en, qn_call *c)
{
    if (c->ask.recorded_only) return not_recorded(c);
    const char *text = en->o->scripted[en->n_scripted];
    if (en->n_scripted == 0 && en->o->scripted_asked) qn_buf_str(en->o->scripted_asked, c->ask.body.n ? c->ask.body : c->ask.url);
    c->reply = (qn_reply){ .status = QN_REPLY_FAILED, .error = QN_STR("the script has no more replies") };
    if (!text && c->ask.kind == QN_ASK_PERSON) return not_recorded(c);
    if (!text) return true;
    en->n_scripted++;
    qn_str body = qn_str_of(text);
    qn_err e = {0};
    c->reply = (qn_reply){ .status = QN_REPLY_OK, .http = 200, .text = body, .finish = QN_STR("stop"), .replayed = true };
    if (c->ask.kind == QN_ASK_EMBED) qn_json_parse(body, &c->arena, &c->reply.embeddings, &e);
    if (c->ask.kind == QN_ASK_COMPLETION && qn_str_starts(body, QN_STR("{\"tokens\":"))) qn_json_parse(body, &c->arena, &c->reply.logprobs, &e);
    return true;
}

bool qn_effects_replay(qn_engine *en, qn_call *c)
{
    if (en->o->scripted) return scripted(en, c);
    if (en->o->dry && (c->ask.kind == QN_ASK_PERSON || c->ask.recorded_only)) return not_recorded(c);
    if (en->o->dry) { qn_dry_answer(en->o->dry, wait_of(c)->item->step, &c->ask, &c->arena, &c->reply); return true; }
    qn_wait *w = wait_of(c);
    qn_buf body = {0};
    bool only = c->ask.recorded_only || (c->ask.kind == QN_ASK_PERSON && c->ask.answer.n == 0);
    int64_t prompt, completion;
    double cost;
    qn_err e = {0};
    bool found = qn_ledger_find(en->ledger, w->key, &body, &prompt, &completion, &cost);
    if (found) {
        qn_str copy = qn_arena_str(&c->arena, qn_buf_view(&body));
        found = qn_reply_decode(copy, &c->ask, &c->arena, &c->reply, &e) == QN_OK;
        if (found) {
            c->reply.replayed = true;
            c->reply.prompt_tokens = prompt;
            c->reply.completion_tokens = completion;
            qn_count_add(&en->replayed, 1);
            __atomic_fetch_add(&en->prompt_tokens, prompt, __ATOMIC_RELAXED);
            __atomic_fetch_add(&en->completion_tokens, completion, __ATOMIC_RELAXED);
        }
    }
    qn_buf_free(&body);
    return found || (only && not_recorded(c));
}

/* ---- engine thread ---- */
enum { ALONE, BATCHED, FOLLOWS, N_HELD };      /* which of en->held */

static void hold_in(qn_engine *en, qn_call *c, int which)
{
    wait_of(c)->batched = which != ALONE;
    c->next = NULL;
    if (en->held[which].last) en->held[which].last->next = c;
    else en->held[which].first = c;
    en->held[which].last = c;
    en->n_held++;
    if (which == ALONE) en->n_held_alone++;
}

static void hold(qn_engine *en, qn_call *c)
{
    bool may = c->ask.model && c->ask.model->batch && c->ask.kind <= QN_ASK_EMBED;
    bool is_there = en->batcher && qn_map_get(&en->pending_keys, wait_of(c)->key), follows = wait_of(c)->item->turn->n_seen > 0;
    hold_in(en, c, is_there ? BATCHED : !en->batcher || !may ? ALONE : follows ? FOLLOWS : BATCHED);
}

static qn_call *take_held(qn_engine *en, int which)
{
    qn_call *c = en->held[which].first;
    en->held[which].first = c->next;
    if (!c->next) en->held[which].last = NULL;
    en->n_held--;
    if (which == ALONE) en->n_held_alone--;
    c->next = NULL;
    return c;
}

void qn_effects_ask(qn_engine *en, qn_item *items)
{
    for (qn_item *it = items, *next; it; it = next) {
        next = it->next;
        it->next = NULL;
        struct qn_turn_private *t = it->turn;
        for (size_t i = t->n_seen; i < t->n_calls; i++) {
            qn_call *c = t->calls[i];
            wait_of(c)->item = it;
            if (!c->reply.replayed) hold(en, c);
        }
    }
    qn_effects_pump(en);
}

/* What a person decided is there already: it is recorded, and nothing is sent. */
static void record_decision(qn_engine *en, qn_call *c)
{
    qn_buf body = {0};
    c->reply = (qn_reply){ .status = QN_REPLY_OK, .http = 200, .text = c->ask.answer, .finish = QN_STR("stop") };
    qn_reply_encode(&c->reply, &body);
    wait_of(c)->recording = true;
    qn_record rec = { .key = wait_of(c)->key, .body = qn_buf_view(&body) };
    qn_ledger_record(en->ledger, &rec, c);
    qn_buf_free(&body);
}

typedef enum { MAY_GO, MAY_LATER, MAY_NEVER } may;

static may budget_allows(const qn_engine *en, double worst)
{
    if (en->o->budget_usd < 0) return MAY_GO;
    double sure = en->spent_before_usd + en->cost_usd;
    if (sure + en->worst_in_flight_usd + worst <= en->o->budget_usd) return MAY_GO;
    return en->n_in_flight > 0 ? MAY_LATER : MAY_NEVER;
}

/* A call whose key is on its way already waits for that one's reply. */
static bool join_twin(qn_engine *en, qn_call *c)
{
    bool fresh;
    uint64_t *at = qn_map_put(&en->in_flight_keys, wait_of(c)->key, &fresh);
    if (!fresh && *at) {
        qn_call *first = (qn_call *)(uintptr_t)*at;
        c->next = wait_of(first)->twins;
        wait_of(first)->twins = c;
        return true;
    }
    *at = (uint64_t)(uintptr_t)c;
    return false;
}

static qn_item *one_answer(qn_call *c)
{
    struct qn_turn_private *t = wait_of(c)->item->turn;
    QN_ASSERT(t->n_open > 0);
    return --t->n_open == 0 ? wait_of(c)->item : NULL;
}

static void make_ready(qn_engine *en, qn_item *it)
{
    if (!it) return;
    it->next = en->ready;
    en->ready = it;
}

/* Since the worker looked, an equal request may have been answered: only those without a draw of their own can be equal. */
static bool answered_meanwhile(qn_engine *en, qn_call *c)
{
    if (c->ask.draw.n || en->calls_done == 0 || !qn_effects_replay(en, c)) return false;
    make_ready(en, one_answer(c));
    return true;
}

/* A request that an earlier run left in a batch: its intent is written and its worst case counted already. */
static bool join_batch(qn_engine *en, qn_call *c)
{
    qn_wait *w = wait_of(c);
    uint64_t *at = en->n_pending ? qn_map_get(&en->pending_keys, w->key) : NULL;
    if (!at || !*at) return false;
    struct qn_pending *p = &en->pending[*at - 1];
    *at = 0;
    c->intent = p->intent;
    c->batch = p->batch;
    w->worst_usd = p->worst_usd;
    w->recording = false;
    en->spent_before_usd -= p->worst_usd;
    en->worst_in_flight_usd += p->worst_usd;
    en->n_in_flight++;
    en->n_in_batches++;
    en->n_batched++;
    qn_batcher_submit(en->batcher, c);
    return true;
}

/* False: the budget says wait, or no more. */
static bool pump_one(qn_engine *en, int which)
{
    qn_call *c = en->held[which].first;
    qn_wait *w = wait_of(c);
    uint64_t *pending = which == BATCHED ? qn_map_get(&en->pending_keys, w->key) : NULL;
    if (!pending || !*pending) {
        may m = budget_allows(en, w->worst_usd);
        if (m == MAY_LATER) return false;
        if (m == MAY_NEVER) {
            en->stopping = true;
            en->end = QN_END_BUDGET;
            snprintf(en->why, sizeof en->why, "the budget of $%.4f is reached: $%.4f spent by this ledger, the next request may cost $%.4f",
                     en->o->budget_usd, en->spent_before_usd + en->cost_usd, w->worst_usd);
            return false;
        }
    }
    take_held(en, which);
    if (answered_meanwhile(en, c) || join_twin(en, c) || join_batch(en, c)) return true;
    en->n_in_flight++;
    en->worst_in_flight_usd += w->worst_usd;
    if (w->batched) { en->n_in_batches++; en->n_batched++; }
    if (c->ask.kind == QN_ASK_PERSON) { record_decision(en, c); return true; }
    qn_intent it = { .key = w->key, .step = en->plan->steps[w->item->step].name.p, .row = qn_row_id(w->item->row), .worst_usd = w->worst_usd,
                     .request = c->ask.body.n ? c->ask.body : c->ask.url, .number = &c->intent };
    w->recording = false;
    qn_ledger_intent(en->ledger, &it, c);           /* from here on the call is others': not even its number may be written now */
    return true;
}

void qn_effects_pump(qn_engine *en)
{
    size_t window = (size_t)en->o->in_flight;
    while (en->held[BATCHED].first && !en->stopping && !en->cut && pump_one(en, BATCHED)) { }
    while (en->held[ALONE].first && en->n_in_flight - en->n_in_batches < window && !en->stopping && !en->cut && pump_one(en, ALONE)) { }
}

/* Replies on their way back from batches may bring more that follow on them. */
static bool more_underway(qn_engine *en)
{
    qn_batcher_stats s;
    qn_batcher_stats_get(en->batcher, &s);
    return s.collecting || s.given != en->n_batched - en->n_in_batches;
}

/* What follows on replies (a repair, the next turn of a talk) has gathered. A few beside all that went in batches are asked singly, at the full price:
 * another batch may take a day. */
static void send_followers(qn_engine *en)
{
    uint64_t n = en->n_followed, n_batched = en->n_batched;
    for (const qn_call *c = en->held[FOLLOWS].first; c; c = c->next) n++;
    while (en->held[FOLLOWS].first) {
        qn_call *c = take_held(en, FOLLOWS);
        bool few = (double)n <= c->ask.model->batch_singly * (double)n_batched;
        if (few) { wait_of(c)->worst_usd = qn_ask_worst_alone_usd(&c->ask); en->n_followed++; }
        hold_in(en, c, few ? ALONE : BATCHED);
    }
    qn_effects_pump(en);
}

void qn_effects_idle(qn_engine *en)
{
    if (!en->batcher || en->n_in_batches != en->n_in_flight) return;
    if (en->held[FOLLOWS].first && !en->stopping && !en->cut && !more_underway(en)) send_followers(en);
    if (en->n_in_batches && en->n_in_batches == en->n_in_flight) qn_batcher_flush(en->batcher, en->n_batched, en->n_batched - en->n_in_batches);
}

/* The twin gets a copy of the reply; it was paid once. */
static void copy_reply(qn_call *to, const qn_call *from)
{
    to->reply = qn_reply_copy(&to->arena, &from->reply);
    to->reply.replayed = true;
}

static void account(qn_engine *en, const qn_call *c)
{
    const qn_reply *r = &c->reply;
    en->n_in_flight--;
    if (wait_of(c)->batched) en->n_in_batches--;
    en->worst_in_flight_usd -= wait_of(c)->worst_usd;
    if (en->n_in_flight == 0) en->worst_in_flight_usd = 0;      /* no drift from rounding */
    if (c->again) return;
    en->calls_done++;
    if (r->status == QN_REPLY_FAILED) {
        if (r->http) en->any_reached = true;
        if (!qn_str_is(r->error, "stopped")) en->calls_failed++;
        if (r->unreachable && !en->unreachable[0]) snprintf(en->unreachable, sizeof en->unreachable, "%.*s", QN_FMT(r->error));
        return;
    }
    en->any_reached = true;
    en->cost_usd += r->cost_usd;
    __atomic_fetch_add(&en->prompt_tokens, r->prompt_tokens, __ATOMIC_RELAXED);
    __atomic_fetch_add(&en->completion_tokens, r->completion_tokens, __ATOMIC_RELAXED);
}

/* Drops the keys that are no longer on their way, so that the map stays as small as the window. */
static void tidy_keys(qn_engine *en)
{
    qn_map old = en->in_flight_keys;
    if (old.n < 65536 || old.n < en->n_in_flight * 8) return;
    en->in_flight_keys = (qn_map){0};
    for (size_t i = 0; i < old.cap; i++)
        if (old.vals[i]) *qn_map_put(&en->in_flight_keys, old.keys[i], NULL) = old.vals[i];
    qn_map_free(&old);
}

/* A call that never left because the run stops: its row is pending, not failed. */
static bool was_stopped(const qn_call *c) { return c->reply.status == QN_REPLY_FAILED && qn_str_is(c->reply.error, "stopped"); }

static void give(qn_engine *en, qn_call *c)
{
    qn_item *it = wait_of(c)->item;
    if (was_stopped(c)) it->turn->stopped = true;
    it = one_answer(c);
    if (it && it->turn->stopped) qn_engine_item_pending(en, it);
    else make_ready(en, it);
}

/* Its batch of an earlier run is over without a reply to it: it is a new request, and so are those that waited for it. */
static void ask_again(qn_engine *en, qn_call *c)
{
    c->again = c->kept = false;
    c->batch = c->intent = 0;
    hold(en, c);
}

void qn_effects_strays(qn_engine *en, qn_call *calls)
{
    for (qn_call *c = calls, *next; c; c = next) {
        next = c->next;
        en->cost_usd += c->reply.cost_usd;
        qn_call_free(c);
    }
}

void qn_effects_answered(qn_engine *en, qn_call *calls)
{
    for (qn_call *c = calls, *next; c; c = next) {
        next = c->next;
        c->next = NULL;
        account(en, c);
        uint64_t *at = qn_map_get(&en->in_flight_keys, wait_of(c)->key);
        if (at) *at = 0;
        qn_call *twins = wait_of(c)->twins;
        wait_of(c)->twins = NULL;
        if (c->again) {
            ask_again(en, c);
            for (qn_call *after; twins; twins = after) { after = twins->next; hold(en, twins); }
            continue;
        }
        for (qn_call *after; twins; twins = after) {
            after = twins->next;
            twins->next = NULL;
            copy_reply(twins, c);
            give(en, twins);
        }
        give(en, c);
    }
    tidy_keys(en);
}

void qn_effects_stop(qn_engine *en, int64_t grace_ms)
{
    if (en->loop) qn_loop_stop(en->loop, grace_ms);
    if (en->batcher) qn_batcher_stop(en->batcher, grace_ms == 0 && en->signalled > 1 ? 2 : 1);
}

void qn_effects_drop_held(qn_engine *en)
{
    for (int which = 0; which < N_HELD; which++)
        while (en->held[which].first) {
            qn_call *c = take_held(en, which);
            c->reply = (qn_reply){ .status = QN_REPLY_FAILED, .error = QN_STR("stopped") };
            give(en, c);
        }
}
