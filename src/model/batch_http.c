/* batch_http: see batch_http.h. */
#include "model/batch_http.h"
#include "core/clock.h"
#include "core/queue.h"
#include "model/http.h"
#include "model/openai.h"
#include "model/pace.h"
#include <curl/curl.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { BODY_LIMIT = 16 << 20 };

typedef struct attempt {
    const qn_batch_request *r;
    const qn_model *m;
    const int *stop;
    qn_batch_answer *out;
    int64_t last_us;            /* last byte either way */
    curl_off_t moved;
    bool    silent, stopped, write_failed, is_ok;
    long    status;
    int64_t retry_after_us;
    CURL   *easy;
    char    error[CURL_ERROR_SIZE];
} attempt;

static size_t on_body(char *p, size_t one, size_t n, void *arg)
{
    attempt *a = arg;
    (void)one;
    if (!a->status) {
        curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &a->status);
        a->is_ok = a->status >= 200 && a->status < 300;
    }
    if (a->r->to && a->is_ok) {
        if (fwrite(p, 1, n, a->r->to) == n) return n;
        a->write_failed = true;
        return 0;
    }
    return qn_buf_put(&a->out->body, p, n) ? n : 0;
}

static int on_progress(void *arg, curl_off_t dl_total, curl_off_t down, curl_off_t ul_total, curl_off_t up)
{
    attempt *a = arg;
    int64_t now = qn_now_us();
    (void)dl_total;
    (void)ul_total;
    if (down + up != a->moved) { a->moved = down + up; a->last_us = now; }
    a->silent = now - a->last_us > a->m->silence_ms * 1000;
    a->stopped = a->stop && qn_flag_get(a->stop) > (a->r->once ? 1 : 0);    /* a batch being started is not dropped at the first signal: it answers soon */
    return a->silent || a->stopped;
}

static size_t on_read(char *to, size_t one, size_t n, void *arg) { return fread(to, one, n, arg); }
static int on_seek(void *arg, curl_off_t offset, int origin) { return fseeko(arg, offset, origin) == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL; }

static bool has_header(const qn_model *m, const char *name)
{
    size_t k = strlen(name);
    for (const char *const *h = m->headers; h && *h; h++) if (strncasecmp(*h, name, k) == 0 && (*h)[k] == ':') return true;
    return false;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
    qn_buf b = {0};
    qn_buf_printf(&b, "%s: %s", name, value);
    list = curl_slist_append(list, b.p);
    qn_buf_free(&b);
    return list;
}

static struct curl_slist *headers_of(const qn_model *m, const qn_batch_request *r)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    qn_buf b = {0};
    if (m->key && !has_header(m, "Authorization")) {
        qn_buf_printf(&b, "Bearer %s", m->key);
        list = add_header(list, "Authorization", b.p);
    }
    if (r->json.n) list = curl_slist_append(list, "Content-Type: application/json");
    if (r->idempotency) list = add_header(list, "Idempotency-Key", r->idempotency);
    for (const char *const *h = m->headers; h && *h; h++)
        if (strncasecmp(*h, "Content-Type:", 13) != 0) list = curl_slist_append(list, *h);
    qn_buf_free(&b);
    return list;
}

/* The path goes before the query that the model's url may have. */
static char *address(const qn_model *m, const char *path)
{
    qn_buf b = {0};
    const char *query = strchr(m->url, '?');
    qn_buf_put(&b, m->url, query ? (size_t)(query - m->url) : strlen(m->url));
    qn_buf_puts(&b, path);
    if (query) { qn_buf_putc(&b, strchr(path, '?') ? '&' : '?'); qn_buf_puts(&b, query + 1); }
    return b.p;
}

static curl_mime *mime_of(CURL *c, const qn_batch_request *r)
{
    curl_mime *mime = curl_mime_init(c);
    curl_mimepart *part = curl_mime_addpart(mime);
    curl_mime_name(part, "purpose");
    curl_mime_data(part, "batch", CURL_ZERO_TERMINATED);
    part = curl_mime_addpart(mime);
    fseeko(r->file, 0, SEEK_END);
    off_t size = ftello(r->file);
    fseeko(r->file, 0, SEEK_SET);
    curl_mime_name(part, "file");
    curl_mime_filename(part, r->file_name);
    curl_mime_type(part, "application/jsonl");
    curl_mime_data_cb(part, size, on_read, on_seek, NULL, r->file);
    return mime;
}

static CURLcode try_once(attempt *a)
{
    const qn_batch_request *r = a->r;
    const qn_model *m = a->m;
    CURL *c = a->easy = curl_easy_init();
    if (!c) return CURLE_OUT_OF_MEMORY;
    struct curl_slist *headers = headers_of(m, r);
    char *url = address(m, r->path);
    curl_mime *mime = NULL;
    qn_buf_clear(&a->out->body);
    a->out->body.limit = BODY_LIMIT;
    a->out->body.full = false;
    if (r->to) { rewind(r->to); if (ftruncate(fileno(r->to), 0) != 0) a->write_failed = true; }
    a->last_us = qn_now_us();
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, a);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, a);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, a->error);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, 15000L);
    curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_USERAGENT, "quern/1");
    curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
    const char *authorities = getenv("SSL_CERT_FILE");
    if (authorities && *authorities) curl_easy_setopt(c, CURLOPT_CAINFO, authorities);
    if (m->proxy) curl_easy_setopt(c, CURLOPT_PROXY, m->proxy);
    else if (qn_host_is_loopback(qn_url_host(qn_str_of(m->url)))) curl_easy_setopt(c, CURLOPT_PROXY, "");
    if (strcmp(r->method, "POST") == 0 && r->json.n) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->json.p);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->json.n);
    } else if (r->file) curl_easy_setopt(c, CURLOPT_MIMEPOST, mime = mime_of(c, r));
    CURLcode rc = a->write_failed ? CURLE_WRITE_ERROR : curl_easy_perform(c);
    curl_off_t wait_s = 0;
    struct curl_header *h;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &a->status);
    curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &wait_s);
    a->retry_after_us = wait_s > 0 ? (int64_t)wait_s * 1000000 : -1;
    int64_t ms;
    if (curl_easy_header(c, "retry-after-ms", 0, CURLH_HEADER, -1, &h) == CURLHE_OK && qn_str_to_i64(qn_str_of(h->value), &ms) && ms >= 0 && ms < 86400000)
        a->retry_after_us = ms * 1000;
    if (r->to && rc == CURLE_OK && fflush(r->to) != 0) rc = CURLE_WRITE_ERROR;
    curl_mime_free(mime);
    curl_slist_free_all(headers);
    qn_free(url);
    curl_easy_cleanup(c);
    return rc;
}

static bool passes(long status) { return status == 408 || status == 409 || status == 425 || status == 429 || (status >= 500 && status != 501 && status != 505); }

/* What one attempt means; true: it is over. */
static bool judge(attempt *a, CURLcode rc, bool *cut)
{
    qn_batch_answer *out = a->out;
    qn_str host = qn_url_host(qn_str_of(a->m->url));
    char said[320];
    *cut = false;
    out->status = (int)a->status;
    if (a->status) out->reached = true;
    if (a->stopped) { out->end = QN_WEB_STOPPED; snprintf(out->words, sizeof out->words, "stopped"); return true; }
    if (a->write_failed) { out->end = QN_WEB_REFUSED; snprintf(out->words, sizeof out->words, "a temporary file could not be written: is the disk full?"); return true; }
    if (rc != CURLE_OK) {
        qn_arena scratch = {0};
        qn_str text = qn_http_trouble(&scratch, a->silent ? CURLE_ABORTED_BY_CALLBACK : (int)rc, host, a->error, false, (long)(a->m->silence_ms / 1000));
        snprintf(out->words, sizeof out->words, "%.*s", QN_FMT(text));
        qn_arena_free(&scratch);
        out->end = QN_WEB_TROUBLE;
        *cut = rc != CURLE_COULDNT_CONNECT && rc != CURLE_COULDNT_RESOLVE_HOST && rc != CURLE_COULDNT_RESOLVE_PROXY;
        switch (rc) {
        case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_CACERT_BADFILE: case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_ISSUER_ERROR: case CURLE_UNSUPPORTED_PROTOCOL: case CURLE_URL_MALFORMAT: return true;
        default: return false;
        }
    }
    if (a->status >= 200 && a->status < 300) { out->end = QN_WEB_OK; out->words[0] = 0; return true; }
    qn_openai_error_text(qn_buf_view(&out->body), said, sizeof said);
    snprintf(out->words, sizeof out->words, "HTTP %ld from %.*s%s%s", a->status, QN_FMT(host), said[0] ? ": " : "", said);
    bool again = passes(a->status) && !(a->status == 429 && qn_openai_is_quota(qn_buf_view(&out->body)));
    out->end = again ? QN_WEB_TROUBLE : QN_WEB_REFUSED;
    *cut = again && a->status != 429;
    return !again;
}

static void wait_for(int64_t us, const int *stop)
{
    for (int64_t end = qn_now_us() + us; qn_now_us() < end && !(stop && qn_flag_get(stop));) {
        int64_t left = end - qn_now_us();
        qn_sleep_us(left < 50000 ? left : 50000);
    }
}

void qn_batch_ask(const qn_model *m, const qn_batch_request *r, int64_t patience_ms, const int *stop, qn_rng *rng, qn_batch_answer *out)
{
    int64_t begin = qn_now_us();
    for (int n = 1;; n++) {
        attempt a = { .r = r, .m = m, .stop = stop, .out = out };
        bool cut;
        if (judge(&a, try_once(&a), &cut) || (cut && r->once)) return;
        if (!out->reached && n >= 5) return;            /* nobody ever answered there */
        int64_t wait = qn_retry_delay_us(n, m->retry_ms * 1000, qn_rng_real(rng), a.retry_after_us);
        if (qn_now_us() + wait - begin > patience_ms * 1000) return;
        wait_for(wait, stop);
        if (stop && qn_flag_get(stop)) { out->end = QN_WEB_STOPPED; snprintf(out->words, sizeof out->words, "stopped"); return; }
    }
}
