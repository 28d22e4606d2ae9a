/* main: finds the command and hands over. */
#include "cli/cmd.h"
#include "core/log.h"
#include "io/format.h"
#include <signal.h>
#include <stdio.h>

static const qn_cmd *find_cmd(const char *name)
{
    for (size_t i = 0; qn_cmds_table[i]; i++)
        if (strcmp(qn_cmds_table[i]->name, name) == 0) return qn_cmds_table[i];
    return NULL;
}

static void overview(FILE *to)
{
    fprintf(to, "quern grinds sources you already have into training and evaluation data for language models.\n\n"
                "usage: quern COMMAND ...\n\n"
                "  quern run table_qa tables=DIR -o OUT      questions over your tables, each with the SQL that answers it\n"
                "  quern recipes                             what can be made\n"
                "  quern help run                            a command in full\n\ncommands:\n");
    for (size_t i = 0; qn_cmds_table[i]; i++) fprintf(to, "  %-10s %s\n", qn_cmds_table[i]->name, qn_cmds_table[i]->brief);
}

static int unknown_cmd(const char *word)
{
    const char *names[64];
    size_t n = 0;
    qn_err e = {0};
    for (size_t i = 0; qn_cmds_table[i] && n < 64; i++) names[n++] = qn_cmds_table[i]->name;
    const char *near = qn_nearest(qn_str_of(word), names, n);
    qn_fail(&e, QN_EUSAGE, "no command is called `%s`", word);
    if (near) qn_hint(&e, "did you mean `quern %s`?", near);
    else if (qn_recipe_text(word, &(qn_str){0})) qn_hint(&e, "`%s` is a recipe: quern run %s", word, word);
    else qn_hint(&e, "`quern help` lists the commands");
    return qn_say_error(&e);
}

static int run_cmd(const qn_cmd *cmd, int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) { qn_cmd_usage(cmd); return 0; }
    qn_args args;
    qn_err e = {0};
    void *opts = qn_zalloc(cmd->opts_bytes + 1);
    if (cmd->defaults) cmd->defaults(opts);
    int code = qn_args_parse(cmd, argc, argv, opts, &args, &e) == QN_OK ? cmd->run(&args, opts) : qn_say_error(&e);
    qn_args_free(&args);
    qn_free(opts);
    return code;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && strcmp(argv[1], "--reader-child") == 0) return qn_doc_child_main();
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) { overview(argc < 2 ? stderr : stdout); return argc < 2 ? 2 : 0; }
    if (strcmp(argv[1], "--version") == 0) argv[1] = "version";
    const qn_cmd *cmd = find_cmd(argv[1]);
    if (!cmd) return unknown_cmd(argv[1]);
    if (strcmp(argv[1], "help") == 0 && argc == 2) { overview(stdout); return 0; }
    return run_cmd(cmd, argc - 2, argv + 2);
}
