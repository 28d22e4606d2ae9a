/* unicode: what kind of character a code point is, and its lower-case form.
 *
 * Data: the Unicode character database (tools/unicode.py). Classes follow the general category, with two choices of ours:
 *   SPACE  what Python's str.isspace says: ASCII 9-13, 28-32, and Unicode white space
 *   SOLO   letters of scripts that write no spaces between words (Han, kana, Thai, Lao, Khmer, Burmese): each is
 *          counted as a word of its own
 * Cost: two loads; the tables (about 100 KB) are filled at the first call above ASCII. Any thread. */
#ifndef QN_TEXT_UNICODE_H
#define QN_TEXT_UNICODE_H
#include "core/str.h"

typedef enum {
    QN_CP_OTHER, QN_CP_SPACE, QN_CP_LETTER, QN_CP_DIGIT, QN_CP_MARK, QN_CP_PUNCT, QN_CP_SYMBOL, QN_CP_SOLO
} qn_cp_kind;

extern const uint8_t qn_ascii_class[128];
qn_cp_kind qn_cp_class_wide(uint32_t cp);   /* cp >= 128 */
uint32_t   qn_cp_lower_wide(uint32_t cp);

static inline qn_cp_kind qn_cp_class(uint32_t cp) { return cp < 128 ? (qn_cp_kind)qn_ascii_class[cp] : qn_cp_class_wide(cp); }
/* One code point to one code point: U+0130 gives i, U+212A (Kelvin) gives k, sharp s stays. */
static inline uint32_t qn_cp_lower(uint32_t cp)
{
    return cp < 128 ? cp + (cp - 'A' < 26u ? 32 : 0) : qn_cp_lower_wide(cp);
}
static inline bool qn_cp_is_upper(uint32_t cp) { return qn_cp_lower(cp) != cp; }

/* Appends `s` in lower case. Invalid bytes become U+FFFD. */
void qn_fold(qn_str s, qn_buf *out);
#endif
