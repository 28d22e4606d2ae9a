/* small_words: one line of them, searched with a space at both ends. */
#include "text/small_words.h"
#include <ctype.h>

bool qn_is_small_word(qn_str w)
{
    static const char small[] = " a an the of to in on at by for from with as is are was were be been being it its this that these those and or but not he she they his her their we i you do does did has have had will "
                                "would can could may might who which what when where why how there here than then so if into about over after before between during also only very more most some any no yes ";
    char key[24];
    if (w.n + 2 >= sizeof key) return false;
    key[0] = ' ';
    for (size_t i = 0; i < w.n; i++) key[i + 1] = (char)tolower((unsigned char)w.p[i]);
    key[w.n + 1] = ' ';
    return memmem(small, sizeof small - 1, key, w.n + 2) != NULL;
}
