/* review_people: who decides about which row. Control tasks, whose right decision is known, tell whose word counts. */
#ifndef QN_OPS_CURATE_REVIEW_PEOPLE_H
#define QN_OPS_CURATE_REVIEW_PEOPLE_H
#include "ops/curate/review_task.h"
#include <math.h>

enum { QN_REVIEW_LEAST_CONTROLS = 3 };

/* ---- opening: people's files, control tasks, who is trusted ---- */
static inline qn_code qn_review_add_control(void *arg, qn_row *row, const char *where, qn_err *e)
{
    qn_review *st = arg;
    const qn_review_params *p = st->p;
    qn_arena a = {0};
    qn_buf b = {0}, all = {0};
    qn_value expected, v;
    int keep = qn_row_find(row, QN_STR("expected"), &expected) ? qn_review_side(qn_v_str(expected)) : -1;
    if (keep < 0) return qn_fail(e, QN_EDATA, "%s: a control row needs `expected`: accept or reject", where);
    qn_row_remove(row, QN_STR("expected"));
    qn_row_write(row, &all);
    qn_hash128 id = qn_hash_mix(qn_hash("control", 7), qn_hash(all.p, all.n));
    qn_code rc = qn_expr_one(p->show, row, &a, &v, e);
    if (rc == QN_OK) {
        qn_str task = qn_arena_str(&st->arena, qn_review_task_id(st, id));
        qn_review_put_task(p, task, qn_review_edits(p, row, &a), qn_review_shown(v, &a), "sample", &b);
        QN_GROW(st->controls, st->n_controls, st->cap_controls);
        st->controls[st->n_controls++] = (qn_review_control){ task, qn_arena_str(&st->arena, qn_buf_view(&b)), keep == 1 };
    }
    qn_buf_free(&b);
    qn_buf_free(&all);
    qn_arena_free(&a);
    return rc;
}

static inline qn_review_rater *qn_review_trust(qn_review *st, qn_str who)
{
    for (size_t i = 0; i < st->n_trusts; i++) if (qn_str_eq(st->trusts[i].name, who)) return &st->trusts[i];
    QN_GROW(st->trusts, st->n_trusts, st->cap_trusts);
    st->trusts[st->n_trusts] = (qn_review_rater){ .name = qn_arena_str(&st->arena, who) };
    return &st->trusts[st->n_trusts++];
}

static inline bool qn_review_trusts(const qn_review *st, qn_str who)
{
    for (size_t i = 0; i < st->n_trusts; i++) {
        const qn_review_rater *t = &st->trusts[i];
        if (qn_str_eq(t->name, who)) return t->seen < QN_REVIEW_LEAST_CONTROLS || (double)t->right >= st->p->control_min * (double)t->seen;
    }
    return true;
}

/* Every decided line must say something that is understood; those on control tasks are counted. */
static inline qn_code qn_review_read(qn_review *st, qn_err *e)
{
    for (size_t i = 0; i < qn_desk_n(st->desk); i++) {
        const qn_desk_line *l = qn_desk_at(st->desk, i);
        int s = qn_review_side(qn_review_text(l->fields, "decision"));
        if (s < 0) {
            static _Thread_local char file[1024];
            qn_str said = qn_review_text(l->fields, "decision");
            snprintf(file, sizeof file, "%s", l->file);
            qn_fail_at(e, QN_EDATA, (qn_pos){ .file = file, .line = l->line }, "`%.*s` is no decision", QN_FMT(said));
            qn_hint(e, "write accept, reject or modify (and what is to stand there into `edit`)");
            return QN_EDATA;
        }
        for (size_t k = 0; k < st->n_controls; k++) {
            if (!qn_str_eq(st->controls[k].task, l->task)) continue;
            qn_review_rater *t = qn_review_trust(st, l->who);
            t->seen++;
            t->right += st->controls[k].accept == (s == 1);
        }
    }
    for (size_t i = 0; i < st->n_trusts; i++)
        qn_log(qn_review_trusts(st, st->trusts[i].name) ? QN_INFO : QN_WARN, "control", "%s: %.*s: %zu of %zu control tasks right%s", st->step, QN_FMT(st->trusts[i].name),
               st->trusts[i].right, st->trusts[i].seen, qn_review_trusts(st, st->trusts[i].name) ? "" : ": the decisions in this file are not counted");
    return QN_OK;
}

static inline void qn_review_name_people(qn_review *st)
{
    const qn_review_params *p = st->p;
    size_t n = p->people.n ? p->people.n : (size_t)p->overlap;
    st->people = QN_ARENA_NEW_N(&st->arena, qn_str, n);
    for (size_t i = 0; i < n; i++)
        st->people[st->n_people++] = p->people.n ? p->people.items[i] : n == 1 ? QN_STR("queue") : qn_arena_printf(&st->arena, "queue-%zu", i + 1);
}

/* Who is to decide next: those named whom the task falls to by its hash, without those who decided and those not trusted; nobody left: `another`. */
static inline void qn_review_want(qn_review *st, const qn_review_task *ts, const qn_decision *d, size_t n, size_t needed)
{
    uint64_t at = qn_hash(ts->task.p, ts->task.n).lo;
    for (size_t i = 0; i < st->n_people && needed; i++) {
        qn_str who = st->people[(at + i) % st->n_people];
        bool did = !qn_review_trusts(st, who);
        for (size_t k = 0; k < n; k++) did |= qn_str_eq(d[k].who, who);
        if (did) continue;
        if (st->desk) qn_desk_want(st->desk, who, ts->task, ts->line);
        needed--;
    }
    if (needed && st->desk) qn_desk_want(st->desk, QN_STR("another"), ts->task, ts->line);
}

/* Control tasks for everybody who has work: so many that their share is reached, the same ones for the same person in every run. */
static inline void qn_review_want_controls(qn_review *st)
{
    for (size_t i = 0; st->n_controls && i < st->n_people; i++) {
        size_t n = (size_t)ceil(st->p->control_share * (double)qn_desk_wanted(st->desk, st->people[i]));
        uint64_t from = qn_hash(st->people[i].p, st->people[i].n).lo;
        for (size_t k = 0; k < n && k < st->n_controls; k++) {
            const qn_review_control *c = &st->controls[(from + k) % st->n_controls];
            qn_desk_want(st->desk, st->people[i], c->task, c->line);
        }
    }
}
#endif
