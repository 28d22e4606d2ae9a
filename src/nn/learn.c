/* learn: rows are kept as texts until all are there, since a new tokenizer needs them all; then they become tokens once.
 *
 *   DIR                    the model, whole
 *   DIR.part               being written
 *   DIR-<key>.checkpoint   of the training that is under way; removed when the model is there */
#include "nn/learn_net.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/map.h"
#include "core/rng.h"
#include "nn/config_json.h"
#include "nn/decoder_net.h"
#include "nn/encoder_net.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef qn_kept kept;

qn_learner *qn_learner_new(const qn_learn_options *o)
{
    qn_learner *l = QN_NEW(qn_learner);
    l->o = o;
    return l;
}

void qn_learner_free(qn_learner *l)
{
    if (!l) return;
    qn_decoder_close(l->m);
    qn_encoder_close(l->enc);
    qn_tokenizer_close(l->tok);
    qn_arena_free(&l->arena);
    qn_ids_free(&l->ids);
    qn_free(l->weights.p);
    qn_free(l->labels.p);
    qn_free(l->msgs);
    qn_free(l->rows);
    qn_map_free(&l->groups);
    qn_free(l);
}

void qn_learned_free(qn_learned *r) { qn_free(r->losses.p); r->losses = (qn_losses){ 0 }; }
size_t qn_learner_bytes(const qn_learner *l) { return l->arena.used_bytes + l->cap_msgs * sizeof *l->msgs + l->cap * sizeof *l->rows; }

static void keep_messages(qn_learner *l, const qn_message *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        QN_GROW(l->msgs, l->n_msgs, l->cap_msgs);
        l->msgs[l->n_msgs++] = (qn_message){ qn_arena_str(&l->arena, m[i].role), qn_arena_str(&l->arena, m[i].content) };
    }
}

void qn_learner_add(qn_learner *l, const qn_learn_row *r)
{
    QN_GROW(l->rows, l->n, l->cap);
    kept *k = &l->rows[l->n++];
    *k = (kept){ .at = l->n_msgs, .n_a = (uint32_t)r->n_a, .n_b = (uint32_t)r->n_b, .text = r->text, .valid = r->valid, .weight = r->weight, .p = r->p, .margin = r->margin, .start = r->start };
    if (r->group.n) {
        bool fresh;
        uint64_t *g = qn_map_put_str(&l->groups, r->group, &fresh);
        if (fresh) *g = ++l->n_groups;
        k->group = (uint32_t)*g;
    }
    keep_messages(l, r->a, r->n_a);
    keep_messages(l, r->b, r->n_b);
    if (r->step) {
        float *s = qn_arena_alloc(&l->arena, r->n_a * sizeof *s);
        memcpy(s, r->step, r->n_a * sizeof *s);
        k->step = s;
    }
}

/* ---- what makes this training this one ---- */
static void hash_text(qn_hasher *h, qn_str s) { qn_hasher_add(h, &s.n, sizeof s.n); if (s.n) qn_hasher_add(h, s.p, s.n); }

static qn_hash128 row_hash(const qn_learner *l, const kept *k)
{
    qn_hasher *h = qn_hasher_new();
    float f[] = { k->weight, k->p, k->margin, (float)k->text, (float)k->n_a };
    qn_hasher_add(h, f, sizeof f);
    for (size_t i = 0; i < k->n_a + k->n_b; i++) { hash_text(h, l->msgs[k->at + i].role); hash_text(h, l->msgs[k->at + i].content); }
    if (k->step) qn_hasher_add(h, k->step, k->n_a * sizeof *k->step);
    if (l->o->span) qn_hasher_add(h, &k->start, sizeof k->start);
    return qn_hasher_end(h);
}

static qn_code hash_path(void *h, const char *path, qn_err *e)
{
    FILE *f = fopen(path, "rb");
    if (!f) return QN_OK;
    char *piece = qn_alloc(1 << 20);
    for (size_t n; (n = fread(piece, 1, 1 << 20, f)) > 0;) qn_hasher_add(h, piece, n);
    qn_code rc = ferror(f) ? qn_fail(e, QN_EIO, "cannot read %s", path) : QN_OK;
    fclose(f);
    qn_free(piece);
    return rc;
}

static qn_code hash_base(qn_hasher *h, const char *dir, qn_err *e)
{
    char *shards = qn_path_join(dir, "*.safetensors");
    qn_code rc = qn_files_each(shards, hash_path, h, e);
    qn_free(shards);
    QN_TRY(rc);
    static const char *const names[] = { "config.json", "tokenizer.json", "tokenizer_config.json", "sentence_bert_config.json" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = qn_path_join(dir, names[i]);
        rc = hash_path(h, path, e);
        qn_free(path);
        QN_TRY(rc);
    }
    return QN_OK;
}

enum { LEARN_VERSION = 1 };     /* raise when the same options give other weights */

static qn_code training_key(const qn_learner *l, char hex[33], qn_err *e)
{
    const qn_learn_options *o = l->o;
    const qn_fit_options *f = &o->fit;
    qn_hasher *h = qn_hasher_new();
    double d[] = { LEARN_VERSION, o->kind, o->size.wide, o->size.layers, o->size.heads, o->size.kv_heads, o->size.ff, o->size.vocab, o->size.max_tokens,
                   o->lora_rank, o->lora_alpha, o->max_tokens, o->beta, o->ranking, o->scale, o->teacher, o->teacher_scale, o->teacher_share, o->blend, o->gate, o->bf16, o->valid, o->warmup, f->lr, f->lr_end, f->shape, (double)f->warmup, (double)f->steps,
                   f->epochs, f->batch, f->pass_tokens, f->clip, f->decay, f->b1, f->b2, f->eps, (double)f->seed, f->in_order, (double)l->n };
    qn_hasher_add(h, d, sizeof d);
    hash_text(h, qn_str_of(o->lora_modules ? o->lora_modules : ""));
    if (o->span) hash_text(h, QN_STR("span"));
    if (o->kind == QN_TRAIN_STEPS) hash_text(h, QN_STR("steps are a reply"));
    for (size_t i = 0; i < o->n_choices; i++) hash_text(h, o->choices[i]);
    for (size_t i = 0; i < l->n; i++) {
        qn_hash128 r = row_hash(l, &l->rows[i]);
        qn_hasher_add(h, &r, sizeof r);
        if (l->rows[i].valid) qn_hasher_add(h, "valid", 5);
        if (l->n_groups) qn_hasher_add(h, &l->rows[i].group, sizeof l->rows[i].group);
    }
    qn_code rc = o->base ? hash_base(h, o->base, e) : QN_OK;
    if (rc == QN_OK && o->teacher_dir) rc = hash_base(h, o->teacher_dir, e);
    qn_hash_hex(qn_hasher_end(h), hex);
    return rc;
}

/* ---- training.json: what was done ---- */
static double mean_of(const qn_losses *c, bool last)
{
    size_t n = c->n / 10 < 1 ? 1 : c->n / 10 > 50 ? 50 : c->n / 10;
    double sum = 0;
    if (c->n == 0) return NAN;
    for (size_t i = 0; i < n; i++) sum += (double)c->p[last ? c->n - 1 - i : i];
    return sum / (double)n;
}

static void put_real(yyjson_mut_doc *d, yyjson_mut_val *o, const char *key, double x)
{
    if (isfinite(x)) yyjson_mut_obj_add_real(d, o, key, x);
    else yyjson_mut_obj_add_null(d, o, key);
}

static qn_code write_facts(const qn_learned *r, const char *dir, qn_err *e)
{
    yyjson_mut_doc *d = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *o = yyjson_mut_obj(d), *list = yyjson_mut_arr(d);
    yyjson_mut_doc_set_root(d, o);
    yyjson_mut_obj_add_str(d, o, "key", r->key);
    yyjson_mut_obj_add_int(d, o, "rows", r->rows);
    yyjson_mut_obj_add_int(d, o, "left_out", r->left_out);
    yyjson_mut_obj_add_int(d, o, "tokens", r->tokens);
    yyjson_mut_obj_add_int(d, o, "steps", r->steps);
    yyjson_mut_obj_add_int(d, o, "params", r->params);
    put_real(d, o, "loss_first", r->loss_first);
    put_real(d, o, "loss_last", r->loss_last);
    put_real(d, o, "loss_valid", r->loss_valid);
    put_real(d, o, "right_valid", r->right_valid);
    put_real(d, o, "right_before", r->right_before);
    put_real(d, o, "right_margin", r->right_margin);
    yyjson_mut_obj_add_bool(d, o, "refused", r->refused);
    put_real(d, o, "seconds", r->seconds);
    for (size_t i = 0; i < r->losses.n; i++) yyjson_mut_arr_add_real(d, list, (double)r->losses.p[i]);
    yyjson_mut_obj_add_val(d, o, "losses", list);
    return qn_json_save(d, dir, "training.json", e);
}

static double real_or_nan(yyjson_val *o, const char *key) { return qn_json_real(o, key, NAN); }

/* Is the model there, made by this very training? Then what was noted about it. */
static bool is_there(const char *dir, const char *key, qn_learned *r)
{
    yyjson_doc *doc;
    qn_err e = { 0 };
    char *path = qn_path_join(dir, "training.json");
    bool there = qn_file_exists(path);
    qn_free(path);
    if (!there || qn_json_open(&doc, dir, "training.json", &e) != QN_OK) return false;
    yyjson_val *o = yyjson_doc_get_root(doc), *list = yyjson_obj_get(o, "losses"), *x;
    there = yyjson_equals_str(yyjson_obj_get(o, "key"), key);
    if (there) {
        size_t i, max;
        *r = (qn_learned){ .rows = yyjson_get_sint(yyjson_obj_get(o, "rows")), .left_out = yyjson_get_sint(yyjson_obj_get(o, "left_out")),
            .tokens = yyjson_get_sint(yyjson_obj_get(o, "tokens")), .steps = yyjson_get_sint(yyjson_obj_get(o, "steps")),
            .params = yyjson_get_sint(yyjson_obj_get(o, "params")), .loss_first = real_or_nan(o, "loss_first"), .loss_last = real_or_nan(o, "loss_last"),
            .loss_valid = real_or_nan(o, "loss_valid"), .right_valid = real_or_nan(o, "right_valid"),
            .right_before = real_or_nan(o, "right_before"), .right_margin = real_or_nan(o, "right_margin"), .refused = yyjson_is_true(yyjson_obj_get(o, "refused")), .seconds = real_or_nan(o, "seconds") };
        snprintf(r->key, sizeof r->key, "%s", key);
        yyjson_arr_foreach(list, i, max, x) {
            QN_GROW(r->losses.p, r->losses.n, r->losses.cap);
            r->losses.p[r->losses.n++] = (float)yyjson_get_num(x);
        }
    }
    yyjson_doc_free(doc);
    return there;
}

/* ---- the model to begin with ---- */
static qn_code new_tokenizer(qn_learner *l, qn_err *e)
{
    static const char *const marks[] = { QN_CHAT_END, QN_CHAT_REPLY };
    enum { ENOUGH = 64 << 20 };         /* bytes: more text changes a vocabulary little */
    qn_bpe_options o = { .size = l->o->size.vocab, .split = QN_SPLIT_QWEN2, .special = marks, .n_special = 2 };
    qn_str *texts = QN_NEW_N(qn_str, l->n_msgs + 1);
    size_t n = 0, bytes = 0;
    for (size_t i = 0; i < l->n_msgs && bytes < ENOUGH; i++) { texts[n++] = l->msgs[i].content; bytes += l->msgs[i].content.n; }
    qn_code rc = qn_tokenizer_train(&l->tok, texts, n, &o, e);
    qn_free(texts);
    if (rc == QN_OK) rc = qn_chat_plain(&l->chat, l->tok, e);
    return rc;
}

static qn_code new_model(qn_learner *l, qn_err *e)
{
    const qn_learn_size *s = &l->o->size;
    QN_TRY(new_tokenizer(l, e));
    qn_decoder_config c = { .vocab = (int)qn_tokenizer_size(l->tok), .d = s->wide, .layers = s->layers, .heads = s->heads, .kv_heads = s->kv_heads,
                            .ff = s->ff ? s->ff : (s->wide * 8 / 3 + 31) / 32 * 32, .max_pos = s->max_tokens, .tied = true, .bos = -1,
                            .eos = { l->chat.end }, .n_eos = 1 };
    return qn_decoder_new(&l->m, &c, l->o->fit.seed, e);
}

static qn_code base_model(qn_learner *l, qn_err *e)
{
    QN_TRY(qn_decoder_open(&l->m, l->o->base, e));
    QN_TRY(qn_tokenizer_open(&l->tok, l->o->base, e));
    const qn_decoder_config *c = qn_decoder_cfg(l->m);
    if (qn_tokenizer_size(l->tok) > (size_t)c->vocab) return qn_fail(e, QN_EDATA, "the tokenizer of %s has %zu tokens, its model %d", l->o->base, qn_tokenizer_size(l->tok), c->vocab);
    return qn_chat_open(&l->chat, l->o->base, l->tok, c->bos, c->n_eos ? c->eos[0] : -1, e);
}

/* ---- rows to tokens ---- */
typedef struct { size_t at; int n; } span;      /* in l->ids; n 0: none */

/* The row's `n` messages as tokens; in a pair only the last reply counts. */
static qn_code put_messages(qn_learner *l, const kept *k, size_t from, size_t n, span *out, qn_err *e)
{
    const qn_message *m = l->msgs + k->at + from;
    out->at = l->ids.n;
    if (k->text) {
        QN_TRY(qn_tokenizer_encode(l->tok, m[0].content, QN_TOKENS_PLAIN, &l->ids, e));
        if (l->chat.end >= 0) qn_ids_put(&l->ids, l->chat.end);
    } else if (l->o->kind == QN_TRAIN_DPO && n > 1) {
        QN_TRY(qn_chat_put(&l->chat, l->tok, m, n, false, &l->ids, &l->weights, e));
        size_t last = l->weights.n;
        while (last > out->at && l->weights.p[last - 1] <= 0) last--;
        while (last > out->at && l->weights.p[last - 1] > 0) last--;
        for (size_t i = out->at; i < last; i++) l->weights.p[i] = 0;
    } else {
        QN_TRY(qn_chat_put(&l->chat, l->tok, m, n, false, &l->ids, &l->weights, e));
    }
    while (l->weights.n < l->ids.n) { QN_GROW(l->weights.p, l->weights.n, l->weights.cap); l->weights.p[l->weights.n++] = 1; }
    out->n = (int)(l->ids.n - out->at);
    return QN_OK;
}

/* Targets of step rewards: at the last token of each message that has one; what is right is language to be learnt. The first message is what the user says, the steps behind it are the
 * assistant's words, as a base that solves was taught to write them. */
static qn_code put_steps(qn_learner *l, const kept *k, span *out, qn_err *e)
{
    out->at = l->ids.n;
    QN_TRY(qn_chat_put(&l->chat, l->tok, l->msgs + k->at, 1, true, &l->ids, NULL, e));
    while (l->labels.n < l->ids.n) { QN_GROW(l->labels.p, l->labels.n, l->labels.cap); l->labels.p[l->labels.n++] = -1; }
    while (l->weights.n < l->ids.n) { QN_GROW(l->weights.p, l->weights.n, l->weights.cap); l->weights.p[l->weights.n++] = 0; }
    for (uint32_t i = 1; i < k->n_a; i++) {
        uint32_t next = i;
        while (next < k->n_a && k->step[next] < 0) next++;          /* a step without a label goes with the next that has one */
        float good = next < k->n_a && k->step[next] > 0.5f;
        QN_TRY(qn_tokenizer_encode(l->tok, l->msgs[k->at + i].content, QN_TOKENS_PLAIN, &l->ids, e));
        while (l->labels.n < l->ids.n) { QN_GROW(l->labels.p, l->labels.n, l->labels.cap); l->labels.p[l->labels.n++] = -1; }
        if (l->ids.n > out->at) l->labels.p[l->ids.n - 1] = k->step[i];
        while (l->weights.n < l->ids.n) { QN_GROW(l->weights.p, l->weights.n, l->weights.cap); l->weights.p[l->weights.n++] = good; }
    }
    out->n = (int)(l->ids.n - out->at);
    return QN_OK;
}

typedef struct { span a, b; const kept *of; } made;
typedef struct { made *p; size_t n, cap; } made_list;

/* A long text becomes pieces of at most `most` tokens; another row that is too long stays out. */
static void put_row(qn_learner *l, made_list *rows, made r, int most)
{
    if (r.of->text)
        for (; r.a.n > most; r.a.at += (size_t)most, r.a.n -= most) {
            QN_GROW(rows->p, rows->n, rows->cap);
            rows->p[rows->n++] = (made){ { r.a.at, most }, { 0, 0 }, r.of };
        }
    if (r.a.n < 2 || r.a.n > most || r.b.n > most) { l->left_out += r.of->text ? 0 : 1; return; }
    QN_GROW(rows->p, rows->n, rows->cap);
    rows->p[rows->n++] = r;
}

static qn_code tokenize(qn_learner *l, made_list *rows, qn_err *e)
{
    int max_pos = qn_decoder_cfg(l->m)->max_pos, most = l->o->max_tokens > 0 && l->o->max_tokens < max_pos ? l->o->max_tokens : max_pos;
    for (size_t i = 0; i < l->n; i++) {
        const kept *k = &l->rows[i];
        made r = { .of = k };
        if (l->o->kind == QN_TRAIN_STEPS) QN_TRY(put_steps(l, k, &r.a, e));
        else QN_TRY(put_messages(l, k, 0, k->n_a, &r.a, e));
        if (k->n_b) QN_TRY(put_messages(l, k, k->n_a, k->n_b, &r.b, e));
        put_row(l, rows, r, most);
    }
    return QN_OK;
}

static qn_seq seq_of(const qn_learner *l, span s)
{
    if (!s.n) return (qn_seq){ 0 };
    return (qn_seq){ l->ids.p + s.at, s.n, l->weights.p + s.at, l->labels.p ? l->labels.p + s.at : NULL };
}

/* ---- measuring what was held back ---- */
static double log_logistic(double x) { return x >= 0 ? -log1p(exp(-x)) : x - log1p(exp(x)); }

static qn_code measure_lm(qn_learner *l, const qn_train_row *rows, size_t n, qn_learned *out, qn_err *e)
{
    qn_seq *s = QN_NEW_N(qn_seq, n + 1);
    double *lp = QN_NEW_N(double, n + 1), sum = 0, weight = 0;
    for (size_t i = 0; i < n; i++) {
        s[i] = rows[i].a;
        for (int j = 1; j < s[i].n; j++) weight += (double)s[i].weight[j];
    }
    qn_code rc = qn_decoder_logp(l->m, s, n, lp, e);
    for (size_t i = 0; i < n; i++) sum += lp[i];
    if (weight > 0) out->loss_valid = -sum / weight;
    qn_free(s);
    qn_free(lp);
    return rc;
}

static qn_code measure_reward(qn_learner *l, const qn_train_row *rows, size_t n, qn_learned *out, qn_err *e)
{
    qn_seq *s = QN_NEW_N(qn_seq, 2 * n + 1);
    float *r = QN_NEW_N(float, 2 * n + 1);
    double loss = 0, right = 0;
    for (size_t i = 0; i < n; i++) { s[2 * i] = rows[i].a; s[2 * i + 1] = rows[i].b; }
    qn_code rc = qn_decoder_score(l->m, s, 2 * n, r, e);
    for (size_t i = 0; i < n; i++) {
        double gap = (double)r[2 * i] - (double)r[2 * i + 1];
        loss -= log_logistic(gap);
        right += gap > 0 ? 1 : gap < 0 ? 0 : 0.5;
    }
    out->loss_valid = loss / (double)n;
    out->right_valid = right / (double)n;
    qn_free(s);
    qn_free(r);
    return rc;
}

/* Over the labelled tokens of all rows: a target above 0.5 is a right step, a score above 0 says that it is. */
static qn_code measure_steps(qn_learner *l, const qn_train_row *rows, size_t n, qn_learned *out, qn_err *e)
{
    qn_seq *s = QN_NEW_N(qn_seq, n + 1);
    size_t tokens = 0, k = 0;
    double loss = 0, right = 0, labelled = 0;
    for (size_t i = 0; i < n; i++) { s[i] = rows[i].a; tokens += (size_t)s[i].n; }
    float *score = QN_NEW_N(float, tokens + 1);
    qn_code rc = qn_decoder_token_score(l->m, s, n, score, e);
    for (size_t i = 0; rc == QN_OK && i < n; i++)
        for (int j = 0; j < s[i].n; j++, k++) {
            double y = s[i].label ? (double)s[i].label[j] : -1, x = (double)score[k];
            if (y < 0) continue;
            loss -= y * log_logistic(x) + (1 - y) * log_logistic(-x);
            right += (x > 0) == (y > 0.5);
            labelled++;
        }
    if (rc == QN_OK && labelled > 0) { out->loss_valid = loss / labelled; out->right_valid = right / labelled; }
    qn_free(s);
    qn_free(score);
    return rc;
}

/* ---- the folder ---- */
void qn_learned_remove(const char *dir)
{
    static const char *const names[] = { "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "training.json", "generation_config.json",
                                         "special_tokens_map.json", "chat_template.jinja", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json", "1_Pooling", "adapter/adapter_config.json", "adapter/adapter_model.safetensors", "adapter" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = qn_path_join(dir, names[i]);
        remove(path);
        qn_free(path);
    }
    rmdir(dir);
}

static qn_code write_folder(qn_learner *l, const qn_learned *r, const char *part, qn_err *e)
{
    qn_learned_remove(part);
    QN_TRY(qn_mkdirs(part, e));
    if (l->m->lora) {
        char *adapter = qn_path_join(part, "adapter");
        qn_code rc = qn_decoder_lora_save(l->m, adapter, l->o->base, e);
        qn_free(adapter);
        QN_TRY(rc);
        qn_decoder_lora_merge(l->m);
    }
    QN_TRY(qn_decoder_save(l->m, part, e));
    if (!l->o->base) QN_TRY(qn_chat_save_plain(part, e));
    else {
        QN_TRY(qn_file_copy(l->o->base, part, "tokenizer_config.json", e));
        QN_TRY(qn_file_copy(l->o->base, part, "chat_template.jinja", e));
        QN_TRY(qn_file_copy(l->o->base, part, "generation_config.json", e));
    }
    QN_TRY(qn_tokenizer_save(l->tok, part, e));
    return write_facts(r, part, e);
}

static qn_code put_in_place(const char *part, const char *dir, qn_err *e)
{
    qn_learned_remove(dir);
    if (rename(part, dir) == 0) return QN_OK;
    qn_fail(e, QN_EIO, "the folder %s is in the way: it holds files that are not a model's", dir);
    qn_hint(e, "move it away; the trained model lies in %s", part);
    return QN_EIO;
}

/* ---- all of it ---- */
qn_fit_options qn_learner_fit(const qn_learner *l, size_t n, const char *checkpoint, qn_learned *out)
{
    qn_fit_options f = l->o->fit;
    int64_t per_epoch = ((int64_t)n + f.batch - 1) / f.batch;
    int64_t steps = f.steps > 0 ? f.steps : (int64_t)ceil((double)per_epoch * (f.epochs > 0 ? f.epochs : 1) - 1e-9);
    f.warmup = (int64_t)(l->o->warmup * (double)steps);
    f.checkpoint = checkpoint;
    f.losses = &out->losses;
    return f;
}

void qn_learned_means(qn_learned *out)
{
    out->loss_first = mean_of(&out->losses, false);
    out->loss_last = mean_of(&out->losses, true);
}

bool qn_learner_holds_back(const qn_learner *l, const kept *k)
{
    return k->valid || (l->o->valid > 0 && (double)(row_hash(l, k).lo >> 11) * 0x1p-53 < l->o->valid);
}

static qn_code train(qn_learner *l, const char *checkpoint, const made_list *rows, qn_learned *out, qn_err *e)
{
    const qn_learn_options *o = l->o;
    qn_train_row *all = QN_NEW_N(qn_train_row, rows->n + 1), *last = all + rows->n;
    size_t n = 0, n_valid = 0;
    qn_fit_state s = { 0 };
    for (size_t i = 0; i < rows->n; i++) {
        const made *r = &rows->p[i];
        qn_train_row x = { seq_of(l, r->a), seq_of(l, r->b), r->of->weight, r->of->p, r->of->margin };
        out->tokens += r->a.n + r->b.n;
        if (qn_learner_holds_back(l, r->of)) { *--last = x; n_valid++; }
        else all[n++] = x;
    }
    out->rows = (int64_t)n;
    qn_fit_options f = qn_learner_fit(l, n, checkpoint, out);
    if (o->lora_rank > 0) {
        double alpha = o->lora_alpha > 0 ? o->lora_alpha : 2.0 * o->lora_rank;
        qn_code rc = qn_decoder_lora_add(l->m, o->lora_rank, (float)alpha, o->lora_modules, f.seed, e);
        if (rc != QN_OK) { qn_free(all); return rc; }
    }
    qn_code rc = n ? qn_decoder_train(l->m, o->kind, &f, o->beta, all, n, &s, e) : qn_fail(e, QN_EDATA, "there are no rows to train on: %lld were too long", (long long)l->left_out);
    out->steps = s.step;
    qn_learned_means(out);
    if (rc == QN_OK && n_valid && o->kind == QN_TRAIN_LM) rc = measure_lm(l, last, n_valid, out, e);
    if (rc == QN_OK && n_valid && o->kind == QN_TRAIN_REWARD) rc = measure_reward(l, last, n_valid, out, e);
    if (rc == QN_OK && n_valid && o->kind == QN_TRAIN_STEPS) rc = measure_steps(l, last, n_valid, out, e);
    qn_free(all);
    return rc;
}

static qn_code make(qn_learner *l, const char *part, const char *checkpoint, qn_learned *out, qn_err *e)
{
    made_list rows = { 0 };
    int64_t t0 = qn_now_us();
    QN_TRY(l->o->base ? base_model(l, e) : new_model(l, e));
    qn_decoder_threads(l->m, l->o->threads);
    qn_decoder_bf16(l->m, l->o->bf16);
    qn_code rc = tokenize(l, &rows, e);
    if (rc == QN_OK) rc = train(l, checkpoint, &rows, out, e);
    out->left_out = l->left_out;
    out->params = (int64_t)qn_decoder_n_params(l->m);
    out->seconds = 1e-6 * (double)(qn_now_us() - t0);
    if (rc == QN_OK) rc = write_folder(l, out, part, e);
    qn_free(rows.p);
    return rc;
}

qn_code qn_learner_run(qn_learner *l, qn_learned *out, qn_err *e)
{
    const char *dir = l->o->dir;
    char key[33];
    *out = (qn_learned){ .loss_valid = NAN, .right_valid = NAN, .right_before = NAN, .right_margin = NAN, .loss_first = NAN, .loss_last = NAN };
    if (l->n == 0) return qn_fail(e, QN_EDATA, "there are no rows to train on");
    QN_TRY(training_key(l, key, e));
    if (is_there(dir, key, out)) return QN_OK;
    snprintf(out->key, sizeof out->key, "%s", key);
    out->trained = true;
    qn_buf part = { 0 }, check = { 0 };
    qn_buf_printf(&part, "%s.part", dir);
    qn_buf_printf(&check, "%s-%.8s.checkpoint", dir, key);
    const char *slash = strrchr(dir, '/');
    qn_code rc = QN_OK;
    if (slash) {
        char *parent = qn_strz((qn_str){ dir, (size_t)(slash - dir) });
        rc = qn_mkdirs(*parent ? parent : "/", e);
        qn_free(parent);
    }
    if (rc == QN_OK) rc = l->o->span ? qn_learn_span(l, part.p, check.p, out, e) : l->o->ranking ? qn_learn_embed(l, part.p, check.p, out, e) : make(l, part.p, check.p, out, e);
    if (rc == QN_OK && (l->o->span || l->o->ranking)) rc = write_facts(out, part.p, e);
    if (rc == QN_OK) rc = put_in_place(part.p, dir, e);
    if (rc == QN_OK) remove(check.p);
    qn_buf_free(&part);
    qn_buf_free(&check);
    return rc;
}

/* ---- for trainers elsewhere ---- */
int64_t qn_learner_rows(const qn_learner *l) { return (int64_t)l->n; }
qn_code qn_learned_write(const qn_learned *r, const char *dir, qn_err *e) { return write_facts(r, dir, e); }
bool    qn_learned_read(const char *dir, const char *key, qn_learned *r) { return is_there(dir, key, r); }

qn_code qn_learner_key(const qn_learner *l, const char *extra, char hex[33], qn_err *e)
{
    char own[33];
    QN_TRY(training_key(l, own, e));
    qn_hasher *h = qn_hasher_new();
    qn_hasher_add(h, own, 32);
    hash_text(h, qn_str_of(extra));
    qn_hash_hex(qn_hasher_end(h), hex);
    return QN_OK;
}

static yyjson_mut_val *messages(yyjson_mut_doc *d, const qn_message *m, size_t n)
{
    yyjson_mut_val *list = yyjson_mut_arr(d);
    for (size_t i = 0; i < n; i++) {
        yyjson_mut_val *o = yyjson_mut_arr_add_obj(d, list);
        yyjson_mut_obj_add_strn(d, o, "role", m[i].role.p, m[i].role.n);
        yyjson_mut_obj_add_strn(d, o, "content", m[i].content.p ? m[i].content.p : "", m[i].content.n);
    }
    return list;
}

static void export_row(const qn_learner *l, const kept *k, qn_learn_layout layout, yyjson_mut_doc *d, yyjson_mut_val *o)
{
    const qn_message *a = l->msgs + k->at, *b = a + k->n_a;
    if (k->text) { yyjson_mut_obj_add_strn(d, o, "text", a[0].content.p, a[0].content.n); return; }
    if (!k->n_b) { yyjson_mut_obj_add_val(d, o, "messages", messages(d, a, k->n_a)); return; }
    yyjson_mut_val *prompt = messages(d, a, k->n_a - 1), *good = messages(d, a + k->n_a - 1, 1), *bad = messages(d, b + k->n_b - 1, 1);
    if (layout == QN_LEARN_TRL) {
        yyjson_mut_obj_add_val(d, o, "prompt", prompt);
        yyjson_mut_obj_add_val(d, o, "chosen", good);
        yyjson_mut_obj_add_val(d, o, "rejected", bad);
        return;
    }
    yyjson_mut_val *input = yyjson_mut_obj(d);
    yyjson_mut_obj_add_val(d, input, "messages", prompt);
    yyjson_mut_obj_add_val(d, o, "input", input);
    yyjson_mut_obj_add_val(d, o, "preferred_output", good);
    yyjson_mut_obj_add_val(d, o, "non_preferred_output", bad);
}

qn_code qn_learner_export(const qn_learner *l, qn_learn_layout layout, qn_buf *out, qn_err *e)
{
    for (size_t i = 0; i < l->n; i++) {
        const kept *k = &l->rows[i];
        if (k->step || l->o->ranking || l->o->span || (layout == QN_LEARN_OPENAI && (k->text || l->o->kind == QN_TRAIN_REWARD)))
            return qn_fail(e, QN_ERECIPE, "this training cannot be done there: it has no form for such rows");
        yyjson_mut_doc *d = yyjson_mut_doc_new(NULL);
        yyjson_mut_val *o = yyjson_mut_obj(d);
        yyjson_mut_doc_set_root(d, o);
        export_row(l, k, layout, d, o);
        size_t n;
        char *text = yyjson_mut_write(d, 0, &n);
        QN_ASSERT(text);
        qn_buf_put(out, text, n);
        qn_buf_putc(out, '\n');
        free(text);
        yyjson_mut_doc_free(d);
    }
    return QN_OK;
}
