/* The sandbox: what goes in and comes out, and what a hostile program cannot do. */
#include "core/clock.h"
#include "core/sandbox.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static qn_sandbox_result R;

static void sh(const char *script, int64_t time_ms)
{
    const char *argv[] = { "sh", "-c", script, NULL };
    static const qn_sandbox_file files[] = { { "data.txt", { "corn\n", 5 } } };
    qn_sandbox_job job = QN_SANDBOX_JOB;
    qn_err e;
    job.argv = argv;
    job.input = QN_STR("flour\n");
    job.files = files;
    job.n_files = 1;
    job.time_ms = time_ms;
    qn_sandbox_result_free(&R);
    if (qn_sandbox_run(&job, &R, &e) != QN_OK) fail_msg("%s", e.msg);
}

static int can_run(void **state)
{
    qn_err e;
    (void)state;
    if (qn_sandbox_ready(&e) == QN_OK) return 0;
    print_message("skipped: %s\n", e.msg);
    return -1;
}
#define NEEDS_SANDBOX if (can_run(NULL)) skip()

static void input_files_output_and_exit_code_go_through(void **state)
{
    (void)state;
    NEEDS_SANDBOX;
    sh("cat; cat data.txt; echo bran >&2; exit 7", 5000);
    assert_string_equal(R.out.p, "flour\ncorn\n");
    assert_string_equal(R.err.p, "bran\n");
    assert_int_equal(R.exit_code, 7);
    assert_false(R.timed_out);
}

static void the_hosts_files_environment_and_network_are_not_there(void **state)
{
    (void)state;
    NEEDS_SANDBOX;
    FILE *f = fopen("/tmp/quern-sandbox-secret", "w");
    assert_non_null(f);
    fclose(f);
    setenv("QUERN_TEST_SECRET", "visible", 1);
    sh("ls -A /tmp; ls /etc /home /root /var 2>/dev/null; echo \"[$QUERN_TEST_SECRET]\"; id -u; cat /proc/net/dev | grep -c -v -e lo: -e '|'; touch /usr/x data.txt /work/y 2>/dev/null && echo wrote; true", 5000);
    unlink("/tmp/quern-sandbox-secret");
    assert_string_equal(R.out.p, "[]\n65534\n0\n");
}

static void time_is_kept_even_by_children_that_ignore_signals(void **state)
{
    (void)state;
    NEEDS_SANDBOX;
    int64_t t0 = qn_now_us();
    sh("trap '' TERM INT HUP; (trap '' TERM HUP; sleep 60) & sleep 60", 300);
    assert_true(R.timed_out);
    assert_true(qn_now_us() - t0 < 3000000);
    sh("while :; do :; done", 300);
    assert_true(R.timed_out);
}

static void memory_processes_and_output_are_limited(void **state)
{
    (void)state;
    NEEDS_SANDBOX;
    sh("head -c 900000000 /dev/zero | tail -c 900000000 | wc -c", 5000);     /* tail would hold 900 MB */
    assert_true(R.out.n == 0 || strncmp(R.out.p, "900000000", 9) != 0);
    sh("i=0; while [ $i -lt 200 ]; do sleep 2 & i=$((i+1)); done; echo started", 8000);
    assert_true(R.out.n == 0 || strcmp(R.out.p, "started\n") != 0 || R.err.n > 0);
    sh("yes | head -c 30000000", 5000);
    assert_true(R.output_cut);
    assert_int_equal(R.out.n, 1 << 20);
}

static void names_of_files_cannot_leave_the_folder(void **state)
{
    (void)state;
    NEEDS_SANDBOX;
    const char *argv[] = { "true", NULL };
    qn_sandbox_file file = { "../etc/passwd", { "x", 1 } };
    qn_sandbox_job job = QN_SANDBOX_JOB;
    qn_sandbox_result r;
    qn_err e;
    job.argv = argv;
    job.files = &file;
    job.n_files = 1;
    assert_int_equal(qn_sandbox_run(&job, &r, &e), QN_EUSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_files_output_and_exit_code_go_through),
        cmocka_unit_test(the_hosts_files_environment_and_network_are_not_there),
        cmocka_unit_test(time_is_kept_even_by_children_that_ignore_signals),
        cmocka_unit_test(memory_processes_and_output_are_limited),
        cmocka_unit_test(names_of_files_cannot_leave_the_folder),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    qn_sandbox_result_free(&R);
    return rc;
}
