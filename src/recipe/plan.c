/* plan: a recipe's text to a plan.
 *
 *   text -> tree -> parameters filled in (plan_params.c) -> steps, typed (plan_steps.c)
 */
#include "recipe/planner.h"
#include "core/file.h"
#include <stdio.h>

/* ---- the whole ---- */
static qn_code resolve_roles(qn_planner *p, const qn_ynode *decls, const qn_ynode *params, qn_err *e)
{
    qn_plan *plan = p->plan;
    plan->roles = QN_ARENA_NEW_N(qn_planner_arena(p), qn_role, (decls ? decls->n : 0) + 1);   /* a training step adds its own: plan_steps.c */
    for (size_t i = 0; decls && i < decls->n; i++) {
        if (!qn_planner_is_model(decls->items[i])) continue;
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
        qn_ynode *named = qn_planner_scalar(p, decls->keys[i]->text, v->pos);
        for (size_t k = 0; k < params->n; k++)
            if (params->keys[k] == decls->keys[i]) params->items[k] = named;
    }
    return QN_OK;
}

static qn_code check_header(const qn_ynode *root, qn_err *e)
{
    static const char *const known[] = { "quern", "about", "paper", "group", "params", "steps", "note", "check" };
    const qn_ynode *v = qn_yaml_get(root, "quern");
    if (root->kind != QN_Y_MAP) {
        qn_fail_at(e, QN_ERECIPE, root->pos, "a recipe is a map, this is a %s", root->kind == QN_Y_LIST ? "list" : "text");
        qn_hint(e, "it begins with `quern: 1` and has `steps:`; `quern new RECIPE` copies one to edit");
        return QN_ERECIPE;
    }
    for (size_t i = 0; i < root->n; i++) {
        bool ok = false;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) ok |= qn_str_is(root->keys[i]->text, known[k]);
        if (ok) continue;
        const char *near = qn_nearest(root->keys[i]->text, known, sizeof known / sizeof *known);
        qn_fail_at(e, QN_ERECIPE, root->keys[i]->pos, "a recipe has no part called `%.*s`", QN_FMT(root->keys[i]->text));
        if (near) qn_hint(e, "did you mean `%s`?", near);
        else qn_hint(e, "its parts are quern, about, paper, group, needs, params, steps, note and check");
        return QN_ERECIPE;
    }
    if (!v) {
        qn_fail_at(e, QN_ERECIPE, root->pos, "this is no recipe: `quern: 1` is missing");
        qn_hint(e, "a recipe begins with `quern: 1` and has `steps:`; `quern new RECIPE` copies one to edit");
        return QN_ERECIPE;
    }
    if (!qn_str_is(v->text, "1")) {
        qn_fail_at(e, QN_ERECIPE, v->pos, "this recipe is of version %.*s, this quern reads version 1", QN_FMT(v->text));
        qn_hint(e, "write `quern: 1`, or take the quern that the recipe was written for");
        return QN_ERECIPE;
    }
    if (qn_yaml_get(root, "steps")) return QN_OK;
    qn_fail_at(e, QN_ERECIPE, root->pos, "the recipe has no `steps`");
    qn_hint(e, "steps: and a step a line, each with `- ` in front; the first is a source: - read_rows: {path: ...}");
    return QN_ERECIPE;
}

static qn_str text_of(const qn_ynode *root, const char *key)
{
    const qn_ynode *v = qn_yaml_get(root, key);
    return v ? v->text : (qn_str){ "", 0 };
}


static qn_code plan_root(qn_planner *p, const qn_ynode *root, qn_err *e)
{
    qn_plan *plan = p->plan;
    QN_TRY(check_header(root, e));
    const qn_ynode *decls = qn_yaml_get(root, "params");
    qn_ynode *params = NULL;
    plan->about = text_of(root, "about");
    plan->paper = text_of(root, "paper");
    plan->group = text_of(root, "group");
    QN_TRY(qn_planner_check_decls(decls, e));
    QN_TRY(qn_planner_params(p, decls, &params, e));
    plan->params = qn_yaml_value(params, &plan->arena);
    QN_TRY(resolve_roles(p, decls, params, e));
    qn_scope sc = { .params = params, .prefix = "" };
    qn_inlet flow = { { 0 }, 0 };
    QN_TRY(qn_planner_steps(p, &sc, qn_yaml_get(root, "steps"), &flow, e));
    return qn_planner_close_ends(p, &flow, e);
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
    qn_planner p = { .plan = plan, .o = o };
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

qn_code qn_planner_load(qn_arena *a, const char *name, const char *dir, qn_str *text, const char **file, const char **its_dir, qn_err *e)
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
    qn_code rc = qn_planner_load(&a, name, NULL, &text, &file, &dir, e);
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
