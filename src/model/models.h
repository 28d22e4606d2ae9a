/* models: what models.c shares with models_yaml.c. */
#ifndef QN_MODEL_MODELS_H
#define QN_MODEL_MODELS_H
#include "model/model.h"
#include "data/yaml.h"

struct qn_models {
    qn_arena  arena;            /* every text of every model */
    char     *yaml_path;        /* NULL: there is none */
    qn_ynode *entries;          /* the map under `models:`, or NULL */
    struct { const char *where; qn_model *model; } *made; size_t n_made, cap_made;  /* by WHERE: roles that share one share its local server */
    qn_buf    yaml_text;
    bool      batch_all;
};

/* A model with everything at its default. */
void    qn_model_defaults(qn_model *m);
/* Reads one entry of `models:` into m; texts go to the arena. Checks every word. */
qn_code qn_model_from_yaml(qn_models *ms, const char *name, const qn_ynode *entry, qn_model *m, const char **file, const char *const **args, qn_err *e);
/* Checks the whole of `models:` without reading any key. */
qn_code qn_models_check(qn_models *ms, qn_err *e);
/* "env:NAME" or "file:PATH" -> the secret, owned by the arena. `what` names it in messages. */
qn_code qn_secret_read(qn_arena *a, qn_str where, const char *what, qn_pos pos, const char **out, qn_err *e);
#endif
