/* char_class: classes from a table of runs written by tools/char_class.py; normal forms from utf8proc. */
#include "nn/char_class.h"
#include "core/dl.h"
#include "core/mem.h"
#include "nn/char_class_runs.h"
#include <stdlib.h>

uint8_t *qn_char_table(void)
{
    uint8_t *t = qn_zalloc(QN_U_CELLS);
    uint32_t cp = 0;
    for (size_t i = 0; i < sizeof RUNS / sizeof *RUNS; i++) {
        cp += RUNS[i][0];
        for (int k = 0; k < RUNS[i][1]; k++, cp++) if (cp < QN_U_CELLS) t[cp] = (uint8_t)RUNS[i][2];
    }
    return t;
}

int qn_char_class(const uint8_t *table, uint32_t cp)
{
    if (cp < QN_U_CELLS) return table[cp];
    return cp >= 0xE0100 && cp < 0xE01F0 ? QN_U_MARK : cp == 0xE0001 || (cp >= 0xE0020 && cp < 0xE0080) || cp >= 0xF0000 ? QN_U_CONTROL : QN_U_OTHER;
}

/* utf8proc.h of 2.x: enum utf8proc_option_t */
enum { U8_STABLE = 1 << 1, U8_COMPOSE = 1 << 3, U8_DECOMPOSE = 1 << 4 };
static qn_code open_utf8proc(qn_utf8proc *u, qn_err *e)
{
    if (u->lower) return QN_OK;
    static const char *const names[] = { "libutf8proc.so.2", "libutf8proc.so.3", "libutf8proc.so", NULL };
    const qn_sym s[] = { { "utf8proc_map", (void **)&u->map }, { "utf8proc_decompose_char", (void **)&u->decompose },
                         { "utf8proc_tolower", (void **)&u->lower }, { NULL, NULL } };
    return qn_dl(names, s, "the tokenizer's normal form", "libutf8proc2", e);
}

qn_code qn_char_nfc(qn_utf8proc *u, qn_str s, qn_buf *out, qn_err *e)
{
    uint8_t *text = NULL;
    QN_TRY(open_utf8proc(u, e));
    ptrdiff_t n = u->map((const uint8_t *)s.p, (ptrdiff_t)s.n, &text, U8_STABLE | U8_COMPOSE);
    if (n < 0) qn_buf_put(out, s.p, s.n);               /* not UTF-8: left as it is */
    else qn_buf_put(out, text, (size_t)n);
    free(text);
    return QN_OK;
}

qn_code qn_char_fold(qn_utf8proc *u, const uint8_t *table, qn_str s, bool strip, bool lower, qn_buf *out, qn_err *e)
{
    QN_TRY(open_utf8proc(u, e));
    for (size_t i = 0; i < s.n;) {
        int32_t cp = (int32_t)qn_utf8_next(s, &i), parts[32] = { cp };
        ptrdiff_t n = 1;
        int bound = 0;
        if (strip && cp >= 0x80) {
            n = u->decompose(cp, parts, 32, U8_STABLE | U8_DECOMPOSE, &bound);
            if (n < 1 || n > 32) { n = 1; parts[0] = cp; }
        }
        for (ptrdiff_t k = 0; k < n; k++) {
            char b[4];
            if (strip && qn_char_class(table, (uint32_t)parts[k]) == QN_U_MARK) continue;
            qn_buf_put(out, b, (size_t)qn_utf8_put((uint32_t)(lower ? u->lower(parts[k]) : parts[k]), b));
        }
    }
    return QN_OK;
}
