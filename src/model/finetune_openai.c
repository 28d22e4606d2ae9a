/* finetune_openai: a fine-tuning service's files and jobs.
 *
 *   nothing -> file uploaded -> job begun -> succeeded | failed | cancelled
 *
 * What was reached is in DIR.openai.json. Between a request and that note a kill may fall: so the file is named by the training's key, and before a
 * file or a job is made the service is asked whether it has it. */
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/queue.h"
#include "model/finetune.h"
#include "model/openai.h"
#include <curl/curl.h>
#include <math.h>
#include <stdio.h>

typedef struct { const qn_finetune *f; qn_arena arena; char *note; qn_str file, job, model; } job;

/* ---- requests ---- */
static size_t take(char *p, size_t one, size_t n, void *arg) { return qn_buf_put(arg, p, one * n) ? one * n : 0; }

static bool wait_or_stop(const qn_finetune *f, double seconds)
{
    for (double t = 0; t < seconds; t += 0.1) {
        if (f->stop && qn_flag_get(f->stop)) return false;
        qn_sleep_us(100000);
    }
    return true;
}

/* One exchange; body (JSON) or form or neither. QN_EMODEL with the service's words on anything but a 2xx. `http` out. */
static qn_code exchange(job *j, const char *path, qn_str body, bool upload, qn_value *out, long *http, qn_err *e)
{
    const qn_model *m = j->f->endpoint;
    CURL *c = curl_easy_init();
    struct curl_slist *head = NULL;
    curl_mime *form = NULL;
    qn_buf answer = { .limit = 64 << 20 }, url = { 0 };
    char said[300];
    qn_buf_printf(&url, "%s%s", m->url, path);
    curl_easy_setopt(c, CURLOPT_URL, url.p);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT, 600L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &answer);
    if (m->proxy) curl_easy_setopt(c, CURLOPT_PROXY, m->proxy);
    if (m->key) head = curl_slist_append(head, qn_arena_printf(&j->arena, "Authorization: Bearer %s", m->key).p);
    for (const char *const *h = m->headers; h && *h; h++) head = curl_slist_append(head, *h);
    if (upload) {
        form = curl_mime_init(c);
        curl_mimepart *part = curl_mime_addpart(form);
        curl_mime_name(part, "purpose");
        curl_mime_data(part, "fine-tune", CURL_ZERO_TERMINATED);
        part = curl_mime_addpart(form);
        curl_mime_name(part, "file");
        curl_mime_filename(part, qn_arena_printf(&j->arena, "quern-%s.jsonl", j->f->key).p);
        curl_mime_type(part, "application/jsonl");
        curl_mime_data(part, body.p, body.n);
        curl_easy_setopt(c, CURLOPT_MIMEPOST, form);
    } else if (body.n) {
        head = curl_slist_append(head, "Content-Type: application/json");
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.p);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    }
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, head);
    *http = 0;
    CURLcode rc = curl_easy_perform(c);
    if (rc == CURLE_OK) curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, http);
    curl_mime_free(form);
    curl_slist_free_all(head);
    curl_easy_cleanup(c);
    qn_code code = QN_OK;
    if (rc != CURLE_OK) code = qn_fail(e, QN_EMODEL, "%s%s: %s", m->url, path, curl_easy_strerror(rc));
    else if (*http < 200 || *http > 299) {
        qn_openai_error_text(qn_buf_view(&answer), said, sizeof said);
        code = qn_fail(e, QN_EMODEL, "%s%s: HTTP %ld: %s", m->url, path, *http, said[0] ? said : "it said nothing");
    } else code = qn_json_parse(qn_arena_str(&j->arena, qn_buf_view(&answer)), &j->arena, out, e);
    qn_buf_free(&answer);
    qn_buf_free(&url);
    return code;
}

/* Looking is repeated when the service is busy or away; making something is not: whoever calls looks first. */
static qn_code look(job *j, const char *path, qn_value *out, qn_err *e)
{
    long http;
    for (int attempt = 0;; attempt++) {
        qn_err bad = { 0 };
        qn_code rc = exchange(j, path, (qn_str){ 0 }, false, out, &http, &bad);
        if (rc == QN_OK) return QN_OK;
        bool again = (http == 0 || http == 408 || http == 429 || http >= 500) && attempt < 8;
        if (!again) { *e = bad; return rc; }
        qn_status("%s: %s; trying again", j->f->step, bad.msg);
        double pause = j->f->poll_s * (1 << (attempt < 4 ? attempt : 4));
        if (!wait_or_stop(j->f, pause < 60 ? pause : 60)) return qn_fail(e, QN_ESTOP, "the training was stopped; the job goes on at the service");
    }
}

static qn_str text_at(qn_value v, const char *key)
{
    qn_value x;
    return qn_v_get(v, qn_str_of(key), &x) ? qn_v_str(x) : (qn_str){ "", 0 };
}

/* ---- the note ---- */
static qn_code write_note(job *j, qn_err *e)
{
    qn_object_b o = { .a = &j->arena };
    qn_buf b = { 0 };
    qn_object_put(&o, QN_STR("key"), qn_v_text(qn_str_of(j->f->key)));
    qn_object_put(&o, QN_STR("file"), qn_v_text(j->file));
    qn_object_put(&o, QN_STR("job"), qn_v_text(j->job));
    qn_object_put(&o, QN_STR("model"), qn_v_text(j->model));
    qn_json_write_pretty(&b, qn_object_end(&o), 0);
    qn_buf_putc(&b, '\n');
    qn_code rc = qn_file_write(j->note, qn_buf_view(&b), e);
    qn_buf_free(&b);
    return rc;
}

/* A note of another training counts for nothing. */
static void read_note(job *j)
{
    qn_buf b = { 0 };
    qn_value v;
    qn_err e = { 0 };
    if (qn_file_exists(j->note) && qn_file_read(j->note, 1 << 20, &b, &e) == QN_OK && qn_json_parse(qn_arena_str(&j->arena, qn_buf_view(&b)), &j->arena, &v, &e) == QN_OK
        && qn_str_is(text_at(v, "key"), j->f->key)) {
        j->file = text_at(v, "file");
        j->job = text_at(v, "job");
        j->model = text_at(v, "model");
    }
    qn_buf_free(&b);
}

/* ---- the steps ---- */
/* In a listing, the id of the first object whose field is `want`. */
static qn_str find_in(qn_value listing, const char *field, qn_str want)
{
    qn_value data, x;
    if (qn_v_get(listing, QN_STR("data"), &data))
        for (qn_v_iter it = qn_v_iter_of(data); qn_v_next(&it, NULL, &x);)
            if (qn_str_eq(text_at(x, field), want)) return text_at(x, "id");
    return (qn_str){ "", 0 };
}

static qn_code upload(job *j, qn_err *e)
{
    qn_value v;
    long http;
    if (j->file.n) return QN_OK;
    QN_TRY(look(j, "/files?purpose=fine-tune", &v, e));
    j->file = find_in(v, "filename", qn_arena_printf(&j->arena, "quern-%s.jsonl", j->f->key));
    if (!j->file.n) {
        qn_status("%s: uploading %zu KB", j->f->step, j->f->rows.n >> 10);
        QN_TRY(exchange(j, "/files", j->f->rows, true, &v, &http, e));
        j->file = text_at(v, "id");
        if (!j->file.n) return qn_fail(e, QN_EMODEL, "the service took the file and gave no id");
    }
    return write_note(j, e);
}

static qn_code begin(job *j, qn_err *e)
{
    const qn_learn_options *o = j->f->o;
    qn_value v;
    long http;
    if (j->job.n) return QN_OK;
    QN_TRY(look(j, "/fine_tuning/jobs?limit=100", &v, e));
    j->job = find_in(v, "training_file", j->file);
    if (!j->job.n) {
        bool dpo = !strcmp(j->f->kind, "dpo");
        qn_buf b = { 0 };
        qn_buf_puts(&b, "{\"model\":");
        qn_json_write_text(&b, qn_str_of(j->f->base));
        qn_buf_puts(&b, ",\"training_file\":");
        qn_json_write_text(&b, j->file);
        qn_buf_printf(&b, ",\"seed\":%lld,\"method\":{\"type\":\"%s\",\"%s\":{\"hyperparameters\":{\"n_epochs\":%d,\"batch_size\":%d", (long long)(o->fit.seed & 0x7fffffff),
                      dpo ? "dpo" : "supervised", dpo ? "dpo" : "supervised", o->fit.epochs > 1 ? (int)ceil(o->fit.epochs) : 1, o->fit.batch);
        if (dpo && o->beta > 0) qn_buf_printf(&b, ",\"beta\":%.4g", o->beta);
        qn_buf_puts(&b, "}}}}");
        qn_code rc = exchange(j, "/fine_tuning/jobs", qn_buf_view(&b), false, &v, &http, e);
        qn_buf_free(&b);
        QN_TRY(rc);
        j->job = text_at(v, "id");
        if (!j->job.n) return qn_fail(e, QN_EMODEL, "the service took the job and gave no id");
    }
    return write_note(j, e);
}

static qn_code wait_for(job *j, qn_learned *out, qn_err *e)
{
    qn_value v, n, error;
    while (!j->model.n) {
        QN_TRY(look(j, qn_arena_printf(&j->arena, "/fine_tuning/jobs/%.*s", QN_FMT(j->job)).p, &v, e));
        qn_str status = text_at(v, "status");
        qn_status("%s: job %.*s: %.*s", j->f->step, QN_FMT(j->job), QN_FMT(status));
        if (qn_v_get(v, QN_STR("trained_tokens"), &n) && n.kind == QN_V_INT) out->tokens = n.i;
        if (qn_str_is(status, "succeeded")) {
            j->model = text_at(v, "fine_tuned_model");
            if (!j->model.n) return qn_fail(e, QN_EMODEL, "job %.*s succeeded and names no model", QN_FMT(j->job));
            return write_note(j, e);
        }
        if (qn_str_is(status, "failed") || qn_str_is(status, "cancelled")) {
            qn_v_get(v, QN_STR("error"), &error);
            qn_str why = text_at(error, "message");
            qn_fail(e, QN_EMODEL, "job %.*s %.*s: %.*s", QN_FMT(j->job), QN_FMT(status), QN_FMT(why));
            qn_hint(e, "remove %s to begin another", j->note);
            return QN_EMODEL;
        }
        if (!wait_or_stop(j->f, j->f->poll_s)) return qn_fail(e, QN_ESTOP, "the training was stopped; the job goes on at the service");
    }
    return QN_OK;
}

qn_code qn_finetune_openai(const qn_finetune *f, qn_learned *out, char *model, size_t size, qn_err *e)
{
    job j = { .f = f };
    qn_buf note = { 0 };
    qn_buf_printf(&note, "%s.openai.json", f->dir);
    j.note = note.p;
    const char *slash = strrchr(f->dir, '/');
    qn_code rc = QN_OK;
    if (slash && slash > f->dir) rc = qn_mkdirs(qn_arena_str(&j.arena, (qn_str){ f->dir, (size_t)(slash - f->dir) }).p, e);
    read_note(&j);
    if (rc == QN_OK) rc = upload(&j, e);
    if (rc == QN_OK) rc = begin(&j, e);
    if (rc == QN_OK) rc = wait_for(&j, out, e);
    if (rc == QN_OK) snprintf(model, size, "%.*s", QN_FMT(j.model));
    qn_buf_free(&note);
    qn_arena_free(&j.arena);
    return rc;
}
