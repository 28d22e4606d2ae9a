/* ledger: what was asked of the world and what it answered, in a SQLite file. Resuming is running again with replays.
 *
 * Promises: L1 a reply is committed before a row made from it leaves its step. L2 a request whose reply is recorded is not sent again.
 * L3 after kill -9 at any instant, resuming gives, for the same replies, the bytes of a run never interrupted. L4 every output row can be
 * traced. L5 an output file appears whole or not at all.
 *
 * Append-only tables `intent` and `reply` (index on the reply's key), WAL, synchronous=FULL, commits in groups, one writing thread of its own.
 * Bodies are zstd-compressed when that pays. A lock file names the owner: one writer at a time. Secrets never enter. */
#ifndef QN_LEDGER_LEDGER_H
#define QN_LEDGER_LEDGER_H
#include "core/hash.h"
#include "core/err.h"

typedef struct qn_ledger qn_ledger;

typedef struct qn_ledger_open_opts {
    bool fresh;             /* open a new epoch: replies of earlier ones are not used by this run, nor by the resumes that continue it */
    const char *recipe;     /* name and hash of the recipe, parameters, seed as JSON: written to the `run` table */
    const char *run_json;
} qn_ledger_open_opts;

/* Creates the file when absent; migrates an older schema; refuses a newer one, a file that is no ledger, and one in use ("held by process
 * 123 since ..., started as ..."). */
qn_code qn_ledger_open(qn_ledger **out, const char *path, const qn_ledger_open_opts *opts, qn_err *e);
/* Ends the writer after everything handed in is committed. */
qn_code qn_ledger_close(qn_ledger *l, qn_err *e);

typedef struct qn_intent {
    qn_hash128 key;
    const char *step;           /* copied */
    qn_hash128 row;             /* the row's path id */
    double worst_usd;
} qn_intent;

typedef struct qn_record {      /* one reply to record */
    qn_hash128 key;
    uint64_t intent;            /* number that the intent got */
    qn_str   body;              /* qn_reply_encode's bytes; copied */
    int64_t  prompt_tokens, completion_tokens;
    double   cost_usd;
    int      attempts;
} qn_record;

/* Acknowledgement, on the ledger's thread after the commit: `tag`s in the order handed in. ok false: the disk is full or broken
 * (the run must stop; `why` says). Must be quick. */
typedef void (*qn_ledger_ack)(void *arg, void *const *tags, size_t n, bool ok, const char *why);
void     qn_ledger_on_ack(qn_ledger *l, qn_ledger_ack fn, void *arg);

/* Hands an entry to the writer; returns at once (the queue is bounded by what the engine keeps in flight). Thread-safe. An intent's number
 * is given at once; a call may be sent only after its ack. */
uint64_t qn_ledger_intent(qn_ledger *l, const qn_intent *it, void *tag);
void     qn_ledger_record(qn_ledger *l, const qn_record *r, void *tag);
/* An intent whose request never left, or whose attempts all failed definitely (no cost): closes it, so it is not counted as in flight. */
void     qn_ledger_cancel(qn_ledger *l, uint64_t intent);

/* The recorded reply to a key in this epoch, appended to `body`; false when there is none. Any thread (its own read connections). */
bool     qn_ledger_find(qn_ledger *l, qn_hash128 key, qn_buf *body, int64_t *prompt_tokens, int64_t *completion_tokens, double *cost_usd);

typedef struct qn_ledger_facts {
    uint64_t n_replies;             /* recorded in this epoch, earlier runs included */
    double   spent_usd;             /* all that this ledger has spent, every epoch, replies recorded */
    uint64_t interrupted_in_flight; /* intents of earlier runs without a reply or a cancel: sent, end unknown */
    double   interrupted_worst_usd; /* their worst case, which counts against the budget until they are answered */
    int      epoch;
    bool     resumed;               /* the epoch has earlier runs */
} qn_ledger_facts;
void     qn_ledger_facts_get(qn_ledger *l, qn_ledger_facts *out);

/* People's decisions, searches and pages are effects as well: recorded under the same keys by the same calls. */
#endif
