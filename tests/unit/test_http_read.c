/* test_http_read: answers of servers, cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "model/http_read.h"

static bool take(void *arg, const char *p, size_t n) { return qn_buf_put(arg, p, n); }

typedef struct { const char *bytes; qn_http_state state; int status; bool keep; const char *body; size_t left; } answer;

static const answer ANSWERS[] = {
    { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", QN_HTTP_DONE, 200, true, "hello", 0 },
    { "HTTP/1.1 200 OK\r\ncontent-length:  5 \r\nConnection: Close\r\n\r\nhello", QN_HTTP_DONE, 200, false, "hello", 0 },
    { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", QN_HTTP_DONE, 200, true, "", 0 },
    { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhello", QN_HTTP_DONE, 200, true, "hel", 2 },
    { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", QN_HTTP_LENGTH, 200, true, "hello", 0 },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=1\r\n 0123 5678\r\n0\r\nX: y\r\n\r\n", QN_HTTP_DONE, 200, true, "hello 0123 5678", 0 },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", QN_HTTP_CHUNK_SIZE, 200, true, "hello", 0 },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", QN_HTTP_BROKEN, 200, true, "", 0 },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloworld", QN_HTTP_BROKEN, 200, true, "hello", 0 },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffff\r\n", QN_HTTP_BROKEN, 200, true, "", 0 },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Slow\r\nContent-Length: 2\r\n\r\nno", QN_HTTP_DONE, 429, true, "no", 0 },
    { "HTTP/1.1 204 No Content\r\n\r\n", QN_HTTP_DONE, 204, true, "", 0 },
    { "HTTP/1.0 200 OK\r\n\r\nall of it", QN_HTTP_DONE, 200, false, "all of it", 0 },
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nno", QN_HTTP_BROKEN, 200, true, "", 0 },
    { "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nno", QN_HTTP_BROKEN, 200, true, "", 0 },
    { "SMTP ready\r\n\r\n", QN_HTTP_BROKEN, 0, false, "", 0 },
    { "HTTP/1.1 20x OK\r\n\r\n", QN_HTTP_BROKEN, 0, false, "", 0 },
    { "HTTP/1.1 200 OK\r\nContent-Le", QN_HTTP_HEAD, 0, false, "", 0 },
};

static void an_answer_cut_anywhere_is_read_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ANSWERS / sizeof *ANSWERS; i++) {
        const answer *a = &ANSWERS[i];
        size_t n = strlen(a->bytes);
        for (size_t cut = 0; cut <= n; cut++) {
            qn_http_read r = {0};
            qn_buf body = {0};
            qn_http_read_init(&r);
            size_t used = qn_http_read_feed(&r, a->bytes, cut, take, &body);
            if (used == cut) used += qn_http_read_feed(&r, a->bytes + cut, n - cut, take, &body);
            qn_http_read_eof(&r);
            if (r.state != a->state || r.status != a->status || !qn_str_is(qn_buf_view(&body), a->body))
                fail_msg("%s cut at %zu: state %d, status %d, body `%s`", a->bytes, cut, (int)r.state, r.status, body.p ? body.p : "");
            if (r.state == QN_HTTP_DONE) { assert_int_equal(r.keep, a->keep); if (cut == n) assert_int_equal(n - used, a->left); }
            qn_buf_free(&body);
            qn_http_read_free(&r);
        }
    }
}

static void headers_are_found_whatever_their_case(void **state)
{
    (void)state;
    qn_http_read r = {0};
    qn_buf body = {0};
    const char *bytes = "HTTP/1.1 429 Slow\r\nX-Retry-After: 9\r\nretry-AFTER:\t7 \r\nContent-Length: 0\r\n\r\n";
    qn_http_read_init(&r);
    qn_http_read_feed(&r, bytes, strlen(bytes), take, &body);
    assert_true(qn_str_is(qn_http_read_header(&r, "Retry-After"), "7"));
    assert_null(qn_http_read_header(&r, "After").p);
    qn_http_read_free(&r);
    qn_buf_free(&body);
}

static void a_head_without_an_end_has_a_limit(void **state)
{
    (void)state;
    qn_http_read r = {0};
    qn_buf body = {0};
    char line[1024];
    memset(line, 'a', sizeof line);
    qn_http_read_init(&r);
    for (int i = 0; i < 200 && r.state == QN_HTTP_HEAD; i++) qn_http_read_feed(&r, line, sizeof line, take, &body);
    assert_int_equal(r.state, QN_HTTP_BROKEN);
    assert_true(r.head.n <= 65536);
    qn_http_read_free(&r);
    qn_buf_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_cut_anywhere_is_read_alike),
        cmocka_unit_test(headers_are_found_whatever_their_case),
        cmocka_unit_test(a_head_without_an_end_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
