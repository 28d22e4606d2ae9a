/* in_source: is each claim of the answer supported by its passage?
 *
 * A claim is a sentence. Its support is the share of its content words that the passage has; a number or a name that the passage does not have
 * contradicts it. The weakest claim decides. Answers that say that there is no answer are counted apart. By words only: a negation or a swapped
 * subject is not seen; ask a model for that (`judge`). Runs on: any worker; keeps nothing between rows.
 * Source: word overlap of Rajpurkar et al. 2016, per sentence as in SummaC (Laban et al. 2022). */
#include "ops/curate/curate.h"
#include "text/lookup.h"
#include "text/sentences.h"
#include "text/words.h"
#include <ctype.h>
#include <stdio.h>

typedef struct { qn_expr *answer, *passage; double min; bool strict, unanswerable; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, answer, ".answer", "text", "the answer whose claims are checked"),
    QN_EXPR(params, passage, ".passage", "text", "what must support them"),
    QN_REAL(params, min, "0.6", "0..1", "smallest share of a claim's content words found in the passage"),
    QN_BOOL(params, strict, "yes", "reject numbers and names that the passage does not have"),
    QN_BOOL(params, unanswerable, "yes", "answers that say that the passage has no answer stay"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{passage: 'The mill was built in 1644 by Jan Smit.', answer: 'Jan Smit built the mill in 1644.'}",
      .out = "{passage: 'The mill was built in 1644 by Jan Smit.', answer: 'Jan Smit built the mill in 1644.', support: 1.0, unsupported: []}" },
    { .params = "", .in = "{passage: 'The mill was built in 1644 by Jan Smit.', answer: 'Jan Smit built the mill in 1744.'}", .reject = "contradiction: 1744" },
    { .params = "", .in = "{passage: 'The mill was built in 1644.', answer: 'Peter de Groot built the mill.'}", .reject = "contradiction: Groot" },
    { .params = "", .in = "{passage: 'The mill was built in 1644.', answer: 'It bakes bread for hungry sailors.'}", .reject = "support 0.00 below 0.60" },
    QN_END
};

typedef struct { qn_str text; bool content, number, name; } word;

static bool is_small(qn_str w)
{
    static const char small[] = " a an the of to in on at by for from with as is are was were be been being it its this that these those and or but not he she they his her their we i you do does did has have had will "
                                "would can could may might who which what when where why how there here than then so if into about over after before between during also only very more most some any no yes ";
    char key[24];
    if (w.n + 2 >= sizeof key) return false;
    key[0] = ' ';
    for (size_t i = 0; i < w.n; i++) key[i + 1] = (char)tolower((unsigned char)w.p[i]);
    key[w.n + 1] = ' ';
    return memmem(small, sizeof small - 1, key, w.n + 2) != NULL;
}

static word judge(qn_str sentence, qn_str w)
{
    size_t i = 0;
    uint32_t c = qn_utf8_next(w, &i);
    word r = { .text = w };
    r.number = isdigit((unsigned char)w.p[0]);
    r.name = qn_cp_is_upper(c) && w.p != sentence.p && !is_small(w);
    r.content = !is_small(w);
    return r;
}

/* Numbers without thousands separators, words by their first letters, so that "built" and "build" are not the same but "mills" and "mill" are. */
static uint64_t key(qn_str w)
{
    char z[64];
    size_t n = 0;
    if (isdigit((unsigned char)w.p[0])) {
        for (size_t i = 0; i < w.n && n < sizeof z; i++)
            if (w.p[i] != ',') z[n++] = w.p[i];
    } else {
        n = qn_lookup_form(w, z, sizeof z);
        if (n > 2 && z[n - 1] == 's' && z[n - 2] == '\'') n -= 2;
        else if (n > 3 && z[n - 1] == 's' && z[n - 2] != 's') n--;
    }
    return qn_word_hash((qn_str){ z, n }, true);
}

static bool says_nothing(qn_str answer)
{
    static const char *const words[] = { "unanswerable", "no answer", "not enough information", "does not say", "is not mentioned", "cannot be answered", "not stated", "does not mention", "not given" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (answer.n < 300 && qn_str_find(answer, qn_str_of(words[i])) >= 0) return true;
    return false;
}

typedef struct { bool none; double support; char against[64]; } note;

static void weigh(qn_str claim, const qn_map *have, note *n, qn_list_b *unsupported, double min)
{
    qn_words ws = qn_words_of(claim, QN_WORDS_PLAIN);
    size_t content = 0, found = 0;
    char against[64] = "";
    for (qn_str w; qn_words_next(&ws, &w);) {
        word x = judge(claim, w);
        if (!x.content) continue;
        bool there = qn_map_get(have, (qn_hash128){ 1, key(w) }) != NULL;
        content++;
        found += there;
        if (!there && !against[0] && (x.number || x.name)) snprintf(against, sizeof against, "%.*s", (int)(w.n < 60 ? w.n : qn_utf8_cut(w, 60)), w.p);
    }
    double support = content ? (double)found / (double)content : 1;
    if (support < n->support) n->support = support;
    if (against[0] && !n->against[0]) memcpy(n->against, against, sizeof against);
    if (support < min || against[0]) qn_list_put(unsupported, qn_v_text(claim));
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_str answer = {0}, passage = {0}, s;
    qn_map have = {0};
    note n = { .support = 1 };
    qn_list_b unsupported = { .a = cx->scratch };
    QN_TRY(qn_curate_text(cx, p->answer, r, &answer, e));
    QN_TRY(qn_curate_text(cx, p->passage, r, &passage, e));
    qn_words ws = qn_words_of(passage, QN_WORDS_PLAIN);
    for (qn_str w; qn_words_next(&ws, &w);) qn_map_put(&have, (qn_hash128){ 1, key(w) }, NULL);
    n.none = says_nothing(answer);
    qn_sentences ss = qn_sentences_of(answer);
    while (!n.none && qn_sentences_next(&ss, &s)) weigh(s, &have, &n, &unsupported, p->min);
    if (qn_str_trim(answer).n == 0) n.support = 0;
    qn_map_free(&have);
    qn_row_set_real(r, "support", n.support);
    qn_row_set(r, QN_STR("unsupported"), qn_list_end(&unsupported));
    qn_row_attach(r, qn_memdup(&n, sizeof n));
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const params *p = vp;
    const note *n = qn_row_attached(r);
    if (n->none) return p->unanswerable ? qn_keep() : qn_reject_fact("unanswerable", "%s", "");
    if (p->strict && n->against[0]) return qn_reject_fact("contradiction", "%s", n->against);
    return n->support < p->min ? qn_reject_below("support", n->support, p->min) : qn_keep();
}

const qn_op qn_op_in_source = {
    .name = "in_source", .version = 1, .stage = QN_CURATE, .brief = "keep answers whose every claim, number and name stands in the passage",
    .paper = "Rajpurkar et al. 2016 (word overlap); Laban et al. 2022 (SummaC: sentence by sentence)", .writes = "support: real, unsupported: [text]",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .measure = measure, .decide = decide,
};
