/* novel: drop rows whose text is too close, by ROUGE-L, to an earlier kept row's or to a text of a given file.
 *
 * The measure is the highest ROUGE-L F-measure against the pool, exact (text/novelty.h); it becomes the field `rouge_l`.
 * Runs in order, on one thread at a time. The pool stays in memory: about 12 bytes a word. */
#include "core/log.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/novelty.h"

typedef struct { qn_expr *text; double over; qn_str words; const char *against; qn_str field; qn_expr *path; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, NULL, "text", "the text to compare"),
    QN_REAL(params, over, "0.7", "0..1", "smallest ROUGE-L F-measure with a text of the pool that makes a row a repeat"),
    QN_CHOICE(params, words, "rouge", "rouge|plain", "rouge: [a-z0-9]+ as the rouge-score package; plain: letters and digits of every script"),
    QN_PATH(params, against, "", "a file whose texts are in the pool from the start, as seed tasks are"),
    QN_TEXT(params, field, "", "the text in that file: a field or an expression (default: as `text`)"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "text: .t", .in = "{t: 'Write a poem about a mill.'}\n{t: 'Write a poem about the mill!'}",
      .out = "{t: 'Write a poem about a mill.', rouge_l: 0.0}", .reject = "rouge_l 0.83 above 0.70" },
    { .params = "text: .t", .in = "{t: 'Write a poem about a mill.'}\n{t: 'List three rivers.'}",
      .out = "{t: 'Write a poem about a mill.', rouge_l: 0.0}\n{t: 'List three rivers.', rouge_l: 0.0}" },
    QN_END
};

enum { LONGEST = 32768 };       /* words: a pattern of so many, all different, takes 128 MB */

static qn_words_kind words_kind(const params *p) { return qn_str_is(p->words, "plain") ? QN_WORDS_PLAIN : QN_WORDS_ROUGE; }

typedef struct { qn_novelty *pool; qn_row_mark *marks; size_t n, cap; bool warned; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    return qn_pick_compile(p->field, p->text, ck->pos, ck->arena, &p->path, e);
}

static void add(state *st, qn_str text, qn_row_mark mark)
{
    qn_novelty_add(st->pool, text);
    QN_GROW(st->marks, st->n, st->cap);
    st->marks[st->n++] = mark;
}

static qn_code load_text(void *vs, qn_str text, const char *where, qn_err *e)
{
    (void)where;
    (void)e;
    add(vs, text, (qn_row_mark){ qn_hash(text.p, text.n), 0 });
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    (void)cx;
    st->pool = qn_novelty_new(words_kind(p));
    *out = st;
    return p->against && *p->against ? qn_pick_file(p->against, p->path, load_text, st, e) : QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_novelty_free(st->pool);
    qn_free(st->marks);
    qn_free(st);
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_str text;
    QN_TRY(qn_pick_text(p->text, r, cx->scratch, &text, e));        /* fails here, where an error can be said */
    size_t n = text.n > LONGEST ? qn_words_count(text, words_kind(p)) : 0;
    return n <= LONGEST ? QN_OK : qn_fail(e, QN_EDATA, "a text of %zu words: `novel` compares up to %d", n, LONGEST);
}

static qn_verdict settle(qn_ctx *cx, const void *vp, void *vs, qn_row *r)
{
    const params *p = vp;
    state *st = vs;
    qn_str text = { 0 };
    qn_err e = { 0 };
    qn_pick_text(p->text, r, cx->scratch, &text, &e);
    qn_nearest_text near = qn_novelty_nearest(st->pool, text, 0);
    qn_row_set_real(r, "rouge_l", near.found ? near.f : 0);
    if (near.found && near.f >= p->over) return qn_reject_duplicate("rouge_l", near.f, p->over, st->marks[near.index]);
    add(st, text, qn_row_mark_of(r));
    if (!st->warned && qn_novelty_bytes(st->pool) > cx->memory_bytes) {
        st->warned = true;
        qn_log(QN_WARN, "memory", "the pool of `novel` takes more than its %zu MB and goes on growing", cx->memory_bytes >> 20);
    }
    return qn_keep();
}

static size_t holds(const void *vp, uint64_t n, size_t avg_bytes)
{
    (void)vp;
    return (size_t)n * (avg_bytes / 6 * 12 + 64);
}

const qn_op qn_op_novel = {
    .name = "novel", .version = 1, .stage = QN_CURATE, .writes = "rouge_l: real",
    .brief = "drop rows too close by ROUGE-L to an earlier row or to a file's texts",
    .about = "Exact: the values are those of the rouge-score package without stemming. `_of` is the id of the nearest earlier row, or the hash of "
             "the file's text. Texts of more than 32,768 words fail. Texts in other alphabets have no words of the kind `rouge`: use `words: plain`.",
    .paper = "Self-Instruct (Wang et al. 2022)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .measure = measure, .settle = settle, .holds = holds,
};
