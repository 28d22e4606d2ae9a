/* test_chunk: sizes, places, what is never cut. */
#include "io_test.h"
#include "text/chunk.h"

typedef struct { qn_chunk *c; size_t n; qn_arena a; } cut;

static cut chunk(const char *text, qn_chunk_opts o)
{
    cut k = {0};
    k.n = qn_chunk_text(qn_str_of(text), NULL, 0, &o, &k.a, &k.c);
    return k;
}

static void is(const char *text, const qn_chunk *c, const char *expect)
{
    assert_int_equal(c->end - c->start, strlen(expect));
    assert_memory_equal(text + c->start, expect, strlen(expect));
}

static const char DOC[] =
    "# Guide\n\nMills grind grain. Wind turns the sails.\n\n## Setup\n\n```sh\nmake\n\nmake demo\n```\n\n"
    "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |\n\n- first item\n- second item\n  goes on\n- third\n\n> quoted words\n\nThe end.";

static void blocks_of_markdown_are_found(void **s)
{
    (void)s;
    qn_arena a = {0};
    qn_block *b;
    static const qn_block_kind want[] = { QN_BLOCK_HEADING, QN_BLOCK_PARA, QN_BLOCK_HEADING, QN_BLOCK_CODE, QN_BLOCK_TABLE, QN_BLOCK_LIST, QN_BLOCK_QUOTE, QN_BLOCK_PARA };
    size_t n = qn_blocks_find(qn_str_of(DOC), &a, &b);
    assert_int_equal(n, 8);
    for (size_t i = 0; i < n; i++) assert_int_equal(b[i].kind, want[i]);
    assert_int_equal(b[2].level, 2);
    qn_arena_free(&a);
}

static void a_section_is_a_piece(void **s)
{
    (void)s;
    cut k = chunk(DOC, (qn_chunk_opts){ .by = QN_CHUNK_HEADING, .min_tokens = 1, .max_tokens = 200 });
    assert_int_equal(k.n, 2);
    is(DOC, &k.c[0], "# Guide\n\nMills grind grain. Wind turns the sails.");
    assert_string_equal(k.c[0].heading.p, "Guide");
    assert_string_equal(k.c[1].heading.p, "Guide > Setup");
    qn_arena_free(&k.a);
}

static void tables_and_code_are_never_cut(void **s)
{
    (void)s;
    for (size_t max = 1; max < 60; max++)
        for (int by = 0; by < 3; by++) {
            cut k = chunk(DOC, (qn_chunk_opts){ .by = (qn_chunk_by)by, .min_tokens = 1 + max / 2, .max_tokens = max, .overlap_tokens = max / 3 });
            const char *code = strstr(DOC, "```sh"), *code_end = strstr(DOC, "```\n\n|") + 3, *table = strstr(DOC, "| a"), *table_end = strstr(DOC, "| 4 |") + 5;
            for (size_t i = 0; i < k.n; i++) {
                const char *edge[2] = { DOC + k.c[i].start, DOC + k.c[i].end };
                for (int j = 0; j < 2; j++) {
                    assert_false(edge[j] > code && edge[j] < code_end);
                    assert_false(edge[j] > table && edge[j] < table_end);
                }
            }
            qn_arena_free(&k.a);
        }
}

static void every_word_is_in_a_piece_and_pieces_are_in_order(void **s)
{
    (void)s;
    for (size_t max = 1; max < 60; max++) {
        cut k = chunk(DOC, (qn_chunk_opts){ .by = QN_CHUNK_SENTENCE, .min_tokens = 1, .max_tokens = max });
        size_t at = 0;
        for (size_t i = 0; i < k.n; i++) {
            for (; at < k.c[i].start; at++) assert_true(strchr(" \n", DOC[at]) != NULL);
            assert_int_equal(at, k.c[i].start);
            assert_true(k.c[i].end > at);
            at = k.c[i].end;
        }
        assert_int_equal(at, sizeof DOC - 1);
        qn_arena_free(&k.a);
    }
}

static char *prose(int n_paras)
{
    qn_buf b = {0};
    for (int i = 0; i < n_paras; i++) {
        if (i % 7 == 0) qn_buf_printf(&b, "## Part %d\n\n", i / 7);
        for (int k = 0; k < 2 + i % 5; k++) qn_buf_printf(&b, "Sentence %d of paragraph %d tells of mills and grain. ", k, i);
        qn_buf_puts(&b, "\n\n");
    }
    return b.p;
}

static void sizes_stay_within_their_bounds(void **s)
{
    (void)s;
    char *text = prose(200);
    for (int by = 0; by < 3; by++) {
        cut k = chunk(text, (qn_chunk_opts){ .by = (qn_chunk_by)by, .min_tokens = 60, .max_tokens = 120 });
        assert_true(k.n > 50);
        for (size_t i = 0; i < k.n; i++) {
            assert_in_range(k.c[i].n_tokens, 59, 120);
            assert_true(strncmp(text + k.c[i].end - 2, "## ", 3) != 0);
        }
        qn_arena_free(&k.a);
    }
    qn_free(text);
}

static void drawn_sizes_differ_and_are_the_same_for_the_same_seed(void **s)
{
    (void)s;
    char *text = prose(300);
    size_t n[2], least = 1000, most = 0;
    for (int turn = 0; turn < 2; turn++) {
        qn_rng rng = qn_rng_seed(7);
        cut k = chunk(text, (qn_chunk_opts){ .by = QN_CHUNK_SENTENCE, .min_tokens = 30, .max_tokens = 300, .draw = &rng });
        n[turn] = k.n;
        for (size_t i = 0; i + 1 < k.n; i++) {
            if (k.c[i].n_tokens < least) least = k.c[i].n_tokens;
            if (k.c[i].n_tokens > most) most = k.c[i].n_tokens;
        }
        qn_arena_free(&k.a);
    }
    assert_int_equal(n[0], n[1]);
    assert_true(least < 80 && most > 200);
    qn_free(text);
}

static void an_overlap_repeats_whole_sentences(void **s)
{
    (void)s;
    char *text = prose(40);
    cut k = chunk(text, (qn_chunk_opts){ .by = QN_CHUNK_SENTENCE, .min_tokens = 40, .max_tokens = 100, .overlap_tokens = 30 });
    size_t n_over = 0;
    for (size_t i = 1; i < k.n; i++) {
        assert_true(k.c[i].start > k.c[i - 1].start && k.c[i].end > k.c[i - 1].end);
        if (k.c[i].start < k.c[i - 1].end) {
            n_over++;
            assert_true(strncmp(text + k.c[i].start, "Sentence", 8) == 0);
            assert_true(qn_tokens_about((qn_str){ text + k.c[i].start, k.c[i - 1].end - k.c[i].start }) <= 32);
        }
    }
    assert_true(n_over > k.n / 2);
    qn_arena_free(&k.a);
    qn_free(text);
}

static void one_endless_word_is_cut_between_characters(void **s)
{
    (void)s;
    qn_buf b = {0};
    for (int i = 0; i < 5000; i++) qn_buf_puts(&b, "ä");
    cut k = chunk(b.p, (qn_chunk_opts){ .by = QN_CHUNK_PARAGRAPH, .min_tokens = 10, .max_tokens = 50 });
    assert_true(k.n > 5);
    for (size_t i = 0; i < k.n; i++) {
        assert_true(qn_utf8_valid((qn_str){ b.p + k.c[i].start, k.c[i].end - k.c[i].start }));
        assert_true(k.c[i].n_tokens <= 51);
    }
    assert_int_equal(k.c[k.n - 1].end, b.n);
    qn_arena_free(&k.a);
    qn_buf_free(&b);
}

static void nothing_gives_nothing(void **s)
{
    (void)s;
    cut k = chunk(" \n\n ", (qn_chunk_opts){ .min_tokens = 1, .max_tokens = 5 });
    assert_int_equal(k.n, 0);
    qn_arena_free(&k.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_markdown_are_found), cmocka_unit_test(a_section_is_a_piece), cmocka_unit_test(tables_and_code_are_never_cut),
        cmocka_unit_test(every_word_is_in_a_piece_and_pieces_are_in_order), cmocka_unit_test(sizes_stay_within_their_bounds),
        cmocka_unit_test(drawn_sizes_differ_and_are_the_same_for_the_same_seed), cmocka_unit_test(an_overlap_repeats_whole_sentences),
        cmocka_unit_test(one_endless_word_is_cut_between_characters), cmocka_unit_test(nothing_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
