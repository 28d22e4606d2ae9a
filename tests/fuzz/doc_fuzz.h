/* doc_fuzz: what the fuzz targets of document formats share: run one format's reader on bytes, check what must hold for every document. */
#ifndef QN_DOC_FUZZ_H
#define QN_DOC_FUZZ_H
#include "core/err.h"
#include "io/format.h"
#include "text/chunk.h"
#include <stdio.h>

static inline void doc_fuzz(const char *format, const void *data, size_t n)
{
    const qn_format *f = qn_format_by_name(qn_str_of(format));
    qn_arena a = {0};
    qn_doc d = {0};
    qn_err e = {0};
    char *bytes = qn_memdup(data, n);       /* exactly n bytes: reading one more is seen */
    if (n && f->doc((qn_str){ bytes, n }, "fuzz", NULL, &a, &d, &e) == QN_OK) {
        size_t at = 0;
        QN_ASSERT(qn_utf8_valid(d.text) && qn_utf8_valid(d.title) && qn_utf8_valid(d.licence) && qn_utf8_valid(d.warning));
        for (size_t i = 0; i < d.n_blocks; i++) {
            const qn_block *b = &d.blocks[i];
            QN_ASSERT(b->start >= at && b->end > b->start && b->end <= d.text.n && b->src_end <= n && b->src_start <= b->src_end);
            for (; at < b->start; at++) QN_ASSERT((unsigned char)d.text.p[at] <= 32);
            at = b->end;
        }
        qn_chunk *c;
        qn_chunk_opts o = { .by = QN_CHUNK_PARAGRAPH, .min_tokens = 4, .max_tokens = 16, .overlap_tokens = 4 };
        size_t k = qn_chunk_text(d.text, d.blocks, d.n_blocks, &o, &a, &c);
        for (size_t i = 0; i < k; i++) QN_ASSERT(c[i].start < c[i].end && c[i].end <= d.text.n);
    } else if (n) {
        QN_ASSERT(e.msg[0]);
    }
    qn_free(bytes);
    qn_arena_free(&a);
}

/* A zip file of stored parts, for formats whose XML is what should be reached. */
typedef struct { const char *name; const void *p; size_t n; } zip_part;

static inline uint32_t zip_crc(const unsigned char *p, size_t n)
{
    uint32_t c = 0xFFFFFFFF;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (0xEDB88320u & -(c & 1));
    }
    return ~c;
}

static inline void zip_le(qn_buf *b, uint32_t v, int n) { for (int i = 0; i < n; i++) qn_buf_putc(b, (char)(v >> 8 * i)); }

static inline void zip_head(qn_buf *b, const zip_part *p, uint32_t at, bool central)
{
    qn_buf_put(b, central ? "PK\1\2" : "PK\3\4", 4);
    if (central) zip_le(b, 20, 2);
    zip_le(b, 20, 2); zip_le(b, 0, 2); zip_le(b, 0, 2); zip_le(b, 0, 4);
    zip_le(b, zip_crc(p->p, p->n), 4); zip_le(b, (uint32_t)p->n, 4); zip_le(b, (uint32_t)p->n, 4); zip_le(b, (uint32_t)strlen(p->name), 2); zip_le(b, 0, 2);
    if (central) { zip_le(b, 0, 2); zip_le(b, 0, 2); zip_le(b, 0, 2); zip_le(b, 0, 4); zip_le(b, at, 4); }
    qn_buf_puts(b, p->name);
}

static inline void doc_fuzz_zip(const char *format, const zip_part *parts, size_t n_parts)
{
    qn_buf b = {0};
    uint32_t at[8];
    for (size_t i = 0; i < n_parts; i++) { at[i] = (uint32_t)b.n; zip_head(&b, &parts[i], 0, false); qn_buf_put(&b, parts[i].p, parts[i].n); }
    uint32_t from = (uint32_t)b.n;
    for (size_t i = 0; i < n_parts; i++) zip_head(&b, &parts[i], at[i], true);
    uint32_t size = (uint32_t)b.n - from;
    qn_buf_put(&b, "PK\5\6", 4); zip_le(&b, 0, 4); zip_le(&b, (uint32_t)n_parts, 2); zip_le(&b, (uint32_t)n_parts, 2); zip_le(&b, size, 4); zip_le(&b, from, 4); zip_le(&b, 0, 2);
    doc_fuzz(format, b.p, b.n);
    qn_buf_free(&b);
}
#endif
