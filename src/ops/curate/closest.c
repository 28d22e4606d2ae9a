/* closest: of a list on the row, the items that answer a query best: by words (BM25 over the list), with `encoder` also by meaning (nn/finder.h).
 *
 * Best first; items that share no word with the query are left out when there is no encoder. Runs on: any worker; keeps nothing between rows but
 * the encoder. */
#include "nn/finder.h"
#include "ops/curate/embedding.h"

typedef struct { qn_expr *query, *of; qn_str text, as; int64_t k; const char *encoder; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, query, ".query", "text", "what the items are compared with"),
    QN_EXPR(params, of, NULL, NULL, "the list: texts, or objects"),
    QN_FIELD(params, text, "text", "field of an object that holds its text"),
    QN_INT(params, k, "5", "1..1000", "how many are kept"),
    QN_FIELD(params, as, "closest", "field for those kept, best first"),
    QN_PATH(params, encoder, "", "folder of a sentence encoder (all-MiniLM-L6-v2), to compare meanings too"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "query: .q, of: .all, k: 1", .in = "{q: 'who grinds corn', all: ['a baker bakes', 'a miller grinds corn', 'corn grows']}",
      .out = "{q: 'who grinds corn', all: ['a baker bakes', 'a miller grinds corn', 'corn grows'], closest: ['a miller grinds corn']}" },
    { .params = "query: .q, of: .all, text: t, as: all", .in = "{q: 'corn', all: [{n: 1, t: 'bread'}, {n: 2, t: 'corn'}]}", .out = "{q: 'corn', all: [{n: 2, t: 'corn'}]}" },
    { .params = "query: .q, of: .all", .in = "{q: 'x', all: 3}", .fail = "is no list" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_type *gives;
    bool many;
    QN_TRY(qn_expr_check(p->of, ck->in, ck->arena, &gives, &many, e));
    qn_type *list = QN_ARENA_NEW(ck->arena, qn_type);
    *list = (qn_type){ .kind = QN_T_LIST, .item = gives->kind == QN_T_LIST && gives->item ? gives->item : qn_type_simple(QN_T_ANY) };
    ck->out = qn_type_with(ck->out, p->as, list, ck->arena);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **state, qn_err *e)
{
    return qn_embedder_new(((const params *)vp)->encoder, cx->n_threads, state, e);
}

static qn_code rank(const params *p, qn_ctx *cx, qn_finder *f, qn_finder_by by, qn_str query, qn_value list, qn_value *out, qn_err *e)
{
    qn_v_iter it = qn_v_iter_of(list);
    qn_value item, text, *items = qn_arena_alloc(cx->scratch, (list.n + 1) * sizeof *items);
    qn_finder_hit *hits = qn_arena_alloc(cx->scratch, (size_t)p->k * sizeof *hits);
    qn_list_b kept = { .a = cx->scratch };
    size_t n = 0;
    while (qn_v_next(&it, NULL, &item)) {
        text = item;
        if (item.kind == QN_V_OBJECT && !qn_v_get(item, p->text, &text)) text = qn_v_null();
        if (text.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "an item is a %s without a text in `%.*s`", qn_v_kind_name(item), QN_FMT(p->text));
        QN_TRY(qn_finder_add(f, qn_v_str(text), e));
        items[n++] = item;
    }
    QN_TRY(qn_finder_find(f, by, query, (size_t)p->k, hits, &n, e));
    for (size_t i = 0; i < n; i++) qn_list_put(&kept, items[hits[i].index]);
    *out = qn_list_end(&kept);
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_embedder *m = state;
    qn_str query;
    qn_value list, kept;
    QN_TRY(qn_pick_text(p->query, r, cx->scratch, &query, e));
    QN_TRY(qn_expr_one(p->of, r, cx->scratch, &list, e));
    if (list.kind != QN_V_LIST) return qn_fail(e, QN_EDATA, "a %s is no list", qn_v_kind_name(list));
    int own = m->n ? qn_embedder_take(m) : -1;
    qn_finder *f = qn_finder_new(own >= 0 ? m->encoders[own] : NULL);
    qn_code rc = rank(p, cx, f, own >= 0 ? QN_BY_BOTH : QN_BY_WORDS, query, list, &kept, e);
    qn_finder_free(f);
    if (own >= 0) qn_embedder_release(m, own);
    QN_TRY(rc);
    qn_row_set(r, p->as, kept);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_closest = {
    .name = "closest", .version = 1, .stage = QN_CURATE, .brief = "of a list on the row, keep the items that answer a query best",
    .paper = "BM25: Robertson and Zaragoza 2009; reciprocal rank fusion: Cormack, Clarke & Buettcher 2009",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .open = open, .close = qn_embedder_free, .map = map,
};
