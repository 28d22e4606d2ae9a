/* compare_put: a comparison as JSON, as a table and as a page. */
#include "report/compare.h"
#include "core/file.h"
#include "report/one_page.h"
#include "report/put.h"
#include <stdio.h>

/* ---- JSON ---- */
static void open_object(qn_buf *b, const char *key) { qn_put_key(b, key); qn_buf_putc(b, '{'); }
static void close_object(qn_buf *b) { qn_buf_putc(b, '}'); }

static void kv_why(qn_buf *b, const char *why)
{
    qn_put_key(b, "why");
    if (why) qn_put_text(b, qn_str_of(why), 0);
    else qn_buf_puts(b, "null");
}

static void kv_real(qn_buf *b, const char *key, const char *why, double d)
{
    qn_put_key(b, key);
    if (why) qn_buf_puts(b, "null");
    else qn_put_real(b, d);
}

static void kv_str(qn_buf *b, const char *key, qn_str s)
{
    qn_put_key(b, key);
    if (s.p) qn_put_text(b, s, 0);
    else qn_buf_puts(b, "null");
}

static void kv_bool(qn_buf *b, const char *key, bool v)
{
    qn_put_key(b, key);
    qn_buf_puts(b, v ? "true" : "false");
}

static void put_side(qn_buf *b, const char *key, const qn_compare_side *s)
{
    open_object(b, key);
    qn_put_kv_text(b, "path", s->path);
    qn_put_kv_text(b, "field", s->field);
    qn_put_kv_int(b, "rows", (int64_t)s->rows);
    kv_bool(b, "limited", s->limited);
    qn_put_kv_int(b, "texts", (int64_t)s->texts);
    qn_put_kv_int(b, "empty", (int64_t)s->empty);
    qn_put_kv_int(b, "unreadable", (int64_t)s->unreadable);
    qn_put_kv_int(b, "different", (int64_t)s->different);
    kv_bool(b, "different_is_least", s->different_is_least);
    qn_put_kv_int(b, "sampled", (int64_t)s->sampled);
    close_object(b);
}

static void put_length(qn_buf *b, const char *key, const qn_compare_side *s)
{
    open_object(b, key);
    qn_put_kv_real(b, "mean", s->mean);
    qn_put_kv_int(b, "p5", (int64_t)s->p5);
    qn_put_kv_int(b, "p25", (int64_t)s->p25);
    qn_put_kv_int(b, "p50", (int64_t)s->p50);
    qn_put_kv_int(b, "p75", (int64_t)s->p75);
    qn_put_kv_int(b, "p95", (int64_t)s->p95);
    qn_put_kv_int(b, "p99", (int64_t)s->p99);
    qn_put_kv_int(b, "max", (int64_t)s->max);
    qn_put_key(b, "histogram");
    qn_buf_putc(b, '[');
    for (int i = 0; i < QN_COMPARE_BINS; i++) {
        qn_put_comma(b);
        qn_buf_printf(b, "%llu", (unsigned long long)s->hist[i]);
    }
    qn_buf_putc(b, ']');
    close_object(b);
}

static void put_pair(qn_buf *b, const char *key, const qn_compare_pair *p)
{
    open_object(b, key);
    qn_put_kv_int(b, "rows", (int64_t)p->rows);
    kv_real(b, "a", p->why, p->a);
    kv_real(b, "b", p->why, p->b);
    kv_why(b, p->why);
    close_object(b);
}

static void put_openings(qn_buf *b, const qn_compare *c)
{
    qn_put_key(b, "first_words");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < c->n_openings; i++) {
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        kv_str(b, "word", c->openings[i].word);
        qn_put_kv_real(b, "share_a", c->openings[i].a);
        qn_put_kv_real(b, "share_b", c->openings[i].b);
        close_object(b);
    }
    qn_buf_putc(b, ']');
}

static void put_classifier(qn_buf *b, const qn_compare *c)
{
    open_object(b, "classifier");
    qn_put_kv_int(b, "rows_a", (int64_t)c->classifier.n_a);
    qn_put_kv_int(b, "rows_b", (int64_t)c->classifier.n_b);
    kv_real(b, "auc", c->classifier.why, c->classifier.auc);
    kv_real(b, "low", c->classifier.why, c->classifier.low);
    kv_real(b, "high", c->classifier.why, c->classifier.high);
    kv_why(b, c->classifier.why);
    close_object(b);
    open_object(b, "telling_words");
    kv_why(b, c->telling.why);
    for (int side = 0; side < 2; side++) {
        qn_put_key(b, side ? "b" : "a");
        qn_buf_putc(b, '[');
        for (size_t i = 0; i < c->telling.n; i++) {
            const qn_compare_telling *t = &c->telling.word[i];
            if ((t->z > 0) != side) continue;
            qn_put_comma(b);
            qn_buf_putc(b, '{');
            kv_str(b, "word", t->word);
            qn_put_kv_int(b, "n_a", (int64_t)t->n_a);
            qn_put_kv_int(b, "n_b", (int64_t)t->n_b);
            qn_put_kv_real(b, "z", t->z);
            close_object(b);
        }
        qn_buf_putc(b, ']');
    }
    close_object(b);
}

/* Names of topics that one side has and the other has not. */
static void put_lacking(qn_buf *b, const char *key, const qn_compare *c, bool in_a)
{
    qn_put_key(b, key);
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < c->topics.n; i++) {
        if (in_a ? c->topics.topic[i].n_a : c->topics.topic[i].n_b) continue;
        qn_put_comma(b);
        qn_put_text(b, c->topics.topic[i].name, 0);
    }
    qn_buf_putc(b, ']');
}

static void put_topics(qn_buf *b, const qn_compare *c)
{
    double n = c->topics.rows ? (double)c->topics.rows : 1;
    open_object(b, "topics");
    qn_put_kv_int(b, "rows", (int64_t)c->topics.rows);
    kv_real(b, "a_covered_by_b", c->topics.why, c->topics.covered_a);
    kv_real(b, "b_covered_by_a", c->topics.why, c->topics.covered_b);
    kv_why(b, c->topics.why);
    put_lacking(b, "missing_in_a", c, true);
    put_lacking(b, "missing_in_b", c, false);
    qn_put_key(b, "list");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < c->topics.n; i++) {
        const qn_compare_topic *t = &c->topics.topic[i];
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        kv_str(b, "name", t->name);
        qn_put_kv_int(b, "n_a", (int64_t)t->n_a);
        qn_put_kv_int(b, "n_b", (int64_t)t->n_b);
        qn_put_kv_real(b, "share_a", (double)t->n_a / n);
        qn_put_kv_real(b, "share_b", (double)t->n_b / n);
        close_object(b);
    }
    qn_buf_putc(b, ']');
    close_object(b);
}

static void put_across(qn_buf *b, const qn_compare *c)
{
    double n = (double)c->b.texts;
    open_object(b, "across");
    qn_put_kv_int(b, "texts_b", (int64_t)c->b.texts);
    qn_put_kv_int(b, "exact", (int64_t)c->across.exact);
    kv_bool(b, "exact_is_least", c->across.exact_is_least);
    qn_put_kv_real(b, "exact_share", (double)c->across.exact / n);
    qn_put_kv_real(b, "over", c->options.over);
    qn_put_kv_int(b, "shingle", c->options.shingle);
    qn_put_kv_int(b, "near", (int64_t)c->across.near);
    qn_put_kv_real(b, "near_share", (double)c->across.near / n);
    qn_put_key(b, "examples");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < c->across.n; i++) {
        const qn_compare_twin *t = &c->across.twin[i];
        qn_put_comma(b);
        qn_buf_putc(b, '{');
        qn_put_kv_int(b, "row_a", (int64_t)t->row_a);
        qn_put_kv_int(b, "row_b", (int64_t)t->row_b);
        kv_str(b, "id_a", t->id_a.n ? t->id_a : (qn_str){0});
        kv_str(b, "id_b", t->id_b.n ? t->id_b : (qn_str){0});
        kv_bool(b, "exact", t->exact);
        qn_put_kv_real(b, "similarity", t->similarity);
        kv_str(b, "text_a", t->text_a);
        kv_str(b, "text_b", t->text_b);
        close_object(b);
    }
    qn_buf_putc(b, ']');
    close_object(b);
}

void qn_compare_json(const qn_compare *c, qn_buf *b)
{
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)c->options.seed);
    qn_buf_putc(b, '{');
    put_side(b, "a", &c->a);
    put_side(b, "b", &c->b);
    qn_put_key(b, "seed");
    qn_buf_puts(b, seed);
    qn_put_kv_text(b, "vectors", c->vectors ? c->vectors : "");
    open_object(b, "words");
    qn_put_kv_int(b, "bin", (int64_t)c->bin_words);
    put_length(b, "a", &c->a);
    put_length(b, "b", &c->b);
    close_object(b);
    open_object(b, "openings");
    put_pair(b, "entropy_bits", &c->opening_bits);
    put_openings(b, c);
    close_object(b);
    put_pair(b, "distinct_1", &c->distinct[0]);
    put_pair(b, "distinct_2", &c->distinct[1]);
    put_pair(b, "distinct_3", &c->distinct[2]);
    put_pair(b, "self_bleu", &c->self_bleu);
    put_pair(b, "vendi", &c->vendi);
    open_object(b, "mauve");
    qn_put_kv_int(b, "rows", (int64_t)c->distance.rows);
    kv_real(b, "mauve", c->distance.why, c->distance.mauve);
    kv_real(b, "distance", c->distance.why, 1 - c->distance.mauve);
    kv_real(b, "distance_by_chance", c->distance.why, 1 - c->distance.chance);
    kv_why(b, c->distance.why);
    close_object(b);
    put_classifier(b, c);
    put_topics(b, c);
    put_across(b, c);
    qn_buf_putc(b, '}');
}

/* ---- the table ---- */
static void grouped(uint64_t n, char out[32])
{
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), k = 0;
    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0) out[k++] = ',';
        out[k++] = digits[i];
    }
    out[k] = 0;
}

static void line_ints(qn_buf *b, const char *what, uint64_t a, uint64_t n, const char *note)
{
    char x[32], y[32];
    grouped(a, x);
    grouped(n, y);
    qn_buf_printf(b, "  %-26s %12s %12s%s%s\n", what, x, y, *note ? "   " : "", note);
}

static void line_pair(qn_buf *b, const char *what, const qn_compare_pair *p, int places, const char *note)
{
    char n[32];
    grouped(p->rows, n);
    if (p->why) qn_buf_printf(b, "  %-26s %12s %12s   %s\n", what, "-", "-", p->why);
    else qn_buf_printf(b, "  %-26s %12.*f %12.*f   %s, on %s texts each\n", what, places, p->a, places, p->b, note, n);
}

static void table_between(qn_buf *b, const qn_compare *c)
{
    char n[32], m[32];
    qn_buf_puts(b, "\nbetween them\n");
    if (c->classifier.why) qn_buf_printf(b, "  told apart (AUC)           -   %s\n", c->classifier.why);
    else {
        grouped(c->classifier.n_a, n);
        grouped(c->classifier.n_b, m);
        qn_buf_printf(b, "  told apart (AUC)           %.3f (95%%: %.3f to %.3f)   0.5 cannot be told apart, 1 always; on %s and %s texts\n", c->classifier.auc,
                      c->classifier.low, c->classifier.high, n, m);
    }
    grouped(c->distance.rows, n);
    if (c->distance.why) qn_buf_printf(b, "  distance (1 - MAUVE)       -   %s\n", c->distance.why);
    else
        qn_buf_printf(b, "  distance (1 - MAUVE)       %.3f, by chance alone %.3f   0 the same; %s vectors, on %s texts each\n", 1 - c->distance.mauve,
                      1 - c->distance.chance, c->options.model ? "the model's" : "TF-IDF", n);
    grouped(c->across.exact, n);
    grouped(c->across.near, m);
    qn_buf_printf(b, "  exact duplicates           %s%s of B's texts stand in A (%.2f%%)\n", c->across.exact_is_least ? "at least " : "", n,
                  100 * (double)c->across.exact / (double)c->b.texts);
    qn_buf_printf(b, "  near-duplicates            %s of B's texts (%.2f%%): word %lld-gram Jaccard of %g or more with one of A's, exact ones included\n", m,
                  100 * (double)c->across.near / (double)c->b.texts, (long long)c->options.shingle, c->options.over);
}

static void table_topics(qn_buf *b, const qn_compare *c)
{
    if (c->topics.why) { qn_buf_printf(b, "\ntopics   -   %s\n", c->topics.why); return; }
    qn_buf_printf(b, "\ntopics of both, on %zu texts each: %.1f%% of A lies where B has texts, %.1f%% of B where A has\n", c->topics.rows,
                  100 * c->topics.covered_a, 100 * c->topics.covered_b);
    for (size_t i = 0; i < c->topics.n; i++) {
        const qn_compare_topic *t = &c->topics.topic[i];
        double n = (double)c->topics.rows, x = 100 * (double)t->n_a / n, y = 100 * (double)t->n_b / n;
        qn_buf_printf(b, "  %11.1f%% %11.1f%%   %.*s%s\n", x, y, QN_FMT(t->name), !t->n_b ? "   (none in B)" : !t->n_a ? "   (none in A)" : "");
    }
}

static void table_telling(qn_buf *b, const qn_compare *c)
{
    for (int side = 0; side < 2; side++) {
        qn_buf_printf(b, "  more in %s:", side ? "B" : "A");
        size_t n = 0;
        for (size_t i = 0; i < c->telling.n; i++)
            if ((c->telling.word[i].z > 0) == side) qn_buf_printf(b, "%s %.*s", n++ ? "," : "", QN_FMT(c->telling.word[i].word));
        qn_buf_puts(b, n ? "\n" : " nothing\n");
    }
}

static void table_examples(qn_buf *b, const qn_compare *c)
{
    size_t shown = 0;
    for (size_t i = 0; i < c->across.n && shown < 3; i++) {
        const qn_compare_twin *t = &c->across.twin[i];
        if (t->exact) continue;
        if (!shown++) qn_buf_puts(b, "\nsome near-duplicates\n");
        const qn_str text[2] = { t->text_a, t->text_b };
        for (int side = 0; side < 2; side++) {
            qn_buf_printf(b, "  %c row %-8llu ", side ? 'B' : 'A', (unsigned long long)(side ? t->row_b : t->row_a));
            for (size_t k = 0, cut = qn_utf8_cut(text[side], text[side].n < 100 ? text[side].n : 100); k < cut; k++)
                qn_buf_putc(b, (unsigned char)text[side].p[k] < ' ' ? ' ' : text[side].p[k]);
            if (side) qn_buf_printf(b, "   (%.2f)", t->similarity);
            qn_buf_putc(b, '\n');
        }
    }
}

void qn_compare_table(const qn_compare *c, qn_buf *b)
{
    qn_buf_printf(b, "A  %s  %s\nB  %s  %s\n\n  %-26s %12s %12s\n", c->a.path, c->a.field, c->b.path, c->b.field, "", "A", "B");
    line_ints(b, "rows", c->a.rows, c->b.rows, c->a.limited || c->b.limited ? "--limit ended the reading" : "");
    if (c->a.empty || c->b.empty) line_ints(b, "  without a text", c->a.empty, c->b.empty, "");
    if (c->a.unreadable || c->b.unreadable) line_ints(b, "  unreadable", c->a.unreadable, c->b.unreadable, "");
    line_ints(b, "different texts", c->a.different, c->b.different, c->a.different_is_least || c->b.different_is_least ? "at least" : "");
    qn_buf_printf(b, "  %-26s %12.1f %12.1f\n", "words, mean", c->a.mean, c->b.mean);
    line_ints(b, "words, middle", c->a.p50, c->b.p50, "");
    line_ints(b, "words, 5th percentile", c->a.p5, c->b.p5, "");
    line_ints(b, "words, 95th percentile", c->a.p95, c->b.p95, "");
    line_pair(b, "openings, bits", &c->opening_bits, 2, "entropy of the first three words");
    line_pair(b, "distinct-1", &c->distinct[0], 3, "different words / words");
    line_pair(b, "distinct-2", &c->distinct[1], 3, "pairs");
    line_pair(b, "distinct-3", &c->distinct[2], 3, "triples");
    line_pair(b, "self-BLEU", &c->self_bleu, 3, "high: the texts resemble one another");
    line_pair(b, "Vendi score", &c->vendi, 1, "different texts in effect");
    table_between(b, c);
    table_telling(b, c);
    table_topics(b, c);
    table_examples(b, c);
}

/* ---- the page ---- */
void qn_compare_page(const qn_compare *c, qn_buf *out)
{
    qn_buf json = {0}, title = {0};
    char account[256];
    qn_str a = qn_path_base(qn_str_of(c->a.path)), b = qn_path_base(qn_str_of(c->b.path));
    qn_buf_printf(&title, "%.*s and %.*s", QN_FMT(a), QN_FMT(b));
    snprintf(account, sizeof account, "A: %llu rows. B: %llu rows. %llu texts of B have a near-duplicate in A.", (unsigned long long)c->a.rows,
             (unsigned long long)c->b.rows, (unsigned long long)c->across.near);
    qn_compare_json(c, &json);
    qn_one_page(out, &(qn_page_parts){ .title = title.p, .account = account, .script = "compare.js", .json = qn_buf_view(&json),
                .unscripted = "The tables and plots are drawn by a script inside this page; `quern compare --json` prints the same numbers." });
    qn_buf_free(&json);
    qn_buf_free(&title);
}
