/* expr_lex: the words of the expression language. Numbers keep their 64 bits; a text is cut into pieces by its \( holes. */
#include "recipe/expr_node.h"
#include <stdlib.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
/* Letters of other scripts may be in names: .größe */
static bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80); }
static bool is_name(char c) { return is_name_start(c) || is_digit(c); }

static qn_code bad(qn_xlex *lx, size_t at, const char *what)
{
    return qn_fail_at(lx->e, QN_ERECIPE, qn_x_pos(lx->x, at), "%s", what);
}

static void skip_space(qn_xlex *lx)
{
    while (lx->at < lx->text.n) {
        char c = lx->text.p[lx->at];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') lx->at++;
        else if (c == '#') while (lx->at < lx->text.n && lx->text.p[lx->at] != '\n') lx->at++;
        else return;
    }
}

static char at(const qn_xlex *lx, size_t i) { return i < lx->text.n ? lx->text.p[i] : 0; }

static size_t name_end(const qn_xlex *lx, size_t i)
{
    while (i < lx->text.n && is_name(lx->text.p[i])) i++;
    return i;
}

/* digits [. digits] [e digits]; integers above 64 bits are an error, not a loss. */
static qn_code number(qn_xlex *lx, qn_xtok *t)
{
    size_t i = lx->at;
    bool real = false;
    while (is_digit(at(lx, i))) i++;
    if (at(lx, i) == '.' && !(at(lx, i + 1) == '.')) for (real = true, i++; is_digit(at(lx, i));) i++;
    if (at(lx, i) == 'e' || at(lx, i) == 'E') {
        size_t j = i + 1;
        if (at(lx, j) == '+' || at(lx, j) == '-') j++;
        if (is_digit(at(lx, j))) for (real = true, i = j; is_digit(at(lx, i));) i++;
    }
    t->kind = QN_TK_NUMBER;
    t->text = qn_str_sub(lx->text, lx->at, i);
    lx->at = i;
    if (real) {
        char z[64];
        if (t->text.n >= sizeof z) return bad(lx, t->from, "a number is written with more than 63 characters");
        memcpy(z, t->text.p, t->text.n);
        z[t->text.n] = 0;
        t->number = qn_v_real(strtod(z, NULL));
        return t->number.d > 1.7e308 ? bad(lx, t->from, "a number is too big") : QN_OK;
    }
    uint64_t u = 0;
    for (size_t k = 0; k < t->text.n; k++)
        if (__builtin_mul_overflow(u, 10u, &u) || __builtin_add_overflow(u, (uint64_t)(t->text.p[k] - '0'), &u)) {
            qn_code rc = bad(lx, t->from, "an integer is too big: integers have 64 bits");
            qn_hint(lx->e, "write it with an exponent (1e30) for a real number");
            return rc;
        }
    t->number = u <= INT64_MAX ? qn_v_int((int64_t)u) : (qn_value){ .kind = QN_V_UINT, .u = u };
    return QN_OK;
}

static bool named(qn_xlex *lx, qn_xtok *t, int kind, size_t skip)
{
    if (!is_name_start(at(lx, lx->at + skip))) return false;
    size_t end = name_end(lx, lx->at + skip);
    t->kind = kind;
    t->text = qn_str_sub(lx->text, lx->at + skip, end);
    lx->at = end;
    return true;
}

qn_code qn_x_lex(qn_xlex *lx, qn_xtok *t)
{
    static const struct { char word[4]; int kind; } PUNCT[] = {     /* longest first */
        { "//=", QN_TK_ASSIGN }, { "==", QN_TK_EQ }, { "!=", QN_TK_NE }, { "<=", QN_TK_LE }, { ">=", QN_TK_GE },
        { "//", QN_TK_ALT }, { "|=", QN_TK_ASSIGN }, { "+=", QN_TK_ASSIGN }, { "-=", QN_TK_ASSIGN }, { "*=", QN_TK_ASSIGN },
        { "/=", QN_TK_ASSIGN }, { "%=", QN_TK_ASSIGN }, { "..", QN_TK_DOTS }, { "=", QN_TK_ASSIGN },
    };
    skip_space(lx);
    *t = (qn_xtok){ .from = lx->at };
    char c = at(lx, lx->at);
    if (lx->at >= lx->text.n) return QN_OK;
    if (is_digit(c) || (c == '.' && is_digit(at(lx, lx->at + 1)))) {
        QN_TRY(number(lx, t));
    } else if (c == '"') {
        t->kind = QN_TK_QUOTE;
        lx->at++;
    } else if (c == '.' && named(lx, t, QN_TK_FIELD, 1)) {
    } else if (c == '$' && named(lx, t, QN_TK_VARIABLE, 1)) {
    } else if (c == '@' && named(lx, t, QN_TK_FORMAT, 1)) {
        t->text = qn_str_sub(lx->text, t->from, lx->at);
    } else if (named(lx, t, QN_TK_NAME, 0)) {
    } else {
        for (size_t i = 0; i < sizeof PUNCT / sizeof *PUNCT && !t->kind; i++) {
            size_t n = strlen(PUNCT[i].word);
            if (lx->at + n <= lx->text.n && memcmp(lx->text.p + lx->at, PUNCT[i].word, n) == 0) {
                t->kind = PUNCT[i].kind;
                lx->at += n;
            }
        }
        if (!t->kind) {
            if (c == '\'') {
                qn_code rc = bad(lx, lx->at, "texts stand in double quotes");
                qn_hint(lx->e, "write \"...\"; in YAML put single quotes around the whole expression");
                return rc;
            }
            if (!strchr(".[](){}|,:;?+-*/%<>", c) || !c)
                return qn_fail_at(lx->e, QN_ERECIPE, qn_x_pos(lx->x, lx->at), c > 32 && c < 127 ? "`%c` has no meaning in an expression"
                                  : "a character that has no meaning in an expression (code %d)", c);
            t->kind = c;
            lx->at++;
        }
    }
    t->to = lx->at;
    if (!t->text.n) t->text = qn_str_sub(lx->text, t->from, t->to);
    return QN_OK;
}

static bool hex4(const qn_xlex *lx, size_t i, uint32_t *out)
{
    uint32_t v = 0;
    for (size_t k = 0; k < 4; k++) {
        char c = at(lx, i + k);
        uint32_t d = is_digit(c) ? (uint32_t)(c - '0') : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                   : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10) : 16;
        if (d > 15) return false;
        v = v << 4 | d;
    }
    *out = v;
    return true;
}

/* \uXXXX, with a second half behind a high surrogate; lone halves become U+FFFD, as in jq. *i stands behind the u. */
static qn_code unicode(qn_xlex *lx, size_t *i, qn_buf *b)
{
    uint32_t cp, low;
    char utf8[4];
    if (!hex4(lx, *i, &cp)) return bad(lx, *i - 2, "\\u needs four hexadecimal digits");
    *i += 4;
    if (cp >= 0xD800 && cp < 0xDC00 && at(lx, *i) == '\\' && at(lx, *i + 1) == 'u' && hex4(lx, *i + 2, &low) && low >= 0xDC00 && low < 0xE000) {
        cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
        *i += 6;
    }
    if (cp >= 0xD800 && cp < 0xE000) cp = 0xFFFD;
    qn_buf_put(b, utf8, (size_t)qn_utf8_put(cp, utf8));
    return QN_OK;
}

qn_code qn_x_lex_piece(qn_xlex *lx, qn_arena *a, qn_str *piece, bool *hole)
{
    qn_buf b = {0};
    qn_code rc = QN_OK;
    size_t i = lx->at, open = lx->at;
    *hole = false;
    for (;;) {
        if (i >= lx->text.n) { rc = bad(lx, open ? open - 1 : 0, "a text is not closed: a \" is missing"); break; }
        char c = lx->text.p[i++];
        if (c == '"') break;
        if (c != '\\') { qn_buf_putc(&b, c); continue; }
        char s = at(lx, i++);
        const char *from = "\"\\/bfnrt", *to = "\"\\/\b\f\n\r\t", *known = s ? strchr(from, s) : NULL;
        if (s == '(') { *hole = true; break; }
        if (known) qn_buf_putc(&b, to[known - from]);
        else if (s == 'u') rc = unicode(lx, &i, &b);
        else {
            rc = bad(lx, i - 2, "unknown escape in a text");
            qn_hint(lx->e, "\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX and \\(...) are the escapes; write \\\\ for a backslash");
        }
        if (rc != QN_OK) break;
    }
    lx->at = i;
    *piece = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return rc;
}
