/* bench_table_qa: how many table questions a second the built-in writer makes, alone (no engine): draw, SQL, execute, execute on the reversed
 * rows, question, steps. One line of JSON; with --print also the rows, to be read.
 *   usage: bench_table_qa TABLES.db [questions per table] [seed] [--print] [--noise X] */
#include "builtin/question_nlg.h"
#include "builtin/table_load.h"
#include "core/clock.h"
#include "io/sql_run.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static struct { size_t tables, tried, made, no_sketch, no_words, failed, empty, unstable; bool print; double noise; size_t per_form[QN_N_FORMS]; } B;

static void one(qn_sql *db, const qn_table_view *v, uint64_t seed, size_t k)
{
    qn_arena a = { 0 };
    qn_buf sql = { 0 }, q = { 0 }, line = { 0 };
    qn_err e = { 0 };
    qn_rng r = qn_rng_keyed(seed, v->name, qn_hash(&k, sizeof k));
    qn_focus f;
    qn_sketch s;
    qn_value answer;
    bool stable = true;
    B.tried++;
    qn_focus_draw(v, &r, &f);
    if (!qn_sketch_draw(v, &r, &f, QN_N_FORMS, &s)) { B.no_sketch++; goto out; }
    qn_sketch_sql(v, &s, &sql);
    if (qn_sql_run(db, qn_buf_view(&sql), NULL, &a, &answer, &e) != QN_OK) {
        B.failed++;
        fprintf(stderr, "failed: %s\n  %s\n", e.msg, sql.p);
        goto out;
    }
    if (answer.n == 0 || (answer.n == 1 && qn_v_at(answer, 0).kind == QN_V_NULL)) { B.empty++; goto out; }
    if (qn_sql_check_order(db, qn_buf_view(&sql), NULL, answer, &a, &stable, &e) != QN_OK || !stable) {
        B.unstable++;
        fprintf(stderr, "order: %s\n", sql.p);
        goto out;
    }
    if (!qn_question_write(v, &s, &r, B.noise, &q)) { B.no_words++; goto out; }
    qn_value steps = qn_steps_write(v, &s, answer, &a);
    B.made++;
    B.per_form[s.form]++;
    if (B.print) {
        qn_object_b o = { .a = &a };
        qn_buf seed_text = { 0 };
        qn_seed_text(v, &f, &seed_text);
        qn_object_put(&o, QN_STR("table"), qn_v_text(v->name));
        qn_object_put(&o, QN_STR("form"), qn_v_text(qn_str_of(qn_form_name(s.form))));
        qn_object_put(&o, QN_STR("question"), qn_v_text(qn_buf_view(&q)));
        qn_object_put(&o, QN_STR("answer"), answer);
        qn_object_put(&o, QN_STR("sql"), qn_v_text(qn_buf_view(&sql)));
        qn_object_put(&o, QN_STR("steps"), steps);
        qn_object_put(&o, QN_STR("seed"), qn_v_text(qn_buf_view(&seed_text)));
        qn_json_write(&line, qn_object_end(&o));
        puts(line.p);
        qn_buf_free(&seed_text);
    }
out:
    qn_buf_free(&sql);
    qn_buf_free(&q);
    qn_buf_free(&line);
    qn_arena_free(&a);
}

int main(int argc, char **argv)
{
    qn_err e = { 0 };
    qn_sql *db;
    size_t per_table = 8;
    uint64_t seed = 1;
    int k = 0;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--print") == 0) B.print = true;
        else if (strcmp(argv[i], "--noise") == 0 && i + 1 < argc) B.noise = atof(argv[++i]);
        else if (k++ == 0) per_table = strtoul(argv[i], NULL, 10);
        else seed = strtoull(argv[i], NULL, 10);
    }
    if (argc < 2 || qn_sql_open(argv[1], &db, &e) != QN_OK) { fprintf(stderr, "usage: bench_table_qa TABLES.db [per table] [seed] [--print]: %s\n", e.msg); return 2; }
    double cpu = qn_cpu_seconds();
    sqlite3_stmt *st = NULL;
    sqlite3_prepare_v2(qn_sql_handle(db), "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'quern_%' ORDER BY name", -1, &st, NULL);
    while (sqlite3_step(st) == SQLITE_ROW) {
        qn_arena a = { 0 };
        qn_table_view *v;
        if (qn_table_load(qn_sql_handle(db), qn_str_of((const char *)sqlite3_column_text(st, 0)), 4000000, &a, &v, &e) == QN_OK) {
            B.tables++;
            for (size_t i = 0; i < per_table; i++) one(db, v, seed, i);
        }
        qn_arena_free(&a);
    }
    sqlite3_finalize(st);
    qn_sql_close(db);
    cpu = qn_cpu_seconds() - cpu;
    fprintf(B.print ? stderr : stdout, "{\"bench\":\"table_qa\",\"tables\":%zu,\"tried\":%zu,\"rows\":%zu,\"no_sketch\":%zu,\"no_words\":%zu,\"failed\":%zu,\"empty\":%zu,\"order_dependent\":%zu,"
            "\"cpu_seconds\":%.3f,\"rows_per_cpu_second\":%.0f,\"peak_bytes\":%zu,\"forms\":{", B.tables, B.tried, B.made, B.no_sketch, B.no_words, B.failed, B.empty, B.unstable, cpu,
            (double)B.made / cpu, qn_peak_rss_bytes());
    for (int f = 0; f < QN_N_FORMS; f++) fprintf(B.print ? stderr : stdout, "%s\"%s\":%zu", f ? "," : "", qn_form_name((qn_form)f), B.per_form[f]);
    fprintf(B.print ? stderr : stdout, "}}\n");
    return B.made ? 0 : 1;
}
