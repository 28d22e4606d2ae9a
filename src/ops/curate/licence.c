/* licence: keep rows whose source has a licence that is allowed.
 *
 * Licences are compared as SPDX writes them, without case and with common other spellings ("CC BY-SA 4.0", "Apache 2"). A pattern may end
 * in `*`. A row without a licence is unknown; one made from several sources needs all of theirs to be allowed. Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"

typedef struct { qn_expr *licence; qn_texts allow, deny; bool unknown; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, licence, "", NULL, "the licence; when not given, those of all that went into the row, or its field `licence` or `license`"),
    QN_TEXTS(params, allow, "[]", "licences that stay, such as cc-by-* or mit; none: all that are not denied"),
    QN_TEXTS(params, deny, "[]", "licences that reject, such as *-nc-* or proprietary"),
    QN_BOOL(params, unknown, "no", "rows without a licence stay"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "licence: .licence, allow: ['cc-by-*', mit]", .in = "{licence: 'CC BY-SA 4.0'}", .out = "{licence: 'CC BY-SA 4.0'}" },
    { .params = "licence: .licence, deny: ['*-nc-*']", .in = "{licence: 'CC BY-NC 4.0'}", .reject = "licence: CC BY-NC 4.0" },
    { .params = "licence: .licence, allow: ['apache-2.0']", .in = "{licence: 'Apache License, Version 2.0'}", .out = "{licence: 'Apache License, Version 2.0'}" },
    { .params = "", .in = "{q: 'x', license: 'MIT'}", .out = "{q: 'x', license: 'MIT'}" },
    { .params = "", .in = "{q: 'x'}", .reject = "licence: unknown" },
    QN_END
};

static bool any_matches(qn_texts t, const char *licence)
{
    char pattern[QN_LICENCE_MAX];
    for (size_t i = 0; i < t.n; i++) {
        qn_licence_plain(t.items[i], pattern);
        if (qn_licence_fits(pattern, licence)) return true;
    }
    return false;
}

/* NULL name: unknown. */
static bool may_stay(const params *p, qn_str name)
{
    char licence[QN_LICENCE_MAX];
    qn_licence_plain(name, licence);
    if (!licence[0]) return p->unknown;
    return (p->allow.n == 0 || any_matches(p->allow, licence)) && !any_matches(p->deny, licence);
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value v = qn_v_null();
    qn_str bad = { NULL, 0 };
    qn_licences set = p->licence ? 0 : qn_row_licences(r);
    (void)state;
    if (p->licence) QN_TRY(qn_expr_one(p->licence, r, cx->scratch, &v, e));
    else if (!(set & ~QN_LICENCE_UNKNOWN) && !qn_row_find(r, QN_STR("licence"), &v)) qn_row_find(r, QN_STR("license"), &v);
    if (!(set & ~QN_LICENCE_UNKNOWN) && !may_stay(p, qn_v_str(v))) bad = qn_v_str(v).n ? qn_v_str(v) : QN_STR("unknown");
    for (int bit = 0; set & ~QN_LICENCE_UNKNOWN && bit < 64 && !bad.n; bit++) {      /* all that went into it must be allowed */
        const char *name = set >> bit & 1 ? qn_licence_name(bit) : NULL;
        if (name && !may_stay(p, bit ? qn_str_of(name) : (qn_str){ "", 0 })) bad = qn_str_of(name);
    }
    if (!bad.n) qn_emit_row(em, r);
    else qn_emit_reject(em, r, qn_reject_fact("licence", "%.*s", QN_FMT(bad)));
    return QN_OK;
}

const qn_op qn_op_licence = {
    .name = "licence", .version = 1, .stage = QN_CURATE, .brief = "keep rows whose source has an allowed licence",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .map = map,
};
