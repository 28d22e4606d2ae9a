/* csv: separated values as they are met: RFC 4180, and what people really write.
 *
 *   delimiter   , tab ; or |, the one under which the first records have equally many cells; a first line "sep=;" (Excel) decides
 *   quotes      "a ""b""" (RFC), "a \"b\"" (backslash), or none at all (many TSV files), found out in the same way
 *   a quote inside a quoted cell that nobody escaped stays a quote when the cell goes on to a proper end in the same line; a
 *   cell that begins with a quoted word ("Foo" Bar) is kept as it stands, quotes and all
 *   a quote that is never closed spoils one line, not the rest of the file
 *   line ends   LF, CRLF, or CR alone when there is no LF */
#ifndef QN_IO_CSV_H
#define QN_IO_CSV_H
#include "core/err.h"
#include "core/mem.h"

typedef enum { QN_CSV_DOUBLED, QN_CSV_BACKSLASH, QN_CSV_NO_QUOTES } qn_csv_quotes;
typedef struct qn_csv_dialect {
    char          delimiter;
    qn_csv_quotes quotes;
    char          eol;          /* '\n' (CR before it is dropped) or '\r' */
    bool          skip_space;   /* `a, "b"`: blanks before a quote belong to nobody */
    size_t        skip_bytes;   /* a "sep=;" line in front */
} qn_csv_dialect;

typedef struct qn_csv_cell { size_t start, end; bool quoted, dirty; } qn_csv_cell;     /* bytes between the quotes; dirty: has escapes */
typedef struct qn_csv_record {
    qn_csv_cell *cells;
    size_t n, cap, used;        /* bytes of the record with its line end */
    int    n_lines;
    size_t probe_from, probe_to;/* see csv.c: an answer kept, so that odd quotes cost no quadratic time */
    bool   probe_found, probe_cut;
} qn_csv_record;                /* zero-initialise, free cells with qn_free */

typedef enum { QN_CSV_RECORD, QN_CSV_MORE, QN_CSV_UNCLOSED } qn_csv_got;
/* One record from the front of `s`. eof: nothing follows s. MORE: s ends before the record does. UNCLOSED (eof only): a quote never closes. */
qn_csv_got qn_csv_scan(const qn_csv_dialect *d, qn_str s, bool eof, qn_csv_record *r);
/* The text of a cell: a piece of s, or unescaped at the end of buf (which must not grow while the text is used: reserve first). */
qn_str qn_csv_text(const qn_csv_dialect *d, qn_str s, const qn_csv_cell *c, qn_buf *buf);
/* sample: the first bytes; whole: that is all there is. delimiter 0: found out; prefer: the delimiter to take when two are as good, 0 none. */
qn_csv_dialect qn_csv_sniff(qn_str sample, bool whole, char delimiter, char prefer);
/* Does the first record of a sample name the columns? Yes, unless it looks like data: a column whose other cells are numbers has a number here
 * too and no cell argues against it. A year above numbers that are no years is a name. */
bool qn_csv_has_header(const qn_csv_dialect *d, qn_str sample, bool whole);
#endif
