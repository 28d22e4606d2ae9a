/* gopher: the measures as quotients of a page's counts. */
#include "text/gopher.h"

#define NONE INFINITY
const qn_measure QN_GOPHER_MEASURES[QN_GOPHER_N] = {
    { "words",               50,    100000, "words" },
    { "word_chars",          3,     10,     "mean characters of a word" },
    { "hash_ratio",          -NONE, 0.1,    "hash signs for each word" },
    { "ellipsis_ratio",      -NONE, 0.1,    "ellipses for each word" },
    { "bullet_lines",        -NONE, 0.9,    "share of lines that begin with a bullet" },
    { "ellipsis_lines",      -NONE, 0.3,    "share of lines that end in an ellipsis" },
    { "alpha_words",         0.8,   NONE,   "share of words with a letter" },
    { "stop_words",          2,     NONE,   "how many of the, be, to, of, and, that, have, with occur" },
    { "dup_lines",           -NONE, 0.30,   "share of lines equal to an earlier line" },
    { "dup_paragraphs",      -NONE, 0.30,   "share of paragraphs equal to an earlier one" },
    { "dup_line_chars",      -NONE, 0.20,   "share of characters in repeated lines" },
    { "dup_paragraph_chars", -NONE, 0.20,   "share of characters in repeated paragraphs" },
    { "top_2gram",           -NONE, 0.20,   "share of characters in the most frequent 2-gram" },
    { "top_3gram",           -NONE, 0.18,   "share of characters in the most frequent 3-gram" },
    { "top_4gram",           -NONE, 0.16,   "share of characters in the most frequent 4-gram" },
    { "dup_5gram",           -NONE, 0.15,   "share of characters in repeated 5-grams" },
    { "dup_6gram",           -NONE, 0.14,   "share of characters in repeated 6-grams" },
    { "dup_7gram",           -NONE, 0.13,   "share of characters in repeated 7-grams" },
    { "dup_8gram",           -NONE, 0.12,   "share of characters in repeated 8-grams" },
    { "dup_9gram",           -NONE, 0.11,   "share of characters in repeated 9-grams" },
    { "dup_10gram",          -NONE, 0.10,   "share of characters in repeated 10-grams" },
};

static double share(size_t part, size_t whole) { return whole ? (double)part / (double)whole : NAN; }

void qn_gopher(const qn_page *p, double out[QN_GOPHER_N])
{
    out[QN_GOPHER_WORDS] = (double)p->n_words;
    out[QN_GOPHER_WORD_CHARS] = share(p->word_chars, p->n_words);
    out[QN_GOPHER_HASHES] = share(p->n_hashes, p->n_tokens);
    out[QN_GOPHER_ELLIPSES] = share(p->n_ellipses, p->n_tokens);
    out[QN_GOPHER_BULLET_LINES] = share(p->bullet_lines, p->n_lines);
    out[QN_GOPHER_ELLIPSIS_LINES] = share(p->ellipsis_lines, p->n_lines);
    out[QN_GOPHER_ALPHA] = share(p->n_alpha_tokens, p->n_tokens);
    out[QN_GOPHER_STOP_WORDS] = (double)__builtin_popcount(p->stop_words);
    out[QN_GOPHER_DUP_LINES] = share(p->dup_lines, p->n_lines);
    out[QN_GOPHER_DUP_PARAGRAPHS] = share(p->dup_paragraphs, p->n_paragraphs);
    out[QN_GOPHER_DUP_LINE_CHARS] = share(p->dup_line_chars, p->n_chars);
    out[QN_GOPHER_DUP_PARAGRAPH_CHARS] = share(p->dup_paragraph_chars, p->n_chars);
    for (int n = QN_PAGE_TOP_MIN; n <= QN_PAGE_TOP_MAX; n++)
        out[QN_GOPHER_TOP_2GRAM + n - QN_PAGE_TOP_MIN] = share(p->top_chars[n], p->n_chars);
    for (int n = QN_PAGE_DUP_MIN; n <= QN_PAGE_DUP_MAX; n++)
        out[QN_GOPHER_DUP_5GRAM + n - QN_PAGE_DUP_MIN] = share(p->dup_chars[n], p->n_chars);
}
