/* dry: made-up replies. */
#include "engine/dry.h"

static qn_value sample_of(qn_value schema, uint64_t n, int depth, qn_arena *a)
{
    qn_value v, t;
    qn_str name, word;
    if (depth > 12) return qn_v_null();
    if (qn_v_get(schema, QN_STR("enum"), &v) && v.n) return qn_v_at(v, n % v.n);
    if (qn_v_get(schema, QN_STR("anyOf"), &v) && v.n) return sample_of(qn_v_at(v, 0), n, depth + 1, a);
    qn_v_get(schema, QN_STR("type"), &t);
    word = qn_v_str(t.kind == QN_V_LIST ? qn_v_at(t, 0) : t);
    if (qn_str_is(word, "object")) {
        qn_object_b o = { .a = a };
        qn_v_get(schema, QN_STR("properties"), &v);
        qn_v_iter it = qn_v_iter_of(v);
        while (qn_v_next(&it, &name, &t)) qn_object_put(&o, name, sample_of(t, n, depth + 1, a));
        return qn_object_end(&o);
    }
    if (qn_str_is(word, "array")) {
        qn_list_b l = { .a = a };
        qn_v_get(schema, QN_STR("items"), &v);
        for (uint64_t k = 0; k < 3; k++) qn_list_put(&l, sample_of(v, n * 3 + k, depth + 1, a));
        return qn_list_end(&l);
    }
    if (qn_str_is(word, "boolean")) return qn_v_bool(n % 2 == 0);
    if (qn_str_is(word, "integer") || qn_str_is(word, "number")) return qn_v_get(schema, QN_STR("minimum"), &v) ? v : qn_v_int(1);
    return qn_v_text(qn_arena_printf(a, "made up text number %llu, long enough to stand for a reply", (unsigned long long)n));
}

/* Log-probabilities of a prompt that is sent back (`echo`): a token for each word, all equally likely. */
static qn_value echoed(qn_value body, qn_arena *a)
{
    qn_value prompt;
    qn_object_b o = { .a = a };
    qn_list_b tokens = { .a = a }, lps = { .a = a };
    if (!qn_v_get(body, QN_STR("prompt"), &prompt)) return qn_v_null();
    for (size_t i = 0, j; i < prompt.n; i = j) {
        for (j = i + 1; j < prompt.n && prompt.s[j] != ' ';) j++;
        qn_list_put(&tokens, qn_v_text(qn_str_sub(qn_v_str(prompt), i, j)));
        qn_list_put(&lps, i ? qn_v_real(-1) : qn_v_null());
    }
    qn_object_put(&o, QN_STR("tokens"), qn_list_end(&tokens));
    qn_object_put(&o, QN_STR("token_logprobs"), qn_list_end(&lps));
    return qn_object_end(&o);
}

static qn_value value_of(const qn_type *t, uint64_t n, int depth, qn_arena *a)
{
    qn_object_b o = { .a = a };
    qn_list_b l = { .a = a };
    if (depth > 12) return qn_v_null();
    switch (t->kind) {
    case QN_T_NULL: return qn_v_null();
    case QN_T_BOOL: return qn_v_bool(n % 2 == 0);
    case QN_T_INT: case QN_T_REAL: case QN_T_NUMBER: return qn_v_int(1);
    case QN_T_LIST:
        for (uint64_t k = 0; k < 3 && t->item; k++) qn_list_put(&l, value_of(t->item, n * 3 + k, depth + 1, a));
        return qn_list_end(&l);
    case QN_T_RECORD:
        for (size_t i = 0; i < t->n_fields; i++) qn_object_put(&o, t->fields[i].name, value_of(t->fields[i].type, n, depth + 1, a));
        return qn_object_end(&o);
    default: return qn_v_text(qn_arena_printf(a, "made up text number %llu, long enough to stand for what a command prints", (unsigned long long)n));
    }
}

qn_value qn_dry_value(qn_dry *d, const qn_type *t, qn_arena *a) { return value_of(t, d->n++, 0, a); }

/* A vector for each text that is to be embedded. */
static qn_value made_up_vectors(qn_str request, qn_arena *a)
{
    qn_value body, input;
    qn_err e = {0};
    qn_list_b all = { .a = a };
    size_t n = qn_json_parse(request, a, &body, &e) == QN_OK && qn_v_get(body, QN_STR("input"), &input) && input.kind == QN_V_LIST ? input.n : 1;
    for (size_t i = 0; i < n; i++) {
        qn_list_b one = { .a = a };
        for (int k = 0; k < 4; k++) qn_list_put(&one, qn_v_real(0.5));
        qn_list_put(&all, qn_list_end(&one));
    }
    return qn_list_end(&all);
}

static void keep_prompt(qn_dry *d, int step, qn_str body)
{
    size_t mine = 0;
    for (size_t i = 0; i < d->n_shown; i++) mine += d->shown[i].step == step;
    if (mine >= d->want_shown) return;
    d->shown[d->n_shown].step = step;
    d->shown[d->n_shown++].body = qn_strz(body);
}

void qn_dry_answer(qn_dry *d, int step, const qn_ask *ask, qn_arena *a, qn_reply *out)
{
    qn_err e = {0};
    qn_value body, format, schema, sample, echo;
    qn_dry_step *s = &d->steps[step];
    qn_str what = ask->body.n ? ask->body : ask->url;
    s->calls++;
    s->prompt_bytes += what.n;
    s->max_tokens += (uint64_t)ask->max_tokens;
    if (ask->shared) {
        s->once_calls++;
        s->once_bytes += what.n;
    }
    if (ask->model) s->model = ask->model;
    keep_prompt(d, step, what);
    *out = (qn_reply){ .status = QN_REPLY_OK, .http = 200, .finish = QN_STR("stop"), .replayed = true };
    if (ask->kind == QN_ASK_EMBED) {
        out->embeddings = made_up_vectors(ask->body, a);
        return;
    }
    bool is_json = qn_json_parse(ask->body, a, &body, &e) == QN_OK;
    if (is_json && qn_v_get(body, QN_STR("echo"), &echo)) out->logprobs = echoed(body, a);
    bool shaped = is_json && qn_v_get(body, QN_STR("response_format"), &format)
                  && qn_v_get(format, QN_STR("json_schema"), &format) && qn_v_get(format, QN_STR("schema"), &schema);
    if (shaped) {
        qn_buf b = {0};
        sample = sample_of(schema, d->n, 0, a);
        qn_json_write(&b, sample);
        out->text = qn_arena_str(a, qn_buf_view(&b));
        qn_buf_free(&b);
    } else if (ask->kind == QN_ASK_GET && ask->model) {         /* a search engine of a known kind */
        static const char hit[] = "[{\"url\":\"http://example.org/%llu\",\"title\":\"made up\",\"content\":\"a made up result\",\"description\":\"a made up result\"}]";
        qn_str hits = qn_arena_printf(a, hit, (unsigned long long)d->n);
        out->text = qn_arena_printf(a, "{\"results\":%.*s,\"web\":{\"results\":%.*s}}", QN_FMT(hits), QN_FMT(hits));
    } else if (is_json && qn_v_get(body, QN_STR("span"), &format)) {        /* a reader: `extract_answer` */
        out->text = qn_arena_printf(a, "[{\"answer\":\"made up answer %llu\",\"score\":0.5,\"passage\":0,\"start\":0}]", (unsigned long long)d->n);
    } else {
        out->text = qn_arena_printf(a, "made up reply number %llu, long enough to stand for one", (unsigned long long)d->n);
    }
    d->n++;
}
