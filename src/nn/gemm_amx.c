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

enum { SIDE = 16, TILE = SIDE * SIDE, KP = 768 };   /* TILE: words; KP: pairs of a block, a multiple of 16 */

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

/* c (up to 32 by 32) = or += a's two panels times b's two; a panel that is not there is given as the first. */
static TILES void four_tiles(int n_tiles, const uint32_t *a0, const uint32_t *a1, const uint32_t *b0, const uint32_t *b1, bool add, float *c, size_t ldc)
{
    size_t row = ldc * sizeof(float);
    if (add) {
        _tile_loadd(0, c, row);
        _tile_loadd(1, c + SIDE, row);
        _tile_loadd(2, c + SIDE * ldc, row);
        _tile_loadd(3, c + SIDE * ldc + SIDE, row);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (int t = 0; t < n_tiles; t++) {
        _tile_loadd(4, a0 + t * TILE, 64);
        _tile_loadd(6, b0 + t * TILE, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b1 + t * TILE, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a1 + t * TILE, 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, row);
    _tile_stored(1, c + SIDE, row);
    _tile_stored(2, c + SIDE * ldc, row);
    _tile_stored(3, c + SIDE * ldc + SIDE, row);
}

static QN_BF16 void copy_block(int m, int n, const float *from, size_t ld_from, float *to, size_t ld_to)
{
    for (int r = 0; r < m; r++) memcpy(to + (size_t)r * ld_to, from + (size_t)r * ld_from, (size_t)n * sizeof(float));
}

TILES void qn_amx_part(void *job, size_t part)
{
    static const struct { uint8_t palette, start, zero[14]; uint16_t row_bytes[16]; uint8_t rows[16]; }
        shape = { .palette = 1, .row_bytes = { 64, 64, 64, 64, 64, 64, 64, 64 }, .rows = { 16, 16, 16, 16, 16, 16, 16, 16 } };
    const qn_bf16_job *q = job;
    int i0 = (int)(part % (size_t)q->n_rows) * q->mc, j0 = (int)(part / (size_t)q->n_rows) * q->nc;
    int m = q->m - i0 < q->mc ? q->m - i0 : q->mc, n = q->n - j0 < q->nc ? q->n - j0 : q->nc;
    size_t all = (size_t)qn_pairs_padded(q->k), ldc = (size_t)q->ldc;
    uint32_t pa[QN_AMX_ROWS * KP] __attribute__((aligned(64)));
    float edge[4 * TILE] __attribute__((aligned(64)));
    _tile_loadconfig(&shape);
    for (int k0 = 0; k0 < q->k || k0 == 0; k0 += 2 * KP) {
        int k = q->k - k0 < 2 * KP ? q->k - k0 : 2 * KP, n_tiles = qn_pairs_padded(k) / SIDE;
        bool add = q->add || k0 > 0;
        pack_tiles(q, i0, m, k0, k, pa);
        for (int j = 0; j < n; j += 2 * SIDE) {
            const uint32_t *b = q->packed + (size_t)(j0 + j) * all + (size_t)(k0 / 2) * SIDE, *b1 = n - j > SIDE ? b + all * SIDE : b;
            for (int i = 0; i < m; i += 2 * SIDE) {
                const uint32_t *a = pa + i * (n_tiles * SIDE), *a1 = m - i > SIDE ? a + n_tiles * TILE : a;
                float *c = q->c + (size_t)(i0 + i) * ldc + (size_t)(j0 + j);
                int rows = m - i < 2 * SIDE ? m - i : 2 * SIDE, cols = n - j < 2 * SIDE ? n - j : 2 * SIDE;
                if (rows == 2 * SIDE && cols == 2 * SIDE) {
                    four_tiles(n_tiles, a, a1, b, b1, add, c, ldc);
                    continue;
                }
                if (add) copy_block(rows, cols, c, ldc, edge, 2 * SIDE);
                four_tiles(n_tiles, a, a1, b, b1, add, edge, 2 * SIDE);
                copy_block(rows, cols, edge, 2 * SIDE, c, ldc);
            }
        }
    }
    _tile_release();
    if (q->then) q->then->fn(q->then->arg, i0, i0 + m, j0, j0 + n);
}
#else
bool qn_amx_here(void) { return false; }
void qn_amx_part(void *job, size_t part) { (void)job; (void)part; }
#endif
