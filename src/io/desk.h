/* desk: tasks for people and what they decided, as JSONL files in a folder: one file a person, filled in by hand or by a page.
 *
 *   DIR/anna.jsonl   {"task": "3f...", "decision": "", "note": "", "edit": {...}, "show": {...}}
 *                    a line is decided once `decision` is not empty; `who` names the person, else the file does
 *
 * Any other *.jsonl in the folder is read as well, so a person may hand in a file of their own. Writing keeps what people wrote byte for byte: a
 * decided line is never changed, and an undecided one goes only when its task is no longer wanted. Reading happens once, at opening. */
#ifndef QN_IO_DESK_H
#define QN_IO_DESK_H
#include "core/err.h"
#include "data/value.h"

typedef struct qn_desk qn_desk;
typedef struct qn_desk_line {
    qn_str task, who;
    qn_value fields;                /* the whole line, an object */
    const char *file;               /* for messages */
    int line;
} qn_desk_line;

/* Makes the folder when absent, reads what is there. A line that is no JSON object with `task` is an error with its place: people's work is
 * not passed over. Errors: QN_EIO, QN_EDATA. */
qn_code qn_desk_open(qn_desk **out, const char *dir, qn_err *e);
void    qn_desk_close(qn_desk *d);                              /* NULL is fine; writes nothing */
/* The decided lines, in byte order of file names, then by line. Borrowed. */
size_t  qn_desk_n(const qn_desk *d);
const qn_desk_line *qn_desk_at(const qn_desk *d, size_t i);
/* The i-th decided line about a task; NULL when there are no more. Cost: O(1) to find the task. */
const qn_desk_line *qn_desk_about(const qn_desk *d, qn_str task, size_t i);
/* The person is wanted for the task; `line` is its JSON (one line), copied, used where the person's file does not have the task yet. Thread-safe. */
void    qn_desk_want(qn_desk *d, qn_str person, qn_str task, qn_str line);
size_t  qn_desk_wanted(qn_desk *d, qn_str person);              /* how many of this person's wanted tasks are open */
/* Writes the files of those who are wanted; each whole or not at all. complete: tasks that nobody wanted are over, their undecided lines go. */
qn_code qn_desk_write(qn_desk *d, bool complete, qn_err *e);
#endif
