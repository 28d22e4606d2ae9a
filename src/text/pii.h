/* pii: finds what names or reaches a person, or opens a door: addresses, numbers, keys, names.
 *
 * Numbers with a check digit are checked (cards: Luhn, ISO/IEC 7812; IBAN: mod 97, ISO 13616), addresses are parsed, keys are known by
 * the prefixes their makers gave them or by the entropy of what is assigned to a word like `password`. Names and places go by
 * lists (lists/names.c, lists/places.c) and what stands beside them: they find many, not all. Measured by type in
 * tests/unit/test_pii.c. */
#ifndef QN_TEXT_PII_H
#define QN_TEXT_PII_H
#include "core/err.h"

typedef enum {
    QN_PII_EMAIL, QN_PII_PHONE, QN_PII_CARD, QN_PII_IBAN, QN_PII_IP, QN_PII_SSN, QN_PII_KEY, QN_PII_NAME, QN_PII_PLACE, QN_PII_N
} qn_pii_kind;
#define QN_PII_ALL     ((1u << QN_PII_N) - 1)
#define QN_PII_DEFAULT (QN_PII_ALL & ~(1u << QN_PII_PLACE))    /* a place alone names nobody */

extern const char *const QN_PII_NAMES[QN_PII_N];               /* "email", "phone", ... */

typedef struct qn_pii_span { qn_pii_kind kind; size_t from, to; } qn_pii_span;     /* bytes [from, to) */
typedef struct qn_pii_spans { qn_pii_span *items; size_t n, cap; } qn_pii_spans;   /* zero-initialise; kept between calls */

/* Appends the spans of the wanted kinds (bits 1 << kind), in order, none overlapping.
 * Cost: about 100 MB/s without names, 30 MB/s with them. Any thread. */
void qn_pii_find(qn_str text, unsigned kinds, qn_pii_spans *out);
void qn_pii_spans_free(qn_pii_spans *s);
/* The text with each span replaced by its kind in capitals and square brackets: "write to [EMAIL]". */
void qn_pii_mask(qn_str text, const qn_pii_spans *spans, qn_buf *out);

bool qn_luhn_ok(qn_str digits);         /* digits only */
bool qn_iban_ok(qn_str compact);        /* letters and digits only, any case: country's length and mod 97 */
#endif
