/* config_json: reading and writing the JSON files of a model's folder. */
#include "nn/config_json.h"
#include "core/file.h"
#include <stdlib.h>

enum { MAX_JSON = 256 << 20 };

qn_code qn_json_open(yyjson_doc **doc, const char *dir, const char *name, qn_err *e)
{
    char *path = qn_path_join(dir, name);
    qn_buf b = { 0 };
    qn_code rc = qn_file_read(path, MAX_JSON, &b, e);
    if (rc == QN_OK) {
        yyjson_read_err err;
        *doc = yyjson_read_opts(b.p ? b.p : (char *)(uintptr_t)"", b.n, 0, NULL, &err);
        if (!*doc) rc = qn_fail(e, QN_EDATA, "%s is not JSON: %s at byte %zu", path, err.msg, err.pos);
        else if (!yyjson_is_obj(yyjson_doc_get_root(*doc))) { yyjson_doc_free(*doc); rc = qn_fail(e, QN_EDATA, "%s is no JSON object", path); }
    }
    qn_buf_free(&b);
    qn_free(path);
    return rc;
}

qn_code qn_json_size(yyjson_val *o, const char *name, const char *other, int missing, int most, int *out, qn_err *e)
{
    yyjson_val *v = yyjson_obj_get(o, name);
    if ((!v || yyjson_is_null(v)) && other) v = yyjson_obj_get(o, other);
    if (!v || yyjson_is_null(v)) {
        if (missing < 0) return qn_fail(e, QN_EDATA, "config.json lacks `%s`", name);
        *out = missing;
        return QN_OK;
    }
    int64_t x = yyjson_get_sint(v);
    if (!yyjson_is_int(v) || x < 1 || x > most) return qn_fail(e, QN_EDATA, "config.json: `%s` must be a whole number from 1 to %d", name, most);
    *out = (int)x;
    return QN_OK;
}

double qn_json_real(yyjson_val *o, const char *name, double missing)
{
    yyjson_val *v = yyjson_obj_get(o, name);
    return yyjson_is_num(v) ? yyjson_get_num(v) : missing;
}

qn_code qn_json_save(yyjson_mut_doc *doc, const char *dir, const char *name, qn_err *e)
{
    size_t n;
    char *text = yyjson_mut_write(doc, YYJSON_WRITE_PRETTY, &n), *path = qn_path_join(dir, name);
    yyjson_mut_doc_free(doc);
    QN_ASSERT(text);
    qn_code rc = qn_file_write(path, (qn_str){ text, n }, e);
    free(text);
    qn_free(path);
    return rc;
}

qn_code qn_file_copy(const char *from_dir, const char *to_dir, const char *name, qn_err *e)
{
    char *from = qn_path_join(from_dir, name), *to = qn_path_join(to_dir, name);
    qn_buf b = { 0 };
    qn_code rc = QN_OK;
    if (qn_file_exists(from)) {
        rc = qn_file_read(from, MAX_JSON, &b, e);
        if (rc == QN_OK) rc = qn_file_write(to, qn_buf_view(&b), e);
    }
    qn_buf_free(&b);
    qn_free(from);
    qn_free(to);
    return rc;
}
