/* agreement: sums over a table. */
#include "text/agreement.h"
#include <math.h>

uint64_t qn_agreement_n(const qn_agreement *a)
{
    uint64_t n = 0;
    for (size_t i = 0; i < QN_AGREE_LEVELS; i++)
        for (size_t j = 0; j < QN_AGREE_LEVELS; j++) n += a->n[i][j];
    return n;
}

double qn_agreement_share(const qn_agreement *a)
{
    uint64_t n = qn_agreement_n(a), same = 0;
    for (size_t i = 0; i < QN_AGREE_LEVELS; i++) same += a->n[i][i];
    return n ? (double)same / (double)n : NAN;
}

static double weight(qn_kappa_weight w, size_t i, size_t j)
{
    double d = (double)(i > j ? i - j : j - i);
    return w == QN_KAPPA_PLAIN ? d > 0 : w == QN_KAPPA_LINEAR ? d : d * d;
}

double qn_kappa(const qn_agreement *a, qn_kappa_weight w)
{
    double n = (double)qn_agreement_n(a), seen = 0, chance = 0, row[QN_AGREE_LEVELS] = {0}, col[QN_AGREE_LEVELS] = {0};
    for (size_t i = 0; i < QN_AGREE_LEVELS; i++)
        for (size_t j = 0; j < QN_AGREE_LEVELS; j++) {
            row[i] += (double)a->n[i][j];
            col[j] += (double)a->n[i][j];
            seen += weight(w, i, j) * (double)a->n[i][j];
        }
    for (size_t i = 0; i < QN_AGREE_LEVELS; i++)
        for (size_t j = 0; j < QN_AGREE_LEVELS; j++) chance += weight(w, i, j) * row[i] * col[j] / (n > 0 ? n : 1);
    return chance > 0 ? 1 - seen / chance : NAN;
}

unsigned qn_agreement_level(double mark, double lo, double hi)
{
    double steps = hi - lo;
    if (!(steps > 0)) return 0;
    if (steps < 2 || steps > QN_AGREE_LEVELS - 1) mark = lo + (mark - lo) / steps * (steps < 2 ? 4 : QN_AGREE_LEVELS - 1);
    double level = floor(mark - lo + 0.5), most = steps < 2 ? 4 : QN_AGREE_LEVELS - 1;
    return (unsigned)(level < 0 ? 0 : level > most ? most : level);
}
