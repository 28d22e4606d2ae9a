/* encoding: which encoding bytes are in, and iconv to UTF-8. */
#ifndef QN_IO_ENCODING_H
#define QN_IO_ENCODING_H
#include "core/err.h"
#include <iconv.h>

/* What `head`, the first bytes of a text, are in.
 *   name    "UTF-8", "UTF-16LE", "SHIFT_JIS" ...: a name that iconv knows; static text
 *   skip    bytes of a byte order mark in front
 *   guessed true when statistics said it, not a mark and not validity
 * UTF-8 cut at the end of `head` counts as valid. guess false: anything without a mark is called UTF-8. Errors: QN_EMISSING when a guess
 * is needed and libuchardet is not there; QN_EDATA when the bytes look like no text at all. */
typedef struct { const char *name; size_t skip; bool guessed; } qn_encoding;
qn_code qn_encoding_of(qn_str head, bool guess, qn_encoding *out, qn_err *e);
/* An open converter to UTF-8; QN_EUSAGE when iconv does not know the name. */
qn_code qn_iconv_open(const char *from, iconv_t *out, qn_err *e);
/* Converts as much of *in as possible to the end of out (which grows); *in moves behind what was taken. Bytes that have no meaning become
 * U+FFFD and are counted in *n_bad. last: nothing will follow, so a cut character at the end is bad too. */
void    qn_iconv_put(iconv_t cd, qn_str *in, bool last, qn_buf *out, uint64_t *n_bad);
/* UTF-8 with its invalid bytes made U+FFFD, one for each; counted. */
void    qn_utf8_repair(qn_str in, qn_buf *out, uint64_t *n_bad);
#endif
