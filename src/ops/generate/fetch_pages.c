/* fetch_pages: gets the page at each row's address and reads it as a document.
 *
 *   address -> the page, if the ledger has it; else robots.txt of its host -> the page -> (a redirect: again from the start, at most 5)
 *           -> title, text, doc, _blocks
 *
 * What a host does not allow is not asked for (text/robots.h). A robots.txt that is not there (4xx) allows all; one that cannot be had (5xx, no
 * connection) allows nothing now: the row fails and is asked again in the next run. Robots and pages are replies in the ledger: a page is asked for
 * once, a robots.txt once in `robots_hours`, for pages that are not there yet.
 * Each host has a pace of its own. No private or local address is asked unless `allow_private` says so; that is checked on the opened socket, so
 * neither a name nor a redirect leads inside. Pages are read in a child process with limits, as files are.
 * Runs on: any worker; keeps nothing between rows. */
#include "core/clock.h"
#include "model/http.h"
#include "ops/op.h"
#include "ops/source/document.h"
#include "recipe/pick.h"
#include "text/robots.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_REDIRECTS = 5 };

typedef struct { qn_expr *url; int64_t max_bytes, seconds; double per_minute, robots_hours; bool allow_private; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, url, ".url", "text", "the page's address"),
    QN_REAL(params, per_minute, "60", "0.01..60000", "requests a minute to one host; its robots.txt may ask for fewer"),
    QN_SIZE(params, max_bytes, "10M", "longest page"),
    QN_INT(params, seconds, "60", "1..3600", "time for one page, all attempts together"),
    QN_REAL(params, robots_hours, "24", "0.0001..24", "a robots.txt holds so long, then it is asked for anew (RFC 9309, section 2.4: a day at most)"),
    QN_BOOL(params, allow_private, "no", "private and local addresses may be asked: for pages of your own network"),
    QN_END
};

static const char *const CLOSED[] = { "User-agent: *\nDisallow: /private\n", NULL };
static const qn_example EXAMPLES[] = {
    { .params = "url: .url", .in = "{url: 'http://a.example/mills.txt#top'}", .replies = (const char *const[]){ "", "Mills grind grain.", NULL }, .asked = "http://a.example/robots.txt",
      .out = "{url: 'http://a.example/mills.txt#top', title: '', text: 'Mills grind grain.', doc: {url: 'http://a.example/mills.txt', format: 'txt', encoding: 'UTF-8'}}" },
    { .params = "url: .url", .in = "{url: 'http://a.example/private/x'}", .replies = CLOSED, .reject = "robots: a.example does not allow /private" },
    { .params = "url: .url", .in = "{url: 'file:///etc/passwd'}", .reject = "address: not http:// or https://" },
    { .params = "url: .url", .in = "{url: 'http://user:secret@a.example/'}", .reject = "address: holds a user or password" },
    QN_END
};

typedef enum { LOOKING, ROBOTS, PAGE } phase;       /* LOOKING: is the page in the ledger? */
typedef struct { qn_str url, robots; int redirects, robots_redirects; phase at; double delay_s; } place;

/* ---- addresses ---- */
static qn_str path_of(qn_str url)
{
    ptrdiff_t from = qn_str_find(url, QN_STR("://"));
    qn_str rest = qn_str_sub(url, from < 0 ? 0 : (size_t)from + 3, url.n);
    size_t i = 0;
    while (i < rest.n && rest.p[i] != '/' && rest.p[i] != '?') i++;
    return qn_str_sub(rest, i, rest.n);
}

/* Without what stands behind #; false with why when it is none that can be asked. */
static bool address_of(qn_str text, qn_arena *a, qn_str *out, const char **why)
{
    text = qn_str_trim(text);
    const char *hash = text.n ? memchr(text.p, '#', text.n) : NULL;
    if (hash) text.n = (size_t)(hash - text.p);
    *why = "not http:// or https://";
    bool web = (text.n > 7 && qn_str_ieq(qn_str_sub(text, 0, 7), QN_STR("http://"))) || (text.n > 8 && qn_str_ieq(qn_str_sub(text, 0, 8), QN_STR("https://")));
    if (!web || qn_url_host(text).n == 0) return false;
    *why = "holds a user or password";
    if (qn_url_has_password(text)) return false;
    *why = "holds a space or a control character";
    for (size_t i = 0; i < text.n; i++) if ((unsigned char)text.p[i] <= 32) return false;
    *out = qn_arena_str(a, text);
    return true;
}

/* ---- asking ---- */
static void ask_page(const params *p, qn_turn *t, place *at, phase now)
{
    double rpm = at->delay_s > 0 && 60 / at->delay_s < p->per_minute ? 60 / at->delay_s : p->per_minute;
    qn_ask get = { .kind = QN_ASK_GET, .url = at->url, .allow_private = p->allow_private, .max_bytes = p->max_bytes, .deadline_ms = p->seconds * 1000, .max_rpm = rpm,
                   .recorded_only = now == LOOKING };
    at->at = now;
    qn_turn_ask(t, &get);
}

/* Which of the times that a robots.txt holds for it is now: part of the request's name in the ledger. */
static int64_t period(const params *p) { return 1 + (int64_t)((double)qn_wall_ms() / (p->robots_hours * 3600e3)); }

static void ask_robots(const params *p, qn_turn *t, place *at, qn_str url)
{
    qn_ask get = { .kind = QN_ASK_GET, .url = url, .allow_private = p->allow_private, .max_bytes = QN_ROBOTS_MOST_BYTES * 4, .deadline_ms = p->seconds * 1000,
                   .max_rpm = p->per_minute, .period = period(p), .shared = true };
    at->at = ROBOTS;
    qn_turn_ask(t, &get);
}

static void ask_robots_of_host(const params *p, qn_turn *t, place *at)
{
    qn_str host = qn_url_host(at->url);
    at->robots_redirects = 0;
    at->delay_s = 0;
    at->robots = qn_arena_printf(t->arena, "%s://%.*s/robots.txt", qn_url_is_https(at->url) ? "https" : "http", QN_FMT(host));
    ask_robots(p, t, at, at->robots);
}

static void reject(qn_emit *em, qn_row *r, const char *measure, const char *what, qn_str url)
{
    qn_emit_reject(em, r, qn_reject_fact(measure, "%s: %.*s", what, (int)(url.n < 60 ? url.n : 60), url.p));
}

/* ---- reading ---- */
static qn_str type_of(qn_str content_type)
{
    size_t n = 0;
    while (n < content_type.n && content_type.p[n] != ';' && content_type.p[n] != ' ') n++;
    return qn_str_sub(content_type, 0, n);
}

static qn_str charset_of(qn_str content_type)
{
    ptrdiff_t at = qn_str_find(content_type, QN_STR("charset="));
    if (at < 0) return (qn_str){ "", 0 };
    qn_str s = qn_str_sub(content_type, (size_t)at + 8, content_type.n);
    if (s.n && s.p[0] == '"') s = qn_str_sub(s, 1, s.n);
    size_t n = 0;
    while (n < s.n && !strchr(";\" ", s.p[n])) n++;
    return qn_str_sub(s, 0, n);
}

/* The format of a page by what the server says; by the address's ending where it says nothing of use; NULL: no document. */
static const char *format_of(qn_str type, qn_str url)
{
    static const char *const known[][2] = {
        { "text/html", "html" }, { "application/xhtml+xml", "html" }, { "application/pdf", "pdf" }, { "text/markdown", "md" }, { "text/x-rst", "rst" },
        { "application/epub+zip", "epub" }, { "application/x-ipynb+json", "ipynb" },
        { "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx" },
        { "application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx" },
    };
    static const char *const by_ending[] = { "html", "htm", "pdf", "md", "rst", "epub", "ipynb", "docx", "pptx", "txt" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) if (qn_str_ieq(type, qn_str_of(known[i][0]))) return known[i][1];
    bool plain = qn_str_ieq(type, QN_STR("text/plain"));
    if (type.n && !plain && !qn_str_ieq(type, QN_STR("application/octet-stream"))) return NULL;
    qn_str path = path_of(url);
    const char *query = path.n ? memchr(path.p, '?', path.n) : NULL;
    if (query) path.n = (size_t)(query - path.p);
    for (size_t i = 0; i < sizeof by_ending / sizeof *by_ending; i++)
        if (qn_str_ieq(qn_path_ext(path), qn_str_of(by_ending[i])) && !(plain && i < 3)) return i == 1 ? "html" : by_ending[i];
    return type.n ? (plain ? "txt" : NULL) : "html";
}

/* The readers take files: the page stands in one as long as it is read. */
static qn_code read_page(qn_str bytes, const char *format, qn_str charset, qn_str url, qn_arena *a, qn_doc *d, qn_err *e)
{
    const char *dir = getenv("TMPDIR");
    char path[512];
    if (snprintf(path, sizeof path, "%s/quern-page-XXXXXX.%s", dir && *dir ? dir : "/tmp", format) >= (int)sizeof path) return qn_fail(e, QN_EIO, "TMPDIR is too long");
    int fd = mkstemps(path, (int)strlen(format) + 1);
    if (fd < 0) return qn_fail(e, QN_EIO, "no temporary file can be made: %s", path);
    bool whole = true;
    for (size_t at = 0; at < bytes.n && whole;) {
        ssize_t n = write(fd, bytes.p + at, bytes.n - at);
        whole = n > 0;
        at += whole ? (size_t)n : 0;
    }
    close(fd);
    qn_err why = {0};
    bool text = strcmp(format, "html") == 0 || strcmp(format, "txt") == 0 || strcmp(format, "md") == 0 || strcmp(format, "rst") == 0;
    qn_read_opts o = { .header = -1, .encoding = text && charset.n && !qn_str_ieq(charset, QN_STR("utf-8")) ? qn_arena_str(a, charset).p : NULL };
    qn_code rc = whole ? qn_doc_read(path, &o, a, d, &why) : qn_fail(&why, QN_EIO, "the temporary file cannot be written: is the disk full?");
    if (rc != QN_OK && o.encoding) {            /* servers say what is not so: let the bytes tell */
        o.encoding = NULL;
        rc = qn_doc_read(path, &o, a, d, &why);
    }
    unlink(path);
    return rc == QN_OK ? rc : qn_fail(e, rc, "%.*s cannot be read: %s", (int)(url.n < 100 ? url.n : 100), url.p, why.msg);
}

static qn_code take_page(qn_ctx *cx, const place *at, const qn_reply *reply, qn_row *r, qn_emit *em, qn_err *e)
{
    qn_str type = type_of(reply->content_type);
    const char *format = format_of(type, at->url);
    qn_doc d;
    qn_value had;
    if (!format) { reject(em, r, "type", "no document", type); return QN_OK; }
    if (qn_str_trim(reply->text).n == 0) { reject(em, r, "text", "the page is empty", at->url); return QN_OK; }
    QN_TRY(read_page(reply->text, format, charset_of(reply->content_type), at->url, cx->scratch, &d, e));
    qn_object_b about = { .a = cx->scratch };
    qn_object_put(&about, QN_STR("url"), qn_v_text(at->url));
    qn_object_put(&about, QN_STR("format"), qn_v_text(qn_str_of(format)));
    if (d.licence.n) qn_object_put(&about, QN_STR("licence"), qn_v_text(d.licence));
    qn_row_add_licences(r, qn_licence_of(d.licence));
    if (d.title.n == 0 && qn_row_find(r, QN_STR("title"), &had) && had.kind == QN_V_TEXT) d.title = qn_arena_str(cx->scratch, qn_v_str(had));
    qn_document_put(r, &d, &about, cx->scratch);
    qn_emit_row(em, r);
    return QN_OK;
}

/* ---- the turns ---- */
static qn_code begin(const params *p, qn_ctx *cx, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    qn_str text;
    const char *why;
    place *at = QN_ARENA_NEW(t->arena, place);
    QN_TRY(qn_pick_text(p->url, r, cx->scratch, &text, e));
    if (!address_of(text, t->arena, &at->url, &why)) { qn_emit_reject(em, r, qn_reject_fact("address", "%s", why)); return QN_OK; }
    t->state = at;
    ask_page(p, t, at, LOOKING);
    return QN_OK;
}

static qn_code take_robots(const params *p, qn_row *r, qn_turn *t, place *at, const qn_reply *reply, qn_emit *em, qn_err *e)
{
    const char *why;
    qn_str to;
    if (reply->status == QN_REPLY_FAILED) return qn_fail(e, QN_EMODEL, "%.*s cannot be had, so its host allows nothing now: %.*s", QN_FMT(at->robots), QN_FMT(reply->error));
    if (reply->http >= 300 && reply->http < 400 && reply->location.n && at->robots_redirects < MOST_REDIRECTS && address_of(reply->location, t->arena, &to, &why)) {
        at->robots_redirects++;
        ask_robots(p, t, at, to);
        return QN_OK;
    }
    if (reply->http < 300) {                    /* else it is not there: all is allowed (RFC 9309, section 2.3.1.3) */
        qn_robots got = qn_robots_ask(reply->text, QN_STR("quern"), path_of(at->url));
        if (!got.allowed) {
            qn_str host = qn_url_host(at->url);
            qn_emit_reject(em, r, qn_reject_fact("robots", "%.*s does not allow %.*s", (int)(host.n < 50 ? host.n : 50), host.p, (int)(got.rule.n < 50 ? got.rule.n : 50), got.rule.p));
            return QN_OK;
        }
        at->delay_s = got.delay_s;
    }
    ask_page(p, t, at, PAGE);
    return QN_OK;
}

static qn_code turn(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    place *at = t->state;
    const char *why;
    (void)state;
    if (!at) return begin(p, cx, r, t, em, e);
    const qn_reply *reply = &t->replies[t->n_replies - 1];
    if (at->at == ROBOTS) return take_robots(p, r, t, at, reply, em, e);
    if (at->at == LOOKING && reply->status == QN_REPLY_FAILED) {
        ask_robots_of_host(p, t, at);
        return QN_OK;
    }
    if (reply->status == QN_REPLY_FAILED) return qn_fail(e, QN_EMODEL, "%.*s", QN_FMT(reply->error));
    if (reply->http >= 300 && reply->http < 400 && reply->location.n) {
        if (++at->redirects > MOST_REDIRECTS) { reject(em, r, "redirects", "more than 5", at->url); return QN_OK; }
        if (!address_of(reply->location, t->arena, &at->url, &why)) { qn_emit_reject(em, r, qn_reject_fact("address", "redirected: %s", why)); return QN_OK; }
        ask_page(p, t, at, LOOKING);
        return QN_OK;
    }
    if (reply->http >= 300) {
        qn_str host = qn_url_host(at->url);
        qn_emit_reject(em, r, qn_reject_fact("http", "%d from %.*s", reply->http, (int)(host.n < 60 ? host.n : 60), host.p));
        return QN_OK;
    }
    return take_page(cx, at, reply, r, em, e);
}

const qn_op qn_op_fetch_pages = {
    .name = "fetch_pages", .version = 1, .stage = QN_GENERATE, .flags = QN_OP_SEES_FAILURES,
    .brief = "get the page at each row's address and read it as a document",
    .about = "Writes what read_docs writes, so `chunk` and the rest follow. robots.txt is honoured under the name `quern`, with its Crawl-delay; each host has its own pace;\n"
             "redirects are followed at most 5 times, each as a page of its own. HTML, PDF, Markdown, reST, plain text, DOCX, PPTX, EPUB and notebooks are read; other types are\n"
             "rejected, as are addresses that a host does not allow and pages that are not there. `when: '.url | startswith(\"http\")'` lets results of one's own documents pass.\n"
             "Pages are remembered by the ledger: `--fresh` asks for them anew. A robots.txt holds for `robots_hours`; what was fetched under it stays.",
    .paper = "RFC 9309, Robots Exclusion Protocol",
    .reads = "url: text", .writes = "title: text, text: text, doc: {url: text, format: text, licence: text?, warning: text?, ...}, _blocks: [[int]]",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .turn = turn,
};
