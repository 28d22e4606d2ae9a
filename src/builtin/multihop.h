/* multihop: questions that need two documents, composed from the plain facts of each (facts.h), with their decomposition.
 *   bridge      A says something whose answer is E, B is about E: Q2 about E with E replaced by what A says of it
 *   comparison  two documents about things of one kind share a property: which is longer, who was born first; or each has a nation or a kind: are both French, are
 *               both films (yes, no), which of them is French, what do they share?
 * Source: Lupidi et al. 2024 (Source2Synth), multi-hop question construction; question types of HotpotQA (Yang et al. 2018). */
#ifndef QN_BUILTIN_MULTIHOP_H
#define QN_BUILTIN_MULTIHOP_H
#include "builtin/facts.h"
#include "core/rng.h"

typedef struct qn_hop { qn_str question, answer; } qn_hop;
typedef struct qn_multihop {
    qn_str question, answer, seed;      /* seed: the entity that joins the two documents */
    qn_hop steps[2];
} qn_multihop;

/* False when no safe question is found. Texts live in the arena. `e` is the name of B's main entity. */
bool qn_bridge_write(const qn_facts *a, qn_str text_a, const qn_facts *b, qn_str e, qn_rng *r, qn_arena *ar, qn_multihop *out);
/* Things of different kinds that people compare all the same: a film and a novel, a town and a river. */
bool qn_kinds_akin(const qn_facts *a, const qn_facts *b);
bool qn_comparison_write(const qn_facts *a, const qn_facts *b, qn_rng *r, qn_arena *ar, qn_multihop *out);
#endif
