/* Every operator's examples: what the help page shows is what happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "core/file.h"
#include "data/yaml.h"
#include "engine/engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[] = "/tmp/quern-examples-XXXXXX";

/* Rows in relaxed JSON, a line each, as a file of JSON lines. */
static void write_rows(const char *path, const char *relaxed)
{
    qn_buf out = {0};
    qn_err e = {0};
    qn_arena a = {0};
    for (const char *p = relaxed; p && *p;) {
        size_t n = strcspn(p, "\n");
        qn_ynode *node;
        if (qn_yaml_parse((qn_str){ p, n }, "example", 0, &a, &node, &e) != QN_OK) fail_msg("example is no relaxed JSON: %s", e.msg);
        qn_json_write(&out, qn_yaml_value(node, &a));
        qn_buf_putc(&out, '\n');
        p += n + (p[n] == '\n');
    }
    assert_int_equal(qn_file_write(path, qn_buf_view(&out), &e), QN_OK);
    qn_arena_free(&a);
    qn_buf_free(&out);
}

static qn_value rows_of(const char *path, qn_arena *a)
{
    qn_list_b l = { .a = a };
    qn_buf b = {0};
    qn_err e = {0};
    assert_int_equal(qn_file_read(path, 0, &b, &e), QN_OK);
    qn_str all = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    for (size_t i = 0; i < all.n;) {
        const char *nl = memchr(all.p + i, '\n', all.n - i);
        size_t end = nl ? (size_t)(nl - all.p) : all.n;
        qn_value v;
        if (qn_json_parse(qn_str_sub(all, i, end), a, &v, &e) != QN_OK) fail_msg("%s: %s", path, e.msg);
        qn_list_put(&l, v);
        i = end + 1;
    }
    return qn_list_end(&l);
}

static char *recipe_for(const qn_op *op, const qn_example *x)
{
    qn_buf b = {0};
    qn_buf_puts(&b, "quern: 1\nparams:\n  model: {type: model, default: builtin}\nsteps:\n");
    if (x->in) qn_buf_printf(&b, "  - read_rows: {path: %s/in.jsonl}\n", dir);
    qn_buf_printf(&b, "  - %s: {%s}\n  - write: {to: %s/out.jsonl}\n", op->name, x->params ? x->params : "", dir);
    return b.p;
}


static void check_out(const qn_op *op, const qn_example *x, const char *path)
{
    qn_arena a = {0};
    char want_path[256];
    snprintf(want_path, sizeof want_path, "%s/want.jsonl", dir);
    write_rows(want_path, x->out ? x->out : "");
    qn_value want = rows_of(want_path, &a), got = rows_of(path, &a);
    if (!qn_v_eq(want, got)) {
        qn_buf w = {0}, g = {0};
        qn_json_write(&w, want);
        qn_json_write(&g, got);
        fail_msg("%s {%s}: wanted %s, got %s", op->name, x->params ? x->params : "", w.p, g.p);
    }
    qn_arena_free(&a);
}

static void check_reason(const qn_op *op, const qn_example *x, const char *file, const char *want)
{
    char path[256];
    qn_arena a = {0};
    snprintf(path, sizeof path, "%s/%s", dir, file);
    qn_value rows = rows_of(path, &a), reason;
    if (rows.n == 0) fail_msg("%s {%s}: nothing in %s, wanted `%s`", op->name, x->params ? x->params : "", file, want);
    qn_v_get(qn_v_at(rows, rows.n - 1), QN_STR("_reason"), &reason);
    if (qn_str_find(qn_v_str(reason), qn_str_of(want)) < 0)
        fail_msg("%s {%s}: wanted `%s`, got `%.*s`", op->name, x->params ? x->params : "", want, QN_FMT(qn_v_str(reason)));
    qn_arena_free(&a);
}

static void run_example(const qn_op *op, const qn_example *x)
{
    static const char *const none[] = { NULL };
    qn_err e = {0};
    qn_plan *plan;
    qn_run_result r;
    qn_buf asked = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/in.jsonl", dir);
    if (x->in) write_rows(path, x->in);
    char *text = recipe_for(op, x);
    qn_models *models;
    assert_int_equal(qn_models_open(&models, NULL, &e), QN_OK);
    qn_setting role = { QN_STR("model"), QN_STR("http://127.0.0.1:1/v1#scripted") };
    qn_plan_opts po = { .registry = models, .models = &role, .n_models = 1, .seed = 1 };
    if (qn_plan_text(qn_str_of(text), "example", ".", &po, &plan, &e) != QN_OK) {
        if (x->fail && strstr(e.msg, x->fail)) goto done;
        fail_msg("%s {%s}: %s", op->name, x->params ? x->params : "", e.msg);
    }
    qn_run_opts o = { .out_dir = dir, .limit = -1, .budget_usd = -1, .memory_bytes = 1 << 28, .workers = 1, .in_flight = 16,
                      .scripted = x->replies ? x->replies : none, .scripted_asked = &asked };
    qn_code rc = qn_run(plan, &o, &r, &e);
    if (rc != QN_OK) fail_msg("%s {%s}: %s", op->name, x->params ? x->params : "", e.msg);
    snprintf(path, sizeof path, "%s/out.jsonl", dir);
    if (x->fail) check_reason(op, x, "failed.jsonl", x->fail);
    else if (r.failed) {
        char why[256];
        snprintf(why, sizeof why, "%s", r.n_reasons ? r.reasons[0].text : "");
        if (strstr(why, "a sandbox needs")) {         /* inside a chroot or a container without user namespaces */
            print_message("skipped: %s {%s}: %s\n", op->name, x->params ? x->params : "", why);
            qn_run_result_free(&r);
            qn_plan_free(plan);
            goto done;
        }
        fail_msg("%s {%s}: a row failed: %s", op->name, x->params ? x->params : "", why);
    }
    if (x->reject) check_reason(op, x, "rejected.jsonl", x->reject);
    check_out(op, x, path);
    if (x->asked && qn_str_find(qn_buf_view(&asked), qn_str_of(x->asked)) < 0) fail_msg("%s: `%s` was not asked, but %s", op->name, x->asked, asked.p);
    qn_run_result_free(&r);
    qn_plan_free(plan);
done:
    qn_models_close(models);
    qn_buf_free(&asked);
    qn_free(text);
}

static void the_examples_hold(void **state)
{
    const qn_op *op = *state;
    for (const qn_example *x = op->examples; x->in || x->out || x->params; x++) run_example(op, x);
}

static void every_operator_says_what_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; qn_ops_table[i]; i++) {
        const qn_op *op = qn_ops_table[i];
        if (!op->brief || !op->brief[0] || op->version < 1) fail_msg("%s has no brief or version", op->name);
        for (const qn_param *p = op->params; p && p->name; p++)
            if (!p->about || !p->about[0]) fail_msg("%s: the parameter %s says nothing about itself", op->name, p->name);
    }
}

int main(void)
{
    if (!mkdtemp(dir)) return 1;
    struct CMUnitTest tests[512] = {{ 0 }};
    size_t n = 0;
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(every_operator_says_what_it_is);
    for (size_t i = 0; qn_ops_table[i] && n < 512; i++) {
        const qn_op *op = qn_ops_table[i];
        if (!op->examples || !(op->examples->in || op->examples->out || op->examples->params)) continue;
        tests[n++] = (struct CMUnitTest){ op->name, the_examples_hold, NULL, NULL, (void *)(uintptr_t)op };
    }
    int failed = _cmocka_run_group_tests("examples", tests, n, NULL, NULL);
    char cmd[300];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    if (system(cmd) != 0) return 1;
    return failed;
}
