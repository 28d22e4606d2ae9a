/* copied: runs of equal words by extending, word by word, the runs that end one word earlier; and the last number of an answer. */
#include "text/copied.h"
#include "core/map.h"
#include <ctype.h>

typedef struct { qn_hashes hash; size_t *from, *to; size_t cap; } words;

static void read_words(qn_str s, words *w)
{
    qn_words it = qn_words_of(s, QN_WORDS_PLAIN);
    size_t cap_from = 0, cap_to = 0;
    for (qn_str x; qn_words_next(&it, &x); w->hash.n++) {
        QN_GROW(w->hash.v, w->hash.n, w->hash.cap);
        QN_GROW(w->from, w->hash.n, cap_from);
        QN_GROW(w->to, w->hash.n, cap_to);
        w->hash.v[w->hash.n] = qn_word_hash(x, true);
        w->from[w->hash.n] = (size_t)(x.p - s.p);
        w->to[w->hash.n] = (size_t)(x.p - s.p) + x.n;
    }
}

static void free_words(words *w)
{
    qn_hashes_free(&w->hash);
    qn_free(w->from);
    qn_free(w->to);
}

void qn_copied_of(qn_str text, qn_str source, qn_copied *out)
{
    words a = {0}, b = {0};
    qn_map last = {0};                          /* word -> its last place in the source + 1 */
    *out = (qn_copied){0};
    read_words(text, &a);
    read_words(source, &b);
    size_t n = a.hash.n, m = b.hash.n, inside = 0, covered = 0;
    uint32_t *before = QN_NEW_N(uint32_t, m + 1);       /* place in the source -> the place of the same word before it + 1 */
    uint32_t *run[2] = { QN_NEW_N(uint32_t, m + 1), QN_NEW_N(uint32_t, m + 1) };
    for (size_t j = 0; j < m; j++) {
        uint64_t *p = qn_map_put(&last, (qn_hash128){ 1, b.hash.v[j] }, NULL);
        before[j] = (uint32_t)*p;
        *p = j + 1;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t *now = run[i & 1], *then = run[(i & 1) ^ 1], best = 0;
        uint64_t *p = qn_map_get(&last, (qn_hash128){ 1, a.hash.v[i] }), *q = i > 1 ? qn_map_get(&last, (qn_hash128){ 1, a.hash.v[i - 2] }) : NULL;
        for (uint32_t j = q ? (uint32_t)*q : 0; j; j = before[j - 1]) now[j] = 0;      /* what the row before last left here */
        for (uint32_t j = p ? (uint32_t)*p : 0; j; j = before[j - 1]) {                /* now[j]: run that ends at place j - 1 */
            now[j] = (j > 1 && i > 0 ? then[j - 1] : 0) + 1;
            if (now[j] > best) best = now[j];
        }
        if (best > out->longest) { out->longest = best; out->from = a.from[i + 1 - best]; out->to = a.to[i]; }
        if (best >= 8) {
            size_t start = i + 1 - best > inside ? i + 1 - best : inside;
            covered += i + 1 - start;
            inside = i + 1;
        }
    }
    out->n_words = n;
    out->share = n ? (double)covered / (double)n : 0;
    qn_free(before);
    qn_free(run[0]);
    qn_free(run[1]);
    qn_map_free(&last);
    free_words(&a);
    free_words(&b);
}

/* A number at *i; moves behind it. */
static bool number_at(qn_str s, size_t *i, double *out)
{
    char z[64];
    size_t n = 0, at = *i;
    bool point = false;
    if (at < s.n && (s.p[at] == '-' || s.p[at] == '+')) z[n++] = s.p[at++];
    if (at >= s.n || !(isdigit((unsigned char)s.p[at]) || (s.p[at] == '.' && at + 1 < s.n && isdigit((unsigned char)s.p[at + 1])))) return false;
    for (; at < s.n && n < 60; at++) {
        char c = s.p[at], next = at + 1 < s.n ? s.p[at + 1] : 0;
        if (isdigit((unsigned char)c)) z[n++] = c;
        else if (c == '.' && !point && isdigit((unsigned char)next)) { z[n++] = c; point = true; }
        else if (c == ',' && !point && at + 3 < s.n && isdigit((unsigned char)next) && isdigit((unsigned char)s.p[at + 2]) && isdigit((unsigned char)s.p[at + 3])
                 && !(at + 4 < s.n && isdigit((unsigned char)s.p[at + 4]))) continue;
        else break;
    }
    *i = at;
    return qn_str_to_f64((qn_str){ z, n }, out) || (z[0] == '+' && qn_str_to_f64((qn_str){ z + 1, n - 1 }, out));
}

static bool last_number(qn_str s, double *out)
{
    bool found = false;
    for (size_t i = 0; i < s.n;) {
        bool glued = i > 0 && (isalnum((unsigned char)s.p[i - 1]) || s.p[i - 1] == '_');
        bool sign = (s.p[i] == '-' || s.p[i] == '+') && i > 0 && (isdigit((unsigned char)s.p[i - 1]) || s.p[i - 1] == ')');     /* 5-3: a difference */
        size_t at = i;
        double x, y;
        if (glued || sign || !number_at(s, &at, &x)) { i++; continue; }
        found = true;
        *out = x;
        size_t under = at + 1;
        if (at + 1 < s.n && s.p[at] == '/' && number_at(s, &under, &y) && y != 0) { *out = x / y; at = under; }
        i = at > i ? at : i + 1;
    }
    return found;
}

static bool behind(qn_str s, const char *mark, double *out)
{
    qn_str rest = s, m = qn_str_of(mark);
    ptrdiff_t at, best = -1;
    size_t base = 0;
    while ((at = qn_str_find(rest, m)) >= 0) {
        best = (ptrdiff_t)base + at;
        base += (size_t)at + m.n;
        rest = qn_str_sub(s, base, s.n);
    }
    if (best < 0) return false;
    qn_str tail = qn_str_sub(s, (size_t)best + m.n, s.n);
    const char *end = tail.n ? memchr(tail.p, '\n', tail.n) : NULL;
    for (size_t i = 0; i < tail.n && tail.p + i != end; i++) {          /* the first number on the line */
        size_t from = i;
        double y;
        if (!number_at(tail, &from, out)) continue;
        size_t under = from + 1;
        if (from + 1 < tail.n && tail.p[from] == '/' && number_at(tail, &under, &y) && y != 0) *out /= y;
        return true;
    }
    return false;
}

bool qn_final_number(qn_str s, double *out)
{
    return behind(s, "####", out) || behind(s, "\\boxed{", out) || behind(s, "answer is", out) || behind(s, "Answer:", out) || last_number(s, out);
}
