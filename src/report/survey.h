/* survey: what a file of rows holds, field by field, in one pass and a few megabytes: kinds, lengths, openings, values, numbers, repeats.
 *
 * Rows beyond QN_SURVEY_ROWS are chosen by the hash of their number, so the same file always gives the same survey. */
#ifndef QN_REPORT_SURVEY_H
#define QN_REPORT_SURVEY_H
#include "core/err.h"
#include "text/bias.h"

enum { QN_SURVEY_ROWS = 50000, QN_SURVEY_SAMPLES = 12 };

typedef struct qn_survey qn_survey;
/* Reads the JSON lines at `path`. n_rows: how many there are, as far as the caller knows; 0: not known (the file is counted first).
 * Errors: QN_EIO. Lines that are no JSON object, or longer than 16 MB, are counted and passed over. Release with qn_survey_free. */
qn_code  qn_survey_read(qn_survey **out, const char *path, uint64_t n_rows, qn_err *e);
void     qn_survey_free(qn_survey *s);

/* {"rows", "looked_into", "unreadable", "fields": [...]} */
void     qn_survey_put(const qn_survey *s, qn_buf *out);

/* The sampled rows, in the order of the file. */
typedef struct qn_survey_sample { uint64_t line; qn_buf json; } qn_survey_sample;     /* line: from 0; json: [["field","kind","text",bytes left out], ...] */
size_t   qn_survey_samples(const qn_survey *s, const qn_survey_sample **out);

/* Adds up whom the texts of the rows' own fields speak of (text, lists of texts, messages; not objects): fields that `source` names into *from, the rest
 * into *made; where nothing was made (rows were only chosen) all into *made. Both zeroed before. */
void     qn_survey_bias(const qn_survey *s, const char *const *source, size_t n_source, qn_bias *made, qn_bias *from);
/* The own field of most use to a reader that holds texts of three words and more: the question, instruction, prompt ..., before what a source gave;
 * NULL: none. Borrowed. */
const char *qn_survey_main(const qn_survey *s, const char *const *source, size_t n_source);
bool     qn_survey_has_text(const qn_survey *s, const char *field);
/* Share of the rows read that have this value (text, true or false) in an own field; NaN when the field is not there or has too many values to count. */
double   qn_survey_share(const qn_survey *s, const char *field, qn_str value);
struct qn_marks;
const struct qn_marks *qn_survey_marks(const qn_survey *s);     /* of judges, see report/marks.h; borrowed */

/* One row as the page shows it: [["field", "kind", "text", bytes left out], ...]. Texts are cut behind 4,000 bytes, further fields behind 40.
 * false: no JSON object. */
bool     qn_survey_put_row(qn_str line, bool own_fields, qn_buf *out);

/* Calls fn for each line (without its newline) of a file. Lines longer than max_bytes come with .p NULL and their length. Errors: QN_EIO. */
qn_code  qn_lines_each(const char *path, size_t max_bytes, void (*fn)(void *arg, uint64_t number, qn_str line), void *arg, qn_err *e);
#endif
