/* bench_expr: how fast expressions run on one row, one core, with the answer checked first. One JSON line for each expression. */
#include "recipe/expr.h"
#include <stdio.h>
#include <time.h>

static const struct { const char *expr, *gives; } WORK[] = {
    { ".question | length > 10", "true" }, { ".question", "\"How far is the moon from the earth, on average?\"" },
    { "(.n // 0) > 5 and (.question | startswith(\"How\"))", "true" }, { ".tags | map(ascii_upcase) | join(\", \")", "\"SPACE, MOON\"" },
    { "{q: .answer, n: (.n + 1)}", "{\"q\":\"384400 km\",\"n\":8}" }, { ".question | test(\"moon|mars\")", "true" }, { ".question | test(\"[a-z]+ly\\\\b\")", "false" },
    { "\"\\(.answer) (\\(.n))\"", "\"384400 km (7)\"" } };

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(void)
{
    enum { ROUNDS = 1000000 };
    static const char ROW[] = "{\"id\":17,\"question\":\"How far is the moon from the earth, on average?\",\"answer\":\"384400 km\",\"tags\":[\"space\",\"moon\"],\"n\":7}";
    qn_arena a = {0}, scratch = {0};
    qn_row *row;
    qn_err e;
    if (qn_row_parse(qn_str_of(ROW), (qn_hash128){ 1, 2 }, &row, &e) != QN_OK) { fprintf(stderr, "%s\n", e.msg); return 1; }
    for (size_t i = 0; i < sizeof WORK / sizeof *WORK; i++) {
        qn_expr *x;
        qn_value v;
        qn_buf b = {0};
        if (qn_expr_compile(qn_str_of(WORK[i].expr), (qn_pos){0}, &a, &x, &e) != QN_OK || qn_expr_one(x, row, &scratch, &v, &e) != QN_OK) { fprintf(stderr, "%s\n", e.msg); return 1; }
        qn_json_write(&b, v);
        if (strcmp(b.p, WORK[i].gives)) { fprintf(stderr, "%s gave %s\n", WORK[i].expr, b.p); return 1; }
        double t0 = cpu_seconds();
        for (size_t k = 0; k < ROUNDS; k++) {
            if (qn_expr_one(x, row, &scratch, &v, &e) != QN_OK) return 1;
            qn_arena_reset(&scratch);
        }
        double s = cpu_seconds() - t0;
        qn_buf_clear(&b);
        qn_json_write_text(&b, qn_str_of(WORK[i].expr));
        printf("{\"what\":\"expression\",\"expr\":%s,\"rows\":%d,\"cpu_seconds\":%.4f,\"rows_per_cpu_s\":%.0f}\n", b.p, ROUNDS, s, ROUNDS / s);
        qn_buf_free(&b);
    }
    qn_row_drop(row);
    qn_arena_free(&a);
    qn_arena_free(&scratch);
    return 0;
}
