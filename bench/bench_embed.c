/* bench_embed: sentence embeddings a second by a BERT encoder, f32.
 *   bench_embed MODEL_DIR THREADS IDS [OUT [bf16]]   IDS: int32 (n, length) of token ids without padding; first int32s: n, length
 * Tokenization is not timed. Writes the embeddings (n, dim) f32 to OUT. bench/bench_embed.py runs ONNX Runtime on the same ids. */
#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"
#include "nn/encoder.h"
#include <stdio.h>
#include <stdlib.h>

/* One thread is timed by the processor's time, which a busy machine does not change; more by the wall clock. */
static double now(bool one) { return one ? qn_cpu_seconds() : (double)qn_now_us() / 1e6; }

int main(int argc, char **argv)
{
    qn_err e = { 0 };
    qn_encoder *m;
    qn_buf b = { 0 };
    if (argc < 4) { fprintf(stderr, "usage: bench_embed MODEL_DIR THREADS IDS [OUT [bf16]]\n"); return 2; }
    if (qn_encoder_open(&m, argv[1], &e) || qn_file_read(argv[3], 0, &b, &e)) { fprintf(stderr, "%s\n", e.msg); return 1; }
    qn_encoder_threads(m, atoi(argv[2]));
    if (argc > 5 && !qn_encoder_bf16(m, !strcmp(argv[5], "bf16"))) { fprintf(stderr, "bench_embed: no bf16 here\n"); return 77; }
    const int32_t *head = (const int32_t *)(const void *)b.p;
    int n = head[0], len = head[1], d = qn_encoder_dim(m);
    qn_seq *s = calloc((size_t)n, sizeof *s);
    float *out = calloc((size_t)n * (size_t)d, sizeof *out);
    for (int i = 0; i < n; i++) s[i] = (qn_seq){ head + 2 + i * len, len, NULL, NULL };
    bool one = atoi(argv[2]) == 1;
    double best = 1e9;
    for (int r = 0; r < 4; r++) {
        double t0 = now(one);
        if (qn_encoder_embed_ids(m, s, (size_t)n, out, &e)) { fprintf(stderr, "%s\n", e.msg); return 1; }
        double t = now(one) - t0;
        best = t < best ? t : best;
    }
    if (argc > 4 && qn_file_write(argv[4], (qn_str){ (const char *)out, (size_t)n * (size_t)d * sizeof(float) }, &e)) { fprintf(stderr, "%s\n", e.msg); return 1; }
    printf("{\"bench\": \"embed\", \"sentences\": %d, \"tokens_each\": %d, \"threads\": %s, \"seconds\": %.3f, \"sentences_per_s\": %.1f, \"peak_mb\": %zu}\n", n, len, argv[2],
           best, n / best, qn_peak_rss_bytes() >> 20);
    return 0;
}
