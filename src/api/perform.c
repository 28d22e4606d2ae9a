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
/* What the step runs, as the recipe has it, and what of this machine it reads; false: it runs nothing. */
static bool command_of(const qn_step *s, qn_buf *out)
{
    qn_value v, file;
    qn_str name = QN_STR("run");
    bool trl = s->gives && qn_v_get(s->shown, QN_STR("by"), &v) && qn_str_is(qn_v_str(v), "trl");
    if (!trl && (!s->op || !(s->op->flags & QN_OP_RUNS_COMMANDS))) return false;
    if (trl) name = QN_STR("command");
    if (!qn_v_get(s->shown, name, &v)) v = qn_v_text(trl ? QN_STR("trl") : QN_STR("?"));
    qn_buf_str(out, qn_v_str(v));
    if (trl || !qn_v_get(s->shown, QN_STR("files"), &v)) return true;
    qn_v_iter it = qn_v_iter_of(v);
    if (v.kind == QN_V_TEXT) qn_buf_printf(out, "   (it reads %.*s)", QN_FMT(qn_v_str(v)));
    for (bool first = true; v.kind == QN_V_LIST && v.n && qn_v_next(&it, NULL, &file); first = false)
        qn_buf_printf(out, "%s%.*s", first ? "   (it reads " : ", ", QN_FMT(qn_v_str(file)));
    if (v.kind == QN_V_LIST && v.n) qn_buf_putc(out, ')');
    return true;
}

bool qn_perform_commands(const qn_plan *plan, qn_buf *out)
{
    size_t was = out->n;
    for (int i = 0; i < plan->n_steps; i++) {
        const qn_step *s = &plan->steps[i];
        qn_buf run = {0};
        if (command_of(s, &run)) qn_buf_printf(out, "%sthe step %.*s runs: %s", out->n > was ? "\n" : "", QN_FMT(s->name), run.p);
        qn_buf_free(&run);
    }
    return out->n > was;
}

static const char *allowed_by(const qn_perform_opts *o) { return o->allowed_by ? o->allowed_by : "--yes"; }

/* What was allowed is written down, in run.log at once and in the facts at the end. */
static void log_commands(const qn_plan *plan, const qn_perform_opts *o)
{
    for (int i = 0; i < plan->n_steps; i++) {
        qn_buf run = {0};
        if (command_of(&plan->steps[i], &run)) qn_log(QN_INFO, "command_allowed", "the step %.*s runs: %s; allowed by %s", QN_FMT(plan->steps[i].name), run.p, allowed_by(o));
        qn_buf_free(&run);
    }
}

static void put_commands(qn_leave *l, const qn_plan *plan, const qn_perform_opts *o)
{
    qn_report_command *all = QN_ARENA_NEW_N(&l->arena, qn_report_command, plan->n_steps + 1);
    for (int i = 0; i < plan->n_steps; i++) {
        qn_buf run = {0};
        if (command_of(&plan->steps[i], &run))
            all[l->facts.n_commands++] = (qn_report_command){ qn_arena_str(&l->arena, plan->steps[i].name).p, qn_arena_str(&l->arena, qn_buf_view(&run)).p, allowed_by(o) };
        qn_buf_free(&run);
    }
    l->facts.commands = all;
}

static qn_code refuse_commands(const qn_plan *plan, const qn_perform_opts *o, qn_err *e)
{
    qn_buf words = {0};
    qn_code rc = QN_OK;
    if (!o->yes && qn_perform_commands(plan, &words)) {
        rc = qn_fail(e, QN_EUSAGE, "the recipe runs commands: %s", words.p);
        qn_hint(e, "look at them, then give --yes");
    }
    qn_buf_free(&words);
    return rc;
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
    QN_TRY(refuse_commands(plan, o, e));
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
        log_commands(plan, o);
        rc = qn_run(plan, &ro, r, e);
        if (rc == QN_OK) {
            qn_leave_make(l, plan, r, dir, ledger, command);
            put_commands(l, plan, o);
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
