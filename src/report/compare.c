/* compare: two passes that count and sample, then the measures on the samples. The report's thread runs it. */
#include "report/compare.h"
#include "core/file.h"
#include "core/map.h"
#include "core/rng.h"
#include "nn/encoder.h"
#include "report/compare_read.h"
#include "report/measures.h"
#include "text/cluster.h"
#include "text/diversity.h"
#include "text/lsh.h"
#include "text/tfidf.h"
#include "text/twosample.h"
#include <math.h>
#include <stdlib.h>

enum { COUNTED_WORDS = 100000, TEXT_BYTES = 16 << 10, DIFFERENT = 4000000, HASHES = 128 };
enum { VECTOR_ROWS = 2000, VENDI_ROWS = 400, BLEU_ROWS = 2000, AUC_ROWS = 5000, FEWEST = 20, DEALS = 20, SHOWN_BYTES = 600 };
#define INDEX_BYTES ((size_t)256 << 20)

static const char FEW_ROWS[] = "needs 20 texts on each side";
static const char NO_GRAMS[] = "no text is long enough";

qn_compare_options qn_compare_defaults(void)
{
    return (qn_compare_options){ .field_a = ".text", .limit = -1, .seed = 1, .sample = 5000, .topics = 20, .over = 0.7, .shingle = 3 };
}

/* ---- one side as it is read ---- */
typedef struct {
    qn_compare_side *out;
    const qn_compare_options *o;
    uint64_t *of_length;            /* (COUNTED_WORDS + 1) texts with so many words */
    double    n_words;
    qn_map    seen;                 /* texts by hash */
    char    **text;                 /* (sampled) owned */
    qn_str   *sample;               /* (sampled) views of them, in random order once read */
    qn_rng    rng;
} side;

typedef struct {
    qn_compare *c;
    side     a, b;
    qn_lsh  *index;                 /* of A's texts; the id of a set is A's row number */
    int      n_bands, n_rows;
    qn_minhash minhash;
    qn_shingles shingles;
    uint32_t sig[HASHES], keys[HASHES];
    qn_rng   rng;                   /* for the examples */
    uint64_t n_twins[2];            /* near ones met so far: differing, exact */
} work;

static void side_begin(side *s, qn_compare_side *out, const qn_compare_options *o)
{
    *s = (side){ .out = out, .o = o, .of_length = QN_NEW_N(uint64_t, COUNTED_WORDS + 1), .text = QN_NEW_N(char *, o->sample),
                 .sample = QN_NEW_N(qn_str, o->sample), .rng = qn_rng_seed(o->seed) };
}

static void side_free(side *s)
{
    for (size_t i = 0; s->out && i < s->out->sampled; i++) qn_free(s->text[i]);
    qn_free(s->text);
    qn_free(s->sample);
    qn_free(s->of_length);
    qn_map_free(&s->seen);
}

/* Vitter's algorithm R: every text so far is kept with the same chance. */
static void side_sample(side *s, qn_str text)
{
    size_t cap = (size_t)s->o->sample, at = s->out->sampled;
    if (at == cap) at = qn_rng_below(&s->rng, s->out->texts);
    if (at >= cap) return;
    qn_free(s->text[at]);
    s->text[at] = qn_strz(qn_str_sub(text, 0, qn_utf8_cut(text, text.n < TEXT_BYTES ? text.n : TEXT_BYTES)));
    if (at == s->out->sampled) s->out->sampled++;
}

static void side_count(side *s, qn_str text)
{
    size_t n = qn_words_count(text, QN_WORDS_PLAIN);
    s->n_words += (double)n;
    s->of_length[n < COUNTED_WORDS ? n : COUNTED_WORDS]++;
    if (n > s->out->max) s->out->max = n;
    if (s->seen.n < DIFFERENT) qn_map_put_str(&s->seen, text, NULL);
    else s->out->different_is_least |= !qn_map_get_str(&s->seen, text);
    side_sample(s, text);
}

static uint64_t quantile(const side *s, double q)
{
    uint64_t want = (uint64_t)ceil(q * (double)s->out->texts), sum = 0;
    for (uint64_t n = 0; n <= COUNTED_WORDS; n++)
        if ((sum += s->of_length[n]) >= want) return n;
    return COUNTED_WORDS;
}

static void side_end(side *s)
{
    qn_compare_side *o = s->out;
    o->different = s->seen.n;
    o->mean = s->n_words / (double)o->texts;
    o->p5 = quantile(s, .05), o->p25 = quantile(s, .25), o->p50 = quantile(s, .5), o->p75 = quantile(s, .75), o->p95 = quantile(s, .95);
    o->p99 = quantile(s, .99);
    for (size_t i = 0; i < o->sampled; i++) s->sample[i] = qn_str_of(s->text[i]);
    qn_rng_shuffle(&s->rng, s->sample, o->sampled, sizeof *s->sample);
}

static void histograms(work *w)
{
    uint64_t top = (w->c->a.p99 > w->c->b.p99 ? w->c->a.p99 : w->c->b.p99) + 1;
    side *both[] = { &w->a, &w->b };
    w->c->bin_words = (top + QN_COMPARE_BINS - 1) / QN_COMPARE_BINS;
    for (int k = 0; k < 2; k++)
        for (uint64_t n = 0; n <= COUNTED_WORDS; n++) {
            uint64_t bin = n / w->c->bin_words;
            both[k]->out->hist[bin < QN_COMPARE_BINS ? bin : QN_COMPARE_BINS - 1] += both[k]->of_length[n];
        }
}

/* ---- what lies between: duplicates of B's texts in A ---- */
static void band_keys(work *w, qn_str text)
{
    qn_shingles_words(text, QN_WORDS_PLAIN, (int)w->c->options.shingle, &w->shingles);
    qn_minhash_sign(&w->minhash, w->shingles.v, w->shingles.n, w->sig);
    qn_lsh_keys(w->n_bands, w->n_rows, w->sig, w->keys);
    qn_shingles_sort(&w->shingles);
}

static qn_code take_a(void *arg, uint64_t number, const qn_row *row, qn_str text, bool *stop, qn_err *e)
{
    work *w = arg;
    (void)row; (void)stop;
    side_count(&w->a, text);
    band_keys(w, text);
    return qn_lsh_add(w->index, w->keys, &w->shingles, (qn_row_mark){ .number = number }, e);
}

static qn_str shown(qn_arena *a, qn_str text)
{
    if (text.n <= SHOWN_BYTES) return qn_arena_str(a, text);
    return qn_arena_printf(a, "%.*s\xe2\x80\xa6", (int)qn_utf8_cut(text, SHOWN_BYTES), text.p);
}

/* Examples: two thirds of the places are for texts that differ, the rest for equal ones; each kind is a fair draw. */
static void take_example(work *w, uint64_t number, const qn_row *row, qn_str text, const qn_lsh_match *m, bool exact)
{
    enum { DIFFERING = QN_COMPARE_SHOWN * 2 / 3, EQUAL = QN_COMPARE_SHOWN - DIFFERING };
    uint64_t room = exact ? EQUAL : DIFFERING, met = w->n_twins[exact]++, at = met < room ? met : qn_rng_below(&w->rng, met + 1);
    if (at >= room) return;
    w->c->across.twin[(exact ? DIFFERING : 0) + at] =
        (qn_compare_twin){ .row_a = m->of.number, .row_b = number, .id_b = qn_compare_id(row, &w->c->arena), .text_b = shown(&w->c->arena, text),
                           .similarity = m->similarity, .exact = exact };
}

static qn_code take_b(void *arg, uint64_t number, const qn_row *row, qn_str text, bool *stop, qn_err *e)
{
    work *w = arg;
    qn_lsh_match m = {0};
    bool exact = qn_map_get_str(&w->a.seen, text) != NULL;
    (void)stop;
    side_count(&w->b, text);
    band_keys(w, text);
    QN_TRY(qn_lsh_find(w->index, w->keys, &w->shingles, &m, e));
    w->c->across.exact += exact;
    w->c->across.near += exact || m.found;
    if (m.found) take_example(w, number, row, text, &m, exact);
    return QN_OK;
}

static int by_row_b(const void *x, const void *y)
{
    const qn_compare_twin *a = x, *b = y;
    if (a->exact != b->exact) return a->exact - b->exact;
    return (a->row_b > b->row_b) - (a->row_b < b->row_b);
}

/* A's text of each example, by one more look at A up to the last of them. A pipe cannot be looked at again: then the texts stay empty. */
static qn_code fill_example(void *arg, uint64_t number, const qn_row *row, qn_str text, bool *stop, qn_err *e)
{
    qn_compare *c = arg;
    uint64_t last = 0;
    (void)e;
    for (size_t i = 0; i < c->across.n; i++) {
        qn_compare_twin *t = &c->across.twin[i];
        if (t->row_a == number) t->id_a = qn_compare_id(row, &c->arena), t->text_a = shown(&c->arena, text);
        if (t->row_a > last) last = t->row_a;
    }
    *stop = number >= last;
    return QN_OK;
}

static void examples(qn_compare *c)
{
    qn_compare_side unused = {0};
    qn_err not_again;
    size_t n = 0;
    for (size_t i = 0; i < QN_COMPARE_SHOWN; i++)
        if (c->across.twin[i].row_b) c->across.twin[n++] = c->across.twin[i];
    c->across.n = n;
    qsort(c->across.twin, n, sizeof *c->across.twin, by_row_b);
    if (n) qn_compare_read(c->a.path, c->a.field, c->options.limit, &unused, fill_example, c, &not_again);
}

/* ---- words: openings, and the words that tell the sides apart ---- */
static size_t smaller(const work *w, size_t most)
{
    size_t n = w->c->a.sampled < w->c->b.sampled ? w->c->a.sampled : w->c->b.sampled;
    return n < most ? n : most;
}

typedef struct { qn_str word; uint64_t n[2]; } word_count;
typedef struct { qn_map index; word_count *v; size_t n, cap; uint64_t all[2]; qn_arena arena; } word_counts;

static void counts_free(word_counts *t) { qn_map_free(&t->index); qn_free(t->v); qn_arena_free(&t->arena); }

static void counts_add(word_counts *t, qn_str word, int of)
{
    bool fresh;
    uint64_t *at = qn_map_put_str(&t->index, word, &fresh);
    if (fresh) {
        *at = t->n;
        QN_GROW(t->v, t->n, t->cap);
        t->v[t->n++] = (word_count){ .word = qn_arena_str(&t->arena, qn_str_sub(word, 0, qn_utf8_cut(word, word.n < 60 ? word.n : 60))) };
    }
    t->v[*at].n[of]++;
    t->all[of]++;
}

/* Counts the words of n texts of both sides, or only the first of each. */
static word_counts count_words(const work *w, size_t n, bool first)
{
    const qn_str *text[2] = { w->a.sample, w->b.sample };
    word_counts t = {0};
    qn_buf plain = {0};
    for (int of = 0; of < 2; of++)
        for (size_t i = 0; i < n; i++) {
            qn_buf_clear(&plain);
            qn_words_plain(text[of][i], QN_WORDS_PLAIN, true, &plain);
            qn_str rest = qn_buf_view(&plain);
            while (rest.n) {
                const char *space = memchr(rest.p, ' ', rest.n);
                size_t len = space ? (size_t)(space - rest.p) : rest.n;
                counts_add(&t, qn_str_sub(rest, 0, len), of);
                if (first) break;
                rest = qn_str_sub(rest, len + (space != NULL), rest.n);
            }
        }
    qn_buf_free(&plain);
    return t;
}

static int most_first(const void *x, const void *y)
{
    const word_count *a = x, *b = y;
    uint64_t n = a->n[0] + a->n[1], m = b->n[0] + b->n[1];
    return n != m ? (n < m ? 1 : -1) : qn_str_cmp(a->word, b->word);
}

static void openings(work *w)
{
    qn_compare *c = w->c;
    size_t n = smaller(w, AUC_ROWS);
    c->opening_bits = (qn_compare_pair){ n < FEWEST ? FEW_ROWS : NULL, n, qn_opening_bits(w->a.sample, n), qn_opening_bits(w->b.sample, n) };
    word_counts t = count_words(w, n, true);
    if (t.n) qsort(t.v, t.n, sizeof *t.v, most_first);
    for (size_t i = 0; i < t.n && i < QN_COMPARE_OPENINGS; i++)
        c->openings[c->n_openings++] = (qn_compare_share){ qn_arena_str(&c->arena, t.v[i].word), (double)t.v[i].n[0] / (double)n,
                                                           (double)t.v[i].n[1] / (double)n };
    counts_free(&t);
}

static int by_z(const void *x, const void *y)
{
    const qn_compare_telling *a = x, *b = y;
    return a->z != b->z ? (a->z < b->z ? 1 : -1) : qn_str_cmp(a->word, b->word);
}

/* Log-odds with the words of both sides as a Dirichlet prior, divided by its deviation (Monroe, Colaresi and Quinn 2008, "Fightin' words"). */
static void telling(work *w)
{
    qn_compare *c = w->c;
    size_t n = smaller(w, AUC_ROWS), kept = 0;
    c->telling.why = n < FEWEST ? FEW_ROWS : NULL;
    if (c->telling.why) return;
    word_counts t = count_words(w, n, false);
    double all = (double)(t.all[0] + t.all[1]), prior = all * .1;
    qn_compare_telling *v = QN_NEW_N(qn_compare_telling, t.n + 1);
    for (size_t i = 0; i < t.n; i++) {
        double a = (double)t.v[i].n[0], b = (double)t.v[i].n[1], p = prior * (a + b) / all;
        double odds = log((b + p) / ((double)t.all[1] + prior - b - p)) - log((a + p) / ((double)t.all[0] + prior - a - p));
        double z = odds / sqrt(1 / (a + p) + 1 / (b + p));
        if (isfinite(z) && fabs(z) >= 1.96) v[kept++] = (qn_compare_telling){ t.v[i].word, t.v[i].n[0], t.v[i].n[1], z };
    }
    if (kept) qsort(v, kept, sizeof *v, by_z);
    for (size_t i = 0; i < kept && i < QN_COMPARE_TELLING; i++)
        if (v[kept - 1 - i].z < 0) c->telling.word[c->telling.n++] = v[kept - 1 - i];
    for (size_t i = 0; i < kept && i < QN_COMPARE_TELLING; i++)
        if (v[i].z > 0) c->telling.word[c->telling.n++] = v[i];
    for (size_t i = 0; i < c->telling.n; i++) c->telling.word[i].word = qn_arena_str(&c->arena, c->telling.word[i].word);
    qn_free(v);
    counts_free(&t);
}

static void diversity(work *w)
{
    qn_compare *c = w->c;
    size_t n = smaller(w, AUC_ROWS);
    for (int g = 0; g < 3; g++) {
        double a = qn_distinct_n(w->a.sample, n, g + 1), b = qn_distinct_n(w->b.sample, n, g + 1);
        c->distinct[g] = (qn_compare_pair){ a <= 0 || b <= 0 ? NO_GRAMS : NULL, n, a, b };
    }
    n = smaller(w, BLEU_ROWS);
    c->self_bleu = (qn_compare_pair){ .why = n < FEWEST ? FEW_ROWS : NULL, .rows = n };
    if (n >= FEWEST) c->self_bleu.a = qn_self_bleu(w->a.sample, n), c->self_bleu.b = qn_self_bleu(w->b.sample, n);
}

static void classifier(work *w)
{
    qn_compare *c = w->c;
    size_t n_a = c->a.sampled < AUC_ROWS ? c->a.sampled : AUC_ROWS, n_b = c->b.sampled < AUC_ROWS ? c->b.sampled : AUC_ROWS;
    c->classifier.n_a = n_a, c->classifier.n_b = n_b;
    c->classifier.why = n_a < FEWEST || n_b < FEWEST ? FEW_ROWS : NULL;
    if (c->classifier.why) return;
    qn_auc r = qn_twosample_auc(w->a.sample, n_a, w->b.sample, n_b, c->options.seed);
    c->classifier.auc = r.auc, c->classifier.low = r.low, c->classifier.high = r.high;
    if (r.low <= 0 && r.high >= 1) c->classifier.why = "too few different texts";
}

/* ---- vectors of both samples: distance, number of different texts in effect, topics ---- */
typedef struct { size_t n; qn_tfidf *words; qn_vectors tfidf, dense; } space;    /* rows 0..n-1 are A's, n..2n-1 B's */

static void space_free(space *s)
{
    qn_vectors_free(&s->tfidf);
    qn_vectors_free(&s->dense);
    qn_tfidf_free(s->words);
}

static qn_code space_make(work *w, space *s, qn_err *e)
{
    s->n = smaller(w, VECTOR_ROWS);
    s->words = qn_tfidf_new();
    for (size_t i = 0; i < s->n; i++) qn_tfidf_add(s->words, w->a.sample[i]);
    for (size_t i = 0; i < s->n; i++) qn_tfidf_add(s->words, w->b.sample[i]);
    s->tfidf = qn_tfidf_vectors(s->words, s->n < FEWEST ? 1 : 2);
    w->c->vectors = w->c->options.model ? "model" : "tfidf";
    if (!w->c->options.model) return QN_OK;
    qn_encoder *m = NULL;
    QN_TRY(qn_encoder_open(&m, w->c->options.model, e));
    size_t dim = (size_t)qn_encoder_dim(m);
    s->dense = (qn_vectors){ .n = 2 * s->n, .dim = dim, .dense = qn_alloc(2 * s->n * dim * sizeof(float)) };
    qn_code rc = qn_encoder_embed(m, w->a.sample, s->n, s->dense.dense, e);
    if (rc == QN_OK) rc = qn_encoder_embed(m, w->b.sample, s->n, s->dense.dense + s->n * dim, e);
    qn_encoder_close(m);
    return rc;
}

/* n vectors from `at` on: a view, not to be freed. */
static qn_vectors view(const qn_vectors *v, size_t at, size_t n)
{
    qn_vectors part = *v;
    part.n = n;
    if (v->dense) part.dense = v->dense + at * v->dim;
    else part.start = v->start + at;
    return part;
}

static void vendi(work *w, const space *s, const qn_vectors *v)
{
    size_t n = s->n < VENDI_ROWS ? s->n : VENDI_ROWS;
    w->c->vendi = (qn_compare_pair){ .why = n < FEWEST ? FEW_ROWS : NULL, .rows = n };
    if (n < FEWEST) return;
    qn_vectors a = view(v, 0, n), b = view(v, s->n, n);
    w->c->vendi.a = qn_vendi(&a);
    w->c->vendi.b = qn_vendi(&b);
}

static double mauve_of(const qn_clusters *k, const uint32_t *order, size_t n)
{
    double *p = QN_NEW_N(double, k->k + 1), *q = QN_NEW_N(double, k->k + 1);
    for (size_t i = 0; i < 2 * n; i++) (i < n ? p : q)[k->label[order[i]]]++;
    double m = qn_mauve(p, q, k->k, 5);
    qn_free(p);
    qn_free(q);
    return m > 1 - 1e-9 ? 1 : m;        /* the area's sum is rounded */
}

/* The same cells and scale as qn_mauve_vectors; `chance` deals the rows out at random, so that sampling noise has its own number. */
static void distance(work *w, const space *s, const qn_vectors *v)
{
    qn_compare *c = w->c;
    size_t n = s->n, k = n / 10;
    c->distance.rows = n;
    c->distance.why = n < FEWEST ? FEW_ROWS : NULL;
    if (c->distance.why) return;
    qn_clusters cells = qn_kmeans(v, k < 2 ? 2 : k > 100 ? 100 : k, 30, c->options.seed);
    uint32_t *order = QN_NEW_N(uint32_t, 2 * n);
    qn_rng rng = qn_rng_seed(c->options.seed);
    for (size_t i = 0; i < 2 * n; i++) order[i] = (uint32_t)i;
    c->distance.mauve = mauve_of(&cells, order, n);
    for (int d = 0; d < DEALS; d++) {
        qn_rng_shuffle(&rng, order, 2 * n, sizeof *order);
        c->distance.chance += mauve_of(&cells, order, n) / DEALS;
    }
    qn_free(order);
    qn_clusters_free(&cells);
}

static int largest_first(const void *x, const void *y)
{
    const qn_compare_topic *a = x, *b = y;
    size_t n = a->n_a + a->n_b, m = b->n_a + b->n_b;
    return n != m ? (n < m ? 1 : -1) : qn_str_cmp(a->name, b->name);
}

static void topics(work *w, const space *s, const qn_vectors *v, const qn_vectors *words)
{
    qn_compare *c = w->c;
    size_t n = s->n, k = (size_t)c->options.topics < n / 10 ? (size_t)c->options.topics : n / 10, in_a = 0, in_b = 0;
    c->topics.rows = n;
    c->topics.why = n < FEWEST ? FEW_ROWS : NULL;
    if (c->topics.why) return;
    qn_clusters t = qn_kmeans(v, k, 30, c->options.seed);
    float *mean = QN_NEW_N(float, s->tfidf.dim + 1), *own = QN_NEW_N(float, s->tfidf.dim + 1);
    for (size_t i = 0; i < 2 * n; i++) qn_vectors_add_to(words, i, 1 / (float)(2 * n), mean);
    for (size_t i = 0; i < t.k; i++) {
        qn_compare_topic topic = {0};
        for (size_t r = 0; r < 2 * n; r++)
            if (t.label[r] == i) ++*(r < n ? &topic.n_a : &topic.n_b);
        if (!topic.n_a && !topic.n_b) continue;
        topic.name = qn_topic_name(s->words, words, &t, i, mean, own, &c->arena);
        if (topic.n_b) in_a += topic.n_a;
        if (topic.n_a) in_b += topic.n_b;
        c->topics.topic[c->topics.n++] = topic;
    }
    c->topics.covered_a = (double)in_a / (double)n;
    c->topics.covered_b = (double)in_b / (double)n;
    qsort(c->topics.topic, c->topics.n, sizeof *c->topics.topic, largest_first);
    qn_free(mean);
    qn_free(own);
    qn_clusters_free(&t);
}

static qn_code in_space(work *w, qn_err *e)
{
    space s = {0};
    qn_code rc = space_make(w, &s, e);
    const qn_vectors *v = s.dense.dense ? &s.dense : &s.tfidf;
    if (rc == QN_OK) {
        vendi(w, &s, v);
        distance(w, &s, v);
        qn_vectors rare = qn_without_common(s.words, &s.tfidf);
        qn_vectors near = qn_vectors_latent(&rare, s.dense.dense ? 1 : QN_TOPIC_DIM, w->c->options.seed);
        topics(w, &s, s.dense.dense ? v : &near, &rare);
        qn_vectors_free(&near);
        qn_vectors_free(&rare);
    }
    space_free(&s);
    return rc;
}

/* ---- the whole ---- */
static const char *path_of(qn_compare *c, const char *path)
{
    if (!qn_is_dir(path)) return path;
    char *data = qn_path_join(path, "data.jsonl");
    const char *kept = qn_file_exists(data) ? qn_arena_str(&c->arena, qn_str_of(data)).p : path;
    qn_free(data);
    return kept;
}

static qn_code run(work *w, qn_err *e)
{
    qn_compare *c = w->c;
    QN_TRY(qn_compare_read(c->a.path, c->a.field, c->options.limit, &c->a, take_a, w, e));
    side_end(&w->a);
    QN_TRY(qn_compare_read(c->b.path, c->b.field, c->options.limit, &c->b, take_b, w, e));
    side_end(&w->b);
    c->across.exact_is_least = c->a.different_is_least;
    histograms(w);
    examples(c);
    openings(w);
    telling(w);
    diversity(w);
    classifier(w);
    return in_space(w, e);
}

qn_code qn_compare_run(qn_compare *c, const qn_compare_options *o, qn_err *e)
{
    *c = (qn_compare){ .options = *o };
    c->a.field = o->field_a;
    c->b.field = o->field_b ? o->field_b : o->field_a;
    c->a.path = path_of(c, o->a);
    c->b.path = path_of(c, o->b);
    if (strcmp(o->a, "-") == 0 || strcmp(o->b, "-") == 0) {
        qn_fail(e, QN_EUSAGE, "compare does not read standard input");
        qn_hint(e, "A is read twice: save it to a file first");
        return QN_EUSAGE;
    }
    work *w = QN_NEW(work);
    w->c = c;
    side_begin(&w->a, &c->a, o);
    side_begin(&w->b, &c->b, o);
    w->rng = qn_rng_seed(o->seed + 1);
    w->minhash = qn_minhash_new(HASHES, 1);
    qn_lsh_bands(HASHES, o->over, &w->n_bands, &w->n_rows);
    w->index = qn_lsh_new((qn_lsh_setup){ .n_hashes = HASHES, .over = o->over, .memory_bytes = INDEX_BYTES });
    qn_code rc = run(w, e);
    qn_lsh_free(w->index);
    qn_minhash_free(&w->minhash);
    qn_shingles_free(&w->shingles);
    side_free(&w->a);
    side_free(&w->b);
    qn_free(w);
    return rc;
}

void qn_compare_free(qn_compare *c) { qn_arena_free(&c->arena); }
