/* marks: what judges said of the rows, from the fields that `judge` leaves: distributions by judge and scale, verdicts between replies, agreement. */
#ifndef QN_REPORT_MARKS_H
#define QN_REPORT_MARKS_H
#include "data/value.h"

typedef struct qn_marks qn_marks;
qn_marks *qn_marks_new(void);                   /* owned: qn_marks_free */
void      qn_marks_free(qn_marks *m);
/* One row's object field. What does not have the shape of a judgement ({overall, marks: [...]} or {winner, marks: [...]}) is passed over. */
void      qn_marks_add(qn_marks *m, qn_str field, qn_value v);
size_t    qn_marks_n(const qn_marks *m);        /* fields with judgements */
/* [{"field", "rows", "overall", "scales": [{"name", "judge", "n", "mean", "marks": [[mark, n], ...]}], "pairs": {"a", "b", "tie", "changed",
 * "first_place"} or null, "people": {"n", "away", "higher"} or null, "reasons": [[overall, text], ...]}, ...] */
void      qn_marks_put(const qn_marks *m, qn_buf *out);
#endif
