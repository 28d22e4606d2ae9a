/* eval: replies against what is right: a table of measures with intervals and denominators.
 *
 * A recipe is put together (read, pose, ask, score, tally) and run as any other: so replies are remembered, budgets hold and a killed evaluation
 * goes on. `--recipe` prints it. */
#include "cli/cmd.h"
#include "cli/progress.h"
#include "core/file.h"
#include "core/log.h"
#include "data/value.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    const char *gold, *reply, *question, *context, *metrics, *by, *pair, *against, *unit, *styles, *shots, *prompt, *out;
    qn_pairs models;
    int64_t k, rounds, max_tokens;
    bool set, final, table, json, quiet, recipe;
    qn_perform_opts run;
} opts;

#define O(name, letter, kind, value, about, field) QN_O(opts, name, letter, kind, value, about, field)
static const qn_opt OPTS[] = {
    O("gold", 'g', QN_OPT_TEXT, "EXPR", "what is right (default .answer): a value, or a list of which any will do", gold),
    O("reply", 'r', QN_OPT_TEXT, "EXPR", "the reply that the rows have (default .reply); with --model they are asked for", reply),
    O("metric", 0, QN_OPT_TEXT, "LIST", "em,soft_em,f1,rouge_l,exec,pass@k,ndcg@k,mrr@k,recall@k (default em,soft_em,f1)", metrics),
    O("set", 0, QN_OPT_FLAG, NULL, "a list of right answers must be met whole, in any order", set),
    O("final", 0, QN_OPT_FLAG, NULL, "score what stands behind the reply's last `Answer:`", final),
    O("by", 0, QN_OPT_TEXT, "EXPR", "a line for each value: .system", by),
    O("against", 0, QN_OPT_TEXT, "NAME", "hold the other lines against this one, paired", against),
    O("pair", 0, QN_OPT_TEXT, "EXPR", "what tells which rows belong together (default .question)", pair),
    O("unit", 0, QN_OPT_TEXT, "EXPR", "rows drawn together by the bootstrap: .table.name", unit),
    O("rounds", 0, QN_OPT_INT, "N", "draws of the bootstrap (default 2000)", rounds),
    O("model", 'm', QN_OPT_PAIRS, "NAME=WHERE", "ask this model; may be given several times", models),
    O("style", 0, QN_OPT_TEXT, "LIST", "direct,reason,sql, each also with +table and +shots: direct+table+shots (default direct)", styles),
    O("shots", 0, QN_OPT_TEXT, "FILE", "worked examples for +shots: question, answer, reasoning", shots),
    O("k", 'k', QN_OPT_INT, "N", "how many of them (default 3)", k),
    O("question", 0, QN_OPT_TEXT, "EXPR", "the question (default .question)", question),
    O("context", 0, QN_OPT_TEXT, "EXPR", "a text to answer from: .passage", context),
    O("prompt", 0, QN_OPT_TEXT, "TEMPLATE", "ask this instead of a style's words: '{{ .question }}'", prompt),
    O("max-tokens", 0, QN_OPT_INT, "N", "longest reply (default 512)", max_tokens),
    O("out", 'o', QN_OPT_TEXT, "DIR", "where the run goes (default out/eval)", out),
    O("json", 0, QN_OPT_FLAG, NULL, "the table as JSON lines", json),
    O("recipe", 0, QN_OPT_FLAG, NULL, "print the recipe that would be run, and stop", recipe),
    O("quiet", 'q', QN_OPT_FLAG, NULL, "no progress", quiet),
    QN_PERFORM_OPTS(opts, "where replies are remembered (default DIR/ledger.db)"),
    { 0 }
};

static void defaults(void *vo)
{
    opts *o = vo;
    qn_perform_defaults(&o->run);
    o->run.memory = o->run.memory ? o->run.memory : 0;
}

/* ---- the recipe ---- */
static void put_text(qn_buf *b, const char *key, qn_str v)
{
    qn_buf_printf(b, ", %s: ", key);
    qn_json_write_text(b, v);
}

/* "a,b" as a YAML list. */
static void put_list(qn_buf *b, const char *words)
{
    qn_buf_putc(b, '[');
    for (const char *p = words; *p;) {
        size_t n = strcspn(p, ",");
        if (p != words) qn_buf_puts(b, ", ");
        qn_json_write_text(b, qn_str_trim((qn_str){ p, n }));
        p += n + (p[n] == ',');
    }
    qn_buf_putc(b, ']');
}

static void put_score(const opts *o, qn_buf *b, bool asked, const char *style)
{
    bool sql = asked && strncmp(style, "sql", 3) == 0;
    qn_buf_puts(b, "  - score: {by: ");
    if (sql) qn_buf_puts(b, "[exec]");
    else put_list(b, o->metrics ? o->metrics : "em,soft_em,f1");
    if (o->gold) put_text(b, "gold", qn_str_of(o->gold));
    if (o->reply && !asked) put_text(b, "reply", qn_str_of(o->reply));
    if (o->set) qn_buf_puts(b, ", list: set");
    if (o->final || (asked && strncmp(style, "reason", 6) == 0)) qn_buf_puts(b, ", final: yes");
    qn_buf_puts(b, "}\n");
    if (!sql) return;
    qn_buf_puts(b, "  - set: {fields: {");              /* a query's result is right or wrong: one number for all measures */
    bool first = true;
    for (const char *p = o->metrics ? o->metrics : "em,soft_em,f1"; *p;) {
        size_t n = strcspn(p, ",");
        if (strncmp(p, "exec", 4) != 0) { qn_buf_printf(b, "%s%.*s: .exec", first ? "" : ", ", (int)n, p); first = false; }
        p += n + (p[n] == ',');
    }
    qn_buf_puts(b, "}}\n");
}

static qn_code put_branch(const opts *o, size_t model, const char *style, size_t number, qn_buf *b, qn_err *e)
{
    char word[64];
    bool table = false, shots = false;
    size_t n = strcspn(style, "+");
    snprintf(word, sizeof word, "%.*s", (int)(n < 60 ? n : 60), style);
    for (const char *p = style + n; *p; p += strcspn(p, "+")) {
        p++;
        size_t k = strcspn(p, "+");
        if (k == 5 && !strncmp(p, "table", 5)) table = true;
        else if (k == 5 && !strncmp(p, "shots", 5)) shots = true;
        else return qn_fail(e, QN_EUSAGE, "a style has no part `+%.*s` (+table, +shots)", (int)k, p);
    }
    if (shots && !o->shots) return qn_fail(e, QN_EUSAGE, "+shots needs --shots FILE");
    if (strcmp(word, "direct") && strcmp(word, "reason") && strcmp(word, "sql")) return qn_fail(e, QN_EUSAGE, "no style is called `%s` (direct, reason, sql)", word);
    qn_buf_printf(b, "  - from: rows\n    name: branch%zu\n", number);
    if (o->prompt) qn_buf_puts(b, "    set: {fields: {style: '\"prompt\"'}}\n");
    else {
        qn_buf_printf(b, "    pose: {style: %s, table: %s", word, table ? "yes" : "no");
        if (o->question) put_text(b, "question", qn_str_of(o->question));
        if (o->context) put_text(b, "context", qn_str_of(o->context));
        if (shots) { put_text(b, "shots", qn_str_of(o->shots)); qn_buf_printf(b, ", k: %lld", (long long)(o->k ? o->k : 3)); }
        qn_buf_puts(b, "}\n");
    }
    qn_buf_printf(b, "  - ask: {model: $m%zu, as: reply, temperature: 0, keep_cut: yes, max_tokens: %lld, prompt: ", model, (long long)(o->max_tokens ? o->max_tokens : 512));
    qn_json_write_text(b, o->prompt ? qn_str_of(o->prompt) : QN_STR("{{ .prompt }}"));
    qn_buf_puts(b, "}\n");
    put_score(o, b, true, word);
    qn_arena a = { 0 };
    qn_str group = o->prompt ? qn_arena_str(&a, o->models.items[model].name) : qn_arena_printf(&a, "%.*s %s", QN_FMT(o->models.items[model].name), style);
    qn_buf quoted = { 0 };
    qn_json_write_text(&quoted, group);
    qn_buf_printf(b, "  - name: end%zu\n    set: {fields: {group: ", number);
    qn_json_write_text(b, qn_buf_view(&quoted));
    qn_buf_puts(b, "}}\n");
    qn_buf_free(&quoted);
    qn_arena_free(&a);
    return QN_OK;
}

static void put_tally(const opts *o, qn_buf *b, bool asked, size_t n)
{
    const char *metrics = o->metrics ? o->metrics : "em,soft_em,f1";
    if (asked) {
        qn_buf_puts(b, "  - from: [");
        for (size_t i = 0; i < n; i++) qn_buf_printf(b, "%send%zu", i ? ", " : "", i);
        qn_buf_puts(b, "]\n    tally: {of: ");
    } else qn_buf_puts(b, "  - tally: {of: ");
    char *fields = qn_strz(qn_str_of(metrics));
    for (char *p = fields; *p; p++) if (*p == '@') *p = '_';
    put_list(b, fields);
    qn_free(fields);
    if (asked || o->by) put_text(b, "by", asked ? QN_STR(".group") : qn_str_of(o->by));
    if (asked || o->against || o->pair) put_text(b, "pair", qn_str_of(o->pair ? o->pair : o->question ? o->question : ".question"));
    if (o->against) put_text(b, "against", qn_str_of(o->against));
    if (o->unit) put_text(b, "unit", qn_str_of(o->unit));
    if (o->rounds) qn_buf_printf(b, ", rounds: %lld", (long long)o->rounds);
    qn_buf_puts(b, "}\n  - write: {to: eval.jsonl}\n");
}

static qn_code make_recipe(const opts *o, const char *rows, qn_buf *b, qn_err *e)
{
    size_t n = 0;
    qn_buf_puts(b, "quern: 1\nabout: An evaluation, as quern eval puts it together\n");
    if (o->models.n) {
        qn_buf_puts(b, "params:\n");
        for (size_t i = 0; i < o->models.n; i++) qn_buf_printf(b, "  m%zu: {type: model}\n", i);
    }
    qn_buf_puts(b, "steps:\n  - name: rows\n    read_rows: {path: ");
    qn_json_write_text(b, qn_str_of(rows));
    qn_buf_puts(b, "}\n");
    if (!o->models.n) put_score(o, b, false, "");
    for (size_t i = 0; i < o->models.n; i++)
        for (const char *p = o->styles ? o->styles : "direct"; *p; n++) {
            size_t k = strcspn(p, ",");
            char *style = qn_strz(qn_str_trim((qn_str){ p, k }));
            qn_code rc = put_branch(o, i, style, n, b, e);
            qn_free(style);
            QN_TRY(rc);
            p += k + (p[k] == ',');
        }
    put_tally(o, b, o->models.n > 0, n);
    return QN_OK;
}

/* ---- the table ---- */
static double number(qn_value row, const char *key)
{
    qn_value v;
    return qn_v_get(row, qn_str_of(key), &v) && qn_v_is_number(v) ? qn_v_number(v) : 0;
}

static bool has(qn_value row, const char *key)
{
    qn_value v;
    return qn_v_get(row, qn_str_of(key), &v) && v.kind != QN_V_NULL;
}

static void print_line(qn_value row, int wide, bool differences)
{
    qn_value group, measure;
    qn_v_get(row, QN_STR("group"), &group);
    qn_v_get(row, QN_STR("measure"), &measure);
    printf("%-*.*s  %-10.*s %6.0f   %6.2f  [%6.2f, %6.2f]", wide, QN_FMT(qn_v_str(group)), QN_FMT(qn_v_str(measure)), number(row, "n"), 100 * number(row, "value"), 100 * number(row, "low"), 100 * number(row, "high"));
    if (differences && has(row, "diff"))
        printf("   %+6.2f [%+6.2f, %+6.2f]  %.4f", 100 * number(row, "diff"), 100 * number(row, "diff_low"), 100 * number(row, "diff_high"), number(row, "p"));
    if (number(row, "missing") > 0) printf("  (%.0f without a reply, counted as wrong)", number(row, "missing"));
    if (number(row, "unpaired") > 0) printf("  (%.0f without a partner)", number(row, "unpaired"));
    putchar('\n');
}

static qn_code print_table(const opts *o, const char *dir, uint64_t n_rows, qn_err *e)
{
    qn_buf file = { 0 };
    qn_arena a = { 0 };
    char *path = qn_path_join(dir, "eval.jsonl");
    qn_code rc = qn_file_read(path, 1 << 26, &file, e);
    if (rc == QN_OK && o->json) fwrite(file.p, 1, file.n, stdout);
    else if (rc == QN_OK) {
        int wide = 6;
        bool differences = false;
        for (int pass = 0; pass < 2; pass++) {
            if (pass) printf("%-*s  %-10s %6s   %6s  %-16s%s\n", wide, "line", "measure", "n", "%", "95% interval", differences ? "   difference                  p" : "");
            for (size_t i = 0; i < file.n;) {
                const char *nl = memchr(file.p + i, '\n', file.n - i);
                size_t end = nl ? (size_t)(nl - file.p) : file.n;
                qn_value row, group;
                if (qn_json_parse((qn_str){ file.p + i, end - i }, &a, &row, e) != QN_OK) break;
                qn_v_get(row, QN_STR("group"), &group);
                if (!pass && (int)group.n > wide) wide = group.n < 60 ? (int)group.n : 60;
                differences |= has(row, "diff");
                if (pass) print_line(row, wide, differences);
                i = end + 1;
            }
        }
        printf("rows read: %llu\n", (unsigned long long)n_rows);
    }
    qn_buf_free(&file);
    qn_arena_free(&a);
    qn_free(path);
    return rc;
}

static void say_log(qn_level level, const char *event, const char *text)
{
    (void)event;
    if (level >= QN_WARN) qn_say("quern: %s", text);
}

static int run_recipe(opts *o, qn_str yaml, const char *dir)
{
    qn_err e = { 0 };
    qn_models *models = NULL;
    qn_plan *plan = NULL;
    qn_run_result r = { 0 };
    qn_leave l = { 0 };
    qn_progress_view view = { .terminal = qn_is_terminal(2), .quiet = o->quiet };
    char role[32];
    qn_arena a = { 0 };
    qn_setting *roles = QN_NEW_N(qn_setting, o->models.n + 1);
    for (size_t i = 0; i < o->models.n; i++) {
        snprintf(role, sizeof role, "m%zu", i);
        roles[i] = (qn_setting){ qn_arena_str(&a, qn_str_of(role)), o->models.items[i].value };
    }
    qn_plan_opts po = { .models = roles, .n_models = o->models.n, .seed = (uint64_t)o->run.seed };
    qn_code rc = qn_models_open(&models, o->run.config, &e);
    po.registry = models;
    if (rc == QN_OK) rc = qn_plan_text(yaml, "eval.yaml", "", &po, &plan, &e);
    o->run.stop = qn_stop_flag();
    o->run.progress = qn_progress_show;
    o->run.progress_arg = &view;
    qn_log_hook(o->quiet ? NULL : say_log);
    if (rc == QN_OK) rc = qn_perform_run(plan, &o->run, dir, "quern eval", &r, &l, &e);
    qn_progress_end(&view);
    int code = rc == QN_OK ? qn_perform_exit(&r, o->run.max_failed) : 0;
    if (rc == QN_OK && r.failed) qn_say("quern: %llu rows failed (%s/failed.jsonl): they are in no line's n", (unsigned long long)r.failed, dir);
    if (rc == QN_OK && r.rejected) qn_say("quern: %llu rows were rejected (%s/rejected.jsonl): they are in no line's n", (unsigned long long)r.rejected, dir);
    if (rc == QN_OK && r.end == QN_END_DONE) rc = print_table(o, dir, r.steps[0].out, &e);
    else if (rc == QN_OK) qn_say("quern: %s", r.stopped_why);
    if (rc != QN_OK) code = qn_say_error(&e);
    qn_leave_free(&l);
    qn_run_result_free(&r);
    qn_plan_free(plan);
    qn_models_close(models);
    qn_arena_free(&a);
    qn_free(roles);
    return code;
}

static int run(const qn_args *args, void *vo)
{
    opts *o = vo;
    qn_err e = { 0 };
    qn_buf yaml = { 0 };
    if (args->n_words != 1 || args->settings.n) {
        qn_fail(&e, QN_EUSAGE, "eval needs one file of rows");
        qn_hint(&e, "quern eval rows.jsonl --gold .answer --reply .reply; quern eval rows.jsonl --model mine=./model");
        return qn_say_error(&e);
    }
    if (make_recipe(o, args->words[0], &yaml, &e) != QN_OK) { qn_buf_free(&yaml); return qn_say_error(&e); }
    int code = 0;
    if (o->recipe) fwrite(yaml.p, 1, yaml.n, stdout);
    else code = run_recipe(o, qn_buf_view(&yaml), o->out ? o->out : "out/eval");
    qn_buf_free(&yaml);
    return code;
}

const qn_cmd qn_cmd_eval = {
    .name = "eval", .brief = "replies against what is right, with intervals", .usage = "quern eval ROWS --gold .answer [--reply .reply | --model NAME=WHERE ...] [options]",
    .about = "ROWS is a file of rows with a right answer each. The replies are in the rows, or models are asked, in one or several styles. The table has a line for\n"
             "each group (--by, or model and style) and measure: how many rows, the mean in percent, its 95% bootstrap interval; with --against the paired\n"
             "difference, its interval and a paired swap test's p. Style sql: the model writes a query, its result is scored.",
    .opts = OPTS, .opts_bytes = sizeof(opts), .defaults = defaults, .run = run,
};
