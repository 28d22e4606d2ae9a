/* fuzz_html: any bytes as a html document. */
#include "doc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    doc_fuzz("html", data, n);
    return 0;
}
