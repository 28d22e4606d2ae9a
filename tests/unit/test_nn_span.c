/* The reader: gradients against differences, passes of any size, threads, where answers stand, the likeliest runs against all runs, folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "nn/encoder_net.h"
#include "nn/span.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 5 };
static const char *const QUESTIONS[ROWS] = { "Where was Anna born?", "Who was born in Delft?", "Is Anna older than Piet?", "What does the mill grind?", "Where is the mill?" };
static const char *const A[ROWS] = { "Anna was born in Gouda.", "Piet (born in Delft) was a miller.", "Anna was born in 1801.", "The mill grinds grain; the Mill grinds GRAIN.", "It stands in Breda, near Breda." };
static const char *const B[ROWS] = { "Gouda is a city.", "Delft is a city.", "Piet was born in 1804.", "Grain is ground.", "Breda is a city." };
static const char *const ANSWERS[ROWS] = { "Gouda", "Piet", "no", "grain", "Breda." };
static const qn_str CHOICES[2] = { { "yes", 3 }, { "no", 2 } };

typedef struct { qn_encoder *m; qn_str passages[ROWS][2]; qn_reading in[ROWS]; qn_span_place *gold[ROWS]; qn_span_row rows[ROWS]; } reader;

static qn_str z(const char *s) { return qn_str_of(s); }

static reader *make(uint64_t seed, int max_pos)
{
    reader *k = QN_NEW(reader);
    qn_err e = { 0 };
    static const char *const marks[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]" };
    qn_bpe_options o = { .size = 290, .split = QN_SPLIT_QWEN2, .special = marks, .n_special = 4 };
    qn_str texts[3 * ROWS];
    for (int i = 0; i < ROWS; i++) { texts[3 * i] = z(QUESTIONS[i]); texts[3 * i + 1] = k->passages[i][0] = z(A[i]); texts[3 * i + 2] = k->passages[i][1] = z(B[i]); }
    qn_tokenizer *tok;
    if (qn_tokenizer_train(&tok, texts, 3 * ROWS, &o, &e)) fail_msg("%s", e.msg);
    qn_encoder_config c = { .vocab = (int)qn_tokenizer_size(tok), .d = 16, .layers = 2, .heads = 2, .ff = 20, .max_pos = max_pos, .types = 2, .eps = 1e-12f };
    if (qn_encoder_new(&k->m, &c, seed, &e)) fail_msg("%s", e.msg);
    k->m->tok = tok;
    qn_encoder_add_span(k->m, seed, CHOICES, 2);
    qn_rng r = qn_rng_seed(seed);
    for (size_t i = 0; i < k->m->p.count; i++) k->m->p.w[i] += (float)(0.3 * qn_rng_normal(&r));
    for (size_t i = 0; i < k->m->span->count; i++) k->m->span->w[i] += (float)(0.3 * qn_rng_normal(&r));
    for (int i = 0; i < ROWS; i++) {
        if (qn_reading_lay(k->m, z(QUESTIONS[i]), k->passages[i], 2, &k->in[i], &e)) fail_msg("%s", e.msg);
        size_t n = qn_reading_find(k->m, &k->in[i], k->passages[i], z(ANSWERS[i]), -1, &k->gold[i]);
        k->rows[i] = (qn_span_row){ &k->in[i], k->gold[i], n };
    }
    return k;
}

static void drop(reader *k)
{
    for (int i = 0; i < ROWS; i++) { qn_reading_free(&k->in[i]); qn_free(k->gold[i]); }
    qn_encoder_close(k->m);
    qn_free(k);
}

static double loss_of(reader *k, int pass)
{
    qn_fit_options o = { .lr = 1e-36, .steps = 1, .batch = ROWS, .pass_tokens = pass, .in_order = true };
    qn_fit_state s;
    qn_err e = { 0 };
    if (qn_encoder_train_span(k->m, &o, k->rows, ROWS, &s, &e)) fail_msg("%s", e.msg);
    return s.loss;
}

static void answers_stand_where_their_words_do(void **state)
{
    (void)state;
    reader *k = make(1, 96);
    static const size_t places[ROWS] = { 2, 1, 1, 3, 1 };
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(k->rows[i].n_gold, places[i]);
        for (size_t j = 0; j < places[i]; j++) {
            const qn_span_word *a = &k->in[i].words[k->gold[i][j].first], *b = &k->in[i].words[k->gold[i][j].last];
            qn_span s = { a->passage, a->from, b->to, 0 };
            assert_true(qn_str_ieq(qn_span_text(k->m, k->passages[i], &s), z(ANSWERS[i])));
        }
    }
    assert_int_equal(k->in[2].words[k->gold[2][0].first].passage, -2);      /* a choice */
    qn_span_place *one;
    assert_int_equal(qn_reading_find(k->m, &k->in[3], k->passages[3], z("grain"), 39, &one), 1);
    assert_int_equal(k->in[3].words[one[0].first].from, 39);
    qn_free(one);
    assert_int_equal(qn_reading_find(k->m, &k->in[4], k->passages[4], z("\"Breda\"!"), -1, &one), 3);      /* marks around it may be missing */
    qn_free(one);
    assert_int_equal(qn_reading_find(k->m, &k->in[0], k->passages[0], z("oud"), -1, &one), 0);      /* not within a word */
    qn_free(one);
    for (int i = 0; i < ROWS; i++)
        for (size_t j = 0; j < k->in[i].n_words; j++) {
            const qn_span_word *w = &k->in[i].words[j];
            assert_true(w->first > k->in[i].n_question - 1 && w->first <= w->last && (size_t)w->last < k->in[i].ids.n);
        }
    drop(k);
}

static void long_passages_lose_their_ends_and_never_the_question(void **state)
{
    (void)state;
    reader *whole = make(1, 96);
    size_t most = whole->in[3].ids.n - 6;
    reader *k = make(1, (int)most);
    qn_err e = { 0 };
    assert_false(whole->in[3].cut);
    assert_true(k->in[3].cut && k->in[3].ids.n <= most && k->in[3].ids.n + 8 > most);
    assert_int_equal(k->in[3].n_question, whole->in[3].n_question);
    bool second = false;
    for (size_t j = 0; j < k->in[3].n_words; j++) second |= k->in[3].words[j].passage == 1 && k->in[3].words[j].from == 0;
    assert_true(second);
    qn_reading r;
    char *wide = qn_alloc(400);
    memset(wide, 'x', 400);
    assert_int_equal(qn_reading_lay(k->m, (qn_str){ wide, 400 }, k->passages[0], 2, &r, &e), QN_ELIMIT);
    qn_free(wide);
    drop(k);
    drop(whole);
}

static void gradients_are_those_differences_say(void **state)
{
    (void)state;
    reader *k = make(1, 96);
    qn_rng r = qn_rng_seed(2);
    loss_of(k, 4000);
    qn_params *groups[] = { &k->m->p, k->m->span };
    float *g[] = { qn_memdup(k->m->p.g, k->m->p.count * sizeof(float)), qn_memdup(k->m->span->g, k->m->span->count * sizeof(float)) };
    double types = 0;
    for (int q = 0; q < 2; q++)
        for (size_t t = 0; t < groups[q]->n; t++)
            for (int j = 0; j < 4; j++) {
                const qn_tensor *x = &groups[q]->t[t];
                size_t n = (size_t)x->rows * (size_t)(x->cols ? x->cols : 1), i = x->at + (size_t)qn_rng_below(&r, n);
                float keep = groups[q]->w[i];
                groups[q]->w[i] = keep + 0.003f;
                double up = loss_of(k, 4000);
                groups[q]->w[i] = keep - 0.003f;
                double want = (up - loss_of(k, 4000)) / 0.006;
                groups[q]->w[i] = keep;
                if (fabs(want - (double)g[q][i]) > 0.02 * fabs(want) + 1e-3) fail_msg("%s: gradient %g, difference says %g", x->name, (double)g[q][i], want);
                if (strstr(x->name, "token_type")) types += fabs(want);
            }
    assert_true(types > 1e-3);              /* passages are told from the question */
    qn_free(g[0]);
    qn_free(g[1]);
    drop(k);
}

static void small_passes_leave_the_gradients_of_one_large_pass(void **state)
{
    (void)state;
    reader *k = make(3, 96);
    double whole = loss_of(k, 4000);
    float *g = qn_memdup(k->m->p.g, k->m->p.count * sizeof(float));
    double parts = loss_of(k, 60);
    assert_true(fabs(whole - parts) < 1e-6);
    for (size_t i = 0; i < k->m->p.count; i++) assert_true(fabsf(g[i] - k->m->p.g[i]) < 1e-5f);
    qn_free(g);
    drop(k);
}

/* All runs scored one by one, against the k that it gives. */
static void the_likeliest_runs_are_the_likeliest_of_all(void **state)
{
    (void)state;
    reader *k = make(4, 96);
    qn_err e = { 0 };
    for (int i = 0; i < ROWS; i++) {
        qn_span all[1000], best[5];
        size_t n_all, n;
        assert_int_equal(qn_encoder_answer(k->m, &k->in[i], k->passages[i], 1000, 6, 0, 0, all, &n_all, &e), QN_OK);
        assert_int_equal(qn_encoder_answer(k->m, &k->in[i], k->passages[i], 5, 6, 0, 0, best, &n, &e), QN_OK);
        assert_int_equal(n, 5);
        double sum = 0;
        for (size_t j = 0; j < n_all; j++) {
            sum += all[j].p;
            if (j) assert_true(all[j].p <= all[j - 1].p);
            for (size_t q = 0; q < j; q++) assert_false(qn_str_ieq(qn_span_text(k->m, k->passages[i], &all[j]), qn_span_text(k->m, k->passages[i], &all[q])));
        }
        assert_true(sum <= 1 + 1e-9 && sum > 0.5);      /* less than 1: of equal texts one is listed */
        for (size_t j = 0; j < 5; j++) assert_true(best[j].p == all[j].p && best[j].from == all[j].from && best[j].to == all[j].to);
    }
    drop(k);
}

static void draws_follow_the_key_and_the_temperature(void **state)
{
    (void)state;
    reader *k = make(5, 96);
    qn_err e = { 0 };
    qn_span top, a, b;
    size_t n;
    int other = 0, cold = 0;
    assert_int_equal(qn_encoder_answer(k->m, &k->in[0], k->passages[0], 1, 30, 0, 0, &top, &n, &e), QN_OK);
    for (uint64_t key = 1; key <= 60; key++) {
        assert_int_equal(qn_encoder_answer(k->m, &k->in[0], k->passages[0], 1, 30, 1, key, &a, &n, &e), QN_OK);
        assert_int_equal(qn_encoder_answer(k->m, &k->in[0], k->passages[0], 1, 30, 1, key, &b, &n, &e), QN_OK);
        assert_memory_equal(&a, &b, sizeof a);
        other += a.from != top.from || a.to != top.to || a.passage != top.passage;
        assert_int_equal(qn_encoder_answer(k->m, &k->in[0], k->passages[0], 1, 30, 0.01, key, &a, &n, &e), QN_OK);
        cold += a.p == top.p;
    }
    if (other < 10 || cold < 55) fail_msg("%d of 60 draws differ from the likeliest; cold, %d are it", other, cold);
    drop(k);
}

static void training_reads_the_answers_and_a_folder_gives_them_again(void **state)
{
    (void)state;
    qn_err e = { 0 };
    reader *k = make(6, 96), *t = make(6, 96);
    qn_fit_state s;
    qn_fit_options o = { .lr = 3e-3, .steps = 150, .batch = ROWS, .pass_tokens = 100 };
    qn_encoder_threads(k->m, 1);
    qn_encoder_threads(t->m, 3);
    assert_int_equal(qn_encoder_train_span(k->m, &o, k->rows, ROWS, &s, &e), QN_OK);
    if (!(s.right > 0.99 && s.loss < 0.3)) fail_msg("loss %g, right %g", s.loss, s.right);
    assert_int_equal(qn_encoder_train_span(t->m, &o, t->rows, ROWS, &s, &e), QN_OK);
    assert_memory_equal(k->m->p.w, t->m->p.w, k->m->p.count * sizeof(float));      /* whatever the threads */
    char dir[] = "/tmp/quern-span-XXXXXX", command[64];
    assert_non_null(mkdtemp(dir));
    assert_int_equal(qn_encoder_save(k->m, dir, &e), QN_OK);
    qn_encoder *again;
    if (qn_encoder_open(&again, dir, &e)) fail_msg("%s", e.msg);
    assert_true(qn_encoder_reads(again));
    for (int i = 0; i < ROWS; i++) {
        qn_span x, y;
        size_t n;
        qn_reading r;
        assert_int_equal(qn_encoder_answer(k->m, &k->in[i], k->passages[i], 1, 30, 0, 0, &x, &n, &e), QN_OK);
        assert_int_equal(qn_reading_lay(again, z(QUESTIONS[i]), k->passages[i], 2, &r, &e), QN_OK);
        assert_int_equal(qn_encoder_answer(again, &r, k->passages[i], 1, 30, 0, 0, &y, &n, &e), QN_OK);
        assert_true(x.p == y.p && x.from == y.from && x.passage == y.passage);
        qn_str said = qn_span_text(again, k->passages[i], &y);
        assert_true(qn_str_ieq(said, z(ANSWERS[i])));
        qn_reading_free(&r);
    }
    qn_encoder_close(again);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
    drop(k);
    drop(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_stand_where_their_words_do),
        cmocka_unit_test(long_passages_lose_their_ends_and_never_the_question),
        cmocka_unit_test(gradients_are_those_differences_say),
        cmocka_unit_test(small_passes_leave_the_gradients_of_one_large_pass),
        cmocka_unit_test(the_likeliest_runs_are_the_likeliest_of_all),
        cmocka_unit_test(draws_follow_the_key_and_the_temperature),
        cmocka_unit_test(training_reads_the_answers_and_a_folder_gives_them_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
