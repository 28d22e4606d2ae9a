/* chunk: cuts a document's text into pieces of a wanted size.
 *
 * A piece is a slice of the text, so its place is known to the byte. It is cut between sentences at the finest, and never inside a table or a
 * block of code, however large; a heading stays with what follows it. Sizes are in tokens: those of the counter given, or qn_tokens_about.
 * Where a text gives the choice, a cut before a heading is taken first, then one between paragraphs, then one between sentences. */
#ifndef QN_TEXT_CHUNK_H
#define QN_TEXT_CHUNK_H
#include "core/mem.h"
#include "core/rng.h"
#include "text/block.h"

typedef enum {
    QN_CHUNK_HEADING,       /* a section is a piece; small ones are put together, large ones cut between paragraphs */
    QN_CHUNK_PARAGRAPH,     /* filled up between paragraphs */
    QN_CHUNK_SENTENCE       /* filled up between sentences */
} qn_chunk_by;

typedef struct qn_chunk_opts {
    qn_chunk_by by;
    size_t  min_tokens, max_tokens;     /* 1 <= min <= max. Smaller only when the whole text is, larger only for a table, code or one long word */
    size_t  overlap_tokens;             /* the end of a piece comes again at the begin of the next, whole sentences, at most this much; < max */
    qn_rng *draw;                       /* NULL: pieces are filled up to max; else each one's size is drawn from min..max */
    size_t (*count)(void *arg, qn_str text);    /* NULL: qn_tokens_about */
    void   *arg;
} qn_chunk_opts;

typedef struct qn_chunk {
    size_t start, end;                  /* bytes in the text */
    size_t src_start, src_end;          /* bytes in the file, where the blocks know; both 0 else */
    int    page, page_end;              /* first and last page; 0 else */
    size_t n_tokens;
    qn_str heading;                     /* "Guide > Install > Linux": the headings in force where it begins; in the arena */
} qn_chunk;

/* Cuts. blocks: of the text, in order; n_blocks 0: found by qn_blocks_find. The chunks are in the arena. Returns how many; 0 only for a text
 * without anything but white space. Cost: linear. */
size_t qn_chunk_text(qn_str text, const qn_block *blocks, size_t n_blocks, const qn_chunk_opts *o, qn_arena *a, qn_chunk **out);

/* Blocks of a Markdown-like text that nobody has taken apart: # headings, ``` fences, | tables, lists, quotes, paragraphs. */
size_t qn_blocks_find(qn_str text, qn_arena *a, qn_block **out);

/* About how many tokens a byte-level BPE of 100,000 pieces makes of a text: letters by word length, digits in threes, marks one each, a letter of
 * a script without spaces one each. For sizes and budgets, not for bills: within some 15% on English prose. */
size_t qn_tokens_about(qn_str text);
#endif
