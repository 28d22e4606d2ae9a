/* mock: a scriptable OpenAI-compatible server for tests and benchmarks. One thread, epoll, 127.0.0.1 only.
 *
 *   mock.c    sockets, timers, what is sent when (latency, cuts, hangs, drips)
 *   script.c  rules from a JSONL file: which request gets which answer
 *   answer.c  the bytes of an answer: chat, completions, embeddings, models, files, batches, errors, streams
 *
 * See README.md beside this file for the words of a script. */
#ifndef MOCK_H
#define MOCK_H
#include "core/mem.h"
#include "core/map.h"
#include "core/str.h"
#include <regex.h>
#include <yyjson.h>

#define MAX_GROUPS 10

typedef struct request {
    qn_str method, path, query, body;   /* borrowed from the connection's buffer */
    qn_str authorization, content_type, token;
    yyjson_doc *doc;                    /* of the body; NULL when it is no JSON */
    qn_str model, user, system, prompt; /* last user message, first system message, all messages' texts (chat) or the prompt */
    bool   stream, usage_in_stream;
    qn_buf joined;                      /* holds `prompt` of a chat */
    uint64_t number;                    /* of all requests, from 1: of this run alone, as it hangs on the order of arrival */
    uint64_t n;                         /* {{n}}: of the text and of how often it was asked before */
} request;

typedef enum {
    F_NONE, F_CUT, F_HANG, F_DRIP, F_TRUNCATED, F_INVALID_UTF8, F_EMPTY, F_LIE_LONG, F_LIE_SHORT, F_NOT_JSON, F_WRONG_SCHEMA, F_RESET,
    F_SILENT_CLOSE
} fault;

typedef struct rule {
    /* when */
    char *match, *model, *path, *system, *whole;
    bool  has_regex;
    regex_t regex;
    uint64_t nth, from, to, every, times;
    bool     counts, together;          /* one of these, or {{seen}}, is there; all texts count as one, in the order in which they come */
    uint64_t place, seen;               /* its line among the rules; which of its text's requests the last one was */
    qn_map   texts_seen, texts_used;    /* how many of each text it matched, and answered */
    /* then */
    char *batch;                        /* how a line, or a whole batch, ends: see answer.c */
    char *reply, *json, *raw, *thinking, *refusal, *finish, *error, *tool_calls, *headers;
    qn_buf file;                        /* the body's bytes */
    bool  think_tags, no_usage, no_stream, force_stream, after_stream_error;
    int   status, retry_after_ms;
    double latency_ms, drip_ms;
    size_t drip_bytes;
    size_t prompt_tokens, completion_tokens;
    double logprob, top_logprob;        /* of every token of an echoed prompt, 1: by the token's text; of top_token */
    char *top_token, *top_after;        /* a best token, after tokens that hold this text */
    fault fault;
    /* regex groups of the last match, borrowed from the request */
    qn_str groups[MAX_GROUPS];
    struct rule *next;
} rule;

/* What the server must do with the bytes. */
typedef struct answer {
    int     status;
    double  latency_ms, drip_ms;
    size_t  drip_bytes;
    size_t  send_bytes;                 /* cut after so many (of all bytes), SIZE_MAX: all */
    bool    close, reset, hang;
} answer;

typedef struct settings {
    const char *reply;                  /* default reply's template, NULL: an echo */
    double latency_ms;
    size_t piece_bytes;                 /* of streamed content */
    bool   structured;                  /* honour response_format */
    bool   no_stream;                   /* ignore `stream` */
    size_t context;                     /* prompt tokens allowed, 0: all */
    bool   strict_stream;               /* answer 400 to stream */
    int    strict_format;               /* answer 400 (1), or 500 as llama_cpp.server does (2), to response_format */
    double batch_ms;                    /* until a batch is done */
    bool   no_batch_list, no_metadata;  /* GET /batches is 404; metadata is forgotten */
    double per_token_ms;                /* latency added for each token of the reply */
} settings;
extern settings mock;

rule  *script_read(const char *path);                       /* NULL path: no rules; ends the program on a mistake */
rule  *script_match(rule *rules, request *rq);
void   template_fill(qn_buf *out, const char *text, const request *rq, const rule *r);

void   request_understand(request *rq);                     /* fills in model, user, ... from the body */
void   request_release(request *rq);
/* Appends the whole HTTP response to `out`. */
void   answer_make(qn_buf *out, answer *a, request *rq, rule *rules);
void   json_text(qn_buf *b, qn_str s);
uint64_t text_hash(qn_str s);
void   stats_write(qn_buf *b);
#endif
