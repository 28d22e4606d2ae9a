/* model: what quern knows about an endpoint, what is asked of it and what comes back. One interface for every model: an
 * OpenAI-compatible HTTP endpoint. A local .gguf becomes one by a child process; `builtin` is no model. */
#ifndef QN_MODEL_MODEL_H
#define QN_MODEL_MODEL_H
#include "core/hash.h"
#include "data/licence.h"
#include "data/value.h"

/* One named model. Lives as long as the run; read by every thread, changed by none. */
typedef struct qn_model {
    const char *role;           /* the recipe's word for it: "writer"; "" in a plain use */
    const char *name;           /* what the endpoint calls it; sent as `model` */
    const char *url;            /* base, without a trailing slash: "http://host:port/v1"; NULL for a builtin */
    const char *identity;       /* what enters the key: id= of the user's, or file hash, or url + name */
    const char *key;            /* secret; never in a message, a log or the ledger; NULL none */
    const char *const *headers; /* further "Name: value" lines, NULL-terminated; may hold secrets */
    const char *proxy;          /* NULL: the environment's */
    qn_value    extra;          /* object: further body keys for every request */
    bool        builtin;        /* no model at all */
    bool        priced;         /* prices are known (a local endpoint on loopback counts as priced 0) */
    double      usd_per_m_prompt, usd_per_m_completion;     /* US dollars per million tokens */
    double      usd_per_request;    /* of a search engine: US dollars a request */
    int64_t     context_tokens;                             /* 0 unknown */
    int         max_in_flight;                              /* 0: adaptive, without a fixed ceiling */
    double      max_rpm, max_tpm;                           /* 0 unlimited: requests, tokens a minute */
    int64_t     silence_ms;     /* no byte for so long: the attempt is cut and retried; default 120,000 */
    int64_t     deadline_ms;    /* all attempts together, from the first send; default 600,000; then the row fails. A stream that is
                                 * not silent may go on for ten times as long; time spent queued behind others that a living endpoint
                                 * answers does not count. */
    int64_t     retry_ms;       /* wait after the first failed attempt, doubled each time up to 30 s; default 500 */
    int         max_tries;      /* attempts that may end in 5xx, a cut or a broken body; 0: 8 (4 for broken bodies). 429 is bounded by the deadline */
    int         stream;         /* 1 yes, 0 no, -1 where the reply may be long (max_tokens above 256 or not given) and it works */
    int         structured;     /* 1 the endpoint has response_format json_schema, 0 not (it is left out of the body), -1 sent, and left
                                 * out from then on when the endpoint answers 400 to it: say the shape in words as well unless 1 */
    bool        batch;          /* requests travel in batch files (batch.h): within a day, at a share of the price */
    double      batch_share;    /* of the price; default 0.5 */
    int64_t     batch_requests, batch_bytes;                /* a file's most; default 50,000 and 190 MB (OpenAI's limits: 50,000 and 200 MB) */
    double      batch_singly;   /* what follows on replies is asked singly when it is at most so large a part of what went in batches; default 0.02 */
    int64_t     batch_poll_ms;  /* longest time between two looks; default 60,000 */
    const char *batch_window;   /* "24h" */
    const char *licence, *terms;/* names in the terms table; NULL unknown */
    qn_licences licences;       /* of a training step: of all that it was trained on, set when its training ends; 0: it was not trained in this run */
    const char *folder;         /* a model that quern runs itself (nn/): its folder; NULL: none. Of a training step: set when the run begins */
    bool        bf16;           /* of a folder: matrix products in bf16, where the processor can */
    char        made_at[1024], made_name[256];  /* of a training step: what folder, name and identity point to */
    char        content[400];    /* of a folder: what its files hold, by qn_model_settle */
    struct qn_local *local;     /* a server that must be started first (see qn_model_ready); NULL: none */
    qn_value    search;         /* it is a search engine: `search:` of quern.yaml, the name of a known kind or an object; null: it is none */
} qn_model;

/* Starts what must run before the first request (the child server of a .gguf) and waits until it answers; nothing to do for an endpoint that
 * runs elsewhere. Call it once per model, before the first submit, from a thread that lives as long as the run: the child dies with it. */
qn_code qn_model_ready(const qn_model *m, qn_err *e);

/* A model in a folder is what is in its files: sets identity from them. Before the first request that carries it, by one thread. */
qn_code qn_model_settle(qn_model *m, qn_err *e);
/* What a request to m costs now, as a share of its price: less than 1 where it travels in a batch. */
static inline double qn_model_price_share(const qn_model *m) { return m->batch ? m->batch_share : 1; }

/* The models of a run: `quern.yaml` (in the current folder, then ~/.config/quern/) and --model ROLE=WHERE. */
typedef struct qn_models qn_models;
qn_code qn_models_open(qn_models **out, const char *yaml_path /* NULL: look for it */, qn_err *e);
void    qn_models_batch_all(qn_models *m);          /* every endpoint resolved from now on takes batches, as `batch: yes` says of one */
void    qn_models_close(qn_models *m);              /* also ends children that were started */
/* WHERE: a name in quern.yaml; http(s)://host[:port]/v1#name; a .gguf file (a child server is started at once or on first use);
 * a folder of safetensors, which quern runs itself; builtin. Borrowed from m. */
qn_code qn_models_resolve(qn_models *m, const char *role, const char *where, const qn_model **out, qn_err *e);

typedef enum { QN_ASK_CHAT, QN_ASK_COMPLETION, QN_ASK_EMBED, QN_ASK_GET, QN_ASK_POST, QN_ASK_PERSON } qn_ask_kind;

#define QN_UNDECIDED "nobody has decided yet"
#define QN_NOT_RECORDED "there is no recorded reply"

/* One request. `body` is the canonical JSON body without `model`, `stream`. For GET and POST (search, pages) `url` is the whole address; with a model it
 * may be what comes behind the model's url ("/search?q=mill"), so that the model's own query, which may hold a secret, is added on the wire alone.
 * A PERSON is asked about `body` by whoever shows it to people (the operator `review`);
 * `answer` is what was decided by now, and nothing is sent: without one the reply has failed with QN_UNDECIDED. Nothing is followed elsewhere: a redirect is an answer, and whoever asked decides. A GET to no model takes every definite status for an answer. */
typedef struct qn_ask {
    qn_ask_kind kind;
    const qn_model *model;      /* NULL for GET/POST to no model */
    qn_str   body;
    qn_str   url;               /* GET and POST only */
    qn_str   answer;            /* PERSON only; no part of the key; "" nobody decided yet */
    qn_str   draw;              /* "" for deterministic requests (temperature 0, embeddings, searches); else the row's path */
    int      max_tokens;        /* for the worst-case price; 0: none asked */
    bool     allow_private;     /* GET and POST: private and loopback addresses may be asked */
    int64_t  max_bytes;         /* GET and POST: longest answer; 0: 20 MB */
    int64_t  deadline_ms;       /* GET and POST to no model: all attempts together; 0: two minutes */
    double   max_rpm;           /* GET and POST to no model: requests a minute to this host, the least that any request said; 0 none */
    int64_t  period;            /* part of the key: an answer that holds for a time only is asked for again in the next period; 0: holds for good */
    bool     recorded_only;     /* nothing is sent: without a recorded reply it has failed with QN_NOT_RECORDED */
    bool     shared;            /* what it gives is many rows' (an index, a robots.txt): no part of the history of the row that asked */
} qn_ask;

/* Key of a reply in the ledger: model identity + kind + canonical body (or url) + draw, and the period where there is one. */
qn_hash128 qn_ask_key(const qn_ask *ask);
/* Upper bound of what the request may cost, US dollars: all bytes of the body as tokens / 2 (a bound for every tokenizer in use on
 * natural text is 1 token per byte; the estimate used is named in docs/) + max_tokens. */
double     qn_ask_worst_usd(const qn_ask *ask);         /* as its model's requests travel: in batches at their share of the price */
double     qn_ask_worst_alone_usd(const qn_ask *ask);   /* outside a batch */

typedef enum {
    QN_REPLY_OK,            /* a complete 2xx with content; GET to no model: also a redirect or a definite 4xx, `http` says which */
    QN_REPLY_REFUSED,       /* a definite refusal: content filter, `refusal` field */
    QN_REPLY_CUT,           /* finish_reason length: content is there but incomplete */
    QN_REPLY_FAILED         /* not a reply: transport, HTTP error, empty or broken body, deadline. Never recorded. */
} qn_reply_status;

typedef struct qn_reply {
    qn_reply_status status;
    int      http;              /* last status code; 0 when none came */
    qn_str   text;              /* content of the first choice (chat: message.content; completion: text); GET/POST: the body */
    qn_str   thinking;          /* reasoning_content, reasoning, or what stood in <think>..</think>; "" when none */
    qn_str   finish;            /* "stop", "length", "content_filter", "tool_calls", ... */
    qn_value tool_calls;        /* list or null */
    qn_value logprobs;          /* choice's logprobs or null */
    qn_value embeddings;        /* list of lists or null */
    int64_t  prompt_tokens, completion_tokens;
    double   cost_usd;
    bool     tokens_estimated;  /* the endpoint gave no usage */
    bool     thinking_tagged;   /* the thinking stood in <think> tags, not in a field of its own */
    bool     streamed;          /* it came as a stream */
    bool     replayed;          /* from the ledger */
    int      attempts;          /* sent requests, retries included; 0 when replayed */
    double   seconds;           /* from first send to last byte */
    qn_str   content_type;      /* GET/POST: "text/html; charset=utf-8"; "" when the server does not say */
    qn_str   location;          /* GET/POST: where a redirect points, a whole address; "" none */
    qn_str   error;             /* QN_REPLY_FAILED: what happened, for people: "HTTP 500 after 6 attempts: ..." */
    bool     unreachable;       /* QN_REPLY_FAILED: nobody ever answered at that address */
} qn_reply;

/* Reads a recorded reply (see ledger/: the bytes written by qn_reply_encode) into `a`. */
qn_code qn_reply_decode(qn_str recorded, const qn_ask *ask, qn_arena *a, qn_reply *out, qn_err *e);
/* A copy that owns all it points to, in `a`. A field that points to bytes is added here, in encode and in decode. */
qn_reply qn_reply_copy(qn_arena *a, const qn_reply *r);
/* The bytes to record: compact JSON of content, thinking, finish, tool calls, logprobs, usage. Secrets never enter. */
void    qn_reply_encode(const qn_reply *r, qn_buf *out);
#endif
