/* plan_steps: from YAML maps to typed steps, in the order in which rows meet them: recipes inlined, loops flattened, `without:` put in, parameters bound,
 * types carried along. */
#include "recipe/planner.h"
#include "recipe/bind.h"
#include <ctype.h>

enum { MAX_STEPS = 1000, MAX_USE_DEPTH = 8 };


static void add_edge(qn_planner *p, int from, int to)
{
    qn_step *s = qn_planner_step(p, from);
    int *bigger = QN_ARENA_NEW_N(qn_planner_arena(p), int, s->n_next + 1);
    if (s->n_next) memcpy(bigger, s->next, sizeof(int) * (size_t)s->n_next);
    bigger[s->n_next++] = to;
    s->next = bigger;
    qn_planner_step(p, to)->n_from++;
}

static bool name_taken(qn_planner *p, qn_str name)
{
    for (int i = 0; i < p->plan->n_steps; i++)
        if (qn_str_eq(qn_planner_step(p, i)->name, name)) return true;
    for (const qn_named_rows *b = p->blocks; b; b = b->next)
        if (qn_str_eq(b->name, name)) return true;
    return false;
}

static int line_of_name(qn_planner *p, qn_str name)
{
    for (int i = 0; i < p->plan->n_steps; i++)
        if (qn_str_eq(qn_planner_step(p, i)->name, name)) return qn_planner_step(p, i)->pos.line;
    return 0;
}

static bool is_name(const qn_ynode *n)
{
    if (n->kind != QN_Y_SCALAR || n->text.n == 0) return false;
    for (size_t i = 0; i < n->text.n; i++)
        if (!isalnum((unsigned char)n->text.p[i]) && !strchr("_-", n->text.p[i])) return false;
    return true;
}

/* A name that no other step has: the one given, or the operator's word, or word#2, word#3, ... */
static qn_code step_name(qn_planner *p, const qn_scope *sc, const qn_ynode *given, qn_str word, qn_str *out, qn_err *e)
{
    qn_arena *a = qn_planner_arena(p);
    if (given) {
        *out = qn_arena_printf(a, "%s%.*s", sc->prefix, QN_FMT(given->text));
        if (!is_name(given)) {
            qn_fail_at(e, QN_ERECIPE, given->pos, "`%.*s` is no name for a step", QN_FMT(given->text));
            qn_hint(e, "a name is of letters, digits, _ and -, so that `from:` can be read");
            return QN_ERECIPE;
        }
        if (name_taken(p, *out)) {
            qn_fail_at(e, QN_ERECIPE, given->pos, "two steps are called `%.*s`", QN_FMT(*out));
            qn_hint(e, "the other one is in line %d: give each a name of its own", line_of_name(p, *out));
            return QN_ERECIPE;
        }
        return QN_OK;
    }
    *out = qn_arena_printf(a, "%s%.*s", sc->prefix, QN_FMT(word));
    for (int k = 2; name_taken(p, *out); k++) *out = qn_arena_printf(a, "%s%.*s#%d", sc->prefix, QN_FMT(word), k);
    return QN_OK;
}

static qn_step *new_step(qn_planner *p, qn_step_kind kind, qn_str name, qn_pos pos)
{
    qn_plan *plan = p->plan;
    QN_GROW(plan->steps, plan->n_steps, p->cap_steps);
    qn_step *s = &plan->steps[plan->n_steps];
    *s = (qn_step){ .kind = kind, .index = plan->n_steps++, .name = name, .pos = pos, .partner = -1 };
    return s;
}

typedef struct bind_arg { qn_planner *p; } bind_arg;

static qn_code find_model(void *arg, qn_str where, qn_pos pos, const qn_model **out, qn_err *e)
{
    qn_planner *p = ((bind_arg *)arg)->p;
    qn_plan *plan = p->plan;
    for (int i = 0; i < plan->n_roles; i++)
        if (qn_str_is(where, plan->roles[i].name)) { plan->roles[i].used = true; *out = plan->roles[i].model; return QN_OK; }
    char *z = qn_strz(where);
    qn_code rc = p->o->registry ? qn_models_resolve(p->o->registry, z, z, out, e)
                                : qn_fail_at(e, QN_ERECIPE, pos, "no models can be used here");
    qn_free(z);
    if (rc == QN_OK) return rc;
    if (!e->pos.file) e->pos = pos;
    const char *names[32];
    size_t n = 0;
    for (int i = 0; i < plan->n_roles && n < 32; i++) names[n++] = plan->roles[i].name;
    const char *near = qn_nearest(where, names, n);
    if (near) qn_hint(e, "did you mean the recipe's `$%s`?", near);
    return rc;
}

static qn_bind bind_for(qn_planner *p, bind_arg *arg, const qn_type *in)
{
    arg->p = p;
    return (qn_bind){ .arena = qn_planner_arena(p), .in = in, .dir = p->plan->dir, .arg = arg, .model = find_model };
}

/* Which operators make the field that is missing. */
static void hint_makers(qn_str field, qn_err *e)
{
    qn_buf b = {0};
    for (size_t i = 0; qn_ops_table[i] && b.n < 120; i++) {
        const char *w = qn_ops_table[i]->writes, *at = w ? strstr(w, field.p) : NULL;
        bool whole = at && (at == w || at[-1] == ' ') && at[field.n] == ':';
        if (whole && !(qn_ops_table[i]->flags & QN_OP_HIDDEN)) qn_buf_printf(&b, "%s%s", b.n ? ", " : "", qn_ops_table[i]->name);
    }
    if (b.n) qn_hint(e, "it is made by %s; or make it with `set`", b.p);
    else qn_hint(e, "make it with `set: {fields: {%.*s: ...}}` before", QN_FMT(field));
    qn_buf_free(&b);
}

/* Every field that the operator reads must be there and fit. */
static qn_code check_reads(qn_planner *p, const qn_step *s, qn_err *e)
{
    const qn_type *want;
    if (!s->op->reads || !s->in) return QN_OK;
    QN_TRY(qn_type_parse_fields(qn_str_of(s->op->reads), qn_planner_arena(p), &want, e));
    for (size_t i = 0; i < want->n_fields; i++) {
        const qn_type_field *f = &want->fields[i];
        const qn_type *have = qn_type_field_of(s->in, f->name);
        if (have && qn_type_fits(have, f->type)) continue;
        if (!have && (f->type->maybe || s->in->open)) continue;
        qn_buf type = {0};
        qn_type_write(&type, have ? have : f->type);
        if (have) qn_fail_at(e, QN_ERECIPE, s->pos, "`%s` reads the field `%.*s`, which is %s here", s->op->name, QN_FMT(f->name), type.p);
        else {
            const char *near = qn_type_nearest_field(s->in, f->name, qn_planner_arena(p));
            qn_fail_at(e, QN_ERECIPE, s->pos, "`%s` needs the field `%.*s` (%s), which no step before it makes", s->op->name, QN_FMT(f->name), type.p);
            if (near) qn_hint(e, "there is a field `%s`", near);
            else hint_makers(f->name, e);
        }
        qn_buf_free(&type);
        return QN_ERECIPE;
    }
    return QN_OK;
}

static qn_code type_after(qn_planner *p, const qn_step *s, const qn_type **out, qn_err *e)
{
    static const qn_type nothing = { .kind = QN_T_RECORD };
    const qn_type *adds, *t = s->in ? s->in : &nothing;
    if (s->op->writes) {
        QN_TRY(qn_type_parse_fields(qn_str_of(s->op->writes), qn_planner_arena(p), &adds, e));
        for (size_t i = 0; i < adds->n_fields; i++) t = qn_type_with(t, adds->fields[i].name, adds->fields[i].type, qn_planner_arena(p));
        if (adds->open) { qn_type *o = QN_ARENA_NEW(qn_planner_arena(p), qn_type); *o = *t; o->open = true; t = o; }
    }
    *out = t;
    return QN_OK;
}

static qn_code bind_step(qn_planner *p, qn_step *s, const qn_ynode *given, qn_err *e)
{
    bind_arg arg;
    qn_bind b = bind_for(p, &arg, s->in);
    QN_TRY(qn_bind_params(&b, s->op->name, s->op->params, s->op->params_size, given, s->pos, &s->params, e));
    QN_TRY(check_reads(p, s, e));
    QN_TRY(type_after(p, s, &s->out, e));
    if (s->op->check) {
        qn_check ck = { .arena = qn_planner_arena(p), .in = s->in, .out = s->out, .pos = s->pos, .seed = p->o->seed, .recipe_dir = p->plan->dir, .given = given };
        qn_code rc = s->op->check(&ck, s->params, e);
        if (rc != QN_OK) {
            if (e->about) e->pos = qn_check_pos(&ck, (qn_str){ e->about, 0 });
            else if (!e->pos.file) e->pos = s->pos;
            return rc;
        }
        s->out = ck.out;
    }
    s->shown = given ? qn_yaml_value(given, qn_planner_arena(p)) : qn_v_null();
    return QN_OK;
}


static const qn_type *type_of_inlet(qn_planner *p, const qn_inlet *in)
{
    const qn_type *t = NULL;
    for (int i = 0; i < in->n; i++) {
        const qn_type *o = qn_planner_step(p, in->from[i])->out;
        t = t ? qn_type_join(t, o, qn_planner_arena(p)) : o;
    }
    return t;
}


/* Adds the rows of the step of this full name to the inlet; false: there is none. */
static bool find_rows(qn_planner *p, qn_str full, qn_inlet *in)
{
    for (const qn_named_rows *b = p->blocks; b; b = b->next) {
        if (!qn_str_eq(b->name, full)) continue;
        for (int i = 0; i < b->rows.n && in->n < 16; i++) in->from[in->n++] = b->rows.from[i];
        return true;
    }
    for (int i = 0; i < p->plan->n_steps; i++)
        if (qn_str_eq(qn_planner_step(p, i)->name, full)) { in->from[in->n++] = i; return true; }
    return false;
}

static qn_code find_from(qn_planner *p, const qn_scope *sc, const qn_ynode *word, qn_inlet *in, qn_err *e)
{
    const char *names[64];
    size_t n = 0;
    for (const qn_scope *s = sc; s; s = s->outer)
        if (find_rows(p, qn_arena_printf(qn_planner_arena(p), "%s%.*s", s->prefix, QN_FMT(word->text)), in)) return QN_OK;
    for (const qn_named_rows *b = p->blocks; b && n < 64; b = b->next) names[n++] = b->name.p;
    for (int i = 0; i < p->plan->n_steps && n < 64; i++) names[n++] = qn_planner_step(p, i)->name.p;
    const char *near = qn_nearest(word->text, names, n);
    qn_fail_at(e, QN_ERECIPE, word->pos, "no step before this one is called `%.*s`", QN_FMT(word->text));
    if (near) qn_hint(e, "did you mean `%s`? rows flow from steps before to steps after, never back", near);
    else qn_hint(e, "give the step a `name:` and put it before this one: rows flow from steps before to steps after");
    return QN_ERECIPE;
}

static qn_code read_from(qn_planner *p, const qn_scope *sc, const qn_ynode *from, qn_inlet *in, qn_err *e)
{
    in->n = 0;
    size_t n = from->kind == QN_Y_LIST ? from->n : 1;
    if (from->kind == QN_Y_MAP || n > 16 || n == 0) {
        qn_fail_at(e, QN_ERECIPE, from->pos, "`from` is a step's name or a list of at most 16");
        qn_hint(e, "from: A, or from: [A, B]");
        return QN_ERECIPE;
    }
    for (size_t i = 0; i < n; i++) QN_TRY(find_from(p, sc, from->kind == QN_Y_LIST ? from->items[i] : from, in, e));
    return QN_OK;
}

static void connect(qn_planner *p, const qn_inlet *in, int to)
{
    for (int i = 0; i < in->n; i++) add_edge(p, in->from[i], to);
}

static qn_code wait_before_loop(qn_planner *p, const qn_ynode *steps, qn_pos pos, qn_inlet *flow, qn_err *e);

/* ---- repeat and join ---- */
static const qn_param LOOP_PARAMS[] = {
    QN_INT(qn_loop_params, times, "3", "1..10000", "at most so many turns"),
    QN_EXPR(qn_loop_params, until, "", "bool", "leave when true after a turn"),
    QN_BOOL(qn_loop_params, each, "no", "give a copy of the row after every turn"),
    QN_BOOL(qn_loop_params, again, "no", "a row rejected in a turn goes round again as it was before the turn"),
    QN_FIELD(qn_loop_params, as, "round", "field that holds the number of the turn, from 1"),
    QN_END
};

/* The map without one key, so that the rest can be bound. */
static qn_ynode *without_key(qn_planner *p, const qn_ynode *map, const char *key)
{
    qn_ynode *c = QN_ARENA_NEW(qn_planner_arena(p), qn_ynode);
    *c = *map;
    c->keys = QN_ARENA_NEW_N(qn_planner_arena(p), qn_ynode *, map->n + 1);
    c->items = QN_ARENA_NEW_N(qn_planner_arena(p), qn_ynode *, map->n + 1);
    c->n = 0;
    for (size_t i = 0; i < map->n; i++) {
        if (qn_str_is(map->keys[i]->text, key)) continue;
        c->keys[c->n] = map->keys[i];
        c->items[c->n++] = map->items[i];
    }
    return c;
}

static qn_code plan_repeat(qn_planner *p, const qn_scope *sc, const qn_ynode *given, qn_str name, qn_pos pos, qn_inlet *flow, qn_err *e)
{
    const qn_ynode *steps = qn_yaml_get(given, "steps");
    bind_arg arg;
    if (!steps || steps->kind != QN_Y_LIST || steps->n == 0) {
        qn_fail_at(e, QN_ERECIPE, pos, "`repeat` needs `steps`, a list");
        qn_hint(e, "below it, moved in: steps: and a step a line, each with `- ` in front");
        return QN_ERECIPE;
    }
    if (flow->n == 0) return qn_fail_at(e, QN_ERECIPE, pos, "`repeat` has no rows to repeat over: a source must come first");
    QN_TRY(wait_before_loop(p, steps, pos, flow, e));
    const qn_ynode *rest = without_key(p, given, "steps"), *until = qn_yaml_get(rest, "until");
    const qn_type *in = type_of_inlet(p, flow);
    qn_bind b = bind_for(p, &arg, NULL);
    void *params;
    QN_TRY(qn_bind_params(&b, "repeat", LOOP_PARAMS, sizeof(qn_loop_params), rest, pos, &params, e));
    qn_loop_params *lp = params;
    int begin = new_step(p, QN_STEP_LOOP, name, pos)->index;
    connect(p, flow, begin);
    qn_planner_step(p, begin)->in = in;
    qn_planner_step(p, begin)->params = lp;
    qn_planner_step(p, begin)->out = qn_type_with(in, lp->as, qn_type_simple(QN_T_INT), qn_planner_arena(p));
    qn_planner_step(p, begin)->shown = qn_yaml_value(rest, qn_planner_arena(p));
    qn_inlet body = { { begin }, 1 };
    qn_scope inner = *sc;
    inner.prefix = qn_arena_printf(qn_planner_arena(p), "%.*s.", QN_FMT(name)).p;
    QN_TRY(qn_planner_steps(p, &inner, steps, &body, e));
    if (body.n == 0) return qn_fail_at(e, QN_ERECIPE, pos, "the steps of `repeat` end in a sink: nothing can go round"), qn_hint(e, "put `write` behind the repeat"), QN_ERECIPE;
    int end = new_step(p, QN_STEP_LOOP_END, qn_arena_printf(qn_planner_arena(p), "%.*s.end", QN_FMT(name)), pos)->index;
    const qn_type *out = type_of_inlet(p, &body);
    connect(p, &body, end);
    qn_step *last = qn_planner_step(p, end);
    last->in = last->out = out;
    last->params = lp;
    last->partner = begin;
    qn_planner_step(p, begin)->partner = end;
    if (until) {
        bool many;
        const qn_type *gives;
        QN_TRY(qn_expr_check(lp->until, out, qn_planner_arena(p), &gives, &many, e));
        QN_TRY(qn_bind_condition("`until` of `repeat`", gives, until->text, until->pos, e));
    }
    *flow = (qn_inlet){ { end }, 1 };
    return QN_OK;
}

static qn_code plan_grow(qn_planner *p, const qn_scope *sc, const qn_ynode *given, qn_str name, qn_pos pos, qn_inlet *flow, qn_err *e)
{
    const qn_ynode *steps = qn_yaml_get(given, "steps");
    const qn_op *grow = qn_op_find(QN_STR("grow")), *fin = qn_op_find(QN_STR("grow_end"));
    if (!steps || steps->kind != QN_Y_LIST || steps->n == 0) return qn_fail_at(e, QN_ERECIPE, pos, "`grow` needs `steps`, a list"), qn_hint(e, "below it, moved in: steps: and a step a line, each with `- ` in front"), QN_ERECIPE;
    if (flow->n == 0) return qn_fail_at(e, QN_ERECIPE, pos, "`grow` has no pool to grow from: a source must come first");
    QN_ASSERT(grow && fin);
    QN_TRY(wait_before_loop(p, steps, pos, flow, e));
    qn_step *s = new_step(p, QN_STEP_OP, name, pos);
    int begin = s->index;
    s->op = grow;
    s->in = type_of_inlet(p, flow);
    connect(p, flow, begin);
    QN_TRY(bind_step(p, qn_planner_step(p, begin), without_key(p, given, "steps"), e));
    qn_inlet body = { { begin }, 1 };
    qn_scope inner = *sc;
    inner.prefix = qn_arena_printf(qn_planner_arena(p), "%.*s.", QN_FMT(name)).p;
    QN_TRY(qn_planner_steps(p, &inner, steps, &body, e));
    if (body.n == 0) return qn_fail_at(e, QN_ERECIPE, pos, "the steps of `grow` end in a sink: nothing comes back to the pool"), qn_hint(e, "put `write` behind the grow"), QN_ERECIPE;
    s = new_step(p, QN_STEP_OP, qn_arena_printf(qn_planner_arena(p), "%.*s.pool", QN_FMT(name)), pos);
    int end = s->index;
    s->op = fin;
    s->in = type_of_inlet(p, &body);
    connect(p, &body, end);
    QN_TRY(bind_step(p, qn_planner_step(p, end), NULL, e));
    qn_planner_step(p, end)->partner = begin;
    qn_planner_step(p, begin)->partner = end;
    *flow = (qn_inlet){ { end }, 1 };
    return QN_OK;
}

static qn_code plan_join(qn_planner *p, const qn_ynode *given, qn_str name, qn_pos pos, qn_inlet *flow, qn_err *e)
{
    if (given && given->kind == QN_Y_MAP && given->n) {
        qn_fail_at(e, QN_ERECIPE, given->keys[0]->pos, "`join` has no parameter `%.*s`", QN_FMT(given->keys[0]->text));
        qn_hint(e, "the branches stand beside it: from: [A, B]");
        return QN_ERECIPE;
    }
    if (flow->n < 2) {
        qn_fail_at(e, QN_ERECIPE, pos, "`join` needs two branches or more");
        qn_hint(e, "name the last step of each branch and list them: from: [A, B]");
        return QN_ERECIPE;
    }
    qn_step *s = new_step(p, QN_STEP_JOIN, name, pos);
    int at = s->index;
    const qn_type *t = qn_planner_step(p, flow->from[0])->out;
    for (int i = 1; i < flow->n; i++) {
        const qn_type *o = qn_planner_step(p, flow->from[i])->out;
        for (size_t k = 0; k < o->n_fields; k++) t = qn_type_with(t, o->fields[k].name, o->fields[k].type, qn_planner_arena(p));
    }
    connect(p, flow, at);
    qn_planner_step(p, at)->in = qn_planner_step(p, at)->out = t;
    *flow = (qn_inlet){ { at }, 1 };
    return QN_OK;
}

/* ---- recipe: {use, with} ---- */

static qn_code plan_use(qn_planner *p, const qn_scope *sc, const qn_ynode *given, qn_str name, qn_pos pos, qn_inlet *flow, qn_err *e)
{
    const qn_ynode *use = qn_yaml_get(given, "use"), *with = qn_yaml_get(given, "with");
    qn_str text;
    const char *file, *dir;
    qn_ynode *root;
    if (!use || use->kind != QN_Y_SCALAR) return qn_fail_at(e, QN_ERECIPE, pos, "`recipe` needs `use`, the name of a recipe"), qn_hint(e, "recipe: {use: NAME, with: {name: value}}; `quern recipes` lists names"), QN_ERECIPE;
    if (sc->depth >= MAX_USE_DEPTH) return qn_fail_at(e, QN_ERECIPE, pos, "recipes use each other more than %d deep (a circle?)", MAX_USE_DEPTH);
    qn_code rc = qn_planner_load(qn_planner_arena(p), use->text.p, p->plan->dir, &text, &file, &dir, e);
    if (rc != QN_OK) { e->pos = use->pos; return rc; }
    QN_TRY(qn_yaml_parse(text, file, 0, qn_planner_arena(p), &root, e));
    const qn_ynode *decls = qn_yaml_get(root, "params"), *steps = qn_yaml_get(root, "steps");
    if (!steps) return qn_fail_at(e, QN_ERECIPE, use->pos, "the recipe `%s` has no steps", use->text.p);
    qn_ynode *map = QN_ARENA_NEW(qn_planner_arena(p), qn_ynode);
    map->kind = QN_Y_MAP;
    size_t n = decls ? decls->n : 0;
    map->keys = QN_ARENA_NEW_N(qn_planner_arena(p), qn_ynode *, n + 1);
    map->items = QN_ARENA_NEW_N(qn_planner_arena(p), qn_ynode *, n + 1);
    for (size_t i = 0; with && i < with->n; i++)
        if (!qn_yaml_get(decls, with->keys[i]->text.p)) return qn_planner_unknown_param(decls, with->keys[i]->text, with->keys[i]->pos, e);
    for (size_t i = 0; i < n; i++) {
        qn_ynode *v = qn_yaml_get(with, decls->keys[i]->text.p);
        if (!v) v = qn_yaml_get(decls->items[i], "default");
        if (!v) v = qn_planner_scalar(p, (qn_str){ "", 0 }, pos);      /* only steps that are left out may need it: `read` of a body that gets rows */
        map->keys[i] = decls->keys[i];
        map->items[i] = qn_planner_truth(p, decls->items[i], v);
    }
    map->n = n;
    qn_scope inner = { .params = map, .depth = sc->depth + 1,
                    .prefix = name.n ? qn_arena_printf(qn_planner_arena(p), "%.*s.", QN_FMT(name)).p
                                     : qn_arena_printf(qn_planner_arena(p), "%s%s.", sc->prefix, use->text.p).p };
    qn_ynode *body = (qn_ynode *)steps, *cut = QN_ARENA_NEW(qn_planner_arena(p), qn_ynode);
    *cut = *body;
    /* Rows that flow in take the place of its first step when that is a source; its last step is left out when it is a sink. */
    if (flow->n && cut->n && cut->items[0]->kind == QN_Y_MAP && cut->items[0]->n) {
        const qn_op *first = qn_op_find(cut->items[0]->keys[0]->text);
        if (first && first->stage == QN_SOURCE) { cut->items++; cut->n--; }
    }
    if (cut->n && cut->items[cut->n - 1]->kind == QN_Y_MAP && cut->items[cut->n - 1]->n) {
        const qn_op *last = qn_op_find(cut->items[cut->n - 1]->keys[0]->text);
        if (last && last->stage == QN_SINK) cut->n--;
    }
    return qn_planner_steps(p, &inner, cut, flow, e);
}

/* ---- an ordinary step ---- */
static const qn_param *model_param(const qn_op *op)
{
    for (const qn_param *q = op->params; q && q->name; q++)
        if (q->type == QN_P_MODEL) return q;
    return NULL;
}

/* A step whose role is `builtin` becomes the operator that `without:` names. */
static qn_code swap_builtin(qn_planner *p, const qn_op **op, const qn_ynode **given, qn_pos pos, qn_err *e)
{
    const qn_param *mp = model_param(*op);
    const qn_ynode *where = mp && *given && (*given)->kind == QN_Y_MAP ? qn_yaml_get(*given, mp->name) : NULL;
    const qn_ynode *instead = mp && *given && (*given)->kind == QN_Y_MAP ? qn_yaml_get(*given, "without") : NULL;
    if (!where || (*op)->stage == QN_TRAIN) return QN_OK;           /* a training without a base begins anew */
    const qn_model *m;
    bind_arg arg = { p };
    QN_TRY(find_model(&arg, where->text, where->pos, &m, e));
    const qn_op *swap = NULL;
    const qn_ynode *swap_given = NULL;
    if (instead) {
        qn_str word = instead->kind == QN_Y_MAP && instead->n == 1 ? instead->keys[0]->text : instead->text;
        if (instead->kind == QN_Y_MAP && instead->n == 1) swap_given = instead->items[0];
        swap = qn_op_find(word);
        if (!swap) {
            qn_fail_at(e, QN_ERECIPE, instead->pos, "no operator is called `%.*s`", QN_FMT(word));
            if (qn_op_nearest(word)) qn_hint(e, "did you mean `%s`?", qn_op_nearest(word));
            return QN_ERECIPE;
        }
    }
    if (m && !m->builtin) {
        *given = without_key(p, *given, "without");
        return QN_OK;
    }
    if (!swap && mp->deflt && !*mp->deflt) {        /* it works without one */
        *given = without_key(p, *given, mp->name);
        return QN_OK;
    }
    if (!swap) {
        qn_fail_at(e, QN_ERECIPE, pos, "`%s` needs a model here: nothing built in can do this step", (*op)->name);
        qn_hint(e, "give one: --model %.*s=http://HOST:PORT/v1#NAME", QN_FMT(where->text));
        return QN_ERECIPE;
    }
    *op = swap;
    *given = swap_given;
    return QN_OK;
}

/* ---- models that a step trains ---- */
/* star.2.level of `rounds` is star.level as well. */
static bool is_of_rounds(const char *role, qn_str word)
{
    const char *dot = memchr(word.p, '.', word.n);
    size_t head = dot ? (size_t)(dot - word.p) + 1 : 0, digits = 0;
    if (!dot || strncmp(role, word.p, head) != 0) return false;
    while (isdigit((unsigned char)role[head + digits])) digits++;
    return digits && role[head + digits] == '.' && qn_str_is(qn_str_sub(word, head, word.n), role + head + digits + 1);
}

qn_ynode *qn_planner_trained(qn_planner *p, const qn_scope *sc, qn_str word, qn_pos pos)
{
    for (const qn_scope *in = sc; in; in = in->outer) {
        qn_str full = qn_arena_printf(qn_planner_arena(p), "%s%.*s", in->prefix, QN_FMT(word));
        for (int i = p->plan->n_roles - 1; i >= 0; i--) {
            const qn_role *r = &p->plan->roles[i];
            if (r->trained && (qn_str_is(full, r->name) || qn_str_is(word, r->name) || is_of_rounds(r->name, full))) return qn_planner_scalar(p, qn_str_of(r->name), pos);
        }
    }
    return NULL;
}

/* From here on the step's name is a role. */
static void give_model(qn_planner *p, qn_step *s)
{
    qn_plan *plan = p->plan;
    qn_role *roles = QN_ARENA_NEW_N(qn_planner_arena(p), qn_role, plan->n_roles + 1);
    if (plan->n_roles) memcpy(roles, plan->roles, (size_t)plan->n_roles * sizeof *roles);
    qn_model *m = QN_ARENA_NEW(qn_planner_arena(p), qn_model);
    const char *name = qn_arena_str(qn_planner_arena(p), s->name).p;
    *m = (qn_model){ .role = name, .name = name, .identity = "not trained yet", .folder = "", .priced = true, .stream = 0, .structured = -1 };
    roles[plan->n_roles] = (qn_role){ .name = name, .model = m, .trained = true };
    plan->roles = roles;
    plan->n_roles++;
    s->gives = m;
}

/* Have all rows that leave `step` waited for this model already? */
static bool has_waited(qn_planner *p, int step, const qn_model *m)
{
    const qn_step *s = qn_planner_step(p, step);
    bool any = false;
    if (s->op && qn_str_is(qn_str_of(s->op->name), "after_training") && *(const qn_model *const *)s->params == m) return true;
    for (int i = 0; i < step; i++)
        for (int k = 0; k < qn_planner_step(p, i)->n_next; k++) {
            if (qn_planner_step(p, i)->next[k] != step) continue;
            if (!has_waited(p, i, m)) return false;
            any = true;
        }
    return any;
}

static bool inlet_has_waited(qn_planner *p, const qn_inlet *flow, const qn_model *m)
{
    for (int i = 0; i < flow->n; i++) if (!has_waited(p, flow->from[i], m)) return false;
    return true;
}

/* Is a `repeat` or `grow` being planned? Its rows go round and cannot be kept until all are there. */
static bool in_a_loop(qn_planner *p)
{
    for (int i = 0; i < p->plan->n_steps; i++) {
        const qn_step *s = qn_planner_step(p, i);
        if (s->partner < 0 && (s->kind == QN_STEP_LOOP || (s->op && qn_str_is(qn_str_of(s->op->name), "grow")))) return true;
    }
    return false;
}

/* Rows stay here until the model of `role` is there; v names it in the recipe. */
static qn_code wait_for(qn_planner *p, const qn_role *role, const qn_ynode *v, qn_pos pos, qn_inlet *flow, qn_err *e)
{
    if (inlet_has_waited(p, flow, role->model)) return QN_OK;
    if (in_a_loop(p)) {                         /* wait_before_loop saw to it, unless a recipe's default names the model */
        qn_fail_at(e, QN_ERECIPE, v->pos, "`%s` is trained by a step of this recipe: rows cannot wait for it inside `repeat` or `grow`", role->name);
        qn_hint(e, "let a step before the loop name it");
        return QN_ERECIPE;
    }
    qn_str name = qn_arena_printf(qn_planner_arena(p), "after.%s", role->name);
    for (int k = 2; name_taken(p, name); k++) name = qn_arena_printf(qn_planner_arena(p), "after.%s#%d", role->name, k);
    qn_step *s = new_step(p, QN_STEP_OP, name, pos);
    int at = s->index;
    s->op = qn_op_find(QN_STR("after_training"));
    s->in = type_of_inlet(p, flow);
    QN_TRY(bind_step(p, s, v, e));
    connect(p, flow, at);
    *flow = (qn_inlet){ { at }, 1 };
    return QN_OK;
}

static qn_code wait_for_named(qn_planner *p, const qn_ynode *v, qn_pos pos, qn_inlet *flow, qn_err *e)
{
    for (int i = 0; v && i < p->plan->n_roles; i++)
        if (p->plan->roles[i].trained && qn_str_is(v->text, p->plan->roles[i].name)) QN_TRY(wait_for(p, &p->plan->roles[i], v, pos, flow, e));
    return QN_OK;
}

/* A step that names a model of an earlier step gets its rows when that model is there. */
static qn_code wait_for_models(qn_planner *p, const qn_op *op, const qn_ynode *given, qn_pos pos, qn_inlet *flow, qn_err *e)
{
    if (!given || given->kind != QN_Y_MAP || op->stage == QN_TRAIN || flow->n == 0) return QN_OK;
    for (const qn_param *q = op->params; q && q->name; q++)
        if (q->type == QN_P_MODEL) QN_TRY(wait_for_named(p, qn_yaml_get(given, q->name), pos, flow, e));
    return QN_OK;
}

/* Rows that go round cannot be kept until all are there, so those of a loop wait before it for every model that a step inside names. */
static qn_code wait_before_loop(qn_planner *p, const qn_ynode *steps, qn_pos pos, qn_inlet *flow, qn_err *e)
{
    for (size_t i = 0; i < steps->n; i++) {
        const qn_ynode *step = steps->items[i];
        for (size_t k = 0; step->kind == QN_Y_MAP && k < step->n; k++) {
            const qn_ynode *given = step->items[k], *inner = given->kind == QN_Y_MAP ? qn_yaml_get(given, "steps") : NULL, *with = given->kind == QN_Y_MAP ? qn_yaml_get(given, "with") : NULL;
            const qn_op *op = qn_op_find(step->keys[k]->text);
            if (inner && inner->kind == QN_Y_LIST) QN_TRY(wait_before_loop(p, inner, pos, flow, e));
            for (size_t w = 0; with && with->kind == QN_Y_MAP && w < with->n; w++) QN_TRY(wait_for_named(p, with->items[w], pos, flow, e));
            if (op) QN_TRY(wait_for_models(p, op, given, pos, flow, e));
        }
    }
    return QN_OK;
}

/* A step that takes all rows before it gives any cannot stand in a loop: in `repeat` rows go round one by one, and a round of `grow` ends when its rows have. */
static qn_code refuse_gather_in_loop(qn_planner *p, const qn_op *op, qn_pos pos, qn_err *e)
{
    if (!op->absorb || !op->next || !in_a_loop(p)) return QN_OK;
    qn_fail_at(e, QN_ERECIPE, pos, "`%s` takes all rows before it gives any: it cannot stand inside `repeat` or `grow`", op->name);
    qn_hint(e, "put it before the loop or behind it%s", op->stage == QN_TRAIN ? "; `rounds` trains anew in each round" : "");
    return QN_ERECIPE;
}

static qn_code plan_op(qn_planner *p, const qn_scope *sc, const qn_op *op, const qn_ynode *given, const qn_ynode *when, qn_str name, bool named,
                       qn_pos pos, qn_inlet *flow, qn_err *e)
{
    const qn_op *asked = op;
    QN_TRY(swap_builtin(p, &op, &given, pos, e));
    if (op != asked && sc && !named) QN_TRY(step_name(p, sc, NULL, qn_str_of(op->name), &name, e));     /* what it does, not what it stands for */
    bool source = op->stage == QN_SOURCE && op->next && !op->absorb;
    if (!source && flow->n == 0) {
        qn_fail_at(e, QN_ERECIPE, pos, "`%s` has no rows to work on", op->name);
        qn_hint(e, "a recipe begins with a source: read_rows, read_docs, read_tables, ...");
        return QN_ERECIPE;
    }
    QN_TRY(refuse_gather_in_loop(p, op, pos, e));
    if (!source) QN_TRY(wait_for_models(p, op, given, pos, flow, e));
    const qn_type *in = source ? NULL : type_of_inlet(p, flow);
    qn_step *s = new_step(p, QN_STEP_OP, name, pos);
    int at = s->index;
    s->op = op;
    s->in = in;
    if (when && !source) {
        const qn_type *gives;
        bool many;
        QN_TRY(qn_expr_compile(when->text, when->inner, qn_planner_arena(p), &qn_planner_step(p, at)->when, e));
        QN_TRY(qn_expr_check(qn_planner_step(p, at)->when, in, qn_planner_arena(p), &gives, &many, e));
        QN_TRY(qn_bind_condition("`when`", gives, when->text, when->pos, e));
    }
    QN_TRY(bind_step(p, qn_planner_step(p, at), given, e));
    if (qn_planner_step(p, at)->when) qn_planner_step(p, at)->out = qn_type_join(in, qn_planner_step(p, at)->out, qn_planner_arena(p));
    if (!source) connect(p, flow, at);
    if (op->flags & QN_OP_GIVES_MODEL) give_model(p, qn_planner_step(p, at));
    *flow = op->stage == QN_SINK ? (qn_inlet){ { 0 }, 0 } : (qn_inlet){ { at }, 1 };
    return QN_OK;
}

static qn_code unknown_op(qn_str word, qn_pos pos, qn_err *e)
{
    const char *near = qn_op_nearest(word);
    qn_fail_at(e, QN_ERECIPE, pos, "no operator is called `%.*s`", QN_FMT(word));
    if (near) qn_hint(e, "did you mean `%s`? `quern ops` lists all", near);
    else qn_hint(e, "`quern ops` lists all");
    return QN_ERECIPE;
}

static bool is_block(qn_str word) { return qn_str_is(word, "recipe") || qn_str_is(word, "rounds") || qn_str_is(word, "repeat") || qn_str_is(word, "grow"); }

/* A step that becomes several: its name stands for the rows that leave it. */
static qn_code plan_block(qn_planner *p, const qn_scope *sc, const qn_ynode *word, const qn_ynode *given, qn_str name, bool named, qn_inlet *flow, qn_err *e)
{
    if (qn_str_is(word->text, "recipe")) QN_TRY(plan_use(p, sc, given, named ? name : (qn_str){0}, word->pos, flow, e));
    else if (qn_str_is(word->text, "rounds")) QN_TRY(qn_planner_rounds(p, sc, given, name, word->pos, flow, e));
    else if (qn_str_is(word->text, "repeat")) QN_TRY(plan_repeat(p, sc, given, name, word->pos, flow, e));
    else QN_TRY(plan_grow(p, sc, given, name, word->pos, flow, e));
    qn_named_rows *b = QN_ARENA_NEW(qn_planner_arena(p), qn_named_rows);
    *b = (qn_named_rows){ p->blocks, name, *flow };
    p->blocks = b;
    return QN_OK;
}

static qn_code plan_step(qn_planner *p, const qn_scope *sc, const qn_ynode *raw, qn_inlet *flow, qn_err *e)
{
    const qn_ynode *given = NULL, *word = NULL, *name_node = NULL, *from = NULL, *when = NULL;
    if (p->plan->n_steps >= MAX_STEPS) return qn_fail_at(e, QN_ERECIPE, raw->pos, "more than %d steps", MAX_STEPS);
    if (raw->kind == QN_Y_SCALAR) {                                  /* `- shuffle` */
        word = raw;
    } else if (raw->kind != QN_Y_MAP) {
        return qn_fail_at(e, QN_ERECIPE, raw->pos, "a step is a map with an operator's name"), qn_hint(e, "- keep: {where: ...}"), QN_ERECIPE;
    }
    for (size_t i = 0; raw->kind == QN_Y_MAP && i < raw->n; i++) {
        qn_ynode *k = raw->keys[i];
        if (qn_str_is(k->text, "name")) name_node = raw->items[i];
        else if (qn_str_is(k->text, "from")) from = raw->items[i];
        else if (qn_str_is(k->text, "when")) when = raw->items[i];
        else if (word) {
            qn_fail_at(e, QN_ERECIPE, k->pos, "a step has one operator: `%.*s` and `%.*s` are two", QN_FMT(word->text), QN_FMT(k->text));
            qn_hint(e, "begin the second step with `- `; a parameter stands below its operator, moved in");
            return QN_ERECIPE;
        }
        else { word = k; given = raw->items[i]; }
    }
    if (!word) {
        qn_fail_at(e, QN_ERECIPE, raw->pos, "a step without an operator");
        qn_hint(e, "beside name, from and when stands one operator: `quern ops` lists them");
        return QN_ERECIPE;
    }
    qn_ynode *filled = (qn_ynode *)given, *read = NULL;
    if (given && !qn_str_is(word->text, "rounds")) QN_TRY(qn_planner_fill_in(p, sc, given, &filled, e));    /* what stands in rounds is filled in round by round */
    if (from) {
        QN_TRY(qn_planner_fill_in(p, sc, from, &read, e));
        QN_TRY(read_from(p, sc, read, flow, e));
    }
    qn_str name;
    QN_TRY(step_name(p, sc, name_node, word->text, &name, e));
    if (when && (is_block(word->text) || qn_str_is(word->text, "join"))) {
        qn_fail_at(e, QN_ERECIPE, when->pos, "`%.*s` takes all rows: `when` cannot stand here", QN_FMT(word->text));
        qn_hint(e, "give `when` to the steps inside, or branch: name the step before and read it with from:");
        return QN_ERECIPE;
    }
    if (is_block(word->text)) return plan_block(p, sc, word, filled, name, name_node != NULL, flow, e);
    if (qn_str_is(word->text, "join")) return plan_join(p, filled, name, word->pos, flow, e);
    const qn_op *op = qn_op_find(word->text);
    if (!op) return unknown_op(word->text, word->pos, e);
    return plan_op(p, sc, op, filled, when, name, name_node != NULL, word->pos, flow, e);
}

qn_code qn_planner_steps(qn_planner *p, const qn_scope *sc, const qn_ynode *list, qn_inlet *flow, qn_err *e)
{
    if (list->kind != QN_Y_LIST || list->n == 0) {
        qn_fail_at(e, QN_ERECIPE, list->pos, list->kind == QN_Y_LIST ? "`steps` is empty" : "`steps` is a list");
        qn_hint(e, "each step begins with `- `; the first is a source: - read_rows: {path: ...}");
        return QN_ERECIPE;
    }
    for (size_t i = 0; i < list->n; i++) QN_TRY(plan_step(p, sc, list->items[i], flow, e));
    return QN_OK;
}

/* The file of a step that writes one; NULL: it writes none. */
static const char *file_of(const qn_step *s)
{
    if (!s->op || s->op->stage != QN_SINK) return NULL;
    for (const qn_param *q = s->op->params; q && q->name; q++)
        if (strcmp(q->name, "to") == 0 && q->type == QN_P_PATH) return *(const char *const *)((const char *)s->params + q->offset);
    return NULL;
}

/* Two steps that write the same file would take it from each other, after all is paid for. */
static qn_code each_its_file(qn_planner *p, qn_err *e)
{
    for (int i = 0; i < p->plan->n_steps; i++)
        for (int k = 0; k < i; k++) {
            const qn_step *a = qn_planner_step(p, k), *b = qn_planner_step(p, i);
            const char *to = file_of(a), *same = file_of(b);
            if (!to || !same || strcmp(to, same) != 0 || strcmp(to, "-") == 0) continue;
            qn_fail_at(e, QN_ERECIPE, b->pos, "`%.*s` and `%.*s` both write %s", QN_FMT(a->name), QN_FMT(b->name), to);
            qn_hint(e, "give one of them another name: write: {to: ...}; or bring the rows together first: from: [%.*s, ...]", QN_FMT(a->name));
            return QN_ERECIPE;
        }
    return QN_OK;
}

/* A training that ends a recipe which wrote its rows before: what is said about its model goes to a file of its own. */
static bool only_a_model(qn_planner *p, const qn_inlet *flow)
{
    bool wrote = false;
    for (int i = 0; i < p->plan->n_steps; i++) wrote |= qn_planner_step(p, i)->op && qn_planner_step(p, i)->op->stage == QN_SINK;
    return wrote && flow->n == 1 && qn_planner_step(p, flow->from[0])->gives;
}

/* Rows that no step takes: the last step's go to `write`, others are a mistake. */
qn_code qn_planner_close_ends(qn_planner *p, qn_inlet *flow, qn_err *e)
{
    if (flow->n && !only_a_model(p, flow)) {
        const qn_op *w = qn_op_find(QN_STR("write"));
        QN_ASSERT(w);
        qn_pos pos = qn_planner_step(p, flow->from[0])->pos;
        QN_TRY(plan_op(p, NULL, w, NULL, NULL, QN_STR("write"), true, pos, flow, e));
    }
    for (int i = 0; i < p->plan->n_steps; i++) {
        qn_step *s = qn_planner_step(p, i);
        if (s->n_next || (s->op && s->op->stage == QN_SINK)) continue;
        if (s->gives) {                         /* what is said about a model that only other steps use */
            qn_inlet own = { { i }, 1 };
            qn_ynode *to = QN_ARENA_NEW(qn_planner_arena(p), qn_ynode), *key = qn_planner_scalar(p, QN_STR("to"), s->pos);
            *to = (qn_ynode){ .kind = QN_Y_MAP, .n = 1, .pos = s->pos };
            to->keys = QN_ARENA_NEW_N(qn_planner_arena(p), qn_ynode *, 1);
            to->items = QN_ARENA_NEW_N(qn_planner_arena(p), qn_ynode *, 1);
            to->keys[0] = key;
            to->items[0] = qn_planner_scalar(p, qn_arena_printf(qn_planner_arena(p), "model.%.*s.jsonl", QN_FMT(s->name)), s->pos);
            qn_str name = qn_arena_printf(qn_planner_arena(p), "about.%.*s", QN_FMT(s->name));
            QN_TRY(plan_op(p, NULL, qn_op_find(QN_STR("write")), to, NULL, name, true, s->pos, &own, e));
            continue;
        }
        qn_fail_at(e, QN_ERECIPE, s->pos, "the rows of step `%.*s` go nowhere", QN_FMT(s->name));
        qn_hint(e, "name it in a later step's `from:`, or leave it out");
        return QN_ERECIPE;
    }
    return each_its_file(p, e);
}

