/* start: runs the mock server beside a test. It lies next to the test's own binary; it ends with the test. */
#ifndef MOCK_START_H
#define MOCK_START_H
#include "core/file.h"
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct mock_server { pid_t pid; int port; char url[64], log[64], script[64]; } mock_server;

/* script: JSON lines, NULL none. Further arguments up to a NULL. */
static inline mock_server mock_start(const char *script, ...)
{
    static int n;
    mock_server m = {0};
    const char *argv[40] = {0};
    char program[4096];
    int out[2], k = 0;
    qn_err e = {0};
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 8);
    program[len < 0 ? 0 : len] = 0;
    char *slash = strrchr(program, '/');
    strcpy(slash ? slash : program, "/mock");
    snprintf(m.log, sizeof m.log, "/tmp/quern-mock-%d-%d.log", (int)getpid(), n);
    snprintf(m.script, sizeof m.script, "/tmp/quern-mock-%d-%d.jsonl", (int)getpid(), n++);
    unlink(m.log);
    argv[k++] = program; argv[k++] = "--log"; argv[k++] = m.log; argv[k++] = "--seconds"; argv[k++] = "120";
    if (script) {
        if (qn_file_write(m.script, qn_str_of(script), &e) != QN_OK) { fprintf(stderr, "%s\n", e.msg); exit(1); }
        argv[k++] = "--script"; argv[k++] = m.script;
    }
    va_list ap;
    va_start(ap, script);
    for (const char *a; (a = va_arg(ap, const char *)) && k < 38;) argv[k++] = a;
    va_end(ap);
    if (pipe(out) != 0) exit(1);
    m.pid = fork();
    if (m.pid == 0) {
        dup2(out[1], 1);
        close(out[0]);
        execv(program, (char **)(uintptr_t)argv);
        fprintf(stderr, "%s cannot be started: `make` builds it\n", program);
        _exit(127);
    }
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    if (!f || fscanf(f, "%d", &m.port) != 1) { fprintf(stderr, "the mock server did not start\n"); exit(1); }
    fclose(f);
    snprintf(m.url, sizeof m.url, "http://127.0.0.1:%d/v1", m.port);
    return m;
}

/* What the server received, one JSON line a request. Owned. */
static inline qn_buf mock_log(const mock_server *m)
{
    qn_buf b = {0};
    qn_err e = {0};
    qn_file_read(m->log, 0, &b, &e);
    if (!b.p) qn_buf_puts(&b, "");
    return b;
}

static inline size_t mock_count(const mock_server *m, const char *word)     /* lines of the log that hold it */
{
    qn_buf b = mock_log(m);
    size_t n = 0;
    for (char *p = b.p, *end; p && *p; p = end) {
        end = strchr(p, '\n');
        if (end) *end++ = 0; else end = p + strlen(p);
        n += strstr(p, word) != NULL;
    }
    qn_buf_free(&b);
    return n;
}

static inline void mock_stop(mock_server *m)
{
    kill(m->pid, SIGKILL);
    waitpid(m->pid, NULL, 0);
    unlink(m->log);
    unlink(m->script);
}
#endif
