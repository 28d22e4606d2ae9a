/* thread: threads, locks and one kind of queue between them. Locks and atomics live in core/ only. */
#ifndef QN_CORE_THREAD_H
#define QN_CORE_THREAD_H
#include "core/err.h"
#include <pthread.h>

typedef struct qn_thread qn_thread;
qn_thread *qn_thread_start(const char *name, void (*fn)(void *), void *arg);    /* name: at most 15 bytes */
void       qn_thread_join(qn_thread *t);                                        /* frees t */
int        qn_n_cores(void);                                                    /* usable by this process, >= 1 */

/* A bounded queue of pointers: any number of senders and receivers. A full one blocks the sender: that is the back-pressure. */
typedef struct qn_chan qn_chan;
qn_chan *qn_chan_new(size_t capacity);
void     qn_chan_free(qn_chan *c);
bool     qn_chan_send(qn_chan *c, void *item);              /* waits for room; false when closed */
bool     qn_chan_try_send(qn_chan *c, void *item);          /* false when full or closed */
bool     qn_chan_recv(qn_chan *c, void **item);             /* waits; false when closed and empty */
size_t   qn_chan_recv_many(qn_chan *c, void **items, size_t max, int64_t wait_us); /* 0 after the wait or when closed and empty; wait_us < 0: forever */
size_t   qn_chan_len(qn_chan *c);
void     qn_chan_close(qn_chan *c);                         /* receivers drain what is left */

/* parallel for: fn(arg, i) for i in 0..n-1 on up to n_threads threads (the caller is one); returns when all are done. */
void qn_parallel(int n_threads, size_t n, void (*fn)(void *arg, size_t i), void *arg);
#endif
