/* loop: the thread that holds all HTTP traffic. See loop.h for what it promises and loop_private.h for its parts. */
#include "model/loop_private.h"
#include "core/clock.h"
#include "core/log.h"
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SWEEP_US = 250000, CONNECT_US = 15000000, WEB_PER_HOST = 4, WAKE = -1 };

/* ---- calls ---- */
qn_call *qn_call_new(void) { return QN_NEW(qn_call); }

void qn_call_free(qn_call *c)
{
    if (!c) return;
    qn_arena_free(&c->arena);
    qn_free(c);
}

static void finish(qn_loop *l, flight *f)
{
    qn_call *c = f->call;
    c->reply.attempts = f->sends;
    c->reply.seconds = f->first_us ? (double)(l->now_us - f->first_us) / 1e6 : 0;
    c->loop_private = NULL;
    c->next = NULL;
    *l->last_finished = c;
    l->last_finished = &c->next;
    l->now.done++;
    if (c->reply.status == QN_REPLY_FAILED) l->now.failed++;
}

static void fail(qn_loop *l, flight *f, qn_str error, bool unreachable)
{
    qn_reply *r = &f->call->reply;
    int http = r->http;
    *r = (qn_reply){ .status = QN_REPLY_FAILED, .http = http, .error = error, .unreachable = unreachable };
    r->text = r->thinking = r->finish = QN_STR("");
    finish(l, f);
}

/* ---- lanes ---- */
static void lane_activate(qn_loop *l, lane *ln)
{
    if (ln->active) return;
    ln->active = true;
    QN_GROW(l->active, l->n_active, l->cap_active);
    l->active[l->n_active++] = ln;
}

static void wait_last(qn_loop *l, flight *f)
{
    lane *ln = f->lane;
    f->next = NULL;
    *ln->last_waiting = f;
    ln->last_waiting = &f->next;
    ln->n_waiting++;
    l->now.waiting++;
    lane_activate(l, ln);
}

static void wait_first(qn_loop *l, flight *f)
{
    lane *ln = f->lane;
    f->next = ln->waiting;
    ln->waiting = f;
    if (!f->next) ln->last_waiting = &f->next;
    ln->n_waiting++;
    l->now.waiting++;
    lane_activate(l, ln);
}

static flight *take_first(qn_loop *l, lane *ln)
{
    flight *f = ln->waiting;
    ln->waiting = f->next;
    if (!ln->waiting) ln->last_waiting = &ln->waiting;
    ln->n_waiting--;
    l->now.waiting--;
    return f;
}

static lane *lane_new(qn_loop *l, const qn_model *m, qn_str host, int pool_index)
{
    lane *ln = QN_NEW(lane);
    ln->model = m;
    ln->host = qn_arena_str(&l->arena, host);
    ln->net = pool_index;
    ln->last_waiting = &ln->waiting;
    qn_pace_limits lim = {
        .max_in_flight = m ? m->max_in_flight : WEB_PER_HOST, .hard_ceiling = l->max_sockets,
        .max_rpm = m ? m->max_rpm : 0, .max_tpm = m ? m->max_tpm : 0, .silence_us = (m ? m->silence_ms : 60000) * 1000,
        .patience_us = (m ? m->deadline_ms : 60000) * 1000, .n_probes = m ? 4 : 2,
        .near = m && !qn_url_is_https(qn_str_of(m->url)) && qn_host_is_numeric(host),
    };
    qn_pace_init(&ln->pace, &lim, l->now_us);
    qn_lane_addresses(ln);
    QN_GROW(l->lanes, l->n_lanes, l->cap_lanes);
    l->lanes[l->n_lanes++] = ln;
    return ln;
}

static bool same_endpoint(const qn_model *a, const qn_model *b)
{
    return a == b || (a && b && a->url && b->url && strcmp(a->url, b->url) == 0 && strcmp(a->name, b->name) == 0 && a->key == b->key
                      && a->headers == b->headers);
}

/* A host's pace is the slowest that anybody asked for. */
static void slow_down(lane *ln, const qn_ask *ask)
{
    if (ln->model || ask->max_rpm <= 0) return;
    if (ln->pace.limits.max_rpm <= 0 || ask->max_rpm < ln->pace.limits.max_rpm) qn_pace_rpm(&ln->pace, ask->max_rpm);
}

static lane *lane_of(qn_loop *l, const qn_ask *ask)
{
    int use = !is_web(ask) ? NET_MODEL : ask->allow_private ? NET_WEB_PRIVATE : NET_WEB;
    qn_str host = qn_url_host(is_web(ask) && is_whole(ask) ? ask->url : qn_str_of(ask->model->url));
    for (size_t i = 0; i < l->n_lanes; i++) {
        lane *ln = l->lanes[i];
        if (ln->net != use) continue;
        if (use == NET_MODEL ? !same_endpoint(ln->model, ask->model) : ln->model != ask->model || !qn_str_eq(ln->host, host)) continue;
        slow_down(ln, ask);
        return ln;
    }
    lane *ln = lane_new(l, ask->model, host, use);
    slow_down(ln, ask);
    return ln;
}

/* ---- resting: a heap by time ---- */
static void rest_up(qn_loop *l, size_t i)
{
    flight *f = l->resting[i];
    for (; i > 0 && l->resting[(i - 1) / 2]->wake_us > f->wake_us; i = (i - 1) / 2) l->resting[i] = l->resting[(i - 1) / 2];
    l->resting[i] = f;
}

static void rest_push(qn_loop *l, flight *f)
{
    QN_GROW(l->resting, l->n_resting, l->cap_resting);
    l->resting[l->n_resting++] = f;
    rest_up(l, l->n_resting - 1);
    l->now.waiting++;
}

static flight *rest_pop(qn_loop *l)
{
    flight *top = l->resting[0], *last = l->resting[--l->n_resting];
    size_t i = 0, k;
    while ((k = i * 2 + 1) < l->n_resting) {
        if (k + 1 < l->n_resting && l->resting[k + 1]->wake_us < l->resting[k]->wake_us) k++;
        if (l->resting[k]->wake_us >= last->wake_us) break;
        l->resting[i] = l->resting[k];
        i = k;
    }
    if (l->n_resting) l->resting[i] = last;
    l->now.waiting--;
    return top;
}

/* ---- the breaker, as people hear of it ---- */
static void lane_say(qn_loop *l, lane *ln)
{
    if (ln->pace.open && !ln->said_paused) {
        ln->said_paused = true;
        if (!l->stopping) qn_log(QN_WARN, "paused", "%s; trying again at longer and longer intervals", ln->why_text);
    } else if (!ln->pace.open && ln->said_paused) {
        ln->said_paused = false;
        qn_log(QN_INFO, "resumed", "%.*s answers again", QN_FMT(ln->host));
    }
}

static void lane_fail_waiting(qn_loop *l, lane *ln)
{
    bool unreachable = !ln->pace.answered;
    while (ln->waiting) {
        flight *f = take_first(l, ln);
        fail(l, f, qn_arena_str(&f->call->arena, qn_str_of(ln->why_text)), unreachable);
    }
    size_t n = l->n_resting;
    flight **was = qn_memdup(l->resting, n * sizeof *was);
    l->n_resting = 0;
    for (size_t i = 0; i < n; i++) {
        l->now.waiting--;
        if (was[i]->lane == ln) fail(l, was[i], qn_arena_str(&was[i]->call->arena, qn_str_of(ln->why_text)), unreachable);
        else rest_push(l, was[i]);
    }
    qn_free(was);
}

/* ---- an attempt has ended ---- */
static int64_t deadline_us(const flight *f)
{
    const qn_ask *ask = &f->call->ask;
    return (f->lane->model ? f->lane->model->deadline_ms : ask->deadline_ms > 0 ? ask->deadline_ms : 120000) * 1000;
}

/* A request that nobody sent later has overtaken is queued at the endpoint as long as that one moves: its clocks stand still. */
static int64_t clock_from(const lane *ln, const flight *f, int64_t own_us)
{
    return f->seq > ln->overtaken_seq && ln->progress_us > own_us ? ln->progress_us : own_us;
}

static void give_up(qn_loop *l, flight *f, qn_str error)
{
    qn_arena *a = &f->call->arena;
    if (f->sends > 1) error = qn_arena_printf(a, "%.*s (%d attempts in %.0f s)", QN_FMT(error), f->sends, (double)(l->now_us - f->first_us) / 1e6);
    fail(l, f, error, false);
}

static void retry(qn_loop *l, flight *f, const ended *e)
{
    lane *ln = f->lane;
    int64_t base = (ln->model && ln->model->retry_ms > 0 ? ln->model->retry_ms : 500) * 1000;
    f->failures++;
    int64_t wait = qn_retry_delay_us(f->failures, base, qn_rng_real(&l->rng), e->retry_after_us);
    bool late = l->now_us + wait - clock_from(ln, f, f->first_us) > deadline_us(f);
    if (f->failures >= e->max_failures || late || l->stopping) { give_up(l, f, l->stopping ? QN_STR("stopped") : e->error); return; }
    l->now.retried++;
    f->wake_us = l->now_us + wait;
    rest_push(l, f);
}

static void attempt_ended(qn_loop *l, slot *s, CURLcode code)
{
    flight *f = s->flight;
    lane *ln = s->lane;
    ended e = qn_transfer_judge(l, s, code);
    if (s->easy) curl_multi_remove_handle(l->nets[ln->net].multi, s->easy);
    else qn_wire_finish(l, s);
    qn_transfer_release(s);
    l->now.in_flight--;
    qn_reply *r = &f->call->reply;
    double used = e.what == WHAT_DONE ? (double)(r->prompt_tokens + r->completion_tokens) : -1;
    qn_pace_ended(&ln->pace, l->now_us, e.went, f->sent_us, e.retry_after_us, f->tokens, used);
    if (e.went == QN_WENT_BUSY) l->now.n_429++;
    if (e.went == QN_WENT_ERROR) l->now.n_5xx++;
    if (e.went == QN_WENT_CUT) l->now.n_cut++;
    if (e.went != QN_WENT_NOWHERE && e.went != QN_WENT_CUT && e.went != QN_WENT_STOPPED) {
        ln->progress_us = l->now_us;
        if (f->seq > ln->overtaken_seq) ln->overtaken_seq = f->seq;
    }
    if (e.went == QN_WENT_OK) ln->n_ok++;
    if (e.went == QN_WENT_NOWHERE || e.kill_lane) snprintf(ln->why_text, sizeof ln->why_text, "%.*s", QN_FMT(e.error));
    if (e.kill_lane) qn_pace_kill(&ln->pace, l->now_us);
    switch (e.what) {
    case WHAT_DONE: finish(l, f); break;
    case WHAT_FAIL: fail(l, f, e.error, e.went == QN_WENT_NOWHERE && !ln->pace.answered); break;
    case WHAT_RETRY: retry(l, f, &e); break;
    case WHAT_AGAIN:
        if (l->stopping) fail(l, f, QN_STR("stopped"), false);
        else if (e.went == QN_WENT_NOWHERE && !ln->pace.dead && l->now_us - f->first_us > 10 * deadline_us(f)) give_up(l, f, e.error);
        else wait_first(l, f);
        break;
    }
    lane_say(l, ln);
    if (ln->pace.dead) lane_fail_waiting(l, ln);
}

static void reap(qn_loop *l)
{
    for (slot *s; (s = l->first_ended);) {
        l->first_ended = s->next_ended;
        if (!l->first_ended) l->last_ended = NULL;
        attempt_ended(l, s, s->code);
    }
    for (int i = 0; i < N_NETS; i++) {
        CURLMsg *m;
        int left;
        while ((m = curl_multi_info_read(l->nets[i].multi, &left))) {
            slot *s;
            if (m->msg != CURLMSG_DONE) continue;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&s);
            attempt_ended(l, s, m->data.result);
        }
    }
}

/* ---- silence and deadlines: looked at four times a second ---- */
static bool is_overdue(const qn_loop *l, slot *s)
{
    const lane *ln = s->lane;
    const flight *f = s->flight;
    int64_t silence = (ln->model ? ln->model->silence_ms : 60000) * 1000;
    if (qn_wire_is_connecting(s) && l->now_us - f->sent_us > CONNECT_US) { s->unconnected = true; return true; }
    if (l->now_us - clock_from(ln, f, s->last_us) > silence) { s->silent = true; return true; }
    int64_t limit = s->is_stream ? 10 * deadline_us(f) : deadline_us(f);
    int64_t from = clock_from(ln, f, f->first_us);
    if (s->first_byte_us) from = from == f->first_us ? from : s->first_byte_us;     /* no longer in line: its own bytes do not buy it time */
    return s->late = l->now_us - from > limit;
}

static void sweep(qn_loop *l)
{
    for (slot *s = l->first_flying, *next; s; s = next) {
        next = s->next;
        if (l->stopping && l->now_us >= l->stop_at_us) s->stopped = true;
        else if (!is_overdue(l, s)) continue;
        attempt_ended(l, s, s->unconnected ? CURLE_OPERATION_TIMEDOUT : CURLE_ABORTED_BY_CALLBACK);
    }
}

static int64_t sweep_every(const qn_loop *l)
{
    int64_t every = SWEEP_US;
    for (size_t i = 0; i < l->n_lanes; i++) {
        int64_t silence = l->lanes[i]->model ? l->lanes[i]->model->silence_ms * 1000 : every;
        if (silence / 4 < every) every = silence / 4 > 5000 ? silence / 4 : 5000;
    }
    return every;
}

/* ---- sending ---- */
static double tokens_of(const qn_ask *ask) { return (double)(ask->body.n / 4) + ask->max_tokens; }

static void send_one(qn_loop *l, lane *ln)
{
    flight *f = take_first(l, ln);
    f->sent_us = l->now_us;
    if (!f->first_us) f->first_us = l->now_us;
    f->tokens = ln->pace.limits.max_tpm > 0 ? tokens_of(&f->call->ask) : 0;
    f->seq = ++ln->next_seq;
    if (ln->progress_us == 0) ln->progress_us = l->now_us;
    if (!qn_transfer_start(l, f)) { fail(l, f, QN_STR("curl could not start the request"), false); return; }
    qn_pace_sent(&ln->pace, l->now_us, f->tokens);
    f->sends++;
    l->now.sent++;
    l->now.in_flight++;
}

/* Sends what the paces let go; returns when it is worth asking again. */
static int64_t send_waiting(qn_loop *l, bool *sent)
{
    int64_t again = INT64_MAX, at;
    for (size_t i = 0; i < l->n_active;) {
        lane *ln = l->active[i];
        if (ln->pace.dead && l->now_us < ln->pace.probe_us) lane_fail_waiting(l, ln);
        while (ln->waiting && qn_pace_may_send(&ln->pace, l->now_us, ln->pace.limits.max_tpm > 0 ? tokens_of(&ln->waiting->call->ask) : 0, &at)) {
            send_one(l, ln);
            *sent = true;
        }
        if (!ln->waiting) { ln->active = false; l->active[i] = l->active[--l->n_active]; continue; }
        if (at < again) again = at;
        i++;
    }
    return again;
}

/* ---- curl and epoll ---- */
static uint8_t events_of(int what) { return (uint8_t)((what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0)); }

static void watch(qn_loop *l, int fd, uint8_t want)
{
    fd_watch *w = &l->fds[fd];
    struct epoll_event ev = { .events = want, .data.fd = fd };
    if (w->have == want) return;
    int rc = epoll_ctl(l->epoll, w->have ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev);
    if (rc != 0 && errno == EEXIST) rc = epoll_ctl(l->epoll, EPOLL_CTL_MOD, fd, &ev);
    else if (rc != 0 && errno == ENOENT) rc = epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev);
    w->have = rc == 0 ? want : 0;
}

static void unwatch(qn_loop *l, int fd)
{
    if (l->fds[fd].have) epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
    l->fds[fd].have = 0;
}

/* A connection that curl lets go of stays registered: the next request on it asks for the same events, which saves two system calls each. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    pool *n = arg;
    qn_loop *l = n->loop;
    (void)easy;
    (void)socket_arg;
    qn_fd_watch_of(l, fd)->net = (uint8_t)n->index;
    l->fds[fd].want = what == CURL_POLL_REMOVE ? 0 : events_of(what);
    if (l->fds[fd].want) watch(l, fd, l->fds[fd].want);
    else if (!l->fds[fd].ours) unwatch(l, fd);      /* a resolver's: curl closes it without telling */
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
    pool *n = arg;
    (void)multi;
    n->timer_us = ms < 0 ? INT64_MAX : n->loop->now_us + (int64_t)ms * 1000;
    return 0;
}

static void on_event(qn_loop *l, const struct epoll_event *ev)
{
    int fd = ev->data.fd, running;
    if (fd == WAKE) { uint64_t n; if (read(l->wake, &n, sizeof n) < 0) { /* already taken */ } return; }
    if ((size_t)fd >= l->cap_fds || !l->fds[fd].have) return;
    if (l->fds[fd].wire) { qn_wire_event(l, l->fds[fd].wire, ev->events); return; }
    if (!l->fds[fd].want) { unwatch(l, fd); return; }   /* an idle connection was closed by the other side: curl sees it when it wants it */
    int bits = (ev->events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) | (ev->events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
             | (ev->events & EPOLLERR ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(l->nets[l->fds[fd].net].multi, fd, bits, &running);
}

static void run_curl_timers(qn_loop *l, bool now)
{
    int running;
    for (int i = 0; i < N_NETS; i++) {
        if (!now && l->nets[i].timer_us > l->now_us) continue;
        if (l->nets[i].timer_us == INT64_MAX) continue;
        l->nets[i].timer_us = INT64_MAX;
        curl_multi_socket_action(l->nets[i].multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

/* ---- the thread ---- */
static void take_in(qn_loop *l, qn_call *c)
{
    for (qn_call *next; c; c = next) {
        next = c->next;
        c->next = NULL;
        flight *f = QN_ARENA_NEW(&c->arena, flight);
        f->call = c;
        c->loop_private = f;
        c->reply = (qn_reply){ .status = QN_REPLY_FAILED };
        l->now.submitted++;
        if (!is_web(&c->ask) && (!c->ask.model || !c->ask.model->url)) { fail(l, f, QN_STR("this role has no model"), false); continue; }
        if (l->stopping) { fail(l, f, QN_STR("stopped"), false); continue; }
        f->lane = lane_of(l, &c->ask);
        wait_last(l, f);
    }
}

static void begin_stop(qn_loop *l, int64_t grace_ms)
{
    int64_t at = l->now_us + grace_ms * 1000;
    if (l->stopping) { if (at < l->stop_at_us) l->stop_at_us = at; return; }
    l->stopping = true;
    l->stop_at_us = at;
    for (size_t i = 0; i < l->n_lanes; i++)
        while (l->lanes[i]->waiting) fail(l, take_first(l, l->lanes[i]), QN_STR("stopped"), false);
    while (l->n_resting) fail(l, rest_pop(l), QN_STR("stopped"), false);
}

static void publish(qn_loop *l)
{
    l->now.window = 0;
    l->now.paused = false;
    for (size_t i = 0; i < l->n_lanes; i++) {
        const lane *ln = l->lanes[i];
        if (!ln->model) continue;
        l->now.window += qn_pace_window(&ln->pace);
        if (!ln->pace.open || l->now.paused) continue;
        l->now.paused = true;
        snprintf(l->now.paused_why, sizeof l->now.paused_why, "%.159s", ln->why_text);
    }
    pthread_mutex_lock(&l->lock);
    l->stats = l->now;
    pthread_mutex_unlock(&l->lock);
}

static void hand_out(qn_loop *l)
{
    qn_call *calls = l->finished;
    publish(l);
    if (!calls) return;
    l->finished = NULL;
    l->last_finished = &l->finished;
    l->done(l->arg, calls);
}

static int64_t earliest(int64_t a, int64_t b) { return a < b ? a : b; }

static int wait_ms(qn_loop *l, int64_t again_us)
{
    int64_t at = again_us;
    for (int i = 0; i < N_NETS; i++) at = earliest(at, l->nets[i].timer_us);
    if (l->n_resting) at = earliest(at, l->resting[0]->wake_us);
    if (l->first_flying) at = earliest(at, l->sweep_us);
    if (l->stopping && l->first_flying) at = earliest(at, l->stop_at_us);
    if (at == INT64_MAX) return -1;
    int64_t ms = (at - qn_now_us() + 999) / 1000;
    return ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;
}

static bool step(qn_loop *l)
{
    struct epoll_event ev[256];
    bool sent = false;
    pthread_mutex_lock(&l->lock);
    qn_call *in = l->inbox;
    l->inbox = NULL;
    l->last_inbox = &l->inbox;
    bool stop = l->stop, quit = l->quit;
    int64_t grace_ms = l->grace_ms;
    pthread_mutex_unlock(&l->lock);

    l->now_us = qn_now_us();
    if (stop) begin_stop(l, grace_ms);
    take_in(l, in);
    while (l->n_resting && l->resting[0]->wake_us <= l->now_us) wait_first(l, rest_pop(l));
    int64_t again = send_waiting(l, &sent);
    run_curl_timers(l, sent);
    reap(l);
    if (l->now_us >= l->sweep_us || (l->stopping && l->now_us >= l->stop_at_us)) { sweep(l); l->sweep_us = l->now_us + sweep_every(l); }
    bool more = l->finished != NULL && l->n_active > 0;     /* room was made: try to send before sleeping */
    hand_out(l);
    if (quit && !l->first_flying && !l->n_active && !l->n_resting) return false;
    int n = epoll_wait(l->epoll, ev, 256, more ? 0 : wait_ms(l, again));
    l->now_us = qn_now_us();
    for (int i = 0; i < n; i++) on_event(l, &ev[i]);
    reap(l);
    return true;
}

static void run(void *arg)
{
    while (step(arg)) { }
}

/* ---- from outside ---- */
static int raise_socket_limit(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0) return 900;
    if (r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max < 65536 ? r.rlim_max : 65536;
        setrlimit(RLIMIT_NOFILE, &r);
        getrlimit(RLIMIT_NOFILE, &r);
    }
    return r.rlim_cur > 256 ? (int)(r.rlim_cur > 66000 ? 66000 : r.rlim_cur) - 128 : 64;
}

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static void curl_start(void) { curl_global_init(CURL_GLOBAL_ALL); }

static qn_code nets_open(qn_loop *l, qn_err *e)
{
    for (int i = 0; i < N_NETS; i++) {
        pool *n = &l->nets[i];
        *n = (pool){ .loop = l, .index = i, .multi = curl_multi_init(), .timer_us = INT64_MAX };
        if (!n->multi) return qn_fail(e, QN_EMODEL, "libcurl cannot be started");
        curl_multi_setopt(n->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
        curl_multi_setopt(n->multi, CURLMOPT_SOCKETDATA, n);
        curl_multi_setopt(n->multi, CURLMOPT_TIMERFUNCTION, on_timer);
        curl_multi_setopt(n->multi, CURLMOPT_TIMERDATA, n);
        curl_multi_setopt(n->multi, CURLMOPT_MAXCONNECTS, i == NET_MODEL ? 16384L : 64L);
    }
    return QN_OK;
}

static void loop_free(qn_loop *l)
{
    for (size_t i = 0; i < l->n_lanes; i++) qn_lane_release(l, l->lanes[i]);
    for (int i = 0; i < N_NETS; i++) if (l->nets[i].multi) curl_multi_cleanup(l->nets[i].multi);
    if (l->epoll >= 0) close(l->epoll);
    if (l->wake >= 0) close(l->wake);
    pthread_mutex_destroy(&l->lock);
    qn_free(l->fds);
    qn_free(l->lanes);
    qn_free(l->active);
    qn_free(l->resting);
    qn_buf_free(&l->scratch);
    qn_arena_free(&l->arena);
    qn_free(l);
}

qn_code qn_loop_open(qn_loop **out, void (*done)(void *, qn_call *), void *arg, qn_err *e)
{
    pthread_once(&curl_once, curl_start);
    qn_loop *l = QN_NEW(qn_loop);
    l->done = done;
    l->arg = arg;
    l->last_inbox = &l->inbox;
    l->last_finished = &l->finished;
    l->max_sockets = raise_socket_limit();
    l->rng = qn_rng_seed((uint64_t)qn_now_us() ^ (uint64_t)getpid() << 32);     /* jitter only: nothing of it reaches a row */
    l->now_us = qn_now_us();
    pthread_mutex_init(&l->lock, NULL);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event ev = { .events = EPOLLIN, .data.fd = WAKE };
    if (l->epoll < 0 || l->wake < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wake, &ev) != 0 || nets_open(l, e) != QN_OK) {
        loop_free(l);
        return qn_fail(e, QN_EMODEL, "the network loop cannot be started: %s", strerror(errno));
    }
    l->thread = qn_thread_start("loop", run, l);
    *out = l;
    return QN_OK;
}

static void wake_up(qn_loop *l)
{
    uint64_t one = 1;
    if (write(l->wake, &one, sizeof one) < 0) { /* full: it is awake */ }
}

/* The network of a folder, begun when it is first asked. Under the lock. */
static qn_net *own_net(qn_loop *l, const char *folder, bool bf16)
{
    for (size_t i = 0; i < l->n_own; i++) if (strcmp(l->own[i].folder, folder) == 0 && l->own[i].bf16 == bf16) return l->own[i].net;
    QN_GROW(l->own, l->n_own, l->cap_own);
    l->own[l->n_own].folder = qn_strz(qn_str_of(folder));
    l->own[l->n_own].bf16 = bf16;
    l->own[l->n_own].net = qn_net_new(folder, bf16, 0, l->done, l->arg);
    if (l->stop) qn_net_stop(l->own[l->n_own].net);
    return l->own[l->n_own++].net;
}

/* Takes the calls to models that run here off the list; gives the rest. */
static qn_call *submit_own(qn_loop *l, qn_call *calls)
{
    qn_call *rest = NULL, **tail = &rest;
    pthread_mutex_lock(&l->lock);
    for (qn_call *c = calls; c;) {
        const qn_model *m = is_web(&c->ask) ? NULL : c->ask.model;
        qn_call *first = c, *last = c;
        if (!m || !m->folder) { *tail = c; tail = &c->next; c = c->next; continue; }
        uint64_t n = 1;
        for (; last->next && !is_web(&last->next->ask) && last->next->ask.model == m; last = last->next) n++;
        c = last->next;
        last->next = NULL;
        l->own_sent += n;
        qn_net_submit(own_net(l, m->folder, m->bf16), first);
    }
    *tail = NULL;
    pthread_mutex_unlock(&l->lock);
    return rest;
}

void qn_loop_submit(qn_loop *l, qn_call *calls)
{
    calls = submit_own(l, calls);
    if (!calls) return;
    qn_call *last = calls;
    while (last->next) last = last->next;
    pthread_mutex_lock(&l->lock);
    bool asleep = l->inbox == NULL;
    *l->last_inbox = calls;
    l->last_inbox = &last->next;
    pthread_mutex_unlock(&l->lock);
    if (asleep) wake_up(l);
}

void qn_loop_stop(qn_loop *l, int64_t grace_ms)
{
    pthread_mutex_lock(&l->lock);
    l->grace_ms = l->stop && l->grace_ms < grace_ms ? l->grace_ms : grace_ms;
    l->stop = true;
    for (size_t i = 0; i < l->n_own; i++) qn_net_stop(l->own[i].net);
    pthread_mutex_unlock(&l->lock);
    wake_up(l);
}

void qn_loop_stats_get(qn_loop *l, qn_loop_stats *out)
{
    pthread_mutex_lock(&l->lock);
    *out = l->stats;
    out->sent += l->own_sent;
    pthread_mutex_unlock(&l->lock);
}

void qn_loop_close(qn_loop *l)
{
    if (!l) return;
    qn_loop_stop(l, 0);
    pthread_mutex_lock(&l->lock);
    l->quit = true;
    pthread_mutex_unlock(&l->lock);
    wake_up(l);
    qn_thread_join(l->thread);
    for (size_t i = 0; i < l->n_own; i++) {
        qn_net_free(l->own[i].net);
        qn_free((char *)(uintptr_t)l->own[i].folder);
    }
    qn_free(l->own);
    loop_free(l);
}
