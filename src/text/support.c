/* support: the words of a claim in a passage. */
#include "text/support.h"
#include "text/lookup.h"
#include "text/small_words.h"
#include "text/words.h"
#include <ctype.h>

/* Numbers without thousands separators, words without a plural or genitive s: "built" and "build" are not the same but "mills" and "mill" are. */
static uint64_t key(qn_str w)
{
    char z[64];
    size_t n = 0;
    if (isdigit((unsigned char)w.p[0])) {
        for (size_t i = 0; i < w.n && n < sizeof z; i++)
            if (w.p[i] != ',') z[n++] = w.p[i];
    } else {
        n = qn_lookup_form(w, z, sizeof z);
        if (n > 2 && z[n - 1] == 's' && z[n - 2] == '\'') n -= 2;
        else if (n > 3 && z[n - 1] == 's' && z[n - 2] != 's') n--;
    }
    return qn_word_hash((qn_str){ z, n }, true);
}

void qn_support_passage(qn_str passage, qn_map *words)
{
    qn_words ws = qn_words_of(passage, QN_WORDS_PLAIN);
    for (qn_str w; qn_words_next(&ws, &w);) qn_map_put(words, (qn_hash128){ 1, key(w) }, NULL);
}

qn_support qn_support_of(qn_str claim, const qn_map *words)
{
    qn_words ws = qn_words_of(claim, QN_WORDS_PLAIN);
    qn_support s = { .against = { "", 0 } };
    size_t content = 0, found = 0;
    for (qn_str w; qn_words_next(&ws, &w);) {
        size_t i = 0;
        if (qn_is_small_word(w)) continue;
        bool there = qn_map_get(words, (qn_hash128){ 1, key(w) }) != NULL;
        bool number = isdigit((unsigned char)w.p[0]), name = qn_cp_is_upper(qn_utf8_next(w, &i)) && w.p != claim.p;
        content++;
        found += there;
        if (!there && !s.against.n && (number || name)) s.against = w;
    }
    s.support = content ? (double)found / (double)content : 1;
    return s;
}

bool qn_support_declines(qn_str answer)
{
    static const char *const words[] = { "unanswerable", "no answer", "not enough information", "does not say", "is not mentioned", "cannot be answered", "not stated", "does not mention", "not given" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (answer.n < 300 && qn_str_find(answer, qn_str_of(words[i])) >= 0) return true;
    return false;
}
