/* pose: puts a row's question to a model in one of the styles that evaluations compare: with or without the table or text it is about, with
 * worked examples, with reasoning before the answer, or as a task for a SQL tool.
 *
 * Examples are drawn from a file by (seed, step, row id); one that asks the row's own question is passed over. Runs on: any worker; the
 * examples and views of tables are shared. */
#include "builtin/table_pool.h"
#include "ops/op.h"
#include "recipe/pick.h"

typedef struct { qn_expr *question, *context; qn_str style, as; bool table; const char *shots; qn_str shot_question, shot_answer, shot_reasoning; int64_t k, rows; } params;
typedef struct { qn_str question, answer, reasoning; } shot;
typedef struct { qn_arena arena; shot *all; size_t n, cap; qn_table_pool *pool; const params *p; } state;

static const qn_param PARAMS[] = {
    QN_EXPR(params, question, ".question", "text", "the question"),
    QN_CHOICE(params, style, "direct", "direct|reason|sql", "direct: the answer alone; reason: a chain of thought, then a line `Answer: ...`; sql: one query over the row's table"),
    QN_BOOL(params, table, "no", "show the row's table (.table, as read_tables and its children have it); with `sql` its columns and first rows are always shown"),
    QN_EXPR(params, context, "", "text", "a text to answer from: .passage"),
    QN_PATH(params, shots, "", "a file of worked examples"),
    QN_INT(params, k, "3", "1..100", "how many of them, when there is a file"),
    QN_FIELD(params, shot_question, "question", "their question"),
    QN_FIELD(params, shot_answer, "answer", "their answer; with `sql` their query"),
    QN_FIELD(params, shot_reasoning, "reasoning", "their chain of thought, with `reason`"),
    QN_INT(params, rows, "50", "1..10000", "rows of the table shown at most"),
    QN_FIELD(params, as, "prompt", "field for the prompt"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .in = "{question: 'Who built it?'}", .out = "{question: 'Who built it?', prompt: \"Question: Who built it?\\nReply with the answer alone.\\nAnswer:\"}" },
    { .params = "style: reason, context: .p", .in = "{question: 'Who built it?', p: 'Jan did.'}",
      .out = "{question: 'Who built it?', p: 'Jan did.', prompt: \"Jan did.\\n\\nQuestion: Who built it?\\nThink step by step. End with a line `Answer: ...` that holds the answer alone.\"}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    (void)e;
    ck->out = qn_type_with(ck->out, p->as, qn_type_simple(QN_T_TEXT), ck->arena);
    return QN_OK;
}

static qn_str field_text(const qn_row *r, qn_str name, qn_arena *a)
{
    qn_value v;
    if (!qn_row_find(r, name, &v) || v.kind == QN_V_NULL) return (qn_str){ "", 0 };
    if (v.kind == QN_V_LIST && v.n == 1) v = qn_v_at(v, 0);
    if (v.kind == QN_V_TEXT) return qn_arena_str(a, qn_v_str(v));
    qn_buf b = { 0 };
    qn_json_write(&b, v);
    qn_str s = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

static qn_code add_shot(void *vs, qn_row *r, const char *where, qn_err *e)
{
    state *st = vs;
    shot s = { field_text(r, st->p->shot_question, &st->arena), field_text(r, st->p->shot_answer, &st->arena), field_text(r, st->p->shot_reasoning, &st->arena) };
    if (!s.question.n || !s.answer.n) return qn_fail(e, QN_EDATA, "%s: an example needs `%.*s` and `%.*s`", where, QN_FMT(st->p->shot_question), QN_FMT(st->p->shot_answer));
    QN_GROW(st->all, st->n, st->cap);
    st->all[st->n++] = s;
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    state *st = QN_NEW(state);
    *out = st;
    st->p = vp;
    if (st->p->table || qn_str_is(st->p->style, "sql")) st->pool = qn_table_pool_new(cx->out_dir, cx->memory_bytes / 4);
    return st->p->shots ? qn_pick_rows(st->p->shots, add_shot, st, e) : QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    if (st->pool) qn_table_pool_free(st->pool);
    qn_arena_free(&st->arena);
    qn_free(st->all);
    qn_free(st);
}

static void put_cell(qn_buf *b, qn_str s) { for (size_t i = 0; i < s.n; i++) qn_buf_putc(b, s.p[i] == '|' ? '/' : (unsigned char)s.p[i] < 32 ? ' ' : s.p[i]); }

static qn_code put_table(const params *p, state *st, const qn_row *r, qn_arena *a, size_t most, qn_buf *b, qn_err *e)
{
    const qn_table_view *v;
    (void)p;
    QN_TRY(qn_table_pool_view(st->pool, r, a, &v, e));
    qn_buf_printf(b, "Table \"%.*s\":\n", QN_FMT(v->name));
    for (size_t c = 0; c < v->n_cols; c++) { qn_buf_puts(b, c ? " | " : "| "); put_cell(b, v->cols[c].name); }
    qn_buf_puts(b, " |\n");
    for (size_t k = 0; k < v->n_rows && k < most; k++) {
        for (size_t c = 0; c < v->n_cols; c++) { qn_buf_puts(b, c ? " | " : "| "); put_cell(b, qn_table_cell(v, k, (int)c)); }
        qn_buf_puts(b, " |\n");
    }
    if (v->n_rows > most) qn_buf_printf(b, "(%zu of %zu rows)\n", most, v->n_rows);
    qn_buf_putc(b, '\n');
    return QN_OK;
}

static void put_shots(const params *p, const state *st, qn_rng *rng, qn_str question, qn_buf *b)
{
    size_t *order = QN_NEW_N(size_t, st->n + 1), given = 0;
    for (size_t i = 0; i < st->n; i++) order[i] = i;
    qn_rng_shuffle(rng, order, st->n, sizeof *order);
    for (size_t i = 0; i < st->n && given < (size_t)p->k; i++) {
        const shot *s = &st->all[order[i]];
        if (qn_str_eq(s->question, question)) continue;
        qn_buf_printf(b, "Question: %.*s\n", QN_FMT(s->question));
        if (qn_str_is(p->style, "reason") && s->reasoning.n) qn_buf_printf(b, "%.*s\n", QN_FMT(s->reasoning));
        qn_buf_printf(b, "%s %.*s\n\n", qn_str_is(p->style, "sql") ? "SQL:" : "Answer:", QN_FMT(s->answer));
        given++;
    }
    qn_free(order);
}

static qn_code map(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_buf b = { 0 };
    qn_str q, text;
    qn_code rc = qn_pick_text(p->question, r, cx->scratch, &q, e);
    bool sql = qn_str_is(p->style, "sql");
    if (rc == QN_OK && p->context && (rc = qn_pick_text(p->context, r, cx->scratch, &text, e)) == QN_OK) qn_buf_printf(&b, "%.*s\n\n", QN_FMT(text));
    if (rc == QN_OK && st->n) {
        qn_rng rng = qn_ctx_rng(cx, r);
        put_shots(p, st, &rng, q, &b);
    }
    if (rc == QN_OK && (p->table || sql)) rc = put_table(p, st, r, cx->scratch, p->table ? (size_t)p->rows : 3, &b, e);
    if (rc == QN_OK) {
        qn_buf_printf(&b, "Question: %.*s\n", QN_FMT(q));
        if (sql) qn_buf_puts(&b, "Write one SQLite query over this table that gives the answer. Reply with the query alone.\nSQL:");
        else if (qn_str_is(p->style, "reason")) qn_buf_puts(&b, "Think step by step. End with a line `Answer: ...` that holds the answer alone.");
        else qn_buf_puts(&b, "Reply with the answer alone.\nAnswer:");
        qn_row_set(r, p->as, qn_v_text(qn_buf_view(&b)));
        qn_emit_row(em, r);
    }
    qn_buf_free(&b);
    return rc;
}

const qn_op qn_op_pose = {
    .name = "pose", .version = 1, .stage = QN_EVAL, .brief = "put a question in one of the styles that evaluations compare",
    .paper = "worked examples: Brown et al. 2020; chain of thought: Wei et al. 2022", .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .map = map,
};
