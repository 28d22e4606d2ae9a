/* block: the parts that a document's text is made of. Readers of documents (io/) find them, the chunker (text/chunk.h) cuts between them. */
#ifndef QN_TEXT_BLOCK_H
#define QN_TEXT_BLOCK_H
#include "core/str.h"

typedef enum { QN_BLOCK_HEADING, QN_BLOCK_PARA, QN_BLOCK_LIST, QN_BLOCK_TABLE, QN_BLOCK_CODE, QN_BLOCK_QUOTE } qn_block_kind;
typedef struct qn_block {
    qn_block_kind kind;
    int      level;             /* of a heading, 1..6 */
    size_t   start, end;        /* bytes in the document's text */
    size_t   src_start, src_end;/* bytes in the file, where the format has them; both 0 else */
    int      page;              /* 1.. where the format has pages; 0 else */
} qn_block;
#endif
