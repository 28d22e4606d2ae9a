/* models: the models of a run, from quern.yaml and from --model ROLE=WHERE. */
#include "model/models.h"
#include "core/file.h"
#include "model/http.h"
#include "model/local.h"
#include "model/terms.h"
#include <stdio.h>
#include <stdlib.h>

enum { YAML_LIMIT = 1 << 20 };

void qn_model_defaults(qn_model *m)
{
    *m = (qn_model){ .role = "", .silence_ms = 120000, .deadline_ms = 600000, .retry_ms = 500, .stream = -1, .structured = -1,
                      .batch_share = 0.5, .batch_singly = 0.02, .batch_requests = 50000, .batch_bytes = 190000000, .batch_poll_ms = 60000, .batch_window = "24h" };
}

/* ---- opening ---- */
static char *find_yaml(void)
{
    const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
    if (qn_file_exists("quern.yaml")) return qn_strz(QN_STR("quern.yaml"));
    qn_buf b = {0};
    if (xdg && *xdg) qn_buf_printf(&b, "%s/quern/quern.yaml", xdg);
    else if (home && *home) qn_buf_printf(&b, "%s/.config/quern/quern.yaml", home);
    if (b.p && qn_file_exists(b.p)) return b.p;
    qn_buf_free(&b);
    return NULL;
}

static qn_code read_yaml(qn_models *ms, qn_err *e)
{
    static const char *const words[] = { "models" };
    qn_ynode *root;
    QN_TRY(qn_file_read(ms->yaml_path, YAML_LIMIT, &ms->yaml_text, e));
    QN_TRY(qn_yaml_parse(qn_buf_view(&ms->yaml_text), ms->yaml_path, 0, &ms->arena, &root, e));
    if (root->kind != QN_Y_MAP) return qn_fail_at(e, QN_ERECIPE, root->pos, "the file must be a map with `models:`");
    for (size_t i = 0; i < root->n; i++) {
        if (qn_str_is(root->keys[i]->text, "models")) { ms->entries = root->items[i]; continue; }
        qn_fail_at(e, QN_ERECIPE, root->keys[i]->pos, "unknown setting `%.*s`", QN_FMT(root->keys[i]->text));
        if (qn_nearest(root->keys[i]->text, words, 1)) qn_hint(e, "did you mean `models`?");
        else qn_hint(e, "the file holds `models:` and below it one entry per model: `teacher: {url: ..., name: ...}`");
        return QN_ERECIPE;
    }
    if (ms->entries && ms->entries->kind != QN_Y_MAP) {
        if (ms->entries->kind == QN_Y_SCALAR && ms->entries->text.n == 0) { ms->entries = NULL; return QN_OK; }
        return qn_fail_at(e, QN_ERECIPE, ms->entries->pos, "`models` must be a map of names: `teacher: {url: ..., name: ...}`");
    }
    return qn_models_check(ms, e);
}

qn_code qn_models_open(qn_models **out, const char *yaml_path, qn_err *e)
{
    qn_models *ms = QN_NEW(qn_models);
    ms->yaml_path = yaml_path ? qn_strz(qn_str_of(yaml_path)) : find_yaml();
    qn_code rc = ms->yaml_path ? read_yaml(ms, e) : QN_OK;
    if (rc != QN_OK) {
        static _Thread_local char where[1024];          /* the error outlives the models */
        if (e->pos.file) snprintf(where, sizeof where, "%s", e->pos.file), e->pos.file = where;
        qn_trail(e, "models");
        qn_models_close(ms);
        return rc;
    }
    *out = ms;
    return QN_OK;
}

void qn_models_batch_all(qn_models *ms) { ms->batch_all = true; }

void qn_models_close(qn_models *ms)
{
    if (!ms) return;
    for (size_t i = 0; i < ms->n_made; i++) qn_local_free(ms->made[i].model->local);
    qn_free(ms->made);
    qn_free(ms->yaml_path);
    qn_buf_free(&ms->yaml_text);
    qn_arena_free(&ms->arena);
    qn_free(ms);
}

/* ---- filling in what was not said ---- */
/* Url, name and extra keys say which model it is and how it is asked; a user's id stands for the first two. */
static const char *identity_of(qn_models *ms, const qn_model *m)
{
    qn_buf b = {0};
    if (m->identity) qn_buf_printf(&b, "id %s", m->identity);
    else qn_buf_printf(&b, "url %s name %s", m->url, m->name);
    if (m->extra.kind == QN_V_OBJECT && m->extra.n) { qn_buf_puts(&b, " extra "); qn_json_write_canonical(&b, m->extra); }
    const char *z = qn_arena_str(&ms->arena, qn_buf_view(&b)).p;
    qn_buf_free(&b);
    return z;
}

static void fill_in(qn_models *ms, qn_model *m)
{
    qn_str host = qn_url_host(qn_str_of(m->url)), name = qn_str_of(m->name);
    const qn_price *p = qn_price_find(host, name);
    const qn_terms *provider = qn_terms_of_host(host), *own = provider ? NULL : qn_terms_of_model(name);
    if (!m->priced && p) { m->priced = true; m->usd_per_m_prompt = p->usd_per_m_prompt; m->usd_per_m_completion = p->usd_per_m_completion; }
    if (!m->priced && qn_host_is_loopback(host)) m->priced = true;
    if (m->context_tokens == 0 && p) m->context_tokens = p->context_tokens;
    if (!m->terms && provider) m->terms = provider->name;
    if (!m->licence && own) m->licence = own->name;
    const char *env = m->key ? NULL : qn_terms_key_env(host), *v = env ? getenv(env) : NULL;
    if (v && *v && qn_url_is_https(qn_str_of(m->url))) m->key = qn_arena_str(&ms->arena, qn_str_trim(qn_str_of(v))).p; /* the provider's own variable, to its own host */
    if (ms->batch_all && !m->local && m->search.kind == QN_V_NULL) m->batch = true;
    if (!m->local) m->identity = identity_of(ms, m);
}

/* ---- the forms of WHERE ---- */
static qn_code make_url(qn_models *ms, const char *where, qn_model *m, qn_err *e)
{
    qn_str w = qn_str_of(where);
    const char *hash = strchr(where, '#');
    if (qn_url_has_password(w)) {
        qn_fail(e, QN_EUSAGE, "a model's address holds a user or password");
        qn_hint(e, "put the model into quern.yaml with `key: env:NAME`");
        return QN_EUSAGE;
    }
    if (qn_url_host(w).n == 0) return qn_fail(e, QN_EUSAGE, "`%s` has no host: write http://host:port/v1#name", where);
    if (!hash || !hash[1]) {
        qn_fail(e, QN_EUSAGE, "`%s` does not say which model: write %.*s#NAME", where, hash ? (int)(hash - where) : (int)w.n, where);
        qn_hint(e, "`quern doctor %.*s` lists the names", hash ? (int)(hash - where) : (int)w.n, where);
        return QN_EUSAGE;
    }
    qn_str base = qn_str_sub(w, 0, (size_t)(hash - where));
    while (base.n && base.p[base.n - 1] == '/') base.n--;
    m->url = qn_arena_str(&ms->arena, base).p;
    m->name = qn_arena_str(&ms->arena, qn_str_of(hash + 1)).p;
    return QN_OK;
}

static qn_code make_local(qn_models *ms, const char *file, const char *const *args, qn_model *m, qn_err *e)
{
    QN_TRY(qn_local_new(file, args, &ms->arena, m, e));
    m->priced = true;
    return QN_OK;
}

static qn_code no_such_model(qn_models *ms, const char *role, const char *where, qn_err *e)
{
    size_t n = ms->entries ? ms->entries->n : 0;
    const char **names = QN_ARENA_NEW_N(&ms->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++) names[i] = qn_arena_str(&ms->arena, ms->entries->keys[i]->text).p;
    names[n] = "builtin";
    const char *near = qn_nearest(qn_str_of(where), names, n + 1);
    qn_fail(e, QN_EUSAGE, "no model is called `%s`%s%s%s", where, role && *role ? " (for the role `" : "", role ? role : "", role && *role ? "`)" : "");
    if (near) qn_hint(e, "did you mean `%s`?", near);
    else qn_hint(e, "a name in %s, http://host:port/v1#name, a .gguf file, a folder of safetensors, or builtin", ms->yaml_path ? ms->yaml_path : "quern.yaml (there is none here)");
    return QN_EUSAGE;
}

static const qn_ynode *entry_of(const qn_models *ms, qn_str name)
{
    for (size_t i = 0; ms->entries && i < ms->entries->n; i++) if (qn_str_eq(ms->entries->keys[i]->text, name)) return ms->entries->items[i];
    return NULL;
}

static qn_code make(qn_models *ms, const char *role, const char *where, qn_model *m, qn_err *e)
{
    const char *hash = strchr(where, '#');
    const qn_ynode *entry = entry_of(ms, qn_str_of(where));
    qn_model_defaults(m);
    if (strcmp(where, "builtin") == 0) { m->builtin = true; m->identity = m->name = "builtin"; m->priced = true; return QN_OK; }
    if (!entry && hash) entry = entry_of(ms, (qn_str){ where, (size_t)(hash - where) });    /* NAME#other-model: the same endpoint */
    if (entry) {
        const char *file = NULL, *const *args = NULL;
        QN_TRY(qn_model_from_yaml(ms, where, entry, m, &file, &args, e));
        if (hash && m->url) m->name = qn_arena_str(&ms->arena, qn_str_of(hash + 1)).p;
        if (file) QN_TRY(make_local(ms, file, args, m, e));
    } else if (strncmp(where, "http://", 7) == 0 || strncmp(where, "https://", 8) == 0) QN_TRY(make_url(ms, where, m, e));
    else if (qn_str_is(qn_path_ext(qn_str_of(where)), "gguf")) QN_TRY(make_local(ms, where, NULL, m, e));
    else if (qn_is_dir(where) || (hash && !strcmp(hash, "#bf16") && qn_is_dir(qn_arena_str(&ms->arena, (qn_str){ where, (size_t)(hash - where) }).p))) {
        m->bf16 = !qn_is_dir(where);
        if (m->bf16) where = qn_arena_str(&ms->arena, (qn_str){ where, (size_t)(hash - where) }).p;
        m->folder = qn_arena_str(&ms->arena, qn_str_of(where)).p;
        m->name = qn_arena_str(&ms->arena, qn_path_base(qn_str_of(where))).p;
        m->priced = true;
        return qn_model_settle(m, e);
    } else return no_such_model(ms, role, where, e);
    fill_in(ms, m);
    return QN_OK;
}

qn_code qn_models_resolve(qn_models *ms, const char *role, const char *where, const qn_model **out, qn_err *e)
{
    qn_model *m = QN_ARENA_NEW(&ms->arena, qn_model), *same = NULL;
    for (size_t i = 0; i < ms->n_made && !same; i++) if (strcmp(ms->made[i].where, where) == 0) same = ms->made[i].model;
    if (same) { *m = *same; if (m->folder) m->identity = m->content; }
    else {
        qn_code rc = make(ms, role, where, m, e);
        if (rc != QN_OK) { if (m->local) qn_local_free(m->local); return rc; }
        QN_GROW(ms->made, ms->n_made, ms->cap_made);
        ms->made[ms->n_made].where = qn_arena_str(&ms->arena, qn_str_of(where)).p;
        ms->made[ms->n_made++].model = m;
    }
    m->role = qn_arena_str(&ms->arena, qn_str_of(role ? role : "")).p;
    *out = m;
    return QN_OK;
}

qn_code qn_model_ready(const qn_model *m, qn_err *e) { return m->local ? qn_local_start(m->local, e) : QN_OK; }
