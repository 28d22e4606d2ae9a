/* fineweb: the measures as quotients of a page's counts. */
#include "text/fineweb.h"

const qn_measure QN_FINEWEB_MEASURES[QN_FINEWEB_N] = {
    { "terminal_lines", 0.12,      INFINITY, "share of lines that end in a sentence mark" },
    { "short_lines",    -INFINITY, 0.67,     "share of lines of at most 30 characters" },
    { "dup_line_chars", -INFINITY, 0.01,     "share of characters in lines equal to an earlier one" },
    { "newline_ratio",  -INFINITY, 0.3,      "new lines for each word" },
};

static double share(size_t part, size_t whole) { return whole ? (double)part / (double)whole : NAN; }

void qn_fineweb(const qn_page *p, double out[QN_FINEWEB_N])
{
    out[QN_FINEWEB_TERMINAL_LINES] = share(p->terminal_lines, p->n_lines);
    out[QN_FINEWEB_SHORT_LINES] = share(p->short_lines, p->n_lines);
    out[QN_FINEWEB_DUP_LINE_CHARS] = share(p->dup_line_chars, p->n_chars - p->n_newlines);
    out[QN_FINEWEB_NEWLINES] = share(p->n_newlines, p->n_words);
}
