/* One lock around a list of views and a list of idle handles; the work itself is done outside of it, but for making a view. */
#include "builtin/table_pool.h"
#include "builtin/table_load.h"
#include "core/file.h"
#include "core/map.h"
#include "core/thread.h"

enum { MAX_CELLS = 4000000 };

typedef struct { qn_hash128 file; qn_sql *sql; bool idle; } handle;

struct qn_table_pool {
    pthread_mutex_t lock;
    char    *out_dir;
    size_t   max_bytes;
    qn_map   views;             /* hash of file and table -> pointer */
    qn_arena arena;
    handle  *handles;
    size_t   n_handles, cap_handles;
};

qn_table_pool *qn_table_pool_new(const char *out_dir, size_t max_bytes)
{
    qn_table_pool *p = QN_NEW(qn_table_pool);
    pthread_mutex_init(&p->lock, NULL);
    p->out_dir = out_dir ? qn_strz(qn_str_of(out_dir)) : NULL;
    p->max_bytes = max_bytes;
    return p;
}

void qn_table_pool_free(qn_table_pool *p)
{
    if (!p) return;
    for (size_t i = 0; i < p->n_handles; i++) qn_sql_close(p->handles[i].sql);
    qn_free(p->handles);
    qn_map_free(&p->views);
    qn_arena_free(&p->arena);
    qn_free(p->out_dir);
    pthread_mutex_destroy(&p->lock);
    qn_free(p);
}

/* Where the row's table lies, and its name. */
static qn_code where(qn_table_pool *p, const qn_row *r, qn_arena *a, const char **file, qn_str *name, qn_err *e)
{
    qn_value table, x;
    if (!qn_row_find(r, QN_STR("table"), &table) || !qn_v_get(table, QN_STR("name"), &x) || x.kind != QN_V_TEXT || x.n == 0)
        return qn_fail(e, QN_EDATA, "the row has no `table` with a `name`");
    *name = qn_v_str(x);
    if (qn_v_get(table, QN_STR("db"), &x) && x.kind == QN_V_TEXT && x.n) *file = qn_arena_str(a, qn_v_str(x)).p;
    else if (p->out_dir) {
        char *j = qn_path_join(p->out_dir, "tables.db");
        *file = qn_arena_str(a, qn_str_of(j)).p;
        qn_free(j);
    } else {
        qn_fail(e, QN_EDATA, "it is not known in which file the table `%.*s` lies", QN_FMT(*name));
        qn_hint(e, "outside of a run a row names its SQLite file in `table.db`");
        return QN_EDATA;
    }
    return QN_OK;
}

static qn_code take_file(qn_table_pool *p, const char *file, qn_sql **out, qn_err *e)
{
    qn_hash128 h = qn_hash(file, strlen(file));
    for (size_t i = 0; i < p->n_handles; i++)
        if (p->handles[i].idle && qn_hash_eq(p->handles[i].file, h)) { p->handles[i].idle = false; *out = p->handles[i].sql; return QN_OK; }
    QN_TRY(qn_sql_open(file, out, e));
    QN_GROW(p->handles, p->n_handles, p->cap_handles);
    p->handles[p->n_handles++] = (handle){ h, *out, false };
    return QN_OK;
}

qn_code qn_table_pool_take(qn_table_pool *p, const qn_row *r, qn_sql **out, qn_err *e)
{
    qn_arena a = { 0 };
    const char *file;
    qn_str name;
    qn_code rc = where(p, r, &a, &file, &name, e);
    if (rc == QN_OK) {
        pthread_mutex_lock(&p->lock);
        rc = take_file(p, file, out, e);
        pthread_mutex_unlock(&p->lock);
    }
    qn_arena_free(&a);
    return rc;
}

void qn_table_pool_put(qn_table_pool *p, qn_sql *db)
{
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->n_handles; i++) if (p->handles[i].sql == db) p->handles[i].idle = true;
    pthread_mutex_unlock(&p->lock);
}

qn_code qn_table_pool_view(qn_table_pool *p, const qn_row *r, qn_arena *a, const qn_table_view **out, qn_err *e)
{
    const char *file;
    qn_str name;
    QN_TRY(where(p, r, a, &file, &name, e));
    qn_hash128 key = qn_hash_mix(qn_hash(file, strlen(file)), qn_hash(name.p, name.n));
    qn_code rc = QN_OK;
    pthread_mutex_lock(&p->lock);
    uint64_t *at = qn_map_get(&p->views, key);
    if (at) *out = (const qn_table_view *)(uintptr_t)*at;
    else {
        qn_sql *db;
        qn_table_view *v = NULL;
        bool keep = p->arena.used_bytes < p->max_bytes;
        rc = take_file(p, file, &db, e);
        if (rc == QN_OK) {
            rc = qn_table_load(qn_sql_handle(db), name, MAX_CELLS, keep ? &p->arena : a, &v, e);
            for (size_t i = 0; i < p->n_handles; i++) if (p->handles[i].sql == db) p->handles[i].idle = true;
        }
        qn_value table, title;
        if (rc == QN_OK && qn_row_find(r, QN_STR("table"), &table) && qn_v_get(table, QN_STR("title"), &title) && title.kind == QN_V_TEXT)
            qn_table_view_title(keep ? &p->arena : a, v, qn_v_str(title));
        if (rc == QN_OK && keep) *qn_map_put(&p->views, key, NULL) = (uint64_t)(uintptr_t)v;
        *out = v;
    }
    pthread_mutex_unlock(&p->lock);
    return rc;
}
