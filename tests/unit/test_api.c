/* The public API as its users see it: compiled with -Iinclude alone, linked with libquern.a. */
#define _DEFAULT_SOURCE
#include <quern.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char dir[64];

static const char *in_dir(const char *name)
{
    static char path[4][128];
    static int at;
    at = (at + 1) % 4;
    snprintf(path[at], sizeof path[at], "%s/%s", dir, name);
    return path[at];
}

static void put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static char *get_file(const char *path)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "r");
    if (!f) return NULL;
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

/* Rows as they come back, one line each. */
typedef struct { char accepted[4096], rest[4096]; int n, n_progress, stop_after; quern *q; } seen;

static void on_row(void *arg, const quern_row *r)
{
    seen *s = arg;
    assert_int_equal(strlen(r->json), r->n_bytes);
    assert_int_equal(strlen(r->id), 32);
    if (r->verdict == QUERN_ACCEPTED) {
        assert_string_equal(r->reason, "");
        strcat(strcat(s->accepted, r->json), "\n");
    } else {
        sprintf(s->rest + strlen(s->rest), "%s %s: %s\n", r->verdict == QUERN_FAILED ? "failed" : "rejected", r->step, r->reason);
    }
    if (++s->n == s->stop_after) quern_stop(s->q);
}

static void on_progress(void *arg, const quern_progress *p)
{
    seen *s = arg;
    s->n_progress++;
    assert_true(p->seconds >= 0 && p->resting == NULL);
}

static const char ROWS[] = "{\"n\": 1, \"t\": \"one\"}\n{\"n\":2,\"t\":\"two\"}\n{\"n\": 3, \"t\": \"three\"}\n";
static const char RECIPE[] = "quern: 1\nparams:\n  rows: {type: path}\n  least: {type: int, default: 2}\nsteps:\n  - read_rows: {path: $rows}\n"
                             "  - keep: {where: '.n >= $least'}\n  - template: {as: said, text: 'It says {{ .t }}.'}\n";

static void a_recipe_runs_into_a_folder_and_tells_each_row(void **state)
{
    (void)state;
    seen s = {0};
    put_file(in_dir("rows.jsonl"), ROWS);
    quern *q = quern_open_text(RECIPE, "mine.yaml");
    assert_int_equal(quern_set(q, "rows", in_dir("rows.jsonl")), QUERN_DONE);
    quern_on_row(q, on_row, &s);
    quern_on_progress(q, on_progress, &s);
    if (quern_check(q) != QUERN_DONE) fail_msg("%s", quern_error_text(q));
    assert_int_equal(s.n, 0);
    if (quern_run(q, in_dir("out")) != QUERN_DONE) fail_msg("%s", quern_error_text(q));
    assert_string_equal(s.accepted, "{\"n\":2,\"t\":\"two\",\"said\":\"It says two.\"}\n{\"n\":3,\"t\":\"three\",\"said\":\"It says three.\"}\n");
    assert_string_equal(get_file(in_dir("out/data.jsonl")), s.accepted);
    assert_string_equal(s.rest, "rejected keep: where\n");
    assert_true(s.n_progress >= 1);
    assert_non_null(strstr(quern_summary(q), "\"accepted\": 2"));
    assert_string_equal(get_file(in_dir("out/summary.json")), quern_summary(q));
    quern_set(q, "least", "3");             /* the last one wins; the same handle runs again */
    memset(&s, 0, sizeof s);
    assert_int_equal(quern_run(q, in_dir("out2")), QUERN_DONE);
    assert_int_equal(s.n, 3);
    assert_non_null(strstr(s.accepted, "three"));
    assert_null(strstr(s.accepted, "two"));
    quern_close(q);
}

static void mistakes_are_found_before_anything_is_done(void **state)
{
    (void)state;
    struct { const char *recipe, *param, *value, *says, *hint; int line, column; } cases[] = {
        { "quern: 1\nsteps:\n  - read_rows: {path: $rows}\n", "rows", "x", "no parameter `rows`", "", 0, 0 },
        { "quern: 1\nsteps:\n  - raed_rows: {path: x}\n", NULL, NULL, "no operator is called `raed_rows`", "read_rows", 3, 5 },
        { RECIPE, NULL, NULL, "the recipe needs `rows`", "rows=VALUE", 0, 0 },
        { RECIPE, "rosw", "x", "no parameter `rosw`", "did you mean `rows`?", 0, 0 },
        { RECIPE, "rows", "/nowhere/at/all", "there is no file or folder /nowhere/at/all", "", 6, 5 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        quern *q = quern_open_text(cases[i].recipe, "mine.yaml");
        if (cases[i].param) quern_set(q, cases[i].param, cases[i].value);
        assert_int_equal(quern_run(q, in_dir("nothing")), QUERN_MISTAKE);
        quern_error e = quern_error_of(q);
        assert_int_equal(e.status, QUERN_MISTAKE);
        if (!strstr(e.message, cases[i].says) || !strstr(e.hint, cases[i].hint)) fail_msg("case %zu: %s", i, quern_error_text(q));
        if (cases[i].line) {
            assert_string_equal(e.file, "mine.yaml");
            assert_int_equal(e.line, cases[i].line);
            assert_int_equal(e.column, cases[i].column);
        }
        assert_null(get_file(in_dir("nothing/run.log")));
        assert_string_equal(quern_summary(q), "{}");
        quern_close(q);
    }
    quern *q = quern_open("tabel_qa");
    assert_int_equal(quern_check(q), QUERN_MISTAKE);
    assert_non_null(strstr(quern_error_text(q), "did you mean `table_qa`?"));
    assert_int_equal(quern_option(q, "sede", "1"), QUERN_MISTAKE);
    assert_non_null(strstr(quern_error_text(q), "did you mean `seed`?"));
    assert_int_equal(quern_option(q, "seed", "many"), QUERN_MISTAKE);
    assert_non_null(strstr(quern_error_text(q), "a whole number is needed"));
    assert_int_equal(quern_option(q, "seed", "7"), QUERN_DONE);
    assert_string_equal(quern_error_text(q), "");
    quern_close(q);
}

static void an_operator_works_on_rows_in_memory(void **state)
{
    (void)state;
    seen s = {0};
    quern *q = quern_open_op("keep");
    quern_set(q, "where", ".n > 1");
    quern_on_row(q, on_row, &s);
    if (quern_apply(q, ROWS, strlen(ROWS)) != QUERN_DONE) fail_msg("%s", quern_error_text(q));
    assert_string_equal(s.accepted, "{\"n\":2,\"t\":\"two\"}\n{\"n\": 3, \"t\": \"three\"}\n");       /* byte for byte */
    assert_non_null(strstr(quern_summary(q), "\"rejected\": 1"));
    quern_set(q, "where", ".m > 1");
    assert_int_equal(quern_apply(q, ROWS, strlen(ROWS)), QUERN_MISTAKE);
    assert_non_null(strstr(quern_error_text(q), "`m`"));
    quern_set(q, "where", ".n > 9");
    memset(&s, 0, sizeof s);
    assert_int_equal(quern_apply(q, ROWS, strlen(ROWS)), QUERN_DONE);           /* a filter may reject all */
    assert_int_equal(s.n, 3);
    quern_close(q);

    q = quern_open_op("template");
    quern_set(q, "as", "x");
    quern_set(q, "text", "{{ .t }}!");
    quern_on_row(q, on_row, &s);
    memset(&s, 0, sizeof s);
    static const char broken[] = "{\"t\":\"a\"}\n{oh dear\n";
    assert_int_equal(quern_apply(q, broken, strlen(broken)), QUERN_LACKING);
    assert_string_equal(s.accepted, "{\"t\":\"a\",\"x\":\"a!\"}\n");
    assert_non_null(strstr(s.rest, "failed read_rows: rows:2"));
    assert_null(strstr(s.rest, "/proc"));
    assert_non_null(strstr(quern_error_text(q), "1 of 2 rows failed"));
    quern_close(q);

    q = quern_open_op("chonk");
    assert_int_equal(quern_apply(q, ROWS, strlen(ROWS)), QUERN_MISTAKE);
    assert_non_null(strstr(quern_error_text(q), "did you mean `chunk`?"));
    quern_close(q);
}

static void a_stop_leaves_a_run_that_can_go_on(void **state)
{
    (void)state;
    put_file(in_dir("rows.jsonl"), "");
    FILE *f = fopen(in_dir("many.jsonl"), "w");
    for (int i = 0; i < 50000; i++) fprintf(f, "{\"n\": %d, \"t\": \"row\"}\n", i);
    fclose(f);
    quern *q = quern_open_text(RECIPE, "mine.yaml");
    seen *s = calloc(1, sizeof *s);
    s->q = q;
    s->stop_after = 1;
    quern_set(q, "rows", in_dir("many.jsonl"));
    quern_on_progress(q, on_progress, s);
    quern_option(q, "workers", "1");
    quern_stop(q);
    assert_int_equal(quern_run(q, in_dir("stopped")), QUERN_INTERRUPTED);
    assert_non_null(strstr(quern_error_text(q), "interrupted"));
    assert_int_equal(quern_run(q, in_dir("stopped")), QUERN_DONE);
    assert_non_null(strstr(quern_summary(q), "\"in\": 50000"));
    quern_close(q);
    free(s);
}

/* Of a callback: what every other call comes to while a run is under way. */
typedef struct { quern *runs, *other, *op; int n; } meanwhile;

static void on_row_meanwhile(void *arg, const quern_row *r)
{
    meanwhile *m = arg;
    (void)r;
    m->n++;
    quern *all[] = { m->other, m->runs };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_int_equal(quern_check(all[i]), QUERN_MISTAKE);
        assert_non_null(strstr(quern_error_text(all[i]), "another run is under way"));
        assert_int_equal(quern_run(all[i], in_dir("meanwhile")), QUERN_MISTAKE);
    }
    assert_int_equal(quern_apply(m->op, "{\"n\":1}\n", 8), QUERN_MISTAKE);
    assert_null(get_file(in_dir("meanwhile/summary.json")));
}

static void one_run_at_a_time_and_others_are_told_at_once(void **state)
{
    (void)state;
    static const char text[] = "quern: 1\nsteps:\n  - make_rows: {n: 3, as: n}\n  - write: {to: data.jsonl}\n";
    meanwhile m = { quern_open_text(text, "one"), quern_open_text(text, "two"), quern_open_op("keep"), 0 };
    quern_set(m.op, "where", ".n > 0");
    quern_on_row(m.runs, on_row_meanwhile, &m);
    assert_int_equal(quern_run(m.runs, in_dir("first")), QUERN_DONE);
    assert_int_equal(m.n, 3);
    assert_string_equal(quern_error_text(m.runs), "");
    assert_non_null(strstr(quern_summary(m.runs), "\"accepted\": 3"));
    assert_int_equal(quern_check(m.other), QUERN_DONE);         /* and afterwards they work */
    assert_int_equal(quern_run(m.other, in_dir("second")), QUERN_DONE);
    assert_int_equal(quern_apply(m.op, "{\"n\":1}\n", 8), QUERN_DONE);
    quern_close(m.runs);
    quern_close(m.other);
    quern_close(m.op);
}

static void commands_of_a_recipe_are_run_only_when_allowed(void **state)
{
    (void)state;
    put_file(in_dir("rows.jsonl"), ROWS);
    quern *q = quern_open_text("quern: 1\nparams: {rows: {type: path}}\nsteps:\n  - read_rows: {path: $rows}\n  - pipe: {run: cat, writes: 'x: int?'}\n", "mine.yaml");
    quern_set(q, "rows", in_dir("rows.jsonl"));
    assert_int_equal(quern_run(q, in_dir("piped")), QUERN_MISTAKE);
    assert_non_null(strstr(quern_error_text(q), "the step pipe runs: cat"));
    quern_option(q, "yes", "yes");
    if (quern_run(q, in_dir("piped")) != QUERN_DONE) fail_msg("%s", quern_error_text(q));
    quern_close(q);
}

static void documents_are_read_by_the_program(void **state)
{
    (void)state;
    put_file(in_dir("page.html"), "<html><body><h1>Mills</h1><p>A mill grinds grain.</p></body></html>");
    seen s = {0};
    quern *q = quern_open_op("read_docs");
    const char *program = getenv("QUERN");
    quern_option(q, "program", program ? program : "build/quern");
    quern_set(q, "path", in_dir("page.html"));
    quern_on_row(q, on_row, &s);
    if (quern_apply(q, NULL, 0) != QUERN_DONE) fail_msg("%s", quern_error_text(q));
    assert_non_null(strstr(s.accepted, "A mill grinds grain."));
    assert_null(strstr(s.accepted, "_blocks"));
    quern_close(q);
}

static void what_there_is_comes_as_json(void **state)
{
    (void)state;
    char *ops = quern_ops_json(), *recipes = quern_recipes_json();
    assert_non_null(strstr(ops, "\"name\":\"dedup_minhash\""));
    assert_null(strstr(ops, "hand_over"));
    assert_non_null(strstr(recipes, "\"name\":\"table_qa\""));
    quern_free(ops);
    quern_free(recipes);
    assert_string_equal(quern_version(), QUERN_VERSION);
}

int main(void)
{
    snprintf(dir, sizeof dir, "/tmp/quern-api-XXXXXX");
    if (!mkdtemp(dir)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recipe_runs_into_a_folder_and_tells_each_row),
        cmocka_unit_test(mistakes_are_found_before_anything_is_done),
        cmocka_unit_test(an_operator_works_on_rows_in_memory),
        cmocka_unit_test(a_stop_leaves_a_run_that_can_go_on),
        cmocka_unit_test(one_run_at_a_time_and_others_are_told_at_once),
        cmocka_unit_test(commands_of_a_recipe_are_run_only_when_allowed),
        cmocka_unit_test(documents_are_read_by_the_program),
        cmocka_unit_test(what_there_is_comes_as_json),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char cmd[100];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd) != 0 ? 1 : failed;
}
