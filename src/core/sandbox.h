/* sandbox: runs a program that is not trusted: as nobody, without network, without the host's files, within limits of time, memory, processes
 * and output. The files it sees are /usr (read-only), an empty /tmp and what is given to it.
 *
 * By bubblewrap (bwrap), which must be installed and allowed to make namespaces; where it is not, nothing is run and the error says so. Limits of
 * memory, processes and file size are set in the child (setrlimit), time is kept from outside: the whole process group is killed. */
#ifndef QN_CORE_SANDBOX_H
#define QN_CORE_SANDBOX_H
#include "core/err.h"

typedef struct qn_sandbox_file { const char *name; qn_str bytes; } qn_sandbox_file;    /* appears as /work/NAME, read-only; NAME is plain: no slashes */

typedef struct qn_sandbox_job {
    const char *const *argv;            /* NULL-terminated; found in /usr/bin and /bin */
    qn_str   input;                     /* standard input */
    const qn_sandbox_file *files;
    size_t   n_files;
    int64_t  time_ms;                   /* wall clock; also of processor time, rounded up to seconds */
    int64_t  memory_bytes;              /* address space of each process */
    int      max_processes;
    size_t   max_output_bytes;          /* of standard output and of standard error, each; what is more is dropped and told */
} qn_sandbox_job;
#define QN_SANDBOX_JOB ((qn_sandbox_job){ .time_ms = 5000, .memory_bytes = (int64_t)512 << 20, .max_processes = 32, .max_output_bytes = 1 << 20 })

typedef struct qn_sandbox_result {
    int    exit_code;                   /* -1 when it was ended by a signal */
    int    signal;                      /* 0 none */
    bool   timed_out, output_cut;
    int64_t ms;
    qn_buf out, err;                    /* owned: qn_sandbox_result_free */
} qn_sandbox_result;

/* Whether a sandbox can be made here: QN_EMISSING with what is wrong and what to do. Tried once. */
qn_code qn_sandbox_ready(qn_err *e);
/* Errors: QN_EMISSING (no sandbox), QN_EIO. A program that fails, is killed or runs out of time is no error: see the result. Any thread. */
qn_code qn_sandbox_run(const qn_sandbox_job *job, qn_sandbox_result *out, qn_err *e);
void    qn_sandbox_result_free(qn_sandbox_result *r);
#endif
