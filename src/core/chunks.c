/* chunks: two lists a thread and class, one shared stack of full lists a class. */
#include "core/chunks.h"
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define PLAIN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PLAIN 1
#endif

#ifdef PLAIN
void  *qn_chunk_take(size_t n) { (void)n; return NULL; }
bool   qn_chunk_put(void *p) { (void)p; return false; }
size_t qn_chunk_size(size_t n) { return n ? n : 1; }
size_t qn_chunk_holds(const void *p) { (void)p; return 0; }
#else

/* Classes by the size of malloc's block, its 8 bytes of head included: 32, 48, then 64 80 96 112, 128 160 192 224, ... 32768. */
enum { N_CLASSES = 2 + 4 * 9 + 1, HEAD = 8, LARGEST = 32768, LIST_BYTES = 32768, DEPOT_BYTES = 8 << 20 };

typedef struct block { struct block *next, *next_list; } block;
typedef struct { block *first; uint32_t n; } list;
typedef struct { list now, spare; } magazine;

static struct { pthread_mutex_t lock; block *lists[N_CLASSES]; size_t bytes; } depot = { .lock = PTHREAD_MUTEX_INITIALIZER };
static pthread_key_t at_exit;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static __thread magazine mine[N_CLASSES];
static __thread enum { NEW, OPEN, GONE } state;

static inline int floor_class(size_t block_bytes)       /* 32..LARGEST */
{
    if (block_bytes < 64) return block_bytes >= 48;
    int k = 63 - __builtin_clzll(block_bytes);
    return 2 + 4 * (k - 6) + (int)(block_bytes >> (k - 2) & 3);
}

static inline size_t class_bytes(int c)
{
    if (c < 2) return 32 + 16 * (size_t)c;
    return (size_t)(4 + ((c - 2) & 3)) << (((c - 2) >> 2) + 4);
}

static inline int ceil_class(size_t block_bytes)
{
    if (block_bytes <= 32) return 0;
    int c = floor_class(block_bytes);
    return class_bytes(c) < block_bytes ? c + 1 : c;
}

static inline uint32_t list_length(int c)
{
    size_t n = LIST_BYTES / class_bytes(c);
    return n > 32 ? 32 : n < 2 ? 2 : (uint32_t)n;
}

static void free_list(block *b)
{
    for (block *next; b; b = next) { next = b->next; free(b); }
}

static void thread_ends(void *arg)
{
    (void)arg;
    state = GONE;
    for (int c = 0; c < N_CLASSES; c++) {
        free_list(mine[c].now.first);
        free_list(mine[c].spare.first);
        mine[c] = (magazine){ 0 };
    }
}

static void make_key(void) { pthread_key_create(&at_exit, thread_ends); }

static bool open_thread(void)
{
    if (state == GONE) return false;
    pthread_once(&once, make_key);
    pthread_setspecific(at_exit, mine);
    state = OPEN;
    return true;
}

static bool from_depot(int c)
{
    if (!__atomic_load_n(&depot.lists[c], __ATOMIC_RELAXED) || pthread_mutex_trylock(&depot.lock) != 0) return false;
    block *b = depot.lists[c];
    if (b) {
        __atomic_store_n(&depot.lists[c], b->next_list, __ATOMIC_RELAXED);
        depot.bytes -= list_length(c) * class_bytes(c);
    }
    pthread_mutex_unlock(&depot.lock);
    if (b) mine[c].now = (list){ b, list_length(c) };
    return b != NULL;
}

static void to_depot(int c, block *b)
{
    size_t bytes = list_length(c) * class_bytes(c);
    bool room = false;
    if (pthread_mutex_trylock(&depot.lock) == 0) {
        room = depot.bytes + bytes <= DEPOT_BYTES;
        if (room) {
            b->next_list = depot.lists[c];
            __atomic_store_n(&depot.lists[c], b, __ATOMIC_RELAXED);
            depot.bytes += bytes;
        }
        pthread_mutex_unlock(&depot.lock);
    }
    if (!room) free_list(b);
}

void *qn_chunk_take(size_t n)
{
    if (n > LARGEST - HEAD) return NULL;
    int c = ceil_class(n + HEAD);
    magazine *m = &mine[c];
    if (!m->now.first) {
        if (m->spare.first) { m->now = m->spare; m->spare = (list){ 0 }; }
        else if (state != OPEN || !from_depot(c)) return NULL;
    }
    block *b = m->now.first;
    m->now.first = b->next;
    m->now.n--;
    return b;
}

bool qn_chunk_put(void *p)
{
    size_t bytes = malloc_usable_size(p) + HEAD;
    if (bytes < 32 || bytes >= LARGEST + LARGEST / 4) return false;
    if (state != OPEN && !open_thread()) return false;
    int c = bytes > LARGEST ? N_CLASSES - 1 : floor_class(bytes);
    magazine *m = &mine[c];
    if (m->now.n == list_length(c)) {
        if (m->spare.first) to_depot(c, m->spare.first);
        m->spare = m->now;
        m->now = (list){ 0 };
    }
    block *b = p;
    b->next = m->now.first;
    m->now.first = b;
    m->now.n++;
    return true;
}

size_t qn_chunk_holds(const void *p)
{
    size_t n = malloc_usable_size((void *)(uintptr_t)p);
    return n <= LARGEST ? n : 0;
}

size_t qn_chunk_size(size_t n) { return n > LARGEST - HEAD ? n : class_bytes(ceil_class(n + HEAD)) - HEAD; }
#endif
