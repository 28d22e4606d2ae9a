/* memo: pure but dear results (an embedding, the text of a PDF, trained weights) in files, so that they are worked out once.
 *
 * A memo is named by all that decides it: operator, its version, its settings, its input, and the kind of machine where that shows in the
 * bytes (floating point). It is a cache and nothing else: every file may be deleted at any time, a damaged one is noticed by its checksum,
 * removed and worked out again, and a disk that is full only costs time. Effects belong in the ledger, not here.
 *
 *   DIR/memo/3f/3f9c...e1     "qnmemo1\n", then key, length, checksum, how packed, bytes
 *
 * Files appear whole: written beside their place and renamed. Above the cap, those used longest ago go first. Several processes may share
 * a folder. Every function here is thread-safe. */
#ifndef QN_LEDGER_MEMO_H
#define QN_LEDGER_MEMO_H
#include "core/hash.h"
#include "core/err.h"

typedef struct qn_memo qn_memo;

/* Makes the folder when absent. cap_bytes 0: no cap. Errors: QN_EIO. */
qn_code qn_memo_open(qn_memo **out, const char *dir, uint64_t cap_bytes, qn_err *e);
void    qn_memo_close(qn_memo *m);              /* NULL is fine */

enum { QN_MEMO_ANY_MACHINE = 0, QN_MEMO_THIS_MACHINE = 1 };
/* settings: canonical text of what else decides the result ("" none). machine: whether the kind of processor does. */
qn_hash128 qn_memo_key(const char *op, int op_version, qn_str settings, qn_str input, int machine);
const char *qn_machine_kind(void);              /* "x86-64 avx512", "aarch64": what may change the last bits of a sum. Static */

/* The result, appended to `out`; false when there is none. Cost: one open and one read. */
bool    qn_memo_get(qn_memo *m, qn_hash128 key, qn_buf *out);
/* Keeps a result. false when it could not be kept (said once in the log): the caller goes on with what it has. */
bool    qn_memo_put(qn_memo *m, qn_hash128 key, qn_str result);

typedef struct qn_memo_stats { uint64_t hits, misses, puts, damaged, evicted; } qn_memo_stats;
void    qn_memo_stats_get(qn_memo *m, qn_memo_stats *out);
#endif
