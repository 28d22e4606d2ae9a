/* review: hands rows to people, and goes on with what they decided.
 *
 *   rule or share picks the row?  no -> it passes, `unreviewed`
 *   yes: is it decided (ledger, then the files)?  fewer than `overlap` people, or a tie -> the row waits: pending, its task stands in a file
 *        accept, modify (its changes are taken in), reject -> the row goes on or is rejected, by the majority
 *
 * Tasks are lines of DIR/review/<step>/<person>.jsonl; people fill in `decision` (io/desk.h). Each decision goes to the ledger as a reply of its own
 * when it is first seen: it survives the file, and a later decision of the same person about the same task replaces the earlier. Control tasks,
 * whose right decision is known, are mixed in; who is wrong on too many is not counted. Agreement is told (Krippendorff's alpha, nominal).
 * Runs on: any worker; keeps the tasks that wait and counts between rows. */
#include "core/file.h"
#include "core/log.h"
#include "core/thread.h"
#include "io/desk.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MANY_SLOTS = 64, LEAST_CONTROLS = 3 };

typedef struct {
    qn_expr *rule, *show;
    qn_value share, scales;
    qn_texts people, edit;
    qn_str   as, ask;
    int64_t  overlap;
    const char *control, *dir;
    double   control_share, control_min;
    double   picked;            /* made by check: share of the rows that the rule does not name */
} params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, show, ".", NULL, "what people see of a row: '{prompt, answer}'"),
    QN_TEXTS(params, edit, "", "fields that people may change: a text or a list of names"),
    QN_EXPR(params, rule, "", "bool", "rows that must be reviewed: '.judged.overall < 3 or .judged.spread > 1'"),
    QN_VALUE(params, share, "", "share of the other rows that is reviewed too, drawn at random; left out: 0 with a rule, else 1"),
    QN_TEXTS(params, people, "", "names; each gets a file of tasks (left out: one file, `queue`, for each of the overlap)"),
    QN_INT(params, overlap, "1", "1..20", "so many people decide about each row"),
    QN_VALUE(params, scales, "", "marks that people give: {style: 1..5, context: 1..5}"),
    QN_TEXT(params, ask, "", "a sentence for people, on every task"),
    QN_PATH(params, control, "", "rows with the field `expected` (accept or reject), whose decision is known: mixed in unseen"),
    QN_REAL(params, control_share, "0.1", "0..1", "control tasks for each task of a person"),
    QN_REAL(params, control_min, "0.7", "0..1", "who decides a smaller share of three or more control tasks rightly is not counted"),
    QN_FIELD(params, as, "review", "field for {state, by, scores, note, before}"),
    QN_PATH(params, dir, "", "folder of the files, to share it between people (left out: DIR/review/<step>)"),
    QN_END
};

static const char *const ANNA_ACCEPTS[] = { "{\"who\": \"anna\", \"decision\": \"accept\", \"note\": \"\", \"edit\": {}, \"scores\": {}}", NULL };
static const char *const ANNA_CHANGES[] = { "{\"who\": \"anna\", \"decision\": \"modify\", \"note\": \"typo\", \"edit\": {\"q\": \"Why is the sky blue?\"}, \"scores\": {\"style\": 4}}", NULL };
static const char *const ANNA_REJECTS[] = { "{\"who\": \"anna\", \"decision\": \"reject\", \"note\": \"no question\", \"edit\": {}, \"scores\": {}}", NULL };
static const char *const CHANGED_MIND[] = { "{\"who\": \"anna\", \"decision\": \"accept\", \"note\": \"\", \"edit\": {}, \"scores\": {}}",
                                            "{\"who\": \"anna\", \"decision\": \"reject\", \"note\": \"after all\", \"edit\": {}, \"scores\": {}}", NULL };
static const qn_example EXAMPLES[] = {
    { .params = "show: '{q: .q}'", .in = "{q: 'Why?'}", .replies = ANNA_ACCEPTS, .asked = "\"show\":{\"q\":\"Why?\"}",
      .out = "{q: 'Why?', review: {state: 'accepted', by: ['anna'], scores: {}, note: '', before: null}}" },
    { .params = "edit: q, scales: {style: 1..5}", .in = "{q: 'Why is sky blue'}", .replies = ANNA_CHANGES,
      .out = "{q: 'Why is the sky blue?', review: {state: 'modified', by: ['anna'], scores: {style: 4.0}, note: 'typo', before: {q: 'Why is sky blue'}}}" },
    { .params = "edit: q", .in = "{q: 'Quarks.'}", .replies = ANNA_REJECTS, .reject = "review: rejected by anna: no question" },
    { .params = "edit: q", .in = "{q: 'Quarks.'}", .replies = CHANGED_MIND, .reject = "review: rejected by anna: after all" },
    { .params = "rule: .score < 3", .in = "{score: 4}", .out = "{score: 4, review: {state: 'unreviewed', by: [], scores: {}, note: '', before: null}}" },
    QN_END
};

/* ---- checking ---- */
static bool given(qn_value v) { return v.kind != QN_V_NULL && !(v.kind == QN_V_TEXT && v.n == 0); }

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    const qn_type *t;
    if (given(p->share) && (!qn_v_is_number(p->share) || qn_v_number(p->share) < 0 || qn_v_number(p->share) > 1))
        return qn_fail_at(e, QN_ERECIPE, ck->pos, "`share` must be a number from 0 to 1");
    p->picked = given(p->share) ? qn_v_number(p->share) : p->rule ? 0 : 1;
    if (given(p->scales) && p->scales.kind != QN_V_OBJECT) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`scales` must be a map: {style: 1..5}");
    for (size_t i = 0; i < p->edit.n; i++) {
        qn_str name = p->edit.items[i];
        if (!ck->in || ck->in->open || qn_type_field_of(ck->in, name)) continue;
        return qn_fail_at(e, QN_ERECIPE, ck->pos, "the rows have no field `%.*s` to edit", QN_FMT(name));
    }
    QN_TRY(qn_type_parse(QN_STR("{state: text, by: [text], scores: {...}, note: text, before: any?}"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->out, p->as, t, ck->arena);
    return QN_OK;
}

/* ---- the state of a step ---- */
typedef struct { qn_str name; size_t seen, right; } trust;
typedef struct { qn_str task, line; bool accept; } control;
typedef struct {
    const params *p;
    char     step[64], folder[1024];
    qn_arena arena;
    qn_desk *desk;              /* NULL: nobody can be asked */
    qn_str  *people; size_t n_people;
    control *controls; size_t n_controls, cap_controls;
    trust   *trusts; size_t n_trusts, cap_trusts;
    bool     complete;
    pthread_mutex_t lock;       /* guards the counts below */
    size_t   waiting, disputed, accepted, modified, rejected, passed;
    size_t   pairs, agreeing;   /* of decisions about one task by two people */
    double   observed[2][2];    /* coincidences of reject (0) and accept (1) */
    char     why[1600];
} state;

static qn_str text_at(qn_value o, const char *key)
{
    qn_value v;
    return qn_v_get(o, qn_str_of(key), &v) ? qn_str_trim(qn_v_str(v)) : (qn_str){ "", 0 };
}

/* 1 keep, 0 reject, -1 no decision that is known. */
static int side(qn_str decision)
{
    if (qn_str_is(decision, "accept") || qn_str_is(decision, "modify")) return 1;
    return qn_str_is(decision, "reject") ? 0 : -1;
}

/* ---- a task's line ---- fixed order, so that equal rows make equal lines */
static qn_str task_id(const state *st, qn_hash128 row)
{
    (void)st;
    static _Thread_local char text[33];
    qn_hash_hex(row, text);
    return (qn_str){ text, 16 };
}

static void put_scales(const params *p, qn_buf *b)
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

static void put_task(const params *p, qn_str task, qn_value edit, qn_value show, const char *why, qn_buf *b)
{
    qn_buf_puts(b, "{\"task\":");
    qn_json_write_text(b, task);
    qn_buf_puts(b, ",\"decision\":\"\",\"note\":\"\"");
    put_scales(p, b);
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

static qn_value edits_of(const params *p, const qn_row *r, qn_arena *a)
{
    qn_object_b o = { .a = a };
    qn_value v;
    for (size_t i = 0; i < p->edit.n; i++)
        if (qn_row_find(r, p->edit.items[i], &v)) qn_object_put(&o, p->edit.items[i], v);
    return qn_object_end(&o);
}

/* Fields that begin with _ are quern's own. */
static qn_value shown(qn_value v, qn_arena *a)
{
    qn_object_b o = { .a = a };
    qn_v_iter it = qn_v_iter_of(v);
    qn_str name;
    qn_value x;
    if (v.kind != QN_V_OBJECT) return v;
    while (qn_v_next(&it, &name, &x)) if (name.n == 0 || name.p[0] != '_') qn_object_put(&o, name, x);
    return qn_object_end(&o);
}

/* ---- opening: people's files, control tasks, who is trusted ---- */
static qn_code add_control(void *arg, qn_row *row, const char *where, qn_err *e)
{
    state *st = arg;
    const params *p = st->p;
    qn_arena a = {0};
    qn_buf b = {0}, all = {0};
    qn_value expected, v;
    int keep = qn_row_find(row, QN_STR("expected"), &expected) ? side(qn_v_str(expected)) : -1;
    if (keep < 0) return qn_fail(e, QN_EDATA, "%s: a control row needs `expected`: accept or reject", where);
    qn_row_remove(row, QN_STR("expected"));
    qn_row_write(row, &all);
    qn_hash128 id = qn_hash_mix(qn_hash("control", 7), qn_hash(all.p, all.n));
    qn_code rc = qn_expr_one(p->show, row, &a, &v, e);
    if (rc == QN_OK) {
        qn_str task = qn_arena_str(&st->arena, task_id(st, id));
        put_task(p, task, edits_of(p, row, &a), shown(v, &a), "sample", &b);
        QN_GROW(st->controls, st->n_controls, st->cap_controls);
        st->controls[st->n_controls++] = (control){ task, qn_arena_str(&st->arena, qn_buf_view(&b)), keep == 1 };
    }
    qn_buf_free(&b);
    qn_buf_free(&all);
    qn_arena_free(&a);
    return rc;
}

static trust *trust_of(state *st, qn_str who)
{
    for (size_t i = 0; i < st->n_trusts; i++) if (qn_str_eq(st->trusts[i].name, who)) return &st->trusts[i];
    QN_GROW(st->trusts, st->n_trusts, st->cap_trusts);
    st->trusts[st->n_trusts] = (trust){ .name = qn_arena_str(&st->arena, who) };
    return &st->trusts[st->n_trusts++];
}

static bool is_trusted(const state *st, qn_str who)
{
    for (size_t i = 0; i < st->n_trusts; i++) {
        const trust *t = &st->trusts[i];
        if (qn_str_eq(t->name, who)) return t->seen < LEAST_CONTROLS || (double)t->right >= st->p->control_min * (double)t->seen;
    }
    return true;
}

/* Every decided line must say something that is understood; those on control tasks are counted. */
static qn_code read_decisions(state *st, qn_err *e)
{
    for (size_t i = 0; i < qn_desk_n(st->desk); i++) {
        const qn_desk_line *l = qn_desk_at(st->desk, i);
        int s = side(text_at(l->fields, "decision"));
        if (s < 0) {
            static _Thread_local char file[1024];
            qn_str said = text_at(l->fields, "decision");
            snprintf(file, sizeof file, "%s", l->file);
            qn_fail_at(e, QN_EDATA, (qn_pos){ .file = file, .line = l->line }, "`%.*s` is no decision", QN_FMT(said));
            qn_hint(e, "write accept, reject or modify (and what is to stand there into `edit`)");
            return QN_EDATA;
        }
        for (size_t k = 0; k < st->n_controls; k++) {
            if (!qn_str_eq(st->controls[k].task, l->task)) continue;
            trust *t = trust_of(st, l->who);
            t->seen++;
            t->right += st->controls[k].accept == (s == 1);
        }
    }
    for (size_t i = 0; i < st->n_trusts; i++)
        qn_log(is_trusted(st, st->trusts[i].name) ? QN_INFO : QN_WARN, "control", "%s: %.*s: %zu of %zu control tasks right%s", st->step, QN_FMT(st->trusts[i].name),
               st->trusts[i].right, st->trusts[i].seen, is_trusted(st, st->trusts[i].name) ? "" : ": the decisions in this file are not counted");
    return QN_OK;
}

static void name_people(state *st)
{
    const params *p = st->p;
    size_t n = p->people.n ? p->people.n : (size_t)p->overlap;
    st->people = QN_ARENA_NEW_N(&st->arena, qn_str, n);
    for (size_t i = 0; i < n; i++)
        st->people[st->n_people++] = p->people.n ? p->people.items[i] : n == 1 ? QN_STR("queue") : qn_arena_printf(&st->arena, "queue-%zu", i + 1);
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    *out = st;
    st->p = p;
    pthread_mutex_init(&st->lock, NULL);
    snprintf(st->step, sizeof st->step, "%.*s", QN_FMT(cx->step));
    name_people(st);
    for (size_t i = 0; i < st->n_people; i++)
        for (size_t k = 0; k < st->people[i].n; k++)
            if (st->people[i].p[k] == '/' || (unsigned char)st->people[i].p[k] < 32) return qn_fail(e, QN_ERECIPE, "`%.*s` cannot name a person: it names a file", QN_FMT(st->people[i]));
    if (p->people.n && p->people.n < (size_t)p->overlap) return qn_fail(e, QN_ERECIPE, "%lld people are to decide about each row, and %zu are named", (long long)p->overlap, p->people.n);
    if (p->control) QN_TRY(qn_pick_rows(p->control, add_control, st, e));
    if (!p->dir && !cx->out_dir) return QN_OK;
    if (p->dir) snprintf(st->folder, sizeof st->folder, "%s", p->dir);
    else snprintf(st->folder, sizeof st->folder, "%s/review/%s", cx->out_dir, st->step);
    QN_TRY(qn_desk_open(&st->desk, st->folder, e));
    return read_decisions(st, e);
}

/* ---- agreement ---- */
static void count_pair(state *st, int a, int b, size_t n_deciders)
{
    st->pairs++;
    st->agreeing += a == b;
    st->observed[a][b] += 1.0 / (double)(n_deciders - 1);
    st->observed[b][a] += 1.0 / (double)(n_deciders - 1);
}

/* 1 - observed / expected disagreement (Krippendorff 2011); NAN when nobody could disagree: all said the same. */
static double alpha_of(const state *st)
{
    double n0 = st->observed[0][0] + st->observed[0][1], n1 = st->observed[1][0] + st->observed[1][1], n = n0 + n1;
    double expected = n > 1 ? 2 * n0 * n1 / (n - 1) : 0;
    return expected > 0 ? 1 - (st->observed[0][1] + st->observed[1][0]) / expected : NAN;
}

static void close(void *vs)
{
    state *st = vs;
    qn_err e = {0};
    if (st->desk && qn_desk_write(st->desk, st->complete, &e) != QN_OK) qn_log(QN_ERROR, "review", "%s: the files of tasks cannot be written: %s", st->step, e.msg);
    size_t decided = st->accepted + st->modified + st->rejected;
    if (decided || st->waiting)
        qn_log(QN_INFO, "review", "%s: %zu decided (%zu accepted, %zu modified, %zu rejected), %zu wait, %zu not reviewed", st->step, decided, st->accepted, st->modified, st->rejected,
               st->waiting, st->passed);
    if (st->pairs)
        qn_log(QN_INFO, "agreement", "%s: %zu of %zu pairs of decisions agree (%.1f %%), Krippendorff's alpha %.3f", st->step, st->agreeing, st->pairs,
               100.0 * (double)st->agreeing / (double)st->pairs, alpha_of(st));
    qn_desk_close(st->desk);
    qn_free(st->controls);
    qn_free(st->trusts);
    pthread_mutex_destroy(&st->lock);
    qn_arena_free(&st->arena);
    qn_free(st);
}

/* ---- a row ---- */
typedef struct { qn_str task, body, line; const char *why; int slots; } task_state;

/* What a line says, in the form that the ledger keeps. */
static qn_str answer_of(const qn_desk_line *l, qn_arena *a)
{
    static const char *const keys[] = { "edit", "scores" };
    qn_object_b o = { .a = a };
    qn_value v;
    qn_buf b = {0};
    qn_object_put(&o, QN_STR("who"), qn_v_text(l->who));
    qn_object_put(&o, QN_STR("decision"), qn_v_text(text_at(l->fields, "decision")));
    qn_object_put(&o, QN_STR("note"), qn_v_text(text_at(l->fields, "note")));
    for (size_t i = 0; i < 2; i++)
        if (qn_v_get(l->fields, qn_str_of(keys[i]), &v) && v.kind == QN_V_OBJECT) qn_object_put(&o, qn_str_of(keys[i]), v);
    qn_json_write(&b, qn_object_end(&o));
    qn_str s = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

/* The next decision of the files that is none of those the ledger gave already. */
static qn_str next_answer(const state *st, const qn_turn *t, qn_str task, qn_arena *a)
{
    const qn_desk_line *l;
    for (size_t i = 0; st->desk && (l = qn_desk_about(st->desk, task, i)); i++) {
        if (!is_trusted(st, l->who)) continue;
        qn_str answer = answer_of(l, a);
        bool seen = false;
        for (size_t k = 0; k < t->n_replies && !seen; k++) seen = qn_str_eq(t->replies[k].text, answer);
        if (!seen) return answer;
    }
    return (qn_str){ "", 0 };
}

static void ask_slot(const state *st, qn_turn *t, task_state *ts, qn_arena *a)
{
    qn_str answer = next_answer(st, t, ts->task, a);
    qn_ask ask = { .kind = QN_ASK_PERSON, .body = ts->body, .answer = answer, .draw = qn_arena_printf(a, "%d", ts->slots++) };
    qn_turn_ask(t, &ask);
}

typedef struct { qn_str who, decision, note; qn_value edit, scores; } decision;

/* The latest decision of each person, in the order in which people first decided. Answers that cannot be read are none. */
static size_t read_replies(const qn_turn *t, qn_arena *a, decision *out)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_replies && n < MANY_SLOTS; i++) {
        qn_value v;
        qn_err bad = {0};
        size_t k = 0;
        if (t->replies[i].status != QN_REPLY_OK || qn_json_parse(t->replies[i].text, a, &v, &bad) != QN_OK) continue;
        decision d = { .who = text_at(v, "who"), .decision = text_at(v, "decision"), .note = text_at(v, "note") };
        qn_v_get(v, QN_STR("edit"), &d.edit);
        qn_v_get(v, QN_STR("scores"), &d.scores);
        if (side(d.decision) < 0) continue;
        while (k < n && !qn_str_eq(out[k].who, d.who)) k++;
        out[k] = d;
        n += k == n;
    }
    return n;
}

static qn_value scores_of(const params *p, const decision *d, size_t n, qn_arena *a)
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
static qn_value change(const params *p, qn_row *r, const decision *d, size_t n, qn_arena *a)
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

static void put_review(const params *p, qn_row *r, const char *said, const decision *d, size_t n, qn_value before, qn_arena *a)
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
    qn_object_put(&o, QN_STR("scores"), scores_of(p, d, n, a));
    qn_object_put(&o, QN_STR("note"), qn_v_text(note));
    qn_object_put(&o, QN_STR("before"), before);
    qn_row_set(r, p->as, qn_object_end(&o));
}

/* Who is to decide next: those named whom the task falls to by its hash, without those who decided and those not trusted; nobody left: `another`. */
static void want(state *st, const task_state *ts, const decision *d, size_t n, size_t needed)
{
    uint64_t at = qn_hash(ts->task.p, ts->task.n).lo;
    for (size_t i = 0; i < st->n_people && needed; i++) {
        qn_str who = st->people[(at + i) % st->n_people];
        bool did = !is_trusted(st, who);
        for (size_t k = 0; k < n; k++) did |= qn_str_eq(d[k].who, who);
        if (did) continue;
        if (st->desk) qn_desk_want(st->desk, who, ts->task, ts->line);
        needed--;
    }
    if (needed && st->desk) qn_desk_want(st->desk, QN_STR("another"), ts->task, ts->line);
}

static void settle(qn_ctx *cx, state *st, qn_turn *t, qn_row *r, qn_emit *em)
{
    const params *p = st->p;
    task_state *ts = t->state;
    decision d[MANY_SLOTS];
    size_t n = read_replies(t, cx->scratch, d), keep = 0, modified = 0, rejecter = n;
    for (size_t i = 0; i < n; i++) {
        keep += side(d[i].decision) == 1;
        modified += qn_str_is(d[i].decision, "modify");
        if (side(d[i].decision) == 0 && rejecter == n) rejecter = i;
    }
    bool tie = n >= (size_t)p->overlap && keep * 2 == n;
    bool waits = n < (size_t)p->overlap || tie;
    pthread_mutex_lock(&st->lock);
    for (size_t i = 0; i < n && n > 1; i++)
        for (size_t k = i + 1; k < n; k++) count_pair(st, side(d[i].decision), side(d[k].decision), n);
    st->waiting += waits;
    st->disputed += waits && tie;
    if (!waits) *(keep * 2 < n ? &st->rejected : modified ? &st->modified : &st->accepted) += 1;
    pthread_mutex_unlock(&st->lock);
    if (waits) {
        want(st, ts, d, n, tie ? 1 : (size_t)p->overlap - n);
        qn_emit_wait(em);
        return;
    }
    if (keep * 2 < n) {
        qn_emit_reject(em, r, qn_reject_fact("review", "rejected by %.*s%s%.*s", (int)(d[rejecter].who.n < 40 ? d[rejecter].who.n : 40), d[rejecter].who.p, d[rejecter].note.n ? ": " : "",
                                             (int)(d[rejecter].note.n < 60 ? d[rejecter].note.n : 60), d[rejecter].note.p));
        return;
    }
    qn_value before = change(p, r, d, n, cx->scratch);
    put_review(p, r, before.kind == QN_V_NULL ? "accepted" : "modified", d, n, before, cx->scratch);
    qn_emit_row(em, r);
}

/* Does the row go to people, and why? NULL: no. */
static qn_code picked(const params *p, qn_ctx *cx, const qn_row *r, const char **why, qn_err *e)
{
    qn_value v = qn_v_null();
    qn_rng rng = qn_ctx_rng(cx, r);
    if (p->rule) QN_TRY(qn_expr_one(p->rule, r, cx->scratch, &v, e));
    *why = p->rule && qn_v_true(v) ? "rule" : qn_rng_real(&rng) < p->picked ? "sample" : NULL;
    return QN_OK;
}

static qn_code begin(const params *p, qn_ctx *cx, state *st, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const char *why;
    qn_value v;
    QN_TRY(picked(p, cx, r, &why, e));
    if (!why) {
        pthread_mutex_lock(&st->lock);
        st->passed++;
        pthread_mutex_unlock(&st->lock);
        put_review(p, r, "unreviewed", NULL, 0, qn_v_null(), cx->scratch);
        qn_emit_row(em, r);
        return QN_OK;
    }
    task_state *ts = t->state = QN_ARENA_NEW(t->arena, task_state);
    qn_buf b = {0};
    QN_TRY(qn_expr_one(p->show, r, cx->scratch, &v, e));
    v = shown(v, cx->scratch);
    ts->task = qn_arena_str(t->arena, task_id(st, qn_hash_mix(qn_row_id(r), qn_hash(st->step, strlen(st->step)))));
    put_task(p, ts->task, edits_of(p, r, cx->scratch), v, why, &b);
    ts->line = qn_arena_str(t->arena, qn_buf_view(&b));
    qn_buf_clear(&b);
    qn_buf_puts(&b, "{\"review\":");            /* what the decision is about: the row's place and what was shown */
    qn_json_write_text(&b, ts->task);
    qn_buf_puts(&b, ",\"show\":");
    qn_json_write(&b, v);
    qn_buf_putc(&b, '}');
    ts->body = qn_arena_str(t->arena, qn_buf_view(&b));
    qn_buf_free(&b);
    ask_slot(st, t, ts, t->arena);
    return QN_OK;
}

/* One decision a turn, until neither the ledger nor the files know another. */
static qn_code turn(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    task_state *ts = t->state;
    if (!ts) return begin(vp, cx, vs, r, t, em, e);
    const qn_reply *last = &t->replies[t->n_replies - 1];
    if (last->status == QN_REPLY_FAILED && !last->replayed) return qn_fail(e, QN_ELEDGER, "%.*s", QN_FMT(last->error));
    if (last->status == QN_REPLY_OK && ts->slots < MANY_SLOTS) { ask_slot(vs, t, ts, t->arena); return QN_OK; }
    settle(cx, vs, t, r, em);
    return QN_OK;
}

/* Control tasks for everybody who has work: so many that their share is reached, the same ones for the same person in every run. */
static void want_controls(state *st)
{
    for (size_t i = 0; st->n_controls && i < st->n_people; i++) {
        size_t n = (size_t)ceil(st->p->control_share * (double)qn_desk_wanted(st->desk, st->people[i]));
        uint64_t from = qn_hash(st->people[i].p, st->people[i].n).lo;
        for (size_t k = 0; k < n && k < st->n_controls; k++) {
            const control *c = &st->controls[(from + k) % st->n_controls];
            qn_desk_want(st->desk, st->people[i], c->task, c->line);
        }
    }
}

/* What waits for whom. */
static const char *lacks(void *vs)
{
    state *st = vs;
    qn_buf b = {0};
    st->complete = true;
    if (!st->waiting) return NULL;
    for (size_t i = 0; i <= st->n_people; i++) {
        qn_str who = i < st->n_people ? st->people[i] : QN_STR("another");
        size_t n = st->desk ? qn_desk_wanted(st->desk, who) : 0;
        if (n) qn_buf_printf(&b, "%s%.*s %zu", b.n ? ", " : "", QN_FMT(who), n);
    }
    if (st->desk) want_controls(st);
    snprintf(st->why, sizeof st->why, "%zu rows wait for people (%s); fill in `decision` in %s/*.jsonl and run again", st->waiting, b.n ? b.p : "give `dir`: there is no folder for their files",
             st->folder[0] ? st->folder : "...");
    qn_buf_free(&b);
    return st->why;
}

static void people(void *vs, uint64_t *decided, uint64_t *passed)
{
    const state *st = vs;
    *decided = st->accepted + st->modified;
    *passed = st->passed;
}

const qn_op qn_op_review = {
    .name = "review", .version = 1, .stage = QN_CURATE, .flags = QN_OP_SEES_FAILURES,
    .brief = "hand rows to people and go on with what they decide: accept, reject or modify",
    .about = "The first run writes a file of tasks for each person, DIR/review/<step>/NAME.jsonl, ends with those rows pending and says whom it waits for (exit 1). A person sets\n"
             "`decision` to accept, reject or modify (with the new text in `edit`), may add a note and marks, and the same command goes on. A decision is in the ledger from then\n"
             "on; it outlives the file, and a later one of the same person replaces it. Where as many accept as reject, one further person is asked (file `another`).\n"
             "run.log has the agreement: pairs of decisions that agree, Krippendorff's alpha; and how each person did on the control tasks, which look like any other.",
    .paper = "Krippendorff 2011, Computing Krippendorff's Alpha-Reliability (nominal data, any number of people)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .turn = turn, .lacks = lacks, .people = people,
};
