/* lora: low-rank adapters of a decoder: adding, reading, writing as PEFT does, merging. */
#include "core/file.h"
#include "core/rng.h"
#include "nn/config_json.h"
#include "nn/decoder_net.h"
#include <math.h>
#include <stdio.h>

static const char *part_of(int k) { return k <= QN_LORA_O ? "self_attn" : "mlp"; }

/* Modules by the words of a text; all when NULL. */
static qn_code choose_modules(bool *on, const char *words, qn_err *e)
{
    for (int k = 0; k < QN_LORA_MODULES; k++) on[k] = !words;
    while (words && *words) {
        size_t n = strcspn(words, " ,");
        int k = 0;
        while (k < QN_LORA_MODULES && !(strlen(qn_module_names[k]) == n && !memcmp(words, qn_module_names[k], n))) k++;
        if (n && k == QN_LORA_MODULES) return qn_fail(e, QN_ERECIPE, "no module is called `%.*s` (q_proj k_proj v_proj o_proj gate_proj up_proj down_proj)", (int)n, words);
        if (n) on[k] = true;
        words += n + (words[n] != 0);
    }
    return QN_OK;
}

qn_code qn_decoder_lora_add(qn_decoder *m, int rank, float alpha, const char *modules, uint64_t seed, qn_err *e)
{
    bool on[QN_LORA_MODULES];
    if (m->lora) return qn_fail(e, QN_EUSAGE, "the model has an adapter already: merge it first");
    if (rank < 1 || rank > m->c.d) return qn_fail(e, QN_ERECIPE, "an adapter's rank must be 1 to %d", m->c.d);
    QN_TRY(choose_modules(on, modules, e));
    qn_lora *a = m->lora = QN_NEW(qn_lora);
    a->rank = rank;
    a->alpha = alpha;
    memcpy(a->on, on, sizeof on);
    a->at = qn_zalloc((size_t)m->c.layers * sizeof *a->at);
    for (int l = 0; l < m->c.layers; l++)
        for (int k = 0; k < QN_LORA_MODULES; k++) {
            if (!on[k]) continue;
            qn_module q = qn_decoder_module(m, l, k);
            a->at[l][k] = qn_params_add(&a->p, rank, q.in, "model.layers.%d.%s.%s.lora_A.weight", l, part_of(k), qn_module_names[k]);
            qn_params_add(&a->p, q.out, rank, "model.layers.%d.%s.%s.lora_B.weight", l, part_of(k), qn_module_names[k]);
        }
    qn_params_alloc(&a->p);
    for (size_t i = 0; i < a->p.n; i += 2) {        /* A: uniform within 1 / sqrt(in), as PEFT; B: 0 */
        const qn_tensor *t = &a->p.t[i];
        qn_rng r = qn_rng_keyed(seed, QN_STR("lora"), qn_hash(t->name, strlen(t->name)));
        double bound = 1 / sqrt((double)t->cols);
        for (int64_t j = 0; j < t->rows * t->cols; j++) a->p.w[t->at + (size_t)j] = (float)((2 * qn_rng_real(&r) - 1) * bound);
    }
    return QN_OK;
}

void qn_decoder_lora_merge(qn_decoder *m)
{
    if (!m->lora) return;
    int r = m->lora->rank;
    for (int l = 0; l < m->c.layers; l++)
        for (int k = 0; k < QN_LORA_MODULES; k++) {
            if (!m->lora->on[k]) continue;
            qn_module q = qn_decoder_module(m, l, k);
            float *a = m->lora->p.w + m->lora->at[l][k], *b = a + (size_t)r * (size_t)q.in;
            for (size_t i = 0; i < (size_t)q.out * (size_t)r; i++) b[i] *= m->lora->alpha / (float)r;
            qn_gemm(qn_decoder_pool(m), false, false, q.out, q.in, r, b, r, a, q.in, true, m->p.w + q.at, q.in);
        }
    qn_params_free(&m->lora->p);
    qn_free(m->lora->at);
    qn_free(m->lora);
    m->lora = NULL;
}

qn_code qn_decoder_lora_save(const qn_decoder *m, const char *dir, const char *base, qn_err *e)
{
    if (!m->lora) return qn_fail(e, QN_EUSAGE, "the model has no adapter to write");
    qn_arena names = { 0 };
    qn_array_out *list = QN_NEW_N(qn_array_out, m->lora->p.n + 1);
    char *path = qn_path_join(dir, "adapter_model.safetensors");
    qn_code rc = qn_mkdirs(dir, e);
    size_t n = qn_params_list(&m->lora->p, &names, "base_model.model.", list);
    if (rc == QN_OK) rc = qn_safetensors_write(path, list, n, NULL, e);
    qn_arena_free(&names);
    qn_free(list);
    qn_free(path);
    QN_TRY(rc);
    yyjson_mut_doc *d = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *o = yyjson_mut_obj(d), *mods = yyjson_mut_arr(d);
    yyjson_mut_doc_set_root(d, o);
    yyjson_mut_obj_add_str(d, o, "peft_type", "LORA");
    yyjson_mut_obj_add_str(d, o, "task_type", "CAUSAL_LM");
    yyjson_mut_obj_add_strcpy(d, o, "base_model_name_or_path", base ? base : "");
    yyjson_mut_obj_add_int(d, o, "r", m->lora->rank);
    yyjson_mut_obj_add_real(d, o, "lora_alpha", (double)m->lora->alpha);
    yyjson_mut_obj_add_real(d, o, "lora_dropout", 0);
    yyjson_mut_obj_add_str(d, o, "bias", "none");
    yyjson_mut_obj_add_bool(d, o, "fan_in_fan_out", false);
    yyjson_mut_obj_add_bool(d, o, "inference_mode", true);
    for (int k = 0; k < QN_LORA_MODULES; k++) if (m->lora->on[k]) yyjson_mut_arr_add_str(d, mods, qn_module_names[k]);
    yyjson_mut_obj_add_val(d, o, "target_modules", mods);
    return qn_json_save(d, dir, "adapter_config.json", e);
}

qn_code qn_decoder_lora_open(qn_decoder *m, const char *dir, qn_err *e)
{
    yyjson_doc *doc = NULL;
    qn_safetensors *s = NULL;
    qn_buf words = { 0 };
    qn_code rc;
    char *path = qn_path_join(dir, "adapter_model.safetensors");
    int rank;
    QN_TRY_OUT(qn_json_open(&doc, dir, "adapter_config.json", e));
    yyjson_val *o = yyjson_doc_get_root(doc), *mods = yyjson_obj_get(o, "target_modules"), *x;
    QN_TRY_OUT(qn_json_size(o, "r", NULL, -1, 65536, &rank, e));
    size_t i, max;
    yyjson_arr_foreach(mods, i, max, x) qn_buf_printf(&words, "%s ", yyjson_is_str(x) ? yyjson_get_str(x) : "?");
    QN_TRY_OUT(qn_decoder_lora_add(m, rank, (float)qn_json_real(o, "lora_alpha", rank), words.p ? words.p : "", 0, e));
    QN_TRY_OUT(qn_safetensors_open(&s, path, e));
    QN_TRY_OUT(qn_params_read(&m->lora->p, s, "base_model.model.", e));
out:
    yyjson_doc_free(doc);
    qn_safetensors_close(s);
    qn_buf_free(&words);
    qn_free(path);
    return rc;
}
