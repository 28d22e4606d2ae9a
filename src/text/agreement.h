/* agreement: how far two raters agree beyond chance. */
#ifndef QN_TEXT_AGREEMENT_H
#define QN_TEXT_AGREEMENT_H
#include <stddef.h>
#include <stdint.h>

enum { QN_AGREE_LEVELS = 16 };
/* n[i][j]: how often one gave level i and the other j. Zero-initialise. */
typedef struct qn_agreement { uint64_t n[QN_AGREE_LEVELS][QN_AGREE_LEVELS]; } qn_agreement;

typedef enum { QN_KAPPA_PLAIN, QN_KAPPA_LINEAR, QN_KAPPA_SQUARED } qn_kappa_weight;     /* how much a difference of levels counts: any alike, by its size, squared */
uint64_t qn_agreement_n(const qn_agreement *a);
double   qn_agreement_share(const qn_agreement *a);             /* of pairs with the same level; NaN when there are none */
/* 1 - observed / expected disagreement: 1 all alike, 0 as by chance, below 0 worse; NaN when there are none or one level is all that both gave.
 * Source: Cohen 1960; weighted: Cohen 1968. */
double   qn_kappa(const qn_agreement *a, qn_kappa_weight w);
/* A mark as a level: whole marks of a scale of at most QN_AGREE_LEVELS steps keep their steps, longer scales and real marks are put into them. */
unsigned qn_agreement_level(double mark, double lo, double hi);
#endif
