/* bench_train: training and generation speed of an 11 M-parameter decoder (320 wide, 8 layers), f32 or bf16.
 *   bench_train train [THREADS] [STEPS] [bf16]      256 tokens x 16 rows a step, all tokens count
 *   bench_train generate [THREADS] [BATCH] [f32|bf16] [FOLDER]   64 prompts of 32 tokens, 128 tokens each, the most probable every time;
 *                                                   the model goes to FOLDER, prompts and replies to FOLDER/ids (int32, 64 rows of 160)
 * Prints one JSON line; checks that the loss fell. bench/bench_train.py runs PyTorch, bench/bench_generate.py llama.cpp at the same shapes. */
#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "nn/train.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { V = 4096, LEN = 256, ROWS = 64, BATCH = 16 };
static int32_t ids[ROWS * LEN];
static double first_loss, best_s = 1e9;
static double t0;
static int threads = 1;

/* One thread is timed by the processor's time, which a busy machine does not change; more by the wall clock. */
static double now(void) { return threads == 1 ? qn_cpu_seconds() : (double)qn_now_us() / 1e6; }

static bool timed(void *arg, const qn_fit_state *s)
{
    double d = now() - t0;
    (void)arg;
    if (s->step == 1) first_loss = s->loss;
    else if (d < best_s) best_s = d;
    t0 = now();
    return true;
}

int main(int argc, char **argv)
{
    qn_err e = { 0 };
    qn_decoder *m;
    qn_decoder_config c = { .vocab = V, .d = 320, .layers = 8, .heads = 5, .ff = 864, .max_pos = 512, .tied = true, .bos = -1 };
    bool generate = argc > 1 && !strcmp(argv[1], "generate");
    threads = argc > 2 ? atoi(argv[2]) : 1;
    int third = argc > 3 ? atoi(argv[3]) : 0;
    if (argc < 2) { fprintf(stderr, "usage: bench_train train [THREADS] [STEPS] | generate [THREADS] [BATCH] [f32|bf16] [FOLDER]\n"); return 2; }
    bool bf16 = argc > 4 && !strcmp(argv[4], "bf16");
    if (qn_decoder_new(&m, &c, 1, &e)) { fprintf(stderr, "%s\n", e.msg); return 1; }
    qn_decoder_threads(m, threads);
    if (bf16 && !qn_decoder_bf16(m, true)) { fprintf(stderr, "bench_train: no bf16 here\n"); return 77; }
    qn_rng r = qn_rng_seed(1);
    for (int i = 0; i < ROWS * LEN; i++) ids[i] = i % 4 == 3 ? (ids[i - 1] + 7 * ids[i - 2]) % V : (int32_t)qn_rng_below(&r, 300);
    if (generate) {
        qn_seq p[64];
        qn_generated g[64];
        for (int i = 0; i < 64; i++) p[i] = (qn_seq){ ids + i * 32, 32, NULL, NULL };
        qn_generate_options o = { .max_tokens = 128, .ignore_eos = true, .batch = third };
        t0 = now();
        if (qn_decoder_generate(m, p, 64, &o, g, &e)) { fprintf(stderr, "%s\n", e.msg); return 1; }
        double s = now() - t0;
        int n = 0;
        for (int i = 0; i < 64; i++) n += g[i].n;
        if (n != 64 * 128) { fprintf(stderr, "bench_train: %d tokens, %d expected\n", n, 64 * 128); return 1; }
        if (argc > 5) {
            qn_buf b = { 0 };
            char *path = qn_path_join(argv[5], "ids");
            for (int i = 0; i < 64; i++) {
                qn_buf_put(&b, p[i].ids, 32 * sizeof(int32_t));
                qn_buf_put(&b, g[i].ids, 128 * sizeof(int32_t));
            }
            if (qn_decoder_save(m, argv[5], &e) || qn_file_write(path, qn_buf_view(&b), &e)) { fprintf(stderr, "%s\n", e.msg); return 1; }
        }
        printf("{\"bench\": \"generate\", \"parameters\": %zu, \"threads\": %d, \"batch\": %d, \"tokens\": %d, \"seconds\": %.2f, \"tokens_per_s\": %.0f, \"peak_mb\": %zu}\n",
               qn_decoder_n_params(m), threads, third ? third : 64, n, s, n / s, qn_peak_rss_bytes() >> 20);
        return 0;
    }
    qn_train_row rows[ROWS] = { 0 };
    for (int i = 0; i < ROWS; i++) rows[i].a = (qn_seq){ ids + i * LEN, LEN, NULL, NULL };
    qn_fit_options o = { .lr = 1e-3, .steps = third ? third : 8, .batch = BATCH, .clip = 1, .decay = 0.1, .in_order = true, .progress = timed };
    qn_fit_state last;
    t0 = now();
    if (qn_decoder_train(m, QN_TRAIN_LM, &o, 0, rows, ROWS, &last, &e)) { fprintf(stderr, "%s\n", e.msg); return 1; }
    if (!(last.loss < first_loss)) { fprintf(stderr, "bench_train: the loss did not fall\n"); return 1; }
    printf("{\"bench\": \"train\", \"parameters\": %zu, \"threads\": %d, \"tokens_per_step\": %d, \"best_step_seconds\": %.3f, \"tokens_per_s\": %.0f, \"loss\": %.4f, \"peak_mb\": %zu}\n",
           qn_decoder_n_params(m), threads, BATCH * LEN, best_s, BATCH * LEN / best_s, last.loss, qn_peak_rss_bytes() >> 20);
    return 0;
}
