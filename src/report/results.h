/* results: the tables that `tally` left in a run's files, for the page. */
#ifndef QN_REPORT_RESULTS_H
#define QN_REPORT_RESULTS_H
#include "report/report.h"

/* ,"results": [{"file", "rows": [{"group", "measure", "n", "value", "low", "high", ...}]}], a table for each of the outputs whose rows are a tally's; nothing
 * when there is none. */
void qn_results_put(const qn_report_facts *f, qn_buf *b);
#endif
