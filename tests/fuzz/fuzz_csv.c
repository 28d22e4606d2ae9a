/* fuzz_csv: any bytes as a csv file. */
#include "rows_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    rows_fuzz("csv", data, n);
    return 0;
}
