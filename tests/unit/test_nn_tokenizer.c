/* Tokenizers: what must hold for any text; equality with others is test_nn_parity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/mem.h"
#include "core/rng.h"
#include "nn/tokenizer_net.h"
#include <stdlib.h>

static const char *const special[] = { "<|end|>", "<|end|>x" };
static const char *const TEXTS[] = { "the mill grinds the grain and the miller fills the sack", "the miller's mill: 12 sacks, 345 more",
                                     "ab ab abab ababab abababab", "gr\xc3\xbc\xc3\x9f""e aus der M\xc3\xbchle, gr\xc3\xbc\xc3\x9f""e", "\xe7\xa3\xa8\xe5\x9d\x8a \xe7\xa3\xa8\xe5\x9d\x8a" };

static qn_tokenizer *trained(qn_split split, int size)
{
    qn_tokenizer *t;
    qn_err e = { 0 };
    qn_str texts[5];
    for (int i = 0; i < 5; i++) texts[i] = qn_str_of(TEXTS[i]);
    qn_bpe_options o = { .size = size, .split = split, .special = special, .n_special = 2 };
    if (qn_tokenizer_train(&t, texts, 5, &o, &e)) fail_msg("%s", e.msg);
    return t;
}

static void encode(qn_tokenizer *t, qn_str s, int flags, qn_ids *out)
{
    qn_err e = { 0 };
    out->n = 0;
    if (qn_tokenizer_encode(t, s, flags, out, &e)) fail_msg("%s", e.msg);
}

static void any_bytes_come_back_as_they_were(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(1);
    static const char *const parts[] = { "the", " mill", "  ", "\n", "\r\n", "12345", "'S", "\xc3\xbc", "\xe7\xa3\xa8", "\xff", "\xc3", "<|end|>", "...", "ab", "\t", "" };
    for (int split = QN_SPLIT_NONE; split <= QN_SPLIT_QWEN2; split++) {
        qn_tokenizer *t = trained((qn_split)split, 330);
        qn_ids ids = { 0 };
        for (int k = 0; k < 400; k++) {
            qn_buf in = { 0 }, out = { 0 };
            qn_buf_puts(&in, "");
            for (uint64_t n = qn_rng_below(&r, 30); n > 0; n--) qn_buf_puts(&in, parts[qn_rng_below(&r, 15)]);
            encode(t, qn_buf_view(&in), k % 2 ? QN_TOKENS_PLAIN : 0, &ids);
            qn_tokenizer_decode(t, ids.p, ids.n, true, &out);
            assert_int_equal(in.n, out.n);
            if (in.n) assert_memory_equal(in.p, out.p, in.n);
            qn_buf_free(&in);
            qn_buf_free(&out);
        }
        qn_ids_free(&ids);
        qn_tokenizer_close(t);
    }
}

/* The textbook: of all neighbours the pair of lowest rank, leftmost first, until none merges. */
static size_t reference(const qn_tables *q, qn_str w, int32_t *ids)
{
    size_t n = w.n;
    for (size_t i = 0; i < n; i++) ids[i] = q->byte_id[(uint8_t)w.p[i]];
    for (;;) {
        const qn_merge *best = NULL;
        size_t at = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            const qn_merge *m = qn_merges_get(&q->merges, ids[i], ids[i + 1]);
            if (m && (!best || m->rank < best->rank)) { best = m; at = i; }
        }
        if (!best) return n;
        ids[at] = best->into;
        memmove(ids + at + 1, ids + at + 2, (n - at - 2) * sizeof *ids);
        n--;
    }
}

static void words_of_any_length_merge_as_the_textbook_says(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(2);
    qn_tokenizer *t = trained(QN_SPLIT_NONE, 330);
    qn_ids ids = { 0 };
    for (int k = 0; k < 500; k++) {
        char w[200];
        int32_t want[200];
        size_t n = 1 + (size_t)qn_rng_below(&r, k % 2 ? 199 : 12);
        for (size_t i = 0; i < n; i++) w[i] = "abtheml "[qn_rng_below(&r, k % 3 ? 8 : 2)];
        for (int again = 0; again < 2; again++) {           /* the second time from the table of words met */
            ids.n = 0;
            qn_bpe_word(t, (qn_str){ w, n }, &ids);
            assert_int_equal(ids.n, reference(t->t, (qn_str){ w, n }, want));
            assert_memory_equal(ids.p, want, ids.n * sizeof(int32_t));
        }
    }
    qn_ids_free(&ids);
    qn_tokenizer_close(t);
}

static void a_megabyte_without_a_space_is_one_word_and_no_trap(void **state)
{
    (void)state;
    qn_tokenizer *t = trained(QN_SPLIT_LLAMA3, 330);
    char *w = malloc(1 << 20);
    memset(w, 'a', 1 << 20);
    for (int i = 1; i < 1 << 20; i += 2) w[i] = 'b';
    qn_ids ids = { 0 };
    encode(t, (qn_str){ w, 1 << 20 }, 0, &ids);
    assert_in_range(ids.n, 1, 1 << 19);
    qn_ids_free(&ids);
    free(w);
    qn_tokenizer_close(t);
}

static void the_most_frequent_pair_is_merged_first(void **state)
{
    (void)state;
    qn_err e = { 0 };
    qn_tokenizer *t;
    qn_str texts[] = { { "xyxyxy", 6 }, { "xyz", 3 }, { "zq", 2 } };
    qn_bpe_options o = { .size = 258, .split = QN_SPLIT_QWEN2 };
    assert_int_equal(qn_tokenizer_train(&t, texts, 3, &o, &e), QN_OK);
    assert_int_equal(qn_tokenizer_size(t), 258);
    assert_true(qn_str_is(qn_tokenizer_token(t, 256), "xy"));           /* 4 times; then xyxy, 2 times and ids above z q */
    assert_true(qn_str_is(qn_tokenizer_token(t, 257), "xyxy"));
    qn_tokenizer_close(t);
    o.size = 100;
    assert_int_equal(qn_tokenizer_train(&t, texts, 3, &o, &e), QN_ERECIPE);
}

static void a_trained_tokenizer_comes_back_from_its_json(void **state)
{
    (void)state;
    qn_err e = { 0 };
    for (int split = QN_SPLIT_GPT2; split <= QN_SPLIT_QWEN2; split++) {
        qn_tokenizer *t = trained((qn_split)split, 320), *k, *f;
        if (qn_tokenizer_parse(&k, qn_buf_view(&t->t->json), &e)) fail_msg("%s", e.msg);
        f = qn_tokenizer_fork(k);
        qn_ids a = { 0 }, b = { 0 }, c = { 0 };
        for (int i = 0; i < 5; i++) {
            encode(t, qn_str_of(TEXTS[i]), 0, &a);
            encode(k, qn_str_of(TEXTS[i]), 0, &b);
            encode(f, qn_str_of(TEXTS[i]), 0, &c);
            assert_int_equal(a.n, b.n);
            assert_int_equal(a.n, c.n);
            assert_memory_equal(a.p, b.p, a.n * sizeof(int32_t));
            assert_memory_equal(a.p, c.p, a.n * sizeof(int32_t));
        }
        assert_int_equal(qn_tokenizer_size(t), qn_tokenizer_size(k));
        qn_ids_free(&a); qn_ids_free(&b); qn_ids_free(&c);
        qn_tokenizer_close(f);
        qn_tokenizer_close(k);
        qn_tokenizer_close(t);
    }
}

static void added_tokens_are_seen_longest_first_and_not_in_plain_text(void **state)
{
    (void)state;
    qn_tokenizer *t = trained(QN_SPLIT_QWEN2, 300);
    qn_ids ids = { 0 };
    encode(t, QN_STR("<|end|>x<|end|>"), 0, &ids);
    assert_int_equal(ids.n, 2);
    assert_int_equal(ids.p[0], 1);
    assert_int_equal(ids.p[1], 0);
    encode(t, QN_STR("<|end|>"), QN_TOKENS_PLAIN, &ids);
    assert_true(ids.n > 1);
    for (size_t i = 0; i < ids.n; i++) assert_true(ids.p[i] > 1);
    assert_int_equal(qn_tokenizer_id(t, "<|end|>x"), 1);
    assert_int_equal(qn_tokenizer_id(t, "no such token"), -1);
    qn_ids_free(&ids);
    qn_tokenizer_close(t);
}

static void what_is_not_known_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{", "{}", "{\"model\":{\"type\":\"Unigram\"}}", "{\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"vocab\":{},\"merges\":[]},\"pre_tokenizer\":{\"type\":\"ByteLevel\"}}",
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]},\"pre_tokenizer\":{\"type\":\"ByteLevel\"}}",
        "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":-1}},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}}",
        "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{}},\"pre_tokenizer\":{\"type\":\"Metaspace\"}}",
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]},\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"x+\"},\"behavior\":\"Isolated\"}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        qn_tokenizer *t;
        qn_err e = { 0 };
        assert_int_equal(qn_tokenizer_parse(&t, qn_str_of(bad[i]), &e), QN_EDATA);
        assert_true(e.msg[0] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bytes_come_back_as_they_were),
        cmocka_unit_test(words_of_any_length_merge_as_the_textbook_says),
        cmocka_unit_test(a_megabyte_without_a_space_is_one_word_and_no_trap),
        cmocka_unit_test(the_most_frequent_pair_is_merged_first),
        cmocka_unit_test(a_trained_tokenizer_comes_back_from_its_json),
        cmocka_unit_test(added_tokens_are_seen_longest_first_and_not_in_plain_text),
        cmocka_unit_test(what_is_not_known_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
