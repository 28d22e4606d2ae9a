/* decontaminate: drop rows whose text equals, largely contains, or means nearly the same as a text of given files: the questions of a benchmark.
 *
 * The reference texts are read once and sealed; map then asks on any worker: by words first, then, with `by: embedding`, by the cosine with every
 * reference (exact, no index). With `model` the rows that words did not find ask an endpoint for their own vectors and, AT_ONCE a request, for those of
 * the references; rows share that among them, and the ledger keeps what was answered. What was found where stays on the rejected row: `_found` {file and row, its text, how, ratio}, and `_of`; with `mark`
 * no row is dropped, and all get the field `found`: the same, or null. */
#include "nn/near.h"
#include "ops/curate/embedding.h"
#include "text/overlap.h"

typedef struct {
    qn_expr *text, *path, *vector, *their_vector;
    qn_texts against;
    qn_str   field, match, by, vector_field;
    const char *encoder;
    const qn_model *model;
    int64_t  ngram;
    double   over, close;
    bool     mark, by_meaning;
} params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, NULL, "text", "the text to look into"),
    QN_TEXTS(params, against, NULL, "files (folders, globs) with the texts that must not be met: evaluation sets"),
    QN_TEXT(params, field, "", "the text in those files: a field, or an expression as `.data[].paragraphs[].context` (default: as `text`)"),
    QN_CHOICE(params, match, "overlap", "exact|normalised|overlap",
              "exact: equal texts; normalised: also equal words in lower case; overlap: also shared n-grams and blocks"),
    QN_INT(params, ngram, "10", "2..100", "words in a row that make a text a candidate (10: Cosmopedia; 13: GPT-3)"),
    QN_REAL(params, over, "0.5", "0..1", "smallest share of the reference, in characters, that the common blocks cover"),
    QN_CHOICE(params, by, "words", "words|embedding", "embedding: what words do not find, meaning may: with `encoder`, `model` or `vector`"),
    QN_PATH(params, encoder, "", "folder of a sentence encoder (all-MiniLM-L6-v2): config.json, model.safetensors, tokenizer.json"),
    QN_MODEL(params, model, "", "or an embeddings endpoint, asked for the rows and for the files' texts"),
    QN_EXPR(params, vector, "", "[number]", "or vectors that rows and files have already (put `embed` in front; apply it to the files)"),
    QN_TEXT(params, vector_field, "", "the vector in the files (default: as `vector`)"),
    QN_REAL(params, close, "0.9", "0..1", "smallest cosine similarity with a reference that means the same"),
    QN_BOOL(params, mark, "no", "drop nothing: write what was found, and where, into the field `found` of every row"),
    QN_END
};

typedef struct {
    const params *p;
    qn_overlap *refs;
    qn_embedder embedder;
    qn_near    *meanings;       /* of the references, in their order */
    qn_arena    arena, scratch;
    const char **where;
    qn_str     *waiting;        /* references not embedded yet */
    size_t      n, cap, n_waiting;
    pthread_mutex_t lock;       /* of what follows: the references' vectors from an endpoint */
    unsigned char *pieces;      /* (n_pieces) of AT_ONCE references each */
    size_t      n_pieces, n_there, dim, memory_bytes;
    float      *vectors;        /* (n, dim) */
} state;
enum { AT_ONCE = 64, PIECES_A_TURN = 4 };
enum { FREE, ASKED, THERE };

/* A row between its turns: what it asked for, its own vector. */
typedef struct { qn_embedding_asks asks; size_t dim; float *v; } row_asks;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    if (p->against.n == 0) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`against` names no file");
    p->by_meaning = qn_str_is(p->by, "embedding");
    const int ways = (p->encoder != NULL) + (p->vector != NULL) + (p->model != NULL);
    if (p->by_meaning && ways != 1) {
        qn_fail_at(e, QN_ERECIPE, ck->pos, "`by: embedding` needs %s", ways ? "one of `encoder`, `model` and `vector`" : "`encoder`, `model` or `vector`");
        qn_hint(e, "model: an embeddings endpoint; vectors made before: `quern apply embed` on the files, `embed` before this step, then `vector: .vector`");
        return QN_ERECIPE;
    }
    if (!p->by_meaning && ways) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`encoder`, `model` and `vector` are for `by: embedding`");
    if (p->vector) QN_TRY(qn_pick_compile(p->vector_field, p->vector, ck->pos, ck->arena, &p->their_vector, e));
    if (p->mark) {
        const qn_type *found;
        QN_TRY(qn_type_parse(QN_STR("{where: text, text: text, how: text, ratio: real}?"), ck->arena, &found, e));
        ck->out = qn_type_with(ck->in, QN_STR("found"), found, ck->arena);
    }
    return qn_pick_compile(p->field, p->text, ck->pos, ck->arena, &p->path, e);
}

/* The references that wait get their vectors together. */
static qn_code embed_waiting(state *st, qn_err *e)
{
    if (st->n_waiting == 0) return QN_OK;
    size_t dim = (size_t)qn_encoder_dim(st->embedder.encoders[0]);
    float *v = QN_ARENA_NEW_N(&st->scratch, float, st->n_waiting * dim);
    if (!st->meanings) st->meanings = qn_near_new(dim, SIZE_MAX);
    qn_code rc = qn_encoder_embed(st->embedder.encoders[0], st->waiting, st->n_waiting, v, e);
    for (size_t i = 0; i < st->n_waiting && rc == QN_OK; i++) rc = qn_near_add(st->meanings, v + i * dim, e);
    st->n_waiting = 0;
    qn_arena_reset(&st->scratch);
    return rc;
}

static qn_code load_text(void *vs, qn_value v, qn_err *e)
{
    state *st = vs;
    if (v.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "a text is needed, the row gives a %s", qn_v_kind_name(v));
    qn_overlap_add(st->refs, qn_v_str(v));
    st->n++;
    if (!st->embedder.n) return QN_OK;
    if (!st->waiting) st->waiting = QN_ARENA_NEW_N(&st->arena, qn_str, AT_ONCE);
    st->waiting[st->n_waiting++] = qn_arena_str(&st->scratch, qn_v_str(v));
    return st->n_waiting == AT_ONCE ? embed_waiting(st, e) : QN_OK;
}

static qn_code load_vector(state *st, const qn_row *row, qn_err *e)
{
    qn_value list;
    float *v = NULL;
    size_t dim = 0;
    QN_TRY(qn_expr_one(st->p->their_vector, row, &st->scratch, &list, e));
    QN_TRY(qn_embedding_of_list(list, &st->scratch, &v, &dim, e));
    if (!st->meanings) st->meanings = qn_near_new(dim, SIZE_MAX);
    if (dim != qn_near_dim(st->meanings)) return qn_fail(e, QN_EDATA, "a vector of %zu numbers behind vectors of %zu", dim, qn_near_dim(st->meanings));
    return qn_near_add(st->meanings, v, e);
}

static qn_code load_row(void *vs, qn_row *row, const char *where, qn_err *e)
{
    state *st = vs;
    qn_arena texts = { 0 };
    size_t before = st->n;
    qn_code rc = qn_expr_run(st->p->path, row, &texts, load_text, st, e);
    qn_arena_free(&texts);
    QN_TRY(rc);
    if (st->p->vector && st->n != before + 1) return qn_fail(e, QN_EDATA, "with `vector` a row of the file must give one text, this one gives %zu", st->n - before);
    if (st->p->vector) QN_TRY(load_vector(st, row, e));
    for (; before < st->n; before++) {
        QN_GROW(st->where, before, st->cap);
        st->where[before] = qn_arena_str(&st->arena, qn_str_of(where)).p;
    }
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    *out = st;
    st->p = p;
    st->memory_bytes = cx->memory_bytes;
    pthread_mutex_init(&st->lock, NULL);
    QN_TRY(qn_embedder_open(&st->embedder, p->encoder, cx->n_threads, e));
    st->refs = qn_overlap_new((int)p->ngram, qn_str_is(p->match, "overlap") ? p->over : 2);
    for (size_t i = 0; i < p->against.n; i++) {
        char *path = qn_strz(p->against.items[i]);
        qn_code rc = qn_pick_rows(path, load_row, st, e);
        qn_free(path);
        QN_TRY(rc);
    }
    QN_TRY(embed_waiting(st, e));
    qn_overlap_seal(st->refs);
    st->n_pieces = p->model ? (st->n + AT_ONCE - 1) / AT_ONCE : 0;
    st->pieces = QN_NEW_N(unsigned char, st->n_pieces + 1);
    size_t meanings = st->meanings ? qn_near_bytes(st->meanings) : 0;
    if (qn_overlap_bytes(st->refs) + meanings > cx->memory_bytes)
        return qn_fail(e, QN_ELIMIT, "the texts of `against` take %zu MB, more than this step's %zu: raise --memory",
                       (qn_overlap_bytes(st->refs) + meanings) >> 20, cx->memory_bytes >> 20);
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_overlap_free(st->refs);
    qn_embedder_close(&st->embedder);
    qn_near_free(st->meanings);
    qn_arena_free(&st->arena);
    qn_arena_free(&st->scratch);
    qn_free(st->where);
    qn_free(st->pieces);
    qn_free(st->vectors);
    pthread_mutex_destroy(&st->lock);
    qn_free(st);
}

typedef struct { const char *how; size_t index; double ratio; } hit;       /* how NULL: nothing was found */

/* ---- vectors from an endpoint ---- */
static size_t piece_texts(const state *st, size_t piece, qn_str texts[AT_ONCE])
{
    size_t n = 0;
    for (size_t i = piece * AT_ONCE; i < st->n && n < AT_ONCE; i++) texts[n++] = qn_overlap_text(st->refs, i);
    return n;
}

/* Pieces that this row should ask for: free ones, else one that another row waits for (an equal request is one, and has one answer). 0: all are there. */
static size_t claim(state *st, size_t out[PIECES_A_TURN])
{
    size_t n = 0;
    pthread_mutex_lock(&st->lock);
    for (size_t i = 0; i < st->n_pieces && n < PIECES_A_TURN && st->n_there < st->n_pieces; i++)
        if (st->pieces[i] == FREE) { st->pieces[i] = ASKED; out[n++] = i; }
    for (size_t i = 0; i < st->n_pieces && n == 0 && st->n_there < st->n_pieces; i++)
        if (st->pieces[i] == ASKED) out[n++] = i;
    pthread_mutex_unlock(&st->lock);
    return n;
}

/* All vectors are there: what they mean can be asked for. Under the lock. */
static qn_code complete(state *st, qn_err *e)
{
    qn_near *near = qn_near_new(st->dim, SIZE_MAX);
    qn_code rc = QN_OK;
    for (size_t i = 0; i < st->n && rc == QN_OK; i++) rc = qn_near_add(near, st->vectors + i * st->dim, e);
    qn_free(st->vectors);
    st->vectors = NULL;
    st->meanings = near;
    return rc;
}

static qn_code put_piece(state *st, size_t piece, size_t n, const float *v, size_t dim, qn_err *e)
{
    if (st->pieces[piece] == THERE) return QN_OK;
    if (st->dim == 0) {
        if (2 * st->n * dim * sizeof *v + qn_overlap_bytes(st->refs) > st->memory_bytes)
            return qn_fail(e, QN_ELIMIT, "the vectors of `against` do not fit into this step's %zu MB: raise --memory", st->memory_bytes >> 20);
        st->dim = dim;
        st->vectors = QN_NEW_N(float, st->n * dim);
    }
    if (dim != st->dim) return qn_fail(e, QN_EDATA, "the endpoint gave a vector of %zu numbers beside one of %zu", dim, st->dim);
    memcpy(st->vectors + piece * AT_ONCE * dim, v, n * dim * sizeof *v);
    st->pieces[piece] = THERE;
    return ++st->n_there == st->n_pieces ? complete(st, e) : QN_OK;
}

static qn_code take_replies(state *st, qn_turn *t, row_asks *k, qn_err *e)
{
    qn_str texts[AT_ONCE];
    for (size_t *i = &k->asks.n_taken; *i < t->n_replies; (*i)++) {
        size_t piece = k->asks.piece[*i], dim = 0;
        qn_arena a = {0};
        float *v = NULL;
        if (piece == QN_EMBEDDING_OWN) {
            QN_TRY(qn_embedding_of_reply(&t->replies[*i], 1, t->arena, &k->v, &k->dim, e));
            continue;
        }
        size_t n = piece_texts(st, piece, texts);
        qn_code rc = qn_embedding_of_reply(&t->replies[*i], n, &a, &v, &dim, e);
        pthread_mutex_lock(&st->lock);
        if (rc == QN_OK) rc = put_piece(st, piece, n, v, dim, e);
        pthread_mutex_unlock(&st->lock);
        qn_arena_free(&a);
        QN_TRY(rc);
    }
    return QN_OK;
}

/* Asks for what is not there yet; *waits: the row comes back with the answers. */
static qn_code ask_more(qn_ctx *cx, const params *p, state *st, const qn_row *r, qn_turn *t, bool *waits, qn_err *e)
{
    row_asks *k = t->state;
    size_t pieces[PIECES_A_TURN];
    qn_str texts[AT_ONCE];
    if (k) QN_TRY(take_replies(st, t, k, e));
    *waits = !k;
    if (!k) {
        k = t->state = QN_ARENA_NEW(t->arena, row_asks);
        QN_TRY(qn_pick_text(p->text, r, cx->scratch, &texts[0], e));
        qn_embedding_ask_piece(&k->asks, t, p->model, QN_EMBEDDING_OWN, texts, 1);
    }
    size_t n = claim(st, pieces);
    for (size_t i = 0; i < n; i++) {
        size_t n_texts = piece_texts(st, pieces[i], texts);
        qn_embedding_ask_piece(&k->asks, t, p->model, pieces[i], texts, n_texts);
    }
    *waits |= n > 0;
    return QN_OK;
}

/* own: the row's vector, from an endpoint; NULL: words only, or a vector made here. */
static qn_code find(qn_ctx *cx, const params *p, state *st, const qn_row *r, const row_asks *own, hit *out, qn_err *e)
{
    static const char *const HOW[] = { NULL, "exact", "normalised", "overlap" };
    qn_str text;
    qn_value list;
    float *v = NULL, similarity;
    size_t dim = 0, at;
    QN_TRY(qn_pick_text(p->text, r, cx->scratch, &text, e));
    qn_overlap_hit words = qn_overlap_find(st->refs, text);
    if (words.kind == QN_OVERLAP_NORMAL && qn_str_is(p->match, "exact")) words.kind = QN_OVERLAP_NONE;
    *out = (hit){ HOW[words.kind], words.index, words.ratio };
    if (out->how || (p->model && !own) || !st->meanings) return QN_OK;
    if (own) {
        if (own->dim != qn_near_dim(st->meanings)) return qn_fail(e, QN_EDATA, "the endpoint gave a row %zu numbers, and the files' texts %zu", own->dim, qn_near_dim(st->meanings));
        v = own->v;
    } else if (p->vector) {
        QN_TRY(qn_expr_one(p->vector, r, cx->scratch, &list, e));
        QN_TRY(qn_embedding_of_list(list, cx->scratch, &v, &dim, e));
        if (dim != qn_near_dim(st->meanings)) return qn_fail(e, QN_EDATA, "a vector of %zu numbers, the files have %zu", dim, qn_near_dim(st->meanings));
    } else if (qn_row_attached(r)) {
        qn_embedding_note *made = qn_row_attached(r);
        v = made->v;
    } else {
        QN_TRY(qn_embedding_compute(&st->embedder, text, cx->scratch, &v, &dim, e));
    }
    if (qn_near_find(st->meanings, v, &at, &similarity) && (double)similarity >= p->close - 1e-6 && similarity > 0)
        *out = (hit){ "embedding", at, fmin(1, (double)similarity) };
    return QN_OK;
}

static qn_value found_value(qn_field fields[4], const state *st, const hit *h)
{
    fields[0] = (qn_field){ QN_STR("where"), qn_v_text(qn_str_of(st->where[h->index])) };
    fields[1] = (qn_field){ QN_STR("text"), qn_v_text(qn_overlap_text(st->refs, h->index)) };
    fields[2] = (qn_field){ QN_STR("how"), qn_v_text(qn_str_of(h->how)) };
    fields[3] = (qn_field){ QN_STR("ratio"), qn_v_real(h->ratio) };
    return qn_v_object(fields, 4);
}

/* "dev.jsonl:12", its tail when it is longer than the place for an id. */
static void put_of(qn_verdict *v, const char *where)
{
    size_t n = strlen(where), room = sizeof v->of - 1, from = n > room ? n - room : 0;
    while (from < n && ((unsigned char)where[from] & 0xC0) == 0x80) from++;
    memcpy(v->of, where + from, n - from + 1);
}

static qn_verdict verdict_of(const params *p, const state *st, const hit *h)
{
    qn_verdict v = h->how[0] == 'o' ? qn_reject_above("overlap", h->ratio, p->over)
                 : h->how[0] == 'e' && h->how[1] == 'm' ? qn_reject_above("embedding", h->ratio, p->close)
                 : qn_reject_fact(h->how, "equals %.90s", st->where[h->index]);
    put_of(&v, st->where[h->index]);
    v.similarity = h->ratio;
    return v;
}

static void ahead(qn_ctx *cx, const void *vp, void *vs, qn_row *const *rows, size_t n)
{
    state *st = vs;
    if (st->embedder.n && st->meanings) qn_embedding_ahead(&st->embedder, ((const params *)vp)->text, cx, rows, n);
}

static qn_code turn(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_field fields[4];
    hit h;
    bool waits = false;
    if (t->n_replies == 0) QN_TRY(find(cx, p, st, r, NULL, &h, e));
    if (p->model && st->n && (t->n_replies || !h.how)) {
        QN_TRY(ask_more(cx, p, st, r, t, &waits, e));
        if (waits) return QN_OK;
        QN_TRY(find(cx, p, st, r, t->state, &h, e));
    }
    qn_row_attach(r, NULL);
    if (p->mark) qn_row_set(r, QN_STR("found"), h.how ? found_value(fields, st, &h) : qn_v_null());
    if (p->mark || !h.how) {
        qn_emit_row(em, r);
        return QN_OK;
    }
    qn_row_set(r, QN_STR("_found"), found_value(fields, st, &h));
    qn_emit_reject(em, r, verdict_of(p, st, &h));
    return QN_OK;
}

const qn_op qn_op_decontaminate = {
    .name = "decontaminate", .version = 1, .stage = QN_CURATE,
    .brief = "drop rows whose text is, largely contains, or means the same as a text of given files",
    .about = "`_measure` says how a row was found: exact, normalised, overlap or embedding; `_of` and `_found` say where. A reference shorter than `ngram` "
             "words can only be found by equality. `by: embedding` asks the words first, then compares the meaning with every reference.",
    .paper = "n-grams: Brown et al. 2020; matching blocks: Cosmopedia (Ben Allal et al. 2024)",
    .params = PARAMS, .params_size = sizeof(params),
    .check = check, .open = open, .close = close, .ahead = ahead, .turn = turn,
};
