/* readability: counts of letters, syllables, words and sentences, and the formulas over them. */
#include "text/readability.h"
#include "text/sentences.h"
#include "text/words.h"
#include <ctype.h>
#include <math.h>

static bool is_vowel(int c) { return c && strchr("aeiouy", c) != NULL; }

/* Vowel groups, less a silent final e and -ed, plus endings that split ("-ia-", "-io-" but in -tion). Right for about nine words in ten. */
size_t qn_syllables(qn_str w)
{
    char lower[64];
    size_t n = 0, k = 0;
    for (size_t i = 0; i < w.n && n < sizeof lower; i++)
        if (isalpha((unsigned char)w.p[i])) lower[n++] = (char)tolower((unsigned char)w.p[i]);
    if (n == 0) return w.n ? 1 : 0;
    for (size_t i = 0; i < n; i++) k += is_vowel(lower[i]) && (i == 0 || !is_vowel(lower[i - 1]));
    bool final_e = n > 2 && lower[n - 1] == 'e' && !is_vowel(lower[n - 2]);
    if (final_e && !(lower[n - 2] == 'l' && n > 3 && !is_vowel(lower[n - 3])) && k > 1) k--;      /* make, but ta-ble */
    if (n > 3 && lower[n - 1] == 'd' && lower[n - 2] == 'e' && lower[n - 3] != 't' && lower[n - 3] != 'd' && !is_vowel(lower[n - 3]) && k > 1) k--;
    for (size_t i = 1; i + 1 < n; i++) {
        if (lower[i] != 'i') continue;
        bool tion = (lower[i - 1] == 't' || lower[i - 1] == 's' || lower[i - 1] == 'c' || lower[i - 1] == 'g') && (lower[i + 1] == 'o' || lower[i + 1] == 'a' || lower[i + 1] == 'e');
        k += !tion && !is_vowel(lower[i - 1]) && (lower[i + 1] == 'a' || lower[i + 1] == 'o' || lower[i + 1] == 'u');
    }
    return k ? k : 1;
}

static void take_word(qn_readability *r, qn_str w)
{
    size_t letters = 0;
    for (size_t i = 0; i < w.n; i++) {
        unsigned char c = (unsigned char)w.p[i];
        letters += isalnum(c) || (c >= 128 && (c & 0xC0) != 0x80);
    }
    if (!letters) return;
    size_t syllables = qn_syllables(w);
    r->n_words++;
    r->n_letters += letters;
    r->n_syllables += syllables;
    r->n_long_words += letters > 6;
    r->n_hard_words += syllables >= 3;
}

void qn_readability_of(qn_str s, qn_readability *r)
{
    qn_words w = qn_words_of(s, QN_WORDS_PLAIN);
    qn_str word;
    *r = (qn_readability){ .flesch = NAN, .grade = NAN, .fog = NAN, .ari = NAN, .coleman_liau = NAN, .lix = NAN };
    while (qn_words_next(&w, &word)) take_word(r, word);
    r->n_sentences = qn_sentences_count(s);
    if (r->n_words == 0 || r->n_sentences == 0) return;
    double n = (double)r->n_words, per_sentence = n / (double)r->n_sentences;
    double syllables = (double)r->n_syllables / n, letters = (double)r->n_letters / n;
    r->flesch = 206.835 - 1.015 * per_sentence - 84.6 * syllables;
    r->grade = 0.39 * per_sentence + 11.8 * syllables - 15.59;
    r->fog = 0.4 * (per_sentence + 100 * (double)r->n_hard_words / n);
    r->ari = 4.71 * letters + 0.5 * per_sentence - 21.43;
    r->coleman_liau = 5.88 * letters - 29.6 / per_sentence - 15.8;
    r->lix = per_sentence + 100 * (double)r->n_long_words / n;
}
