/* question_from_passage: questions that a passage answers, with their answers, found by rules and no model.
 *
 * Each child asks for one thing that a plain sentence of the passage says: when, where, who, why, how long, which river. The question stands
 * alone; the answer stands in the passage once, and `start` is its first byte. A line that goes on in the next is one line in `passage`.
 * What the rules do not read with certainty is not asked about: expect few questions from long sentences.
 * Source: rule-based question generation after Heilman & Smith 2010.
 * Runs on: any worker; keeps nothing between rows. */
#include "builtin/tech_facts.h"
#include "ops/op.h"

typedef struct { qn_str text, title; int64_t per_passage; } params;

static const qn_param PARAMS[] = {
    QN_FIELD(params, text, "passage", "field that holds the passage"),
    QN_FIELD(params, title, "title", "field that names what the passage is about, when there is one: pronouns are put back by it"),
    QN_INT(params, per_passage, "4", "1..1000", "most questions from one passage, drawn at random from what was found"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "per_passage: 1", .in = "{title: 'Vistula', passage: 'The Vistula is the longest river in Poland.'}",
      .out = "{title: 'Vistula', passage: 'The Vistula is the longest river in Poland.', question: 'What is the longest river in Poland?', answer: 'The Vistula', start: 0}" },
    { .in = "{title: 'Mills', passage: 'They can be loud, or so it seems to those who live near them.'}", .reject = "questions 0.00 below 1.00" },
    QN_END
};

/* White space inside of a paragraph as blanks, byte for byte, so that places stay. */
static qn_str unwrapped(qn_arena *a, qn_str s)
{
    char *p = qn_arena_alloc(a, s.n + 1);
    memcpy(p, s.p, s.n);
    p[s.n] = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (p[i] == '\t') p[i] = ' ';
        bool alone = p[i] == '\n' && i > 0 && i + 1 < s.n && p[i - 1] != '\n' && p[i + 1] != '\n';
        if (alone && !strchr("#|>*-`", p[i + 1])) {
            size_t line = i;
            while (line > 0 && p[line - 1] != '\n') line--;
            if (!strchr("#|`", p[line])) p[i] = ' ';
        }
    }
    return (qn_str){ p, s.n };
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value text, title = qn_v_null();
    (void)state;
    if (!qn_row_find(r, p->text, &text) || text.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "the row has no text in `%.*s`", QN_FMT(p->text));
    qn_row_find(r, p->title, &title);
    qn_str passage = unwrapped(cx->scratch, qn_v_str(text));
    qn_facts f;
    qn_facts_find(qn_v_str(title), passage, cx->scratch, &f);
    qn_tech_facts_find(passage, cx->scratch, &f);
    size_t *ok = qn_arena_alloc(cx->scratch, (f.n + 1) * sizeof *ok), *got = qn_arena_alloc(cx->scratch, (f.n + 1) * sizeof *got), n = 0;
    for (size_t i = 0; i < f.n; i++) if (f.items[i].unique && qn_str_find(f.items[i].question, QN_STR("{y}")) < 0) ok[n++] = i;
    if (n == 0) {
        qn_emit_reject(em, r, qn_reject_below("questions", 0, 1));
        return QN_OK;
    }
    qn_rng rng = qn_ctx_rng(cx, r);
    size_t k = qn_rng_pick(&rng, n, (size_t)p->per_passage, got);
    for (size_t i = 0; i < k; i++) {
        const qn_fact *q = &f.items[ok[got[i]]];
        qn_row *c = qn_emit_child(em, r);
        qn_row_set_text(c, "passage", passage);
        qn_row_set_text(c, "question", q->question);
        qn_row_set_text(c, "answer", q->answer);
        qn_row_set_int(c, "start", (int64_t)q->start);
        qn_emit_row(em, c);
    }
    return QN_OK;
}

const qn_op qn_op_question_from_passage = {
    .name = "question_from_passage", .version = 2, .stage = QN_GENERATE,
    .brief = "questions that a passage answers, with their answers and places; no model is asked",
    .paper = "Heilman & Smith 2010, Good Question! Statistical Ranking for Question Generation (the safe rules)",
    .writes = "passage: text, question: text, answer: text, start: int",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .map = map,
};
