/* columns: usable names, rows of cells. */
#include "io/columns.h"
#include "core/file.h"
#include "core/map.h"
#include <ctype.h>

enum { NAME_BYTES = 120 };

static qn_str usable(qn_arena *a, qn_str s)
{
    qn_buf b = {0};
    bool gap = false;
    for (size_t i = 0; i < s.n;) {
        size_t at = i;
        uint32_t cp = qn_utf8_next(s, &i);
        if (cp <= 32 || cp == 127 || cp == 0xA0 || cp == '"' || (cp >= 0x80 && cp < 0xA0) || cp == 0xFEFF) { gap = b.n > 0; continue; }
        if (gap) qn_buf_putc(&b, ' ');
        gap = false;
        if (cp == 0xFFFD) qn_buf_puts(&b, "\xEF\xBF\xBD");
        else qn_buf_put(&b, s.p + at, i - at);
    }
    qn_str v = qn_buf_view(&b);
    v.n = qn_utf8_cut(v, NAME_BYTES);
    qn_str out = qn_arena_str(a, qn_str_trim(v));
    qn_buf_free(&b);
    return out;
}

static bool taken(qn_map *seen, qn_str name, qn_buf *lower)
{
    bool fresh;
    qn_buf_clear(lower);
    for (size_t i = 0; i < name.n; i++) qn_buf_putc(lower, (char)tolower((unsigned char)name.p[i]));
    qn_map_put_str(seen, qn_buf_view(lower), &fresh);
    return !fresh;
}

void qn_column_names(qn_arena *a, const qn_str *header, size_t n, qn_str *names)
{
    qn_map seen = {0};
    qn_buf lower = {0};
    for (size_t i = 0; i < n; i++) {
        qn_str base = usable(a, header[i]);
        if (base.n == 0) base = qn_arena_printf(a, "column_%zu", i + 1);
        names[i] = base;
        for (int k = 2; taken(&seen, names[i], &lower); k++) names[i] = qn_arena_printf(a, "%.*s %d", QN_FMT(base), k);
    }
    qn_map_free(&seen);
    qn_buf_free(&lower);
}

void qn_columns_set(qn_columns *c, const qn_str *header, size_t n)
{
    qn_buf b = {0};
    c->n = n;
    c->names = QN_ARENA_NEW_N(&c->arena, qn_str, n);
    c->keys = QN_ARENA_NEW_N(&c->arena, qn_str, n);
    qn_column_names(&c->arena, header, n, c->names);
    for (size_t i = 0; i < n; i++) {
        qn_buf_clear(&b);
        qn_buf_putc(&b, i ? ',' : '{');
        qn_json_write_text(&b, c->names[i]);
        qn_buf_putc(&b, ':');
        c->keys[i] = qn_arena_str(&c->arena, qn_buf_view(&b));
    }
    qn_buf_free(&b);
}

qn_code qn_columns_row(qn_columns *c, const qn_str *cells, size_t n, qn_row **out, qn_err *e)
{
    qn_buf *b = &c->buf;
    qn_buf_clear(b);
    for (size_t i = 0; i < n; i++) {
        qn_buf_str(b, c->keys[i]);
        if (cells[i].p) qn_json_write_text(b, cells[i]);
        else qn_buf_puts(b, "null");
    }
    qn_buf_puts(b, n ? "}" : "{}");
    return qn_row_parse(qn_buf_view(b), (qn_hash128){0}, out, e);
}

void qn_columns_free(qn_columns *c)
{
    qn_arena_free(&c->arena);
    qn_buf_free(&c->buf);
}

qn_str qn_table_name_of(const char *path)
{
    qn_str base = qn_path_base(qn_str_of(path));
    const char *dot = base.n ? memchr(base.p, '.', base.n) : NULL;
    return dot && dot > base.p ? qn_str_sub(base, 0, (size_t)(dot - base.p)) : base;
}
