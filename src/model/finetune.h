/* finetune: training done elsewhere: by TRL (a command that is watched) or by an OpenAI-compatible fine-tuning service. Both block the calling
 * thread until the model is there, can be killed at any instant and go on when called again with the same job.
 *
 *   trl      DIR.trl/data/train.jsonl, DIR.trl/config.yaml -> `trl sft --config ...` -> DIR.trl/out -> DIR      log in DIR.trl/log.txt
 *   openai   POST /files -> POST /fine_tuning/jobs -> GET /fine_tuning/jobs/ID until it ends; what was begun is in DIR.openai.json
 *
 * A service never gets a second job for one training: before a job is begun its key is noted, and a job or file that the service already has
 * under that key (in the file's name) is taken up. */
#ifndef QN_MODEL_FINETUNE_H
#define QN_MODEL_FINETUNE_H
#include "model/model.h"
#include "nn/learn.h"

typedef struct qn_finetune {
    const char *kind;           /* "sft", "dpo", "rm", "lm" */
    const char *dir, *step;     /* where the model (or its name) goes; the step's name, for people */
    const char *base;           /* as the trainer knows it: a folder, a hub's name, a service's model */
    const qn_learn_options *o;  /* rate, epochs, batch, adapter ... as far as the trainer takes them */
    const char *command;        /* trl: the program; run by sh with ` sft --config FILE` behind it */
    const qn_model *endpoint;   /* openai */
    double      poll_s;         /* openai: seconds between looks */
    const char *key;            /* of this training: rows, settings, base */
    qn_str      rows;           /* JSON lines in the trainer's layout: qn_learner_export */
    const int  *stop;
} qn_finetune;

/* out: steps and losses as far as the trainer tells; model: the service's name of the model (openai), `size` bytes. */
qn_code qn_finetune_trl(const qn_finetune *f, qn_learned *out, qn_err *e);
qn_code qn_finetune_openai(const qn_finetune *f, qn_learned *out, char *model, size_t size, qn_err *e);
#endif
