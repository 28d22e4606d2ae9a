/* portrait: one pass that samples, then the measures. */
#include "report/portrait.h"
#include "core/rng.h"
#include "report/compare_read.h"
#include "report/measures.h"
#include "report/put.h"
#include "text/diversity.h"
#include <stdlib.h>

enum { SAMPLE = 2000, FEWEST = 20, VENDI_ROWS = 400, TOPICS = 12, MORE_TOPICS = 20, TEXT_BYTES = 16 << 10 };

typedef struct { qn_str text[SAMPLE]; char *own[SAMPLE]; size_t n; uint64_t met; qn_rng rng; } sample;

/* Vitter's algorithm R. */
static qn_code take(void *arg, uint64_t number, const qn_row *row, qn_str text, bool *stop, qn_err *e)
{
    sample *s = arg;
    (void)number; (void)row; (void)stop; (void)e;
    s->met++;
    size_t at = s->n < SAMPLE ? s->n++ : qn_rng_below(&s->rng, s->met);
    if (at >= SAMPLE) return QN_OK;
    qn_free(s->own[at]);
    s->own[at] = qn_strz(qn_str_sub(text, 0, qn_utf8_cut(text, text.n < TEXT_BYTES ? text.n : TEXT_BYTES)));
    return QN_OK;
}

typedef struct { qn_str name; size_t n; } topic;
static int largest_first(const void *x, const void *y)
{
    const topic *a = x, *b = y;
    return a->n != b->n ? (a->n < b->n ? 1 : -1) : qn_str_cmp(a->name, b->name);
}

static void put_topics(qn_buf *b, const qn_tfidf *words, const qn_vectors *v, uint64_t seed)
{
    size_t k = v->n / 10 < TOPICS ? v->n / 10 : v->n / 30 < TOPICS ? TOPICS : v->n / 30 < MORE_TOPICS ? v->n / 30 : MORE_TOPICS, n = 0;
    qn_arena a = {0};
    qn_vectors near = qn_vectors_latent(v, QN_TOPIC_DIM, seed);
    qn_clusters t = qn_kmeans(&near, k, 30, seed);
    topic *list = QN_NEW_N(topic, t.k + 1);
    float *mean = QN_NEW_N(float, v->dim + 1), *own = QN_NEW_N(float, v->dim + 1);
    for (size_t i = 0; i < v->n; i++) qn_vectors_add_to(v, i, 1 / (float)v->n, mean);
    for (size_t i = 0; i < t.k; i++)
        if (t.size[i]) list[n++] = (topic){ qn_topic_name(words, v, &t, i, mean, own, &a), t.size[i] };
    qsort(list, n, sizeof *list, largest_first);
    for (size_t i = 0; i < n; i++) {
        qn_put_comma(b);
        qn_buf_putc(b, '[');
        qn_put_text(b, list[i].name, 0);
        qn_buf_printf(b, ",%zu]", list[i].n);
    }
    qn_free(mean);
    qn_free(own);
    qn_free(list);
    qn_clusters_free(&t);
    qn_vectors_free(&near);
    qn_arena_free(&a);
}

/* Needs FEWEST texts. */
static void put_measures(qn_buf *b, const sample *s, uint64_t seed)
{
    qn_tfidf *words = qn_tfidf_new();
    for (size_t i = 0; i < s->n; i++) qn_tfidf_add(words, s->text[i]);
    qn_vectors all = qn_tfidf_vectors(words, 2), rare = qn_without_common(words, &all), some = all;
    some.n = s->n < VENDI_ROWS ? s->n : VENDI_ROWS;
    qn_put_kv_real(b, "opening_bits", qn_opening_bits(s->text, s->n));
    qn_put_key(b, "distinct");
    for (int g = 1; g <= 3; g++) {
        qn_buf_putc(b, g == 1 ? '[' : ',');
        qn_put_real(b, qn_distinct_n(s->text, s->n, g));
    }
    qn_buf_putc(b, ']');
    qn_put_kv_real(b, "self_bleu", qn_self_bleu(s->text, s->n));
    qn_put_kv_real(b, "vendi", qn_vendi(&some));
    qn_put_kv_int(b, "vendi_of", (int64_t)some.n);
    qn_put_key(b, "topics");
    qn_buf_putc(b, '[');
    put_topics(b, words, &rare, seed);
    qn_buf_putc(b, ']');
    qn_vectors_free(&rare);
    qn_vectors_free(&all);
    qn_tfidf_free(words);
}

qn_code qn_portrait_put(const char *path, const char *field, uint64_t seed, qn_buf *b, qn_err *e)
{
    sample *s = QN_NEW(sample);
    qn_compare_side side = {0};
    qn_buf x = {0};
    s->rng = qn_rng_seed(seed);
    if (field[strspn(field, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")]) qn_buf_printf(&x, ".[\"%s\"]", field);
    else qn_buf_printf(&x, ".%s", field);
    qn_code rc = qn_compare_read(path, x.p, -1, &side, take, s, e);
    if (rc == QN_OK) {
        for (size_t i = 0; i < s->n; i++) s->text[i] = qn_str_of(s->own[i]);
        qn_rng_shuffle(&s->rng, s->text, s->n, sizeof *s->text);
        qn_buf_putc(b, '{');
        qn_put_key(b, "field");
        qn_put_text(b, qn_str_of(field), 100);
        qn_put_kv_int(b, "texts", (int64_t)side.texts);
        qn_put_kv_int(b, "sampled", (int64_t)s->n);
        if (s->n >= FEWEST) put_measures(b, s, seed);
        qn_buf_putc(b, '}');
    }
    for (size_t i = 0; i < s->n; i++) qn_free(s->own[i]);
    qn_buf_free(&x);
    qn_free(s);
    return rc;
}
