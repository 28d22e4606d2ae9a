/* multi_hop_question: one question that needs both passages of a pair, with its decomposition, composed by rules and no model.
 *
 * bridge: a plain fact of the first passage whose answer is the seed, and one of the second about the seed; the second's question with the
 * seed replaced by what the first says of it. The question no longer names the seed, and its answer stands neither in the question nor in the
 * first passage. Facts are what plain sentences and set phrases say (facts.h, relations.h). comparison: the same property, nation or kind of both.
 * The same pair gives other questions under another row id: ask for several with `each`. What cannot be composed is rejected.
 * Source: Lupidi et al. 2024 (Source2Synth); question types of HotpotQA (Yang et al. 2018).
 * Runs on: any worker; keeps nothing between rows. */
#include "builtin/multihop.h"
#include "builtin/relations.h"
#include "ops/op.h"

typedef struct { int unused; } params;

static const qn_param PARAMS[] = { QN_END };

#define CURIE "{title: 'Marie Curie', text: 'Marie Curie was a physicist. She was born in Warsaw on 7 November 1867.'}"
#define WARSAW "{title: 'Warsaw', text: 'Warsaw is the capital of Poland. It lies on the river Vistula.'}"
static const qn_example EXAMPLES[] = {
    { .in = "{type: 'bridge', seed: 'Warsaw', passages: [" CURIE ", " WARSAW "]}",
      .out = "{type: 'bridge', seed: 'Warsaw', passages: [" CURIE ", " WARSAW "], question: 'Of what is the city where Marie Curie was born the capital?', answer: 'Poland', "
             "steps: [{question: 'Where was Marie Curie born?', answer: 'Warsaw'}, {question: 'Of what is Warsaw the capital?', answer: 'Poland'}]}" },
    { .in = "{type: 'bridge', seed: 'Warsaw', passages: [" WARSAW ", " WARSAW "]}", .reject = "question: no safe question joins the two passages" },
    QN_END
};

static bool read_passage(qn_value list, size_t i, qn_arena *a, qn_facts *f, qn_str *text)
{
    qn_value p = qn_v_at(list, i), title, t;
    if (!qn_v_get(p, QN_STR("title"), &title) || !qn_v_get(p, QN_STR("text"), &t) || t.kind != QN_V_TEXT) return false;
    *text = qn_v_str(t);
    qn_facts_find(qn_v_str(title), *text, a, f);
    qn_relations_find(*text, a, f);
    return true;
}

static qn_str one_line(qn_arena *a, qn_str s)
{
    char *p = qn_arena_alloc(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++) p[i] = s.p[i] == '\n' || s.p[i] == '\t' ? ' ' : s.p[i];
    return (qn_str){ p, s.n };
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    qn_value passages;
    qn_str type, seed, text_a, text_b;
    qn_facts a, b;
    qn_multihop q;
    (void)vp, (void)state;
    QN_TRY(qn_row_text(r, "type", &type, e));
    QN_TRY(qn_row_text(r, "seed", &seed, e));
    if (!qn_row_find(r, QN_STR("passages"), &passages) || !read_passage(passages, 0, cx->scratch, &a, &text_a) || !read_passage(passages, 1, cx->scratch, &b, &text_b))
        return qn_fail(e, QN_EDATA, "the row has no two `passages` with title and text");
    qn_rng rng = qn_ctx_rng(cx, r);
    bool bridge = qn_str_is(type, "bridge");
    bool ok = bridge ? qn_bridge_write(&a, text_a, &b, seed, &rng, cx->scratch, &q) : qn_comparison_write(&a, &b, &rng, cx->scratch, &q);
    if (!ok) {
        qn_emit_reject(em, r, qn_reject_fact("question", "no safe question joins the two passages"));
        return QN_OK;
    }
    qn_list_b steps = { .a = cx->scratch };
    for (int i = 0; i < 2; i++) {
        qn_object_b o = { .a = cx->scratch };
        qn_object_put(&o, QN_STR("question"), qn_v_text(one_line(cx->scratch, q.steps[i].question)));
        qn_object_put(&o, QN_STR("answer"), qn_v_text(one_line(cx->scratch, q.steps[i].answer)));
        qn_list_put(&steps, qn_object_end(&o));
    }
    qn_row_set_text(r, "question", one_line(cx->scratch, q.question));
    qn_row_set_text(r, "answer", one_line(cx->scratch, q.answer));
    qn_row_set(r, QN_STR("steps"), qn_list_end(&steps));
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_multi_hop_question = {
    .name = "multi_hop_question", .version = 2, .stage = QN_GENERATE,
    .brief = "one question that needs both passages, with its decomposition; no model is asked",
    .paper = "Lupidi et al. 2024, Source2Synth",
    .reads = "type: text, seed: text, passages: [{title: text, text: text}]",
    .writes = "question: text, answer: text, steps: [{question: text, answer: text}]",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .map = map,
};
