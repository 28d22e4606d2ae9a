/* compare: how far are two sets of texts from each other? Measures of A and B side by side, and of what lies between them.
 *
 * Every row of both files is read once (A once more for the few rows that are shown): rows, lengths and duplicates are of all rows. What
 * needs the texts themselves is measured on a sample drawn by the seed, equally large on both sides where a measure grows or falls with the
 * number of texts; each measure says on how many. A measure that has too few rows is not made up: `why` says what it lacks.
 * Memory: the sample (at most 16 KB of a text), 24 to 48 bytes for each different text up to 4 million a side, and the near-duplicate index,
 * which spills to disk behind 256 MB. The same files, options and seed give the same bytes. */
#ifndef QN_REPORT_COMPARE_H
#define QN_REPORT_COMPARE_H
#include "core/err.h"
#include "core/mem.h"

enum { QN_COMPARE_BINS = 30, QN_COMPARE_OPENINGS = 12, QN_COMPARE_TOPICS = 40, QN_COMPARE_TELLING = 12, QN_COMPARE_SHOWN = 12 };

typedef struct qn_compare_options {
    const char *a, *b;          /* files of rows in any format; a folder that holds data.jsonl is that file */
    const char *field_a, *field_b;  /* expressions: ".question"; field_b NULL: the same */
    const char *model;          /* folder of an embedding model; NULL: TF-IDF */
    int64_t  limit;             /* rows read of each side at most; < 0: all */
    uint64_t seed;
    int64_t  sample;            /* texts kept of each side, at least 1 */
    int64_t  topics;            /* 2..QN_COMPARE_TOPICS */
    double   over;              /* near-duplicates: word-shingle Jaccard at least this */
    int64_t  shingle;           /* words of a shingle */
} qn_compare_options;
qn_compare_options qn_compare_defaults(void);

typedef struct qn_compare_side {
    const char *path, *field;
    uint64_t rows;              /* read; unreadable ones are not among them */
    uint64_t texts;             /* rows with a text */
    uint64_t empty, unreadable;
    uint64_t different;         /* texts that differ, white space at the ends aside */
    bool     different_is_least;    /* more than were counted */
    bool     limited;           /* --limit ended the reading */
    size_t   sampled;
    double   mean;              /* words in a text, QN_WORDS_PLAIN; counts above 100,000 count as that in the quantiles */
    uint64_t p5, p25, p50, p75, p95, p99, max;
    uint64_t hist[QN_COMPARE_BINS];
} qn_compare_side;

/* One measure of each side. why: NULL, or what is lacking (then a and b mean nothing). */
typedef struct { const char *why; size_t rows; double a, b; } qn_compare_pair;

typedef struct { qn_str word; double a, b; } qn_compare_share;                  /* shares of the texts of each side */
typedef struct { qn_str word; uint64_t n_a, n_b; double z; } qn_compare_telling;    /* z > 0: more in B */
typedef struct { qn_str name; size_t n_a, n_b; } qn_compare_topic;
typedef struct { uint64_t row_a, row_b; qn_str id_a, id_b, text_a, text_b; double similarity; bool exact; } qn_compare_twin; /* rows from 1 */

typedef struct qn_compare {
    qn_arena arena;             /* holds every text below */
    qn_compare_options options;
    const char *vectors;        /* "tfidf" or "model" */
    qn_compare_side a, b;
    uint64_t bin_words;         /* words in one bin of the histograms; the last is open */

    qn_compare_pair opening_bits, distinct[3], self_bleu, vendi;
    qn_compare_share openings[QN_COMPARE_OPENINGS]; size_t n_openings;

    struct { const char *why; size_t rows; double mauve, chance; } distance;    /* chance: mean when the same rows are dealt out at random */
    struct { const char *why; size_t n_a, n_b; double auc, low, high; } classifier;
    struct { const char *why; size_t n; qn_compare_telling word[2 * QN_COMPARE_TELLING]; } telling;     /* A's first, strongest first */
    struct { const char *why; size_t rows, n; double covered_a, covered_b; qn_compare_topic topic[QN_COMPARE_TOPICS]; } topics;
                                /* covered_a: share of A's texts in topics where B has any */
    struct { uint64_t exact, near; bool exact_is_least; size_t n; qn_compare_twin twin[QN_COMPARE_SHOWN]; } across;   /* rows of B that A has */
} qn_compare;

/* Reads both sides and measures. Errors: QN_EUSAGE (an expression or an unknown field, with the nearest name; no texts), QN_EIO, QN_EDATA (a
 * file that is no rows). Release with qn_compare_free, also after an error. */
qn_code qn_compare_run(qn_compare *c, const qn_compare_options *o, qn_err *e);
void    qn_compare_free(qn_compare *c);

/* Appended: one JSON object; a table for people; a page in one file. The keys of the JSON are always all there; null has a reason beside it. */
void    qn_compare_json(const qn_compare *c, qn_buf *out);
void    qn_compare_table(const qn_compare *c, qn_buf *out);
void    qn_compare_page(const qn_compare *c, qn_buf *out);
#endif
