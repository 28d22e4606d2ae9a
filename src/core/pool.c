/* pool: one mutex, two conditions, a counter of jobs. Threads look a few microseconds for the next job before they sleep,
 * because kernels follow each other closely. */
#include "core/pool.h"
#include "core/mem.h"
#include <stdatomic.h>

enum { SPINS = 2000 };

struct qn_pool {
    pthread_mutex_t lock;
    pthread_cond_t job, done;
    qn_thread **threads;
    int n_threads;              /* with the caller */
    atomic_uint epoch;          /* number of the job; a change is the signal to start */
    atomic_int busy;            /* helpers that have not finished this job */
    atomic_bool stop;
    atomic_size_t next;
    size_t n;
    void (*fn)(void *, size_t);
    void *arg;
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void work(qn_pool *p)
{
    for (size_t i; (i = atomic_fetch_add(&p->next, 1)) < p->n;) p->fn(p->arg, i);
}

static void helper(void *arg)
{
    qn_pool *p = arg;
    unsigned seen = 0;
    for (;;) {
        for (int s = 0; s < SPINS && atomic_load(&p->epoch) == seen; s++) relax();
        if (atomic_load(&p->epoch) == seen) {
            pthread_mutex_lock(&p->lock);
            while (atomic_load(&p->epoch) == seen) pthread_cond_wait(&p->job, &p->lock);
            pthread_mutex_unlock(&p->lock);
        }
        seen = atomic_load(&p->epoch);
        if (atomic_load(&p->stop)) return;
        work(p);
        if (atomic_fetch_sub(&p->busy, 1) == 1) {
            pthread_mutex_lock(&p->lock);
            pthread_cond_signal(&p->done);
            pthread_mutex_unlock(&p->lock);
        }
    }
}

qn_pool *qn_pool_new(int n_threads)
{
    qn_pool *p = QN_NEW(qn_pool);
    p->n_threads = n_threads > 0 ? n_threads : qn_n_cores();
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->job, NULL);
    pthread_cond_init(&p->done, NULL);
    p->threads = QN_NEW_N(qn_thread *, p->n_threads);
    for (int i = 1; i < p->n_threads; i++) p->threads[i] = qn_thread_start("pool", helper, p);
    return p;
}

static void start(qn_pool *p)
{
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->epoch, 1);
    pthread_cond_broadcast(&p->job);
    pthread_mutex_unlock(&p->lock);
}

void qn_pool_free(qn_pool *p)
{
    if (!p) return;
    atomic_store(&p->stop, true);
    start(p);
    for (int i = 1; i < p->n_threads; i++) qn_thread_join(p->threads[i]);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->job);
    pthread_cond_destroy(&p->done);
    qn_free(p->threads);
    qn_free(p);
}

int qn_pool_threads(const qn_pool *p) { return p ? p->n_threads : 1; }

void qn_pool_run(qn_pool *p, size_t n, void (*fn)(void *, size_t), void *arg)
{
    if (!p || p->n_threads == 1 || n <= 1) {
        for (size_t i = 0; i < n; i++) fn(arg, i);
        return;
    }
    p->fn = fn;
    p->arg = arg;
    p->n = n;
    atomic_store(&p->next, 0);
    atomic_store(&p->busy, p->n_threads - 1);
    start(p);
    work(p);
    for (int s = 0; s < SPINS && atomic_load(&p->busy) > 0; s++) relax();
    if (atomic_load(&p->busy) == 0) return;
    pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->busy) > 0) pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
