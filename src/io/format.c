/* format: which format a file is in. */
#include "io/format.h"
#include "io/input.h"
#include <stdio.h>

/* Does the list "csv tsv" hold this word? Case does not matter. */
static bool listed(const char *list, qn_str word)
{
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, " ");
        if (qn_str_ieq((qn_str){ p, n }, word)) return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

const qn_format *qn_format_by_name(qn_str name)
{
    for (const qn_format *const *f = qn_formats_table; *f; f++)
        if (qn_str_is(name, (*f)->name)) return *f;
    return NULL;
}

static const qn_format *by_ext(qn_str path)
{
    qn_str ext = qn_path_ext(path);
    if (listed("gz bz2 xz zst", ext)) ext = qn_path_ext(qn_str_sub(path, 0, path.n - ext.n - 1));
    for (const qn_format *const *f = qn_formats_table; ext.n && *f; f++)
        if (listed((*f)->exts, ext)) return *f;
    return NULL;
}

static const qn_format *by_bytes(qn_str head)
{
    for (const qn_format *const *f = qn_formats_table; *f; f++)
        if ((*f)->sniff && (*f)->sniff(head)) return *f;
    return NULL;
}

/* Things that people have and that are not read here, with what to do instead. */
static const struct { const char *magic; size_t n; const char *what, *hint; } STRANGERS[] = {
    { "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8, "an old Office or Outlook file (OLE: .xls, .doc, .ppt, .msg)", "save it as .xlsx, .docx or .pdf, or export it as text" },
    { "\x89PNG", 4, "a picture (PNG)", "quern reads text, not pictures: run OCR over it first" },
    { "\xFF\xD8\xFF", 3, "a picture (JPEG)", "quern reads text, not pictures: run OCR over it first" },
    { "GIF8", 4, "a picture (GIF)", "quern reads text, not pictures" },
    { "\x7F""ELF", 4, "a program (ELF)", "" },
    { "Rar!", 4, "a RAR archive", "unpack it first" },
    { "7z\xBC\xAF", 4, "a 7-Zip archive", "unpack it first" },
    { "PK\x03\x04", 4, "a zip archive", "unpack it first" },
    { "{\\rtf", 5, "an RTF file", "save it as .docx or .txt" },
    { "%!PS", 4, "a PostScript file", "convert it with ps2pdf" },
};

static qn_code stranger(const char *path, qn_str head, qn_err *e)
{
    for (size_t i = 0; i < sizeof STRANGERS / sizeof *STRANGERS; i++)
        if (head.n >= STRANGERS[i].n && memcmp(head.p, STRANGERS[i].magic, STRANGERS[i].n) == 0) {
            qn_fail_at(e, QN_EDATA, (qn_pos){ .file = path }, "cannot read %s: it is %s", path, STRANGERS[i].what);
            qn_hint(e, "%s", STRANGERS[i].hint);
            return QN_EDATA;
        }
    qn_buf names = {0};
    for (const qn_format *const *f = qn_formats_table; *f; f++) qn_buf_printf(&names, "%s%s", names.n ? " " : "", (*f)->exts);
    qn_fail_at(e, QN_EDATA, (qn_pos){ .file = path }, "cannot tell the format of %s", path);
    qn_hint(e, "read are: %s", names.p ? names.p : "");
    qn_buf_free(&names);
    return QN_EDATA;
}

/* Looks at the first bytes even when the extension is known: a web page saved as .pdf, a PDF without extension. */
static qn_code head_of(const char *path, qn_buf *head, qn_err *e)
{
    qn_input *in;
    size_t got = 1;
    QN_TRY(qn_input_open(path, QN_INPUT_BYTES, NULL, &in, e));
    qn_buf_reserve(head, 4096);
    qn_code rc = QN_OK;
    while (rc == QN_OK && got && head->n < 4096) {
        rc = qn_input_read(in, head->p + head->n, 4096 - head->n, &got, e);
        if (rc == QN_OK) head->n += got;
    }
    qn_input_close(in);
    return rc;
}

qn_code qn_format_of(const char *path, const qn_format **out, qn_err *e)
{
    *out = by_ext(qn_str_of(path));
    if (*out) return QN_OK;
    if (strcmp(path, "-") == 0) { *out = qn_format_by_name(QN_STR("jsonl")); return QN_OK; }
    qn_buf head = {0};
    qn_code rc = head_of(path, &head, e);
    if (rc == QN_OK && !(*out = by_bytes(qn_buf_view(&head)))) rc = stranger(path, qn_buf_view(&head), e);
    qn_buf_free(&head);
    return rc;
}
