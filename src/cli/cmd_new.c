/* new: copies a shipped recipe to a file to edit. */
#include "cli/cmd.h"
#include "core/file.h"
#include <stdio.h>

static int run(const qn_args *args, void *opts)
{
    qn_err e = {0};
    qn_str text;
    (void)opts;
    if (args->n_words < 1 || args->n_words > 2) {
        qn_fail(&e, QN_EUSAGE, "which recipe?");
        qn_hint(&e, "quern new RECIPE [FILE]; `quern recipes` lists what there is");
        return qn_say_error(&e);
    }
    const char *name = args->words[0];
    if (!qn_recipe_text(name, &text)) {
        const char *near = qn_recipe_nearest(qn_str_of(name));
        qn_fail(&e, QN_EUSAGE, "no recipe is called `%s`", name);
        if (near) qn_hint(&e, "did you mean `%s`?", near);
        else qn_hint(&e, "`quern recipes` lists all");
        return qn_say_error(&e);
    }
    char *path = args->n_words == 2 ? qn_strz(qn_str_of(args->words[1])) : NULL;
    if (!path) { qn_buf b = {0}; qn_buf_printf(&b, "%s.yaml", name); path = b.p; }
    int code = 0;
    if (strcmp(path, "-") != 0 && qn_file_exists(path)) {
        qn_fail(&e, QN_EUSAGE, "%s is already there", path);
        qn_hint(&e, "give another name: quern new %s OTHER.yaml", name);
        code = qn_say_error(&e);
    } else if (qn_file_write(path, text, &e) != QN_OK) {
        code = qn_say_error(&e);
    } else if (strcmp(path, "-") != 0) {
        qn_say("%s is yours to edit; run it with: quern run ./%s ...", path, path);
    }
    qn_free(path);
    return code;
}

static const qn_opt OPTS[] = { { 0 } };
const qn_cmd qn_cmd_new = { .name = "new", .brief = "copy a recipe to edit", .usage = "quern new RECIPE [FILE]", .opts = OPTS, .run = run };
