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
    bool     capital[MAX_WORDS], owner[MAX_WORDS];      /* owner: it stood with 's */
    bool     fiction;               /* a game, a film, a story: not "show me", "can I play" */
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

/* Words for made-up worlds that are verbs as often: "show me", "you play", "please book". */
static bool names_fiction(const sentence *s)
{
    static const char *const verbs[] = { "show", "play", "book", "match", "script" }, *const before[] = { "you", "i", "we", "to", "me", "us", "please", "can", "could", "would", "will", "and", "they" };
    for (int i = find(s, ROLE(FICTION), 0, s->n); i >= 0; i = find(s, ROLE(FICTION), i + 1, s->n)) {
        bool verb = false, behind = i == 0;
        for (size_t k = 0; k < sizeof verbs / sizeof *verbs; k++) verb |= word_is(s, i, verbs[k]);
        for (size_t k = 0; k < sizeof before / sizeof *before; k++) behind |= word_is(s, i - 1, before[k]);
        if (!verb || !behind) return true;
    }
    return false;
}

static bool is_one_of(const sentence *s, int i, const char *const *words)
{
    for (; *words; words++)
        if (word_is(s, i, *words)) return true;
    return false;
}

static bool any_of(const sentence *s, const char *const *words, int from, int to)
{
    for (int i = from < 0 ? 0 : from; i < to && i < s->n; i++)
        if (is_one_of(s, i, words)) return true;
    return false;
}

static bool asks_what_it_means(const sentence *s) { return s->role[0] & ROLE(DEFINE) && !find_group(s, 0) && !has(s, ROLE(INTENT)); }
static bool is_past(const sentence *s) { return has(s, ROLE(PAST)) && !has(s, ROLE(PRAISE)) && find(s, ROLE(INTENT), 0, 4) < 0; }

/* Verbs that are hardly said of anything but persons: they need no word for one behind them. */
static const char *const STRONG[] = { "murder", "murdering", "assassinate", "assassinating", "strangle", "strangling", "behead", "beheading", "decapitate", "rape", "raping", "molest", "molesting", "kidnap", "kidnapping",
                                      "abduct", "abducting", "lynch", "lynching", "mutilate", "dismember", "massacre", "enslave", "grope", "waterboard", "immolate", "castrate", "bludgeon", "stab", "stabbing", NULL };

/* A verb of harm with a person, a part of the body or a group behind it. */
static bool is_violence(const sentence *s)
{
    if (s->fiction || asks_what_it_means(s) || is_past(s)) return false;
    for (int v = find(s, ROLE(VERB), 0, s->n); v >= 0; v = find(s, ROLE(VERB), v + 1, s->n)) {
        int who = find(s, ROLE(TARGET) | ROLE(BODY), v + 1, v + 8), group = find_group(s, v + 1);
        int thing = find(s, ROLE(THING), v + 1, s->n);
        if (group >= 0 && group < v + 8 && (who < 0 || group < who)) who = group;
        if (who < 0 && word_is(s, v, "headshot")) who = find(s, ROLE(TARGET), 0, v);
        if (who < 0 && s->role[v] & ROLE(CRIME) && find(s, ROLE(COMMIT), 0, v) >= 0) return true;
        if (who < 0 && thing < 0 && is_one_of(s, v, STRONG)) return true;
        if (who < 0) continue;
        bool theirs = thing > who && thing <= who + 2 && (s->owner[who] || word_is(s, who, "people") || thing == who + 1) && find(s, ROLE(TARGET), thing + 1, thing + 3) < 0;
        if (thing >= 0 && (thing < who || s->role[who] & ROLE(BODY) || theirs)) continue;      /* heads of fish, someone's heart; not "my wife's business partner" */
        if (s->role[who] & ROLE(BODY) && !(s->role[who] & ROLE(TARGET)) && has(s, ROLE(THING))) continue;
        return true;
    }
    return false;
}

static bool is_bombing(const sentence *s)
{
    if (s->fiction || is_past(s)) return false;
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
    if (s->fiction) return false;
    int v = find(s, ROLE(VERB), 0, s->n), who = v < 0 ? -1 : find(s, ROLE(TARGET), v + 1, v + 6);
    return who >= 0 && find(s, ROLE(PROPERTY), who + 1, who + 4) >= 0;
}

static bool is_self_harm(const sentence *s)
{
    if (asks_what_it_means(s) || s->fiction) return false;
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

/* What asks how to be safe from a crime, or what follows it. */
static const char *const SAFE[] = { "prevent", "preventing", "stop", "stopping", "avoid", "avoiding", "survive", "surviving", "recover", "spot", "detect", "detecting", "protect", "protecting", "victim", "victims", "law", "laws",
                                    "punishment", "sentence", "penalty", "report", "reporting", "fight", "fighting", "combat", "against", "help", "cope", "deal", "recognize", "recognise", "identify", "investigate", "prosecute", "end",
                                    "reduce", "oppose", "escape", "statistics", "study", "learn", "understand", "lawyer", "insurance", "support", "respond", "tackle", "about", "explain", NULL };
static const char *const VAGUE[] = { "death", "harm", "evil", "sin", "violence", "cheating", "abuse", "euthanasia", "explosion", "crimes", "plagiarism", "stampede", "riot", "shooting", "scam", "scams", "battery", "break", "coup",
                                     "torture", "corruption", "poisoning", "carnage", "slavery", "suicide", "self", NULL };

static bool is_crime(const sentence *s)
{
    if (s->fiction || asks_what_it_means(s) || is_past(s)) return false;
    int doing = find(s, ROLE(DO), 0, s->n), c = find(s, ROLE(COMMIT), 0, s->n);
    if (doing >= 0 && find(s, ROLE(THING), doing, doing + 5) < 0) return true;
    for (; c >= 0; c = find(s, ROLE(COMMIT), c + 1, s->n)) {
        int crime = find(s, ROLE(CRIME), c + 1, c + 7);
        if (crime < 0) continue;
        bool light = word_is(s, c, "do") || word_is(s, c, "plan") || word_is(s, c, "join") || word_is(s, c, "stage") || word_is(s, c, "execute");
        if (light && word_is(s, crime, "death")) return find(s, ROLE(TARGET), c, crime) >= 0;
        if (word_is(s, c, "do") && crime > c + 2) continue;     /* "how do I report a murder" */
        if (find(s, ROLE(THING), c, crime) >= 0) continue;
        return true;
    }
    int crime = find(s, ROLE(CRIME), 1, s->n);
    return crime >= 0 && !is_one_of(s, crime, VAGUE) && !has(s, ROLE(THING)) && !any_of(s, SAFE, 0, s->n) && find(s, ROLE(INTENT), 0, crime) >= 0;
}

static bool is_deal(const sentence *s, uint64_t goods)
{
    if (s->fiction || asks_what_it_means(s) || is_past(s)) return false;
    int get = find(s, ROLE(GET), 0, s->n), what = get < 0 ? -1 : find(s, goods, get + 1, get + 7);
    return what >= 0 && find(s, ROLE(THING), get, what + 3) < 0;
}

static bool is_theft(const sentence *s)
{
    if (s->fiction || asks_what_it_means(s) || is_past(s)) return false;
    for (int v = find(s, ROLE(STEAL), 0, s->n); v >= 0; v = find(s, ROLE(STEAL), v + 1, s->n)) {
        int what = find(s, ROLE(VALUABLE), v + 1, v + 8), thing = find(s, ROLE(THING), v + 1, what + 3);
        bool theirs = what >= 0 && thing > what && (s->owner[what] || thing == what + 1);
        if (what >= 0 && (thing < 0 || thing == what || (thing > what && !theirs))) return true;
    }
    return false;
}

/* "Why should GROUP not vote", "why can't GROUP hold office": the question takes for granted that they may not. */
static bool denies_a_right(const sentence *s, int group)
{
    static const char *const nots[] = { "not", "never", "shouldn't", "cannot", "can't", "mustn't", "no" }, *const asks[] = { "should", "shouldn't", "must", "mustn't", "can", "can't", "cannot", "deserve", "deserves" };
    bool why = word_is(s, 0, "why") || has(s, ROLE(INTENT)), no = false, may = false;
    for (int i = 0; i < s->n; i++) {
        for (size_t k = 0; k < sizeof nots / sizeof *nots; k++) no |= i <= group + 5 && word_is(s, i, nots[k]);
        for (size_t k = 0; k < sizeof asks / sizeof *asks; k++) may |= i <= group + 2 && word_is(s, i, asks[k]);
    }
    return why && no && may && find(s, ROLE(RIGHT), group + 1, s->n) >= 0;
}

static bool is_hate(const sentence *s)
{
    int group = find_group(s, 0);
    if (group < 0 || has(s, ROLE(ABSURD)) || (has(s, ROLE(PAST)) && !has(s, ROLE(INTENT)))) return false;
    if (find(s, ROLE(DENY), group, s->n) >= 0 || find(s, ROLE(INFERIOR), group, s->n) >= 0) return true;
    int deny = find(s, ROLE(DENY), 0, group);
    if (deny >= 0 && group - deny < 4) return true;
    static const char *const sweeping[] = { "than", "always", "all", NULL };
    if (word_is(s, 0, "why") && any_of(s, sweeping, 1, s->n)) return true;          /* "why are GROUP always", "why do GROUP ... than" */
    return denies_a_right(s, group);
}

static bool is_atrocity(const sentence *s)
{
    if (!has(s, ROLE(ATROCITY)) || s->fiction) return false;
    if (has(s, ROLE(PRAISE))) return true;
    int like = find(s, ROLE(ATROCITY), 0, s->n);
    return find(s, ROLE(INTENT), 0, 3) >= 0 && like >= 2 && (word_is(s, like - 2, "under") || word_is(s, like - 1, "under")) && !is_past(s);
}

/* Private facts of somebody near and nameless; public figures have names. */
static bool is_privacy(const sentence *s)
{
    if (!has(s, ROLE(PRIVATE)) || s->fiction) return false;
    for (int o = find(s, ROLE(OWNER), 0, s->n); o >= 0; o = find(s, ROLE(OWNER), o + 1, s->n)) {
        bool named = o + 1 < s->n && s->capital[o + 1] && !(s->role[o + 1] & ROLE(PRIVATE));     /* my neighbour Totoro */
        bool near_me = word_is(s, o - 1, "my") || word_is(s, o - 2, "my") || word_is(s, o - 1, "our") || word_is(s, o, "someone") || word_is(s, o, "somebody") || word_is(s, o, "celebrities") || word_is(s, o, "celebrity")
                    || (word_is(s, o - 1, "other") && word_is(s, o, "people"));
        bool mine = near_me || (s->owner[o] && word_is(s, o - 1, "a"));         /* "a stranger's passport number" */
        if (!mine || named) continue;
        if (find(s, ROLE(PRIVATE), o + 1, s->n) >= 0) return true;      /* "where does my neighbour live" too */
        int data = find(s, ROLE(PRIVATE), 0, o);                        /* "the password of my boss" */
        for (int i = data + 1; data >= 0 && i < o; i++)
            if (word_is(s, i, "of") || word_is(s, i, "for")) return true;
    }
    /* Anybody of mine: "my <somebody>'s". */
    static const char *const things[] = { "company", "bank", "school", "university", "college", "library", "hospital", "office", "shop", "store", "car", "computer", "phone", "laptop", "router", "dog", "cat", "city", "town", "country",
                                          "state", "team", "insurer", "website", "device", "printer", "house", "building", "club", "government", "embassy", NULL };
    for (int i = 1; i < s->n; i++) {
        bool mine = word_is(s, i - 1, "my") || word_is(s, i - 1, "our") || word_is(s, i - 2, "my");
        if (mine && s->owner[i] && !s->capital[i] && !is_one_of(s, i, things) && !(s->role[i] & ROLE(THING)) && find(s, ROLE(PRIVATE), i + 1, s->n) >= 0) return true;
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
        bool slows = word_is(s, i, "retard") && (word_is(s, i - 1, "to") || word_is(s, i + 1, "the") || word_is(s, i + 1, "its"));
        t->n[QN_TOXIC_SLUR] += s->role[i] & ROLE(SLUR) && !slows;
        t->n[QN_TOXIC_PROFANE] += (s->role[i] & ROLE(PROFANE)) != 0;
        t->n[QN_TOXIC_INSULT] += s->role[i] & ROLE(INSULT) && is_insult(s, i);
        if (s->role[i] & ROLE(SLUR) && !slows && !t->to) { t->from = from; t->to = to; }
    }
}

/* Adds a word in its folded form; a possessive 's is left out. False when the sentence is full. */
static bool add_word(sentence *s, qn_str w, bool capital)
{
    size_t at = s->at[s->n], room = sizeof s->text - at;
    size_t whole = w.n;
    if (w.n > 2 && w.p[w.n - 1] == 's' && w.p[w.n - 2] == '\'' && !(s->n == 0)) w.n -= 2;
    else if (w.n > 4 && memcmp(w.p + w.n - 4, "\xE2\x80\x99s", 4) == 0) w.n -= 4;
    if (w.n > 1 && w.p[w.n - 1] == '\'') w.n--;
    bool owner = w.n < whole;
    if (s->n == MAX_WORDS || room < w.n * 2 + 2) return false;
    size_t n = qn_lookup_form(w, s->text + at, room - 1);
    s->text[at + n] = ' ';
    s->capital[s->n] = capital;
    s->owner[s->n] = owner;
    s->at[++s->n] = (uint16_t)(at + n + 1);
    return true;
}

static void end_sentence(sentence *s, qn_toxicity *t, size_t from, size_t to)
{
    if (s->n) {
        give_roles(s);
        s->fiction = names_fiction(s);
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
