/* queue: one mutex, one condition, a linked list. */
#include "core/queue.h"
#include "core/mem.h"
#include <errno.h>
#include <pthread.h>
#include <time.h>

struct qn_queue {
    pthread_mutex_t lock;
    pthread_cond_t more;
    qn_node *head, **tail;
    int waiting;
    bool closed;
};

qn_queue *qn_queue_new(void)
{
    qn_queue *q = QN_NEW(qn_queue);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->more, &attr);
    pthread_condattr_destroy(&attr);
    q->tail = &q->head;
    return q;
}

void qn_queue_free(qn_queue *q)
{
    if (!q) return;
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->more);
    qn_free(q);
}

void qn_queue_push(qn_queue *q, qn_node *first)
{
    if (!first) return;
    qn_node *last = first;
    bool several = first->next != NULL;
    while (last->next) last = last->next;
    pthread_mutex_lock(&q->lock);
    *q->tail = first;
    q->tail = &last->next;
    int waiting = q->waiting;
    pthread_mutex_unlock(&q->lock);
    if (waiting > 1 && several) pthread_cond_broadcast(&q->more);
    else if (waiting) pthread_cond_signal(&q->more);
}

static void deadline_in(struct timespec *t, int64_t us)
{
    clock_gettime(CLOCK_MONOTONIC, t);
    int64_t ns = t->tv_nsec + us % 1000000 * 1000;
    t->tv_sec += us / 1000000 + ns / 1000000000;
    t->tv_nsec = ns % 1000000000;
}

qn_node *qn_queue_pop(qn_queue *q, size_t max, int64_t wait_us)
{
    struct timespec until;
    if (wait_us > 0) deadline_in(&until, wait_us);
    pthread_mutex_lock(&q->lock);
    while (!q->head && !q->closed && wait_us != 0) {
        q->waiting++;
        int rc = wait_us < 0 ? pthread_cond_wait(&q->more, &q->lock) : pthread_cond_timedwait(&q->more, &q->lock, &until);
        q->waiting--;
        if (rc == ETIMEDOUT) break;
    }
    qn_node *first = q->head, *last = first;
    if (first) {
        for (size_t n = 1; n < max && last->next; n++) last = last->next;
        q->head = last->next;
        if (!q->head) q->tail = &q->head;
        last->next = NULL;
        if (q->head && q->waiting) pthread_cond_signal(&q->more);
    }
    pthread_mutex_unlock(&q->lock);
    return first;
}

void qn_queue_close(qn_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->more);
    pthread_mutex_unlock(&q->lock);
}

bool qn_queue_closed(qn_queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool c = q->closed;
    pthread_mutex_unlock(&q->lock);
    return c;
}
