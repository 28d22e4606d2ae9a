/* langid: scripts, words and letters counted in one walk; cld2 through its C++ names.
 *
 * libcld2 exports C++ functions only. The one used here takes and returns nothing but pointers, ints and bools (its enums are
 * ints), which the Itanium C++ ABI passes exactly as C does, so its mangled name is called as a C function:
 *   CLD2::Language CLD2::ExtDetectLanguageSummary(const char *buffer, int length, bool is_plain_text, const char *tld_hint,
 *       int encoding_hint, CLD2::Language language_hint, CLD2::Language *language3, int *percent3, double *normalized_score3,
 *       int *text_bytes, bool *is_reliable)            and     const char *CLD2::LanguageCode(CLD2::Language)
 * Its version is asked for first, so that a library with other types behind the same names is refused. */
#include "text/langid.h"
#include "core/dl.h"
#include "core/map.h"
#include "core/thread.h"
#include "text/lists/lists.h"
#include "text/unicode.h"

enum { MAX_BYTES = 1 << 16, MAX_LANGS = 64 };

/* ---- cld2 ---- */
enum { CLD2_UNKNOWN_ENCODING = 23, CLD2_UNKNOWN_LANGUAGE = 26 };
static int (*cld2_detect)(const char *, int, bool, const char *, int, int, int *, int *, double *, int *, bool *);
static const char *(*cld2_code)(int);
static const char *(*cld2_version)(void);
static qn_code cld2_rc;
static qn_err cld2_err;

static void open_cld2(void)
{
    static const char *const names[] = { "libcld2.so.0", NULL };
    const qn_sym syms[] = {
        { "_ZN4CLD224ExtDetectLanguageSummaryEPKcibS1_iNS_8LanguageEPS2_PiPdS4_Pb", (void **)&cld2_detect },
        { "_ZN4CLD212LanguageCodeENS_8LanguageE", (void **)&cld2_code },
        { "_ZN4CLD221DetectLanguageVersionEv", (void **)&cld2_version },
        { NULL, NULL },
    };
    cld2_rc = qn_dl(names, syms, "naming languages with cld2", "apt-get install libcld2-0", &cld2_err);
    if (cld2_rc != QN_OK) return;
    if (strncmp(cld2_version(), "V2", 2) != 0 || strcmp(cld2_code(CLD2_UNKNOWN_LANGUAGE), "un") != 0 || strcmp(cld2_code(0), "en") != 0)
        cld2_rc = qn_fail(&cld2_err, QN_EMISSING, "the library libcld2.so.0 here is not the cld2 that quern knows");
}

/* cld2 keeps names that ISO 639 has given up, and marks scripts and countries. */
static void put_code(char out[8], const char *code)
{
    static const char *const renamed[][2] = { { "iw", "he" }, { "in", "id" }, { "ji", "yi" }, { "jw", "jv" }, { "mo", "ro" }, { "nb", "no" }, { "nn", "no" },
                                              { "bs", "hr" }, { "un", "und" }, { "xxx", "und" } };
    size_t n = 0;
    while (n < 7 && code[n] && code[n] != '-') { out[n] = code[n]; n++; }
    out[n] = 0;
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (strcmp(out, renamed[i][0]) == 0) strcpy(out, renamed[i][1]);
    if (out[0] == 'x' && out[1] == 'x') strcpy(out, "und");
}

qn_code qn_langid_cld2(qn_str text, qn_lang *out, bool *reliable, qn_err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_cld2);
    if (cld2_rc != QN_OK) {
        if (e) *e = cld2_err;
        return cld2_rc;
    }
    int language[3], percent[3], n_bytes;
    double score[3];
    bool sure = false;
    size_t n = qn_utf8_cut(text, text.n < MAX_BYTES ? text.n : MAX_BYTES);
    *out = (qn_lang){ .code = "und", .by_cld2 = true };
    if (n == 0 || !qn_utf8_valid(qn_str_sub(text, 0, n))) return QN_OK;     /* cld2 must not see broken UTF-8 */
    int best = cld2_detect(text.p, (int)n, true, NULL, CLD2_UNKNOWN_ENCODING, CLD2_UNKNOWN_LANGUAGE, language, percent, score, &n_bytes, &sure);
    put_code(out->code, cld2_code(best));
    out->confidence = strcmp(out->code, "und") ? percent[0] / 100.0 : 0;
    if (reliable) *reliable = sure;
    return QN_OK;
}

/* ---- words and letters ---- */
typedef enum { LATIN, CYRILLIC, ARABIC, DEVANAGARI, HAN, KANA, SINGLE } script;     /* the first four as in lists.h */

/* Scripts of one language each. */
static const struct { uint32_t from, to; const char *code; } SINGLES[] = {
    { 0x0370, 0x03FF, "el" }, { 0x1F00, 0x1FFF, "el" }, { 0x0530, 0x058F, "hy" }, { 0x0590, 0x05FF, "he" }, { 0x0980, 0x09FF, "bn" },
    { 0x0A00, 0x0A7F, "pa" }, { 0x0A80, 0x0AFF, "gu" }, { 0x0B00, 0x0B7F, "or" }, { 0x0B80, 0x0BFF, "ta" }, { 0x0C00, 0x0C7F, "te" },
    { 0x0C80, 0x0CFF, "kn" }, { 0x0D00, 0x0D7F, "ml" }, { 0x0D80, 0x0DFF, "si" }, { 0x0E00, 0x0E7F, "th" }, { 0x0E80, 0x0EFF, "lo" },
    { 0x0F00, 0x0FFF, "bo" }, { 0x1000, 0x109F, "my" }, { 0x10A0, 0x10FF, "ka" }, { 0x1200, 0x139F, "am" }, { 0x1780, 0x17FF, "km" },
    { 0xAC00, 0xD7AF, "ko" }, { 0x1100, 0x11FF, "ko" }, { 0x3130, 0x318F, "ko" },
};
enum { N_SINGLES = sizeof SINGLES / sizeof *SINGLES };

static qn_map word_langs;                   /* word -> bit set of languages */
static qn_map letter_langs;                 /* code point -> bit set */
static uint64_t script_langs[4];
static unsigned n_langs;

static script script_of(uint32_t c, int *single)
{
    if (c < 0x250 || (c >= 0x1E00 && c <= 0x1EFF)) return LATIN;
    if (c >= 0x400 && c <= 0x52F) return CYRILLIC;
    if ((c >= 0x600 && c <= 0x77F) || (c >= 0xFB50 && c <= 0xFEFC)) return ARABIC;
    if (c >= 0x900 && c <= 0x97F) return DEVANAGARI;
    if (c >= 0x3040 && c <= 0x30FF) return KANA;
    if ((c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF)) return HAN;
    for (int i = 0; i < N_SINGLES; i++)
        if (c >= SINGLES[i].from && c <= SINGLES[i].to) { *single = i; return SINGLE; }
    return LATIN;
}

static uint64_t *letter_place(uint32_t c, bool make)
{
    qn_hash128 k = { 1, c };
    return make ? qn_map_put(&letter_langs, k, NULL) : qn_map_get(&letter_langs, k);
}

static void load_lists(void)
{
    for (const qn_list_language *l = qn_list_languages; l->code; l++) {
        uint64_t bit = 1ull << n_langs++;
        QN_ASSERT(n_langs <= MAX_LANGS);
        script_langs[l->script] |= bit;
        for (const char *w = l->words; *w;) {
            size_t n = strcspn(w, " ");
            *qn_map_put_str(&word_langs, (qn_str){ w, n }, NULL) |= bit;
            w += n + strspn(w + n, " ");
        }
        qn_str letters = qn_str_of(l->letters);
        for (size_t i = 0; i < letters.n;) *letter_place(qn_utf8_next(letters, &i), true) |= bit;
    }
}

typedef struct {
    double score[MAX_LANGS];
    size_t n_letters, by_script[SINGLE], by_single[N_SINGLES];
    int letters_judged, words_judged;
} tally;

static void judge_letter(tally *t, uint32_t c, script s)
{
    uint64_t *set = s <= DEVANAGARI ? letter_place(c, false) : NULL;
    if (!set || t->letters_judged >= 12) return;
    t->letters_judged++;
    int k = __builtin_popcountll(*set);
    for (unsigned i = 0; i < n_langs; i++) {
        if (!(script_langs[s] >> i & 1)) continue;
        t->score[i] += *set >> i & 1 ? 0.3 / k : -0.4;  /* a letter that a language does not write speaks against it */
    }
}

static void judge_word(tally *t, qn_str word)
{
    uint64_t *set = qn_map_get_str(&word_langs, word);
    if (!set || t->words_judged >= 200) return;
    t->words_judged++;
    double k = __builtin_popcountll(*set);
    for (uint64_t left = *set; left; left &= left - 1) t->score[__builtin_ctzll(left)] += word.n == 1 ? 0.5 / k : 1.0 / k + 0.15;
}

static void walk(qn_str text, tally *t)
{
    char word[64];
    size_t n = 0;
    bool too_long = false, start = true, name = false;     /* a capital inside a sentence begins a name: it is not judged */
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i <= text.n;) {
        uint32_t c = i < text.n ? qn_utf8_next(text, &i) : (i++, 0);
        uint32_t raw = c;
        c = qn_cp_lower(c);
        qn_cp_kind kind = qn_cp_class(c);
        bool mark = kind == QN_CP_MARK && n;            /* vowel signs stay in the word */
        if (kind == QN_CP_LETTER || kind == QN_CP_SOLO || mark) {
            int single = 0;
            script s = script_of(c, &single);
            t->n_letters++;
            if (n == 0) { name = raw != c && !start; start = false; }
            if (s == SINGLE) t->by_single[single]++;
            else t->by_script[s]++;
            if (c >= 128) judge_letter(t, c, s);
            if (n + 4 > sizeof word) too_long = true;
            else n += (size_t)qn_utf8_put(c, word + n);
            continue;
        }
        if (c == 0xBF || c == 0xA1) judge_letter(t, c, LATIN);
        if (n && !too_long && !name) judge_word(t, (qn_str){ word, n });
        if (c != ' ' && c != ',' && c != '\'' && c != '-' && c != '(') start = true;
        n = 0;
        too_long = false;
    }
}

static unsigned lang_number(const char *code)
{
    for (unsigned i = 0; i < n_langs; i++)
        if (strcmp(qn_list_languages[i].code, code) == 0) return i;
    return MAX_LANGS;
}

/* The language of a script that has one; NULL when the main script is shared. *chars gets the main script's letters. */
static const char *main_script(const tally *t, script *out, size_t *chars)
{
    size_t best = 0;
    const char *code = NULL;
    for (int s = LATIN; s < SINGLE; s++) {
        size_t n = t->by_script[s] * (s == HAN ? 3 : s == LATIN ? 1 : 2);   /* a Han character says about a word; names are often Latin */
        if (n > best) { best = n; *out = (script)s; *chars = t->by_script[s]; }
    }
    for (int i = 0; i < N_SINGLES; i++)
        if (2 * t->by_single[i] > best) { best = 2 * t->by_single[i]; *out = SINGLE; *chars = t->by_single[i]; code = SINGLES[i].code; }
    if (best == 0) return NULL;
    if (*out == HAN || *out == KANA) {
        *chars = t->by_script[HAN] + t->by_script[KANA];
        return t->by_script[KANA] * 12 > *chars ? "ja" : "zh";
    }
    return *out == SINGLE ? code : NULL;
}

/* Adds cld2's word to the scores when `cld` is given, and picks. */
static qn_lang pick(tally *t, const qn_lang *cld, bool reliable, size_t n_bytes)
{
    qn_lang r = { .code = "und", .by_cld2 = cld != NULL };
    script s = LATIN;
    size_t chars = 0;
    const char *only = main_script(t, &s, &chars);
    if (t->n_letters == 0) return r;
    r.share = (double)chars / (double)t->n_letters;
    bool said = cld && strcmp(cld->code, "und") != 0;
    if (only && (!said || strcmp(cld->code, "ja") || strcmp(only, "zh"))) { /* cld2 may know Japanese without kana */
        bool kin = said && reliable && n_bytes > 60 && strcmp(only, "zh") && strcmp(only, "ja");    /* Yiddish, Assamese, ... */
        put_code(r.code, kin ? cld->code : only);
        r.confidence = r.share;
        return r;
    }
    double weight = !said ? 0 : reliable ? 0.7 + (double)n_bytes / 100 : 0.5, best = 0, second = 0;
    unsigned cld_at = said ? lang_number(cld->code) : MAX_LANGS, at = MAX_LANGS;
    uint64_t here = script_langs[s <= DEVANAGARI ? s : LATIN];
    if (cld_at < MAX_LANGS && qn_list_languages[cld_at].small) weight *= 0.6;
    if (said && reliable && n_bytes > 60 && (cld_at == MAX_LANGS || !(here >> cld_at & 1))) weight *= 2; /* foreign names in a text of another script */
    if (cld_at < MAX_LANGS) t->score[cld_at] += weight;
    for (unsigned i = 0; i < n_langs; i++) {
        if (!(here >> i & 1) && i != cld_at) continue;
        if (qn_list_languages[i].small && n_bytes < 200) t->score[i] -= 0.5;
        if (t->score[i] > best) { second = best; best = t->score[i]; at = i; }
        else if (t->score[i] > second) second = t->score[i];
    }
    if (said && cld_at == MAX_LANGS && weight > best) {     /* a language that is not in our lists */
        strcpy(r.code, cld->code);
        r.confidence = weight / (weight + best);
    } else if (at < MAX_LANGS && best > 0.2) {
        strcpy(r.code, qn_list_languages[at].code);
        r.confidence = best / (best + (second > 0 ? second : 0));
    }
    return r;
}

static void prepare(qn_str *text, tally *t)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_lists);
    if (text->n > MAX_BYTES) text->n = qn_utf8_cut(*text, MAX_BYTES);
    walk(*text, t);
}

qn_lang qn_langid_words(qn_str text)
{
    tally t;
    prepare(&text, &t);
    return pick(&t, NULL, false, text.n);
}

qn_lang qn_langid(qn_str text)
{
    tally t;
    qn_lang cld;
    bool reliable = false;
    prepare(&text, &t);
    bool have = qn_langid_cld2(text, &cld, &reliable, NULL) == QN_OK;
    return pick(&t, have ? &cld : NULL, reliable, text.n);
}
