/* format_rst: reStructuredText, as much of it as documentation uses: sections, paragraphs, lists, literal blocks and code directives, grid and
 * simple tables, admonitions, descriptions of functions and the like (`.. c:function:: ...`). Roles and links give their text. Comments, targets,
 * substitutions and tables of contents are left out. Source: docutils, "reStructuredText Markup Specification". */
#include "io/doc.h"
#include <ctype.h>

enum { MOST_DEPTH = 60 };

typedef struct { qn_str s; size_t indent; bool blank; } line;
typedef struct { qn_doc_b *b; line *v; size_t n; struct { char mark; bool over; } levels[6]; int n_levels; int depth; } rst;

/* ---- lines ---- */
static line *lines_of(qn_str t, qn_arena *a, size_t *n)
{
    size_t count = 1, k = 0;
    for (size_t i = 0; i < t.n; i++) count += t.p[i] == '\n';
    line *v = qn_arena_alloc(a, count * sizeof *v);
    for (size_t at = 0; at < t.n;) {
        const char *nl = memchr(t.p + at, '\n', t.n - at);
        size_t end = nl ? (size_t)(nl - t.p) : t.n, indent = 0;
        qn_str s = qn_str_sub(t, at, end);
        while (s.n && isspace((unsigned char)s.p[s.n - 1])) s.n--;
        for (size_t i = 0; i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'); i++) indent += s.p[i] == '\t' ? 8 - indent % 8 : 1;
        v[k++] = (line){ s, indent, s.n == 0 };
        at = end + 1;
    }
    *n = k;
    return v;
}

static qn_str inner(const line *l) { return qn_str_trim(l->s); }

/* A line of one punctuation mark, repeated: which, or 0. */
static char rule_of(const line *l)
{
    qn_str s = l->s;
    if (s.n < 2 || l->indent || !ispunct((unsigned char)s.p[0])) return 0;
    for (size_t i = 1; i < s.n; i++) if (s.p[i] != s.p[0]) return 0;
    return s.p[0];
}

/* ---- inline ---- */
/* `text <target>`_ -> text, :role:`text` -> `text`, ``code`` -> `code`, |name| -> name, \x -> x; stars stay. */
static void put_inline(qn_str s, qn_buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\\' && i + 1 < s.n) { if (!isspace((unsigned char)s.p[++i])) qn_buf_putc(out, s.p[i]); continue; }
        if (c == '`' && i + 1 < s.n && s.p[i + 1] == '`') {
            const char *end = memmem(s.p + i + 2, s.n - i - 2, "``", 2);
            if (end) { qn_buf_putc(out, '`'); qn_buf_put(out, s.p + i + 2, (size_t)(end - s.p) - i - 2); qn_buf_putc(out, '`'); i = (size_t)(end - s.p) + 1; continue; }
        }
        if (c == ':' && i + 2 < s.n && isalpha((unsigned char)s.p[i + 1])) {           /* :role:`text` */
            size_t k = i + 1;
            while (k < s.n && (isalnum((unsigned char)s.p[k]) || qn_char_in(s.p[k], "-_+.:"))) k++;
            if (k < s.n && s.p[k] == '`' && s.p[k - 1] == ':') {
                const char *end = memchr(s.p + k + 1, '`', s.n - k - 1);
                if (end) {
                    qn_str text = qn_str_sub(s, k + 1, (size_t)(end - s.p));
                    const char *angle = memchr(text.p, '<', text.n);
                    if (angle && angle > text.p && text.p[text.n - 1] == '>') text = qn_str_trim(qn_str_sub(text, 0, (size_t)(angle - text.p)));
                    while (text.n && (text.p[0] == '~' || text.p[0] == '!')) text = qn_str_sub(text, 1, text.n);
                    qn_buf_putc(out, '`'); qn_buf_str(out, text); qn_buf_putc(out, '`');
                    i = (size_t)(end - s.p);
                    continue;
                }
            }
        }
        if (c == '`') {
            const char *end = memchr(s.p + i + 1, '`', s.n - i - 1);
            if (end) {
                qn_str text = qn_str_sub(s, i + 1, (size_t)(end - s.p));
                const char *angle = memchr(text.p, '<', text.n);
                if (angle && angle > text.p) text = qn_str_trim(qn_str_sub(text, 0, (size_t)(angle - text.p)));
                qn_buf_str(out, text);
                i = (size_t)(end - s.p);
                while (i + 1 < s.n && s.p[i + 1] == '_') i++;
                continue;
            }
        }
        if (c == '_' && i > 0 && isalnum((unsigned char)s.p[i - 1]) && (i + 1 >= s.n || isspace((unsigned char)s.p[i + 1]) || qn_char_in(s.p[i + 1], ".,;:)"))) continue;
        qn_buf_putc(out, c);
    }
}

static void put_text(rst *r, qn_str s)
{
    qn_buf b = {0};
    put_inline(s, &b);
    qn_doc_words(r->b, qn_buf_view(&b));
    r->b->gap = true;
    qn_buf_free(&b);
}

/* ---- stretches of lines ---- */
/* First line from `i` on, below `to`, that is not blank and indented by `least` or less than that ends the stretch: the index behind it. */
static size_t indented_end(const rst *r, size_t i, size_t to, size_t least)
{
    size_t end = i;
    for (; i < to; i++) {
        if (r->v[i].blank) continue;
        if (r->v[i].indent < least) break;
        end = i + 1;
    }
    return end;
}

static void put_code(rst *r, size_t from, size_t to, qn_str language)
{
    qn_buf b = {0};
    size_t least = 1000;
    for (size_t i = from; i < to; i++) if (!r->v[i].blank && r->v[i].indent < least) least = r->v[i].indent;
    for (size_t i = from; i < to; i++) {
        qn_str s = r->v[i].s;
        size_t cut = 0;
        while (cut < least && cut < s.n && (s.p[cut] == ' ' || s.p[cut] == '\t')) cut++;
        qn_buf_str(&b, qn_str_sub(s, cut, s.n));
        qn_buf_putc(&b, '\n');
    }
    qn_doc_code(r->b, language, qn_buf_view(&b));
    qn_buf_free(&b);
}

static void parse(rst *r, size_t from, size_t to);

/* ---- directives ---- ".. name:: argument", options ":x: y", an indented body */
static bool in_list(const char *list, qn_str w)
{
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, " ");
        if (qn_str_eq((qn_str){ p, n }, w)) return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

static size_t skip_options(const rst *r, size_t i, size_t to)
{
    while (i < to && !r->v[i].blank && inner(&r->v[i]).p[0] == ':' && memchr(inner(&r->v[i]).p + 1, ':', inner(&r->v[i]).n - 1)) i++;
    while (i < to && r->v[i].blank) i++;
    return i;
}

static void put_list_table(rst *r, size_t from, size_t to)
{
    qn_arena a = {0};
    qn_doc_row *rows = QN_ARENA_NEW_N(&a, qn_doc_row, to - from + 1);
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        qn_str s = inner(&r->v[i]);
        qn_buf b = {0};
        bool row = qn_str_starts(s, QN_STR("* -")), cell = row || qn_str_starts(s, QN_STR("- ")) || qn_str_is(s, "-");
        if (row) { rows[n] = (qn_doc_row){ QN_ARENA_NEW_N(&a, qn_str, 64), 0 }; n++; s = qn_str_trim(qn_str_sub(s, 3, s.n)); }
        else if (cell) s = qn_str_trim(qn_str_sub(s, 1, s.n));
        if (n == 0) continue;
        qn_doc_row *last = &rows[n - 1];
        if (!cell && last->n) { qn_buf_str(&b, last->cells[last->n - 1]); qn_buf_putc(&b, ' '); }
        put_inline(s, &b);
        if (cell && last->n < 64) last->n++;
        if (last->n) last->cells[last->n - 1] = qn_arena_str(&a, qn_buf_view(&b));
        qn_buf_free(&b);
    }
    qn_doc_table(r->b, rows, n);
    qn_arena_free(&a);
}

static void put_directive(rst *r, qn_str name, qn_str argument, size_t from, size_t to)
{
    size_t body = skip_options(r, from, to);
    if (in_list("code-block code sourcecode literalinclude highlight prompt console", name)) {
        if (body < to) put_code(r, body, to, argument);
        return;
    }
    if (in_list("toctree contents include raw image figure index only highlight-lang meta default-role module currentmodule autoclass automodule tags", name)) return;
    if (in_list("list-table", name)) { put_list_table(r, body, to); return; }
    if (in_list("note warning tip important caution danger attention hint error seealso versionadded versionchanged deprecated admonition rubric topic sidebar todo", name)) {
        qn_doc_begin(r->b, QN_BLOCK_PARA, 0);
        if (in_list("versionadded versionchanged deprecated", name)) qn_buf_puts(&r->b->text, name.p[0] == 'd' ? "Deprecated since" : name.p[7] == 'a' ? "Added in" : "Changed in");
        else if (!in_list("admonition rubric topic sidebar", name)) qn_buf_printf(&r->b->text, "%c%.*s:", toupper((unsigned char)name.p[0]), (int)name.n - 1, name.p + 1);
        r->b->gap = true;
        put_text(r, argument);
        size_t first = body;
        while (first < to && !r->v[first].blank) put_text(r, inner(&r->v[first++]));     /* its first paragraph stays with it */
        qn_doc_end(r->b);
        parse(r, first, to);
        return;
    }
    if (argument.n && memchr(name.p, ':', name.n)) {           /* c:function:: int f(void): a description of f */
        qn_doc_begin(r->b, QN_BLOCK_PARA, 0);
        qn_buf_putc(&r->b->text, '`');
        qn_doc_words(r->b, argument);
        r->b->gap = false;
        qn_buf_putc(&r->b->text, '`');
        qn_doc_end(r->b);
    } else if (argument.n) {
        qn_doc_begin(r->b, QN_BLOCK_PARA, 0);
        put_text(r, argument);
        qn_doc_end(r->b);
    }
    parse(r, body, to);
}

/* An explicit markup block at i (".. something"): the index behind it. */
static size_t explicit_markup(rst *r, size_t i, size_t to)
{
    const line *l = &r->v[i];
    size_t end = indented_end(r, i + 1, to, l->indent + 1);
    qn_str s = qn_str_trim(qn_str_sub(inner(l), 2, inner(l).n));
    ptrdiff_t colons = qn_str_find(s, QN_STR("::"));
    if (s.n && s.p[0] != '_' && s.p[0] != '|' && s.p[0] != '[' && colons > 0) {
        qn_str name = qn_str_sub(s, 0, (size_t)colons);
        if (!memchr(name.p, ' ', name.n)) put_directive(r, name, qn_str_trim(qn_str_sub(s, (size_t)colons + 2, s.n)), i + 1, end);
    } else if (s.n && s.p[0] == '[') {                          /* a footnote or citation */
        qn_doc_begin(r->b, QN_BLOCK_PARA, 0);
        put_text(r, s);
        for (size_t k = i + 1; k < end; k++) put_text(r, inner(&r->v[k]));
        qn_doc_end(r->b);
    }
    return end;
}

/* ---- tables ---- */
static bool grid_border(qn_str s)
{
    if (s.n < 3 || s.p[0] != '+' || s.p[s.n - 1] != '+') return false;
    for (size_t i = 0; i < s.n; i++) if (!qn_char_in(s.p[i], "+-=")) return false;
    return true;
}

static bool simple_border(qn_str s)
{
    bool gap = false;
    if (s.n < 3 || s.p[0] != '=') return false;
    for (size_t i = 0; i < s.n; i++) { if (s.p[i] != '=' && s.p[i] != ' ') return false; gap = gap || s.p[i] == ' '; }
    return gap;
}

static void cell_add(qn_doc_row *row, size_t c, qn_str s, qn_arena *a)
{
    qn_buf b = {0};
    s = qn_str_trim(s);
    if (s.n == 0) return;
    if (row->cells[c].n) { qn_buf_str(&b, row->cells[c]); qn_buf_putc(&b, ' '); }
    put_inline(s, &b);
    row->cells[c] = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
}

static size_t put_grid(rst *r, size_t i, size_t to)
{
    qn_arena a = {0};
    size_t end = i, n = 0, width = 0, at[65];
    qn_str border = inner(&r->v[i]);
    while (end < to && !r->v[end].blank && qn_char_in(inner(&r->v[end]).p[0], "+|")) end++;
    for (size_t k = 0; k < border.n && width < 65; k++) if (border.p[k] == '+') at[width++] = k;
    qn_doc_row *rows = QN_ARENA_NEW_N(&a, qn_doc_row, end - i + 1);
    for (size_t k = i; k < end && width > 1; k++) {
        qn_str s = inner(&r->v[k]);
        if (s.p[0] == '+') {
            if (k + 1 < end) { rows[n] = (qn_doc_row){ QN_ARENA_NEW_N(&a, qn_str, width), width - 1 }; n++; }
            continue;
        }
        size_t c = 0, from = 1;
        for (size_t p = 1; p < s.n && c + 1 < width && n; p++) {
            if (s.p[p] != '|') continue;
            while (c + 2 < width && at[c + 1] < p && at[c + 1] < from) c++;
            cell_add(&rows[n - 1], c, qn_str_sub(s, from, p), &a);
            c++;
            from = p + 1;
        }
    }
    qn_doc_table(r->b, rows, n);
    qn_arena_free(&a);
    return end > i ? end : i + 1;
}

/* The byte where character `at` of s begins; s.n when there are fewer. */
static size_t byte_of(qn_str s, size_t at)
{
    size_t i = 0;
    for (; i < s.n && at > 0; at--) qn_utf8_next(s, &i);
    return i;
}

static size_t put_simple(rst *r, size_t i, size_t to)
{
    qn_arena a = {0};
    size_t end = i + 1, n = 0, width = 0, from[64], n_borders = 1, indent = r->v[i].indent;
    qn_str border = inner(&r->v[i]);
    for (size_t k = 0; k < border.n && width < 64; k++) if (border.p[k] == '=' && (k == 0 || border.p[k - 1] == ' ')) from[width++] = k;
    for (; end < to; end++) {
        if (!simple_border(inner(&r->v[end]))) continue;
        n_borders++;
        if (end + 1 >= to || r->v[end + 1].blank) { end++; break; }
    }
    if (n_borders < 2) return i + 1;
    qn_doc_row *rows = QN_ARENA_NEW_N(&a, qn_doc_row, end - i + 1);
    for (size_t k = i + 1; k < end; k++) {
        qn_str s = r->v[k].s;
        if (r->v[k].blank || simple_border(inner(&r->v[k]))) continue;
        for (size_t cut = 0; cut < indent && s.n && s.p[0] == ' '; cut++) s = qn_str_sub(s, 1, s.n);
        bool goes_on = n > 0 && (s.n == 0 || s.p[0] == ' ');    /* an empty first column: the row before goes on */
        if (!goes_on) { rows[n] = (qn_doc_row){ QN_ARENA_NEW_N(&a, qn_str, width), width }; n++; }
        for (size_t c = 0; c < width; c++) {
            size_t start = byte_of(s, from[c]), stop = c + 1 < width ? byte_of(s, from[c + 1]) : s.n;
            if (start < stop) cell_add(&rows[n - 1], c, qn_str_sub(s, start, stop), &a);
        }
    }
    qn_doc_table(r->b, rows, n);
    qn_arena_free(&a);
    return end;
}

/* ---- sections, lists, paragraphs ---- */
static void put_heading(rst *r, qn_str text, char mark, bool over)
{
    int level = 0;
    while (level < r->n_levels && !(r->levels[level].mark == mark && r->levels[level].over == over)) level++;
    if (level == r->n_levels && r->n_levels < 6) { r->levels[level].mark = mark; r->levels[level].over = over; r->n_levels++; }
    if (level > 5) level = 5;
    qn_doc_begin(r->b, QN_BLOCK_HEADING, level + 1);
    put_text(r, text);
    qn_doc_end(r->b);
}

/* Bytes of an item's mark ("- ", "12. ", "#. "), 0 when the line begins none. */
static size_t mark_of(qn_str s)
{
    size_t d = 0;
    if (s.n >= 2 && qn_char_in(s.p[0], "-*+") && s.p[1] == ' ') return 2;
    if (s.n >= 3 && s.p[0] == '#' && s.p[1] == '.' && s.p[2] == ' ') return 3;
    while (d < s.n && isdigit((unsigned char)s.p[d])) d++;
    return d && d < 4 && d + 1 < s.n && (s.p[d] == '.' || s.p[d] == ')') && s.p[d + 1] == ' ' ? d + 2 : 0;
}

static size_t put_list(rst *r, size_t i, size_t to)
{
    qn_doc_b *b = r->b;
    size_t base = r->v[i].indent, number = 0;
    qn_doc_begin(b, QN_BLOCK_LIST, 0);
    while (i < to) {
        if (r->v[i].blank) { i++; continue; }
        size_t mark = mark_of(inner(&r->v[i])), depth = (r->v[i].indent - base) / 2;
        if (r->v[i].indent < base || (r->v[i].indent == base && !mark)) break;
        qn_str s = inner(&r->v[i]);
        if (qn_str_starts(s, QN_STR(".. ")) || (s.n > 2 && qn_str_ends(s, QN_STR("::")))) break;   /* code inside: the rest is parsed as blocks */
        if (mark) {
            if (b->text.n > b->blocks[b->n].start) qn_buf_putc(&b->text, '\n');
            for (size_t k = 0; k < depth && k < 8; k++) qn_buf_puts(&b->text, "  ");
            if (s.p[0] == '#') qn_buf_printf(&b->text, "%zu. ", ++number);
            else if (isdigit((unsigned char)s.p[0])) qn_buf_put(&b->text, s.p, mark);
            else qn_buf_puts(&b->text, "- ");
            b->gap = false;
            s = qn_str_sub(s, mark, s.n);
        }
        put_text(r, s);
        i++;
    }
    qn_doc_end(b);
    return i;
}

static size_t put_paragraph(rst *r, size_t i, size_t to)
{
    size_t from = i, indent = r->v[i].indent;
    bool code = false;
    qn_buf text = {0};                                          /* a role or a link may go over a line's end */
    for (; i < to && !r->v[i].blank; i++) {
        if (i > from && r->v[i].indent != indent && r->v[i].indent < indent) break;
        if (i > from && qn_str_starts(inner(&r->v[i]), QN_STR(".. "))) break;
        qn_str s = inner(&r->v[i]);
        bool last = i + 1 >= to || r->v[i + 1].blank;
        if (last && qn_str_ends(s, QN_STR("::"))) { code = true; s.n -= s.n > 2 && s.p[s.n - 3] != ' ' ? 1 : 2; }
        if (text.n) qn_buf_putc(&text, '\n');
        qn_buf_str(&text, s);
    }
    qn_doc_begin(r->b, QN_BLOCK_PARA, 0);
    put_text(r, qn_buf_view(&text));
    qn_doc_end(r->b);
    qn_buf_free(&text);
    if (!code) return i;
    while (i < to && r->v[i].blank) i++;
    size_t end = indented_end(r, i, to, indent + 1);
    if (end > i) put_code(r, i, end, QN_STR(""));
    return end > i ? end : i;
}

static size_t parse_one(rst *r, size_t i, size_t to)
{
    const line *l = &r->v[i];
    qn_str s = inner(l);
    if (s.n >= 2 && s.p[0] == '.' && s.p[1] == '.' && (s.n == 2 || s.p[2] == ' ')) return explicit_markup(r, i, to);
    char rule = rule_of(l);
    if (rule && s.n >= 3 && i + 2 < to && !r->v[i + 1].blank && rule_of(&r->v[i + 2]) == rule) {
        put_heading(r, inner(&r->v[i + 1]), rule, true);
        return i + 3;
    }
    if (grid_border(s)) return put_grid(r, i, to);
    if (simple_border(s)) return put_simple(r, i, to);
    char under = i + 1 < to && l->indent == 0 && !rule ? rule_of(&r->v[i + 1]) : 0;
    if (under && r->v[i + 1].s.n + 2 >= qn_utf8_count(s) && r->v[i + 1].s.n >= 2 && !(r->v[i + 1].s.n == 2 && under == ':')) {
        put_heading(r, s, under, false);
        return i + 2;
    }
    if (rule && s.n >= 4) return i + 1;                         /* a line across */
    return mark_of(s) ? put_list(r, i, to) : put_paragraph(r, i, to);
}

static void parse(rst *r, size_t from, size_t to)
{
    if (r->depth >= MOST_DEPTH) { if (from < to) put_code(r, from, to, QN_STR("")); return; }
    r->depth++;
    for (size_t i = from; i < to;) {
        if (r->v[i].blank) { i++; continue; }
        size_t next = parse_one(r, i, to);
        i = next > i ? next : i + 1;
    }
    r->depth--;
}

static qn_code doc(qn_str bytes, const char *path, const qn_read_opts *o, qn_arena *a, qn_doc *out, qn_err *e)
{
    const char *encoding;
    qn_str text;
    qn_doc_b b;
    (void)path;
    QN_TRY(qn_text_decode(bytes, o ? o->encoding : NULL, a, &text, &encoding, e));
    qn_doc_init(&b, a);
    rst r = { .b = &b };
    r.v = lines_of(text, a, &r.n);
    parse(&r, 0, r.n);
    b.licence = qn_arena_str(a, qn_spdx_of(text));
    if (strcmp(encoding, "UTF-8") != 0) qn_doc_warn(&b, "encoding %s: %s", o && o->encoding ? "given" : "found", encoding);
    qn_doc_finish(&b, out);
    return QN_OK;
}

const qn_format qn_format_rst = { .name = "rst", .exts = "rst rest", .brief = "reStructuredText", .doc = doc };
