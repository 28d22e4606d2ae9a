/* format: bytes <-> rows, documents and tables; one file per format, `format_NAME.c` defines `qn_format_NAME`. */
#ifndef QN_IO_FORMAT_H
#define QN_IO_FORMAT_H
#include "core/file.h"
#include "data/row.h"
#include "text/block.h"

/* ---- rows: JSONL, JSON, CSV, TSV, Parquet, SQLite, XLSX ---- */
typedef struct qn_reader qn_reader;
typedef struct qn_reader_vt {
    /* The next record as an owned row without an id yet (id zero); *out NULL at the end. A bad record: QN_EDATA with pos.line set; the
     * reader stands behind it, and the caller may go on. */
    qn_code (*next)(qn_reader *r, qn_row **out, qn_err *e);
    void    (*close)(qn_reader *r);
} qn_reader_vt;
struct qn_reader { const qn_reader_vt *vt; };       /* first member of each format's reader */

/* A path given to a format is borrowed until the reader is closed and for as long as an error made from it is used (qn_err.pos.file). */
typedef struct qn_read_opts {
    const char *table;      /* SQLite, XLSX: which table or sheet; JSON: which member holds the records; NULL: the first or only one */
    char        delimiter;  /* CSV; 0: found out */
    int         header;     /* CSV: 1 the first line names columns, -1 it does not, 0 found out */
    const char *encoding;   /* text files; NULL: UTF-8, else found out (uchardet); JSON and JSONL: UTF-8, or UTF-16/32 by their mark */
    size_t      max_record_bytes;   /* 0: 64 MB */
} qn_read_opts;

/* ---- documents: txt, Markdown, reST, HTML, PDF, DOCX, EPUB ---- */
typedef struct qn_doc {
    qn_str   title;             /* may be empty */
    qn_str   text;              /* UTF-8, Markdown-like: headings with #, tables with |, code fenced */
    qn_block *blocks;           /* in order, not overlapping, covering all but white space of text */
    size_t   n_blocks;
    qn_field *meta;             /* author, date, language, n_pages, encoding ... as far as the file says */
    size_t   n_meta;
    qn_str   licence;           /* as the file says (SPDX line, rel=license, dc:rights); empty when it does not */
    qn_str   warning;           /* what was odd and survived: "encoding guessed: SHIFT_JIS" */
} qn_doc;                       /* everything lives in the arena given */

/* ---- tables ---- */
typedef struct qn_cell_sink {
    void *arg;
    /* A table begins: columns as they stand in the header (may be empty or equal). name: what the source calls it, its file's name when
     * nothing better; title: words for people, may be empty. */
    qn_code (*begin)(void *arg, qn_str name, qn_str title, const qn_str *columns, size_t n_columns, qn_err *e);
    /* Texts as they stand, UTF-8; p NULL: no value. n_cells may differ from n_columns (a ragged row): the sink decides. */
    qn_code (*row)(void *arg, const qn_str *cells, size_t n_cells, qn_err *e);
    qn_code (*end)(void *arg, qn_err *e);
} qn_cell_sink;

typedef struct qn_format {
    const char *name;           /* "csv" */
    const char *exts;           /* "csv tsv" */
    const char *brief;
    qn_code (*rows)(const char *path, const qn_read_opts *o, qn_reader **out, qn_err *e);            /* NULL: gives no rows */
    qn_code (*doc)(qn_str bytes, const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e); /* NULL: no documents */
    qn_code (*tables)(const char *path, const qn_read_opts *o, qn_cell_sink *sink, qn_err *e);       /* NULL: no tables */
    bool (*sniff)(qn_str head);                                                                       /* first bytes; NULL: by name only */
} qn_format;

extern const qn_format *const qn_formats_table[];                   /* NULL-terminated */
const qn_format *qn_format_by_name(qn_str name);
/* By extension, then by the first bytes; an unknown one is an error that lists what can be read. */
qn_code qn_format_of(const char *path, const qn_format **out, qn_err *e);

/* Reads a document in a child process (io/child.h): a crash or a hang is one failed file (QN_EDATA, "crashed", "took longer than 60 s").
 * Thread-safe. Plain text is read here. */
qn_code qn_doc_read(const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e);
/* A document as bytes, for this machine alone, and back; unpacking trusts nothing. */
void    qn_doc_pack(const qn_doc *d, qn_buf *out);
qn_code qn_doc_unpack(qn_str packed, const char *path, qn_arena *a, qn_doc *out, qn_err *e);
/* The same in this process: tests, fuzzing. Files over 256 MB are refused. */
qn_code qn_doc_read_here(const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e);
/* Main program's side: when argv[1] is "--reader-child", serve and exit. */
int     qn_doc_child_main(void);
/* Text of unknown encoding to UTF-8 in the arena (BOM, valid UTF-8, else uchardet + iconv); `encoding` gets the name found. */
qn_code qn_text_decode(qn_str bytes, const char *encoding_or_null, qn_arena *a, qn_str *out, const char **encoding, qn_err *e);
#endif
