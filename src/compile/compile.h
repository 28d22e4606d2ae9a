/* compile: a recipe made better against a metric: demonstrations from its own good runs, instructions that a model proposes, a bounded search.
 *
 *   rows ─split─▶ train ──teacher runs the recipe──▶ what the metric accepts becomes demonstrations, step by step
 *                 search ──each candidate runs────▶ the best combination of instruction and demonstrations
 *                 held out ─baseline and best run─▶ figures that nothing was chosen by; no gain, no new recipe
 *
 * Every run shares one ledger: a compile that was stopped (budget, signal, kill) goes on where it was when it is run again, and pays nothing twice.
 * Choices hang on the seed and on recorded replies alone.
 * Source: DSPy (Khattab et al. 2023), bootstrapped few-shot demonstrations; MIPRO (Opsahl-Ong et al. 2024), instructions proposed from the program
 * and its data, searched together with demonstrations. */
#ifndef QN_COMPILE_COMPILE_H
#define QN_COMPILE_COMPILE_H
#include "api/perform.h"
#include "compile/tuned.h"

typedef struct qn_compile_opts {
    qn_perform_opts run;                    /* budget, seed, workers ...; ledger NULL: DIR/ledger.db */
    const char *recipe;                     /* a shipped recipe's name, or a file */
    const qn_setting *settings; size_t n_settings;
    const qn_setting *models;   size_t n_models;    /* the student: what the compiled recipe will run with */
    const qn_setting *teachers; size_t n_teachers;  /* roles as the teacher has them; none: the student teaches itself */
    qn_models  *registry;
    const char *rows;                       /* which parameter names the file of labelled rows */
    const char *metric;                     /* expression over a row that came out: true or 1 is right */
    const char *dir, *out;                  /* working folder; the new recipe's file */
    int64_t     demos, sets, instructions, trials;  /* demonstrations in a prompt; sets of them tried; instructions proposed for a step; candidates run */
    int64_t     most_rows;                  /* labelled rows used at most; -1 all */
    double      accept;                     /* smallest metric of a run whose calls become demonstrations */
    void (*tell)(const char *words);        /* progress, one line each; may be NULL */
} qn_compile_opts;

typedef struct { double mean, half; uint64_t n; } qn_score;     /* half: half of the 95% interval (normal) */

typedef struct qn_compiled {
    qn_score baseline_search, baseline_held, best_search, best_held;
    uint64_t n_bootstrapped;                /* rows of the train slice that the metric accepted */
    size_t   n_trials;
    bool     gained;                        /* the new recipe was written */
    double   cost_usd;                      /* all that the ledger has spent */
    qn_buf   json;                          /* all figures and trials, as compile.json; owned */
} qn_compiled;

/* Errors: QN_EUSAGE, QN_ERECIPE; QN_EBUDGET, QN_ESTOP, QN_EMODEL when a run was stopped (run again to go on); QN_EDATA when nothing can be learned. */
qn_code qn_compile(const qn_compile_opts *o, qn_compiled *out, qn_err *e);
void    qn_compiled_free(qn_compiled *c);
#endif
