/* vectors: loops over dense or sparse rows. */
#include "text/vectors.h"
#include "core/hash.h"
#include "core/mem.h"
#include <math.h>

void qn_vectors_free(qn_vectors *v)
{
    qn_free(v->dense);
    qn_free(v->start);
    qn_free(v->col);
    qn_free(v->val);
    *v = (qn_vectors){ 0 };
}

size_t qn_vectors_bytes(const qn_vectors *v)
{
    return v->dense ? v->n * v->dim * sizeof *v->dense
                    : (v->n + 1) * sizeof *v->start + (v->start ? v->start[v->n] : 0) * (sizeof *v->col + sizeof *v->val);
}

/* Eight running sums: a fixed order that the compiler can put into registers. */
static double dot_f32(const float *a, const float *b, size_t n)
{
    float sum[8] = { 0 };
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++) sum[k] += a[i + k] * b[i + k];
    for (; i < n; i++) sum[i % 8] += a[i] * b[i];
    double total = 0;
    for (size_t k = 0; k < 8; k++) total += sum[k];
    return total;
}

double qn_vectors_dot(const qn_vectors *v, size_t i, size_t j)
{
    if (v->dense) return dot_f32(v->dense + i * v->dim, v->dense + j * v->dim, v->dim);
    size_t a = v->start[i], b = v->start[j];
    double sum = 0;
    while (a < v->start[i + 1] && b < v->start[j + 1]) {
        uint32_t x = v->col[a], y = v->col[b];
        if (x == y) sum += (double)v->val[a] * v->val[b];
        a += x <= y;
        b += y <= x;
    }
    return sum;
}

double qn_vectors_dot_dense(const qn_vectors *v, size_t i, const float *x)
{
    if (v->dense) return dot_f32(v->dense + i * v->dim, x, v->dim);
    double sum = 0;
    for (size_t k = v->start[i]; k < v->start[i + 1]; k++) sum += (double)v->val[k] * x[v->col[k]];
    return sum;
}

void qn_vectors_add_to(const qn_vectors *v, size_t i, float scale, float *x)
{
    if (v->dense) {
        for (size_t k = 0; k < v->dim; k++) x[k] += scale * v->dense[i * v->dim + k];
        return;
    }
    for (size_t k = v->start[i]; k < v->start[i + 1]; k++) x[v->col[k]] += scale * v->val[k];
}

void qn_vectors_unit(qn_vectors *v)
{
    for (size_t i = 0; i < v->n; i++) {
        double length = sqrt(qn_vectors_dot(v, i, i));
        if (length == 0) continue;
        float *x = v->dense ? v->dense + i * v->dim : v->val + v->start[i];
        size_t n = v->dense ? v->dim : v->start[i + 1] - v->start[i];
        for (size_t k = 0; k < n; k++) x[k] = (float)(x[k] / length);
    }
}

/* Adds x_c times the c-th column of signs: 64 signs to a hash. */
static void project_one(float x, uint32_t c, uint64_t seed, float *out, size_t dim)
{
    for (size_t d = 0; d < dim; d += 64) {
        uint64_t key[2] = { c, d }, signs = qn_hash64(key, sizeof key, seed);
        for (size_t k = 0; k < 64 && d + k < dim; k++) out[d + k] += signs >> k & 1 ? x : -x;
    }
}

qn_vectors qn_vectors_project(const qn_vectors *v, size_t dim, uint64_t seed)
{
    qn_vectors out = { .n = v->n, .dim = dim, .dense = QN_NEW_N(float, v->n * dim + 1) };
    float scale = 1 / sqrtf((float)dim);
    for (size_t i = 0; i < v->n; i++) {
        if (v->dense)
            for (size_t c = 0; c < v->dim; c++) project_one(scale * v->dense[i * v->dim + c], (uint32_t)c, seed, out.dense + i * dim, dim);
        else
            for (size_t k = v->start[i]; k < v->start[i + 1]; k++) project_one(scale * v->val[k], v->col[k], seed, out.dense + i * dim, dim);
    }
    return out;
}

/* ---- the directions in which vectors vary most ---- */
enum { ROUNDS = 6 };

/* to (n, r) = v * from (dim, r); or its transpose, to (dim, r) += v' * from (n, r). */
static void times(const qn_vectors *v, const float *from, size_t r, float *to)
{
    for (size_t i = 0; i < v->n; i++)
        for (size_t k = v->start[i]; k < v->start[i + 1]; k++)
            for (size_t d = 0; d < r; d++) to[i * r + d] += v->val[k] * from[v->col[k] * r + d];
}

static void times_back(const qn_vectors *v, const float *from, size_t r, float *to)
{
    for (size_t i = 0; i < v->n; i++)
        for (size_t k = v->start[i]; k < v->start[i + 1]; k++)
            for (size_t d = 0; d < r; d++) to[v->col[k] * r + d] += v->val[k] * from[i * r + d];
}

/* Gram-Schmidt over the columns of q (n, r): each of length 1, or zero where nothing is left of it. */
static void orthonormal(float *q, size_t n, size_t r)
{
    for (size_t c = 0; c < r; c++) {
        double before = 0, length = 0;
        for (size_t i = 0; i < n; i++) before += (double)q[i * r + c] * q[i * r + c];
        for (size_t twice = 0; twice < 2; twice++)
            for (size_t b = 0; b < c; b++) {
                double dot = 0;
                for (size_t i = 0; i < n; i++) dot += (double)q[i * r + b] * q[i * r + c];
                for (size_t i = 0; i < n; i++) q[i * r + c] -= (float)(dot * q[i * r + b]);
            }
        for (size_t i = 0; i < n; i++) length += (double)q[i * r + c] * q[i * r + c];
        double scale = length > before * 1e-8 ? 1 / sqrt(length) : 0;
        for (size_t i = 0; i < n; i++) q[i * r + c] = (float)(q[i * r + c] * scale);
    }
}

qn_vectors qn_vectors_latent(const qn_vectors *v, size_t dim, uint64_t seed)
{
    size_t r = dim < v->n ? dim : v->n;
    if (r > v->dim) r = v->dim;
    if (r == 0) r = 1;
    float *q = QN_NEW_N(float, v->dim * r + 1), *y = QN_NEW_N(float, v->n * r + 1);
    for (size_t i = 0; i < v->dim * r; i++) q[i] = (float)(qn_hash64(&i, sizeof i, seed) >> 40) * 0x1p-23f - 1;
    orthonormal(q, v->dim, r);
    for (int round = 0; round < ROUNDS; round++) {
        memset(y, 0, v->n * r * sizeof *y);
        times(v, q, r, y);
        memset(q, 0, v->dim * r * sizeof *q);
        times_back(v, y, r, q);
        orthonormal(q, v->dim, r);
    }
    memset(y, 0, v->n * r * sizeof *y);
    times(v, q, r, y);
    qn_free(q);
    qn_vectors out = { .n = v->n, .dim = r, .dense = y };
    for (size_t i = 0; i < v->n; i++)                       /* what is only the noise of rounding becomes zero, not a direction */
        if (qn_vectors_dot(&out, i, i) < 1e-10) memset(y + i * r, 0, r * sizeof *y);
    qn_vectors_unit(&out);
    return out;
}
