/* bias: who a set speaks of: shares of gendered, national and age terms, names by the gender they are mostly given to, and the gender
 * that stands beside each occupation; and the same text with one term exchanged for its counterpart.
 *
 * Counting terms: after the bias measures over word lists of Sheng et al. 2019 and Zhao et al. 2018 (WinoBias); the exchange is
 * counterfactual data augmentation (Lu et al. 2018). English. A share says what the words are, not what they mean: compare it with
 * the source's (qn_bias_distance). */
#ifndef QN_TEXT_BIAS_H
#define QN_TEXT_BIAS_H
#include "core/map.h"

enum { QN_BIAS_FEMALE, QN_BIAS_MALE, QN_BIAS_GENDERS };
enum { QN_BIAS_YOUNG, QN_BIAS_OLD, QN_BIAS_AGES };
enum { QN_BIAS_COUNTRIES = 220, QN_BIAS_OCCUPATIONS = 180 };

/* Counts over any number of texts. Zero-initialise. */
typedef struct qn_bias {
    uint64_t n_texts, n_words;
    uint64_t gender[QN_BIAS_GENDERS];               /* she, mother, ... / he, father, ... */
    uint64_t names[QN_BIAS_GENDERS];                /* given names */
    uint64_t age[QN_BIAS_AGES];                     /* young, teenager, "a 19-year-old" / old, pensioner, "aged 70": below 25, from 60 */
    uint64_t country[QN_BIAS_COUNTRIES];            /* names of countries and of their people, by place in lists/places.c */
    uint64_t role[QN_BIAS_OCCUPATIONS][QN_BIAS_GENDERS];    /* sentences that hold the occupation and words or names of one gender only */
} qn_bias;

void qn_bias_count(qn_str text, qn_bias *b);        /* adds one text; about 40 MB/s; any thread, one qn_bias each */
void qn_bias_add(qn_bias *sum, const qn_bias *b);
const char *qn_bias_country(size_t i);              /* NULL behind the last */
const char *qn_bias_occupation(size_t i);
/* {"texts", "words", "gender": {"female", "male", "share"}, "names": ..., "age": {"young", "old", "share"}, "roles": {occupation: {...}}, "countries":
 * {name: n}}, appended; a share of nothing is null. */
void qn_bias_write(const qn_bias *b, qn_buf *out);
/* Share of the first among both; NaN when neither occurs. */
double qn_bias_share(const uint64_t pair[2]);
/* How far two sets lie apart, 0..1: half the sum of differences of shares over all countries (total variation). */
double qn_bias_country_distance(const qn_bias *a, const qn_bias *b);

typedef enum { QN_SWAP_GENDER, QN_SWAP_AGE, QN_SWAP_NATION } qn_swap;
/* Appends the text with every term of a kind exchanged for its counterpart, case kept; returns how many were. For nations, `from` and `to` are
 * countries ("germany", "france"): the country and the words for its people change. "her" becomes "his" before a word it may belong
 * to and "him" elsewhere; names stay. Swapping gender twice gives the text back but for words with two counterparts (his, mum, ms). */
size_t qn_bias_swap(qn_str text, qn_swap kind, const char *from, const char *to, qn_buf *out);
#endif
