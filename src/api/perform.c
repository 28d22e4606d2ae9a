/* perform: settings into a run, a run into files and an exit code. */
#include "api/perform.h"
#include "core/file.h"
#include "core/log.h"
#include "ledger/lockfile.h"
#include "model/permit.h"
#include <stdio.h>
#include <unistd.h>

void qn_perform_defaults(qn_perform_opts *o)
{
    *o = (qn_perform_opts){ .seed = 1, .limit = -1, .memory = (int64_t)1 << 30, .in_flight = 1024, .budget = -1, .max_failed = 0.1 };
}

static qn_run_opts run_opts(const qn_perform_opts *o, const char *ledger)
{
    return (qn_run_opts){ .ledger_path = ledger, .fresh = o->fresh, .limit = o->limit, .student = o->student, .licence = o->licence, .budget_usd = o->budget, .memory_bytes = (size_t)o->memory,
                          .workers = (int)o->workers, .in_flight = (int)o->in_flight, .rejected_path = o->rejected, .stop = o->stop,
                          .progress = o->progress, .progress_arg = o->progress_arg, .ended = o->ended, .ended_arg = o->ended_arg };
}

/* ---- before a run ---- */
bool qn_perform_commands(const qn_plan *plan, qn_buf *out)
{
    bool any = false;
    for (int i = 0; i < plan->n_steps; i++) {
        const qn_step *s = &plan->steps[i];
        qn_value v;
        bool trl = s->gives && qn_v_get(s->shown, QN_STR("by"), &v) && qn_str_is(qn_v_str(v), "trl");
        if (trl) {
            if (!qn_v_get(s->shown, QN_STR("command"), &v)) v = qn_v_text(QN_STR("trl"));
            qn_buf_printf(out, "%sthe step %.*s runs: %.*s", any ? "\n" : "", QN_FMT(s->name), QN_FMT(qn_v_str(v)));
            any = true;
            continue;
        }
        if (!s->op || !(s->op->flags & QN_OP_RUNS_COMMANDS)) continue;
        if (!qn_v_get(s->shown, QN_STR("run"), &v)) v = s->shown;
        qn_buf_printf(out, "%sthe step %.*s runs: %.*s", any ? "\n" : "", QN_FMT(s->name), QN_FMT(qn_v_str(v)));
        any = true;
    }
    return any;
}

/* A source whose licence the recipe names. One that a later step `licence` may leave out is judged row by row. */
static qn_code source_terms(const qn_plan *plan, const qn_step *s, const qn_perform_opts *o, qn_err *e)
{
    qn_value v, path;
    bool named = qn_v_get(s->shown, QN_STR("licence"), &v) && v.kind == QN_V_TEXT && qn_v_str(v).n;
    for (int i = 0; i < plan->n_steps; i++)
        if (plan->steps[i].op && strcmp(plan->steps[i].op->name, "licence") == 0) return QN_OK;
    if (!named && !o->licence) return QN_OK;
    char *name = qn_strz(named ? qn_v_str(v) : qn_str_of(o->licence));
    qn_permit p = qn_permit_of_source(name, o->student);
    qn_free(name);
    if (p.may != QN_TRAIN_FORBIDDEN) return QN_OK;
    if (!qn_v_get(s->shown, QN_STR("path"), &path)) path = qn_v_text(s->name);
    qn_fail_at(e, QN_EUSAGE, s->pos, "rows made from %.*s may not train %s: %s", QN_FMT(qn_v_str(path)), o->student, p.words);
    qn_hint(e, "take another source, or say `licence: your-own` when you have an agreement of your own");
    return QN_EUSAGE;
}

qn_code qn_perform_terms(const qn_plan *plan, const qn_perform_opts *o, void (*tell)(const char *words), qn_err *e)
{
    for (int i = 0; i < plan->n_roles; i++) {
        const qn_model *m = plan->roles[i].model;
        if (!m || m->builtin || m->search.kind != QN_V_NULL || !qn_role_counts(&plan->roles[i])) continue;
        qn_permit p = qn_permit_of(m, o->student);
        if (p.may == QN_TRAIN_FORBIDDEN && o->student) {
            qn_fail(e, QN_EUSAGE, "rows that %s writes may not train %s: %s", m->name, o->student, p.words);
            qn_hint(e, "take another teacher, or say `terms:` in quern.yaml when you have an agreement of your own");
            return QN_EUSAGE;
        }
        bool local = m->folder || (m->url && strncmp(m->url, "http://127.", 11) == 0);
        if (tell && p.words[0] && !(p.may == QN_TRAIN_UNKNOWN && local)) tell(p.words);
    }
    for (int i = 0; o->student && i < plan->n_steps; i++)
        if (plan->steps[i].op && plan->steps[i].op->stage == QN_SOURCE) QN_TRY(source_terms(plan, &plan->steps[i], o, e));
    return QN_OK;
}

/* ---- a recipe ---- */
qn_code qn_perform_run(const qn_plan *plan, const qn_perform_opts *o, const char *dir, const char *command, qn_run_result *r, qn_leave *l, qn_err *e)
{
    *r = (qn_run_result){0};
    *l = (qn_leave){0};
    if (o->against && access(o->against, R_OK) != 0) return qn_fail(e, QN_EUSAGE, "--against: cannot read %s", o->against);
    QN_TRY(qn_mkdirs(dir, e));
    char *ledger = o->ledger ? qn_strz(qn_str_of(o->ledger)) : qn_path_join(dir, "ledger.db");
    char *log = qn_path_join(dir, "run.log"), *lock = qn_path_join(dir, "run.lock");
    qn_lockfile held = {0};
    qn_run_opts ro = run_opts(o, ledger);
    ro.out_dir = dir;
    qn_code rc = qn_log_open(log, e);
    if (rc == QN_OK) rc = qn_lockfile_take(&held, lock, dir, e);       /* two runs would write each other's files */
    if (rc == QN_OK) {
        rc = qn_run(plan, &ro, r, e);
        if (rc == QN_OK) {
            qn_leave_make(l, plan, r, dir, ledger, command);
            l->facts.real_path = o->against;
            qn_leave_terms(l, plan, r, o->student);
            rc = qn_leave_write(l, e);
        }
    }
    qn_log_close();
    qn_lockfile_release(&held);
    qn_free(ledger);
    qn_free(log);
    qn_free(lock);
    return rc;
}

/* ---- one operator ---- */
/* A value as YAML: lists and maps as they stand (not templates: {{ .text }}), plain words as they stand, anything else in quotes. */
static void put_yaml(qn_buf *b, qn_str v)
{
    bool plain = v.n > 0;
    for (size_t i = 0; i < v.n && plain; i++) plain = strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-", v.p[i]) != NULL;
    if (v.n && (v.p[0] == '[' || v.p[0] == '{') && !qn_str_starts(v, QN_STR("{{"))) qn_buf_str(b, v);
    else if (plain && (v.p[0] != '-' || v.n > 1)) qn_buf_str(b, v);
    else {
        qn_buf doubled = {0};                       /* a dollar sign in front stands for itself */
        if (v.n && v.p[0] == '$') qn_buf_putc(&doubled, '$');
        qn_buf_str(&doubled, v);
        qn_json_write_text(b, qn_buf_view(&doubled));
        qn_buf_free(&doubled);
    }
}

static bool is_filter(const qn_op *op)
{
    return ((op->settle || op->decide || op->measure) && !op->map && op->stage != QN_SINK) || op->flags & QN_OP_MEASURES;
}
static bool is_source(const qn_op *op) { return op->next && !op->absorb; }

void qn_perform_op_recipe(const qn_op *op, const qn_setting *settings, size_t n, const char *in, const char *out, bool *raw, qn_buf *b)
{
    bool fields = false, first = true;
    qn_buf_puts(b, "quern: 1\nsteps:\n");
    if (!is_source(op)) {
        qn_buf_puts(b, "  - read_rows: {path: ");
        qn_json_write_text(b, qn_str_of(in));
        qn_buf_puts(b, out ? "}\n" : ", format: jsonl}\n");
    }
    qn_buf_printf(b, "  - %s: {", op->name);
    for (size_t i = 0; i < n; i++) {
        if (qn_str_is(settings[i].name, "fields") && is_filter(op)) {
            fields = qn_str_is(settings[i].value, "yes") || qn_str_is(settings[i].value, "true");
            continue;
        }
        qn_buf_printf(b, "%s%.*s: ", first ? "" : ", ", QN_FMT(settings[i].name));
        put_yaml(b, settings[i].value);
        first = false;
    }
    *raw = is_filter(op) && !fields;
    if (!out) {
        qn_buf_puts(b, "}\n  - hand_over: {}\n");
        return;
    }
    qn_buf_puts(b, "}\n  - write: {to: ");
    qn_json_write_text(b, qn_str_of(out));
    qn_buf_printf(b, "%s}\n", *raw ? ", raw: yes" : "");
}

qn_code qn_perform_apply(const qn_plan *plan, const qn_perform_opts *o, const char *ledger, qn_run_result *r, qn_err *e)
{
    char gone[64];
    snprintf(gone, sizeof gone, "/tmp/quern-apply-%d.db", (int)getpid());
    const char *path = o->ledger ? o->ledger : ledger ? ledger : gone;
    qn_run_opts ro = run_opts(o, path);
    qn_code rc = qn_run(plan, &ro, r, e);
    if (path == gone) unlink(gone);
    return rc;
}

/* ---- how it ended ---- */
int qn_perform_exit(const qn_run_result *r, double max_failed)
{
    switch (r->end) {
    case QN_END_BUDGET: return QN_EXIT_BUDGET;
    case QN_END_UNREACHABLE: return QN_EXIT_MODEL;
    case QN_END_SIGNAL: return QN_EXIT_INTERRUPTED;
    case QN_END_ERROR: return QN_EXIT_LACKING;
    default: break;
    }
    if (r->lacking || r->accepted == 0) return QN_EXIT_LACKING;
    return r->in && (double)r->failed > max_failed * (double)r->in ? QN_EXIT_LACKING : QN_EXIT_DONE;
}

int qn_perform_apply_exit(const qn_run_result *r)
{
    bool ended = r->end == QN_END_DONE && !r->lacking;
    if (ended && r->accepted == 0 && r->failed == 0) return QN_EXIT_DONE;
    return qn_perform_exit(r, 0.1);
}

int qn_perform_error_exit(const qn_err *e)
{
    switch (e->code) {
    case QN_EUSAGE: case QN_ERECIPE: return QN_EXIT_USAGE;
    case QN_EBUDGET: return QN_EXIT_BUDGET;
    case QN_EMODEL: return QN_EXIT_MODEL;
    case QN_ESTOP: return QN_EXIT_INTERRUPTED;
    default: return QN_EXIT_LACKING;
    }
}
