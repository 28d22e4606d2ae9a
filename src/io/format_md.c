/* format_md: Markdown by cmark-gfm (CommonMark with tables). The text stays as its author wrote it: the parser says where the blocks are, the
 * bytes of each are taken from the source. Front matter between --- lines becomes what is known about the document; comments and link
 * definitions are left out. */
#include "core/dl.h"
#include "io/doc.h"
#include <cmark-gfm.h>
#include <cmark-gfm-extension_api.h>

static struct {
    __typeof__(&cmark_parser_new) parser_new;
    __typeof__(&cmark_parser_free) parser_free;
    __typeof__(&cmark_parser_feed) feed;
    __typeof__(&cmark_parser_finish) finish;
    __typeof__(&cmark_parser_attach_syntax_extension) attach;
    __typeof__(&cmark_find_syntax_extension) find_extension;
    __typeof__(&cmark_node_first_child) first_child;
    __typeof__(&cmark_node_next) next;
    __typeof__(&cmark_node_get_type_string) type_string;
    __typeof__(&cmark_node_get_start_line) start_line;
    __typeof__(&cmark_node_get_end_line) end_line;
    __typeof__(&cmark_node_get_heading_level) heading_level;
    __typeof__(&cmark_node_get_literal) literal;
    __typeof__(&cmark_node_get_fence_info) fence_info;
    __typeof__(&cmark_node_free) node_free;
} cm;
static void (*ensure_registered)(void);

#define SYM(field, name) { #name, (void **)&cm.field }
static const qn_sym SYMS[] = {
    SYM(parser_new, cmark_parser_new), SYM(parser_free, cmark_parser_free), SYM(feed, cmark_parser_feed), SYM(finish, cmark_parser_finish),
    SYM(attach, cmark_parser_attach_syntax_extension), SYM(find_extension, cmark_find_syntax_extension), SYM(first_child, cmark_node_first_child),
    SYM(next, cmark_node_next), SYM(type_string, cmark_node_get_type_string), SYM(start_line, cmark_node_get_start_line),
    SYM(end_line, cmark_node_get_end_line), SYM(heading_level, cmark_node_get_heading_level), SYM(literal, cmark_node_get_literal),
    SYM(fence_info, cmark_node_get_fence_info), SYM(node_free, cmark_node_free), { NULL, NULL }
};
static const qn_sym EXT_SYMS[] = { { "cmark_gfm_core_extensions_ensure_registered", (void **)&ensure_registered }, { NULL, NULL } };
static const char *const SONAMES[] = { "libcmark-gfm.so.0.29.0.gfm.6", "libcmark-gfm.so.0.29.0.gfm.13", "libcmark-gfm.so", NULL };
static const char *const EXT_SONAMES[] = { "libcmark-gfm-extensions.so.0.29.0.gfm.6", "libcmark-gfm-extensions.so.0.29.0.gfm.13",
                                           "libcmark-gfm-extensions.so", NULL };
static qn_lib lib = { SONAMES, SYMS, "reading Markdown", "apt-get install libcmark-gfm0.29.0.gfm.6", false };
static qn_lib ext_lib = { EXT_SONAMES, EXT_SYMS, "reading Markdown", "apt-get install libcmark-gfm-extensions0.29.0.gfm.6", false };

/* ---- lines ---- */
typedef struct { size_t *at; size_t n, cap; } line_table;   /* at[i]: first byte of line i (from 0); one more at the end */

static line_table lines_of(qn_str s)
{
    line_table t = {0};
    for (size_t i = 0; i <= s.n; i++) {
        if (i > 0 && i < s.n && s.p[i - 1] != '\n') continue;
        if (i == s.n && t.n && t.at[t.n - 1] == i) break;
        QN_GROW(t.at, t.n, t.cap);
        t.at[t.n++] = i;
    }
    QN_GROW(t.at, t.n, t.cap);
    t.at[t.n] = s.n;
    return t;
}

/* Bytes of lines from..to, counted from 1. */
static qn_str slice(qn_str s, const line_table *t, int from, int to, size_t *start)
{
    size_t a = (size_t)(from < 1 ? 0 : from - 1), b = (size_t)(to < from ? from : to);
    if (a > t->n) a = t->n;
    if (b > t->n) b = t->n;
    *start = t->at[a];
    return qn_str_sub(s, t->at[a], b > a ? t->at[b] : t->at[a]);
}

/* ---- front matter ---- */
/* "key: value" lines between --- and ---; lists and nested maps are left out. Returns the bytes behind it, 0 when there is none. */
static size_t front_matter(qn_str s, qn_doc_b *b)
{
    if (!qn_str_starts(s, QN_STR("---\n")) && !qn_str_starts(s, QN_STR("---\r\n"))) return 0;
    size_t from = (size_t)((const char *)memchr(s.p, '\n', s.n) - s.p) + 1, at = from;
    for (size_t n_lines = 0; at < s.n && n_lines < 500; n_lines++) {
        const char *nl = memchr(s.p + at, '\n', s.n - at);
        size_t end = nl ? (size_t)(nl - s.p) : s.n, next = nl ? end + 1 : s.n;
        qn_str line = qn_str_trim(qn_str_sub(s, at, end));
        if (qn_str_is(line, "---") || qn_str_is(line, "...")) return next;
        at = next;
    }
    (void)b;
    return 0;
}

static qn_str unquoted(qn_str s)
{
    s = qn_str_trim(s);
    if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0]) return qn_str_sub(s, 1, s.n - 1);
    return s;
}

static void take_front_matter(qn_str head, qn_doc_b *b)
{
    for (size_t at = 0; at < head.n;) {
        const char *nl = memchr(head.p + at, '\n', head.n - at);
        size_t end = nl ? (size_t)(nl - head.p) : head.n;
        qn_str line = qn_str_sub(head, at, end);
        at = end + 1;
        const char *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
        if (!colon || line.p[0] == ' ' || line.p[0] == '-') continue;
        qn_str key = qn_str_sub(line, 0, (size_t)(colon - line.p)), value = unquoted(qn_str_sub(line, key.n + 1, line.n));
        if (value.n == 0) continue;
        if (qn_str_ieq(key, QN_STR("title"))) b->title = qn_arena_str(b->a, value);
        else if (qn_str_ieq(key, QN_STR("license")) || qn_str_ieq(key, QN_STR("licence")) || qn_str_ieq(key, QN_STR("SPDX-License-Identifier")))
            b->licence = qn_arena_str(b->a, value);
        else if (qn_str_ieq(key, QN_STR("author")) || qn_str_ieq(key, QN_STR("date")) || qn_str_ieq(key, QN_STR("lang")))
            qn_doc_meta(b, qn_str_ieq(key, QN_STR("lang")) ? "language" : key.p[0] == 'a' || key.p[0] == 'A' ? "author" : "date", value);
    }
}

/* ---- blocks ---- */
static void put_heading(qn_doc_b *b, int level, qn_str source)
{
    qn_str s = qn_str_trim(source);
    const char *nl = s.n ? memrchr(s.p, '\n', s.n) : NULL;
    if (nl && s.p[0] != '#') s = qn_str_trim(qn_str_sub(s, 0, (size_t)(nl - s.p)));    /* underlined: the line of = or - goes */
    while (s.n && s.p[0] == '#') s = qn_str_sub(s, 1, s.n);
    s = qn_str_trim(s);
    while (s.n && s.p[s.n - 1] == '#') s = qn_str_sub(s, 0, s.n - 1);
    qn_doc_begin(b, QN_BLOCK_HEADING, level);
    qn_doc_words(b, s);
    qn_doc_end(b);
}

static void put_block(qn_doc_b *b, cmark_node *node, qn_str source, size_t src_start)
{
    const char *type = cm.type_string(node);
    size_t n_before = b->n;
    qn_block_kind kind = QN_BLOCK_PARA;
    if (strcmp(type, "thematic_break") == 0) return;
    if (strcmp(type, "html_block") == 0 && qn_str_starts(qn_str_trim(source), QN_STR("<!--"))) return;
    while (source.n && (source.p[0] == '\n' || source.p[0] == '\r')) source = qn_str_sub(source, 1, source.n), src_start++;
    while (source.n && qn_char_in(source.p[source.n - 1], " \t\r\n")) source.n--;
    if (strcmp(type, "heading") == 0) {
        put_heading(b, cm.heading_level(node), source);
    } else if (strcmp(type, "code_block") == 0 && (source.n == 0 || !qn_char_in(qn_str_trim(source).p[0], "`~"))) {
        qn_doc_code(b, QN_STR(""), qn_str_of(cm.literal(node)));       /* indented: it gets a fence */
    } else {
        if (strcmp(type, "code_block") == 0) kind = QN_BLOCK_CODE;
        else if (strcmp(type, "table") == 0) kind = QN_BLOCK_TABLE;
        else if (strcmp(type, "list") == 0) kind = QN_BLOCK_LIST;
        else if (strcmp(type, "block_quote") == 0) kind = QN_BLOCK_QUOTE;
        qn_doc_block(b, kind, 0, source);
    }
    if (b->n > n_before) { b->blocks[b->n - 1].src_start = src_start; b->blocks[b->n - 1].src_end = src_start + source.n; }
}

static void put_all(qn_doc_b *b, cmark_node *root, qn_str body, size_t src_skip, bool same)
{
    line_table t = lines_of(body);
    for (cmark_node *node = cm.first_child(root); node; node = cm.next(node)) {
        size_t start, n_before = b->n;
        int from = cm.start_line(node), to = cm.end_line(node);
        cmark_node *after = cm.next(node);
        if (after && to >= cm.start_line(after)) to = cm.start_line(after) - 1;
        qn_str source = slice(body, &t, from, to, &start);
        put_block(b, node, source, src_skip + start);
        if (b->n > n_before && !same) b->blocks[b->n - 1].src_start = b->blocks[b->n - 1].src_end = 0;
    }
    qn_free(t.at);
}

static qn_code doc(qn_str bytes, const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e)
{
    qn_str text;
    const char *encoding;
    qn_doc_b b;
    (void)path;
    QN_TRY(qn_lib_need(&lib, e));
    QN_TRY(qn_lib_need(&ext_lib, e));
    QN_TRY(qn_text_decode(bytes, o ? o->encoding : NULL, a, &text, &encoding, e));
    ensure_registered();
    qn_doc_init(&b, a);
    size_t skip = front_matter(text, &b);
    if (skip) take_front_matter(qn_str_sub(text, 0, skip), &b);
    qn_str body = qn_str_sub(text, skip, text.n);
    cmark_parser *parser = cm.parser_new(CMARK_OPT_DEFAULT);
    cmark_syntax_extension *tables = cm.find_extension("table");
    if (tables) cm.attach(parser, tables);
    cm.feed(parser, body.p, body.n);
    cmark_node *root = cm.finish(parser);
    put_all(&b, root, body, skip, text.n == bytes.n);
    cm.node_free(root);
    cm.parser_free(parser);
    if (!b.licence.n) b.licence = qn_arena_str(a, qn_spdx_of(text));
    if (strcmp(encoding, "UTF-8") != 0) qn_doc_warn(&b, "encoding %s: %s", o && o->encoding ? "given" : "found", encoding);
    qn_doc_finish(&b, out);
    return QN_OK;
}

const qn_format qn_format_md = { .name = "md", .exts = "md markdown mkd mdown", .brief = "Markdown (CommonMark and tables)", .doc = doc };
