/* xml: libxml2's tree, read only through its structs. */
#include "io/xml.h"
#include "core/dl.h"
#include <libxml/parser.h>
#include <libxml/tree.h>

static struct {
    __typeof__(&xmlReadMemory) read_memory;
    __typeof__(&xmlFreeDoc) free_doc;
    __typeof__(&xmlDocGetRootElement) root;
    __typeof__(&xmlInitParser) init;
} xl;
static const qn_sym SYMS[] = {
    { "xmlReadMemory", (void **)&xl.read_memory }, { "xmlFreeDoc", (void **)&xl.free_doc }, { "xmlDocGetRootElement", (void **)&xl.root },
    { "xmlInitParser", (void **)&xl.init }, { NULL, NULL }
};
static const char *const SONAMES[] = { "libxml2.so.2", "libxml2.so.16", NULL };
static qn_lib lib = { SONAMES, SYMS, "reading DOCX, XLSX, PPTX and EPUB", "apt-get install libxml2", false };

qn_code qn_xml_parse(qn_str bytes, const char *what, qn_xml_doc **out, const qn_xml **root, qn_err *e)
{
    QN_TRY(qn_lib_need(&lib, e));
    xl.init();
    xmlDoc *doc = xl.read_memory(bytes.p, (int)(bytes.n > INT32_MAX ? 0 : bytes.n), what, NULL,
                                 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA | XML_PARSE_COMPACT | XML_PARSE_NODICT);
    if (!doc) return qn_fail(e, QN_EDATA, "%s is not well-formed XML", what);
    if (doc->intSubset && doc->intSubset->children) {
        xl.free_doc(doc);
        return qn_fail(e, QN_EDATA, "%s declares entities of its own, as a bomb does: it is not read", what);
    }
    *out = doc;
    *root = xl.root(doc);
    return QN_OK;
}

void qn_xml_free(qn_xml_doc *doc) { if (doc) xl.free_doc(doc); }

const char *qn_xml_name(const qn_xml *n) { return n && n->name ? (const char *)n->name : ""; }
bool qn_xml_is(const qn_xml *n, const char *name) { return n && n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0; }

static const qn_xml *from(const qn_xml *n, const char *name)
{
    for (; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE && (!name || strcmp((const char *)n->name, name) == 0)) return n;
    return NULL;
}

const qn_xml *qn_xml_first(const qn_xml *n, const char *name) { return n && n->type == XML_ELEMENT_NODE ? from(n->children, name) : NULL; }
const qn_xml *qn_xml_next(const qn_xml *n, const char *name) { return n ? from(n->next, name) : NULL; }

const qn_xml *qn_xml_find(const qn_xml *n, const char *name)
{
    QN_XML_EACH(c, n, NULL) {
        if (qn_xml_is(c, name)) return c;
        const qn_xml *deeper = qn_xml_find(c, name);
        if (deeper) return deeper;
    }
    return NULL;
}

qn_str qn_xml_attr(const qn_xml *n, const char *name)
{
    if (n && n->type == XML_ELEMENT_NODE)
        for (const xmlAttr *a = n->properties; a; a = a->next)
            if (strcmp((const char *)a->name, name) == 0 && a->children && a->children->content) return qn_str_of((const char *)a->children->content);
    return (qn_str){ "", 0 };
}

void qn_xml_text(const qn_xml *n, qn_buf *out)
{
    if (!n || n->type != XML_ELEMENT_NODE) return;
    for (const qn_xml *c = n->children; c; c = c->next) {
        if ((c->type == XML_TEXT_NODE || c->type == XML_CDATA_SECTION_NODE) && c->content) qn_buf_puts(out, (const char *)c->content);
        else qn_xml_text(c, out);
    }
}
