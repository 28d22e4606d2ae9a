/* split: names a slice for each row (train, valid, test) by a hash of a key, so that rows with one key never fall into two slices.
 *
 * A row's slice hangs on its key and `salt` alone: more rows, another order or another run change nothing for the rows that were there. The shares
 * are met on average over keys, not to the row; `balance` and `sample` count exactly. Runs on: any worker; keeps nothing between rows. */
#include "core/hash.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include <math.h>

#define MAX_SLICES 32

typedef struct {
    qn_value shares;
    qn_expr *by;
    qn_str   as, salt;
    struct slice { qn_str name; double upto; } slices[MAX_SLICES];     /* made by check */
    size_t   n;
} params;

static const qn_param PARAMS[] = {
    QN_VALUE(params, shares, "{train: 0.9, valid: 0.05, test: 0.05}", "slice: share, which add up to 1"),
    QN_EXPR(params, by, "", NULL, "rows with an equal value stay together: .passage, .document; left out: each row by itself"),
    QN_FIELD(params, as, "split", "field for the slice's name"),
    QN_TEXT(params, salt, "", "another text draws anew"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "shares: {all: 1, none: 0}", .in = "{t: x}", .out = "{t: x, split: all}" },
    { .params = "shares: {a: 0.5, b: 0.5}, by: .k", .in = "{k: mill, n: 1}\n{k: mill, n: 2}\n{k: river, n: 3}\n{k: tree, n: 4}",
      .out = "{k: mill, n: 1, split: a}\n{k: mill, n: 2, split: a}\n{k: river, n: 3, split: b}\n{k: tree, n: 4, split: a}" },
    { .params = "shares: {a: 0.5, b: 0.6}", .in = "{t: x}", .fail = "add up to 1.1" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    qn_v_iter it = qn_v_iter_of(p->shares);
    qn_str name;
    qn_value v;
    double sum = 0;
    if (p->shares.kind != QN_V_OBJECT || p->shares.n == 0 || p->shares.n > MAX_SLICES) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`shares` must be a map of 1 to %d slices: {train: 0.9, test: 0.1}", MAX_SLICES);
    while (qn_v_next(&it, &name, &v)) {
        if (!qn_v_is_number(v) || qn_v_number(v) < 0) return qn_fail_at(e, QN_ERECIPE, ck->pos, "the share of `%.*s` is no number from 0 to 1", QN_FMT(name));
        sum += qn_v_number(v);
        p->slices[p->n++] = (struct slice){ name, sum };
    }
    if (fabs(sum - 1) > 1e-6) return qn_fail_at(e, QN_ERECIPE, ck->pos, "the shares add up to %g, not to 1", sum);
    for (size_t i = p->n; i-- > 0 && p->slices[i].upto >= sum - 1e-12;) p->slices[i].upto = 2;      /* rounding: the last share takes the rest */
    ck->out = qn_type_with(ck->out, p->as, qn_type_simple(QN_T_TEXT), ck->arena);
    return QN_OK;
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_hash128 h = qn_row_id(r), salt = qn_hash(p->salt.p, p->salt.n);
    if (p->by) {
        qn_str key;
        QN_TRY(qn_pick_key(p->by, r, cx->scratch, &key, e));
        h = qn_hash(key.p, key.n);
    }
    double at = (double)(qn_hash_mix(h, salt).lo >> 11) * 0x1p-53;
    size_t i = 0;
    while (i + 1 < p->n && at >= p->slices[i].upto) i++;
    qn_row_set(r, p->as, qn_v_text(p->slices[i].name));
    return QN_OK;
}

const qn_op qn_op_split = {
    .name = "split", .version = 1, .stage = QN_CURATE, .brief = "name a slice for each row (train, valid, test) by the hash of a key",
    .about = "Equal keys share a slice, so no passage, document or near-duplicate group stands on both sides; give that as `by`. A row's slice never changes when others come or go. "
             "Without `by` equal rows may fall apart: run `dedup_exact` first.",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .measure = measure,
};
