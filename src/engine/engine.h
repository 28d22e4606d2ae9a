/* engine: runs a plan. A run that ends by itself is a pure function of sources, recipe, parameters, seed and recorded replies: the same bytes whatever
 * the number of workers, the order of replies or the interruptions. */
#ifndef QN_ENGINE_ENGINE_H
#define QN_ENGINE_ENGINE_H
#include "ledger/ledger.h"
#include "recipe/plan.h"

/* What happened to rows at one step. Reasons are counted in qn_run_result.reasons. */
typedef struct qn_step_tally { uint64_t in, out, rejected, failed; } qn_step_tally;

typedef struct qn_reason {
    int      step;
    bool     failed;            /* an error, not a verdict */
    char     text[160];         /* "support below 0.80", "HTTP 500 ..." */
    uint64_t n;
    char     example[33];       /* id of the first row it happened to */
} qn_reason;

typedef enum { QN_END_DONE, QN_END_TARGET, QN_END_BUDGET, QN_END_SIGNAL, QN_END_UNREACHABLE, QN_END_WAITING, QN_END_ERROR } qn_end;

typedef struct qn_run_result {
    qn_end   end;
    uint64_t in, accepted, rejected, failed, became, created, pending, ahead;
    qn_step_tally *steps;       /* (plan->n_steps); owned */
    qn_reason *reasons;         /* owned */
    size_t   n_reasons;
    uint64_t sent, replayed, calls_failed, retried;
    uint64_t collected;         /* replies out of batches that an earlier run sent */
    int64_t  prompt_tokens, completion_tokens;  /* of the replies used by this run */
    double   cost_usd;          /* paid by this run */
    double   cost_all_usd;      /* paid by this ledger, this run included */
    uint64_t interrupted_in_flight;
    double   interrupted_worst_usd;
    qn_licences licences;       /* of all that went into the accepted rows */
    double   seconds, cpu_seconds;
    size_t   peak_memory_bytes;
    char     stopped_why[400];  /* people's words for an end that is not DONE */
    uint64_t decided, undecided;    /* rows that went on with a decision of people, and without one, at the steps that ask them */
    bool     lacking;           /* a bound (rounds, patience) was reached before its target */
} qn_run_result;

typedef struct qn_progress {
    double   seconds;
    uint64_t rows_read, accepted, rejected, failed, in_flight, waiting, calls_done, replayed;
    double   cost_usd;
    uint64_t target;            /* rows wanted; 0 unknown */
    const char *paused_why;     /* an endpoint rests; NULL */
    const char *batches;        /* what is waited for in batch files, for people; NULL none */
    uint64_t in_batches;        /* requests there */
} qn_progress;

/* A row that ended, as its group commits: all borrowed for the call. */
typedef struct qn_ended { bool accepted, failed; const qn_row *row; qn_str step; const char *reason; } qn_ended;   /* reason "" when accepted */

typedef struct qn_run_opts {
    const char *out_dir;        /* NULL under `apply` */
    const char *ledger_path;    /* NULL: no ledger (a plan without effects) */
    bool     fresh;
    const char *student;        /* the model that the rows will train: sources whose licence forbids it stop the run; NULL: nobody said */
    const char *licence;        /* of sources that do not say; NULL none */
    int64_t  limit;             /* rows per source; -1 none */
    double   budget_usd;        /* < 0 none */
    size_t   memory_bytes;
    int      workers;
    int      in_flight;         /* requests handed to the gateway at once */
    bool     kept_bytes;        /* apply of a filter: kept rows leave as they came */
    const char *rejected_path;  /* apply: rejected and failed rows; NULL: nowhere. A run writes DIR/rejected.jsonl and DIR/failed.jsonl */
    const char *const *scripted;    /* tests and help: replies in the order asked, instead of any model; NULL-terminated. NULL: none */
    qn_buf  *scripted_asked;        /* with it: the first request's body is appended */
    struct qn_dry *dry;         /* `plan`: nobody is asked, nothing is rejected; NULL: a real run */
    const int *stop;            /* raised by a signal handler: 1 stop gently, 2 at once */
    void   (*progress)(void *arg, const qn_progress *p);    /* about ten times a second, on the engine's thread */
    void    *progress_arg;
    void   (*ended)(void *arg, const qn_ended *row);        /* each row that ended, in the order of the files, on the engine's thread; NULL: none */
    void    *ended_arg;
} qn_run_opts;

/* Runs to the end. Errors are those that stop a run (full disk, broken ledger, a source that cannot be read, our own loss account not adding up);
 * `out` is filled in either way. Release with qn_run_result_free. */
qn_code qn_run(const qn_plan *plan, const qn_run_opts *o, qn_run_result *out, qn_err *e);
void    qn_run_result_free(qn_run_result *r);
#endif
