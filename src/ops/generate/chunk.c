/* chunk: cut a document's text into pieces of a wanted size, each with its place.
 *
 * Each piece is a row of its own with the piece as `text` (or where `to` says; the whole text is not carried on) and `chunk`: its number, the bytes
 * of the text it covers, its place in the file where that is known (bytes, pages), its size and the headings above it.
 * Tables and blocks of code stay whole, a heading stays with what follows it (text/chunk.h).
 * Runs on: any worker; keeps nothing between rows. */
#include "text/chunk.h"
#include "ops/op.h"

typedef struct { qn_str text, to, by; int64_t min, max, overlap; bool vary; } params;

static const qn_param PARAMS[] = {
    QN_FIELD(params, text, "text", "field that holds the text"),
    QN_FIELD(params, to, "text", "field for the piece"),
    QN_CHOICE(params, by, "paragraph", "heading|paragraph|sentence", "heading: a section is a piece when its size allows; else filled up between paragraphs or sentences"),
    QN_INT(params, min, "64", "1..1000000", "smallest size in tokens (about; a document may be smaller)"),
    QN_INT(params, max, "512", "1..1000000", "largest size in tokens (a table or code may be larger: it is never cut)"),
    QN_INT(params, overlap, "0", "0..100000", "tokens at the end of a piece that come again at the begin of the next, whole sentences"),
    QN_BOOL(params, vary, "no", "draw each piece's size from min..max, so that a test set is not tied to one size"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "by: sentence, min: 1, max: 8", .in = "{text: 'Mills grind grain. Wind turns the sails.'}",
      .out = "{text: 'Mills grind grain.', chunk: {index: 0, of: 2, start: 0, end: 18, page: null, page_end: null, src_start: null, src_end: null, tokens: 4, heading: ''}}\n"
             "{text: 'Wind turns the sails.', chunk: {index: 1, of: 2, start: 19, end: 40, page: null, page_end: null, src_start: null, src_end: null, tokens: 5, heading: ''}}" },
    { .params = "by: heading, min: 1, max: 50, to: passage", .in = "{text: \"# A\\n\\nOne.\\n\\n# B\\n\\nTwo.\"}",
      .out = "{passage: \"# A\\n\\nOne.\", chunk: {index: 0, of: 2, start: 0, end: 9, page: null, page_end: null, src_start: null, src_end: null, tokens: 5, heading: 'A'}}\n"
             "{passage: \"# B\\n\\nTwo.\", chunk: {index: 1, of: 2, start: 11, end: 20, page: null, page_end: null, src_start: null, src_end: null, tokens: 5, heading: 'B'}}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    if (p->min > p->max) return qn_fail_at(e, QN_ERECIPE, ck->pos, "min (%lld) is above max (%lld)", (long long)p->min, (long long)p->max);
    if (p->overlap >= p->max) return qn_fail_at(e, QN_ERECIPE, ck->pos, "overlap (%lld) must be below max (%lld)", (long long)p->overlap, (long long)p->max);
    const qn_type *chunk, *t = ck->in ? ck->in : qn_type_simple(QN_T_RECORD);
    QN_TRY(qn_type_parse(QN_STR("{index: int, of: int, start: int, end: int, src_start: int?, src_end: int?, page: int?, page_end: int?, "
                                "tokens: int, heading: text}"), ck->arena, &chunk, e));
    t = qn_type_without(t, p->text, ck->arena);
    t = qn_type_without(t, QN_STR("_blocks"), ck->arena);
    t = qn_type_with(t, p->to, qn_type_simple(QN_T_TEXT), ck->arena);
    ck->out = qn_type_with(t, QN_STR("chunk"), chunk, ck->arena);
    return QN_OK;
}

/* The blocks that read_docs found, when they fit the text; else none. Each is [kind, level, start, end, src_start, src_end, page]. */
static size_t blocks_of(const qn_row *r, qn_str text, qn_arena *a, qn_block **out)
{
    qn_value list, item;
    qn_str no_name;
    size_t n = 0, at = 0;
    *out = NULL;
    if (!qn_row_find(r, QN_STR("_blocks"), &list) || list.kind != QN_V_LIST || list.n == 0) return 0;
    *out = qn_arena_alloc(a, list.n * sizeof **out);
    qn_v_iter it = qn_v_iter_of(list);
    while (qn_v_next(&it, &no_name, &item)) {
        int64_t v[7];
        for (size_t k = 0; k < 7; k++) {
            qn_value x = qn_v_at(item, k);
            if (x.kind != QN_V_INT || x.i < 0) return 0;
            v[k] = x.i;
        }
        qn_block b = { (qn_block_kind)v[0], (int)v[1], (size_t)v[2], (size_t)v[3], (size_t)v[4], (size_t)v[5], (int)v[6] };
        if (v[0] > QN_BLOCK_QUOTE || b.start < at || b.end < b.start || b.end > text.n) return 0;
        at = b.end;
        (*out)[n++] = b;
    }
    return n;
}

static qn_value int_or_null(bool known, size_t n) { return known ? qn_v_int((int64_t)n) : qn_v_null(); }

static qn_value place_of(const qn_chunk *c, size_t i, size_t n, qn_arena *a)
{
    qn_object_b o = { .a = a };
    qn_object_put(&o, QN_STR("index"), qn_v_int((int64_t)i));
    qn_object_put(&o, QN_STR("of"), qn_v_int((int64_t)n));
    qn_object_put(&o, QN_STR("start"), qn_v_int((int64_t)c->start));
    qn_object_put(&o, QN_STR("end"), qn_v_int((int64_t)c->end));
    qn_object_put(&o, QN_STR("src_start"), int_or_null(c->src_end > 0, c->src_start));
    qn_object_put(&o, QN_STR("src_end"), int_or_null(c->src_end > 0, c->src_end));
    qn_object_put(&o, QN_STR("page"), int_or_null(c->page > 0, (size_t)c->page));
    qn_object_put(&o, QN_STR("page_end"), int_or_null(c->page > 0, (size_t)c->page_end));
    qn_object_put(&o, QN_STR("tokens"), qn_v_int((int64_t)c->n_tokens));
    qn_object_put(&o, QN_STR("heading"), qn_v_text(c->heading));
    return qn_object_end(&o);
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value v;
    (void)state;
    if (!qn_row_find(r, p->text, &v) || v.kind != QN_V_TEXT)
        return qn_fail(e, QN_EDATA, "the field `%.*s` holds no text", QN_FMT(p->text));
    qn_str text = qn_v_str(v);
    qn_rng rng = qn_ctx_rng(cx, r);
    qn_chunk_opts o = { .by = p->by.p[0] == 'h' ? QN_CHUNK_HEADING : p->by.p[0] == 's' ? QN_CHUNK_SENTENCE : QN_CHUNK_PARAGRAPH,
                        .min_tokens = (size_t)p->min, .max_tokens = (size_t)p->max, .overlap_tokens = (size_t)p->overlap, .draw = p->vary ? &rng : NULL };
    qn_block *blocks;
    qn_chunk *chunks;
    size_t n_blocks = blocks_of(r, text, cx->scratch, &blocks);
    size_t n = qn_chunk_text(text, blocks, n_blocks, &o, cx->scratch, &chunks);
    for (size_t i = 0; i < n; i++) {
        qn_row *child = qn_emit_child(em, r);
        qn_row_remove(child, p->text);
        qn_row_remove(child, QN_STR("_blocks"));
        qn_row_set(child, p->to, qn_v_text(qn_str_sub(text, chunks[i].start, chunks[i].end)));
        qn_row_set(child, QN_STR("chunk"), place_of(&chunks[i], i, n, cx->scratch));
        qn_emit_row(em, child);
    }
    if (n == 0) qn_emit_reject(em, r, qn_reject_fact("text", "the text is empty"));
    return QN_OK;
}

const qn_op qn_op_chunk = {
    .name = "chunk", .version = 1, .stage = QN_GENERATE, .flags = QN_OP_MOVES, .brief = "cut documents into pieces of a wanted size, each with its place",
    .about = "Sizes are in tokens, about as a byte-level BPE of 100,000 pieces counts them. Where the text gives the choice a piece ends before a heading,\n"
             "else between paragraphs, else between sentences. The blocks that read_docs found are used; any other text is taken apart as Markdown.",
    .reads = "text: text", .writes = "text: text, chunk: {...}",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
