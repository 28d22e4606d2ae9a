/* words: what a word is, and walking over the words of a text.
 *
 * Three kinds, because published measures disagree:
 *   QN_WORDS_SPACED  what lies between white space, punctuation included: "Don't", "end.", as Python's str.split gives;
 *                    but each letter of a script that writes no spaces (QN_CP_SOLO) is a word of its own, with its marks
 *   QN_WORDS_PLAIN   runs of letters, digits, marks and '_'. An apostrophe (' or U+2019) between letters and a '.' or ','
 *                    between digits belong to the word: "don't", "3.14", "1,000". Punctuation and symbols are no words.
 *                    Solo letters as above.
 *   QN_WORDS_ROUGE   runs of [a-z0-9] after lower-casing, all else separates: the rouge-score package without its stemmer.
 *                    Texts in other alphabets have no words of this kind.
 * A word is given as it stands in the text (borrowed from it); fold it with qn_fold, or compare by qn_word_hash.
 * Bytes that are not UTF-8 count as characters of class OTHER: part of a spaced word, no part of the others.
 * Cost: ASCII about 1 ns a byte, other scripts 3 to 5. Errors: none. */
#ifndef QN_TEXT_WORDS_H
#define QN_TEXT_WORDS_H
#include "text/unicode.h"

typedef enum { QN_WORDS_SPACED, QN_WORDS_PLAIN, QN_WORDS_ROUGE } qn_words_kind;

typedef struct { qn_str text; size_t at; qn_words_kind kind; } qn_words;
static inline qn_words qn_words_of(qn_str text, qn_words_kind kind) { return (qn_words){ text, 0, kind }; }
bool   qn_words_next(qn_words *w, qn_str *word);    /* false at the end */
size_t qn_words_count(qn_str text, qn_words_kind kind);

/* Hash of a word, equal for words that are equal in lower case (fold) or byte for byte (not fold).
 *   word   at most 4 GiB. Well mixed in all 64 bits; the same on every machine of little byte order. */
uint64_t qn_word_hash(qn_str word, bool fold);

/* Hashes of all words of a text, in order, into a list that is emptied first. Zero-initialise: {0}. Release with
 * qn_hashes_free. The memory is kept from call to call. */
typedef struct { uint64_t *v; size_t n, cap; } qn_hashes;
void qn_words_hash(qn_str text, qn_words_kind kind, bool fold, qn_hashes *out);
void qn_hashes_free(qn_hashes *h);
/* The same by one path; the best that this machine has is what qn_words_hash takes. The last two know QN_WORDS_SPACED alone. */
typedef enum { QN_WORDS_ONE_BY_ONE, QN_WORDS_SSE2, QN_WORDS_AVX512 } qn_words_path;
qn_words_path qn_words_best(void);
void qn_words_hash_by(qn_words_path path, qn_str text, qn_words_kind kind, bool fold, qn_hashes *out);     /* path <= the best */

/* Share of `text`'s words (QN_WORDS_PLAIN, in lower case, each occurrence counted as often as `source` has it) that occur in
 * `source`: 0..1; 0 when `text` has no words.
 * Source: word-overlap precision of the SQuAD scorer (Rajpurkar et al. 2016), with the passage as the reference. */
double qn_words_share(qn_str text, qn_str source);

/* A text in one plain form, for comparing: its words of `kind` in lower case (fold), joined by single spaces. Appended. */
void qn_words_plain(qn_str text, qn_words_kind kind, bool fold, qn_buf *out);
#endif
