/* support: is a claim supported by a passage, judged by words?
 *
 * The support of a claim is the share of its content words that the passage has. A number or a name that the passage does not have contradicts
 * it. A negation or a swapped subject is not seen. English small words; numbers and names in any language that writes capitals.
 * Source: word overlap of Rajpurkar et al. 2016, per sentence as in SummaC (Laban et al. 2022). */
#ifndef QN_TEXT_SUPPORT_H
#define QN_TEXT_SUPPORT_H
#include "core/map.h"

typedef struct qn_support {
    double support;         /* 0..1; 1 for a claim without content words */
    qn_str against;         /* the first number or name that the passage does not have; "" none; borrowed from the claim */
} qn_support;

/* The words of a passage as claims are compared with. Owned: qn_map_free.  Cost: one walk over the passage. */
void       qn_support_passage(qn_str passage, qn_map *words);
qn_support qn_support_of(qn_str claim, const qn_map *words);
/* The answer says that there is none ("the passage does not say"). English phrases, short answers only. */
bool       qn_support_declines(qn_str answer);
#endif
