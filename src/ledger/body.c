/* body: packing and checking of stored texts. */
#include "ledger/body.h"

uint32_t qn_body_sum(const void *p, size_t n) { return (uint32_t)qn_hash64(p, n, 0); }

bool qn_body_pack(ZSTD_CCtx *z, const char *p, size_t n, qn_buf *out)
{
    qn_buf_clear(out);
    if (!qn_buf_reserve(out, ZSTD_compressBound(n))) return false;
    size_t k = ZSTD_compressCCtx(z, out->p, ZSTD_compressBound(n), p, n, 1);
    if (ZSTD_isError(k) || k > n - n / 5) return false;
    out->n = k;
    return true;
}

bool qn_body_unpack(ZSTD_DCtx *z, const void *p, size_t n, bool packed, qn_buf *out)
{
    if (!packed) return qn_buf_put(out, p, n);
    unsigned long long whole = ZSTD_getFrameContentSize(p, n);
    if (whole >= (1ull << 31) || !qn_buf_reserve(out, whole)) return false;
    if (ZSTD_decompressDCtx(z, out->p + out->n, whole, p, n) != whole) return false;
    out->n += whole;
    out->p[out->n] = 0;
    return true;
}
