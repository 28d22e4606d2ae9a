/* toxicity: requests for harm, hate, attacks on privacy, and foul language, by word lists and rules about what stands together.
 *
 * A rule needs a constellation inside one sentence ("how do I" + a verb of harm + a person after it), and a context can undo it
 * (a game, a program, an animal, a definition, the past), so that "How do I kill a Python process?" passes. Rules find
 * plain English requests; they do not understand. Measured on XSTest (Roettger et al. 2024) in tests/unit/test_toxicity.c, where the rules
 * were written looking at the prompts with odd numbers only. For judgement beyond that, ask a model (`judge`). */
#ifndef QN_TEXT_TOXICITY_H
#define QN_TEXT_TOXICITY_H
#include "core/str.h"

typedef enum {
    QN_TOXIC_VIOLENCE, QN_TOXIC_SELF_HARM, QN_TOXIC_CRIME, QN_TOXIC_DRUGS, QN_TOXIC_WEAPONS, QN_TOXIC_THEFT, QN_TOXIC_HATE, QN_TOXIC_ATROCITY, QN_TOXIC_PRIVACY,
    QN_TOXIC_SLUR, QN_TOXIC_INSULT, QN_TOXIC_PROFANE, QN_TOXIC_N
} qn_toxic_kind;
extern const char *const QN_TOXIC_NAMES[QN_TOXIC_N];    /* "violence", "self_harm", ... */

typedef struct qn_toxicity {
    uint32_t n[QN_TOXIC_N];     /* sentences (for slur, insult, profane: words) of each kind */
    uint32_t n_words, n_sentences;
    size_t   from, to;          /* bytes of the first sentence that a rule found; both 0 when none */
} qn_toxicity;

/* Any thread. Cost: about 50 MB/s, no allocation. */
void qn_toxicity_of(qn_str text, qn_toxicity *out);
/* The first kind found among the wanted ones (bits 1 << kind), or QN_TOXIC_N. */
qn_toxic_kind qn_toxicity_first(const qn_toxicity *t, unsigned kinds);
#define QN_TOXIC_DEFAULT ((1u << QN_TOXIC_INSULT) - 1)  /* all but insults and profanity, which many clean sets contain */
#endif
