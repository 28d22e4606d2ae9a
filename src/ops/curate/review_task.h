/* review_task: the line that people get of a row, and what they made of it: decisions, marks, changes. */
#ifndef QN_OPS_CURATE_REVIEW_TASK_H
#define QN_OPS_CURATE_REVIEW_TASK_H
#include "ops/curate/review.h"

enum { QN_REVIEW_SLOTS = 64 };          /* decisions about one row that are looked at */
typedef struct { qn_str task, body, line; const char *why; int slots; } qn_review_task;

/* ---- a task's line ---- fixed order, so that equal rows make equal lines */
static inline qn_str qn_review_task_id(const qn_review *st, qn_hash128 row)
{
    (void)st;
    static _Thread_local char text[33];
    qn_hash_hex(row, text);
    return (qn_str){ text, 16 };
}

static inline void qn_review_put_scales(const qn_review_params *p, qn_buf *b)
{
    qn_v_iter it = qn_v_iter_of(p->scales);
    qn_str name;
    qn_value v;
    bool first = true;
    if (p->scales.kind != QN_V_OBJECT) return;
    qn_buf_puts(b, ",\"scores\":{");
    while (qn_v_next(&it, &name, &v)) {
        if (!first) qn_buf_putc(b, ',');
        first = false;
        qn_json_write_text(b, name);
        qn_buf_puts(b, ":null");
    }
    qn_buf_puts(b, "},\"scales\":");
    qn_json_write(b, p->scales);
}

static inline void qn_review_put_task(const qn_review_params *p, qn_str task, qn_value edit, qn_value show, const char *why, qn_buf *b)
{
    qn_buf_puts(b, "{\"task\":");
    qn_json_write_text(b, task);
    qn_buf_puts(b, ",\"decision\":\"\",\"note\":\"\"");
    qn_review_put_scales(p, b);
    if (edit.n) {
        qn_buf_puts(b, ",\"edit\":");
        qn_json_write(b, edit);
    }
    if (p->ask.n) {
        qn_buf_puts(b, ",\"ask\":");
        qn_json_write_text(b, p->ask);
    }
    qn_buf_puts(b, ",\"show\":");
    qn_json_write(b, show);
    qn_buf_printf(b, ",\"why\":\"%s\"}", why);
}

static inline qn_value qn_review_edits(const qn_review_params *p, const qn_row *r, qn_arena *a)
{
    qn_object_b o = { .a = a };
    qn_value v;
    for (size_t i = 0; i < p->edit.n; i++)
        if (qn_row_find(r, p->edit.items[i], &v)) qn_object_put(&o, p->edit.items[i], v);
    return qn_object_end(&o);
}

/* Fields that begin with _ are quern's own. */
static inline qn_value qn_review_shown(qn_value v, qn_arena *a)
{
    qn_object_b o = { .a = a };
    qn_v_iter it = qn_v_iter_of(v);
    qn_str name;
    qn_value x;
    if (v.kind != QN_V_OBJECT) return v;
    while (qn_v_next(&it, &name, &x)) if (name.n == 0 || name.p[0] != '_') qn_object_put(&o, name, x);
    return qn_object_end(&o);
}

/* ---- what came back ---- */
/* What a line says, in the form that the ledger keeps. */
static inline qn_str qn_review_answer(const qn_desk_line *l, qn_arena *a)
{
    static const char *const keys[] = { "edit", "scores" };
    qn_object_b o = { .a = a };
    qn_value v;
    qn_buf b = {0};
    qn_object_put(&o, QN_STR("who"), qn_v_text(l->who));
    qn_object_put(&o, QN_STR("decision"), qn_v_text(qn_review_text(l->fields, "decision")));
    qn_object_put(&o, QN_STR("note"), qn_v_text(qn_review_text(l->fields, "note")));
    for (size_t i = 0; i < 2; i++)
        if (qn_v_get(l->fields, qn_str_of(keys[i]), &v) && v.kind == QN_V_OBJECT) qn_object_put(&o, qn_str_of(keys[i]), v);
    qn_json_write(&b, qn_object_end(&o));
    qn_str s = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

typedef struct { qn_str who, decision, note; qn_value edit, scores; } qn_decision;

/* The latest decision of each person, in the order in which people first decided. Answers that cannot be read are none. */
static inline size_t qn_review_decisions(const qn_turn *t, qn_arena *a, qn_decision *out)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_replies && n < QN_REVIEW_SLOTS; i++) {
        qn_value v;
        qn_err bad = {0};
        size_t k = 0;
        if (t->replies[i].status != QN_REPLY_OK || qn_json_parse(t->replies[i].text, a, &v, &bad) != QN_OK) continue;
        qn_decision d = { .who = qn_review_text(v, "who"), .decision = qn_review_text(v, "decision"), .note = qn_review_text(v, "note") };
        qn_v_get(v, QN_STR("edit"), &d.edit);
        qn_v_get(v, QN_STR("scores"), &d.scores);
        if (qn_review_side(d.decision) < 0) continue;
        while (k < n && !qn_str_eq(out[k].who, d.who)) k++;
        out[k] = d;
        n += k == n;
    }
    return n;
}

static inline qn_value qn_review_scores(const qn_review_params *p, const qn_decision *d, size_t n, qn_arena *a)
{
    qn_object_b o = { .a = a };
    qn_v_iter it = qn_v_iter_of(p->scales);
    qn_str name;
    qn_value v, mark;
    while (p->scales.kind == QN_V_OBJECT && qn_v_next(&it, &name, &v)) {
        double sum = 0;
        size_t k = 0;
        for (size_t i = 0; i < n; i++)
            if (qn_v_get(d[i].scores, name, &mark) && qn_v_is_number(mark)) sum += qn_v_number(mark), k++;
        if (k) qn_object_put(&o, name, qn_v_real(sum / (double)k));
    }
    return qn_object_end(&o);
}

/* Takes in what the first person who modified wrote; the fields as they were, null when nothing changed. */
static inline qn_value qn_review_change(const qn_review_params *p, qn_row *r, const qn_decision *d, size_t n, qn_arena *a)
{
    qn_object_b before = { .a = a };
    size_t i = 0;
    while (i < n && !qn_str_is(d[i].decision, "modify")) i++;
    for (size_t k = 0; i < n && k < p->edit.n; k++) {
        qn_value new, old;
        if (!qn_v_get(d[i].edit, p->edit.items[k], &new)) continue;
        bool had = qn_row_find(r, p->edit.items[k], &old);
        if (had && qn_v_eq(old, new)) continue;
        qn_object_put(&before, p->edit.items[k], had ? qn_v_copy(a, old) : qn_v_null());
        qn_row_set(r, p->edit.items[k], new);
    }
    return before.n ? qn_object_end(&before) : qn_v_null();
}

static inline void qn_review_put(const qn_review_params *p, qn_row *r, const char *said, const qn_decision *d, size_t n, qn_value before, qn_arena *a)
{
    qn_object_b o = { .a = a };
    qn_list_b by = { .a = a };
    qn_str note = { "", 0 };
    for (size_t i = 0; i < n; i++) {
        qn_list_put(&by, qn_v_text(d[i].who));
        if (d[i].note.n) note = note.n ? qn_arena_printf(a, "%.*s; %.*s", QN_FMT(note), QN_FMT(d[i].note)) : d[i].note;
    }
    qn_object_put(&o, QN_STR("state"), qn_v_text(qn_str_of(said)));
    qn_object_put(&o, QN_STR("by"), qn_list_end(&by));
    qn_object_put(&o, QN_STR("scores"), qn_review_scores(p, d, n, a));
    qn_object_put(&o, QN_STR("note"), qn_v_text(note));
    qn_object_put(&o, QN_STR("before"), before);
    qn_row_set(r, p->as, qn_object_end(&o));
}
#endif
