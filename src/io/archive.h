/* archive: libarchive, opened when first needed: packed streams (bz2, xz) and the zip files that DOCX, XLSX and EPUB are. */
#ifndef QN_IO_ARCHIVE_H
#define QN_IO_ARCHIVE_H
#include "core/err.h"
#include "core/mem.h"

/* ---- one packed stream ---- */
typedef struct qn_unpack qn_unpack;
/* pull gives the next packed bytes, at most n, 0 at the end; borrowed until the next pull. */
qn_code qn_unpack_open(qn_unpack **u, qn_code (*pull)(void *arg, const void **p, size_t *n, qn_err *e), void *arg, qn_err *e);
qn_code qn_unpack_read(qn_unpack *u, void *p, size_t n, size_t *got, qn_err *e);   /* got 0 at the end */
void    qn_unpack_close(qn_unpack *u);

/* ---- a zip file in memory ---- */
/* Limits that a bomb runs into: entries, bytes of one entry, bytes of all. */
enum { QN_ZIP_ENTRIES = 20000 };
#define QN_ZIP_ENTRY_BYTES ((size_t)128 << 20)
#define QN_ZIP_BYTES       ((size_t)512 << 20)

typedef struct qn_zip_entry { qn_str name, bytes; bool loaded; } qn_zip_entry;
typedef struct qn_zip { qn_zip_entry *items; size_t n, cap; } qn_zip;  /* in the arena given */

/* Reads the entries that `want` says yes to (NULL: all) in one pass; the others keep their name only. Names are only compared, never opened
 * as files. Errors: QN_EDATA (no zip, damaged, encrypted), QN_ELIMIT (a bomb). */
qn_code qn_zip_read(qn_str bytes, bool (*want)(qn_str name), qn_arena *a, qn_zip *out, qn_err *e);
/* The bytes of an entry; false when it is not there. Case is ignored when no name is equal, "./" and leading "/" too. */
bool    qn_zip_get(const qn_zip *z, qn_str name, qn_str *bytes);
#endif
