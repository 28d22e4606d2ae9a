/* safetensors: the header is parsed once; arrays are views into the mapped file. */
#include "nn/safetensors.h"
#include "core/file.h"
#include "core/map.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yyjson.h>

enum { MAX_HEADER = 100 << 20, MAX_FILES = 256 };
typedef struct { const uint8_t *p; size_t n; bool mapped; } file;

struct qn_safetensors {
    file files[MAX_FILES];
    yyjson_doc *docs[MAX_FILES];
    size_t n_files, n, cap;
    qn_array *arrays;
    qn_map index;               /* name -> number of the array */
};

static size_t type_bytes(qn_dtype t) { return t == QN_F32 ? 4 : 2; }

static qn_dtype type_of(const char *z)
{
    return !strcmp(z, "F32") ? QN_F32 : !strcmp(z, "F16") ? QN_F16 : !strcmp(z, "BF16") ? QN_BF16 : QN_OTHER;
}

/* One entry of the header; `bytes` is what follows it. */
static qn_code add_array(qn_safetensors *s, yyjson_val *key, yyjson_val *v, const uint8_t *bytes, size_t n, qn_err *e)
{
    qn_array a = { .name = { yyjson_get_str(key), yyjson_get_len(key) }, .count = 1 };
    yyjson_val *type = yyjson_obj_get(v, "dtype"), *shape = yyjson_obj_get(v, "shape"), *at = yyjson_obj_get(v, "data_offsets"), *x;
    if (!yyjson_is_str(type) || !yyjson_is_arr(shape) || yyjson_arr_size(at) != 2)
        return qn_fail(e, QN_EDATA, "the header entry of array `%.80s` is broken", a.name.p);
    a.type = type_of(yyjson_get_str(type));
    if (yyjson_arr_size(shape) > 4) return qn_fail(e, QN_EDATA, "array `%.80s` has more than 4 dimensions", a.name.p);
    size_t i, max;
    yyjson_arr_foreach(shape, i, max, x) {
        uint64_t d = yyjson_get_uint(x);
        if (!yyjson_is_uint(x) || d > (uint64_t)1 << 40 || (d && a.count > ((size_t)1 << 42) / d))
            return qn_fail(e, QN_EDATA, "array `%.80s` has an impossible shape", a.name.p);
        a.shape[a.n_dim++] = (int64_t)d;
        a.count *= d;
    }
    yyjson_val *v0 = yyjson_arr_get(at, 0), *v1 = yyjson_arr_get(at, 1);
    uint64_t from = yyjson_get_uint(v0), to = yyjson_get_uint(v1);
    if (!yyjson_is_uint(v0) || !yyjson_is_uint(v1) || from > to || to > n || (a.type != QN_OTHER && to - from != a.count * type_bytes(a.type)))
        return qn_fail(e, QN_EDATA, "array `%.80s` lies outside the file or has another size than its shape says", a.name.p);
    a.data = bytes + from;
    QN_GROW(s->arrays, s->n, s->cap);
    bool fresh;
    *qn_map_put_str(&s->index, a.name, &fresh) = s->n;
    if (!fresh) return qn_fail(e, QN_EDATA, "array `%.80s` is there twice", a.name.p);
    s->arrays[s->n++] = a;
    return QN_OK;
}

static qn_code add_file(qn_safetensors *s, file f, qn_err *e)
{
    s->files[s->n_files] = f;
    s->docs[s->n_files++] = NULL;
    if (f.n < 8) return qn_fail(e, QN_EDATA, "this is not a safetensors file: it has %zu bytes", f.n);
    uint64_t head = 0;
    for (int i = 7; i >= 0; i--) head = head << 8 | f.p[i];
    if (head > MAX_HEADER || head > f.n - 8) return qn_fail(e, QN_EDATA, "this is not a safetensors file: its header would have %llu bytes", (unsigned long long)head);
    yyjson_doc *doc = yyjson_read((const char *)f.p + 8, (size_t)head, 0);
    s->docs[s->n_files - 1] = doc;
    if (!doc || !yyjson_is_obj(yyjson_doc_get_root(doc))) return qn_fail(e, QN_EDATA, "the header of the safetensors file is no JSON object");
    size_t i, max;
    yyjson_val *k, *v;
    yyjson_obj_foreach(yyjson_doc_get_root(doc), i, max, k, v)
        if (!yyjson_equals_str(k, "__metadata__")) QN_TRY(add_array(s, k, v, f.p + 8 + head, f.n - 8 - (size_t)head, e));
    return QN_OK;
}

static qn_code map_file(void *arg, const char *path, qn_err *e)
{
    qn_safetensors *s = arg;
    if (s->n_files == MAX_FILES) return qn_fail(e, QN_ELIMIT, "more than %d safetensors files", MAX_FILES);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) { if (fd >= 0) close(fd); return qn_fail_open(e, path); }
    file f = { .n = (size_t)st.st_size, .mapped = true };
    f.p = f.n ? mmap(NULL, f.n, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    close(fd);
    if (f.p == MAP_FAILED) return qn_fail(e, QN_EIO, "cannot map %s: %s", path, strerror(errno));
    qn_code rc = add_file(s, f, e);
    if (rc != QN_OK && e) qn_trail(e, "%s", path);
    return rc;
}

static qn_code map_shard(void *arg, const char *path, qn_err *e)
{
    return qn_str_is(qn_path_ext(qn_str_of(path)), "safetensors") ? map_file(arg, path, e) : QN_OK;
}

qn_code qn_safetensors_open(qn_safetensors **out, const char *path, qn_err *e)
{
    qn_safetensors *s = QN_NEW(qn_safetensors);
    qn_code rc = QN_OK;
    char *one = NULL;
    if (qn_is_dir(path)) {
        one = qn_path_join(path, "model.safetensors");
        rc = qn_file_exists(one) ? map_file(s, one, e) : qn_files_each(path, map_shard, s, e);
    } else if (!qn_file_exists(path)) {
        rc = qn_fail(e, QN_EIO, "there is no file %s", path);
    } else {
        rc = map_file(s, path, e);
    }
    if (rc == QN_OK && s->n_files == 0) rc = qn_fail(e, QN_EIO, "no safetensors file in %s", path);
    qn_free(one);
    if (rc != QN_OK) { qn_safetensors_close(s); return rc; }
    *out = s;
    return QN_OK;
}

qn_code qn_safetensors_parse(qn_safetensors **out, const void *bytes, size_t n, qn_err *e)
{
    qn_safetensors *s = QN_NEW(qn_safetensors);
    qn_code rc = add_file(s, (file){ .p = bytes, .n = n }, e);
    if (rc != QN_OK) { qn_safetensors_close(s); return rc; }
    *out = s;
    return QN_OK;
}

void qn_safetensors_close(qn_safetensors *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->n_files; i++) {
        yyjson_doc_free(s->docs[i]);
        if (s->files[i].mapped && s->files[i].n) munmap((void *)(uintptr_t)s->files[i].p, s->files[i].n);
    }
    qn_map_free(&s->index);
    qn_free(s->arrays);
    qn_free(s);
}

size_t qn_safetensors_count(const qn_safetensors *s) { return s->n; }
const qn_array *qn_safetensors_at(const qn_safetensors *s, size_t i) { return &s->arrays[i]; }

const qn_array *qn_safetensors_find(const qn_safetensors *s, const char *name)
{
    uint64_t *i = qn_map_get_str(&s->index, qn_str_of(name));
    return i ? &s->arrays[*i] : NULL;
}

static float from_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, ex = h >> 10 & 31, man = h & 1023;
    union { uint32_t u; float f; } x;
    if (ex == 0) { x.f = (float)man * 0x1p-24f; x.u |= sign; return x.f; }
    x.u = sign | (ex == 31 ? 255u : ex + 112) << 23 | man << 13;
    return x.f;
}

qn_code qn_safetensors_read(const qn_safetensors *s, const char *name, size_t count, float *out, qn_err *e)
{
    const qn_array *a = qn_safetensors_find(s, name);
    if (!a) return qn_fail(e, QN_EDATA, "the weights lack `%s`", name);
    if (a->type == QN_OTHER) return qn_fail(e, QN_EDATA, "`%s` is not in F32, F16 or BF16", name);
    if (a->count != count) return qn_fail(e, QN_EDATA, "`%s` has %zu numbers, the configuration needs %zu", name, a->count, count);
    if (a->type == QN_F32) { if (count) memcpy(out, a->data, count * sizeof(float)); return QN_OK; }
    for (size_t i = 0; i < count; i++) {
        uint16_t h;
        memcpy(&h, (const char *)a->data + 2 * i, 2);
        union { uint32_t u; float f; } x = { .u = (uint32_t)h << 16 };
        out[i] = a->type == QN_BF16 ? x.f : from_f16(h);
    }
    return QN_OK;
}

qn_str qn_safetensors_note(const qn_safetensors *s, const char *key)
{
    for (size_t i = 0; i < s->n_files; i++) {
        yyjson_val *v = yyjson_obj_get(yyjson_obj_get(yyjson_doc_get_root(s->docs[i]), "__metadata__"), key);
        if (yyjson_is_str(v)) return (qn_str){ yyjson_get_str(v), yyjson_get_len(v) };
    }
    return (qn_str){ "", 0 };
}

static char *header(const qn_array_out *a, size_t n, const char *const *notes, size_t *len)
{
    yyjson_mut_doc *d = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(d), *meta = yyjson_mut_obj(d);
    yyjson_mut_doc_set_root(d, root);
    yyjson_mut_obj_add_str(d, meta, "format", "pt");
    for (; notes && notes[0]; notes += 2) yyjson_mut_obj_add_str(d, meta, notes[0], notes[1]);
    yyjson_mut_obj_add_val(d, root, "__metadata__", meta);
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        yyjson_mut_val *v = yyjson_mut_obj(d), *shape = yyjson_mut_arr(d), *off = yyjson_mut_arr(d);
        uint64_t bytes = 4 * (uint64_t)a[i].rows * (uint64_t)(a[i].cols ? a[i].cols : 1);
        yyjson_mut_obj_add_str(d, v, "dtype", "F32");
        yyjson_mut_arr_add_sint(d, shape, a[i].rows);
        if (a[i].cols) yyjson_mut_arr_add_sint(d, shape, a[i].cols);
        yyjson_mut_obj_add_val(d, v, "shape", shape);
        yyjson_mut_arr_add_uint(d, off, at);
        yyjson_mut_arr_add_uint(d, off, at += bytes);
        yyjson_mut_obj_add_val(d, v, "data_offsets", off);
        yyjson_mut_obj_add_val(d, root, a[i].name, v);
    }
    char *text = yyjson_mut_write(d, 0, len);
    yyjson_mut_doc_free(d);
    return text;
}

qn_code qn_safetensors_write(const char *path, const qn_array_out *a, size_t n, const char *const *notes, qn_err *e)
{
    size_t len;
    char *text = header(a, n, notes, &len);
    QN_ASSERT(text);
    uint64_t padded = (len + 7) / 8 * 8;
    uint8_t size[8];
    for (int i = 0; i < 8; i++) size[i] = (uint8_t)(padded >> 8 * i);
    qn_out *o = NULL;
    qn_code rc;
    QN_TRY_OUT(qn_out_open(&o, path, e));
    QN_TRY_OUT(qn_out_write(o, size, 8, e));
    QN_TRY_OUT(qn_out_write(o, text, len, e));
    QN_TRY_OUT(qn_out_write(o, "       ", padded - len, e));
    for (size_t i = 0; i < n; i++)
        QN_TRY_OUT(qn_out_write(o, a[i].data, 4 * (size_t)a[i].rows * (size_t)(a[i].cols ? a[i].cols : 1), e));
    rc = qn_out_keep(o, e);
    o = NULL;
out:
    if (o) qn_out_drop(o);
    free(text);
    return rc;
}
