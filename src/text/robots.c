/* robots: two walks over the file: is there a group of our own, then the rules of the group that counts. */
#include "text/robots.h"
#include <string.h>

typedef struct { qn_str rest; } lines;

/* The next "key: value" line, comment and white space gone. */
static bool next_line(lines *l, qn_str *key, qn_str *value)
{
    while (l->rest.n) {
        size_t n = 0;
        while (n < l->rest.n && l->rest.p[n] != '\n' && l->rest.p[n] != '\r') n++;
        qn_str line = qn_str_sub(l->rest, 0, n);
        l->rest = qn_str_sub(l->rest, n < l->rest.n ? n + 1 : n, l->rest.n);
        const char *hash = line.n ? memchr(line.p, '#', line.n) : NULL;
        if (hash) line.n = (size_t)(hash - line.p);
        const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
        if (!colon) continue;
        *key = qn_str_trim(qn_str_sub(line, 0, (size_t)(colon - line.p)));
        *value = qn_str_trim(qn_str_sub(line, (size_t)(colon - line.p) + 1, line.n));
        return true;
    }
    return false;
}

/* The product token that a user-agent line names: letters, - and _ (section 2.2.1); "quern/1.0" is "quern". */
static bool names(qn_str value, qn_str agent)
{
    size_t n = 0;
    while (n < value.n && (value.p[n] == '-' || value.p[n] == '_' || (value.p[n] >= 'A' && value.p[n] <= 'Z') || (value.p[n] >= 'a' && value.p[n] <= 'z'))) n++;
    return n > 0 && qn_str_ieq(qn_str_sub(value, 0, n), agent);
}

/* One byte of an address as it is compared: an escape of a byte that need not be escaped is that byte (RFC 3986, unreserved). */
static int byte_at(qn_str s, size_t *i, bool *escaped)
{
    static const char hex[] = "0123456789abcdef";
    *escaped = false;
    if (s.p[*i] == '%' && *i + 2 < s.n) {
        const char *a = strchr(hex, s.p[*i + 1] | 32), *b = strchr(hex, s.p[*i + 2] | 32);
        if (a && b && *a && *b) {
            *i += 3;
            *escaped = true;
            return (int)((a - hex) << 4 | (b - hex));
        }
    }
    return (unsigned char)s.p[(*i)++];
}

static bool is_plain(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && c < 128 && strchr("-._~", c)); }

/* Bytes over 127 are the same escaped or not; reserved ones are not. */
static bool same(int a, bool a_escaped, int b, bool b_escaped) { return a == b && (a_escaped == b_escaped || is_plain(a) || a > 127); }

/* Does the rule match a beginning of the path? Backtracks to the last `*` alone, so the cost is bounded by the product of the lengths. */
static bool matches(qn_str rule, qn_str path)
{
    size_t r = 0, p = 0, star = SIZE_MAX, star_path = 0;
    for (;;) {
        if (r == rule.n) return true;
        if (rule.p[r] == '$' && r + 1 == rule.n && p == path.n) return true;
        if (rule.p[r] == '*') { star = ++r; star_path = p; continue; }
        if (p < path.n && !(rule.p[r] == '$' && r + 1 == rule.n)) {
            size_t r2 = r, p2 = p;
            bool re, pe;
            int a = byte_at(rule, &r2, &re), b = byte_at(path, &p2, &pe);
            if (same(a, re, b, pe)) { r = r2; p = p2; continue; }
        }
        if (star == SIZE_MAX || star_path >= path.n) return false;
        bool escaped;
        byte_at(path, &star_path, &escaped);
        r = star;
        p = star_path;
    }
}

/* Does any group name the agent? */
static bool has_group(qn_str text, qn_str agent)
{
    lines l = { text };
    qn_str key, value;
    while (next_line(&l, &key, &value))
        if (qn_str_ieq(key, QN_STR("user-agent")) && names(value, agent)) return true;
    return false;
}

qn_robots qn_robots_ask(qn_str text, qn_str agent, qn_str path)
{
    qn_robots out = { .allowed = true };
    if (text.n > QN_ROBOTS_MOST_BYTES) text.n = QN_ROBOTS_MOST_BYTES;
    if (qn_str_starts(text, QN_STR("\xEF\xBB\xBF"))) text = qn_str_sub(text, 3, text.n);
    bool own = has_group(text, agent), in_group = false, in_agents = false;
    size_t longest = 0;
    lines l = { text };
    qn_str key, value;
    if (path.n == 0) path = QN_STR("/");
    while (next_line(&l, &key, &value)) {
        if (qn_str_ieq(key, QN_STR("user-agent"))) {
            bool ours = own ? names(value, agent) : qn_str_is(value, "*");
            in_group = in_agents ? in_group || ours : ours;
            in_agents = true;
            continue;
        }
        bool allow = qn_str_ieq(key, QN_STR("allow")), disallow = qn_str_ieq(key, QN_STR("disallow"));
        bool delay = qn_str_ieq(key, QN_STR("crawl-delay"));
        if (!allow && !disallow && !delay) continue;        /* `sitemap` and what nobody knows ends no group */
        in_agents = false;
        if (!in_group) continue;
        double s;
        if (delay) { if (qn_str_to_f64(value, &s) && s > 0) out.delay_s = s; continue; }
        if (value.n == 0 || !matches(value, path)) continue;
        if (value.n > longest || (value.n == longest && allow)) {
            longest = value.n;
            out.allowed = allow;
            out.rule = value;
        }
    }
    if (qn_str_is(path, "/robots.txt")) out.allowed = true;
    return out;
}
