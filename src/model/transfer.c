/* transfer: one attempt. A curl handle is set up once for its lane and used again: only body and address change.
 * HTTP/1.1 with keep-alive for http://, HTTP/2 where TLS offers it; certificates are checked; models are never followed elsewhere. */
#include "model/loop_private.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { MODEL_LIMIT = 256 << 20, WEB_LIMIT = 20 << 20, WHOLE_UP_TO = 16 << 10 };  /* a longer body is not copied: curl asks for it in pieces */

/* ---- callbacks ---- */
bool qn_transfer_body(slot *s, const char *p, size_t n)
{
    if (!s->first_byte_us) s->first_byte_us = s->loop->now_us;
    if (s->asked_stream && !s->sniffed) {
        if (!qn_buf_put(&s->body, p, n)) return false;
        if (s->body.n < 8 && !memchr(s->body.p, '\n', s->body.n)) return true;  /* too few to tell */
        s->sniffed = true;
        s->is_stream = qn_sse_looks(s->body.p, s->body.n);
        if (s->is_stream) { qn_sse_feed(&s->sse, s->body.p, s->body.n, &s->loop->scratch); qn_buf_clear(&s->body); }
        return true;
    }
    if (s->is_stream) { qn_sse_feed(&s->sse, p, n, &s->loop->scratch); return true; }
    return qn_buf_put(&s->body, p, n);
}

static size_t on_body(char *p, size_t one, size_t n, void *arg)
{
    slot *s = arg;
    (void)one;
    s->last_us = s->lane->progress_us = s->loop->now_us;
    return qn_transfer_body(s, p, n) ? n : 0;
}

static size_t on_send(char *to, size_t one, size_t room, void *arg)
{
    slot *s = arg;
    const qn_str parts[] = { qn_buf_view(&s->start), s->rest };
    size_t done = 0;
    room *= one;
    for (size_t i = 0, begin = 0; i < 2; begin += parts[i++].n) {
        size_t at = s->read_at - begin, n;
        if (s->read_at < begin || at >= parts[i].n) continue;
        n = parts[i].n - at < room - done ? parts[i].n - at : room - done;
        memcpy(to + done, parts[i].p + at, n);
        done += n;
        s->read_at += n;
    }
    s->last_us = s->loop->now_us;       /* a long body on its way is no silence */
    return done;
}

static int on_seek(void *arg, curl_off_t to, int from)     /* curl begins again on another connection */
{
    slot *s = arg;
    if (from != SEEK_SET || to < 0) return CURL_SEEKFUNC_FAIL;
    s->read_at = (size_t)to;
    return CURL_SEEKFUNC_OK;
}

fd_watch *qn_fd_watch_of(qn_loop *l, int fd)
{
    if ((size_t)fd >= l->cap_fds) {
        size_t was = l->cap_fds;
        QN_GROW(l->fds, fd, l->cap_fds);
        memset(l->fds + was, 0, (l->cap_fds - was) * sizeof *l->fds);
    }
    return &l->fds[fd];
}

/* The socket's real address is known here and nowhere earlier: names that point inside, and redirects, are caught. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *at)
{
    slot *s = arg;
    (void)purpose;
    if (s->lane->net == NET_WEB && qn_addr_is_private(&at->addr)) { s->blocked = true; return CURL_SOCKET_BAD; }
    int fd = socket(at->family, at->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->protocol);
    qn_loop *l = s->loop;
    if (fd < 0) return CURL_SOCKET_BAD;
    *qn_fd_watch_of(l, fd) = (fd_watch){ .ours = true };
    return fd;
}

static int on_close(void *arg, curl_socket_t fd)
{
    qn_loop *l = arg;
    if ((size_t)fd < l->cap_fds) l->fds[fd] = (fd_watch){0};
    return close(fd);
}

/* ---- a lane's addresses ---- */
static bool has_header(const qn_model *m, const char *name)
{
    size_t k = strlen(name);
    for (const char *const *h = m->headers; h && *h; h++) if (strncasecmp(*h, name, k) == 0 && (*h)[k] == ':') return true;
    return false;
}

void qn_lane_addresses(lane *ln)
{
    const qn_model *m = ln->model;
    qn_buf b = {0};
    ln->headers = curl_slist_append(ln->headers, "Expect:");
    if (!m) return;
    if (m->key && !has_header(m, "Authorization")) {
        qn_buf_printf(&b, "Authorization: Bearer %s", m->key);
        ln->headers = curl_slist_append(ln->headers, b.p);
    }
    if (!has_header(m, "Content-Type")) ln->headers = curl_slist_append(ln->headers, "Content-Type: application/json");
    for (const char *const *h = m->headers; h && *h; h++) ln->headers = curl_slist_append(ln->headers, *h);
    qn_buf_free(&b);
    const char *query = m->url ? strchr(m->url, '?') : NULL;        /* the path goes before the query */
    for (int k = 0; k < 3 && m->url; k++) {
        qn_buf u = {0};
        qn_buf_put(&u, m->url, query ? (size_t)(query - m->url) : strlen(m->url));
        qn_buf_puts(&u, qn_openai_path((qn_ask_kind)k));
        if (query) qn_buf_puts(&u, query);
        ln->urls[k] = u.p;
    }
    qn_wire_set_up(ln);
}

void qn_slot_free(slot *s)
{
    if (s->easy) curl_easy_cleanup(s->easy);
    qn_buf_free(&s->head);
    qn_buf_free(&s->start);
    qn_buf_free(&s->body);
    qn_sse_free(&s->sse);
    qn_free(s);
}

void qn_lane_release(qn_loop *l, lane *ln)
{
    qn_wire_lane_release(l, ln);
    for (slot *s = ln->free_slots; s;) { slot *next = s->next; qn_slot_free(s); s = next; }
    for (int k = 0; k < 3; k++) qn_free(ln->urls[k]);
    curl_slist_free_all(ln->headers);
    qn_free(ln);
}

/* ---- setting up ---- */
static void set_proxy(CURL *c, const lane *ln)
{
    if (ln->model && ln->model->proxy) curl_easy_setopt(c, CURLOPT_PROXY, ln->model->proxy);
    else if (qn_host_is_loopback(ln->host)) curl_easy_setopt(c, CURLOPT_PROXY, ""); /* http_proxy must not catch a server on this machine */
}

static slot *slot_new(qn_loop *l, lane *ln)
{
    slot *s = QN_NEW(slot);
    s->lane = ln;
    s->loop = l;
    if (ln->plain) return s;
    CURL *c = s->easy = curl_easy_init();
    if (!c) { qn_free(s); return NULL; }
    bool tls = ln->model && qn_url_is_https(qn_str_of(ln->model->url));
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PRIVATE, s);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(c, CURLOPT_READDATA, s);
    curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(c, CURLOPT_SEEKDATA, s);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, s->error);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, s);
    curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, l);
    curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 8192L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, 15000L);
    curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_USERAGENT, "quern/1");
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, ln->headers);
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, ln->net == NET_MODEL && !tls ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS);
    const char *authorities = getenv("SSL_CERT_FILE");      /* libcurl itself does not look at it */
    if (authorities && *authorities) curl_easy_setopt(c, CURLOPT_CAINFO, authorities);
    if (tls) curl_easy_setopt(c, CURLOPT_PIPEWAIT, 1L);
    if (tls || ln->net != NET_MODEL) curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
    set_proxy(c, ln);
    return s;
}

/* The model's url without its query, what was asked, then that query. */
static qn_str web_address(qn_arena *a, const qn_ask *ask)
{
    if (is_whole(ask)) return qn_arena_str(a, ask->url);
    const char *base = ask->model->url, *own = strchr(base, '?');
    bool more = ask->url.n && memchr(ask->url.p, '?', ask->url.n);
    return qn_arena_printf(a, "%.*s%.*s%s%s", own ? (int)(own - base) : (int)strlen(base), base, QN_FMT(ask->url), own ? (more ? "&" : "?") : "", own ? own + 1 : "");
}

static void set_request(slot *s, const qn_ask *ask, const lane *ln)
{
    CURL *c = s->easy;
    if (is_web(ask)) {
        qn_arena a = {0};
        curl_easy_setopt(c, CURLOPT_URL, web_address(&a, ask).p);           /* curl copies it */
        qn_arena_free(&a);
    } else curl_easy_setopt(c, CURLOPT_URL, ln->urls[ask->kind]);
    if (ask->kind == QN_ASK_GET) { curl_easy_setopt(c, CURLOPT_HTTPGET, 1L); return; }
    s->rest = qn_openai_body_start(ask, quirks_of(s->flight), &s->start);
    bool whole = s->rest.n < WHOLE_UP_TO;
    if (whole) { qn_buf_str(&s->start, s->rest); s->rest.n = 0; }
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, !whole ? NULL : s->start.p ? s->start.p : "");
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(s->start.n + s->rest.n));
}

static void fly(qn_loop *l, slot *s)        /* to the end of the list of those in flight */
{
    s->next = NULL;
    s->prev = l->last_flying;
    *(l->last_flying ? &l->last_flying->next : &l->first_flying) = s;
    l->last_flying = s;
}

static void land(qn_loop *l, slot *s)
{
    *(s->prev ? &s->prev->next : &l->first_flying) = s->next;
    *(s->next ? &s->next->prev : &l->last_flying) = s->prev;
}

static void buf_fresh(qn_buf *b, size_t limit)
{
    if (b->cap > (1 << 17)) qn_buf_free(b);
    qn_buf_clear(b);
    b->limit = limit;
    b->full = false;
}

bool qn_transfer_start(qn_loop *l, flight *f)
{
    lane *ln = f->lane;
    const qn_ask *ask = &f->call->ask;
    slot *s = ln->free_slots;
    if (s) ln->free_slots = s->next;
    else if (!(s = slot_new(l, ln))) return false;
    s->flight = f;
    f->slot = s;
    s->asked_stream = qn_openai_streams(ask, quirks_of(f));
    s->is_stream = s->sniffed = s->blocked = s->stopped = s->silent = s->late = s->unconnected = false;
    s->error[0] = 0;
    s->last_us = l->now_us;
    s->first_byte_us = 0;
    buf_fresh(&s->start, 0);
    s->rest = (qn_str){ "", 0 };
    s->read_at = 0;
    buf_fresh(&s->body, is_web(ask) ? (size_t)(ask->max_bytes > 0 ? ask->max_bytes : WEB_LIMIT) : MODEL_LIMIT);
    if (s->asked_stream) qn_sse_init(&s->sse);
    if (ln->plain) {
        s->http = 0;
        s->rest = qn_openai_body_start(ask, quirks_of(f), &s->start);
        fly(l, s);
        qn_wire_start(l, s, false);
        return true;
    }
    set_request(s, ask, ln);
    if (curl_multi_add_handle(l->nets[ln->net].multi, s->easy) != CURLM_OK) {
        s->next = ln->free_slots;
        ln->free_slots = s;
        return false;
    }
    fly(l, s);
    return true;
}

void qn_transfer_release(slot *s)
{
    land(s->loop, s);
    s->flight->slot = NULL;
    s->flight = NULL;
    s->next = s->lane->free_slots;
    s->lane->free_slots = s;
}
