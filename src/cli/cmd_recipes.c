/* recipes: lists the shipped recipes by group. */
#include "cli/cmd.h"
#include "api/describe.h"
#include <stdio.h>

typedef struct { bool json; } opts;

static void list_group(qn_recipe_info *all, bool *shown, size_t n, size_t from)
{
    qn_str title = all[from].group.n ? all[from].group : QN_STR("Other");
    printf("%s%.*s\n", from ? "\n" : "", QN_FMT(title));
    for (size_t i = from; i < n; i++) {
        if (shown[i] || !qn_str_eq(all[i].group, all[from].group)) continue;
        shown[i] = true;
        printf("  %-20s %.*s%s\n", all[i].name, QN_FMT(all[i].about), all[i].needs_model && !all[i].builtin ? " (needs a model)" : "");
    }
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
    for (size_t i = 0; i < n; i++)
        if (!shown[i]) list_group(all, shown, n, i);
    printf("\n`quern help RECIPE` explains one, `quern new RECIPE` copies it to edit, `quern run RECIPE ...` runs it.\n");
    qn_free(all);
    qn_free(shown);
    qn_arena_free(&a);
    return 0;
}

static const qn_opt OPTS[] = { { "json", 0, QN_OPT_FLAG, NULL, "as JSON", offsetof(opts, json) }, { 0 } };

const qn_cmd qn_cmd_recipes = { .name = "recipes", .brief = "list the recipes", .usage = "quern recipes [--json]", .opts = OPTS,
                                .opts_bytes = sizeof(opts), .run = run };
