/* queue: an unbounded queue of linked nodes between threads: any number of senders, any number of receivers. Senders never wait; what bounds it is
 * what bounds the work in flight. The first member of a node's struct is its qn_node. */
#ifndef QN_CORE_QUEUE_H
#define QN_CORE_QUEUE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef struct qn_node { struct qn_node *next; } qn_node;
typedef struct qn_queue qn_queue;
qn_queue *qn_queue_new(void);
void      qn_queue_free(qn_queue *q);
void      qn_queue_push(qn_queue *q, qn_node *first);                   /* a list, NULL-terminated */
/* Up to max nodes as a list; waits wait_us for the first (< 0: until one comes or the queue is closed). NULL: nothing came. */
qn_node  *qn_queue_pop(qn_queue *q, size_t max, int64_t wait_us);
void      qn_queue_close(qn_queue *q);                                  /* receivers get what is left, then NULL at once */
bool      qn_queue_closed(qn_queue *q);

/* Counters that several threads add to. */
static inline void qn_count_add(uint64_t *x, uint64_t n) { __atomic_fetch_add(x, n, __ATOMIC_RELAXED); }
static inline uint64_t qn_count_get(const uint64_t *x) { return __atomic_load_n(x, __ATOMIC_RELAXED); }
/* A flag that one thread, or a signal handler, raises and others look at. */
static inline void qn_flag_raise(int *f, int v) { __atomic_store_n(f, v, __ATOMIC_RELEASE); }
static inline int  qn_flag_get(const int *f) { return __atomic_load_n(f, __ATOMIC_ACQUIRE); }
#endif
