/* thread: pthreads, one mutex-and-condition queue, a parallel for. */
#include "core/thread.h"
#include "core/mem.h"
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

struct qn_thread { pthread_t id; void (*fn)(void *); void *arg; char name[16]; };

static void *entry(void *p)
{
    qn_thread *t = p;
    pthread_setname_np(pthread_self(), t->name);
    t->fn(t->arg);
    return NULL;
}

qn_thread *qn_thread_start(const char *name, void (*fn)(void *), void *arg)
{
    qn_thread *t = QN_NEW(qn_thread);
    t->fn = fn;
    t->arg = arg;
    snprintf(t->name, sizeof t->name, "%s", name);
    if (pthread_create(&t->id, NULL, entry, t) != 0) {
        fprintf(stderr, "quern: no more threads can be started\n");
        _Exit(1);
    }
    return t;
}

void qn_thread_join(qn_thread *t)
{
    pthread_join(t->id, NULL);
    qn_free(t);
}

int qn_n_cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 ? n : 1;
}

struct qn_chan {
    pthread_mutex_t lock;
    pthread_cond_t can_send, can_recv;
    void **ring;
    size_t cap, head, n;
    int senders_waiting, receivers_waiting;
    bool closed;
};

qn_chan *qn_chan_new(size_t cap)
{
    qn_chan *c = QN_NEW(qn_chan);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->can_send, &attr);
    pthread_cond_init(&c->can_recv, &attr);
    pthread_condattr_destroy(&attr);
    c->cap = cap ? cap : 1;
    c->ring = QN_NEW_N(void *, c->cap);
    return c;
}

void qn_chan_free(qn_chan *c)
{
    if (!c) return;
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->can_send);
    pthread_cond_destroy(&c->can_recv);
    qn_free(c->ring);
    qn_free(c);
}

static void push(qn_chan *c, void *item)
{
    c->ring[(c->head + c->n++) % c->cap] = item;
    if (c->receivers_waiting) pthread_cond_signal(&c->can_recv);
}

bool qn_chan_send(qn_chan *c, void *item)
{
    pthread_mutex_lock(&c->lock);
    c->senders_waiting++;
    while (c->n == c->cap && !c->closed) pthread_cond_wait(&c->can_send, &c->lock);
    c->senders_waiting--;
    bool ok = !c->closed;
    if (ok) push(c, item);
    pthread_mutex_unlock(&c->lock);
    return ok;
}

bool qn_chan_try_send(qn_chan *c, void *item)
{
    pthread_mutex_lock(&c->lock);
    bool ok = c->n < c->cap && !c->closed;
    if (ok) push(c, item);
    pthread_mutex_unlock(&c->lock);
    return ok;
}

static void *pop(qn_chan *c)
{
    void *item = c->ring[c->head];
    c->head = (c->head + 1) % c->cap;
    c->n--;
    if (c->senders_waiting) pthread_cond_signal(&c->can_send);
    return item;
}

bool qn_chan_recv(qn_chan *c, void **item)
{
    return qn_chan_recv_many(c, item, 1, -1) == 1;
}

size_t qn_chan_recv_many(qn_chan *c, void **items, size_t max, int64_t wait_us)
{
    struct timespec until;
    size_t got = 0;
    if (wait_us > 0) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t ns = until.tv_nsec + wait_us % 1000000 * 1000;
        until.tv_sec += wait_us / 1000000 + ns / 1000000000;
        until.tv_nsec = ns % 1000000000;
    }
    pthread_mutex_lock(&c->lock);
    c->receivers_waiting++;
    while (c->n == 0 && !c->closed && wait_us != 0) {
        int rc = wait_us < 0 ? pthread_cond_wait(&c->can_recv, &c->lock)
                             : pthread_cond_timedwait(&c->can_recv, &c->lock, &until);
        if (rc == ETIMEDOUT) break;
    }
    c->receivers_waiting--;
    while (c->n > 0 && got < max) items[got++] = pop(c);
    if (c->n > 0 && c->receivers_waiting) pthread_cond_signal(&c->can_recv);
    pthread_mutex_unlock(&c->lock);
    return got;
}

size_t qn_chan_len(qn_chan *c)
{
    pthread_mutex_lock(&c->lock);
    size_t n = c->n;
    pthread_mutex_unlock(&c->lock);
    return n;
}

void qn_chan_close(qn_chan *c)
{
    pthread_mutex_lock(&c->lock);
    c->closed = true;
    pthread_cond_broadcast(&c->can_send);
    pthread_cond_broadcast(&c->can_recv);
    pthread_mutex_unlock(&c->lock);
}

/* ---- parallel for ---- */
typedef struct { atomic_size_t next; size_t n; void (*fn)(void *, size_t); void *arg; } loop;

static void loop_run(void *p)
{
    loop *l = p;
    for (size_t i; (i = atomic_fetch_add(&l->next, 1)) < l->n;) l->fn(l->arg, i);
}

void qn_parallel(int n_threads, size_t n, void (*fn)(void *, size_t), void *arg)
{
    loop l = { .n = n, .fn = fn, .arg = arg };
    qn_thread *helpers[64];
    int k = 0;
    if (n_threads > 65) n_threads = 65;
    while (k < n_threads - 1 && (size_t)k + 1 < n) helpers[k++] = qn_thread_start("parallel", loop_run, &l);
    loop_run(&l);
    while (k > 0) qn_thread_join(helpers[--k]);
}
