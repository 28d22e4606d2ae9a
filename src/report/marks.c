/* marks: a few counters for each judged field. */
#include "report/marks.h"
#include "report/put.h"
#include <math.h>
#include <stdio.h>

enum { FIELDS = 8, SCALES = 24, MARKS = 24, REASONS = 6, REASON_BYTES = 300 };

typedef struct { char name[64], judge[64]; uint64_t n; double sum; double mark[MARKS]; uint64_t of_mark[MARKS]; size_t n_marks; uint64_t others; } scale;
typedef struct { double overall; char text[REASON_BYTES + 8]; bool used; } reason;
typedef struct {
    char     name[64];
    uint64_t n, n_overall, a, b, tie, changed, n_first, n_people;
    double   overall, first, away, higher;
    uint64_t before_line, n_swapped, n_moved;       /* pairs with a term exchanged */
    double   before, swapped;
    scale    scales[SCALES];
    size_t   n_scales;
    reason   low[REASONS / 2], high[REASONS / 2];
} judged;
struct qn_marks { judged field[FIELDS]; size_t n; uint64_t line; int swapped; };

void qn_marks_file(qn_str step, char out[80])
{
    if (qn_str_is(step, "judge")) { snprintf(out, 80, "judges.json"); return; }
    snprintf(out, 80, "judges-%.*s.json", (int)(step.n < 60 ? step.n : 60), step.p);
    for (char *c = out; *c; c++) if (*c == '/') *c = '_';
}

qn_marks *qn_marks_new(void) { return QN_NEW(qn_marks); }
void      qn_marks_free(qn_marks *m) { qn_free(m); }
size_t    qn_marks_n(const qn_marks *m) { return m->n; }

void qn_marks_row(qn_marks *m, uint64_t line, int swapped)
{
    m->line = line + 1;
    m->swapped = swapped;
}

/* The mark of a row with the term exchanged against that of the row before it. */
static void add_swapped(const qn_marks *m, judged *j, double overall)
{
    if (m->swapped == 1 && j->before_line && j->before_line + 1 == m->line) {
        j->n_swapped++;
        j->swapped += overall - j->before;
        j->n_moved += fabs(overall - j->before) > 1e-9;
    }
    j->before_line = m->swapped == 0 ? m->line : 0;
    j->before = overall;
}

static void copy(char *to, size_t size, qn_str s)
{
    size_t n = qn_utf8_cut(s, size - 1);
    memcpy(to, s.p, n);
    to[n] = 0;
}

static judged *field_of(qn_marks *m, qn_str name)
{
    for (size_t i = 0; i < m->n; i++)
        if (qn_str_is(name, m->field[i].name)) return &m->field[i];
    if (m->n == FIELDS) return NULL;
    copy(m->field[m->n].name, sizeof m->field[0].name, name);
    return &m->field[m->n++];
}

static scale *scale_of(judged *j, qn_str name, qn_str judge)
{
    for (size_t i = 0; i < j->n_scales; i++)
        if (qn_str_is(name, j->scales[i].name) && qn_str_is(judge, j->scales[i].judge)) return &j->scales[i];
    if (j->n_scales == SCALES) return NULL;
    copy(j->scales[j->n_scales].name, sizeof j->scales[0].name, name);
    copy(j->scales[j->n_scales].judge, sizeof j->scales[0].judge, judge);
    return &j->scales[j->n_scales++];
}

static void add_mark(scale *s, double mark)
{
    s->n++;
    s->sum += mark;
    for (size_t i = 0; i < s->n_marks; i++)
        if (s->mark[i] == mark) { s->of_mark[i]++; return; }
    if (s->n_marks == MARKS) { s->others++; return; }
    s->mark[s->n_marks] = mark;
    s->of_mark[s->n_marks++] = 1;
}

/* The rows judged lowest and highest keep their reasons; of equals the first. */
static void add_reason(judged *j, double overall, qn_str text)
{
    for (int side = 0; side < 2 && text.n; side++) {
        reason *list = side ? j->high : j->low, *worst = NULL;
        for (size_t i = 0; i < REASONS / 2; i++) {
            reason *r = &list[i];
            bool later = r->used && (!worst || !worst->used ? !worst : side ? r->overall < worst->overall : r->overall > worst->overall);
            if (!r->used) { worst = r; break; }
            if (later) worst = r;
        }
        if (worst->used && (side ? overall <= worst->overall : overall >= worst->overall)) continue;
        worst->used = true;
        worst->overall = overall;
        copy(worst->text, sizeof worst->text, text);
    }
}

static void add_scales(judged *j, qn_value marks, double overall)
{
    qn_v_iter it = qn_v_iter_of(marks);
    qn_value one, v, judge, why;
    qn_str name;
    bool first = true;
    while (qn_v_next(&it, NULL, &one)) {
        qn_v_get(one, QN_STR("judge"), &judge);
        qn_v_get(one, QN_STR("reason"), &why);
        if (first) add_reason(j, overall, qn_v_str(why));
        first = false;
        qn_v_iter in = qn_v_iter_of(one);
        while (qn_v_next(&in, &name, &v)) {
            scale *s = qn_v_is_number(v) ? scale_of(j, name, qn_v_str(judge)) : NULL;
            if (s) add_mark(s, qn_v_number(v));
        }
    }
}

void qn_marks_add(qn_marks *m, qn_str name, qn_value v)
{
    qn_value marks, overall, winner, x;
    bool pairs;
    if (!qn_v_get(v, QN_STR("marks"), &marks) || marks.kind != QN_V_LIST) return;
    pairs = qn_v_get(v, QN_STR("winner"), &winner) && winner.kind == QN_V_TEXT;
    if (!pairs && (!qn_v_get(v, QN_STR("overall"), &overall) || !qn_v_is_number(overall))) return;
    judged *j = field_of(m, name);
    if (!j) return;
    j->n++;
    if (pairs) {
        qn_str w = qn_v_str(winner);
        ++*(qn_str_is(w, "a") ? &j->a : qn_str_is(w, "b") ? &j->b : &j->tie);
        j->changed += qn_v_get(v, QN_STR("consistent"), &x) && x.kind == QN_V_BOOL && !x.b;
        if (qn_v_get(v, QN_STR("first_place"), &x) && qn_v_is_number(x)) { j->n_first++; j->first += qn_v_number(x); }
        return;
    }
    j->n_overall++;
    j->overall += qn_v_number(overall);
    add_scales(j, marks, qn_v_number(overall));
    add_swapped(m, j, qn_v_number(overall));
    if (qn_v_get(v, QN_STR("off_people"), &x) && qn_v_is_number(x)) {
        j->n_people++;
        j->away += fabs(qn_v_number(x));
        j->higher += qn_v_number(x);
    }
}

static void put_scale(qn_buf *b, const scale *s)
{
    bool put[MARKS] = { false };
    qn_put_comma(b);
    qn_buf_putc(b, '{');
    qn_put_kv_text(b, "name", s->name);
    qn_put_kv_text(b, "judge", s->judge);
    qn_put_kv_int(b, "n", (int64_t)s->n);
    qn_put_kv_real(b, "mean", s->sum / (double)s->n);
    qn_put_key(b, "marks");
    qn_buf_putc(b, '[');
    for (size_t k = 0; k < s->n_marks; k++) {
        size_t at = MARKS;
        for (size_t i = 0; i < s->n_marks; i++)
            if (!put[i] && (at == MARKS || s->mark[i] < s->mark[at])) at = i;
        put[at] = true;
        qn_put_comma(b);
        qn_buf_putc(b, '[');
        qn_put_real(b, s->mark[at]);
        qn_buf_printf(b, ",%llu]", (unsigned long long)s->of_mark[at]);
    }
    qn_buf_puts(b, "]}");
}

static void put_reasons(qn_buf *b, const judged *j)
{
    qn_put_key(b, "reasons");
    qn_buf_putc(b, '[');
    for (int side = 1; side >= 0; side--)
        for (size_t i = 0; i < REASONS / 2; i++) {
            const reason *r = side ? &j->high[i] : &j->low[i];
            bool twice = false;
            for (size_t k = 0; !side && k < REASONS / 2; k++) twice |= j->high[k].used && strcmp(j->high[k].text, r->text) == 0;
            if (!r->used || twice) continue;
            qn_put_comma(b);
            qn_buf_putc(b, '[');
            qn_put_real(b, r->overall);
            qn_buf_putc(b, ',');
            qn_put_text(b, qn_str_of(r->text), 0);
            qn_buf_putc(b, ']');
        }
    qn_buf_putc(b, ']');
}

static void put_field(qn_buf *b, const judged *j)
{
    qn_put_comma(b);
    qn_buf_putc(b, '{');
    qn_put_kv_text(b, "field", j->name);
    qn_put_kv_int(b, "rows", (int64_t)j->n);
    if (j->n_overall) qn_put_kv_real(b, "overall", j->overall / (double)j->n_overall);
    qn_put_key(b, "scales");
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < j->n_scales; i++) put_scale(b, &j->scales[i]);
    qn_buf_putc(b, ']');
    qn_put_key(b, "pairs");
    if (j->a + j->b + j->tie) {
        qn_buf_printf(b, "{\"a\":%llu,\"b\":%llu,\"tie\":%llu,\"changed\":%llu,\"first_place\":", (unsigned long long)j->a, (unsigned long long)j->b, (unsigned long long)j->tie, (unsigned long long)j->changed);
        qn_put_real(b, j->n_first ? j->first / (double)j->n_first : NAN);
        qn_buf_putc(b, '}');
    } else qn_buf_puts(b, "null");
    qn_put_key(b, "people");
    if (j->n_people) {
        qn_buf_printf(b, "{\"n\":%llu,\"away\":", (unsigned long long)j->n_people);
        qn_put_real(b, j->away / (double)j->n_people);
        qn_buf_puts(b, ",\"higher\":");
        qn_put_real(b, j->higher / (double)j->n_people);
        qn_buf_putc(b, '}');
    } else qn_buf_puts(b, "null");
    qn_put_key(b, "swapped");
    if (j->n_swapped) {
        qn_buf_printf(b, "{\"n\":%llu,\"moved\":%llu,\"higher\":", (unsigned long long)j->n_swapped, (unsigned long long)j->n_moved);
        qn_put_real(b, j->swapped / (double)j->n_swapped);
        qn_buf_putc(b, '}');
    } else qn_buf_puts(b, "null");
    put_reasons(b, j);
    qn_buf_putc(b, '}');
}

void qn_marks_put(const qn_marks *m, qn_buf *b)
{
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < m->n; i++) put_field(b, &m->field[i]);
    qn_buf_putc(b, ']');
}
