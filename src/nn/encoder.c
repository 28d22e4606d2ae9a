/* encoder: its folder, and embeddings of texts. */
#include "nn/encoder.h"
#include "core/file.h"
#include "nn/config_json.h"
#include "nn/encoder_net.h"
#include "nn/span.h"
#include <stdio.h>
#include <stdlib.h>

enum { PASS_TOKENS = 1024 };            /* what goes through at once: activations stay in the cache */

/* ---- building ---- */
static size_t add_dense(qn_params *p, int out, int in, size_t *bias, const char *fmt, int l)
{
    char name[80];
    snprintf(name, sizeof name, fmt, l);
    size_t at = qn_params_add(p, out, in, "%s.weight", name);
    *bias = qn_params_add(p, out, 0, "%s.bias", name);
    return at;
}

static size_t add_norm(qn_params *p, int d, const char *fmt, int l)
{
    size_t bias;
    char name[80];
    snprintf(name, sizeof name, fmt, l);
    size_t at = qn_params_add(p, d, 0, "%s.weight", name);
    bias = qn_params_add(p, d, 0, "%s.bias", name);
    QN_ASSERT(bias == at + (size_t)d);
    return at;
}

static void name_parts(qn_encoder *m)
{
    const qn_encoder_config *c = &m->c;
    qn_params *p = &m->p;
    static const char *const self[] = { "query", "key", "value" };
    m->at = QN_NEW_N(qn_block_at, c->layers);
    m->word = qn_params_add(p, c->vocab, c->d, "embeddings.word_embeddings.weight");
    m->position = qn_params_add(p, c->max_pos, c->d, "embeddings.position_embeddings.weight");
    m->type = qn_params_add(p, c->types, c->d, "embeddings.token_type_embeddings.weight");
    m->norm0 = add_norm(p, c->d, "embeddings.LayerNorm", 0);
    for (int l = 0; l < c->layers; l++) {
        qn_block_at *a = &m->at[l];
        for (int k = 0; k < 3; k++) {
            size_t at = qn_params_add(p, c->d, c->d, "encoder.layer.%d.attention.self.%s.weight", l, self[k]);
            if (k == 0) a->qkv = at;
        }
        for (int k = 0; k < 3; k++) {
            size_t at = qn_params_add(p, c->d, 0, "encoder.layer.%d.attention.self.%s.bias", l, self[k]);
            if (k == 0) a->qkv_bias = at;
        }
        a->o = add_dense(p, c->d, c->d, &a->o_bias, "encoder.layer.%d.attention.output.dense", l);
        a->norm1 = add_norm(p, c->d, "encoder.layer.%d.attention.output.LayerNorm", l);
        a->inter = add_dense(p, c->ff, c->d, &a->inter_bias, "encoder.layer.%d.intermediate.dense", l);
        a->out = add_dense(p, c->d, c->ff, &a->out_bias, "encoder.layer.%d.output.dense", l);
        a->norm2 = add_norm(p, c->d, "encoder.layer.%d.output.LayerNorm", l);
    }
    if (!m->pooler) return;             /* not used here; kept so that what loads the model finds all of it */
    qn_params_add(p, c->d, c->d, "pooler.dense.weight");
    qn_params_add(p, c->d, 0, "pooler.dense.bias");
}

static qn_code build(qn_encoder **out, const qn_encoder_config *c, bool pooler, qn_err *e)
{
    if (c->vocab < 1 || c->d < 1 || c->layers < 1 || c->heads < 1 || c->ff < 1 || c->max_pos < 1 || c->types < 1)
        return qn_fail(e, QN_ERECIPE, "an encoder's sizes must be at least 1");
    if (c->d % c->heads || c->d / c->heads > 512) return qn_fail(e, QN_ERECIPE, "a width of %d cannot be split over %d heads", c->d, c->heads);
    qn_encoder *m = QN_NEW(qn_encoder);
    m->c = *c;
    m->pooler = pooler;
    m->max_tokens = c->max_pos;
    name_parts(m);
    qn_params_alloc(&m->p);
    *out = m;
    return QN_OK;
}

qn_code qn_encoder_new(qn_encoder **out, const qn_encoder_config *c, uint64_t seed, qn_err *e)
{
    QN_TRY(build(out, c, false, e));
    qn_params_init(&(*out)->p, seed, 0.02);
    return QN_OK;
}

void qn_encoder_close(qn_encoder *m)
{
    if (!m) return;
    qn_encoder_unpack(m);
    qn_params_free(&m->p);
    if (m->span) qn_params_free(m->span);
    for (size_t i = 0; i < m->n_choices; i++) qn_free((char *)(uintptr_t)m->choices[i].p);
    qn_free(m->choices);
    qn_free(m->span);
    qn_free(m->at);
    qn_free(m->acts.layer);
    qn_nn_free(m->acts.mem);
    qn_tokenizer_close(m->tok);
    qn_pool_free(m->pool);
    qn_free(m);
}

const qn_encoder_config *qn_encoder_cfg(const qn_encoder *m) { return &m->c; }
int qn_encoder_dim(const qn_encoder *m) { return m->c.d; }
qn_tokenizer *qn_encoder_tokenizer(qn_encoder *m) { return m->tok; }
int qn_encoder_longest(const qn_encoder *m) { return m->max_tokens; }
void qn_encoder_max_tokens(qn_encoder *m, int n) { m->max_tokens = n < 3 ? 3 : n > m->c.max_pos ? m->c.max_pos : n; }

void qn_encoder_threads(qn_encoder *m, int n)
{
    qn_pool_free(m->pool);
    m->pool = NULL;
    m->n_threads = n;
}

bool qn_encoder_bf16(qn_encoder *m, bool on)
{
    if (on && !qn_gemm_has_bf16()) return false;
    if (m->bf16 != on) qn_encoder_unpack(m);
    m->bf16 = on;
    return true;
}

/* ---- folders ---- */
static qn_code parse_config(qn_encoder_config *c, yyjson_val *o, qn_err *e)
{
    yyjson_val *type = yyjson_obj_get(o, "model_type"), *act = yyjson_obj_get(o, "hidden_act"), *pos = yyjson_obj_get(o, "position_embedding_type");
    *c = (qn_encoder_config){ 0 };
    if (!yyjson_equals_str(type, "bert")) {
        qn_fail(e, QN_EDATA, "an encoder of type `%.40s` cannot be run", yyjson_is_str(type) ? yyjson_get_str(type) : "");
        qn_hint(e, "bert can");
        return QN_EDATA;
    }
    if (act && !yyjson_equals_str(act, "gelu")) return qn_fail(e, QN_EDATA, "config.json: hidden_act is not gelu");
    if (pos && !yyjson_equals_str(pos, "absolute")) return qn_fail(e, QN_EDATA, "config.json: position_embedding_type is not absolute");
    QN_TRY(qn_json_size(o, "vocab_size", NULL, -1, 1 << 24, &c->vocab, e));
    QN_TRY(qn_json_size(o, "hidden_size", NULL, -1, 1 << 16, &c->d, e));
    QN_TRY(qn_json_size(o, "num_hidden_layers", NULL, -1, 1024, &c->layers, e));
    QN_TRY(qn_json_size(o, "num_attention_heads", NULL, -1, 1024, &c->heads, e));
    QN_TRY(qn_json_size(o, "intermediate_size", NULL, -1, 1 << 20, &c->ff, e));
    QN_TRY(qn_json_size(o, "max_position_embeddings", NULL, 512, 1 << 20, &c->max_pos, e));
    QN_TRY(qn_json_size(o, "type_vocab_size", NULL, 2, 1 << 10, &c->types, e));
    c->eps = (float)qn_json_real(o, "layer_norm_eps", 1e-12);
    return QN_OK;
}

static void read_max_tokens(qn_encoder *m, const char *dir)
{
    yyjson_doc *doc;
    qn_err e = { 0 };
    int n;
    if (qn_json_open(&doc, dir, "sentence_bert_config.json", &e) != QN_OK) return;
    if (qn_json_size(yyjson_doc_get_root(doc), "max_seq_length", NULL, m->c.max_pos, 1 << 20, &n, &e) == QN_OK) qn_encoder_max_tokens(m, n);
    yyjson_doc_free(doc);
}

/* A head that reads answers, its choices, and how long a question with its passages may be: `quern_span` of config.json, which others leave alone. */
static qn_code read_span(qn_encoder *m, const qn_safetensors *s, yyjson_val *root, qn_err *e)
{
    yyjson_val *o = yyjson_obj_get(root, "quern_span"), *list = yyjson_obj_get(o, "choices"), *v;
    size_t i, max;
    if (!qn_safetensors_find(s, "qa_outputs.weight")) return QN_OK;
    if (m->c.types < 2) return qn_fail(e, QN_EDATA, "config.json: a head that reads answers needs type_vocab_size 2");
    qn_str *choices = QN_NEW_N(qn_str, yyjson_arr_size(list) + 1);
    yyjson_arr_foreach(list, i, max, v) choices[i] = yyjson_is_str(v) ? (qn_str){ yyjson_get_str(v), yyjson_get_len(v) } : QN_STR("");
    qn_encoder_add_span(m, 0, choices, yyjson_arr_size(list));
    qn_free(choices);
    qn_encoder_max_tokens(m, (int)qn_json_real(o, "max_tokens", m->c.max_pos));
    return qn_params_read(m->span, s, "", e);
}

qn_code qn_encoder_open(qn_encoder **out, const char *dir, qn_err *e)
{
    qn_encoder_config c;
    yyjson_doc *doc = NULL;
    qn_safetensors *s = NULL;
    qn_encoder *m = NULL;
    qn_code rc;
    QN_TRY_OUT(qn_json_open(&doc, dir, "config.json", e));
    QN_TRY_OUT(parse_config(&c, yyjson_doc_get_root(doc), e));
    QN_TRY_OUT(qn_safetensors_open(&s, dir, e));
    const char *prefix = qn_safetensors_find(s, "bert.embeddings.word_embeddings.weight") ? "bert." : "";
    bool pooler = qn_safetensors_find(s, *prefix ? "bert.pooler.dense.weight" : "pooler.dense.weight") != NULL;
    QN_TRY_OUT(build(&m, &c, pooler, e));
    QN_TRY_OUT(qn_params_read(&m->p, s, prefix, e));
    read_max_tokens(m, dir);
    QN_TRY_OUT(read_span(m, s, yyjson_doc_get_root(doc), e));
    char *tok = qn_path_join(dir, "tokenizer.json");
    bool there = qn_file_exists(tok);
    qn_free(tok);
    if (there) QN_TRY_OUT(qn_tokenizer_open(&m->tok, dir, e));
    if (m->tok && qn_tokenizer_size(m->tok) > (size_t)c.vocab) rc = qn_fail(e, QN_EDATA, "the tokenizer has %zu tokens, the model %d", qn_tokenizer_size(m->tok), c.vocab);
out:
    yyjson_doc_free(doc);
    qn_safetensors_close(s);
    if (rc != QN_OK) {
        qn_encoder_close(m);
        if (e) qn_trail(e, "model %s", dir);
        return rc;
    }
    *out = m;
    return QN_OK;
}

static qn_code write_config(const qn_encoder *m, const char *dir, qn_err *e)
{
    const qn_encoder_config *c = &m->c;
    yyjson_mut_doc *d = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *o = yyjson_mut_obj(d), *arch = yyjson_mut_arr(d);
    yyjson_mut_doc_set_root(d, o);
    yyjson_mut_arr_add_str(d, arch, m->span ? "BertForQuestionAnswering" : "BertModel");
    yyjson_mut_obj_add_val(d, o, "architectures", arch);
    yyjson_mut_obj_add_str(d, o, "model_type", "bert");
    yyjson_mut_obj_add_int(d, o, "vocab_size", c->vocab);
    yyjson_mut_obj_add_int(d, o, "hidden_size", c->d);
    yyjson_mut_obj_add_int(d, o, "num_hidden_layers", c->layers);
    yyjson_mut_obj_add_int(d, o, "num_attention_heads", c->heads);
    yyjson_mut_obj_add_int(d, o, "intermediate_size", c->ff);
    yyjson_mut_obj_add_int(d, o, "max_position_embeddings", c->max_pos);
    yyjson_mut_obj_add_int(d, o, "type_vocab_size", c->types);
    yyjson_mut_obj_add_real(d, o, "layer_norm_eps", (double)c->eps);
    yyjson_mut_obj_add_str(d, o, "hidden_act", "gelu");
    yyjson_mut_obj_add_str(d, o, "position_embedding_type", "absolute");
    yyjson_mut_obj_add_int(d, o, "pad_token_id", 0);
    if (m->span) {
        yyjson_mut_val *span = yyjson_mut_obj_add_obj(d, o, "quern_span"), *list = yyjson_mut_obj_add_arr(d, span, "choices");
        for (size_t i = 0; i < m->n_choices; i++) yyjson_mut_arr_add_strn(d, list, m->choices[i].p, m->choices[i].n);
        yyjson_mut_obj_add_int(d, span, "max_tokens", m->max_tokens);
    }
    return qn_json_save(d, dir, "config.json", e);
}

/* What sentence-transformers wants beside: mean over tokens, then length 1. */
static qn_code write_modules(const qn_encoder *m, const char *dir, qn_err *e)
{
    char text[256], *pooling = qn_path_join(dir, "1_Pooling"), *a = qn_path_join(dir, "modules.json"), *b = qn_path_join(pooling, "config.json"),
         *c = qn_path_join(dir, "sentence_bert_config.json");
    qn_code rc = qn_mkdirs(pooling, e);
    if (rc == QN_OK)
        rc = qn_file_write(a, QN_STR("[\n  {\"idx\": 0, \"name\": \"0\", \"path\": \"\", \"type\": \"sentence_transformers.models.Transformer\"},\n"
                                     "  {\"idx\": 1, \"name\": \"1\", \"path\": \"1_Pooling\", \"type\": \"sentence_transformers.models.Pooling\"},\n"
                                     "  {\"idx\": 2, \"name\": \"2\", \"path\": \"2_Normalize\", \"type\": \"sentence_transformers.models.Normalize\"}\n]\n"), e);
    snprintf(text, sizeof text, "{\"word_embedding_dimension\": %d, \"pooling_mode_mean_tokens\": true}\n", m->c.d);
    if (rc == QN_OK) rc = qn_file_write(b, qn_str_of(text), e);
    snprintf(text, sizeof text, "{\"max_seq_length\": %d, \"do_lower_case\": false}\n", m->max_tokens);
    if (rc == QN_OK) rc = qn_file_write(c, qn_str_of(text), e);
    qn_free(pooling); qn_free(a); qn_free(b); qn_free(c);
    return rc;
}

qn_code qn_encoder_save(const qn_encoder *m, const char *dir, qn_err *e)
{
    qn_arena names = { 0 };
    qn_array_out *list = QN_NEW_N(qn_array_out, m->p.n + 2);
    char *path = qn_path_join(dir, "model.safetensors");
    qn_code rc = qn_mkdirs(dir, e);
    size_t n = qn_params_list(&m->p, &names, m->span ? "bert." : "", list);
    if (m->span) n += qn_params_list(m->span, &names, "", list + n);
    if (rc == QN_OK) rc = qn_safetensors_write(path, list, n, NULL, e);
    if (rc == QN_OK) rc = write_config(m, dir, e);
    if (rc == QN_OK && !m->span) rc = write_modules(m, dir, e);
    if (rc == QN_OK && m->tok) rc = qn_tokenizer_save(m->tok, dir, e);
    qn_arena_free(&names);
    qn_free(list);
    qn_free(path);
    return rc;
}

/* ---- embeddings ---- */
typedef struct { int n; uint32_t i; } by_len;
static int shorter_first(const void *a, const void *b)
{
    const by_len *x = a, *y = b;
    return x->n != y->n ? (x->n > y->n) - (x->n < y->n) : (x->i > y->i) - (x->i < y->i);
}

qn_code qn_encoder_embed_ids(qn_encoder *m, const qn_seq *s, size_t n, float *out, qn_err *e)
{
    size_t d = (size_t)m->c.d;
    for (size_t i = 0; i < n; i++) {
        if (s[i].n < 1 || s[i].n > m->c.max_pos) return qn_fail(e, QN_ELIMIT, "text %zu has %d tokens, the model takes 1 to %d", i, s[i].n, m->c.max_pos);
        for (int j = 0; j < s[i].n; j++)
            if (s[i].ids[j] < 0 || s[i].ids[j] >= m->c.vocab) return qn_fail(e, QN_EDATA, "text %zu has the token id %d, the model knows 0 to %d", i, s[i].ids[j], m->c.vocab - 1);
    }
    by_len *order = QN_NEW_N(by_len, n + 1);
    qn_seq *sorted = QN_NEW_N(qn_seq, n + 1);
    float *rows = QN_NEW_N(float, (PASS_TOKENS + 1) * d);
    for (size_t i = 0; i < n; i++) order[i] = (by_len){ s[i].n, (uint32_t)i };
    if (n) qsort(order, n, sizeof *order, shorter_first);
    for (size_t i = 0; i < n; i++) sorted[i] = s[order[i].i];
    qn_encoder_pack(m);
    for (size_t from = 0, first; from < n;) {
        qn_packed b;
        first = from;
        qn_tokens_pack(&b, sorted, n, &from, PASS_TOKENS);
        qn_encoder_forward(m, &b.t, false);
        qn_encoder_pool_rows(m, &b.t, rows, NULL);
        for (size_t i = first; i < from; i++) memcpy(out + (size_t)order[i].i * d, rows + (i - first) * d, d * sizeof(float));
        qn_packed_free(&b);
    }
    qn_free(order);
    qn_free(sorted);
    qn_free(rows);
    return QN_OK;
}

/* A long text is cut as others cut it: the first tokens, then what ends a text ([SEP]). */
qn_code qn_encoder_ids(qn_encoder *m, qn_str text, qn_ids *out, qn_err *e)
{
    size_t from = out->n;
    if (!m->tok) return qn_fail(e, QN_EUSAGE, "this encoder has no tokenizer");
    QN_TRY(qn_tokenizer_encode(m->tok, text, QN_TOKENS_FRAME | QN_TOKENS_PLAIN, out, e));
    if (out->n == from) return qn_fail(e, QN_EDATA, "the text has no tokens");
    if (out->n - from > (size_t)m->max_tokens) {
        out->p[from + (size_t)m->max_tokens - 1] = out->p[out->n - 1];
        out->n = from + (size_t)m->max_tokens;
    }
    return QN_OK;
}

qn_code qn_encoder_embed(qn_encoder *m, const qn_str *texts, size_t n, float *out, qn_err *e)
{
    qn_ids ids = { 0 };
    size_t *at = QN_NEW_N(size_t, n + 1);
    qn_seq *s = QN_NEW_N(qn_seq, n + 1);
    qn_code rc = QN_OK;
    for (size_t i = 0; i < n && rc == QN_OK; i++) {
        rc = qn_encoder_ids(m, texts[i], &ids, e);
        at[i + 1] = ids.n;
    }
    for (size_t i = 0; i < n && rc == QN_OK; i++) s[i] = (qn_seq){ .ids = ids.p + at[i], .n = (int)(at[i + 1] - at[i]) };
    if (rc == QN_OK) rc = qn_encoder_embed_ids(m, s, n, out, e);
    qn_ids_free(&ids);
    qn_free(at);
    qn_free(s);
    return rc;
}
