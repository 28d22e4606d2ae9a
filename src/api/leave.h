/* leave: after a run, its facts become summary.json, report.html and the dataset card. */
#ifndef QN_API_LEAVE_H
#define QN_API_LEAVE_H
#include "engine/engine.h"
#include "report/report.h"

typedef struct qn_leave {       /* everything that the facts borrow; release with qn_leave_free */
    qn_report_facts facts;
    struct qn_leave_share { qn_report_target *target; const char *field; qn_str value; } *shares;  /* targets that the written rows must be asked for */
    size_t n_shares;
    qn_arena arena;
} qn_leave;

/* dir: NULL when the run left no files. command: how to run it again; NULL: nobody knows. Texts are borrowed. */
void    qn_leave_make(qn_leave *l, const qn_plan *plan, const qn_run_result *r, const char *dir, const char *ledger, const char *command);
/* Whether the accepted rows may train `student` (NULL: nobody said which), from what went into them: the licences of sources and the terms of models. */
void    qn_leave_terms(qn_leave *l, const qn_plan *plan, const qn_run_result *r, const char *student);
/* Writes the three files. The first that cannot be written is the error. */
qn_code qn_leave_write(qn_leave *l, qn_err *e);
void    qn_leave_free(qn_leave *l);
#endif
