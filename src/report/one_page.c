/* one_page: report.html with its parts put in. */
#include "report/one_page.h"
#include "core/err.h"
#include "core/hash.h"
#define QN_EMBED_REPORT
#include "embed.h"

static qn_str embedded(const char *name)
{
    for (const qn_embedded *x = qn_embedded_report; x->name; x++)
        if (strcmp(x->name, name) == 0) return (qn_str){ (const char *)x->bytes, x->n };
    return (qn_str){ "", 0 };
}

/* What both pages draw with, then the page's own script. Owned. */
static qn_buf script_of(const qn_page_parts *p)
{
    qn_buf b = {0};
    qn_buf_str(&b, embedded("report_parts.js"));
    qn_buf_str(&b, embedded("results.js"));
    qn_buf_str(&b, embedded(p->script));
    return b;
}

static void put_html(qn_buf *out, qn_str s)
{
    for (size_t i = 0; i < s.n;) {
        char utf8[4];
        uint32_t c = qn_utf8_next(s, &i);
        if (c == '<') qn_buf_puts(out, "&lt;");
        else if (c == '&') qn_buf_puts(out, "&amp;");
        else if (c == '"') qn_buf_puts(out, "&quot;");
        else if (c >= 32 || c == '\n') qn_buf_put(out, utf8, (size_t)qn_utf8_put(c, utf8));
    }
}

/* Inside <script type=application/json>: no `<` may stand, so that nothing ends the element or opens a comment. */
static void put_in_script(qn_buf *out, qn_str json)
{
    for (size_t i = 0; i < json.n;) {
        const char *lt = memchr(json.p + i, '<', json.n - i);
        size_t n = lt ? (size_t)(lt - json.p) - i : json.n - i;
        qn_buf_put(out, json.p + i, n);
        if (lt) qn_buf_puts(out, "\\u003c");
        i += n + (lt != NULL);
    }
}

static void put_csp_hash(qn_buf *out, qn_str text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t h[33] = { 0 };
    qn_sha256(text.p, text.n, h);
    qn_buf_puts(out, "'sha256-");
    for (int i = 0; i < 33; i += 3) {
        uint32_t x = (uint32_t)h[i] << 16 | (uint32_t)h[i + 1] << 8 | h[i + 2];
        for (int k = 0; k < 4; k++) qn_buf_putc(out, i == 30 && k == 3 ? '=' : digits[x >> (18 - 6 * k) & 63]);
    }
    qn_buf_putc(out, '\'');
}

static void put_part(qn_buf *out, const qn_page_parts *p, qn_str name)
{
    if (qn_str_is(name, "title")) put_html(out, qn_str_of(p->title));
    else if (qn_str_is(name, "account")) put_html(out, qn_str_of(p->account));
    else if (qn_str_is(name, "unscripted")) put_html(out, qn_str_of(p->unscripted));
    else if (qn_str_is(name, "css")) qn_buf_str(out, embedded("report.css"));
    else if (qn_str_is(name, "js")) { qn_buf b = script_of(p); qn_buf_str(out, qn_buf_view(&b)); qn_buf_free(&b); }
    else if (qn_str_is(name, "data")) put_in_script(out, p->json);
    else if (qn_str_is(name, "style_hash")) put_csp_hash(out, embedded("report.css"));
    else if (qn_str_is(name, "script_hash")) { qn_buf b = script_of(p); put_csp_hash(out, qn_buf_view(&b)); qn_buf_free(&b); }
    else QN_ASSERT(!"report.html names a part that is not known");
}

void qn_one_page(qn_buf *out, const qn_page_parts *p)
{
    qn_str page = embedded("report.html");
    while (page.n) {
        ptrdiff_t at = qn_str_find(page, QN_STR("{{"));
        if (at < 0) break;
        qn_buf_put(out, page.p, (size_t)at);
        page = qn_str_sub(page, (size_t)at + 2, page.n);
        ptrdiff_t end = qn_str_find(page, QN_STR("}}"));
        QN_ASSERT(end >= 0);
        put_part(out, p, qn_str_sub(page, 0, (size_t)end));
        page = qn_str_sub(page, (size_t)end + 2, page.n);
    }
    qn_buf_str(out, page);
}
