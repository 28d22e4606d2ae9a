/* facts: what plain sentences of a passage say, as questions with answers, found by rules and no model.
 *
 * Only patterns that are safe are read: passives with a time, a place or an agent; simple past and a few present verbs from a list; "is the
 * largest ..."; lengths and heights; lifetimes in brackets; because. Subjects that are pronouns are put back only when they must be the
 * passage's main entity (its title). What is not understood is left alone: a missing question is better than a wrong one.
 * Source of the method: rule-based question generation, Heilman & Smith 2010, "Good Question!", cut down to its safe part. */
#ifndef QN_BUILTIN_FACTS_H
#define QN_BUILTIN_FACTS_H
#include "core/mem.h"

typedef enum { QN_FACT_TIME, QN_FACT_PLACE, QN_FACT_AGENT, QN_FACT_SUBJECT, QN_FACT_THING, QN_FACT_QUANTITY, QN_FACT_REASON, QN_FACT_DEFINITION } qn_fact_kind;

typedef struct qn_fact {
    qn_fact_kind kind;
    qn_str question;        /* stands alone */
    qn_str answer;          /* a span of the passage */
    size_t start;           /* its first byte in the passage */
    bool    unsafe;         /* a second answer came up: dropped by settle */
    bool    unique;         /* the answer stands in the passage once */
    bool    about_main;     /* the question names the main entity */
    bool    loose;          /* read from a set phrase alone (relations.h) */
    qn_str describe;        /* the answer in words with {y} for its kind: "the {y} where Marie Curie was born"; empty: none */
    const char *property;   /* for comparisons: "born", "long" ...; NULL: none */
    double value;           /* of the property: yyyymmdd (yyyy0000 for a year), or a number in `unit` */
    qn_str unit;
} qn_fact;

typedef struct qn_facts {
    qn_fact *items;         /* in the order of the passage */
    size_t   n, cap;
    qn_str   main;          /* the main entity's name; empty: none */
    qn_str   said;          /* inside a sentence: "the Danube" */
    qn_str   kind;          /* what it is: "river", "physicist"; empty: not said */
    bool     person;
    qn_str   nation;        /* the one nation its first sentence gives it: "French"; empty: none, or several */
} qn_facts;

/* title may be empty. Texts are borrowed from passage and title or live in the arena. Cost: O(bytes). */
void qn_facts_find(qn_str title, qn_str passage, qn_arena *a, qn_facts *out);
/* For readers of other prose: adds a fact whose answer is a span of the passage; NULL when the question gives the answer away, is there already, or is too long.
 * A question with two answers is taken back. When all are in, settle drops those and marks the answers that stand once. */
qn_fact *qn_facts_add(qn_facts *f, qn_arena *a, qn_str passage, qn_fact_kind kind, qn_str answer, qn_str question);
void     qn_facts_settle(qn_facts *f, qn_str passage);
const char *qn_fact_kind_name(qn_fact_kind k);
/* Is the name one that people bear, by its form: two or three capitalised words, none of them of an institution? */
bool qn_looks_like_person(qn_str name);
#endif
