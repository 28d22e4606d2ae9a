/* format_pdf: PDF by PDFium. Text page by page, in the order in which it was written; what it is (heading, paragraph, table) is told from where it
 * stands (io/pdf_lines.c). Pages that are pictures are named; a file of such pages alone is an error that says so. */
#include "core/dl.h"
#include "io/pdf_lines.h"
#include "io/pdfium.h"

enum { MOST_PAGES = 20000, MOST_CHARS = 100 * 1000 * 1000 };

static qn_pdfium pd;
static const qn_sym SYMS[] = {
    { "FPDF_InitLibraryWithConfig", (void **)&pd.init }, { "FPDF_LoadMemDocument64", (void **)&pd.load }, { "FPDF_GetLastError", (void **)&pd.last_error },
    { "FPDF_CloseDocument", (void **)&pd.close }, { "FPDF_GetPageCount", (void **)&pd.n_pages }, { "FPDF_GetMetaText", (void **)&pd.meta },
    { "FPDF_LoadPage", (void **)&pd.page_load }, { "FPDF_ClosePage", (void **)&pd.page_close }, { "FPDFText_LoadPage", (void **)&pd.text_load },
    { "FPDFText_ClosePage", (void **)&pd.text_close }, { "FPDFText_CountChars", (void **)&pd.n_chars }, { "FPDFText_GetUnicode", (void **)&pd.unicode },
    { "FPDFText_GetLooseCharBox", (void **)&pd.box }, { "FPDFText_GetFontInfo", (void **)&pd.font }, { "FPDFPage_CountObjects", (void **)&pd.n_objects }, { "FPDFPage_GetObject", (void **)&pd.object },
    { "FPDFPageObj_GetType", (void **)&pd.object_type }, { NULL, NULL }
};
static const char *const SONAMES[] = { "libpdfium.so", NULL };
static qn_lib lib = { SONAMES, SYMS, "reading PDF", "tools/setup.sh pdf (PDFium from the PyPI package pypdfium2)", false };

/* ---- characters to lines ---- */
typedef struct { qn_pdf_lines *l; qn_buf text; size_t cells[64]; float cell_x[65]; size_t n_gaps; float x0, x1, top, bottom, size; bool any, hyphen, mono; int page; uint32_t high; } liner;

static void line_end(liner *k)
{
    qn_str s = qn_buf_view(&k->text);
    while (s.n && s.p[s.n - 1] == ' ') s.n--;
    if (s.n) {
        qn_pdf_lines *l = k->l;
        if (!k->hyphen && s.n > 2 && s.p[s.n - 1] == '-' && ((s.p[s.n - 2] | 32) >= 'a' && (s.p[s.n - 2] | 32) <= 'z')) { k->hyphen = true; s.n--; }
        while (k->n_gaps && k->cells[k->n_gaps - 1] >= s.n) k->n_gaps--;
        QN_GROW(l->v, l->n, l->cap);
        qn_pdf_line *line = &l->v[l->n++];
        *line = (qn_pdf_line){ .text = qn_arena_str(l->a, s), .x0 = k->x0, .x1 = k->x1, .top = k->top, .bottom = k->bottom, .size = k->size, .page = k->page,
                               .hyphen = k->hyphen, .mono = k->mono, .n_cells = k->n_gaps + 1 };
        line->cells = qn_arena_alloc(l->a, k->n_gaps * sizeof *line->cells + 1);
        memcpy(line->cells, k->cells, k->n_gaps * sizeof *line->cells);
        line->cell_x = qn_arena_alloc(l->a, line->n_cells * sizeof *line->cell_x);
        memcpy(line->cell_x, k->cell_x, line->n_cells * sizeof *line->cell_x);
    }
    qn_buf_clear(&k->text);
    k->n_gaps = 0;
    k->any = k->hyphen = false;
    k->size = 0;
}

static void put_char(liner *k, uint32_t cp)
{
    static const char *const ligatures[] = { "ff", "fi", "fl", "ffi", "ffl", "st", "st" };
    char out[4];
    if (cp >= 0xFB00 && cp <= 0xFB06) { qn_buf_puts(&k->text, ligatures[cp - 0xFB00]); return; }
    if (cp == 0xA0) cp = ' ';
    if (cp == ' ' && (k->text.n == 0 || k->text.p[k->text.n - 1] == ' ')) return;
    qn_buf_put(&k->text, out, (size_t)qn_utf8_put(cp, out));
}

static void place(liner *k, const FS_RECTF *r)
{
    float height = r->top - r->bottom;
    if (height <= 0 || r->right <= r->left) return;
    if (k->any && r->left - k->x1 > 0.9f * height && k->text.n && k->n_gaps < 64 && r->bottom < k->top && r->top > k->bottom) {
        k->cells[k->n_gaps++] = k->text.n;
        k->cell_x[k->n_gaps] = r->left;
    }
    if (!k->any) k->cell_x[0] = r->left;
    if (!k->any || r->left < k->x0) k->x0 = r->left;
    if (!k->any || r->right > k->x1) k->x1 = r->right;
    if (!k->any || r->top > k->top) k->top = r->top;
    if (!k->any || r->bottom < k->bottom) k->bottom = r->bottom;
    if (height > k->size) k->size = height;
    k->any = true;
}

static bool is_fixed(FPDF_TEXTPAGE t, int i)
{
    char name[128] = "";
    int flags = 0;
    pd.font(t, i, name, sizeof name, &flags);
    return (flags & FPDF_FONT_FIXED) || strstr(name, "Courier") || strstr(name, "Mono") || strstr(name, "Consol");
}

static void take_char(liner *k, FPDF_TEXTPAGE t, int i)
{
    uint32_t cp = pd.unicode(t, i);
    FS_RECTF r = {0};
    if (cp == '\r' || cp == '\n') { line_end(k); return; }
    if (cp >= 0xD800 && cp < 0xDC00) { k->high = cp; return; }
    if (cp >= 0xDC00 && cp < 0xE000) {
        if (!k->high) return;
        cp = 0x10000 + ((k->high - 0xD800) << 10) + (cp - 0xDC00);
    }
    k->high = 0;
    k->l->n_chars++;
    if (cp == 2 || cp == 0xAD || cp == 0xFFFE) { k->hyphen = true; return; }   /* a hyphen at a line's end, or one that shows only there */
    if (cp < 32 || cp == 0xFFFF || cp > 0x10FFFF) { k->l->n_unmapped += cp == 0; return; }
    if (cp == 0xFFFD || (cp >= 0xE000 && cp <= 0xF8FF)) k->l->n_unmapped++;
    if (cp != ' ' && pd.box(t, i, &r)) {
        if (!k->any) k->mono = is_fixed(t, i);
        else if (k->mono && k->text.n % 8 == 0) k->mono = is_fixed(t, i);      /* looked at now and then: the call is dear */
        place(k, &r);
    }
    if (cp != ' ') k->hyphen = false;
    put_char(k, cp);
}

static bool has_picture(FPDF_PAGE p)
{
    int n = pd.n_objects(p);
    for (int i = 0; i < n; i++) if (pd.object_type(pd.object(p, i)) == FPDF_PAGEOBJ_IMAGE) return true;
    return false;
}

static void read_page(qn_pdf_lines *l, FPDF_DOCUMENT d, int index)
{
    FPDF_PAGE p = pd.page_load(d, index);
    FPDF_TEXTPAGE t = p ? pd.text_load(p) : NULL;
    liner k = { .l = l, .page = index + 1 };
    size_t n_before = l->n;
    int n = t ? pd.n_chars(t) : 0;
    for (int i = 0; i < n && l->n_chars < MOST_CHARS; i++) take_char(&k, t, i);
    line_end(&k);
    if (p && l->n == n_before && has_picture(p)) {
        if (l->scanned.n < 60) qn_buf_printf(&l->scanned, "%s%d", l->scanned.n ? ", " : "", index + 1);
        l->n_scanned++;
    }
    qn_buf_free(&k.text);
    if (t) pd.text_close(t);
    if (p) pd.page_close(p);
}

/* ---- the file ---- */
static qn_str meta_of(FPDF_DOCUMENT d, const char *tag, qn_arena *a)
{
    unsigned char wide[2048];
    qn_buf b = {0};
    unsigned long n = pd.meta(d, tag, wide, sizeof wide);
    uint32_t high = 0;
    for (unsigned long i = 0; i + 3 < n && i + 1 < sizeof wide; i += 2) {
        uint32_t u = (uint32_t)wide[i] | (uint32_t)wide[i + 1] << 8;
        char out[4];
        if (u >= 0xD800 && u < 0xDC00) { high = u; continue; }
        if (u >= 0xDC00 && u < 0xE000) { if (!high) continue; u = 0x10000 + ((high - 0xD800) << 10) + (u - 0xDC00); }
        high = 0;
        qn_buf_put(&b, out, (size_t)qn_utf8_put(u < 32 ? ' ' : u, out));
    }
    qn_str s = qn_arena_str(a, qn_str_trim(qn_buf_view(&b)));
    qn_buf_free(&b);
    return s;
}

static qn_code open_failed(qn_err *e)
{
    switch (pd.last_error()) {
    case FPDF_ERR_PASSWORD: return qn_fail(e, QN_EDATA, "the PDF needs a password");
    case FPDF_ERR_SECURITY: return qn_fail(e, QN_EDATA, "the PDF is protected in a way that cannot be read");
    default:                return qn_fail(e, QN_EDATA, "not a sound PDF file");
    }
}

/* "Microsoft Word - draft3.doc" and the like are no titles. */
static bool useful_title(qn_str s)
{
    return s.n > 2 && !qn_str_starts(s, QN_STR("Microsoft ")) && qn_str_find(s, QN_STR(".doc")) < 0 && qn_str_find(s, QN_STR(".indd")) < 0 && !qn_str_ieq(s, QN_STR("untitled")) && !qn_str_is(s, "(anonymous)");
}

static qn_code judge(const qn_pdf_lines *l, qn_doc_b *b, qn_err *e)
{
    if (l->n == 0 && l->n_scanned) {
        qn_fail(e, QN_EDATA, "a scan: its %d page%s %s without a text layer", l->n_scanned, l->n_scanned == 1 ? "" : "s", l->n_scanned == 1 ? "is a picture" : "are pictures");
        qn_hint(e, "run OCR over it first, for example ocrmypdf");
        return QN_EDATA;
    }
    if (l->n_scanned) qn_doc_warn(b, "%d of %d pages are pictures without text (%s%s)", l->n_scanned, l->n_pages, l->scanned.p, l->scanned.n >= 60 ? " ..." : "");
    if (l->n_unmapped * 10 > l->n_chars * 3) qn_doc_warn(b, "%zu of %zu characters have no meaning in Unicode: the fonts do not say which letters they draw", l->n_unmapped, l->n_chars);
    if (l->n_chars >= MOST_CHARS) qn_doc_warn(b, "cut after %d characters", MOST_CHARS);
    return QN_OK;
}

static void put_meta(FPDF_DOCUMENT d, const qn_pdf_lines *l, qn_doc_b *b)
{
    qn_str title = meta_of(d, "Title", b->a);
    if (useful_title(title)) b->title = title;
    qn_doc_meta(b, "author", meta_of(d, "Author", b->a));
    qn_doc_meta(b, "date", meta_of(d, "CreationDate", b->a));
    qn_object_put(&b->meta, QN_STR("n_pages"), qn_v_int(l->n_pages));
}

static qn_code doc(qn_str bytes, const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e)
{
    static bool started;
    qn_doc_b b;
    (void)path, (void)o;
    QN_TRY(qn_lib_need(&lib, e));
    if (!started) pd.init(&(FPDF_LIBRARY_CONFIG){ .version = 2 });
    started = true;
    FPDF_DOCUMENT d = pd.load(bytes.p, bytes.n, NULL);
    if (!d) return open_failed(e);
    qn_pdf_lines l = { .a = a, .n_pages = pd.n_pages(d) };
    qn_doc_init(&b, a);
    if (l.n_pages > MOST_PAGES) { qn_doc_warn(&b, "only the first %d of %d pages were read", MOST_PAGES, l.n_pages); l.n_pages = MOST_PAGES; }
    for (int i = 0; i < l.n_pages; i++) read_page(&l, d, i);
    qn_code rc = judge(&l, &b, e);
    if (rc == QN_OK) {
        put_meta(d, &l, &b);
        qn_pdf_blocks(&l, &b);
        qn_doc_finish(&b, out);
    } else {
        qn_doc_drop(&b);
    }
    pd.close(d);
    qn_free(l.v);
    qn_buf_free(&l.scanned);
    return rc;
}

static bool sniff(qn_str head) { return qn_str_find((qn_str){ head.p, head.n < 1024 ? head.n : 1024 }, QN_STR("%PDF-")) >= 0; }

const qn_format qn_format_pdf = { .name = "pdf", .exts = "pdf", .brief = "PDF: text by pages, headings by size", .doc = doc, .sniff = sniff };
