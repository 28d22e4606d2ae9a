/* format_html: a web page: its main content, without what is around it (io/html.c). */
#include "io/encoding.h"
#include "io/html.h"
#include <ctype.h>

static qn_code doc(qn_str bytes, const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e)
{
    char named[40];
    const char *given = o ? o->encoding : NULL, *encoding;
    qn_str text;
    qn_doc_b b;
    (void)path;
    if (!given && !qn_utf8_valid(bytes)) given = qn_html_encoding(bytes, named);
    if (given && qn_str_ieq(qn_str_of(given), QN_STR("utf-8"))) given = NULL;          /* it says so and is not: find out */
    if (given) {
        iconv_t cd;
        if (qn_iconv_open(given, &cd, NULL) == QN_OK) iconv_close(cd);
        else given = o && o->encoding ? given : NULL;                                   /* a name that nobody knows */
    }
    QN_TRY(qn_text_decode(bytes, given, a, &text, &encoding, e));
    qn_doc_init(&b, a);
    qn_code rc = qn_html_add(&b, text, 0, e);
    if (rc != QN_OK) { qn_doc_drop(&b); return rc; }
    if (strcmp(encoding, "UTF-8") != 0) qn_doc_warn(&b, "encoding %s: %s", given ? "named" : "found", encoding);
    qn_doc_finish(&b, out);
    return QN_OK;
}

static bool sniff(qn_str head)
{
    qn_str s = qn_str_trim(head);
    if (s.n > 3 && memcmp(s.p, "\xEF\xBB\xBF", 3) == 0) s = qn_str_trim(qn_str_sub(s, 3, s.n));
    static const char *const begins[] = { "<!doctype html", "<html", "<head", "<body", NULL };
    for (int i = 0; begins[i]; i++) {
        size_t n = strlen(begins[i]);
        if (s.n >= n && qn_str_ieq(qn_str_sub(s, 0, n), qn_str_of(begins[i]))) return true;
    }
    return qn_str_starts(s, QN_STR("<?xml")) && qn_str_find(s, QN_STR("<html")) > 0;
}

const qn_format qn_format_html = { .name = "html", .exts = "html htm xhtml", .brief = "web pages: the main content, tables and code kept", .doc = doc, .sniff = sniff };
