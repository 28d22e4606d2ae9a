/* passage_query: rough queries from sentences. */
#include "builtin/passage_query.h"
#include "builtin/synonyms_en.h"
#include "text/sentences.h"
#include "text/words.h"
#include <ctype.h>

const char *const qn_query_kind_names[QN_N_QUERY_KINDS] = { "question", "words", "phrase" };

enum { MAX_WORDS = 60, MIN_WORDS = 6 };
typedef struct { qn_str text; bool stop, capital, number, comma; } word;    /* comma: a mark stands before it */
typedef struct { word w[MAX_WORDS]; size_t n; } sentence;

bool qn_en_stop_word(qn_str w)
{
    static const char STOP[] = " a an the of in on at to for from by with as and or but nor so if than then that this these those it its he she they them his her their we our you your i me my "
        "is are was were be been being am has have had having do does did doing will would shall should can could may might must not no into onto over under up down out off about between among through "
        "there here who whom whose which what when where why how also such very more most some any all each both other another same own only just while although though because since during until "
        "after before however therefore thus yet too s t ";
    char key[40];
    if (w.n > 36) return false;
    key[0] = ' ';
    for (size_t i = 0; i < w.n; i++) key[i + 1] = (char)tolower((unsigned char)w.p[i]);
    key[w.n + 1] = ' ';
    key[w.n + 2] = 0;
    return strstr(STOP, key) != NULL;
}

static bool chance(qn_rng *r, double p) { return qn_rng_real(r) < p; }

static void take(qn_str text, sentence *s)
{
    qn_words it = qn_words_of(text, QN_WORDS_PLAIN);
    qn_str w;
    size_t behind = 0;
    s->n = 0;
    while (s->n < MAX_WORDS && qn_words_next(&it, &w)) {
        size_t at = (size_t)(w.p - text.p);
        bool comma = false;
        for (size_t i = behind; i < at; i++) comma |= qn_char_in(text.p[i], ",;:()\"-");
        behind = at + w.n;
        s->w[s->n++] = (word){ w, qn_en_stop_word(w), isupper((unsigned char)w.p[0]) != 0, isdigit((unsigned char)w.p[0]) != 0, comma };
    }
}

static size_t n_content(const sentence *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) n += !s->w[i].stop;
    return n;
}

/* A fit sentence, each as likely as another. */
static bool pick_sentence(qn_str passage, qn_rng *r, sentence *out)
{
    qn_sentences it = qn_sentences_of(passage);
    qn_str text;
    sentence s;
    size_t seen = 0;
    while (qn_sentences_next(&it, &text)) {
        take(text, &s);
        if (s.n < MIN_WORDS || n_content(&s) < 4) continue;
        if (qn_rng_below(r, ++seen) == 0) *out = s;
    }
    return seen > 0;
}

static void put(qn_buf *b, qn_str w, bool lower)
{
    if (b->n && b->p[b->n - 1] != ' ') qn_buf_putc(b, ' ');
    for (size_t i = 0; i < w.n; i++) qn_buf_putc(b, lower ? (char)tolower((unsigned char)w.p[i]) : w.p[i]);
}

static void put_word(const word *w, bool opens, double other, qn_rng *r, qn_buf *b)
{
    qn_str syn = !w->number && (opens || !w->capital) && chance(r, other) ? qn_en_synonym(w->text, r) : (qn_str){ 0 };
    put(b, syn.n ? syn : w->text, opens && w->stop);
}

/* Words from..to (not included), some small ones lost. */
static void put_span(const sentence *s, size_t from, size_t to, double lose, double other, qn_rng *r, qn_buf *b)
{
    for (size_t i = from; i < to; i++)
        if (!(s->w[i].stop && chance(r, lose))) put_word(&s->w[i], i == 0, other, r, b);
}

static void put_keywords(const sentence *s, double other, qn_rng *r, qn_buf *b)
{
    size_t all[MAX_WORDS], n = 0, picked[MAX_WORDS], want = 2 + qn_rng_below(r, 4);
    for (size_t i = 0; i < s->n; i++) if (!s->w[i].stop) all[n++] = i;
    size_t k = qn_rng_pick(r, n, want, picked);
    bool in[MAX_WORDS] = { false };
    for (size_t i = 0; i < k; i++) {
        in[all[picked[i]]] = true;                                      /* a name comes whole */
        for (size_t j = all[picked[i]] + 1; j < s->n && s->w[j].capital && s->w[j - 1].capital && !s->w[j].comma; j++) in[j] = true;
    }
    for (size_t i = 0; i < s->n; i++) if (in[i]) put_word(&s->w[i], i == 0, other, r, b);
}

/* What is asked for: a number, a name inside of the sentence, or the last words of a clause. */
static bool pick_answer(const sentence *s, qn_rng *r, size_t *from, size_t *to)
{
    size_t starts[MAX_WORDS], n = 0;
    for (size_t i = 1; i < s->n; i++) {
        bool name = s->w[i].capital && !s->w[i].stop && !(s->w[i - 1].capital && !s->w[i - 1].stop && !s->w[i].comma && i > 1);
        bool ends = i + 1 == s->n || s->w[i + 1].comma;
        if (s->w[i].number || name || (ends && !s->w[i].stop)) starts[n++] = i;
    }
    if (n == 0) return false;
    *from = starts[qn_rng_below(r, n)];
    *to = *from + 1;
    if (s->w[*from].capital) while (*to < s->n && *to < *from + 5 && s->w[*to].capital && !s->w[*to].comma) ++*to;
    else if (!s->w[*from].number && *from > 1 && !s->w[*from - 1].stop && !s->w[*from].comma && chance(r, 0.6)) --*from;
    return true;
}

static const char *ask_word(const sentence *s, size_t from, size_t to, qn_rng *r)
{
    static const char *const YEAR[] = { "when", "in what year", "what year" }, *const NUMBER[] = { "how many", "how much", "what number of" },
        *const NAME[] = { "who", "what", "which", "who", "where", "what" }, *const THING[] = { "what", "what", "which", "what kind of", "why", "how" };
    const word *w = &s->w[from];
    bool year = w->number && w->text.n == 4 && (w->text.p[0] == '1' || w->text.p[0] == '2') && to == from + 1;
    if (year) return YEAR[qn_rng_below(r, 3)];
    if (w->number) return NUMBER[qn_rng_below(r, 3)];
    if (w->capital) return NAME[qn_rng_below(r, 6)];
    return THING[qn_rng_below(r, 6)];
}

static bool put_question(const sentence *s, double other, qn_rng *r, qn_buf *b)
{
    size_t from, to, first = 0, last = s->n, most = 5 + qn_rng_below(r, 8);
    if (!pick_answer(s, r, &from, &to)) return false;
    while (last - first > most + (to - from)) {                         /* the window shrinks at the end that is farther away */
        if (last - to > from - first) last--;
        else first++;
    }
    while (first < from && s->w[first].stop && chance(r, 0.7)) first++;
    while (last > to && s->w[last - 1].stop) last--;
    if (last - first < to - from + 3) return false;
    size_t before = from;                                               /* "in 1848": the preposition goes with the answer */
    if (before > first && s->w[before - 1].stop && chance(r, 0.7)) before--;
    put(b, qn_str_of(ask_word(s, from, to, r)), false);
    if (chance(r, 0.5) && !s->w[from].number) put(b, chance(r, 0.5) ? QN_STR("is") : QN_STR("was"), false);
    bool behind_first = before == first || chance(r, 0.15);
    if (behind_first) put_span(s, to, last, 0.2, other, r, b);
    put_span(s, first, before, 0.2, other, r, b);
    if (!behind_first) put_span(s, to, last, 0.2, other, r, b);
    if (chance(r, 0.7)) qn_buf_putc(b, '?');
    return true;
}

bool qn_passage_query(qn_str title, qn_str passage, qn_query_kind kind, double other, qn_rng *r, qn_buf *out)
{
    sentence s;
    qn_buf b = { 0 };
    if (!pick_sentence(passage, r, &s)) return false;
    if (title.n && title.n < 60 && chance(r, 0.25)) put(&b, title, false);
    bool ok = true;
    if (kind == QN_QUERY_WORDS) put_keywords(&s, other, r, &b);
    else if (kind == QN_QUERY_QUESTION) ok = put_question(&s, other, r, &b);
    else {
        size_t n = 4 + qn_rng_below(r, 7), from = s.n > n ? qn_rng_below(r, s.n - n + 1) : 0;
        put_span(&s, from, from + n < s.n ? from + n : s.n, 0.3, other, r, &b);
    }
    if (ok && chance(r, 0.4)) for (size_t i = 0; i < b.n; i++) b.p[i] = (char)((unsigned char)b.p[i] < 128 ? tolower((unsigned char)b.p[i]) : b.p[i]);
    if (ok) qn_buf_str(out, qn_buf_view(&b));
    qn_buf_free(&b);
    return ok;
}
