/* report: what a run leaves for people and programs to look at: summary.json, report.html and README.md (a Hugging Face dataset card).
 *
 * The caller fills in qn_report_facts, which only borrows; everything else is read from the files that the run wrote. report.html is one
 * file that needs no network: data as JSON, drawn by a small script of our own under a content policy that names both by hash. Rows may hold
 * anything ("</script>", direction marks, a field of 100 MB): they enter the page as JSON text with `<` written as \u003c, cut to a length,
 * and reach the screen as text nodes only.
 * Cost: one pass over data.jsonl (at most 50,000 rows are looked into, chosen by the hash of their number), one over rejected.jsonl and
 * failed.jsonl; memory stays under about 16 MB whatever their size. */
#ifndef QN_REPORT_REPORT_H
#define QN_REPORT_REPORT_H
#include "data/value.h"

typedef struct qn_report_reason {
    const char *text;           /* "support below 0.8" */
    uint64_t    n;
    bool        failed;         /* an error, not a verdict */
    const char *example;        /* id of the first row it happened to; NULL */
} qn_report_reason;

typedef struct qn_report_step {
    const char *name, *op, *brief;
    uint64_t in, out, rejected, failed;
    const qn_report_reason *reasons;    /* most frequent first is not needed */
    size_t   n_reasons;
} qn_report_step;

typedef struct qn_report_source { const char *name, *licence, *sha256; uint64_t rows, bytes; } qn_report_source;     /* NULL, 0: not known */

typedef struct qn_report_model {
    const char *role, *name, *where;    /* where: URL or file; "builtin" */
    const char *licence, *terms;        /* names in the terms table; NULL unknown */
    uint64_t calls;
    int64_t  prompt_tokens, completion_tokens;
    double   cost_usd;
    bool     priced;
} qn_report_model;

/* A command of the recipe's that ran, and who allowed it: "--yes", "an answer at the terminal". */
typedef struct qn_report_command { const char *step, *runs, *allowed_by; } qn_report_command;

/* A target: `what` "rows", "tokens" or "share of topic = physics" (then want and got are shares). */
typedef struct qn_report_target { const char *what; double want, got; bool share; } qn_report_target;

typedef struct qn_report_output { const char *path, *about; uint64_t bytes, rows; } qn_report_output;        /* path relative to dir */

/* Human part of the set, from the recorded decisions; 0: not known. 1 manual, 2 manual, cleaned by machine, 3 generated and verified by people,
 * 4 generated and rated by machine with a human-labelled test part, 5 machine throughout, 6 improving from its environment. */
typedef enum { QN_HUMAN_UNKNOWN = 0, QN_HUMAN_MANUAL, QN_HUMAN_CLEANED, QN_HUMAN_VERIFIED, QN_HUMAN_TESTED, QN_HUMAN_NONE, QN_HUMAN_ENVIRONMENT } qn_human_level;

typedef struct qn_report_facts {
    const char *dir;            /* the run's folder: where report.html, README.md and summary.json go */
    const char *recipe, *about, *paper, *command, *version;     /* command: how to run it again; NULLs are left out */
    const char *recipe_hash;
    qn_value    params;         /* object, or null */
    uint64_t    seed;
    const char *ended;          /* "done", "target", "budget", "signal", "unreachable", "waiting", "error" */
    const char *ended_words;    /* for people, when it did not end by itself: "the budget of 5 USD is spent" */
    int64_t     ended_ms;       /* Unix time; 0: not shown */

    struct { uint64_t in, accepted, rejected, failed, pending, ahead, became, created; } rows;
    const qn_report_step *steps;        size_t n_steps;
    struct { uint64_t sent, replayed, failed, retried, collected; } calls;     /* collected: out of batches that an earlier run sent */
    struct { int64_t prompt, completion; } tokens;
    double   cost_usd;          /* paid by this run */
    double   cost_all_usd;      /* paid by this ledger, this run included; below cost_usd: not known */
    double   seconds, cpu_seconds;
    uint64_t peak_memory_bytes;
    uint64_t interrupted_in_flight;
    double   interrupted_worst_usd;

    const qn_report_source *sources;    size_t n_sources;
    const qn_report_model  *models;     size_t n_models;
    const qn_report_target *targets;    size_t n_targets;
    const qn_report_output *outputs;    size_t n_outputs;
    const qn_report_command *commands;  size_t n_commands;
    const char *const *warnings;        size_t n_warnings;      /* "the licence of docs/a.pdf is not known" */

    qn_human_level human;
    uint64_t decided, undecided;    /* rows that went on with a decision of people, and those that were not shown to any */
    const char *student;        /* the model that the rows will train, "evaluation"; NULL: nobody said */
    int         may_train;      /* 0 yes, 1 on conditions, 2 not known, 3 no; -1: no row to judge */
    const char *const *terms;   size_t n_terms;     /* why: one sentence for each licence and each model that is not a plain yes */
    const char *const *licences; size_t n_licences; /* of all that went into the accepted rows; "unknown" is one */
    const char *licence;        /* of the set, as inherited; NULL: it is put together from the sources */
    const char *const *languages;       size_t n_languages;     /* "en"; for the card */

    /* Files that the run wrote; NULL: there is none. Paths as they can be opened from here. */
    const char *data_path, *rejected_path, *failed_path, *trace_path, *ledger_path;
    const struct qn_survey *survey;     /* of data_path, so that it is read once; NULL: the page reads it itself, the card does without */
    const char *real_path;      /* rows of people's, to compare with; NULL none */
    const char *const *source_fields;   size_t n_source_fields; /* fields that a source gave: whom they speak of is shown beside what was made */
} qn_report_facts;

/* Each file appears whole or not at all. Errors: QN_EIO. A row that cannot be read is counted in the report, and is no error. */
qn_code qn_summary_write(const qn_report_facts *f, qn_err *e);
qn_code qn_report_write(const qn_report_facts *f, qn_err *e);
qn_code qn_card_write(const qn_report_facts *f, qn_err *e);

/* The same as text, appended. The summary is pretty-printed JSON and ends in a newline. */
void    qn_summary_text(const qn_report_facts *f, qn_buf *out);
qn_code qn_report_text(const qn_report_facts *f, qn_buf *out, qn_err *e);
void    qn_card_text(const qn_report_facts *f, qn_buf *out);
/* A text as a double-quoted YAML scalar that every reader of YAML 1.1 or 1.2 takes: what may not stand raw is escaped, invalid UTF-8 becomes
 * U+FFFD. */
void    qn_yaml_put_text(qn_buf *out, qn_str s);
#endif
