/* clause_question: clauses by their marks, a verb by lists and endings, a question by moving what is asked for to the front. */
#include "builtin/clause_question.h"
#include "builtin/synonyms_en.h"
#include <ctype.h>

enum { MOST_SUBJECT = 7, MOST_WORDS = 14 };
typedef enum { NO_VERB, AUX, PAST, PRESENT } verb_kind;
typedef struct { size_t from, verb, to; verb_kind kind; char base[32]; } clause;       /* words [from, to), the verb at `verb`; base: of PAST and PRESENT */

/* past, base, present: one triple each */
static const char *const VERBS[][3] = {
    { "became", "become", "becomes" }, { "began", "begin", "begins" }, { "made", "make", "makes" }, { "took", "take", "takes" }, { "gave", "give", "gives" }, { "led", "lead", "leads" },
    { "won", "win", "wins" }, { "wrote", "write", "writes" }, { "built", "build", "builds" }, { "held", "hold", "holds" }, { "found", "find", "finds" }, { "ran", "run", "runs" },
    { "went", "go", "goes" }, { "came", "come", "comes" }, { "said", "say", "says" }, { "saw", "see", "sees" }, { "left", "leave", "leaves" }, { "lost", "lose", "loses" },
    { "met", "meet", "meets" }, { "paid", "pay", "pays" }, { "sold", "sell", "sells" }, { "sent", "send", "sends" }, { "spent", "spend", "spends" }, { "stood", "stand", "stands" },
    { "told", "tell", "tells" }, { "thought", "think", "thinks" }, { "brought", "bring", "brings" }, { "bought", "buy", "buys" }, { "grew", "grow", "grows" }, { "knew", "know", "knows" },
    { "rose", "rise", "rises" }, { "fell", "fall", "falls" }, { "kept", "keep", "keeps" }, { "fought", "fight", "fights" }, { "chose", "choose", "chooses" }, { "drew", "draw", "draws" },
    { "felt", "feel", "feels" }, { "taught", "teach", "teaches" }, { "spoke", "speak", "speaks" }, { "broke", "break", "breaks" }, { "meant", "mean", "means" }, { "sought", "seek", "seeks" },
    { "", "have", "has" }, { "", "include", "includes" }, { "", "contain", "contains" }, { "", "remain", "remains" }, { "", "use", "uses" }, { "", "provide", "provides" },
    { "", "consist", "consists" }, { "", "refer", "refers" }, { "", "require", "requires" }, { "", "allow", "allows" }, { "", "belong", "belongs" }, { "", "depend", "depends" },
    { "", "live", "lives" }, { "", "lie", "lies" }, { "", "describe", "describes" }, { "", "offer", "offers" }, { "", "serve", "serves" }, { "", "exist", "exists" }, { "", "occur", "occurs" },
    { "", "produce", "produces" }, { "", "support", "supports" }, { "", "represent", "represents" }, { "", "cause", "causes" }, { "", "claim", "claims" }, { "", "believe", "believes" },
};

static bool among(const char *list, qn_str w)
{
    char key[32];
    if (w.n == 0 || w.n > 28) return false;
    key[0] = ' ';
    for (size_t i = 0; i < w.n; i++) key[i + 1] = (char)tolower((unsigned char)w.p[i]);
    key[w.n + 1] = ' ';
    key[w.n + 2] = 0;
    return strstr(list, key) != NULL;
}

static bool is_aux(qn_str w) { return among(" is are was were can could will would may might must should has had ", w); }
static bool is_pronoun(qn_str w) { return among(" it he she they this these those that we i you there one such its his her their who which ", w); }
static bool is_preposition(qn_str w) { return among(" in on at by for from with to of as into during through between under over about against among after before since until near within ", w); }
static bool is_adverb(qn_str w) { return w.n > 4 && w.p[w.n - 2] == 'l' && w.p[w.n - 1] == 'y'; }
static bool chance(qn_rng *r, double p) { return qn_rng_real(r) < p; }
static bool vowel(char c) { return strchr("aeiou", c) != NULL; }

/* "defended" -> "defend", "moved" -> "move", "stopped" -> "stop", "carried" -> "carry". */
static void base_of(qn_str w, char out[32])
{
    size_t n = w.n - 2;
    for (size_t i = 0; i < n; i++) out[i] = (char)tolower((unsigned char)w.p[i]);
    out[n] = 0;
    char c = out[n - 1], b = n > 1 ? out[n - 2] : 0, a = n > 2 ? out[n - 3] : 0;
    if (c == 'i') { out[n - 1] = 'y'; return; }
    if (c == b && !strchr("lsfz", c)) { out[n - 1] = 0; return; }
    bool e = strchr("vcuz", c) || (c == 's' && b != 's') || (c == 'g' && (b == 'n' || b == 'a' || b == 'd' || b == 'r')) || (c == 't' && (b == 'a' || b == 'u') && !vowel(a))
             || (c == 'd' && (b == 'i' || b == 'u') && !vowel(a)) || (c == 'r' && (b == 'i' || b == 'u') && !vowel(a)) || (c == 'n' && b == 'i' && !vowel(a)) || (c == 'l' && !vowel(b) && b != 'l')
             || (c == 'm' && (b == 'u' || b == 'a') && !vowel(a)) || (c == 'k' && b == 'o');
    if (e) { out[n] = 'e'; out[n + 1] = 0; }
}

static verb_kind verb_of(qn_str w, bool capital, char base[32])
{
    if (capital || w.n > 28) return NO_VERB;
    if (is_aux(w)) return AUX;
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
        bool past = qn_str_is(w, VERBS[i][0]), present = qn_str_is(w, VERBS[i][2]);
        if (!past && !present) continue;
        strcpy(base, VERBS[i][1]);
        return past ? PAST : PRESENT;
    }
    if (w.n < 5 || memcmp(w.p + w.n - 2, "ed", 2) != 0 || w.p[w.n - 3] == 'e' || among(" hundred sacred united limited so-called ", w)) return NO_VERB;
    base_of(w, base);
    return PAST;
}

/* A clause that begins with its verb, or with what stands for something said before, has no subject that can be asked about. */
static bool opens_well(const qn_said *s, const clause *c)
{
    const qn_said_word *w = &s->w[c->from];
    char base[32];
    if (verb_of(w->text, w->capital, base) != NO_VERB || among(" which who whom whose what there here one not to as than ", w->text)) return false;
    return !among(" it he she they this these those such we i you ", w->text) || (c->from + 1 < c->to && verb_of(s->w[c->from + 1].text, s->w[c->from + 1].capital, base) != NO_VERB);
}

/* The clause that begins at `from`: up to the next mark or joining word; false without a verb behind a subject. */
static bool clause_at(const qn_said *s, size_t from, clause *c)
{
    *c = (clause){ .from = from, .to = from + 1 };
    while (c->to < s->n && !s->w[c->to].comma && !among(" but while which who that because although where whereas when so ", s->w[c->to].text)) c->to++;
    while (c->from < c->to && among(" and but however also then thus so therefore while although because when that where whereas moreover furthermore ", s->w[c->from].text)) c->from++;
    if (c->from >= c->to || !opens_well(s, c)) return false;
    for (c->verb = c->from + 1; c->verb < c->to; c->verb++) {
        c->kind = verb_of(s->w[c->verb].text, s->w[c->verb].capital, c->base);
        bool participle = c->kind == PAST && c->verb > c->from && among(" the a an of by newly recently most its his her their ", s->w[c->verb - 1].text);
        if (c->kind != NO_VERB && !participle) break;
    }
    if (c->verb == c->to || c->to - c->verb < 3) return false;
    for (size_t i = c->from; i < c->verb; i++) if (!s->w[i].stop && !is_adverb(s->w[i].text)) return true;
    return c->verb == c->from + 1;              /* a pronoun alone */
}

/* Its subject as it is said in a question; false when nobody knows what a pronoun stands for. */
static bool put_subject(const qn_said *s, const clause *c, qn_str title, double other, qn_rng *r, qn_buf *b)
{
    size_t from = c->from;
    if (c->verb - from == 1 && is_pronoun(s->w[from].text)) {
        if (!title.n || title.n > 40 || !among(" it he she they ", s->w[from].text)) return false;
        qn_buf_putc(b, ' ');
        qn_buf_str(b, title);
        return true;
    }
    if (is_preposition(s->w[from].text) || c->verb - from > MOST_SUBJECT) return false;
    for (size_t i = from; i < c->verb; i++) qn_put_said(&s->w[i], i == from && (s->w[i].stop || from == 0), other, r, b);
    return true;
}

static void put_words(const qn_said *s, size_t from, size_t to, double other, qn_rng *r, qn_buf *b)
{
    for (size_t i = from; i < to; i++)
        if (!among(" also however then thus therefore ", s->w[i].text)) qn_put_said(&s->w[i], false, other, r, b);
}

/* The end of what is said: no small words, no more than `most`. */
static size_t cut(const qn_said *s, size_t from, size_t to, size_t most)
{
    if (to > from + most) to = from + most;
    while (to > from && s->w[to - 1].stop) to--;
    return to;
}

static bool looks_like_person(const qn_said *s, size_t from, size_t to)
{
    if (to - from < 1 || to - from > 3) return false;
    for (size_t i = from; i < to; i++) if (!s->w[i].capital || s->w[i].stop) return false;
    return true;
}

static bool ask_subject(const qn_said *s, const clause *c, double other, qn_rng *r, qn_buf *b)
{
    size_t to = cut(s, c->verb, c->to, 6 + qn_rng_below(r, 6));
    if (to < c->verb + 3 || is_pronoun(s->w[c->from].text) || is_preposition(s->w[c->from].text)) return false;
    if (looks_like_person(s, c->from, c->verb)) qn_buf_puts(b, "who");
    else if (!s->w[c->verb - 1].capital && !s->w[c->verb - 1].stop && chance(r, 0.3)) {        /* "which treaty ended the war" */
        qn_buf_puts(b, chance(r, 0.5) ? "which" : "what");
        qn_put_said(&s->w[c->verb - 1], false, 0, r, b);
    } else qn_buf_puts(b, "what");
    put_words(s, c->verb, to, other, r, b);
    return true;
}

typedef struct { size_t from, to; } span;

/* What is asked for behind the verb: a number, a name, or the last words. */
static bool pick_answer(const qn_said *s, const clause *c, qn_rng *r, span *out)
{
    size_t n = 0;
    for (size_t i = c->verb + 1; i < c->to; i++) {
        bool name = s->w[i].capital && !s->w[i].stop && !(i > c->verb + 1 && s->w[i - 1].capital && !s->w[i - 1].stop);
        bool last = i + 1 == c->to && !s->w[i].stop && !s->w[i].capital;
        if (!(s->w[i].number || name || last) || qn_rng_below(r, ++n) != 0) continue;
        *out = (span){ i, i + 1 };
        if (name) while (out->to < c->to && out->to < i + 5 && s->w[out->to].capital) out->to++;
        else if (last) while (out->from > c->verb + 2 && out->from > i - 2 && !s->w[out->from - 1].stop && !s->w[out->from - 1].number) out->from--;
    }
    return n > 0;
}

static const char *wh_of(const qn_said *s, span a, size_t before, qn_rng *r, bool *keeps_preposition)
{
    static const char *const YEAR[] = { "when", "in what year", "what year", "when" }, *const PLACE[] = { "where", "where", "in what place" };
    const qn_said_word *w = &s->w[a.from];
    qn_str p = before < a.from ? s->w[before].text : (qn_str){ 0 };
    *keeps_preposition = false;
    if (w->number && w->text.n == 4 && (w->text.p[0] == '1' || w->text.p[0] == '2') && a.to == a.from + 1) return YEAR[qn_rng_below(r, 4)];
    if (w->number) return "how many";
    if (w->capital && among(" in at near from to ", p) && chance(r, 0.7)) return among(" in at near ", p) ? PLACE[qn_rng_below(r, 3)] : "where";
    *keeps_preposition = p.n > 0;
    if (w->capital && (among(" by with ", p) || (a.to - a.from == 2 && before == a.from))) return "who";
    return "what";
}

static bool ask_behind(const qn_said *s, const clause *c, qn_str title, double other, qn_rng *r, qn_buf *b)
{
    span a = { 0 };
    bool keeps;
    if (!pick_answer(s, c, r, &a)) return false;
    size_t before = a.from, behind = a.to;
    while (before > c->verb + 1 && among(" the a an his her its their ", s->w[before - 1].text)) before--;
    if (before > c->verb + 1 && is_preposition(s->w[before - 1].text)) before--;
    const char *wh = wh_of(s, a, before, r, &keeps);
    qn_buf_puts(b, wh);
    if (strcmp(wh, "how many") == 0) {                              /* "how many member clubs are" */
        size_t noun = behind;
        while (noun < c->to && noun < behind + 3 && !s->w[noun].stop) noun++;
        if (noun == behind) return false;
        put_words(s, behind, noun, other, r, b);
        behind = noun;
    }
    qn_said_word verb = s->w[c->verb];
    if (c->kind == AUX) qn_put_said(&verb, false, 0, r, b);
    else qn_buf_puts(b, c->kind == PAST ? " did" : " does");
    if (!put_subject(s, c, title, other, r, b)) return false;
    if (c->kind != AUX) { verb.text = qn_str_of(c->base); qn_put_said(&verb, false, other, r, b); }
    if (!keeps && behind == c->to) before = cut(s, c->verb + 1, before, MOST_WORDS);
    put_words(s, c->verb + 1, before, other, r, b);
    if (keeps) put_words(s, before, before + 1, 0, r, b);
    while (behind < c->to && !s->w[behind].stop && strcmp(wh, "how many") != 0) behind++;      /* "Dutch [settlers]": the rest of the name's phrase */
    if (behind < c->to && (chance(r, 0.5) || before == c->verb + 1)) put_words(s, behind, cut(s, behind, c->to, 6), other, r, b);
    return true;
}

static size_t words_in(qn_str text)
{
    size_t n = text.n > 0;
    for (size_t i = 0; i < text.n; i++) n += text.p[i] == ' ';
    return n;
}

/* Drops a last word that waits for another. */
static bool trim_end(qn_buf *b)
{
    size_t at = b->n;
    while (at > 0 && b->p[at - 1] != ' ') at--;
    if (at == 0 || !among(" the a an and or because its their his her than ", (qn_str){ b->p + at, b->n - at })) return false;
    b->n = at - 1;
    return true;
}

bool qn_clause_question(const qn_said *s, qn_str title, double other, qn_rng *r, qn_buf *out)
{
    clause all[QN_SAID_WORDS], one;
    size_t n = 0;
    for (size_t i = 0; i < s->n; i = one.to > i ? one.to : i + 1) if (clause_at(s, i, &one)) all[n++] = one;
    qn_buf b = { 0 };
    bool ok = false;
    for (int go = 0; go < 3 && n && !ok; go++) {
        const clause *c = &all[qn_rng_below(r, n)];
        qn_buf_clear(&b);
        ok = chance(r, 0.35) ? ask_subject(s, c, other, r, &b) : ask_behind(s, c, title, other, r, &b);
        while (trim_end(&b)) continue;
        size_t n_words = words_in(qn_buf_view(&b));
        if (n_words < 5 || n_words > MOST_WORDS + 4) ok = false;
    }
    if (ok) {
        qn_buf_str(out, qn_buf_view(&b));
        if (chance(r, 0.85)) qn_buf_putc(out, '?');
    }
    qn_buf_free(&b);
    return ok;
}

void qn_put_said(const qn_said_word *w, bool opens, double other, qn_rng *r, qn_buf *out)
{
    qn_str syn = !w->number && (opens || !w->capital) && chance(r, other) ? qn_en_synonym(w->text, r) : (qn_str){ 0 }, put = syn.n ? syn : w->text;
    if (out->n && out->p[out->n - 1] != ' ') qn_buf_putc(out, ' ');
    for (size_t i = 0; i < put.n; i++) qn_buf_putc(out, opens && w->stop ? (char)tolower((unsigned char)put.p[i]) : put.p[i]);
}
