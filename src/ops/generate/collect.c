/* collect: brings rows that belong together back to one: the first of them stays, with a list of what was taken from each.
 *
 * The opposite of `each`. Rows come out in the order of their groups' first rows, after the last row is in. The lists stay in memory, the rows
 * wait in memory, then on disk. What every row of a group rests on (its replies) goes into the trace of the row that stays. */
#include "core/map.h"
#include "data/rowstore.h"
#include "ops/op.h"
#include "recipe/pick.h"

typedef struct { qn_expr *by, *of; qn_str as; int64_t least; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, by, NULL, NULL, "rows for which this is equal belong together; \"all\" in quotes: all rows"),
    QN_EXPR(params, of, ".", NULL, "what is taken from each row"),
    QN_FIELD(params, as, "items", "field for the list"),
    QN_INT(params, least, "1", "1..", "a group of fewer rows is rejected"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "by: .q, of: .a, as: answers", .in = "{q: 1, a: 'x'}\n{q: 2, a: 'y'}\n{q: 1, a: 'z'}", .out = "{q: 1, a: 'x', answers: ['x', 'z']}\n{q: 2, a: 'y', answers: ['y']}" },
    { .params = "by: '\"all\"', of: .n, as: ns", .in = "{n: 1}\n{n: 2}", .out = "{n: 1, ns: [1, 2]}" },
    { .params = "by: .q, of: .a, least: 2", .in = "{q: 1, a: 'x'}", .reject = "rows 1.00 below 2.00" },
    QN_END
};

typedef struct item { qn_value v; struct item *next; } item;
typedef struct origin { qn_str step; qn_hash128 key; struct origin *next; } origin;
typedef struct { item *first, *last; origin *origins; size_t n; qn_licences licences; } group;
typedef struct { qn_rowstore *rows; qn_arena arena; size_t extra; qn_map names; group *groups; size_t n, cap, at; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_type *gives;
    bool many;
    qn_type *list = QN_ARENA_NEW(ck->arena, qn_type);
    QN_TRY(qn_expr_check(p->of, ck->in, ck->arena, &gives, &many, e));
    if (many) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`of` must give one value for each row: put it into [ ]");
    *list = (qn_type){ .kind = QN_T_LIST, .item = gives };
    ck->out = qn_type_with(ck->in, p->as, list, ck->arena);
    return QN_OK;
}

static qn_code open_collect(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    state *st = QN_NEW(state);
    (void)vp;
    (void)e;
    st->rows = qn_rowstore_new(cx->memory_bytes / 2, NULL);
    *out = st;
    return QN_OK;
}

static void close_collect(void *vs)
{
    state *st = vs;
    qn_rowstore_free(st->rows);
    qn_arena_free(&st->arena);
    qn_map_free(&st->names);
    qn_free(st->groups);
    qn_free(st);
}

/* The group of the key, a new one when it is the first of it. */
static group *group_of(state *st, qn_str key, bool *fresh)
{
    uint64_t *g = qn_map_put_str(&st->names, key, fresh);
    if (*fresh) {
        *g = st->n;
        QN_GROW(st->groups, st->n, st->cap);
        st->groups[st->n++] = (group){0};
    }
    return &st->groups[*g];
}

static void keep_origins(state *st, group *g, const qn_row *r)
{
    for (; r; r = qn_row_parent(r))
        for (const qn_origin *o = qn_row_origins(r); o; o = o->next) {
            origin *mine = QN_ARENA_NEW(&st->arena, origin);
            *mine = (origin){ o->step, o->key, g->origins };
            g->origins = mine;
        }
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_str key;
    qn_value v;
    bool fresh;
    qn_code rc = qn_pick_key(p->by, r, cx->scratch, &key, e);
    if (rc == QN_OK) rc = qn_expr_one(p->of, r, cx->scratch, &v, e);
    if (rc == QN_OK && !qn_ctx_room(cx, cx->memory_bytes / 2, st->arena.used_bytes, &st->extra)) {       /* of rows nothing stays here but what `of` gave */
        rc = qn_fail(e, QN_ELIMIT, "what is collected takes more than %zu MB", (cx->memory_bytes / 2 + st->extra) >> 20);
        qn_hint(e, "take less with `of`, or raise --memory");
    }
    if (rc != QN_OK) { qn_row_drop(r); return rc; }
    group *g = group_of(st, key, &fresh);
    item *it = QN_ARENA_NEW(&st->arena, item);
    it->v = qn_v_copy(&st->arena, v);
    *(g->last ? &g->last->next : &g->first) = it;
    g->last = it;
    g->n++;
    if (fresh) return qn_rowstore_put(st->rows, r, e);
    keep_origins(st, g, r);
    g->licences |= qn_row_licences(r);
    qn_row_drop(r);
    return QN_OK;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    *out = NULL;
    if (st->at == st->n) return QN_OK;
    const group *g = &st->groups[st->at];
    QN_TRY(qn_rowstore_take(st->rows, st->at++, out, e));
    qn_list_b list = { .a = cx->scratch };
    for (const item *it = g->first; it; it = it->next) qn_list_put(&list, it->v);
    qn_row_set(*out, p->as, qn_list_end(&list));
    for (const origin *o = g->origins; o; o = o->next) qn_row_add_origin(*out, o->step, o->key);
    qn_row_add_licences(*out, g->licences);
    qn_verdict v = qn_reject_below("rows", (double)g->n, (double)p->least);
    qn_row_attach(*out, g->n < (size_t)p->least ? qn_memdup(&v, sizeof v) : NULL);
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const qn_verdict *v = qn_row_attached(r);
    (void)vp;
    return v ? *v : qn_keep();
}

const qn_op qn_op_collect = {
    .name = "collect", .version = 1, .stage = QN_GENERATE, .brief = "bring rows that belong together back to one, with a list",
    .about = "The first row of a group stays as it is; the list holds what `of` gives for each of the group, in order. The opposite of `each`.",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open_collect, .close = close_collect, .absorb = absorb, .next = next, .decide = decide,
};
