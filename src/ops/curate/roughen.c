/* roughen: makes clean requests look like those that people type: lost words and points, small letters, slips of the finger, spelling by
 * sound, short forms.
 *
 * Every choice is drawn from (seed, step, row id). `strength` scales all habits; with `like` each of them is as frequent as in a sample of real
 * requests: what can be counted is (small beginnings, missing ends, short forms against the words they stand for, misspellings against the right
 * spelling, apostrophes), slips are words of the sample one slip away from a frequent one, lost words are as frequent as the slips make likely.
 * Words with digits, in capitals, with marks inside (paths, addresses, code) and whole
 * rows with code in them are left alone.
 * Runs on: any worker; keeps nothing between rows. */
#include "core/log.h"
#include "core/map.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/words.h"
#include <ctype.h>
#include <math.h>

typedef struct {
    qn_str   field, into;
    double   strength;
    const char *like;
    qn_str   like_field;
    qn_expr *like_path;
} params;

static const qn_param PARAMS[] = {
    QN_FIELD(params, field, NULL, "the request: a text field"),
    QN_FIELD(params, into, "", "where the rough form goes (default: in its place)"),
    QN_REAL(params, strength, "0.3", "0..1", "how rough: 0 changes nothing; with `like` the sample says how rough"),
    QN_PATH(params, like, "", "a file of real requests whose habits are taken over"),
    QN_TEXT(params, like_field, "", "the request in that file (default: as `field`)"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "field: q, strength: 0", .in = "{q: 'What is a mill?'}", .out = "{q: 'What is a mill?'}" },
    { .params = "field: q, strength: 1", .in = "{q: 'f(x) = 2;'}", .out = "{q: 'f(x) = 2;'}" },
    QN_END
};

/* How often each habit is seen: chance per text, or per word that could have it. */
typedef struct { double small_start, all_small, no_end, short_form, lost_word, slip, by_sound, no_apostrophe; } habits;

static const struct { const char *word, *form; } SHORT[] = {
    { "you", "u" }, { "your", "ur" }, { "are", "r" }, { "please", "pls" }, { "because", "bc" }, { "thanks", "thx" }, { "people", "ppl" }, { "what", "wat" },
    { "with", "w/" }, { "without", "w/o" }, { "about", "abt" }, { "between", "btw" }, { "something", "smth" }, { "okay", "ok" },
    { "want", "wanna" }, { "information", "info" }, { "probably", "prob" }, { "tomorrow", "tmrw" }, { "message", "msg" }, { "number", "no." }, { "versus", "vs" },
};
static const struct { const char *word, *form; } BY_SOUND[] = {
    { "definitely", "definately" }, { "separate", "seperate" }, { "receive", "recieve" }, { "believe", "beleive" }, { "weird", "wierd" }, { "which", "wich" },
    { "their", "thier" }, { "until", "untill" }, { "necessary", "neccesary" }, { "different", "diffrent" }, { "beginning", "begining" }, { "government", "goverment" },
    { "environment", "enviroment" }, { "restaurant", "restaraunt" }, { "tomorrow", "tommorow" }, { "occurred", "occured" }, { "successful", "succesful" },
    { "calendar", "calender" }, { "grammar", "grammer" }, { "argument", "arguement" }, { "business", "buisness" }, { "really", "realy" }, { "probably", "probly" },
    { "because", "becuase" }, { "writing", "writting" }, { "recommend", "reccomend" }, { "language", "langauge" }, { "library", "libary" }, { "through", "thru" },
    { "example", "exampel" }, { "would", "woud" }, { "should", "shoud" }, { "its", "it's" }, { "it's", "its" }, { "you're", "your" }, { "there", "their" },
    { "than", "then" }, { "a lot", "alot" }, { "too", "to" }, { "lose", "loose" }, { "effect", "affect" },
};
static const char *const LOST[] = { "please", "the", "a", "an", "of", "that", "is", "are", "to", "me", "kindly", "could", "very" };

static const char *neighbours(char c)
{
    static const char *const NEAR[26] = { "qsz", "vgn", "xvd", "sfe", "wrd", "dgr", "fht", "gjy", "uok", "hku", "jli", "ko", "nk", "bm", "ipl", "ol", "wa", "etf",
                                          "adw", "ryg", "yij", "cbf", "qes", "zcs", "tuh", "xas" };
    return NEAR[c - 'a'];
}

static bool maybe(qn_rng *r, double chance) { return qn_rng_real(r) < chance; }

/* ---- habits of a sample ---- */
typedef struct { char text[24]; uint32_t n; } word_seen;
typedef struct {
    double n, small_start, all_small, no_end;
    double brief[2], sound[2], apostrophe[2];           /* rough forms, tidy forms */
    qn_map index;
    word_seen *seen;                                    /* plain words of more than three letters */
    size_t n_seen, cap_seen;
} sample;

/* Rough forms that are words of their own say nothing. */
static bool telling(const char *form)
{
    static const char *const words[] = { "r", "4", "2", "no.", "w/", "w/o", "info", "ok", "it's", "its", "your", "their", "then", "to", "loose", "affect", "btw", NULL };
    for (size_t i = 0; words[i]; i++)
        if (strcmp(form, words[i]) == 0) return false;
    return true;
}

static const char *const CONTRACTED[] = { "don't", "can't", "won't", "isn't", "aren't", "doesn't", "didn't", "wasn't", "weren't", "haven't", "hasn't", "couldn't", "shouldn't", "wouldn't",
                                          "what's", "that's", "there's", "where's", "who's", "how's", "let's", "i'm", "i've", "you've", "we've", "they've", "they're", "you're", NULL };

static bool is_without_apostrophe(qn_str w, const char *full)
{
    size_t k = 0;
    for (; *full; full++) {
        if (*full == '\'') continue;
        if (k == w.n || tolower((unsigned char)w.p[k]) != *full) return false;
        k++;
    }
    return k == w.n;
}

static void count_word(sample *s, qn_str w)
{
    char low[24];
    bool plain = w.n > 3 && w.n < sizeof low;
    for (size_t i = 0; i < sizeof SHORT / sizeof *SHORT; i++)
        if (telling(SHORT[i].form)) { s->brief[0] += qn_str_ieq(w, qn_str_of(SHORT[i].form)); s->brief[1] += qn_str_ieq(w, qn_str_of(SHORT[i].word)); }
    for (size_t i = 0; i < sizeof BY_SOUND / sizeof *BY_SOUND; i++)
        if (telling(BY_SOUND[i].form)) { s->sound[0] += qn_str_ieq(w, qn_str_of(BY_SOUND[i].form)); s->sound[1] += qn_str_ieq(w, qn_str_of(BY_SOUND[i].word)); }
    for (size_t i = 0; CONTRACTED[i]; i++) {
        s->apostrophe[1] += qn_str_ieq(w, qn_str_of(CONTRACTED[i]));
        s->apostrophe[0] += is_without_apostrophe(w, CONTRACTED[i]);
    }
    for (size_t i = 0; i < w.n && plain; i++) { plain = isalpha((unsigned char)w.p[i]) && (i == 0 || !isupper((unsigned char)w.p[i])); low[i] = (char)tolower((unsigned char)w.p[i]); }
    if (!plain) return;
    bool fresh;
    uint64_t *at = qn_map_put_str(&s->index, (qn_str){ low, w.n }, &fresh);
    if (fresh) {
        *at = s->n_seen;
        QN_GROW(s->seen, s->n_seen, s->cap_seen);
        s->seen[s->n_seen] = (word_seen){ .n = 0 };
        memcpy(s->seen[s->n_seen++].text, low, w.n);
    }
    s->seen[*at].n++;
}

static qn_code load_text(void *arg, qn_str text, const char *where, qn_err *e)
{
    sample *s = arg;
    qn_str t = qn_str_trim(text), w;
    (void)where;
    (void)e;
    if (t.n == 0) return QN_OK;
    bool upper = false, begins_small = islower((unsigned char)t.p[0]) != 0, ends = strchr(".!?", t.p[t.n - 1]) != NULL;
    for (size_t i = 0; i < t.n; i++) upper |= isupper((unsigned char)t.p[i]) != 0;
    for (qn_words it = qn_words_of(t, QN_WORDS_PLAIN); qn_words_next(&it, &w);) count_word(s, w);
    s->n++;
    s->small_start += begins_small;
    s->all_small += !upper;
    s->no_end += !ends;
    return QN_OK;
}

static uint32_t times_seen(const sample *s, const char *w, size_t n)
{
    const uint64_t *at = qn_map_get_str(&s->index, (qn_str){ w, n });
    return at ? s->seen[*at].n : 0;
}

/* Whether a rare word is one slip away from a frequent one, as put_slip makes them: a letter lost, doubled, swapped, or a neighbour's. Not at the
 * ends, where endings differ without a slip. */
static bool is_slip(const sample *s, const char *w, size_t n)
{
    enum { FREQUENT = 4 };
    char x[28];
    for (size_t i = 1; i + 1 < n; i++) {
        for (char c = 'a'; c <= 'z'; c++) {                         /* lost: put one back */
            memcpy(x, w, i); x[i] = c; memcpy(x + i + 1, w + i, n - i);
            if (times_seen(s, x, n + 1) >= FREQUENT) return true;
        }
        if (w[i] == w[i - 1]) {                                     /* doubled */
            memcpy(x, w, i); memcpy(x + i, w + i + 1, n - i - 1);
            if (times_seen(s, x, n - 1) >= FREQUENT) return true;
        }
        memcpy(x, w, n);
        if (i + 2 < n) {                                            /* swapped */
            x[i] = w[i + 1]; x[i + 1] = w[i];
            if (times_seen(s, x, n) >= FREQUENT) return true;
            x[i] = w[i]; x[i + 1] = w[i + 1];
        }
        for (const char *c = neighbours(w[i]); *c; c++) {
            x[i] = *c;
            if (times_seen(s, x, n) >= FREQUENT) return true;
        }
    }
    return false;
}

/* Slips for each word that could have one, judged by the frequent words of the sample. Slips at the last letter, one in n, are not looked for. */
static double slip_rate(const sample *s)
{
    double slips = 0, frequent = 0;
    for (size_t i = 0; i < s->n_seen; i++) {
        size_t n = strlen(s->seen[i].text);
        if (s->seen[i].n >= 4) frequent += s->seen[i].n;
        else if (s->seen[i].n <= 1 && is_slip(s, s->seen[i].text, n)) slips += 1.2;
    }
    return frequent > 0 ? slips / (frequent + slips) : 0;
}

static double rate(const double counts[2], double otherwise)
{
    double n = counts[0] + counts[1];
    return n < 8 ? otherwise : counts[0] / n;
}

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    if (ck->in && p->into.n) ck->out = qn_type_with(ck->in, p->into, qn_type_simple(QN_T_TEXT), ck->arena);
    if (!p->like || !*p->like) return QN_OK;
    return qn_pick_compile(p->like_field.n ? p->like_field : p->field, NULL, ck->pos, ck->arena, &p->like_path, e);
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    habits *h = QN_NEW(habits);
    double s = p->strength;
    (void)cx;
    *out = h;
    *h = (habits){ .small_start = 0.8 * s, .all_small = 0.5 * s, .no_end = 0.8 * s, .short_form = 0.3 * s, .lost_word = 0.15 * s, .slip = 0.06 * s,
                   .by_sound = 0.4 * s, .no_apostrophe = 0.5 * s };
    if (!p->like_path) return QN_OK;
    sample real = { 0 };
    qn_code rc = qn_pick_file(p->like, p->like_path, load_text, &real, e);
    if (rc == QN_OK && real.n < 20) rc = qn_fail(e, QN_EDATA, "%s has %.0f requests: at least 20 are needed to learn habits from", p->like, real.n);
    if (rc == QN_OK) {
        h->small_start = real.small_start / real.n;
        h->all_small = real.small_start > 0 ? fmin(1, real.all_small / real.small_start) : 0;   /* of those that begin small */
        h->no_end = real.no_end / real.n;
        h->slip = slip_rate(&real);
        double scale = fmin(1, h->slip / 0.06);         /* where too little can be counted, as rough as the slips say */
        h->short_form = rate(real.brief, 0.3 * scale);
        h->by_sound = rate(real.sound, 0.4 * scale);
        h->no_apostrophe = rate(real.apostrophe, 0.5 * scale);
        h->lost_word = 0.15 * scale;                    /* what is not there cannot be counted */
        qn_log(QN_INFO, "roughen", "habits of %.0f requests: small beginnings %.2f, no end %.2f, short forms %.3f, misspellings %.3f, slips %.4f a word, apostrophes left out %.2f, small words lost %.3f", real.n,
               h->small_start, h->no_end, h->short_form, h->by_sound, h->slip, h->no_apostrophe, h->lost_word);
    }
    qn_map_free(&real.index);
    qn_free(real.seen);
    return rc;
}

static void close(void *state) { qn_free(state); }

/* A word of small or capitalised ASCII letters and apostrophes, which may be changed. */
static bool plain_word(qn_str w)
{
    for (size_t i = 0; i < w.n; i++) {
        if (!isalpha((unsigned char)w.p[i]) && w.p[i] != '\'') return false;
        if (i && isupper((unsigned char)w.p[i])) return false;
    }
    return w.n > 0;
}

static bool looks_like_code(qn_str t)
{
    size_t marks = 0;
    for (size_t i = 0; i < t.n; i++) marks += strchr("{}[]();=<>\\`|", t.p[i]) != NULL;
    return marks * 25 > t.n || qn_str_find(t, QN_STR("```")) >= 0;
}

static void put_slip(qn_rng *r, qn_str w, qn_buf *out)
{
    size_t i = 1 + qn_rng_below(r, w.n - 1);            /* the first letter is seldom wrong */
    char low = (char)tolower((unsigned char)w.p[i]);
    qn_buf_str(out, qn_str_sub(w, 0, i));
    switch (qn_rng_below(r, 4)) {
    case 0: break;                                      /* lost */
    case 1: qn_buf_putc(out, w.p[i]); qn_buf_putc(out, w.p[i]); break;
    case 2:                                             /* swapped with the next, or the neighbour's key at the end */
        if (i + 1 < w.n) {
            qn_buf_putc(out, w.p[i + 1]);
            qn_buf_putc(out, w.p[i]);
            i++;
            break;
        }
        /* fall through */
    default:
        if (isalpha((unsigned char)low)) { const char *n = neighbours(low); low = n[qn_rng_below(r, strlen(n))]; }
        qn_buf_putc(out, low);
    }
    qn_buf_str(out, qn_str_sub(w, i + 1, w.n));
}

static const char *form_of(qn_str w, bool brief)
{
    if (brief) {
        for (size_t i = 0; i < sizeof SHORT / sizeof *SHORT; i++) if (qn_str_ieq(w, qn_str_of(SHORT[i].word))) return SHORT[i].form;
    } else {
        for (size_t i = 0; i < sizeof BY_SOUND / sizeof *BY_SOUND; i++) if (qn_str_ieq(w, qn_str_of(BY_SOUND[i].word))) return BY_SOUND[i].form;
    }
    return NULL;
}

static bool is_lost(qn_str w)
{
    for (size_t i = 0; i < sizeof LOST / sizeof *LOST; i++) if (qn_str_ieq(w, qn_str_of(LOST[i]))) return true;
    return false;
}

/* One word between white space, with its marks around it. False: the word is lost. */
static bool put_word(qn_rng *r, const habits *h, qn_str w, bool first, qn_buf *out)
{
    qn_str body = w;
    while (body.n && strchr(".,!?;:\"", body.p[body.n - 1])) body.n--;
    qn_str behind = qn_str_sub(w, body.n, w.n);
    if (!plain_word(body)) { qn_buf_str(out, w); return true; }
    const char *brief = form_of(body, true), *sound = form_of(body, false);
    if (!first && behind.n == 0 && is_lost(body) && maybe(r, h->lost_word)) return false;
    size_t at = out->n;
    if (brief && maybe(r, h->short_form)) qn_buf_puts(out, brief);
    else if (sound && maybe(r, h->by_sound)) qn_buf_puts(out, sound);
    else if (memchr(body.p, '\'', body.n) && maybe(r, h->no_apostrophe)) {
        for (size_t i = 0; i < body.n; i++) if (body.p[i] != '\'') qn_buf_putc(out, body.p[i]);
    } else if (body.n > 3 && maybe(r, h->slip)) put_slip(r, body, out);
    else qn_buf_str(out, body);
    if (isupper((unsigned char)body.p[0]) && out->n > at) out->p[at] = (char)toupper((unsigned char)out->p[at]);     /* small beginnings are chosen apart */
    qn_buf_str(out, behind);
    return true;
}

static void roughen(qn_rng *r, const habits *h, qn_str text, qn_buf *out)
{
    size_t from = out->n, gap = 0;
    qn_words it = qn_words_of(text, QN_WORDS_SPACED);
    qn_str w;
    bool first = true;
    while (qn_words_next(&it, &w)) {
        qn_str space = qn_str_sub(text, gap, (size_t)(w.p - text.p));
        size_t before = out->n;
        qn_buf_str(out, space);
        gap = (size_t)(w.p + w.n - text.p);
        if (!put_word(r, h, w, first, out)) { out->n = before; if (out->p) out->p[before] = 0; }
        first = false;
    }
    if (out->n == from) return;
    if (strchr(".?", out->p[out->n - 1]) && maybe(r, h->no_end))
        while (out->n > from + 1 && strchr(".?", out->p[out->n - 1])) out->p[--out->n] = 0;
    char *first_letter = out->p + from;
    bool lone = out->n > from + 1 && isupper((unsigned char)first_letter[1]);       /* an acronym stays */
    if (isupper((unsigned char)*first_letter) && !lone && maybe(r, h->small_start)) {
        bool all = maybe(r, h->all_small);
        for (char *c = first_letter; *c && (all || c == first_letter); c++) *c = (char)((unsigned char)*c < 128 ? tolower((unsigned char)*c) : *c);
    }
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_rng rng = qn_ctx_rng(cx, r);
    qn_buf b = { 0 };
    qn_value v;
    if (!qn_row_find(r, p->field, &v) || v.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "field `%.*s` holds no text", QN_FMT(p->field));
    qn_str text = qn_v_str(v), into = p->into.n ? p->into : p->field;
    if (p->strength > 0 && !looks_like_code(text)) roughen(&rng, state, text, &b);
    else qn_buf_str(&b, text);
    if (p->into.n || !qn_str_eq(qn_buf_view(&b), text)) qn_row_set(r, into, qn_v_text(qn_buf_view(&b)));
    qn_buf_free(&b);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_roughen = {
    .name = "roughen", .version = 2, .stage = QN_CURATE, .brief = "make clean requests look like those that people type",
    .about = "Lost words and points, small letters, slips by keyboard neighbours, spelling by sound, short forms (English). Numbers, names in "
             "capitals, addresses and code are left alone. With `like` the log says the habits that were found; two hundred requests and more give steady figures.",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .map = map,
};
