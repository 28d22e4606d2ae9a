/* seed_table: a random part of a table, as text: the seed of a question.
 *
 * Each table gives `per_row` children, each with a `seed`: one row of the table and up to three of its columns (`text` states them, `rows`
 * shows some rows of the table for a prompt). The random draw is where the variety of questions comes from.
 * Source: Lupidi et al. 2024 (Source2Synth), seeds of table question answering.
 * Runs on: any worker; views of tables are shared. */
#include "builtin/question_nlg.h"
#include "builtin/table_pool.h"
#include "ops/op.h"

typedef struct { int64_t per_row, show; } params;

static const qn_param PARAMS[] = {
    QN_INT(params, per_row, "8", "1..100000", "seeds drawn from each table"),
    QN_INT(params, show, "5", "1..50", "rows of the table shown in `seed.rows`, the drawn one among them"),
    QN_END
};

static qn_code open_pool(qn_ctx *cx, const void *p, void **state, qn_err *e)
{
    (void)p, (void)e;
    *state = qn_table_pool_new(cx->out_dir, cx->memory_bytes / 4);
    return QN_OK;
}

static void close_pool(void *state) { qn_table_pool_free(state); }

static void put_cell(qn_buf *b, qn_str s)   /* one line, no pipes */
{
    for (size_t i = 0; i < s.n && i < 80; i++) qn_buf_putc(b, s.p[i] == '|' ? '/' : (unsigned char)s.p[i] < 32 ? ' ' : s.p[i]);
    if (s.n > 80) { b->n -= 80 - qn_utf8_cut(s, 80); b->p[b->n] = 0; }
}

static qn_str shown_rows(qn_arena *a, const qn_table_view *v, size_t row, size_t n)
{
    qn_buf b = { 0 };
    size_t from = row > n / 2 ? row - n / 2 : 0;
    if (from + n > v->n_rows) from = v->n_rows > n ? v->n_rows - n : 0;
    for (size_t c = 0; c < v->n_cols; c++) { qn_buf_puts(&b, c ? " | " : "| "); put_cell(&b, v->cols[c].name); }
    qn_buf_puts(&b, " |\n");
    for (size_t r = from; r < v->n_rows && r < from + n; r++) {
        for (size_t c = 0; c < v->n_cols; c++) { qn_buf_puts(&b, c ? " | " : "| "); put_cell(&b, qn_table_cell(v, r, (int)c)); }
        qn_buf_puts(&b, " |\n");
    }
    qn_str s = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    const qn_table_view *v;
    QN_TRY(qn_table_pool_view(state, r, cx->scratch, &v, e));
    qn_rng rng = qn_ctx_rng(cx, r);
    for (int64_t k = 0; k < p->per_row; k++) {
        qn_focus f;
        qn_buf text = { 0 };
        qn_focus_draw(v, &rng, &f);
        qn_seed_text(v, &f, &text);
        qn_list_b cols = { .a = cx->scratch };
        for (int i = 0; i < f.n_cols; i++) qn_list_put(&cols, qn_v_text(v->cols[f.cols[i]].name));
        qn_object_b o = { .a = cx->scratch };
        qn_object_put(&o, QN_STR("text"), qn_v_text(qn_buf_view(&text)));
        qn_object_put(&o, QN_STR("rows"), qn_v_text(shown_rows(cx->scratch, v, f.row, (size_t)p->show)));
        qn_object_put(&o, QN_STR("row"), qn_v_int((int64_t)f.row));
        qn_object_put(&o, QN_STR("columns"), qn_list_end(&cols));
        qn_row *child = qn_emit_child(em, r);
        qn_row_set(child, QN_STR("seed"), qn_object_end(&o));
        qn_emit_row(em, child);
        qn_buf_free(&text);
    }
    return QN_OK;
}

const qn_op qn_op_seed_table = {
    .name = "seed_table", .version = 1, .stage = QN_GENERATE,
    .brief = "draw random parts of each table: the seeds of questions",
    .paper = "Lupidi et al. 2024, Source2Synth: Synthetic Data Generation and Curation Grounded in Real Data Sources",
    .reads = "table: {name: text, ...}", .writes = "seed: {text: text, rows: text, row: int, columns: [text]}",
    .params = PARAMS, .params_size = sizeof(params), .open = open_pool, .close = close_pool, .map = map,
};
