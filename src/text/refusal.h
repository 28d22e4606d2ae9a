/* refusal: replies that are no answer: refusals, apologies, leaked prompts, talk about the task, cut or broken text.
 * Phrases of English replies, looked for where they mean something: a refusal at the beginning, a cut at the end. */
#ifndef QN_TEXT_REFUSAL_H
#define QN_TEXT_REFUSAL_H
#include "core/str.h"

typedef enum {
    QN_REPLY_IS_REFUSAL,    /* "I'm sorry, but I can't help with that" */
    QN_REPLY_IS_APOLOGY,    /* "I apologize for the confusion" */
    QN_REPLY_IS_LEAK,       /* the prompt's own words: role marks, "You are a helpful assistant", chat templates */
    QN_REPLY_IS_META,       /* talk about the task instead of doing it: "Here is the rewritten prompt:", "[Your name]", {{holes}} */
    QN_REPLY_IS_CUT,        /* ends inside a sentence, a code block, a bracket or a quotation */
    QN_REPLY_IS_BROKEN,     /* U+FFFD, control characters, nothing but marks */
    QN_REPLY_IS_EMPTY,
    QN_REPLY_N
} qn_reply_fault;
extern const char *const QN_REPLY_FAULTS[QN_REPLY_N];   /* "refusal", "apology", ... */

/* Faults as bits 1 << fault; 0 when the reply looks whole.
 *   at   out, bytes where the first fault of each kind was found (may be NULL); only set where the bit is
 * Cost: O(n), no allocation. */
unsigned qn_refusal_faults(qn_str reply, size_t at[QN_REPLY_N]);
#endif
