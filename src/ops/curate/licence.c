/* licence: keep rows whose source has a licence that is allowed.
 *
 * Licences are compared as SPDX writes them, without case and with common other spellings ("CC BY-SA 4.0", "Apache 2"). A pattern may end
 * in `*`. A row without a licence is unknown. Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"
#include <ctype.h>

typedef struct { qn_expr *licence; qn_texts allow, deny; bool unknown; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, licence, "", NULL, "the licence; when not given, that of the row's source, or its field `licence` or `license`"),
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

/* Lower case, runs of other characters as one '-', words that say nothing left out: "Apache License, Version 2.0" -> "apache-2.0". */
static void plain(qn_str s, char out[96])
{
    static const char *const drop[] = { "licence", "license", "version", "the", "v", "international", "unported" };
    size_t n = 0;
    for (size_t i = 0; i < s.n && n < 90;) {
        if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '*') { i++; continue; }
        size_t from = i, start = n;
        if (n && out[n - 1] != '*') out[n++] = '-';
        while (i < s.n && n < 94 && (isalnum((unsigned char)s.p[i]) || s.p[i] == '*' || (s.p[i] == '.' && i > from && isdigit((unsigned char)s.p[i - 1])))) out[n++] = (char)tolower((unsigned char)s.p[i++]);
        for (size_t k = 0; k < sizeof drop / sizeof *drop; k++)
            if (i - from == strlen(drop[k]) && strncasecmp(s.p + from, drop[k], i - from) == 0) n = start;
    }
    out[n] = 0;
    if (strcmp(out, "apache-2") == 0) strcpy(out, "apache-2.0");
}

/* '*' stands for anything. */
static bool matches(const char *pattern, const char *s)
{
    if (*pattern == 0) return *s == 0;
    if (*pattern == '*') return matches(pattern + 1, s) || (*s && matches(pattern, s + 1));
    return *s == *pattern && matches(pattern + 1, s + 1);
}

static bool any_matches(qn_texts t, const char *licence)
{
    char pattern[96];
    for (size_t i = 0; i < t.n; i++) {
        plain(t.items[i], pattern);
        if (matches(pattern, licence)) return true;
    }
    return false;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value v = qn_v_null(), source;
    char licence[96];
    (void)state;
    if (p->licence) QN_TRY(qn_expr_one(p->licence, r, cx->scratch, &v, e));
    else if (!(qn_row_find(r, QN_STR("_source"), &source) && qn_v_get(source, QN_STR("licence"), &v)) && !qn_row_find(r, QN_STR("licence"), &v)) qn_row_find(r, QN_STR("license"), &v);
    plain(qn_v_str(v), licence);
    bool unknown = licence[0] == 0, ok = unknown ? p->unknown : (p->allow.n == 0 || any_matches(p->allow, licence)) && !any_matches(p->deny, licence);
    if (ok) qn_emit_row(em, r);
    else qn_emit_reject(em, r, qn_reject_fact("licence", "%.*s", unknown ? 7 : (int)qn_v_str(v).n, unknown ? "unknown" : qn_v_str(v).p));
    return QN_OK;
}

const qn_op qn_op_licence = {
    .name = "licence", .version = 1, .stage = QN_CURATE, .brief = "keep rows whose source has an allowed licence",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .map = map,
};
