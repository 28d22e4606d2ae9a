/* column_lexicon: what a column's header means and how people talk about it. One entry per meaning; headers are matched in lower
 * case without their unit. Templates hold slots in braces:
 *   {e} a row's name ("the Nile")   {s} its genitive ("the Nile's")   {p} the column's phrase   {v} a value with its unit
 *   {t} a time with its preposition ("in 1998", "before 1998")        |  stands between alternatives of equal meaning
 * Written for quern from everyday English. */
#ifndef QN_BUILTIN_COLUMN_LEXICON_H
#define QN_BUILTIN_COLUMN_LEXICON_H
#include "core/str.h"

typedef enum qn_sense {
    QN_SENSE_NONE,      /* not known: decided by the cells */
    QN_SENSE_SKIP,      /* notes, references, coordinates: nothing to ask about */
    QN_SENSE_NAME,      /* says nothing of its kind: "name" */
    QN_SENSE_PERSON, QN_SENSE_PLACE, QN_SENSE_KIND, QN_SENSE_THING,
    QN_SENSE_QUANTITY,  /* measured: length, area, melting point */
    QN_SENSE_COUNT,     /* counted: wins, goals, seats */
    QN_SENSE_SHARE,     /* percentages, averages, ratios: compared, never summed */
    QN_SENSE_YEAR, QN_SENSE_DATE,
    QN_SENSE_RANK,      /* position in an order: neither summed nor averaged */
    QN_SENSE_ID         /* codes, numbers that only name */
} qn_sense;

typedef struct qn_colword {
    const char *keys;               /* headers, split by | */
    qn_sense    sense;
    const char *phrase;             /* said instead of the header; NULL: the header */
    const char *ask;                /* question for the cell of {e}; NULL: by sense */
    const char *mod, *vp1, *vps;    /* a condition on it: behind a noun; predicate of one thing, of many */
    const char *max, *min;          /* superlative adjective of the row's noun: "longest"; NULL: highest/lowest {p} */
    const char *more, *less;        /* comparative of the row's noun: "longer", "shorter" */
    const char *dmax, *dmin;        /* superlative of the phrase: "highest" {p}; NULL: highest, lowest (most, fewest when counted) */
    const char *first, *last;       /* of years: predicate of the earliest and latest thing: "was discovered first" */
    const char *same;               /* predicate of many that share the value with {e}: "flow into the same place as {e}" */
    const char *noun;               /* what one row is when this column is its name: "river"; NULL: the phrase */
} qn_colword;

/* The entry for a header (lower case, unit taken off), or NULL. */
const qn_colword *qn_colword_find(qn_str header);
#endif
