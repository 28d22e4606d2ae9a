/* embed: writes the embedding of a text into a field: a list of numbers of length 1, for `dedup_embedding`, `diverse` and `cluster`.
 *
 * Runs on: any worker; keeps nothing between rows but the encoder. */
#include "ops/curate/embedding.h"

typedef struct { qn_expr *text; const char *encoder; const qn_model *model; qn_str as; int64_t digits; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, NULL, "text", "the text to embed"),
    QN_PATH(params, encoder, "", "folder of a sentence encoder (all-MiniLM-L6-v2): config.json, model.safetensors, tokenizer.json"),
    QN_MODEL(params, model, "", "or an embeddings endpoint"),
    QN_FIELD(params, as, "vector", "field for the numbers"),
    QN_INT(params, digits, "5", "1..9", "digits kept behind the point"),
    QN_END
};

static const char *const VECTOR[] = { "[[3, 4]]", NULL };
static const qn_example EXAMPLES[] = {
    { .params = "text: .t, model: $model", .in = "{t: 'A mill'}", .replies = VECTOR, .asked = "\"input\":[\"A mill\"]", .out = "{t: 'A mill', vector: [0.6, 0.8]}" },
    { .params = "text: .t", .in = "{t: 'A mill'}", .fail = "give `encoder` or `model`" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    const qn_type *t;
    if (!p->encoder == !p->model) return qn_fail_at(e, QN_ERECIPE, ck->pos, "give `encoder` or `model`");
    QN_TRY(qn_type_parse(QN_STR("[number]"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->out, p->as, t, ck->arena);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **state, qn_err *e)
{
    return qn_embedder_new(((const params *)vp)->encoder, cx->n_threads, state, e);
}

static void ahead(qn_ctx *cx, const void *vp, void *state, qn_row *const *rows, size_t n)
{
    qn_embedding_ahead(state, ((const params *)vp)->text, cx, rows, n);
}

static qn_code turn(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    float *v;
    size_t n;
    qn_list_b l = { .a = cx->scratch };
    QN_TRY(qn_embedding_turn(state, p->model, p->text, cx, r, t, &v, &n, e));
    if (!v) return QN_OK;
    double scale = pow(10, (double)p->digits);
    for (size_t i = 0; i < n; i++) qn_list_put(&l, qn_v_real(round((double)v[i] * scale) / scale));
    qn_row_attach(r, NULL);
    qn_row_set(r, p->as, qn_list_end(&l));
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_embed = {
    .name = "embed", .version = 1, .stage = QN_CURATE, .brief = "write the embedding of a text into a field",
    .about = "The encoder is any of the BERT family with mean pooling, as sentence-transformers writes them; texts are cut at its longest input (256 tokens for all-MiniLM-L6-v2).",
    .paper = "Reimers and Gurevych 2019, Sentence-BERT",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .open = open, .close = qn_embedder_free, .ahead = ahead, .turn = turn,
};
