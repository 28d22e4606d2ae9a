/* bench_ledger: effects recorded per CPU-second, an effect being an intent and its reply, each acknowledged after a commit with fsync.
 * Usage: bench_ledger [n=200000] [in_flight=256] [body_bytes=600] [folder=.]   One line of JSON; the file is checked before a speed is told. */
#include "core/clock.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/thread.h"
#include "ledger/ledger.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct { qn_hash128 key; uint64_t intent; bool answered; } effect;
static effect *effects;
static qn_chan *acked;
static size_t n_groups;

static void on_ack(void *arg, void *const *tags, size_t n, bool ok, const char *why)
{
    (void)arg;
    if (!ok) { fprintf(stderr, "ledger: %s\n", why); _exit(1); }
    n_groups++;
    for (size_t i = 0; i < n; i++) qn_chan_send(acked, tags[i]);
}

static char *make_body(size_t n)    /* text that packs about as well as a reply does */
{
    static const char *const words[] = { "mill", "grain", "stone", "water", "the", "of", "turns", "and", "river", "bread", "a", "slowly" };
    qn_rng r = qn_rng_seed(7);
    qn_buf b = {0};
    while (b.n < n) qn_buf_printf(&b, "%s%llu ", words[qn_rng_below(&r, 12)], (unsigned long long)qn_rng_below(&r, 90));
    return b.p;
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], 0, 10) : 200000, in_flight = argc > 2 ? strtoul(argv[2], 0, 10) : 256;
    size_t body_bytes = argc > 3 ? strtoul(argv[3], 0, 10) : 600;
    char path[512];
    snprintf(path, sizeof path, "%s/bench_ledger.%d.db", argc > 4 ? argv[4] : ".", (int)getpid());
    qn_err e = {0};
    qn_ledger *l;
    if (qn_ledger_open(&l, path, NULL, &e) != QN_OK) { fprintf(stderr, "%s\n", e.msg); return 1; }
    acked = qn_chan_new(2 * in_flight + 16);
    effects = QN_NEW_N(effect, n);
    char *body = make_body(body_bytes);
    qn_ledger_on_ack(l, on_ack, NULL);
    double cpu = qn_cpu_seconds();
    int64_t t = qn_now_us();
    size_t sent = 0, done = 0;
    void *got[256];
    while (done < n) {
        for (; sent < n && sent - done < in_flight; sent++) {
            effects[sent].key = qn_hash(&sent, sizeof sent);
            effects[sent].intent = qn_ledger_intent(l, &(qn_intent){ .key = effects[sent].key, .step = "ask",
                .row = effects[sent].key, .worst_usd = 0.001 }, &effects[sent]);
        }
        size_t k = qn_chan_recv_many(acked, got, 256, -1);
        for (size_t i = 0; i < k; i++) {
            effect *f = got[i];
            if (f->answered) { done++; continue; }
            f->answered = true;
            qn_ledger_record(l, &(qn_record){ f->key, f->intent, { body, body_bytes }, 300, 150, 0.0001, 1 }, f);
        }
    }
    double seconds = 1e-6 * (double)(qn_now_us() - t), used = qn_cpu_seconds() - cpu;
    double cpu_find = qn_cpu_seconds();
    qn_buf b = {0};
    for (size_t i = 0; i < n; i++) {
        qn_buf_clear(&b);
        if (!qn_ledger_find(l, effects[i].key, &b, NULL, NULL, NULL) || b.n != body_bytes) { fprintf(stderr, "lost one\n"); return 1; }
    }
    cpu_find = qn_cpu_seconds() - cpu_find;
    double cpu_miss = qn_cpu_seconds();
    for (size_t i = 0; i < n; i++) {
        size_t other = i + n;
        if (qn_ledger_find(l, qn_hash(&other, sizeof other), &b, NULL, NULL, NULL)) { fprintf(stderr, "invented one\n"); return 1; }
    }
    cpu_miss = qn_cpu_seconds() - cpu_miss;
    qn_ledger_facts f;
    qn_ledger_facts_get(l, &f);
    if (f.n_replies != n || qn_ledger_close(l, &e) != QN_OK) { fprintf(stderr, "%s\n", e.msg); return 1; }
    printf("{\"bench\":\"ledger\",\"effects\":%zu,\"in_flight\":%zu,\"body_bytes\":%zu,\"seconds\":%.3f,\"cpu_seconds\":%.3f,"
           "\"effects_per_cpu_second\":%.0f,\"effects_per_second\":%.0f,\"entries_per_commit\":%.1f,\"find_us\":%.2f,\"miss_us\":%.2f,"
           "\"peak_memory_bytes\":%zu}\n", n, in_flight, body_bytes, seconds, used, (double)n / used, (double)n / seconds,
           2.0 * (double)n / (double)n_groups, 1e6 * cpu_find / (double)n, 1e6 * cpu_miss / (double)n, qn_peak_rss_bytes());
    unlink(path);
    return 0;
}
