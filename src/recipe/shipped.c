/* shipped: the recipes inside the program. */
#define QN_EMBED_RECIPES
#include "recipe/plan.h"
#include "embed.h"
#include <stdio.h>

size_t qn_recipes_count(void) { return sizeof qn_embedded_recipes / sizeof *qn_embedded_recipes - 1; }

static qn_str name_of(size_t i)
{
    qn_str s = qn_str_of(qn_embedded_recipes[i].name);
    s.n -= strlen(".yaml");
    return s;
}

static qn_str bytes_of(size_t i) { return (qn_str){ (const char *)qn_embedded_recipes[i].bytes, qn_embedded_recipes[i].n }; }

bool qn_recipe_text(const char *name, qn_str *out)
{
    for (size_t i = 0; i < qn_recipes_count(); i++)
        if (qn_str_is(name_of(i), name)) { *out = bytes_of(i); return true; }
    return false;
}

const char *qn_recipe_nearest(qn_str name)
{
    static _Thread_local char found[64];
    const char *words[256] = {0};
    char names[256][64];
    size_t n = 0;
    for (size_t i = 0; i < qn_recipes_count() && n < 256; i++, n++) {
        snprintf(names[n], sizeof names[n], "%.*s", QN_FMT(name_of(i)));
        words[n] = names[n];
    }
    const char *near = qn_nearest(name, words, n);
    if (near) snprintf(found, sizeof found, "%s", near);
    return near ? found : NULL;
}

const char *qn_recipe_need_word(unsigned bit)
{
    switch (bit) {
    case QN_NEEDS_MODEL: return "model";
    case QN_NEEDS_LOGPROBS: return "log-probabilities";
    case QN_NEEDS_EMBEDDINGS: return "embeddings";
    case QN_NEEDS_SEARCH: return "search";
    default: return "sandbox";
    }
}

/* What a step needs beyond a model. */
static unsigned needs_of(qn_str op, const qn_ynode *given)
{
    static const struct { const char *op; unsigned needs; } by_op[] = {
        { "check_code", QN_NEEDS_SANDBOX }, { "check_command", QN_NEEDS_SANDBOX }, { "embed", QN_NEEDS_EMBEDDINGS }, { "dedup_embedding", QN_NEEDS_EMBEDDINGS },
        { "search", QN_NEEDS_SEARCH }, { "fetch_pages", QN_NEEDS_SEARCH }, { "text_loss", QN_NEEDS_LOGPROBS },
    };
    const qn_ynode *logprobs = qn_str_is(op, "ask") ? qn_yaml_get(given, "logprobs") : NULL;
    unsigned needs = logprobs && !qn_str_is(logprobs->text, "0") ? QN_NEEDS_LOGPROBS : 0;
    for (size_t i = 0; i < sizeof by_op / sizeof *by_op; i++)
        if (qn_str_is(op, by_op[i].op)) needs |= by_op[i].needs;
    return needs;
}

/* Does any step ask a model, and can every such step do without one? */
static void look_at_steps(const qn_ynode *list, qn_recipe_info *info)
{
    for (size_t i = 0; list && list->kind == QN_Y_LIST && i < list->n; i++) {
        const qn_ynode *step = list->items[i];
        for (size_t k = 0; step->kind == QN_Y_MAP && k < step->n; k++) {
            const qn_op *op = qn_op_find(step->keys[k]->text);
            const qn_ynode *given = step->items[k];
            look_at_steps(qn_yaml_get(given, "steps"), info);
            if (qn_str_is(step->keys[k]->text, "recipe")) {
                qn_str text;
                qn_arena a = {0};
                qn_ynode *root;
                qn_err e = {0};
                const qn_ynode *use = qn_yaml_get(given, "use");
                if (use && qn_recipe_text(use->text.p, &text) && qn_yaml_parse(text, "", 0, &a, &root, &e) == QN_OK)
                    look_at_steps(qn_yaml_get(root, "steps"), info);
                qn_arena_free(&a);
            }
            info->needs |= needs_of(step->keys[k]->text, given);
            if (!op || !(op->flags & QN_OP_NEEDS_MODEL)) continue;
            info->needs_model = true;
            info->needs |= QN_NEEDS_MODEL;
            if (!qn_yaml_get(given, "without")) info->builtin = false;
        }
    }
}

qn_code qn_recipe_info_get(size_t i, qn_arena *a, qn_recipe_info *out, qn_err *e)
{
    qn_ynode *root;
    *out = (qn_recipe_info){ .name = qn_arena_str(a, name_of(i)).p, .text = bytes_of(i), .builtin = true };
    QN_TRY(qn_yaml_parse(out->text, qn_embedded_recipes[i].name, 0, a, &root, e));
    const qn_ynode *about = qn_yaml_get(root, "about"), *paper = qn_yaml_get(root, "paper"), *group = qn_yaml_get(root, "group"),
                   *params = qn_yaml_get(root, "params"), *check = qn_yaml_get(root, "check");
    if (about) out->about = about->text;
    if (paper) out->paper = paper->text;
    if (group) out->group = group->text;
    if (params) out->params = qn_yaml_value(params, a);
    if (check) out->check = check->text;
    look_at_steps(qn_yaml_get(root, "steps"), out);
    return QN_OK;
}
