/* ledger: what was asked of the world and what it answered, in a SQLite file. Resuming is running again with replays.
 *
 * Promises: L1 a reply is committed before a row made from it leaves its step. L2 a request whose reply is recorded is not sent again.
 * L3 after kill -9 at any instant, resuming gives, for the same replies, the bytes of a run never interrupted. L4 every output row can be
 * traced. L5 an output file appears whole or not at all.
 *
 * Append-only tables `intent` and `reply` (schema.h), WAL, synchronous=FULL, commits in groups, one writing thread of its own. Bodies are
 * zstd-compressed when that pays, and carry a checksum. A lock file names the owner: one writer at a time. Secrets never enter.
 *
 * The life of an effect:   qn_ledger_intent -> ack -> send -> qn_ledger_record -> ack -> the row goes on
 *                                                 \-> failed for good -> qn_ledger_cancel
 * An intent that got neither a reply nor a cancel when its process ended is *lost*: sent, end unknown. It is counted and named. */
#ifndef QN_LEDGER_LEDGER_H
#define QN_LEDGER_LEDGER_H
#include "core/hash.h"
#include "core/err.h"

typedef struct qn_ledger qn_ledger;

typedef struct qn_ledger_open_opts {
    bool fresh;             /* open a new epoch: replies of earlier ones are not used by this run, nor by the resumes that continue it */
    const char *recipe;     /* name of the recipe; NULL unknown */
    const char *run_json;   /* hash of the recipe, parameters, seed as JSON: written to the `run` table; NULL none */
} qn_ledger_open_opts;

/* Creates the file when absent; migrates an older schema; refuses, as QN_ELEDGER with clear words, a newer one, a file that is no ledger,
 * a damaged one, a folder that cannot be written, and one in use ("held by process 123 since ..., started as ..."). opts NULL: defaults.
 * Cost: about 10 ms; after a kill, the effects behind the last mark (two seconds' worth) are looked at: 5 us each. */
qn_code qn_ledger_open(qn_ledger **out, const char *path, const qn_ledger_open_opts *opts, qn_err *e);
/* Ends the writer after everything handed in is committed and acknowledged; frees l. Errors: QN_ELEDGER when something could not be. */
qn_code qn_ledger_close(qn_ledger *l, qn_err *e);

typedef struct qn_intent {
    qn_hash128 key;
    const char *step;           /* copied */
    qn_hash128 row;             /* the row's path id */
    double worst_usd;
    qn_str request;             /* the request's body, so that `quern trace` and the report can show the prompt; copied; may be empty */
    uint64_t *number;           /* gets the intent's number before the writer has the entry: whoever hears its ack may read it there; NULL: only returned */
} qn_intent;

typedef struct qn_record {      /* one reply to record */
    qn_hash128 key;
    uint64_t intent;            /* number that the intent got; 0: there was none (a decision, a page that costs nothing) */
    qn_str   body;              /* qn_reply_encode's bytes; copied */
    int64_t  prompt_tokens, completion_tokens;
    double   cost_usd;
    int      attempts;
} qn_record;

/* Acknowledgement, on the ledger's thread after the commit: `tag`s in the order handed in. ok false: the disk is full or broken
 * (the run must stop; `why` says, in words for people); from then on every ack is false. Must be quick; may hand in more. */
typedef void (*qn_ledger_ack)(void *arg, void *const *tags, size_t n, bool ok, const char *why);
void     qn_ledger_on_ack(qn_ledger *l, qn_ledger_ack fn, void *arg);   /* before the first entry */

/* Hands an entry to the writer; returns at once (the queue is bounded by what the engine keeps in flight). Thread-safe. An intent's number
 * (1, 2, ...) is given at once; a call may be sent only after its ack. Handing in after qn_ledger_close began is a bug. */
uint64_t qn_ledger_intent(qn_ledger *l, const qn_intent *it, void *tag);
void     qn_ledger_record(qn_ledger *l, const qn_record *r, void *tag);
/* An intent whose request never left, or whose attempts all failed definitely (no cost): closes it, so it is not counted as in flight. */
void     qn_ledger_cancel(qn_ledger *l, uint64_t intent);

/* The recorded reply to a key in this epoch, appended to `body`; false when there is none. Any thread (a read connection for each at work).
 * A key has one reply in an epoch: the first that was handed in as an intent. So of two equal requests at once, send one (or L3 breaks).
 * A damaged record counts as none, but breaks the ledger: the next ack is false, so that it is not paid for again in silence.
 * Cost: 0.1 us for a key never recorded (while the filter holds: 2 M replies), 6 us for a hit. The numbers may be NULL. */
bool     qn_ledger_find(qn_ledger *l, qn_hash128 key, qn_buf *body, int64_t *prompt_tokens, int64_t *completion_tokens, double *cost_usd);

typedef struct qn_ledger_facts {        /* as of the last commit */
    uint64_t n_replies;             /* recorded in this epoch, earlier runs included */
    double   spent_usd;             /* all that this ledger has spent, every epoch, replies recorded */
    uint64_t interrupted_in_flight; /* lost intents of earlier runs of this epoch whose key has no reply yet, as found at open */
    double   interrupted_worst_usd; /* worst case of every lost intent of any run. Still counted when the key was answered later by another
                                     * request: the endpoint may have charged for both */
    uint64_t in_batches;            /* intents in batches of earlier runs that had not ended at open, this epoch */
    double   in_batches_usd;        /* worst case of those, of any epoch */
    int      epoch;                 /* 1, 2, ... */
    bool     resumed;               /* the epoch has earlier runs */
} qn_ledger_facts;
void     qn_ledger_facts_get(qn_ledger *l, qn_ledger_facts *out);

/* Names what was in flight at kills of earlier runs (this epoch, not answered since): at most `max`; returns how many there are. */
typedef struct qn_ledger_lost { uint64_t intent; char step[64]; qn_hash128 row, key; double worst_usd; } qn_ledger_lost;
size_t   qn_ledger_lost_list(qn_ledger *l, qn_ledger_lost *out, size_t max);

/* ---- batches ---- requests that travel in one file and outlive their process: an intent in a batch that has not ended is not lost when the
 * process ends; the next run waits for the same batch (model/batch.h). These wait for their commit and answer false when the ledger is broken.
 *
 *   new (nothing has left) -> uploaded (a batch may have been started) -> started (it was) -> ended
 * A batch found at open in its first state never left: its intents are cancelled then. */
bool qn_ledger_batch_new(qn_ledger *l, const char *model, const uint64_t *intents, size_t n, uint64_t *id);
bool qn_ledger_batch_uploaded(qn_ledger *l, uint64_t id, const char *file);
bool qn_ledger_batch_started(qn_ledger *l, uint64_t id, const char *remote);
/* gone: nobody can say what became of its requests: those without an answer are lost, and stay counted at their worst case. */
bool qn_ledger_batch_ended(qn_ledger *l, uint64_t id, bool gone);

typedef struct qn_ledger_item { qn_hash128 key; uint64_t intent; double worst_usd; } qn_ledger_item;
typedef struct qn_ledger_batch {
    uint64_t id;
    bool     started;               /* `remote` is known */
    const char *file, *remote;      /* names at the endpoint; "" unknown */
    const qn_ledger_item *items;    /* without those that were answered or cancelled */
    size_t   n_items;
} qn_ledger_batch;
/* Batches of this epoch that had not ended at open. Borrowed until close; constant. */
const qn_ledger_batch *qn_ledger_batches(const qn_ledger *l, size_t *n);

/* ---- looking ---- at any ledger, also of a run at work in another process: for `quern trace`, the report, the web UI */
typedef struct qn_ledger_view qn_ledger_view;
qn_code  qn_ledger_view_open(qn_ledger_view **out, const char *path, qn_err *e);
void     qn_ledger_view_close(qn_ledger_view *v);   /* NULL is fine */
typedef struct qn_ledger_call {
    uint64_t intent;
    int      epoch, attempts;
    char     step[64];
    qn_hash128 row;
    int64_t  prompt_tokens, completion_tokens;
    double   cost_usd;
} qn_ledger_call;
/* The newest recorded reply to a key, of any epoch, with request and reply body appended to the buffers (either may be NULL). *found false when
 * there is none (while a run is at work: none up to two seconds ago). One thread at a time. */
qn_code  qn_ledger_view_call(qn_ledger_view *v, qn_hash128 key, qn_ledger_call *out, qn_buf *request, qn_buf *reply, bool *found, qn_err *e);

/* For tests. QUERN_TEST_KILL_AT_COMMIT=n commits every entry alone and ends the process by SIGKILL right after the n-th commit, before its ack;
 * -n right before it. */

/* People's decisions, searches and pages are effects as well: recorded under the same keys by the same calls. */
#endif
