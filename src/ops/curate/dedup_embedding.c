/* dedup_embedding: drop rows whose text means nearly the same as an earlier kept row's: cosine of embeddings at least `over`.
 *
 * ahead (any worker) makes the vectors of many rows together, turn takes its own, or asks for it; map (in order) compares it with those of the rows kept so far. The earliest row stays.
 * Up to `exact` kept rows every one is compared; past that an HNSW graph is searched, which misses a few in a thousand (nn/near.h).
 * Vectors of kept rows (1.5 KB each for 384 numbers) past the memory lie in a temporary file, and the result is the same; about 200 bytes of each row stay
 * in memory. */
#include "nn/near.h"
#include "ops/curate/embedding.h"

typedef struct { qn_expr *text, *vector; const char *encoder; const qn_model *model; double over; int64_t exact; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, "", "text", "the text to compare"),
    QN_PATH(params, encoder, "", "folder of a sentence encoder (all-MiniLM-L6-v2): config.json, model.safetensors, tokenizer.json"),
    QN_MODEL(params, model, "", "or an embeddings endpoint"),
    QN_EXPR(params, vector, "", "[number]", "or vectors that the rows have already (see `embed`)"),
    QN_REAL(params, over, "0.9", "0..1", "smallest cosine similarity that makes the later row a duplicate"),
    QN_INT(params, exact, "20000", "0..", "so many kept rows are compared one by one; past that an approximate index is searched"),
    QN_END
};

static const char *const VECTORS[] = { "[[1, 0]]", "[[0, 1]]", "[[0.98, 0.199]]", NULL };
static const qn_example EXAMPLES[] = {
    { .params = "vector: .v", .in = "{v: [1, 0]}\n{v: [0, 2]}\n{v: [5, 0.1]}", .out = "{v: [1, 0]}\n{v: [0, 2]}", .reject = "similarity 1.00 above 0.90" },
    { .params = "vector: .v, exact: 0", .in = "{v: [1, 0]}\n{v: [0, 2]}\n{v: [5, 0.1]}", .out = "{v: [1, 0]}\n{v: [0, 2]}", .reject = "similarity 1.00 above 0.90" },
    { .params = "text: .t, model: $model", .in = "{t: 'a mill'}\n{t: 'a river'}\n{t: 'one mill'}", .replies = VECTORS, .asked = "a mill",
      .out = "{t: 'a mill'}\n{t: 'a river'}", .reject = "similarity 0.98 above 0.90" },
    { .params = "vector: .v, over: 0.5", .in = "{v: [0, 0]}\n{v: [0, 0]}", .out = "{v: [0, 0]}\n{v: [0, 0]}" },
    { .params = "text: .t", .in = "{t: 'x'}", .fail = "needs `encoder` or `model`" },
    QN_END
};

typedef qn_embedding_note note;
typedef struct { qn_embedder embedder; qn_near *kept; qn_row_mark *marks; size_t n, cap; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    if (!p->text == !p->vector) return qn_fail_at(e, QN_ERECIPE, ck->pos, "give `text` or `vector`");
    if (p->text && !p->encoder == !p->model) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`text` needs `encoder` or `model`");
    if (p->vector && (p->encoder || p->model)) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`vector` needs no `encoder` and no `model`");
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    state *st = QN_NEW(state);
    *out = st;
    return qn_embedder_open(&st->embedder, ((const params *)vp)->encoder, cx->n_threads, e);
}

static void close(void *vs)
{
    state *st = vs;
    qn_embedder_close(&st->embedder);
    qn_near_free(st->kept);
    qn_free(st->marks);
    qn_free(st);
}

static void ahead(qn_ctx *cx, const void *vp, void *vs, qn_row *const *rows, size_t n)
{
    qn_embedding_ahead(&((state *)vs)->embedder, ((const params *)vp)->text, cx, rows, n);
}

static qn_code turn(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    float *v = NULL;
    size_t n = 0;
    qn_value list;
    if (p->vector) {
        QN_TRY(qn_expr_one(p->vector, r, cx->scratch, &list, e));
        QN_TRY(qn_embedding_of_list(list, t->arena, &v, &n, e));
    } else {
        QN_TRY(qn_embedding_turn(&st->embedder, p->model, p->text, cx, r, t, &v, &n, e));
        if (!v) return QN_OK;
    }
    qn_row_attach(r, qn_embedding_note_of(v, n));
    qn_emit_row(em, r);
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    const note *k = qn_row_attached(r);
    size_t at;
    float similarity;
    if (!st->kept) st->kept = qn_near_new_within(k->n, (size_t)p->exact, cx->memory_bytes / 4 * 3, NULL);
    if (k->n != qn_near_dim(st->kept)) return qn_fail(e, QN_EDATA, "a vector of %zu numbers behind vectors of %zu", k->n, qn_near_dim(st->kept));
    if (qn_near_find(st->kept, k->v, &at, &similarity) && (double)similarity >= p->over - 1e-6 && similarity > 0) {
        qn_emit_reject(em, r, qn_reject_duplicate("similarity", fmin(1, (double)similarity), p->over, st->marks[at]));
        return QN_OK;
    }
    QN_TRY(qn_near_add(st->kept, k->v, e));
    QN_GROW(st->marks, st->n, st->cap);
    st->marks[st->n++] = qn_row_mark_of(r);
    qn_row_attach(r, NULL);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_dedup_embedding = {
    .name = "dedup_embedding", .version = 1, .stage = QN_CURATE, .flags = QN_OP_ORDERED,
    .brief = "drop rows whose text means nearly the same as an earlier kept row's",
    .about = "Compares by cosine of embeddings: of a local encoder, of an endpoint, or vectors that the rows have. The earliest row stays. The rows stay as they are: to keep the vectors, "
             "put `embed` in front. A vector of nothing but zeros is never a duplicate.",
    .paper = "Reimers and Gurevych 2019 (Sentence-BERT); Malkov and Yashunin 2016 (HNSW); Abbas et al. 2023, SemDeDup",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .ahead = ahead, .turn = turn, .map = map,
};
