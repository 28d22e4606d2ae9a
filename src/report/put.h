/* put: JSON text for the page: keys, numbers and texts cut to a length, always valid UTF-8. */
#ifndef QN_REPORT_PUT_H
#define QN_REPORT_PUT_H
#include "core/str.h"

/* "text" without invalid bytes (each becomes U+FFFD), cut behind `max` bytes at a code point; 0: not cut. Returns the bytes left out. */
size_t qn_put_text(qn_buf *b, qn_str s, size_t max);
void   qn_put_real(qn_buf *b, double d);                /* shortest that reads back; null when it is not finite */
/* ,"key": (the comma is left out behind an opening brace or bracket) */
void   qn_put_key(qn_buf *b, const char *key);
void   qn_put_comma(qn_buf *b);                         /* between elements: nothing behind an opening brace or bracket */
void   qn_put_kv_text(qn_buf *b, const char *key, const char *z);       /* left out when NULL */
void   qn_put_kv_int(qn_buf *b, const char *key, int64_t n);
void   qn_put_kv_real(qn_buf *b, const char *key, double d);
/* ,"models": [...]: the same in the page and in summary.json. */
struct qn_report_facts;
void   qn_put_models(qn_buf *b, const struct qn_report_facts *f);
void   qn_put_may_train(qn_buf *b, const struct qn_report_facts *f);     /* licences, may_train (left out where there is nothing to judge) */
#endif
