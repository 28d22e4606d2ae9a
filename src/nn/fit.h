/* fit: the loop that every training here shares: rows in a shuffled order, a loss that leaves gradients, clipping, a schedule,
 * AdamW, checkpoints. The result depends on rows, options and seed alone: not on threads, and not on how often the
 * training was killed and begun again. */
#ifndef QN_NN_FIT_H
#define QN_NN_FIT_H
#include "core/hash.h"
#include "nn/params.h"

typedef enum { QN_LR_CONSTANT, QN_LR_LINEAR, QN_LR_COSINE } qn_lr_shape;    /* after the warm-up: stays, or falls to lr_end */
typedef struct qn_fit_state {
    int64_t step, steps;        /* done; in all */
    int64_t rows, tokens;       /* seen so far */
    double loss;                /* of this step: mean over what counts */
    double right;               /* pairs and in-batch ranking: share ranked right in this step */
    double lr, grad_norm;       /* before clipping */
} qn_fit_state;

typedef struct { float *p; size_t n, cap; } qn_losses;     /* zero-initialise; owned: qn_free(p) */
typedef struct qn_fit_options {
    double lr, lr_end;          /* highest rate, above 0 (no default); lr_end is the lowest rate of a falling schedule */
    qn_lr_shape shape;
    int64_t warmup;             /* steps from 0 up to lr */
    int64_t steps;              /* 0: from epochs */
    double epochs;              /* used when steps is 0; 0: 1 */
    int batch;                  /* rows of one step, >= 1 */
    int pass_tokens;            /* most tokens (padding-free) that go through the network at once; a step has as many passes as
                                   it needs and sums their gradients. 0: 4096 */
    double clip;                /* largest norm of the gradient; 0: none */
    double decay, b1, b2, eps;  /* AdamW; b1 0: 0.9, b2 0: 0.999, eps 0: 1e-8. Vectors (norms, biases) do not decay. */
    uint64_t seed;
    bool in_order;              /* do not shuffle */
    const uint32_t *group;      /* (rows) or NULL: rows of a group stand side by side in the order, so that they share steps; groups and the rows of each are
                                   shuffled */
    const char *checkpoint;     /* a file, or NULL. When it is there and of this very training, that one goes on; of another: QN_EUSAGE */
    int64_t checkpoint_every;   /* steps; 0: at the end (or when stopped) alone */
    double checkpoint_seconds;  /* and whenever so much time has passed since the last; 0: not */
    qn_losses *losses;          /* gets every step's loss from the first, those before a resume too; or NULL */
    bool (*progress)(void *arg, const qn_fit_state *s);     /* after each step; false: write a checkpoint and return QN_ESTOP. Or NULL */
    void *progress_arg;
} qn_fit_options;

/* Adds to the groups' gradients those of the mean loss of the rows of one step; s->loss, right, tokens are its to fill. */
typedef qn_code qn_fit_loss(void *arg, const uint32_t *rows, size_t n, qn_fit_state *s, qn_err *e);

/* Trains groups (borrowed, changed in place; gradients and moments are made where they are not there).
 * identity: hash of what makes this training this one beside the options (rows, kind). `last` (or NULL) gets the state at the end, on an error too.
 * Errors: QN_EDATA without rows or when the loss is not finite; QN_ERECIPE for a batch below 1 or a rate of 0; QN_ESTOP when progress asks for it;
 * QN_EUSAGE for a checkpoint of another training; QN_EIO. What the loss returns is passed on. */
qn_code qn_fit(const qn_fit_options *o, size_t n_rows, qn_params *const *groups, int n_groups, qn_pool *pool, qn_hash128 identity,
               qn_fit_loss *loss, void *arg, qn_fit_state *last, qn_err *e);
double qn_fit_lr(const qn_fit_options *o, int64_t step, int64_t steps);     /* the rate of step 1.. */
#endif
