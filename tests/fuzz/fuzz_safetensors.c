/* fuzz_safetensors: any bytes as a file; every array that is accepted is read to its end. */
#include "core/mem.h"
#include "nn/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    qn_safetensors *s;
    qn_err e = { 0 };
    if (qn_safetensors_parse(&s, data, n, &e) != QN_OK) return 0;
    for (size_t i = 0; i < qn_safetensors_count(s); i++) {
        const qn_array *a = qn_safetensors_at(s, i);
        if (a->type == QN_OTHER || memchr(a->name.p, 0, a->name.n)) continue;
        float *x = qn_alloc((a->count + 1) * sizeof *x);
        char *name = qn_strz(a->name);
        QN_ASSERT(qn_safetensors_read(s, name, a->count, x, &e) == QN_OK);
        qn_free(name);
        qn_free(x);
    }
    qn_safetensors_close(s);
    return 0;
}
