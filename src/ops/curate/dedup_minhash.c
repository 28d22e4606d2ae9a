/* dedup_minhash: drop rows whose text nearly repeats an earlier kept row's.
 *
 * measure (any worker) makes the shingles and the signature; map (in order) asks the index. The earliest row stays, and every
 * rejection is a fact: candidates are verified by the Jaccard similarity of the two sets of shingles.
 * Holds at most its share of --memory; past that the index continues on disk and decides the same. */
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/lsh.h"

typedef struct {
    qn_expr *text;
    double   over;
    int64_t  hashes, shingle;
    qn_str   by, words;
    int      n_bands, n_rows;       /* from here: worked out in check */
    qn_minhash family;
} params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, NULL, "text", "the text to compare"),
    QN_REAL(params, over, "0.7", "0.05..1", "smallest Jaccard similarity of two texts' shingles that makes the later one a duplicate"),
    QN_INT(params, hashes, "128", "16..1024", "hashes of a signature: more find more of the pairs just over the limit"),
    QN_INT(params, shingle, "5", "1..100", "words (or characters) of a shingle"),
    QN_CHOICE(params, by, "words", "words|characters", "what a shingle counts"),
    QN_CHOICE(params, words, "spaced", "spaced|plain", "spaced: what lies between white space; plain: letters and digits alone. Lower case in both"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "text: .t, shingle: 2", .in = "{t: 'Mills grind grain by the river all day long.'}\n{t: 'mills  grind grain by the river ALL day long.'}",
      .out = "{t: 'Mills grind grain by the river all day long.'}", .reject = "similarity 1.00 above 0.70" },
    { .params = "text: .t, shingle: 1, over: 0.5", .in = "{t: 'one two three four'}\n{t: 'one two three five'}",
      .out = "{t: 'one two three four'}", .reject = "similarity 0.60 above 0.50" },
    { .params = "text: .t", .in = "{t: ''}\n{t: ''}", .out = "{t: ''}\n{t: ''}" },
    QN_END
};

enum { SMALL_TEXT = 32 << 10 };

/* What measure leaves for map. */
typedef struct { size_t n; uint32_t numbers[]; } note;     /* n_bands keys, then n shingles */

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    (void)e;
    qn_minhash m = qn_minhash_new((int)p->hashes, 1);      /* the same family always: a row's fate does not hang on the seed */
    p->family = (qn_minhash){ m.n, QN_ARENA_NEW_N(ck->arena, uint32_t, m.n), QN_ARENA_NEW_N(ck->arena, uint32_t, m.n) };
    memcpy(p->family.a, m.a, (size_t)m.n * sizeof *m.a);
    memcpy(p->family.b, m.b, (size_t)m.n * sizeof *m.b);
    qn_minhash_free(&m);
    qn_lsh_bands((int)p->hashes, p->over, &p->n_bands, &p->n_rows);
    return QN_OK;
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_shingles s = { 0 };
    qn_str text;
    QN_TRY(qn_pick_text(p->text, r, cx->scratch, &text, e));
    bool words = !qn_str_is(p->by, "characters"), small = words && text.n <= SMALL_TEXT;
    if (small) {                                               /* every word has a byte, and every second byte lies between two */
        s.words.cap = s.cap = text.n / 2 + 64;
        s.words.v = qn_arena_alloc(cx->scratch, s.words.cap * sizeof *s.words.v);
        s.v = qn_arena_alloc(cx->scratch, s.cap * sizeof *s.v);
    }
    if (words) qn_shingles_words(text, qn_str_is(p->words, "plain") ? QN_WORDS_PLAIN : QN_WORDS_SPACED, (int)p->shingle, &s);
    else qn_shingles_chars(text, (int)p->shingle, &s);
    uint32_t *sig = qn_arena_alloc(cx->scratch, (size_t)p->hashes * sizeof *sig);
    qn_minhash_sign(&p->family, s.v, s.n, sig);
    note *n = qn_alloc(sizeof *n + ((size_t)p->n_bands + s.n) * sizeof(uint32_t));
    n->n = s.n;
    qn_lsh_keys(p->n_bands, p->n_rows, sig, n->numbers);
    if (s.n) memcpy(n->numbers + p->n_bands, s.v, s.n * sizeof *s.v);
    if (small) QN_ASSERT(s.words.cap == text.n / 2 + 64 && s.cap == s.words.cap);      /* nothing grew: the lists are the scratch arena's */
    else qn_shingles_free(&s);
    qn_row_attach(r, n);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **state, qn_err *e)
{
    const params *p = vp;
    (void)e;
    *state = qn_lsh_new((qn_lsh_setup){ (int)p->hashes, p->over, cx->memory_bytes, NULL });
    return QN_OK;
}

static void close(void *state) { qn_lsh_free(state); }

static void comes_next(const void *vp, void *state, const qn_row *r)
{
    const note *n = qn_row_attached(r);
    (void)vp;
    if (n->n) qn_lsh_ahead(state, n->numbers);
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    note *n = qn_row_attached(r);
    qn_shingles s = { .v = n->numbers + p->n_bands, .n = n->n };
    qn_lsh_match match;
    (void)cx;
    QN_TRY(qn_lsh_find(state, n->numbers, &s, &match, e));
    if (match.found) {
        qn_emit_reject(em, r, qn_reject_duplicate("similarity", match.similarity, p->over, match.of));
        return QN_OK;
    }
    QN_TRY(qn_lsh_add(state, n->numbers, &s, qn_row_mark_of(r), e));
    qn_row_attach(r, NULL);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_dedup_minhash = {
    .name = "dedup_minhash", .version = 1, .stage = QN_CURATE, .flags = QN_OP_ORDERED,
    .brief = "drop rows whose text nearly repeats an earlier kept row's",
    .about = "The earliest row stays. A text of fewer words than a shingle is one shingle; a text without words is never a duplicate.\n"
             "Candidates come from bands of a MinHash signature, chosen so that a pair exactly at `over` is missed at most once in 200; each is "
             "verified by the Jaccard similarity of the two sets of shingles.",
    .paper = "Broder 1997; bands as in Leskovec, Rajaraman and Ullman",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .measure = measure, .comes_next = comes_next, .map = map,
};
