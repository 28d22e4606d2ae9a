/* numbers: which row of the input an id is: for `apply`, whose output shows no ids.
 *
 * The ids of source rows are kept in their order, 16 bytes each, on disk behind the first megabyte. When the run is over, the file of rejected rows is
 * written again with `_of_row`, the number of the row that `_of` names, behind `_of`. Numbers count rows of the input from 1, rows that
 * could not be read included: in a file of JSON lines without empty lines they are the lines.
 * Cost: nothing is read again unless a rejection named another row. Memory: 32 bytes for each row that is named. */
#ifndef QN_ENGINE_NUMBERS_H
#define QN_ENGINE_NUMBERS_H
#include "core/hash.h"
#include "core/spill.h"

typedef struct qn_numbers qn_numbers;
qn_numbers *qn_numbers_new(void);               /* owned: qn_numbers_free */
void    qn_numbers_free(qn_numbers *n);         /* NULL is fine */
/* The next row of the input; {0,0} for one that could not be read. One thread at a time. Returns its number. */
qn_code qn_numbers_add(qn_numbers *n, qn_hash128 id, uint64_t *number, qn_err *e);
void    qn_numbers_named(qn_numbers *n);        /* a rejection names another row; any thread */
/* Errors: QN_EIO; the file is then as it was. */
qn_code qn_numbers_fill(qn_numbers *n, const char *rejected_path, qn_err *e);
#endif
