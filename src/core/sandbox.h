/* sandbox: runs a program that is not trusted: without network, without the host's files, within limits of time, memory, processes, disk and
 * output. The files it may read are those below /usr and what is given to it; it may write below its folder and $TMPDIR, which end with it.
 *
 * Two ways, chosen once when the first program is run, and said in the log:
 *   bubblewrap   bwrap makes namespaces: the program is nobody, alone in a world of /usr (read-only), an empty /tmp and /work
 *   landlock     where bwrap is missing or may make no namespaces (a container, a chroot): Landlock, a filter of system calls and limits around
 *                a process in the host's world. Started by root it runs as a user of its own. It differs from bubblewrap in this: names and sizes
 *                of files elsewhere can be asked for (not their contents), the folder lies on the disk (below $TMPDIR, watched and removed),
 *                programs can start no session or process group of their own
 * Where neither is possible nothing is run and the error says so. QUERN_SANDBOX=bubblewrap or =landlock in the environment chooses.
 *
 * Limits of a process are set in the child (setrlimit); time, and memory, processes and disk of all its processes together, are kept from
 * outside: when one is passed all of them are killed. */
#ifndef QN_CORE_SANDBOX_H
#define QN_CORE_SANDBOX_H
#include "core/err.h"

typedef struct qn_sandbox_file { const char *name; qn_str bytes; } qn_sandbox_file;    /* appears in the current folder, read-only; NAME is plain: no slashes */

typedef struct qn_sandbox_job {
    const char *const *argv;            /* NULL-terminated; found in /usr/local/bin, /usr/bin and /bin */
    qn_str   input;                     /* standard input */
    const qn_sandbox_file *files;
    size_t   n_files;
    int64_t  time_ms;                   /* wall clock; also of processor time, rounded up to seconds */
    int64_t  memory_bytes;              /* address space of each process, and what all together hold resident */
    bool     reserves;                  /* the program reserves far more addresses than it uses (node): its data is limited, not its addresses */
    int      max_processes;             /* threads count */
    int64_t  disk_bytes;                /* what it may write, in one file and in all */
    size_t   max_output_bytes;          /* of standard output and of standard error, each; what is more is dropped and told */
} qn_sandbox_job;
#define QN_SANDBOX_JOB ((qn_sandbox_job){ .time_ms = 5000, .memory_bytes = (int64_t)512 << 20, .max_processes = 32, .disk_bytes = (int64_t)64 << 20, .max_output_bytes = 1 << 20 })

typedef struct qn_sandbox_result {
    int    exit_code;                   /* -1 when it was ended by a signal */
    int    signal;                      /* 0 none */
    bool   timed_out, output_cut;
    const char *stopped;                /* NULL, or what it was killed for: "out of time", "out of memory", "out of disk", "too many processes" */
    int64_t ms;
    qn_buf out, err;                    /* owned: qn_sandbox_result_free */
} qn_sandbox_result;

/* Whether a sandbox can be made here: QN_EMISSING with what is wrong and what to do. Tried once. */
qn_code qn_sandbox_ready(qn_err *e);
const char *qn_sandbox_kind(void);      /* "bubblewrap", "landlock", or "none"; tries when nobody has */
/* Errors: QN_EMISSING (no sandbox), QN_EIO. A program that fails, is killed or runs out of time is no error: see the result. Any thread. */
qn_code qn_sandbox_run(const qn_sandbox_job *job, qn_sandbox_result *out, qn_err *e);
void    qn_sandbox_result_free(qn_sandbox_result *r);
#endif
