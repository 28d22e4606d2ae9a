/* pool: threads that stay, for code that splits one operation into parts thousands of times a second (qn_parallel starts
 * its threads anew each time). Parts are handed out in order of arrival, so a part must write only what is its own: then
 * the result does not depend on the number of threads. */
#ifndef QN_CORE_POOL_H
#define QN_CORE_POOL_H
#include "core/thread.h"
typedef struct qn_pool qn_pool;
qn_pool *qn_pool_new(int n_threads);        /* the caller counts as one; <= 0: one for each core. Owned: qn_pool_free */
void     qn_pool_free(qn_pool *p);          /* NULL is fine */
int      qn_pool_threads(const qn_pool *p); /* NULL: 1 */
/* fn(arg, i) for i in 0..n-1; returns when all are done. Only one caller at a time; parts must not call it again.
 * NULL or n == 1: in this thread. */
void     qn_pool_run(qn_pool *p, size_t n, void (*fn)(void *arg, size_t i), void *arg);
#endif
