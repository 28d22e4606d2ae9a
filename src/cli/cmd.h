/* cmd: a command of the program. One file `cmd_NAME.c` defines `qn_cmd_NAME`. Data goes to standard output, words to standard error. */
#ifndef QN_CLI_CMD_H
#define QN_CLI_CMD_H
#include "api/perform.h"

typedef struct qn_args {        /* what is left after the options */
    const char **words; size_t n_words;         /* positional */
    qn_pairs settings;                          /* name=value */
} qn_args;

typedef struct qn_cmd {
    const char *name, *brief;
    const char *usage;          /* "quern run RECIPE [name=value ...] [options]" */
    const char *about;          /* paragraphs */
    const qn_opt *opts;         /* ends with a NULL name; --help is everybody's */
    size_t      opts_bytes;
    void (*defaults)(void *opts);               /* fills in what holds when an option is not given; may be NULL */
    int (*run)(const qn_args *args, void *opts);
    bool (*explain)(const char *word);          /* --help behind a word: says what the word is in front of the usage; false: not a word to explain. May be NULL */
} qn_cmd;
extern const qn_cmd *const qn_cmds_table[];

/* Parses argv behind the command's name into `opts` (zeroed by the caller, who has put the defaults in) and `args`. Everything is borrowed from argv. */
qn_code qn_args_parse(const qn_cmd *cmd, int argc, char **argv, void *opts, qn_args *args, qn_err *e);
void    qn_args_free(qn_args *args);
void    qn_cmd_usage(const qn_cmd *cmd);                     /* to standard output */

/* Prints "quern: ..." with position and hint to standard error; gives the exit code that belongs to it. */
int     qn_say_error(const qn_err *e);
void    qn_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));    /* words for people: standard error */
bool    qn_is_terminal(int fd);
const int *qn_stop_flag(void);                               /* takes SIGINT, SIGTERM and SIGHUP from now on; counts them: see qn_run_opts.stop */
/* Before a recipe that runs commands: shows them and asks, unless o->yes; an answer of yes sets it. Refused: QN_EUSAGE. */
qn_code qn_ask_commands(const qn_plan *plan, qn_perform_opts *o, qn_err *e);
#define QN_VERSION QUERN_VERSION
#endif
