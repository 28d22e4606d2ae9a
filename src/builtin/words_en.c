/* English number, articles, verbs, units: tables and rules for the built-in writers. */
#include "builtin/words_en.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>

static bool in_list(qn_str w, const char *list) /* list: words between spaces, with a space at both ends */
{
    char key[64];
    if (w.n == 0 || w.n > 60) return false;
    key[0] = ' ';
    for (size_t i = 0; i < w.n; i++) key[i + 1] = (char)tolower((unsigned char)w.p[i]);
    key[w.n + 1] = ' ';
    key[w.n + 2] = 0;
    return strstr(list, key) != NULL;
}

static qn_str last_word(qn_str s)
{
    size_t i = s.n;
    while (i > 0 && s.p[i - 1] != ' ') i--;
    return qn_str_sub(s, i, s.n);
}

static const char *const IRREGULAR[][2] = {
    { "man", "men" }, { "woman", "women" }, { "child", "children" }, { "person", "people" }, { "foot", "feet" },
    { "medium", "media" }, { "datum", "data" }, { "phenomenon", "phenomena" }, { "alumnus", "alumni" },
    { "leaf", "leaves" }, { "runner-up", "runners-up" }, { "half", "halves" }, { "life", "lives" }, { "wife", "wives" },
    { "genus", "genera" }, { "axis", "axes" }, { "crisis", "crises" }, { "index", "indices" }, { "movie", "movies" },
    { "bus", "buses" }, { "gas", "gases" }, { "photo", "photos" }, { "piano", "pianos" },
};
static const char SAME[] = " series species games aircraft spacecraft sheep fish headquarters data gold silver bronze information lens class "
                           "status canvas address process press congress success ";

static qn_str with_last(qn_arena *a, qn_str noun, qn_str last, const char *new_last)
{
    return qn_arena_printf(a, "%.*s%s", (int)(noun.n - last.n), noun.p, new_last);
}

/* "country at the mouth": the head stands before the preposition. 0: no preposition. */
static size_t head_end(qn_str s)
{
    static const char *const PREP[] = { " of ", " at ", " in ", " from ", " by ", " for ", " on " };
    ptrdiff_t best = 0;
    for (size_t i = 0; i < sizeof PREP / sizeof *PREP; i++) {
        ptrdiff_t at = qn_str_find(s, qn_str_of(PREP[i]));
        if (at > 0 && (best == 0 || at < best)) best = at;
    }
    return (size_t)best;
}

qn_str qn_en_plural(qn_arena *a, qn_str noun)
{
    size_t head = head_end(noun);
    if (head) {
        qn_str h = qn_en_plural(a, qn_str_sub(noun, 0, head));
        return qn_arena_printf(a, "%.*s%.*s", QN_FMT(h), (int)(noun.n - head), noun.p + head);
    }
    qn_str w = last_word(noun);
    for (size_t i = 0; i < sizeof IRREGULAR / sizeof *IRREGULAR; i++)
        if (qn_str_ieq(w, qn_str_of(IRREGULAR[i][0]))) return with_last(a, noun, w, IRREGULAR[i][1]);
    if (w.n == 0 || in_list(w, " series species games aircraft spacecraft sheep fish headquarters data people media ")) return noun;
    if (qn_en_is_plural(w)) return noun;
    char c = w.p[w.n - 1], b = w.n > 1 ? w.p[w.n - 2] : 'a';
    if (c == 'y' && !strchr("aeiou", b)) return qn_arena_printf(a, "%.*sies", (int)(noun.n - 1), noun.p);
    if (c == 's' || c == 'x' || c == 'z' || (c == 'h' && (b == 's' || b == 'c'))) return qn_arena_printf(a, "%.*ses", QN_FMT(noun));
    return qn_arena_printf(a, "%.*ss", QN_FMT(noun));
}

bool qn_en_is_plural(qn_str noun)
{
    qn_str w = last_word(noun);
    for (size_t i = 0; i < sizeof IRREGULAR / sizeof *IRREGULAR; i++)
        if (qn_str_ieq(w, qn_str_of(IRREGULAR[i][1]))) return true;
    if (w.n < 3 || w.p[w.n - 1] != 's' || in_list(w, SAME)) return false;
    if (qn_str_ends(w, QN_STR("ss")) || qn_str_ends(w, QN_STR("us")) || qn_str_ends(w, QN_STR("is"))) return false;
    return true;
}

qn_str qn_en_singular(qn_arena *a, qn_str noun)
{
    if (qn_str_ends(noun, QN_STR("(s)"))) return qn_str_trim(qn_str_sub(noun, 0, noun.n - 3));
    qn_str w = last_word(noun);
    for (size_t i = 0; i < sizeof IRREGULAR / sizeof *IRREGULAR; i++)
        if (qn_str_ieq(w, qn_str_of(IRREGULAR[i][1]))) return with_last(a, noun, w, IRREGULAR[i][0]);
    if (!qn_en_is_plural(w)) return noun;
    if (qn_str_ends(w, QN_STR("ies")) && w.n > 4) return qn_arena_printf(a, "%.*sy", (int)(noun.n - 3), noun.p);
    if (qn_str_ends(w, QN_STR("sses")) || qn_str_ends(w, QN_STR("xes")) || qn_str_ends(w, QN_STR("ches")) || qn_str_ends(w, QN_STR("shes")))
        return qn_str_sub(noun, 0, noun.n - 2);
    return qn_str_sub(noun, 0, noun.n - 1);
}

const char *qn_en_article(qn_str word)
{
    static const char *const AN[] = { "hour", "honest", "honour", "heir", "mp", "fa ", "nba", "nfl", "x-" };
    static const char *const A[] = { "uni", "use", "usu", "eu", "one", "once", "ubi", "u-", "uk", "us " };
    char lo[8] = { 0 };
    for (size_t i = 0; i < 7 && i < word.n; i++) lo[i] = (char)tolower((unsigned char)word.p[i]);
    for (size_t i = 0; i < sizeof AN / sizeof *AN; i++) if (strncmp(lo, AN[i], strlen(AN[i])) == 0) return "an";
    for (size_t i = 0; i < sizeof A / sizeof *A; i++)
        if (strncmp(lo, A[i], strlen(A[i])) == 0 && strncmp(lo, "unin", 4) && strncmp(lo, "unim", 4)) return "a";
    if (lo[0] == '8') return "an";
    if (lo[0] == '1' && (lo[1] == '1' || lo[1] == '8') && !isdigit((unsigned char)lo[2])) return "an";
    return lo[0] && strchr("aeiou", lo[0]) ? "an" : "a";
}

static const char *const AGENT[][2] = {
    { "discoverer", "discovered" }, { "designer", "designed" }, { "director", "directed" }, { "writer", "written" }, { "author", "written" },
    { "producer", "produced" }, { "builder", "built" }, { "developer", "developed" }, { "manufacturer", "made" }, { "publisher", "published" },
    { "founder", "founded" }, { "architect", "designed" }, { "inventor", "invented" }, { "composer", "composed" }, { "owner", "owned" },
    { "operator", "operated" }, { "sponsor", "sponsored" }, { "creator", "created" }, { "painter", "painted" }, { "engineer", "engineered" },
    { "editor", "edited" }, { "translator", "translated" }, { "sculptor", "sculpted" }, { "distributor", "distributed" }, { "maker", "made" },
    { "illustrator", "illustrated" },
};

const char *qn_en_agent_verb(qn_str noun)
{
    for (size_t i = 0; i < sizeof AGENT / sizeof *AGENT; i++)
        if (qn_str_ieq(noun, qn_str_of(AGENT[i][0]))) return AGENT[i][1];
    return NULL;
}

bool qn_en_is_participle(qn_str w)
{
    return in_list(w, " founded built opened closed completed established launched released published commissioned decommissioned abolished "
                      "elected appointed introduced discovered invented created designed directed written produced developed signed "
                      "demolished constructed formed dissolved issued recorded hosted held incorporated inaugurated named renamed ordained "
                      "consecrated drafted inducted ordered laid sunk scrapped decided listed notified awarded begun started finished "
                      "adopted enacted ratified composed premiered broadcast aired filmed owned operated made manufactured edited first "
                      "dedicated acquired sold retired chartered admitted settled born killed filled repealed ");
}

static const char *const UNIT[][2] = {
    { "km", "kilometres" }, { "m", "metres" }, { "ft", "feet" }, { "mi", "miles" }, { "miles", "miles" }, { "cm", "centimetres" },
    { "mm", "millimetres" }, { "kg", "kilograms" }, { "lb", "pounds" }, { "lbs", "pounds" }, { "t", "tonnes" }, { "tons", "tons" },
    { "tonnes", "tonnes" }, { "°C", "°C" }, { "°F", "°F" }, { "K", "kelvin" }, { "days", "days" }, { "hours", "hours" }, { "min", "minutes" },
    { "minutes", "minutes" }, { "seconds", "seconds" }, { "s", "seconds" }, { "years", "years" }, { "%", "percent" }, { "percent", "percent" },
    { "km²", "square kilometres" }, { "km2", "square kilometres" }, { "sq km", "square kilometres" }, { "sq mi", "square miles" },
    { "mi²", "square miles" }, { "m²", "square metres" }, { "ha", "hectares" }, { "hectares", "hectares" }, { "acres", "acres" },
    { "kW", "kilowatts" }, { "MW", "megawatts" }, { "MHz", "megahertz" }, { "kHz", "kilohertz" }, { "GHz", "gigahertz" }, { "hp", "horsepower" },
    { "mph", "miles per hour" }, { "km/h", "kilometres per hour" }, { "millions", "million" }, { "million", "million" }, { "thousands", "thousand" },
    { "metres", "metres" }, { "meters", "meters" }, { "feet", "feet" }, { "kilometres", "kilometres" }, { "bn", "billion" }, { "billions", "billion" },
    { "people", "people" }, { "inches", "inches" }, { "in", "inches" },
};

const char *qn_en_unit(qn_str unit)
{
    for (size_t i = 0; i < sizeof UNIT / sizeof *UNIT; i++)
        if (qn_str_is(unit, UNIT[i][0])) return UNIT[i][1];
    return NULL;
}

static const char PROPER[] = " sun olympic olympics uk us usa europe africa asia america american european british english french german "
                             "italian spanish irish scottish welsh latin greek roman russian chinese japanese indian billboard grammy oscar january "
                             "february march april june july august september october november december i ii iii iv ";

qn_str qn_en_lower_header(qn_arena *a, qn_str h)
{
    char *out = qn_arena_alloc(a, h.n + 1);
    size_t n = 0, i = 0;
    while (i < h.n) {
        while (i < h.n && isspace((unsigned char)h.p[i])) i++;
        size_t from = i;
        int upper = 0, lower = 0;
        while (i < h.n && !isspace((unsigned char)h.p[i])) {
            if (isupper((unsigned char)h.p[i]) && i > from) upper++;
            if (islower((unsigned char)h.p[i])) lower++;
            i++;
        }
        if (i == from) break;
        if (n) out[n++] = ' ';
        qn_str w = qn_str_sub(h, from, i);
        qn_str bare = w;
        while (bare.n && !isalnum((unsigned char)bare.p[0]) && (unsigned char)bare.p[0] < 128) bare.p++, bare.n--;
        while (bare.n && !isalnum((unsigned char)bare.p[bare.n - 1]) && (unsigned char)bare.p[bare.n - 1] < 128) bare.n--;
        bool keep = (upper > 0 && w.n <= 5) || (upper > 0 && lower > 0) || in_list(bare, PROPER);
        for (size_t k = from; k < i; k++) out[n++] = keep ? h.p[k] : (char)tolower((unsigned char)h.p[k]);
    }
    out[n] = 0;
    return (qn_str){ out, n };
}

qn_str qn_en_number(qn_arena *a, double x, bool group)
{
    char t[64];
    snprintf(t, sizeof t, "%.6f", fabs(x));
    char *dot = strchr(t, '.');
    size_t n = strlen(t);
    while (n > 0 && t[n - 1] == '0') t[--n] = 0;
    if (n > 0 && t[n - 1] == '.') t[--n] = 0;
    size_t whole = dot && (size_t)(dot - t) < n ? (size_t)(dot - t) : n;
    char out[96];
    size_t k = 0;
    if (x < 0) out[k++] = '-';
    for (size_t i = 0; i < n; i++) {
        if (group && whole > 4 && i > 0 && i < whole && (whole - i) % 3 == 0) out[k++] = ',';
        out[k++] = t[i];
    }
    return qn_arena_str(a, (qn_str){ out, k });
}

const char *qn_en_small_number(int n)
{
    static const char *const W[] = { "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve" };
    return n >= 2 && n <= 12 ? W[n - 2] : NULL;
}

qn_str qn_en_ordinal(qn_arena *a, int64_t n)
{
    int64_t t = n % 100, d = n % 10;
    const char *s = t >= 11 && t <= 13 ? "th" : d == 1 ? "st" : d == 2 ? "nd" : d == 3 ? "rd" : "th";
    return qn_arena_printf(a, "%lld%s", (long long)n, s);
}

bool qn_en_takes_the(qn_str s)
{
    static const char *const START[] = { "United ", "Gulf of ", "Bay of ", "Sea of ", "Strait of ", "Republic of ", "Democratic Republic", "Kingdom of ",
                                         "Isle of ", "Battle of ", "Siege of ", "Treaty of ", "University of ", "Soviet Union", "Federated " };
    static const char *const WHOLE[] = { "Netherlands", "Bahamas", "Philippines", "Maldives", "Gambia", "Soviet Union", "Moon", "Alps", "Andes", "Himalayas",
                                         "Pamir", "Karakoram", "Hindu Kush", "Caucasus", "Pyrenees", "Dolomites", "Seychelles", "Comoros", "Euro" };
    static const char *const END[] = { " Republic", " Islands", " Sea", " Ocean", " Emirates", " Channel", " Mountains", " Gulf", " Delta", " Lowlands",
                                       " Straits", " Alps" };
    for (size_t i = 0; i < sizeof START / sizeof *START; i++) if (qn_str_starts(s, qn_str_of(START[i]))) return true;
    for (size_t i = 0; i < sizeof WHOLE / sizeof *WHOLE; i++) if (qn_str_is(s, WHOLE[i])) return true;
    for (size_t i = 0; i < sizeof END / sizeof *END; i++) if (qn_str_ends(s, qn_str_of(END[i]))) return true;
    return false;
}
