/* answer_span: where in its passage an answer stands.
 *
 * Writes `start`, the first byte of the answer in the passage. Rejected: an answer that does not stand there word for word, or stands there
 * more than once (then it is not known which place is meant), unless `many` allows the first.
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/op.h"

typedef struct { bool many; } params;

static const qn_param PARAMS[] = {
    QN_BOOL(params, many, "no", "take the first place when there are several"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .in = "{passage: 'Mills grind grain.', answer: 'grain'}", .out = "{passage: 'Mills grind grain.', answer: 'grain', start: 12}" },
    { .in = "{passage: 'Mills grind grain.', answer: 'bread'}", .reject = "answer: does not stand in the passage" },
    { .in = "{passage: 'Grain in, grain out.', answer: 'rain'}", .reject = "answer: stands in the passage more than once" },
    { .params = "many: yes", .in = "{passage: 'Grain in, grain out.', answer: 'rain'}", .out = "{passage: 'Grain in, grain out.', answer: 'rain', start: 1}" },
    QN_END
};

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_str passage, answer;
    (void)cx, (void)state;
    QN_TRY(qn_row_text(r, "passage", &passage, e));
    QN_TRY(qn_row_text(r, "answer", &answer, e));
    qn_str a = qn_str_trim(answer);
    ptrdiff_t at = a.n ? qn_str_find(passage, a) : -1;
    if (at < 0) qn_emit_reject(em, r, qn_reject_fact("answer", "does not stand in the passage"));
    else if (!p->many && qn_str_find(qn_str_sub(passage, (size_t)at + 1, passage.n), a) >= 0) qn_emit_reject(em, r, qn_reject_fact("answer", "stands in the passage more than once"));
    else {
        if (a.n != answer.n) qn_row_set(r, QN_STR("answer"), qn_v_text(a));
        qn_row_set_int(r, "start", at);
        qn_emit_row(em, r);
    }
    return QN_OK;
}

const qn_op qn_op_answer_span = {
    .name = "answer_span", .version = 1, .stage = QN_GENERATE,
    .brief = "find where in its passage an answer stands; reject what does not stand there once",
    .reads = "passage: text, answer: text", .writes = "answer: text, start: int",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .map = map,
};
