/* same_meaning: keeps, of a row's variants of a text, those that mean what the text means.
 *
 *   by words (neither `encoder` nor `model`)   the harmonic mean of the shares of content words that each has of the other (text/support.h); a
 *                                              variant with a number or a name that the text does not have, or the other way round, is out
 *   by meaning                                 the cosine of their embeddings; numbers must agree too, which vectors hardly see
 *
 * The list is written back; the row stays, also with an empty list. Runs on: any worker; keeps nothing between rows but the encoder. */
#include "core/map.h"
#include "ops/curate/embedding.h"
#include "text/support.h"

typedef struct { qn_expr *text, *others; qn_str as; const char *encoder; const qn_model *model; qn_value min; double least; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text whose meaning counts"),
    QN_EXPR(params, others, ".variants", "[text]", "its variants"),
    QN_FIELD(params, as, "variants", "field for those that are kept"),
    QN_VALUE(params, min, "", "smallest likeness, 0..1; left out: 0.4 by words, 0.8 by meaning"),
    QN_PATH(params, encoder, "", "folder of a sentence encoder (all-MiniLM-L6-v2): by meaning"),
    QN_MODEL(params, model, "", "or an embeddings endpoint"),
    QN_END
};

static const char *const THREE[] = { "[[1, 0], [0.9, 0.1], [0, 1]]", NULL };
static const qn_example EXAMPLES[] = {
    { .params = "text: .t", .in = "{t: 'How many types of quarks exist?', variants: ['I wonder how many quark types of quarks exist.', 'Where do flamingoes live?', 'How many of the 6 types of quarks exist?']}",
      .out = "{t: 'How many types of quarks exist?', variants: ['I wonder how many quark types of quarks exist.']}" },
    { .params = "text: .t, model: $model", .in = "{t: 'A mill', variants: ['One mill', 'A river']}", .replies = THREE, .asked = "[\"A mill\",\"One mill\",\"A river\"]",
      .out = "{t: 'A mill', variants: ['One mill']}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    const qn_type *t;
    bool given = p->min.kind != QN_V_NULL && !(p->min.kind == QN_V_TEXT && p->min.n == 0);
    if (p->model && p->model->builtin) p->model = NULL;
    if (p->encoder && p->model) return qn_fail_at(e, QN_ERECIPE, ck->pos, "give `encoder` or `model`, not both");
    if (given && (!qn_v_is_number(p->min) || qn_v_number(p->min) < 0 || qn_v_number(p->min) > 1)) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`min` must be a number from 0 to 1");
    p->least = given ? qn_v_number(p->min) : p->encoder || p->model ? 0.8 : 0.4;
    QN_TRY(qn_type_parse(QN_STR("[text]"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->out, p->as, t, ck->arena);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **state, qn_err *e)
{
    return qn_embedder_new(((const params *)vp)->encoder, cx->n_threads, state, e);
}

static bool is_number(qn_str s) { return s.n && s.p[0] >= '0' && s.p[0] <= '9'; }

/* The harmonic mean of what each has of the other; -1 when one has a number (by words also a name) that the other does not. */
static double shared_words(qn_str a, qn_str b, bool names_too)
{
    qn_map in_a = {0}, in_b = {0};
    qn_support_passage(a, &in_a);
    qn_support_passage(b, &in_b);
    qn_support ab = qn_support_of(b, &in_a), ba = qn_support_of(a, &in_b);
    qn_map_free(&in_a);
    qn_map_free(&in_b);
    bool apart = names_too ? ab.against.n || ba.against.n : is_number(ab.against) || is_number(ba.against);
    double sum = ab.support + ba.support;
    return apart ? -1 : sum > 0 ? 2 * ab.support * ba.support / sum : 0;
}

typedef struct { qn_str *v; size_t n; } texts;

/* The text itself, then its variants. */
static qn_code read_texts(const params *p, qn_ctx *cx, const qn_row *r, qn_arena *a, texts *out, qn_err *e)
{
    qn_value list, v;
    qn_str text;
    QN_TRY(qn_pick_text(p->text, r, cx->scratch, &text, e));
    QN_TRY(qn_expr_one(p->others, r, cx->scratch, &list, e));
    out->v = QN_ARENA_NEW_N(a, qn_str, (list.kind == QN_V_LIST ? list.n : 0) + 1);
    out->v[out->n++] = qn_arena_str(a, text);
    qn_v_iter it = qn_v_iter_of(list);
    while (list.kind == QN_V_LIST && qn_v_next(&it, NULL, &v))
        if (v.kind == QN_V_TEXT && qn_str_trim(qn_v_str(v)).n) out->v[out->n++] = qn_arena_str(a, qn_v_str(v));
    return QN_OK;
}

/* *out: (texts, dim) */
static qn_code vectors(const params *p, qn_embedder *m, qn_turn *t, const texts *x, float **out, size_t *dim, qn_err *e)
{
    if (p->model) return qn_embedding_of_reply(&t->replies[0], x->n, t->arena, out, dim, e);
    *dim = (size_t)qn_encoder_dim(m->encoders[0]);
    *out = QN_ARENA_NEW_N(t->arena, float, x->n * *dim);
    return qn_embedder_embed(m, x->v, x->n, *out, e);
}

static qn_code turn(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    texts *x = t->state;
    bool by_meaning = p->encoder || p->model;
    if (!x) {
        t->state = x = QN_ARENA_NEW(t->arena, texts);
        QN_TRY(read_texts(p, cx, r, t->arena, x, e));
        if (p->model && x->n > 1) { qn_embedding_ask(t, p->model, x->v, x->n); return QN_OK; }
    }
    float *v = NULL;
    size_t dim = 0;
    qn_list_b kept = { .a = cx->scratch };
    if (by_meaning && x->n > 1) QN_TRY(vectors(p, state, t, x, &v, &dim, e));
    for (size_t i = 1; i < x->n; i++) {
        double like = shared_words(x->v[0], x->v[i], !by_meaning), dot = 0;
        for (size_t k = 0; k < dim; k++) dot += (double)v[k] * v[i * dim + k];
        if (by_meaning && like >= 0) like = dot;
        if (like >= p->least) qn_list_put(&kept, qn_v_text(x->v[i]));
    }
    qn_row_set(r, p->as, qn_list_end(&kept));
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_same_meaning = {
    .name = "same_meaning", .version = 1, .stage = QN_CURATE, .brief = "keep the variants of a text that mean what it means",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .open = open, .close = qn_embedder_free, .turn = turn,
};
