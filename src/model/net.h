/* net: a model in a folder that quern runs itself: a decoder that writes (nn/generate), an encoder that embeds, or one that reads (net_span). To the rest it answers as an
 * endpoint does.
 *
 *   submit -> [waiting] -> a batch: all that wait and want the same temperature, top_p and length -> done(calls)
 *
 * One thread owns the network; the work is split over threads of its own. What a request gets depends on the model, the request and its draw
 * alone, not on the batch it was in. */
#ifndef QN_MODEL_NET_H
#define QN_MODEL_NET_H
#include "model/loop.h"

typedef struct qn_net qn_net;
/* The folder is read at the first request. done: as for qn_loop_open, called on the net's thread. */
qn_net *qn_net_new(const char *folder, bool bf16, int n_threads, void (*done)(void *arg, qn_call *calls), void *arg);
void    qn_net_submit(qn_net *n, qn_call *calls);   /* linked by next; thread-safe, never blocks */
void    qn_net_stop(qn_net *n);                     /* what waits comes back as QN_REPLY_FAILED "stopped"; the batch in hand ends */
void    qn_net_free(qn_net *n);                     /* stops, joins */
#endif
