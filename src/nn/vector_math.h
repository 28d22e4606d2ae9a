/* vector_math: e^x, erf and GELU of QN_LANES numbers at once, and vectors in and out of memory. No guard: it is included once for each
 * width, with QN_LANES and QN_W(name) set, which it unsets. A number's result does not depend on the width. */
typedef float QN_W(v) __attribute__((vector_size(QN_LANES * 4)));
typedef int32_t QN_W(vi) __attribute__((vector_size(QN_LANES * 4)));

INL void QN_W(get)(QN_W(v) *x, const float *p, size_t k, float fill)     /* k numbers, `fill` behind them */
{
    if (k >= QN_LANES) { memcpy(x, p, sizeof *x); return; }
    float t[QN_LANES];
    for (size_t l = 0; l < QN_LANES; l++) t[l] = l < k ? p[l] : fill;
    memcpy(x, t, sizeof *x);
}

INL void QN_W(put)(float *p, const QN_W(v) *x, size_t k)
{
    if (k >= QN_LANES) { memcpy(p, x, sizeof *x); return; }
    float t[QN_LANES];
    memcpy(t, x, sizeof t);
    for (size_t l = 0; l < k; l++) p[l] = t[l];
}

/* e^x = 2^n * p(r), r in [-ln2/2, ln2/2]; the polynomial is the one of Cephes' expf (Moshier 1989). 0 below -87.3. n is
 * rounded by adding 1.5 * 2^23, whose low bits then hold it. */
INL void QN_W(exp)(QN_W(v) *io)
{
    const QN_W(v) zero = { 0 }, magic = zero + 12582912.f, high = zero + 88.3f;
    QN_W(v) x = *io;
    QN_W(vi) alive = ~((QN_W(vi))(x + 87.3f) >> 31), top = (QN_W(vi))(high - x) >> 31;   /* signs: compilers part a comparison of 16 */
    x = (QN_W(v))(((QN_W(vi))x & alive & ~top) | ((QN_W(vi))high & top));
    QN_W(v) t = x * 1.44269504f + magic, f = t - magic, r = x - f * 0.693359375f;
    r = r + f * 2.12194440e-4f;
    QN_W(v) p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.f;
    QN_W(vi) s = (((QN_W(vi))t - (QN_W(vi))magic) + 127) << 23;
    *io = (QN_W(v))((QN_W(vi))(p * (QN_W(v))s) & alive);
}

/* erf(x) for |x| small and large in one form: 1 - t * poly(t) * e^(-x^2) (Abramowitz & Stegun 7.1.26, |error| < 1.5e-7). */
INL void QN_W(erf)(QN_W(v) *io)
{
    const QN_W(vi) none = { 0 }, sign = none + INT32_MIN;
    QN_W(v) x = *io, a = (QN_W(v))((QN_W(vi))x & ~sign), t = 1.f / (1.f + 0.3275911f * a), e = -a * a;
    QN_W(v) p = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
    QN_W(exp)(&e);
    *io = (QN_W(v))((QN_W(vi))(1.f - p * e) | ((QN_W(vi))x & sign));
}

INL void QN_W(gelu)(QN_W(v) *io)
{
    QN_W(v) r = *io * 0.70710678f;
    QN_W(erf)(&r);
    *io = 0.5f * *io * (1.f + r);
}
#undef QN_LANES
#undef QN_W
