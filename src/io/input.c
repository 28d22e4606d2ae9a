/* input: four layers, each reading from the one below.
 *
 *      fd -> unpack (gz by zlib, zst by libzstd, bz2 and xz by libarchive) -> head (the bytes looked at to find the encoding) -> iconv
 */
#include "io/input.h"
#include "core/dl.h"
#include "core/file.h"
#include "io/archive.h"
#include "io/encoding.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

static struct { __typeof__(&inflateInit2_) init; __typeof__(&inflate) inflate; __typeof__(&inflateReset) reset; __typeof__(&inflateEnd) end; } z;
static const qn_sym Z_SYMS[] = {
    { "inflateInit2_", (void **)&z.init }, { "inflate", (void **)&z.inflate }, { "inflateReset", (void **)&z.reset }, { "inflateEnd", (void **)&z.end },
    { NULL, NULL }
};
static const char *const Z_NAMES[] = { "libz.so.1", NULL };
static qn_lib zlib = { Z_NAMES, Z_SYMS, "reading .gz", "apt-get install zlib1g", false };

enum { PART = 1 << 16, HEAD = 1 << 18, WINDOW = 1 << 18 };

struct qn_input {
    const char   *path;
    int           fd;
    struct stat   opened;       /* the file as it was when it was opened */
    qn_buf        magic;        /* first bytes of the file, looked at to see how it is packed */
    size_t        magic_at;
    char          packed[PART];
    ZSTD_DStream *zst;
    ZSTD_inBuffer zst_in;
    bool          zst_open;     /* inside a frame */
    z_stream     *gz;
    bool          gz_open;      /* inside a member */
    qn_unpack    *unpack;
    qn_buf        head;
    size_t        head_at;
    iconv_t       cd;
    bool          converts, guessed, raw_eof;
    const char   *encoding;
    qn_buf        raw, text;    /* before and after iconv */
    size_t        text_at;
    uint64_t      n_bad;
};

/* ---- the file ---- */
/* A file that is written while it is read would give rows that never stood in it together. */
static qn_code still_the_same(const qn_input *in, qn_err *e)
{
    struct stat now;
    const struct stat *was = &in->opened;
    if (!S_ISREG(was->st_mode) || fstat(in->fd, &now) != 0) return QN_OK;
    if (now.st_size == was->st_size && now.st_mtim.tv_sec == was->st_mtim.tv_sec && now.st_mtim.tv_nsec == was->st_mtim.tv_nsec) return QN_OK;
    qn_fail(e, QN_EIO, "%s changed while it was read", in->path);
    qn_hint(e, "run again when nothing writes to it: what was paid for is remembered");
    return QN_EIO;
}

static qn_code fd_read(qn_input *in, void *p, size_t n, size_t *got, qn_err *e)
{
    if (in->magic_at < in->magic.n) {
        *got = in->magic.n - in->magic_at < n ? in->magic.n - in->magic_at : n;
        memcpy(p, in->magic.p + in->magic_at, *got);
        in->magic_at += *got;
        return QN_OK;
    }
    for (;;) {
        ssize_t k = read(in->fd, p, n);
        if (k >= 0) { *got = (size_t)k; return k ? QN_OK : still_the_same(in, e); }
        if (errno != EINTR) return qn_fail(e, QN_EIO, "cannot read %s: %s", in->path, strerror(errno));
    }
}

static qn_code fd_pull(void *arg, const void **p, size_t *n, qn_err *e)
{
    qn_input *in = arg;
    *p = in->packed;
    return fd_read(in, in->packed, sizeof in->packed, n, e);
}

/* ---- unpacking ---- */
static qn_code zst_read(qn_input *in, void *p, size_t n, size_t *got, qn_err *e)
{
    ZSTD_outBuffer out = { p, n, 0 };
    while (out.pos == 0) {
        if (in->zst_in.pos == in->zst_in.size) {
            size_t k;
            QN_TRY(fd_read(in, in->packed, sizeof in->packed, &k, e));
            if (k == 0 && in->zst_open) return qn_fail(e, QN_EDATA, "cannot unpack %s: the file is cut off", in->path);
            if (k == 0) break;
            in->zst_in = (ZSTD_inBuffer){ in->packed, k, 0 };
        }
        size_t rc = ZSTD_decompressStream(in->zst, &out, &in->zst_in);
        if (ZSTD_isError(rc)) return qn_fail(e, QN_EDATA, "cannot unpack %s: %s", in->path, ZSTD_getErrorName(rc));
        in->zst_open = rc != 0;
    }
    *got = out.pos;
    return QN_OK;
}

/* A file may hold several members, one behind the other; what follows them and is none (padding) is let go. */
static qn_code gz_read(qn_input *in, void *p, size_t n, size_t *got, qn_err *e)
{
    z_stream *gz = in->gz;
    gz->next_out = p;
    gz->avail_out = (uInt)(n < (1u << 30) ? n : 1u << 30);
    size_t room = gz->avail_out;
    while (gz->avail_out == room) {
        if (gz->avail_in == 0) {
            size_t k;
            QN_TRY(fd_read(in, in->packed, sizeof in->packed, &k, e));
            if (k == 0 && in->gz_open) return qn_fail(e, QN_EDATA, "cannot unpack %s: the file is cut off", in->path);
            if (k == 0) break;
            gz->next_in = (Bytef *)in->packed;
            gz->avail_in = (uInt)k;
        }
        if (!in->gz_open && gz->next_in[0] != 0x1F) { gz->avail_in = 0; break; }
        in->gz_open = true;
        int rc = z.inflate(gz, Z_NO_FLUSH);
        if (rc == Z_STREAM_END) { in->gz_open = false; z.reset(gz); }
        else if (rc != Z_OK && rc != Z_BUF_ERROR) return qn_fail(e, QN_EDATA, "cannot unpack %s: %s", in->path, gz->msg ? gz->msg : "damaged");
    }
    *got = room - gz->avail_out;
    return QN_OK;
}

static qn_code gz_start(qn_input *in, qn_err *e)
{
    QN_TRY(qn_lib_need(&zlib, e));
    in->gz = QN_NEW(z_stream);
    if (z.init(in->gz, 15 + 16, ZLIB_VERSION, (int)sizeof *in->gz) == Z_OK) return QN_OK;
    qn_free(in->gz);
    in->gz = NULL;
    return qn_fail(e, QN_EMISSING, "reading .gz: libz does not start");
}

static qn_code unpacked_read(qn_input *in, void *p, size_t n, size_t *got, qn_err *e)
{
    if (in->zst) return zst_read(in, p, n, got, e);
    if (in->gz) return gz_read(in, p, n, got, e);
    if (in->unpack) return qn_unpack_read(in->unpack, p, n, got, e);
    return fd_read(in, p, n, got, e);
}

static qn_code unpack_start(qn_input *in, qn_err *e)
{
    qn_buf_reserve(&in->magic, 8);
    size_t got = 1;
    while (in->magic.n < 6 && got) {
        char part[8];
        size_t was = in->magic_at;
        in->magic_at = in->magic.n;
        QN_TRY(fd_read(in, part, 6 - in->magic.n, &got, e));
        qn_buf_put(&in->magic, part, got);
        in->magic_at = was;
    }
    const unsigned char *m = (const unsigned char *)in->magic.p;
    if (in->magic.n >= 4 && ((m[0] == 0x28 && m[1] == 0xB5 && m[2] == 0x2F && m[3] == 0xFD) ||
                             ((m[0] & 0xF0) == 0x50 && m[1] == 0x2A && m[2] == 0x4D && m[3] == 0x18))) {
        in->zst = ZSTD_createDStream();
        ZSTD_DCtx_setParameter(in->zst, ZSTD_d_windowLogMax, 27);     /* 128 MB, what `zstd --long` needs; more is a bomb */
    } else if (in->magic.n >= 2 && m[0] == 0x1F && m[1] == 0x8B) {
        QN_TRY(gz_start(in, e));
    } else if (in->magic.n >= 6 && (memcmp(m, "BZh", 3) == 0 || memcmp(m, "\xFD""7zXZ\0", 6) == 0)) {
        QN_TRY(qn_unpack_open(&in->unpack, fd_pull, in, e));
    }
    return QN_OK;
}

/* ---- encoding ---- */
static qn_code head_fill(qn_input *in, size_t want, qn_err *e)
{
    size_t got = 1;
    qn_buf_reserve(&in->head, want);
    while (in->head.n < want && got) {
        qn_code rc = unpacked_read(in, in->head.p + in->head.n, want - in->head.n, &got, e);
        if (rc != QN_OK && in->head.n) break;          /* a damaged place: what stands before it is read first */
        QN_TRY(rc);
        in->head.n += got;
    }
    return QN_OK;
}

static qn_code encoding_start(qn_input *in, qn_input_kind kind, const char *given, qn_err *e)
{
    qn_encoding enc;
    in->encoding = "UTF-8";
    if (kind == QN_INPUT_BYTES && !given) return QN_OK;
    QN_TRY(head_fill(in, kind == QN_INPUT_GUESS && !given ? HEAD : 4, e));      /* a pipe is not waited for longer than needed */
    QN_TRY(qn_encoding_of(qn_buf_view(&in->head), kind == QN_INPUT_GUESS && !given, &enc, e));
    in->head_at = enc.skip;
    in->guessed = enc.guessed;
    in->encoding = given && !enc.skip ? given : enc.name;
    in->converts = !qn_str_ieq(qn_str_of(in->encoding), QN_STR("UTF-8")) && !qn_str_ieq(qn_str_of(in->encoding), QN_STR("UTF8"));
    return in->converts ? qn_iconv_open(in->encoding, &in->cd, e) : QN_OK;
}

static qn_code head_read(qn_input *in, void *p, size_t n, size_t *got, qn_err *e)
{
    if (in->head_at == in->head.n) return unpacked_read(in, p, n, got, e);
    *got = in->head.n - in->head_at < n ? in->head.n - in->head_at : n;
    memcpy(p, in->head.p + in->head_at, *got);
    in->head_at += *got;
    return QN_OK;
}

static qn_code convert_more(qn_input *in, qn_err *e)
{
    qn_buf_clear(&in->text);
    in->text_at = 0;
    while (in->text.n == 0 && !in->raw_eof) {
        size_t got;
        qn_buf_reserve(&in->raw, PART);
        QN_TRY(head_read(in, in->raw.p + in->raw.n, PART, &got, e));
        in->raw.n += got;
        in->raw_eof = got == 0;
        qn_str left = { in->raw.p, in->raw.n };
        qn_iconv_put(in->cd, &left, in->raw_eof, &in->text, &in->n_bad);
        memmove(in->raw.p, left.p, left.n);
        in->raw.n = left.n;
    }
    return QN_OK;
}

qn_code qn_input_read(qn_input *in, void *p, size_t n, size_t *got, qn_err *e)
{
    if (!in->converts) return head_read(in, p, n, got, e);
    if (in->text_at == in->text.n) QN_TRY(convert_more(in, e));
    *got = in->text.n - in->text_at < n ? in->text.n - in->text_at : n;
    if (*got) memcpy(p, in->text.p + in->text_at, *got);
    in->text_at += *got;
    return QN_OK;
}

/* ---- opening and closing ---- */
qn_code qn_input_open(const char *path, qn_input_kind kind, const char *encoding, qn_input **out, qn_err *e)
{
    bool std = strcmp(path, "-") == 0;
    int fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return qn_fail_open(e, path);
    qn_input *in = QN_NEW(qn_input);
    in->path = path;
    in->fd = fd;
    qn_code rc = QN_OK;
    if (fstat(fd, &in->opened) == 0 && S_ISDIR(in->opened.st_mode)) rc = qn_fail(e, QN_ERECIPE, "%s is a folder, a file is needed", path);
    if (rc == QN_OK) rc = unpack_start(in, e);
    if (rc == QN_OK) rc = encoding_start(in, kind, encoding, e);
    if (rc != QN_OK) {
        if (e && !e->pos.file) e->pos.file = path;
        qn_input_close(in);
        return rc;
    }
    *out = in;
    return QN_OK;
}

void qn_input_close(qn_input *in)
{
    if (!in) return;
    if (in->fd != STDIN_FILENO) close(in->fd);
    if (in->zst) ZSTD_freeDStream(in->zst);
    if (in->gz) z.end(in->gz);
    qn_free(in->gz);
    if (in->converts && in->cd && in->cd != (iconv_t)-1) iconv_close(in->cd);
    qn_unpack_close(in->unpack);
    qn_buf_free(&in->magic);
    qn_buf_free(&in->head);
    qn_buf_free(&in->raw);
    qn_buf_free(&in->text);
    qn_free(in);
}

const char *qn_input_encoding(const qn_input *in, bool *guessed)
{
    if (guessed) *guessed = in->guessed;
    return in->encoding;
}

uint64_t qn_input_n_bad(const qn_input *in) { return in->n_bad; }

/* ---- the window ---- */
qn_code qn_window_more(qn_window *w, qn_err *e)
{
    size_t have = w->end - w->start, got = 0;
    if (w->start && have <= w->start) {         /* moving costs no more than what was consumed */
        memmove(w->p, w->p + w->start, have);
        w->start = 0;
        w->end = have;
    }
    if (w->cap - w->end < WINDOW / 4) {
        w->cap = w->cap ? w->cap * 2 : WINDOW;
        w->p = qn_realloc(w->p, w->cap);
    }
    QN_TRY(qn_input_read(w->in, w->p + w->end, w->cap - w->end, &got, e));
    w->end += got;
    w->eof = got == 0;
    return QN_OK;
}

void qn_window_free(qn_window *w)
{
    qn_input_close(w->in);
    qn_free(w->p);
    *w = (qn_window){0};
}

qn_code qn_input_slurp(const char *path, size_t limit, qn_buf *out, qn_err *e)
{
    qn_input *in;
    size_t got = 1;
    QN_TRY(qn_input_open(path, QN_INPUT_BYTES, NULL, &in, e));
    qn_code rc = QN_OK;
    while (rc == QN_OK && got) {
        qn_buf_reserve(out, PART);
        rc = qn_input_read(in, out->p + out->n, out->cap - out->n - 1, &got, e);
        if (rc != QN_OK) break;
        out->n += got;
        out->p[out->n] = 0;
        if (out->n > limit) rc = qn_fail(e, QN_ELIMIT, "%s is larger than %zu MB", path, limit >> 20);
    }
    qn_input_close(in);
    return rc;
}
