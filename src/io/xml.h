/* xml: XML parts of office files by libxml2, opened when first needed: no network, no external entities, no declared entities at all. */
#ifndef QN_IO_XML_H
#define QN_IO_XML_H
#include "core/err.h"
#include "core/mem.h"

typedef struct _xmlDoc qn_xml_doc;
typedef struct _xmlNode qn_xml;

/* Parses a whole document. Elements are nested at most 256 deep (libxml2's limit), so walking may recurse. what: for messages, "word/document.xml".
 * Errors: QN_EDATA (not well-formed, declares entities), QN_EMISSING. */
qn_code qn_xml_parse(qn_str bytes, const char *what, qn_xml_doc **doc, const qn_xml **root, qn_err *e);
void    qn_xml_free(qn_xml_doc *doc);                               /* NULL is fine */

/* Names are without prefix. All are borrowed from the document; NULL gives NULL or an empty text. */
const qn_xml *qn_xml_first(const qn_xml *n, const char *name);      /* first child element, of this name; name NULL: any */
const qn_xml *qn_xml_next(const qn_xml *n, const char *name);       /* next sibling element */
const qn_xml *qn_xml_find(const qn_xml *n, const char *name);       /* first element of this name below n, in document order */
bool          qn_xml_is(const qn_xml *n, const char *name);
const char   *qn_xml_name(const qn_xml *n);
qn_str        qn_xml_attr(const qn_xml *n, const char *name);       /* empty when absent */
void          qn_xml_text(const qn_xml *n, qn_buf *out);            /* appends all text below n */
#define QN_XML_EACH(c, n, name) for (const qn_xml *c = qn_xml_first((n), (name)); c; c = qn_xml_next(c, (name)))
#endif
