/* pace: how many requests may be on their way to one endpoint now. Pure: no clock, no network; the time comes in with every call.
 *
 *   starting  doubling: each answer adds one (on a numeric or loopback address also by time, 128 at once, doubled every 5 ms: nobody's
 *             rate limit stands there)
 *   steady    additive increase: each answer adds 1/window; a refusal (429, 5xx, a cut) sent after the last decrease multiplies by 0.5 or 0.7
 *             (Chiu & Jain 1989, "Analysis of the increase and decrease algorithms for congestion avoidance in computer networks")
 *   resting   Retry-After or a rate-limit header named a time: nothing is sent before it
 *   open      the breaker: connections fail; one probe at a time, further and further apart, until somebody answers
 *   dead      the breaker gave up (never answered: after four probes, or two that took over 15 s): what waits fails now
 *
 * An endpoint that answers within 50 ms is not given more than 256 at once: by Little's law that is 5,000 a second, and further
 * connections would only cost memory.
 * A second bound comes from Little's law: never let more wait at the endpoint than it answers in half of the silence time, so that a slow
 * server's queue does not outlive its callers' patience. RPM and TPM are token buckets that hold one second's worth. */
#ifndef QN_MODEL_PACE_H
#define QN_MODEL_PACE_H
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    QN_WENT_OK,         /* an answer */
    QN_WENT_BUSY,       /* 429, or 503 with Retry-After: slow down */
    QN_WENT_ERROR,      /* 5xx, 408: in trouble */
    QN_WENT_CUT,        /* cut, silent, broken body */
    QN_WENT_WRONG,      /* another 4xx: an answer, but says nothing about load */
    QN_WENT_NOWHERE,    /* no connection: refused, unknown host, time-out */
    QN_WENT_STOPPED     /* we ended it ourselves */
} qn_went;

typedef struct qn_pace_limits {
    int     max_in_flight;      /* 0: no fixed ceiling */
    int     hard_ceiling;       /* of the machine (sockets); 0 none */
    double  max_rpm, max_tpm;   /* 0 none */
    int64_t silence_us;
    int64_t patience_us;        /* how long an endpoint that had answered may be gone before the breaker gives up */
    bool    near;               /* numeric or loopback address: start by time */
    int     n_probes;           /* before a never-answering endpoint is called dead; 0: 4 */
} qn_pace_limits;

typedef struct qn_pace {
    qn_pace_limits limits;
    double   window;
    bool     starting;
    int      in_flight;
    int64_t  last_cut_us, ramp_us, rest_until_us;
    double   requests_left, tokens_left; int64_t refilled_us;
    int64_t  rate_since_us; int64_t rate_n; double rate_per_s;     /* answers a second, smoothed */
    double   latency_us;        /* of the quickest answer, slowly forgotten; 0 before the first */
    bool     answered;          /* somebody ever answered here */
    bool     open, dead;        /* the breaker */
    int      n_failed;          /* connections failed in a row */
    int      n_probes;
    int64_t  open_since_us, probe_us;
} qn_pace;

void qn_pace_init(qn_pace *p, const qn_pace_limits *limits, int64_t now_us);
/* May one request of about `tokens` tokens leave now? When not, *again_us is the earliest time worth asking again (INT64_MAX: when
 * something comes back). */
bool qn_pace_may_send(qn_pace *p, int64_t now_us, double tokens, int64_t *again_us);
/* From now on at most so many requests a minute. */
void qn_pace_rpm(qn_pace *p, double max_rpm);
void qn_pace_sent(qn_pace *p, int64_t now_us, double tokens);
/* A request sent at sent_us ended.  retry_after_us < 0: none named.  tokens_asked: what qn_pace_sent was told; tokens_used < 0: unknown. */
void qn_pace_ended(qn_pace *p, int64_t now_us, qn_went went, int64_t sent_us, int64_t retry_after_us, double tokens_asked, double tokens_used);
/* A rate-limit header says that nothing is left until reset_us from now. */
void qn_pace_rest(qn_pace *p, int64_t now_us, int64_t reset_us);
/* A failure that no waiting cures (certificate, key, quota): dead at once. */
void qn_pace_kill(qn_pace *p, int64_t now_us);
double qn_pace_window(const qn_pace *p);

/* Waiting time before attempt number `attempt` + 1 (1: after the first failure): base * 2^(attempt-1), at most 30 s, times 0.5..1.5 by
 * `random` in 0..1, never less than retry_after_us. */
int64_t qn_retry_delay_us(int attempt, int64_t base_us, double random, int64_t retry_after_us);
#endif
