/* encoding: marks, validity, uchardet, iconv. */
#include "io/encoding.h"
#include "core/dl.h"
#include "io/format.h"
#include <errno.h>
#include <uchardet/uchardet.h>

static struct {
    __typeof__(&uchardet_new) new;
    __typeof__(&uchardet_delete) delete;
    __typeof__(&uchardet_handle_data) handle_data;
    __typeof__(&uchardet_data_end) data_end;
    __typeof__(&uchardet_get_charset) get_charset;
} uc;
static const qn_sym SYMS[] = {
    { "uchardet_new", (void **)&uc.new }, { "uchardet_delete", (void **)&uc.delete }, { "uchardet_handle_data", (void **)&uc.handle_data },
    { "uchardet_data_end", (void **)&uc.data_end }, { "uchardet_get_charset", (void **)&uc.get_charset }, { NULL, NULL }
};
static const char *const SONAMES[] = { "libuchardet.so.0", NULL };
static qn_lib lib = { SONAMES, SYMS, "a text that is not UTF-8", "apt-get install libuchardet0, or name the encoding (encoding: latin1)", false };

static bool mark(qn_str head, qn_encoding *out)
{
    static const struct { const char *bytes; size_t n; const char *name; } marks[] = {
        { "\xEF\xBB\xBF", 3, "UTF-8" }, { "\xFF\xFE\0\0", 4, "UTF-32LE" }, { "\0\0\xFE\xFF", 4, "UTF-32BE" },
        { "\xFF\xFE", 2, "UTF-16LE" }, { "\xFE\xFF", 2, "UTF-16BE" },
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (head.n >= marks[i].n && memcmp(head.p, marks[i].bytes, marks[i].n) == 0) {
            *out = (qn_encoding){ marks[i].name, marks[i].n, false };
            return true;
        }
    return false;
}

/* Valid but for a character cut at the very end. */
static bool utf8_so_far(qn_str s)
{
    for (size_t cut = 0; cut < 4 && cut <= s.n; cut++) {
        if (qn_utf8_valid((qn_str){ s.p, s.n - cut })) return true;
        if (cut < s.n && ((unsigned char)s.p[s.n - 1 - cut] & 0x80) == 0) return false;
    }
    return false;
}

/* UTF-16 without a mark: western text has a NUL in every other byte. */
static const char *wide(qn_str s)
{
    size_t even = 0, odd = 0, half = s.n / 2;
    for (size_t i = 0; i + 1 < s.n; i += 2) { even += s.p[i] == 0; odd += s.p[i + 1] == 0; }
    if (half < 2) return NULL;
    if (odd * 10 > half * 7 && even * 20 < half) return "UTF-16LE";
    if (even * 10 > half * 7 && odd * 20 < half) return "UTF-16BE";
    return NULL;
}

/* Control bytes that no text has, in plenty: a picture or a program. */
static bool binary(qn_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        n += c < 32 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 27;
    }
    return n * 50 > s.n;
}

/* uchardet's answer belongs to its detector: the names that iconv knows are kept as static texts. */
static const char *keep_name(const char *name)
{
    static const char *const known[] = {
        "UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "UTF-32LE", "UTF-32BE", "SHIFT_JIS", "CP932", "EUC-JP", "ISO-2022-JP", "ISO-2022-KR",
        "ISO-2022-CN", "GB18030", "GB2312", "BIG5", "EUC-TW", "EUC-KR", "UHC", "JOHAB", "KOI8-R", "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1253",
        "WINDOWS-1254", "WINDOWS-1255", "WINDOWS-1256", "WINDOWS-1257", "WINDOWS-1258", "ISO-8859-1", "ISO-8859-2", "ISO-8859-3", "ISO-8859-4",
        "ISO-8859-5", "ISO-8859-6", "ISO-8859-7", "ISO-8859-8", "ISO-8859-9", "ISO-8859-10", "ISO-8859-11", "ISO-8859-13", "ISO-8859-14", "ISO-8859-15",
        "ISO-8859-16", "TIS-620", "VISCII", "IBM852", "IBM855", "IBM862", "IBM865", "IBM866", "MAC-CYRILLIC", "MAC-CENTRALEUROPE",
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (qn_str_ieq(qn_str_of(name), qn_str_of(known[i]))) return known[i];
    return NULL;
}

qn_code qn_encoding_of(qn_str head, bool guess, qn_encoding *out, qn_err *e)
{
    if (mark(head, out)) return QN_OK;
    *out = (qn_encoding){ "UTF-8", 0, false };
    if (!guess) return QN_OK;
    const char *name = wide(head);
    if (name) { *out = (qn_encoding){ name, 0, true }; return QN_OK; }
    if (binary(head)) return qn_fail(e, QN_EDATA, "not a text: too many control bytes");
    if (utf8_so_far(head)) return QN_OK;
    QN_TRY(qn_lib_need(&lib, e));
    uchardet_t d = uc.new();
    uc.handle_data(d, head.p, head.n);
    uc.data_end(d);
    name = keep_name(uc.get_charset(d));
    uc.delete(d);
    if (name && strcmp(name, "UTF-8") == 0) return QN_OK;      /* a few bad bytes in UTF-8: they become U+FFFD */
    *out = (qn_encoding){ name ? name : "WINDOWS-1252", 0, true };
    return QN_OK;
}

qn_code qn_iconv_open(const char *from, iconv_t *out, qn_err *e)
{
    *out = iconv_open("UTF-8", from);
    if (*out != (iconv_t)-1) return QN_OK;
    qn_fail(e, QN_EUSAGE, "no encoding is called `%s`", from);
    qn_hint(e, "`iconv -l` lists the names, for example utf-8, latin1, windows-1252, shift_jis");
    return QN_EUSAGE;
}

void qn_iconv_put(iconv_t cd, qn_str *in, bool last, qn_buf *out, uint64_t *n_bad)
{
    while (in->n) {
        if (!qn_buf_reserve(out, in->n * 2 + 16)) return;
        char *src = (char *)(uintptr_t)in->p, *dst = out->p + out->n;
        size_t n_src = in->n, n_dst = out->cap - out->n - 1;
        size_t rc = iconv(cd, &src, &n_src, &dst, &n_dst);
        *in = (qn_str){ src, n_src };
        out->n = (size_t)(dst - out->p);
        out->p[out->n] = 0;
        if (rc != (size_t)-1 || errno == E2BIG) continue;
        if (errno == EINVAL && !last) return;
        qn_buf_puts(out, "\xEF\xBF\xBD");
        ++*n_bad;
        in->p++, in->n--;
    }
}

void qn_utf8_repair(qn_str in, qn_buf *out, uint64_t *n_bad)
{
    for (size_t i = 0, from; i < in.n;) {
        char utf8[4];
        from = i;
        uint32_t cp = qn_utf8_next(in, &i);
        *n_bad += cp == 0xFFFD && i - from == 1;
        qn_buf_put(out, utf8, (size_t)qn_utf8_put(cp, utf8));
    }
}

qn_code qn_text_decode(qn_str bytes, const char *given, qn_arena *a, qn_str *out, const char **encoding, qn_err *e)
{
    qn_encoding enc;
    qn_str head = { bytes.p, bytes.n < (1 << 18) ? bytes.n : 1 << 18 };
    QN_TRY(qn_encoding_of(head, !given, &enc, e));
    const char *name = enc.skip || !given ? enc.name : given;
    bytes.p += enc.skip;
    bytes.n -= enc.skip;
    if (encoding) *encoding = name;
    bool utf8 = qn_str_ieq(qn_str_of(name), QN_STR("UTF-8"));
    if (utf8 && qn_utf8_valid(bytes)) {
        *out = qn_arena_str(a, bytes);
        return QN_OK;
    }
    qn_buf b = {0}, whole = {0};
    uint64_t n_bad = 0;
    if (!utf8) {
        iconv_t cd;
        QN_TRY(qn_iconv_open(name, &cd, e));
        qn_iconv_put(cd, &bytes, true, &b, &n_bad);
        iconv_close(cd);
        bytes = qn_buf_view(&b);
    }
    if (!qn_utf8_valid(bytes)) {        /* bad UTF-8; or iconv's, which lets code points above U+10FFFF through */
        qn_utf8_repair(bytes, &whole, &n_bad);
        bytes = qn_buf_view(&whole);
    }
    *out = qn_arena_str(a, bytes);
    qn_buf_free(&b);
    qn_buf_free(&whole);
    return QN_OK;
}
