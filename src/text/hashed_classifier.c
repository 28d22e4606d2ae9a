/* hashed_classifier: features into 2^18 places, AdaGrad over them. */
#include "text/hashed_classifier.h"
#include "core/mem.h"
#include "core/rng.h"
#include "text/words.h"
#include <math.h>
#include <stdlib.h>

enum { BITS = 18, SIZE = 1 << BITS, EPOCHS = 30 };
static const double RATE = 0.5, L2 = 1e-5;

struct qn_hashed_classifier { float w[SIZE]; float bias; };

typedef struct { uint32_t at; float x; } feature;
typedef struct { feature *f; size_t n, cap; } features;

static int by_place(const void *a, const void *b)
{
    uint32_t x = ((const feature *)a)->at, y = ((const feature *)b)->at;
    return x < y ? -1 : x > y;
}

static void put(features *fs, uint64_t hash)
{
    QN_GROW(fs->f, fs->n, fs->cap);
    fs->f[fs->n++] = (feature){ (uint32_t)(hash >> (64 - BITS)), 1 };
}

static void read_features(qn_str text, features *out)
{
    qn_words ws = qn_words_of(text, QN_WORDS_PLAIN);
    qn_str w;
    uint64_t last = 1;
    out->n = 0;
    while (qn_words_next(&ws, &w)) {
        uint64_t h = qn_word_hash(w, true);
        put(out, h * 0x9E3779B97F4A7C15ull);
        put(out, (h ^ (last << 17 | last >> 47)) * 0xD6E8FEB86659FD93ull);
        for (size_t i = 0; i + 4 <= w.n; i++) put(out, qn_word_hash(qn_str_sub(w, i, i + 4), true) * 0xA0761D6478BD642Full);
        last = h;
    }
    if (out->n == 0) return;
    qsort(out->f, out->n, sizeof *out->f, by_place);
    size_t k = 0;
    double length = 0;
    for (size_t i = 1; i < out->n; i++) {
        if (out->f[i].at == out->f[k].at) out->f[k].x += 1;
        else out->f[++k] = out->f[i];
    }
    out->n = k + 1;
    for (size_t i = 0; i < out->n; i++) { out->f[i].x = 1 + logf(out->f[i].x); length += (double)out->f[i].x * out->f[i].x; }
    for (size_t i = 0; i < out->n; i++) out->f[i].x /= (float)sqrt(length);
}

static double ask(const qn_hashed_classifier *c, const features *fs)
{
    double z = c->bias;
    for (size_t i = 0; i < fs->n; i++) z += (double)c->w[fs->f[i].at] * fs->f[i].x;
    return 1 / (1 + exp(-z));
}

double qn_hashed_classifier_ask(const qn_hashed_classifier *c, qn_str text)
{
    features fs = {0};
    read_features(text, &fs);
    double p = ask(c, &fs);
    qn_free(fs.f);
    return p;
}

void qn_hashed_classifier_free(qn_hashed_classifier *c) { qn_free(c); }

static void learn(qn_hashed_classifier *c, float *g2, double *bias_g2, const features *fs, double error)
{
    for (size_t i = 0; i < fs->n; i++) {
        uint32_t at = fs->f[i].at;
        double g = error * fs->f[i].x + L2 * c->w[at];
        g2[at] += (float)(g * g);
        c->w[at] -= (float)(RATE * g / (sqrt(g2[at]) + 1e-8));
    }
    *bias_g2 += error * error;
    c->bias -= (float)(RATE * 0.1 * error / (sqrt(*bias_g2) + 1e-8));
}

/* Trains on the rows with fold[i] != leave. */
static qn_code train(const features *rows, const bool *good, const int *fold, int leave, size_t n, uint64_t seed, qn_hashed_classifier **out, qn_err *e)
{
    size_t n_good = 0, n_bad = 0, m = 0, *order = QN_NEW_N(size_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (fold && fold[i] == leave) continue;
        order[m++] = i;
        n_good += good[i];
        n_bad += !good[i];
    }
    if (!n_good || !n_bad) {
        qn_free(order);
        return qn_fail(e, QN_EDATA, "a classifier needs judged rows of both kinds; there are %zu good and %zu bad ones", n_good, n_bad);
    }
    qn_hashed_classifier *c = QN_NEW(qn_hashed_classifier);
    float *g2 = QN_NEW_N(float, SIZE);
    double bias_g2 = 0;
    qn_rng rng = qn_rng_seed(seed);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        qn_rng_shuffle(&rng, order, m, sizeof *order);
        for (size_t k = 0; k < m; k++) {
            size_t i = order[k];
            double weight = (double)m / (2.0 * (double)(good[i] ? n_good : n_bad));
            learn(c, g2, &bias_g2, &rows[i], weight * (ask(c, &rows[i]) - good[i]));
        }
    }
    qn_free(g2);
    qn_free(order);
    *out = c;
    return QN_OK;
}

static features *read_rows(const qn_str *texts, size_t n)
{
    features *rows = QN_NEW_N(features, n + 1);
    for (size_t i = 0; i < n; i++) read_features(texts[i], &rows[i]);
    return rows;
}

static void free_rows(features *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) qn_free(rows[i].f);
    qn_free(rows);
}

qn_code qn_hashed_classifier_train(const qn_str *texts, const bool *good, size_t n, uint64_t seed, qn_hashed_classifier **out, qn_err *e)
{
    features *rows = read_rows(texts, n);
    qn_code rc = train(rows, good, NULL, 0, n, seed, out, e);
    free_rows(rows, n);
    return rc;
}

/* Folds of equal size with the same share of good rows each. */
static void deal(const bool *good, size_t n, int folds, uint64_t seed, int *fold)
{
    size_t *order = QN_NEW_N(size_t, n + 1), k = 0;
    qn_rng rng = qn_rng_seed(seed ^ 0x666f6c64);
    for (size_t i = 0; i < n; i++) order[i] = i;
    qn_rng_shuffle(&rng, order, n, sizeof *order);
    for (int kind = 0; kind < 2; kind++)
        for (size_t i = 0; i < n; i++)
            if (good[order[i]] == kind) fold[order[i]] = (int)(k++ % (size_t)folds);
    qn_free(order);
}

qn_code qn_hashed_classifier_validate(const qn_str *texts, const bool *good, size_t n, int folds, uint64_t seed, qn_classifier_scores *out, qn_err *e)
{
    features *rows = read_rows(texts, n);
    int *fold = QN_NEW_N(int, n + 1);
    double *p = QN_NEW_N(double, n + 1);
    qn_code rc = QN_OK;
    deal(good, n, folds < 2 ? 2 : folds, seed, fold);
    for (int f = 0; f < (folds < 2 ? 2 : folds) && rc == QN_OK; f++) {
        qn_hashed_classifier *c = NULL;
        rc = train(rows, good, fold, f, n, seed, &c, e);
        for (size_t i = 0; rc == QN_OK && i < n; i++)
            if (fold[i] == f) p[i] = ask(c, &rows[i]);
        qn_hashed_classifier_free(c);
    }
    if (rc == QN_OK) qn_classifier_score(p, good, n, out);
    qn_free(p);
    qn_free(fold);
    free_rows(rows, n);
    return rc;
}

typedef struct { double p; bool good; } scored;
static int by_p(const void *a, const void *b)
{
    double x = ((const scored *)a)->p, y = ((const scored *)b)->p;
    return x < y ? -1 : x > y;
}

/* Area under the ROC curve by ranks, ties at their mean rank (Mann-Whitney). */
static double area(const double *p, const bool *good, size_t n, size_t n_good)
{
    scored *s = QN_NEW_N(scored, n + 1);
    double ranks = 0;
    for (size_t i = 0; i < n; i++) s[i] = (scored){ p[i], good[i] };
    qsort(s, n, sizeof *s, by_p);
    for (size_t i = 0; i < n;) {
        size_t j = i;
        while (j < n && s[j].p == s[i].p) j++;
        for (size_t k = i; k < j; k++) ranks += s[k].good ? (double)(i + 1 + j) / 2 : 0;
        i = j;
    }
    qn_free(s);
    double g = (double)n_good, b = (double)(n - n_good);
    return g > 0 && b > 0 ? (ranks - g * (g + 1) / 2) / (g * b) : NAN;
}

void qn_classifier_score(const double *p, const bool *good, size_t n, qn_classifier_scores *out)
{
    size_t tp = 0, fp = 0, fn = 0;
    for (size_t i = 0; i < n; i++) {
        tp += p[i] >= 0.5 && good[i];
        fp += p[i] >= 0.5 && !good[i];
        fn += p[i] < 0.5 && good[i];
    }
    double hit = (double)tp;
    out->n = n;
    out->n_good = tp + fn;
    out->precision = tp + fp ? hit / (double)(tp + fp) : NAN;
    out->recall = tp + fn ? hit / (double)(tp + fn) : NAN;
    out->f1 = tp ? 2 * hit / (double)(2 * tp + fp + fn) : 0;
    out->accuracy = n ? (double)(n - fp - fn) / (double)n : NAN;
    out->auc = area(p, good, n, tp + fn);
}
