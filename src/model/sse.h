/* sse: a reply that comes as server-sent events, gathered while it comes. Holds the text so far, not the events. */
#ifndef QN_MODEL_SSE_H
#define QN_MODEL_SSE_H
#include "model/model.h"

typedef struct qn_sse_tool { int index; qn_buf id, name, arguments; } qn_sse_tool;

typedef struct qn_sse {
    qn_buf   line, event;               /* bytes of the line, and of the event's data, so far */
    qn_buf   text, thinking, refusal;
    char     finish[32];
    char     error[256];                /* an error event: what it said */
    qn_sse_tool *tools; size_t n_tools, cap_tools;
    int64_t  prompt_tokens, completion_tokens;  /* -1: not said */
    bool     done;                      /* [DONE] or a finish reason came */
    bool     broken;                    /* an event was no JSON, or a limit was passed */
    bool     skip_lf;                   /* the last line ended in CR */
} qn_sse;

void qn_sse_init(qn_sse *s);            /* also between two replies: keeps the memory */
void qn_sse_free(qn_sse *s);
/* The next bytes, cut anywhere. scratch: memory for parsing, reused. */
void qn_sse_feed(qn_sse *s, const char *p, size_t n, qn_buf *scratch);
/* The stream has ended. As qn_openai_parse: false with *why when it is not a whole reply. */
bool qn_sse_end(qn_sse *s, const qn_ask *ask, qn_arena *a, qn_reply *out, qn_buf *scratch, const char **why);
/* Do these first bytes of a body begin a stream of events? */
bool qn_sse_looks(const char *p, size_t n);
#endif
