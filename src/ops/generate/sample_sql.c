/* sample_sql: an SQL query about the seed, drawn from a grammar of 21 forms, without a model.
 *
 * The query is drawn so that it has one clear answer: no ties, no sums of what cannot be summed, no condition on values that stand inside
 * other cells. `sketch` keeps what was drawn (form, columns, conditions): question_for_sql puts it into words, run_sql into steps.
 * Runs on: any worker. */
#include "builtin/question_nlg.h"
#include "builtin/table_pool.h"
#include "ops/op.h"

typedef struct { qn_texts forms; double loose; } params;

static const qn_param PARAMS[] = {
    QN_TEXTS(params, forms, "", "only these forms: select which count argextreme compare ... ; all when left out"),
    QN_REAL(params, loose, "0", "0..1", "share of queries drawn as people ask of any table: columns nobody described, rows by their place (`run_sql: {check_order: no}` then); worded by `question_for_sql` with `loose`"),
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const char *names[QN_N_FORMS];
    for (int f = 0; f < QN_N_FORMS; f++) names[f] = qn_form_name((qn_form)f);
    for (size_t i = 0; i < p->forms.n; i++) {
        qn_form f;
        if (qn_form_find(p->forms.items[i], &f)) continue;
        qn_fail_at(e, QN_ERECIPE, ck->pos, "no form of query is called `%.*s`", QN_FMT(p->forms.items[i]));
        const char *near_ = qn_nearest(p->forms.items[i], names, QN_N_FORMS);
        if (near_) qn_hint(e, "did you mean `%s`?", near_);
        return QN_ERECIPE;
    }
    return QN_OK;
}

static qn_code open_pool(qn_ctx *cx, const void *p, void **state, qn_err *e)
{
    (void)p, (void)e;
    *state = qn_table_pool_new(cx->out_dir, cx->memory_bytes / 4);
    return QN_OK;
}

static void close_pool(void *state) { qn_table_pool_free(state); }

static bool read_focus(const qn_table_view *v, const qn_row *r, qn_focus *f)
{
    qn_value seed, x;
    *f = (qn_focus){ 0 };
    if (!qn_row_find(r, QN_STR("seed"), &seed) || !qn_v_get(seed, QN_STR("row"), &x) || !qn_v_is_number(x)) return false;
    double row = qn_v_number(x);
    if (row < 0 || row >= (double)v->n_rows) return false;
    f->row = (size_t)row;
    if (qn_v_get(seed, QN_STR("columns"), &x))
        for (size_t i = 0; i < x.n && f->n_cols < 4; i++) {
            int c = qn_table_col_find(v, qn_v_str(qn_v_at(x, i)));
            if (c >= 0) f->cols[f->n_cols++] = c;
        }
    return true;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    const qn_table_view *v;
    qn_focus f;
    qn_sketch s;
    qn_buf sql = { 0 }, words = { 0 };
    QN_TRY(qn_table_pool_view(state, r, cx->scratch, &v, e));
    qn_rng rng = qn_ctx_rng(cx, r);
    bool focused = read_focus(v, r, &f), drawn = false;
    bool loose = p->loose > 0 && qn_rng_real(&rng) < p->loose && qn_sketch_draw_loose(v, &rng, focused ? &f : NULL, &s);
    drawn = loose;
    for (int t = 0; t < 6 && !drawn; t++) {
        qn_form form = QN_N_FORMS;
        if (p->forms.n) qn_form_find(p->forms.items[qn_rng_below(&rng, p->forms.n)], &form);
        drawn = qn_sketch_draw(v, &rng, focused ? &f : NULL, form, &s);
        if (!drawn) continue;
        qn_rng dry = rng;                       /* a query that cannot be put into words is drawn again */
        qn_buf_clear(&words);
        drawn = qn_question_write(v, &s, &dry, 0, &words);
    }
    qn_buf_free(&words);
    if (!drawn) {
        qn_emit_reject(em, r, qn_reject_fact("nothing to ask", "the table has no columns that a clear question could be about"));
        return QN_OK;
    }
    qn_sketch_sql(v, &s, &sql);
    qn_row_set_text(r, "sql", qn_buf_view(&sql));
    qn_row_set(r, QN_STR("sketch"), qn_sketch_value(v, &s, cx->scratch));
    qn_buf_free(&sql);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_sample_sql = {
    .name = "sample_sql", .version = 2, .stage = QN_GENERATE,
    .brief = "draw an SQL query about the seed from a grammar; no model is asked",
    .about = "Forms: select, select_where, which, count, count_all, count_distinct, extreme, argextreme, argother, common, sum, average, "
             "difference, next, previous, first, last, same, compare, top, list.",
    .paper = "Lupidi et al. 2024, Source2Synth",
    .reads = "table: {name: text, ...}", .writes = "sql: text, sketch: any",
    .params = PARAMS, .params_size = sizeof(params), .check = check, .open = open_pool, .close = close_pool, .map = map,
};
