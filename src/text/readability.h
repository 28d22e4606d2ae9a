/* readability: how hard a text is to read, by the classical formulas.
 * Sources: Flesch 1948; Kincaid et al. 1975; Gunning 1952 (fog); Smith & Senter 1967 (ARI); Coleman & Liau 1975; Bjornsson 1968 (LIX).
 * All but ARI, Coleman-Liau and LIX count syllables, which is done by rules for English; those three hold for any language
 * with an alphabet and spaces. */
#ifndef QN_TEXT_READABILITY_H
#define QN_TEXT_READABILITY_H
#include "core/str.h"

typedef struct qn_readability {
    size_t n_words, n_sentences, n_letters, n_syllables, n_long_words, n_hard_words;  /* long: more than 6 letters; hard: 3 syllables or more */
    double flesch;          /* 100 easy .. 0 hard */
    double grade;           /* Flesch-Kincaid: years of school */
    double fog, ari, coleman_liau, lix;
} qn_readability;

/* All zeros and NaN scores when the text has no word. Cost: O(n), no allocation. */
void   qn_readability_of(qn_str text, qn_readability *out);
size_t qn_syllables(qn_str word);   /* English, by rules; at least 1 for a word with a letter */
#endif
