/* input: the bytes of a source as a stream. A file or "-" (standard input); gz, bz2, xz and zst are unpacked on the way (told by their first
 * bytes, not by name); a text in another encoding comes out as UTF-8. */
#ifndef QN_IO_INPUT_H
#define QN_IO_INPUT_H
#include "core/err.h"
#include "core/mem.h"

typedef enum {
    QN_INPUT_BYTES,     /* as they stand */
    QN_INPUT_MARKED,    /* a byte order mark is taken off; UTF-16 and UTF-32 with a mark are converted; the rest is left alone */
    QN_INPUT_GUESS      /* as MARKED, and what is no UTF-8 in its first 256 KB is converted from the encoding that uchardet finds */
} qn_input_kind;

typedef struct qn_input qn_input;
/* encoding: converts from this one, whatever the kind; NULL: by the kind. The path is borrowed until close. */
qn_code qn_input_open(const char *path, qn_input_kind kind, const char *encoding, qn_input **out, qn_err *e);
qn_code qn_input_read(qn_input *in, void *p, size_t n, size_t *got, qn_err *e);    /* got 0 only at the end */
void    qn_input_close(qn_input *in);                                              /* NULL is fine */
const char *qn_input_encoding(const qn_input *in, bool *guessed);                  /* "UTF-8" unless converted */
uint64_t qn_input_n_bad(const qn_input *in);                                       /* bytes so far that the encoding does not have */

/* The stream seen through a window of memory: the bytes p[start..end) are there; more() brings at least one more behind them, or sets eof.
 * It may move the bytes to the front and grow the window: positions are relative to start. */
typedef struct qn_window { qn_input *in; char *p; size_t start, end, cap; bool eof; } qn_window;
qn_code qn_window_more(qn_window *w, qn_err *e);
void    qn_window_free(qn_window *w);                                              /* also closes the input */

/* A whole file through an input; QN_ELIMIT when more than limit bytes come out. */
qn_code qn_input_slurp(const char *path, size_t limit, qn_buf *out, qn_err *e);
#endif
