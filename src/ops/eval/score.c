/* score: measures of a reply against what is right, written as numbers from 0 to 1 for `tally` to sum up.
 *
 *   em        equal after normalisation (case, articles, punctuation, number format; a set without its order)
 *   soft_em   the right answer's words stand in the reply
 *   f1        F1 of the words             rouge_l   ROUGE-L F-measure
 *   exec      the reply is SQL: what it gives on the row's table is the right answer
 *   pass@k    of `tries` samples `n_right` are right: the chance that one of k is
 *   ndcg@k mrr@k recall@k     `ranked`, a list of ids, best first, against `relevant`, a list of ids or a map from ids to grades
 *
 * Where several answers are right the best counts. Runs on: any worker; one SQLite handle each for exec. */
#include "builtin/table_answer.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/score.h"
#include <math.h>
#include <stdio.h>

enum { EM, SOFT_EM, F1, ROUGE_L, EXEC, PASS, NDCG, MRR, RECALL, N_KINDS };
static const char *const WORDS[N_KINDS] = { "em", "soft_em", "f1", "rouge_l", "exec", "pass", "ndcg", "mrr", "recall" };
typedef struct { int kind; int64_t k; qn_str field; } measure_of;
typedef struct {
    qn_expr *reply, *gold, *ranked, *relevant, *tries, *n_right;
    qn_texts by;
    qn_str   list, as;
    bool     final;
    measure_of *all;            /* made by check */
    bool     needs_text, needs_exec, needs_rank, needs_pass;
} params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, reply, "", NULL, "what was answered: a text, a number, a list; left out: .reply"),
    QN_EXPR(params, gold, "", NULL, "what is right: a text, a number, or a list (see `list`); left out: .answer"),
    QN_TEXTS(params, by, "em", "measures: em soft_em f1 rouge_l exec pass@k ndcg@k mrr@k recall@k"),
    QN_CHOICE(params, list, "any", "any|set", "a list of right answers: any of them will do, or all of them in any order"),
    QN_BOOL(params, final, "no", "of a worked reply, score only what stands behind its last `answer:` or `answer is`"),
    QN_EXPR(params, ranked, "", NULL, "ids found, best first; left out: .ranked"),
    QN_EXPR(params, relevant, "", NULL, "ids that are right: one, a list, or a map from ids to grades; left out: .relevant"),
    QN_EXPR(params, n_right, "", NULL, "pass@k: how many samples are right; left out: .n_right"),
    QN_EXPR(params, tries, "", NULL, "pass@k: how many samples there are; left out: .tries"),
    QN_TEXT(params, as, "", "in front of the fields' names: `base_` gives base_em"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "by: [em, soft_em, f1]", .in = "{reply: 'It was the Denver Broncos.', answer: 'Denver Broncos'}",
      .out = "{reply: 'It was the Denver Broncos.', answer: 'Denver Broncos', em: 0, soft_em: 1, f1: 0.666667}" },
    { .params = "by: em", .in = "{reply: '1,000', answer: [999, 1000]}", .out = "{reply: '1,000', answer: [999, 1000], em: 1}" },
    { .params = "by: em, list: set", .in = "{reply: ['Piet', 'Jan'], answer: ['Jan', 'Piet']}", .out = "{reply: ['Piet', 'Jan'], answer: ['Jan', 'Piet'], em: 1}" },
    { .params = "by: em, final: yes", .in = "{reply: 'Two and two. Answer: 4', answer: 4}", .out = "{reply: 'Two and two. Answer: 4', answer: 4, em: 1}" },
    { .params = "by: ['pass@1', 'pass@2']", .in = "{n_right: 2, tries: 5}", .out = "{n_right: 2, tries: 5, pass_1: 0.4, pass_2: 0.7}" },
    { .params = "by: ['ndcg@10', 'mrr@10', 'recall@1']", .in = "{ranked: ['b', 'a'], relevant: ['a']}", .out = "{ranked: ['b', 'a'], relevant: ['a'], ndcg_10: 0.63093, mrr_10: 0.5, recall_1: 0}" },
    { .params = "by: bleu", .in = "{reply: 'x', answer: 'y'}", .fail = "no measure is called `bleu`" },
    QN_END
};

/* ---- checking ---- */
static qn_code default_expr(qn_check *ck, qn_expr **at, const char *text, qn_err *e)
{
    const qn_type *gives;
    bool many;
    if (*at) return QN_OK;
    QN_TRY(qn_expr_compile(qn_str_of(text), ck->pos, ck->arena, at, e));
    return qn_expr_check(*at, ck->in, ck->arena, &gives, &many, e);
}

static qn_code read_measure(qn_check *ck, params *p, qn_str word, measure_of *m, qn_err *e)
{
    const char *at = word.n ? memchr(word.p, '@', word.n) : NULL;
    qn_str name = at ? (qn_str){ word.p, (size_t)(at - word.p) } : word;
    for (m->kind = 0; m->kind < N_KINDS && !qn_str_is(name, WORDS[m->kind]); m->kind++) { }
    bool ranked = m->kind >= NDCG, with_k = m->kind >= PASS;
    if (m->kind == N_KINDS) {
        const char *near = qn_nearest(name, WORDS, N_KINDS);
        qn_fail_at(e, QN_ERECIPE, ck->pos, "no measure is called `%.*s`", QN_FMT(word));
        if (near) qn_hint(e, "did you mean `%s`?", near);
        else qn_hint(e, "em soft_em f1 rouge_l exec pass@k ndcg@k mrr@k recall@k");
        return QN_ERECIPE;
    }
    m->k = with_k ? 10 : 0;
    if (at && (!with_k || !qn_str_to_i64(qn_str_sub(word, name.n + 1, word.n), &m->k) || m->k < 1))
        return qn_fail_at(e, QN_ERECIPE, ck->pos, "`%.*s`: %s", QN_FMT(word), with_k ? "a whole number from 1 stands behind the @" : "this measure has no @");
    p->needs_rank |= ranked;
    p->needs_pass |= m->kind == PASS;
    p->needs_exec |= m->kind == EXEC;
    p->needs_text |= m->kind <= EXEC;
    m->field = with_k ? qn_arena_printf(ck->arena, "%.*s%s_%lld", QN_FMT(p->as), WORDS[m->kind], (long long)m->k)
                      : qn_arena_printf(ck->arena, "%.*s%s", QN_FMT(p->as), WORDS[m->kind]);
    ck->out = qn_type_with(ck->out, m->field, qn_type_simple(QN_T_REAL), ck->arena);
    return QN_OK;
}

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    if (!p->by.n) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`by` names no measure");
    p->all = QN_ARENA_NEW_N(ck->arena, measure_of, p->by.n);
    for (size_t i = 0; i < p->by.n; i++) QN_TRY(read_measure(ck, p, p->by.items[i], &p->all[i], e));
    if (p->needs_text) { QN_TRY(default_expr(ck, &p->reply, ".reply", e)); QN_TRY(default_expr(ck, &p->gold, ".answer", e)); }
    if (p->needs_rank) { QN_TRY(default_expr(ck, &p->ranked, ".ranked", e)); QN_TRY(default_expr(ck, &p->relevant, ".relevant", e)); }
    if (p->needs_pass) { QN_TRY(default_expr(ck, &p->n_right, ".n_right", e)); QN_TRY(default_expr(ck, &p->tries, ".tries", e)); }
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **state, qn_err *e)
{
    (void)e;
    *state = ((const params *)vp)->needs_exec ? qn_table_pool_new(cx->out_dir, cx->memory_bytes / 4) : NULL;
    return QN_OK;
}

static void close(void *state) { if (state) qn_table_pool_free(state); }

/* ---- answers ---- */
typedef qn_cells texts;

static qn_str text_of(qn_value v, qn_arena *a)
{
    if (v.kind == QN_V_TEXT) return qn_v_str(v);
    qn_buf b = { 0 };
    if (v.kind != QN_V_NULL) qn_json_write(&b, v);
    qn_str s = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

static texts texts_of(qn_value v, qn_arena *a) { return qn_answer_cells(v, a); }

/* A text that holds a list: JSON, or items between bars, semicolons or lines; between commas when that gives as many as wanted. */
static texts split_reply(qn_str s, size_t want, qn_arena *a)
{
    qn_value v;
    qn_err e = { 0 };
    s = qn_str_trim(s);
    if (s.n && s.p[0] == '[' && qn_json_parse(s, a, &v, &e) == QN_OK) return texts_of(v, a);
    for (const char *const *sep = (const char *const[]){ "|", "\n", ";", ",", NULL }; *sep && want > 1; sep++) {
        texts t = { QN_ARENA_NEW_N(a, qn_str, s.n + 1), 0 };
        for (size_t i = 0, from = 0; i <= s.n; i++)
            if (i == s.n || s.p[i] == **sep) { t.p[t.n++] = qn_str_trim(qn_str_sub(s, from, i)); from = i + 1; }
        if (t.n == want) return t;
    }
    texts one = { QN_ARENA_NEW_N(a, qn_str, 1), 1 };
    one.p[0] = s;
    return one;
}

/* What stands behind the last "answer:" or "answer is"; the whole text when there is none. */
static qn_str final_part(qn_str s)
{
    static const char *const marks[] = { "answer:", "answer is" };
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++)
        for (int k = 0; k < 2; k++) {
            size_t n = strlen(marks[k]);
            if (i + n <= s.n && qn_str_ieq(qn_str_sub(s, i, i + n), qn_str_of(marks[k]))) from = i + n;
        }
    s = qn_str_trim(qn_str_sub(s, from, s.n));
    const char *line = from && s.n ? memchr(s.p, '\n', s.n) : NULL;
    return line ? qn_str_sub(s, 0, (size_t)(line - s.p)) : s;
}

static double one_measure(int kind, qn_str gold, qn_str reply)
{
    switch (kind) {
    case EM: return qn_score_exact(gold, reply);
    case SOFT_EM: return qn_score_soft(gold, reply);
    case F1: return qn_score_f1(gold, reply);
    default: return qn_score_rouge_l(gold, reply);
    }
}

static double text_measure(const params *p, int kind, texts gold, qn_value reply, qn_arena *a)
{
    double best = 0;
    texts said = texts_of(reply, a);
    if (qn_str_is(p->list, "set")) {
        if (kind == EM && reply.kind == QN_V_TEXT) said = split_reply(qn_v_str(reply), gold.n, a);
        if (kind == EM) return gold.n && qn_score_set(gold.p, gold.n, said.p, said.n);
        double sum = 0;                             /* the mean over the set: each must be found */
        qn_str all = text_of(reply, a);
        for (size_t i = 0; i < gold.n; i++) sum += one_measure(kind, gold.p[i], all);
        return kind == SOFT_EM ? gold.n && sum >= (double)gold.n : gold.n ? sum / (double)gold.n : 0;
    }
    qn_str one = said.n == 1 ? said.p[0] : text_of(reply, a);
    for (size_t i = 0; i < gold.n; i++) best = fmax(best, one_measure(kind, gold.p[i], one));
    return best;
}

/* SQL in a reply: without the fence of a code block. */
static qn_str bare_sql(qn_str s)
{
    s = qn_str_trim(s);
    ptrdiff_t fence = qn_str_find(s, QN_STR("```"));
    if (fence < 0) return s;
    s = qn_str_sub(s, (size_t)fence + 3, s.n);
    if (s.n > 3 && qn_str_ieq(qn_str_sub(s, 0, 3), QN_STR("sql"))) s = qn_str_sub(s, 3, s.n);
    ptrdiff_t end = qn_str_find(s, QN_STR("```"));
    return qn_str_trim(end < 0 ? s : qn_str_sub(s, 0, (size_t)end));
}

static qn_code execution(qn_table_pool *pool, const qn_row *r, texts gold, qn_str reply, qn_arena *a, double *out, qn_err *e)
{
    bool same;
    QN_TRY(qn_answer_is(pool, r, bare_sql(reply), gold, a, &same, e));      /* SQL that fails is a wrong answer */
    *out = same;
    return QN_OK;
}

/* ---- rankings ---- */
typedef struct { double *gain, *ideal; size_t n, n_relevant; } ranking;

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static qn_code read_ranking(const params *p, qn_ctx *cx, const qn_row *r, ranking *out, qn_err *e)
{
    qn_value found, right, v;
    qn_str name;
    QN_TRY(qn_expr_one(p->ranked, r, cx->scratch, &found, e));
    QN_TRY(qn_expr_one(p->relevant, r, cx->scratch, &right, e));
    if (found.kind != QN_V_LIST) return qn_fail(e, QN_EDATA, "`ranked` is %s, a list of ids is needed", qn_v_kind_name(found));
    bool graded = right.kind == QN_V_OBJECT;
    size_t n_right = right.kind == QN_V_LIST || graded ? right.n : right.kind != QN_V_NULL, i = 0;
    qn_str *ids = QN_ARENA_NEW_N(cx->scratch, qn_str, n_right + 1);
    double *grade = QN_ARENA_NEW_N(cx->scratch, double, n_right + 1);
    if (!graded && right.kind != QN_V_LIST && n_right) { ids[0] = text_of(right, cx->scratch); grade[0] = 1; i = 1; }
    for (qn_v_iter it = qn_v_iter_of(right); i < n_right && qn_v_next(&it, &name, &v); i++) {
        ids[i] = graded ? name : text_of(v, cx->scratch);
        grade[i] = graded ? qn_v_number(v) : 1;
    }
    *out = (ranking){ QN_ARENA_NEW_N(cx->scratch, double, found.n + 1), QN_ARENA_NEW_N(cx->scratch, double, n_right + 1), found.n, 0 };
    for (size_t k = 0; k < n_right; k++) if (grade[k] > 0) out->ideal[out->n_relevant++] = grade[k];
    qsort(out->ideal, out->n_relevant, sizeof(double), descending);
    for (size_t k = 0; k < found.n; k++) {
        qn_str id = text_of(qn_v_at(found, k), cx->scratch);
        for (size_t j = 0; j < n_right; j++)
            if (ids[j].p && qn_str_eq(id, ids[j])) { out->gain[k] = grade[j]; ids[j].p = NULL; break; }     /* an id counts once */
    }
    return QN_OK;
}

static qn_code whole_of(const qn_expr *x, qn_ctx *cx, const qn_row *r, const char *what, int64_t *out, qn_err *e)
{
    qn_value v;
    QN_TRY(qn_expr_one(x, r, cx->scratch, &v, e));
    if (v.kind != QN_V_INT || v.i < 0) return qn_fail(e, QN_EDATA, "`%s` is no whole number from 0", what);
    *out = v.i;
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value reply = qn_v_null(), gold = qn_v_null();
    texts right = { 0 };
    ranking rk = { 0 };
    int64_t tries = 0, n_right = 0;
    if (p->needs_text) {
        QN_TRY(qn_expr_one(p->reply, r, cx->scratch, &reply, e));
        QN_TRY(qn_expr_one(p->gold, r, cx->scratch, &gold, e));
        if (p->final && reply.kind == QN_V_TEXT) reply = qn_v_text(final_part(qn_v_str(reply)));
        right = texts_of(gold, cx->scratch);
        if (!right.n) return qn_fail(e, QN_EDATA, "there is no right answer to score against: `gold` is empty");
    }
    if (p->needs_rank) QN_TRY(read_ranking(p, cx, r, &rk, e));
    if (p->needs_pass) { QN_TRY(whole_of(p->tries, cx, r, "tries", &tries, e)); QN_TRY(whole_of(p->n_right, cx, r, "n_right", &n_right, e)); }
    for (size_t i = 0; i < p->by.n; i++) {
        const measure_of *m = &p->all[i];
        size_t k = (size_t)m->k;
        double x = 0;
        if (m->kind == EXEC) QN_TRY(execution(state, r, right, text_of(reply, cx->scratch), cx->scratch, &x, e));
        else if (m->kind < EXEC) x = text_measure(p, m->kind, right, reply, cx->scratch);
        else if (m->kind == PASS) x = qn_pass_at(tries, n_right, m->k);
        else if (m->kind == NDCG) x = qn_ndcg_at(rk.gain, rk.n, rk.ideal, rk.n_relevant, k);
        else if (m->kind == MRR) x = qn_mrr_at(rk.gain, rk.n, k);
        else x = qn_recall_at(rk.gain, rk.n, rk.n_relevant, k);
        if (isnan(x)) return qn_fail(e, QN_EDATA, "pass@%lld needs at least as many samples, there are %lld", (long long)m->k, (long long)tries);
        qn_row_set(r, m->field, x == 0 || x == 1 ? qn_v_int((int64_t)x) : qn_v_real(round(x * 1e6) / 1e6));
    }
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_score = {
    .name = "score", .version = 1, .stage = QN_EVAL, .brief = "measure a reply, samples or a ranking against what is right",
    .about = "Normalisation: lower case, without articles and punctuation; numbers by value (1,000 is 1000.0). SQL that fails scores 0. A reply that is missing (null) scores 0.",
    .paper = "em, f1: Rajpurkar et al. 2016; pass@k: Chen et al. 2021; ROUGE-L: Lin 2004; NDCG: Jarvelin and Kekalainen 2002",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .open = open, .close = close, .map = map,
};
