/* terms: the tables. Keep them short: well-known models only; a price that is not sure is left out. docs/terms.md names the sources. */
#include "model/terms.h"
#include "data/licence.h"
#include <strings.h>

static const qn_price PRICES[] = {     /* US dollars for a million tokens: standard rate, text, no cache, no batch */
    { "api.openai.com", "gpt-4o",              2.50, 10.00, 128000,  "2025-08" },
    { "api.openai.com", "gpt-4o-2024-*",       2.50, 10.00, 128000,  "2025-08" },
    { "api.openai.com", "gpt-4o-mini*",        0.15,  0.60, 128000,  "2025-08" },
    { "api.openai.com", "gpt-4.1",             2.00,  8.00, 1047576, "2025-08" },
    { "api.openai.com", "gpt-4.1-2025*",       2.00,  8.00, 1047576, "2025-08" },
    { "api.openai.com", "gpt-4.1-mini*",       0.40,  1.60, 1047576, "2025-08" },
    { "api.openai.com", "gpt-4.1-nano*",       0.10,  0.40, 1047576, "2025-08" },
    { "api.openai.com", "o3",                  2.00,  8.00, 200000,  "2025-08" },
    { "api.openai.com", "o4-mini*",            1.10,  4.40, 200000,  "2025-08" },
    { "api.openai.com", "gpt-5",               1.25, 10.00, 400000,  "2025-08" },
    { "api.openai.com", "gpt-5-2025*",         1.25, 10.00, 400000,  "2025-08" },
    { "api.openai.com", "gpt-5-mini*",         0.25,  2.00, 400000,  "2025-08" },
    { "api.openai.com", "gpt-5-nano*",         0.05,  0.40, 400000,  "2025-08" },
    { "api.openai.com", "text-embedding-3-small", 0.02, 0,  8191,    "2025-08" },
    { "api.openai.com", "text-embedding-3-large", 0.13, 0,  8191,    "2025-08" },
    { "api.anthropic.com", "claude-3-5-haiku*", 0.80,  4.00, 200000, "2025-08" },
    { "api.anthropic.com", "claude-3-7-sonnet*", 3.00, 15.00, 200000, "2025-08" },
    { "api.anthropic.com", "claude-sonnet-4*", 3.00, 15.00, 200000,  "2025-08" },
    { "api.anthropic.com", "claude-opus-4-2025*", 15.00, 75.00, 200000, "2025-08" },
    { "api.anthropic.com", "claude-opus-4-1*", 15.00, 75.00, 200000, "2025-08" },
    { "generativelanguage.googleapis.com", "gemini-2.5-flash",      0.30, 2.50, 1048576, "2025-08" },
    { "generativelanguage.googleapis.com", "gemini-2.5-flash-lite", 0.10, 0.40, 1048576, "2025-08" },
    { "generativelanguage.googleapis.com", "gemini-2.0-flash",      0.10, 0.40, 1048576, "2025-08" },
};

static const qn_terms TERMS[] = {
    { "openai-api", QN_TRAIN_CONDITIONS, "output may not be used to develop models that compete with the provider", "2025-08" },
    { "anthropic-api", QN_TRAIN_CONDITIONS, "output may not be used to train competing models without the provider's approval", "2025-08" },
    { "gemini-api", QN_TRAIN_CONDITIONS, "the service may not be used to develop models that compete with it", "2025-08" },
    { "deepseek-api", QN_TRAIN_ALLOWED, "inputs and outputs may train other models, distillation included", "2025-08" },
    { "apache-2.0", QN_TRAIN_ALLOWED, "the licence sets no condition on outputs", "2025-08" },
    { "mit", QN_TRAIN_ALLOWED, "the licence sets no condition on outputs", "2025-08" },
    { "llama3.1", QN_TRAIN_CONDITIONS, "a model trained on outputs and given to others must carry `Llama` at the start of its name, and the notice", "2025-08" },
    { "llama3.2", QN_TRAIN_CONDITIONS, "a model trained on outputs and given to others must carry `Llama` at the start of its name, and the notice", "2025-08" },
    { "llama3.3", QN_TRAIN_CONDITIONS, "a model trained on outputs and given to others must carry `Llama` at the start of its name, and the notice", "2025-08" },
    { "llama4", QN_TRAIN_CONDITIONS, "a model trained on outputs and given to others must carry `Llama` at the start of its name, and the notice", "2025-08" },
    { "llama3", QN_TRAIN_FORBIDDEN, "outputs may not improve other language models than Llama 3 and its derivatives", "2025-08" },
    { "llama2", QN_TRAIN_FORBIDDEN, "outputs may not improve other language models than Llama 2 and its derivatives", "2025-08" },
    { "gemma", QN_TRAIN_CONDITIONS, "a model trained on outputs to behave alike counts as a derivative: its terms and use policy go with it", "2025-08" },
    { "qwen", QN_TRAIN_CONDITIONS, "a model trained with outputs and given to others must show `Built with Qwen` or `Improved using Qwen`", "2025-08" },
    { "qwen-research", QN_TRAIN_CONDITIONS, "for research, not for commerce; a model trained with outputs must show `Built with Qwen`", "2025-08" },
    { "your-own", QN_TRAIN_ALLOWED, "the user says that the outputs are theirs to use", "2025-08" },
};

static const struct { const char *host, *terms, *key_env; } PROVIDERS[] = {
    { "api.openai.com", "openai-api", "OPENAI_API_KEY" },
    { "openai.azure.com", "openai-api", NULL },
    { "api.anthropic.com", "anthropic-api", "ANTHROPIC_API_KEY" },
    { "generativelanguage.googleapis.com", "gemini-api", "GEMINI_API_KEY" },
    { "api.deepseek.com", "deepseek-api", "DEEPSEEK_API_KEY" },
    { "api.mistral.ai", NULL, "MISTRAL_API_KEY" },
    { "openrouter.ai", NULL, "OPENROUTER_API_KEY" },
    { "api.together.xyz", NULL, "TOGETHER_API_KEY" },
    { "api.groq.com", NULL, "GROQ_API_KEY" },
    { "api.fireworks.ai", NULL, "FIREWORKS_API_KEY" },
};

/* Names of open models, without the maker before the slash, lower case. The longest that begins the name wins. */
static const struct { const char *prefix, *terms; } OPEN[] = {
    { "llama-2", "llama2" }, { "meta-llama-3-", "llama3" }, { "llama-3-", "llama3" }, { "llama-3.1", "llama3.1" }, { "meta-llama-3.1", "llama3.1" },
    { "llama-3.2", "llama3.2" }, { "llama-3.3", "llama3.3" }, { "llama-4", "llama4" },
    { "qwen2.5-3b", "qwen-research" }, { "qwen2.5-72b", "qwen" }, { "qwen2.5-0.5b", "apache-2.0" }, { "qwen2.5-1.5b", "apache-2.0" },
    { "qwen2.5-7b", "apache-2.0" }, { "qwen2.5-14b", "apache-2.0" }, { "qwen2.5-32b", "apache-2.0" }, { "qwen3-", "apache-2.0" },
    { "mistral-7b", "apache-2.0" }, { "mixtral-8x7b", "apache-2.0" }, { "mixtral-8x22b", "apache-2.0" }, { "mistral-nemo", "apache-2.0" },
    { "mistral-small-24b", "apache-2.0" }, { "mistral-small-3", "apache-2.0" },
    { "gemma-", "gemma" }, { "phi-3", "mit" }, { "phi-4", "mit" }, { "deepseek-r1", "mit" }, { "deepseek-v3-0324", "mit" },
    { "deepseek-v3.1", "mit" }, { "gpt-oss-", "apache-2.0" }, { "olmo-2", "apache-2.0" }, { "smollm", "apache-2.0" }, { "tinyllama", "apache-2.0" },
};

/* Licences of sources: what they say of what is made from them. `name` is a pattern over plain names; the first that fits wins. */
static const qn_terms SOURCES[] = {
    { "your-own", QN_TRAIN_ALLOWED, "the user says that it is theirs to use", "2025-08" },
    { "cc0-*", QN_TRAIN_ALLOWED, "all rights are waived", "2025-08" },
    { "pddl*", QN_TRAIN_ALLOWED, "all rights are waived", "2025-08" },
    { "public-domain*", QN_TRAIN_ALLOWED, "nobody has rights in it", "2025-08" },
    { "unlicense*", QN_TRAIN_ALLOWED, "all rights are waived", "2025-08" },
    { "cc-by-nc-nd*", QN_TRAIN_FORBIDDEN, "what is made from it may not be given to others, and nothing of it may serve commerce", "2025-08" },
    { "cc-by-nd*", QN_TRAIN_FORBIDDEN, "what is made from it may not be given to others", "2025-08" },
    { "cc-by-nc-sa*", QN_TRAIN_CONDITIONS, "not for commerce; what is made from it carries the same licence and names the authors", "2025-08" },
    { "cc-by-nc*", QN_TRAIN_CONDITIONS, "not for commerce; the authors are named", "2025-08" },
    { "cc-by-sa*", QN_TRAIN_CONDITIONS, "what is made from it carries the same licence and names the authors", "2025-08" },
    { "cc-by*", QN_TRAIN_CONDITIONS, "the authors are named", "2025-08" },
    { "odc-by*", QN_TRAIN_CONDITIONS, "the source is named", "2025-08" },
    { "odbl*", QN_TRAIN_CONDITIONS, "a database made from it carries the same licence and names the source", "2025-08" },
    { "gfdl*", QN_TRAIN_CONDITIONS, "what is made from it carries the same licence and names the authors", "2025-08" },
    { "mit", QN_TRAIN_ALLOWED, "copies carry the notice", "2025-08" },
    { "isc", QN_TRAIN_ALLOWED, "copies carry the notice", "2025-08" },
    { "bsd*", QN_TRAIN_ALLOWED, "copies carry the notice", "2025-08" },
    { "apache-2.0", QN_TRAIN_ALLOWED, "copies carry the notice", "2025-08" },
    { "mpl-2.0", QN_TRAIN_CONDITIONS, "changed files carry the same licence", "2025-08" },
    { "*gpl*", QN_TRAIN_CONDITIONS, "what is derived from it carries the same licence", "2025-08" },
    { "proprietary*", QN_TRAIN_FORBIDDEN, "its owner keeps all rights", "2025-08" },
    { "all-rights-reserved*", QN_TRAIN_FORBIDDEN, "its owner keeps all rights", "2025-08" },
    { "*no-ai*", QN_TRAIN_FORBIDDEN, "its owner does not want models trained on it", "2025-08" },
    { "noai*", QN_TRAIN_FORBIDDEN, "its owner does not want models trained on it", "2025-08" },
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* host may carry a port; `end` must be the whole name or follow a dot. */
static bool host_is(qn_str host, const char *end)
{
    const char *colon = host.n ? memchr(host.p, ':', host.n) : NULL;
    if (colon) host.n = (size_t)(colon - host.p);
    size_t k = strlen(end);
    return host.n >= k && strncasecmp(host.p + host.n - k, end, k) == 0 && (host.n == k || host.p[host.n - k - 1] == '.');
}

static bool fits(qn_str name, const char *pattern)
{
    size_t k = strlen(pattern);
    bool open = k && pattern[k - 1] == '*';
    return open ? name.n >= k - 1 && memcmp(name.p, pattern, k - 1) == 0 : qn_str_is(name, pattern);
}

const qn_price *qn_price_find(qn_str host, qn_str model)
{
    const qn_price *best = NULL;
    for (size_t i = 0; i < COUNT(PRICES); i++)
        if (host_is(host, PRICES[i].host) && fits(model, PRICES[i].model) && (!best || strlen(PRICES[i].model) > strlen(best->model))) best = &PRICES[i];
    return best;
}

const qn_terms *qn_terms_named(qn_str name)
{
    for (size_t i = 0; i < COUNT(TERMS); i++) if (qn_str_is(name, TERMS[i].name)) return &TERMS[i];
    return NULL;
}

const qn_terms *qn_terms_of_source(const char *plain)
{
    for (size_t i = 0; i < COUNT(SOURCES); i++) if (qn_licence_fits(SOURCES[i].name, plain)) return &SOURCES[i];
    return NULL;
}

const qn_terms *qn_terms_of_host(qn_str host)
{
    for (size_t i = 0; i < COUNT(PROVIDERS); i++)
        if (host_is(host, PROVIDERS[i].host)) return PROVIDERS[i].terms ? qn_terms_named(qn_str_of(PROVIDERS[i].terms)) : NULL;
    return NULL;
}

const char *qn_terms_key_env(qn_str host)
{
    for (size_t i = 0; i < COUNT(PROVIDERS); i++) if (host_is(host, PROVIDERS[i].host)) return PROVIDERS[i].key_env;
    return NULL;
}

const qn_terms *qn_terms_of_model(qn_str model)
{
    const char *slash = model.n ? memrchr(model.p, '/', model.n) : NULL;
    const char *best = NULL, *terms = NULL;
    if (slash) model = qn_str_sub(model, (size_t)(slash - model.p) + 1, model.n);
    for (size_t i = 0; i < COUNT(OPEN); i++) {
        size_t k = strlen(OPEN[i].prefix);
        if (model.n >= k && strncasecmp(model.p, OPEN[i].prefix, k) == 0 && (!best || k > strlen(best))) { best = OPEN[i].prefix; terms = OPEN[i].terms; }
    }
    return terms ? qn_terms_named(qn_str_of(terms)) : NULL;
}

const char *const *qn_terms_names(size_t *n)
{
    static const char *names[COUNT(TERMS)];
    for (size_t i = 0; i < COUNT(TERMS); i++) names[i] = TERMS[i].name;
    *n = COUNT(TERMS);
    return names;
}
