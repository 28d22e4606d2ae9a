/* robots: may a page be fetched, by the host's robots.txt?
 *
 * The group whose user-agent is our product token counts, groups of the same token together; without one the group of `*`; without that all is
 * allowed. Of the rules that match a path the longest (in bytes) wins, of equals `allow`. `*` stands for any run of bytes, `$` for the end. Both
 * sides are compared with %-escapes of the same letters made equal. What cannot be read is passed over.
 * Source: RFC 9309, sections 2.2.1 to 2.2.3 and 2.3.1.5; `Crawl-delay` is no part of it, but is written for crawlers such as this one. */
#ifndef QN_TEXT_ROBOTS_H
#define QN_TEXT_ROBOTS_H
#include "core/str.h"

enum { QN_ROBOTS_MOST_BYTES = 512 << 10 };      /* read so far; RFC 9309, section 2.5, wants at least 500 KiB */

typedef struct qn_robots {
    bool   allowed;
    qn_str rule;            /* the line's path that decided, borrowed; empty when none did */
    double delay_s;         /* Crawl-delay of the group; 0 none */
} qn_robots;

/*   text    the file's bytes       agent   our product token: "quern"        path   of the address, with its query: "/a/b?c" ("/" when empty)
 * Cost: O(bytes * length of the path) at worst. Errors: none. */
qn_robots qn_robots_ask(qn_str text, qn_str agent, qn_str path);
#endif
