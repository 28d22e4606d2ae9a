/* page: one pass over a text that counts what the quality heuristics of Gopher, FineWeb and their kin are made of.
 *
 * A *token* is a run of bytes between white space. A *word* is a token without the punctuation at its two ends, when
 * something is left; each Han, kana, Thai, Lao, Khmer or Myanmar character is a word of its own, as those scripts write no
 * spaces. A *line* is a line that is not blank, trimmed; a *paragraph* is a run of lines without a blank one between.
 * Characters are code points. (datatrove takes words from spaCy, which makes a token of each punctuation mark: its
 * ratios over words are a little smaller than these. bench/bench_gopher counts how often that changes a verdict.) */
#ifndef QN_TEXT_PAGE_H
#define QN_TEXT_PAGE_H
#include "core/str.h"

enum { QN_PAGE_TOP_MIN = 2, QN_PAGE_TOP_MAX = 4, QN_PAGE_DUP_MIN = 5, QN_PAGE_DUP_MAX = 10 };

typedef struct qn_page {
    /* what the last scan found */
    size_t n_chars, n_tokens, n_words;
    size_t word_chars;          /* characters of all words */
    size_t n_alpha_tokens;      /* tokens with a letter */
    size_t n_hashes, n_ellipses;/* "#"; "..." and U+2026 */
    size_t n_newlines, n_lines, n_paragraphs;
    size_t bullet_lines, ellipsis_lines, terminal_lines, short_lines;   /* short: at most 30 characters */
    size_t line_chars;          /* characters of all lines */
    size_t dup_lines, dup_line_chars, dup_paragraphs, dup_paragraph_chars;  /* second and later of equal ones */
    unsigned stop_words;        /* bit i: the i-th of the, be, to, of, and, that, have, with occurs */
    size_t top_chars[QN_PAGE_TOP_MAX + 1];  /* [n]: characters of the most frequent n-gram times its count; ties: the first */
    size_t dup_chars[QN_PAGE_DUP_MAX + 1];  /* [n]: characters in n-grams seen before, left to right, none counted twice */

    /* working memory, kept between scans */
    uint64_t *hash;             /* (n_words) of each word, case kept */
    uint32_t *end;              /* (n_words + 1) characters of all words before word i */
    uint64_t *table;            /* (n_slots) n-gram counts */
    uint32_t *slot;             /* (n_words) */
    uint32_t *spot[2];          /* (n_words) candidate positions of two levels */
    size_t words_cap;
    uint64_t *line_key;         /* (line_slots) */
    size_t line_cap;
    bool repeats;               /* whether the last scan measured n-grams */
} qn_page;

/* Zero-initialise: {0}. Counts everything above.
 *   repeats  also the n-gram measures (top_chars, dup_chars), a third of the cost
 * Texts beyond 2 GiB are measured up to there. Not thread-safe: one page per worker.
 * Cost: O(n) time; memory about 40 bytes a word of the longest text seen. */
void qn_page_scan(qn_page *p, qn_str text, bool repeats);
void qn_page_free(qn_page *p);

/* The n-gram measures as they are defined, by plain counting: O(words^2), for tests. */
void qn_page_repeats_ref(const qn_page *p, size_t top[QN_PAGE_TOP_MAX + 1], size_t dup[QN_PAGE_DUP_MAX + 1]);
#endif
