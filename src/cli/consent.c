/* consent: a recipe's commands are shown, and run only when somebody says yes: at the terminal, or before, by --yes. */
#include "cli/cmd.h"
#include <stdio.h>

qn_code qn_ask_commands(const qn_plan *plan, qn_perform_opts *o, qn_err *e)
{
    qn_buf words = {0};
    bool any = qn_perform_commands(plan, &words), terminal = qn_is_terminal(0);
    if (any && !o->yes) qn_say("%s", words.p);
    if (any && !o->yes && terminal) {
        fprintf(stderr, "%s [y/N] ", strchr(words.p, '\n') ? "run them?" : "run it?");
        int c = getchar();
        o->yes = c == 'y' || c == 'Y';
        o->allowed_by = "an answer at the terminal";
    }
    qn_buf_free(&words);
    if (!any || o->yes) return QN_OK;
    qn_fail(e, QN_EUSAGE, terminal ? "the recipe's commands were not allowed" : "the recipe runs commands, and nobody is here to allow them");
    qn_hint(e, "look at them, then give --yes");
    return QN_EUSAGE;
}
