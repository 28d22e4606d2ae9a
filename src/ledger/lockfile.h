/* lockfile: one owner at a time, named so that people know whom to wait for.
 *
 * The kernel's flock decides; the file's text (process, host, start time, command) is for people, and for the one case that the kernel
 * gets wrong: an owner killed while a child that inherited its descriptor lives on. Such a lock is taken over. */
#ifndef QN_LEDGER_LOCKFILE_H
#define QN_LEDGER_LOCKFILE_H
#include "core/err.h"

typedef struct { int fd; char *path; } qn_lockfile;

/* Errors: QN_ELEDGER "PATH is held by process 123 since ..., started as ...", or the folder cannot be written. `what` names the thing. */
qn_code qn_lockfile_take(qn_lockfile *lf, const char *path, const char *what, qn_err *e);
void    qn_lockfile_release(qn_lockfile *lf);   /* removes the file */
#endif
