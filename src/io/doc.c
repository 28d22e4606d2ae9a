/* doc: the builder of documents. */
#include "io/doc.h"
#include <stdio.h>

void qn_doc_init(qn_doc_b *b, qn_arena *a) { *b = (qn_doc_b){ .a = a, .meta = { .a = a } }; }

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

void qn_doc_begin(qn_doc_b *b, qn_block_kind kind, int level)
{
    qn_doc_end(b);
    if (b->text.n) qn_buf_puts(&b->text, "\n\n");
    QN_GROW(b->blocks, b->n, b->cap);
    if (kind != QN_BLOCK_HEADING) level = 0;
    b->blocks[b->n] = (qn_block){ .kind = kind, .level = level, .start = b->text.n, .page = b->page, .src_start = b->src };
    for (int i = 0; kind == QN_BLOCK_HEADING && i < level; i++) qn_buf_putc(&b->text, '#');
    if (kind == QN_BLOCK_HEADING) qn_buf_putc(&b->text, ' ');
    b->open = true;
    b->gap = false;
}

void qn_doc_end(qn_doc_b *b)
{
    if (!b->open) return;
    qn_block *k = &b->blocks[b->n];
    size_t from = k->start, first = from + (k->kind == QN_BLOCK_HEADING ? (size_t)k->level + 1 : 0);
    b->open = b->gap = false;
    while (b->text.n > from && is_space(b->text.p[b->text.n - 1])) b->text.n--;
    if (b->text.n <= first || b->text.n <= from) {              /* nothing was said: no block, and no empty line before it */
        b->text.n = from >= 2 ? from - 2 : 0;
    } else {
        k->end = b->text.n;
        b->n++;
    }
    if (b->text.p) b->text.p[b->text.n] = 0;
}

/* Bytes of the white space at i: ASCII, a space that must not break (U+00A0), one without width (U+200B, U+FEFF: 3); 0 for none. */
static size_t space_at(qn_str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    if (c < 0x80) return is_space((char)c);
    if (c == 0xC2) return i + 1 < s.n && (unsigned char)s.p[i + 1] == 0xA0 ? 2 : 0;
    if (c == 0xE2 && i + 2 < s.n && memcmp(s.p + i, "\xE2\x80\x8B", 3) == 0) return 3;
    return c == 0xEF && i + 2 < s.n && memcmp(s.p + i, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

void qn_doc_words(qn_doc_b *b, qn_str s)
{
    const qn_block *k = &b->blocks[b->n];
    size_t first = k->start + (k->kind == QN_BLOCK_HEADING ? (size_t)k->level + 1 : 0);
    for (size_t i = 0; i < s.n;) {
        size_t from = i, space;
        while (i < s.n && !space_at(s, i)) i++;
        if (i > from) {
            if (b->gap && b->text.n > first && b->text.p[b->text.n - 1] != '\n') qn_buf_putc(&b->text, ' ');
            b->gap = false;
            qn_buf_put(&b->text, s.p + from, i - from);
        }
        for (; i < s.n && (space = space_at(s, i)); i += space) b->gap = b->gap || space < 3;
    }
}

void qn_doc_raw(qn_doc_b *b, qn_str s)
{
    if (b->gap && b->text.n > b->blocks[b->n].start && b->text.p[b->text.n - 1] != '\n') qn_buf_putc(&b->text, ' ');
    b->gap = false;
    qn_buf_str(&b->text, s);
}

void qn_doc_block(qn_doc_b *b, qn_block_kind kind, int level, qn_str text)
{
    qn_doc_begin(b, kind, level);
    qn_doc_raw(b, text);
    qn_doc_end(b);
}

/* A fence longer than any run of backticks inside. */
void qn_doc_code(qn_doc_b *b, qn_str language, qn_str text)
{
    size_t longest = 2, run = 0;
    for (size_t i = 0; i < text.n; i++) {
        run = text.p[i] == '`' ? run + 1 : 0;
        if (run > longest) longest = run;
    }
    while (text.n && is_space(text.p[text.n - 1])) text.n--;
    while (text.n && text.p[0] == '\n') text.p++, text.n--;
    if (text.n == 0) return;
    qn_doc_begin(b, QN_BLOCK_CODE, 0);
    for (size_t i = 0; i <= longest; i++) qn_buf_putc(&b->text, '`');
    qn_buf_str(&b->text, language);
    qn_buf_putc(&b->text, '\n');
    qn_buf_str(&b->text, text);
    qn_buf_putc(&b->text, '\n');
    for (size_t i = 0; i <= longest; i++) qn_buf_putc(&b->text, '`');
    qn_doc_end(b);
}

static void put_cell(qn_buf *b, qn_str s)
{
    bool gap = false;
    qn_buf_putc(b, ' ');
    s = qn_str_trim(s);
    for (size_t i = 0; i < s.n; i++) {
        if (is_space(s.p[i])) { gap = true; continue; }
        if (gap) qn_buf_putc(b, ' ');
        gap = false;
        if (s.p[i] == '|' && (i == 0 || s.p[i - 1] != '\\')) qn_buf_putc(b, '\\');
        qn_buf_putc(b, s.p[i]);
    }
    qn_buf_puts(b, " |");
}

void qn_doc_table(qn_doc_b *b, const qn_doc_row *rows, size_t n_rows)
{
    size_t width = 0;
    for (size_t i = 0; i < n_rows; i++) if (rows[i].n > width) width = rows[i].n;
    if (width == 0) return;
    qn_doc_begin(b, QN_BLOCK_TABLE, 0);
    for (size_t i = 0; i < n_rows; i++) {
        if (i) qn_buf_putc(&b->text, '\n');
        qn_buf_putc(&b->text, '|');
        for (size_t k = 0; k < width; k++) put_cell(&b->text, k < rows[i].n ? rows[i].cells[k] : QN_STR(""));
        if (i == 0) {
            qn_buf_puts(&b->text, "\n|");
            for (size_t k = 0; k < width; k++) qn_buf_puts(&b->text, " --- |");
        }
    }
    qn_doc_end(b);
}

void qn_doc_meta(qn_doc_b *b, const char *name, qn_str value)
{
    value = qn_str_trim(value);
    if (value.n) qn_object_put(&b->meta, qn_str_of(name), qn_v_text(qn_arena_str(b->a, value)));
}

void qn_doc_warn(qn_doc_b *b, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    qn_str new = { text, qn_utf8_cut(qn_str_of(text), 250) };
    if (b->warning.n > 600 || qn_str_find(b->warning, new) >= 0) return;
    b->warning = qn_arena_printf(b->a, "%.*s%s%.*s", QN_FMT(b->warning), b->warning.n ? "; " : "", QN_FMT(new));
}

static qn_str first_title(const qn_doc *d)
{
    const qn_block *best = NULL;
    for (size_t i = 0; i < d->n_blocks; i++)
        if (d->blocks[i].kind == QN_BLOCK_HEADING && (!best || d->blocks[i].level < best->level)) best = &d->blocks[i];
    if (!best) return QN_STR("");
    return qn_str_trim(qn_str_sub(d->text, best->start + (size_t)best->level, best->end));
}

void qn_doc_finish(qn_doc_b *b, qn_doc *out)
{
    qn_doc_end(b);
    *out = (qn_doc){ .text = qn_arena_str(b->a, qn_buf_view(&b->text)), .n_blocks = b->n, .meta = b->meta.fields, .n_meta = b->meta.n,
                     .licence = b->licence, .warning = b->warning };
    out->blocks = qn_arena_alloc(b->a, b->n * sizeof *b->blocks);
    if (b->n) memcpy(out->blocks, b->blocks, b->n * sizeof *b->blocks);
    out->title = b->title.n ? qn_arena_str(b->a, qn_str_trim(b->title)) : qn_arena_str(b->a, first_title(out));
    qn_doc_drop(b);
}

void qn_doc_drop(qn_doc_b *b)
{
    qn_buf_free(&b->text);
    qn_free(b->blocks);
    b->blocks = NULL;
}

qn_str qn_spdx_of(qn_str text)
{
    static const char MARK[] = "SPDX-License-Identifier:";
    qn_str head = { text.p, qn_utf8_cut(text, 4096) };
    ptrdiff_t at = qn_str_find(head, QN_STR("SPDX-License-Identifier:"));
    if (at < 0) return QN_STR("");
    size_t from = (size_t)at + sizeof MARK - 1, to = from;
    while (to < head.n && head.p[to] != '\n' && head.p[to] != '\r') to++;
    qn_str s = qn_str_trim(qn_str_sub(head, from, to));
    while (s.n && qn_char_in(s.p[s.n - 1], "*/->#")) s = qn_str_trim(qn_str_sub(s, 0, s.n - 1));
    return s;
}
