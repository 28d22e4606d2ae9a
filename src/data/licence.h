/* licence: names of licences in one spelling, and small sets of them that rows carry.
 *
 * A set is one word: a bit for each licence that this process has met, so that every row can hold what it was made from, and joins and gathers put sets
 * together by `|`. Rows that nothing from outside went into have the empty set. Thread-safe. */
#ifndef QN_DATA_LICENCE_H
#define QN_DATA_LICENCE_H
#include "core/str.h"

typedef uint64_t qn_licences;
#define QN_LICENCE_UNKNOWN ((qn_licences)1)     /* something went in whose licence nobody said */

enum { QN_LICENCE_MAX = 96 };
/* Lower case, runs of other characters as one '-', words that say nothing left out: "Apache License, Version 2.0" -> "apache-2.0",
 * "CC BY-SA 4.0" and "https://creativecommons.org/licenses/by-sa/4.0/" -> "cc-by-sa-4.0". '*' stays, for patterns. */
void qn_licence_plain(qn_str s, char out[QN_LICENCE_MAX]);
/* '*' in the pattern stands for anything; both are plain. */
bool qn_licence_fits(const char *pattern, const char *plain);

/* The set of that one licence; QN_LICENCE_UNKNOWN when the name is empty. After 62 different ones the rest share the name "other". */
qn_licences qn_licence_of(qn_str name);
const char *qn_licence_name(int bit);           /* as it was first written; "unknown" of bit 0. Lives as long as the process */
#endif
