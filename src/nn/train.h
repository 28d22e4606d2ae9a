/* train: training a decoder: plain language modelling and masked SFT, preference (DPO), reward and step-reward heads. When the
 * model has a LoRA adapter, the adapter is trained and the base stays; a reward head is always trained with its kinds. */
#ifndef QN_NN_TRAIN_H
#define QN_NN_TRAIN_H
#include "nn/decoder.h"
#include "nn/fit.h"

typedef enum {
    QN_TRAIN_LM,        /* a: cross-entropy of its tokens by their weights (reply tokens 1, prompt tokens 0: SFT; NULL: all).
                           Short rows are laid end to end and do not see each other: nothing is padded. */
    QN_TRAIN_DPO,       /* a against b, weights mark the reply's tokens; the reference is the model as it is when training begins.
                           loss = -p log s(h) - (1 - p) log s(-h), h = beta * (gain of a - gain of b), s the logistic function.
                           p = 1 is DPO (Rafailov et al. 2023); p from reward scores is the weighted form (Gallego 2024; with a
                           constant p: Mitchell 2023) */
    QN_TRAIN_REWARD,    /* -p log s(r(a) - r(b) - margin) - (1 - p) log s(-...), r the head's score at the last token (Ouyang et al. 2022) */
    QN_TRAIN_STEPS      /* a: logistic loss of the head's score at each token that has a label (Lightman et al. 2023), plus beta times the
                           cross-entropy of its tokens by their weights: what solves goes on to solve (Cobbe et al. 2021, section 4.2) */
} qn_train_kind;

typedef struct { qn_seq a, b; float weight /* of the row; 0: 1 */, p /* pairs: probability that a is better; 0: 1 */, margin; } qn_train_row;

/* beta: DPO's, 0: 0.1; of step rewards: the weight of language modelling, 0: none. The model is changed in place; with o->checkpoint the caller passes the same initial model again to
 * resume. Rows are borrowed for the call. `last` (or NULL) gets the state at the end. */
qn_code qn_decoder_train(qn_decoder *m, qn_train_kind kind, const qn_fit_options *o, double beta, const qn_train_row *rows, size_t n,
                         qn_fit_state *last, qn_err *e);
#endif
