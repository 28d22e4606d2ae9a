/* memo: content-addressed files with a checksum, and an eviction by age of last use. */
#include "ledger/memo.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/thread.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { PACK_OVER = 1024, TOUCH_AFTER_S = 3600 };
static const char MAGIC[8] = "qnmemo1\n";

typedef struct { char magic[8]; qn_hash128 key; uint64_t n, n_stored, sum; uint64_t packed; } header;

struct qn_memo {
    char *dir;
    uint64_t cap;
    pthread_mutex_t lock;   /* guards what follows */
    uint64_t used;          /* bytes below dir, as far as known */
    bool counted, warned;
    qn_memo_stats stats;
};

const char *qn_machine_kind(void)
{
#if defined __x86_64__
    return __builtin_cpu_supports("avx512f") ? "x86-64 avx512" : __builtin_cpu_supports("avx2") ? "x86-64 avx2" : "x86-64";
#elif defined __aarch64__
    return "aarch64";
#else
    return "other";
#endif
}

qn_hash128 qn_memo_key(const char *op, int version, qn_str settings, qn_str input, int machine)
{
    char head[160];
    int n = snprintf(head, sizeof head, "%s\n%d\n%s\n", op, version, machine ? qn_machine_kind() : "");
    qn_hash128 h = qn_hash_mix(qn_hash(head, (size_t)n), qn_hash(settings.p, settings.n));
    return qn_hash_mix(h, qn_hash(input.p, input.n));
}

qn_code qn_memo_open(qn_memo **out, const char *dir, uint64_t cap_bytes, qn_err *e)
{
    QN_TRY(qn_mkdirs(dir, e));
    qn_memo *m = QN_NEW(qn_memo);
    m->dir = qn_strz(qn_str_of(dir));
    m->cap = cap_bytes;
    pthread_mutex_init(&m->lock, NULL);
    *out = m;
    return QN_OK;
}

void qn_memo_close(qn_memo *m)
{
    if (!m) return;
    pthread_mutex_destroy(&m->lock);
    qn_free(m->dir);
    qn_free(m);
}

void qn_memo_stats_get(qn_memo *m, qn_memo_stats *out)
{
    pthread_mutex_lock(&m->lock);
    *out = m->stats;
    pthread_mutex_unlock(&m->lock);
}

static void path_of(const qn_memo *m, qn_hash128 key, qn_buf *out)
{
    char hex[33];
    qn_hash_hex(key, hex);
    qn_buf_printf(out, "%s/%.2s/%s", m->dir, hex, hex);
}

static void warn_once(qn_memo *m, const char *what, const char *path, int err)
{
    pthread_mutex_lock(&m->lock);
    bool first = !m->warned;
    m->warned = true;
    pthread_mutex_unlock(&m->lock);
    if (first) qn_log(QN_WARN, "memo", "%s %s: %s; results are worked out again where needed", what, path, strerror(err));
}

static void count(qn_memo *m, uint64_t *which)
{
    pthread_mutex_lock(&m->lock);
    ++*which;
    pthread_mutex_unlock(&m->lock);
}

/* ---- getting ---- */
static bool unpack(const header *h, const char *stored, qn_buf *out)
{
    if (!h->packed) return h->n == h->n_stored && qn_buf_put(out, stored, h->n);
    if (ZSTD_getFrameContentSize(stored, h->n_stored) != h->n || !qn_buf_reserve(out, h->n)) return false;
    size_t k = ZSTD_decompress(out->p + out->n, h->n, stored, h->n_stored);
    if (k != h->n) return false;
    out->n += k;
    out->p[out->n] = 0;
    return true;
}

static bool read_checked(const qn_buf *file, qn_hash128 key, qn_buf *out)
{
    header h;
    if (file->n < sizeof h) return false;
    memcpy(&h, file->p, sizeof h);
    if (memcmp(h.magic, MAGIC, sizeof MAGIC) != 0 || !qn_hash_eq(h.key, key) || h.n_stored != file->n - sizeof h) return false;
    if (qn_hash64(file->p + sizeof h, h.n_stored, h.n ^ h.packed << 63) != h.sum) return false;
    return unpack(&h, file->p + sizeof h, out);
}

static bool read_all(int fd, size_t n, qn_buf *out)
{
    if (!qn_buf_reserve(out, n + 1)) return false;
    while (out->n < n) {
        ssize_t k = read(fd, out->p + out->n, n - out->n);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        out->n += (size_t)k;
    }
    return true;
}

bool qn_memo_get(qn_memo *m, qn_hash128 key, qn_buf *out)
{
    qn_buf path = {0}, file = {0};
    struct stat st;
    path_of(m, key, &path);
    int fd = open(path.p, O_RDONLY | O_CLOEXEC);
    bool there = fd >= 0 && fstat(fd, &st) == 0, ok = false;
    if (there) {
        ok = read_all(fd, (size_t)st.st_size, &file) && read_checked(&file, key, out);
        if (ok && qn_wall_ms() / 1000 - st.st_mtime > TOUCH_AFTER_S) futimens(fd, NULL);    /* used: goes last when room is made */
        if (!ok) {
            qn_log(QN_WARN, "memo", "%s is damaged: removed, its result is worked out again", path.p);
            unlink(path.p);
            count(m, &m->stats.damaged);
        }
    }
    if (fd >= 0) close(fd);
    count(m, ok ? &m->stats.hits : &m->stats.misses);
    qn_buf_free(&path);
    qn_buf_free(&file);
    return ok;
}

/* ---- making room ---- */
typedef struct { int64_t used_ms; uint64_t bytes; char *path; } old_file;
typedef struct { old_file *items; size_t n, cap; uint64_t bytes; } old_files;

static void list_folder(const char *dir, old_files *out)
{
    DIR *d = opendir(dir);
    if (!d) return;
    for (struct dirent *x; (x = readdir(d));) {
        struct stat st;
        if (x->d_name[0] == '.' || fstatat(dirfd(d), x->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
        char *path = qn_path_join(dir, x->d_name);
        if (S_ISDIR(st.st_mode) && strlen(x->d_name) == 2) list_folder(path, out);
        if (!S_ISREG(st.st_mode)) { qn_free(path); continue; }
        QN_GROW(out->items, out->n, out->cap);
        out->items[out->n++] = (old_file){ st.st_mtim.tv_sec * 1000ll + st.st_mtim.tv_nsec / 1000000, (uint64_t)st.st_size, path };
        out->bytes += (uint64_t)st.st_size;
    }
    closedir(d);
}

static int oldest_first(const void *a, const void *b)
{
    const old_file *x = a, *y = b;
    if (x->used_ms != y->used_ms) return x->used_ms < y->used_ms ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* Under the lock: counts what is there, and when that is above the cap removes the oldest down to nine tenths of it. */
static void make_room(qn_memo *m)
{
    old_files all = {0};
    list_folder(m->dir, &all);
    m->used = all.bytes;
    m->counted = true;
    if (m->used > m->cap) {
        qsort(all.items, all.n, sizeof *all.items, oldest_first);
        for (size_t i = 0; i < all.n && m->used > m->cap - m->cap / 10; i++) {
            if (unlink(all.items[i].path) != 0) continue;
            m->used -= all.items[i].bytes;
            m->stats.evicted++;
        }
    }
    for (size_t i = 0; i < all.n; i++) qn_free(all.items[i].path);
    qn_free(all.items);
}

static void note_size(qn_memo *m, uint64_t bytes)
{
    pthread_mutex_lock(&m->lock);
    m->stats.puts++;
    m->used += bytes;
    if (m->cap && (!m->counted || m->used > m->cap)) make_room(m);
    pthread_mutex_unlock(&m->lock);
}

/* ---- putting ---- */
static void encode(qn_hash128 key, qn_str result, qn_buf *out)
{
    header h;
    memset(&h, 0, sizeof h);
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    h.key = key;
    h.n = result.n;
    qn_buf_reserve(out, sizeof h + ZSTD_compressBound(result.n));
    size_t k = result.n > PACK_OVER ? ZSTD_compress(out->p + sizeof h, ZSTD_compressBound(result.n), result.p, result.n, 1) : SIZE_MAX;
    h.packed = result.n > PACK_OVER && !ZSTD_isError(k) && k < result.n - result.n / 5;
    if (!h.packed && result.n) memcpy(out->p + sizeof h, result.p, result.n);
    h.n_stored = h.packed ? k : result.n;
    h.sum = qn_hash64(out->p + sizeof h, h.n_stored, h.n ^ h.packed << 63);
    memcpy(out->p, &h, sizeof h);
    out->n = sizeof h + h.n_stored;
}

static bool write_renamed(const char *path, const char *part, qn_str bytes)
{
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    size_t done = 0;
    while (done < bytes.n) {
        ssize_t k = write(fd, bytes.p + done, bytes.n - done);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) break;
        done += (size_t)k;
    }
    int err = errno;
    bool ok = close(fd) == 0 && done == bytes.n && rename(part, path) == 0;     /* no fsync: a torn file is noticed and worked out again */
    if (!ok) { unlink(part); if (done < bytes.n) errno = err; }
    return ok;
}

bool qn_memo_put(qn_memo *m, qn_hash128 key, qn_str result)
{
    qn_buf path = {0}, part = {0}, bytes = {0};
    char hex[33];
    static uint64_t n_written;                  /* of the process: several handles on one folder must not meet in one part file */
    unsigned long serial = (unsigned long)__atomic_fetch_add(&n_written, 1, __ATOMIC_RELAXED);
    qn_hash_hex(key, hex);
    path_of(m, key, &path);
    qn_buf_printf(&part, "%s/%.2s/.%d.%lu.part", m->dir, hex, (int)getpid(), serial);
    encode(key, result, &bytes);
    bool ok = write_renamed(path.p, part.p, qn_buf_view(&bytes));
    if (!ok && errno == ENOENT) {
        qn_buf folder = {0};
        qn_err e;
        qn_buf_printf(&folder, "%s/%.2s", m->dir, hex);
        ok = qn_mkdirs(folder.p, &e) == QN_OK && write_renamed(path.p, part.p, qn_buf_view(&bytes));
        qn_buf_free(&folder);
    }
    if (ok) note_size(m, bytes.n);
    else warn_once(m, "cannot keep", path.p, errno);
    qn_buf_free(&path);
    qn_buf_free(&part);
    qn_buf_free(&bytes);
    return ok;
}
