/* langid: which language a text is in.
 *
 * Two witnesses: cld2 (Dick Sites 2013; a naive Bayes classifier over letter quadgrams, opened at run time when it is installed), strong
 * on paragraphs, and our own reading of scripts, function words and letters (lists/languages.c), strong on short questions. The
 * scores are added; without cld2 the second speaks alone for the languages it lists. */
#ifndef QN_TEXT_LANGID_H
#define QN_TEXT_LANGID_H
#include "core/err.h"

typedef struct qn_lang {
    char   code[8];     /* ISO 639-1 ("en"), or 639-2 where there is no shorter; "und" when nothing can be said */
    double confidence;  /* 0..1: its lead over the next language; 1 for a script of one language */
    double share;       /* share of letters written in its script */
    bool   by_cld2;     /* cld2 was asked */
} qn_lang;

/* Any thread. Cost: about 1 us for 100 bytes, of which cld2 takes most; texts are read up to 64 KiB. */
qn_lang qn_langid(qn_str text);

/* The two witnesses alone, for tests and measurements. */
qn_lang qn_langid_words(qn_str text);
/* QN_EMISSING when cld2 is not installed; "und" when it cannot say. reliable may be NULL. */
qn_code qn_langid_cld2(qn_str text, qn_lang *out, bool *reliable, qn_err *e);
#endif
