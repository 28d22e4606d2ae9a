/* twosample: a small classifier with cross-validation, DeLong's variance, MAUVE. */
#include "text/twosample.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/rng.h"
#include "text/cluster.h"
#include <math.h>
#include <stdlib.h>

#define FOLDS      5
#define EPOCHS     12
#define LOG_PLACES 18
#define RATE       0.3
#define L2         1e-4

typedef struct { uint32_t *col; float *val; size_t n; bool b; uint8_t fold; } sample;

static int by_col(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

/* Presence of hashed 1- and 2-grams, of unit length, and one place for the logarithm of the length. */
static sample sample_of(qn_str text, bool b, qn_hashes *h)
{
    sample s = { .b = b, .fold = (uint8_t)(qn_hash64(text.p, text.n, 77) % FOLDS) };
    qn_words_hash(text, QN_WORDS_PLAIN, true, h);
    s.col = QN_NEW_N(uint32_t, 2 * h->n + 1);
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < h->n; i++) {
        s.col[n++] = (uint32_t)(h->v[i] >> (64 - LOG_PLACES));
        if (i) s.col[n++] = (uint32_t)(((h->v[i - 1] ^ 0x5bd1e995) * 0x9E3779B97F4A7C15u ^ h->v[i]) * 0xD6E8FEB86659FD93u >> (64 - LOG_PLACES));
    }
    qsort(s.col, n, sizeof *s.col, by_col);
    for (size_t i = 0; i < n; i++)
        if (!kept || s.col[kept - 1] != s.col[i]) s.col[kept++] = s.col[i];
    s.val = QN_NEW_N(float, kept + 1);
    for (size_t i = 0; i < kept; i++) s.val[i] = 1 / sqrtf((float)kept);
    s.col[kept] = 1u << LOG_PLACES;
    s.val[kept] = 0.3f * (float)log1p((double)h->n) - 0.9f;
    s.n = kept + 1;
    return s;
}

typedef struct { float *w, *g; double bias, bias_g; } classifier;

static double score(const classifier *c, const sample *s)
{
    double z = c->bias;
    for (size_t i = 0; i < s->n; i++) z += (double)c->w[s->col[i]] * s->val[i];
    return z;
}

static void learn(classifier *c, const sample *s, double weight)
{
    double err = (1 / (1 + exp(-score(c, s))) - s->b) * weight;
    for (size_t i = 0; i < s->n; i++) {
        float *w = &c->w[s->col[i]], *g = &c->g[s->col[i]];
        float slope = (float)(err * s->val[i] + L2 * *w);
        *g += slope * slope;
        *w -= (float)RATE * slope / sqrtf(*g + 1e-6f);
    }
    c->bias_g += err * err;
    c->bias -= RATE * err / sqrt(c->bias_g + 1e-6);
}

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sum over x of how many of the sorted `other` lie below it, ties half; spread: variance of the shares. */
static double shares(const double *x, size_t n, const double *other, size_t n_other, double *spread)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        size_t lo = 0, hi = n_other, lo2, hi2 = n_other;
        while (lo < hi) { size_t m = (lo + hi) / 2; if (other[m] < x[i]) lo = m + 1; else hi = m; }
        for (lo2 = lo; lo2 < hi2;) { size_t m = (lo2 + hi2) / 2; if (other[m] <= x[i]) lo2 = m + 1; else hi2 = m; }
        double share = ((double)lo + (double)(lo2 - lo) / 2) / (double)n_other;
        sum += share;
        squares += share * share;
    }
    double mean = sum / (double)n;
    *spread = n > 1 ? (squares - (double)n * mean * mean) / (double)(n - 1) : 0;
    return mean;
}

double qn_auc_of(const double *pos, size_t n_pos, const double *neg, size_t n_neg, double *variance)
{
    double *p = qn_memdup(pos, n_pos * sizeof *pos), *q = qn_memdup(neg, n_neg * sizeof *neg), of_pos, of_neg;
    qsort(p, n_pos, sizeof *p, by_double);
    qsort(q, n_neg, sizeof *q, by_double);
    double auc = shares(p, n_pos, q, n_neg, &of_pos);
    shares(q, n_neg, p, n_pos, &of_neg);
    if (variance) *variance = of_pos / (double)n_pos + of_neg / (double)n_neg;
    qn_free(p);
    qn_free(q);
    return auc;
}

/* One fold: learn on the others, judge this one. False when it lacks a class. */
static bool judge_fold(const sample *s, size_t n, int fold, uint64_t seed, double *auc, double *variance)
{
    classifier c = { QN_NEW_N(float, (1u << LOG_PLACES) + 1), QN_NEW_N(float, (1u << LOG_PLACES) + 1), 0, 0 };
    double *scores[2] = { QN_NEW_N(double, n + 1), QN_NEW_N(double, n + 1) };
    size_t *order = QN_NEW_N(size_t, n + 1), n_train = 0, n_of[2] = { 0 }, n_train_of[2] = { 0 };
    qn_rng r = qn_rng_seed(seed + (uint64_t)fold);
    for (size_t i = 0; i < n; i++)
        if (s[i].fold != fold) order[n_train++] = i, n_train_of[s[i].b]++;
    for (int e = 0; e < EPOCHS; e++) {
        qn_rng_shuffle(&r, order, n_train, sizeof *order);
        for (size_t i = 0; i < n_train; i++)        /* both sets weigh the same */
            learn(&c, &s[order[i]], (double)n_train / (2.0 * (double)n_train_of[s[order[i]].b]));
    }
    for (size_t i = 0; i < n; i++)
        if (s[i].fold == fold) scores[s[i].b][n_of[s[i].b]++] = score(&c, &s[i]);
    bool both = n_of[0] && n_of[1] && n_train_of[0] && n_train_of[1];
    if (both) *auc = qn_auc_of(scores[1], n_of[1], scores[0], n_of[0], variance);
    qn_free(c.w);
    qn_free(c.g);
    qn_free(scores[0]);
    qn_free(scores[1]);
    qn_free(order);
    return both;
}

qn_auc qn_twosample_auc(const qn_str *a, size_t n_a, const qn_str *b, size_t n_b, uint64_t seed)
{
    qn_auc out = { .auc = 0.5, .low = 0, .high = 1, .n_a = n_a, .n_b = n_b };
    qn_hashes h = { 0 };
    size_t n = n_a + n_b;
    double sum = 0, variances = 0;
    int folds = 0;
    if (n_a < 10 || n_b < 10) return out;
    sample *s = QN_NEW_N(sample, n);
    for (size_t i = 0; i < n; i++) s[i] = sample_of(i < n_a ? a[i] : b[i - n_a], i >= n_a, &h);
    for (int f = 0; f < FOLDS; f++) {
        double auc, variance;
        if (!judge_fold(s, n, f, seed, &auc, &variance)) continue;
        sum += auc;
        variances += variance;
        folds++;
    }
    if (folds) {
        double half = 1.96 * sqrt(variances) / folds;
        out.auc = sum / folds;
        out.low = out.auc - half > 0 ? out.auc - half : 0;
        out.high = out.auc + half < 1 ? out.auc + half : 1;
    }
    for (size_t i = 0; i < n; i++) { qn_free(s[i].col); qn_free(s[i].val); }
    qn_free(s);
    qn_hashes_free(&h);
    return out;
}

/* ---- MAUVE ---- */
static double kl(const double *p, const double *r, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < k; i++)
        if (p[i] > 0) sum += p[i] * log(p[i] / r[i]);
    return sum;
}

typedef struct { double x, y; } point;

static int by_x(const void *a, const void *b)
{
    const point *p = a, *q = b;
    return p->x != q->x ? (p->x > q->x) - (p->x < q->x) : (q->y > p->y) - (q->y < p->y);
}

double qn_mauve(const double *p_counts, const double *q_counts, size_t k, double scale)
{
    enum { STEPS = 25 };
    point front[STEPS + 1];
    double *p = QN_NEW_N(double, k + 1), *q = QN_NEW_N(double, k + 1), *r = QN_NEW_N(double, k + 1), n_p = 0, n_q = 0, area = 0;
    for (size_t i = 0; i < k; i++) n_p += p_counts[i], n_q += q_counts[i];
    for (size_t i = 0; i < k; i++) p[i] = n_p > 0 ? p_counts[i] / n_p : 0, q[i] = n_q > 0 ? q_counts[i] / n_q : 0;
    for (int s = 1; s < STEPS; s++) {
        double w = (double)s / STEPS;
        for (size_t i = 0; i < k; i++) r[i] = w * p[i] + (1 - w) * q[i];
        front[s] = (point){ exp(-scale * kl(q, r, k)), exp(-scale * kl(p, r, k)) };
    }
    front[0] = (point){ 0, 1 };
    front[STEPS] = (point){ 1, 0 };
    qsort(front, STEPS + 1, sizeof *front, by_x);
    for (int s = 0; s < STEPS; s++) area += (front[s + 1].x - front[s].x) * (front[s].y + front[s + 1].y) / 2;
    qn_free(p);
    qn_free(q);
    qn_free(r);
    return area;
}

double qn_mauve_vectors(const qn_vectors *v, size_t n_a, uint64_t seed)
{
    size_t k = v->n / 20;
    if (n_a == 0 || n_a >= v->n) return 0;
    qn_clusters c = qn_kmeans(v, k < 2 ? 2 : k > 100 ? 100 : k, 30, seed);
    double *p = QN_NEW_N(double, c.k + 1), *q = QN_NEW_N(double, c.k + 1);
    for (size_t i = 0; i < v->n; i++) (i < n_a ? p : q)[c.label[i]]++;
    double m = qn_mauve(p, q, c.k, 5);
    qn_free(p);
    qn_free(q);
    qn_clusters_free(&c);
    return m;
}
