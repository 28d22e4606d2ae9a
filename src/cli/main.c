/* main: finds the command and hands over. */
#include "cli/cmd.h"
#include "core/log.h"
#include "io/format.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            if (cmd->explain && i > 0 && cmd->explain(argv[0])) printf("\n%s\noptions: `quern help %s`\n", cmd->usage, cmd->name);
            else qn_cmd_usage(cmd);
            return 0;
        }
    qn_args args;
    qn_err e = {0};
    void *opts = qn_zalloc(cmd->opts_bytes + 1);
    if (cmd->defaults) cmd->defaults(opts);
    int code = qn_args_parse(cmd, argc, argv, opts, &args, &e) == QN_OK ? cmd->run(&args, opts) : qn_say_error(&e);
    qn_args_free(&args);
    for (const qn_opt *o = cmd->opts; o && o->name; o++)
        if (o->kind == QN_OPT_PAIRS) qn_free(((qn_pairs *)(void *)((char *)opts + o->offset))->items);
    qn_free(opts);
    return code;
}

/* A closed standard input, output or error would be the next file that is opened, and words would be written into it. */
static void open_standard_files(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", fd ? O_WRONLY : O_RDONLY) != fd) _exit(QN_EXIT_LACKING);
}

/* What was to be printed and could not (a full disk, a reader that went away) is no success. */
static int flushed(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    if (errno != EPIPE) fprintf(stderr, "quern: cannot write to standard output: %s\n", strerror(errno));
    return code ? code : QN_EXIT_LACKING;
}

int main(int argc, char **argv)
{
    open_standard_files();
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && strcmp(argv[1], "--reader-child") == 0) return qn_doc_child_main();
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) { overview(argc < 2 ? stderr : stdout); return argc < 2 ? 2 : 0; }
    if (strcmp(argv[1], "--version") == 0) argv[1] = "version";
    const qn_cmd *cmd = find_cmd(argv[1]);
    if (!cmd) return unknown_cmd(argv[1]);
    if (strcmp(argv[1], "help") == 0 && argc == 2) { overview(stdout); return flushed(0); }
    return flushed(run_cmd(cmd, argc - 2, argv + 2));
}
