/* Contamination: exact, folded and n-gram overlap with blocks as difflib finds them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "core/mem.h"
#include "core/rng.h"
#include "text/overlap.h"

static size_t points(const char *s, uint32_t *out)
{
    size_t n = strlen(s);
    for (size_t i = 0; i < n; i++) out[i] = (unsigned char)s[i];
    return n;
}

static void blocks_are_those_of_difflib(void **state)
{
    (void)state;
    static const struct { const char *a, *b; size_t over_5, all; } cases[] = {
#include "block_values.inc"
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t a[1000], b[1000];
        size_t n_a = points(cases[i].a, a), n_b = points(cases[i].b, b);
        assert_int_equal(qn_matching_blocks(a, n_a, b, n_b, 5), cases[i].over_5);
        assert_int_equal(qn_matching_blocks(a, n_a, b, n_b, 0), cases[i].all);
    }
}

static const char *const REFS[] = {
    "What is the name of the mill that ground the grain of the whole valley in 1820?",
    "Who built it?",
    "Who built it?",
    "Which river turned the wheel of the old mill beside the village church, and how wide was it there?",
};

static qn_overlap *refs(int n, double over)
{
    qn_overlap *o = qn_overlap_new(n, over);
    for (size_t i = 0; i < 4; i++) qn_overlap_add(o, qn_str_of(REFS[i]));
    qn_overlap_seal(o);
    return o;
}

#define FINDS(o, text, k, i) do { qn_overlap_hit h_ = qn_overlap_find(o, qn_str_of(text)); \
    assert_int_equal(h_.kind, k); if (k) assert_int_equal(h_.index, i); } while (0)

static void equal_and_folded_texts_are_found_whatever_their_length(void **state)
{
    (void)state;
    qn_overlap *o = refs(10, 0.5);
    FINDS(o, "Who built it?", QN_OVERLAP_EXACT, 1);
    FINDS(o, "  Who built it?\n", QN_OVERLAP_EXACT, 1);
    FINDS(o, "who  BUILT it", QN_OVERLAP_NORMAL, 1);
    FINDS(o, "who built them", QN_OVERLAP_NONE, 0);
    FINDS(o, "", QN_OVERLAP_NONE, 0);
    FINDS(o, "?!", QN_OVERLAP_NONE, 0);
    qn_overlap_free(o);
}

static void a_reference_inside_a_long_text_is_found_with_its_share(void **state)
{
    (void)state;
    qn_overlap *o = refs(10, 0.5);
    qn_overlap_hit h = qn_overlap_find(o, QN_STR("Here is a quiz. Which river turned the wheel of the old mill beside the village church? "
                                                 "Answer at once, for the miller is waiting."));
    assert_int_equal(h.kind, QN_OVERLAP_BLOCKS);
    assert_int_equal(h.index, 3);
    assert_true(h.ratio > 0.7 && h.ratio < 1);
    FINDS(o, "Is it known which river turned the wheel at all?", QN_OVERLAP_NONE, 0);       /* 5 words in a row only */
    qn_overlap_free(o);
    o = refs(10, 0.95);
    FINDS(o, "Which river turned the wheel of the old mill beside the village church?", QN_OVERLAP_NONE, 0);
    qn_overlap_free(o);
    o = refs(10, 1.1);
    FINDS(o, "Hm. Which river turned the wheel of the old mill beside the village church, and how wide was it there?", QN_OVERLAP_NONE, 0);
    qn_overlap_free(o);
}

/* The n-gram filter never loses a reference that the plain search (every reference, every n-gram) finds. */
static void the_filter_loses_nothing(void **state)
{
    (void)state;
    qn_rng r = qn_rng_seed(8);
    char texts[60][400];
    qn_overlap *o = qn_overlap_new(5, 0);
    for (int i = 0; i < 60; i++) {
        texts[i][0] = 0;
        for (int k = 0; k < 30; k++) {
            char w[8] = { (char)('a' + qn_rng_below(&r, 3)), (char)('a' + qn_rng_below(&r, 2)), ' ', 0 };
            strcat(texts[i], w);
        }
        if (i >= 30) qn_overlap_add(o, qn_str_of(texts[i]));
    }
    qn_overlap_seal(o);
    size_t hits = 0;
    for (int i = 0; i < 30; i++) {
        bool plain = false;
        for (int k = 30; k < 60 && !plain; k++)
            for (int w = 0; w + 5 <= 30 && !plain; w++) {
                char gram[16] = "";
                memcpy(gram, texts[i] + 3 * w, 14);
                for (const char *at = texts[k]; (at = strstr(at, gram)) && !plain; at++) plain = (at - texts[k]) % 3 == 0;
            }
        hits += plain;
        assert_int_equal(qn_overlap_find(o, qn_str_of(texts[i])).kind != QN_OVERLAP_NONE, plain);
    }
    assert_true(hits > 5 && hits < 30);
    qn_overlap_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_those_of_difflib),
        cmocka_unit_test(equal_and_folded_texts_are_found_whatever_their_length),
        cmocka_unit_test(a_reference_inside_a_long_text_is_found_with_its_share),
        cmocka_unit_test(the_filter_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
