/* loop: one thread holds all HTTP traffic (libcurl multi + epoll). Thousands of requests in flight; pacing per endpoint and model:
 * additive increase, multiplicative decrease from Retry-After, rate-limit headers, 429, 5xx and latency; RPM and TPM limits; jittered
 * retries for 408, 409, 429, 5xx, cut connections, empty and broken bodies; silence timeouts; total deadline; a circuit breaker.
 *
 *   qn_loop_submit -> [waiting: pace] -> [sent] -> reply  ---------------------------> done(call)
 *                          ^               | 429/5xx/cut/silence, deadline not past
 *                          +--- [resting] <+
 */
#ifndef QN_MODEL_LOOP_H
#define QN_MODEL_LOOP_H
#include "model/model.h"

typedef struct qn_loop qn_loop;

/* One request on its way. Owned by the caller until submitted, by the loop until `done`, then by whoever done gives it to. */
typedef struct qn_call {
    qn_ask   ask;               /* its texts live in `arena` */
    void    *user;              /* the caller's */
    uint64_t intent;            /* the ledger's number, carried along */
    uint64_t batch;             /* it is in this batch of an earlier run; 0: in none (batch.h) */
    qn_hash128 key;             /* of a reply that nobody asked for in this run (batch.h) */
    bool     kept;              /* failed here, but it is in a batch still: its intent stays open */
    bool     again;             /* it must be asked anew, with an intent of its own */
    qn_arena arena;             /* holds ask's texts and the reply */
    qn_reply reply;             /* filled in when done */
    void    *loop_private;
    struct qn_call *next;       /* for lists of the holder */
} qn_call;
qn_call *qn_call_new(void);
void     qn_call_free(qn_call *c);

typedef struct qn_loop_stats {
    uint64_t submitted, done, in_flight, waiting;
    uint64_t sent, retried, failed;
    uint64_t n_429, n_5xx, n_cut;
    bool     paused;            /* a circuit breaker is open */
    char     paused_why[160];
    double   window;            /* requests allowed in flight now, all endpoints */
} qn_loop_stats;

/* done is called on the loop thread with one or more finished calls (linked by next, NULL-terminated): it must be quick and hand them on. */
qn_code qn_loop_open(qn_loop **out, void (*done)(void *arg, qn_call *calls), void *arg, qn_err *e);
/* Submits calls linked by next (a list lets one wake-up serve many). Thread-safe. Never blocks: the engine bounds what it submits. */
void    qn_loop_submit(qn_loop *l, qn_call *calls);
/* No new sends from now on. Waiting calls come back as QN_REPLY_FAILED with error "stopped"; those in flight get up to grace_ms to end. */
void    qn_loop_stop(qn_loop *l, int64_t grace_ms);
void    qn_loop_stats_get(qn_loop *l, qn_loop_stats *out);
void    qn_loop_close(qn_loop *l);      /* stops, joins the thread, frees */
#endif
