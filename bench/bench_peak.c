/* bench_peak: the most multiply-adds that one core makes, in registers alone: the ceiling of any matrix product, whoever writes it.
 *   bench_peak              f32 by AVX2 and AVX-512, pairs of bf16 by AVX512_BF16, and matrix tiles (AMX_BF16), where the processor has them
 * Prints one JSON line: GFLOP/s (a multiply-add is two) by the processor's time of one thread, the best of twenty short runs, so that a
 * neighbour on the core's other half or a low clock in some of them does not lower it. Each run's sum is checked. */
#include "core/clock.h"
#include "nn/gemm_blocks.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { RUNS = 20 };

/* `body` adds 1 x 2 into each lane of N sums, again and again: the sum says how often. */
#define IN_REGISTERS(name, isa, vec, N, zero, one, add)                                     \
    static __attribute__((target(isa), noinline)) void name(long times, float *out)         \
    {                                                                                       \
        vec s[N];                                                                           \
        _Pragma("GCC unroll 32") for (int i = 0; i < N; i++) s[i] = zero;                   \
        for (long t = 0; t < times; t++) {                                                  \
            _Pragma("GCC unroll 32") for (int i = 0; i < N; i++) { s[i] = add; __asm__ volatile("" : "+v"(s[i])); } \
        }                                                                                   \
        _Pragma("GCC unroll 32") for (int i = 1; i < N; i++) s[0] = one(s[0], s[i]);        \
        memcpy(out, &s[0], sizeof(float));                                                  \
    }

#if defined(__x86_64__) && __GNUC__ >= 11
IN_REGISTERS(fma256, "avx2,fma", __m256, 12, _mm256_setzero_ps(), _mm256_add_ps, _mm256_fmadd_ps(_mm256_set1_ps(1), _mm256_set1_ps(2), s[i]))
IN_REGISTERS(fma512, "avx512f,avx2,fma", __m512, 24, _mm512_setzero_ps(), _mm512_add_ps, _mm512_fmadd_ps(_mm512_set1_ps(1), _mm512_set1_ps(2), s[i]))
/* 0x3f80 is 1 in bf16: each lane grows by two. */
IN_REGISTERS(dot512, "avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma", __m512, 24, _mm512_setzero_ps(), _mm512_add_ps,
             _mm512_dpbf16_ps(s[i], (__m512bh)_mm512_set1_epi32(0x3f803f80), (__m512bh)_mm512_set1_epi32(0x3f803f80)))

static __attribute__((target("amx-tile,amx-bf16,avx512f"), noinline)) void tiles(long times, float *out)
{
    static const struct { uint8_t palette, start, zero[14]; uint16_t row_bytes[16]; uint8_t rows[16]; }
        shape = { .palette = 1, .row_bytes = { 64, 64, 64, 64, 64, 64, 64, 64 }, .rows = { 16, 16, 16, 16, 16, 16, 16, 16 } };
    uint32_t ones[256];
    float c[256];
    for (int i = 0; i < 256; i++) ones[i] = 0x3f803f80;
    _tile_loadconfig(&shape);
    _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3);
    _tile_loadd(4, ones, 64); _tile_loadd(5, ones, 64); _tile_loadd(6, ones, 64); _tile_loadd(7, ones, 64);
    for (long t = 0; t < times; t++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    *out = 0;
    _tile_stored(0, c, 64); *out += c[0];
    _tile_stored(1, c, 64); *out += c[0];
    _tile_stored(2, c, 64); *out += c[0];
    _tile_stored(3, c, 64); *out += c[0];
    _tile_release();
}

/* GFLOP/s of fn, which makes `flop` operations a turn and whose sums grow by `grow` a turn (f32 counts so far: 2e9 operations, less than 2^25 each). */
static double best(void (*fn)(long, float *), int sums, double grow, double flop)
{
    const long times = (long)(2e9 / flop);
    double s = 1e9, want = (double)sums * grow * (double)times;
    float sum;
    for (int r = 0; r < RUNS; r++) {
        double t0 = qn_cpu_seconds();
        fn(times, &sum);
        double t = qn_cpu_seconds() - t0;
        s = t < s ? t : s;
    }
    if (fabs((double)sum - want) > 0.01 * want) { fprintf(stderr, "bench_peak: the sum is %g, not %g\n", (double)sum, want); exit(1); }
    return (double)times * flop / s / 1e9;
}

int main(void)
{
    double f2 = qn_has_avx2() ? best(fma256, 12, 2, 12 * 8 * 2) : 0;
    double f5 = __builtin_cpu_supports("avx512f") ? best(fma512, 24, 2, 24 * 16 * 2) : 0;
    double d5 = qn_gemm_has_bf16() ? best(dot512, 24, 2, 24 * 16 * 4) : 0;
    double t = qn_amx_here() ? best(tiles, 4, 32, 4.0 * 16 * 16 * 32 * 2) : 0;
    printf("{\"bench\": \"peak\", \"f32_avx2\": %.1f, \"f32_avx512\": %.1f, \"bf16_avx512\": %.1f, \"bf16_tiles\": %.1f}\n", f2, f5, d5, t);
    return 0;
}
#else
int main(void) { fprintf(stderr, "bench_peak: x86-64 only\n"); return 77; }
#endif
