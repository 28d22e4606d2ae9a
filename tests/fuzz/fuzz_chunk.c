/* fuzz_chunk: any text cut in any way: pieces are in order, inside the text, every word is in one. The first five bytes are the settings. */
#include "core/err.h"
#include "text/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 5) return 0;
    qn_arena a = {0};
    qn_chunk *c;
    qn_rng rng = qn_rng_seed(data[4]);
    size_t min = 1 + data[1] % 40, max = min + data[2] % 60, at = 0;
    qn_chunk_opts o = { .by = (qn_chunk_by)(data[0] % 3), .min_tokens = min, .max_tokens = max, .overlap_tokens = data[3] % max, .draw = data[4] & 1 ? &rng : NULL };
    char *copy = qn_memdup(data + 5, n - 5);
    qn_str text = { copy, n - 5 };
    size_t k = qn_chunk_text(text, NULL, 0, &o, &a, &c);
    for (size_t i = 0; i < k; i++) {
        QN_ASSERT(c[i].start < c[i].end && c[i].end <= text.n && (i == 0 || c[i].end > c[i - 1].end));
        QN_ASSERT(o.overlap_tokens || c[i].start >= at);
        for (; at < c[i].start; at++) QN_ASSERT((unsigned char)text.p[at] <= 32 || (unsigned char)text.p[at] >= 0x7F);
        at = c[i].end;
    }
    qn_free(copy);
    qn_arena_free(&a);
    return 0;
}
