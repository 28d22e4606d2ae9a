/* search_index: the passages of documents, to be found by words and by meaning. Steps of one run that search the same documents in the same way
 * share one index: the first reads the files, the others wait for it.
 *
 *   qn_index_take (reads the documents) -> qn_index_find ... -> qn_index_drop
 *
 * Vectors are made at once by a sentence encoder that quern runs itself, and kept in DIR/memo; or they come from an embeddings endpoint. Those are
 * asked for by the rows that search, QN_INDEX_PIECE passages a request: qn_index_claim says which piece a row should ask for, qn_index_put takes
 * the vectors. Rows share the pieces among them; a piece that another row asks for is asked for again where nothing else is left, which is one
 * request (equal requests are), and waits for the same reply.
 * Owned by the steps that took it, under a count; any thread. */
#ifndef QN_OPS_GENERATE_SEARCH_INDEX_H
#define QN_OPS_GENERATE_SEARCH_INDEX_H
#include "core/log.h"
#include "core/thread.h"
#include "io/format.h"
#include "ledger/memo.h"
#include "nn/finder.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/chunk.h"

enum { QN_INDEX_PIECE = 32 };                   /* as many texts as small servers take in one request */
typedef struct {
    const char *in, *encoder;                   /* encoder: folder; NULL none */
    const qn_model *embedder;                   /* endpoint; NULL none; not with an encoder */
    int64_t min, max;
    qn_str  text, title;
} qn_index_of;                                  /* what makes two indexes one; borrowed from the step's parameters */
typedef enum { QN_PIECE_FREE, QN_PIECE_ASKED, QN_PIECE_THERE } qn_piece;
typedef struct { qn_str url, title; } qn_place;

typedef struct qn_index {
    qn_arena    arena;
    qn_index_of of;
    char       *run;                            /* folder of the run: runs share nothing */
    qn_encoder *encoder;
    qn_finder  *finder;
    qn_memo    *memo;                           /* of vectors; NULL: none */
    char        weights[33];                    /* hash of the encoder's weights */
    qn_place   *places;                         /* of each text of the finder */
    size_t      cap_places, n_docs, max_bytes;
    pthread_mutex_t lock;                       /* guards the pieces and their vectors until all are there */
    qn_piece   *pieces;
    size_t      n_pieces, n_there, dim;
    int         n_owners;
    struct qn_index *next;
} qn_index;

static inline qn_code qn_index_too_large(const qn_index *x, qn_err *e)
{
    qn_fail(e, QN_ELIMIT, "the index over `in` takes more than %zu MB", x->max_bytes >> 20);
    qn_hint(e, "raise --memory, or search fewer documents");
    return QN_ELIMIT;
}

/* ---- reading ---- */
/* The vectors of a document's passages: worked out together, or remembered from an earlier run. */
static inline qn_code qn_index_vectors(qn_index *x, qn_str text, const qn_chunk *chunks, size_t n, qn_arena *a, float **out, qn_err *e)
{
    size_t bytes = n * (size_t)qn_encoder_dim(x->encoder) * sizeof(float);
    qn_str settings = qn_arena_printf(a, "%s %lld %lld", x->weights, (long long)x->of.min, (long long)x->of.max);
    qn_hash128 key = qn_memo_key("search", 1, settings, text, QN_MEMO_THIS_MACHINE);
    qn_buf b = {0};
    qn_code rc = QN_OK;
    *out = qn_arena_alloc(a, bytes + 1);
    if (x->memo && qn_memo_get(x->memo, key, &b) && b.n == bytes) {
        memcpy(*out, b.p, bytes);
    } else {
        qn_str *texts = QN_ARENA_NEW_N(a, qn_str, n + 1);
        for (size_t i = 0; i < n; i++) texts[i] = qn_str_sub(text, chunks[i].start, chunks[i].end);
        rc = qn_encoder_embed(x->encoder, texts, n, *out, e);
        if (rc == QN_OK && x->memo) qn_memo_put(x->memo, key, (qn_str){ (const char *)*out, bytes });
    }
    qn_buf_free(&b);
    return rc;
}

static inline qn_code qn_index_text(qn_index *x, qn_str text, const qn_block *blocks, size_t n_blocks, qn_str title, qn_str where, qn_err *e)
{
    qn_arena a = {0};
    qn_chunk *chunks;
    qn_chunk_opts o = { .by = QN_CHUNK_PARAGRAPH, .min_tokens = (size_t)x->of.min, .max_tokens = (size_t)x->of.max };
    size_t n = qn_chunk_text(text, blocks, n_blocks, &o, &a, &chunks);
    qn_code rc = QN_OK;
    float *v = NULL;
    title = qn_arena_str(&x->arena, title);
    if (x->encoder && n) rc = qn_index_vectors(x, text, chunks, n, &a, &v, e);
    for (size_t i = 0; i < n && rc == QN_OK; i++) {
        size_t at = qn_finder_n(x->finder);
        QN_GROW(x->places, at, x->cap_places);
        x->places[at] = (qn_place){ qn_arena_printf(&x->arena, "%.*s#%zu", QN_FMT(where), chunks[i].start), title };
        qn_str piece = qn_str_sub(text, chunks[i].start, chunks[i].end);
        if (v) qn_finder_add_with(x->finder, piece, v + i * (size_t)qn_encoder_dim(x->encoder));
        else rc = qn_finder_add(x->finder, piece, e);
    }
    qn_arena_free(&a);
    x->n_docs++;
    return rc == QN_OK && qn_finder_bytes(x->finder) > x->max_bytes ? qn_index_too_large(x, e) : rc;
}

static inline qn_code qn_index_record(void *arg, qn_row *row, const char *where, qn_err *e)
{
    qn_index *x = arg;
    qn_value text, title;
    if (!qn_row_find(row, x->of.text, &text) || text.kind != QN_V_TEXT) {
        qn_fail(e, QN_EDATA, "%s: the record has no text in the field `%.*s`", where, QN_FMT(x->of.text));
        qn_hint(e, "name the field that holds the text: text: FIELD");
        return QN_EDATA;
    }
    bool named = qn_row_find(row, x->of.title, &title) && title.kind == QN_V_TEXT;
    return qn_index_text(x, qn_v_str(text), NULL, 0, named ? qn_v_str(title) : QN_STR(""), qn_str_of(where), e);
}

static inline qn_code qn_index_file(void *arg, const char *file, qn_err *e)
{
    qn_index *x = arg;
    const qn_format *f = NULL;
    qn_err why = {0};
    if (qn_format_of(file, &f, &why) != QN_OK || (!f->doc && !f->rows)) {
        qn_log(QN_INFO, "skipped", "search: %s is no document that can be read", file);
        return QN_OK;
    }
    if (!f->doc) return qn_pick_rows(file, qn_index_record, x, e);
    qn_arena a = {0};
    qn_doc d;
    qn_read_opts o = { .header = -1 };
    qn_code rc = qn_doc_read(file, &o, &a, &d, &why);
    if (rc == QN_OK) rc = qn_index_text(x, d.text, d.blocks, d.n_blocks, d.title, qn_str_of(file), e);
    else {                          /* one document less; the others are searched */
        qn_log(QN_WARN, "skipped", "search: %s: %s", file, why.msg);
        rc = QN_OK;
    }
    qn_arena_free(&a);
    return rc;
}

static inline qn_code qn_index_open_encoder(qn_ctx *cx, qn_index *x, qn_err *e)
{
    QN_TRY(qn_encoder_open(&x->encoder, x->of.encoder, e));
    qn_encoder_threads(x->encoder, cx->n_threads);
    if (!cx->out_dir) return QN_OK;
    qn_buf b = {0};
    char *weights = qn_path_join(x->of.encoder, "model.safetensors"), *dir = qn_path_join(cx->out_dir, "memo");
    qn_code rc = qn_file_read(weights, (size_t)4 << 30, &b, e);
    if (rc == QN_OK) qn_hash_hex(qn_hash(b.p, b.n), x->weights);
    if (rc == QN_OK) rc = qn_memo_open(&x->memo, dir, (uint64_t)4 << 30, e);
    qn_buf_free(&b);
    qn_free(weights);
    qn_free(dir);
    return rc;
}

static inline qn_code qn_index_read(qn_ctx *cx, qn_index *x, qn_err *e)
{
    x->max_bytes = cx->memory_bytes;
    if (x->of.encoder) QN_TRY(qn_index_open_encoder(cx, x, e));
    x->finder = qn_finder_new(x->encoder);
    QN_TRY(qn_files_each(x->of.in, qn_index_file, x, e));
    size_t n = qn_finder_n(x->finder);
    if (n == 0) return qn_fail(e, QN_EDATA, "there is no text to search in %s", x->of.in);
    if (x->of.embedder) {
        x->n_pieces = (n + QN_INDEX_PIECE - 1) / QN_INDEX_PIECE;
        x->pieces = QN_NEW_N(qn_piece, x->n_pieces);
    }
    qn_log(QN_INFO, "search", "%zu passages of %zu documents are searched", n, x->n_docs);
    return QN_OK;
}

/* ---- sharing ---- */
static pthread_mutex_t qn_index_door = PTHREAD_MUTEX_INITIALIZER;  /* guards the list; held while documents are read, so that they are read once */
static qn_index *qn_index_all;

static inline bool qn_index_equal_z(const char *a, const char *b) { return (!a && !b) || (a && b && strcmp(a, b) == 0); }
static inline bool qn_index_is(const qn_index *x, const char *run, const qn_index_of *of)
{
    return qn_index_equal_z(x->run, run) && qn_index_equal_z(x->of.in, of->in) && qn_index_equal_z(x->of.encoder, of->encoder) && x->of.embedder == of->embedder
           && x->of.min == of->min && x->of.max == of->max && qn_str_eq(x->of.text, of->text) && qn_str_eq(x->of.title, of->title);
}

static inline void qn_index_free(qn_index *x)
{
    qn_finder_free(x->finder);
    qn_memo_close(x->memo);
    qn_encoder_close(x->encoder);
    qn_free(x->places);
    qn_free(x->pieces);
    qn_free(x->run);
    pthread_mutex_destroy(&x->lock);
    qn_arena_free(&x->arena);
    qn_free(x);
}

/* Without a folder of the run (an example, `apply`) an index is its step's own. */
static inline qn_code qn_index_take(qn_ctx *cx, const qn_index_of *of, qn_index **out, qn_err *e)
{
    qn_code rc = QN_OK;
    pthread_mutex_lock(&qn_index_door);
    qn_index *x = cx->out_dir ? qn_index_all : NULL;
    while (x && !qn_index_is(x, cx->out_dir, of)) x = x->next;
    if (!x) {
        x = QN_NEW(qn_index);
        x->of = *of;
        x->run = cx->out_dir ? qn_strz(qn_str_of(cx->out_dir)) : NULL;
        pthread_mutex_init(&x->lock, NULL);
        rc = qn_index_read(cx, x, e);
        if (rc == QN_OK) {
            x->next = qn_index_all;
            qn_index_all = x;
        } else {
            qn_index_free(x);
            x = NULL;
        }
    }
    if (x) x->n_owners++;
    *out = x;
    pthread_mutex_unlock(&qn_index_door);
    return rc;
}

static inline void qn_index_drop(qn_index *x)      /* NULL is fine */
{
    if (!x) return;
    pthread_mutex_lock(&qn_index_door);
    if (--x->n_owners == 0) {
        qn_index **at = &qn_index_all;
        while (*at != x) at = &(*at)->next;
        *at = x->next;
        qn_index_free(x);
    }
    pthread_mutex_unlock(&qn_index_door);
}

/* ---- vectors of an endpoint ---- */
/* Up to `most` pieces that a row should ask for now: those nobody asked for; where there are none, one that has not come yet. 0: all are there. */
static inline size_t qn_index_claim(qn_index *x, size_t most, size_t *out)
{
    size_t n = 0;
    pthread_mutex_lock(&x->lock);
    for (size_t i = 0; i < x->n_pieces && n < most && x->n_there < x->n_pieces; i++)
        if (x->pieces[i] == QN_PIECE_FREE) { x->pieces[i] = QN_PIECE_ASKED; out[n++] = i; }
    for (size_t i = 0; i < x->n_pieces && n == 0 && x->n_there < x->n_pieces; i++)
        if (x->pieces[i] == QN_PIECE_ASKED) out[n++] = i;
    pthread_mutex_unlock(&x->lock);
    return n;
}

/* The texts of a piece, borrowed; how many. */
static inline size_t qn_index_piece(const qn_index *x, size_t piece, qn_str texts[QN_INDEX_PIECE])
{
    size_t n = 0, all = qn_finder_n(x->finder);
    for (size_t i = piece * QN_INDEX_PIECE; i < all && n < QN_INDEX_PIECE; i++) texts[n++] = qn_finder_text(x->finder, i);
    return n;
}

static inline bool qn_index_has(qn_index *x, size_t piece)
{
    pthread_mutex_lock(&x->lock);
    bool there = x->pieces[piece] == QN_PIECE_THERE;
    pthread_mutex_unlock(&x->lock);
    return there;
}

/* vectors: (n, dim) of a piece, of length 1. */
static inline qn_code qn_index_put(qn_index *x, size_t piece, const float *vectors, size_t n, size_t dim, qn_err *e)
{
    qn_code rc = QN_OK;
    pthread_mutex_lock(&x->lock);
    if (x->dim == 0) {
        x->dim = dim;
        qn_finder_expect(x->finder, dim);
        if (qn_finder_bytes(x->finder) > x->max_bytes) rc = qn_index_too_large(x, e);
    }
    if (x->dim != dim) rc = qn_fail(e, QN_EDATA, "the endpoint gave vectors of %zu numbers beside ones of %zu", dim, x->dim);
    for (size_t i = 0; i < n && rc == QN_OK && x->pieces[piece] != QN_PIECE_THERE; i++) qn_finder_put(x->finder, piece * QN_INDEX_PIECE + i, vectors + i * dim);
    if (rc == QN_OK && x->pieces[piece] != QN_PIECE_THERE) {
        x->pieces[piece] = QN_PIECE_THERE;
        x->n_there++;
    }
    pthread_mutex_unlock(&x->lock);
    return rc;
}
#endif
