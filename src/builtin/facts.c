/* Reading plain sentences: words, main entity, subject, predicate; then one small reader for each safe pattern. */
#include "builtin/facts.h"
#include "builtin/words_en.h"
#include "core/err.h"
#include "text/sentences.h"
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

enum { MAX_WORDS = 60 };

typedef struct { qn_str w[MAX_WORDS]; size_t n; } sent;         /* words and punctuation marks, the final point left out */

typedef struct {
    qn_arena *a;
    qn_facts *out;
    qn_str    passage, title;
    qn_str    body;         /* the passage behind the headings it begins with */
    qn_str    said;         /* the main entity inside a sentence: "the Thames" */
    sent      s;
    size_t    at;           /* next word */
    qn_str    subj;         /* as it is named in a question */
    qn_str    subj_span;    /* as it stands in the sentence */
    bool      subj_main, subj_literal, subj_person;
    bool      first;        /* the passage's first sentence */
    bool      last_main;    /* the sentence before was about the main entity */
    qn_str    lead;         /* time in front: "1898", with lead_prep "In" */
} reader;

#define SAY(r, ...) qn_arena_printf((r)->a, __VA_ARGS__)

/* ---- words ---- */
static bool is(qn_str w, const char *z) { return qn_str_is(w, z); }
static bool in(qn_str w, const char *list) /* " a b c " */
{
    char key[48];
    if (w.n == 0 || w.n > 40) return false;
    key[0] = ' ';
    memcpy(key + 1, w.p, w.n);
    key[w.n + 1] = ' ';
    key[w.n + 2] = 0;
    return strstr(list, key) != NULL;
}
static bool capital(qn_str w) { return w.n && (isupper((unsigned char)w.p[0]) || (unsigned char)w.p[0] >= 0xC3); }
static bool is_mark(qn_str w) { return w.n == 1 && strchr(",;:()\"", w.p[0]) != NULL; }

static bool split(qn_str text, sent *s)
{
    s->n = 0;
    size_t i = 0, end = text.n;
    while (end && strchr(".!", text.p[end - 1])) end--;
    if (text.n && (text.p[text.n - 1] == '?' || strchr("#|>*-`", text.p[0]))) return false;      /* questions; headings, tables, lists, code */
    if (memchr(text.p, '`', text.n) || memchr(text.p, '|', text.n) || memchr(text.p, '[', text.n)) return false;
    while (i < end) {
        if (isspace((unsigned char)text.p[i])) { i++; continue; }
        size_t from = i;
        if (strchr(",;:()\"", text.p[i])) i++;
        else while (i < end && !isspace((unsigned char)text.p[i]) && !strchr(";:()\"", text.p[i]) && !(text.p[i] == ',' && !(i + 1 < end && isdigit((unsigned char)text.p[i + 1])))) i++;
        if (s->n == MAX_WORDS) return false;
        s->w[s->n++] = qn_str_sub(text, from, i);
    }
    return s->n >= 3;
}

static qn_str span(const sent *s, size_t from, size_t to) /* words from..to-1 as they stand in the passage */
{
    return (qn_str){ s->w[from].p, (size_t)(s->w[to - 1].p + s->w[to - 1].n - s->w[from].p) };
}

/* The words from..to-1 without those of cut_from..cut_to-1, joined by single spaces. */
static qn_str joined(reader *r, size_t from, size_t to, size_t cut_from, size_t cut_to)
{
    qn_buf b = { 0 };
    for (size_t i = from; i < to; i++) {
        if (i >= cut_from && i < cut_to) continue;
        if (b.n && !is(r->s.w[i], ",")) qn_buf_putc(&b, ' ');
        qn_buf_str(&b, r->s.w[i]);
    }
    qn_str s = qn_arena_str(r->a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

/* ---- verbs ---- */
static const char *const PAST[][2] = { /* past, base */
    { "discovered", "discover" }, { "invented", "invent" }, { "designed", "design" }, { "moved", "move" }, { "died", "die" }, { "studied", "study" }, { "married", "marry" },
    { "became", "become" }, { "began", "begin" }, { "wrote", "write" }, { "built", "build" }, { "founded", "found" }, { "published", "publish" }, { "released", "release" },
    { "directed", "direct" }, { "produced", "produce" }, { "won", "win" }, { "received", "receive" }, { "joined", "join" }, { "left", "leave" }, { "settled", "settle" },
    { "reached", "reach" }, { "commanded", "command" }, { "climbed", "climb" }, { "led", "lead" }, { "predicted", "predict" }, { "demonstrated", "demonstrate" },
    { "destroyed", "destroy" }, { "moved", "move" }, { "entered", "enter" }, { "opened", "open" }, { "sailed", "sail" }, { "travelled", "travel" }, { "visited", "visit" },
    { "hosted", "host" }, { "signed", "sign" }, { "played", "play" }, { "graduated", "graduate" }, { "retired", "retire" }, { "returned", "return" }, { "established", "establish" },
    { "completed", "complete" }, { "started", "start" }, { "launched", "launch" }, { "premiered", "premiere" }, { "observed", "observe" }, { "landed", "land" },
    { "acquired", "acquire" }, { "bought", "buy" }, { "sold", "sell" }, { "served", "serve" }, { "represented", "represent" }, { "composed", "compose" },
    { "recorded", "record" }, { "starred", "star" }, { "introduced", "introduce" }, { "created", "create" }, { "developed", "develop" }, { "attended", "attend" },
    { "succeeded", "succeed" }, { "captured", "capture" }, { "defeated", "defeat" }, { "conquered", "conquer" }, { "ruled", "rule" }, { "emigrated", "emigrate" },
    { "proposed", "propose" }, { "proved", "prove" }, { "isolated", "isolate" }, { "flew", "fly" }, { "ran", "run" }, { "formed", "form" }, { "merged", "merge" }, { "closed", "close" },
    { "shared", "share" }, { "worked", "work" }, { "hit", "hit" }, { "appeared", "appear" }, { "debuted", "debut" }, { "performed", "perform" }, { "competed", "compete" },
};
static const char *base_of(qn_str w)
{
    for (size_t i = 0; i < sizeof PAST / sizeof *PAST; i++) if (is(w, PAST[i][0])) return PAST[i][1];
    return NULL;
}
static const char PARTICIPLES[] =
    " born buried baptised baptized discovered invented designed built founded established published released directed produced written composed completed opened closed launched "
    "created developed introduced named renamed killed elected appointed crowned signed formed abolished destroyed demolished rebuilt recorded first_performed observed climbed held "
    "located situated based headquartered centered centred captured defeated conquered painted constructed inaugurated commissioned dedicated declared described isolated proposed awarded incorporated acquired sold moved "
    "begun started finished used called considered made shot filmed broadcast premiered married carried tried saved given kept ";
static qn_str active_past(qn_str part) { return is(part, "written") ? QN_STR("wrote") : is(part, "begun") ? QN_STR("began") : part; }

/* ---- times ---- */
static int month_of(qn_str w)
{
    static const char *const M[] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December" };
    for (int i = 0; i < 12; i++) if (is(w, M[i])) return i + 1;
    return 0;
}
static int number_of(qn_str w, size_t max_digits)
{
    int x = 0;
    if (w.n == 0 || w.n > max_digits) return -1;
    for (size_t i = 0; i < w.n; i++) { if (!isdigit((unsigned char)w.p[i])) return -1; x = x * 10 + (w.p[i] - '0'); }
    return x;
}
static int year_of(qn_str w) { int y = number_of(w, 4); return w.n >= 3 && y >= 500 && y <= 2100 ? y : 0; }
static int day_of(qn_str w) { int d = number_of(w, 2); return d >= 1 && d <= 31 ? d : 0; }

/* A date at word i: "7 November 1867", "November 7 , 1867", "November 1867", "1867". Words it takes, 0 none. */
static size_t date_at(const sent *s, size_t i, double *value)
{
    if (i >= s->n) return 0;
    int m, d, y;
    if (i + 2 < s->n && (d = day_of(s->w[i])) && (m = month_of(s->w[i + 1])) && (y = year_of(s->w[i + 2]))) { *value = y * 10000.0 + m * 100 + d; return 3; }
    if (i + 3 < s->n && (m = month_of(s->w[i])) && (d = day_of(s->w[i + 1])) && is(s->w[i + 2], ",") && (y = year_of(s->w[i + 3]))) { *value = y * 10000.0 + m * 100 + d; return 4; }
    if (i + 1 < s->n && (m = month_of(s->w[i])) && (y = year_of(s->w[i + 1]))) { *value = y * 10000.0 + m * 100; return 2; }
    if ((y = year_of(s->w[i]))) { *value = y * 10000.0; return 1; }
    return 0;
}

typedef struct { size_t from, to, ans; double value; } when;   /* from: the preposition; ans: the date's first word */

/* The one time phrase between words from and to: "in 1898", "on 7 November 1867". False when there is none, or more than one, or another kind. */
static bool find_time(const sent *s, size_t from, size_t to, when *out)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        double v;
        size_t k;
        if ((is(s->w[i], "in") || is(s->w[i], "on")) && (k = date_at(s, i + 1, &v)) && i + 1 + k <= to) {
            *out = (when){ i, i + 1 + k, i + 1, v };
            n++;
            i += k;
        } else if (in(s->w[i], " until since from between before after during by about around ") && i + 1 < to && (year_of(s->w[i + 1]) || is(s->w[i + 1], "the"))) {
            if (year_of(s->w[i + 1]) || (i + 3 < to && year_of(s->w[i + 3]))) return false;
        } else if (year_of(s->w[i])) n += 2;
    }
    return n == 1;
}

/* ---- names ---- */
static size_t name_at(const sent *s, size_t i, size_t to) /* capitalised words with "of", "the", "de" ... inside; words it takes */
{
    size_t k = i;
    while (k < to) {
        if (capital(s->w[k]) && !is_mark(s->w[k])) { k++; continue; }
        if (k > i && in(s->w[k], " of de von van der del della da di la le du the ")) {
            size_t j = k + 1;
            if (j < to && in(s->w[j], " the der la ")) j++;
            if (j < to && capital(s->w[j]) && !is_mark(s->w[j])) { k = j; continue; }
        }
        break;
    }
    return k - i;
}

bool qn_looks_like_person(qn_str name)
{
    static const char ORG[] = " University College Company Corporation Society Committee Royal Army Navy Records Pictures Group Inc Ltd Museum Press House School Church Council Party Team United "
                              "Club Institute Academy Government Ministry Department Studios Entertainment Films Film Productions Radio Television Network Airlines Bank Union Association Council "
                              "Office Board Court Congress Parliament Senate Agency City County State Republic Empire Kingdom River Mount Lake Sea Ocean The Great War Battle Prize Award Sun Times "
                              "HMS USS North South East West New Palace Castle Abbey Bridge Tower Street Park Festival Games World National International American British German French ";
    size_t words = 0, from = 0;
    for (size_t i = 0; i <= name.n; i++) {
        if (i < name.n && name.p[i] != ' ') continue;
        qn_str w = qn_str_sub(name, from, i);
        from = i + 1;
        words++;
        if (in(w, ORG)) return false;
        if (!capital(w) && !in(w, " de von van der da di la le du al bin ")) return false;
        for (size_t k = 0; k < w.n; k++) if (isdigit((unsigned char)w.p[k])) return false;
    }
    return words >= 2 && words <= 5;
}

/* ---- adding ---- */
static bool occurs_once(qn_str text, qn_str part)
{
    size_t n = 0;
    for (size_t i = 0; i + part.n <= text.n && n < 2; i++) n += memcmp(text.p + i, part.p, part.n) == 0;
    return n == 1;
}

qn_fact *qn_facts_add(qn_facts *o, qn_arena *a, qn_str passage, qn_fact_kind kind, qn_str answer, qn_str question)
{
    while (answer.n && strchr(" ,", answer.p[answer.n - 1])) answer.n--;
    if (answer.n == 0 || answer.n > 200 || answer.p < passage.p || answer.p > passage.p + passage.n) return NULL;
    if (qn_str_find(question, answer) >= 0 || question.n > 220) return NULL;
    for (size_t i = 0; i < o->n; i++)
        if (qn_str_eq(o->items[i].question, question)) {    /* two answers to one question: neither is safe */
            if (!qn_str_eq(o->items[i].answer, answer)) o->items[i].unsafe = true;
            return NULL;
        }
    if (o->n == o->cap) {
        size_t cap = o->cap ? o->cap * 2 : 16;
        qn_fact *more = qn_arena_alloc(a, cap * sizeof *more);
        if (o->n) memcpy(more, o->items, o->n * sizeof *more);
        o->items = more;
        o->cap = cap;
    }
    qn_fact *f = &o->items[o->n++];
    *f = (qn_fact){ .kind = kind, .question = question, .answer = answer, .start = (size_t)(answer.p - passage.p) };
    return f;
}

void qn_facts_settle(qn_facts *f, qn_str passage)
{
    size_t k = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (f->items[i].unsafe) continue;
        f->items[i].unique = occurs_once(passage, f->items[i].answer);
        f->items[k++] = f->items[i];
    }
    f->n = k;
}

static qn_fact *add(reader *r, qn_fact_kind kind, qn_str answer, qn_str question)
{
    qn_fact *f = qn_facts_add(r->out, r->a, r->passage, kind, answer, question);
    if (f) f->about_main = r->subj_main;
    return f;
}

/* ---- the main entity ---- */
static qn_str folded(reader *r, qn_str s)      /* white space as single spaces */
{
    char *p = qn_arena_alloc(r->a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (!isspace((unsigned char)s.p[i])) p[n++] = s.p[i];
        else if (n && p[n - 1] != ' ') p[n++] = ' ';
    return (qn_str){ p, n };
}

static const char PERSON_NOUNS[] =
    " physicist chemist composer pianist mathematician astronomer explorer captain naturalist botanist inventor poet writer author novelist painter actor actress director singer politician "
    "footballer player king queen emperor empress prince princess duke duchess bishop pope scientist engineer architect philosopher historian lawyer judge general officer soldier sculptor "
    "photographer journalist screenwriter producer songwriter musician conductor violinist guitarist rapper model dancer athlete swimmer cyclist boxer wrestler racer driver coach manager "
    "businessman businesswoman entrepreneur economist biologist geologist physician surgeon nurse teacher professor priest monk saint nobleman noblewoman landgravine countess count baron baroness "
    "mountaineer illustrator carpenter clockmaker maker merchant brewer cartographer navigator filmmaker cinematographer playwright dramatist essayist critic editor publisher comedian lexicographer abbess "
    "wrestler golfer sprinter hurdler skier skater gymnast rower sailor umpire cricketer statesman diplomat activist theologian linguist psychologist sociologist anthropologist archaeologist queen ";

static bool title_at(const reader *r, size_t i, size_t *len)
{
    qn_str t = r->out->main;
    const sent *s = &r->s;
    if (t.n == 0 || i >= s->n) return false;
    if (s->w[i].p + t.n <= r->passage.p + r->passage.n && strncasecmp(s->w[i].p, t.p, t.n) == 0) {
        size_t k = i;
        while (k < s->n && s->w[k].p < s->w[i].p + t.n) k++;
        if (k > i && s->w[k - 1].p + s->w[k - 1].n == s->w[i].p + t.n) { *len = k - i; return true; }
    }
    return false;
}

static bool surname_at(const reader *r, size_t i)
{
    qn_str t = r->out->main;
    size_t k = t.n;
    while (k > 0 && t.p[k - 1] != ' ') k--;
    return r->out->person && k > 0 && i < r->s.n && qn_str_eq(r->s.w[i], qn_str_sub(t, k, t.n));
}

/* The noun that says what a thing is: "is a French physicist who" -> "physicist". Words i.. stand behind "a". */
static qn_str kind_at(const sent *s, size_t i)
{
    size_t k = i;
    while (k < s->n && !is_mark(s->w[k]) && !(k > i && (qn_str_ends(s->w[k], QN_STR("ed")) || qn_str_ends(s->w[k], QN_STR("ing"))) && s->w[k].n > 4) && !in(s->w[k], " of that who which in from and with by starring featuring directed produced written for on at between to about whose by known near off where when over based born is was set located ")) k++;
    if (k == i || k - i > 8 || capital(s->w[k - 1]) || (k < s->n && is(s->w[k], ",") && k + 1 < s->n && !in(s->w[k + 1], " who which and that ") && !in(s->w[k - 1], PERSON_NOUNS))) return (qn_str){ 0 };
    return s->w[k - 1];
}

static void find_main(reader *r)
{
    qn_facts *o = r->out;
    qn_str t = qn_str_trim(r->title);
    ptrdiff_t par = qn_str_find(t, QN_STR(" ("));
    if (par > 0) t = qn_str_sub(t, 0, (size_t)par);
    o->main = t;
    qn_sentences it = qn_sentences_of(r->body);
    qn_str text;
    bool first = true;
    while (qn_sentences_next(&it, &text)) {
        if (!split(text, &r->s)) { first = false; continue; }
        if (in(r->s.w[0], " He She ") && t.n) o->person = true;
        if (first)
            for (size_t i = 1; i + 2 < r->s.n; i++)
                if (in(r->s.w[i], " is was are were ") && (in(r->s.w[i + 1], " a an the "))) {
                    o->kind = kind_at(&r->s, i + 2);
                    for (size_t k = i + 2; k < r->s.n && k < i + 9 && !is(r->s.w[k], "by"); k++) if (in(r->s.w[k], PERSON_NOUNS)) o->person = true;
                    break;
                }
        first = false;
    }
    if (o->kind.n) o->person = in(o->kind, PERSON_NOUNS) || (o->person && !in(o->kind, " ship vessel yacht aircraft boat submarine "));
    r->said = t;
    if (r->body.n >= t.n && strncasecmp(r->body.p, t.p, t.n) == 0) r->said = folded(r, qn_str_sub(r->body, 0, t.n));
    else if (r->body.n >= t.n + 4 && strncasecmp(r->body.p, "the ", 4) == 0 && strncasecmp(r->body.p + 4, t.p, t.n) == 0)
        r->said = SAY(r, "the %.*s", QN_FMT(folded(r, qn_str_sub(r->body, 4, 4 + t.n))));
    o->said = r->said;
}

/* ---- the subject ---- */
static const char OPENERS[] = " In On At After Before When While Although Though Because Since During From By For With Without As If Many Most Some Several Few Both All Each Every Another Other This That "
                              "These Those There Here They We You I Their Our However Later Then Also Today Only One Two Three Four Five What Who Which How Its His Her It He She But And Or So Such No Not Early Late ";

/* "The Great Red Spot was": a definite phrase with a name in it, up to a form of "to be". Words it takes, 0 none. */
static size_t definite_at(const sent *s, size_t i)
{
    bool name = false;
    for (size_t k = i + 1; k < s->n && k < i + 8; k++) {
        if (in(s->w[k], " was were is are has have had contains consists ")) return name && k > i + 1 ? k - i : 0;
        if (is_mark(s->w[k]) || base_of(s->w[k]) || in(s->w[k], " and or that which who in on for with by at from between during since his her its their this first second last other same new old ")) return 0;
        name |= capital(s->w[k]);
    }
    return 0;
}

/* Is the word a name: capital inside of sentences too, and never small? */
static bool always_capital(const reader *r, qn_str w)
{
    size_t inside = 0;
    for (size_t i = 1; i + w.n <= r->passage.n; i++) {
        if (strncasecmp(r->passage.p + i, w.p, w.n) != 0 || isalnum((unsigned char)r->passage.p[i - 1]) || (i + w.n < r->passage.n && isalnum((unsigned char)r->passage.p[i + w.n]))) continue;
        if (r->passage.p[i] != w.p[0]) return false;
        inside += r->passage.p[i - 1] == ' ' && i > 1 && !strchr(".!?", r->passage.p[i - 2]);
    }
    return inside > 0;
}

/* "curl is a tool", "Ctenophora is a phylum": one word that must be a name, in front of a definition. */
static size_t name_before_is(const reader *r, size_t i)
{
    const sent *s = &r->s;
    if (i + 3 >= s->n || !is(s->w[i + 1], "is") || !in(s->w[i + 2], " a an ") || in(s->w[i], OPENERS) || is_mark(s->w[i])) return 0;
    if (islower((unsigned char)s->w[i].p[0])) return s->w[i].n >= 3 && !in(s->w[i], " there this that which what where here when how it ") ? 1 : 0;
    if (!capital(s->w[i]) || s->w[i].n < 3) return 0;
    char small[64];     /* never written small in the passage */
    if (s->w[i].n >= sizeof small) return 0;
    for (size_t k = 0; k < s->w[i].n; k++) small[k] = (char)tolower((unsigned char)s->w[i].p[k]);
    return qn_str_find(r->passage, (qn_str){ small, s->w[i].n }) < 0 ? 1 : 0;
}

static size_t thing_that_has(const sent *s, size_t i)      /* "A modern concert piano has 88 keys" */
{
    for (size_t k = i + 1; k + 2 < s->n && k < i + 6; k++) {
        if (in(s->w[k], " has contains ")) return k > i + 1 ? k - i : 0;
        if (is_mark(s->w[k]) || in(s->w[k], " is was are were that which who and or of in ")) return 0;
    }
    return 0;
}

static bool take_subject(reader *r)
{
    const sent *s = &r->s;
    size_t n, i = r->at;
    r->subj_main = r->subj_literal = false;
    if (title_at(r, i, &n) || ((is(s->w[i], "The") || is(s->w[i], "the")) && title_at(r, i + 1, &n) && ++n)) {
        r->subj = r->said;
        r->subj_main = r->subj_literal = true;
        r->at += n;
    } else if (surname_at(r, i)) {
        r->subj = r->said;
        r->subj_main = r->subj_literal = true;
        r->at++;
    } else if (r->out->main.n && r->last_main && (r->out->person ? in(s->w[i], " He She he she ") : in(s->w[i], " It it ") || (in(s->w[i], " She she ") && in(r->out->kind, " ship vessel yacht ")))) {
        r->subj = r->said;
        r->subj_main = true;
        r->at++;
    } else if (r->out->main.n && r->last_main && r->out->kind.n && !r->out->person && is(s->w[i], "The") && i + 1 < s->n && qn_str_eq(s->w[i + 1], r->out->kind)) {
        r->subj = r->said;
        r->subj_main = true;
        r->at += 2;
    } else if (capital(s->w[i]) && !in(s->w[i], OPENERS) && !is(s->w[i], "The") && (n = name_at(s, i, s->n)) >= 2 && n <= 5) {
        r->subj = folded(r, span(s, i, i + n));
        r->subj_literal = true;
        r->at += n;
    } else if (is(s->w[i], "The") && (n = definite_at(s, i))) {
        r->subj = SAY(r, "the %.*s", QN_FMT(folded(r, span(s, i + 1, i + n))));
        r->subj_literal = true;
        r->at += n;
    } else if (capital(s->w[i]) && !in(s->w[i], OPENERS) && always_capital(r, s->w[i]) && i + 1 < s->n && (in(s->w[i + 1], " was is were ") || base_of(s->w[i + 1]))) {
        r->subj = s->w[i];
        r->subj_literal = true;
        r->at++;
    } else if ((n = name_before_is(r, i))) {
        r->subj = folded(r, span(s, i, i + n));
        r->subj_literal = true;
        r->at += n;
    } else if (in(s->w[i], " A An ") && (n = thing_that_has(s, i))) {
        r->subj = SAY(r, "%c%.*s", is(s->w[i], "An") ? 'a' : 'a', (int)(folded(r, span(s, i, i + n)).n - 1), folded(r, span(s, i, i + n)).p + 1);
        r->subj_literal = true;
        r->at += n;
    } else return false;
    r->subj_span = span(s, i, r->at);
    if (r->at < s->n && is(s->w[r->at], ",")) {     /* "Merit Network, a corporation of Michigan, was": the aside is passed over */
        size_t k = r->at + 1;
        while (k < s->n && k < r->at + 16 && !is_mark(s->w[k])) k++;
        if (k + 1 >= s->n || !is(s->w[k], ",") || !(in(s->w[k + 1], " was were is are has ") || base_of(s->w[k + 1]))) return false;
        r->at = k + 1;
    }
    r->subj_person = r->subj_main ? r->out->person : qn_looks_like_person(r->subj);
    return r->at < s->n;
}

/* Words that point outside of the sentence, or make it uncertain, must not stand in a question. */
static bool self_contained(const reader *r, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (in(r->s.w[i], " he she it they them him this these those such former latter also however then there later not never who which that whose where when while although but if may might could would "
                          "same other another both instead still even together respectively again subsequently eventually thus therefore here ") || is_mark(r->s.w[i])) return false;
        if (in(r->s.w[i], " his her their its ") && !(r->subj_main || r->subj_literal)) return false;
    }
    return true;
}

/* The part of the predicate that can be used: up to a comma that opens a side clause. 0: not to be used. */
static size_t rest_end(const reader *r, size_t from, bool passive)
{
    const sent *s = &r->s;
    for (size_t i = from; i < s->n; i++) {
        if (i > from && in(s->w[i], " and but ") && i + 1 < s->n && (base_of(s->w[i + 1]) || in(s->w[i + 1], " was were is are has had is also "))) return i;
        if (i > from && year_of(s->w[i - 1]) && in(s->w[i], " which who that where when while after before as and with following ")) return i;
        if (!is_mark(s->w[i]) && !is(s->w[i], "because")) continue;
        if (is(s->w[i], "because")) return i > from && is(s->w[i - 1], ",") ? i - 1 : i;
        if (!is(s->w[i], ",")) return 0;
        if (i + 1 < s->n && year_of(s->w[i + 1]) && i > 0 && day_of(s->w[i - 1])) continue;     /* November 7, 1867 */
        if (i + 1 < s->n && in(s->w[i + 1], " when where which making although while after before because with who whose becoming leading resulting but as including following during causing creating forming giving "
                                            "bringing starting ending replacing leaving due despite thus partly largely mainly mostly though ")) return i;
        if (i + 1 < s->n && passive && in(s->w[i + 1], " and the a an in at by to from ")) return i;
        return 0;
    }
    return s->n;
}

static qn_str cut_space(reader *r, qn_str rest) { return rest.n ? SAY(r, " %.*s", QN_FMT(rest)) : QN_STR(""); }

/* ---- patterns ---- */
static void read_reason(reader *r, size_t rest, size_t end, const char *be, qn_str verb, const char *base)
{
    const sent *s = &r->s;
    size_t b = end;
    if (b < s->n && is(s->w[b], ",")) b++;
    if (b + 2 >= s->n || !is(s->w[b], "because") || is(s->w[b + 1], "of") || !self_contained(r, rest, end)) return;
    qn_str why = span(s, b + 1, s->n), tail = cut_space(r, joined(r, rest, end, 0, 0));
    if (be) add(r, QN_FACT_REASON, why, SAY(r, "Why %s %.*s %.*s%.*s?", be, QN_FMT(r->subj), QN_FMT(verb), QN_FMT(tail)));
    else add(r, QN_FACT_REASON, why, SAY(r, "Why did %.*s %s%.*s?", QN_FMT(r->subj), base, QN_FMT(tail)));
}

static const char *time_property(qn_str verb) { return is(verb, "born") ? "born" : is(verb, "died") ? "died" : is(verb, "discovered") ? "discovered" : is(verb, "founded") ? "founded" : is(verb, "completed") ? "completed"
    : is(verb, "released") ? "released" : is(verb, "opened") ? "opened" : is(verb, "published") ? "published" : is(verb, "launched") ? "launched" : is(verb, "built") ? "built" : is(verb, "invented") ? "invented" : NULL; }

static void set_time(qn_fact *f, const when *t, qn_str verb)
{
    if (!f) return;
    f->property = time_property(verb);
    f->value = t->value;
}

static void read_passive(reader *r, const char *be, size_t v)    /* s.w[v] is the participle */
{
    const sent *s = &r->s;
    qn_str part = s->w[v];
    size_t rest = v + 1, end = rest_end(r, rest, true);
    when t;
    if (end == 0) return;
    read_reason(r, rest, end, be, part, NULL);
    if ((is(part, "known") || is(part, "called")) && rest < end) {
        size_t from = rest + (is(part, "known") && is(s->w[rest], "as")), stop = from;
        bool the = from < end && in(s->w[from], " the a an ");
        if (the) stop++;
        while (stop < end && !in(s->w[stop], " and or because for in to by at from with on since after until of ")) stop++;
        if ((is(part, "called") || from > rest) && stop > from && stop - from <= 6 && (capital(s->w[from + the]) || the) && self_contained(r, from, stop) && (stop == end || !in(s->w[stop], " of ")))
            add(r, QN_FACT_THING, span(s, from, stop), SAY(r, is(part, "known") ? "What %s %.*s known as?" : "What %s %.*s called?", be, QN_FMT(r->subj)));
    }
    if (in(part, " called considered used known given kept ")) return;
    bool timed = find_time(s, rest, end, &t);
    if (timed && self_contained(r, rest, end)) {
        qn_str others = cut_space(r, joined(r, rest, end, t.from, t.to));
        /* "born in Warsaw on 7 November": the place is told by another question */
        if (is(part, "born")) others = QN_STR("");
        set_time(add(r, QN_FACT_TIME, span(s, t.ans, t.to), SAY(r, "When %s %.*s %.*s%.*s?", be, QN_FMT(r->subj), QN_FMT(part), QN_FMT(others))), &t, part);
    }
    if (!timed && r->lead.n && self_contained(r, rest, end)) {
        qn_str others = is(part, "born") ? QN_STR("") : cut_space(r, joined(r, rest, end, 0, 0));
        add(r, QN_FACT_TIME, r->lead, SAY(r, "When %s %.*s %.*s%.*s?", be, QN_FMT(r->subj), QN_FMT(part), QN_FMT(others)));
    }
    size_t n_by = 0;
    for (size_t i = rest; i < end; i++) n_by += is(s->w[i], "by");
    for (size_t i = rest; i + 1 < end; i++) {
        size_t n;
        bool two = is(s->w[rest], "and"), plain = !two || (i == rest + 2 && in(s->w[rest + 1], PARTICIPLES));      /* "written and directed by" */
        if (plain && n_by == 1 && is(s->w[i], "by") && (n = name_at(s, i + 1, end)) >= 2 && qn_looks_like_person(span(s, i + 1, i + 1 + n)) && (i + 1 + n == end || in(s->w[i + 1 + n], " in on at ")) && self_contained(r, rest, end)) {
            qn_str did = two ? SAY(r, "%.*s and %.*s", QN_FMT(active_past(part)), QN_FMT(active_past(s->w[rest + 1]))) : active_past(part);
            qn_str ans = span(s, i + 1, i + 1 + n), others = cut_space(r, joined(r, two ? i : rest, end, i, i + 1 + n));
            qn_fact *f = add(r, QN_FACT_AGENT, ans, SAY(r, "Who %.*s %.*s%.*s?", QN_FMT(did), QN_FMT(r->subj), QN_FMT(others)));
            if (f && r->subj_main) f->describe = SAY(r, "the {y} who %.*s %.*s", QN_FMT(did), QN_FMT(r->subj));
        }
        else if (n_by == 1 && is(s->w[i], "by") && (n = name_at(s, i + 1 + is(s->w[i + 1], "the"), end)) >= 2 && i + 1 + is(s->w[i + 1], "the") + n == end && i > rest - 1 && self_contained(r, rest, end))
            add(r, QN_FACT_AGENT, span(s, i + 1, end), SAY(r, "By whom %s %.*s %.*s%.*s?", be, QN_FMT(r->subj), QN_FMT(part), QN_FMT(cut_space(r, joined(r, rest, i, 0, 0)))));
        if (in(part, " born buried baptised baptized held launched located situated based headquartered centered centred ") && i == rest && (in(s->w[i], " in at ")) && !year_of(s->w[i + 1]) && (n = name_at(s, i + 1, end)) >= 1 &&
            !month_of(s->w[i + 1]) && (i + 1 + n == end || in(s->w[i + 1 + n], " on in "))) {
            qn_str ans = span(s, i + 1, i + 1 + n);
            qn_fact *f = add(r, QN_FACT_PLACE, ans, SAY(r, "Where %s %.*s %.*s?", be, QN_FMT(r->subj), QN_FMT(part)));
            if (f && r->subj_main) f->describe = SAY(r, "the {y} where %.*s %s %.*s", QN_FMT(r->subj), be, QN_FMT(part));
        }
        if (is(part, "named") && is(s->w[i], "after") && i == rest && (n = name_at(s, i + 1, end)) >= 1 && i + 1 + n == end)
            add(r, QN_FACT_THING, span(s, i + 1, end), SAY(r, qn_looks_like_person(span(s, i + 1, end)) ? "After whom %s %.*s named?" : "After what %s %.*s named?", be, QN_FMT(r->subj)));
    }
}

static void read_active(reader *r, size_t v, const char *base)
{
    const sent *s = &r->s;
    qn_str verb = s->w[v];
    size_t rest = v + 1, end = rest_end(r, rest, false), n;
    when t;
    if (end == 0 || end == rest) return;
    read_reason(r, rest, end, NULL, verb, base);
    if (!self_contained(r, rest, end)) return;
    bool timed = find_time(s, rest, end, &t);
    if (timed) {
        qn_str others = cut_space(r, joined(r, rest, end, t.from, t.to));
        if (is(verb, "died")) others = QN_STR("");
        set_time(add(r, QN_FACT_TIME, span(s, t.ans, t.to), SAY(r, "When did %.*s %s%.*s?", QN_FMT(r->subj), base, QN_FMT(others))), &t, verb);
    } else if (r->lead.n) {
        qn_str others = cut_space(r, joined(r, rest, end, 0, 0));
        add(r, QN_FACT_TIME, r->lead, SAY(r, "When did %.*s %s%.*s?", QN_FMT(r->subj), base, QN_FMT(others)));
    }
    if (is(verb, "died") && is(s->w[rest], "in") && (n = name_at(s, rest + 1, end)) && !month_of(s->w[rest + 1]) && (rest + 1 + n == end || is(s->w[rest + 1 + n], "on"))) {
        qn_fact *f = add(r, QN_FACT_PLACE, span(s, rest + 1, rest + 1 + n), SAY(r, "Where did %.*s die?", QN_FMT(r->subj)));
        if (f && r->subj_main) f->describe = SAY(r, "the {y} where %.*s died", QN_FMT(r->subj));
    }
    if (is(verb, "studied") && is(s->w[rest], "at") && !timed && name_at(s, rest + 1, end))
        add(r, QN_FACT_PLACE, span(s, rest + 1, end), SAY(r, "Where did %.*s study?", QN_FMT(r->subj)));
    /* the thing that was discovered, commanded, led: for bridges, where its kind is known from its own article */
    if (in(verb, " discovered invented commanded designed founded directed wrote composed climbed built published visited joined married ") && (n = name_at(s, rest, end)) >= 1 && rest + n <= end &&
        (rest + n == end || in(s->w[rest + n], " in on at during ")) && r->subj_main) {
        size_t stop = timed && t.from == rest + n ? rest + n : end;
        qn_str others = cut_space(r, joined(r, rest + n, stop, 0, 0)), tail = cut_space(r, joined(r, rest + n, end, 0, 0));
        qn_fact *f = add(r, QN_FACT_THING, span(s, rest, rest + n), SAY(r, "Which {y} did %.*s %s%.*s?", QN_FMT(r->subj), base, QN_FMT(tail)));
        if (f) f->describe = SAY(r, "the {y} that %.*s %.*s%.*s", QN_FMT(r->subj), QN_FMT(verb), QN_FMT(timed ? tail : others));
    }
    for (size_t i = rest; i < end; i++) if (in(s->w[i], " his her its their ")) return;
    if (r->subj_literal && !r->subj_main && r->subj_person && r->lead.n == 0 && end - rest >= 2 && in(verb, " discovered invented commanded designed founded directed wrote composed led built published reached predicted won "))
        add(r, QN_FACT_SUBJECT, r->subj, SAY(r, "Who %.*s%.*s?", QN_FMT(verb), QN_FMT(cut_space(r, joined(r, rest, end, 0, 0)))));
}

static void read_present(reader *r, size_t v)
{
    const sent *s = &r->s;
    size_t rest = v + 1, end = rest_end(r, rest, false), n;
    if (end == 0 || rest + 1 >= end || !self_contained(r, rest, end)) return;
    if (in(s->w[v], " lies stands ") && is(s->w[rest], "on") && rest + 3 <= end && is(s->w[rest + 1], "the") && is(s->w[rest + 2], "river") && (n = name_at(s, rest + 3, end)) && rest + 3 + n == end) {
        qn_fact *f = add(r, QN_FACT_THING, span(s, rest + 3, end), SAY(r, "On which river does %.*s %s?", QN_FMT(r->subj), is(s->w[v], "lies") ? "lie" : "stand"));
        if (f && r->subj_main) f->describe = SAY(r, "the river on which %.*s %.*s", QN_FMT(r->subj), QN_FMT(s->w[v]));
    }
    if (is(s->w[v], "orbits") && (n = name_at(s, rest, end))) {
        qn_fact *f = add(r, QN_FACT_THING, span(s, rest, rest + n), SAY(r, "What does %.*s orbit?", QN_FMT(r->subj)));
        if (f && r->subj_main) f->describe = SAY(r, "the {y} that %.*s orbits", QN_FMT(r->subj));
    }
    for (size_t i = rest; i + 2 < end; i++)
        if (is(s->w[i], "into") && is(s->w[i + 1], "the") && in(s->w[v], " flows empties rises ") && (n = name_at(s, i + 2, end)) && !(i > rest && in(s->w[v], " rises ") && !is(s->w[i - 1], "flows"))) {
            qn_fact *f = add(r, QN_FACT_THING, span(s, i + 2, i + 2 + n), SAY(r, "Into which body of water does %.*s flow?", QN_FMT(r->subj)));
            if (f && r->subj_main) f->describe = SAY(r, "the body of water into which %.*s flows", QN_FMT(r->subj));
        }
}

static void read_quantity(reader *r, const char *be, size_t v)
{
    const sent *s = &r->s;
    size_t i = v;
    while (i < s->n && in(s->w[i], " about approximately roughly around nearly ")) i++;
    if (i + 2 >= s->n) return;
    char t[24];
    size_t k = 0;
    for (size_t c = 0; c < s->w[i].n && k < 20; c++) if (s->w[i].p[c] != ',') t[k++] = s->w[i].p[c];
    double x;
    if (!qn_str_to_f64((qn_str){ t, k }, &x) || !in(s->w[i + 1], " kilometres kilometers metres meters miles feet km m ") || !in(s->w[i + 2], " long high tall wide deep ")) return;
    qn_fact *f = add(r, QN_FACT_QUANTITY, span(s, v, i + 2), SAY(r, "How %.*s %s %.*s?", QN_FMT(s->w[i + 2]), be, QN_FMT(r->subj)));
    if (f) { f->property = is(s->w[i + 2], "long") ? "long" : is(s->w[i + 2], "high") || is(s->w[i + 2], "tall") ? "high" : NULL; f->value = x; f->unit = s->w[i + 1]; }
}

static bool is_number(qn_str w)
{
    if (in(w, " two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen twenty thirty forty fifty hundred ")) return true;
    if (w.n == 0 || !isdigit((unsigned char)w.p[0])) return false;
    for (size_t i = 0; i < w.n; i++) if (!isdigit((unsigned char)w.p[i]) && w.p[i] != ',' && w.p[i] != '.') return false;
    return !year_of(w);
}

static void read_how_many(reader *r, size_t v)      /* "has 88 keys", "consists of 22 members" */
{
    const sent *s = &r->s;
    bool of = in(s->w[v], " consists consisted ") && v + 1 < s->n && is(s->w[v + 1], "of");
    const char *aux = in(s->w[v], " has contains includes consists ") ? "does" : in(s->w[v], " have contain include ") ? "do" : "did";
    const char *base = in(s->w[v], " has have had ") ? "have" : in(s->w[v], " contains contain contained ") ? "contain" : of ? "consist of" : in(s->w[v], " includes include included ") ? "include" : NULL;
    size_t i = v + 1 + of, end = rest_end(r, i, true), from = i;
    if (!base || end == 0 || (strcmp(base, "consist of") == 0 && !of)) return;
    while (i < end && in(s->w[i], " about approximately around over nearly roughly ")) i++;
    if (i + 1 >= end || !is_number(s->w[i]) || !self_contained(r, i + 1, end)) return;
    size_t k = i + 1;
    if (in(s->w[k], " million billion thousand hundred percent per ")) return;
    size_t noun = k;
    while (noun < end && noun < k + 4 && !qn_en_is_plural(s->w[noun])) { if (in(s->w[noun], " of in at on to for with and or ") || capital(s->w[noun])) return; noun++; }
    if (noun >= end || noun >= k + 4 || capital(s->w[noun])) return;
    size_t stop = noun + 1;
    if (stop < end && is(s->w[stop], "of")) return;
    for (size_t j = stop; j < end; j++) if (is(s->w[j], "and")) return;
    add(r, QN_FACT_QUANTITY, span(s, from, i + 1), SAY(r, "How many %.*s %s %.*s %s%.*s?", QN_FMT(joined(r, k, stop, 0, 0)), aux, QN_FMT(r->subj), base, QN_FMT(cut_space(r, joined(r, stop, end, 0, 0)))));
}

static void read_has(reader *r, size_t v)      /* "has a height of 6,263 metres", "has 88 keys" */
{
    const sent *s = &r->s;
    size_t rest = v + 1;
    read_how_many(r, v);
    if (rest + 4 < s->n + 1 && is(s->w[rest], "a") && rest + 4 <= s->n && is(s->w[rest + 2], "of") && in(s->w[rest + 1], " height length diameter depth width population area capacity ")) {
        size_t i = rest + 3;
        if (i < s->n && is(s->w[i], "about")) i++;
        if (i + 1 >= s->n || !isdigit((unsigned char)s->w[i].p[0]) || rest_end(r, rest, false) != s->n) return;
        char t[24];
        size_t k = 0;
        for (size_t c = 0; c < s->w[i].n && k < 20; c++) if (s->w[i].p[c] != ',') t[k++] = s->w[i].p[c];
        double x;
        if (!qn_str_to_f64((qn_str){ t, k }, &x) || s->n - i > 3) return;
        qn_fact *f = add(r, QN_FACT_QUANTITY, span(s, rest + 3, s->n), SAY(r, "What is the %.*s of %.*s?", QN_FMT(s->w[rest + 1]), QN_FMT(r->subj)));
        if (f) { f->property = is(s->w[rest + 1], "height") ? "high" : is(s->w[rest + 1], "length") ? "long" : NULL; f->value = x; f->unit = s->w[i + 1]; }
    }
}

static void read_identity(reader *r, const char *be, size_t v)      /* "Warsaw is the capital of Poland": s.w[v] is "the" */
{
    const sent *s = &r->s;
    size_t end = rest_end(r, v, false);
    if (end == 0 || end < v + 3 || !self_contained(r, v, end)) return;
    for (size_t i = v; i < end; i++) if (is(s->w[i], "and") || in(s->w[i], " one name same only first ") || in(s->w[i], " his her its their ")) return;
    if (in(s->w[v + 1], " son daughter brother sister wife husband father mother work name title subject result most ") ) return;
    bool best = qn_str_ends(s->w[v + 1], QN_STR("est")) || in(s->w[v + 1], " capital national second-longest third-longest birthplace ") || (qn_str_ends(s->w[v + 1], QN_STR("th")) && s->w[v + 1].n > 4);
    if (!best) return;
    qn_str np = joined(r, v, end, 0, 0);
    if (r->subj_literal) {
        qn_fact *f = add(r, QN_FACT_SUBJECT, r->subj_main ? r->subj_span : r->subj, SAY(r, "%s %s %.*s?", r->subj_person ? "Who" : "What", be, QN_FMT(np)));
        if (f) f->describe = np;
    }
}

static const char NATIONS[] =
    " American British English Scottish Welsh Irish French German Italian Spanish Portuguese Dutch Belgian Swiss Austrian Danish Swedish Norwegian Finnish Icelandic Polish Czech Slovak Hungarian "
    "Romanian Bulgarian Greek Turkish Russian Soviet Ukrainian Serbian Croatian Slovenian Bosnian Albanian Armenian Georgian Israeli Lebanese Egyptian Iranian Iraqi Indian Pakistani Bangladeshi "
    "Chinese Japanese Korean Vietnamese Thai Malaysian Indonesian Filipino Taiwanese Australian Canadian Mexican Cuban Brazilian Argentine Argentinian Chilean Peruvian Colombian Venezuelan "
    "Uruguayan Nigerian Kenyan Ghanaian Moroccan Algerian Tunisian Ethiopian Estonian Latvian Lithuanian ";
static const char WORKS[] = " film album song single novel book play opera series game musical comedy drama documentary western thriller melodrama EP movie short sitcom soundtrack ";

/* "is a 1954 French film": the year it came out, the nation, between the article and the noun. s.w[v] is behind the article. */
static void read_adjectives(reader *r, const char *be, size_t v)
{
    const sent *s = &r->s;
    size_t noun = v, nation = 0, n_nations = 0;
    if (!r->first || !r->subj_main || !r->out->kind.n) return;
    while (noun < s->n && noun < v + 9 && !qn_str_eq(s->w[noun], r->out->kind)) noun++;
    if (noun >= s->n || noun == v + 9) return;
    for (size_t i = v; i < noun; i++) {
        if (memchr(s->w[i].p, '-', s->w[i].n) || is_mark(s->w[i]) || in(s->w[i], " and or East West South North ")) return;     /* "Canadian-born", "West German": not plain */
        if (in(s->w[i], NATIONS) && in(s->w[i + 1], " football horn language literature history teacher scholar translator poetry law ")) return;      /* not where it is from */
        if (in(s->w[i], NATIONS)) { nation = i; n_nations++; }
    }
    if (n_nations == 1) {
        r->out->nation = s->w[nation];
        if (r->out->person) add(r, QN_FACT_THING, s->w[nation], SAY(r, "What nationality %s %.*s?", be, QN_FMT(r->subj)));
    }
    if (!r->out->person && year_of(s->w[v]) && in(r->out->kind, WORKS)) {
        qn_fact *f = add(r, QN_FACT_TIME, s->w[v], SAY(r, "In what year did %.*s come out?", QN_FMT(r->subj)));
        if (f) { f->property = "released"; f->value = year_of(s->w[v]) * 10000.0; }
    }
}

static void read_definition(reader *r, size_t v)    /* "... is a 1924 film directed by X": s.w[v] is behind the article */
{
    const sent *s = &r->s;
    size_t stop = v;    /* the phrase up to a comma, or to its end */
    while (stop < s->n && !is_mark(s->w[stop]) && !in(s->w[stop], " because but ")) stop++;
    bool open = false;
    for (size_t i = v; i < stop; i++) open |= in(s->w[i], " it he she they this these those such former latter also another similar different above below following his her their here part result number lot type kind form member ");
    /* a thing is defined where it is named first; its own document does so in its first sentence */
    bool named_here = r->subj_main ? r->first : qn_str_find(r->passage, r->subj_span) == r->subj_span.p - r->passage.p;
    if (named_here && r->subj_literal && !r->subj_person && !open && stop >= v + 3 && stop - v <= 18 && (stop == s->n || (is(s->w[stop], ",") && stop + 1 < s->n && in(s->w[stop + 1], " which who where whose "))) && !in(s->w[stop - 1], " of in the and or to with for ") &&
        !memchr(s->w[stop - 1].p, '.', s->w[stop - 1].n) && !in(s->w[v], " recent important major basic common good great key very more most "))
        add(r, QN_FACT_DEFINITION, span(s, v - 1, stop), SAY(r, "What %.*s %.*s?", QN_FMT(s->w[v - 2]), QN_FMT(r->subj)));
    for (size_t i = v; i + 2 < s->n; i++) {
        size_t n;
        if (in(s->w[i], " directed written produced designed composed founded developed published built ") && is(s->w[i + 1], "by") && (n = name_at(s, i + 2, s->n)) >= 2 &&
            qn_looks_like_person(span(s, i + 2, i + 2 + n)) && (i + 2 + n == s->n || is(s->w[i + 2 + n], ".") || (is(s->w[i + 2 + n], "and") && i + 3 + n < s->n && in(s->w[i + 3 + n], " starring written produced released published distributed based "))
            || in(s->w[i + 2 + n], " in starring based for ")) && r->subj_main) {
            qn_str ans = span(s, i + 2, i + 2 + n);
            qn_fact *f = add(r, QN_FACT_AGENT, ans, SAY(r, "Who %.*s %.*s?", QN_FMT(active_past(s->w[i])), QN_FMT(r->subj)));
            if (f) f->describe = is(s->w[i], "directed") ? SAY(r, "the director of %.*s", QN_FMT(r->subj)) : SAY(r, "the {y} who %.*s %.*s", QN_FMT(active_past(s->w[i])), QN_FMT(r->subj));
        }
    }
}

/* "Max Bruch (6 January 1838 – 2 October 1920) was": dates in the brackets behind the name. */
static void read_lifetime(reader *r, qn_str text)
{
    if (!r->out->person || !r->out->main.n || !split(text, &r->s)) return;
    const sent *s = &r->s;
    size_t open = 0, close = 0, n;
    while (open < s->n && !is(s->w[open], "(")) open++;
    close = open;
    while (close < s->n && !is(s->w[close], ")")) close++;
    if (open == 0 || open > 6 || close >= s->n || !capital(s->w[0])) return;
    double v;
    size_t dash = 0;
    for (size_t i = open + 1; i < close; i++) {
        if (is(s->w[i], "–") || is(s->w[i], "-") || is(s->w[i], "—")) { if (dash) return; dash = i; }
        if (in(s->w[i], " or c. ca. circa about ") || is(s->w[i], ";") || is(s->w[i], "?")) return;
    }
    size_t i = open + 1;
    if (is(s->w[i], "born")) i++;
    else if (!dash) return;
    r->subj = r->said;
    r->subj_main = true;
    n = date_at(s, i, &v);
    if (n && v > 5000000 && (i + n == close || i + n == dash || in(s->w[i + n], " in ") || is(s->w[i + n], ","))) {
        qn_fact *f = add(r, QN_FACT_TIME, span(s, i, i + n), SAY(r, "When was %.*s born?", QN_FMT(r->subj)));
        if (f) { f->property = "born"; f->value = v; }
        size_t k = i + n, m;
        if (k + 1 < close && is(s->w[k], "in") && (m = name_at(s, k + 1, close)) && (k + 1 + m == close || k + 1 + m == dash || is(s->w[k + 1 + m], ","))) {
            f = add(r, QN_FACT_PLACE, span(s, k + 1, k + 1 + m), SAY(r, "Where was %.*s born?", QN_FMT(r->subj)));
            if (f) f->describe = SAY(r, "the {y} where %.*s was born", QN_FMT(r->subj));
        }
    }
    if (dash && (n = date_at(s, dash + 1, &v)) && v > 5000000 && (dash + 1 + n == close || in(s->w[dash + 1 + n], " in "))) {
        qn_fact *f = add(r, QN_FACT_TIME, span(s, dash + 1, dash + 1 + n), SAY(r, "When did %.*s die?", QN_FMT(r->subj)));
        if (f) { f->property = "died"; f->value = v; }
    }
}

static void read_lead(reader *r)    /* "In 1898 ...", "On 23 September 1846, ..." */
{
    const sent *s = &r->s;
    double v;
    size_t n;
    r->lead = (qn_str){ 0 };
    if (!(is(s->w[0], "In") || is(s->w[0], "On")) || !(n = date_at(s, 1, &v))) return;
    r->lead = span(s, 1, 1 + n);
    r->at = 1 + n;
    if (r->at < s->n && is(s->w[r->at], ",")) r->at++;
}

/* Takes "( ... )" behind the name out of a first sentence. */
static void drop_brackets(sent *s)
{
    size_t open = 0, close, k = 0;
    while (open < s->n && !is(s->w[open], "(")) open++;
    for (close = open; close < s->n && !is(s->w[close], ")"); close++) { }
    if (open > 7 || close >= s->n) return;
    for (size_t i = 0; i < s->n; i++) if (i < open || i > close) s->w[k++] = s->w[i];
    s->n = k;
}

static void read_sentence(reader *r, qn_str text, bool first)
{
    r->first = first;
    if (first) read_lifetime(r, text);
    if (!split(text, &r->s)) { r->last_main = false; return; }
    if (first) drop_brackets(&r->s);
    sent *s = &r->s;
    r->at = 0;
    read_lead(r);
    bool ok = r->at < s->n && take_subject(r);
    bool main = ok && r->subj_main;
    if (!main && r->out->main.n && in(s->w[0], " His Her Its ") && r->last_main) main = true;    /* still about it */
    if (first && r->out->main.n && !ok) {     /* a first sentence that begins in another way: the main entity all the same when it is a definition */
        for (size_t i = 1; i < s->n && i < 8; i++) if (in(s->w[i], " is was ") ) main = true;
    }
    r->last_main = main;
    if (!ok) return;
    size_t v = r->at;
    while (v < s->n && in(s->w[v], " first originally ")) v++;
    qn_str w = s->w[v];
    const char *base;
    if (in(w, " is was are were ") && v + 2 < s->n) {
        char be[8] = { 0 };
        memcpy(be, w.p, w.n);
        size_t p = v + 1;
        if (is(s->w[p], "first") && p + 1 < s->n) p++;
        if (in(s->w[p], PARTICIPLES)) read_passive(r, be, p);
        else if (is(s->w[v + 1], "the")) read_identity(r, be, v + 1);
        else if (in(s->w[v + 1], " a an ")) { read_adjectives(r, be, v + 2); read_definition(r, v + 2); }
        else read_quantity(r, be, v + 1);
    } else if (in(w, " has ")) read_has(r, v);
    else if (in(w, " have had contains contain contained includes include included consists consisted ")) read_how_many(r, v);
    else if ((base = base_of(w))) read_active(r, v, base);
    else read_present(r, v);
}

static qn_str behind_headings(qn_str s)
{
    size_t i = 0;
    for (;;) {
        while (i < s.n && isspace((unsigned char)s.p[i])) i++;
        if (i >= s.n || s.p[i] != '#') break;
        while (i < s.n && s.p[i] != '\n') i++;
    }
    return qn_str_sub(s, i, s.n);
}

void qn_facts_find(qn_str title, qn_str passage, qn_arena *a, qn_facts *out)
{
    reader r = { .a = a, .out = out, .passage = passage, .title = title };
    *out = (qn_facts){ 0 };
    r.body = behind_headings(passage);
    find_main(&r);
    qn_sentences it = qn_sentences_of(r.body);
    qn_str text;
    bool first = true;
    while (qn_sentences_next(&it, &text)) {
        read_sentence(&r, text, first);
        first = false;
    }
    qn_facts_settle(out, passage);
}

const char *qn_fact_kind_name(qn_fact_kind k)
{
    static const char *const N[] = { "time", "place", "agent", "subject", "thing", "quantity", "reason", "definition" };
    return N[k];
}
