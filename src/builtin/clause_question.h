/* clause_question: a question as people ask it, from one clause of a sentence: its verb is found, then the clause asks for its own subject ("Who
 * defended the Cubists in 1912?") or for a number, a name or the last words behind the verb ("When did Smith defend the Cubists?").
 * Rough: a clause whose verb is not in the lists is left alone, what is asked for is guessed from its form, and grammar can slip. A pronoun that
 * opens the clause stands for the passage's title. To train and test a search with; for questions to be read see builtin/facts.h.
 * Source of the method: Heilman & Smith 2010, "Good Question!", section 3 (the answer phrase moves to the front, the auxiliary before the subject). */
#ifndef QN_BUILTIN_CLAUSE_QUESTION_H
#define QN_BUILTIN_CLAUSE_QUESTION_H
#include "core/rng.h"
#include "core/str.h"

enum { QN_SAID_WORDS = 60 };
typedef struct { qn_str text; bool stop, capital, number, comma; } qn_said_word;    /* comma: a mark stands before it */
typedef struct { qn_said_word w[QN_SAID_WORDS]; size_t n; } qn_said;                /* a sentence */

/* Appends a question about the sentence; other: as in qn_passage_query. False, and `out` unchanged, when no clause is fit. Cost: O(words * verbs). */
bool qn_clause_question(const qn_said *s, qn_str title, double other, qn_rng *r, qn_buf *out);
/* One word of a query: exchanged for a synonym with the chance `other` when it is neither name nor number. */
void qn_put_said(const qn_said_word *w, bool opens, double other, qn_rng *r, qn_buf *out);
#endif
