/* openai: the bytes of the OpenAI-compatible protocol: request bodies out, replies in. No network, no state but a scratch buffer. */
#ifndef QN_MODEL_OPENAI_H
#define QN_MODEL_OPENAI_H
#include "model/model.h"

/* What an endpoint was found not to take; it is learned from its 400s, one at a time, and left out from then on. */
enum {
    QN_NO_STREAM            = 1,
    QN_NO_STREAM_OPTIONS    = 2,
    QN_NO_RESPONSE_FORMAT   = 4,
    QN_MAX_COMPLETION_NAME  = 8,    /* wants max_completion_tokens for max_tokens */
    QN_NO_TEMPERATURE       = 16
};

const char *qn_openai_path(qn_ask_kind kind);               /* "/chat/completions"; NULL for GET and POST */
bool qn_openai_streams(const qn_ask *ask, unsigned quirks); /* will the body ask for a stream? */
/* The body on the wire: `model`, `stream`, the model's extra keys and then ask.body, whose own keys win. Appends. */
void qn_openai_body(const qn_ask *ask, unsigned quirks, qn_buf *out);
/* The same in two parts, so that long prompts are not copied: what is appended to `out`, and what is given back, borrowed from ask.body. */
qn_str qn_openai_body_start(const qn_ask *ask, unsigned quirks, qn_buf *out);
/* An endpoint answered `http` with `body`: quirks with one more set when leaving that out may cure it, the same otherwise. */
unsigned qn_openai_learn(int http, qn_str body, const qn_ask *ask, unsigned quirks);

/* Reads a complete 2xx body into `out`; texts are copied to `a`. Sets status, text, thinking, finish, tool_calls, logprobs, embeddings,
 * tokens (estimated when the endpoint gives none) and cost. scratch: memory reused between calls.
 * False: not a reply (empty, broken JSON, invalid UTF-8, no content); *why says so, static. */
bool qn_openai_parse(const qn_ask *ask, qn_str body, qn_buf *scratch, qn_arena *a, qn_reply *out, const char **why);

/* The message in an error body, for people: one line, at most size - 1 bytes, "" when there is none. */
void qn_openai_error_text(qn_str body, char *out, size_t size);
/* A 4xx that is a definite refusal of the content (Azure's content_filter), or money that is used up. */
bool qn_openai_is_filtered(qn_str body);
bool qn_openai_is_quota(qn_str body);

/* Takes <think>..</think> off the front of a chat's content; both are borrowed from `text`. */
void qn_think_split(qn_str text, qn_str *thinking, qn_str *rest);
/* Fills in estimated tokens when none were given, and the cost. */
void qn_reply_count(const qn_ask *ask, qn_reply *r);
/* Sets status and finish from what was found; false (with *why) when there is no content. Shared with sse.c. */
bool qn_reply_settle(const qn_ask *ask, qn_str content, qn_str thinking, qn_str refusal, qn_str finish, qn_arena *a, qn_reply *r, const char **why);
#endif
