/* pii_parts: the recognisers behind pii.h. Each looks at `text` from byte `i` and returns the end of what it found there, or 0. */
#ifndef QN_TEXT_PII_PARTS_H
#define QN_TEXT_PII_PARTS_H
#include "text/pii.h"

size_t qn_pii_email_at(qn_str text, size_t at_sign, size_t *from);      /* from: its start, before the @ */
size_t qn_pii_ip_at(qn_str text, size_t i);
size_t qn_pii_ssn_at(qn_str text, size_t i);
size_t qn_pii_card_at(qn_str text, size_t i);
size_t qn_pii_iban_at(qn_str text, size_t i);
size_t qn_pii_phone_at(qn_str text, size_t i);
size_t qn_pii_key_at(qn_str text, size_t i, size_t *from);
/* Appends names and places that do not touch the n_taken spans already there (in order of position). */
void   qn_pii_find_names(qn_str text, unsigned kinds, qn_pii_spans *out);
#endif
