/* pii_names: people and places by lists and by what stands beside them. */
#include "text/pii_parts.h"
#include "core/thread.h"
#include "text/lookup.h"
#include "text/lists/lists.h"

enum { GIVEN = 1, FAMILY = 2, TITLE = 4, WORD = 8, PLACE = 16, COMMON = 32, PARTICLE = 64, FIRM = 128, PLACE_HEAD = 256, ENDING = 512 };

static qn_map flags_of;         /* folded word -> flags */
static qn_map places;           /* folded phrase -> 1 */

/* Words that make the capitalised words before them a street, a firm or a school. */
static const char FIRMS[] = "street road avenue lane drive boulevard square court place way st rd ave blvd inc incorporated corp corporation ltd llc gmbh company co group bank "
    "university college school institute hospital church airport station park river lake mountain island county city town award prize museum library theatre theater "
    "extensions greens cliffs prairie squares dam crossing meadows heights highway junction motorway overpass parade rapids terrace turnpike viaduct investments partners associates holdings "
    "insurance orchestra club valley basin fault railroad railway period dynasty "
    "foundation association society party act law theorem disease syndrome university's league cup stadium bridge tower hall house records press times post journal";
static const char PARTICLES[] = "van von de der den del della di da dos das la le el al bin ibn ben ter ten af av zu zum y e of";
static const char MORE_COMMON[] = "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december "
    "please thanks thank hello hi dear yes no ok okay sorry today tomorrow yesterday also however although because since while until unless therefore thus hence "
    "let get make give take see show tell find use add write read create explain describe list name compare who's what's it's i'm i've i'll don't can't isn't "
    "he she it they we you who this that these those someone everyone nobody everybody somebody "
    "north south east west new old great god internet english french german spanish chinese bible university company world war";

static void load(void)
{
    qn_lookup_list(&flags_of, qn_list_names_female, ' ', GIVEN);
    qn_lookup_list(&flags_of, qn_list_names_male, ' ', GIVEN);
    qn_lookup_list(&flags_of, qn_list_names_either, ' ', GIVEN);
    qn_lookup_list(&flags_of, qn_list_names_words, ' ', GIVEN | WORD);
    qn_lookup_list(&flags_of, qn_list_family_names, ' ', FAMILY);
    qn_lookup_list(&flags_of, qn_list_titles, ' ', TITLE);
    qn_lookup_words(&flags_of, FIRMS, ' ', FIRM);
    qn_lookup_words(&flags_of, PARTICLES, ' ', PARTICLE);
    qn_lookup_words(&flags_of, MORE_COMMON, ' ', COMMON);
    for (const qn_list_language *l = qn_list_languages; l->code; l++)
        if (strcmp(l->code, "en") == 0) qn_lookup_words(&flags_of, l->words, ' ', COMMON);
    qn_lookup_list(&places, qn_list_cities, '|', 1);
    for (const char *const *c = qn_list_countries; *c; c++) {
        char name[64];
        size_t n = strcspn(*c, "|");
        memcpy(name, *c, n);
        name[n] = 0;
        qn_lookup_words(&places, name, '|', 1);
    }
}

typedef struct { size_t from, to; unsigned flags; bool cap, initial, starts; } token;  /* starts: first of a sentence or line */
typedef struct { token *items; size_t n, cap; } tokens;

static bool has_name_ending(qn_str w)
{
    static const char *const endings[] = { "ova", "eva", "ovich", "evich", "sson", "sdottir", "escu", "opoulos", "poulou", "owski", "ewski", "inski", "owska", "ewska", "inska", "shvili",
                                           "idze", "enko", "ovic", "evic", "sen", "ssen", "quist", "strom", "berg", "stein", "mann", "oglu", "zadeh", "nen", "inen" };
    for (size_t i = 0; w.n >= 6 && i < sizeof endings / sizeof *endings; i++)
        if (qn_str_ends(w, qn_str_of(endings[i]))) return true;
    return false;
}

static token read_token(qn_str s, size_t *at)
{
    token t = { .from = *at };
    size_t i = *at, chars = 0;
    char folded[64];
    while (i < s.n) {
        size_t next = i;
        uint32_t c = qn_utf8_next(s, &next);
        bool joint = (c == '\'' || c == '-' || c == 0x2019) && chars && next < s.n && ((unsigned char)s.p[next] >= 128 || ((s.p[next] | 32) >= 'a' && (s.p[next] | 32) <= 'z'));
        if (!qn_cp_is_letter(c) && !joint && !(c >= 0x300 && c <= 0x36F)) break;
        if (chars == 0) t.cap = qn_cp_is_upper(c);
        chars++;
        i = next;
    }
    t.to = i;
    qn_str w = qn_str_sub(s, t.from, t.to);
    if (w.n > 2 && w.p[w.n - 1] == 's' && w.p[w.n - 2] == '\'') { w.n -= 2; t.to -= 2; }    /* Anna's */
    qn_str f = { folded, qn_lookup_form(w, folded, sizeof folded) };
    uint64_t *known = qn_map_get_str(&flags_of, f);
    t.flags = known ? (unsigned)*known : 0;
    if (t.cap && !(t.flags & ~FAMILY) && has_name_ending(f)) t.flags |= FAMILY | ENDING;
    t.initial = t.cap && chars == 1;
    *at = i;
    return t;
}

static void read_tokens(qn_str s, tokens *out)
{
    bool starts = true;
    for (size_t i = 0; i < s.n;) {
        size_t next = i;
        uint32_t c = qn_utf8_next(s, &next);
        if (!qn_cp_is_letter(c)) {
            if (c == '.' || c == '!' || c == '?' || c == '\n' || c == ':' || c == '"') starts = true;
            if (c == '.' && out->n && (out->items[out->n - 1].initial || out->items[out->n - 1].flags & TITLE) && out->items[out->n - 1].to == i) starts = false;
            i = next;
            continue;
        }
        QN_GROW(out->items, out->n, out->cap);
        token t = read_token(s, &i);
        t.starts = starts;
        starts = false;
        out->items[out->n++] = t;
    }
}

/* Whether the second token follows the first by one space, or ". " after an initial or a title. */
static bool adjoins(qn_str s, const token *a, const token *b)
{
    size_t gap = b->from - a->to;
    if (gap == 1) return s.p[a->to] == ' ' || ((a->initial || a->flags & TITLE) && s.p[a->to] == '.');
    return gap == 2 && s.p[a->to] == '.' && s.p[a->to + 1] == ' ' && (a->initial || a->flags & TITLE);
}

static bool can_be_name(const token *t) { return t->cap && !(t->flags & (COMMON | FIRM | TITLE)); }

/* The last token of a name that begins at i: initials, particles and capitalised words that follow, at most 4 more. */
static size_t name_end(qn_str s, const tokens *t, size_t i)
{
    size_t last = i;
    for (size_t j = i + 1; j < t->n && j <= i + 4; j++) {
        if (!adjoins(s, &t->items[j - 1], &t->items[j])) break;
        if (t->items[j].flags & PARTICLE && !t->items[j].cap) continue;
        if (!can_be_name(&t->items[j])) break;
        last = j;
    }
    return last;
}

static bool firm_follows(qn_str s, const tokens *t, size_t last)
{
    return last + 1 < t->n && t->items[last + 1].flags & FIRM && t->items[last + 1].cap && adjoins(s, &t->items[last], &t->items[last + 1]);
}

/* "my name is", "I am", "called", "Dear": words before i that introduce a person. */
static bool is_introduced(qn_str s, size_t from)
{
    size_t back = from;                         /* "Name:   Abby", "your name? Abby" */
    while (back > 0 && from - back < 12 && (s.p[back - 1] == ' ' || s.p[back - 1] == '\t' || s.p[back - 1] == ':' || s.p[back - 1] == '?')) back--;
    if (from - back >= 2 && back >= 4 && strncasecmp(s.p + back - 4, "name", 4) == 0) return true;
    static const char *const cues[] = { "my name is ", "name is ", "i am ", "i'm ", "name: ", "this is ", "called ", "named ", "dear ", "hi ", "hello ", "hey ", "regards, ", "sincerely, ", "regards,\n", "signed ", "by " };
    for (size_t k = 0; k < sizeof cues / sizeof *cues; k++) {
        size_t n = strlen(cues[k]);
        if (from >= n && strncasecmp(s.p + from - n, cues[k], n) == 0 && (from == n || !((s.p[from - n - 1] | 32) >= 'a' && (s.p[from - n - 1] | 32) <= 'z'))) return true;
    }
    return false;
}

/* One unknown word is a name only right after "name is" and its like; two or more after any introduction. */
static bool is_named(qn_str s, size_t from, bool several)
{
    size_t n = from < 24 ? from : 24;
    char before[25];
    for (size_t k = 0; k < n; k++) before[k] = (char)(s.p[from - n + k] | 32);
    before[n] = 0;
    return several || strstr(before, "name is") || strstr(before, "name:") || strstr(before, "named ") || strstr(before, "call me") || (n > 6 && strstr(before, "name"));
}

/* ---- streets ---- */
static bool is_digit(qn_str s, size_t i) { return i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; }

/* "Peter Street 188", "1737 Peter Street": a number right behind or right before, as a house has. */
static bool is_street(qn_str s, const tokens *t, size_t i, size_t last)
{
    size_t from = t->items[i].from, to = t->items[last].to, n = 0;
    if (to < s.n && s.p[to] == ' ')
        while (is_digit(s, to + 1 + n)) n++;
    bool year = n == 4 && (s.p[to + 1] == '1' || s.p[to + 1] == '2');
    if (n && n <= 5 && !year) return true;
    for (n = 0; from > n + 1 && is_digit(s, from - 2 - n); n++) {}
    year = n == 4 && (s.p[from - 5] == '1' || s.p[from - 5] == '2');
    return n && n <= 5 && !year && s.p[from - 1] == ' ';
}

/* ---- lines ---- [from, to) of the line around byte i, without spaces at its ends; of the one before or behind it that is not blank */
typedef struct { size_t from, to; } line;
static line line_at(qn_str s, size_t i)
{
    line l = { i, i };
    while (l.from > 0 && s.p[l.from - 1] != '\n') l.from--;
    while (l.to < s.n && s.p[l.to] != '\n') l.to++;
    while (l.from < l.to && (s.p[l.from] == ' ' || s.p[l.from] == '\t' || s.p[l.from] == '>')) l.from++;
    while (l.to > l.from && (s.p[l.to - 1] == ' ' || s.p[l.to - 1] == '\r' || s.p[l.to - 1] == ',')) l.to--;
    return l;
}
static line line_before(qn_str s, line l)
{
    size_t i = l.from;
    do {
        while (i > 0 && s.p[i - 1] != '\n') i--;
        if (i == 0) return (line){ 0, 0 };
        l = line_at(s, --i);
    } while (l.from == l.to);
    return l;
}
static line line_behind(qn_str s, line l)
{
    size_t i = l.to;
    do {
        while (i < s.n && s.p[i] != '\n') i++;
        if (i == s.n) return (line){ s.n, s.n };
        l = line_at(s, ++i);
    } while (l.from == l.to);
    return l;
}
static bool has_digit(qn_str s, line l)
{
    for (size_t i = l.from; i < l.to; i++) if (is_digit(s, i)) return true;
    return false;
}

/* The run of capitalised words i.. when it is all that its line holds; SIZE_MAX else. */
static size_t whole_line(qn_str s, const tokens *t, size_t i, line *l)
{
    size_t last = name_end(s, t, i);
    if (!memchr(s.p, '\n', s.n) || !can_be_name(&t->items[i])) return SIZE_MAX;
    *l = line_at(s, t->items[i].from);
    return l->from == t->items[i].from && l->to == t->items[last].to ? last : SIZE_MAX;
}

/* The head of an address: a line of two to four such words, and a number at the start of the next. */
static size_t addressee(qn_str s, const tokens *t, size_t i)
{
    line l;
    size_t last = whole_line(s, t, i, &l);
    if (last == SIZE_MAX || last == i || last > i + 3) return SIZE_MAX;
    return is_digit(s, line_behind(s, l).from) && !has_digit(s, line_before(s, l)) ? last : SIZE_MAX;
}

/* A town in an address: alone on its line between two lines with numbers, the upper one a street's. */
static size_t town_line(qn_str s, const tokens *t, size_t i)
{
    line l;
    size_t last = whole_line(s, t, i, &l);
    if (last == SIZE_MAX || last > i + 3) return SIZE_MAX;
    line up = line_before(s, l), down = line_behind(s, l);
    for (int k = 0; k < 2 && !has_digit(s, down) && down.to - down.from <= 3 && down.to < s.n; k++) down = line_behind(s, down);      /* a state between town and code */
    return has_digit(s, up) && has_digit(s, down) ? last : SIZE_MAX;
}

/* ---- what is said of places, and of nothing else ---- */
static bool ends_with_word(qn_str s, size_t at, const char *cue)
{
    size_t n = strlen(cue);
    return at >= n && strncasecmp(s.p + at - n, cue, n) == 0 && (at == n || !((s.p[at - n - 1] | 32) >= 'a' && (s.p[at - n - 1] | 32) <= 'z'));
}

/* "lives in X", "originally from X", "address: 5 Long Street 12, X". */
static bool is_placed(qn_str s, const tokens *t, size_t i)
{
    static const char *const cues[] = { "live in ", "lives in ", "lived in ", "living in ", "based in ", "grew up in ", "born in ", "raised in ", "resides in ", "residing in ", "located in ", "settled in ", "moved to ",
                                        "moved here from ", "moved from ", "originally from ", "flew to ", "flies to ", "travelled to ", "traveled to ", "trip to ", "holiday in ", "vacation in ", "resident of ", "native of ",
                                        "the city of ", "the town of ", "the village of ", "suburb of ", "municipality of ", "mayor of ", "people of ", "street in ", "year in " };
    size_t from = t->items[i].from;
    for (size_t k = 0; k < sizeof cues / sizeof *cues; k++)
        if (ends_with_word(s, from, cues[k])) return true;
    if (i == 0 || from < 3 || s.p[from - 1] != ' ' || s.p[from - 2] != ',') return false;
    const token *street = &t->items[i - 1];
    size_t at = street->to + 1;
    if (street->flags & COMMON || at >= from || s.p[street->to] != ' ' || !is_digit(s, at)) return false;
    while (is_digit(s, at)) at++;
    if (at + 2 != from) return false;
    for (size_t k = street->from; k > 0 && street->from - k < 70; k--)          /* "at 12", "address" before it */
        if (ends_with_word(s, k, "address") || (is_digit(s, k) && (ends_with_word(s, k, "at ") || ends_with_word(s, k, "to ")))) return true;
    return false;
}

/* "my son X", "his wife X". */
static bool is_kin(qn_str s, size_t from)
{
    static const char *const kin[] = { "son ", "daughter ", "kid ", "child ", "wife ", "husband ", "brother ", "sister ", "mother ", "father ", "aunt ", "uncle ", "cousin ", "nephew ", "niece ", "friend ", "boss ", "colleague ",
                                       "neighbour ", "neighbor ", "partner ", "grandson ", "granddaughter ", "grandmother ", "grandfather ", "roommate ", "girlfriend ", "boyfriend ", "fiancee ", "fiance " };
    static const char *const whose[] = { "my ", "his ", "her ", "our ", "your ", "their " };
    for (size_t k = 0; k < sizeof kin / sizeof *kin; k++)
        for (size_t w = 0; ends_with_word(s, from, kin[k]) && w < sizeof whose / sizeof *whose; w++)
            if (ends_with_word(s, from - strlen(kin[k]), whose[w])) return true;
    return false;
}

/* Verbs and nouns that follow people and nothing else. */
static bool is_followed_as_person(qn_str s, size_t to)
{
    static const char *const after[] = { " lives in ", " lives at ", " lives on ", " lived in ", " was born ", " grew up ", " spent a year ", " began writing ", " married ", "'s wife", "'s husband", "'s mother", "'s father", "'s brother",
                                         "'s sister", "'s killer", "'s birthday", "'s parents", "'s son ", "'s daughter", ", can i please", ", can you please", ", could you please", ", would you please" };
    for (size_t k = 0; k < sizeof after / sizeof *after; k++)
        if (to + strlen(after[k]) <= s.n && strncasecmp(s.p + to, after[k], strlen(after[k])) == 0) return true;
    return false;
}

/* Two or more words of which one has letters that English has not ("Esat Jeknić"), inside a text in English. */
static bool is_foreign(qn_str s, const tokens *t, size_t i, size_t last)
{
    static const char *const letters = "čćšžđłńśźżőűřěůňťďğşıțșãõñåøæðþőœ";
    bool foreign = false;
    if (last == i || last > i + 3) return false;
    for (size_t at = t->items[i].from; at < t->items[last].to;) {
        size_t was = at;
        uint32_t c = qn_utf8_next(s, &at);
        if (c >= 0x370) return false;                       /* another script: names have no capitals of their own there, or all words have */
        if (c >= 0x80) foreign |= memmem(letters, strlen(letters), s.p + was, at - was) != NULL;
    }
    return foreign;
}

/* "Efimiya, Mary and Teresa": alone between commas beside two given names of the list. */
static bool is_listed(qn_str s, const tokens *t, size_t i)
{
    size_t n = 0;
    for (int way = -1; way <= 1; way += 2) {
        for (size_t j = i; (way < 0 ? j > 0 : j + 1 < t->n);) {
            size_t a = way < 0 ? j - 1 : j, k = way < 0 ? j - 1 : j + 1;
            qn_str gap = qn_str_sub(s, t->items[a].to, t->items[a + 1].from);
            if (way < 0 && t->items[k].to - t->items[k].from == 3 && strncmp(s.p + t->items[k].from, "and", 3) == 0 && k > 0) { j = k; continue; }
            if (way > 0 && t->items[k].to - t->items[k].from == 3 && strncmp(s.p + t->items[k].from, "and", 3) == 0 && qn_str_is(gap, " ")) { j = k; continue; }
            bool comma = qn_str_is(gap, ", ") || (qn_str_is(gap, " ") && (!t->items[j].cap));
            if (!comma || !can_be_name(&t->items[k])) break;
            n += (t->items[k].flags & (GIVEN | WORD)) == GIVEN;
            j = k;
        }
    }
    return n >= 2;
}

/* The last token of a place that begins at i; SIZE_MAX when there is none. */
static size_t place_end(qn_str s, const tokens *t, size_t i)
{
    char folded[64];
    for (size_t k = 3; k-- > 0;) {
        size_t j = i + k;
        if (j >= t->n || t->items[j].to - t->items[i].from >= sizeof folded) continue;
        bool joined = true;
        for (size_t m = i; m < j; m++) joined &= adjoins(s, &t->items[m], &t->items[m + 1]);
        if (!joined) continue;
        size_t n = qn_lookup_form(qn_str_sub(s, t->items[i].from, t->items[j].to), folded, sizeof folded);
        if (qn_map_get_str(&places, (qn_str){ folded, n })) return j;
    }
    return SIZE_MAX;
}

/* Whether the tokens i..last are a person, judged by lists and neighbours. */
static bool is_person(qn_str s, const tokens *t, size_t i, size_t last)
{
    const token *a = &t->items[i];
    bool several = last > i, family = false, given_later = false;
    for (size_t j = i + 1; j <= last; j++) { family |= (t->items[j].flags & FAMILY) != 0; given_later |= (t->items[j].flags & GIVEN) != 0; }
    if (firm_follows(s, t, last) || is_street(s, t, i, last)) return false;
    if (!several && (ends_with_word(s, a->from, "San ") || ends_with_word(s, a->from, "Santa ") || ends_with_word(s, a->from, "Saint "))) return false;     /* towns */
    bool unknown = !(a->flags & PARTICLE) && place_end(s, t, i) == SIZE_MAX;
    if (unknown && (is_kin(s, a->from) || is_followed_as_person(s, t->items[last].to) || is_listed(s, t, i) || (is_foreign(s, t, i, last) && !is_placed(s, t, i)))) return true;
    if (a->flags & GIVEN) {
        if (several) return !(a->flags & WORD) || family || given_later || !a->starts;
        return !(a->flags & WORD) || (is_introduced(s, a->from) && place_end(s, t, i) == SIZE_MAX);
    }
    if (several && family && !(a->flags & PARTICLE) && place_end(s, t, i) == SIZE_MAX) return true;
    if (last == i + 2 && t->items[i + 1].initial && !a->initial && place_end(s, t, i) == SIZE_MAX) return true;    /* Xyz Q. Abc */
    if (is_introduced(s, a->from) && !(a->flags & PARTICLE) && is_named(s, a->from, several) && place_end(s, t, i) == SIZE_MAX) return true;
    return a->flags & ENDING && !a->starts;
}

static void put(qn_pii_spans *out, qn_pii_kind kind, const tokens *t, size_t i, size_t last)
{
    QN_GROW(out->items, out->n, out->cap);
    out->items[out->n++] = (qn_pii_span){ kind, t->items[i].from, t->items[last].to };
}

void qn_pii_find_names(qn_str s, unsigned kinds, qn_pii_spans *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    tokens t = {0};
    pthread_once(&once, load);
    read_tokens(s, &t);
    for (size_t i = 0; i < t.n; i++) {
        const token *a = &t.items[i];
        if (!a->cap) {                          /* "naomi ryan": both in the lists, neither a word */
            bool pair = a->flags == GIVEN && i + 1 < t.n && t.items[i + 1].flags == FAMILY && !t.items[i + 1].cap && adjoins(s, a, &t.items[i + 1]);
            if (pair && kinds >> QN_PII_NAME & 1) put(out, QN_PII_NAME, &t, i, i + 1);
            i += pair;
            continue;
        }
        if (a->flags & TITLE && i + 1 < t.n && adjoins(s, a, &t.items[i + 1]) && can_be_name(&t.items[i + 1])) {
            size_t last = name_end(s, &t, i + 1);
            if (kinds >> QN_PII_NAME & 1 && !firm_follows(s, &t, last)) put(out, QN_PII_NAME, &t, i + 1, last);
            i = last;
            continue;
        }
        size_t place = place_end(s, &t, i), last = can_be_name(a) ? name_end(s, &t, i) : i, head = addressee(s, &t, i), town = head == SIZE_MAX ? town_line(s, &t, i) : SIZE_MAX;
        if (town == SIZE_MAX && can_be_name(a) && last <= i + 2 && is_placed(s, &t, i)) town = last;
        if (head != SIZE_MAX || (town != SIZE_MAX && place == SIZE_MAX)) {
            if (head != SIZE_MAX && kinds >> QN_PII_NAME & 1) put(out, QN_PII_NAME, &t, i, head);
            if (head == SIZE_MAX && kinds >> QN_PII_PLACE & 1) put(out, QN_PII_PLACE, &t, i, town);
            i = head != SIZE_MAX ? head : town;
            continue;
        }
        if (can_be_name(a) && (place == SIZE_MAX || last > place) && is_person(s, &t, i, last)) {
            if (kinds >> QN_PII_NAME & 1) put(out, QN_PII_NAME, &t, i, last);
            i = last;
        } else if (place != SIZE_MAX) {
            if (kinds >> QN_PII_PLACE & 1) put(out, QN_PII_PLACE, &t, i, place);
            i = place;
        }
    }
    qn_free(t.items);
}
