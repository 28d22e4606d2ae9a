/* Kernels of nn/: fast against textbook, gradients against finite differences, any number of threads gives the same bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/mem.h"
#include "core/rng.h"
#include "nn/kernels.h"
#include <math.h>
#include <stdlib.h>

static float *randoms(qn_rng *r, size_t n, double scale)
{
    float *x = qn_nn_alloc(n);
    for (size_t i = 0; i < n; i++) x[i] = (float)(qn_rng_normal(r) * scale);
    return x;
}

static void assert_close(const float *a, const float *b, size_t n, double tol)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= tol * (1 + fabs((double)b[i]))))
            fail_msg("number %zu: %g is not %g", i, (double)a[i], (double)b[i]);
}

static void products_match_the_reference_for_all_shapes_and_paths(void **state)
{
    (void)state;
    static const int shape[][3] = { { 1, 1, 1 }, { 6, 16, 8 }, { 7, 17, 9 }, { 5, 33, 300 }, { 130, 50, 70 }, { 97, 530, 20 }, { 3, 5, 0 } };
    static const char *const paths[] = { "plain", "avx2", "avx512", "onednn" };
    qn_rng r = qn_rng_seed(1);
    int tried = 0;
    for (size_t w = 0; w < sizeof paths / sizeof *paths; w++) {
        if (!qn_gemm_choose(paths[w])) { print_message("skipped: %s cannot be used here\n", paths[w]); continue; }
        tried++;
        for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
            for (int mode = 0; mode < 8; mode++) {
                int m = shape[s][0], n = shape[s][1], k = shape[s][2];
                bool ta = mode & 1, tb = mode & 2, add = mode & 4;
                if (k == 0 && !strcmp(paths[w], "onednn")) continue;
                float *a = randoms(&r, (size_t)m * (size_t)k + 1, 1), *b = randoms(&r, (size_t)n * (size_t)k + 1, 1);
                float *c = randoms(&r, (size_t)m * (size_t)n, 1), *want = qn_nn_alloc((size_t)m * (size_t)n);
                memcpy(want, c, (size_t)m * (size_t)n * sizeof(float));
                qn_gemm(NULL, ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, add, c, n);
                qn_gemm_ref(ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, add, want, n);
                assert_close(c, want, (size_t)m * (size_t)n, 1e-4);
                qn_nn_free(a); qn_nn_free(b); qn_nn_free(c); qn_nn_free(want);
            }
    }
    assert_true(tried >= 1);
    if (!qn_gemm_choose("avx512") && !qn_gemm_choose("avx2")) qn_gemm_choose("plain");
}

/* What is remembered by content on one processor is right on the other. */
static void avx2_and_avx512_give_the_same_bits(void **state)
{
    (void)state;
    if (!qn_gemm_choose("avx512")) { print_message("skipped: no AVX-512 here\n"); skip(); }
    static const int shape[][3] = { { 1, 1, 1 }, { 12, 16, 8 }, { 13, 17, 9 }, { 35, 33, 300 }, { 130, 50, 770 } };
    qn_rng r = qn_rng_seed(4);
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
        for (int mode = 0; mode < 8; mode++) {
            int m = shape[s][0], n = shape[s][1], k = shape[s][2];
            bool ta = mode & 1, tb = mode & 2, add = mode & 4;
            size_t bytes = (size_t)m * (size_t)n * sizeof(float);
            float *a = randoms(&r, (size_t)m * (size_t)k, 1), *b = randoms(&r, (size_t)n * (size_t)k, 1), *c[2] = { randoms(&r, (size_t)m * (size_t)n, 1), NULL };
            c[1] = qn_nn_alloc((size_t)m * (size_t)n);
            memcpy(c[1], c[0], bytes);
            for (int w = 0; w < 2; w++) {
                qn_gemm_choose(w ? "avx2" : "avx512");
                qn_gemm(NULL, ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, add, c[w], n);
            }
            assert_memory_equal(c[0], c[1], bytes);
            qn_nn_free(a); qn_nn_free(b); qn_nn_free(c[0]); qn_nn_free(c[1]);
        }
    qn_gemm_choose("avx512");
}

static float rounded(float x)               /* to bf16, half to even */
{
    uint32_t u;
    memcpy(&u, &x, 4);
    u = (u + 0x7fff + ((u >> 16) & 1)) & 0xffff0000;
    memcpy(&x, &u, 4);
    return x;
}

static void check_bf16(void)
{
    static const int shape[][3] = { { 1, 1, 1 }, { 12, 16, 8 }, { 13, 17, 9 }, { 35, 33, 301 }, { 130, 50, 1100 }, { 97, 530, 33 }, { 40, 40, 513 }, { 70, 33, 3300 } };
    qn_rng r = qn_rng_seed(5);
    qn_pool *pool = qn_pool_new(3);
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
        for (int mode = 0; mode < 8; mode++) {
            int m = shape[s][0], n = shape[s][1], k = shape[s][2];
            bool ta = mode & 1, tb = mode & 2, add = mode & 4;
            size_t na = (size_t)m * (size_t)k, nb = (size_t)n * (size_t)k, nc = (size_t)m * (size_t)n;
            float *a = randoms(&r, na, 1), *b = randoms(&r, nb, 1), *c = randoms(&r, nc, 1), *want = qn_nn_alloc(nc), *other = qn_nn_alloc(nc);
            memcpy(want, c, nc * sizeof(float));
            memcpy(other, c, nc * sizeof(float));
            qn_gemm_as(true, NULL, ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, add, c, n);
            qn_gemm_as(true, pool, ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, add, other, n);
            assert_memory_equal(c, other, nc * sizeof(float));
            if (!ta && !add && m > 5) {             /* a row alone */
                qn_gemm_as(true, NULL, false, tb, 1, n, k, a + 5 * (size_t)k, k, b, tb ? k : n, false, other, n);
                assert_memory_equal(c + 5 * (size_t)n, other, (size_t)n * sizeof(float));
            }
            for (size_t i = 0; i < na; i++) a[i] = rounded(a[i]);
            for (size_t i = 0; i < nb; i++) b[i] = rounded(b[i]);
            qn_gemm_ref(ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, add, want, n);
            assert_close(c, want, nc, 1e-4);
            qn_nn_free(a); qn_nn_free(b); qn_nn_free(c); qn_nn_free(want); qn_nn_free(other);
        }
    qn_pool_free(pool);
}

static void products_in_bf16_are_those_of_rounded_numbers(void **state)
{
    (void)state;
    if (!qn_gemm_has_bf16()) { print_message("skipped: no AVX512_BF16 here\n"); skip(); }
    qn_gemm_tiles(false);
    check_bf16();
    if (qn_gemm_tiles(true)) check_bf16();
    else print_message("skipped: no AMX_BF16 here\n");
}

/* Root mean square of (got - exact) / |row||column|, summed in double precision. */
static double error_of(const float *got, int m, int n, int k, const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            double x = 0, aa = 0, bb = 0;
            for (int l = 0; l < k; l++) {
                double u = (double)a[(size_t)i * (size_t)k + (size_t)l], v = (double)b[(size_t)j * (size_t)k + (size_t)l];
                x += u * v, aa += u * u, bb += v * v;
            }
            double d = ((double)got[(size_t)i * (size_t)n + (size_t)j] - x) / sqrt(aa * bb + 1e-300);
            sum += d * d;
        }
    return sqrt(sum / m / n);
}

typedef struct { float *c; int ld; } plus_one;
static void add_one(void *arg, int i0, int i1, int j0, int j1)
{
    plus_one *q = arg;
    for (int i = i0; i < i1; i++) for (int j = j0; j < j1; j++) q->c[i * q->ld + j] += 1;
}

static void f32_products_on_tiles_are_as_exact_as_those_of_multiply_adds(void **state)
{
    (void)state;
    static const int shape[][3] = { { 1, 1, 1 }, { 13, 17, 9 }, { 35, 33, 301 }, { 130, 50, 1100 }, { 97, 530, 33 }, { 290, 70, 513 }, { 70, 33, 3300 } };
    if (!qn_gemm_tiles(true)) { print_message("skipped: no AMX_BF16 here\n"); skip(); }
    qn_rng r = qn_rng_seed(6);
    qn_pool *pool = qn_pool_new(3);
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
        for (int add = 0; add < 2; add++) {
            int m = shape[s][0], n = shape[s][1], k = shape[s][2];
            size_t nc = (size_t)m * (size_t)n;
            float *a = randoms(&r, (size_t)m * (size_t)k, 1), *b = randoms(&r, (size_t)n * (size_t)k, 1), *c = qn_nn_zalloc(nc), *other = qn_nn_zalloc(nc), *plain = qn_nn_alloc(nc);
            for (size_t i = 0; i < (size_t)m * (size_t)k && !add; i++) a[i] = ldexpf(a[i], (int)(i % 24) - 12);     /* large beside small */
            qn_factor f = qn_factor_make(QN_MUL_F32_TILES, NULL, true, n, k, b, k), g = qn_factor_make(QN_MUL_F32, NULL, true, n, k, b, k);
            assert_int_equal(f.how, QN_MUL_F32_TILES);
            qn_factor_mul(&g, NULL, m, a, k, false, plain, n);
            qn_factor_mul(&f, NULL, m, a, k, add, c, n);
            qn_factor_mul(&f, pool, m, a, k, add, other, n);
            assert_memory_equal(c, other, nc * sizeof(float));
            if (m > 5) {                            /* a row alone */
                qn_factor_mul(&f, NULL, 1, a + 5 * (size_t)k, k, false, other, n);
                assert_memory_equal(c + 5 * (size_t)n, other, (size_t)n * sizeof(float));
            }
            double tiles = error_of(c, m, n, k, a, b), fma = error_of(plain, m, n, k, a, b);
            if (k > 100 && !add) print_message("%d x %d x %d: error %.1e on tiles, %.1e by multiply-adds\n", m, n, k, tiles, fma);
            assert_true(tiles < 2 * fma + 1e-8);
            if (add) {                              /* added to what is there, and what comes next */
                qn_factor_mul_then(&f, pool, m, a, k, true, c, n, &(qn_then){ add_one, &(plus_one){ c, n } });
                for (size_t i = 0; i < nc; i++) plain[i] = 2 * plain[i] + 1;
                assert_close(c, plain, nc, 1e-3);
            }
            qn_factor_free(&f); qn_factor_free(&g);
            qn_nn_free(a); qn_nn_free(b); qn_nn_free(c); qn_nn_free(other); qn_nn_free(plain);
        }
    qn_pool_free(pool);
    qn_gemm_tiles(false);                           /* without them the same is asked for and f32 is what comes */
    float one[16] = { 1 };
    qn_factor f = qn_factor_make(QN_MUL_F32_TILES, NULL, true, 1, 16, one, 16);
    assert_int_equal(f.how, QN_MUL_F32);
    qn_factor_free(&f);
    qn_gemm_tiles(true);
}

static void a_product_does_not_depend_on_threads_or_on_rows_beside(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(2);
    enum { M = 70, N = 600, K = 520 };
    float *a = randoms(&r, M * K, 1), *b = randoms(&r, N * K, 1), *c1 = qn_nn_alloc(M * N), *c2 = qn_nn_alloc(M * N), *row = qn_nn_alloc(N);
    qn_gemm(NULL, false, true, M, N, K, a, K, b, K, false, c1, N);
    for (int threads = 2; threads <= 5; threads++) {
        qn_pool *p = qn_pool_new(threads);
        memset(c2, 0, M * N * sizeof(float));
        qn_gemm(p, false, true, M, N, K, a, K, b, K, false, c2, N);
        assert_memory_equal(c1, c2, M * N * sizeof(float));
        qn_pool_free(p);
    }
    for (int i = 0; i < M; i += 23) {
        qn_gemm(NULL, false, true, 1, N, K, a + i * K, K, b, K, false, row, N);
        assert_memory_equal(row, c1 + i * N, N * sizeof(float));
    }
    qn_nn_free(a); qn_nn_free(b); qn_nn_free(c1); qn_nn_free(c2); qn_nn_free(row);
}

static void exp_is_within_a_few_units(void **state)
{
    (void)state;
    for (float x = -87; x < 88; x += 0.0137f) {
        float y = x;
        qn_expf_n(1, &y);
        assert_true(fabs((double)y / exp((double)x) - 1) < 3e-7);
    }
    float low = -200;
    qn_expf_n(1, &low);
    assert_true(low == 0);
}

/* A function from numbers to numbers under test: y = f(x), dx from dy. */
typedef struct { size_t nx, ny; void (*fwd)(void *, const float *, float *); void (*back)(void *, const float *, const float *, float *); void *arg; } fn;

static void check_gradient(const fn *f, qn_rng *r, float *x, double h, double tol)
{
    float *y = qn_nn_zalloc(f->ny), *c = randoms(r, f->ny, 1), *dx = qn_nn_zalloc(f->nx);
    f->fwd(f->arg, x, y);
    f->back(f->arg, x, c, dx);
    for (int t = 0; t < 60; t++) {
        size_t i = (size_t)qn_rng_below(r, f->nx);
        float keep = x[i];
        double sum[2];
        for (int s = 0; s < 2; s++) {
            x[i] = keep + (float)(s ? h : -h);
            f->fwd(f->arg, x, y);
            sum[s] = 0;
            for (size_t j = 0; j < f->ny; j++) sum[s] += (double)c[j] * (double)y[j];
        }
        x[i] = keep;
        double want = (sum[1] - sum[0]) / (2 * h);
        if (fabs(want - (double)dx[i]) > tol * (1 + fabs(want))) fail_msg("gradient %zu: %g, difference says %g", i, (double)dx[i], want);
    }
    qn_nn_free(y); qn_nn_free(c); qn_nn_free(dx);
}

enum { N = 9, D = 24 };
static float W[2 * D];                                  /* weights at [0], bias at [D] */

static void rms_f(void *a, const float *x, float *y) { float s[N]; (void)a; qn_rmsnorm(NULL, N, D, 1e-6f, x, W, y, s); }
static void rms_b(void *a, const float *x, const float *dy, float *dx)
{
    float s[N], y[N * D];
    (void)a;
    qn_rmsnorm(NULL, N, D, 1e-6f, x, W, y, s);
    qn_rmsnorm_back(NULL, N, D, x, W, s, dy, dx, NULL);
}
static void rmsw_f(void *x, const float *w, float *y) { float s[N]; qn_rmsnorm(NULL, N, D, 1e-6f, x, w, y, s); }
static void rmsw_b(void *x, const float *w, const float *dy, float *dw)
{
    float s[N], y[N * D], dx[N * D] = { 0 };
    qn_rmsnorm(NULL, N, D, 1e-6f, x, w, y, s);
    qn_rmsnorm_back(NULL, N, D, x, w, s, dy, dx, dw);
}
static void ln_f(void *a, const float *x, float *y) { float s[2 * N]; (void)a; qn_layernorm(NULL, N, D, 1e-6f, x, W, W + D, y, s); }
static void ln_b(void *a, const float *x, const float *dy, float *dx)
{
    float s[2 * N], y[N * D];
    (void)a;
    qn_layernorm(NULL, N, D, 1e-6f, x, W, W + D, y, s);
    qn_layernorm_back(NULL, N, D, x, W, s, dy, dx, NULL, NULL);
}
static void lnw_f(void *x, const float *w, float *y) { float s[2 * N]; qn_layernorm(NULL, N, D, 1e-6f, x, w, w + D, y, s); }
static void lnw_b(void *x, const float *w, const float *dy, float *dw)
{
    float s[2 * N], y[N * D], dx[N * D];
    qn_layernorm(NULL, N, D, 1e-6f, x, w, w + D, y, s);
    qn_layernorm_back(NULL, N, D, x, w, s, dy, dx, dw, dw + D);
}
static void glu_f(void *a, const float *x, float *y) { (void)a; qn_swiglu(NULL, N, D, x, y); }
static void glu_b(void *a, const float *x, const float *dy, float *dx) { (void)a; qn_swiglu_back(NULL, N, D, x, dy, dx); }
static void gelu_f(void *a, const float *x, float *y) { (void)a; qn_gelu(NULL, N * D, x, y); }
static void gelu_b(void *a, const float *x, const float *dy, float *dx) { (void)a; qn_gelu_back(NULL, N * D, x, dy, dx); }

static void norms_and_gates_have_the_gradients_differences_say(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(3);
    float *x = randoms(&r, 2 * N * D, 1), *w = randoms(&r, 2 * D, 1);
    for (int i = 0; i < 2 * D; i++) W[i] = (float)qn_rng_normal(&r);
    fn f[] = { { N * D, N * D, rms_f, rms_b, NULL }, { N * D, N * D, ln_f, ln_b, NULL },
               { 2 * N * D, N * D, glu_f, glu_b, NULL }, { N * D, N * D, gelu_f, gelu_b, NULL } };
    for (size_t i = 0; i < 4; i++) check_gradient(&f[i], &r, x, 1e-2, 3e-3);
    fn g[] = { { D, N * D, rmsw_f, rmsw_b, x }, { 2 * D, N * D, lnw_f, lnw_b, x } };
    for (size_t i = 0; i < 2; i++) check_gradient(&g[i], &r, w, 1e-2, 3e-3);
    qn_nn_free(x); qn_nn_free(w);
}

static void gelu_is_the_one_with_erf(void **state)
{
    (void)state;
    for (float x = -6; x < 6; x += 0.01f) {
        float y;
        qn_gelu(NULL, 1, &x, &y);
        assert_true(fabs((double)y - 0.5 * (double)x * (1 + erf((double)x / sqrt(2)))) < 1e-6);
    }
}

static void att_f(void *a, const float *x, float *y) { float lse[4 * 300]; qn_attention(NULL, a, x, y, lse); }
static void att_b(void *a, const float *x, const float *dy, float *dx)
{
    const qn_att *t = a;
    int n = t->starts[t->n_seqs];
    float *o = qn_nn_alloc((size_t)n * (size_t)(t->heads * t->hd)), lse[4 * 300];
    qn_attention(NULL, t, x, o, lse);
    qn_attention_back(NULL, t, x, o, lse, dy, dx);
    qn_nn_free(o);
}

static void attention_matches_the_formula_and_its_gradient_the_differences(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(4);
    static const int32_t starts[] = { 0, 1, 14, 150 };          /* the last is longer than a block of queries */
    for (int causal = 0; causal < 2; causal++)
        for (int kv = 1; kv <= 4; kv *= 2) {
            qn_att t = { .heads = 4, .kv_heads = kv, .hd = 8, .causal = causal, .n_seqs = 3, .starts = starts };
            size_t nx = 150 * (size_t)(4 + 2 * kv) * 8, ny = 150 * 32;
            float *x = randoms(&r, nx, 0.7), *y = qn_nn_alloc(ny), *want = qn_nn_alloc(ny);
            att_f(&t, x, y);
            qn_attention_ref(&t, x, want);
            assert_close(y, want, ny, 2e-6);
            fn f = { nx, ny, att_f, att_b, &t };
            check_gradient(&f, &r, x, 1e-2, 3e-3);
            qn_nn_free(x); qn_nn_free(y); qn_nn_free(want);
        }
}

static void turning_back_undoes_the_turn(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(5);
    enum { HD = 8, H = 3, S = 40 };
    float table[20 * HD], *x = randoms(&r, N * S, 1), *y = qn_nn_alloc(N * S);
    int32_t pos[N];
    for (int p = 0; p < 20; p++)
        for (int j = 0; j < HD / 2; j++) {
            table[p * HD + j] = cosf((float)p / (float)(j + 1));
            table[p * HD + HD / 2 + j] = sinf((float)p / (float)(j + 1));
        }
    for (int i = 0; i < N; i++) pos[i] = 2 * i;
    memcpy(y, x, N * S * sizeof(float));
    qn_rope(NULL, N, H, HD, S, pos, table, false, y);
    assert_memory_equal(y, x, H * HD * sizeof(float));          /* position 0 stays */
    assert_memory_not_equal(y + S, x + S, H * HD * sizeof(float));
    assert_memory_equal(y + S + H * HD, x + S + H * HD, (S - H * HD) * sizeof(float));
    qn_rope(NULL, N, H, HD, S, pos, table, true, y);
    assert_close(y, x, N * S, 1e-6);
    qn_nn_free(x); qn_nn_free(y);
}

static void cross_entropy_matches_the_formula(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(6);
    enum { M = 21, V = 133 };
    float *x = randoms(&r, M * V, 3), *want = qn_nn_alloc(M * V), logp[M], logp_want[M], coef[M];
    int32_t target[M];
    for (int i = 0; i < M; i++) { target[i] = (int32_t)qn_rng_below(&r, V); coef[i] = (float)qn_rng_normal(&r); }
    qn_xent_ref(M, V, x, target, coef, want, logp_want);
    qn_xent(NULL, M, V, x, target, coef, logp);
    assert_close(logp, logp_want, M, 1e-6);
    assert_close(x, want, M * V, 1e-6);
    qn_nn_free(x); qn_nn_free(want);
}

static void adamw_takes_the_step_of_the_paper(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(7);
    enum { K = 1000 };
    float *w = randoms(&r, K, 1), *g = randoms(&r, K, 1), *m = qn_nn_zalloc(K), *v = qn_nn_zalloc(K);
    double w1 = (double)w[5], m1 = 0, v1 = 0;
    for (int t = 1; t <= 5; t++) {
        qn_adamw o = { .lr = 1e-2f, .b1 = 0.9f, .b2 = 0.95f, .eps = 1e-8f, .decay = 0.1f, .gscale = 0.5f,
                       .c1 = (float)(1 - pow(0.9, t)), .c2 = (float)(1 - pow(0.95, t)) };
        qn_adamw_step(NULL, &o, K, w, g, m, v);
        double gg = 0.5 * (double)g[5];
        m1 = 0.9 * m1 + 0.1 * gg;
        v1 = 0.95 * v1 + 0.05 * gg * gg;
        w1 -= 1e-2 * 0.1 * w1 + 1e-2 * (m1 / (1 - pow(0.9, t))) / (sqrt(v1 / (1 - pow(0.95, t))) + 1e-8);
    }
    assert_true(fabs((double)w[5] - w1) < 1e-5);
    qn_nn_free(w); qn_nn_free(g); qn_nn_free(m); qn_nn_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_match_the_reference_for_all_shapes_and_paths),
        cmocka_unit_test(products_in_bf16_are_those_of_rounded_numbers),
        cmocka_unit_test(f32_products_on_tiles_are_as_exact_as_those_of_multiply_adds),
        cmocka_unit_test(avx2_and_avx512_give_the_same_bits),
        cmocka_unit_test(a_product_does_not_depend_on_threads_or_on_rows_beside),
        cmocka_unit_test(exp_is_within_a_few_units),
        cmocka_unit_test(norms_and_gates_have_the_gradients_differences_say),
        cmocka_unit_test(gelu_is_the_one_with_erf),
        cmocka_unit_test(attention_matches_the_formula_and_its_gradient_the_differences),
        cmocka_unit_test(turning_back_undoes_the_turn),
        cmocka_unit_test(cross_entropy_matches_the_formula),
        cmocka_unit_test(adamw_takes_the_step_of_the_paper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
