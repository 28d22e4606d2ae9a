/* c4: line by line. */
#include "text/c4.h"
#include "text/sentences.h"
#include <ctype.h>

const qn_measure QN_C4_MEASURES[QN_C4_N] = {
    { "sentences",      5,         INFINITY, "sentences in the lines that stay" },
    { "kept_lines",     -INFINITY, INFINITY, "share of lines that stay" },
    { "lorem_ipsum",    -INFINITY, 0,        "occurrences of lorem ipsum" },
    { "curly_brackets", -INFINITY, 0,        "curly brackets" },
};

static bool one_of(char c, const char *set) { return c && strchr(set, c) != NULL; }

/* Occurrence of a lower-case needle, ASCII case ignored; -1 when none. */
static ptrdiff_t find_nocase(qn_str s, const char *needle)
{
    size_t n = strlen(needle);
    for (size_t i = 0; i + n <= s.n; i++) {
        const char *at = s.p + i;
        if ((*at | 0x20) == *needle && strncasecmp(at, needle, n) == 0) return (ptrdiff_t)i;
    }
    return -1;
}

static size_t count_nocase(qn_str s, const char *needle)
{
    size_t k = 0;
    ptrdiff_t i;
    while ((i = find_nocase(s, needle)) >= 0) {
        k++;
        s = qn_str_sub(s, (size_t)i + strlen(needle), s.n);
    }
    return k;
}

static bool is_unwanted(qn_str line)
{
    static const char *const phrases[] = { "javascript", "terms of use", "privacy policy", "cookie policy", "uses cookies",
                                           "use of cookies", "use cookies" };
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (find_nocase(line, phrases[i]) >= 0) return true;
    return false;
}

/* Length of a citation mark at the start of s: [], [12], [edit], [citation needed]; 0 when there is none. */
static size_t citation(qn_str s)
{
    size_t i = 1;
    if (s.p[0] != '[') return 0;
    while (i < s.n && isdigit((unsigned char)s.p[i])) i++;
    if (i < s.n && s.p[i] == ']') return i + 1;
    if (qn_str_starts(s, QN_STR("[edit]"))) return 6;
    return qn_str_starts(s, QN_STR("[citation needed]")) ? 17 : 0;
}

/* A line's end without citation marks behind it: "the mill.[3]" ends in a full stop. */
static qn_str without_citations_at_end(qn_str line)
{
    for (;;) {
        const char *open = line.n && line.p[line.n - 1] == ']' ? memrchr(line.p, '[', line.n) : NULL;
        size_t from = open ? (size_t)(open - line.p) : 0;
        if (!open || citation(qn_str_sub(line, from, line.n)) != line.n - from) return line;
        line = qn_str_trim(qn_str_sub(line, 0, from));
    }
}

static bool ends_a_sentence(qn_str s)
{
    if (s.n == 0) return false;
    if (qn_str_ends(s, QN_STR("...")) || qn_str_ends(s, QN_STR("\xE2\x80\xA6"))) return false;
    return one_of(s.p[s.n - 1], ".?!\"'") || qn_str_ends(s, QN_STR("\xE2\x80\x9D")) || qn_str_ends(s, QN_STR("\xE3\x80\x82"));
}

static bool words_fit(qn_str line, qn_c4_rules rules)
{
    int n_words = 0, chars = 0;
    for (size_t i = 0; i <= line.n; i++) {
        bool space = i == line.n || (unsigned char)line.p[i] <= 32;
        if (space && chars) { n_words++; chars = 0; }
        else if (!space && ((unsigned char)line.p[i] & 0xC0) != 0x80 && ++chars > rules.max_word_chars) return false;
    }
    return n_words >= rules.min_words;
}

static void put_line(qn_buf *clean, qn_str line, bool cut_citations)
{
    if (clean->n) qn_buf_putc(clean, '\n');
    for (size_t i = 0; i < line.n;) {
        size_t skip = cut_citations ? citation(qn_str_sub(line, i, line.n)) : 0;
        if (!skip) qn_buf_putc(clean, line.p[i]);
        i += skip ? skip : 1;
    }
}

void qn_c4(qn_str text, qn_c4_rules rules, double out[QN_C4_N], qn_buf *clean)
{
    qn_buf own = {0}, *kept = clean ? clean : &own;
    size_t n_lines = 0, n_kept = 0, sentences = 0, brackets = 0;
    const char *at = text.p, *end = text.p + text.n;
    for (const char *nl; at < end; at = nl + 1) {
        nl = memchr(at, '\n', (size_t)(end - at));
        if (!nl) nl = end;
        qn_str line = qn_str_trim((qn_str){ at, (size_t)(nl - at) });
        if (line.n == 0) continue;
        n_lines++;
        for (size_t i = 0; i < line.n; i++) brackets += line.p[i] == '{' || line.p[i] == '}';
        qn_str shown = rules.citations ? without_citations_at_end(line) : line;
        if (!ends_a_sentence(shown) || !words_fit(line, rules) || is_unwanted(line)) continue;
        n_kept++;
        size_t from = kept->n;
        put_line(kept, shown, rules.citations);
        sentences += qn_sentences_count(qn_str_sub(qn_buf_view(kept), from, kept->n));
    }
    out[QN_C4_SENTENCES] = (double)sentences;
    out[QN_C4_KEPT_LINES] = n_lines ? (double)n_kept / (double)n_lines : NAN;
    out[QN_C4_LOREM_IPSUM] = (double)count_nocase(text, "lorem ipsum");
    out[QN_C4_CURLY_BRACKETS] = (double)brackets;
    qn_buf_free(&own);
}
