/* ask: the key and the worst price of a request. */
#include "model/model.h"

/* Lengths stand before the parts, so that no two requests share their bytes. */
static void add(qn_hasher *h, qn_str s)
{
    uint64_t n = s.n;
    qn_hasher_add(h, &n, sizeof n);
    qn_hasher_add(h, s.p, s.n);
}

qn_hash128 qn_ask_key(const qn_ask *ask)
{
    static const char *const kinds[] = { "chat", "completion", "embed", "get", "post", "person" };
    qn_hasher *h = qn_hasher_new();
    add(h, qn_str_of(kinds[ask->kind]));
    add(h, qn_str_of(ask->model ? ask->model->identity : ""));
    add(h, ask->body);
    add(h, ask->kind == QN_ASK_GET || ask->kind == QN_ASK_POST ? ask->url : (qn_str){ "", 0 });
    add(h, ask->draw);
    if (ask->period) qn_hasher_add(h, &ask->period, sizeof ask->period);
    return qn_hasher_end(h);
}

double qn_ask_worst_alone_usd(const qn_ask *ask)
{
    const qn_model *m = ask->model;
    if (!m || !m->priced || !m->url) return 0;
    if (ask->kind == QN_ASK_GET || ask->kind == QN_ASK_POST) return m->usd_per_request;
    /* Without max_tokens a reply can fill the context. */
    double completion = ask->kind == QN_ASK_EMBED ? 0 : ask->max_tokens > 0 ? ask->max_tokens : m->context_tokens > 0 ? (double)m->context_tokens : 131072;
    return ((double)ask->body.n / 2 * m->usd_per_m_prompt + completion * m->usd_per_m_completion) / 1e6;
}

double qn_ask_worst_usd(const qn_ask *ask)
{
    return qn_ask_worst_alone_usd(ask) * (ask->model && ask->kind <= QN_ASK_EMBED ? qn_model_price_share(ask->model) : 1);
}
