/* engine: the scheduler. One thread owns all groups and decides what runs next; it never waits for anything but its inbox. */
#include "engine/internal.h"
#include "core/clock.h"
#include "core/log.h"
#include <stdio.h>
#include <stdlib.h>

enum { BATCHED_ROW_BYTES = 8192 };     /* of a row of ordinary size with its request, beside its text */

static const qn_step *step_of(const qn_engine *en, int i) { return &en->plan->steps[i]; }

static void give_up(qn_engine *en, qn_code rc, const qn_err *err)
{
    if (en->rc != QN_OK) return;
    en->rc = rc;
    en->err = *err;
    en->end = QN_END_ERROR;
    en->stopping = true;
    snprintf(en->why, sizeof en->why, "%s", err->msg);
    qn_effects_stop(en, 2000);
    qn_effects_drop_held(en);
}

/* ---- opening and closing steps ---- */
static void find_barriers(qn_engine *en)
{
    const qn_plan *p = en->plan;
    en->barriers = QN_NEW_N(int, p->n_steps + 1);
    en->producers = QN_NEW_N(int, p->n_steps + 1);
    for (int i = 0; i < p->n_steps; i++) {
        const qn_step *s = &p->steps[i];
        en->st[i].barrier = -1;
        if (qn_step_is_barrier(s)) {
            en->st[i].barrier = en->n_barriers;
            en->barriers[en->n_barriers++] = i;
        }
        if (qn_step_is_producer(s)) en->producers[en->n_producers++] = i;
        if (s->kind == QN_STEP_OP && s->op->stage == QN_SINK) {
            qn_value v;
            if (qn_v_get(s->shown, QN_STR("rows"), &v) || qn_v_get(s->shown, QN_STR("tokens"), &v)) en->has_target = true;
        }
    }
}

/* The outermost `repeat` around a step; NULL when there is none. */
static const qn_step *loop_around(const qn_engine *en, int step)
{
    for (int i = 0; i < step; i++)
        if (step_of(en, i)->kind == QN_STEP_LOOP && step_of(en, i)->partner > step) return step_of(en, i);
    return NULL;
}

static void find_barrier_ends(qn_engine *en)
{
    en->barrier_ends = QN_NEW_N(int, en->n_barriers + 1);
    for (int b = 0; b < en->n_barriers; b++) {
        const qn_step *loop = loop_around(en, en->barriers[b]);
        int last = b;
        while (loop && last + 1 < en->n_barriers && en->barriers[last + 1] < loop->partner) last++;
        en->barrier_ends[b] = last;
    }
}

static qn_ctx ctx_of(qn_engine *en, int step, qn_arena *scratch)
{
    return (qn_ctx){ .scratch = scratch, .seed = en->plan->seed, .step = step_of(en, step)->name, .out_dir = en->o->out_dir,
                     .recipe_dir = en->plan->dir, .memory_bytes = en->st[step].memory_bytes, .spare = &en->spare_memory, .n_threads = en->n_workers, .stop = en->o->stop, .gives = en->plan->steps[step].gives, .limit = en->o->limit, .licence = en->o->licence };
}

/* May the step keep rows or an index of them? Sources and sinks stream. */
static bool is_holder(const qn_step *s)
{
    return s->kind == QN_STEP_OP && s->op->open && s->op->stage != QN_SINK && !(s->op->next && !s->op->absorb);
}

/* What steps may hold of the ceiling: the program itself, rows on their way, the ids seen and what malloc cannot give back take the rest. */
static size_t for_steps(size_t ceiling)
{
    const size_t program = (size_t)12 << 20;
    return ceiling > 4 * program ? (ceiling - program) / 3 : ceiling / 4;
}

/* Each step that may hold rows has an equal part. Where they are many, parts are small, and half of the whole waits for those that cannot spill. */
enum { FEW_HOLDERS = 4 };

static qn_code open_steps(qn_engine *en, qn_err *e)
{
    qn_arena scratch = {0};
    int n_holders = 0;
    qn_code rc = QN_OK;
    for (int i = 0; i < en->plan->n_steps; i++) n_holders += is_holder(step_of(en, i));
    if (n_holders == 0) n_holders = 1;
    en->spare_memory = n_holders > FEW_HOLDERS ? for_steps(en->o->memory_bytes) / 2 : 0;
    for (int i = 0; i < en->plan->n_steps && rc == QN_OK; i++) {
        const qn_step *s = step_of(en, i);
        en->st[i].memory_bytes = (for_steps(en->o->memory_bytes) - en->spare_memory) / (size_t)n_holders;
        if (s->kind != QN_STEP_OP) continue;
        en->st[i].inherits = qn_licences_inherited(en->plan, s);
        qn_ctx cx = ctx_of(en, i, &scratch);
        if (s->op->open) rc = s->op->open(&cx, s->params, &en->st[i].state, e);
        else if (s->partner >= 0) en->st[i].state = en->st[s->partner].state;
        en->st[i].opened = rc == QN_OK || (s->op->open && en->st[i].state);        /* what failed half way is closed too */
        if (rc != QN_OK) {
            if (!e->pos.file && e->code != QN_EIO) e->pos = s->pos;
            qn_trail(e, "%.*s", QN_FMT(s->name));
        }
        qn_arena_reset(&scratch);
    }
    qn_arena_free(&scratch);
    return rc;
}

static void close_steps(qn_engine *en)
{
    for (int i = en->plan->n_steps - 1; i >= 0; i--) {
        const qn_step *s = step_of(en, i);
        if (en->st[i].opened && s->op->close && s->op->open) s->op->close(en->st[i].state);
    }
}

/* ---- groups ---- */
static void start_job(qn_engine *en, qn_job *j)
{
    en->n_jobs_out++;
    qn_queue_push(en->jobs, &j->msg.node);
}

/* A group that a producer made joins the others; the worker that made it runs it already. */
static void start_group(qn_engine *en, qn_group *g)
{
    g->seq = en->next_seq++;
    if (en->tail) en->tail->next = g;
    else en->head = g;
    en->tail = g;
    en->n_groups++;
    en->n_items += g->n_roots;
    en->bytes_live += g->bytes;
    if (g->n_roots) en->n_jobs_out++;
}

static void free_group(qn_engine *en, qn_group *g)
{
    for (qn_record_end *r = g->ended, *next; r; r = next) { next = r->next; qn_record_end_free(r); }
    for (qn_item *it = g->parked, *next; it; it = next) { next = it->next; qn_item_free(it); en->n_items--; }
    en->bytes_live -= g->bytes;
    en->n_groups--;
    qn_free(g->steps);
    qn_free(g);
}

void qn_engine_item_pending(qn_engine *en, qn_item *it)
{
    qn_group *g = it->group;
    g->n_live--;
    g->n_became++;          /* it leaves the account: pending rows are outside `in` */
    en->n_items--;
    if (!en->cut) en->r->pending++;
    qn_item_free(it);
}

/* ---- barriers ---- */
static int by_path(const void *a, const void *b)
{
    const qn_item *x = *(qn_item *const *)a, *y = *(qn_item *const *)b;
    if (x->root != y->root) return x->root < y->root ? -1 : 1;
    return qn_row_order(x->row, y->row);
}

/* Takes the rows parked at `step` out of the group, in the order of their paths. */
static qn_item *take_parked(qn_group *g, int step)
{
    size_t n = 0, i = 0;
    qn_item *rest = NULL, *mine = NULL;
    for (qn_item *it = g->parked, *next; it; it = next) {
        next = it->next;
        qn_item **to = it->step == step ? &mine : &rest;
        it->next = *to;
        *to = it;
        n += it->step == step;
    }
    g->parked = rest;
    if (n < 2) return mine;
    qn_item **all = qn_alloc(n * sizeof *all);
    for (qn_item *it = mine; it; it = it->next) all[i++] = it;
    for (i = 1; i < n && by_path(&all[i - 1], &all[i]) < 0;) i++;
    if (i < n) qsort(all, n, sizeof *all, by_path);
    for (i = 0; i < n; i++) all[i]->next = i + 1 < n ? all[i + 1] : NULL;
    mine = all[0];
    qn_free(all);
    return mine;
}

static size_t list_length(const qn_item *it)
{
    size_t n = 0;
    for (; it; it = it->next) n++;
    return n;
}

/* Rows at the first barrier, from the group's own up to the end of the loop around it, that has any. */
static qn_item *next_parked(qn_engine *en, qn_group *g, int *step)
{
    for (int b = g->stage; b <= en->barrier_ends[g->stage]; b++) {
        *step = en->barriers[b];
        qn_item *rows = take_parked(g, *step);
        if (rows) return rows;
    }
    return NULL;
}

/* Moves one group past as many barriers as it may: up to `limit`, where the group before it stands. */
static void advance(qn_engine *en, qn_group *g, int limit)
{
    while (!g->busy && g->n_live == 0 && g->stage < limit) {
        int step;
        qn_item *rows = next_parked(en, g, &step);
        if (!rows) { g->stage = en->barrier_ends[g->stage] + 1; continue; }
        qn_job *j = qn_job_new(QN_JOB_BARRIER, step);
        j->group = g;
        j->items = rows;
        g->busy = true;
        g->n_live += list_length(rows);
        start_job(en, j);
    }
}

static void commit(qn_engine *en, qn_group *g)
{
    qn_err e = {0};
    qn_code rc = qn_group_commit(en, g, &e);
    if (rc != QN_OK) give_up(en, rc, &e);
}

static void move_groups(qn_engine *en)
{
    int limit = en->n_barriers;
    for (qn_group *g = en->head; g && limit > 0; g = g->next) {
        if (!en->cut) advance(en, g, limit);
        limit = g->stage;
        if (g == en->cut_after) break;
    }
    while (en->head && en->head != en->cut_after && !en->head->busy && en->head->n_live == 0 && (en->cut || en->head->stage == en->n_barriers)) {
        qn_group *g = en->head;
        en->head = g->next;
        if (!en->head) en->tail = NULL;
        if (!en->cut) commit(en, g);
        else en->r->ahead += g->n_paid;
        free_group(en, g);
    }
}

/* ---- producers ---- */
static bool room_for_more(const qn_engine *en)
{
    size_t window = en->has_effects ? (size_t)en->o->in_flight * 8 + 1024 : (size_t)en->n_workers * 16 * QN_PRODUCE_ROWS;
    if (en->any_batch) window += en->o->memory_bytes / 2 / BATCHED_ROW_BYTES;       /* a batch wants to be full: rows wait for it in memory */
    if (en->n_groups == 0) return true;
    /* Requests that wait for their turn are built, prompt and all: a few are enough to refill what is in flight. Rows that wait behind a slow one
     * hold no request, and are let go further ahead. */
    size_t n_waiting = en->n_held_alone, enough = (size_t)en->o->in_flight / 2 + 128;
    if (en->has_effects && (n_waiting > enough || en->n_jobs_out > (size_t)en->n_workers * 8)) return false;
    return en->n_items < window && en->bytes_live < en->o->memory_bytes / 8;
}

/* Rows that move now go first: as long as every worker has work, the fewer rows are under way, the more of them lie in the processor's cache. Where groups
 * wait behind a slow one, workers run out of work and rows are read ahead, up to the window. */
static bool busy_enough(const qn_engine *en)
{
    size_t spare = en->n_workers > 1;       /* a job that waits while the engine thinks; one worker changes places with it anyway */
    return !en->has_effects && en->n_jobs_out >= (size_t)en->n_workers + spare;
}

/* A gather gives its rows after all that come before it have passed. */
static bool ready_to_give(qn_engine *en, int step)
{
    qn_step_state *st = &en->st[step];
    if (!step_of(en, step)->op->absorb) return true;
    if (st->finished) return true;
    if (en->n_groups > 0 || st->finishing) return false;
    st->finishing = true;
    start_job(en, qn_job_new(QN_JOB_FINISH, step));
    return false;
}

static void produce(qn_engine *en)
{
    if (en->stopping || en->cut || en->producer >= en->n_producers) return;
    int step = en->producers[en->producer];
    qn_step_state *st = &en->st[step];
    if (st->producing || !room_for_more(en) || busy_enough(en) || !ready_to_give(en, step)) return;
    st->producing = true;
    start_job(en, qn_job_new(QN_JOB_PRODUCE, step));
}

static void produced(qn_engine *en, qn_job *j)
{
    qn_step_state *st = &en->st[j->step];
    if (j->rc != QN_OK) give_up(en, j->rc, &j->err);
    if (j->made) start_group(en, j->made);
    st->producing = false;
    if (j->exhausted) {
        st->exhausted = true;
        en->producer++;
    } else if (j->wait && en->n_groups > 0) {
        st->producing = true;           /* until the groups under way are through: see move_on */
        st->waiting = true;
    }
}

/* ---- messages ---- */
static void merge(qn_engine *en, qn_job *j)
{
    qn_group *g = j->group;
    if (!g) return;
    for (qn_item *it = j->parked, *next; it; it = next) { next = it->next; it->next = g->parked; g->parked = it; }
    for (qn_record_end *r = j->ended, *next; r; r = next) { next = r->next; r->next = g->ended; g->ended = r; }
    g->n_live += j->n_new;
    g->n_live -= j->n_gone + j->n_parked;
    en->n_items += j->n_new;
    en->n_items -= j->n_gone;
    g->n_created += j->n_created;
    g->n_became += j->n_became;
    g->n_accepted += j->n_accepted;
    en->r->ahead += j->n_ahead;
    if (!en->cut) en->r->pending += j->n_pending;
    if (j->asking) qn_effects_ask(en, j->asking);
}

static void barrier_done(qn_engine *en, qn_job *j)
{
    qn_group *g = j->group;
    g->busy = false;
    if (!loop_around(en, en->barriers[g->stage])) g->stage++;        /* the group behind may follow while these rows are on their way */
    if (!j->target) return;
    en->cut_after = j->group;
}

static void job_done(qn_engine *en, qn_job *j)
{
    en->n_jobs_out--;
    merge(en, j);
    switch (j->kind) {
    case QN_JOB_PRODUCE: produced(en, j); break;
    case QN_JOB_BARRIER: barrier_done(en, j); break;
    case QN_JOB_FINISH:  en->st[j->step].finished = j->rc == QN_OK; break;
    case QN_JOB_RUN: break;
    }
    bool asked_to_stop = j->rc == QN_ESTOP && j->kind == QN_JOB_FINISH && en->o->stop && qn_flag_get(en->o->stop);
    if (j->rc != QN_OK && j->kind != QN_JOB_PRODUCE && !asked_to_stop) give_up(en, j->rc, &j->err);
    qn_job_free(j);
}

static void take_messages(qn_engine *en, int64_t wait_us)
{
    qn_node *n = qn_queue_pop(en->inbox, 512, wait_us);
    for (qn_node *next; n; n = next) {
        qn_msg *m = (qn_msg *)n;
        next = n->next;
        if (m->kind == QN_MSG_JOB) { job_done(en, (qn_job *)m); continue; }
        if (m->kind == QN_MSG_CALLS) qn_effects_answered(en, m->calls);
        else if (m->kind == QN_MSG_STRAYS) qn_effects_strays(en, m->calls);
        else {
            qn_err e = {0};
            qn_fail(&e, QN_ELEDGER, "%s", m->why);
            give_up(en, QN_ELEDGER, &e);
        }
        qn_free(m);
    }
}

static void run_ready(qn_engine *en)
{
    while (en->ready) {
        qn_item *it = en->ready;
        en->ready = it->next;
        it->next = NULL;
        it->group->n_paid++;
        qn_job *j = qn_job_new(QN_JOB_RUN, -1);
        j->group = it->group;
        j->items = it;
        start_job(en, j);
    }
}

/* A target is met: the group that met it is the last one; those behind it did not enter. */
static void cut_when_met(qn_engine *en)
{
    qn_group *last = en->cut_after;
    if (!last || en->cut || last != en->head || last->busy || last->n_live || last->stage < en->n_barriers) return;
    en->cut = true;
    en->end = QN_END_TARGET;
    en->head = last->next;
    if (!en->head) en->tail = NULL;
    commit(en, last);
    free_group(en, last);
    en->cut_after = NULL;
    qn_effects_stop(en, 30000);
    qn_effects_drop_held(en);
}

static void look_at_signals(qn_engine *en)
{
    int stop = en->o->stop ? qn_flag_get(en->o->stop) : 0;
    if (!stop || (en->signalled >= stop)) return;
    en->signalled = stop;
    en->stopping = true;
    if (en->end == QN_END_DONE) {
        en->end = QN_END_SIGNAL;
        if (en->n_in_batches)
            snprintf(en->why, sizeof en->why, "interrupted; %zu requests go on in batches at the endpoint: run the same command again to collect them", en->n_in_batches);
        else snprintf(en->why, sizeof en->why, "interrupted; run the same command again to go on");
    }
    qn_effects_stop(en, stop > 1 ? 0 : 5000);
    qn_effects_drop_held(en);
}

/* Nobody answers at all: going on would only fail every row. */
static void look_at_reach(qn_engine *en)
{
    if (en->stopping || en->any_reached || !en->unreachable[0] || en->calls_failed < 3) return;
    en->stopping = true;
    en->end = QN_END_UNREACHABLE;
    snprintf(en->why, sizeof en->why, "%s", en->unreachable);
    qn_effects_stop(en, 0);
    qn_effects_drop_held(en);
}

static void show(qn_engine *en, bool last)
{
    int64_t now = qn_now_us();
    if (!en->o->progress || (!last && now - en->shown_us < 100000)) return;
    en->shown_us = now;
    qn_loop_stats ls = {0};
    qn_batcher_stats bs = {0};
    if (en->loop) qn_loop_stats_get(en->loop, &ls);
    if (en->batcher) qn_batcher_stats_get(en->batcher, &bs);
    qn_progress p = { .seconds = 1e-6 * (double)(now - en->began_us), .accepted = en->r->accepted, .rejected = en->r->rejected,
                      .failed = en->r->failed, .in_flight = en->n_in_flight, .waiting = en->n_held, .calls_done = en->calls_done,
                      .replayed = qn_count_get(&en->replayed), .cost_usd = en->cost_usd, .paused_why = ls.paused ? ls.paused_why : NULL,
                      .batches = bs.words[0] ? bs.words : NULL, .in_batches = bs.n_waiting };
    for (int i = 0; i < en->n_producers; i++)
        if (step_of(en, en->producers[i])->op->stage == QN_SOURCE) p.rows_read += qn_count_get(&en->st[en->producers[i]].seen_rows);
    en->o->progress(en->o->progress_arg, &p);
}

static bool over(const qn_engine *en)
{
    if (en->n_jobs_out || en->n_in_flight || en->ready) return false;
    if (en->stopping || en->cut) return en->n_groups == 0 || en->rc != QN_OK;
    return en->n_groups == 0 && en->producer >= en->n_producers;
}

static void move_on(qn_engine *en)
{
    run_ready(en);
    move_groups(en);
    cut_when_met(en);
    if (en->producer < en->n_producers) {
        qn_step_state *st = &en->st[en->producers[en->producer]];
        if (st->waiting && en->n_groups == 0) st->waiting = st->producing = false;
    }
    if (en->loop) qn_effects_pump(en);
    if (en->stopping || en->cut) qn_effects_drop_held(en);
    run_ready(en);
    produce(en);
    if (en->n_jobs_out == 0 && !en->ready) qn_effects_idle(en);
}

static void loop(qn_engine *en)
{
    while (!over(en)) {
        move_on(en);
        if (over(en)) break;
        take_messages(en, 100000);
        look_at_signals(en);
        look_at_reach(en);
        show(en, false);
    }
    while (en->head) {                  /* only after an error: what is left did not end */
        qn_group *g = en->head;
        en->head = g->next;
        free_group(en, g);
    }
}

/* ---- the end ---- */
static void finish_sinks(qn_engine *en)
{
    qn_arena scratch = {0};
    for (int i = 0; i < en->plan->n_steps && en->rc == QN_OK; i++) {
        const qn_step *s = step_of(en, i);
        if (s->kind != QN_STEP_OP) continue;
        const char *lack = s->op->lacks && en->end == QN_END_DONE ? s->op->lacks(en->st[i].state) : NULL;
        if (lack) {
            en->lacking = true;
            snprintf(en->why, sizeof en->why, "%.*s: %s", QN_FMT(s->name), lack);
        }
        uint64_t decided = 0, passed = 0;
        if (s->op->people) s->op->people(en->st[i].state, &decided, &passed);
        en->r->decided += decided;
        en->r->undecided += passed;
        if (s->op->stage != QN_SINK || !s->op->finish) continue;
        qn_ctx cx = ctx_of(en, i, &scratch);
        qn_err e = {0};
        qn_code rc = s->op->finish(&cx, s->params, en->st[i].state, &e);
        if (rc == QN_ESTOP) {
            en->lacking = true;
            if (!en->why[0]) snprintf(en->why, sizeof en->why, "%.*s: the sources ended before the target was met", QN_FMT(s->name));
        }
        else if (rc != QN_OK) give_up(en, rc, &e);
    }
    if (en->end == QN_END_DONE && en->r->pending) en->end = QN_END_WAITING;
    qn_arena_free(&scratch);
}

static void close_out(qn_engine *en, qn_out **o)
{
    qn_err e = {0};
    if (!*o) return;
    if (en->rc != QN_OK) qn_out_drop(*o);
    else if (qn_out_keep(*o, &e) != QN_OK) give_up(en, e.code, &e);
    *o = NULL;
}

static qn_code open_outputs(qn_engine *en, qn_err *e)
{
    if (en->o->rejected_path) {
        QN_TRY(qn_out_open(&en->rejected, en->o->rejected_path, e));
        int n_sources = 0;
        for (int i = 0; i < en->n_producers; i++) n_sources += en->plan->steps[en->producers[i]].op->stage == QN_SOURCE;
        en->numbers_rows = n_sources == 1;
    } else if (en->o->out_dir) {
        char *r = qn_path_join(en->o->out_dir, "rejected.jsonl"), *f = qn_path_join(en->o->out_dir, "failed.jsonl");
        qn_code rc = qn_out_open(&en->rejected, r, e);
        if (rc == QN_OK) rc = qn_out_open(&en->failed, f, e);
        qn_free(r);
        qn_free(f);
        QN_TRY(rc);
    }
    if (en->o->out_dir) QN_TRY(qn_trace_open(&en->trace, en->o->out_dir, e));
    return QN_OK;
}

/* The account must add up: every row that came to be either became others or ended, once. */
static void check_account(qn_engine *en)
{
    qn_run_result *r = en->r;
    uint64_t ended = r->accepted + r->rejected + r->failed;
    r->in = ended;
    if (en->rc != QN_OK || r->created == r->became + ended) return;
    qn_err e = {0};
    qn_fail(&e, QN_EDATA, "a bug in quern: the loss account does not add up: %llu rows came to be, %llu became others, %llu ended",
            (unsigned long long)r->created, (unsigned long long)r->became, (unsigned long long)ended);
    give_up(en, QN_EDATA, &e);
}

static void fill_result(qn_engine *en)
{
    qn_run_result *r = en->r;
    r->end = en->end;
    r->sent = en->sent;
    r->retried = en->retried;
    r->replayed = en->replayed;
    r->collected = en->collected;
    r->calls_failed = en->calls_failed;
    r->prompt_tokens = en->prompt_tokens;
    r->completion_tokens = en->completion_tokens;
    r->cost_usd = en->cost_usd;
    r->cost_all_usd += en->cost_usd;
    r->seconds = 1e-6 * (double)(qn_now_us() - en->began_us);
    r->cpu_seconds = qn_cpu_seconds();
    r->peak_memory_bytes = qn_peak_rss_bytes();
    r->lacking = en->lacking;
    snprintf(r->stopped_why, sizeof r->stopped_why, "%s", en->why);
}

static void start_workers(qn_engine *en)
{
    en->workers = QN_NEW_N(qn_thread *, en->n_workers);
    for (int i = 0; i < en->n_workers; i++) en->workers[i] = qn_thread_start("worker", qn_worker_main, en);
}

static void stop_workers(qn_engine *en)
{
    qn_queue_close(en->jobs);
    for (int i = 0; i < en->n_workers && en->workers; i++) qn_thread_join(en->workers[i]);
    qn_free(en->workers);
}

qn_code qn_run(const qn_plan *plan, const qn_run_opts *o, qn_run_result *out, qn_err *e)
{
    qn_engine *en = QN_NEW(qn_engine);
    memset(out, 0, sizeof *out);
    en->plan = plan;
    en->o = o;
    en->r = out;
    en->began_us = qn_now_us();
    en->n_workers = o->workers > 0 ? o->workers : qn_n_cores();
    en->st = QN_NEW_N(qn_step_state, plan->n_steps);
    out->steps = QN_NEW_N(qn_step_tally, plan->n_steps);
    en->jobs = qn_queue_new();
    en->inbox = qn_queue_new();
    find_barriers(en);
    find_barrier_ends(en);
    en->rc = open_outputs(en, &en->err);
    if (en->rc == QN_OK) en->rc = qn_effects_open(en, &en->err);
    if (en->rc == QN_OK) en->rc = open_steps(en, &en->err);
    if (en->rc == QN_OK) {
        start_workers(en);
        loop(en);
        stop_workers(en);
        check_account(en);
        finish_sinks(en);
        show(en, true);
    }
    qn_effects_close(en);
    if (en->rc != QN_OK) qn_err_keep(&en->err);
    close_steps(en);
    close_out(en, &en->rejected);
    close_out(en, &en->failed);
    qn_err trace_err = {0};
    if (qn_trace_close(en->trace, en->rc == QN_OK, &trace_err) != QN_OK) give_up(en, trace_err.code, &trace_err);
    fill_result(en);
    qn_code rc = en->rc;
    if (rc != QN_OK) *e = en->err;
    qn_queue_free(en->jobs);
    qn_queue_free(en->inbox);
    qn_map_free(&en->reason_index);
    qn_map_free(&en->seen_rows);
    qn_free(en->barriers);
    qn_free(en->barrier_ends);
    qn_free(en->producers);
    qn_free(en->st);
    qn_free(en);
    return rc;
}

void qn_run_result_free(qn_run_result *r)
{
    qn_free(r->steps);
    qn_free(r->reasons);
    r->steps = NULL;
    r->reasons = NULL;
}
