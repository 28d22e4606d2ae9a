/* survey: one pass over the rows; per field a small set of counters, none of which grows with the file. */
#include "report/survey.h"
#include "core/file.h"
#include "core/map.h"
#include "data/value.h"
#include "report/marks.h"
#include "report/put.h"
#include "text/lsh.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_FIELDS = 64, MAX_WORDS = 2048, MAX_TALLY = 2048, TALLY_TEXT = 60, LINE_MAX_BYTES = 16 << 20, FIELD_SHOWN = 4000, FIELDS_SHOWN = 40 };
enum { NEAR_FIELDS = 6, NEAR_ROWS = 20000, NEAR_HASHES = 64, NEAR_BYTES = 100000, NEAR_WORK = 200000 /* pairs compared */ };
#define NEAR_OVER 0.7
enum { HLL_BITS = 12, HLL_N = 1 << HLL_BITS };

/* ---- how many different ones: HyperLogLog (Flajolet et al. 2007) with linear counting when few; standard error 1.6% ---- */
typedef struct { uint8_t reg[HLL_N]; } hll;

static void hll_put(hll *h, uint64_t hash)
{
    uint64_t rest = hash << HLL_BITS | 1ull << (HLL_BITS - 1);
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    uint8_t *r = &h->reg[hash >> (64 - HLL_BITS)];
    if (rank > *r) *r = rank;
}

static double hll_count(const hll *h)
{
    double sum = 0, m = HLL_N;
    int zeros = 0;
    for (int i = 0; i < HLL_N; i++) {
        sum += ldexp(1, -h->reg[i]);
        zeros += h->reg[i] == 0;
    }
    double raw = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    return raw <= 2.5 * m && zeros ? m * log(m / zeros) : raw;
}

/* ---- how often each ---- the first MAX_TALLY different texts are counted exactly, later ones together */
typedef struct { char text[TALLY_TEXT]; uint64_t n; } tally_item;
typedef struct { qn_map index; tally_item *items; size_t n, cap; uint64_t others; } tally;

static void tally_put(tally *t, qn_str s)
{
    qn_hash128 h = qn_hash(s.p, s.n);
    uint64_t *at = qn_map_get(&t->index, h);
    if (!at && t->n == MAX_TALLY) { t->others++; return; }
    if (!at) {
        at = qn_map_put(&t->index, h, NULL);
        *at = t->n;
        QN_GROW(t->items, t->n, t->cap);
        tally_item *it = &t->items[t->n++];
        size_t cut = qn_utf8_cut(s, s.n < TALLY_TEXT - 4 ? s.n : TALLY_TEXT - 4);
        it->n = 0;
        snprintf(it->text, sizeof it->text, "%.*s%s", (int)cut, s.p, cut < s.n ? "\xe2\x80\xa6" : "");
    }
    t->items[*at].n++;
}

static int most_first(const void *a, const void *b)
{
    const tally_item *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->text, y->text);
}

static void tally_free(tally *t)
{
    qn_map_free(&t->index);
    qn_free(t->items);
}

/* ---- a field ---- */
typedef struct { double *v; size_t n, cap; } reals;
typedef struct field {
    char    *name;
    bool     own;                           /* of the row itself, not of an object in it */
    uint64_t n_kind[8];                     /* by qn_kind */
    uint64_t n_empty;
    hll      distinct;
    /* texts */
    reals    words;                         /* lengths; of lists: elements */
    hll      grams[2];                      /* words, pairs of words */
    uint64_t n_grams[2];
    tally    openings, values;
    uint64_t *hashes;                       /* of whole texts, to count those that came before */
    size_t   n_hashes, cap_hashes;
    qn_lsh  *near;                          /* of the row's own first NEAR_FIELDS fields of text, NEAR_ROWS rows each */
    uint64_t n_near, n_near_of;
    reals    numbers;
    qn_bias *bias;                          /* of an own field with texts */
} field;

struct qn_survey {
    uint64_t n_rows, n_read, n_unreadable, expect;
    field   *fields[MAX_FIELDS];
    size_t   n_fields;
    bool     more_fields;
    size_t   n_near_fields;
    qn_minhash minhash;
    qn_shingles shingles;
    qn_survey_sample samples[QN_SURVEY_SAMPLES];
    uint64_t sample_hash[QN_SURVEY_SAMPLES];
    size_t   n_samples;
    qn_marks *marks;
    qn_arena arena;
};

static void reals_put(reals *r, double d)
{
    QN_GROW(r->v, r->n, r->cap);
    r->v[r->n++] = d;
}

static field *field_of(qn_survey *s, qn_str name, bool own)
{
    for (size_t i = 0; i < s->n_fields; i++)
        if (qn_str_is(name, s->fields[i]->name)) return s->fields[i];
    if (s->n_fields == MAX_FIELDS) { s->more_fields = true; return NULL; }
    field *f = QN_NEW(field);
    f->name = qn_strz(name);
    f->own = own;
    return s->fields[s->n_fields++] = f;
}

/* ---- words ---- runs of letters and digits, ASCII folded to lower case; a sign of a script without spaces is a word */
static bool is_cjk(uint32_t c) { return (c >= 0x2E80 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7AF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF); }
static bool is_word(uint32_t c)
{
    if (c < 128) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '\'' || c == '_';
    return !(c >= 0x2000 && c <= 0x206F) && !(c >= 0x3000 && c <= 0x303F) && c != 0xA0 && c != 0xFFFD && c != 0xFEFF;
}

/* The word at or behind *i, folded into `out` (cut to 40 bytes); false at the end. */
static bool next_word(qn_str s, size_t *i, char out[48], size_t *n)
{
    *n = 0;
    while (*i < s.n) {
        size_t from = *i;
        uint32_t c = qn_utf8_next(s, i);
        bool word = is_word(c), alone = word && is_cjk(c);
        if (*n && (!word || alone)) { *i = from; return true; }
        if (!word) continue;
        if (c < 128 && *n < 40) out[(*n)++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        else if (c >= 128 && *n + 4 <= 44) *n += (size_t)qn_utf8_put(c, out + *n);
        if (alone) return true;
    }
    return *n > 0;
}

static void look_at_words(field *f, qn_str s)
{
    char word[48], opening[100];
    size_t i = 0, n, n_words = 0, n_open = 0;
    uint64_t before = 0;
    while (n_words < MAX_WORDS && next_word(s, &i, word, &n)) {
        uint64_t h = qn_hash64(word, n, 1);
        hll_put(&f->grams[0], h);
        f->n_grams[0]++;
        if (n_words) {
            uint64_t pair[2] = { before, h };
            hll_put(&f->grams[1], qn_hash64(pair, sizeof pair, 2));
            f->n_grams[1]++;
        }
        if (n_words < 2) {
            if (n_open) opening[n_open++] = ' ';
            memcpy(opening + n_open, word, n);
            n_open += n;
        }
        before = h;
        n_words++;
    }
    while (next_word(s, &i, word, &n)) n_words++;
    reals_put(&f->words, (double)n_words);
    if (n_words) tally_put(&f->openings, (qn_str){ opening, n_open });
}

/* Word triples, Jaccard similarity of at least 0.7 with any text before (text/lsh.h verifies each). */
static void look_for_near(qn_survey *sv, field *f, qn_str s)
{
    uint32_t sig[NEAR_HASHES], keys[NEAR_HASHES];
    qn_lsh_match m;
    qn_err e;
    if (!f->near) {
        if (sv->n_near_fields == NEAR_FIELDS || f->n_near_of) return;
        sv->n_near_fields++;
        f->near = qn_lsh_new((qn_lsh_setup){ .n_hashes = NEAR_HASHES, .over = NEAR_OVER, .memory_bytes = 4 << 20 });
    }
    /* Texts that are all a little alike, just below the threshold, are all compared with each other: the work is bounded as well. */
    if (f->n_near_of >= NEAR_ROWS || qn_lsh_count(f->near).n_candidates > NEAR_WORK) return;
    qn_shingles_words(s, QN_WORDS_PLAIN, 3, &sv->shingles);
    if (!sv->shingles.n) return;
    f->n_near_of++;
    qn_minhash_sign(&sv->minhash, sv->shingles.v, sv->shingles.n, sig);
    int n_bands, n_places;
    qn_lsh_bands(NEAR_HASHES, NEAR_OVER, &n_bands, &n_places);
    qn_lsh_keys(n_bands, n_places, sig, keys);
    if (qn_lsh_find(f->near, keys, &sv->shingles, &m, &e) != QN_OK) return;
    if (m.found) { f->n_near++; return; }
    qn_shingles_sort(&sv->shingles);
    if (qn_lsh_add(f->near, keys, &sv->shingles, (qn_row_mark){ 0 }, &e) != QN_OK) return;
}

static void look_at_text(qn_survey *sv, field *f, qn_str s)
{
    if (!s.n) { f->n_empty++; return; }
    qn_hash128 h = qn_hash(s.p, s.n);
    hll_put(&f->distinct, h.hi);
    QN_GROW(f->hashes, f->n_hashes, f->cap_hashes);
    f->hashes[f->n_hashes++] = h.hi;
    tally_put(&f->values, s);
    look_at_words(f, s);
    if (s.n <= NEAR_BYTES && f->own) look_for_near(sv, f, s);
}

static void look_at(qn_survey *sv, field *f, qn_value v)
{
    f->n_kind[v.kind]++;
    switch (v.kind) {
    case QN_V_TEXT: look_at_text(sv, f, qn_v_str(v)); break;
    case QN_V_INT: case QN_V_UINT: case QN_V_REAL: {
        double d = qn_v_number(v);
        hll_put(&f->distinct, qn_hash64(&d, sizeof d, 3));
        reals_put(&f->numbers, d);
        break;
    }
    case QN_V_BOOL: tally_put(&f->values, v.b ? QN_STR("true") : QN_STR("false")); break;
    case QN_V_LIST: reals_put(&f->words, v.n); break;
    default: break;
    }
}

/* Texts, lists of texts and the contents of messages. */
static void count_bias(field *f, qn_value v, int depth)
{
    qn_v_iter it = qn_v_iter_of(v);
    qn_value item, content;
    if (v.kind == QN_V_TEXT && v.n) {
        if (!f->bias) f->bias = QN_NEW(qn_bias);
        qn_bias_count(qn_v_str(v), f->bias);
    }
    while (v.kind == QN_V_LIST && depth < 2 && qn_v_next(&it, NULL, &item)) {
        if (item.kind == QN_V_OBJECT && qn_v_get(item, QN_STR("content"), &content)) item = content;
        count_bias(f, item, depth + 1);
    }
}

/* Fields of objects one level down are looked at as "table.name". */
static void look_at_row(qn_survey *s, uint64_t line, qn_value row)
{
    qn_value swapped;
    bool known = qn_v_get(row, QN_STR("swapped"), &swapped) && swapped.kind == QN_V_BOOL;
    qn_marks_row(s->marks, line, known ? swapped.b : -1);
    qn_v_iter it = qn_v_iter_of(row);
    qn_str name, inner_name;
    qn_value v, inner;
    while (qn_v_next(&it, &name, &v)) {
        if (name.n && name.p[0] == '_') continue;       /* quern's own */
        field *f = field_of(s, name, true);
        if (f) look_at(s, f, v);
        if (f) count_bias(f, v, 0);
        if (v.kind != QN_V_OBJECT) continue;
        qn_marks_add(s->marks, name, v);
        qn_v_iter in = qn_v_iter_of(v);
        while (qn_v_next(&in, &inner_name, &inner)) {
            qn_str path = qn_arena_printf(&s->arena, "%.*s.%.*s", QN_FMT(name), QN_FMT(inner_name));
            if ((f = field_of(s, path, false))) look_at(s, f, inner);
        }
    }
}

/* ---- samples: the rows with the smallest hashes of their numbers ---- */
static void put_shown_row(qn_value row, bool own_fields, qn_buf *out)
{
    qn_v_iter it = qn_v_iter_of(row);
    qn_str name;
    qn_value v;
    qn_buf text = {0};
    size_t n = 0;
    qn_buf_putc(out, '[');
    while (qn_v_next(&it, &name, &v)) {
        if (!own_fields && name.n && name.p[0] == '_') continue;
        if (n++ >= FIELDS_SHOWN) continue;
        qn_buf_clear(&text);
        if (v.kind == QN_V_TEXT) qn_buf_str(&text, qn_v_str(v));
        else qn_json_write(&text, v);
        qn_put_comma(out);
        qn_buf_putc(out, '[');
        qn_put_text(out, name, 100);
        qn_buf_printf(out, ",\"%s\",", qn_v_kind_name(v));
        size_t left = qn_put_text(out, qn_buf_view(&text), FIELD_SHOWN);
        qn_buf_printf(out, ",%zu]", left);
    }
    if (n > FIELDS_SHOWN) qn_buf_printf(out, ",[\"\",\"more\",\"%zu further fields\",0]", n - FIELDS_SHOWN);
    qn_buf_putc(out, ']');
    qn_buf_free(&text);
}

bool qn_survey_put_row(qn_str line, bool own_fields, qn_buf *out)
{
    qn_arena a = {0};
    qn_value v;
    qn_err e;
    bool ok = qn_json_parse(line, &a, &v, &e) == QN_OK && v.kind == QN_V_OBJECT;
    if (ok) put_shown_row(v, own_fields, out);
    qn_arena_free(&a);
    return ok;
}

static void maybe_sample(qn_survey *s, uint64_t line, qn_value row)
{
    uint64_t h = qn_hash64(&line, sizeof line, 12);
    size_t at = s->n_samples;
    if (at == QN_SURVEY_SAMPLES) {
        at = 0;
        for (size_t i = 1; i < s->n_samples; i++)
            if (s->sample_hash[i] > s->sample_hash[at]) at = i;
        if (s->sample_hash[at] <= h) return;
        qn_buf_clear(&s->samples[at].json);
    } else {
        s->n_samples++;
    }
    s->sample_hash[at] = h;
    s->samples[at].line = line;
    put_shown_row(row, false, &s->samples[at].json);
}

static int by_line(const void *a, const void *b)
{
    const qn_survey_sample *x = a, *y = b;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* ---- the pass ---- */
qn_code qn_lines_each(const char *path, size_t max, void (*fn)(void *, uint64_t, qn_str), void *arg, qn_err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return qn_fail_open(e, path);
    enum { CHUNK = 1 << 18 };
    char *chunk = qn_alloc(CHUNK);
    qn_buf line = {0};
    uint64_t number = 0;
    size_t too_long = 0;
    ssize_t k;
    while ((k = read(fd, chunk, CHUNK)) != 0) {
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) break;
        for (const char *p = chunk, *end = chunk + k; p < end;) {
            const char *nl = memchr(p, '\n', (size_t)(end - p));
            size_t n = (size_t)((nl ? nl : end) - p);
            if (too_long || line.n + n > max) { too_long += line.n + n; qn_buf_clear(&line); }
            else if (!nl || line.n) qn_buf_put(&line, p, n);
            if (nl) {
                qn_str whole = line.n ? qn_buf_view(&line) : (qn_str){ p, n };
                fn(arg, number++, too_long ? (qn_str){ NULL, too_long } : whole);
                qn_buf_clear(&line);
                too_long = 0;
            }
            p += n + (nl != NULL);
        }
    }
    int err = errno;
    if (k == 0 && (line.n || too_long)) fn(arg, number, too_long ? (qn_str){ NULL, too_long } : qn_buf_view(&line));
    close(fd);
    qn_buf_free(&line);
    qn_free(chunk);
    return k < 0 ? qn_fail(e, QN_EIO, "cannot read %s: %s", path, strerror(err)) : QN_OK;
}

static void count_line(void *arg, uint64_t number, qn_str line)
{
    (void)line;
    *(uint64_t *)arg = number + 1;
}

static void read_line(void *arg, uint64_t number, qn_str line)
{
    qn_survey *s = arg;
    qn_value row;
    qn_err e;
    s->n_rows = number + 1;
    if (s->expect > QN_SURVEY_ROWS && qn_hash64(&number, sizeof number, 11) % s->expect >= QN_SURVEY_ROWS) return;
    if (!line.p || qn_json_parse(line, &s->arena, &row, &e) != QN_OK || row.kind != QN_V_OBJECT) {
        s->n_unreadable++;
    } else {
        s->n_read++;
        look_at_row(s, number, row);
        maybe_sample(s, number, row);
    }
    qn_arena_reset(&s->arena);
}

qn_code qn_survey_read(qn_survey **out, const char *path, uint64_t n_rows, qn_err *e)
{
    qn_survey *s = QN_NEW(qn_survey);
    s->expect = n_rows;
    s->minhash = qn_minhash_new(NEAR_HASHES, 1);
    s->marks = qn_marks_new();
    qn_code rc = n_rows ? QN_OK : qn_lines_each(path, LINE_MAX_BYTES, count_line, &s->expect, e);
    if (rc == QN_OK) rc = qn_lines_each(path, LINE_MAX_BYTES, read_line, s, e);
    if (rc != QN_OK) { qn_survey_free(s); return rc; }
    qsort(s->samples, s->n_samples, sizeof *s->samples, by_line);
    *out = s;
    return QN_OK;
}

void qn_survey_free(qn_survey *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->n_fields; i++) {
        field *f = s->fields[i];
        tally_free(&f->openings);
        tally_free(&f->values);
        qn_lsh_free(f->near);
        qn_free(f->hashes);
        qn_free(f->words.v);
        qn_free(f->numbers.v);
        qn_free(f->bias);
        qn_free(f->name);
        qn_free(f);
    }
    for (size_t i = 0; i < QN_SURVEY_SAMPLES; i++) qn_buf_free(&s->samples[i].json);
    qn_marks_free(s->marks);
    qn_minhash_free(&s->minhash);
    qn_shingles_free(&s->shingles);
    qn_arena_free(&s->arena);
    qn_free(s);
}

/* ---- what the page asks beside the fields ---- */
static bool is_named(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], name) == 0) return true;
    return false;
}

void qn_survey_bias(const qn_survey *s, const char *const *source, size_t n_source, qn_bias *made, qn_bias *from)
{
    for (size_t i = 0; i < s->n_fields; i++)
        if (s->fields[i]->bias) qn_bias_add(is_named(s->fields[i]->name, source, n_source) ? from : made, s->fields[i]->bias);
    if (!made->n_words) { *made = *from; *from = (qn_bias){0}; }
}

static bool reads_as_text(const field *f)
{
    if (!f->own || !f->words.n || f->n_kind[QN_V_TEXT] * 2 < f->words.n) return false;
    double sum = 0;
    for (size_t i = 0; i < f->words.n; i++) sum += f->words.v[i];
    return sum >= 3 * (double)f->words.n;
}

bool qn_survey_has_text(const qn_survey *s, const char *name)
{
    for (size_t i = 0; i < s->n_fields; i++)
        if (strcmp(s->fields[i]->name, name) == 0) return reads_as_text(s->fields[i]);
    return false;
}

const char *qn_survey_main(const qn_survey *s, const char *const *source, size_t n_source)
{
    static const char *const first[] = { "question", "instruction", "prompt", "query", "input", "text", "answer", "response", "output", "reply", "completion", "chosen" };
    for (int given = 0; given < 2; given++) {
        for (size_t i = 0; i < sizeof first / sizeof *first; i++)
            if (qn_survey_has_text(s, first[i]) && (given || !is_named(first[i], source, n_source))) return first[i];
        for (size_t i = 0; i < s->n_fields; i++)
            if (reads_as_text(s->fields[i]) && (given || !is_named(s->fields[i]->name, source, n_source))) return s->fields[i]->name;
    }
    return NULL;
}

double qn_survey_share(const qn_survey *s, const char *name, qn_str value)
{
    const field *f = NULL;
    for (size_t i = 0; i < s->n_fields; i++)
        if (strcmp(s->fields[i]->name, name) == 0) f = s->fields[i];
    if (!f || !s->n_read || f->n_kind[QN_V_TEXT] + f->n_kind[QN_V_BOOL] == 0 || f->values.others) return NAN;
    const uint64_t *at = qn_map_get(&f->values.index, qn_hash(value.p, value.n));
    return at ? (double)f->values.items[*at].n / (double)s->n_read : 0;
}

const qn_marks *qn_survey_marks(const qn_survey *s) { return s->marks; }

size_t qn_survey_samples(const qn_survey *s, const qn_survey_sample **out)
{
    *out = s->samples;
    return s->n_samples;
}

/* ---- out ---- */
static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double nice_step(double raw)
{
    double unit = pow(10, floor(log10(raw)));
    double f = raw / unit;
    return unit * (f <= 1 ? 1 : f <= 2 ? 2 : f <= 5 ? 5 : 10);
}

/* A histogram of about 24 bins from the smallest value to the 99th percentile; what lies beyond is counted in the last bin. */
static void put_histogram(qn_buf *b, const reals *r, bool whole)
{
    double lo = r->v[0], hi = r->v[(size_t)(0.99 * (double)(r->n - 1))], max = r->v[r->n - 1];
    double step = hi > lo ? nice_step((hi - lo) / 24) : 1;
    if (whole && step < 1) step = 1;
    lo = floor(lo / step) * step;
    size_t n_bins = (size_t)floor((hi - lo) / step) + 1, counts[128] = { 0 };
    if (n_bins > 128) n_bins = 128;
    for (size_t i = 0; i < r->n; i++) {
        size_t k = (size_t)((r->v[i] - lo) / step);
        counts[k < n_bins ? k : n_bins - 1]++;
    }
    qn_put_key(b, "hist");
    qn_buf_putc(b, '{');
    qn_put_kv_real(b, "lo", lo);
    qn_put_kv_real(b, "step", step);
    qn_put_key(b, "open");                  /* the last bin also holds what is larger */
    qn_buf_puts(b, max >= lo + step * (double)n_bins ? "true" : "false");
    qn_put_key(b, "counts");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < n_bins; i++) qn_buf_printf(b, "%s%zu", i ? "," : "", counts[i]);
    qn_buf_puts(b, "]}");
}

static void put_spread(qn_buf *b, const char *key, const reals *all, bool whole)
{
    if (!all->n) return;
    reals r = { qn_memdup(all->v, all->n * sizeof *all->v), all->n, all->n };
    double sum = 0;
    qsort(r.v, r.n, sizeof *r.v, by_size);
    for (size_t i = 0; i < r.n; i++) sum += r.v[i];
    static const struct { const char *name; double at; } q[] = { { "min", 0 }, { "p5", .05 }, { "p25", .25 }, { "p50", .5 }, { "p75", .75 }, { "p95", .95 }, { "max", 1 } };
    qn_put_key(b, key);
    qn_buf_putc(b, '{');
    qn_put_kv_int(b, "n", (int64_t)r.n);
    qn_put_kv_real(b, "mean", sum / (double)r.n);
    for (size_t i = 0; i < sizeof q / sizeof *q; i++) qn_put_kv_real(b, q[i].name, r.v[(size_t)(q[i].at * (double)(r.n - 1) + 0.5)]);
    put_histogram(b, &r, whole);
    qn_buf_putc(b, '}');
    qn_free(r.v);
}

static void put_tally(qn_buf *b, const char *key, const tally *t, size_t max)
{
    tally_item *sorted = qn_alloc((t->n ? t->n : 1) * sizeof *sorted);
    uint64_t rest = t->others;
    if (t->n) memcpy(sorted, t->items, t->n * sizeof *sorted);     /* a field of empty texts has no openings */
    qsort(sorted, t->n, sizeof *sorted, most_first);
    qn_put_key(b, key);
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < t->n; i++) {
        if (i >= max) { rest += sorted[i].n; continue; }
        qn_put_comma(b);
        qn_buf_putc(b, '[');
        qn_put_text(b, qn_str_of(sorted[i].text), 0);
        qn_buf_printf(b, ",%llu]", (unsigned long long)sorted[i].n);
    }
    if (rest) {
        qn_put_comma(b);
        qn_buf_printf(b, "[null,%llu]", (unsigned long long)rest);
    }
    qn_buf_putc(b, ']');
    qn_free(sorted);
}

/* Few different values that come again and again: shown one by one. */
static bool is_category(const field *f)
{
    uint64_t n = f->n_kind[QN_V_TEXT] + f->n_kind[QN_V_BOOL] - f->n_empty;
    return n > 0 && !f->values.others && f->values.n <= 40 && (f->values.n * 3 <= n || f->values.n <= 3);
}

static const char *shape_of(const field *f)
{
    uint64_t numbers = f->n_kind[QN_V_INT] + f->n_kind[QN_V_UINT] + f->n_kind[QN_V_REAL], texts = f->n_kind[QN_V_TEXT];
    uint64_t kinds = (numbers > 0) + (texts > 0) + (f->n_kind[QN_V_BOOL] > 0) + (f->n_kind[QN_V_LIST] > 0) + (f->n_kind[QN_V_OBJECT] > 0);
    if (kinds > 1) return "mixed";
    if (numbers) return "number";
    if (f->n_kind[QN_V_LIST]) return "list";
    if (f->n_kind[QN_V_OBJECT]) return "object";
    if (f->n_kind[QN_V_BOOL] || is_category(f)) return "category";
    return texts ? "text" : "empty";
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Texts whose very bytes came before. */
static uint64_t n_repeated(const field *f)
{
    uint64_t n = 0;
    if (f->n_hashes) qsort(f->hashes, f->n_hashes, sizeof *f->hashes, by_hash);
    for (size_t i = 1; i < f->n_hashes; i++) n += f->hashes[i] == f->hashes[i - 1];
    return n;
}

static void put_text_facts(qn_buf *b, const field *f)
{
    put_spread(b, "words", &f->words, true);
    put_tally(b, "openings", &f->openings, 12);
    qn_put_kv_int(b, "openings_distinct", (int64_t)f->openings.n);
    for (int k = 0; k < 2; k++)
        if (f->n_grams[k]) qn_put_kv_real(b, k ? "distinct2" : "distinct1", fmin(1, hll_count(&f->grams[k]) / (double)f->n_grams[k]));
    qn_put_kv_int(b, "repeated", (int64_t)n_repeated(f));
    if (f->n_near_of > 1) {
        qn_put_kv_real(b, "near", (double)f->n_near / (double)f->n_near_of);
        qn_put_kv_int(b, "near_of", (int64_t)f->n_near_of);
    }
}

static void put_field(qn_buf *b, const qn_survey *s, const field *f)
{
    uint64_t n = 0;
    for (int k = QN_V_BOOL; k <= QN_V_OBJECT; k++) n += f->n_kind[k];
    const char *shape = shape_of(f);
    qn_put_comma(b);
    qn_buf_putc(b, '{');
    qn_put_key(b, "name");
    qn_put_text(b, qn_str_of(f->name), 100);
    qn_put_kv_text(b, "shape", shape);
    qn_put_kv_real(b, "filled", s->n_read ? (double)(n - f->n_empty) / (double)s->n_read : 0);
    bool text = strcmp(shape, "text") == 0, mixed = strcmp(shape, "mixed") == 0;
    if (text || mixed || strcmp(shape, "number") == 0) qn_put_kv_int(b, "distinct", (int64_t)llround(fmin(hll_count(&f->distinct), (double)n)));
    if (text || mixed) put_text_facts(b, f);
    if (strcmp(shape, "category") == 0) put_tally(b, "values", &f->values, 20);
    if (strcmp(shape, "list") == 0) put_spread(b, "elements", &f->words, true);
    put_spread(b, "number", &f->numbers, f->n_kind[QN_V_REAL] == 0);
    qn_buf_putc(b, '}');
}

void qn_survey_put(const qn_survey *s, qn_buf *b)
{
    qn_buf_putc(b, '{');
    qn_put_kv_int(b, "rows", (int64_t)s->n_rows);
    qn_put_kv_int(b, "looked_into", (int64_t)s->n_read);
    qn_put_kv_int(b, "unreadable", (int64_t)s->n_unreadable);
    qn_put_key(b, "more_fields");
    qn_buf_puts(b, s->more_fields ? "true" : "false");
    qn_put_key(b, "fields");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < s->n_fields; i++) put_field(b, s, s->fields[i]);
    qn_buf_puts(b, "]}");
}
