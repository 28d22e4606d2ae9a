/* find_passage: at which place a search finds a row's own passage when it is asked the row's query.
 *
 * The passages searched are those of all rows (equal ones once) and, with `among`, those of a file. `rank` and `ndcg` hold a value for each way of
 * searching in `by`. As a measure it is NDCG at k; with `keep` behind it, it is the round-trip filter: a query that does not bring back the passage
 * it was made from is a bad one, or has a wrong passage.
 * Texts, queries and vectors stay in memory; rows wait in memory, then on disk. */
#include "core/file.h"
#include "ops/curate/row_search.h"
#include "recipe/pick.h"
#include <math.h>

typedef struct {
    qn_expr *query, *text, *among_text;
    qn_texts by;
    const qn_model *encoder;
    const char *among;
    qn_str   among_field;
    int64_t  k;
    bool     want[QN_N_SEARCH];     /* made by check */
} params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, query, ".query", "text", "the query"),
    QN_EXPR(params, text, ".passage", NULL, "the row's own passage: a text, or a list of texts that are all right"),
    QN_TEXTS(params, by, "bm25", "ways of searching: bm25, encoder, joined (both scores added)"),
    QN_MODEL(params, encoder, "", "a sentence encoder (all-MiniLM-L6-v2): its folder, a role, or a step that trains one"),
    QN_PATH(params, among, "", "a file of further passages to search"),
    QN_TEXT(params, among_field, "passage", "their field"),
    QN_INT(params, k, "10", "1..1000", "NDCG counts the first k places"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .in = "{query: 'who grinds corn', passage: 'a miller grinds corn'}\n{query: 'a miller', passage: 'a baker bakes bread'}",
      .out = "{query: 'who grinds corn', passage: 'a miller grinds corn', rank: {bm25: 1}, ndcg: {bm25: 1.0}}\n"
             "{query: 'a miller', passage: 'a baker bakes bread', rank: {bm25: 2}, ndcg: {bm25: 0.6309}}" },
    { .in = "{query: 'who rows', passage: ['a boat', 'a ferry that rows']}", .out = "{query: 'who rows', passage: ['a boat', 'a ferry that rows'], rank: {bm25: 1}, ndcg: {bm25: 0.6131}}" },
    { .params = "by: encoder", .in = "{query: 'x', passage: 'y'}", .fail = "needs `encoder`" },
    { .params = "by: meaning", .in = "{query: 'x', passage: 'y'}", .fail = "`meaning`" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    const qn_type *t;
    for (size_t i = 0; i < p->by.n; i++) {
        size_t k = 0;
        while (k < QN_N_SEARCH && !qn_str_is(p->by.items[i], qn_search_names[k])) k++;
        if (k == QN_N_SEARCH) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`by` knows bm25, encoder and joined, not `%.*s`", QN_FMT(p->by.items[i]));
        p->want[k] = true;
        if (k != QN_SEARCH_BM25 && !p->encoder) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`by: %s` needs `encoder`: the folder of a sentence encoder", qn_search_names[k]);
    }
    if (p->encoder && !p->encoder->folder) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`encoder` is no folder with a model in it");
    if (p->among) QN_TRY(qn_pick_compile(p->among_field, NULL, ck->pos, ck->arena, &p->among_text, e));
    QN_TRY(qn_type_parse(QN_STR("{bm25: int?, encoder: int?, joined: int?}"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->out, QN_STR("rank"), t, ck->arena);
    QN_TRY(qn_type_parse(QN_STR("{bm25: real?, encoder: real?, joined: real?}"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->out, QN_STR("ndcg"), t, ck->arena);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    qn_row_search *s = QN_NEW(qn_row_search);
    qn_row_search_open(s, cx->memory_bytes);
    *out = s;
    return p->among_text ? qn_files_check(p->among, e) : QN_OK;
}

static void close(void *vs)
{
    qn_row_search_close(vs);
    qn_free(vs);
}

static qn_value nth_text(qn_value v, size_t i) { return v.kind == QN_V_LIST ? qn_v_at(v, i) : v; }

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_row_search *s = vs;
    qn_row_query q = { 0 };
    qn_value v;
    qn_str query;
    qn_code rc = qn_pick_text(p->query, r, cx->scratch, &query, e);
    if (rc == QN_OK) rc = qn_expr_one(p->text, r, cx->scratch, &v, e);
    if (rc == QN_OK && v.kind != QN_V_TEXT && (v.kind != QN_V_LIST || v.n == 0)) rc = qn_fail(e, QN_EDATA, "`text` gives a %s: a text or a list of texts is needed", qn_v_kind_name(v));
    if (rc == QN_OK) {
        q.query = qn_arena_str(&s->arena, query);
        q.n_own = v.kind == QN_V_LIST ? v.n : 1;
        q.own = qn_arena_alloc(&s->arena, q.n_own * sizeof *q.own);
        for (size_t i = 0; i < q.n_own && rc == QN_OK; i++) {
            qn_value x = nth_text(v, i);
            if (x.kind != QN_V_TEXT) rc = qn_fail(e, QN_EDATA, "`text` holds a %s: texts are needed", qn_v_kind_name(x));
        }
        for (size_t i = 0; i < q.n_own && rc == QN_OK; i++) q.own[i] = qn_search_add(s->search, qn_v_str(nth_text(v, i)));
    }
    if (rc == QN_OK && qn_search_bytes(s->search) + s->arena.used_bytes > cx->memory_bytes / 4 * 3) {
        rc = qn_fail(e, QN_ELIMIT, "the passages of %zu rows take more than %zu MB", s->n, cx->memory_bytes / 4 * 3 >> 20);
        qn_hint(e, "raise --memory, or put `sample` in front");
    }
    if (rc != QN_OK) { qn_row_drop(r); return rc; }
    return qn_row_search_keep(s, q, r, e);
}

static qn_code add_one(void *arg, qn_str text, const char *where, qn_err *e)
{
    (void)where, (void)e;
    qn_search_add(((qn_row_search *)arg)->search, text);
    return QN_OK;
}

static void put_places(const params *p, const qn_row_query *q, const float *const *scores, size_t n, qn_arena *a, qn_row *r)
{
    size_t *ranks = qn_arena_alloc(a, q->n_own * sizeof *ranks);
    qn_object_b rank = { .a = a }, ndcg = { .a = a };
    for (int by = 0; by < QN_N_SEARCH; by++) {
        if (!p->want[by]) continue;
        size_t best = 0;
        for (size_t i = 0; i < q->n_own; i++) {
            ranks[i] = qn_search_rank(scores[by], n, q->own[i], (qn_search_by)by);
            if (ranks[i] && (!best || ranks[i] < best)) best = ranks[i];
        }
        qn_str name = qn_str_of(qn_search_names[by]);
        qn_object_put(&rank, name, best ? qn_v_int((int64_t)best) : qn_v_null());
        qn_object_put(&ndcg, name, qn_v_real(round(qn_ndcg(ranks, q->n_own, (size_t)p->k) * 1e4) / 1e4));
    }
    qn_row_set(r, QN_STR("rank"), qn_object_end(&rank));
    qn_row_set(r, QN_STR("ndcg"), qn_object_end(&ndcg));
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    qn_row_search *s = vs;
    const qn_row_query *q;
    const float *scores[QN_N_SEARCH];
    *out = NULL;
    if (!s->begun && s->n) {
        if (p->among_text) QN_TRY(qn_pick_file(p->among, p->among_text, add_one, s, e));       /* behind the rows' own, which come first among equals */
        QN_TRY(qn_row_search_begin(s, p->want, p->encoder, cx->n_threads, e));
    }
    QN_TRY(qn_row_search_next(s, out, &q, scores, e));
    if (*out) put_places(p, q, scores, qn_search_n(s->search), cx->scratch, *out);
    return QN_OK;
}

static size_t holds(const void *vp, uint64_t n, size_t avg_bytes) { (void)vp; return (size_t)n * (avg_bytes * 3 + 1600); }

const qn_op qn_op_find_passage = {
    .name = "find_passage", .version = 1, .stage = QN_EVAL, .brief = "the place at which a search for a row's query finds the row's own passage, and its NDCG",
    .about = "Searches the passages of all rows by words (BM25), by embeddings, or by both. `rank` is null where nothing was found. With\n"
             "`keep: {where: '.rank.encoder != null and .rank.encoder <= 10'}` behind it, it is the round-trip filter of synthetic queries.",
    .paper = "NDCG: Jarvelin and Kekalainen 2002; round-trip filter: Alberti et al. 2019, Synthetic QA Corpora Generation with Roundtrip Consistency, "
             "for retrieval Dai et al. 2022, Promptagator",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .absorb = absorb, .next = next, .holds = holds,
};
