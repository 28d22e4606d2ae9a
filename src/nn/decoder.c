/* decoder: its configuration, its folder, and what can be asked of it in one pass. */
#include "nn/decoder.h"
#include "core/file.h"
#include "core/map.h"
#include "nn/config_json.h"
#include "nn/decoder_net.h"
#include <stdio.h>

enum { PASS_TOKENS = 4096 };                /* most tokens of one pass, unless a single sequence is longer */

/* ---- building ---- */
static qn_code check_config(qn_decoder_config *c, qn_err *e)
{
    if (!c->kv_heads) c->kv_heads = c->heads;
    if (c->vocab < 1 || c->d < 1 || c->layers < 1 || c->heads < 1 || c->ff < 1 || c->max_pos < 1)
        return qn_fail(e, QN_ERECIPE, "a decoder's sizes must be at least 1");
    if (!c->hd) {
        if (c->d % c->heads) return qn_fail(e, QN_ERECIPE, "a width of %d cannot be split over %d heads", c->d, c->heads);
        c->hd = c->d / c->heads;
    }
    if (c->hd % 2 || c->hd > 512) return qn_fail(e, QN_ERECIPE, "a head of %d is not possible: even, at most 512", c->hd);
    if (c->heads % c->kv_heads) return qn_fail(e, QN_ERECIPE, "%d heads cannot share %d key-value heads", c->heads, c->kv_heads);
    if (c->eps <= 0) c->eps = 1e-6f;
    if (c->rope_theta <= 0) c->rope_theta = 10000;
    return QN_OK;
}

static void name_parts(qn_decoder *m)
{
    const qn_decoder_config *c = &m->c;
    qn_params *p = &m->p;
    int nq = c->heads * c->hd, nk = c->kv_heads * c->hd;
    m->at = QN_NEW_N(qn_layer_at, c->layers);
    m->embed = qn_params_add(p, c->vocab, c->d, "model.embed_tokens.weight");
    for (int l = 0; l < c->layers; l++) {
        qn_layer_at *a = &m->at[l];
        a->norm1 = qn_params_add(p, c->d, 0, "model.layers.%d.input_layernorm.weight", l);
        a->qkv = qn_params_add(p, nq, c->d, "model.layers.%d.self_attn.q_proj.weight", l);
        qn_params_add(p, nk, c->d, "model.layers.%d.self_attn.k_proj.weight", l);
        qn_params_add(p, nk, c->d, "model.layers.%d.self_attn.v_proj.weight", l);
        if (c->qkv_bias) {
            a->qkv_bias = qn_params_add(p, nq, 0, "model.layers.%d.self_attn.q_proj.bias", l);
            qn_params_add(p, nk, 0, "model.layers.%d.self_attn.k_proj.bias", l);
            qn_params_add(p, nk, 0, "model.layers.%d.self_attn.v_proj.bias", l);
        }
        a->o = qn_params_add(p, c->d, nq, "model.layers.%d.self_attn.o_proj.weight", l);
        a->norm2 = qn_params_add(p, c->d, 0, "model.layers.%d.post_attention_layernorm.weight", l);
        a->gu = qn_params_add(p, c->ff, c->d, "model.layers.%d.mlp.gate_proj.weight", l);
        qn_params_add(p, c->ff, c->d, "model.layers.%d.mlp.up_proj.weight", l);
        a->down = qn_params_add(p, c->d, c->ff, "model.layers.%d.mlp.down_proj.weight", l);
    }
    m->norm = qn_params_add(p, c->d, 0, "model.norm.weight");
    m->head = c->tied ? m->embed : qn_params_add(p, c->vocab, c->d, "lm_head.weight");
}

static qn_code build(qn_decoder **out, const qn_decoder_config *c, qn_err *e)
{
    qn_decoder_config k = *c;
    QN_TRY(check_config(&k, e));
    qn_decoder *m = QN_NEW(qn_decoder);
    m->c = k;
    name_parts(m);
    qn_params_alloc(&m->p);
    *out = m;
    return QN_OK;
}

qn_code qn_decoder_new(qn_decoder **out, const qn_decoder_config *c, uint64_t seed, qn_err *e)
{
    QN_TRY(build(out, c, e));
    qn_params_init(&(*out)->p, seed, 0.02);
    return QN_OK;
}

static void lora_free(qn_decoder *m)
{
    if (!m->lora) return;
    qn_params_free(&m->lora->p);
    qn_free(m->lora->at);
    qn_free(m->lora);
    m->lora = NULL;
}

void qn_decoder_close(qn_decoder *m)
{
    if (!m) return;
    lora_free(m);
    if (m->score) { qn_params_free(m->score); qn_free(m->score); }
    if (m->acts) { qn_nn_free(m->acts->mem); qn_free(m->acts->layer); qn_free(m->acts); }
    qn_params_free(&m->p);
    qn_nn_free(m->rope);
    qn_pool_free(m->pool);
    qn_free(m->at);
    qn_free(m);
}

const qn_decoder_config *qn_decoder_cfg(const qn_decoder *m) { return &m->c; }
size_t qn_decoder_n_params(const qn_decoder *m) { return m->p.count; }

void qn_decoder_threads(qn_decoder *m, int n)
{
    qn_pool_free(m->pool);
    m->pool = NULL;
    m->n_threads = n;
}

bool qn_decoder_bf16(qn_decoder *m, bool on)
{
    if (on && !qn_gemm_has_bf16()) return false;
    m->bf16 = on;
    return true;
}

bool qn_decoder_has_head(const qn_decoder *m) { return m->score != NULL; }

void qn_decoder_add_head(qn_decoder *m)
{
    if (m->score) return;
    m->score = QN_NEW(qn_params);
    qn_params_add(m->score, 1, m->c.d, "score.weight");
    qn_params_alloc(m->score);
}

/* ---- config.json ---- */
static qn_code read_rope_scaling(qn_decoder_config *c, yyjson_val *root, qn_err *e)
{
    yyjson_val *s = yyjson_obj_get(root, "rope_scaling");
    if (!yyjson_is_obj(s)) return QN_OK;
    yyjson_val *type = yyjson_obj_get(s, "rope_type");
    if (!type) type = yyjson_obj_get(s, "type");
    const char *z = yyjson_is_str(type) ? yyjson_get_str(type) : "";
    if (!strcmp(z, "default")) return QN_OK;
    if (strcmp(z, "llama3")) return qn_fail(e, QN_EDATA, "config.json: rope_scaling of type `%.40s` is not known (llama3 is)", z);
    c->rope_factor = (float)qn_json_real(s, "factor", 8);
    c->rope_low = (float)qn_json_real(s, "low_freq_factor", 1);
    c->rope_high = (float)qn_json_real(s, "high_freq_factor", 4);
    c->rope_original = (int)qn_json_real(s, "original_max_position_embeddings", 8192);
    if (!(c->rope_factor > 0 && c->rope_low > 0 && c->rope_high > c->rope_low && c->rope_original > 0))
        return qn_fail(e, QN_EDATA, "config.json: rope_scaling has impossible factors");
    return QN_OK;
}

static void read_ids(qn_decoder_config *c, yyjson_val *root)
{
    yyjson_val *b = yyjson_obj_get(root, "bos_token_id"), *v = yyjson_obj_get(root, "eos_token_id"), *x;
    size_t i, max;
    c->bos = yyjson_is_int(b) ? (int32_t)yyjson_get_int(b) : -1;
    if (yyjson_is_int(v)) c->eos[c->n_eos++] = (int32_t)yyjson_get_int(v);
    if (yyjson_is_arr(v))
        yyjson_arr_foreach(v, i, max, x) if (yyjson_is_int(x) && c->n_eos < 8) c->eos[c->n_eos++] = (int32_t)yyjson_get_int(x);
}

static qn_code parse_config(qn_decoder_config *c, yyjson_val *root, qn_err *e)
{
    enum { BIG = 1 << 24 };
    yyjson_val *type = yyjson_obj_get(root, "model_type"), *act = yyjson_obj_get(root, "hidden_act");
    const char *z = yyjson_is_str(type) ? yyjson_get_str(type) : "";
    *c = (qn_decoder_config){ .bos = -1 };
    if (strcmp(z, "llama") && strcmp(z, "qwen2")) {
        qn_fail(e, QN_EDATA, "a model of type `%.40s` cannot be run", z);
        qn_hint(e, "llama and qwen2 can; serve others through an endpoint");
        return QN_EDATA;
    }
    if (yyjson_is_str(act) && strcmp(yyjson_get_str(act), "silu")) return qn_fail(e, QN_EDATA, "config.json: hidden_act `%.40s` is not silu", yyjson_get_str(act));
    if (yyjson_is_true(yyjson_obj_get(root, "attention_bias")) || yyjson_is_true(yyjson_obj_get(root, "mlp_bias")))
        return qn_fail(e, QN_EDATA, "config.json: attention_bias and mlp_bias are not known for llama");
    if (yyjson_is_true(yyjson_obj_get(root, "use_sliding_window"))) return qn_fail(e, QN_EDATA, "config.json: sliding windows are not known");
    QN_TRY(qn_json_size(root, "vocab_size", NULL, -1, BIG, &c->vocab, e));
    QN_TRY(qn_json_size(root, "hidden_size", NULL, -1, 1 << 16, &c->d, e));
    QN_TRY(qn_json_size(root, "num_hidden_layers", NULL, -1, 1024, &c->layers, e));
    QN_TRY(qn_json_size(root, "num_attention_heads", NULL, -1, 1024, &c->heads, e));
    QN_TRY(qn_json_size(root, "num_key_value_heads", NULL, c->heads, 1024, &c->kv_heads, e));
    QN_TRY(qn_json_size(root, "head_dim", NULL, 0, 512, &c->hd, e));
    QN_TRY(qn_json_size(root, "intermediate_size", NULL, -1, 1 << 20, &c->ff, e));
    QN_TRY(qn_json_size(root, "max_position_embeddings", NULL, 2048, BIG, &c->max_pos, e));
    c->eps = (float)qn_json_real(root, "rms_norm_eps", 1e-6);
    c->rope_theta = (float)qn_json_real(root, "rope_theta", 10000);
    c->qkv_bias = !strcmp(z, "qwen2");
    c->tied = yyjson_is_true(yyjson_obj_get(root, "tie_word_embeddings"));
    read_ids(c, root);
    return read_rope_scaling(c, root, e);
}

qn_code qn_decoder_config_read(qn_decoder_config *c, const char *dir, qn_err *e)
{
    yyjson_doc *doc;
    QN_TRY(qn_json_open(&doc, dir, "config.json", e));
    qn_code rc = parse_config(c, yyjson_doc_get_root(doc), e);
    yyjson_doc_free(doc);
    return rc;
}

static qn_code write_config(const qn_decoder *m, const char *dir, qn_err *e)
{
    const qn_decoder_config *c = &m->c;
    yyjson_mut_doc *d = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *o = yyjson_mut_obj(d), *arch = yyjson_mut_arr(d);
    yyjson_mut_doc_set_root(d, o);
    yyjson_mut_arr_add_str(d, arch, m->score ? c->qkv_bias ? "Qwen2ForSequenceClassification" : "LlamaForSequenceClassification"
                                             : c->qkv_bias ? "Qwen2ForCausalLM" : "LlamaForCausalLM");
    yyjson_mut_obj_add_val(d, o, "architectures", arch);
    yyjson_mut_obj_add_str(d, o, "model_type", c->qkv_bias ? "qwen2" : "llama");
    yyjson_mut_obj_add_int(d, o, "vocab_size", c->vocab);
    yyjson_mut_obj_add_int(d, o, "hidden_size", c->d);
    yyjson_mut_obj_add_int(d, o, "num_hidden_layers", c->layers);
    yyjson_mut_obj_add_int(d, o, "num_attention_heads", c->heads);
    yyjson_mut_obj_add_int(d, o, "num_key_value_heads", c->kv_heads);
    if (c->hd * c->heads != c->d) yyjson_mut_obj_add_int(d, o, "head_dim", c->hd);
    yyjson_mut_obj_add_int(d, o, "intermediate_size", c->ff);
    yyjson_mut_obj_add_int(d, o, "max_position_embeddings", c->max_pos);
    yyjson_mut_obj_add_str(d, o, "hidden_act", "silu");
    yyjson_mut_obj_add_real(d, o, "rms_norm_eps", (double)c->eps);
    yyjson_mut_obj_add_real(d, o, "rope_theta", (double)c->rope_theta);
    yyjson_mut_obj_add_bool(d, o, "tie_word_embeddings", c->tied);
    yyjson_mut_obj_add_bool(d, o, "attention_bias", false);
    if (c->bos >= 0) yyjson_mut_obj_add_int(d, o, "bos_token_id", c->bos); else yyjson_mut_obj_add_null(d, o, "bos_token_id");
    if (c->n_eos > 1) {
        yyjson_mut_val *a = yyjson_mut_arr(d);
        for (int i = 0; i < c->n_eos; i++) yyjson_mut_arr_add_int(d, a, c->eos[i]);
        yyjson_mut_obj_add_val(d, o, "eos_token_id", a);
    } else if (c->n_eos == 1) yyjson_mut_obj_add_int(d, o, "eos_token_id", c->eos[0]);
    else yyjson_mut_obj_add_null(d, o, "eos_token_id");
    if (m->score) {
        yyjson_mut_val *labels = yyjson_mut_obj(d), *ids = yyjson_mut_obj(d);
        yyjson_mut_obj_add_str(d, labels, "0", "score");
        yyjson_mut_obj_add_int(d, ids, "score", 0);
        yyjson_mut_obj_add_val(d, o, "id2label", labels);
        yyjson_mut_obj_add_val(d, o, "label2id", ids);
        if (c->n_eos) yyjson_mut_obj_add_int(d, o, "pad_token_id", c->eos[0]);
    }
    if (c->rope_factor > 0) {
        yyjson_mut_val *s = yyjson_mut_obj(d);
        yyjson_mut_obj_add_str(d, s, "rope_type", "llama3");
        yyjson_mut_obj_add_real(d, s, "factor", (double)c->rope_factor);
        yyjson_mut_obj_add_real(d, s, "low_freq_factor", (double)c->rope_low);
        yyjson_mut_obj_add_real(d, s, "high_freq_factor", (double)c->rope_high);
        yyjson_mut_obj_add_int(d, s, "original_max_position_embeddings", c->rope_original);
        yyjson_mut_obj_add_val(d, o, "rope_scaling", s);
    }
    yyjson_mut_obj_add_str(d, o, "torch_dtype", "float32");
    return qn_json_save(d, dir, "config.json", e);
}

/* ---- folders ---- */
qn_code qn_decoder_open(qn_decoder **out, const char *dir, qn_err *e)
{
    qn_decoder_config c;
    qn_safetensors *s = NULL;
    qn_decoder *m = NULL;
    qn_code rc;
    QN_TRY(qn_decoder_config_read(&c, dir, e));
    QN_TRY_OUT(qn_safetensors_open(&s, dir, e));
    bool head = qn_safetensors_find(s, "score.weight") != NULL;
    if (!c.tied && !qn_safetensors_find(s, "lm_head.weight")) c.tied = true;    /* a reward model has no other use for it */
    QN_TRY_OUT(build(&m, &c, e));
    QN_TRY_OUT(qn_params_read(&m->p, s, "", e));
    if (head) {
        qn_decoder_add_head(m);
        QN_TRY_OUT(qn_params_read(m->score, s, "", e));
    }
out:
    qn_safetensors_close(s);
    if (rc != QN_OK) {
        qn_decoder_close(m);
        if (e) qn_trail(e, "model %s", dir);
        return rc;
    }
    *out = m;
    return QN_OK;
}

qn_code qn_decoder_save(const qn_decoder *m, const char *dir, qn_err *e)
{
    qn_arena names = { 0 };
    qn_array_out *list = QN_NEW_N(qn_array_out, m->p.n + 1);
    qn_code rc;
    char *path = qn_path_join(dir, "model.safetensors");
    QN_TRY_OUT(qn_mkdirs(dir, e));
    size_t n = qn_params_list(&m->p, &names, "", list);
    if (m->score) n += qn_params_list(m->score, &names, "", list + n);
    QN_TRY_OUT(qn_safetensors_write(path, list, n, NULL, e));
    rc = write_config(m, dir, e);
out:
    qn_arena_free(&names);
    qn_free(list);
    qn_free(path);
    return rc;
}

/* ---- one pass ---- */
qn_code qn_decoder_logits(qn_decoder *m, const int32_t *ids, int n, float *out, qn_err *e)
{
    qn_seq s = { .ids = ids, .n = n };
    size_t from = 0;
    qn_packed b;
    QN_TRY(qn_decoder_check(m, &s, 1, e));
    qn_tokens_pack(&b, &s, 1, &from, n);
    qn_decoder_forward(m, &b.t);
    qn_gemm_as(m->bf16, m->pool, false, true, n, m->c.vocab, m->c.d, m->acts->hidden, m->c.d, m->p.w + m->head, m->c.d, false, out, m->c.vocab);
    qn_packed_free(&b);
    return QN_OK;
}

/* Row i of a packed batch predicts token i + 1 of its sequence. */
static void targets(const qn_seq *s, const qn_tokens *t, int32_t *target, float *coef)
{
    for (int k = 0; k < t->n_seqs; k++)
        for (int i = t->starts[k], j = 1; i < t->starts[k + 1]; i++, j++) {
            bool last = i + 1 == t->starts[k + 1];
            target[i] = last ? 0 : t->ids[i + 1];
            coef[i] = last ? 0 : s[k].weight ? s[k].weight[j] : 1;
        }
}

qn_code qn_decoder_token_logp(qn_decoder *m, const qn_seq *s, size_t n, float *out, qn_err *e)
{
    QN_TRY(qn_decoder_check(m, s, n, e));
    for (size_t from = 0; from < n;) {
        size_t first = from;
        qn_packed b;
        qn_tokens_pack(&b, s, n, &from, PASS_TOKENS);
        int32_t *target = QN_NEW_N(int32_t, b.t.n);
        float *coef = QN_NEW_N(float, b.t.n), *logp = QN_NEW_N(float, b.t.n);
        targets(s + first, &b.t, target, coef);
        qn_decoder_forward(m, &b.t);
        qn_decoder_head(m, b.t.n, target, coef, logp, false, false);
        for (int k = 0; k < b.t.n_seqs; k++) {
            int r0 = b.t.starts[k], len = b.t.starts[k + 1] - r0;
            *out++ = 0;
            for (int i = 0; i + 1 < len; i++) *out++ = logp[r0 + i];
        }
        qn_free(target);
        qn_free(coef);
        qn_free(logp);
        qn_packed_free(&b);
    }
    return QN_OK;
}

qn_code qn_decoder_logp(qn_decoder *m, const qn_seq *s, size_t n, double *out, qn_err *e)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++) total += (size_t)(s[i].n > 0 ? s[i].n : 0);
    float *each = QN_NEW_N(float, total + 1), *p = each;
    qn_code rc = qn_decoder_token_logp(m, s, n, each, e);
    for (size_t i = 0; rc == QN_OK && i < n; p += s[i++].n) {
        out[i] = 0;
        for (int j = 1; j < s[i].n; j++) out[i] += (double)p[j] * (s[i].weight ? (double)s[i].weight[j] : 1);
    }
    qn_free(each);
    return rc;
}

qn_code qn_decoder_token_score(qn_decoder *m, const qn_seq *s, size_t n, float *out, qn_err *e)
{
    if (!m->score) return qn_fail(e, QN_EUSAGE, "this model has no reward head");
    QN_TRY(qn_decoder_check(m, s, n, e));
    for (size_t from = 0; from < n;) {
        qn_packed b;
        qn_tokens_pack(&b, s, n, &from, PASS_TOKENS);
        qn_decoder_forward(m, &b.t);
        for (int i = 0; i < b.t.n; i++) *out++ = qn_dot((size_t)m->c.d, m->acts->hidden + (size_t)i * (size_t)m->c.d, m->score->w);
        qn_packed_free(&b);
    }
    return QN_OK;
}

qn_code qn_decoder_score(qn_decoder *m, const qn_seq *s, size_t n, float *out, qn_err *e)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < n; i++) total += (size_t)(s[i].n > 0 ? s[i].n : 0);
    float *each = QN_NEW_N(float, total + 1);
    qn_code rc = qn_decoder_token_score(m, s, n, each, e);
    for (size_t i = 0; rc == QN_OK && i < n; i++) { at += (size_t)s[i].n; out[i] = each[at - 1]; }
    qn_free(each);
    return rc;
}
