/* net_span: an encoder that reads answers to requests.
 *
 *   {"span": k, "question": text, "passages": [texts], "temperature": t, "max_tokens": longest}
 *       reply: a JSON list of at most k {answer, score, passage, start}, likeliest first; passage null for the model's own choices
 *   {"messages": [...], "temperature": t, "max_tokens": longest}
 *       the last message is the question, an empty line, and the passages with empty lines between; reply: the answer, drawn when t > 0 */
#ifndef QN_MODEL_NET_SPAN_H
#define QN_MODEL_NET_SPAN_H
#include "model/loop.h"
#include "nn/span.h"

/* Fills in the call's reply; false, and nothing is done, when the encoder does not read or the request is no question. */
bool qn_net_span(qn_encoder *enc, qn_call *c);
#endif
