/* marks: what judges said of the rows, from the fields that `judge` leaves: distributions by judge and scale, verdicts between replies, agreement. */
#ifndef QN_REPORT_MARKS_H
#define QN_REPORT_MARKS_H
#include "data/value.h"

typedef struct qn_marks qn_marks;
/* The file in a run's folder in which the step `judge` of that name leaves how far its judges agree: judges.json, judges-NAME.json; cut to fit. */
void      qn_marks_file(qn_str step, char out[80]);
qn_marks *qn_marks_new(void);                   /* owned: qn_marks_free */
void      qn_marks_free(qn_marks *m);
/* The row whose fields come next: its line, and its mark by `swap_terms`: 0 as it was, 1 with the term exchanged, -1 neither. A row with the term exchanged
 * is compared with the one in the line before. */
void      qn_marks_row(qn_marks *m, uint64_t line, int swapped);
/* One row's object field. What does not have the shape of a judgement ({overall, marks: [...]} or {winner, marks: [...]}) is passed over. */
void      qn_marks_add(qn_marks *m, qn_str field, qn_value v);
size_t    qn_marks_n(const qn_marks *m);        /* fields with judgements */
/* [{"field", "rows", "overall", "scales": [{"name", "judge", "n", "mean", "marks": [[mark, n], ...]}], "pairs": {"a", "b", "tie", "changed",
 * "first_place"} or null, "people": {"n", "away", "higher"} or null, "swapped": {"n", "higher", "moved"} or null, "reasons": [[overall, text], ...]}, ...] */
void      qn_marks_put(const qn_marks *m, qn_buf *out);
#endif
