/* sandbox_parts: what the files of the sandbox share; nobody else includes it.
 *
 *   sandbox.c        chooses the way, starts a job, listens to it, ends it
 *   sandbox_bwrap.c  a box by bubblewrap
 *   sandbox_jail.c   a box by Landlock, a filter of system calls and limits
 *   sandbox_calls.c  the filter
 *   sandbox_watch.c  what all processes of a box hold together */
#ifndef QN_CORE_SANDBOX_PARTS_H
#define QN_CORE_SANDBOX_PARTS_H
#include "core/sandbox.h"
#include <linux/filter.h>
#include <sys/types.h>

/* A job that is ready to start: everything that needs memory is made before the fork. */
typedef struct qn_box {
    void (*enter)(const struct qn_box *b, const qn_sandbox_job *job);   /* in the child, with its pipes in place; async-signal-safe; never returns */
    void (*leave)(struct qn_box *b);                                    /* in the parent, when all processes are gone */
    int   folder;               /* descriptor of the folder on the disk that it writes to, or -1 */
    void *own;
} qn_box;
qn_code qn_box_bwrap(const qn_sandbox_job *job, qn_box *b, qn_err *e);
qn_code qn_box_jail(const qn_sandbox_job *job, qn_box *b, qn_err *e);
void    qn_box_sweep(void);     /* removes folders that were left below $TMPDIR by a quern that was killed */

/* System calls that a box refuses: those that reach out of it, that gain rights, or that hold memory nobody counts. */
enum {
    QN_CALLS_HOST = 1,          /* it lives among the host's processes: no network sockets, no session or process group of its own */
    QN_CALLS_OWNER = 2,         /* and as the user's own uid: modes, owners and times of files by path stay as they are */
    QN_CALLS_SIGNALS = 4        /* and no signals to other processes (where Landlock cannot keep them inside) */
};
enum { QN_CALLS_MAX = 384 };
unsigned short qn_calls_filter(unsigned flags, struct sock_filter out[QN_CALLS_MAX]);

/* What the descendants of process `pid`, and the groups they lead, hold: what it was killed for, or NULL while all is within limits. Reads /proc; `folder` or -1. */
const char *qn_box_look(pid_t pid, int folder, const qn_sandbox_job *job);
size_t qn_tasks_of_user(uid_t uid);     /* threads that run as this user */
#endif
