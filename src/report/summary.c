/* summary: summary.json, for programs. Money is written with micro-dollars' precision, times with milliseconds'. */
#include "core/file.h"
#include "report/put.h"
#include "report/report.h"
#include <math.h>

static void put_reasons(qn_buf *b, const qn_report_step *s)
{
    qn_put_key(b, "reasons");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < s->n_reasons; i++) {
        const qn_report_reason *r = &s->reasons[i];
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        qn_put_kv_text(b, "reason", r->text);
        qn_put_kv_int(b, "n", (int64_t)r->n);
        qn_put_kv_text(b, "verdict", r->failed ? "failed" : "rejected");
        qn_put_kv_text(b, "example", r->example);
        qn_buf_putc(b, '}');
    }
    qn_buf_putc(b, ']');
}

static void put_steps(qn_buf *b, const qn_report_facts *f)
{
    qn_put_key(b, "per_step");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_steps; i++) {
        const qn_report_step *s = &f->steps[i];
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        qn_put_kv_text(b, "step", s->name);
        qn_put_kv_text(b, "op", s->op);
        qn_put_kv_int(b, "in", (int64_t)s->in);
        qn_put_kv_int(b, "out", (int64_t)s->out);
        qn_put_kv_int(b, "rejected", (int64_t)s->rejected);
        qn_put_kv_int(b, "failed", (int64_t)s->failed);
        put_reasons(b, s);
        qn_buf_putc(b, '}');
    }
    qn_buf_putc(b, ']');
}

static void put_lists(qn_buf *b, const qn_report_facts *f)
{
    qn_put_models(b, f);
    qn_put_key(b, "sources");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_sources; i++) {
        const qn_report_source *s = &f->sources[i];
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        qn_put_kv_text(b, "name", s->name);
        qn_put_kv_text(b, "licence", s->licence);
        qn_put_kv_text(b, "sha256", s->sha256);
        if (s->rows) qn_put_kv_int(b, "rows", (int64_t)s->rows);
        if (s->bytes) qn_put_kv_int(b, "bytes", (int64_t)s->bytes);
        qn_buf_putc(b, '}');
    }
    qn_buf_putc(b, ']');
    qn_put_may_train(b, f);
    qn_put_key(b, "outputs");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_outputs; i++) {
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        qn_put_kv_text(b, "path", f->outputs[i].path);
        qn_put_kv_int(b, "bytes", (int64_t)f->outputs[i].bytes);
        if (f->outputs[i].rows) qn_put_kv_int(b, "rows", (int64_t)f->outputs[i].rows);
        qn_buf_putc(b, '}');
    }
    qn_buf_putc(b, ']');
    qn_put_key(b, "commands");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_commands; i++) {
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        qn_put_kv_text(b, "step", f->commands[i].step);
        qn_put_kv_text(b, "runs", f->commands[i].runs);
        qn_put_kv_text(b, "allowed_by", f->commands[i].allowed_by);
        qn_buf_putc(b, '}');
    }
    qn_buf_putc(b, ']');
    qn_put_key(b, "warnings");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_warnings; i++) {
        qn_put_comma(b);
        qn_put_text(b, qn_str_of(f->warnings[i]), 0);
    }
    qn_buf_putc(b, ']');
}

static double rounded(double x, double unit) { return round(x / unit) * unit; }

static void put_object_of_ints(qn_buf *b, const char *key, const char *const *names, const uint64_t *values, size_t n)
{
    qn_put_key(b, key);
    qn_buf_putc(b, '{');
    for (size_t i = 0; i < n; i++) qn_put_kv_int(b, names[i], (int64_t)values[i]);
    qn_buf_putc(b, '}');
}

/* A micro-dollar or a millisecond as a decimal that reads well: 0.000123, not 0.00012299999. */
static void put_fixed(qn_buf *b, const char *key, double x, int digits)
{
    char text[64];
    qn_put_key(b, key);
    if (!isfinite(x)) { qn_buf_puts(b, "null"); return; }
    int n = snprintf(text, sizeof text, "%.*f", digits, rounded(x, pow(10, -digits)));
    while (n > 1 && text[n - 1] == '0' && memchr(text, '.', (size_t)n)) n--;
    if (n > 1 && text[n - 1] == '.') n--;
    qn_buf_put(b, text, (size_t)n);
}

static void put_all(qn_buf *b, const qn_report_facts *f)
{
    static const char *const row_names[] = { "in", "accepted", "rejected", "failed", "pending", "ahead", "became", "created" };
    const uint64_t rows[] = { f->rows.in, f->rows.accepted, f->rows.rejected, f->rows.failed, f->rows.pending, f->rows.ahead,
                              f->rows.became, f->rows.created };
    static const char *const call_names[] = { "sent", "replayed", "failed", "retried", "collected" };
    const uint64_t calls[] = { f->calls.sent, f->calls.replayed, f->calls.failed, f->calls.retried, f->calls.collected };
    static const char *const token_names[] = { "prompt", "completion" };
    const uint64_t tokens[] = { (uint64_t)f->tokens.prompt, (uint64_t)f->tokens.completion };
    qn_buf_putc(b, '{');
    qn_put_kv_text(b, "recipe", f->recipe);
    qn_put_kv_text(b, "recipe_hash", f->recipe_hash);
    qn_put_kv_text(b, "version", f->version);
    qn_put_kv_text(b, "ended", f->ended);
    qn_put_kv_text(b, "ended_words", f->ended_words);
    put_object_of_ints(b, "rows", row_names, rows, 8);
    put_object_of_ints(b, "calls", call_names, calls, 5);
    put_object_of_ints(b, "tokens", token_names, tokens, 2);
    put_fixed(b, "cost_usd", f->cost_usd, 6);
    if (f->cost_all_usd >= f->cost_usd) put_fixed(b, "cost_all_usd", f->cost_all_usd, 6);
    if (f->rows.accepted) put_fixed(b, "cost_per_accepted_usd", (f->cost_all_usd > f->cost_usd ? f->cost_all_usd : f->cost_usd) /
                                    (double)f->rows.accepted, 9);
    put_fixed(b, "seconds", f->seconds, 3);
    put_fixed(b, "cpu_seconds", f->cpu_seconds, 3);
    qn_put_kv_int(b, "peak_memory_bytes", (int64_t)f->peak_memory_bytes);
    qn_put_kv_int(b, "interrupted_in_flight", (int64_t)f->interrupted_in_flight);
    put_fixed(b, "interrupted_worst_usd", f->interrupted_worst_usd, 6);
    qn_put_key(b, "seed");
    qn_buf_printf(b, "%llu", (unsigned long long)f->seed);
    qn_put_key(b, "params");
    qn_json_write(b, f->params);
    put_steps(b, f);
    put_lists(b, f);
    qn_buf_putc(b, '}');
}

void qn_summary_text(const qn_report_facts *f, qn_buf *out)
{
    qn_buf compact = {0};
    qn_arena a = {0};
    qn_value v;
    qn_err e;
    put_all(&compact, f);
    if (qn_json_parse(qn_buf_view(&compact), &a, &v, &e) == QN_OK) qn_json_write_pretty(out, v, 2);
    else qn_buf_str(out, qn_buf_view(&compact));        /* cannot be, but a summary is better than none */
    if (!out->n || out->p[out->n - 1] != '\n') qn_buf_putc(out, '\n');
    qn_arena_free(&a);
    qn_buf_free(&compact);
}

qn_code qn_summary_write(const qn_report_facts *f, qn_err *e)
{
    qn_buf b = {0};
    char *path = qn_path_join(f->dir, "summary.json");
    qn_summary_text(f, &b);
    qn_code rc = qn_file_write(path, qn_buf_view(&b), e);
    qn_free(path);
    qn_buf_free(&b);
    return rc;
}
