/* spill: bytes that may not fit in memory: appended once, read back by place.
 *
 * The first `memory_bytes` stay in memory; behind them a temporary file takes over, unlinked at birth, so nothing is left
 * behind whatever happens. Places are stable. One thread at a time. */
#ifndef QN_CORE_SPILL_H
#define QN_CORE_SPILL_H
#include "core/err.h"
#include "core/mem.h"

typedef struct qn_spill qn_spill;
/*   dir           folder for the file, made only when needed; NULL: $TMPDIR, else /tmp
 *   memory_bytes  kept in memory, at least 64 KiB */
qn_spill *qn_spill_new(const char *dir, size_t memory_bytes);
void      qn_spill_free(qn_spill *s);                   /* NULL is fine */
/* Appends; *at gets the place. Errors: QN_EIO (disk full, no such folder). */
qn_code   qn_spill_put(qn_spill *s, const void *p, size_t n, uint64_t *at, qn_err *e);
/* Reads n bytes from a place into out. Errors: QN_EIO; past the end is a bug. */
qn_code   qn_spill_get(qn_spill *s, uint64_t at, void *out, size_t n, qn_err *e);
/* Keeps no more than so much in memory from here on; what is above goes to the file. Places stay. Errors: QN_EIO, nothing changed. */
qn_code   qn_spill_shrink(qn_spill *s, size_t memory_bytes, qn_err *e);
uint64_t  qn_spill_bytes(const qn_spill *s);            /* appended so far */
uint64_t  qn_spill_on_disk(const qn_spill *s);          /* of these, written to the file */
#endif
