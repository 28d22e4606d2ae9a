/* format_txt: plain text. Paragraphs are parted by empty lines; the text stays as it stands, but for its encoding and its line ends. A line like
 * "3.2 Name" or one in capitals alone is no heading here: plain text does not say. */
#include "io/doc.h"

/* Line ends become \n, NUL and form feed a space and an empty line. */
static qn_str lines_of(qn_str s, qn_arena *a)
{
    if (!memchr(s.p, '\r', s.n) && !memchr(s.p, '\f', s.n) && !memchr(s.p, 0, s.n)) return s;
    qn_buf b = {0};
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\r') { if (i + 1 >= s.n || s.p[i + 1] != '\n') qn_buf_putc(&b, '\n'); }
        else if (c == '\f') qn_buf_puts(&b, "\n\n");
        else qn_buf_putc(&b, c ? c : ' ');
    }
    qn_str out = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return out;
}

static bool blank_line(qn_str s, size_t i, size_t *next)
{
    size_t end = i;
    while (end < s.n && s.p[end] != '\n') end++;
    *next = end < s.n ? end + 1 : end;
    return qn_str_trim(qn_str_sub(s, i, end)).n == 0;
}

static qn_code doc(qn_str bytes, const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e)
{
    const char *encoding;
    qn_str text;
    qn_doc_b b;
    (void)path;
    QN_TRY(qn_text_decode(bytes, o ? o->encoding : NULL, a, &text, &encoding, e));
    bool same = strcmp(encoding, "UTF-8") == 0 && text.n == bytes.n;
    qn_doc_init(&b, a);
    qn_str lines = lines_of(text, a);
    same = same && lines.p == text.p;
    for (size_t i = 0; i < lines.n;) {
        size_t next, end;
        if (blank_line(lines, i, &next)) { i = next; continue; }
        for (end = next; end < lines.n && !blank_line(lines, end, &next);) end = next;
        qn_str para = qn_str_sub(lines, i, end);
        while (para.n && qn_char_in(para.p[para.n - 1], " \t\n")) para.n--;
        size_t n_before = b.n;
        qn_doc_block(&b, QN_BLOCK_PARA, 0, para);
        if (same && b.n > n_before) { b.blocks[b.n - 1].src_start = i; b.blocks[b.n - 1].src_end = i + para.n; }
        i = end;
    }
    if (strcmp(encoding, "UTF-8") != 0) qn_doc_warn(&b, "encoding %s: %s", o && o->encoding ? "given" : "found", encoding);
    qn_doc_meta(&b, "encoding", qn_str_of(encoding));
    b.licence = qn_arena_str(a, qn_spdx_of(text));
    qn_doc_finish(&b, out);
    return QN_OK;
}

const qn_format qn_format_txt = { .name = "txt", .exts = "txt text log", .brief = "plain text", .doc = doc };
