/* batch: requests that travel together in OpenAI batch files, at half the price and within a day. One thread owns them all.
 *
 *   submit -> [gathered] -- full, or nothing more can come before a reply --> [made] -> uploaded -> started -> (polled) -> collected -> done(calls)
 *                 ^                                                              each of these is written into the book before the next begins
 *                 +--- a line that failed for a passing reason, or was not reached before the batch expired (3 times at most)
 *
 * No request is ever in two batches at once, whatever the instant of a kill -9: before a batch is started, the book knows the uploaded file; the next
 * run lists the endpoint's batches and looks for that file (and for our mark in the metadata) before it starts another. Once started, its id is in
 * the book, and runs only wait for it. Replies are recorded under the same keys as single requests: how they travelled is no part of the key. */
#ifndef QN_MODEL_BATCH_H
#define QN_MODEL_BATCH_H
#include "model/loop.h"

typedef struct qn_batcher qn_batcher;

/* Where batches are written down: the ledger's side. Each waits for the disk; false: it is broken, and the run ends. Called on the batcher's thread. */
typedef struct qn_batch_book {
    void *arg;
    bool (*made)(void *arg, const char *model, const uint64_t *intents, size_t n, uint64_t *id);
    bool (*uploaded)(void *arg, uint64_t id, const char *file);
    bool (*started)(void *arg, uint64_t id, const char *remote);
    bool (*ended)(void *arg, uint64_t id, bool gone);   /* gone: nobody can say what became of its requests */
    bool (*recorded)(void *arg, qn_call *c);            /* is a reply to this call in the book by now? Fills it in. */
} qn_batch_book;

/* A batch of an earlier run that has not ended. */
typedef struct qn_batch_item { qn_hash128 key; uint64_t intent; } qn_batch_item;
typedef struct qn_batch_old {
    uint64_t id;
    const char *file, *remote;      /* copied; remote NULL: uploaded, and perhaps started */
    const qn_batch_item *items;     /* copied */
    size_t   n_items;
} qn_batch_old;

typedef struct qn_batcher_stats {
    uint64_t sent;              /* requests in batches that were started by this run */
    uint64_t collected;         /* replies that came out of batches of earlier runs */
    uint64_t n_batches, n_waiting;  /* under way now, and the requests in them */
    uint64_t given;             /* calls of this run that were given back */
    bool     collecting;        /* a batch's results are being read */
    char     words[200];        /* "batch_abc at api.example.com: in_progress, 120 of 500 done"; "" when none */
} qn_batcher_stats;

/* done gets finished calls on the batcher's thread. A call with `kept` is in a batch still: its intent stays open. A call with user NULL is a reply
 * (or, as QN_REPLY_FAILED, its end) to a request of an earlier run that nobody has asked for in this one; it is the receiver's to record and free. */
qn_code qn_batcher_open(qn_batcher **out, const qn_batch_book *book, void (*done)(void *arg, qn_call *calls), void *arg, qn_err *e);
void    qn_batcher_resume(qn_batcher *b, const qn_batch_old *old);      /* before the first submit */
/* Calls linked by next, each with its intent written. c->batch: in that batch of an earlier run; 0: a new request. */
void    qn_batcher_submit(qn_batcher *b, qn_call *calls);
/* Of n_submitted calls in all n_taken have come back, and nothing more will be submitted before another does: what is gathered leaves. It stays
 * where it is when calls are on their way, either way: their rows may submit more, and two batches would leave in place of one. */
void    qn_batcher_flush(qn_batcher *b, uint64_t n_submitted, uint64_t n_taken);
/* 1: what has not left comes back as "stopped"; what is in batches comes back as "stopped" and kept. 2: a batch being started is not waited for. */
void    qn_batcher_stop(qn_batcher *b, int how);
void    qn_batcher_stats_get(qn_batcher *b, qn_batcher_stats *out);
void    qn_batcher_close(qn_batcher *b);        /* stops, joins the thread, frees */
#endif
