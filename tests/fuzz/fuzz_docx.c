/* fuzz_docx: any bytes as the main part of a Word file; when they begin with PK as the whole file. */
#include "doc_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char styles[] = "<w:styles xmlns:w='w'><w:style w:styleId='H'><w:name w:val='heading 1'/></w:style>"
                                 "<w:style w:styleId='C'><w:name w:val='Code'/></w:style></w:styles>";
    if (n > 1 && data[0] == 'P' && data[1] == 'K') { doc_fuzz("docx", data, n); return 0; }
    doc_fuzz_zip("docx", (const zip_part[]){ { "word/document.xml", data, n }, { "word/styles.xml", styles, sizeof styles - 1 } }, 2);
    return 0;
}
