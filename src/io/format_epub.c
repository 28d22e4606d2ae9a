/* format_epub: books (EPUB 2 and 3): the chapters in reading order, each as HTML. A book under DRM is said to be one. */
#include "io/html.h"
#include "io/office.h"

static bool want(qn_str name)
{
    static const char *const endings[] = { ".xml", ".opf", ".xhtml", ".html", ".htm", NULL };
    for (int i = 0; endings[i]; i++)
        if (name.n > strlen(endings[i]) && qn_str_ieq(qn_str_sub(name, name.n - strlen(endings[i]), name.n), qn_str_of(endings[i]))) return true;
    return false;
}

static void take_meta(qn_doc_b *b, const qn_xml *meta)
{
    static const struct { const char *element, *name; } what[] = { { "creator", "author" }, { "date", "date" }, { "language", "language" }, { "publisher", "publisher" } };
    for (int i = -2; i < 4; i++) {
        qn_buf text = {0};
        qn_xml_text(qn_xml_first(meta, i == -2 ? "title" : i == -1 ? "rights" : what[i].element), &text);
        qn_str s = qn_str_trim(qn_buf_view(&text));
        if (i == -2) b->title = qn_arena_str(b->a, s);
        else if (i == -1) b->licence = qn_arena_str(b->a, s);
        else qn_doc_meta(b, what[i].name, s);
        qn_buf_free(&text);
    }
}

static const qn_xml *item_of(const qn_xml *manifest, qn_str id)
{
    QN_XML_EACH(item, manifest, "item") if (qn_str_eq(qn_xml_attr(item, "id"), id)) return item;
    return NULL;
}

static qn_code chapters(const qn_zip *z, qn_str opf, const qn_xml *package, qn_doc_b *b, qn_err *e)
{
    const qn_xml *manifest = qn_xml_first(package, "manifest");
    size_t n = 0, missing = 0;
    QN_XML_EACH(ref, qn_xml_first(package, "spine"), "itemref") {
        const qn_xml *item = item_of(manifest, qn_xml_attr(ref, "idref"));
        qn_str html;
        n++;
        if (qn_str_find(qn_xml_attr(item, "properties"), QN_STR("nav")) >= 0) continue;      /* the table of contents */
        if (!item || !qn_zip_get(z, qn_office_join(opf, qn_xml_attr(item, "href"), b->a), &html)) { missing++; continue; }
        QN_TRY(qn_html_add(b, html, QN_HTML_WHOLE, e));
    }
    if (missing) qn_doc_warn(b, "%zu of %zu chapters are missing in the file", missing, n);
    return n ? QN_OK : qn_fail(e, QN_EDATA, "the book lists no chapters");
}

static qn_code doc(qn_str bytes, const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e)
{
    qn_zip z;
    qn_doc_b b;
    qn_xml_doc *container, *package = NULL;
    const qn_xml *root, *book;
    qn_str drm;
    (void)path, (void)o;
    QN_TRY(qn_zip_read(bytes, want, a, &z, e));
    if (qn_zip_get(&z, QN_STR("META-INF/encryption.xml"), &drm) && qn_str_find(drm, QN_STR("EncryptedKey")) >= 0)
        return qn_fail(e, QN_EDATA, "the book is protected (DRM): its text cannot be read");
    QN_TRY(qn_office_part(&z, "META-INF/container.xml", &container, &root, e));
    qn_str opf = qn_office_join(QN_STR(""), qn_xml_attr(qn_xml_find(root, "rootfile"), "full-path"), a);
    qn_xml_free(container);
    if (opf.n == 0) return qn_fail(e, QN_EDATA, "META-INF/container.xml names no book");
    QN_TRY(qn_office_part(&z, opf.p, &package, &book, e));
    qn_doc_init(&b, a);
    take_meta(&b, qn_xml_first(book, "metadata"));
    qn_code rc = chapters(&z, opf, book, &b, e);
    qn_xml_free(package);
    if (rc != QN_OK) { qn_doc_drop(&b); return rc; }
    qn_doc_finish(&b, out);
    return QN_OK;
}

static bool sniff(qn_str head) { return qn_str_starts(head, QN_STR("PK\x03\x04")) && qn_str_find(head, QN_STR("application/epub+zip")) > 0; }

const qn_format qn_format_epub = { .name = "epub", .exts = "epub", .brief = "books", .doc = doc, .sniff = sniff };
