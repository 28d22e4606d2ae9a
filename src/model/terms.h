/* terms: prices and terms of use of well-known models: facts with the date on which they were true, sources in docs/terms.md.
 * The user's own words in quern.yaml win. */
#ifndef QN_MODEL_TERMS_H
#define QN_MODEL_TERMS_H
#include "core/str.h"

typedef enum { QN_TRAIN_UNKNOWN, QN_TRAIN_ALLOWED, QN_TRAIN_CONDITIONS, QN_TRAIN_FORBIDDEN } qn_may_train;

/* May what the model wrote train another model? */
typedef struct qn_terms {
    const char *name;           /* "openai-api", "apache-2.0", "llama3.1" */
    qn_may_train may_train;
    const char *condition;      /* what holds, in one sentence of ours */
    const char *as_of;          /* "2025-11" */
} qn_terms;

typedef struct qn_price {
    const char *host;           /* end of the endpoint's host: "api.openai.com" */
    const char *model;          /* name, `*` at its end stands for the rest */
    double usd_per_m_prompt, usd_per_m_completion;
    long   context_tokens;      /* 0 unknown */
    const char *as_of;
} qn_price;

const qn_price *qn_price_find(qn_str host, qn_str model);       /* NULL unknown; the longest pattern wins */
const qn_terms *qn_terms_of_host(qn_str host);                  /* a provider's terms; NULL unknown */
const qn_terms *qn_terms_of_model(qn_str model);                /* an open model's licence, by its name; NULL unknown */
/* What may be made from a source with that licence, its name plain (data/licence.h): the first pattern that fits; NULL unknown. */
const qn_terms *qn_terms_of_source(const char *plain);
const qn_terms *qn_terms_named(qn_str name);                    /* as quern.yaml writes it; NULL unknown */
const char     *qn_terms_key_env(qn_str host);                  /* "OPENAI_API_KEY" for api.openai.com; NULL */
const char *const *qn_terms_names(size_t *n);                   /* for "did you mean" */
#endif
