/* doc: building a document's text block by block; what all readers of documents share. */
#ifndef QN_IO_DOC_H
#define QN_IO_DOC_H
#include "io/format.h"

typedef struct qn_doc_b {
    qn_arena *a;
    qn_buf    text;             /* writers append to it between begin and end */
    qn_block *blocks;
    size_t    n, cap;
    bool      open, gap;        /* inside a block; a space is due before the next word */
    int       page;             /* for the blocks that begin from now on */
    size_t    src;              /* where in the source the next block begins; 0 unknown */
    qn_object_b meta;
    qn_str    title, licence, warning;
} qn_doc_b;

void qn_doc_init(qn_doc_b *b, qn_arena *a);
/* A block begins: an empty line before it, for a heading its # signs. An open one ends first. */
void qn_doc_begin(qn_doc_b *b, qn_block_kind kind, int level);
/* White space at its end goes; a block without text leaves no trace. */
void qn_doc_end(qn_doc_b *b);
/* Text with its white space folded to single spaces, also across calls. */
void qn_doc_words(qn_doc_b *b, qn_str s);
void qn_doc_raw(qn_doc_b *b, qn_str s);
/* A whole block. Code gets its fence here. */
void qn_doc_block(qn_doc_b *b, qn_block_kind kind, int level, qn_str text);
void qn_doc_code(qn_doc_b *b, qn_str language, qn_str text);
/* A table: cells by rows, ragged rows filled up; in each cell white space is folded and | escaped. The first row is the header. */
typedef struct qn_doc_row { qn_str *cells; size_t n; } qn_doc_row;
void qn_doc_table(qn_doc_b *b, const qn_doc_row *rows, size_t n_rows);
void qn_doc_meta(qn_doc_b *b, const char *name, qn_str value);      /* empty values are left out */
void qn_doc_warn(qn_doc_b *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));   /* the first ones are kept, joined by "; " */
/* Moves the text into the arena and frees the rest. The title: b->title, else the first heading of the smallest level. */
void qn_doc_finish(qn_doc_b *b, qn_doc *out);
void qn_doc_drop(qn_doc_b *b);                                      /* instead of finish, after an error */
/* SPDX-License-Identifier: X in the first lines of a text: X, else empty. */
qn_str qn_spdx_of(qn_str text);
#endif
