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
#include "ops/curate/review_people.h"

static const qn_param PARAMS[] = {
    QN_EXPR(qn_review_params, show, ".", NULL, "what people see of a row: '{prompt, answer}'"),
    QN_TEXTS(qn_review_params, edit, "", "fields that people may change: a text or a list of names"),
    QN_EXPR(qn_review_params, rule, "", "bool", "rows that must be reviewed: '.judged.overall < 3 or .judged.spread > 1'"),
    QN_VALUE(qn_review_params, share, "", "share of the other rows that is reviewed too, drawn at random; left out: 0 with a rule, else 1"),
    QN_TEXTS(qn_review_params, people, "", "names; each gets a file of tasks (left out: one file, `queue`, for each of the overlap)"),
    QN_INT(qn_review_params, overlap, "1", "1..20", "so many people decide about each row"),
    QN_VALUE(qn_review_params, scales, "", "marks that people give: {style: 1..5, context: 1..5}"),
    QN_TEXT(qn_review_params, ask, "", "a sentence for people, on every task"),
    QN_PATH(qn_review_params, control, "", "rows with the field `expected` (accept or reject), whose decision is known: mixed in unseen"),
    QN_REAL(qn_review_params, control_share, "0.1", "0..1", "control tasks for each task of a person"),
    QN_REAL(qn_review_params, control_min, "0.7", "0..1", "who decides a smaller share of three or more control tasks rightly is not counted"),
    QN_FIELD(qn_review_params, as, "review", "field for {state, by, scores, note, before}"),
    QN_PATH(qn_review_params, dir, "", "folder of the files, to share it between people (left out: DIR/review/<step>)"),
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
    qn_review_params *p = vp;
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

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const qn_review_params *p = vp;
    qn_review *st = QN_NEW(qn_review);
    *out = st;
    st->p = p;
    pthread_mutex_init(&st->lock, NULL);
    snprintf(st->step, sizeof st->step, "%.*s", QN_FMT(cx->step));
    qn_review_name_people(st);
    for (size_t i = 0; i < st->n_people; i++)
        for (size_t k = 0; k < st->people[i].n; k++)
            if (st->people[i].p[k] == '/' || (unsigned char)st->people[i].p[k] < 32) return qn_fail(e, QN_ERECIPE, "`%.*s` cannot name a person: it names a file", QN_FMT(st->people[i]));
    if (p->people.n && p->people.n < (size_t)p->overlap) return qn_fail(e, QN_ERECIPE, "%lld people are to decide about each row, and %zu are named", (long long)p->overlap, p->people.n);
    if (p->control) QN_TRY(qn_pick_rows(p->control, qn_review_add_control, st, e));
    if (!p->dir && !cx->out_dir) return QN_OK;
    if (p->dir) snprintf(st->folder, sizeof st->folder, "%s", p->dir);
    else snprintf(st->folder, sizeof st->folder, "%s/review/%s", cx->out_dir, st->step);
    QN_TRY(qn_desk_open(&st->desk, st->folder, e));
    return qn_review_read(st, e);
}

/* ---- agreement ---- */
static void count_pair(qn_review *st, int a, int b, size_t n_deciders)
{
    st->pairs++;
    st->agreeing += a == b;
    st->observed[a][b] += 1.0 / (double)(n_deciders - 1);
    st->observed[b][a] += 1.0 / (double)(n_deciders - 1);
}

/* 1 - observed / expected disagreement (Krippendorff 2011); NAN when nobody could disagree: all said the same. */
static double alpha_of(const qn_review *st)
{
    double n0 = st->observed[0][0] + st->observed[0][1], n1 = st->observed[1][0] + st->observed[1][1], n = n0 + n1;
    double expected = n > 1 ? 2 * n0 * n1 / (n - 1) : 0;
    return expected > 0 ? 1 - (st->observed[0][1] + st->observed[1][0]) / expected : NAN;
}

static void close(void *vs)
{
    qn_review *st = vs;
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
/* The next decision of the files that is none of those the ledger gave already. */
static qn_str next_answer(const qn_review *st, const qn_turn *t, qn_str task, qn_arena *a)
{
    const qn_desk_line *l;
    for (size_t i = 0; st->desk && (l = qn_desk_about(st->desk, task, i)); i++) {
        if (!qn_review_trusts(st, l->who)) continue;
        qn_str answer = qn_review_answer(l, a);
        bool seen = false;
        for (size_t k = 0; k < t->n_replies && !seen; k++) seen = qn_str_eq(t->replies[k].text, answer);
        if (!seen) return answer;
    }
    return (qn_str){ "", 0 };
}

static void ask_slot(const qn_review *st, qn_turn *t, qn_review_task *ts, qn_arena *a)
{
    qn_str answer = next_answer(st, t, ts->task, a);
    qn_ask ask = { .kind = QN_ASK_PERSON, .body = ts->body, .answer = answer, .draw = qn_arena_printf(a, "%d", ts->slots++) };
    qn_turn_ask(t, &ask);
}

static void settle(qn_ctx *cx, qn_review *st, qn_turn *t, qn_row *r, qn_emit *em)
{
    const qn_review_params *p = st->p;
    qn_review_task *ts = t->state;
    qn_decision d[QN_REVIEW_SLOTS];
    size_t n = qn_review_decisions(t, cx->scratch, d), keep = 0, modified = 0, rejecter = n;
    for (size_t i = 0; i < n; i++) {
        keep += qn_review_side(d[i].decision) == 1;
        modified += qn_str_is(d[i].decision, "modify");
        if (qn_review_side(d[i].decision) == 0 && rejecter == n) rejecter = i;
    }
    bool tie = n >= (size_t)p->overlap && keep * 2 == n;
    bool waits = n < (size_t)p->overlap || tie;
    pthread_mutex_lock(&st->lock);
    for (size_t i = 0; i < n && n > 1; i++)
        for (size_t k = i + 1; k < n; k++) count_pair(st, qn_review_side(d[i].decision), qn_review_side(d[k].decision), n);
    st->waiting += waits;
    st->disputed += waits && tie;
    if (!waits) *(keep * 2 < n ? &st->rejected : modified ? &st->modified : &st->accepted) += 1;
    pthread_mutex_unlock(&st->lock);
    if (waits) {
        qn_review_want(st, ts, d, n, tie ? 1 : (size_t)p->overlap - n);
        qn_emit_wait(em);
        return;
    }
    if (keep * 2 < n) {
        qn_emit_reject(em, r, qn_reject_fact("review", "rejected by %.*s%s%.*s", (int)(d[rejecter].who.n < 40 ? d[rejecter].who.n : 40), d[rejecter].who.p, d[rejecter].note.n ? ": " : "",
                                             (int)(d[rejecter].note.n < 60 ? d[rejecter].note.n : 60), d[rejecter].note.p));
        return;
    }
    qn_value before = qn_review_change(p, r, d, n, cx->scratch);
    qn_review_put(p, r, before.kind == QN_V_NULL ? "accepted" : "modified", d, n, before, cx->scratch);
    qn_emit_row(em, r);
}

/* Does the row go to people, and why? NULL: no. */
static qn_code picked(const qn_review_params *p, qn_ctx *cx, const qn_row *r, const char **why, qn_err *e)
{
    qn_value v = qn_v_null();
    qn_rng rng = qn_ctx_rng(cx, r);
    if (p->rule) QN_TRY(qn_expr_one(p->rule, r, cx->scratch, &v, e));
    *why = p->rule && qn_v_true(v) ? "rule" : qn_rng_real(&rng) < p->picked ? "sample" : NULL;
    return QN_OK;
}

static qn_code begin(const qn_review_params *p, qn_ctx *cx, qn_review *st, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const char *why;
    qn_value v;
    QN_TRY(picked(p, cx, r, &why, e));
    if (!why) {
        pthread_mutex_lock(&st->lock);
        st->passed++;
        pthread_mutex_unlock(&st->lock);
        qn_review_put(p, r, "unreviewed", NULL, 0, qn_v_null(), cx->scratch);
        qn_emit_row(em, r);
        return QN_OK;
    }
    qn_review_task *ts = t->state = QN_ARENA_NEW(t->arena, qn_review_task);
    qn_buf b = {0};
    QN_TRY(qn_expr_one(p->show, r, cx->scratch, &v, e));
    v = qn_review_shown(v, cx->scratch);
    ts->task = qn_arena_str(t->arena, qn_review_task_id(st, qn_hash_mix(qn_row_id(r), qn_hash(st->step, strlen(st->step)))));
    qn_review_put_task(p, ts->task, qn_review_edits(p, r, cx->scratch), v, why, &b);
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
    qn_review_task *ts = t->state;
    if (!ts) return begin(vp, cx, vs, r, t, em, e);
    const qn_reply *last = &t->replies[t->n_replies - 1];
    if (last->status == QN_REPLY_FAILED && !last->replayed) return qn_fail(e, QN_ELEDGER, "%.*s", QN_FMT(last->error));
    if (last->status == QN_REPLY_OK && ts->slots < QN_REVIEW_SLOTS) { ask_slot(vs, t, ts, t->arena); return QN_OK; }
    settle(cx, vs, t, r, em);
    return QN_OK;
}

/* What waits for whom. */
static const char *lacks(void *vs)
{
    qn_review *st = vs;
    qn_buf b = {0};
    st->complete = true;
    if (!st->waiting) return NULL;
    for (size_t i = 0; i <= st->n_people; i++) {
        qn_str who = i < st->n_people ? st->people[i] : QN_STR("another");
        size_t n = st->desk ? qn_desk_wanted(st->desk, who) : 0;
        if (n) qn_buf_printf(&b, "%s%.*s %zu", b.n ? ", " : "", QN_FMT(who), n);
    }
    if (st->desk) qn_review_want_controls(st);
    if (st->folder[0]) snprintf(st->why, sizeof st->why, "%zu row%s for people (%s); fill in `decision` in %s/*.jsonl and run again", st->waiting, st->waiting == 1 ? " waits" : "s wait", b.n ? b.p : "", st->folder);
    else snprintf(st->why, sizeof st->why, "%zu row%s for people, and there is no folder for their files: give `dir`", st->waiting, st->waiting == 1 ? " waits" : "s wait");
    qn_buf_free(&b);
    return st->why;
}

static void people(void *vs, uint64_t *decided, uint64_t *passed)
{
    const qn_review *st = vs;
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
    .params = PARAMS, .params_size = sizeof(qn_review_params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .turn = turn, .lacks = lacks, .people = people,
};
