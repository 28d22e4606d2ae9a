/* batch_lines: see batch_lines.h. */
#include "model/batch_lines.h"
#include "model/openai.h"
#include <stdio.h>
#include <yyjson.h>

/* ---- out ---- */
void qn_batch_line_put(const qn_ask *ask, qn_hash128 key, unsigned quirks, qn_buf *out)
{
    char hex[33];
    qn_hash_hex(key, hex);
    qn_buf_printf(out, "{\"custom_id\":\"%s\",\"method\":\"POST\",\"url\":\"/v1%s\",\"body\":", hex, qn_openai_path(ask->kind));
    size_t at = out->n;
    qn_openai_body(ask, quirks | QN_NO_STREAM, out);
    for (size_t i = at; i < out->n; i++) if (out->p[i] == '\n' || out->p[i] == '\r') out->p[i] = ' ';   /* between tokens: in a JSON text they are escaped */
    qn_buf_puts(out, "}\n");
}

/* ---- back ---- */
static void copy(char *to, size_t size, yyjson_val *v)
{
    const char *s = yyjson_is_str(v) ? yyjson_get_str(v) : "";
    snprintf(to, size, "%s", s);
}

/* A name that goes into a path of ours: without anything that means something there. */
static void copy_id(char *to, size_t size, yyjson_val *v)
{
    copy(to, size, v);
    for (const char *c = to; *c; c++)
        if (!((*c >= '0' && *c <= '9') || ((*c | 32) >= 'a' && (*c | 32) <= 'z') || strchr("-_.:/", *c))) { to[0] = 0; return; }
    if (strstr(to, "..")) to[0] = 0;
}

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static bool key_read(yyjson_val *v, qn_hash128 *out)
{
    const char *s = yyjson_is_str(v) && yyjson_get_len(v) == 32 ? yyjson_get_str(v) : NULL;
    *out = (qn_hash128){0};
    for (int i = 0; s && i < 32; i++) {
        int d = hex_digit(s[i]);
        if (d < 0) return false;
        uint64_t *half = i < 16 ? &out->hi : &out->lo;
        *half = *half << 4 | (uint64_t)d;
    }
    return s != NULL;
}

bool qn_batch_line_read(qn_str line, qn_buf *body, qn_batch_result *out)
{
    *out = (qn_batch_result){0};
    yyjson_doc *doc = line.n ? yyjson_read(line.p, line.n, 0) : NULL;
    yyjson_val *root = yyjson_doc_get_root(doc), *response = yyjson_obj_get(root, "response"), *error = yyjson_obj_get(root, "error");
    bool ok = key_read(yyjson_obj_get(root, "custom_id"), &out->key);
    if (ok && yyjson_is_obj(response)) {
        yyjson_val *b = yyjson_obj_get(response, "body");
        size_t n;
        char *text = b ? yyjson_val_write(b, 0, &n) : NULL;
        out->status = (int)yyjson_get_int(yyjson_obj_get(response, "status_code"));
        qn_buf_clear(body);
        if (text) qn_buf_put(body, text, n);
        free(text);
        out->body = qn_buf_view(body);
    }
    if (ok && yyjson_is_obj(error)) {
        copy(out->code, sizeof out->code, yyjson_obj_get(error, "code"));
        copy(out->error, sizeof out->error, yyjson_obj_get(error, "message"));
        if (!out->error[0]) snprintf(out->error, sizeof out->error, "%s", out->code[0] ? out->code : "an error without words");
    }
    yyjson_doc_free(doc);
    return ok;
}

/* ---- batches ---- */
static qn_batch_status status_of(const char *word)
{
    if (strcmp(word, "completed") == 0) return QN_BATCH_COMPLETED;
    if (strcmp(word, "failed") == 0) return QN_BATCH_FAILED;
    if (strcmp(word, "expired") == 0) return QN_BATCH_EXPIRED;
    if (strcmp(word, "cancelled") == 0 || strcmp(word, "canceled") == 0) return QN_BATCH_CANCELLED;
    return QN_BATCH_RUNS;       /* validating, in_progress, finalizing, cancelling, and whatever else there may be */
}

static bool view_of(yyjson_val *o, qn_batch_view *v)
{
    yyjson_val *counts = yyjson_obj_get(o, "request_counts"), *errors = yyjson_obj_get(yyjson_obj_get(o, "errors"), "data");
    yyjson_val *first = yyjson_arr_get_first(errors);
    *v = (qn_batch_view){0};
    copy_id(v->id, sizeof v->id, yyjson_obj_get(o, "id"));
    copy(v->status_word, sizeof v->status_word, yyjson_obj_get(o, "status"));
    copy_id(v->input_file, sizeof v->input_file, yyjson_obj_get(o, "input_file_id"));
    copy_id(v->output_file, sizeof v->output_file, yyjson_obj_get(o, "output_file_id"));
    copy_id(v->error_file, sizeof v->error_file, yyjson_obj_get(o, "error_file_id"));
    copy(v->mark, sizeof v->mark, yyjson_obj_get(yyjson_obj_get(o, "metadata"), "quern"));
    copy(v->code, sizeof v->code, yyjson_obj_get(first, "code"));
    copy(v->error, sizeof v->error, yyjson_obj_get(first, "message"));
    v->status = status_of(v->status_word);
    v->total = yyjson_get_sint(yyjson_obj_get(counts, "total"));
    v->completed = yyjson_get_sint(yyjson_obj_get(counts, "completed"));
    v->failed = yyjson_get_sint(yyjson_obj_get(counts, "failed"));
    v->created_at = yyjson_get_sint(yyjson_obj_get(o, "created_at"));
    return v->id[0] && v->status_word[0];
}

bool qn_batch_view_read(qn_str json, qn_batch_view *out)
{
    yyjson_doc *doc = json.n ? yyjson_read(json.p, json.n, 0) : NULL;
    bool ok = doc && view_of(yyjson_doc_get_root(doc), out);
    yyjson_doc_free(doc);
    return ok;
}

bool qn_batch_list_read(qn_str json, bool (*fn)(void *arg, const qn_batch_view *v), void *arg, bool *more, char last[128])
{
    yyjson_doc *doc = json.n ? yyjson_read(json.p, json.n, 0) : NULL;
    yyjson_val *root = yyjson_doc_get_root(doc), *data = yyjson_obj_get(root, "data"), *o;
    bool ok = yyjson_is_arr(data);
    size_t i, n;
    qn_batch_view v;
    *more = yyjson_get_bool(yyjson_obj_get(root, "has_more"));
    last[0] = 0;
    yyjson_arr_foreach(data, i, n, o) {
        if (!view_of(o, &v)) continue;
        memcpy(last, v.id, 128);
        if (!fn(arg, &v)) { *more = false; break; }
    }
    if (!last[0]) *more = false;
    yyjson_doc_free(doc);
    return ok;
}

bool qn_file_view_read(qn_str json, char id[128])
{
    yyjson_doc *doc = json.n ? yyjson_read(json.p, json.n, 0) : NULL;
    copy_id(id, 128, yyjson_obj_get(yyjson_doc_get_root(doc), "id"));
    yyjson_doc_free(doc);
    return id[0] != 0;
}
