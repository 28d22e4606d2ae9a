/* fuzz_pptx: any bytes as a slide. */
#include "doc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char deck[] = "<p:presentation xmlns:p='p' xmlns:r='r'><p:sldIdLst><p:sldId r:id='rId1'/></p:sldIdLst></p:presentation>";
    doc_fuzz_zip("pptx", (const zip_part[]){ { "ppt/presentation.xml", deck, sizeof deck - 1 }, { "ppt/slides/slide1.xml", data, n } }, 2);
    return 0;
}
