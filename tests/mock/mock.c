/* mock: the server's sockets and timers. Ends with its parent, or after --seconds. */
#include "mock.h"
#include "core/clock.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

settings mock = { .piece_bytes = 16, .structured = true };

typedef struct conn {
    int    fd;
    bool   busy, waiting, want_out;         /* a request is being answered; it waits for a free slot */
    qn_buf in, out;
    size_t out_at, consumed;
    answer a;
    int64_t due_us;
    size_t heap_at;                         /* 0: no timer */
    struct conn *next_waiting;
} conn;

static struct {
    int epoll, listener, slots, log_fd;
    rule *rules;
    conn **heap; size_t n_heap, cap_heap;   /* heap[1..n_heap] by due_us */
    conn *waiting, **last_waiting;
    uint64_t requests, replies, in_flight, max_in_flight, connections, open_connections, max_connections, bytes_in;
    uint64_t by_status[600];
    qn_buf log;
} server;

/* ---- timers: a binary heap ---- */
static void heap_place(size_t i, conn *c) { server.heap[i] = c; c->heap_at = i; }

static void heap_up(size_t i)
{
    conn *c = server.heap[i];
    for (; i > 1 && server.heap[i / 2]->due_us > c->due_us; i /= 2) heap_place(i, server.heap[i / 2]);
    heap_place(i, c);
}

static void heap_down(size_t i)
{
    conn *c = server.heap[i];
    for (size_t k; (k = i * 2) <= server.n_heap; i = k) {
        if (k < server.n_heap && server.heap[k + 1]->due_us < server.heap[k]->due_us) k++;
        if (server.heap[k]->due_us >= c->due_us) break;
        heap_place(i, server.heap[k]);
    }
    heap_place(i, c);
}

static void timer_set(conn *c, int64_t due_us)
{
    c->due_us = due_us;
    QN_GROW(server.heap, server.n_heap + 1, server.cap_heap);
    server.heap[++server.n_heap] = c;
    heap_up(server.n_heap);
}

static void timer_clear(conn *c)
{
    size_t i = c->heap_at;
    if (!i) return;
    c->heap_at = 0;
    conn *last = server.heap[server.n_heap--];
    if (last == c) return;
    heap_place(i, last);
    heap_up(i);
    heap_down(last->heap_at);
}

/* ---- connections ---- */
static void watch(conn *c, bool out)
{
    if (c->want_out == out) return;
    c->want_out = out;
    struct epoll_event ev = { .events = EPOLLIN | (out ? EPOLLOUT : 0u), .data.ptr = c };
    epoll_ctl(server.epoll, EPOLL_CTL_MOD, c->fd, &ev);
}

static void waiting_remove(conn *c)
{
    conn **p = &server.waiting;
    while (*p && *p != c) p = &(*p)->next_waiting;
    if (*p) *p = c->next_waiting;
    server.last_waiting = &server.waiting;
    while (*server.last_waiting) server.last_waiting = &(*server.last_waiting)->next_waiting;
    c->waiting = false;
}

static void conn_close(conn *c)
{
    if (c->waiting) waiting_remove(c);
    else if (c->busy) server.in_flight--;
    timer_clear(c);
    if (c->busy && c->a.reset) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    close(c->fd);
    server.open_connections--;
    qn_buf_free(&c->in);
    qn_buf_free(&c->out);
    qn_free(c);
}

static bool serve(conn *c);

/* Sends what is due; true while the connection lives. */
static bool conn_send(conn *c)
{
    size_t end = c->out.n < c->a.send_bytes ? c->out.n : c->a.send_bytes;
    while (c->out_at < end) {
        size_t n = end - c->out_at;
        if (c->a.drip_ms > 0 && n > c->a.drip_bytes) n = c->a.drip_bytes;
        ssize_t k = send(c->fd, c->out.p + c->out_at, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0 && errno == EAGAIN) { watch(c, true); return true; }
        if (k < 0) { conn_close(c); return false; }
        c->out_at += (size_t)k;
        if (c->a.drip_ms > 0 && c->out_at < end) { timer_set(c, qn_now_us() + (int64_t)(c->a.drip_ms * 1000)); return true; }
    }
    watch(c, false);
    server.replies++;
    if (c->a.close) { conn_close(c); return false; }
    server.in_flight--;
    c->busy = false;
    qn_buf_clear(&c->out);
    c->out_at = 0;
    if (server.slots && server.waiting) {
        conn *w = server.waiting;
        waiting_remove(w);
        server.in_flight++;
        timer_set(w, qn_now_us() + (int64_t)(w->a.latency_ms * 1000));
    }
    return true;
}

static void conn_start(conn *c)
{
    c->busy = true;
    if (server.slots && server.in_flight >= (uint64_t)server.slots) {
        c->waiting = true;
        c->next_waiting = NULL;
        *server.last_waiting = c;
        server.last_waiting = &c->next_waiting;
        return;
    }
    if (++server.in_flight > server.max_in_flight) server.max_in_flight = server.in_flight;
    if (c->a.hang) return;
    if (c->a.latency_ms > 0) timer_set(c, qn_now_us() + (int64_t)(c->a.latency_ms * 1000));
}

static void log_request(const request *rq)
{
    if (server.log_fd < 0) return;
    qn_buf *b = &server.log;
    qn_buf_clear(b);
    qn_buf_printf(b, "{\"n\":%llu,\"at_ms\":%lld,\"method\":", (unsigned long long)rq->number, (long long)(qn_now_us() / 1000));
    json_text(b, rq->method);
    qn_buf_puts(b, ",\"path\":"); json_text(b, rq->path);
    qn_buf_puts(b, ",\"query\":"); json_text(b, rq->query);
    qn_buf_puts(b, ",\"authorization\":"); json_text(b, rq->authorization);
    if (rq->token.n) { qn_buf_puts(b, ",\"token\":"); json_text(b, rq->token); }
    qn_buf_puts(b, ",\"body\":");
    if (rq->doc && !memchr(rq->body.p, '\n', rq->body.n)) qn_buf_str(b, rq->body); else json_text(b, rq->body);
    qn_buf_puts(b, "}\n");
    if (write(server.log_fd, b->p, b->n) < 0) perror("mock: log");
}

static qn_str header_value(qn_str head, const char *name)
{
    size_t k = strlen(name);
    for (const char *p = head.p, *end = head.p + head.n; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        if (!nl) nl = end;
        if ((size_t)(nl - p) > k && p[k] == ':' && strncasecmp(p, name, k) == 0)
            return qn_str_trim((qn_str){ p + k + 1, (size_t)(nl - p) - k - 1 });
        p = nl + 1;
    }
    return (qn_str){ "", 0 };
}

/* Takes one request out of the buffer, when it is whole. 1 taken, 0 not yet, -1 broken. */
static int take_request(conn *c, request *rq)
{
    qn_str in = qn_str_sub(qn_buf_view(&c->in), c->consumed, c->in.n);
    const char *end = in.n ? memmem(in.p, in.n, "\r\n\r\n", 4) : NULL;
    if (in.n && in.p[0] == 0x16) {      /* a TLS hello: answer as web servers do */
        static const char no[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        if (send(c->fd, no, sizeof no - 1, MSG_NOSIGNAL) < 0) perror("mock: send");
        return -1;
    }
    if (!end) return in.n > (1 << 16) ? -1 : 0;
    qn_str head = { in.p, (size_t)(end - in.p) + 2 };
    int64_t length = 0;
    qn_str said = header_value(head, "Content-Length"), expect = header_value(head, "Expect");
    if (said.n && (!qn_str_to_i64(said, &length) || length < 0 || length > (256 << 20))) return -1;
    if (in.n < head.n + 2 + (size_t)length) {
        if (expect.n && in.n == head.n + 2) { if (send(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL) < 0) return -1; }
        return 0;
    }
    const char *sp = memchr(head.p, ' ', head.n), *sp2 = sp ? memchr(sp + 1, ' ', head.n - (size_t)(sp + 1 - head.p)) : NULL;
    if (!sp2) return -1;
    rq->method = (qn_str){ head.p, (size_t)(sp - head.p) };
    rq->path = (qn_str){ sp + 1, (size_t)(sp2 - sp - 1) };
    const char *q = memchr(rq->path.p, '?', rq->path.n);
    rq->query = q ? qn_str_sub(rq->path, (size_t)(q - rq->path.p) + 1, rq->path.n) : (qn_str){ "", 0 };
    if (q) rq->path.n = (size_t)(q - rq->path.p);
    rq->authorization = header_value(head, "Authorization");
    rq->content_type = header_value(head, "Content-Type");
    rq->token = header_value(head, "X-Subscription-Token");
    rq->body = qn_str_sub(in, head.n + 2, head.n + 2 + (size_t)length);
    c->consumed += head.n + 2 + (size_t)length;
    return 1;
}

/* Answers whole requests in the buffer, one after another; true while the connection lives. */
static bool serve(conn *c)
{
    static request rq;
    while (!c->busy) {
        qn_buf joined = rq.joined;
        rq = (request){ .joined = joined };
        int got = take_request(c, &rq);
        if (got < 0) { conn_close(c); return false; }
        if (got == 0) break;
        rq.number = ++server.requests;
        server.bytes_in += rq.body.n;
        request_understand(&rq);
        log_request(&rq);
        answer_make(&c->out, &c->a, &rq, server.rules);
        server.by_status[c->a.status < 600 ? c->a.status : 0]++;
        request_release(&rq);
        conn_start(c);
        if (c->waiting || c->a.hang || c->a.latency_ms > 0) break;
        if (!conn_send(c)) return false;
    }
    if (c->consumed == c->in.n) { qn_buf_clear(&c->in); c->consumed = 0; }
    return true;
}

static void conn_readable(conn *c)
{
    for (;;) {
        qn_buf_reserve(&c->in, 8192);
        size_t room = c->in.cap - c->in.n - 1;
        ssize_t k = recv(c->fd, c->in.p + c->in.n, room, 0);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0 && errno == EAGAIN) break;
        if (k <= 0) { conn_close(c); return; }
        c->in.n += (size_t)k;
        c->in.p[c->in.n] = 0;
        if ((size_t)k < room) break;
    }
    if (!c->busy) serve(c);
}

static void accept_all(void)
{
    for (int fd; (fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        conn *c = QN_NEW(conn);
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
        epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &ev);
        server.connections++;
        if (++server.open_connections > server.max_connections) server.max_connections = server.open_connections;
    }
}

static void run_timers(void)
{
    int64_t now = qn_now_us();
    while (server.n_heap && server.heap[1]->due_us <= now) {
        conn *c = server.heap[1];
        timer_clear(c);
        if (conn_send(c) && !c->busy) serve(c);
    }
}

void stats_write(qn_buf *b)
{
    qn_buf_printf(b, "{\"requests\":%llu,\"replies\":%llu,\"max_in_flight\":%llu,\"connections\":%llu,\"max_connections\":%llu,"
                  "\"cpu_seconds\":%.3f,\"by_status\":{", (unsigned long long)server.requests - 1, (unsigned long long)server.replies,
                  (unsigned long long)server.max_in_flight, (unsigned long long)server.connections,
                  (unsigned long long)server.max_connections, qn_cpu_seconds());
    bool first = true;
    for (int s = 0; s < 600; s++) if (server.by_status[s]) { qn_buf_printf(b, "%s\"%d\":%llu", first ? "" : ",", s, (unsigned long long)server.by_status[s]); first = false; }
    qn_buf_puts(b, "}}");
}

static _Noreturn void usage(void)
{
    fputs("mock [--port N] [--script FILE] [--log FILE] [--latency MS] [--per-token MS] [--reply TEXT] [--slots N] [--context TOKENS]\n"
          "     [--piece BYTES] [--no-stream] [--strict-stream] [--ignore-format] [--strict-format | --strict-format-500] [--seconds N]\n"
          "     [--batch-ms MS] [--no-batch-list] [--no-metadata]\n"
          "prints its port; ends with its parent or after --seconds (600)\n", stderr);
    exit(2);
}

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 4096) != 0) { perror("mock: listen"); exit(1); }
    socklen_t n = sizeof at;
    getsockname(fd, (struct sockaddr *)&at, &n);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    int port = 0, seconds = 600;
    const char *script = NULL;
    server.log_fd = -1;
    server.last_waiting = &server.waiting;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (strcmp(a, "--no-stream") == 0) { mock.no_stream = true; continue; }
        if (strcmp(a, "--strict-stream") == 0) { mock.strict_stream = true; continue; }
        if (strcmp(a, "--ignore-format") == 0) { mock.structured = false; continue; }
        if (strcmp(a, "--no-batch-list") == 0) { mock.no_batch_list = true; continue; }
        if (strcmp(a, "--no-metadata") == 0) { mock.no_metadata = true; continue; }
        if (strcmp(a, "--strict-format") == 0) { mock.strict_format = 1; continue; }
        if (strcmp(a, "--strict-format-500") == 0) { mock.strict_format = 2; continue; }
        if (i + 1 >= argc) usage();
        const char *v = argv[++i];
        if (strcmp(a, "--port") == 0) port = atoi(v);
        else if (strcmp(a, "--script") == 0) script = v;
        else if (strcmp(a, "--log") == 0) server.log_fd = open(v, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        else if (strcmp(a, "--latency") == 0) mock.latency_ms = atof(v);
        else if (strcmp(a, "--per-token") == 0) mock.per_token_ms = atof(v);
        else if (strcmp(a, "--batch-ms") == 0) mock.batch_ms = atof(v);
        else if (strcmp(a, "--reply") == 0) mock.reply = v;
        else if (strcmp(a, "--slots") == 0) server.slots = atoi(v);
        else if (strcmp(a, "--context") == 0) mock.context = (size_t)atoi(v);
        else if (strcmp(a, "--piece") == 0) mock.piece_bytes = (size_t)atoi(v);
        else if (strcmp(a, "--seconds") == 0) seconds = atoi(v);
        else usage();
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm((unsigned)seconds);
    signal(SIGPIPE, SIG_IGN);
    server.rules = script_read(script);
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    server.listener = listen_on(port);
    epoll_ctl(server.epoll, EPOLL_CTL_ADD, server.listener, &(struct epoll_event){ .events = EPOLLIN });
    for (;;) {
        struct epoll_event ev[512];
        int wait_ms = -1;
        if (server.n_heap) {
            int64_t left = server.heap[1]->due_us - qn_now_us();
            wait_ms = left <= 0 ? 0 : (int)((left + 999) / 1000);
        }
        int n = epoll_wait(server.epoll, ev, 512, wait_ms);
        for (int i = 0; i < n; i++) {
            conn *c = ev[i].data.ptr;
            if (!c) { accept_all(); continue; }
            if (ev[i].events & EPOLLOUT) { if (!conn_send(c)) continue; if (!c->busy) serve(c); continue; }
            conn_readable(c);
        }
        run_timers();
    }
}
