/* paged: one array that may grow past the memory given to it: first in memory, then in a temporary file that is looked at as if it were memory.
 *
 * The file is unlinked at birth. Its pages come and go with use; when more of them are in this process than the memory holds, all are let go (what
 * is in them stays in the file, and mostly in the system's cache). One thread at a time. */
#ifndef QN_CORE_PAGED_H
#define QN_CORE_PAGED_H
#include "core/err.h"

typedef struct qn_paged qn_paged;
/*   dir   folder for the file, made only when needed; NULL: $TMPDIR, else /tmp */
qn_paged *qn_paged_new(const char *dir, size_t memory_bytes);
void      qn_paged_free(qn_paged *p);           /* NULL is fine */
/* At least `bytes` long, *base is where it begins (it may move). Errors: QN_EIO: no room on disk. */
qn_code   qn_paged_grow(qn_paged *p, size_t bytes, void **base, qn_err *e);
size_t    qn_paged_on_disk(const qn_paged *p);  /* bytes of the file; 0: all in memory */
/* A place (of a few pages at most) was read or written: now and then it is looked how much of the file is in memory, and it is let go. */
void      qn_paged_touched(qn_paged *p);
#endif
