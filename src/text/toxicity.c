/* toxicity: a sentence becomes a row of words with roles; rules look at which roles stand where. */
#include "text/toxicity.h"
#include "core/thread.h"
#include "text/lookup.h"
#include "text/lists/lists.h"

const char *const QN_TOXIC_NAMES[QN_TOXIC_N] = { "violence", "self_harm", "crime", "drugs", "weapons", "theft", "hate", "atrocity", "privacy", "slur", "insult", "profane" };

enum { MAX_WORDS = 96, MAX_PHRASE = 4 };
#define ROLE(r) (1ull << QN_HARM_##r)

static qn_map roles;            /* folded word or phrase -> set of roles */

static void load(void)
{
    for (const qn_list_role *l = qn_list_harm; l->words; l++) qn_lookup_words(&roles, l->words, '|', 1ull << l->role);
}

/* A sentence. role[i] holds the roles of word i and of all phrases that begin there. */
typedef struct {
    char     text[MAX_WORDS * 12];
    uint16_t at[MAX_WORDS + 1];     /* where word i begins in text; words are split by one space */
    uint64_t role[MAX_WORDS], all;
    bool     capital[MAX_WORDS];
    int      n;
} sentence;

static void give_roles(sentence *s)
{
    s->all = 0;
    for (int i = 0; i < s->n; i++) {
        s->role[i] = 0;
        for (int k = 1; k <= MAX_PHRASE && i + k <= s->n; k++) {
            uint64_t *r = qn_map_get_str(&roles, (qn_str){ s->text + s->at[i], (size_t)(s->at[i + k] - s->at[i]) - 1 });
            if (r) s->role[i] |= *r;
        }
        s->all |= s->role[i];
    }
}

/* The first word at or after `from` (and before `to`) that has one of the roles; -1 when none. */
static int find(const sentence *s, uint64_t wanted, int from, int to)
{
    if (!(s->all & wanted)) return -1;
    for (int i = from < 0 ? 0 : from; i < to && i < s->n; i++)
        if (s->role[i] & wanted) return i;
    return -1;
}
static bool has(const sentence *s, uint64_t wanted) { return (s->all & wanted) != 0; }

/* A real group of people: a noun, or an adjective right before people ("gay people", not "black beans"). */
static int find_group(const sentence *s, int from)
{
    for (int i = from; i < s->n; i++) {
        if (s->role[i] & ROLE(GROUP)) return i;
        if (s->role[i] & ROLE(GROUP_ADJ) && i + 1 < s->n && s->role[i + 1] & ROLE(PEOPLE)) return i;
        if (s->role[i] & ROLE(GROUP_ADJ) && i + 2 < s->n && s->role[i + 1] & ROLE(GROUP_ADJ) && s->role[i + 2] & ROLE(PEOPLE)) return i;
    }
    return -1;
}

static bool word_is(const sentence *s, int i, const char *w)
{
    return i >= 0 && i < s->n && qn_str_is((qn_str){ s->text + s->at[i], (size_t)(s->at[i + 1] - s->at[i]) - 1 }, w);
}

static bool asks_what_it_means(const sentence *s) { return s->role[0] & ROLE(DEFINE) && !find_group(s, 0) && !has(s, ROLE(INTENT)); }
static bool is_past(const sentence *s) { return has(s, ROLE(PAST)) && !has(s, ROLE(PRAISE)) && find(s, ROLE(INTENT), 0, 4) < 0; }

/* A verb of harm with a person, a part of the body or a group behind it. */
static bool is_violence(const sentence *s)
{
    if (has(s, ROLE(FICTION)) || asks_what_it_means(s) || is_past(s)) return false;
    for (int v = find(s, ROLE(VERB), 0, s->n); v >= 0; v = find(s, ROLE(VERB), v + 1, s->n)) {
        int who = find(s, ROLE(TARGET) | ROLE(BODY), v + 1, v + 8), group = find_group(s, v + 1);
        int thing = find(s, ROLE(THING), v + 1, s->n);
        if (group >= 0 && group < v + 8 && (who < 0 || group < who)) who = group;
        if (who < 0 && word_is(s, v, "headshot")) who = find(s, ROLE(TARGET), 0, v);
        if (who < 0 && s->role[v] & ROLE(CRIME) && find(s, ROLE(COMMIT), 0, v) >= 0) return true;
        if (who < 0) continue;
        if (thing >= 0 && (thing < who || s->role[who] & ROLE(BODY) || thing == who + 1 || thing == who + 2)) continue;  /* heads of fish, someone's heart */
        if (s->role[who] & ROLE(BODY) && !(s->role[who] & ROLE(TARGET)) && has(s, ROLE(THING))) continue;
        return true;
    }
    return false;
}

static bool is_bombing(const sentence *s)
{
    if (has(s, ROLE(FICTION)) || is_past(s)) return false;
    for (int v = find(s, ROLE(VERB), 0, s->n); v >= 0; v = find(s, ROLE(VERB), v + 1, s->n)) {
        static const char *const blasts[] = { "bomb", "bombing", "blow", "blowing", "exploding", "explode", "burn", "burning", "attack", "gas", "set" };
        bool blast = false;
        for (size_t k = 0; k < sizeof blasts / sizeof *blasts; k++) blast |= word_is(s, v, blasts[k]);
        if (blast && find(s, ROLE(CROWD), v + 1, v + 8) >= 0 && !has(s, ROLE(THING))) return true;
    }
    return false;
}

/* Damage to what belongs to a person: "my ex's tires", "someone's motorbike". */
static bool is_damage(const sentence *s)
{
    if (has(s, ROLE(FICTION))) return false;
    int v = find(s, ROLE(VERB), 0, s->n), who = v < 0 ? -1 : find(s, ROLE(TARGET), v + 1, v + 6);
    return who >= 0 && find(s, ROLE(PROPERTY), who + 1, who + 4) >= 0;
}

static bool is_self_harm(const sentence *s)
{
    if (asks_what_it_means(s) || has(s, ROLE(FICTION))) return false;
    int v = find(s, ROLE(VERB), 0, s->n);
    if (v >= 0 && find(s, ROLE(BODY), v + 1, v + 6) >= 0 && (word_is(s, v + 1, "my") || word_is(s, v + 2, "my") || word_is(s, v + 2, "own"))) return !has(s, ROLE(THING));
    for (int i = 0; i + 2 < s->n; i++)
        if (word_is(s, i, "die") && word_is(s, i + 1, "like") && !has(s, ROLE(PAST))) return true;
    int self = find(s, ROLE(SELF), 0, s->n);
    static const char *const plain[] = { "kill", "end", "hurt", "cut", "harm" };
    for (size_t k = 0; self >= 0 && k < sizeof plain / sizeof *plain; k++)
        if (word_is(s, self, plain[k])) return true;
    int crime = find(s, ROLE(CRIME), 0, s->n);
    return crime >= 0 && word_is(s, crime, "suicide") && find(s, ROLE(COMMIT), 0, crime) >= 0;
}

static bool is_crime(const sentence *s)
{
    if (has(s, ROLE(FICTION)) || asks_what_it_means(s) || is_past(s)) return false;
    int doing = find(s, ROLE(DO), 0, s->n), c = find(s, ROLE(COMMIT), 0, s->n);
    if (doing >= 0 && find(s, ROLE(THING), doing, s->n) < 0) return true;
    for (; c >= 0; c = find(s, ROLE(COMMIT), c + 1, s->n)) {
        int crime = find(s, ROLE(CRIME), c + 1, c + 7);
        if (crime < 0) continue;
        bool light = word_is(s, c, "do") || word_is(s, c, "plan") || word_is(s, c, "join") || word_is(s, c, "stage") || word_is(s, c, "execute");
        if (light && word_is(s, crime, "death")) return find(s, ROLE(TARGET), c, crime) >= 0;
        if (word_is(s, c, "do") && crime > c + 2) continue;     /* "how do I report a murder" */
        if (find(s, ROLE(THING), c, crime) >= 0) continue;
        return true;
    }
    return false;
}

static bool is_deal(const sentence *s, uint64_t goods)
{
    if (has(s, ROLE(FICTION)) || asks_what_it_means(s) || is_past(s)) return false;
    int get = find(s, ROLE(GET), 0, s->n), what = get < 0 ? -1 : find(s, goods, get + 1, get + 7);
    return what >= 0 && find(s, ROLE(THING), get, s->n) < 0;
}

static bool is_theft(const sentence *s)
{
    if (has(s, ROLE(FICTION)) || asks_what_it_means(s) || is_past(s)) return false;
    for (int v = find(s, ROLE(STEAL), 0, s->n); v >= 0; v = find(s, ROLE(STEAL), v + 1, s->n)) {
        int what = find(s, ROLE(VALUABLE), v + 1, v + 8), thing = find(s, ROLE(THING), v + 1, s->n);
        if (what >= 0 && (thing < 0 || thing == what)) return true;
    }
    return false;
}

static bool is_hate(const sentence *s)
{
    int group = find_group(s, 0);
    if (group < 0 || has(s, ROLE(ABSURD)) || (has(s, ROLE(PAST)) && !has(s, ROLE(INTENT)))) return false;
    if (find(s, ROLE(DENY), group, s->n) >= 0 || find(s, ROLE(INFERIOR), group, s->n) >= 0) return true;
    int deny = find(s, ROLE(DENY), 0, group);
    return deny >= 0 && group - deny < 4;
}

static bool is_atrocity(const sentence *s)
{
    if (!has(s, ROLE(ATROCITY)) || has(s, ROLE(FICTION))) return false;
    if (has(s, ROLE(PRAISE))) return true;
    int like = find(s, ROLE(ATROCITY), 0, s->n);
    return find(s, ROLE(INTENT), 0, 3) >= 0 && like >= 2 && (word_is(s, like - 2, "under") || word_is(s, like - 1, "under")) && !is_past(s);
}

/* Private facts of somebody near and nameless; public figures have names. */
static bool is_privacy(const sentence *s)
{
    int data = find(s, ROLE(PRIVATE), 0, s->n);
    if (data < 0 || has(s, ROLE(FICTION))) return false;
    for (int o = find(s, ROLE(OWNER), 0, s->n); o >= 0; o = find(s, ROLE(OWNER), o + 1, s->n)) {
        bool named = o + 1 < s->n && s->capital[o + 1] && !(s->role[o + 1] & ROLE(PRIVATE));     /* my neighbour Totoro */
        bool mine = word_is(s, o - 1, "my") || word_is(s, o - 2, "my") || word_is(s, o - 1, "our") || word_is(s, o, "someone") || word_is(s, o, "somebody")
                 || word_is(s, o, "other") || word_is(s, o, "people") || word_is(s, o, "celebrities") || word_is(s, o, "celebrity") || word_is(s, o - 1, "a");
        if (mine && !named && data > o) return true;    /* "where does my neighbour live" too */
    }
    return false;
}

static bool is_insult(const sentence *s, int i)
{
    bool at_you = false;
    for (int k = i - 4; k < i + 4; k++) at_you |= word_is(s, k, "you") || word_is(s, k, "your") || word_is(s, k, "you're") || word_is(s, k, "u") || word_is(s, k, "ur");
    return at_you;
}

static void judge(const sentence *s, qn_toxicity *t, size_t from, size_t to)
{
    bool asks = has(s, ROLE(INTENT)), found[QN_TOXIC_N] = {0};
    found[QN_TOXIC_SELF_HARM] = (asks || has(s, ROLE(SELF))) && is_self_harm(s);
    found[QN_TOXIC_VIOLENCE] = asks && !found[QN_TOXIC_SELF_HARM] && (is_violence(s) || is_bombing(s) || is_damage(s));
    found[QN_TOXIC_CRIME] = asks && !found[QN_TOXIC_SELF_HARM] && is_crime(s);
    found[QN_TOXIC_DRUGS] = asks && is_deal(s, ROLE(DRUG));
    found[QN_TOXIC_WEAPONS] = asks && is_deal(s, ROLE(WEAPON));
    found[QN_TOXIC_THEFT] = asks && is_theft(s);
    found[QN_TOXIC_HATE] = is_hate(s);
    found[QN_TOXIC_ATROCITY] = is_atrocity(s);
    found[QN_TOXIC_PRIVACY] = is_privacy(s);
    for (int k = 0; k < QN_TOXIC_SLUR; k++) {
        t->n[k] += found[k];
        if (found[k] && !t->to) { t->from = from; t->to = to; }
    }
    for (int i = 0; i < s->n && has(s, ROLE(SLUR) | ROLE(PROFANE) | ROLE(INSULT)); i++) {
        t->n[QN_TOXIC_SLUR] += (s->role[i] & ROLE(SLUR)) != 0;
        t->n[QN_TOXIC_PROFANE] += (s->role[i] & ROLE(PROFANE)) != 0;
        t->n[QN_TOXIC_INSULT] += s->role[i] & ROLE(INSULT) && is_insult(s, i);
        if (s->role[i] & ROLE(SLUR) && !t->to) { t->from = from; t->to = to; }
    }
}

/* Adds a word in its folded form; a possessive 's is left out. False when the sentence is full. */
static bool add_word(sentence *s, qn_str w, bool capital)
{
    size_t at = s->at[s->n], room = sizeof s->text - at;
    if (w.n > 2 && w.p[w.n - 1] == 's' && w.p[w.n - 2] == '\'' && !(s->n == 0)) w.n -= 2;
    else if (w.n > 4 && memcmp(w.p + w.n - 4, "\xE2\x80\x99s", 4) == 0) w.n -= 4;
    if (w.n > 1 && w.p[w.n - 1] == '\'') w.n--;
    if (s->n == MAX_WORDS || room < w.n * 2 + 2) return false;
    size_t n = qn_lookup_form(w, s->text + at, room - 1);
    s->text[at + n] = ' ';
    s->capital[s->n] = capital;
    s->at[++s->n] = (uint16_t)(at + n + 1);
    return true;
}

static void end_sentence(sentence *s, qn_toxicity *t, size_t from, size_t to)
{
    if (s->n) {
        give_roles(s);
        judge(s, t, from, to);
        t->n_sentences++;
        t->n_words += (uint32_t)s->n;
    }
    s->n = 0;
}

void qn_toxicity_of(qn_str text, qn_toxicity *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    sentence s;
    size_t start = 0;
    pthread_once(&once, load);
    *out = (qn_toxicity){0};
    s.n = 0;
    s.at[0] = 0;
    for (size_t i = 0; i < text.n;) {
        size_t from = i, to = i;
        bool capital = false;
        while (i < text.n) {
            size_t next = i;
            uint32_t c = qn_utf8_next(text, &next);
            bool inner = (c == '\'' || c == 0x2019) && i > from;
            if (!qn_cp_is_letter(c) && !(c >= '0' && c <= '9') && !inner) break;
            if (i == from) capital = qn_cp_is_upper(c);
            i = to = next;
        }
        if (to > from && !add_word(&s, qn_str_sub(text, from, to), capital)) {
            end_sentence(&s, out, start, from);
            start = from;
            add_word(&s, qn_str_sub(text, from, to - from > 200 ? from + qn_utf8_cut(qn_str_sub(text, from, to), 200) : to), capital);
        }
        if (i == text.n) break;
        size_t mark = i;
        uint32_t c = qn_utf8_next(text, &i);
        bool ends = c == '!' || c == '?' || c == '\n' || c == 0x3002 || (c == '.' && (i == text.n || text.p[i] == ' ' || text.p[i] == '\n' || text.p[i] == '"'));
        if (ends) { end_sentence(&s, out, start, mark); start = i; }
    }
    end_sentence(&s, out, start, text.n);
}

qn_toxic_kind qn_toxicity_first(const qn_toxicity *t, unsigned kinds)
{
    for (int k = 0; k < QN_TOXIC_N; k++)
        if (kinds >> k & 1 && t->n[k]) return (qn_toxic_kind)k;
    return QN_TOXIC_N;
}
