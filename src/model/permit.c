/* permit: terms, applied. */
#include "model/permit.h"
#include "data/licence.h"
#include <stdio.h>

static qn_str host_of(const char *url)
{
    const char *p = url ? strstr(url, "://") : NULL;
    if (!p) return (qn_str){ "", 0 };
    return (qn_str){ p + 3, strcspn(p + 3, ":/") };
}

/* The strictest of what is known: a provider's terms bind beside the model's licence. */
static const qn_terms *terms_of(const qn_model *m)
{
    const qn_terms *own = m->terms ? qn_terms_named(qn_str_of(m->terms)) : NULL;
    if (own) return own;
    const qn_terms *licence = m->licence ? qn_terms_named(qn_str_of(m->licence)) : m->name ? qn_terms_of_model(qn_str_of(m->name)) : NULL;
    const qn_terms *host = qn_terms_of_host(host_of(m->url));
    if (!licence || !host) return licence ? licence : host;
    return host->may_train > licence->may_train ? host : licence;
}

/* A licence that forbids improving other models excepts its own family: Llama 2 may train Llama 2. */
static bool same_family(const char *terms, const char *student)
{
    char plain[64];
    size_t n = 0;
    for (const char *c = student; *c && n + 1 < sizeof plain; c++) {
        if (*c == '/') n = 0;           /* "meta-llama/Llama-2-7b": the part behind the owner */
        else if (*c != '-' && *c != '_' && *c != ' ') plain[n++] = (char)(*c | 32);
    }
    plain[n] = 0;
    return strncmp(terms, "llama", 5) == 0 && strncmp(plain, terms, strlen(terms)) == 0;
}

qn_permit qn_permit_of_source(const char *licence, const char *student)
{
    char plain[QN_LICENCE_MAX];
    qn_permit p = { .may = QN_TRAIN_UNKNOWN };
    qn_licence_plain(qn_str_of(licence ? licence : ""), plain);
    p.terms = plain[0] ? qn_terms_of_source(plain) : NULL;
    if (!p.terms && plain[0]) p.terms = qn_terms_named(qn_str_of(plain));      /* data under a model's licence */
    if (student && strcmp(student, "evaluation") == 0) { p.may = QN_TRAIN_ALLOWED; return p; }
    if (!p.terms) {
        if (plain[0]) snprintf(p.words, sizeof p.words, "whether rows made from sources under `%s` may train models is not known", licence);
        else snprintf(p.words, sizeof p.words, "the licence of some sources is not known: name it with `licence`, --licence, or in FILE.license");
        return p;
    }
    p.may = p.terms->may_train;
    if (p.may != QN_TRAIN_ALLOWED) snprintf(p.words, sizeof p.words, "sources under %s (as of %s): %s", licence, p.terms->as_of, p.terms->condition);
    return p;
}

qn_permit qn_permit_of(const qn_model *m, const char *student)
{
    qn_permit p = { .may = QN_TRAIN_UNKNOWN, .terms = terms_of(m) };
    if (student && strcmp(student, "evaluation") == 0) {
        p.may = QN_TRAIN_ALLOWED;
        return p;
    }
    if (!p.terms) {
        snprintf(p.words, sizeof p.words, "whether what %s writes may train other models is not known: name its `licence` or `terms` in quern.yaml", m->name);
        return p;
    }
    p.may = p.terms->may_train;
    if (p.may == QN_TRAIN_FORBIDDEN && student && same_family(p.terms->name, student)) p.may = QN_TRAIN_ALLOWED;
    if (p.may != QN_TRAIN_ALLOWED)
        snprintf(p.words, sizeof p.words, "%s (%s, as of %s): %s", m->name, p.terms->name, p.terms->as_of, p.terms->condition);
    return p;
}
