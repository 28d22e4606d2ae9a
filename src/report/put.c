/* put: JSON text for the page. */
#include "report/put.h"
#include "report/report.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void put_code_point(qn_buf *b, uint32_t cp)
{
    char utf8[4];
    switch (cp) {
    case '"':  qn_buf_puts(b, "\\\""); return;
    case '\\': qn_buf_puts(b, "\\\\"); return;
    case '\n': qn_buf_puts(b, "\\n"); return;
    case '\t': qn_buf_puts(b, "\\t"); return;
    default:
        if (cp < 32) qn_buf_printf(b, "\\u%04x", (unsigned)cp);
        else qn_buf_put(b, utf8, (size_t)qn_utf8_put(cp, utf8));
    }
}

size_t qn_put_text(qn_buf *b, qn_str s, size_t max)
{
    size_t i = 0;
    qn_buf_putc(b, '"');
    while (i < s.n) {
        size_t from = i;
        uint32_t cp = qn_utf8_next(s, &i);
        if (max && i > max) { i = from; break; }
        put_code_point(b, cp);
    }
    qn_buf_putc(b, '"');
    return s.n - i;
}

void qn_put_real(qn_buf *b, double d)
{
    char text[40];
    if (!isfinite(d)) { qn_buf_puts(b, "null"); return; }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, d);
        if (strtod(text, NULL) == d) break;
    }
    qn_buf_puts(b, text);
}

void qn_put_comma(qn_buf *b)
{
    if (b->n && b->p[b->n - 1] != '{' && b->p[b->n - 1] != '[') qn_buf_putc(b, ',');
}

void qn_put_key(qn_buf *b, const char *key)
{
    qn_put_comma(b);
    qn_put_text(b, qn_str_of(key), 0);
    qn_buf_putc(b, ':');
}

void qn_put_kv_text(qn_buf *b, const char *key, const char *z)
{
    if (!z) return;
    qn_put_key(b, key);
    qn_put_text(b, qn_str_of(z), 0);
}

void qn_put_kv_int(qn_buf *b, const char *key, int64_t n)
{
    qn_put_key(b, key);
    qn_buf_printf(b, "%lld", (long long)n);
}

void qn_put_kv_real(qn_buf *b, const char *key, double d)
{
    qn_put_key(b, key);
    qn_put_real(b, d);
}

void qn_put_models(qn_buf *b, const qn_report_facts *f)
{
    qn_put_key(b, "models");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_models; i++) {
        const qn_report_model *m = &f->models[i];
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        qn_put_kv_text(b, "role", m->role);
        qn_put_kv_text(b, "name", m->name);
        qn_put_kv_text(b, "where", m->where);
        qn_put_kv_text(b, "licence", m->licence);
        qn_put_kv_text(b, "terms", m->terms);
        qn_put_kv_int(b, "calls", (int64_t)m->calls);
        qn_put_kv_int(b, "prompt_tokens", m->prompt_tokens);
        qn_put_kv_int(b, "completion_tokens", m->completion_tokens);
        if (m->priced) qn_put_kv_real(b, "cost_usd", m->cost_usd);
        qn_buf_putc(b, '}');
    }
    qn_buf_putc(b, ']');
}

void qn_put_may_train(qn_buf *b, const qn_report_facts *f)
{
    static const char *const may[] = { "yes", "conditions", "unknown", "no" };
    qn_put_key(b, "licences");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < f->n_licences; i++) { qn_put_comma(b); qn_put_text(b, qn_str_of(f->licences[i]), 0); }
    qn_buf_putc(b, ']');
    if (f->may_train >= 0 && f->n_licences + f->n_terms) qn_put_kv_text(b, "may_train", may[f->may_train]);
}
