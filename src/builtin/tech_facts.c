/* tech_facts: a sentence as words, with `code` as one word; then one small reader for each pattern. */
#include "builtin/tech_facts.h"
#include "text/sentences.h"
#include <ctype.h>

enum { MAX_WORDS = 60, LONGEST_SUBJECT = 8, LONGEST_ANSWER = 26 };

typedef struct {
    qn_arena *a;
    qn_facts *out;
    qn_str passage;
    qn_str w[MAX_WORDS];    /* words and marks; a span in backticks is one word */
    size_t n;
} reader;

#define SAY(r, ...) qn_arena_printf((r)->a, __VA_ARGS__)

/* ---- words ---- */
static bool is(qn_str w, const char *z) { return qn_str_is(w, z); }

static bool in(qn_str w, const char *list)      /* " a b c ", whatever the case of the first letter */
{
    char key[40];
    if (w.n == 0 || w.n + 3 > sizeof key) return false;
    key[0] = ' ';
    memcpy(key + 1, w.p, w.n);
    key[1] = (char)tolower((unsigned char)key[1]);
    key[w.n + 1] = ' ';
    key[w.n + 2] = 0;
    return strstr(list, key) != NULL;
}

/* A name of a program's: in backticks, or with _ or () in it, or an option. One of small letters alone may be any local's: `file`, `data`. */
static bool is_name(qn_str w, bool *plain)
{
    bool ticks = w.n && w.p[0] == '`', sign = false, space = false;
    for (size_t i = 0; i < w.n; i++) {
        sign |= w.p[i] == '_' || w.p[i] == '-' || w.p[i] == '.' || w.p[i] == '(' || isupper((unsigned char)w.p[i]) || isdigit((unsigned char)w.p[i]);
        space |= w.p[i] == ' ' || w.p[i] == '\n' || (w.p[i] == '/' && i && !strchr(":/", w.p[i - 1]));      /* a path is no name */
        sign |= w.p[i] == '/';
    }
    *plain = !sign;
    if (ticks) return w.n >= 5 && w.n <= 40 && !space && !isdigit((unsigned char)w.p[1]);
    bool option = w.n > 4 && w.p[0] == '-' && w.p[1] == '-' && isalpha((unsigned char)w.p[2]);
    return option || (w.n > 4 && isalpha((unsigned char)w.p[0]) && (memchr(w.p, '_', w.n) || qn_str_ends(w, QN_STR("()"))));
}
static bool is_code(qn_str w) { bool plain; return is_name(w, &plain) && !plain; }
static bool is_mark(qn_str w) { return w.n == 1 && strchr(",;:()", w.p[0]) != NULL; }

/* False when it is no plain sentence: a heading, a table, a quotation, code, a link, bold type, a sentence cut by a list. */
static bool split(reader *r, qn_str s)
{
    r->n = 0;
    if (s.n > 2 && strchr("-*+", s.p[0]) && s.p[1] == ' ') s = qn_str_sub(s, 2, s.n);       /* an item of a list */
    if (s.n == 0 || strchr("#|>", s.p[0]) || !(s.p[s.n - 1] == '.' || s.p[s.n - 1] == '!')) return false;
    while (s.n && strchr(".!", s.p[s.n - 1])) s.n--;
    if (memchr(s.p, '|', s.n) || memchr(s.p, '[', s.n) || memchr(s.p, '"', s.n) || qn_str_find(s, QN_STR("**")) >= 0 || qn_str_find(s, QN_STR("```")) >= 0) return false;
    for (size_t i = 0; i + 1 < s.n; i++) if (s.p[i] == '\n' && strchr("-*+\n#>", s.p[i + 1])) return false;
    for (size_t i = 0; i < s.n;) {
        size_t from = i;
        if (isspace((unsigned char)s.p[i])) { i++; continue; }
        if (s.p[i] == '`') {
            const char *close = memchr(s.p + i + 1, '`', s.n - i - 1);
            if (!close) return false;
            i = (size_t)(close - s.p) + 1;
        } else if (strchr(",;:()", s.p[i])) i++;
        else while (i < s.n && !isspace((unsigned char)s.p[i]) && !(strchr(",;:()", s.p[i]) && (i + 1 == s.n || isspace((unsigned char)s.p[i + 1]) || strchr(",;()", s.p[i])))) i++;
        if (i == from) i++;
        if (r->n == MAX_WORDS) return false;
        r->w[r->n++] = qn_str_sub(s, from, i);
    }
    return r->n >= 3;
}

static qn_str span(const reader *r, size_t from, size_t to)
{
    return (qn_str){ r->w[from].p, (size_t)(r->w[to - 1].p + r->w[to - 1].n - r->w[from].p) };
}

/* As it is said inside a question: white space folded, a leading "The" small. */
static qn_str said(reader *r, size_t from, size_t to)
{
    qn_str s = qn_arena_str(r->a, span(r, from, to));
    char *p = (char *)(uintptr_t)s.p;
    bool name = to - from > 1 && isupper((unsigned char)r->w[from + 1].p[0]) && !in(r->w[from], " the a an ");
    bool acronym = r->w[from].n > 1 && isupper((unsigned char)r->w[from].p[1]);
    if (!name && !acronym) p[0] = (char)tolower((unsigned char)p[0]);
    for (size_t i = 0; i < s.n; i++) if (isspace((unsigned char)p[i])) p[i] = ' ';
    return s;
}

static const char POINTERS[] = " this that these those it they he she we you i its their his her such here there which who what both each some many most all other others another one former latter same "
                               "following above below if when while where although since because for in on at by with from to as after before once until unless note see first second finally also however then "
                               "otherwise instead not no never so thus therefore and or but any every either neither ";

/* Does a subject that stands alone end at `to`? It holds no mark, no word that points elsewhere, no verb. */
static bool subject(const reader *r, size_t to)
{
    if (to == 0 || to > LONGEST_SUBJECT || isdigit((unsigned char)r->w[0].p[0])) return false;
    if (to == 1 && !is_code(r->w[0])) return r->w[0].n > 3 && isupper((unsigned char)r->w[0].p[0]) && !in(r->w[0], POINTERS) && !in(r->w[0], " the a an ") && r->w[0].p[r->w[0].n - 1] == 's';
    if (in(r->w[0], POINTERS)) return false;
    for (size_t i = 0; i < to; i++)
        if (is_mark(r->w[i]) || (i && in(r->w[i], " this that these those it they its their which who is are was were be has have can may will must should value result return case same time ")) ||
            (!is_code(r->w[i]) && r->w[i].p[0] == '`')) return false;
    if (in(r->w[0], " the a an ") && to < 3 && !is_code(r->w[to - 1])) return false;     /* "the file": which? */
    return true;
}

/* A name in code font, with what it is or without: `x`, the `x` option, the function `x`. Words it takes from the front, 0 none. */
static size_t code_subject(const reader *r)
{
    static const char KINDS[] = " option flag function macro variable parameter argument field method command environment constant callback handle type structure struct directive attribute keyword module header "
                                "setting statement operator program tool file library metamethod event ";
    size_t i = in(r->w[0], " the a ");
    bool plain, said_what = false;
    while (i < 3 && i + 1 < r->n && in(r->w[i], KINDS)) said_what |= in(r->w[i++], " function macro method command keyword module metamethod program operator event option flag ");
    if (i >= r->n || !is_name(r->w[i], &plain) || (plain && !said_what)) return 0;
    i++;
    if (i + 1 < r->n && in(r->w[i], KINDS)) i++;
    return i;
}

/* The words from..: up to the sentence's end, or to what only adds to it. 0: not to be used. */
static size_t answer_end(const reader *r, size_t from)
{
    size_t i = from;
    for (; i < r->n; i++) {
        if (is(r->w[i], "(") || is(r->w[i], ";")) break;
        if (is(r->w[i], ":") || is(r->w[i], ")")) return 0;
        if (is(r->w[i], ",") && i + 1 < r->n && in(r->w[i + 1], " which and but so where who while because since as although though except ")) break;
        if (in(r->w[i], " this these those it they them here above below following ")) return 0;
    }
    if (i > from && qn_str_ends(r->w[i - 1], QN_STR("'s"))) return 0;
    if (i == from || i - from > LONGEST_ANSWER || is_mark(r->w[i - 1]) || in(r->w[i - 1], " of the a an and or to in for with by is are ")) return 0;
    return i;
}

static void add(reader *r, qn_fact_kind kind, size_t from, size_t to, qn_str question)
{
    if (to > from) qn_facts_add(r->out, r->a, r->passage, kind, span(r, from, to), question);
}

/* ---- patterns ---- */
static bool is_acronym(qn_str w)
{
    if (w.n < 2 || w.n > 6) return false;
    for (size_t i = 0; i < w.n; i++) if (!isupper((unsigned char)w.p[i])) return false;
    return true;
}

static bool begins_with(qn_str w, char letter) { return w.n && toupper((unsigned char)w.p[0]) == letter; }

/* Do the words that end at `end` begin with the letters, small words between them passed over? The first word's place, or end. */
static size_t long_form(const reader *r, size_t end, qn_str letters)
{
    size_t i = end, k = letters.n;
    while (k > 0 && i > 0) {
        qn_str w = r->w[i - 1];
        if (begins_with(w, letters.p[k - 1])) { k--; i--; continue; }
        const char *hyphen = memrchr(w.p, '-', w.n);
        if (k > 1 && hyphen && hyphen + 1 < w.p + w.n && toupper((unsigned char)hyphen[1]) == letters.p[k - 1] && begins_with(w, letters.p[k - 2])) { k -= 2; i--; continue; }
        if (!in(w, " of and the for to on in ") || k == letters.n) return end;
        i--;
    }
    return k == 0 ? i : end;
}

static void read_acronyms(reader *r)
{
    for (size_t i = 1; i + 2 < r->n; i++) {
        if (!is(r->w[i], "(") || !is(r->w[i + 2], ")")) continue;
        if (!is_acronym(r->w[i + 1])) continue;
        size_t from = long_form(r, i, r->w[i + 1]);
        if (from < i && i - from >= 2 && !qn_str_ends(r->w[i - 1], QN_STR("'s"))) add(r, QN_FACT_THING, from, i, SAY(r, "What does %.*s stand for?", QN_FMT(r->w[i + 1])));
    }
    for (size_t i = 0; i + 3 < r->n; i++) {         /* CWE (Common Weakness Enumeration) */
        if (!is_acronym(r->w[i]) || !is(r->w[i + 1], "(")) continue;
        size_t close = i + 2;
        while (close < r->n && !is_mark(r->w[close])) close++;
        if (close < r->n && is(r->w[close], ")") && close > i + 3 && long_form(r, close, r->w[i]) == i + 2)
            add(r, QN_FACT_THING, i + 2, close, SAY(r, "What does %.*s stand for?", QN_FMT(r->w[i])));
    }
}

static void read_default(reader *r)
{
    if (!is(r->w[0], "The") || !is(r->w[1], "default")) return;
    size_t v = 2;
    while (v < r->n && !in(r->w[v], " is are ")) v++;
    size_t end = v + 1 < r->n ? answer_end(r, v + 1) : 0;
    if (end == 0 || v < 3 || v > 8 || end - v > 10 || in(r->w[v + 1], " to that not used set determined chosen called expected taken always ")) return;
    if (v == 3 && !is_code(r->w[2])) return;        /* "the default size": of what? */
    for (size_t i = 2; i < v; i++) if (is_mark(r->w[i]) || in(r->w[i], " if when this that it used ") || (r->w[i].p[0] == '`' && !is_code(r->w[i]))) return;
    if (in(r->w[2], " value ") && v < 5) return;
    add(r, QN_FACT_THING, v + 1, end, SAY(r, "What %.*s the default %.*s?", QN_FMT(r->w[v]), QN_FMT(said(r, 2, v))));
}

static void read_defaults_to(reader *r)
{
    for (size_t v = 1; v + 2 < r->n && v <= LONGEST_SUBJECT; v++) {
        bool one = is(r->w[v], "defaults");
        if ((!one && !is(r->w[v], "default")) || !is(r->w[v + 1], "to")) continue;
        size_t end = answer_end(r, v + 2);
        bool ok = code_subject(r) == v || (!one && v > 1 && subject(r, v));
        if (ok && end) add(r, QN_FACT_THING, v + 2, end, SAY(r, "What %s %.*s default to?", one ? "does" : "do", QN_FMT(said(r, 0, v))));
        return;
    }
}

/* "was added in curl 7.61.0": the word in front of the number says of what. */
static void read_version(reader *r)
{
    for (size_t v = 1; v + 4 < r->n && v <= LONGEST_SUBJECT + 1; v++) {
        if (!in(r->w[v], " was were ") || !in(r->w[v + 1], " added introduced removed deprecated ") || !is(r->w[v + 2], "in")) continue;
        qn_str of = r->w[v + 3], number = r->w[v + 4];
        bool ok = (code_subject(r) == v || (v > 1 && subject(r, v))) && isalpha((unsigned char)of.p[0]) && !is(of, "version") && number.n >= 3 && isdigit((unsigned char)number.p[0]) &&
                  memchr(number.p, '.', number.n) && (v + 5 == r->n || is_mark(r->w[v + 5]));
        if (ok) add(r, QN_FACT_THING, v + 4, v + 5, SAY(r, "In which version of %.*s %.*s %.*s %.*s?", QN_FMT(of), QN_FMT(r->w[v]), QN_FMT(said(r, 0, v)), QN_FMT(r->w[v + 1])));
        return;
    }
}

static const char *const VERBS[][2] = { { "returns", "return" }, { "sets", "set" }, { "specifies", "specify" }, { "enables", "enable" }, { "disables", "disable" }, { "contains", "contain" },
    { "holds", "hold" }, { "controls", "control" }, { "represents", "represent" }, { "indicates", "indicate" }, { "describes", "describe" }, { "defines", "define" }, { "creates", "create" },
    { "prints", "print" }, { "shows", "show" }, { "lists", "list" }, { "tells", "tell" }, { "removes", "remove" }, { "performs", "perform" }, { "implements", "implement" }, { "denotes", "denote" },
    { "receives", "receive" }, { "stores", "store" }, { "opens", "open" }, { "loads", "load" }, { "requires", "require" }, { "accepts", "accept" }, { "takes", "take" }, { "selects", "select" } };

/* A name in code font that is or does something. */
static void read_code(reader *r)
{
    size_t v = code_subject(r), end;
    if (v == 0 || v + 1 >= r->n) return;
    if (is(r->w[v], "is") && in(r->w[v + 1], " a an the ") && !in(r->w[v + 2], " same only first last one single ") && (end = answer_end(r, v + 1)) && end > v + 3)
        add(r, QN_FACT_DEFINITION, v + 1, end, SAY(r, "What is %.*s?", QN_FMT(said(r, 0, v))));
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++)
        if (is(r->w[v], VERBS[i][0]) && (end = answer_end(r, v + 1)) && !in(r->w[v + 1], " from to on in with by only when if immediately "))
            add(r, QN_FACT_THING, v + 1, end, SAY(r, "What does %.*s %s?", QN_FMT(said(r, 0, v)), VERBS[i][1]));
}

/* "Identifiers are used to name variables": the words in front stand alone. */
static void read_use(reader *r)
{
    for (size_t v = 1; v + 3 < r->n && v <= LONGEST_SUBJECT; v++) {
        if (!in(r->w[v], " is are ")) continue;
        bool ok = subject(r, v) || code_subject(r) == v;
        size_t at = v + 1;
        if (ok && is(r->w[at], "used") && in(r->w[at + 1], " to for ")) {
            size_t from = is(r->w[at + 1], "to") ? at + 1 : at + 2, end = answer_end(r, from);
            if (end > from + 1) add(r, QN_FACT_THING, from, end, SAY(r, "What %.*s %.*s used for?", QN_FMT(r->w[v]), QN_FMT(said(r, 0, v))));
        }
        if (ok && is(r->w[at], "called") && at + 2 < r->n && (in(r->w[at + 1], " a an the ") || is_code(r->w[at + 1]) || isupper((unsigned char)r->w[at + 1].p[0]))) {
            size_t end = answer_end(r, at + 1);
            if (end && end - at <= 6) add(r, QN_FACT_THING, at + 1, end, SAY(r, "What %.*s %.*s called?", QN_FMT(r->w[v]), QN_FMT(said(r, 0, v))));
        }
        return;
    }
}

/* "Adapted Material means ...": a defined term, all of it capitalised; or a name in code font. */
static void read_meaning(reader *r)
{
    for (size_t v = 1; v + 2 < r->n && v <= LONGEST_SUBJECT; v++) {
        bool stands = is(r->w[v], "stands") && is(r->w[v + 1], "for");
        if (!is(r->w[v], "means") && !stands) continue;
        size_t from = v + 1 + stands, end = answer_end(r, from);
        bool term = code_subject(r) == v;
        if (!term && v <= 5) {
            term = !in(r->w[0], POINTERS) && (v > 1 || is_acronym(r->w[0]));
            for (size_t i = 0; i < v; i++) term &= isupper((unsigned char)r->w[i].p[0]) || (i && in(r->w[i], " and of "));
        }
        if (term && end > from && !is(r->w[from], "that"))
            add(r, QN_FACT_DEFINITION, from, end, SAY(r, "What does %.*s %s?", QN_FMT(v > 1 && !is_code(r->w[0]) && !in(r->w[0], " the ") ? span(r, 0, v) : said(r, 0, v)), stands ? "stand for" : "mean"));
        return;
    }
}

void qn_tech_facts_find(qn_str passage, qn_arena *a, qn_facts *out)
{
    reader r = { .a = a, .out = out, .passage = passage };
    qn_sentences it = qn_sentences_of(passage);
    qn_str text;
    bool fenced = false;
    while (qn_sentences_next(&it, &text)) {
        bool fence = qn_str_find(text, QN_STR("```")) >= 0;
        if (fence) fenced = !fenced;
        if (fence || fenced || !split(&r, text)) continue;
        read_acronyms(&r);
        read_default(&r);
        read_defaults_to(&r);
        read_version(&r);
        read_code(&r);
        read_use(&r);
        read_meaning(&r);
    }
    qn_facts_settle(out, passage);
}
