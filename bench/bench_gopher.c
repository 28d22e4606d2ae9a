/* bench_gopher: all Gopher measures (quality and repetition) of every text in a JSONL file, one core.
 * usage: bench_gopher FILE.jsonl [FIELD=text] [VERDICTS_OUT]
 * Prints one JSON line. The measures of the first 200 texts are compared with the plain definitions before a speed is reported.
 * VERDICTS_OUT gets one line a text: `keep` or the first measure outside its limits, for comparison with the peer
 * (bench/peers/gopher_datatrove.py). */
#include "core/clock.h"
#include "core/file.h"
#include "text/gopher.h"
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

typedef struct { qn_str *items; size_t n, cap, bytes; qn_buf all; } texts;

static void load(texts *t, const char *path, const char *field)
{
    qn_buf file = {0};
    qn_err e;
    size_t *ends = NULL, n = 0, cap = 0;
    if (qn_file_read(path, 0, &file, &e) != QN_OK) { fprintf(stderr, "%s\n", e.msg); exit(1); }
    for (char *at = file.p, *end = file.p + file.n; at < end;) {
        char *nl = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((nl ? nl : end) - at);
        yyjson_doc *d = yyjson_read(at, len, 0);
        yyjson_val *v = yyjson_obj_get(yyjson_doc_get_root(d), field);
        qn_buf_put(&t->all, yyjson_get_str(v) ? yyjson_get_str(v) : "", yyjson_get_len(v));
        QN_GROW(ends, n, cap);
        ends[n++] = t->all.n;
        yyjson_doc_free(d);
        at += len + 1;
    }
    t->items = QN_NEW_N(qn_str, n + 1);
    t->n = n;
    t->bytes = t->all.n;
    for (size_t i = 0, from = 0; i < n; from = ends[i++]) t->items[i] = (qn_str){ t->all.p + from, ends[i] - from };
    qn_free(ends);
    qn_buf_free(&file);
}

static void check(const texts *t)
{
    qn_page p = {0};
    size_t top[QN_PAGE_TOP_MAX + 1], dup[QN_PAGE_DUP_MAX + 1];
    for (size_t i = 0; i < t->n && i < 200; i++) {
        qn_page_scan(&p, t->items[i], true);
        if (p.n_words > 4000) continue;
        qn_page_repeats_ref(&p, top, dup);
        for (int k = QN_PAGE_TOP_MIN; k <= QN_PAGE_TOP_MAX; k++) QN_ASSERT(top[k] == p.top_chars[k]);
        for (int k = QN_PAGE_DUP_MIN; k <= QN_PAGE_DUP_MAX; k++) QN_ASSERT(dup[k] == p.dup_chars[k]);
    }
    qn_page_free(&p);
}

int main(int argc, char **argv)
{
    texts t = {0};
    if (argc < 2) { fprintf(stderr, "usage: bench_gopher FILE.jsonl [FIELD] [VERDICTS_OUT]\n"); return 2; }
    load(&t, argv[1], argc > 2 ? argv[2] : "text");
    check(&t);
    qn_page p = {0};
    double values[QN_GOPHER_N], best = 1e9;
    size_t kept = 0;
    FILE *out = argc > 3 ? fopen(argv[3], "w") : NULL;
    for (int round = 0; round < 5; round++) {
        double began = qn_cpu_seconds();
        kept = 0;
        for (size_t i = 0; i < t.n; i++) {
            qn_breach b;
            qn_page_scan(&p, t.items[i], true);
            qn_gopher(&p, values);
            bool broken = qn_limits_broken(QN_GOPHER_MEASURES, values, QN_GOPHER_N, &b);
            kept += !broken;
            if (out && round == 0) fprintf(out, "%s\n", broken ? b.measure : "keep");
        }
        double s = qn_cpu_seconds() - began;
        if ((!out || round) && s < best) best = s;
    }
    if (out) fclose(out);
    printf("{\"what\":\"gopher\",\"by\":\"quern\",\"texts\":%zu,\"bytes\":%zu,\"kept\":%zu,\"cpu_seconds\":%.4f,\"mb_per_cpu_s\":%.2f,"
           "\"texts_per_cpu_s\":%.0f,\"peak_mb\":%.1f}\n", t.n, t.bytes, kept, best, (double)t.bytes / 1e6 / best, (double)t.n / best,
           (double)qn_peak_rss_bytes() / 1e6);
    return 0;
}
