/* doctor: finds out what an endpoint can do, by asking it: a bounded number of short requests (about 80, of at most 300 tokens each).
 * The one long request, which makes a server name its context length, goes only to servers on this machine, where it costs nothing. */
#ifndef QN_MODEL_DOCTOR_H
#define QN_MODEL_DOCTOR_H
#include "model/model.h"

enum { QN_NO = 0, QN_YES = 1, QN_UNSURE = -1 };

typedef struct qn_doctor {
    const char *url, *name;         /* what was asked */
    const char *file;               /* a .gguf that was served for this; NULL: an endpoint that runs elsewhere */
    const char *const *names;       /* all models that the endpoint lists */
    size_t   n_names;
    int64_t  context_tokens;        /* 0 unknown */
    const char *context_from;       /* "/models", "/props", "its refusal of a long prompt", "the table of terms"; NULL unknown */
    int      stream, stream_usage, usage, structured, logprobs, completions, completion_logprobs, embeddings;   /* QN_YES, QN_NO, QN_UNSURE */
    int64_t  embedding_dims;
    const char *thinking;           /* "no", "reasoning_content" (its own field), "<think>" (tags; split off by quern) */
    double   seconds;               /* of one short reply */
    int      parallel;              /* requests at once that still raised the throughput */
    double   per_s_alone, per_s_parallel;   /* replies a second at one and at `parallel` */
    int      n_requests;            /* sent for all this */
    const char *trouble;            /* what did not work, one line; NULL */
} qn_doctor;

/* where: a name in quern.yaml, http(s)://host/v1[#name], a .gguf file. say: called with one line before each probe; may be NULL.
 * Errors: QN_EMODEL nothing answers or the first chat fails; QN_EUSAGE several models and none named (the error lists them). */
qn_code qn_doctor_run(qn_models *models, const char *where, void (*say)(const char *line), qn_arena *a, qn_doctor *out, qn_err *e);
/* The entry to put below `models:` in quern.yaml, two spaces in. */
void    qn_doctor_yaml(const qn_doctor *d, const qn_model *m, qn_buf *out);
void    qn_doctor_json(const qn_doctor *d, qn_buf *out);
#endif
