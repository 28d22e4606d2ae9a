/* results: looks into each of the run's files that is small and whose first row has a tally's fields. */
#include "report/results.h"
#include "core/file.h"
#include "report/put.h"
#include "report/survey.h"

enum { MOST_BYTES = 2 << 20, MOST_ROWS = 2000, LINE_BYTES = 64 << 10 };

typedef struct { qn_buf *b; const char *path; size_t n; bool other, *any; } table;

static bool number_or_null(qn_value row, const char *name)
{
    qn_value v;
    return qn_v_get(row, qn_str_of(name), &v) && (qn_v_is_number(v) || v.kind == QN_V_NULL);
}

static bool is_tally(qn_value row)
{
    qn_value group, measure, n;
    return row.kind == QN_V_OBJECT && qn_v_get(row, QN_STR("group"), &group) && group.kind == QN_V_TEXT && qn_v_get(row, QN_STR("measure"), &measure)
           && measure.kind == QN_V_TEXT && qn_v_get(row, QN_STR("n"), &n) && n.kind == QN_V_INT && number_or_null(row, "value") && number_or_null(row, "low")
           && number_or_null(row, "high") && number_or_null(row, "diff");
}

static void put_row(qn_buf *b, qn_value row)
{
    static const char *const names[] = { "group", "measure", "n", "value", "low", "high", "against", "diff", "diff_low", "diff_high", "p", "along", "axis" };
    qn_value v;
    qn_put_comma(b);
    qn_buf_putc(b, '{');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!qn_v_get(row, qn_str_of(names[i]), &v)) continue;
        qn_put_key(b, names[i]);
        if (v.kind == QN_V_TEXT) qn_put_text(b, qn_v_str(v), 200);
        else if (qn_v_is_number(v)) qn_put_real(b, qn_v_number(v));
        else qn_buf_puts(b, "null");
    }
    qn_buf_putc(b, '}');
}

static void take(void *arg, uint64_t number, qn_str line)
{
    table *t = arg;
    qn_arena a = {0};
    qn_value row;
    qn_err none = {0};
    (void)number;
    if (t->other || t->n == MOST_ROWS) return;
    if (!line.p || qn_json_parse(line, &a, &row, &none) != QN_OK || !is_tally(row)) t->other = true;
    else {
        if (t->n++ == 0) {
            if (!*t->any) { qn_put_key(t->b, "results"); qn_buf_putc(t->b, '['); }
            *t->any = true;
            qn_put_comma(t->b);
            qn_buf_putc(t->b, '{');
            qn_put_kv_text(t->b, "file", t->path);
            qn_put_key(t->b, "rows");
            qn_buf_putc(t->b, '[');
        }
        put_row(t->b, row);
    }
    qn_arena_free(&a);
}

void qn_results_put(const qn_report_facts *f, qn_buf *b)
{
    bool any = false;
    for (size_t i = 0; f->dir && i < f->n_outputs; i++) {
        const qn_report_output *o = &f->outputs[i];
        table t = { .b = b, .path = o->path, .any = &any };
        qn_err none = {0};
        char *path = qn_path_join(f->dir, o->path);
        if (o->bytes <= MOST_BYTES && qn_file_exists(path)) qn_lines_each(path, LINE_BYTES, take, &t, &none);
        if (t.n) qn_buf_puts(b, "]}");
        qn_free(path);
    }
    if (any) qn_buf_putc(b, ']');
}
