/* sentences: where a sentence ends.
 *
 * A sentence ends at '.', '!', '?', an ellipsis or a full stop of another script (。！？｡ । ॥ ۔ ؟ ። ။ ...), with the closing
 * quotes and brackets behind it, when white space or the text's end follows (a stop that is full-width needs no space), and
 * at an empty line. A '.' does not end a sentence
 *   - inside a number ("3.14"), a domain or a file name ("a.b"): no space follows
 *   - behind a known abbreviation ("Dr.", "e.g.", "No. 5"), a single capital ("J. S. Bach") or letters with points ("U.S.")
 *     unless, for those that often end sentences ("etc.", "Inc.", "U.S.", "p.m."), a capital follows
 *   - when the next word begins with a small letter
 *   - behind a number that opens the sentence ("1. Turn it on"): a list's mark
 * Sentences are given trimmed and without gaps in meaning: every character that is not white space is in exactly one.
 * Rules, no model: English abbreviations, other languages by the general rules. Cost: about 3 ns a byte. */
#ifndef QN_TEXT_SENTENCES_H
#define QN_TEXT_SENTENCES_H
#include "core/str.h"

typedef struct { qn_str text; size_t at; } qn_sentences;
static inline qn_sentences qn_sentences_of(qn_str text) { return (qn_sentences){ text, 0 }; }
bool   qn_sentences_next(qn_sentences *s, qn_str *sentence);    /* borrowed from the text; false at the end */
size_t qn_sentences_count(qn_str text);
#endif
