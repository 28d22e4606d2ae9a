/* question_loose: templates by form, with the columns' and values' words put in. */
#include "builtin/question_loose.h"
#include "builtin/synonyms_en.h"
#include "builtin/words_en.h"
#include "core/mem.h"
#include <ctype.h>
#include <math.h>

typedef struct { const qn_table_view *v; const qn_sketch *s; qn_rng *r; qn_arena a; } say;

static bool chance(say *g, double p) { return qn_rng_real(g->r) < p; }

static qn_str pick(say *g, const char *alternatives)
{
    uint64_t n = 1;
    for (const char *c = alternatives; *c; c++) n += *c == '|';
    uint64_t k = qn_rng_below(g->r, n);
    while (k--) alternatives = strchr(alternatives, '|') + 1;
    const char *end = strchr(alternatives, '|');
    return (qn_str){ alternatives, end ? (size_t)(end - alternatives) : strlen(alternatives) };
}

/* "Area (km2)" -> "area", with some words exchanged. */
static qn_str phrase(say *g, int c, bool many)
{
    const qn_table_col *k = &g->v->cols[c];
    qn_str h = k->phrase.n && chance(g, 0.5) ? k->phrase : qn_en_lower_header(&g->a, k->name);
    for (size_t i = 1; i < h.n; i++) if (h.p[i] == '(' || h.p[i] == '[' || h.p[i] == '\n') { h = qn_str_trim(qn_str_sub(h, 0, i)); break; }
    if (k->word && k->word->noun && chance(g, 0.3)) h = qn_str_of(k->word->noun);
    if (chance(g, 0.2)) {
        qn_str syn = qn_en_synonym(h, g->r);
        if (syn.n) h = syn;
    }
    return many ? qn_en_plural(&g->a, h) : h;
}

static qn_str number(say *g, double x)
{
    const char *small = fabs(x) <= 12 && x == floor(x) && chance(g, 0.4) ? qn_en_small_number((int)x) : NULL;
    return small ? qn_str_of(small) : qn_en_number(&g->a, x, chance(g, 0.6) && x >= 10000);
}

static qn_str fill(say *g, qn_str t, const qn_str slots[128])
{
    qn_buf b = { 0 };
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] == '%' && i + 1 < t.n) qn_buf_str(&b, slots[t.p[++i] & 127]);
        else qn_buf_putc(&b, t.p[i]);
    }
    qn_str s = qn_arena_str(&g->a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

static qn_str condition(say *g, const qn_cond *c)
{
    const qn_table_col *k = &g->v->cols[c->col];
    bool year = qn_col_is_time(k);
    qn_str slots[128] = { ['c'] = phrase(g, c->col, false), ['s'] = phrase(g, c->col, true) };
    const char *t;
    if (c->op == '!') {
        slots['v'] = qn_str_trim(c->text);
        return fill(g, pick(g, "other than %v|besides %v|not %v|except %v|aside from %v|that are not %v|that is not %v|not in %v|not from %v|whose %c is not %v|that did not have %v|excluding %v"), slots);
    }
    if (c->op == '~' && k->rough == 'e' && chance(g, 0.7)) {
        slots['v'] = c->text;
        return fill(g, pick(g, "in %v|on %v|during %v|in the month of %v|that took place in %v|held in %v|played in %v"), slots);
    }
    if (qn_cond_is_text(c)) {
        slots['v'] = qn_str_trim(c->text);
        t = year && c->op == '=' ? "in %v|in %v|for %v|during %v|from %v|in the year %v" :
            k->numeric ? "with %v %s|with %v %c|with a %c of %v|where the %c is %v|that have %v %s|for %c %v|with %c %v" :
            "in %v|in %v|for %v|with %v|from %v|by %v|at %v|on %v|against %v|that are %v|that is %v|of %v|with %c %v|where the %c is %v|where the %c was %v|whose %c is %v|listed as %v|that had %v as %c|under %v";
        return fill(g, pick(g, t), slots);
    }
    slots['v'] = year ? qn_en_number(&g->a, c->lo, false) : number(g, c->lo);
    slots['w'] = year ? qn_en_number(&g->a, c->hi, false) : number(g, c->hi);
    switch (c->op) {
    case '>': t = year ? "after %v|after the year %v|later than %v|past %v" :
        "with more than %v %s|with over %v %s|with %c over %v|with a %c greater than %v|that have more than %v %s|above %v %c|with a %c above %v|where the %c is higher than %v|that had over %v %c|with more than %v"; break;
    case '<': t = year ? "before %v|prior to %v|earlier than %v|before the year %v" :
        "with less than %v %s|with fewer than %v %s|with under %v %s|with a %c below %v|with a %c of less than %v|that have fewer than %v %s|where the %c is lower than %v|that had less than %v %c|with under %v"; break;
    case 'g': t = year ? "since %v|from %v on|in or after %v|starting in %v" : "with at least %v %s|with %v or more %s|with a %c of at least %v|that have at least %v %s|with no less than %v %c|with at least %v"; break;
    case 'l': t = year ? "up to %v|until %v|by %v" : "with at most %v %s|with %v or fewer %s|with %v or less %c|with no more than %v %s|with a %c of at most %v"; break;
    default: t = "between %v and %w|from %v to %w|between the years %v and %w|from %v through %w"; break;
    }
    return fill(g, pick(g, t), slots);
}

/* An adjective for the largest or smallest of a column; with its phrase ("highest area") or, where the lexicon knows one, alone ("largest"). */
static qn_str most(say *g, int by, bool desc, bool *alone)
{
    const qn_table_col *k = &g->v->cols[by];
    const char *adj = k->word ? desc ? k->word->max : k->word->min : NULL, *own = k->word ? desc ? k->word->dmax : k->word->dmin : NULL;
    bool counted = k->sense == QN_SENSE_COUNT, time = qn_col_is_time(k) || k->sense == QN_SENSE_DATE, rank = k->sense == QN_SENSE_RANK;
    *alone = adj && chance(g, 0.5);
    if (*alone) return pick(g, adj);
    if (own && chance(g, 0.4)) return pick(g, own);
    if (time) return pick(g, desc ? "latest|last|most recent|newest" : "earliest|first|oldest");
    if (rank) return pick(g, desc ? "lowest|worst|highest" : "highest|best|top");
    if (counted) return pick(g, desc ? "most|most|highest|largest number of|greatest number of|most number of" : "least|fewest|lowest|smallest number of|least amount of");
    return pick(g, desc ? "highest|most|largest|greatest|biggest|top|longest|best|highest number of" : "lowest|least|smallest|fewest|shortest|least amount of|lowest number of");
}

/* Two rows are compared: what came first or last are years and dates, what ranked higher are ranks; other columns have more or less. */
static const char *compared(say *g)
{
    const qn_table_col *by = &g->v->cols[g->s->by];
    bool time = qn_col_is_time(by) || by->sense == QN_SENSE_DATE, rank = by->sense == QN_SENSE_RANK;
    if (g->s->desc) return time ? "which came later, %a or %e|who came last, %a or %e|which was later, %e or %a|which %t has a later %b, %a or %e|which is more recent, %a or %e|did %a or %e come last|which %t came after the other, %a or %e|which is newer, %e or %a|what came last, %a or %e" :
        rank ? "which had a lower %b, %a or %e|who ranked lower, %a or %e|who had a worse %b, %e or %a|which %t came after the other, %a or %e|who came last, %a or %e|who finished behind, %e or %a" :
        "which has more %B, %a or %e|who had more %B, %a or %e|which %t had more %B, %a or %e|did %a or %e have more %B|which had a higher %b, %a or %e|which had a greater %b, %e or %a|who had a higher %b: %a or %e|who has the most %B, %a or %e|is the %b higher for %a or %e|"
        "which %t has a larger %b, %e or %a|which one had the most %B, %a or %e|did %e or %a have a higher %b";
    return time ? "which came first, %a or %e|which was earlier, %a or %e|who came first, %a or %e|which %t has an earlier %b, %e or %a|did %a or %e come first|which is older, %a or %e|what happened first, %a or %e|which %t came before the other, %e or %a|who was first, %a or %e" :
        rank ? "who ranked higher, %a or %e|which had a better %b, %a or %e|who came first, %a or %e|who finished ahead, %e or %a|which %t was ranked higher, %a or %e|who placed higher, %a or %e|which had a higher %b, %e or %a" :
        "which has less %B, %a or %e|who had fewer %B, %a or %e|which had a lower %b, %a or %e|did %a or %e have fewer %B|who had a lower %b, %e or %a|which %t has a smaller %b, %a or %e|who had less %B, %e or %a|which has fewer %B, %e or %a|is the %b lower for %a or %e";
}

static const char *templates(say *g, bool alone)
{
    const qn_sketch *s = g->s;
    bool person = s->target >= 0 && g->v->cols[s->target].sense == QN_SENSE_PERSON, time = s->target >= 0 && (g->v->cols[s->target].sense == QN_SENSE_YEAR || g->v->cols[s->target].sense == QN_SENSE_DATE);
    switch (s->form) {
    case QN_FORM_SELECT:
        if (time && chance(g, 0.5)) return "when was %a|when did %a happen|what year was %a|in what %t was %a|when did %a take place|what %t did %a have";
        if (person && chance(g, 0.4)) return "who was the %t of %a|who was the %t for %a|who is the %t of %a|who was %a's %t|who %t %a";
        if (g->v->cols[s->target].numeric && chance(g, 0.5)) return "how many %T did %a have|how many %T does %a have|how many %T for %a|what is the number of %T for %a|how much %t did %a have|what number of %T did %a get|how many %T were there in %a|what is the total number of %T in %a|what was the total %t of %a|how many %T has %a";
        return "what is the %t of %a|what was the %t of %a|what is %a's %t|what was %a's %t|what %t did %a have|what %t is %a|which %t is %a in|what %t does %a have|what is the %t for %a|what was the %t for %a|what was the %t in %a|what was the %t on %a|"
               "%a has what %t|which %t did %a play for|what %t did %a use|what is listed as the %t for %a|tell me the %t of %a|in which %t was %a|in what %t did %a take place|what %t was %a|the %t of %a";
    case QN_FORM_SELECT_WHERE: case QN_FORM_WHICH: case QN_FORM_LIST:
        if (person && chance(g, 0.5)) return "who was %c|who is %c|who had %c|who were the %T %c|which %t was %c|name the %t %c|who played %c|who won %c";
        if (time && chance(g, 0.4)) return "when was %c|what year was %c|what %t was %c|in which %T was %c|which %t had %c|in what %t %c";
        return "which %t %c|what %t is %c|what %t was %c|which %t is %c|which %t was %c|what is the %t %c|what was the %t %c|name the %t %c|name a %t %c|what %t had %c|which %T are %c|what are the %T %c|which %T were %c|list the %T %c|which %t has %c|what is a %t %c|%c, which %t was it|what is the name of the %t %c";
    case QN_FORM_COUNT:
        return "how many %k %c|how many %k are %c|how many %k were %c|how many %k are there %c|how many were %c|how many total %k %c|what is the number of %k %c|what is the total number of %k %c|how many times %c|number of %k %c|how many %k were there %c|how many are %c|how many different %k %c|"
               "what was the total number of %k %c|how many times was it %c|the number of %k %c|%c, how many %k were there|how many %k have been %c|how many %k did they have %c|what is the total amount of %k %c|how often %c";
    case QN_FORM_COUNT_ALL: return "how many %k are there|how many %k are listed|what is the total number of %k|how many %k are in this table|how many total %k are there|how many %k were there in total|number of %k listed";
    case QN_FORM_COUNT_DISTINCT: return "how many different %T are there|how many different %T are listed|how many %T are there|how many unique %T are there|what is the number of different %T|how many %T are represented|how many total %T are there|how many distinct %T were there|how many different %T were there";
    case QN_FORM_EXTREME: return alone ? "what is the %m|what was the %m %b|what is the %m %t listed|how much is the %m" :
        "what is the %m %b|what was the %m %b|what is the %m %b listed|what is the %m %b recorded|what was the %m %b ever|what is the %m amount of %B|what is the %m number of %B|what %t was the %m|what is the %b of the %m|how many %B did the %m have|the %m %b";
    case QN_FORM_ARGEXTREME: case QN_FORM_ARGOTHER: case QN_FORM_FIRST: case QN_FORM_LAST: case QN_FORM_TOP:
        if (alone) return "which %t is the %m|what %t is the %m|which is the %m %t|what is the %m %t|which %t was the %m|what was the %m %t|name the %m %t|who was the %m|the %m %t is what";
        if (person && chance(g, 0.5)) return "who had the %m %b|who has the %m %b|who scored the %m %b|who won the %m %b|who earned the %m %b|who had the %m %B|who has the %m %B|who received the %m %B|who was the %t with the %m %b";
        return "which %t has the %m %b|which %t had the %m %b|what %t has the %m %b|what %t had the %m %b|which %t has the %m %B|which %t had the %m %B|what %t had the %m %B|what is the %t with the %m %b|what was the %t with the %m %b|which %t had the %m amount of %B|"
               "which %t had the %m number of %B|which %t received the %m %B|name the %t with the %m %b|which %t won the %m %B|the %t with the %m %b|what was the %t of the %m %b|which %t recorded the %m %b|who had the %m %B|which %t is %m in %b|which %t scored the %m %B|what is the %m %b by %t";
    case QN_FORM_COMMON: return s->desc ? "which %t appears the most|what %t is listed the most|which %t has the most|which %t had the most %k|which %t is the most common|what is the most common %t|what %t appears most often|which %t won the most|which %t was used the most|what %t occurs most frequently|who had the most %k|"
               "which %t has the most %k|which %t shows up the most|what %t has the greatest number of %k|which %t occurred the most times|what %t won the most times|which %t is listed most often" :
        "which %t appears the least|which %t has the least|what %t is listed the least|which %t is the least common|which %t had the fewest %k|which %t was used the least|which %t has the least number of %k";
    case QN_FORM_SUM: return "what is the total %b|what is the total number of %B|how many total %B|what is the combined %b|what was the total number of %B|how many %B in total|how many total %B were there|what is the sum of %B|how many %B were there in all|how many %B altogether|what is the total amount of %B|total %B";
    case QN_FORM_AVERAGE: return "what is the average %b|what was the average %b|what is the average number of %B|what is the mean %b|what was the average number of %B|the average %b";
    case QN_FORM_DIFFERENCE: return "what is the difference in %b between %a and %e|how many more %B did %a have than %e|how many more %B does %a have than %e|what is the difference between %a's %b and %e's|how many more %B than %e did %a have|what was the difference in %B between %e and %a|"
               "how much more %b does %a have than %e|what is the difference between the %b of %a and %e|how many more %B were in %a than in %e|how many fewer %B did %e have than %a|by how many %B did %a beat %e|what is the difference of %B between %a and %e";
    case QN_FORM_COMPARE: return compared(g);
    case QN_FORM_NEXT: case QN_FORM_ROW_NEXT: return "what %t comes after %a|which %t is after %a|who came after %a|what is the next %t after %a|which %t comes next after %a|what %t is listed after %a|which %t is listed below %a|what is the %t listed directly after %a|what was the next %t after %a|what %t is next after %a|"
               "who was after %a|which %t followed %a|who finished after %a|what %t came right after %a|after %a, what is the next %t|what %t is below %a|who ranked right after %a|what comes next after %a|which %t was next after %a|who ranked below %a|what was the %t after %a";
    case QN_FORM_PREVIOUS: case QN_FORM_ROW_PREVIOUS: return "what %t comes before %a|which %t is before %a|who came before %a|what is the previous %t before %a|which %t is listed above %a|what %t is listed before %a|what is the %t listed directly before %a|which %t preceded %a|who was before %a|what %t came right before %a|"
               "what is above %a|who finished before %a|before %a, what was the %t|which %t comes right before %a|who ranked right before %a|which %t was previous to %a|what was the %t before %a|who ranked above %a|what was the last %t before %a";
    case QN_FORM_ROW_FIRST: return "what is the first %t|which %t is listed first|what is the first %t listed|what was the first %t|who was the first %t|which %t is first|what is the %t at the top|who is listed first|what %t is at the top of the table|what %t came first|which was the first %t|what is the top %t|who was first|the first %t listed is what|what is the name of the first %t";
    case QN_FORM_ROW_LAST: return "what is the last %t|which %t is listed last|what is the last %t listed|what was the last %t|who was the last %t|which %t is last|what is the %t at the bottom|who is listed last|what %t is at the bottom of the table|what %t came last|which was the last %t|what was the final %t|who was last|which %t took last place|what is the last %t on the list|what is the most recent %t";
    case QN_FORM_SAME: return "which other %t has the same %b as %a|what other %t has the same %b as %a|who has the same %b as %a|which %T have the same %b as %a|besides %a, which %t has the same %b|other than %a, what %t had the same %b|who else had the same %b as %a|which %t shares its %b with %a|what other %t is in the same %b as %a|which %T played the same %b as %a";
    case QN_N_FORMS: break;
    }
    return "what is it";
}

static qn_str rows_word(say *g)
{
    const qn_table_view *v = g->v;
    if (v->nouns.n && !qn_str_is(v->noun, "entry") && chance(g, 0.4)) return v->nouns;
    if (v->key >= 0 && chance(g, 0.5)) return phrase(g, v->key, true);
    size_t c = qn_rng_below(g->r, v->n_cols);
    return chance(g, 0.5) ? phrase(g, (int)c, true) : pick(g, "times|games|players|teams|people|countries|events|years|entries|items|seasons|matches");
}

/* As it is typed: no capitals, small words lost, with or without an end. */
static void type(say *g, qn_str q, qn_buf *out)
{
    bool low = chance(g, 0.9), loses = chance(g, 0.25);
    size_t from = out->n;
    for (size_t i = 0; i < q.n;) {
        size_t end = i;
        while (end < q.n && q.p[end] != ' ') end++;
        qn_str w = qn_str_sub(q, i, end);
        bool small = qn_str_is(w, "the") || qn_str_is(w, "of") || qn_str_is(w, "is") || qn_str_is(w, "was") || qn_str_is(w, "did") || qn_str_is(w, "a");
        if (w.n && !(small && loses && chance(g, 0.3))) {
            if (out->n > from) qn_buf_putc(out, ' ');
            qn_str syn = chance(g, 0.05) ? qn_en_synonym(w, g->r) : (qn_str){ 0 };
            qn_buf_str(out, syn.n ? syn : w);
        }
        i = end + 1;
    }
    for (size_t i = from; low && i < out->n; i++) if ((unsigned char)out->p[i] < 128) out->p[i] = (char)tolower((unsigned char)out->p[i]);
    if (chance(g, 0.85)) qn_buf_putc(out, '?');
}

void qn_question_loose(const qn_table_view *v, const qn_sketch *s, qn_rng *r, qn_buf *out)
{
    say g = { .v = v, .s = s, .r = r };
    qn_str slots[128] = { [0] = { 0 } }, c = { 0 };
    bool alone = false;
    if (s->by >= 0) { slots['m'] = most(&g, s->by, s->desc, &alone); slots['b'] = phrase(&g, s->by, false); slots['B'] = phrase(&g, s->by, true); }
    if (s->target >= 0) { slots['t'] = phrase(&g, s->target, false); slots['T'] = phrase(&g, s->target, true); }
    slots['a'] = qn_str_trim(s->a);
    slots['e'] = qn_str_trim(s->b);
    slots['k'] = rows_word(&g);
    for (int i = 0; i < s->n_conds; i++) {
        qn_str one = condition(&g, &s->conds[i]);
        if (i && s->either) { c = qn_arena_printf(&g.a, chance(&g, 0.5) ? "%.*s or %.*s" : "%.*s and %.*s", QN_FMT(c), QN_FMT(qn_str_trim(s->conds[1].text))); continue; }
        c = i == 0 ? one : qn_arena_printf(&g.a, chance(&g, 0.3) ? "%.*s and %.*s" : "%.*s %.*s", QN_FMT(c), QN_FMT(one));
    }
    slots['c'] = c;
    qn_str t = pick(&g, templates(&g, alone)), q = fill(&g, t, slots);
    bool placed = false;
    for (size_t i = 0; i + 1 < t.n; i++) placed |= t.p[i] == '%' && t.p[i + 1] == 'c';
    if (c.n && !placed) {
        bool front = chance(&g, 0.25);
        q = front ? qn_arena_printf(&g.a, "%.*s, %.*s", QN_FMT(c), QN_FMT(q)) : qn_arena_printf(&g.a, "%.*s %.*s", QN_FMT(q), QN_FMT(c));
    }
    type(&g, q, out);
    qn_arena_free(&g.a);
}
