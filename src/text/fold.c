/* fold: tables of Latin-1 and Latin Extended-A; Vietnamese and Romanian letters by rule. */
#include "text/fold.h"

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
    else if (c >= 0x410 && c <= 0x42F) return (size_t)qn_utf8_put(c + 32, out);
    else if (c >= 0x400 && c <= 0x40F) return (size_t)qn_utf8_put(c + 80, out);
    else if (c >= 0x391 && c <= 0x3A9) return (size_t)qn_utf8_put(c + 32, out);
    else return (size_t)qn_utf8_put(c, out);
    out[0] = b;
    return 1;
}

size_t qn_fold(qn_str word, char *out, size_t size)
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

bool qn_is_upper(uint32_t c)
{
    if (c < 128) return c >= 'A' && c <= 'Z';
    if (c < 0x180) return (c >= 0xC0 && c <= 0xDE && c != 0xD7) || c == 0x178 ||
        (c >= 0x100 && c != 0x138 && c != 0x149 && c != 0x17F && (((c >= 0x139 && c <= 0x148) || c >= 0x179) ? (c & 1) != 0 : !(c & 1)));
    return (c >= 0x391 && c <= 0x3AB) || (c >= 0x400 && c <= 0x42F) || c == 0x218 || c == 0x21A || c == 0x1A0 || c == 0x1AF
        || (c >= 0x386 && c <= 0x38F) || (c >= 0x1E00 && c <= 0x1EFF && !(c & 1));
}

bool qn_is_letter(uint32_t c)
{
    if (c < 128) return (c | 32) >= 'a' && (c | 32) <= 'z';
    if (c < 0xC0) return c == 0xAA || c == 0xB5 || c == 0xBA;
    return c != 0xD7 && c != 0xF7 && !(c >= 0x2000 && c <= 0x2BFF) && !(c >= 0x2E00 && c <= 0x2E7F) && !(c >= 0x3000 && c <= 0x3004)
        && !(c >= 0x3008 && c <= 0x3020) && !(c >= 0xFE30 && c <= 0xFE6F) && !(c >= 0xFF00 && c <= 0xFF20) && c != 0xFEFF && c != 0xFFFD && c < 0x1F000;
}

void qn_fold_words(qn_map *m, const char *words, char split, uint64_t flag)
{
    char word[64];
    for (const char *w = words; *w;) {
        const char *end = strchrnul(w, split);
        size_t n = qn_fold((qn_str){ w, (size_t)(end - w) }, word, sizeof word);
        if (n) *qn_map_put_str(m, (qn_str){ word, n }, NULL) |= flag;
        w = *end ? end + 1 : end;
    }
}

void qn_fold_list(qn_map *m, const char *const *list, char split, uint64_t flag)
{
    for (; *list; list++) qn_fold_words(m, *list, split, flag);
}
