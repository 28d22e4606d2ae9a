/* args: GNU long options, name=value settings, words; and how errors are said. */
#include "cli/cmd.h"
#include <stdio.h>
#include <unistd.h>

bool qn_is_terminal(int fd) { return isatty(fd); }

void qn_say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

int qn_say_error(const qn_err *e)
{
    qn_buf b = {0};
    qn_err_text(e, &b);
    fprintf(stderr, "quern: %s\n", b.p);
    qn_buf_free(&b);
    return qn_perform_error_exit(e);
}

static qn_code unknown(const qn_cmd *cmd, qn_str name, qn_err *e)
{
    const char *near = qn_opt_nearest(cmd->opts, name, "help");
    qn_fail(e, QN_EUSAGE, "`quern %s` has no option --%.*s", cmd->name, QN_FMT(name));
    if (near) qn_hint(e, "did you mean --%s?", near);
    else qn_hint(e, "`quern help %s` lists its options", cmd->name);
    return QN_EUSAGE;
}

qn_code qn_args_parse(const qn_cmd *cmd, int argc, char **argv, void *opts, qn_args *args, qn_err *e)
{
    bool only_words = false;
    *args = (qn_args){ .words = QN_NEW_N(const char *, argc + 1) };
    for (int i = 0; i < argc; i++) {
        char *a = argv[i];
        const qn_opt *o = NULL;
        const char *value = NULL;
        if (only_words || a[0] != '-' || !a[1]) {
            qn_setting s;
            bool is_word = a[0] == '-' || a[0] == '.' || a[0] == '/' || !qn_pair_split(a, &s);
            if (is_word) args->words[args->n_words++] = a;
            else qn_pairs_add(&args->settings, s);
            continue;
        }
        if (strcmp(a, "--") == 0) { only_words = true; continue; }
        if (a[1] == '-') {
            char *eq = strchr(a, '=');
            qn_str name = { a + 2, eq ? (size_t)(eq - a - 2) : strlen(a) - 2 };
            o = qn_opt_find(cmd->opts, name, 0);
            if (!o) return unknown(cmd, name, e);
            if (eq) value = eq + 1;
            if (eq && o->kind == QN_OPT_FLAG) return qn_fail(e, QN_EUSAGE, "--%s takes no value", o->name);
        } else {
            o = qn_opt_find(cmd->opts, (qn_str){0}, a[1]);
            if (!o) return unknown(cmd, (qn_str){ a + 1, 1 }, e);
            if (a[2]) value = a + 2;
        }
        if (o->kind != QN_OPT_FLAG && !value) {
            if (i + 1 >= argc) return qn_fail(e, QN_EUSAGE, "--%s needs a value: --%s %s", o->name, o->name, o->value);
            value = argv[++i];
        }
        QN_TRY(qn_opt_set(o, value, opts, e));
    }
    return QN_OK;
}

void qn_args_free(qn_args *args)
{
    qn_free(args->words);
    qn_free(args->settings.items);
    *args = (qn_args){0};
}

void qn_cmd_usage(const qn_cmd *cmd)
{
    printf("%s\n\nusage: %s\n", cmd->brief, cmd->usage);
    if (cmd->about) printf("\n%s\n", cmd->about);
    if (cmd->opts && cmd->opts->name) printf("\noptions:\n");
    for (const qn_opt *o = cmd->opts; o && o->name; o++) {
        char left[64];
        snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : " ", o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
                 o->value ? " " : "", o->value ? o->value : "");
        printf("  %-26s %s\n", left, o->about);
    }
}
