/* plan: from YAML to typed steps.
 *
 *   text -> tree -> parameters filled in -> steps in order (recipes inlined, loops flattened) -> parameters bound, types carried along
 */
#include "recipe/plan.h"
#include "core/file.h"
#include "recipe/bind.h"
#include <ctype.h>
#include <stdio.h>

enum { MAX_STEPS = 1000, MAX_USE_DEPTH = 8 };

typedef struct scope {          /* one recipe's text being planned: the outermost, or one that is used */
    struct scope *outer;
    const qn_ynode *params;     /* name -> value node, after defaults */
    const char *prefix;         /* before the names of its steps: "" or "use." */
    int depth;
} scope;

typedef struct planner {
    qn_plan *plan;
    const qn_plan_opts *o;
    size_t cap_steps;
} planner;

static qn_arena *arena_of(planner *p) { return &p->plan->arena; }

/* ---- parameters ---- */
static bool is_word(qn_str s)
{
    if (s.n == 0 || !(isalpha((unsigned char)s.p[0]) || s.p[0] == '_')) return false;
    for (size_t i = 1; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '_') return false;
    return true;
}

static qn_ynode *scalar(planner *p, qn_str text, qn_pos pos)
{
    qn_ynode *n = QN_ARENA_NEW(arena_of(p), qn_ynode);
    n->text = text;
    n->pos = pos;
    return n;
}

static qn_code check_param_value(const qn_ynode *decl, qn_str name, const qn_ynode *v, qn_err *e)
{
    const qn_ynode *type = qn_yaml_get(decl, "type");
    int64_t i;
    double d;
    if (!type || v->kind != QN_Y_SCALAR) return QN_OK;
    if (qn_str_is(type->text, "int") && !qn_str_to_i64(v->text, &i) && !qn_size_of_text(v->text, &i))
        return qn_fail_at(e, QN_ERECIPE, v->pos, "the parameter `%.*s` is `%.*s`, a whole number is needed", QN_FMT(name), QN_FMT(v->text));
    if (qn_str_is(type->text, "real") && !qn_str_to_f64(v->text, &d))
        return qn_fail_at(e, QN_ERECIPE, v->pos, "the parameter `%.*s` is `%.*s`, a number is needed", QN_FMT(name), QN_FMT(v->text));
    if (qn_str_is(type->text, "bool") && !qn_str_is(v->text, "yes") && !qn_str_is(v->text, "no") && !qn_str_is(v->text, "true")
        && !qn_str_is(v->text, "false"))
        return qn_fail_at(e, QN_ERECIPE, v->pos, "the parameter `%.*s` is `%.*s`, yes or no is needed", QN_FMT(name), QN_FMT(v->text));
    return QN_OK;
}

static qn_code unknown_param(const qn_ynode *decls, qn_str name, qn_pos pos, qn_err *e)
{
    const char *names[64];
    size_t n = 0;
    qn_buf list = {0};
    for (size_t i = 0; decls && i < decls->n && n < 64; i++) {
        names[n++] = decls->keys[i]->text.p;
        qn_buf_printf(&list, "%s%s", i ? ", " : "", decls->keys[i]->text.p);
    }
    const char *near = qn_nearest(name, names, n);
    qn_fail_at(e, QN_ERECIPE, pos, "the recipe has no parameter `%.*s`", QN_FMT(name));
    if (near) qn_hint(e, "did you mean `%s`?", near);
    else qn_hint(e, "its parameters are: %s", list.p ? list.p : "none");
    qn_buf_free(&list);
    return QN_ERECIPE;
}

static bool is_model_param(const qn_ynode *decl)
{
    const qn_ynode *type = qn_yaml_get(decl, "type");
    return type && qn_str_is(type->text, "model");
}

static const qn_setting *setting_of(const qn_setting *s, size_t n, qn_str name)
{
    const qn_setting *found = NULL;
    for (size_t i = 0; i < n; i++)
        if (qn_str_eq(s[i].name, name)) found = &s[i];      /* the last one wins */
    return found;
}

/* The values of the outermost recipe's parameters: command line, else default. A map node of name -> value. */
static qn_code outer_params(planner *p, const qn_ynode *decls, qn_ynode **out, qn_err *e)
{
    qn_pos cmd = { .file = "command line" };
    qn_ynode *map = QN_ARENA_NEW(arena_of(p), qn_ynode);
    map->kind = QN_Y_MAP;
    size_t n = decls ? decls->n : 0;
    map->keys = QN_ARENA_NEW_N(arena_of(p), qn_ynode *, n + 1);
    map->items = QN_ARENA_NEW_N(arena_of(p), qn_ynode *, n + 1);
    for (size_t i = 0; i < p->o->n_settings; i++) {
        bool known = false;
        for (size_t k = 0; k < n && !known; k++) known = qn_str_eq(decls->keys[k]->text, p->o->settings[i].name);
        if (!known) return unknown_param(decls, p->o->settings[i].name, cmd, e);
    }
    for (size_t i = 0; i < p->o->n_models; i++) {
        bool known = false;
        for (size_t k = 0; k < n && !known; k++)
            known = qn_str_eq(decls->keys[k]->text, p->o->models[i].name) && is_model_param(decls->items[k]);
        if (!known) {
            unknown_param(decls, p->o->models[i].name, cmd, e);
            for (size_t k = 0; k < n; k++)
                if (is_model_param(decls->items[k])) qn_hint(e, "a model of this recipe is called `%s`: --model %s=...", decls->keys[k]->text.p, decls->keys[k]->text.p);
            return QN_ERECIPE;
        }
    }
    for (size_t i = 0; i < n; i++) {
        qn_str name = decls->keys[i]->text;
        const qn_ynode *decl = decls->items[i], *about = qn_yaml_get(decl, "about");
        const qn_setting *s = is_model_param(decl) ? setting_of(p->o->models, p->o->n_models, name) : NULL;
        if (!s) s = setting_of(p->o->settings, p->o->n_settings, name);
        qn_ynode *v = s ? scalar(p, qn_arena_str(arena_of(p), s->value), cmd) : qn_yaml_get(decl, "default");
        if (!v) {
            qn_fail_at(e, QN_ERECIPE, cmd, "the recipe needs `%.*s`", QN_FMT(name));
            if (is_model_param(decl)) qn_hint(e, "give a model: --model %.*s=http://HOST:PORT/v1#NAME", QN_FMT(name));
            else qn_hint(e, "%.*s=VALUE%s%s", QN_FMT(name), about ? ": " : "", about ? about->text.p : "");
            return QN_ERECIPE;
        }
        QN_TRY(check_param_value(decl, name, v, e));
        map->keys[map->n] = decls->keys[i];
        map->items[map->n++] = v;
    }
    *out = map;
    return QN_OK;
}

/* The parameter `word` as it is written in an expression: a number or truth value as it stands, anything else as a text in quotes. */
static void put_literal(qn_buf *b, const qn_ynode *v, qn_arena *a)
{
    qn_value x = qn_yaml_value(v, a);
    if (v->kind == QN_Y_SCALAR && x.kind == QN_V_NULL) x = qn_v_text(v->text);
    qn_json_write(b, x);
}

static size_t word_length(qn_str s, size_t from)
{
    size_t n = from;
    while (n < s.n && (isalnum((unsigned char)s.p[n]) || s.p[n] == '_')) n++;
    return n - from;
}

/* `$name` inside an expression, or inside a template's holes, is the parameter's value; a variable of the expression's own (`as $name`) is left alone, and
 * so is everything in quotes. */
static qn_str fill_in_text(planner *p, const scope *sc, qn_str s)
{
    bool holes = qn_str_find(s, QN_STR("{{")) >= 0, inside = !holes, quoted = false;
    qn_buf b = {0};
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (holes && !quoted && i + 1 < s.n && c == '{' && s.p[i + 1] == '{') { inside = true; i++; continue; }
        if (holes && !quoted && inside && i + 1 < s.n && c == '}' && s.p[i + 1] == '}') { inside = false; i++; continue; }
        if (!inside) continue;
        if (quoted && c == '\\') { i++; continue; }
        if (c == '"') quoted = !quoted;
        if (quoted || c != '$') continue;
        size_t n = word_length(s, i + 1);
        qn_str word = qn_arena_str(arena_of(p), qn_str_sub(s, i + 1, i + 1 + n));
        const qn_ynode *v = n ? qn_yaml_get(sc->params, word.p) : NULL;
        qn_str bound = qn_arena_printf(arena_of(p), "as $%s", word.p);
        if (!v || qn_str_find(s, bound) >= 0) continue;
        qn_buf_str(&b, qn_str_sub(s, from, i));
        put_literal(&b, v, arena_of(p));
        from = i + 1 + n;
        i = from - 1;
    }
    if (from == 0) { qn_buf_free(&b); return s; }
    qn_buf_str(&b, qn_str_sub(s, from, s.n));
    qn_str out = qn_arena_str(arena_of(p), qn_buf_view(&b));
    qn_buf_free(&b);
    return out;
}

/* A copy of the tree in which every value that is exactly `$name` is that parameter's value. */
static qn_code fill_in(planner *p, const scope *sc, const qn_ynode *n, qn_ynode **out, qn_err *e)
{
    if (n->kind == QN_Y_SCALAR) {
        *out = (qn_ynode *)n;
        if (n->text.n < 2) return QN_OK;
        if (n->text.p[0] != '$' || !is_word(qn_str_sub(n->text, 1, n->text.n))) {
            qn_str filled = n->text.p[0] == '$' && n->text.p[1] == '$' ? n->text : fill_in_text(p, sc, n->text);
            if (filled.p != n->text.p) {
                *out = scalar(p, filled, n->pos);
                (*out)->quoted = n->quoted;
                return QN_OK;
            }
        }
        if (n->text.p[0] != '$') return QN_OK;
        qn_str word = qn_str_sub(n->text, 1, n->text.n);
        if (word.p[0] == '$') {                                     /* $$ is a dollar sign */
            *out = scalar(p, word, n->pos);
            (*out)->quoted = n->quoted;
            return QN_OK;
        }
        if (!is_word(word)) return QN_OK;
        char *z = qn_arena_str(arena_of(p), word).p ? (char *)(uintptr_t)qn_arena_str(arena_of(p), word).p : NULL;
        qn_ynode *v = qn_yaml_get(sc->params, z);
        if (!v) return unknown_param(sc->params, word, n->pos, e);
        *out = v;
        return QN_OK;
    }
    qn_ynode *c = QN_ARENA_NEW(arena_of(p), qn_ynode);
    *c = *n;
    c->items = QN_ARENA_NEW_N(arena_of(p), qn_ynode *, n->n + 1);
    for (size_t i = 0; i < n->n; i++) {
        bool command = n->kind == QN_Y_MAP && (qn_str_is(n->keys[i]->text, "run") || qn_str_is(n->keys[i]->text, "command"));
        if (command && n->items[i]->kind == QN_Y_SCALAR && !is_word(qn_str_sub(n->items[i]->text, n->items[i]->text.n ? 1 : 0, n->items[i]->text.n)))
            c->items[i] = n->items[i];          /* a shell's own $variables */
        else QN_TRY(fill_in(p, sc, n->items[i], &c->items[i], e));
    }
    *out = c;
    return QN_OK;
}

/* ---- steps ---- */
static qn_step *step_at(planner *p, int i) { return &p->plan->steps[i]; }

static void add_edge(planner *p, int from, int to)
{
    qn_step *s = step_at(p, from);
    int *bigger = QN_ARENA_NEW_N(arena_of(p), int, s->n_next + 1);
    if (s->n_next) memcpy(bigger, s->next, sizeof(int) * (size_t)s->n_next);
    bigger[s->n_next++] = to;
    s->next = bigger;
    step_at(p, to)->n_from++;
}

static bool name_taken(planner *p, qn_str name)
{
    for (int i = 0; i < p->plan->n_steps; i++)
        if (qn_str_eq(step_at(p, i)->name, name)) return true;
    return false;
}

/* A name that no other step has: the one given, or the operator's word, or word#2, word#3, ... */
static qn_code step_name(planner *p, const scope *sc, const qn_ynode *given, qn_str word, qn_str *out, qn_err *e)
{
    qn_arena *a = arena_of(p);
    if (given) {
        *out = qn_arena_printf(a, "%s%.*s", sc->prefix, QN_FMT(given->text));
        if (name_taken(p, *out)) return qn_fail_at(e, QN_ERECIPE, given->pos, "two steps are called `%.*s`", QN_FMT(*out));
        return QN_OK;
    }
    *out = qn_arena_printf(a, "%s%.*s", sc->prefix, QN_FMT(word));
    for (int k = 2; name_taken(p, *out); k++) *out = qn_arena_printf(a, "%s%.*s#%d", sc->prefix, QN_FMT(word), k);
    return QN_OK;
}

static qn_step *new_step(planner *p, qn_step_kind kind, qn_str name, qn_pos pos)
{
    qn_plan *plan = p->plan;
    QN_GROW(plan->steps, plan->n_steps, p->cap_steps);
    qn_step *s = &plan->steps[plan->n_steps];
    *s = (qn_step){ .kind = kind, .index = plan->n_steps++, .name = name, .pos = pos, .partner = -1 };
    return s;
}

typedef struct bind_arg { planner *p; } bind_arg;

static qn_code find_model(void *arg, qn_str where, qn_pos pos, const qn_model **out, qn_err *e)
{
    planner *p = ((bind_arg *)arg)->p;
    qn_plan *plan = p->plan;
    for (int i = 0; i < plan->n_roles; i++)
        if (qn_str_is(where, plan->roles[i].name)) { *out = plan->roles[i].model; return QN_OK; }
    char *z = qn_strz(where);
    qn_code rc = p->o->registry ? qn_models_resolve(p->o->registry, z, z, out, e)
                                : qn_fail_at(e, QN_ERECIPE, pos, "no models can be used here");
    qn_free(z);
    if (rc != QN_OK && !e->pos.file) e->pos = pos;
    return rc;
}

static qn_bind bind_for(planner *p, bind_arg *arg, const qn_type *in)
{
    arg->p = p;
    return (qn_bind){ .arena = arena_of(p), .in = in, .dir = p->plan->dir, .arg = arg, .model = find_model };
}

/* Every field that the operator reads must be there and fit. */
static qn_code check_reads(planner *p, const qn_step *s, qn_err *e)
{
    const qn_type *want;
    if (!s->op->reads || !s->in) return QN_OK;
    QN_TRY(qn_type_parse_fields(qn_str_of(s->op->reads), arena_of(p), &want, e));
    for (size_t i = 0; i < want->n_fields; i++) {
        const qn_type_field *f = &want->fields[i];
        const qn_type *have = qn_type_field_of(s->in, f->name);
        if (have && qn_type_fits(have, f->type)) continue;
        if (!have && (f->type->maybe || s->in->open)) continue;
        qn_buf type = {0};
        qn_type_write(&type, have ? have : f->type);
        if (have) qn_fail_at(e, QN_ERECIPE, s->pos, "`%s` reads the field `%.*s`, which is %s here", s->op->name, QN_FMT(f->name), type.p);
        else {
            const char *near = qn_type_nearest_field(s->in, f->name, arena_of(p));
            qn_fail_at(e, QN_ERECIPE, s->pos, "`%s` needs the field `%.*s` (%s), which no step before it makes", s->op->name, QN_FMT(f->name), type.p);
            if (near) qn_hint(e, "there is a field `%s`", near);
        }
        qn_buf_free(&type);
        return QN_ERECIPE;
    }
    return QN_OK;
}

static qn_code type_after(planner *p, const qn_step *s, const qn_type **out, qn_err *e)
{
    static const qn_type nothing = { .kind = QN_T_RECORD };
    const qn_type *adds, *t = s->in ? s->in : &nothing;
    if (s->op->writes) {
        QN_TRY(qn_type_parse_fields(qn_str_of(s->op->writes), arena_of(p), &adds, e));
        for (size_t i = 0; i < adds->n_fields; i++) t = qn_type_with(t, adds->fields[i].name, adds->fields[i].type, arena_of(p));
        if (adds->open) { qn_type *o = QN_ARENA_NEW(arena_of(p), qn_type); *o = *t; o->open = true; t = o; }
    }
    *out = t;
    return QN_OK;
}

static qn_code bind_step(planner *p, qn_step *s, const qn_ynode *given, qn_err *e)
{
    bind_arg arg;
    qn_bind b = bind_for(p, &arg, s->in);
    QN_TRY(qn_bind_params(&b, s->op->name, s->op->params, s->op->params_size, given, s->pos, &s->params, e));
    QN_TRY(check_reads(p, s, e));
    QN_TRY(type_after(p, s, &s->out, e));
    if (s->op->check) {
        qn_check ck = { .arena = arena_of(p), .in = s->in, .out = s->out, .pos = s->pos, .seed = p->o->seed, .recipe_dir = p->plan->dir };
        qn_code rc = s->op->check(&ck, s->params, e);
        if (rc != QN_OK) {
            if (!e->pos.file) e->pos = s->pos;
            return rc;
        }
        s->out = ck.out;
    }
    s->shown = given ? qn_yaml_value(given, arena_of(p)) : qn_v_null();
    return QN_OK;
}

/* What flows into a step: from `from:`, else from the step before. */
typedef struct inlet { int from[16]; int n; } inlet;

static const qn_type *type_of_inlet(planner *p, const inlet *in)
{
    const qn_type *t = NULL;
    for (int i = 0; i < in->n; i++) {
        const qn_type *o = step_at(p, in->from[i])->out;
        t = t ? qn_type_join(t, o, arena_of(p)) : o;
    }
    return t;
}

static qn_code plan_steps(planner *p, const scope *sc, const qn_ynode *list, inlet *flow, qn_err *e);

static qn_code find_from(planner *p, const scope *sc, const qn_ynode *word, int *out, qn_err *e)
{
    const char *names[64];
    size_t n = 0;
    qn_str full = qn_arena_printf(arena_of(p), "%s%.*s", sc->prefix, QN_FMT(word->text));
    for (int i = 0; i < p->plan->n_steps; i++) {
        if (qn_str_eq(step_at(p, i)->name, full)) { *out = i; return QN_OK; }
        if (n < 64) names[n++] = step_at(p, i)->name.p;
    }
    const char *near = qn_nearest(word->text, names, n);
    qn_fail_at(e, QN_ERECIPE, word->pos, "no step before this one is called `%.*s`", QN_FMT(word->text));
    if (near) qn_hint(e, "did you mean `%s`?", near);
    return QN_ERECIPE;
}

static qn_code read_from(planner *p, const scope *sc, const qn_ynode *from, inlet *in, qn_err *e)
{
    in->n = 0;
    size_t n = from->kind == QN_Y_LIST ? from->n : 1;
    if (from->kind == QN_Y_MAP || n > 16 || n == 0) return qn_fail_at(e, QN_ERECIPE, from->pos, "`from` is a step's name or a list of at most 16");
    for (size_t i = 0; i < n; i++) QN_TRY(find_from(p, sc, from->kind == QN_Y_LIST ? from->items[i] : from, &in->from[in->n++], e));
    return QN_OK;
}

static void connect(planner *p, const inlet *in, int to)
{
    for (int i = 0; i < in->n; i++) add_edge(p, in->from[i], to);
}

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
static qn_ynode *without_key(planner *p, const qn_ynode *map, const char *key)
{
    qn_ynode *c = QN_ARENA_NEW(arena_of(p), qn_ynode);
    *c = *map;
    c->keys = QN_ARENA_NEW_N(arena_of(p), qn_ynode *, map->n + 1);
    c->items = QN_ARENA_NEW_N(arena_of(p), qn_ynode *, map->n + 1);
    c->n = 0;
    for (size_t i = 0; i < map->n; i++) {
        if (qn_str_is(map->keys[i]->text, key)) continue;
        c->keys[c->n] = map->keys[i];
        c->items[c->n++] = map->items[i];
    }
    return c;
}

static qn_code plan_repeat(planner *p, const scope *sc, const qn_ynode *given, qn_str name, qn_pos pos, inlet *flow, qn_err *e)
{
    const qn_ynode *steps = qn_yaml_get(given, "steps");
    bind_arg arg;
    if (!steps || steps->kind != QN_Y_LIST || steps->n == 0) return qn_fail_at(e, QN_ERECIPE, pos, "`repeat` needs `steps`, a list");
    if (flow->n == 0) return qn_fail_at(e, QN_ERECIPE, pos, "`repeat` has no rows to repeat over: a source must come first");
    const qn_ynode *rest = without_key(p, given, "steps"), *until = qn_yaml_get(rest, "until");
    const qn_type *in = type_of_inlet(p, flow);
    qn_bind b = bind_for(p, &arg, NULL);
    void *params;
    QN_TRY(qn_bind_params(&b, "repeat", LOOP_PARAMS, sizeof(qn_loop_params), rest, pos, &params, e));
    qn_loop_params *lp = params;
    int begin = new_step(p, QN_STEP_LOOP, name, pos)->index;
    connect(p, flow, begin);
    step_at(p, begin)->in = in;
    step_at(p, begin)->params = lp;
    step_at(p, begin)->out = qn_type_with(in, lp->as, qn_type_simple(QN_T_INT), arena_of(p));
    step_at(p, begin)->shown = qn_yaml_value(rest, arena_of(p));
    inlet body = { { begin }, 1 };
    scope inner = *sc;
    inner.prefix = qn_arena_printf(arena_of(p), "%.*s.", QN_FMT(name)).p;
    QN_TRY(plan_steps(p, &inner, steps, &body, e));
    if (body.n == 0) return qn_fail_at(e, QN_ERECIPE, pos, "the steps of `repeat` end in a sink: nothing can go round");
    int end = new_step(p, QN_STEP_LOOP_END, qn_arena_printf(arena_of(p), "%.*s.end", QN_FMT(name)), pos)->index;
    const qn_type *out = type_of_inlet(p, &body);
    connect(p, &body, end);
    qn_step *last = step_at(p, end);
    last->in = last->out = out;
    last->params = lp;
    last->partner = begin;
    step_at(p, begin)->partner = end;
    if (until) {
        bool many;
        const qn_type *gives;
        QN_TRY(qn_expr_check(lp->until, out, arena_of(p), &gives, &many, e));
    }
    *flow = (inlet){ { end }, 1 };
    return QN_OK;
}

static qn_code plan_grow(planner *p, const scope *sc, const qn_ynode *given, qn_str name, qn_pos pos, inlet *flow, qn_err *e)
{
    const qn_ynode *steps = qn_yaml_get(given, "steps");
    const qn_op *grow = qn_op_find(QN_STR("grow")), *fin = qn_op_find(QN_STR("grow_end"));
    if (!steps || steps->kind != QN_Y_LIST || steps->n == 0) return qn_fail_at(e, QN_ERECIPE, pos, "`grow` needs `steps`, a list");
    if (flow->n == 0) return qn_fail_at(e, QN_ERECIPE, pos, "`grow` has no pool to grow from: a source must come first");
    QN_ASSERT(grow && fin);
    qn_step *s = new_step(p, QN_STEP_OP, name, pos);
    int begin = s->index;
    s->op = grow;
    s->in = type_of_inlet(p, flow);
    connect(p, flow, begin);
    QN_TRY(bind_step(p, step_at(p, begin), without_key(p, given, "steps"), e));
    inlet body = { { begin }, 1 };
    scope inner = *sc;
    inner.prefix = qn_arena_printf(arena_of(p), "%.*s.", QN_FMT(name)).p;
    QN_TRY(plan_steps(p, &inner, steps, &body, e));
    if (body.n == 0) return qn_fail_at(e, QN_ERECIPE, pos, "the steps of `grow` end in a sink: nothing comes back to the pool");
    s = new_step(p, QN_STEP_OP, qn_arena_printf(arena_of(p), "%.*s.pool", QN_FMT(name)), pos);
    int end = s->index;
    s->op = fin;
    s->in = type_of_inlet(p, &body);
    connect(p, &body, end);
    QN_TRY(bind_step(p, step_at(p, end), NULL, e));
    step_at(p, end)->partner = begin;
    step_at(p, begin)->partner = end;
    *flow = (inlet){ { end }, 1 };
    return QN_OK;
}

static qn_code plan_join(planner *p, qn_str name, qn_pos pos, inlet *flow, qn_err *e)
{
    if (flow->n < 2) return qn_fail_at(e, QN_ERECIPE, pos, "`join` needs two branches or more: from: [A, B]");
    qn_step *s = new_step(p, QN_STEP_JOIN, name, pos);
    int at = s->index;
    const qn_type *t = step_at(p, flow->from[0])->out;
    for (int i = 1; i < flow->n; i++) {
        const qn_type *o = step_at(p, flow->from[i])->out;
        for (size_t k = 0; k < o->n_fields; k++) t = qn_type_with(t, o->fields[k].name, o->fields[k].type, arena_of(p));
    }
    connect(p, flow, at);
    step_at(p, at)->in = step_at(p, at)->out = t;
    *flow = (inlet){ { at }, 1 };
    return QN_OK;
}

/* ---- recipe: {use, with} ---- */
static qn_code load_recipe(qn_arena *a, const char *name, const char *dir, qn_str *text, const char **file, const char **its_dir, qn_err *e);

static qn_code plan_use(planner *p, const scope *sc, const qn_ynode *given, qn_pos pos, inlet *flow, qn_err *e)
{
    const qn_ynode *use = qn_yaml_get(given, "use"), *with = qn_yaml_get(given, "with");
    qn_str text;
    const char *file, *dir;
    qn_ynode *root;
    if (!use || use->kind != QN_Y_SCALAR) return qn_fail_at(e, QN_ERECIPE, pos, "`recipe` needs `use`, the name of a recipe");
    if (sc->depth >= MAX_USE_DEPTH) return qn_fail_at(e, QN_ERECIPE, pos, "recipes use each other more than %d deep (a circle?)", MAX_USE_DEPTH);
    qn_code rc = load_recipe(arena_of(p), use->text.p, p->plan->dir, &text, &file, &dir, e);
    if (rc != QN_OK) { e->pos = use->pos; return rc; }
    QN_TRY(qn_yaml_parse(text, file, 0, arena_of(p), &root, e));
    const qn_ynode *decls = qn_yaml_get(root, "params"), *steps = qn_yaml_get(root, "steps");
    if (!steps) return qn_fail_at(e, QN_ERECIPE, use->pos, "the recipe `%s` has no steps", use->text.p);
    qn_ynode *map = QN_ARENA_NEW(arena_of(p), qn_ynode);
    map->kind = QN_Y_MAP;
    size_t n = decls ? decls->n : 0;
    map->keys = QN_ARENA_NEW_N(arena_of(p), qn_ynode *, n + 1);
    map->items = QN_ARENA_NEW_N(arena_of(p), qn_ynode *, n + 1);
    for (size_t i = 0; with && i < with->n; i++)
        if (!qn_yaml_get(decls, with->keys[i]->text.p)) return unknown_param(decls, with->keys[i]->text, with->keys[i]->pos, e);
    for (size_t i = 0; i < n; i++) {
        qn_ynode *v = qn_yaml_get(with, decls->keys[i]->text.p);
        if (!v) v = qn_yaml_get(decls->items[i], "default");
        if (!v) v = scalar(p, (qn_str){ "", 0 }, pos);      /* only steps that are left out may need it: `read` of a body that gets rows */
        map->keys[i] = decls->keys[i];
        map->items[i] = v;
    }
    map->n = n;
    scope inner = { .outer = (scope *)sc, .params = map, .depth = sc->depth + 1,
                    .prefix = qn_arena_printf(arena_of(p), "%s%s.", sc->prefix, use->text.p).p };
    qn_ynode *body = (qn_ynode *)steps, *cut = QN_ARENA_NEW(arena_of(p), qn_ynode);
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
    return plan_steps(p, &inner, cut, flow, e);
}

/* ---- an ordinary step ---- */
static const qn_param *model_param(const qn_op *op)
{
    for (const qn_param *q = op->params; q && q->name; q++)
        if (q->type == QN_P_MODEL) return q;
    return NULL;
}

/* A step whose role is `builtin` becomes the operator that `without:` names. */
static qn_code swap_builtin(planner *p, const qn_op **op, const qn_ynode **given, qn_pos pos, qn_err *e)
{
    const qn_param *mp = model_param(*op);
    const qn_ynode *where = mp && *given && (*given)->kind == QN_Y_MAP ? qn_yaml_get(*given, mp->name) : NULL;
    const qn_ynode *instead = mp && *given && (*given)->kind == QN_Y_MAP ? qn_yaml_get(*given, "without") : NULL;
    if (!where) return QN_OK;
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
    if (!swap) {
        qn_fail_at(e, QN_ERECIPE, pos, "`%s` needs a model here: nothing built in can do this step", (*op)->name);
        qn_hint(e, "give one: --model %.*s=http://HOST:PORT/v1#NAME", QN_FMT(where->text));
        return QN_ERECIPE;
    }
    *op = swap;
    *given = swap_given;
    return QN_OK;
}

static qn_code plan_op(planner *p, const scope *sc, const qn_op *op, const qn_ynode *given, const qn_ynode *when, qn_str name, bool named,
                       qn_pos pos, inlet *flow, qn_err *e)
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
    const qn_type *in = source ? NULL : type_of_inlet(p, flow);
    qn_step *s = new_step(p, QN_STEP_OP, name, pos);
    int at = s->index;
    s->op = op;
    s->in = in;
    if (when && !source) {
        const qn_type *gives;
        bool many;
        QN_TRY(qn_expr_compile(when->text, when->pos, arena_of(p), &step_at(p, at)->when, e));
        QN_TRY(qn_expr_check(step_at(p, at)->when, in, arena_of(p), &gives, &many, e));
    }
    QN_TRY(bind_step(p, step_at(p, at), given, e));
    if (step_at(p, at)->when) step_at(p, at)->out = qn_type_join(in, step_at(p, at)->out, arena_of(p));
    if (!source) connect(p, flow, at);
    *flow = op->stage == QN_SINK ? (inlet){ { 0 }, 0 } : (inlet){ { at }, 1 };
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

static qn_code plan_step(planner *p, const scope *sc, const qn_ynode *raw, inlet *flow, qn_err *e)
{
    const qn_ynode *given = NULL, *word = NULL, *name_node = NULL, *from = NULL, *when = NULL;
    if (p->plan->n_steps >= MAX_STEPS) return qn_fail_at(e, QN_ERECIPE, raw->pos, "more than %d steps", MAX_STEPS);
    if (raw->kind == QN_Y_SCALAR) {                                  /* `- shuffle` */
        word = raw;
    } else if (raw->kind != QN_Y_MAP) {
        return qn_fail_at(e, QN_ERECIPE, raw->pos, "a step is a map with an operator's name: `- keep: {where: ...}`");
    }
    for (size_t i = 0; raw->kind == QN_Y_MAP && i < raw->n; i++) {
        qn_ynode *k = raw->keys[i];
        if (qn_str_is(k->text, "name")) name_node = raw->items[i];
        else if (qn_str_is(k->text, "from")) from = raw->items[i];
        else if (qn_str_is(k->text, "when")) when = raw->items[i];
        else if (word) return qn_fail_at(e, QN_ERECIPE, k->pos, "a step has one operator: `%.*s` and `%.*s` are two", QN_FMT(word->text), QN_FMT(k->text));
        else { word = k; given = raw->items[i]; }
    }
    if (!word) return qn_fail_at(e, QN_ERECIPE, raw->pos, "a step without an operator");
    qn_ynode *filled = NULL;
    if (given) QN_TRY(fill_in(p, sc, given, &filled, e));
    if (from) QN_TRY(read_from(p, sc, from, flow, e));
    if (qn_str_is(word->text, "recipe")) return plan_use(p, sc, filled, word->pos, flow, e);
    qn_str name;
    QN_TRY(step_name(p, sc, name_node, word->text, &name, e));
    if (qn_str_is(word->text, "repeat")) return plan_repeat(p, sc, filled, name, word->pos, flow, e);
    if (qn_str_is(word->text, "grow")) return plan_grow(p, sc, filled, name, word->pos, flow, e);
    if (qn_str_is(word->text, "join")) return plan_join(p, name, word->pos, flow, e);
    const qn_op *op = qn_op_find(word->text);
    if (!op) return unknown_op(word->text, word->pos, e);
    return plan_op(p, sc, op, filled, when, name, name_node != NULL, word->pos, flow, e);
}

static qn_code plan_steps(planner *p, const scope *sc, const qn_ynode *list, inlet *flow, qn_err *e)
{
    if (list->kind != QN_Y_LIST) return qn_fail_at(e, QN_ERECIPE, list->pos, "`steps` is a list: each step begins with `- `");
    for (size_t i = 0; i < list->n; i++) QN_TRY(plan_step(p, sc, list->items[i], flow, e));
    return QN_OK;
}

/* ---- the whole ---- */
static qn_code resolve_roles(planner *p, const qn_ynode *decls, const qn_ynode *params, qn_err *e)
{
    qn_plan *plan = p->plan;
    plan->roles = QN_ARENA_NEW_N(arena_of(p), qn_role, (decls ? decls->n : 0) + 1);
    for (size_t i = 0; decls && i < decls->n; i++) {
        if (!is_model_param(decls->items[i])) continue;
        qn_ynode *v = qn_yaml_get(params, decls->keys[i]->text.p);
        qn_role *r = &plan->roles[plan->n_roles];
        r->name = decls->keys[i]->text.p;
        if (!p->o->registry) return qn_fail_at(e, QN_ERECIPE, v->pos, "no models can be used here");
        qn_code rc = qn_models_resolve(p->o->registry, r->name, v->text.p, &r->model, e);
        if (rc != QN_OK) {
            if (!e->pos.file) e->pos = v->pos;
            return rc;
        }
        plan->n_roles++;
        /* Steps say `$writer`: give them the role's name, so that one role is one model. */
        qn_ynode *named = scalar(p, decls->keys[i]->text, v->pos);
        for (size_t k = 0; k < params->n; k++)
            if (params->keys[k] == decls->keys[i]) params->items[k] = named;
    }
    return QN_OK;
}

static qn_code check_header(const qn_ynode *root, qn_err *e)
{
    static const char *const known[] = { "quern", "about", "paper", "group", "needs", "params", "steps", "note", "check" };
    const qn_ynode *v = qn_yaml_get(root, "quern");
    for (size_t i = 0; i < root->n; i++) {
        bool ok = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) ok |= qn_str_is(root->keys[i]->text, known[k]);
        if (ok) continue;
        const char *near = qn_nearest(root->keys[i]->text, known, sizeof known / sizeof *known);
        qn_fail_at(e, QN_ERECIPE, root->keys[i]->pos, "a recipe has no part called `%.*s`", QN_FMT(root->keys[i]->text));
        if (near) qn_hint(e, "did you mean `%s`?", near);
        return QN_ERECIPE;
    }
    if (!v) {
        qn_fail_at(e, QN_ERECIPE, root->pos, "this is no recipe: `quern: 1` is missing");
        qn_hint(e, "a recipe begins with `quern: 1` and has `steps:`; `quern new RECIPE` copies one to edit");
        return QN_ERECIPE;
    }
    if (!qn_str_is(v->text, "1")) return qn_fail_at(e, QN_ERECIPE, v->pos, "this recipe is of version %.*s, this quern reads version 1", QN_FMT(v->text));
    if (!qn_yaml_get(root, "steps")) return qn_fail_at(e, QN_ERECIPE, root->pos, "the recipe has no `steps`");
    return QN_OK;
}

static qn_str text_of(const qn_ynode *root, const char *key)
{
    const qn_ynode *v = qn_yaml_get(root, key);
    return v ? v->text : (qn_str){ "", 0 };
}

/* Rows that no step takes: the last step's go to `write`, others are a mistake. */
static qn_code close_ends(planner *p, inlet *flow, qn_err *e)
{
    if (flow->n) {
        const qn_op *w = qn_op_find(QN_STR("write"));
        QN_ASSERT(w);
        qn_pos pos = step_at(p, flow->from[0])->pos;
        QN_TRY(plan_op(p, NULL, w, NULL, NULL, QN_STR("write"), true, pos, flow, e));
    }
    for (int i = 0; i < p->plan->n_steps; i++) {
        qn_step *s = step_at(p, i);
        if (s->n_next || (s->op && s->op->stage == QN_SINK)) continue;
        qn_fail_at(e, QN_ERECIPE, s->pos, "the rows of step `%.*s` go nowhere", QN_FMT(s->name));
        qn_hint(e, "name it in a later step's `from:`, or leave it out");
        return QN_ERECIPE;
    }
    return QN_OK;
}

static qn_code plan_root(planner *p, const qn_ynode *root, qn_err *e)
{
    qn_plan *plan = p->plan;
    QN_TRY(check_header(root, e));
    const qn_ynode *decls = qn_yaml_get(root, "params");
    qn_ynode *params = NULL;
    plan->about = text_of(root, "about");
    plan->paper = text_of(root, "paper");
    plan->group = text_of(root, "group");
    if (decls && decls->kind != QN_Y_MAP) return qn_fail_at(e, QN_ERECIPE, decls->pos, "`params` is a map of name to {type, default, about}");
    QN_TRY(outer_params(p, decls, &params, e));
    plan->params = qn_yaml_value(params, &plan->arena);
    QN_TRY(resolve_roles(p, decls, params, e));
    scope sc = { .params = params, .prefix = "" };
    inlet flow = { { 0 }, 0 };
    QN_TRY(plan_steps(p, &sc, qn_yaml_get(root, "steps"), &flow, e));
    return close_ends(p, &flow, e);
}

static char *recipe_word(const char *file)
{
    qn_str base = qn_path_base(qn_str_of(file)), ext = qn_path_ext(base);
    if (ext.n) base.n -= ext.n + 1;
    return qn_strz(base);
}

qn_code qn_plan_text(qn_str yaml, const char *file, const char *dir, const qn_plan_opts *o, qn_plan **out, qn_err *e)
{
    qn_plan *plan = QN_NEW(qn_plan);
    planner p = { .plan = plan, .o = o };
    qn_ynode *root;
    plan->file = qn_arena_str(&plan->arena, qn_str_of(file)).p;
    plan->dir = qn_arena_str(&plan->arena, qn_str_of(dir)).p;
    plan->seed = o->seed;
    char *word = recipe_word(file);
    plan->name = qn_arena_str(&plan->arena, qn_str_of(word)).p;
    qn_free(word);
    yaml = qn_arena_str(&plan->arena, yaml);
    qn_code rc = qn_yaml_parse(yaml, plan->file, 0, &plan->arena, &root, e);
    if (rc == QN_OK) rc = plan_root(&p, root, e);
    if (rc != QN_OK) { 
        if (e->pos.file && e->pos.file == plan->file) e->pos.file = file;   /* the plan's copy goes away with it */
        else if (e->pos.file && strcmp(e->pos.file, "command line") != 0) e->pos.file = file;
        qn_plan_free(plan);
        return rc;
    }
    qn_buf key = {0};
    qn_buf_str(&key, yaml);
    qn_json_write_canonical(&key, plan->params);
    plan->hash = qn_hash(key.p, key.n);
    qn_buf_free(&key);
    *out = plan;
    return QN_OK;
}

static qn_code load_recipe(qn_arena *a, const char *name, const char *dir, qn_str *text, const char **file, const char **its_dir, qn_err *e)
{
    qn_str word = qn_str_of(name);
    bool path = strchr(name, '/') || qn_str_ends(word, QN_STR(".yaml")) || qn_str_ends(word, QN_STR(".yml"));
    if (!path) {
        *file = qn_arena_printf(a, "%s.yaml", name).p;
        *its_dir = "";
        if (qn_recipe_text(name, text)) return QN_OK;
        const char *near = qn_recipe_nearest(word);
        qn_fail(e, QN_EUSAGE, "no recipe is called `%s`", name);
        if (near) qn_hint(e, "did you mean `%s`? `quern recipes` lists all; a file of your own needs a path: ./%s.yaml", near, name);
        else qn_hint(e, "`quern recipes` lists all; a file of your own needs a path: ./%s.yaml", name);
        return QN_EUSAGE;
    }
    qn_buf b = {0};
    const char *full = dir && dir[0] && name[0] != '/' ? qn_arena_printf(a, "%s/%s", dir, name).p : name;
    qn_code rc = qn_file_read(full, 1 << 20, &b, e);
    *text = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    *file = qn_arena_str(a, qn_str_of(full)).p;
    const char *slash = strrchr(full, '/');
    *its_dir = slash ? qn_arena_str(a, (qn_str){ full, (size_t)(slash - full) }).p : ".";
    return rc;
}

qn_code qn_plan_make(const char *name, const qn_plan_opts *o, qn_plan **out, qn_err *e)
{
    static _Thread_local char file_copy[512];       /* outlives the arena: an error points to it */
    qn_arena a = {0};
    qn_str text;
    const char *file, *dir;
    qn_code rc = load_recipe(&a, name, NULL, &text, &file, &dir, e);
    if (rc == QN_OK) {
        snprintf(file_copy, sizeof file_copy, "%s", file);
        rc = qn_plan_text(text, file_copy, dir, o, out, e);
    }
    qn_arena_free(&a);
    return rc;
}

void qn_plan_free(qn_plan *p)
{
    if (!p) return;
    qn_free(p->steps);
    qn_arena_free(&p->arena);
    qn_free(p);
}
