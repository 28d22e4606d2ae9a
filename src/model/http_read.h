/* http_read: one HTTP/1.1 answer as it comes in, cut anywhere: head, then a body by length, in chunks, or until the connection ends
 * (RFC 9112). Pure: no socket. Used for model servers at plain http:// and a numeric address; everything else goes through libcurl. */
#ifndef QN_MODEL_HTTP_READ_H
#define QN_MODEL_HTTP_READ_H
#include "core/str.h"

typedef enum { QN_HTTP_HEAD, QN_HTTP_LENGTH, QN_HTTP_CHUNK_SIZE, QN_HTTP_CHUNK_DATA, QN_HTTP_CHUNK_END, QN_HTTP_TRAILER, QN_HTTP_TO_THE_END,
               QN_HTTP_DONE, QN_HTTP_BROKEN } qn_http_state;

typedef struct qn_http_read {
    qn_http_state state;
    qn_buf   head;          /* status line and headers, at most 64 KB */
    int      status;        /* 0 before the head is whole */
    bool     keep;          /* the connection may be used again after it */
    bool     chunk_ext;     /* behind the chunk's size */
    int      n_digits;
    size_t   line_bytes;    /* of a trailer line */
    uint64_t left;          /* bytes of the body or chunk still to come */
} qn_http_read;

void   qn_http_read_init(qn_http_read *r);      /* also between two answers: keeps the memory */
void   qn_http_read_free(qn_http_read *r);
/* Takes in bytes up to the end of the answer; returns how many it used. Body bytes go to `body`; when that returns false the state becomes
 * QN_HTTP_BROKEN. Bytes left over after QN_HTTP_DONE belong to nothing we asked for. */
size_t qn_http_read_feed(qn_http_read *r, const char *p, size_t n, bool (*body)(void *arg, const char *p, size_t n), void *arg);
/* The other side closed: QN_HTTP_DONE when that is a proper end, else the state as it was. */
void   qn_http_read_eof(qn_http_read *r);
/* The value of a header, trimmed; {NULL, 0} when it is not there. Borrowed until the next init. */
qn_str qn_http_read_header(const qn_http_read *r, const char *name);
#endif
