/* str: texts and buffers. */
#include "core/str.h"
#include "core/mem.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int qn_str_cmp(qn_str a, qn_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool qn_str_starts(qn_str s, qn_str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool qn_str_ends(qn_str s, qn_str suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

qn_str qn_str_trim(qn_str s)
{
    while (s.n && is_space(s.p[0])) s.p++, s.n--;
    while (s.n && is_space(s.p[s.n - 1])) s.n--;
    return s;
}

ptrdiff_t qn_str_find(qn_str hay, qn_str needle)
{
    if (needle.n == 0) return 0;
    if (hay.n < needle.n) return -1;
    const char *at = memmem(hay.p, hay.n, needle.p, needle.n);
    return at ? at - hay.p : -1;
}

bool qn_str_ieq(qn_str a, qn_str b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (tolower((unsigned char)a.p[i]) != tolower((unsigned char)b.p[i])) return false;
    return true;
}

/* Length of the valid UTF-8 sequence at p (n bytes left), 0 when invalid. Rejects overlong forms and surrogates. */
static int sequence(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80) return 1;
    if (p[0] < 0xC2) return 0;
    if (p[0] < 0xE0) return n >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    if (p[0] < 0xF0) {
        if (n < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80) return 0;
        if (p[0] == 0xE0 && p[1] < 0xA0) return 0;
        if (p[0] == 0xED && p[1] > 0x9F) return 0;
        return 3;
    }
    if (p[0] > 0xF4 || n < 4) return 0;
    if ((p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 || (p[3] & 0xC0) != 0x80) return 0;
    if (p[0] == 0xF0 && p[1] < 0x90) return 0;
    if (p[0] == 0xF4 && p[1] > 0x8F) return 0;
    return 4;
}

bool qn_utf8_valid(qn_str s)
{
    size_t i = 0;
    while (i < s.n) {
        uint64_t eight;
        if (i + 8 <= s.n && (memcpy(&eight, s.p + i, 8), (eight & 0x8080808080808080u) == 0)) { i += 8; continue; }
        int k = sequence((const unsigned char *)s.p + i, s.n - i);
        if (!k) return false;
        i += (size_t)k;
    }
    return true;
}

uint32_t qn_utf8_next(qn_str s, size_t *i)
{
    const unsigned char *p = (const unsigned char *)s.p + *i;
    int k = sequence(p, s.n - *i);
    *i += k ? (size_t)k : 1;
    switch (k) {
    case 1: return p[0];
    case 2: return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    case 3: return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    case 4: return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
    default: return 0xFFFD;
    }
}

int qn_utf8_put(uint32_t cp, char out[4])
{
    if (cp < 0x80) { out[0] = (char)cp; return 1; }
    if (cp < 0x800) { out[0] = (char)(0xC0 | cp >> 6); out[1] = (char)(0x80 | (cp & 0x3F)); return 2; }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12); out[1] = (char)(0x80 | (cp >> 6 & 0x3F)); out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18); out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F)); out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

size_t qn_utf8_count(qn_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

size_t qn_utf8_cut(qn_str s, size_t n)
{
    if (n >= s.n) return s.n;
    while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80) n--;
    return n;
}

void qn_utf8_mend(char *z)
{
    size_t n = strlen(z), to = 0;
    if (qn_utf8_valid((qn_str){ z, n })) return;
    for (size_t i = 0; i < n;) {
        size_t k = (size_t)sequence((const unsigned char *)z + i, n - i);
        memmove(z + to, z + i, k);
        to += k;
        i += k ? k : 1;
    }
    z[to] = 0;
}

bool qn_str_to_i64(qn_str s, int64_t *out)
{
    char z[32], *end;
    if (s.n == 0 || s.n >= sizeof z || is_space(s.p[0])) return false;
    memcpy(z, s.p, s.n);
    z[s.n] = 0;
    errno = 0;
    long long v = strtoll(z, &end, 10);
    if (errno || end != z + s.n || end == z) return false;
    *out = v;
    return true;
}

bool qn_str_to_f64(qn_str s, double *out)
{
    char z[64], *end;
    if (s.n == 0 || s.n >= sizeof z) return false;
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789+-.eE", s.p[i]) || !s.p[i]) return false;
    memcpy(z, s.p, s.n);
    z[s.n] = 0;
    double v = strtod(z, &end);
    if (end != z + s.n || !isfinite(v)) return false;
    *out = v;
    return true;
}

void qn_buf_free(qn_buf *b) { qn_free(b->p); *b = (qn_buf){ .limit = b->limit }; }
void qn_buf_clear(qn_buf *b) { b->n = 0; b->full = false; if (b->p) b->p[0] = 0; }

bool qn_buf_reserve(qn_buf *b, size_t more)
{
    if (b->limit && (more > b->limit || b->n > b->limit - more)) { b->full = true; return false; }
    size_t need = b->n + more + 1;
    if (need <= b->cap) return true;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need) cap += cap < (1u << 26) ? cap : cap / 2;
    b->p = qn_realloc(b->p, cap);
    b->cap = cap;
    return true;
}

bool qn_buf_put(qn_buf *b, const void *p, size_t n)
{
    if (!qn_buf_reserve(b, n)) return false;
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = 0;
    return true;
}

bool qn_buf_puts(qn_buf *b, const char *z) { return qn_buf_put(b, z, strlen(z)); }
bool qn_buf_putc(qn_buf *b, char c) { return qn_buf_put(b, &c, 1); }
bool qn_buf_str(qn_buf *b, qn_str s) { return qn_buf_put(b, s.p, s.n); }

bool qn_buf_vprintf(qn_buf *b, const char *fmt, va_list ap)
{
    char small[512];
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    bool ok;
    if (n < (int)sizeof small) {
        ok = qn_buf_put(b, small, (size_t)n);
    } else if ((ok = qn_buf_reserve(b, (size_t)n))) {
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    return ok;
}

bool qn_buf_printf(qn_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    bool ok = qn_buf_vprintf(b, fmt, ap);
    va_end(ap);
    return ok;
}

static const char B64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void qn_base64_put(qn_buf *b, qn_str s)
{
    for (size_t i = 0; i < s.n; i += 3) {
        uint32_t v = 0;
        for (size_t k = 0; k < 3; k++) v = v << 8 | (i + k < s.n ? (unsigned char)s.p[i + k] : 0);
        for (size_t k = 0; k < 4; k++) qn_buf_putc(b, i + k > s.n ? '=' : B64[v >> (18 - 6 * k) & 63]);
    }
}

bool qn_base64_get(qn_str s, qn_buf *b)
{
    uint32_t v = 0, bits = 0;
    for (size_t i = 0; i < s.n && s.p[i] != '='; i++) {
        const char *at = s.p[i] ? strchr(B64, s.p[i]) : NULL;
        if (!at) return false;
        v = v << 6 | (uint32_t)(at - B64);
        if ((bits += 6) >= 8) { bits -= 8; qn_buf_putc(b, (char)(v >> bits & 255)); }
    }
    return true;
}
