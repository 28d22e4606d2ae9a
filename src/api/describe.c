/* describe: one writer for the terminal and for Markdown. */
#include "api/describe.h"

const char *qn_stage_title(qn_stage s)
{
    static const char *const titles[] = { "Sources", "Making rows", "Curating rows", "Training", "Measuring", "Writing" };
    return titles[s];
}

const char *qn_ptype_word(qn_ptype t)
{
    static const char *const words[] = { "whole number", "number", "yes or no", "text", "choice", "path", "size", "expression", "template", "model",
                                         "texts", "value", "field" };
    return words[t];
}

static bool is_required(const qn_param *p) { return p->deflt == NULL; }

static void put_params(qn_buf *b, const qn_op *op, bool md)
{
    if (!op->params || !op->params->name) return;
    qn_buf_puts(b, md ? "\n## Parameters\n\n| name | type | default | meaning |\n|---|---|---|---|\n" : "\nparameters:\n");
    for (const qn_param *p = op->params; p->name; p++) {
        const char *deflt = is_required(p) ? (md ? "*must be given*" : "must be given") : p->deflt[0] ? p->deflt : "";
        if (md) {
            qn_buf_printf(b, "| `%s` | %s | %s%s%s | %s", p->name, qn_ptype_word(p->type), !is_required(p) && p->deflt[0] ? "`" : "", deflt,
                          !is_required(p) && p->deflt[0] ? "`" : "", p->about);
            if (p->range) {
                qn_buf_puts(b, " (`");
                for (const char *c = p->range; *c; c++) { if (*c == '|') qn_buf_putc(b, '\\'); qn_buf_putc(b, *c); }
                qn_buf_puts(b, "`)");
            }
            qn_buf_puts(b, " |\n");
        } else {
            qn_buf_printf(b, "  %-14s %s%s%s%s%s\n", p->name, p->about, p->range ? " (" : "", p->range ? p->range : "", p->range ? ")" : "", "");
            qn_buf_printf(b, "  %-14s %s%s%s\n", "", qn_ptype_word(p->type), deflt[0] ? (is_required(p) ? ", " : ", default ") : "", deflt);
        }
    }
}

static void indent(qn_buf *b, const char *text, const char *by)
{
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n");
        qn_buf_puts(b, by);
        qn_buf_put(b, p, n);
        qn_buf_putc(b, '\n');
        p += n + (p[n] == '\n');
    }
}

static void put_examples(qn_buf *b, const qn_op *op, bool md)
{
    if (!op->examples || (!op->examples->in && !op->examples->out && !op->examples->params)) return;
    qn_buf_puts(b, md ? "\n## Examples\n" : "\nexamples:\n");
    for (const qn_example *x = op->examples; x->in || x->out || x->params; x++) {
        qn_buf_puts(b, md ? "\n```yaml\n" : "");
        qn_buf_printf(b, md ? "- %s: {%s}\n```\n```\n" : "  - %s: {%s}\n", op->name, x->params ? x->params : "");
        const char *by = md ? "" : "      ";
        if (x->in) { qn_buf_printf(b, "%sin:\n", by); indent(b, x->in, md ? "  " : "        "); }
        for (const char *const *r = x->replies; r && *r; r++) { qn_buf_printf(b, "%sthe model says:\n", by); indent(b, *r, md ? "  " : "        "); }
        if (x->out) { qn_buf_printf(b, "%sout:\n", by); indent(b, x->out, md ? "  " : "        "); }
        if (x->reject) qn_buf_printf(b, "%srejected: %s\n", by, x->reject);
        if (x->fail) qn_buf_printf(b, "%sfails: %s\n", by, x->fail);
        if (md) qn_buf_puts(b, "```\n");
    }
}

void qn_describe_op(qn_buf *b, const qn_op *op, bool md)
{
    qn_buf_printf(b, md ? "# %s\n\n%s\n" : "%s: %s\n", op->name, op->brief);
    if (op->about) qn_buf_printf(b, "\n%s\n", op->about);
    if (op->paper) qn_buf_printf(b, md ? "\nSource: %s\n" : "\nsource: %s\n", op->paper);
    if (op->reads) qn_buf_printf(b, md ? "\nReads: `%s`\n" : "\nreads:  %s\n", op->reads);
    if (op->writes) qn_buf_printf(b, md ? "\nWrites: `%s`\n" : "%swrites: %s\n", md ? op->writes : op->reads ? "" : "\n", op->writes);
    put_params(b, op, md);
    put_examples(b, op, md);
}

void qn_describe_recipe(qn_buf *b, const qn_recipe_info *r, bool md)
{
    qn_v_iter it = qn_v_iter_of(r->params);
    qn_str name;
    qn_value decl, v;
    qn_buf_printf(b, md ? "# %s\n\n%.*s\n" : "%s: %.*s\n", r->name, QN_FMT(r->about));
    if (r->paper.n) qn_buf_printf(b, "\n%s: %.*s\n", md ? "Paper" : "paper", QN_FMT(r->paper));
    if (r->check.n) qn_buf_printf(b, "\n%s: %.*s\n", md ? "Check" : "check", QN_FMT(r->check));
    qn_buf_printf(b, "\n%s", r->needs_model ? (r->builtin ? "Runs without a model; with one it asks it." : "Needs a model.") : "Asks no model.");
    for (unsigned bit = QN_NEEDS_LOGPROBS; bit <= QN_NEEDS_SANDBOX; bit <<= 1)
        if (r->needs & bit) qn_buf_printf(b, " Needs %s%s.", bit == QN_NEEDS_SANDBOX ? "a " : "", qn_recipe_need_word(bit));
    qn_buf_puts(b, "\n");
    if (r->params.n) qn_buf_puts(b, md ? "\n## Parameters\n\n| name | type | default | meaning |\n|---|---|---|---|\n" : "\nparameters:\n");
    while (qn_v_next(&it, &name, &decl)) {
        qn_value type, about, deflt;
        qn_v_get(decl, QN_STR("type"), &type);
        qn_v_get(decl, QN_STR("about"), &about);
        bool has = qn_v_get(decl, QN_STR("default"), &deflt);
        qn_buf d = {0};
        if (!has) qn_buf_puts(&d, "must be given");
        else if (deflt.kind == QN_V_TEXT) qn_buf_str(&d, qn_v_str(deflt));
        else qn_json_write(&d, deflt);
        qn_buf_printf(b, md ? "| `%.*s` | %.*s | %s | %.*s |\n" : "  %-14.*s %.*s; default %s. %.*s\n", QN_FMT(name), QN_FMT(qn_v_str(type)), d.p, QN_FMT(qn_v_str(about)));
        qn_buf_free(&d);
    }
    (void)v;
    if (md) qn_buf_printf(b, "\n## The recipe\n\n```yaml\n%.*s```\n", QN_FMT(r->text));
}

/* "split(text)  text -> [text]" as two cells of a table; a | would end a cell. */
static void signature_cells(qn_buf *b, const char *signature)
{
    const char *gap = strstr(signature, "  ");
    qn_buf_printf(b, "| `%.*s` | ", (int)(gap ? gap - signature : 0), signature);
    for (const char *c = gap ? gap + 2 : signature; *c; c++) {
        if (*c == '|') qn_buf_puts(b, " or ");
        else qn_buf_putc(b, *c);
    }
}

void qn_describe_expressions(qn_buf *b, bool md)
{
    qn_buf_puts(b, md ? "# Expressions\n\n" : "");
    qn_buf_puts(b, "Expressions are a checked subset of jq: paths (.a.b, .[0], .a[], .[1:3], .a?), literals, + - * / %, == != < <= > >=, and, or, not,\n"
                   "//, if A then B elif C then D else E end, pipes and commas, [..] and {..}, \"text \\(hole)\", ... as $x | ..., reduce, foreach, try.\n"
                   "A hole {{ expression }} in a template holds one; {{\"{{\"}} writes two braces.\n\n"
                   "Fields and types are checked before anything runs. Integers are exact to 64 bits: a result beyond is an error. There are no own functions,\n"
                   "no recursion, no files, clock or environment. One evaluation may take 1,000,000 steps and 64 MB.\n\n"
                   "Patterns run in linear time: . ^ $ \\A \\z \\b | ( ) (?<name> ) (?i) * + ? {n,m} and lazy forms, [a-z] [[:alpha:]] \\d \\w \\s \\p{L}; no back\n"
                   "references, no look-around. Flags: g all, i ignore case, x extended, p dot matches a new line, n no empty matches.\n\n");
    if (md) qn_buf_puts(b, "| function | input -> result | meaning |\n|---|---|---|\n");
    for (const qn_expr_fn *f = qn_expr_functions; f->name; f++) {
        if (md) { signature_cells(b, f->signature); qn_buf_printf(b, " | %s |\n", f->brief); }
        else qn_buf_printf(b, "  %-44s %s\n", f->signature, f->brief);
    }
}

/* ---- JSON ---- */
static void key(qn_buf *b, const char *name, bool first)
{
    if (!first) qn_buf_putc(b, ',');
    qn_json_write_text(b, qn_str_of(name));
    qn_buf_putc(b, ':');
}

static void text_or_null(qn_buf *b, const char *z)
{
    if (z) qn_json_write_text(b, qn_str_of(z));
    else qn_buf_puts(b, "null");
}

static void put_text(qn_buf *b, const char *name, const char *z)
{
    key(b, name, false);
    text_or_null(b, z);
}

static void op_json(qn_buf *b, const qn_op *op)
{
    static const char *const stages[] = { "source", "generate", "curate", "train", "eval", "sink" };
    qn_buf_putc(b, '{');
    key(b, "name", true);
    text_or_null(b, op->name);
    qn_buf_printf(b, ",\"version\":%d", op->version);
    put_text(b, "stage", stages[op->stage]);
    put_text(b, "brief", op->brief);
    put_text(b, "about", op->about);
    put_text(b, "paper", op->paper);
    put_text(b, "reads", op->reads);
    put_text(b, "writes", op->writes);
    qn_buf_printf(b, ",\"asks_model\":%s,\"params\":[", op->flags & QN_OP_NEEDS_MODEL ? "true" : "false");
    for (const qn_param *p = op->params; p && p->name; p++) {
        qn_buf_puts(b, p == op->params ? "{" : ",{");
        key(b, "name", true);
        text_or_null(b, p->name);
        put_text(b, "type", qn_ptype_word(p->type));
        put_text(b, "default", p->deflt);
        put_text(b, "range", p->range);
        put_text(b, "about", p->about);
        qn_buf_putc(b, '}');
    }
    qn_buf_puts(b, "],\"examples\":[");
    for (const qn_example *x = op->examples; x && (x->in || x->out || x->params); x++) {
        qn_buf_puts(b, x == op->examples ? "{" : ",{");
        key(b, "params", true);
        text_or_null(b, x->params);
        put_text(b, "in", x->in);
        put_text(b, "out", x->out);
        put_text(b, "reject", x->reject);
        put_text(b, "fail", x->fail);
        qn_buf_putc(b, '}');
    }
    qn_buf_puts(b, "]}");
}

void qn_describe_ops_json(qn_buf *b)
{
    bool first = true;
    qn_buf_putc(b, '[');
    for (size_t i = 0; qn_ops_table[i]; i++) {
        if (qn_ops_table[i]->flags & QN_OP_HIDDEN) continue;
        if (!first) qn_buf_putc(b, ',');
        first = false;
        op_json(b, qn_ops_table[i]);
    }
    qn_buf_putc(b, ']');
}

void qn_describe_recipes_json(qn_buf *b)
{
    qn_arena a = {0};
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < qn_recipes_count(); i++) {
        qn_recipe_info r;
        qn_err e = {0};
        if (qn_recipe_info_get(i, &a, &r, &e) != QN_OK) continue;
        qn_object_b o = { .a = &a };
        qn_list_b needs = { .a = &a };
        for (unsigned bit = QN_NEEDS_MODEL; bit <= QN_NEEDS_SANDBOX; bit <<= 1)
            if (r.needs & bit) qn_list_put(&needs, qn_v_text(qn_str_of(qn_recipe_need_word(bit))));
        qn_object_put(&o, QN_STR("name"), qn_v_text(qn_str_of(r.name)));
        qn_object_put(&o, QN_STR("group"), qn_v_text(r.group));
        qn_object_put(&o, QN_STR("about"), qn_v_text(r.about));
        qn_object_put(&o, QN_STR("paper"), qn_v_text(r.paper));
        qn_object_put(&o, QN_STR("check"), qn_v_text(r.check));
        qn_object_put(&o, QN_STR("needs"), qn_list_end(&needs));
        qn_object_put(&o, QN_STR("builtin"), qn_v_bool(r.builtin));
        qn_object_put(&o, QN_STR("params"), r.params);
        if (i) qn_buf_putc(b, ',');
        qn_json_write(b, qn_object_end(&o));
    }
    qn_buf_putc(b, ']');
    qn_arena_free(&a);
}
