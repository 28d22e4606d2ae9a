/* str: text as (pointer, length), and a growing byte buffer. Text is UTF-8 unless a comment says otherwise and is never
 * assumed to end in a NUL. */
#ifndef QN_CORE_STR_H
#define QN_CORE_STR_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct { const char *p; size_t n; } qn_str; /* borrowed bytes; {NULL, 0} is the empty text */

#define QN_STR(lit)  ((qn_str){ "" lit, sizeof(lit) - 1 })
#define QN_FMT(s)    (int)(s).n, (s).p /* for "%.*s" */

static inline qn_str qn_str_of(const char *z) { return (qn_str){ z, z ? strlen(z) : 0 }; }
static inline bool qn_str_eq(qn_str a, qn_str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }
static inline bool qn_str_is(qn_str a, const char *z) { return qn_str_eq(a, qn_str_of(z)); }
static inline qn_str qn_str_sub(qn_str s, size_t from, size_t to) { return (qn_str){ s.p + from, to - from }; }
static inline bool qn_char_in(char c, const char *set) { return c && strchr(set, c); }    /* strchr alone says yes to NUL */
int    qn_str_cmp(qn_str a, qn_str b);              /* by bytes, as memcmp; shorter first when one is a prefix */
bool   qn_str_starts(qn_str s, qn_str prefix);
bool   qn_str_ends(qn_str s, qn_str suffix);
qn_str qn_str_trim(qn_str s);                       /* without ASCII white space at both ends */
ptrdiff_t qn_str_find(qn_str hay, qn_str needle);   /* byte offset of the first occurrence, -1 when none */
bool   qn_str_ieq(qn_str a, qn_str b);              /* equal but for ASCII case */
bool   qn_utf8_valid(qn_str s);
/* The next code point at *i, which moves behind it. Invalid bytes give U+FFFD, one per byte. Needs *i < s.n. */
uint32_t qn_utf8_next(qn_str s, size_t *i);
int    qn_utf8_put(uint32_t cp, char out[4]);       /* bytes written, 1..4 */
size_t qn_utf8_count(qn_str s);                     /* code points */
/* Largest cut <= n that does not split a code point. */
size_t qn_utf8_cut(qn_str s, size_t n);
void   qn_utf8_mend(char *z);                          /* drops bytes that are no whole character: what a cut left of one */
bool   qn_str_to_i64(qn_str s, int64_t *out);       /* whole text, optional sign; false on anything else or overflow */
bool   qn_str_to_f64(qn_str s, double *out);        /* whole text, "C" number syntax, finite */

/* A growing buffer. Zero-initialise: {0}. limit 0 = none; a buffer for bytes from outside gets its limit at birth, and
 * a put that would pass it changes nothing, sets `full` and returns false. Always NUL-terminated once something was put.
 * Owned: release with qn_buf_free. */
typedef struct { char *p; size_t n, cap, limit; bool full; } qn_buf;
void   qn_buf_free(qn_buf *b);
void   qn_buf_clear(qn_buf *b);                     /* keeps the memory */
bool   qn_buf_reserve(qn_buf *b, size_t more);
bool   qn_buf_put(qn_buf *b, const void *p, size_t n);
bool   qn_buf_puts(qn_buf *b, const char *z);
bool   qn_buf_putc(qn_buf *b, char c);
bool   qn_buf_str(qn_buf *b, qn_str s);
bool   qn_buf_printf(qn_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool   qn_buf_vprintf(qn_buf *b, const char *fmt, va_list ap);
/* Base64 (RFC 4648, section 4): the text appended; the bytes appended, false when it is none. */
void   qn_base64_put(qn_buf *b, qn_str bytes);
bool   qn_base64_get(qn_str text, qn_buf *bytes);
static inline qn_str qn_buf_view(const qn_buf *b) { return (qn_str){ b->p ? b->p : "", b->n }; } /* borrowed until the next put */
#endif
