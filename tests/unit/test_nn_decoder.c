/* The decoder: gradients against differences, folders, adapters, training, checkpoints that survive a kill, generation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/file.h"
#include "core/rng.h"
#include "nn/decoder_net.h"
#include "nn/train.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const qn_decoder_config SMALL = { .vocab = 41, .d = 24, .layers = 2, .heads = 4, .kv_heads = 2, .hd = 8, .ff = 36, .max_pos = 160,
                                         .tied = true, .bos = -1, .eos = { 1 }, .n_eos = 1 };
static char dir[64];

static qn_decoder *make(bool qwen, bool tied, uint64_t seed)
{
    qn_decoder *m;
    qn_decoder_config c = SMALL;
    qn_err e = { 0 };
    c.qkv_bias = qwen;
    c.tied = tied;
    assert_int_equal(qn_decoder_new(&m, &c, seed, &e), QN_OK);
    qn_rng r = qn_rng_seed(seed);                               /* larger than at birth, so that nothing is nearly linear */
    for (size_t i = 0; i < m->p.count; i++) m->p.w[i] += (float)(0.2 * qn_rng_normal(&r));
    return m;
}

enum { ROWS = 12, LEN = 20 };
static int32_t ids[2 * ROWS * LEN];
static float weights[2 * ROWS * LEN], labels[2 * ROWS * LEN];
static qn_train_row rows[ROWS];

static void make_rows(void)
{
    qn_rng r = qn_rng_seed(9);
    for (int i = 0; i < 2 * ROWS * LEN; i++) {
        ids[i] = (int32_t)qn_rng_below(&r, 41);
        weights[i] = qn_rng_below(&r, 3) ? 1 : 0;
        labels[i] = qn_rng_below(&r, 4) ? -1 : (float)qn_rng_below(&r, 2);
    }
    for (int i = 0; i < ROWS; i++) {
        rows[i].a = (qn_seq){ ids + 2 * i * LEN, 5 + i % 7 + (i == 3 ? 8 : 0), weights + 2 * i * LEN, labels + 2 * i * LEN };
        rows[i].b = (qn_seq){ ids + (2 * i + 1) * LEN, 4 + i % 5, weights + (2 * i + 1) * LEN, NULL };
        rows[i].p = 1 - 0.07f * (float)(i % 3);
        rows[i].margin = 0.1f * (float)(i % 2);
    }
}

/* One step with a rate that moves nothing: the loss, and gradients left behind. */
static double loss_at(qn_decoder *m, qn_train_kind kind, double beta, int pass)
{
    qn_fit_options o = { .lr = 1e-36, .steps = 1, .batch = ROWS, .pass_tokens = pass, .in_order = true };
    qn_fit_state s;
    qn_err e = { 0 };
    qn_code rc = qn_decoder_train(m, kind, &o, beta, rows, ROWS, &s, &e);
    if (rc != QN_OK) fail_msg("%s", e.msg);
    return s.loss;
}

static double loss_of(qn_decoder *m, qn_train_kind kind, int pass) { return loss_at(m, kind, 0.5, pass); }

static void compare_gradients(qn_decoder *m, qn_train_kind kind, qn_params *p)
{
    qn_rng r = qn_rng_seed(77);
    loss_of(m, kind, 30);
    float *g = qn_memdup(p->g, p->count * sizeof(float));
    for (size_t t = 0; t < p->n; t++)
        for (int k = 0; k < 3; k++) {
            size_t n = (size_t)p->t[t].rows * (size_t)(p->t[t].cols ? p->t[t].cols : 1), i = p->t[t].at + (size_t)qn_rng_below(&r, n);
            float keep = p->w[i], h = 0.01f;
            p->w[i] = keep + h;
            double up = loss_of(m, kind, 30);
            p->w[i] = keep - h;
            double down = loss_of(m, kind, 30), want = (up - down) / (2 * (double)h);
            p->w[i] = keep;
            if (fabs(want - (double)g[i]) > 0.03 * fabs(want) + 3e-4) fail_msg("%s: gradient %g, difference says %g", p->t[t].name, (double)g[i], want);
        }
    qn_free(g);
}

static void gradients_of_language_modelling_are_those_differences_say(void **state)
{
    (void)state;
    for (int shape = 0; shape < 3; shape++) {
        qn_decoder *m = make(shape == 1, shape != 2, 5);
        compare_gradients(m, QN_TRAIN_LM, &m->p);
        qn_decoder_close(m);
    }
}

/* DPO's reference is the model at the start, so the differences are taken against a reference held fixed: its own copy. */
static void gradients_of_rewards_and_steps_are_those_differences_say(void **state)
{
    (void)state;
    static const qn_train_kind kinds[] = { QN_TRAIN_REWARD, QN_TRAIN_STEPS };
    for (int k = 0; k < 2; k++) {
        qn_decoder *m = make(true, true, 6);
        qn_decoder_add_head(m);
        qn_rng r = qn_rng_seed(8);
        for (size_t i = 0; i < m->score->count; i++) m->score->w[i] = (float)qn_rng_normal(&r);
        compare_gradients(m, kinds[k], &m->p);
        compare_gradients(m, kinds[k], m->score);
        qn_decoder_close(m);
    }
}

/* No row has a weight, so that the language modelling beside the rewards is that of QN_TRAIN_LM, times beta. */
static void language_beside_step_rewards_counts_by_its_weight(void **state)
{
    (void)state;
    qn_decoder *m = make(true, true, 6);
    qn_decoder_add_head(m);
    double lm = loss_of(m, QN_TRAIN_LM, 30), none = loss_at(m, QN_TRAIN_STEPS, 0, 30);
    assert_true(lm > 1);
    assert_float_equal(loss_at(m, QN_TRAIN_STEPS, 0.5, 30), none + 0.5 * lm, 1e-5);
    assert_float_equal(loss_at(m, QN_TRAIN_STEPS, 2, 1000), none + 2 * lm, 1e-5);
    qn_decoder_close(m);
}

static void adapters_have_the_gradients_differences_say_and_the_base_stays(void **state)
{
    (void)state;
    qn_decoder *m = make(true, true, 7);
    qn_err e = { 0 };
    assert_int_equal(qn_decoder_lora_add(m, 3, 6, NULL, 1, &e), QN_OK);
    qn_rng r = qn_rng_seed(8);
    for (size_t i = 0; i < m->lora->p.count; i++) m->lora->p.w[i] = (float)(0.3 * qn_rng_normal(&r));
    compare_gradients(m, QN_TRAIN_LM, &m->lora->p);
    float *before = qn_memdup(m->p.w, m->p.count * sizeof(float));
    qn_fit_options o = { .lr = 1e-2, .steps = 3, .batch = 4 };
    assert_int_equal(qn_decoder_train(m, QN_TRAIN_LM, &o, 0, rows, ROWS, NULL, &e), QN_OK);
    assert_memory_equal(before, m->p.w, m->p.count * sizeof(float));
    qn_free(before);
    qn_decoder_close(m);
}

/* h is 0 for every pair at the start, so the loss is log 2 when p is 1 and falls as preferred replies gain. */
static void dpo_starts_at_log_two_and_learns_the_preferences(void **state)
{
    (void)state;
    qn_decoder *m = make(false, true, 11);
    qn_err e = { 0 };
    qn_fit_state s;
    qn_train_row sure[ROWS];
    memcpy(sure, rows, sizeof rows);
    for (int i = 0; i < ROWS; i++) sure[i].p = 1;
    double a0[ROWS], a1[ROWS], b0[ROWS], b1[ROWS];
    qn_seq a[ROWS], b[ROWS];
    for (int i = 0; i < ROWS; i++) { a[i] = rows[i].a; b[i] = rows[i].b; }
    assert_int_equal(qn_decoder_logp(m, a, ROWS, a0, &e), QN_OK);
    assert_int_equal(qn_decoder_logp(m, b, ROWS, b0, &e), QN_OK);
    qn_fit_options o = { .lr = 1e-36, .steps = 1, .batch = ROWS };
    assert_int_equal(qn_decoder_train(m, QN_TRAIN_DPO, &o, 0.3, sure, ROWS, &s, &e), QN_OK);
    assert_true(fabs(s.loss - log(2)) < 1e-5);
    /* the gradient at the start is -beta/2 * d(logp a - logp b): one small step along it changes h by the same sign */
    o = (qn_fit_options){ .lr = 3e-3, .steps = 30, .batch = ROWS };
    assert_int_equal(qn_decoder_train(m, QN_TRAIN_DPO, &o, 0.3, sure, ROWS, &s, &e), QN_OK);
    assert_true(s.loss < 0.3 && s.right > 0.9);
    assert_int_equal(qn_decoder_logp(m, a, ROWS, a1, &e), QN_OK);
    assert_int_equal(qn_decoder_logp(m, b, ROWS, b1, &e), QN_OK);
    double gain = 0, h = 0;
    for (int i = 0; i < ROWS; i++) { gain += (a1[i] - a0[i]) - (b1[i] - b0[i]); h += (a1[i] - a0[i]) - (b1[i] - b0[i]) > 0; }
    assert_true(gain > 10 && h >= 11);
    qn_decoder_close(m);
}

/* With p = 1/2 neither reply may gain: weighted DPO holds still where plain DPO pushes. */
static void weighted_dpo_holds_still_where_the_scores_are_even(void **state)
{
    (void)state;
    qn_err e = { 0 };
    double moved[2];
    for (int even = 0; even < 2; even++) {
        qn_decoder *m = make(false, true, 12);
        qn_train_row r[ROWS];
        qn_seq a[ROWS];
        double before[ROWS], after[ROWS];
        memcpy(r, rows, sizeof rows);
        for (int i = 0; i < ROWS; i++) { r[i].p = even ? 0.5f : 1; a[i] = r[i].a; }
        assert_int_equal(qn_decoder_logp(m, a, ROWS, before, &e), QN_OK);
        qn_fit_options o = { .lr = 1e-3, .steps = 5, .batch = ROWS };
        assert_int_equal(qn_decoder_train(m, QN_TRAIN_DPO, &o, 0.3, r, ROWS, NULL, &e), QN_OK);
        assert_int_equal(qn_decoder_logp(m, a, ROWS, after, &e), QN_OK);
        moved[even] = 0;
        for (int i = 0; i < ROWS; i++) moved[even] += fabs(after[i] - before[i]);
        qn_decoder_close(m);
    }
    assert_true(moved[0] > 1);
    assert_true(moved[1] < 1e-3);
}

static void a_pass_of_any_size_and_any_number_of_threads_give_the_same_training(void **state)
{
    (void)state;
    qn_err e = { 0 };
    float *first = NULL;
    for (int threads = 1; threads <= 3; threads++) {
        qn_decoder *m = make(true, true, 13);
        qn_decoder_threads(m, threads);
        qn_fit_options o = { .lr = 1e-2, .steps = 7, .batch = 5, .clip = 1, .decay = 0.1, .warmup = 2, .shape = QN_LR_COSINE, .seed = 4, .pass_tokens = 25 };
        assert_int_equal(qn_decoder_train(m, QN_TRAIN_LM, &o, 0, rows, ROWS, NULL, &e), QN_OK);
        if (!first) first = qn_memdup(m->p.w, m->p.count * sizeof(float));
        else assert_memory_equal(first, m->p.w, m->p.count * sizeof(float));
        qn_decoder_close(m);
    }
    qn_free(first);
    qn_decoder *m = make(true, true, 13);
    double a = loss_of(m, QN_TRAIN_LM, 20), b = loss_of(m, QN_TRAIN_LM, 4000);
    assert_true(fabs(a - b) < 1e-5);                /* sums in another order, so not bit for bit */
    qn_decoder_close(m);
}

static void masked_tokens_do_not_count_and_packed_rows_do_not_see_each_other(void **state)
{
    (void)state;
    qn_decoder *m = make(false, true, 14);
    qn_err e = { 0 };
    double together[3], alone;
    qn_seq s[3] = { rows[0].a, rows[1].a, rows[2].a };
    assert_int_equal(qn_decoder_logp(m, s, 3, together, &e), QN_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(qn_decoder_logp(m, &s[i], 1, &alone, &e), QN_OK);
        assert_true(fabs(alone - together[i]) < 1e-5);
    }
    float *logits = malloc(sizeof(float) * 41 * (size_t)s[0].n);
    assert_int_equal(qn_decoder_logits(m, s[0].ids, s[0].n, logits, &e), QN_OK);
    double want = 0;
    for (int i = 1; i < s[0].n; i++) {
        double sum = 0;
        for (int j = 0; j < 41; j++) sum += exp((double)logits[(i - 1) * 41 + j]);
        want += (double)s[0].weight[i] * ((double)logits[(i - 1) * 41 + s[0].ids[i]] - log(sum));
    }
    assert_true(fabs(want - together[0]) < 1e-4);
    free(logits);
    qn_decoder_close(m);
}

static void train_here(const char *checkpoint, qn_decoder *m, int every, bool (*progress)(void *, const qn_fit_state *), void *arg, qn_code want)
{
    qn_err e = { 0 };
    qn_fit_options o = { .lr = 1e-2, .steps = 20, .batch = 5, .clip = 1, .decay = 0.1, .warmup = 2, .shape = QN_LR_COSINE, .seed = 4,
                         .checkpoint = checkpoint, .checkpoint_every = every, .progress = progress, .progress_arg = arg };
    qn_code rc = qn_decoder_train(m, QN_TRAIN_LM, &o, 0, rows, ROWS, NULL, &e);
    if (rc != want) fail_msg("%d: %s", rc, e.msg);
}
static bool kill_at(void *arg, const qn_fit_state *s) { if (s->step == *(int *)arg) kill(getpid(), SIGKILL); return true; }
static bool stop_at(void *arg, const qn_fit_state *s) { return s->step != *(int *)arg; }

static void a_killed_training_resumes_to_the_same_weights_bit_for_bit(void **state)
{
    (void)state;
    char path[96];
    snprintf(path, sizeof path, "%s/checkpoint", dir);
    qn_decoder *m = make(true, true, 15);
    qn_decoder_threads(m, 1);
    train_here(NULL, m, 0, NULL, NULL, QN_OK);
    float *want = qn_memdup(m->p.w, m->p.count * sizeof(float));
    qn_decoder_close(m);
    static const int at[] = { 2, 8, 17 };
    for (size_t i = 0; i < 3; i++) {
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            m = make(true, true, 15);
            qn_decoder_threads(m, 1);
            train_here(path, m, 3, kill_at, (void *)(uintptr_t)&at[i], QN_OK);
            _exit(0);
        }
        int status;
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    int stop = 19;
    m = make(true, true, 15);
    train_here(path, m, 0, stop_at, &stop, QN_ESTOP);
    qn_decoder_close(m);
    m = make(true, true, 15);
    train_here(path, m, 0, NULL, NULL, QN_OK);
    assert_memory_equal(want, m->p.w, m->p.count * sizeof(float));
    train_here(path, m, 0, NULL, NULL, QN_EUSAGE);      /* the model is another now: the checkpoint is not its own */
    qn_decoder_close(m);
    qn_free(want);
    unlink(path);
}

static void a_saved_model_comes_back_equal(void **state)
{
    (void)state;
    qn_err e = { 0 };
    for (int shape = 0; shape < 4; shape++) {
        qn_decoder *m = make(shape & 1, shape & 2, 16), *k;
        if (shape == 3) qn_decoder_add_head(m);
        m->c.rope_factor = shape == 2 ? 8 : 0;
        m->c.rope_low = 1; m->c.rope_high = 4; m->c.rope_original = 32;
        assert_int_equal(qn_decoder_save(m, dir, &e), QN_OK);
        if (qn_decoder_open(&k, dir, &e) != QN_OK) fail_msg("%s", e.msg);
        assert_int_equal(k->p.count, m->p.count);
        assert_memory_equal(k->p.w, m->p.w, m->p.count * sizeof(float));
        assert_int_equal(qn_decoder_has_head(k), shape == 3);
        assert_int_equal(k->c.n_eos, 1);
        float *a = malloc(sizeof(float) * 41 * 40), *b = malloc(sizeof(float) * 41 * 40);
        assert_int_equal(qn_decoder_logits(m, ids, 40, a, &e), QN_OK);
        assert_int_equal(qn_decoder_logits(k, ids, 40, b, &e), QN_OK);
        assert_memory_equal(a, b, sizeof(float) * 41 * 40);
        free(a); free(b);
        qn_decoder_close(m); qn_decoder_close(k);
    }
}

static void an_adapter_comes_back_equal_and_merging_keeps_the_logits(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_decoder *m = make(true, true, 17), *k = make(true, true, 17);
    assert_int_equal(qn_decoder_lora_add(m, 4, 8, "q_proj v_proj down_proj", 1, &e), QN_OK);
    qn_rng r = qn_rng_seed(8);
    for (size_t i = 0; i < m->lora->p.count; i++) m->lora->p.w[i] += (float)(0.1 * qn_rng_normal(&r));
    assert_int_equal(qn_decoder_lora_save(m, dir, "base", &e), QN_OK);
    if (qn_decoder_lora_open(k, dir, &e) != QN_OK) fail_msg("%s", e.msg);
    float a[41 * 20], b[41 * 20], c[41 * 20], base[41 * 20];
    assert_int_equal(qn_decoder_logits(m, ids, 20, a, &e), QN_OK);
    assert_int_equal(qn_decoder_logits(k, ids, 20, b, &e), QN_OK);
    assert_memory_equal(a, b, sizeof a);
    qn_generate_options o = { .max_tokens = 12, .ignore_eos = true };
    qn_generated g1, g2;
    qn_seq p = { ids, 5, NULL, NULL };
    assert_int_equal(qn_decoder_generate(m, &p, 1, &o, &g1, &e), QN_OK);
    qn_decoder_lora_merge(k);
    assert_int_equal(qn_decoder_generate(k, &p, 1, &o, &g2, &e), QN_OK);
    assert_memory_equal(g1.ids, g2.ids, 12 * sizeof(int32_t));
    assert_int_equal(qn_decoder_logits(k, ids, 20, c, &e), QN_OK);
    for (int i = 0; i < 41 * 20; i++) assert_true(fabsf(a[i] - c[i]) < 2e-4f);
    qn_decoder *plain = make(true, true, 17);
    assert_int_equal(qn_decoder_logits(plain, ids, 20, base, &e), QN_OK);
    assert_memory_not_equal(a, base, sizeof a);
    assert_int_equal(qn_decoder_lora_add(plain, 4, 8, "q_prj", 1, &e), QN_ERECIPE);
    qn_free(g1.ids); qn_free(g2.ids);
    qn_decoder_close(m); qn_decoder_close(k); qn_decoder_close(plain);
}

/* The cached way must choose what the whole pass would. */
static void greedy_text_is_the_argmax_of_whole_passes(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_decoder *m = make(true, false, 18);
    qn_seq p = { ids, 7, NULL, NULL };
    qn_generate_options o = { .max_tokens = 30, .ignore_eos = true };
    qn_generated g;
    assert_int_equal(qn_decoder_generate(m, &p, 1, &o, &g, &e), QN_OK);
    assert_int_equal(g.n, 30);
    int32_t text[37];
    float logits[41 * 37], each[37];
    memcpy(text, ids, 7 * sizeof *text);
    for (int n = 7; n < 37; n++) {
        assert_int_equal(qn_decoder_logits(m, text, n, logits, &e), QN_OK);
        int best = 0;
        for (int j = 1; j < 41; j++) if (logits[(n - 1) * 41 + j] > logits[(n - 1) * 41 + best]) best = j;
        assert_int_equal(g.ids[n - 7], best);
        text[n] = best;
    }
    qn_seq whole = { text, 37, NULL, NULL };
    assert_int_equal(qn_decoder_token_logp(m, &whole, 1, each, &e), QN_OK);
    double sum = 0;
    for (int i = 7; i < 37; i++) sum += (double)each[i];
    assert_true(fabs(sum - g.logp) < 1e-3);
    qn_free(g.ids);
    qn_decoder_close(m);
}

static void a_text_does_not_depend_on_the_batch_or_threads(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_seq p[ROWS];
    qn_generated one[ROWS], many[ROWS];
    for (int i = 0; i < ROWS; i++) p[i] = (qn_seq){ rows[i].a.ids, rows[i].a.n, NULL, NULL };
    qn_decoder *m = make(false, true, 19);
    qn_generate_options o = { .max_tokens = 25, .temperature = 0.8f, .top_p = 0.95f, .seed = 3, .batch = 1 };
    qn_decoder_threads(m, 1);
    assert_int_equal(qn_decoder_generate(m, p, ROWS, &o, one, &e), QN_OK);
    qn_decoder_threads(m, 3);
    o.batch = 5;
    assert_int_equal(qn_decoder_generate(m, p, ROWS, &o, many, &e), QN_OK);
    int differ = 0;
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(one[i].n, many[i].n);
        assert_int_equal(one[i].stopped, many[i].stopped);
        assert_memory_equal(one[i].ids, many[i].ids, (size_t)one[i].n * sizeof(int32_t));
        if (i && one[i].n && one[0].n) differ += one[i].ids[0] != one[0].ids[0];
    }
    assert_true(differ > 2);
    for (int i = 0; i < ROWS; i++) { qn_free(one[i].ids); qn_free(many[i].ids); }
    qn_decoder_close(m);
}

/* Prompts that begin alike, in several lengths, some equal, in every order of slots and in more than one pass: each text is what it is when written alone. */
static void beginnings_in_common_are_computed_once_and_change_nothing(void **state)
{
    (void)state;
    enum { TEXTS = 60, LONGEST = 34 };
    qn_err e = { 0 };
    int32_t texts[TEXTS][LONGEST];
    qn_seq p[TEXTS];
    qn_generated alone[TEXTS], many[TEXTS];
    for (int bf16 = 0; bf16 < 2; bf16++) {
        qn_decoder *m = make(false, true, 23);
        qn_decoder_bf16(m, bf16);
        for (int i = 0; i < TEXTS; i++) {
            int n = i % 5 == 4 ? 1 + i % 7 : LONGEST - i % 3, split = i % 4 == 0 ? LONGEST : 3 * (i % 9);
            for (int j = 0; j < n; j++) texts[i][j] = j < split ? (j * 7 + 3) % 41 : (j * 5 + i) % 41;
            p[i] = (qn_seq){ .ids = texts[i], .n = n };
        }
        for (int batch = 1; batch <= 32; batch = batch == 1 ? 3 : batch == 3 ? 32 : 33) {
            uint64_t keys[TEXTS];
            for (int i = 0; i < TEXTS; i++) keys[i] = (uint64_t)i;
            qn_generate_options o = { .max_tokens = 9, .temperature = 0.8f, .seed = 3, .batch = batch, .keys = keys };
            assert_int_equal(qn_decoder_generate(m, p, TEXTS, &o, many, &e), QN_OK);
            int differ = 0;
            for (int i = 0; i < TEXTS; i++) {
                if (batch == 1) {
                    qn_generate_options one = o;
                    one.keys = &keys[i];
                    assert_int_equal(qn_decoder_generate(m, &p[i], 1, &one, &alone[i], &e), QN_OK);
                }
                assert_int_equal(many[i].n, alone[i].n);
                assert_memory_equal(many[i].ids, alone[i].ids, (size_t)alone[i].n * sizeof(int32_t));
                assert_true(many[i].logp == alone[i].logp);
                differ += many[i].n && many[0].n && many[i].ids[0] != many[0].ids[0];
            }
            for (int i = 0; i < TEXTS; i++) qn_free(many[i].ids);
            assert_true(differ > TEXTS / 2);
        }
        for (int i = 0; i < TEXTS; i++) qn_free(alone[i].ids);
        qn_decoder_close(m);
    }
}

static void draws_follow_the_probabilities(void **state)
{
    (void)state;
    qn_err e = { 0 };
    enum { DRAWS = 4000 };
    qn_decoder *m = make(false, true, 20);
    qn_seq p[DRAWS];
    qn_generated *g = calloc(DRAWS, sizeof *g);
    for (int i = 0; i < DRAWS; i++) p[i] = (qn_seq){ ids, 4, NULL, NULL };
    float logits[41 * 4];
    double want[41], sum = 0, seen[41] = { 0 };
    assert_int_equal(qn_decoder_logits(m, ids, 4, logits, &e), QN_OK);
    for (int j = 0; j < 41; j++) sum += want[j] = exp((double)logits[3 * 41 + j] / 1.5);
    qn_generate_options o = { .max_tokens = 1, .temperature = 1.5f, .ignore_eos = true };
    assert_int_equal(qn_decoder_generate(m, p, DRAWS, &o, g, &e), QN_OK);
    for (int i = 0; i < DRAWS; i++) { seen[g[i].ids[0]]++; qn_free(g[i].ids); }
    for (int j = 0; j < 41; j++) {
        double q = want[j] / sum, sd = sqrt(DRAWS * q * (1 - q)) + 0.5;
        if (fabs(seen[j] - DRAWS * q) > 5 * sd) fail_msg("token %d: %g draws, %g expected", j, seen[j], DRAWS * q);
    }
    free(g);
    qn_decoder_close(m);
}

/* Only even tokens, then the stop token after three. */
static void even_only(void *arg, size_t seq, const int32_t *out, int n, bool *allow)
{
    (void)arg; (void)seq; (void)out;
    for (int i = 0; i < 41; i++) allow[i] = n < 3 ? i % 2 == 0 : i == 1;
}

static void a_constraint_holds_and_a_stop_token_ends_the_text(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_decoder *m = make(false, true, 21);
    qn_seq p[6];
    qn_generated g[6];
    for (int i = 0; i < 6; i++) p[i] = (qn_seq){ rows[i].a.ids, rows[i].a.n, NULL, NULL };
    for (int hot = 0; hot < 2; hot++) {
        qn_generate_options o = { .max_tokens = 10, .temperature = (float)hot, .allow = even_only };
        assert_int_equal(qn_decoder_generate(m, p, 6, &o, g, &e), QN_OK);
        for (int i = 0; i < 6; i++) {
            assert_int_equal(g[i].n, 3);
            assert_true(g[i].stopped);
            for (int j = 0; j < 3; j++) assert_int_equal(g[i].ids[j] % 2, 0);
            qn_free(g[i].ids);
        }
    }
    qn_decoder_close(m);
}

static void impossible_ids_and_lengths_are_refused(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_decoder *m = make(false, true, 22);
    float out[41 * 2];
    int32_t bad[] = { 3, 41 };
    double lp;
    assert_int_equal(qn_decoder_logits(m, bad, 2, out, &e), QN_EDATA);
    qn_seq s = { ids, 161, NULL, NULL };
    assert_int_equal(qn_decoder_logp(m, &s, 1, &lp, &e), QN_ELIMIT);
    s.n = 4;
    assert_int_equal(qn_decoder_score(m, &s, 1, out, &e), QN_EUSAGE);
    qn_decoder_config c = SMALL;
    qn_decoder *k;
    c.kv_heads = 3;
    assert_int_equal(qn_decoder_new(&k, &c, 1, &e), QN_ERECIPE);
    qn_decoder_close(m);
}

static int before(void **state)
{
    (void)state;
    make_rows();
    snprintf(dir, sizeof dir, "/tmp/qn_nn_XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int after(void **state)
{
    (void)state;
    static const char *const names[] = { "config.json", "model.safetensors", "adapter_config.json", "adapter_model.safetensors" };
    for (size_t i = 0; i < 4; i++) {
        char *p = qn_path_join(dir, names[i]);
        unlink(p);
        qn_free(p);
    }
    { char *p = qn_path_join(dir, "checkpoint.part"); unlink(p); qn_free(p); }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_language_modelling_are_those_differences_say),
        cmocka_unit_test(gradients_of_rewards_and_steps_are_those_differences_say),
        cmocka_unit_test(language_beside_step_rewards_counts_by_its_weight),
        cmocka_unit_test(adapters_have_the_gradients_differences_say_and_the_base_stays),
        cmocka_unit_test(dpo_starts_at_log_two_and_learns_the_preferences),
        cmocka_unit_test(weighted_dpo_holds_still_where_the_scores_are_even),
        cmocka_unit_test(a_pass_of_any_size_and_any_number_of_threads_give_the_same_training),
        cmocka_unit_test(masked_tokens_do_not_count_and_packed_rows_do_not_see_each_other),
        cmocka_unit_test(a_killed_training_resumes_to_the_same_weights_bit_for_bit),
        cmocka_unit_test(a_saved_model_comes_back_equal),
        cmocka_unit_test(an_adapter_comes_back_equal_and_merging_keeps_the_logits),
        cmocka_unit_test(greedy_text_is_the_argmax_of_whole_passes),
        cmocka_unit_test(a_text_does_not_depend_on_the_batch_or_threads),
        cmocka_unit_test(beginnings_in_common_are_computed_once_and_change_nothing),
        cmocka_unit_test(draws_follow_the_probabilities),
        cmocka_unit_test(a_constraint_holds_and_a_stop_token_ends_the_text),
        cmocka_unit_test(impossible_ids_and_lengths_are_refused),
    };
    return cmocka_run_group_tests(tests, before, after);
}
