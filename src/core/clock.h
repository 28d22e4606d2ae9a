/* clock: the only place that asks what time it is. Nothing that shapes a row may use it. */
#ifndef QN_CORE_CLOCK_H
#define QN_CORE_CLOCK_H
#include <stdint.h>
int64_t qn_now_us(void);            /* monotonic microseconds */
int64_t qn_wall_ms(void);           /* Unix time in milliseconds */
void    qn_wall_text(int64_t wall_ms, char out[25]);    /* "2026-01-31T23:59:59.123Z" */
double  qn_cpu_seconds(void);       /* user + system time of this process, all threads */
void    qn_sleep_us(int64_t us);
#endif
