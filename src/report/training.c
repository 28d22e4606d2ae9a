/* training: reads each model's training.json and thins its curve out. */
#include "report/training.h"
#include "core/file.h"
#include "data/value.h"
#include "report/put.h"
#include <dirent.h>
#include <stdlib.h>

enum { MOST_MODELS = 40, POINTS = 240 };

static void put_losses(qn_buf *b, qn_value list)
{
    size_t n = list.n, per = (n + POINTS - 1) / POINTS, k = 0;
    double sum = 0;
    qn_value x;
    qn_put_key(b, "losses");
    qn_buf_putc(b, '[');
    qn_v_iter it = qn_v_iter_of(list);
    for (size_t i = 0; i < n && qn_v_next(&it, NULL, &x); i++) {
        sum += qn_v_number(x);
        if (++k < per && i + 1 < n) continue;
        qn_put_comma(b);
        qn_buf_printf(b, "%.4g", sum / (double)k);
        sum = 0;
        k = 0;
    }
    qn_buf_putc(b, ']');
}

static void put_model(qn_buf *b, const char *name, qn_value v)
{
    static const char *const facts[] = { "rows", "left_out", "steps", "params", "loss_first", "loss_last", "loss_valid", "right_valid", "right_before", "right_margin", "refused" };
    qn_value x;
    qn_put_comma(b);
    qn_buf_putc(b, '{');
    qn_put_kv_text(b, "name", name);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        if (!qn_v_get(v, qn_str_of(facts[i]), &x) || x.kind == QN_V_NULL) continue;
        qn_put_key(b, facts[i]);
        qn_json_write(b, x);
    }
    if (qn_v_get(v, QN_STR("losses"), &x) && x.kind == QN_V_LIST) put_losses(b, x);
    qn_buf_putc(b, '}');
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void qn_training_put(const char *dir, qn_buf *b)
{
    char *models = qn_path_join(dir, "models"), *names[MOST_MODELS];
    DIR *d = opendir(models);
    size_t n = 0, given = 0;
    for (struct dirent *x; d && n < MOST_MODELS && (x = readdir(d));) if (x->d_name[0] != '.') names[n++] = qn_strz(qn_str_of(x->d_name));
    if (d) closedir(d);
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        char *folder = qn_path_join(models, names[i]), *path = qn_path_join(folder, "training.json");
        qn_buf file = {0};
        qn_arena a = {0};
        qn_value v;
        qn_err none;
        if (qn_file_exists(path) && qn_file_read(path, 64 << 20, &file, &none) == QN_OK && qn_json_parse(qn_str_trim(qn_buf_view(&file)), &a, &v, &none) == QN_OK) {
            if (given++ == 0) { qn_put_key(b, "trained"); qn_buf_putc(b, '['); }
            put_model(b, names[i], v);
        }
        qn_arena_free(&a);
        qn_buf_free(&file);
        qn_free(path);
        qn_free(folder);
        qn_free(names[i]);
    }
    if (given) qn_buf_putc(b, ']');
    qn_free(models);
}
