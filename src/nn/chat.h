/* chat: how a conversation is laid out as tokens for a model, and where a reply ends.
 *
 * Formats are told by the model's own chat_template (tokenizer_config.json or chat_template.jinja), by the marks it writes;
 * templates are not run. What the rows teach and what a later request sees is laid out by the same function.
 *
 *   plain    question<|reply|>answer<|end|>                              small models made here: two marks of their own
 *   chatml   <|im_start|>user\nquestion<|im_end|>\n<|im_start|>assistant\nanswer<|im_end|>\n          (Qwen2 and others)
 *   llama3   <|start_header_id|>user<|end_header_id|>\n\nquestion<|eot_id|>...                         (Llama 3)
 *   text     question\n\nanswer and the model's end of text                          models without a template of these */
#ifndef QN_NN_CHAT_H
#define QN_NN_CHAT_H
#include "nn/tokenizer.h"

typedef enum { QN_CHAT_PLAIN, QN_CHAT_CHATML, QN_CHAT_LLAMA3, QN_CHAT_TEXT } qn_chat_format;
typedef struct { qn_str role, content; } qn_message;        /* role: system, user, assistant, tool */
typedef struct {
    qn_chat_format format;
    bool    known;          /* false: the folder has a template of a form that is not known; `text` stands in */
    int32_t begin, end;     /* before a conversation, -1 none; what ends a reply */
} qn_chat;

/* Reads the folder's template; t is its tokenizer, eos and bos its config's (-1: none). Errors: QN_EDATA when the tokenizer lacks the marks. */
qn_code qn_chat_open(qn_chat *c, const char *dir, const qn_tokenizer *t, int32_t bos, int32_t eos, qn_err *e);
/* The plain format, for a tokenizer trained with QN_CHAT_REPLY and QN_CHAT_END as special tokens. Errors: QN_EDATA when it lacks them. */
qn_code qn_chat_plain(qn_chat *c, const qn_tokenizer *t, qn_err *e);
#define QN_CHAT_REPLY "<|reply|>"
#define QN_CHAT_END   "<|end|>"
/* Adds the tokens of a conversation to `ids`. weight (or NULL) gets 1 for each token of the assistant's messages and of their end, 0 for the
 * others: what a model is taught. reply: end with what comes before an assistant's words. Contents cannot spell marks. */
typedef struct { float *p; size_t n, cap; } qn_weights;
qn_code qn_chat_put(const qn_chat *c, qn_tokenizer *t, const qn_message *m, size_t n, bool reply, qn_ids *ids, qn_weights *weight, qn_err *e);
/* tokenizer_config.json for a model made here in the plain format, so that transformers' apply_chat_template does the same. */
qn_code qn_chat_save_plain(const char *dir, qn_err *e);
#endif
