/* log: JSON lines, one write each. */
#include "core/log.h"
#include "core/clock.h"
#include "core/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int fd = -1;
static void (*hook)(qn_level, const char *, const char *);

qn_code qn_log_open(const char *path, qn_err *e)
{
    qn_log_close();
    if (!path) return QN_OK;
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return fd < 0 ? qn_fail(e, QN_EIO, "cannot write %s: %s", path, strerror(errno)) : QN_OK;
}

void qn_log_close(void)
{
    if (fd >= 0) close(fd);
    fd = -1;
}

void qn_log_hook(void (*fn)(qn_level, const char *, const char *)) { hook = fn; }

static void put_json_text(qn_buf *b, const char *z)
{
    for (; *z; z++) {
        unsigned char c = (unsigned char)*z;
        if (c == '"' || c == '\\') qn_buf_printf(b, "\\%c", c);
        else if (c < 32) qn_buf_printf(b, "\\u%04x", c);
        else qn_buf_putc(b, (char)c);
    }
}

void qn_log(qn_level level, const char *event, const char *fmt, ...)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    qn_buf text = {0}, line = {0};
    char when[25];
    va_list ap;
    va_start(ap, fmt);
    qn_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    qn_wall_text(qn_wall_ms(), when);
    qn_buf_printf(&line, "{\"at\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"text\":\"", when, names[level], event);
    put_json_text(&line, text.p ? text.p : "");
    qn_buf_puts(&line, "\"}\n");
    pthread_mutex_lock(&lock);
    if (fd >= 0 && write(fd, line.p, line.n) < 0) { /* a full disk shows where rows are written; the log is best effort */ }
    if (hook && level >= QN_WARN) hook(level, event, text.p ? text.p : "");
    pthread_mutex_unlock(&lock);
    qn_buf_free(&text);
    qn_buf_free(&line);
}

/* ---- what is being done now ---- */
static pthread_mutex_t status_lock = PTHREAD_MUTEX_INITIALIZER;
static char status[160];

void qn_status(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    pthread_mutex_lock(&status_lock);
    vsnprintf(status, sizeof status, fmt, ap);
    pthread_mutex_unlock(&status_lock);
    va_end(ap);
}

void qn_status_get(char *out, size_t size)
{
    pthread_mutex_lock(&status_lock);
    snprintf(out, size, "%s", status);
    pthread_mutex_unlock(&status_lock);
}
