/* draw: a random choice for each row: of a list written in the recipe, of a list the row holds, or of a file's rows.
 *
 * The draw is keyed by seed, step and row, so it does not depend on the other rows. `weights` makes some choices likelier; `n` above 1 draws that many
 * different ones, as a list. `where` and `is` narrow the rows of a file to those that fit the row: they are found by an index, so a large file costs no more.
 * Runs on: any worker. */
#include "core/file.h"
#include "core/map.h"
#include "io/format.h"
#include "ops/op.h"
#include "recipe/pick.h"

typedef struct { qn_str as; qn_value from, weights; qn_expr *of, *is; const char *file; int64_t n; qn_str where; bool or_none; } params;

static const qn_param PARAMS[] = {
    QN_FIELD(params, as, NULL, "field for what was drawn"),
    QN_VALUE(params, from, "", "a list to draw from"),
    QN_EXPR(params, of, "", NULL, "an expression that gives the list, instead"),
    QN_PATH(params, file, "", "a file of rows to draw from, instead: a row is drawn as an object (a JSON file may hold a plain list)"),
    QN_FIELD(params, where, "", "with `file`: draw only among rows of which this field equals `is`"),
    QN_EXPR(params, is, "", NULL, "with `where`: the value, from the row"),
    QN_BOOL(params, or_none, "no", "where there is nothing to draw from: null, or fewer, instead of a failed row"),
    QN_VALUE(params, weights, "", "a number for each item of `from`"),
    QN_INT(params, n, "1", "1..1000", "how many different ones; above 1 the field is a list"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "as: tone, from: [plain], n: 1", .in = "{q: 'x'}", .out = "{q: 'x', tone: 'plain'}" },
    { .params = "as: tone, from: [a, b], weights: [0, 1]", .in = "{q: 'x'}", .out = "{q: 'x', tone: 'b'}" },
    { .params = "as: two, of: .all, n: 2", .in = "{all: []}", .fail = "nothing to draw from" },
    { .params = "as: two, of: .all, or_none: yes", .in = "{all: []}", .out = "{all: [], two: null}" },
    QN_END
};

typedef struct { qn_arena arena; qn_value items; qn_map first; uint32_t *next; } state;     /* first: key -> number of an item + 1, next: the one before it with that key */

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    int ways = (p->from.kind == QN_V_LIST) + (p->of != NULL) + (p->file != NULL);
    const qn_type *item = qn_type_simple(QN_T_ANY);
    if (ways != 1) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`draw` needs one of `from` (a list), `of` and `file`");
    if (!p->where.n != !p->is || (p->where.n && !p->file)) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`where` (a field of the file's rows) and `is` (its value) go together, with `file`");
    if (p->weights.kind != QN_V_NULL && (p->weights.kind != QN_V_LIST || p->weights.n != p->from.n))
        return qn_fail_at(e, QN_ERECIPE, ck->pos, "`weights` needs a number for each of the %u items of `from`", p->from.n);
    if (p->from.kind == QN_V_LIST) {
        const qn_type *list = qn_type_of_value(p->from, ck->arena);
        if (list->item) item = list->item;
    } else if (p->of) {
        bool many;
        const qn_type *gives;
        QN_TRY(qn_expr_check(p->of, ck->in, ck->arena, &gives, &many, e));
        if (gives->kind == QN_T_LIST && gives->item) item = gives->item;
    }
    if (p->n > 1) {
        qn_type *list = QN_ARENA_NEW(ck->arena, qn_type);
        *list = (qn_type){ .kind = QN_T_LIST, .item = item };
        item = list;
    }
    if (p->or_none && p->n == 1) item = qn_type_simple(QN_T_ANY);
    ck->out = qn_type_with(ck->in, p->as, item, ck->arena);
    return QN_OK;
}

static qn_hash128 key_of(qn_value v)
{
    qn_buf b = {0};
    if (v.kind == QN_V_TEXT) return qn_hash(v.s, v.n);
    qn_json_write_canonical(&b, v);
    qn_hash128 h = qn_hash(b.p, b.n);
    qn_buf_free(&b);
    return h;
}

/* Chains the items of equal `where`, last first. */
static void index_items(const params *p, state *st)
{
    st->next = QN_NEW_N(uint32_t, st->items.n + 1);
    for (uint32_t i = 0; i < st->items.n; i++) {
        qn_value v;
        bool fresh;
        if (!qn_v_get(qn_v_at(st->items, i), p->where, &v)) continue;
        uint64_t *head = qn_map_put(&st->first, key_of(v), &fresh);
        st->next[i] = fresh ? 0 : (uint32_t)*head;
        *head = i + 1;
    }
}

/* The items that fit the row, in the file's order. */
static qn_code fitting(const params *p, const state *st, const qn_row *r, qn_arena *a, qn_value *out, qn_err *e)
{
    qn_value v;
    size_t n = 0;
    qn_list_b l = { .a = a };
    QN_TRY(qn_expr_one(p->is, r, a, &v, e));
    const uint64_t *head = qn_map_get(&st->first, key_of(v));
    for (uint32_t i = head ? (uint32_t)*head : 0; i; i = st->next[i - 1]) n++;
    uint32_t *at = qn_arena_alloc(a, (n + 1) * sizeof *at);
    size_t k = n;
    for (uint32_t i = head ? (uint32_t)*head : 0; i; i = st->next[i - 1]) at[--k] = i - 1;
    for (k = 0; k < n; k++) qn_list_put(&l, qn_v_at(st->items, at[k]));
    *out = qn_list_end(&l);
    return QN_OK;
}

/* A JSON file that is a list of texts or values, else rows of any format. */
static qn_code read_items(const char *file, state *st, qn_err *e)
{
    const qn_format *f;
    qn_reader *r;
    qn_buf b = {0};
    qn_list_b l = { .a = &st->arena };
    if (qn_str_ends(qn_str_of(file), QN_STR(".json"))) {
        qn_code rc = qn_file_read(file, 64 << 20, &b, e);
        if (rc == QN_OK) rc = qn_json_parse(qn_arena_str(&st->arena, qn_buf_view(&b)), &st->arena, &st->items, e);
        qn_buf_free(&b);
        if (rc != QN_OK || st->items.kind == QN_V_LIST) return rc;
    }
    QN_TRY(qn_format_of(file, &f, e));
    if (!f->rows) return qn_fail(e, QN_EDATA, "%s holds no rows", file);
    qn_read_opts o = { .header = -1 };
    QN_TRY(f->rows(file, &o, &r, e));
    qn_code rc = QN_OK;
    for (qn_row *row = NULL; (rc = r->vt->next(r, &row, e)) == QN_OK && row; qn_row_drop(row)) {
        qn_arena tmp = {0};
        qn_list_put(&l, qn_v_copy(&st->arena, qn_row_value(row, &tmp)));
        qn_arena_free(&tmp);
    }
    r->vt->close(r);
    st->items = qn_list_end(&l);
    return rc;
}

static qn_code open_draw(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    (void)cx;
    *out = st;
    if (p->file) QN_TRY(read_items(p->file, st, e));
    if (p->where.n) index_items(p, st);
    return QN_OK;
}

static void close_draw(void *vs)
{
    state *st = vs;
    qn_arena_free(&st->arena);
    qn_map_free(&st->first);
    qn_free(st->next);
    qn_free(st);
}

static size_t weighted(const params *p, qn_rng *rng)
{
    double all = 0, x;
    for (size_t i = 0; i < p->weights.n; i++) all += qn_v_number(qn_v_at(p->weights, i));
    x = qn_rng_real(rng) * all;
    for (size_t i = 0; i < p->weights.n; i++) {
        x -= qn_v_number(qn_v_at(p->weights, i));
        if (x < 0) return i;
    }
    return p->weights.n - 1;
}

static qn_code map(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    const state *st = vs;
    qn_value list = p->file ? st->items : p->from;
    qn_rng rng = qn_ctx_rng(cx, r);
    if (p->of) QN_TRY(qn_expr_one(p->of, r, cx->scratch, &list, e));
    if (p->where.n) QN_TRY(fitting(p, st, r, cx->scratch, &list, e));
    if (p->or_none && list.kind == QN_V_LIST && list.n == 0) {
        qn_row_set(r, p->as, p->n == 1 ? qn_v_null() : list);
        qn_emit_row(em, r);
        return QN_OK;
    }
    if (list.kind != QN_V_LIST || list.n == 0) return qn_fail(e, QN_EDATA, "nothing to draw from: the list is empty or no list");
    if (p->n == 1) {
        size_t at = p->weights.kind == QN_V_LIST ? weighted(p, &rng) : qn_rng_below(&rng, list.n);
        qn_row_set(r, p->as, qn_v_at(list, at));
    } else {
        size_t *at = qn_arena_alloc(cx->scratch, (size_t)p->n * sizeof *at), n = qn_rng_pick(&rng, list.n, (size_t)p->n, at);
        qn_list_b l = { .a = cx->scratch };
        for (size_t i = 0; i < n; i++) qn_list_put(&l, qn_v_at(list, at[i]));
        qn_row_set(r, p->as, qn_list_end(&l));
    }
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_draw = {
    .name = "draw", .version = 1, .stage = QN_GENERATE, .brief = "a random choice for each row, from a list or a file",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open_draw, .close = close_draw, .map = map,
};
