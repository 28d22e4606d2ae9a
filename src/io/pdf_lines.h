/* pdf_lines: the text lines of a PDF's pages, with their place and size, as PDFium gives them; and what they are together. */
#ifndef QN_IO_PDF_LINES_H
#define QN_IO_PDF_LINES_H
#include "io/doc.h"

typedef struct qn_pdf_line {
    qn_str text;                /* ends without its hyphen when `hyphen`; in the arena */
    float  x0, x1, top, bottom; /* points, y grows upwards */
    float  size;                /* height of the line's font, points; 0 unknown */
    int    page;                /* 1.. */
    bool   hyphen;              /* a word was cut at its end */
    bool   mono;                /* in letters of one width, from its first to its last */
    bool   drop;                /* a running head, a page number */
    size_t *cells;              /* bytes in text where a wide gap was: the begins of cells 2.. */
    float  *cell_x;             /* (n_cells) left edges of all cells */
    size_t n_cells;             /* 1 + gaps */
} qn_pdf_line;

typedef struct qn_pdf_lines { qn_arena *a; qn_pdf_line *v; size_t n, cap; int n_pages, n_scanned; size_t n_unmapped, n_chars; qn_buf scanned; } qn_pdf_lines;

/* Appends the lines as blocks: headings by font size, code by letters of one width, tables where lines have gaps one below the other, paragraphs else; words cut at line ends are
 * joined, running heads and feet left out. */
void qn_pdf_blocks(qn_pdf_lines *l, qn_doc_b *b);
#endif
