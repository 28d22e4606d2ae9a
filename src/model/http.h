/* http: addresses, and words for people when a transfer fails. */
#ifndef QN_MODEL_HTTP_H
#define QN_MODEL_HTTP_H
#include "core/mem.h"
#include <sys/socket.h>

/* "https://host:8000/v1?x" -> "host:8000", without user or password. Borrowed from url; empty when there is none. */
qn_str qn_url_host(qn_str url);
bool   qn_url_is_https(qn_str url);
bool   qn_url_has_password(qn_str url);         /* user:password@ or user@ stands in it */
/* A numeric address or localhost: nobody's name server is asked. */
bool   qn_host_is_numeric(qn_str host);
bool   qn_host_is_loopback(qn_str host);
/* Not on the public internet: loopback, private, link-local, shared, multicast, reserved; also inside IPv6 (mapped, NAT64, 6to4).
 * Source: IANA special-purpose address registries. */
bool   qn_addr_is_private(const struct sockaddr *a);

/* Retry-After: seconds (also with a point) or an HTTP date, seen at wall_ms; microseconds from then, -1 when it says nothing. */
int64_t qn_retry_after_us(const char *value, int64_t wall_ms);
/* A duration as rate-limit headers write it: "1s", "6m0s", "20ms", "1h2m", "3.5" (seconds); microseconds, -1 when it is none. */
int64_t qn_reset_us(const char *value);

/* What curl's code means and what to do about it, without secrets.  host: "127.0.0.1:8000". `blocked`: the address was refused by us. */
qn_str qn_http_trouble(qn_arena *a, int curl_code, qn_str host, const char *detail, bool blocked, long timeout_s);
#endif
