/* local: starting, waiting for and ending a llama.cpp server. See local.h. */
#include "model/local.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/thread.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_LIMIT_S = 600, HEAD = 16 << 20, PIECE = 1 << 20, N_PIECES = 64, WORDS = 4096 };

struct qn_local {
    char *file, *url;
    const char *const *args;    /* borrowed from the models' arena */
    int   port;
    pthread_mutex_t lock;       /* guards pid and started */
    pid_t pid;
    bool  started;
    int   out_fd;               /* the reading end of what the server prints */
    qn_thread *reader;          /* takes it in, so that the server never waits for room; keeps its last words */
    pthread_mutex_t words_lock;
    char  words[WORDS];         /* a ring; guarded by words_lock */
    size_t n_words;             /* bytes ever printed */
};

/* ---- the file ---- */
static qn_code hash_file(int fd, int64_t size, qn_hash128 *out, const char *path, qn_err *e)
{
    qn_hasher *h = qn_hasher_new();
    char *piece = qn_alloc(PIECE);
    qn_code rc = QN_OK;
    qn_hasher_add(h, &size, sizeof size);
    int64_t n = (size + PIECE - 1) / PIECE, head = HEAD / PIECE, step = n > head + N_PIECES ? (n - head) / N_PIECES : 1;
    for (int64_t i = 0; i < n && rc == QN_OK; i += i < head ? 1 : step) {
        ssize_t k = pread(fd, piece, PIECE, i * PIECE);
        if (k <= 0) rc = qn_fail(e, QN_EIO, "cannot read %s: %s", path, strerror(errno));
        else qn_hasher_add(h, piece, (size_t)k);
    }
    *out = qn_hasher_end(h);
    qn_free(piece);
    return rc;
}

static qn_code check_file(const char *path, qn_hash128 *hash, qn_err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return qn_fail_open(e, path);
    char magic[4] = {0};
    int64_t size = lseek(fd, 0, SEEK_END);
    qn_code rc = pread(fd, magic, 4, 0) == 4 && memcmp(magic, "GGUF", 4) == 0 ? hash_file(fd, size, hash, path, e)
               : qn_fail(e, QN_EUSAGE, "%s is no GGUF file (its first bytes say otherwise)", path);
    close(fd);
    return rc;
}

/* A port that is free now. Somebody may take it before the child does: then the child says so and the start fails with its words. */
static int free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    int port = fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0 && getsockname(fd, (struct sockaddr *)&at, &n) == 0 ? ntohs(at.sin_port) : 0;
    if (fd >= 0) close(fd);
    return port;
}

qn_code qn_local_new(const char *file, const char *const *args, qn_arena *a, qn_model *m, qn_err *e)
{
    qn_hash128 hash;
    char hex[33];
    QN_TRY(check_file(file, &hash, e));
    int port = free_port();
    if (!port) return qn_fail(e, QN_EMODEL, "no free port on 127.0.0.1 for the server of %s", file);
    qn_local *l = QN_NEW(qn_local);
    *l = (qn_local){ .file = qn_strz(qn_str_of(file)), .args = args, .port = port, .out_fd = -1 };
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->words_lock, NULL);
    m->url = l->url = (char *)(uintptr_t)qn_arena_printf(a, "http://127.0.0.1:%d/v1", port).p;
    if (!m->name) m->name = qn_arena_str(a, qn_path_base(qn_str_of(file))).p;
    qn_hash_hex(hash, hex);
    if (!m->identity) m->identity = qn_arena_printf(a, "gguf %s", hex).p;
    m->local = l;
    return QN_OK;
}

/* ---- the program ---- */
static bool on_path(const char *name, char *out, size_t size)
{
    const char *path = getenv("PATH");
    for (const char *p = path ? path : ""; *p;) {
        size_t n = strcspn(p, ":");
        if (n && snprintf(out, size, "%.*s/%s", (int)n, p, name) < (int)size && access(out, X_OK) == 0 && !qn_is_dir(out)) return true;
        p += n + (p[n] == ':');
    }
    return false;
}

static bool python_has_server(const char *python)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        for (int i = 0; i < 3; i++) dup2(null, i);
        alarm(30);
        execl(python, python, "-c", "import importlib.util as u, sys; sys.exit(not (u.find_spec('llama_cpp') and u.find_spec('llama_cpp.server')))", (char *)NULL);
        _exit(1);
    }
    int status = 1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) { }
    return pid > 0 && status == 0;
}

static bool has_arg(const char *const *args, const char *name)
{
    for (; args && *args; args++) if (strcmp(*args, name) == 0) return true;
    return false;
}

/* The command line, NULL-terminated, in `argv` (room for max). The texts are borrowed from l and from `a`. */
static qn_code command(qn_local *l, qn_arena *a, const char **argv, size_t max, qn_err *e)
{
    char found[4096];
    size_t n = 0;
    const char *own = getenv("QUERN_LLAMA_SERVER"), *file_flag = "-m";
    if (own && *own) argv[n++] = own;
    else if (on_path("llama-server", found, sizeof found)) argv[n++] = qn_arena_str(a, qn_str_of(found)).p;
    else if ((on_path("python3", found, sizeof found) || on_path("python", found, sizeof found)) && python_has_server(found)) {
        argv[n++] = qn_arena_str(a, qn_str_of(found)).p;
        argv[n++] = "-m";
        argv[n++] = "llama_cpp.server";
        file_flag = "--model";
    } else {
        qn_fail(e, QN_EMISSING, "%s needs a llama.cpp server, and none is here", l->file);
        qn_hint(e, "put llama-server on the PATH, or: pip install 'llama-cpp-python[server]'");
        return QN_EMISSING;
    }
    argv[n++] = file_flag;
    argv[n++] = l->file;
    argv[n++] = "--host";
    argv[n++] = "127.0.0.1";
    argv[n++] = "--port";
    argv[n++] = qn_arena_printf(a, "%d", l->port).p;
    if (strcmp(file_flag, "--model") == 0 && !has_arg(l->args, "--n_ctx")) {    /* its own 2048 holds neither a long passage nor a repair */
        argv[n++] = "--n_ctx";
        argv[n++] = "4096";
    }
    for (const char *const *x = l->args; x && *x && n + 1 < max; x++) argv[n++] = *x;
    argv[n] = NULL;
    return QN_OK;
}

/* Between fork and exec only what is safe there. */
static void become(const char *const *argv, int log_fd, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);      /* the parent died in between */
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    dup2(log_fd, 1);
    dup2(log_fd, 2);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* ---- waiting ---- */
static size_t drop(char *p, size_t one, size_t n, void *arg) { (void)p; (void)arg; return one * n; }

static bool answers(const qn_local *l)
{
    char url[64];
    long http = 0;
    CURL *c = curl_easy_init();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1/models", l->port);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, 5000L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);
    CURLcode rc = curl_easy_perform(c);
    if (rc == CURLE_OK) curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &http);
    curl_easy_cleanup(c);
    return rc == CURLE_OK && http == 200;
}

static void read_output(void *arg)
{
    qn_local *l = arg;
    char b[1024];
    for (ssize_t n; (n = read(l->out_fd, b, sizeof b)) > 0 || (n < 0 && errno == EINTR);) {
        pthread_mutex_lock(&l->words_lock);
        for (ssize_t i = 0; i < n; i++) l->words[l->n_words++ % WORDS] = b[i];
        pthread_mutex_unlock(&l->words_lock);
    }
}

/* The end of what the server printed, at most size - 1 bytes. The child has ended: its output ends too, unless it left children. */
static void last_words(qn_local *l, char *out, size_t size)
{
    char tail[240];
    size_t n = 0;
    qn_sleep_us(50000);
    pthread_mutex_lock(&l->words_lock);
    size_t from = l->n_words > sizeof tail ? l->n_words - sizeof tail : 0;
    for (; from < l->n_words; from++) tail[n++] = l->words[from % WORDS];
    pthread_mutex_unlock(&l->words_lock);
    snprintf(out, size, "%.*s", QN_FMT(qn_str_trim((qn_str){ tail, n })));
}

static qn_code wait_for(qn_local *l, qn_err *e)
{
    int64_t until = qn_now_us() + START_LIMIT_S * INT64_C(1000000);
    char words[300];
    for (int64_t pause_us = 20000; qn_now_us() < until; pause_us = pause_us < 500000 ? pause_us * 2 : pause_us) {
        int status;
        if (waitpid(l->pid, &status, WNOHANG) == l->pid) {
            l->pid = 0;
            last_words(l, words, sizeof words);
            return qn_fail(e, QN_EMODEL, "the server of %s ended before it answered: %s", l->file, words[0] ? words : "it said nothing");
        }
        if (answers(l)) return QN_OK;
        qn_sleep_us(pause_us);
    }
    return qn_fail(e, QN_EMODEL, "the server of %s did not answer within %d minutes", l->file, START_LIMIT_S / 60);
}

static void end_child(qn_local *l)
{
    if (l->pid <= 0) return;
    kill(l->pid, SIGTERM);
    for (int i = 0; i < 60; i++) {
        if (waitpid(l->pid, NULL, WNOHANG) == l->pid) { l->pid = 0; return; }
        qn_sleep_us(50000);
    }
    kill(l->pid, SIGKILL);
    while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR) { }
    l->pid = 0;
}

static void end_reader(qn_local *l)
{
    if (!l->reader) return;
    qn_thread_join(l->reader);
    close(l->out_fd);
    l->reader = NULL;
    l->out_fd = -1;
}

static qn_code spawn(qn_local *l, const char *const *argv, qn_err *e)
{
    int out[2];
    pid_t parent = getpid();
    if (pipe2(out, O_CLOEXEC) != 0) return qn_fail(e, QN_EMODEL, "cannot start %s: %s", argv[0], strerror(errno));
    l->pid = fork();
    if (l->pid == 0) become(argv, out[1], parent);
    close(out[1]);
    if (l->pid < 0) {
        close(out[0]);
        l->pid = 0;
        return qn_fail(e, QN_EMODEL, "cannot start %s: %s", argv[0], strerror(errno));
    }
    l->out_fd = out[0];
    l->n_words = 0;
    l->reader = qn_thread_start("llama-out", read_output, l);
    return QN_OK;
}

static qn_code start(qn_local *l, qn_err *e)
{
    const char *argv[64];
    qn_arena a = {0};
    qn_code rc = command(l, &a, argv, 64, e);
    if (rc == QN_OK) {
        rc = spawn(l, argv, e);
    }
    if (rc == QN_OK) {
        qn_log(QN_INFO, "local", "started %s for %s on port %d (process %d)", argv[0], l->file, l->port, (int)l->pid);
        rc = wait_for(l, e);
        if (rc != QN_OK) { end_child(l); end_reader(l); }
    }
    qn_arena_free(&a);
    l->started = rc == QN_OK;
    return rc;
}

qn_code qn_local_start(qn_local *l, qn_err *e)
{
    pthread_mutex_lock(&l->lock);
    qn_code rc = l->started ? QN_OK : start(l, e);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

int qn_local_pid(const qn_local *l) { return l->pid; }

void qn_local_free(qn_local *l)
{
    if (!l) return;
    end_child(l);
    end_reader(l);
    pthread_mutex_destroy(&l->lock);
    pthread_mutex_destroy(&l->words_lock);
    qn_free(l->file);
    qn_free(l);
}

const char *qn_local_file(const qn_local *l) { return l->file; }
