/* batch_lines: the bytes of OpenAI batch files: one request a line going out, one result a line coming back. Pure: no network, no files.
 *
 *   out  {"custom_id":"<key>","method":"POST","url":"/v1/chat/completions","body":{...}}
 *   back {"custom_id":"<key>","response":{"status_code":200,"body":{...}},"error":null}
 * The custom id is the ledger's key of the request, so that a result finds its row in whichever run it arrives. */
#ifndef QN_MODEL_BATCH_LINES_H
#define QN_MODEL_BATCH_LINES_H
#include "model/model.h"

/* Appends one line, newline included. quirks: what the endpoint was found not to take (openai.h); a batch never streams. */
void qn_batch_line_put(const qn_ask *ask, qn_hash128 key, unsigned quirks, qn_buf *out);

typedef struct qn_batch_result {
    qn_hash128 key;
    int     status;             /* of the one request; 0: it has an error and no response */
    qn_str  body;               /* the response's body as JSON; in `scratch` of the reader */
    char    code[64], error[320];   /* "batch_expired" ..., and words for people; "" none */
} qn_batch_result;
/* Reads one line; false when it is no result (not JSON, no custom id of ours). body lies in `body` until its next use. */
bool qn_batch_line_read(qn_str line, qn_buf *body, qn_batch_result *out);

typedef enum { QN_BATCH_RUNS, QN_BATCH_COMPLETED, QN_BATCH_FAILED, QN_BATCH_EXPIRED, QN_BATCH_CANCELLED } qn_batch_status;
typedef struct qn_batch_view {  /* a batch as the endpoint tells it */
    char    id[128], status_word[32], input_file[128], output_file[128], error_file[128], mark[64];     /* mark: our word in its metadata */
    qn_batch_status status;
    int64_t total, completed, failed, created_at;   /* created_at: seconds; 0 unknown */
    char    code[64], error[320];                   /* of a failed one: the first of its errors */
} qn_batch_view;
bool qn_batch_view_read(qn_str json, qn_batch_view *out);           /* false: no batch object with an id and a status */
/* One page of a list of batches: calls `fn` for each until it returns false. *more: there are further pages, after `last`. */
bool qn_batch_list_read(qn_str json, bool (*fn)(void *arg, const qn_batch_view *v), void *arg, bool *more, char last[128]);
/* The id of an uploaded file; false when there is none. */
bool qn_file_view_read(qn_str json, char id[128]);
#endif
