/* learn: from texts to a trained model in a folder: the tokenizer (the base's, or a BPE trained on the texts), tokens and their
 * weights, the training itself with checkpoints, and the folder that others load.
 *
 *   qn_learner_new -> qn_learner_add for every row -> qn_learner_run -> DIR/config.json model.safetensors tokenizer.json training.json
 *
 * The folder appears whole. It is named by what made it (training.json holds a hash of rows, options and base): asked for again
 * with the same, nothing is trained. A training that was killed goes on from its last checkpoint, kept beside the folder, and
 * ends in the same weights. One thread uses a learner; the work is split over threads of the network's own. */
#ifndef QN_NN_LEARN_H
#define QN_NN_LEARN_H
#include "nn/chat.h"
#include "nn/train.h"

typedef struct { int wide, layers, heads, kv_heads, ff, vocab, max_tokens; } qn_learn_size;    /* kv_heads 0: heads; ff 0: 8/3 of wide, in steps of 32 */

typedef struct qn_learn_options {
    qn_train_kind kind;
    const char *dir;            /* where the model goes; its parent holds the checkpoint */
    const char *base;           /* a model's folder; NULL: a new one of `size` */
    qn_learn_size size;
    int lora_rank;              /* 0: all weights are trained */
    double lora_alpha;          /* 0: twice the rank */
    const char *lora_modules;   /* NULL: all */
    int max_tokens;             /* longest row; 0: what the model takes. Texts of QN_TRAIN_LM are cut into pieces, other rows stay out */
    double beta;                /* QN_TRAIN_DPO, QN_TRAIN_STEPS: as in qn_decoder_train */
    bool   ranking;             /* a sentence encoder instead (kind is not looked at; a base is needed): rows are a = [query], b = [positive, negatives ...] */
    bool   span;                /* a reader instead (span.h; without a base a new encoder of `size`): rows are a = [question, passages ...], b = [answer] */
    const qn_str *choices;      /* span: answers that stand in no passage; a base that reads already keeps its own */
    size_t n_choices;
    double scale;               /* of its cosines; 0: 20 */
    int    teacher;             /* ranking: 0 none; 1 + qn_search_by: learn its scores over a batch's candidates (nn/teacher.h) */
    const char *teacher_dir;    /* the encoder it searches by; NULL: the base */
    double teacher_scale, teacher_share;    /* as in qn_ranking_loss */
    double blend;               /* ranking: 0..1, from the base's weights to the tuned ones: w = base + blend (tuned - base) */
    bool   gate;                /* ranking: when the tuned encoder ranks the held-back rows worse than the base, the base stays */
    double valid;               /* share of the rows, drawn by their content, that is not trained on but measured at the end */
    double warmup;              /* share of the steps in which the rate rises */
    qn_fit_options fit;         /* lr, steps, epochs, batch, pass_tokens, shape, clip, decay, seed, checkpoint_*, progress; the rest is filled in */
    bool   bf16;                /* products in bf16 where the processor can; f32 elsewhere */
    int threads;                /* <= 0: one for each core */
} qn_learn_options;

/* a: the conversation; pairs: ending in the better reply. b: ending in the worse reply. For QN_TRAIN_LM with `text` set: a text as it is.
 * The reply of an assistant's message is what is learnt (for pairs: the last one's). */
typedef struct {
    const qn_message *a, *b;
    size_t n_a, n_b;
    bool   valid;               /* held back: measured on and not trained on, whatever its content */
    bool   text;                /* a[0].content alone, without the marks of a conversation */
    float  weight, p, margin;   /* as in qn_train_row; 0: default */
    int64_t start;              /* span: 0, or 1 + a byte of the first passage at which the answer stands */
    qn_str group;               /* ranking: rows of one name share steps, and are negatives for each other; empty in all: no groups */
    const float *step;          /* QN_TRAIN_STEPS: target (0..1; negative: none) at the end of each message of a, (n_a). a[0] is what the user says, of role `user` and without
                                   a target; the others are steps of the reply, which follow each other as they are */
} qn_learn_row;

typedef struct {
    bool   trained;             /* false: it was there */
    int64_t rows, left_out, tokens, steps, params;          /* left_out: too long; tokens: of all rows, once */
    double loss_first, loss_last;                           /* means over the first and the last tenth of the steps (at most 50) */
    double loss_valid, right_valid;                         /* NAN when nothing was measured; right: pairs ranked right, labels of steps met; ranking: NDCG@10; span: rows answered right */
    double right_before, right_margin;                      /* ranking: of the base; how far apart the two can lie by chance (below it in nine of ten draws of the rows) */
    bool   refused;                                         /* by the gate: the folder holds the base */
    double seconds;             /* what the training took, in all its parts since the last start */
    qn_losses losses;           /* of every step */
    char   key[33];
} qn_learned;
void qn_learned_free(qn_learned *r);

typedef struct qn_learner qn_learner;
qn_learner *qn_learner_new(const qn_learn_options *o);      /* o and its texts are borrowed until free */
void    qn_learner_add(qn_learner *l, const qn_learn_row *r);   /* copied */
size_t  qn_learner_bytes(const qn_learner *l);              /* held */
qn_code qn_learner_run(qn_learner *l, qn_learned *out, qn_err *e);
void    qn_learner_free(qn_learner *l);

/* For trainers elsewhere. The rows as JSON lines: TRL's conversational columns (messages; prompt, chosen, rejected; text), or OpenAI's (messages;
 * input, preferred_output, non_preferred_output). QN_ERECIPE for rows they have no form for. key: of rows, settings and `extra`. */
typedef enum { QN_LEARN_TRL, QN_LEARN_OPENAI } qn_learn_layout;
qn_code qn_learner_export(const qn_learner *l, qn_learn_layout layout, qn_buf *out, qn_err *e);
qn_code qn_learner_key(const qn_learner *l, const char *extra, char hex[33], qn_err *e);
int64_t qn_learner_rows(const qn_learner *l);
/* training.json of a folder that another trainer filled; and what it says when it is of this key. */
qn_code qn_learned_write(const qn_learned *r, const char *dir, qn_err *e);
bool    qn_learned_read(const char *dir, const char *key, qn_learned *r);
#endif
