/* small_words: English words that say nothing about a subject: articles, pronouns, auxiliaries, question words. */
#ifndef QN_TEXT_SMALL_WORDS_H
#define QN_TEXT_SMALL_WORDS_H
#include "core/str.h"
bool qn_is_small_word(qn_str word);     /* in any case */
/* Those, and further words that name no subject: what a topic is not called by. Not for judging whether two texts say the same: "cannot" is one. */
bool qn_is_light_word(qn_str w);
#endif
