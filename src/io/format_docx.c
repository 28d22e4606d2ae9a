/* format_docx: Word files (Office Open XML, ECMA-376 part 1). Headings by style or outline level, lists, tables, code and quotes by style, footnotes at
 * the end; inserted text is in, deleted text is not; equations give their text. */
#include "io/office.h"
#include <ctype.h>
#include <stdlib.h>

enum { MOST_STYLES = 4000 };
typedef enum { STYLE_PLAIN, STYLE_HEADING, STYLE_TITLE, STYLE_CODE, STYLE_QUOTE, STYLE_LIST } style_kind;
typedef struct { qn_str id, based; style_kind kind; int level; bool numbered; } style;

typedef struct {
    qn_doc_b *b;
    style    *styles;
    size_t    n_styles;
    const qn_xml *numbering;
    qn_buf    code;             /* paragraphs of code that belong together */
    int       counters[9];
    qn_str    list;             /* numId of the list being written */
} word;

/* ---- styles ---- */
static bool has_word(qn_str s, const char *w)
{
    size_t n = strlen(w);
    for (size_t i = 0; i + n <= s.n; i++) if (qn_str_ieq(qn_str_sub(s, i, i + n), qn_str_of(w))) return true;
    return false;
}

static int small_int(qn_str s, int if_none)
{
    int64_t v;
    return qn_str_to_i64(s, &v) && v >= 0 && v < 100 ? (int)v : if_none;
}

static void name_style(style *st, qn_str name)
{
    int64_t level;
    if (name.n >= 9 && qn_str_ieq(qn_str_sub(name, 0, 8), QN_STR("heading ")) && qn_str_to_i64(qn_str_sub(name, 8, name.n), &level) && level >= 1) {
        st->kind = STYLE_HEADING;
        st->level = level > 6 ? 6 : (int)level;
    } else if (qn_str_ieq(name, QN_STR("title"))) {
        st->kind = STYLE_TITLE;
        st->level = 1;
    } else if (has_word(name, "code") || has_word(name, "preformatted") || has_word(name, "verbatim")) {
        st->kind = STYLE_CODE;
    } else if (has_word(name, "quote")) {
        st->kind = STYLE_QUOTE;
    } else if (qn_str_starts(name, QN_STR("List Bullet")) || qn_str_starts(name, QN_STR("List Number"))) {
        st->kind = STYLE_LIST;
        st->numbered = qn_str_starts(name, QN_STR("List Number"));
    }
}

static void read_styles(word *w, const qn_xml *root)
{
    w->styles = QN_ARENA_NEW_N(w->b->a, style, MOST_STYLES);
    QN_XML_EACH(s, root, "style") {
        if (w->n_styles == MOST_STYLES) break;
        style *st = &w->styles[w->n_styles++];
        st->id = qn_arena_str(w->b->a, qn_xml_attr(s, "styleId"));
        st->based = qn_arena_str(w->b->a, qn_xml_attr(qn_xml_first(s, "basedOn"), "val"));
        name_style(st, qn_xml_attr(qn_xml_first(s, "name"), "val"));
        int outline = small_int(qn_xml_attr(qn_xml_first(qn_xml_first(s, "pPr"), "outlineLvl"), "val"), 9);
        if (st->kind == STYLE_PLAIN && outline < 9) { st->kind = STYLE_HEADING; st->level = outline > 5 ? 6 : outline + 1; }
    }
}

static const style *style_of(const word *w, qn_str id)
{
    for (int hops = 0; hops < 10 && id.n; hops++) {
        const style *found = NULL;
        for (size_t i = 0; i < w->n_styles && !found; i++) if (qn_str_eq(w->styles[i].id, id)) found = &w->styles[i];
        if (!found || found->kind != STYLE_PLAIN) return found;
        id = found->based;
    }
    return NULL;
}

/* Is level `lvl` of list numId numbered (not a bullet)? */
static bool numbered(const word *w, qn_str id, int lvl)
{
    qn_str abstract = QN_STR("");
    QN_XML_EACH(n, w->numbering, "num") if (qn_str_eq(qn_xml_attr(n, "numId"), id)) abstract = qn_xml_attr(qn_xml_first(n, "abstractNumId"), "val");
    QN_XML_EACH(n, w->numbering, "abstractNum") {
        if (!qn_str_eq(qn_xml_attr(n, "abstractNumId"), abstract)) continue;
        QN_XML_EACH(l, n, "lvl") {
            if (small_int(qn_xml_attr(l, "ilvl"), 0) != lvl) continue;
            qn_str format = qn_xml_attr(qn_xml_first(l, "numFmt"), "val");
            return format.n && !qn_str_is(format, "bullet") && !qn_str_is(format, "none");
        }
    }
    return false;
}

/* ---- text of a paragraph ---- */
static void run_text(const qn_xml *n, qn_buf *out);

/* A fraction, a power, an index, a root: written in a line. False for anything else. */
static bool math_text(const qn_xml *n, qn_buf *out)
{
    static const struct { const char *name, *before, *first, *between, *second, *after; } forms[] = {
        { "f", "(", "num", ")/(", "den", ")" }, { "sSup", "", "e", "^{", "sup", "}" }, { "sSub", "", "e", "_{", "sub", "}" }, { "rad", "sqrt(", "e", "", "-", ")" },
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (!qn_xml_is(n, forms[i].name)) continue;
        qn_buf_puts(out, forms[i].before);
        run_text(qn_xml_first(n, forms[i].first), out);
        qn_buf_puts(out, forms[i].between);
        run_text(qn_xml_first(n, forms[i].second), out);
        qn_buf_puts(out, forms[i].after);
        return true;
    }
    return false;
}

static void run_text(const qn_xml *n, qn_buf *out)
{
    QN_XML_EACH(c, n, NULL) {
        const char *name = qn_xml_name(c);
        if (strcmp(name, "t") == 0) qn_xml_text(c, out);                    /* w:t and m:t */
        else if (strcmp(name, "tab") == 0) qn_buf_putc(out, '\t');
        else if (strcmp(name, "br") == 0 || strcmp(name, "cr") == 0) qn_buf_putc(out, '\n');
        else if (strcmp(name, "noBreakHyphen") == 0) qn_buf_putc(out, '-');
        else if (strcmp(name, "footnoteReference") == 0 || strcmp(name, "endnoteReference") == 0) qn_buf_printf(out, "[^%.*s]", QN_FMT(qn_xml_attr(c, "id")));
        else if (strcmp(name, "del") == 0 || strcmp(name, "moveFrom") == 0 || strcmp(name, "Fallback") == 0 || strcmp(name, "pPr") == 0 || strcmp(name, "rPr") == 0 ||
                 strcmp(name, "instrText") == 0 || strcmp(name, "txbxContent") == 0) continue;
        else if (strcmp(name, "oMath") == 0) { qn_buf_puts(out, "$"); run_text(c, out); qn_buf_puts(out, "$"); }
        else if (!math_text(c, out)) run_text(c, out);
    }
}

static void flush_code(word *w)
{
    if (w->code.n) qn_doc_code(w->b, QN_STR(""), qn_buf_view(&w->code));
    qn_buf_clear(&w->code);
}

static void end_list(word *w) { qn_doc_end(w->b); w->list = QN_STR(""); }

static void put_item(word *w, qn_str id, int lvl, bool is_numbered, qn_str text)
{
    qn_doc_b *b = w->b;
    bool inside = b->open && b->blocks[b->n].kind == QN_BLOCK_LIST;
    if (!inside) { qn_doc_begin(b, QN_BLOCK_LIST, 0); w->list = QN_STR(""); }
    else qn_buf_putc(&b->text, '\n');
    if (lvl > 8) lvl = 8;
    if (!qn_str_eq(w->list, id)) memset(w->counters, 0, sizeof w->counters);
    w->list = id;
    for (int i = lvl + 1; i < 9; i++) w->counters[i] = 0;
    for (int i = 0; i < lvl; i++) qn_buf_puts(&b->text, "  ");
    if (is_numbered) qn_buf_printf(&b->text, "%d. ", ++w->counters[lvl]);
    else qn_buf_puts(&b->text, "- ");
    b->gap = false;
    qn_doc_words(b, text);
}

static void walk_body(word *w, const qn_xml *n);

static void boxes(word *w, const qn_xml *n)     /* text in drawn boxes comes behind its paragraph */
{
    QN_XML_EACH(c, n, NULL) {
        if (qn_xml_is(c, "Fallback")) continue;
        if (qn_xml_is(c, "txbxContent")) walk_body(w, c);
        else boxes(w, c);
    }
}

static void put_paragraph(word *w, const qn_xml *p)
{
    qn_buf text = {0};
    const qn_xml *pr = qn_xml_first(p, "pPr"), *num = qn_xml_first(pr, "numPr");
    const style *st = style_of(w, qn_xml_attr(qn_xml_first(pr, "pStyle"), "val"));
    int outline = small_int(qn_xml_attr(qn_xml_first(pr, "outlineLvl"), "val"), 9);
    style_kind kind = st ? st->kind : STYLE_PLAIN;
    run_text(p, &text);
    qn_str s = qn_buf_view(&text), t = qn_str_trim(s);
    qn_str id = qn_xml_attr(qn_xml_first(num, "numId"), "val");
    if (kind != STYLE_CODE) flush_code(w);
    if (kind == STYLE_CODE) {
        end_list(w);
        if (w->code.n) qn_buf_putc(&w->code, '\n');
        qn_buf_str(&w->code, s);
    } else if (t.n == 0) {
        ;
    } else if (kind == STYLE_HEADING || kind == STYLE_TITLE || outline < 9) {
        end_list(w);
        qn_doc_begin(w->b, QN_BLOCK_HEADING, kind == STYLE_PLAIN ? (outline > 5 ? 6 : outline + 1) : st->level ? st->level : 1);
        qn_doc_words(w->b, t);
        qn_doc_end(w->b);
    } else if (num && !qn_str_is(id, "0")) {
        int lvl = small_int(qn_xml_attr(qn_xml_first(num, "ilvl"), "val"), 0);
        put_item(w, id, lvl, numbered(w, id, lvl), t);
    } else if (kind == STYLE_LIST) {
        put_item(w, st->id, 0, st->numbered, t);
    } else {
        end_list(w);
        qn_doc_begin(w->b, kind == STYLE_QUOTE ? QN_BLOCK_QUOTE : QN_BLOCK_PARA, 0);
        if (kind == STYLE_QUOTE) qn_doc_raw(w->b, QN_STR("> "));
        qn_doc_raw(w->b, t);
        qn_doc_end(w->b);
    }
    qn_buf_free(&text);
    boxes(w, p);
}

/* ---- tables ---- */
static void cell_text(const qn_xml *n, qn_buf *out)
{
    QN_XML_EACH(c, n, NULL) {
        if (qn_xml_is(c, "p")) { if (out->n) qn_buf_putc(out, ' '); run_text(c, out); }
        else if (qn_xml_is(c, "tbl") || qn_xml_is(c, "tr") || qn_xml_is(c, "tc") || qn_xml_is(c, "sdt") || qn_xml_is(c, "sdtContent")) cell_text(c, out);
    }
}

enum { MOST_COLUMNS = 200 };
static qn_doc_row table_row(const qn_xml *tr, qn_arena *a)
{
    qn_doc_row r = { qn_arena_alloc(a, MOST_COLUMNS * sizeof(qn_str)), 0 };
    QN_XML_EACH(tc, tr, "tc") {
        qn_buf text = {0};
        const qn_xml *pr = qn_xml_first(tc, "tcPr"), *merge = qn_xml_first(pr, "vMerge");
        int span = small_int(qn_xml_attr(qn_xml_first(pr, "gridSpan"), "val"), 1);
        bool goes_on = merge && !qn_str_is(qn_xml_attr(merge, "val"), "restart");
        if (!goes_on) cell_text(tc, &text);
        for (int i = 0; i < span && r.n < MOST_COLUMNS; i++) r.cells[r.n++] = i ? QN_STR("") : qn_arena_str(a, qn_buf_view(&text));
        qn_buf_free(&text);
    }
    return r;
}

static void put_table(word *w, const qn_xml *tbl)
{
    qn_arena a = {0};
    qn_doc_row *rows = NULL;
    size_t n = 0, cap = 0, width = 0;
    flush_code(w);
    end_list(w);
    QN_XML_EACH(tr, tbl, "tr") {
        QN_GROW(rows, n, cap);
        rows[n] = table_row(tr, &a);
        if (rows[n].n > width) width = rows[n].n;
        n++;
    }
    if (width == 1 && n == 1) {                             /* a frame around text, not a table */
        const qn_xml *tc = qn_xml_first(qn_xml_first(tbl, "tr"), "tc");
        walk_body(w, tc);
    } else {
        qn_doc_table(w->b, rows, n);
    }
    qn_free(rows);
    qn_arena_free(&a);
}

static void walk_body(word *w, const qn_xml *n)
{
    QN_XML_EACH(c, n, NULL) {
        if (qn_xml_is(c, "p")) put_paragraph(w, c);
        else if (qn_xml_is(c, "tbl")) put_table(w, c);
        else if (qn_xml_is(c, "sdt") || qn_xml_is(c, "sdtContent") || qn_xml_is(c, "ins") || qn_xml_is(c, "moveTo") || qn_xml_is(c, "smartTag") || qn_xml_is(c, "customXml"))
            walk_body(w, c);
    }
}

static void put_notes(word *w, const qn_zip *z, const char *part, const char *element)
{
    qn_xml_doc *doc;
    const qn_xml *root;
    if (qn_office_part(z, part, &doc, &root, NULL) != QN_OK) return;
    QN_XML_EACH(n, root, element) {
        qn_buf text = {0};
        if (qn_xml_attr(n, "type").n == 0) cell_text(n, &text);
        qn_str s = qn_str_trim(qn_buf_view(&text));
        if (s.n) {
            qn_doc_begin(w->b, QN_BLOCK_PARA, 0);
            qn_buf_printf(&w->b->text, "[^%.*s]: ", QN_FMT(qn_xml_attr(n, "id")));
            qn_doc_words(w->b, s);
            qn_doc_end(w->b);
        }
        qn_buf_free(&text);
    }
    qn_xml_free(doc);
}

static bool want(qn_str name)
{
    return qn_str_ends(name, QN_STR(".xml")) && (qn_str_starts(name, QN_STR("word/")) || qn_str_starts(name, QN_STR("docProps/")));
}

static qn_code doc(qn_str bytes, const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e)
{
    qn_zip z;
    qn_doc_b b;
    qn_xml_doc *main = NULL, *styles = NULL, *numbering = NULL;
    const qn_xml *root, *styles_root = NULL;
    (void)path, (void)o;
    QN_TRY(qn_zip_read(bytes, want, a, &z, e));
    QN_TRY(qn_office_part(&z, "word/document.xml", &main, &root, e));
    qn_doc_init(&b, a);
    word w = { .b = &b };
    qn_office_properties(&z, &b);
    if (qn_office_part(&z, "word/styles.xml", &styles, &styles_root, NULL) == QN_OK) read_styles(&w, styles_root);
    if (qn_office_part(&z, "word/numbering.xml", &numbering, &w.numbering, NULL) != QN_OK) w.numbering = NULL;
    walk_body(&w, qn_xml_first(root, "body"));
    flush_code(&w);
    end_list(&w);
    put_notes(&w, &z, "word/footnotes.xml", "footnote");
    put_notes(&w, &z, "word/endnotes.xml", "endnote");
    qn_buf_free(&w.code);
    qn_xml_free(main);
    qn_xml_free(styles);
    qn_xml_free(numbering);
    qn_doc_finish(&b, out);
    return QN_OK;
}

static bool sniff(qn_str head)
{
    return qn_str_starts(head, QN_STR("PK\x03\x04")) && qn_str_find(head, QN_STR("word/")) > 0 && qn_str_find(head, QN_STR("xl/")) < 0;
}

const qn_format qn_format_docx = { .name = "docx", .exts = "docx docm", .brief = "Word documents", .doc = doc, .sniff = sniff };
