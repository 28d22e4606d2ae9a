/* Two facts into one question. */
#include "builtin/multihop.h"
#include "builtin/words_en.h"
#include <ctype.h>
#include <math.h>
#include <strings.h>

static bool same_name(qn_str answer, qn_str name)
{
    if (qn_str_starts(answer, QN_STR("the ")) || qn_str_starts(answer, QN_STR("The "))) answer = qn_str_sub(answer, 4, answer.n);
    return answer.n == name.n && strncasecmp(answer.p, name.p, name.n) == 0;
}

static bool holds(qn_str text, qn_str part)
{
    for (size_t i = 0; part.n && i + part.n <= text.n; i++) if (strncasecmp(text.p + i, part.p, part.n) == 0) return true;
    return false;
}

static qn_str replaced(qn_arena *a, qn_str s, const char *what, qn_str by)
{
    ptrdiff_t at = qn_str_find(s, qn_str_of(what));
    if (at < 0) return s;
    return qn_arena_printf(a, "%.*s%.*s%.*s", (int)at, s.p, QN_FMT(by), (int)(s.n - (size_t)at - strlen(what)), s.p + at + strlen(what));
}

/* What B's thing is called when its name must not be said: "city", "ship"; people are persons. */
static qn_str kind_of(const qn_facts *f, qn_fact_kind role)
{
    if (f->person) return QN_STR("person");
    if (f->kind.n >= 3 && f->kind.n <= 20 && !qn_en_is_plural(f->kind)) {
        if (role == QN_FACT_PLACE && (qn_str_is(f->kind, "capital") || qn_str_is(f->kind, "member"))) return QN_STR("city");
        return f->kind;
    }
    return role == QN_FACT_PLACE ? QN_STR("place") : (qn_str){ 0 };
}

static qn_str description(const qn_fact *f, const qn_facts *b, qn_arena *ar)
{
    qn_str kind = kind_of(b, f->kind), d = f->describe;
    if (f->loose && (f->kind == QN_FACT_AGENT) != b->person && f->kind != QN_FACT_THING) return (qn_str){ 0 };      /* of another sort than was meant: a namesake */
    if (qn_str_find(d, QN_STR("{y}")) < 0) return d;
    if (!kind.n) return (qn_str){ 0 };
    if (f->kind == QN_FACT_AGENT && !b->person) return (qn_str){ 0 };
    if (b->person && qn_str_find(d, QN_STR("{y} that ")) >= 0) d = replaced(ar, d, "{y} that ", QN_STR("{y} whom "));
    return replaced(ar, d, "{y}", kind);
}

/* Q2 with E's name replaced; empty when E does not stand in it exactly once. */
static qn_str merged(qn_str q2, qn_str e, qn_str by, qn_arena *ar)
{
    ptrdiff_t at = -1;
    size_t n = 0;
    for (size_t i = 0; i + e.n <= q2.n; i++) if (strncasecmp(q2.p + i, e.p, e.n) == 0) { at = (ptrdiff_t)i; n++; }
    if (n != 1) return (qn_str){ 0 };
    size_t from = (size_t)at, to = from + e.n;
    if (from >= 4 && strncasecmp(q2.p + from - 4, "the ", 4) == 0) from -= 4;
    if (to < q2.n && q2.p[to] == '\'') return (qn_str){ 0 };
    return qn_arena_printf(ar, "%.*s%.*s%.*s", (int)from, q2.p, QN_FMT(by), (int)(q2.n - to), q2.p + to);
}

/* "When was ...?", 7 November 1867: as often asked for the year. */
static void ask_year(qn_multihop *q, qn_str q2, qn_str text_a, qn_arena *ar)
{
    qn_str d = q->answer;
    if (d.n < 6 || !qn_str_starts(q->question, QN_STR("When ")) || !qn_str_starts(q2, QN_STR("When "))) return;
    qn_str year = qn_str_sub(d, d.n - 4, d.n);
    for (size_t i = 0; i < 4; i++) if (!isdigit((unsigned char)year.p[i])) return;
    if (d.p[d.n - 5] != ' ' || holds(text_a, year) || holds(q->question, year)) return;
    q->question = qn_arena_printf(ar, "In what year %.*s", (int)(q->question.n - 5), q->question.p + 5);
    q->answer = year;
    q->steps[1] = (qn_hop){ qn_arena_printf(ar, "In what year %.*s", (int)(q2.n - 5), q2.p + 5), year };
}

/* The same question in other words, as people put it; the question itself when there are none. `d` stands for E in it. */
static qn_str reworded(qn_str q, qn_str d, qn_rng *r, qn_arena *ar)
{
    static const struct { const char *front, *back, *as[3]; } FORMS[] = {
        { "When was ", " born?", { "What is the date of birth of %.*s?", "On what date was %.*s born?", "When is the birthday of %.*s?" } },
        { "When did ", " die?", { "What is the date of death of %.*s?", "On what date did %.*s die?", "When did the life of %.*s end?" } },
        { "Where was ", " born?", { "What is the place of birth of %.*s?", "In what place was %.*s born?", "What is the birthplace of %.*s?" } },
        { "Where did ", " die?", { "What is the place of death of %.*s?", "In what place did %.*s die?", "What is the place where %.*s died?" } },
        { "What is the occupation of ", "?", { "What does %.*s do for a living?", "What profession does %.*s have?", "What is the profession of %.*s?" } },
        { "Where is ", " located?", { "In what place is %.*s?", "What is the location of %.*s?", "In which place is %.*s located?" } },
        { "What did ", " win?", { "Which award did %.*s win?", "What was %.*s awarded?", "Which prize was won by %.*s?" } },
    };
    if (qn_rng_below(r, 2)) return q;
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        size_t front = strlen(FORMS[i].front), back = strlen(FORMS[i].back);
        if (q.n != front + d.n + back || !qn_str_starts(q, qn_str_of(FORMS[i].front)) || !qn_str_ends(q, qn_str_of(FORMS[i].back))) continue;
        const char *as = FORMS[i].as[qn_rng_below(r, 3)], *hole = strstr(as, "%.*s");
        return qn_arena_printf(ar, "%.*s%.*s%s", (int)(hole - as), as, QN_FMT(d), hole + 4);
    }
    return q;
}

/* "the director of X" -> "the director of the film X", one time in three. */
static qn_str with_kind(qn_str d, const qn_facts *a, qn_rng *r, qn_arena *ar)
{
    ptrdiff_t at = qn_str_find(d, a->said);
    if (a->person || at < 4 || a->kind.n < 3 || a->kind.n > 16 || qn_en_is_plural(a->kind) || qn_str_starts(a->said, QN_STR("the ")) || qn_rng_below(r, 3)) return d;
    for (size_t i = 0; i < a->kind.n; i++) if (!islower((unsigned char)a->kind.p[i])) return d;
    return qn_arena_printf(ar, "%.*sthe %.*s %.*s", (int)at, d.p, QN_FMT(a->kind), (int)(d.n - (size_t)at), d.p + at);
}

bool qn_bridge_write(const qn_facts *a, qn_str text_a, const qn_facts *b, qn_str e, qn_rng *r, qn_arena *ar, qn_multihop *out)
{
    if (!a->main.n || !e.n || holds(a->main, e) || holds(e, a->main)) return false;
    size_t n = 0, pick = 0;
    for (int pass = 0; pass < 2; pass++) {
        size_t k = 0;
        for (size_t i = 0; i < a->n; i++) {
            const qn_fact *f = &a->items[i];
            if (!f->describe.n || !same_name(f->answer, e)) continue;
            qn_str d = description(f, b, ar);
            if (!d.n || holds(d, e)) continue;
            for (size_t j = 0; j < b->n; j++) {
                const qn_fact *g = &b->items[j];
                if (!g->about_main || !g->unique || qn_str_find(g->question, QN_STR("{y}")) >= 0) continue;
                qn_str q = merged(g->question, e, d, ar);
                /* the second hop must be needed: its answer stands neither in the question nor in the first document */
                if (!q.n || q.n > 240 || holds(q, g->answer) || holds(text_a, g->answer) || holds(g->question, a->main)) continue;
                if (pass == 0) { n++; continue; }
                if (k++ != pick) continue;
                qn_str kind = kind_of(b, f->kind);
                if (qn_str_find(q, QN_STR("? ")) >= 0 || qn_str_find(q, QN_STR("??")) >= 0) return false;   /* titles that ask themselves */
                if (a->said.n) d = with_kind(d, a, r, ar);
                out->question = reworded(merged(g->question, e, d, ar), d, r, ar);
                out->answer = g->answer;
                if (holds(out->question, g->answer)) return false;
                out->seed = e;
                out->steps[0] = (qn_hop){ kind.n ? replaced(ar, f->question, "{y}", kind) : f->question, f->answer };
                out->steps[1] = (qn_hop){ g->question, g->answer };
                if (g->kind == QN_FACT_TIME && qn_rng_below(r, 3) == 0) ask_year(out, g->question, text_a, ar);
                return qn_str_find(out->steps[0].question, QN_STR("{y}")) < 0;
            }
        }
        if (n == 0) return false;
        pick = qn_rng_below(r, n);
    }
    return false;
}

typedef struct { const char *property, *more, *less; } wording;
static const wording WORDS[] = {
    { "born", "was born later", "was born first" }, { "born", "is younger", "is older" }, { "died", "died later", "died first" }, { "discovered", "was discovered later", "was discovered first" },
    { "founded", "was founded later", "was founded first" }, { "founded", "was formed later", "was formed first" }, { "completed", "was completed later", "was completed first" }, { "released", "was released later", "was released first" }, { "released", "came out later", "came out first" }, { "released", "came out later", "came out earlier" },
    { "opened", "was opened later", "was opened first" }, { "published", "was published later", "was published first" }, { "launched", "was launched later", "was launched first" },
    { "built", "was built later", "was built first" }, { "invented", "was invented later", "was invented first" }, { "long", "is longer", "is shorter" }, { "high", "is higher", "is lower" }, { "populous", "has more inhabitants", "has fewer inhabitants" }, { "populous", "has a larger population", "has a smaller population" },
};

/* Which of two dates is later; 0 when they may be the same ("1867" and "7 November 1867"). */
static int later(double x, double y)
{
    double yx = floor(x / 10000), yy = floor(y / 10000), mx = floor(fmod(x, 10000) / 100), my = floor(fmod(y, 10000) / 100), dx = fmod(x, 100), dy = fmod(y, 100);
    if (yx != yy) return yx > yy ? 1 : -1;
    if (mx == 0 || my == 0) return 0;
    if (mx != my) return mx > my ? 1 : -1;
    if (dx == 0 || dy == 0 || dx == dy) return 0;
    return dx > dy ? 1 : -1;
}

/* Two nations of which one holds the other: no question can be asked of them. */
static bool nations_overlap(qn_str x, qn_str y)
{
    static const char PARTS[] = " English Scottish Welsh Irish ";
    bool bx = qn_str_is(x, "British"), by = qn_str_is(y, "British"), sx = qn_str_is(x, "Soviet"), sy = qn_str_is(y, "Soviet");
    return (bx && qn_str_find(qn_str_of(PARTS), y) >= 0) || (by && qn_str_find(qn_str_of(PARTS), x) >= 0) || sx != sy;
}

/* Do both have a nation in common? Answered with yes or no. */
static bool same_nation_write(const qn_facts *a, const qn_facts *b, qn_rng *r, qn_arena *ar, qn_multihop *out)
{
    if (!a->nation.n || !b->nation.n || nations_overlap(a->nation, b->nation)) return false;
    bool same = qn_str_eq(a->nation, b->nation), people = a->person && b->person, swap = qn_rng_below(r, 2);
    const qn_facts *x = swap ? b : a, *y = swap ? a : b;
    size_t form = qn_rng_below(r, 4);
    if (!same && qn_rng_below(r, 5)) return false;      /* two at random are rarely of one nation: most of those that are not stay out */
    if (form == 0) out->question = qn_arena_printf(ar, people ? "Were %.*s and %.*s of the same nationality?" : "Are %.*s and %.*s from the same country?", QN_FMT(x->said), QN_FMT(y->said));
    else if (form == 1) out->question = qn_arena_printf(ar, people ? "Did %.*s and %.*s have the same nationality?" : "Do %.*s and %.*s come from the same country?", QN_FMT(x->said), QN_FMT(y->said));
    else {
        /* half of the time one nation is asked for, so that "no" is no surprise */
        qn_str nation = qn_rng_below(r, 2) ? x->nation : y->nation, kind = a->kind.n && qn_str_eq(a->kind, b->kind) && !people ? qn_en_plural(ar, a->kind) : QN_STR("");
        out->question = qn_arena_printf(ar, form == 2 ? "%s %.*s and %.*s both %.*s%s%.*s?" : "%s both %.*s and %.*s %.*s%s%.*s?", people ? "Were" : "Are", QN_FMT(x->said), QN_FMT(y->said),
                                        QN_FMT(nation), kind.n ? " " : "", QN_FMT(kind));
    }
    out->answer = same ? QN_STR("yes") : QN_STR("no");
    out->seed = people ? QN_STR("person") : a->kind;
    const qn_facts *both[] = { a, b };
    for (int i = 0; i < 2; i++) out->steps[i] = (qn_hop){ qn_arena_printf(ar, both[i]->person ? "What nationality was %.*s?" : "What is the nationality of %.*s?", QN_FMT(both[i]->said)), both[i]->nation };
    return true;
}

static bool one_of(qn_str w, const char *list) /* " a b " */
{
    char key[32];
    if (w.n == 0 || w.n > 28) return false;
    key[0] = ' ';
    memcpy(key + 1, w.p, w.n);
    key[w.n + 1] = ' ';
    key[w.n + 2] = 0;
    return strstr(list, key) != NULL;
}

bool qn_kinds_akin(const qn_facts *a, const qn_facts *b)
{
    static const char *const FAMILIES[] = {
        " film album song single novel book play opera magazine newspaper musical game soundtrack sitcom manga ", " village town city municipality commune river lake mountain island county district province park bridge ",
        " company university school college museum airport station church hotel stadium band group club ", " plant genus species tree flower animal bird fish breed " };
    if (a->person || b->person || !a->kind.n || !b->kind.n) return false;
    for (size_t i = 0; i < sizeof FAMILIES / sizeof *FAMILIES; i++) if (one_of(a->kind, FAMILIES[i]) && one_of(b->kind, FAMILIES[i])) return true;
    return false;
}

static const char NO_TRADE[] = " film television theatre wife husband widow heir member son daughter sister brother child person man woman part one name family music title winner ";

/* Are both of one kind: film directors, villages? Answered with yes or no. */
static bool same_kind_write(const qn_facts *a, const qn_facts *b, qn_rng *r, qn_arena *ar, qn_multihop *out)
{
    bool people = a->person && b->person, same = qn_str_eq(a->kind, b->kind), swap = qn_rng_below(r, 2);
    if (!a->kind.n || !b->kind.n || (!people && !qn_kinds_akin(a, b)) || qn_en_is_plural(a->kind) || qn_en_is_plural(b->kind)) return false;
    if (people && (one_of(a->kind, NO_TRADE) || one_of(b->kind, NO_TRADE))) return false;
    if (people && !same && qn_rng_below(r, 12)) return false;        /* two at random rarely do the same */
    const qn_facts *x = swap ? b : a, *y = swap ? a : b;
    qn_str kind = qn_en_plural(ar, qn_rng_below(r, 2) ? x->kind : y->kind);
    const char *be = people && qn_rng_below(r, 2) ? "Were" : "Are";
    out->question = qn_rng_below(r, 2) ? qn_arena_printf(ar, "%s %.*s and %.*s both %.*s?", be, QN_FMT(x->said), QN_FMT(y->said), QN_FMT(kind))
                                       : qn_arena_printf(ar, "%s both %.*s and %.*s %.*s?", be, QN_FMT(x->said), QN_FMT(y->said), QN_FMT(kind));
    out->answer = same ? QN_STR("yes") : QN_STR("no");
    out->seed = people ? QN_STR("person") : a->kind;
    const qn_facts *both[] = { a, b };
    for (int i = 0; i < 2; i++) out->steps[i] = (qn_hop){ qn_arena_printf(ar, "What %s %.*s?", people ? "was" : "is", QN_FMT(both[i]->said)), both[i]->kind };
    return true;
}

/* Which of the two is French, which a director? And where they are alike: what do both have? */
static bool by_trait_write(const qn_facts *a, const qn_facts *b, qn_rng *r, qn_arena *ar, qn_multihop *out)
{
    bool people = a->person && b->person, nation = a->nation.n && b->nation.n && !nations_overlap(a->nation, b->nation) && qn_rng_below(r, 2), swap = qn_rng_below(r, 2), said = qn_rng_below(r, 2);
    if (!nation && !(people && a->kind.n && b->kind.n && !qn_en_is_plural(a->kind) && !qn_en_is_plural(b->kind))) return false;
    if (!nation && (one_of(a->kind, NO_TRADE) || one_of(b->kind, NO_TRADE))) return false;
    qn_str ta = nation ? a->nation : a->kind, tb = nation ? b->nation : b->kind;
    const qn_facts *x = swap ? b : a, *y = swap ? a : b, *one = qn_rng_below(r, 2) ? a : b;
    if (qn_str_eq(ta, tb)) {
        const char *what = nation ? "nationality" : "profession";
        if (nation && !people) return false;
        out->question = qn_arena_printf(ar, said ? "What %s do %.*s and %.*s share?" : "What %s do %.*s and %.*s have in common?", what, QN_FMT(x->said), QN_FMT(y->said));
        out->answer = ta;
    } else {
        qn_str trait = one == a ? ta : tb;
        const char *verb = people && said ? "was" : "is", *article = nation ? "" : qn_en_article(trait), *space = nation ? "" : " ";
        if (people) out->question = qn_arena_printf(ar, "Who %s %s%s%.*s, %.*s or %.*s?", verb, article, space, QN_FMT(trait), QN_FMT(x->said), QN_FMT(y->said));
        else out->question = qn_arena_printf(ar, "Which %.*s is %.*s, %.*s or %.*s?", QN_FMT(a->kind), QN_FMT(trait), QN_FMT(x->said), QN_FMT(y->said));
        out->answer = one->main;
    }
    out->seed = people ? QN_STR("person") : a->kind;
    const qn_facts *both[] = { a, b };
    const char *asks = nation ? "What nationality was %.*s?" : "What was the profession of %.*s?";
    for (int i = 0; i < 2; i++) out->steps[i] = (qn_hop){ qn_arena_printf(ar, asks, QN_FMT(both[i]->said)), i ? tb : ta };
    return true;
}

bool qn_comparison_write(const qn_facts *a, const qn_facts *b, qn_rng *r, qn_arena *ar, qn_multihop *out)
{
    bool may = (a->person && b->person) || (!a->person && !b->person && a->kind.n && qn_str_eq(a->kind, b->kind));
    if (may && !same_name(a->main, b->main) && qn_rng_below(r, 3) == 0 && by_trait_write(a, b, r, ar, out)) return true;
    if (qn_rng_below(r, 3) == 0 && same_kind_write(a, b, r, ar, out)) return true;
    bool alike = (a->person && b->person) || (!a->person && !b->person && a->kind.n && qn_str_eq(a->kind, b->kind));
    if (!alike || same_name(a->main, b->main)) return false;
    if (qn_rng_below(r, 2) && same_nation_write(a, b, r, ar, out)) return true;
    for (size_t t = 0; t < 8; t++) {
        if (!a->n || !b->n) return false;
        const qn_fact *f = &a->items[qn_rng_below(r, a->n)], *g = NULL;
        for (size_t j = 0; f->property && j < b->n && !g; j++) if (b->items[j].property && strcmp(b->items[j].property, f->property) == 0) g = &b->items[j];
        if (!g || !f->about_main || !g->about_main || !qn_str_eq(f->unit, g->unit)) continue;
        bool timed = f->kind == QN_FACT_TIME;
        int cmp = timed ? later(f->value, g->value) : f->value > g->value ? 1 : f->value < g->value ? -1 : 0;
        if (cmp == 0 || (!timed && fabs(f->value - g->value) < 0.01 * fabs(f->value))) continue;
        size_t n_words = sizeof WORDS / sizeof *WORDS, from = qn_rng_below(r, n_words);     /* one of the property's wordings */
        for (size_t i = 0; i < n_words; i++) {
            size_t w = (from + i) % n_words;
            if (strcmp(WORDS[w].property, f->property) != 0) continue;
            bool more = qn_rng_below(r, 2), swap = qn_rng_below(r, 2);
            qn_str x = swap ? b->said : a->said, y = swap ? a->said : b->said;
            const char *who = a->person ? "Who" : "Which";
            if (qn_rng_below(r, 3) == 0 || a->person) out->question = qn_arena_printf(ar, "%s %s, %.*s or %.*s?", who, more ? WORDS[w].more : WORDS[w].less, QN_FMT(x), QN_FMT(y));
            else out->question = qn_arena_printf(ar, "Which %.*s %s, %.*s or %.*s?", QN_FMT(a->kind), more ? WORDS[w].more : WORDS[w].less, QN_FMT(x), QN_FMT(y));
            out->answer = (cmp > 0) == more ? a->main : b->main;
            out->seed = a->person ? QN_STR("person") : a->kind;
            out->steps[0] = (qn_hop){ f->question, f->answer };
            out->steps[1] = (qn_hop){ g->question, g->answer };
            return true;
        }
    }
    return same_nation_write(a, b, r, ar, out);
}
