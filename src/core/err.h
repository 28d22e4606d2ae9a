/* err: errors are returned, not printed. A function that can fail returns qn_code and takes `qn_err *e` last, which it
 * leaves alone on success. Three kinds stay apart: the user's mistake (position and hint), a bad row (a verdict), our own
 * bug (QN_ASSERT aborts). Secrets never enter a message. */
#ifndef QN_CORE_ERR_H
#define QN_CORE_ERR_H
#include "core/str.h"

typedef enum qn_code {
    QN_OK = 0,
    QN_EUSAGE,      /* a command line that makes no sense */
    QN_ERECIPE,     /* a recipe or a parameter that makes no sense */
    QN_EDATA,       /* bad bytes in a source or a row */
    QN_EIO,         /* a file, a disk, a pipe */
    QN_EMODEL,      /* an endpoint that cannot be reached or does not do what is asked */
    QN_ELIMIT,      /* a limit of size, depth, steps, time or memory */
    QN_EBUDGET,     /* the money is spent */
    QN_ELEDGER,     /* the ledger cannot be used */
    QN_EMISSING,    /* an optional library or program is not installed */
    QN_ESTOP        /* asked to stop (signal) */
} qn_code;

/* file and row borrowed; 0/NULL unknown; a file without a name is not shown. indent: of a text that begins here, columns that its further lines are moved in by. */
typedef struct qn_pos { const char *file; int line, col; const char *row; int indent; } qn_pos;

typedef struct qn_err {
    qn_code code;
    qn_pos  pos;        /* where in what the user gave us */
    char    msg[384];   /* what happened: one sentence, no newline */
    char    hint[256];  /* what to do about it; may be empty */
    char    trail[160]; /* the way it came: "run > step 3 judge" */
    const char *about;  /* a place inside a text of the user's: whoever knows where that text stands turns it into pos; else NULL */
} qn_err;

/* All return e->code so that `return qn_fail(...)` reads well. Newlines and control bytes in the message become spaces. */
qn_code qn_fail(qn_err *e, qn_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
qn_code qn_fail_at(qn_err *e, qn_code code, qn_pos pos, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void    qn_hint(qn_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));     /* after qn_fail */
void    qn_trail(qn_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));    /* puts a word in front */
/* Puts the position into the message and forgets what was borrowed: for errors that outlive the texts they speak of. */
void    qn_err_keep(qn_err *e);
void    qn_err_text(const qn_err *e, qn_buf *out);  /* "file:3:7: message (hint)" as people read it */
const char *qn_code_name(qn_code code);             /* "recipe", "io", ... for JSON */

#define QN_TRY(call) do { qn_code qn_try_ = (call); if (qn_try_ != QN_OK) return qn_try_; } while (0)
#define QN_TRY_OUT(call) do { rc = (call); if (rc != QN_OK) goto out; } while (0) /* needs `qn_code rc` and a label `out` */
#define QN_ASSERT(cond) do { if (!(cond)) qn_bug(#cond, __FILE__, __LINE__); } while (0)
_Noreturn void qn_bug(const char *what, const char *file, int line);

/* The word of `words` (n of them) nearest to `word` for "did you mean": edit distance with swaps, or NULL when none is near. */
const char *qn_nearest(qn_str word, const char *const *words, size_t n);
#endif
