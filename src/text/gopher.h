/* gopher: the quality and repetition heuristics of MassiveText.
 * Source: Rae et al. 2021, "Scaling Language Models: Methods, Analysis & Insights from Training Gopher" (arXiv 2112.11446),
 * Appendix A.1.1: quality filtering, and Table A1 (repetition). The limits below are the paper's. */
#ifndef QN_TEXT_GOPHER_H
#define QN_TEXT_GOPHER_H
#include "text/limits.h"
#include "text/page.h"

enum {
    QN_GOPHER_WORDS,            /* words */
    QN_GOPHER_WORD_CHARS,       /* mean characters of a word */
    QN_GOPHER_HASHES,           /* "#" for each word */
    QN_GOPHER_ELLIPSES,         /* "..." or U+2026 for each word */
    QN_GOPHER_BULLET_LINES,     /* share of lines that begin with a bullet */
    QN_GOPHER_ELLIPSIS_LINES,   /* share of lines that end in an ellipsis */
    QN_GOPHER_ALPHA,            /* share of tokens with a letter */
    QN_GOPHER_STOP_WORDS,       /* how many of the, be, to, of, and, that, have, with occur */
    QN_GOPHER_N_QUALITY,
    QN_GOPHER_DUP_LINES = QN_GOPHER_N_QUALITY,  /* share of lines equal to an earlier one */
    QN_GOPHER_DUP_PARAGRAPHS,
    QN_GOPHER_DUP_LINE_CHARS,   /* share of characters in such lines */
    QN_GOPHER_DUP_PARAGRAPH_CHARS,
    QN_GOPHER_TOP_2GRAM,        /* share of characters in the most frequent n-gram */
    QN_GOPHER_TOP_3GRAM,
    QN_GOPHER_TOP_4GRAM,
    QN_GOPHER_DUP_5GRAM,        /* share of characters in n-grams that occurred before */
    QN_GOPHER_DUP_6GRAM,
    QN_GOPHER_DUP_7GRAM,
    QN_GOPHER_DUP_8GRAM,
    QN_GOPHER_DUP_9GRAM,
    QN_GOPHER_DUP_10GRAM,
    QN_GOPHER_N
};

extern const qn_measure QN_GOPHER_MEASURES[QN_GOPHER_N];    /* names and the paper's limits */

/* All measures of a scanned text (qn_page_scan with repeats). An empty text has 0 words and NaN where nothing can be measured. */
void qn_gopher(const qn_page *p, double out[QN_GOPHER_N]);
#endif
