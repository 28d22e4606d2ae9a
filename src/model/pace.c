/* pace: additive increase, multiplicative decrease, buckets, breaker. See pace.h. */
#include "model/pace.h"
#include <math.h>

enum { NEAR_START = 128, FAR_START = 32, NEAR_RAMP_CEILING = 1024, RAMP_EVERY_US = 5000, BREAKER_AFTER = 3,
       QUICK_US = 50000, QUICK_ENOUGH = 256, SLOW_PROBES = 2 };
static const int64_t FIRST_PROBE_US = 500000, LAST_PROBE_US = 15000000, SLOW_US = 15000000;

static double at_most(double a, double b) { return a < b ? a : b; }

static double ceiling(const qn_pace *p)
{
    double c = p->limits.max_in_flight > 0 ? p->limits.max_in_flight : 65536;
    return p->limits.hard_ceiling > 0 ? at_most(c, p->limits.hard_ceiling) : c;
}

/* Quick answers and a window that is large already: more would not help. */
static bool is_enough(const qn_pace *p) { return p->latency_us > 0 && p->latency_us < QUICK_US && p->window >= QUICK_ENOUGH; }

static double bucket_size(double per_minute) { return per_minute / 60 > 1 ? per_minute / 60 : 1; }

void qn_pace_init(qn_pace *p, const qn_pace_limits *limits, int64_t now_us)
{
    *p = (qn_pace){ .limits = *limits, .starting = true, .last_cut_us = INT64_MIN, .ramp_us = now_us, .refilled_us = now_us };
    p->window = at_most(limits->near ? NEAR_START : FAR_START, ceiling(p));
    p->requests_left = bucket_size(limits->max_rpm);
    p->tokens_left = bucket_size(limits->max_tpm);
    if (p->limits.n_probes <= 0) p->limits.n_probes = 4;
}

/* Little's law: in flight = rate * time; half of the silence time is the longest wait that we want to see. */
double qn_pace_window(const qn_pace *p)
{
    double w = p->window;
    if (p->rate_per_s > 0 && p->limits.silence_us > 0) {
        double bound = p->rate_per_s * (double)p->limits.silence_us / 2e6;
        w = at_most(w, bound < 1 ? 1 : bound);
    }
    return w < 1 ? 1 : w;
}

void qn_pace_rpm(qn_pace *p, double max_rpm)
{
    bool had = p->limits.max_rpm > 0;
    p->limits.max_rpm = max_rpm;
    p->requests_left = had ? at_most(p->requests_left, bucket_size(max_rpm)) : bucket_size(max_rpm);
}

static void refill(qn_pace *p, int64_t now_us)
{
    double seconds = (double)(now_us - p->refilled_us) / 1e6;
    if (seconds <= 0) return;
    p->refilled_us = now_us;
    p->requests_left = at_most(p->requests_left + seconds * p->limits.max_rpm / 60, bucket_size(p->limits.max_rpm));
    p->tokens_left = at_most(p->tokens_left + seconds * p->limits.max_tpm / 60, bucket_size(p->limits.max_tpm));
}

static int64_t time_until(int64_t now_us, double lacking, double per_minute)
{
    return now_us + (int64_t)ceil(lacking * 60e6 / per_minute) + 1;
}

/* When the buckets let the next request go; now when they do. A request larger than the token bucket goes when the bucket is full, and
 * leaves a debt. */
static int64_t bucket_time(qn_pace *p, int64_t now_us, double tokens)
{
    int64_t at = now_us;
    refill(p, now_us);
    if (p->limits.max_rpm > 0 && p->requests_left < 1) at = time_until(now_us, 1 - p->requests_left, p->limits.max_rpm);
    double need = at_most(tokens, bucket_size(p->limits.max_tpm));
    if (p->limits.max_tpm > 0 && p->tokens_left < need) {
        int64_t t = time_until(now_us, need - p->tokens_left, p->limits.max_tpm);
        if (t > at) at = t;
    }
    return at;
}

bool qn_pace_may_send(qn_pace *p, int64_t now_us, double tokens, int64_t *again_us)
{
    *again_us = INT64_MAX;
    if (p->open) {
        if (p->in_flight > 0) return false;
        if (now_us < p->probe_us) { *again_us = p->probe_us; return false; }
        return true;
    }
    if (now_us < p->rest_until_us) { *again_us = p->rest_until_us; return false; }
    if (p->in_flight >= (int)qn_pace_window(p)) {
        if (!p->starting || !p->limits.near || is_enough(p) || p->window >= at_most(NEAR_RAMP_CEILING, ceiling(p))) return false;
        if (now_us - p->ramp_us < RAMP_EVERY_US) { *again_us = p->ramp_us + RAMP_EVERY_US; return false; }
        p->ramp_us = now_us;
        p->window = at_most(p->window * 2, at_most(NEAR_RAMP_CEILING, ceiling(p)));
        if (p->in_flight >= (int)qn_pace_window(p)) return false;
    }
    int64_t at = bucket_time(p, now_us, tokens);
    if (at > now_us) { *again_us = at; return false; }
    return true;
}

void qn_pace_sent(qn_pace *p, int64_t now_us, double tokens)
{
    if (p->in_flight++ == 0 && p->rate_n == 0) p->rate_since_us = now_us;
    if (p->limits.max_rpm > 0) p->requests_left -= 1;
    if (p->limits.max_tpm > 0) p->tokens_left -= tokens;
}

static void time_answer(qn_pace *p, int64_t took_us)
{
    double us = took_us > 0 ? (double)took_us : 1;
    if (p->latency_us <= 0 || us < p->latency_us) p->latency_us = us;
    else p->latency_us *= 1.001;
}

/* Answers a second over spans of at least two seconds and eight answers; idle spans are forgotten. */
static void count_answer(qn_pace *p, int64_t now_us)
{
    p->rate_n++;
    int64_t span = now_us - p->rate_since_us;
    if (p->rate_n < 8 || span < 2000000) return;
    double rate = (double)p->rate_n * 1e6 / (double)span;
    p->rate_per_s = p->rate_per_s > 0 ? 0.5 * p->rate_per_s + 0.5 * rate : rate;
    p->rate_n = 0;
    p->rate_since_us = now_us;
}

/* The window was full when this one left: otherwise an answer says nothing about room for more. */
static void grow(qn_pace *p)
{
    if (is_enough(p) || p->in_flight + 1 < (int)(p->window * 0.9)) return;
    p->window = at_most(p->window + (p->starting ? 1 : 1 / p->window), ceiling(p));
}

static void shrink(qn_pace *p, int64_t now_us, int64_t sent_us, double factor)
{
    if (sent_us <= p->last_cut_us) return;      /* it left before the last decrease: that one already answered it */
    double was = at_most(p->window, p->in_flight + 1);
    p->window = was * factor < 1 ? 1 : was * factor;
    p->starting = false;
    p->last_cut_us = now_us;
}

static void breaker_close(qn_pace *p)
{
    p->n_failed = p->n_probes = 0;
    p->answered = true;
    p->open = p->dead = false;
}

static void breaker_count(qn_pace *p, int64_t now_us, int64_t sent_us)
{
    if (p->open) {
        if (sent_us < p->probe_us) return;      /* an old one: only the probe counts */
        p->n_probes++;
        int64_t wait = FIRST_PROBE_US << (p->n_probes < 5 ? p->n_probes : 5);
        p->probe_us = now_us + (wait < LAST_PROBE_US ? wait : LAST_PROBE_US);
        bool slow = p->n_probes >= SLOW_PROBES && now_us - p->open_since_us > SLOW_US;     /* each took long to fail: a deaf name server, a wall */
        if (!p->answered && (slow || p->n_probes >= p->limits.n_probes)) p->dead = true;
        if (p->answered && now_us - p->open_since_us > p->limits.patience_us) p->dead = true;
        return;
    }
    if (++p->n_failed < BREAKER_AFTER && p->in_flight > 0) return;
    p->open = true;
    p->n_probes = 0;
    p->open_since_us = now_us;
    p->probe_us = now_us + FIRST_PROBE_US;
}

void qn_pace_ended(qn_pace *p, int64_t now_us, qn_went went, int64_t sent_us, int64_t retry_after_us, double tokens_asked, double tokens_used)
{
    p->in_flight--;
    if (p->limits.max_tpm > 0 && tokens_used >= 0) p->tokens_left += tokens_asked - tokens_used;
    switch (went) {
    case QN_WENT_OK: breaker_close(p); time_answer(p, now_us - sent_us); count_answer(p, now_us); grow(p); break;
    case QN_WENT_WRONG: breaker_close(p); count_answer(p, now_us); break;
    case QN_WENT_BUSY: breaker_close(p); shrink(p, now_us, sent_us, 0.5); break;
    case QN_WENT_ERROR: breaker_close(p); shrink(p, now_us, sent_us, 0.7); break;
    case QN_WENT_CUT: shrink(p, now_us, sent_us, 0.7); break;
    case QN_WENT_NOWHERE: breaker_count(p, now_us, sent_us); break;
    case QN_WENT_STOPPED: break;
    }
    if (retry_after_us >= 0 && (went == QN_WENT_BUSY || went == QN_WENT_ERROR)) qn_pace_rest(p, now_us, retry_after_us);
    if (p->in_flight == 0) p->rate_n = 0;
}

void qn_pace_rest(qn_pace *p, int64_t now_us, int64_t reset_us)
{
    if (now_us + reset_us > p->rest_until_us) p->rest_until_us = now_us + reset_us;
}

void qn_pace_kill(qn_pace *p, int64_t now_us)
{
    if (!p->open) p->open_since_us = now_us;
    p->open = p->dead = true;
    p->probe_us = now_us + LAST_PROBE_US;
}

int64_t qn_retry_delay_us(int attempt, int64_t base_us, double random, int64_t retry_after_us)
{
    int64_t cap = 30000000, wait = base_us;
    for (int i = 1; i < attempt && wait < cap; i++) wait *= 2;
    if (wait > cap) wait = cap;
    wait = (int64_t)((double)wait * (0.5 + random));
    if (retry_after_us >= 0 && wait < retry_after_us) wait = retry_after_us + (int64_t)(random * (double)base_us / 2);
    return wait;
}
