/* trace: reading DIR/trace.jsonl.zst: one JSON line for each accepted row, in their order.
 * {"id", "path": [{"id", "step", "k"}, ...], "source": {"path", "licence", ...}, "calls": [{"step", "key"}, ...]} */
#ifndef QN_REPORT_TRACE_H
#define QN_REPORT_TRACE_H
#include "data/value.h"

/* Calls fn with each line (without its newline, borrowed for the call) until it returns false. A file that ends early, as a killed run leaves
 * it, gives the lines before that, and no error. Errors: QN_EIO. */
qn_code qn_trace_each(const char *path, bool (*fn)(void *arg, uint64_t number, qn_str line), void *arg, qn_err *e);

/* The story of one row, for people: source, path, and every call with what was asked and answered, as indented text appended to `out`.
 *   id      a row's id, or a beginning of one that is long enough to be the only; or line:N, the row in line N of the data
 *   ledger  DIR/ledger.db; NULL: calls are named by key only
 * Errors: QN_EDATA when no row's id or several begin so, QN_EIO, QN_ELEDGER. */
qn_code qn_trace_tell(const char *dir, const char *ledger, const char *id, qn_buf *out, qn_err *e);
/* The same as one JSON object. */
qn_code qn_trace_json(const char *dir, const char *ledger, const char *id, qn_buf *out, qn_err *e);

/* From a line of the trace: {"id", "source", "path", "calls": [{"step", "key", "prompt": [[role, text], ...], "text", "thinking", "prompt_tokens",
 * "completion_tokens", "cost_usd"}, ...]}. Texts are cut behind max_text bytes (0: not). false: the line cannot be read. */
typedef struct qn_ledger_view qn_ledger_view;
bool    qn_trace_put(qn_str line, qn_ledger_view *v, size_t max_text, qn_buf *out);
#endif
