/* learn_embed: sentence encoders: rows' texts to ids, the teacher, the training, and the gate: NDCG@10 of rows held back, before and after, and what lies between the two by chance. */
#include "core/clock.h"
#include "nn/encoder_net.h"
#include "nn/learn_net.h"
#include "nn/teacher.h"
#include <math.h>

typedef struct { size_t at; int n; } span;      /* in l->ids */

/* What a search over the rows' texts would find: all positives and negatives of the first n rows (those held back) and of the others, equal
 * ones once, at most MOST of them. */
enum { MOST = 1024 };
typedef struct { qn_seq *s; size_t n; } pool;

static void into_pool(pool *p, qn_map *seen, const qn_seq *s)
{
    bool fresh;
    if (p->n < MOST) qn_map_put(seen, qn_hash(s->ids, (size_t)s->n * sizeof *s->ids), &fresh);
    else fresh = false;
    if (fresh) p->s[p->n++] = *s;
}

static pool pool_of(const qn_ranking_row *rows, size_t n, const qn_ranking_row *others, size_t n_others)
{
    pool p = { QN_NEW_N(qn_seq, MOST), 0 };
    qn_map seen = { 0 };
    for (size_t i = 0; i < n + n_others; i++) {
        const qn_ranking_row *r = i < n ? &rows[i] : &others[i - n];
        into_pool(&p, &seen, &r->positive);
        for (int k = 0; k < r->n_negatives; k++) into_pool(&p, &seen, &r->negatives[k]);
    }
    qn_map_free(&seen);
    return p;
}

/* ndcg (n): NDCG@10 of the rows' queries in the pool, each row's own positive the one that is right; *out: the mean. */
static qn_code measure(qn_learner *l, const qn_ranking_row *rows, size_t n, const pool *p, double *ndcg, double *out, qn_err *e)
{
    size_t d = (size_t)qn_encoder_dim(l->enc), all = 2 * n + p->n;
    qn_seq *s = QN_NEW_N(qn_seq, all);
    float *v = QN_NEW_N(float, all * d);
    double sum = 0;
    for (size_t i = 0; i < n; i++) { s[i] = rows[i].query; s[n + i] = rows[i].positive; }
    memcpy(s + 2 * n, p->s, p->n * sizeof *s);
    qn_code rc = qn_encoder_embed_ids(l->enc, s, all, v, e);
    for (size_t i = 0; rc == QN_OK && i < n; i++) {
        float own = qn_dot(d, v + i * d, v + (n + i) * d);
        int rank = 1;
        for (size_t j = 0; j < p->n && rank <= 10; j++) rank += qn_dot(d, v + i * d, v + (2 * n + j) * d) > own;
        ndcg[i] = rank <= 10 ? 1 / log2(rank + 1.0) : 0;
        sum += ndcg[i];
    }
    *out = sum / (double)n;
    qn_free(s);
    qn_free(v);
    return rc;
}

/* What the mean difference between two measures of n rows stays under in nine of ten draws of rows when there is none: 1.28 standard errors. */
static double margin(const double *a, const double *b, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) { sum += b[i] - a[i]; squares += (b[i] - a[i]) * (b[i] - a[i]); }
    double mean = sum / (double)n, variance = squares / (double)n - mean * mean;
    return variance > 0 ? 1.2816 * sqrt(variance / (double)n) : 0;
}

/* All texts of all rows as ids: spans in the order of the messages. Texts to learn from are cut; those held back are read as they will be later. */
static qn_code encoder_ids(qn_learner *l, span *spans, qn_err *e)
{
    qn_code rc = QN_OK;
    for (size_t i = 0; i < l->n && rc == QN_OK; i++) {
        const qn_kept *k = &l->rows[i];
        qn_encoder_max_tokens(l->enc, l->o->max_tokens > 0 && !qn_learner_holds_back(l, k) ? l->o->max_tokens : l->longest);
        for (size_t j = k->at; j < k->at + k->n_a + k->n_b && rc == QN_OK; j++) {
            spans[j].at = l->ids.n;
            rc = qn_encoder_ids(l->enc, l->msgs[j].content, &l->ids, e);
            spans[j].n = (int)(l->ids.n - spans[j].at);
        }
    }
    if (l->o->max_tokens > 0) qn_encoder_max_tokens(l->enc, l->o->max_tokens);
    return rc;
}

/* The rows' texts to the teacher, in the order of training. */
static qn_code hire(const qn_learner *l, qn_teacher **t, qn_err *e)
{
    const qn_learn_options *o = l->o;
    QN_TRY(qn_teacher_new(t, (qn_search_by)(o->teacher - 1), o->teacher_dir ? o->teacher_dir : o->base, o->max_tokens, o->threads, e));
    for (size_t i = 0; i < l->n; i++) {
        const qn_kept *k = &l->rows[i];
        if (qn_learner_holds_back(l, k)) continue;
        qn_str *texts = QN_NEW_N(qn_str, k->n_b);
        for (uint32_t j = 0; j < k->n_b; j++) texts[j] = l->msgs[k->at + k->n_a + j].content;
        qn_teacher_add(*t, l->msgs[k->at].content, texts, k->n_b);
        qn_free(texts);
    }
    return QN_OK;
}

/* From the base's weights so far towards the tuned ones as `blend` says. Source: Wortsman et al. 2022 (WiSE-FT), weight-space ensembles. */
static void blend(qn_params *p, const float *base, double share)
{
    for (size_t i = 0; i < p->count; i++) p->w[i] = base[i] + (float)share * (p->w[i] - base[i]);
}

static qn_code train_ranking(qn_learner *l, const char *checkpoint, const span *spans, qn_learned *out, qn_err *e)
{
    const qn_learn_options *o = l->o;
    qn_seq *seqs = QN_NEW_N(qn_seq, l->n_msgs + 1);
    qn_ranking_row *all = QN_NEW_N(qn_ranking_row, l->n + 1), *valid = all + l->n;
    uint32_t *group = l->n_groups ? QN_NEW_N(uint32_t, l->n + 1) : NULL;
    size_t n = 0, n_valid = 0;
    qn_fit_state s = { 0 };
    for (size_t i = 0; i < l->n_msgs; i++) { seqs[i] = (qn_seq){ .ids = l->ids.p + spans[i].at, .n = spans[i].n }; out->tokens += spans[i].n; }
    for (size_t i = 0; i < l->n; i++) {
        const qn_kept *k = &l->rows[i];
        qn_ranking_row x = { seqs[k->at], seqs[k->at + k->n_a], seqs + k->at + k->n_a + 1, (int)k->n_b - 1 };
        if (qn_learner_holds_back(l, k)) { *--valid = x; n_valid++; continue; }
        if (group) group[n] = k->group;
        all[n++] = x;
    }
    out->rows = (int64_t)n;
    qn_fit_options f = qn_learner_fit(l, n, checkpoint, out);
    f.group = group;
    qn_code rc = n ? QN_OK : qn_fail(e, QN_EDATA, "there are no rows to train on");
    pool found = pool_of(valid, n_valid, all, n);
    double *before = QN_NEW_N(double, 2 * n_valid + 1), *after = before + n_valid;
    if (rc == QN_OK && n_valid) rc = measure(l, valid, n_valid, &found, before, &out->right_before, e);
    qn_teacher *teacher = NULL;
    if (rc == QN_OK && o->teacher) rc = hire(l, &teacher, e);
    qn_ranking_loss k = { o->scale, o->teacher_scale, o->teacher_share, teacher ? qn_teacher_scores : NULL, teacher };
    float *base = o->blend < 1 ? qn_memdup(l->enc->p.w, l->enc->p.count * sizeof(float)) : NULL;
    if (rc == QN_OK) rc = qn_encoder_train_ranking(l->enc, &f, &k, all, n, &s, e);
    if (rc == QN_OK && base) blend(&l->enc->p, base, o->blend);
    qn_free(base);
    qn_teacher_free(teacher);
    if (rc == QN_OK && n_valid) rc = measure(l, valid, n_valid, &found, after, &out->right_valid, e);
    if (rc == QN_OK && n_valid) out->right_margin = margin(before, after, n_valid);
    qn_free(before);
    qn_free(found.s);
    out->steps = s.step;
    qn_learned_means(out);
    qn_free(group);
    qn_free(seqs);
    qn_free(all);
    return rc;
}

static qn_code open_encoder(qn_learner *l, qn_err *e)
{
    qn_encoder_close(l->enc);
    l->enc = NULL;
    QN_TRY(qn_encoder_open(&l->enc, l->o->base, e));
    qn_encoder_threads(l->enc, l->o->threads);
    qn_encoder_bf16(l->enc, l->o->bf16);
    l->longest = qn_encoder_longest(l->enc);
    if (l->o->max_tokens > 0) qn_encoder_max_tokens(l->enc, l->o->max_tokens);
    return QN_OK;
}

qn_code qn_learn_embed(qn_learner *l, const char *part, const char *checkpoint, qn_learned *out, qn_err *e)
{
    int64_t t0 = qn_now_us();
    if (!l->o->base) return qn_fail(e, QN_ERECIPE, "an encoder is tuned from a base: none was given");
    QN_TRY(open_encoder(l, e));
    if (!qn_encoder_tokenizer(l->enc)) return qn_fail(e, QN_EDATA, "%s has no tokenizer.json", l->o->base);
    span *spans = QN_NEW_N(span, l->n_msgs + 1);
    qn_code rc = encoder_ids(l, spans, e);
    if (rc == QN_OK) rc = train_ranking(l, checkpoint, spans, out, e);
    qn_free(spans);
    out->refused = rc == QN_OK && l->o->gate && out->right_valid < out->right_before;
    if (out->refused) rc = open_encoder(l, e);
    out->params = l->enc ? (int64_t)l->enc->p.count : 0;
    out->seconds = 1e-6 * (double)(qn_now_us() - t0);
    if (rc != QN_OK) return rc;
    qn_learned_remove(part);
    qn_encoder_max_tokens(l->enc, l->longest);     /* rows were cut for the training alone */
    return qn_encoder_save(l->enc, part, e);
}
