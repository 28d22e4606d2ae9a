/* archive: libarchive behind two small interfaces. */
#include "io/archive.h"
#include "core/dl.h"
#include <archive.h>
#include <archive_entry.h>

static struct {
    __typeof__(&archive_read_new) read_new;
    __typeof__(&archive_read_free) read_free;
    __typeof__(&archive_read_support_filter_all) support_filter_all;
    __typeof__(&archive_read_support_format_raw) support_format_raw;
    __typeof__(&archive_read_support_format_empty) support_format_empty;
    __typeof__(&archive_read_support_format_zip) support_format_zip;
    __typeof__(&archive_read_open) open;
    __typeof__(&archive_read_open_memory) open_memory;
    __typeof__(&archive_read_next_header) next_header;
    __typeof__(&archive_read_data) data;
    __typeof__(&archive_read_data_block) data_block;
    __typeof__(&archive_error_string) error_string;
    __typeof__(&archive_set_error) set_error;
    __typeof__(&archive_entry_pathname) pathname;
    __typeof__(&archive_entry_pathname_utf8) pathname_utf8;
    __typeof__(&archive_entry_filetype) filetype;
    __typeof__(&archive_entry_is_data_encrypted) is_encrypted;
} ar;

#define SYM(field, name) { #name, (void **)&ar.field }
static const qn_sym SYMS[] = {
    SYM(read_new, archive_read_new), SYM(read_free, archive_read_free), SYM(support_filter_all, archive_read_support_filter_all),
    SYM(support_format_raw, archive_read_support_format_raw), SYM(support_format_empty, archive_read_support_format_empty),
    SYM(support_format_zip, archive_read_support_format_zip), SYM(open, archive_read_open), SYM(open_memory, archive_read_open_memory),
    SYM(next_header, archive_read_next_header), SYM(data, archive_read_data), SYM(data_block, archive_read_data_block), SYM(error_string, archive_error_string),
    SYM(set_error, archive_set_error), SYM(pathname, archive_entry_pathname), SYM(pathname_utf8, archive_entry_pathname_utf8),
    SYM(filetype, archive_entry_filetype), SYM(is_encrypted, archive_entry_is_data_encrypted), { NULL, NULL }
};
static const char *const SONAMES[] = { "libarchive.so.13", NULL };
static qn_lib lib = { SONAMES, SYMS, "reading packed files (bz2, xz) and DOCX, XLSX, EPUB", "apt-get install libarchive13", false };

static const char *why(struct archive *a)
{
    const char *text = ar.error_string(a);
    return text ? text : "damaged";
}

/* ---- one packed stream ---- */
struct qn_unpack {
    struct archive *a;
    qn_code (*pull)(void *arg, const void **p, size_t *n, qn_err *e);
    void   *arg;
    qn_err  pull_err;
    qn_code pull_rc;
    const char *block;          /* unpacked, not yet given */
    size_t  n_block;
};

static la_ssize_t on_pull(struct archive *a, void *arg, const void **p)
{
    qn_unpack *u = arg;
    size_t n = 0;
    u->pull_rc = u->pull(u->arg, p, &n, &u->pull_err);
    if (u->pull_rc == QN_OK) return (la_ssize_t)n;
    ar.set_error(a, 5, "%s", u->pull_err.msg);
    return -1;
}

qn_code qn_unpack_open(qn_unpack **out, qn_code (*pull)(void *, const void **, size_t *, qn_err *), void *arg, qn_err *e)
{
    QN_TRY(qn_lib_need(&lib, e));
    qn_unpack *u = QN_NEW(qn_unpack);
    struct archive_entry *entry;
    u->pull = pull;
    u->arg = arg;
    u->a = ar.read_new();
    ar.support_filter_all(u->a);
    ar.support_format_raw(u->a);
    ar.support_format_empty(u->a);
    int rc = ar.open(u->a, u, NULL, on_pull, NULL);
    if (rc == ARCHIVE_OK) rc = ar.next_header(u->a, &entry);
    if (rc < ARCHIVE_WARN) {
        qn_code code = u->pull_rc != QN_OK ? u->pull_rc : QN_EDATA;
        qn_fail(e, code, "cannot unpack: %s", why(u->a));
        qn_unpack_close(u);
        return code;
    }
    *out = u;
    return QN_OK;
}

qn_code qn_unpack_read(qn_unpack *u, void *p, size_t n, size_t *got, qn_err *e)
{
    while (u->n_block == 0) {   /* block by block: what came before a damaged place is not lost */
        const void *block = NULL;
        la_int64_t offset;
        int rc = ar.data_block(u->a, &block, &u->n_block, &offset);
        if (rc == ARCHIVE_EOF) { *got = 0; return QN_OK; }
        if (rc < ARCHIVE_WARN) return qn_fail(e, u->pull_rc != QN_OK ? u->pull_rc : QN_EDATA, "cannot unpack: %s", why(u->a));
        u->block = block;
    }
    *got = u->n_block < n ? u->n_block : n;
    memcpy(p, u->block, *got);
    u->block += *got;
    u->n_block -= *got;
    return QN_OK;
}

void qn_unpack_close(qn_unpack *u)
{
    if (!u) return;
    ar.read_free(u->a);
    qn_free(u);
}

/* ---- a zip file in memory ---- */
static qn_code entry_read(struct archive *a, qn_zip_entry *it, size_t *total, qn_arena *arena, qn_err *e)
{
    qn_buf b = { .limit = QN_ZIP_ENTRY_BYTES };
    char part[1 << 15];
    la_ssize_t k;
    qn_code rc = QN_OK;
    while (rc == QN_OK && (k = ar.data(a, part, sizeof part)) != 0) {
        if (k < 0) {
            rc = qn_fail(e, QN_EDATA, "the part %.*s is damaged: %s", QN_FMT(it->name), why(a));
        } else if (!qn_buf_put(&b, part, (size_t)k) || (*total += (size_t)k) > QN_ZIP_BYTES) {
            rc = qn_fail(e, QN_ELIMIT, "the part %.*s unpacks to more than %zu MB", QN_FMT(it->name),
                         (b.full ? QN_ZIP_ENTRY_BYTES : QN_ZIP_BYTES) >> 20);
        }
    }
    if (rc == QN_OK) { it->bytes = qn_arena_str(arena, qn_buf_view(&b)); it->loaded = true; }
    qn_buf_free(&b);
    return rc;
}

static void entry_put(qn_zip *z, qn_arena *a, const char *name)
{
    if (z->n == z->cap) {
        size_t cap = z->cap ? z->cap * 2 : 64;
        qn_zip_entry *bigger = QN_ARENA_NEW_N(a, qn_zip_entry, cap);
        if (z->n) memcpy(bigger, z->items, z->n * sizeof *bigger);
        z->items = bigger;
        z->cap = cap;
    }
    z->items[z->n++] = (qn_zip_entry){ .name = qn_arena_str(a, qn_str_of(name)) };
}

qn_code qn_zip_read(qn_str bytes, bool (*want)(qn_str), qn_arena *arena, qn_zip *out, qn_err *e)
{
    QN_TRY(qn_lib_need(&lib, e));
    struct archive *a = ar.read_new();
    struct archive_entry *entry;
    size_t total = 0;
    qn_code rc = QN_OK;
    *out = (qn_zip){0};
    ar.support_format_zip(a);
    int got = ar.open_memory(a, bytes.p, bytes.n);
    while (rc == QN_OK && got >= ARCHIVE_WARN && (got = ar.next_header(a, &entry)) != ARCHIVE_EOF) {
        if (got < ARCHIVE_WARN) break;
        if (out->n >= QN_ZIP_ENTRIES) { rc = qn_fail(e, QN_ELIMIT, "the file has more than %d parts", QN_ZIP_ENTRIES); break; }
        const char *name = ar.pathname_utf8(entry);
        if (!name) name = ar.pathname(entry);
        if (!name) continue;
        entry_put(out, arena, name);
        qn_zip_entry *it = &out->items[out->n - 1];
        if (ar.filetype(entry) == AE_IFDIR || (want && !want(it->name))) continue;
        if (ar.is_encrypted(entry)) rc = qn_fail(e, QN_EDATA, "the file is encrypted (a password is needed)");
        else rc = entry_read(a, it, &total, arena, e);
    }
    if (rc == QN_OK && got != ARCHIVE_EOF) rc = qn_fail(e, QN_EDATA, "not a sound zip file: %s", why(a));
    if (rc == QN_OK && out->n == 0) rc = qn_fail(e, QN_EDATA, "not a zip file, or an empty one");
    ar.read_free(a);
    return rc;
}

static qn_str plain_name(qn_str s)
{
    for (;;) {
        if (s.n && s.p[0] == '/') s.p++, s.n--;
        else if (s.n > 1 && s.p[0] == '.' && s.p[1] == '/') s.p += 2, s.n -= 2;
        else return s;
    }
}

bool qn_zip_get(const qn_zip *z, qn_str name, qn_str *bytes)
{
    name = plain_name(name);
    for (int loose = 0; loose < 2; loose++)
        for (size_t i = 0; i < z->n; i++) {
            qn_str have = plain_name(z->items[i].name);
            if (!z->items[i].loaded || !(loose ? qn_str_ieq(have, name) : qn_str_eq(have, name))) continue;
            *bytes = z->items[i].bytes;
            return true;
        }
    return false;
}
