/* desk: lines by task, wanted tasks by person, files written beside and renamed. */
#include "io/desk.h"
#include "core/file.h"
#include "core/map.h"
#include "core/thread.h"
#include <stdio.h>
#include <stdlib.h>

#define MOST_BYTES ((size_t)1 << 30)

typedef struct { qn_str person, task, bytes; bool decided, used; } raw_line;    /* a line of a file as it stands; person: the file's name */
typedef struct { qn_str person, task, line; } wanted;

struct qn_desk {
    char     *dir;
    qn_arena  arena;
    raw_line *raw; size_t n_raw, cap_raw;
    qn_desk_line *decided; size_t n_decided, cap_decided;
    size_t   *next;             /* (n_decided) the next decided line about the same task, 0 none (numbers from 1) */
    qn_map    first;            /* task -> number of its first decided line, from 1 */
    wanted   *wants; size_t n_wants, cap_wants;
    pthread_mutex_t lock;
};

static qn_str text_at(qn_value o, const char *key)
{
    qn_value v;
    return qn_v_get(o, qn_str_of(key), &v) ? qn_str_trim(qn_v_str(v)) : (qn_str){ "", 0 };
}

static qn_code read_line(qn_desk *d, const char *file, qn_str person, qn_str bytes, int line, qn_err *e)
{
    qn_value v;
    qn_err bad = {0};
    if (qn_str_trim(bytes).n == 0) return QN_OK;
    if (qn_json_parse(bytes, &d->arena, &v, &bad) != QN_OK || text_at(v, "task").n == 0) {
        static _Thread_local char where[1024];
        snprintf(where, sizeof where, "%s", file);
        qn_fail_at(e, QN_EDATA, (qn_pos){ .file = where, .line = line }, bad.msg[0] ? "this line is no JSON: %s" : "this line is no object with `task`%s", bad.msg);
        qn_hint(e, "put the line right, or take it out: what people decided is not passed over");
        return QN_EDATA;
    }
    QN_GROW(d->raw, d->n_raw, d->cap_raw);
    raw_line *r = &d->raw[d->n_raw++];
    *r = (raw_line){ .person = person, .task = text_at(v, "task"), .bytes = bytes, .decided = text_at(v, "decision").n > 0 };
    if (!r->decided) return QN_OK;
    qn_str who = text_at(v, "who");
    QN_GROW(d->decided, d->n_decided, d->cap_decided);
    d->decided[d->n_decided++] = (qn_desk_line){ r->task, who.n ? who : person, v, file, line };
    return QN_OK;
}

static qn_code read_file(void *arg, const char *path, qn_err *e)
{
    qn_desk *d = arg;
    qn_buf b = {0};
    if (!qn_str_ends(qn_str_of(path), QN_STR(".jsonl"))) return QN_OK;
    QN_TRY(qn_file_read(path, MOST_BYTES, &b, e));
    qn_str all = qn_arena_str(&d->arena, qn_buf_view(&b)), base = qn_path_base(qn_str_of(path));
    const char *file = qn_arena_str(&d->arena, qn_str_of(path)).p;
    qn_str person = qn_arena_str(&d->arena, qn_str_sub(base, 0, base.n - 6));
    qn_buf_free(&b);
    int line = 0;
    for (size_t i = 0; i < all.n;) {
        const char *nl = memchr(all.p + i, '\n', all.n - i);
        size_t end = nl ? (size_t)(nl - all.p) : all.n;
        QN_TRY(read_line(d, file, person, qn_str_sub(all, i, end), ++line, e));
        i = end + 1;
    }
    return QN_OK;
}

static void index_decided(qn_desk *d)
{
    d->next = QN_NEW_N(size_t, d->n_decided + 1);
    for (size_t i = d->n_decided; i-- > 0;) {       /* backwards, so that each list comes out in order */
        uint64_t *at = qn_map_put_str(&d->first, d->decided[i].task, NULL);
        d->next[i] = (size_t)*at;
        *at = i + 1;
    }
}

qn_code qn_desk_open(qn_desk **out, const char *dir, qn_err *e)
{
    qn_desk *d = QN_NEW(qn_desk);
    d->dir = qn_strz(qn_str_of(dir));
    pthread_mutex_init(&d->lock, NULL);
    qn_code rc = qn_mkdirs(dir, e);
    qn_err none = {0};
    bool any = rc == QN_OK && qn_files_each(dir, read_file, d, &none) == QN_OK;
    if (rc == QN_OK && !any && none.code == QN_EDATA) { *e = none; rc = QN_EDATA; }     /* an empty folder is none */
    if (rc != QN_OK) { qn_desk_close(d); return rc; }
    index_decided(d);
    *out = d;
    return QN_OK;
}

void qn_desk_close(qn_desk *d)
{
    if (!d) return;
    qn_free(d->dir);
    qn_free(d->raw);
    qn_free(d->decided);
    qn_free(d->next);
    qn_free(d->wants);
    qn_map_free(&d->first);
    qn_arena_free(&d->arena);
    pthread_mutex_destroy(&d->lock);
    qn_free(d);
}

size_t qn_desk_n(const qn_desk *d) { return d->n_decided; }
const qn_desk_line *qn_desk_at(const qn_desk *d, size_t i) { return &d->decided[i]; }

const qn_desk_line *qn_desk_about(const qn_desk *d, qn_str task, size_t i)
{
    const uint64_t *at = qn_map_get_str(&d->first, task);
    size_t k = at ? (size_t)*at : 0;
    while (k && i-- > 0) k = d->next[k - 1];
    return k ? &d->decided[k - 1] : NULL;
}

void qn_desk_want(qn_desk *d, qn_str person, qn_str task, qn_str line)
{
    pthread_mutex_lock(&d->lock);
    QN_GROW(d->wants, d->n_wants, d->cap_wants);
    d->wants[d->n_wants++] = (wanted){ qn_arena_str(&d->arena, person), qn_arena_str(&d->arena, task), qn_arena_str(&d->arena, line) };
    pthread_mutex_unlock(&d->lock);
}

size_t qn_desk_wanted(qn_desk *d, qn_str person)
{
    size_t n = 0;
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->n_wants; i++) n += qn_str_eq(d->wants[i].person, person);
    pthread_mutex_unlock(&d->lock);
    return n;
}

static int order(qn_str a, qn_str b)
{
    int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_person_and_task(const void *a, const void *b)
{
    const wanted *x = a, *y = b;
    int c = order(x->person, y->person);
    return c ? c : order(x->task, y->task);
}

static void put_line(qn_buf *b, qn_str line)
{
    qn_buf_str(b, line);
    qn_buf_putc(b, '\n');
}

/* One person's file: what stands there and is decided or still wanted, as it stands; then what is new. */
static qn_code write_person(qn_desk *now, const wanted *w, size_t n, bool complete, qn_err *e)
{
    qn_buf b = {0};
    qn_map has = {0}, want = {0};
    for (size_t i = 0; i < n; i++) *qn_map_put_str(&want, w[i].task, NULL) = 1;
    for (size_t i = 0; i < now->n_raw; i++) {
        raw_line *r = &now->raw[i];
        if (!qn_str_eq(r->person, w->person)) continue;
        r->used = true;
        if (!r->decided && complete && !qn_map_get_str(&want, r->task)) continue;
        put_line(&b, r->bytes);
        *qn_map_put_str(&has, r->task, NULL) = 1;
    }
    for (size_t i = 0; i < n; i++) {
        if (qn_map_get_str(&has, w[i].task)) continue;
        put_line(&b, w[i].line);
        *qn_map_put_str(&has, w[i].task, NULL) = 1;
    }
    char name[300];
    snprintf(name, sizeof name, "%.*s.jsonl", (int)(w->person.n < 200 ? w->person.n : 200), w->person.p);
    char *path = qn_path_join(now->dir, name);
    qn_code rc = qn_file_write(path, qn_buf_view(&b), e);
    qn_free(path);
    qn_map_free(&has);
    qn_map_free(&want);
    qn_buf_free(&b);
    return rc;
}

/* Files of people of whom nothing is wanted any more: their undecided lines go. */
static qn_code tidy_rest(qn_desk *now, qn_err *e)
{
    for (size_t i = 0; i < now->n_raw; i++) {
        if (now->raw[i].used || now->raw[i].decided) continue;
        wanted nobody = { .person = now->raw[i].person };
        QN_TRY(write_person(now, &nobody, 0, true, e));
    }
    return QN_OK;
}

/* The files are read again: people may have written while the run was at work. */
qn_code qn_desk_write(qn_desk *d, bool complete, qn_err *e)
{
    qn_desk *now;
    QN_TRY(qn_desk_open(&now, d->dir, e));
    if (d->n_wants) qsort(d->wants, d->n_wants, sizeof *d->wants, by_person_and_task);
    qn_code rc = QN_OK;
    for (size_t i = 0, k; i < d->n_wants && rc == QN_OK; i = k) {
        for (k = i; k < d->n_wants && qn_str_eq(d->wants[k].person, d->wants[i].person);) k++;
        rc = write_person(now, &d->wants[i], k - i, complete, e);
    }
    if (rc == QN_OK && complete) rc = tidy_rest(now, e);
    qn_desk_close(now);
    return rc;
}
