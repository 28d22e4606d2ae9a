/* char_class: the class of a code point, as tokenizers' patterns see it. */
#ifndef QN_NN_CHAR_CLASS_H
#define QN_NN_CHAR_CLASS_H
#include "core/err.h"

enum { QN_U_OTHER, QN_U_LETTER, QN_U_NUMBER, QN_U_SPACE, QN_U_MARK, QN_U_PUNCT, QN_U_CONTROL };
enum { QN_U_CELLS = 0x34000 };                      /* code points in the table; those above are looked up in the runs */

/* A table of one byte for each code point below QN_U_CELLS. Owned: qn_free. Cost: 0.2 MB, 0.1 ms. */
uint8_t *qn_char_table(void);
int      qn_char_class(const uint8_t *table, uint32_t cp);

/* What needs utf8proc: opened at the first call (QN_EMISSING when it is not installed) and kept in `u`, the caller's, zeroed
 * at first. */
typedef struct {
    ptrdiff_t (*map)(const uint8_t *, ptrdiff_t, uint8_t **, int);
    ptrdiff_t (*decompose)(int32_t, int32_t *, ptrdiff_t, int, int *);
    int32_t (*lower)(int32_t);
} qn_utf8proc;
qn_code qn_char_nfc(qn_utf8proc *u, qn_str s, qn_buf *out, qn_err *e);   /* canonical composition, added to out */
/* As BERT's normalizer: canonical decomposition without marks when `strip`, then lower case when `lower`. */
qn_code qn_char_fold(qn_utf8proc *u, const uint8_t *table, qn_str s, bool strip, bool lower, qn_buf *out, qn_err *e);
#endif
