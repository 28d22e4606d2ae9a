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
    switch (e->code) {
    case QN_EUSAGE: case QN_ERECIPE: return QN_EXIT_USAGE;
    case QN_EBUDGET: return QN_EXIT_BUDGET;
    case QN_EMODEL: return QN_EXIT_MODEL;
    case QN_ESTOP: return QN_EXIT_INTERRUPTED;
    default: return QN_EXIT_LACKING;
    }
}

static const qn_opt *find(const qn_cmd *cmd, qn_str name, char letter)
{
    for (const qn_opt *o = cmd->opts; o && o->name; o++)
        if (letter ? o->letter == letter : qn_str_is(name, o->name)) return o;
    return NULL;
}

static qn_code unknown(const qn_cmd *cmd, qn_str name, qn_err *e)
{
    const char *names[64];
    size_t n = 0;
    for (const qn_opt *o = cmd->opts; o && o->name && n < 63; o++) names[n++] = o->name;
    names[n++] = "help";
    const char *near = qn_nearest(name, names, n);
    qn_fail(e, QN_EUSAGE, "`quern %s` has no option --%.*s", cmd->name, QN_FMT(name));
    if (near) qn_hint(e, "did you mean --%s?", near);
    else qn_hint(e, "`quern help %s` lists its options", cmd->name);
    return QN_EUSAGE;
}

bool qn_size_of_text(qn_str s, int64_t *out);

static bool split_pair(const char *word, qn_setting *out)
{
    const char *eq = strchr(word, '=');
    if (!eq || eq == word) return false;
    *out = (qn_setting){ { word, (size_t)(eq - word) }, qn_str_of(eq + 1) };
    return true;
}

static void add_pair(qn_pairs *p, qn_setting s)
{
    QN_GROW(p->items, p->n, p->cap);
    p->items[p->n++] = s;
}

static qn_code set(const qn_opt *o, const char *value, void *opts, qn_err *e)
{
    void *at = (char *)opts + o->offset;
    qn_setting pair;
    switch (o->kind) {
    case QN_OPT_FLAG: *(bool *)at = true; return QN_OK;
    case QN_OPT_TEXT: *(const char **)at = value; return QN_OK;
    case QN_OPT_INT:
        if (qn_str_to_i64(qn_str_of(value), at) && *(int64_t *)at >= 0) return QN_OK;
        return qn_fail(e, QN_EUSAGE, "--%s is `%s`, a whole number is needed", o->name, value);
    case QN_OPT_REAL:
        if (qn_str_to_f64(qn_str_of(value), at) && *(double *)at >= 0) return QN_OK;
        return qn_fail(e, QN_EUSAGE, "--%s is `%s`, a number is needed", o->name, value);
    case QN_OPT_SIZE:
        if (qn_size_of_text(qn_str_of(value), at) && *(int64_t *)at > 0) return QN_OK;
        return qn_fail(e, QN_EUSAGE, "--%s is `%s`, a size such as 256M or 2G is needed", o->name, value);
    case QN_OPT_PAIRS:
        if (!split_pair(value, &pair)) return qn_fail(e, QN_EUSAGE, "--%s is `%s`, %s is needed", o->name, value, o->value);
        add_pair(at, pair);
        return QN_OK;
    }
    return QN_OK;
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
            bool is_word = a[0] == '-' || a[0] == '.' || a[0] == '/' || !split_pair(a, &s);
            if (is_word) args->words[args->n_words++] = a;
            else add_pair(&args->settings, s);
            continue;
        }
        if (strcmp(a, "--") == 0) { only_words = true; continue; }
        if (a[1] == '-') {
            char *eq = strchr(a, '=');
            qn_str name = { a + 2, eq ? (size_t)(eq - a - 2) : strlen(a) - 2 };
            o = find(cmd, name, 0);
            if (!o) return unknown(cmd, name, e);
            if (eq) value = eq + 1;
            if (eq && o->kind == QN_OPT_FLAG) return qn_fail(e, QN_EUSAGE, "--%s takes no value", o->name);
        } else {
            o = find(cmd, (qn_str){0}, a[1]);
            if (!o) return unknown(cmd, (qn_str){ a + 1, 1 }, e);
            if (a[2]) value = a + 2;
        }
        if (o->kind != QN_OPT_FLAG && !value) {
            if (i + 1 >= argc) return qn_fail(e, QN_EUSAGE, "--%s needs a value: --%s %s", o->name, o->name, o->value);
            value = argv[++i];
        }
        QN_TRY(set(o, value, opts, e));
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
