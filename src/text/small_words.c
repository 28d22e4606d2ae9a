/* small_words: one line of them, searched with a space at both ends. */
#include "text/small_words.h"
#include <ctype.h>

static bool is_in(const char *words, size_t n_words, qn_str w)
{
    char key[24];
    if (w.n + 2 >= sizeof key) return false;
    key[0] = ' ';
    for (size_t i = 0; i < w.n; i++) key[i + 1] = (char)tolower((unsigned char)w.p[i]);
    key[w.n + 1] = ' ';
    return memmem(words, n_words, key, w.n + 2) != NULL;
}

bool qn_is_small_word(qn_str w)
{
    static const char small[] = " a an the of to in on at by for from with as is are was were be been being it its this that these those and or but not he she they his her their we i you do does did has have had will "
                                "would can could may might who which what when where why how there here than then so if into about over after before between during also only very more most some any no yes ";
    return is_in(small, sizeof small - 1, w);
}

bool qn_is_light_word(qn_str w)
{
    static const char light[] = " must shall should cannot my me mine your yours our ours us them him himself herself itself themselves one ones am being don't doesn't didn't isn't aren't wasn't weren't can't couldn't "
                                "wouldn't won't hasn't haven't i'm i've i'd i'll you're you've they're we're what's who's how's where's that's it's there's let's many much such each every other another own same both all out up down "
                                "off just again through against under while during among upon without within because whether ";
    return qn_is_small_word(w) || is_in(light, sizeof light - 1, w);
}
