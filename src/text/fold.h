/* fold: words as they are looked up in lists: lower case, Latin letters without their marks. */
#ifndef QN_TEXT_FOLD_H
#define QN_TEXT_FOLD_H
#include "core/map.h"

/* Writes the folded form of `word` ("Szöllösy" -> "szollosy", "Straße" -> "strasse") and returns its length; letters beyond Latin stay
 * as they are, what does not fit is cut at a character. Cost: O(n), no allocation. */
size_t qn_fold(qn_str word, char *out, size_t size);
bool   qn_is_upper(uint32_t c);         /* Latin, Greek and Cyrillic capitals */
bool   qn_is_letter(uint32_t c);        /* any script; marks and symbols by block */

/* Adds every word of a text, or of a NULL-terminated list of texts, to a map, setting `flag` in its value. `split` is the character between words. */
void   qn_fold_words(qn_map *m, const char *words, char split, uint64_t flag);
void   qn_fold_list(qn_map *m, const char *const *list, char split, uint64_t flag);
#endif
