/* quern.h: quern as a library. Link libquern.a; nothing else of quern's needs to be seen.
 *
 *     quern *q = quern_open("table_qa");                  a shipped recipe, or a recipe's file
 *     quern_set(q, "tables", "examples/tables");
 *     quern_on_row(q, show, NULL);                        optional: each row as it ends
 *     if (quern_run(q, "out") != QUERN_DONE) fprintf(stderr, "%s\n", quern_error_text(q));
 *     quern_close(q);
 *
 * Everything that holds for the command line holds here: a recipe is checked whole before its first row is read or its first call is paid;
 * replies are recorded and never paid for twice; a run that was stopped goes on when it is run again into the same folder; no row is lost
 * unaccounted for. Options and parameters are the command line's own, given as texts: `quern help run` and `quern help RECIPE` list them.
 *
 * Texts that come in are copied. Texts that go out are UTF-8, NUL-terminated, and belong to the handle until its next call, unless it says
 * otherwise. A handle belongs to one thread at a time (but quern_stop). Out of memory ends the process. The library prints nothing.
 *
 * A process runs one recipe at a time, with as many threads as it is told: run.log, the children that read documents and the ceiling of memory are
 * the process's. quern_check, quern_run and quern_apply of any handle that come while another is at work, also from its callbacks, are QUERN_MISTAKE
 * at once and change nothing. Several recipes at a time are several processes. */
#ifndef QUERN_H
#define QUERN_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define QUERN_VERSION "0.1.0"
const char *quern_version(void);            /* of the library that is linked; static */

/* How a call ended: the command line's exit codes. Everything but QUERN_DONE has words: quern_error_text. */
typedef enum quern_status {
    QUERN_DONE        = 0,
    QUERN_LACKING     = 1,                  /* nothing was accepted, too many rows failed, a target was not met, a disk or a source broke */
    QUERN_MISTAKE     = 2,                  /* in the recipe, a parameter or an option: nothing was read, sent or written */
    QUERN_BUDGET      = 3,                  /* the budget is reached: run again with more to go on */
    QUERN_UNREACHABLE = 4,                  /* a model does not answer */
    QUERN_INTERRUPTED = 130                 /* quern_stop: run again to go on */
} quern_status;

/* ---- opening ---- never NULL; what is wrong with it is said by the first call that needs to know. Release with quern_close. */
typedef struct quern quern;
quern *quern_open(const char *recipe);                              /* name of a shipped recipe, or path of a file (has a '/' or ends in .yaml) */
quern *quern_open_text(const char *yaml, const char *name);         /* a recipe's text; `name` stands for its file in errors */
quern *quern_open_op(const char *op);                               /* one operator alone, for quern_apply */
void   quern_close(quern *q);                                       /* NULL is fine */

/* ---- settings ---- the last one given wins. A wrong option is QUERN_MISTAKE at once, a wrong parameter when it is checked. */
quern_status quern_set(quern *q, const char *param, const char *value);         /* a parameter: "per_table", "8" */
quern_status quern_set_model(quern *q, const char *role, const char *where);    /* "writer", "http://127.0.0.1:8080/v1#name" */
/* As on the command line, without dashes: seed, limit, budget, memory, workers, in-flight, ledger, fresh, config, max-failed, for (the model that
 * the rows will train), yes ("yes": run commands that the recipe names). One more: program, the path of the quern program, which reads documents in
 * a child process (default: $QUERN_PROGRAM, else `quern` on the PATH). */
quern_status quern_option(quern *q, const char *name, const char *value);

/* ---- callbacks ---- on the thread that called quern_run; what they point to lives until they return. */
typedef enum quern_verdict { QUERN_ACCEPTED, QUERN_REJECTED, QUERN_FAILED } quern_verdict;
typedef struct quern_row {
    quern_verdict verdict;
    const char *json;                       /* the row: one JSON object, without the columns of a trainer's layout */
    size_t      n_bytes;
    const char *id;                         /* 32 hexadecimal digits: where it comes from; the same in every run */
    const char *step;                       /* where it ended */
    const char *reason;                     /* "support 0.20 below 0.80", "HTTP 500 ..."; "" when accepted */
} quern_row;
typedef void (*quern_row_fn)(void *arg, const quern_row *row);      /* in the order of data.jsonl, rejected.jsonl, failed.jsonl */
void quern_on_row(quern *q, quern_row_fn fn, void *arg);

typedef struct quern_progress {
    double   seconds;
    uint64_t read, accepted, rejected, failed, in_flight, replayed; /* rows; requests */
    double   cost_usd;
    const char *resting;                    /* why requests wait at the moment; NULL: they do not */
} quern_progress;
typedef void (*quern_progress_fn)(void *arg, const quern_progress *p);          /* about ten times a second, and at the end */
void quern_on_progress(quern *q, quern_progress_fn fn, void *arg);

/* ---- doing it ---- */
quern_status quern_check(quern *q);                                 /* every check that needs no row and no call */
quern_status quern_run(quern *q, const char *dir);                  /* the recipe into the folder `dir`, as `quern run -o DIR` */
/* The operator on rows in memory, one JSON object a line; rows come back by quern_on_row. A source takes no rows: NULL, 0. A filter gives the rows that
 * it keeps byte for byte; with the parameter fields=yes they get what was measured. Rejecting all of them is QUERN_DONE. */
quern_status quern_apply(quern *q, const char *rows, size_t n_bytes);
/* Ends a run gently: what is under way may finish. A second call ends it at once. From any thread, a callback or a signal handler. */
void         quern_stop(quern *q);
const char  *quern_summary(quern *q);       /* of the last run or apply, as summary.json; "{}" before */

/* ---- errors ---- of the last call that failed */
typedef struct quern_error {
    quern_status status;
    const char *message;                    /* one sentence; "" when nothing failed */
    const char *hint;                       /* what to do about it; may be "" */
    const char *file;                       /* what of the user's it is about; "" when nothing in particular */
    int line, column;                       /* from 1; 0 unknown */
} quern_error;
quern_error quern_error_of(const quern *q);
const char *quern_error_text(const quern *q);                       /* as people read it: "my.yaml:3:7: message" and the hint; "" when nothing failed */

/* ---- what there is ---- JSON as `quern ops --json` and `quern recipes --json` print it; owned by the caller: quern_free */
char *quern_ops_json(void);
char *quern_recipes_json(void);
void  quern_free(void *p);

#ifdef __cplusplus
}
#endif
#endif
