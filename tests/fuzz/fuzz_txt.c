/* fuzz_txt: any bytes as a txt document. */
#include "doc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    doc_fuzz("txt", data, n);
    return 0;
}
