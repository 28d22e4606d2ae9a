/* lookup: tables of Latin-1 and Latin Extended-A; Vietnamese and Romanian letters by rule. */
#include "text/lookup.h"

/* Base letters of U+00C0..U+017F, lower case. */
static const char BASE[] =
    "aaaaaaaceeeeiiiidnooooo*ouuuuytsaaaaaaaceeeeiiiidnooooo*ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
_Static_assert(sizeof BASE == 0x180 - 0xC0 + 1, "one letter for each code point");

static size_t base_letters(uint32_t c, char out[4])
{
    static const struct { uint32_t c; char two[3]; } pairs[] = {
        { 0xC6, "ae" }, { 0xE6, "ae" }, { 0xDF, "ss" }, { 0xDE, "th" }, { 0xFE, "th" }, { 0x132, "ij" }, { 0x133, "ij" }, { 0x152, "oe" }, { 0x153, "oe" },
    };
    /* Vietnamese, by the last code point of each base letter in U+1EA0..U+1EF9 */
    static const struct { uint32_t last; char base; } vietnamese[] = { { 0x1EB7, 'a' }, { 0x1EC7, 'e' }, { 0x1ECB, 'i' }, { 0x1EE3, 'o' }, { 0x1EF1, 'u' }, { 0x1EF9, 'y' } };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i].c == c) { memcpy(out, pairs[i].two, 2); return 2; }
    char b = 0;
    if (c >= 'A' && c <= 'Z') b = (char)(c + 32);
    else if (c < 128) b = (char)c;
    else if (c >= 0xC0 && c < 0x180) b = BASE[c - 0xC0];
    else if (c == 0x1A0 || c == 0x1A1) b = 'o';
    else if (c == 0x1AF || c == 0x1B0) b = 'u';
    else if (c == 0x218 || c == 0x219) b = 's';
    else if (c == 0x21A || c == 0x21B) b = 't';
    else if (c >= 0x300 && c <= 0x36F) return 0;        /* combining marks */
    else if (c == 0x2019) b = '\'';
    else if (c >= 0x1EA0 && c <= 0x1EF9)
        for (size_t i = 0; !b; i++) b = c <= vietnamese[i].last ? vietnamese[i].base : 0;
    else return (size_t)qn_utf8_put(qn_cp_lower(c), out);
    out[0] = b;
    return 1;
}

size_t qn_lookup_form(qn_str word, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < word.n;) {
        char c[4];
        size_t k = base_letters(qn_utf8_next(word, &i), c);
        if (n + k > size) break;
        memcpy(out + n, c, k);
        n += k;
    }
    return n;
}

void qn_lookup_words(qn_map *m, const char *words, char split, uint64_t flag)
{
    char word[64];
    for (const char *w = words; *w;) {
        const char *end = strchrnul(w, split);
        size_t n = qn_lookup_form((qn_str){ w, (size_t)(end - w) }, word, sizeof word);
        if (n) *qn_map_put_str(m, (qn_str){ word, n }, NULL) |= flag;
        w = *end ? end + 1 : end;
    }
}

void qn_lookup_list(qn_map *m, const char *const *list, char split, uint64_t flag)
{
    for (; *list; list++) qn_lookup_words(m, *list, split, flag);
}
