/* repetition: how much a text says again, above all the loops that models fall into.
 * distinct-n: Li et al. 2016, "A Diversity-Promoting Objective Function for Neural Conversation Models". The shares over whole
 * documents that Gopher uses are in gopher.h. */
#ifndef QN_TEXT_REPETITION_H
#define QN_TEXT_REPETITION_H
#include "text/page.h"

typedef struct qn_repetition {
    double distinct_2, distinct_3;  /* different n-grams of words / all; 1 when the text is shorter than n words */
    double loop_share;              /* share of words inside the longest stretch that is one phrase said again and again */
    size_t loop_words, loop_times;  /* words of that phrase, how often it follows itself (1: no loop) */
    size_t longest_run;             /* longest run of one character, white space and ASCII art dashes included */
    bool   ends_in_loop;            /* the text breaks off inside the loop */
} qn_repetition;

/* `p` is working memory (see page.h). A loop is a phrase of 1 to 32 words said at least 3 times in a row.
 * Cost: O(32 n) over words. */
void qn_repetition_of(qn_str text, qn_page *p, qn_repetition *out);
#endif
