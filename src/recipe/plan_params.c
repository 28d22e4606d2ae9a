/* plan_params: a recipe's parameters: from the command line and defaults into the tree. */
#include "recipe/planner.h"
#include "recipe/bind.h"
#include <ctype.h>

static bool is_word(qn_str s)
{
    if (s.n == 0 || !(isalpha((unsigned char)s.p[0]) || s.p[0] == '_')) return false;
    for (size_t i = 1; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '_') return false;
    return true;
}

qn_ynode *qn_planner_scalar(qn_planner *p, qn_str text, qn_pos pos)
{
    qn_ynode *n = QN_ARENA_NEW(qn_planner_arena(p), qn_ynode);
    n->text = text;
    n->pos = n->inner = pos;
    return n;
}

static qn_code bad_decl(const qn_ynode *at, const char *name, qn_err *e, const char *fmt, const char *word, const char *near)
{
    qn_fail_at(e, QN_ERECIPE, at->pos, fmt, word);
    if (near) qn_hint(e, "did you mean `%s`?", near);
    else qn_hint(e, "%s: {type: int, default: 3, about: \"...\"}; types are text, int, real, bool, path, field, model, any", name);
    return QN_ERECIPE;
}

static qn_code check_decl(const char *name, const qn_ynode *decl, qn_err *e)
{
    static const char *const types[] = { "text", "int", "real", "bool", "path", "field", "model", "any" };
    static const char *const parts[] = { "type", "default", "about" };
    if (decl->kind != QN_Y_MAP) return bad_decl(decl, name, e, "the parameter `%s` is a map of type, default and about", name, NULL);
    for (size_t i = 0; i < decl->n; i++) {
        bool known = false;
        for (size_t k = 0; k < 3; k++) known |= qn_str_is(decl->keys[i]->text, parts[k]);
        if (!known) return bad_decl(decl->keys[i], name, e, "a parameter has no `%s`", decl->keys[i]->text.p, qn_nearest(decl->keys[i]->text, parts, 3));
    }
    const qn_ynode *type = qn_yaml_get(decl, "type");
    if (!type) return bad_decl(decl, name, e, "the parameter `%s` has no `type`", name, NULL);
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        if (qn_str_is(type->text, types[k])) return QN_OK;
    return bad_decl(type, name, e, "no type of parameter is called `%s`", type->text.n ? type->text.p : "", qn_nearest(type->text, types, sizeof types / sizeof *types));
}

qn_code qn_planner_check_decls(const qn_ynode *decls, qn_err *e)
{
    if (!decls || (decls->kind == QN_Y_SCALAR && decls->text.n == 0)) return QN_OK;
    if (decls->kind != QN_Y_MAP) {
        qn_fail_at(e, QN_ERECIPE, decls->pos, "`params` is a map");
        qn_hint(e, "a line for each: name: {type: int, default: 3, about: \"...\"}");
        return QN_ERECIPE;
    }
    for (size_t i = 0; i < decls->n; i++) QN_TRY(check_decl(decls->keys[i]->text.p, decls->items[i], e));
    return QN_OK;
}

static qn_code wrong_value(const qn_ynode *decl, qn_str name, const qn_ynode *v, const char *want, qn_err *e)
{
    const qn_ynode *about = qn_yaml_get(decl, "about");
    qn_fail_at(e, QN_ERECIPE, v->pos, "the parameter `%.*s` is `%.*s`, %s is needed", QN_FMT(name), QN_FMT(v->text), want);
    qn_hint(e, "%.*s=VALUE%s%s", QN_FMT(name), about ? ": " : "", about ? about->text.p : "");
    return QN_ERECIPE;
}

static qn_code check_param_value(const qn_ynode *decl, qn_str name, const qn_ynode *v, qn_err *e)
{
    const qn_ynode *type = qn_yaml_get(decl, "type");
    int64_t i;
    double d;
    if (!type || v->kind != QN_Y_SCALAR) return QN_OK;
    if (qn_str_is(type->text, "int") && !qn_str_to_i64(v->text, &i) && !qn_size_of_text(v->text, &i))
        return wrong_value(decl, name, v, "a whole number", e);
    if (qn_str_is(type->text, "real") && !qn_str_to_f64(v->text, &d))
        return wrong_value(decl, name, v, "a number", e);
    if (qn_str_is(type->text, "bool") && !qn_str_is(v->text, "yes") && !qn_str_is(v->text, "no") && !qn_str_is(v->text, "true")
        && !qn_str_is(v->text, "false"))
        return wrong_value(decl, name, v, "yes or no", e);
    return QN_OK;
}

qn_code qn_planner_unknown_param(const qn_ynode *decls, qn_str name, qn_pos pos, qn_err *e)
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

bool qn_planner_is_model(const qn_ynode *decl)
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

/* A list or a map on the command line, for a parameter that may be any value: domains='{physics: 0.6, history: 0.4}'. */
static qn_code read_any(qn_planner *p, const qn_ynode *decl, qn_ynode **v, qn_err *e)
{
    const qn_ynode *type = qn_yaml_get(decl, "type");
    qn_str text = qn_str_trim((*v)->text);
    if (!type || !qn_str_is(type->text, "any") || text.n == 0 || (text.p[0] != '{' && text.p[0] != '[')) return QN_OK;
    return qn_yaml_parse(text, "command line", 0, qn_planner_arena(p), v, e);
}

/* yes and no of a `bool` as true and false: in an expression, "no" would be a text, and a text counts as true. */
qn_ynode *qn_planner_truth(qn_planner *p, const qn_ynode *decl, qn_ynode *v)
{
    const qn_ynode *type = qn_yaml_get(decl, "type");
    if (!type || !qn_str_is(type->text, "bool") || v->kind != QN_Y_SCALAR) return v;
    bool yes = qn_str_is(v->text, "yes"), no = qn_str_is(v->text, "no");
    return yes || no ? qn_planner_scalar(p, yes ? QN_STR("true") : QN_STR("false"), v->pos) : v;
}

/* The values of the outermost recipe's parameters: command line, else default. A map node of name -> value. */
qn_code qn_planner_params(qn_planner *p, const qn_ynode *decls, qn_ynode **out, qn_err *e)
{
    qn_pos cmd = { .file = "command line" };
    qn_ynode *map = QN_ARENA_NEW(qn_planner_arena(p), qn_ynode);
    map->kind = QN_Y_MAP;
    size_t n = decls ? decls->n : 0;
    map->keys = QN_ARENA_NEW_N(qn_planner_arena(p), qn_ynode *, n + 1);
    map->items = QN_ARENA_NEW_N(qn_planner_arena(p), qn_ynode *, n + 1);
    for (size_t i = 0; i < p->o->n_settings; i++) {
        bool known = false;
        for (size_t k = 0; k < n && !known; k++) known = qn_str_eq(decls->keys[k]->text, p->o->settings[i].name);
        if (!known) return qn_planner_unknown_param(decls, p->o->settings[i].name, cmd, e);
    }
    for (size_t i = 0; i < p->o->n_models; i++) {
        bool known = false;
        for (size_t k = 0; k < n && !known; k++)
            known = qn_str_eq(decls->keys[k]->text, p->o->models[i].name) && qn_planner_is_model(decls->items[k]);
        if (!known) {
            qn_planner_unknown_param(decls, p->o->models[i].name, cmd, e);
            for (size_t k = 0; k < n; k++)
                if (qn_planner_is_model(decls->items[k])) qn_hint(e, "a model of this recipe is called `%s`: --model %s=...", decls->keys[k]->text.p, decls->keys[k]->text.p);
            return QN_ERECIPE;
        }
    }
    for (size_t i = 0; i < n; i++) {
        qn_str name = decls->keys[i]->text;
        const qn_ynode *decl = decls->items[i], *about = qn_yaml_get(decl, "about");
        const qn_setting *s = qn_planner_is_model(decl) ? setting_of(p->o->models, p->o->n_models, name) : NULL;
        if (!s) s = setting_of(p->o->settings, p->o->n_settings, name);
        qn_ynode *v = s ? qn_planner_scalar(p, qn_arena_str(qn_planner_arena(p), s->value), cmd) : qn_yaml_get(decl, "default");
        if (!v) {
            qn_fail_at(e, QN_ERECIPE, cmd, "the recipe needs `%.*s`", QN_FMT(name));
            if (qn_planner_is_model(decl)) qn_hint(e, "give a model: --model %.*s=http://HOST:PORT/v1#NAME", QN_FMT(name));
            else qn_hint(e, "%.*s=VALUE%s%s", QN_FMT(name), about ? ": " : "", about ? about->text.p : "");
            return QN_ERECIPE;
        }
        if (s) QN_TRY(read_any(p, decl, &v, e));
        QN_TRY(check_param_value(decl, name, v, e));
        map->keys[map->n] = decls->keys[i];
        map->items[map->n++] = qn_planner_truth(p, decl, v);
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
static qn_str fill_in_text(qn_planner *p, const qn_scope *sc, qn_str s)
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
        qn_str word = qn_arena_str(qn_planner_arena(p), qn_str_sub(s, i + 1, i + 1 + n));
        const qn_ynode *v = n ? qn_yaml_get(sc->params, word.p) : NULL;
        qn_str bound = qn_arena_printf(qn_planner_arena(p), "as $%s", word.p);
        if (!v || qn_str_find(s, bound) >= 0) continue;
        qn_buf_str(&b, qn_str_sub(s, from, i));
        put_literal(&b, v, qn_planner_arena(p));
        from = i + 1 + n;
        i = from - 1;
    }
    if (from == 0) { qn_buf_free(&b); return s; }
    qn_buf_str(&b, qn_str_sub(s, from, s.n));
    qn_str out = qn_arena_str(qn_planner_arena(p), qn_buf_view(&b));
    qn_buf_free(&b);
    return out;
}

/* A copy of the tree in which every value that is exactly `$name` is that parameter's value. */
qn_code qn_planner_fill_in(qn_planner *p, const qn_scope *sc, const qn_ynode *n, qn_ynode **out, qn_err *e)
{
    if (n->kind == QN_Y_SCALAR) {
        *out = (qn_ynode *)n;
        if (n->text.n < 2) return QN_OK;
        if (n->text.p[0] != '$' || !is_word(qn_str_sub(n->text, 1, n->text.n))) {
            qn_str filled = n->text.p[0] == '$' && n->text.p[1] == '$' ? n->text : fill_in_text(p, sc, n->text);
            if (filled.p != n->text.p) {
                *out = qn_planner_scalar(p, filled, n->pos);
                (*out)->quoted = n->quoted;
                (*out)->inner = n->inner;
                return QN_OK;
            }
        }
        if (n->text.p[0] != '$') return QN_OK;
        qn_str word = qn_str_sub(n->text, 1, n->text.n);
        if (word.p[0] == '$') {                                     /* $$ is a dollar sign */
            *out = qn_planner_scalar(p, word, n->pos);
            (*out)->quoted = n->quoted;
            (*out)->inner = n->inner;
            return QN_OK;
        }
        if (!is_word(word)) {                                       /* $star.level: a model that a step of `rounds` trains */
            qn_ynode *trained = memchr(word.p, '.', word.n) ? qn_planner_trained(p, sc, word, n->pos) : NULL;
            if (trained) *out = trained;
            return QN_OK;
        }
        char *z = qn_arena_str(qn_planner_arena(p), word).p ? (char *)(uintptr_t)qn_arena_str(qn_planner_arena(p), word).p : NULL;
        qn_ynode *v = qn_yaml_get(sc->params, z);
        if (!v) v = qn_planner_trained(p, sc, word, n->pos);
        if (!v) return qn_planner_unknown_param(sc->params, word, n->pos, e);
        *out = v;
        return QN_OK;
    }
    qn_ynode *c = QN_ARENA_NEW(qn_planner_arena(p), qn_ynode);
    *c = *n;
    c->items = QN_ARENA_NEW_N(qn_planner_arena(p), qn_ynode *, n->n + 1);
    for (size_t i = 0; i < n->n; i++) {
        bool command = n->kind == QN_Y_MAP && (qn_str_is(n->keys[i]->text, "run") || qn_str_is(n->keys[i]->text, "command"));
        if (command && n->items[i]->kind == QN_Y_SCALAR && !is_word(qn_str_sub(n->items[i]->text, n->items[i]->text.n ? 1 : 0, n->items[i]->text.n)))
            c->items[i] = n->items[i];          /* a shell's own $variables */
        else QN_TRY(qn_planner_fill_in(p, sc, n->items[i], &c->items[i], e));
    }
    *out = c;
    return QN_OK;
}

