/* vecs: vectors for rows, one after the other: from an expression that gives a list of numbers (an embedding), or TF-IDF of a text. */
#ifndef QN_RECIPE_VECS_H
#define QN_RECIPE_VECS_H
#include "data/rowstore.h"
#include "recipe/expr.h"
#include "text/tfidf.h"

typedef struct qn_vecs qn_vecs;
/*   text, vector   exactly one of them */
qn_vecs   *qn_vecs_new(const qn_expr *text, const qn_expr *vector);
void       qn_vecs_free(qn_vecs *v);
qn_code    qn_vecs_add(qn_vecs *v, const qn_row *row, qn_arena *scratch, qn_err *e);   /* QN_EDATA: not a list of numbers, another length than before */
/* The same for a gather: the vector is taken, the row waits in `rows` (moves). QN_ELIMIT: the vectors take more than memory_bytes. */
qn_code    qn_vecs_keep(qn_vecs *v, qn_rowstore *rows, qn_row *row, size_t memory_bytes, qn_arena *scratch, qn_err *e);
/* All vectors at unit length; words in fewer than two rows do not count. Owned by v. */
const qn_vectors *qn_vecs_end(qn_vecs *v);
size_t     qn_vecs_bytes(const qn_vecs *v);
const qn_tfidf *qn_vecs_words(const qn_vecs *v);     /* NULL for embeddings */
#endif
