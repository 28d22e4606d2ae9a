/* bias_shares: counts who a set speaks of, against another set: shares of gendered, national and age terms, names, and gender by occupation.
 *
 * All rows go on as they are. When the last one is through, the shares go to `to` (bias.json in the run's folder) as JSON. Called in order, by one
 * thread at a time. */
#include "core/file.h"
#include "core/log.h"
#include "ops/curate/curate.h"
#include "recipe/pick.h"
#include "text/bias.h"

typedef struct { qn_expr *text; const char *against, *to; qn_str field; } params;
typedef struct { qn_bias set, source; const params *p; char *path; bool saved; char why[400]; } counts;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to count in"),
    QN_PATH(params, against, "", "rows of the source to compare with: JSON lines, CSV, ..."),
    QN_FIELD(params, field, "text", "field of those rows"),
    QN_PATH(params, to, "", "file for the shares; the run's bias.json when not given"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{text: 'She is a doctor.'}", .out = "{text: 'She is a doctor.'}" },
    QN_END
};

static qn_code count_source(void *arg, qn_row *row, const char *where, qn_err *e)
{
    counts *c = arg;
    qn_value v;
    (void)where;
    (void)e;
    if (qn_row_find(row, c->p->field, &v) && v.kind == QN_V_TEXT) qn_bias_count(qn_v_str(v), &c->source);
    return QN_OK;
}

static qn_code open_counts(qn_ctx *cx, const void *vp, void **state, qn_err *e)
{
    const params *p = vp;
    counts *c = QN_NEW(counts);
    *state = c;
    c->p = p;
    c->path = p->to ? qn_strz(qn_str_of(p->to)) : cx->out_dir ? qn_path_join(cx->out_dir, "bias.json") : NULL;
    if (!p->against) return QN_OK;
    QN_TRY(qn_pick_rows(p->against, count_source, c, e));
    if (c->source.n_texts) return QN_OK;
    qn_fail(e, QN_EDATA, "no row of %s has a text in the field `%.*s`", p->against, QN_FMT(p->field));
    qn_hint(e, "say where the source's text stands: field=NAME");
    return QN_EDATA;
}

/* The shares into their file, once. */
static qn_code save(counts *c, qn_err *e)
{
    qn_buf b = {0};
    if (c->saved || !c->path || !c->set.n_texts) return QN_OK;
    c->saved = true;
    qn_buf_puts(&b, "{\"set\":");
    qn_bias_write(&c->set, &b);
    if (c->p->against) {
        double d = qn_bias_country_distance(&c->set, &c->source);
        qn_buf_puts(&b, ",\"source\":");
        qn_bias_write(&c->source, &b);
        qn_buf_puts(&b, ",\"country_distance\":");
        if (isnan(d)) qn_buf_puts(&b, "null");
        else qn_buf_printf(&b, "%.4f", d);
    }
    qn_buf_puts(&b, "}\n");
    qn_code rc = qn_file_write(c->path, qn_buf_view(&b), e);
    qn_buf_free(&b);
    return rc;
}

static const char *lacks(void *state)
{
    counts *c = state;
    qn_err e = {0};
    if (save(c, &e) == QN_OK) return NULL;
    snprintf(c->why, sizeof c->why, "%s", e.msg);
    return c->why;
}

static void close_counts(void *state)
{
    counts *c = state;
    qn_err e = {0};
    if (!c) return;
    if (save(c, &e) != QN_OK) qn_log(QN_ERROR, "bias_shares", "%s", e.msg);    /* a run cut short */
    double share = qn_bias_share(c->set.gender);
    if (!isnan(share)) qn_log(QN_INFO, "bias_shares", "%.1f%% of the gendered words are female", 100 * share);
    qn_free(c->path);
    qn_free(c);
}

static qn_verdict settle(qn_ctx *cx, const void *vp, void *state, qn_row *r)
{
    qn_str text;
    qn_err e;
    if (qn_curate_text(cx, ((const params *)vp)->text, r, &text, &e) == QN_OK) qn_bias_count(text, &((counts *)state)->set);
    return qn_keep();
}

const qn_op qn_op_bias_shares = {
    .name = "bias_shares", .version = 1, .stage = QN_CURATE, .brief = "count gendered, national and age terms, names and occupations against the source's",
    .about = "English word lists: a share says which words stand there, not what they mean. Roles count sentences that hold an occupation and words or names of one\n"
             "gender only.",
    .paper = "Sheng et al. 2019; Zhao et al. 2018 (WinoBias)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .open = open_counts, .close = close_counts, .settle = settle, .lacks = lacks,
};
