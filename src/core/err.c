/* err: filling in errors, and "did you mean". */
#include "core/err.h"
#include "core/mem.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static void set(char *out, size_t size, const char *fmt, va_list ap)
{
    vsnprintf(out, size, fmt, ap);
    qn_utf8_mend(out);
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < 32 || *c == 127) *c = ' ';
}

static qn_code fail(qn_err *e, qn_code code, qn_pos pos, const char *fmt, va_list ap)
{
    if (!e) return code;
    e->code = code;
    e->pos = pos;
    e->about = NULL;
    e->hint[0] = e->trail[0] = 0;
    set(e->msg, sizeof e->msg, fmt, ap);
    return code;
}

qn_code qn_fail(qn_err *e, qn_code code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail(e, code, (qn_pos){0}, fmt, ap);
    va_end(ap);
    return code;
}

qn_code qn_fail_at(qn_err *e, qn_code code, qn_pos pos, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail(e, code, pos, fmt, ap);
    va_end(ap);
    return code;
}

void qn_hint(qn_err *e, const char *fmt, ...)
{
    if (!e) return;
    va_list ap;
    va_start(ap, fmt);
    set(e->hint, sizeof e->hint, fmt, ap);
    va_end(ap);
}

void qn_trail(qn_err *e, const char *fmt, ...)
{
    if (!e) return;
    char old[sizeof e->trail];
    memcpy(old, e->trail, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    set(e->trail, sizeof e->trail, fmt, ap);
    va_end(ap);
    size_t n = strlen(e->trail);
    if (!old[0] || n + 4 >= sizeof e->trail) return;
    size_t room = sizeof e->trail - n - 4, whole = strlen(old);
    snprintf(e->trail + n, sizeof e->trail - n, " > %.*s", (int)(whole > room ? qn_utf8_cut(qn_str_of(old), room) : whole), old);
}

void qn_err_keep(qn_err *e)
{
    qn_err was = *e;
    e->pos = (qn_pos){0};
    e->about = NULL;
    if (!was.pos.file || !*was.pos.file) return;      /* no name: a text that nobody wrote to a file */
    if (was.pos.line && was.pos.col) qn_fail(e, was.code, "%s:%d:%d: %s", was.pos.file, was.pos.line, was.pos.col, was.msg);
    else if (was.pos.line) qn_fail(e, was.code, "%s:%d: %s", was.pos.file, was.pos.line, was.msg);
    else qn_fail(e, was.code, "%s: %s", was.pos.file, was.msg);
    memcpy(e->hint, was.hint, sizeof e->hint);
    memcpy(e->trail, was.trail, sizeof e->trail);
}

void qn_err_text(const qn_err *e, qn_buf *out)
{
    if (e->pos.file && *e->pos.file) {
        qn_buf_puts(out, e->pos.file);
        if (e->pos.line) qn_buf_printf(out, ":%d", e->pos.line);
        if (e->pos.line && e->pos.col) qn_buf_printf(out, ":%d", e->pos.col);
        qn_buf_puts(out, ": ");
    }
    if (e->trail[0]) qn_buf_printf(out, "%s: ", e->trail);
    qn_buf_puts(out, e->msg);
    if (e->pos.row) qn_buf_printf(out, " [row %s]", e->pos.row);
    if (e->hint[0]) qn_buf_printf(out, "\n  hint: %s", e->hint);
}

const char *qn_code_name(qn_code code)
{
    static const char *const names[] = { "ok", "usage", "recipe", "data", "io", "model", "limit", "budget", "ledger",
                                         "missing", "stop" };
    return (unsigned)code < sizeof names / sizeof *names ? names[code] : "unknown";
}

void qn_bug(const char *what, const char *file, int line)
{
    fprintf(stderr, "quern: a bug in quern: %s does not hold at %s:%d; please report it\n", what, file, line);
    abort();
}

/* Damerau-Levenshtein distance (optimal string alignment) of two short words, ASCII case ignored. */
static size_t distance(qn_str a, qn_str b)
{
    size_t d[34][34];
    if (a.n > 32 || b.n > 32) return 99;
    for (size_t i = 0; i <= a.n; i++) d[i][0] = i;
    for (size_t j = 0; j <= b.n; j++) d[0][j] = j;
    for (size_t i = 1; i <= a.n; i++)
        for (size_t j = 1; j <= b.n; j++) {
            int x = tolower((unsigned char)a.p[i - 1]), y = tolower((unsigned char)b.p[j - 1]);
            size_t best = d[i - 1][j - 1] + (x != y);
            if (d[i - 1][j] + 1 < best) best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best) best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && x == tolower((unsigned char)b.p[j - 2]) && y == tolower((unsigned char)a.p[i - 2])
                && d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[a.n][b.n];
}

const char *qn_nearest(qn_str word, const char *const *words, size_t n)
{
    const char *best = NULL;
    size_t best_d = word.n <= 3 ? 2 : word.n <= 6 ? 3 : 4;    /* first distance that is too far */
    for (size_t i = 0; i < n; i++) {
        qn_str w = qn_str_of(words[i]);
        size_t d = distance(word, w);
        if (word.n >= 4 && d >= 2 && (qn_str_starts(w, word) || qn_str_starts(word, w))) d = 2;
        if (d < best_d) { best_d = d; best = words[i]; }
    }
    return best;
}
