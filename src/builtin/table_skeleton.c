/* table_skeleton: sketches as short lines of marks, and back (declared in table_link.h). */
#include "builtin/table_link.h"
#include "text/words.h"

/* ---- writing ---- */
static void put(qn_buf *b, const char *w)
{
    if (b->n) qn_buf_putc(b, ' ');
    qn_buf_puts(b, w);
}
static bool put_col(qn_buf *b, int c)
{
    char m[3] = { 'C', (char)('A' + c), 0 };
    if (c < 0 || c >= QN_LINK_COLS) return false;
    put(b, m);
    return true;
}
static bool put_value(qn_buf *b, int k)
{
    char m[3] = { 'V', (char)('A' + k), 0 };
    put(b, m);
    return true;
}

/* Marks where a value is used already, so that equal numbers are told apart by their order. */
static bool put_text(const qn_link *l, int col, qn_str text, unsigned *used, qn_buf *b)
{
    for (int k = 0; k < l->n_values; k++) {
        qn_str cell;
        if (*used >> k & 1 || !qn_link_cell(l, k, col, &cell) || !qn_str_eq(cell, text)) continue;
        *used |= 1u << k;
        return put_value(b, k);
    }
    return false;
}
static bool put_number(const qn_link *l, double x, unsigned *used, qn_buf *b)
{
    for (int k = 0; k < l->n_values; k++) {
        const qn_link_span *s = &l->spans[l->values[k]];
        if (*used >> k & 1 || !s->number || s->num != x) continue;
        *used |= 1u << k;
        return put_value(b, k);
    }
    return false;
}

static bool same_rows(const qn_table_view *v, const qn_cond *a, const qn_cond *b)
{
    for (size_t r = 0; r < v->n_rows; r++) if (qn_cond_met(v, a, r) != qn_cond_met(v, b, r)) return false;
    return true;
}

/* The first value that is not used and says the condition; -1: none. */
static int says_cond(const qn_link *l, const qn_cond *c, unsigned used)
{
    qn_cond whole = *c, said;
    if (c->op == '!') whole.op = '=';
    for (int k = 0; k < l->n_values; k++) {
        if (used >> k & 1) continue;
        if (qn_cond_is_text(c)) {
            if (c->op == '~' ? !qn_link_cond(l, k, c->col, false, &said) : !qn_link_cell(l, k, c->col, &said.text)) continue;
            if (c->op != '~' ? qn_str_eq(said.text, whole.text) : same_rows(l->v, &said, &whole)) return k;
        } else if (l->spans[l->values[k]].number && l->spans[l->values[k]].num == c->lo) return k;
    }
    return -1;
}

/* The first value that says the cell or the number; QN_LINK_VALUES: none. */
static int place_of(const qn_link *l, int col, qn_str text, double x)
{
    for (int k = 0; k < l->n_values; k++) {
        const qn_link_span *s = &l->spans[l->values[k]];
        qn_str cell;
        if (text.p ? qn_link_cell(l, k, col, &cell) && qn_str_eq(cell, text) : s->number && s->num == x) return k;
    }
    return QN_LINK_VALUES;
}
static int place_of_cond(const qn_link *l, const qn_cond *c) { int k = says_cond(l, c, 0); return k < 0 ? QN_LINK_VALUES : k; }

/* In the order in which the question says them: what is to be learned has one form. */
static bool put_conds(const qn_link *l, const qn_sketch *s, unsigned *used, qn_buf *b)
{
    bool turn = s->n_conds == 2 && place_of_cond(l, &s->conds[0]) > place_of_cond(l, &s->conds[1]);
    for (int i = 0; i < s->n_conds; i++) {
        const qn_cond *c = &s->conds[turn ? 1 - i : i];
        int k = says_cond(l, c, *used);
        if (k < 0) return false;
        *used |= 1u << k;
        put_value(b, k);
        if (c->op == 'b' && !put_number(l, c->hi, used, b)) return false;
        if (!put_col(b, c->col)) return false;
        if (c->op != '=' && c->op != '~') put(b, c->op == '!' ? "!" : c->op == '<' ? "<" : c->op == '>' ? ">" : c->op == 'l' ? "<=" : c->op == 'g' ? ">=" : "in");
    }
    if (s->either) put(b, "or");
    return true;
}

static bool put_two(const qn_link *l, int key, const qn_sketch *s, unsigned *used, qn_buf *b)
{
    bool turn = place_of(l, key, s->a, 0) > place_of(l, key, s->b, 0);
    return put_text(l, key, turn ? s->b : s->a, used, b) && put_col(b, key) && put_text(l, key, turn ? s->a : s->b, used, b);
}

static bool put_named(const qn_link *l, int key, qn_str name, unsigned *used, qn_buf *b) { return put_text(l, key, name, used, b) && put_col(b, key); }

bool qn_skeleton_write(const qn_link *l, const qn_sketch *s, qn_buf *out)
{
    qn_buf b = { 0 };
    unsigned used = 0;
    int key = qn_sketch_key(l->v, s), t = s->target, by = s->by;
    bool ok = true;
    switch (s->form) {
    case QN_FORM_SELECT: put(&b, "which"); ok = put_col(&b, t) && put_named(l, key, s->a, &used, &b); break;
    case QN_FORM_SELECT_WHERE: case QN_FORM_WHICH: case QN_FORM_LIST: put(&b, "which"); ok = put_col(&b, t) && put_conds(l, s, &used, &b); break;
    case QN_FORM_COUNT: put(&b, "count"); ok = put_conds(l, s, &used, &b); break;
    case QN_FORM_COUNT_ALL: put(&b, "rows"); break;
    case QN_FORM_COUNT_DISTINCT: put(&b, "distinct"); ok = put_col(&b, t); break;
    case QN_FORM_EXTREME: put(&b, s->desc ? "max" : "min"); ok = put_col(&b, by) && put_conds(l, s, &used, &b); break;
    case QN_FORM_ARGEXTREME: case QN_FORM_ARGOTHER: case QN_FORM_FIRST: case QN_FORM_LAST:
        put(&b, s->desc ? "most" : "least"); ok = put_col(&b, t) && put_col(&b, by) && put_conds(l, s, &used, &b); break;
    case QN_FORM_COMMON: put(&b, s->desc ? "common" : "rare"); ok = put_col(&b, t); break;
    case QN_FORM_SUM: put(&b, "sum"); ok = put_col(&b, by) && put_conds(l, s, &used, &b); break;
    case QN_FORM_AVERAGE: put(&b, "mean"); ok = put_col(&b, by) && put_conds(l, s, &used, &b); break;
    case QN_FORM_DIFFERENCE: put(&b, "diff"); ok = put_col(&b, by) && put_two(l, key, s, &used, &b); break;
    case QN_FORM_COMPARE: put(&b, s->desc ? "more" : "less"); ok = put_col(&b, by) && put_two(l, key, s, &used, &b); break;
    case QN_FORM_NEXT: case QN_FORM_PREVIOUS: put(&b, s->form == QN_FORM_NEXT ? "next" : "prior"); ok = put_col(&b, t) && put_col(&b, by) && put_named(l, key, s->a, &used, &b); break;
    case QN_FORM_ROW_FIRST: case QN_FORM_ROW_LAST: put(&b, s->form == QN_FORM_ROW_FIRST ? "first" : "last"); ok = put_col(&b, t) && put_conds(l, s, &used, &b); break;
    case QN_FORM_ROW_NEXT: case QN_FORM_ROW_PREVIOUS: put(&b, s->form == QN_FORM_ROW_NEXT ? "behind" : "before"); ok = put_col(&b, t) && put_named(l, key, s->a, &used, &b); break;
    case QN_FORM_SAME: put(&b, "same"); ok = put_col(&b, t) && put_col(&b, by) && put_named(l, key, s->a, &used, &b); break;
    case QN_FORM_TOP: put(&b, s->desc ? "top" : "bottom"); ok = put_col(&b, t) && put_col(&b, by) && put_number(l, s->n, &used, &b); break;
    case QN_N_FORMS: ok = false;
    }
    if (ok) qn_buf_str(out, qn_buf_view(&b));
    qn_buf_free(&b);
    return ok;
}

/* ---- reading ---- */
typedef struct { const qn_link *l; qn_words it; qn_str word; bool more, mend; qn_err *e; } reader;

static void step(reader *r) { r->more = qn_words_next(&r->it, &r->word); }

static bool is_mark(const reader *r, char kind) { return r->more && r->word.n == 2 && r->word.p[0] == kind && r->word.p[1] >= 'A' && r->word.p[1] <= 'Z'; }

static qn_code col(reader *r, int *c)
{
    if (!is_mark(r, 'C') || r->word.p[1] - 'A' >= (int)r->l->v->n_cols || r->word.p[1] - 'A' >= QN_LINK_COLS)
        return qn_fail(r->e, QN_EDATA, "`%.*s` is no column of the table", QN_FMT(r->more ? r->word : QN_STR("(end)")));
    *c = r->word.p[1] - 'A';
    step(r);
    return QN_OK;
}

static qn_code value(reader *r, int *k)
{
    if (!is_mark(r, 'V') || r->word.p[1] - 'A' >= r->l->n_values)
        return qn_fail(r->e, QN_EDATA, "`%.*s` is no value of the question", QN_FMT(r->more ? r->word : QN_STR("(end)")));
    *k = r->word.p[1] - 'A';
    step(r);
    return QN_OK;
}

/* Of the columns in which value k was found the first that says a condition, or one cell alone; the column as it is when there is none. */
static int column_of(const reader *r, int k, int c, bool cell)
{
    const qn_link_span *s = &r->l->spans[r->l->values[k]];
    qn_str text;
    qn_cond cond;
    for (int i = -1; r->mend && i < s->n_cols; i++) {
        int at = i < 0 ? c : s->cols[i];
        if (cell ? qn_link_cell(r->l, k, at, &text) : qn_link_cond(r->l, k, at, false, &cond)) return at;
    }
    return c;
}

static qn_code cell_of(reader *r, int k, int c, qn_str *cell)
{
    if (!qn_link_cell(r->l, k, c, cell)) return qn_fail(r->e, QN_EDATA, "no cell of column C%c is what V%c says", 'A' + c, 'A' + k);
    return QN_OK;
}

static qn_code number_of(reader *r, int k, double *x)
{
    const qn_link_span *s = &r->l->spans[r->l->values[k]];
    if (!s->number) return qn_fail(r->e, QN_EDATA, "V%c is no number", 'A' + k);
    *x = s->num;
    return QN_OK;
}

static qn_code numeric(reader *r, int *c)
{
    QN_TRY(col(r, c));
    if (!r->l->v->cols[*c].num && r->mend) return QN_OK;
    if (!r->l->v->cols[*c].num) return qn_fail(r->e, QN_EDATA, "column C%c has no numbers", 'A' + *c);
    return QN_OK;
}

static qn_code conds(reader *r, qn_sketch *s)
{
    static const struct { const char *word; char op; } OPS[] = { { "!", '!' }, { "<", '<' }, { ">", '>' }, { "<=", 'l' }, { ">=", 'g' }, { "in", 'b' } };
    while (r->more) {
        int k = 0, k2 = -1;
        if (s->n_conds == 2 && qn_str_is(r->word, "or")) {
            s->either = true;
            step(r);
            break;
        }
        if (s->n_conds == 2) return qn_fail(r->e, QN_EDATA, "more than two conditions");
        qn_cond *c = &s->conds[s->n_conds++];
        QN_TRY(value(r, &k));
        if (is_mark(r, 'V')) QN_TRY(value(r, &k2));
        QN_TRY(col(r, &c->col));
        c->op = '=';
        for (size_t i = 0; i < sizeof OPS / sizeof *OPS; i++) if (r->more && qn_str_is(r->word, OPS[i].word)) c->op = OPS[i].op;
        if (c->op != '=') step(r);
        if ((c->op == 'b') != (k2 >= 0)) return qn_fail(r->e, QN_EDATA, "two values need `in`, and `in` two values");
        if (c->op == '!') { c->col = column_of(r, k, c->col, true); QN_TRY(cell_of(r, k, c->col, &c->text)); continue; }
        if (c->op == '=') {
            bool says = qn_link_cond(r->l, k, column_of(r, k, c->col, false), r->mend, c);
            if (!says && r->mend) { s->n_conds--; continue; }
            if (!says) return qn_fail(r->e, QN_EDATA, "no cell of column C%c is or has what V%c says", 'A' + c->col, 'A' + k);
            continue;
        }
        if (!r->l->v->cols[c->col].num) return qn_fail(r->e, QN_EDATA, "column C%c has no numbers", 'A' + c->col);
        QN_TRY(number_of(r, k, &c->lo));
        if (k2 >= 0) QN_TRY(number_of(r, k2, &c->hi));
    }
    return QN_OK;
}

static qn_code named(reader *r, qn_sketch *s)
{
    int k = 0, key = 0;
    QN_TRY(value(r, &k));
    QN_TRY(col(r, &key));
    key = column_of(r, k, key, true);
    s->named = key + 1;
    return cell_of(r, k, key, &s->a);
}

static double number_in_row(const qn_table_view *v, int key, qn_str name, int by)
{
    for (size_t r = 0; r < v->n_rows && v->cols[by].num; r++) if (qn_str_eq(qn_table_cell(v, r, key), name)) return v->cols[by].num[r];
    return 0;
}

/* A difference is taken from the larger one, whichever the question says first. */
static qn_code second(reader *r, qn_sketch *s)
{
    int k = 0, key = s->named - 1;
    QN_TRY(value(r, &k));
    QN_TRY(cell_of(r, k, key, &s->b));
    if (s->form == QN_FORM_COMPARE) s->target = key;
    else if (number_in_row(r->l->v, key, s->a, s->by) < number_in_row(r->l->v, key, s->b, s->by)) { qn_str t = s->a; s->a = s->b; s->b = t; }
    return QN_OK;
}

/* What stands behind each word; `form`s that share a shape share a row of letters: T target, B by (numbers), A by (any), K a named row,
 * E a second one, N how many, C conditions. */
static const struct { const char *word; qn_form form; bool desc; const char *shape; } WORDS[] = {
    { "which", QN_FORM_LIST, false, "TC" }, { "count", QN_FORM_COUNT, false, "C" }, { "rows", QN_FORM_COUNT_ALL, false, "" }, { "distinct", QN_FORM_COUNT_DISTINCT, false, "T" },
    { "max", QN_FORM_EXTREME, true, "BC" }, { "min", QN_FORM_EXTREME, false, "BC" }, { "sum", QN_FORM_SUM, false, "BC" }, { "mean", QN_FORM_AVERAGE, false, "BC" },
    { "most", QN_FORM_ARGEXTREME, true, "TBC" }, { "least", QN_FORM_ARGEXTREME, false, "TBC" }, { "common", QN_FORM_COMMON, true, "T" }, { "rare", QN_FORM_COMMON, false, "T" },
    { "diff", QN_FORM_DIFFERENCE, false, "BKE" }, { "more", QN_FORM_COMPARE, true, "BKE" }, { "less", QN_FORM_COMPARE, false, "BKE" }, { "next", QN_FORM_NEXT, false, "TBK" },
    { "prior", QN_FORM_PREVIOUS, false, "TBK" }, { "first", QN_FORM_ROW_FIRST, false, "TC" }, { "last", QN_FORM_ROW_LAST, false, "TC" }, { "behind", QN_FORM_ROW_NEXT, false, "TK" },
    { "before", QN_FORM_ROW_PREVIOUS, false, "TK" }, { "same", QN_FORM_SAME, false, "TAK" }, { "top", QN_FORM_TOP, true, "TBN" }, { "bottom", QN_FORM_TOP, false, "TBN" },
};

static qn_code how_many(reader *r, qn_sketch *s)
{
    int k = 0;
    double n = 0;
    QN_TRY(value(r, &k));
    QN_TRY(number_of(r, k, &n));
    s->n = (int)n;
    return n >= 1 && n <= 100 ? QN_OK : qn_fail(r->e, QN_EDATA, "%g rows are asked for", n);
}

static qn_code part(reader *r, char what, qn_sketch *s)
{
    switch (what) {
    case 'T': return col(r, &s->target);
    case 'A': return col(r, &s->by);
    case 'B': return numeric(r, &s->by);
    case 'K': return named(r, s);
    case 'E': return second(r, s);
    case 'N': return how_many(r, s);
    default: return conds(r, s);
    }
}

/* The largest of a column without numbers: what stands there most often is meant where values repeat, else the last row (of the smallest the first). */
static qn_code mend_order(const qn_link *l, qn_sketch *s, qn_err *e)
{
    const qn_table_col *t = s->target >= 0 ? &l->v->cols[s->target] : NULL;
    if (s->by < 0 || l->v->cols[s->by].num || s->form == QN_FORM_SAME) return QN_OK;
    if (s->form != QN_FORM_ARGEXTREME || !t) return qn_fail(e, QN_EDATA, "column C%c has no numbers", 'A' + s->by);
    s->form = t->n_values < l->v->n_rows - t->n_missing ? QN_FORM_COMMON : s->desc ? QN_FORM_ROW_LAST : QN_FORM_ROW_FIRST;
    s->by = -1;
    return QN_OK;
}

static qn_code read_line(const qn_link *l, qn_str text_, bool mend, qn_sketch *s, qn_err *e)
{
    reader r = { .l = l, .it = qn_words_of(text_, QN_WORDS_SPACED), .mend = mend, .e = e };
    size_t w = 0;
    step(&r);
    while (w < sizeof WORDS / sizeof *WORDS && !(r.more && qn_str_is(r.word, WORDS[w].word))) w++;
    if (w == sizeof WORDS / sizeof *WORDS) return qn_fail(e, QN_EDATA, "`%.*s` is no kind of query", QN_FMT(r.more ? r.word : QN_STR("")));
    step(&r);
    *s = (qn_sketch){ .form = WORDS[w].form, .desc = WORDS[w].desc, .target = -1, .by = -1 };
    for (const char *p = WORDS[w].shape; *p; p++) QN_TRY(part(&r, *p, s));
    if (r.more) return qn_fail(e, QN_EDATA, "`%.*s` stands behind the query", QN_FMT(r.word));
    if (s->target < 0 && s->by >= 0) s->target = s->by;
    return mend ? mend_order(l, s, e) : QN_OK;
}

qn_code qn_skeleton_read(const qn_link *l, qn_str text, qn_sketch *s, qn_err *e) { return read_line(l, text, false, s, e); }
qn_code qn_skeleton_mend(const qn_link *l, qn_str text, qn_sketch *s, qn_err *e) { return read_line(l, text, true, s, e); }
