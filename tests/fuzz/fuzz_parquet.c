/* fuzz_parquet: any bytes as a Parquet file, read by DuckDB. Where its library is not here, opening ends with a word that says so. */
#include "rows_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    rows_fuzz_named("parquet", data, n, (size_t)1 << 32);
    return 0;
}
