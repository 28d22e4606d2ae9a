/* Sentences about the main entity as words and marks; at each name, the relation whose words stand in front of it. A side clause ends the reading. */
#include "builtin/relations.h"
#include "core/err.h"
#include "text/sentences.h"
#include <ctype.h>
#include <strings.h>

enum { MAX_WORDS = 90, NAME_WORDS = 8 };

typedef struct { qn_str w[MAX_WORDS]; size_t n; } sent;
typedef struct { qn_arena *a; qn_facts *out; qn_str passage; sent s; bool about, first; } reader;

/* Who may be spoken of, and who may be named. */
typedef enum { ANY, PERSON, THING, WORK, PLACE } sort;

typedef struct {
    const char *cue;            /* the words in front of the name: choices split by |, words by spaces; small letters */
    sort about, names;
    const char *question;       /* {a}: the main entity, {c}: the cue's word that was met */
    const char *describe;       /* {y}: what the name is of; NULL: not said */
    bool loose;                 /* words in small letters and nations may stand between cue and name: "by the American band X" */
} relation;

static const relation TABLE[] = {
    { "directed by|film by|movie by", THING, PERSON, "Who directed {a}?", "the director of {a}", true },
    { "written by|novel by|book by|poem by|play by|story by|memoir by|novella by|series by|comic by|manga by", THING, PERSON, "Who wrote {a}?", "the author of {a}", true },
    { "produced by", THING, PERSON, "Who produced {a}?", "the producer of {a}", true },
    { "composed by|music by|score by|opera by|ballet by", THING, PERSON, "Who composed the music of {a}?", "the composer of {a}", true },
    { "created by", THING, PERSON, "Who created {a}?", "the creator of {a}", true },
    { "developed by", THING, THING, "Who developed {a}?", "the developer of {a}", true },
    { "published by", THING, ANY, "Who published {a}?", "the publisher of {a}", true },
    { "distributed by", THING, THING, "Who distributed {a}?", "the distributor of {a}", true },
    { "released by|released through|released via|released on", WORK, THING, "Which company released {a}?", "the {y} that released {a}", true },
    { "starring|stars|film starring", THING, PERSON, "Which actor stars in {a}?", "the star of {a}", true },
    { "song by|single by|album by|ep by|track by|soundtrack by|mixtape by|song of|album of|performed by|recorded by|sung by", THING, ANY, "Who performed {a}?", "the performer of {a}", true },
    { "painting by|sculpture by|painted by", THING, PERSON, "Who made {a}?", "the artist who made {a}", true },
    { "studio album|debut album|second album|third album|fourth album|fifth album|sixth album|compilation album|from the album|album entitled|album titled", WORK, WORK, "On which album is {a}?", "the album that includes {a}", true },
    { "novel|book|play|based on", WORK, WORK, "On what is {a} based?", "the work on which {a} is based", false },
    { "sequel to|prequel to", THING, WORK, "To what is {a} a {c}?", "the {y} to which {a} is a {c}", true },
    { "remake of|adaptation of|spin-off of|parody of|version of|episode of|season of", THING, WORK, "Of what is {a} a {c}?", "the {y} of which {a} is a {c}", true },
    { "character in|character on|character from", ANY, WORK, "In what does {a} appear?", "the {y} in which {a} appears", true },
    { "owned by", THING, ANY, "Who owns {a}?", "the owner of {a}", true },
    { "operated by|run by|managed by", THING, ANY, "Who operates {a}?", "the operator of {a}", true },
    { "founded by|established by|formed by", THING, PERSON, "Who founded {a}?", "the founder of {a}", true },
    { "designed by", THING, PERSON, "Who designed {a}?", "the designer of {a}", true },
    { "built by|manufactured by|made by|produced by", THING, THING, "Who built {a}?", "the builder of {a}", true },
    { "invented by|discovered by|described by", THING, PERSON, "Who {c} {a}?", "the person who {c} {a}", true },
    { "subsidiary of|division of|imprint of", THING, THING, "Of which company is {a} a {c}?", "the company of which {a} is a {c}", true },
    { "named after|named for", ANY, ANY, "After what was {a} named?", "the {y} after which {a} was named", true },
    { "broadcast on|aired on|airs on|airing on|premiered on", THING, THING, "On which network was {a} shown?", "the network on which {a} was shown", true },
    { "born in|born at", PERSON, PLACE, "Where was {a} born?", "the {y} where {a} was born", false },
    { "raised in|grew up in", PERSON, PLACE, "Where did {a} grow up?", "the {y} where {a} grew up", false },
    { "died in|died at", PERSON, PLACE, "Where did {a} die?", "the {y} where {a} died", false },
    { "buried in|buried at", PERSON, PLACE, "Where is {a} buried?", "the {y} where {a} is buried", false },
    { "lived in|lives in|resides in|living in", PERSON, PLACE, "Where did {a} live?", "the {y} where {a} lived", false },
    { "moved to|emigrated to", PERSON, PLACE, "Where did {a} move?", "the {y} to which {a} moved", false },
    { "plays for|playing for", PERSON, THING, "For which team does {a} play?", "the {y} for which {a} plays", true },
    { "played for|played with", PERSON, THING, "For which team did {a} play?", "the {y} for which {a} played", true },
    { "member of", ANY, THING, "Of what is {a} a member?", "the {y} of which {a} is a member", true },
    { "frontman of|frontman for|singer of|singer for|vocalist of|vocalist for|guitarist of|guitarist for|bassist of|bassist for|drummer of|drummer for|founder of|co-founder of|keyboardist of", PERSON, THING, "Of what was {a} the {c}?", "the {y} of which {a} was the {c}", true },
    { "son of|daughter of|child of", PERSON, PERSON, "Who was a parent of {a}?", "the parent of {a}", true },
    { "brother of|sister of", PERSON, PERSON, "Who was a sibling of {a}?", "the sibling of {a}", true },
    { "father of|mother of", PERSON, PERSON, "Who was a child of {a}?", "the child of {a}", true },
    { "wife of|husband of|consort of|widow of|married to|married|wife|husband", PERSON, PERSON, "Whom did {a} marry?", "the spouse of {a}", true },
    { "studied at|attended|graduated from|educated at|alumnus of|degree from", PERSON, THING, "Which school did {a} attend?", "the {y} that {a} attended", true },
    { "taught at|professor at|lecturer at|worked at", PERSON, THING, "Where did {a} teach?", "the {y} where {a} taught", true },
    { "coach of|manager of|captain of", PERSON, THING, "Which team had {a} as its {c}?", "the {y} that had {a} as its {c}", true },
    { "king of|queen of|emperor of|duke of|count of|bishop of|archbishop of|mayor of|governor of|president of|premier of|prime minister of|chairman of|ceo of|senator from|senator for|ruler of", PERSON, THING, "Of what was {a} {c}?", "the {y} of which {a} was {c}", true },
    { "served in|served with|fought in", PERSON, THING, "In what did {a} serve?", "the {y} in which {a} served", true },
    { "won the|won an|won a|received the|awarded the", ANY, THING, "What did {a} win?", "the {y} that {a} won", false },
    { "located in|situated in|found in|stands in|lies in|located on|located at|located near", THING, PLACE, "Where is {a} located?", "the {y} where {a} is located", false },
    { "village in|town in|city in|municipality in|commune in|district in|community in|settlement in|parish in|hamlet in|suburb in|neighborhood in|neighbourhood in|river in|lake in|mountain in|island in|school in|university in|college in|park in|museum in|church in|station in|"
      "airport in|building in|stadium in|bridge in|castle in|hospital in|cemetery in|place in|region in|province in|county in|township in|area in|hotel in|prison in|theatre in|mall in", THING, PLACE, "Where is {a} located?", "the {y} where {a} is located", false },
    { "suburb of|district of|borough of|part of|region of|neighborhood of|neighbourhood of|municipality of|county of|province of|village of|island of|department of", THING, PLACE, "Of what is {a} a {c}?", "the {y} of which {a} is a {c}", true },
    { "capital of|seat of|capital city of", THING, PLACE, "Of what is {a} the {c}?", "the {y} of which {a} is the {c}", true },
    { "tributary of", THING, THING, "Of which river is {a} a tributary?", "the river of which {a} is a tributary", true },
    { "based in|headquartered in|headquarters in", THING, PLACE, "Where is {a} based?", "the {y} where {a} is based", false },
    { "band from|group from|duo from|trio from|rapper from|singer from|footballer from|politician from|artist from|quartet from", ANY, PLACE, "Where is {a} from?", "the {y} where {a} comes from", false },
    { "formed in|founded in|established in|originated in", THING, PLACE, "Where was {a} founded?", "the {y} where {a} was founded", false },
    { "filmed in|shot in|set in", THING, PLACE, "Where was {a} {c}?", "the {y} where {a} was {c}", false },
    { "held in|held at|hosted by", THING, PLACE, "Where was {a} held?", "the {y} where {a} was held", false },
    { "endemic to|native to", THING, PLACE, "To what place is {a} {c}?", "the {y} to which {a} is {c}", false },
};

/* Times: the words in front of a date. */
static const struct { const char *cue; sort about; const char *question, *property; } TIMES[] = {
    { "founded in|established in|formed in|founded on|established on|formed on", THING, "When was {a} founded?", "founded" },
    { "released in|released on", THING, "When was {a} released?", "released" },
    { "published in|published on", THING, "When was {a} published?", "published" },
    { "opened in|opened on", THING, "When did {a} open?", "opened" },
    { "premiered in|premiered on|debuted on|aired on", THING, "When was {a} first shown?", NULL },
    { "built in|constructed in|completed in", THING, "When was {a} built?", "built" },
};

static const char NATIONS[] =
    " American British English Scottish Welsh Irish French German Italian Spanish Portuguese Dutch Belgian Swiss Austrian Danish Swedish Norwegian Finnish Icelandic Polish Czech Hungarian Romanian Bulgarian "
    "Greek Turkish Russian Soviet Ukrainian Serbian Croatian Israeli Egyptian Iranian Indian Pakistani Chinese Japanese Korean South Thai Filipino Australian Canadian Mexican Cuban Brazilian Argentine Chilean "
    "Colombian Nigerian Bollywood Hollywood Disney Broadway Academy Grammy ";

/* ---- words ---- */
static bool is_mark(qn_str w) { return w.n == 1 && strchr(",;:()\".", w.p[0]) != NULL; }
static bool capital(qn_str w) { return w.n && (isupper((unsigned char)w.p[0]) || (unsigned char)w.p[0] >= 0xC3) && !is_mark(w); }
static bool in(qn_str w, const char *list)
{
    char key[48];
    if (w.n == 0 || w.n > 40) return false;
    key[0] = ' ';
    memcpy(key + 1, w.p, w.n);
    key[w.n + 1] = ' ';
    key[w.n + 2] = 0;
    return strstr(list, key) != NULL;
}
static bool digits(qn_str w)
{
    for (size_t i = 0; i < w.n; i++) if (!isdigit((unsigned char)w.p[i]) && w.p[i] != ',') return false;
    return w.n > 0 && isdigit((unsigned char)w.p[0]) && isdigit((unsigned char)w.p[w.n - 1]);
}
static bool year(qn_str w) { return w.n == 4 && digits(w) && (w.p[0] == '1' || w.p[0] == '2'); }
static bool month(qn_str w) { return in(w, " January February March April May June July August September October November December "); }

static void split(qn_str t, sent *s)
{
    size_t i = 0, end = t.n;
    s->n = 0;
    while (end && strchr(".!? ", t.p[end - 1])) end--;
    while (i < end && s->n < MAX_WORDS) {
        if (isspace((unsigned char)t.p[i])) { i++; continue; }
        size_t from = i;
        if (strchr(",;:()\"", t.p[i])) i++;
        else while (i < end && !isspace((unsigned char)t.p[i]) && !strchr(";:()\"", t.p[i]) && !(t.p[i] == ',' && !(i + 1 < end && isdigit((unsigned char)t.p[i + 1])))) i++;
        s->w[s->n++] = qn_str_sub(t, from, i);
    }
}

static qn_str span(const sent *s, size_t from, size_t to) { return (qn_str){ s->w[from].p, (size_t)(s->w[to - 1].p + s->w[to - 1].n - s->w[from].p) }; }

/* A name at word i: capitalised words, small words inside; or what stands between quotation marks. Its end in *to; false: none. */
static bool name_at(const sent *s, size_t i, size_t *from, size_t *to)
{
    if (i >= s->n) return false;
    if (s->w[i].n == 1 && s->w[i].p[0] == '"') {
        size_t k = i + 1;
        while (k < s->n && k < i + 2 + NAME_WORDS && !(s->w[k].n == 1 && s->w[k].p[0] == '"')) k++;
        if (k >= s->n || k == i + 1 || k == i + 2 + NAME_WORDS) return false;
        *from = i + 1;
        *to = k;
        return true;
    }
    size_t k = i;
    while (k < s->n && k < i + NAME_WORDS) {
        if (capital(s->w[k]) && !month(s->w[k])) { k++; continue; }
        if (k > i && (in(s->w[k], " of de von van der del della da di la le du & ") || (in(s->w[k], " the ") && qn_str_is(s->w[k - 1], "of")))) {
            if (k + 1 < s->n && (capital(s->w[k + 1]) || in(s->w[k + 1], " the der la "))) { k++; continue; }
        }
        if (k > i && digits(s->w[k]) && s->w[k].n < 4) { k++; continue; }
        break;
    }
    while (k > i && !capital(s->w[k - 1]) && !digits(s->w[k - 1])) k--;
    if (k == i || in(s->w[i], " He She It His Her Its They A An In On This ") || (qn_str_is(s->w[i], "The") && k < i + 2)) return false;
    bool nations = true;        /* "the British author": a nation alone is no name */
    for (size_t j = i; j < k; j++) nations &= in(s->w[j], NATIONS);
    if (nations) return false;
    *from = i;
    *to = k;
    return true;
}

/* Do the words of one of the cues stand in front of word `at`? Their number; *which: the first word that was met. */
static size_t cue_before(const sent *s, size_t at, const char *cues, qn_str *which)
{
    for (const char *c = cues; *c;) {
        const char *end = strchr(c, '|');
        size_t n = end ? (size_t)(end - c) : strlen(c), words = 1;
        for (size_t i = 0; i < n; i++) words += c[i] == ' ';
        if (words <= at) {
            size_t k = at - words, i = 0;
            bool same = true;
            for (size_t w = 0; w < words && same; w++) {
                size_t from = i;
                while (i < n && c[i] != ' ') i++;
                same = s->w[k + w].n == i - from && strncasecmp(s->w[k + w].p, c + from, i - from) == 0;
                i++;
            }
            if (same) { *which = s->w[k]; if (words == 3) *which = span(s, k, k + 2); return words; }
        }
        c += n + (end != NULL);
    }
    return 0;
}

static const char *const WORKS = " film album song single novel book play opera series game musical comedy drama documentary western thriller EP movie short sitcom soundtrack manga anime episode track video poem ";

static bool fits(const qn_facts *f, sort s)
{
    switch (s) {
    case PERSON: return f->person;
    case THING: case PLACE: return !f->person;
    case WORK: return !f->person && in(f->kind, WORKS);
    default: return true;
    }
}

static qn_str filled(reader *r, const char *form, qn_str cue)     /* {a}, {c} */
{
    qn_buf b = { 0 };
    for (const char *p = form; *p; p++) {
        if (strncmp(p, "{a}", 3) == 0) { qn_buf_str(&b, r->out->said); p += 2; }
        else if (strncmp(p, "{c}", 3) == 0) {
            if (b.n >= 3 && memcmp(b.p + b.n - 3, " a ", 3) == 0 && cue.n && strchr("aeiouAEIOU", cue.p[0])) { b.n--; qn_buf_puts(&b, "n "); }      /* "an episode" */
            for (size_t i = 0; i < cue.n; i++) qn_buf_putc(&b, (char)tolower((unsigned char)cue.p[i]));
            p += 2;
        }
        else qn_buf_putc(&b, *p);
    }
    qn_str s = qn_arena_str(r->a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

static bool person_like(qn_str name) { return qn_looks_like_person(name) || memchr(name.p, ' ', name.n) == NULL; }

static void add_name(reader *r, const relation *x, qn_str cue, size_t from, size_t to)
{
    qn_str name = span(&r->s, from, to);
    bool person = x->names == PERSON;
    if (person && !person_like(name) && x->about != PERSON) return;
    qn_fact *f = qn_facts_add(r->out, r->a, r->passage, person ? QN_FACT_AGENT : x->names == PLACE ? QN_FACT_PLACE : QN_FACT_THING, name, filled(r, x->question, cue));
    if (!f) return;
    f->about_main = true;
    f->loose = true;
    if (x->describe) f->describe = filled(r, x->describe, cue);
}

/* ---- one name, one date ---- */
static void read_name(reader *r, size_t at, size_t from, size_t to)
{
    const sent *s = &r->s;
    for (size_t t = 0; t < sizeof TABLE / sizeof *TABLE; t++) {
        const relation *x = &TABLE[t];
        if (!fits(r->out, x->about)) continue;
        qn_str which = { 0 };
        size_t stop = at;
        for (size_t back = 0; back < 7; back++) {
            if (stop == 0) break;
            if (cue_before(s, stop, x->cue, &which)) { add_name(r, x, which, from, to); return; }
            qn_str w = s->w[stop - 1];
            bool passes = x->loose ? ((!capital(w) && !is_mark(w) && !digits(w) && !in(w, " and or by in of for with on at to from was is who which that ")) || in(w, NATIONS)) : in(w, " the ");
            if (!passes) break;
            stop--;
        }
    }
}

static size_t date_at(const sent *s, size_t i)
{
    if (i >= s->n) return 0;
    if (year(s->w[i])) return 1;
    if (i + 1 < s->n && month(s->w[i]) && year(s->w[i + 1])) return 2;
    if (i + 2 < s->n && digits(s->w[i]) && month(s->w[i + 1]) && year(s->w[i + 2])) return 3;
    if (i + 3 < s->n && month(s->w[i]) && digits(s->w[i + 1]) && qn_str_is(s->w[i + 2], ",") && year(s->w[i + 3])) return 4;
    return 0;
}

static double value_of(const sent *s, size_t at, size_t n)     /* yyyymmdd; months and days 0 where they are not given */
{
    static const char *const M[] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December" };
    double y = 0, m = 0, d = 0, x;
    for (size_t i = at; i < at + n; i++) {
        if (year(s->w[i])) { if (qn_str_to_f64(s->w[i], &x)) y = x; }
        else if (digits(s->w[i])) { if (qn_str_to_f64(s->w[i], &x)) d = x; }
        else for (int k = 0; k < 12; k++) if (qn_str_is(s->w[i], M[k])) m = k + 1;
    }
    return y * 10000 + m * 100 + d;
}

static void read_date(reader *r, size_t at, size_t n)
{
    qn_str which;
    for (size_t t = 0; t < sizeof TIMES / sizeof *TIMES; t++)
        if (fits(r->out, TIMES[t].about) && cue_before(&r->s, at, TIMES[t].cue, &which)) {
            qn_fact *f = qn_facts_add(r->out, r->a, r->passage, QN_FACT_TIME, span(&r->s, at, at + n), filled(r, TIMES[t].question, which));
            if (!f) continue;
            f->about_main = f->loose = true;
            f->property = TIMES[t].property;
            f->value = value_of(&r->s, at, n);
        }
}

static double count_of(qn_str w)
{
    double x = 0;
    for (size_t i = 0; i < w.n; i++) if (w.p[i] != ',') x = x * 10 + (w.p[i] - '0');
    return x;
}

/* "the population was 1,519", "a population of 1,519" */
static void read_population(reader *r)
{
    const sent *s = &r->s;
    for (size_t i = 0; i + 2 < s->n; i++)
        if (qn_str_is(s->w[i], "population") && !r->out->person)
            for (size_t k = i + 1; k < s->n && k < i + 4; k++)
                if (digits(s->w[k]) && !year(s->w[k])) {
                    qn_fact *f = qn_facts_add(r->out, r->a, r->passage, QN_FACT_QUANTITY, s->w[k], filled(r, "What is the population of {a}?", QN_STR("")));
                    if (!f) return;
                    f->about_main = f->loose = true;
                    f->property = "populous";
                    f->value = count_of(s->w[k]);
                    return;
                }
}

/* "is an American actor and director who": what a person does, behind the nation. */
static void read_occupation(reader *r)
{
    const sent *s = &r->s;
    size_t i = 0;
    if (!r->first || !r->out->person || !r->out->kind.n) return;
    while (i + 1 < s->n && !(in(s->w[i], " is was ") && in(s->w[i + 1], " a an "))) i++;
    if (i + 3 >= s->n) return;
    size_t from = i + 2, to;
    while (from < s->n && (in(s->w[from], NATIONS) || in(s->w[from], " former retired noted famous prominent leading ") || qn_str_ends(s->w[from], QN_STR("-born")) || capital(s->w[from]))) from++;
    for (size_t k = from; k < s->n && k < from + 4 && !is_mark(s->w[k]); k++) if (in(s->w[k], NATIONS)) from = k + 1;        /* "a pioneering Swedish director" */
    for (to = from; to < s->n && to < from + 10; to++) {
        if (in(s->w[to], " who that which from in of best known born for with at on whose and/or she he currently active ") || capital(s->w[to])) break;
        if (is_mark(s->w[to]) && (!qn_str_is(s->w[to], ",") || to + 1 >= s->n || capital(s->w[to + 1]) || in(s->w[to + 1], " who best known born and which whose she he currently active a an the recognized recognised most one "))) {
            if (!(qn_str_is(s->w[to], ",") && to + 2 < s->n && qn_str_is(s->w[to + 1], "and") && !capital(s->w[to + 2]) && !in(s->w[to + 2], " a an the one "))) break;
        }
    }
    while (to > from && to < from + 10 && (is_mark(s->w[to - 1]) || in(s->w[to - 1], " and working based living active specializing specialising "))) to--;
    if (to == from || to == from + 10 || (to == from + 1 && !qn_str_eq(s->w[from], r->out->kind) && !qn_str_ends(s->w[from], QN_STR("er")) && !qn_str_ends(s->w[from], QN_STR("or")) && !qn_str_ends(s->w[from], QN_STR("ist")))) return;
    qn_fact *f = qn_facts_add(r->out, r->a, r->passage, QN_FACT_THING, span(s, from, to), filled(r, "What is the occupation of {a}?", QN_STR("")));
    if (f) f->about_main = f->loose = true;
}

/* "is known for his role in X": up to the end of the clause. */
static void read_known_for(reader *r)
{
    const sent *s = &r->s;
    for (size_t i = 0; i + 2 < s->n; i++) {
        if (!in(s->w[i], " known famous noted remembered ") || !qn_str_is(s->w[i + 1], "for")) continue;
        size_t from = i + 2 + in(s->w[i + 2], " his her its their being the a an "), to = from;
        while (to < s->n && to < from + 10 && !is_mark(s->w[to]) && !in(s->w[to], " and who which where while ")) to++;
        /* whole, and more than "work on" or "a number of films" */
        if (to < from + 2 || to == from + 10 || (to < s->n && !qn_str_is(s->w[to], ",") && is_mark(s->w[to]))) return;
        if (in(s->w[to - 1], " on in of for as with by including include at to from the a an film films ") || in(s->w[from], " number final feature most many several one ") || qn_str_ends(s->w[to - 1], QN_STR("—"))) return;
        qn_fact *f = qn_facts_add(r->out, r->a, r->passage, QN_FACT_THING, span(s, from, to), filled(r, "What is {a} known for?", QN_STR("")));
        if (f) f->about_main = f->loose = true;
        return;
    }
}

/* ---- sentences ---- */
static bool begins_with(qn_str t, qn_str name) { return name.n && t.n > name.n && strncasecmp(t.p, name.p, name.n) == 0; }

/* "His father was born in ..." is of somebody else. */
static bool is_about(const reader *r, qn_str t)
{
    const qn_facts *f = r->out;
    if (t.n && t.p[0] == '"') t = qn_str_sub(t, 1, t.n);
    if (begins_with(t, f->main) || (begins_with(t, QN_STR("The ")) && begins_with(qn_str_sub(t, 4, t.n), f->main))) return true;
    if (f->person) {
        size_t k = f->main.n;
        while (k > 0 && f->main.p[k - 1] != ' ') k--;
        return begins_with(t, QN_STR("He ")) || begins_with(t, QN_STR("She ")) || (k > 0 && begins_with(t, qn_str_sub(f->main, k, f->main.n)));
    }
    return begins_with(t, QN_STR("It ")) || (f->kind.n && begins_with(t, QN_STR("The ")) && begins_with(qn_str_sub(t, 4, t.n), f->kind));
}

static void read_sentence(reader *r)
{
    const sent *s = &r->s;
    size_t from, to, open = 0;
    read_population(r);
    if (!r->about) return;
    read_occupation(r);
    read_known_for(r);
    for (size_t i = 0; i < s->n; i++) {
        if (qn_str_is(s->w[i], "(")) open++;
        if (qn_str_is(s->w[i], ")") && open) open--;
        size_t n = date_at(s, i);
        if (n) { read_date(r, i, n); i += n - 1; continue; }
        /* a side clause speaks of something else */
        if (!open && i > 0 && in(s->w[i], " which who whose where when whom while although ") && (is_mark(s->w[i - 1]) || capital(s->w[i - 1]))) return;
        if (i > 0 && name_at(s, i, &from, &to)) {
            read_name(r, i, from, to);
            i = to - 1 + (from > i);
        }
    }
}

void qn_relations_find(qn_str passage, qn_arena *a, qn_facts *f)
{
    reader r = { .a = a, .out = f, .passage = passage, .first = true };
    if (f->main.n < 3 || !f->said.n) return;
    qn_sentences it = qn_sentences_of(passage);
    qn_str text;
    while (qn_sentences_next(&it, &text)) {
        split(text, &r.s);
        r.about = r.first || is_about(&r, text);
        read_sentence(&r);
        r.first = false;
    }
    qn_facts_settle(f, passage);
}
