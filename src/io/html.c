/* html: a page parsed by gumbo, walked once for its main part and once for its text.
 *
 * What is left out: scripts, styles, forms, hidden things; navigation, banners, footers and sidebars, told by element, role, and words in class
 * and id; lists that are nearly all links. <main>, one <article> or a well-known content id is the page when there is enough text in it.
 * Kept as what they are: headings, paragraphs, lists, quotes, tables (those used for layout are opened up), code. */
#include "io/html.h"
#include "core/dl.h"
#include <ctype.h>
#include <gumbo.h>

static struct {
    __typeof__(&gumbo_parse_with_options) parse;
    __typeof__(&gumbo_destroy_output) destroy;
    __typeof__(&gumbo_get_attribute) attribute;
    const GumboOptions *defaults;
} gu;
static const qn_sym SYMS[] = {
    { "gumbo_parse_with_options", (void **)&gu.parse }, { "gumbo_destroy_output", (void **)&gu.destroy },
    { "gumbo_get_attribute", (void **)&gu.attribute }, { "kGumboDefaultOptions", (void **)(uintptr_t)&gu.defaults }, { NULL, NULL }
};
static const char *const SONAMES[] = { "libgumbo.so.1", "libgumbo.so.2", "libgumbo.so.3", NULL };
static qn_lib lib = { SONAMES, SYMS, "reading HTML", "apt-get install libgumbo1", false };

enum { MOST_DEPTH = 1000 };

typedef struct {
    qn_doc_b *b;
    unsigned  flags;
    int       depth, list_depth, quote;
    bool      in_pre, too_deep;
    const GumboNode *root;
} page;

/* ---- asking nodes ---- */
static bool is_element(const GumboNode *n) { return n->type == GUMBO_NODE_ELEMENT || n->type == GUMBO_NODE_TEMPLATE; }
static GumboTag tag_of(const GumboNode *n) { return is_element(n) ? n->v.element.tag : GUMBO_TAG_UNKNOWN; }

static qn_str attr(const GumboNode *n, const char *name)
{
    const GumboAttribute *a = is_element(n) ? gu.attribute(&n->v.element.attributes, name) : NULL;
    return a ? qn_str_of(a->value) : (qn_str){ "", 0 };
}

static const GumboVector *children(const GumboNode *n)
{
    static const GumboVector none = {0};
    if (n->type == GUMBO_NODE_DOCUMENT) return &n->v.document.children;
    return is_element(n) ? &n->v.element.children : &none;
}
#define EACH(child, node) \
    for (unsigned i_ = 0; i_ < children(node)->length; i_++) \
        for (const GumboNode *child = children(node)->data[i_]; child; child = NULL)

static bool is_text(const GumboNode *n) { return n->type == GUMBO_NODE_TEXT || n->type == GUMBO_NODE_WHITESPACE || n->type == GUMBO_NODE_CDATA; }

/* ---- what is no content ---- */
static bool never_content(GumboTag t)
{
    switch (t) {
    case GUMBO_TAG_SCRIPT: case GUMBO_TAG_STYLE: case GUMBO_TAG_NOSCRIPT: case GUMBO_TAG_TEMPLATE: case GUMBO_TAG_IFRAME: case GUMBO_TAG_OBJECT:
    case GUMBO_TAG_EMBED: case GUMBO_TAG_SVG: case GUMBO_TAG_CANVAS: case GUMBO_TAG_AUDIO: case GUMBO_TAG_VIDEO: case GUMBO_TAG_HEAD: case GUMBO_TAG_SELECT:
    case GUMBO_TAG_BUTTON: case GUMBO_TAG_INPUT: case GUMBO_TAG_TEXTAREA: case GUMBO_TAG_OPTION: case GUMBO_TAG_DATALIST:
        return true;
    default: return false;
    }
}

/* Is the word in the list "nav menu ..."; a word of the list that ends in * stands for all that begin so. */
static bool word_in(const char *list, qn_str w)
{
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, " ");
        bool open = p[n - 1] == '*';
        qn_str want = { p, n - open };
        if (open ? w.n >= want.n && qn_str_ieq(qn_str_sub(w, 0, want.n), want) : qn_str_ieq(w, want)) return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

/* The parts of class and id names: "mw-jump-link nav_main" -> mw jump link nav main, and the names whole. */
static bool names_match(qn_str names, const char *parts, const char *wholes)
{
    for (size_t i = 0; i < names.n;) {
        size_t from = i, at = i;
        while (i < names.n && !isspace((unsigned char)names.p[i])) i++;
        if (word_in(wholes, qn_str_sub(names, from, i))) return true;
        for (size_t k = from; k <= i; k++) {
            if (k < i && isalnum((unsigned char)names.p[k])) continue;
            if (k > at && word_in(parts, qn_str_sub(names, at, k))) return true;
            at = k + 1;
        }
        while (i < names.n && isspace((unsigned char)names.p[i])) i++;
    }
    return false;
}

static bool hidden(const GumboNode *n)
{
    qn_str style = attr(n, "style");
    return gu.attribute(&n->v.element.attributes, "hidden") || qn_str_is(attr(n, "aria-hidden"), "true") ||
           qn_str_find(style, QN_STR("display:none")) >= 0 || qn_str_find(style, QN_STR("display: none")) >= 0;
}

static bool around_content(const GumboNode *n)
{
    static const char PARTS[] = "nav navbar navigation navbox menu sidebar breadcrumb breadcrumbs footer cookie cookies banner advert ads promo social share sharing "
                                "pagination pager masthead subscribe newsletter toc noprint editsection jump catlinks authority skip metadata";
    static const char WHOLES[] = "mw-editsection reference printfooter siteSub contentSub jump-to-nav p-* toc-* vector-menu* vector-header* vector-sidebar* vector-column-start vector-page-t* vector-sticky* vector-main-menu* vector-dropdown* site-header page-header headerlink "
                                 "anchor-link hash-link theme-doc-toc* table-of-contents mw-hidden-catlinks mbox-small sistersitebox";
    GumboTag t = tag_of(n);
    qn_str role = attr(n, "role");
    if (t == GUMBO_TAG_NAV || t == GUMBO_TAG_FOOTER || t == GUMBO_TAG_FORM || t == GUMBO_TAG_ASIDE || t == GUMBO_TAG_MENU) return true;
    if (word_in("navigation banner contentinfo search complementary menu menubar toolbar", role)) return true;
    if (t == GUMBO_TAG_BODY || t == GUMBO_TAG_HTML || t == GUMBO_TAG_MAIN || t == GUMBO_TAG_ARTICLE) return false;
    return names_match(attr(n, "class"), PARTS, WHOLES) || names_match(attr(n, "id"), PARTS, WHOLES);
}

/* Letters of a part of the page, and how many of them are in links. */
typedef struct { size_t n, linked, n_links; } amount;
static void weigh(const GumboNode *n, bool linked, int depth, amount *out)
{
    if (is_text(n) && n->type != GUMBO_NODE_WHITESPACE) {
        size_t k = qn_str_trim(qn_str_of(n->v.text.text)).n;
        out->n += k;
        out->linked += linked ? k : 0;
        return;
    }
    if (depth > MOST_DEPTH || never_content(tag_of(n))) return;
    bool link = tag_of(n) == GUMBO_TAG_A;
    out->n_links += link;
    EACH(child, n) weigh(child, linked || link, depth + 1, out);
}

static bool nearly_all_links(const GumboNode *n)
{
    GumboTag t = tag_of(n);
    amount a = {0};
    if (t != GUMBO_TAG_UL && t != GUMBO_TAG_OL && t != GUMBO_TAG_DIV && t != GUMBO_TAG_SECTION) return false;
    weigh(n, false, 0, &a);
    return a.n_links >= 4 && a.linked * 10 > a.n * 9 && a.n / a.n_links < 40;
}

static bool skipped(const page *p, const GumboNode *n)
{
    if (n->type == GUMBO_NODE_TEMPLATE || never_content(tag_of(n)) || hidden(n)) return true;
    if (p->flags & QN_HTML_WHOLE) return false;
    if (tag_of(n) == GUMBO_TAG_HEADER && p->root && tag_of(p->root) == GUMBO_TAG_BODY) return true;
    if (around_content(n)) return true;
    return p->root && tag_of(p->root) == GUMBO_TAG_BODY && nearly_all_links(n);
}

/* ---- the main part ---- */
typedef struct { const GumboNode *main, *article, *by_id, *body; int n_articles; } parts;

static void find_parts(const GumboNode *n, int depth, parts *f)
{
    if (depth > MOST_DEPTH) return;
    if (is_element(n)) {
        GumboTag t = tag_of(n);
        if (t == GUMBO_TAG_BODY) f->body = n;
        if (!f->main && (t == GUMBO_TAG_MAIN || qn_str_is(attr(n, "role"), "main"))) f->main = n;
        if (t == GUMBO_TAG_ARTICLE) { f->n_articles++; if (!f->article) f->article = n; }
        if (!f->by_id && word_in("mw-content-text content main-content bodyContent main article post-content", attr(n, "id"))) f->by_id = n;
    }
    EACH(child, n) find_parts(child, depth + 1, f);
}

static const GumboNode *main_part(const GumboNode *document, unsigned flags)
{
    parts f = {0};
    amount all = {0};
    find_parts(document, 0, &f);
    if (!f.body) return document;
    if (flags & QN_HTML_WHOLE) return f.body;
    weigh(f.body, false, 0, &all);
    const GumboNode *choice[] = { f.n_articles == 1 ? f.article : NULL, f.main, f.by_id };
    for (int i = 0; i < 3; i++) {
        amount a = {0};
        if (!choice[i]) continue;
        weigh(choice[i], false, 0, &a);
        if (a.n - a.linked > 200 && (a.n - a.linked) * 3 > all.n - all.linked) return choice[i];
    }
    return f.body;
}

/* ---- text ---- */
static void walk(page *p, const GumboNode *n);
static void walk_children(page *p, const GumboNode *n) { EACH(child, n) walk(p, child); }

static void put_text(page *p, qn_str s)
{
    qn_doc_b *b = p->b;
    if (!b->open) {
        if (qn_str_trim(s).n == 0) return;
        qn_doc_begin(b, p->quote ? QN_BLOCK_QUOTE : QN_BLOCK_PARA, 0);
        if (p->quote) qn_doc_raw(b, QN_STR("> "));
    }
    qn_doc_words(b, s);
}

/* All text below a node, as it stands: for code. */
static void plain(const GumboNode *n, int depth, qn_buf *out)
{
    if (is_text(n)) { qn_buf_puts(out, n->v.text.text); return; }
    if (depth > MOST_DEPTH || never_content(tag_of(n)) || !is_element(n)) return;
    if (tag_of(n) == GUMBO_TAG_BR) qn_buf_putc(out, '\n');
    EACH(child, n) plain(child, depth + 1, out);
}

static qn_str language_of(const GumboNode *n)
{
    static const char *const marks[] = { "language-", "lang-", "highlight-source-", "brush:", NULL };
    qn_str c = attr(n, "class");
    for (int i = 0; marks[i]; i++) {
        ptrdiff_t at = qn_str_find(c, qn_str_of(marks[i]));
        if (at < 0) continue;
        size_t from = (size_t)at + strlen(marks[i]), to = from;
        while (to < c.n && (isalnum((unsigned char)c.p[to]) || qn_char_in(c.p[to], "+#-_"))) to++;
        return qn_str_sub(c, from, to);
    }
    EACH(child, n) if (tag_of(child) == GUMBO_TAG_CODE) return language_of(child);
    return QN_STR("");
}

static void put_code(page *p, const GumboNode *n)
{
    qn_buf text = {0};
    plain(n, 0, &text);
    qn_doc_code(p->b, language_of(n), qn_buf_view(&text));
    qn_buf_free(&text);
}

static bool contains(const GumboNode *n, int depth, bool (*is)(GumboTag))
{
    if (depth > MOST_DEPTH) return false;
    EACH(child, n) if (is(tag_of(child)) || contains(child, depth + 1, is)) return true;
    return false;
}

static bool is_big(GumboTag t)
{
    return t == GUMBO_TAG_TABLE || t == GUMBO_TAG_PRE || (t >= GUMBO_TAG_H1 && t <= GUMBO_TAG_H6) || t == GUMBO_TAG_BLOCKQUOTE;
}

/* ---- lists ---- one block for the outermost list; the items of inner ones are indented */
static void put_list(page *p, const GumboNode *n)
{
    qn_doc_b *b = p->b;
    bool ordered = tag_of(n) == GUMBO_TAG_OL;
    int number = 1;
    if (p->list_depth == 0 && contains(n, 0, is_big)) {     /* used for layout, or items with tables and code: each is a block of its own */
        qn_doc_end(b);
        walk_children(p, n);
        qn_doc_end(b);
        return;
    }
    if (p->list_depth == 0) qn_doc_begin(b, QN_BLOCK_LIST, 0);
    p->list_depth++;
    EACH(item, n) {
        if (tag_of(item) != GUMBO_TAG_LI) { if (is_element(item)) walk(p, item); continue; }
        if (skipped(p, item)) continue;
        size_t before = b->text.n, text_from;
        if (before > b->blocks[b->n].start) qn_buf_putc(&b->text, '\n');
        for (int i = 1; i < p->list_depth; i++) qn_buf_puts(&b->text, ordered ? "   " : "  ");
        if (ordered) qn_buf_printf(&b->text, "%d. ", number++);
        else qn_buf_puts(&b->text, "- ");
        b->gap = false;
        text_from = b->text.n;
        walk_children(p, item);
        if (b->open && b->text.n == text_from) b->text.n = before;      /* nothing in it */
        b->gap = false;
    }
    p->list_depth--;
    if (p->list_depth == 0) qn_doc_end(b);
}

/* ---- tables ---- */
typedef struct { qn_arena a; qn_doc_row *rows; size_t n, cap; qn_str *hold; int *hold_rows; size_t n_hold; size_t n_cells; } grid;
enum { MOST_SPAN = 100, MOST_COLUMNS = 500, MOST_CELLS = 500000 };

static qn_str cell_text(const page *p, const GumboNode *n, qn_arena *a)
{
    qn_doc_b b;
    page inner = { .b = &b, .flags = p->flags, .depth = p->depth + 1, .list_depth = 0, .root = p->root };
    qn_doc_init(&b, a);
    qn_doc_begin(&b, QN_BLOCK_PARA, 0);
    inner.list_depth = 1;                                   /* lists and paragraphs inside stay in the line */
    walk_children(&inner, n);
    qn_doc_end(&b);
    qn_str s = b.n ? qn_arena_str(a, qn_str_sub(qn_buf_view(&b.text), b.blocks[0].start, b.text.n)) : QN_STR("");
    qn_doc_drop(&b);
    return s;
}

static int span_of(const GumboNode *n, const char *name)
{
    int64_t v;
    return qn_str_to_i64(qn_str_trim(attr(n, name)), &v) && v >= 1 ? (v > MOST_SPAN ? MOST_SPAN : (int)v) : 1;
}

/* Cells that reach over several rows are repeated in each, those over several columns stand once and leave the rest empty. */
static void put_row(page *p, const GumboNode *tr, grid *g)
{
    qn_str cells[MOST_COLUMNS];
    size_t n = 0;
    EACH(td, tr) {
        if (tag_of(td) != GUMBO_TAG_TD && tag_of(td) != GUMBO_TAG_TH) continue;
        while (n < g->n_hold && g->hold_rows[n] > 0) { g->hold_rows[n]--; cells[n] = g->hold[n]; n++; }
        qn_str text = skipped(p, td) ? QN_STR("") : cell_text(p, td, &g->a);
        int cols = span_of(td, "colspan"), rows = span_of(td, "rowspan");
        for (int k = 0; k < cols && n < MOST_COLUMNS; k++, n++) {
            cells[n] = k ? QN_STR("") : text;
            if (n >= g->n_hold) continue;
            g->hold[n] = cells[n];
            g->hold_rows[n] = rows - 1;
        }
    }
    while (n < g->n_hold && g->hold_rows[n] > 0) { g->hold_rows[n]--; cells[n] = g->hold[n]; n++; }
    if (n == 0 || (g->n_cells += n) > MOST_CELLS) return;
    QN_GROW(g->rows, g->n, g->cap);
    g->rows[g->n] = (qn_doc_row){ qn_arena_alloc(&g->a, n * sizeof *cells), n };
    memcpy(g->rows[g->n++].cells, cells, n * sizeof *cells);
}

static void put_rows(page *p, const GumboNode *n, grid *g)
{
    EACH(child, n) {
        GumboTag t = tag_of(child);
        if (t == GUMBO_TAG_TR) { if (!skipped(p, child)) put_row(p, child, g); }
        else if (t == GUMBO_TAG_THEAD || t == GUMBO_TAG_TBODY || t == GUMBO_TAG_TFOOT) put_rows(p, child, g);
    }
}

static bool is_table_inside(GumboTag t) { return t == GUMBO_TAG_TABLE || t == GUMBO_TAG_PRE || (t >= GUMBO_TAG_H1 && t <= GUMBO_TAG_H3); }

static void put_table(page *p, const GumboNode *n)
{
    qn_doc_b *b = p->b;
    bool layout = word_in("presentation none", attr(n, "role")) || contains(n, 0, is_table_inside);
    if (p->list_depth || layout) {
        if (!p->list_depth) qn_doc_end(b);
        walk_children(p, n);
        if (!p->list_depth) qn_doc_end(b);
        return;
    }
    grid g = { .n_hold = MOST_COLUMNS };
    g.hold = QN_ARENA_NEW_N(&g.a, qn_str, MOST_COLUMNS);
    g.hold_rows = QN_ARENA_NEW_N(&g.a, int, MOST_COLUMNS);
    qn_doc_end(b);
    EACH(child, n) if (tag_of(child) == GUMBO_TAG_CAPTION) { walk_children(p, child); qn_doc_end(b); }
    put_rows(p, n, &g);
    size_t width = 0;
    for (size_t i = 0; i < g.n; i++) if (g.rows[i].n > width) width = g.rows[i].n;
    if (width > 1) qn_doc_table(b, g.rows, g.n);
    else for (size_t i = 0; i < g.n; i++) qn_doc_block(b, QN_BLOCK_PARA, 0, g.rows[i].cells[0]);
    if (g.n_cells > MOST_CELLS) qn_doc_warn(b, "a table with more than %d cells was cut", MOST_CELLS);
    qn_free(g.rows);
    qn_arena_free(&g.a);
}

/* ---- the walk ---- */
static bool is_block(GumboTag t)
{
    switch (t) {
    case GUMBO_TAG_P: case GUMBO_TAG_DIV: case GUMBO_TAG_SECTION: case GUMBO_TAG_ARTICLE: case GUMBO_TAG_MAIN: case GUMBO_TAG_BODY: case GUMBO_TAG_HTML:
    case GUMBO_TAG_HEADER: case GUMBO_TAG_FOOTER: case GUMBO_TAG_NAV: case GUMBO_TAG_ASIDE: case GUMBO_TAG_FIGURE: case GUMBO_TAG_FIGCAPTION: case GUMBO_TAG_ADDRESS:
    case GUMBO_TAG_FIELDSET: case GUMBO_TAG_DL: case GUMBO_TAG_DT: case GUMBO_TAG_DD: case GUMBO_TAG_CENTER: case GUMBO_TAG_DETAILS: case GUMBO_TAG_SUMMARY:
    case GUMBO_TAG_FORM: case GUMBO_TAG_HR: case GUMBO_TAG_TR: case GUMBO_TAG_TD: case GUMBO_TAG_TH: case GUMBO_TAG_LI: case GUMBO_TAG_TBODY: case GUMBO_TAG_CAPTION:
        return true;
    default: return false;
    }
}

static void put_heading(page *p, const GumboNode *n, int level)
{
    if (p->list_depth) { walk_children(p, n); return; }
    qn_doc_begin(p->b, QN_BLOCK_HEADING, level);
    p->list_depth++;                                        /* whatever is inside stays in the line */
    walk_children(p, n);
    p->list_depth--;
    qn_doc_end(p->b);
}

static void put_code_words(page *p, const GumboNode *n)
{
    qn_buf text = {0};
    plain(n, 0, &text);
    qn_str s = qn_str_trim(qn_buf_view(&text));
    if (s.n) {
        bool tick = !memchr(s.p, '`', s.n);
        put_text(p, QN_STR(""));
        if (!p->b->open) { put_text(p, tick ? QN_STR("`") : QN_STR("\"")); p->b->gap = false; }
        else qn_doc_raw(p->b, tick ? QN_STR("`") : QN_STR("\""));
        qn_doc_words(p->b, s);
        p->b->gap = false;
        qn_doc_raw(p->b, tick ? QN_STR("`") : QN_STR("\""));
    }
    qn_buf_free(&text);
}

static void walk_element(page *p, const GumboNode *n)
{
    GumboTag t = tag_of(n);
    qn_doc_b *b = p->b;
    if (t >= GUMBO_TAG_H1 && t <= GUMBO_TAG_H6) { put_heading(p, n, (int)(t - GUMBO_TAG_H1) + 1); return; }
    switch (t) {
    case GUMBO_TAG_UL: case GUMBO_TAG_OL: put_list(p, n); return;
    case GUMBO_TAG_TABLE: put_table(p, n); return;
    case GUMBO_TAG_PRE:
        if (p->list_depth) { walk_children(p, n); return; }
        put_code(p, n);
        return;
    case GUMBO_TAG_CODE: case GUMBO_TAG_KBD: case GUMBO_TAG_SAMP: case GUMBO_TAG_TT: put_code_words(p, n); return;
    case GUMBO_TAG_MATH: put_text(p, attr(n, "alttext")); return;
    case GUMBO_TAG_BR:
        if (b->open && p->list_depth == 0 && b->blocks[b->n].kind != QN_BLOCK_HEADING) qn_buf_putc(&b->text, '\n');
        b->gap = b->open && p->list_depth > 0;
        return;
    case GUMBO_TAG_BLOCKQUOTE:
        if (!p->list_depth) qn_doc_end(b);
        p->quote++;
        walk_children(p, n);
        p->quote--;
        if (!p->list_depth) qn_doc_end(b);
        return;
    default: break;
    }
    if (!is_block(t)) { walk_children(p, n); return; }
    if (p->list_depth) { b->gap = true; walk_children(p, n); b->gap = true; return; }
    qn_doc_end(b);
    walk_children(p, n);
    qn_doc_end(b);
}

static void walk(page *p, const GumboNode *n)
{
    if (is_text(n)) { put_text(p, qn_str_of(n->v.text.text)); return; }
    if (!is_element(n)) { if (n->type == GUMBO_NODE_DOCUMENT) walk_children(p, n); return; }
    if (n != p->root && skipped(p, n)) return;
    if (p->depth >= MOST_DEPTH) { p->too_deep = true; return; }
    p->depth++;
    walk_element(p, n);
    p->depth--;
}

/* ---- what the page says about itself ---- */
static void take_meta(qn_doc_b *b, const GumboNode *n)
{
    qn_str name = attr(n, "name"), content = attr(n, "content");
    if (!name.n) name = attr(n, "property");
    if (word_in("author article:author dc.creator dcterms.creator", name)) qn_doc_meta(b, "author", content);
    else if (word_in("date article:published_time dc.date dcterms.date dcterms.created", name)) qn_doc_meta(b, "date", content);
    else if (word_in("description og:description", name)) qn_doc_meta(b, "description", content);
    else if (word_in("license licence dc.rights dcterms.license dcterms.rights", name) && !b->licence.n) b->licence = qn_arena_str(b->a, content);
}

static void look_around(qn_doc_b *b, const GumboNode *n, int depth)
{
    if (depth > MOST_DEPTH || !is_element(n)) {
        if (n->type == GUMBO_NODE_DOCUMENT) EACH(child, n) look_around(b, child, depth + 1);
        return;
    }
    GumboTag t = tag_of(n);
    if (t == GUMBO_TAG_SVG) return;
    if (t == GUMBO_TAG_HTML) qn_doc_meta(b, "language", attr(n, "lang"));
    if (t == GUMBO_TAG_META) take_meta(b, n);
    if (t == GUMBO_TAG_TITLE && !b->title.n) {
        qn_buf text = {0};
        plain(n, 0, &text);
        b->title = qn_arena_str(b->a, qn_str_trim(qn_buf_view(&text)));
        qn_buf_free(&text);
    }
    if ((t == GUMBO_TAG_A || t == GUMBO_TAG_LINK) && word_in("license licence", attr(n, "rel")) && !b->licence.n) b->licence = qn_arena_str(b->a, attr(n, "href"));
    EACH(child, n) look_around(b, child, depth + 1);
}

qn_code qn_html_add(qn_doc_b *b, qn_str html, unsigned flags, qn_err *e)
{
    QN_TRY(qn_lib_need(&lib, e));
    GumboOptions options = *gu.defaults;
    options.max_errors = 0;
    GumboOutput *out = gu.parse(&options, html.p, html.n);
    page p = { .b = b, .flags = flags };
    look_around(b, out->document, 0);
    p.root = main_part(out->document, flags);
    walk(&p, p.root);
    qn_doc_end(b);
    gu.destroy(&options, out);
    return p.too_deep ? qn_fail(e, QN_ELIMIT, "elements are nested deeper than %d", MOST_DEPTH) : QN_OK;
}

const char *qn_html_encoding(qn_str s, char out[40])
{
    qn_str head = { s.p, s.n < 2048 ? s.n : 2048 };
    static const char *const marks[] = { "charset=", "encoding=", NULL };
    for (int i = 0; marks[i]; i++) {
        ptrdiff_t at = qn_str_find(head, qn_str_of(marks[i]));
        if (at < 0) continue;
        size_t k = (size_t)at + strlen(marks[i]), n = 0;
        while (k < head.n && qn_char_in(head.p[k], "\"' ")) k++;
        while (k < head.n && n < 39 && (isalnum((unsigned char)head.p[k]) || qn_char_in(head.p[k], "-_:."))) out[n++] = head.p[k++];
        out[n] = 0;
        if (n) return out;
    }
    return NULL;
}
