/* blocks: the blocks of a Markdown-like text, line by line. */
#include "text/chunk.h"

typedef struct { qn_str text; size_t at; qn_arena *a; qn_block *all; size_t n, cap; } finder;

static qn_str line_at(qn_str t, size_t from, size_t *next)
{
    const char *nl = from < t.n ? memchr(t.p + from, '\n', t.n - from) : NULL;
    size_t end = nl ? (size_t)(nl - t.p) : t.n;
    *next = nl ? end + 1 : t.n;
    return qn_str_sub(t, from, end);
}

static size_t indent_of(qn_str line)
{
    size_t i = 0;
    while (i < line.n && line.p[i] == ' ') i++;
    return i;
}

static int heading_level(qn_str line)
{
    int n = 0;
    while ((size_t)n < line.n && line.p[n] == '#') n++;
    return n >= 1 && n <= 6 && (size_t)n < line.n && line.p[n] == ' ' ? n : 0;
}

/* Length of a fence's run of ` or ~ at the begin of a line, 0 when it is none. */
static size_t fence_of(qn_str line, char *mark)
{
    size_t i = indent_of(line), n = 0;
    if (i > 3 || i >= line.n) return 0;
    *mark = line.p[i];
    if (*mark != '`' && *mark != '~') return 0;
    while (i + n < line.n && line.p[i + n] == *mark) n++;
    return n >= 3 ? n : 0;
}

static bool is_item(qn_str line)
{
    size_t i = indent_of(line), d = i;
    if (i + 1 >= line.n) return false;
    if (qn_char_in(line.p[i], "-*+") && line.p[i + 1] == ' ') return true;
    while (d < line.n && line.p[d] >= '0' && line.p[d] <= '9') d++;
    return d > i && d < i + 5 && d + 1 < line.n && (line.p[d] == '.' || line.p[d] == ')') && line.p[d + 1] == ' ';
}

static bool blank(qn_str line) { return qn_str_trim(line).n == 0; }

static qn_block_kind kind_of(qn_str line)
{
    char mark;
    qn_str s = qn_str_trim(line);
    if (heading_level(line)) return QN_BLOCK_HEADING;
    if (fence_of(line, &mark)) return QN_BLOCK_CODE;
    if (s.p[0] == '|' && s.n > 1) return QN_BLOCK_TABLE;
    if (s.p[0] == '>') return QN_BLOCK_QUOTE;
    return is_item(line) ? QN_BLOCK_LIST : QN_BLOCK_PARA;
}

static size_t end_of_code(qn_str t, size_t from)
{
    char mark, other;
    size_t next, n = fence_of(line_at(t, from, &next), &mark);
    while (next < t.n) {
        qn_str line = line_at(t, next, &next);
        size_t k = fence_of(line, &other);
        if (k >= n && other == mark && qn_str_trim(line).n == k) break;
    }
    return next;
}

/* Where the block that begins at `from` ends: behind its last line. */
static size_t end_of(qn_str t, size_t from, qn_block_kind kind)
{
    size_t next, end;
    line_at(t, from, &next);
    if (kind == QN_BLOCK_HEADING) return next;
    if (kind == QN_BLOCK_CODE) return end_of_code(t, from);
    for (end = next; end < t.n; end = next) {
        qn_str line = line_at(t, end, &next);
        if (kind == QN_BLOCK_LIST) {                    /* a list goes over empty lines when an item or an indented line follows */
            size_t look = next, behind = next;
            qn_str l = line;
            while (blank(l) && look < t.n) l = line_at(t, look, &behind), look = behind;
            if (blank(l) || (!is_item(l) && indent_of(l) == 0 && (blank(line) || kind_of(l) != QN_BLOCK_PARA))) break;
            continue;
        }
        if (blank(line)) break;
        qn_block_kind k = kind_of(line);
        if (kind == QN_BLOCK_PARA ? k == QN_BLOCK_HEADING || k == QN_BLOCK_CODE || k == QN_BLOCK_TABLE : k != kind) break;
    }
    return end;
}

size_t qn_blocks_find(qn_str t, qn_arena *a, qn_block **out)
{
    qn_block *all = NULL;
    size_t n = 0, cap = 0, next;
    for (size_t at = 0; at < t.n;) {
        qn_str line = line_at(t, at, &next);
        if (blank(line)) { at = next; continue; }
        qn_block_kind kind = kind_of(line);
        size_t end = end_of(t, at, kind), stop = end;
        while (stop > at && qn_char_in(t.p[stop - 1], " \t\r\n")) stop--;
        QN_GROW(all, n, cap);
        all[n++] = (qn_block){ .kind = kind, .level = heading_level(line), .start = at, .end = stop };
        at = end;
    }
    *out = qn_arena_alloc(a, n * sizeof *all);
    if (n) memcpy(*out, all, n * sizeof *all);
    qn_free(all);
    return n;
}
