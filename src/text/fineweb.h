/* fineweb: the filters that FineWeb adds to those of C4 and Gopher.
 * Source: Penedo et al. 2024, "The FineWeb Datasets" (arXiv 2406.17557), section 3.6: lines ending in punctuation at most 12%,
 * characters in duplicated lines at least 10%, lines shorter than 30 characters at least 67% remove a document. The code that
 * made the published set (datatrove) uses 1% for duplicated lines and also removes lists (new lines for each word above 0.3);
 * the limits below are the code's. */
#ifndef QN_TEXT_FINEWEB_H
#define QN_TEXT_FINEWEB_H
#include "text/limits.h"
#include "text/page.h"

enum { QN_FINEWEB_TERMINAL_LINES, QN_FINEWEB_SHORT_LINES, QN_FINEWEB_DUP_LINE_CHARS, QN_FINEWEB_NEWLINES, QN_FINEWEB_N };
extern const qn_measure QN_FINEWEB_MEASURES[QN_FINEWEB_N];

/* All measures of a scanned text (qn_page_scan, repeats not needed); NaN where nothing can be measured. */
void qn_fineweb(const qn_page *p, double out[QN_FINEWEB_N]);
#endif
