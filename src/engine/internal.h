/* internal: the engine's own structures, seen by its files only.
 *
 * Rows travel in groups. A group is one or more source rows and all that becomes of them; it is the unit of order:
 *
 *   producer -> [group] -> unordered steps (any worker, any order) -> barrier -> unordered steps -> barrier -> ... -> commit
 *
 * A barrier is a step that must see rows in order (dedup, gather, join, sink). A group waits before it until each of its rows has ended or is parked
 * at some barrier; groups pass each barrier one after the other, rows in the order of their paths. So the result does not depend on timing, and
 * the only thing ever waited for is the group at the head. Barriers inside a `repeat` are passed as one: rows come back to them, so a group stays before
 * the first until none of its rows is in the loop any more. Committing adds a group's verdicts to the loss account, again in order.
 *
 * Threads: the engine thread owns groups and decides; workers own the job in hand and what hangs on it (items, rows); the ledger's and the loop's
 * threads own calls on their way. */
#ifndef QN_ENGINE_INTERNAL_H
#define QN_ENGINE_INTERNAL_H
#include "core/file.h"
#include "core/map.h"
#include "core/queue.h"
#include "core/thread.h"
#include "engine/engine.h"
#include "model/batch.h"
#include "model/loop.h"

enum { QN_MAX_LOOPS = 4, QN_PRODUCE_ROWS = 128 };

typedef struct qn_group qn_group;
typedef struct qn_item qn_item;

/* A row's place in a `repeat`. */
typedef struct qn_frame { int step; int64_t turn; qn_row *base; } qn_frame; /* base: held row of before the turn (`again`), else NULL */

struct qn_turn_private {
    qn_call **calls;            /* all of this item's requests so far, in the order asked */
    size_t   n_calls, cap_calls;
    size_t   n_open;            /* not answered yet: engine thread */
    size_t   n_seen;            /* replies that the operator has seen */
    bool     stopped;           /* one of its calls never left: the row is pending */
    qn_arena arena;
    qn_turn  turn;
    qn_item *item;
};

/* A row on its way. */
struct qn_item {
    qn_item  *next;
    qn_row   *row;
    qn_group *group;
    int       step;             /* where it goes next, or where it is parked */
    uint32_t  root;             /* which of the group's source rows it comes from */
    int       n_frames;
    qn_frame  frames[QN_MAX_LOOPS];
    struct qn_turn_private *turn;   /* in an effect step */
    bool      paid;             /* a reply was used for it or its ancestors */
    bool      ahead;            /* what its step does ahead for many rows is done */
    bool      fresh;            /* just given by the producer `step`: it leaves there */
};

typedef enum { QN_REC_REJECT, QN_REC_FAIL, QN_REC_ACCEPT } qn_rec_kind;

/* A row that ended. Kept until its group commits. */
typedef struct qn_record_end {
    struct qn_record_end *next;
    qn_rec_kind kind;
    int      step;
    uint32_t root;
    qn_row  *row;               /* held, for its order */
    char    *reason;            /* owned; for counting and for people */
    char    *words;             /* owned: a verdict with its value, for qn_run_opts.ended; NULL: the reason says it */
    qn_str   line;              /* owned JSON line for rejected.jsonl or failed.jsonl; empty when none is kept */
} qn_record_end;

struct qn_group {
    qn_group *next;
    uint64_t  seq;
    int       stage;            /* barriers passed so far */
    bool      busy;             /* a barrier job is at work on it */
    size_t    n_live;           /* rows in jobs, in effects, or between: engine thread */
    qn_item  *parked;           /* rows waiting at some barrier */
    qn_record_end *ended;
    uint64_t  n_created, n_became, n_roots, n_accepted;
    uint64_t  n_paid;           /* source rows for which a reply was used */
    qn_step_tally *steps;       /* (n_steps), added to by workers */
    qn_licences licences;       /* of its accepted rows; added to by workers */
    size_t    bytes;            /* of its source rows, for the memory ceiling */
    int       producer;         /* the step that made it */
};

/* What lies in the engine's inbox: finished jobs and answered calls. */
typedef enum { QN_MSG_JOB, QN_MSG_CALLS, QN_MSG_STRAYS, QN_MSG_LEDGER_BROKEN } qn_msg_kind;   /* STRAYS: replies that nobody asked for in this run */
typedef struct qn_msg { qn_node node; qn_msg_kind kind; qn_call *calls; char why[256]; } qn_msg;

typedef enum { QN_JOB_PRODUCE, QN_JOB_RUN, QN_JOB_BARRIER, QN_JOB_FINISH } qn_job_kind;

typedef struct qn_job {
    qn_msg    msg;              /* in the workers' queue, then in the engine's inbox */
    qn_job_kind kind;
    int       step;             /* PRODUCE, BARRIER, FINISH */
    qn_group *group;
    qn_item  *items;            /* in */
    /* out */
    qn_item  *parked, *asking;
    qn_record_end *ended;
    size_t    n_new, n_gone, n_parked;      /* items that came to be, ended, were parked: the group's n_live */
    size_t    n_created, n_became, n_ahead, n_pending, n_accepted;     /* rows, for the loss account; accepted: those that leave no record */
    qn_group *made;             /* PRODUCE: NULL at the end. Its rows are at work when this is heard of */
    bool      exhausted, wait, target;
    qn_code   rc;
    qn_err    err;
} qn_job;

/* A call on its way, beside qn_call itself. */
typedef struct qn_wait {
    qn_item   *item;
    size_t     index;           /* among the item's calls */
    qn_hash128 key;
    double     worst_usd;
    bool       batched;         /* it travels in a batch */
    bool       recording;       /* the ledger's next ack is for the reply, not for the intent */
    qn_call   *twins;           /* calls with the same key that wait for this one's reply */
} qn_wait;

typedef struct qn_engine qn_engine;

typedef struct qn_step_state {
    void   *state;              /* the operator's own */
    bool    opened;
    int     barrier;            /* number among the barriers, -1 none */
    bool    exhausted;          /* producers */
    bool    producing, waiting, finishing, finished;
    size_t  memory_bytes;
    bool    full;               /* a sink whose target is met */
    qn_licences licences;       /* of all rows that a gather took */
    bool    inherits;           /* its rows get the licences of a model that this run trains */
    uint64_t seen_rows;
} qn_step_state;

struct qn_engine {
    const qn_plan *plan;
    const qn_run_opts *o;
    qn_step_state *st;          /* (n_steps) */
    size_t spare_memory;        /* what steps that cannot spill may take beyond their part; atomic */
    int      *barriers;         /* step numbers in order */
    int      *barrier_ends;     /* (n_barriers) the last barrier of the outermost `repeat` around each; itself outside of any */
    int       n_barriers;
    int      *producers;        /* step numbers in order: sources and gathers */
    int       n_producers, producer;    /* the active one */
    bool      has_effects, has_target;

    /* groups, oldest first */
    qn_group *head, *tail;
    uint64_t  next_seq;
    size_t    n_groups, n_items, bytes_live;
    qn_item  *ready;            /* items whose answers are all there, to be run */

    /* threads */
    qn_queue *jobs, *inbox;
    qn_thread **workers;
    int       n_workers;
    size_t    n_jobs_out;
    qn_ledger *ledger;
    qn_loop  *loop;

    /* effects: see effects.c */
    qn_map    in_flight_keys;
    /* Built, not yet allowed to go (window or budget): single requests; those that travel in batches; those that follow on a reply of their row, and
     * wait to see how many they are. */
    struct { qn_call *first, *last; } held[3];
    size_t    n_held, n_held_alone, n_in_flight, n_in_batches; /* n_held_alone: of n_held, those that do not travel in batches; n_in_batches: of n_in_flight, in one */
    uint64_t  n_batched;        /* handed to the batcher so far */
    uint64_t  n_followed;       /* asked singly because they followed on replies, and were few */
    qn_batcher *batcher;        /* NULL: no model takes batches, and none is pending */
    qn_map    pending_keys;     /* key -> 1 + index into pending: requests in batches of earlier runs */
    struct qn_pending { uint64_t intent, batch; double worst_usd; } *pending;
    size_t    n_pending;
    uint64_t  collected;        /* replies out of batches of earlier runs */
    qn_licences licences_judged, licences_forbidden;    /* atomics: see licences.c */
    bool      any_batch;        /* some model takes batches */
    double    worst_in_flight_usd, spent_before_usd;
    uint64_t  sent, replayed, calls_failed, retried, calls_done;
    int64_t   prompt_tokens, completion_tokens;
    double    cost_usd;
    size_t    n_scripted;
    bool      any_reached;      /* some endpoint answered */
    char      unreachable[256];

    /* outcome */
    bool      stopping;         /* no new rows, no new requests */
    bool      cut;              /* a target is met: groups behind the cut did not enter */
    qn_group *cut_after;        /* the group that met it */
    int       signalled;
    qn_end    end;
    char      why[400];
    qn_run_result *r;
    qn_map    reason_index;
    size_t    cap_reasons;
    qn_out   *rejected, *failed;
    bool     numbers_rows;      /* `apply` with a file of rejected rows: rows of the one source are numbered, so that a rejection can say which other it means */
    uint64_t n_numbered;        /* so far: by the source's thread alone */
    struct qn_trace *trace;
    qn_code   rc;
    qn_err    err;
    int64_t   began_us, shown_us;
    qn_map    seen_rows;        /* content hash -> number of equal rows so far */
    bool      lacking;
};

/* ---- worker.c ---- */
void qn_worker_main(void *engine);
qn_job *qn_job_new(qn_job_kind kind, int step);
void qn_job_free(qn_job *j);
void qn_item_free(qn_item *it);
bool qn_step_is_barrier(const qn_step *s);
bool qn_step_is_producer(const qn_step *s);

/* ---- records.c ---- */
qn_record_end *qn_end_reject(qn_engine *en, int step, uint32_t root, qn_row *row, const qn_verdict *v);
qn_record_end *qn_end_fail(qn_engine *en, int step, uint32_t root, qn_row *row, const char *why);
qn_record_end *qn_end_let_go(qn_engine *en, int step, uint32_t root, qn_row *row, const qn_verdict *v);      /* a rejection that leaves no line */
qn_record_end *qn_end_accept(qn_engine *en, int step, uint32_t root, qn_row *row);
void qn_record_end_free(qn_record_end *r);
qn_code qn_group_commit(qn_engine *en, qn_group *g, qn_err *e);

/* ---- trace.c: DIR/trace.jsonl.zst, one line per accepted row: id, path from the source row, source, replies used ---- */
qn_code qn_trace_open(struct qn_trace **t, const char *out_dir, qn_err *e);
qn_code qn_trace_add(struct qn_trace *t, qn_str line, qn_err *e);
qn_code qn_trace_close(struct qn_trace *t, bool keep, qn_err *e);
qn_str  qn_trace_line(const qn_row *row);      /* owned */

/* ---- licences.c ---- QN_EUSAGE when what went into the row forbids it to train o->student */
qn_code qn_licences_allow(qn_engine *en, const qn_row *row, qn_err *e);
/* Does the step write or choose rows by a model that this run trains? What that model was trained on then went into them as well. */
bool qn_licences_inherited(const qn_plan *plan, const qn_step *s);
/* Of what the models that the step names were trained on in this run; after their training. */
qn_licences qn_licences_of_models(const qn_step *s);

/* ---- effects.c ---- */
qn_code qn_effects_open(qn_engine *en, qn_err *e);
void qn_effects_close(qn_engine *en);
/* Worker thread: asks the ledger for a recorded reply to the call; true when it was filled in. */
bool qn_effects_replay(qn_engine *en, qn_call *c);
/* Engine thread: an item's open calls go on their way as window and budget allow. Items that need not wait after all join en->ready. */
void qn_effects_ask(qn_engine *en, qn_item *items);
void qn_effects_pump(qn_engine *en);
/* Engine thread: takes in answered calls; items whose calls are all answered join en->ready. */
void qn_effects_answered(qn_engine *en, qn_call *calls);
/* Engine thread: replies to requests of earlier runs that no row of this one has asked for: recorded, and paid. */
void qn_effects_strays(qn_engine *en, qn_call *calls);
/* Engine thread: nothing moves before some request in a batch is answered: what is gathered may leave. */
void qn_effects_idle(qn_engine *en);
void qn_effects_stop(qn_engine *en, int64_t grace_ms);
/* Items whose calls were built but never sent, when the run stops: their rows are pending. */
void qn_effects_drop_held(qn_engine *en);

/* ---- engine.c ---- */
void qn_engine_item_pending(qn_engine *en, qn_item *it);   /* the row leaves its group unfinished: the run stops */
#endif

