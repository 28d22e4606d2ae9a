/* http: addresses, durations and error texts. See http.h. */
#include "model/http.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* ---- addresses as text ---- */
static qn_str authority(qn_str url)
{
    ptrdiff_t at = qn_str_find(url, QN_STR("://"));
    if (at < 0) return (qn_str){ "", 0 };
    qn_str rest = qn_str_sub(url, (size_t)at + 3, url.n);
    size_t n = 0;
    while (n < rest.n && !strchr("/?#", rest.p[n])) n++;
    return qn_str_sub(rest, 0, n);
}

qn_str qn_url_host(qn_str url)
{
    qn_str a = authority(url);
    const char *at = a.n ? memrchr(a.p, '@', a.n) : NULL;
    return at ? qn_str_sub(a, (size_t)(at - a.p) + 1, a.n) : a;
}

bool qn_url_has_password(qn_str url)
{
    qn_str a = authority(url);
    return a.n && memchr(a.p, '@', a.n);
}

bool qn_url_is_https(qn_str url) { return url.n >= 8 && strncasecmp(url.p, "https://", 8) == 0; }

/* The name without its port, brackets taken off; false when it does not fit. */
static bool bare(qn_str host, char *out, size_t size, bool *v6)
{
    *v6 = host.n && host.p[0] == '[';
    size_t from = *v6 ? 1 : 0, n = from;
    while (n < host.n && host.p[n] != (*v6 ? ']' : ':')) n++;
    if (n - from + 1 > size) return false;
    memcpy(out, host.p + from, n - from);
    out[n - from] = 0;
    return true;
}

bool qn_host_is_numeric(qn_str host)
{
    char name[256];
    bool v6;
    unsigned char raw[16];
    if (!bare(host, name, sizeof name, &v6)) return false;
    return strcasecmp(name, "localhost") == 0 || inet_pton(v6 ? AF_INET6 : AF_INET, name, raw) == 1;
}

bool qn_host_is_loopback(qn_str host)
{
    char name[256];
    bool v6;
    if (!bare(host, name, sizeof name, &v6)) return false;
    return strcasecmp(name, "localhost") == 0 || strncmp(name, "127.", 4) == 0 || (v6 && strcmp(name, "::1") == 0);
}

/* ---- addresses as numbers ---- */
static bool v4_private(uint32_t ip)
{
    static const struct { uint32_t net; int bits; } nets[] = {
        { 0x00000000, 8 }, { 0x0A000000, 8 }, { 0x64400000, 10 }, { 0x7F000000, 8 }, { 0xA9FE0000, 16 }, { 0xAC100000, 12 },
        { 0xC0000000, 24 }, { 0xC0000200, 24 }, { 0xC0586300, 24 }, { 0xC0A80000, 16 }, { 0xC6120000, 15 }, { 0xC6336400, 24 },
        { 0xCB007100, 24 }, { 0xE0000000, 4 }, { 0xF0000000, 4 },
    };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) if ((ip ^ nets[i].net) >> (32 - nets[i].bits) == 0) return true;
    return false;
}

static uint32_t u32_at(const unsigned char *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

static bool v6_private(const unsigned char *p)
{
    static const unsigned char zero[16];
    if (memcmp(p, zero, 10) == 0 && p[10] == 0xFF && p[11] == 0xFF) return v4_private(u32_at(p + 12));      /* ::ffff:0:0/96 mapped */
    if (memcmp(p, zero, 12) == 0) return true;                                                              /* ::, ::1, compatible */
    if (p[0] == 0x00 && p[1] == 0x64 && p[2] == 0xFF && p[3] == 0x9B) return p[4] || p[5] || v4_private(u32_at(p + 12)); /* NAT64 */
    if (p[0] == 0x20 && p[1] == 0x02) return v4_private(u32_at(p + 2));                                     /* 6to4 */
    if (p[0] == 0x20 && p[1] == 0x01 && (p[2] < 2 || (p[2] == 0x0D && p[3] == 0xB8))) return true;          /* 2001::/23, documentation */
    if ((p[0] & 0xFE) == 0xFC || p[0] == 0xFF) return true;                                                 /* unique local, multicast */
    if (p[0] == 0xFE && (p[1] & 0x80)) return true;                                                         /* link-local, site-local */
    return (p[0] & 0xE0) != 0x20;                                                                           /* outside 2000::/3 */
}

bool qn_addr_is_private(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET) return v4_private(ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr));
    if (a->sa_family == AF_INET6) return v6_private(((const struct sockaddr_in6 *)(const void *)a)->sin6_addr.s6_addr);
    return true;
}

/* ---- durations ---- */
static int64_t seconds_us(double s) { return s < 0 ? -1 : s > 86400 ? INT64_C(86400000000) : (int64_t)(s * 1e6); }

int64_t qn_retry_after_us(const char *value, int64_t wall_ms)
{
    char *end;
    if (!value) return -1;
    while (*value == ' ') value++;
    if (isdigit((unsigned char)*value)) {
        double s = strtod(value, &end);
        while (*end == ' ') end++;
        return *end ? -1 : seconds_us(s);
    }
    time_t at = curl_getdate(value, NULL);
    if (at == (time_t)-1) return -1;
    double s = (double)at - (double)wall_ms / 1000;
    return seconds_us(s < 0 ? 0 : s);
}

int64_t qn_reset_us(const char *value)
{
    double total = 0;
    if (!value || !*value) return -1;
    for (const char *p = value; *p;) {
        char *end;
        if (!isdigit((unsigned char)*p) && *p != '.') return -1;
        double v = strtod(p, &end);
        if (end == p) return -1;
        if (end[0] == 'm' && end[1] == 's') { total += v / 1000; end += 2; }
        else if (*end == 'h') { total += v * 3600; end++; }
        else if (*end == 'm') { total += v * 60; end++; }
        else if (*end == 's') { total += v; end++; }
        else if (*end == 0) total += v;
        else return -1;
        p = end;
    }
    return seconds_us(total);
}

/* ---- words ---- */
qn_str qn_http_trouble(qn_arena *a, int code, qn_str host, const char *detail, bool blocked, long timeout_s)
{
    if (blocked) return qn_arena_printf(a, "%.*s is a private or local address, which pages and searches may not ask (allow_private lifts this)", QN_FMT(host));
    static const char *const reasons[] = { "No route to host", "Network is unreachable", "Too many open files", "Permission denied" };
    for (size_t i = 0; code == CURLE_COULDNT_CONNECT && detail && i < sizeof reasons / sizeof *reasons; i++)
        if (strstr(detail, reasons[i])) return qn_arena_printf(a, "no connection to %.*s: %s", QN_FMT(host), reasons[i]);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return detail && (strstr(detail, "timed out") || strstr(detail, "imeout"))
             ? qn_arena_printf(a, "nothing answers at %.*s (no connection in time): is the address right, and no firewall between?", QN_FMT(host))
             : qn_arena_printf(a, "nothing answers at %.*s (connection refused): is the server started?", QN_FMT(host));
    case CURLE_COULDNT_RESOLVE_HOST:
        return qn_arena_printf(a, "no host is called %.*s (name lookup failed): is the address right, is the network up?", QN_FMT(host));
    case CURLE_COULDNT_RESOLVE_PROXY: return qn_arena_printf(a, "the proxy's name cannot be looked up (asking for %.*s)", QN_FMT(host));
    case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_CACERT_BADFILE: case CURLE_SSL_ISSUER_ERROR:
        return qn_arena_printf(a, "the certificate of %.*s is not trusted: install the authority's certificate (SSL_CERT_FILE names a file), or use http:// for "
                               "a server on your own machine", QN_FMT(host));
    case CURLE_SSL_CONNECT_ERROR:
        return qn_arena_printf(a, "%.*s does not speak TLS: is it http:// and not https://?", QN_FMT(host));
    case CURLE_OPERATION_TIMEDOUT:
        return qn_arena_printf(a, "nothing answers at %.*s (no connection in time): is the address right, and no firewall between?", QN_FMT(host));
    case CURLE_GOT_NOTHING: return qn_arena_printf(a, "%.*s closed the connection without an answer", QN_FMT(host));
    case CURLE_PARTIAL_FILE: return qn_arena_printf(a, "%.*s cut the connection in the middle of its answer", QN_FMT(host));
    case CURLE_SEND_ERROR: case CURLE_RECV_ERROR: return qn_arena_printf(a, "the connection to %.*s was cut", QN_FMT(host));
    case CURLE_TOO_MANY_REDIRECTS: return qn_arena_printf(a, "%.*s redirects without an end", QN_FMT(host));
    case CURLE_UNSUPPORTED_PROTOCOL: return qn_arena_printf(a, "only http:// and https:// addresses can be asked (%.*s)", QN_FMT(host));
    case CURLE_URL_MALFORMAT: return qn_arena_printf(a, "the address is not a valid URL");
    case CURLE_FILESIZE_EXCEEDED: case CURLE_WRITE_ERROR: return qn_arena_printf(a, "the answer of %.*s is larger than allowed", QN_FMT(host));
    case CURLE_ABORTED_BY_CALLBACK: return qn_arena_printf(a, "%.*s was silent for %ld seconds", QN_FMT(host), timeout_s);
    default: return qn_arena_printf(a, "%.*s: %s", QN_FMT(host), curl_easy_strerror((CURLcode)code));
    }
}
