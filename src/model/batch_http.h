/* batch_http: one request after another to an endpoint's files and batches, on the thread that calls. A batch takes minutes to a day: nothing is
 * gained by asking more than one thing at a time, so the loop's machinery is not needed here. Retries for 408, 409, 425, 429, 5xx and cut
 * connections with jitter, as Retry-After says; silence timeouts; certificates checked; proxies as for every model. */
#ifndef QN_MODEL_BATCH_HTTP_H
#define QN_MODEL_BATCH_HTTP_H
#include "core/rng.h"
#include "model/model.h"
#include <stdio.h>

typedef struct qn_batch_request {
    const char *method;         /* "GET" or "POST" */
    const char *path;           /* behind the model's url: "/batches?limit=100" */
    qn_str   json;              /* POST: the body; empty: `file` is uploaded as multipart, purpose `batch` */
    FILE    *file;              /* borrowed; from its beginning */
    const char *file_name;
    const char *idempotency;    /* sent as Idempotency-Key; NULL none */
    FILE    *to;                /* the answer goes here (from its beginning); NULL: into qn_batch_answer.body */
    bool     once;              /* no retry after a connection that was cut or a 5xx: the caller looks first what became of it */
} qn_batch_request;

typedef enum { QN_WEB_OK, QN_WEB_REFUSED /* a definite 4xx */, QN_WEB_TROUBLE /* not to be had before the deadline */, QN_WEB_STOPPED } qn_web_end;

typedef struct qn_batch_answer {
    qn_web_end end;
    int      status;            /* last HTTP status; 0: none came */
    bool     reached;           /* somebody answered */
    qn_buf   body;              /* also of an error; at most 16 MB */
    char     words[400];        /* not OK: for people, without secrets */
} qn_batch_answer;

/* patience_ms: how long to go on trying. stop: raised by another thread; looked at about ten times a second. The answer's body is the caller's to free. */
void qn_batch_ask(const qn_model *m, const qn_batch_request *r, int64_t patience_ms, const int *stop, qn_rng *rng, qn_batch_answer *out);
#endif
