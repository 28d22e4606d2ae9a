/* dedup_exact: drop rows whose text, or whole JSON, equals an earlier row's, after a normalisation that is a setting.
 *
 * measure (any worker) hashes to 128 bits; map (in order) asks an index of hashes, which spills (text/lsh.h with one band of
 * one place): about 20 bytes a row stay in memory before that, 8 after. */
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/lsh.h"
#include "text/words.h"

typedef struct { qn_expr *text; qn_str normalise; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, "", "text", "the text to compare; the whole row when left out"),
    QN_CHOICE(params, normalise, "none", "none|space|case|words",
              "what does not count: nothing; white space; white space and case; all but letters and digits in lower case"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "text: .q", .in = "{q: 'Why?', n: 1}\n{q: 'Why?', n: 2}", .out = "{q: 'Why?', n: 1}", .reject = "duplicate" },
    { .params = "text: .q", .in = "{q: 'Why?'}\n{q: 'why?'}", .out = "{q: 'Why?'}\n{q: 'why?'}" },
    { .params = "text: .q, normalise: words", .in = "{q: 'Why, oh why?'}\n{q: 'why oh  WHY'}", .out = "{q: 'Why, oh why?'}", .reject = "duplicate" },
    { .params = "", .in = "{q: 1, n: 2}\n{n: 2, q: 1}", .out = "{q: 1, n: 2}", .reject = "duplicate" },
    QN_END
};

typedef struct { uint32_t key; uint32_t hash[4]; } note;

static void normal_form(qn_str text, qn_str how, qn_buf *out)
{
    if (qn_str_is(how, "space")) qn_words_plain(text, QN_WORDS_SPACED, false, out);
    else if (qn_str_is(how, "case")) qn_words_plain(text, QN_WORDS_SPACED, true, out);
    else if (qn_str_is(how, "words")) qn_words_plain(text, QN_WORDS_PLAIN, true, out);
    else qn_buf_str(out, text);
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_buf b = { 0 };
    if (p->text) {
        qn_str text;
        QN_TRY(qn_pick_text(p->text, r, cx->scratch, &text, e));
        normal_form(text, p->normalise, &b);
    } else {
        qn_json_write_canonical(&b, qn_row_value(r, cx->scratch));
    }
    qn_hash128 h = qn_hash(b.p, b.n);
    note *n = qn_alloc(sizeof *n);
    uint32_t sig = (uint32_t)(h.lo >> 32);
    qn_lsh_keys(1, 1, &sig, &n->key);
    memcpy(n->hash, &h, sizeof h);
    qn_buf_free(&b);
    qn_row_attach(r, n);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **state, qn_err *e)
{
    (void)vp;
    (void)e;
    *state = qn_lsh_new((qn_lsh_setup){ 1, 1, cx->memory_bytes, NULL });
    return QN_OK;
}

static void close(void *state) { qn_lsh_free(state); }

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    note *n = qn_row_attached(r);
    qn_shingles s = { .v = n->hash, .n = 4 };
    qn_lsh_match match;
    (void)cx;
    (void)vp;
    QN_TRY(qn_lsh_find(state, &n->key, &s, &match, e));
    if (match.found) {
        qn_verdict v = qn_reject_fact("duplicate", "equals an earlier row");
        qn_hash_hex(match.of.id, v.of);
        v.of_row = match.of.number;
        v.similarity = 1;
        qn_emit_reject(em, r, v);
        return QN_OK;
    }
    QN_TRY(qn_lsh_add(state, &n->key, &s, qn_row_mark_of(r), e));
    qn_row_attach(r, NULL);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_dedup_exact = {
    .name = "dedup_exact", .version = 1, .stage = QN_CURATE, .flags = QN_OP_ORDERED,
    .brief = "drop rows that equal an earlier row, by a text or as a whole",
    .about = "The earliest row stays. Without `text` whole rows are compared, keys in any order. Texts are equal when 128 bits of hash are.",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .open = open, .close = close, .measure = measure, .map = map,
};
