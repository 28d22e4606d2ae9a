/* json_table: JSON values as cells. */
#include "io/json_table.h"
#include "core/map.h"

struct qn_key_index { qn_map map; };

static qn_str text_of(yyjson_val *v) { return (qn_str){ yyjson_get_str(v), yyjson_get_len(v) }; }

static qn_str cell_of(yyjson_val *v, qn_arena *scratch)
{
    if (!v || yyjson_is_null(v)) return (qn_str){ NULL, 0 };
    if (yyjson_is_str(v)) return text_of(v);
    if (yyjson_is_raw(v)) return (qn_str){ yyjson_get_raw(v), yyjson_get_len(v) };
    if (yyjson_is_bool(v)) return yyjson_get_bool(v) ? QN_STR("true") : QN_STR("false");
    size_t n;
    char *json = yyjson_val_write(v, 0, &n);
    if (!json) return QN_STR("");
    qn_str out = qn_arena_str(scratch, (qn_str){ json, n });
    free(json);
    return out;
}

/* ---- keys of many objects ---- */
void qn_keys_add(qn_key_list *k, yyjson_val *object)
{
    size_t i, n;
    yyjson_val *key, *val;
    if (!k->index) k->index = QN_NEW(struct qn_key_index);
    yyjson_obj_foreach(object, i, n, key, val) {
        bool fresh;
        qn_str name = text_of(key);
        uint64_t *at = qn_map_put_str(&k->index->map, name, &fresh);
        if (!fresh) continue;
        *at = k->n;
        QN_GROW(k->names, k->n, k->cap);
        k->names[k->n++] = qn_arena_str(&k->arena, name);
    }
}

qn_code qn_keys_row(const qn_key_list *k, yyjson_val *object, qn_arena *scratch, qn_cell_sink *sink, qn_err *e)
{
    size_t i, n;
    yyjson_val *key, *val;
    qn_str *cells = QN_ARENA_NEW_N(scratch, qn_str, k->n);
    yyjson_obj_foreach(object, i, n, key, val) {
        const uint64_t *at = k->index ? qn_map_get_str(&k->index->map, text_of(key)) : NULL;
        if (at) cells[*at] = cell_of(val, scratch);
    }
    return sink->row(sink->arg, cells, k->n, e);
}

void qn_keys_free(qn_key_list *k)
{
    if (k->index) qn_map_free(&k->index->map);
    qn_free(k->index);
    qn_free(k->names);
    qn_arena_free(&k->arena);
}

/* ---- shapes ---- */
static bool all_lists(yyjson_val *list)
{
    size_t i, n;
    yyjson_val *v;
    yyjson_arr_foreach(list, i, n, v) if (!yyjson_is_arr(v)) return false;
    return true;
}

bool qn_json_is_table(yyjson_val *v)
{
    yyjson_val *header = yyjson_obj_get(v, "header"), *rows = yyjson_obj_get(v, "rows");
    return yyjson_is_arr(header) && yyjson_is_arr(rows) && all_lists(rows);
}

static qn_str list_cells(yyjson_val *list, qn_arena *scratch, qn_str **cells)
{
    size_t i, n;
    yyjson_val *v;
    *cells = QN_ARENA_NEW_N(scratch, qn_str, yyjson_arr_size(list));
    yyjson_arr_foreach(list, i, n, v) (*cells)[i] = cell_of(v, scratch);
    return (qn_str){ NULL, yyjson_arr_size(list) };
}

static qn_code lists(yyjson_val *header, yyjson_val *rows, size_t skip, qn_str name, qn_str title, qn_cell_sink *sink, qn_err *e)
{
    qn_arena scratch = {0};
    qn_str *cells;
    size_t i, n, k = list_cells(header, &scratch, &cells).n;
    yyjson_val *v;
    for (i = 0; i < k; i++) if (!cells[i].p) cells[i] = QN_STR("");
    qn_code rc = sink->begin(sink->arg, name, title, cells, k, e);
    yyjson_arr_foreach(rows, i, n, v) {
        if (rc != QN_OK) break;
        if (i < skip) continue;
        qn_arena_reset(&scratch);
        k = list_cells(v, &scratch, &cells).n;
        rc = sink->row(sink->arg, cells, k, e);
    }
    qn_arena_free(&scratch);
    return rc == QN_OK ? sink->end(sink->arg, e) : rc;
}

static qn_code objects(yyjson_val *list, qn_str name, qn_cell_sink *sink, qn_err *e)
{
    qn_arena scratch = {0};
    qn_key_list keys = {0};
    size_t i, n;
    yyjson_val *v;
    yyjson_arr_foreach(list, i, n, v) qn_keys_add(&keys, v);
    qn_code rc = sink->begin(sink->arg, name, QN_STR(""), keys.names, keys.n, e);
    yyjson_arr_foreach(list, i, n, v) {
        if (rc != QN_OK) break;
        qn_arena_reset(&scratch);
        rc = qn_keys_row(&keys, v, &scratch, sink, e);
    }
    qn_keys_free(&keys);
    qn_arena_free(&scratch);
    return rc == QN_OK ? sink->end(sink->arg, e) : rc;
}

static qn_str first_text(yyjson_val *object, const char *const *names)
{
    for (; *names; names++) {
        yyjson_val *v = yyjson_obj_get(object, *names);
        if (yyjson_is_str(v) && yyjson_get_len(v)) return text_of(v);
    }
    return QN_STR("");
}

qn_code qn_json_table(yyjson_val *v, qn_str name, qn_cell_sink *sink, qn_err *e)
{
    if (qn_json_is_table(v)) {
        qn_str own = first_text(v, (const char *const[]){ "id", "name", NULL });
        qn_str title = first_text(v, (const char *const[]){ "title", "caption", "page_title", "section_title", NULL });
        return lists(yyjson_obj_get(v, "header"), yyjson_obj_get(v, "rows"), 0, own.n ? own : name, title, sink, e);
    }
    size_t i, n, n_objects = 0;
    yyjson_val *item;
    if (!yyjson_is_arr(v) || yyjson_arr_size(v) == 0) return qn_fail(e, QN_EDATA, "no table here: a list of objects or of lists is needed");
    yyjson_arr_foreach(v, i, n, item) n_objects += yyjson_is_obj(item);
    if (n_objects == n) return objects(v, name, sink, e);
    if (n_objects == 0 && all_lists(v)) return lists(yyjson_arr_get_first(v), v, 1, name, QN_STR(""), sink, e);
    return qn_fail(e, QN_EDATA, "no table here: of %zu items of the list %zu are objects", n, n_objects);
}
