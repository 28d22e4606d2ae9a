/* bias_shares: counts who a set speaks of, against another set: shares of gendered, national and age terms, names, and gender by occupation.
 *
 * All rows go on as they are. When the last one is through, the shares go to `to` (bias.json in the run's folder) as JSON. Called in order, by one
 * thread at a time. */
#include "core/file.h"
#include "core/log.h"
#include "ops/curate/curate.h"
#include "text/bias.h"

typedef struct { qn_expr *text; const char *against, *to; qn_str field; } params;
typedef struct { qn_bias set, source; const params *p; char *path; } counts;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to count in"),
    QN_PATH(params, against, "", "JSON lines of the source to compare with"),
    QN_FIELD(params, field, "text", "field of those rows"),
    QN_PATH(params, to, "", "file for the shares; the run's bias.json when not given"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{text: 'She is a doctor.'}", .out = "{text: 'She is a doctor.'}" },
    QN_END
};

static qn_code open_counts(qn_ctx *cx, const void *vp, void **state, qn_err *e)
{
    const params *p = vp;
    counts *c = QN_NEW(counts);
    qn_buf file = {0};
    qn_arena a = {0};
    *state = c;
    c->p = p;
    c->path = p->to ? qn_strz(qn_str_of(p->to)) : cx->out_dir ? qn_path_join(cx->out_dir, "bias.json") : NULL;
    qn_code rc = p->against ? qn_file_read(p->against, (size_t)1 << 32, &file, e) : QN_OK;
    for (size_t i = 0; i < file.n && rc == QN_OK;) {
        const char *nl = memchr(file.p + i, '\n', file.n - i);
        size_t end = nl ? (size_t)(nl - file.p) : file.n;
        qn_value row, v;
        rc = qn_json_parse(qn_str_trim((qn_str){ file.p + i, end - i }), &a, &row, e);
        if (rc == QN_OK && qn_v_get(row, p->field, &v)) qn_bias_count(qn_v_str(v), &c->source);
        qn_arena_reset(&a);
        i = end + 1;
    }
    qn_arena_free(&a);
    qn_buf_free(&file);
    return rc;
}

static void close_counts(void *state)
{
    counts *c = state;
    qn_buf b = {0};
    qn_err e;
    if (!c) return;
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
    if (c->path && c->set.n_texts && qn_file_write(c->path, qn_buf_view(&b), &e) != QN_OK) qn_log(QN_ERROR, "bias_shares", "%s", e.msg);
    double share = qn_bias_share(c->set.gender);
    if (!isnan(share)) qn_log(QN_INFO, "bias_shares", "%.1f%% of the gendered words are female", 100 * share);
    qn_buf_free(&b);
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
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .open = open_counts, .close = close_counts, .settle = settle,
};
