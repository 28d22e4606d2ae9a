/* log: one JSON line per event to a run's run.log, and warnings to people. Thread-safe; lines are whole. */
#ifndef QN_CORE_LOG_H
#define QN_CORE_LOG_H
#include "core/err.h"
typedef enum { QN_DEBUG, QN_INFO, QN_WARN, QN_ERROR } qn_level;
qn_code qn_log_open(const char *path, qn_err *e);       /* appends; NULL: nowhere */
void    qn_log_close(void);
void    qn_log(qn_level level, const char *event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What to do with warnings and errors beside the file (the cli prints them); NULL: nothing. */
void    qn_log_hook(void (*fn)(qn_level level, const char *event, const char *text));
/* What a long step is doing now, one short line for the progress display; "" none. */
void    qn_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void    qn_status_get(char *out, size_t size);
#endif
