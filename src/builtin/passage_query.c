/* passage_query: rough queries from sentences. */
#include "builtin/passage_query.h"
#include "builtin/clause_question.h"
#include "text/sentences.h"
#include "text/words.h"
#include <ctype.h>

const char *const qn_query_kind_names[QN_N_QUERY_KINDS] = { "question", "words", "phrase" };

enum { MIN_WORDS = 6 };

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

static void take(qn_str text, qn_said *s)
{
    qn_words it = qn_words_of(text, QN_WORDS_PLAIN);
    qn_str w;
    size_t behind = 0;
    s->n = 0;
    while (s->n < QN_SAID_WORDS && qn_words_next(&it, &w)) {
        size_t at = (size_t)(w.p - text.p);
        bool comma = false;
        for (size_t i = behind; i < at; i++) comma |= qn_char_in(text.p[i], ",;:()\"-");
        behind = at + w.n;
        s->w[s->n++] = (qn_said_word){ w, qn_en_stop_word(w), isupper((unsigned char)w.p[0]) != 0, isdigit((unsigned char)w.p[0]) != 0, comma };
    }
}

static size_t n_content(const qn_said *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) n += !s->w[i].stop;
    return n;
}

/* A fit sentence, each as likely as another. */
static bool pick_sentence(qn_str passage, qn_rng *r, qn_said *out)
{
    qn_sentences it = qn_sentences_of(passage);
    qn_str text;
    qn_said s;
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

/* Words from..to (not included), some small ones lost. */
static void put_span(const qn_said *s, size_t from, size_t to, double lose, double other, qn_rng *r, qn_buf *b)
{
    for (size_t i = from; i < to; i++)
        if (!(s->w[i].stop && chance(r, lose))) qn_put_said(&s->w[i], i == 0, other, r, b);
}

static void put_keywords(const qn_said *s, double other, qn_rng *r, qn_buf *b)
{
    size_t all[QN_SAID_WORDS], n = 0, picked[QN_SAID_WORDS], want = 3 + qn_rng_below(r, 3);
    for (size_t i = 0; i < s->n; i++) if (!s->w[i].stop) all[n++] = i;
    size_t k = qn_rng_pick(r, n, want, picked);
    bool in[QN_SAID_WORDS] = { false };
    for (size_t i = 0; i < k; i++) {
        in[all[picked[i]]] = true;                                      /* a name comes whole */
        for (size_t j = all[picked[i]] + 1; j < s->n && s->w[j].capital && s->w[j - 1].capital && !s->w[j].comma; j++) in[j] = true;
    }
    for (size_t i = 0; i < s->n; i++) if (in[i]) qn_put_said(&s->w[i], i == 0, other, r, b);
}

bool qn_passage_query(qn_str title, qn_str passage, qn_query_kind kind, double other, qn_rng *r, qn_buf *out)
{
    qn_said s;
    qn_buf b = { 0 };
    if (!pick_sentence(passage, r, &s)) return false;
    if (kind != QN_QUERY_QUESTION && title.n && title.n < 60 && chance(r, 0.15)) put(&b, title, false);
    bool ok = true;
    if (kind == QN_QUERY_WORDS) put_keywords(&s, other, r, &b);
    else if (kind == QN_QUERY_QUESTION) ok = qn_clause_question(&s, title, other, r, &b);
    else {
        size_t n = 4 + qn_rng_below(r, 7), from = s.n > n ? qn_rng_below(r, s.n - n + 1) : 0;
        put_span(&s, from, from + n < s.n ? from + n : s.n, 0.3, other, r, &b);
    }
    if (ok && chance(r, 0.4)) for (size_t i = 0; i < b.n; i++) b.p[i] = (char)((unsigned char)b.p[i] < 128 ? tolower((unsigned char)b.p[i]) : b.p[i]);
    if (ok) qn_buf_str(out, qn_buf_view(&b));
    qn_buf_free(&b);
    return ok;
}
