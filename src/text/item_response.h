/* item_response: how hard and how telling the questions of an exam are, and how able those who took it, from right and wrong answers alone.
 *
 * The three-parameter model: P(right) = guess + (1 - guess) * s(discrimination * (ability - difficulty)), s the logistic function. The ability of a
 * taker is the sum of its parts' (a retriever, a model): each part gets a figure of its own. Most probable values under priors that keep them
 * finite: ability and difficulty normal(0, 1), log discrimination normal(0, 0.5), logit of the guess normal(logit(1 / options), 0.5).
 * Found by Adam with a falling step from the same start: the same answers give the same figures.
 * Cost: O(answers) a step, 1,500 steps; 48 bytes a question, 24 a part.
 * Source: Birnbaum 1968; abilities made of parts: Guinet et al. 2024, Automated Evaluation of Retrieval-Augmented Language Models with
 * Task-Specific Exam Generation. */
#ifndef QN_TEXT_ITEM_RESPONSE_H
#define QN_TEXT_ITEM_RESPONSE_H
#include "core/str.h"

typedef struct { uint32_t item, first_part, n_parts; bool right; } qn_irt_answer;   /* parts[first_part .. + n_parts) */
typedef struct { double discrimination, difficulty, guess, information; } qn_irt_item;  /* information: Fisher's, mean over the takers of this question */

typedef struct {
    const qn_irt_answer *answers; size_t n_answers;
    const uint32_t *parts;                          /* part numbers, as the answers point into */
    size_t n_items, n_parts;
    int options;                                    /* choices of a question; 0: no guessing (two parameters) */
} qn_irt_exam;

/*   items       out, (n_items)
 *   abilities   out, (n_parts), mean 0 over the takers is not forced: the prior does it */
void qn_irt_fit(const qn_irt_exam *x, qn_irt_item *items, double *abilities);
#endif
