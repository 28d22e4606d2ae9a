/* item_response: the log posterior's gradient, summed over the answers in order, and Adam over it. */
#include "text/item_response.h"
#include "core/mem.h"
#include <math.h>

enum { STEPS = 1500 };
static const double SPREAD_A = 0.5, SPREAD_G = 0.5;     /* of the priors of log discrimination and logit guess */

static double logistic(double x) { return 1 / (1 + exp(-x)); }

/* Parameters lie in one array: log discrimination (n_items), difficulty (n_items), logit guess (n_items), abilities (n_parts). */
static void gradient(const qn_irt_exam *x, const double *w, double guess_mean, double *g)
{
    size_t n = x->n_items;
    const double *la = w, *b = w + n, *lg = w + 2 * n, *theta = w + 3 * n;
    for (size_t i = 0; i < n; i++) {
        g[i] = -la[i] / (SPREAD_A * SPREAD_A);
        g[n + i] = -b[i];
        g[2 * n + i] = x->options ? -(lg[i] - guess_mean) / (SPREAD_G * SPREAD_G) : 0;
    }
    for (size_t k = 0; k < x->n_parts; k++) g[3 * n + k] = -theta[k];
    for (const qn_irt_answer *q = x->answers; q < x->answers + x->n_answers; q++) {
        size_t i = q->item;
        double ability = 0, a = exp(la[i]), c = x->options ? logistic(lg[i]) : 0;
        for (size_t k = 0; k < q->n_parts; k++) ability += theta[x->parts[q->first_part + k]];
        double s = logistic(a * (ability - b[i])), p = c + (1 - c) * s;
        double by_p = q->right ? 1 / fmax(p, 1e-12) : -1 / fmax(1 - p, 1e-12);
        double by_z = by_p * (1 - c) * s * (1 - s);     /* z = a * (ability - b) */
        g[i] += by_z * a * (ability - b[i]);
        g[n + i] -= by_z * a;
        if (x->options) g[2 * n + i] += by_p * (1 - s) * c * (1 - c);
        for (size_t k = 0; k < q->n_parts; k++) g[3 * n + x->parts[q->first_part + k]] += by_z * a;
    }
}

static void climb(const qn_irt_exam *x, double *w, double guess_mean)
{
    size_t n = 3 * x->n_items + x->n_parts;
    double *g = QN_NEW_N(double, n + 1), *m = QN_NEW_N(double, n + 1), *v = QN_NEW_N(double, n + 1), decay1 = 1, decay2 = 1;
    for (int t = 0; t < STEPS; t++) {
        double rate = 0.05 * (1 - (double)t / STEPS);
        gradient(x, w, guess_mean, g);
        decay1 *= 0.9;
        decay2 *= 0.999;
        for (size_t i = 0; i < n; i++) {
            m[i] = 0.9 * m[i] + 0.1 * g[i];
            v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
            w[i] += rate * (m[i] / (1 - decay1)) / (sqrt(v[i] / (1 - decay2)) + 1e-8);
        }
    }
    qn_free(g);
    qn_free(m);
    qn_free(v);
}

/* Fisher's information of the three-parameter model: a^2 * (1 - p) / p * ((p - c) / (1 - c))^2. */
static void measure_information(const qn_irt_exam *x, const double *theta, qn_irt_item *items)
{
    size_t *n = QN_NEW_N(size_t, x->n_items + 1);
    for (const qn_irt_answer *q = x->answers; q < x->answers + x->n_answers; q++) {
        qn_irt_item *it = &items[q->item];
        double ability = 0;
        for (size_t k = 0; k < q->n_parts; k++) ability += theta[x->parts[q->first_part + k]];
        double s = logistic(it->discrimination * (ability - it->difficulty)), p = it->guess + (1 - it->guess) * s;
        it->information += it->discrimination * it->discrimination * (1 - p) / fmax(p, 1e-12) * s * s;
        n[q->item]++;
    }
    for (size_t i = 0; i < x->n_items; i++) items[i].information /= n[i] ? (double)n[i] : 1;
    qn_free(n);
}

void qn_irt_fit(const qn_irt_exam *x, qn_irt_item *items, double *abilities)
{
    size_t n = x->n_items;
    double guess_mean = x->options > 1 ? -log((double)x->options - 1) : 0;
    double *w = QN_NEW_N(double, 3 * n + x->n_parts + 1);
    for (size_t i = 0; i < n; i++) w[2 * n + i] = guess_mean;
    climb(x, w, guess_mean);
    for (size_t i = 0; i < n; i++)
        items[i] = (qn_irt_item){ exp(w[i]), w[n + i], x->options ? logistic(w[2 * n + i]) : 0, 0 };
    for (size_t k = 0; k < x->n_parts; k++) abilities[k] = w[3 * n + k];
    measure_information(x, abilities, items);
    qn_free(w);
}
