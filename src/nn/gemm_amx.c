/* gemm_amx: the parts of a bf16 product on matrix tiles (AMX_BF16: Xeons since 2023): a tile of the result is 16 by 16 numbers, and one
 * instruction adds to it 16 rows of 16 pairs times 16 pairs of 16 columns. Two by two tiles are summed at a time.
 * Each number of the result is summed over k in one order, whatever stands beside it; that order is not the one of AVX512_BF16. */
#pragma GCC optimize("O3")
#include "nn/gemm_blocks.h"
#include "core/thread.h"
#if defined(__x86_64__) && __GNUC__ >= 11
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#define TILES __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")))

enum { SIDE = 16, TILE = SIDE * SIDE, KP = 768 };   /* TILE: words; KP: pairs of a block times pieces, a multiple of 48 */

static bool usable;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Linux lets a process use the tiles' registers only when it has asked (they are 8 KB that each thread has to save). */
static void ask(void)
{
    unsigned a = 7, b, c = 0, d;
    const char *off = getenv("QUERN_GEMM");
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    bool has = (d & (1u << 22)) && (d & (1u << 24)) && qn_gemm_has_bf16();
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    usable = has && !(off && *off) && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

bool qn_amx_here(void)
{
    pthread_once(&once, ask);
    return usable;
}

/* Rows i0.. of op(a), k numbers from k0 on, as tiles: out[(panel of 16 rows, tile of 16 pairs, 16 rows, 16 pairs)]. */
static QN_BF16 void pack_tiles(const qn_bf16_job *q, int i0, int m, int k0, int k, uint32_t *out)
{
    int n_tiles = qn_pairs_padded(k) / SIDE;
    size_t ld = (size_t)q->lda;
    for (int i = 0; i < m; i += SIDE, out += n_tiles * TILE) {
        int w = m - i < SIDE ? m - i : SIDE;
        if (!q->ta) {
            for (int r = 0; r < SIDE; r++) {
                const float *x = q->a + (size_t)(i0 + i + (r < w ? r : 0)) * ld + (size_t)k0;
                for (int t = 0; t < n_tiles; t++) _mm512_store_si512(out + t * TILE + r * SIDE, qn_pairs(x + 32 * t, r < w ? k - 32 * t : 0));
            }
            continue;
        }
        __mmask16 mask = (__mmask16)((1u << w) - 1);
        for (int t = 0; t < n_tiles; t++) {
            __m512i s[SIDE];
            for (int l = 0; l < SIDE; l++) {
                int at = 32 * t + 2 * l;
                const float *x = q->a + (size_t)(k0 + at) * ld + (size_t)(i0 + i);
                s[l] = at < k ? qn_pairs_of_rows(x, at + 1 < k ? x + ld : NULL, mask) : _mm512_setzero_si512();
            }
            qn_transpose16(s);
            for (int r = 0; r < SIDE; r++) _mm512_store_si512(out + t * TILE + r * SIDE, s[r]);
        }
    }
}

/* The same of whole numbers, not transposed: out[(panel of 16 rows, tile of 16 pairs, piece, 16 rows, 16 pairs)]. */
static QN_BF16 void pack_tiles_whole(const qn_bf16_job *q, int i0, int m, int k0, int k, uint32_t *out)
{
    int n_tiles = qn_pairs_padded(k) / SIDE;
    for (int i = 0; i < m; i += SIDE, out += QN_PIECES * n_tiles * TILE)
        for (int r = 0; r < SIDE; r++) {
            bool there = i + r < m;
            const float *x = q->a + (size_t)(i0 + (there ? i + r : i)) * (size_t)q->lda + (size_t)k0;
            for (int t = 0; t < n_tiles; t++) {
                __m512i piece[QN_PIECES];
                qn_pairs_whole(x + 32 * t, there ? k - 32 * t : 0, piece);
                for (int p = 0; p < QN_PIECES; p++) _mm512_store_si512(out + (QN_PIECES * t + p) * TILE + r * SIDE, piece[p]);
            }
        }
}

/* c (up to 32 by 32) = or += a's two panels times b's two; a panel that is not there is given as the first. */
#define LOAD_C(c, ld, add) \
    if (add) { \
        _tile_loadd(0, c, (ld) * sizeof(float)); \
        _tile_loadd(1, c + SIDE, (ld) * sizeof(float)); \
        _tile_loadd(2, c + SIDE * (ld), (ld) * sizeof(float)); \
        _tile_loadd(3, c + SIDE * (ld) + SIDE, (ld) * sizeof(float)); \
    } else { \
        _tile_zero(0); \
        _tile_zero(1); \
        _tile_zero(2); \
        _tile_zero(3); \
    }
#define STORE_C(c, ld) \
    _tile_stored(0, c, (ld) * sizeof(float)); \
    _tile_stored(1, c + SIDE, (ld) * sizeof(float)); \
    _tile_stored(2, c + SIDE * (ld), (ld) * sizeof(float)); \
    _tile_stored(3, c + SIDE * (ld) + SIDE, (ld) * sizeof(float));
#define LOAD_A(at) _tile_loadd(4, a0 + (at) * TILE, 64); _tile_loadd(5, a1 + (at) * TILE, 64);
#define LOAD_B(at) _tile_loadd(6, b0 + (at) * TILE, 64); _tile_loadd(7, b1 + (at) * TILE, 64);
#define MULTIPLY _tile_dpbf16ps(0, 4, 6); _tile_dpbf16ps(1, 4, 7); _tile_dpbf16ps(2, 5, 6); _tile_dpbf16ps(3, 5, 7);

static TILES void four_tiles(int n_tiles, const uint32_t *a0, const uint32_t *a1, const uint32_t *b0, const uint32_t *b1, bool add, float *c, size_t ldc)
{
    LOAD_C(c, ldc, add)
    for (int t = 0; t < n_tiles; t++) {
        LOAD_A(t) LOAD_B(t) MULTIPLY
    }
    STORE_C(c, ldc)
}

/* The same of whole numbers. Of nine products of pieces the six that a sum in f32 can hold: what is left out is below 2^-25 of the product.
 * From one to the next only one side's tiles change. Meanwhile `ahead` bytes of `next` are fetched for each step over k: panels in pieces
 * are larger than the core's own cache. */
static TILES void four_tiles_whole(int n_tiles, const uint32_t *a0, const uint32_t *a1, const uint32_t *b0, const uint32_t *b1, bool add, float *c, size_t ldc, const char *next, int ahead)
{
    LOAD_C(c, ldc, add)
    for (int t = 0; t < QN_PIECES * n_tiles; t += QN_PIECES) {
        LOAD_A(t) LOAD_B(t + 2) MULTIPLY
        for (const char *end = next + ahead; next < end; next += 64) _mm_prefetch(next, _MM_HINT_T1);
        LOAD_B(t + 1) MULTIPLY
        LOAD_A(t + 1) MULTIPLY
        LOAD_B(t) MULTIPLY
        LOAD_A(t + 2) MULTIPLY
        LOAD_A(t) MULTIPLY
    }
    STORE_C(c, ldc)
}

static QN_BF16 void copy_block(int m, int n, const float *from, size_t ld_from, float *to, size_t ld_to)
{
    for (int r = 0; r < m; r++) memcpy(to + (size_t)r * ld_to, from + (size_t)r * ld_from, (size_t)n * sizeof(float));
}

/* Two panels of b times all of a's block. Of the two panels behind them the first blocks of rows fetch the one, the last the other. */
static TILES void two_panels(const qn_bf16_job *q, int m, int cols, int n_tiles, const uint32_t *pa, const uint32_t *b, size_t panel_b, bool add, float *c)
{
    float edge[4 * TILE] __attribute__((aligned(64)));
    const int panel = n_tiles * q->pieces * TILE, n_blocks = (m + 2 * SIDE - 1) / (2 * SIDE), half = (n_blocks + 1) / 2;
    const int ahead = (q->pieces * SIDE + half - 1) / half * 64;
    const uint32_t *b1 = cols > SIDE ? b + panel_b : b;
    size_t ldc = (size_t)q->ldc;
    for (int i = 0; i < n_blocks; i++, pa += 2 * panel, c += 2 * SIDE * ldc) {
        const uint32_t *a1 = m - 2 * SIDE * i > SIDE ? pa + panel : pa;
        const char *next = (const char *)(b + (i < half ? 2 : 3) * panel_b) + (size_t)(i % half) * (size_t)(n_tiles * ahead);
        int rows = m - 2 * SIDE * i < 2 * SIDE ? m - 2 * SIDE * i : 2 * SIDE;
        bool whole = rows == 2 * SIDE && cols == 2 * SIDE;
        float *to = whole ? c : edge;
        size_t ld = whole ? ldc : 2 * SIDE;
        if (!whole && add) copy_block(rows, cols, c, ldc, edge, ld);
        if (q->pieces == 1) four_tiles(n_tiles, pa, a1, b, b1, add, to, ld);
        else four_tiles_whole(n_tiles, pa, a1, b, b1, add, to, ld, next, ahead);
        if (!whole) copy_block(rows, cols, edge, ld, c, ldc);
    }
}

TILES void qn_amx_part(void *job, size_t part)
{
    static const struct { uint8_t palette, start, zero[14]; uint16_t row_bytes[16]; uint8_t rows[16]; }
        shape = { .palette = 1, .row_bytes = { 64, 64, 64, 64, 64, 64, 64, 64 }, .rows = { 16, 16, 16, 16, 16, 16, 16, 16 } };
    const qn_bf16_job *q = job;
    int i0 = (int)(part % (size_t)q->n_rows) * q->mc, j0 = (int)(part / (size_t)q->n_rows) * q->nc;
    int m = q->m - i0 < q->mc ? q->m - i0 : q->mc, n = q->n - j0 < q->nc ? q->n - j0 : q->nc, step = 2 * KP / q->pieces;
    size_t panel_b = (size_t)(qn_pairs_padded(q->k) * q->pieces * SIDE);
    uint32_t pa[QN_AMX_ROWS_WHOLE * KP] __attribute__((aligned(64)));
    _tile_loadconfig(&shape);
    for (int k0 = 0; k0 < q->k || k0 == 0; k0 += step) {
        int k = q->k - k0 < step ? q->k - k0 : step, n_tiles = qn_pairs_padded(k) / SIDE;
        if (q->pieces == 1) pack_tiles(q, i0, m, k0, k, pa);
        else pack_tiles_whole(q, i0, m, k0, k, pa);
        for (int j = 0; j < n; j += 2 * SIDE)
            two_panels(q, m, n - j < 2 * SIDE ? n - j : 2 * SIDE, n_tiles, pa, q->packed + (size_t)(j0 + j) / SIDE * panel_b + (size_t)(k0 / 2 * q->pieces * SIDE), panel_b,
                       q->add || k0 > 0, q->c + (size_t)i0 * (size_t)q->ldc + (size_t)(j0 + j));
    }
    _tile_release();
    if (q->then) q->then->fn(q->then->arg, i0, i0 + m, j0, j0 + n);
}
#else
bool qn_amx_here(void) { return false; }
void qn_amx_part(void *job, size_t part) { (void)job; (void)part; }
#endif
