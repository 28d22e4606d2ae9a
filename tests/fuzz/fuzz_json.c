/* fuzz_json: any bytes as a json file. */
#include "rows_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    rows_fuzz("json", data, n);
    return 0;
}
