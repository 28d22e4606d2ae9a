/* test_memo: kept results come back or are missing; they are never wrong. */
#include "core/file.h"
#include "core/rng.h"
#include "core/thread.h"
#include "ledger/memo.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[64], root[64];

static int setup(void **s)
{
    (void)s;
    snprintf(root, sizeof root, "/tmp/quern_memo.XXXXXX");
    if (!mkdtemp(root)) return -1;
    snprintf(dir, sizeof dir, "%.40s/memo", root);
    return 0;
}

static int teardown(void **s)
{
    (void)s;
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", root);
    return system(cmd);
}

static qn_memo *open_it(uint64_t cap)
{
    qn_err e = {0};
    qn_memo *m = NULL;
    if (qn_memo_open(&m, dir, cap, &e) != QN_OK) fail_msg("%s", e.msg);
    return m;
}

static qn_hash128 key_of(int i) { return qn_memo_key("embed", 1, QN_STR("{}"), (qn_str){ (char *)&i, sizeof i }, QN_MEMO_ANY_MACHINE); }

static void path_of(qn_hash128 key, char out[160])
{
    char hex[33];
    qn_hash_hex(key, hex);
    snprintf(out, 160, "%s/%.2s/%s", dir, hex, hex);
}

static size_t n_files(void)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "find %s -type f | wc -l", dir);
    FILE *f = popen(cmd, "r");
    size_t n = 0;
    assert_int_equal(fscanf(f, "%zu", &n), 1);
    pclose(f);
    return n;
}

static void what_was_kept_comes_back_in_this_process_and_the_next(void **s)
{
    (void)s;
    static const size_t sizes[] = { 0, 1, 1024, 1025, 100000, 3000000 };
    char *text = qn_alloc(3000000), *noise = qn_alloc(3000000);
    qn_rng r = qn_rng_seed(5);
    for (size_t i = 0; i < 3000000; i++) { text[i] = "stone "[i % 6]; noise[i] = (char)qn_rng_next(&r); }
    qn_memo *m = open_it(0);
    qn_buf b = {0};
    assert_false(qn_memo_get(m, key_of(0), &b));
    for (int i = 0; i < 12; i++) assert_true(qn_memo_put(m, key_of(i), (qn_str){ i < 6 ? text : noise, sizes[i % 6] }));
    for (int again = 0; again < 2; again++) {
        for (int i = 0; i < 12; i++) {
            qn_buf_clear(&b);
            qn_buf_puts(&b, "x");
            assert_true(qn_memo_get(m, key_of(i), &b));
            assert_int_equal(b.n, 1 + sizes[i % 6]);
            assert_memory_equal(b.p + 1, i < 6 ? text : noise, sizes[i % 6]);
        }
        qn_memo_close(m);
        m = open_it(0);
    }
    qn_memo_close(m);
    struct stat st;
    char path[160];
    path_of(key_of(5), path);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 3000);             /* packed */
    qn_buf_free(&b);
    qn_free(text);
    qn_free(noise);
}

static void everything_that_decides_a_result_is_in_its_key(void **s)
{
    (void)s;
    qn_hash128 k[] = {
        qn_memo_key("embed", 1, QN_STR("a"), QN_STR("b"), 0), qn_memo_key("embed2", 1, QN_STR("a"), QN_STR("b"), 0),
        qn_memo_key("embed", 2, QN_STR("a"), QN_STR("b"), 0), qn_memo_key("embed", 1, QN_STR("b"), QN_STR("a"), 0),
        qn_memo_key("embed", 1, QN_STR("a"), QN_STR("b"), 1), qn_memo_key("embed", 1, QN_STR("ab"), QN_STR(""), 0),
        qn_memo_key("embed", 1, QN_STR(""), QN_STR("ab"), 0),
    };
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < i; j++) assert_false(qn_hash_eq(k[i], k[j]));
    assert_true(qn_hash_eq(k[0], qn_memo_key("embed", 1, QN_STR("a"), QN_STR("b"), 0)));
}

/* Every byte of a small file flipped, every shorter length: none gives a result, all are removed. */
static void a_damaged_file_counts_as_none_and_is_removed(void **s)
{
    (void)s;
    qn_memo *m = open_it(0);
    qn_buf good = {0}, b = {0};
    qn_err e = {0};
    char path[160];
    path_of(key_of(1), path);
    assert_true(qn_memo_put(m, key_of(1), QN_STR("the weights of a mill")));
    assert_int_equal(qn_file_read(path, 0, &good, &e), QN_OK);
    for (size_t i = 0; i < 2 * good.n; i++) {
        qn_buf bad = {0};
        qn_buf_put(&bad, good.p, i < good.n ? good.n : i - good.n);
        if (i < good.n) bad.p[i] ^= 0x10;
        assert_int_equal(qn_file_write(path, qn_buf_view(&bad), &e), QN_OK);
        assert_false(qn_memo_get(m, key_of(1), &b));
        assert_int_equal(b.n, 0);
        assert_false(qn_file_exists(path));
        qn_buf_free(&bad);
    }
    qn_memo_stats st;
    qn_memo_stats_get(m, &st);
    assert_int_equal(st.damaged, 2 * good.n);
    assert_true(qn_memo_put(m, key_of(1), QN_STR("again")));
    assert_true(qn_memo_get(m, key_of(1), &b));
    assert_string_equal(b.p, "again");
    qn_memo_close(m);
    qn_buf_free(&good);
    qn_buf_free(&b);
}

static void a_file_under_anothers_name_is_not_taken(void **s)
{
    (void)s;
    char from[160], to[160];
    qn_memo *m = open_it(0);
    qn_buf b = {0};
    qn_memo_put(m, key_of(1), QN_STR("one"));
    qn_memo_put(m, key_of(2), QN_STR("two"));
    path_of(key_of(1), from);
    path_of(key_of(2), to);
    assert_int_equal(rename(from, to), 0);
    assert_false(qn_memo_get(m, key_of(2), &b));
    qn_memo_close(m);
    qn_buf_free(&b);
}

static void above_the_cap_those_used_longest_ago_go_first(void **s)
{
    (void)s;
    char noise[1000], path[160];
    qn_rng r = qn_rng_seed(5);
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (char)qn_rng_next(&r);
    qn_memo *m = open_it(50000);
    for (int i = 0; i < 40; i++) {
        assert_true(qn_memo_put(m, key_of(i), (qn_str){ noise, sizeof noise }));
        path_of(key_of(i), path);
        struct timespec t[2] = { { 1000000 + i, 0 }, { 1000000 + i, 0 } };
        assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
    }
    qn_buf b = {0};
    assert_true(qn_memo_get(m, key_of(0), &b));     /* used: young again */
    for (int i = 40; i < 60; i++) assert_true(qn_memo_put(m, key_of(i), (qn_str){ noise, sizeof noise }));
    assert_true(n_files() * (sizeof noise + 64) <= 50000);
    assert_true(n_files() >= 40);
    assert_true(qn_memo_get(m, key_of(0), &b));
    assert_false(qn_memo_get(m, key_of(1), &b));
    assert_true(qn_memo_get(m, key_of(39), &b));
    assert_true(qn_memo_get(m, key_of(59), &b));
    qn_memo_close(m);
    qn_buf_free(&b);
}

static void a_full_disk_or_a_lost_folder_only_costs_time(void **s)
{
    (void)s;
    char cmd[128];
    qn_memo *m = open_it(0);
    qn_buf b = {0};
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
    assert_true(qn_memo_put(m, key_of(1), QN_STR("made anew")));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit lim = { 10, 10 };
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &lim);
        _exit(qn_memo_put(m, key_of(2), QN_STR("does not fit")) ? 1 : 0);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_false(qn_memo_get(m, key_of(2), &b));
    assert_int_equal(n_files(), 1);                 /* no part left behind */
    qn_memo_close(m);
    qn_buf_free(&b);
}

static void work(void *p)
{
    qn_memo *m = p;
    qn_buf b = {0};
    for (int i = 0; i < 300; i++) {
        qn_buf_clear(&b);
        char want[32];
        snprintf(want, sizeof want, "result %d", i % 50);
        if (qn_memo_get(m, key_of(i % 50), &b)) QN_ASSERT(strcmp(b.p, want) == 0);
        else QN_ASSERT(qn_memo_put(m, key_of(i % 50), qn_str_of(want)));
    }
    qn_buf_free(&b);
}

static void threads_share_it(void **s)
{
    (void)s;
    qn_memo *m = open_it(3000), *other = open_it(3000);
    qn_thread *t[4];
    for (int i = 0; i < 4; i++) t[i] = qn_thread_start("memo", work, i % 2 ? m : other);
    for (int i = 0; i < 4; i++) qn_thread_join(t[i]);
    qn_memo_close(m);
    qn_memo_close(other);
    assert_true(n_files() <= 50);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_was_kept_comes_back_in_this_process_and_the_next), T(everything_that_decides_a_result_is_in_its_key),
        T(a_damaged_file_counts_as_none_and_is_removed), T(a_file_under_anothers_name_is_not_taken),
        T(above_the_cap_those_used_longest_ago_go_first), T(a_full_disk_or_a_lost_folder_only_costs_time), T(threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
