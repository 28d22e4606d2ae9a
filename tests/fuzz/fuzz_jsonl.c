/* fuzz_jsonl: any bytes as a jsonl file. */
#include "rows_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    rows_fuzz("jsonl", data, n);
    return 0;
}
