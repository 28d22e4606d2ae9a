/* pii_numbers: e-mail and IP addresses, and numbers with a form or a check digit. */
#include "text/pii_parts.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

static bool digit(qn_str s, size_t i) { return i < s.n && isdigit((unsigned char)s.p[i]); }
static bool alnum(qn_str s, size_t i) { return i < s.n && (isalnum((unsigned char)s.p[i]) || (unsigned char)s.p[i] >= 128); }

/* ---- e-mail (the common part of RFC 5321: dot-atom @ host name) ---- */

static bool local_char(unsigned char c) { return isalnum(c) || (c && strchr(".!#$%&'*+-/=?^_`{|}~", c)) || c >= 128; }

size_t qn_pii_email_at(qn_str s, size_t at, size_t *from)
{
    size_t i = at, end = at + 1, last_dot = 0;
    while (i > 0 && at - i < 64 && local_char((unsigned char)s.p[i - 1])) i--;
    while (i < at && !isalnum((unsigned char)s.p[i]) && (unsigned char)s.p[i] < 128 && s.p[i] != '_') i++;    /* quotes, slashes before it */
    if (i == at || s.p[at - 1] == '.') return 0;
    while (end < s.n && (isalnum((unsigned char)s.p[end]) || s.p[end] == '-' || (s.p[end] == '.' && alnum(s, end + 1)))) {
        if (s.p[end] == '.') last_dot = end;
        end++;
    }
    if (!last_dot || end - last_dot < 3 || s.p[at + 1] == '.' || s.p[at + 1] == '-') return 0;
    for (size_t k = last_dot + 1; k < end; k++)
        if (!isalpha((unsigned char)s.p[k])) return 0;
    *from = i;
    return end;
}

/* ---- IP ---- */

static size_t ipv4_at(qn_str s, size_t i)
{
    size_t at = i;
    if (i > 0 && (s.p[i - 1] == '.' || s.p[i - 1] == '/' || s.p[i - 1] == '-')) return 0;
    for (int part = 0; part < 4; part++) {
        int v = 0, n = 0;
        while (n < 4 && digit(s, at)) { v = v * 10 + (s.p[at++] - '0'); n++; }
        if (n == 0 || n > 3 || v > 255) return 0;
        if (part < 3 && !(at < s.n && s.p[at++] == '.')) return 0;
    }
    if (alnum(s, at) || (at < s.n && s.p[at] == '.' && digit(s, at + 1)) || (at < s.n && s.p[at] == '-' && digit(s, at + 1))) return 0;
    static const char *const version[] = { "version ", "release ", "section ", "chapter " };   /* 1.2.3.4 of a program or a book */
    for (size_t k = 0; k < 4; k++)
        if (i >= 8 && strncasecmp(s.p + i - 8, version[k], 8) == 0) return 0;
    return at;
}

static size_t ipv6_at(qn_str s, size_t i)
{
    size_t end = i, colons = 0;
    if (i > 0 && (s.p[i - 1] == ':' || s.p[i - 1] == '.')) return 0;
    while (end < s.n && end - i < 46 && (isxdigit((unsigned char)s.p[end]) || s.p[end] == ':' || (s.p[end] == '.' && digit(s, end + 1)))) colons += s.p[end++] == ':';
    while (end > i + 2 && s.p[end - 1] == ':' && s.p[end - 2] != ':') { end--; colons--; }
    if (colons < 2 || alnum(s, end)) return 0;
    char z[47];
    struct in6_addr a;
    snprintf(z, sizeof z, "%.*s", (int)(end - i), s.p + i);
    if (inet_pton(AF_INET6, z, &a) != 1) return 0;
    if (colons < 7 && end - i < 6) return 0;    /* "::", "a::b": scopes of programs rather than hosts */
    return end;
}

size_t qn_pii_ip_at(qn_str s, size_t i)
{
    size_t end = digit(s, i) ? ipv4_at(s, i) : 0;
    return end ? end : ipv6_at(s, i);
}

/* ---- US social security number: 3-2-4 digits, areas that were given out ---- */

size_t qn_pii_ssn_at(qn_str s, size_t i)
{
    static const char form[] = "ddd-dd-dddd";
    size_t n = sizeof form - 1;
    if (i + n > s.n || (i > 0 && (s.p[i - 1] == '-' || s.p[i - 1] == '.'))) return 0;
    for (size_t k = 0; k < n; k++)
        if (form[k] == 'd' ? !digit(s, i + k) : s.p[i + k] != '-' && s.p[i + k] != ' ') return 0;
    if (s.p[i + 3] != s.p[i + 6] || alnum(s, i + n) || (i + n < s.n && s.p[i + n] == '-')) return 0;
    bool bad = s.p[i] == '9' || !memcmp(s.p + i, "000", 3) || !memcmp(s.p + i, "666", 3) || !memcmp(s.p + i + 4, "00", 2) || !memcmp(s.p + i + 7, "0000", 4);
    return bad ? 0 : i + n;
}

/* ---- cards ---- */

bool qn_luhn_ok(qn_str d)
{
    int sum = 0;
    for (size_t k = 0; k < d.n; k++) {
        int v = d.p[d.n - 1 - k] - '0';
        if (k & 1) { v *= 2; if (v > 9) v -= 9; }
        sum += v;
    }
    return d.n > 1 && sum % 10 == 0;
}

/* Issuer ranges with the lengths they use. */
static bool is_issued(const char *d, size_t n)
{
    int two = (d[0] - '0') * 10 + d[1] - '0', four = two * 100 + (d[2] - '0') * 10 + d[3] - '0';
    if (d[0] == '4') return n == 13 || n == 16 || n == 19;
    if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return n == 16;
    if (two == 34 || two == 37) return n == 15;
    if (two == 36 || two == 38 || two == 39 || two == 30) return n == 14 || n == 16;
    if (two == 35) return n >= 16;
    if (four == 1800 || four == 2131) return n == 15;
    if (four == 6011 || two == 64 || two == 65) return n >= 16;
    return d[0] == '6' || two == 50 || (two >= 56 && two <= 58);        /* Maestro, UnionPay and kin: 12 to 19 */
}

size_t qn_pii_card_at(qn_str s, size_t i)
{
    char d[20];
    size_t n = 0, at = i;
    if (!digit(s, i) || (i > 1 && (s.p[i - 1] == '.' || s.p[i - 1] == '-') && digit(s, i - 2))) return 0;
    while (n < 20 && at < s.n) {
        if (digit(s, at)) d[n++] = s.p[at++];
        else if ((s.p[at] == ' ' || s.p[at] == '-') && digit(s, at + 1) && n >= 4) at++;
        else break;
    }
    if (n < 12 || n > 19 || alnum(s, at) || (at < s.n && (s.p[at] == '.' || s.p[at] == '-') && digit(s, at + 1))) return 0;
    return is_issued(d, n) && qn_luhn_ok((qn_str){ d, n }) ? at : 0;
}

/* ---- IBAN ---- */

static int iban_length(const char *cc)
{
    static const struct { char cc[3]; uint8_t n; } lengths[] = {
        {"AD",24},{"AE",23},{"AL",28},{"AT",20},{"AZ",28},{"BA",20},{"BE",16},{"BG",22},{"BH",22},{"BR",29},{"BY",28},{"CH",21},{"CR",22},{"CY",28},{"CZ",24},
        {"DE",22},{"DK",18},{"DO",28},{"EE",20},{"EG",29},{"ES",24},{"FI",18},{"FO",18},{"FR",27},{"GB",22},{"GE",22},{"GI",23},{"GL",18},{"GR",27},{"GT",28},
        {"HR",21},{"HU",28},{"IE",22},{"IL",23},{"IQ",23},{"IS",26},{"IT",27},{"JO",30},{"KW",30},{"KZ",20},{"LB",28},{"LC",32},{"LI",21},{"LT",20},{"LU",20},
        {"LV",21},{"LY",25},{"MC",27},{"MD",24},{"ME",22},{"MK",19},{"MR",27},{"MT",31},{"MU",30},{"NL",18},{"NO",15},{"PK",24},{"PL",28},{"PS",29},{"PT",25},
        {"QA",29},{"RO",24},{"RS",22},{"SA",24},{"SC",31},{"SE",24},{"SI",19},{"SK",24},{"SM",27},{"ST",25},{"SV",28},{"TL",23},{"TN",24},{"TR",26},{"UA",29},
        {"VA",22},{"VG",24},{"XK",20},
    };
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
        if (lengths[k].cc[0] == toupper((unsigned char)cc[0]) && lengths[k].cc[1] == toupper((unsigned char)cc[1])) return lengths[k].n;
    return 0;
}

bool qn_iban_ok(qn_str c)
{
    unsigned rest = 0;
    if (c.n < 15 || !isalpha((unsigned char)c.p[0]) || !isalpha((unsigned char)c.p[1]) || iban_length(c.p) != (int)c.n) return false;
    for (size_t k = 0; k < c.n; k++) {
        unsigned char x = (unsigned char)c.p[(k + 4) % c.n];
        if (!isalnum(x)) return false;
        rest = isdigit(x) ? (rest * 10 + x - '0') % 97 : (rest * 100 + (unsigned)(toupper(x) - 'A' + 10)) % 97;
    }
    return rest == 1;
}

size_t qn_pii_iban_at(qn_str s, size_t i)
{
    char c[34];
    size_t n = 0, at = i;
    if (i + 15 > s.n || !isalpha((unsigned char)s.p[i]) || !isalpha((unsigned char)s.p[i + 1]) || !digit(s, i + 2) || !digit(s, i + 3)) return 0;
    int want = iban_length(s.p + i);
    while (want && n < (size_t)want && at < s.n) {
        if (isalnum((unsigned char)s.p[at])) c[n++] = s.p[at++];
        else if ((s.p[at] == ' ' || s.p[at] == '-') && n % 4 == 0) at++;
        else break;
    }
    return want && n == (size_t)want && !alnum(s, at) && qn_iban_ok((qn_str){ c, n }) ? at : 0;
}

/* ---- telephone numbers: by their groups, and by the words before them where the groups say too little ---- */

typedef struct { int n_groups, size[8], value[8]; int n_digits; bool plus, paren; char sep; size_t end; } phone;

static bool has_cue(qn_str s, size_t i)
{
    static const char *const cues[] = { "phone", "tel", "call", "cell", "mobile", "fax", "whatsapp", "dial", "contact", "reach", "number", "text me", "ring me", "answering" };
    static const char *const against[] = { "card", "account", "invoice", "order", "ticket", "zip", "post", "licen", "serial", "passport" };
    size_t from = i > 40 ? i - 40 : 0;
    char before[41];
    size_t n = i - from;
    for (size_t k = 0; k < n; k++) before[k] = (char)tolower((unsigned char)s.p[from + k]);
    before[n] = 0;
    for (size_t k = 0; k < sizeof against / sizeof *against; k++)
        if (strstr(before, against[k])) return false;
    for (size_t k = 0; k < sizeof cues / sizeof *cues; k++)
        if (strstr(before, cues[k])) return true;
    return false;
}

static bool read_groups(qn_str s, size_t i, phone *p)
{
    *p = (phone){0};
    size_t at = i;
    if (s.p[at] == '+') { p->plus = true; at++; }
    while (at < s.n && p->n_groups < 8) {
        bool open = s.p[at] == '(';
        if (open) { if (p->paren) break; p->paren = true; at++; }
        int n = 0, v = 0;
        while (digit(s, at) && n < 16) { if (n < 8) v = v * 10 + s.p[at] - '0'; n++; at++; }
        if (n == 0) return false;
        p->size[p->n_groups] = n;
        p->value[p->n_groups++] = v;
        p->n_digits += n;
        p->end = at;
        if (open && !(at < s.n && s.p[at] == ')')) return false;
        if (open) at++;
        if (digit(s, at)) { continue; }                         /* "(0)8" */
        size_t next = at;
        while (next < s.n && next - at < 2 && (s.p[next] == ' ' || s.p[next] == '-' || s.p[next] == '.')) next++;
        if (next == at && !(open && at < s.n && s.p[at] == '(')) { if (!(at < s.n && s.p[at] == '(')) break; }
        if (next - at == 2 && s.p[at] != ')' && !open && s.p[at] != '-' && s.p[at + 1] != '-') break;
        if (!(digit(s, next) || (next < s.n && s.p[next] == '(' && digit(s, next + 1)))) break;
        if (next > at && !p->sep) p->sep = s.p[at];
        at = next;
    }
    return true;
}

static bool sizes_are(const phone *p, const char *sizes)
{
    int n = (int)strlen(sizes);
    for (int k = 0; k < n && k < p->n_groups; k++)
        if (p->size[k] != sizes[k] - '0') return false;
    return n == p->n_groups;
}

static bool is_date(const phone *p)
{
    const int *z = p->size, *v = p->value;
    if (sizes_are(p, "324")) return true;       /* a social security number that was never given out */
    if (p->n_groups == 3 && z[0] == 4 && z[1] <= 2 && z[2] <= 2) return v[1] <= 12 && v[2] <= 31;
    if (p->n_groups == 3 && z[2] == 4 && z[0] <= 2 && z[1] <= 2) return v[0] <= 31 && v[1] <= 31;
    return p->n_groups == 2 && z[0] == 4 && z[1] == 4 && v[0] > 1000 && v[0] < 2101 && v[1] > 1000 && v[1] < 2101;
}

static bool looks_national(const phone *p)
{
    static const char *const forms[] = { "334", "1334", "34", "333", "2222", "22222", "0334" };
    bool pairs = p->n_groups >= 4;
    for (int k = 0; k < p->n_groups; k++) pairs &= p->size[k] == 2;
    if (pairs) return true;
    if (sizes_are(p, "333")) return p->value[0] >= 500;                       /* else likelier a large amount: 123 456 789 */
    if (sizes_are(p, "34")) return p->sep == '-';
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++)
        if (sizes_are(p, forms[k])) return true;
    return false;
}

/* End of " x12" or " ext. 12" after a number; 0 when there is none. */
static size_t extension_at(qn_str s, size_t i)
{
    while (i < s.n && s.p[i] == ' ') i++;
    if (i + 3 < s.n && strncasecmp(s.p + i, "ext", 3) == 0) i += 3;
    else if (i < s.n && s.p[i] == 'x') i++;
    else return 0;
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '.')) i++;
    size_t end = i;
    while (digit(s, end)) end++;
    return end > i && end - i <= 6 ? end : 0;
}

size_t qn_pii_phone_at(qn_str s, size_t i)
{
    phone p;
    if (i > 0 && (s.p[i - 1] == '.' || s.p[i - 1] == '-' || s.p[i - 1] == '/' || s.p[i - 1] == '$' || s.p[i - 1] == '#' || s.p[i - 1] == '_' || s.p[i - 1] == '=')) return 0;
    if (!(digit(s, i) || s.p[i] == '+' || s.p[i] == '(') || !read_groups(s, i, &p)) return 0;
    size_t end = p.end, extension = extension_at(s, end);
    if (p.n_digits < 7 || p.n_digits > 15 || is_date(&p) || (end < s.n && (s.p[end] == '%' || s.p[end] == '/')) || (alnum(s, end) && !extension)) return 0;
    bool leading_zero = digit(s, i) ? s.p[i] == '0' : p.paren && i + 1 < s.n && s.p[i + 1] == '0';
    bool ok = (p.plus && p.n_digits >= 8) || (p.paren && p.n_groups >= 2 && p.size[0] <= 5) || (p.n_groups >= 2 && looks_national(&p))
           || (leading_zero && p.n_groups >= 2 && p.n_digits >= 9 && p.n_digits <= 12 && p.sep != '.') || (leading_zero && p.n_groups == 1 && p.n_digits >= 10 && p.n_digits <= 11)
           || (p.n_digits <= 13 && has_cue(s, i));
    return ok ? (extension ? extension : end) : 0;
}
