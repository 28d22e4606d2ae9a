/* chunks: freed memory of common sizes, kept for whoever asks next.
 *
 * A row is made by one worker, changed by another and dropped by the engine. malloc gives each thread a heap of its own and sends every freed block back
 * to the heap it came from, so that threads meet at that heap's lock. Here freed blocks stay with the thread that freed them; full lists of them are
 * handed on to threads that ran out, a whole list at a time:
 *
 *      qn_alloc <- list <- spare <- [ depot, shared, at most 8 MB ] <- spare <- list <- qn_free        (else malloc, free)
 *
 * Blocks are malloc's own: any may be given to free or realloc instead. Nothing waits: when another thread is in the depot, malloc and free do.
 * Sizes: 24 bytes to 32 KiB, four classes to a doubling. A thread keeps at most 64 KiB of a class. Not used under sanitizers.
 * Source: the magazines of Bonwick and Adams 2001, "Magazines and Vmem". */
#ifndef QN_CORE_CHUNKS_H
#define QN_CORE_CHUNKS_H
#include "core/str.h"

void  *qn_chunk_take(size_t n);         /* at least n bytes, not zeroed; NULL when none is kept */
bool   qn_chunk_put(void *p);           /* true: taken over (p is from malloc); false: the caller frees it. p not NULL */
size_t qn_chunk_size(size_t n);         /* what to ask malloc for, so that the block fits its class; n when too large */
size_t qn_chunk_holds(const void *p);   /* bytes that fit in the block at p; 0 when it is not for these lists */
#endif
