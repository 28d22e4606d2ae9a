/* format_pptx: slides (Office Open XML): each slide is a page; its title a heading, its texts paragraphs and lists, its tables tables, its notes
 * quotes. */
#include "io/office.h"
#include <stdio.h>

enum { MOST_SLIDES = 2000, MOST_COLUMNS = 100 };

static void para_text(const qn_xml *p, qn_buf *out)
{
    QN_XML_EACH(c, p, NULL) {
        if (qn_xml_is(c, "r") || qn_xml_is(c, "fld")) qn_xml_text(qn_xml_first(c, "t"), out);
        else if (qn_xml_is(c, "br")) qn_buf_putc(out, ' ');
        else if (qn_xml_is(c, "m")) qn_xml_text(c, out);
    }
}

static void put_shape(qn_doc_b *b, const qn_xml *sp)
{
    qn_str type = qn_xml_attr(qn_xml_find(sp, "ph"), "type");
    bool title = qn_str_is(type, "title") || qn_str_is(type, "ctrTitle");
    size_t n = 0;
    if (qn_str_is(type, "sldNum") || qn_str_is(type, "dt") || qn_str_is(type, "ftr")) return;
    const qn_xml *body = qn_xml_first(sp, "txBody");
    QN_XML_EACH(p, body, "p") n++;
    qn_doc_begin(b, title ? QN_BLOCK_HEADING : n > 1 ? QN_BLOCK_LIST : QN_BLOCK_PARA, 2);
    QN_XML_EACH(p, body, "p") {
        qn_buf text = {0};
        int64_t lvl = 0;
        para_text(p, &text);
        if (qn_str_trim(qn_buf_view(&text)).n) {
            if (!title && n > 1) {
                if (b->text.n > b->blocks[b->n].start) qn_buf_putc(&b->text, '\n');
                if (qn_str_to_i64(qn_xml_attr(qn_xml_first(p, "pPr"), "lvl"), &lvl))
                    for (; lvl > 0 && lvl < 10; lvl--) qn_buf_puts(&b->text, "  ");
                qn_buf_puts(&b->text, "- ");
                b->gap = false;
            } else {
                b->gap = true;
            }
            qn_doc_words(b, qn_buf_view(&text));
        }
        qn_buf_free(&text);
    }
    qn_doc_end(b);
}

static void put_table(qn_doc_b *b, const qn_xml *tbl)
{
    qn_arena a = {0};
    qn_doc_row *rows = NULL;
    size_t n = 0, cap = 0;
    QN_XML_EACH(tr, tbl, "tr") {
        QN_GROW(rows, n, cap);
        rows[n] = (qn_doc_row){ qn_arena_alloc(&a, MOST_COLUMNS * sizeof(qn_str)), 0 };
        QN_XML_EACH(tc, tr, "tc") {
            qn_buf text = {0};
            QN_XML_EACH(p, qn_xml_first(tc, "txBody"), "p") { if (text.n) qn_buf_putc(&text, ' '); para_text(p, &text); }
            if (rows[n].n < MOST_COLUMNS) rows[n].cells[rows[n].n++] = qn_arena_str(&a, qn_buf_view(&text));
            qn_buf_free(&text);
        }
        n++;
    }
    qn_doc_table(b, rows, n);
    qn_free(rows);
    qn_arena_free(&a);
}

static void walk(qn_doc_b *b, const qn_xml *n)
{
    QN_XML_EACH(c, n, NULL) {
        if (qn_xml_is(c, "sp")) put_shape(b, c);
        else if (qn_xml_is(c, "tbl")) put_table(b, c);
        else if (!qn_xml_is(c, "Fallback")) walk(b, c);
    }
}

static bool want(qn_str name)
{
    return (qn_str_ends(name, QN_STR(".xml")) || qn_str_ends(name, QN_STR(".rels"))) &&
           (qn_str_starts(name, QN_STR("ppt/slides/")) || qn_str_starts(name, QN_STR("docProps/")) || qn_str_is(name, "ppt/presentation.xml") ||
            qn_str_is(name, "ppt/_rels/presentation.xml.rels"));
}

static qn_code put_slide(const qn_zip *z, qn_str part, qn_doc_b *b, qn_err *e)
{
    qn_xml_doc *doc;
    const qn_xml *root;
    QN_TRY(qn_office_part(z, part.p, &doc, &root, e));
    walk(b, root);
    qn_xml_free(doc);
    return QN_OK;
}

static qn_code doc(qn_str bytes, const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e)
{
    qn_zip z;
    qn_doc_b b;
    qn_xml_doc *deck;
    const qn_xml *root;
    (void)path, (void)o;
    QN_TRY(qn_zip_read(bytes, want, a, &z, e));
    QN_TRY(qn_office_part(&z, "ppt/presentation.xml", &deck, &root, e));
    qn_doc_init(&b, a);
    qn_office_properties(&z, &b);
    qn_code rc = QN_OK;
    QN_XML_EACH(id, qn_xml_first(root, "sldIdLst"), "sldId") {
        qn_str rid = QN_STR("");
        rid = qn_xml_attr(id, "id");
        if (rid.n == 0 || rid.p[0] != 'r') rid = qn_xml_attr(qn_xml_first(id, NULL), "id");
        qn_str part = qn_office_relation(&z, QN_STR("ppt/presentation.xml"), rid, a);
        if (++b.page > MOST_SLIDES) { qn_doc_warn(&b, "only the first %d slides were read", MOST_SLIDES); break; }
        if (part.n == 0) part = qn_arena_printf(a, "ppt/slides/slide%d.xml", b.page);
        if ((rc = put_slide(&z, part, &b, e)) != QN_OK) break;
    }
    qn_xml_free(deck);
    if (rc != QN_OK) { qn_doc_drop(&b); return rc; }
    qn_doc_finish(&b, out);
    return QN_OK;
}

static bool sniff(qn_str head) { return qn_str_starts(head, QN_STR("PK\x03\x04")) && qn_str_find(head, QN_STR("ppt/")) > 0; }

const qn_format qn_format_pptx = { .name = "pptx", .exts = "pptx", .brief = "slides: each is a page", .doc = doc, .sniff = sniff };
