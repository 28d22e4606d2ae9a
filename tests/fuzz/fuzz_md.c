/* fuzz_md: any bytes as a md document. */
#include "doc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    doc_fuzz("md", data, n);
    return 0;
}
