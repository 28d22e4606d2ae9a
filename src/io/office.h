/* office: what DOCX, PPTX, XLSX and EPUB share: parts of a zip file, relations, properties. */
#ifndef QN_IO_OFFICE_H
#define QN_IO_OFFICE_H
#include "io/archive.h"
#include "io/doc.h"
#include "io/xml.h"

/* Parses a part; QN_EDATA when the zip has none of this name. */
qn_code qn_office_part(const qn_zip *z, const char *name, qn_xml_doc **doc, const qn_xml **root, qn_err *e);
/* docProps/core.xml: title, author, date, language. Missing is fine. */
void    qn_office_properties(const qn_zip *z, qn_doc_b *b);
/* Where relation `id` of `part` ("xl/workbook.xml") points to, as a name in the zip; empty when there is none. In the arena. */
qn_str  qn_office_relation(const qn_zip *z, qn_str part, qn_str id, qn_arena *a);
/* A name relative to the folder of `base` ("OEBPS/a.opf", "text/1.xhtml"): "." and ".." taken out (never above the top), %20 decoded, what is
 * behind # left out. */
qn_str  qn_office_join(qn_str base, qn_str name, qn_arena *a);
#endif
