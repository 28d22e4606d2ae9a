/* pdf_lines: from lines to blocks. All by measures that hold in most books and papers; nothing here can fail. */
#include "io/pdf_lines.h"
#include "core/map.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

/* ---- running heads and page numbers ---- a line at the top or bottom of a page that comes again on many pages: the same text (digits aside), or at
 * the same height with the same first or last word ("Version 3.68 | Overview | 5") */
static void plain_key(qn_str text, qn_buf *b)
{
    bool digits = false;
    for (size_t i = 0; i < text.n; i++) {
        bool d = isdigit((unsigned char)text.p[i]) != 0;
        if (d && digits) continue;
        if (text.p[i] != ' ') qn_buf_putc(b, d ? '#' : text.p[i]);
        digits = d;
    }
}

static qn_str word_of(qn_str s, bool last)
{
    const char *space = s.n ? (last ? memrchr(s.p, ' ', s.n) : memchr(s.p, ' ', s.n)) : NULL;
    if (!space) return s;
    return last ? qn_str_sub(s, (size_t)(space - s.p) + 1, s.n) : qn_str_sub(s, 0, (size_t)(space - s.p));
}

/* The counters of a line: its text; its height with its first and with its last word. */
static void counters_of(const qn_pdf_line *line, qn_hash128 keys[3])
{
    for (int i = 0; i < 3; i++) {
        qn_buf b = {0};
        if (i) qn_buf_printf(&b, "%d %ld ", i, lroundf(line->bottom));
        plain_key(i ? word_of(line->text, i == 2) : line->text, &b);
        keys[i] = qn_hash(b.p, b.n);
        qn_buf_free(&b);
    }
}

typedef void edge_fn(qn_map *m, qn_pdf_line *line, size_t least);
static void edge_count(qn_map *m, qn_pdf_line *line, size_t least)
{
    qn_hash128 keys[3];
    (void)least;
    counters_of(line, keys);
    for (int i = 0; i < 3; i++) ++*qn_map_put(m, keys[i], NULL);
}

static void edge_drop(qn_map *m, qn_pdf_line *line, size_t least)
{
    qn_hash128 keys[3];
    counters_of(line, keys);
    for (int i = 0; i < 3; i++) line->drop = line->drop || *qn_map_put(m, keys[i], NULL) >= least;
}

/* The two highest and the two lowest lines of each page. */
static void each_edge(qn_pdf_lines *l, edge_fn *fn, qn_map *m, size_t least)
{
    for (size_t from = 0, to; from < l->n; from = to) {
        size_t hi[2] = { from, from }, lo[2] = { from, from };
        for (to = from; to < l->n && l->v[to].page == l->v[from].page; to++) {}
        for (size_t i = from + 1; i < to; i++) {
            if (l->v[i].top > l->v[hi[0]].top) { hi[1] = hi[0]; hi[0] = i; }
            else if (hi[1] == hi[0] || l->v[i].top > l->v[hi[1]].top) hi[1] = i;
            if (l->v[i].bottom < l->v[lo[0]].bottom) { lo[1] = lo[0]; lo[0] = i; }
            else if (lo[1] == lo[0] || l->v[i].bottom < l->v[lo[1]].bottom) lo[1] = i;
        }
        size_t all[4] = { hi[0], hi[1], lo[0], lo[1] };
        for (int i = 0; i < 4; i++) {
            bool again = false;
            for (int k = 0; k < i; k++) again = again || all[k] == all[i];
            if (!again) fn(m, &l->v[all[i]], least);
        }
    }
}

static void drop_running(qn_pdf_lines *l)
{
    qn_map m = {0};
    size_t least = (size_t)(l->n_pages * 3 / 10) > 3 ? (size_t)(l->n_pages * 3 / 10) : 3;
    if (l->n_pages < 3) return;
    each_edge(l, edge_count, &m, least);
    each_edge(l, edge_drop, &m, least);
    qn_map_free(&m);
}

/* ---- sizes ---- in half points */
enum { SIZES = 400 };
typedef struct { size_t chars[SIZES]; int body; int level[SIZES]; } sizes;

static int size_index(float size)
{
    int i = (int)lroundf(size * 2);
    return i < 0 ? 0 : i >= SIZES ? SIZES - 1 : i;
}

static bool is_heading_size(const sizes *z, int i) { return z->body > 0 && i * 100 >= z->body * 115 && i >= z->body + 2; }

static void learn_sizes(const qn_pdf_lines *l, sizes *z)
{
    size_t all = 0, so_far = 0;
    *z = (sizes){0};
    for (size_t i = 0; i < l->n; i++) {
        z->chars[size_index(l->v[i].size)] += l->v[i].drop ? 0 : l->v[i].text.n;
        all += l->v[i].drop ? 0 : l->v[i].text.n;
    }
    for (int i = 0; i < SIZES; i++) {                       /* the size of the character in the middle */
        so_far += z->chars[i];
        if (so_far * 2 >= all) { z->body = i; break; }
    }
    int level = 0, last = SIZES;
    for (int i = SIZES - 1; i > 0; i--) {
        if (!is_heading_size(z, i) || z->chars[i] == 0 || z->chars[i] * 4 > all) continue;
        if (last - i > 1) level++;                          /* half a point is no difference */
        last = i;
        z->level[i] = level > 6 ? 6 : level;
    }
}

static int heading_level(const sizes *z, const qn_pdf_line *line)
{
    bool letter = false;
    for (size_t i = 0; i < line->text.n && !letter; i++) letter = isalpha((unsigned char)line->text.p[i]) || (unsigned char)line->text.p[i] >= 0x80;
    return letter && line->text.n < 200 && line->n_cells == 1 ? z->level[size_index(line->size)] : 0;
}

/* ---- paragraphs ---- */
static bool ends_sentence(qn_str s)
{
    while (s.n && qn_char_in(s.p[s.n - 1], "\"')]")) s.n--;
    return s.n == 0 || qn_char_in(s.p[s.n - 1], ".!?:");
}

static bool is_bullet(qn_str s)
{
    size_t i = 0;
    if (s.n > 3 && (memcmp(s.p, "\xE2\x80\xA2", 3) == 0 || memcmp(s.p, "\xE2\x96\xAA", 3) == 0 || memcmp(s.p, "\xE2\x97\x8F", 3) == 0)) return true;
    if (s.n > 2 && qn_char_in(s.p[0], "-*") && s.p[1] == ' ') return true;
    while (i < s.n && i < 3 && isdigit((unsigned char)s.p[i])) i++;
    return i > 0 && i + 1 < s.n && (s.p[i] == '.' || s.p[i] == ')') && s.p[i + 1] == ' ';
}

/* Does line b begin a new paragraph behind line a? right: how far the lines of the paragraph reach. */
static bool parts(const qn_pdf_line *a, const qn_pdf_line *b, float right)
{
    float size = a->size > 0 ? a->size : 10, gap = a->bottom - b->top;
    if (a->page != b->page || is_bullet(b->text)) return true;
    if (fabsf(a->size - b->size) > 0.12f * size + 0.3f) return true;
    if (gap < -1.5f * size) return ends_sentence(a->text);              /* up again: the next column */
    if (gap > 0.55f * size) return true;
    if (b->x0 > a->x0 + 0.9f * size && ends_sentence(a->text)) return true;
    return ends_sentence(a->text) && a->x1 < right - 4 * size;
}

static size_t para_end(const qn_pdf_lines *l, const sizes *z, size_t i)
{
    float right = l->v[i].x1;
    int level = heading_level(z, &l->v[i]);
    size_t j = i + 1;
    for (size_t prev = i; j < l->n; prev = j++) {
        while (j < l->n && l->v[j].drop && l->v[j].page == l->v[i].page) j++;
        if (j >= l->n || l->v[j].drop || heading_level(z, &l->v[j]) != level || (level && j - i >= 3)) break;
        if (l->v[j].n_cells > 1 || l->v[j].mono != l->v[i].mono || parts(&l->v[prev], &l->v[j], right)) break;
        if (l->v[j].x1 > right) right = l->v[j].x1;
    }
    return j;
}

static void put_lines(const qn_pdf_lines *l, size_t from, size_t to, qn_doc_b *b)
{
    bool cut = false, brief = false;
    float left = l->v[from].x0, right = l->v[from].x1;
    for (size_t i = from; i < to; i++) {
        if (l->v[i].x0 < left) left = l->v[i].x0;
        if (l->v[i].x1 > right) right = l->v[i].x1;
    }
    for (size_t i = from; i < to; i++) {
        const qn_pdf_line *line = &l->v[i];
        if (line->drop) continue;
        if (brief && !cut) qn_buf_putc(&b->text, '\n');         /* the line before ended long before the margin: an address, a poem, a list */
        brief = line->x1 < right - 0.3f * (right - left);
        if (cut && line->text.n && !islower((unsigned char)line->text.p[0]) && (unsigned char)line->text.p[0] < 0x80) qn_buf_putc(&b->text, '-');  /* Anglo-\nSaxon */
        b->gap = !cut && i > from;
        qn_doc_words(b, line->text);
        cut = line->hyphen;
    }
    if (cut) qn_buf_putc(&b->text, '-');
}

/* ---- tables ---- lines with wide gaps, one below the other, whose cells begin at a few common places */
enum { MOST_COLUMNS = 40 };
typedef struct { float x[MOST_COLUMNS]; size_t n; } columns;

static size_t column_at(const columns *c, float x, float near)
{
    for (size_t i = 0; i < c->n; i++) if (fabsf(c->x[i] - x) <= near) return i;
    return c->n;
}

static size_t table_end(const qn_pdf_lines *l, size_t i)
{
    size_t j = i, wide = 0;
    while (j < l->n && l->v[j].page == l->v[i].page && !l->v[j].drop && !l->v[j].mono && l->v[j].n_cells >= 2 && (j == i || l->v[j - 1].bottom - l->v[j].top < 3 * l->v[i].size))
        wide += l->v[j++].n_cells > 2;
    return j - i >= 3 || (j - i == 2 && wide == 2) ? j : i;
}

static int by_x(const void *a, const void *b) { float d = *(const float *)a - *(const float *)b; return (d > 0) - (d < 0); }

/* The places where cells begin, from left to right; false when they are too many for a table. */
static bool find_columns(const qn_pdf_lines *l, size_t from, size_t to, columns *c)
{
    c->n = 0;
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < l->v[i].n_cells; k++) {
            if (column_at(c, l->v[i].cell_x[k], 1.5f * l->v[i].size) < c->n) continue;
            if (c->n == MOST_COLUMNS) return false;
            c->x[c->n++] = l->v[i].cell_x[k];
        }
    qsort(c->x, c->n, sizeof *c->x, by_x);
    return true;
}

static qn_str cell_of(const qn_pdf_line *line, size_t k)
{
    return qn_str_trim(qn_str_sub(line->text, k ? line->cells[k - 1] : 0, k + 1 < line->n_cells ? line->cells[k] : line->text.n));
}

static void put_table(const qn_pdf_lines *l, size_t from, size_t to, qn_doc_b *b)
{
    qn_arena a = {0};
    columns c;
    bool aligned = find_columns(l, from, to, &c);
    qn_doc_row *rows = qn_arena_alloc(&a, (to - from) * sizeof *rows);
    for (size_t i = from; i < to; i++) {
        const qn_pdf_line *line = &l->v[i];
        size_t width = aligned ? c.n : line->n_cells, at = 0;
        rows[i - from] = (qn_doc_row){ QN_ARENA_NEW_N(&a, qn_str, width), width };
        for (size_t k = 0; k < line->n_cells; k++) {
            size_t col = aligned ? column_at(&c, line->cell_x[k], 1.5f * line->size) : k;
            if (col < at || col >= width) col = at < width ? at : width - 1;
            qn_str *cell = &rows[i - from].cells[col];
            *cell = cell->n ? qn_arena_printf(&a, "%.*s %.*s", QN_FMT(*cell), QN_FMT(cell_of(line, k))) : cell_of(line, k);
            at = col + 1;
        }
    }
    qn_doc_table(b, rows, to - from);
    qn_arena_free(&a);
}

/* ---- code ---- two lines or more in letters of one width; the indentation is made again from where the lines begin */
static size_t code_end(const qn_pdf_lines *l, size_t i)
{
    size_t j = i;
    for (; j < l->n && !l->v[j].drop && l->v[j].page == l->v[i].page; j++) {
        bool number = l->v[j].text.n < 5 && j + 1 < l->n && l->v[j + 1].mono;   /* of an empty line */
        if (!number && (!l->v[j].mono || fabsf(l->v[j].size - l->v[i].size) >= 1)) break;
    }
    return l->v[i].mono && j - i >= 2 ? j : i;
}

static void put_code(const qn_pdf_lines *l, size_t from, size_t to, qn_doc_b *b)
{
    qn_buf text = {0};
    float left = l->v[from].x0;
    for (size_t i = from; i < to; i++) if (l->v[i].x0 < left) left = l->v[i].x0;
    for (size_t i = from; i < to; i++) {
        const qn_pdf_line *line = &l->v[i];
        float width = line->text.n ? (line->x1 - line->x0) / (float)qn_utf8_count(line->text) : 0;
        int indent = width > 1 ? (int)lroundf((line->x0 - left) / width) : 0;
        for (int k = 0; k < indent && k < 80; k++) qn_buf_putc(&text, ' ');
        qn_buf_str(&text, line->text);
        qn_buf_puts(&text, line->hyphen ? "-\n" : "\n");
    }
    qn_doc_code(b, QN_STR(""), qn_buf_view(&text));
    qn_buf_free(&text);
}

void qn_pdf_blocks(qn_pdf_lines *l, qn_doc_b *b)
{
    sizes z;
    drop_running(l);
    learn_sizes(l, &z);
    for (size_t i = 0; i < l->n;) {
        if (l->v[i].drop) { i++; continue; }
        b->page = l->v[i].page;
        size_t end = code_end(l, i);
        if (end > i) { put_code(l, i, end, b); i = end; continue; }
        end = table_end(l, i);
        if (end > i) { put_table(l, i, end, b); i = end; continue; }
        int level = heading_level(&z, &l->v[i]);
        end = para_end(l, &z, i);
        qn_doc_begin(b, level ? QN_BLOCK_HEADING : is_bullet(l->v[i].text) ? QN_BLOCK_LIST : QN_BLOCK_PARA, level);
        put_lines(l, i, end, b);
        qn_doc_end(b);
        i = end;
    }
}
