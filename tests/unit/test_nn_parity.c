/* nn/ against PyTorch and Hugging Face, by fixtures that tools/parity.py wrote (`make parity`): logits, losses of 100 steps, greedy
 * tokens, embeddings, token ids. With QN_PARITY_OUT=DIR it also writes models there for that script to load back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/file.h"
#include "core/mem.h"
#include "nn/decoder_net.h"
#include "nn/encoder_net.h"
#include "nn/train.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#define DATA "tests/data/nn/"
enum { ROWS = 16, LEN = 20 };
static const char *const decoders[] = { "llama", "qwen2" };

static float *array(const qn_safetensors *s, const char *name, size_t *n)
{
    const qn_array *a = qn_safetensors_find(s, name);
    qn_err e = { 0 };
    assert_non_null(a);
    float *x = malloc((a->count + 1) * sizeof *x);
    assert_int_equal(qn_safetensors_read(s, name, a->count, x, &e), QN_OK);
    if (n) *n = a->count;
    return x;
}

static char path[256];
static const char *at(const char *a, const char *b) { snprintf(path, sizeof path, DATA "%s%s", a, b); return path; }

typedef struct { qn_decoder *m; qn_safetensors *s; int32_t ids[ROWS * LEN]; float *weights; qn_train_row rows[ROWS]; } model;

static model open_model(const char *name)
{
    model k = { 0 };
    qn_err e = { 0 };
    if (qn_decoder_open(&k.m, at(name, ""), &e)) fail_msg("%s", e.msg);
    if (qn_safetensors_open(&k.s, at(name, "/expected.safetensors"), &e)) fail_msg("%s", e.msg);
    float *ids = array(k.s, "ids", NULL);
    k.weights = array(k.s, "weights", NULL);
    for (int i = 0; i < ROWS * LEN; i++) k.ids[i] = (int32_t)ids[i];
    free(ids);
    return k;
}

static void rows_of(model *k)
{
    for (int i = 0; i < ROWS; i++) k->rows[i].a = (qn_seq){ k->ids + i * LEN, LEN, k->weights + i * LEN, NULL };
}

static void close_model(model *k)
{
    qn_decoder_close(k->m);
    qn_safetensors_close(k->s);
    free(k->weights);
}

static double farthest(const float *a, const float *b, size_t n)
{
    double far = 0;
    for (size_t i = 0; i < n; i++) if (!(fabs((double)a[i] - (double)b[i]) <= far)) far = fabs((double)a[i] - (double)b[i]);
    return far;
}

static void logits_are_those_of_transformers_within_1e_4(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        model k = open_model(decoders[i]);
        qn_err e = { 0 };
        float *want = array(k.s, "logits", NULL), *got = malloc(sizeof(float) * LEN * 64);
        assert_int_equal(qn_decoder_logits(k.m, k.ids, LEN, got, &e), QN_OK);
        assert_true(farthest(got, want, LEN * 64) < 1e-4);
        free(want); free(got);
        close_model(&k);
    }
}

static void fifty_greedy_tokens_are_those_of_transformers(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        model k = open_model(decoders[i]);
        qn_err e = { 0 };
        qn_generated g;
        float *want = array(k.s, "greedy", NULL);
        qn_seq p = { k.ids, 5, NULL, NULL };
        qn_generate_options o = { .max_tokens = 50, .ignore_eos = true };
        assert_int_equal(qn_decoder_generate(k.m, &p, 1, &o, &g, &e), QN_OK);
        assert_int_equal(g.n, 50);
        for (int j = 0; j < 50; j++) assert_int_equal(g.ids[j], (int)want[5 + j]);
        qn_free(g.ids);
        free(want);
        close_model(&k);
    }
}

typedef struct { const float *want; double far; } curve;
static bool follow(void *arg, const qn_fit_state *s)
{
    curve *c = arg;
    double d = fabs(s->loss - (double)c->want[s->step - 1]);
    if (getenv("QN_CURVE")) fprintf(stderr, "%lld %.7f %.7f %.2e\n", (long long)s->step, s->loss, (double)c->want[s->step - 1], d);
    if (!(d <= c->far)) c->far = d;
    return true;
}

static qn_fit_options options(int64_t steps, double lr, curve *c)
{
    return (qn_fit_options){ .lr = lr, .shape = QN_LR_COSINE, .warmup = 10, .steps = steps, .batch = 4, .clip = 1, .decay = 0.1, .b1 = 0.9, .b2 = 0.95,
                             .in_order = true, .progress = follow, .progress_arg = c };
}

static void the_loss_of_100_steps_is_that_of_pytorch_within_1e_3(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        model k = open_model(decoders[i]);
        qn_err e = { 0 };
        qn_fit_state last;
        float *want = array(k.s, "losses", NULL);
        curve c = { want, 0 };
        qn_fit_options o = options(100, 2e-3, &c);
        rows_of(&k);
        assert_int_equal(qn_decoder_train(k.m, QN_TRAIN_LM, &o, 0, k.rows, ROWS, &last, &e), QN_OK);
        assert_int_equal(last.step, 100);
        print_message("%s: 100 losses within %.1e of PyTorch's\n", decoders[i], c.far);
        assert_true(c.far < 1e-3);
        free(want);
        close_model(&k);
    }
}

/* Rounded products move the curve a little and no more. */
static void the_loss_in_bf16_stays_near_pytorchs_in_f32(void **state)
{
    (void)state;
    if (!qn_gemm_has_bf16()) { print_message("skipped: no AVX512_BF16 here\n"); skip(); }
    for (int i = 0; i < 2; i++) {
        model k = open_model(decoders[i]);
        qn_err e = { 0 };
        float *want = array(k.s, "losses", NULL);
        curve c = { want, 0 };
        qn_fit_options o = options(100, 2e-3, &c);
        rows_of(&k);
        assert_true(qn_decoder_bf16(k.m, true));
        assert_int_equal(qn_decoder_train(k.m, QN_TRAIN_LM, &o, 0, k.rows, ROWS, NULL, &e), QN_OK);
        print_message("%s in bf16: 100 losses within %.1e of PyTorch's in f32\n", decoders[i], c.far);
        assert_true(c.far < 0.1 && c.far > 1e-5);
        free(want);
        close_model(&k);
    }
}

static void the_loss_of_weighted_dpo_is_that_of_pytorch_within_1e_3(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        model k = open_model(decoders[i]);
        qn_err e = { 0 };
        static const float p[] = { 1, 0.8f, 0.6f, 1 };
        qn_train_row pairs[4] = { 0 };
        float *want = array(k.s, "dpo_losses", NULL);
        curve c = { want, 0 };
        qn_fit_options o = options(40, 1e-3, &c);
        rows_of(&k);
        for (int j = 0; j < 4; j++) pairs[j] = (qn_train_row){ .a = k.rows[2 * j].a, .b = k.rows[2 * j + 1].a, .p = p[j] };
        assert_int_equal(qn_decoder_train(k.m, QN_TRAIN_DPO, &o, 0.2, pairs, 4, NULL, &e), QN_OK);
        print_message("%s: 40 DPO losses within %.1e of PyTorch's\n", decoders[i], c.far);
        assert_true(c.far < 1e-3);
        free(want);
        close_model(&k);
    }
}

static void embeddings_and_the_ranking_loss_are_those_of_transformers(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_encoder *m;
    qn_safetensors *s;
    if (qn_encoder_open(&m, at("bert", ""), &e)) fail_msg("%s", e.msg);
    if (qn_safetensors_open(&s, at("bert", "/expected.safetensors"), &e)) fail_msg("%s", e.msg);
    float *flat = array(s, "ids", NULL), *want = array(s, "embeddings", NULL), *losses = array(s, "losses", NULL), got[24 * 16];
    int32_t ids[24 * 12];
    qn_seq q[24];
    for (int i = 0; i < 24; i++) {
        int n = 0;
        for (; n < 12 && flat[12 * i + n] >= 0; n++) ids[12 * i + n] = (int32_t)flat[12 * i + n];
        q[i] = (qn_seq){ ids + 12 * i, n, NULL, NULL };
    }
    assert_int_equal(qn_encoder_embed_ids(m, q, 24, got, &e), QN_OK);
    for (int i = 0; i < 24; i++) assert_true((double)qn_dot(16, got + 16 * i, want + 16 * i) > 0.99999);
    if (qn_encoder_bf16(m, true)) {
        assert_int_equal(qn_encoder_embed_ids(m, q, 24, got, &e), QN_OK);
        double least = 1;
        for (int i = 0; i < 24; i++) least = fmin(least, (double)qn_dot(16, got + 16 * i, want + 16 * i));
        print_message("bert in bf16: cosines to PyTorch's from %.6f\n", least);
        assert_true(least > 0.999 && least < 0.9999999);
        qn_encoder_bf16(m, false);
    }
    qn_ranking_row rows[8];
    for (int i = 0; i < 8; i++) rows[i] = (qn_ranking_row){ q[3 * i], q[3 * i + 1], &q[3 * i + 2], 1 };
    curve c = { losses, 0 };
    qn_fit_options o = options(40, 1e-3, &c);
    assert_int_equal(qn_encoder_train_ranking(m, &o, &(qn_ranking_loss){ .scale = 20 }, rows, 8, NULL, &e), QN_OK);
    print_message("bert: 40 ranking losses within %.1e of PyTorch's\n", c.far);
    assert_true(c.far < 1e-3);
    free(flat); free(want); free(losses);
    qn_encoder_close(m);
    qn_safetensors_close(s);
}

/* ---- tokens ---- */
static const char *const shapes[] = { "gpt2", "llama3", "qwen2", "wordpiece" };

static yyjson_doc *read_json(const char *file)
{
    qn_buf b = { 0 };
    qn_err e = { 0 };
    if (qn_file_read(file, 0, &b, &e)) fail_msg("%s", e.msg);
    yyjson_doc *d = yyjson_read(b.p, b.n, 0);
    assert_non_null(d);
    qn_buf_free(&b);
    return d;
}

static void token_ids_are_those_of_tokenizers(void **state)
{
    (void)state;
    yyjson_doc *d = read_json(DATA "tokens.json");
    yyjson_val *texts = yyjson_obj_get(yyjson_doc_get_root(d), "texts");
    for (int k = 0; k < 4; k++) {
        qn_err e = { 0 };
        qn_tokenizer *t;
        char name[64];
        snprintf(name, sizeof name, DATA "tokenizer_%s.json", shapes[k]);
        if (qn_tokenizer_open(&t, name, &e)) fail_msg("%s", e.msg);
        yyjson_val *want = yyjson_obj_get(yyjson_obj_get(yyjson_doc_get_root(d), "ids"), shapes[k]);
        assert_int_equal(yyjson_arr_size(texts), yyjson_arr_size(want));
        for (size_t i = 0; i < yyjson_arr_size(texts); i++) {
            yyjson_val *x = yyjson_arr_get(texts, i), *w = yyjson_arr_get(want, i);
            qn_str s = { yyjson_get_str(x), yyjson_get_len(x) };
            qn_ids ids = { 0 };
            if (qn_tokenizer_encode(t, s, QN_TOKENS_FRAME, &ids, &e)) fail_msg("%s", e.msg);
            bool same = ids.n == yyjson_arr_size(w);
            for (size_t j = 0; same && j < ids.n; j++) same = ids.p[j] == (int32_t)yyjson_get_sint(yyjson_arr_get(w, j));
            if (!same) fail_msg("%s: text %zu has other ids: %s", shapes[k], i, s.p);
            qn_ids_free(&ids);
        }
        qn_tokenizer_close(t);
    }
    yyjson_doc_free(d);
}

static void token_ids_of_twelve_languages_are_those_of_tokenizers(void **state)
{
    (void)state;
    static const char file[] = "../shared/data/langid/langid.jsonl";
    yyjson_doc *d = read_json(DATA "tokens.json");
    yyjson_val *sums = yyjson_obj_get(yyjson_doc_get_root(d), "langid");
    if (!qn_file_exists(file) || !sums) { print_message("skipped: %s is not here\n", file); yyjson_doc_free(d); skip(); }
    qn_buf b = { 0 };
    qn_err e = { 0 };
    assert_int_equal(qn_file_read(file, 0, &b, &e), QN_OK);
    for (int k = 0; k < 4; k++) {
        qn_tokenizer *t;
        char name[64], sum[32];
        uint64_t h = 0;
        snprintf(name, sizeof name, DATA "tokenizer_%s.json", shapes[k]);
        assert_int_equal(qn_tokenizer_open(&t, name, &e), QN_OK);
        for (size_t i = 0; i < b.n;) {
            size_t end = i + strcspn(b.p + i, "\n");
            yyjson_doc *row = yyjson_read(b.p + i, end - i, 0);
            yyjson_val *x = yyjson_obj_get(yyjson_doc_get_root(row), "text");
            qn_ids ids = { 0 };
            assert_int_equal(qn_tokenizer_encode(t, (qn_str){ yyjson_get_str(x), yyjson_get_len(x) }, QN_TOKENS_FRAME, &ids, &e), QN_OK);
            qn_ids_put(&ids, -1);
            for (size_t j = 0; j < ids.n; j++) h = h * 1000003u + (uint64_t)(ids.p[j] + 2);
            qn_ids_free(&ids);
            yyjson_doc_free(row);
            i = end + 1;
        }
        snprintf(sum, sizeof sum, "%llu", (unsigned long long)h);
        if (strcmp(sum, yyjson_get_str(yyjson_obj_get(sums, shapes[k])))) fail_msg("%s: ids of the twelve languages differ", shapes[k]);
        qn_tokenizer_close(t);
    }
    qn_buf_free(&b);
    yyjson_doc_free(d);
}

/* ---- for tools/parity.py to load back ---- */
static void write_logits(qn_decoder *m, const int32_t *ids, const char *dir)
{
    qn_err e = { 0 };
    float *x = malloc(sizeof(float) * LEN * 64);
    char *file = qn_path_join(dir, "logits.safetensors");
    qn_array_out a = { "logits", LEN, 64, x };
    assert_int_equal(qn_decoder_logits(m, ids, LEN, x, &e), QN_OK);
    assert_int_equal(qn_safetensors_write(file, &a, 1, NULL, &e), QN_OK);
    qn_free(file);
    free(x);
}

static void write_decoder(const char *out, const char *name)
{
    model k = open_model(name);
    qn_err e = { 0 };
    char lora[64];
    curve none = { array(k.s, "losses", NULL), 0 };
    qn_fit_options o = options(10, 1e-3, &none);
    rows_of(&k);
    char *dir = qn_path_join(out, name);
    snprintf(lora, sizeof lora, "%s_lora", name);
    char *dir2 = qn_path_join(out, lora);
    assert_int_equal(qn_decoder_train(k.m, QN_TRAIN_LM, &o, 0, k.rows, ROWS, NULL, &e), QN_OK);
    assert_int_equal(qn_decoder_save(k.m, dir, &e), QN_OK);
    write_logits(k.m, k.ids, dir);
    assert_int_equal(qn_decoder_lora_add(k.m, 4, 8, NULL, 1, &e), QN_OK);
    assert_int_equal(qn_decoder_train(k.m, QN_TRAIN_LM, &o, 0, k.rows, ROWS, NULL, &e), QN_OK);
    assert_int_equal(qn_decoder_lora_save(k.m, dir2, dir, &e), QN_OK);
    write_logits(k.m, k.ids, dir2);
    qn_free(dir);
    qn_free(dir2);
    free((void *)(uintptr_t)none.want);
    close_model(&k);
}

static void write_tokenizer(const char *out)
{
    qn_err e = { 0 };
    yyjson_doc *d = read_json(DATA "tokens.json");
    yyjson_val *texts = yyjson_obj_get(yyjson_doc_get_root(d), "texts");
    size_t n = yyjson_arr_size(texts);
    qn_str *s = calloc(n, sizeof *s);
    for (size_t i = 0; i < n; i++) s[i] = (qn_str){ yyjson_get_str(yyjson_arr_get(texts, i)), yyjson_get_len(yyjson_arr_get(texts, i)) };
    static const char *const special[] = { "<|endoftext|>", "<|im_start|>", "<|im_end|>" };
    qn_bpe_options o = { .size = 420, .split = QN_SPLIT_LLAMA3, .special = special, .n_special = 3 };
    qn_tokenizer *t;
    qn_buf b = { 0 };
    assert_int_equal(qn_tokenizer_train(&t, s, n, &o, &e), QN_OK);
    char *dir = qn_path_join(out, "trained"), *file = qn_path_join(dir, "ids.json");
    assert_int_equal(qn_tokenizer_save(t, dir, &e), QN_OK);
    for (size_t i = 0; i < n; i++) {
        qn_ids ids = { 0 };
        assert_int_equal(qn_tokenizer_encode(t, s[i], 0, &ids, &e), QN_OK);
        qn_buf_puts(&b, i ? ", [" : "[[");
        for (size_t j = 0; j < ids.n; j++) qn_buf_printf(&b, "%s%d", j ? ", " : "", ids.p[j]);
        qn_buf_puts(&b, "]");
        qn_ids_free(&ids);
    }
    qn_buf_puts(&b, "]");
    assert_int_equal(qn_file_write(file, qn_buf_view(&b), &e), QN_OK);
    qn_buf_free(&b);
    qn_tokenizer_close(t);
    qn_free(dir);
    qn_free(file);
    free(s);
    yyjson_doc_free(d);
}

static void models_are_written_for_others_to_load(void **state)
{
    (void)state;
    const char *out = getenv("QN_PARITY_OUT");
    if (!out) { print_message("skipped: only `make parity` sets QN_PARITY_OUT\n"); skip(); }
    for (int i = 0; i < 2; i++) write_decoder(out, decoders[i]);
    write_tokenizer(out);
    qn_err e = { 0 };
    qn_encoder *m;
    char *dir = qn_path_join(out, "bert");
    assert_int_equal(qn_encoder_open(&m, at("bert", ""), &e), QN_OK);
    assert_int_equal(qn_encoder_save(m, dir, &e), QN_OK);
    qn_encoder_close(m);
    qn_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_are_those_of_transformers_within_1e_4),
        cmocka_unit_test(fifty_greedy_tokens_are_those_of_transformers),
        cmocka_unit_test(the_loss_of_100_steps_is_that_of_pytorch_within_1e_3),
        cmocka_unit_test(the_loss_in_bf16_stays_near_pytorchs_in_f32),
        cmocka_unit_test(the_loss_of_weighted_dpo_is_that_of_pytorch_within_1e_3),
        cmocka_unit_test(embeddings_and_the_ranking_loss_are_those_of_transformers),
        cmocka_unit_test(token_ids_are_those_of_tokenizers),
        cmocka_unit_test(token_ids_of_twelve_languages_are_those_of_tokenizers),
        cmocka_unit_test(models_are_written_for_others_to_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
