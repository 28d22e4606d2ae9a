/* regex: pattern -> tree -> program -> Pike's machine. See regex.h for what a pattern may hold.
 *
 * Program:  CHAR c | CLASS k | ANY | SPLIT x y (x first) | JUMP x | SAVE i | ASSERT what | MATCH
 * The machine keeps one list of threads (places in the program) for the character in hand and one for the next; a place is entered at most
 * once per character, so the work is at most text x program. Threads stand in the order in which a backtracker would try them. */
#include "text/regex.h"
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <wctype.h>

enum { MAX_DEPTH = 200, MAX_GROUPS = 50, MAX_REPEAT = 1000, NO_LIMIT = -1 };
typedef enum { I_CHAR, I_CLASS, I_ANY, I_ANY_LINE, I_SPLIT, I_JUMP, I_SAVE, I_ASSERT, I_MATCH } opcode;
typedef enum { A_BEGIN, A_END, A_END_LINE_BREAK, A_LINE_BEGIN, A_LINE_END, A_WORD, A_NOT_WORD } assertion;
typedef struct { uint8_t op; bool fold; uint32_t x, y; } inst;

enum { P_DIGIT = 1, P_WORD = 2, P_SPACE = 4, P_ALPHA = 8, P_UPPER = 16, P_LOWER = 32, P_PUNCT = 64, P_BLANK = 128, P_CNTRL = 256, P_XDIGIT = 512,
       P_ALNUM = 1024, P_GRAPH = 2048, P_PRINT = 4096, P_HORIZONTAL = 8192, P_LETTER = 16384, P_SEPARATOR = 32768 };
typedef struct { uint32_t from, to; } range;
typedef struct { uint64_t ascii[2]; range *ranges; size_t n_ranges, cap; uint32_t props, not_props; bool negated, fold; } class;

struct qn_regex {
    inst   *prog;
    class  *classes;
    size_t  n_prog, n_classes, n_groups;
    qn_str *names;              /* (n_groups) */
    bool    global, skip_empty, longest;
    qn_str  literal;            /* the whole pattern, when it is plain characters */
    bool    first[256];         /* bytes that a match may begin with */
    bool    any_first;          /* or none: it may be empty */
    bool    anchored;           /* begins with \A or ^ */
};

/* ---- characters ---- the C.UTF-8 locale's tables stand for Unicode; without it letters above ASCII count as word characters */
static locale_t unicode;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;
static void open_unicode(void) { unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); }

static bool is_digit_of_any_script(uint32_t c)
{
    static const uint32_t ZERO[] = {    /* Unicode's Nd come in tens */
        0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0,
        0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
        0x104A0, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x1D7CE, 0x1D7D8, 0x1D7E2,
        0x1D7EC, 0x1D7F6, 0x1E950 };
    if (c < 0x80) return c >= '0' && c <= '9';
    for (size_t i = 0; i < sizeof ZERO / sizeof *ZERO; i++)
        if (c >= ZERO[i] && c < ZERO[i] + 10) return true;
    return false;
}

static bool has_prop(uint32_t c, uint32_t p)
{
    bool digit = is_digit_of_any_script(c);
    wint_t w = (wint_t)c;
    if (c >= 0x80 && !unicode) return p & (P_WORD | P_ALPHA | P_LETTER | P_ALNUM | P_GRAPH | P_PRINT);
    if (c < 0x80) {
        bool alpha = (c | 32) >= 'a' && (c | 32) <= 'z', space = c == ' ' || (c >= 9 && c <= 13), graph = c > 32 && c < 127;
        return (p & P_DIGIT && digit) || (p & P_WORD && (alpha || digit || c == '_')) || (p & P_SPACE && space)
            || (p & (P_ALPHA | P_LETTER) && alpha) || (p & P_UPPER && alpha && c < 'a') || (p & P_LOWER && alpha && c >= 'a')
            || (p & P_PUNCT && graph && !alpha && !digit) || (p & (P_BLANK | P_HORIZONTAL) && (c == ' ' || c == 9)) || (p & P_CNTRL && (c < 32 || c == 127))
            || (p & P_XDIGIT && (digit || ((c | 32) >= 'a' && (c | 32) <= 'f'))) || (p & P_ALNUM && (alpha || digit)) || (p & P_GRAPH && graph)
            || (p & P_PRINT && (graph || c == 32)) || (p & P_SEPARATOR && c == ' ');
    }
    bool space = iswspace_l(w, unicode) || c == 0x85 || c == 0xA0 || c == 0x2007 || c == 0x202F;
    bool alpha = iswalpha_l(w, unicode) && !digit, mark = c >= 0x300 && c < 0x370;
    return (p & P_DIGIT && digit) || (p & P_WORD && (alpha || digit || mark)) || (p & P_SPACE && space) || (p & P_ALPHA && (alpha || mark))
        || (p & P_LETTER && alpha && !mark) || (p & P_UPPER && iswupper_l(w, unicode)) || (p & P_LOWER && iswlower_l(w, unicode))
        || (p & P_PUNCT && iswpunct_l(w, unicode)) || (p & (P_BLANK | P_HORIZONTAL | P_SEPARATOR) && space && c != 0x85)
        || (p & P_CNTRL && c < 0xA0) || (p & P_ALNUM && (alpha || digit)) || (p & P_GRAPH && !space && c >= 0xA0) || (p & P_PRINT && c >= 0xA0);
}

static uint32_t fold(uint32_t c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return unicode ? (uint32_t)towlower_l((wint_t)c, unicode) : c;
}

static uint32_t unfold(uint32_t c)
{
    if (c < 0x80) return c >= 'a' && c <= 'z' ? c - 32 : c;
    return unicode ? (uint32_t)towupper_l((wint_t)c, unicode) : c;
}

static bool class_holds(const class *k, uint32_t c)
{
    for (size_t i = 0; i < k->n_ranges; i++)
        if (c >= k->ranges[i].from && c <= k->ranges[i].to) return true;
    if (k->props && has_prop(c, k->props)) return true;
    for (uint32_t rest = k->not_props; rest; rest &= rest - 1)
        if (!has_prop(c, rest & -rest)) return true;
    return false;
}

static bool class_test(const class *k, uint32_t c)
{
    bool in = class_holds(k, c) || (k->fold && (class_holds(k, fold(c)) || class_holds(k, unfold(c))));
    return in != k->negated;
}

static inline bool class_has(const class *k, uint32_t c)
{
    return c < 128 ? k->ascii[c >> 6] >> (c & 63) & 1 : class_test(k, c);
}

/* ---- the tree ---- */
typedef enum { T_EMPTY, T_CHAR, T_CLASS, T_ANY, T_CAT, T_ALT, T_REPEAT, T_GROUP, T_ASSERT } tree_kind;
typedef struct tree { tree_kind kind; struct tree *a, *b; uint32_t value; int min, max; bool lazy, fold; } tree;

typedef struct {
    qn_str     text;
    size_t     at;
    qn_arena  *a;
    qn_err    *e;
    qn_regex  *re;
    size_t     cap_classes;
    int        depth;
    bool       fold, extended, dot_all, multiline;
} parser;

static qn_code bad(parser *p, size_t at, const char *what)
{
    return qn_fail(p->e, QN_ERECIPE, "in the pattern `%.*s` at byte %zu: %s", (int)qn_utf8_cut(p->text, 80), p->text.p, at + 1, what);
}

static bool more(const parser *p) { return p->at < p->text.n; }
static char look(const parser *p, size_t k) { return p->at + k < p->text.n ? p->text.p[p->at + k] : 0; }
static bool ahead(const parser *p, const char *z) { return qn_str_starts(qn_str_sub(p->text, p->at, p->text.n), qn_str_of(z)); }

static tree *make(parser *p, tree_kind kind, tree *a, tree *b)
{
    tree *t = QN_ARENA_NEW(p->a, tree);
    t->kind = kind;
    t->a = a;
    t->b = b;
    t->fold = p->fold;
    return t;
}

static class *class_new(parser *p, uint32_t *index)
{
    if (p->re->n_classes == p->cap_classes) {
        class *bigger = QN_ARENA_NEW_N(p->a, class, p->cap_classes = p->cap_classes ? p->cap_classes * 2 : 8);
        if (p->re->n_classes) memcpy(bigger, p->re->classes, p->re->n_classes * sizeof *bigger);
        p->re->classes = bigger;
    }
    *index = (uint32_t)p->re->n_classes;
    class *k = &p->re->classes[p->re->n_classes++];
    k->fold = p->fold;
    return k;
}

static void class_add(parser *p, class *k, uint32_t from, uint32_t to)
{
    if (k->n_ranges == k->cap) {
        range *bigger = QN_ARENA_NEW_N(p->a, range, k->cap = k->cap ? k->cap * 2 : 4);
        if (k->n_ranges) memcpy(bigger, k->ranges, k->n_ranges * sizeof *bigger);
        k->ranges = bigger;
    }
    k->ranges[k->n_ranges++] = (range){ from, to };
}

static void class_end(class *k)
{
    for (uint32_t c = 0; c < 128; c++)
        if (class_test(k, c)) k->ascii[c >> 6] |= (uint64_t)1 << (c & 63);
}

static int hex_of(char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1; }

static qn_code hex(parser *p, size_t least, size_t most, uint32_t *out)
{
    size_t n = 0;
    for (*out = 0; n < most && hex_of(look(p, 0)) >= 0; n++) *out = *out << 4 | (uint32_t)hex_of(p->text.p[p->at++]);
    if (n < least || *out > 0x10FFFF) return bad(p, p->at, "hexadecimal digits of a character were expected");
    return QN_OK;
}

static qn_code property(parser *p, uint32_t *props)                 /* behind \p */
{
    static const struct { const char *name; uint32_t prop; } NAMES[] = {
        { "L", P_LETTER }, { "Letter", P_LETTER }, { "Lu", P_UPPER }, { "Ll", P_LOWER }, { "N", P_DIGIT }, { "Nd", P_DIGIT }, { "P", P_PUNCT },
        { "Punct", P_PUNCT }, { "Z", P_SEPARATOR }, { "Zs", P_SEPARATOR }, { "Alpha", P_ALPHA }, { "Alnum", P_ALNUM }, { "Upper", P_UPPER },
        { "Lower", P_LOWER }, { "Digit", P_DIGIT }, { "Space", P_SPACE }, { "Word", P_WORD } };
    size_t from = p->at;
    if (look(p, 0) != '{') return bad(p, from, "\\p needs a name: \\p{L}");
    while (more(p) && look(p, 0) != '}') p->at++;
    qn_str name = qn_str_sub(p->text, from + 1, p->at);
    if (!more(p)) return bad(p, from, "`}` is missing");
    p->at++;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (qn_str_ieq(name, qn_str_of(NAMES[i].name))) { *props = NAMES[i].prop; return QN_OK; }
    return bad(p, from, "no such property: L Lu Ll N P Z Alpha Alnum Upper Lower Digit Space Word Punct are known");
}

/* Behind a backslash: a character, or properties (*props, *negated). */
static qn_code escape(parser *p, bool in_class, uint32_t *cp, uint32_t *props, bool *negated)
{
    static const char KINDS[] = "dwsh", PLAIN[] = "trnfvea";
    static const char PLAIN_IS[] = "\t\r\n\f\v\033\a";
    static const uint32_t KIND_IS[] = { P_DIGIT, P_WORD, P_SPACE, P_XDIGIT };
    size_t from = p->at - 1;
    char c = look(p, 0);
    const char *at;
    *props = 0;
    *negated = false;
    if (!more(p)) return bad(p, from, "a backslash at the end");
    if ((c & 0x80) != 0) { *cp = qn_utf8_next(p->text, &p->at); return QN_OK; }
    p->at++;
    if ((at = strchr(KINDS, c | 32)) != NULL && ((c | 32) >= 'a' && (c | 32) <= 'z')) {
        *props = KIND_IS[at - KINDS];
        *negated = !(c & 32);
        return QN_OK;
    }
    if ((c | 32) == 'p') {
        *negated = c == 'P';
        if (look(p, 0) == '{' && look(p, 1) == '^') {
            return bad(p, from, "write \\P{..} for what is not in a property");
        }
        return property(p, props);
    }
    if ((at = strchr(PLAIN, c)) != NULL) { *cp = (unsigned char)PLAIN_IS[at - PLAIN]; return QN_OK; }
    if (c == 'b' && in_class) { *cp = 8; return QN_OK; }
    if (c == 'x' && look(p, 0) == '{') {
        p->at++;
        QN_TRY(hex(p, 1, 8, cp));
        if (look(p, 0) != '}') return bad(p, from, "`}` is missing");
        p->at++;
        return QN_OK;
    }
    if (c == 'x') return hex(p, 1, 2, cp);
    if (c == 'u') return hex(p, 4, 4, cp);
    if (c == '0') { *cp = 0; return QN_OK; }
    if (c >= '1' && c <= '9') return bad(p, from, "back references (\\1) are not supported: they cannot be matched in linear time");
    if (c == 'k') return bad(p, from, "back references (\\k) are not supported: they cannot be matched in linear time");
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return bad(p, from, "unknown escape");
    *cp = (unsigned char)c;
    return QN_OK;
}

/* ---- [classes] ---- */
static qn_code posix(parser *p, class *k, bool *taken)              /* [:alpha:] */
{
    static const struct { const char *name; uint32_t prop; } NAMES[] = {
        { "alpha", P_ALPHA }, { "digit", P_DIGIT }, { "alnum", P_ALNUM }, { "upper", P_UPPER }, { "lower", P_LOWER }, { "space", P_SPACE },
        { "punct", P_PUNCT }, { "blank", P_BLANK }, { "cntrl", P_CNTRL }, { "xdigit", P_XDIGIT }, { "graph", P_GRAPH }, { "print", P_PRINT },
        { "word", P_WORD } };
    bool negated = look(p, 2) == '^';
    size_t from = p->at + (negated ? 3 : 2), to = from;
    *taken = false;
    while (to < p->text.n && p->text.p[to] >= 'a' && p->text.p[to] <= 'z') to++;
    if (to + 1 >= p->text.n || p->text.p[to] != ':' || p->text.p[to + 1] != ']') return QN_OK;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (qn_str_is(qn_str_sub(p->text, from, to), NAMES[i].name)) {
            if (negated) k->not_props |= NAMES[i].prop; else k->props |= NAMES[i].prop;
            p->at = to + 2;
            *taken = true;
            return QN_OK;
        }
    return bad(p, from, "no such class: alpha digit alnum upper lower space punct blank cntrl xdigit graph print word are known");
}

static qn_code class_end_point(parser *p, class *k, uint32_t *cp, bool *single)
{
    uint32_t props;
    bool negated;
    *single = true;
    if (look(p, 0) != '\\') { *cp = qn_utf8_next(p->text, &p->at); return QN_OK; }
    p->at++;
    QN_TRY(escape(p, true, cp, &props, &negated));
    if (!props) return QN_OK;
    *single = false;
    if (negated) k->not_props |= props; else k->props |= props;
    return QN_OK;
}

static qn_code bracket(parser *p, tree **out)                       /* behind `[` */
{
    size_t from = p->at - 1;
    uint32_t index, lo, hi;
    class *k = class_new(p, &index);
    bool first = true, single, taken;
    if (look(p, 0) == '^') { k->negated = true; p->at++; }
    for (;; first = false) {
        if (!more(p)) return bad(p, from, "`]` is missing");
        if (look(p, 0) == ']' && !first) break;
        if (look(p, 0) == '[' && look(p, 1) == ':') {
            QN_TRY(posix(p, k, &taken));
            if (taken) continue;
        }
        if (ahead(p, "&&")) return bad(p, p->at, "intersections of classes (&&) are not supported");
        if (look(p, 0) == '[') return bad(p, p->at, "a class within a class is not supported; write \\[ for the bracket itself");
        size_t at = p->at;
        QN_TRY(class_end_point(p, k, &lo, &single));
        if (!single) continue;
        hi = lo;
        if (look(p, 0) == '-' && look(p, 1) && look(p, 1) != ']') {
            p->at++;
            QN_TRY(class_end_point(p, k, &hi, &single));
            if (!single) { class_add(p, k, '-', '-'); hi = lo; }
            if (hi < lo) return bad(p, at, "a range is the wrong way round");
        }
        class_add(p, k, lo, hi);
    }
    p->at++;
    class_end(k);
    *out = make(p, T_CLASS, NULL, NULL);
    (*out)->value = index;
    return QN_OK;
}

/* ---- atoms ---- */
static qn_code alternation(parser *p, tree **out);

static tree *asserting(parser *p, assertion what)
{
    tree *t = make(p, T_ASSERT, NULL, NULL);
    t->value = what;
    return t;
}

static tree *character(parser *p, uint32_t cp)
{
    tree *t = make(p, T_CHAR, NULL, NULL);
    t->value = p->fold ? fold(cp) : cp;
    return t;
}

static qn_code backslash(parser *p, tree **out)                     /* behind `\` */
{
    uint32_t cp = 0, props, index;
    bool negated;
    char c = look(p, 0);
    if (c == 'A' || c == 'z' || c == 'Z' || c == 'b' || c == 'B') {
        p->at++;
        *out = asserting(p, c == 'A' ? A_BEGIN : c == 'z' ? A_END : c == 'Z' ? A_END_LINE_BREAK : c == 'b' ? A_WORD : A_NOT_WORD);
        return QN_OK;
    }
    if (c == 'Q') {                                                 /* \Q...\E: as written */
        tree *last = *out = make(p, T_CAT, make(p, T_EMPTY, NULL, NULL), NULL);
        for (p->at++; more(p) && !ahead(p, "\\E"); last = last->b) last->b = make(p, T_CAT, character(p, qn_utf8_next(p->text, &p->at)), NULL);
        if (more(p)) p->at += 2;
        return QN_OK;
    }
    if (c == 'R' || c == 'X' || c == 'G' || c == 'K' || c == 'g') return bad(p, p->at - 1, "this escape is not supported");
    QN_TRY(escape(p, false, &cp, &props, &negated));
    if (!props) { *out = character(p, cp); return QN_OK; }
    class *k = class_new(p, &index);
    if (negated) k->not_props = props; else k->props = props;
    class_end(k);
    *out = make(p, T_CLASS, NULL, NULL);
    (*out)->value = index;
    return QN_OK;
}

static qn_code group_flags(parser *p, bool *whole)                  /* behind `(?`: imsx-imsx then `)` or `:` */
{
    bool on = true;
    for (;; p->at++) {
        switch (look(p, 0)) {
        case 'i': p->fold = on; break;
        case 's': p->dot_all = on; break;
        case 'm': p->multiline = on; break;
        case 'x': p->extended = on; break;
        case '-': on = false; break;
        case ')': *whole = true; p->at++; return QN_OK;
        case ':': *whole = false; p->at++; return QN_OK;
        default: return bad(p, p->at, "unknown kind of group");
        }
    }
}

static qn_code group_name(parser *p, qn_str *name)                  /* behind `(?<` or `(?P<` */
{
    size_t from = p->at;
    while (more(p) && look(p, 0) != '>') p->at++;
    *name = qn_str_sub(p->text, from, p->at);
    if (!more(p) || !name->n) return bad(p, from, "a group's name is empty or not closed");
    p->at++;
    return QN_OK;
}

static qn_code group(parser *p, tree **out)                         /* behind `(` */
{
    size_t from = p->at - 1;
    bool is_fold = p->fold, is_extended = p->extended, is_dot_all = p->dot_all, is_multiline = p->multiline, whole = false, capture = true;
    qn_str name = {0};
    if (look(p, 0) == '?') {
        p->at++;
        if (look(p, 0) == '#') {
            while (more(p) && look(p, 0) != ')') p->at++;
            if (!more(p)) return bad(p, from, "`)` is missing");
            p->at++;
            *out = make(p, T_EMPTY, NULL, NULL);
            return QN_OK;
        }
        if (ahead(p, "=") || ahead(p, "!") || ahead(p, "<=") || ahead(p, "<!"))
            return bad(p, from, "look-around is not supported: it cannot be matched in linear time");
        if (ahead(p, ">") || ahead(p, "(")) return bad(p, from, "atomic and conditional groups are not supported");
        if (ahead(p, "P<")) p->at++;
        if (look(p, 0) == '<') {
            p->at++;
            QN_TRY(group_name(p, &name));
        } else {
            capture = false;
            QN_TRY(group_flags(p, &whole));
            if (whole) {                                            /* (?i) holds to the end of the group around it */
                *out = make(p, T_EMPTY, NULL, NULL);
                return QN_OK;
            }
        }
    }
    size_t index = 0;
    if (capture) {
        if (p->re->n_groups >= MAX_GROUPS) return bad(p, from, "more than 49 groups; write (?: ) for groups that are not needed");
        index = p->re->n_groups++;
        p->re->names[index] = qn_arena_str(p->a, name);
    }
    QN_TRY(alternation(p, out));
    if (look(p, 0) != ')' || !more(p)) return bad(p, from, "`)` is missing");
    p->at++;
    p->fold = is_fold;
    p->extended = is_extended;
    p->dot_all = is_dot_all;
    p->multiline = is_multiline;
    if (!capture) return QN_OK;
    *out = make(p, T_GROUP, *out, NULL);
    (*out)->value = (uint32_t)index;
    return QN_OK;
}

static qn_code atom(parser *p, tree **out)
{
    size_t from = p->at;
    char c = look(p, 0);
    if ((c & 0x80) != 0) { *out = character(p, qn_utf8_next(p->text, &p->at)); return QN_OK; }
    p->at++;
    switch (c) {
    case '.':  *out = make(p, T_ANY, NULL, NULL); (*out)->value = p->dot_all; return QN_OK;
    case '^':  *out = asserting(p, p->multiline ? A_LINE_BEGIN : A_BEGIN); return QN_OK;
    case '$':  *out = asserting(p, p->multiline ? A_LINE_END : A_END_LINE_BREAK); return QN_OK;
    case '[':  return bracket(p, out);
    case '(':  return group(p, out);
    case '\\': return backslash(p, out);
    case '*': case '+': case '?': return bad(p, from, "there is nothing to repeat before this");
    default:   *out = character(p, (unsigned char)c); return QN_OK;
    }
}

/* ---- repeats ---- */
static bool braces(parser *p, int *min, int *max)                   /* {n} {n,} {n,m}; anything else is plain text */
{
    size_t i = p->at + 1;
    int n[2] = { -1, -1 }, k = 0;
    for (; i < p->text.n && p->text.p[i] != '}'; i++) {
        char c = p->text.p[i];
        if (c == ',' && k == 0) { k = 1; continue; }
        if (c < '0' || c > '9') return false;
        n[k] = (n[k] < 0 ? 0 : n[k]) * 10 + (c - '0');
        if (n[k] > 100000) n[k] = 100000;
    }
    if (i >= p->text.n || n[0] < 0) return false;
    *min = n[0];
    *max = k == 0 ? *min : n[1] < 0 ? NO_LIMIT : n[1];
    p->at = i + 1;
    return true;
}

static void skip_extended(parser *p)
{
    while (p->extended && more(p)) {
        char c = look(p, 0);
        if (c == ' ' || (c >= 9 && c <= 13)) p->at++;
        else if (c == '#') while (more(p) && look(p, 0) != '\n') p->at++;
        else return;
    }
}

static qn_code repeated(parser *p, tree **out)
{
    int levels = 0;
    QN_TRY(atom(p, out));
    for (;;) {
        int min, max;
        size_t from = p->at;
        skip_extended(p);
        char c = look(p, 0);
        if (c == '*') { min = 0; max = NO_LIMIT; p->at++; }
        else if (c == '+') { min = 1; max = NO_LIMIT; p->at++; }
        else if (c == '?') { min = 0; max = 1; p->at++; }
        else if (c != '{' || !braces(p, &min, &max)) return QN_OK;
        if (max != NO_LIMIT && max < min) return bad(p, from, "the largest number of repeats is below the smallest");
        if (min > MAX_REPEAT || max > MAX_REPEAT) return bad(p, from, "more than 1000 repeats");
        if (++levels > 10) return bad(p, from, "too many repeats of one thing");
        if (look(p, 0) == '+' && c != '{') return bad(p, from, "possessive quantifiers are not supported");
        tree *t = make(p, T_REPEAT, *out, NULL);
        t->min = min;
        t->max = max;
        if (look(p, 0) == '?') { t->lazy = true; p->at++; }
        *out = t;
    }
}

static qn_code sequence(parser *p, tree **out)
{
    tree *last = *out = make(p, T_EMPTY, NULL, NULL);
    for (skip_extended(p); more(p) && look(p, 0) != '|' && look(p, 0) != ')'; skip_extended(p)) {
        tree *t;
        QN_TRY(repeated(p, &t));
        if (last->kind == T_EMPTY) last = *out = make(p, T_CAT, t, NULL);
        else last = last->b = make(p, T_CAT, t, NULL);
    }
    return QN_OK;
}

static qn_code alternation(parser *p, tree **out)
{
    tree *last = NULL, *t;
    if (++p->depth > MAX_DEPTH) return bad(p, p->at, "groups are nested too deeply");
    QN_TRY(sequence(p, out));
    while (more(p) && look(p, 0) == '|') {                          /* a|b|c is ALT(a, ALT(b, c)) */
        p->at++;
        QN_TRY(sequence(p, &t));
        if (!last) last = *out = make(p, T_ALT, *out, t);
        else last = last->b = make(p, T_ALT, last->b, t);
    }
    p->depth--;
    return QN_OK;
}

/* ---- tree -> program ---- */
typedef struct { parser *p; size_t cap; bool full; } emitter;

static uint32_t emit(emitter *em, opcode op, uint32_t x, uint32_t y, bool fold_case)
{
    qn_regex *re = em->p->re;
    if (re->n_prog >= QN_REGEX_PROGRAM) { em->full = true; return 0; }
    if (re->n_prog == em->cap) {
        inst *bigger = QN_ARENA_NEW_N(em->p->a, inst, em->cap = em->cap ? em->cap * 2 : 32);
        if (re->n_prog) memcpy(bigger, re->prog, re->n_prog * sizeof *bigger);
        re->prog = bigger;
    }
    re->prog[re->n_prog] = (inst){ (uint8_t)op, fold_case, x, y };
    return (uint32_t)re->n_prog++;
}

static void emit_tree(emitter *em, const tree *t);

/* A split at `at` whose preferred way is the next instruction (or, lazy, the other). */
static void aim(emitter *em, uint32_t at, uint32_t inside, uint32_t outside, bool lazy)
{
    if (em->full) return;
    em->p->re->prog[at].x = lazy ? outside : inside;
    em->p->re->prog[at].y = lazy ? inside : outside;
}

static void emit_repeat(emitter *em, const tree *t)
{
    for (int i = 0; i < t->min && !em->full; i++) emit_tree(em, t->a);
    if (t->max == NO_LIMIT) {
        uint32_t split = emit(em, I_SPLIT, 0, 0, false);
        emit_tree(em, t->a);
        emit(em, I_JUMP, split, 0, false);
        aim(em, split, split + 1, (uint32_t)em->p->re->n_prog, t->lazy);
        return;
    }
    size_t n = (size_t)(t->max - t->min), k = 0;
    uint32_t *splits = qn_alloc((n + 1) * sizeof *splits);
    for (; k < n && !em->full; k++) {
        splits[k] = emit(em, I_SPLIT, 0, 0, false);
        emit_tree(em, t->a);
    }
    for (size_t i = 0; i < k; i++) aim(em, splits[i], splits[i] + 1, (uint32_t)em->p->re->n_prog, t->lazy);
    qn_free(splits);
}

/* The jumps behind each way to the common end are chained through their targets until the end is known. */
static void emit_alternatives(emitter *em, const tree *t)
{
    uint32_t jumps = UINT32_MAX;
    for (; t->kind == T_ALT; t = t->b) {
        uint32_t split = emit(em, I_SPLIT, 0, 0, false);
        emit_tree(em, t->a);
        uint32_t jump = emit(em, I_JUMP, jumps, 0, false);
        aim(em, split, split + 1, (uint32_t)em->p->re->n_prog, false);
        jumps = jump;
    }
    emit_tree(em, t);
    while (jumps != UINT32_MAX && !em->full) {
        uint32_t before = em->p->re->prog[jumps].x;
        em->p->re->prog[jumps].x = (uint32_t)em->p->re->n_prog;
        jumps = before;
    }
}

static void emit_tree(emitter *em, const tree *t)
{
    if (em->full) return;
    switch (t->kind) {
    case T_EMPTY:  return;
    case T_CHAR:   emit(em, I_CHAR, t->value, 0, t->fold); return;
    case T_CLASS:  emit(em, I_CLASS, t->value, 0, false); return;
    case T_ANY:    emit(em, t->value ? I_ANY_LINE : I_ANY, 0, 0, false); return;
    case T_ASSERT: emit(em, I_ASSERT, t->value, 0, false); return;
    case T_CAT:    for (; t; t = t->b) emit_tree(em, t->a); return;
    case T_REPEAT: emit_repeat(em, t); return;
    case T_GROUP:
        emit(em, I_SAVE, t->value * 2, 0, false);
        emit_tree(em, t->a);
        emit(em, I_SAVE, t->value * 2 + 1, 0, false);
        return;
    case T_ALT:    emit_alternatives(em, t); return;
    }
}

/* ---- shortcuts ---- */
static void first_byte(qn_regex *re, uint32_t cp)
{
    char utf8[4];
    qn_utf8_put(cp, utf8);
    re->first[(unsigned char)utf8[0]] = true;
}

static void first_bytes(qn_regex *re, bool *seen, uint32_t pc)
{
    for (;;) {
        if (seen[pc]) return;
        seen[pc] = true;
        const inst *in = &re->prog[pc];
        switch ((opcode)in->op) {
        case I_MATCH:    re->any_first = true; return;
        case I_ANY: case I_ANY_LINE: memset(re->first, 1, sizeof re->first); return;
        case I_CHAR:
            first_byte(re, in->x);
            if (in->fold) {                                         /* other letters may fold to this one: let all above ASCII in */
                first_byte(re, unfold(in->x));
                for (size_t i = 128; i < 256; i++) re->first[i] = true;
            }
            return;
        case I_CLASS:
            for (uint32_t c = 0; c < 128; c++) if (class_has(&re->classes[in->x], c)) re->first[c] = true;
            for (size_t i = 128; i < 256; i++) re->first[i] = true;
            return;
        case I_SPLIT:
            first_bytes(re, seen, in->x);
            pc = in->y;
            break;
        case I_JUMP: pc = in->x; break;
        default: pc++; break;
        }
    }
}

static void find_shortcuts(qn_regex *re, qn_arena *a)
{
    size_t n = re->n_prog, k = 0;
    bool *seen = qn_zalloc(n);
    first_bytes(re, seen, 0);
    qn_free(seen);
    re->anchored = n > 1 && re->prog[1].op == I_ASSERT && re->prog[1].x == A_BEGIN;
    /* SAVE 0, characters, SAVE 1, MATCH */
    char *p = qn_arena_alloc(a, n * 4);
    if (re->n_groups != 1 || n < 4) return;
    for (size_t i = 1; i + 2 < n; i++) {
        if (re->prog[i].op != I_CHAR || re->prog[i].fold) return;
        k += (size_t)qn_utf8_put(re->prog[i].x, p + k);
    }
    re->literal = (qn_str){ p, k };
}

qn_code qn_regex_compile(qn_str pattern, qn_str flags, qn_arena *a, qn_regex **out, qn_err *e)
{
    pthread_once(&unicode_once, open_unicode);
    qn_regex *re = QN_ARENA_NEW(a, qn_regex);
    parser p = { .text = qn_arena_str(a, pattern), .a = a, .e = e, .re = re };
    emitter em = { .p = &p };
    tree *t;
    if (pattern.n > 100000) return qn_fail(e, QN_ELIMIT, "a pattern is longer than 100,000 bytes");
    for (size_t i = 0; i < flags.n; i++) {
        switch (flags.p[i]) {
        case 'g': re->global = true; break;
        case 'n': re->skip_empty = true; break;
        case 'l': re->longest = true; break;
        case 'i': p.fold = true; break;
        case 'x': p.extended = true; break;
        case 's': break;                                            /* ^ and $ already mean the ends of the text */
        case 'p': p.dot_all = true; break;
        default: return qn_fail(e, QN_ERECIPE, "`%c` is no flag of a pattern: g i x s n p l are", flags.p[i]);
        }
    }
    re->names = QN_ARENA_NEW_N(a, qn_str, MAX_GROUPS);
    re->n_groups = 1;
    QN_TRY(alternation(&p, &t));
    if (p.at < p.text.n) return bad(&p, p.at, "`)` without `(`");
    emit(&em, I_SAVE, 0, 0, false);
    emit_tree(&em, t);
    emit(&em, I_SAVE, 1, 0, false);
    emit(&em, I_MATCH, 0, 0, false);
    if (em.full) return qn_fail(e, QN_ELIMIT, "the pattern `%.*s` is too big: its repeats make more than %d steps", (int)qn_utf8_cut(p.text, 80),
                                p.text.p, QN_REGEX_PROGRAM);
    find_shortcuts(re, a);
    *out = re;
    return QN_OK;
}

size_t qn_regex_groups(const qn_regex *re) { return re->n_groups; }
qn_str qn_regex_group_name(const qn_regex *re, size_t i) { return i < re->n_groups ? re->names[i] : (qn_str){ "", 0 }; }
bool   qn_regex_global(const qn_regex *re) { return re->global; }
bool   qn_regex_skip_empty(const qn_regex *re) { return re->skip_empty; }

/* ---- the machine ---- */
typedef struct { uint32_t *pc; size_t *caps; uint32_t *mark; size_t n; uint32_t round; } threads;
typedef struct { uint32_t pc; uint32_t slot; size_t old; } pending;   /* slot != NONE: put the old place back */
enum { NONE = UINT32_MAX };

typedef struct {
    const qn_regex *re;
    qn_str    text;
    size_t    n_caps;                   /* 0 when only the answer counts */
    uint64_t  work;
    size_t   *caps;                     /* of the thread being added */
    pending  *stack;
} machine;

static bool is_word_at(const machine *m, size_t i)                  /* the character that begins at i */
{
    return i < m->text.n && has_prop(qn_utf8_next(m->text, &i), P_WORD);
}

static bool is_word_before(const machine *m, size_t i)
{
    if (!i) return false;
    size_t k = i - 1;
    while (k > 0 && i - k < 4 && ((unsigned char)m->text.p[k] & 0xC0) == 0x80) k--;
    return has_prop(qn_utf8_next(m->text, &k), P_WORD);
}

static bool holds(const machine *m, uint32_t what, size_t i)
{
    const qn_str t = m->text;
    switch ((assertion)what) {
    case A_BEGIN:          return i == 0;
    case A_END:            return i == t.n;
    case A_END_LINE_BREAK: return i == t.n || (i + 1 == t.n && t.p[i] == '\n');
    case A_LINE_BEGIN:     return i == 0 || (t.p[i - 1] == '\n' && i < t.n);
    case A_LINE_END:       return i == t.n || t.p[i] == '\n';
    case A_WORD:           return is_word_at(m, i) != is_word_before(m, i);
    default:               return is_word_at(m, i) == is_word_before(m, i);
    }
}

/* Adds the thread at pc and all it reaches without reading, in order of preference. m->caps is the thread's and is put back. */
static void add(machine *m, threads *l, uint32_t start, size_t at)
{
    size_t top = 0;
    m->stack[top++] = (pending){ start, NONE, 0 };
    while (top) {
        pending job = m->stack[--top];
        if (job.slot != NONE) { m->caps[job.slot] = job.old; continue; }
        for (uint32_t pc = job.pc;;) {
            if (l->mark[pc] == l->round) break;
            l->mark[pc] = l->round;
            if (m->work) m->work--;
            const inst *in = &m->re->prog[pc];
            if (in->op == I_JUMP) { pc = in->x; continue; }
            if (in->op == I_SPLIT) { m->stack[top++] = (pending){ in->y, NONE, 0 }; pc = in->x; continue; }
            if (in->op == I_ASSERT) { if (!holds(m, in->x, at)) break; pc++; continue; }
            if (in->op == I_SAVE) {
                if (in->x < m->n_caps) {
                    m->stack[top++] = (pending){ 0, in->x, m->caps[in->x] };
                    m->caps[in->x] = at;
                }
                pc++;
                continue;
            }
            l->pc[l->n] = pc;
            if (m->n_caps) memcpy(l->caps + l->n * m->n_caps, m->caps, m->n_caps * sizeof *m->caps);
            l->n++;
            break;
        }
    }
}

static bool reads(const qn_regex *re, const inst *in, uint32_t c)
{
    switch ((opcode)in->op) {
    case I_CHAR:     return in->x == (in->fold ? fold(c) : c);
    case I_CLASS:    return class_has(&re->classes[in->x], c);
    case I_ANY:      return c != '\n';
    case I_ANY_LINE: return true;
    default:         return false;
    }
}

static bool run(machine *m, threads *now, threads *then, size_t start, size_t *best)
{
    const qn_regex *re = m->re;
    bool matched = false;
    size_t i = start, best_end = 0;
    now->n = 0;
    now->round = ++then->round;
    for (;;) {
        if (!now->n) {
            if (matched || (re->anchored && i > 0)) break;
            if (!re->any_first) while (i < m->text.n && !re->first[(unsigned char)m->text.p[i]]) i++;
        }
        if (!matched) {                                             /* a match may also begin here, after those that began before */
            for (size_t k = 0; k < m->n_caps; k++) m->caps[k] = SIZE_MAX;
            if (!now->n) now->round = then->round = (now->round > then->round ? now->round : then->round) + 1;
            add(m, now, 0, i);
        }
        size_t next = i;
        uint32_t c = i < m->text.n ? qn_utf8_next(m->text, &next) : 0;
        then->n = 0;
        then->round = now->round + 1;
        for (size_t k = 0; k < now->n; k++) {
            const inst *in = &re->prog[now->pc[k]];
            const size_t *caps = now->caps + k * m->n_caps;
            if (in->op == I_MATCH) {
                if (re->longest && matched && i <= best_end) continue;
                matched = true;
                best_end = i;
                if (m->n_caps) memcpy(best, caps, m->n_caps * sizeof *best);
                else return true;
                if (re->longest) continue;
                break;                                              /* those behind it are less wanted */
            }
            if (i >= m->text.n || !reads(re, in, c)) continue;
            if (m->n_caps) memcpy(m->caps, caps, m->n_caps * sizeof *caps);
            add(m, then, now->pc[k] + 1, next);
        }
        if (!m->work || i >= m->text.n) break;
        threads *t = now;
        now = then;
        then = t;
        i = next;
    }
    return matched;
}

static bool find_literal(const qn_regex *re, qn_str text, size_t start, qn_regex_span *spans)
{
    ptrdiff_t at = qn_str_find(qn_str_sub(text, start, text.n), re->literal);
    if (at < 0) return false;
    if (spans) spans[0] = (qn_regex_span){ start + (size_t)at, start + (size_t)at + re->literal.n };
    return true;
}

qn_code qn_regex_find(const qn_regex *re, qn_str text, size_t start, qn_regex_span *spans, uint64_t *work, bool *found, qn_err *e)
{
    max_align_t small[512];
    size_t n = re->n_prog, caps = spans ? re->n_groups * 2 : 0;
    if (start > text.n) { *found = false; return QN_OK; }
    if (re->literal.n) { *found = find_literal(re, text, start, spans); return QN_OK; }
    size_t bytes = 2 * n * caps * sizeof(size_t) + 2 * caps * sizeof(size_t) + (2 * n + 4) * sizeof(pending) + 4 * n * sizeof(uint32_t);
    char *mem = bytes <= sizeof small ? (char *)small : qn_alloc(bytes), *at = mem;
    machine m = { .re = re, .text = text, .n_caps = caps, .work = work ? *work : UINT64_MAX };
    threads a = {0}, b = {0};
#define TAKE(field, count) do { (field) = (void *)at; at += (count) * sizeof *(field); } while (0)
    size_t *best;
    TAKE(a.caps, n * caps);
    TAKE(b.caps, n * caps);
    TAKE(m.caps, caps);
    TAKE(best, caps);
    TAKE(m.stack, 2 * n + 4);
    TAKE(a.pc, n);
    TAKE(b.pc, n);
    TAKE(a.mark, n);
    TAKE(b.mark, n);
#undef TAKE
    memset(a.mark, 0, n * sizeof *a.mark);
    memset(b.mark, 0, n * sizeof *b.mark);
    *found = run(&m, &a, &b, start, best);
    for (size_t i = 0; *found && i < re->n_groups && spans; i++) {
        bool none = best[2 * i] == SIZE_MAX || best[2 * i + 1] == SIZE_MAX;
        spans[i] = none ? (qn_regex_span){ 1, 0 } : (qn_regex_span){ best[2 * i], best[2 * i + 1] };
    }
    if (mem != (char *)small) qn_free(mem);
    if (work) *work = m.work;
    if (!m.work) return qn_fail(e, QN_ELIMIT, "a pattern takes too long on a text of %zu bytes", text.n);
    return QN_OK;
}
