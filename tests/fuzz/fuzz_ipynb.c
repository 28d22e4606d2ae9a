/* fuzz_ipynb: any bytes as a notebook. */
#include "doc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    doc_fuzz("ipynb", data, n);
    return 0;
}
