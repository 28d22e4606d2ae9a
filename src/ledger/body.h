/* body: how requests and replies lie in the ledger: as they stand, or packed by zstd; with a checksum of what is stored. */
#ifndef QN_LEDGER_BODY_H
#define QN_LEDGER_BODY_H
#include "core/hash.h"
#include <zstd.h>

uint32_t qn_body_sum(const void *p, size_t n);
/* Into `out` (emptied first) at level 1; false when that saves less than a fifth. z is reused from call to call. */
bool     qn_body_pack(ZSTD_CCtx *z, const char *p, size_t n, qn_buf *out);
/* Appends the text; false when a packed body is damaged or would be larger than 2 GB. */
bool     qn_body_unpack(ZSTD_DCtx *z, const void *p, size_t n, bool packed, qn_buf *out);
#endif
