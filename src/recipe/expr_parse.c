/* expr_parse: from text to nodes, by recursive descent. Loosest first, as in jq:
 *
 *   pipe   a | b          term as $x | body         right
 *   comma  a , b                                    results of both, in order
 *   alt    a // b                                   right
 *   or, and                                         left
 *   == != < <= > >=                                 do not chain
 *   + -      * / %                                  left
 *   -a       a.name  a[..]  a?                      postfix
 *
 * Wider than jq 1.6 in three places, as jq 1.7 is: `if` without `else`, operators in the values of { }, keywords as names of fields. */
#include "recipe/expr_node.h"
#include <stdio.h>

typedef struct {
    qn_xlex   lx;
    qn_xtok   tok;                      /* the next one */
    size_t    last;                     /* end of the token before it */
    qn_arena *a;
    qn_expr  *x;
    qn_err   *e;
    int       nesting;
    struct { qn_str name; uint32_t slot; } vars[64];
    size_t    n_vars;
} parser;

static qn_code pipe(parser *p, qn_xnode **out);
static qn_code alternative(parser *p, qn_xnode **out);
static qn_code postfix(parser *p, qn_xnode **out);

/* ---- making nodes ---- */
static bool kids_one(const qn_xnode *n)
{
    for (size_t i = 0; i < n->n_kids; i++)
        if (n->kid[i] && !n->kid[i]->one) return false;
    return true;
}

static bool gives_one(const qn_xnode *n)
{
    switch ((qn_xkind)n->kind) {
    case QN_X_EACH: case QN_X_TRY: case QN_X_FOREACH: return false;
    case QN_X_LIST: return true;
    case QN_X_COMMA: return false;
    case QN_X_REDUCE: return true;
    case QN_X_ALTERNATIVE: return kids_one(n);
    case QN_X_CALL: return n->fn->one && (!n->fn->strict || kids_one(n));
    default: return kids_one(n);
    }
}

static qn_code node(parser *p, qn_xkind kind, size_t from, size_t n_kids, qn_xnode *const *kids, qn_xnode **out)
{
    qn_xnode *n = QN_ARENA_NEW(p->a, qn_xnode);
    if (n_kids > UINT16_MAX) return qn_fail_at(p->e, QN_ELIMIT, qn_x_pos(p->x, from), "more than %d parts in one expression", UINT16_MAX);
    n->kind = (uint8_t)kind;
    n->from = (uint32_t)from;
    n->to = (uint32_t)p->last;
    n->n_kids = (uint16_t)n_kids;
    n->kid = QN_ARENA_NEW_N(p->a, qn_xnode *, n_kids);
    if (n_kids) memcpy(n->kid, kids, n_kids * sizeof *kids);
    for (size_t i = 0; i < n_kids; i++)
        if (kids[i] && kids[i]->depth >= n->depth) n->depth = (uint16_t)(kids[i]->depth + 1);
    if (n->depth > QN_X_TREE) return qn_fail_at(p->e, QN_ELIMIT, qn_x_pos(p->x, from), "an expression has more than %d levels", QN_X_TREE);
    if (kind != QN_X_CALL) n->one = gives_one(n);
    *out = n;
    return QN_OK;
}

static qn_code node2(parser *p, qn_xkind kind, size_t from, qn_xnode *a, qn_xnode *b, qn_xnode **out)
{
    qn_xnode *kids[2] = { a, b };
    return node(p, kind, from, 2, kids, out);
}

static qn_code literal(parser *p, size_t from, qn_value v, qn_xnode **out)
{
    QN_TRY(node(p, QN_X_LITERAL, from, 0, NULL, out));
    (*out)->literal = v;
    return QN_OK;
}

/* A growing list of nodes in the arena. */
typedef struct { qn_xnode **at; size_t n, cap; } nodes;
static void push(parser *p, nodes *l, qn_xnode *n)
{
    if (l->n == l->cap) {
        qn_xnode **more = QN_ARENA_NEW_N(p->a, qn_xnode *, l->cap = l->cap ? l->cap * 2 : 4);
        if (l->n) memcpy(more, l->at, l->n * sizeof *more);
        l->at = more;
    }
    l->at[l->n++] = n;
}

/* ---- tokens ---- */
static qn_code next(parser *p)
{
    p->last = p->tok.to;
    return qn_x_lex(&p->lx, &p->tok);
}

static bool is_word(const parser *p, const char *word) { return p->tok.kind == QN_TK_NAME && qn_str_is(p->tok.text, word); }

static qn_code unexpected(parser *p, const char *wanted)
{
    qn_pos pos = qn_x_pos(p->x, p->tok.from);
    qn_code rc = p->tok.kind == QN_TK_END ? qn_fail_at(p->e, QN_ERECIPE, pos, "the expression ends too early: %s was expected", wanted)
               : qn_fail_at(p->e, QN_ERECIPE, pos, "%s was expected, not `%.*s`", wanted, (int)(p->tok.text.n > 40 ? 40 : p->tok.text.n), p->tok.text.p);
    if (p->tok.kind == QN_TK_ASSIGN) qn_hint(p->e, "`==` compares; assignment (`=`, `|=`, `+=`) is not part of the language: write . + {name: value}");
    return rc;
}

static qn_code expect(parser *p, int kind, const char *shown)
{
    return p->tok.kind == kind ? next(p) : unexpected(p, shown);
}

static qn_code expect_word(parser *p, const char *word)
{
    char shown[32];
    if (is_word(p, word)) return next(p);
    snprintf(shown, sizeof shown, "`%s`", word);
    return unexpected(p, shown);
}

/* ---- texts ---- the opening quote is the current token; the lexer stands behind it */
static qn_code text_hole(parser *p, const qn_xfn *format, qn_xnode **out)
{
    QN_TRY(next(p));
    QN_TRY(pipe(p, out));
    if (p->tok.kind != ')') return unexpected(p, "`)` at the end of \\(...)");
    if (!format) return QN_OK;
    qn_xnode *call;
    QN_TRY(node(p, QN_X_CALL, (*out)->from, 0, NULL, &call));
    call->fn = format;
    call->one = gives_one(call);
    return node2(p, QN_X_PIPE, (*out)->from, *out, call, out);
}

static qn_code text(parser *p, const qn_xfn *format, qn_xnode **out)
{
    size_t from = p->tok.from;
    nodes pieces = {0};
    for (;;) {
        qn_str piece;
        bool hole;
        qn_xnode *n;
        QN_TRY(qn_x_lex_piece(&p->lx, p->a, &piece, &hole));
        if (piece.n || !hole) {
            p->last = p->lx.at;
            QN_TRY(literal(p, from, qn_v_text(piece), &n));
            push(p, &pieces, n);
        }
        if (!hole) break;
        QN_TRY(text_hole(p, format, &n));
        push(p, &pieces, n);
    }
    p->tok.to = p->lx.at;
    QN_TRY(next(p));
    if (pieces.n == 1 && pieces.at[0]->kind == QN_X_LITERAL) { *out = pieces.at[0]; return QN_OK; }
    return node(p, QN_X_TEXT, from, pieces.n, pieces.at, out);
}

/* ---- { } ---- */
static qn_code object_key(parser *p, qn_xnode **key, bool *may_stand_alone)
{
    size_t from = p->tok.from;
    *may_stand_alone = true;
    if (p->tok.kind == QN_TK_NAME) {
        qn_value name = qn_v_text(qn_arena_str(p->a, p->tok.text));
        QN_TRY(next(p));
        return literal(p, from, name, key);
    }
    if (p->tok.kind == QN_TK_QUOTE) return text(p, NULL, key);
    *may_stand_alone = false;
    if (p->tok.kind != '(') return unexpected(p, "a name, a \"text\" or (an expression) as the key");
    QN_TRY(next(p));
    QN_TRY(pipe(p, key));
    return expect(p, ')', "`)`");
}

static bool variable_slot(const parser *p, qn_str name, uint32_t *slot)
{
    for (size_t i = p->n_vars; i-- > 0;)
        if (qn_str_eq(p->vars[i].name, name)) { *slot = p->vars[i].slot; return true; }
    return false;
}

static qn_code variable(parser *p, qn_xnode **out)
{
    uint32_t slot;
    if (!variable_slot(p, p->tok.text, &slot)) {
        qn_code rc = qn_fail_at(p->e, QN_ERECIPE, qn_x_pos(p->x, p->tok.from), "no variable is called `$%.*s` here", QN_FMT(p->tok.text));
        qn_hint(p->e, "bind one with `... as $%.*s | ...`; a parameter of the recipe must be declared under `params:`",
                QN_FMT(p->tok.text));
        return rc;
    }
    qn_str name = qn_arena_str(p->a, p->tok.text);
    size_t from = p->tok.from;
    QN_TRY(next(p));
    QN_TRY(node(p, QN_X_VARIABLE, from, 0, NULL, out));
    (*out)->slot = slot;
    (*out)->name = name;
    return QN_OK;
}

static qn_code field_of(parser *p, size_t from, qn_xnode *base, qn_str name, qn_xnode **out)
{
    QN_TRY(node(p, QN_X_FIELD, from, 1, &base, out));
    (*out)->name = name;
    return QN_OK;
}

static qn_code object_pair(parser *p, nodes *parts)
{
    qn_xnode *key, *value, *self;
    bool alone;
    if (p->tok.kind == QN_TK_VARIABLE) {                            /* {$x} is {x: $x} */
        QN_TRY(variable(p, &value));
        QN_TRY(literal(p, value->from, qn_v_text(value->name), &key));
    } else {
        QN_TRY(object_key(p, &key, &alone));
        if (p->tok.kind == ':') {
            QN_TRY(next(p));
            QN_TRY(alternative(p, &value));
            while (p->tok.kind == '|') {
                qn_xnode *right;
                QN_TRY(next(p));
                QN_TRY(alternative(p, &right));
                QN_TRY(node2(p, QN_X_PIPE, value->from, value, right, &value));
            }
        } else if (alone && key->kind == QN_X_LITERAL) {            /* {a} is {a: .a} */
            QN_TRY(node(p, QN_X_SELF, key->from, 0, NULL, &self));
            QN_TRY(field_of(p, key->from, self, qn_v_str(key->literal), &value));
        } else {
            return unexpected(p, "`:`");
        }
    }
    push(p, parts, key);
    push(p, parts, value);
    return QN_OK;
}

static qn_code object(parser *p, qn_xnode **out)
{
    size_t from = p->tok.from;
    nodes parts = {0};
    QN_TRY(next(p));
    while (p->tok.kind != '}') {
        QN_TRY(object_pair(p, &parts));
        if (p->tok.kind != ',') break;
        QN_TRY(next(p));
    }
    QN_TRY(expect(p, '}', "`,` or `}`"));
    return node(p, QN_X_OBJECT, from, parts.n, parts.at, out);
}

/* ---- words ---- */
static qn_code if_tail(parser *p, size_t from, qn_xnode **out)      /* behind `if` or `elif` */
{
    qn_xnode *part[3];
    if (++p->nesting > QN_X_NESTING) return qn_fail_at(p->e, QN_ELIMIT, qn_x_pos(p->x, from), "an expression is nested deeper than %d levels", QN_X_NESTING);
    QN_TRY(pipe(p, &part[0]));
    QN_TRY(expect_word(p, "then"));
    QN_TRY(pipe(p, &part[1]));
    if (is_word(p, "elif")) {
        size_t at = p->tok.from;
        QN_TRY(next(p));
        QN_TRY(if_tail(p, at, &part[2]));
    } else if (is_word(p, "else")) {
        QN_TRY(next(p));
        QN_TRY(pipe(p, &part[2]));
        QN_TRY(expect_word(p, "end"));
    } else {
        QN_TRY(expect_word(p, "end"));
        QN_TRY(node(p, QN_X_SELF, p->last, 0, NULL, &part[2]));
    }
    p->nesting--;
    return node(p, QN_X_IF, from, 3, part, out);
}

static qn_code bind(parser *p, uint32_t *slot)                      /* $name behind `as` */
{
    if (p->tok.kind != QN_TK_VARIABLE) return unexpected(p, "a $name");
    if (p->n_vars >= sizeof p->vars / sizeof *p->vars)
        return qn_fail_at(p->e, QN_ELIMIT, qn_x_pos(p->x, p->tok.from), "more than %zu variables at one place", sizeof p->vars / sizeof *p->vars);
    *slot = p->x->n_slots++;
    p->vars[p->n_vars].name = qn_arena_str(p->a, p->tok.text);
    p->vars[p->n_vars++].slot = *slot;
    return next(p);
}

/* reduce SOURCE as $x (START; UPDATE)   foreach SOURCE as $x (START; UPDATE[; EXTRACT]) */
static qn_code fold(parser *p, qn_xkind kind, qn_xnode **out)
{
    size_t from = p->tok.from, n = 3;
    qn_xnode *part[4];
    uint32_t slot;
    QN_TRY(next(p));
    size_t outer = p->n_vars;
    QN_TRY(postfix(p, &part[0]));
    QN_TRY(expect_word(p, "as"));
    QN_TRY(bind(p, &slot));
    QN_TRY(expect(p, '(', "`(`"));
    p->n_vars--;                                                    /* the start does not see the variable */
    QN_TRY(pipe(p, &part[1]));
    p->n_vars++;
    QN_TRY(expect(p, ';', "`;`"));
    QN_TRY(pipe(p, &part[2]));
    if (kind == QN_X_FOREACH && p->tok.kind == ';') {
        QN_TRY(next(p));
        QN_TRY(pipe(p, &part[n++]));
    }
    QN_TRY(expect(p, ')', "`)`"));
    p->n_vars = outer;
    QN_TRY(node(p, kind, from, n, part, out));
    (*out)->slot = slot;
    return QN_OK;
}

static qn_code try_catch(parser *p, qn_xnode **out)
{
    size_t from = p->tok.from, n = 1;
    qn_xnode *part[2];
    QN_TRY(next(p));
    QN_TRY(postfix(p, &part[0]));
    if (is_word(p, "catch")) {
        QN_TRY(next(p));
        QN_TRY(postfix(p, &part[n++]));
    }
    return node(p, QN_X_TRY, from, n, part, out);
}

static qn_code no_such_function(parser *p, qn_str name, size_t n_args, size_t from)
{
    static const struct { const char *name, *why; } LEFT_OUT[] = {
        { "def", "own functions are not part of the language" }, { "import", "expressions read no files" }, { "include", "expressions read no files" },
        { "env", "expressions cannot read the environment" }, { "input", "an expression sees one row" }, { "inputs", "an expression sees one row" },
        { "now", "a run must not depend on the clock" }, { "recurse", "there is no recursion: name the path" },
        { "until", "there are no loops without a bound" }, { "while", "there are no loops without a bound" }, { "repeat", "there are no loops without a bound" },
        { "label", "use first(...) or limit(n; ...)" }, { "debug", "use `quern run --limit 3` and look at the rows" },
        { "walk", "there is no recursion: name the path" }, { "input_filename", "the file's name is in ._source.path" },
    };
    char counts[80];
    qn_pos pos = qn_x_pos(p->x, from);
    if (qn_x_fn_args(name, counts, sizeof counts))
        return qn_fail_at(p->e, QN_ERECIPE, pos, "`%.*s` takes %s, not %zu", QN_FMT(name), counts, n_args);
    qn_code rc = qn_fail_at(p->e, QN_ERECIPE, pos, "no function is called `%.*s`", QN_FMT(name));
    for (size_t i = 0; i < sizeof LEFT_OUT / sizeof *LEFT_OUT; i++)
        if (qn_str_is(name, LEFT_OUT[i].name)) { qn_hint(p->e, "%s", LEFT_OUT[i].why); return rc; }
    const char *near = qn_x_fn_nearest(name);
    if (near) qn_hint(p->e, "did you mean `%s`? A field is written with a point: .%.*s", near, QN_FMT(name));
    else qn_hint(p->e, "a field is written with a point: .%.*s; `quern help expressions` lists the functions", QN_FMT(name));
    return rc;
}

static qn_code compile_pattern(parser *p, qn_xnode *call)
{
    const qn_xfn *fn = call->fn;
    if (fn->regex < 0 || call->kid[fn->regex]->kind != QN_X_LITERAL || call->kid[fn->regex]->literal.kind != QN_V_TEXT) return QN_OK;
    qn_str flags = {0};
    if (call->n_kids > (size_t)fn->regex + 1) {
        const qn_xnode *f = call->kid[call->n_kids - 1];
        if (f->kind != QN_X_LITERAL || f->literal.kind == QN_V_TEXT) {
            bool is_flags = strstr(fn->args, "flags") != NULL;
            if (is_flags && f->kind != QN_X_LITERAL) return QN_OK;  /* flags are known only when it runs */
            if (is_flags) flags = qn_v_str(f->literal);
        }
    }
    qn_regex *re;
    qn_code rc = qn_regex_compile(qn_v_str(call->kid[fn->regex]->literal), flags, p->a, &re, p->e);
    if (rc != QN_OK) {
        if (p->e) p->e->pos = qn_x_pos(p->x, call->kid[fn->regex]->from);
        return rc;
    }
    call->regex = re;
    return QN_OK;
}

static qn_code call(parser *p, qn_xnode **out)
{
    size_t from = p->tok.from;
    qn_str name = p->tok.text;
    nodes args = {0};
    QN_TRY(next(p));
    if (p->tok.kind == '(') {
        do {
            qn_xnode *arg;
            QN_TRY(next(p));
            QN_TRY(pipe(p, &arg));
            push(p, &args, arg);
        } while (p->tok.kind == ';');
        if (p->tok.kind == ',') return unexpected(p, "`;` between arguments or `)`");
        QN_TRY(expect(p, ')', "`;` or `)`"));
    }
    const qn_xfn *fn = qn_x_fn_find(name, args.n);
    if (!fn) return no_such_function(p, name, args.n, from);
    QN_TRY(node(p, QN_X_CALL, from, args.n, args.at, out));
    (*out)->fn = fn;
    (*out)->one = gives_one(*out);
    return compile_pattern(p, *out);
}

static qn_code word(parser *p, qn_xnode **out)
{
    static const char *const KEYWORDS[] = { "then", "elif", "else", "end", "as", "and", "or", "catch", NULL };
    size_t from = p->tok.from;
    if (is_word(p, "if")) {
        QN_TRY(next(p));
        return if_tail(p, from, out);
    }
    if (is_word(p, "try")) return try_catch(p, out);
    if (is_word(p, "reduce")) return fold(p, QN_X_REDUCE, out);
    if (is_word(p, "foreach")) return fold(p, QN_X_FOREACH, out);
    for (size_t i = 0; KEYWORDS[i]; i++)
        if (is_word(p, KEYWORDS[i])) return unexpected(p, "a value");
    bool yes = is_word(p, "true");
    if (yes || is_word(p, "false") || is_word(p, "null")) {
        qn_value v = is_word(p, "null") ? qn_v_null() : qn_v_bool(yes);
        QN_TRY(next(p));
        return literal(p, from, v, out);
    }
    return call(p, out);
}

/* ---- terms ---- */
static qn_code primary(parser *p, qn_xnode **out)
{
    size_t from = p->tok.from;
    qn_xnode *inner = NULL;
    qn_value v = p->tok.number;
    switch (p->tok.kind) {
    case QN_TK_NUMBER: QN_TRY(next(p)); return literal(p, from, v, out);
    case QN_TK_QUOTE: return text(p, NULL, out);
    case QN_TK_NAME: return word(p, out);
    case QN_TK_VARIABLE: return variable(p, out);
    case QN_TK_FORMAT: {
        const qn_xfn *fn = qn_x_fn_find(p->tok.text, 0);
        if (!fn) return no_such_function(p, p->tok.text, 0, from);
        QN_TRY(next(p));
        if (p->tok.kind == QN_TK_QUOTE) return text(p, fn, out);
        QN_TRY(node(p, QN_X_CALL, from, 0, NULL, out));
        (*out)->fn = fn;
        (*out)->one = true;
        return QN_OK;
    }
    case QN_TK_FIELD: {
        qn_str name = qn_arena_str(p->a, p->tok.text);
        QN_TRY(next(p));
        QN_TRY(node(p, QN_X_SELF, from, 0, NULL, &inner));
        return field_of(p, from, inner, name, out);
    }
    case '.':
        QN_TRY(next(p));
        QN_TRY(node(p, QN_X_SELF, from, 0, NULL, out));
        if (p->tok.kind != QN_TK_QUOTE) return QN_OK;
        QN_TRY(text(p, NULL, &inner));
        return node2(p, QN_X_INDEX, from, *out, inner, out);
    case '(':
        QN_TRY(next(p));
        QN_TRY(pipe(p, out));
        return expect(p, ')', "`)`");
    case '[':
        QN_TRY(next(p));
        if (p->tok.kind == ']') {
            QN_TRY(next(p));
            return literal(p, from, qn_v_list(NULL, 0), out);
        }
        QN_TRY(pipe(p, &inner));
        QN_TRY(expect(p, ']', "`,` or `]`"));
        return node(p, QN_X_LIST, from, 1, &inner, out);
    case '{': return object(p, out);
    case QN_TK_DOTS: {
        qn_code rc = qn_fail_at(p->e, QN_ERECIPE, qn_x_pos(p->x, from), "`..` (all values at any depth) is not part of the language");
        qn_hint(p->e, "name the path: .a.b[]");
        return rc;
    }
    default: return unexpected(p, "a value");
    }
}

static qn_code brackets(parser *p, qn_xnode *base, qn_xnode **out)  /* at the token behind `[` */
{
    qn_xnode *part[3] = { base, NULL, NULL };
    if (p->tok.kind == ']') {
        QN_TRY(next(p));
        return node(p, QN_X_EACH, base->from, 1, &base, out);
    }
    if (p->tok.kind != ':') QN_TRY(pipe(p, &part[1]));
    if (p->tok.kind != ':') {
        QN_TRY(expect(p, ']', "`]` or `:`"));
        if (part[1]->kind == QN_X_LITERAL && part[1]->literal.kind == QN_V_TEXT)    /* .["a b"] is a field */
            return field_of(p, base->from, base, qn_v_str(part[1]->literal), out);
        return node(p, QN_X_INDEX, base->from, 2, part, out);
    }
    QN_TRY(next(p));
    if (p->tok.kind != ']') QN_TRY(pipe(p, &part[2]));
    else if (!part[1]) return unexpected(p, "a number before or behind `:`");
    QN_TRY(expect(p, ']', "`]`"));
    return node(p, QN_X_SLICE, base->from, 3, part, out);
}

/* a.b? forgives the step to b, not what fails in a: it is a | (.b)?. Where the index is an expression of its own the whole is forgiven. */
static qn_code optional(parser *p, qn_xnode *what, qn_xnode **out)
{
    qn_xnode *base = what->n_kids ? what->kid[0] : NULL, *self;
    bool step = what->kind == QN_X_FIELD || what->kind == QN_X_EACH || what->kind == QN_X_INDEX || what->kind == QN_X_SLICE;
    for (size_t i = 1; i < what->n_kids && step; i++) step = !what->kid[i] || what->kid[i]->kind == QN_X_LITERAL;
    if (!step || base->kind == QN_X_SELF) return node(p, QN_X_TRY, what->from, 1, &what, out);
    QN_TRY(node(p, QN_X_SELF, what->from, 0, NULL, &self));
    what->kid[0] = self;
    what->one = gives_one(what);
    QN_TRY(node(p, QN_X_TRY, what->from, 1, &what, out));
    return node2(p, QN_X_PIPE, what->from, base, *out, out);
}

static qn_code suffixes(parser *p, qn_xnode **out)
{
    for (bool stepped = false;; stepped = true) {                 /* (a.b)? forgives all that is in the brackets */
        qn_xnode *base = *out, *at;
        bool dot = p->tok.kind == '.';
        if (p->tok.kind == QN_TK_FIELD) {
            qn_str name = qn_arena_str(p->a, p->tok.text);
            QN_TRY(next(p));
            QN_TRY(field_of(p, base->from, base, name, out));
            continue;
        }
        if (p->tok.kind == '?') {
            QN_TRY(next(p));
            if (stepped) QN_TRY(optional(p, base, out));
            else QN_TRY(node(p, QN_X_TRY, base->from, 1, &base, out));
            continue;
        }
        if (dot) QN_TRY(next(p));
        if (p->tok.kind == '[') {
            QN_TRY(next(p));
            QN_TRY(brackets(p, base, out));
        } else if (dot && p->tok.kind == QN_TK_QUOTE) {
            QN_TRY(text(p, NULL, &at));
            if (at->kind == QN_X_LITERAL) QN_TRY(field_of(p, base->from, base, qn_v_str(at->literal), out));
            else QN_TRY(node2(p, QN_X_INDEX, base->from, base, at, out));
        } else if (dot) {
            return unexpected(p, "a name of a field or `[`");
        } else {
            return QN_OK;
        }
    }
}

static qn_code postfix(parser *p, qn_xnode **out)
{
    if (++p->nesting > QN_X_NESTING)
        return qn_fail_at(p->e, QN_ELIMIT, qn_x_pos(p->x, p->tok.from), "an expression is nested deeper than %d levels", QN_X_NESTING);
    QN_TRY(primary(p, out));
    /* .["a b"] and ."a b" at the start of a path are fields */
    if ((*out)->kind == QN_X_INDEX && (*out)->kid[0]->kind == QN_X_SELF && (*out)->kid[1]->kind == QN_X_LITERAL
        && (*out)->kid[1]->literal.kind == QN_V_TEXT)
        QN_TRY(field_of(p, (*out)->from, (*out)->kid[0], qn_v_str((*out)->kid[1]->literal), out));
    QN_TRY(suffixes(p, out));
    p->nesting--;
    return QN_OK;
}

/* ---- operators ---- */
static qn_code term_as(parser *p, qn_xnode **out)                  /* term [as $x | body] */
{
    QN_TRY(postfix(p, out));
    if (!is_word(p, "as")) return QN_OK;
    qn_xnode *part[2] = { *out, NULL };
    uint32_t slot;
    size_t outer = p->n_vars;
    QN_TRY(next(p));
    QN_TRY(bind(p, &slot));
    QN_TRY(expect(p, '|', "`|`"));
    QN_TRY(pipe(p, &part[1]));
    p->n_vars = outer;
    QN_TRY(node(p, QN_X_AS, part[0]->from, 2, part, out));
    (*out)->slot = slot;
    return QN_OK;
}

static qn_code unary(parser *p, qn_xnode **out)
{
    if (p->tok.kind != '-') return term_as(p, out);
    size_t from = p->tok.from;
    if (++p->nesting > QN_X_NESTING)
        return qn_fail_at(p->e, QN_ELIMIT, qn_x_pos(p->x, from), "an expression is nested deeper than %d levels", QN_X_NESTING);
    QN_TRY(next(p));
    QN_TRY(unary(p, out));
    p->nesting--;
    qn_value *v = &(*out)->literal;
    if ((*out)->kind == QN_X_LITERAL && v->kind == QN_V_UINT && v->u == (uint64_t)INT64_MAX + 1) *v = qn_v_int(INT64_MIN);
    else if ((*out)->kind == QN_X_LITERAL && v->kind == QN_V_INT && v->i != INT64_MIN) v->i = -v->i;
    else if ((*out)->kind == QN_X_LITERAL && v->kind == QN_V_REAL) v->d = -v->d;
    else return node(p, QN_X_NEG, from, 1, out, out);
    (*out)->from = (uint32_t)from;
    return QN_OK;
}

static int op_of(const parser *p, int level)
{
    static const struct { int level, token, op; } OPS[] = {
        { 0, QN_TK_EQ, QN_X_EQ }, { 0, QN_TK_NE, QN_X_NE }, { 0, '<', QN_X_LT }, { 0, QN_TK_LE, QN_X_LE }, { 0, '>', QN_X_GT }, { 0, QN_TK_GE, QN_X_GE },
        { 1, '+', QN_X_ADD }, { 1, '-', QN_X_SUB }, { 2, '*', QN_X_MUL }, { 2, '/', QN_X_DIV }, { 2, '%', QN_X_MOD },
    };
    for (size_t i = 0; i < sizeof OPS / sizeof *OPS; i++)
        if (OPS[i].level == level && OPS[i].token == p->tok.kind) return OPS[i].op;
    return 0;
}

static qn_code binary(parser *p, int level, qn_xnode **out)         /* 0 comparison, 1 sums, 2 products */
{
    if (level == 3) return unary(p, out);
    QN_TRY(binary(p, level + 1, out));
    for (int op; (op = op_of(p, level)) != 0;) {
        qn_xnode *left = *out, *right;
        QN_TRY(next(p));
        QN_TRY(binary(p, level + 1, &right));
        QN_TRY(node2(p, QN_X_BINARY, left->from, left, right, out));
        (*out)->op = (uint8_t)op;
        if (level == 0 && op_of(p, 0)) {
            qn_code rc = unexpected(p, "`and`, `or` or the end");
            qn_hint(p->e, "comparisons do not chain: write a < b and b < c");
            return rc;
        }
    }
    return QN_OK;
}

static qn_code logic(parser *p, bool is_or, qn_xnode **out)
{
    QN_TRY(is_or ? logic(p, false, out) : binary(p, 0, out));
    while (is_word(p, is_or ? "or" : "and")) {
        qn_xnode *left = *out, *right;
        QN_TRY(next(p));
        QN_TRY(is_or ? logic(p, false, &right) : binary(p, 0, &right));
        QN_TRY(node2(p, is_or ? QN_X_OR : QN_X_AND, left->from, left, right, out));
    }
    return QN_OK;
}

static qn_code alternative(parser *p, qn_xnode **out)
{
    if (++p->nesting > QN_X_NESTING)
        return qn_fail_at(p->e, QN_ELIMIT, qn_x_pos(p->x, p->tok.from), "an expression is nested deeper than %d levels", QN_X_NESTING);
    QN_TRY(logic(p, true, out));
    if (p->tok.kind == QN_TK_ALT) {
        qn_xnode *left = *out, *right;
        QN_TRY(next(p));
        QN_TRY(alternative(p, &right));
        QN_TRY(node2(p, QN_X_ALTERNATIVE, left->from, left, right, out));
    }
    p->nesting--;
    return QN_OK;
}

static qn_code comma(parser *p, qn_xnode **out)
{
    nodes l = {0};
    QN_TRY(alternative(p, out));
    if (p->tok.kind != ',') return QN_OK;
    push(p, &l, *out);
    while (p->tok.kind == ',') {
        QN_TRY(next(p));
        QN_TRY(alternative(p, out));
        push(p, &l, *out);
    }
    return node(p, QN_X_COMMA, l.at[0]->from, l.n, l.at, out);
}

static qn_code pipe(parser *p, qn_xnode **out)
{
    if (++p->nesting > QN_X_NESTING)
        return qn_fail_at(p->e, QN_ELIMIT, qn_x_pos(p->x, p->tok.from), "an expression is nested deeper than %d levels", QN_X_NESTING);
    QN_TRY(comma(p, out));
    if (p->tok.kind == '|') {
        qn_xnode *left = *out, *right;
        QN_TRY(next(p));
        QN_TRY(pipe(p, &right));
        if (left->kind == QN_X_SELF) *out = right;
        else QN_TRY(node2(p, QN_X_PIPE, left->from, left, right, out));
    }
    p->nesting--;
    return QN_OK;
}

/* ---- the whole ---- */
qn_pos qn_x_pos(const qn_expr *x, size_t at)
{
    qn_pos pos = x->pos;
    if (!pos.line) pos.line = pos.col = 1;
    if (!pos.col) pos.col = 1;
    for (size_t i = 0, from = 0; i <= at && i <= x->text.n; i++) {
        if (i == at || i == x->text.n) { pos.col += (int)qn_utf8_count(qn_str_sub(x->text, from, i)); break; }
        if (x->text.p[i] == '\n') { pos.line++; pos.col = 1 + pos.indent; from = i + 1; }
    }
    return pos;
}

qn_str qn_x_written(const qn_expr *x, const qn_xnode *n)
{
    size_t to = n->to > n->from ? n->to : n->from;
    qn_str s = qn_str_trim(qn_str_sub(x->text, n->from, to));
    return qn_str_sub(s, 0, qn_utf8_cut(s, 60));
}

void qn_x_hint(qn_err *e)
{
    if (e && !e->hint[0]) qn_hint(e, "`quern help expressions` says what an expression can be");
}

static qn_code parse_all(qn_str all, size_t from, const char *close, qn_pos pos, qn_arena *a, qn_expr **out, size_t *end, qn_err *e)
{
    qn_expr *x = QN_ARENA_NEW(a, qn_expr);
    *x = (qn_expr){ .text = all, .from = from, .pos = pos };
    if (all.n > UINT32_MAX) return qn_fail_at(e, QN_ELIMIT, pos, "an expression is longer than 4 GB");
    parser p = { .lx = { .text = all, .at = from, .x = x, .e = e }, .a = a, .x = x, .e = e };
    QN_TRY(next(&p));
    if (p.tok.kind == QN_TK_END || (close && p.tok.kind == *close)) {
        qn_code rc = qn_fail_at(e, QN_ERECIPE, qn_x_pos(x, from), close ? "a hole {{ }} is empty" : "the expression is empty");
        qn_hint(e, close ? "write a field: {{ .name }}; {{\"{{\"}} writes two braces" : "write a field: .name");
        return rc;
    }
    QN_TRY(pipe(&p, &x->root));
    x->to = p.last;
    if (!close) return p.tok.kind == QN_TK_END ? (*out = x, *end = all.n, QN_OK) : unexpected(&p, "the end of the expression");
    size_t n = strlen(close);
    if (p.tok.from + n > all.n || memcmp(all.p + p.tok.from, close, n) != 0) return unexpected(&p, "`}}`");
    *end = p.tok.from + n;
    *out = x;
    return QN_OK;
}

qn_code qn_x_parse(qn_str all, size_t from, const char *close, qn_pos pos, qn_arena *a, qn_expr **out, size_t *end, qn_err *e)
{
    qn_code rc = parse_all(all, from, close, pos, a, out, end, e);
    if (rc != QN_OK && e && close && !e->hint[0] && qn_str_find(qn_str_sub(all, from, all.n), QN_STR("}}")) < 0) {
        qn_fail_at(e, rc, qn_x_pos(&(qn_expr){ .text = all, .pos = pos }, from - 2), "the hole {{ is not closed");
        qn_hint(e, "end it with }}; {{\"{{\"}} writes two braces");
    }
    if (rc != QN_OK) qn_x_hint(e);
    return rc;
}
