/* quern: the public API (include/quern.h) over perform. */
#include "quern.h"
#include "api/describe.h"
#include "api/perform.h"
#include "core/log.h"
#include "core/queue.h"
#include "io/child.h"
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct { qn_perform_opts run; const char *program; } options;
static const qn_opt OPTS[] = {
    QN_PERFORM_OPTS(options, "where replies are remembered"),
    QN_PERFORM_RECIPE_OPTS(options),
    QN_O(options, "program", 0, QN_OPT_TEXT, "FILE", "the quern program, which reads documents", program),
    { 0 }
};

struct quern {
    enum { OF_RECIPE, OF_TEXT, OF_OP } of;
    qn_arena   arena;               /* texts that were given */
    const char *word, *text;
    options    o;
    qn_pairs   settings, models;
    int        stop;
    quern_row_fn on_row;           void *row_arg;
    quern_progress_fn on_progress; void *progress_arg;
    bool       raw;                 /* rows leave as they came */
    qn_buf     row_text;
    qn_err     err;
    quern_status status;
    qn_buf     err_text, summary;
    char       file[512], rows_file[64];
};

static pthread_mutex_t one_run = PTHREAD_MUTEX_INITIALIZER;

const char *quern_version(void) { return QUERN_VERSION; }

/* ---- opening ---- */
static const char *copy(quern *q, const char *z) { return qn_arena_str(&q->arena, qn_str_of(z)).p; }

static quern *open_as(int of, const char *word, const char *text)
{
    quern *q = QN_NEW(quern);
    q->of = of;
    q->word = copy(q, word);
    q->text = text ? copy(q, text) : NULL;
    qn_perform_defaults(&q->o.run);
    return q;
}

quern *quern_open(const char *recipe) { return open_as(OF_RECIPE, recipe, NULL); }
quern *quern_open_text(const char *yaml, const char *name) { return open_as(OF_TEXT, name, yaml); }
quern *quern_open_op(const char *op) { return open_as(OF_OP, op, NULL); }

void quern_close(quern *q)
{
    if (!q) return;
    qn_free(q->settings.items);
    qn_free(q->models.items);
    qn_buf_free(&q->row_text);
    qn_buf_free(&q->err_text);
    qn_buf_free(&q->summary);
    qn_arena_free(&q->arena);
    qn_free(q);
}

/* ---- errors ---- */
/* Rows in memory have no file: their place is called `rows`. */
static void name_rows(const quern *q, char *text)
{
    size_t n = strlen(q->rows_file);
    for (char *at; n && (at = strstr(text, q->rows_file));) {
        memmove(at + 4, at + n, strlen(at + n) + 1);
        memcpy(at, "rows", 4);
    }
}

static quern_status fail(quern *q, quern_status status)
{
    q->status = status;
    if (q->err.pos.file) {
        snprintf(q->file, sizeof q->file, "%s", q->err.pos.file);
        q->err.pos.file = q->file;
        name_rows(q, q->file);
    }
    name_rows(q, q->err.msg);
    qn_buf_clear(&q->err_text);
    qn_err_text(&q->err, &q->err_text);
    return status;
}

static quern_status failed(quern *q) { return fail(q, (quern_status)qn_perform_error_exit(&q->err)); }

static void forget_error(quern *q)
{
    q->err = (qn_err){0};
    q->status = QUERN_DONE;
    qn_buf_clear(&q->err_text);
}

quern_error quern_error_of(const quern *q)
{
    return (quern_error){ .status = q->status, .message = q->err.msg, .hint = q->err.hint, .file = q->err.pos.file ? q->err.pos.file : "",
                          .line = q->err.pos.line, .column = q->err.pos.col };
}

const char *quern_error_text(const quern *q) { return q->err_text.n ? q->err_text.p : ""; }

/* ---- settings ---- */
static void put_pair(quern *q, qn_pairs *p, const char *name, const char *value)
{
    for (size_t i = 0; i < p->n; i++)
        if (qn_str_is(p->items[i].name, name)) { p->items[i].value = qn_str_of(copy(q, value)); return; }
    qn_pairs_add(p, (qn_setting){ qn_str_of(copy(q, name)), qn_str_of(copy(q, value)) });
}

quern_status quern_set(quern *q, const char *param, const char *value)
{
    put_pair(q, &q->settings, param, value);
    return QUERN_DONE;
}

quern_status quern_set_model(quern *q, const char *role, const char *where)
{
    put_pair(q, &q->models, role, where);
    return QUERN_DONE;
}

quern_status quern_option(quern *q, const char *name, const char *value)
{
    const qn_opt *o = qn_opt_find(OPTS, qn_str_of(name), 0);
    forget_error(q);
    if (!o) {
        const char *near = qn_opt_nearest(OPTS, qn_str_of(name), NULL);
        qn_fail(&q->err, QN_EUSAGE, "there is no option `%s`", name);
        if (near) qn_hint(&q->err, "did you mean `%s`?", near);
        return failed(q);
    }
    if (o->kind == QN_OPT_FLAG) {
        bool yes = strcmp(value, "yes") == 0 || strcmp(value, "true") == 0;
        if (!yes && strcmp(value, "no") != 0 && strcmp(value, "false") != 0) {
            qn_fail(&q->err, QN_EUSAGE, "--%s is `%s`, yes or no is needed", name, value);
            return failed(q);
        }
        *(bool *)((char *)&q->o + o->offset) = yes;
        return QUERN_DONE;
    }
    return qn_opt_set(o, copy(q, value), &q->o, &q->err) == QN_OK ? QUERN_DONE : failed(q);
}

void quern_on_row(quern *q, quern_row_fn fn, void *arg) { q->on_row = fn; q->row_arg = arg; }
void quern_on_progress(quern *q, quern_progress_fn fn, void *arg) { q->on_progress = fn; q->progress_arg = arg; }
void quern_stop(quern *q) { qn_flag_raise(&q->stop, qn_flag_get(&q->stop) + 1); }

/* ---- callbacks ---- */
static void on_ended(void *arg, const qn_ended *x)
{
    quern *q = arg;
    char id[33], step[128];
    qn_buf_clear(&q->row_text);
    if (q->raw) qn_row_write_raw(x->row, &q->row_text);
    else qn_row_write_plain(x->row, &q->row_text);
    qn_row_id_text(x->row, id);
    snprintf(step, sizeof step, "%.*s", QN_FMT(x->step));
    char *reason = qn_strz(qn_str_of(x->reason));
    name_rows(q, reason);
    quern_row row = { .verdict = x->accepted ? QUERN_ACCEPTED : x->failed ? QUERN_FAILED : QUERN_REJECTED, .json = q->row_text.p,
                      .n_bytes = q->row_text.n, .id = id, .step = step, .reason = reason };
    q->on_row(q->row_arg, &row);
    qn_free(reason);
}

static void on_progress(void *arg, const qn_progress *p)
{
    quern *q = arg;
    quern_progress out = { .seconds = p->seconds, .read = p->rows_read, .accepted = p->accepted, .rejected = p->rejected, .failed = p->failed,
                           .in_flight = p->in_flight, .replayed = p->replayed, .cost_usd = p->cost_usd, .resting = p->paused_why };
    q->on_progress(q->progress_arg, &out);
}

static void set_callbacks(quern *q)
{
    qn_perform_opts *o = &q->o.run;
    o->stop = &q->stop;
    o->ended = q->on_row ? on_ended : NULL;
    o->ended_arg = q;
    o->progress = q->on_progress ? on_progress : NULL;
    o->progress_arg = q;
}

/* ---- the program that reads documents ---- */
static const char *on_path(quern *q, const char *name)
{
    const char *dirs = getenv("PATH");
    for (const char *p = dirs; p && *p; p += strcspn(p, ":") + (p[strcspn(p, ":")] == ':')) {
        const char *file = qn_arena_printf(&q->arena, "%.*s/%s", (int)strcspn(p, ":"), p, name).p;
        if (access(file, X_OK) == 0) return file;
    }
    return NULL;
}

static void set_program(quern *q)
{
    static char path[PATH_MAX];             /* children outlive the handle */
    const char *file = q->o.program ? q->o.program : getenv("QUERN_PROGRAM");
    if (!file) file = on_path(q, "quern");
    snprintf(path, sizeof path, "%s", file ? file : "quern");
    qn_doc_child_setup(path, 0);
}

/* ---- planning ---- */
typedef struct { qn_models *models; qn_plan *plan; } prepared;

static void unprepare(prepared *p)
{
    qn_plan_free(p->plan);
    qn_models_close(p->models);
}

static qn_code refuse_commands(const quern *q, const qn_plan *plan, qn_err *e)
{
    qn_buf words = {0};
    qn_code rc = QN_OK;
    if (!q->o.run.yes && qn_perform_commands(plan, &words)) {
        rc = qn_fail(e, QN_EUSAGE, "the recipe runs commands: %s", words.p);
        qn_hint(e, "look at them, then give the option `yes`");
    }
    qn_buf_free(&words);
    return rc;
}

static qn_code plan_op(quern *q, const char *in, const qn_plan_opts *po, qn_plan **out, qn_err *e)
{
    const qn_op *op = qn_op_find(qn_str_of(q->word));
    qn_buf recipe = {0};
    if (!op || (op->flags & QN_OP_HIDDEN)) {
        const char *near = qn_op_nearest(qn_str_of(q->word));
        qn_fail(e, QN_EUSAGE, "no operator is called `%s`", q->word);
        if (near) qn_hint(e, "did you mean `%s`?", near);
        return QN_EUSAGE;
    }
    qn_perform_op_recipe(op, q->settings.items, q->settings.n, in, NULL, &q->raw, &recipe);
    qn_code rc = qn_plan_text(qn_buf_view(&recipe), "", "", po, out, e);
    if (rc != QN_OK) e->pos = (qn_pos){0};          /* lines of a recipe nobody wrote help nobody */
    qn_buf_free(&recipe);
    return rc;
}

/* in: of an operator, the file of its rows. */
static qn_code prepare(quern *q, const char *in, prepared *p, qn_err *e)
{
    qn_plan_opts po = { .models = q->models.items, .n_models = q->models.n, .seed = (uint64_t)q->o.run.seed };
    *p = (prepared){0};
    forget_error(q);
    q->raw = false;
    qn_log_hook(NULL);
    set_program(q);
    set_callbacks(q);
    QN_TRY(qn_models_open(&p->models, q->o.run.config, e));
    if (q->o.run.batch) qn_models_batch_all(p->models);
    po.registry = p->models;
    if (q->of != OF_OP) { po.settings = q->settings.items; po.n_settings = q->settings.n; }
    if (q->of == OF_RECIPE) QN_TRY(qn_plan_make(q->word, &po, &p->plan, e));
    else if (q->of == OF_TEXT) QN_TRY(qn_plan_text(qn_str_of(q->text), q->word, ".", &po, &p->plan, e));
    else QN_TRY(plan_op(q, in, &po, &p->plan, e));
    QN_TRY(refuse_commands(q, p->plan, e));
    return qn_perform_terms(p->plan, &q->o.run, NULL, e);
}

static bool one_at_a_time(quern *q)
{
    forget_error(q);
    if (pthread_mutex_trylock(&one_run) == 0) return true;
    qn_fail(&q->err, QN_EUSAGE, "another run is under way in this process");
    qn_hint(&q->err, "one at a time; its `workers` use as many cores as they are given");
    failed(q);
    return false;
}

quern_status quern_check(quern *q)
{
    prepared p;
    if (!one_at_a_time(q)) return q->status;
    qn_code rc = prepare(q, "-", &p, &q->err);
    quern_status status = rc == QN_OK ? QUERN_DONE : failed(q);
    unprepare(&p);
    pthread_mutex_unlock(&one_run);
    return status;
}

/* ---- running ---- */
/* A run that ended otherwise than well says why in the words of an error. */
static quern_status ended(quern *q, const qn_run_result *r, quern_status status)
{
    forget_error(q);                        /* a callback of the run may have called in vain */
    if (status == QUERN_DONE) return status;
    if (r->stopped_why[0]) qn_fail(&q->err, QN_EDATA, "%s", r->stopped_why);
    else if (r->accepted == 0) qn_fail(&q->err, QN_EDATA, "no row was accepted: %llu in, %llu rejected, %llu failed%s%s", (unsigned long long)r->in,
                                       (unsigned long long)r->rejected, (unsigned long long)r->failed, r->n_reasons ? "; the first reason: " : "",
                                       r->n_reasons ? r->reasons[0].text : "");
    else qn_fail(&q->err, QN_EDATA, "%llu of %llu rows failed", (unsigned long long)r->failed, (unsigned long long)r->in);
    return fail(q, status);
}

quern_status quern_run(quern *q, const char *dir)
{
    prepared p = {0};
    qn_run_result r = {0};
    qn_leave l = {0};
    quern_status status;
    if (!one_at_a_time(q)) return q->status;
    qn_buf_clear(&q->summary);
    if (q->of == OF_OP || !dir) {
        qn_fail(&q->err, QN_EUSAGE, dir ? "an operator alone is applied, not run" : "a run needs a folder");
        status = failed(q);
        goto out;
    }
    dir = copy(q, dir);                     /* a callback may change what it was given in */
    qn_code rc = prepare(q, NULL, &p, &q->err);
    if (rc == QN_OK) rc = qn_perform_run(p.plan, &q->o.run, dir, NULL, &r, &l, &q->err);
    if (l.facts.dir) qn_summary_text(&l.facts, &q->summary);
    status = rc == QN_OK ? ended(q, &r, (quern_status)qn_perform_exit(&r, q->o.run.max_failed)) : failed(q);
out:
    qn_leave_free(&l);
    qn_run_result_free(&r);
    unprepare(&p);
    q->stop = 0;
    pthread_mutex_unlock(&one_run);
    return status;
}

/* Rows in memory as a file that only this process sees. */
static int rows_as_file(quern *q, const char *rows, size_t n, qn_err *e)
{
    int fd = memfd_create("rows", MFD_CLOEXEC);
    for (size_t at = 0; fd >= 0 && at < n;) {
        ssize_t k = write(fd, rows + at, n - at);
        if (k <= 0) { close(fd); fd = -1; break; }
        at += (size_t)k;
    }
    if (fd < 0) qn_fail(e, QN_EIO, "the rows cannot be handed over: no memory for a file of %zu bytes", n);
    snprintf(q->rows_file, sizeof q->rows_file, "/proc/self/fd/%d", fd);
    return fd;
}

quern_status quern_apply(quern *q, const char *rows, size_t n_bytes)
{
    prepared p = {0};
    qn_run_result r = {0};
    quern_status status;
    int fd = -1;
    if (!one_at_a_time(q)) return q->status;
    qn_buf_clear(&q->summary);
    if (q->of != OF_OP) {
        qn_fail(&q->err, QN_EUSAGE, "a recipe is run, not applied");
        status = failed(q);
        goto out;
    }
    qn_err e = {0};
    fd = rows_as_file(q, rows ? rows : "", rows ? n_bytes : 0, &e);
    qn_code rc = fd < 0 ? QN_EIO : prepare(q, q->rows_file, &p, &e);
    if (rc == QN_OK) rc = qn_perform_apply(p.plan, &q->o.run, NULL, &r, &e);
    q->err = e;
    if (rc == QN_OK) {
        qn_leave l;
        qn_leave_make(&l, p.plan, &r, NULL, NULL, NULL);
        qn_summary_text(&l.facts, &q->summary);
        qn_leave_free(&l);
        status = ended(q, &r, (quern_status)qn_perform_apply_exit(&r));
    } else {
        status = failed(q);
    }
out:
    qn_run_result_free(&r);
    unprepare(&p);
    if (fd >= 0) close(fd);
    q->rows_file[0] = 0;
    q->stop = 0;
    pthread_mutex_unlock(&one_run);
    return status;
}

const char *quern_summary(quern *q) { return q->summary.n ? q->summary.p : "{}"; }

/* ---- what there is ---- */
static char *described(void (*describe)(qn_buf *b))
{
    qn_buf b = {0};
    describe(&b);
    qn_buf_putc(&b, 0);
    return b.p;
}

char *quern_ops_json(void) { return described(qn_describe_ops_json); }
char *quern_recipes_json(void) { return described(qn_describe_recipes_json); }
void quern_free(void *p) { qn_free(p); }
