/* worker: takes a job, moves its rows through steps as far as they go without waiting for anything, and hands the job back.
 *
 * A row stops at a barrier (it is parked), at a request that the ledger does not know (it asks), or at its end. */
#include "engine/dry.h"
#include "engine/internal.h"
#include "core/clock.h"
#include <stdio.h>

typedef struct item_queue { qn_item *first, *last; } item_queue;

typedef struct worker {
    qn_engine *en;
    qn_arena   scratch;
    qn_job    *job;
    qn_item   *todo;            /* stack of items still to move */
    item_queue *together;       /* (n_steps) items before a step that does something ahead for many; made when first needed */
    size_t     n_together;      /* of all steps */
} worker;

struct qn_emit {
    worker   *w;
    qn_item  *item;
    qn_row  **rows;             /* emitted, owned */
    size_t    n, cap;
    uint32_t  next_k;
    qn_str    step;
    struct { qn_row *row; qn_verdict v; } *rejects;
    size_t    n_rejects, cap_rejects;
    bool      waits;            /* the row waits for people */
};

/* ---- what operators call ---- */
void qn_emit_row(qn_emit *em, qn_row *r)
{
    QN_GROW(em->rows, em->n, em->cap);
    em->rows[em->n++] = r;
}

qn_row *qn_emit_child(qn_emit *em, qn_row *parent) { return qn_row_child(parent, em->step, em->next_k++); }

void qn_emit_reject(qn_emit *em, qn_row *r, qn_verdict v)
{
    QN_GROW(em->rejects, em->n_rejects, em->cap_rejects);
    em->rejects[em->n_rejects].row = r;
    em->rejects[em->n_rejects++].v = v;
}

void qn_turn_ask(qn_turn *t, const qn_ask *ask)
{
    struct qn_turn_private *p = t->private_;
    qn_call *c = qn_call_new();
    qn_wait *wait = QN_ARENA_NEW(&c->arena, qn_wait);
    c->ask = *ask;
    c->ask.body = qn_arena_str(&c->arena, ask->body);
    c->ask.url = qn_arena_str(&c->arena, ask->url);
    c->ask.draw = qn_arena_str(&c->arena, ask->draw);
    c->ask.answer = qn_arena_str(&c->arena, ask->answer);
    c->user = wait;
    wait->item = p->item;
    wait->index = p->n_calls;
    wait->key = qn_ask_key(&c->ask);
    wait->worst_usd = qn_ask_worst_usd(&c->ask);
    QN_GROW(p->calls, p->n_calls, p->cap_calls);
    p->calls[p->n_calls++] = c;
}

void qn_emit_wait(qn_emit *em) { em->waits = true; }

/* ---- jobs and items ---- */
qn_job *qn_job_new(qn_job_kind kind, int step)
{
    qn_job *j = QN_NEW(qn_job);
    j->msg.kind = QN_MSG_JOB;
    j->kind = kind;
    j->step = step;
    return j;
}

void qn_job_free(qn_job *j)
{
    qn_free(j);
}

static void turn_free(struct qn_turn_private *t)
{
    if (!t) return;
    for (size_t i = 0; i < t->n_calls; i++) qn_call_free(t->calls[i]);
    qn_free(t->calls);
    qn_free((void *)(uintptr_t)t->turn.replies);
    qn_arena_free(&t->arena);
    qn_free(t);
}

void qn_item_free(qn_item *it)
{
    for (int i = 0; i < it->n_frames; i++) qn_row_drop(it->frames[i].base);
    turn_free(it->turn);
    qn_row_drop(it->row);
    qn_free(it);
}

bool qn_step_is_producer(const qn_step *s)
{
    return s->kind == QN_STEP_OP && s->op->next != NULL;
}

bool qn_step_is_barrier(const qn_step *s)
{
    if (s->kind == QN_STEP_JOIN) return true;
    if (s->kind != QN_STEP_OP) return false;
    return s->op->settle || s->op->absorb || (s->op->flags & QN_OP_ORDERED);
}

static qn_item *item_new(const qn_item *like, qn_row *row, int step)
{
    qn_item *it = QN_NEW(qn_item);
    it->row = row;
    it->group = like->group;
    it->root = like->root;
    it->paid = like->paid;
    it->step = step;
    it->n_frames = like->n_frames;
    for (int i = 0; i < like->n_frames; i++)        /* a child of a loop's row goes round by itself, without a row to fall back to */
        it->frames[i] = (qn_frame){ like->frames[i].step, like->frames[i].turn, NULL };
    return it;
}

static qn_ctx ctx_of(worker *w, int step)
{
    qn_engine *en = w->en;
    return (qn_ctx){ .scratch = &w->scratch, .seed = en->plan->seed, .step = en->plan->steps[step].name, .out_dir = en->o->out_dir,
                     .recipe_dir = en->plan->dir, .memory_bytes = en->st[step].memory_bytes, .spare = &en->spare_memory, .n_threads = en->n_workers, .stop = en->o->stop, .gives = en->plan->steps[step].gives,
                     .limit = en->o->dry ? en->o->dry->limit : en->o->limit, .licence = en->o->licence };
}

static void push(worker *w, qn_item *it) { it->next = w->todo; w->todo = it; }

static void count(const qn_item *it, int step, bool in)
{
    qn_step_tally *t = &it->group->steps[step];
    qn_count_add(in ? &t->in : &t->out, 1);
}

static void end_item(worker *w, qn_item *it, qn_record_end *rec)
{
    rec->next = w->job->ended;
    w->job->ended = rec;
    w->job->n_gone++;
    it->row = NULL;             /* the record holds it now */
    qn_item_free(it);
}

/* The row stopped being a row of its own: others took its place. */
static void item_became(worker *w, qn_item *it)
{
    w->job->n_became++;
    w->job->n_gone++;
    qn_item_free(it);
}

/* A new row entered the account and the flow. */
static qn_item *item_created(worker *w, const qn_item *like, qn_row *row, int step)
{
    w->job->n_created++;
    w->job->n_new++;
    return item_new(like, row, step);
}

/* A row rejected inside `repeat: {again: yes}`: the row of before the turn goes round again. */
static qn_item *fall_back(worker *w, qn_item *it)
{
    const qn_plan *plan = w->en->plan;
    for (int i = it->n_frames - 1; i >= 0; i--) {
        qn_frame *f = &it->frames[i];
        if (!f->base) continue;
        const qn_loop_params *lp = plan->steps[f->step].params;
        if (lp->each && f->turn >= lp->times) return NULL;      /* its copy has gone out already */
        qn_item *again = item_created(w, it, f->base, f->step);    /* it became the turn's row; now it is a row again */
        again->n_frames = i;
        f->base = NULL;
        if (f->turn < lp->times) {
            again->n_frames = i + 1;
            again->frames[i] = (qn_frame){ f->step, f->turn, NULL };
            again->step = f->step;
        } else {
            again->step = plan->steps[plan->steps[f->step].partner].next[0];
        }
        return again;
    }
    return NULL;
}

static void reject_item(worker *w, qn_item *it, int step, const qn_verdict *v)
{
    qn_item *again = fall_back(w, it);
    qn_count_add(&it->group->steps[step].rejected, 1);
    end_item(w, it, qn_end_reject(w->en, step, it->root, it->row, v));
    if (again) push(w, again);
}

static void fail_item(worker *w, qn_item *it, int step, const char *why)
{
    qn_count_add(&it->group->steps[step].failed, 1);
    end_item(w, it, qn_end_fail(w->en, step, it->root, it->row, why));
}

/* The row leaves a step: to the one step behind it, or as children to several. */
static void leave(worker *w, qn_item *it, int step)
{
    const qn_step *s = &w->en->plan->steps[step];
    QN_ASSERT(s->n_next > 0);
    if (s->n_next == 1) {
        it->step = s->next[0];
        push(w, it);
        return;
    }
    for (int i = 0; i < s->n_next; i++) {
        qn_str branch = w->en->plan->steps[s->next[i]].name;
        push(w, item_created(w, it, qn_row_child(it->row, branch, (uint32_t)i), s->next[i]));
    }
    item_became(w, it);
}

/* ---- repeat ---- */
static void begin_turn(worker *w, qn_item *it, qn_frame *f)
{
    const qn_step *s = &w->en->plan->steps[f->step];
    const qn_loop_params *lp = s->params;
    qn_row *base = it->row;             /* each turn is a row of its own: what it draws and samples differs from the turn before */
    it->row = qn_row_child(base, s->name, (uint32_t)f->turn);
    if (lp->again) f->base = base;
    else qn_row_drop(base);
    w->job->n_created++;                /* the base became this turn's row */
    w->job->n_became++;
    char name[64];
    snprintf(name, sizeof name, "%.*s", QN_FMT(lp->as));
    qn_row_set_int(it->row, name, f->turn);
}

static void enter_loop(worker *w, qn_item *it, int step)
{
    qn_frame *f = it->n_frames ? &it->frames[it->n_frames - 1] : NULL;
    if (!f || f->step != step) {
        if (it->n_frames == QN_MAX_LOOPS) { fail_item(w, it, step, "`repeat` is nested more than 4 deep"); return; }
        f = &it->frames[it->n_frames++];
        *f = (qn_frame){ .step = step };
        count(it, step, true);
    }
    f->turn++;
    begin_turn(w, it, f);
    count(it, step, false);
    leave(w, it, step);
}

static void end_loop(worker *w, qn_item *it, int step)
{
    const qn_step *s = &w->en->plan->steps[step];
    const qn_loop_params *lp = s->params;
    QN_ASSERT(it->n_frames > 0);
    qn_frame *f = &it->frames[it->n_frames - 1];
    bool leaves = f->turn >= lp->times;
    qn_err e = {0};
    count(it, step, true);
    if (!leaves && lp->until) {
        qn_value v;
        if (qn_expr_one(lp->until, it->row, &w->scratch, &v, &e) != QN_OK) { fail_item(w, it, step, e.msg); return; }
        leaves = qn_v_true(v);
        qn_arena_reset(&w->scratch);
    }
    qn_row_drop(f->base);
    f->base = NULL;
    if (leaves) {
        it->n_frames--;
        count(it, step, false);
        leave(w, it, step);
        return;
    }
    if (lp->each) {                     /* a copy goes on, the row goes round */
        qn_item *copy = item_created(w, it, qn_row_child(it->row, s->name, 0), step);
        copy->n_frames--;
        qn_item *round = item_created(w, it, qn_row_child(it->row, s->name, 1), s->partner);
        item_became(w, it);
        count(copy, step, false);
        leave(w, copy, step);
        push(w, round);
        return;
    }
    it->step = s->partner;
    push(w, it);
}

/* The row waits for people: it is outside the account until a later run, as one whose request never left. */
static void wait_item(worker *w, qn_item *it)
{
    w->job->n_pending++;
    item_became(w, it);
}

/* ---- after an operator ran: what it emitted and rejected ---- */
static void settle_emitted(worker *w, qn_item *it, int step, qn_emit *em, qn_code rc, qn_err *e)
{
    qn_row *own = it->row;
    bool own_goes = false, own_rejected = false;
    qn_verdict own_verdict = qn_keep();
    if (rc != QN_OK) {
        for (size_t i = 0; i < em->n; i++) if (em->rows[i] != own) qn_row_drop(em->rows[i]);
        for (size_t i = 0; i < em->n_rejects; i++) if (em->rejects[i].row != own) qn_row_drop(em->rejects[i].row);
        fail_item(w, it, step, e->msg);
        goto out;
    }
    for (size_t i = 0; i < em->n; i++) {
        if (em->rows[i] == own) { own_goes = true; continue; }
        qn_item *child = item_created(w, it, em->rows[i], step);
        count(child, step, false);
        leave(w, child, step);
    }
    for (size_t i = 0; i < em->n_rejects; i++) {
        if (em->rejects[i].row == own) { own_rejected = !w->en->o->dry; own_goes |= !own_rejected; own_verdict = em->rejects[i].v; continue; }
        reject_item(w, item_created(w, it, em->rejects[i].row, step), step, &em->rejects[i].v);
    }
    if (em->waits && !w->en->o->dry) {
        wait_item(w, it);
    } else if (own_goes || em->waits) {
        count(it, step, false);
        leave(w, it, step);
    } else if (own_rejected) {
        reject_item(w, it, step, &own_verdict);
    } else if (em->n == 0 && em->n_rejects == 0) {
        qn_verdict none = qn_reject_below("rows", 0, 1);
        reject_item(w, it, step, &none);
    } else {
        item_became(w, it);
    }
out:
    qn_free(em->rows);
    qn_free(em->rejects);
}

/* ---- the shapes ---- */
/* `plan` runs nobody's commands: what the step would add is made up. */
static bool run_no_command(worker *w, qn_item *it, const qn_step *s)
{
    if (!w->en->o->dry || !(s->op->flags & QN_OP_RUNS_COMMANDS)) return false;
    for (size_t i = 0; s->out && i < s->out->n_fields; i++) {
        const qn_type_field *f = &s->out->fields[i];
        if (!s->in || qn_type_field_of(s->in, f->name) != f->type) qn_row_set(it->row, f->name, qn_dry_value(w->en->o->dry, f->type, &w->scratch));
    }
    count(it, s->index, false);
    leave(w, it, s->index);
    return true;
}

static void run_map(worker *w, qn_item *it, const qn_step *s)
{
    if (run_no_command(w, it, s)) return;
    qn_ctx cx = ctx_of(w, s->index);
    qn_emit em = { .w = w, .item = it, .step = s->name };
    qn_err e = {0};
    qn_code rc = s->op->map(&cx, s->params, w->en->st[s->index].state, it->row, &em, &e);
    settle_emitted(w, it, s->index, &em, rc, &e);
}

static void apply_verdict(worker *w, qn_item *it, const qn_step *s, const qn_verdict *v)
{
    if (v->reject && !w->en->o->dry) { reject_item(w, it, s->index, v); return; }
    count(it, s->index, false);
    leave(w, it, s->index);
}

static bool run_measure(worker *w, qn_item *it, const qn_step *s)
{
    qn_ctx cx = ctx_of(w, s->index);
    qn_err e = {0};
    if (!s->op->measure || s->op->measure(&cx, s->params, it->row, &e) == QN_OK) return true;
    fail_item(w, it, s->index, e.msg);
    return false;
}

/* Replies seen so far, in a row, for the operator. */
static void gather_replies(struct qn_turn_private *t)
{
    qn_reply *all = qn_alloc(t->n_calls * sizeof *all);
    for (size_t i = 0; i < t->n_calls; i++) all[i] = t->calls[i]->reply;
    qn_free((void *)(uintptr_t)t->turn.replies);
    t->turn.replies = all;
    t->turn.n_replies = t->n_calls;
}

static const char *failed_reply(const struct qn_turn_private *t)
{
    for (size_t i = t->n_seen; i < t->n_calls; i++)
        if (t->calls[i]->reply.status == QN_REPLY_FAILED) return t->calls[i]->reply.error.n ? t->calls[i]->reply.error.p : "no reply";
    return NULL;
}

static void note_origins(qn_item *it, const qn_step *s)
{
    struct qn_turn_private *t = it->turn;
    for (size_t i = t->n_seen; i < t->n_calls; i++) {
        const qn_call *c = t->calls[i];
        bool none = c->ask.recorded_only && c->reply.status == QN_REPLY_FAILED;
        if (!none && !c->ask.shared) qn_row_add_origin(it->row, s->name, ((qn_wait *)c->user)->key);
    }
    it->paid = it->paid || t->n_calls > 0;
}

static void park(worker *w, qn_item *it)
{
    it->next = w->job->parked;
    w->job->parked = it;
    w->job->n_parked++;
}

/* False: what went into the row forbids what the rows are for, and the run stops. */
static bool licensed(worker *w, qn_item *it)
{
    qn_err e = {0};
    if (qn_licences_allow(w->en, it->row, &e) == QN_OK) return true;
    w->job->rc = QN_EUSAGE;
    w->job->err = e;
    w->job->n_gone++;
    w->job->n_became++;
    qn_item_free(it);
    return false;
}

/* One turn after the other as long as the ledger knows all answers. */
static void run_turns(worker *w, qn_item *it, const qn_step *s)
{
    for (;;) {
        struct qn_turn_private *t = it->turn;
        if (!t) {
            t = it->turn = QN_NEW(struct qn_turn_private);
            t->item = it;
            t->turn.arena = &t->arena;
            t->turn.private_ = t;
            if (!licensed(w, it)) return;
        } else {
            const char *bad = failed_reply(t);
            if (bad && !(s->op->flags & QN_OP_SEES_FAILURES)) {
                char why[256];
                snprintf(why, sizeof why, "%s", bad);
                fail_item(w, it, s->index, why);
                return;
            }
            note_origins(it, s);
            gather_replies(t);
        }
        t->n_seen = t->n_calls;
        qn_ctx cx = ctx_of(w, s->index);
        qn_emit em = { .w = w, .item = it, .step = s->name };
        qn_err e = {0};
        qn_code rc = s->op->turn(&cx, s->params, w->en->st[s->index].state, it->row, &t->turn, &em, &e);
        qn_arena_reset(&w->scratch);
        if (rc != QN_OK || t->n_calls == t->n_seen) {       /* nothing more to ask: the row leaves */
            it->turn = NULL;
            if (rc == QN_OK && qn_step_is_barrier(s) && em.n == 1 && em.rows[0] == it->row && em.n_rejects == 0) {
                qn_free(em.rows);
                park(w, it);                                /* asked by any worker, decided in order */
            } else {
                settle_emitted(w, it, s->index, &em, rc, &e);
            }
            turn_free(t);
            return;
        }
        QN_ASSERT(em.n == 0 && em.n_rejects == 0);          /* ask or emit, not both in one turn */
        t->n_open = 0;
        for (size_t i = t->n_seen; i < t->n_calls; i++)
            if (!qn_effects_replay(w->en, t->calls[i])) t->n_open++;
        if (t->n_open) {
            it->next = w->job->asking;
            w->job->asking = it;
            return;
        }
    }
}

static bool passes_by(worker *w, qn_item *it, const qn_step *s)
{
    qn_value v;
    qn_err e = {0};
    if (!s->when) return false;
    if (qn_expr_one(s->when, it->row, &w->scratch, &v, &e) != QN_OK) {
        fail_item(w, it, s->index, e.msg);
        return true;
    }
    bool go = qn_v_true(v);
    qn_arena_reset(&w->scratch);
    if (go) return false;
    leave(w, it, s->index);
    return true;
}

/* The row waits for others of its job at this step; see go_ahead. */
static void wait_for_others(worker *w, qn_item *it)
{
    if (!w->together) w->together = QN_NEW_N(item_queue, w->en->plan->n_steps);
    item_queue *q = &w->together[it->step];
    it->next = NULL;
    if (q->first) q->last->next = it;
    else q->first = it;
    q->last = it;
    w->n_together++;
}

/* Nothing else is to be moved: up to QN_OP_AHEAD of the rows that wait at the first such step go on. */
static void go_ahead(worker *w)
{
    int step = 0;
    while (!w->together[step].first) step++;
    const qn_step *s = &w->en->plan->steps[step];
    qn_ctx cx = ctx_of(w, step);
    qn_row *rows[QN_OP_AHEAD];
    qn_item *mine = NULL;
    size_t n = 0;
    for (qn_item *it; (it = w->together[step].first) && n < QN_OP_AHEAD;) {
        w->together[step].first = it->next;
        w->n_together--;
        it->ahead = true;
        qn_row_attach(it->row, NULL);           /* what a step before left is not what this one finds */
        rows[n++] = it->row;
        it->next = mine;        /* the last first: the first of them is to lie on top */
        mine = it;
    }
    s->op->ahead(&cx, s->params, w->en->st[step].state, rows, n);
    qn_arena_reset(&w->scratch);
    while (mine) { qn_item *next = mine->next; push(w, mine); mine = next; }
}

/* Moves one row through one step, or parks it. */
static void move(worker *w, qn_item *it)
{
    const qn_step *s = &w->en->plan->steps[it->step];
    if (it->fresh) {
        it->fresh = false;
        if (s->op->absorb && s->op->decide) {       /* a gather that chooses: what it did not take ends here */
            qn_verdict v = s->op->decide(s->params, it->row);
            qn_row_attach(it->row, NULL);
            if (v.reject) { reject_item(w, it, s->index, &v); return; }
        }
        count(it, s->index, false);
        leave(w, it, s->index);
        return;
    }
    if (s->kind == QN_STEP_LOOP) { enter_loop(w, it, s->index); return; }
    if (s->kind == QN_STEP_LOOP_END) { end_loop(w, it, s->index); return; }
    if (s->kind == QN_STEP_JOIN) { count(it, s->index, true); park(w, it); return; }
    if (it->ahead) {
        it->ahead = false;
    } else if (!it->turn) {
        if (passes_by(w, it, s)) return;
        count(it, s->index, true);
        if (w->en->st[s->index].inherits) qn_row_add_licences(it->row, qn_licences_of_models(s));
        if (s->op->ahead) { wait_for_others(w, it); return; }
    }
    if (s->op->turn) { run_turns(w, it, s); return; }
    if (qn_step_is_barrier(s)) {
        if (run_measure(w, it, s)) park(w, it);
        qn_arena_reset(&w->scratch);
        return;
    }
    if (s->op->map) run_map(w, it, s);
    else if (run_measure(w, it, s)) {
        qn_verdict v = s->op->decide ? s->op->decide(s->params, it->row) : qn_keep();
        apply_verdict(w, it, s, &v);
    }
    qn_arena_reset(&w->scratch);
}

static void move_all(worker *w)
{
    while (w->todo || w->n_together) {
        if (!w->todo) go_ahead(w);
        qn_item *it = w->todo;
        w->todo = it->next;
        it->next = NULL;
        move(w, it);
    }
}

/* ---- barriers ---- */
struct qn_absorbing { worker *w; qn_item *item; const qn_step *s; };

/* The row ends in the place of the one that is absorbed: it became part of the gather, and comes out of it again. */
void qn_let_go(qn_ctx *cx, qn_row *r, const qn_verdict *v)
{
    struct qn_absorbing *a = cx->absorbing;
    qn_record_end *rec = qn_end_let_go(a->w->en, a->s->index, a->item->root, r, v);
    rec->next = a->w->job->ended;
    a->w->job->ended = rec;
    a->w->job->n_created++;
    qn_count_add(&a->item->group->steps[a->s->index].rejected, 1);
}

/* A sink or a gather took the row. A sink may say that it has enough: QN_ESTOP. */
static void absorb(worker *w, qn_item *it, const qn_step *s)
{
    qn_ctx cx = ctx_of(w, s->index);
    struct qn_absorbing absorbing = { w, it, s };
    cx.absorbing = &absorbing;
    qn_err e = {0};
    bool sink = s->op->stage == QN_SINK;
    if (sink && !licensed(w, it)) return;
    if (sink) it->group->licences |= qn_row_licences(it->row);
    else w->en->st[s->index].licences |= qn_row_licences(it->row);
    qn_record_end *rec = sink && (w->en->trace || w->en->o->ended) ? qn_end_accept(w->en, s->index, it->root, qn_row_hold(it->row)) : NULL;
    qn_code rc = s->op->absorb(&cx, s->params, w->en->st[s->index].state, qn_row_hold(it->row), &e);
    qn_arena_reset(&w->scratch);
    if (rc == QN_EDATA && !sink) { fail_item(w, it, s->index, e.msg); return; }
    if (rc == QN_OK || rc == QN_ESTOP) {
        if (sink) count(it, s->index, false);       /* a gather's rows leave when it gives them */
        if (rec) {
            rec->next = w->job->ended;
            w->job->ended = rec;
        } else if (sink) {
            w->job->n_accepted++;
        } else {
            w->job->n_became++;
        }
        w->job->n_gone++;
        if (rc == QN_ESTOP) w->job->target = true;
        qn_item_free(it);
        return;
    }
    if (rec) qn_record_end_free(rec);
    w->job->rc = rc;                    /* the disk is full, an index cannot grow: the run cannot go on */
    w->job->err = e;
    w->job->n_gone++;
    w->job->n_became++;
    qn_item_free(it);
}

static void pass_barrier(worker *w, qn_item *it, const qn_step *s)
{
    if (s->op->settle) {
        qn_ctx cx = ctx_of(w, s->index);
        qn_verdict v = s->op->settle(&cx, s->params, w->en->st[s->index].state, it->row);
        apply_verdict(w, it, s, &v);
        qn_arena_reset(&w->scratch);
    } else if (s->op->absorb) {
        absorb(w, it, s);
    } else {
        run_map(w, it, s);
        qn_arena_reset(&w->scratch);
    }
}

/* Rows of all branches with one nearest common ancestor become one row: the fields of the later branch win. When a branch's row is missing
 * (rejected or failed), the others are rejected with that as the reason. */
static void join_rows(worker *w, qn_item *items, const qn_step *s)
{
    while (items) {
        qn_item *first = items;
        qn_row *anc = qn_row_parent(first->row);
        int n = 1;
        while (anc && !(first->next && qn_row_is_ancestor(anc, first->next->row))) {     /* up to the row that branched */
            if (!first->next) break;
            anc = qn_row_parent(anc);
        }
        qn_item *last = first;
        while (anc && last->next && last->next->root == first->root && qn_row_is_ancestor(anc, last->next->row)) { last = last->next; n++; }
        items = last->next;
        last->next = NULL;
        if (n != s->n_from || !anc) {
            qn_verdict v = qn_reject_fact("join", "%d of %d branches came", n, s->n_from);
            for (qn_item *it = first; it;) { qn_item *next = it->next; reject_item(w, it, s->index, &v); it = next; }
            continue;
        }
        qn_row *joined = qn_row_child(anc, s->name, 0);
        for (qn_item *it = first; it; it = it->next) {
            qn_row_add_licences(joined, qn_row_licences(it->row));
            for (const qn_row *layer = it->row; layer && layer != anc; layer = qn_row_parent(layer))
                for (const qn_origin *o = qn_row_origins(layer); o; o = o->next) qn_row_add_origin(joined, o->step, o->key);
            qn_value all = qn_row_value(it->row, &w->scratch), v, was;
            qn_v_iter iter = qn_v_iter_of(all);
            qn_str name;
            while (qn_v_next(&iter, &name, &v))
                if (!qn_row_find(anc, name, &was) || !qn_v_eq(v, was)) qn_row_set(joined, name, v);
        }
        qn_item *out = item_created(w, first, joined, s->index);
        for (qn_item *it = first; it;) { qn_item *next = it->next; item_became(w, it); it = next; }
        count(out, s->index, false);
        leave(w, out, s->index);
        qn_arena_reset(&w->scratch);
    }
}

static void run_barrier(worker *w, qn_job *j)
{
    const qn_step *s = &w->en->plan->steps[j->step];
    qn_item *it = j->items;
    j->items = NULL;
    if (s->kind == QN_STEP_JOIN) {
        join_rows(w, it, s);
        move_all(w);
        return;
    }
    while (it) {
        qn_item *next = it->next;
        it->next = NULL;
        if (j->rc != QN_OK || j->target) {          /* behind the last row wanted, or behind a disk that is full */
            j->n_gone++;
            j->n_became++;
            j->n_ahead += it->paid;
            qn_item_free(it);
        } else {
            if (next && s->op->comes_next) s->op->comes_next(s->params, w->en->st[s->index].state, next->row);
            pass_barrier(w, it, s);
            move_all(w);
        }
        it = next;
    }
}

/* ---- producers ---- */
static void give_id(qn_engine *en, qn_row *row)
{
    qn_str bytes;
    qn_hash128 id = qn_row_id(row), content;
    if (id.hi | id.lo) return;
    if (qn_row_untouched(row, &bytes)) {
        content = qn_hash(bytes.p, bytes.n);
    } else {
        qn_buf b = {0};
        qn_row_write(row, &b);
        content = qn_hash(b.p, b.n);
        qn_buf_free(&b);
    }
    /* Number among equal rows. Past a fixed share of the memory the row's place in the source stands in for it. */
    uint64_t nth = en->seen_rows.n + 1;
    if (qn_map_bytes_after_put(&en->seen_rows) <= en->o->memory_bytes / 8) nth = (*qn_map_put(&en->seen_rows, content, NULL))++;
    else if (qn_map_get(&en->seen_rows, content)) nth = (*qn_map_get(&en->seen_rows, content))++;
    else nth = 0;
    qn_row_id_set(row, nth ? qn_hash_mix(content, (qn_hash128){ 0, nth }) : content);
}

/* Rows that could not be read are numbered as well: in a file of JSON lines without empty lines numbers are the lines'. */
static void give_number(qn_engine *en, qn_row *row) { if (en->numbers_rows) qn_row_number_set(row, ++en->n_numbered); }

/* A plan's source behind its sample: read to its end, or for some seconds, so that it is known how many rows there are. */
static void count_the_rest(worker *w, qn_job *j)
{
    qn_engine *en = w->en;
    const qn_step *s = &en->plan->steps[j->step];
    qn_step_state *st = &en->st[j->step];
    qn_dry *d = en->o->dry;
    qn_dry_step *ds = &d->steps[j->step];
    qn_ctx cx = ctx_of(w, j->step);
    int64_t until = qn_now_us() + 5000000;
    for (ds->source_rows = st->seen_rows; d->limit < 0 || ds->source_rows < (uint64_t)d->limit; ds->source_rows++) {
        qn_row *row = NULL;
        qn_err e = {0};
        qn_code rc = s->op->next(&cx, s->params, st->state, &row, &e);
        qn_arena_reset(&w->scratch);
        if (rc != QN_OK && rc != QN_EDATA) { ds->cut = true; return; }
        if (rc == QN_OK && !row) return;
        qn_row_drop(row);
        if ((ds->source_rows & 15) == 0 && qn_now_us() > until) { ds->cut = true; return; }
    }
}

static qn_item *item_for(qn_group *g, qn_row *row)
{
    qn_item *it = QN_NEW(qn_item);
    it->row = row;
    it->group = g;
    it->step = g->producer;
    it->root = (uint32_t)g->n_roots++;
    it->fresh = true;
    return it;
}

/* The rows that j is to produce, in a group and as the items of the job that is to run them. */
static void run_produce(worker *w, qn_job *j, qn_job *run)
{
    qn_engine *en = w->en;
    const qn_step *s = &en->plan->steps[j->step];
    qn_step_state *st = &en->st[j->step];
    qn_ctx cx = ctx_of(w, j->step);
    bool source = s->op->stage == QN_SOURCE;
    size_t want = en->has_target ? 1 : en->has_effects ? 16 : QN_PRODUCE_ROWS;
    qn_group *g = QN_NEW(qn_group);
    qn_item **tail = &run->items;
    qn_record_end **last_bad = &g->ended;
    g->producer = j->step;
    g->steps = QN_NEW_N(qn_step_tally, en->plan->n_steps);
    while (g->n_created < want && g->bytes < (1u << 20)) {
        qn_row *row = NULL;
        qn_err e = {0};
        if (source && en->o->limit >= 0 && st->seen_rows >= (uint64_t)en->o->limit) {
            if (en->o->dry) count_the_rest(w, j);
            j->exhausted = true;
            break;
        }
        qn_code rc = s->op->next(&cx, s->params, st->state, &row, &e);
        if (rc == QN_OK && row && !qn_row_licences(row)) qn_row_add_licences(row, st->licences);      /* a gather's new row: made from all it took */
        qn_arena_reset(&w->scratch);
        if (rc == QN_EDATA) {           /* a bad record: counted as a failed row, the rest goes on */
            qn_row *bad = row ? row : qn_row_new((qn_hash128){ qn_count_get(&st->seen_rows) + 1, (uint64_t)j->step + 1 });      /* a gather fails a row of its own */
            qn_buf where = {0};
            qn_err_text(&e, &where);
            for (char *c = where.p; *c; c++) if (*c == '\n') *c = ';';     /* a reason is one line */
            qn_count_add(&st->seen_rows, 1);
            if (source) give_number(en, bad);
            qn_record_end *rec = qn_end_fail(en, j->step, (uint32_t)g->n_roots, bad, where.p);
            qn_buf_free(&where);
            *last_bad = rec;
            last_bad = &rec->next;
            g->n_created++;
            g->steps[j->step].failed++;
            continue;
        }
        if (rc == QN_ESTOP) { j->wait = true; break; }      /* a gather that wants its last rows to come back first */
        if (rc != QN_OK) { j->rc = rc; j->err = e; break; }
        if (!row) { j->exhausted = true; break; }
        qn_count_add(&st->seen_rows, 1);
        give_id(en, row);
        if (source) give_number(en, row);       /* rows of a gather have theirs, or are new */
        g->bytes += qn_row_bytes(row);
        g->n_created++;
        *tail = item_for(g, row);
        tail = &(*tail)->next;
    }
    g->n_live = g->n_roots;
    if (!s->op->absorb) g->steps[j->step].in += g->n_created;       /* a gather counted what it took */
    if (g->n_created) { j->made = run->group = g; return; }
    qn_free(g->steps);
    qn_free(g);
}

/* Rows go on with the worker that made them, in whose cache they lie; the engine hears of the group first. NULL: no rows. */
static qn_job *produce(worker *w, qn_job *j)
{
    qn_job *run = qn_job_new(QN_JOB_RUN, -1);
    run_produce(w, j, run);
    qn_queue_push(w->en->inbox, &j->msg.node);
    if (run->items) return run;
    qn_job_free(run);
    return NULL;
}


static void run_finish(worker *w, qn_job *j)
{
    const qn_step *s = &w->en->plan->steps[j->step];
    qn_ctx cx = ctx_of(w, j->step);
    bool trains = s->op->stage == QN_TRAIN && w->en->o->dry;     /* a plan trains nothing: later steps are told made-up replies */
    if (s->op->finish && !trains) j->rc = s->op->finish(&cx, s->params, w->en->st[j->step].state, &j->err);
    if (trains && s->gives && s->gives->folder) s->gives->folder = "";      /* nothing is there: who would open it does without */
    if (s->gives) s->gives->licences = w->en->st[j->step].licences | qn_licences_of_models(s);     /* with those of its base */
    qn_arena_reset(&w->scratch);
}

static void run_job(worker *w, qn_job *j)
{
    w->job = j;
    switch (j->kind) {
    case QN_JOB_FINISH:  run_finish(w, j); break;
    case QN_JOB_BARRIER: run_barrier(w, j); break;
    case QN_JOB_PRODUCE: break;
    case QN_JOB_RUN:
        w->todo = j->items;
        j->items = NULL;
        move_all(w);
        break;
    }
    w->job = NULL;
}

void qn_worker_main(void *engine)
{
    qn_engine *en = engine;
    worker w = { .en = en };
    qn_node *n;
    while ((n = qn_queue_pop(en->jobs, en->has_effects ? 8 : 1, -1))) {       /* without effects a job is a whole group's, and the next worker wants one as well */
        qn_node *done = NULL, **tail = &done;
        for (qn_node *next; n; n = next) {
            qn_job *j = (qn_job *)n;
            next = n->next;
            n->next = NULL;
            if (j->kind == QN_JOB_PRODUCE) j = produce(&w, j);
            if (!j) continue;
            run_job(&w, j);
            *tail = &j->msg.node;
            tail = &j->msg.node.next;
        }
        qn_queue_push(en->inbox, done);
    }
    qn_free(w.together);
    qn_arena_free(&w.scratch);
}
