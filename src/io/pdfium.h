/* pdfium: the calls of PDFium that reading text needs (fpdfview.h, fpdf_text.h, fpdf_doc.h, fpdf_edit.h of the public API; the wheel brings the
 * library without headers). Not thread-safe: one thread at a time. */
#ifndef QN_IO_PDFIUM_H
#define QN_IO_PDFIUM_H
#include <stddef.h>

typedef struct fpdf_document_t__ *FPDF_DOCUMENT;
typedef struct fpdf_page_t__ *FPDF_PAGE;
typedef struct fpdf_textpage_t__ *FPDF_TEXTPAGE;
typedef struct fpdf_pageobject_t__ *FPDF_PAGEOBJECT;
typedef struct { float left, top, right, bottom; } FS_RECTF;
typedef struct { int version; const char **user_font_paths; void *isolate; unsigned v8_slot; void *platform; int renderer; } FPDF_LIBRARY_CONFIG;

enum { FPDF_ERR_FILE = 2, FPDF_ERR_FORMAT = 3, FPDF_ERR_PASSWORD = 4, FPDF_ERR_SECURITY = 5, FPDF_PAGEOBJ_IMAGE = 3, FPDF_FONT_FIXED = 1 };

typedef struct qn_pdfium {
    void            (*init)(const FPDF_LIBRARY_CONFIG *config);
    FPDF_DOCUMENT   (*load)(const void *bytes, size_t n, const char *password);
    unsigned long   (*last_error)(void);
    void            (*close)(FPDF_DOCUMENT d);
    int             (*n_pages)(FPDF_DOCUMENT d);
    unsigned long   (*meta)(FPDF_DOCUMENT d, const char *tag, void *utf16, unsigned long n_bytes);
    FPDF_PAGE       (*page_load)(FPDF_DOCUMENT d, int index);
    void            (*page_close)(FPDF_PAGE p);
    FPDF_TEXTPAGE   (*text_load)(FPDF_PAGE p);
    void            (*text_close)(FPDF_TEXTPAGE t);
    int             (*n_chars)(FPDF_TEXTPAGE t);
    unsigned        (*unicode)(FPDF_TEXTPAGE t, int i);
    int             (*box)(FPDF_TEXTPAGE t, int i, FS_RECTF *loose);
    unsigned long   (*font)(FPDF_TEXTPAGE t, int i, void *name, unsigned long n_bytes, int *flags);
    int             (*n_objects)(FPDF_PAGE p);
    FPDF_PAGEOBJECT (*object)(FPDF_PAGE p, int i);
    int             (*object_type)(FPDF_PAGEOBJECT o);
} qn_pdfium;
#endif
