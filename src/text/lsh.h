/* lsh: finds, for a set, the earliest set seen before that is similar enough; every answer is verified.
 *
 * A signature of n hashes is cut into bands of r places. Sets that agree in one whole band are candidates: sets of Jaccard
 * similarity J become candidates with chance 1 - (1 - J^r)^bands. r is the largest with which a pair exactly at `over` is
 * missed at most once in 200 (128 hashes: 32 bands of 4 at 0.7, 21 of 6 at 0.8). Each candidate's similarity is then computed
 * from the two sets of shingles, so a match is a fact (up to colliding 32-bit hashes, see shingles.h).
 *
 * The index never asks for more than `memory_bytes`, and gives the same answers whatever that is:
 *
 *      keys and tables in memory --- full ---> run on disk, in order of key; a filter and every 512th key stay in memory; runs of like size are merged
 *      sets of shingles          --- full ---> temporary file (core/spill.h); what is above an eighth of the memory goes there with the first run
 *
 * A look-up asks the tables, then each run (at most log2 of the number of times that memory was full) whose filter says "perhaps": one read of 4 KiB.
 * A filter has 12 bits a key and is wrong 1 time in 200; with less room it gets fewer, and look-ups read more.
 * Beside that the index holds 8 bytes for each set added.
 * Source: Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3; runs and filters: O'Neil et al. 1996. */
#ifndef QN_TEXT_LSH_H
#define QN_TEXT_LSH_H
#include "core/err.h"
#include "data/row.h"
#include "text/minhash.h"
#include "text/shingles.h"

typedef struct qn_lsh qn_lsh;

typedef struct {
    int         n_hashes;       /* length of signatures, 1..1024 */
    double      over;           /* smallest similarity that is a match, 0 < over <= 1 */
    size_t      memory_bytes;   /* at least 4 MiB is used */
    const char *dir;            /* for temporary files; NULL: $TMPDIR */
} qn_lsh_setup;

typedef struct { bool found; uint64_t row; qn_row_mark of; double similarity; } qn_lsh_match;

/* Bands and places in each for a threshold; chance that a pair of similarity j becomes a candidate. */
void   qn_lsh_bands(int n_hashes, double over, int *n_bands, int *n_rows);
double qn_lsh_chance(int n_bands, int n_rows, double j);

/* Band keys of a signature: pure, any thread.      sig   (n_bands * n_rows)      keys   out, (n_bands) */
void   qn_lsh_keys(int n_bands, int n_rows, const uint32_t *sig, uint32_t *keys);

qn_lsh *qn_lsh_new(qn_lsh_setup setup);
void    qn_lsh_free(qn_lsh *l);

/* These keys will soon be asked for: what the look-up reads first is brought near. Changes nothing. */
void    qn_lsh_ahead(const qn_lsh *l, const uint32_t *keys);
/* The earliest set added whose similarity with `s` is at least `over`. A set without shingles matches nothing. Errors: QN_EIO. */
qn_code qn_lsh_find(qn_lsh *l, const uint32_t *keys, const qn_shingles *s, qn_lsh_match *match, qn_err *e);
/* Adds a set under the next row number (0, 1, 2 ...); `mark` comes back in matches. Errors: QN_EIO, QN_ELIMIT at 2^32 - 1 rows. */
qn_code qn_lsh_add(qn_lsh *l, const uint32_t *keys, const qn_shingles *s, qn_row_mark mark, qn_err *e);

typedef struct { uint64_t n_rows, n_candidates, n_matches, memory_bytes, disk_bytes; size_t n_runs; } qn_lsh_stats;
qn_lsh_stats qn_lsh_count(const qn_lsh *l);
#endif
