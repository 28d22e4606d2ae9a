/* rowstore: rows that wait for the last one to come: in memory up to a limit, then in a temporary file.
 *
 * A row that went through the file comes back with its id, its source, its JSON and the origins of all its layers; its layers
 * themselves are gone (it is a base row now). Indices are stable: 0, 1, 2 ... in order of putting. One thread at a time. */
#ifndef QN_DATA_ROWSTORE_H
#define QN_DATA_ROWSTORE_H
#include "data/row.h"

typedef struct qn_rowstore qn_rowstore;
qn_rowstore *qn_rowstore_new(size_t memory_bytes, const char *dir);     /* dir NULL: $TMPDIR */
void    qn_rowstore_free(qn_rowstore *s);                               /* drops what was not taken */
qn_code qn_rowstore_put(qn_rowstore *s, qn_row *r, qn_err *e);          /* moves, whatever it returns. Errors: QN_EIO */
size_t  qn_rowstore_n(const qn_rowstore *s);
qn_code qn_rowstore_take(qn_rowstore *s, size_t i, qn_row **out, qn_err *e);    /* owned; each index once */
/* Looks at a row without taking it; release with qn_row_drop. */
qn_code qn_rowstore_look(qn_rowstore *s, size_t i, qn_row **out, qn_err *e);
#endif
