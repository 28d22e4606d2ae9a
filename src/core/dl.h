/* dl: opens a shared library when it is first needed, so that the program starts fast and says plainly what is missing. */
#ifndef QN_CORE_DL_H
#define QN_CORE_DL_H
#include "core/err.h"
#include <stdatomic.h>
typedef struct { const char *name; void **fn; } qn_sym;    /* fn: where the function's address goes */
/* Opens the first of `sonames` (NULL-terminated) that is there: first below $QUERN_DEPS or the program's ../deps, then the system's.
 *   syms      symbols to fill in, ends with {NULL, NULL}; a missing one is QN_EMISSING
 *   package   what to tell the user to install */
qn_code qn_dl(const char *const *sonames, const qn_sym *syms, const char *what_for, const char *package, qn_err *e);

/* A library opened at its first use, from any thread, once. `static qn_lib zip = { SONAMES, SYMS, "reading DOCX", "libarchive13 (Debian)" };` */
typedef struct qn_lib {
    const char *const *sonames;
    const qn_sym *syms;
    const char *what_for, *package;
    atomic_bool ready;
} qn_lib;
qn_code qn_lib_need(qn_lib *l, qn_err *e);
#endif
