/* recipes: lists the shipped recipes by group. */
#include "cli/cmd.h"
#include "api/describe.h"
#include <stdio.h>
#include <string.h>

typedef struct { bool json; } opts;

/* In the order of the pages: what needs no model first. A group that is not named here follows behind them. */
static const char *const ORDER[] = { "Grounded in sources", "Instructions", "Preference, safety, process", "Embeddings, RAG, evaluation", "Tools and agents",
                                     "Pre-training text", "Experiments", "Basics", "Parts" };

static void list_group(const qn_recipe_info *all, bool *shown, size_t n, qn_str group)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (shown[i] || !qn_str_eq(all[i].group, group)) continue;
        if (!any) printf("%.*s\n", QN_FMT(group.n ? group : QN_STR("Other")));
        any = shown[i] = true;
        printf("  %-20s %c %.*s\n", all[i].name, all[i].builtin || !all[i].needs_model ? '*' : ' ', QN_FMT(all[i].about));
    }
    if (any) printf("\n");
}

static int run(const qn_args *args, void *vo)
{
    const opts *o = vo;
    (void)args;
    if (o->json) {
        qn_buf b = {0};
        qn_describe_recipes_json(&b);
        printf("%s\n", b.p);
        qn_buf_free(&b);
        return 0;
    }
    qn_arena a = {0};
    size_t n = qn_recipes_count();
    qn_recipe_info *all = QN_NEW_N(qn_recipe_info, n + 1);
    bool *shown = QN_NEW_N(bool, n + 1);
    for (size_t i = 0; i < n; i++) {
        qn_err e = {0};
        if (qn_recipe_info_get(i, &a, &all[i], &e) != QN_OK) { qn_say_error(&e); shown[i] = true; }
    }
    for (size_t i = 0; i < sizeof ORDER / sizeof *ORDER; i++) list_group(all, shown, n, (qn_str){ ORDER[i], strlen(ORDER[i]) });
    for (size_t i = 0; i < n; i++)
        if (!shown[i]) list_group(all, shown, n, all[i].group);
    printf("* runs without a model too; the others ask one (--model ROLE=WHERE).\n`quern help RECIPE` explains one, `quern new RECIPE` copies it to edit, `quern run RECIPE ...` runs it.\n");
    qn_free(all);
    qn_free(shown);
    qn_arena_free(&a);
    return 0;
}

static const qn_opt OPTS[] = { { "json", 0, QN_OPT_FLAG, NULL, "as JSON", offsetof(opts, json) }, { 0 } };

const qn_cmd qn_cmd_recipes = { .name = "recipes", .brief = "list the recipes", .usage = "quern recipes [--json]", .opts = OPTS,
                                .opts_bytes = sizeof(opts), .run = run };
