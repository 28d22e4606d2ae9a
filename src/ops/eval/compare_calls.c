/* compare_calls: the calls that an agent made against the labelled ones, by name and argument.
 *
 * Each labelled call is matched with the call of its name that agrees in most arguments; each call is used once. A matched call is right when all its
 * arguments are. The field then holds how many calls were made, expected, right; precision, recall; and every slot that is wrong, missing or made up.
 * Texts are equal when their words are (case, spaces and punctuation do not count), numbers when their values are; lists in order, objects by name.
 * Source: AutoDE (Mu et al. 2024), calls against labels; possible answers as in function-calling benchmarks (BFCL).
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"
#include "recipe/functions.h"
#include "text/words.h"
#include <math.h>

typedef struct { qn_expr *calls, *expected; qn_str as; bool any_of; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, calls, ".calls", NULL, "the calls that were made: a list, one call, null, or a text that holds them; {name, arguments}, {function: {...}} or {\"name\": {...}}"),
    QN_EXPR(params, expected, ".expected", NULL, "the labelled calls, in any of these forms"),
    QN_FIELD(params, as, "match", "field for {made, expected, right, precision, recall, exact, wrong, missing, extra}"),
    QN_BOOL(params, any_of, "no", "a label's argument is a list of values of which each is right; an empty text among them: it may be left out"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{calls: [{name: 'f', arguments: {a: 1, b: 'New York'}}], expected: [{name: 'f', arguments: {a: 1.0, b: 'new york'}}]}",
      .out = "{calls: [{name: 'f', arguments: {a: 1, b: 'New York'}}], expected: [{name: 'f', arguments: {a: 1.0, b: 'new york'}}], "
             "match: {made: 1, expected: 1, right: 1, precision: 1.0, recall: 1.0, exact: true, wrong: [], missing: [], extra: []}}" },
    { .params = "", .in = "{calls: [{name: 'f', arguments: {a: 2, c: 3}}, {name: 'g', arguments: {}}], expected: {name: 'f', arguments: {a: 1, b: 'x'}}}",
      .out = "{calls: [{name: 'f', arguments: {a: 2, c: 3}}, {name: 'g', arguments: {}}], expected: {name: 'f', arguments: {a: 1, b: 'x'}}, "
             "match: {made: 2, expected: 1, right: 0, precision: 0.0, recall: 0.0, exact: false, wrong: ['f.a'], missing: ['f.b'], extra: ['f.c', 'g']}}" },
    { .params = "any_of: yes", .in = "{calls: {name: 'f', arguments: {a: 5}}, expected: [{f: {a: [5, 6], b: ['', 'x']}}]}",
      .out = "{calls: {name: 'f', arguments: {a: 5}}, expected: [{f: {a: [5, 6], b: ['', 'x']}}], "
             "match: {made: 1, expected: 1, right: 1, precision: 1.0, recall: 1.0, exact: true, wrong: [], missing: [], extra: []}}" },
    { .params = "", .in = "{calls: null, expected: [{name: 'f', arguments: {}}]}",
      .out = "{calls: null, expected: [{name: 'f', arguments: {}}], match: {made: 0, expected: 1, right: 0, precision: 0.0, recall: 0.0, exact: false, wrong: [], missing: ['f'], extra: []}}" },
    QN_END
};

typedef struct { qn_str name; qn_value arguments; bool used; } call;
typedef struct { call *all; size_t n; } calls;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_type *t;
    QN_TRY(qn_type_parse(QN_STR("{made: int, expected: int, right: int, precision: real, recall: real, exact: bool, wrong: [text], missing: [text], extra: [text]}"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->in, p->as, t, ck->arena);
    return QN_OK;
}

/* Calls in any of the forms that are in use; one that cannot be read is an error when `strict`, else a call of nothing. */
static qn_code read_calls(qn_value v, bool strict, qn_arena *a, calls *out, qn_err *e)
{
    qn_value one = v;
    if (v.kind == QN_V_TEXT) QN_TRY(qn_json_parse(qn_v_str(v), a, &v, e));
    if (v.kind == QN_V_NULL) { *out = (calls){0}; return QN_OK; }
    out->n = v.kind == QN_V_LIST ? v.n : 1;
    out->all = QN_ARENA_NEW_N(a, call, out->n + 1);
    for (size_t i = 0; i < out->n; i++) {
        qn_buf why = {0};
        one = v.kind == QN_V_LIST ? qn_v_at(v, i) : v;
        bool ok = qn_call_read(one, a, &out->all[i].name, &out->all[i].arguments, &why);
        if (!ok && strict) qn_fail(e, QN_EDATA, "a labelled call cannot be read: %s", why.p ? why.p : "it has no name");
        qn_buf_free(&why);
        if (!ok && strict) return QN_EDATA;
        if (!ok) out->all[i] = (call){ QN_STR("(unreadable)"), qn_v_null(), false };
    }
    return QN_OK;
}

static bool same_words(qn_str x, qn_str y)
{
    qn_buf a = {0}, b = {0};
    qn_words_plain(x, QN_WORDS_PLAIN, true, &a);
    qn_words_plain(y, QN_WORDS_PLAIN, true, &b);
    bool same = a.n || b.n ? qn_str_eq(qn_buf_view(&a), qn_buf_view(&b)) : qn_str_eq(qn_str_trim(x), qn_str_trim(y));
    qn_buf_free(&a);
    qn_buf_free(&b);
    return same;
}

static bool equal(qn_value x, qn_value y)
{
    qn_str name;
    qn_value v, w;
    if (qn_v_is_number(x) && qn_v_is_number(y)) return fabs(qn_v_number(x) - qn_v_number(y)) <= 1e-9 * fmax(1, fabs(qn_v_number(x)));
    if (x.kind == QN_V_TEXT && y.kind == QN_V_TEXT) return same_words(qn_v_str(x), qn_v_str(y));
    if (x.kind != y.kind) return false;
    if (x.kind == QN_V_LIST) {
        for (size_t i = 0; i < x.n; i++)
            if (x.n != y.n || !equal(qn_v_at(x, i), qn_v_at(y, i))) return false;
        return x.n == y.n;
    }
    if (x.kind == QN_V_OBJECT) {
        for (qn_v_iter it = qn_v_iter_of(x); qn_v_next(&it, &name, &v);)
            if (x.n != y.n || !qn_v_get(y, name, &w) || !equal(v, w)) return false;
        return x.n == y.n;
    }
    return x.kind != QN_V_BOOL || x.b == y.b;
}

static bool is_right(const params *p, qn_value made, qn_value label)
{
    if (!p->any_of || label.kind != QN_V_LIST) return equal(made, label);
    for (size_t i = 0; i < label.n; i++)
        if (equal(made, qn_v_at(label, i))) return true;
    return false;
}

static bool may_be_left_out(const params *p, qn_value label)
{
    for (size_t i = 0; p->any_of && label.kind == QN_V_LIST && i < label.n; i++)
        if (qn_v_at(label, i).kind == QN_V_TEXT && qn_v_at(label, i).n == 0) return true;
    return false;
}

typedef struct { qn_list_b *wrong, *missing, *extra; qn_arena *a; } faults;

static void note(qn_list_b *l, qn_arena *a, qn_str f, qn_str slot)
{
    if (l) qn_list_put(l, qn_v_text(slot.n ? qn_arena_printf(a, "%.*s.%.*s", QN_FMT(f), QN_FMT(slot)) : f));
}

/* How many arguments of a call are not what the label says; names them where `f` has lists. */
static size_t slots_off(const params *p, const call *made, const call *label, const faults *f)
{
    qn_str name;
    qn_value v, w;
    size_t n = 0;
    for (qn_v_iter it = qn_v_iter_of(label->arguments); qn_v_next(&it, &name, &v);) {
        if (qn_v_get(made->arguments, name, &w)) {
            if (!is_right(p, w, v)) { n++; note(f->wrong, f->a, label->name, name); }
        } else if (!may_be_left_out(p, v)) {
            n++;
            note(f->missing, f->a, label->name, name);
        }
    }
    for (qn_v_iter it = qn_v_iter_of(made->arguments); qn_v_next(&it, &name, &v);)
        if (!qn_v_get(label->arguments, name, &w)) { n++; note(f->extra, f->a, label->name, name); }
    return n;
}

static call *best_match(const params *p, calls *made, const call *label)
{
    const faults none = {0};
    call *best = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < made->n; i++) {
        if (made->all[i].used || !qn_str_eq(made->all[i].name, label->name)) continue;
        size_t off = slots_off(p, &made->all[i], label, &none);
        if (off < least) { least = off; best = &made->all[i]; }
    }
    return best;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_arena *a = cx->scratch;
    qn_value made_v, label_v;
    calls made, labels;
    qn_list_b wrong = { .a = a }, missing = { .a = a }, extra = { .a = a };
    faults f = { &wrong, &missing, &extra, a };
    size_t right = 0;
    (void)state;
    QN_TRY(qn_expr_one(p->calls, r, a, &made_v, e));
    QN_TRY(qn_expr_one(p->expected, r, a, &label_v, e));
    qn_err bad = {0};
    if (read_calls(made_v, false, a, &made, &bad) != QN_OK) {       /* what an agent said that is no JSON is one call of nothing */
        made = (calls){ QN_ARENA_NEW(a, call), 1 };
        made.all[0].name = QN_STR("(unreadable)");
    }
    QN_TRY(read_calls(label_v, true, a, &labels, e));
    for (size_t i = 0; i < labels.n; i++) {
        call *m = best_match(p, &made, &labels.all[i]);
        if (!m) { note(&missing, a, labels.all[i].name, QN_STR("")); continue; }
        m->used = true;
        right += slots_off(p, m, &labels.all[i], &f) == 0;
    }
    for (size_t i = 0; i < made.n; i++)
        if (!made.all[i].used) note(&extra, a, made.all[i].name, QN_STR(""));
    qn_object_b o = { .a = a };
    qn_object_put(&o, QN_STR("made"), qn_v_int((int64_t)made.n));
    qn_object_put(&o, QN_STR("expected"), qn_v_int((int64_t)labels.n));
    qn_object_put(&o, QN_STR("right"), qn_v_int((int64_t)right));
    qn_object_put(&o, QN_STR("precision"), qn_v_real(made.n ? (double)right / (double)made.n : labels.n == 0));
    qn_object_put(&o, QN_STR("recall"), qn_v_real(labels.n ? (double)right / (double)labels.n : 1));
    qn_object_put(&o, QN_STR("exact"), qn_v_bool(right == labels.n && made.n == labels.n));
    qn_object_put(&o, QN_STR("wrong"), qn_list_end(&wrong));
    qn_object_put(&o, QN_STR("missing"), qn_list_end(&missing));
    qn_object_put(&o, QN_STR("extra"), qn_list_end(&extra));
    qn_row_set(r, p->as, qn_object_end(&o));
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_compare_calls = {
    .name = "compare_calls", .version = 1, .stage = QN_EVAL, .brief = "an agent's function calls against labelled ones: precision, recall, slot errors",
    .paper = "AutoDE (Mu et al. 2024), section 3", .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
