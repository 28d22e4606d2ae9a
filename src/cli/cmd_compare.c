/* compare: two sets of rows side by side, and what lies between them. */
#include "cli/cmd.h"
#include "core/file.h"
#include "report/compare.h"
#include <stdio.h>

typedef struct { qn_compare_options c; int64_t seed; const char *out; bool json; } opts;

static qn_code check(const qn_args *args, const opts *o, qn_err *e)
{
    const qn_compare_options *c = &o->c;
    if (args->n_words != 2 || args->settings.n) {
        qn_fail(e, QN_EUSAGE, "compare needs two files of rows");
        qn_hint(e, "quern compare A.jsonl B.jsonl --field .question");
    } else if (c->limit == 0 || c->limit < -1) qn_fail(e, QN_EUSAGE, "--limit must be 1 or more");
    else if (c->sample < 1 || c->sample > 100000) qn_fail(e, QN_EUSAGE, "--sample must be 1 to 100000");
    else if (c->topics < 2 || c->topics > QN_COMPARE_TOPICS) qn_fail(e, QN_EUSAGE, "--topics must be 2 to %d", QN_COMPARE_TOPICS);
    else if (!(c->over > 0 && c->over <= 1)) qn_fail(e, QN_EUSAGE, "--over must be above 0, and 1 at most");
    else if (c->shingle < 1 || c->shingle > 100) qn_fail(e, QN_EUSAGE, "--shingle must be 1 to 100");
    return e->code;
}

static qn_code give(const opts *o, const qn_compare *c, qn_err *e)
{
    qn_buf b = {0};
    qn_code rc = QN_OK;
    if (o->out) {
        qn_compare_page(c, &b);
        rc = qn_file_write(o->out, qn_buf_view(&b), e);
        qn_buf_clear(&b);
    }
    if (rc == QN_OK) {
        if (o->json) qn_compare_json(c, &b);
        else qn_compare_table(c, &b);
        fwrite(b.p, 1, b.n, stdout);
        if (o->json) putchar('\n');
        if (fflush(stdout) != 0) rc = qn_fail(e, QN_EIO, "standard output cannot be written");
    }
    qn_buf_free(&b);
    return rc;
}

static int run(const qn_args *args, void *p)
{
    opts *o = p;
    qn_err e = {0};
    qn_compare *c;
    if (check(args, o, &e) != QN_OK) return qn_say_error(&e);
    c = QN_NEW(qn_compare);
    o->c.a = args->words[0];
    o->c.b = args->words[1];
    o->c.seed = (uint64_t)o->seed;
    qn_code rc = qn_compare_run(c, &o->c, &e);
    if (rc == QN_OK) rc = give(o, c, &e);
    qn_compare_free(c);
    qn_free(c);
    return rc == QN_OK ? QN_EXIT_DONE : qn_say_error(&e);
}

static void defaults(void *p) { *(opts *)p = (opts){ .c = qn_compare_defaults(), .seed = 1 }; }

#define O(name, letter, kind, value, about, field) { name, letter, kind, value, about, offsetof(opts, field) }
static const qn_opt OPTS[] = {
    O("field", 'f', QN_OPT_TEXT, "EXPR", "the text to compare: .question (default .text)", c.field_a),
    O("field-b", 0, QN_OPT_TEXT, "EXPR", "the text of B, where it has another name", c.field_b),
    O("json", 0, QN_OPT_FLAG, NULL, "as one JSON object", json),
    O("out", 'o', QN_OPT_TEXT, "FILE", "also write a page with plots, one HTML file", out),
    O("limit", 'n', QN_OPT_INT, "N", "read at most N rows of each", c.limit),
    O("seed", 's', QN_OPT_INT, "N", "for all samples (default 1)", seed),
    O("model", 0, QN_OPT_TEXT, "DIR", "embeddings of this model instead of TF-IDF, for distance, Vendi score and topics", c.model),
    O("sample", 0, QN_OPT_INT, "N", "texts kept of each side for what is measured on samples (default 5000)", c.sample),
    O("topics", 0, QN_OPT_INT, "N", "groups that both sets are put into (default 20)", c.topics),
    O("over", 0, QN_OPT_REAL, "J", "near-duplicates share at least this much of their word runs (default 0.7)", c.over),
    O("shingle", 0, QN_OPT_INT, "N", "words in such a run (default 3)", c.shingle),
    { 0 },
};

const qn_cmd qn_cmd_compare = {
    .name = "compare", .brief = "how far two sets are from each other", .usage = "quern compare A B --field .question [--json] [-o report.html] [options]",
    .about = "A and B are files of rows (JSONL, CSV, Parquet, ...) or folders of runs. Side by side: rows, lengths, openings, distinct-n, self-BLEU, Vendi\n"
             "score. Between them: a classifier that tries to tell B from A (AUC 0.5: it cannot), the distance of their distributions, the words that give\n"
             "them away, topics that one has and the other lacks, and the rows of B that stand in A, exactly or nearly. Counts, lengths and duplicates are\n"
             "of all rows, the rest of a sample drawn by the seed; each says on how many. What has too few rows is null, with the reason.",
    .opts = OPTS, .opts_bytes = sizeof(opts), .defaults = defaults, .run = run,
};
