/* fuzz_pdf: any bytes as a pdf document. */
#include "doc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    doc_fuzz("pdf", data, n);
    return 0;
}
