/* progress: one line that is rewritten on a terminal, JSON lines otherwise (with --json nothing: the summary is what counts). */
#ifndef QN_CLI_PROGRESS_H
#define QN_CLI_PROGRESS_H
#include "engine/engine.h"
typedef struct qn_progress_view { bool terminal, quiet; double last_line; bool shown; } qn_progress_view;
void qn_progress_show(void *view, const qn_progress *p);
void qn_progress_end(qn_progress_view *view);
#endif
