/* http_read: the states of an HTTP/1.1 answer. See http_read.h. */
#include "model/http_read.h"
#include <strings.h>

enum { HEAD_LIMIT = 65536, TRAILER_LIMIT = 65536 };

void qn_http_read_init(qn_http_read *r)
{
    qn_buf head = r->head;
    *r = (qn_http_read){ .head = head };
    qn_buf_clear(&r->head);
    r->head.limit = HEAD_LIMIT;
    r->head.full = false;
}

void qn_http_read_free(qn_http_read *r)
{
    qn_buf_free(&r->head);
    *r = (qn_http_read){0};
}

/* The n-th header of that name, counted from 0. */
static qn_str header_at(const qn_http_read *r, const char *name, int nth)
{
    size_t k = strlen(name);
    const char *p = r->head.p, *end = p ? p + r->head.n : p;
    while (p && p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        if (!nl) nl = end;
        if ((size_t)(nl - p) > k && p[k] == ':' && strncasecmp(p, name, k) == 0 && nth-- == 0)
            return qn_str_trim((qn_str){ p + k + 1, (size_t)(nl - p) - k - 1 });
        p = nl + 1;
    }
    return (qn_str){ NULL, 0 };
}

qn_str qn_http_read_header(const qn_http_read *r, const char *name) { return header_at(r, name, 0); }

static bool has_word(qn_str list, const char *word)
{
    size_t k = strlen(word);
    for (size_t i = 0; i + k <= list.n; i++) if (strncasecmp(list.p + i, word, k) == 0) return true;
    return false;
}

/* "HTTP/1.1 200 OK": the status, or 0. */
static int status_of(qn_str head, bool *old)
{
    if (head.n < 12 || memcmp(head.p, "HTTP/1.", 7) != 0 || head.p[8] != ' ') return 0;
    *old = head.p[7] == '0';
    int s = 0;
    for (int i = 9; i < 12; i++) {
        if (head.p[i] < '0' || head.p[i] > '9') return 0;
        s = s * 10 + (head.p[i] - '0');
    }
    return s >= 100 ? s : 0;
}

static bool length_of(const qn_http_read *r, uint64_t *out)
{
    qn_str first = header_at(r, "Content-Length", 0), other;
    for (int i = 1; (other = header_at(r, "Content-Length", i)).p; i++) if (!qn_str_eq(first, other)) return false;  /* two lengths: neither */
    if (first.n == 0 || first.n > 15) return false;
    *out = 0;
    for (size_t i = 0; i < first.n; i++) {
        if (first.p[i] < '0' || first.p[i] > '9') return false;
        *out = *out * 10 + (uint64_t)(first.p[i] - '0');
    }
    return true;
}

static void head_done(qn_http_read *r)
{
    bool old = false;
    int status = status_of(qn_buf_view(&r->head), &old);
    qn_str connection = qn_http_read_header(r, "Connection"), coding = qn_http_read_header(r, "Transfer-Encoding");
    if (!status) { r->state = QN_HTTP_BROKEN; return; }
    if (status < 200) { qn_buf_clear(&r->head); return; }                  /* 100 Continue and the like: the answer follows */
    r->status = status;
    r->keep = old ? has_word(connection, "keep-alive") : !has_word(connection, "close");
    if (status == 204 || status == 304) r->state = QN_HTTP_DONE;
    else if (coding.n && has_word(coding, "chunked")) r->state = QN_HTTP_CHUNK_SIZE;
    else if (qn_http_read_header(r, "Content-Length").p) {
        if (!length_of(r, &r->left)) { r->state = QN_HTTP_BROKEN; return; }
        r->state = r->left ? QN_HTTP_LENGTH : QN_HTTP_DONE;
    } else { r->state = QN_HTTP_TO_THE_END; r->keep = false; }
}

/* Up to and with the empty line. Only the last three bytes of what came before can belong to it. */
static size_t feed_head(qn_http_read *r, const char *p, size_t n)
{
    size_t was = r->head.n, from = was > 3 ? was - 3 : 0;
    if (!qn_buf_put(&r->head, p, n < HEAD_LIMIT ? n : HEAD_LIMIT)) { r->state = QN_HTTP_BROKEN; return n; }
    const char *end = memmem(r->head.p + from, r->head.n - from, "\r\n\r\n", 4);
    if (!end) return n < HEAD_LIMIT ? n : HEAD_LIMIT;
    size_t used = (size_t)(end + 4 - r->head.p) - was;
    r->head.n = was + used;
    head_done(r);
    return used;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static size_t feed_chunk_size(qn_http_read *r, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int d = hex(p[i]);
        if (p[i] == '\n') {
            if (!r->n_digits) { r->state = QN_HTTP_BROKEN; return n; }
            r->state = r->left ? QN_HTTP_CHUNK_DATA : QN_HTTP_TRAILER;
            r->n_digits = 0;
            r->chunk_ext = false;
            r->line_bytes = 0;
            return i + 1;
        }
        if (!r->chunk_ext && d >= 0) {
            if (++r->n_digits > 12) { r->state = QN_HTTP_BROKEN; return n; }
            r->left = r->left * 16 + (uint64_t)d;
        } else if (p[i] == ';' || p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || r->chunk_ext) r->chunk_ext = true;
        else { r->state = QN_HTTP_BROKEN; return n; }
    }
    return n;
}

static size_t feed_chunk_end(qn_http_read *r, const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && p[i] == '\r') i++;
    if (i == n) return n;
    r->state = p[i] == '\n' ? QN_HTTP_CHUNK_SIZE : QN_HTTP_BROKEN;
    r->left = 0;
    return i + 1;
}

/* Lines up to an empty one; what they say is not used. */
static size_t feed_trailer(qn_http_read *r, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\n') {
            if (r->line_bytes == 0) { r->state = QN_HTTP_DONE; return i + 1; }
            r->line_bytes = 0;
        } else if (p[i] != '\r' && ++r->line_bytes > TRAILER_LIMIT) { r->state = QN_HTTP_BROKEN; return n; }
    }
    return n;
}

size_t qn_http_read_feed(qn_http_read *r, const char *p, size_t n, bool (*body)(void *, const char *, size_t), void *arg)
{
    size_t at = 0;
    while (at < n && r->state != QN_HTTP_DONE && r->state != QN_HTTP_BROKEN) {
        const char *q = p + at;
        size_t k = n - at;
        switch (r->state) {
        case QN_HTTP_HEAD: at += feed_head(r, q, k); break;
        case QN_HTTP_CHUNK_SIZE: at += feed_chunk_size(r, q, k); break;
        case QN_HTTP_CHUNK_END: at += feed_chunk_end(r, q, k); break;
        case QN_HTTP_TRAILER: at += feed_trailer(r, q, k); break;
        default:
            if (r->state != QN_HTTP_TO_THE_END && k > r->left) k = (size_t)r->left;
            if (!body(arg, q, k)) { r->state = QN_HTTP_BROKEN; return at; }
            at += k;
            if (r->state == QN_HTTP_TO_THE_END) break;
            r->left -= k;
            if (r->left == 0) r->state = r->state == QN_HTTP_LENGTH ? QN_HTTP_DONE : QN_HTTP_CHUNK_END;
        }
    }
    return at;
}

void qn_http_read_eof(qn_http_read *r)
{
    if (r->state == QN_HTTP_TO_THE_END) r->state = QN_HTTP_DONE;
}
