/* pii_keys: secrets by the prefixes their makers publish for scanners, by PEM frames, and by what is assigned to a telling name. */
#include "text/pii_parts.h"
#include <ctype.h>
#include <math.h>
#include <strings.h>

static bool key_char(unsigned char c) { return isalnum(c) || c == '_' || c == '-'; }
static bool value_char(unsigned char c) { return isalnum(c) || (c && strchr("_-+/=.~!@#$%^&*:", c)); }

/* Prefix, and the least number of key characters that must follow it. */
static const struct { const char *prefix; size_t least; } PREFIXES[] = {
    { "AKIA", 16 }, { "ASIA", 16 }, { "ghp_", 36 }, { "gho_", 36 }, { "ghu_", 36 }, { "ghs_", 36 }, { "ghr_", 36 }, { "github_pat_", 40 }, { "glpat-", 20 },
    { "sk-ant-", 20 }, { "sk-proj-", 20 }, { "sk-", 20 }, { "sk_live_", 16 }, { "sk_test_", 16 }, { "rk_live_", 16 }, { "pk_live_", 16 }, { "xoxb-", 20 }, { "xoxp-", 20 },
    { "xoxa-", 20 }, { "xoxs-", 20 }, { "xapp-", 20 }, { "AIza", 35 }, { "ya29.", 20 }, { "hf_", 30 }, { "npm_", 36 }, { "pypi-", 40 }, { "SG.", 22 }, { "dop_v1_", 40 },
    { "shpat_", 32 }, { "sq0atp-", 22 }, { "gsk_", 40 }, { "r8_", 37 }, { "AGE-SECRET-KEY-1", 50 }, { "tskey-", 20 }, { "lin_api_", 32 }, { "pat_", 32 },
};

static size_t prefixed(qn_str s, size_t i)
{
    for (size_t k = 0; k < sizeof PREFIXES / sizeof *PREFIXES; k++) {
        size_t n = strlen(PREFIXES[k].prefix), end = i + n;
        if (end > s.n || s.p[i] != PREFIXES[k].prefix[0] || memcmp(s.p + i, PREFIXES[k].prefix, n) != 0) continue;
        bool has_digit = false;
        while (end < s.n && (key_char((unsigned char)s.p[end]) || (s.p[end] == '.' && n == 3 && s.p[i] == 'S'))) has_digit |= isdigit((unsigned char)s.p[end++]) != 0;
        if (end - i - n >= PREFIXES[k].least && has_digit) return end;
    }
    return 0;
}

/* JSON Web Token: three base64url parts, the first two beginning with {" in base64. */
static size_t web_token(qn_str s, size_t i)
{
    size_t end = i;
    int dots = 0;
    if (i + 20 > s.n || memcmp(s.p + i, "eyJ", 3) != 0) return 0;
    while (end < s.n && (key_char((unsigned char)s.p[end]) || (s.p[end] == '.' && dots < 2))) dots += s.p[end++] == '.';
    return dots == 2 && end - i >= 30 ? end : 0;
}

static size_t pem(qn_str s, size_t i)
{
    static const char begin[] = "-----BEGIN ", mark[] = "PRIVATE KEY-----";
    if (i + sizeof begin > s.n || memcmp(s.p + i, begin, sizeof begin - 1) != 0) return 0;
    const char *key = memmem(s.p + i, s.n - i < 64 ? s.n - i : 64, mark, sizeof mark - 1);
    if (!key) return 0;
    size_t at = (size_t)(key - s.p) + sizeof mark - 1;
    const char *end = memmem(s.p + at, s.n - at, mark, sizeof mark - 1);
    return end ? (size_t)(end - s.p) + sizeof mark - 1 : s.n;       /* a cut key is still a key */
}

static double entropy(qn_str v)
{
    unsigned count[256] = {0};
    double h = 0;
    for (size_t i = 0; i < v.n; i++) count[(unsigned char)v.p[i]]++;
    for (int c = 0; c < 256; c++)
        if (count[c]) h -= (double)count[c] / (double)v.n * log2((double)count[c] / (double)v.n);
    return h;
}

/* Something a person put where a secret goes: "<your-key>", "xxxxxx", "changeme", a variable, a call. */
static bool is_placeholder(qn_str v, char next)
{
    static const char *const words[] = { "your", "example", "placeholder", "change", "xxxx", "****", "none", "null", "true", "false", "password", "secret", "token", "todo", "env", "insert" };
    char lower[33];
    size_t n = v.n < 32 ? v.n : 32;
    for (size_t i = 0; i < n; i++) lower[i] = (char)tolower((unsigned char)v.p[i]);
    lower[n] = 0;
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strstr(lower, words[k])) return true;
    return v.p[0] == '$' || v.p[0] == '%' || next == '(' || next == '[' || memchr(v.p, '.', v.n) == v.p;
}

/* `name = "value"`: the value when the name tells of a secret and the value looks like one. */
static size_t assigned(qn_str s, size_t i, size_t *from)
{
    static const struct { const char *name; size_t least; double bits; } names[] = {
        { "password", 6, 2.5 }, { "passwd", 6, 2.5 }, { "pwd", 6, 2.5 }, { "passphrase", 8, 2.5 }, { "secret", 12, 3.0 }, { "token", 16, 3.0 }, { "api_key", 12, 3.0 }, { "apikey", 12, 3.0 },
        { "api-key", 12, 3.0 }, { "access_key", 12, 3.0 }, { "secret_key", 12, 3.0 }, { "private_key", 16, 3.0 }, { "auth", 16, 3.0 }, { "bearer", 16, 3.0 }, { "client_secret", 12, 3.0 },
        { "secret_access_key", 16, 3.0 }, { "access_token", 16, 3.0 }, { "authorization", 16, 3.0 },
    };
    size_t end = i;
    while (end < s.n && end - i < 40 && key_char((unsigned char)s.p[end])) end++;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        size_t n = strlen(names[k].name), at = end;
        if (end - i < n || strncasecmp(s.p + end - n, names[k].name, n) != 0) continue;
        bool bearer = names[k].name[0] == 'b';
        if (at < s.n && (s.p[at] == '"' || s.p[at] == '\'')) at++;
        while (at < s.n && s.p[at] == ' ') at++;
        if (!bearer && !(at < s.n && (s.p[at] == '=' || s.p[at] == ':'))) return 0;
        if (!bearer) at++;
        while (at < s.n && (s.p[at] == ' ' || s.p[at] == '=')) at++;
        if (at + 7 < s.n && strncasecmp(s.p + at, "bearer ", 7) == 0) at += 7;
        bool quoted = at < s.n && (s.p[at] == '"' || s.p[at] == '\'');
        at += quoted;
        size_t to = at;
        while (to < s.n && value_char((unsigned char)s.p[to])) to++;
        while (to > at && !quoted && strchr(".,:!", s.p[to - 1])) to--;
        qn_str v = { s.p + at, to - at };
        bool digits = false, letters = false;
        for (size_t c = 0; c < v.n; c++) { digits |= isdigit((unsigned char)v.p[c]) != 0; letters |= isalpha((unsigned char)v.p[c]) != 0; }
        if (v.n < names[k].least || entropy(v) < names[k].bits || !digits || !letters || is_placeholder(v, to < s.n ? s.p[to] : 0)) continue;
        *from = at;
        return to;
    }
    return 0;
}

size_t qn_pii_key_at(qn_str s, size_t i, size_t *from)
{
    unsigned char c = (unsigned char)s.p[i];
    *from = i;
    if (c == '-') return i + 4 < s.n && s.p[i + 1] == '-' && s.p[i + 2] == '-' && (i == 0 || s.p[i - 1] != '-') ? pem(s, i) : 0;
    if (!isalpha(c)) return 0;
    if (i > 0 && (s.p[i - 1] == '_' || s.p[i - 1] == '-')) return 0;
    size_t end = prefixed(s, i);
    if (!end && c == 'e') end = web_token(s, i);
    return end ? end : assigned(s, i, from);
}
