/* fuzz_xlsx: any bytes as a sheet, up to a byte 1 as its shared strings. */
#include "doc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char book[] = "<workbook xmlns:r='r'><sheets><sheet name='A' r:id='rId1'/></sheets></workbook>";
    static const char styles[] = "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>";
    const uint8_t *cut = n ? memchr(data, 1, n) : NULL;
    size_t k = cut ? (size_t)(cut - data) : 0;
    doc_fuzz_zip("xlsx", (const zip_part[]){ { "xl/workbook.xml", book, sizeof book - 1 }, { "xl/styles.xml", styles, sizeof styles - 1 },
                 { "xl/sharedStrings.xml", data, k }, { "xl/worksheets/sheet1.xml", cut ? cut + 1 : data, n - k - (cut != NULL) } }, 4);
    return 0;
}
