/* bench_bpe: encoding and training speed of byte-level BPE, one thread.
 *   bench_bpe TOKENIZER.json TEXT [IDS]      encodes the file's lines; writes the ids (int32, -1 after each line) to IDS
 *   bench_bpe --train SIZE TEXT OUT_DIR      trains on the file's lines and writes tokenizer.json
 * Prints one JSON line. bench/bench_bpe.py runs the peers on the same bytes and compares the ids. */
#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"
#include "nn/tokenizer.h"
#include <stdio.h>
#include <stdlib.h>

static int fail(const qn_err *e) { fprintf(stderr, "bench_bpe: %s\n", e->msg); return 1; }

static qn_str *lines_of(qn_str s, size_t *n)
{
    size_t cap = 0;
    qn_str *out = NULL;
    *n = 0;
    for (size_t i = 0; i < s.n;) {
        const char *end = memchr(s.p + i, '\n', s.n - i);
        size_t j = end ? (size_t)(end - s.p) : s.n;
        QN_GROW(out, *n, cap);
        out[(*n)++] = qn_str_sub(s, i, j);
        i = j + 1;
    }
    return out;
}

int main(int argc, char **argv)
{
    qn_err e = { 0 };
    qn_buf text = { 0 };
    qn_tokenizer *t;
    size_t n;
    bool train = argc == 5 && !strcmp(argv[1], "--train");
    if (argc < 3) { fprintf(stderr, "usage: bench_bpe TOKENIZER.json TEXT [IDS] | --train SIZE TEXT DIR\n"); return 2; }
    if (qn_file_read(train ? argv[3] : argv[2], 0, &text, &e)) return fail(&e);
    qn_str *lines = lines_of(qn_buf_view(&text), &n);
    double t0 = qn_cpu_seconds();
    if (train) {
        static const char *const special[] = { "<|endoftext|>" };
        qn_bpe_options o = { .size = atoi(argv[2]), .split = QN_SPLIT_QWEN2, .special = special, .n_special = 1 };
        if (qn_tokenizer_train(&t, lines, n, &o, &e)) return fail(&e);
        double s = qn_cpu_seconds() - t0;
        if (qn_tokenizer_save(t, argv[4], &e)) return fail(&e);
        printf("{\"bench\": \"bpe_train\", \"bytes\": %zu, \"tokens\": %zu, \"seconds\": %.3f, \"mb_per_s\": %.1f, \"peak_mb\": %zu}\n", text.n,
               qn_tokenizer_size(t), s, (double)text.n / 1e6 / s, qn_peak_rss_bytes() >> 20);
        return 0;
    }
    if (qn_tokenizer_open(&t, argv[1], &e)) return fail(&e);
    double open_s = qn_cpu_seconds() - t0, best = 1e9;
    qn_ids ids = { 0 };
    for (int r = 0; r < 5; r++) {
        qn_tokenizer *k = qn_tokenizer_fork(t);         /* a fresh memory of words each time */
        ids.n = 0;
        t0 = qn_cpu_seconds();
        for (size_t i = 0; i < n; i++) {
            if (qn_tokenizer_encode(k, lines[i], 0, &ids, &e)) return fail(&e);
            qn_ids_put(&ids, -1);
        }
        double s = qn_cpu_seconds() - t0;
        if (s < best) best = s;
        qn_tokenizer_close(k);
    }
    if (argc > 3 && qn_file_write(argv[3], (qn_str){ (const char *)ids.p, ids.n * sizeof(int32_t) }, &e)) return fail(&e);
    printf("{\"bench\": \"bpe_encode\", \"bytes\": %zu, \"tokens\": %zu, \"open_seconds\": %.3f, \"seconds\": %.4f, \"mb_per_s\": %.1f, \"peak_mb\": %zu}\n",
           text.n, ids.n - n, open_s, best, (double)text.n / 1e6 / best, qn_peak_rss_bytes() >> 20);
    return 0;
}
