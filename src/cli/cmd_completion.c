/* completion: a script for the shell, from the tables of commands, options, recipes and operators. */
#include "cli/cmd.h"
#include <stdio.h>

static void options(const qn_cmd *c)
{
    for (const qn_opt *o = c->opts; o && o->name; o++) printf("--%s ", o->name);
    printf("--help");
}

static void bash(void)
{
    printf("_quern() {\n  local cur=${COMP_WORDS[COMP_CWORD]} cmd=${COMP_WORDS[1]} words=\n  if [ $COMP_CWORD = 1 ]; then words=\"");
    for (size_t i = 0; qn_cmds_table[i]; i++) printf("%s ", qn_cmds_table[i]->name);
    printf("\"\n  elif [[ $cur == -* ]]; then\n    case $cmd in\n");
    for (size_t i = 0; qn_cmds_table[i]; i++) {
        printf("      %s) words=\"", qn_cmds_table[i]->name);
        options(qn_cmds_table[i]);
        printf("\";;\n");
    }
    printf("    esac\n  elif [ $COMP_CWORD = 2 ]; then\n    case $cmd in\n      run|plan|new|compile|help) words=\"");
    qn_arena a = {0};
    for (size_t i = 0; i < qn_recipes_count(); i++) {
        qn_recipe_info r;
        qn_err e = {0};
        if (qn_recipe_info_get(i, &a, &r, &e) == QN_OK) printf("%s ", r.name);
    }
    qn_arena_free(&a);
    printf("\";;\n      apply) words=\"");
    for (size_t i = 0; qn_ops_table[i]; i++)
        if (!(qn_ops_table[i]->flags & QN_OP_HIDDEN)) printf("%s ", qn_ops_table[i]->name);
    printf("\";;\n    esac\n  fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$cur\"))\n}\ncomplete -F _quern quern\n");
}

static int run(const qn_args *args, void *opts)
{
    (void)opts;
    const char *shell = args->n_words ? args->words[0] : "bash";
    if (strcmp(shell, "zsh") == 0) printf("autoload -U +X bashcompinit && bashcompinit\n");
    else if (strcmp(shell, "bash") != 0) {
        qn_err e = {0};
        qn_fail(&e, QN_EUSAGE, "no completion for `%s`", shell);
        qn_hint(&e, "bash or zsh: source <(quern completion bash)");
        return qn_say_error(&e);
    }
    bash();
    return 0;
}

static const qn_opt OPTS[] = { { 0 } };
const qn_cmd qn_cmd_completion = { .name = "completion", .brief = "a completion script for bash or zsh", .usage = "source <(quern completion bash)", .opts = OPTS, .run = run };
