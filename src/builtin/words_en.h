/* words_en: the small part of English morphology that the built-in writers need: number, articles, past forms of verbs that
 * stand behind an agent noun ("discoverer" -> "discovered"), units, ordinals. Pure functions over short texts; results live in
 * the arena given. Rules with lists of exceptions; a word that no rule fits comes back unchanged. */
#ifndef QN_BUILTIN_WORDS_EN_H
#define QN_BUILTIN_WORDS_EN_H
#include "core/mem.h"

/* Plural and singular of a noun phrase: its last word changes ("host city" -> "host cities"). */
qn_str qn_en_plural(qn_arena *a, qn_str noun);
qn_str qn_en_singular(qn_arena *a, qn_str noun);
bool   qn_en_is_plural(qn_str noun);                    /* by form: "wins" yes, "class", "status", "series" no */
const char *qn_en_article(qn_str word);                 /* "a" or "an", by the sound of the word's beginning */
/* "discoverer" -> "discovered"; NULL when the word is no agent noun that we know. */
const char *qn_en_agent_verb(qn_str noun);
/* Is the word a past participle that makes a passive: "founded", "built", "directed"; a fixed list, no guessing. */
bool   qn_en_is_participle(qn_str word);
/* Spelled unit for a column's unit: "km" -> "kilometres", "%" -> "percent", "millions" -> "million". NULL: no unit that we know. */
const char *qn_en_unit(qn_str unit);
/* Header text as it is said inside a sentence: white space folded, lower case but for words like "ISO" or "McCoy". */
qn_str qn_en_lower_header(qn_arena *a, qn_str header);
/* 1234567.5 -> "1,234,567.5"; years and numbers under 10,000 stay plain. At most 6 digits behind the point, no trailing zeros. */
qn_str qn_en_number(qn_arena *a, double x, bool group);
const char *qn_en_small_number(int n);                  /* "two" .. "twelve"; NULL outside */
qn_str qn_en_ordinal(qn_arena *a, int64_t n);           /* 1 -> "1st" */
/* Does a name want "the" in front of it ("United States", "Netherlands", "Gulf of Mexico", "Black Sea")? */
bool   qn_en_takes_the(qn_str name);
/* What kind of thing a header's noun phrase speaks of, by its head word; NONE when we do not know the word (then nothing should be said). */
typedef enum { QN_NOUN_NONE, QN_NOUN_THING, QN_NOUN_THINGS, QN_NOUN_MEASURE, QN_NOUN_SHARE, QN_NOUN_COUNTED } qn_noun;
qn_noun qn_en_noun(qn_arena *a, qn_str phrase);
#endif
