/* wire: HTTP/1.1 over a plain socket, for model servers at http:// and a numeric address. libcurl takes 21 us of CPU for such a request, this
 * takes 2 (the kernel's 17 come on top of either); that is half of what a run of short replies costs. TLS, proxies, names, redirects and pages
 * stay with libcurl. Ends an attempt with the CURLcode that libcurl would have given, so that one judge serves both.
 *
 *   idle (in the lane's stack) -> [connecting ->] sending -> reading -> idle, or closed when the answer said so or anything went wrong */
#include "model/loop_private.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

struct wire {
    int      fd;
    lane    *lane;
    slot    *slot;              /* NULL: idle */
    wire    *next, *prev;       /* idle ones of the lane */
    qn_http_read in;
    size_t   sent;              /* bytes of head and body */
    bool     connecting, used;  /* used: it has carried an answer before */
    bool     got_any;
};

/* ---- is it for us? ---- */
static bool numeric_address(qn_str host, struct sockaddr_storage *out, socklen_t *n)
{
    char name[80];
    int port = 80;
    const char *colon = host.n ? memrchr(host.p, ':', host.n) : NULL;
    bool v6 = host.n && host.p[0] == '[';
    if (v6 && colon && memchr(colon, ']', (size_t)(host.p + host.n - colon))) colon = NULL;
    qn_str ip = colon ? qn_str_sub(host, 0, (size_t)(colon - host.p)) : host;
    if (v6 && ip.n > 2) ip = qn_str_sub(ip, 1, ip.n - 1);
    if (colon) port = atoi(colon + 1);
    if (ip.n >= sizeof name || port < 1 || port > 65535) return false;
    memcpy(name, ip.p, ip.n);
    name[ip.n] = 0;
    memset(out, 0, sizeof *out);
    struct sockaddr_in *a4 = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)(void *)out;
    if (!v6 && inet_pton(AF_INET, name, &a4->sin_addr) == 1) { a4->sin_family = AF_INET; a4->sin_port = htons((uint16_t)port); *n = sizeof *a4; return true; }
    if (v6 && inet_pton(AF_INET6, name, &a6->sin6_addr) == 1) { a6->sin6_family = AF_INET6; a6->sin6_port = htons((uint16_t)port); *n = sizeof *a6; return true; }
    return false;
}

static bool env_proxy(void)
{
    return getenv("http_proxy") || getenv("all_proxy") || getenv("ALL_PROXY");
}

/* The lines that are the same for every request of one kind. */
static char *head_of(const lane *ln, int kind)
{
    qn_buf b = {0};
    const char *path = strstr(ln->urls[kind], "://");
    path = path ? strchr(path + 3, '/') : NULL;
    qn_buf_printf(&b, "POST %s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: quern/1\r\nAccept: */*\r\n", path ? path : "/", QN_FMT(ln->host));
    for (const struct curl_slist *h = ln->headers; h; h = h->next)
        if (!qn_str_ends(qn_str_of(h->data), QN_STR(":"))) qn_buf_printf(&b, "%s\r\n", h->data);    /* `Name:` alone takes a header away in curl's lists */
    qn_buf_puts(&b, "Content-Length: ");
    return b.p;
}

void qn_wire_set_up(lane *ln)
{
    const qn_model *m = ln->model;
    if (ln->net != NET_MODEL || !m || m->proxy || !qn_str_starts(qn_str_of(m->url), QN_STR("http://"))) return;
    if (qn_url_has_password(qn_str_of(m->url)) || (env_proxy() && !qn_host_is_loopback(ln->host))) return;
    if (!numeric_address(ln->host, &ln->address, &ln->address_bytes)) return;
    for (int k = 0; k < 3; k++) ln->heads[k] = head_of(ln, k);
    ln->plain = true;
}

/* ---- connections ---- */
static void wire_close(qn_loop *l, wire *w)
{
    if (!w->slot) {             /* out of the idle ones */
        *(w->prev ? &w->prev->next : &w->lane->idle) = w->next;
        if (w->next) w->next->prev = w->prev;
    } else w->slot->wire_conn = NULL;
    l->fds[w->fd] = (fd_watch){0};
    close(w->fd);
    qn_http_read_free(&w->in);
    qn_free(w);
}

void qn_wire_lane_release(qn_loop *l, lane *ln)
{
    while (ln->idle) wire_close(l, ln->idle);
    for (int k = 0; k < 3; k++) qn_free(ln->heads[k]);
}

static void want(qn_loop *l, wire *w, uint32_t events)
{
    fd_watch *f = qn_fd_watch_of(l, w->fd);
    struct epoll_event ev = { .events = events, .data.fd = w->fd };
    if (f->have == events) return;
    epoll_ctl(l->epoll, f->have ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, w->fd, &ev);
    f->have = (uint8_t)events;
}

static wire *wire_open(qn_loop *l, lane *ln, int *error)
{
    int fd = socket(ln->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) { *error = errno; return NULL; }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
    if (connect(fd, (struct sockaddr *)&ln->address, ln->address_bytes) != 0 && errno != EINPROGRESS) { *error = errno; close(fd); return NULL; }
    wire *w = QN_NEW(wire);
    *w = (wire){ .fd = fd, .lane = ln, .connecting = true };
    *qn_fd_watch_of(l, fd) = (fd_watch){ .ours = true, .wire = w };
    return w;
}

/* ---- an attempt ends: the loop judges it after the events at hand ---- */
static void end(qn_loop *l, slot *s, CURLcode code, const char *words)
{
    if (words) snprintf(s->error, sizeof s->error, "%s", words);
    s->code = code;
    s->next_ended = NULL;
    *(l->last_ended ? &l->last_ended->next_ended : &l->first_ended) = s;
    l->last_ended = s;
}

/* A kept connection that the server closed before it saw the request: once more on a fresh one, as libcurl does. */
static bool again_on_fresh(qn_loop *l, wire *w)
{
    slot *s = w->slot;
    if (!w->used || w->got_any) return false;
    wire_close(l, w);
    qn_wire_start(l, s, true);
    return true;
}

static void fail(qn_loop *l, wire *w, CURLcode code, int error)
{
    if (!w->connecting && again_on_fresh(l, w)) return;
    slot *s = w->slot;
    wire_close(l, w);
    end(l, s, code, error ? strerror(error) : NULL);
}

/* ---- sending ---- */
static void read_more(qn_loop *l, wire *w);

static size_t bytes_of(const slot *s) { return s->head.n + s->start.n + s->rest.n; }

static void send_more(qn_loop *l, wire *w)
{
    slot *s = w->slot;
    const qn_str parts[] = { qn_buf_view(&s->head), qn_buf_view(&s->start), s->rest };
    size_t total = bytes_of(s);
    while (w->sent < total) {
        struct iovec v[3];
        int n = 0;
        for (size_t i = 0, begin = 0; i < 3; begin += parts[i++].n) {
            size_t at = w->sent > begin ? w->sent - begin : 0;
            if (at < parts[i].n) v[n++] = (struct iovec){ (char *)(uintptr_t)parts[i].p + at, parts[i].n - at };
        }
        struct msghdr m = { .msg_iov = v, .msg_iovlen = (size_t)n };
        ssize_t k = sendmsg(w->fd, &m, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0 && (errno == EAGAIN || errno == ENOBUFS)) { want(l, w, EPOLLIN | EPOLLOUT); return; }
        if (k < 0) {                    /* it may have answered early, and closed: a 413 says more than a cut */
            int error = errno;
            read_more(l, w);
            if (s->wire_conn == w && w->in.state != QN_HTTP_DONE) fail(l, w, CURLE_SEND_ERROR, error);
            return;
        }
        w->sent += (size_t)k;
        s->last_us = l->now_us;     /* a long body on its way is no silence */
    }
    want(l, w, EPOLLIN);
}

void qn_wire_start(qn_loop *l, slot *s, bool fresh)
{
    lane *ln = s->lane;
    int error = 0;
    wire *w = fresh ? NULL : ln->idle;
    if (w) {
        ln->idle = w->next;
        if (w->next) w->next->prev = NULL;
    } else if (!(w = wire_open(l, ln, &error))) {
        end(l, s, CURLE_COULDNT_CONNECT, strerror(error));
        return;
    }
    w->slot = s;
    w->next = w->prev = NULL;
    w->sent = 0;
    w->got_any = false;
    s->wire_conn = w;
    qn_http_read_init(&w->in);
    qn_buf_clear(&s->head);
    qn_buf_puts(&s->head, ln->heads[s->flight->call->ask.kind]);
    qn_buf_printf(&s->head, "%zu\r\n\r\n", s->start.n + s->rest.n);
    if (w->connecting) want(l, w, EPOLLIN | EPOLLOUT);
    else send_more(l, w);
}

/* ---- reading ---- */
static bool take_body(void *arg, const char *p, size_t n) { return qn_transfer_body(arg, p, n); }

static void answer_done(qn_loop *l, wire *w, bool extra)
{
    slot *s = w->slot;
    s->http = w->in.status;
    if (extra || w->sent < bytes_of(s)) w->in.keep = false;
    end(l, s, CURLE_OK, NULL);          /* the connection stays with the slot until the judge has read its headers */
}

static void hung_up(qn_loop *l, wire *w)
{
    qn_http_read_eof(&w->in);
    if (w->in.state == QN_HTTP_DONE) { answer_done(l, w, false); return; }
    w->slot->http = w->in.status;
    fail(l, w, w->got_any ? CURLE_PARTIAL_FILE : CURLE_GOT_NOTHING, 0);
}

static void read_more(qn_loop *l, wire *w)
{
    slot *s = w->slot;
    for (int rounds = 0; rounds < 8; rounds++) {        /* others wait too */
        ssize_t n = recv(w->fd, l->in, sizeof l->in, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) { s->http = w->in.status; fail(l, w, CURLE_RECV_ERROR, errno); return; }
        if (n == 0) { hung_up(l, w); return; }
        w->got_any = true;
        s->last_us = s->lane->progress_us = l->now_us;
        size_t used = qn_http_read_feed(&w->in, l->in, (size_t)n, take_body, s);
        if (w->in.state == QN_HTTP_DONE) { answer_done(l, w, used < (size_t)n); return; }
        if (w->in.state == QN_HTTP_BROKEN) {
            s->http = w->in.status;
            fail(l, w, w->in.status ? (s->body.full ? CURLE_WRITE_ERROR : CURLE_RECV_ERROR) : CURLE_WEIRD_SERVER_REPLY, 0);
            return;
        }
        if ((size_t)n < sizeof l->in) return;
    }
}

void qn_wire_event(qn_loop *l, wire *w, uint32_t events)
{
    if (!w->slot) { wire_close(l, w); return; }         /* idle: closed by the other side, or talking out of turn */
    if (w->slot->wire_conn != w) return;
    if (w->connecting) {
        int error = 0;
        socklen_t n = sizeof error;
        getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &n);
        if (error) { fail(l, w, CURLE_COULDNT_CONNECT, error); return; }
        if (!(events & EPOLLOUT)) return;
        w->connecting = false;
    }
    if (w->in.state == QN_HTTP_DONE) return;            /* judged in a moment */
    if (events & EPOLLOUT) {
        slot *s = w->slot;
        send_more(l, w);
        if (s->wire_conn != w) return;                  /* it failed */
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_more(l, w);
}

/* The attempt is over: a whole answer leaves the connection for the next, anything else closes it. */
void qn_wire_finish(qn_loop *l, slot *s)
{
    wire *w = s->wire_conn;
    if (!w) return;
    if (w->in.state != QN_HTTP_DONE || !w->in.keep) { wire_close(l, w); return; }
    s->wire_conn = NULL;
    w->slot = NULL;
    w->used = true;
    w->next = w->lane->idle;
    w->prev = NULL;
    if (w->next) w->next->prev = w;
    w->lane->idle = w;
    want(l, w, EPOLLIN);
}

bool qn_wire_is_connecting(const slot *s) { return s->wire_conn && s->wire_conn->connecting; }

qn_str qn_wire_header(const slot *s, const char *name)
{
    return s->wire_conn ? qn_http_read_header(&s->wire_conn->in, name) : (qn_str){ NULL, 0 };
}
