/* repetition: distinct n-grams, and loops found by comparing each word with the one k words before, for k = 1..32. */
#include "text/repetition.h"
#include "core/map.h"

static double distinct(const qn_page *p, int n)
{
    qn_map seen = {0};
    size_t all = 0;
    for (size_t i = 0; i + (size_t)n <= p->n_words; i++, all++) qn_map_put(&seen, qn_hash(p->hash + i, (size_t)n * sizeof *p->hash), NULL);
    double d = all ? (double)seen.n / (double)all : 1.0;
    qn_map_free(&seen);
    return d;
}

static void find_loop(const qn_page *p, qn_repetition *out)
{
    size_t best = 0;
    out->loop_times = 1;
    for (size_t k = 1; k <= 32 && 3 * k <= p->n_words; k++) {
        size_t run = 0;                                 /* words equal to the one k before, in a row */
        for (size_t i = k; i <= p->n_words; i++) {
            if (i < p->n_words && p->hash[i] == p->hash[i - k]) { run++; continue; }
            if (run >= 2 * k && run + k > best) {       /* a stretch of run + k words with period k */
                best = run + k;
                out->loop_words = k;
                out->loop_times = best / k;
                out->ends_in_loop = i == p->n_words;
            }
            run = 0;
        }
    }
    out->loop_share = p->n_words ? (double)best / (double)p->n_words : 0;
}

static size_t longest_run(qn_str s)
{
    size_t best = 0, run = 0;
    uint32_t last = 0;
    for (size_t i = 0; i < s.n;) {
        uint32_t c = qn_utf8_next(s, &i);
        run = c == last && run ? run + 1 : 1;
        last = c;
        if (run > best) best = run;
    }
    return best;
}

void qn_repetition_of(qn_str text, qn_page *p, qn_repetition *out)
{
    *out = (qn_repetition){0};
    qn_page_scan(p, text, false);
    out->distinct_2 = distinct(p, 2);
    out->distinct_3 = distinct(p, 3);
    find_loop(p, out);
    out->longest_run = longest_run(text);
}
