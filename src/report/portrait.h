/* portrait: what one field of a set is like, by the parts of a comparison that need no second set: openings, diversity, topics.
 *
 * On a sample of at most 2,000 texts drawn by the seed; a measure that has too few texts is left out.      Cost: under a second. */
#ifndef QN_REPORT_PORTRAIT_H
#define QN_REPORT_PORTRAIT_H
#include "core/err.h"

/* {"field", "texts", "sampled", "opening_bits", "distinct": [d1, d2, d3], "self_bleu", "vendi", "vendi_of", "topics": [["mill, wind, grain", n], ...]},
 * appended. Errors: those of reading; QN_EUSAGE when no row has a text. */
qn_code qn_portrait_put(const char *path, const char *field, uint64_t seed, qn_buf *out, qn_err *e);
#endif
