/* mem: malloc and free live here. */
#include "core/mem.h"
#include "core/chunks.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

static void (*oom)(size_t);

void qn_oom_handler(void (*fn)(size_t)) { oom = fn; }

static _Noreturn void out_of_memory(size_t n)
{
    if (oom) oom(n);
    fprintf(stderr, "quern: out of memory (wanted %zu bytes); what was paid for is in the ledger: run again to go on\n", n);
    abort();
}

void *qn_alloc(size_t n)
{
    void *p = qn_chunk_take(n);
    if (!p) p = malloc(qn_chunk_size(n));
    if (!p) out_of_memory(n);
    return p;
}

/* From the system, which gives zeroed pages; aligned, so that whole huge pages lie in it. */
enum { HUGE = 2 << 20 };

void *qn_zalloc_large(size_t n)
{
    if (n < HUGE) return qn_zalloc(n);
    char *p = mmap(NULL, n + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) out_of_memory(n);
    size_t before = (HUGE - (uintptr_t)p % HUGE) % HUGE, page = 4096, end = (before + n + page - 1) / page * page;
    if (before) munmap(p, before);
    if (end < n + HUGE) munmap(p + end, (n + HUGE + page - 1) / page * page - end);
    madvise(p + before, n, MADV_HUGEPAGE);      /* only advice */
    return p + before;
}

void qn_free_large(void *p, size_t n)
{
    if (n < HUGE) qn_free(p);
    else if (p) munmap(p, (n + 4095) / 4096 * 4096);
}

void *qn_zalloc(size_t n)
{
    void *p = qn_chunk_take(n);
    if (p) return memset(p, 0, n);
    p = calloc(1, qn_chunk_size(n));
    if (!p) out_of_memory(n);
    return p;
}

void *qn_realloc(void *old, size_t n)
{
    if (!old) return qn_alloc(n);
    size_t had = qn_chunk_holds(old);
    if (n <= had && n >= had / 2) return old;
    void *p = had ? qn_chunk_take(n) : NULL;
    if (p) {
        memcpy(p, old, had < n ? had : n);
        qn_free(old);
        return p;
    }
    p = realloc(old, qn_chunk_size(n));
    if (!p) out_of_memory(n);
    return p;
}

void qn_free(void *p) { if (p && !qn_chunk_put(p)) free(p); }

void *qn_memdup(const void *p, size_t n)
{
    void *q = qn_alloc(n);
    if (n) memcpy(q, p, n);
    return q;
}

char *qn_strz(qn_str s)
{
    char *z = qn_alloc(s.n + 1);
    if (s.n) memcpy(z, s.p, s.n);
    z[s.n] = 0;
    return z;
}

/* getrusage counts what the process was before exec, too: a small program started by a large one would look large. */
size_t qn_peak_rss_bytes(void)
{
    char line[256];
    size_t kb = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && !kb && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0) kb = strtoull(line + 6, NULL, 10);
    if (f) fclose(f);
    if (kb) return kb * 1024;
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (size_t)u.ru_maxrss * 1024;
}

/* ---- arena: a list of blocks, newest first; each new block doubles up to 1 MB. One made for a single large piece does not count: a long prompt in an
 * arena of its own must not be followed by a block twice its size for the next short text. ---- */
typedef struct qn_arena_block { struct qn_arena_block *next; size_t used, cap, step; _Alignas(16) char bytes[]; } block;

void *qn_arena_alloc(qn_arena *a, size_t n)
{
    block *b = a->head;
    n = (n + 15) & ~(size_t)15;
    if (!b || b->cap - b->used < n) {
        size_t step = b ? b->step * 2 : 256 - sizeof(block);
        if (step > (1u << 20)) step = 1u << 20;
        size_t cap = step < n ? n : step;
        if (b && cap > step) step = b->step;
        b = qn_alloc(sizeof(block) + cap);
        b->next = a->head; b->used = 0; b->cap = cap; b->step = step;
        a->head = b;
    }
    void *p = b->bytes + b->used;
    b->used += n;
    a->used_bytes += n;
    return p;
}

void *qn_arena_zalloc(qn_arena *a, size_t n) { return memset(qn_arena_alloc(a, n), 0, n); }

qn_str qn_arena_str(qn_arena *a, qn_str s)
{
    char *p = qn_arena_alloc(a, s.n + 1);
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (qn_str){ p, s.n };
}

__attribute__((nonnull(2)))
qn_str qn_arena_printf(qn_arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *p = qn_arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return (qn_str){ p, (size_t)n };
}

size_t qn_arena_held_bytes(const qn_arena *a)
{
    size_t n = 0;
    for (const block *b = a->head; b; b = b->next) n += sizeof(block) + b->cap + 16;
    return n;
}

void qn_arena_reset(qn_arena *a)
{
    block *keep = a->head;
    if (!keep) return;
    for (block *b = keep->next; b; b = b->next) if (b->cap > keep->cap) keep = b;
    for (block *b = a->head; b;) { block *next = b->next; if (b != keep) qn_free(b); b = next; }
    a->head = keep;
    keep->next = NULL;
    keep->used = 0;
    keep->step = keep->cap < 1u << 20 ? keep->cap : 1u << 20;
    a->used_bytes = 0;
}

void qn_arena_free(qn_arena *a)
{
    for (block *b = a->head; b;) { block *next = b->next; qn_free(b); b = next; }
    *a = (qn_arena){0};
}
