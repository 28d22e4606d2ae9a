/* lookup: words as they are looked up in lists: lower case, Latin letters without their marks; and maps of such lists. */
#ifndef QN_TEXT_LOOKUP_H
#define QN_TEXT_LOOKUP_H
#include "core/map.h"
#include "text/unicode.h"

/* Writes the folded form of `word` ("Szöllösy" -> "szollosy", "Straße" -> "strasse") and returns its length; letters beyond Latin stay
 * as they are, what does not fit is cut at a character. Cost: O(n), no allocation. */
size_t qn_lookup_form(qn_str word, char *out, size_t size);
static inline bool qn_cp_is_letter(uint32_t cp) { qn_cp_kind k = qn_cp_class(cp); return k == QN_CP_LETTER || k == QN_CP_SOLO; }

/* Adds every word of a text, or of a NULL-terminated list of texts, to a map, setting `flag` in its value. `split` is the character between words. */
void   qn_lookup_words(qn_map *m, const char *words, char split, uint64_t flag);
void   qn_lookup_list(qn_map *m, const char *const *list, char split, uint64_t flag);
#endif
