/* office: parts, relations and properties of zipped XML files. */
#include "io/office.h"
#include <stdlib.h>

qn_code qn_office_part(const qn_zip *z, const char *name, qn_xml_doc **doc, const qn_xml **root, qn_err *e)
{
    qn_str bytes;
    if (!qn_zip_get(z, qn_str_of(name), &bytes)) return qn_fail(e, QN_EDATA, "the part %s is missing", name);
    return qn_xml_parse(bytes, name, doc, root, e);
}

void qn_office_properties(const qn_zip *z, qn_doc_b *b)
{
    qn_xml_doc *doc;
    const qn_xml *root;
    if (qn_office_part(z, "docProps/core.xml", &doc, &root, NULL) != QN_OK) return;
    static const struct { const char *element, *meta; } what[] = { { "creator", "author" }, { "created", "date" }, { "language", "language" }, { "description", "description" } };
    qn_buf text = {0};
    for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
        qn_buf_clear(&text);
        qn_xml_text(qn_xml_first(root, what[i].element), &text);
        qn_doc_meta(b, what[i].meta, qn_buf_view(&text));
    }
    qn_buf_clear(&text);
    qn_xml_text(qn_xml_first(root, "title"), &text);
    b->title = qn_arena_str(b->a, qn_str_trim(qn_buf_view(&text)));
    qn_buf_free(&text);
    qn_xml_free(doc);
}

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }

qn_str qn_office_join(qn_str base, qn_str name, qn_arena *a)
{
    qn_buf raw = {0}, out = {0};
    const char *slash = base.n ? memrchr(base.p, '/', base.n) : NULL;
    if (slash && !(name.n && name.p[0] == '/')) qn_buf_put(&raw, base.p, (size_t)(slash - base.p) + 1);
    for (size_t i = 0; i < name.n && name.p[i] != '#'; i++) {
        if (name.p[i] == '%' && i + 2 < name.n && hex(name.p[i + 1]) >= 0 && hex(name.p[i + 2]) >= 0) {
            qn_buf_putc(&raw, (char)(hex(name.p[i + 1]) * 16 + hex(name.p[i + 2])));
            i += 2;
        } else {
            qn_buf_putc(&raw, name.p[i]);
        }
    }
    qn_str r = qn_buf_view(&raw);
    for (size_t i = 0; i < r.n;) {
        size_t from = i;
        while (i < r.n && r.p[i] != '/') i++;
        qn_str part = qn_str_sub(r, from, i++);
        if (part.n == 0 || qn_str_is(part, ".")) continue;
        if (qn_str_is(part, "..")) {
            const char *up = out.n ? memrchr(out.p, '/', out.n) : NULL;
            out.n = up ? (size_t)(up - out.p) : 0;
            continue;
        }
        if (out.n) qn_buf_putc(&out, '/');
        qn_buf_str(&out, part);
    }
    qn_str s = qn_arena_str(a, qn_buf_view(&out));
    qn_buf_free(&raw);
    qn_buf_free(&out);
    return s;
}

qn_str qn_office_relation(const qn_zip *z, qn_str part, qn_str id, qn_arena *a)
{
    qn_xml_doc *doc;
    const qn_xml *root;
    const char *slash = memrchr(part.p, '/', part.n);
    size_t dir = slash ? (size_t)(slash - part.p) + 1 : 0;
    qn_str out = QN_STR("");
    qn_str rels = qn_arena_printf(a, "%.*s_rels/%.*s.rels", (int)dir, part.p, (int)(part.n - dir), part.p + dir);
    if (qn_office_part(z, rels.p, &doc, &root, NULL) != QN_OK) return out;
    QN_XML_EACH(r, root, "Relationship")
        if (qn_str_eq(qn_xml_attr(r, "Id"), id)) out = qn_office_join(part, qn_xml_attr(r, "Target"), a);
    qn_xml_free(doc);
    return out;
}
