/* mem: allocation that cannot fail, and arenas. Out of memory ends the process with a message (a host of libquern can set
 * its own handler): what was paid for is in the ledger, so a resume continues. */
#ifndef QN_CORE_MEM_H
#define QN_CORE_MEM_H
#include "core/str.h"

void *qn_alloc(size_t n);               /* not zeroed; owned: qn_free */
void *qn_zalloc(size_t n);              /* zeroed */
void *qn_realloc(void *p, size_t n);
void  qn_free(void *p);
void *qn_memdup(const void *p, size_t n);
void *qn_zalloc_large(size_t n);        /* zeroed, for tables that are hit at random: in huge pages where the system has them. qn_free_large */
void  qn_free_large(void *p, size_t n); /* n as it was asked for */
char *qn_strz(qn_str s);                /* owned NUL-terminated copy */
void  qn_oom_handler(void (*fn)(size_t wanted)); /* fn must not return */
size_t qn_peak_rss_bytes(void);         /* largest resident set of this process so far */

#define QN_NEW(type)        ((type *)qn_zalloc(sizeof(type)))
#define QN_NEW_N(type, n)   ((type *)qn_zalloc((size_t)(n) * sizeof(type)))
/* Grow `arr` (elements of its own type) so that index n is valid; cap is the current capacity (size_t). */
#define QN_GROW(arr, n, cap) do { if ((size_t)(n) >= (cap)) { \
        (cap) = (cap) ? (cap) * 2 : 8; while ((size_t)(n) >= (cap)) (cap) *= 2; \
        (arr) = qn_realloc((arr), (cap) * sizeof *(arr)); } } while (0)

/* Arena: many small allocations, freed together. Zero-initialise: {0}. Not thread-safe. */
typedef struct qn_arena { struct qn_arena_block *head; size_t used_bytes; } qn_arena;
void  *qn_arena_alloc(qn_arena *a, size_t n);       /* aligned to 16, not zeroed */
void  *qn_arena_zalloc(qn_arena *a, size_t n);
qn_str qn_arena_str(qn_arena *a, qn_str s);         /* copied, NUL behind it */
qn_str qn_arena_printf(qn_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void   qn_arena_reset(qn_arena *a);                 /* keeps one block for reuse */
void   qn_arena_free(qn_arena *a);
size_t qn_arena_held_bytes(const qn_arena *a);      /* of the system's memory: whole blocks, with what malloc adds */
#define QN_ARENA_NEW(a, type)      ((type *)qn_arena_zalloc((a), sizeof(type)))
#define QN_ARENA_NEW_N(a, type, n) ((type *)qn_arena_zalloc((a), (size_t)(n) * sizeof(type)))
#endif
