/* substring: winnowed anchors in a hash table with chains; texts as word hashes in a spill. */
#include "text/substring.h"
#include "core/map.h"
#include "core/mem.h"
#include "core/spill.h"

#define MAX_CHAIN 64

typedef struct { uint64_t at; uint32_t row, next; } place;     /* at: word number in the spill; next: 1 + index of the next place */

struct qn_substrings {
    int       span, run;        /* words of a span, of an anchor */
    qn_map    anchors;          /* anchor -> 1 + index of its first place, | count << 32 */
    place    *places;           /* appended; chains run from the first to the latest through `next` */
    size_t    n_places, cap_places;
    uint32_t *last;             /* (n_places) of a chain's first place: index of its latest */
    size_t    cap_last;
    qn_spill *words;            /* uint32 hashes of all texts, each text behind a separator */
    uint64_t *start;            /* (n_rows + 1) first word of each text */
    size_t    n_rows, cap_start;
    qn_hashes hashes;
    uint32_t *mine;             /* the text in hand */
    size_t    cap_mine;
    uint64_t *runs;             /* hashes of its runs */
    size_t    cap_runs;
    uint32_t *chosen;           /* its anchors: places of runs */
    size_t    n_chosen, cap_chosen;
};

qn_substrings *qn_substrings_new(int span, size_t memory_bytes, const char *dir)
{
    qn_substrings *s = QN_NEW(qn_substrings);
    s->span = span < 4 ? 4 : span;
    s->run = s->span / 2;
    s->words = qn_spill_new(dir, memory_bytes);
    QN_GROW(s->start, 0, s->cap_start);
    s->start[0] = 0;
    return s;
}

void qn_substrings_free(qn_substrings *s)
{
    if (!s) return;
    qn_map_free(&s->anchors);
    qn_free(s->places);
    qn_free(s->last);
    qn_spill_free(s->words);
    qn_free(s->start);
    qn_hashes_free(&s->hashes);
    qn_free(s->mine);
    qn_free(s->runs);
    qn_free(s->chosen);
    qn_free(s);
}

void qn_repeats_free(qn_repeats *r)
{
    qn_free(r->v);
    *r = (qn_repeats){ 0 };
}

size_t qn_substrings_bytes(const qn_substrings *s)
{
    return qn_map_bytes(&s->anchors) + s->cap_places * sizeof *s->places + s->cap_last * 4 + s->cap_start * 8
         + (size_t)(qn_spill_bytes(s->words) - qn_spill_on_disk(s->words));
}

/* The rightmost smallest run of every window, each once. */
static void winnow(qn_substrings *s, size_t n_runs)
{
    size_t window = (size_t)(s->span - s->run + 1), least = 0;
    s->n_chosen = 0;
    for (size_t i = 0; i < n_runs; i++) {
        size_t from = i + 1 >= window ? i + 1 - window : 0;
        if (i == 0 || s->runs[i] <= s->runs[least]) least = i;
        else if (least < from) {
            least = from;
            for (size_t k = from + 1; k <= i; k++)
                if (s->runs[k] <= s->runs[least]) least = k;
        }
        if (i + 1 < window) continue;
        if (s->n_chosen && s->chosen[s->n_chosen - 1] == least) continue;
        QN_GROW(s->chosen, s->n_chosen, s->cap_chosen);
        s->chosen[s->n_chosen++] = (uint32_t)least;
    }
}

/* Words, runs and anchors of a text. Returns the number of words. */
static size_t take_apart(qn_substrings *s, qn_str text)
{
    qn_words_hash(text, QN_WORDS_SPACED, true, &s->hashes);
    size_t n = s->hashes.n, run = (size_t)s->run, n_runs = n >= run ? n - run + 1 : 0;
    QN_GROW(s->mine, n, s->cap_mine);
    QN_GROW(s->runs, n_runs, s->cap_runs);
    for (size_t i = 0; i < n; i++) s->mine[i] = (uint32_t)(s->hashes.v[i] >> 32);
    uint64_t top = 1, h = 0;
    const uint64_t base = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < run; i++) top *= base;
    for (size_t i = 0; i < n; i++) {
        h = h * base + s->mine[i] + 1 - (i >= run ? top * (s->mine[i - run] + 1ull) : 0);
        uint64_t mixed = (h ^ h >> 32) * 0xD6E8FEB86659FD93u;
        if (i + 1 >= run) s->runs[i + 1 - run] = mixed ^ mixed >> 29;
    }
    winnow(s, n_runs);
    return n;
}

static qn_hash128 anchor_key(uint64_t run) { return (qn_hash128){ run, 1 }; }

qn_code qn_substrings_add(qn_substrings *s, qn_str text, qn_err *e)
{
    size_t n = take_apart(s, text);
    uint64_t at, first = s->start[s->n_rows];
    QN_TRY(qn_spill_put(s->words, s->mine, n * sizeof *s->mine, &at, e));
    for (size_t i = 0; i < s->n_chosen; i++) {
        bool fresh;
        uint64_t *head = qn_map_put(&s->anchors, anchor_key(s->runs[s->chosen[i]]), &fresh);
        if (!fresh && *head >> 32 >= MAX_CHAIN) continue;
        QN_GROW(s->places, s->n_places, s->cap_places);
        QN_GROW(s->last, s->n_places, s->cap_last);
        s->places[s->n_places] = (place){ first + s->chosen[i], (uint32_t)s->n_rows, 0 };
        if (fresh) {
            *head = (s->n_places + 1) | 1ull << 32;
            s->last[s->n_places] = (uint32_t)s->n_places;
        } else {
            uint32_t chain = (uint32_t)*head - 1;
            s->places[s->last[chain]].next = (uint32_t)s->n_places + 1;
            s->last[chain] = (uint32_t)s->n_places;
            *head += 1ull << 32;
        }
        s->n_places++;
    }
    s->n_rows++;
    QN_GROW(s->start, s->n_rows, s->cap_start);
    s->start[s->n_rows] = first + n;
    return QN_OK;
}

/* Words of the match around run `i` of mine and word `p->at` of all: extended in pieces read from the spill. */
static qn_code extend(qn_substrings *s, size_t n, size_t i, const place *p, size_t *from, size_t *to, qn_err *e)
{
    uint32_t piece[256];
    uint64_t lo = s->start[p->row], hi = s->start[p->row + 1];
    size_t left = 0, right = 0;
    for (bool going = true; going;) {           /* rightwards, the anchor itself included */
        uint64_t at = p->at + right;
        size_t k = hi - at < 256 ? (size_t)(hi - at) : 256, j = 0;
        if (n - (i + right) < k) k = n - (i + right);
        QN_TRY(qn_spill_get(s->words, at * 4, piece, k * 4, e));
        while (j < k && piece[j] == s->mine[i + right + j]) j++;
        right += j;
        going = j == 256;
    }
    for (bool going = true; going;) {
        size_t k = p->at - left - lo < 256 ? (size_t)(p->at - left - lo) : 256, j = 0;
        if (i - left < k) k = i - left;
        QN_TRY(qn_spill_get(s->words, (p->at - left - k) * 4, piece, k * 4, e));
        while (j < k && piece[k - 1 - j] == s->mine[i - left - 1 - j]) j++;
        left += j;
        going = j == 256;
    }
    *from = i - left;
    *to = i + right;
    return QN_OK;
}

static void put_span(qn_repeats *out, size_t from, size_t to, uint64_t row)
{
    if (out->n && out->v[out->n - 1].word_to >= from) {
        qn_repeat *last = &out->v[out->n - 1];
        if (to > last->word_to) last->word_to = to;
        if (from < last->word_from) last->word_from = from;
        while (out->n > 1 && out->v[out->n - 2].word_to >= last->word_from) {   /* it grew to the left over its neighbour */
            if (out->v[out->n - 2].word_from < last->word_from) last->word_from = out->v[out->n - 2].word_from;
            last->row = out->v[out->n - 2].row;
            out->v[out->n - 2] = *last;
            out->n--;
            last = &out->v[out->n - 1];
        }
        return;
    }
    QN_GROW(out->v, out->n, out->cap);
    out->v[out->n++] = (qn_repeat){ .word_from = from, .word_to = to, .row = row };
}

/* From words to bytes: one more walk over the text. */
static void locate(qn_str text, qn_repeats *out)
{
    qn_words w = qn_words_of(text, QN_WORDS_SPACED);
    qn_str word;
    size_t at = 0, i = 0;
    while (i < out->n && qn_words_next(&w, &word)) {
        if (at == out->v[i].word_from) out->v[i].from = (size_t)(word.p - text.p);
        at++;
        if (at == out->v[i].word_to) out->v[i++].to = (size_t)(word.p + word.n - text.p);
    }
}

/* Does the span hold every run of `span` words around the anchor at i? Then no match through it can add a word. */
static bool covered(const qn_substrings *s, const qn_repeat *r, size_t i)
{
    size_t span = (size_t)s->span, run = (size_t)s->run;
    return r->word_to >= i + span && (r->word_from == 0 || r->word_from + span <= i + run);
}

qn_code qn_substrings_find(qn_substrings *s, qn_str text, qn_repeats *out, qn_err *e)
{
    size_t n = take_apart(s, text), span = (size_t)s->span;
    out->n = 0;
    out->n_words = n;
    out->n_repeated = 0;
    for (size_t c = 0; c < s->n_chosen; c++) {
        size_t i = s->chosen[c], from, to;
        uint64_t *head = qn_map_get(&s->anchors, anchor_key(s->runs[i]));
        if (!head || (out->n && covered(s, &out->v[out->n - 1], i))) continue;
        for (uint32_t k = (uint32_t)*head; k; k = s->places[k - 1].next) {
            QN_TRY(extend(s, n, i, &s->places[k - 1], &from, &to, e));
            if (to - from >= span) put_span(out, from, to, s->places[k - 1].row);
        }
    }
    for (size_t i = 0; i < out->n; i++) out->n_repeated += out->v[i].word_to - out->v[i].word_from;
    locate(text, out);
    return QN_OK;
}
