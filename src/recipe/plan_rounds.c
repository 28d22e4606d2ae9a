/* plan_rounds: `rounds`: steps written once and planned several times, one behind the other, so that a round may train a model and the next go on from it.
 *
 *   - name: star
 *     rounds: {times: 3, as: round, first: {student: $begin}, next: {student: level}, steps: [...]}
 *
 * Inside, $round is the round's number, and $student what `first` says in round 1, later what the step `level` of the round before made: a model, or rows to
 * name in `from:`. Steps see the names of their own round, then those outside. Round 2's `level` is star.2.level; behind the rounds $star.level is the last
 * round's model, and `from: star.x` the rows of all rounds' x. `repeat` and `grow` send rows round in one plan and cannot train; here rows flow forward only. */
#include "recipe/planner.h"

enum { MOST_ROUNDS = 16 };      /* as many as an inlet joins */

static qn_code check_keys(const qn_ynode *given, qn_pos pos, qn_err *e)
{
    static const char *const known[] = { "times", "as", "first", "next", "steps" };
    const qn_ynode *steps = given && given->kind == QN_Y_MAP ? qn_yaml_get(given, "steps") : NULL;
    for (size_t i = 0; steps && i < given->n; i++) {
        bool ok = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) ok |= qn_str_is(given->keys[i]->text, known[k]);
        if (ok) continue;
        const char *near = qn_nearest(given->keys[i]->text, known, sizeof known / sizeof *known);
        qn_fail_at(e, QN_ERECIPE, given->keys[i]->pos, "`rounds` has no `%.*s`", QN_FMT(given->keys[i]->text));
        qn_hint(e, "%s%s", near ? "did you mean " : "it has times, as, first, next and steps", near ? near : "");
        return QN_ERECIPE;
    }
    if (steps && steps->kind == QN_Y_LIST && steps->n) return QN_OK;
    qn_fail_at(e, QN_ERECIPE, pos, "`rounds` needs `steps`, a list");
    qn_hint(e, "below it, moved in: steps: and a step a line, each with `- ` in front");
    return QN_ERECIPE;
}

static qn_code times_of(qn_planner *p, const qn_scope *sc, const qn_ynode *given, qn_pos pos, int64_t *out, qn_err *e)
{
    qn_ynode *v = (qn_ynode *)qn_yaml_get(given, "times");
    *out = 3;
    if (!v) return QN_OK;
    QN_TRY(qn_planner_fill_in(p, sc, v, &v, e));
    if (v->kind == QN_Y_SCALAR && qn_str_to_i64(v->text, out) && *out >= 1 && *out <= MOST_ROUNDS) return QN_OK;
    return qn_fail_at(e, QN_ERECIPE, v->pos.file ? v->pos : pos, "`times` of `rounds` is `%.*s`, a whole number from 1 to %d is needed", QN_FMT(v->text), MOST_ROUNDS);
}

/* `first` and `next`: maps of the same names. */
static qn_code check_carried(const qn_ynode *first, const qn_ynode *next, qn_err *e)
{
    for (int i = 0; i < 2; i++) {
        const qn_ynode *m = i ? next : first, *other = i ? first : next;
        if (m && m->kind != QN_Y_MAP) return qn_fail_at(e, QN_ERECIPE, m->pos, "`%s` of `rounds` is a map of names", i ? "next" : "first");
        for (size_t k = 0; m && k < m->n; k++) {
            if (other && qn_yaml_get(other, m->keys[k]->text.p)) continue;
            qn_fail_at(e, QN_ERECIPE, m->keys[k]->pos, "`%.*s` stands in `%s` and not in `%s`", QN_FMT(m->keys[k]->text), i ? "next" : "first", i ? "first" : "next");
            qn_hint(e, "first: what it is in round 1; next: the step of the round before that makes it");
            return QN_ERECIPE;
        }
    }
    return QN_OK;
}

static void put(qn_ynode *map, qn_ynode *key, qn_ynode *value)
{
    for (size_t i = 0; i < map->n; i++) if (qn_str_eq(map->keys[i]->text, key->text)) { map->items[i] = value; return; }
    map->keys[map->n] = key;
    map->items[map->n++] = value;
}

/* The parameters that the steps of round k see: those outside, the round's number, what is carried from round to round. */
static qn_code params_of(qn_planner *p, const qn_scope *sc, const qn_ynode *given, qn_str name, int64_t k, qn_ynode **out, qn_err *e)
{
    qn_arena *a = qn_planner_arena(p);
    const qn_ynode *first = qn_yaml_get(given, "first"), *next = qn_yaml_get(given, "next"), *as = qn_yaml_get(given, "as");
    size_t n = (sc->params ? sc->params->n : 0) + (first ? first->n : 0) + 1;
    qn_ynode *map = QN_ARENA_NEW(a, qn_ynode), *number = qn_planner_scalar(p, qn_arena_printf(a, "%lld", (long long)k), given->pos);
    *map = (qn_ynode){ .kind = QN_Y_MAP, .pos = given->pos, .keys = QN_ARENA_NEW_N(a, qn_ynode *, n), .items = QN_ARENA_NEW_N(a, qn_ynode *, n) };
    for (size_t i = 0; sc->params && i < sc->params->n; i++) put(map, sc->params->keys[i], sc->params->items[i]);
    for (size_t i = 0; first && i < first->n; i++) {
        qn_ynode *v = first->items[i];
        const qn_ynode *step = qn_yaml_get(next, first->keys[i]->text.p);
        if (k == 1) QN_TRY(qn_planner_fill_in(p, sc, v, &v, e));
        else v = qn_planner_scalar(p, qn_arena_printf(a, "%.*s.%lld.%.*s", QN_FMT(name), (long long)k - 1, QN_FMT(step->text)), step->pos);
        put(map, first->keys[i], v);
    }
    put(map, qn_planner_scalar(p, as ? as->text : QN_STR("round"), given->pos), number);
    *out = map;
    return QN_OK;
}

/* `NAME.x` stands for the rows of every round's x. */
static void name_all(qn_planner *p, qn_str name, int64_t times)
{
    qn_arena *a = qn_planner_arena(p);
    qn_str one = qn_arena_printf(a, "%.*s.1.", QN_FMT(name));
    int n_steps = p->plan->n_steps;
    for (int i = 0; i < n_steps; i++) {
        const qn_step *s = qn_planner_step(p, i);
        if (!qn_str_starts(s->name, one) || (s->op && s->op->stage == QN_SINK)) continue;
        qn_str x = qn_str_sub(s->name, one.n, s->name.n);
        qn_named_rows *b = QN_ARENA_NEW(a, qn_named_rows);
        *b = (qn_named_rows){ p->blocks, qn_arena_printf(a, "%.*s.%.*s", QN_FMT(name), QN_FMT(x)), { .n = 0 } };
        for (int64_t k = 1; k <= times; k++)
            for (int j = i; j < n_steps; j++)
                if (qn_str_eq(qn_planner_step(p, j)->name, qn_arena_printf(a, "%.*s.%lld.%.*s", QN_FMT(name), (long long)k, QN_FMT(x)))) b->rows.from[b->rows.n++] = j;
        p->blocks = b;
    }
}

qn_code qn_planner_rounds(qn_planner *p, const qn_scope *sc, const qn_ynode *given, qn_str name, qn_pos pos, qn_inlet *flow, qn_err *e)
{
    int64_t times;
    QN_TRY(check_keys(given, pos, e));
    QN_TRY(times_of(p, sc, given, pos, &times, e));
    QN_TRY(check_carried(qn_yaml_get(given, "first"), qn_yaml_get(given, "next"), e));
    qn_inlet in = *flow;
    for (int64_t k = 1; k <= times; k++) {
        qn_ynode *params;
        qn_scope inner = *sc;
        QN_TRY(params_of(p, sc, given, name, k, &params, e));
        inner.params = params;
        inner.outer = sc;
        inner.prefix = qn_arena_printf(qn_planner_arena(p), "%.*s.%lld.", QN_FMT(name), (long long)k).p;
        *flow = in;
        QN_TRY(qn_planner_steps(p, &inner, qn_yaml_get(given, "steps"), flow, e));
    }
    name_all(p, name, times);
    return QN_OK;
}
