/* learn_span: from questions, passages and answers to a reader in a folder: a base encoder (or a new one, its byte-level BPE trained on the
 * rows) with a head that scores where an answer begins and ends. */
#include "nn/learn_net.h"
#include "core/clock.h"
#include "nn/encoder_net.h"
#include "nn/span.h"

static qn_code new_encoder(qn_learner *l, qn_err *e)
{
    static const char *const marks[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]" };
    const qn_learn_size *s = &l->o->size;
    qn_bpe_options o = { .size = s->vocab < 260 ? 260 : s->vocab, .split = QN_SPLIT_QWEN2, .special = marks, .n_special = 4 };
    qn_str *texts = QN_NEW_N(qn_str, l->n_msgs + 1);
    for (size_t i = 0; i < l->n_msgs; i++) texts[i] = l->msgs[i].content;
    qn_tokenizer *tok = NULL;
    qn_code rc = qn_tokenizer_train(&tok, texts, l->n_msgs, &o, e);
    qn_free(texts);
    QN_TRY(rc);
    qn_encoder_config c = { .vocab = (int)qn_tokenizer_size(tok), .d = s->wide, .layers = s->layers, .heads = s->heads, .ff = s->ff ? s->ff : 4 * s->wide,
                            .max_pos = s->max_tokens, .types = 2, .eps = 1e-12f };
    rc = qn_encoder_new(&l->enc, &c, l->o->fit.seed, e);
    if (rc == QN_OK) l->enc->tok = tok;
    else qn_tokenizer_close(tok);
    return rc;
}

static qn_code begin(qn_learner *l, qn_err *e)
{
    const qn_learn_options *o = l->o;
    QN_TRY(o->base ? qn_encoder_open(&l->enc, o->base, e) : new_encoder(l, e));
    const qn_encoder_config *c = qn_encoder_cfg(l->enc);
    if (!qn_encoder_tokenizer(l->enc)) return qn_fail(e, QN_EDATA, "%s has no tokenizer.json", o->base);
    if (c->types < 2) return qn_fail(e, QN_EDATA, "%s has one type of tokens; to read, an encoder needs two (type_vocab_size)", o->base);
    qn_encoder_threads(l->enc, o->threads);
    qn_encoder_bf16(l->enc, o->bf16);
    if (o->max_tokens > 0) qn_encoder_max_tokens(l->enc, o->max_tokens);
    else if (!qn_encoder_reads(l->enc)) qn_encoder_max_tokens(l->enc, c->max_pos);
    qn_encoder_add_span(l->enc, o->fit.seed, o->choices, o->n_choices);
    return QN_OK;
}

typedef struct { qn_reading in; qn_span_place *gold; size_t n_gold; } read_row;

static void free_rows(read_row *r, size_t n)
{
    for (size_t i = 0; i < n; i++) { qn_reading_free(&r[i].in); qn_free(r[i].gold); }
    qn_free(r);
}

/* A row as tokens and the places of its answer; none: it stays out. */
static qn_code lay(qn_learner *l, const qn_kept *k, read_row *out, qn_err *e)
{
    const qn_message *m = l->msgs + k->at;
    size_t n = k->n_a - 1;
    qn_str *passages = QN_NEW_N(qn_str, n + 1);
    for (size_t i = 0; i < n; i++) passages[i] = m[i + 1].content;
    qn_err why = { 0 };
    qn_code rc = qn_reading_lay(l->enc, m[0].content, passages, n, &out->in, &why);
    if (rc == QN_ELIMIT || rc == QN_EDATA) rc = QN_OK;      /* no room, no words: left out */
    else if (rc != QN_OK) *e = why;
    else if (rc == QN_OK) out->n_gold = qn_reading_find(l->enc, &out->in, passages, m[k->n_a].content, k->start - 1, &out->gold);
    qn_free(passages);
    return rc;
}

static qn_code train(qn_learner *l, read_row *read, const char *checkpoint, qn_learned *out, qn_err *e)
{
    qn_span_row *all = QN_NEW_N(qn_span_row, l->n + 1), *valid = all + l->n;
    size_t n = 0, n_valid = 0;
    qn_fit_state s = { 0 };
    qn_code rc = QN_OK;
    for (size_t i = 0; i < l->n && rc == QN_OK; i++) {
        rc = lay(l, &l->rows[i], &read[i], e);
        if (!read[i].n_gold) { l->left_out++; continue; }
        qn_span_row x = { &read[i].in, read[i].gold, read[i].n_gold };
        out->tokens += (int64_t)read[i].in.ids.n;
        if (qn_learner_holds_back(l, &l->rows[i])) { *--valid = x; n_valid++; }
        else all[n++] = x;
    }
    out->rows = (int64_t)n;
    out->left_out = l->left_out;
    qn_fit_options f = qn_learner_fit(l, n, checkpoint, out);
    if (rc == QN_OK)
        rc = n ? qn_encoder_train_span(l->enc, &f, all, n, &s, e)
               : qn_fail(e, QN_EDATA, "there are no rows to train on: of %lld no answer stands in the passages", (long long)l->left_out);
    out->steps = s.step;
    qn_learned_means(out);
    if (rc == QN_OK && n_valid) rc = qn_encoder_measure_span(l->enc, f.pass_tokens, valid, n_valid, &out->loss_valid, &out->right_valid, e);
    qn_free(all);
    return rc;
}

qn_code qn_learn_span(qn_learner *l, const char *part, const char *checkpoint, qn_learned *out, qn_err *e)
{
    int64_t t0 = qn_now_us();
    QN_TRY(begin(l, e));
    read_row *read = QN_NEW_N(read_row, l->n + 1);
    qn_code rc = train(l, read, checkpoint, out, e);
    free_rows(read, l->n);
    out->params = (int64_t)(l->enc->p.count + l->enc->span->count);
    out->seconds = 1e-6 * (double)(qn_now_us() - t0);
    if (rc != QN_OK) return rc;
    qn_learned_remove(part);
    return qn_encoder_save(l->enc, part, e);
}
