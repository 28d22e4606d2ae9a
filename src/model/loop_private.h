/* loop_private: what the files of the loop share. Everything here is owned by the loop's thread.
 *
 *   loop.c      inbox, lanes' queues, timers, epoll, the thread
 *   transfer.c  one attempt: a curl handle, its callbacks, its buffers
 *   wire.c      one attempt over a plain socket, for http:// at a numeric address: a tenth of libcurl's work
 *   ended.c     what an ended attempt means: done, again, retry later, failed
 *   pace.c      how many may be on their way (pure)
 */
#ifndef QN_MODEL_LOOP_PRIVATE_H
#define QN_MODEL_LOOP_PRIVATE_H
#include "core/rng.h"
#include "core/thread.h"
#include "model/http.h"
#include "model/http_read.h"
#include "model/loop.h"
#include "model/net.h"
#include "model/openai.h"
#include "model/pace.h"
#include "model/sse.h"
#include <curl/curl.h>

/* Connections are shared within a net only: a page's redirect can never ride on a connection that a model opened to a private address. */
enum { NET_MODEL, NET_WEB, NET_WEB_PRIVATE, N_NETS };

typedef struct lane lane;
typedef struct flight flight;
typedef struct wire wire;

/* One attempt on its way: a curl handle and its buffers, used again by the next. */
typedef struct slot {
    CURL   *easy;               /* NULL on a plain lane */
    wire   *wire_conn;          /* plain lane: the connection in use */
    flight *flight;
    lane   *lane;
    qn_loop *loop;
    qn_buf  start, body;        /* how the request's body begins; the answer's bytes */
    qn_str  rest;               /* of the request's body: the call's own bytes */
    size_t  read_at;            /* curl lane: bytes of start and rest that were taken */
    qn_sse  sse;
    bool    asked_stream, is_stream, sniffed;
    bool    blocked, stopped, silent, late, unconnected;     /* why we ended it ourselves */
    int64_t last_us;            /* last byte, or when it was sent */
    int64_t first_byte_us;      /* of the answer; 0 before */
    char    error[CURL_ERROR_SIZE];
    qn_buf  head;               /* plain lane: the request's head */
    int     http;               /* plain lane: status, 0 before there is one */
    CURLcode code;              /* plain lane: how it ended */
    struct slot *next_ended;    /* plain lane: waiting for the judge */
    struct slot *next, *prev;   /* in flight, oldest first; or free */
} slot;

/* A call inside the loop; lives in the call's arena. */
struct flight {
    qn_call *call;
    lane    *lane;
    flight  *next;
    slot    *slot;
    int      sends, failures;   /* failures: those that count against the limit of attempts */
    int64_t  first_us, sent_us, wake_us;
    uint64_t seq;               /* order of sending within the lane */
    double   tokens;            /* estimate, for the token bucket */
    bool     no_stream;         /* a stream of it came back empty: some servers say why only without one */
};


/* One endpoint and model, or one host for pages. */
struct lane {
    const qn_model *model;      /* NULL: a host */
    qn_str   host;              /* "127.0.0.1:8000"; owned by the loop's arena */
    int      net;
    qn_pace  pace;
    unsigned quirks;
    char    *urls[3];           /* by kind: chat, completion, embed; owned */
    struct curl_slist *headers;
    bool     plain;             /* wire.c carries it */
    struct sockaddr_storage address; socklen_t address_bytes;
    char    *heads[3];          /* plain: the constant lines of a request, by kind; owned */
    wire    *idle;              /* plain: kept connections, the last used first */
    slot    *free_slots;
    flight  *waiting, **last_waiting;
    size_t   n_waiting;
    bool     active;            /* in the loop's list */
    uint64_t next_seq, overtaken_seq;   /* the latest sent that was answered */
    int64_t  progress_us;       /* last byte of anybody */
    uint64_t n_ok;
    bool     said_paused;
    qn_str   why;               /* why the breaker is open, for people */
    char     why_text[256];
};

static inline unsigned quirks_of(const flight *f) { return f->lane->quirks | (f->no_stream ? QN_NO_STREAM : 0u); }

typedef struct pool { qn_loop *loop; int index; CURLM *multi; int64_t timer_us; } pool;

typedef struct fd_watch {
    uint8_t net, want, have;
    bool    ours;               /* opened by us for a connection, so its close is seen */
    wire   *wire;               /* NULL: curl's */
} fd_watch;

struct qn_loop {
    void (*done)(void *arg, qn_call *calls);
    void *arg;
    qn_thread *thread;
    int epoll, wake;

    pthread_mutex_t lock;       /* guards the six below */
    qn_call *inbox, **last_inbox;
    bool     stop, quit;
    int64_t  grace_ms;
    qn_loop_stats stats;
    struct { const char *folder; bool bf16; qn_net *net; } *own; size_t n_own, cap_own; uint64_t own_sent; /* models that run here, by folder */

    qn_loop_stats now;          /* the thread's own, published to stats */
    int64_t  now_us;
    pool     nets[N_NETS];
    fd_watch *fds; size_t cap_fds;              /* by file number */
    lane   **lanes; size_t n_lanes, cap_lanes;
    lane   **active; size_t n_active, cap_active;
    flight **resting; size_t n_resting, cap_resting;    /* heap by wake_us */
    slot    *first_flying, *last_flying;
    slot    *first_ended, *last_ended;                  /* of plain lanes */
    char     in[65536];                                 /* what a socket gave, before it goes where it belongs */
    int64_t  sweep_us;
    qn_call *finished, **last_finished;
    qn_buf   scratch;
    qn_arena arena;             /* hosts' names */
    qn_rng   rng;
    bool     stopping;
    int64_t  stop_at_us;
    int      max_sockets;
};

/* ---- transfer.c ---- */
bool qn_transfer_start(qn_loop *l, flight *f);          /* false: curl refused */
void qn_transfer_release(slot *s);                      /* back to the lane's free slots */
void qn_slot_free(slot *s);
void qn_lane_addresses(lane *ln);                       /* urls and headers */
void qn_lane_release(qn_loop *l, lane *ln);
fd_watch *qn_fd_watch_of(qn_loop *l, int fd);           /* grows the table */

bool qn_transfer_body(slot *s, const char *p, size_t n);/* bytes of the answer's body; false: too many */

/* ---- wire.c ---- */
void qn_wire_set_up(lane *ln);                          /* makes the lane plain when it can be */
void qn_wire_lane_release(qn_loop *l, lane *ln);
void qn_wire_start(qn_loop *l, slot *s, bool fresh);    /* sends s->start and s->rest; fresh: not on a kept connection */
void qn_wire_event(qn_loop *l, wire *w, uint32_t events);
void qn_wire_finish(qn_loop *l, slot *s);               /* the attempt is over, whatever came of it */
bool qn_wire_is_connecting(const slot *s);
qn_str qn_wire_header(const slot *s, const char *name);

/* ---- ended.c ---- */
typedef enum { WHAT_DONE, WHAT_AGAIN, WHAT_RETRY, WHAT_FAIL } what_next;
typedef struct ended {
    what_next what;             /* AGAIN: at once or with the lane, not counted */
    qn_went   went;
    int64_t   retry_after_us;   /* -1 none */
    int       max_failures;     /* RETRY: give up after so many */
    bool      kill_lane;        /* no waiting cures it */
    qn_str    error;            /* in the call's arena */
} ended;
ended qn_transfer_judge(qn_loop *l, slot *s, CURLcode code);

static inline bool is_web(const qn_ask *ask) { return ask->kind == QN_ASK_GET || ask->kind == QN_ASK_POST; }
/* A whole address, not what comes behind the model's. */
static inline bool is_whole(const qn_ask *ask) { return !ask->model || qn_str_starts(ask->url, QN_STR("http://")) || qn_str_starts(ask->url, QN_STR("https://")); }
#endif
