/* help: a command, an operator, a recipe, or the expression language. */
#include "cli/cmd.h"
#include "api/describe.h"
#include <stdio.h>

typedef struct { bool markdown; } opts;

static int say(qn_buf *b)
{
    fputs(b->p, stdout);
    qn_buf_free(b);
    return 0;
}

static int help_op(const char *name, bool md)
{
    qn_buf b = {0};
    qn_err e = {0};
    const qn_op *op = qn_op_find(qn_str_of(name));
    if (!op) {
        const char *near = qn_op_nearest(qn_str_of(name));
        qn_fail(&e, QN_EUSAGE, "no operator is called `%s`", name);
        if (near) qn_hint(&e, "did you mean `%s`?", near);
        else qn_hint(&e, "`quern ops` lists all");
        return qn_say_error(&e);
    }
    qn_describe_op(&b, op, md);
    return say(&b);
}

static bool help_recipe(const char *name, bool md, int *code)
{
    qn_arena a = {0};
    bool found = false;
    for (size_t i = 0; i < qn_recipes_count() && !found; i++) {
        qn_recipe_info r;
        qn_err e = {0};
        qn_buf b = {0};
        if (qn_recipe_info_get(i, &a, &r, &e) != QN_OK || strcmp(r.name, name) != 0) continue;
        qn_describe_recipe(&b, &r, md);
        *code = say(&b);
        found = true;
    }
    qn_arena_free(&a);
    return found;
}

/* The manual page, from the same descriptors. */
static int man_page(void)
{
    printf(".TH QUERN 1 \"\" \"quern %s\"\n.SH NAME\nquern \\- grind sources into training and evaluation data for language models\n"
           ".SH SYNOPSIS\n.B quern\n.I COMMAND\n[...]\n.SH COMMANDS\n", QN_VERSION);
    for (size_t i = 0; qn_cmds_table[i]; i++) {
        const qn_cmd *c = qn_cmds_table[i];
        printf(".SS %s\n%s.\n.PP\n.nf\n%s\n.fi\n", c->name, c->brief, c->usage);
        if (c->about) printf(".PP\n%s\n", c->about);
        for (const qn_opt *o = c->opts; o && o->name; o++) {
            printf(".TP\n");
            if (o->letter) printf("\\-%c, ", o->letter);
            printf("\\-\\-%s%s%s\n%s\n", o->name, o->value ? " " : "", o->value ? o->value : "", o->about);
        }
    }
    printf(".SH EXIT STATUS\n0 done; 1 nothing accepted, too many rows failed, or a target was not met; 2 a mistake in the command or recipe; 3 the budget is\n"
           "reached; 4 the model cannot be reached; 130 interrupted, run again to go on.\n"
           ".SH FILES\n.TP\nquern.yaml\nmodels: addresses, keys, prices, limits\n.TP\nDIR/ledger.db\nevery reply that was paid for\n");
    return 0;
}

static int unknown(const char *name)
{
    const char *words[64];
    size_t n = 0;
    qn_err e = {0};
    for (size_t i = 0; qn_cmds_table[i] && n < 64; i++) words[n++] = qn_cmds_table[i]->name;
    const char *near = qn_nearest(qn_str_of(name), words, n);
    if (!near) near = qn_recipe_nearest(qn_str_of(name));
    if (!near) near = qn_op_nearest(qn_str_of(name));
    qn_fail(&e, QN_EUSAGE, "there is no help on `%s`: no command, recipe or operator is called so", name);
    if (near) qn_hint(&e, "did you mean `%s`?", near);
    else qn_hint(&e, "`quern help` lists the commands, `quern recipes` the recipes, `quern ops` the operators");
    return qn_say_error(&e);
}

static int run(const qn_args *args, void *vo)
{
    const opts *o = vo;
    int code = 0;
    qn_buf b = {0};
    if (args->n_words == 2 && strcmp(args->words[0], "op") == 0) return help_op(args->words[1], o->markdown);
    if (args->n_words != 1) { qn_err e = {0}; qn_fail(&e, QN_EUSAGE, "help on what?"); qn_hint(&e, "quern help COMMAND, quern help RECIPE, quern help op NAME, quern help expressions"); return qn_say_error(&e); }
    const char *name = args->words[0];
    for (size_t i = 0; qn_cmds_table[i]; i++)
        if (strcmp(qn_cmds_table[i]->name, name) == 0) { qn_cmd_usage(qn_cmds_table[i]); return 0; }
    if (strcmp(name, "man") == 0) return man_page();
    if (strcmp(name, "expressions") == 0) { qn_describe_expressions(&b, o->markdown); return say(&b); }
    if (help_recipe(name, o->markdown, &code)) return code;
    if (qn_op_find(qn_str_of(name))) return help_op(name, o->markdown);
    return unknown(name);
}

static const qn_opt OPTS[] = { { "markdown", 0, QN_OPT_FLAG, NULL, "as Markdown, for the reference pages", offsetof(opts, markdown) }, { 0 } };

const qn_cmd qn_cmd_help = { .name = "help", .brief = "explain a command, a recipe, an operator, or expressions",
                             .usage = "quern help [COMMAND | RECIPE | op NAME | expressions]", .opts = OPTS, .opts_bytes = sizeof(opts), .run = run };
