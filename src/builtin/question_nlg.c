/* Questions from sketches. Each form has its own small function; all share the way names, values and conditions are said. */
#include "builtin/question_nlg.h"
#include "builtin/words_en.h"
#include <ctype.h>
#include <math.h>

typedef struct {
    const qn_table_view *v;
    const qn_sketch *s;
    qn_rng  *r;
    qn_arena a;
    qn_buf   b;         /* the question */
    bool     person;    /* its rows are people */
} nlg;

/* ---- slots ---- */
typedef struct { qn_str e, s, p, v, t, o, m, a, b, n, x, w; } slots;

static qn_str pick(nlg *g, const char *alternatives)
{
    int n = 1;
    for (const char *c = alternatives; *c; c++) n += *c == '|';
    uint64_t k = qn_rng_below(g->r, (uint64_t)n);
    while (k--) alternatives = strchr(alternatives, '|') + 1;
    const char *end = strchr(alternatives, '|');
    return (qn_str){ alternatives, end ? (size_t)(end - alternatives) : strlen(alternatives) };
}

static const qn_str *slot(const slots *k, const nlg *g, qn_str name)
{
    if (qn_str_is(name, "T")) return &g->v->noun;
    if (qn_str_is(name, "Ts")) return &g->v->nouns;
    if (name.n != 1) return NULL;
    switch (name.p[0]) {
    case 'e': return &k->e; case 's': return &k->s; case 'p': return &k->p; case 'v': return &k->v; case 't': return &k->t; case 'o': return &k->o;
    case 'm': return &k->m; case 'a': return &k->a; case 'b': return &k->b; case 'n': return &k->n; case 'x': return &k->x; case 'w': return &k->w;
    default: return NULL;
    }
}

/* Fills one template. An empty slot takes the space in front of it away; {m} brings its own space. */
static void fill_into(nlg *g, qn_buf *b, qn_str t, const slots *k)
{
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] != '{') { qn_buf_putc(b, t.p[i]); continue; }
        size_t end = i;
        while (t.p[end] != '}') end++;
        const qn_str *s = slot(k, g, qn_str_sub(t, i + 1, end));
        QN_ASSERT(s);
        qn_buf_str(b, *s);
        i = end;
    }
}
static qn_str fill(nlg *g, const char *alternatives, const slots *k)
{
    qn_buf b = { 0 };
    fill_into(g, &b, pick(g, alternatives), k);
    qn_str s = qn_arena_str(&g->a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}
static bool say(nlg *g, const char *alternatives, slots k)
{
    fill_into(g, &g->b, pick(g, alternatives), &k);
    return true;
}

/* ---- names and values ---- */
static const qn_table_col *column(const nlg *g, int c) { return &g->v->cols[c]; }
static qn_str join(nlg *g, const char *fmt, qn_str a, qn_str b) { return qn_arena_printf(&g->a, fmt, QN_FMT(a), QN_FMT(b)); }

static bool classed(qn_str noun)   /* "the element Sodium", "the song Hello" */
{
    static const char *const N[] = { "element", "planet", "moon", "language", "song", "album", "film", "single", "ship", "opera", "novel", "book" };
    for (size_t i = 0; i < sizeof N / sizeof *N; i++) if (qn_str_is(noun, N[i])) return true;
    return false;
}

static qn_str entity(nlg *g, qn_str name)
{
    const qn_table_view *v = g->v;
    bool known = !qn_str_is(v->noun, "entry") && v->noun.n > 0;
    static const char *const TH[] = { "1st", "2nd", "3rd", "th" };
    for (int i = 0; i < 4; i++)     /* "the 16th edition" */
        if (known && isdigit((unsigned char)name.p[0]) && qn_str_ends(name, qn_str_of(TH[i])) && name.n <= 5) return join(g, "the %.*s %.*s", name, v->noun);
    bool bare = name.n <= 2 || islower((unsigned char)name.p[0]) || isdigit((unsigned char)name.p[0]);
    if (qn_str_starts(name, QN_STR("The ")) || qn_str_starts(name, QN_STR("the "))) return name;
    if (v->the_names) return qn_str_is(v->noun, "river") && !qn_str_ends(name, QN_STR(" River")) && !qn_str_starts(name, QN_STR("Rio ")) && !qn_str_starts(name, QN_STR("Red River"))
        && qn_rng_below(g->r, 5) == 0 ? join(g, "the %.*s %.*s", v->noun, name) : join(g, "%.*s%.*s", QN_STR("the "), name);
    if (known && (bare || (classed(v->noun) && !qn_en_takes_the(name) && qn_rng_below(g->r, 6) == 0))) return join(g, "the %.*s %.*s", v->noun, name);
    if (qn_str_ends(name, QN_STR(" games")) || qn_en_takes_the(name)) return join(g, "%.*s%.*s", QN_STR("the "), name);
    return name;
}

static qn_str genitive(nlg *g, qn_str e) { return qn_arena_printf(&g->a, e.n && e.p[e.n - 1] == 's' ? "%.*s'" : "%.*s's", QN_FMT(e)); }

static qn_str with_unit(nlg *g, const qn_table_col *c, double x)
{
    qn_str n = qn_en_number(&g->a, x, c->sense != QN_SENSE_YEAR && c->sense != QN_SENSE_RANK && c->sense != QN_SENSE_ID);
    if (c->money[0]) n = qn_arena_printf(&g->a, "%s%.*s", c->money, QN_FMT(n));
    if (c->unit) n = qn_arena_printf(&g->a, "%.*s %s", QN_FMT(n), c->unit);
    return n;
}

static qn_str value(nlg *g, const qn_table_col *c, qn_str cell)
{
    double x;
    qn_str t = qn_str_trim(cell);
    if (c->numeric && qn_str_to_f64(t, &x)) return with_unit(g, c, x);
    if (c->numeric && c->unit && !memchr(t.p, ' ', t.n)) return t;
    if (qn_str_is(c->phrase, "outflow") && !qn_str_starts(t, QN_STR("Lake ")) && !qn_str_starts(t, QN_STR("Upper "))) return join(g, "%.*s%.*s", QN_STR("the "), t);
    if (c->sense == QN_SENSE_PLACE && qn_en_takes_the(t)) return join(g, "%.*s%.*s", QN_STR("the "), t);
    return t;
}

static bool starts_with_month_or_day(qn_str s)
{
    static const char *const M[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    for (int i = 0; i < 12; i++)
        if (qn_str_starts(s, qn_str_of(M[i]))) {    /* "June 4" is a day, "June 1994" a month */
            size_t k = 3;
            while (k < s.n && (s.p[k] == ' ' || s.p[k] == '.' || islower((unsigned char)s.p[k]))) k++;
            size_t digits = 0;
            while (k + digits < s.n && isdigit((unsigned char)s.p[k + digits])) digits++;
            return digits == 1 || digits == 2;
        }
    return s.n > 2 && isdigit((unsigned char)s.p[0]) && !(isdigit((unsigned char)s.p[1]) && isdigit((unsigned char)s.p[2]) && s.n < 8);
}

/* A moment with its preposition: "on 4 June 1998", "in 1998", "in the 1998-99 season", "in week 5". */
static qn_str moment(nlg *g, const qn_table_col *c, qn_str cell)
{
    qn_str t = qn_str_trim(cell);
    if (c->sense == QN_SENSE_ID || c->sense == QN_SENSE_RANK) return qn_arena_printf(&g->a, "in %.*s %.*s", QN_FMT(c->phrase), QN_FMT(t));
    if (c->sense == QN_SENSE_YEAR) return join(g, "%.*s%.*s", QN_STR("in "), t);
    if (qn_str_is(c->phrase, "season")) return qn_arena_printf(&g->a, "in the %.*s season", QN_FMT(t));
    return join(g, starts_with_month_or_day(t) || (t.n == 10 && t.p[4] == '-') ? "on %.*s%.*s" : "in %.*s%.*s", QN_STR(""), t);
}

static const char *be(const nlg *g, bool many) { return g->v->events ? (many ? "were" : "was") : many ? "are" : "is"; }
static bool timed(const qn_table_col *c) { return c->sense == QN_SENSE_YEAR || c->sense == QN_SENSE_DATE; }
/* People are from places, things are in them. */
static const qn_colword FROM = { .sense = QN_SENSE_PLACE, .ask = "Which {p} does {e} come from?|Which {p} is {e} from?", .mod = "from {v}", .vp1 = "is from {v}", .vps = "are from {v}", .same = "are from the same {p} as {e}" };
/* Of rows whose kind is not known nothing is said but that they have it. */
static const qn_colword WITH = { .sense = QN_SENSE_PLACE, .ask = "What is the {p} of {e}?|What is {s} {p}?", .mod = "with the {p} {v}", .vp1 = "has the {p} {v}", .vps = "have the {p} {v}", .same = "have the same {p} as {e}" };
static bool plain_noun(const nlg *g) { return !qn_str_is(g->v->noun, "entry") && !qn_str_is(g->v->noun, "title"); }
static const qn_colword *word_of(const nlg *g, const qn_table_col *c)
{
    if (!plain_noun(g) && c->sense == QN_SENSE_PLACE && c->word && c->word->mod && strcmp(c->word->mod, "in {v}") == 0) return &WITH;
    return g->person && c->sense == QN_SENSE_PLACE && c->word && c->word->mod && strcmp(c->word->mod, "in {v}") == 0 ? &FROM : c->word;
}
static const qn_colword *own_words(const nlg *g, const qn_table_col *c)
{
    const qn_colword *w = word_of(g, c);
    if (!w || !w->vps) return NULL;
    if (g->person && c->sense == QN_SENSE_PERSON && strncmp(w->vps, "were ", 5) == 0) return NULL;      /* riders are not "made by" their motorcycle's maker */
    return w;
}

/* "highest" melting point, "most" wins, "earliest" year */
static const char *deg(nlg *g, const qn_table_col *c, bool desc)
{
    const char *own = c->word ? (desc ? c->word->dmax : c->word->dmin) : NULL;
    if (own) return qn_arena_str(&g->a, pick(g, own)).p;
    if (timed(c)) return desc ? "latest" : "earliest";
    if (c->sense == QN_SENSE_COUNT) return desc ? "most" : "fewest";
    return desc ? "highest" : "lowest";
}
/* "longest" river, but the entry with the greatest length */
static const char *adj(const nlg *g, const qn_table_col *c, bool desc) { return c->word && plain_noun(g) ? (desc ? c->word->max : c->word->min) : NULL; }
static const char *comparative(const nlg *g, const qn_table_col *c, bool more) { return c->word && plain_noun(g) ? (more ? c->word->more : c->word->less) : NULL; }

static qn_str a_phrase(nlg *g, const qn_table_col *c)
{
    if (qn_en_is_plural(c->phrase)) return c->phrase;
    return qn_arena_printf(&g->a, "%s %.*s", qn_en_article(c->phrase), QN_FMT(c->phrase));
}

/* ---- conditions ---- */
static slots cond_slots(nlg *g, const qn_cond *c)
{
    const qn_table_col *k = column(g, c->col);
    slots o = { .p = k->phrase };
    if (c->op == '=') {
        double x;
        o.v = value(g, k, c->text);
        o.t = moment(g, k, c->text);
        o.o = k->numeric && qn_str_to_f64(qn_str_trim(c->text), &x) && x == floor(x) && x > 0 && x < 1000 ? qn_en_ordinal(&g->a, (int64_t)x) : o.v;
    } else {
        o.v = with_unit(g, k, c->lo);
        o.t = c->op == 'b' ? qn_arena_printf(&g->a, "between %.0f and %.0f", c->lo, c->hi) : qn_arena_printf(&g->a, "%s %.0f", c->op == '>' ? "after" : "before", c->lo);
    }
    return o;
}

static const char *event_word(const nlg *g)
{
    static const char *const HELD[] = { "Olympic Games", "race", "tournament", "edition", "championship", "event", "competition", "election", "festival", "final" };
    static const char *const PLAYED[] = { "game", "match" };
    static const char *const OUT[] = { "album", "single", "song", "film", "movie", "book", "model" };
    for (size_t i = 0; i < sizeof HELD / sizeof *HELD; i++) if (qn_str_is(g->v->noun, HELD[i])) return "held";
    for (size_t i = 0; i < 2; i++) if (qn_str_is(g->v->noun, PLAYED[i])) return "played";
    for (size_t i = 0; i < sizeof OUT / sizeof *OUT; i++) if (qn_str_is(g->v->noun, OUT[i])) return "released";
    return NULL;
}

/* Predicate over the rows' noun: "flow into the Black Sea", "is longer than 300 kilometres". */
static qn_str predicate(nlg *g, const qn_cond *c, bool many)
{
    const qn_table_col *k = column(g, c->col);
    slots o = cond_slots(g, c);
    const qn_colword *w = own_words(g, k);
    const char *have = many ? "have" : "has";
    if (timed(k)) {
        if (w) return fill(g, many ? w->vps : w->vp1, &o);
        const char *verb = event_word(g);
        if (verb) return qn_arena_printf(&g->a, "%s %s %.*s", many ? "were" : "was", verb, QN_FMT(o.t));
        if (plain_noun(g)) {
            if (c->op == '=') return qn_arena_printf(&g->a, "%s listed for %.*s", many ? "are" : "is", QN_FMT(o.v));
            return qn_arena_printf(&g->a, "%s %.*s %.*s", have, QN_FMT(a_phrase(g, k)), QN_FMT(o.t));
        }
        return qn_arena_printf(&g->a, "%s dated %.*s", many ? "are" : "is", QN_FMT(c->op == '=' ? o.v : o.t));
    }
    if (c->op == '=') {
        if (w) return fill(g, many ? w->vps : w->vp1, &o);
        if (k->sense == QN_SENSE_PERSON) return qn_arena_printf(&g->a, "%s %.*s as the %.*s", g->v->events ? "had" : have, QN_FMT(o.v), QN_FMT(o.p));
        return qn_arena_printf(&g->a, "%s %.*s as %s %.*s", have, QN_FMT(o.v), g->person && !many ? "the" : many ? "their" : "its", QN_FMT(o.p));
    }
    const char *cmp = comparative(g, k, c->op == '>');
    if (cmp) return qn_arena_printf(&g->a, "%s %s than %.*s", be(g, many), cmp, QN_FMT(o.v));
    if (k->sense == QN_SENSE_COUNT) {
        qn_str p = c->lo == 1 && qn_str_is(k->phrase, "medals in total") ? QN_STR("medal in total") : c->lo == 1 ? qn_en_singular(&g->a, k->phrase) : k->phrase;
        return qn_arena_printf(&g->a, "%s %s than %.*s %.*s", have, c->op == '>' ? "more" : "fewer", QN_FMT(o.v), QN_FMT(p));
    }
    return qn_arena_printf(&g->a, "%s %.*s %s %.*s", have, QN_FMT(a_phrase(g, k)), c->op == '>' ? (qn_rng_below(g->r, 2) ? "above" : "of more than") : (qn_rng_below(g->r, 2) ? "below" : "of less than"), QN_FMT(o.v));
}

/* The same condition behind the noun: "in Africa", "longer than 300 kilometres", "that use the Euro". */
static qn_str modifier(nlg *g, const qn_cond *c, bool many)
{
    const qn_table_col *k = column(g, c->col);
    slots o = cond_slots(g, c);
    const qn_colword *w = own_words(g, k);
    const char *that = g->person ? "who" : "that";
    if (w && w->mod && (c->op == '=' || timed(k))) {
        qn_str t = pick(g, w->mod);
        if (qn_str_starts(t, QN_STR("that ")) || qn_str_starts(t, QN_STR("who ")) || qn_str_starts(t, QN_STR("with their ")))
            return qn_arena_printf(&g->a, "%s %.*s", that, QN_FMT(predicate(g, c, many)));
        return fill(g, w->mod, &o);
    }
    if (timed(k)) {
        const char *verb = event_word(g);
        if (verb) return qn_arena_printf(&g->a, "%s %.*s", verb, QN_FMT(o.t));
        if (plain_noun(g) && c->op == '=') return qn_arena_printf(&g->a, "listed for %.*s", QN_FMT(o.v));
        if (plain_noun(g)) return qn_arena_printf(&g->a, "with %.*s %.*s", QN_FMT(a_phrase(g, k)), QN_FMT(o.t));
        return qn_arena_printf(&g->a, "dated %.*s", QN_FMT(c->op == '=' ? o.v : o.t));
    }
    if (c->op == '=') {
        if (k->sense == QN_SENSE_PERSON) return qn_arena_printf(&g->a, "with %.*s as the %.*s", QN_FMT(o.v), QN_FMT(o.p));
        return qn_arena_printf(&g->a, "whose %.*s %s %.*s", QN_FMT(o.p), be(g, qn_en_is_plural(o.p)), QN_FMT(o.v));
    }
    const char *cmp = comparative(g, k, c->op == '>');
    if (cmp) return qn_arena_printf(&g->a, "%s than %.*s", cmp, QN_FMT(o.v));
    qn_str vp = predicate(g, c, many);      /* "have ..." -> "with ..." */
    size_t skip = qn_str_starts(vp, QN_STR("have ")) ? 5 : qn_str_starts(vp, QN_STR("has ")) ? 4 : 0;
    if (skip) return qn_arena_printf(&g->a, "with %.*s", QN_FMT(qn_str_sub(vp, skip, vp.n)));
    return qn_arena_printf(&g->a, "%s %.*s", that, QN_FMT(vp));
}

static bool short_mod(qn_str m)
{
    static const char *const P[] = { "in ", "of ", "from ", "on ", "by ", "against " };
    for (size_t i = 0; i < sizeof P / sizeof *P; i++) if (qn_str_starts(m, qn_str_of(P[i]))) return true;
    return false;
}

/* All conditions behind the noun, with a space in front; "" when there are none. */
static qn_str modifiers(nlg *g, bool many)
{
    const qn_sketch *s = g->s;
    if (s->n_conds == 0) return QN_STR("");
    qn_str m0 = modifier(g, &s->conds[0], many);
    if (s->n_conds == 1) return join(g, " %.*s%.*s", m0, QN_STR(""));
    qn_str m1 = modifier(g, &s->conds[1], many);
    int second = 1;
    if (!short_mod(m0) && short_mod(m1)) { m0 = m1; second = 0; }
    qn_str vp = predicate(g, &s->conds[second], many);
    bool relative = qn_str_starts(m0, QN_STR("that ")) || qn_str_starts(m0, QN_STR("who "));
    return qn_arena_printf(&g->a, " %.*s %s %.*s", QN_FMT(m0), relative ? "and" : g->person ? "who" : "that", QN_FMT(vp));
}

/* "was the opponent Ohio", "was the attendance above 20,000": for tables whose rows are moments. */
static qn_str clause(nlg *g, const qn_cond *c, bool inverted)
{
    const qn_table_col *k = column(g, c->col);
    slots o = cond_slots(g, c);
    qn_str v = o.v;
    if (timed(k) && c->op != '=') v = o.t;
    else if (c->op != '=') {
        if (k->sense == QN_SENSE_COUNT) return qn_arena_printf(&g->a, inverted ? "were there %s than %.*s %.*s" : "there were %s than %.*s %.*s", c->op == '>' ? "more" : "fewer", QN_FMT(v), QN_FMT(o.p));
        v = qn_arena_printf(&g->a, "%s %.*s", c->op == '>' ? "above" : "below", QN_FMT(v));
    }
    return inverted ? qn_arena_printf(&g->a, "was the %.*s %.*s", QN_FMT(o.p), QN_FMT(v)) : qn_arena_printf(&g->a, "the %.*s was %.*s", QN_FMT(o.p), QN_FMT(v));
}
static qn_str clauses(nlg *g, bool inverted)
{
    qn_str c = clause(g, &g->s->conds[0], inverted);
    if (g->s->n_conds == 2) c = join(g, "%.*s and %.*s", c, clause(g, &g->s->conds[1], false));
    return c;
}

/* ---- asking for a column of one thing ---- */
static const char *no_genitive(const char *ask, qn_arena *a)     /* alternatives that do not use {s} */
{
    qn_buf b = { 0 };
    for (const char *p = ask; *p;) {
        const char *end = strchr(p, '|');
        size_t n = end ? (size_t)(end - p) : strlen(p);
        if (qn_str_find((qn_str){ p, n }, QN_STR("{s}")) < 0) { if (b.n) qn_buf_putc(&b, '|'); qn_buf_put(&b, p, n); }
        p += n + (end != NULL);
    }
    const char *out = b.n ? qn_arena_str(a, qn_buf_view(&b)).p : NULL;
    qn_buf_free(&b);
    return out;
}

static const char *ask_of(nlg *g, const qn_table_col *c)
{
    const char *past = g->v->events ? "was" : "is";
    const qn_colword *w = word_of(g, c);
    if (w && w->ask) {
        if ((c->sense == QN_SENSE_DATE) && qn_str_find(qn_str_of(w->ask), QN_STR("In what year")) >= 0) {
            const char *bar = strchr(w->ask, '|');     /* "In what year" does not ask for a day */
            bool first = qn_str_starts(qn_str_of(w->ask), QN_STR("When"));
            return first && bar ? qn_arena_str(&g->a, (qn_str){ w->ask, (size_t)(bar - w->ask) }).p : bar ? bar + 1 : w->ask;
        }
        return w->ask;
    }
    switch (c->sense) {
    case QN_SENSE_PERSON: return qn_en_is_plural(c->phrase) ? "Who were the {p} of {e}?" : "Who was the {p} of {e}?|Who was {s} {p}?";
    case QN_SENSE_COUNT:
        if (qn_str_ends(c->phrase, QN_STR(" in total"))) return "How many medals does {e} have in total?|How many medals does {e} have altogether?";
        return "How many {p} does {e} have?";
    case QN_SENSE_YEAR: case QN_SENSE_DATE: {
        const char *verb = event_word(g);
        if (verb) return qn_arena_printf(&g->a, "When was {e} %s?", verb).p;
        return "What is the {p} of {e}?|Which {p} is given for {e}?";
    }
    case QN_SENSE_QUANTITY: return qn_en_is_plural(c->phrase) ? "What are the {p} of {e}?" : qn_arena_printf(&g->a, "What %s the {p} of {e}?|What %s {s} {p}?", past, past).p;
    default: return qn_en_is_plural(c->phrase) ? qn_arena_printf(&g->a, "What are the {p} of {e}?").p : qn_arena_printf(&g->a, "What %s the {p} of {e}?|What %s {s} {p}?", past, past).p;
    }
}

static bool is_when(const nlg *g) { return g->v->key_kind == QN_KEY_DATE || g->v->key_kind == QN_KEY_YEAR || g->v->key_kind == QN_KEY_NUMBERED; }

/* "In which year", "On which dates", "In how many weeks" */
static qn_str in_which(nlg *g, const char *which, bool many)
{
    const qn_table_col *k = column(g, g->v->key);
    const char *prep = g->v->key_kind == QN_KEY_DATE && !qn_str_is(k->phrase, "season") && !qn_str_is(k->phrase, "year") ? "On" : "In";
    qn_str word = g->v->key_kind == QN_KEY_DATE ? (qn_str_is(k->phrase, "season") || qn_str_is(k->phrase, "year") ? k->phrase : QN_STR("date"))
                : g->v->key_kind == QN_KEY_YEAR ? (qn_str_is(k->phrase, "season") ? k->phrase : QN_STR("year")) : k->phrase;
    return qn_arena_printf(&g->a, "%s %s %.*s", prep, which, QN_FMT(many ? qn_en_plural(&g->a, word) : qn_en_singular(&g->a, word)));
}

static bool say_cell_when(nlg *g, const qn_table_col *c, qn_str when)
{
    slots k = { .p = c->phrase, .w = when };
    if (timed(c)) return false;
    if (c->sense == QN_SENSE_PERSON) return say(g, qn_en_is_plural(c->phrase) ? "Who were the {p} {w}?" : "Who was the {p} {w}?|{w}, who was the {p}?", k);
    if (c->sense == QN_SENSE_COUNT) return say(g, "How many {p} were there {w}?|{w}, how many {p} were there?", k);
    return say(g, qn_en_is_plural(c->phrase) ? "What were the {p} {w}?" : "What was the {p} {w}?|What was the {p} {w}?|{w}, what was the {p}?", k);
}

static bool say_select(nlg *g)
{
    const qn_table_col *c = column(g, g->s->target);
    if (is_when(g)) return say_cell_when(g, c, moment(g, column(g, g->v->key), g->s->a));
    if (g->v->key_kind != QN_KEY_NAME) return false;
    qn_str e = entity(g, g->s->a);
    return say(g, ask_of(g, c), (slots){ .e = e, .s = genitive(g, e), .p = c->phrase });
}

static bool say_select_where(nlg *g)
{
    const qn_table_col *c = column(g, g->s->target);
    bool noun = g->v->key_kind == QN_KEY_NAME && !qn_str_is(g->v->noun, "entry");
    if (noun) {
        const char *ask = no_genitive(ask_of(g, c), &g->a);
        if (!ask) return false;
        return say(g, ask, (slots){ .e = qn_arena_printf(&g->a, "the %.*s%.*s", QN_FMT(g->v->noun), QN_FMT(modifiers(g, false))), .p = c->phrase });
    }
    if (timed(c)) return say(g, "What was the {p} when {w}?", (slots){ .p = c->phrase, .w = clauses(g, false) });
    return say_cell_when(g, c, qn_arena_printf(&g->a, "when %.*s", QN_FMT(clauses(g, false))));
}

/* "was the season between 2010 and 2015": rows that are moments are not asked about by another time. */
static bool twice_timed(const nlg *g)
{
    for (int i = 0; i < g->s->n_conds; i++) if (is_when(g) && timed(column(g, g->s->conds[i].col)) && g->s->conds[i].op != '=') return true;
    return false;
}

static bool say_which(nlg *g)
{
    if (twice_timed(g)) return false;
    bool many = qn_sketch_n_rows(g->v, g->s) > 1;
    if (is_when(g)) return say(g, "{x} {w}?", (slots){ .x = in_which(g, "which", many), .w = clauses(g, true) });
    if (g->v->key_kind != QN_KEY_NAME) return false;
    slots k = { .x = many ? g->v->nouns : g->v->noun };
    if (g->s->n_conds == 1) {
        k.v = predicate(g, &g->s->conds[0], many);
        k.m = modifier(g, &g->s->conds[0], many);
        return say(g, many ? "Which {x} {v}?|Which {x} {v}?|Name all {x} {m}." : "Which {x} {v}?|Which {x} {v}?|Name the {x} {m}.", k);
    }
    qn_str m0 = modifier(g, &g->s->conds[0], many), m1 = modifier(g, &g->s->conds[1], many);
    bool swap = short_mod(m1) && !short_mod(m0);
    k.m = swap ? m1 : m0;
    k.v = predicate(g, &g->s->conds[swap ? 0 : 1], many);
    bool relative = qn_str_starts(k.m, QN_STR("that ")) || qn_str_starts(k.m, QN_STR("who ")) || qn_str_starts(k.m, QN_STR("whose ")) || qn_str_starts(k.m, QN_STR("with "));
    if (relative) { k.m = predicate(g, &g->s->conds[swap ? 1 : 0], many); return say(g, "Which {x} {m} and {v}?", k); }
    if (short_mod(k.m) && qn_rng_below(g->r, 4) == 0 && many) { k.x = g->v->nouns; return say(g, "Of the {x} {m}, which ones {v}?", k); }
    return say(g, "Which {x} {m} {v}?", k);
}

/* Where nobody knows what a row is, what is counted is said by the column: "How often is Slate listed as the mineral?" */
static bool say_count_of_entries(nlg *g)
{
    const qn_cond *c = &g->s->conds[0];
    const qn_table_col *k = column(g, c->col);
    slots o = cond_slots(g, c);
    if (qn_str_ends(o.p, QN_STR("ed")) || qn_en_is_plural(o.p)) return false;       /* "the introduceds" */
    if (timed(k) && c->op != '=')
        return say(g, "How many of the {p} {x} {t}?", (slots){ .p = k->plural, .x = QN_STR("listed are"), .t = o.t });
    if (c->op == '=' && (timed(k) || !k->numeric)) return say(g, "How often is {v} listed as the {p}?|How many times does {v} appear as the {p}?", o);
    if (c->op == '=' || k->sense == QN_SENSE_COUNT || k->sense == QN_SENSE_RANK || !k->plural.n) return false;
    return say(g, "How many of the {p} listed are {x} {v}?", (slots){ .p = k->plural, .x = qn_str_of(c->op == '>' ? "above" : "below"), .v = o.v });
}

static bool say_count(nlg *g)
{
    if (qn_str_is(g->v->noun, "entry") && g->s->n_conds == 1 && !is_when(g) && say_count_of_entries(g)) return true;
    if (twice_timed(g) && qn_str_is(g->v->noun, "entry")) return false;
    if (is_when(g) && qn_str_is(g->v->noun, "entry")) return say(g, "{x} {w}?", (slots){ .x = in_which(g, "how many", true), .w = clauses(g, true) });
    slots k = { .m = modifiers(g, true) };
    if (g->s->n_conds == 1) {
        k.v = predicate(g, &g->s->conds[0], true);
        qn_str m = qn_str_sub(k.m, 1, k.m.n);
        bool there = short_mod(m) || qn_str_starts(m, QN_STR("with ")) || qn_str_starts(m, QN_STR("whose "));
        return say(g, there ? "How many {Ts} {v}?|How many {Ts} {v}?|How many {Ts} are there{m}?|What is the number of {Ts}{m}?" : "How many {Ts} {v}?", k);
    }
    qn_str m0 = modifier(g, &g->s->conds[0], true), m1 = modifier(g, &g->s->conds[1], true);
    bool swap = short_mod(m1) && !short_mod(m0);
    k.x = swap ? m1 : m0;
    k.v = predicate(g, &g->s->conds[swap ? 0 : 1], true);
    if (qn_str_starts(k.x, QN_STR("that ")) || qn_str_starts(k.x, QN_STR("who ")) || qn_str_starts(k.x, QN_STR("whose ")) || qn_str_starts(k.x, QN_STR("with "))) {
        k.x = predicate(g, &g->s->conds[swap ? 1 : 0], true);
        return say(g, "How many {Ts} {x} and {v}?", k);
    }
    return say(g, short_mod(k.x) ? "How many {Ts} {x} {v}?|Of the {Ts} {x}, how many {v}?" : "How many {Ts} {x} {v}?", k);
}

static bool say_count_all(nlg *g) { return say(g, "How many {Ts} are listed?|How many {Ts} are there in the table?|What is the total number of {Ts} listed?", (slots){ 0 }); }

static bool say_count_distinct(nlg *g)
{
    const qn_table_col *c = column(g, g->s->target);
    if (c->sense == QN_SENSE_YEAR && c->word && c->word->vps) return false;
    if (qn_str_is(c->phrase, "outflow")) return say(g, "Into how many different bodies of water do the {Ts} flow?", (slots){ 0 });
    return say(g, "How many different {p} are there?|How many different {p} are listed?|How many distinct {p} do the {Ts} have between them?", (slots){ .p = c->plural });
}

static qn_str event_of(nlg *g, const qn_table_col *c)   /* "was discovered {t}" -> "was discovered"; empty when there is none */
{
    if (!own_words(g, c) || !timed(c)) return (qn_str){ 0 };
    qn_str t = qn_str_of(c->word->vp1);
    (void)g;
    return qn_str_ends(t, QN_STR(" {t}")) ? qn_str_sub(t, 0, t.n - 4) : (qn_str){ 0 };
}

static bool say_extreme(nlg *g)
{
    const qn_table_col *c = column(g, g->s->by);
    slots k = { .p = c->phrase, .x = qn_str_of(deg(g, c, g->s->desc)), .m = modifiers(g, true) };
    if (timed(c)) {
        k.v = event_of(g, c);
        if (k.v.n) return say(g, "What is the {x} year in which one of the {Ts}{m} {v}?", k);
        if (is_when(g)) return false;
        return say(g, "What is the {x} {p} among the {Ts}{m}?", k);
    }
    if (is_when(g)) {
        k.x = qn_str_of(c->sense == QN_SENSE_COUNT ? (g->s->desc ? "highest number of" : "lowest number of") : deg(g, c, g->s->desc));
        if (g->s->n_conds == 0) return say(g, "What was the {x} {p}?", k);
        k.w = clauses(g, false);
        return say(g, "What was the {x} {p} when {w}?", k);
    }
    if (c->sense == QN_SENSE_COUNT) {
        k.x = qn_str_of(g->s->desc ? "highest" : "lowest");
        return say(g, "What is the {x} number of {p} among the {Ts}{m}?|What is the {x} number of {p} for any of the {Ts}{m}?", k);
    }
    return say(g, "What is the {x} {p} among the {Ts}{m}?|What is the {x} {p} of any of the {Ts}{m}?", k);
}

static bool say_argextreme(nlg *g)
{
    const qn_table_col *c = column(g, g->s->by);
    bool desc = g->s->desc;
    slots k = { .p = c->phrase, .x = qn_str_of(deg(g, c, desc)), .m = modifiers(g, false) };
    if (is_when(g)) {
        k.v = in_which(g, "which", false);
        if (g->s->n_conds) {
            k.w = clauses(g, false);
            k.v = qn_arena_printf(&g->a, "%c%.*s", tolower((unsigned char)k.v.p[0]), (int)k.v.n - 1, k.v.p + 1);
            return say(g, c->sense == QN_SENSE_COUNT ? "Considering only when {w}, {v} were there the {x} {p}?" : "Considering only when {w}, {v} was the {p} the {x}?", k);
        }
        return say(g, c->sense == QN_SENSE_COUNT ? "{v} were there the {x} {p}?" : "{v} was the {p} the {x}?", k);
    }
    const char *ad = adj(g, c, desc);
    qn_str many = modifiers(g, true);
    if (ad) {
        k.x = qn_str_of(ad);
        if (g->s->n_conds && qn_rng_below(g->r, 4) == 0) { k.m = many; return say(g, "Of the {Ts}{m}, which is the {x}?", k); }
        return say(g, "Which {T}{m} is the {x}?|Which is the {x} {T}{m}?|What is the {x} {T}{m}?", k);
    }
    if (g->s->n_conds && qn_rng_below(g->r, 4) == 0) { k.m = many; return say(g, "Of the {Ts}{m}, which has the {x} {p}?|Among the {Ts}{m}, which one has the {x} {p}?", k); }
    return say(g, "Which {T}{m} has the {x} {p}?", k);
}

static bool say_argother(nlg *g)
{
    const qn_table_col *c = column(g, g->s->target), *by = column(g, g->s->by);
    const char *ask = no_genitive(ask_of(g, c), &g->a), *ad = adj(g, by, g->s->desc);
    if (!ask || qn_str_is(g->v->noun, "entry")) return false;
    qn_str m = modifiers(g, false), e;
    if (ad) e = qn_arena_printf(&g->a, "the %s %.*s%.*s", ad, QN_FMT(g->v->noun), QN_FMT(m));
    else if (m.n && !short_mod(qn_str_sub(m, 1, m.n))) return false;
    else e = qn_arena_printf(&g->a, "the %.*s%.*s with the %s %.*s", QN_FMT(g->v->noun), QN_FMT(m), deg(g, by, g->s->desc), QN_FMT(by->phrase));
    return say(g, ask, (slots){ .e = e, .p = c->phrase });
}

static bool say_common(nlg *g)
{
    const qn_table_col *c = column(g, g->s->target);
    slots k = { .p = c->phrase, .x = qn_str_of(g->s->desc ? "most" : "fewest"), .v = qn_str_of(g->s->desc ? "most" : "least") };
    if (timed(c)) {
        if (c->sense == QN_SENSE_DATE) return false;
        if (own_words(g, c)) { k.m = event_of(g, c); return k.m.n && qn_str_starts(k.m, QN_STR("was ")) ? (k.m = qn_str_sub(k.m, 4, k.m.n), say(g, "In which year were the {x} {Ts} {m}?", k)) : false; }
        return say(g, "Which {p} has the {x} {Ts}?", k);
    }
    if (!g->s->desc && c->sense != QN_SENSE_KIND) return say(g, "Which {p} appears least often?", k);
    if (qn_str_is(c->phrase, "planet")) return say(g, "Which {p} has the {x} {Ts}?", k);
    if (qn_str_is(c->phrase, "outflow")) return say(g, "Into which body of water do the {x} {Ts} flow?", k);
    if (c->sense == QN_SENSE_PLACE && own_words(g, c) && (qn_str_is(qn_str_of(own_words(g, c)->mod), "in {v}") || qn_str_is(qn_str_of(own_words(g, c)->mod), "from {v}"))) return say(g, g->person ? "Which {p} do the {x} {Ts} come from?" : "Which {p} has the {x} {Ts}?|In which {p} are there the {x} {Ts}?", k);
    if (c->sense == QN_SENSE_PERSON && own_words(g, c) && qn_str_starts(qn_str_of(c->word->vps), QN_STR("were ")) && qn_str_ends(qn_str_of(c->word->mod), QN_STR(" by {v}"))) {
        qn_str w = qn_str_of(c->word->mod);
        k.m = qn_str_sub(w, 0, w.n - 4);        /* "discovered by" */
        return say(g, "By whom were the {x} {Ts} {m}?", (slots){ .x = k.x, .m = qn_str_sub(w, 0, w.n - 7) });
    }
    if (qn_en_is_plural(c->phrase)) return false;
    if (!g->s->desc) return say(g, "Which {p} appears least often?", k);
    return say(g, "Which {p} is the {v} common among the {Ts}?|Which {p} appears {v} often?|What is the {v} common {p} of the {Ts}?", k);
}

static bool say_sum(nlg *g)
{
    const qn_table_col *c = column(g, g->s->by);
    slots k = { .p = c->phrase, .m = modifiers(g, true) };
    if (is_when(g)) {
        if (g->s->n_conds) k.w = clauses(g, false);
        if (c->sense == QN_SENSE_COUNT) return say(g, g->s->n_conds ? "How many {p} were there in total when {w}?" : "How many {p} were there in total?", k);
        return say(g, g->s->n_conds ? "What was the total {p} when {w}?" : "What was the total {p}?", k);
    }
    if (qn_str_ends(c->phrase, QN_STR(" in total"))) { k.p = QN_STR("medals"); return say(g, "How many {p} do all the {Ts}{m} have together?", k); }
    if (c->sense == QN_SENSE_COUNT) return say(g, "How many {p} do the {Ts}{m} have in total?|What is the total number of {p} of the {Ts}{m}?", k);
    return say(g, "What is the total {p} of the {Ts}{m}?|What is the combined {p} of all {Ts}{m}?", k);
}

static bool say_average(nlg *g)
{
    const qn_table_col *c = column(g, g->s->by);
    slots k = { .p = c->phrase, .m = modifiers(g, true) };
    if (qn_str_ends(c->phrase, QN_STR(" in total"))) k.p = QN_STR("medals");
    if (is_when(g)) {
        if (g->s->n_conds) k.w = clauses(g, false);
        if (c->sense == QN_SENSE_COUNT) return say(g, g->s->n_conds ? "What was the average number of {p} when {w}?" : "What was the average number of {p}?", k);
        return say(g, g->s->n_conds ? "What was the average {p} when {w}?" : "What was the average {p}?", k);
    }
    if (c->sense == QN_SENSE_COUNT) return say(g, "What is the average number of {p} of the {Ts}{m}?|On average, how many {p} do the {Ts}{m} have?", k);
    return say(g, "What is the average {p} of the {Ts}{m}?|On average, what is the {p} of the {Ts}{m}?", k);
}

static bool scale(const char *unit) { return unit && (!strcmp(unit, "million") || !strcmp(unit, "thousand") || !strcmp(unit, "billion")); }

static bool say_difference(nlg *g)
{
    const qn_table_col *c = column(g, g->s->by);
    slots k = { .p = c->phrase };
    if (is_when(g)) {
        k.a = moment(g, column(g, g->v->key), g->s->a);
        k.b = moment(g, column(g, g->v->key), g->s->b);
        if (c->sense == QN_SENSE_COUNT) return say(g, "How many more {p} were there {a} than {b}?", k);
        return say(g, "How much higher was the {p} {a} than {b}?|What is the difference between the {p} {a} and the {p} {b}?", k);
    }
    k.a = entity(g, g->s->a);
    k.b = entity(g, g->s->b);
    if (c->sense == QN_SENSE_COUNT) {
        if (qn_str_ends(c->phrase, QN_STR(" in total"))) return say(g, "How many more medals does {a} have in total than {b}?", k);
        return say(g, "How many more {p} does {a} have than {b}?", k);
    }
    if (c->unit && !scale(c->unit)) {
        k.x = qn_str_of(c->unit);
        const char *more = comparative(g, c, true);
        k.v = qn_str_of(more ? more : "");
        if (strncmp(c->unit, "°", 2) == 0) return say(g, "How many {x} higher is the {p} of {a} than that of {b}?|What is the difference between the {p} of {a} and that of {b}, in {x}?", k);
        if (more && qn_rng_below(g->r, 3)) return say(g, "How many {x} {v} is {a} than {b}?", k);
        return say(g, "What is the difference in {p} between {a} and {b}, in {x}?|By how many {x} does the {p} of {a} exceed that of {b}?", k);
    }
    if (scale(c->unit)) { k.x = qn_str_of(c->unit); return say(g, "By how many {x} does the {p} of {a} exceed that of {b}?|What is the difference, in {x}s, between the {p} of {a} and that of {b}?", k); }
    return say(g, "By how much does the {p} of {a} exceed that of {b}?|What is the difference in {p} between {a} and {b}?", k);
}

static bool say_neighbour(nlg *g)
{
    const qn_table_col *c = column(g, g->s->by);
    bool next = g->s->form == QN_FORM_NEXT;
    slots k = { .p = c->phrase, .e = entity(g, g->s->a), .x = next ? QN_STR("after") : QN_STR("before") };
    if (timed(c) && event_of(g, c).n) {
        qn_str ev = event_of(g, c);
        if (!qn_str_starts(ev, QN_STR("was "))) return false;
        k.v = qn_str_sub(ev, 4, ev.n);
        return say(g, next ? "Which {T} was the next to be {v} after {e}?" : "Which {T} was the last to be {v} before {e}?", k);
    }
    if (c->sense == QN_SENSE_RANK && own_words(g, c) && qn_str_is(c->phrase, "rank")) return say(g, "Which {T} is ranked right {x} {e}?|Which {T} comes right {x} {e} in the ranking?", k);
    if (qn_str_starts(c->phrase, QN_STR("order "))) return say(g, "Which {T} comes right {x} {e} in the {p}?", k);
    return say(g, "Which {T} comes right {x} {e} in order of {p}?|By {p}, which {T} comes directly {x} {e}?", k);
}

static bool say_first(nlg *g)
{
    const qn_table_col *c = column(g, g->s->by);
    bool last = g->s->form == QN_FORM_LAST;
    slots k = { .p = c->phrase, .m = modifiers(g, false), .x = last ? QN_STR("latest") : QN_STR("earliest") };
    const char *own = c->word ? (last ? c->word->last : c->word->first) : NULL;
    if (own) {
        k.v = qn_str_of(own);
        qn_str ev = event_of(g, c);
        if (ev.n && qn_str_starts(ev, QN_STR("was ")) && k.m.n == 0) {
            k.o = qn_str_sub(ev, 4, ev.n);
            return say(g, last ? "Which {T} {v}?|Which {T} was the last to be {o}?|Which {T} was the most recent to be {o}?" : "Which {T} {v}?|Which {T} was the first to be {o}?", k);
        }
        return say(g, "Which {T}{m} {v}?", k);
    }
    const char *verb = event_word(g);
    if (verb) { k.v = qn_str_of(verb); return say(g, last ? "Which {T}{m} was {v} last?" : "Which {T}{m} was {v} first?", k); }
    return say(g, qn_str_is(g->v->noun, "title") ? "Which is the {x} {T}{m}?" : "Which {T}{m} has the {x} {p}?", k);
}

static bool say_same(nlg *g)
{
    const qn_table_col *c = column(g, g->s->by);
    const qn_colword *w = word_of(g, c);
    if (!w || !w->same) return false;
    qn_str e = entity(g, g->s->a);
    slots k = { .e = e, .p = c->phrase };
    k.v = fill(g, w->same, &k);
    if (c->sense == QN_SENSE_PERSON && qn_str_starts(k.v, QN_STR("were discovered by the same"))) k.v = qn_arena_printf(&g->a, "have the same discoverer as %.*s", QN_FMT(e));
    uint32_t n = 0;
    for (size_t r = 0; r < g->v->n_rows; r++) if (qn_str_eq(qn_table_cell(g->v, r, g->v->key), g->s->a)) n = c->count[c->value[r]];
    if (n == 2) {       /* one other: singular */
        static const char *const ONE[][2] = { { "are ", "is " }, { "were ", "was " }, { "have ", "has " }, { "belong ", "belongs " }, { "orbit ", "orbits " }, { "come ", "comes " }, { "flow ", "flows " }, { "use ", "uses " }, { "share their ", "shares its " }, { "reach their mouths ", "reaches its mouth " } };
        for (size_t i = 0; i < sizeof ONE / sizeof *ONE; i++)
            if (qn_str_starts(k.v, qn_str_of(ONE[i][0]))) {
                k.v = qn_arena_printf(&g->a, "%s%.*s", ONE[i][1], (int)(k.v.n - strlen(ONE[i][0])), k.v.p + strlen(ONE[i][0]));
                return say(g, "Which other {T} {v}?", k);
            }
    }
    return say(g, "Which other {Ts} {v}?", k);
}

static bool say_compare(nlg *g)
{
    const qn_table_col *c = column(g, g->s->by);
    bool desc = g->s->desc;
    slots k = { .p = c->phrase };
    if (is_when(g)) {
        k.a = moment(g, column(g, g->v->key), g->s->a);
        k.b = moment(g, column(g, g->v->key), g->s->b);
        k.x = qn_str_of(c->sense == QN_SENSE_COUNT ? (desc ? "more" : "fewer") : desc ? "higher" : "lower");
        if (timed(c)) return false;
        return say(g, c->sense == QN_SENSE_COUNT ? "When were there {x} {p}, {a} or {b}?" : "When was the {p} {x}, {a} or {b}?", k);
    }
    bool swap = qn_rng_below(g->r, 2);
    k.a = entity(g, swap ? g->s->b : g->s->a);
    k.b = entity(g, swap ? g->s->a : g->s->b);
    k.x = g->person ? QN_STR("Who") : QN_STR("Which");
    if (timed(c)) { k.v = qn_str_of(desc ? c->word->last : c->word->first);
        if (desc && qn_str_ends(k.v, QN_STR(" last"))) k.v = qn_arena_printf(&g->a, "%.*s later", (int)k.v.n - 5, k.v.p);
        return say(g, "{x} {v}, {a} or {b}?", k); }
    const char *cmp = comparative(g, c, desc);
    if (cmp) { k.v = qn_str_of(cmp); return say(g, "{x} is {v}, {a} or {b}?", k); }
    if (c->sense == QN_SENSE_COUNT) {
        k.v = desc ? QN_STR("more") : QN_STR("fewer");
        return say(g, "{x} has {v} {p}, {a} or {b}?", k);
    }
    k.v = qn_str_of(desc ? "higher" : "lower");
    if (c->word && c->word->dmax && (strstr(c->word->dmax, "largest") || strstr(c->word->dmax, "greatest"))) k.v = qn_str_of(desc ? "larger" : "smaller");
    return say(g, "{x} has the {v} {p}, {a} or {b}?", k);
}

static bool say_top(nlg *g)
{
    const qn_table_col *c = column(g, g->s->by);
    const char *ad = adj(g, c, g->s->desc);
    slots k = { .p = c->phrase, .n = qn_str_of(qn_en_small_number(g->s->n)), .m = modifiers(g, true), .x = qn_str_of(ad ? ad : deg(g, c, g->s->desc)) };
    if (ad) return say(g, "What are the {n} {x} {Ts}{m}?|Which are the {n} {x} {Ts}{m}?", k);
    return say(g, "Which {n} {Ts}{m} have the {x} {p}?", k);
}

static bool say_list(nlg *g)
{
    const qn_table_col *c = column(g, g->s->target);
    if (timed(c) && own_words(g, c)) return false;
    if (qn_str_is(g->v->noun, "entry") || is_when(g)) return false;
    if (qn_str_is(c->phrase, "outflow")) return false;
    return say(g, "What are the different {p} of the {Ts}{m}?|Which different {p} do the {Ts}{m} have?|List the different {p} of the {Ts}{m}.", (slots){ .p = c->plural, .m = modifiers(g, true) });
}

static bool (*const SAY[QN_N_FORMS])(nlg *) = {
    [QN_FORM_SELECT] = say_select, [QN_FORM_SELECT_WHERE] = say_select_where, [QN_FORM_WHICH] = say_which, [QN_FORM_COUNT] = say_count,
    [QN_FORM_COUNT_ALL] = say_count_all, [QN_FORM_COUNT_DISTINCT] = say_count_distinct, [QN_FORM_EXTREME] = say_extreme,
    [QN_FORM_ARGEXTREME] = say_argextreme, [QN_FORM_ARGOTHER] = say_argother, [QN_FORM_COMMON] = say_common, [QN_FORM_SUM] = say_sum,
    [QN_FORM_AVERAGE] = say_average, [QN_FORM_DIFFERENCE] = say_difference, [QN_FORM_NEXT] = say_neighbour, [QN_FORM_PREVIOUS] = say_neighbour,
    [QN_FORM_FIRST] = say_first, [QN_FORM_LAST] = say_first, [QN_FORM_SAME] = say_same, [QN_FORM_COMPARE] = say_compare, [QN_FORM_TOP] = say_top,
    [QN_FORM_LIST] = say_list,
};

/* ---- the finished text ---- */
/* Questions that ask for their subject keep their word order inside another sentence. */
static bool wraps(qn_str q)
{
    return qn_str_starts(q, QN_STR("Which ")) && qn_str_find(q, QN_STR(", ")) < 0 && !qn_str_starts(q, QN_STR("Which is ")) && !qn_str_starts(q, QN_STR("Which are "))
        && qn_str_find(q, QN_STR(" does ")) < 0 && qn_str_find(q, QN_STR(" do the ")) < 0 && qn_str_find(q, QN_STR(" given ")) < 0;
}

static void finish(nlg *g, double noise, qn_buf *out)
{
    static const char *const BEFORE[] = { "Can you tell me which ", "I would like to know which ", "Do you know which ", "Please tell me which " };
    static const char *const AFTER[] = { "?", ".", "?", "." };
    if (qn_str_is(g->v->noun, "entry")) {       /* "the latest year among the entries" is the latest one listed */
        static const char *const AMONG[] = { " among the entries", " of any of the entries", " of the entries" };
        for (size_t i = 0; i < 3; i++) {
            ptrdiff_t at = qn_str_find(qn_buf_view(&g->b), qn_str_of(AMONG[i]));
            size_t n = strlen(AMONG[i]);
            bool common = qn_str_find(qn_buf_view(&g->b), QN_STR("most common")) >= 0;
            if (at < 0 || (size_t)at + n + 1 != g->b.n || (i == 2 && !common)) continue;       /* a condition behind it needs its noun */
            g->b.n = (size_t)at;
            qn_buf_puts(&g->b, common ? "?" : " listed?");
            break;
        }
    }
    qn_str q = qn_buf_view(&g->b);
    uint64_t k = qn_rng_below(g->r, 24);
    bool type_fast = qn_rng_real(g->r) < noise;
    if (!type_fast && k < 4 && wraps(q)) {
        qn_buf_puts(out, BEFORE[k]);
        qn_buf_put(out, q.p + 6, q.n - 7);
        qn_buf_puts(out, AFTER[k]);
        return;
    }
    size_t at = out->n;
    qn_buf_str(out, q);
    out->p[at] = (char)toupper((unsigned char)out->p[at]);
    if (!type_fast) return;
    for (size_t i = at; i < out->n; i++) out->p[i] = (char)tolower((unsigned char)out->p[i]);
    if (out->n > at && (out->p[out->n - 1] == '?' || out->p[out->n - 1] == '.')) out->p[--out->n] = 0;
    if (qn_rng_below(g->r, 2)) return;
    qn_str t = { out->p + at, out->n - at };
    ptrdiff_t the = qn_str_find(t, QN_STR(" the "));
    if (the > 0) { memmove(out->p + at + the, out->p + at + the + 4, out->n - at - (size_t)the - 4); out->n -= 4; out->p[out->n] = 0; }
}

bool qn_question_write(const qn_table_view *v, const qn_sketch *s, qn_rng *r, double noise, qn_buf *out)
{
    static const char *const PEOPLE[] = { "composer", "player", "person", "driver", "athlete", "artist", "actor", "actress", "candidate", "rider", "coach", "writer", "author", "swimmer", "cyclist", "wrestler",
        "golfer", "skater", "king", "queen", "pope", "president", "senator", "judge", "student", "scientist", "singer", "member", "swimmer", "fighter", "skier", "representative", "senator", "governor" };
    nlg g = { .v = v, .s = s, .r = r };
    g.person = v->key_kind == QN_KEY_NAME && v->cols[v->key].sense == QN_SENSE_PERSON;
    for (size_t i = 0; i < sizeof PEOPLE / sizeof *PEOPLE; i++) g.person |= qn_str_is(v->noun, PEOPLE[i]);
    bool plain = !s->named && !s->either;      /* what is drawn loosely alone has no careful words */
    for (int i = 0; i < s->n_conds; i++) plain &= !strchr("!~gl", s->conds[i].op) && (s->conds[i].op == '=' || !v->cols[s->conds[i].col].rough);
    if (s->by >= 0) plain &= !v->cols[s->by].rough;
    bool ok = plain && SAY[s->form] && SAY[s->form](&g) && g.b.n > 0;
    if (ok) finish(&g, noise, out);
    qn_buf_free(&g.b);
    qn_arena_free(&g.a);
    return ok;
}

/* ---- steps ---- */
size_t qn_sketch_n_rows(const qn_table_view *v, const qn_sketch *s)
{
    size_t n = 0;
    for (size_t r = 0; r < v->n_rows; r++) n += qn_sketch_met(v, s, r);
    return n;
}

static void add_step(qn_list_b *l, qn_str words, qn_value result)
{
    qn_object_b o = { .a = l->a };
    qn_object_put(&o, QN_STR("step"), qn_v_text(words));
    qn_object_put(&o, QN_STR("result"), result);
    qn_list_put(l, qn_object_end(&o));
}

static void find_row_step(const qn_table_view *v, const qn_sketch *s, qn_str name, int c, qn_list_b *l)
{
    int key = qn_sketch_key(v, s);
    for (size_t r = 0; r < v->n_rows; r++)
        if (qn_str_eq(qn_table_cell(v, r, key), name)) {
            add_step(l, qn_arena_printf(l->a, "Find the row whose %.*s is %.*s and read its %.*s.", QN_FMT(v->cols[key].name), QN_FMT(name), QN_FMT(v->cols[c].name)),
                     qn_v_text(qn_table_cell(v, r, c)));
            break;
        }
}

qn_value qn_steps_write(const qn_table_view *v, const qn_sketch *s, qn_value answer, qn_arena *a)
{
    qn_list_b l = { .a = a };
    qn_sketch part = *s;
    const char *size = s->desc ? "largest" : "smallest";
    qn_str by = s->by >= 0 ? v->cols[s->by].name : QN_STR(""), target = s->target >= 0 ? v->cols[s->target].name : QN_STR("");
    for (int i = 0; i < s->n_conds; i++) {
        const qn_cond *c = &s->conds[i];
        qn_str n = v->cols[c->col].name, w;
        if (s->either && i == 0) continue;
        if (s->either) w = qn_arena_printf(a, "Keep the rows whose %.*s is %.*s or whose %.*s is %.*s.", QN_FMT(v->cols[s->conds[0].col].name), QN_FMT(s->conds[0].text), QN_FMT(n), QN_FMT(c->text));
        else if (qn_cond_is_text(c)) w = qn_arena_printf(a, "Keep the rows whose %.*s %s %.*s.", QN_FMT(n), c->op == '=' ? "is" : c->op == '!' ? "is not" : "has", QN_FMT(c->text));
        else if (c->op == 'b') w = qn_arena_printf(a, "Keep the rows whose %.*s is between %.10g and %.10g.", QN_FMT(n), c->lo, c->hi);
        else w = qn_arena_printf(a, "Keep the rows whose %.*s is %s %.10g.", QN_FMT(n), c->op == '>' ? "more than" : c->op == '<' ? "less than" : c->op == 'g' ? "at least" : "at most", c->lo);
        part.n_conds = i + 1;
        size_t left = qn_sketch_n_rows(v, &part);
        add_step(&l, w, qn_v_text(qn_arena_printf(a, left == 1 ? "%zu row" : "%zu rows", left)));
    }
    switch (s->form) {
    case QN_FORM_SELECT: find_row_step(v, s, s->a, s->target, &l); return qn_list_end(&l);
    case QN_FORM_SELECT_WHERE: case QN_FORM_WHICH: add_step(&l, qn_arena_printf(a, "Read the %.*s of what is left.", QN_FMT(target)), answer); break;
    case QN_FORM_LIST: add_step(&l, qn_arena_printf(a, "List the different values of %.*s.", QN_FMT(target)), answer); break;
    case QN_FORM_COUNT: case QN_FORM_COUNT_ALL: add_step(&l, QN_STR("Count the rows."), answer); break;
    case QN_FORM_COUNT_DISTINCT: add_step(&l, qn_arena_printf(a, "Count the different values of %.*s.", QN_FMT(target)), answer); break;
    case QN_FORM_EXTREME: add_step(&l, qn_arena_printf(a, "Take the %s %.*s.", size, QN_FMT(by)), answer); break;
    case QN_FORM_ARGEXTREME: case QN_FORM_ARGOTHER: case QN_FORM_FIRST: case QN_FORM_LAST:
        add_step(&l, qn_arena_printf(a, "Take the row with the %s %.*s and read its %.*s.", size, QN_FMT(by), QN_FMT(target)), answer); break;
    case QN_FORM_TOP: add_step(&l, qn_arena_printf(a, "Take the %d rows with the %s %.*s and read their %.*s.", s->n, size, QN_FMT(by), QN_FMT(target)), answer); break;
    case QN_FORM_COMMON: add_step(&l, qn_arena_printf(a, "Count the rows for each %.*s and take the one with the %s.", QN_FMT(target), s->desc ? "most" : "fewest"), answer); break;
    case QN_FORM_SUM: add_step(&l, qn_arena_printf(a, "Add up %.*s.", QN_FMT(by)), answer); break;
    case QN_FORM_AVERAGE: add_step(&l, qn_arena_printf(a, "Take the average of %.*s.", QN_FMT(by)), answer); break;
    case QN_FORM_DIFFERENCE: case QN_FORM_COMPARE:
        find_row_step(v, s, s->a, s->by, &l);
        find_row_step(v, s, s->b, s->by, &l);
        add_step(&l, s->form == QN_FORM_DIFFERENCE ? QN_STR("Take the second from the first.") : qn_arena_printf(a, "Take the one with the %s value.", s->desc ? "larger" : "smaller"), answer);
        break;
    case QN_FORM_NEXT: case QN_FORM_PREVIOUS:
        find_row_step(v, s, s->a, s->by, &l);
        add_step(&l, qn_arena_printf(a, "Take the row with the next %s %.*s and read its %.*s.", s->form == QN_FORM_NEXT ? "larger" : "smaller", QN_FMT(by), QN_FMT(target)), answer);
        break;
    case QN_FORM_SAME:
        find_row_step(v, s, s->a, s->by, &l);
        add_step(&l, qn_arena_printf(a, "Read the %.*s of the other rows with the same %.*s.", QN_FMT(target), QN_FMT(by)), answer);
        break;
    case QN_FORM_ROW_FIRST: case QN_FORM_ROW_LAST:
        add_step(&l, qn_arena_printf(a, "Take the %s row and read its %.*s.", s->form == QN_FORM_ROW_FIRST ? "first" : "last", QN_FMT(target)), answer); break;
    case QN_FORM_ROW_NEXT: case QN_FORM_ROW_PREVIOUS:
        find_row_step(v, s, s->a, s->target, &l);
        add_step(&l, qn_arena_printf(a, "Take the row %s it and read its %.*s.", s->form == QN_FORM_ROW_NEXT ? "behind" : "before", QN_FMT(target)), answer); break;
    default: break;
    }
    return qn_list_end(&l);
}

void qn_seed_text(const qn_table_view *v, const qn_focus *f, qn_buf *out)
{
    if (v->key >= 0) qn_buf_printf(out, "%.*s %.*s: ", QN_FMT(v->cols[v->key].name), QN_FMT(qn_table_cell(v, f->row, v->key)));
    for (int i = 0; i < f->n_cols; i++)
        qn_buf_printf(out, "%s%.*s is %.*s", i ? ", " : "", QN_FMT(v->cols[f->cols[i]].name), QN_FMT(qn_table_cell(v, f->row, f->cols[i])));
    qn_buf_putc(out, '.');
}
