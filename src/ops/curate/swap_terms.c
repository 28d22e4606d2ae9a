/* swap_terms: beside each row, the same row with one term exchanged: she for he, young for old, one country for another.
 *
 * Judging both shows whether an answer, a score or a model depends on the term (counterfactual data augmentation). A text without such a term has no
 * counterpart: the row alone goes on, or is rejected (`only_pairs`). Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"
#include "text/bias.h"

typedef struct { qn_texts fields; qn_str kind, from, to, mark; bool only_pairs, keep; const char *from_z, *to_z; } params;

static const qn_param PARAMS[] = {
    QN_TEXTS(params, fields, "text", "fields in which terms are exchanged"),
    QN_CHOICE(params, kind, "gender", "gender|age|nation", "what is exchanged"),
    QN_TEXT(params, from, "", "for nations: the country, such as germany"),
    QN_TEXT(params, to, "", "for nations: the country in its place"),
    QN_FIELD(params, mark, "swapped", "field that says whether a row is the exchanged one"),
    QN_BOOL(params, only_pairs, "no", "reject rows in which nothing can be exchanged"),
    QN_BOOL(params, keep, "yes", "the row itself goes on too"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "fields: q", .in = "{q: 'Is she a good boss?'}", .out = "{q: 'Is she a good boss?', swapped: false}\n{q: 'Is he a good boss?', swapped: true}" },
    { .params = "fields: q, only_pairs: yes", .in = "{q: 'Is it a good mill?'}", .reject = "terms 0.00 below 1.00" },
    { .params = "fields: q, kind: nation, from: germany, to: france, keep: no", .in = "{q: 'A German mill'}", .out = "{q: 'A French mill', swapped: true}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    if (qn_str_is(p->kind, "nation")) {
        qn_str given[2] = { p->from, p->to };
        const char **z[2] = { &p->from_z, &p->to_z };
        for (int k = 0; k < 2; k++) {
            size_t i = 0;
            for (const char *c; (c = qn_bias_country(i)) != NULL; i++)
                if (strcspn(c, "|") == given[k].n && strncasecmp(c, given[k].p, given[k].n) == 0) break;
            if (!given[k].n || !qn_bias_country(i))
                return qn_fail_at(e, QN_ERECIPE, ck->pos, "`%s` must be a country, `%.*s` is none that quern knows", k ? "to" : "from", QN_FMT(given[k]));
            *z[k] = qn_arena_str(ck->arena, given[k]).p;
        }
    }
    ck->out = qn_type_with(ck->out, p->mark, qn_type_simple(QN_T_BOOL), ck->arena);
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_swap kind = qn_str_is(p->kind, "gender") ? QN_SWAP_GENDER : qn_str_is(p->kind, "age") ? QN_SWAP_AGE : QN_SWAP_NATION;
    qn_row *same = qn_emit_child(em, r), *twin = qn_emit_child(em, r);      /* in this order: ids do not depend on `keep` */
    size_t n = 0;
    (void)state;
    (void)cx;
    for (size_t i = 0; i < p->fields.n; i++) {
        qn_str name = p->fields.items[i].n && p->fields.items[i].p[0] == '.' ? qn_str_sub(p->fields.items[i], 1, p->fields.items[i].n) : p->fields.items[i];
        qn_value v;
        qn_buf out = {0};
        if (!qn_row_find(r, name, &v) || v.kind != QN_V_TEXT) {
            qn_row_drop(same);
            qn_row_drop(twin);
            return qn_fail(e, QN_EDATA, "the field `%.*s` is no text", QN_FMT(name));
        }
        n += qn_bias_swap(qn_v_str(v), kind, p->from_z, p->to_z, &out);
        qn_row_set(twin, name, qn_v_text(qn_buf_view(&out)));
        qn_buf_free(&out);
    }
    qn_row_set(twin, p->mark, qn_v_bool(true));
    if (n == 0 && p->only_pairs) {
        qn_row_drop(same);
        qn_row_drop(twin);
        qn_emit_reject(em, r, qn_reject_below("terms", 0, 1));
        return QN_OK;
    }
    qn_row_set(same, p->mark, qn_v_bool(false));
    if (p->keep) qn_emit_row(em, same);
    else qn_row_drop(same);
    if (n) qn_emit_row(em, twin);
    else qn_row_drop(twin);
    return QN_OK;
}

const qn_op qn_op_swap_terms = {
    .name = "swap_terms", .version = 1, .stage = QN_CURATE, .brief = "give each row a twin with gendered, age or national terms exchanged",
    .paper = "Lu et al. 2018, Gender Bias in Neural NLP (counterfactual data augmentation)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
