/* learn_net: the inside of a learner, for the files that train other things than decoders. */
#ifndef QN_NN_LEARN_NET_H
#define QN_NN_LEARN_NET_H
#include "core/map.h"
#include "nn/encoder.h"
#include "nn/learn.h"

typedef struct { size_t at; uint32_t n_a, n_b, group; bool text, valid; float weight, p, margin; const float *step; int64_t start; } qn_kept;     /* a row: its messages from `at` on; group: 0 none */

struct qn_learner {
    const qn_learn_options *o;
    qn_arena arena;
    qn_message *msgs;
    size_t n_msgs, cap_msgs;
    qn_kept *rows;
    size_t n, cap;
    qn_decoder *m;
    qn_encoder *enc;
    qn_tokenizer *tok;
    qn_chat chat;
    qn_ids ids;                 /* of all rows, one after the other */
    qn_weights weights, labels;
    int64_t left_out;
    qn_map  groups;             /* name -> number from 1 */
    uint32_t n_groups;
    int     longest;            /* text that the encoder takes, in tokens */
};

bool    qn_learner_holds_back(const qn_learner *l, const qn_kept *k);           /* is the row one that is measured on? Drawn by its content */
/* The training's own options for n rows: warm-up, checkpoint, where losses go. */
qn_fit_options qn_learner_fit(const qn_learner *l, size_t n, const char *checkpoint, qn_learned *out);
void    qn_learned_means(qn_learned *out);                                      /* loss_first, loss_last */
void    qn_learned_remove(const char *dir);                                     /* a model's folder, when it holds nothing else */

/* Tunes a sentence encoder into the folder `part` (learn_embed.c). */
qn_code qn_learn_embed(qn_learner *l, const char *part, const char *checkpoint, qn_learned *out, qn_err *e);
/* Trains a reader into the folder `part` (learn_span.c). */
qn_code qn_learn_span(qn_learner *l, const char *part, const char *checkpoint, qn_learned *out, qn_err *e);
#endif
