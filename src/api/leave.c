/* leave: plan and result to the report's facts. */
#include "model/permit.h"
#include "api/leave.h"
#include "quern.h"
#include "core/clock.h"
#include "core/file.h"
#include "report/survey.h"
#include <sys/stat.h>

static const char *end_word(qn_end e)
{
    static const char *const words[] = { "done", "target", "budget", "signal", "unreachable", "waiting", "error" };
    return words[e];
}

static const char *text_z(qn_arena *a, qn_str s) { return s.n ? qn_arena_str(a, s).p : NULL; }

static const char *shown_text(qn_arena *a, qn_value shown, const char *name)
{
    qn_value v;
    return qn_v_get(shown, qn_str_of(name), &v) && v.kind == QN_V_TEXT ? text_z(a, qn_v_str(v)) : NULL;
}

static void put_steps(qn_leave *l, const qn_plan *plan, const qn_run_result *r)
{
    qn_report_step *all = QN_ARENA_NEW_N(&l->arena, qn_report_step, plan->n_steps + 1);
    for (int i = 0; i < plan->n_steps; i++) {
        const qn_step *s = &plan->steps[i];
        qn_report_reason *reasons = QN_ARENA_NEW_N(&l->arena, qn_report_reason, r->n_reasons + 1);
        qn_report_step *o = &all[i];
        static const char *const words[] = { "", "repeat", "repeat ends", "join" };
        static const char *const briefs[] = { "", "a row goes round", "go round again, or leave", "branches of one row become one row" };
        *o = (qn_report_step){ .name = text_z(&l->arena, s->name), .op = s->op ? s->op->name : words[s->kind], .brief = s->op ? s->op->brief : briefs[s->kind],
                               .in = r->steps[i].in, .out = r->steps[i].out, .rejected = r->steps[i].rejected, .failed = r->steps[i].failed, .reasons = reasons };
        for (size_t k = 0; k < r->n_reasons; k++)
            if (r->reasons[k].step == i)
                reasons[o->n_reasons++] = (qn_report_reason){ r->reasons[k].text, r->reasons[k].n, r->reasons[k].failed, r->reasons[k].example };
    }
    l->facts.steps = all;
    l->facts.n_steps = (size_t)plan->n_steps;
}

static void put_sources(qn_leave *l, const qn_plan *plan, const qn_run_result *r)
{
    qn_report_source *all = QN_ARENA_NEW_N(&l->arena, qn_report_source, plan->n_steps + 1);
    const char **warnings = QN_ARENA_NEW_N(&l->arena, const char *, plan->n_steps + 1);
    for (int i = 0; i < plan->n_steps; i++) {
        const qn_step *s = &plan->steps[i];
        if (!s->op || s->op->stage != QN_SOURCE || !s->op->next || s->op->absorb) continue;
        const char *path = shown_text(&l->arena, s->shown, "path"), *licence = shown_text(&l->arena, s->shown, "licence");
        if (!licence && r->licences && !(r->licences & QN_LICENCE_UNKNOWN))      /* the command, the documents or files beside them say it */
            licence = r->licences & (r->licences - 1) ? "as its rows say, see below" : qn_licence_name(__builtin_ctzll(r->licences));
        struct stat st;
        uint64_t bytes = path && stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
        all[l->facts.n_sources++] = (qn_report_source){ .name = path ? path : text_z(&l->arena, s->name), .licence = licence, .rows = r->steps[i].in, .bytes = bytes };
        if (!licence && path && r->licences & QN_LICENCE_UNKNOWN)
            warnings[l->facts.n_warnings++] = qn_arena_printf(&l->arena, "the licence of %s is not known: name it with `licence`", path).p;
    }
    l->facts.sources = all;
    l->facts.warnings = warnings;
}

/* Fields that rows have before anything is made of them: those of sources, and what steps that only move texts add to them. */
static void put_source_fields(qn_leave *l, const qn_plan *plan)
{
    size_t cap = 0, n = 0;
    for (int i = 0; i < plan->n_steps; i++) cap += plan->steps[i].out ? plan->steps[i].out->n_fields : 0;
    const char **names = QN_ARENA_NEW_N(&l->arena, const char *, cap + 1);
    for (int i = 0; i < plan->n_steps; i++) {
        const qn_step *s = &plan->steps[i];
        if (!s->op || !s->out || !(s->op->stage == QN_SOURCE || s->op->flags & QN_OP_MOVES)) continue;
        for (size_t k = 0; k < s->out->n_fields; k++) {
            qn_str name = s->out->fields[k].name;
            bool made = s->op->stage != QN_SOURCE && s->in && qn_type_field_of(s->in, name), known = false;     /* there before: it stays what it was */
            for (size_t j = 0; j < n; j++) known |= qn_str_is(name, names[j]);
            if (!made && !known) names[n++] = qn_arena_str(&l->arena, name).p;
        }
    }
    l->facts.source_fields = names;
    l->facts.n_source_fields = n;
}

/* Without its query, which may hold a secret. */
static const char *shown_url(qn_arena *a, const qn_model *m) { return qn_arena_str(a, (qn_str){ m->url, strcspn(m->url, "?") }).p; }

/* "MIT, CC0 1.0": of a model that was trained here, what its rows were made from. */
static const char *names_of(qn_arena *a, qn_licences set)
{
    const char *all = "";
    for (int bit = 0; bit < 64; bit++)
        if (set >> bit & 1) all = qn_arena_printf(a, "%s%s%s", all, *all ? ", " : "of its rows: ", bit ? qn_licence_name(bit) : "not known").p;
    return all;
}

static void put_models(qn_leave *l, const qn_plan *plan, const qn_run_result *r)
{
    qn_report_model *all = QN_ARENA_NEW_N(&l->arena, qn_report_model, plan->n_roles + 1);
    int asked = 0;
    for (int i = 0; i < plan->n_roles; i++) asked += qn_role_counts(&plan->roles[i]) && plan->roles[i].model && !plan->roles[i].model->builtin;
    for (int i = 0; i < plan->n_roles; i++) {
        const qn_model *m = plan->roles[i].model;
        if (!qn_role_counts(&plan->roles[i])) continue;
        qn_report_model *o = &all[l->facts.n_models++];
        const char *where = !m ? NULL : m->url ? shown_url(&l->arena, m) : m->folder;
        *o = (qn_report_model){ .role = plan->roles[i].name, .name = m && m->name ? m->name : "builtin", .where = where ? where : "builtin" };
        if (!m || m->builtin) continue;
        o->licence = m->licences ? names_of(&l->arena, m->licences) : m->licence;
        o->terms = m->terms;
        o->priced = m->priced;
        if (asked > 1) continue;        /* with several models the ledger knows who cost what, the totals do not */
        o->calls = r->sent + r->replayed;
        o->prompt_tokens = r->prompt_tokens;
        o->completion_tokens = r->completion_tokens;
        o->cost_usd = r->cost_usd;
    }
    l->facts.models = all;
}

/* A share that a step promises of a plain field: `balance`, and `mix` where it marks its rows. */
static void add_share(qn_leave *l, qn_report_target *targets, const char *field, qn_str value, double want)
{
    qn_report_target *t = &targets[l->facts.n_targets++];
    *t = (qn_report_target){ qn_arena_printf(&l->arena, "share of %s = %.*s", field, QN_FMT(value)).p, want, 0, true };
    l->shares[l->n_shares++] = (struct qn_leave_share){ t, field, qn_arena_str(&l->arena, value) };
}

enum { SHARES_OF_A_STEP = 40 };
static void put_shares(qn_leave *l, const qn_step *s, qn_report_target *targets)
{
    const char *by = shown_text(&l->arena, s->shown, "by"), *mark = shown_text(&l->arena, s->shown, "mark");
    qn_value shares, share;
    qn_str name;
    qn_value v;
    size_t n = 0;
    if (by && by[0] == '.' && !by[1 + strcspn(by + 1, ".[ |()")] && qn_v_get(s->shown, QN_STR("shares"), &shares) && shares.kind == QN_V_OBJECT) {
        qn_v_iter it = qn_v_iter_of(shares);
        while (qn_v_next(&it, &name, &v) && n++ < SHARES_OF_A_STEP) add_share(l, targets, by + 1, name, qn_v_number(v));
    }
    if (mark && strcmp(s->op->name, "mix") == 0 && qn_v_get(s->shown, QN_STR("share"), &share) && qn_v_is_number(share))
        add_share(l, targets, mark + (mark[0] == '.'), QN_STR("file"), qn_v_number(share));
}

static void put_outputs(qn_leave *l, const qn_plan *plan, const qn_run_result *r)
{
    qn_report_output *all = QN_ARENA_NEW_N(&l->arena, qn_report_output, plan->n_steps + 1);
    qn_report_target *targets = QN_ARENA_NEW_N(&l->arena, qn_report_target, (SHARES_OF_A_STEP + 3) * plan->n_steps + 1);
    l->shares = QN_ARENA_NEW_N(&l->arena, struct qn_leave_share, (SHARES_OF_A_STEP + 1) * plan->n_steps + 1);
    if (!l->facts.dir) return;
    for (int i = 0; i < plan->n_steps; i++) {
        const qn_step *s = &plan->steps[i];
        qn_value v;
        if (s->op && s->op->stage == QN_CURATE) put_shares(l, s, targets);
        if (!s->op || s->op->stage != QN_SINK) continue;
        const char *to = shown_text(&l->arena, s->shown, "to");
        if (!to && strcmp(s->op->name, "write") == 0) to = "data.jsonl";
        if (!to) continue;
        char *path = qn_path_join(l->facts.dir, to);
        struct stat st;
        if (stat(path, &st) == 0) {
            all[l->facts.n_outputs++] = (qn_report_output){ .path = to, .about = shown_text(&l->arena, s->shown, "as"), .bytes = (uint64_t)st.st_size, .rows = r->steps[i].out };
            if (!l->facts.data_path) l->facts.data_path = text_z(&l->arena, qn_str_of(path));
        }
        qn_free(path);
        if (qn_v_get(s->shown, QN_STR("rows"), &v) && qn_v_is_number(v) && qn_v_number(v) > 0)
            targets[l->facts.n_targets++] = (qn_report_target){ "rows", qn_v_number(v), (double)r->steps[i].out, false };
    }
    l->facts.outputs = all;
    l->facts.targets = targets;
}

static const char *path_if_there(qn_leave *l, const char *name)
{
    if (!l->facts.dir) return NULL;
    char *p = qn_path_join(l->facts.dir, name);
    const char *out = qn_file_exists(p) ? text_z(&l->arena, qn_str_of(p)) : NULL;
    qn_free(p);
    return out;
}

void qn_leave_make(qn_leave *l, const qn_plan *plan, const qn_run_result *r, const char *dir, const char *ledger, const char *command)
{
    char hash[33];
    *l = (qn_leave){0};
    qn_report_facts *f = &l->facts;
    qn_hash_hex(plan->hash, hash);
    *f = (qn_report_facts){
        .dir = dir, .recipe = plan->name, .about = text_z(&l->arena, plan->about), .paper = text_z(&l->arena, plan->paper), .command = command,
        .version = QUERN_VERSION, .recipe_hash = text_z(&l->arena, qn_str_of(hash)), .params = plan->params, .seed = plan->seed,
        .ended = end_word(r->end), .ended_words = r->stopped_why[0] ? r->stopped_why : NULL, .ended_ms = qn_wall_ms(),
        .rows = { r->in, r->accepted, r->rejected, r->failed, r->pending, r->ahead, r->became, r->created },
        .calls = { r->sent, r->replayed, r->calls_failed, r->retried, r->collected }, .tokens = { r->prompt_tokens, r->completion_tokens },
        .cost_usd = r->cost_usd, .cost_all_usd = r->cost_all_usd, .seconds = r->seconds, .cpu_seconds = r->cpu_seconds,
        .peak_memory_bytes = r->peak_memory_bytes, .interrupted_in_flight = r->interrupted_in_flight, .interrupted_worst_usd = r->interrupted_worst_usd,
        .human = !r->decided ? QN_HUMAN_NONE : r->undecided ? QN_HUMAN_TESTED : QN_HUMAN_VERIFIED, .decided = r->decided, .undecided = r->undecided,
    };
    put_steps(l, plan, r);
    put_sources(l, plan, r);
    put_source_fields(l, plan);
    put_models(l, plan, r);
    put_outputs(l, plan, r);
    f->rejected_path = path_if_there(l, "rejected.jsonl");
    f->failed_path = path_if_there(l, "failed.jsonl");
    f->trace_path = path_if_there(l, "trace.jsonl.zst");
    f->ledger_path = ledger && qn_file_exists(ledger) ? ledger : NULL;
}

static void put_verdict(qn_leave *l, const qn_permit *p)
{
    qn_report_facts *f = &l->facts;
    const char **words = QN_ARENA_NEW_N(&l->arena, const char *, f->n_terms + 1);
    static const int weight[] = { [QN_TRAIN_ALLOWED] = 0, [QN_TRAIN_CONDITIONS] = 1, [QN_TRAIN_UNKNOWN] = 2, [QN_TRAIN_FORBIDDEN] = 3 };
    if (f->n_terms) memcpy(words, f->terms, f->n_terms * sizeof *words);
    if (p->words[0]) words[f->n_terms++] = qn_arena_str(&l->arena, qn_str_of(p->words)).p;
    f->terms = words;
    if (weight[p->may] > f->may_train) f->may_train = weight[p->may];
}

void qn_leave_terms(qn_leave *l, const qn_plan *plan, const qn_run_result *r, const char *student)
{
    qn_report_facts *f = &l->facts;
    const char **names = QN_ARENA_NEW_N(&l->arena, const char *, 64);
    f->student = student;
    f->may_train = r->accepted ? 0 : -1;
    for (int bit = 0; bit < 64; bit++) {
        if (!(r->licences >> bit & 1)) continue;
        names[f->n_licences++] = qn_licence_name(bit);
        qn_permit p = qn_permit_of_source(bit ? qn_licence_name(bit) : NULL, student);
        put_verdict(l, &p);
    }
    f->licences = names;
    for (int i = 0; i < plan->n_roles; i++) {
        const qn_model *m = plan->roles[i].model;
        if (!m || m->builtin || m->search.kind != QN_V_NULL || !qn_role_counts(&plan->roles[i])) continue;
        qn_permit p = qn_permit_of(m, student);
        if (p.may == QN_TRAIN_UNKNOWN && !m->url) continue;     /* quern runs it itself: a network of the user's own, or one that writes nothing */
        put_verdict(l, &p);
    }
}

qn_code qn_leave_write(qn_leave *l, qn_err *e)
{
    qn_survey *s = NULL;
    if (l->facts.data_path) QN_TRY(qn_survey_read(&s, l->facts.data_path, l->facts.rows.accepted, e));
    l->facts.survey = s;
    for (size_t i = 0; i < l->n_shares && s; i++) l->shares[i].target->got = qn_survey_share(s, l->shares[i].field, l->shares[i].value);
    qn_code rc = qn_summary_write(&l->facts, e);
    if (rc == QN_OK) rc = qn_card_write(&l->facts, e);
    if (rc == QN_OK) rc = qn_report_write(&l->facts, e);
    l->facts.survey = NULL;
    qn_survey_free(s);
    return rc;
}

void qn_leave_free(qn_leave *l) { qn_arena_free(&l->arena); }
