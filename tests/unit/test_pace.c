/* test_pace: windows, buckets and the breaker, with a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "model/http.h"
#include "model/pace.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

enum { SECOND = 1000000 };

static int send_all(qn_pace *p, int64_t now)    /* sends what may go; how many */
{
    int64_t again;
    int n = 0;
    while (n < 100000 && qn_pace_may_send(p, now, 0, &again)) { qn_pace_sent(p, now, 0); n++; }
    return n;
}

static void end_all(qn_pace *p, int64_t now, qn_went went, int64_t sent)
{
    while (p->in_flight) qn_pace_ended(p, now, went, sent, -1, 0, -1);
}

static void the_window_doubles_while_starting_and_then_grows_by_one_a_round(void **state)
{
    (void)state;
    qn_pace p;
    qn_pace_limits lim = { .silence_us = 120 * SECOND };
    qn_pace_init(&p, &lim, 0);
    assert_int_equal(send_all(&p, 0), 32);
    end_all(&p, SECOND / 10, QN_WENT_OK, 0);
    int64_t t = SECOND / 10;
    int second = send_all(&p, t);
    assert_in_range(second, 34, 64);
    qn_pace_ended(&p, 2 * t, QN_WENT_BUSY, t, -1, 0, -1);
    int cut = (int)qn_pace_window(&p);
    assert_in_range(cut, second / 2 - 1, second / 2 + 1);
    end_all(&p, 2 * t, QN_WENT_STOPPED, t);
    int before = (int)p.window;
    assert_int_equal(send_all(&p, 3 * t), before);
    end_all(&p, 4 * t, QN_WENT_OK, 3 * t);
    assert_true(p.window > before && p.window <= before + 1.01);
}

static void refusals_of_one_round_shrink_the_window_once(void **state)
{
    (void)state;
    qn_pace p;
    qn_pace_limits lim = { .max_in_flight = 64 };
    qn_pace_init(&p, &lim, 0);
    p.window = 64;
    assert_int_equal(send_all(&p, 1000), 64);
    end_all(&p, SECOND, QN_WENT_BUSY, 1000);
    assert_int_equal((int)p.window, 32);
    send_all(&p, 2 * SECOND);
    end_all(&p, 3 * SECOND, QN_WENT_ERROR, 2 * SECOND);
    assert_int_equal((int)p.window, 22);    /* 0.7 of 32 */
}

static void the_window_never_falls_below_one_nor_passes_its_ceiling(void **state)
{
    (void)state;
    qn_pace p;
    qn_pace_limits lim = { .max_in_flight = 5 };
    qn_pace_init(&p, &lim, 0);
    int64_t t = 1;
    for (int i = 0; i < 50; i++, t += 2) { assert_in_range(send_all(&p, t), 1, 5); end_all(&p, t + 1, QN_WENT_BUSY, t); }
    assert_int_equal(send_all(&p, t), 1);
    end_all(&p, t + 1, QN_WENT_OK, t);
    for (int i = 0; i < 500; i++, t += 2) { assert_in_range(send_all(&p, t + 2), 1, 5); end_all(&p, t + 3, QN_WENT_OK, t); }
    assert_int_equal(send_all(&p, t + 2), 5);
}

static void retry_after_holds_everything_back(void **state)
{
    (void)state;
    qn_pace p;
    qn_pace_limits lim = {0};
    int64_t again;
    qn_pace_init(&p, &lim, 0);
    qn_pace_sent(&p, 0, 0);
    qn_pace_ended(&p, 10, QN_WENT_BUSY, 0, 2 * SECOND, 0, -1);
    assert_false(qn_pace_may_send(&p, SECOND, 0, &again));
    assert_int_equal(again, 10 + 2 * SECOND);
    assert_true(qn_pace_may_send(&p, again, 0, &again));
}

static void no_minute_passes_more_than_rpm(void **state)
{
    (void)state;
    qn_pace p;
    qn_pace_limits lim = { .max_rpm = 120 };
    int64_t again = 0;
    int n = 0;
    qn_pace_init(&p, &lim, 0);
    for (int64_t t = 0; t < 60 * (int64_t)SECOND; t = again) {
        if (qn_pace_may_send(&p, t, 0, &again)) { qn_pace_sent(&p, t, 0); n++; again = t; qn_pace_ended(&p, t, QN_WENT_OK, t, -1, 0, -1); }
        else assert_true(again > t && again != INT64_MAX);
    }
    assert_in_range(n, 118, 122);
}

static void no_minute_passes_more_than_tpm_and_unused_tokens_come_back(void **state)
{
    (void)state;
    qn_pace p;
    qn_pace_limits lim = { .max_tpm = 60000 };
    int64_t again = 0;
    int n = 0;
    qn_pace_init(&p, &lim, 0);
    for (int64_t t = 0; t < 60 * (int64_t)SECOND; t = again) {
        if (qn_pace_may_send(&p, t, 2000, &again)) {    /* 2,000 asked, 500 used: larger than the bucket, so it leaves a debt */
            qn_pace_sent(&p, t, 2000);
            qn_pace_ended(&p, t, QN_WENT_OK, t, -1, 2000, 500);
            n++;
            again = t;
        }
    }
    assert_in_range(n, 115, 125);
}

static void little_s_law_keeps_the_queue_shorter_than_the_patience(void **state)
{
    (void)state;
    qn_pace p;
    qn_pace_limits lim = { .silence_us = 60 * SECOND, .near = true };
    int64_t t = 0;
    qn_pace_init(&p, &lim, 0);
    p.window = 1000;
    for (int i = 0; i < 1000; i++) qn_pace_sent(&p, 0, 0);
    for (int i = 0; i < 40; i++) qn_pace_ended(&p, t += SECOND, QN_WENT_OK, 0, -1, 0, -1);     /* one a second */
    assert_in_range((int)qn_pace_window(&p), 28, 32);
}

static void a_near_endpoint_is_filled_within_a_twentieth_of_a_second(void **state)
{
    (void)state;
    qn_pace p;
    qn_pace_limits lim = { .silence_us = 60 * SECOND, .near = true };
    int64_t again;
    qn_pace_init(&p, &lim, 0);
    int n = 0;
    for (int64_t t = 0; t < SECOND / 20; t = again) {
        n += send_all(&p, t);
        assert_false(qn_pace_may_send(&p, t, 0, &again));
        if (again == INT64_MAX) break;
    }
    assert_int_equal(n, 1024);
}

static void a_quick_endpoint_is_not_given_more_than_256_and_a_slow_one_is(void **state)
{
    (void)state;
    for (int slow = 0; slow < 2; slow++) {
        qn_pace p;
        qn_pace_limits lim = { .silence_us = 60 * SECOND, .near = true };
        int64_t t = 0, took = slow ? 200000 : 2000;
        qn_pace_init(&p, &lim, 0);
        for (int round = 0; round < 50; round++, t += took + 1) { send_all(&p, t); end_all(&p, t + took, QN_WENT_OK, t); }
        if (slow) assert_true(p.window >= 1024);
        else assert_in_range((int)p.window, 256, 512);
    }
}

static void a_dead_address_is_probed_alone_and_then_given_up(void **state)
{
    (void)state;
    qn_pace p;
    qn_pace_limits lim = {0};
    int64_t again, t = 1;
    qn_pace_init(&p, &lim, 0);
    assert_int_equal(send_all(&p, t), 32);
    end_all(&p, t + 1, QN_WENT_NOWHERE, t);
    assert_true(p.open);
    assert_false(p.dead);
    int probes = 0;
    while (!p.dead && probes < 20) {
        assert_false(qn_pace_may_send(&p, t + 1, 0, &again));
        t = again;
        assert_int_equal(send_all(&p, t), 1);
        qn_pace_ended(&p, t + 1, QN_WENT_NOWHERE, t, -1, 0, -1);
        probes++;
    }
    assert_int_equal(probes, 4);
    assert_in_range(t, 5 * SECOND, 10 * SECOND);
}

static void an_address_whose_attempts_take_long_is_given_up_sooner(void **state)
{
    (void)state;
    qn_pace p;
    qn_pace_limits lim = {0};
    int64_t again, t = 1;
    qn_pace_init(&p, &lim, 0);
    send_all(&p, t);
    end_all(&p, t += 10 * SECOND, QN_WENT_NOWHERE, 1);      /* a name server that does not answer */
    int probes = 0;
    for (; !p.dead && probes < 20; probes++) {
        if (!qn_pace_may_send(&p, t, 0, &again)) t = again;
        assert_int_equal(send_all(&p, t), 1);
        qn_pace_ended(&p, t + 10 * SECOND, QN_WENT_NOWHERE, t, -1, 0, -1);
        t += 10 * SECOND;
    }
    assert_int_equal(probes, 2);
    assert_true(t < 35 * SECOND);
}

static void an_answer_closes_the_breaker(void **state)
{
    (void)state;
    qn_pace p;
    qn_pace_limits lim = { .patience_us = 60 * SECOND };
    int64_t again, t = 1;
    qn_pace_init(&p, &lim, 0);
    send_all(&p, t);
    end_all(&p, t + 1, QN_WENT_OK, t);
    for (int i = 0; i < 5; i++) {           /* it had answered before: four probes are not enough to give up */
        send_all(&p, t += 5);
        end_all(&p, t + 1, QN_WENT_NOWHERE, t);
        if (!qn_pace_may_send(&p, t + 1, 0, &again)) t = again;
    }
    assert_true(p.open);
    assert_false(p.dead);
    qn_pace_may_send(&p, t, 0, &again);
    if (again != INT64_MAX) t = again;
    assert_int_equal(send_all(&p, t), 1);
    qn_pace_ended(&p, t + 1, QN_WENT_WRONG, t, -1, 0, -1);
    assert_false(p.open);
    assert_true(send_all(&p, t + 2) > 1);
}

static void waits_double_jitter_and_never_pass_their_bounds(void **state)
{
    (void)state;
    assert_int_equal(qn_retry_delay_us(1, 500000, 0.5, -1), 500000);
    assert_int_equal(qn_retry_delay_us(3, 500000, 0.5, -1), 2000000);
    assert_int_equal(qn_retry_delay_us(1, 500000, 0.0, -1), 250000);
    assert_int_equal(qn_retry_delay_us(50, 500000, 0.5, -1), 30000000);
    assert_int_equal(qn_retry_delay_us(1, 500000, 0.0, 7000000), 7000000);
}

static void durations_of_headers_are_read(void **state)
{
    (void)state;
    static const struct { const char *text; int64_t us; } cases[] = {
        { "1s", 1000000 }, { "6m0s", 360000000 }, { "20ms", 20000 }, { "1h2m", 3720000000 }, { "3.5", 3500000 }, { "1m30.5s", 90500000 },
        { "", -1 }, { "soon", -1 }, { "-1s", -1 }, { "5x", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_int_equal(qn_reset_us(cases[i].text), cases[i].us);
    assert_int_equal(qn_reset_us(NULL), -1);
    assert_int_equal(qn_retry_after_us("2", 0), 2000000);
    assert_int_equal(qn_retry_after_us("0.25", 0), 250000);
    assert_int_equal(qn_retry_after_us("Thu, 01 Jan 1970 00:01:00 GMT", 30000), 30000000);
    assert_int_equal(qn_retry_after_us("Thu, 01 Jan 1970 00:01:00 GMT", 90000), 0);
    assert_int_equal(qn_retry_after_us("2 bottles", 0), -1);
    assert_int_equal(qn_retry_after_us(NULL, 0), -1);
}

static bool private4(const char *ip)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    assert_int_equal(inet_pton(AF_INET, ip, &a.sin_addr), 1);
    return qn_addr_is_private((struct sockaddr *)&a);
}

static bool private6(const char *ip)
{
    struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
    assert_int_equal(inet_pton(AF_INET6, ip, &a.sin6_addr), 1);
    return qn_addr_is_private((struct sockaddr *)&a);
}

static void private_addresses_are_known_in_all_their_disguises(void **state)
{
    (void)state;
    static const char *const inside4[] = { "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "0.0.0.0",
                                           "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255" };
    static const char *const outside4[] = { "1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "192.167.0.1", "100.63.0.1", "100.128.0.1", "93.184.216.34" };
    static const char *const inside6[] = { "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
                                           "2002:7f00:1::", "::127.0.0.1", "2001:db8::1", "fec0::1" };
    static const char *const outside6[] = { "2606:4700:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808" };
    for (size_t i = 0; i < sizeof inside4 / sizeof *inside4; i++) assert_true(private4(inside4[i]));
    for (size_t i = 0; i < sizeof outside4 / sizeof *outside4; i++) assert_false(private4(outside4[i]));
    for (size_t i = 0; i < sizeof inside6 / sizeof *inside6; i++) assert_true(private6(inside6[i]));
    for (size_t i = 0; i < sizeof outside6 / sizeof *outside6; i++) assert_false(private6(outside6[i]));
}

static void hosts_are_cut_out_of_addresses(void **state)
{
    (void)state;
    assert_true(qn_str_is(qn_url_host(QN_STR("http://127.0.0.1:8000/v1?x=1")), "127.0.0.1:8000"));
    assert_true(qn_str_is(qn_url_host(QN_STR("https://user:pw@api.example/v1")), "api.example"));
    assert_true(qn_str_is(qn_url_host(QN_STR("http://[::1]:80")), "[::1]:80"));
    assert_true(qn_url_has_password(QN_STR("https://user:pw@api.example/v1")));
    assert_false(qn_url_has_password(QN_STR("https://api.example/v1?mail=a@b")));
    assert_int_equal(qn_url_host(QN_STR("nonsense")).n, 0);
    assert_true(qn_host_is_numeric(QN_STR("[::1]:80")));
    assert_true(qn_host_is_numeric(QN_STR("localhost:80")));
    assert_false(qn_host_is_numeric(QN_STR("gpu-box:8000")));
    assert_true(qn_host_is_loopback(QN_STR("127.0.0.1:8000")));
    assert_false(qn_host_is_loopback(QN_STR("10.0.0.1:8000")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_window_doubles_while_starting_and_then_grows_by_one_a_round),
        cmocka_unit_test(refusals_of_one_round_shrink_the_window_once),
        cmocka_unit_test(the_window_never_falls_below_one_nor_passes_its_ceiling),
        cmocka_unit_test(retry_after_holds_everything_back),
        cmocka_unit_test(no_minute_passes_more_than_rpm),
        cmocka_unit_test(no_minute_passes_more_than_tpm_and_unused_tokens_come_back),
        cmocka_unit_test(little_s_law_keeps_the_queue_shorter_than_the_patience),
        cmocka_unit_test(a_near_endpoint_is_filled_within_a_twentieth_of_a_second),
        cmocka_unit_test(a_quick_endpoint_is_not_given_more_than_256_and_a_slow_one_is),
        cmocka_unit_test(a_dead_address_is_probed_alone_and_then_given_up),
        cmocka_unit_test(an_address_whose_attempts_take_long_is_given_up_sooner),
        cmocka_unit_test(an_answer_closes_the_breaker),
        cmocka_unit_test(waits_double_jitter_and_never_pass_their_bounds),
        cmocka_unit_test(durations_of_headers_are_read),
        cmocka_unit_test(private_addresses_are_known_in_all_their_disguises),
        cmocka_unit_test(hosts_are_cut_out_of_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
