/* relations: what encyclopaedia sentences say of their main entity in set phrases: "a novel by X", "plays for X", "a village in X", "daughter of X",
 * "formed in X in 1990", "the population was 1,519". More and looser readings than facts.h gives: for questions that join two documents, where
 * a wrong one is caught by what comes behind (tries, people).
 *
 * Each relation is a line of a table: the words in front of the name, what is asked of it, how the name is described by the main entity. */
#ifndef QN_BUILTIN_RELATIONS_H
#define QN_BUILTIN_RELATIONS_H
#include "builtin/facts.h"

/* Adds to what qn_facts_find found in the same title and passage. Cost: O(bytes * relations). */
void qn_relations_find(qn_str passage, qn_arena *a, qn_facts *f);
#endif
