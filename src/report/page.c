/* page: report.html: the facts, the survey, sample rows with their trace and examples of what was left out, as JSON inside one page. */
#include "core/clock.h"
#include "core/file.h"
#include "core/map.h"
#include "ledger/ledger.h"
#include "report/compare.h"
#include "report/marks.h"
#include "report/one_page.h"
#include "report/portrait.h"
#include "report/put.h"
#include "report/report.h"
#include "report/results.h"
#include "report/survey.h"
#include "report/trace.h"
#include "report/training.h"
#include <stdio.h>

enum { EXAMPLES_EACH = 3, EXAMPLES_ALL = 60, LOST_LINE_BYTES = 4 << 20, CALL_TEXT = 6000 };

static void put_int_object(qn_buf *b, const char *key, const char *names, const uint64_t *v)
{
    qn_put_key(b, key);
    qn_buf_putc(b, '{');
    for (const char *p = names; *p; v++) {
        size_t n = strcspn(p, " ");
        qn_put_comma(b);
        qn_buf_printf(b, "\"%.*s\":%llu", (int)n, p, (unsigned long long)*v);
        p += n + (p[n] == ' ');
    }
    qn_buf_putc(b, '}');
}

/* ---- facts ---- */
static void put_steps(qn_buf *b, const qn_report_facts *f)
{
    qn_put_key(b, "steps");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_steps; i++) {
        const qn_report_step *s = &f->steps[i];
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        qn_put_kv_text(b, "name", s->name);
        qn_put_kv_text(b, "op", s->op);
        qn_put_kv_text(b, "brief", s->brief);
        qn_put_kv_int(b, "in", (int64_t)s->in);
        qn_put_kv_int(b, "out", (int64_t)s->out);
        qn_put_kv_int(b, "rejected", (int64_t)s->rejected);
        qn_put_kv_int(b, "failed", (int64_t)s->failed);
        qn_put_key(b, "reasons");
        qn_buf_putc(b, '[');
        for (size_t k = 0; k < s->n_reasons; k++) {
            const qn_report_reason *r = &s->reasons[k];
            qn_put_comma(b);
            qn_buf_putc(b, '{');
            qn_put_kv_text(b, "text", r->text);
            qn_put_kv_int(b, "n", (int64_t)r->n);
            qn_put_kv_int(b, "failed", r->failed);
            qn_buf_putc(b, '}');
        }
        qn_buf_puts(b, "]}");
    }
    qn_buf_putc(b, ']');
}

static void put_sources(qn_buf *b, const qn_report_facts *f)
{
    qn_put_key(b, "sources");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_sources && i < 200; i++) {
        const qn_report_source *s = &f->sources[i];
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        qn_put_kv_text(b, "name", s->name);
        qn_put_kv_text(b, "licence", s->licence);
        qn_put_kv_text(b, "sha256", s->sha256);
        qn_put_kv_int(b, "rows", (int64_t)s->rows);
        qn_put_kv_int(b, "bytes", (int64_t)s->bytes);
        qn_buf_putc(b, '}');
    }
    qn_buf_putc(b, ']');
    qn_put_kv_int(b, "n_sources", (int64_t)f->n_sources);
}

static void put_targets_and_outputs(qn_buf *b, const qn_report_facts *f)
{
    qn_put_key(b, "targets");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_targets; i++) {
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        qn_put_kv_text(b, "what", f->targets[i].what);
        qn_put_kv_real(b, "want", f->targets[i].want);
        qn_put_kv_real(b, "got", f->targets[i].got);
        qn_put_kv_int(b, "share", f->targets[i].share);
        qn_buf_putc(b, '}');
    }
    qn_buf_putc(b, ']');
    qn_put_key(b, "outputs");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_outputs; i++) {
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        qn_put_kv_text(b, "path", f->outputs[i].path);
        qn_put_kv_text(b, "about", f->outputs[i].about);
        qn_put_kv_int(b, "bytes", (int64_t)f->outputs[i].bytes);
        qn_put_kv_int(b, "rows", (int64_t)f->outputs[i].rows);
        qn_buf_putc(b, '}');
    }
    qn_buf_putc(b, ']');
    qn_put_key(b, "warnings");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_warnings; i++) {
        qn_put_comma(b);
        qn_put_text(b, qn_str_of(f->warnings[i]), 1000);
    }
    qn_buf_putc(b, ']');
}

static void put_facts(qn_buf *b, const qn_report_facts *f)
{
    const uint64_t rows[] = { f->rows.in, f->rows.accepted, f->rows.rejected, f->rows.failed, f->rows.pending, f->rows.ahead, f->rows.became,
                              f->rows.created };
    const uint64_t calls[] = { f->calls.sent, f->calls.replayed, f->calls.failed, f->calls.retried };
    const uint64_t tokens[] = { (uint64_t)f->tokens.prompt, (uint64_t)f->tokens.completion };
    char when[25] = "", seed[32];
    if (f->ended_ms) qn_wall_text(f->ended_ms, when);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)f->seed);
    qn_put_kv_text(b, "recipe", f->recipe ? f->recipe : "run");
    qn_put_kv_text(b, "about", f->about);
    qn_put_kv_text(b, "paper", f->paper);
    qn_put_kv_text(b, "command", f->command);
    qn_put_kv_text(b, "version", f->version);
    qn_put_kv_text(b, "recipe_hash", f->recipe_hash);
    qn_put_kv_text(b, "seed", seed);                /* as text: a number in a page is exact to 53 bits only */
    qn_put_kv_text(b, "ended", f->ended);
    qn_put_kv_text(b, "ended_words", f->ended_words);
    if (when[0]) qn_put_kv_text(b, "when", when);
    qn_put_key(b, "params");
    qn_json_write(b, f->params);
    put_int_object(b, "rows", "in accepted rejected failed pending ahead became created", rows);
    put_int_object(b, "calls", "sent replayed failed retried", calls);
    put_int_object(b, "tokens", "prompt completion", tokens);
    qn_put_kv_real(b, "cost_usd", f->cost_usd);
    qn_put_kv_real(b, "cost_all_usd", f->cost_all_usd > f->cost_usd ? f->cost_all_usd : f->cost_usd);
    qn_put_kv_real(b, "seconds", f->seconds);
    qn_put_kv_real(b, "cpu_seconds", f->cpu_seconds);
    qn_put_kv_int(b, "peak_memory_bytes", (int64_t)f->peak_memory_bytes);
    qn_put_kv_int(b, "interrupted_in_flight", (int64_t)f->interrupted_in_flight);
    qn_put_kv_real(b, "interrupted_worst_usd", f->interrupted_worst_usd);
    qn_put_kv_int(b, "human", f->human);
    qn_put_kv_text(b, "licence", f->licence);
    qn_put_may_train(b, f);
    qn_put_kv_text(b, "student", f->student);
    qn_put_key(b, "terms");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_terms; i++) { qn_put_comma(b); qn_put_text(b, qn_str_of(f->terms[i]), 1000); }
    qn_buf_putc(b, ']');
    put_steps(b, f);
    put_sources(b, f);
    qn_put_models(b, f);
    put_targets_and_outputs(b, f);
}

/* ---- examples of rows that were left out ---- */
typedef struct { qn_buf *b; qn_map seen; size_t n; const char *verdict; } examples;

static void take_example(void *arg, uint64_t number, qn_str line)
{
    examples *x = arg;
    qn_arena a = {0};
    qn_value row, step, what;
    qn_err e;
    (void)number;
    if (!line.p || x->n >= EXAMPLES_ALL) return;
    if (qn_json_parse(line, &a, &row, &e) == QN_OK && row.kind == QN_V_OBJECT) {
        qn_v_get(row, QN_STR("_step"), &step);
        if (!qn_v_get(row, QN_STR("_measure"), &what)) qn_v_get(row, QN_STR("_reason"), &what);
        qn_hash128 key = qn_hash_mix(qn_hash(qn_v_str(step).p, qn_v_str(step).n), qn_hash(qn_v_str(what).p, qn_v_str(what).n));
        uint64_t *n = qn_map_put(&x->seen, key, NULL);
        if (++*n <= EXAMPLES_EACH) {
            qn_value reason;
            qn_v_get(row, QN_STR("_reason"), &reason);
            x->n++;
            qn_put_comma(x->b);
            qn_buf_puts(x->b, "{\"step\":");
            qn_put_text(x->b, qn_v_str(step), 200);
            qn_put_kv_text(x->b, "verdict", x->verdict);
            qn_put_key(x->b, "measure");
            qn_put_text(x->b, qn_v_str(what), 200);
            qn_put_key(x->b, "reason");
            qn_put_text(x->b, qn_v_str(reason), 400);
            qn_put_key(x->b, "row");
            qn_survey_put_row(line, false, x->b);
            qn_buf_putc(x->b, '}');
        }
    }
    qn_arena_free(&a);
}

static void put_examples(qn_buf *b, const qn_report_facts *f)
{
    examples x = { .b = b };
    qn_err e;
    const struct { const char *path, *verdict; } files[] = { { f->rejected_path, "rejected" }, { f->failed_path, "failed" } };
    qn_put_key(b, "left_out");
    qn_buf_putc(b, '[');
    for (int i = 0; i < 2; i++) {
        x.verdict = files[i].verdict;
        x.n = 0;
        if (files[i].path && qn_file_exists(files[i].path)) qn_lines_each(files[i].path, LOST_LINE_BYTES, take_example, &x, &e);
    }
    qn_buf_putc(b, ']');
    qn_map_free(&x.seen);
}

/* ---- sample rows with their trace ---- the trace has a line for each accepted row, in the order of the data */
typedef struct { const qn_survey_sample *s; size_t n, at; qn_buf *lines; uint64_t n_lines; } picker;

static bool pick_line(void *arg, uint64_t number, qn_str line)
{
    picker *p = arg;
    p->n_lines = number + 1;
    if (p->at < p->n && p->s[p->at].line == number) qn_buf_str(&p->lines[p->at++], line);
    return true;
}

static void put_samples(qn_buf *b, const qn_report_facts *f, const qn_survey *s, uint64_t n_rows)
{
    qn_buf lines[QN_SURVEY_SAMPLES] = {0};
    picker p = { .lines = lines };
    qn_ledger_view *view = NULL;
    qn_err e;
    p.n = qn_survey_samples(s, &p.s);
    bool traced = f->trace_path && qn_file_exists(f->trace_path) && qn_trace_each(f->trace_path, pick_line, &p, &e) == QN_OK && p.n_lines == n_rows;
    if (traced && f->ledger_path && qn_file_exists(f->ledger_path) && qn_ledger_view_open(&view, f->ledger_path, &e) != QN_OK) view = NULL;
    qn_put_key(b, "samples");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < p.n; i++) {
        qn_put_comma(b);
        qn_buf_printf(b, "{\"line\":%llu,\"row\":", (unsigned long long)p.s[i].line + 1);
        qn_buf_str(b, qn_buf_view(&p.s[i].json));
        qn_put_key(b, "trace");
        if (!traced || !qn_trace_put(qn_buf_view(&lines[i]), view, CALL_TEXT, b)) qn_buf_puts(b, "null");
        qn_buf_putc(b, '}');
    }
    qn_buf_putc(b, ']');
    qn_ledger_view_close(view);
    for (size_t i = 0; i < QN_SURVEY_SAMPLES; i++) qn_buf_free(&lines[i]);
}

/* Whom the texts speak of: what was made, what the sources gave, and people's rows. */
static void put_bias(qn_buf *b, const qn_report_facts *f, const qn_survey *s, const qn_survey *real)
{
    static const char *const names[] = { "made", "source", "people" };
    qn_bias *all = QN_NEW_N(qn_bias, 4);
    qn_survey_bias(s, f->source_fields, f->n_source_fields, &all[0], &all[1]);
    if (real) qn_survey_bias(real, NULL, 0, &all[2], &all[3]);
    qn_put_key(b, "bias");
    qn_buf_putc(b, '{');
    for (int i = 0; i < 3; i++) {
        qn_put_key(b, names[i]);
        if (all[i].n_words) qn_bias_write(&all[i], b);
        else qn_buf_puts(b, "null");
    }
    qn_buf_putc(b, '}');
    qn_free(all);
}

/* The set beside people's rows on one field that both have, by all that `quern compare` measures. What cannot be compared is said, and no error. */
static void put_distance(qn_buf *b, const qn_report_facts *f, const char *field)
{
    qn_compare *c = QN_NEW(qn_compare);
    qn_compare_options o = qn_compare_defaults();
    qn_buf x = {0};
    qn_err bad = {0};
    qn_put_key(b, "against");
    qn_buf_putc(b, '{');
    qn_buf_printf(&x, ".%s", field ? field : "");
    o.a = f->real_path;
    o.b = f->data_path;
    o.field_a = x.p;
    o.seed = f->seed;
    if (!field) qn_put_kv_text(b, "why", "the two share no field of text");
    else if (qn_compare_run(c, &o, &bad) != QN_OK) qn_put_kv_text(b, "why", bad.msg);
    else {
        qn_put_key(b, "compare");
        qn_compare_json(c, b);
    }
    qn_buf_putc(b, '}');
    if (field) qn_compare_free(c);
    qn_buf_free(&x);
    qn_free(c);
}

/* What a step `judge` left: how far judges agree with each other and with people. */
static void put_judges_of(qn_buf *b, const char *dir, qn_str step)
{
    char name[80];
    qn_marks_file(step, name);
    char *path = qn_path_join(dir, name);
    qn_buf file = {0};
    qn_arena a = {0};
    qn_value v;
    qn_err none;
    if (qn_file_exists(path) && qn_file_read(path, 1 << 20, &file, &none) == QN_OK && qn_json_parse(qn_str_trim(qn_buf_view(&file)), &a, &v, &none) == QN_OK) {
        qn_put_comma(b);
        qn_json_write(b, v);
    }
    qn_arena_free(&a);
    qn_buf_free(&file);
    qn_free(path);
}

static void put_judges(qn_buf *b, const qn_report_facts *f)
{
    qn_put_key(b, "judges");
    qn_buf_putc(b, '[');
    for (size_t i = 0; f->dir && i < f->n_steps; i++)
        if (strcmp(f->steps[i].op, "judge") == 0) put_judges_of(b, f->dir, qn_str_of(f->steps[i].name));
    qn_buf_putc(b, ']');
}

static qn_code put_surveys(qn_buf *b, const qn_report_facts *f, qn_err *e)
{
    qn_survey *own = NULL, *real = NULL;
    qn_buf out = {0}, portrait = {0};
    qn_arena a = {0};
    qn_value v, n = qn_v_int(0);
    qn_err bad;
    if (!f->data_path || !qn_file_exists(f->data_path)) return QN_OK;
    if (!f->survey) QN_TRY(qn_survey_read(&own, f->data_path, f->rows.accepted, e));
    const qn_survey *s = f->survey ? f->survey : own;
    qn_survey_put(s, &out);
    qn_put_key(b, "survey");
    qn_buf_str(b, qn_buf_view(&out));
    if (qn_json_parse(qn_buf_view(&out), &a, &v, e) == QN_OK) qn_v_get(v, QN_STR("rows"), &n);
    put_samples(b, f, s, (uint64_t)n.i);
    qn_code rc = f->real_path && qn_file_exists(f->real_path) ? qn_survey_read(&real, f->real_path, 0, e) : QN_OK;
    if (real) {
        qn_put_key(b, "real");
        qn_survey_put(real, b);
    }
    const char *field = qn_survey_main(s, f->source_fields, f->n_source_fields);
    if (rc == QN_OK) put_bias(b, f, s, real);
    if (rc == QN_OK && field && qn_portrait_put(f->data_path, field, f->seed, &portrait, &bad) == QN_OK) {
        qn_put_key(b, "portrait");
        qn_buf_str(b, qn_buf_view(&portrait));
    }
    if (real) put_distance(b, f, field && qn_survey_has_text(real, field) ? field : NULL);
    qn_put_key(b, "marks");
    qn_marks_put(qn_survey_marks(s), b);
    put_judges(b, f);
    qn_survey_free(real);
    qn_survey_free(own);
    qn_buf_free(&out);
    qn_buf_free(&portrait);
    qn_arena_free(&a);
    return rc;
}

/* ---- the page ---- */
static void put_page(qn_buf *out, const qn_report_facts *f, qn_str json)
{
    char account[160];
    snprintf(account, sizeof account, "%llu rows in = %llu accepted + %llu rejected + %llu failed", (unsigned long long)f->rows.in,
             (unsigned long long)f->rows.accepted, (unsigned long long)f->rows.rejected, (unsigned long long)f->rows.failed);
    qn_one_page(out, &(qn_page_parts){ .title = f->recipe ? f->recipe : "run", .account = account, .script = "report.js", .json = json,
                .unscripted = "Charts, sample rows and reasons are drawn by a script inside this page; the same numbers are in summary.json beside it." });
}

qn_code qn_report_text(const qn_report_facts *f, qn_buf *out, qn_err *e)
{
    qn_buf json = {0};
    qn_buf_putc(&json, '{');
    put_facts(&json, f);
    put_examples(&json, f);
    if (f->dir) qn_training_put(f->dir, &json);
    qn_results_put(f, &json);
    qn_code rc = put_surveys(&json, f, e);
    qn_buf_putc(&json, '}');
    if (rc == QN_OK) put_page(out, f, qn_buf_view(&json));
    qn_buf_free(&json);
    return rc;
}

qn_code qn_report_write(const qn_report_facts *f, qn_err *e)
{
    qn_buf b = {0};
    char *path = qn_path_join(f->dir, "report.html");
    qn_code rc = qn_report_text(f, &b, e);
    if (rc == QN_OK) rc = qn_file_write(path, qn_buf_view(&b), e);
    qn_free(path);
    qn_buf_free(&b);
    return rc;
}
