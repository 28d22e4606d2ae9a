/* training: what the operators share that train a model: their common parameters, the learner that gathers rows, and the row that
 * describes what came of it.
 *
 *   open: where the model goes    absorb: rows to texts    finish: the training    next: one row about the model
 *
 * An operator has its params, a check, an open that says what is trained and how a row becomes texts (qn_training_row), and its descriptor
 * ends in QN_TRAINING_HOOKS.
 *
 * A step's model lies in DIR/models/STEP, or where `to` says. Later steps name it: `model: $STEP`. */
#ifndef QN_OPS_TRAIN_TRAINING_H
#define QN_OPS_TRAIN_TRAINING_H
#include "core/clock.h"
#include "core/log.h"
#include "core/queue.h"
#include "model/finetune.h"
#include "nn/learn.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include <math.h>
#include <stdio.h>

#define QN_TRAINING_FIELDS \
    const qn_model *base; qn_value size; const char *to; \
    int64_t steps, batch, max_tokens, pass_tokens, seed, lora, threads; \
    double epochs, lr, warmup, decay, beta2, clip, valid, lora_alpha, checkpoint; \
    qn_str schedule, lora_modules, precision, by, command, base_name; double poll
typedef struct { QN_TRAINING_FIELDS; } qn_training;

/* Of struct s, whose first member is `struct { QN_TRAINING_FIELDS; };`. */
#define QN_TRAINING_PARAMS(s) \
    QN_MODEL(s, base, "", "the model to begin with: a role, an earlier training step, or a folder (config.json, model.safetensors, tokenizer.json); left out or `builtin`: a new one of `size`"), \
    QN_VALUE(s, size, "{wide: 192, layers: 6, heads: 6, vocab: 4096, max_tokens: 512}", "a new model: width, layers, heads, vocabulary (a BPE trained on the rows), longest text; also kv_heads, ff"), \
    QN_REAL(s, epochs, "1", "0..", "how often all rows are seen"), \
    QN_INT(s, steps, "0", "0..", "so many steps instead"), \
    QN_INT(s, batch, "32", "1..", "rows of a step: their gradients are summed, in as many passes as `pass_tokens` asks for"), \
    QN_REAL(s, lr, "0", "0..", "highest learning rate; 0: 1e-3 for a new model, 2e-4 for an adapter, 5e-5 for all weights of a base"), \
    QN_CHOICE(s, schedule, "cosine", "cosine|linear|constant", "how the rate falls, to a tenth"), \
    QN_REAL(s, warmup, "0.05", "0..1", "share of the steps in which the rate rises"), \
    QN_REAL(s, decay, "0.01", "0..1", "weight decay (AdamW)"), \
    QN_REAL(s, beta2, "0.95", "0..0.99999", "how slowly AdamW forgets the squares of earlier gradients; nearer to 1 suits steps of few tokens"), \
    QN_REAL(s, clip, "1", "0..", "largest norm of the gradient; 0: none"), \
    QN_INT(s, max_tokens, "0", "0..", "longest row in tokens; longer ones stay out and are counted (texts of `train_lm` are cut into pieces); 0: what the model takes"), \
    QN_INT(s, pass_tokens, "4096", "64..", "tokens that go through the network at once: memory against speed; rows are laid end to end, nothing is padded"), \
    QN_INT(s, lora, "0", "0..4096", "rank of a low-rank adapter that is trained in place of the weights; it is merged at the end and kept beside, as PEFT reads it; 0: none"), \
    QN_REAL(s, lora_alpha, "0", "0..", "the adapter's scale; 0: twice the rank"), \
    QN_TEXT(s, lora_modules, "", "words of q_proj k_proj v_proj o_proj gate_proj up_proj down_proj; left out: all"), \
    QN_REAL(s, valid, "0", "0..0.5", "share of the rows, drawn by their content, that is not trained on: the loss on them is reported"), \
    QN_CHOICE(s, precision, "f32", "f32|bf16", "bf16: matrix products in bf16 with f32 sums, 1.6 times as fast on a processor with AVX512_BF16, twice on one with matrix tiles (AMX_BF16); f32 on others; asking the model later is in bf16 too"), \
    QN_CHOICE(s, by, "quern", "quern|trl|openai", "who trains: quern; TRL's command, for large models on a GPU; a fine-tuning service with OpenAI's interface"), \
    QN_TEXT(s, command, "trl", "by trl: the program; it gets `sft --config FILE` (or dpo, reward) behind it, is watched, and may be killed and begun again"), \
    QN_TEXT(s, base_name, "", "by trl or openai: the base as they know it: Qwen/Qwen2.5-0.5B-Instruct, gpt-4o-mini-2024-07-18; left out: `base`"), \
    QN_REAL(s, poll, "20", "0.05..3600", "by openai: seconds between looks at the job"), \
    QN_INT(s, seed, "0", "0..", "0: the run's"), \
    QN_REAL(s, checkpoint, "60", "0..", "seconds between checkpoints"), \
    QN_INT(s, threads, "0", "0..", "0: as many as the run has workers"), \
    QN_PATH(s, to, "", "another place for the model than DIR/models/STEP")

#define QN_TRAINING_ABOUT \
    "All rows come in, one row comes out: the model's name, its path, rows, steps, losses. The model is a folder that Hugging Face transformers loads.\n" \
    "Steps behind it name it: `model: $STEP` where STEP is this step's name. Rows for those steps come by `from:` from before the training, and wait until it is done.\n" \
    "Run again with the same rows and settings, nothing is trained; killed, the training goes on from its last checkpoint and ends in the same weights.\n" \
    "A training file of each model (training.json) holds the loss of every step."

/* The texts of a row, in cx->scratch. n_a left at 0: the row is not trained on. p: the operator's params. */
typedef qn_code qn_training_row(qn_ctx *cx, const void *p, const qn_row *r, qn_learn_row *out, qn_err *e);

typedef struct {
    qn_learn_options o;
    qn_learner *learner;
    size_t extra;               /* memory beyond the step's own (qn_ctx_room) */
    qn_learned result;
    char  *dir, *shown;         /* where the model lies; the same as rows say it */
    const int *stop;
    int64_t said_us, began_us;
    const char *step, *kind;    /* kind: "lm", "sft", "dpo", "rm", "prm", "embed", "span": what the row about the model says */
    qn_training_row *row_of;
    bool given;
    const qn_training *p;
    qn_model *gives;
    char elsewhere[256];     /* by openai: the model's name at the service */
} qn_training_state;

/* ---- checking ---- */
static inline qn_code qn_training_size(const qn_training *p, qn_learn_size *s, qn_pos pos, qn_err *e)
{
    static const char *const names[] = { "wide", "layers", "heads", "kv_heads", "ff", "vocab", "max_tokens" };
    *s = (qn_learn_size){ 192, 6, 6, 0, 0, 4096, 512 };
    int *at[] = { &s->wide, &s->layers, &s->heads, &s->kv_heads, &s->ff, &s->vocab, &s->max_tokens };
    qn_v_iter it = qn_v_iter_of(p->size);
    qn_str name;
    qn_value v;
    if (p->size.kind != QN_V_OBJECT) return qn_fail_at(e, QN_ERECIPE, pos, "`size` is a map: {wide: 192, layers: 6, heads: 6, vocab: 4096, max_tokens: 512}");
    while (qn_v_next(&it, &name, &v)) {
        size_t i = 0;
        while (i < 7 && !qn_str_is(name, names[i])) i++;
        if (i == 7) return qn_fail_at(e, QN_ERECIPE, pos, "`size` has no part `%.*s` (wide, layers, heads, kv_heads, ff, vocab, max_tokens)", QN_FMT(name));
        if (v.kind != QN_V_INT || v.i < 1 || v.i > 1 << 20) return qn_fail_at(e, QN_ERECIPE, pos, "`%.*s` of `size` must be a whole number from 1", QN_FMT(name));
        *at[i] = (int)v.i;
    }
    if (s->wide % s->heads || s->wide / s->heads % 2) return qn_fail_at(e, QN_ERECIPE, pos, "a width of %d cannot be split over %d heads of an even size", s->wide, s->heads);
    if (s->vocab < 258) return qn_fail_at(e, QN_ERECIPE, pos, "a vocabulary needs at least 258 tokens (256 bytes and two marks), %d are asked for", s->vocab);
    return QN_OK;
}

static inline qn_code qn_training_check(qn_check *ck, const qn_training *p, qn_err *e)
{
    qn_learn_size s;
    if (qn_str_is(p->by, "openai")) {
        bool earlier = p->base && p->base->folder && !*p->base->folder;     /* what a training step before this one makes: its endpoint is known then */
        if (!p->base || (!p->base->url && !earlier)) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`by: openai` needs `base`: the endpoint and its model (http://HOST/v1#NAME, or a name in quern.yaml)");
    } else if (qn_str_is(p->by, "trl") && !p->base_name.n && !(p->base && p->base->folder)) {
        return qn_fail_at(e, QN_ERECIPE, ck->pos, "`by: trl` needs a base: `base_name` as the hub knows it, or `base`, a folder");
    } else if (qn_str_is(p->by, "quern") && p->base && !p->base->builtin && !p->base->folder) {
        qn_fail_at(e, QN_ERECIPE, ck->pos, "`base` is %s, which is no folder: its weights are not here", p->base->name ? p->base->name : "an endpoint");
        qn_hint(e, "a folder with config.json, model.safetensors and tokenizer.json, or `by: trl` or `by: openai` for models that are trained elsewhere");
        return QN_ERECIPE;
    }
    QN_TRY(qn_training_size(p, &s, ck->pos, e));
    return qn_type_parse_fields(QN_STR("model: text, path: text, kind: text, base: text?, rows: int, left_out: int, tokens: int, steps: int, params: int, "
                                       "loss_first: real, loss_last: real, loss_valid: real?, right_valid: real?, right_before: real?, right_margin: real?, refused: bool"), ck->arena, &ck->out, e);
}

/* ---- running ---- */
static inline bool qn_training_progress(void *arg, const qn_fit_state *s)
{
    qn_training_state *st = arg;
    int64_t now = qn_now_us();
    if (now - st->said_us > 1000000 || s->step == s->steps) {
        double per_step = 1e-6 * (double)(now - st->began_us);
        qn_status("%s: step %lld of %lld, loss %.3f", st->step, (long long)s->step, (long long)s->steps, s->loss);
        if (now - st->said_us > 10000000 || s->step == s->steps)
            qn_log(QN_INFO, "train", "%s step %lld of %lld loss %.4f rate %.2e tokens %lld seconds %.1f", st->step, (long long)s->step, (long long)s->steps, s->loss, s->lr, (long long)s->tokens, per_step);
        st->said_us = now;
    }
    return !st->stop || !qn_flag_get(st->stop);
}

static inline void qn_training_close(void *vs)
{
    qn_training_state *st = vs;
    if (!st) return;
    qn_learner_free(st->learner);
    qn_learned_free(&st->result);
    qn_free(st->dir);
    qn_free(st->shown);
    qn_free(st);
}

static inline qn_code qn_training_set_up(qn_ctx *cx, const qn_training *p, qn_train_kind loss, qn_training_state *st, qn_err *e)
{
    qn_buf b = { 0 };
    bool based = p->base && !p->base->builtin;
    if (p->to) qn_buf_puts(&b, p->to);
    else if (cx->out_dir) qn_buf_printf(&b, "%s/models/%.*s", cx->out_dir, QN_FMT(cx->step));
    else return qn_fail(e, QN_ERECIPE, "say where the model goes: to=FOLDER");
    st->dir = b.p;
    st->shown = p->to ? qn_strz(qn_str_of(p->to)) : qn_strz(qn_arena_printf(cx->scratch, "models/%.*s", QN_FMT(cx->step)));
    st->step = cx->step.p;
    st->stop = cx->stop;
    QN_TRY(qn_training_size(p, &st->o.size, (qn_pos){ 0 }, e));
    st->o.kind = loss;
    st->o.dir = st->dir;
    st->o.base = based && p->base->folder ? p->base->folder : NULL;
    st->o.lora_rank = based || p->base_name.n ? (int)p->lora : 0;
    st->o.lora_alpha = p->lora_alpha;
    st->o.lora_modules = p->lora_modules.n ? p->lora_modules.p : NULL;
    st->o.max_tokens = (int)p->max_tokens;
    st->o.valid = p->valid;
    st->o.warmup = p->warmup;
    st->o.bf16 = qn_str_is(p->precision, "bf16");
    if (st->o.bf16 && !qn_gemm_has_bf16()) qn_log(QN_WARN, "precision", "%.*s: this processor has no AVX512_BF16: the products are made in f32", QN_FMT(cx->step));
    st->o.threads = p->threads ? (int)p->threads : cx->n_threads;
    double lr = p->lr > 0 ? p->lr : !based ? 1e-3 : p->lora ? 2e-4 : 5e-5;
    st->o.fit = (qn_fit_options){ .lr = lr, .lr_end = lr / 10, .shape = qn_str_is(p->schedule, "cosine") ? QN_LR_COSINE : qn_str_is(p->schedule, "linear") ? QN_LR_LINEAR : QN_LR_CONSTANT,
        .steps = p->steps, .epochs = p->epochs, .batch = (int)p->batch, .pass_tokens = (int)p->pass_tokens, .clip = p->clip, .decay = p->decay, .b2 = p->beta2,
        .seed = p->seed ? (uint64_t)p->seed : cx->seed, .checkpoint_seconds = p->checkpoint, .progress = qn_training_progress, .progress_arg = st };
    st->learner = qn_learner_new(&st->o);
    st->p = p;
    st->gives = cx->gives;
    if (strlen(st->dir) >= 1000) return qn_fail(e, QN_ELIMIT, "the path %.60s... is too long", st->dir);
    if (cx->gives) {
        snprintf(cx->gives->made_at, sizeof cx->gives->made_at, "%s", st->dir);
        cx->gives->folder = cx->gives->made_at;
        cx->gives->bf16 = st->o.bf16;
    }
    if (cx->gives && qn_str_is(p->by, "openai")) {
        const char *role = cx->gives->role, *name = cx->gives->name;
        *cx->gives = *p->base;
        cx->gives->role = role;
        cx->gives->name = name;
        cx->gives->folder = NULL;
    }
    return QN_OK;
}

/* *out: a qn_training_state, owned, qn_training_close; NULL on an error. vp: params that begin with qn_training's. */
static inline qn_code qn_training_open(qn_ctx *cx, const void *vp, qn_train_kind loss, const char *kind, qn_training_row *row_of, void **out, qn_err *e)
{
    qn_training_state *st = QN_NEW(qn_training_state);
    st->kind = kind;
    st->row_of = row_of;
    qn_code rc = qn_training_set_up(cx, vp, loss, st, e);
    *out = rc == QN_OK ? st : NULL;
    if (rc != QN_OK) qn_training_close(st);
    return rc;
}

/* The row's texts are with the learner then; the row is dropped. */
static inline qn_code qn_training_absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    qn_training_state *st = vs;
    qn_learn_row row = { 0 };
    qn_code rc = st->row_of(cx, vp, r, &row, e);
    if (rc == QN_OK && row.n_a) qn_learner_add(st->learner, &row);
    qn_row_drop(r);
    if (rc != QN_OK || qn_ctx_room(cx, cx->memory_bytes, qn_learner_bytes(st->learner), &st->extra)) return rc;
    qn_fail(e, QN_ELIMIT, "the rows to train on take more than %zu MB", (cx->memory_bytes + st->extra) >> 20);
    qn_hint(e, "raise --memory, or put `sample` in front");
    return QN_ELIMIT;
}

static inline qn_code qn_training_need_base(qn_check *ck, const qn_training *p, const char *why, qn_err *e)
{
    if ((p->base && !p->base->builtin) || p->base_name.n) return QN_OK;
    qn_fail_at(e, QN_ERECIPE, ck->pos, "`base` is needed: %s", why);
    qn_hint(e, "a model's folder, or the name of a training step before this one");
    return QN_ERECIPE;
}

/* Trained by TRL or a service. A model of the same key that is there stays. */
static inline qn_code qn_training_elsewhere(qn_training_state *st, qn_err *e)
{
    const qn_training *p = st->p;
    bool trl = qn_str_is(p->by, "trl");
    char key[33];
    qn_buf rows = { 0 };
    qn_arena a = { 0 };
    const char *base = p->base_name.n ? p->base_name.p : trl ? p->base->folder : p->base->name;
    qn_learned *r = &st->result;
    qn_code rc;
    *r = (qn_learned){ .loss_first = NAN, .loss_last = NAN, .loss_valid = NAN, .right_valid = NAN, .right_before = NAN, .right_margin = NAN, .rows = qn_learner_rows(st->learner) };
    if (!r->rows) return qn_fail(e, QN_EDATA, "there are no rows to train on");
    if (!trl && !p->base->url) return qn_fail(e, QN_ERECIPE, "`base` is `%s`, which was not trained at an endpoint: `by: openai` cannot go on with it", p->base->name);
    QN_TRY_OUT(qn_learner_key(st->learner, qn_arena_printf(&a, "%.*s %s %s", QN_FMT(p->by), base, st->kind).p, key, e));
    if (trl && qn_learned_read(st->dir, key, r)) goto out;
    QN_TRY_OUT(qn_learner_export(st->learner, trl ? QN_LEARN_TRL : QN_LEARN_OPENAI, &rows, e));
    qn_finetune f = { .kind = st->kind, .dir = st->dir, .step = st->step, .base = base, .o = &st->o, .command = p->command.p, .endpoint = p->base, .poll_s = p->poll,
                      .key = key, .rows = qn_buf_view(&rows), .stop = st->stop };
    memcpy(r->key, key, sizeof key);
    r->trained = true;
    if (trl) {
        QN_TRY_OUT(qn_finetune_trl(&f, r, e));
        rc = qn_learned_write(r, st->dir, e);
    } else {
        QN_TRY_OUT(qn_finetune_openai(&f, r, st->elsewhere, sizeof st->elsewhere, e));
        qn_model *m = st->gives;
        if (m) {
            snprintf(m->made_name, sizeof m->made_name, "%s", st->elsewhere);
            snprintf(m->content, sizeof m->content, "url %.120s name %s", p->base->url, st->elsewhere);
            m->name = m->made_name;
            m->identity = m->content;
        }
    }
out:
    qn_buf_free(&rows);
    qn_arena_free(&a);
    return rc;
}

static inline qn_code qn_training_finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    qn_training_state *st = vs;
    (void)vp;
    st->began_us = qn_now_us();
    st->said_us = 0;
    qn_status("%s: reading the rows", st->step);
    qn_code rc = qn_str_is(st->p->by, "quern") ? qn_learner_run(st->learner, &st->result, e) : qn_training_elsewhere(st, e);
    qn_status("%s", "");
    qn_learner_free(st->learner);       /* rows, weights, gradients: a run may train many models */
    st->learner = NULL;
    qn_ctx_room_back(cx, &st->extra);
    if (rc != QN_OK) { qn_trail(e, "%s", st->step); return rc; }
    const qn_learned *r = &st->result;
    if (r->left_out) qn_log(QN_WARN, "left_out", "%s: %lld of %lld rows are longer than the model or `max_tokens` takes: they were not trained on", st->step, (long long)r->left_out, (long long)(r->left_out + r->rows));
    qn_log(QN_INFO, "trained", "%s: %s%lld rows, %lld steps, loss %.4f to %.4f, %.1f seconds", st->step, r->trained ? "" : "was there: ", (long long)r->rows, (long long)r->steps, r->loss_first, r->loss_last, r->seconds);
    if (r->refused) qn_log(QN_WARN, "gate", "%s: the tuned encoder ranks the held-back rows worse (NDCG@10 %.4f, the base %.4f): the base stays", st->step, r->right_valid, r->right_before);
    return QN_OK;
}

static inline void qn_training_put_real(qn_row *r, const char *name, double x)
{
    qn_row_set(r, qn_str_of(name), isfinite(x) ? qn_v_real(round(x * 1e6) / 1e6) : qn_v_null());
}

static inline qn_code qn_training_next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    qn_training_state *st = vs;
    const qn_training *p = vp;
    (void)e;
    *out = NULL;
    if (st->given) return QN_OK;
    st->given = true;
    const qn_learned *x = &st->result;
    qn_row *r = *out = qn_row_new((qn_hash128){ 0 });
    qn_row_set(r, QN_STR("model"), qn_v_text(cx->step));
    qn_row_set_text(r, "path", qn_str_of(st->elsewhere[0] ? st->elsewhere : st->shown));
    qn_row_set_text(r, "kind", qn_str_of(st->kind));
    qn_row_set(r, QN_STR("base"), p->base_name.n ? qn_v_text(p->base_name) : p->base && !p->base->builtin ? qn_v_text(qn_str_of(p->base->name)) : qn_v_null());
    qn_row_set_int(r, "rows", x->rows);
    qn_row_set_int(r, "left_out", x->left_out);
    qn_row_set_int(r, "tokens", x->tokens);
    qn_row_set_int(r, "steps", x->steps);
    qn_row_set_int(r, "params", x->params);
    qn_training_put_real(r, "loss_first", x->loss_first);
    qn_training_put_real(r, "loss_last", x->loss_last);
    qn_training_put_real(r, "loss_valid", x->loss_valid);
    qn_training_put_real(r, "right_valid", x->right_valid);
    qn_training_put_real(r, "right_before", x->right_before);
    qn_training_put_real(r, "right_margin", x->right_margin);
    qn_row_set_bool(r, "refused", x->refused);
    return QN_OK;
}

static inline size_t qn_training_holds(const void *vp, uint64_t n, size_t avg_bytes) { (void)vp; return (size_t)n * (avg_bytes + 100); }

#define QN_TRAINING_HOOKS .close = qn_training_close, .absorb = qn_training_absorb, .finish = qn_training_finish, .next = qn_training_next, .holds = qn_training_holds

/* A template's text in the scratch. */
static inline qn_code qn_training_fill(const qn_template *t, qn_ctx *cx, const qn_row *r, qn_str *out, qn_err *e)
{
    qn_buf b = { 0 };
    *out = (qn_str){ "", 0 };
    qn_code rc = t ? qn_template_fill(t, r, cx->scratch, &b, e) : QN_OK;
    if (rc == QN_OK) *out = qn_arena_str(cx->scratch, qn_buf_view(&b));
    qn_buf_free(&b);
    return rc;
}

/* A list of messages ({role, content}) in the scratch. */
static inline qn_code qn_training_messages(qn_ctx *cx, const qn_expr *x, const qn_row *r, qn_message **out, size_t *n, qn_err *e)
{
    qn_value list, m, role, content;
    QN_TRY(qn_expr_one(x, r, cx->scratch, &list, e));
    if (list.kind != QN_V_LIST || list.n == 0) return qn_fail(e, QN_EDATA, "`messages` gives %s, a list of {role, content} is needed", qn_v_kind_name(list));
    *out = QN_ARENA_NEW_N(cx->scratch, qn_message, list.n);
    *n = 0;
    for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, NULL, &m);) {
        if (!qn_v_get(m, QN_STR("role"), &role) || !qn_v_get(m, QN_STR("content"), &content) || role.kind != QN_V_TEXT || content.kind != QN_V_TEXT)
            return qn_fail(e, QN_EDATA, "message %zu has no texts in `role` and `content`", *n + 1);
        (*out)[(*n)++] = (qn_message){ qn_v_str(role), qn_v_str(content) };
    }
    return QN_OK;
}
#endif
