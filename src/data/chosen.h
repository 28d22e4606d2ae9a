/* chosen: rows that wait until it is decided which of them are taken. They come back in their old order, each knowing what became of it.
 *
 * For gathers that choose (diverse, sample, balance): put all, mark those taken, give all back; `decide` then rejects the others. Rows wait in memory,
 * then on disk (data/rowstore.h). One thread at a time. */
#ifndef QN_DATA_CHOSEN_H
#define QN_DATA_CHOSEN_H
#include "data/rowstore.h"

typedef struct { qn_rowstore *rows; bool *taken; size_t at; } qn_chosen;        /* zeroed, then opened */
void    qn_chosen_open(qn_chosen *c, size_t memory_bytes);
void    qn_chosen_close(qn_chosen *c);
static inline qn_code qn_chosen_put(qn_chosen *c, qn_row *r, qn_err *e) { return qn_rowstore_put(c->rows, r, e); }     /* moves */
static inline size_t  qn_chosen_n(const qn_chosen *c) { return qn_rowstore_n(c->rows); }
bool   *qn_chosen_marks(qn_chosen *c);                                          /* (n), all false: set those that are taken. When all are in */
qn_code qn_chosen_next(qn_chosen *c, qn_row **out, size_t *index, qn_err *e);   /* owned; NULL at the end. index may be NULL */
static inline bool qn_chosen_was_taken(const qn_row *r) { return !qn_row_attached(r); }
#endif
