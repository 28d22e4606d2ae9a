/* numbers: three passes: the ids that rejections name, their numbers, the file anew. */
#include "engine/numbers.h"
#include "core/file.h"
#include "core/map.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char OF[] = "\"_of\":\"";
enum { OF_BYTES = sizeof OF - 1, HEX = 32 };

struct qn_numbers { qn_spill *ids; uint64_t n; bool named; };

qn_numbers *qn_numbers_new(void)
{
    qn_numbers *n = QN_NEW(qn_numbers);
    n->ids = qn_spill_new(NULL, 1 << 20);
    return n;
}

void qn_numbers_free(qn_numbers *n)
{
    if (!n) return;
    qn_spill_free(n->ids);
    qn_free(n);
}

qn_code qn_numbers_add(qn_numbers *n, qn_hash128 id, uint64_t *number, qn_err *e)
{
    uint64_t at;
    *number = ++n->n;
    return qn_spill_put(n->ids, &id, sizeof id, &at, e);
}

void qn_numbers_named(qn_numbers *n) { __atomic_store_n(&n->named, true, __ATOMIC_RELAXED); }

/* The id that a line names: our own fields stand last, so the last "_of" is ours. */
static const char *of_at(const char *line, size_t size)
{
    for (const char *p = line + size; p > line;) {
        p = memrchr(line, '"', (size_t)(p - line));
        if (!p) return NULL;
        if ((size_t)(line + size - p) >= OF_BYTES + HEX && memcmp(p, OF, OF_BYTES) == 0) return p + OF_BYTES;
        if ((size_t)(line + size - p) > 400) return NULL;       /* far in front of where ours would be */
    }
    return NULL;
}

static bool id_of_hex(const char *hex, qn_hash128 *id)
{
    char half[17] = "", *end;
    memcpy(half, hex, 16);
    id->hi = strtoull(half, &end, 16);
    if (*end) return false;
    memcpy(half, hex + 16, 16);
    id->lo = strtoull(half, &end, 16);
    return *end == 0;
}

static qn_code each_line(const char *path, qn_code (*fn)(void *arg, const char *line, size_t n, qn_err *e), void *arg, qn_err *e)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    qn_code rc = QN_OK;
    if (!f) return qn_fail(e, QN_EIO, "cannot read %s again: %s", path, strerror(errno));
    while (rc == QN_OK && (n = getline(&line, &cap, f)) > 0) rc = fn(arg, line, (size_t)n, e);
    if (rc == QN_OK && ferror(f)) rc = qn_fail(e, QN_EIO, "cannot read %s again: %s", path, strerror(errno));
    free(line);
    fclose(f);
    return rc;
}

static qn_code note_named(void *arg, const char *line, size_t n, qn_err *e)
{
    const char *hex = of_at(line, n);
    qn_hash128 id;
    (void)e;
    if (hex && id_of_hex(hex, &id)) qn_map_put(arg, id, NULL);
    return QN_OK;
}

static qn_code number_named(const qn_numbers *n, qn_map *named, qn_err *e)
{
    enum { MANY = 4096 };
    qn_hash128 *ids = QN_NEW_N(qn_hash128, MANY);
    qn_code rc = QN_OK;
    for (uint64_t i = 0; i < n->n && rc == QN_OK; i += MANY) {
        uint64_t k = n->n - i < MANY ? n->n - i : MANY;
        rc = qn_spill_get(n->ids, i * sizeof *ids, ids, k * sizeof *ids, e);
        for (uint64_t j = 0; j < k && rc == QN_OK; j++) {
            uint64_t *at = qn_map_get(named, ids[j]);
            if (at && !*at) *at = i + j + 1;
        }
    }
    qn_free(ids);
    return rc;
}

typedef struct { qn_out *out; const qn_map *named; } filling;

static qn_code fill_line(void *arg, const char *line, size_t n, qn_err *e)
{
    const filling *f = arg;
    const char *hex = of_at(line, n);
    qn_hash128 id;
    const uint64_t *at = hex && id_of_hex(hex, &id) ? qn_map_get(f->named, id) : NULL;
    char more[48];
    if (!at || !*at) return qn_out_write(f->out, line, n, e);
    size_t head = (size_t)(hex - line) + HEX + 1;
    int k = snprintf(more, sizeof more, ",\"_of_row\":%llu", (unsigned long long)*at);
    QN_TRY(qn_out_write(f->out, line, head, e));
    QN_TRY(qn_out_write(f->out, more, (size_t)k, e));
    return qn_out_write(f->out, line + head, n - head, e);
}

qn_code qn_numbers_fill(qn_numbers *n, const char *path, qn_err *e)
{
    qn_map named = {0};
    filling f = { .named = &named };
    if (!n->named || strcmp(path, "-") == 0) return QN_OK;
    qn_code rc = each_line(path, note_named, &named, e);
    if (rc == QN_OK) rc = number_named(n, &named, e);
    if (rc == QN_OK) rc = qn_out_open(&f.out, path, e);
    if (rc == QN_OK) rc = each_line(path, fill_line, &f, e);
    if (rc == QN_OK) rc = qn_out_keep(f.out, e);
    else qn_out_drop(f.out);
    qn_map_free(&named);
    return rc;
}
