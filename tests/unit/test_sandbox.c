/* The sandbox: what goes in and comes out, and what a hostile program cannot do. Everything is tried in both ways to make one, by Landlock also as a
 * user who shares the uid of the program: main starts itself once for each. */
#include "core/clock.h"
#include "core/sandbox.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static qn_sandbox_result R;
static char tmp[] = "/tmp/quern-test-sandbox-XXXXXX";

static void run(const char *const *argv, const char *script, int64_t time_ms, int64_t memory)
{
    const char *sh[] = { argv ? argv[0] : "sh", argv ? argv[1] : "-c", script, NULL };
    static const qn_sandbox_file files[] = { { "data.txt", { "corn\n", 5 } } };
    qn_sandbox_job job = QN_SANDBOX_JOB;
    qn_err e;
    job.argv = sh;
    job.input = QN_STR("flour\n");
    job.files = files;
    job.n_files = 1;
    job.time_ms = time_ms;
    if (memory) job.memory_bytes = memory;
    qn_sandbox_result_free(&R);
    if (qn_sandbox_run(&job, &R, &e) != QN_OK) fail_msg("%s", e.msg);
}
static void sh(const char *script, int64_t time_ms) { run(NULL, script, time_ms, 0); }
static void python(const char *script, int64_t time_ms, int64_t memory) { run((const char *[]){ "python3", "-c" }, script, time_ms, memory); }

/* Processes of the machine whose command line holds a text. */
static int left_behind(const char *mark)
{
    int n = 0;
    DIR *d = opendir("/proc");
    for (struct dirent *x; (x = readdir(d));) {
        char path[300], line[4096];
        snprintf(path, sizeof path, "/proc/%s/cmdline", x->d_name);
        int fd = x->d_name[0] >= '1' && x->d_name[0] <= '9' && atoi(x->d_name) != getpid() ? open(path, O_RDONLY) : -1;
        if (fd < 0) continue;
        ssize_t k = read(fd, line, sizeof line);
        n += k > 0 && memmem(line, (size_t)k, mark, strlen(mark)) != NULL;
        close(fd);
    }
    closedir(d);
    return n;
}

/* What is killed is gone a moment later. */
static int still_there(const char *mark)
{
    int n = left_behind(mark);
    for (int i = 0; i < 200 && n; i++, n = left_behind(mark)) qn_sleep_us(10000);
    return n;
}

static int entries(const char *path)
{
    int n = 0;
    DIR *d = opendir(path);
    for (struct dirent *x; d && (x = readdir(d));) n += x->d_name[0] != '.';
    if (d) closedir(d);
    return n;
}

#define OUT (R.out.p ? R.out.p : "")
#define ERR (R.err.p ? R.err.p : "")

/* ---- what goes in and comes out ---- */
static void input_files_output_and_exit_code_go_through(void **state)
{
    (void)state;
    sh("cat; cat data.txt; echo bran >&2; echo dust > x; cat x; echo meal > $TMPDIR/y; cat $TMPDIR/y; exit 7", 5000);
    assert_string_equal(OUT, "flour\ncorn\ndust\nmeal\n");
    assert_string_equal(ERR, "bran\n");
    assert_int_equal(R.exit_code, 7);
    assert_false(R.timed_out);
    assert_null(R.stopped);
    assert_int_equal(entries(tmp), 0);
    sh("kill -SEGV $$", 5000);
    assert_int_equal(R.signal, SIGSEGV);
}

static void names_of_files_cannot_leave_the_folder(void **state)
{
    (void)state;
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

static void output_is_limited(void **state)
{
    (void)state;
    sh("yes | head -c 30000000", 5000);
    assert_true(R.output_cut);
    assert_int_equal(R.out.n, 1 << 20);
}

/* ---- what it cannot read, write or reach ---- */
static void the_hosts_files_and_environment_are_not_there(void **state)
{
    (void)state;
    char script[2000], secret[64];
    snprintf(secret, sizeof secret, "%s/../quern-test-secret-%d", tmp, (int)getpid());
    FILE *f = fopen(secret, "w");
    assert_non_null(f);
    fputs("do not tell", f);
    fclose(f);
    setenv("QUERN_TEST_SECRET", "visible", 1);
    snprintf(script, sizeof script,
             "cat %s /etc/passwd /etc/shadow /proc/%d/environ /proc/1/environ /proc/$PPID/environ $HOME/../*secret* 2>/dev/null; cat < %s; ln -s %s link; cat link; ls /root /home /var %s;"
             "echo x >> %s; rm -f %s; touch /usr/x && echo wrote; echo y > data.txt && echo changed; echo \"[$QUERN_TEST_SECRET]\"",
             secret, (int)getpid(), secret, secret, tmp, secret, secret);
    sh(script, 5000);
    assert_null(strstr(OUT, "do not tell"));
    assert_null(strstr(OUT, "root:"));
    assert_null(strstr(OUT, "visible"));
    assert_string_equal(strrchr(OUT, '[') ? strrchr(OUT, '[') : "", "[]\n");
    assert_null(strstr(OUT, "wrote"));
    assert_null(strstr(OUT, "changed"));
    char have[32] = "";
    f = fopen(secret, "r");
    assert_non_null(f);
    assert_non_null(fgets(have, sizeof have, f));
    fclose(f);
    assert_string_equal(have, "do not tell");
    unlink(secret);
}

static void there_is_no_network(void **state)
{
    (void)state;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    char script[1000];
    assert_int_equal(bind(s, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s, 5), 0);
    assert_int_equal(getsockname(s, (struct sockaddr *)&at, &n), 0);
    fcntl(s, F_SETFL, O_NONBLOCK);
    snprintf(script, sizeof script,
             "import socket\n"
             "for kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_UNIX, socket.SOCK_STREAM)):\n"
             "    try:\n"
             "        s = socket.socket(*kind); s.connect('\\0quern' if kind[0] == socket.AF_UNIX else ('127.0.0.1', %d)); s.send(b'out')\n"
             "        print('reached' if kind[1] == socket.SOCK_STREAM else 'sent')\n"
             "    except OSError as e: print('no')\n", ntohs(at.sin_port));
    python(script, 5000, 0);
    assert_null(strstr(OUT, "reached"));
    assert_non_null(strstr(OUT, "no\n"));
    assert_true(accept(s, NULL, NULL) < 0);
    close(s);
}

static void it_gains_no_rights(void **state)
{
    (void)state;
    python("import ctypes, os\n"
           "c = ctypes.CDLL(None, use_errno=True)\n"
           "for name, args in (('unshare', (0x10000000,)), ('mount', (b'x', b'/', b'tmpfs', 0, 0)), ('ptrace', (16, os.getppid(), 0, 0)), ('setuid', (0,)), ('memfd_create', (b'x', 0)), ('chroot', (b'.',)), ('syscall', (425, 8, 0))):\n"
           "    if getattr(c, name)(*args) >= 0: print('may', name)\n", 5000, 0);
    assert_string_equal(OUT, "");
    assert_int_equal(R.exit_code, 0);
}

static void it_cannot_end_its_parent_or_others(void **state)
{
    (void)state;
    char script[300];
    pid_t other = fork();
    if (other == 0) { pause(); _exit(0); }
    snprintf(script, sizeof script, "kill -9 %d %d; kill -9 $PPID; echo still; kill -9 -1; true", (int)getpid(), (int)other);
    sh(script, 5000);
    assert_int_equal(waitpid(other, NULL, WNOHANG), 0);     /* and this process is here to ask */
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
}

/* ---- what it cannot use up ---- */
static void time_is_kept_even_by_children_that_ignore_signals(void **state)
{
    (void)state;
    int64_t t0 = qn_now_us();
    sh("trap '' TERM INT HUP; (trap '' TERM HUP; sleep 7123456) & sleep 7123456", 300);
    assert_true(R.timed_out);
    assert_string_equal(R.stopped, "out of time");
    sh("while :; do :; done", 300);
    assert_true(R.timed_out);
    sh("nohup setsid sleep 7123457 & (setsid sleep 7123457 &) & sleep 7123457", 300);
    assert_true(R.timed_out);
    assert_true(qn_now_us() - t0 < 4000000);
    assert_int_equal(still_there("712345"), 0);
}

static void what_it_leaves_running_ends_with_it(void **state)
{
    (void)state;
    int64_t t0 = qn_now_us();
    sh("sleep 7223456 >/dev/null 2>&1 & (sleep 7223456 >/dev/null 2>&1 &) & echo done", 5000);
    assert_string_equal(OUT, "done\n");
    assert_null(R.stopped);
    assert_true(qn_now_us() - t0 < 3000000);
    assert_int_equal(still_there("7223456"), 0);
}

static void a_fork_bomb_ends(void **state)
{
    (void)state;
    int64_t t0 = qn_now_us();
    sh("bomb7323456() { bomb7323456 | bomb7323456 & }; bomb7323456; sleep 30", 2000);
    assert_true(R.stopped || R.exit_code != 0);
    assert_true(qn_now_us() - t0 < 5000000);
    assert_int_equal(still_there("bomb7323456"), 0);
    python("import os, time\nn = 0\ntry:\n    for i in range(300):\n        n += 1\n        if os.fork() == 0: time.sleep(20); os._exit(0)\nexcept OSError: pass\nprint(n)\n", 2000, 0);
    assert_true(R.stopped || atoi(OUT) <= 33);
}

static void memory_is_limited_in_one_process_and_in_all(void **state)
{
    (void)state;
    sh("head -c 900000000 /dev/zero | tail -c 900000000 | wc -c", 5000);     /* tail would hold 900 MB */
    assert_true(strncmp(OUT, "900000000", 9) != 0);
    python("import os, time\n"
           "for i in range(6):\n"
           "    if os.fork() == 0:\n"
           "        x = bytearray(60 << 20)\n"
           "        for k in range(0, len(x), 4096): x[k] = 1\n"
           "        time.sleep(20)\n"
           "        os._exit(0)\n"
           "time.sleep(10)\nprint('held')\n", 6000, (int64_t)192 << 20);
    assert_string_equal(R.stopped ? R.stopped : "", "out of memory");
    python("x = bytearray(60 << 20)\nprint('fits')\n", 5000, (int64_t)192 << 20);
    assert_string_equal(OUT, "fits\n");
}

static void the_disk_cannot_be_filled(void **state)
{
    (void)state;
    sh("head -c 100000000 /dev/zero > big && echo one", 5000);
    assert_null(strstr(OUT, "one"));
    sh("i=0; while [ $i -lt 60 ]; do head -c 10000000 /dev/zero > f$i || exit 3; i=$((i+1)); done; echo all", 8000);
    assert_true(R.stopped || R.exit_code == 3);
    assert_null(strstr(OUT, "all"));
    python("import os\nfor i in range(10000000): open('%s/n%d' % (os.environ['TMPDIR'], i), 'w').close()\nprint('all')", 8000, 0);
    assert_non_null(R.stopped);
    assert_null(strstr(OUT, "all"));
    sh("for d in / /dev /dev/shm /etc /usr/lib /var/tmp; do head -c 40000000 /dev/zero > $d/quern-filled 2>/dev/null && echo $d; done", 5000);
    assert_string_equal(OUT, "");
    assert_int_equal(entries(tmp), 0);
}

static void it_ends_when_quern_is_killed(void **state)
{
    (void)state;
    pid_t quern = fork();
    if (quern == 0) { sh("(sleep 7423456 &) & sleep 7423456", 60000); _exit(0); }
    for (int i = 0; i < 300 && left_behind("7423456") < 3; i++) qn_sleep_us(10000);
    qn_sleep_us(100000);
    kill(quern, SIGKILL);
    waitpid(quern, NULL, 0);
    assert_int_equal(still_there("7423456"), 0);
    char rm[100];                       /* its folder waits for the next start of quern: see in_this_way */
    snprintf(rm, sizeof rm, "rm -rf %s/*", tmp);
    assert_int_equal(system(rm), 0);
}

/* Links to the host's files and folders without rights, however deep, are removed, and nothing but them. */
static void what_it_leaves_on_the_disk_is_removed(void **state)
{
    (void)state;
    char script[1000], keep[128];
    struct stat st;
    snprintf(keep, sizeof keep, "%s-kept", tmp);
    assert_int_equal(mkdir(keep, 0755), 0);
    snprintf(script, sizeof script,
             "cd $TMPDIR; ln -s %s in; ln -s %s ../out; mkdir -p a/b; ln -s %s a/b/in; mkdir -m 000 shut; (mkdir half && cd half && touch x && chmod 0 .);"
             "i=0; while [ $i -lt 1500 ]; do mkdir d && cd d || break; i=$((i+1)); done; chmod 0 $TMPDIR; echo deep", keep, keep, keep);
    sh(script, 8000);
    assert_int_equal(stat(keep, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755);
    assert_int_equal(entries(tmp), 0);
    rmdir(keep);
}

static int in_this_way(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_files_output_and_exit_code_go_through),
        cmocka_unit_test(names_of_files_cannot_leave_the_folder),
        cmocka_unit_test(output_is_limited),
        cmocka_unit_test(the_hosts_files_and_environment_are_not_there),
        cmocka_unit_test(there_is_no_network),
        cmocka_unit_test(it_gains_no_rights),
        cmocka_unit_test(it_cannot_end_its_parent_or_others),
        cmocka_unit_test(time_is_kept_even_by_children_that_ignore_signals),
        cmocka_unit_test(what_it_leaves_running_ends_with_it),
        cmocka_unit_test(it_ends_when_quern_is_killed),
        cmocka_unit_test(a_fork_bomb_ends),
        cmocka_unit_test(memory_is_limited_in_one_process_and_in_all),
        cmocka_unit_test(the_disk_cannot_be_filled),
        cmocka_unit_test(what_it_leaves_on_the_disk_is_removed),
    };
    qn_err e;
    char left[128], below[160];
    if (!mkdtemp(tmp) || chmod(tmp, 0755) != 0) return 1;
    setenv("TMPDIR", tmp, 1);
    snprintf(left, sizeof left, "%s/quern-sandbox-999999999-x", tmp);      /* left by a quern that was killed: nobody has this pid */
    snprintf(below, sizeof below, "%s/some", left);
    if (mkdir(left, 0755) != 0 || mkdir(below, 0755) != 0) return 1;
    if (qn_sandbox_ready(&e) != QN_OK) {
        rmdir(below);
        rmdir(left);
        rmdir(tmp);
        printf("skipped: %s as uid %d: %s\n", getenv("QUERN_SANDBOX"), (int)geteuid(), e.msg);
        return 0;
    }
    printf("---- %s as uid %d\n", qn_sandbox_kind(), (int)geteuid());
    fflush(stdout);
    if (strcmp(qn_sandbox_kind(), "bubblewrap") == 0) { rmdir(below); rmdir(left); }
    else if (access(left, F_OK) == 0) { printf("a folder of a killed quern is still there\n"); return 1; }
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    qn_sandbox_result_free(&R);
    rmdir(tmp);
    return rc;
}

int main(void)
{
    static const char *const ways[] = { "bubblewrap", "landlock", "landlock" };
    int failed = 0;
    for (int i = 0; i < 3; i++) {
        int status = 0;
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            setenv("QUERN_SANDBOX", ways[i], 1);
            if (i == 2 && (geteuid() != 0 || setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)) _exit(0);
            exit(in_this_way());
        }
        waitpid(pid, &status, 0);
        failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    return failed;
}
