/* coverage: counts the rows in each cell of a table over one to four fields, and says which cells are empty.
 *
 * The rows pass, and the table goes to DIR/<step>.md and DIR/<step>.json. With `gaps: yes` they do not: one row comes out for each cell that lacks
 * rows, with the cell's fields, `have` and `want`: the targets of a second pass. (Inside a loop `grow: {cover: ...}` does this in every round.)
 * Rows wait in memory, then on disk. */
#include "core/file.h"
#include "core/log.h"
#include "data/rowstore.h"
#include "ops/op.h"
#include "recipe/cells.h"
#include <stdio.h>

typedef struct { qn_value of; int64_t rows, least; bool gaps; qn_cells cells; } params;

static const qn_param PARAMS[] = {
    QN_VALUE(params, of, NULL, "the table: {domain: {physics: 0.6, history: 0.4}, use_case: [explain, compare]}, fields with their values or shares"),
    QN_INT(params, rows, "0", "0..", "rows wanted in all, parted by the shares; 0: as many as came"),
    QN_INT(params, least, "0", "0..", "when a cell has fewer rows, the run ends with a word about it and exit 1"),
    QN_BOOL(params, gaps, "no", "give a row for each cell that lacks some, in place of the rows that came"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "of: {k: [a, b]}", .in = "{k: a}\n{k: c}", .out = "{k: a}\n{k: c}" },
    { .params = "of: {k: [a, b], m: {x: 0.25, y: 0.75}}, rows: 8, gaps: yes", .in = "{k: a, m: x}\n{k: a, m: y}\n{k: b, m: x}",
      .out = "{k: a, m: y, have: 1, want: 3}\n{k: b, m: y, have: 0, want: 3}" },
    { .params = "of: {k: {a: 0.5, b: 0.4}}", .in = "{k: a}", .fail = "add up to 0.9" },
    QN_END
};

typedef struct { qn_rowstore *rows; size_t *have, *want, n, off, at; char why[96]; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    QN_TRY(qn_cells_read(p->of, ck->pos, ck->arena, &p->cells, e));
    if (!p->gaps) return QN_OK;
    const qn_type *t = qn_cells_type(&p->cells, ck->arena);
    t = qn_type_with(t, QN_STR("have"), qn_type_simple(QN_T_INT), ck->arena);
    ck->out = qn_type_with(t, QN_STR("want"), qn_type_simple(QN_T_INT), ck->arena);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    (void)e;
    st->rows = qn_rowstore_new(cx->memory_bytes / 2, NULL);
    st->have = QN_NEW_N(size_t, p->cells.n);
    st->want = QN_NEW_N(size_t, p->cells.n);
    *out = st;
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_rowstore_free(st->rows);
    qn_free(st->have);
    qn_free(st->want);
    qn_free(st);
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    size_t cell;
    qn_str field, value;
    (void)cx;
    st->n++;
    if (qn_cells_of(&p->cells, r, &cell, &field, &value)) st->have[cell]++;
    else st->off++;
    if (p->gaps) { qn_row_drop(r); return QN_OK; }
    return qn_rowstore_put(st->rows, r, e);
}

/* Two fields as a table with a row for each value of the first; else a line for each cell. */
static void put_markdown(const params *p, const state *st, qn_buf *b)
{
    const qn_cells *c = &p->cells;
    bool table = c->n_fields == 2;
    const qn_cell_field *across = &c->fields[c->n_fields - 1];
    qn_buf_printf(b, "%zu rows, %zu cells", st->n, c->n);
    if (st->off) qn_buf_printf(b, "; %zu rows are in none", st->off);
    qn_buf_puts(b, ".\n\n|");
    if (table) {
        qn_buf_printf(b, " %.*s \\ %.*s |", QN_FMT(c->fields[0].name), QN_FMT(across->name));
        for (size_t i = 0; i < across->n; i++) qn_buf_printf(b, " %.*s |", QN_FMT(across->values[i]));
        qn_buf_puts(b, "\n|---|");
        for (size_t i = 0; i < across->n; i++) qn_buf_puts(b, "---:|");
        for (size_t i = 0; i < c->n; i++) {
            if (i % across->n == 0) qn_buf_printf(b, "\n| %.*s |", QN_FMT(c->fields[0].values[i / across->n]));
            qn_buf_printf(b, " %zu of %zu |", st->have[i], st->want[i]);
        }
    } else {
        qn_buf_puts(b, " cell | rows | wanted |\n|---|---:|---:|");
        for (size_t i = 0; i < c->n; i++) {
            qn_buf_puts(b, "\n| ");
            qn_cells_name(c, i, b);
            qn_buf_printf(b, " | %zu | %zu |", st->have[i], st->want[i]);
        }
    }
    qn_buf_puts(b, "\n");
}

static void put_json(const params *p, const state *st, qn_arena *a, qn_buf *b)
{
    qn_list_b cells = { .a = a };
    qn_object_b all = { .a = a };
    for (size_t i = 0; i < p->cells.n; i++) {
        qn_value v = qn_cells_value(&p->cells, i, a);
        qn_object_b o = { .a = a };
        qn_v_iter it = qn_v_iter_of(v);
        qn_str name;
        qn_value x;
        while (qn_v_next(&it, &name, &x)) qn_object_put(&o, name, x);
        qn_object_put(&o, QN_STR("have"), qn_v_int((int64_t)st->have[i]));
        qn_object_put(&o, QN_STR("want"), qn_v_int((int64_t)st->want[i]));
        qn_list_put(&cells, qn_object_end(&o));
    }
    qn_object_put(&all, QN_STR("rows"), qn_v_int((int64_t)st->n));
    qn_object_put(&all, QN_STR("in_no_cell"), qn_v_int((int64_t)st->off));
    qn_object_put(&all, QN_STR("cells"), qn_list_end(&cells));
    qn_json_write(b, qn_object_end(&all));
    qn_buf_putc(b, '\n');
}

static qn_code write_table(qn_ctx *cx, const params *p, const state *st, qn_err *e)
{
    qn_buf md = {0}, json = {0};
    char *path_md = qn_path_join(cx->out_dir, qn_arena_printf(cx->scratch, "%.*s.md", QN_FMT(cx->step)).p);
    char *path_json = qn_path_join(cx->out_dir, qn_arena_printf(cx->scratch, "%.*s.json", QN_FMT(cx->step)).p);
    put_markdown(p, st, &md);
    put_json(p, st, cx->scratch, &json);
    qn_code rc = qn_file_write(path_md, qn_buf_view(&md), e);
    if (rc == QN_OK) rc = qn_file_write(path_json, qn_buf_view(&json), e);
    qn_buf_free(&md);
    qn_buf_free(&json);
    qn_free(path_md);
    qn_free(path_json);
    return rc;
}

static qn_code finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    size_t empty = 0, short_of = 0;
    qn_quotas(p->cells.shares, p->cells.n, p->rows ? (size_t)p->rows : st->n - st->off, st->want);
    for (size_t i = 0; i < p->cells.n; i++) {
        bool wanted = p->cells.shares[i] > 0;
        empty += wanted && st->have[i] == 0;
        short_of += wanted && st->have[i] < (size_t)p->least;
    }
    qn_log(empty ? QN_WARN : QN_INFO, "coverage", "%.*s: %zu of %zu cells are empty; %zu of %zu rows are in no cell", QN_FMT(cx->step), empty, p->cells.n, st->off, st->n);
    if (short_of) snprintf(st->why, sizeof st->why, "%zu of %zu cells have fewer than %lld rows", short_of, p->cells.n, (long long)p->least);
    return cx->out_dir ? write_table(cx, p, st, e) : QN_OK;
}

static qn_code next_gap(qn_ctx *cx, const params *p, state *st, qn_row **out)
{
    while (st->at < p->cells.n && st->have[st->at] >= st->want[st->at]) st->at++;
    if (st->at == p->cells.n) return QN_OK;
    qn_value v = qn_cells_value(&p->cells, st->at, cx->scratch), x;
    qn_row *r = qn_row_new((qn_hash128){ 0, 0 });
    qn_v_iter it = qn_v_iter_of(v);
    qn_str name;
    while (qn_v_next(&it, &name, &x)) qn_row_set(r, name, x);
    qn_row_set_int(r, "have", (int64_t)st->have[st->at]);
    qn_row_set_int(r, "want", (int64_t)st->want[st->at]);
    st->at++;
    *out = r;
    return QN_OK;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    *out = NULL;
    if (p->gaps) return next_gap(cx, p, st, out);
    if (st->at == qn_rowstore_n(st->rows)) return QN_OK;
    return qn_rowstore_take(st->rows, st->at++, out, e);
}

static const char *lacks(void *vs) { return ((state *)vs)->why[0] ? ((state *)vs)->why : NULL; }

const qn_op qn_op_coverage = {
    .name = "coverage", .version = 1, .stage = QN_CURATE, .brief = "count rows by the cells of a table, and name the empty ones",
    .about = "The table goes to DIR/coverage.md and DIR/coverage.json (or the step's name). `gaps: yes` gives a row for each cell that lacks some: targets for further rows.",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .absorb = absorb, .finish = finish, .next = next, .lacks = lacks,
};
