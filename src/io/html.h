/* html: a web page's main content as blocks of a document. */
#ifndef QN_IO_HTML_H
#define QN_IO_HTML_H
#include "io/doc.h"

enum { QN_HTML_WHOLE = 1 /* everything in the body, as in a book's chapters; else navigation, footers and the like are left out */ };

/* Appends the content of one page (UTF-8). The first title, licence, author, language and date found are put into b, where they are not yet.
 * Errors: QN_EMISSING without libgumbo; QN_ELIMIT when elements are nested deeper than 1,000. */
qn_code qn_html_add(qn_doc_b *b, qn_str html, unsigned flags, qn_err *e);
/* The encoding that a page names itself: <meta charset> or http-equiv in its first 2 KB, or an XML declaration; NULL when it says nothing.
 * The name is copied into out. */
const char *qn_html_encoding(qn_str bytes, char out[40]);
#endif
