/* licence: see licence.h. */
#include "data/licence.h"
#include "core/mem.h"
#include "core/thread.h"
#include <ctype.h>

enum { MOST = 63 };                             /* the last is for all the others */

static struct { pthread_mutex_t lock; char *names[MOST + 1], *plain[MOST + 1]; int n; } met = { PTHREAD_MUTEX_INITIALIZER, { "unknown" }, { "" }, 1 };

static bool says_nothing(const char *p, size_t n)
{
    static const char *const drop[] = { "licence", "license", "version", "the", "v", "international", "unported", "http", "https", "www", "spdx.org", "licenses" };
    for (size_t k = 0; k < sizeof drop / sizeof *drop; k++)
        if (n == strlen(drop[k]) && strncasecmp(p, drop[k], n) == 0) return true;
    return false;
}

void qn_licence_plain(qn_str s, char out[QN_LICENCE_MAX])
{
    size_t n = 0;
    ptrdiff_t deed = qn_str_find(s, QN_STR("creativecommons.org/licenses/"));
    if (deed >= 0) { s = qn_str_sub(s, (size_t)deed + 29, s.n); memcpy(out, "cc", 2); n = 2; }
    else if (qn_str_find(s, QN_STR("creativecommons.org/publicdomain/zero/")) >= 0) s = QN_STR("cc0-1.0");
    for (size_t i = 0; i < s.n && n < QN_LICENCE_MAX - 6;) {
        if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '*') { i++; continue; }
        size_t from = i, start = n;
        if (n && out[n - 1] != '*') out[n++] = '-';
        while (i < s.n && n < QN_LICENCE_MAX - 2
               && (isalnum((unsigned char)s.p[i]) || s.p[i] == '*' || (s.p[i] == '.' && i > from && isdigit((unsigned char)s.p[i - 1]) && i + 1 < s.n && isdigit((unsigned char)s.p[i + 1]))))
            out[n++] = (char)tolower((unsigned char)s.p[i++]);
        if (says_nothing(s.p + from, i - from)) n = start;
    }
    out[n] = 0;
    if (strcmp(out, "apache-2") == 0) strcpy(out, "apache-2.0");
    if (strcmp(out, "cc0") == 0) strcpy(out, "cc0-1.0");
}

bool qn_licence_fits(const char *pattern, const char *s)
{
    if (*pattern == 0) return *s == 0;
    if (*pattern == '*') return qn_licence_fits(pattern + 1, s) || (*s && qn_licence_fits(pattern, s + 1));
    return *s == *pattern && qn_licence_fits(pattern + 1, s + 1);
}

qn_licences qn_licence_of(qn_str name)
{
    char plain[QN_LICENCE_MAX];
    qn_licence_plain(name, plain);
    if (!plain[0] || strcmp(plain, "unknown") == 0) return QN_LICENCE_UNKNOWN;
    pthread_mutex_lock(&met.lock);
    int i = 1;
    while (i < met.n && strcmp(met.plain[i], plain) != 0) i++;
    if (i == met.n && i < MOST) {
        met.names[i] = qn_strz(qn_str_trim(name));
        met.plain[i] = qn_strz(qn_str_of(plain));
        met.n++;
    } else if (i == MOST && !met.names[MOST]) met.names[MOST] = qn_strz(QN_STR("other"));
    pthread_mutex_unlock(&met.lock);
    return (qn_licences)1 << i;
}

const char *qn_licence_name(int bit)
{
    pthread_mutex_lock(&met.lock);
    const char *name = met.names[bit];
    pthread_mutex_unlock(&met.lock);
    return name ? name : "unknown";
}
