/* file: reading, atomic writing, walking. */
#include "core/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- files that are not there ---- */
static int visible(const struct dirent *d) { return d->d_name[0] != '.'; }
static int by_bytes(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

/* What stands in the folder of a name that does not: the nearest one, or how much there is. */
static void hint_beside(const char *path, qn_err *e)
{
    qn_str whole = qn_str_of(path), base = qn_path_base(whole);
    size_t n_dir = (size_t)(base.p - whole.p);
    char *dir = n_dir ? qn_strz(qn_str_sub(whole, 0, n_dir)) : qn_strz(QN_STR(".")), *word = qn_strz(base);
    struct dirent **names = NULL;
    int n = scandir(dir, &names, visible, by_bytes);
    const char **words = QN_NEW_N(const char *, n > 0 ? n : 1);
    for (int i = 0; i < n; i++) words[i] = names[i]->d_name;
    const char *near = n > 0 ? qn_nearest(qn_str_of(word), words, (size_t)n) : NULL;
    if (near) qn_hint(e, "did you mean %.*s%s?", (int)n_dir, path, near);
    else if (n < 0) qn_hint(e, "there is no folder %s either; paths begin where quern was called", dir);
    else qn_hint(e, "paths begin where quern was called; a glob stands in quotes: 'data/*.jsonl'");
    for (int i = 0; i < n; i++) free(names[i]);
    free(names);
    qn_free(words);
    qn_free(dir);
    qn_free(word);
}

qn_code qn_fail_open(qn_err *e, const char *path)
{
    int why = errno;
    bool mistake = why == ENOENT || why == ENOTDIR || why == EISDIR || why == EACCES;
    qn_fail(e, mistake ? QN_ERECIPE : QN_EIO, "cannot read %s: %s", path, strerror(why));
    if (why == ENOENT && e) hint_beside(path, e);
    return mistake ? QN_ERECIPE : QN_EIO;
}

qn_code qn_file_read(const char *path, size_t limit, qn_buf *out, qn_err *e)
{
    bool in = strcmp(path, "-") == 0;
    int fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return qn_fail_open(e, path);
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) { close(fd); return qn_fail(e, QN_ERECIPE, "%s is a folder, a file is needed", path); }
    qn_code rc = QN_OK;
    for (;;) {
        qn_buf_reserve(out, 1 << 16);
        out->p[out->n] = 0;         /* also when the file is empty */
        ssize_t k = read(fd, out->p + out->n, out->cap - out->n - 1);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) { rc = qn_fail(e, QN_EIO, "cannot read %s: %s", path, strerror(errno)); break; }
        if (k == 0) break;
        out->n += (size_t)k;
        out->p[out->n] = 0;
        if (limit && out->n > limit) { rc = qn_fail(e, QN_ELIMIT, "%s is larger than %zu bytes", path, limit); break; }
    }
    if (!in) close(fd);
    return rc;
}

qn_code qn_file_write(const char *path, qn_str bytes, qn_err *e)
{
    qn_out *o;
    QN_TRY(qn_out_open(&o, path, e));
    qn_code rc = qn_out_write(o, bytes.p, bytes.n, e);
    if (rc != QN_OK) { qn_out_drop(o); return rc; }
    return qn_out_keep(o, e);
}

bool qn_file_exists(const char *path) { return access(path, F_OK) == 0; }

bool qn_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

qn_code qn_mkdirs(const char *path, qn_err *e)
{
    char *p = qn_strz(qn_str_of(path));
    qn_code rc = QN_OK;
    for (char *c = p + 1; rc == QN_OK; c++) {
        if (*c != '/' && *c != 0) continue;
        char was = *c;
        *c = 0;
        if (mkdir(p, 0777) != 0 && errno != EEXIST) rc = qn_fail(e, QN_EIO, "cannot make the folder %s: %s", p, strerror(errno));
        *c = was;
        if (!was) break;
    }
    if (rc == QN_OK && !qn_is_dir(path)) rc = qn_fail(e, QN_EIO, "%s is a file, a folder is needed", path);
    qn_free(p);
    return rc;
}

qn_str qn_path_base(qn_str path)
{
    while (path.n > 1 && path.p[path.n - 1] == '/') path.n--;
    const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
    return slash && path.n > 1 ? qn_str_sub(path, (size_t)(slash - path.p) + 1, path.n) : path;
}

qn_str qn_path_ext(qn_str path)
{
    qn_str base = qn_path_base(path);
    const char *dot = base.n ? memrchr(base.p, '.', base.n) : NULL;
    return dot && dot > base.p ? qn_str_sub(base, (size_t)(dot - base.p) + 1, base.n) : (qn_str){ "", 0 };
}

char *qn_path_join(const char *dir, const char *name)
{
    qn_buf b = {0};
    size_t n = strlen(dir);
    qn_buf_printf(&b, "%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
    return b.p;
}

/* ---- a file being written ---- */
struct qn_out { int fd; bool stays; char *path, *part; qn_buf buf; uint64_t bytes, written, on_its_way; };

enum { WRITE_BEHIND = 8 << 20 };

static void out_free(qn_out *o)
{
    qn_buf_free(&o->buf);
    qn_free(o->path);
    qn_free(o->part);
    qn_free(o);
}

/* /dev/null, a pipe with a name: written to as they are. Renaming a file over one would take the device away. */
static bool is_device(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

qn_code qn_out_open(qn_out **out, const char *path, qn_err *e)
{
    qn_out *o = QN_NEW(qn_out);
    o->path = qn_strz(qn_str_of(path));
    if (strcmp(path, "-") == 0) {
        o->fd = STDOUT_FILENO;
        o->stays = true;
    } else if (is_device(path)) {
        o->fd = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        qn_buf b = {0};
        qn_buf_printf(&b, "%s.part", path);
        o->part = b.p;
        o->fd = open(o->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    }
    if (o->fd < 0) {
        qn_fail(e, QN_EIO, "cannot write %s: %s", path, strerror(errno));
        out_free(o);
        return QN_EIO;
    }
    *out = o;
    return QN_OK;
}

static qn_code write_all(qn_out *o, const char *p, size_t n, qn_err *e)
{
    o->written += n;
    while (n > 0) {
        ssize_t k = write(o->fd, p, n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) {
            qn_fail(e, QN_EIO, "cannot write %s: %s", o->stays ? "to standard output" : o->path, strerror(errno));
            if (errno == ENOSPC) qn_hint(e, "free some space and run again: nothing that was paid for is lost");
            return QN_EIO;
        }
        p += k;
        n -= (size_t)k;
    }
    return QN_OK;
}

/* The system is told to begin with what was written, so that the fsync at the end has little left to wait for. Only advice. */
static void begin_writing(qn_out *o)
{
#ifdef SYNC_FILE_RANGE_WRITE
    if (!o->part || o->written - o->on_its_way < WRITE_BEHIND) return;
    sync_file_range(o->fd, (off64_t)o->on_its_way, (off64_t)(o->written - o->on_its_way), SYNC_FILE_RANGE_WRITE);
    o->on_its_way = o->written;
#else
    (void)o;
#endif
}

qn_code qn_out_flush(qn_out *o, qn_err *e)
{
    qn_code rc = write_all(o, o->buf.p, o->buf.n, e);
    begin_writing(o);
    qn_buf_clear(&o->buf);
    return rc;
}

qn_code qn_out_write(qn_out *o, const void *p, size_t n, qn_err *e)
{
    o->bytes += n;
    if (o->buf.n + n > (1 << 18)) QN_TRY(qn_out_flush(o, e));
    if (n > (1 << 18)) return write_all(o, p, n, e);
    qn_buf_put(&o->buf, p, n);
    return QN_OK;
}

uint64_t qn_out_bytes(const qn_out *o) { return o->bytes; }

qn_code qn_out_keep(qn_out *o, qn_err *e)
{
    qn_code rc = qn_out_flush(o, e);
    if (!o->part && !o->stays) close(o->fd);
    if (o->part) {
        if (rc == QN_OK && fsync(o->fd) != 0 && errno != EINVAL && errno != EROFS)
            rc = qn_fail(e, QN_EIO, "cannot write %s: %s", o->path, strerror(errno));
        if (close(o->fd) != 0 && rc == QN_OK) rc = qn_fail(e, QN_EIO, "cannot write %s: %s", o->path, strerror(errno));
        if (rc == QN_OK && rename(o->part, o->path) != 0)
            rc = qn_fail(e, QN_EIO, "cannot rename %s to %s: %s", o->part, o->path, strerror(errno));
        if (rc != QN_OK) unlink(o->part);
    }
    out_free(o);
    return rc;
}

void qn_out_drop(qn_out *o)
{
    if (!o) return;
    if (!o->stays) close(o->fd);
    if (o->part) unlink(o->part);
    out_free(o);
}

/* ---- walking ---- */
typedef struct { qn_code (*fn)(void *, const char *, qn_err *); void *arg; size_t n_seen; } walk;

static qn_code walk_path(walk *w, const char *path, int depth, qn_err *e)
{
    struct stat st;
    if (stat(path, &st) != 0) return qn_fail_open(e, path);
    if (!S_ISDIR(st.st_mode)) { w->n_seen++; return w->fn(w->arg, path, e); }
    if (depth > 40) return qn_fail(e, QN_ELIMIT, "folders are nested more than 40 deep at %s (a loop of links?)", path);
    struct dirent **names;
    int n = scandir(path, &names, visible, by_bytes);
    if (n < 0) return qn_fail(e, QN_EIO, "cannot read the folder %s: %s", path, strerror(errno));
    qn_code rc = QN_OK;
    for (int i = 0; i < n; i++) {
        if (rc == QN_OK) {
            char *child = qn_path_join(path, names[i]->d_name);
            rc = walk_path(w, child, depth + 1, e);
            qn_free(child);
        }
        free(names[i]);
    }
    free(names);
    return rc;
}

static int path_order(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

qn_code qn_files_each(const char *path, qn_code (*fn)(void *, const char *, qn_err *), void *arg, qn_err *e)
{
    walk w = { fn, arg, 0 };
    struct stat st;
    if (strcmp(path, "-") == 0) return fn(arg, path, e);
    if (stat(path, &st) == 0 || !strpbrk(path, "*?[")) {
        QN_TRY(walk_path(&w, path, 0, e));
        return w.n_seen ? QN_OK : qn_fail(e, QN_EIO, "the folder %s holds no file", path);
    }
    glob_t g;
    if (glob(path, 0, NULL, &g) != 0) return qn_fail(e, QN_EIO, "nothing matches %s", path);
    qsort(g.gl_pathv, g.gl_pathc, sizeof *g.gl_pathv, path_order);
    qn_code rc = QN_OK;
    for (size_t i = 0; i < g.gl_pathc && rc == QN_OK; i++) rc = walk_path(&w, g.gl_pathv[i], 0, e);
    globfree(&g);
    return rc;
}

/* ---- a source's files ---- */
static qn_code list_add(void *arg, const char *file, qn_err *e)
{
    qn_files *f = arg;
    (void)e;
    QN_GROW(f->paths, f->n, f->cap);
    f->paths[f->n++] = qn_strz(qn_str_of(file));
    return QN_OK;
}

qn_code qn_files_list(qn_files *f, const char *path, qn_err *e) { return qn_files_each(path, list_add, f, e); }

void qn_files_free(qn_files *f)
{
    for (size_t i = 0; i < f->n; i++) qn_free(f->paths[i]);
    qn_free(f->paths);
    *f = (qn_files){0};
}

qn_code qn_files_check(const char *path, qn_err *e)
{
    QN_ASSERT(path);            /* a parameter without a default is always given */
    if (strcmp(path, "-") == 0 || qn_file_exists(path)) return QN_OK;
    if (strpbrk(path, "*?[")) {
        glob_t g;
        bool any = glob(path, GLOB_NOSORT, NULL, &g) == 0;
        if (any) globfree(&g);
        if (any) return QN_OK;
        qn_fail(e, QN_ERECIPE, "nothing matches %s", path);
        qn_hint(e, "paths begin where quern was called");
        return QN_ERECIPE;
    }
    qn_fail(e, QN_ERECIPE, "there is no file or folder %s", path);
    hint_beside(path, e);
    return QN_ERECIPE;
}
