/* diversity: distinct-n, self-BLEU, Vendi score. */
#include "text/diversity.h"
#include "core/map.h"
#include "core/mem.h"
#include <math.h>
#include <stdlib.h>

static uint64_t gram(const uint64_t *w, int n)
{
    uint64_t h = (uint64_t)n * 0x9E3779B97F4A7C15u;
    for (int k = 0; k < n; k++) h = (h ^ w[k]) * 0xD6E8FEB86659FD93u, h ^= h >> 32;
    return h;
}

double qn_distinct_n(const qn_str *texts, size_t n_texts, int n)
{
    qn_map seen = { 0 };
    qn_hashes h = { 0 };
    size_t all = 0, different = 0;
    for (size_t t = 0; t < n_texts; t++) {
        qn_words_hash(texts[t], QN_WORDS_PLAIN, true, &h);
        for (size_t i = 0; i + (size_t)n <= h.n; i++) {
            bool fresh;
            qn_map_put(&seen, (qn_hash128){ gram(h.v + i, n), 1 }, &fresh);
            different += fresh;
            all++;
        }
    }
    qn_map_free(&seen);
    qn_hashes_free(&h);
    return all ? (double)different / (double)all : 0;
}

/* ---- self-BLEU ---- */
#define ORDERS 4

typedef struct { uint64_t gram; uint32_t text, count; } occurrence;

static int by_gram(const void *a, const void *b)
{
    const occurrence *x = a, *y = b;
    return x->gram != y->gram ? (x->gram > y->gram) - (x->gram < y->gram) : (x->text > y->text) - (x->text < y->text);
}

/* Adds to matches[t] the n-grams of text t, each as often as the other text that has it most often. v: one entry for each
 * (gram, text), sorted. */
static void clip(const occurrence *v, size_t n, double *matches)
{
    for (size_t i = 0, end; i < n; i = end) {
        uint32_t most = 0, second = 0;
        for (end = i; end < n && v[end].gram == v[i].gram; end++) {
            if (v[end].count > most) second = most, most = v[end].count;
            else if (v[end].count > second) second = v[end].count;
        }
        bool once = false;      /* several texts may have the most: then each has another beside it */
        for (size_t k = i; k < end; k++) {
            uint32_t others = v[k].count == most && !once ? second : most;
            if (v[k].count == most) once = true;
            matches[v[k].text] += v[k].count < others ? v[k].count : others;
        }
    }
}

static void matches_of_order(const qn_hashes *h, size_t n_texts, int order, double *matches)
{
    occurrence *v = NULL;
    size_t n = 0, cap = 0, kept = 0;
    for (size_t t = 0; t < n_texts; t++)
        for (size_t i = 0; i + (size_t)order <= h[t].n; i++) {
            QN_GROW(v, n, cap);
            v[n++] = (occurrence){ gram(h[t].v + i, order), (uint32_t)t, 1 };
        }
    if (n) qsort(v, n, sizeof *v, by_gram);
    for (size_t i = 0; i < n; i++) {
        if (kept && v[kept - 1].gram == v[i].gram && v[kept - 1].text == v[i].text) v[kept - 1].count++;
        else v[kept++] = v[i];
    }
    clip(v, kept, matches);
    qn_free(v);
}

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* Length among the sorted ones, one occurrence of `mine` left out, that is nearest to it; the shorter of two. */
static size_t nearest_length(const size_t *sorted, size_t n, size_t mine)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (sorted[mid] < mine) lo = mid + 1;
        else hi = mid;
    }
    if (lo + 1 < n && sorted[lo + 1] == mine) return mine;
    size_t above = lo + 1 < n ? sorted[lo + 1] : SIZE_MAX, below = lo > 0 ? sorted[lo - 1] : SIZE_MAX;
    if (below == SIZE_MAX) return above;
    if (above == SIZE_MAX) return below;
    return mine - below <= above - mine ? below : above;
}

static double bleu(double matches[ORDERS], size_t length, size_t reference)
{
    double sum = 0;
    for (int k = 0; k < ORDERS; k++) {
        double total = length > (size_t)k ? (double)(length - (size_t)k) : 1;
        sum += log((matches[k] > 0 ? matches[k] : 0.1) / total) / ORDERS;
    }
    double brevity = length >= reference ? 1 : exp(1 - (double)reference / (double)length);
    return brevity * exp(sum);
}

double qn_self_bleu(const qn_str *texts, size_t n_texts)
{
    qn_hashes *h = QN_NEW_N(qn_hashes, n_texts + 1);
    size_t *lengths = QN_NEW_N(size_t, n_texts + 1), n = 0;
    for (size_t t = 0; t < n_texts; t++) {
        qn_words_hash(texts[t], QN_WORDS_PLAIN, true, &h[n]);
        if (h[n].n) lengths[n] = h[n].n, n++;
    }
    double sum = 0, *matches[ORDERS];
    for (int k = 0; k < ORDERS; k++) {
        matches[k] = QN_NEW_N(double, n + 1);
        matches_of_order(h, n, k + 1, matches[k]);
    }
    qsort(lengths, n, sizeof *lengths, by_size);
    for (size_t t = 0; t < n && n > 1; t++) {
        double mine[ORDERS];
        for (int k = 0; k < ORDERS; k++) mine[k] = matches[k][t];
        sum += bleu(mine, h[t].n, nearest_length(lengths, n, h[t].n));
    }
    for (int k = 0; k < ORDERS; k++) qn_free(matches[k]);
    for (size_t t = 0; t <= n && t < n_texts; t++) qn_hashes_free(&h[t]);
    qn_free(h);
    qn_free(lengths);
    return n > 1 ? sum / (double)n : 0;
}

/* ---- Vendi ---- */
/* Symmetric to tridiagonal: d the diagonal, e below it (e[0] = 0). */
static void tridiagonal(double *a, size_t n, double *d, double *e)
{
    double *w = qn_alloc(n * sizeof *w);
    for (size_t k = n; k-- > 1;) {      /* zero row k left of its neighbour by a reflection of rows and columns 0..k-1 */
        double *u = a + k * n, norm = 0, sum = 0;
        for (size_t i = 0; i < k; i++) norm += u[i] * u[i];
        norm = sqrt(norm);
        double alpha = u[k - 1] > 0 ? -norm : norm;
        d[k] = a[k * n + k];
        e[k] = alpha;
        u[k - 1] -= alpha;
        for (size_t i = 0; i < k; i++) sum += u[i] * u[i];
        if (sum <= 1e-300) { e[k] = norm == 0 ? 0 : alpha; continue; }
        double uw = 0;
        for (size_t i = 0; i < k; i++) {
            double s = 0;
            for (size_t j = 0; j < k; j++) s += a[i * n + j] * u[j];
            w[i] = 2 * s / sum;
            uw += u[i] * w[i];
        }
        for (size_t i = 0; i < k; i++) w[i] -= uw / sum * u[i];
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < k; j++) a[i * n + j] -= u[i] * w[j] + w[i] * u[j];
    }
    d[0] = a[0];
    e[0] = 0;
    qn_free(w);
}

/* Implicit QL on a tridiagonal matrix; d becomes the eigenvalues. */
static void ql(double *d, double *e, size_t n)
{
    for (size_t i = 1; i < n; i++) e[i - 1] = e[i];
    e[n - 1] = 0;
    for (size_t l = 0; l < n; l++)
        for (int round = 0; round < 60; round++) {
            size_t m = l;
            while (m + 1 < n && fabs(e[m]) > 1e-15 * (fabs(d[m]) + fabs(d[m + 1]))) m++;
            if (m == l) break;
            double g = (d[l + 1] - d[l]) / (2 * e[l]), r = hypot(g, 1), s = 1, c = 1, p = 0;
            g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r));
            size_t i = m;
            for (; i-- > l;) {
                double f = s * e[i], b = c * e[i];
                e[i + 1] = r = hypot(f, g);
                if (r == 0) { d[i + 1] -= p; e[m] = 0; break; }
                s = f / r;
                c = g / r;
                g = d[i + 1] - p;
                r = (d[i] - g) * s + 2 * c * b;
                d[i + 1] = g + (p = s * r);
                g = c * r - b;
            }
            if (r == 0 && i + 1 > l) continue;
            d[l] -= p;
            e[l] = g;
            e[m] = 0;
        }
}

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void qn_eigenvalues(double *a, size_t n, double *out)
{
    if (n == 0) return;
    double *e = qn_alloc(n * sizeof *e);
    tridiagonal(a, n, out, e);
    ql(out, e, n);
    qsort(out, n, sizeof *out, by_double);
    qn_free(e);
}

double qn_vendi(const qn_vectors *v)
{
    bool gram_matrix = !v->dense || v->n <= v->dim;      /* the smaller of K and its dual has the same eigenvalues but zeros */
    size_t m = gram_matrix ? v->n : v->dim;
    double *k = QN_NEW_N(double, m * m + 1), *values = QN_NEW_N(double, m + 1), entropy = 0;
    if (gram_matrix) {
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j <= i; j++) k[i * m + j] = k[j * m + i] = qn_vectors_dot(v, i, j) / (double)v->n;
    } else {
        for (size_t t = 0; t < v->n; t++)
            for (size_t i = 0; i < m; i++)
                for (size_t j = 0; j < m; j++) k[i * m + j] += (double)v->dense[t * m + i] * v->dense[t * m + j] / (double)v->n;
    }
    qn_eigenvalues(k, m, values);
    for (size_t i = 0; i < m; i++)
        if (values[i] > 1e-12) entropy -= values[i] * log(values[i]);
    qn_free(k);
    qn_free(values);
    return v->n ? exp(entropy) : 0;
}
