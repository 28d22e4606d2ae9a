/* bias: a walk over words with the roles that lists give them. */
#include "text/bias.h"
#include "core/thread.h"
#include "text/lists/lists.h"
#include "text/lookup.h"
#include "text/sentences.h"
#include "text/words.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>

enum { FEMALE = 1, MALE = 2, FEMALE_NAME = 4, MALE_NAME = 8, YOUNG = 16, OLD = 32, AMBIGUOUS = 64, COUNTRY_SHIFT = 8, OCCUPATION_SHIFT = 20 };

static qn_map terms;            /* word or phrase of two -> flags | country + 1 << 8 | occupation + 1 << 20 */
static qn_map counterpart;      /* word -> pointer to its counterpart (a C string that ends at '|' or NUL) */
static char occupation_names[QN_BIAS_OCCUPATIONS][24];

static void load_pairs(const char *const *pairs, uint64_t first, uint64_t second)
{
    for (; *pairs; pairs++) {
        const char *bar = strchr(*pairs, '|');
        qn_str a = { *pairs, (size_t)(bar - *pairs) }, b = qn_str_of(bar + 1);
        bool fresh;
        *qn_map_put_str(&terms, a, NULL) |= first;
        *qn_map_put_str(&terms, b, NULL) |= second;
        uint64_t *place = qn_map_put_str(&counterpart, a, &fresh);
        if (fresh) *place = (uint64_t)(uintptr_t)(bar + 1);
        place = qn_map_put_str(&counterpart, b, &fresh);
        if (fresh) *place = (uint64_t)(uintptr_t)*pairs;
    }
}

static void load_occupations(void)
{
    size_t n = 0;
    for (const char *w = qn_list_occupations; *w;) {
        size_t len = strcspn(w, " ");
        uint64_t *place = qn_map_put_str(&terms, (qn_str){ w, len }, NULL);
        if (!(*place >> OCCUPATION_SHIFT)) {
            QN_ASSERT(n < QN_BIAS_OCCUPATIONS && len < sizeof occupation_names[0]);
            memcpy(occupation_names[n], w, len);
            *place |= (uint64_t)(n++ + 1) << OCCUPATION_SHIFT;
        }
        w += len + strspn(w + len, " ");
    }
}

static void put_country(const char *name, size_t n, size_t i)
{
    char phrase[64];
    QN_ASSERT(i < QN_BIAS_COUNTRIES && n < sizeof phrase);
    for (size_t k = 0; k < n; k++) phrase[k] = name[k] == '_' ? ' ' : name[k];
    uint64_t *place = qn_map_put_str(&terms, (qn_str){ phrase, n }, NULL);
    if (!(*place >> COUNTRY_SHIFT & 0xfff)) *place |= (i + 1) << COUNTRY_SHIFT;
}

static void load_country(const char *line, size_t i)
{
    size_t n = strcspn(line, "|");
    put_country(line, n, i);
    for (const char *p = line + n + 1; *p; p += strspn(p, " ")) {
        n = strcspn(p, " ");
        put_country(p, n, i);
        p += n;
    }
}

static void load(void)
{
    load_pairs(qn_list_gender_pairs, FEMALE, MALE);
    load_pairs(qn_list_age_pairs, YOUNG, OLD);
    load_occupations();
    qn_lookup_list(&terms, qn_list_names_female, ' ', FEMALE_NAME);
    qn_lookup_list(&terms, qn_list_names_male, ' ', MALE_NAME);
    qn_lookup_list(&terms, qn_list_names_words, ' ', AMBIGUOUS);
    for (size_t i = 0; qn_list_countries[i]; i++) load_country(qn_list_countries[i], i);
}

static void prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
}

static uint64_t term(qn_str word)
{
    char folded[64];
    uint64_t *t = word.n < sizeof folded ? qn_map_get_str(&terms, (qn_str){ folded, qn_lookup_form(word, folded, sizeof folded) }) : NULL;
    return t ? *t : 0;
}

/* "19-year-old", "aged 70": a number with a word of age beside it. */
static int age_of(qn_str sentence, qn_str word)
{
    int64_t years;
    size_t digits = 0, at = (size_t)(word.p - sentence.p);
    while (digits < word.n && isdigit((unsigned char)word.p[digits])) digits++;
    if (digits == 0 || digits > 3 || !qn_str_to_i64(qn_str_sub(word, 0, digits), &years)) return -1;
    qn_str after = qn_str_sub(sentence, at + digits, sentence.n);
    bool old = qn_str_starts(after, QN_STR("-year-old")) || qn_str_starts(after, QN_STR(" years old")) || qn_str_starts(after, QN_STR(" year old"));
    bool aged = at >= 5 && strncasecmp(sentence.p + at - 5, "aged ", 5) == 0;
    return old || aged ? (int)years : -1;
}

/* "19-year-old" and "60 years old" are counted by their number. */
static bool is_old_of_years(qn_str sentence, qn_str w)
{
    size_t at = (size_t)(w.p - sentence.p);
    return at >= 5 && (strncasecmp(w.p - 5, "year-", 5) == 0 || strncasecmp(w.p - 5, "year ", 5) == 0 || strncasecmp(w.p - 5, "ears ", 5) == 0);
}

static void count_country(qn_str name, qn_bias *b)
{
    size_t i = 0, country = term(name) >> COUNTRY_SHIFT & 0xfff;
    if (country && qn_cp_is_upper(qn_utf8_next(name, &i))) b->country[country - 1]++;
}

static void count_word(qn_str sentence, qn_str w, qn_bias *b, unsigned *genders, uint64_t roles[4])
{
    uint64_t t = term(w);
    size_t i = 0;
    bool capital = qn_cp_is_upper(qn_utf8_next(w, &i)), first = w.p == sentence.p;
    int years = age_of(sentence, w);
    b->n_words++;
    if (years >= 0 && years < 25) b->age[QN_BIAS_YOUNG]++;
    if (years >= 60) b->age[QN_BIAS_OLD]++;
    if (!t) return;
    if (t & FEMALE) { b->gender[QN_BIAS_FEMALE]++; *genders |= 1; }
    if (t & MALE) { b->gender[QN_BIAS_MALE]++; *genders |= 2; }
    if (t & YOUNG) b->age[QN_BIAS_YOUNG]++;
    if (t & OLD && !is_old_of_years(sentence, w)) b->age[QN_BIAS_OLD]++;
    bool name = capital && (t & (FEMALE_NAME | MALE_NAME)) && (t & (FEMALE_NAME | MALE_NAME)) != (FEMALE_NAME | MALE_NAME) && !(t & AMBIGUOUS && first) && !(t & (FEMALE | MALE));
    if (name) { int g = t & FEMALE_NAME ? 0 : 1; b->names[g]++; *genders |= 1u << g; }
    size_t role = t >> OCCUPATION_SHIFT;
    for (int k = 0; role && k < 4; k++)
        if (!roles[k] || roles[k] == role) { roles[k] = role; break; }
}

void qn_bias_count(qn_str text, qn_bias *b)
{
    prepare();
    b->n_texts++;
    qn_sentences ss = qn_sentences_of(text);
    qn_str s, w;
    while (qn_sentences_next(&ss, &s)) {
        unsigned genders = 0;
        uint64_t roles[4] = {0};
        qn_words ws = qn_words_of(s, QN_WORDS_PLAIN);
        for (qn_str last = { NULL, 0 }; qn_words_next(&ws, &w); last = w) {
            count_word(s, w, b, &genders, roles);
            count_country(w, b);
            if (last.p && w.p == last.p + last.n + 1) count_country((qn_str){ last.p, last.n + 1 + w.n }, b);     /* New Zealand */
        }
        for (int k = 0; k < 4 && roles[k] && (genders == 1 || genders == 2); k++) b->role[roles[k] - 1][genders - 1]++;
    }
}

void qn_bias_add(qn_bias *sum, const qn_bias *b)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)b;     /* a struct of counters and nothing else */
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) to[i] += from[i];
}

const char *qn_bias_country(size_t i)
{
    static size_t n;
    if (!n) while (qn_list_countries[n]) n++;
    return i < n ? qn_list_countries[i] : NULL;
}

const char *qn_bias_occupation(size_t i)
{
    prepare();
    return i < QN_BIAS_OCCUPATIONS && occupation_names[i][0] ? occupation_names[i] : NULL;
}

double qn_bias_share(const uint64_t pair[2]) { return pair[0] + pair[1] ? (double)pair[0] / (double)(pair[0] + pair[1]) : NAN; }

double qn_bias_country_distance(const qn_bias *a, const qn_bias *b)
{
    double sum_a = 0, sum_b = 0, d = 0;
    for (size_t i = 0; i < QN_BIAS_COUNTRIES; i++) { sum_a += (double)a->country[i]; sum_b += (double)b->country[i]; }
    if (sum_a == 0 || sum_b == 0) return NAN;
    for (size_t i = 0; i < QN_BIAS_COUNTRIES; i++) d += fabs((double)a->country[i] / sum_a - (double)b->country[i] / sum_b);
    return d / 2;
}

/* ---- swaps ---- */

/* The replacement in the case of the word it replaces: "She" -> "He", "SHE" -> "HE". */
static void put_like(qn_str word, const char *with, qn_buf *out)
{
    size_t n = strcspn(with, "| ");
    if (with[n] == ' ') n = strcspn(with, "|");
    bool upper = isupper((unsigned char)word.p[0]), all = upper && word.n > 1 && isupper((unsigned char)word.p[1]) && isupper((unsigned char)word.p[word.n - 1]);
    for (size_t i = 0; i < n; i++) qn_buf_putc(out, (char)(all || (upper && i == 0) ? toupper((unsigned char)with[i]) : with[i]));
}

/* "her" before a word that it may own: not before the sentence's end, a preposition, a conjunction, an article or a verb that is sure. */
static bool owns_next(qn_str text, size_t after)
{
    static const char *const no[] = { "to", "and", "or", "but", "for", "with", "at", "in", "on", "by", "from", "of", "as", "that", "when", "while", "because", "if", "the", "a", "an", "is", "was", "are", "were", "will", "would", "could", "should",
                                      "into", "about", "after", "before", "again", "how", "what", "where", "who", "why", "not", "up", "down", "out", "off", "away", "back", "home", "very", "so", "than", "through", "over", "this", "these", "he", "she", "it", "they", "i", "we", "you" };
    size_t i = after;
    while (i < text.n && text.p[i] == ' ') i++;
    size_t end = i;
    while (end < text.n && (isalpha((unsigned char)text.p[end]) || (unsigned char)text.p[end] >= 128)) end++;
    if (i == after || end == i) return false;
    for (size_t k = 0; k < sizeof no / sizeof *no; k++)
        if (end - i == strlen(no[k]) && strncasecmp(text.p + i, no[k], end - i) == 0) return false;
    return true;
}

static const char *swap_of(qn_str text, qn_str w, uint64_t wanted)
{
    char folded[64];
    if (w.n >= sizeof folded) return NULL;
    qn_str f = { folded, qn_lookup_form(w, folded, sizeof folded) };
    uint64_t *t = qn_map_get_str(&terms, f), *c = qn_map_get_str(&counterpart, f);
    if (!t || !(*t & wanted) || !c) return NULL;
    size_t after = (size_t)(w.p + w.n - text.p);
    if (wanted & FEMALE && qn_str_is(f, "her")) return owns_next(text, after) ? "his" : "him";
    if (wanted & FEMALE && qn_str_is(f, "his")) return owns_next(text, after) ? "her" : "hers";
    return (const char *)(uintptr_t)*c;
}

static const char *country_line(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; qn_list_countries[i]; i++)
        if (strncasecmp(qn_list_countries[i], name, n) == 0 && qn_list_countries[i][n] == '|') return qn_list_countries[i];
    return NULL;
}

/* Bytes at `at` that are `name` (n bytes, '_' is a space) in any case and end there as a word; 0 when they are not. */
static size_t match_name(qn_str text, size_t at, const char *name, size_t n)
{
    if (at + n > text.n) return 0;
    for (size_t i = 0; i < n; i++)
        if (tolower((unsigned char)text.p[at + i]) != (name[i] == '_' ? ' ' : name[i])) return 0;
    return at + n < text.n && isalnum((unsigned char)text.p[at + n]) ? 0 : n;
}

/* What stands at `at` (a country or a word for its people), as its counterpart in the other line: the country for the country, the k-th
 * word for the k-th, or the first. */
static qn_str nation_of(qn_str text, size_t at, const char *from, const char *to, size_t *len)
{
    size_t n = strcspn(from, "|"), m = strcspn(to, "|"), k = 0;
    if ((*len = match_name(text, at, from, n))) return (qn_str){ to, m };
    const char *b = to + m + 1, *first = b;
    for (const char *a = from + n + 1; *a; a += strspn(a, " "), k++) {
        n = strcspn(a, " ");
        if ((*len = match_name(text, at, a, n))) break;
        a += n;
    }
    for (; k && *b; k--) { b += strcspn(b, " "); b += strspn(b, " "); }
    return (qn_str){ *b ? b : first, strcspn(*b ? b : first, " ") };
}

/* A nation's name, each word with a capital where the one it replaces had one. */
static void put_nation(qn_str with, bool capital, qn_buf *out)
{
    for (size_t i = 0; i < with.n; i++) {
        char c = with.p[i] == '_' ? ' ' : with.p[i];
        bool starts = i == 0 || with.p[i - 1] == ' ' || with.p[i - 1] == '_';
        qn_buf_putc(out, capital && starts ? (char)toupper((unsigned char)c) : c);
    }
}

size_t qn_bias_swap(qn_str text, qn_swap kind, const char *from, const char *to, qn_buf *out)
{
    prepare();
    bool nation = kind == QN_SWAP_NATION;
    const char *a = nation ? country_line(from) : NULL, *b = nation ? country_line(to) : NULL;
    uint64_t wanted = kind == QN_SWAP_GENDER ? FEMALE | MALE : YOUNG | OLD;
    size_t n = 0, at = 0;
    qn_words ws = qn_words_of(text, QN_WORDS_PLAIN);
    for (qn_str w; qn_words_next(&ws, &w);) {
        if (w.n > 2 && (w.p[w.n - 1] | 32) == 's' && w.p[w.n - 2] == '\'') w.n -= 2;    /* mother's */
        size_t start = (size_t)(w.p - text.p), len = w.n;
        const char *with = nation ? NULL : swap_of(text, w, wanted);
        qn_str name = nation && a && b && start >= at ? nation_of(text, start, a, b, &len) : (qn_str){ NULL, 0 };
        if (start < at || !len || (!with && !name.p)) continue;
        qn_buf_put(out, text.p + at, start - at);
        if (nation) put_nation(name, isupper((unsigned char)w.p[0]), out);
        else put_like(w, with, out);
        at = start + len;
        n++;
    }
    qn_buf_put(out, text.p + at, text.n - at);
    return n;
}

/* ---- as JSON ---- */
static void put_share(qn_buf *b, const char *name, const char *first, const char *second, const uint64_t pair[2], const char *end)
{
    double share = qn_bias_share(pair);
    qn_buf_printf(b, "\"%s\":{\"%s\":%llu,\"%s\":%llu,\"share\":", name, first, (unsigned long long)pair[0], second, (unsigned long long)pair[1]);
    if (isnan(share)) qn_buf_puts(b, "null");
    else qn_buf_printf(b, "%.4f", share);
    qn_buf_printf(b, "}%s", end);
}

void qn_bias_write(const qn_bias *x, qn_buf *b)
{
    qn_buf_printf(b, "{\"texts\":%llu,\"words\":%llu,", (unsigned long long)x->n_texts, (unsigned long long)x->n_words);
    put_share(b, "gender", "female", "male", x->gender, ",");
    put_share(b, "names", "female", "male", x->names, ",");
    put_share(b, "age", "young", "old", x->age, ",\"roles\":{");
    bool first = true;
    for (size_t i = 0; qn_bias_occupation(i); i++) {
        if (x->role[i][0] + x->role[i][1] == 0) continue;
        if (!first) qn_buf_putc(b, ',');
        first = false;
        put_share(b, qn_bias_occupation(i), "female", "male", x->role[i], "");
    }
    qn_buf_puts(b, "},\"countries\":{");
    first = true;
    for (size_t i = 0; qn_bias_country(i); i++) {
        if (!x->country[i]) continue;
        qn_buf_printf(b, "%s\"%.*s\":%llu", first ? "" : ",", (int)strcspn(qn_bias_country(i), "|"), qn_bias_country(i), (unsigned long long)x->country[i]);
        first = false;
    }
    qn_buf_puts(b, "}}");
}
