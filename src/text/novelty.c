/* novelty: a vocabulary, the pool as word numbers, and postings from words to texts. */
#include "text/novelty.h"
#include "core/map.h"
#include "core/mem.h"
#include "text/lcs.h"

typedef struct { uint32_t text, count; } posting;
typedef struct { posting *v; size_t n, cap; } postings;

struct qn_novelty {
    qn_words_kind kind;
    qn_map    ids;              /* word's hash -> number + 1 */
    uint32_t  n_words;
    postings *by_word;
    size_t    cap_by_word;
    uint32_t *words;            /* all pool texts, one behind the other */
    size_t    n, cap;
    size_t   *start;            /* (n_texts + 1) */
    size_t    n_texts, cap_start, posting_bytes;
    qn_lcs    lcs;
    qn_hashes hashes;
    uint32_t *numbers;          /* the text in hand */
    size_t    cap_numbers;
    uint32_t *shared;           /* (n_texts) shared words with the text in hand */
    size_t    cap_shared;
};

qn_novelty *qn_novelty_new(qn_words_kind kind)
{
    qn_novelty *p = QN_NEW(qn_novelty);
    p->kind = kind;
    QN_GROW(p->start, 0, p->cap_start);
    p->start[0] = 0;
    return p;
}

void qn_novelty_free(qn_novelty *p)
{
    if (!p) return;
    for (size_t i = 0; i < p->n_words; i++) qn_free(p->by_word[i].v);
    qn_free(p->by_word);
    qn_map_free(&p->ids);
    qn_free(p->words);
    qn_free(p->start);
    qn_lcs_free(&p->lcs);
    qn_hashes_free(&p->hashes);
    qn_free(p->numbers);
    qn_free(p->shared);
    qn_free(p);
}

size_t qn_novelty_size(const qn_novelty *p) { return p->n_texts; }

size_t qn_novelty_bytes(const qn_novelty *p)
{
    return qn_map_bytes(&p->ids) + p->cap_by_word * sizeof(postings) + p->posting_bytes + p->cap * 4 + p->cap_start * sizeof(size_t)
         + p->cap_shared * 4 + p->lcs.n_slots * 4;
}

static uint32_t new_word(qn_novelty *p)
{
    QN_GROW(p->by_word, p->n_words, p->cap_by_word);
    p->by_word[p->n_words] = (postings){ 0 };
    return ++p->n_words;
}

/* The text's words as numbers, into p->numbers; new words get numbers too. Returns how many. */
static size_t number(qn_novelty *p, qn_str text)
{
    qn_words_hash(text, p->kind, true, &p->hashes);
    QN_GROW(p->numbers, p->hashes.n, p->cap_numbers);
    for (size_t i = 0; i < p->hashes.n; i++) {
        bool fresh;
        uint64_t *id = qn_map_put(&p->ids, (qn_hash128){ p->hashes.v[i], 1 }, &fresh);
        if (fresh) *id = new_word(p);
        p->numbers[i] = (uint32_t)*id - 1;
    }
    return p->hashes.n;
}

void qn_novelty_add(qn_novelty *p, qn_str text)
{
    size_t n = number(p, text);
    qn_lcs_set(&p->lcs, p->numbers, n, p->n_words);
    for (size_t i = 0; i < p->lcs.n_distinct; i++) {
        postings *list = &p->by_word[p->lcs.words[i]];
        size_t before = list->cap;
        QN_GROW(list->v, list->n, list->cap);
        p->posting_bytes += (list->cap - before) * sizeof(posting);
        list->v[list->n++] = (posting){ (uint32_t)p->n_texts, p->lcs.counts[i] };
    }
    QN_GROW(p->words, p->n + n, p->cap);
    memcpy(p->words + p->n, p->numbers, n * sizeof *p->words);
    p->n += n;
    p->n_texts++;
    QN_GROW(p->start, p->n_texts, p->cap_start);
    p->start[p->n_texts] = p->n;
}

static inline size_t length(const qn_novelty *p, size_t t) { return p->start[t + 1] - p->start[t]; }

static double compare(qn_novelty *p, size_t t)
{
    size_t n = length(p, t);
    return qn_rouge_l(qn_lcs_len(&p->lcs, p->words + p->start[t], n), p->lcs.n, n);
}

static void count_shared(qn_novelty *p)
{
    const qn_lcs *q = &p->lcs;
    QN_GROW(p->shared, p->n_texts, p->cap_shared);
    memset(p->shared, 0, p->n_texts * sizeof *p->shared);
    for (size_t i = 0; i < q->n_distinct; i++) {
        const postings *list = &p->by_word[q->words[i]];
        uint32_t mine = q->counts[i];
        for (size_t k = 0; k < list->n; k++)
            p->shared[list->v[k].text] += list->v[k].count < mine ? list->v[k].count : mine;
    }
}

/* Could text t, sharing so many words, reach f? Rounding is given room: a bound may be too high, never too low. */
static inline bool may_reach(const qn_novelty *p, size_t t, double f)
{
    return 2.0 * p->shared[t] * (1 + 1e-12) >= f * (double)(p->lcs.n + length(p, t));
}

static size_t best_bound(const qn_novelty *p)
{
    size_t best = 0;
    for (size_t t = 1; t < p->n_texts; t++)
        if ((double)p->shared[t] * (double)(p->lcs.n + length(p, best)) > (double)p->shared[best] * (double)(p->lcs.n + length(p, t)))
            best = t;
    return best;
}

qn_nearest_text qn_novelty_nearest(qn_novelty *p, qn_str text, double floor)
{
    qn_nearest_text best = { 0 };
    size_t n = number(p, text);
    qn_lcs_set(&p->lcs, p->numbers, n, p->n_words);
    if (p->n_texts == 0 || n == 0) return best;
    count_shared(p);
    size_t first = best_bound(p);
    if (p->shared[first] == 0) return best;
    best = (qn_nearest_text){ true, first, compare(p, first) };
    for (size_t t = 0; t < p->n_texts; t++) {
        if (t == first || p->shared[t] == 0 || !may_reach(p, t, best.f > floor ? best.f : floor)) continue;
        double f = compare(p, t);
        if (f > best.f || (f == best.f && t < best.index)) best = (qn_nearest_text){ true, t, f };
    }
    return best;
}

void qn_novelty_each(qn_novelty *p, qn_str text, double *out)
{
    size_t n = number(p, text);
    qn_lcs_set(&p->lcs, p->numbers, n, p->n_words);
    for (size_t t = 0; t < p->n_texts; t++) out[t] = compare(p, t);
}
