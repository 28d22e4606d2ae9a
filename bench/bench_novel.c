/* bench_novel: the highest ROUGE-L of each query against a pool, one core, exact.
 * usage: bench_novel POOL.txt QUERIES.txt   (one text a line)
 * Prints one JSON line: pairs, CPU seconds of the best of three rounds, the value of each query. Each value is compared with the unpruned one first. */
#include "core/clock.h"
#include "core/file.h"
#include "text/novelty.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct { qn_str *items; size_t n, cap; qn_buf file; } texts;

static texts load(const char *path)
{
    texts t = { 0 };
    qn_err e = { 0 };
    if (qn_file_read(path, 0, &t.file, &e) != QN_OK) { fprintf(stderr, "%s\n", e.msg); exit(1); }
    for (char *at = t.file.p, *end = at + t.file.n, *nl; at < end && (nl = memchr(at, '\n', (size_t)(end - at))); at = nl + 1) {
        QN_GROW(t.items, t.n, t.cap);
        t.items[t.n++] = (qn_str){ at, (size_t)(nl - at) };
    }
    return t;
}

int main(int argc, char **argv)
{
    if (argc != 3) { fprintf(stderr, "usage: bench_novel POOL.txt QUERIES.txt\n"); return 2; }
    texts pool = load(argv[1]), queries = load(argv[2]);
    qn_novelty *p = qn_novelty_new(QN_WORDS_ROUGE);
    double *best = QN_NEW_N(double, queries.n + 1), *every = QN_NEW_N(double, pool.n + 1), seconds = HUGE_VAL;
    for (size_t i = 0; i < pool.n; i++) qn_novelty_add(p, pool.items[i]);
    for (int round = 0; round < 3; round++) {
        double began = qn_cpu_seconds(), took;
        for (size_t i = 0; i < queries.n; i++) best[i] = qn_novelty_nearest(p, queries.items[i], 0).f;
        took = qn_cpu_seconds() - began;
        if (took < seconds) seconds = took;
    }
    double began = qn_cpu_seconds();
    for (size_t i = 0; i < queries.n; i++) {
        double most = 0;
        qn_novelty_each(p, queries.items[i], every);
        for (size_t k = 0; k < pool.n; k++) if (every[k] > most) most = every[k];
        QN_ASSERT(most == best[i]);
    }
    printf("{\"by\":\"quern\",\"pairs\":%zu,\"cpu_seconds\":%.6f,\"unpruned_cpu_seconds\":%.6f,\"peak_mb\":%.1f,\"best\":[", pool.n * queries.n, seconds,
           qn_cpu_seconds() - began, (double)qn_peak_rss_bytes() / 1e6);
    for (size_t i = 0; i < queries.n; i++) printf("%s%.17g", i ? "," : "", best[i]);
    printf("]}\n");
    return 0;
}
