/* test_ledger: the ledger's promises, one by one; kill -9 at every commit in forked children. */
#include "core/clock.h"
#include "core/file.h"
#include "core/rng.h"
#include "core/thread.h"
#include "ledger/ledger.h"
#include "ledger/schema.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[64], db[96];

static int setup(void **s)
{
    (void)s;
    snprintf(dir, sizeof dir, "/tmp/quern_ledger.XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(db, sizeof db, "%s/ledger.db", dir);
    unsetenv("QUERN_TEST_KILL_AT_COMMIT");
    return 0;
}

static int teardown(void **s)
{
    (void)s;
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

/* ---- helpers ---- */
static qn_hash128 key_of(uint64_t i) { return qn_hash(&i, sizeof i); }

static qn_ledger *open_it(bool fresh)
{
    qn_err e = {0};
    qn_ledger *l = NULL;
    if (qn_ledger_open(&l, db, &(qn_ledger_open_opts){ .fresh = fresh, .recipe = "ask", .run_json = "{}" }, &e) != QN_OK)
        fail_msg("%s", e.msg);
    return l;
}

static void close_it(qn_ledger *l)
{
    qn_err e = {0};
    if (qn_ledger_close(l, &e) != QN_OK) fail_msg("%s", e.msg);
}

static void assert_refused(const char *path, const char *part)
{
    qn_err e = {0};
    qn_ledger *l = NULL;
    assert_int_equal(qn_ledger_open(&l, path, NULL, &e), QN_ELEDGER);
    if (!strstr(e.msg, part)) fail_msg("\"%s\" does not say \"%s\"", e.msg, part);
}

static uint64_t intend(qn_ledger *l, uint64_t i, void *tag)
{
    return qn_ledger_intent(l, &(qn_intent){ .key = key_of(i), .step = "judge", .row = key_of(i + 1000000), .worst_usd = 0.5 }, tag);
}

static void record(qn_ledger *l, uint64_t i, uint64_t intent, void *tag)
{
    char body[64];
    int n = snprintf(body, sizeof body, "{\"text\":\"reply %llu\"}", (unsigned long long)i);
    qn_ledger_record(l, &(qn_record){ key_of(i), intent, { body, (size_t)n }, 10, 5, 0.25, 1 }, tag);
}

static bool has(qn_ledger *l, uint64_t i)
{
    char body[64];
    qn_buf b = {0};
    int64_t pt = 0, ct = 0;
    double usd = 0;
    bool found = qn_ledger_find(l, key_of(i), &b, &pt, &ct, &usd);
    if (found) {
        snprintf(body, sizeof body, "{\"text\":\"reply %llu\"}", (unsigned long long)i);
        assert_string_equal(b.p, body);
        assert_int_equal(pt, 10);
        assert_int_equal(ct, 5);
        assert_true(usd == 0.25);
    }
    qn_buf_free(&b);
    return found;
}

typedef struct { pthread_mutex_t lock; pthread_cond_t more; size_t n_ok, n_bad; char why[400]; void *tags[4096]; } acks;
static void acks_init(acks *a) { memset(a, 0, sizeof *a); pthread_mutex_init(&a->lock, NULL); pthread_cond_init(&a->more, NULL); }

static void on_ack(void *arg, void *const *tags, size_t n, bool ok, const char *why)
{
    acks *a = arg;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < n && a->n_ok + a->n_bad < 4096; i++) a->tags[a->n_ok + a->n_bad + i] = tags[i];
    if (ok) a->n_ok += n; else { a->n_bad += n; snprintf(a->why, sizeof a->why, "%s", why); }
    pthread_cond_broadcast(&a->more);
    pthread_mutex_unlock(&a->lock);
}

static void acks_wait(acks *a, size_t n)
{
    pthread_mutex_lock(&a->lock);
    while (a->n_ok + a->n_bad < n) pthread_cond_wait(&a->more, &a->lock);
    pthread_mutex_unlock(&a->lock);
}

static qn_ledger_facts facts(qn_ledger *l)
{
    qn_ledger_facts f;
    qn_ledger_facts_get(l, &f);
    return f;
}

static void sql(const char *path, const char *text)
{
    sqlite3 *c;
    char *msg = NULL;
    assert_int_equal(sqlite3_open(path, &c), SQLITE_OK);
    if (sqlite3_exec(c, text, NULL, NULL, &msg) != SQLITE_OK) fail_msg("%s", msg);
    sqlite3_close(c);
}

static int64_t sql_int(const char *path, const char *text)
{
    sqlite3 *c;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(path, &c), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(c, text, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(c);
    return n;
}

/* ---- recording and finding ---- */
static void a_recorded_reply_is_found_in_this_run_and_in_the_next(void **s)
{
    (void)s;
    acks a;
    acks_init(&a);
    qn_ledger *l = open_it(false);
    qn_ledger_on_ack(l, on_ack, &a);
    assert_false(has(l, 1));
    uint64_t it = intend(l, 1, &a);
    assert_int_equal(it, 1);
    acks_wait(&a, 1);
    assert_false(has(l, 1));
    record(l, 1, it, &a);
    acks_wait(&a, 2);
    assert_true(has(l, 1));
    assert_false(has(l, 2));
    assert_int_equal(facts(l).n_replies, 1);
    assert_false(facts(l).resumed);
    close_it(l);
    l = open_it(false);
    assert_true(has(l, 1));
    assert_false(has(l, 2));
    assert_true(facts(l).resumed);
    assert_int_equal(facts(l).n_replies, 1);
    assert_true(facts(l).spent_usd == 0.25);
    assert_int_equal(facts(l).interrupted_in_flight, 0);
    assert_true(facts(l).interrupted_worst_usd == 0);
    close_it(l);
}

static void acks_come_in_the_order_handed_in(void **s)
{
    (void)s;
    acks a;
    acks_init(&a);
    qn_ledger *l = open_it(false);
    qn_ledger_on_ack(l, on_ack, &a);
    for (uintptr_t i = 0; i < 1000; i++) {
        uint64_t it = intend(l, i, (void *)(2 * i));
        record(l, i, it, (void *)(2 * i + 1));
    }
    acks_wait(&a, 2000);
    for (uintptr_t i = 0; i < 2000; i++) assert_ptr_equal(a.tags[i], (void *)i);
    close_it(l);
}

static void bodies_of_every_size_come_back_byte_for_byte(void **s)
{
    (void)s;
    static const size_t sizes[] = { 0, 1, 7, 8, 511, 512, 513, 4096, 70000, 5000000 };
    enum { N = sizeof sizes / sizeof *sizes };
    qn_ledger *l = open_it(false);
    char *text = qn_alloc(5000000), *noise = qn_alloc(5000000);
    qn_rng r = { { 1, 2, 3, 4 } };
    for (size_t i = 0; i < 5000000; i++) { text[i] = "grinding "[i % 9]; noise[i] = (char)qn_rng_next(&r); }
    for (size_t i = 0; i < 2 * N; i++) {
        uint64_t it = intend(l, i, NULL);
        qn_ledger_record(l, &(qn_record){ .key = key_of(i), .intent = it, .body = { i < N ? text : noise, sizes[i % N] } }, NULL);
    }
    close_it(l);
    l = open_it(false);
    qn_buf b = {0};
    for (size_t i = 0; i < 2 * N; i++) {
        qn_buf_clear(&b);
        qn_buf_puts(&b, "before ");
        assert_true(qn_ledger_find(l, key_of(i), &b, NULL, NULL, NULL));
        assert_int_equal(b.n, 7 + sizes[i % N]);
        assert_memory_equal(b.p + 7, i < N ? text : noise, sizes[i % N]);
    }
    close_it(l);
    assert_true(sql_int(db, "SELECT sum(packing) FROM reply") == 3);
    assert_true(sql_int(db, "SELECT length(body) FROM reply WHERE id = 10") < 5000);
    qn_buf_free(&b);
    qn_free(text);
    qn_free(noise);
}

static void the_first_reply_to_a_key_is_the_one_found(void **s)
{
    (void)s;
    qn_ledger *l = open_it(false);
    uint64_t first = intend(l, 3, NULL), second = intend(l, 3, NULL);
    qn_ledger_record(l, &(qn_record){ .key = key_of(3), .intent = second, .body = QN_STR("late") }, NULL);
    record(l, 3, first, NULL);
    close_it(l);
    l = open_it(false);
    assert_true(has(l, 3));
    close_it(l);
}

static void a_reply_without_an_intent_is_kept(void **s)
{
    (void)s;
    qn_ledger *l = open_it(false);
    record(l, 4, 0, NULL);
    close_it(l);
    l = open_it(false);
    assert_true(has(l, 4));
    assert_int_equal(facts(l).interrupted_in_flight, 0);
    assert_int_equal(intend(l, 5, NULL), 2);
    close_it(l);
}

/* ---- epochs ---- */
static void fresh_opens_an_epoch_that_a_resume_continues(void **s)
{
    (void)s;
    qn_ledger *l = open_it(false);
    record(l, 1, intend(l, 1, NULL), NULL);
    close_it(l);
    l = open_it(true);
    assert_int_equal(facts(l).epoch, 2);
    assert_false(facts(l).resumed);
    assert_false(has(l, 1));
    assert_int_equal(facts(l).n_replies, 0);
    assert_true(facts(l).spent_usd == 0.25);        /* money is money in every epoch */
    record(l, 2, intend(l, 2, NULL), NULL);
    close_it(l);
    l = open_it(false);
    assert_int_equal(facts(l).epoch, 2);
    assert_true(facts(l).resumed);
    assert_false(has(l, 1));
    assert_true(has(l, 2));
    assert_int_equal(facts(l).n_replies, 1);
    assert_true(facts(l).spent_usd == 0.5);
    close_it(l);
}

/* ---- what was in flight ---- */
static void open_intents_of_an_ended_run_are_lost_named_and_counted(void **s)
{
    (void)s;
    qn_ledger *l = open_it(false);
    uint64_t a = intend(l, 1, NULL), b = intend(l, 2, NULL), c = intend(l, 3, NULL);
    intend(l, 4, NULL);
    record(l, 1, a, NULL);
    qn_ledger_cancel(l, c);
    close_it(l);
    l = open_it(false);
    assert_int_equal(facts(l).interrupted_in_flight, 2);
    assert_true(facts(l).interrupted_worst_usd == 1.0);
    qn_ledger_lost lost[4];
    assert_int_equal(qn_ledger_lost_list(l, lost, 4), 2);
    assert_int_equal(lost[0].intent, b);
    assert_string_equal(lost[0].step, "judge");
    assert_true(qn_hash_eq(lost[0].key, key_of(2)));
    assert_true(qn_hash_eq(lost[0].row, key_of(1000002)));
    assert_int_equal(qn_ledger_lost_list(l, lost, 1), 2);
    record(l, 2, intend(l, 2, NULL), NULL);         /* asked again and answered */
    close_it(l);
    l = open_it(false);
    assert_int_equal(facts(l).interrupted_in_flight, 1);
    assert_true(facts(l).interrupted_worst_usd == 1.0);     /* the first request may have been charged as well */
    assert_true(facts(l).spent_usd == 0.5);
    close_it(l);
    l = open_it(true);
    assert_int_equal(facts(l).interrupted_in_flight, 0);    /* of this epoch */
    assert_true(facts(l).interrupted_worst_usd == 1.0);     /* of all */
    close_it(l);
}

/* ---- kill -9 ---- the child tells through shared memory what was acknowledged */
enum { N_KILL = 12 };
typedef struct { volatile uint64_t intents, replies; volatile bool all_answered; } told;

static void child_ack(void *arg, void *const *tags, size_t n, bool ok, const char *why)
{
    told *t = arg;
    (void)why;
    if (!ok) _exit(9);
    for (size_t i = 0; i < n; i++) {
        uintptr_t tag = (uintptr_t)tags[i];
        if (tag >= 100) t->replies |= 1ull << (tag - 100); else t->intents |= 1ull << tag;
    }
}

static void child_work(told *t)
{
    qn_err e = {0};
    qn_ledger *l;
    if (qn_ledger_open(&l, db, NULL, &e) != QN_OK) _exit(3);
    qn_ledger_on_ack(l, child_ack, t);
    for (uintptr_t i = 0; i < N_KILL; i++) {
        qn_buf b = {0};
        if (qn_ledger_find(l, key_of(i), &b, NULL, NULL, NULL)) continue;
        uint64_t it = intend(l, i, (void *)i);
        if (i % 5 == 4 && !t->all_answered) qn_ledger_cancel(l, it);
        else record(l, i, it, (void *)(i + 100));
    }
    if (qn_ledger_close(l, &e) != QN_OK) _exit(4);
    _exit(0);
}

static int run_child(told *t, long kill_at)
{
    char text[32];
    snprintf(text, sizeof text, "%ld", kill_at);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (kill_at) setenv("QUERN_TEST_KILL_AT_COMMIT", text, 1);
        child_work(t);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void check_after_kill(const told *t, long kill_at)
{
    qn_ledger *l = open_it(false);
    uint64_t n = 0;
    for (uint64_t i = 0; i < N_KILL; i++) {
        bool there = has(l, i);                     /* also compares every byte */
        n += there;
        if ((t->replies >> i & 1) && !there) fail_msg("kill at %ld: reply %d was acknowledged and is gone", kill_at, (int)i);
    }
    qn_ledger_facts f = facts(l);
    assert_int_equal(f.n_replies, n);
    assert_true(f.spent_usd == 0.25 * (double)n);
    assert_int_equal(f.interrupted_worst_usd / 0.5, f.interrupted_in_flight);
    assert_true(f.interrupted_in_flight <= 1);      /* one entry a commit: only the last intent can be open */
    close_it(l);
    assert_int_equal(sql_int(db, "SELECT count(*) FROM reply WHERE id NOT IN (SELECT id FROM intent)"), 0);
    for (uint64_t i = 0; i < N_KILL; i++) {
        char q[128];
        snprintf(q, sizeof q, "SELECT count(*) FROM intent WHERE key_hi = %lld", (long long)key_of(i).hi);
        if (t->intents >> i & 1) assert_true(sql_int(db, q) >= 1);
    }
    assert_int_equal(sql_int(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
}

static void killed_at_any_commit_nothing_acknowledged_is_gone_and_nothing_is_half(void **s)
{
    (void)s;
    told *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(t, MAP_FAILED);
    int n_killed = 0;
    for (int before = 0; before < 2; before++) {
        for (long n = 1;; n++) {
            assert_true(n < 100);
            memset(t, 0, sizeof *t);
            unlink(db);
            int status = run_child(t, before ? -n : n);
            if (WIFEXITED(status)) { assert_int_equal(WEXITSTATUS(status), 0); break; }
            assert_int_equal(WTERMSIG(status), SIGKILL);
            n_killed++;
            check_after_kill(t, n);
            assert_int_equal(run_child(t, 0), 0);   /* the resume gets through and asks only for what lacks */
            qn_ledger *l = open_it(false);
            for (uint64_t i = 0; i < N_KILL; i++) assert_int_equal(has(l, i), i % 5 != 4);
            assert_int_equal(facts(l).n_replies, 10);
            assert_true(facts(l).spent_usd == 2.5); /* none was recorded twice */
            assert_true(facts(l).interrupted_in_flight <= 1);   /* 1: asked again and cancelled, so the end of the first is unknown still */
            close_it(l);
        }
        unlink(db);
    }
    assert_true(n_killed >= 2 * (2 * N_KILL + 2));
    munmap(t, sizeof *t);
}

static void a_chain_of_kills_still_ends_with_each_reply_once(void **s)
{
    (void)s;
    told *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int n = 0;
    t->all_answered = true;
    for (int status; status = run_child(t, 3), !WIFEXITED(status); n++) assert_true(n < 100);
    assert_int_equal(n, N_KILL);
    qn_ledger *l = open_it(false);
    assert_int_equal(facts(l).n_replies, N_KILL);
    close_it(l);
    assert_int_equal(sql_int(db, "SELECT max(c) FROM (SELECT count(*) c FROM reply GROUP BY key_hi)"), 1);
    munmap(t, sizeof *t);
}

/* ---- the lock ---- */
static void a_second_owner_is_refused_by_the_name_of_the_first(void **s)
{
    (void)s;
    char who[64];
    qn_ledger *l = open_it(false);
    snprintf(who, sizeof who, "is held by process %d since 20", (int)getpid());
    assert_refused(db, who);
    assert_refused(db, "started as: ");
    assert_refused(db, "test_ledger");
    close_it(l);
    close_it(open_it(false));
    char lock[128];
    snprintf(lock, sizeof lock, "%s.lock", db);
    assert_false(qn_file_exists(lock));
}

static void the_lock_of_a_dead_process_is_taken_over_even_when_its_child_lives(void **s)
{
    (void)s;
    int gate[2];
    char c;
    assert_int_equal(pipe(gate), 0);
    pid_t pid = fork();
    if (pid == 0) {
        qn_err e = {0};
        qn_ledger *l;
        if (qn_ledger_open(&l, db, NULL, &e) != QN_OK) _exit(3);
        if (fork() == 0) { close(gate[1]); while (read(gate[0], &c, 1) > 0) {} _exit(0); }  /* keeps the inherited lock until the gate shuts */
        kill(getpid(), SIGKILL);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
    close_it(open_it(false));
    close(gate[0]);
    close(gate[1]);
}

static void a_stale_lock_file_without_an_owner_does_not_hinder(void **s)
{
    (void)s;
    char lock[128];
    qn_err e = {0};
    snprintf(lock, sizeof lock, "%s.lock", db);
    assert_int_equal(qn_file_write(lock, QN_STR("1 elsewhere 2020-01-01T00:00:00.000Z 5\nquern run\n"), &e), QN_OK);
    close_it(open_it(false));
}

/* ---- files that cannot be used ---- */
static void a_file_that_is_no_ledger_is_refused_and_left_as_it_is(void **s)
{
    (void)s;
    qn_err e = {0};
    qn_buf b = {0};
    static const char text[] = "name,age\nAnna,12\nBob,15\nthis is a table of people, and long enough for a header of SQLite: .........................";
    assert_int_equal(qn_file_write(db, qn_str_of(text), &e), QN_OK);
    assert_refused(db, "is not a ledger of quern");
    assert_int_equal(qn_file_read(db, 0, &b, &e), QN_OK);
    assert_string_equal(b.p, text);
    unlink(db);
    sql(db, "CREATE TABLE people(name); INSERT INTO people VALUES('Anna')");
    assert_refused(db, "is a SQLite file, but not a ledger of quern");
    assert_int_equal(sql_int(db, "SELECT count(*) FROM sqlite_schema"), 1);
    assert_refused(dir, "is a folder");
    qn_buf_free(&b);
}

static void a_newer_schema_is_refused(void **s)
{
    (void)s;
    close_it(open_it(false));
    sql(db, "PRAGMA user_version = 99");
    assert_refused(db, "written by a newer quern (schema 99; this one knows 2)");
}

static void a_version_0_ledger_is_migrated(void **s)
{
    (void)s;
    qn_err e = {0};
    qn_buf script = {0};
    assert_int_equal(qn_file_read("tests/data/ledger_v0.sql", 0, &script, &e), QN_OK);
    sql(db, script.p);
    qn_ledger *l = open_it(false);
    qn_buf b = {0};
    int64_t pt, ct;
    double usd;
    qn_hash128 key = { 0x0011223344556677, 0x8899aabbccddeeff }, other = { 0xffeeddccbbaa9988, 0x7766554433221100 };
    assert_true(qn_ledger_find(l, key, &b, &pt, &ct, &usd));
    assert_string_equal(b.p, "{\"text\":\"from the old days\"}");
    assert_int_equal(pt, 120);
    assert_int_equal(ct, 45);
    assert_true(usd == 0.002);
    assert_false(qn_ledger_find(l, other, &b, NULL, NULL, NULL));
    assert_true(facts(l).resumed);
    assert_int_equal(facts(l).n_replies, 1);
    assert_int_equal(facts(l).interrupted_in_flight, 1);
    assert_true(facts(l).interrupted_worst_usd == 0.01);
    record(l, 1, intend(l, 1, NULL), NULL);
    close_it(l);
    l = open_it(false);
    assert_true(has(l, 1));
    assert_int_equal(facts(l).n_replies, 2);
    close_it(l);
    assert_int_equal(sql_int(db, "PRAGMA user_version"), QN_LEDGER_VERSION);
    qn_buf_free(&b);
    qn_buf_free(&script);
}

static void a_folder_that_cannot_be_written_is_refused(void **s)
{
    (void)s;
    assert_refused("/no/such/folder/ledger.db", "No such file or directory");
    assert_int_equal(chmod(dir, 0555), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {         /* root may write anywhere: become nobody */
        if (getuid() == 0 && seteuid(65534) != 0) _exit(77);
        qn_err e = {0};
        qn_ledger *l;
        qn_code rc = qn_ledger_open(&l, db, NULL, &e);
        _exit(rc == QN_ELEDGER && strstr(e.msg, "Permission denied") && strstr(e.hint, "--ledger") ? 0 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    chmod(dir, 0755);
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void overwrite(const char *path, long at, size_t n)
{
    char junk[4096];
    memset(junk, 0xA5, sizeof junk);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    for (size_t done = 0; done < n; done += sizeof junk)
        assert_int_equal(pwrite(fd, junk, sizeof junk, at + (long)done), sizeof junk);
    close(fd);
}

static void a_damaged_file_gives_a_clear_error(void **s)
{
    (void)s;
    qn_ledger *l = open_it(false);
    for (uint64_t i = 0; i < 2000; i++) record(l, i, intend(l, i, NULL), NULL);
    close_it(l);
    overwrite(db, 4096, 16 * 4096);
    assert_refused(db, "is damaged");
}

static void a_damaged_reply_is_not_used_and_stops_the_run(void **s)
{
    (void)s;
    acks a;
    acks_init(&a);
    qn_ledger *l = open_it(false);
    record(l, 1, intend(l, 1, NULL), NULL);
    close_it(l);
    sql(db, "UPDATE reply SET body = replace(body, 'reply', 'rePly')");
    l = open_it(false);
    qn_ledger_on_ack(l, on_ack, &a);
    qn_buf b = {0};
    assert_false(qn_ledger_find(l, key_of(1), &b, NULL, NULL, NULL));
    assert_int_equal(b.n, 0);
    intend(l, 1, NULL);
    acks_wait(&a, 1);
    assert_int_equal(a.n_bad, 1);
    assert_non_null(strstr(a.why, "does not match its checksum"));
    qn_err e = {0};
    assert_int_equal(qn_ledger_close(l, &e), QN_ELEDGER);
    qn_buf_free(&b);
}

/* ---- the disk is full ---- */
static void a_full_disk_acknowledges_false_and_keeps_what_was_committed(void **s)
{
    (void)s;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        acks *a = calloc(1, sizeof *a);
        acks_init(a);
        signal(SIGXFSZ, SIG_IGN);
        qn_ledger *l = open_it(false);
        qn_ledger_on_ack(l, on_ack, a);
        struct rlimit lim = { 300000, 300000 };     /* no file grows past 300 kB: what a full disk looks like */
        if (setrlimit(RLIMIT_FSIZE, &lim) != 0) _exit(2);
        size_t n = 0;
        while (a->n_bad == 0 && n < 100000) { uint64_t it = intend(l, n, NULL); record(l, n++, it, NULL); acks_wait(a, 2 * n); }
        if (a->n_bad == 0 || a->n_ok < 20) _exit(3);
        if (!strstr(a->why, "cannot read or write") && !strstr(a->why, "disk is full")) _exit(4);
        size_t ok = a->n_ok, bad = a->n_bad;
        intend(l, n, NULL);
        acks_wait(a, 2 * n + 1);
        if (a->n_ok != ok || a->n_bad != bad + 1) _exit(5);     /* broken for good */
        qn_err e = {0};
        if (qn_ledger_close(l, &e) != QN_ELEDGER) _exit(6);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    qn_ledger *l = open_it(false);
    uint64_t n = facts(l).n_replies;
    assert_true(n >= 10);
    for (uint64_t i = 0; i < n; i++) assert_true(has(l, i));
    assert_false(has(l, n));
    close_it(l);
}

/* ---- many threads ---- */
typedef struct { qn_ledger *l; qn_chan *todo; int bad; } crowd;

static void crowd_ack(void *arg, void *const *tags, size_t n, bool ok, const char *why)
{
    (void)why;
    for (size_t i = 0; i < n; i++)
        if (ok && tags[i]) qn_chan_send(((crowd *)arg)->todo, tags[i]);
}

static void crowd_write(void *p)
{
    crowd *c = p;
    for (uint64_t i = 0; i < 2000; i++) {
        uint64_t it = intend(c->l, i + ((uint64_t)(uintptr_t)pthread_self() << 20), NULL);
        if (i % 7 == 0) qn_ledger_cancel(c->l, it);
    }
}

static void crowd_find(void *p)
{
    crowd *c = p;
    void *tag;
    while (qn_chan_recv(c->todo, &tag)) {
        if (!has(c->l, (uintptr_t)tag)) c->bad++;
        qn_ledger_facts f = facts(c->l);
        if (f.n_replies == 0) c->bad++;
    }
}

static void many_threads_hand_in_and_find_at_once(void **s)
{
    (void)s;
    crowd c = { .l = open_it(false), .todo = qn_chan_new(10000) };
    qn_ledger_on_ack(c.l, crowd_ack, &c);
    qn_thread *t[4] = { qn_thread_start("w1", crowd_write, &c), qn_thread_start("w2", crowd_write, &c), qn_thread_start("f1", crowd_find, &c),
                        qn_thread_start("f2", crowd_find, &c) };
    for (uintptr_t i = 1; i <= 3000; i++) record(c.l, i, intend(c.l, i, NULL), (void *)i);
    qn_thread_join(t[0]);
    qn_thread_join(t[1]);
    while (facts(c.l).n_replies < 3000) qn_sleep_us(1000);
    qn_chan_close(c.todo);
    qn_thread_join(t[2]);
    qn_thread_join(t[3]);
    assert_int_equal(c.bad, 0);
    close_it(c.l);
    qn_chan_free(c.todo);
    assert_int_equal(sql_int(db, "SELECT count(*) FROM intent"), 7000);
    assert_int_equal(sql_int(db, "SELECT count(*) FROM cancel"), 2 * 286);
}

static void a_view_shows_request_and_reply_while_a_run_holds_the_ledger(void **s)
{
    (void)s;
    qn_err e = {0};
    qn_buf long_prompt = {0}, req = {0}, rep = {0};
    qn_ledger_view *v;
    qn_ledger_call c;
    bool found;
    for (int i = 0; i < 500; i++) qn_buf_puts(&long_prompt, "{\"role\":\"user\"}");
    qn_ledger *l = open_it(false);
    for (uint64_t i = 0; i < 3; i++) {
        qn_str request = i == 0 ? qn_buf_view(&long_prompt) : i == 1 ? QN_STR("short prompt") : (qn_str){ 0 };
        uint64_t it = qn_ledger_intent(l, &(qn_intent){ .key = key_of(i), .step = "judge", .row = key_of(i + 7), .worst_usd = 0.5, .request = request }, NULL);
        record(l, i, it, NULL);
    }
    close_it(l);
    l = open_it(false);
    if (qn_ledger_view_open(&v, db, &e) != QN_OK) fail_msg("%s", e.msg);
    for (uint64_t i = 0; i < 3; i++) {
        qn_buf_clear(&req);
        qn_buf_clear(&rep);
        assert_int_equal(qn_ledger_view_call(v, key_of(i), &c, &req, &rep, &found, &e), QN_OK);
        assert_true(found);
        assert_int_equal(c.intent, i + 1);
        assert_string_equal(c.step, "judge");
        assert_true(qn_hash_eq(c.row, key_of(i + 7)));
        assert_true(c.cost_usd == 0.25 && c.prompt_tokens == 10 && c.completion_tokens == 5 && c.attempts == 1 && c.epoch == 1);
        assert_non_null(strstr(rep.p, "reply "));
        assert_true(qn_str_eq(qn_buf_view(&req), i == 0 ? qn_buf_view(&long_prompt) : i == 1 ? QN_STR("short prompt") : (qn_str){ "", 0 }));
    }
    assert_int_equal(qn_ledger_view_call(v, key_of(99), &c, NULL, NULL, &found, &e), QN_OK);
    assert_false(found);
    qn_ledger_view_close(v);
    close_it(l);
    assert_int_equal(qn_ledger_view_open(&v, "/no/such.db", &e), QN_ELEDGER);
    if (qn_ledger_view_open(&v, db, &e) != QN_OK) fail_msg("%s", e.msg);
    qn_ledger_view_close(v);
    qn_buf wal = {0};
    qn_buf_printf(&wal, "%s-wal", db);
    assert_false(qn_file_exists(wal.p));                /* looking leaves nothing behind */
    qn_buf_free(&wal);
    assert_true(sql_int(db, "SELECT length(request) FROM intent WHERE id = 1") < 1000);
    qn_buf_free(&req);
    qn_buf_free(&rep);
    qn_buf_free(&long_prompt);
}

static void a_view_opens_in_a_folder_that_cannot_be_written(void **s)
{
    (void)s;
    qn_ledger *l = open_it(false);
    record(l, 1, intend(l, 1, NULL), NULL);
    close_it(l);
    assert_int_equal(chmod(dir, 0555), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (getuid() == 0 && seteuid(65534) != 0) _exit(77);
        qn_err e = {0};
        qn_ledger_view *v;
        qn_ledger_call c;
        bool found = false;
        if (qn_ledger_view_open(&v, db, &e) != QN_OK) _exit(1);
        if (qn_ledger_view_call(v, key_of(1), &c, NULL, NULL, &found, &e) != QN_OK) _exit(2);
        _exit(found ? 0 : 3);
    }
    int status;
    waitpid(pid, &status, 0);
    chmod(dir, 0755);
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_mark_agrees_with_a_full_count(void **s)
{
    (void)s;
    qn_ledger *l = open_it(false);
    uint64_t held = intend(l, 5000, NULL);          /* stays open while thousands behind it close */
    for (uint64_t i = 0; i < 3000; i++) {
        uint64_t it = intend(l, i, NULL);
        if (i % 3) record(l, i, it, NULL); else qn_ledger_cancel(l, it);
    }
    close_it(l);
    assert_int_equal(sql_int(db, "SELECT settled FROM mark"), (int64_t)held - 1);
    assert_int_equal(sql_int(db, "SELECT n_replies FROM mark"), 2000);
    l = open_it(false);
    assert_int_equal(facts(l).interrupted_in_flight, 1);
    assert_int_equal(facts(l).n_replies, 2000);
    assert_true(facts(l).spent_usd == 500.0);
    close_it(l);
    assert_int_equal(sql_int(db, "SELECT settled FROM mark"), 3001);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_recorded_reply_is_found_in_this_run_and_in_the_next), T(acks_come_in_the_order_handed_in),
        T(bodies_of_every_size_come_back_byte_for_byte), T(the_first_reply_to_a_key_is_the_one_found), T(a_reply_without_an_intent_is_kept),
        T(fresh_opens_an_epoch_that_a_resume_continues), T(open_intents_of_an_ended_run_are_lost_named_and_counted),
        T(killed_at_any_commit_nothing_acknowledged_is_gone_and_nothing_is_half), T(a_chain_of_kills_still_ends_with_each_reply_once),
        T(a_second_owner_is_refused_by_the_name_of_the_first), T(the_lock_of_a_dead_process_is_taken_over_even_when_its_child_lives),
        T(a_stale_lock_file_without_an_owner_does_not_hinder), T(a_file_that_is_no_ledger_is_refused_and_left_as_it_is),
        T(a_newer_schema_is_refused), T(a_version_0_ledger_is_migrated), T(a_folder_that_cannot_be_written_is_refused),
        T(a_damaged_file_gives_a_clear_error), T(a_damaged_reply_is_not_used_and_stops_the_run),
        T(a_full_disk_acknowledges_false_and_keeps_what_was_committed), T(many_threads_hand_in_and_find_at_once),
        T(a_view_opens_in_a_folder_that_cannot_be_written),
        T(a_view_shows_request_and_reply_while_a_run_holds_the_ledger), T(the_mark_agrees_with_a_full_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
