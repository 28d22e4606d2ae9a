/* small_words: English words that say nothing about a subject: articles, pronouns, auxiliaries, question words. */
#ifndef QN_TEXT_SMALL_WORDS_H
#define QN_TEXT_SMALL_WORDS_H
#include "core/str.h"
bool qn_is_small_word(qn_str word);     /* in any case */
#endif
