/* fuzz_epub: any bytes as a book's package, up to a byte 1 as its container. */
#include "doc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char container[] = "<container><rootfiles><rootfile full-path='a.opf'/></rootfiles></container>", page[] = "<p>text</p>";
    const uint8_t *cut = n ? memchr(data, 1, n) : NULL;
    size_t k = cut ? (size_t)(cut - data) : 0;
    doc_fuzz_zip("epub", (const zip_part[]){ { "META-INF/container.xml", cut ? (const void *)data : container, cut ? k : sizeof container - 1 },
                 { "a.opf", cut ? cut + 1 : data, n - k - (cut != NULL) }, { "1.xhtml", page, sizeof page - 1 } }, 3);
    return 0;
}
