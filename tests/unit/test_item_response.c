/* The fit of item response against an exam whose figures are known, because it was drawn from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "core/mem.h"
#include "core/rng.h"
#include "text/item_response.h"

enum { ITEMS = 300, RETRIEVERS = 4, MODELS = 4, PARTS = RETRIEVERS + MODELS, ANSWERS = ITEMS * RETRIEVERS * MODELS };
static const double TRUE_ABILITY[PARTS] = { -1.5, 0, 0.5, 1.5, -1, -0.25, 0.5, 1 };

typedef struct { qn_irt_answer answers[ANSWERS]; uint32_t parts[2 * ANSWERS]; double a[ITEMS], b[ITEMS]; } drawn;

/* The first third of the questions is answered by luck alone. */
static void draw_exam(drawn *d, int options)
{
    qn_rng r = qn_rng_seed(7);
    size_t n = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        d->a[i] = i < ITEMS / 3 ? 0 : 1.5;
        d->b[i] = 4 * qn_rng_real(&r) - 2;
        for (uint32_t s = 0; s < RETRIEVERS; s++)
            for (uint32_t m = 0; m < MODELS; m++, n++) {
                double c = options ? 1.0 / options : 0, z = d->a[i] * (TRUE_ABILITY[s] + TRUE_ABILITY[RETRIEVERS + m] - d->b[i]);
                d->parts[2 * n] = s;
                d->parts[2 * n + 1] = RETRIEVERS + m;
                d->answers[n] = (qn_irt_answer){ i, (uint32_t)(2 * n), 2, qn_rng_real(&r) < c + (1 - c) / (1 + exp(-z)) };
            }
    }
}

static double correlation(const double *x, const double *y, size_t n)
{
    double mx = 0, my = 0, xy = 0, xx = 0, yy = 0;
    for (size_t i = 0; i < n; i++) { mx += x[i] / (double)n; my += y[i] / (double)n; }
    for (size_t i = 0; i < n; i++) { xy += (x[i] - mx) * (y[i] - my); xx += (x[i] - mx) * (x[i] - mx); yy += (y[i] - my) * (y[i] - my); }
    return xy / sqrt(xx * yy);
}

static void abilities_and_telling_questions_are_found_again(void **state)
{
    (void)state;
    static drawn d;
    static qn_irt_item items[ITEMS], again[ITEMS];
    for (int options = 0; options <= 4; options += 4) {
        double ability[PARTS], second[PARTS], difficulty[ITEMS], noise = 0, telling = 0;
        draw_exam(&d, options);
        qn_irt_exam x = { d.answers, ANSWERS, d.parts, ITEMS, PARTS, options };
        qn_irt_fit(&x, items, ability);
        assert_true(correlation(ability, TRUE_ABILITY, RETRIEVERS) > 0.95);
        assert_true(correlation(ability + RETRIEVERS, TRUE_ABILITY + RETRIEVERS, MODELS) > 0.95);
        for (int i = 0; i < ITEMS; i++) {
            difficulty[i] = items[i].difficulty;
            *(i < ITEMS / 3 ? &noise : &telling) += items[i].discrimination / (i < ITEMS / 3 ? ITEMS / 3 : ITEMS - ITEMS / 3);
            assert_true(items[i].discrimination > 0 && items[i].information >= 0);
        }
        assert_true(correlation(difficulty + ITEMS / 3, d.b + ITEMS / 3, ITEMS - ITEMS / 3) > 0.85);
        assert_true(noise < 0.75 * telling);
        qn_irt_fit(&x, again, second);
        assert_memory_equal(ability, second, sizeof ability);
    }
}

static void no_answers_give_the_priors(void **state)
{
    (void)state;
    qn_irt_item item;
    double ability;
    qn_irt_exam x = { .n_items = 1, .n_parts = 1, .options = 4 };
    qn_irt_fit(&x, &item, &ability);
    assert_float_equal(item.discrimination, 1, 1e-9);
    assert_float_equal(item.guess, 0.25, 1e-9);
    assert_float_equal(ability, 0, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(abilities_and_telling_questions_are_found_again),
        cmocka_unit_test(no_answers_give_the_priors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
