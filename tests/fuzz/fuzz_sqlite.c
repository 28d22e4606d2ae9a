/* fuzz_sqlite: any bytes as a SQLite file: tables, and views, which are programs of whoever made it. */
#include "rows_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    rows_fuzz_named("sqlite", data, n, (size_t)1 << 32);     /* a view may give more rows than the file has bytes */
    return 0;
}
