/* fuzz_rst: any bytes as a rst document. */
#include "doc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    doc_fuzz("rst", data, n);
    return 0;
}
