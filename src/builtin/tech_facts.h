/* tech_facts: what technical prose says (manuals, references, licences), as questions with answers, found by rules and no model: what an abbreviation stands for,
 * defaults, versions in which something came or went, what a name in code font is, does, sets or returns, what a thing is used for, called, or means.
 *
 * Facts (facts.h) are read from encyclopaedic sentences; a manual has others, and names in `code font`. As there, what is not read with certainty is left alone:
 * a subject is a name in code font, a defined term, or a noun phrase that stands alone; never a pronoun. */
#ifndef QN_BUILTIN_TECH_FACTS_H
#define QN_BUILTIN_TECH_FACTS_H
#include "builtin/facts.h"

/* Adds to `out`, which qn_facts_find has filled in (or which is zero). Texts are borrowed from the passage or live in the arena. Cost: O(bytes). */
void qn_tech_facts_find(qn_str passage, qn_arena *a, qn_facts *out);
#endif
