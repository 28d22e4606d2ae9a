/* What is learned from the user's rows: the n-gram model is a distribution and knows its own kind; the classifier separates what it has not seen. */
#include "core/file.h"
#include "core/mem.h"
#include "text/hashed_classifier.h"
#include "text/ngram_lm.h"
#include "text/words.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

static const char *const GOOD[] = { "the mill grinds the corn of the village", "the miller sells the flour of the mill", "the wheel of the mill turns in the river", "a miller grinds corn and sells flour" };

static qn_ngram_lm *model(int order)
{
    qn_ngram_lm *m = qn_ngram_lm_new(order);
    for (size_t i = 0; i < 4; i++) qn_ngram_lm_add(m, qn_str_of(GOOD[i]));
    qn_ngram_lm_finish(m);
    return m;
}

static void probabilities_sum_to_one(void **state)
{
    (void)state;
    static const char *const vocabulary[] = { "the", "mill", "grinds", "corn", "of", "village", "miller", "sells", "flour", "wheel", "turns", "in", "river", "a", "and", "", "neverseen" };
    static const char *const contexts[] = { "", "the", "the mill", "of the", "xyz", "grinds the xyz" };
    for (int order = 1; order <= 5; order++) {
        qn_ngram_lm *m = model(order);
        assert_int_equal(qn_ngram_lm_vocabulary(m), sizeof vocabulary / sizeof *vocabulary - 1);
        for (size_t c = 0; c < sizeof contexts / sizeof *contexts; c++) {
            double sum = 0;
            for (size_t i = 0; i < sizeof vocabulary / sizeof *vocabulary; i++) {
                bool unseen = strcmp(vocabulary[i], "neverseen") == 0;
                sum += qn_ngram_lm_word(m, qn_str_of(contexts[c]), qn_str_of(vocabulary[i])) * (unseen ? (double)qn_ngram_lm_unseen(m) : 1);
            }
            assert_float_equal(sum, 1, 1e-9);
        }
        qn_ngram_lm_free(m);
    }
}

static void known_order_of_words_is_likelier(void **state)
{
    (void)state;
    qn_ngram_lm *m = model(3);
    double known = qn_ngram_lm_ask(m, QN_STR("the miller grinds the corn")).perplexity, shuffled = qn_ngram_lm_ask(m, QN_STR("corn the grinds miller the")).perplexity;
    qn_perplexity strange = qn_ngram_lm_ask(m, QN_STR("quantum flux capacitor"));
    print_message("perplexity: known %.1f, shuffled %.1f, strange %.1f\n", known, shuffled, strange.perplexity);
    assert_true(known * 1.5 < shuffled && shuffled < strange.perplexity);
    assert_float_equal(strange.unknown, 1, 0);
    assert_true(isnan(qn_ngram_lm_ask(m, QN_STR(" ... ")).perplexity));
    qn_ngram_lm_free(m);
}

static void a_saved_model_answers_the_same_and_damage_is_refused(void **state)
{
    (void)state;
    qn_ngram_lm *m = model(3), *back = NULL;
    qn_buf bytes = {0};
    qn_err e;
    qn_ngram_lm_save(m, &bytes);
    assert_int_equal(qn_ngram_lm_load(qn_buf_view(&bytes), &back, &e), QN_OK);
    assert_float_equal(qn_ngram_lm_ask(m, QN_STR("the mill of the miller")).perplexity, qn_ngram_lm_ask(back, QN_STR("the mill of the miller")).perplexity, 0);
    qn_ngram_lm_free(back);
    for (size_t cut = 0; cut < bytes.n; cut += 1 + cut / 16) assert_int_equal(qn_ngram_lm_load((qn_str){ bytes.p, cut }, &back, &e), QN_EDATA);
    qn_buf_free(&bytes);
    qn_ngram_lm_free(m);
}

/* Texts of a JSONL file's field, at most `max`. */
static size_t read_texts(const char *path, const char *field, qn_str *out, size_t max)
{
    qn_buf file = {0};
    size_t n = 0;
    assert_int_equal(qn_file_read(path, 1 << 26, &file, NULL), QN_OK);
    for (char *at = file.p, *nl; n < max && (nl = strchr(at, '\n')); at = nl + 1) {
        yyjson_doc *d = yyjson_read(at, (size_t)(nl - at), 0);
        yyjson_val *v = yyjson_obj_get(yyjson_doc_get_root(d), field);
        out[n++] = (qn_str){ qn_memdup(yyjson_get_str(v), yyjson_get_len(v)), yyjson_get_len(v) };
        yyjson_doc_free(d);
    }
    qn_buf_free(&file);
    return n;
}

static void free_texts(qn_str *t, size_t n) { for (size_t i = 0; i < n; i++) qn_free((void *)(uintptr_t)t[i].p); }

static void real_questions_are_told_apart_on_held_out_rows(void **state)
{
    (void)state;
    static const char a[] = "../shared/data/gsm8k/train_1000.jsonl", b[] = "../shared/data/retrieval_scifact/queries.jsonl";
    qn_str t[600];
    bool good[600];
    if (!qn_file_exists(a) || !qn_file_exists(b)) { print_message("skipped: %s is not here\n", a); skip(); }
    size_t n_a = read_texts(a, "question", t, 300), n = n_a + read_texts(b, "text", t + n_a, 300);
    for (size_t i = 0; i < n; i++) good[i] = i < n_a;
    qn_classifier_scores s, shuffled;
    qn_err e;
    assert_int_equal(qn_hashed_classifier_validate(t, good, n, 5, 1, &s, &e), QN_OK);
    print_message("%zu rows, 5 folds: precision %.3f recall %.3f AUC %.4f\n", s.n, s.precision, s.recall, s.auc);
    assert_true(s.precision > 0.95 && s.recall > 0.95 && s.auc > 0.99);
    for (size_t i = 0; i < n; i++) good[i] = (i * 2654435761u >> 7) & 1;        /* labels that say nothing */
    assert_int_equal(qn_hashed_classifier_validate(t, good, n, 5, 1, &shuffled, &e), QN_OK);
    assert_true(shuffled.auc > 0.35 && shuffled.auc < 0.65);
    free_texts(t, n);
}

static void chosen_replies_are_hard_to_tell_and_the_figure_says_so(void **state)
{
    (void)state;
    static const char gz[] = "../shared/data/preference/hh_harmless_base_test_600.jsonl.gz";
    if (!qn_file_exists(gz)) { print_message("skipped: %s is not here\n", gz); skip(); }
    char command[200];
    snprintf(command, sizeof command, "gzip -dc %s", gz);
    FILE *f = popen(command, "r");
    static qn_str t[1200];
    static bool good[1200];
    char *line = NULL;
    size_t cap = 0, n = 0;
    for (ssize_t k; n + 1 < 1200 && (k = getline(&line, &cap, f)) > 0;) {
        yyjson_doc *d = yyjson_read(line, (size_t)k, 0);
        for (int i = 0; i < 2; i++) {
            const char *z = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(d), i ? "rejected" : "chosen")), *last = z;
            for (const char *p = z; (p = strstr(p, "Assistant:")); p++) last = p;
            t[n] = (qn_str){ qn_memdup(last, strlen(last) + 1), strlen(last) };
            good[n++] = i == 0;
        }
        yyjson_doc_free(d);
    }
    free(line);
    pclose(f);
    qn_classifier_scores s;
    qn_err e;
    assert_int_equal(qn_hashed_classifier_validate(t, good, n, 5, 1, &s, &e), QN_OK);
    print_message("%zu last replies, chosen or rejected: accuracy %.3f AUC %.3f\n", s.n, s.accuracy, s.auc);
    assert_true(s.auc > 0.4 && s.auc < 0.9);
    free_texts(t, n);
}

static void one_kind_alone_is_refused(void **state)
{
    (void)state;
    qn_str t[2] = { QN_STR("a"), QN_STR("b") };
    bool good[2] = { true, true };
    qn_hashed_classifier *c = NULL;
    qn_err e;
    assert_int_equal(qn_hashed_classifier_train(t, good, 2, 1, &c, &e), QN_EDATA);
    assert_null(c);
}

static void scores_by_hand(void **state)
{
    (void)state;
    static const double p[] = { 0.9, 0.8, 0.6, 0.4, 0.2, 0.2 };
    static const bool good[] = { true, false, true, true, false, false };
    qn_classifier_scores s;
    qn_classifier_score(p, good, 6, &s);
    assert_float_equal(s.precision, 2.0 / 3, 1e-12);
    assert_float_equal(s.recall, 2.0 / 3, 1e-12);
    assert_float_equal(s.auc, 7.0 / 9, 1e-12);      /* of nine pairs, (0.6, 0.8) and (0.4, 0.8) are the wrong way round */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_sum_to_one),
        cmocka_unit_test(known_order_of_words_is_likelier),
        cmocka_unit_test(a_saved_model_answers_the_same_and_damage_is_refused),
        cmocka_unit_test(real_questions_are_told_apart_on_held_out_rows),
        cmocka_unit_test(chosen_replies_are_hard_to_tell_and_the_figure_says_so),
        cmocka_unit_test(one_kind_alone_is_refused),
        cmocka_unit_test(scores_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
