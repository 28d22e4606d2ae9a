/* one_page: a page in one file: facts as JSON, our style and one script of ours inside, under a content policy that names both by hash, so
 * that nothing else runs and nothing is fetched. */
#ifndef QN_REPORT_ONE_PAGE_H
#define QN_REPORT_ONE_PAGE_H
#include "core/str.h"

typedef struct qn_page_parts {
    const char *title, *account;        /* any text: `<`, `&` and quotes are escaped; account: one sentence for readers without scripts */
    const char *unscripted;             /* what such readers miss, and where it is */
    const char *script;                 /* name of an embedded file: "report.js" */
    qn_str      json;                   /* what the script draws; `<` is written as \u003c */
} qn_page_parts;

void qn_one_page(qn_buf *out, const qn_page_parts *p);      /* appended */
#endif
