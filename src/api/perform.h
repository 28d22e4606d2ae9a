/* perform: a plan run from the outside: what `quern run`, `quern apply` and the library's API (include/quern.h) do alike. Prints nothing. */
#ifndef QN_API_PERFORM_H
#define QN_API_PERFORM_H
#include "api/leave.h"
#include "api/option.h"
#include "quern.h"

enum { QN_EXIT_DONE = QUERN_DONE, QN_EXIT_LACKING = QUERN_LACKING, QN_EXIT_USAGE = QUERN_MISTAKE, QN_EXIT_BUDGET = QUERN_BUDGET,
       QN_EXIT_MODEL = QUERN_UNREACHABLE, QN_EXIT_INTERRUPTED = QUERN_INTERRUPTED };

/* The settings of a run, as options name them. Texts are borrowed; NULL is the default. */
typedef struct qn_perform_opts {
    const char *ledger, *config, *rejected, *student, *against, *licence;
    int64_t seed, limit, memory, workers, in_flight;
    double budget, max_failed;
    bool fresh, yes, batch;
    const char *allowed_by;                 /* who let the recipe's commands run, with `yes`: NULL is the option itself */
    const int *stop;                        /* see qn_run_opts */
    void (*progress)(void *arg, const qn_progress *p);
    void *progress_arg;
    void (*ended)(void *arg, const qn_ended *row);
    void *ended_arg;
} qn_perform_opts;
void qn_perform_defaults(qn_perform_opts *o);

/* Their options: `s` is a struct with a qn_perform_opts called `run`. For commands' tables and for the API's. */
#define QN_O(s, name, letter, kind, value, about, field) { name, letter, kind, value, about, offsetof(s, field) }
#define QN_PERFORM_OPTS(s, ledger_about) \
    QN_O(s, "seed", 's', QN_OPT_INT, "N", "for all random choices (default 1)", run.seed), \
    QN_O(s, "limit", 'n', QN_OPT_INT, "N", "read at most N rows from each source", run.limit), \
    QN_O(s, "budget", 'b', QN_OPT_REAL, "USD", "stop before spending more, counting all that this ledger has spent", run.budget), \
    QN_O(s, "memory", 0, QN_OPT_SIZE, "SIZE", "ceiling for rows and indexes in memory (default 1G)", run.memory), \
    QN_O(s, "workers", 'j', QN_OPT_INT, "N", "threads (default: one a core)", run.workers), \
    QN_O(s, "in-flight", 0, QN_OPT_INT, "N", "requests under way at once, at most (default 1024; paced below that)", run.in_flight), \
    QN_O(s, "ledger", 0, QN_OPT_TEXT, "FILE", ledger_about, run.ledger), \
    QN_O(s, "fresh", 0, QN_OPT_FLAG, NULL, "ask everything anew: replies recorded so far are not used", run.fresh), \
    QN_O(s, "batch", 0, QN_OPT_FLAG, NULL, "send requests as batch files: half the price, an answer within a day (`batch: yes` in quern.yaml for one model)", run.batch), \
    QN_O(s, "config", 0, QN_OPT_TEXT, "FILE", "model names, keys and prices (default quern.yaml here, then in ~/.config/quern)", run.config)
/* Those of whole recipes. */
#define QN_PERFORM_RECIPE_OPTS(s) \
    QN_O(s, "max-failed", 0, QN_OPT_REAL, "SHARE", "exit 1 when more than this share of rows failed (default 0.1)", run.max_failed), \
    QN_O(s, "for", 0, QN_OPT_TEXT, "MODEL", "the model that the rows will train, or `evaluation`: what a teacher's terms or a source's licence forbid stops the run", run.student), \
    QN_O(s, "licence", 0, QN_OPT_TEXT, "NAME", "licence of sources that do not say theirs (cc-by-4.0, mit, your-own ...)", run.licence), \
    QN_O(s, "against", 0, QN_OPT_TEXT, "FILE", "rows of people's, to compare the result with in report.html", run.against), \
    QN_O(s, "yes", 'y', QN_OPT_FLAG, NULL, "run the commands that the recipe names (pipe, check_command) without asking", run.yes)

/* A recipe from somebody else must not run commands unseen: one line for each step that runs one, into `out`; false when there is none.
 * qn_perform_run refuses such a plan without o->yes. */
bool    qn_perform_commands(const qn_plan *plan, qn_buf *out);
/* What a teacher's terms, or a licence that the recipe names for a source, forbid for o->student is an error (QN_EUSAGE); what is unknown, or binds to a condition, is told, one sentence each. */
qn_code qn_perform_terms(const qn_plan *plan, const qn_perform_opts *o, void (*tell)(const char *words), qn_err *e);

/* A recipe's run into the folder `dir`, which is made: lock, log, run, and what a run leaves. `l` gets the facts (qn_leave_free, qn_run_result_free);
 * both are empty after an error of the run itself. */
qn_code qn_perform_run(const qn_plan *plan, const qn_perform_opts *o, const char *dir, const char *command, qn_run_result *r, qn_leave *l, qn_err *e);

/* The recipe of three steps (read, the operator, write) that applies one operator. `in` is a file or -, `out` a file, - or NULL: rows only go to
 * o->ended. *raw: kept rows leave byte for byte as they came. */
void    qn_perform_op_recipe(const qn_op *op, const qn_setting *settings, size_t n, const char *in, const char *out, bool *raw, qn_buf *b);
/* Runs such a plan. Without o->ledger, replies are remembered in `ledger`; NULL: in a file that goes away. */
qn_code qn_perform_apply(const qn_plan *plan, const qn_perform_opts *o, const char *ledger, qn_run_result *r, qn_err *e);

int     qn_perform_exit(const qn_run_result *r, double max_failed);
int     qn_perform_apply_exit(const qn_run_result *r);      /* a filter may well reject all */
int     qn_perform_error_exit(const qn_err *e);
#endif
